"""Device state machines: each owns its state, its safety and its own behaviour when nobody tells it anything."""

from __future__ import annotations

from emulator.devices.base_load import BaseLoad, BaseLoadConfig
from emulator.devices.battery import Battery, BatteryConfig
from emulator.devices.device import CommandRefused, Device
from emulator.devices.ev_charger import EvCharger, EvConfig
from emulator.devices.grid_meter import GridMeter, MeterConfig
from emulator.devices.pv import PvConfig, PvPlant
from emulator.devices.washer import Washer, WasherConfig, WasherState

__all__ = [
    "BaseLoad",
    "BaseLoadConfig",
    "Battery",
    "BatteryConfig",
    "CommandRefused",
    "Device",
    "EvCharger",
    "EvConfig",
    "GridMeter",
    "MeterConfig",
    "PvConfig",
    "PvPlant",
    "Washer",
    "WasherConfig",
    "WasherState",
]
