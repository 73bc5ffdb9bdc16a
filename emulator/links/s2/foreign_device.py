"""A device of the site that is not emulated here: what its resource manager tells over S2 is all that is known of it.

The site counts its measured power like that of every other device, so the emulated meter sees it. It has no physics and
no commands: the energy manager instructs it over its session.
"""

from __future__ import annotations

from datetime import datetime

from s2python.generated import gen_s2 as g

from emulator.cem.ports import DeviceSnapshot
from emulator.cem.resources import Appliance, Battery, Charger, Producer, Resource, measured_power, read
from emulator.links.s2.cem_session import CemSession
from emulator.links.s2.instructions import Status

NOTICEABLE_W = 20.0
LONGEST_NAME = 60


class ForeignDevice:
    """The device at the other end of a CEM's session."""

    def __init__(self, session: CemSession, name: str) -> None:
        self.name = name
        self.session = session
        self.power_w = 0.0
        self.silent = False
        """It has not been heard of for long; its last measurement stays in use."""

    @property
    def kind(self) -> str:
        match read(self.session):
            case Battery():
                return "battery"
            case Charger():
                return "ev"
            case Producer():
                return "pv"
            case Appliance():
                return "washer"
            case _:
                return self._kind_by_role()

    def _kind_by_role(self) -> str:
        roles = {role.role for role in self.session.details.roles} if self.session.details else set()
        if g.RoleType.ENERGY_STORAGE in roles:
            return "battery"
        return "generator" if roles == {g.RoleType.ENERGY_PRODUCER} else "load"

    def step(self, now: datetime, dt_s: float) -> None:
        """Take the last measurement for the power of the step."""
        self.power_w = measured_power(self.session) or 0.0

    def reason(self) -> str:
        """Its own reasons are not told over S2."""
        return ""

    def snapshot(self) -> DeviceSnapshot:
        seen = read(self.session)
        soc = seen.level if isinstance(seen, Battery) or (isinstance(seen, Charger) and seen.plugged) else None
        return DeviceSnapshot(
            name=self.name,
            kind=self.kind,
            power_w=self.power_w,
            state=self._state(seen),
            setpoint_w=self._setpoint_w(seen),
            max_w=_most(seen),
            soc=soc,
            capacity_wh=seen.wh_per_level or None if isinstance(seen, Battery) else None,
            available_w=seen.available_w if isinstance(seen, Producer) else None,
            facts=self._facts(),
        )

    def _state(self, seen: Resource | None) -> str:
        if self.silent:
            return "silent"
        if seen is None:
            return "not measured yet"
        if isinstance(seen, Charger) and not seen.plugged:
            return "away"
        if isinstance(seen, (Battery, Charger)):
            if abs(self.power_w) < NOTICEABLE_W:
                return "idle"
            return "charging" if self.power_w > 0.0 else "discharging"
        if isinstance(seen, Appliance):
            return "waiting" if seen.waiting else "running" if seen.running else "done"
        return "generating" if self.power_w < 0.0 else "on" if self.power_w >= NOTICEABLE_W else "idle"

    def _setpoint_w(self, seen: Resource | None) -> float | None:
        """Power of the last fill rate instruction that was not refused."""
        if not isinstance(seen, (Battery, Charger)):
            return None
        told = [
            life.instruction
            for life in self.session.lives.all()
            if isinstance(life.instruction, g.FRBCInstruction) and life.status is not Status.REJECTED
        ]
        for mode in seen.modes if told else ():
            if mode.mode_id == told[-1].operation_mode.root:
                return mode.low_w + told[-1].operation_mode_factor * (mode.high_w - mode.low_w)
        return None

    def _facts(self) -> tuple[tuple[str, str], ...]:
        details = self.session.details
        if details is None:
            return ()
        made = " ".join(part for part in (details.manufacturer, details.model) if part)
        facts = [("Made by", printable(made))] if made else []
        facts.append(("Control", self.session.control_type.value.replace("_", " ").lower()))
        return tuple(facts)


def printable(text: str, longest: int = LONGEST_NAME) -> str:
    """A peer's words fit for a card: one line, bounded, no control characters."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())[:longest]


def _most(seen: Resource | None) -> float | None:
    match seen:
        case Battery():
            return seen.charge_w
        case Charger():
            return seen.max_w
        case Producer():
            return seen.most_w
        case _:
            return None
