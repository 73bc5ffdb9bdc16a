"""The customer energy manager: grid signals and S2 sessions in, S2 instructions, reasons and a light out.

Sans-IO like its sessions: `control(now)` returns the texts to send per session, whoever owns the links carries them.
All it knows of devices came by S2 messages, all it does to them goes by S2 instructions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from s2python.generated import gen_s2 as g

from emulator.cem.controls import EnergyTargets, device_limits
from emulator.cem.flexibility import LASTS, Baseline, flexibility
from emulator.cem.flexibility import Baselines as FrozenBaselines
from emulator.cem.grid_side import Contact, GridSide, GridSideSettings
from emulator.cem.guard import Guard
from emulator.cem.instructing import Instructor
from emulator.cem.limits import Band, Baselines, band
from emulator.cem.planning import Planning
from emulator.cem.plans import (
    AppliancePlan,
    BatteryPlan,
    ChargerPlan,
    Decision,
    GuardSettings,
    House,
    ProducerPlan,
    Targets,
)
from emulator.cem.ports import Flexibility, GridSignal, LevelSignal, LightState, LimitInForce, LimitSignal, Reason
from emulator.cem.quality import Expected, Quality, Watch
from emulator.cem.reasons import called, reasons, sentence, watts
from emulator.cem.reasons import limit as limit_text
from emulator.cem.resources import Appliance, Battery, Charger, Load, Producer, Resource, measured_power, read
from emulator.cem.stepping import Stepping
from emulator.cem.tariff import tariff
from emulator.links.s2.cem_session import CemSession
from emulator.links.s2.session import State

STALE_PERIODS = 3
"""A meter reading older than this many periods is no longer believed."""


IN_WORDS = {
    Quality.LOCAL_OVERRIDE: "does not do what it is told: it refused",
    Quality.NOT_CONNECTED: "is not connected",
    Quality.COMM_FAILURE: "is not heard of any more",
    Quality.LAST_USABLE: "has not been heard of for over a minute",
    Quality.SENSOR_FAILURE: "tells the same power again and again while the meter moves",
    Quality.NOT_ACCURATE: "tells a power that cannot be",
    Quality.UNCERTAIN: "has a clock that is off",
    Quality.DEVICE_FAILURE: "accepts what it is told and does something else",
    Quality.NO_VALUE: "has not told its power yet",
}


@dataclass(frozen=True, slots=True)
class Opinion:
    """Whether the CEM can do what an event asks, and the reason in one line."""

    opt_in: bool
    text: str


class Cem:
    """One house's manager."""

    def __init__(
        self,
        zone: tzinfo,
        meter: str,
        settings: GuardSettings | None = None,
        planning: Planning | None = None,
        grid_side: GridSideSettings | None = None,
        seed: int = 0,
    ) -> None:
        """``zone`` is for the times in reasons; ``meter`` is the name of the resource at the connection point.

        With ``planning`` devices follow a plan of the day as far as the guard lets them; without, the guard's rules.
        """
        self.planning = planning
        self.settings = settings or GuardSettings()
        self.decision: Decision | None = None
        """The last one; None before the first."""
        self._zone = zone
        self._meter = meter
        self._guard = Guard(self.settings)
        self._stepping = Stepping(self.settings)
        self._baselines = Baselines()
        self._instructors: list[Instructor] = []
        self._signals: tuple[GridSignal, ...] = ()
        self.grid_side = GridSide(grid_side or GridSideSettings(), seed)
        """Contact with the grid side and the grid."""
        self._energy_targets = EnergyTargets()
        self._frozen = FrozenBaselines()
        self._reasons: tuple[Reason, ...] = ()
        self._watches: dict[int, Watch] = {}
        self._qualities: dict[str, Quality] = {}

    def add(self, session: CemSession) -> None:
        """Manage the device at the other end of a session."""
        self._instructors.append(Instructor(session))

    def remove(self, session: CemSession) -> None:
        """Forget a device whose session is over."""
        self._instructors = [one for one in self._instructors if one.session is not session]
        self._watches.pop(id(session), None)

    def receive(self, signals: Sequence[GridSignal]) -> None:
        """Replace all grid signals, past and future ones; the next `control` acts on them."""
        self._signals = tuple(signals)
        self.grid_side.told()
        self._baselines.keep_only(signals)

    def lose_grid(self) -> None:
        """The grid side went silent: accepted signals are kept to their end, the light says so."""
        self.grid_side.lose()

    def heartbeat(self, now: datetime) -> None:
        """The grid side was heard; once it has been, two minutes of silence are a loss."""
        self.grid_side.heartbeat(now)

    def grid(self, present: bool, now: datetime) -> None:
        """Whether the meter sees a grid."""
        if not present and not self.grid_side.islanded:
            self.grid_side.cut(self.house(now))
        elif present and self.grid_side.islanded:
            self.grid_side.back(now)

    def control(self, now: datetime) -> list[tuple[CemSession, list[str]]]:
        """Decide for now; returns what each session has to send."""
        house = self.house(now)
        self._baselines.measure(now, house.net_w)
        self.grid_side.look(self._signals, now)
        self._freeze(house)
        signals = (*self._signals, *device_limits(self._signals, house, self._energy_targets))
        in_force = self.grid_side.narrow(band(signals, now, house.must_run_w, self._baselines), house)
        price = tariff(self._signals, now, self.settings.usual_price)
        self.decision = self._guard.decide(house, in_force, price, self._planned(house))
        sessions = (instructor.session for instructor in self._instructors)
        stepped, why_stepped = self._stepping.decide(sessions, house, in_force)
        self._reasons = (*reasons(self.decision, self._zone), *why_stepped, *self._doubts(house))
        return [*self._instruct(self.decision, now), *stepped]

    def _freeze(self, house: House) -> None:
        """Keep what would have been without each event that is new."""
        plan = self.planning.plan if self.planning else None
        for signal in self._signals:
            self._frozen.notify(signal.source, house.now, self._baselines.mean(house.net_w), plan)

    def flexibility(self, now: datetime, lasts: timedelta = LASTS) -> Flexibility:
        """What the house could do differently for so long from now."""
        free = Band()
        seen = self.decision.house if self.decision else self.house(now)
        return flexibility(replace(seen, now=now), lambda battery: self._guard.reserve(battery, free), lasts)

    def baseline(self, source: str) -> Baseline | None:
        """What the site would have drawn without an event, as it was known when the event was notified."""
        return self._frozen.of(source)

    def _planned(self, house: House) -> Targets | None:
        """What the plan has for now, after renewing it where it is due."""
        if self.planning is None:
            return None
        self.planning.outlook.listen([instructor.session for instructor in self._instructors])
        self.planning.renew(house, self._signals, lambda signal: self._level_cap(signal, house))
        return self.planning.targets(house.now)

    def _level_cap(self, signal: GridSignal, house: House) -> float:
        """The cap a level makes, also where its event has not begun: then of what the house draws now. [W]"""
        if not isinstance(signal, LevelSignal) or signal.level >= 3:
            return house.must_run_w
        begun = signal.start <= house.now
        baseline = self._baselines.of(signal, house.now) if begun else house.net_w
        return max(house.must_run_w, baseline / 2.0)

    def house(self, now: datetime) -> House:
        """The house as measured last."""
        told: list[tuple[Instructor, Resource]] = []
        meter_w: float | None = None
        for instructor in self._instructors:
            session = instructor.session
            if session.name == self._meter:
                fresh = session.state is not State.CLOSED and self._fresh(session, now)
                meter_w = measured_power(session) if fresh else None
                self._qualities[session.name] = Quality.GOOD if fresh else Quality.COMM_FAILURE
                continue
            if session.state is State.CLOSED:
                self._qualities[session.name] = Quality.NOT_CONNECTED
                continue
            device = read(session)
            if device is not None:
                told.append((instructor, device))
        devices = self._believed(told, meter_w, now)
        # Without a meter that can be believed, the devices' own sum is the best there is.
        net_w = sum(device.power_w for device in devices) if meter_w is None else meter_w
        return House(
            now=now,
            net_w=net_w,
            loads=tuple(d for d in devices if isinstance(d, Load)),
            producers=tuple(d for d in devices if isinstance(d, Producer)),
            batteries=tuple(d for d in devices if isinstance(d, Battery)),
            chargers=tuple(d for d in devices if isinstance(d, Charger)),
            appliances=tuple(d for d in devices if isinstance(d, Appliance)),
        )

    def _believed(
        self, told: list[tuple[Instructor, Resource]], meter_w: float | None, now: datetime
    ) -> list[Resource]:
        """The devices with what their readings are worth: what cannot be steered now is a load."""
        residual = 0.0 if meter_w is None else meter_w - sum(device.power_w for _, device in told)
        believed: list[Resource] = []
        misread: list[int] = []
        for instructor, device in told:
            watch = self._watches.setdefault(id(instructor.session), Watch())
            quality = watch.look(instructor.session, device.power_w, _expected(instructor, device), residual, now)
            if watch.tried_again:
                watch.tried_again = False
                instructor.forget()
            self._qualities[device.name] = quality
            refused = quality is Quality.LOCAL_OVERRIDE and instructor.refused_within(now)
            if quality.lost or quality is Quality.DEVICE_FAILURE or refused:
                device = Load(device.name, watch.power_w if quality.lost else device.power_w)
            elif quality in (Quality.SENSOR_FAILURE, Quality.NOT_ACCURATE):
                misread.append(len(believed))
            believed.append(device)
        if len(misread) == 1 and meter_w is not None:
            # one of them reads wrong: what the meter shows beyond the sum is its error
            wrong = believed[misread[0]]
            believed[misread[0]] = replace(wrong, power_w=wrong.power_w + residual)
        return believed

    def quality(self, device: str) -> Quality:
        """What the readings of a device are worth; of one never heard of there is no value."""
        return self._qualities.get(device, Quality.NO_VALUE)

    def _fresh(self, session: CemSession, now: datetime) -> bool:
        at = session.received_at(g.PowerMeasurement)
        return at is not None and now - at <= STALE_PERIODS * self.settings.period

    def _doubts(self, house: House) -> Iterator[Reason]:
        """A line for each device that is not as it should be and is not told of otherwise."""
        loads = {load.name: load.power_w for load in house.loads}
        for name, quality in self._qualities.items():
            if quality is Quality.GOOD or name == self._meter:
                continue
            counted = f"; counts as {watts(loads[name])} nobody can shed" if name in loads else ""
            text = sentence(f"{called(name)} {IN_WORDS[quality]}{counted}")
            yield Reason(name, text, "quality", quality.value)

    def _instruct(self, decision: Decision, now: datetime) -> list[tuple[CemSession, list[str]]]:
        plans = {
            plan.device.name: plan
            for plan in (*decision.chargers, *decision.batteries, *decision.producers, *decision.appliances)
        }
        sent: list[tuple[CemSession, list[str]]] = []
        for instructor in self._instructors:
            plan = plans.get(instructor.session.name)
            if plan is None or instructor.session.state is not State.ACTIVATED:
                continue
            texts = _texts(instructor, plan, decision.band.abnormal, now)
            if texts:
                sent.append((instructor.session, texts))
        return sent

    # What others see

    @property
    def limit(self) -> LimitInForce | None:
        return self.decision.band.in_force if self.decision else None

    @property
    def light(self) -> LightState:
        if self.grid_side.contact is not Contact.HEARD or self.grid_side.islanded:
            return LightState.FAILSAFE
        return self.decision.band.light if self.decision else LightState.GREEN

    @property
    def reasons(self) -> tuple[Reason, ...]:
        return self._reasons

    def opinion(self, signals: Sequence[GridSignal], now: datetime) -> Opinion:
        """Whether upper limits of the signals can be kept with everything shed that can be.

        Must-run consumption above a limit has to come from the batteries for as long as the limit lasts; PV is not
        counted on. An emergency is always answered with opt in.
        """
        house = self.house(now)
        for signal in signals:
            if not isinstance(signal, LimitSignal) or signal.upper_w is None or signal.device:
                continue
            if signal.abnormal or signal.test or (signal.end is not None and signal.end <= now):
                continue
            missing = house.must_run_w - signal.upper_w
            held = self._batteries_give(house, signal, now)
            if missing > held:
                needs = f"must-run consumption is {watts(house.must_run_w)}"
                gives = f", batteries can give {watts(held)} for so long" if house.batteries else ""
                return Opinion(False, f"limit {limit_text(signal.upper_w)} can't be kept: {needs}{gives}")
        return Opinion(True, "can be kept")

    def _batteries_give(self, house: House, signal: GridSignal, now: datetime) -> float:
        """Power all batteries can sustain to the end of a signal; an open end counts as a day. [W]"""
        lasts = (signal.end - max(signal.start, now)) if signal.end else timedelta(days=1)
        hours = max(lasts.total_seconds() / 3600.0, 1.0 / 3600.0)
        nothing = Band()
        reserve = self._guard.reserve
        return sum(min(b.discharge_w, b.above_wh(reserve(b, nothing)) / hours) for b in house.batteries)


def _expected(instructor: Instructor, device: Resource) -> Expected | None:
    """What a device may draw by its own description, and what it was told to."""
    match device:
        case Battery():
            return Expected(instructor.commanded_w, -device.discharge_w, device.charge_w)
        case Charger():
            return Expected(instructor.commanded_w, 0.0, device.max_w, may_take_less=True)
        case Producer():
            return Expected(None, -device.most_w, 0.0)
        case Appliance():
            return Expected(None, 0.0, device.peak_w)
        case _:
            return None


def _texts(
    instructor: Instructor,
    plan: ChargerPlan | BatteryPlan | ProducerPlan | AppliancePlan,
    abnormal: bool,
    now: datetime,
) -> list[str]:
    match plan:
        case ChargerPlan():
            return instructor.charger(plan, abnormal, now)
        case BatteryPlan():
            return instructor.battery(plan, abnormal, now)
        case ProducerPlan():
            return instructor.producer(plan, abnormal, now)
        case AppliancePlan():
            return instructor.appliance(plan, abnormal, now)
