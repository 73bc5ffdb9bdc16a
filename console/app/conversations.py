"""Which messages belong together: request and answer, and what followed from the answer.

A VEN polls, is given an oadrDistributeEvent, says what it does with it in an oadrCreatedEvent, and hears 200 OK: four
messages in two exchanges that are one matter. They are tied by the requestID that the follow-up repeats, or by the
ids of events and reports where a peer repeats another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from console.store.ids import ids_in
from console.store.messages import MessageView

FOLLOW_UP: Mapping[str, str] = {
    "oadrDistributeEvent": "oadrCreatedEvent",
    "oadrCreateReport": "oadrCreatedReport",
    "oadrRegisterReport": "oadrRegisteredReport",
    "oadrCancelReport": "oadrCanceledReport",
    "oadrUpdateReport": "oadrUpdatedReport",
    "oadrCancelPartyRegistration": "oadrCanceledPartyRegistration",
    "oadrRequestReregistration": "oadrCreatePartyRegistration",
}
"""What is owed for a payload that came as an answer."""
_CAUSES = {follow_up: cause for cause, follow_up in FOLLOW_UP.items()}
_ANSWER_WANTED = re.compile(rb"oadrResponseRequired>\s*always\s*<")
LIMIT = timedelta(seconds=30)
"""A follow-up later than this is looked on as late."""
REACH = 2000
"""Rows of the log that are looked through for the other half."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages that are one matter, in order."""

    messages: tuple[MessageView, ...]
    owed: str = ""
    """Payload that has not come yet; empty where nothing is owed."""
    waited: timedelta | None = None
    """From what asked for the follow-up to the follow-up; None where none was asked or none has come."""


class Reading:
    """What is needed of a message log.

    Parameters
    ----------
    length, view, body
        Number of messages; row (from 0) to view; number (from 1) to body.
    """

    def __init__(
        self, length: Callable[[], int], view: Callable[[int], MessageView], body: Callable[[int], bytes]
    ) -> None:
        self.length, self.view, self.body = length, view, body


def conversation_of(log: Reading, number: int) -> Conversation:
    """The conversation that a message belongs to; at least the message itself. Raises IndexError for no message."""
    chosen = log.view(number - 1)
    asking = _asking(log, chosen)
    if asking is None:
        return Conversation(_exchange(log, chosen))
    follow_up = _follow_up(log, asking)
    if follow_up is None:
        return Conversation(_exchange(log, asking), _owed(log, asking))
    return Conversation((*_exchange(log, asking), *_exchange(log, follow_up)), "", follow_up.time - asking.time)


def _owed(log: Reading, asking: MessageView) -> str:
    """The payload that has to follow; empty for events of which none wants an answer."""
    if asking.element == "oadrDistributeEvent" and not _ANSWER_WANTED.search(log.body(asking.number)):
        return ""
    return FOLLOW_UP[asking.element]


def _exchange(log: Reading, one: MessageView) -> tuple[MessageView, ...]:
    """A message and its other half, the request first."""
    other = one.reply_to or one.answered_by
    if not 0 < other <= log.length():
        return (one,)
    pair = (one, log.view(other - 1))
    return pair if one.answered_by else pair[::-1]


def _asking(log: Reading, chosen: MessageView) -> MessageView | None:
    """The message that asks for a follow-up, in the conversation of the chosen one."""
    for each in _exchange(log, chosen):
        if each.element in FOLLOW_UP and each.reply_to:
            return each
    for each in _exchange(log, chosen):
        if each.element in _CAUSES:
            return _search(log, each, range(each.number - 2, max(-1, each.number - 2 - REACH), -1), _CAUSES)
    return None


def _follow_up(log: Reading, asking: MessageView) -> MessageView | None:
    return _search(log, asking, range(asking.number, min(log.length(), asking.number + REACH)), FOLLOW_UP)


def _search(log: Reading, one: MessageView, rows: range, wanted: Mapping[str, str]) -> MessageView | None:
    """The nearest message of the wanted payload with this peer that shares an id."""
    ids = None
    for row in rows:
        other = log.view(row)
        if other.session != one.session or other.peer != one.peer or other.element != wanted[one.element]:
            continue
        if wanted is _CAUSES and not other.reply_to:
            continue
        ids = _ids(log, one) if ids is None else ids
        if ids & _ids(log, other):
            return other
    return None


def _ids(log: Reading, view: MessageView) -> set[tuple[str, str]]:
    body = log.body(view.number)
    return {(field, each) for field in ("request", "event", "report") for each in ids_in(body, field)}
