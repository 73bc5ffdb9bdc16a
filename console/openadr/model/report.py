"""EiReport (clause 6.2): offering reports (METADATA), requesting, delivering and cancelling them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from console.openadr.calendar import Duration
from console.openadr.elements import (
    BOOLEAN,
    DATE_TIME,
    DURATION,
    READING_TYPE,
    REPORT_NAME,
    REPORT_TYPE,
    STRING,
    URI,
    element,
    xml,
)
from console.openadr.model.common import (
    EiResponse,
    EiTarget,
    Interval,
    Payload,
    Properties,
)
from console.openadr.model.item import ItemBase, OadrGBDataDescription


@element("oadr:oadrSamplingRate", type="oadr:oadrSamplingRateType", clause="6.2", meaning="How often it can be read.")
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrSamplingRate:
    min_period: Duration = field(metadata=xml("oadr:oadrMinPeriod", DURATION, "Shortest time between samples."))
    max_period: Duration = field(metadata=xml("oadr:oadrMaxPeriod", DURATION, "Longest time between samples."))
    on_change: bool = field(metadata=xml("oadr:oadrOnChange", BOOLEAN, "Whether it can be reported on change."))


@element(
    "oadr:oadrReportDescription",
    type="oadr:oadrReportDescriptionType",
    clause="6.2",
    meaning="One data point that can be reported.",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrReportDescription:
    r_id: str = field(metadata=xml("ei:rID", STRING, "The data point, unique under its report.", "9.2.4 rule 308"))
    report_subject: EiTarget | None = field(
        default=None, metadata=xml("ei:reportSubject?", EiTarget, "Class of device measured.", "9.2.4 rule 307")
    )
    report_data_source: EiTarget | None = field(
        default=None, metadata=xml("ei:reportDataSource?", EiTarget, "Resources or meters it comes from.")
    )
    report_type: str = field(metadata=xml("ei:reportType", REPORT_TYPE, "What is measured.", "9.2.4 rule 331"))
    item_base: ItemBase | OadrGBDataDescription | None = field(
        default=None, metadata=xml("@itemBase?", None, "Unit of the values.")
    )
    reading_type: str = field(metadata=xml("ei:readingType", READING_TYPE, "How the value came about."))
    market_context: str | None = field(
        default=None, metadata=xml("emix:marketContext?", URI, "The programme it is for.")
    )
    sampling_rate: OadrSamplingRate | None = field(
        default=None,
        metadata=xml("oadr:oadrSamplingRate?", OadrSamplingRate, "How often it can be read.", "9.2.4 rule 333"),
    )


@element("oadr:oadrReport", type="oadr:oadrReportType", clause="6.2", meaning="A report, offered or delivered.")
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrReport:
    """Offered in oadrRegisterReport (descriptions, no values), delivered in oadrUpdateReport (values)."""

    dtstart: datetime | None = field(
        default=None,
        metadata=xml("xcal:dtstart?/xcal:date-time", DATE_TIME, "Start of the first interval.", "9.2.4 rule 314"),
    )
    duration: Duration | None = field(
        default=None,
        metadata=xml(
            "xcal:duration?/xcal:duration", DURATION, "How far it reaches, or can reach back.", "9.2.4 rules 312, 315"
        ),
    )
    intervals: tuple[Interval, ...] = field(
        default=(), metadata=xml("strm:intervals?/ei:interval+", Interval, "The values.", "9.2.4 rules 314, 316")
    )
    report_id: str | None = field(default=None, metadata=xml("ei:eiReportID?", STRING, "Of no use.", "9.2.4 rule 339"))
    report_descriptions: tuple[OadrReportDescription, ...] = field(
        default=(),
        metadata=xml("oadr:oadrReportDescription*", OadrReportDescription, "Data points offered.", "9.2.4 rule 305"),
    )
    report_request_id: str = field(
        metadata=xml("ei:reportRequestID", STRING, "The request it serves; 0 when offering.", "9.2.4 rule 311")
    )
    report_specifier_id: str = field(
        metadata=xml("ei:reportSpecifierID", STRING, "The report among those offered.", "9.2.4 rule 308")
    )
    report_name: str | None = field(
        default=None,
        metadata=xml("ei:reportName?", REPORT_NAME, "Kind of report; METADATA_ when offering.", "9.2.4 rule 331"),
    )
    created_date_time: datetime = field(metadata=xml("ei:createdDateTime", DATE_TIME, "When the report was made."))


@element("ei:reportInterval", type="xcal:WsCalendarIntervalType", clause="6.2", meaning="The span the report covers.")
@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInterval(Properties):
    """From when and for how long to report; a duration of zero is for ever (rule 325)."""


@element("ei:specifierPayload", type="ei:SpecifierPayloadType", clause="6.2", meaning="One data point asked for.")
@dataclass(frozen=True, slots=True, kw_only=True)
class SpecifierPayload:
    r_id: str = field(metadata=xml("ei:rID", STRING, "The data point; 0 with METADATA.", "9.2.4 rule 308"))
    item_base: ItemBase | OadrGBDataDescription | None = field(
        default=None, metadata=xml("@itemBase?", None, "Not used.", "9.2.4 rule 321")
    )
    reading_type: str = field(
        default="x-notApplicable",
        metadata=xml("ei:readingType", READING_TYPE, "Always x-notApplicable.", "9.2.4 rule 338"),
    )


@element("ei:reportSpecifier", type="ei:ReportSpecifierType", clause="6.2", meaning="What is to be reported, and when.")
@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSpecifier:
    report_specifier_id: str = field(
        metadata=xml("ei:reportSpecifierID", STRING, "The offered report, or METADATA.", "9.2.4 rule 327")
    )
    granularity: Duration = field(
        metadata=xml("xcal:granularity/xcal:duration", DURATION, "Time between samples.", "9.2.4 rule 317")
    )
    report_back_duration: Duration = field(
        metadata=xml(
            "ei:reportBackDuration/xcal:duration", DURATION, "Time between reports; zero is once.", "9.2.4 rule 324"
        )
    )
    report_interval: ReportInterval | None = field(
        default=None, metadata=xml("ei:reportInterval?", ReportInterval, "The span covered.", "9.2.4 rule 325")
    )
    specifier_payloads: tuple[SpecifierPayload, ...] = field(
        metadata=xml("ei:specifierPayload+", SpecifierPayload, "The data points asked for.")
    )


@element("oadr:oadrReportRequest", type="oadr:oadrReportRequestType", clause="6.2", meaning="One report asked for.")
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrReportRequest:
    report_request_id: str = field(
        metadata=xml("ei:reportRequestID", STRING, "The request, unique for the requester.", "9.2.4 rule 322")
    )
    report_specifier: ReportSpecifier = field(
        metadata=xml("ei:reportSpecifier", ReportSpecifier, "What is to be reported, and when.")
    )


@element(
    "oadr:oadrRegisterReport",
    type="oadr:oadrRegisterReportType",
    clause="6.2",
    meaning="Offers all reports the sender can make.",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrRegisterReport(Payload):
    """Either way; replaces what was offered before (rule 306). Answered by oadrRegisteredReport."""

    request_id: str = field(metadata=xml("pyld:requestID", STRING, "Named in the answer."))
    reports: tuple[OadrReport, ...] = field(
        default=(), metadata=xml("oadr:oadrReport*", OadrReport, "The reports offered; none if there are none.")
    )
    ven_id: str | None = field(default=None, metadata=xml("ei:venID?", STRING, "The VEN.", "9.2.6 rule 508"))
    report_request_id: str | None = field(
        default=None,
        metadata=xml("ei:reportRequestID?", STRING, "Only when answering a METADATA request.", "9.2.4 rule 311"),
    )


@element(
    "oadr:oadrRegisteredReport",
    type="oadr:oadrRegisteredReportType",
    clause="6.2",
    meaning="The offer was received; may ask for reports at once.",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrRegisteredReport(Payload):
    """Answer to oadrRegisterReport; requests in it want an oadrCreatedReport (rule 344)."""

    response: EiResponse = field(metadata=xml("ei:eiResponse", EiResponse, "Whether the offer was accepted."))
    report_requests: tuple[OadrReportRequest, ...] = field(
        default=(), metadata=xml("oadr:oadrReportRequest*", OadrReportRequest, "Reports asked for at once.")
    )
    ven_id: str | None = field(default=None, metadata=xml("ei:venID?", STRING, "The VEN.", "9.2.6 rule 508"))


@element(
    "oadr:oadrCreateReport", type="oadr:oadrCreateReportType", clause="6.2", meaning="Asks for one or more reports."
)
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrCreateReport(Payload):
    """Either way; answered by oadrCreatedReport, then served by oadrUpdateReport."""

    request_id: str = field(metadata=xml("pyld:requestID", STRING, "Named in the answer."))
    report_requests: tuple[OadrReportRequest, ...] = field(
        metadata=xml("oadr:oadrReportRequest+", OadrReportRequest, "The reports asked for.")
    )
    ven_id: str | None = field(default=None, metadata=xml("ei:venID?", STRING, "The VEN.", "9.2.6 rule 508"))


@element(
    "oadr:oadrCreatedReport",
    type="oadr:oadrCreatedReportType",
    clause="6.2",
    meaning="The report requests were received.",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrCreatedReport(Payload):
    """Answer to oadrCreateReport."""

    response: EiResponse = field(metadata=xml("ei:eiResponse", EiResponse, "Whether the requests were accepted."))
    pending_reports: tuple[str, ...] = field(
        default=(),
        metadata=xml(
            "oadr:oadrPendingReports/ei:reportRequestID*", STRING, "All that is still being served.", "9.2.4 rule 329"
        ),
    )
    ven_id: str | None = field(default=None, metadata=xml("ei:venID?", STRING, "The VEN.", "9.2.6 rule 508"))


@element("oadr:oadrUpdateReport", type="oadr:oadrUpdateReportType", clause="6.2", meaning="Delivers report data.")
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrUpdateReport(Payload):
    """Either way; answered by oadrUpdatedReport."""

    request_id: str = field(metadata=xml("pyld:requestID", STRING, "Named in the answer."))
    reports: tuple[OadrReport, ...] = field(
        default=(), metadata=xml("oadr:oadrReport*", OadrReport, "The reports.", "9.2.4 rule 313")
    )
    ven_id: str | None = field(default=None, metadata=xml("ei:venID?", STRING, "The VEN.", "9.2.6 rule 508"))


@element("oadr:oadrCancelReport", type="oadr:oadrCancelReportType", clause="6.2", meaning="Ends one or more reports.")
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrCancelReport(Payload):
    """Either way; answered by oadrCanceledReport. Also rides in oadrUpdatedReport (rule 328)."""

    request_id: str = field(metadata=xml("pyld:requestID", STRING, "Named in the answer."))
    report_request_ids: tuple[str, ...] = field(
        metadata=xml("ei:reportRequestID+", STRING, "The report requests to end.")
    )
    report_to_follow: bool = field(
        metadata=xml("pyld:reportToFollow", BOOLEAN, "Whether one last report is wanted.", "9.2.4 rule 345")
    )
    ven_id: str | None = field(default=None, metadata=xml("ei:venID?", STRING, "The VEN.", "9.2.6 rule 508"))


@element(
    "oadr:oadrUpdatedReport",
    type="oadr:oadrUpdatedReportType",
    clause="6.2",
    meaning="The report data were received.",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrUpdatedReport(Payload):
    """Answer to oadrUpdateReport; may end reports just received."""

    response: EiResponse = field(metadata=xml("ei:eiResponse", EiResponse, "Whether the data were accepted."))
    cancel_report: OadrCancelReport | None = field(
        default=None,
        metadata=xml("oadr:oadrCancelReport?", OadrCancelReport, "Ends reports at once.", "9.2.4 rule 328"),
    )
    ven_id: str | None = field(default=None, metadata=xml("ei:venID?", STRING, "The VEN.", "9.2.6 rule 508"))


@element(
    "oadr:oadrCanceledReport",
    type="oadr:oadrCanceledReportType",
    clause="6.2",
    meaning="The reports were ended.",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrCanceledReport(Payload):
    """Answer to oadrCancelReport."""

    response: EiResponse = field(metadata=xml("ei:eiResponse", EiResponse, "Whether all could be ended."))
    pending_reports: tuple[str, ...] = field(
        default=(),
        metadata=xml(
            "oadr:oadrPendingReports/ei:reportRequestID*", STRING, "All that is still being served.", "9.2.4 rule 329"
        ),
    )
    ven_id: str | None = field(default=None, metadata=xml("ei:venID?", STRING, "The VEN.", "9.2.6 rule 508"))
