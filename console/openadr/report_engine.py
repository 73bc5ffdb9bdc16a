"""The VEN's side of EiReport: what it offers, what it was asked for, and sending it on time.

Each report request lives by itself: one oadrUpdateReport each, so that a VTN that cannot take one report does not lose
the others. A report that the wire lost goes again with the next one; a report that the VTN answered with an error does
not, and a request that only ever fails while the VTN takes all else is given up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from console.openadr.actions import Action, Failure, FailureKind, Ids, Keep, Noted, Send, Service, StartTimer, StopTimer
from console.openadr.calendar import Duration
from console.openadr.commands import Offer, Sample
from console.openadr.facts import (
    ReportOffered,
    ReportPoint,
    ReportRequested,
    ReportsOffered,
    ReportStopped,
    StatusValue,
)
from console.openadr.findings import Severity
from console.openadr.keeping import Kept, instant, kept_list, number, read_instant, read_span, span, text, texts
from console.openadr.model import (
    EiTarget,
    OadrRegisterReport,
    OadrReport,
    OadrReportDescription,
    OadrReportPayload,
    OadrReportRequest,
    OadrSamplingRate,
    OadrUpdateReport,
    PayloadFloat,
)
from console.openadr.replies import found
from console.openadr.resource_status import status_value
from console.openadr.running_report import SPANS, RunningReport, first_tick
from console.openadr.timeline import ZERO, later, length
from console.openadr.units import convert, item_base_of

TIMER = "report:"
GIVE_UP = 5
"""Errors in a row after which a request is dropped, if the VTN took other messages meanwhile."""
METADATA = "METADATA"
LONGEST = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What became of the requests of one message."""

    code: str
    text: str
    actions: list[Action]
    metadata: tuple[str, ...]
    """reportRequestIDs of those that ask for METADATA."""


