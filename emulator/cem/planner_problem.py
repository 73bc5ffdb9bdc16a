"""What the planner is asked: a horizon cut into steps, forecasts, prices, caps, and what each device can and must do.

Plain records in W, Wh and currency per kWh, without S2 or OpenADR in them, so that a problem can be written by hand in
a test. `horizon` makes the steps: five minutes long for two hours, a quarter of an hour from there to a day ahead.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from emulator.physics.values import SECONDS_PER_HOUR, Array

FINE_S = 300.0
COARSE_S = 900.0
FINE_FOR_S = 7200.0
AHEAD_S = 86_400.0
LEAST_STEP_S = 60.0
"""A first step shorter than this is joined to the next one."""

# What breaking a promise costs, per kWh: the ladder of DEVICES.md C2 as prices. Electricity itself costs about 0.3.
CONNECTION_PRICE = 1000.0
ABNORMAL_PRICE = 300.0
LIMIT_PRICE = 100.0
USER_PRICE = 30.0
SOFT_PRICE = 10.0


@dataclass(frozen=True, slots=True)
class Horizon:
    """Steps from ``start`` on."""

    start: datetime
    edges_s: Array
    """Seconds after ``start``, the first 0; one more than there are steps."""

    @property
    def steps(self) -> int:
        return len(self.edges_s) - 1

    @property
    def hours(self) -> Array:
        """Length of each step. [h]"""
        return np.diff(self.edges_s) / SECONDS_PER_HOUR

    @property
    def end(self) -> datetime:
        return self.at(self.steps)

    def at(self, step: int) -> datetime:
        """When a step begins; for the number of steps, when the last one ends."""
        return self.start + timedelta(seconds=float(self.edges_s[step]))

    def step_of(self, at: datetime) -> int | None:
        """The step an instant falls into; None outside."""
        into = (at - self.start).total_seconds()
        if not 0.0 <= into < self.edges_s[-1]:
            return None
        return int(np.searchsorted(self.edges_s, into, side="right")) - 1

    def share(self, start: datetime | None, end: datetime | None) -> Array:
        """Share of each step that a span covers, 0..1; an absent end is never."""
        low = 0.0 if start is None else (start - self.start).total_seconds()
        high = float(self.edges_s[-1]) if end is None else (end - self.start).total_seconds()
        covered = np.minimum(self.edges_s[1:], high) - np.maximum(self.edges_s[:-1], low)
        return np.clip(covered / np.diff(self.edges_s), 0.0, 1.0)


def horizon(now: datetime, ahead_s: float = AHEAD_S) -> Horizon:
    """Steps from ``now``, their edges on the five minutes and, from two hours on, on the quarters of the hour.

    >>> from datetime import UTC
    >>> day = horizon(datetime(2026, 6, 1, 12, 2, tzinfo=UTC))
    >>> day.steps, [float(edge) for edge in day.edges_s[:3]], float(day.edges_s[-1])
    (115, [0.0, 180.0, 480.0], 86400.0)
    """
    past = (now.minute * 60 + now.second) + now.microsecond / 1e6
    edges = [0.0]
    mark = FINE_S - past % FINE_S
    while mark < ahead_s:
        if mark - edges[-1] >= LEAST_STEP_S or len(edges) > 1:
            edges.append(mark)
        coarse = mark >= FINE_FOR_S and (past + mark) % COARSE_S < 1e-6
        mark += COARSE_S if coarse else FINE_S
    edges.append(ahead_s)
    return Horizon(now, np.asarray(edges))


@dataclass(frozen=True, slots=True)
class Cap:
    """Bounds on a power for a while, and what it costs to leave them."""

    start: datetime
    end: datetime | None
    upper_w: float | None = None
    lower_w: float | None = None
    price: float = LIMIT_PRICE
    """Per kWh outside."""
    source: str = ""
    """eventID; empty is the connection's own."""


@dataclass(frozen=True, slots=True)
class StoreTarget:
    """Energy a store should hold at a time."""

    by: datetime
    wh: float
    source: str


@dataclass(frozen=True, slots=True)
class BatteryTask:
    """A battery: energies are what is inside it."""

    name: str
    stored_wh: float
    floor_wh: float
    top_wh: float
    charge_w: float
    discharge_w: float
    charge_efficiency: float = 0.95
    discharge_efficiency: float = 0.95
    caps: tuple[Cap, ...] = ()
    targets: tuple[StoreTarget, ...] = ()


@dataclass(frozen=True, slots=True)
class ChargerTask:
    """A car that is plugged in: off, or between a least and a greatest power; energies are at the grid side."""

    name: str
    min_w: float
    max_w: float
    need_wh: float
    """Still missing for what its user wants at the departure."""
    room_wh: float
    """What it takes at most until it is full."""
    departure: datetime | None = None
    """None: it stays beyond the horizon."""
    caps: tuple[Cap, ...] = ()


@dataclass(frozen=True, slots=True)
class HeatTask:
    """A store of heat or cold with an electric supply: between two levels, losing and giving as forecast."""

    name: str
    min_w: float
    max_w: float
    stored_wh: float
    """Thermal, above the level it should not fall below; may be negative."""
    top_wh: float
    gain: float
    """Thermal energy per electric (1 for a resistor, the COP for a heat pump)."""
    leaves_w: Array | float
    """Thermal power lost and used, per step or throughout."""
    caps: tuple[Cap, ...] = ()


