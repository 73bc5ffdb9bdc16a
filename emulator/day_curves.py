"""What a day brings a site: the sun on its roof and the habits of its household, as power curves of UTC days.

A day is computed when it is first asked for and kept while it lasts; means over a span are exact, so it matters not by
what steps a site runs. Everything follows from place, date and seed: the same day is the same in every run.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from zlib import crc32
from zoneinfo import ZoneInfo

import numpy as np

from emulator.physics import base_load, curve, pv
from emulator.physics.values import SECONDS_PER_DAY, Array

SPACING_S = 60.0
MINUTES = 1440
_WARM_UP = 120
"""Minutes of the day before that let a day's noise go on where the last one's ended: twelve time constants."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a site is."""

    latitude: float
    longitude: float
    timezone: str
    altitude_m: float = 0.0

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class DayCurve:
    """Power over time, not negative, made of days; subclasses make the days."""

    def __init__(self) -> None:
        self._days: dict[date, Array] = {}

    def mean(self, now: datetime, from_s: float, to_s: float, cap_w: float = np.inf) -> float:
        """Mean of ``min(power, cap_w)`` from ``now + from_s`` to ``now + to_s``. [W]"""
        today = now.astimezone(UTC).date()
        midnight = (now - _midnight(today)).total_seconds()
        begin, end = midnight + from_s, midnight + to_s
        first, last = int(begin // SECONDS_PER_DAY), int(-(-end // SECONDS_PER_DAY))
        total = 0.0
        for number in range(first, last):
            shift = number * SECONDS_PER_DAY
            start, stop = max(begin - shift, 0.0), min(end - shift, SECONDS_PER_DAY)
            knots = self._day(today + timedelta(days=number))
            total += (stop - start) * curve.mean(knots, SPACING_S, start, stop, cap_w)
        return total / (end - begin)

    def prepare(self, day: date) -> None:
        """Compute a UTC day ahead of need, where waiting for it does no harm."""
        self._day(day)

    def _day(self, day: date) -> Array:
        if day not in self._days:
            # a span over midnight needs two days, never more
            self._days = {kept: knots for kept, knots in self._days.items() if abs((kept - day).days) <= 1}
            self._days[day] = self.make(day)
        return self._days[day]

    def make(self, day: date) -> Array:
        """Power at every minute of a UTC day, both midnights included. [W]"""
        raise NotImplementedError


class SunPower(DayCurve):
    """AC power of a PV plant under a clear sky."""

    def __init__(self, plant: pv.Plant) -> None:
        super().__init__()
        self._plant = plant

    def make(self, day: date) -> Array:
        return pv.clear_sky_power(self._plant, _midnight(day), SPACING_S, MINUTES + 1)


class HouseholdPower(DayCurve):
    """Power of a household that nobody steers."""

    def __init__(self, place: Place, yearly_wh: float, seed: int, name: str = "base load") -> None:
        super().__init__()
        self._zone = place.zone
        self._yearly_wh = yearly_wh
        self._seed = (seed, crc32(name.encode()))

    def make(self, day: date) -> Array:
        quarters = [_midnight(day) + timedelta(minutes=15 * number) for number in range(-1, 97)]
        power = np.array([self._profile(quarter.astimezone(self._zone)) for quarter in quarters])
        centres = np.arange(-1, 97) * 15.0 + 7.5
        smooth = np.interp(np.arange(MINUTES + 1), centres, power)
        return smooth * self._unrest(day)

    def usual(self, at: datetime) -> float:
        """What the profile has for the quarter of an hour an instant lies in, before unrest. [W]"""
        return self._profile(at.astimezone(self._zone))

    def _profile(self, local: datetime) -> float:
        figure = _h25()[local.month, _kind_of_day(local.date())][local.hour * 4 + local.minute // 15]
        return float(base_load.profile_power(figure, local.timetuple().tm_yday, self._yearly_wh))

    def _unrest(self, day: date) -> Array:
        before, today, after = (self._innovations(day + timedelta(days=shift)) for shift in (-1, 0, 1))
        factors = base_load.unrest(np.concatenate((before[-_WARM_UP:], today, after[:1])), SPACING_S)
        return factors[_WARM_UP:]

    def _innovations(self, day: date) -> Array:
        return np.random.default_rng((*self._seed, day.toordinal())).standard_normal(MINUTES)


@cache
def _h25() -> dict[tuple[int, str], Array]:
    """BDEW H25: figures of 96 quarter hours by month and kind of day."""
    text = resources.files("nodebench_resources").joinpath("profiles/bdew_h25.csv").read_text("utf-8")
    rows = list(csv.reader(text.splitlines()))[1:]
    return {(int(row[0]), row[1]): np.array([float(figure) for figure in row[2:]]) for row in rows}


def _kind_of_day(day: date) -> str:
    """BDEW's day types; 24 and 31 December count as Saturdays. Public holidays, which differ by land, are not known."""
    if day.weekday() == 6:
        return "sunday"
    if day.weekday() == 5 or (day.month == 12 and day.day in (24, 31)):
        return "saturday"
    return "workday"


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
