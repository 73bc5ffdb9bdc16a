"""What the energy manager does when the grid side falls silent or the grid itself is gone.

Silent: signals accepted are kept to their end, then a failsafe limit holds, until the grid side is heard again and says
something new, or was heard and the failsafe time is over (after the EEBUS use case *limitation of power consumption*:
a heartbeat each minute, lost after two, a limit for two hours at least). Gone: what is essential runs on from the
battery, all that can be shed is shed; when the grid is back, devices rejoin one after another, beginning after a random
time, so that a street does not come back at once. The order and the powers are told ahead.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from emulator.cem.limits import Band, Bound, active
from emulator.cem.plans import House
from emulator.cem.ports import GridSignal, LevelSignal, LimitSignal, Rejoining

FAILSAFE = "failsafe limit"
POWER_CUT = "power cut"
RECONNECTION = "reconnection"
OWN = frozenset({FAILSAFE, POWER_CUT, RECONNECTION})
"""Sources of bounds that are no events."""


@dataclass(frozen=True, slots=True)
class GridSideSettings:
    failsafe_w: float | None = None
    """Most the site draws when the grid side is lost; None is no limit."""
    lost_after: timedelta = timedelta(seconds=120)
    """Without a heartbeat, once there have been any."""
    at_least: timedelta = timedelta(hours=2)
    """A failsafe limit lasts so long unless a new signal comes."""
    rejoin_within: timedelta = timedelta(seconds=300)
    """The first device rejoins after a random part of this."""
    rejoin_apart: timedelta = timedelta(seconds=60)


class Contact(StrEnum):
    """How the grid side is."""

    HEARD = "heard"
    LOST = "lost"
    """Signals accepted before still run."""
    FAILSAFE = "failsafe"


class GridSide:
    """Contact with the grid side and with the grid, and the bounds that follow."""

    def __init__(self, settings: GridSideSettings, seed: int = 0) -> None:
        self.contact = Contact.HEARD
        self.rejoining: tuple[Rejoining, ...] = ()
        """Devices still to come back, in order; empty when all have."""
        self.islanded = False
        self._settings = settings
        self._random = random.Random(seed)
        self._heard: datetime | None = None
        self._before: House | None = None
        self._failsafe_since: datetime | None = None
        self._heard_again = False

    # Contact

    def heartbeat(self, now: datetime) -> None:
        """The grid side was heard, without saying anything new."""
        self._heard = now
        self._heard_again = self.contact is not Contact.HEARD
        if self.contact is Contact.LOST:
            self.contact, self._heard_again = Contact.HEARD, False

    def told(self) -> None:
        """The grid side said something new, which ends a failsafe."""
        self.contact, self._failsafe_since, self._heard_again = Contact.HEARD, None, False

    def lose(self) -> None:
        """It is known to be gone."""
        if self.contact is Contact.HEARD:
            self.contact = Contact.LOST
        self._heard, self._heard_again = None, False

    def look(self, signals: tuple[GridSignal, ...], now: datetime) -> None:
        """Let time pass."""
        if self._heard is not None and now - self._heard > self._settings.lost_after:
            self.lose()
        running = any(isinstance(s, LimitSignal | LevelSignal) and not s.device for s in active(signals, now))
        if self.contact is Contact.LOST and not running:
            self.contact, self._failsafe_since = Contact.FAILSAFE, now
        over = self._failsafe_since is not None and now - self._failsafe_since >= self._settings.at_least
        if self.contact is Contact.FAILSAFE and self._heard_again and over:
            self.told()

    # The grid itself

    def cut(self, house: House) -> None:
        """The grid is gone; the site stands alone. ``house`` is as it was last seen with a grid."""
        self.islanded, self.rejoining, self._before = True, (), house

    def back(self, now: datetime) -> None:
        """The grid is back: chargers and waiting appliances of before rejoin one after another."""
        house, self.islanded = self._before, False
        if house is None:
            return
        at = now + self._random.random() * self._settings.rejoin_within
        steps: list[Rejoining] = []
        loads = [(c.name, c.max_w) for c in house.chargers if c.plugged]
        loads += [(a.name, a.peak_w) for a in house.appliances if a.waiting]
        for name, power in sorted(loads, key=lambda one: one[1]):
            steps.append(Rejoining(name, at, power))
            at += self._settings.rejoin_apart
        self.rejoining = tuple(steps)

    def narrow(self, band: Band, house: House) -> Band:
        """The band with what follows from silence, an island or coming back from one."""
        if self.islanded:
            bound = Bound(round(house.must_run_w), POWER_CUT, None)
            return replace(band, upper=bound, lower=None, emergency=bound, abnormal=True)
        failsafe = self._settings.failsafe_w
        if self.contact is Contact.FAILSAFE and failsafe is not None:
            watts = failsafe if band.upper is None else min(failsafe, band.upper.watts)
            band = replace(band, upper=Bound(watts, FAILSAFE, None))
        self.rejoining = tuple(one for one in self.rejoining if one.at > house.now)
        for one in self.rejoining:
            upper, lower = band.of(one.device)
            held = Bound(0.0, RECONNECTION, one.at) if upper is None or upper.watts > 0.0 else upper
            others = tuple(entry for entry in band.devices if entry[0] != one.device)
            band = replace(band, devices=(*others, (one.device, held, lower)))
        return band
