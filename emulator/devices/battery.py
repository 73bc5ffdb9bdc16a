"""A home battery: takes a power setpoint, gives what its state of charge allows.

Without a setpoint it rests. Its converter draws a little always, on top of what charges or discharges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from emulator.cem.ports import DeviceSnapshot
from emulator.devices.device import CommandRefused, watts
from emulator.physics import battery
from emulator.physics.values import SECONDS_PER_HOUR


@dataclass(frozen=True, slots=True)
class BatteryConfig:
    name: str
    capacity_wh: float = 10_000.0
    max_charge_w: float = 5_000.0
    max_discharge_w: float = 5_000.0
    soc: float = 0.5
    """At the start. [0..1]"""
    soc_min: float = 0.05
    soc_max: float = 0.95
    efficiency: float = 0.95
    """One way, AC to store or store to AC."""
    idle_w: float = 10.0
    ramp_w_per_s: float = 5_000.0
    backup: bool = False
    """It can make a grid of its own when there is none."""


class Battery:
    """S2: FRBC, one actuator with one mode from ``-max_discharge_w`` to ``max_charge_w``; fill level is ``soc``."""

    kind = "battery"

    def __init__(self, config: BatteryConfig) -> None:
        self.config = config
        self.name = config.name
        self.capacity_wh = config.capacity_wh
        self.max_charge_w = config.max_charge_w
        self.max_discharge_w = config.max_discharge_w
        self.soc_min = config.soc_min
        self.soc_max = config.soc_max
        self.efficiency = config.efficiency
        self.soc = config.soc
        self.setpoint_w: float | None = None
        """As told, ``+`` charges; None rests."""
        self.override: tuple[float, str] | None = None
        """Power set from elsewhere and by whom; goes before the setpoint."""
        self.power_w = 0.0
        """At the AC side with the converter's own draw."""
        self.storage_w = 0.0
        """The part of ``power_w`` that charges (+) or discharges (−)."""
        self._ramped_w = 0.0
        span = config.soc_max - config.soc_min
        self._pack = battery.Pack(
            capacity_wh=config.capacity_wh,
            max_charge_w=config.max_charge_w,
            max_discharge_w=config.max_discharge_w,
            charge_efficiency=config.efficiency,
            discharge_efficiency=config.efficiency,
            soc_min=config.soc_min,
            soc_max=config.soc_max,
            charge_knee=config.soc_max - span / 18.0,
            discharge_knee=config.soc_min + span / 18.0,
        )

    @property
    def charge_limit_w(self) -> float:
        """Most it would take now. [W, not negative]"""
        return float(battery.limits(self.soc, self._pack)[0])

    @property
    def discharge_limit_w(self) -> float:
        """Most it would give now. [W, not negative]"""
        return float(battery.limits(self.soc, self._pack)[1])

    def set_power(self, power_w: float | None) -> None:
        """Charge (+) or discharge (−) at ``power_w`` until told otherwise; None lets it rest.

        Raises
        ------
        CommandRefused
            Beyond its rating.
        """
        self._check(power_w)
        self.setpoint_w = power_w

    def set_override(self, power_w: float | None, source: str) -> None:
        """Charge (+) or discharge (−) whatever the energy manager says, until None gives the battery back.

        Raises
        ------
        CommandRefused
            Beyond its rating.
        """
        self._check(power_w)
        self.override = None if power_w is None else (power_w, source)

    def _check(self, power_w: float | None) -> None:
        if power_w is not None and not -self.max_discharge_w - 1.0 <= power_w <= self.max_charge_w + 1.0:
            raise CommandRefused(f"{power_w:.0f} W is outside -{self.max_discharge_w:.0f} … {self.max_charge_w:.0f} W.")

    def step(self, now: datetime, dt_s: float) -> None:
        wanted = self.override[0] if self.override else self.setpoint_w or 0.0
        ramp_s = min(abs(wanted - self._ramped_w) / self.config.ramp_w_per_s, dt_s)
        moved_wh = 0.0
        if ramp_s > 0.0:
            reached = self._ramped_w + math.copysign(ramp_s * self.config.ramp_w_per_s, wanted - self._ramped_w)
            moved_wh += self._run((self._ramped_w + reached) / 2.0, ramp_s)
            self._ramped_w = reached
        if dt_s > ramp_s:
            self._ramped_w = wanted
            moved_wh += self._run(wanted, dt_s - ramp_s)
        self.storage_w = moved_wh * SECONDS_PER_HOUR / dt_s
        self.power_w = self.storage_w + self.config.idle_w

    def form(self, power_w: float, dt_s: float) -> None:
        """Make the grid of an island: give or take what the others leave, whatever was told; no ramp."""
        moved_wh = self._run(power_w - self.config.idle_w, dt_s)
        self.storage_w = self._ramped_w = moved_wh * SECONDS_PER_HOUR / dt_s
        self.power_w = self.storage_w + self.config.idle_w

    def takes_w(self, dt_s: float) -> float:
        """Most it can take as the mean of a step, its own draw included. [W]"""
        after = battery.step(self.soc, self.max_charge_w, dt_s, self._pack)
        return float(after.charged_wh) * SECONDS_PER_HOUR / dt_s + self.config.idle_w

    def _run(self, power_w: float, dt_s: float) -> float:
        after = battery.step(self.soc, power_w, dt_s, self._pack)
        self.soc = float(after.soc)
        return float(after.charged_wh) - float(after.discharged_wh)

    def _state(self) -> str:
        if self.storage_w > 20.0:
            return "charging"
        if self.storage_w < -20.0:
            return "discharging"
        if self.charge_limit_w <= 1.0:
            return "full"
        if self.discharge_limit_w <= 1.0:
            return "empty"
        return "idle"

    def reason(self) -> str:
        if self.override is not None:
            return f"Holds {watts(self.override[0])}: set over {self.override[1]}."
        return "" if self.setpoint_w is not None else "Rests: no energy manager tells it to charge or discharge."

    def snapshot(self) -> DeviceSnapshot:
        return DeviceSnapshot(
            name=self.name,
            kind=self.kind,
            power_w=self.power_w,
            state=self._state(),
            setpoint_w=self.override[0] if self.override else self.setpoint_w,
            max_w=self.max_charge_w,
            soc=self.soc,
            capacity_wh=self.capacity_wh,
            facts=(
                ("Stored", f"{self.soc * self.capacity_wh / 1000.0:.1f} of {self.capacity_wh / 1000.0:g} kWh"),
                ("Can take", f"{self.charge_limit_w / 1000.0:.1f} kW"),
                ("Can give", f"{self.discharge_limit_w / 1000.0:.1f} kW"),
            ),
        )
