"""From the numbers of a solved programme to a plan an engineer can read: what binds, what clashes, what it cost.

Whether a constraint binds is read off the solution: a power at its own limit, a net power at a cap, a car that must
charge now to be ready. The first that holds of the ladder of importance is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from emulator.cem.planner_problem import (
    ApplianceTask,
    BatteryTask,
    Binding,
    Cap,
    ChargerTask,
    Clash,
    DevicePlan,
    HeatTask,
    Plan,
    Problem,
)
from emulator.physics.values import Array

NEAR_W = 20.0
"""Powers this close to a bound are at it."""
BROKEN_W = 10.0
"""A cap is broken by more than this, or rounding would tell of clashes."""
SHORT_WH = 20.0
CENT = 0.005


@dataclass(frozen=True, slots=True)
class Sketch:
    """The values of a solution by what they mean; W and Wh, in the order of the problem's devices."""

    problem: Problem
    net_w: Array
    curtailed_w: Array
    batteries: list[tuple[Array, Array]]
    """Power and stored energy."""
    chargers: list[Array]
    heaters: list[tuple[Array, Array]]
    starts_s: list[float]
    over_w: list[tuple[Cap, Array]]
    gap: float
    proven: bool

    def plan(self) -> Plan:
        """The plan this is."""
        problem = self.problem
        hours = problem.horizon.hours
        bought = (
            np.maximum(self.net_w, 0.0) * problem.import_price - np.maximum(-self.net_w, 0.0) * problem.export_price
        )
        return Plan(
            horizon=problem.horizon,
            devices=tuple(self._devices()),
            net_w=self.net_w,
            curtailed_w=self.curtailed_w,
            cost=float(np.sum(bought * hours)) / 1000.0,
            gap=max(self.gap, 0.0),
            clashes=tuple(self._clashes()),
            currency=problem.currency,
            import_price=problem.import_price,
            optimal=self.proven,
        )

    def _devices(self) -> Iterator[DevicePlan]:
        problem = self.problem
        for task, (power, level) in zip(problem.batteries, self.batteries, strict=True):
            yield DevicePlan(task.name, power, self._bound_of_battery(task, power), level)
        for task, power in zip(problem.chargers, self.chargers, strict=True):
            yield DevicePlan(
                task.name, power, self._bound_of_charger(task, power), np.cumsum(power * problem.horizon.hours)
            )
        for task, (power, level) in zip(problem.heaters, self.heaters, strict=True):
            yield DevicePlan(task.name, power, self._bound_of_heater(task, power, level), level)
        for task, start_s in zip(problem.appliances, self.starts_s, strict=True):
            mean = task.energy_wh(problem.horizon.edges_s - start_s) / problem.horizon.hours
            begins = problem.horizon.start + timedelta(seconds=start_s)
            yield DevicePlan(task.name, mean, self._bound_of_appliance(task, begins), None, begins)

    # What binds

    def _cap_at(self, step: int, side: float) -> Binding | None:
        """The cap the net power is at, on the side that holds consumption down (+) or up (−)."""
        horizon, net = self.problem.horizon, float(self.net_w[step])
        for cap in self.problem.caps:
            bound = cap.upper_w if side > 0.0 else cap.lower_w
            if bound is None or float(horizon.share(cap.start, cap.end)[step]) <= 0.0:
                continue
            if (net - bound) * side >= -NEAR_W:
                return Binding("limit", cap.source)
        return None

    def _own_cap(self, caps: tuple[Cap, ...], step: int, power: float) -> Binding | None:
        for cap in caps:
            inside = float(self.problem.horizon.share(cap.start, cap.end)[step]) > 0.0
            for bound in (cap.upper_w, cap.lower_w):
                if inside and bound is not None and abs(power - bound) <= NEAR_W:
                    return Binding("device limit", cap.source)
        return None

    @property
    def _price(self) -> Binding:
        return Binding("price", self.problem.price_source)

    def _bound_of_battery(self, task: BatteryTask, power: Array) -> tuple[Binding, ...]:
        bindings: list[Binding] = []
        targets = [(self.problem.horizon.step_of(target.by), target.source) for target in task.targets]
        for step, value in enumerate(power):
            own = self._own_cap(task.caps, step, float(value))
            cap = self._cap_at(step, 1.0 if value <= NEAR_W else -1.0)
            due = next((source for by, source in targets if by is None or step < by), None)
            if own is not None:
                bindings.append(own)
            elif cap is not None and cap.source and abs(value) > NEAR_W:
                bindings.append(cap)
            elif due is not None and value > NEAR_W:
                bindings.append(Binding("target", due))
            elif abs(float(self.net_w[step])) <= NEAR_W and abs(value) > NEAR_W:
                bindings.append(Binding("sun" if value > 0.0 else "price", self.problem.price_source))
            else:
                bindings.append(self._price)
        return tuple(bindings)

    def _bound_of_charger(self, task: ChargerTask, power: Array) -> tuple[Binding, ...]:
        hours = self.problem.horizon.hours
        there = self.problem.horizon.share(self.problem.horizon.start, task.departure)
        drawn = np.concatenate(([0.0], np.cumsum(power * hours)))[:-1]
        later = np.cumsum((task.max_w * there * hours)[::-1])[::-1]
        bindings: list[Binding] = []
        for step, value in enumerate(power):
            cap = self._cap_at(step, 1.0)
            own = self._own_cap(task.caps, step, float(value))
            must_wh = task.need_wh - float(drawn[step])
            if own is not None:
                bindings.append(own)
            elif cap is not None and cap.source and value < task.max_w - NEAR_W:
                bindings.append(cap)
            elif value > NEAR_W and must_wh >= 0.9 * float(later[step]):
                bindings.append(Binding("user"))
            elif value > NEAR_W and float(self.net_w[step]) <= NEAR_W:
                bindings.append(Binding("sun"))
            else:
                bindings.append(self._price)
        return tuple(bindings)

    def _bound_of_heater(self, task: HeatTask, power: Array, level: Array) -> tuple[Binding, ...]:
        bindings: list[Binding] = []
        for step, value in enumerate(power):
            cap, own = self._cap_at(step, 1.0), self._own_cap(task.caps, step, float(value))
            if own is not None:
                bindings.append(own)
            elif cap is not None and cap.source:
                bindings.append(cap)
            elif value > NEAR_W and float(level[step]) <= 0.05 * task.top_wh:
                bindings.append(Binding("comfort"))
            else:
                bindings.append(self._price)
        return tuple(bindings)

    def _bound_of_appliance(self, task: ApplianceTask, begins: datetime) -> tuple[Binding, ...]:
        horizon = self.problem.horizon
        if begins <= task.earliest or begins >= task.latest:
            one = Binding("user")
        else:
            step = horizon.step_of(begins)
            sunny = step is not None and float(self.net_w[step]) <= NEAR_W
            one = Binding("sun") if sunny else self._price
        return (one,) * horizon.steps

    # What cannot be kept

    def _clashes(self) -> Iterator[Clash]:
        horizon = self.problem.horizon
        for cap, over in self.over_w:
            broken = np.flatnonzero(over > BROKEN_W)
            if len(broken):
                missing = float(np.sum(over[broken] * horizon.hours[broken]))
                start, end = horizon.at(int(broken[0])), horizon.at(int(broken[-1]) + 1)
                what = f"limit {_bounds_in_words(cap)}" + (
                    f" from event {cap.source}" if cap.source else " of the connection"
                )
                yield Clash(what, cap.source, "", start, end, float(np.max(over)), missing)
        for task, power in zip(self.problem.chargers, self.chargers, strict=True):
            short = task.need_wh - float(np.sum(power * horizon.hours))
            if short > SHORT_WH:
                until = task.departure or horizon.end
                yield Clash(f"charge of {task.name} by its departure", "", task.name, horizon.start, until, 0.0, short)
        for task, (_, level) in zip(self.problem.batteries, self.batteries, strict=True):
            for target in task.targets:
                step = horizon.step_of(target.by)
                short = target.wh - float(level[horizon.steps - 1 if step is None else max(step - 1, 0)])
                if short > SHORT_WH:
                    what = f"stored energy of {task.name} from event {target.source}"
                    yield Clash(what, target.source, task.name, horizon.start, target.by, 0.0, short)
        for task, (_, level) in zip(self.problem.heaters, self.heaters, strict=True):
            cold = np.flatnonzero(level < -SHORT_WH)
            if len(cold):
                start, end = horizon.at(int(cold[0])), horizon.at(int(cold[-1]) + 1)
                yield Clash(f"comfort of {task.name}", "", task.name, start, end, 0.0, -float(np.min(level)))