@dataclass(frozen=True, slots=True)
class ApplianceTask:
    """A programme that begins once within a window and then runs through."""

    name: str
    earliest: datetime
    latest: datetime
    """Last start."""
    profile: tuple[tuple[float, float], ...]
    """Length [s] and power [W] of its parts."""

    @property
    def lasts_s(self) -> float:
        return sum(lasts for lasts, _ in self.profile)

    def energy_wh(self, edges_s: Array) -> Array:
        """Energy in each span between edges, counted in seconds from its start. [Wh]"""
        times = np.cumsum([0.0, *(lasts for lasts, _ in self.profile)])
        taken = np.cumsum([0.0, *(lasts * power for lasts, power in self.profile)]) / SECONDS_PER_HOUR
        return np.diff(np.interp(edges_s, times, taken))


@dataclass(frozen=True, slots=True)
class DemandCharge:
    """A price on the highest mean import power of a step in a window."""

    start: datetime
    end: datetime | None
    price: float
    """Per kW."""
    source: str
    already_w: float = 0.0
    """The peak so far, which is paid for anyway."""


@dataclass(frozen=True, slots=True)
class Problem:
    """All the planner looks at; arrays have one entry per step."""

    horizon: Horizon
    fixed_w: Array
    """Consumption nobody shifts, forecast."""
    sun_w: Array
    """What producers could give, forecast, not negative."""
    import_price: Array
    """Per kWh."""
    export_price: Array
    curtailable: bool = True
    caps: tuple[Cap, ...] = ()
    batteries: tuple[BatteryTask, ...] = ()
    chargers: tuple[ChargerTask, ...] = ()
    heaters: tuple[HeatTask, ...] = ()
    appliances: tuple[ApplianceTask, ...] = ()
    demand_charges: tuple[DemandCharge, ...] = ()
    currency: str = "EUR"
    price_source: str = ""
    """What the import price comes from: eventID, or empty for the usual one."""

    def without_events(self) -> Problem:
        """The same day if no event had come: only the connection's own cap and the prices stay."""
        from dataclasses import replace

        own = tuple(cap for cap in self.caps if not cap.source)
        return replace(
            self,
            caps=own,
            batteries=tuple(replace(task, caps=(), targets=()) for task in self.batteries),
            chargers=tuple(replace(task, caps=()) for task in self.chargers),
            heaters=tuple(replace(task, caps=()) for task in self.heaters),
            demand_charges=(),
        )

    @property
    def has_events(self) -> bool:
        devices = (*self.batteries, *self.chargers, *self.heaters)
        stores = any(task.targets for task in self.batteries)
        return stores or bool(self.demand_charges) or any(c.source for c in self.caps) or any(d.caps for d in devices)


@dataclass(frozen=True, slots=True)
class Clash:
    """A promise the plan cannot keep: what, by how much, when."""

    what: str
    """``limit 3 kW from event e-17``, ``80 % for EV by its departure``."""
    source: str
    device: str
    start: datetime
    end: datetime
    worst_w: float = 0.0
    """For powers."""
    missing_wh: float = 0.0
    """For energies."""


@dataclass(frozen=True, slots=True)
class Binding:
    """What made a power what it is in one step: the kind of constraint and where it comes from."""

    kind: str
    """``price``, ``limit``, ``device limit``, ``user``, ``target``, ``sun``, ``comfort``."""
    source: str = ""
    """eventID, or empty."""


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """Powers of one device over the horizon."""

    device: str
    power_w: Array
    """Mean of each step, ``+`` consumes."""
    bindings: tuple[Binding, ...]
    level_wh: Array | None = None
    """Stored at the end of each step, where it stores."""
    start: datetime | None = None
    """When its programme begins."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the day will be, what it costs, and what was given up for it."""

    horizon: Horizon
    devices: tuple[DevicePlan, ...]
    net_w: Array
    curtailed_w: Array
    cost: float
    """Of electricity over the horizon, in ``currency``; wear and broken promises are not in it."""
    gap: float
    """How far from the best there could be, relative, as proved by the solver."""
    clashes: tuple[Clash, ...] = ()
    cost_without_events: float | None = None
    """None where there is no event."""
    gave_up: tuple[str, ...] = ()
    currency: str = "EUR"
    import_price: Array = field(default_factory=lambda: np.zeros(0))
    optimal: bool = True
    """False: the best found when time was up."""

    def of(self, device: str) -> DevicePlan | None:
        return next((one for one in self.devices if one.device == device), None)


def step_means(horizon: Horizon, spans: Iterable[tuple[datetime, datetime | None, float]], default: Array) -> Array:
    """A quantity told in spans as a mean per step; where no span speaks, ``default``. Earlier spans go before."""
    total, covered = np.zeros(horizon.steps), np.zeros(horizon.steps)
    for start, end, value in spans:
        share = np.minimum(horizon.share(start, end), 1.0 - covered)
        total += share * value
        covered += share
    return total + (1.0 - covered) * default
