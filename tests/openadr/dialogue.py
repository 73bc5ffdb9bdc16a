"""A VTN and VENs in one process without a wire: time jumps from timer to timer, every message goes through its bytes.

``Lab`` executes the actions of the roles as a session would: sends in order, one after the other, timers on a clock of
its own. Each message is written, read again and must be valid by our schema, so a dialogue proves its messages too.
"""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from console.openadr import rules
from console.openadr.actions import (
    Action,
    Answered,
    Binding,
    Command,
    Failure,
    FailureKind,
    Found,
    Keep,
    Noted,
    Peer,
    Reach,
    Received,
    Reply,
    SeededIds,
    Send,
    Service,
    StartTimer,
    StopTimer,
    TimerFired,
)
from console.openadr.codec import dissect, write
from console.openadr.commands import EventDraft, Offer, VenSettings, VtnSettings
from console.openadr.facts import Fact
from console.openadr.findings import Finding, Severity
from console.openadr.model import Payload
from console.openadr.replies import SERVICE_OF
from console.openadr.ven import Ven
from console.openadr.vtn import Vtn

START = datetime(2030, 6, 3, 9, 30, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)

_F = TypeVar("_F", bound=Fact)
_P = TypeVar("_P", bound=Payload)

Answering = Callable[[Payload, datetime], Payload | Failure | None]
"""A peer as a function: what it answers to a message."""


class Script:
    """A VTN that answers as a function says, to put a VEN before peers that do not follow the rules."""

    def __init__(self, answer: Answering) -> None:
        self.answer = answer


@dataclass
class Exchange:
    at: datetime
    sender: str
    request: Payload
    answer: Payload | Failure | None


@dataclass
class Node:
    name: str
    role: Vtn | Ven
    timers: dict[str, datetime] = field(default_factory=dict[str, datetime])
    sends: deque[Send] = field(default_factory=deque[Send])
    facts: list[Fact] = field(default_factory=list[Fact])
    findings: list[Finding] = field(default_factory=list[Finding])
    kept: dict[str, object] = field(default_factory=dict[str, object])
    """What a session would have on disk."""
    reached: dict[str, str] = field(default_factory=dict[str, str])
    """URLs it was told to push to, by venID."""
    busy: bool = False
    """Sending; what follows from an answer queues up behind."""

    def said(self, kind: type[_F]) -> list[_F]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    def rules(self) -> list[str]:
        return [finding.rule for finding in self.findings]


