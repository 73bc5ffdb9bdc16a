"""Signals that speak of devices or of stored energy, as limits on single devices now.

LOAD_CONTROL says how much of itself a device may use; without a target every device that can be steered is meant, with
a device class only those of it. CHARGE_STATE says what should be stored by the end of its interval: batteries begin to
charge when they have to, and keep what they have from then on. Both become device limits, which the guard keeps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from emulator.cem.limits import active
from emulator.cem.planner_problem import StoreTarget
from emulator.cem.plans import House
from emulator.cem.ports import Control, ControlSignal, EnergySignal, GridSignal, LimitSignal
from emulator.cem.resources import Appliance, Battery, Charger, Producer

SECONDS_PER_HOUR = 3600.0
LEVEL_STEP = 0.10
"""Share of its greatest power by which one level moves a device that has no steps of its own."""
IN_TIME = 0.9
"""Share of the time left that charging may need before it begins."""
CLASSES: dict[str, tuple[type, ...]] = {
    "Electric_Vehicle": (Charger,),
    "EVSE": (Charger,),
    "Storage": (Battery,),
    "Smart_Inverter": (Producer,),
    "Generation_Systems": (Producer,),
    "Smart_Appliance": (Appliance,),
}
"""endDeviceAsset mRIDs of OpenADR that devices here can be of."""

Steered = Charger | Battery | Producer | Appliance


class EnergyTargets:
    """What is wanted of stores: remembers what they held when a change was asked for."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, datetime, str], float] = {}

    def of(self, battery: Battery, house: House, signals: Sequence[GridSignal]) -> tuple[StoreTarget, ...]:
        """Targets of one battery, those past left out; the wanted energy is shared by capacity."""
        targets: list[StoreTarget] = []
        capacity = capacity_wh(battery)
        whole = sum(capacity_wh(one) for one in house.batteries)
        for signal in signals:
            if not isinstance(signal, EnergySignal) or signal.test or signal.end is None or signal.end <= house.now:
                continue
            if signal.device not in ("", battery.name) or capacity <= 0.0:
                continue
            share = 1.0 if signal.device else capacity / whole
            targets.append(StoreTarget(signal.end, min(self._wanted(battery, signal, share), capacity), signal.source))
        return tuple(targets)

    def _wanted(self, battery: Battery, signal: EnergySignal, share: float) -> float:
        capacity = capacity_wh(battery)
        if signal.share is not None:
            return signal.share * capacity
        if signal.wh is not None:
            return signal.wh * share
        key = (signal.source, signal.start, battery.name)
        held = self._held.setdefault(key, battery.level * capacity)
        return max(held + (signal.change_wh or 0.0) * share, 0.0)


def capacity_wh(battery: Battery) -> float:
    """What it holds from empty to full, as energy it gives. [Wh]"""
    return battery.wh_per_level


def device_limits(signals: Sequence[GridSignal], house: House, targets: EnergyTargets) -> list[LimitSignal]:
    """The limits on single devices that the signals in force make now."""
    limits = [one for signal in active(signals, house.now) for one in control_limits(signal, house)]
    running = [s for s in active(signals, house.now) if isinstance(s, EnergySignal)]
    for battery in house.batteries:
        for target in targets.of(battery, house, running):
            limits.append(_keep(battery, target, house.now))
    return limits


def _keep(battery: Battery, target: StoreTarget, now: datetime) -> LimitSignal:
    """Charge when it must, and from then on give nothing that is wanted."""
    missing_wh = target.wh - battery.level * capacity_wh(battery)
    left_h = max((target.by - now).total_seconds(), 1.0) / SECONDS_PER_HOUR
    due = missing_wh > 0.0 and battery.charge_w > 0.0 and missing_wh / battery.charge_w >= IN_TIME * left_h
    spare_w = max(-missing_wh, 0.0) / left_h
    lower = battery.charge_w if due else (-min(spare_w, battery.discharge_w) if missing_wh > -1.0 else None)
    return LimitSignal(target.source, now, target.by, device=battery.name, lower_w=lower)


def control_limits(signal: GridSignal, house: House) -> Iterator[LimitSignal]:
    """What a LOAD_CONTROL signal means for each device it speaks of; of other signals nothing."""
    if not isinstance(signal, ControlSignal):
        return
    kinds = CLASSES.get(signal.device_class)
    devices: tuple[Steered, ...] = (*house.chargers, *house.batteries, *house.producers, *house.appliances)
    for device in devices:
        meant = not signal.device_class or (kinds is not None and isinstance(device, kinds))
        if meant and signal.device in ("", device.name):
            upper, lower = _bounds(device, signal)
            if upper is not None or lower is not None:
                yield LimitSignal(
                    signal.source,
                    signal.start,
                    signal.end,
                    signal.priority,
                    signal.abnormal,
                    device=device.name,
                    upper_w=upper,
                    lower_w=lower,
                )


def _bounds(device: Steered, signal: ControlSignal) -> tuple[float | None, float | None]:
    """Upper and lower bound of one device. [W]"""
    match signal.control:
        case Control.CAPACITY:
            return _share_of(device, signal.value)
        case Control.PERCENT:
            return _share_of(device, 1.0 + signal.value / 100.0)
        case Control.LEVEL:
            return _share_of(device, 1.0 + signal.value * LEVEL_STEP)
        case Control.SETPOINT:
            if isinstance(device, Battery):
                return signal.value, signal.value
            if isinstance(device, Producer):
                return None, min(signal.value, 0.0)
            return max(signal.value, 0.0), None


def _share_of(device: Steered, share: float) -> tuple[float | None, float | None]:
    share = max(share, 0.0)
    if share >= 1.0:
        return None, None
    match device:
        case Charger():
            return share * device.max_w, None
        case Battery():
            return share * device.charge_w, -share * device.discharge_w
        case Producer():
            return None, -share * device.most_w
        case Appliance():
            return share * device.peak_w, None
