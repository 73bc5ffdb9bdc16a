"""A whole house under its manager, in virtual time: the cap is kept, devices follow, and every line is right."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from emulator.cem.house import HouseController, connect
from emulator.cem.plans import GuardSettings
from emulator.cem.ports import GridSignal, LevelSignal, LightState, LimitSignal, PriceSignal
from emulator.day_curves import Place
from emulator.devices import BaseLoadConfig, BatteryConfig, EvConfig, MeterConfig, PvConfig, WasherConfig, WasherState
from emulator.links.s2.memory import MemoryLink
from emulator.links.s2.session import State
from emulator.site import DeviceConfig, Site, SiteConfig

START = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)  # 11:30 in Arnhem
MINUTE = timedelta(minutes=1)
TOLERANCE_W = 200.0
EVSE_ANSWERS_S = 5

HOUSEHOLD = BaseLoadConfig("base load")
PV = PvConfig("pv")
BATTERY = BatteryConfig("battery")
EV = EvConfig("ev", soc=0.45, departure=time(17, 30))
WASHER = WasherConfig("washer", ready_by=time(17, 0))
ALL = (HOUSEHOLD, PV, BATTERY, EV, WASHER)


class Lived:
    """A house lived through second by second; what the meter read is kept."""

    def __init__(self, *devices: DeviceConfig, start: datetime = START, settings: GuardSettings | None = None) -> None:
        config = SiteConfig("house", Place(51.98, 5.91, "Europe/Amsterdam"), 17_250.0, (MeterConfig("meter"), *devices))
        self.site = Site(config, start, seed=1)
        self.controller: HouseController = connect(self.site, settings=settings)
        self.net_w: list[float] = []

    def live(self, minutes: float, each: Callable[[], None] = lambda: None) -> list[float]:
        """Net power of every second of the next minutes."""
        first = len(self.net_w)
        for _ in range(round(minutes * 60)):
            self.site.step(1.0)
            self.net_w.append(self.site.net_w)
            each()
        return self.net_w[first:]

    def signal(self, *signals: GridSignal) -> None:
        self.controller.receive(signals)

    def line(self, device: str) -> str:
        return next((reason.text for reason in self.controller.reasons if reason.device == device), "")


def limit(upper_w: float | None = None, minutes: float = 60.0, begins: float = 2.0, **fields: object) -> LimitSignal:
    start = START + begins * MINUTE
    known = {"source": "e-17", "start": start, "end": start + minutes * MINUTE, "upper_w": upper_w}
    return LimitSignal(**(known | fields))  # type: ignore[arg-type]


def over(net_w: list[float], cap_w: float) -> int:
    """Seconds above a cap and its tolerance."""
    return sum(1 for net in net_w if net > cap_w + TOLERANCE_W)


def test_the_line_of_the_demo_with_its_numbers_right():
    house = Lived(replace(HOUSEHOLD, yearly_wh=14_000_000.0), EV)
    house.signal(limit(7000.0, minutes=58.0))
    house.live(10)
    line = house.line("ev")
    told = re.fullmatch(
        r"EV held at (\d+\.\d) kW: limit 7 kW from event e-17 until 12:30, base load (\d+\.\d) kW, 100 W kept free",
        line,
    )
    assert told is not None, line
    assert float(told[1]) == pytest.approx(house.site.chargers[0].power_w / 1000.0, abs=0.051)
    assert float(told[2]) == pytest.approx(house.site.base_loads[0].power_w / 1000.0, abs=0.1)
    # The margin, a raise not worth making yet, and the rounding of both figures may be missing to the limit.
    assert 6.6 - 1e-9 <= float(told[1]) + float(told[2]) <= 7.1 + 1e-9


@pytest.mark.parametrize("cap_w", [7000.0, 2000.0, -500.0])
def test_a_cap_is_kept_but_for_the_seconds_a_charge_point_takes_to_answer(cap_w: float):
    house = Lived(*ALL)
    house.signal(limit(cap_w, minutes=35.0))
    before = house.live(2)
    during = house.live(35)
    assert house.site.washers[0].elapsed_s > 1740.0, "the washer heated through it"
    assert min(before[60:]) > 8000.0
    assert over(during, cap_w) <= EVSE_ANSWERS_S
    assert over(during[EVSE_ANSWERS_S:], cap_w) == 0
    after = house.live(3)
    assert after[-1] > 8000.0, "released, the car charges fully again"


def test_the_cap_is_not_kept_by_switching_everything_off():
    house = Lived(*ALL)
    house.signal(limit(7000.0, minutes=60.0))
    house.live(2)
    during = house.live(15)
    used = sum(during[60:]) / len(during[60:])
    assert used > 6700.0
    assert house.site.chargers[0].power_w == pytest.approx(11_040.0), "the battery gives, so the car needs not"


def test_a_car_alone_under_a_cap_does_not_hunt():
    house = Lived(HOUSEHOLD, EV)
    house.signal(limit(7000.0, minutes=120.0))
    house.live(3)
    currents: list[float] = []
    house.live(30, lambda: currents.append(house.site.chargers[0].current_a))
    changes = [(a, b) for a, b in zip(currents, currents[1:], strict=False) if a != b]
    raises = [b - a for a, b in changes if b > a]
    assert len(raises) <= 30, "at most one a minute"
    assert all(rise * 3 * 230.0 >= 200.0 - 1e-6 for rise in raises)
    assert min(currents) > 6.0


def test_battery_runs_out_softly_and_the_car_takes_over_the_saving():
    house = Lived(HOUSEHOLD, replace(BATTERY, soc=0.13), EV)
    house.signal(limit(7000.0, minutes=60.0))
    house.live(2)
    during = house.live(30)
    assert over(during, 7000.0) <= EVSE_ANSWERS_S
    assert house.site.batteries[0].soc == pytest.approx(0.10, abs=0.005)
    assert "EV held at" in house.line("ev")


def test_an_emergency_pauses_the_car_and_holds_the_washer_at_its_legal_slot_only():
    house = Lived(*ALL)
    house.live(25)
    washer = house.site.washers[0]
    assert washer.state is WasherState.RUNNING, "it started on the PV surplus"
    heating = washer.phase
    assert heating is not None and heating.name == "heat"
    begins = house.site.now
    house.signal(LevelSignal("e-3", begins, begins + 12 * MINUTE, level=3))
    states: list[tuple[str, str]] = []
    house.live(12, lambda: states.append((washer.state.value, washer.phase.name if washer.phase else "")))
    assert ("paused", "wash") in states
    assert ("paused", "heat") not in states and states[0] == ("running", "heat")
    assert house.controller.light is LightState.RED
    assert house.site.chargers[0].power_w == 0.0
    assert house.line("ev") == "EV paused: emergency level 3 from event e-3 until 12:07"
    assert "Washer is held before its next step" in house.line("washer")
    house.live(2)
    assert washer.state is WasherState.RUNNING
    assert house.controller.light is LightState.GREEN


def test_a_washer_that_must_not_pause_says_so():
    house = Lived(*ALL)
    house.live(15)
    begins = house.site.now
    house.signal(LevelSignal("e-3", begins, begins + 5 * MINUTE, level=3))
    house.live(1)
    assert house.line("washer") == "Washer runs on at 2.1 kW: this step can't be paused before 12:00"


def test_level_2_halves_what_the_house_drew():
    house = Lived(*ALL)
    begins = START + 5 * MINUTE
    house.signal(LevelSignal("e-2", begins, begins + 10 * MINUTE, level=2))
    before = house.live(5)
    during = house.live(9)
    baseline = sum(before) / len(before)
    in_force = house.controller.limit
    assert in_force is not None and in_force.upper_w == pytest.approx(baseline / 2.0, abs=200.0)
    assert in_force.upper_w is not None
    assert over(during, in_force.upper_w) <= EVSE_ANSWERS_S
    assert house.controller.light is LightState.YELLOW


def test_an_export_cap_fills_the_battery_and_then_limits_the_sun():
    noon = datetime(2026, 6, 20, 10, 0, tzinfo=UTC)
    house = Lived(HOUSEHOLD, PV, replace(BATTERY, soc=0.9), start=noon)
    house.live(1)
    cap = LimitSignal("e-5", noon, noon + 120 * MINUTE, lower_w=-1000.0)
    house.signal(cap)
    powers = house.live(60)
    assert min(powers) > -1000.0 - TOLERANCE_W
    assert house.site.batteries[0].soc > 0.94
    assert house.site.plants[0].curtailed_wh > 100.0
    assert re.fullmatch(
        r"PV held at \d\.\d kW: limit -1 kW from event e-5 until 14:00; it could give \d\.\d kW", house.line("pv")
    )
    house.signal()
    house.live(1)
    assert house.site.plants[0].power_w == pytest.approx(house.site.plants[0].available_w)


def test_a_quarter_of_an_hour_of_dear_electricity_makes_the_car_wait_and_no_longer():
    house = Lived(*ALL)
    house.signal(PriceSignal("e-4", START + 2 * MINUTE, START + 17 * MINUTE, price=0.60))
    house.live(4)
    assert house.site.chargers[0].power_w == 0.0
    assert house.line("ev").startswith("EV paused: 0.60 EUR/kWh until 11:47, median of the day 0.30")
    house.live(15)
    assert house.site.chargers[0].power_w == pytest.approx(11_040.0)


def test_the_washer_is_done_in_time_without_any_sun():
    house = Lived(HOUSEHOLD, replace(WASHER, ready_by=time(14, 0)))
    house.live(5)
    assert house.line("washer") == "Washer waits for PV surplus; starts by 11:42 at the latest"
    house.live(8)
    washer = house.site.washers[0]
    assert washer.started_at is not None and washer.started_at == datetime(2026, 11, 20, 10, 42, tzinfo=UTC)
    assert washer.latest_end == washer.started_at + timedelta(seconds=washer.duration_s)


def test_a_car_that_leaves_during_an_event_leaves_the_house_in_order():
    house = Lived(*ALL)
    house.signal(limit(7000.0, minutes=30.0))
    house.live(5)
    house.site.chargers[0].unplug()
    during = house.live(5)
    assert over(during, 7000.0) == 0
    assert house.line("ev") == ""
    house.site.chargers[0].plug(0.5)
    during = house.live(5)
    assert house.site.chargers[0].power_w > 4000.0
    assert over(during[15:], 7000.0) == 0


def test_the_opinion_is_that_of_the_meter():
    house = Lived(*ALL)
    house.live(5)
    asked = limit(7000.0)
    assert house.controller.opinion([asked], house.site.now).opt_in
    long = replace(asked, upper_w=-4000.0)
    opinion = house.controller.opinion([long], house.site.now)
    assert not opinion.opt_in
    assert re.fullmatch(
        r"limit -4 kW can't be kept: must-run consumption is \d+ W, batteries can give 4\.0 kW for so long",
        opinion.text,
    )
    assert house.controller.opinion([replace(long, abnormal=True)], house.site.now).opt_in
    assert house.controller.opinion([replace(long, end=long.start + 30 * MINUTE)], house.site.now).opt_in


def test_without_a_battery_a_limit_under_what_must_run_is_declined():
    house = Lived(HOUSEHOLD, EV)
    house.live(1)
    assert house.controller.opinion([limit(1000.0)], house.site.now).opt_in
    opinion = house.controller.opinion([limit(100.0)], house.site.now)
    assert not opinion.opt_in
    assert re.fullmatch(r"limit 100 W can't be kept: must-run consumption is \d+ W", opinion.text)


def test_a_lost_grid_side_shows_and_its_signals_are_kept():
    house = Lived(HOUSEHOLD, EV)
    house.signal(limit(7000.0, minutes=60.0))
    house.live(3)
    house.controller.lose_grid()
    during = house.live(5)
    assert house.controller.light is LightState.FAILSAFE
    assert over(during, 7000.0) == 0
    house.signal()
    house.live(1)
    assert house.controller.light is LightState.GREEN


def test_a_test_event_moves_nothing():
    house = Lived(HOUSEHOLD, EV)
    house.signal(limit(5000.0, test=True))
    house.live(5)
    assert house.site.chargers[0].power_w == pytest.approx(11_040.0)
    assert (house.controller.light, house.controller.limit) == (LightState.GREEN, None)


def test_the_site_shows_what_its_manager_says():
    house = Lived(*ALL)
    house.signal(limit(7000.0))
    house.live(5)
    snapshot = house.site.snapshot()
    assert snapshot.limit is not None and snapshot.limit.source == "e-17"
    assert snapshot.light is LightState.YELLOW
    assert [reason.device for reason in snapshot.reasons][:2] == ["ev", "battery"]


def test_a_seed_gives_the_same_messages_again():
    def texts() -> list[str]:
        house = Lived(*ALL)
        house.signal(limit(2000.0))
        house.live(4)
        return [message.text for message in house.controller.s2_trace.messages]

    assert texts() == texts()


def test_devices_are_free_again_when_their_manager_leaves():
    house = Lived(*ALL)
    house.signal(limit(2000.0))
    house.live(4)
    assert house.site.chargers[0].power_w < 11_000.0
    house.site.controller = None
    for link in house.controller.links:
        link.from_cem(link.cem.end("the manager leaves", house.site.now), house.site.now)
        assert isinstance(link, MemoryLink) and link.rm.state is State.CLOSED
    house.live(1)
    assert house.site.chargers[0].power_w == pytest.approx(11_040.0)
    assert house.site.batteries[0].setpoint_w is None


@pytest.mark.slow
def test_an_afternoon_with_two_events_keeps_both():
    noon = datetime(2026, 5, 13, 10, 0, tzinfo=UTC)
    hours = lambda h: noon + timedelta(hours=h)  # noqa: E731
    devices = (
        HOUSEHOLD,
        PV,
        BATTERY,
        replace(EV, departure=time(23, 0), soc=0.2),
        replace(WASHER, ready_by=time(20, 0)),
    )
    house = Lived(*devices, start=noon)
    evening = LimitSignal("e-1", hours(5), hours(6), upper_w=2000.0)
    night = LevelSignal("e-2", hours(6.5), hours(7), level=3)
    house.signal(evening, night)
    powers = house.live(8 * 60)
    first = powers[5 * 3600 : 6 * 3600]
    assert over(first, 2000.0) <= 2 * EVSE_ANSWERS_S
    second = powers[round(6.5 * 3600) : 7 * 3600]
    assert over(second, 1500.0) <= 2 * EVSE_ANSWERS_S
    assert house.site.washers[0].state is WasherState.DONE
