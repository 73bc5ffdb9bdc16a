"""What a household draws that nobody steers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from emulator.cem.ports import DeviceSnapshot
from emulator.day_curves import HouseholdPower


@dataclass(frozen=True, slots=True)
class BaseLoadConfig:
    name: str
    yearly_wh: float = 3_500_000.0


class BaseLoad:
    """S2: NOT_CONTROLABLE."""

    kind = "base load"

    def __init__(self, config: BaseLoadConfig, household: HouseholdPower) -> None:
        self.config = config
        self.name = config.name
        self.power_w = 0.0
        self._household = household

    def step(self, now: datetime, dt_s: float) -> None:
        self.power_w = self._household.mean(now, 0.0, dt_s)

    def expected_w(self, now: datetime, from_s: float, to_s: float) -> float:
        """Mean power its profile expects between two times after ``now``: habits, without their unrest. [W]"""
        return self._household.usual(now + timedelta(seconds=(from_s + to_s) / 2.0))

    def reason(self) -> str:
        return ""

    def snapshot(self) -> DeviceSnapshot:
        return DeviceSnapshot(
            name=self.name,
            kind=self.kind,
            power_w=self.power_w,
            state="drawing",
            facts=(("Yearly", f"{self.config.yearly_wh / 1000.0:.0f} kWh"),),
        )
