"""A site that stands alone: its backup battery carries what is essential, in balance at every step.

The transfer switch drops all circuits that are not essential. The battery makes the grid for the rest: it gives what
they draw and takes what the sun gives beyond, and lets PV be cut (by frequency) where it can take no more. When it can
give no more the island collapses, and only the grid's return ends that.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from emulator.devices import Battery, Device, PvPlant
from emulator.physics.values import SECONDS_PER_HOUR

UNMET_W = 1.0


class Island:
    """One power cut."""

    def __init__(self, essential: Iterable[str]) -> None:
        self.collapsed = False
        self._essential = frozenset(essential)

    def dark(self, devices: Iterable[Device]) -> frozenset[str]:
        """Names of the devices that have no power."""
        devices = tuple(devices)
        if self.collapsed or self._backup(devices) is None:
            return frozenset(each.name for each in devices)
        carried = {self._backup(devices), *(each for each in devices if each.name in self._essential)}
        return frozenset(each.name for each in devices if each not in carried)

    def step(self, devices: Iterable[Device], now: datetime, dt_s: float) -> None:
        """Run the devices; their powers add up to nothing."""
        devices = tuple(devices)
        dark = self.dark(devices)
        for each in devices:
            if each.name in dark:
                each.power_w = 0.0
        battery = self._backup(devices)
        if battery is None or battery.name in dark:
            return
        running = [each for each in devices if each.name not in dark and each is not battery]
        for each in running:
            each.step(now, dt_s)
        self._cut_sun(running, battery, dt_s)
        needed_w = -sum(each.power_w for each in running)
        battery.form(needed_w, dt_s)
        if abs(battery.power_w - needed_w) > UNMET_W:
            self.collapsed = True
            for each in (*running, battery):
                each.power_w = 0.0

    def _backup(self, devices: tuple[Device, ...]) -> Battery | None:
        return next((each for each in devices if isinstance(each, Battery) and each.config.backup), None)

    def _cut_sun(self, running: list[Device], battery: Battery, dt_s: float) -> None:
        """Have plants give no more than the loads and the battery take."""
        plants = [each for each in running if isinstance(each, PvPlant)]
        given = -sum(plant.power_w for plant in plants if plant.power_w < 0.0)
        # near full the limit falls within the step: what it takes over the step is what counts
        room = battery.takes_w(dt_s) + sum(each.power_w for each in running if each.power_w > 0.0)
        if given <= room:
            return
        for plant in plants:
            if plant.power_w < 0.0:
                kept = plant.power_w * room / given
                plant.curtailed_wh += (kept - plant.power_w) * dt_s / SECONDS_PER_HOUR
                plant.power_w = kept
