"""What the resource managers of the emulated devices share: details, measurements, and the plain answers.

A resource manager tells S2 what a device can do and turns instructions into the device's own commands. It adds no
behaviour: what a device may and will do is the device's business.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import ClassVar

from s2python.generated import gen_s2 as g

from emulator.devices.base_load import BaseLoad
from emulator.devices.device import Device
from emulator.links.s2.codec import IdSource
from emulator.links.s2.instructions import Instruction, Status
from emulator.links.s2.rm_session import Draft
from emulator.links.s2.session import ControlType

L1 = g.CommodityQuantity.ELECTRIC_POWER_L1.value
THREE_PHASE = g.CommodityQuantity.ELECTRIC_POWER_3_PHASE_SYMMETRIC.value

QUARTER_S = 900.0
QUARTERS = 96
FORECAST_EVERY = timedelta(hours=1)

Ended = tuple[Status, str]


def span(low: float, high: float) -> dict[str, float]:
    """A NumberRange."""
    return {"start_of_range": low, "end_of_range": high}


def milliseconds(seconds: float) -> int:
    """An S2 Duration."""
    return round(seconds * 1000.0)


def forecast_elements(
    expected_w: Callable[[datetime, float, float], float], now: datetime, quantity: str, from_s: float = 0.0
) -> list[dict[str, object]]:
    """Elements of a PowerForecast in quarters of an hour up to a day ahead, the first from ``from_s`` on.

    ``expected_w(now, from_s, to_s)`` is the mean power expected between two times after ``now``.
    """
    edges = [from_s, *(QUARTER_S * number for number in range(1, QUARTERS + 1))]
    return [
        {
            "duration": milliseconds(end - begin),
            "power_values": [{"commodity_quantity": quantity, "value_expected": expected_w(now, begin, end)}],
        }
        for begin, end in itertools.pairwise(edges)
    ]


class DeviceResource:
    """A measured device with one control type; subclasses add how it is described and instructed."""

    control_type: ClassVar[ControlType] = ControlType.NOT_CONTROLABLE
    roles: ClassVar[tuple[g.RoleType, ...]] = (g.RoleType.ENERGY_CONSUMER,)
    delay_s: ClassVar[float] = 0.0
    """Seconds from an instruction to its effect."""
    provides_forecast: ClassVar[bool] = False

    def __init__(self, device: Device, ids: IdSource, quantity: str = L1) -> None:
        self.name = device.name
        self.quantity = quantity
        self._measured = device
        self._ids = ids
        self._resource_id = ids()

    def details(self) -> dict[str, object]:
        return {
            "resource_id": self._resource_id,
            "name": self.name,
            "roles": [{"role": role, "commodity": g.Commodity.ELECTRICITY} for role in self.roles],
            "manufacturer": "Nodebench",
            "model": f"emulated {self._measured.kind}",
            "instruction_processing_delay": milliseconds(self.delay_s),
            "available_control_types": [self.control_type],
            "provides_forecast": self.provides_forecast,
            "provides_power_measurement_types": [self.quantity],
        }

    def describe(self, control_type: ControlType, now: datetime) -> Iterable[Draft]:
        return ()

    def report(self, now: datetime) -> Iterable[Draft]:
        value = {"commodity_quantity": self.quantity, "value": self._measured.power_w}
        yield g.PowerMeasurement, {"measurement_timestamp": now, "values": [value]}

    def problem(self, instruction: Instruction, now: datetime) -> str | None:
        return f"{self.name} takes no instructions"

    def refusal(self, instruction: Instruction, now: datetime) -> str | None:
        return None

    def accept(self, instruction: Instruction, now: datetime) -> None:
        pass

    def begin(self, instruction: Instruction, now: datetime) -> None:
        pass

    def outcome(self, instruction: Instruction, now: datetime) -> Ended | None:
        return Status.SUCCEEDED, ""

    def replaces(self, new: Instruction, old: Instruction) -> bool:
        return True

    def keep_time(self, now: datetime) -> None:
        """Called each second: do what is due by the clock alone."""

    def release(self, now: datetime) -> None:
        pass


class MeteredLoad(DeviceResource):
    """A consumer nobody steers; once an hour it tells what its profile expects of the next day."""

    provides_forecast = True

    def __init__(self, device: BaseLoad, ids: IdSource, quantity: str = L1) -> None:
        super().__init__(device, ids, quantity)
        self._household = device
        self._forecast_at: datetime | None = None

    def report(self, now: datetime) -> Iterable[Draft]:
        yield from super().report(now)
        if self._forecast_at is None or now - self._forecast_at >= FORECAST_EVERY:
            self._forecast_at = now
            elements = forecast_elements(self._household.expected_w, now, self.quantity)
            yield g.PowerForecast, {"start_time": now, "elements": elements}


class ConnectionMeter(DeviceResource):
    """The meter at the connection point: measures only, either direction."""

    roles = (g.RoleType.ENERGY_CONSUMER, g.RoleType.ENERGY_PRODUCER)
