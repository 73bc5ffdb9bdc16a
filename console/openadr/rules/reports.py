"""Rules on offering, requesting and delivering reports: table 10 of clause 9.2."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from console.openadr.enums import ReadingType, ReportType
from console.openadr.model import (
    Interval,
    ItemBase,
    OadrCreateReport,
    OadrPayloadResourceStatus,
    OadrRegisteredReport,
    OadrRegisterReport,
    OadrReport,
    OadrReportDescription,
    OadrReportPayload,
    OadrReportRequest,
    OadrUpdateReport,
)
from console.openadr.rules.events import names_only_device_classes
from console.openadr.rules.register import Found, error, rule, warning

_CLAUSE = "9.2.4"
_METADATA = "METADATA"
_PREFIX = "METADATA_"
_REQUESTS = (OadrCreateReport, OadrRegisteredReport)
_USAGE_UNITS = frozenset({"power:powerReal", "power:energyReal", "oadr:pulseCount"})

_WELL_KNOWN: dict[str, tuple[str, str, frozenset[str]]] = {
    "TELEMETRY_USAGE": (ReportType.USAGE, ReadingType.DIRECT_READ, _USAGE_UNITS),
    "TELEMETRY_STATUS": (ReportType.RESOURCE_STATUS, ReadingType.NOT_APPLICABLE, frozenset()),
    "HISTORY_USAGE": (ReportType.USAGE, ReadingType.DIRECT_READ, _USAGE_UNITS),
}
"""Well-known reports (rule 331): name -> reportType, readingType, elements the unit may be."""


def _label(report: OadrReport) -> str:
    return f"Report {report.report_specifier_id}"


def _requests(message: OadrCreateReport | OadrRegisteredReport) -> Iterator[OadrReportRequest]:
    yield from message.report_requests


@rule(305, clause=_CLAUSE, on=OadrRegisterReport)
def an_offer_describes_and_holds_no_data(message: OadrRegisterReport, found: Found) -> None:
    """An offered report has descriptions, and no dtstart, intervals or eiReportID."""
    for report in message.reports:
        if not report.report_descriptions:
            found(error, f"{_label(report)} is offered without oadrReportDescription.", at=report)
        if report.dtstart is not None:
            found(error, f"{_label(report)} is only offered; it has no dtstart yet.", at=report, field="dtstart")
        if report.intervals:
            found(error, f"{_label(report)} is only offered; it holds no data yet.", at=report)
        if report.report_id is not None:
            found(error, f"{_label(report)} is only offered; it has no eiReportID.", at=report, field="report_id")


@rule(307, clause=_CLAUSE, on=OadrRegisterReport)
def subjects_are_device_classes(message: OadrRegisterReport, found: Found) -> None:
    """The reportSubject of a data point names device classes only."""
    for report in message.reports:
        for point in report.report_descriptions:
            if point.report_subject is not None and not names_only_device_classes(point.report_subject):
                text = f"The reportSubject of {point.r_id} may hold endDeviceAsset only, and at least one."
                found(error, text, at=point.report_subject)


@rule(308, clause=_CLAUSE, on=OadrRegisterReport)
def offered_ids_are_unique(message: OadrRegisterReport, found: Found) -> None:
    """Each reportSpecifierID is offered once, and under it each rID."""
    specifiers: set[str] = set()
    for report in message.reports:
        if report.report_specifier_id in specifiers:
            text = f"The reportSpecifierID {report.report_specifier_id!r} is offered twice."
            found(error, text, at=report, field="report_specifier_id")
        specifiers.add(report.report_specifier_id)
        points: set[str] = set()
        for description in report.report_descriptions:
            if description.r_id in points:
                text = f"{_label(report)} has the rID {description.r_id!r} twice."
                found(error, text, at=description, field="r_id")
            points.add(description.r_id)


@rule(308, clause=_CLAUSE, on=_REQUESTS)
def metadata_is_asked_for_with_rid_0(message: OadrCreateReport | OadrRegisteredReport, found: Found) -> None:
    """A request for METADATA asks for the rID 0."""
    for request in _requests(message):
        for point in request.report_specifier.specifier_payloads:
            if request.report_specifier.report_specifier_id == _METADATA and point.r_id != "0":
                text = f"METADATA is asked for with the rID {point.r_id!r}; 0 is expected."
                found(error, text, at=point, field="r_id")


@rule(311, clause=_CLAUSE, on=OadrRegisterReport)
def offers_serve_no_request(message: OadrRegisterReport, found: Found) -> None:
    """The reportRequestID of an offered report is 0."""
    for report in message.reports:
        if report.report_request_id != "0":
            text = f"{_label(report)} is offered under the reportRequestID {report.report_request_id!r}; 0 is expected."
            found(error, text, at=report, field="report_request_id")


@rule(312, clause=_CLAUSE, on=OadrRegisterReport)
def an_offer_says_how_far_it_reaches(message: OadrRegisterReport, found: Found) -> None:
    """An offered report has a duration, and no data point is sampled more rarely than that."""
    for report in message.reports:
        if report.duration is None:
            found(error, f"{_label(report)} is offered without a duration.", at=report)
            continue
        for description in report.report_descriptions:
            rate = description.sampling_rate
            if rate is not None and rate.max_period > report.duration:
                text = (
                    f"oadrMaxPeriod of {description.r_id} is {rate.max_period}, the report reaches {report.duration}."
                )
                found(error, text, at=rate, field="max_period")


@rule(313, clause=_CLAUSE, on=OadrUpdateReport)
def data_have_start_intervals_and_name(message: OadrUpdateReport, found: Found) -> None:
    """A delivered report has dtstart, intervals and reportName, and no descriptions."""
    for report in message.reports:
        if report.dtstart is None:
            found(error, f"{_label(report)} has no dtstart.", at=report)
        if not report.intervals:
            found(error, f"{_label(report)} has no intervals.", at=report)
        if report.report_name is None:
            found(error, f"{_label(report)} has no reportName.", at=report)
        elif report.report_name.startswith(_PREFIX):
            text = f"{_label(report)} delivers data under {report.report_name}; that name is for offers."
            found(error, text, at=report, field="report_name")
        if report.report_descriptions:
            text = f"{_label(report)} describes its data points again; that belongs into oadrRegisterReport."
            found(error, text, at=report.report_descriptions[0])


@rule(314, clause=_CLAUSE, on=OadrUpdateReport)
def intervals_start_where_the_report_does(message: OadrUpdateReport, found: Found) -> None:
    """Intervals ascend from the start of the report; all of them have a dtstart, or none."""
    for report in message.reports:
        starts = [interval.dtstart for interval in report.intervals]
        given = [start for start in starts if start is not None]
        if given and len(given) != len(starts):
            text = f"{_label(report)} has a dtstart in {len(given)} of {len(starts)} intervals; all or none is right."
            found(error, text, at=report)
        if given and report.dtstart is not None and starts[0] is not None and starts[0] != report.dtstart:
            found(error, f"{_label(report)} does not start with its first interval.", at=report, field="dtstart")
        if any(later < earlier for earlier, later in pairwise(given)):
            found(error, f"The intervals of {_label(report)} do not ascend in time.", at=report)


@rule(315, clause=_CLAUSE, on=OadrUpdateReport)
def intervals_last_alike(message: OadrUpdateReport, found: Found) -> None:
    """All intervals of a delivered report have a duration, or none; without either time a value means nothing."""
    for report in message.reports:
        with_duration = sum(interval.duration is not None for interval in report.intervals)
        if 0 < with_duration < len(report.intervals):
            text = f"{_label(report)} has a duration in {with_duration} of {len(report.intervals)} intervals."
            found(error, f"{text} All or none is right.", at=report)
        timeless = [part for part in report.intervals if part.duration is None and part.dtstart is None]
        if len(report.intervals) > 1 and len(timeless) == len(report.intervals) and report.duration is None:
            found(error, f"The intervals of {_label(report)} have neither dtstart nor duration.", at=report)


@rule(316, clause=_CLAUSE, on=OadrUpdateReport)
def intervals_without_start_are_numbered(message: OadrUpdateReport, found: Found) -> None:
    """Intervals without a dtstart have the uid 0, 1, 2 and so on."""
    for report in message.reports:
        if any(interval.dtstart is not None for interval in report.intervals):
            continue
        for expected, interval in enumerate(report.intervals):
            if (interval.uid or "").strip() != str(expected):
                text = f"Interval {expected} of {_label(report)} has no dtstart and the uid {interval.uid!r}."
                found(error, f"{text} {expected} is expected.", at=interval)


@rule(317, clause=_CLAUSE, on=_REQUESTS)
def samples_are_no_rarer_than_reports(message: OadrCreateReport | OadrRegisteredReport, found: Found) -> None:
    """The time between samples is not longer than that between reports, unless the report is sent once."""
    for request in _requests(message):
        specifier = request.report_specifier
        if specifier.report_back_duration and specifier.granularity > specifier.report_back_duration:
            text = (
                f"Samples every {specifier.granularity} cannot be sent every {specifier.report_back_duration}: "
                "granularity is longer than reportBackDuration."
            )
            found(error, text, at=specifier, field="granularity")


@rule(321, clause=_CLAUSE, on=_REQUESTS)
def a_request_is_plain(message: OadrCreateReport | OadrRegisteredReport, found: Found) -> None:
    """A report request has no unit, tolerance, notification, ramp or recovery."""
    for request in _requests(message):
        for point in request.report_specifier.specifier_payloads:
            if point.item_base is not None:
                found(error, f"The request for {point.r_id} names a unit; that is not used.", at=point)
        interval = request.report_specifier.report_interval
        unused = ("start_after", "notification", "ramp_up", "recovery")
        if interval is not None and any(getattr(interval, name) is not None for name in unused):
            text = "The report interval has a tolerance, notification, ramp or recovery; it has a start and a duration."
            found(error, text, at=interval)


@rule(322, clause=_CLAUSE, on=_REQUESTS)
def requests_have_names_of_their_own(message: OadrCreateReport | OadrRegisteredReport, found: Found) -> None:
    """The requests of one message have different reportRequestIDs."""
    seen: set[str] = set()
    for request in _requests(message):
        if request.report_request_id in seen:
            text = f"The reportRequestID {request.report_request_id!r} stands for two requests of this message."
            found(error, text, at=request, field="report_request_id")
        seen.add(request.report_request_id)


@rule(324, clause=_CLAUSE, on=_REQUESTS)
def periodic_reports_have_a_span(message: OadrCreateReport | OadrRegisteredReport, found: Found) -> None:
    """A request for a report that is sent again and again says from when and for how long."""
    for request in _requests(message):
        specifier = request.report_specifier
        if specifier.report_back_duration and specifier.report_interval is None:
            text = f"Request {request.report_request_id} repeats every {specifier.report_back_duration}, but says not"
            found(error, f"{text} from when and how long: reportInterval is missing.", at=specifier)


@rule(327, clause=_CLAUSE, on=_REQUESTS)
def metadata_is_spelt_so(message: OadrCreateReport | OadrRegisteredReport, found: Found) -> None:
    """What is offered is asked for under the reportSpecifierID METADATA, spelt so."""
    for request in _requests(message):
        specifier = request.report_specifier
        asked = specifier.report_specifier_id
        if asked != _METADATA and asked.strip().upper() == _METADATA:
            text = f"The reportSpecifierID is {asked!r}; METADATA is expected."
            found(error, text, at=specifier, field="report_specifier_id")


@rule(331, clause=_CLAUSE, on=OadrRegisterReport)
def offers_follow_the_table(message: OadrRegisterReport, found: Found) -> None:
    """A well-known report is offered under METADATA_ with the type, reading and unit the standard's table gives it."""
    for report in message.reports:
        name = report.report_name or ""
        plain = name.removeprefix(_PREFIX)
        if plain in _WELL_KNOWN and name == plain:
            text = f"{_label(report)} is offered as {name}; {_PREFIX}{name} is expected."
            found(error, text, at=report, field="report_name")
        if plain in _WELL_KNOWN:
            for description in report.report_descriptions:
                _check_description(plain, description, found)


