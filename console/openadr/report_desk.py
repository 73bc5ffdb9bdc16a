"""The VTN's side of EiReport: what VENs offer, what was asked of them, and the values that come in.

METADATA replaces all that was offered and ends all requests (rule 306). Values become ReportPoint facts in the plain
unit. Data for a request we never made is taken, with a finding: a VTN may have lost its memory, the meter has not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from console.openadr.actions import Action, Found, Ids, Keep, Noted
from console.openadr.calendar import Duration
from console.openadr.facts import (
    ReportOffered,
    ReportPoint,
    ReportRequested,
    ReportsOffered,
    ReportStopped,
    StatusValue,
)
from console.openadr.findings import Severity
from console.openadr.keeping import Kept, kept, kept_list, number, read_span, span, text, texts
from console.openadr.model import (
    EiResponse,
    Interval,
    OadrCreateReport,
    OadrRegisterReport,
    OadrReport,
    OadrReportDescription,
    OadrReportPayload,
    OadrReportRequest,
    PayloadBase,
    PayloadFloat,
    ReportInterval,
    ReportSpecifier,
    SpecifierPayload,
)
from console.openadr.replies import found
from console.openadr.resource_status import status_value
from console.openadr.states import REPORT_REQUEST, Course, Requested
from console.openadr.timeline import later, length
from console.openadr.units import convert, unit_of

SHORTEST = timedelta(seconds=2)
"""Reports are not asked for more often than this, however often the VEN could send them."""
METADATA = "METADATA_"
TRIES = 3
"""How often a request is handed to a VEN that does not answer it."""


@dataclass(frozen=True, slots=True)
class Offered:
    """One rID as offered; ``scale`` is what its values are multiplied with to be in ``unit``."""

    fact: ReportOffered
    scale: float


@dataclass(slots=True)
class Request:
    """One oadrReportRequest of ours."""

    report_request_id: str
    report_specifier_id: str
    r_ids: tuple[str, ...]
    granularity: timedelta
    report_back: timedelta
    state: Requested = Requested.OWED
    asked_at: datetime | None = None
    tries: int = 0
    """How often it was handed to the VEN."""


@dataclass(slots=True)
class _Ven:
    offers: dict[tuple[str, str], Offered] = field(default_factory=dict[tuple[str, str], Offered])
    requests: dict[str, Request] = field(default_factory=dict[str, Request])
    registered: bool = False
    """METADATA came in since the registration."""


class ReportDesk:
    """Reports of all VENs of one VTN."""

    def __init__(self, ids: Ids) -> None:
        self.ids = ids
        self._vens: dict[str, _Ven] = {}

    def has_metadata(self, ven_id: str) -> bool:
        return ven_id in self._vens and self._vens[ven_id].registered

    def forget(self, ven_id: str, why: str) -> list[Action]:
        """The registration ended or began anew: offers and requests go with it (rules 406, 407)."""
        ven = self._vens.pop(ven_id, None)
        return [Noted(ReportStopped(ven_id, key, why)) for key in ven.requests] if ven else []

    def ven_of(self, report_request_ids: Iterable[str]) -> str:
        """The VEN asked for one of these; empty for none. Serves VENs that leave their venID out (rule 508)."""
        wanted = set(report_request_ids)
        return next((ven_id for ven_id, ven in self._vens.items() if wanted & ven.requests.keys()), "")

    # METADATA ----------------------------------------------------------------------------------------------------

    def register(self, ven_id: str, message: OadrRegisterReport) -> list[Action]:
        ven = self._vens.setdefault(ven_id, _Ven())
        stopped = [Noted(ReportStopped(ven_id, key, "new METADATA (rule 306)")) for key in ven.requests]
        ven.offers = {
            (report.report_specifier_id, description.r_id): _offered(ven_id, report, description)
            for report in message.reports
            for description in report.report_descriptions
        }
        ven.requests.clear()
        ven.registered = True
        facts = [Noted(offered.fact) for offered in ven.offers.values()]
        return [*stopped, Noted(ReportsOffered(ven_id, len(facts))), *facts, Keep(ven_id)]

    # Asking ------------------------------------------------------------------------------------------------------

    def ask(
        self,
        ven_id: str,
        r_ids: Sequence[str] | None,
        granularity: timedelta | None,
        report_back: timedelta | None,
        now: datetime,
    ) -> tuple[tuple[OadrReportRequest, ...], list[Action]]:
        """One request per report specifier and period; none with a finding where nothing fits."""
        ven = self._vens.get(ven_id, _Ven())
        wanted = [
            offered.fact
            for offered in ven.offers.values()
            if offered.fact.report_name.startswith("TELEMETRY") and (r_ids is None or offered.fact.r_id in r_ids)
        ]
        missing = set(r_ids or ()) - {fact.r_id for fact in wanted}
        complaints: list[Action] = []
        if missing:
            names = ", ".join(sorted(missing))
            complaints.append(found("command", Severity.ERROR, f"{ven_id} offers no telemetry named {names}."))
        groups: dict[tuple[str, timedelta], list[str]] = {}
        for fact in wanted:
            period = granularity if granularity is not None else usual_period(fact)
            groups.setdefault((fact.report_specifier_id, period), []).append(fact.r_id)
        requests = [
            Request(
                self.ids.new("report"), specifier, tuple(names), period, period if report_back is None else report_back
            )
            for (specifier, period), names in groups.items()
        ]
        for request in requests:
            ven.requests[request.report_request_id] = request
        facts = [Noted(_requested(ven_id, request)) for request in requests]
        kept_too: list[Action] = [Keep(ven_id)] if requests else []
        return tuple(_written(request, now) for request in requests), [*complaints, *facts, *kept_too]

    def sent(self, ven_id: str, message: OadrCreateReport, now: datetime) -> None:
        """The VEN has been given these requests."""
        ven = self._vens.get(ven_id, _Ven())
        for each in message.report_requests:
            request = ven.requests.get(each.report_request_id)
            if request is not None and self._move(ven_id, each.report_request_id, Course.SENT):
                request.asked_at = now
                request.tries += 1

    def unanswered(self, ven_id: str, now: datetime, patience: timedelta) -> tuple[OadrReportRequest, ...]:
        """Requests handed out more than ``patience`` ago without an answer: it, or they, may have been lost."""
        ven = self._vens.get(ven_id, _Ven())
        return tuple(
            _written(request, now)
            for request in ven.requests.values()
            if request.state is Requested.ASKED
            and request.tries < TRIES
            and (request.asked_at is None or now - request.asked_at > patience)
        )

    def created(self, ven_id: str, answer: EiResponse, pending: Sequence[str]) -> list[Action]:
        """oadrCreatedReport: pending ones run; where it refuses, those asked and not pending stop (rules 329, 340)."""
        ven = self._vens.get(ven_id, _Ven())
        actions: list[Action] = []
        for key, request in list(ven.requests.items()):
            if key in pending:
                self._move(ven_id, key, Course.CONFIRMED)
            elif request.state is Requested.ASKED and not answer.ok:
                words = f"refused with {answer.response_code} {answer.response_description or ''}".rstrip()
                actions += self._stop(ven_id, key, Course.REFUSED, words)
            elif request.state is Requested.ASKED and request.report_back:
                what = f"oadrPendingReports of {ven_id} lacks {key}, which was asked for (rule 329)."
                actions.append(found(329, Severity.WARNING, what, element="oadrPendingReports"))
        for key in set(pending) - ven.requests.keys():
            what = f"{ven_id} serves {key}, which was never asked for (rule 304)."
            actions.append(found(304, Severity.WARNING, what, element="oadrPendingReports"))
        return [*actions, Keep(ven_id)]

    def cancelling(self, ven_id: str, keys: Iterable[str]) -> tuple[tuple[str, ...], list[Action]]:
        """Which of these requests can be cancelled; a finding for the rest."""
        ven = self._vens.get(ven_id, _Ven())
        known = tuple(key for key in keys if key in ven.requests)
        unknown = sorted(set(keys) - set(known))
        text = f"{ven_id} has no report request {', '.join(unknown)}; nothing to cancel."
        return known, [found("command", Severity.ERROR, text)] if unknown else []

    def cancelled(self, ven_id: str, answer: EiResponse, keys: Iterable[str], pending: Sequence[str]) -> list[Action]:
        """oadrCanceledReport: what was to be cancelled and is not pending has ended (rules 329, 336)."""
        actions: list[Action] = []
        for key in keys:
            if answer.ok or key not in pending:
                actions += self._stop(ven_id, key, Course.ENDED, "cancelled")
        if not answer.ok:
            words = answer.response_description or "no reason given"
            text = f"{ven_id} could not cancel all reports: {answer.response_code}, {words}."
            actions.append(found(336, Severity.WARNING, text, element="responseCode"))
        return [*actions, Keep(ven_id)]

    # Data --------------------------------------------------------------------------------------------------------

    def update(self, ven_id: str, reports: Iterable[OadrReport]) -> list[Action]:
        actions: list[Action] = []
        for report in reports:
            actions += self._take(ven_id, report)
        return actions

    def _take(self, ven_id: str, report: OadrReport) -> list[Action]:
        ven = self._vens.get(ven_id, _Ven())
        key = report.report_request_id
        request = ven.requests.get(key)
        actions: list[Action] = []
        if request is None:
            text = f"{ven_id} reports for request {key}, which was never made; the values are kept (rule 304)."
            actions.append(found(304, Severity.WARNING, text, element="reportRequestID"))
        points, complaints = _points(ven_id, report, ven.offers, request)
        actions += [*complaints, *(Noted(point) for point in points)]
        if request is None:
            return actions
        lacking = sorted(set(request.r_ids) - {point.r_id for point in points})
        if lacking:
            text = f"The report lacks {', '.join(lacking)}, which was asked for (rule 300)."
            actions.append(found(300, Severity.WARNING, text, element="oadrReportPayload"))
        if request.state is not Requested.RUNNING:
            self._move(ven_id, key, Course.DATA)
            actions.append(Keep(ven_id))
        if not request.report_back:
            actions += self._stop(ven_id, key, Course.ENDED, "delivered; it was asked for once")
        return actions

    # States ------------------------------------------------------------------------------------------------------

    def _move(self, ven_id: str, key: str, course: Course) -> bool:
        request = self._vens[ven_id].requests.get(key) if ven_id in self._vens else None
        step = REPORT_REQUEST.find(request.state, course) if request else None
        if request is None or step is None:
            return False
        request.state = Requested(step.target)
        return True

    def _stop(self, ven_id: str, key: str, course: Course, why: str) -> list[Action]:
        if not self._move(ven_id, key, course):
            return []
        del self._vens[ven_id].requests[key]
        return [Noted(ReportStopped(ven_id, key, why)), Keep(ven_id)]

    # Restart -----------------------------------------------------------------------------------------------------

    def state(self) -> Kept:
        return {ven_id: _keep_ven(ven) for ven_id, ven in self._vens.items()}

    def part(self, ven_id: str) -> Kept:
        """What is kept of one VEN."""
        return _keep_ven(self._vens.get(ven_id, _Ven()))

    def restore(self, value: object) -> list[Action]:
        actions: list[Action] = []
        for ven_id, item in kept(value).items():
            ven = self._vens[ven_id] = _read_ven(ven_id, kept(item))
            offers = [Noted(offered.fact) for offered in ven.offers.values()]
            requests = [Noted(_requested(ven_id, request)) for request in ven.requests.values()]
            actions += [*([Noted(ReportsOffered(ven_id, len(offers)))] if ven.registered else []), *offers, *requests]
        return actions

    def owed(self, ven_id: str, now: datetime) -> tuple[OadrReportRequest, ...]:
        """Requests that were made and never handed over; after a restart they have to be queued again."""
        ven = self._vens.get(ven_id, _Ven())
        return tuple(_written(request, now) for request in ven.requests.values() if request.state is Requested.OWED)


def _offered(ven_id: str, report: OadrReport, description: OadrReportDescription) -> Offered:
    rate, source = description.sampling_rate, description.report_data_source
    resources = source.resource_ids if source else ()
    fact = ReportOffered(
        ven_id=ven_id,
        report_specifier_id=report.report_specifier_id,
        report_name=(report.report_name or "").removeprefix(METADATA),
        r_id=description.r_id,
        report_type=description.report_type,
        reading_type=description.reading_type,
        unit=unit_of(description.item_base),
        resource_id=resources[0] if resources else "",
        min_period=rate.min_period.timedelta if rate else None,
        max_period=rate.max_period.timedelta if rate else None,
        on_change=rate.on_change if rate else False,
    )
    return Offered(fact, convert(1.0, description.item_base)[0])


def usual_period(fact: ReportOffered) -> timedelta:
    """How often an rID is asked for unless somebody says: as often as it can, at most every 2 s (rule 300).

    An rID that cannot go slower than 2 s is asked for at its oadrMaxPeriod: outside its range a VEN may send nothing.
    """
    shortest = fact.min_period or SHORTEST
    period = max(shortest, SHORTEST)
    longest = fact.max_period
    return longest if longest is not None and shortest <= longest < period else period


def _requested(ven_id: str, request: Request) -> ReportRequested:
    return ReportRequested(
        ven_id,
        request.report_request_id,
        request.report_specifier_id,
        request.r_ids,
        request.granularity,
        request.report_back,
    )


def _written(request: Request, now: datetime) -> OadrReportRequest:
    """As sent: reportInterval always (rule 325), readingType x-notApplicable (rule 338)."""
    return OadrReportRequest(
        report_request_id=request.report_request_id,
        report_specifier=ReportSpecifier(
            report_specifier_id=request.report_specifier_id,
            granularity=Duration.of(request.granularity),
            report_back_duration=Duration.of(request.report_back),
            report_interval=ReportInterval(dtstart=now.replace(microsecond=0), duration=Duration.zero),
            specifier_payloads=tuple(SpecifierPayload(r_id=r_id) for r_id in request.r_ids),
        ),
    )


def _points(
    ven_id: str, report: OadrReport, offers: dict[tuple[str, str], Offered], request: Request | None
) -> tuple[list[ReportPoint], list[Found]]:
    """All values of a report, each with its instant; findings for values that cannot be laid on the time axis."""
    points: list[ReportPoint] = []
    complaints: list[Found] = []
    for interval, start in _laid_out(report, request):
        for payload in interval.payloads:
            if not isinstance(payload, OadrReportPayload):
                continue
            if start is None:
                text = f"The value of {payload.r_id} has no time: neither interval nor report has a dtstart (rule 314)."
                complaints.append(found(314, Severity.ERROR, text, element="interval"))
                continue
            offered = offers.get((report.report_specifier_id, payload.r_id))
            if offered is None:
                text = f"{payload.r_id} of report {report.report_specifier_id} was never offered; its unit is unknown."
                complaints.append(found(304, Severity.WARNING, text, element="rID"))
            points.append(
                ReportPoint(
                    ven_id=ven_id,
                    report_request_id=report.report_request_id,
                    r_id=payload.r_id,
                    value=_value(payload.payload, offered),
                    unit=offered.fact.unit if offered and isinstance(payload.payload, PayloadFloat) else None,
                    start=start,
                    duration=interval.duration.timedelta if interval.duration else None,
                    quality=payload.data_quality or "",
                    report_name=(report.report_name or (offered.fact.report_name if offered else "")),
                )
            )
    return points, complaints


def _laid_out(report: OadrReport, request: Request | None) -> list[tuple[Interval, datetime | None]]:
    """Each interval with its start: its own, else the report's plus the intervals before it (rule 316)."""
    step = request.granularity if request else timedelta(0)
    at = report.dtstart
    laid: list[tuple[Interval, datetime | None]] = []
    for interval in report.intervals:
        at = interval.dtstart or at
        laid.append((interval, at))
        if at is not None:
            at = later(at, length(interval.duration) or step)
    return laid


