"""One event of a VTN: what the operator decided, its identity and version, and the oadrEvent each VEN gets of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from console.openadr.calendar import Duration
from console.openadr.commands import EventDraft
from console.openadr.facts import EventStatus
from console.openadr.model import (
    EiActivePeriod,
    EiEvent,
    EiEventSignal,
    EiTarget,
    EventDescriptor,
    Interval,
    OadrEvent,
    PayloadFloat,
    SignalPayload,
)
from console.openadr.timeline import Timeline, put_off_at_most, running_interval, timeline
from console.openadr.units import item_base_of

LAST = 1 << 32
"""Sorts after every priority a message can carry; 0 means none, hence last (rule 3)."""


@dataclass(slots=True)
class Share:
    """One VEN's part in an event."""

    delivered: int = -1
    """modificationNumber last sent; -1 for none."""
    delivered_at: datetime | None = None
    deliveries: int = 0
    """How often this modification was sent."""
    answered: int = -1
    """modificationNumber last answered with success."""
    said: str = ""
    """Version, optType and code of the last answer, so that a repeated one is no news."""


@dataclass(frozen=True, slots=True)
class _Laid:
    """A draft laid out in time, as every message about it says it."""

    draft: EventDraft
    period: EiActivePeriod
    intervals: tuple[Interval, ...]
    course: Timeline

    @classmethod
    def of(cls, draft: EventDraft) -> _Laid:
        period = active_period(draft)
        return cls(draft, period, intervals(draft), timeline(period, tail=put_off_at_most(period)))


@dataclass(slots=True)
class Issued:
    """An event and its shares, by venID."""

    event_id: str
    signal_id: str
    draft: EventDraft
    modification_number: int = 0
    cancelled: bool = False
    shares: dict[str, Share] = field(default_factory=dict[str, Share])
    _laid: _Laid | None = field(default=None, repr=False, compare=False)

    @property
    def laid(self) -> _Laid:
        """What the draft comes to, worked out once for all VENs."""
        if self._laid is None or self._laid.draft is not self.draft:
            self._laid = _Laid.of(self.draft)
        return self._laid

    @property
    def wants_answers(self) -> bool:
        return self.draft.response_required == "always"

    def concerns(self, ven_id: str) -> bool:
        return not self.draft.ven_ids or ven_id in self.draft.ven_ids

    def course(self) -> Timeline:
        """The VTN lists it until a VEN that started as late as allowed is done (rule 66)."""
        return self.laid.course

    def status(self, now: datetime) -> EventStatus:
        """eventStatus as sent; ``completed`` means that it is no longer listed."""
        by_time = self.course().status(now)
        return EventStatus.CANCELLED if self.cancelled and by_time is not EventStatus.COMPLETED else by_time

    def place(self, now: datetime, sequence: int) -> tuple[int, int, datetime, int]:
        """Where it stands in a list: active by priority, then pending, each by start (rule 15).

        A cancelled event keeps its place; ``sequence`` keeps ties in the same order each time.
        """
        if self.course().status(now) is EventStatus.ACTIVE:
            return 0, self.draft.priority or LAST, self.draft.start, sequence
        return 1, 0, self.draft.start, sequence

    def current_value(self, now: datetime) -> float | None:
        """Value in force; SIMPLE is 0 when nothing is (rules 14, 29), others have none then (rule 110)."""
        simple = self.draft.signal_name.upper() == "SIMPLE"
        idle = 0.0 if simple else None
        if self.cancelled or self.course().status(now) is not EventStatus.ACTIVE:
            return idle
        interval = running_interval(self.laid.intervals, self.draft.start, now)
        return interval.value if interval is not None else idle

    def message(self, ven_id: str, now: datetime, created: datetime) -> OadrEvent:
        """The event as sent to one VEN."""
        draft = self.draft
        return OadrEvent(
            event=EiEvent(
                descriptor=EventDescriptor(
                    event_id=self.event_id,
                    modification_number=self.modification_number,
                    priority=draft.priority,
                    market_context=draft.market_context,
                    created_date_time=created,
                    event_status=self.status(now).value,
                    test_event="true" if draft.test_event else "false",
                    vtn_comment=draft.vtn_comment or None,
                ),
                active_period=self.laid.period,
                signals=(
                    EiEventSignal(
                        intervals=self.laid.intervals,
                        signal_name=draft.signal_name,
                        signal_type=draft.signal_type,
                        signal_id=self.signal_id,
                        item_base=item_base_of(draft.unit),
                        current_value=self.current_value(now),
                    ),
                ),
                target=EiTarget(ven_ids=(ven_id,)),
            ),
            response_required=draft.response_required,
        )


def whole(draft: EventDraft) -> EventDraft:
    """The draft in whole seconds, as messages carry them (rule 1)."""
    return replace(
        draft,
        start=draft.start.replace(microsecond=0),
        intervals=tuple((timedelta(seconds=int(span.total_seconds())), value) for span, value in draft.intervals),
    )


def same_content(one: EventDraft, other: EventDraft) -> bool:
    """Whether a change from one to the other needs no new modificationNumber (rule 5)."""
    return replace(one, event_id="", ven_ids=()) == replace(other, event_id="", ven_ids=())


def complaint(draft: EventDraft) -> str:
    """What makes a draft impossible to send; empty when nothing does."""
    if not draft.intervals:
        return "An event needs at least one interval."
    if any(span < timedelta(0) for span, _ in draft.intervals):
        return "An interval cannot last less than nothing."
    if len(draft.intervals) > 1 and any(int(span.total_seconds()) == 0 for span, _ in draft.intervals):
        return (
            "Only the single interval of an open-ended event may have no length; give each a duration of 1 s or more."
        )
    if draft.start.tzinfo is None:
        return "The start has no time zone."
    if draft.response_required not in ("always", "never"):
        return f"Response required is always or never, not {draft.response_required}."
    return ""


def active_period(draft: EventDraft) -> EiActivePeriod:
    def optional(length: timedelta | None) -> Duration | None:
        return None if length is None else Duration.of(length)

    return EiActivePeriod(
        dtstart=draft.start,
        duration=Duration.of(draft.duration),
        start_after=optional(draft.start_after),
        notification=Duration.of(draft.notification),
        ramp_up=optional(draft.ramp_up),
        recovery=optional(draft.recovery),
    )


def intervals(draft: EventDraft) -> tuple[Interval, ...]:
    return tuple(
        Interval(
            duration=Duration.of(length),
            uid=str(number),
            payloads=(SignalPayload(payload=PayloadFloat(value=value)),),
        )
        for number, (length, value) in enumerate(draft.intervals)
    )
