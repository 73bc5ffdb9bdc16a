"""When the planner is asked, who runs it, and what of its plan holds now.

`Planning` turns a measured house and the grid signals into a problem every quarter of an hour and whenever something
happens that the plan did not know: signals, a car that comes or goes, a new programme, a load that is not as forecast.
A `Solver` runs it, `Worker` in a thread of its own (HiGHS releases the interpreter) or `Inline` at once, which makes
runs repeat. `targets(now)` is what the plan says for the present step; a plan older than half an hour says nothing, so
that the guard goes by its own rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np

from emulator.cem.planner import SettingsOfSolver, plan
from emulator.cem.planner_input import Outlook, PriceSettings
from emulator.cem.planner_problem import Binding, Plan, Problem
from emulator.cem.planner_rows import Unsolvable
from emulator.cem.plans import House, Target, Targets
from emulator.cem.ports import GridSignal

EVERY = timedelta(minutes=15)
STALE = timedelta(minutes=30)
NOT_SOONER = timedelta(seconds=30)
"""After one plan, unless signals have changed."""
SLOT = timedelta(minutes=5)
OFF_SHARE = 0.10
"""Of the connection: a load that is so far from its forecast for two slots asks for a new plan."""
SAME_W = 50.0
"""Steps closer than this are one stretch of a plan."""


class Solver(Protocol):
    """Runs the planner somewhere."""

    def ask(self, problem: Problem) -> None:
        """Begin; a problem asked before and not answered yet is forgotten."""
        ...

    def take(self) -> Plan | str | None:
        """The plan, or why there is none, once; None while it is not ready."""
        ...

    def close(self) -> None: ...


def answer(problem: Problem, settings: SettingsOfSolver | None = None) -> Plan | str:
    """The plan, or the sentence why there is none."""
    try:
        return plan(problem, settings)
    except Unsolvable as why:
        return f"no plan: {why}"


class Inline:
    """Solves when asked."""

    def __init__(self, settings: SettingsOfSolver | None = None) -> None:
        self._settings = settings
        self._ready: Plan | str | None = None

    def ask(self, problem: Problem) -> None:
        self._ready = answer(problem, self._settings)

    def take(self) -> Plan | str | None:
        ready, self._ready = self._ready, None
        return ready

    def close(self) -> None:
        self._ready = None


class Worker:
    """Solves in one thread, so that whoever asks goes on."""

    def __init__(self, settings: SettingsOfSolver | None = None) -> None:
        self._settings = settings
        self._pool: ThreadPoolExecutor | None = None
        self._asked: Future[Plan | str] | None = None

    def ask(self, problem: Problem) -> None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="planner")
        if self._asked is not None:
            self._asked.cancel()
        self._asked = self._pool.submit(answer, problem, self._settings)

    def take(self) -> Plan | str | None:
        if self._asked is None or not self._asked.done():
            return None
        asked, self._asked = self._asked, None
        return None if asked.cancelled() else asked.result()

    def close(self) -> None:
        """End the thread; a plan being made is waited for no longer than its time limit."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._pool = self._asked = None


@dataclass(slots=True)
class _Slot:
    """What the unshiftable load was in the present slot, against its forecast."""

    began: datetime
    measured_ws: float = 0.0
    planned_ws: float = 0.0
    count: int = 0
    off_before: bool = False


class Planning:
    """The plan of one house and its renewal."""

    def __init__(
        self,
        solver: Solver | None = None,
        connection_w: float | None = None,
        prices: PriceSettings | None = None,
        reserve: float = 0.10,
    ) -> None:
        self.solver: Solver = solver or Worker()
        self.plan: Plan | None = None
        self.trouble = ""
        """Why the last attempt gave no plan; empty when it did."""
        self.plans = 0
        """Made so far."""
        self.outlook = Outlook(connection_w, prices or PriceSettings(), reserve)
        self.listeners: list[Callable[[Plan], None]] = []
        self._connection_w = connection_w or 17_250.0
        self._asked_at: datetime | None = None
        self._known: tuple[object, ...] = ()
        self._problem: Problem | None = None
        self._slot: _Slot | None = None
        self._off = False

    def renew(self, house: House, signals: Sequence[GridSignal], level_caps: Callable[[GridSignal], float]) -> None:
        """Take a plan that is ready, and ask for another when it is time.

        ``level_caps`` gives the cap in W that a level of SIMPLE makes.
        """
        self._take()
        self._compare(house)
        known = _known(house, signals)
        if not self._due(house.now, known):
            return
        self._known, self._asked_at, self._off = known, house.now, False
        self._problem = self.outlook.problem(house, signals, level_caps)
        self.solver.ask(self._problem)
        self._take()

    def _take(self) -> None:
        ready = self.solver.take()
        if isinstance(ready, str):
            self.trouble = ready
        elif ready is not None:
            self.plan, self.trouble = ready, ""
            self.plans += 1
            for listener in self.listeners:
                listener(ready)

    def targets(self, now: datetime) -> Targets | None:
        """What the plan has for now; None where there is none or it is too old."""
        made = self.plan
        if made is None or now - made.horizon.start > STALE:
            return None
        step = made.horizon.step_of(now)
        if step is None:
            return None
        return Targets(
            price=float(made.import_price[step]),
            currency=made.currency,
            dearest=float(np.max(made.import_price)),
            net_w=float(made.net_w[step]),
            devices={
                one.device: Target(
                    power_w=float(one.power_w[step]),
                    binding=one.bindings[step],
                    until=made.horizon.at(_stretch(one.power_w, one.bindings, step)),
                    start=one.start,
                )
                for one in made.devices
            },
        )

    def close(self) -> None:
        self.solver.close()

    def _due(self, now: datetime, known: tuple[object, ...]) -> bool:
        if self._asked_at is None:
            return True
        if known[0] != self._known[0]:
            return True
        if now - self._asked_at < NOT_SOONER:
            return False
        return known != self._known or self._off or now - self._asked_at >= EVERY

    def _compare(self, house: House) -> None:
        """Whether the load has been far from its forecast for two slots."""
        problem = self._problem
        step = None if problem is None else problem.horizon.step_of(house.now)
        if problem is None or step is None:
            return
        slot = self._slot
        if slot is None or house.now - slot.began >= SLOT:
            off = False
            if slot is not None and slot.count:
                off = abs(slot.measured_ws - slot.planned_ws) / slot.count > OFF_SHARE * self._connection_w
                self._off = self._off or (off and slot.off_before)
            slot = self._slot = _Slot(house.now, off_before=off)
        running = sum(appliance.power_w for appliance in house.appliances if appliance.running)
        slot.measured_ws += house.base_w + running
        slot.planned_ws += float(problem.fixed_w[step])
        slot.count += 1


def _known(house: House, signals: Sequence[GridSignal]) -> tuple[object, ...]:
    """What a plan rests on; another one asks for another plan. Signals first, for they cannot wait."""
    cars = tuple((c.name, c.plugged, c.departure, c.target) for c in house.chargers)
    programmes = tuple((a.name, a.profile_id, a.waiting) for a in house.appliances)
    others = tuple(one.name for one in (*house.batteries, *house.producers, *house.loads))
    return tuple(signals), cars, programmes, others


def _stretch(power: np.ndarray, bindings: tuple[Binding, ...], step: int) -> int:
    """The step at which something else begins."""
    end = step + 1
    while end < len(power) and abs(float(power[end] - power[step])) < SAME_W and bindings[end] == bindings[step]:
        end += 1
    return end
