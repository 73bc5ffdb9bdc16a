"""A home battery in S2: fill rate based control, the fill level is its state of charge in percent.

Two modes, charge and discharge, because losses make the fill rate per watt differ: with one mode over zero the rates in
between would be wrong. Near full and near empty the power range shrinks; it is described anew in steps of 5 % of the
rating, rounded down, so that what is described can be had.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime

from s2python.generated import gen_s2 as g

from emulator.devices import Battery
from emulator.links.s2.codec import IdSource
from emulator.links.s2.instructions import Instruction
from emulator.links.s2.resource_base import DeviceResource, span
from emulator.links.s2.rm_session import Draft
from emulator.links.s2.session import ControlType

STEPS = 20
FILL_LEVEL_LABEL = "State of charge [%]"
PERCENT = 100.0
SECONDS_PER_HOUR = 3600.0


class BatteryResource(DeviceResource):
    control_type = ControlType.FILL_RATE_BASED_CONTROL
    roles = (g.RoleType.ENERGY_STORAGE,)

    def __init__(self, device: Battery, ids: IdSource) -> None:
        super().__init__(device, ids)
        self._device = device
        self._actuator, self._charge, self._discharge = ids(), ids(), ids()
        self._described = (0.0, 0.0)
        self._status: tuple[str, float] | None = None

    def describe(self, control_type: ControlType, now: datetime) -> Iterable[Draft]:
        self._described = self._limits()
        yield self._system(now)
        yield from self._statuses()

    def report(self, now: datetime) -> Iterable[Draft]:
        yield from super().report(now)
        if self._limits() != self._described:
            self._described = self._limits()
            yield self._system(now)
        yield from self._statuses()

    def problem(self, instruction: Instruction, now: datetime) -> str | None:
        assert isinstance(instruction, g.FRBCInstruction)
        if instruction.actuator_id.root != self._actuator:
            return f"actuator {instruction.actuator_id.root} is not described"
        if instruction.operation_mode.root not in (self._charge, self._discharge):
            return f"operation mode {instruction.operation_mode.root} is not described"
        return None

    def refusal(self, instruction: Instruction, now: datetime) -> str | None:
        override = self._device.override
        return f"its power is set over {override[1]}" if override else None

    def begin(self, instruction: Instruction, now: datetime) -> None:
        assert isinstance(instruction, g.FRBCInstruction)
        mode, factor = instruction.operation_mode.root, instruction.operation_mode_factor
        most_in, most_out = self._described
        self._device.set_power(factor * most_in if mode == self._charge else -most_out * (1.0 - factor))
        self._status = (mode, factor)

    def release(self, now: datetime) -> None:
        self._device.set_power(None)

    def _limits(self) -> tuple[float, float]:
        """What it takes and gives now, in steps. [W]"""
        return (
            _step_down(self._device.charge_limit_w, self._device.max_charge_w),
            _step_down(self._device.discharge_limit_w, self._device.max_discharge_w),
        )

    def _system(self, now: datetime) -> Draft:
        device = self._device
        most_in, most_out = self._described
        per_second = PERCENT / device.capacity_wh / SECONDS_PER_HOUR
        filling = span(0.0, most_in * device.efficiency * per_second)
        emptying = span(-most_out / device.efficiency * per_second, 0.0)
        modes = [
            self._mode(self._charge, "charge", filling, span(0.0, most_in)),
            self._mode(self._discharge, "discharge", emptying, span(-most_out, 0.0)),
        ]
        actuator = {
            "id": self._actuator,
            "diagnostic_label": "inverter",
            "supported_commodities": [g.Commodity.ELECTRICITY],
            "operation_modes": modes,
            "transitions": [
                {
                    "id": f"{one}-to-{other}",
                    "from": origin,
                    "to": target,
                    "start_timers": [],
                    "blocking_timers": [],
                    "abnormal_condition_only": False,
                }
                for one, other, origin, target in (
                    ("charge", "discharge", self._charge, self._discharge),
                    ("discharge", "charge", self._discharge, self._charge),
                )
            ],
            "timers": [],
        }
        storage = {
            "diagnostic_label": self.name,
            "fill_level_label": FILL_LEVEL_LABEL,
            "provides_leakage_behaviour": False,
            "provides_fill_level_target_profile": False,
            "provides_usage_forecast": False,
            "fill_level_range": self._levels(),
        }
        return g.FRBCSystemDescription, {"valid_from": now, "actuators": [actuator], "storage": storage}

    def _mode(self, mode: str, label: str, rate: dict[str, float], power: dict[str, float]) -> dict[str, object]:
        element = {
            "fill_level_range": self._levels(),
            "fill_rate": rate,
            "power_ranges": [power | {"commodity_quantity": self.quantity}],
        }
        return {"id": mode, "diagnostic_label": label, "elements": [element], "abnormal_condition_only": False}

    def _levels(self) -> dict[str, float]:
        return span(self._device.soc_min * PERCENT, self._device.soc_max * PERCENT)

    def _statuses(self) -> Iterable[Draft]:
        yield g.FRBCStorageStatus, {"present_fill_level": self._device.soc * PERCENT}
        if self._status is not None:
            mode, factor = self._status
            yield (
                g.FRBCActuatorStatus,
                {
                    "actuator_id": self._actuator,
                    "active_operation_mode_id": mode,
                    "operation_mode_factor": factor,
                },
            )
            self._status = None


def _step_down(power_w: float, rating_w: float) -> float:
    return math.floor(power_w / rating_w * STEPS + 1e-9) * rating_w / STEPS if rating_w > 0.0 else 0.0
