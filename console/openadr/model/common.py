"""Parts that several services share: responses, targets, active periods, intervals, payload values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from console.openadr.calendar import Duration
from console.openadr.elements import (
    BOOLEAN,
    CONFIDENCE,
    DATA_QUALITY,
    DATE_TIME,
    DURATION,
    FLOAT,
    OPT_TYPE,
    RAW,
    RESPONSE_CODE,
    STRING,
    UNSIGNED,
    element,
    xml,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """Base of the 23 messages of profile 2.0b; what an oadrSignedObject holds."""

    schema_version: str = "2.0b"
    """ei:schemaVersion, mandatory by rule 509; empty where the peer left it out."""


@element("ei:eiResponse", type="ei:EiResponseType", clause="6.6", meaning="Whether the request was accepted.")
@dataclass(frozen=True, slots=True, kw_only=True)
class EiResponse:
    response_code: str = field(
        metadata=xml("ei:responseCode", RESPONSE_CODE, "200 is success; a first digit of 4 or 5 is an error.", "6.6")
    )
    response_description: str | None = field(
        default=None, metadata=xml("ei:responseDescription?", STRING, "The reason in words.")
    )
    request_id: str = field(
        default="", metadata=xml("pyld:requestID", STRING, "The requestID of the request answered; may be empty.")
    )

    @property
    def ok(self) -> bool:
        """Whether the code says success (first digit 2)."""
        return self.response_code.startswith("2")


@element("ei:qualifiedEventID", type="ei:QualifiedEventIDType", clause="6.1", meaning="One version of an event.")
@dataclass(frozen=True, slots=True, kw_only=True)
class QualifiedEventID:
    event_id: str = field(metadata=xml("ei:eventID", STRING, "The event."))
    modification_number: int = field(metadata=xml("ei:modificationNumber", UNSIGNED, "Its version; the first is 0."))


@element("ei:eventResponse", type="", clause="6.1", meaning="The VEN's answer to one event.")
@dataclass(frozen=True, slots=True, kw_only=True)
class EventResponse:
    response_code: str = field(
        metadata=xml("ei:responseCode", RESPONSE_CODE, "Whether the event could be read.", "6.6")
    )
    response_description: str | None = field(
        default=None, metadata=xml("ei:responseDescription?", STRING, "The reason in words.")
    )
    request_id: str = field(
        default="", metadata=xml("pyld:requestID", STRING, "requestID of the oadrDistributeEvent (rule 42).")
    )
    qualified_event_id: QualifiedEventID = field(
        metadata=xml("ei:qualifiedEventID", QualifiedEventID, "The event and version answered.")
    )
    opt_type: str = field(metadata=xml("ei:optType", OPT_TYPE, "optIn takes part, optOut does not."))


# Targets ------------------------------------------------------------------------------------------------------------


@element(
    "power:transportInterface", type="power:TransportInterfaceType", clause="6.1", meaning="A stretch of the grid."
)
@dataclass(frozen=True, slots=True, kw_only=True)
class TransportInterface:
    point_of_receipt: str = field(metadata=xml("power:pointOfReceipt", STRING, "Where power is taken in."))
    point_of_delivery: str = field(metadata=xml("power:pointOfDelivery", STRING, "Where power is delivered."))


@element("ei:eiTarget", type="ei:EiTargetType", clause="6.1", meaning="Whom it concerns; empty means the recipient.")
@dataclass(frozen=True, slots=True, kw_only=True)
class EiTarget:
    """Targets of an event, signal, opt or report; the values are OR-ed (rules 22, 202)."""

    aggregated_pnodes: tuple[str, ...] = field(
        default=(), metadata=xml("power:aggregatedPnode*/power:node", STRING, "Aggregated pricing node.")
    )
    end_device_assets: tuple[str, ...] = field(
        default=(), metadata=xml("power:endDeviceAsset*/power:mrid", STRING, "Class of device.", "9.2.2 rule 111")
    )
    meter_assets: tuple[str, ...] = field(default=(), metadata=xml("power:meterAsset*/power:mrid", STRING, "Meter."))
    pnodes: tuple[str, ...] = field(default=(), metadata=xml("power:pnode*/power:node", STRING, "Pricing node."))
    service_areas: tuple[bytes, ...] = field(
        default=(), metadata=xml("emix:serviceArea*/gml:FeatureCollection", RAW, "Area, as GML.")
    )
    service_delivery_points: tuple[str, ...] = field(
        default=(), metadata=xml("power:serviceDeliveryPoint*/power:node", STRING, "Point of delivery.")
    )
    service_locations: tuple[bytes, ...] = field(
        default=(), metadata=xml("power:serviceLocation*/gml:FeatureCollection", RAW, "Place, as GML.")
    )
    transport_interfaces: tuple[TransportInterface, ...] = field(
        default=(), metadata=xml("power:transportInterface*", TransportInterface, "Stretch of the grid.")
    )
    group_ids: tuple[str, ...] = field(default=(), metadata=xml("ei:groupID*", STRING, "Group of resources."))
    group_names: tuple[str, ...] = field(default=(), metadata=xml("ei:groupName*", STRING, "Group by name."))
    resource_ids: tuple[str, ...] = field(default=(), metadata=xml("ei:resourceID*", STRING, "Resource of the VEN."))
    ven_ids: tuple[str, ...] = field(default=(), metadata=xml("ei:venID*", STRING, "VEN."))
    party_ids: tuple[str, ...] = field(default=(), metadata=xml("ei:partyID*", STRING, "Party."))


# Time ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Properties:
    """xcal:properties, shared by all that starts at an instant and lasts."""

    dtstart: datetime = field(
        metadata=xml("xcal:properties/xcal:dtstart/xcal:date-time", DATE_TIME, "Start, in UTC.", "9.2.1 rule 1")
    )
    duration: Duration = field(
        metadata=xml("xcal:properties/xcal:duration/xcal:duration", DURATION, "Length; zero is open ended.")
    )
    start_after: Duration | None = field(
        default=None,
        metadata=xml(
            "xcal:properties/xcal:tolerance?/xcal:tolerate/xcal:startafter?",
            DURATION,
            "The start is put off by a random time up to this.",
            "9.2.1 rule 30",
        ),
    )
    notification: Duration | None = field(
        default=None,
        metadata=xml(
            "xcal:properties/ei:x-eiNotification?/xcal:duration",
            DURATION,
            "How long before the start the VEN is told.",
            "9.2.2 rule 105",
        ),
    )
    ramp_up: Duration | None = field(
        default=None,
        metadata=xml(
            "xcal:properties/ei:x-eiRampUp?/xcal:duration",
            DURATION,
            "Time to move to the asked level: before the start, or after it where negative.",
        ),
    )
    recovery: Duration | None = field(
        default=None,
        metadata=xml(
            "xcal:properties/ei:x-eiRecovery?/xcal:duration",
            DURATION,
            "Time to return to normal: after the end, or before it where negative.",
        ),
    )

    @property
    def dtend(self) -> datetime | None:
        """End by the calendar; None where the duration is zero, hence open ended."""
        return self.duration.after(self.dtstart) if self.duration else None


# Values -------------------------------------------------------------------------------------------------------------


@element("ei:payloadFloat", type="ei:PayloadFloatType", clause="6.1", meaning="A number.", group="payloadBase")
@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadFloat:
    value: float = field(metadata=xml("ei:value", FLOAT, "The number, in the unit given beside the intervals."))


@dataclass(frozen=True, slots=True, kw_only=True)
class OadrLoadControlStateType:
    """One quantity of a load's control state with its limits."""

    min: float | None = field(default=None, metadata=xml("oadr:oadrMin?", FLOAT, "Lowest it can be."))
    max: float | None = field(default=None, metadata=xml("oadr:oadrMax?", FLOAT, "Highest it can be."))
    current: float = field(metadata=xml("oadr:oadrCurrent", FLOAT, "What it is now."))
    normal: float | None = field(default=None, metadata=xml("oadr:oadrNormal?", FLOAT, "What it is without events."))


