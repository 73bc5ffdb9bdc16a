"""The planner: the cheapest day that keeps its promises, as a mixed-integer linear programme for HiGHS.

Batteries are linear, cars are off or above their least power (a binary per quarter of an hour), programmes begin at one
of the step edges (a binary each). Charging and discharging, import and export need no binaries to exclude each other,
except in steps where a price would make doing both pay: they get one there. Limits, user's wishes and targets are all
soft with prices that follow the ladder of importance, so there always is a plan, and what it breaks is named.

Many cars make the programme hard, so from `SettingsOfSolver.many` binaries on it is relaxed first (cars continuous,
which bounds the cost from below), then the cars' quarters are fixed by need and the rest is solved again. With 20 and
50 cars that is as fast as planning them as one aggregate, and a split of the aggregate left cars short by 1 to 2 kWh
each. Pure but for the solver: no clock, no thread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emulator.cem.planner_problem import (
    CONNECTION_PRICE,
    SOFT_PRICE,
    USER_PRICE,
    ApplianceTask,
    BatteryTask,
    Cap,
    ChargerTask,
    HeatTask,
    Horizon,
    Plan,
    Problem,
)
from emulator.cem.planner_result import Sketch, told
from emulator.cem.planner_rows import Index, Rows, Solution
from emulator.physics.values import Array

KILO = 1000.0
WEAR_PRICE = 0.005
"""Of a kWh into or out of a battery."""
START_PRICE = 0.02
"""Of starting to charge a car, so that it does not go on and off for a cent."""
SOONER_PRICE = 1e-4
"""Per kWh and day of waiting: of two equal times the earlier one."""
BLOCK_S = 900.0
"""A car is on or off for so long."""


@dataclass(frozen=True, slots=True)
class SettingsOfSolver:
    gap: float = 0.01
    """Relative; a plan this near to the best is good enough."""
    time_limit_s: float = 3.0
    many: int = 250
    """Binaries of cars from which on they are relaxed and fixed."""


def plan(problem: Problem, settings: SettingsOfSolver | None = None) -> Plan:
    """The plan of a problem, with what it costs to obey the events in it.

    Raises
    ------
    Unsolvable
        Not even one plan was found in the time allowed.
    """
    settings = settings or SettingsOfSolver()
    with_events = schedule(problem, settings)
    if not problem.has_events:
        return with_events
    return told(with_events, problem, schedule(problem.without_events(), settings))


def schedule(problem: Problem, settings: SettingsOfSolver | None = None) -> Plan:
    """The plan alone: `plan` without comparing it with the day that has no events."""
    settings = settings or SettingsOfSolver()
    draft = _Draft(problem)
    if sum(len(on) for on in draft.on) <= settings.many:
        return draft.sketch(draft.rows.solve(settings.gap, settings.time_limit_s)).plan()
    relaxed = _Draft(problem, relaxed=True)
    # the bound it gives is the one the plan is judged by, so it is found more exactly than the plan has to be
    first = relaxed.rows.solve(settings.gap / 10.0, settings.time_limit_s)
    best: Plan | None = None
    for more in (0, 1):  # one quarter more than needed leaves room to follow the sun; it pays or it does not
        draft = _Draft(problem, fixed=relaxed.fix(first, more))
        found = draft.rows.solve(settings.gap, settings.time_limit_s)
        bounded = Solution(found.values, found.objective, min(first.bound, found.objective), first.proven)
        made = draft.sketch(bounded).plan()
        best = made if best is None or made.gap < best.gap else best
        if best.gap <= settings.gap:
            break
    assert best is not None
    return best


@dataclass(slots=True)
class _Fixed:
    """Decisions taken in the relaxed programme: steps in which each car is on, and the start of each programme."""

    on: list[Array]
    begins: list[int]


class _Draft:
    """One programme and where its parts are. Powers in kW, energies in kWh."""

    def __init__(self, problem: Problem, relaxed: bool = False, fixed: _Fixed | None = None) -> None:
        self.problem = problem
        self.rows = Rows()
        self._relaxed = relaxed
        self._fixed = fixed
        self._hours = problem.horizon.hours
        self._steps = problem.horizon.steps
        self.blocks = _blocks(problem.horizon)
        self.charge: list[Index] = []
        self.discharge: list[Index] = []
        self.level: list[Index] = []
        self.car: list[Index] = []
        self.on: list[Index] = []
        self.heat: list[Index] = []
        self.heat_level: list[Index] = []
        self.begin: list[Index] = []
        self.starts: list[Array] = []
        self.over: list[tuple[Cap, Index]] = []
        self._exchange()
        for cap in problem.caps:
            self._cap(cap)
        for charge in problem.demand_charges:
            inside = np.flatnonzero(problem.horizon.share(charge.start, charge.end) > 0.0)
            peak = self.rows.variables(1, charge.already_w / KILO, np.inf, charge.price)
            count = len(inside)
            self.rows.rows(count, ((np.repeat(peak, count), 1.0), (self.imported[inside], -1.0)), 0.0, np.inf)
        for task in problem.batteries:
            self._battery(task)
        self.most_kw = [self._car_kw(task) for task in problem.chargers]
        for number, task in enumerate(problem.chargers):
            self._charger(task, number)
        for task in problem.heaters:
            self._heater(task)
        for number, task in enumerate(problem.appliances):
            self._appliance(task, number)

    def _exchange(self) -> None:
        problem, rows, count, hours = self.problem, self.rows, self._steps, self._hours
        self.imported = rows.variables(count, 0.0, np.inf, problem.import_price * hours)
        self.exported = rows.variables(count, 0.0, np.inf, -problem.export_price * hours)
        most = problem.sun_w / KILO if problem.curtailable else 0.0
        # a price so small that it only breaks ties: sun is taken rather than cut
        self.cut = rows.variables(count, 0.0, most, 1e-5 * hours)
        need = (problem.fixed_w - problem.sun_w) / KILO
        self.balance = rows.rows(count, ((self.imported, 1.0), (self.exported, -1.0), (self.cut, -1.0)), need, need)
        tempting = np.flatnonzero(problem.export_price >= problem.import_price)
        if len(tempting):
            big = self._most_kw()
            importing = rows.variables(len(tempting), 0.0, 1.0, 0.0, whole=True)
            size = len(tempting)
            rows.rows(size, ((self.imported[tempting], 1.0), (importing, -big)), -np.inf, 0.0)
            rows.rows(size, ((self.exported[tempting], 1.0), (importing, big)), -np.inf, big)

    def _most_kw(self) -> float:
        """More than the connection can ever see."""
        problem = self.problem
        devices = sum(b.charge_w + b.discharge_w for b in problem.batteries) + sum(c.max_w for c in problem.chargers)
        devices += sum(h.max_w for h in problem.heaters)
        devices += sum(max(power for _, power in a.profile) for a in problem.appliances)
        return (devices + float(np.max(np.abs(problem.fixed_w))) + float(np.max(problem.sun_w))) / KILO + 1.0

    def _cap(self, cap: Cap) -> None:
        inside = np.flatnonzero(self.problem.horizon.share(cap.start, cap.end) > 0.0)
        if not len(inside):
            return
        net = ((self.imported[inside], 1.0), (self.exported[inside], -1.0))
        for bound, sign in ((cap.upper_w, -1.0), (cap.lower_w, 1.0)):
            if bound is None:
                continue
            beyond = self.rows.variables(len(inside), 0.0, np.inf, cap.price * self._hours[inside])
            low, high = (-np.inf, bound / KILO) if sign < 0.0 else (bound / KILO, np.inf)
            self.rows.rows(len(inside), (*net, (beyond, sign)), low, high)
            spread = np.full(self._steps, -1)
            spread[inside] = beyond
            self.over.append((cap, spread))

    def _battery(self, task: BatteryTask) -> None:
        rows, count, hours = self.rows, self._steps, self._hours
        high, low = _bounds(task.caps, self.problem.horizon, task.charge_w, -task.discharge_w)
        # a bound that forces a battery to charge or discharge is a wish, not a wall: it may be full or empty
        charge = rows.variables(count, 0.0, np.maximum(high, 0.0) / KILO, WEAR_PRICE * hours)
        discharge = rows.variables(count, 0.0, np.maximum(-low, 0.0) / KILO, WEAR_PRICE * hours)
        for forced, column in ((low, charge), (-high, discharge)):
            inside = np.flatnonzero(forced > 0.0)
            if len(inside):
                missing = rows.variables(len(inside), 0.0, np.inf, SOFT_PRICE * hours[inside])
                rows.rows(len(inside), ((column[inside], 1.0), (missing, 1.0)), forced[inside] / KILO, np.inf)
        stored = task.stored_wh / KILO
        level = rows.variables(count, min(task.floor_wh / KILO, stored), max(task.top_wh / KILO, stored))
        into, out = task.charge_efficiency * hours, hours / task.discharge_efficiency
        first = ((level[:1], 1.0), (charge[:1], -into[:1]), (discharge[:1], out[:1]))
        rows.rows(1, first, stored, stored)
        rows.rows(
            count - 1,
            ((level[1:], 1.0), (level[:-1], -1.0), (charge[1:], -into[1:]), (discharge[1:], out[1:])),
            0.0,
            0.0,
        )
        rows.add(self.balance, charge, -1.0)
        rows.add(self.balance, discharge, 1.0)
        self._end_value(task, level, stored)
        for target in task.targets:
            step = self.problem.horizon.step_of(target.by)
            step = count - 1 if step is None else max(step - 1, 0)
            missing = rows.variables(1, 0.0, np.inf, SOFT_PRICE)
            rows.rows(1, ((level[step : step + 1], 1.0), (missing, 1.0)), min(target.wh, task.top_wh) / KILO, np.inf)
        wasting = np.flatnonzero(self.problem.import_price <= 0.0)
        if len(wasting):  # where consuming pays, charging and discharging at once would too
            charging = rows.variables(len(wasting), 0.0, 1.0, 0.0, whole=True)
            most_in, most_out = max(task.charge_w, 1.0) / KILO, max(task.discharge_w, 1.0) / KILO
            rows.rows(len(wasting), ((charge[wasting], 1.0), (charging, -most_in)), -np.inf, 0.0)
            rows.rows(len(wasting), ((discharge[wasting], 1.0), (charging, most_out)), -np.inf, most_out)
        self.charge.append(charge)
        self.discharge.append(discharge)
        self.level.append(level)

    def _end_value(self, task: BatteryTask, level: Index, stored: float) -> None:
        """What the end is worth: what is missing against the start is bought again, more is sold."""
        usual = float(np.median(self.problem.import_price))
        selling = float(np.median(self.problem.export_price))
        missing_price = max(usual, 0.0) / task.charge_efficiency + 2.0 * WEAR_PRICE
        surplus_price = min(max(selling, 0.0) / task.charge_efficiency + 2.0 * WEAR_PRICE, missing_price)
        missing = self.rows.variables(1, 0.0, np.inf, missing_price)
        more = self.rows.variables(1, 0.0, np.inf, -surplus_price)
        self.rows.rows(1, ((level[-1:], 1.0), (missing, 1.0), (more, -1.0)), stored, stored)

    def _car_kw(self, task: ChargerTask) -> Array:
        """Most a car may draw per step: nothing where a cap leaves less than its least power, or it is gone."""
        horizon = self.problem.horizon
        high, _ = _bounds(task.caps, horizon, task.max_w, 0.0)
        return np.where(high >= task.min_w - 0.5, high, 0.0) * horizon.share(horizon.start, task.departure) / KILO

    def _charger(self, task: ChargerTask, number: int) -> None:
        rows, count, hours, horizon = self.rows, self._steps, self._hours, self.problem.horizon
        high = self.most_kw[number]
        there = horizon.share(horizon.start, task.departure)
        least = np.where(high > 0.0, task.min_w * there / KILO, 0.0)
        later = horizon.edges_s[:-1] / 86_400.0 * SOONER_PRICE * hours
        if self._fixed is not None:
            on = self._fixed.on[number]
            power = rows.variables(count, least * on, high * on, later)
        else:
            power = rows.variables(count, 0.0, high, later)
        rows.add(self.balance, power, -1.0)
        missing = rows.variables(1, 0.0, np.inf, USER_PRICE)
        inside = np.append(power, missing)
        rows.row(inside, np.append(hours, 1.0), task.need_wh / KILO, np.inf)
        rows.row(power, hours, -np.inf, max(task.room_wh, task.need_wh) / KILO + 1e-9)
        self.car.append(power)
        if self._fixed is not None or self._relaxed:
            self.on.append(np.zeros(0, dtype=np.int64))
            return
        open_blocks = np.unique(self.blocks[high > 0.0])
        onoff = rows.variables(len(open_blocks), 0.0, 1.0, 0.0, whole=True)
        place = {int(block): int(column) for block, column in zip(open_blocks, onoff, strict=True)}
        steps = np.flatnonzero(high > 0.0)
        mine = np.asarray([place[int(block)] for block in self.blocks[steps]], dtype=np.int64)
        rows.rows(len(steps), ((power[steps], 1.0), (mine, -high[steps])), -np.inf, 0.0)
        rows.rows(len(steps), ((power[steps], 1.0), (mine, -least[steps])), 0.0, np.inf)
        if len(onoff) > 1:
            started = rows.variables(len(onoff) - 1, 0.0, 1.0, START_PRICE)
            rows.rows(len(onoff) - 1, ((started, 1.0), (onoff[1:], -1.0), (onoff[:-1], 1.0)), 0.0, np.inf)
        self.on.append(onoff)

    def _heater(self, task: HeatTask) -> None:
        rows, count, hours = self.rows, self._steps, self._hours
        high, _ = _bounds(task.caps, self.problem.horizon, task.max_w, 0.0)
        power = rows.variables(count, 0.0, np.maximum(high, 0.0) / KILO, 0.0)
        stored = task.stored_wh / KILO
        level = rows.variables(count, -np.inf, max(task.top_wh / KILO, stored))
        cold = rows.variables(count, 0.0, np.inf, SOFT_PRICE * hours)
        leaves = np.broadcast_to(np.asarray(task.leaves_w, dtype=np.float64), (count,)) * hours / KILO
        gains = task.gain * hours
        rows.rows(1, ((level[:1], 1.0), (power[:1], -gains[:1])), stored - leaves[0], stored - leaves[0])
        terms = ((level[1:], 1.0), (level[:-1], -1.0), (power[1:], -gains[1:]))
        rows.rows(count - 1, terms, -leaves[1:], -leaves[1:])
        rows.rows(count, ((level, 1.0), (cold, 1.0)), 0.0, np.inf)
        usual = max(float(np.median(self.problem.import_price)), 0.0) / task.gain
        missing = rows.variables(1, 0.0, np.inf, usual)
        rows.rows(1, ((level[-1:], 1.0), (missing, 1.0)), min(stored, task.top_wh / KILO), np.inf)
        rows.add(self.balance, power, -1.0)
        self.heat.append(power)
        self.heat_level.append(level)

    def _appliance(self, task: ApplianceTask, number: int) -> None:
        rows, horizon = self.rows, self.problem.horizon
        starts = _starts(task, horizon)
        if self._fixed is not None:
            chosen = self._fixed.begins[number]
            low = (np.arange(len(starts)) == chosen).astype(np.float64)
            begin = rows.variables(len(starts), low, low)
        else:
            begin = rows.variables(len(starts), 0.0, 1.0, starts / 86_400.0 * SOONER_PRICE, whole=True)
        rows.row(begin, 1.0, 1.0, 1.0)
        for column, start in zip(begin, starts, strict=True):
            mean = task.energy_wh(horizon.edges_s - start) / self._hours / KILO
            drawn = np.flatnonzero(mean > 0.0)
            rows.add(self.balance[drawn], np.repeat(column, len(drawn)), -mean[drawn])
        self.begin.append(begin)
        self.starts.append(starts)

    def fix(self, found: Solution, more: int = 0) -> _Fixed:
        """On and off for each car from the relaxed programme: its dearest-wanted quarters, as many as it needs.

        ``more`` quarters than that are left on as well.
        """
        return _Fixed(
            on=[
                self._quarters(kw, found.values[power], more) for kw, power in zip(self.most_kw, self.car, strict=True)
            ],
            begins=[int(np.argmax(found.values[begin])) for begin in self.begin],
        )

    def _quarters(self, usable: Array, power_kw: Array, more: int) -> Array:
        hours = self._hours
        wanted = np.bincount(self.blocks, power_kw * hours, self.blocks[-1] + 1)
        takes = np.bincount(self.blocks, usable * hours, self.blocks[-1] + 1)
        needs_kwh = float(np.sum(wanted))
        on = np.zeros(len(takes), dtype=bool)
        for block in np.argsort(-wanted / np.maximum(takes, 1e-12), kind="stable"):
            if wanted[block] <= 1e-9:
                break
            if float(np.sum(takes[on])) >= needs_kwh - 1e-9:
                if more <= 0:
                    break
                more -= 1
            on[block] = takes[block] > 0.0
        return on[self.blocks].astype(np.float64)

    def sketch(self, found: Solution) -> Sketch:
        """Put the values where they belong."""
        values = found.values
        problem = self.problem
        return Sketch(
            problem=problem,
            net_w=(values[self.imported] - values[self.exported]) * KILO,
            curtailed_w=values[self.cut] * KILO,
            batteries=[
                ((values[c] - values[d]) * KILO, values[e] * KILO)
                for c, d, e in zip(self.charge, self.discharge, self.level, strict=True)
            ],
            chargers=[values[power] * KILO for power in self.car],
            heaters=[(values[p] * KILO, values[e] * KILO) for p, e in zip(self.heat, self.heat_level, strict=True)],
            starts_s=[float(s[int(np.argmax(values[b]))]) for s, b in zip(self.starts, self.begin, strict=True)],
            over_w=[(cap, np.where(at >= 0, values[at], 0.0) * KILO) for cap, at in self.over],
            gap=(found.objective - found.bound) / max(abs(found.objective), 1e-3),
            proven=found.proven,
        )


def connection_cap(horizon: Horizon, watts: float) -> Cap:
    """The connection's own cap, the dearest of all to break."""
    return Cap(horizon.start, None, watts, -watts, CONNECTION_PRICE)


