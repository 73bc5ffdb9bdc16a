"""The VEN's role: registers, offers reports, asks for events, polls, and answers what it is given.

Over pull every logical answer is a new request to the service of that payload, and polling goes on without waiting
until the VTN has nothing more (rule 500). Over push the same answers are the replies. What the wire loses is tried
again with back-off; what the VTN refuses is told and not repeated. A registration outlives a restart.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from console.openadr.actions import (
    Action,
    Answered,
    Binding,
    Failure,
    FailureKind,
    Ids,
    Input,
    Keep,
    Noted,
    Received,
    Reply,
    Send,
    Service,
    StartTimer,
    StopTimer,
    TimerFired,
)
from console.openadr.backoff import BackOff, Resends
from console.openadr.commands import Decide, Join, Leave, Measured, SetOpt, VenSettings
from console.openadr.facts import Registered as RegisteredFact
from console.openadr.facts import RegistrationFailed, Unregistered
from console.openadr.findings import Severity
from console.openadr.held_state import keep_held, read_held
from console.openadr.keeping import kept, number, text
from console.openadr.model import (
    OadrCancelPartyRegistration,
    OadrCreatedPartyRegistration,
    OadrCreatePartyRegistration,
    OadrDistributeEvent,
    OadrPoll,
    OadrQueryRegistration,
    OadrRegisteredReport,
    OadrRequestEvent,
    OadrRequestReregistration,
    OadrResponse,
    OadrUpdatedReport,
    OadrUpdateReport,
    Payload,
)
from console.openadr.received_events import TIMER as EVENT_TIMER
from console.openadr.received_events import ReceivedEvents
from console.openadr.replies import answer_of, found, literal, misdirected, refusal, response
from console.openadr.report_engine import TIMER as REPORT_TIMER
from console.openadr.report_engine import ReportEngine
from console.openadr.states import VEN_REGISTRATION, Met, Registered
from console.openadr.ven_answers import Answers

DRAIN_LIMIT = 25
"""Polls in a row without waiting; a VTN that still has something then is out of order."""
POLL_JITTER = 0.1
"""Polls come up to this share later than asked for, never earlier (rule 403)."""
LONGEST_POLL = timedelta(days=1)
TRIES = 10
"""How often an answer the wire lost is sent again."""

_QUERY, _REGISTER, _METADATA, _EVENTS, _POLL, _LEAVE = "query", "register", "metadata", "events", "poll", "leave"


class Ven:
    """One VEN. ``decide`` is asked for an opinion on each new or modified event; settings.opt answers without it."""

    def __init__(
        self,
        ven_name: str,
        ids: Ids,
        rng: random.Random,
        settings: VenSettings | None = None,
        decide: Decide | None = None,
    ) -> None:
        self.ven_name = ven_name
        self.ids = ids
        self.rng = rng
        self.settings = settings or VenSettings()
        self.events = ReceivedEvents(self.settings, rng, decide)
        self.reports = ReportEngine(self.settings.offers, ids, self.settings.history)
        self.answers = Answers(self.settings, ids, self.events, self.reports)
        self.registered = Registered.UNREGISTERED
        self.registration_id = ""
        self._offered = False
        """METADATA was given under this registration."""
        self.poll_period = self.settings.poll_period
        self._name(self.settings.ven_id, self.settings.vtn_id)
        self._backoff = BackOff(rng)
        self._told: set[str] = set()
        """Causes of failure already told since the last success."""
        self._registered_at: datetime | None = None
        self._heard: datetime | None = None
        """When the VTN last took a message of ours."""
        self._polling = False
        self._missed = False
        """The answer to a poll was lost, and with it perhaps what the VTN will not hand out twice."""
        self._drained = 0
        self._resends = Resends(rng)

    # Role --------------------------------------------------------------------------------------------------------

    def start(self, now: datetime) -> list[Action]:
        return self._step(Met.WISH, now)

    def handle(self, given: Input, now: datetime) -> list[Action]:
        match given:
            case Answered():
                return self._answered(given, now)
            case TimerFired():
                return self._fired(given.name, now)
            case Received():
                return self._received(given, now)
            case Measured(samples):
                self.reports.measured(samples)
                return []
            case SetOpt(event_id, opt_type):
                return self.answers.opt(event_id, opt_type)
            case Leave():
                return self._step(Met.WISH_TO_LEAVE, now)
            case Join():
                return self._step(Met.WISH, now) if self.registered is not Registered.REGISTERED else []
            case _:
                return [found("command", Severity.ERROR, f"A VEN knows no command {type(given).__name__}.")]

    def state(self) -> dict[str, object]:
        return {
            "ven_id": self.ven_id,
            "vtn_id": self.vtn_id,
            "registration_id": self.registration_id,
            "poll_period": self.poll_period.total_seconds(),
            "offers": self._offer_names(),
            "events": keep_held(self.events),
            "requests": self.reports.state(),
        }

    def restore(self, state: dict[str, object], now: datetime) -> list[Action]:
        """Go on with the same registration: it is renewed, and events are asked for once more."""
        values = kept(state)
        self._enrol(text(values, "registration_id"))
        if not self.registration_id:
            return self.start(now)
        self._name(text(values, "ven_id"), text(values, "vtn_id"))
        self.poll_period = timedelta(seconds=number(values, "poll_period", 10.0))
        actions = [action for held in read_held(values.get("events")) for action in self.events.resume(held, now)]
        if values.get("offers") == self._offer_names():
            actions += self.reports.restore(values.get("requests", []), now)
            self._offered = True
        return [*actions, *self._step(Met.WISH, now)]

    def _offer_names(self) -> list[str]:
        return [f"{offer.report_specifier_id}/{offer.r_id}/{offer.unit}" for offer in self.reports.offers]

    def _name(self, ven_id: str, vtn_id: str) -> None:
        self.ven_id = self.events.ven_id = self.reports.ven_id = self.answers.ven_id = ven_id
        self.vtn_id = self.events.vtn_id = self.answers.vtn_id = vtn_id

    def _enrol(self, registration_id: str) -> None:
        self.registration_id = self.answers.registration_id = registration_id

    # Registration ------------------------------------------------------------------------------------------------

    def _step(self, met: Met, now: datetime) -> list[Action]:
        row = VEN_REGISTRATION.find(self.registered, met)
        if row is None:
            return []
        self.registered = Registered(row.target)
        act: Callable[[datetime], list[Action]] = getattr(self, row.action)
        return act(now)

    def register(self, _: datetime) -> list[Action]:
        """Ask for a registration, or renew the one there is (rule 402)."""
        ask = Send(
            OadrCreatePartyRegistration(
                request_id=self.ids.new("request"),
                registration_id=self.registration_id or None,
                ven_id=self.ven_id or None,
                profile_name="2.0b",
                transport_name="simpleHttp",
                report_only=False,
                xml_signature=self.settings.xml_signature,
                ven_name=self.ven_name,
                http_pull_model=self.settings.binding is not Binding.PUSH,
                transport_address=self.settings.transport_address or None,
            ),
            Service.EI_REGISTER_PARTY,
            about=_REGISTER,
        )
        stopped: list[Action] = [StopTimer(_POLL)]
        if self.settings.query_first and not self.registration_id:
            query = OadrQueryRegistration(request_id=self.ids.new("request"))
            return [*stopped, Send(query, Service.EI_REGISTER_PARTY, about=_QUERY), ask]
        return [*stopped, ask]

    def register_anew(self, now: datetime) -> list[Action]:
        """The VTN does not know us any more: start over, but not in a tight circle."""
        actions = [*self._disown("the VTN no longer knows this registration"), Keep()]
        recent = self._registered_at is not None and now - self._registered_at < self.settings.retry_cap
        if recent:
            return [*actions, StartTimer(_REGISTER, now + self.settings.retry_cap)]
        return [*actions, *self.register(now)]

    def try_again(self, now: datetime) -> list[Action]:
        return [StartTimer(_REGISTER, now + self._backoff.wait(self._cap()))]

    def try_later(self, now: datetime) -> list[Action]:
        """Refused: asking again soon would change nothing (rule 401)."""
        return [StartTimer(_REGISTER, now + self.settings.retry_cap)]

    def leave(self, _: datetime) -> list[Action]:
        message = OadrCancelPartyRegistration(
            request_id=self.ids.new("request"), registration_id=self.registration_id, ven_id=self.ven_id
        )
        return [StopTimer(_POLL), Send(message, Service.EI_REGISTER_PARTY, about=_LEAVE)]

    def forget(self, _: datetime) -> list[Action]:
        """Rule 407: registration, reports and events are gone."""
        gone = self.events.forget("registration ended")
        why = self._disown("the registration was cancelled")
        self._name(self.settings.ven_id, self.settings.vtn_id)
        return [*gone, *why, StopTimer(_POLL), StopTimer(_REGISTER), Keep()]

    def _disown(self, why: str) -> list[Action]:
        """Drop the registration and the report requests made under it."""
        told: list[Action] = [Noted(Unregistered(self.ven_id, why))] if self.registration_id else []
        self._enrol("")
        self._offered = False
        self._resends.clear()
        return [*self.reports.forget("registration ended"), *told]

    def settle_in(self, now: datetime) -> list[Action]:
        """Registered: METADATA first, then events, then polls (rules 301, 309, 405)."""
        self._registered_at = now
        self._backoff.reset()
        self._told.clear()
        facts: list[Action] = [Noted(self._registration()), Keep(), StopTimer(_REGISTER)]
        return [*facts, *([self._ask_events()] if self._offered else self._offer(now))]

    def _offer(self, now: datetime) -> list[Action]:
        self._offered = True
        facts = self.reports.offered_facts()
        return [*facts, Send(self.reports.metadata(now), Service.EI_REPORT, about=_METADATA)]

    def _ask_events(self) -> Send:
        message = OadrRequestEvent(request_id=self.ids.new("request"), ven_id=self.ven_id)
        return Send(message, Service.EI_EVENT, about=_EVENTS)

    def _registration(self) -> RegisteredFact:
        return RegisteredFact(
            ven_id=self.ven_id,
            ven_name=self.ven_name,
            registration_id=self.registration_id,
            vtn_id=self.vtn_id,
            poll_period=self.poll_period,
        )

    # Answers to what we sent -------------------------------------------------------------------------------------

    def _answered(self, given: Answered, now: datetime) -> list[Action]:
        about = given.request.about
        if about == _REGISTER:
            return self._on_registration(given, now) if self.registered is Registered.REGISTERING else []
        if about == _QUERY:
            return self._unreached(given)
        if about == _LEAVE:
            return [*self._unreached(given), *self._step(Met.LEFT, now)]
        if about == _POLL:
            self._polling = False
        if self.registered is not Registered.REGISTERED:
            return []
        if about == _POLL:
            return self._on_polled(given, now)
        if given.failure is not None:
            return self._on_lost(given, given.failure, now)
        self._heard = now
        self._resends.through(given.request)
        actions = self._common(given, now)
        if self.registered is not Registered.REGISTERED:
            return actions
        match given.message:
            case OadrRegisteredReport():
                actions += self._acting(self.answers.registered_report(given.message, now))
            case OadrUpdatedReport() if isinstance(given.request.message, OadrUpdateReport):
                actions += self.answers.updated_report(given.request.message, given.message, now)
            case OadrDistributeEvent() if given.message.response is None or given.message.response.ok:
                actions += self._acting(self.answers.distribute(given.message, now))
            case _:
                pass
        return [*actions, *self._next(about, given.message)]

    def _next(self, about: str, message: Payload | None) -> list[Action]:
        """Start-up goes on by the answers: METADATA, then events, then the first poll."""
        if about == _METADATA:
            return [self._ask_events()]
        if about != _EVENTS:
            return []
        doubt: list[Action] = []
        if not isinstance(message, OadrDistributeEvent):
            got = literal(message) if message else "nothing"
            text = f"oadrRequestEvent was answered by {got}; it should be an oadrDistributeEvent, empty if need be."
            doubt.append(found(40, Severity.WARNING, text, element="oadrDistributeEvent", clause="6.1"))
        return [*doubt, *self._poll()]

    def _common(self, given: Answered, now: datetime) -> list[Action]:
        """What any answer may say: an error, that we are unknown, that we should register again."""
        if isinstance(given.message, OadrRequestReregistration):
            return self._reregister(given.message, now)
        said = answer_of(given.message) if given.message else None
        if said is None or said.ok:
            return []
        asked = literal(given.request.message)
        text = f"The VTN answered {asked} with {said.response_code} {said.response_description or ''}".rstrip() + "."
        doubt = found(33, Severity.WARNING, text, element="responseCode")
        polled = given.request.about == _POLL
        if said.response_code == "463" or (polled and said.response_code == "452"):
            return [doubt, *self._step(Met.FORGOTTEN, now)]
        return [doubt]

    def _on_registration(self, given: Answered, now: datetime) -> list[Action]:
        if given.failure is not None:
            passing = given.failure.kind is FailureKind.WIRE or given.failure.status >= 500
            return [*self._unreached(given), *self._step(Met.UNREACHABLE if passing else Met.REFUSED, now)]
        message = given.message
        why = self._refusal(message)
        if why and self.registration_id:
            text = f"The VTN does not renew the registration ({why}); the VEN registers anew."
            actions = [found(400, Severity.WARNING, text), *self._disown(why), Keep()]
            self._name(self.settings.ven_id, self.settings.vtn_id)
            return [*actions, *self._step(Met.WISH, now)]
        if why or not isinstance(message, OadrCreatedPartyRegistration):
            return [*self._failed(f"The VTN did not register this VEN: {why}."), *self._step(Met.REFUSED, now)]
        renewed = (self.ven_id, self.registration_id) == (message.ven_id, message.registration_id)
        self._offered = self._offered and renewed
        self._enrol(message.registration_id or "")
        self._name(message.ven_id or self.ven_id, message.vtn_id)
        asked = message.requested_oadr_poll_freq
        if asked is not None and asked.seconds > 0:
            self.poll_period = min(asked.timedelta, LONGEST_POLL)
        return self._step(Met.ACCEPTED, now)

    def _refusal(self, message: Payload | None) -> str:
        """Why an answer is no registration; empty where it is one. Code 200 without a registrationID is none."""
        said = answer_of(message) if message else None
        if said is not None and not said.ok:
            return f"{said.response_code} {said.response_description or ''}".rstrip()
        if not isinstance(message, OadrCreatedPartyRegistration):
            return f"it answered with {literal(message) if message else 'nothing'}"
        if not message.registration_id or not (message.ven_id or self.ven_id):
            return "its answer holds no registrationID or no venID"
        if self.settings.vtn_id and message.vtn_id != self.settings.vtn_id:
            return f"it is {message.vtn_id}, {self.settings.vtn_id} was expected"
        return ""

    def _reregister(self, message: OadrRequestReregistration, now: datetime) -> list[Action]:
        """Acknowledge first, then register with the registrationID there is (rule 402)."""
        doubts = self.answers.for_us(message)
        recent = self._registered_at is not None and now - self._registered_at < timedelta(seconds=1)
        if recent:
            text = "The VTN asks for registration again right after it; the VEN waits for the next poll."
            return [*doubts, found(405, Severity.WARNING, text, element="oadrRequestReregistration")]
        return [*doubts, *self._step(Met.ASKED_AGAIN, now)]

    # Failures ----------------------------------------------------------------------------------------------------

    def _failed(self, text: str) -> list[Action]:
        if text in self._told:
            return []
        self._told.add(text)
        return [Noted(RegistrationFailed(text)), found("registration", Severity.ERROR, text)]

    def _unreached(self, given: Answered) -> list[Action]:
        """Told once for each cause until a message gets through.

        Whoever runs the role tells what the wire broke, with the bytes; here it is only said that there is no
        registration because of it.
        """
        failure = given.failure
        if failure is None or failure.text in self._told:
            return []
        self._told.add(failure.text)
        told: list[Action] = []
        if self.registered in (Registered.REGISTERING, Registered.UNREGISTERED):
            told.append(Noted(RegistrationFailed(failure.text)))
        known = {finding.text for finding in given.findings}
        if failure.kind is not FailureKind.WIRE and failure.text not in known:
            told.append(found(failure.kind.value, Severity.ERROR, failure.text))
        return told

    def _on_lost(self, given: Answered, failure: Failure, now: datetime) -> list[Action]:
        """The wire gets another try; an HTTP error or an unreadable answer does not (section 10)."""
        message = given.request.message
        if isinstance(message, OadrUpdateReport):
            told = self._unreached(given) if failure.kind is FailureKind.WIRE else []
            return [*told, *self.reports.failed(message, failure, now, self._heard)]
        told = self._unreached(given)
        if failure.kind is FailureKind.WIRE or failure.status == 503:
            return [*told, *self._send_again(given.request, now)]
        return [*told, *self._next(given.request.about, None)]

    def _send_again(self, request: Send, now: datetime) -> list[Action]:
        tries = None if request.about in (_METADATA, _EVENTS) else TRIES
        again = self._resends.lost(request, now, self._cap(), tries)
        given_up = f"{literal(request.message)} was given up after {TRIES} tries."
        return [again or found("wire", Severity.ERROR, given_up, element=literal(request.message))]

    def _cap(self) -> timedelta:
        """Longest wait between tries: the poll interval, or the cap of the settings where that is shorter."""
        return min(self.settings.retry_cap, max(self.poll_period, timedelta(seconds=1)))

    # Polling -----------------------------------------------------------------------------------------------------

    def _poll(self) -> list[Action]:
        if self._polling or self.settings.binding is Binding.PUSH:
            return []
        self._polling = True
        return [StopTimer(_POLL), Send(OadrPoll(ven_id=self.ven_id), Service.OADR_POLL, about=_POLL)]

    def _on_polled(self, given: Answered, now: datetime) -> list[Action]:
        if given.failure is not None:
            told = self._unreached(given)
            self._missed = True
            return [*told, StartTimer(_POLL, now + self._backoff.wait(self.poll_period))]
        self._heard = now
        self._told.clear()
        self._backoff.reset()
        actions = [*self._catch_up(), *self._common(given, now)]
        if isinstance(given.message, OadrRequestReregistration):
            actions.insert(0, self._acknowledged())
        if self.registered is not Registered.REGISTERED:
            return actions
        if given.message is None or isinstance(given.message, OadrResponse | OadrRequestReregistration):
            return [*actions, *self._rest(now)]
        actions += self._acting(self.answers.act(given.message, now))
        if isinstance(given.message, OadrCancelPartyRegistration) and self.answers.dismissed:
            return [*actions, *self._step(Met.CANCELLED, now)]
        self._drained += 1
        if self._drained >= DRAIN_LIMIT:
            text = f"{DRAIN_LIMIT} polls in a row brought something; the VEN waits before it asks again (rule 500)."
            return [*actions, found(500, Severity.WARNING, text), *self._rest(now)]
        return [*actions, *self._poll()]

    def _acknowledged(self) -> Send:
        """oadrRequestReregistration that came by poll wants its oadrResponse before the registration."""
        answer = OadrResponse(response=response(), ven_id=self.ven_id)
        return Send(answer, Service.EI_REGISTER_PARTY, about=literal(answer))

    def _catch_up(self) -> list[Action]:
        """After an outage the list of events is asked for: the VTN counts a lost one as delivered."""
        if not self._missed:
            return []
        self._missed = False
        message = OadrRequestEvent(request_id=self.ids.new("request"), ven_id=self.ven_id)
        return [Send(message, Service.EI_EVENT, about=literal(message))]

    def _rest(self, now: datetime) -> list[Action]:
        """Nothing more: the next poll comes after the period, a little late at most."""
        self._drained = 0
        return [StartTimer(_POLL, now + self.poll_period * self.rng.uniform(1.0, 1.0 + POLL_JITTER))]

    def _acting(self, outcome: tuple[Payload | None, Service, list[Action]]) -> list[Action]:
        """The answer to something given by poll, as a new request to its service."""
        answer, service, actions = outcome
        sent: list[Action] = [Send(answer, service, about=literal(answer))] if answer is not None else []
        return [*sent, *actions]

    # Timers and pushes -------------------------------------------------------------------------------------------

    def _fired(self, name: str, now: datetime) -> list[Action]:
        if name == _REGISTER:
            return self._step(Met.WISH, now)
        if name == _POLL:
            return self._poll() if self.registered is Registered.REGISTERED else []
        if name.startswith(EVENT_TIMER):
            return self.events.fired(name.removeprefix(EVENT_TIMER), now)
        if name.startswith(REPORT_TIMER):
            ready = self.registered is Registered.REGISTERED
            return self.reports.fired(name.removeprefix(REPORT_TIMER), now) if ready else self._hold(name, now)
        again = self._resends.due(name)
        return [again] if again is not None and self.registered is Registered.REGISTERED else []

    def _hold(self, name: str, now: datetime) -> list[Action]:
        """A report that is due while the registration is being renewed waits for it."""
        return [StartTimer(name, now + timedelta(seconds=1))] if self.registered is Registered.REGISTERING else []

    def _received(self, given: Received, now: datetime) -> list[Action]:
        """A push: the same answers, as replies; events are answered by a new request (section 4)."""
        message = given.message
        aside: list[Action] = list(misdirected(message, given.service))
        wanted = self.settings.vtn_fingerprint.upper()
        if wanted and given.peer.fingerprint.upper() != wanted:
            why = f"certificate {given.peer.fingerprint or 'missing'} is not that of the VTN, {wanted}"
            doubt = found(517, Severity.ERROR, f"{literal(message)} was refused with 463: {why}.")
            return [*aside, doubt, Reply(refusal(message, "463", why, vtn_id=self.vtn_id))]
        if self.registered is not Registered.REGISTERED:
            why = "this VEN is not registered"
            return [*aside, Reply(refusal(message, "463", why, vtn_id=self.vtn_id))]
        if isinstance(message, OadrRequestReregistration):
            answer = OadrResponse(response=response(), ven_id=self.ven_id)
            return [*aside, Reply(answer), *self._reregister(message, now)]
        answer, service, actions = self.answers.act(message, now)
        if isinstance(message, OadrDistributeEvent):
            sent: list[Action] = [Send(answer, service, about=literal(answer))] if answer is not None else []
            return [*aside, Reply(None), *actions, *sent]
        gone = self._step(Met.CANCELLED, now) if self.answers.dismissed else []
        return [*aside, Reply(answer), *actions, *gone]
