"""The life of an S2 instruction, the same table for both ends.

NEW is the CEM's own word until the resource manager answers; every end has a reason, since InstructionStatusUpdate has
no field for one: the CEM keeps what it knows of it (a ReceptionStatus label, what replaced it, why the session ended).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from s2python.generated import gen_s2 as g

Status = g.InstructionStatus

Instruction: TypeAlias = (
    g.FRBCInstruction
    | g.PEBCInstruction
    | g.OMBCInstruction
    | g.DDBCInstruction
    | g.PPBCScheduleInstruction
    | g.PPBCStartInterruptionInstruction
    | g.PPBCEndInterruptionInstruction
)
INSTRUCTIONS = (
    g.FRBCInstruction,
    g.PEBCInstruction,
    g.OMBCInstruction,
    g.DDBCInstruction,
    g.PPBCScheduleInstruction,
    g.PPBCStartInterruptionInstruction,
    g.PPBCEndInterruptionInstruction,
)

NEXT: dict[Status, frozenset[Status]] = {
    Status.NEW: frozenset({Status.ACCEPTED, Status.REJECTED, Status.REVOKED}),
    Status.ACCEPTED: frozenset({Status.STARTED, Status.ABORTED, Status.REVOKED}),
    Status.STARTED: frozenset({Status.SUCCEEDED, Status.ABORTED, Status.REVOKED}),
    Status.REJECTED: frozenset(),
    Status.SUCCEEDED: frozenset(),
    Status.ABORTED: frozenset(),
    Status.REVOKED: frozenset(),
}
FINAL = frozenset(status for status, following in NEXT.items() if not following)

KEPT = 64
"""Ended instructions remembered per session; older ones are forgotten."""


def reachable(status: Status) -> frozenset[Status]:
    """Every status that may still come, near or far: some peers leave steps out."""
    found: set[Status] = set()
    ahead = list(NEXT[status])
    while ahead:
        one = ahead.pop()
        if one not in found:
            found.add(one)
            ahead.extend(NEXT[one])
    return frozenset(found)


@dataclass(slots=True)
class Life:
    """One instruction and how far it has come."""

    instruction: Instruction
    status: Status
    since: datetime
    why: str = ""
    """Why it ended, where it ended otherwise than well."""

    @property
    def id(self) -> str:
        return self.instruction.id.root

    @property
    def over(self) -> bool:
        return self.status in FINAL

    def goes(self, status: Status, now: datetime, why: str = "") -> None:
        self.status, self.since, self.why = status, now, why or self.why


class Lives:
    """The instructions of one session by their id."""

    def __init__(self) -> None:
        self._lives: dict[str, Life] = {}

    def add(self, life: Life) -> None:
        self._lives[life.id] = life
        ended = [one.id for one in self._lives.values() if one.over]
        for identifier in ended[:-KEPT]:
            del self._lives[identifier]

    def get(self, identifier: str) -> Life | None:
        return self._lives.get(identifier)

    def going(self) -> list[Life]:
        """Those that have not ended, oldest first."""
        return [life for life in self._lives.values() if not life.over]

    def all(self) -> list[Life]:
        return list(self._lives.values())
