"""What the CEM knows of each device: read from the S2 messages of its session, and from nothing else.

`read(session)` turns the last messages into one small frozen record, or None while the device is not measured yet.
Levels are shares 0..1 of what the device calls full, power in W, ``+`` is consumption.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from s2python.generated import gen_s2 as g

from emulator.links.s2.cem_session import CemSession
from emulator.links.s2.codec import key, lasting
from emulator.links.s2.session import ControlType

SECONDS_PER_HOUR = 3600.0
PERCENT = 100.0


@dataclass(frozen=True, slots=True)
class Load:
    """Measured and not controllable."""

    name: str
    power_w: float


@dataclass(frozen=True, slots=True)
class Producer:
    """PEBC: may be limited in what it gives."""

    name: str
    power_w: float
    most_w: float
    """Greatest power it can give, not negative."""
    available_w: float
    """What it would give unlimited, not positive; the measurement where it tells no forecast."""
    constraints_id: str
    quantity: g.CommodityQuantity


@dataclass(frozen=True, slots=True)
class Mode:
    """One operation mode at the present fill level, and the power range its factor runs over."""

    actuator_id: str
    mode_id: str
    low_w: float
    high_w: float
    low_rate: float
    high_rate: float
    """Level per second at both ends of the range."""

    def factor(self, power_w: float) -> float:
        width = self.high_w - self.low_w
        return min(max((power_w - self.low_w) / width, 0.0), 1.0) if width > 0.0 else 0.0


@dataclass(frozen=True, slots=True)
class Battery:
    """FRBC that can give as well as take."""

    name: str
    power_w: float
    level: float
    floor: float
    """Level under which it gives nothing."""
    charge_w: float
    discharge_w: float
    """Most it takes and gives at this level, both not negative."""
    wh_per_level: float
    """Energy it gives for one whole level; 0 where its description doesn't tell."""
    modes: tuple[Mode, ...]
    top: float = 1.0
    """Level above which it takes nothing."""

    def above_wh(self, level: float) -> float:
        """Energy it can give until it is down to a level."""
        return max(self.level - level, 0.0) * self.wh_per_level


@dataclass(frozen=True, slots=True)
class Charger:
    """FRBC that only takes: off, or something between a least and a greatest power."""

    name: str
    power_w: float
    plugged: bool
    min_w: float
    max_w: float
    level: float
    target: float | None
    """Level wanted at the departure."""
    departure: datetime | None
    full_rate: float
    """Level per second at full power."""
    modes: tuple[Mode, ...]

    @property
    def needs_s(self) -> float:
        """Time at full power up to the target."""
        if self.target is None or self.full_rate <= 0.0:
            return 0.0
        return max(self.target - self.level, 0.0) / self.full_rate


@dataclass(frozen=True, slots=True)
class Step:
    """One container of a power profile."""

    container_id: str
    sequence_id: str
    elements: tuple[tuple[timedelta, float], ...]
    """Length and expected power of its parts, in order."""
    max_pause: timedelta
    status: g.PPBCPowerSequenceStatus
    progress: timedelta

    @property
    def lasts(self) -> timedelta:
        return sum((lasts for lasts, _ in self.elements), timedelta(0))

    @property
    def peak_w(self) -> float:
        return max(power for _, power in self.elements)

    def power_at(self, into: timedelta) -> float | None:
        """Expected power this far into the step; None beyond its end. [W]"""
        for lasts, power in self.elements:
            if into < lasts:
                return power
            into -= lasts
        return None


