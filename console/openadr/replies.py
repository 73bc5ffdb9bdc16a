"""Which payload answers which, where it is sent, and refusals in the fitting type (sections 4, 8.7; rules 33, 517)."""

from __future__ import annotations

from collections.abc import Callable

from console.openadr.actions import Found, Service
from console.openadr.enums import RESPONSE_MEANINGS
from console.openadr.findings import Finding, Severity
from console.openadr.model import (
    EiResponse,
    OadrCanceledOpt,
    OadrCanceledPartyRegistration,
    OadrCanceledReport,
    OadrCancelOpt,
    OadrCancelPartyRegistration,
    OadrCancelReport,
    OadrCreatedEvent,
    OadrCreatedOpt,
    OadrCreatedPartyRegistration,
    OadrCreatedReport,
    OadrCreateOpt,
    OadrCreatePartyRegistration,
    OadrCreateReport,
    OadrDistributeEvent,
    OadrPoll,
    OadrProfile,
    OadrQueryRegistration,
    OadrRegisteredReport,
    OadrRegisterReport,
    OadrRequestEvent,
    OadrRequestReregistration,
    OadrResponse,
    OadrUpdatedReport,
    OadrUpdateReport,
    Payload,
)

PROFILES = (OadrProfile(profile_name="2.0b", transports=("simpleHttp",)),)
"""What our VTN speaks; in every oadrCreatedPartyRegistration, refusals too, since the schema wants it there."""

_SERVICES: dict[Service, tuple[type[Payload], ...]] = {
    Service.EI_REGISTER_PARTY: (
        OadrQueryRegistration,
        OadrCreatePartyRegistration,
        OadrCreatedPartyRegistration,
        OadrCancelPartyRegistration,
        OadrCanceledPartyRegistration,
        OadrRequestReregistration,
    ),
    Service.EI_EVENT: (OadrRequestEvent, OadrDistributeEvent, OadrCreatedEvent),
    Service.EI_REPORT: (
        OadrRegisterReport,
        OadrRegisteredReport,
        OadrCreateReport,
        OadrCreatedReport,
        OadrUpdateReport,
        OadrUpdatedReport,
        OadrCancelReport,
        OadrCanceledReport,
    ),
    Service.EI_OPT: (OadrCreateOpt, OadrCreatedOpt, OadrCancelOpt, OadrCanceledOpt),
    Service.OADR_POLL: (OadrPoll,),
}
SERVICE_OF: dict[type[Payload], Service] = {cls: service for service, all in _SERVICES.items() for cls in all}
"""The endpoint a payload belongs to; oadrResponse belongs to none of its own."""


def literal(message: Payload | type[Payload]) -> str:
    """Element name of a payload: ``oadrCreatedEvent``."""
    name = (message if isinstance(message, type) else type(message)).__name__
    return name[0].lower() + name[1:]


def response(code: str = "200", text: str = "", request_id: str = "") -> EiResponse:
    """eiResponse; ``text`` defaults to what the code means."""
    return EiResponse(
        response_code=code, response_description=text or RESPONSE_MEANINGS.get(code, ""), request_id=request_id
    )


def request_id_of(message: Payload) -> str:
    """requestID to echo; empty where the payload has none (rules 207, 303)."""
    given: object = getattr(message, "request_id", "")
    return given if isinstance(given, str) else ""


def ven_id_of(message: Payload) -> str:
    """venID the message carries; empty where it has none."""
    given: object = getattr(message, "ven_id", "")
    return given if isinstance(given, str) else ""


def refusal(message: Payload, code: str, text: str, *, vtn_id: str) -> Payload:
    """The answer of the fitting type that says no to ``message``."""
    answer = response(code, text, request_id_of(message))
    ven_id = ven_id_of(message) or None
    build = _REFUSALS.get(type(message))
    return build(message, answer, ven_id, vtn_id) if build else OadrResponse(response=answer, ven_id=ven_id)


def _opt_id(message: Payload) -> str:
    return message.opt_id if isinstance(message, OadrCreateOpt | OadrCancelOpt) else ""


def _created_registration(_: Payload, answer: EiResponse, __: str | None, vtn_id: str) -> Payload:
    return OadrCreatedPartyRegistration(response=answer, vtn_id=vtn_id, profiles=PROFILES)


_Refuse = Callable[[Payload, EiResponse, str | None, str], Payload]
_REFUSALS: dict[type[Payload], _Refuse] = {
    OadrQueryRegistration: _created_registration,
    OadrCreatePartyRegistration: _created_registration,
    OadrCancelPartyRegistration: lambda _, answer, ven_id, __: OadrCanceledPartyRegistration(
        response=answer, ven_id=ven_id
    ),
    OadrRequestEvent: lambda message, answer, _, vtn_id: OadrDistributeEvent(
        response=answer, request_id=request_id_of(message), vtn_id=vtn_id
    ),
    OadrRegisterReport: lambda _, answer, ven_id, __: OadrRegisteredReport(response=answer, ven_id=ven_id),
    OadrCreateReport: lambda _, answer, ven_id, __: OadrCreatedReport(response=answer, ven_id=ven_id),
    OadrUpdateReport: lambda _, answer, ven_id, __: OadrUpdatedReport(response=answer, ven_id=ven_id),
    OadrCancelReport: lambda _, answer, ven_id, __: OadrCanceledReport(response=answer, ven_id=ven_id),
    OadrCreateOpt: lambda message, answer, _, __: OadrCreatedOpt(response=answer, opt_id=_opt_id(message)),
    OadrCancelOpt: lambda message, answer, _, __: OadrCanceledOpt(response=answer, opt_id=_opt_id(message)),
}


def answer_of(message: Payload) -> EiResponse | None:
    """eiResponse of any payload that has one."""
    given: object = getattr(message, "response", None)
    return given if isinstance(given, EiResponse) else None


def found(
    rule: int | str, severity: Severity, text: str, *, element: str = "", path: str = "", clause: str = ""
) -> Found:
    """A finding that only the dialogue shows."""
    return Found(Finding(str(rule), severity, text, path=path, element=element, clause=clause))


def misdirected(message: Payload, service: Service | None) -> list[Found]:
    """A payload posted to another service's endpoint; it is served all the same."""
    right = SERVICE_OF.get(type(message))
    if service is None or right is None or service is right:
        return []
    text = f"{literal(message)} belongs to {right}, it came to {service}. It was handled all the same."
    return [found(511, Severity.WARNING, text, element=literal(message), clause="7.2")]