def _check_description(name: str, description: OadrReportDescription, found: Found) -> None:
    report_type, reading_type, units = _WELL_KNOWN[name]
    point = f"Data point {description.r_id} of {name}"
    if description.report_type != report_type:
        text = f"{point} has the reportType {description.report_type}; {report_type} is expected."
        found(error, text, at=description, field="report_type")
    if description.reading_type != reading_type:
        text = f"{point} has the readingType {description.reading_type}; {reading_type} is expected."
        found(error, text, at=description, field="reading_type")
    unit = description.item_base.element if isinstance(description.item_base, ItemBase) else None
    if unit is None and units:
        found(error, f"{point} has no unit; {' or '.join(sorted(units))} is expected.", at=description)
    elif unit is not None and unit not in units:
        expected = f"{' or '.join(sorted(units))} is expected" if units else "it has none"
        found(error, f"{point} has the unit {unit}; {expected}.", at=description.item_base)


@rule(333, clause=_CLAUSE, on=OadrRegisterReport)
def telemetry_says_how_often(message: OadrRegisterReport, found: Found) -> None:
    """Every data point of telemetry says how often it can be sampled."""
    for report in message.reports:
        for description in report.report_descriptions if "TELEMETRY" in (report.report_name or "") else ():
            if description.sampling_rate is None:
                text = f"Data point {description.r_id} of {report.report_name} has no oadrSamplingRate."
                found(error, text, at=description)


