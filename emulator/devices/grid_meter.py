"""The meter at the connection point: net power, the two registers, voltage and frequency."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from emulator.cem.ports import DeviceSnapshot
from emulator.physics import meter
from emulator.physics.values import Array


@dataclass(frozen=True, slots=True)
class MeterConfig:
    name: str


class GridMeter:
    """S2: NOT_CONTROLABLE. Measures the others: its own power is their sum and never adds to it."""

    kind = "meter"

    def __init__(self, config: MeterConfig, rng: np.random.Generator) -> None:
        self.config = config
        self.name = config.name
        self.power_w = 0.0
        """Net power of the site, ``+`` is import."""
        self.voltage_v = 230.0
        self.frequency_hz = 50.0
        self._registers = meter.Registers(_zero(), _zero())
        self._rng = rng

    @property
    def import_wh(self) -> float:
        return float(self._registers.import_wh)

    @property
    def export_wh(self) -> float:
        return float(self._registers.export_wh)

    def read(self, net_w: float, dt_s: float) -> None:
        """Take in a step's mean net power."""
        self.power_w = net_w
        self._registers = meter.count(self._registers, net_w, dt_s)
        self.voltage_v = float(meter.voltage(net_w))
        self.frequency_hz = float(meter.frequency(self.frequency_hz, dt_s, self._rng.standard_normal()))

    def step(self, now: datetime, dt_s: float) -> None:
        """Nothing of its own: the site hands the sum to `read` after all others have stepped."""

    def reason(self) -> str:
        return ""

    def snapshot(self) -> DeviceSnapshot:
        return DeviceSnapshot(
            name=self.name,
            kind=self.kind,
            power_w=self.power_w,
            state="importing" if self.power_w >= 0.0 else "exporting",
            facts=(
                ("Imported", f"{self.import_wh / 1000.0:.2f} kWh"),
                ("Exported", f"{self.export_wh / 1000.0:.2f} kWh"),
                ("Voltage", f"{self.voltage_v:.1f} V"),
                ("Frequency", f"{self.frequency_hz:.2f} Hz"),
            ),
        )


def _zero() -> Array:
    return np.zeros(())
