"""What goes into a role and what comes out of it.

A role is a pure state machine: ``handle(input, now) -> list[Action]``. It never awaits, opens, reads a clock or logs.
``now`` is an aware UTC datetime. A session executes the actions: it sends, owns the timers, records the facts.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from console.openadr.facts import Fact
from console.openadr.findings import Finding
from console.openadr.model import Payload


class Binding(StrEnum):
    """How two nodes talk; rules 51, 402, 403 and 500 depend on it."""

    PULL = "pull"
    PUSH = "push"
    XMPP = "xmpp"


class Service(StrEnum):
    """Service endpoints of clause 7.2 (profile 9.1); the value is the last segment of the path."""

    EI_EVENT = "EiEvent"
    EI_REPORT = "EiReport"
    EI_OPT = "EiOpt"
    EI_REGISTER_PARTY = "EiRegisterParty"
    OADR_POLL = "OadrPoll"


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end of the wire, as far as the transport knows."""

    address: str = ""
    """Host and port, or JID."""
    binding: Binding = Binding.PULL
    fingerprint: str = ""
    """Last ten bytes of the certificate's SHA-256, upper-case hex pairs with colons; empty without one."""
    issuers: tuple[str, ...] = ()
    """Fingerprints of the authorities above that certificate: what people write down by mistake."""


# Inputs ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Received:
    """A request of the peer. The role answers with exactly one Reply."""

    message: Payload
    peer: Peer
    service: Service | None = None
    findings: tuple[Finding, ...] = ()


class FailureKind(StrEnum):
    """Why a request of ours got no payload back."""

    WIRE = "wire"
    """Could not connect, time-out, closed: to be tried again with back-off."""
    HTTP = "http"
    """An HTTP status other than 200."""
    MESSAGE = "message"
    """A body that could not be read as a payload."""


@dataclass(frozen=True, slots=True)
class Failure:
    kind: FailureKind
    text: str
    status: int = 0


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back for a Send of ours: a payload, an empty body (both None) or a failure."""

    request: Send
    message: Payload | None = None
    failure: Failure | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class TimerFired:
    name: str


class Command:
    """Base of what an operator or the site asks a role to do; each role defines its own."""

    __slots__ = ()


Input = Received | Answered | TimerFired | Command

# Actions -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reply:
    """The synchronous answer to a Received; ``None`` is an empty HTTP 200 or an empty IQ result."""

    message: Payload | None


@dataclass(frozen=True, slots=True)
class Send:
    """A request of ours. The session answers it with Answered."""

    message: Payload
    service: Service
    to: str = ""
    """venID for a VTN's push; empty for a VEN, which has one VTN."""
    about: str = ""
    """The role's own note, handed back untouched in Answered."""


@dataclass(frozen=True, slots=True)
class Reach:
    """``to`` is reached at ``url`` from now on, a base up to and with ``…/OpenADR2/Simple/2.0b``; empty: no more."""

    to: str
    url: str


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Wake me at ``at``; starting a running timer of the same name moves it."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StopTimer:
    name: str


@dataclass(frozen=True, slots=True)
class Noted:
    """Something became true; the session records it and tells the listeners."""

    fact: Fact


@dataclass(frozen=True, slots=True)
class Found:
    """A finding that only the sequence of messages shows; it belongs to the message being handled."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class Keep:
    """Role state changed: it has to be on disk before the reply of this input leaves, unless it may follow."""

    ven_id: str = ""
    """Only what a VTN keeps of this VEN changed (:meth:`Vtn.part`); empty: anything may have."""
    may_follow: bool = False
    """The reply need not wait: were this lost, the peer would be told the same once more, and no harm done."""


Action = Reply | Send | Reach | StartTimer | StopTimer | Noted | Found | Keep


class Ids(Protocol):
    """Source of identifiers, injected so that recordings replay exactly."""

    def new(self, kind: str) -> str:
        """A fresh identifier; ``kind`` is ``ven``, ``registration``, ``request``, ``event``, ``report``, ``signal``."""
        ...


@dataclass(slots=True)
class SeededIds:
    """Deterministic identifiers: ``kind`` and eight hex digits from a seeded generator."""

    rng: random.Random = field(default_factory=lambda: random.Random(0))

    def new(self, kind: str) -> str:
        return f"{kind}-{self.rng.getrandbits(32):08x}"


class Role(Protocol):
    """What a session needs of a VTN or a VEN."""

    def start(self, now: datetime) -> list[Action]: ...

    def handle(self, given: Input, now: datetime) -> list[Action]: ...

    def state(self) -> dict[str, object]:
        """All that must survive a restart, as JSON-able values."""
        ...

    def restore(self, state: dict[str, object], now: datetime) -> list[Action]:
        """Go on from :meth:`state` of an earlier run; called instead of :meth:`start`."""
        ...


def facts_of(actions: Sequence[Action]) -> list[Fact]:
    """The facts among actions, in order."""
    return [action.fact for action in actions if isinstance(action, Noted)]