def _value(payload: PayloadBase, offered: Offered | None) -> float | StatusValue:
    if isinstance(payload, PayloadFloat):
        return _scaled(payload.value, offered.scale) if offered else payload.value
    return status_value(payload)


def _scaled(value: float, scale: float) -> float:
    return value / round(1 / scale) if 0 < scale < 1 else value * scale


def _keep_ven(ven: _Ven) -> Kept:
    return {
        "registered": ven.registered,
        "offers": [
            {
                "report_specifier_id": offered.fact.report_specifier_id,
                "report_name": offered.fact.report_name,
                "r_id": offered.fact.r_id,
                "report_type": offered.fact.report_type,
                "reading_type": offered.fact.reading_type,
                "unit": offered.fact.unit,
                "resource_id": offered.fact.resource_id,
                "min_period": span(offered.fact.min_period),
                "max_period": span(offered.fact.max_period),
                "on_change": offered.fact.on_change,
                "scale": offered.scale,
            }
            for offered in ven.offers.values()
        ],
        "requests": [
            {
                "report_request_id": request.report_request_id,
                "report_specifier_id": request.report_specifier_id,
                "r_ids": list(request.r_ids),
                "granularity": span(request.granularity),
                "report_back": span(request.report_back),
                "state": request.state.value,
            }
            for request in ven.requests.values()
        ],
    }