class ReportEngine:
    """Reports of one VEN."""

    def __init__(self, offers: Sequence[Offer], ids: Ids, history: int) -> None:
        self.ids = ids
        self.limit = max(100, history)
        self.ven_id = ""
        self.offers = tuple(
            replace(offer, report_specifier_id=offer.report_specifier_id or _specifier(offer)) for offer in offers
        )
        self.running: dict[str, RunningReport] = {}
        self._history: dict[str, deque[Sample]] = {
            offer.r_id: deque[Sample](maxlen=self.limit) for offer in self.offers
        }

    # Offering ----------------------------------------------------------------------------------------------------

    def metadata(self, now: datetime, report_request_id: str | None = None) -> OadrRegisterReport:
        """All we can report, in one message (rules 305, 306); no report at all where there is nothing (rule 301)."""
        specifiers = dict.fromkeys(offer.report_specifier_id for offer in self.offers)
        return OadrRegisterReport(
            request_id=self.ids.new("request"),
            reports=tuple(self._offered(specifier, now) for specifier in specifiers),
            ven_id=self.ven_id,
            report_request_id=report_request_id,
        )

    def _offered(self, specifier: str, now: datetime) -> OadrReport:
        offers = [offer for offer in self.offers if offer.report_specifier_id == specifier]
        shortest = min(offer.min_period for offer in offers)
        longest = max(offer.max_period for offer in offers)
        return OadrReport(
            duration=Duration.of(max(longest, shortest * self.limit)),
            report_descriptions=tuple(_description(offer) for offer in offers),
            report_request_id="0",
            report_specifier_id=specifier,
            report_name=f"METADATA_{offers[0].report_name}",
            created_date_time=now.replace(microsecond=0),
        )

    def offered_facts(self) -> list[Action]:
        """Sending METADATA ends all requests (rule 306)."""
        facts = [
            Noted(
                ReportOffered(
                    ven_id=self.ven_id,
                    report_specifier_id=offer.report_specifier_id,
                    report_name=offer.report_name,
                    r_id=offer.r_id,
                    report_type=offer.report_type,
                    reading_type=offer.reading_type,
                    unit=offer.unit,
                    resource_id=offer.resource_id,
                    min_period=offer.min_period,
                    max_period=offer.max_period,
                    on_change=offer.on_change,
                )
            )
            for offer in self.offers
        ]
        return [*self.forget("new METADATA (rule 306)"), Noted(ReportsOffered(self.ven_id, len(facts))), *facts]

    def measured(self, samples: Iterable[Sample]) -> None:
        """Readings, in any order; those of an rID not offered are ignored."""
        for sample in samples:
            history = self._history.get(sample.r_id)
            if history is None:
                continue
            if not history or history[-1].at <= sample.at:
                history.append(sample)
            else:
                ordered = sorted([*history, sample], key=lambda one: one.at)
                self._history[sample.r_id] = deque(ordered, maxlen=self.limit)

    # Requests ----------------------------------------------------------------------------------------------------

    def accept(self, requests: Iterable[OadrReportRequest], now: datetime) -> Acceptance:
        """Take what can be served; the code is that of the first request that cannot (rules 304, 340)."""
        code, words = "200", ""
        actions: list[Action] = []
        metadata: list[str] = []
        for request in requests:
            if request.report_specifier.report_specifier_id == METADATA:
                metadata.append(request.report_request_id)
                continue
            one, text = self._refused(request, now)
            if one == "200":
                actions += self._run(request, now)
                continue
            actions.append(found(340 if one == "454" else 304, Severity.WARNING, text, element="oadrReportRequest"))
            if code == "200":
                code, words = one, text
        return Acceptance(code, words, actions, tuple(metadata))

    def _refused(self, request: OadrReportRequest, now: datetime) -> tuple[str, str]:
        key, specifier = request.report_request_id, request.report_specifier
        offers = self._asked(request)
        if not any(offer.report_specifier_id == specifier.report_specifier_id for offer in self.offers):
            return "452", f"{key}: no report {specifier.report_specifier_id} is offered"
        unknown = {payload.r_id for payload in specifier.specifier_payloads} - {offer.r_id for offer in offers}
        if unknown or not offers:
            return "452", f"{key}: {', '.join(sorted(unknown)) or 'no rID'} is not offered"
        granularity, once = specifier.granularity.timedelta, not specifier.report_back_duration
        if not ZERO <= granularity <= LONGEST or not ZERO <= specifier.report_back_duration.timedelta <= LONGEST:
            return "454", f"{key}: granularity and reportBackDuration must lie between nothing and ten years"
        shortest = max(offer.min_period for offer in offers)
        if not once and granularity and granularity < shortest:
            return "454", f"{key}: a granularity of {specifier.granularity} is shorter than {Duration.of(shortest)}"
        if not once and not granularity and not all(offer.on_change for offer in offers):
            return "454", f"{key}: reporting on change is not offered"
        interval = specifier.report_interval
        if not once and interval and interval.dtend is not None and interval.dtend <= now:
            return "454", f"{key}: its interval is over"
        return "200", ""

    def _asked(self, request: OadrReportRequest) -> tuple[Offer, ...]:
        specifier = request.report_specifier
        wanted = {payload.r_id for payload in specifier.specifier_payloads}
        return tuple(
            offer
            for offer in self.offers
            if offer.report_specifier_id == specifier.report_specifier_id and offer.r_id in wanted
        )

    def _run(self, request: OadrReportRequest, now: datetime) -> list[Action]:
        specifier, offers = request.report_specifier, self._asked(request)
        granularity, report_back = specifier.granularity.timedelta, specifier.report_back_duration.timedelta
        doubts: list[Action] = []
        if report_back and granularity > report_back:
            text = f"{request.report_request_id} wants samples less often than reports; it gets one in each (rule 317)."
            doubts.append(found(317, Severity.WARNING, text, element="granularity"))
            report_back = granularity
        interval = specifier.report_interval
        start = max(now, interval.dtstart) if interval else now
        lasts = length(interval.duration) if interval else timedelta(0)
        run = RunningReport(
            report_request_id=request.report_request_id,
            report_specifier_id=specifier.report_specifier_id,
            report_name=offers[0].report_name,
            offers=offers,
            granularity=granularity,
            report_back=report_back,
            start=start,
            end=later(interval.dtstart, lasts) if interval and lasts and report_back else None,
            next_tick=first_tick(offers, granularity, report_back, start) if report_back else start,
        )
        self.running[run.report_request_id] = run
        return [*doubts, Noted(self._requested(run)), StartTimer(TIMER + run.report_request_id, run.next_tick), Keep()]

    def _requested(self, run: RunningReport) -> ReportRequested:
        return ReportRequested(
            self.ven_id,
            run.report_request_id,
            run.report_specifier_id,
            tuple(offer.r_id for offer in run.offers),
            run.granularity,
            run.report_back,
        )

    def pending(self) -> tuple[str, ...]:
        """oadrPendingReports: all that is still being served (rule 329)."""
        return tuple(self.running)

    # Sending -----------------------------------------------------------------------------------------------------

    def fired(self, key: str, now: datetime) -> list[Action]:
        run = self.running.get(key)
        if run is None:
            return []
        due = run.advance(self._history, now, self.limit)
        actions = self._send(run, now) if due else []
        if run.once or run.over:
            return [*actions, *self._stop(key, "delivered" if run.once else "its interval is over")]
        return [*actions, StartTimer(TIMER + key, run.next_tick)]

    def _send(self, run: RunningReport, now: datetime) -> list[Action]:
        report = run.take(now)
        if report is None:
            return []
        message = OadrUpdateReport(request_id=self.ids.new("request"), reports=(report,), ven_id=self.ven_id)
        return [Send(message, Service.EI_REPORT, about=TIMER + run.report_request_id)]

    def taken(self, message: OadrUpdateReport) -> list[Action]:
        """The VTN has it: the values become facts on our side too."""
        points: list[Action] = []
        for report in message.reports:
            run = self.running.get(report.report_request_id)
            if run is not None:
                run.failures, run.failing_since = 0, None
            points += [Noted(point) for point in self._points(report)]
        return points

    def _points(self, report: OadrReport) -> list[ReportPoint]:
        units = {offer.r_id: offer.unit for offer in self.offers}
        points: list[ReportPoint] = []
        for interval in report.intervals:
            for payload in interval.payloads:
                if not isinstance(payload, OadrReportPayload) or interval.dtstart is None:
                    continue
                unit = units.get(payload.r_id)
                value: float | StatusValue
                if isinstance(payload.payload, PayloadFloat):
                    value = convert(payload.payload.value, item_base_of(unit))[0]
                else:
                    value, unit = status_value(payload.payload), None
                points.append(
                    ReportPoint(
                        self.ven_id,
                        report.report_request_id,
                        payload.r_id,
                        value,
                        unit,
                        interval.dtstart,
                        interval.duration.timedelta if interval.duration else None,
                        payload.data_quality or "",
                        report.report_name or "",
                    )
                )
        return points

    def failed(
        self, message: OadrUpdateReport, failure: Failure, now: datetime, heard: datetime | None
    ) -> list[Action]:
        """A report that was not taken. ``heard`` is when the VTN last took any message of ours."""
        actions: list[Action] = []
        for report in message.reports:
            run = self.running.get(report.report_request_id)
            if run is None:
                continue
            if failure.kind is FailureKind.WIRE or failure.status == 503:
                run.give_back(report.intervals, self.limit * len(run.offers))
                continue
            run.failures += 1
            run.failing_since = run.failing_since or now
            if run.failures == 1:
                text = f"The VTN did not take report {run.report_request_id}: {failure.text} Others go on."
                actions.append(found("http", Severity.WARNING, text, element="oadrUpdateReport"))
            if run.failures >= GIVE_UP and heard is not None and heard > run.failing_since:
                why = f"given up: the VTN refused it {run.failures} times in a row while it took other messages"
                actions += self._stop(run.report_request_id, why)
        return actions

    # Ends --------------------------------------------------------------------------------------------------------

    def cancel(self, keys: Iterable[str], follow: bool, now: datetime) -> tuple[tuple[str, ...], list[Action]]:
        """End requests, each with one last report if wanted (rule 345); the unknown ones come back (rule 336)."""
        unknown: list[str] = []
        actions: list[Action] = []
        for key in keys:
            run = self.running.get(key)
            if run is None:
                unknown.append(key)
                continue
            if follow:
                run.next_tick = min(run.next_tick, now)
                run.advance(self._history, now, self.limit)
                actions += self._send(run, now)
            actions += self._stop(key, "cancelled by the VTN")
        return tuple(unknown), actions

    def forget(self, why: str) -> list[Action]:
        return [action for key in list(self.running) for action in self._stop(key, why)]

    def _stop(self, key: str, why: str) -> list[Action]:
        del self.running[key]
        return [StopTimer(TIMER + key), Noted(ReportStopped(self.ven_id, key, why)), Keep()]

    # Restart -----------------------------------------------------------------------------------------------------

    def state(self) -> list[Kept]:
        return [
            {
                "report_request_id": run.report_request_id,
                "report_specifier_id": run.report_specifier_id,
                "r_ids": [offer.r_id for offer in run.offers],
                "granularity": span(run.granularity),
                "report_back": span(run.report_back),
                "start": instant(run.start),
                "end": None if run.end is None else instant(run.end),
            }
            for run in self.running.values()
        ]

    def restore(self, value: object, now: datetime) -> list[Action]:
        """Requests go on from now; one whose rIDs are no longer offered is dropped."""
        actions: list[Action] = []
        for item in kept_list(value):
            wanted, specifier = texts(item, "r_ids"), text(item, "report_specifier_id")
            offers = tuple(
                offer for offer in self.offers if offer.report_specifier_id == specifier and offer.r_id in wanted
            )
            end = None if item.get("end") is None else read_instant(item["end"])
            if len(offers) != len(wanted) or (end is not None and end <= now):
                continue
            start = read_instant(item.get("start"))
            key = text(item, "report_request_id")
            granularity = timedelta(seconds=number(item, "granularity"))
            report_back = read_span(item.get("report_back")) or timedelta(0)
            self.running[key] = RunningReport(
                key, specifier, offers[0].report_name, offers, granularity, report_back, start, end, max(start, now)
            )
            actions += [Noted(self._requested(self.running[key])), StartTimer(TIMER + key, max(start, now))]
        return actions


def _specifier(offer: Offer) -> str:
    """Points and spans apart, since one report gives all its intervals a duration or none (rule 315)."""
    return f"{offer.report_name.lower()}{'_energy' if offer.unit in SPANS else ''}"


def _description(offer: Offer) -> OadrReportDescription:
    return OadrReportDescription(
        r_id=offer.r_id,
        report_data_source=EiTarget(resource_ids=(offer.resource_id,)) if offer.resource_id else None,
        report_type=offer.report_type,
        item_base=item_base_of(offer.unit),
        reading_type=offer.reading_type,
        sampling_rate=OadrSamplingRate(
            min_period=Duration.of(offer.min_period),
            max_period=Duration.of(offer.max_period),
            on_change=offer.on_change,
        ),
    )
