"""The VTN's role: registrations, the poll queue, events, reports and opts, over whatever binding it is told of.

Every request gets exactly one reply of the fitting type. An unregistered VEN is refused with 463, a wrong identifier
with 452, a payload a VTN does not take with 459; none of that stops the VTN. What a VEN is owed waits for its polls,
oldest first and one per poll (rule 500): the VTN's own METADATA (rule 301), report requests, then the event list. Push
VENs are sent the same in the same order.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

from console.openadr.actions import (
    Action,
    Answered,
    Found,
    Ids,
    Input,
    Keep,
    Noted,
    Peer,
    Received,
    Reply,
    StartTimer,
    TimerFired,
)
from console.openadr.commands import (
    CancelEvent,
    CancelRegistration,
    CancelReports,
    IssueEvent,
    ModifyEvent,
    RequestReports,
    RequestReregistration,
    VtnSettings,
)
from console.openadr.event_book import TIMER as EVENT_TIMER
from console.openadr.event_book import EventBook, unanswered_list
from console.openadr.facts import Unregistered
from console.openadr.findings import Severity
from console.openadr.keeping import kept
from console.openadr.model import (
    OadrCanceledOpt,
    OadrCanceledPartyRegistration,
    OadrCanceledReport,
    OadrCancelOpt,
    OadrCancelPartyRegistration,
    OadrCancelReport,
    OadrCreatedEvent,
    OadrCreatedOpt,
    OadrCreatedReport,
    OadrCreateOpt,
    OadrCreatePartyRegistration,
    OadrCreateReport,
    OadrDistributeEvent,
    OadrPoll,
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
from console.openadr.presence import TIMER as PRESENCE_TIMER
from console.openadr.presence import Presence
from console.openadr.pushing import TIMER as PUSH_TIMER
from console.openadr.pushing import Pushes, is_passing, push_base, refused
from console.openadr.registry import Party, Refusal, Registry, keep_party
from console.openadr.replies import (
    answer_of,
    found,
    literal,
    misdirected,
    refusal,
    response,
    ven_id_of,
)
from console.openadr.report_desk import ReportDesk
from console.openadr.states import VTN_REGISTRATION, Heard, Registered
from console.openadr.vtn_messages import VtnMessages, doubt, ok, report_request_ids, unserved

REMINDERS = 2
"""How often a VEN that does not answer the cancellation of its registration is handed it again."""

_Serve = Callable[[Party, Any, datetime], list[Action]]


class Vtn:
    """One VTN and all its VENs. ``vtn_id`` is sent as it stands; some peers object to one without a capital letter."""

    def __init__(self, vtn_id: str, ids: Ids, rng: random.Random, settings: VtnSettings | None = None) -> None:
        self.vtn_id = vtn_id
        self.ids = ids
        self.rng = rng
        self.settings = settings or VtnSettings()
        self.registry = Registry(self.settings, ids)
        self.presence = Presence(self.settings.poll_period)
        self.book = EventBook(vtn_id, ids, repeat_after=self.settings.poll_period / 2)
        self.desk = ReportDesk(ids)
        self.messages = VtnMessages(vtn_id, ids, self.settings)
        self.pushes = Pushes(rng, self.settings.push_retry_cap, 3 * self.book.repeat_after, self._owed)
        self._serve: dict[type[Payload], _Serve] = {
            OadrPoll: self._on_poll,
            OadrRequestEvent: self._on_request_event,
            OadrCreatedEvent: self._on_created_event,
            OadrCancelPartyRegistration: self._on_cancel_registration,
            OadrCanceledPartyRegistration: self._on_canceled_registration,
            OadrRegisterReport: self._on_register_report,
            OadrRegisteredReport: self._on_registered_report,
            OadrCreateReport: self._on_create_report,
            OadrCreatedReport: self._on_created_report,
            OadrUpdateReport: self._on_update_report,
            OadrCancelReport: self._on_cancel_report,
            OadrCanceledReport: self._on_canceled_report,
            OadrUpdatedReport: self._on_response,
            OadrResponse: self._on_response,
            OadrCreateOpt: self._on_create_opt,
            OadrCancelOpt: self._on_cancel_opt,
        }

    # Role --------------------------------------------------------------------------------------------------------

    def start(self, now: datetime) -> list[Action]:
        actions: list[Action] = []
        for party in self.registry.enrol_known(now):
            actions += [Noted(self.messages.registered(party)), *self.presence.expect(party.ven_id)]
            party.owed.append(self.messages.own_metadata())
        return actions

    def handle(self, given: Input, now: datetime) -> list[Action]:
        match given:
            case Received():
                return self._received(given, now)
            case TimerFired():
                return self._fired(given.name, now)
            case Answered():
                return self._answered(given, now)
            case _:
                return [*self._command(given, now), *self._push_all(now)]

    def state(self) -> dict[str, object]:
        return {"registry": self.registry.state(), "events": self.book.state(), "reports": self.desk.state()}

    def part(self, ven_id: str) -> dict[str, object] | None:
        """What is kept of one VEN, None where nothing is: a small piece of :meth:`state` that changes often."""
        party = self.registry.parties.get(ven_id)
        if party is None:
            return None
        return {"party": keep_party(party), "events": self.book.part(ven_id), "reports": self.desk.part(ven_id)}

    def restore(self, state: dict[str, object], now: datetime) -> list[Action]:
        """Go on from :meth:`state`; ``parts`` in it holds :meth:`part` of VENs that changed since, by venID."""
        parts = {ven_id: kept(part) if part else None for ven_id, part in kept(state.get("parts", {})).items()}
        reports = dict(kept(state.get("reports", {})))
        self.registry.restore(state.get("registry", []))
        for ven_id, part in parts.items():
            reports.pop(ven_id, None)
            if part is None:
                self.registry.parties.pop(ven_id, None)
                continue
            self.registry.restore([part["party"]])
            reports[ven_id] = part["reports"]
        actions: list[Action] = []
        for party in self.registry.parties.values():
            actions += [Noted(self.messages.registered(party)), *self.presence.expect(party.ven_id)]
            if party.push_url:
                actions += self.pushes.reach(party, now)
        actions += self.start(now)
        actions += self.desk.restore(reports)
        for party in self.registry.parties.values():
            requests = self.desk.owed(party.ven_id, now)
            if requests:
                party.owed.append(self.messages.create_report(party, requests))
            if party.state is Registered.LEAVING:
                party.owed.append(self.messages.cancel_registration(party))
        shares = {ven_id: kept(part["events"]) if part else None for ven_id, part in parts.items()}
        return [*actions, *self.book.restore(state.get("events", {}), now, shares)]

    # Dispatch ----------------------------------------------------------------------------------------------------

    def _received(self, given: Received, now: datetime) -> list[Action]:
        message, peer = given.message, given.peer
        aside: list[Action] = list(misdirected(message, given.service))
        if isinstance(message, OadrQueryRegistration):
            return [*aside, *self._on_query(message, peer)]
        if isinstance(message, OadrCreatePartyRegistration):
            return [*aside, *self._on_create_registration(message, peer, now)]
        serve = self._serve.get(type(message))
        if serve is None:
            text = f"A VTN does not take {literal(message)}."
            return [*aside, *self._refuse(message, Refusal("459", text, 33))]
        ven_id, doubts = self._ven_id(message, peer)
        party = self.registry.identify(ven_id, peer)
        if isinstance(party, Refusal):
            return [*aside, *doubts, *self._refuse(message, party)]
        heard = self.presence.heard(party.ven_id, now, polls=not party.push_url)
        return [*aside, *doubts, *heard, *serve(party, message, now), *self.pushes.go(party, now)]

    def _ven_id(self, message: Payload, peer: Peer) -> tuple[str, list[Found]]:
        """venID of the message, or of the VEN that must have sent it where it has none (rule 508)."""
        ven_id = ven_id_of(message)
        if ven_id:
            return ven_id, []
        ven_id = self.desk.ven_of(report_request_ids(message))
        holder = self.registry.by_fingerprint(peer.fingerprint)
        ven_id = ven_id or (holder.ven_id if holder else "")
        if not ven_id:
            return "", []
        text = f"{literal(message)} has no venID; it must be from {ven_id} (rule 508)."
        return ven_id, [found(508, Severity.WARNING, text, element="venID")]

    def _refuse(self, message: Payload, why: Refusal) -> list[Action]:
        text = f"{literal(message)} was refused with {why.code}: {why.text}."
        severity = Severity.WARNING if why.code == "463" else Severity.ERROR
        return [
            found(why.rule, severity, text, element=literal(message)),
            Reply(refusal(message, why.code, why.text, vtn_id=self.vtn_id)),
        ]

    def _fired(self, name: str, now: datetime) -> list[Action]:
        if name.startswith(PRESENCE_TIMER):
            return self.presence.fired(name.removeprefix(PRESENCE_TIMER), now)
        if name.startswith(PUSH_TIMER):
            party = self.registry.parties.get(name.removeprefix(PUSH_TIMER))
            return self.pushes.fired(party, now) if party else []
        if name.startswith(EVENT_TIMER):
            return self.book.fired(name.removeprefix(EVENT_TIMER), now)
        return []

    def _command(self, given: object, now: datetime) -> list[Action]:
        match given:
            case IssueEvent(draft):
                return self.book.issue(draft, self._event_vens(), now)
            case ModifyEvent(event_id, draft):
                return self.book.modify(event_id, draft, self._event_vens(), now)
            case CancelEvent(event_id):
                return self.book.cancel(event_id, now)
            case RequestReports() | CancelReports() | RequestReregistration() | CancelRegistration():
                party = self.registry.parties.get(given.ven_id)
                if party is None:
                    return [found("command", Severity.ERROR, f"{given.ven_id} is not registered.")]
                return self._ask(party, given, now)
            case _:
                return [found("command", Severity.ERROR, f"A VTN knows no command {type(given).__name__}.")]

    def _ask(
        self,
        party: Party,
        given: RequestReports | CancelReports | RequestReregistration | CancelRegistration,
        now: datetime,
    ) -> list[Action]:
        match given:
            case RequestReports():
                requests, actions = self.desk.ask(party.ven_id, given.r_ids, given.granularity, given.report_back, now)
                if requests:
                    party.owed.append(self.messages.create_report(party, requests))
                elif not actions:
                    actions.append(found("command", Severity.ERROR, f"{party.ven_id} has offered no telemetry."))
                return actions
            case CancelReports():
                keys, actions = self.desk.cancelling(party.ven_id, given.report_request_ids)
                if keys:
                    message = self.messages.cancel_report(party, keys, given.report_to_follow)
                    party.cancels[message.request_id] = keys
                    party.owed.append(message)
                return actions
            case RequestReregistration():
                party.owed.append(OadrRequestReregistration(ven_id=party.ven_id))
                return []
            case CancelRegistration():
                return self._step(party, Heard.TOLD_TO_CANCEL, now, "")

    def _event_vens(self) -> list[str]:
        return [party.ven_id for party in self.registry.parties.values() if not party.report_only]

    # Registration ------------------------------------------------------------------------------------------------

    def _on_query(self, message: OadrQueryRegistration, peer: Peer) -> list[Action]:
        """What the VTN offers; IDs only for a VEN that its certificate tells (rule 404)."""
        party = self.registry.by_fingerprint(peer.fingerprint)
        return [Reply(self.messages.created(message, party, pull=True))]

    def _on_create_registration(self, message: OadrCreatePartyRegistration, peer: Peer, now: datetime) -> list[Action]:
        if message.profile_name != "2.0b":
            return self._refuse(message, Refusal("459", f"profile {message.profile_name} is not served here", 402))
        if message.registration_id:
            party = self.registry.renewal(message, peer)
            if isinstance(party, Refusal):
                return self._refuse(message, party)
            given = Heard.RENEWAL
        else:
            candidate = self.registry.candidate(message, peer)
            if isinstance(candidate, Refusal):
                return self._refuse(message, candidate)
            ven_id, fingerprint = candidate
            party = self.registry.parties.get(ven_id)
            if party is None:
                party = Party(ven_id, "", "", now, Registered.UNREGISTERED)
                self.registry.parties[ven_id] = party
            party.fingerprint = fingerprint
            given = Heard.NEW
        party.ven_name = message.ven_name or party.ven_name
        party.profile, party.transport = message.profile_name, message.transport_name
        party.address, party.report_only = peer.address, message.report_only
        wants_push = message.http_pull_model is False and message.transport_name == "simpleHttp"
        party.push_url = push_base(message.transport_address) if wants_push else ""
        heard = self.presence.heard(party.ven_id, now, polls=not party.push_url)
        actions = [*self._step(party, given, now, ""), *heard, *self.pushes.reach(party, now)]
        reply = Reply(self.messages.created(message, party, pull=not party.push_url))
        return [*unserved(message), *actions, Keep(party.ven_id), reply]

    def _step(self, party: Party, given: Heard, now: datetime, why: str) -> list[Action]:
        """Move a registration on by its table and do what the table says."""
        row = VTN_REGISTRATION.find(party.state, given)
        if row is None:
            text = f"{party.ven_id} is {party.state}; {given} changes nothing."
            return [found("command", Severity.WARNING, text)]
        party.state = Registered(row.target)
        act: Callable[[Party, datetime, str], list[Action]] = getattr(self, row.action)
        return act(party, now, why)

    def accept_registration(self, party: Party, now: datetime, _: str) -> list[Action]:
        """A VEN is new here: it is owed our METADATA and all events meant for it."""
        party.registration_id = self.ids.new("registration")
        party.registered_at = now
        party.owed.clear()
        party.owed.append(self.messages.own_metadata())
        events = [] if party.report_only else self.book.join(party.ven_id, now)
        return [Noted(self.messages.registered(party)), *events]

    def start_over(self, party: Party, now: datetime, why: str) -> list[Action]:
        """Rule 406: a fresh registration of a registered VEN drops its reports and begins anew."""
        return [
            *self.desk.forget(party.ven_id, "the VEN registered anew (rule 406)"),
            *self.accept_registration(party, now, why),
        ]

    def renew_registration(self, party: Party, _: datetime, __: str) -> list[Action]:
        """Nothing is lost and nothing need be said again."""
        return [Noted(self.messages.registered(party))]

    def ask_to_leave(self, party: Party, _: datetime, __: str) -> list[Action]:
        party.owed.clear()
        party.reminders = 0
        party.owed.append(self.messages.cancel_registration(party))
        return [Keep(party.ven_id)]

    def forget(self, party: Party, _: datetime, why: str) -> list[Action]:
        """Rule 407: registration, reports and what was owed are gone."""
        self.registry.parties.pop(party.ven_id, None)
        return [
            *self.desk.forget(party.ven_id, "registration ended"),
            *self.book.leave(party.ven_id),
            *self.presence.forget(party.ven_id),
            *(self.pushes.leave(party.ven_id) if party.push_url else ()),
            Noted(Unregistered(party.ven_id, why)),
            Keep(party.ven_id),
        ]

    def _on_cancel_registration(
        self, party: Party, message: OadrCancelPartyRegistration, now: datetime
    ) -> list[Action]:
        if message.registration_id != party.registration_id:
            text = f"registrationID {message.registration_id} is not that of {party.ven_id}"
            return self._refuse(message, Refusal("452", text, 400))
        gone = self._step(party, Heard.CANCEL, now, "cancelled by the VEN")
        answer = OadrCanceledPartyRegistration(
            response=response(request_id=message.request_id),
            registration_id=party.registration_id,
            ven_id=party.ven_id,
        )
        return [*gone, Reply(answer)]

    def _on_canceled_registration(
        self, party: Party, message: OadrCanceledPartyRegistration, now: datetime
    ) -> list[Action]:
        if not message.response.ok:
            return [*doubt(message.response, literal(message)), ok(party, message)]
        gone = self._step(party, Heard.CANCELED, now, "cancelled by the VTN")
        return [*gone, ok(party, message)]

    # Polls and events --------------------------------------------------------------------------------------------

    def _owed(self, party: Party, now: datetime) -> tuple[Payload | None, list[Action]]:
        """The oldest thing a VEN is owed, else the event list if it is, else nothing (rules 500, 502)."""
        if party.owed:
            owed = party.owed.popleft()
            if isinstance(owed, OadrCreateReport):
                self.desk.sent(party.ven_id, owed, now)
            return owed, [Keep(party.ven_id, may_follow=True)]
        if party.state is Registered.LEAVING and party.reminders < REMINDERS:
            party.reminders += 1
            return self.messages.cancel_registration(party), []
        if party.state is Registered.LEAVING:
            return None, self._step(party, Heard.CANCELED, now, "cancelled by the VTN; the VEN did not answer")
        if self.book.owes(party.ven_id, now):
            settled = party.registered_at + self.settings.settle
            if self.desk.has_metadata(party.ven_id) or now >= settled:
                answer = None if party.push_url else response()  # a push answers nothing
                return self.book.distribute(party.ven_id, self.ids.new("request"), now, answer)
            return None, [StartTimer(PUSH_TIMER + party.ven_id, settled)] if party.push_url else []
        again = self.desk.unanswered(party.ven_id, now, 3 * self.settings.poll_period)
        if again:
            request = self.messages.create_report(party, again)
            self.desk.sent(party.ven_id, request, now)
            return request, []
        return None, []

    def _on_poll(self, party: Party, message: OadrPoll, now: datetime) -> list[Action]:
        owed, actions = self._owed(party, now)
        if owed is not None:
            return [*actions, Reply(owed)]
        if party.ven_id not in self.registry.parties:
            return [*actions, *self._refuse(message, Refusal("463", "the registration was cancelled", 407))]
        return [*actions, ok(party, message)]

    # Push --------------------------------------------------------------------------------------------------------

    def _push_all(self, now: datetime) -> list[Action]:
        """A command may have made something owed to any of them."""
        pushed = [party for party in self.registry.parties.values() if party.push_url]
        return [action for party in pushed for action in self.pushes.go(party, now)]

    def _answered(self, given: Answered, now: datetime) -> list[Action]:
        """What came of a push: the answer is worth what the same message would be worth as a request."""
        party = self.registry.parties.get(given.request.to)
        if not self.pushes.answered(given) or party is None:
            return []
        sent = given.request.message
        if given.failure is not None and is_passing(given.failure):
            if isinstance(sent, OadrDistributeEvent):
                self.book.undelivered(party.ven_id)
            else:
                party.owed.appendleft(sent)
            return [*self.presence.lost(party.ven_id), *self.pushes.lost(party, now)]
        if given.failure is not None:
            return [refused(party, sent, given.failure), *self.pushes.taken(party, sent, now)]
        actions = self.presence.heard(party.ven_id, now, polls=False)
        serve = self._serve.get(type(given.message)) if given.message is not None else None
        if serve is not None:
            actions += [action for action in serve(party, given.message, now) if not isinstance(action, Reply)]
        return [*actions, *self.pushes.taken(party, sent, now)]

    def _on_request_event(self, party: Party, message: OadrRequestEvent, now: datetime) -> list[Action]:
        """Always an oadrDistributeEvent, empty if need be."""
        answer = response(request_id=message.request_id)
        events, actions = self.book.distribute(party.ven_id, self.ids.new("request"), now, answer, message.reply_limit)
        return [*actions, Reply(events)]

    def _on_created_event(self, party: Party, message: OadrCreatedEvent, now: datetime) -> list[Action]:
        """Each answer is taken by itself; the worst of them is the code of the reply (rule 48)."""
        actions: list[Action] = list(doubt(message.response, literal(message), rule=25))
        if message.response.ok and not message.event_responses:
            actions.append(unanswered_list(party.ven_id))
        code, words = "200", ""
        for given in message.event_responses:
            one, text, more = self.book.answered(party.ven_id, given, message.response)
            actions += more
            if one != "200" and code == "200":
                code, words = one, text
        return [*actions, Reply(OadrResponse(response=response(code, words), ven_id=party.ven_id))]

    # Reports -----------------------------------------------------------------------------------------------------

    def _on_register_report(self, party: Party, message: OadrRegisterReport, now: datetime) -> list[Action]:
        actions = self.desk.register(party.ven_id, message)
        party.owed = type(party.owed)(
            owed for owed in party.owed if not isinstance(owed, OadrCreateReport | OadrCancelReport)
        )
        requests = ()
        if self.settings.request_reports:
            requests, more = self.desk.ask(party.ven_id, None, None, None, now)
            actions += more
        if requests and not self.settings.piggyback_requests:
            party.owed.append(self.messages.create_report(party, requests))
            requests = ()
        elif requests:
            self.desk.sent(party.ven_id, self.messages.create_report(party, requests), now)
        answer = OadrRegisteredReport(
            response=response(request_id=message.request_id), report_requests=requests, ven_id=party.ven_id
        )
        return [*actions, Reply(answer)]

    def _on_registered_report(self, party: Party, message: OadrRegisteredReport, _: datetime) -> list[Action]:
        """The VEN has our METADATA, which offers nothing; a request for something is then out of place."""
        actions: list[Action] = list(doubt(message.response, literal(message)))
        if message.report_requests:
            text = f"{party.ven_id} asks for reports, but this VTN offers none (rule 300)."
            actions.append(found(300, Severity.WARNING, text, element="oadrReportRequest"))
        return [*actions, ok(party, message)]

    def _on_create_report(self, party: Party, message: OadrCreateReport, _: datetime) -> list[Action]:
        """A VEN may ask for our METADATA, and for nothing else, since there is nothing else."""
        metadata = [
            request for request in message.report_requests if request.report_specifier.report_specifier_id == "METADATA"
        ]
        for request in metadata:
            party.owed.append(self.messages.own_metadata(request.report_request_id))
        if len(metadata) < len(message.report_requests):
            return self._refuse(message, Refusal("452", "this VTN offers no reports", 304))
        answer = response(request_id=message.request_id)
        return [Reply(OadrCreatedReport(response=answer, ven_id=party.ven_id))]

    def _on_created_report(self, party: Party, message: OadrCreatedReport, _: datetime) -> list[Action]:
        actions = self.desk.created(party.ven_id, message.response, message.pending_reports)
        return [*doubt(message.response, literal(message)), *actions, ok(party, message)]

    def _on_update_report(self, party: Party, message: OadrUpdateReport, _: datetime) -> list[Action]:
        actions = self.desk.update(party.ven_id, message.reports)
        answer = OadrUpdatedReport(response=response(request_id=message.request_id), ven_id=party.ven_id)
        return [*actions, Reply(answer)]

    def _on_cancel_report(self, party: Party, message: OadrCancelReport, _: datetime) -> list[Action]:
        return self._refuse(message, Refusal("452", f"this VTN sends no reports to {party.ven_id}", 336))

    def _on_canceled_report(self, party: Party, message: OadrCanceledReport, _: datetime) -> list[Action]:
        keys = party.cancels.pop(message.response.request_id, None)
        if keys is None:
            keys = tuple(key for batch in party.cancels.values() for key in batch)
            party.cancels.clear()
        actions = self.desk.cancelled(party.ven_id, message.response, keys, message.pending_reports)
        return [*actions, ok(party, message)]

    # Opts and the rest -------------------------------------------------------------------------------------------

    def _on_create_opt(self, party: Party, message: OadrCreateOpt, _: datetime) -> list[Action]:
        """An opt on an event is taken into the event book; a schedule of availability is acknowledged."""
        code, words, actions = "200", "", list[Action]()
        if message.qualified_event_id is not None:
            event = message.qualified_event_id
            code, words, actions = self.book.opt(
                party.ven_id, event.event_id, event.modification_number, message.opt_type
            )
        answer = response(code, words, message.request_id)
        return [*actions, Reply(OadrCreatedOpt(response=answer, opt_id=message.opt_id))]

    def _on_cancel_opt(self, _: Party, message: OadrCancelOpt, __: datetime) -> list[Action]:
        """A superseded or unknown opt is no error (rule 211)."""
        answer = response(request_id=message.request_id)
        return [Reply(OadrCanceledOpt(response=answer, opt_id=message.opt_id))]

    def _on_response(self, party: Party, message: Payload, _: datetime) -> list[Action]:
        given = answer_of(message)
        doubts = doubt(given, literal(message)) if given else []
        return [*doubts, ok(party, message)]