@element(
    "oadr:oadrLoadControlState",
    type="oadr:oadrLoadControlStateType",
    clause="6.2",
    meaning="How far the resource's load is under control.",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrLoadControlState:
    capacity: OadrLoadControlStateType | None = field(
        default=None, metadata=xml("oadr:oadrCapacity?", OadrLoadControlStateType, "Share of full capacity.")
    )
    level_offset: OadrLoadControlStateType | None = field(
        default=None, metadata=xml("oadr:oadrLevelOffset?", OadrLoadControlStateType, "Discrete steps from normal.")
    )
    percent_offset: OadrLoadControlStateType | None = field(
        default=None, metadata=xml("oadr:oadrPercentOffset?", OadrLoadControlStateType, "Percent from normal.")
    )
    set_point: OadrLoadControlStateType | None = field(
        default=None, metadata=xml("oadr:oadrSetPoint?", OadrLoadControlStateType, "Set point.")
    )


@element(
    "oadr:oadrPayloadResourceStatus",
    type="oadr:oadrPayloadResourceStatusType",
    clause="6.2",
    meaning="State of a resource.",
    group="payloadBase",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrPayloadResourceStatus:
    online: bool = field(metadata=xml("oadr:oadrOnline", BOOLEAN, "Whether the resource can be reached."))
    manual_override: bool = field(
        metadata=xml("oadr:oadrManualOverride", BOOLEAN, "Whether somebody on site has taken over.")
    )
    load_control_state: OadrLoadControlState | None = field(
        default=None,
        metadata=xml("oadr:oadrLoadControlState?", OadrLoadControlState, "How far its load is under control."),
    )


PayloadBase = PayloadFloat | OadrPayloadResourceStatus
"""What a signalPayload or oadrReportPayload holds."""


@element(
    "ei:signalPayload",
    type="ei:signalPayloadType",
    clause="6.1",
    meaning="Value of a signal.",
    group="streamPayloadBase",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class SignalPayload:
    payload: PayloadBase = field(metadata=xml("@payloadBase", None, "The value; a number in events (rule 100)."))


@element(
    "oadr:oadrReportPayload",
    type="oadr:oadrReportPayloadType",
    clause="6.2",
    meaning="One measured value.",
    group="streamPayloadBase",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrReportPayload:
    r_id: str = field(metadata=xml("ei:rID", STRING, "Which of the offered data points this is."))
    confidence: int | None = field(default=None, metadata=xml("ei:confidence?", CONFIDENCE, "Trust in it. [%]"))
    accuracy: float | None = field(
        default=None, metadata=xml("ei:accuracy?", FLOAT, "Accuracy in the value's own unit.", "9.2.4 rule 319")
    )
    payload: PayloadBase = field(metadata=xml("@payloadBase", None, "The value."))
    data_quality: str | None = field(
        default=None, metadata=xml("oadr:oadrDataQuality?", DATA_QUALITY, "How good the value is.")
    )


@element(
    "oadr:oadrGBPayload",
    type="oadr:oadrGBStreamPayloadBase",
    clause="6.2",
    meaning="Green Button data.",
    group="streamPayloadBase",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrGBPayload:
    feed: bytes = field(metadata=xml("atom:feed", RAW, "The Atom feed as sent."))


StreamPayload = SignalPayload | OadrReportPayload | OadrGBPayload
"""What an interval holds."""


@element("ei:interval", type="ei:IntervalType", clause="6.1", meaning="One stretch of time and its values.")
@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    dtstart: datetime | None = field(
        default=None,
        metadata=xml("xcal:dtstart?/xcal:date-time", DATE_TIME, "Start; in reports only.", "9.2.2 rule 103"),
    )
    duration: Duration | None = field(
        default=None, metadata=xml("xcal:duration?/xcal:duration", DURATION, "Length.", "9.2.2 rule 102")
    )
    uid: str | None = field(
        default=None, metadata=xml("xcal:uid?/xcal:text", STRING, "Number of the interval: 0, 1, 2 …", "9.2.1 rule 2")
    )
    payloads: tuple[StreamPayload, ...] = field(metadata=xml("@streamPayloadBase+", None, "The values."))

    @property
    def value(self) -> float | None:
        """The number of the first payload; None where it is no number."""
        first = self.payloads[0] if self.payloads else None
        if isinstance(first, SignalPayload | OadrReportPayload) and isinstance(first.payload, PayloadFloat):
            return first.payload.value
        return None
