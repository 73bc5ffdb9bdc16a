"""The CEM's end of an S2 session: learns what the device can do, keeps what it said last, and instructs it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel
from s2python.generated import gen_s2 as g

from emulator.links.s2.codec import VERSION, IdSource, key
from emulator.links.s2.instructions import NEXT, Life, Status, reachable
from emulator.links.s2.session import FROM_CEM, FROM_RM, RM_ALWAYS, ControlType, Message, Session, State

REMEMBERED = 1000
"""Actuators and timers kept of a session: as many as a description may have."""
UNDER_CONTROL = {
    control_type: RM_ALWAYS | own | {g.RevokeObject, g.InstructionStatusUpdate} for control_type, own in FROM_RM.items()
}
"""What a resource manager may say once a control type is activated."""


class CemSession(Session):
    """One device as the CEM meets it."""

    role = g.EnergyManagementRole.CEM
    PREFERENCE: ClassVar[tuple[ControlType, ...]] = (
        ControlType.FILL_RATE_BASED_CONTROL,
        ControlType.POWER_PROFILE_BASED_CONTROL,
        ControlType.POWER_ENVELOPE_BASED_CONTROL,
        ControlType.OPERATION_MODE_BASED_CONTROL,
        ControlType.DEMAND_DRIVEN_BASED_CONTROL,
        ControlType.NOT_CONTROLABLE,
    )
    """Control types the CEM can use, richest first."""

    def __init__(
        self,
        ids: IdSource,
        preference: tuple[ControlType, ...] = PREFERENCE,
        handshake: bool = True,
        believed_w: float | None = None,
    ) -> None:
        """``believed_w`` is the greatest power, either way, that a measurement may tell; None believes all."""
        super().__init__(ids, handshake)
        self.details: g.ResourceManagerDetails | None = None
        self.alias = ""
        """The name it goes by here where its own does not do, because another device has it."""
        self._believed_w = believed_w
        self.actuators: dict[str, Any] = {}
        """Last status of each actuator by its id; of a device with OMBC, which has none, under the empty id."""
        self.timers: dict[tuple[str, str], datetime] = {}
        """When each timer finishes, by the ids of its actuator and its own."""
        self._preference = preference
        self._latest: dict[type[BaseModel], tuple[Any, datetime]] = {}

    @property
    def name(self) -> str:
        """What to call the resource: its alias here, its name, else its id."""
        return self.alias or (self.details.name or key(self.details.resource_id)) if self.details else ""

    def latest(self, cls: type[Message]) -> Message | None:
        """The last message of a type, as long as it holds (not revoked, session open)."""
        entry = self._latest.get(cls)
        return entry[0] if entry else None

    def received_at(self, cls: type[BaseModel]) -> datetime | None:
        entry = self._latest.get(cls)
        return entry[1] if entry else None

    def instruct(self, cls: type[BaseModel], now: datetime, /, **fields: object) -> tuple[str, list[str]]:
        """Send an instruction of the activated control type; gives its id and the texts to send.

        Raises ValueError where the class does not belong to the activated control type: that is our bug.
        """
        if self.state is not State.ACTIVATED or cls not in FROM_CEM[self.control_type]:
            raise ValueError(f"{cls.__name__} cannot be sent while the session is {self._where()}")
        instruction: Any = self._send(cls, id=self._ids(), **fields)
        self.lives.add(Life(instruction, Status.NEW, now))
        return key(instruction.id), self._flush()

    def _expected(self) -> frozenset[type[BaseModel]]:
        if self.state is State.CONNECTED:
            return frozenset({g.Handshake})
        if self.state is State.INITIALISED:
            return RM_ALWAYS
        return UNDER_CONTROL[self.control_type]

    def _on_handshake(self, message: g.Handshake, now: datetime) -> str | None:
        if message.role is not g.EnergyManagementRole.RM:
            return "a CEM expects the Handshake of an RM"
        offered = message.supported_protocol_versions or []
        if VERSION not in offered:
            why = f"no common protocol version: the RM offers {', '.join(offered) or 'none'}, here it is {VERSION}"
            self._send(g.SessionRequest, request="TERMINATE", diagnostic_label=why)
            self._close(why, now)
            return None
        self._send(g.HandshakeResponse, selected_protocol_version=VERSION)
        self.state, self.version = State.INITIALISED, VERSION
        return None

    def _on_details(self, message: g.ResourceManagerDetails, now: datetime) -> None:
        self.details = message
        offered = message.available_control_types
        chosen = next((one for one in self._preference if one in offered), ControlType.NO_SELECTION)
        if self.state is State.ACTIVATED and chosen is self.control_type:
            return
        if chosen is ControlType.NO_SELECTION:
            self.oddities.append(f"none of {', '.join(one.value for one in offered)} can be used here")
        self._forget_flexibility(now, f"control type {chosen.value} was selected")
        self._send(g.SelectControlType, control_type=chosen)
        self.control_type = chosen
        self.state = State.INITIALISED if chosen is ControlType.NO_SELECTION else State.ACTIVATED

    def _forget_flexibility(self, now: datetime, why: str) -> None:
        for cls in FROM_RM[self.control_type]:
            self._latest.pop(cls, None)
        self.actuators.clear()
        self.timers.clear()
        for life in self.lives.going():
            life.goes(Status.ABORTED, now, why)

    def _keep(self, message: BaseModel, now: datetime) -> None:
        self._latest[type(message)] = (message, now)

    def _on_measurement(self, message: g.PowerMeasurement, now: datetime) -> str | None:
        for value in message.values:
            electric = value.commodity_quantity.value.startswith("ELECTRIC.")
            if electric and self._believed_w is not None and abs(value.value) > self._believed_w:
                return f"{value.value:g} W is not believed: it is more than {self._believed_w:g} W"
        self._keep(message, now)
        return None

    def _on_system(self, message: BaseModel, now: datetime) -> None:
        # a new description may give the same ids another meaning
        self.actuators.clear()
        self.timers.clear()
        self._keep(message, now)

    def _on_actuator(self, message: Any, now: datetime) -> str | None:
        actuator = key(message.actuator_id) if hasattr(message, "actuator_id") else ""
        if len(self.actuators) >= REMEMBERED and actuator not in self.actuators:
            return f"actuator {actuator} is one too many"
        self.actuators[actuator] = message
        self._keep(message, now)
        return None

    def _on_timer(self, message: Any, now: datetime) -> str | None:
        actuator = key(message.actuator_id) if hasattr(message, "actuator_id") else ""
        timer = actuator, key(message.timer_id)
        if len(self.timers) >= REMEMBERED and timer not in self.timers:
            return f"timer {timer[1]} is one too many"
        self.timers[timer] = message.finished_at
        self._keep(message, now)
        return None

    def _on_profile(self, message: g.PPBCPowerProfileDefinition, now: datetime) -> None:
        self._latest.pop(g.PPBCPowerProfileStatus, None)
        self._keep(message, now)

    def _on_status_update(self, message: g.InstructionStatusUpdate, now: datetime) -> str | None:
        life = self.lives.get(key(message.instruction_id))
        if life is None:
            return f"instruction {key(message.instruction_id)} is not known here"
        status = message.status_type
        if status is life.status:
            return None
        if status not in reachable(life.status):
            return f"instruction {life.id} cannot go from {life.status.value} to {status.value}"
        if status not in NEXT[life.status]:
            self.oddities.append(f"instruction {life.id} went from {life.status.value} straight to {status.value}")
        # The message has no field for a reason, so an end that is not a success is put down to the device.
        ended_badly = status in (Status.REJECTED, Status.ABORTED, Status.REVOKED)
        life.goes(status, now, f"the resource manager reported {status.value}" if ended_badly else "")
        return None

    def _on_revoke(self, message: g.RevokeObject, now: datetime) -> str | None:
        object_id = key(message.object_id)
        life = self.lives.get(object_id)
        if life is not None:
            life.goes(Status.REVOKED, now, "the resource manager revoked it")
            return None
        for cls, (kept, _) in list(self._latest.items()):
            ids = {key(kept.message_id), *([key(kept.id)] if hasattr(kept, "id") else [])}
            if kept.message_type == message.object_type.value and object_id in ids:
                del self._latest[cls]
                return None
        return f"{message.object_type.value} {object_id} is not known here"

    handlers: ClassVar[dict[type[BaseModel], str]] = {
        g.Handshake: "_on_handshake",
        g.ResourceManagerDetails: "_on_details",
        g.SessionRequest: "_on_session_request",
        g.InstructionStatusUpdate: "_on_status_update",
        g.RevokeObject: "_on_revoke",
        g.PowerMeasurement: "_on_measurement",
        g.PowerForecast: "_keep",
        **{cls: "_keep" for types in FROM_RM.values() for cls in types},
        g.PPBCPowerProfileDefinition: "_on_profile",
        g.OMBCSystemDescription: "_on_system",
        g.DDBCSystemDescription: "_on_system",
        g.OMBCStatus: "_on_actuator",
        g.DDBCActuatorStatus: "_on_actuator",
        g.FRBCActuatorStatus: "_on_actuator",
        g.OMBCTimerStatus: "_on_timer",
        g.DDBCTimerStatus: "_on_timer",
        g.FRBCTimerStatus: "_on_timer",
    }
