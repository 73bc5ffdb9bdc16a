"""EiEvent (clause 6.1): events, the answers to them, asking for them; and oadrResponse, which all services use."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from console.openadr.calendar import Duration
from console.openadr.elements import (
    DATE_TIME,
    DURATION,
    EVENT_STATUS,
    FLOAT,
    RESPONSE_REQUIRED,
    SIGNAL_NAME,
    SIGNAL_TYPE,
    STRING,
    UNSIGNED,
    URI,
    element,
    xml,
)
from console.openadr.model.common import (
    EiResponse,
    EiTarget,
    EventResponse,
    Interval,
    Payload,
    Properties,
)
from console.openadr.model.item import ItemBase, OadrGBDataDescription


@element("ei:eventDescriptor", type="ei:eventDescriptorType", clause="6.1", meaning="Identity and state of the event.")
@dataclass(frozen=True, slots=True, kw_only=True)
class EventDescriptor:
    event_id: str = field(metadata=xml("ei:eventID", STRING, "The event, unique for the VEN.", "9.2.1 rule 70"))
    modification_number: int = field(
        metadata=xml("ei:modificationNumber", UNSIGNED, "0 at first, one more with each change.", "9.2.1 rules 4, 5")
    )
    modification_date_time: datetime | None = field(
        default=None, metadata=xml("ei:modificationDateTime?", DATE_TIME, "When it was changed.")
    )
    modification_reason: str | None = field(
        default=None, metadata=xml("ei:modificationReason?", STRING, "Why it was changed.")
    )
    priority: int | None = field(
        default=None,
        metadata=xml("ei:priority?", UNSIGNED, "1 is the most important, 0 or none the least.", "9.2.1 rule 3"),
    )
    market_context: str = field(
        metadata=xml("ei:eiMarketContext/emix:marketContext", URI, "The programme the event belongs to.")
    )
    created_date_time: datetime = field(
        metadata=xml("ei:createdDateTime", DATE_TIME, "When this message's content was made.", "9.2.2 rule 115")
    )
    event_status: str = field(
        metadata=xml(
            "ei:eventStatus", EVENT_STATUS, "Pending (far, near), active, completed or cancelled.", "9.2.1 rule 13"
        )
    )
    test_event: str | None = field(
        default=None, metadata=xml("ei:testEvent?", STRING, "Anything but false makes it a test.", "9.2.1 rule 6")
    )
    vtn_comment: str | None = field(default=None, metadata=xml("ei:vtnComment?", STRING, "A word of the VTN."))

    @property
    def is_test(self) -> bool:
        """Rule 6; absent, empty and ``false`` in any case are no test."""
        return (self.test_event or "").strip().lower() not in ("", "false")


@element(
    "ei:eiActivePeriod",
    type="ei:eiActivePeriodType",
    clause="6.1",
    meaning="When the event applies.",
    closing="xcal:components",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class EiActivePeriod(Properties):
    """Start, length, randomisation, notification and ramps of an event."""


@element("ei:eiEventSignal", type="ei:eiEventSignalType", clause="6.1", meaning="One thing the event asks for.")
@dataclass(frozen=True, slots=True, kw_only=True)
class EiEventSignal:
    intervals: tuple[Interval, ...] = field(
        metadata=xml("strm:intervals/ei:interval+", Interval, "Consecutive values.", "9.2.1 rules 2, 8")
    )
    target: EiTarget | None = field(
        default=None, metadata=xml("ei:eiTarget?", EiTarget, "Classes of device it is meant for.", "9.2.2 rule 111")
    )
    signal_name: str = field(metadata=xml("ei:signalName", SIGNAL_NAME, "What is signalled.", "9.2.2 rule 104"))
    signal_type: str = field(metadata=xml("ei:signalType", SIGNAL_TYPE, "How to read the values.", "9.2.2 rule 104"))
    signal_id: str = field(metadata=xml("ei:signalID", STRING, "Unique in the event.", "9.2.2 rule 107"))
    item_base: ItemBase | OadrGBDataDescription | None = field(
        default=None, metadata=xml("@itemBase?", None, "Unit of the values.")
    )
    current_value: float | None = field(
        default=None,
        metadata=xml("ei:currentValue?/ei:payloadFloat/ei:value", FLOAT, "Value in force now.", "9.2.1 rules 14, 29"),
    )


@element("ei:eiEventBaseline", type="ei:eiEventBaselineType", clause="6.1", meaning="What would be used without it.")
@dataclass(frozen=True, slots=True, kw_only=True)
class EiEventBaseline:
    dtstart: datetime = field(metadata=xml("xcal:dtstart/xcal:date-time", DATE_TIME, "Start of the baseline."))
    duration: Duration = field(metadata=xml("xcal:duration/xcal:duration", DURATION, "Length of the baseline."))
    intervals: tuple[Interval, ...] = field(
        metadata=xml("strm:intervals/ei:interval+", Interval, "Consecutive values.", "9.2.2 rules 101, 102")
    )
    baseline_id: str = field(metadata=xml("ei:baselineID", STRING, "The baseline."))
    resource_ids: tuple[str, ...] = field(
        default=(), metadata=xml("ei:resourceID*", STRING, "Resources it is the sum of.", "9.2.2 rule 108")
    )
    baseline_name: str = field(metadata=xml("ei:baselineName", STRING, "Its name."))
    item_base: ItemBase | OadrGBDataDescription | None = field(
        default=None, metadata=xml("@itemBase?", None, "Unit of the values.")
    )


@element("ei:eiEvent", type="ei:eiEventType", clause="6.1", meaning="A demand response event.")
@dataclass(frozen=True, slots=True, kw_only=True)
class EiEvent:
    descriptor: EventDescriptor = field(
        metadata=xml("ei:eventDescriptor", EventDescriptor, "Identity and state of the event.")
    )
    active_period: EiActivePeriod = field(metadata=xml("ei:eiActivePeriod", EiActivePeriod, "When it applies."))
    signals: tuple[EiEventSignal, ...] = field(
        metadata=xml("ei:eiEventSignals/ei:eiEventSignal+", EiEventSignal, "What it asks for.")
    )
    baseline: EiEventBaseline | None = field(
        default=None,
        metadata=xml("ei:eiEventSignals/ei:eiEventBaseline?", EiEventBaseline, "What would be used without it."),
    )
    target: EiTarget = field(
        default=EiTarget(),
        metadata=xml("ei:eiTarget", EiTarget, "Whom it concerns; empty means the recipient.", "9.2.1 rule 22"),
    )


@element("oadr:oadrEvent", type="", clause="6.1", meaning="An event, and whether it wants an answer.")
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrEvent:
    event: EiEvent = field(metadata=xml("ei:eiEvent", EiEvent, "The event."))
    response_required: str = field(
        default="always",
        metadata=xml(
            "oadr:oadrResponseRequired", RESPONSE_REQUIRED, "Whether each receipt wants an answer.", "9.2.1 rule 12"
        ),
    )


@element(
    "oadr:oadrDistributeEvent",
    type="oadr:oadrDistributeEventType",
    clause="6.1",
    meaning="All events the VTN has for this VEN.",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrDistributeEvent(Payload):
    """VTN to VEN: every pending and active event; one that is missing is cancelled (rules 50, 61)."""

    response: EiResponse | None = field(
        default=None, metadata=xml("ei:eiResponse?", EiResponse, "Only as an answer to a request.", "9.2.1 rule 40")
    )
    request_id: str = field(metadata=xml("pyld:requestID", STRING, "Named in each answer.", "9.2.1 rules 41, 42"))
    vtn_id: str = field(metadata=xml("ei:vtnID", STRING, "The VTN."))
    events: tuple[OadrEvent, ...] = field(
        default=(), metadata=xml("oadr:oadrEvent*", OadrEvent, "The events, most important first.", "9.2.1 rule 15")
    )


@element(
    "oadr:oadrCreatedEvent",
    type="oadr:oadrCreatedEventType",
    clause="6.1",
    meaning="The VEN's answer to events.",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrCreatedEvent(Payload):
    """VEN to VTN: opt-in or opt-out for each event; answered by oadrResponse."""

    response: EiResponse = field(
        metadata=xml("pyld:eiCreatedEvent/ei:eiResponse", EiResponse, "Whether the message as a whole was accepted.")
    )
    event_responses: tuple[EventResponse, ...] = field(
        default=(),
        metadata=xml(
            "pyld:eiCreatedEvent/ei:eventResponses?/ei:eventResponse*",
            EventResponse,
            "One answer for each event.",
            "9.2.1 rule 35",
        ),
    )
    ven_id: str = field(metadata=xml("pyld:eiCreatedEvent/ei:venID", STRING, "The VEN."))


@element(
    "oadr:oadrRequestEvent",
    type="oadr:oadrRequestEventType",
    clause="6.1",
    meaning="The VEN asks for its events.",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrRequestEvent(Payload):
    """VEN to VTN; answered by oadrDistributeEvent."""

    request_id: str = field(metadata=xml("pyld:eiRequestEvent/pyld:requestID", STRING, "Named in the answer."))
    ven_id: str = field(metadata=xml("pyld:eiRequestEvent/ei:venID", STRING, "The VEN."))
    reply_limit: int | None = field(
        default=None,
        metadata=xml("pyld:eiRequestEvent/pyld:replyLimit?", UNSIGNED, "At most so many events.", "9.2.1 rule 27"),
    )


@element("oadr:oadrResponse", type="oadr:oadrResponseType", clause="6.6", meaning="Plain acknowledgement or refusal.")
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrResponse(Payload):
    """Either way: the answer where no richer one is defined; also "nothing to deliver" to a poll."""

    response: EiResponse = field(metadata=xml("ei:eiResponse", EiResponse, "Whether the request was accepted."))
    ven_id: str | None = field(default=None, metadata=xml("ei:venID?", STRING, "The VEN.", "9.2.6 rule 508"))
