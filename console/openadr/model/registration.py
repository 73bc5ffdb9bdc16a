"""EiRegisterParty (clause 6.3): query, create, cancel and renew a VEN's registration."""

from __future__ import annotations

from dataclasses import dataclass, field

from console.openadr.calendar import Duration
from console.openadr.elements import (
    BOOLEAN,
    DURATION,
    PROFILE_NAME,
    SERVICE_NAME,
    STRING,
    TRANSPORT_NAME,
    element,
    xml,
)
from console.openadr.model.common import EiResponse, Payload


@element("oadr:oadrProfile", type="", clause="6.3", meaning="A profile and the transports offered for it.")
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrProfile:
    profile_name: str = field(metadata=xml("oadr:oadrProfileName", PROFILE_NAME, "2.0a or 2.0b."))
    transports: tuple[str, ...] = field(
        metadata=xml(
            "oadr:oadrTransports/oadr:oadrTransport+/oadr:oadrTransportName", TRANSPORT_NAME, "simpleHttp or xmpp."
        )
    )


@element("oadr:oadrInfo", type="", clause="6.3", meaning="A key and its value.")
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrInfo:
    key: str = field(metadata=xml("oadr:oadrKey", STRING, "The key."))
    value: str = field(metadata=xml("oadr:oadrValue", STRING, "Its value."))


@element("oadr:oadrService", type="", clause="6.3", meaning="Pairs for one service.")
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrService:
    service_name: str = field(metadata=xml("oadr:oadrServiceName", SERVICE_NAME, "The service."))
    infos: tuple[OadrInfo, ...] = field(metadata=xml("oadr:oadrInfo+", OadrInfo, "Keys and values."))


@element("oadr:oadrExtension", type="", clause="6.3", meaning="An extension and its pairs.")
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrExtension:
    extension_name: str = field(metadata=xml("oadr:oadrExtensionName", STRING, "The extension."))
    infos: tuple[OadrInfo, ...] = field(default=(), metadata=xml("oadr:oadrInfo*", OadrInfo, "Keys and values."))


@element(
    "oadr:oadrQueryRegistration",
    type="oadr:oadrQueryRegistrationType",
    clause="6.3",
    meaning="Asks what the VTN offers, without registering.",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrQueryRegistration(Payload):
    """VEN to VTN; answered by oadrCreatedPartyRegistration."""

    request_id: str = field(metadata=xml("pyld:requestID", STRING, "Named in the answer."))


@element(
    "oadr:oadrCreatePartyRegistration",
    type="oadr:oadrCreatePartyRegistrationType",
    clause="6.3",
    meaning="Asks for registration, or renews one.",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrCreatePartyRegistration(Payload):
    """VEN to VTN; answered by oadrCreatedPartyRegistration (rule 402)."""

    request_id: str = field(metadata=xml("pyld:requestID", STRING, "Named in the answer."))
    registration_id: str | None = field(
        default=None, metadata=xml("ei:registrationID?", STRING, "Only when renewing.", "9.2.5 rule 402")
    )
    ven_id: str | None = field(
        default=None, metadata=xml("ei:venID?", STRING, "When renewing, or given beforehand.", "9.2.5 rule 402")
    )
    profile_name: str = field(metadata=xml("oadr:oadrProfileName", PROFILE_NAME, "The profile the VEN speaks."))
    transport_name: str = field(metadata=xml("oadr:oadrTransportName", TRANSPORT_NAME, "The transport it uses."))
    transport_address: str | None = field(
        default=None,
        metadata=xml("oadr:oadrTransportAddress?", STRING, "Where to push to: base URL or JID.", "9.2.5 rule 402"),
    )
    report_only: bool = field(metadata=xml("oadr:oadrReportOnly", BOOLEAN, "Whether the VEN only reports."))
    xml_signature: bool = field(metadata=xml("oadr:oadrXmlSignature", BOOLEAN, "Whether the VEN uses signatures."))
    ven_name: str | None = field(default=None, metadata=xml("oadr:oadrVenName?", STRING, "A name for people."))
    http_pull_model: bool | None = field(
        default=None, metadata=xml("oadr:oadrHttpPullModel?", BOOLEAN, "Whether the VEN polls.", "9.2.5 rule 402")
    )


@element(
    "oadr:oadrCreatedPartyRegistration",
    type="oadr:oadrCreatedPartyRegistrationType",
    clause="6.3",
    meaning="The VTN's offer, and the registration if there is one.",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrCreatedPartyRegistration(Payload):
    """Answer to oadrCreatePartyRegistration and oadrQueryRegistration (rules 403, 404)."""

    response: EiResponse = field(metadata=xml("ei:eiResponse", EiResponse, "Whether the VEN was taken."))
    registration_id: str | None = field(
        default=None, metadata=xml("ei:registrationID?", STRING, "The registration.", "9.2.5 rule 403")
    )
    ven_id: str | None = field(default=None, metadata=xml("ei:venID?", STRING, "The VEN's ID.", "9.2.5 rule 403"))
    vtn_id: str = field(metadata=xml("ei:vtnID", STRING, "The VTN."))
    profiles: tuple[OadrProfile, ...] = field(
        metadata=xml("oadr:oadrProfiles/oadr:oadrProfile+", OadrProfile, "Profiles the VTN speaks.")
    )
    requested_oadr_poll_freq: Duration | None = field(
        default=None,
        metadata=xml("oadr:oadrRequestedOadrPollFreq?/xcal:duration", DURATION, "How often to poll.", "9.2.5 rule 403"),
    )
    service_specific_info: tuple[OadrService, ...] = field(
        default=(),
        metadata=xml("oadr:oadrServiceSpecificInfo?/oadr:oadrService*", OadrService, "Pairs for single services."),
    )
    extensions: tuple[OadrExtension, ...] = field(
        default=(), metadata=xml("oadr:oadrExtensions?/oadr:oadrExtension*", OadrExtension, "Extensions.")
    )


@element(
    "oadr:oadrCancelPartyRegistration",
    type="oadr:oadrCancelPartyRegistrationType",
    clause="6.3",
    meaning="Ends the registration.",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrCancelPartyRegistration(Payload):
    """Either way; both sides forget reports and registration (rule 407)."""

    request_id: str = field(metadata=xml("pyld:requestID", STRING, "Named in the answer."))
    registration_id: str = field(metadata=xml("ei:registrationID", STRING, "The registration to end."))
    ven_id: str | None = field(default=None, metadata=xml("ei:venID?", STRING, "The VEN.", "9.2.6 rule 508"))


@element(
    "oadr:oadrCanceledPartyRegistration",
    type="oadr:oadrCanceledPartyRegistrationType",
    clause="6.3",
    meaning="The registration was ended.",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrCanceledPartyRegistration(Payload):
    """Answer to oadrCancelPartyRegistration."""

    response: EiResponse = field(metadata=xml("ei:eiResponse", EiResponse, "Whether it could be ended."))
    registration_id: str | None = field(
        default=None, metadata=xml("ei:registrationID?", STRING, "The registration ended.")
    )
    ven_id: str | None = field(default=None, metadata=xml("ei:venID?", STRING, "The VEN.", "9.2.6 rule 508"))


@element(
    "oadr:oadrRequestReregistration",
    type="oadr:oadrRequestReregistrationType",
    clause="6.3",
    meaning="Asks the VEN to register again.",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrRequestReregistration(Payload):
    """VTN to VEN; answered by oadrResponse, then oadrCreatePartyRegistration with the registrationID."""

    ven_id: str = field(metadata=xml("ei:venID", STRING, "The VEN."))
