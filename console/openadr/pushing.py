"""How a VTN hands push VENs what they are owed: one thing at a time for each, the next when that was taken.

What the wire loses, or a VEN that is overloaded, goes out again after a back-off; what a VEN refuses does not
(section 10). The VTN says what is owed, the same as it would answer to a poll; this module knows only whose turn it is.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from console.openadr.actions import Action, Answered, Failure, FailureKind, Reach, Send, StartTimer, StopTimer
from console.openadr.backoff import BackOff
from console.openadr.findings import Severity
from console.openadr.model import OadrDistributeEvent, Payload
from console.openadr.registry import Party
from console.openadr.replies import SERVICE_OF, found, literal

TIMER = "push:"
BASE = "/OpenADR2/Simple/2.0b"
FIRST_AFTER = timedelta(seconds=1)
"""From a registration to the first push: the VEN has to have our answer first."""

Owed = Callable[[Party, datetime], tuple[Payload | None, list[Action]]]
"""What a VEN is to be given next, None for nothing, and what else follows from giving it."""


def push_base(address: str | None) -> str:
    """Base URL behind an oadrTransportAddress, which has the end of the path or not; empty for what is none."""
    lean = (address or "").strip().rstrip("/")
    scheme, _, rest = lean.partition("://")
    if scheme.lower() not in ("http", "https") or not rest:
        return ""
    return lean if lean.endswith(BASE) else lean + BASE


class Pushes:
    """Whose turn it is, for all push VENs of one VTN."""

    def __init__(self, rng: random.Random, cap: timedelta, repeat_after: timedelta, owed: Owed) -> None:
        """``cap`` bounds the back-off; a list that wants answers is looked at again after ``repeat_after``."""
        self._rng = rng
        self._cap = cap
        self._repeat_after = repeat_after
        self._owed = owed
        self._under_way: set[str] = set()
        self._waiting: dict[str, BackOff] = {}
        """VENs the wire lost a message to, and how long that has gone on."""
        self._held: set[str] = set()
        """Those of them whose back-off runs."""

    def reach(self, party: Party, now: datetime) -> list[Action]:
        """The VEN is to be pushed to from now on, or no more where it has no address."""
        if not party.push_url:
            return self.leave(party.ven_id)
        self._under_way.discard(party.ven_id)
        self._held.add(party.ven_id)
        return [Reach(party.ven_id, party.push_url), StartTimer(TIMER + party.ven_id, now + FIRST_AFTER)]

    def leave(self, ven_id: str) -> list[Action]:
        """Nothing is pushed to it any more."""
        self._under_way.discard(ven_id)
        self._waiting.pop(ven_id, None)
        self._held.discard(ven_id)
        return [StopTimer(TIMER + ven_id), Reach(ven_id, "")]

    def go(self, party: Party, now: datetime) -> list[Action]:
        """Send the next thing owed, unless one is under way or a back-off runs."""
        ven_id = party.ven_id
        if not party.push_url or ven_id in self._under_way or ven_id in self._held:
            return []
        owed, actions = self._owed(party, now)
        if owed is None:
            return actions
        self._under_way.add(ven_id)
        return [*actions, Send(owed, SERVICE_OF[type(owed)], to=ven_id, about=literal(owed))]

    def fired(self, party: Party, now: datetime) -> list[Action]:
        """The VEN's timer: a back-off is over, or an answer may be missing."""
        self._held.discard(party.ven_id)
        return self.go(party, now)

    def answered(self, given: Answered) -> bool:
        """Whether this is the answer to what is under way; none is any more then."""
        ven_id = given.request.to
        if ven_id not in self._under_way:
            return False
        self._under_way.discard(ven_id)
        return True

    def taken(self, party: Party, message: Payload, now: datetime) -> list[Action]:
        """It got through; the next follows."""
        self._waiting.pop(party.ven_id, None)
        actions = self.go(party, now)
        wants = isinstance(message, OadrDistributeEvent) and any(
            event.response_required == "always" for event in message.events
        )
        if wants and party.ven_id not in self._under_way:
            actions.append(StartTimer(TIMER + party.ven_id, now + self._repeat_after))
        return actions

    def lost(self, party: Party, now: datetime) -> list[Action]:
        """It did not get through: wait, longer each time."""
        backoff = self._waiting.setdefault(party.ven_id, BackOff(self._rng))
        self._held.add(party.ven_id)
        return [StartTimer(TIMER + party.ven_id, now + backoff.wait(self._cap))]


def is_passing(failure: Failure) -> bool:
    """Whether the same message may get through later (section 10)."""
    return failure.kind is FailureKind.WIRE or failure.status >= 500


def refused(party: Party, message: Payload, failure: Failure) -> Action:
    """The VEN, or what stands before it, will not have this message however often it is sent."""
    text = f"{party.ven_id} did not take {literal(message)}; it is not sent again. {failure.text}"
    return found("push", Severity.ERROR, text, element=literal(message), clause="9.1")
