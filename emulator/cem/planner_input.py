"""From the measured house and the grid signals to a planner's problem.

`Outlook` remembers what S2 tells only now and then: forecasts of a day, and ratings of devices whose present limits are
narrower (a full battery takes nothing, but will again). Where a device forecasts nothing, the present is believed: a
load goes on, a producer for an hour. What is measured off a forecast fades within half an hour.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from s2python.generated import gen_s2 as g

from emulator.cem.controls import EnergyTargets, control_limits
from emulator.cem.limits import ranked
from emulator.cem.planner import connection_cap
from emulator.cem.planner_problem import (
    ABNORMAL_PRICE,
    LIMIT_PRICE,
    SOFT_PRICE,
    ApplianceTask,
    BatteryTask,
    Cap,
    ChargerTask,
    DemandCharge,
    Horizon,
    Problem,
    horizon,
    step_means,
)
from emulator.cem.plans import House
from emulator.cem.ports import DemandSignal, GridSignal, LevelSignal, LimitSignal, PriceSignal
from emulator.cem.resources import Appliance, Battery, Charger
from emulator.links.s2.cem_session import CemSession
from emulator.links.s2.codec import lasting
from emulator.physics.values import SECONDS_PER_HOUR, Array

FADES_S = 1800.0
GOES_ON_S = 3600.0
"""How long a producer without forecast is believed to go on."""
LONG = timedelta(hours=1)
"""A forecast at least this long is one of the day."""
SAVING_FACTOR = 1.5
"""SIMPLE 1 makes electricity so much dearer."""


@dataclass(frozen=True, slots=True)
class PriceSettings:
    """Per kWh, where no signal speaks."""

    usual: float = 0.30
    export: float = 0.08
    currency: str = "EUR"


@dataclass(slots=True)
class _Rating:
    """The most a battery was ever described with."""

    charge_w: float = 0.0
    discharge_w: float = 0.0
    filling: float = 0.0
    """Level per Ws charged."""
    emptying: float = 0.0
    """Level per Ws given."""
    top: float = 0.0


class Outlook:
    """What is known of the day ahead."""

    def __init__(self, connection_w: float | None, prices: PriceSettings, reserve: float = 0.10) -> None:
        self._connection_w = connection_w
        self._prices = prices
        self._reserve = reserve
        self._forecasts: dict[str, g.PowerForecast] = {}
        self._ratings: dict[str, _Rating] = {}
        self.energy_targets = EnergyTargets()

    def listen(self, sessions: Sequence[CemSession]) -> None:
        """Keep the long forecasts, which shorter ones would replace."""
        for session in sessions:
            told = session.latest(g.PowerForecast)
            if told is None or self._forecasts.get(session.name) is told:
                continue
            if sum((lasting(element.duration) for element in told.elements), timedelta(0)) >= LONG:
                self._forecasts[session.name] = told

    def problem(
        self, house: House, signals: Sequence[GridSignal], level_caps: Callable[[GridSignal], float]
    ) -> Problem:
        """The day ahead as the planner wants it."""
        ahead = horizon(house.now)
        acted = [signal for signal in ranked(signals) if not signal.test]
        acted += [limit for signal in acted for limit in control_limits(signal, house)]
        usual = np.full(ahead.steps, self._prices.usual)
        prices = [signal for signal in acted if isinstance(signal, PriceSignal)]
        spans = [(signal.start, signal.end, signal.price) for signal in prices]
        import_price = step_means(ahead, spans, usual)
        savings = [s for s in acted if isinstance(s, LevelSignal) and s.level == 1]
        import_price = import_price * step_means(
            ahead, [(s.start, s.end, SAVING_FACTOR) for s in savings], np.ones(ahead.steps)
        )
        sources = dict.fromkeys(s.source for s in (*prices, *savings))
        return Problem(
            horizon=ahead,
            fixed_w=self._fixed(house, ahead),
            sun_w=sum((self._sun(house, p.name, p.available_w, ahead) for p in house.producers), np.zeros(ahead.steps)),
            import_price=import_price,
            export_price=np.full(ahead.steps, self._prices.export),
            caps=tuple(self._caps(acted, ahead, level_caps)),
            batteries=tuple(
                task for task in (self._battery(b, house, acted) for b in house.batteries) if task is not None
            ),
            chargers=tuple(_charger(c, acted) for c in house.chargers if c.plugged and c.max_w > 0.0),
            appliances=tuple(_appliance(a, house.now) for a in house.appliances if a.waiting),
            demand_charges=tuple(
                DemandCharge(s.start, s.end, s.price, s.source) for s in acted if isinstance(s, DemandSignal)
            ),
            currency=prices[0].currency if prices else self._prices.currency,
            price_source=", ".join(sources),
        )

    # Forecasts

    def _fixed(self, house: House, ahead: Horizon) -> Array:
        total = np.zeros(ahead.steps)
        for load in house.loads:
            total += self._faded(load.name, load.power_w, ahead, np.full(ahead.steps, load.power_w))
        for appliance in house.appliances:
            if appliance.running:
                total += (
                    ApplianceTask("", house.now, house.now, _left(appliance, house.now)).energy_wh(ahead.edges_s)
                    / ahead.hours
                )
        known = house.base_w - house.produced_w + house.charging_w + house.stored_w
        known += sum(appliance.power_w for appliance in house.appliances)
        # what the meter sees beside the devices is believed to go, not to stay
        return total + (house.net_w - known) * _fading(ahead)

    def _sun(self, house: House, name: str, available_w: float, ahead: Horizon) -> Array:
        for_an_hour = np.where(ahead.edges_s[:-1] < GOES_ON_S, -available_w, 0.0)
        return np.maximum(self._faded(name, -available_w, ahead, for_an_hour, sign=-1.0), 0.0)

    def _faded(self, name: str, measured_w: float, ahead: Horizon, without: Array, sign: float = 1.0) -> Array:
        """A device's forecast, moved to what is measured now."""
        told = self._forecasts.get(name)
        if told is None:
            return without
        forecast = _means(told, ahead) * sign
        return forecast + (measured_w - float(forecast[0])) * _fading(ahead)

    # Constraints

    def _caps(self, signals: Sequence[GridSignal], ahead: Horizon, level_caps: Callable[[GridSignal], float]):
        if self._connection_w is not None:
            yield connection_cap(ahead, self._connection_w)
        for signal in signals:
            if signal.device:
                continue
            if isinstance(signal, LimitSignal):
                price = ABNORMAL_PRICE if signal.abnormal else LIMIT_PRICE
                yield Cap(signal.start, signal.end, signal.upper_w, signal.lower_w, price, signal.source)
            elif isinstance(signal, LevelSignal) and signal.level >= 2:
                price = ABNORMAL_PRICE if signal.level >= 3 else SOFT_PRICE
                yield Cap(signal.start, signal.end, level_caps(signal), None, price, signal.source)

    def _battery(self, battery: Battery, house: House, signals: Sequence[GridSignal]) -> BatteryTask | None:
        rating = self._ratings.setdefault(battery.name, _Rating())
        charging = max(battery.modes, key=lambda mode: mode.high_w)
        giving = min(battery.modes, key=lambda mode: mode.low_w)
        rating.charge_w = max(rating.charge_w, battery.charge_w)
        rating.discharge_w = max(rating.discharge_w, battery.discharge_w)
        if charging.high_w > 0.0 and charging.high_rate > 0.0:
            rating.filling = charging.high_rate / charging.high_w
        if giving.low_w < 0.0 and giving.low_rate < 0.0:
            rating.emptying = giving.low_rate / giving.low_w
        rating.top = max(rating.top, battery.top, battery.level)
        if rating.filling <= 0.0 or rating.emptying <= 0.0:
            return None  # half a description: the guard can use it, a plan of its energy can't
        # both ways' losses are known only together: they are taken as equal
        one_way = min(math.sqrt(rating.filling / rating.emptying), 1.0)
        per_level = one_way / rating.filling / SECONDS_PER_HOUR
        floor = max(self._reserve, battery.floor)
        return BatteryTask(
            name=battery.name,
            stored_wh=battery.level * per_level,
            floor_wh=floor * per_level,
            top_wh=rating.top * per_level,
            charge_w=rating.charge_w,
            discharge_w=rating.discharge_w,
            charge_efficiency=one_way,
            discharge_efficiency=one_way,
            caps=_device_caps(battery.name, signals),
            # what is wanted is energy it can give, what is planned is energy inside
            targets=tuple(
                replace(target, wh=target.wh / one_way) for target in self.energy_targets.of(battery, house, signals)
            ),
        )


