"""Every conformance rule of the standard by its number, and how it is decided here.

What one message or a sequence shows comes from the rules' own functions; the rest stands here: where else a rule is
decided, or why traffic cannot show it broken. Help and tests read :func:`table`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from console.openadr.rules import RULES
from console.openadr.rules.sequence import SEQUENCE_RULES


class Way(StrEnum):
    """How a rule is decided."""

    MESSAGE = "one message"
    SEQUENCE = "a sequence of messages"
    FACTS = "facts of the transport or of signatures"
    ROLE = "the roles, when they act"
    NOT = "not decidable"


@dataclass(frozen=True, slots=True)
class Entry:
    """One rule in the table."""

    number: int
    ways: tuple[Way, ...]
    text: str
    """What is checked, one sentence for each function; for a rule that is not decidable, the reason."""


_READING = {
    1: "Times are in UTC with a closing Z and without fractions, durations without decimals.",
    45: "No message says where a schema is.",
}
"""Decided while the text of a message is read (codec, lexical)."""

_FACTS = {
    53: "Host, Content-Length and Content-Type are as wanted: the HTTP transport looks at them.",
    67: "TLS 1.2 and the standard's ciphers: the TLS layer says what a handshake failed on.",
    68: "Kind and length of keys: every certificate that is shown is looked at.",
    511: "The path of a URL follows the template: the HTTP transport looks at it.",
    514: "Algorithms, references, time and nonce of a signature: console.security.",
    515: "Stanzas, JIDs and discovery on XMPP: the XMPP transport.",
    516: "Certificates that are missing or have expired: the TLS layer.",
}

_ROLES = {
    109: "A VEN refuses signals it cannot serve with 460; whether another's VEN could serve one, nobody can see.",
    112: "A VEN refuses device classes it does not have with 469; what another's VEN has, nobody can see.",
    114: "Clocks are compared where a message says when it was sent; the rest is each node's own.",
}

_INSIDE = "It is about what a node does inside with what it was told; no message shows it."
_FREE = "It allows something; nothing can break it."
_MEANING = "It says what something means; a message that means something else looks the same."
_SKILL = "It is about what a product has to be able to do, not about a message; a lack shows in a test plan."

_NOT = {
    3: f"The order of events (rule 15) shows what can be seen of priorities. {_MEANING}",
    6: _INSIDE,
    16: _INSIDE,
    17: _INSIDE,
    18: _MEANING,
    19: "A VEN may have had a reason to refuse all of a list; the reason is not in the message.",
    20: _FREE,
    22: _MEANING,
    25: _INSIDE,
    30: _INSIDE,
    31: _INSIDE,
    32: _INSIDE,
    33: "Which error a receiver should have found is decided rule by rule (21, 48, 208, 304, 336, 340, 400).",
    37: _SKILL,
    38: _SKILL,
    43: _INSIDE,
    46: _INSIDE,
    47: _MEANING,
    56: _INSIDE,
    57: _INSIDE,
    59: _INSIDE,
    61: _INSIDE,
    64: "It binds 2.0a only, whose dialogues are not followed.",
    65: _INSIDE,
    66: "An event that is missing is cancelled by that (rule 61), so one that vanishes early breaks nothing by itself.",
    69: _MEANING,
    106: _FREE,
    108: _MEANING,
    110: _FREE,
    113: "The schema of 2.0a already demands currentValue.",
    201: "Each programme has its own terms for it.",
    202: _MEANING,
    203: _INSIDE,
    205: _MEANING,
    210: _MEANING,
    302: _MEANING,
    318: "Whether a value stands for one that is missing cannot be seen; what is marked as bad is marked.",
    319: _MEANING,
    325: _MEANING,
    330: _FREE,
    337: "What a node had in its buffer is not in its messages.",
    339: _INSIDE,
    343: _MEANING,
    344: "A VEN that ignores requests in oadrRegisteredReport looks like one that still works on them.",
    346: _FREE,
    501: _SKILL,
    506: _SKILL,
    507: _SKILL,
    510: _SKILL,
}


def table() -> list[Entry]:
    """All rules, by number."""
    ways: dict[int, list[Way]] = {}
    texts: dict[int, list[str]] = {}

    def add(number: int, way: Way, text: str) -> None:
        if way not in ways.setdefault(number, []):
            ways[number].append(way)
        texts.setdefault(number, []).append(text)

    for number, text in _READING.items():
        add(number, Way.MESSAGE, text)
    for way, rules in ((Way.MESSAGE, RULES), (Way.SEQUENCE, SEQUENCE_RULES)):
        for rule in rules:
            add(rule.number, way, rule.text)
    for way, reasons in ((Way.FACTS, _FACTS), (Way.ROLE, _ROLES), (Way.NOT, _NOT)):
        for number, text in reasons.items():
            add(number, way, text)
    return [Entry(number, tuple(ways[number]), " ".join(texts[number])) for number in sorted(ways)]
