"""One report a VEN was asked for, while it runs: when to sample, when to send, and what it would send now.

A point value has a dtstart and no duration, a value over a span (energy) has both; where a report holds both kinds all
have a duration, that of a point being zero (rules 315, 342). There is one interval for each value, and every interval
has its dtstart. A missing value is a placeholder marked bad (rule 318).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from console.openadr.calendar import Duration
from console.openadr.commands import Offer, Sample
from console.openadr.enums import OadrDataQuality
from console.openadr.facts import StatusValue
from console.openadr.model import Interval, OadrReport, OadrReportPayload, PayloadBase, PayloadFloat
from console.openadr.resource_status import resource_status
from console.openadr.timeline import later
from console.openadr.units import convert_back, item_base_of

SPANS = frozenset({"Wh", "VAh", "VARh"})
"""Units of values that are over a span of time."""
STALE = timedelta(seconds=10)
"""A reading is not called old before this age, however short the sampling interval."""
NOTHING = StatusValue(online=False, manual_override=False)
"""Placeholder of a status that is not known."""

History = Mapping[str, deque[Sample]]
"""Samples by rID, oldest first."""


@dataclass(slots=True)
class RunningReport:
    """A report request accepted by a VEN."""

    report_request_id: str
    report_specifier_id: str
    report_name: str
    offers: tuple[Offer, ...]
    granularity: timedelta
    """Zero: on change."""
    report_back: timedelta
    """Zero: once."""
    start: datetime
    end: datetime | None
    """None: for ever."""
    next_tick: datetime
    unsent: list[Interval] = field(default_factory=list[Interval])
    ticks: int = 0
    """Samplings in ``unsent`` that were not due to go yet."""
    failures: int = 0
    failing_since: datetime | None = None

    @property
    def once(self) -> bool:
        return not self.report_back

    @property
    def step(self) -> timedelta:
        """Time between wake-ups."""
        return self.granularity or self.report_back

    @property
    def per_report(self) -> int:
        """Samplings in one report."""
        return max(1, int(self.report_back / self.step)) if self.step else 1

    @property
    def over(self) -> bool:
        return self.end is not None and self.next_tick >= self.end

    def advance(self, history: History, now: datetime, limit: int) -> bool:
        """Take all samples due by ``now``, after a long sleep the last ``limit`` only; whether a report is due."""
        if self.once:
            self.unsent = self._once(history, now)
            return True
        behind = int((now - self.next_tick) / self.step)
        if behind > limit:
            self.next_tick += self.step * (behind - limit)
        due = False
        while self.next_tick <= now and not self.over:
            self.unsent += self._sampled(history, self.next_tick)
            self.next_tick = later(self.next_tick, self.step)
            self.ticks += 1
            if self.ticks >= self.per_report or self.over:
                self.ticks, due = 0, True
        return due

    @property
    def has_spans(self) -> bool:
        return any(offer.unit in SPANS for offer in self.offers)

    def take(self, now: datetime) -> OadrReport | None:
        """The report of all that is unsent, oldest first (rules 313, 314); None where there is nothing."""
        intervals = tuple(sorted(map(self._with_duration, self.unsent), key=lambda interval: interval.dtstart or now))
        self.unsent = []
        if not intervals:
            return None
        spans = [interval.duration for interval in intervals if interval.duration is not None]
        first, last = intervals[0].dtstart or now, intervals[-1].dtstart or now
        return OadrReport(
            dtstart=first,
            duration=Duration.of(last - first + max(spans).timedelta) if spans else None,
            intervals=intervals,
            report_request_id=self.report_request_id,
            report_specifier_id=self.report_specifier_id,
            report_name=self.report_name,
            created_date_time=now.replace(microsecond=0),
        )

    def _with_duration(self, interval: Interval) -> Interval:
        """All intervals of a report have a duration, or none has (rule 315)."""
        return replace(interval, duration=Duration.zero) if self.has_spans and interval.duration is None else interval

    def give_back(self, intervals: tuple[Interval, ...], limit: int) -> None:
        """A report that did not reach the VTN goes again with the next one, as far as ``limit`` values reach."""
        self.unsent = [*intervals, *self.unsent][-limit:]

    def _sampled(self, history: History, at: datetime) -> list[Interval]:
        if not self.granularity:
            return [interval for offer in self.offers for interval in self._changes(offer, history, at)]
        return [self._reading(offer, self._value(offer, history, at), at) for offer in self.offers]

    def _changes(self, offer: Offer, history: History, at: datetime) -> list[Interval]:
        """All new values since the last report; one marked as unchanged where there are none (rule 317)."""
        since = later(at, -self.report_back)
        before = _latest(history, offer.r_id, since)
        changes: list[Interval] = []
        for sample in history.get(offer.r_id, ()):
            if since < sample.at <= at and (before is None or sample.value != before.value):
                changes.append(_interval(offer, sample.value, sample.at, OadrDataQuality.GOOD, None))
                before = sample
        if changes:
            return changes
        if before is None:
            return [self._reading(offer, None, at)]
        return [_interval(offer, before.value, at, OadrDataQuality.PREVIOUS_VALUE, None)]

    def _once(self, history: History, now: datetime) -> list[Interval]:
        """The latest value of each rID, at its own time (rule 337)."""
        readings: list[Interval] = []
        for offer in self.offers:
            sample = self._value(offer, history, now)
            readings.append(self._reading(offer, sample, sample.at if sample else now))
        return readings

    def _value(self, offer: Offer, history: History, at: datetime) -> Sample | None:
        """The latest sample; for a register the difference to what it read a span before, as far back as known."""
        latest = _latest(history, offer.r_id, at)
        if not offer.counter or latest is None or isinstance(latest.value, StatusValue):
            return latest
        before = _latest(history, offer.r_id, latest.at - (self.granularity or offer.min_period))
        first = before or history[offer.r_id][0]
        counted = 0.0 if isinstance(first.value, StatusValue) else latest.value - first.value
        return replace(latest, value=counted)

    def _reading(self, offer: Offer, sample: Sample | None, at: datetime) -> Interval:
        span = (self.granularity or offer.min_period) if offer.unit in SPANS else None
        start = at - span if span is not None else at
        if sample is None:
            empty = NOTHING if offer.report_name == "TELEMETRY_STATUS" else 0.0
            return _interval(offer, empty, start, OadrDataQuality.BAD_NOT_CONNECTED, span)
        old = at - sample.at > max(2 * self.granularity, STALE)
        quality = OadrDataQuality.BAD_LAST_KNOWN if old else OadrDataQuality.GOOD
        return _interval(offer, sample.value, start, quality, span)


def first_tick(offers: tuple[Offer, ...], granularity: timedelta, report_back: timedelta, start: datetime) -> datetime:
    """At once where each sample is a report; values over a span, and changes, need that span to pass first."""
    waits = not granularity or any(offer.unit in SPANS for offer in offers)
    return later(start, granularity or report_back) if waits else start


def _latest(history: History, r_id: str, at: datetime) -> Sample | None:
    samples = history.get(r_id)
    if not samples:
        return None
    if samples[-1].at <= at:
        return samples[-1]
    index = bisect_right(samples, at, key=lambda sample: sample.at)
    return samples[index - 1] if index else None


def _interval(
    offer: Offer, value: float | StatusValue, start: datetime, quality: OadrDataQuality, span: timedelta | None
) -> Interval:
    payload: PayloadBase
    if isinstance(value, StatusValue):
        payload = resource_status(value)
    else:
        payload = PayloadFloat(value=convert_back(value, item_base_of(offer.unit)))
    return Interval(
        dtstart=start.replace(microsecond=0),
        duration=None if span is None else Duration.of(span),
        payloads=(OadrReportPayload(r_id=offer.r_id, payload=payload, data_quality=quality.value),),
    )
