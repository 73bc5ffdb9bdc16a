"""Messages a VTN writes, and what it remarks on those it gets: no state, no decisions."""

from __future__ import annotations

from datetime import timedelta

from console.openadr.actions import Action, Found, Ids, Reply
from console.openadr.calendar import Duration
from console.openadr.commands import VtnSettings
from console.openadr.facts import Registered as RegisteredFact
from console.openadr.findings import Severity
from console.openadr.model import (
    EiResponse,
    OadrCanceledReport,
    OadrCancelPartyRegistration,
    OadrCancelReport,
    OadrCreatedPartyRegistration,
    OadrCreatedReport,
    OadrCreatePartyRegistration,
    OadrCreateReport,
    OadrRegisterReport,
    OadrReportRequest,
    OadrResponse,
    OadrUpdateReport,
    Payload,
)
from console.openadr.pushing import push_base
from console.openadr.registry import Party
from console.openadr.replies import PROFILES, found, request_id_of, response

SHORTEST = timedelta(seconds=1)
"""Poll frequency as a message can carry it (rule 1)."""


class VtnMessages:
    """Writes messages of one VTN."""

    def __init__(self, vtn_id: str, ids: Ids, settings: VtnSettings) -> None:
        self.vtn_id = vtn_id
        self.ids = ids
        self.settings = settings

    def own_metadata(self, report_request_id: str | None = None) -> OadrRegisterReport:
        """We offer nothing, and say so (rule 301)."""
        return OadrRegisterReport(request_id=self.ids.new("request"), report_request_id=report_request_id)

    def create_report(self, party: Party, requests: tuple[OadrReportRequest, ...]) -> OadrCreateReport:
        return OadrCreateReport(request_id=self.ids.new("request"), report_requests=requests, ven_id=party.ven_id)

    def cancel_report(self, party: Party, keys: tuple[str, ...], follow: bool) -> OadrCancelReport:
        return OadrCancelReport(
            request_id=self.ids.new("request"),
            report_request_ids=keys,
            report_to_follow=follow,
            ven_id=party.ven_id,
        )

    def cancel_registration(self, party: Party) -> OadrCancelPartyRegistration:
        return OadrCancelPartyRegistration(
            request_id=self.ids.new("request"), registration_id=party.registration_id, ven_id=party.ven_id
        )

    def created(self, message: Payload, party: Party | None, *, pull: bool) -> OadrCreatedPartyRegistration:
        """IDs where there is a registration, the poll frequency for pull VENs (rule 403)."""
        return OadrCreatedPartyRegistration(
            response=response(request_id=request_id_of(message)),
            registration_id=party.registration_id if party else None,
            ven_id=party.ven_id if party else None,
            vtn_id=self.vtn_id,
            profiles=PROFILES,
            requested_oadr_poll_freq=Duration.of(max(self.settings.poll_period, SHORTEST)) if pull else None,
        )

    def registered(self, party: Party) -> RegisteredFact:
        return RegisteredFact(
            ven_id=party.ven_id,
            ven_name=party.ven_name,
            registration_id=party.registration_id,
            vtn_id=self.vtn_id,
            profile=party.profile,
            transport=party.transport,
            address=party.address,
            poll_period=self.settings.poll_period,
        )


def ok(party: Party, message: Payload) -> Reply:
    """oadrResponse 200, which acknowledges and also says that nothing is owed."""
    return Reply(OadrResponse(response=response(request_id=request_id_of(message)), ven_id=party.ven_id))


def doubt(given: EiResponse, element: str, rule: int = 33) -> list[Found]:
    """A finding where the VEN itself says that something went wrong."""
    if given.ok:
        return []
    text = f"The VEN says {given.response_code} {given.response_description or ''}".rstrip() + f" in {element}."
    return [found(rule, Severity.WARNING, text, element="responseCode")]


def report_request_ids(message: Payload) -> tuple[str, ...]:
    """The report requests a VEN's message speaks of."""
    match message:
        case OadrUpdateReport():
            return tuple(report.report_request_id for report in message.reports)
        case OadrCreatedReport() | OadrCanceledReport():
            return message.pending_reports
        case _:
            return ()


def unserved(message: OadrCreatePartyRegistration) -> list[Action]:
    """Wishes of a registration that this binding cannot grant."""
    actions: list[Action] = []
    if message.http_pull_model is False and not push_base(message.transport_address):
        given = message.transport_address or "no address"
        text = f"The VEN wants to be pushed to and gives {given}, which is no URL; it is served when it polls."
        actions.append(found(402, Severity.WARNING, text, element="oadrTransportAddress"))
    if message.transport_name != "simpleHttp":
        text = f"The VEN wants transport {message.transport_name}; this VTN serves it by simple HTTP."
        actions.append(found(402, Severity.WARNING, text, element="oadrTransportName"))
    return actions
