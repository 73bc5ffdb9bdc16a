"""The guard's ladder, rule by rule, on houses made by hand: what is decided, what it says, and what it does not do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from s2python.generated import gen_s2 as g

from emulator.cem.guard import Guard
from emulator.cem.limits import Band, Bound
from emulator.cem.planner_problem import Binding
from emulator.cem.plans import Act, Decision, GuardSettings, House, Target, Targets, Why
from emulator.cem.reasons import reasons
from emulator.cem.resources import Appliance, Battery, Charger, Load, Mode, Producer, Step
from emulator.cem.tariff import Tariff, Worth

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
UNTIL = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)
STATUS = g.PPBCPowerSequenceStatus
FREE = Band()
USUAL = Tariff(Worth.USUAL)
DEAR = Tariff(Worth.DEAR, 0.60, 0.30, "EUR", "e-4", UNTIL)
NEGATIVE = Tariff(Worth.NEGATIVE, -0.05, 0.30, "EUR", "e-4", UNTIL)


def cap(watts: float) -> Band:
    return Band(upper=Bound(watts, "e-17", UNTIL))


def base(watts: float) -> Load:
    return Load("base load", watts)


def car(power_w: float = 11_040.0, **fields: object) -> Charger:
    rate = 0.00005
    known: dict[str, object] = {
        "name": "ev",
        "power_w": power_w,
        "plugged": True,
        "min_w": 4140.0,
        "max_w": 11_040.0,
        "level": 0.5,
        "target": 0.8,
        "departure": NOON + timedelta(hours=8),
        "full_rate": rate,
        "modes": (Mode("a", "off", 0.0, 0.0, 0.0, 0.0), Mode("a", "charge", 4140.0, 11_040.0, 0.0, rate)),
    }
    return Charger(**(known | fields))  # type: ignore[arg-type]


def store(power_w: float = 0.0, **fields: object) -> Battery:
    known: dict[str, object] = {
        "name": "battery",
        "power_w": power_w,
        "level": 0.5,
        "floor": 0.05,
        "charge_w": 5000.0,
        "discharge_w": 5000.0,
        "wh_per_level": 9500.0,
        "modes": (Mode("b", "give", -5000.0, 0.0, -0.0001, 0.0), Mode("b", "take", 0.0, 5000.0, 0.0, 0.0001)),
    }
    return Battery(**(known | fields))  # type: ignore[arg-type]


def sun(power_w: float, **fields: object) -> Producer:
    known: dict[str, object] = {
        "name": "pv",
        "power_w": power_w,
        "most_w": 4000.0,
        "available_w": power_w,
        "constraints_id": "c",
        "quantity": g.CommodityQuantity.ELECTRIC_POWER_L1,
    }
    return Producer(**(known | fields))  # type: ignore[arg-type]


def washer(
    power_w: float = 1.0, first: g.PPBCPowerSequenceStatus = STATUS.NOT_SCHEDULED, into_s: float = 0.0
) -> Appliance:
    minutes = timedelta(minutes=1)
    heat = Step("c1", "s1", ((8 * minutes, 73.0), (21 * minutes, 2056.0)), timedelta(0), first, into_s * SECOND)
    rinse = Step("c2", "s2", ((10 * minutes, 250.0),), 10 * minutes, STATUS.NOT_SCHEDULED, timedelta(0))
    return Appliance("washer", power_w, "p", NOON - timedelta(hours=1), NOON + timedelta(hours=6), (heat, rinse), NOON)


def house(*devices: object, now: datetime = NOON, net_w: float | None = None) -> House:
    powers = [d.power_w for d in devices if isinstance(d, Load | Producer | Battery | Charger | Appliance)]
    return House(
        now=now,
        net_w=sum(powers) if net_w is None else net_w,
        loads=tuple(d for d in devices if isinstance(d, Load)),
        producers=tuple(d for d in devices if isinstance(d, Producer)),
        batteries=tuple(d for d in devices if isinstance(d, Battery)),
        chargers=tuple(d for d in devices if isinstance(d, Charger)),
        appliances=tuple(d for d in devices if isinstance(d, Appliance)),
    )


def guard(**settings: object) -> Guard:
    return Guard(GuardSettings(margin_w=0.0, **settings))  # type: ignore[arg-type]


def lines(decision: Decision) -> dict[str, str]:
    return {reason.device: reason.text for reason in reasons(decision, ZoneInfo("UTC"))}


# Under a cap


def test_the_car_gives_way_to_the_base_load_and_the_line_says_so():
    decision = guard().decide(house(base(2900.0), car()), cap(7000.0), USUAL)
    assert decision.chargers[0].power_w == 0.0, "4.1 kW is just under the car's least power of 4.14 kW"
    decision = guard().decide(house(base(2850.0), car()), cap(7000.0), USUAL)
    assert decision.chargers[0].power_w == 4150.0
    assert lines(decision)["ev"] == "EV held at 4.2 kW: limit 7 kW from event e-17 until 12:30, base load 2.9 kW"


def test_the_line_of_a_car_with_a_lower_least_power():
    one_phase = car(min_w=1380.0)
    decision = guard().decide(house(base(2900.0), one_phase), cap(7000.0), USUAL)
    assert lines(decision)["ev"] == "EV held at 4.1 kW: limit 7 kW from event e-17 until 12:30, base load 2.9 kW"


def test_the_battery_gives_before_the_car_has_to():
    decision = guard().decide(house(base(600.0), car(), store()), cap(10_040.0), USUAL)
    assert (decision.chargers[0].power_w, decision.batteries[0].power_w) == (11_040.0, -1600.0)
    assert lines(decision)["battery"] == "Battery gives 1.6 kW so that the EV may go on; stops at SoC 10 %"


def test_when_the_battery_is_not_enough_the_car_goes_down_too():
    decision = guard().decide(house(base(600.0), car(), store()), cap(3000.0), USUAL)
    assert decision.chargers[0].power_w == 3000.0 - 600.0 + 5000.0
    told = "EV held at 7.4 kW: limit 3 kW from event e-17 until 12:30, base load 600 W, battery gives 5.0 kW"
    assert lines(decision)["ev"] == told


def test_a_battery_at_its_reserve_gives_nothing():
    empty = store(level=0.10)
    decision = guard().decide(house(base(600.0), car(), empty), cap(7000.0), USUAL)
    assert decision.batteries[0].power_w == 0.0
    assert decision.batteries[0].why is Why.RESERVE
    assert decision.chargers[0].power_w == 6400.0
    assert lines(decision)["battery"] == "Battery gives nothing: SoC 10 % is its reserve"


def test_a_battery_near_its_reserve_is_not_counted_on_for_long():
    nearly = store(level=0.101)  # 9.5 Wh above the reserve: 570 W for a minute, 2280 W for a quarter of it
    decision = guard().decide(house(base(600.0), car(), nearly), cap(7000.0), USUAL)
    assert round(decision.chargers[0].power_w) == 6400 + 570
    assert round(decision.batteries[0].power_w) == -2280


def test_under_six_ampere_the_car_pauses():
    decision = guard().decide(house(base(3000.0), car()), cap(7000.0), USUAL)
    assert decision.chargers[0].power_w == 0.0
    assert lines(decision)["ev"].startswith("EV paused: limit 7 kW from event e-17")


def test_what_the_car_still_draws_is_taken_by_the_battery():
    ask = guard()
    ask.decide(house(base(600.0), car(), store(-5000.0)), cap(3000.0), USUAL)
    decision = ask.decide(house(base(2600.0), car(7400.0), store(-3000.0), now=NOON + 5 * SECOND), cap(3000.0), USUAL)
    assert decision.chargers[0].power_w == 5400.0
    assert decision.batteries[0].power_w == -5000.0


def test_the_connection_itself_is_a_cap_without_being_an_event():
    decision = guard(connection_w=10_000.0).decide(house(base(2000.0), car()), FREE, USUAL)
    assert decision.chargers[0].power_w == 8000.0
    assert "limit of the grid connection" in lines(decision)["ev"]
    assert decision.band.in_force is None


def test_a_limit_for_the_car_alone():
    band = Band(devices=(("ev", Bound(6000.0, "e-9", UNTIL), None),))
    decision = guard().decide(house(base(600.0), car()), band, USUAL)
    assert decision.chargers[0].power_w == 6000.0
    assert lines(decision)["ev"] == "EV held at 6.0 kW: limit 6 kW from event e-9 until 12:30"


def test_two_cars_share_what_there_is_in_order():
    decision = guard().decide(house(base(1000.0), car(), car(name="second")), cap(17_000.0), USUAL)
    assert [plan.power_w for plan in decision.chargers] == [11_040.0, 4960.0]


# Going up again


def test_a_car_is_cut_at_once_and_raised_after_a_dwell_only_if_it_is_worth_it():
    ask = guard()
    at = lambda seconds, load: ask.decide(  # noqa: E731
        house(base(load), car(), now=NOON + seconds * SECOND), cap(7000.0), USUAL
    ).chargers[0].power_w  # fmt: skip
    assert at(0, 600.0) == 6400.0
    assert at(5, 1000.0) == 6000.0, "cut at once"
    assert at(60, 600.0) == 6000.0, "55 s after the cut"
    assert at(65, 900.0) == 6000.0, "100 W are not worth it"
    assert at(70, 600.0) == 6400.0
    assert at(75, 300.0) == 6400.0, "5 s after the raise"


def test_a_freed_car_says_why_it_still_waits():
    ask = guard()
    ask.decide(house(base(3000.0), car()), cap(7000.0), USUAL)
    decision = ask.decide(house(base(3000.0), car(0.0), now=NOON + 5 * SECOND), FREE, USUAL)
    assert (decision.chargers[0].power_w, decision.chargers[0].why) == (0.0, Why.RISING)
    decision = ask.decide(house(base(3000.0), car(0.0), now=NOON + 60 * SECOND), FREE, USUAL)
    assert (decision.chargers[0].power_w, decision.chargers[0].why) == (11_040.0, Why.FREE)


def test_small_changes_within_the_margin_do_not_cut():
    ask = Guard(GuardSettings(margin_w=100.0))
    first = ask.decide(house(base(600.0), car()), cap(7000.0), USUAL).chargers[0].power_w
    again = ask.decide(house(base(690.0), car(), now=NOON + 5 * SECOND), cap(7000.0), USUAL).chargers[0].power_w
    cut = ask.decide(house(base(710.0), car(), now=NOON + 10 * SECOND), cap(7000.0), USUAL).chargers[0].power_w
    assert (first, again, cut) == (6300.0, 6300.0, 6190.0)


def test_while_a_car_rises_the_battery_makes_room_ahead():
    ask = guard()
    ask.decide(house(base(3000.0), car()), cap(3000.0), USUAL)
    later = NOON + 120 * SECOND
    decision = ask.decide(house(base(500.0), car(0.0), store(), now=later), cap(3000.0), USUAL)
    raised = decision.chargers[0].power_w
    assert raised == 7500.0
    assert decision.batteries[0].power_w == -5000.0, "though the car draws nothing yet"
    settled = ask.decide(house(base(500.0), car(0.0), store(), now=later + 20 * SECOND), cap(3000.0), USUAL)
    assert settled.batteries[0].power_w == -500.0, "the car does not take it, so the battery covers the house only"


# Emergency


def test_an_emergency_stops_the_car_and_may_use_the_reserve():
    bound = Bound(600.0, "e-3", UNTIL, level=3)
    band = Band(upper=bound, emergency=bound, abnormal=True)
    decision = guard().decide(house(base(600.0), car(), store(level=0.10)), band, USUAL)
    assert decision.chargers[0].power_w == 0.0
    assert decision.batteries[0].reserve == 0.05
    assert decision.batteries[0].power_w < -5000.0 + 1.0
    assert lines(decision)["ev"] == "EV paused: emergency level 3 from event e-3 until 12:30"


# Without a cap


def test_the_battery_covers_the_house_but_not_the_car():
    decision = guard().decide(house(base(600.0), car(), store()), FREE, USUAL)
    assert (decision.chargers[0].power_w, decision.batteries[0].power_w) == (11_040.0, -600.0)


def test_sun_goes_to_the_house_then_the_car_then_the_battery_then_the_grid():
    small = car(2000.0, min_w=1380.0, max_w=2000.0)
    decision = guard().decide(house(base(500.0), sun(-3600.0), small, store(1100.0)), FREE, USUAL)
    assert decision.batteries[0].power_w == 1100.0
    told = "PV feeds 3.6 kW: 500 W into the house, 2.0 kW into the EV, 1.1 kW into the battery"
    assert lines(decision)["pv"] == told
    full = store(0.0, charge_w=0.0)
    decision = guard().decide(house(base(500.0), sun(-3600.0), full), FREE, USUAL)
    assert lines(decision)["pv"] == "PV feeds 3.6 kW: 500 W into the house, 3.1 kW into the grid"


def test_an_unmetered_load_is_seen_at_the_meter():
    decision = guard().decide(house(base(600.0), store(), net_w=900.0), FREE, USUAL)
    assert decision.batteries[0].power_w == -900.0


# Price


def test_dear_electricity_waits_for_later_if_there_is_a_later():
    decision = guard().decide(house(base(600.0), car(), store()), FREE, DEAR)
    assert decision.chargers[0].power_w == 0.0
    told = "EV paused: 0.60 EUR/kWh until 12:30, median of the day 0.30; it needs 1.7 h for 80 % by 20:00"
    assert lines(decision)["ev"] == told
    assert decision.batteries[0].power_w == -5000.0, "what the car still draws is dear too"


def test_dear_electricity_is_taken_as_far_as_the_departure_needs_it():
    hurried = car(departure=NOON + timedelta(hours=1.75))  # 6000 s at full power, 4500 s of them after 12:30
    decision = guard().decide(house(base(600.0), hurried), FREE, DEAR)
    needed = 11_040.0 * (6000.0 - 0.9 * 4500.0) / 1800.0
    assert decision.chargers[0].power_w == min(needed, 11_040.0) == 11_040.0
    relaxed = car(departure=NOON + timedelta(hours=2.2))
    decision = guard().decide(house(base(600.0), relaxed), FREE, DEAR)
    assert round(decision.chargers[0].power_w) == round(max(4140.0, 11_040.0 * (6000.0 - 0.9 * 6120.0) / 1800.0))


def test_negative_prices_fill_the_battery_and_stop_the_sun():
    decision = guard().decide(house(base(600.0), sun(-3000.0), store()), FREE, NEGATIVE)
    assert decision.batteries[0].power_w == 5000.0
    assert decision.producers[0].lower_w == 0.0
    assert lines(decision)["pv"] == "PV held at 0 W: -0.05 EUR/kWh until 12:30; it could give 3.0 kW"


# Export


def test_under_an_export_cap_the_battery_takes_before_the_sun_is_limited():
    band = Band(lower=Bound(-1000.0, "e-5", UNTIL))
    decision = guard().decide(house(base(500.0), sun(-3600.0), store()), band, USUAL)
    assert (decision.batteries[0].power_w, decision.producers[0].lower_w) == (3100.0, None)
    nearly_full = store(charge_w=250.0)
    decision = guard().decide(house(base(500.0), sun(-3600.0), nearly_full), band, USUAL)
    assert (decision.batteries[0].power_w, decision.producers[0].lower_w) == (250.0, -1750.0)
    told = "PV held at 1.8 kW: limit -1 kW from event e-5 until 12:30; it could give 3.6 kW"
    assert lines(decision)["pv"] == told


def test_a_lower_bound_above_the_house_makes_the_car_draw_even_if_it_is_dear():
    band = Band(lower=Bound(5000.0, "e-5", UNTIL))
    decision = guard().decide(house(base(500.0), car(0.0)), band, DEAR)
    assert decision.chargers[0].power_w == 11_040.0


# Appliances


def act(decision: Decision) -> tuple[Act, Why]:
    return decision.appliances[0].act, decision.appliances[0].why


def test_the_washer_starts_on_a_surplus_that_lasts():
    ask = guard()
    sunny = lambda s: house(base(500.0), sun(-2000.0), washer(), now=NOON + s * SECOND)  # noqa: E731
    decision = ask.decide(sunny(0), FREE, USUAL)
    assert act(decision) == (Act.NOTHING, Why.SURPLUS)
    assert lines(decision)["washer"] == "Washer waits for PV surplus; starts by 17:21 at the latest"
    assert act(ask.decide(sunny(55), FREE, USUAL)) == (Act.NOTHING, Why.SURPLUS)
    decision = ask.decide(sunny(60), FREE, USUAL)
    assert act(decision) == (Act.START, Why.SURPLUS)
    assert lines(decision)["washer"] == "Washer starts: PV gives 1.5 kW to spare"
    assert act(ask.decide(sunny(65), FREE, USUAL)) == (Act.NOTHING, Why.SURPLUS), "told once"


def test_a_cloud_starts_the_waiting_anew():
    ask = guard()
    for seconds, power in ((0, -2000.0), (30, -1000.0), (35, -2000.0)):
        ask.decide(house(base(500.0), sun(power), washer(), now=NOON + seconds * SECOND), FREE, USUAL)
    decision = ask.decide(house(base(500.0), sun(-2000.0), washer(), now=NOON + 60 * SECOND), FREE, USUAL)
    assert act(decision) == (Act.NOTHING, Why.SURPLUS)


def test_the_washer_starts_at_its_latest_start_even_under_a_cap():
    late = replace(washer(), end=NOON + timedelta(minutes=39))
    decision = guard().decide(house(base(500.0), late), cap(500.0), USUAL)
    assert act(decision) == (Act.START, Why.LATEST)


def test_the_washer_waits_under_a_cap_that_has_no_room_for_it():
    decision = guard().decide(house(base(500.0), sun(-2000.0), washer()), cap(500.0), USUAL)
    assert act(decision) == (Act.NOTHING, Why.LIMIT)
    told = "Washer waits: limit 500 W from event e-17 until 12:30; starts by 17:21 at the latest"
    assert lines(decision)["washer"] == told


def test_a_running_washer_is_held_before_its_next_step_only_when_it_is_near_and_the_excess_lasts():
    ask = guard()
    at = lambda s: house(  # noqa: E731
        base(500.0), washer(2056.0, STATUS.EXECUTING, into_s=29 * 60 - 50 + s), now=NOON + s * SECOND
    )  # fmt: skip
    decisions = [ask.decide(replace_told(at(s)), cap(500.0), USUAL) for s in (0, 25, 30, 35)]
    assert [act(one)[0] for one in decisions] == [Act.NOTHING, Act.NOTHING, Act.HOLD, Act.NOTHING]
    told = "Washer is held before its next step until 12:10 at most: limit 500 W from event e-17 until 12:30"
    assert lines(decisions[2])["washer"] == told
    assert act(ask.decide(replace_told(at(40)), FREE, USUAL)) == (Act.RELEASE, Why.FREE)


def replace_told(one: House) -> House:
    """The status of the steps as told at the house's own instant."""
    return replace(one, appliances=tuple(replace(appliance, told_at=one.now) for appliance in one.appliances))


