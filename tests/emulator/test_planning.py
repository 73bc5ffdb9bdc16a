"""A house that follows its plan: renewed when it should be, obeyed as far as the guard lets it, explained."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import numpy as np
import pytest

from emulator.cem.house import HouseController, connect
from emulator.cem.planner_problem import Plan, Problem
from emulator.cem.planning import EVERY, Inline, Planning, Worker, answer
from emulator.cem.ports import GridSignal, LimitSignal, PriceSignal
from emulator.day_curves import Place
from emulator.devices import BaseLoadConfig, BatteryConfig, EvConfig, MeterConfig, PvConfig, WasherConfig, WasherState
from emulator.site import DeviceConfig, Site, SiteConfig

START = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUSEHOLD = BaseLoadConfig("base load")
BATTERY = BatteryConfig("battery")
EV = EvConfig("ev", soc=0.70, departure=time(17, 30))
WASHER = WasherConfig("washer", ready_by=time(20, 0))


def prices(*spans: tuple[float, float, float]) -> list[GridSignal]:
    """(from, to, price), in minutes after the start."""
    return [PriceSignal("e-p", START + a * MINUTE, START + b * MINUTE, price=price) for a, b, price in spans]


class Planned:
    def __init__(self, *devices: DeviceConfig, planning: Planning | None = None) -> None:
        config = SiteConfig("house", Place(51.98, 5.91, "Europe/Amsterdam"), 17_250.0, (MeterConfig("meter"), *devices))
        self.site = Site(config, START, seed=1)
        self.planning = planning or Planning(Inline(), 17_250.0)
        self.house: HouseController = connect(self.site, planning=self.planning)

    def live(self, minutes: float, step_s: float = 5.0) -> list[float]:
        net: list[float] = []
        for _ in range(round(minutes * 60 / step_s)):
            self.site.step(step_s)
            net.append(self.site.net_w)
        return net

    def line(self, device: str) -> str:
        return next((reason.text for reason in self.house.reasons if reason.device == device), "")


def test_the_car_waits_for_the_cheap_hour_and_says_so():
    house = Planned(HOUSEHOLD, EV)
    house.house.receive(prices((0, 60, 0.40), (60, 180, 0.10), (180, 420, 0.40)))
    house.live(30)
    assert house.site.chargers[0].power_w == 0.0
    told = r"EV waits as planned until 12:30: 0\.40 EUR/kWh from event e-p; it needs 0\.6 h for 80 % by 17:30"
    assert re.fullmatch(told, house.line("ev")), house.line("ev")
    reason = next(one for one in house.house.reasons if one.device == "ev")
    assert (reason.binding, reason.source) == ("price", "e-p")
    house.live(35)
    assert house.site.chargers[0].power_w > 4000.0
    assert "as planned until" in house.line("ev") and "0.10 EUR/kWh from event e-p, 0.40 to come" in house.line("ev")
    house.live(85)
    assert house.site.chargers[0].soc == pytest.approx(0.80, abs=0.005)
    assert house.line("ev") == "EV waits: it has its 80 %"


def test_a_planned_day_costs_less_than_the_rules_and_serves_the_same():
    def lived(planned: bool) -> tuple[float, Planned]:
        house = Planned(HOUSEHOLD, BATTERY, EV, replace(WASHER, ready_by=time(15, 30)))
        if not planned:
            house.house = connect(house.site)
        signals = prices((0, 30, 0.45), (30, 90, 0.15), (90, 200, 0.45), (200, 230, 0.20), (230, 260, 0.50))
        house.house.receive(signals)
        cost = 0.0
        for _ in range(260):
            price = next(s.price for s in signals if isinstance(s, PriceSignal) and s.end and house.site.now < s.end)
            cost += sum(house.live(1)) / 12 * price / 60e3
        left = (house.site.batteries[0].soc - 0.5) * 10.0 * 0.9 * 0.30
        return cost - left, house

    by_rules, _ = lived(False)
    by_plan, house = lived(True)
    assert by_plan < by_rules
    assert house.site.washers[0].state is WasherState.DONE
    assert house.site.chargers[0].soc >= 0.795


def test_a_limit_that_comes_is_planned_around_and_kept_by_the_guard():
    house = Planned(HOUSEHOLD, BATTERY, EV)
    house.live(5)
    begins = house.site.now
    house.house.receive([LimitSignal("e-17", begins, begins + 60 * MINUTE, upper_w=3000.0)])
    net = house.live(1)
    plan = house.house.plan
    assert plan is not None and plan.cost_without_events is not None
    assert plan.horizon.start == begins, "a new signal does not wait for the quarter of an hour"
    net += house.live(58)
    assert sum(1 for value in net[3:] if value > 3200.0) == 0


def test_plans_are_renewed_by_the_quarter_and_by_what_happens():
    house = Planned(HOUSEHOLD, EV)
    house.live(1)
    assert house.planning.plans == 1
    house.live(10)
    assert house.planning.plans == 1
    house.live(5)
    assert house.planning.plans == 2, f"every {EVERY}"
    house.site.chargers[0].unplug()
    house.live(1)
    assert house.planning.plans == 3
    house.live(2)
    assert house.planning.plans == 3


def test_a_load_that_was_not_forecast_asks_for_a_new_plan():
    house = Planned(replace(HOUSEHOLD, yearly_wh=100_000.0), EV)
    house.live(1)
    house.site.base_loads[0].expected_w = lambda now, from_s, to_s: 0.0  # type: ignore[method-assign]
    before = house.planning.plans
    base = house.site.base_loads[0]
    base.step = lambda now, dt_s: setattr(base, "power_w", 4000.0)  # type: ignore[method-assign]
    house.live(12)
    assert house.planning.plans == before + 1, "before the quarter was over"


class Silent:
    """A solver that answers once and then never again."""

    def __init__(self) -> None:
        self.asked = 0
        self._ready: Plan | str | None = None

    def ask(self, problem: Problem) -> None:
        self.asked += 1
        if self.asked == 1:
            self._ready = answer(problem)

    def take(self) -> Plan | str | None:
        ready, self._ready = self._ready, None
        return ready

    def close(self) -> None:
        pass


def test_the_guard_goes_on_alone_when_plans_stop_coming():
    house = Planned(HOUSEHOLD, EV, planning=Planning(Silent(), 17_250.0))
    house.house.receive(prices((0, 300, 0.30), (300, 420, 0.10)))
    house.live(29)
    assert house.site.chargers[0].power_w == 0.0, "the plan has it wait for 15:30"
    house.live(3)
    assert house.site.chargers[0].power_w > 10_000.0, "the rules know nothing against it"
    assert house.line("ev").endswith("nothing holds it")


def test_a_worker_solves_in_its_own_thread_and_ends_with_its_owner():
    house = Planned(HOUSEHOLD, BATTERY, EV, planning=Planning(worker := Worker(), 17_250.0))
    house.live(1)
    problem = house.planning.outlook.problem(house.house.cem.house(house.site.now), (), lambda signal: 0.0)
    house.planning.close()
    worker.ask(problem)
    assert any(thread.name.startswith("planner") for thread in threading.enumerate())
    asked = worker._asked  # pyright: ignore[reportPrivateUsage]
    assert asked is not None
    made = asked.result(timeout=20.0)
    assert isinstance(made, Plan) and made == made
    assert worker.take() is made and worker.take() is None
    house.house.close()
    worker.close()
    assert not any(thread.name.startswith("planner") for thread in threading.enumerate())


def test_forecasts_of_the_devices_are_what_the_plan_rests_on():
    house = Planned(HOUSEHOLD, PvConfig("pv"), BATTERY)
    house.live(1)
    problem = house.planning.outlook.problem(house.house.cem.house(house.site.now), (), lambda signal: 0.0)
    ahead = problem.horizon
    late = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
    noon = next(step for step in range(ahead.steps) if ahead.at(step) >= late)
    plant = house.site.plants[0]
    into = (ahead.at(noon) - house.site.now).total_seconds()
    assert problem.sun_w[noon] == pytest.approx(-plant.expected_w(house.site.now, into, into + 900.0), rel=0.05)
    assert problem.sun_w[ahead.steps // 2] == 0.0, "at night"
    assert problem.fixed_w[-1] == pytest.approx(
        house.site.base_loads[0].expected_w(house.site.now, 85_500.0, 86_400.0), rel=0.2
    )
    assert np.all(problem.fixed_w > 0.0)
