"""The messages of profile 2.0b as frozen dataclasses, one module per service.

Classes are named as the standard's elements and types, fields as its local names in snake case without the prefixes
``oadr``, ``ei`` and ``x-ei``; repeated elements are tuples; pure wrapper elements are flattened away. Every field
carries its element descriptor (:mod:`console.openadr.elements`).
"""

from console.openadr.elements import FORMS
from console.openadr.model.common import (
    EiResponse,
    EiTarget,
    EventResponse,
    Interval,
    OadrGBPayload,
    OadrLoadControlState,
    OadrLoadControlStateType,
    OadrPayloadResourceStatus,
    OadrReportPayload,
    Payload,
    PayloadBase,
    PayloadFloat,
    Properties,
    QualifiedEventID,
    SignalPayload,
    StreamPayload,
    TransportInterface,
)
from console.openadr.model.event import (
    EiActivePeriod,
    EiEvent,
    EiEventBaseline,
    EiEventSignal,
    EventDescriptor,
    OadrCreatedEvent,
    OadrDistributeEvent,
    OadrEvent,
    OadrRequestEvent,
    OadrResponse,
)
from console.openadr.model.item import ItemBase, OadrGBDataDescription, PowerAttributes
from console.openadr.model.opt import (
    Available,
    OadrCanceledOpt,
    OadrCancelOpt,
    OadrCreatedOpt,
    OadrCreateOpt,
)
from console.openadr.model.poll import (
    OadrPoll,
)
from console.openadr.model.registration import (
    OadrCanceledPartyRegistration,
    OadrCancelPartyRegistration,
    OadrCreatedPartyRegistration,
    OadrCreatePartyRegistration,
    OadrExtension,
    OadrInfo,
    OadrProfile,
    OadrQueryRegistration,
    OadrRequestReregistration,
    OadrService,
)
from console.openadr.model.report import (
    OadrCanceledReport,
    OadrCancelReport,
    OadrCreatedReport,
    OadrCreateReport,
    OadrRegisteredReport,
    OadrRegisterReport,
    OadrReport,
    OadrReportDescription,
    OadrReportRequest,
    OadrSamplingRate,
    OadrUpdatedReport,
    OadrUpdateReport,
    ReportInterval,
    ReportSpecifier,
    SpecifierPayload,
)

__all__ = [
    "Available",
    "EiActivePeriod",
    "EiEvent",
    "EiEventBaseline",
    "EiEventSignal",
    "EiResponse",
    "EiTarget",
    "EventDescriptor",
    "EventResponse",
    "Interval",
    "ItemBase",
    "OadrCancelOpt",
    "OadrCancelPartyRegistration",
    "OadrCancelReport",
    "OadrCanceledOpt",
    "OadrCanceledPartyRegistration",
    "OadrCanceledReport",
    "OadrCreateOpt",
    "OadrCreatePartyRegistration",
    "OadrCreateReport",
    "OadrCreatedEvent",
    "OadrCreatedOpt",
    "OadrCreatedPartyRegistration",
    "OadrCreatedReport",
    "OadrDistributeEvent",
    "OadrEvent",
    "OadrExtension",
    "OadrGBDataDescription",
    "OadrGBPayload",
    "OadrInfo",
    "OadrLoadControlState",
    "OadrLoadControlStateType",
    "OadrPayloadResourceStatus",
    "OadrPoll",
    "OadrProfile",
    "OadrQueryRegistration",
    "OadrRegisterReport",
    "OadrRegisteredReport",
    "OadrReport",
    "OadrReportDescription",
    "OadrReportPayload",
    "OadrReportRequest",
    "OadrRequestEvent",
    "OadrRequestReregistration",
    "OadrResponse",
    "OadrSamplingRate",
    "OadrService",
    "OadrUpdateReport",
    "OadrUpdatedReport",
    "PAYLOADS",
    "Payload",
    "PayloadBase",
    "PayloadFloat",
    "PowerAttributes",
    "Properties",
    "QualifiedEventID",
    "ReportInterval",
    "ReportSpecifier",
    "SignalPayload",
    "SpecifierPayload",
    "StreamPayload",
    "TransportInterface",
]

PAYLOADS: tuple[type[Payload], ...] = tuple(
    sorted((cls for cls in FORMS if issubclass(cls, Payload)), key=lambda cls: cls.__name__)
)
"""The 23 payload classes, by name."""