def told(plan: Plan, problem: Problem, without: Plan) -> Plan:
    """The plan with what it would cost without the events and what it gives up for them."""
    return replace(plan, cost_without_events=without.cost, gave_up=tuple(_given_up(plan, problem, without)))


def _given_up(plan: Plan, problem: Problem, without: Plan) -> Iterator[str]:
    dearer = plan.cost - without.cost
    if abs(dearer) >= CENT:
        yield f"{abs(dearer):.2f} {plan.currency} {'dearer' if dearer > 0.0 else 'cheaper'}"
    hours = plan.horizon.hours
    for task in problem.chargers:
        mine, other = plan.of(task.name), without.of(task.name)
        if mine is not None and other is not None:
            missing = float(np.sum((other.power_w - mine.power_w) * hours))
            if missing > SHORT_WH:
                yield f"{task.name} gets {missing / 1000.0:.1f} kWh less"
    cut = float(np.sum((plan.curtailed_w - without.curtailed_w) * hours))
    if cut > SHORT_WH:
        yield f"{cut / 1000.0:.1f} kWh of sun are not used"
    for task in problem.appliances:
        mine, other = plan.of(task.name), without.of(task.name)
        if mine is not None and other is not None and mine.start is not None and other.start is not None:
            moved = (mine.start - other.start).total_seconds() / 60.0
            if abs(moved) >= 5.0:
                yield f"{task.name} starts {abs(moved):.0f} min {'later' if moved > 0.0 else 'earlier'}"


def _bounds_in_words(cap: Cap) -> str:
    parts = [f"{bound / 1000.0:g} kW" for bound in (cap.upper_w, cap.lower_w) if bound is not None]
    return " and ".join(dict.fromkeys(parts))
