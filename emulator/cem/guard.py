"""The guard: keeps the site's net power in its band by rules, every few seconds, without a plan of the day.

Over the cap it goes down a ladder: battery gives, chargers down to their least power, chargers pause, appliances wait
or are held before their next step, and in an emergency chargers stop at once. Under an export cap: battery takes,
chargers up, PV is limited last. With nothing to keep: PV surplus goes to the house, the car, then the battery; the
battery covers the house but not the car; the car charges as its user wants unless electricity is dear.

Where a plan of the day is given, what devices would like to do comes from it instead of from these last rules; bands,
reserves, dwell times and emergencies are kept all the same.

All of it is feed-forward from one measured instant: what the house would draw without batteries and chargers is known,
so what they may draw is too. Pure: `decide(house, band, tariff)` reads no clock, and what must be remembered (the last
commands and when they changed) stays here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from emulator.cem.appliances import ApplianceRules
from emulator.cem.limits import Band
from emulator.cem.plans import (
    BatteryPlan,
    ChargerPlan,
    Decision,
    GuardSettings,
    House,
    ProducerPlan,
    Target,
    Targets,
    Why,
)
from emulator.cem.resources import Battery, Charger, Producer
from emulator.cem.tariff import Tariff, Worth

SECONDS_PER_HOUR = 3600.0
NOTICEABLE_W = 20.0
"""Less than this apart is the same."""


@dataclass(slots=True)
class _Command:
    power_w: float
    changed: datetime
    why: Why


class Guard:
    """The rules and the little they have to remember."""

    def __init__(self, settings: GuardSettings) -> None:
        self._settings = settings
        self._chargers: dict[str, _Command] = {}
        self._producers: dict[str, float | None] = {}
        self._appliances = ApplianceRules(settings)
        self._targets: Targets | None = None

    def decide(self, house: House, band: Band, tariff: Tariff, targets: Targets | None = None) -> Decision:
        """Plans for every device that can be told something; ``targets`` is what the plan of the day has for now."""
        self._targets = targets
        chargers = self._charger_plans(house, band, tariff)
        batteries = self._battery_plans(house, band, tariff)
        over = self._over(house, band, chargers, batteries)
        return Decision(
            margin_w=self._settings.margin_w,
            house=house,
            band=band,
            tariff=tariff,
            chargers=chargers,
            batteries=batteries,
            producers=self._producer_plans(house, band, tariff, batteries),
            appliances=self._appliances.decide(house, band, tariff, over, targets),
            targets=targets,
        )

    def _target(self, device: str) -> Target | None:
        return self._targets.devices.get(device) if self._targets else None

    # Bounds

    def _upper_w(self, band: Band) -> float:
        """Cap on the net power, the connection's own included; infinite where there is none. [W]"""
        bounds = [band.upper.watts] if band.upper else []
        if self._settings.connection_w is not None:
            bounds.append(self._settings.connection_w)
        return min(bounds, default=float("inf"))

    def _lower_w(self, band: Band) -> float:
        bounds = [band.lower.watts] if band.lower else []
        if self._settings.connection_w is not None:
            bounds.append(-self._settings.connection_w)
        return max(bounds, default=float("-inf"))

    def reserve(self, battery: Battery, band: Band) -> float:
        """Level at which the battery stops giving."""
        return battery.floor if band.emergency else max(self._settings.reserve, battery.floor)

    def givable_w(self, battery: Battery, band: Band, sustain: timedelta) -> float:
        """What the battery can be counted on to give for so long. [W, not negative]"""
        if battery.wh_per_level <= 0.0:
            return battery.discharge_w if battery.level > self.reserve(battery, band) else 0.0
        above_wh = battery.above_wh(self.reserve(battery, band))
        return min(battery.discharge_w, above_wh * SECONDS_PER_HOUR / sustain.total_seconds())

    def _over(
        self, house: House, band: Band, chargers: tuple[ChargerPlan, ...], batteries: tuple[BatteryPlan, ...]
    ) -> bool:
        """Whether the cap is still broken when batteries and chargers have done what they can."""
        planned = house.fixed_w + sum(p.power_w for p in chargers) + sum(p.power_w for p in batteries)
        return planned > self._upper_w(band) + self._settings.hysteresis_w

    def _rise_w(self, house: House, ahead: timedelta) -> float:
        """What the profiles of running appliances are about to draw more. [W]"""
        return sum(appliance.rise_w(house.now, ahead, self._settings.period) for appliance in house.appliances)

    # Chargers

    def _charger_plans(self, house: House, band: Band, tariff: Tariff) -> tuple[ChargerPlan, ...]:
        support = sum(self.givable_w(battery, band, self._settings.sustain) for battery in house.batteries)
        # A charger answers late, so it makes room for what an appliance's profile is about to draw.
        rise = self._rise_w(house, self._settings.answer)
        room = self._upper_w(band) - self._settings.margin_w - house.fixed_w - rise + support
        plans: list[ChargerPlan] = []
        for charger in house.chargers:
            plan = self._charger_plan(charger, room, house, band, tariff)
            plans.append(plan)
            # A car near full takes less than it is offered; once that shows, others may have the rest.
            settled = house.now - self._chargers[charger.name].changed > self._settings.dwell if plan.power_w else False
            room -= min(plan.power_w, charger.power_w + self._settings.hysteresis_w) if settled else plan.power_w
        return tuple(plans)

    def _charger_plan(self, charger: Charger, room_w: float, house: House, band: Band, tariff: Tariff) -> ChargerPlan:
        if not charger.plugged:
            self._chargers.pop(charger.name, None)
            return ChargerPlan(charger, 0.0, 0.0, Why.AWAY)
        wanted, why = self._wanted(charger, house, band, tariff)
        device_upper, _ = band.of(charger.name)
        if device_upper is not None and device_upper.watts < wanted:
            wanted, why = device_upper.watts, Why.DEVICE_LIMIT
        power = min(wanted, room_w)
        if room_w < wanted:
            why = Why.LIMIT
        if band.emergency:
            power, why = 0.0, Why.EMERGENCY
        power = power if power >= charger.min_w - 0.5 else 0.0
        command = self._settle(charger.name, power, wanted, why, house.now)
        return ChargerPlan(charger, command.power_w, charger.max_w, command.why)

    def _settle(self, name: str, power: float, wanted: float, why: Why, now: datetime) -> _Command:
        """Cut at once, rise after a while and only if it is worth it."""
        last = self._chargers.get(name)
        if last is not None and 0.0 <= last.power_w - power <= self._settings.margin_w and power > 0.0:
            power = last.power_w  # the margin under the cap takes it
        if last is not None and power > last.power_w:
            worth_it = power - last.power_w >= self._settings.hysteresis_w or power >= wanted
            if now - last.changed < self._settings.dwell or not worth_it:
                held_by = why if why is Why.LIMIT else Why.RISING
                last.why = held_by
                return last
        if last is None or power != last.power_w:
            last = self._chargers[name] = _Command(power, now, why)
        last.why = why
        return last

    def _wanted(self, charger: Charger, house: House, band: Band, tariff: Tariff) -> tuple[float, Why]:
        """What it should be given if no cap held it. [W]"""
        short_of_room = band.lower is not None and house.fixed_w < band.lower.watts
        if short_of_room:
            return charger.max_w, Why.FREE
        target = self._target(charger.name)
        if target is not None:
            return self._as_planned(charger, target, house), Why.PLAN
        if tariff.worth is Worth.DEAR:
            needed, why = self._needed(charger, house.now, tariff.until), Why.PRICE
        elif band.saving is not None:
            needed, why = self._needed(charger, house.now, band.saving.until), Why.SAVING
        else:
            return charger.max_w, Why.FREE
        surplus = min(-house.fixed_w, charger.max_w)
        return (max(needed, surplus if surplus >= charger.min_w else 0.0), why)

    def _as_planned(self, charger: Charger, target: Target, house: House) -> float:
        """The plan's power; where it is the sun's, what the sun gives now. [W]"""
        if target.power_w < charger.min_w / 2.0:
            return 0.0
        wanted = -house.fixed_w if target.binding.kind == "sun" else target.power_w
        return min(max(wanted, charger.min_w), charger.max_w)

    def _needed(self, charger: Charger, now: datetime, until: datetime | None) -> float:
        """Least power until then with which the target is still met afterwards. [W]"""
        if charger.departure is None or charger.target is None or charger.full_rate <= 0.0:
            return charger.min_w
        end = min(until or charger.departure, charger.departure)
        later_s = (charger.departure - end).total_seconds()
        short_s = charger.needs_s - 0.9 * later_s
        if short_s <= 0.0:
            return 0.0
        before_s = max((end - now).total_seconds(), 1.0)
        return min(charger.max_w, max(charger.min_w, charger.max_w * short_s / before_s))

    # Batteries

    def _battery_plans(self, house: House, band: Band, tariff: Tariff) -> tuple[BatteryPlan, ...]:
        others = house.fixed_w + self._expected_w(house)
        desired, why = self._desired(house, tariff)
        half = self._settings.margin_w / 2.0
        rise = self._rise_w(house, self._settings.period)
        total = min(desired, self._upper_w(band) - half - others - rise)
        if total < desired - NOTICEABLE_W and band.upper is not None:
            why = Why.SUPPORT
        if total < self._lower_w(band) + half - others:
            total, why = self._lower_w(band) + half - others, Why.EXPORT
        plans: list[BatteryPlan] = []
        for battery in house.batteries:
            plan = self._battery_plan(battery, total, why, band)
            plans.append(plan)
            total -= plan.power_w
        return tuple(plans)

    def _expected_w(self, house: House) -> float:
        """What chargers draw, or are about to draw after a raise: batteries give room before it is needed. [W]"""
        total = 0.0
        for charger in house.chargers:
            last = self._chargers.get(charger.name)
            rising = last is not None and house.now - last.changed <= self._settings.answer
            total += max(charger.power_w, last.power_w) if last is not None and rising else charger.power_w
        return total

    def _desired(self, house: House, tariff: Tariff) -> tuple[float, Why]:
        """What batteries would do together if there were no cap. [W]"""
        most_in = sum(battery.charge_w for battery in house.batteries)
        charging = self._expected_w(house)
        planned = [target for b in house.batteries if (target := self._target(b.name)) is not None]
        if self._targets is not None and planned and len(planned) == len(house.batteries):
            return self._planned_w(self._targets, planned, house.fixed_w + charging)
        if tariff.worth in (Worth.CHEAP, Worth.NEGATIVE):
            return most_in, Why.PRICE
        if tariff.worth is Worth.DEAR and house.fixed_w + charging > 0.0:
            return -(house.fixed_w + charging), Why.PRICE
        if house.fixed_w >= 0.0:
            return -house.fixed_w, Why.HOUSE
        return max(0.0, -(house.fixed_w + charging)), Why.SURPLUS

    def _planned_w(self, targets: Targets, planned: list[Target], others_w: float) -> tuple[float, Why]:
        """What the plan has batteries do together, the measured house for the forecast one. [W]"""
        power = sum(target.power_w for target in planned)
        balanced = abs(targets.net_w) < self._settings.hysteresis_w and abs(power) > NOTICEABLE_W
        if balanced:  # the plan has them cover the house or take its surplus: they follow what is measured
            return -others_w, Why.HOUSE if others_w > 0.0 else Why.SURPLUS
        surplus = max(0.0, -others_w)
        if power >= -NOTICEABLE_W and surplus > power:
            return surplus, Why.SURPLUS
        if power < 0.0 and targets.net_w > -self._settings.hysteresis_w:
            # the plan sells nothing now: what the house draws less than forecast stays in the battery
            power = min(max(power, -others_w), 0.0)
        return power, Why.PLAN

    def _battery_plan(self, battery: Battery, share_w: float, why: Why, band: Band) -> BatteryPlan:
        # Chargers count on less than the battery may give, so that it covers them while they go down.
        giving = self.givable_w(battery, band, self._settings.answer)
        power = min(max(share_w, -giving), battery.charge_w)
        upper, lower = band.of(battery.name)
        if upper is not None and power > upper.watts:
            power, why = min(power, upper.watts), Why.DEVICE_LIMIT
        if lower is not None and power < lower.watts:
            power, why = max(power, lower.watts), Why.DEVICE_LIMIT
        if share_w < -NOTICEABLE_W and giving < NOTICEABLE_W:
            why = Why.RESERVE
        return BatteryPlan(battery, power, self.reserve(battery, band), why)

    # Producers

    def _producer_plans(
        self, house: House, band: Band, tariff: Tariff, batteries: tuple[BatteryPlan, ...]
    ) -> tuple[ProducerPlan, ...]:
        produced = sum(producer.power_w for producer in house.producers)
        rest = house.fixed_w - produced + house.charging_w + sum(plan.power_w for plan in batteries)
        may_give = self._lower_w(band) + self._settings.margin_w / 2.0 - rest
        plans: list[ProducerPlan] = []
        for producer in house.producers:
            plan = self._producer_plan(producer, may_give, band, tariff)
            plans.append(plan)
            may_give -= producer.power_w if plan.lower_w is None else max(producer.power_w, plan.lower_w)
        return tuple(plans)

    def _producer_plan(self, producer: Producer, may_give_w: float, band: Band, tariff: Tariff) -> ProducerPlan:
        lower, why = (may_give_w, Why.EXPORT) if may_give_w > -producer.most_w else (None, Why.FREE)
        if tariff.worth is Worth.NEGATIVE:
            lower, why = 0.0, Why.PRICE
        _, device_lower = band.of(producer.name)
        if device_lower is not None and device_lower.watts > (-producer.most_w if lower is None else lower):
            lower, why = device_lower.watts, Why.DEVICE_LIMIT
        lower = None if lower is None else min(lower, 0.0)
        lower = self._steady(producer.name, lower)
        return ProducerPlan(producer, lower, why)

    def _steady(self, name: str, lower: float | None) -> float | None:
        """Keep a limit that is a little stricter than needed rather than follow every watt."""
        last = self._producers.get(name)
        if lower is not None and last is not None and 0.0 <= last - lower <= self._settings.margin_w:
            lower = last
        self._producers[name] = lower
        return lower