def test_a_washer_far_from_its_next_step_runs_on_and_says_until_when():
    busy = washer(2056.0, STATUS.EXECUTING, into_s=600.0)
    decision = guard().decide(house(base(500.0), busy), cap(500.0), USUAL)
    assert act(decision)[0] is Act.NOTHING
    assert lines(decision)["washer"] == "Washer runs on at 2.1 kW: this step can't be paused before 12:19"


def test_the_car_makes_room_before_the_washer_heats():
    filling = washer(73.0, STATUS.EXECUTING, into_s=8 * 60 - 10.0)
    decision = guard().decide(house(base(527.0), car(), filling), cap(10_000.0), USUAL)
    assert decision.chargers[0].power_w == 10_000.0 - 600.0 - (2056.0 - 73.0)
    heating = washer(2056.0, STATUS.EXECUTING, into_s=8 * 60 + 2.0)
    decision = guard().decide(house(base(527.0), car(), heating), cap(10_000.0), USUAL)
    assert round(decision.chargers[0].power_w) == 10_000 - 527 - 2056, "counted once it shows, not twice"


# Following a plan


def planned(device: str, power_w: float, net_w: float, kind: str = "price") -> Targets:
    return Targets(0.30, "EUR", 0.45, net_w, {device: Target(power_w, Binding(kind, "e-p"), UNTIL)})