def _charger(charger: Charger, signals: Sequence[GridSignal]) -> ChargerTask:
    per_level = charger.max_w / charger.full_rate / SECONDS_PER_HOUR if charger.full_rate > 0.0 else 0.0
    room = max(1.0 - charger.level, 0.0) * per_level
    wanted = room if charger.target is None else max(charger.target - charger.level, 0.0) * per_level
    return ChargerTask(
        name=charger.name,
        min_w=charger.min_w,
        max_w=charger.max_w,
        need_wh=wanted,
        room_wh=room,
        departure=charger.departure,
        caps=_device_caps(charger.name, signals),
    )


def _appliance(appliance: Appliance, now: datetime) -> ApplianceTask:
    earliest = max(appliance.start, now)
    profile = tuple((lasts.total_seconds(), power) for step in appliance.steps for lasts, power in step.elements)
    return ApplianceTask(appliance.name, earliest, max(appliance.latest_start, earliest), profile)


def _device_caps(name: str, signals: Sequence[GridSignal]) -> tuple[Cap, ...]:
    return tuple(
        Cap(s.start, s.end, s.upper_w, s.lower_w, LIMIT_PRICE, s.source)
        for s in signals
        if isinstance(s, LimitSignal) and s.device == name
    )


def _left(appliance: Appliance, now: datetime) -> tuple[tuple[float, float], ...]:
    """What is left of a running programme, from now on and without pauses."""
    left: list[tuple[float, float]] = []
    for step in appliance.steps:
        if step.status is g.PPBCPowerSequenceStatus.FINISHED:
            continue
        into = 0.0
        if step.status is g.PPBCPowerSequenceStatus.EXECUTING:
            into = (step.progress + (now - appliance.told_at)).total_seconds()
        for lasts, power in step.elements:
            rest = lasts.total_seconds() - into
            into = max(-rest, 0.0)
            if rest > 0.0:
                left.append((rest, power))
    return tuple(left) or ((1.0, 0.0),)


def _means(told: g.PowerForecast, ahead: Horizon) -> Array:
    """Expected power of a forecast per step; its last value goes on. [W]"""
    edges, values = [(told.start_time - ahead.start).total_seconds()], [0.0]
    for element in told.elements:
        electric = [v for v in element.power_values if v.commodity_quantity.value.startswith("ELECTRIC.")]
        power = sum(value.value_expected for value in electric)
        values.append(values[-1] + power * lasting(element.duration).total_seconds())
        edges.append(edges[-1] + lasting(element.duration).total_seconds())
    last = (values[-1] - values[-2]) / max(edges[-1] - edges[-2], 1e-9)
    end = float(ahead.edges_s[-1])
    if edges[-1] < end:
        values.append(values[-1] + last * (end - edges[-1]))
        edges.append(end)
    taken = np.interp(ahead.edges_s, np.asarray(edges), np.asarray(values))
    return np.diff(taken) / np.diff(ahead.edges_s)


def _fading(ahead: Horizon) -> Array:
    middle = (ahead.edges_s[:-1] + ahead.edges_s[1:]) / 2.0
    return np.exp(-(middle - middle[0]) / FADES_S)
