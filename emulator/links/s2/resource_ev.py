"""A charge point with a car in S2: fill rate based control, the fill level is the car's state of charge in percent.

FRBC and not PEBC, because only FRBC says all three things an energy manager needs of a car: the gap between nothing and
6 A (an Off mode beside a Charge mode that begins at the least power), the level it has, and the level it must have by
its departure (FillLevelTargetProfile). While no car is plugged in, only the Off mode is described.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from s2python.generated import gen_s2 as g

from emulator.devices import EvCharger
from emulator.links.s2.codec import IdSource
from emulator.links.s2.instructions import Instruction, Status
from emulator.links.s2.resource_base import L1, THREE_PHASE, DeviceResource, Ended, milliseconds, span
from emulator.links.s2.resource_battery import FILL_LEVEL_LABEL, PERCENT, SECONDS_PER_HOUR
from emulator.links.s2.rm_session import Draft
from emulator.links.s2.session import ControlType

HORIZON = timedelta(hours=24)
"""How far the target profile reaches where there is no departure, and beyond one."""


class EvResource(DeviceResource):
    control_type = ControlType.FILL_RATE_BASED_CONTROL
    roles = (g.RoleType.ENERGY_CONSUMER,)
    delay_s = 5.0

    def __init__(self, device: EvCharger, ids: IdSource) -> None:
        super().__init__(device, ids, THREE_PHASE if device.phases == 3 else L1)
        self._device = device
        self._actuator, self._off, self._charge = ids(), ids(), ids()
        self._described: tuple[object, ...] = ()
        self._offered: float | None = None

    def describe(self, control_type: ControlType, now: datetime) -> Iterable[Draft]:
        self._offered = None
        yield from self._description(now)
        yield from self._statuses()

    def report(self, now: datetime) -> Iterable[Draft]:
        yield from super().report(now)
        if self._visit() != self._described:
            yield from self._description(now)
        yield from self._statuses()

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
        return "no car is plugged in" if charging and not self._device.plugged else None

    def begin(self, instruction: Instruction, now: datetime) -> None:
        self._device.set_current(self._current(instruction))

    def outcome(self, instruction: Instruction, now: datetime) -> Ended | None:
        if not self._device.plugged:
            return Status.ABORTED, "the car left"
        return (Status.SUCCEEDED, "") if self._device.current_a == self._current(instruction) else None

    def release(self, now: datetime) -> None:
        self._device.set_current(None)

    def _current(self, instruction: Instruction) -> float:
        """Current that makes the power asked for; the lowest charging power must not round to a pause. [A]"""
        assert isinstance(instruction, g.FRBCInstruction)
        if instruction.operation_mode.root == self._off:
            return 0.0
        device, factor = self._device, instruction.operation_mode_factor
        return device.i_min_a + factor * (device.i_max_a - device.i_min_a)

    def _visit(self) -> tuple[object, ...]:
        """What the description rests on."""
        return self._device.plugged, self._device.departure, self._device.target_soc

    def _description(self, now: datetime) -> Iterable[Draft]:
        device = self._device
        self._described = self._visit()
        per_second = device.efficiency * PERCENT / device.capacity_wh / SECONDS_PER_HOUR
        rates = span(device.min_w * per_second, device.max_w * per_second)
        modes = [self._mode(self._off, "off", span(0.0, 0.0), span(0.0, 0.0))]
        if device.plugged:
            modes.append(self._mode(self._charge, "charge", rates, span(device.min_w, device.max_w)))
        actuator = {
            "id": self._actuator,
            "diagnostic_label": "charge point",
            "supported_commodities": [g.Commodity.ELECTRICITY],
            "operation_modes": modes,
            "transitions": self._transitions() if device.plugged else [],
            "timers": [],
        }
        storage = {
            "diagnostic_label": "car",
            "fill_level_label": FILL_LEVEL_LABEL,
            "provides_leakage_behaviour": False,
            "provides_fill_level_target_profile": True,
            "provides_usage_forecast": False,
            "fill_level_range": span(0.0, PERCENT),
        }
        yield g.FRBCSystemDescription, {"valid_from": now, "actuators": [actuator], "storage": storage}
        yield g.FRBCFillLevelTargetProfile, {"start_time": now, "elements": self._targets(now)}

    def _targets(self, now: datetime) -> list[dict[str, object]]:
        anything = span(0.0, PERCENT)
        departure = self._device.departure
        if not self._device.plugged or departure is None or departure <= now:
            return [{"duration": milliseconds(HORIZON.total_seconds()), "fill_level_range": anything}]
        wanted = span(self._device.target_soc * PERCENT, PERCENT)
        return [
            {"duration": milliseconds((departure - now).total_seconds()), "fill_level_range": anything},
            {"duration": milliseconds(HORIZON.total_seconds()), "fill_level_range": wanted},
        ]

    def _mode(self, mode: str, label: str, rate: dict[str, float], power: dict[str, float]) -> dict[str, object]:
        element = {
            "fill_level_range": span(0.0, PERCENT),
            "fill_rate": rate,
            "power_ranges": [power | {"commodity_quantity": self.quantity}],
        }
        return {"id": mode, "diagnostic_label": label, "elements": [element], "abnormal_condition_only": False}

    def _transitions(self) -> list[dict[str, object]]:
        return [
            {
                "id": name,
                "from": origin,
                "to": target,
                "start_timers": [],
                "blocking_timers": [],
                "transition_duration": milliseconds(self._device.config.response_delay_s),
                "abnormal_condition_only": False,
            }
            for name, origin, target in (("start", self._off, self._charge), ("stop", self._charge, self._off))
        ]

    def _statuses(self) -> Iterable[Draft]:
        device = self._device
        if not device.plugged:
            return
        yield g.FRBCStorageStatus, {"present_fill_level": device.soc * PERCENT}
        if device.current_a == self._offered:
            return
        self._offered = device.current_a
        charging = device.current_a >= device.i_min_a
        share = (device.current_a - device.i_min_a) / (device.i_max_a - device.i_min_a) if charging else 0.0
        yield (
            g.FRBCActuatorStatus,
            {
                "actuator_id": self._actuator,
                "active_operation_mode_id": self._charge if charging else self._off,
                "operation_mode_factor": min(max(share, 0.0), 1.0),
            },
        )
