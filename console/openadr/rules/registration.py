"""Rules on registration and on what every message carries: tables 11 and 12 of clause 9.2."""

from __future__ import annotations

from console.openadr import model as m
from console.openadr.enums import OadrTransportName, SchemaVersion
from console.openadr.rules.register import Found, error, rule

_CLAUSE = "9.2.5"
_GENERAL = "9.2.6"

_VEN_ONLY = (m.OadrPoll, m.OadrRequestEvent, m.OadrCreatedEvent, m.OadrCreateOpt, m.OadrCancelOpt)
_EITHER = (
    *(m.OadrResponse, m.OadrRegisterReport, m.OadrRegisteredReport, m.OadrCreateReport, m.OadrCreatedReport),
    *(m.OadrUpdateReport, m.OadrUpdatedReport, m.OadrCancelReport, m.OadrCanceledReport),
    *(m.OadrCancelPartyRegistration, m.OadrCanceledPartyRegistration),
)


_FROM_VEN = (m.OadrQueryRegistration, m.OadrCreatePartyRegistration)
_FROM_VTN = (m.OadrCreatedPartyRegistration, m.OadrRequestReregistration)


@rule(401, clause=_CLAUSE, on=(*_FROM_VEN, *_FROM_VTN))
def registration_goes_its_way(message: m.Payload, found: Found) -> None:
    """A VEN asks for registration; a VTN grants it, and asks for it to be renewed."""
    right = isinstance(message, _FROM_VEN)
    if found.from_ven is not None and found.from_ven != right:
        found(error, f"A {'VTN' if right else 'VEN'} sent this; only a {'VEN' if right else 'VTN'} does.")


@rule(500, clause=_GENERAL, on=m.OadrPoll)
def only_vens_poll(message: m.OadrPoll, found: Found) -> None:
    """An oadrPoll goes from a VEN to a VTN."""
    if found.from_ven is False:
        found(error, "A VTN sent an oadrPoll; only a VEN does.")


@rule(402, clause=_CLAUSE, on=m.OadrCreatePartyRegistration)
def a_registration_says_how_to_reach_the_ven(message: m.OadrCreatePartyRegistration, found: Found) -> None:
    """A VEN on HTTP says whether it polls; one that is pushed to, or speaks XMPP, gives its address."""
    http = message.transport_name == OadrTransportName.SIMPLE_HTTP
    if http and message.http_pull_model is None:
        found(error, "The VEN speaks HTTP and does not say whether it polls: oadrHttpPullModel is missing.")
    pushed = message.http_pull_model is False or message.transport_name == OadrTransportName.XMPP
    if pushed and not message.transport_address:
        found(error, "The VEN does not poll and gives no oadrTransportAddress to push to.")
    if message.transport_address == "None":
        text = "oadrTransportAddress is the word None; it should be left out."
        found(error, text, field="transport_address")


@rule(402, clause=_CLAUSE, on=m.OadrCreatePartyRegistration)
def a_renewal_names_its_ven(message: m.OadrCreatePartyRegistration, found: Found) -> None:
    """A registration that is renewed carries its registrationID and its venID."""
    if message.registration_id is not None and not message.ven_id:
        text = "A registrationID is given without a venID; a renewal needs both, a new registration neither."
        found(error, text, field="registration_id")


@rule(508, clause=_GENERAL, on=(*_VEN_ONLY, *_EITHER))
def a_ven_names_itself(message: m.OadrPoll | m.OadrResponse, found: Found) -> None:
    """Every message of a VEN carries its venID where the schema has one."""
    if message.ven_id or not (isinstance(message, _VEN_ONLY) or found.from_ven):
        return
    found(error, "The VEN's message carries no venID.")


@rule(509, clause=_GENERAL, on=m.PAYLOADS)
def the_version_is_named(message: m.Payload, found: Found) -> None:
    """Every message carries ei:schemaVersion, 2.0b in this profile."""
    if not message.schema_version:
        found(error, "The message carries no ei:schemaVersion; 2.0b is expected.")
    elif message.schema_version != SchemaVersion.B:
        found(error, f"ei:schemaVersion is {message.schema_version!r}; 2.0b is expected.")
