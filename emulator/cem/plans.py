"""What the guard looks at and what it decides, as plain records: `House` in, `Decision` out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from emulator.cem.limits import Band
from emulator.cem.planner_problem import Binding
from emulator.cem.resources import Appliance, Battery, Charger, Load, Producer
from emulator.cem.tariff import Tariff


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """How the guard behaves; powers in W."""

    period: timedelta = timedelta(seconds=5)
    """Between two decisions. Faster is worse: a charge point answers after 5 s, and a guard that is faster hunts."""
    margin_w: float = 100.0
    """Kept free under the cap for what changes between two decisions."""
    hysteresis_w: float = 200.0
    """Least raise worth making; cuts are made at once."""
    dwell: timedelta = timedelta(seconds=60)
    """A charger rises only this long after its last change."""
    answer: timedelta = timedelta(seconds=15)
    """Time within which a charger shows what it was told; a car may take less than it is offered for ever."""
    persists: timedelta = timedelta(seconds=30)
    """How long a cap has to stay broken before an appliance is held for it."""
    surplus_for: timedelta = timedelta(seconds=60)
    """How long a PV surplus has to last before an appliance starts on it."""
    reserve: float = 0.10
    """Level down to which a battery is used; an emergency may go down to its own floor."""
    sustain: timedelta = timedelta(seconds=60)
    """A battery is counted on for no more than it can give for this long, so that it runs out softly."""
    surplus_share: float = 0.5
    """Share of an appliance's peak that the PV surplus has to cover for it to start."""
    usual_price: float = 0.30
    """Per kWh, where no price signal speaks."""
    connection_w: float | None = None
    """Most the connection carries, either way."""


@dataclass(frozen=True, slots=True)
class House:
    """The measured house at one instant."""

    now: datetime
    net_w: float
    loads: tuple[Load, ...] = ()
    producers: tuple[Producer, ...] = ()
    batteries: tuple[Battery, ...] = ()
    chargers: tuple[Charger, ...] = ()
    appliances: tuple[Appliance, ...] = ()

    @property
    def base_w(self) -> float:
        return sum(load.power_w for load in self.loads)

    @property
    def produced_w(self) -> float:
        """Not negative."""
        return max(0.0, -sum(producer.power_w for producer in self.producers))

    @property
    def charging_w(self) -> float:
        """What all chargers draw."""
        return sum(charger.power_w for charger in self.chargers)

    @property
    def stored_w(self) -> float:
        """What all batteries take (+) or give (−)."""
        return sum(battery.power_w for battery in self.batteries)

    @property
    def fixed_w(self) -> float:
        """What the meter would show without batteries and chargers: taken from one instant, so lags cancel."""
        return self.net_w - self.stored_w - self.charging_w

    @property
    def must_run_w(self) -> float:
        """Consumption nobody can shed now: base load and running appliances."""
        running = sum(appliance.power_w for appliance in self.appliances if appliance.running)
        return max(0.0, self.base_w) + running


class Why(StrEnum):
    """What made a plan what it is."""

    FREE = "free"
    """Nobody holds it."""
    AWAY = "away"
    LIMIT = "limit"
    DEVICE_LIMIT = "device limit"
    EMERGENCY = "emergency"
    SAVING = "saving"
    PRICE = "price"
    RISING = "rising"
    """Held a little longer after a change, so that it does not go up and down."""
    SUPPORT = "support"
    """A battery that keeps the site under its cap."""
    HOUSE = "house"
    SURPLUS = "surplus"
    EXPORT = "export"
    RESERVE = "reserve"
    PLAN = "plan"
    """The plan of the day has it so."""
    LATEST = "latest start"
    WINDOW = "window"


@dataclass(frozen=True, slots=True)
class Target:
    """What the plan of the day has for one device now."""

    power_w: float
    binding: Binding
    until: datetime
    """When the plan has something else."""
    start: datetime | None = None
    """When its programme begins."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What the plan of the day has for now."""

    price: float
    """Per kWh, now."""
    currency: str
    dearest: float
    """Price still to come."""
    net_w: float
    """At the connection."""
    devices: Mapping[str, Target]


@dataclass(frozen=True, slots=True)
class ChargerPlan:
    device: Charger
    power_w: float
    wanted_w: float
    """What it would be given if only its user were asked."""
    why: Why


@dataclass(frozen=True, slots=True)
class BatteryPlan:
    device: Battery
    power_w: float
    reserve: float
    """Level at which it stops giving."""
    why: Why


@dataclass(frozen=True, slots=True)
class ProducerPlan:
    device: Producer
    lower_w: float | None
    """Not positive; None is no limit."""
    why: Why


class Act(StrEnum):
    """What an appliance is told."""

    NOTHING = "nothing"
    START = "start"
    HOLD = "hold"
    """The next step waits as long as it may."""
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class AppliancePlan:
    device: Appliance
    act: Act
    why: Why
    held: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """All plans of one instant."""

    house: House
    band: Band
    tariff: Tariff
    chargers: tuple[ChargerPlan, ...] = field(default=())
    batteries: tuple[BatteryPlan, ...] = field(default=())
    producers: tuple[ProducerPlan, ...] = field(default=())
    appliances: tuple[AppliancePlan, ...] = field(default=())
    targets: Targets | None = None
    """The plan followed; None where the guard goes by its own rules."""
    margin_w: float = 0.0
    """Kept free under a cap, so that small changes do not break it."""
