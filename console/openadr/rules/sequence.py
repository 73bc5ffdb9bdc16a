"""Conformance rules that only a sequence of messages shows: a fold over (time, direction, peer, message).

:class:`SequenceChecker` takes messages in their order, live or from a recording, whoever plays the roles, and gives
for each what it broke. It knows only what it has heard: a stream that begins in the middle of things gives fewer
findings, not wrong ones.
"""

from __future__ import annotations

from console.openadr.findings import Finding
from console.openadr.rules import sequence_events, sequence_opts, sequence_registration, sequence_reports
from console.openadr.rules.pair import Heard, Pair
from console.openadr.rules.register import Found
from console.openadr.rules.turn import SEQUENCE_RULES, Turn, own_side_is_ven, rules_on

__all__ = [
    "SEQUENCE_RULES",
    "Heard",
    "SequenceChecker",
    "own_side_is_ven",
    "sequence_events",
    "sequence_opts",
    "sequence_registration",
    "sequence_reports",
]


class SequenceChecker:
    """Keeps what each VEN and its VTN told each other."""

    def __init__(self) -> None:
        self._pairs: dict[str, Pair] = {}

    def hear(self, heard: Heard) -> list[Finding]:
        """What the next message breaks, seen with those before it. ``heard.time`` never goes back within a stream."""
        pair = self._pairs.setdefault(heard.peer, Pair())
        turn = Turn(heard, pair, pair.replied_to(heard), pair.answered_request(heard))
        found = Found(heard.message, [], heard.from_ven)
        for known in rules_on(type(heard.message)):
            found.rule = known
            known.check(turn, found)
        pair.learn(heard)
        return found.findings