def _blocks(horizon: Horizon) -> Index:
    """Number of the quarter of an hour each step lies in, counted from 0 without gaps."""
    middle = (horizon.edges_s[:-1] + horizon.edges_s[1:]) / 2.0
    into = horizon.start.minute * 60.0 + horizon.start.second
    return np.unique(((middle + into) // BLOCK_S).astype(np.int64), return_inverse=True)[1]


def _bounds(caps: tuple[Cap, ...], horizon: Horizon, high_w: float, low_w: float) -> tuple[Array, Array]:
    """A device's own range and what caps leave of it, per step."""
    high, low = np.full(horizon.steps, high_w), np.full(horizon.steps, low_w)
    for cap in caps:
        inside = horizon.share(cap.start, cap.end) > 0.0
        if cap.upper_w is not None:
            high[inside] = np.minimum(high[inside], max(cap.upper_w, low_w))
        if cap.lower_w is not None:
            low[inside] = np.maximum(low[inside], min(cap.lower_w, high_w))
    return high, np.minimum(low, high)


def _starts(task: ApplianceTask, horizon: Horizon) -> Array:
    """Starts to choose from, in seconds from now: the edges inside its window and both ends of it."""
    last = float(horizon.edges_s[-1])
    earliest = min(max((task.earliest - horizon.start).total_seconds(), 0.0), last)
    latest = min(max((task.latest - horizon.start).total_seconds(), earliest), last)
    inside = horizon.edges_s[(horizon.edges_s > earliest) & (horizon.edges_s < latest)]
    return np.unique(np.concatenate(([earliest], inside, [latest])))