def _status_parts(interval: Interval) -> dict[str, tuple[str, ...]]:
    """rID -> the parts of its load control state."""
    found: dict[str, tuple[str, ...]] = {}
    for part in interval.payloads:
        if isinstance(part, OadrReportPayload) and isinstance(part.payload, OadrPayloadResourceStatus):
            state = part.payload.load_control_state
            names = ("capacity", "level_offset", "percent_offset", "set_point")
            found[part.r_id] = tuple(name for name in names if state is not None and getattr(state, name) is not None)
    return found


@rule(334, clause=_CLAUSE, on=OadrUpdateReport)
def states_are_alike_in_all_intervals(message: OadrUpdateReport, found: Found) -> None:
    """A status report has the same parts of the load control state in all intervals."""
    for report in message.reports:
        first: dict[str, tuple[str, ...]] = {}
        for interval in report.intervals:
            for point, parts in _status_parts(interval).items():
                if first.setdefault(point, parts) != parts:
                    text = f"The load control state of {point} has other parts here than in the first interval."
                    found(warning, text, at=interval)


@rule(338, clause=_CLAUSE, on=_REQUESTS)
def requests_leave_the_reading_open(message: OadrCreateReport | OadrRegisteredReport, found: Found) -> None:
    """The readingType in a report request is x-notApplicable."""
    for request in _requests(message):
        for point in request.report_specifier.specifier_payloads:
            if point.reading_type != ReadingType.NOT_APPLICABLE:
                text = f"The readingType asked for is {point.reading_type}; x-notApplicable is expected."
                found(error, text, at=point, field="reading_type")


@rule(342, clause=_CLAUSE, on=OadrUpdateReport)
def states_are_points_in_time(message: OadrUpdateReport, found: Found) -> None:
    """A resource's status holds at an instant: its interval has no duration, unless it also holds other values."""
    for report in message.reports:
        for interval in report.intervals:
            values = [part.payload for part in interval.payloads if isinstance(part, OadrReportPayload)]
            states = [value for value in values if isinstance(value, OadrPayloadResourceStatus)]
            if states and len(states) == len(values) and interval.duration:
                text = f"{_label(report)} gives a status a duration of {interval.duration}; a status has an instant."
                found(error, text, at=interval, field="duration")


def well_known_reports() -> Sequence[str]:
    """Names of the reports in the standard's table, without METADATA_."""
    return tuple(_WELL_KNOWN)