@dataclass(frozen=True, slots=True)
class Appliance:
    """PPBC: a programme in steps, to be started within a window, and held only between certain steps."""

    name: str
    power_w: float
    profile_id: str
    start: datetime
    end: datetime
    steps: tuple[Step, ...]
    told_at: datetime
    """When the status of the steps was told."""

    @property
    def latest_start(self) -> datetime:
        return self.end - sum((step.lasts for step in self.steps), timedelta(0))

    @property
    def peak_w(self) -> float:
        return max(step.peak_w for step in self.steps)

    @property
    def waiting(self) -> bool:
        """Not begun."""
        idle = (g.PPBCPowerSequenceStatus.NOT_SCHEDULED, g.PPBCPowerSequenceStatus.SCHEDULED)
        return self.steps[0].status in idle

    @property
    def running(self) -> bool:
        return not self.waiting and self.steps[-1].status is not g.PPBCPowerSequenceStatus.FINISHED

    def rise_w(self, now: datetime, ahead: timedelta, lag: timedelta) -> float:
        """How much more its profile expects within ``ahead`` than it draws; a rise counts until ``lag`` after it.

        What it draws less than its profile says without a rise is no rise: profiles are not that exact. [W]
        """
        for step in self.steps:
            if step.status is g.PPBCPowerSequenceStatus.EXECUTING:
                into = step.progress + (now - self.told_at)
                before = step.power_at(max(into - lag, timedelta(0)))
                expected = [power for power in (step.power_at(into), step.power_at(into + ahead)) if power is not None]
                if before is None or not expected:
                    return 0.0
                return max(0.0, min(max(expected) - before, max(expected) - self.power_w))
        return 0.0

    def following(self) -> tuple[Step, datetime] | None:
        """The next step to begin and when it will, if nothing waits; None when the last one runs or all is done."""
        if not self.running:
            return None
        for before, step in zip(self.steps, self.steps[1:], strict=False):
            if step.status in (g.PPBCPowerSequenceStatus.SCHEDULED, g.PPBCPowerSequenceStatus.NOT_SCHEDULED):
                ended = before.status is g.PPBCPowerSequenceStatus.FINISHED
                return step, self.told_at + (timedelta(0) if ended else before.lasts - before.progress)
        return None


Resource: TypeAlias = Load | Producer | Battery | Charger | Appliance


def read(session: CemSession) -> Resource | None:
    """The device behind a session as its messages show it."""
    power_w = measured_power(session)
    if power_w is None:
        return None
    name = session.name
    match session.control_type:
        case ControlType.FILL_RATE_BASED_CONTROL:
            return _store(session, name, power_w)
        case ControlType.POWER_ENVELOPE_BASED_CONTROL:
            return _producer(session, name, power_w)
        case ControlType.POWER_PROFILE_BASED_CONTROL:
            return _appliance(session, name, power_w)
        case _:
            return Load(name, power_w)


def measured_power(session: CemSession) -> float | None:
    """Sum of the electric powers of the last measurement. [W]"""
    measurement = session.latest(g.PowerMeasurement)
    if measurement is None:
        return None
    electric = [v.value for v in measurement.values if v.commodity_quantity.value.startswith("ELECTRIC.")]
    return sum(electric) if electric else None


def _producer(session: CemSession, name: str, power_w: float) -> Resource:
    constraints = session.latest(g.PEBCPowerConstraints)
    lower = g.PEBCPowerEnvelopeLimitType.LOWER_LIMIT
    ranges = [r for r in constraints.allowed_limit_ranges if r.limit_type is lower] if constraints else []
    usable = [r for r in ranges if not r.abnormal_condition_only and r.range_boundary.start_of_range < 0.0]
    if constraints is None or not usable:
        return Load(name, power_w)
    most = -min(r.range_boundary.start_of_range for r in usable)
    forecast = session.latest(g.PowerForecast)
    expected = forecast.elements[0].power_values[0].value_expected if forecast else power_w
    return Producer(
        name=name,
        power_w=power_w,
        most_w=most,
        available_w=min(expected, power_w, 0.0),
        constraints_id=key(constraints.id),
        quantity=usable[0].commodity_quantity,
    )


def _store(session: CemSession, name: str, power_w: float) -> Resource:
    system = session.latest(g.FRBCSystemDescription)
    if system is None:
        return Load(name, power_w)
    status = session.latest(g.FRBCStorageStatus)
    top = system.storage.fill_level_range.end_of_range
    whole = PERCENT if top > 1.0 else 1.0
    level = (status.present_fill_level if status else system.storage.fill_level_range.start_of_range) / whole
    modes = tuple(_modes(system, level * whole, whole))
    if any(mode.low_w < 0.0 for mode in modes):
        return _battery(system, name, power_w, level, whole, modes)
    return _charger(session, name, power_w, level, whole, modes)


