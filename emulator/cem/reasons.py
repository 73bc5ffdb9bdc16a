"""Why each device does what it does: one line per device that is held or does something notable.

The numbers are those the decision was made on: what was measured at that instant, and what is commanded from it on.
Times are local, by the tzinfo given.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo

from emulator.cem.grid_side import OWN, RECONNECTION
from emulator.cem.limits import Bound
from emulator.cem.plans import AppliancePlan, BatteryPlan, ChargerPlan, Decision, ProducerPlan, Target, Why
from emulator.cem.ports import Reason
from emulator.cem.tariff import Tariff, Worth

ABBREVIATIONS = frozenset({"ev", "pv", "evse", "chp", "hvac"})

NOTABLE_W = 100.0
"""Flows smaller than this are not told."""


def reasons(decision: Decision, zone: tzinfo) -> tuple[Reason, ...]:
    """One line per device worth one, chargers first."""
    teller = _Teller(decision, zone)
    return tuple(teller.tell())


def watts(power_w: float) -> str:
    """Power for people.

    >>> watts(4137.0), watts(7000.0), watts(73.4)
    ('4.1 kW', '7.0 kW', '73 W')
    """
    return f"{power_w / 1000.0:.1f} kW" if abs(power_w) >= 999.5 else f"{round(power_w)} W"


def limit(power_w: float) -> str:
    """A limit as it was given: no digits it doesn't need.

    >>> limit(7000.0), limit(6500.0), limit(0.0), limit(-1250.0)
    ('7 kW', '6.5 kW', '0 W', '-1.25 kW')
    """
    return f"{round(power_w / 1000.0, 2):g} kW" if abs(power_w) >= 999.5 else f"{round(power_w)} W"


def percent(share: float) -> str:
    """A share for people.

    >>> percent(0.8)
    '80 %'
    """
    return f"{round(share * 100.0)} %"


def called(name: str) -> str:
    """A device's name inside a sentence: what people write small in a file may be an abbreviation.

    >>> called("ev"), called("battery"), called("Carport PV")
    ('EV', 'battery', 'Carport PV')
    """
    return name.upper() if name in ABBREVIATIONS else name


def sentence(text: str) -> str:
    """Begin with a capital letter, whatever the device is called."""
    return text[:1].upper() + text[1:]


class _Teller:
    def __init__(self, decision: Decision, zone: tzinfo) -> None:
        self._decision = decision
        self._house = decision.house
        self._zone = zone

    def tell(self) -> Iterator[Reason]:
        decision = self._decision
        for charger in decision.chargers:
            yield from self._line(charger.device.name, self._charger(charger), charger.why)
        for battery in decision.batteries:
            yield from self._line(battery.device.name, self._battery(battery), battery.why)
        for appliance in decision.appliances:
            yield from self._line(appliance.device.name, self._appliance(appliance), appliance.why)
        for producer in decision.producers:
            yield from self._line(producer.device.name, self._producer(producer), producer.why)

    def _line(self, device: str, text: str, why: Why) -> Iterator[Reason]:
        if text:
            yield Reason(device, sentence(text), *self._because(device, why))

    def _because(self, device: str, why: Why) -> tuple[str, str]:
        """The binding constraint and where it comes from, for machines."""
        band = self._decision.band
        match why:
            case Why.LIMIT | Why.SUPPORT | Why.EXPORT:
                bound = band.lower if why is Why.EXPORT else band.upper
                return "limit", bound.source if bound else "connection"
            case Why.EMERGENCY:
                return why.value, band.emergency.source if band.emergency else ""
            case Why.SAVING:
                return why.value, band.saving.source if band.saving else ""
            case Why.DEVICE_LIMIT:
                upper, lower = band.of(device)
                bound = upper or lower
                return why.value, bound.source if bound else "device"
            case Why.PRICE:
                return why.value, self._decision.tariff.source
            case Why.PLAN:
                target = self._planned(device)
                defaults = {"price": "tariff", "limit": "connection", "user": "user", "comfort": "user"}
                return (
                    (target.binding.kind, target.binding.source or defaults.get(target.binding.kind, "device"))
                    if target
                    else (why.value, "")
                )
            case Why.LATEST | Why.WINDOW:
                return "window", "user"
            case Why.RESERVE | Why.RISING:
                return why.value, "device"
            case Why.HOUSE | Why.SURPLUS:
                return "self-consumption", "rule"
            case _:
                return "", ""

    def _planned(self, device: str) -> Target | None:
        targets = self._decision.targets
        return targets.devices.get(device) if targets else None

    def _plan_cause(self, device: str) -> str:
        """What the plan rests on for a device now, in words."""
        targets, target = self._decision.targets, self._planned(device)
        if targets is None or target is None:
            return "as planned"
        binding = target.binding
        match binding.kind:
            case "limit" | "device limit":
                return f"limit of event {binding.source}" if binding.source else "limit of the grid connection"
            case "target":
                return f"stored energy for event {binding.source}"
            case "user":
                return "what its user wants leaves no other time"
            case "sun":
                return "PV surplus"
            case "comfort":
                return "it would fall below what its user wants"
            case _:
                later = f", {targets.dearest:.2f} to come" if targets.dearest > targets.price + 0.005 else ""
                event = f" from event {binding.source}" if binding.source else ""
                return f"{targets.price:.2f} {targets.currency}/kWh{event}{later}"

    # Words for what holds

    def _clock(self, at: datetime) -> str:
        """Local time of day; with the day where it is another one."""
        local, today = at.astimezone(self._zone), self._house.now.astimezone(self._zone).date()
        return f"{local:%H:%M}" if local.date() == today else f"{local:%d %b %H:%M}"

    def _until(self, at: datetime | None) -> str:
        return f" until {self._clock(at)}" if at is not None else ""

    def _bound(self, bound: Bound) -> str:
        if bound.source == RECONNECTION and bound.until is not None:
            return f"comes back after the power cut at {self._clock(bound.until)}"
        if bound.source in OWN:
            return f"{bound.source} {limit(bound.watts)}{self._until(bound.until)}"
        from_event = f"from event {bound.source}{self._until(bound.until)}"
        if bound.level:
            return f"level {bound.level} {from_event}, which leaves {watts(bound.watts)}"
        return f"limit {limit(bound.watts)} {from_event}"

    def _cap(self) -> str:
        upper = self._decision.band.upper
        return self._bound(upper) if upper else "limit of the grid connection"

    def _emergency(self) -> str:
        bound = self._decision.band.emergency
        if bound is not None and bound.source in OWN:
            return bound.source
        return f"emergency level {bound.level} from event {bound.source}{self._until(bound.until)}" if bound else ""

    def _saving(self) -> str:
        bound = self._decision.band.saving
        return f"level {bound.level} from event {bound.source}{self._until(bound.until)}" if bound else ""

    def _price(self, tariff: Tariff) -> str:
        against = f", median of the day {tariff.reference:.2f}" if tariff.worth is not Worth.NEGATIVE else ""
        return f"{tariff.price:.2f} {tariff.currency}/kWh{self._until(tariff.until)}{against}"

    def _device_bound(self, name: str) -> str:
        upper, lower = self._decision.band.of(name)
        bound = upper or lower
        return self._bound(bound) if bound else ""

    def _rest(self, but: str) -> str:
        """What else flows at the connection point, as commanded where it is commanded."""
        house, decision = self._house, self._decision
        parts = [f"base load {watts(house.base_w)}"] if house.loads else []
        parts += [f"{called(a.name)} {watts(a.power_w)}" for a in house.appliances if a.power_w >= NOTABLE_W]
        parts += [
            f"{called(plan.device.name)} {watts(plan.power_w)}"
            for plan in decision.chargers
            if plan.device.name != but and plan.power_w >= NOTABLE_W
        ]
        parts += [f"{called(p.name)} gives {watts(-p.power_w)}" for p in house.producers if -p.power_w >= NOTABLE_W]
        for plan in decision.batteries:
            if plan.device.name != but and abs(plan.power_w) >= NOTABLE_W:
                verb = "gives" if plan.power_w < 0.0 else "takes"
                parts.append(f"{called(plan.device.name)} {verb} {watts(abs(plan.power_w))}")
        if decision.band.upper is not None and decision.margin_w:
            parts.append(f"{watts(decision.margin_w)} kept free")
        return ", ".join(parts)

    # Devices

    def _charger(self, plan: ChargerPlan) -> str:
        own, name, held = plan.device.name, called(plan.device.name), self._held_at(plan)
        match plan.why:
            case Why.LIMIT:
                return f"{name} {held}: {self._cap()}, {self._rest(own)}"
            case Why.EMERGENCY:
                return f"{name} {held}: {self._emergency()}"
            case Why.DEVICE_LIMIT:
                return f"{name} {held}: {self._device_bound(own)}"
            case Why.PRICE:
                return f"{name} {held}: {self._price(self._decision.tariff)}{self._need(plan)}"
            case Why.SAVING:
                return f"{name} {held}: {self._saving()}{self._need(plan)}"
            case Why.RISING:
                return f"{name} {held}: it rises again when the change has lasted a minute"
            case Why.PLAN:
                if plan.power_w <= 0.0 and plan.device.target is not None and plan.device.needs_s <= 0.0:
                    return f"{name} waits: it has its {percent(plan.device.target)}"
                doing = f"charges with {watts(plan.power_w)}" if plan.power_w > 0.0 else "waits"
                target = self._planned(own)
                until = self._until(target.until) if target else ""
                return f"{name} {doing} as planned{until}: {self._plan_cause(own)}{self._need(plan)}"
            case Why.AWAY:
                return ""
            case _:
                drawn = plan.device.power_w
                return f"{name} charges with {watts(drawn)}: nothing holds it" if drawn >= NOTABLE_W else ""

    def _held_at(self, plan: ChargerPlan) -> str:
        return f"held at {watts(plan.power_w)}" if plan.power_w > 0.0 else "paused"

    def _need(self, plan: ChargerPlan) -> str:
        device = plan.device
        if device.target is None or device.departure is None:
            return ""
        if device.needs_s <= 0.0:
            return f"; it has its {percent(device.target)}"
        hours = device.needs_s / 3600.0
        return f"; it needs {hours:.1f} h for {percent(device.target)} by {self._clock(device.departure)}"

    def _battery(self, plan: BatteryPlan) -> str:
        own, name, power = plan.device.name, called(plan.device.name), plan.power_w
        stops = f"; stops at SoC {percent(plan.reserve)}"
        if plan.why is Why.RESERVE:
            return f"{name} gives nothing: SoC {percent(plan.device.level)} is its reserve"
        if abs(power) < NOTABLE_W:
            return ""
        verb = "gives" if power < 0.0 else "takes"
        told = f"{name} {verb} {watts(abs(power))}"
        match plan.why:
            case Why.SUPPORT if power < 0.0:
                going = [called(c.device.name) for c in self._decision.chargers if c.power_w > 0.0]
                purpose = f"so that the {' and '.join(going)} may go on" if going else "to keep the limit"
                return f"{told} {purpose}{stops}"
            case Why.SUPPORT:
                return f"{told} and no more: {self._cap()}"
            case Why.DEVICE_LIMIT:
                return f"{told}: {self._device_bound(own)}"
            case Why.PLAN:
                target = self._planned(own)
                until = self._until(target.until) if target else ""
                return f"{told} as planned{until}: {self._plan_cause(own)}{stops if power < 0.0 else ''}"
            case Why.PRICE:
                return f"{told}: {self._price(self._decision.tariff)}{stops if power < 0.0 else ''}"
            case Why.EXPORT:
                lower = self._decision.band.lower
                return f"{told}: {self._bound(lower)}" if lower else f"{told}: limit of the grid connection"
            case Why.SURPLUS:
                return f"{told}: PV surplus"
            case _:
                return f"{told}: covers the house{stops}"

    def _appliance(self, plan: AppliancePlan) -> str:
        device, name = plan.device, called(plan.device.name)
        if device.waiting:
            return self._waiting(plan)
        if plan.held:
            following = device.following()
            until = f" until {self._clock(following[1] + following[0].max_pause)} at most" if following else ""
            return f"{name} is held before its next step{until}: {self._cause(plan.why, device.name)}"
        pressed = plan.why in (Why.EMERGENCY, Why.LIMIT, Why.DEVICE_LIMIT)
        notable = self._decision.band.upper is not None and device.power_w >= NOTABLE_W
        if device.running and (pressed or notable):
            return f"{name} runs on at {watts(device.power_w)}: {self._pausable(plan)}"
        return ""

    def _pausable(self, plan: AppliancePlan) -> str:
        following = plan.device.following()
        if following is None or not following[0].max_pause:
            return "what is left of it can't be paused"
        return f"this step can't be paused before {self._clock(following[1])}"

    def _waiting(self, plan: AppliancePlan) -> str:
        device, name = plan.device, called(plan.device.name)
        latest = f"starts by {self._clock(device.latest_start)} at the latest"
        match plan.why:
            case Why.WINDOW:
                return f"{name} waits until {self._clock(device.start)}, as its user set"
            case Why.LATEST:
                return f"{name} starts now: its window closes at {self._clock(device.end)}"
            case Why.PLAN if plan.act.value == "start":
                return f"{name} starts as planned: {self._plan_cause(device.name)}"
            case Why.PLAN:
                target = self._planned(device.name)
                when = f" until {self._clock(target.start)}" if target and target.start else ""
                return f"{name} waits{when} as planned: {self._plan_start(device.name)}; {latest}"
            case Why.SURPLUS if plan.act.value == "start":
                return f"{name} starts: PV gives {watts(self._house.produced_w - self._house.base_w)} to spare"
            case Why.SURPLUS:
                return f"{name} waits for PV surplus; {latest}"
            case Why.PRICE if self._decision.tariff.worth is not Worth.DEAR:
                return f"{name} starts: {self._price(self._decision.tariff)}"
            case _:
                return f"{name} waits: {self._cause(plan.why, device.name)}; {latest}"

    def _plan_start(self, device: str) -> str:
        target = self._planned(device)
        kind = target.binding.kind if target else ""
        return {"sun": "PV surplus then", "price": "cheaper then"}.get(kind, "its window leaves no better time")

    def _cause(self, why: Why, device: str = "") -> str:
        match why:
            case Why.EMERGENCY:
                return self._emergency()
            case Why.PRICE:
                return self._price(self._decision.tariff)
            case Why.SAVING:
                return self._saving()
            case Why.DEVICE_LIMIT:
                return self._device_bound(device)
            case _:
                return self._cap()

    def _producer(self, plan: ProducerPlan) -> str:
        device, name, given = plan.device, called(plan.device.name), -plan.device.power_w
        if plan.lower_w is not None and -plan.lower_w < -device.available_w - 1.0:
            could = f"it could give {watts(-device.available_w)}"
            return f"{name} held at {watts(-plan.lower_w)}: {self._producer_cause(plan)}; {could}"
        if given < NOTABLE_W:
            return ""
        shares = [f"{watts(share)} into {where}" for where, share in self._shares(plan) if share >= NOTABLE_W / 2.0]
        return f"{name} feeds {watts(given)}" + (f": {', '.join(shares)}" if shares else "")

    def _producer_cause(self, plan: ProducerPlan) -> str:
        if plan.why is Why.PRICE:
            return self._price(self._decision.tariff)
        if plan.why is Why.DEVICE_LIMIT:
            return self._device_bound(plan.device.name)
        lower = self._decision.band.lower
        return self._bound(lower) if lower else "limit of the grid connection"

    def _shares(self, plan: ProducerPlan) -> Iterator[tuple[str, float]]:
        """Where the power of one plant goes: house, appliances, cars, batteries, then the grid; as measured."""
        house = self._house
        own = -plan.device.power_w / house.produced_w if house.produced_w > 0.0 else 0.0
        left = house.produced_w
        takers = [("the house", max(house.base_w, 0.0))]
        takers += [(f"the {called(a.name)}", a.power_w) for a in house.appliances]
        takers += [(f"the {called(c.name)}", c.power_w) for c in house.chargers]
        takers += [(f"the {called(b.name)}", b.power_w) for b in house.batteries if b.power_w > 0.0]
        for name, wanted in takers:
            share = min(max(wanted, 0.0), left)
            left -= share
            yield name, share * own
        yield "the grid", left * own
