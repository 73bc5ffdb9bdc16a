"""How fast the emulated house is, against the goals of its design, on this machine.

``fleet``: one step of a second for 100,000 PV plants with a battery each, by the same formulas one device runs on.
``day``: a site of four devices and a base load under its guard, S2 messages and all; an hour of it is lived in steps of
a second and counted up to a day. ``plan``: one solve of a day, without the thread. Medians of interleaved rounds; the
machine may be shared, so the least time is told too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from statistics import median
from typing import Any

import numpy as np

from emulator.cem.house import connect
from emulator.cem.planner import connection_cap, schedule
from emulator.cem.planner_problem import ApplianceTask, BatteryTask, ChargerTask, Horizon, Problem, horizon
from emulator.day_curves import Place
from emulator.devices import BaseLoadConfig, BatteryConfig, EvConfig, MeterConfig, PvConfig, WasherConfig
from emulator.physics import battery
from emulator.site import Site, SiteConfig

ROUNDS = 5
FLEET = 100_000
START = datetime(2026, 6, 20, 8, 0, tzinfo=UTC)
GOALS = {"fleet_ms": 3.0, "day_s": 0.5, "plan_one_s": 0.2, "plan_one_fine_s": 0.2, "plan_ten_s": 0.5}


def measure() -> Iterator[dict[str, Any]]:
    problems = {
        "plan_one_s": _problem(1, Horizon(START, np.arange(97, dtype=np.float64) * 900.0)),
        "plan_one_fine_s": _problem(1, horizon(START)),
        "plan_ten_s": _problem(10, Horizon(START, np.arange(97, dtype=np.float64) * 900.0)),
    }
    gaps: dict[str, float] = {}

    def solve(name: str) -> float:
        began = time.perf_counter()
        gaps[name] = schedule(problems[name]).gap
        return time.perf_counter() - began

    fleet = _Fleet(FLEET)
    what: dict[str, Callable[[], float]] = {"fleet_ms": fleet.step_ms, "day_s": _day_s}
    what |= {name: (lambda name=name: solve(name)) for name in problems}
    solve("plan_one_s")  # the first solve imports scipy
    rounds: dict[str, list[float]] = {name: [] for name in what}
    for _ in range(ROUNDS):
        for name, once in what.items():
            rounds[name].append(once())
    for name, values in rounds.items():
        told = {"measure": name, "median": round(median(values), 4), "least": round(min(values), 4)}
        gap = {"gap": round(gaps[name], 4)} if name in gaps else {}
        yield {**told, "goal": GOALS[name], "rounds": ROUNDS, **gap}


class _Fleet:
    """PV plants and batteries as arrays: each battery takes what its plant gives beyond its house."""

    def __init__(self, count: int) -> None:
        rng = np.random.default_rng(1)
        self._soc = rng.uniform(0.1, 0.9, count)
        self._peak_w = rng.uniform(3000.0, 10_000.0, count)
        self._inverter_w = self._peak_w / 1.2
        self._limit_w = np.where(rng.random(count) < 0.1, 2000.0, np.inf)
        self._load_w = rng.uniform(100.0, 3000.0, count)
        self._pack = battery.Pack()
        self._sun = 0.0

    def step_ms(self) -> float:
        self._sun = (self._sun + 0.013) % 1.0
        began = time.perf_counter()
        given_w = np.minimum(np.minimum(self._peak_w * self._sun, self._inverter_w), self._limit_w)
        after = battery.step(self._soc, given_w - self._load_w, 1.0, self._pack)
        self._soc = after.soc
        return (time.perf_counter() - began) * 1000.0


def _day_s() -> float:
    devices = (
        MeterConfig("meter"),
        BaseLoadConfig("base load"),
        PvConfig("pv"),
        BatteryConfig("battery"),
        EvConfig("ev", soc=0.4, departure=time_of_day(17, 30)),
        WasherConfig("washer"),
    )
    site = Site(SiteConfig("house", Place(51.98, 5.91, "Europe/Amsterdam"), 17_250.0, devices), START, seed=1)
    connect(site)
    site.step(1.0)
    began = time.perf_counter()
    site.step_to(site.now + timedelta(hours=1))
    return (time.perf_counter() - began) * 24.0


def _problem(count: int, ahead: Horizon) -> Problem:
    """Batteries, cars with different needs and washers, a sunny day, an hourly tariff."""
    hour = (START.hour + ahead.edges_s[:-1] / 3600.0) % 24.0
    return Problem(
        horizon=ahead,
        fixed_w=1000.0 * count * (0.3 + 0.6 * np.exp(-((hour - 19.0) ** 2) / 4.0)),
        sun_w=5000.0 * count * np.clip(np.sin((hour - 6.0) / 12.0 * np.pi), 0.0, None) ** 1.3,
        import_price=0.25 + 0.10 * np.sin((np.floor(hour) - 14.0) / 6.0 * np.pi),
        export_price=np.full(ahead.steps, 0.08),
        caps=(connection_cap(ahead, 17_250.0 * count),),
        batteries=tuple(BatteryTask(f"b{n}", 5000.0, 1000.0, 9500.0, 5000.0, 5000.0) for n in range(count)),
        chargers=tuple(
            ChargerTask(f"c{n}", 4140.0, 11_040.0, 15_000.0 + 700.0 * n, 30_000.0, START + timedelta(hours=9 + 0.5 * n))
            for n in range(count)
        ),
        appliances=tuple(
            ApplianceTask(
                f"w{n}",
                START + timedelta(hours=n % 4),
                START + timedelta(hours=10),
                ((480.0, 73.0), (1260.0, 2056.0), (3780.0, 73.0), (1860.0, 200.0), (300.0, 568.0)),
            )
            for n in range(count)
        ),
    )
