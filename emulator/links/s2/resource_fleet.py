"""All cars behind a CSMS as one S2 resource: fill rate based control, off or a charging power for all together.

SRD 63268 interaction 5: the energy manager allots a power to the whole, the CSMS splits it. The fill level is the mean
state of charge of the cars that tell theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from s2python.generated import gen_s2 as g

from emulator.devices.device import Device
from emulator.links.s2.codec import IdSource
from emulator.links.s2.instructions import Instruction, Status
from emulator.links.s2.resource_base import THREE_PHASE, DeviceResource, Ended, span
from emulator.links.s2.resource_battery import FILL_LEVEL_LABEL, PERCENT, SECONDS_PER_HOUR
from emulator.links.s2.rm_session import Draft
from emulator.links.s2.session import ControlType

ASSUMED_WH = 60_000.0
"""Capacity of a car: OCPP 1.6 does not tell it, and S2 wants a fill rate."""


class Fleet(Device, Protocol):
    """What is behind the resource: cars that share a budget. Powers in W, `level` 0..1."""

    budget_w: float | None

    @property
    def cars(self) -> int: ...

    @property
    def least_w(self) -> float: ...

    @property
    def most_w(self) -> float: ...

    @property
    def level(self) -> float: ...

    def set_budget(self, power_w: float | None) -> None: ...


class FleetResource(DeviceResource):
    control_type = ControlType.FILL_RATE_BASED_CONTROL
    roles = (g.RoleType.ENERGY_CONSUMER,)
    delay_s = 10.0

    def __init__(self, device: Fleet, ids: IdSource) -> None:
        super().__init__(device, ids, THREE_PHASE)
        self._device = device
        self._actuator, self._off, self._charge = ids(), ids(), ids()
        self._described: tuple[int, float, float] = (0, 0.0, 0.0)

    def describe(self, control_type: ControlType, now: datetime) -> Iterable[Draft]:
        yield self._system(now)
        yield g.FRBCStorageStatus, {"present_fill_level": self._device.level * PERCENT}

    def report(self, now: datetime) -> Iterable[Draft]:
        yield from super().report(now)
        if self._now() != self._described:
            yield self._system(now)
        yield g.FRBCStorageStatus, {"present_fill_level": self._device.level * PERCENT}

    def problem(self, instruction: Instruction, now: datetime) -> str | None:
        assert isinstance(instruction, g.FRBCInstruction)
        if instruction.actuator_id.root != self._actuator:
            return f"actuator {instruction.actuator_id.root} is not described"
        if instruction.operation_mode.root not in (self._off, self._charge):
            return f"operation mode {instruction.operation_mode.root} is not described"
        return None

    def refusal(self, instruction: Instruction, now: datetime) -> str | None:
        assert isinstance(instruction, g.FRBCInstruction)
        charging = instruction.operation_mode.root == self._charge
        return "no car can be charged" if charging and not self._device.cars else None

    def begin(self, instruction: Instruction, now: datetime) -> None:
        assert isinstance(instruction, g.FRBCInstruction)
        if instruction.operation_mode.root == self._off:
            self._device.set_budget(0.0)
            return
        _, least, most = self._described
        self._device.set_budget(least + instruction.operation_mode_factor * (most - least))

    def outcome(self, instruction: Instruction, now: datetime) -> Ended | None:
        return Status.SUCCEEDED, ""

    def release(self, now: datetime) -> None:
        self._device.set_budget(None)

    def _now(self) -> tuple[int, float, float]:
        return self._device.cars, self._device.least_w, self._device.most_w

    def _system(self, now: datetime) -> Draft:
        cars, least, most = self._described = self._now()
        per_watt = 0.9 * PERCENT / (ASSUMED_WH * max(cars, 1)) / SECONDS_PER_HOUR
        modes = [self._mode(self._off, "off", 0.0, 0.0, per_watt)]
        if cars:
            modes.append(self._mode(self._charge, "charge", least, most, per_watt))
        actuator = {
            "id": self._actuator,
            "diagnostic_label": "charge points",
            "supported_commodities": [g.Commodity.ELECTRICITY],
            "operation_modes": modes,
            "transitions": [],
            "timers": [],
        }
        storage = {
            "diagnostic_label": "cars",
            "fill_level_label": FILL_LEVEL_LABEL,
            "provides_leakage_behaviour": False,
            "provides_fill_level_target_profile": False,
            "provides_usage_forecast": False,
            "fill_level_range": span(0.0, PERCENT),
        }
        return g.FRBCSystemDescription, {"valid_from": now, "actuators": [actuator], "storage": storage}

    def _mode(self, mode: str, label: str, low_w: float, high_w: float, per_watt: float) -> dict[str, object]:
        element = {
            "fill_level_range": span(0.0, PERCENT),
            "fill_rate": span(low_w * per_watt, high_w * per_watt),
            "power_ranges": [span(low_w, high_w) | {"commodity_quantity": self.quantity}],
        }
        return {"id": mode, "diagnostic_label": label, "elements": [element], "abnormal_condition_only": False}
