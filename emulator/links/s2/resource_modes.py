"""Devices with steps in S2: operation mode based control (lighting, generators), and demand driven control on top.

`ModesResource` describes a device that runs in one of several modes, each a power range, and changes between any two of
them but not before its dwell time is over. `DemandResource` is for one that has to meet a demand, in heat or whatever
it supplies, and may do so in different ways, as a hybrid heat pump does. Time of the dwell is the site's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from s2python.generated import gen_s2 as g

from emulator.devices.device import Device
from emulator.links.s2.codec import IdSource
from emulator.links.s2.instructions import Instruction
from emulator.links.s2.resource_base import L1, DeviceResource, milliseconds, span
from emulator.links.s2.rm_session import Draft
from emulator.links.s2.session import ControlType


@dataclass(frozen=True, slots=True)
class DeviceMode:
    """A way to run: power at factor 0 and at factor 1 [W], and what it supplies then, in the unit of the demand."""

    name: str
    low_w: float
    high_w: float
    low_supply: float = 0.0
    high_supply: float = 0.0
    emergency_only: bool = False


class ModesDevice(Device, Protocol):
    """A device that can be told a mode."""

    modes: tuple[DeviceMode, ...]
    dwell_s: float
    """It stays in a mode for at least so long."""

    @property
    def running(self) -> tuple[int, float]:
        """Which of its modes, and at what factor."""
        ...

    def set_mode(self, number: int | None, factor: float = 1.0) -> None:
        """Run in a mode; None leaves the device to itself."""
        ...


class DemandDevice(ModesDevice, Protocol):
    @property
    def demand(self) -> tuple[float, float]:
        """Least and greatest supply that is needed now."""
        ...


class ModesResource(DeviceResource):
    control_type = ControlType.OPERATION_MODE_BASED_CONTROL

    def __init__(self, device: ModesDevice, ids: IdSource, quantity: str = L1) -> None:
        super().__init__(device, ids, quantity)
        self._device = device
        self._modes = tuple(ids() for _ in device.modes)
        self._timer = ids()
        self._free_at: datetime | None = None
        self._told: tuple[int, float] | None = None
        self._before: str | None = None

    def describe(self, control_type: ControlType, now: datetime) -> Iterable[Draft]:
        self._told = self._before = None
        modes = [
            {
                "id": name,
                "diagnostic_label": mode.name,
                "power_ranges": [self._powers(mode)],
                "abnormal_condition_only": mode.emergency_only,
            }
            for name, mode in zip(self._modes, self._device.modes, strict=True)
        ]
        common = {"operation_modes": modes, "transitions": self._transitions(), "timers": self._timers()}
        yield g.OMBCSystemDescription, {"valid_from": now, **common}
        yield from self._statuses(now)

    def report(self, now: datetime) -> Iterable[Draft]:
        yield from super().report(now)
        yield from self._statuses(now)

    def problem(self, instruction: Instruction, now: datetime) -> str | None:
        assert isinstance(instruction, g.OMBCInstruction | g.DDBCInstruction)
        mode = instruction.operation_mode_id.root
        return None if mode in self._modes else f"operation mode {mode} is not described"

    def refusal(self, instruction: Instruction, now: datetime) -> str | None:
        assert isinstance(instruction, g.OMBCInstruction | g.DDBCInstruction)
        number = self._modes.index(instruction.operation_mode_id.root)
        if self._device.modes[number].emergency_only and not instruction.abnormal_condition:
            return f"{self._device.modes[number].name} is for abnormal conditions only"
        if (
            number != self._device.running[0]
            and self._free_at is not None
            and instruction.execution_time < self._free_at
        ):
            return f"it stays in its mode until {self._free_at:%H:%M:%S}"
        return None

    def begin(self, instruction: Instruction, now: datetime) -> None:
        assert isinstance(instruction, g.OMBCInstruction | g.DDBCInstruction)
        number = self._modes.index(instruction.operation_mode_id.root)
        if number != self._device.running[0] and self._device.dwell_s > 0.0:
            self._free_at = now + timedelta(seconds=self._device.dwell_s)
        self._device.set_mode(number, instruction.operation_mode_factor)

    def release(self, now: datetime) -> None:
        self._device.set_mode(None)

    def _powers(self, mode: DeviceMode) -> dict[str, object]:
        return {**span(mode.low_w, mode.high_w), "commodity_quantity": self.quantity}

    def _transitions(self) -> list[dict[str, object]]:
        timers = [self._timer] if self._device.dwell_s > 0.0 else []
        return [
            {
                "id": f"{start}-{end}",
                "from": self._modes[start],
                "to": self._modes[end],
                "start_timers": timers,
                "blocking_timers": timers,
                "abnormal_condition_only": False,
            }
            for start in range(len(self._modes))
            for end in range(len(self._modes))
            if start != end
        ]

    def _timers(self) -> list[dict[str, object]]:
        if self._device.dwell_s <= 0.0:
            return []
        return [{"id": self._timer, "diagnostic_label": "dwell", "duration": milliseconds(self._device.dwell_s)}]

    def _statuses(self, now: datetime) -> Iterable[Draft]:
        if self._device.running == self._told:
            return
        if self._told is not None and self._told[0] != self._device.running[0]:
            self._before = self._modes[self._told[0]]
        self._told = number, factor = self._device.running
        fields: dict[str, object] = {"active_operation_mode_id": self._modes[number], "operation_mode_factor": factor}
        if self._before is not None:
            fields |= {"previous_operation_mode_id": self._before, "transition_timestamp": now}
        yield self._status(fields)
        if self._free_at is not None:
            yield self._timer_status({"timer_id": self._timer, "finished_at": self._free_at})

    def _status(self, fields: dict[str, object]) -> Draft:
        return g.OMBCStatus, fields

    def _timer_status(self, fields: dict[str, object]) -> Draft:
        return g.OMBCTimerStatus, fields


class DemandResource(ModesResource):
    """One actuator whose modes also tell what they supply."""

    control_type = ControlType.DEMAND_DRIVEN_BASED_CONTROL

    def __init__(self, device: DemandDevice, ids: IdSource, quantity: str = L1) -> None:
        super().__init__(device, ids, quantity)
        self._demanding = device
        self._actuator = ids()
        self._described: tuple[float, float] | None = None

    def describe(self, control_type: ControlType, now: datetime) -> Iterable[Draft]:
        self._told = self._before = None
        yield self._system(now)
        yield from self._statuses(now)

    def report(self, now: datetime) -> Iterable[Draft]:
        if self._demanding.demand != self._described:
            yield self._system(now)
            self._told = None  # a description is followed by where the device stands in it
        yield from super().report(now)

    def problem(self, instruction: Instruction, now: datetime) -> str | None:
        assert isinstance(instruction, g.DDBCInstruction)
        if instruction.actuator_id.root != self._actuator:
            return f"actuator {instruction.actuator_id.root} is not described"
        return super().problem(instruction, now)

    def _system(self, now: datetime) -> Draft:
        self._described = self._demanding.demand
        modes = [
            {
                "Id": name,
                "diagnostic_label": mode.name,
                "power_ranges": [self._powers(mode)],
                "supply_range": span(mode.low_supply, mode.high_supply),
                "abnormal_condition_only": mode.emergency_only,
            }
            for name, mode in zip(self._modes, self._device.modes, strict=True)
        ]
        actuator = {
            "id": self._actuator,
            "supported_commodites": [g.Commodity.ELECTRICITY],
            "operation_modes": modes,
            "transitions": self._transitions(),
            "timers": self._timers(),
        }
        return g.DDBCSystemDescription, {
            "valid_from": now,
            "actuators": [actuator],
            "present_demand_rate": span(*self._described),
            "provides_average_demand_rate_forecast": False,
        }

    def _status(self, fields: dict[str, object]) -> Draft:
        return g.DDBCActuatorStatus, {"actuator_id": self._actuator, **fields}

    def _timer_status(self, fields: dict[str, object]) -> Draft:
        return g.DDBCTimerStatus, {"actuator_id": self._actuator, **fields}