class Lab:
    """One VTN (or a script in its place) and any number of VENs."""

    def __init__(self, vtn: Vtn | Script, *vens: Ven) -> None:
        self.now = START
        self.script = vtn if isinstance(vtn, Script) else None
        self.vtn = Node("vtn", vtn) if isinstance(vtn, Vtn) else None
        self.vens = [Node(ven.ven_name, ven) for ven in vens]
        self.wire: list[Exchange] = []
        self.down: Failure | None = None
        """While set, nothing reaches the VTN."""
        self.meddle: Callable[[Payload], Failure | None] = lambda _: None
        """May lose single requests."""
        self.proper = True
        """Whether our own messages must be beyond reproach; an echo of a peer's nonsense cannot be."""
        self.swallow: Callable[[Payload], bool] = lambda _: False
        """May lose single answers: the VTN has acted, the VEN does not know."""

    @property
    def nodes(self) -> list[Node]:
        return [*([self.vtn] if self.vtn else []), *self.vens]

    @property
    def ven(self) -> Node:
        return self.vens[0]

    @property
    def desk(self) -> Node:
        assert self.vtn is not None
        return self.vtn

    # Running -----------------------------------------------------------------------------------------------------

    def start(self) -> Lab:
        for node in self.nodes:
            self.execute(node, node.role.start(self.now))
        return self

    def advance(self, by: timedelta = timedelta(0)) -> Lab:
        """Let time pass, firing every timer at its instant."""
        until, fired = self.now + by, 0
        while (due := self._next_timer()) is not None and due[0] <= until:
            self.now = max(self.now, due[0])
            _, node, name = due
            del node.timers[name]
            self.execute(node, node.role.handle(TimerFired(name), self.now))
            fired += 1
            assert fired < 200_000, f"{node.name}'s timer {name} never rests"
        self.now = until
        return self

    def _next_timer(self) -> tuple[datetime, Node, str] | None:
        timers = [(at, node, name) for node in self.nodes for name, at in node.timers.items()]
        return min(timers, key=lambda timer: (timer[0], timer[1].name, timer[2]), default=None)

    def command(self, node: Node, command: Command) -> list[Action]:
        actions = node.role.handle(command, self.now)
        self.execute(node, actions)
        return actions

    def restart(self, node: Node, role: Vtn | Ven) -> None:
        """The process ended and a new one goes on from what was kept."""
        node.timers.clear()
        node.role = role
        self.execute(node, role.restore(json.loads(json.dumps(node.kept)), self.now))

    def execute(self, node: Node, actions: list[Action]) -> Payload | None:
        """Carry out actions; the reply among them is returned."""
        reply: Payload | None = None
        for action in actions:
            match action:
                case StartTimer(name, at):
                    node.timers[name] = at
                case StopTimer(name):
                    node.timers.pop(name, None)
                case Noted(fact):
                    node.facts.append(fact)
                case Found(finding):
                    node.findings.append(finding)
                case Send():
                    node.sends.append(action)
                case Reply(message):
                    reply = message
                case Reach(to, url):
                    node.reached[to] = url
                case Keep():
                    pass
        self._keep(node, {action.ven_id for action in actions if isinstance(action, Keep)})
        self._drain(node)
        return reply

    def _keep(self, node: Node, ven_ids: set[str]) -> None:
        """As a session does: pieces on top of the last whole."""
        if ven_ids and node.kept and isinstance(node.role, Vtn) and "" not in ven_ids:
            parts = dict(node.kept.get("parts", {}))  # type: ignore[call-overload]
            node.kept["parts"] = parts | {ven_id: node.role.part(ven_id) for ven_id in ven_ids}
        elif ven_ids:
            node.kept = node.role.state()

    def _drain(self, node: Node) -> None:
        if node.busy:
            return
        node.busy = True
        sent = 0
        try:
            while node.sends:
                send = node.sends.popleft()
                sent += 1
                assert sent < 500, f"{node.name} keeps sending: {send.message}"
                self.execute(node, node.role.handle(self._exchange(node, send), self.now))
        finally:
            node.busy = False

    def _exchange(self, node: Node, send: Send) -> Answered:
        answer = self._deliver(node, send)
        self.wire.append(Exchange(self.now, node.name, send.message, answer))
        if isinstance(answer, Failure):
            return Answered(send, failure=answer)
        return Answered(send, message=answer)

    def _deliver(self, node: Node, send: Send) -> Payload | Failure | None:
        failure = self.down or self.meddle(send.message)
        if failure is not None:
            return failure
        request = impeccable(send.message) if self.proper else through_bytes(send.message)
        if node is self.vtn:
            answer = self._push(send, request)
        elif self.script is not None:
            answer = self.script.answer(request, self.now)
        else:
            answer = self.says(request, Peer(address=node.name), send.service)
        if isinstance(answer, Payload):
            read = impeccable(answer) if self.proper and not self.script else through_bytes(answer)
            return WIRE if self.swallow(answer) else read
        return answer

    def _push(self, send: Send, message: Payload) -> Payload | Failure | None:
        """What the VTN sends of its own accord, at the VEN it is for."""
        node = next((one for one in self.vens if isinstance(one.role, Ven) and one.role.ven_id == send.to), None)
        if node is None or not self.desk.reached.get(send.to):
            return Failure(FailureKind.WIRE, "connection refused")
        actions = node.role.handle(Received(message, Peer("vtn", Binding.PUSH), send.service), self.now)
        assert sum(isinstance(action, Reply) for action in actions) == 1, f"{actions} to {message}"
        return self.execute(node, actions)

    def says(self, message: Payload, peer: Peer | None = None, service: Service | None = None) -> Any:
        """A VEN of flesh: hand a message to the VTN and get its reply."""
        service = service or SERVICE_OF.get(type(message), Service.EI_REGISTER_PARTY)
        actions = self.desk.role.handle(Received(message, peer or Peer(address="bench"), service), self.now)
        replies = [action for action in actions if isinstance(action, Reply)]
        assert len(replies) == 1, f"{len(replies)} replies to {message}"
        return self.execute(self.desk, actions)

    # Looking back ------------------------------------------------------------------------------------------------

    def sent(self, kind: type[_P], sender: str | None = None) -> list[_P]:
        """Requests of one type, in order."""
        return [
            each.request
            for each in self.wire
            if isinstance(each.request, kind) and (sender is None or each.sender == sender)
        ]

    def given(self, kind: type[_P]) -> list[_P]:
        """Answers of one type, in order."""
        return [each.answer for each in self.wire if isinstance(each.answer, kind)]

    def elements(self) -> list[str]:
        """The dialogue as ``request > answer``."""
        return [f"{_short(each.request)} > {_short(each.answer)}" for each in self.wire]


