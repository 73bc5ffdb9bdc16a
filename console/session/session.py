"""A running node: one role, its transports, the store and a clock, joined.

What comes is recorded, read, given to the role; what the role wants done is done here: replies, requests, timers,
facts, findings, state on disk. The role decides everything that the standard decides; this module decides what HTTP
decides (a body that is no message gets 406) and in what order things are on disk: a reply that changes role state
leaves after its commit.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from enum import StrEnum

from console.openadr import codec
from console.openadr.actions import (
    Action,
    Answered,
    Binding,
    Command,
    Failure,
    FailureKind,
    Found,
    Input,
    Keep,
    Noted,
    Reach,
    Received,
    Reply,
    Role,
    Send,
    StartTimer,
    StopTimer,
    TimerFired,
)
from console.openadr.facts import Fact, FindingMade, Listening, Registered, RegistrationFailed
from console.openadr.findings import Finding, Severity
from console.openadr.model import OadrPoll, OadrResponse, Payload
from console.openadr.verdicts import SignatureVerdict
from console.openadr.vtn import Vtn
from console.security.signing import OBJECT_ID, Signer
from console.security.verification import Verifier
from console.session.clock import Clock
from console.session.composed import Composed, ComposedResponse, Composing
from console.session.outbox import Lane, Outgoing
from console.session.recorder import Recorder, element_of
from console.session.tasks import Tasks
from console.session.timers import Timers
from console.store.store import Store, StoreError
from console.transport.exchange import (
    Answer,
    Client,
    Request,
    Response,
    Server,
    TransportError,
    Undelivered,
    status_line,
)
from console.transport.fleet import Fleet
from console.transport.http_client import HttpClient
from console.transport.http_server import HttpServer
from console.transport.tls import Tls

log = logging.getLogger(__name__)

_NO_BODY = Finding("http", Severity.ERROR, "The request has no body; an oadrPayload was expected.", clause="9.1")

_NOT_ASKED = SignatureVerdict(signed=False, valid=True)

OnFact = Callable[[Fact, datetime], None]


class Kind(StrEnum):
    """Which side of the protocol a session is on; the peers of one are of the other."""

    VTN = "VTN"
    VEN = "VEN"


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What the actions of one input came to besides being done."""

    reply: Reply | None
    keep: bool
    """What changed has to be on disk before anything leaves."""
    findings: list[Finding]


