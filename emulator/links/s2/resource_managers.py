"""Which resource manager stands for which emulated device (control types: EN 50491-12-2, choice in one place).

PV: power envelope. Battery and charge point: fill rate. Washer: power profile. Base load and meter: not controllable.
"""

from __future__ import annotations

from emulator.devices import BaseLoad, Battery, Device, EvCharger, GridMeter, PvPlant, Washer
from emulator.links.s2.codec import IdSource
from emulator.links.s2.resource_base import THREE_PHASE, ConnectionMeter, DeviceResource, MeteredLoad
from emulator.links.s2.resource_battery import BatteryResource
from emulator.links.s2.resource_ev import EvResource
from emulator.links.s2.resource_pv import PvResource
from emulator.links.s2.resource_washer import WasherResource


def resource_for(device: Device, ids: IdSource) -> DeviceResource:
    """The resource manager of a device; raises TypeError for a device S2 has no description of yet."""
    match device:
        case PvPlant():
            return PvResource(device, ids)
        case Battery():
            return BatteryResource(device, ids)
        case EvCharger():
            return EvResource(device, ids)
        case Washer():
            return WasherResource(device, ids)
        case BaseLoad():
            return MeteredLoad(device, ids)
        case GridMeter():
            return ConnectionMeter(device, ids, THREE_PHASE)
        case _:
            raise TypeError(f"no resource manager for {device.kind} {device.name}")