def _modes(system: g.FRBCSystemDescription, fill_level: float, whole: float) -> list[Mode]:
    """The modes of the first actuator, each with its element for the present fill level."""
    actuator = system.actuators[0]
    found: list[Mode] = []
    for mode in actuator.operation_modes:
        if mode.abnormal_condition_only:
            continue
        fitting = [e for e in mode.elements if _holds(e.fill_level_range, fill_level)]
        element = (fitting or mode.elements)[0]
        electric = [r for r in element.power_ranges if r.commodity_quantity.value.startswith("ELECTRIC.")]
        found.append(
            Mode(
                actuator_id=key(actuator.id),
                mode_id=key(mode.id),
                low_w=sum(r.start_of_range for r in electric),
                high_w=sum(r.end_of_range for r in electric),
                low_rate=element.fill_rate.start_of_range / whole,
                high_rate=element.fill_rate.end_of_range / whole,
            )
        )
    return found


def _holds(levels: g.NumberRange, fill_level: float) -> bool:
    return levels.start_of_range <= fill_level <= levels.end_of_range


def _battery(
    system: g.FRBCSystemDescription, name: str, power_w: float, level: float, whole: float, modes: tuple[Mode, ...]
) -> Battery:
    giving = min(modes, key=lambda mode: mode.low_w)
    per_second = -giving.low_rate
    return Battery(
        name=name,
        power_w=power_w,
        level=level,
        floor=system.storage.fill_level_range.start_of_range / whole,
        charge_w=max(0.0, max(mode.high_w for mode in modes)),
        discharge_w=-giving.low_w,
        wh_per_level=-giving.low_w / per_second / SECONDS_PER_HOUR if per_second > 0.0 else 0.0,
        modes=modes,
        top=system.storage.fill_level_range.end_of_range / whole,
    )


def _charger(
    session: CemSession, name: str, power_w: float, level: float, whole: float, modes: tuple[Mode, ...]
) -> Charger:
    charge = max(modes, key=lambda mode: mode.high_w)
    target, departure = _target(session, whole)
    return Charger(
        name=name,
        power_w=power_w,
        plugged=charge.high_w > 0.0,
        min_w=charge.low_w,
        max_w=charge.high_w,
        level=level,
        target=target,
        departure=departure,
        full_rate=charge.high_rate,
        modes=modes,
    )


def _target(session: CemSession, whole: float) -> tuple[float | None, datetime | None]:
    """The first level asked for in the target profile and when it is asked for."""
    profile = session.latest(g.FRBCFillLevelTargetProfile)
    at = profile.start_time if profile else None
    for element in profile.elements if profile else []:
        if element.fill_level_range.start_of_range > 0.0:
            return element.fill_level_range.start_of_range / whole, at
        assert at is not None
        at += lasting(element.duration)
    return None, None


def _appliance(session: CemSession, name: str, power_w: float) -> Resource:
    profile = session.latest(g.PPBCPowerProfileDefinition)
    told = session.latest(g.PPBCPowerProfileStatus)
    told_at = session.received_at(g.PPBCPowerProfileStatus)
    if profile is None:
        return Load(name, power_w)
    statuses = {key(s.sequence_container_id): s for s in (told.sequence_container_status if told else [])}
    steps = tuple(_step(container, statuses.get(key(container.id))) for container in profile.power_sequences_containers)
    return Appliance(
        name=name,
        power_w=power_w,
        profile_id=key(profile.id),
        start=profile.start_time,
        end=profile.end_time,
        steps=steps,
        told_at=told_at or profile.start_time,
    )


def _step(container: g.PPBCPowerSequenceContainer, status: g.PPBCPowerSequenceContainerStatus | None) -> Step:
    normal = [sequence for sequence in container.power_sequences if not sequence.abnormal_condition_only]
    sequence = (normal or container.power_sequences)[0]
    elements = tuple(
        (lasting(element.duration), sum(value.value_expected for value in element.power_values))
        for element in sequence.elements
    )
    return Step(
        container_id=key(container.id),
        sequence_id=key(sequence.id),
        elements=elements,
        max_pause=lasting(sequence.max_pause_before),
        status=status.status if status else g.PPBCPowerSequenceStatus.NOT_SCHEDULED,
        progress=lasting(status.progress if status else None),
    )