class Session:
    """Runs a role.

    Parameters
    ----------
    name : str
        Unique on the desk; also the ``session`` of its messages, facts and saved state.
    kind : Kind, optional
        Told by the role's class if not given.
    strict : bool
        Refuse messages with schema errors instead of acting on them as far as they make sense.
    timezone : tzinfo
        For instants in summaries.
    tls : Tls, optional
        Serve and connect by TLS; without it a server is plain, and a client believes whom this machine believes.
    fleet : Fleet, optional
        Connections shared with other sessions of the process.
    signer : Signer, optional
        Sign everything that is sent.
    verifier : Verifier, optional
        Verify what comes; what it finds not valid is recorded and not acted on (section 10.6): a request is answered
        403, an answer counts as none.
    """

    def __init__(
        self,
        name: str,
        role: Role,
        store: Store,
        clock: Clock,
        *,
        kind: Kind | None = None,
        strict: bool = False,
        timezone: tzinfo = UTC,
        tls: Tls | None = None,
        fleet: Fleet | None = None,
        signer: Signer | None = None,
        verifier: Verifier | None = None,
    ) -> None:
        self.name = name
        self.role = role
        self.store = store
        self.clock = clock
        self.kind = kind or (Kind.VTN if isinstance(role, Vtn) else Kind.VEN)
        self.url = ""
        """Where peers reach us, or for a VEN without a server of its own where its VTN is."""
        self._strict = strict
        self._callbacks: list[OnFact] = []
        self._recorder = Recorder(name, store, clock, self._peer_name, self._tell, self.kind is Kind.VTN, timezone)
        self._timers = Timers(clock, self._timer_fired)
        self._tasks = Tasks(self._task_failed)
        self._tls = tls
        self._fleet = fleet
        self._signer = signer
        self._verifier = verifier
        self._own_fleet: Fleet | None = None
        self._servers: list[Server] = []
        self._clients: dict[str, Client] = {}
        self._composing = Composing(self._clients, self._recorder, clock, self._verdict, self._signer)
        self._lanes: dict[str, Lane] = {}
        self._held: dict[str, list[Outgoing]] = {}
        self._counterpart = ""
        self._own_id = ""
        self._trouble = ""
        self._wire_texts: dict[str, str] = {}
        """What was last wrong with the wire to each peer, so that an outage is told once."""
        self._started = self._closed = False
        self._has_state = False
        """All of the role's state was kept once, so that pieces of it say enough."""
        self._answering = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    # Starting and ending -------------------------------------------------------------------------------------------

    async def serve(self, host: str, port: int) -> str:
        """Listen for peers and start the role; the base URL. Raises TransportError in one clear sentence."""
        server = HttpServer(host, port, self.answer, tls=self._tls)
        await server.start()
        self.serve_through(server)
        return server.url

    def serve_through(self, server: Server) -> None:
        """Listen through a transport that is open already, and start the role."""
        self._servers.append(server)
        self.url = server.url
        self._note(Listening(server.url))
        self.start()

    async def connect(self, url: str, *, peer: str = "") -> None:
        """Reach a peer at a base URL and start the role; comes back at once, whether or not it is there.

        ``peer`` is the venID a VTN pushes to; empty for a VEN's one VTN. Raises TransportError for what is no URL.
        """
        client = self._fleet.client(url, Binding.PULL) if self._fleet else HttpClient(url, tls=self._tls)
        self.connect_through(client, peer=peer)
        self.url = self.url or url

    def connect_through(self, client: Client, *, peer: str = "") -> None:
        """Reach a peer through a transport that is made already, and start the role."""
        self._take_client(peer, client)
        self.start()

    def _take_client(self, peer: str, client: Client) -> None:
        self._clients[peer] = client
        self._lanes[peer] = Lane(
            f"{self.name} to {peer or client.peer.address}", self.clock, self._tasks, self._deliver
        )
        for outgoing in self._held.pop(peer, ()):
            self._lanes[peer].put(outgoing)

    def _reach(self, to: str, url: str) -> None:
        """The role says where a peer of its is reached from now on, or that it is no more."""
        if not url:
            self._lanes.pop(to, None)
            self._clients.pop(to, None)
            self._wire_texts.pop(to, None)
            return
        try:
            if self._fleet is None and self._own_fleet is None:
                self._own_fleet = Fleet(tls=self._tls)
            fleet = self._fleet or self._own_fleet
            assert fleet is not None
            self._take_client(to, fleet.client(url))
        except TransportError as error:
            self._tell(FindingMade(0, "wire", Severity.ERROR.word, "oadrTransportAddress", f"{to}: {error}"))

    def start(self) -> None:
        """Let the role begin, from its saved state where there is one; done by serve and connect."""
        if self._started:
            return
        self._started = True
        state = self.store.load_state(self.name)
        now = self.clock.now()
        if state is None:
            self._execute(self.role.start(now))
            return
        self._has_state = True
        if parts := self.store.load_parts(self.name):
            state["parts"] = parts
        self._execute(self.role.restore(state, now))

    async def close(self) -> None:
        """End without a word to the peers: stop listening, stop timers, end what is under way. May be called twice."""
        if self._closed:
            return
        self._closed = True
        self._timers.close()
        for server in self._servers:
            await server.close()
        await self._tasks.close()
        for client in self._clients.values():
            await client.close()
        if self._own_fleet is not None:
            await self._own_fleet.close()
        self._recorder.close()

    # What the desk asks --------------------------------------------------------------------------------------------

    def command(self, command: Command) -> list[Finding]:
        """Have the role do something; what is wrong with it, empty when it is under way."""
        return self._execute(self._ask(command)).findings

    def send_raw(self, composed: Composed) -> list[Finding]:
        """Send bytes an operator wrote, whatever they are; what is wrong with that, empty when they are under way.

        A VTN gives a VEN that polls what was written for it as the answer to its next poll. The record marks it; the
        role hears neither of it nor of its answer.
        """
        if self.kind is Kind.VTN and not self._composing.reaches(composed.to):
            return self._composing.keep_for_poll(composed)
        trouble = self._composing.check(composed)
        if not trouble:
            self._tasks.spawn(self._composing.send(composed), name=f"composed {composed.service.value}")
        return trouble

    @property
    def can_sign(self) -> bool:
        """Whether this node has a key its messages are signed with."""
        return self._composing.can_sign

    def on_fact(self, callback: OnFact) -> None:
        """Hear of every fact, with its instant, as it becomes true; findings come as FindingMade."""
        self._callbacks.append(callback)

    @property
    def state_text(self) -> str:
        """How it stands, in a sentence."""
        if self._closed:
            return "Closed."
        if self._trouble:
            return self._trouble
        if self._servers and self.kind is Kind.VTN:
            return f"Listening on {self.url}."
        if self._own_id:
            return f"Registered with {self._counterpart or self.url} as {self._own_id}."
        return f"Not registered yet with {self.url}." if self.url else "Not started."

    async def settled(self) -> None:
        """Come back when no request, in or out, is under way and nothing waits to be sent."""
        while busy := [lane for lane in self._lanes.values() if lane.is_busy] or not self._quiet.is_set():
            if isinstance(busy, list):
                await busy[0].settled()
            else:
                await self._quiet.wait()

    # Requests of peers ---------------------------------------------------------------------------------------------

    async def answer(self, request: Request) -> Response:
        """Record, read and answer one request; what a server calls."""
        self._answering += 1
        self._quiet.clear()
        try:
            return await self._answer(request)
        finally:
            self._answering -= 1
            if not self._answering:
                self._quiet.set()

    async def _answer(self, request: Request) -> Response:
        came = self.clock.elapsed()
        number = self._recorder.request_came(request)
        message: Payload | None = None
        if request.refusal:
            self._recorder.derive_unread(number, request.findings)
            response = _refusal(request.refusal, request.findings)
        else:
            try:
                response, message = await self._handle(request, number)
            except Exception as error:
                log.exception("%s failed on message %d", self.name, number)
                self._found_broken(f"Nodebench failed on this: {error!r}.", number)
                response = _refusal(500, ())
        if isinstance(response, ComposedResponse):
            took = self.clock.elapsed() - came
            await self._recorder.composed_response_goes(response, request.peer, number, took)
        elif request.method:
            self._recorder.response_goes(response, message, request.peer, number, self.clock.elapsed() - came)
        return response

    async def _handle(self, request: Request, number: int) -> tuple[Response, Payload | None]:
        if not request.body:
            findings = (*request.findings, _NO_BODY)
            self._recorder.derive_unread(number, findings)
            return _refusal(406, findings), None
        dissection = await self._recorder.dissect(request.body)
        # A VEN has one certificate for TLS and signatures; a VTN may sign with its other one.
        shown = request.peer.fingerprint if self.kind is Kind.VTN else ""
        verdict = await self._verdict(request.body, shown)
        findings = self._recorder.derive(number, dissection, (*request.findings, *verdict.findings))
        message = dissection.message
        if message is None or dissection.profile != codec.B or (self._strict and _breaks_schema(findings)):
            return _refusal(406, findings), None
        if not verdict.valid:
            return _refusal(403, verdict.findings), None
        # Without TLS the signature alone says who it is.
        peer = request.peer
        if verdict.fingerprint and not peer.fingerprint:
            peer = replace(peer, fingerprint=verdict.fingerprint)
        outcome = self._execute(self._ask(Received(message, peer, request.service, findings)), number)
        if outcome.keep:
            try:
                await self.store.flush()
            except StoreError as error:
                self._found_broken(f"A reply was held back: {error}", number)
                return _refusal(503, ()), None
        if outcome.reply is None:
            if not any(finding.rule == "internal" for finding in outcome.findings):
                self._found_broken(f"{type(self.role).__name__} did not answer a message.", number)
            return _refusal(500, ()), None
        if isinstance(message, OadrPoll) and isinstance(outcome.reply.message, OadrResponse):
            composed = self._composing.answer_poll_of(message.ven_id)
            if composed is not None:
                return composed, None
        return self._written(outcome.reply, number)

    def _written(self, reply: Reply, number: int) -> tuple[Response, Payload | None]:
        if reply.message is None:
            return Response(200), None
        try:
            return Response(200, self._bytes_of(reply.message)), reply.message
        except ValueError as error:
            self._found_broken(f"The reply cannot be written: {error}", number)
            return _refusal(500, ()), None

    def _bytes_of(self, message: Payload) -> bytes:
        """The message as it goes out, signed at this moment where this node signs; ValueError for what cannot be."""
        if self._signer is None:
            return codec.write(message)
        return self._signer.sign(codec.write(message, object_id=OBJECT_ID), self.clock.now())

    async def _verdict(self, body: bytes, expected: str = "") -> SignatureVerdict:
        """On a message that came; ``expected`` is the fingerprint its sender showed in TLS."""
        verifier = self._verifier
        if verifier is None:
            return _NOT_ASKED
        now = self.clock.now()
        return await self._recorder.off_loop(body, lambda body: verifier.verify(body, now, expected=expected))

    # Requests of ours ----------------------------------------------------------------------------------------------

    async def _deliver(self, outgoing: Outgoing) -> None:
        """Send one request and give the role what came of it, whatever that is: it waits for it."""
        try:
            await self._exchange(outgoing)
        except Exception as error:
            self._task_failed(f"sending {element_of(outgoing.send.message)}", error)
            failure = Failure(FailureKind.MESSAGE, f"Nodebench failed on this: {error!r}.")
            self._execute(self._ask(Answered(outgoing.send, failure=failure)))

    async def _exchange(self, outgoing: Outgoing) -> None:
        send = outgoing.send
        if outgoing.after_commit:
            try:
                await self.store.flush()
            except StoreError as error:
                self._found_broken(f"A message was sent although its state is not on disk: {error}", 0)
        client = self._clients.get(send.to)
        if client is None:
            failure = Failure(FailureKind.MESSAGE, f"{send.to} is not reached any more.")
            self._execute(self._ask(Answered(send, failure=failure)))
            return
        body = self._bytes_of(send.message)
        start_line, headers = client.headers_of(send.service, body)
        number = self._recorder.request_goes(start_line, headers, send.message, body, client.peer, send.to)
        answer = await client.post(send.service, body)
        if isinstance(answer, Undelivered):
            told = self._wire_texts.get(send.to) == answer.text
            self._recorder.no_answer_came(answer, client.peer, number, tell=not told)
            self._wire_texts[send.to] = answer.text
            failure = Failure(FailureKind.WIRE, answer.text)
            self._execute(self._ask(Answered(send, failure=failure)), number)
            return
        self._wire_texts.pop(send.to, None)
        number = self._recorder.answer_came(answer, client.peer, number, send.to)
        answered = await self._read_answer(send, answer, number)
        self._execute(self._ask(answered), number)

    async def _read_answer(self, send: Send, answer: Answer, number: int) -> Answered:
        if not answer.body:
            self._recorder.derive_unread(number, answer.findings, status_line(answer.status))
            if answer.status in (200, 204):
                return Answered(send, findings=answer.findings)
            return Answered(send, failure=_http_failure(answer), findings=answer.findings)
        if answer.status != 200 and b"<oadr" not in answer.body and b":oadr" not in answer.body:
            failure = _http_failure(answer)
            findings = (*answer.findings, Finding("http", Severity.ERROR, failure.text))
            self._recorder.derive_unread(number, findings, status_line(answer.status))
            return Answered(send, failure=failure, findings=findings)
        dissection = await self._recorder.dissect(answer.body)
        verdict = await self._verdict(answer.body)
        findings = self._recorder.derive(number, dissection, (*answer.findings, *verdict.findings))
        if answer.status != 200:
            return Answered(send, failure=_http_failure(answer), findings=findings)
        message = dissection.message
        if message is None or dissection.profile != codec.B or (self._strict and _breaks_schema(findings)):
            text = findings[0].text if findings else "The answer is not an OpenADR message."
            return Answered(send, failure=Failure(FailureKind.MESSAGE, text, answer.status), findings=findings)
        if not verdict.valid:
            text = _gravest(verdict.findings)
            return Answered(send, failure=Failure(FailureKind.MESSAGE, text, answer.status), findings=findings)
        return Answered(send, message, findings=findings)

    # The role ------------------------------------------------------------------------------------------------------

    def _ask(self, given: Input) -> list[Action]:
        """The role's actions; a failure of ours becomes a finding and leaves the session running."""
        try:
            return self.role.handle(given, self.clock.now())
        except Exception as error:
            log.exception("%s failed on %s", type(self.role).__name__, type(given).__name__)
            return [Found(Finding("internal", Severity.ERROR, f"Nodebench failed on this: {error!r}."))]

    def _execute(self, actions: list[Action], number: int = 0) -> _Outcome:
        """Do what the role wants done because of message ``number`` (0: of none)."""
        outcome = _Outcome(
            reply=next((action for action in actions if isinstance(action, Reply)), None),
            keep=any(isinstance(action, Keep) and not action.may_follow for action in actions),
            findings=[action.finding for action in actions if isinstance(action, Found)],
        )
        with self.store.together():
            if changed := {action.ven_id for action in actions if isinstance(action, Keep)}:
                self._keep(changed)
            for action in actions:
                self._do(action, outcome.keep)
            if outcome.findings:
                self._recorder.add_findings(number, tuple(outcome.findings))
        return outcome

    def _keep(self, ven_ids: set[str]) -> None:
        """Have the role's state written: of single VENs where only that changed, else all of it."""
        if self._has_state and isinstance(self.role, Vtn) and "" not in ven_ids:
            for ven_id in ven_ids:
                self.store.save_part(self.name, ven_id, self.role.part(ven_id))
        else:
            self.store.save_state(self.name, self.role.state())
            self._has_state = True

    def _do(self, action: Action, keep: bool) -> None:
        match action:
            case Noted(fact):
                self._note(fact)
            case StartTimer(name, at):
                self._timers.start(name, at)
            case StopTimer(name):
                self._timers.stop(name)
            case Send(to=to):
                self._send(to, Outgoing(action, after_commit=keep))
            case Reach(to, url):
                self._reach(to, url)
            case Reply() | Found() | Keep():
                pass

    def _send(self, to: str, outgoing: Outgoing) -> None:
        if self._closed:
            return
        lane = self._lanes.get(to)
        if lane is None:
            self._held.setdefault(to, []).append(outgoing)
        else:
            lane.put(outgoing)

    def _timer_fired(self, name: str) -> None:
        if not self._closed:
            self._execute(self._ask(TimerFired(name)))

    # Facts ---------------------------------------------------------------------------------------------------------

    def _note(self, fact: Fact) -> None:
        match fact:
            case Registered(ven_id=ven_id, vtn_id=vtn_id):
                self._trouble = ""
                if self.kind is Kind.VEN:
                    self._own_id, self._counterpart = ven_id, vtn_id
            case RegistrationFailed(text=text):
                self._trouble = text
            case _:
                pass
        self.store.note(self.name, self.clock.now(), fact)
        self._call(fact)

    def _tell(self, fact: Fact) -> None:
        """A finding is kept with its message; one that is about none is kept as a fact."""
        if isinstance(fact, FindingMade) and not fact.message:
            self.store.note(self.name, self.clock.now(), fact)
        self._call(fact)

    def _call(self, fact: Fact) -> None:
        now = self.clock.now()
        for callback in self._callbacks:
            try:
                callback(fact, now)
            except Exception:
                log.exception("a listener of %s failed on %s", self.name, type(fact).__name__)

    def _peer_name(self, message: Payload | None, fallback: str) -> str:
        field = "ven_id" if self.kind is Kind.VTN else "vtn_id"
        named = getattr(message, field, None)
        return named or (self._counterpart if self.kind is Kind.VEN else "") or fallback

    def _found_broken(self, text: str, number: int) -> None:
        log.error("%s: %s", self.name, text)
        self._recorder.add_findings(number, (Finding("internal", Severity.ERROR, text),))

    def _task_failed(self, name: str, error: BaseException) -> None:
        log.error("%s failed", name, exc_info=error)
        self._tell(FindingMade(0, "internal", Severity.ERROR.word, "", f"Nodebench failed in {name}: {error!r}."))


def _refusal(status: int, findings: tuple[Finding, ...]) -> Response:
    """An HTTP answer without a payload: the standard leaves its body open, so it says why."""
    text = _gravest(findings) or status_line(status)
    return Response(status, f"{text}\n".encode(), "text/plain; charset=utf-8")


def _http_failure(answer: Answer) -> Failure:
    said = answer.body[:200].decode("utf-8", "replace").strip()
    text = f"The peer answered {status_line(answer.status)}" + (f": {said}" if said else ".")
    return Failure(FailureKind.HTTP, text, answer.status)


def _breaks_schema(findings: tuple[Finding, ...]) -> bool:
    return any(finding.rule in ("schema", "http") and finding.severity is Severity.ERROR for finding in findings)


def _gravest(findings: tuple[Finding, ...]) -> str:
    return max(findings, key=lambda finding: finding.severity).text if findings else ""