def through_bytes(message: Payload) -> Payload:
    """The message as its receiver reads it."""
    dissection = dissect(write(message))
    assert dissection.valid and dissection.message is not None, dissection.findings
    return dissection.message


def impeccable(message: Payload) -> Payload:
    """A message of ours: valid, and nothing the rules would remark on."""
    read = through_bytes(message)
    remarks = [finding for finding in rules.check(read) if finding.severity > Severity.INFO]
    assert not remarks, f"{message}: {remarks}"
    return read


def _short(message: Payload | Failure | None) -> str:
    if isinstance(message, Failure):
        return message.kind.value
    return "nothing" if message is None else type(message).__name__.removeprefix("Oadr")


WIRE = Failure(FailureKind.WIRE, "The VTN cannot be reached: connection refused.")
HTTP_500 = Failure(FailureKind.HTTP, "The VTN answered HTTP 500.", 500)

METER = Offer(r_id="meter", resource_id="site", min_period=2 * SECOND, max_period=HOUR)
STATUS = Offer.status("site-status", "site", min_period=2 * SECOND)


def vtn(settings: VtnSettings | None = None, seed: int = 1) -> Vtn:
    rng = random.Random(seed)
    return Vtn("VTN-1", SeededIds(random.Random(seed)), rng, settings or VtnSettings())


def ven(name: str = "ven-7", settings: VenSettings | None = None, seed: int = 2, decide: Any = None) -> Ven:
    rng = random.Random(f"{name}{seed}")
    return Ven(name, SeededIds(random.Random(f"{name} ids {seed}")), rng, settings or VenSettings(), decide)


def pair(vtn_settings: VtnSettings | None = None, ven_settings: VenSettings | None = None, decide: Any = None) -> Lab:
    """A VTN and a VEN that have found each other and have nothing more to say."""
    return Lab(vtn(vtn_settings), ven(settings=ven_settings, decide=decide)).start()


def event(
    event_id: str = "e-1",
    *,
    start: timedelta = 10 * MINUTE,
    length: timedelta = HOUR,
    level: float = 2.0,
    at: datetime = START,
    **more: Any,
) -> EventDraft:
    """A SIMPLE event ``start`` after ``at``."""
    fields: dict[str, Any] = {
        "event_id": event_id,
        "signal_name": "SIMPLE",
        "signal_type": "level",
        "start": at + start,
        "intervals": ((length, level),),
    }
    return EventDraft(**{**fields, **more})
