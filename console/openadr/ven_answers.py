"""What a VEN answers to each thing a VTN hands it, whichever way it came (section 4; rules 25, 33, 48, 304, 336, 344).

Each answer is (payload or None, service it belongs to, what else follows). The caller knows the binding: over pull the
payload is a new request, over push the reply.
"""

from __future__ import annotations

from datetime import datetime

from console.openadr.actions import Action, Failure, FailureKind, Found, Ids, Send, Service
from console.openadr.commands import VenSettings
from console.openadr.findings import Severity
from console.openadr.model import (
    OadrCanceledPartyRegistration,
    OadrCanceledReport,
    OadrCancelPartyRegistration,
    OadrCancelReport,
    OadrCreatedEvent,
    OadrCreatedReport,
    OadrCreateReport,
    OadrDistributeEvent,
    OadrRegisteredReport,
    OadrRegisterReport,
    OadrUpdatedReport,
    OadrUpdateReport,
    Payload,
)
from console.openadr.received_events import ReceivedEvents
from console.openadr.replies import SERVICE_OF, found, literal, refusal, response, ven_id_of
from console.openadr.report_engine import Acceptance, ReportEngine

Answer = tuple[Payload | None, Service, list[Action]]


class Answers:
    """Answers of one VEN; ``dismissed`` tells that the last message ended its registration."""

    def __init__(self, settings: VenSettings, ids: Ids, events: ReceivedEvents, reports: ReportEngine) -> None:
        self.settings = settings
        self.ids = ids
        self.events = events
        self.reports = reports
        self.ven_id = ""
        self.vtn_id = ""
        self.registration_id = ""
        self.dismissed = False

    def act(self, message: Payload, now: datetime) -> Answer:
        """Do what a message handed to this VEN asks."""
        self.dismissed = False
        doubts: list[Action] = list(self.for_us(message))
        answer, service, actions = self._act(message, now)
        return answer, service, [*doubts, *actions]

    def _act(self, message: Payload, now: datetime) -> Answer:
        match message:
            case OadrDistributeEvent():
                return self.distribute(message, now)
            case OadrCreateReport():
                return self.create_report(message, now)
            case OadrRegisterReport():
                return self._register_report(message)
            case OadrCancelReport():
                return self._cancel_report(message, now)
            case OadrUpdateReport():
                answer = OadrUpdatedReport(response=response(request_id=message.request_id), ven_id=self.ven_id)
                return answer, Service.EI_REPORT, []
            case OadrCancelPartyRegistration():
                return self._cancel_registration(message)
            case _:
                text = f"A VEN does not take {literal(message)} (rule 500)."
                doubt = found(500, Severity.ERROR, text, element=literal(message))
                service = SERVICE_OF.get(type(message), Service.EI_REGISTER_PARTY)
                return refusal(message, "459", text, vtn_id=self.vtn_id), service, [doubt]

    def for_us(self, message: Payload) -> list[Found]:
        """A message may name another VEN; it came on our own connection and is taken all the same (rule 21)."""
        named = ven_id_of(message)
        if not named or named == self.ven_id:
            return []
        text = f"{literal(message)} names {named}, this VEN is {self.ven_id}; it was taken all the same (rule 304)."
        return [found(304, Severity.WARNING, text, element="venID")]

    # Events ------------------------------------------------------------------------------------------------------

    def distribute(self, message: OadrDistributeEvent, now: datetime) -> Answer:
        """A complete list; one of another VTN is refused as a whole, since it would cancel all there is (rule 21)."""
        if message.response is not None and not message.response.ok:
            return None, Service.EI_EVENT, []
        if self.vtn_id and message.vtn_id != self.vtn_id:
            text = f"The events are of {message.vtn_id}, this VEN is registered with {self.vtn_id} (rule 21)."
            answer = OadrCreatedEvent(response=response("452", text), ven_id=self.ven_id)
            return answer, Service.EI_EVENT, [found(21, Severity.ERROR, text, element="vtnID")]
        answers, actions = self.events.receive(message, now)
        if not answers:
            return None, Service.EI_EVENT, actions
        answer = OadrCreatedEvent(response=response(), event_responses=answers, ven_id=self.ven_id)
        return answer, Service.EI_EVENT, actions

    def opt(self, event_id: str, opt_type: str) -> list[Action]:
        """Another oadrCreatedEvent with the last requestID, where the event wants answers."""
        answer, actions = self.events.set_opt(event_id, opt_type)
        if answer is None:
            return actions
        message = OadrCreatedEvent(response=response(), event_responses=(answer,), ven_id=self.ven_id)
        return [*actions, Send(message, Service.EI_EVENT, about=literal(message))]

    # Reports -----------------------------------------------------------------------------------------------------

    def create_report(self, message: OadrCreateReport, now: datetime) -> Answer:
        accepted = self.reports.accept(message.report_requests, now)
        return self._created_report(accepted, message.request_id, now)

    def registered_report(self, message: OadrRegisteredReport, now: datetime) -> Answer:
        """Requests that ride in it are taken as if in oadrCreateReport (rule 344)."""
        if not message.response.ok or not message.report_requests:
            return None, Service.EI_REPORT, []
        accepted = self.reports.accept(message.report_requests, now)
        return self._created_report(accepted, message.response.request_id, now)

    def _created_report(self, accepted: Acceptance, request_id: str, now: datetime) -> Answer:
        """METADATA asked for is sent after the answer; it ends all other requests (rule 306)."""
        answer = OadrCreatedReport(
            response=response(accepted.code, accepted.text, request_id),
            pending_reports=self.reports.pending(),
            ven_id=self.ven_id,
        )
        actions = accepted.actions
        for report_request_id in accepted.metadata:
            metadata = self.reports.metadata(now, report_request_id)
            actions += [*self.reports.offered_facts(), Send(metadata, Service.EI_REPORT, about=literal(metadata))]
        return answer, Service.EI_REPORT, actions

    def updated_report(self, sent: OadrUpdateReport, message: OadrUpdatedReport, now: datetime) -> list[Action]:
        """Values taken or refused, and a cancellation that may ride in it and wants no confirmation (rule 328)."""
        if not message.response.ok:
            said = f"it answered {message.response.response_code} {message.response.response_description or ''}"
            return self.reports.failed(sent, Failure(FailureKind.HTTP, f"{said.rstrip()}."), now, now)
        actions = self.reports.taken(sent)
        if message.cancel_report is None:
            return actions
        wanted = message.cancel_report.report_request_ids
        strange = set(wanted) - {report.report_request_id for report in sent.reports}
        if strange:
            text = f"oadrUpdatedReport cancels {', '.join(sorted(strange))}, which it does not answer (rule 328)."
            actions.append(found(328, Severity.WARNING, text, element="oadrCancelReport"))
        _, ended = self.reports.cancel(wanted, message.cancel_report.report_to_follow, now)
        return [*actions, *ended]

    def _cancel_report(self, message: OadrCancelReport, now: datetime) -> Answer:
        unknown, actions = self.reports.cancel(message.report_request_ids, message.report_to_follow, now)
        code, text = "200", ""
        if unknown:
            code, text = "452", f"no report request {', '.join(unknown)} is served here (rule 336)"
            actions.append(found(336, Severity.WARNING, f"The VTN cancels: {text}.", element="reportRequestID"))
        answer = OadrCanceledReport(
            response=response(code, text, message.request_id),
            pending_reports=self.reports.pending(),
            ven_id=self.ven_id,
        )
        return answer, Service.EI_REPORT, actions

    def _register_report(self, message: OadrRegisterReport) -> Answer:
        """The VTN's own METADATA; we ask for nothing of it (rule 301)."""
        answer = OadrRegisteredReport(response=response(request_id=message.request_id), ven_id=self.ven_id)
        return answer, Service.EI_REPORT, []

    # Registration ------------------------------------------------------------------------------------------------

    def _cancel_registration(self, message: OadrCancelPartyRegistration) -> Answer:
        ours = message.registration_id == self.registration_id
        code = "200" if ours else "452"
        text = "" if ours else f"registrationID {message.registration_id} is not ours"
        self.dismissed = ours
        answer = OadrCanceledPartyRegistration(
            response=response(code, text, message.request_id),
            registration_id=message.registration_id,
            ven_id=self.ven_id,
        )
        doubts: list[Action] = [] if ours else [found(400, Severity.WARNING, text + ".", element="registrationID")]
        return answer, Service.EI_REGISTER_PARTY, doubts