def _read_ven(ven_id: str, item: Kept) -> _Ven:
    ven = _Ven(registered=bool(item.get("registered")))
    for offer in kept_list(item.get("offers", [])):
        unit = offer.get("unit")
        fact = ReportOffered(
            ven_id=ven_id,
            report_specifier_id=text(offer, "report_specifier_id"),
            report_name=text(offer, "report_name"),
            r_id=text(offer, "r_id"),
            report_type=text(offer, "report_type"),
            reading_type=text(offer, "reading_type"),
            unit=unit if isinstance(unit, str) else None,
            resource_id=text(offer, "resource_id"),
            min_period=read_span(offer.get("min_period")),
            max_period=read_span(offer.get("max_period")),
            on_change=bool(offer.get("on_change")),
        )
        ven.offers[(fact.report_specifier_id, fact.r_id)] = Offered(fact, number(offer, "scale", 1.0))
    for request in kept_list(item.get("requests", [])):
        key = text(request, "report_request_id")
        ven.requests[key] = Request(
            key,
            text(request, "report_specifier_id"),
            texts(request, "r_ids"),
            read_span(request.get("granularity")) or timedelta(0),
            read_span(request.get("report_back")) or timedelta(0),
            Requested(text(request, "state", Requested.OWED.value)),
        )
    return ven
