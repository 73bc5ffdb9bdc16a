"""What all devices of a site have in common.

A device owns its state and its safety: whatever it is told, it stays within what it may do, and told nothing it does
something sensible by itself. It is stepped from one instant to the next and reads no clock. Power in W, ``+`` is
consumption.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Protocol

from emulator.cem.ports import DeviceSnapshot


class Device(Protocol):
    """A device as the site steps it and an energy manager looks at it."""

    name: str
    power_w: float
    """Mean power of the step last made; the site sets it to 0 while there is none for the device."""

    @property
    def kind(self) -> str:
        """As in `DeviceSnapshot.kind`."""
        ...

    def step(self, now: datetime, dt_s: float) -> None:
        """Run from ``now`` to ``now + dt_s``."""
        ...

    def snapshot(self) -> DeviceSnapshot: ...

    def reason(self) -> str:
        """Why it does what it does of its own accord; empty where there is nothing to explain."""
        ...


class CommandRefused(ValueError):
    """The device does not do what it was told; the text says why. Nothing changed."""


def clock(at: datetime, zone: tzinfo) -> str:
    """Time of day for people.

    >>> from datetime import UTC
    >>> clock(datetime(2026, 6, 21, 15, 30, tzinfo=UTC), UTC)
    '15:30'
    """
    return at.astimezone(zone).strftime("%H:%M")


def watts(power_w: float) -> str:
    """Power for people.

    >>> watts(4140.0), watts(-73.0)
    ('4.1 kW', '-73 W')
    """
    return f"{power_w / 1000.0:.1f} kW" if abs(power_w) >= 1000.0 else f"{power_w:.0f} W"


def minutes(seconds: float) -> str:
    """A span for people.

    >>> minutes(2040.0), minutes(8280.0)
    ('34 min', '2 h 18 min')
    """
    whole = round(seconds / 60.0)
    return f"{whole} min" if whole < 60 else f"{whole // 60} h {whole % 60:02d} min"
