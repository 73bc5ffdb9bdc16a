"""The device's end of an S2 session: tells what it can do, and carries out instructions at their time.

`ResourceManager` is the seam to the device; the session knows the protocol, the resource manager the equipment.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Protocol

from pydantic import BaseModel
from s2python.generated import gen_s2 as g

from emulator.links.s2.codec import VERSION, IdSource, key
from emulator.links.s2.instructions import INSTRUCTIONS, Instruction, Life, Status
from emulator.links.s2.session import CEM_ALWAYS, FROM_CEM, FROM_RM, RM_ALWAYS, ControlType, Session, State

Draft = tuple[type[BaseModel], dict[str, object]]
"""A message to come: its class and its fields without the message_id, which the session gives."""


class ResourceManager(Protocol):
    """What stands behind an `RmSession`: one device, described and driven."""

    name: str

    def details(self) -> dict[str, object]:
        """Fields of ResourceManagerDetails."""
        ...

    def describe(self, control_type: ControlType, now: datetime) -> Iterable[Draft]:
        """The description and status messages due when a control type is activated."""
        ...

    def report(self, now: datetime) -> Iterable[Draft]:
        """The measurement and statuses of one period; also descriptions that have changed."""
        ...

    def problem(self, instruction: Instruction, now: datetime) -> str | None:
        """What makes it INVALID_CONTENT (an id that was never described)."""
        ...

    def refusal(self, instruction: Instruction, now: datetime) -> str | None:
        """Why the device will not do it now (REJECTED)."""
        ...

    def accept(self, instruction: Instruction, now: datetime) -> None:
        """It will be done at its execution time; for devices that like to know ahead."""
        ...

    def begin(self, instruction: Instruction, now: datetime) -> None:
        """Its time has come."""
        ...

    def outcome(self, instruction: Instruction, now: datetime) -> tuple[Status, str] | None:
        """How a started one ended, or None while it goes on."""
        ...

    def keep_time(self, now: datetime) -> None:
        """Called with every tick: do what is due by the clock alone."""
        ...

    def replaces(self, new: Instruction, old: Instruction) -> bool:
        """Whether both command the same thing, so that the older one ends."""
        ...

    def release(self, now: datetime) -> None:
        """The CEM is gone: back to the device's own behaviour."""
        ...


class RmSession(Session):
    """The device's end: tells what it can do, and carries out instructions at their time."""

    role = g.EnergyManagementRole.RM

    def __init__(self, resource: ResourceManager, ids: IdSource, handshake: bool = True) -> None:
        super().__init__(ids, handshake)
        self.resource = resource

    def tick(self, now: datetime) -> list[str]:
        """Start what is due and end what is done; call it at least once a second."""
        for life in self.lives.going():
            self._advance(life, now)
        self.resource.keep_time(now)
        return self._flush()

    def report(self, now: datetime) -> list[str]:
        """The measurement and statuses of one period."""
        if self.state in (State.INITIALISED, State.ACTIVATED):
            self._send_drafts(self.resource.report(now))
        return self._flush()

    def _send_drafts(self, drafts: Iterable[Draft]) -> None:
        always = RM_ALWAYS | {g.RevokeObject}
        for cls, fields in drafts:
            if cls in always or cls in FROM_RM[self.control_type]:
                self._send(cls, **fields)

    def _expected(self) -> frozenset[type[BaseModel]]:
        if self.state is State.CONNECTED:
            return frozenset({g.Handshake, g.HandshakeResponse})
        return CEM_ALWAYS | FROM_CEM[self.control_type] | {g.RevokeObject}

    def _on_handshake(self, message: g.Handshake, now: datetime) -> str | None:
        del now
        return None if message.role is g.EnergyManagementRole.CEM else "an RM expects the Handshake of a CEM"

    def _on_handshake_response(self, message: g.HandshakeResponse, now: datetime) -> None:
        if message.selected_protocol_version != VERSION:
            why = f"version {message.selected_protocol_version} was selected, only {VERSION} was offered"
            self._send(g.SessionRequest, request="TERMINATE", diagnostic_label=why)
            self._close(why, now)
            return
        self.state, self.version = State.INITIALISED, VERSION
        self._initialised(now)

    def _initialised(self, now: datetime) -> None:
        self._send(g.ResourceManagerDetails, **self.resource.details())

    def _on_select(self, message: g.SelectControlType, now: datetime) -> str | None:
        chosen = message.control_type
        available = [str(getattr(one, "value", one)) for one in _listed(self.resource.details())]
        if chosen is not ControlType.NO_SELECTION and chosen.value not in available:
            return f"{chosen.value} is not among {', '.join(available)}"
        for life in self.lives.going():
            self._goes(life, Status.ABORTED, now, f"control type {chosen.value} was selected")
        self.control_type = chosen
        self.state = State.INITIALISED if chosen is ControlType.NO_SELECTION else State.ACTIVATED
        self._send_drafts(self.resource.describe(chosen, now))
        return None

    def _on_instruction(self, instruction: Instruction, now: datetime) -> str | None:
        if self.lives.get(key(instruction.id)) is not None:
            return f"instruction id {key(instruction.id)} was used before"
        problem = self.resource.problem(instruction, now)
        if problem is not None:
            return problem
        life = Life(instruction, Status.NEW, now)
        refusal = self.resource.refusal(instruction, now)
        if refusal is not None:
            self.lives.add(life)
            self._goes(life, Status.REJECTED, now, refusal)
            return None
        for other in self.lives.going():
            if self.resource.replaces(instruction, other.instruction):
                self._goes(other, Status.ABORTED, now, f"replaced by {life.id}")
        self.lives.add(life)
        self.resource.accept(instruction, now)
        self._goes(life, Status.ACCEPTED, now)
        self._advance(life, now)
        return None

    def _on_revoke(self, message: g.RevokeObject, now: datetime) -> str | None:
        life = self.lives.get(key(message.object_id))
        if life is None or life.over:
            return f"{message.object_type.value} {key(message.object_id)} is not under way here"
        self._goes(life, Status.REVOKED, now, "the CEM revoked it")
        return None

    def _advance(self, life: Life, now: datetime) -> None:
        # An execution time in the past means as soon as possible (S2: execution_time of every instruction).
        if life.status is Status.ACCEPTED and life.instruction.execution_time <= now:
            self.resource.begin(life.instruction, now)
            self._goes(life, Status.STARTED, now)
        if life.status is Status.STARTED:
            outcome = self.resource.outcome(life.instruction, now)
            if outcome is not None:
                self._goes(life, outcome[0], now, outcome[1])

    def _goes(self, life: Life, status: Status, now: datetime, why: str = "") -> None:
        life.goes(status, now, why)
        self._send(g.InstructionStatusUpdate, instruction_id=life.id, status_type=status, timestamp=now)

    def _close(self, why: str, now: datetime) -> None:
        super()._close(why, now)
        self.resource.release(now)

    handlers: ClassVar[dict[type[BaseModel], str]] = {
        g.Handshake: "_on_handshake",
        g.HandshakeResponse: "_on_handshake_response",
        g.SelectControlType: "_on_select",
        g.SessionRequest: "_on_session_request",
        g.RevokeObject: "_on_revoke",
        **dict.fromkeys(INSTRUCTIONS, "_on_instruction"),
    }


def _listed(details: dict[str, object]) -> list[object]:
    types = details["available_control_types"]
    assert isinstance(types, (list, tuple))
    return list(types)
