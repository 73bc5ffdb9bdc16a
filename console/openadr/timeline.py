"""When an event is far, near, active and over, and what it looks like laid on the time axis (rules 13, 29, 30, 47, 66).

Used by both roles: the VTN computes the status it sends, a VEN computes its own from a start that it may have put off
by a random time. Starts are inclusive, ends exclusive (rule 18). All pure functions of the event and ``now``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.openadr.calendar import Duration
from console.openadr.facts import EventChanged, EventStatus, IntervalFact, SignalFact
from console.openadr.model import EiActivePeriod, EiEventSignal, Interval, OadrEvent
from console.openadr.units import convert, unit_of

ZERO = timedelta(0)


@dataclass(frozen=True, slots=True)
class Timeline:
    """The instants at which an event's status changes."""

    near: datetime | None
    """Start of the ramp before the start; None goes from far to active at once."""
    start: datetime
    end: datetime | None
    """None is open ended."""

    def status(self, now: datetime) -> EventStatus:
        if self.end is not None and now >= self.end:
            return EventStatus.COMPLETED
        if now >= self.start:
            return EventStatus.ACTIVE
        if self.near is not None and now >= self.near:
            return EventStatus.NEAR
        return EventStatus.FAR

    def next_change(self, now: datetime) -> datetime | None:
        """The first change of status after ``now``; None when nothing is to come."""
        return min((at for at in (self.near, self.start, self.end) if at is not None and at > now), default=None)


def length(duration: Duration | None) -> timedelta:
    """A duration that may be missing, as a timedelta."""
    return duration.timedelta if duration is not None else ZERO


def later(at: datetime, by: timedelta) -> datetime:
    """``at + by``, held within the years that can be represented."""
    try:
        return at + by
    except OverflowError:
        edge = datetime.max if by > ZERO else datetime.min
        return edge.replace(microsecond=0, tzinfo=at.tzinfo)


def put_off_at_most(period: EiActivePeriod) -> timedelta:
    """Bound of the random delay of the start; zero for none."""
    return max(ZERO, length(period.start_after))


def timeline(period: EiActivePeriod, *, offset: timedelta = ZERO, tail: timedelta = ZERO) -> Timeline:
    """Timeline of an event put off by ``offset``; a VTN keeps it listed ``tail`` longer (rule 66)."""
    start = later(period.dtstart, offset)
    ramp = length(period.ramp_up)
    end = later(later(period.dtend, offset), tail) if period.dtend is not None else None
    return Timeline(later(start, -ramp) if ramp > ZERO else None, start, end)


def listed_until(period: EiActivePeriod) -> datetime | None:
    """dtstart + duration + startafter: how long a VTN lists and a VEN knows an event; None is open ended (rule 66)."""
    return later(period.dtend, put_off_at_most(period)) if period.dtend is not None else None


def interval_facts(signal: EiEventSignal, start: datetime) -> tuple[IntervalFact, ...]:
    """Intervals one after the other from ``start``, values in the plain unit; values that are no numbers are left."""
    facts: list[IntervalFact] = []
    at = start
    for interval in signal.intervals:
        span = length(interval.duration)
        value = interval.value
        if value is not None:
            facts.append(IntervalFact(at, span, convert(value, signal.item_base)[0]))
        at = later(at, span)
    return tuple(facts)


def running_interval(intervals: tuple[Interval, ...], start: datetime, now: datetime) -> Interval | None:
    """The interval ``now`` lies in; the last one where it is open ended."""
    at = start
    for interval in intervals:
        span = length(interval.duration)
        if at <= now and (span == ZERO or now < later(at, span)):
            return interval
        at = later(at, span)
    return None


def event_fact(
    event: OadrEvent,
    *,
    ven_id: str,
    vtn_id: str,
    status: EventStatus,
    offset: timedelta = ZERO,
) -> EventChanged:
    """The event as facts. ``start`` and the intervals are those in effect, put off by ``offset``."""
    descriptor, period = event.event.descriptor, event.event.active_period
    start = later(period.dtstart, offset)
    signals = tuple(
        SignalFact(
            signal_id=signal.signal_id,
            name=signal.signal_name,
            type=signal.signal_type,
            unit=unit_of(signal.item_base),
            intervals=interval_facts(signal, start),
            current_value=None if signal.current_value is None else convert(signal.current_value, signal.item_base)[0],
        )
        for signal in event.event.signals
    )

    def optional(duration: Duration | None) -> timedelta | None:
        return None if duration is None else duration.timedelta

    return EventChanged(
        event_id=descriptor.event_id,
        modification_number=descriptor.modification_number,
        status=status,
        ven_id=ven_id,
        market_context=descriptor.market_context,
        start=start,
        duration=length(period.duration),
        signals=signals,
        priority=descriptor.priority or 0,
        response_required=event.response_required,
        notification=optional(period.notification),
        ramp_up=optional(period.ramp_up),
        recovery=optional(period.recovery),
        start_after=optional(period.start_after),
        test_event=descriptor.is_test,
        vtn_comment=descriptor.vtn_comment or "",
        vtn_id=vtn_id,
    )
