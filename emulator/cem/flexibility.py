"""How much a house could draw less or more for a while, what it has stored, and what it would have drawn anyway.

Up is less consumption or more generation (what a grid short of power wants), down is the opposite; both are counted
from the present power and are not negative. A figure holds for its length: a battery gives what its energy sustains, a
car pauses only as far as it is still ready in time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from emulator.cem.planner_problem import Plan
from emulator.cem.plans import House
from emulator.cem.ports import DeviceFlexibility, Flexibility
from emulator.cem.resources import Battery, Charger

LASTS = timedelta(minutes=15)
SECONDS_PER_HOUR = 3600.0
KEPT = 64
"""Baselines remembered; older ones are forgotten."""


def flexibility(house: House, reserve: Callable[[Battery], float], lasts: timedelta = LASTS) -> Flexibility:
    """Of every device and of the house, for a stretch of that length from now."""
    hours = lasts.total_seconds() / SECONDS_PER_HOUR
    devices = [
        *(_battery(battery, reserve(battery), hours) for battery in house.batteries),
        *(_charger(charger, house.now, lasts) for charger in house.chargers),
        *(
            DeviceFlexibility(p.name, max(p.power_w - p.available_w, 0.0), max(-p.power_w, 0.0))
            for p in house.producers
        ),
        *(
            DeviceFlexibility(a.name, 0.0, a.peak_w if a.start <= house.now <= a.latest_start else 0.0)
            for a in house.appliances
            if a.waiting
        ),
    ]
    return Flexibility(
        time=house.now,
        lasts=lasts,
        up_w=sum(one.up_w for one in devices),
        down_w=sum(one.down_w for one in devices),
        stored_wh=sum(one.stored_wh for one in devices),
        room_wh=sum(one.room_wh for one in devices),
        devices=tuple(devices),
    )


def _battery(battery: Battery, reserve: float, hours: float) -> DeviceFlexibility:
    stored = battery.level * battery.wh_per_level
    room = max(battery.top - battery.level, 0.0) * battery.wh_per_level
    gives = min(battery.discharge_w, battery.above_wh(reserve) / hours)
    takes = min(battery.charge_w, room / hours)
    up, down = max(battery.power_w + gives, 0.0), max(takes - battery.power_w, 0.0)
    return DeviceFlexibility(battery.name, up, down, stored, room)


def _charger(charger: Charger, now: datetime, lasts: timedelta) -> DeviceFlexibility:
    if not charger.plugged or charger.full_rate <= 0.0:
        return DeviceFlexibility(charger.name)
    per_level = charger.max_w / charger.full_rate / SECONDS_PER_HOUR
    room = max(1.0 - charger.level, 0.0) * per_level
    hours = lasts.total_seconds() / SECONDS_PER_HOUR
    down = max(min(charger.max_w, room / hours) - charger.power_w, 0.0)
    least = 0.0
    if charger.departure is not None:
        after_s = max((charger.departure - now - lasts).total_seconds(), 0.0)
        short_s = max(charger.needs_s - after_s, 0.0)
        least = min(charger.max_w * short_s / lasts.total_seconds(), charger.max_w)
        least = max(least, charger.min_w) if least > 0.0 else 0.0
    return DeviceFlexibility(charger.name, max(charger.power_w - least, 0.0), down, charger.level * per_level, room)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the site would have drawn without an event, as known when the event was notified."""

    source: str
    frozen_at: datetime
    constant_w: float
    plan: Plan | None = None
    """The plan of that moment, which knew nothing of the event; where there is none, the constant counts."""

    def at(self, time: datetime) -> float:
        """Net power expected then. [W]"""
        if self.plan is not None:
            step = self.plan.horizon.step_of(time)
            if step is not None:
                return float(self.plan.net_w[step])
        return self.constant_w


class Baselines:
    """Baselines of events, each frozen once."""

    def __init__(self) -> None:
        self._frozen: dict[str, Baseline] = {}

    def notify(self, source: str, now: datetime, constant_w: float, plan: Plan | None) -> Baseline:
        """Freeze the baseline of an event heard of for the first time; later calls change nothing."""
        if source not in self._frozen:
            while len(self._frozen) >= KEPT:
                del self._frozen[next(iter(self._frozen))]
            self._frozen[source] = Baseline(source, now, constant_w, plan)
        return self._frozen[source]

    def of(self, source: str) -> Baseline | None:
        return self._frozen.get(source)
