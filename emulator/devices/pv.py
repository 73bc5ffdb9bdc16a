"""A PV plant: gives what the sun gives, down to a lower limit it is told.

``available_w`` keeps telling what there would be without the limit, so that curtailed energy can be counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from emulator.cem.ports import DeviceSnapshot
from emulator.day_curves import SunPower
from emulator.devices.device import CommandRefused, watts
from emulator.physics.values import SECONDS_PER_HOUR

ENERGY_MANAGER = "energy manager"
_NO_TIME_S = 1e-6
"""What rounding leaves of a ramp that is over."""


@dataclass(frozen=True, slots=True)
class PvConfig:
    name: str
    peak_w: float = 5_000.0
    """DC, at standard test conditions."""
    inverter_w: float | None = None
    """AC; None is the peak by 1.2."""
    tilt_deg: float = 35.0
    azimuth_deg: float = 180.0
    """0 north, 90 east, 180 south."""
    night_w: float = 1.0
    ramp_per_s: float = 0.10
    """Share of the inverter's rating by which a limit moves in a second."""

    @property
    def ac_w(self) -> float:
        """Greatest power at the grid side, not negative."""
        return self.peak_w / 1.2 if self.inverter_w is None else self.inverter_w


class PvPlant:
    """S2: PEBC; limits LOWER [``-ac_w``, 0], UPPER [0, 0], consequence VANISH."""

    kind = "pv"

    def __init__(self, config: PvConfig, sun: SunPower) -> None:
        self.config = config
        self.name = config.name
        self.peak_w = config.peak_w
        self.ac_w = config.ac_w
        self.limits_w: dict[str, float] = {}
        """Limits as told, not positive, by who told them."""
        self.available_w = 0.0
        """Power there would be without a limit, not positive."""
        self.power_w = 0.0
        self.curtailed_wh = 0.0
        self._sun = sun
        self._cap_w = config.ac_w

    @property
    def lower_limit_w(self) -> float | None:
        """The strictest limit told, not positive; None is no limit."""
        return max(self.limits_w.values(), default=None)

    def set_lower_limit(self, power_w: float | None, source: str = ENERGY_MANAGER) -> None:
        """Give no more than this: 0 is nothing, ``-2000`` is 2 kW, None is all there is.

        Each source has a limit of its own and takes only its own back; the strictest holds.

        Raises
        ------
        CommandRefused
            Positive.
        """
        if power_w is not None and power_w > 0.0:
            raise CommandRefused(f"{power_w:.0f} W would have it consume.")
        self.limits_w.pop(source, None)
        if power_w is not None:
            self.limits_w[source] = power_w

    def step(self, now: datetime, dt_s: float) -> None:
        available = self._sun.mean(now, 0.0, dt_s)
        given = self._held(now, dt_s, available)
        self.curtailed_wh += max(available - given, 0.0) * dt_s / SECONDS_PER_HOUR
        self.available_w = -available
        self.power_w = self.config.night_w if available <= 0.0 else -given

    def expected_w(self, now: datetime, from_s: float, to_s: float) -> float:
        """Mean power it expects to have between two times after ``now``, no limit counted. [W, not positive]"""
        return -self._sun.mean(now, from_s, to_s)

    def _held(self, now: datetime, dt_s: float, available_w: float) -> float:
        """Mean power under the limit, which moves to where it was told at the plant's ramp. [W, not negative]"""
        wanted = self.ac_w if self.lower_limit_w is None else min(-self.lower_limit_w, self.ac_w)
        change = wanted - self._cap_w
        if change == 0.0 and wanted == self.ac_w:
            return available_w
        ramp_s = min(abs(change) / (self.config.ramp_per_s * self.ac_w), dt_s)
        given_ws = 0.0
        if ramp_s > _NO_TIME_S:
            rate = self.config.ramp_per_s * self.ac_w * (1.0 if change > 0.0 else -1.0)
            reached = self._cap_w + rate * ramp_s
            given_ws += self._sun.mean(now, 0.0, ramp_s, cap_w=(self._cap_w + reached) / 2.0) * ramp_s
            self._cap_w = reached
        if dt_s - ramp_s > _NO_TIME_S:
            self._cap_w = wanted
            given_ws += self._sun.mean(now, ramp_s, dt_s, cap_w=wanted) * (dt_s - ramp_s)
        return given_ws / dt_s

    @property
    def limited(self) -> bool:
        """A limit takes something away now."""
        return self.lower_limit_w is not None and self.power_w - self.available_w > 1.0

    def _state(self) -> str:
        if self.available_w >= 0.0:
            return "dark"
        return "limited" if self.limited else "generating"

    def reason(self) -> str:
        others = {source: limit for source, limit in self.limits_w.items() if source != ENERGY_MANAGER}
        source = max(others, key=others.__getitem__, default="")
        if not source or others[source] != self.lower_limit_w:
            return ""
        return f"Gives at most {watts(-others[source])}: limited over {source}."

    def snapshot(self) -> DeviceSnapshot:
        return DeviceSnapshot(
            name=self.name,
            kind=self.kind,
            power_w=self.power_w,
            state=self._state(),
            setpoint_w=self.lower_limit_w,
            wanted_w=self.available_w,
            max_w=self.ac_w,
            available_w=self.available_w,
            facts=(
                ("Peak", watts(self.peak_w)),
                ("Inverter", watts(self.ac_w)),
                ("Curtailed", f"{self.curtailed_wh:.0f} Wh"),
            ),
        )
