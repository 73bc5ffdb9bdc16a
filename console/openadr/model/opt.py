"""EiOpt (clause 6.4): a VEN's schedule of availability, or its word on one event."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from console.openadr.elements import DATE_TIME, OPT_REASON, OPT_TYPE, STRING, URI, element, xml
from console.openadr.model.common import EiResponse, EiTarget, Payload, Properties, QualifiedEventID


@element("xcal:available", type="xcal:AvailableType", clause="6.4", meaning="One stretch of time the opt covers.")
@dataclass(frozen=True, slots=True, kw_only=True)
class Available(Properties):
    """Start and duration only; zero is open ended (rules 200, 210)."""


@element(
    "oadr:oadrCreateOpt",
    type="oadr:oadrCreateOptType",
    clause="6.4",
    meaning="The VEN says when, or for which event, it takes part.",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrCreateOpt(Payload):
    """VEN to VTN; answered by oadrCreatedOpt. ``vavailability`` or ``qualified_event_id``, not both (rule 206)."""

    opt_id: str = field(metadata=xml("ei:optID", STRING, "The opt.", "9.2.3 rule 204"))
    opt_type: str = field(metadata=xml("ei:optType", OPT_TYPE, "optIn takes part, optOut does not."))
    opt_reason: str = field(metadata=xml("ei:optReason", OPT_REASON, "Why."))
    market_context: str | None = field(
        default=None, metadata=xml("emix:marketContext?", URI, "The programme it is for.", "9.2.3 rule 205")
    )
    ven_id: str = field(metadata=xml("ei:venID", STRING, "The VEN."))
    vavailability: tuple[Available, ...] = field(
        default=(),
        metadata=xml(
            "xcal:vavailability?/xcal:components/xcal:available*", Available, "When it applies.", "9.2.3 rule 200"
        ),
    )
    created_date_time: datetime = field(metadata=xml("ei:createdDateTime", DATE_TIME, "When it was made."))
    request_id: str = field(metadata=xml("pyld:requestID", STRING, "Named in the answer."))
    qualified_event_id: QualifiedEventID | None = field(
        default=None, metadata=xml("ei:qualifiedEventID?", QualifiedEventID, "The event it is about.", "9.2.3 rule 206")
    )
    target: EiTarget = field(
        default=EiTarget(), metadata=xml("ei:eiTarget", EiTarget, "Resources; empty is all.", "9.2.3 rule 202")
    )
    device_class: EiTarget | None = field(
        default=None, metadata=xml("oadr:oadrDeviceClass?", EiTarget, "Classes of device.", "9.2.3 rule 209")
    )


@element("oadr:oadrCreatedOpt", type="oadr:oadrCreatedOptType", clause="6.4", meaning="The opt was received.")
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrCreatedOpt(Payload):
    """Answer to oadrCreateOpt."""

    response: EiResponse = field(metadata=xml("ei:eiResponse", EiResponse, "Whether the opt was accepted."))
    opt_id: str = field(metadata=xml("ei:optID", STRING, "The opt."))


@element("oadr:oadrCancelOpt", type="oadr:oadrCancelOptType", clause="6.4", meaning="Takes back a schedule.")
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrCancelOpt(Payload):
    """VEN to VTN; answered by oadrCanceledOpt (rules 204, 211)."""

    request_id: str = field(metadata=xml("pyld:requestID", STRING, "Named in the answer."))
    opt_id: str = field(metadata=xml("ei:optID", STRING, "The opt to take back."))
    ven_id: str = field(metadata=xml("ei:venID", STRING, "The VEN."))


@element("oadr:oadrCanceledOpt", type="oadr:oadrCanceledOptType", clause="6.4", meaning="The opt was taken back.")
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrCanceledOpt(Payload):
    """Answer to oadrCancelOpt."""

    response: EiResponse = field(metadata=xml("ei:eiResponse", EiResponse, "Whether it could be taken back."))
    opt_id: str | None = field(default=None, metadata=xml("ei:optID?", STRING, "The opt."))