def battery_power(base_w: float, targets: Targets) -> float:
    return guard().decide(house(base(base_w), store()), FREE, USUAL, targets).batteries[0].power_w


def test_a_planned_discharge_covers_what_is_drawn_and_sells_only_what_was_to_be_sold():
    assert battery_power(4000.0, planned("battery", -3000.0, 1000.0)) == -3000.0
    assert battery_power(1000.0, planned("battery", -3000.0, 1000.0)) == -1000.0, "the house draws less than forecast"
    assert battery_power(1000.0, planned("battery", -3000.0, -2000.0)) == -3000.0, "the plan sells"


def test_a_planned_charge_comes_from_the_grid_and_a_balanced_house_follows_the_meter():
    assert battery_power(1000.0, planned("battery", 2500.0, 3500.0)) == 2500.0
    assert battery_power(1000.0, planned("battery", -1500.0, 0.0)) == -1000.0
    assert battery_power(1000.0, planned("battery", 0.0, 1000.0)) == 0.0, "kept for a dearer hour"


def test_a_plan_never_lifts_a_cap():
    decision = guard().decide(house(base(600.0), car()), cap(7000.0), USUAL, planned("ev", 11_040.0, 11_640.0))
    assert (decision.chargers[0].power_w, decision.chargers[0].why) == (6400.0, Why.LIMIT)
    reason = next(iter(reasons(decision, ZoneInfo("UTC"))))
    assert (reason.binding, reason.source) == ("limit", "e-17")
