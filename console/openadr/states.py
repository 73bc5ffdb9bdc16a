"""Transition tables of the two roles. All that may change a registration or a report request stands here.

A table knows nothing of messages' contents, time or transport: a role looks up what it is in and what came, moves on
and runs the action named. What is not in the table is out of place, and the role answers or reports it as such.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Transition:
    """From one state, on one input, to the next; ``action`` names the role's method that does the work."""

    source: str
    given: str
    target: str
    action: str


class Transitions:
    """A table of transitions, looked up by (state, input)."""

    def __init__(self, clause: str, rows: Iterable[Transition]) -> None:
        self.clause = clause
        self.rows = tuple(rows)
        self._rows = {(row.source, row.given): row for row in self.rows}
        if len(self._rows) != len(self.rows):
            raise ValueError(f"{clause}: two rows for one state and input")

    def find(self, state: str, given: str) -> Transition | None:
        """The row for this state and input; None where the input is out of place."""
        return self._rows.get((state, given))


Row = tuple[str, str, str, str]


def transitions(clause: str) -> Callable[[Iterable[Row]], Transitions]:
    """A table resting on ``clause``, given as rows (from, input, to, action)."""
    return lambda rows: Transitions(clause, (Transition(*row) for row in rows))


class Registered(StrEnum):
    """Where a VEN's registration stands, seen from either side."""

    UNREGISTERED = "unregistered"
    REGISTERING = "registering"
    """VEN: asked, not answered yet."""
    REGISTERED = "registered"
    LEAVING = "leaving"
    """Cancellation sent (VEN) or owed to the VEN (VTN), not answered yet."""


class Heard(StrEnum):
    """What a VTN hears or is told that touches a registration."""

    NEW = "new registration"
    RENEWAL = "renewal"
    CANCEL = "cancellation"
    CANCELED = "cancellation answered"
    TOLD_TO_CANCEL = "told to cancel"


_UNREGISTERED, _REGISTERING, _REGISTERED, _LEAVING = Registered

VTN_REGISTRATION = transitions("9.2.5, 6.3")(
    [
        # from            input                  to              action
        (_UNREGISTERED, Heard.NEW, _REGISTERED, "accept_registration"),
        (_REGISTERED, Heard.NEW, _REGISTERED, "start_over"),  # rule 406: a fresh one resets
        (_LEAVING, Heard.NEW, _REGISTERED, "start_over"),
        (_REGISTERED, Heard.RENEWAL, _REGISTERED, "renew_registration"),
        (_REGISTERED, Heard.CANCEL, _UNREGISTERED, "forget"),  # rule 407
        (_LEAVING, Heard.CANCEL, _UNREGISTERED, "forget"),
        (_REGISTERED, Heard.TOLD_TO_CANCEL, _LEAVING, "ask_to_leave"),
        (_LEAVING, Heard.CANCELED, _UNREGISTERED, "forget"),
        (_REGISTERED, Heard.CANCELED, _UNREGISTERED, "forget"),
    ]
)
"""One VEN's registration at the VTN."""


class Met(StrEnum):
    """What a VEN meets on its way into and out of a registration."""

    WISH = "wish to register"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    FORGOTTEN = "forgotten by the VTN"
    ASKED_AGAIN = "asked to register again"
    CANCELLED = "cancelled by the VTN"
    WISH_TO_LEAVE = "wish to leave"
    LEFT = "left"


VEN_REGISTRATION = transitions("9.2.5, 6.3")(
    [
        # from            input                to               action
        (_UNREGISTERED, Met.WISH, _REGISTERING, "register"),
        (_REGISTERING, Met.WISH, _REGISTERING, "register"),
        (_REGISTERING, Met.ACCEPTED, _REGISTERED, "settle_in"),
        (_REGISTERING, Met.REFUSED, _UNREGISTERED, "try_later"),
        (_REGISTERING, Met.UNREACHABLE, _REGISTERING, "try_again"),
        (_REGISTERED, Met.FORGOTTEN, _REGISTERING, "register_anew"),  # 463, 452: our registration is worth nothing
        (_REGISTERED, Met.ASKED_AGAIN, _REGISTERING, "register"),
        (_REGISTERED, Met.CANCELLED, _UNREGISTERED, "forget"),  # rule 407
        (_REGISTERED, Met.WISH_TO_LEAVE, _LEAVING, "leave"),
        (_REGISTERING, Met.WISH_TO_LEAVE, _UNREGISTERED, "forget"),
        (_LEAVING, Met.LEFT, _UNREGISTERED, "forget"),
        (_LEAVING, Met.CANCELLED, _UNREGISTERED, "forget"),
    ]
)
"""A VEN's own registration."""


class Requested(StrEnum):
    """Where a report request stands at its requester."""

    OWED = "owed"
    """Waits for the VEN's poll."""
    ASKED = "asked"
    RUNNING = "running"
    STOPPED = "stopped"


class Course(StrEnum):
    """What moves a report request at its requester."""

    SENT = "sent"
    CONFIRMED = "confirmed"
    DATA = "data"
    REFUSED = "refused"
    ENDED = "ended"


_OWED, _ASKED, _RUNNING, _STOPPED = Requested

REPORT_REQUEST = transitions("9.2.4, 6.2")(
    [
        # from     input             to         action
        (_OWED, Course.SENT, _ASKED, ""),
        (_ASKED, Course.SENT, _ASKED, ""),
        (_OWED, Course.CONFIRMED, _RUNNING, ""),
        (_ASKED, Course.CONFIRMED, _RUNNING, ""),
        (_RUNNING, Course.CONFIRMED, _RUNNING, ""),
        (_ASKED, Course.DATA, _RUNNING, ""),  # some VENs send before they confirm
        (_OWED, Course.DATA, _RUNNING, ""),
        (_RUNNING, Course.DATA, _RUNNING, ""),
        (_ASKED, Course.REFUSED, _STOPPED, "stop"),
        (_RUNNING, Course.REFUSED, _STOPPED, "stop"),
        (_OWED, Course.ENDED, _STOPPED, "stop"),
        (_ASKED, Course.ENDED, _STOPPED, "stop"),
        (_RUNNING, Course.ENDED, _STOPPED, "stop"),
    ]
)
"""A report request at the VTN that made it."""
