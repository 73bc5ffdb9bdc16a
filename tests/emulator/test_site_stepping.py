"""Site: everything adds up, steps do not matter, the same seed is the same day, and it goes alone or led."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from emulator.cem.ports import LightState, LimitInForce, Reason, SiteSnapshot
from emulator.day_curves import Place
from emulator.devices import BaseLoadConfig, BatteryConfig, EvConfig, MeterConfig, PvConfig, WasherConfig, WasherState
from emulator.site import Site, SiteConfig, starting_instant

START = datetime(2026, 6, 21, 9, 30, tzinfo=UTC)
CONFIG = SiteConfig(
    name="House",
    place=Place(51.98, 5.91, "Europe/Amsterdam", 30.0),
    connection_w=17_250.0,
    devices=(
        MeterConfig("meter"),
        BaseLoadConfig("household"),
        PvConfig("pv"),
        BatteryConfig("battery"),
        EvConfig("ev", soc=0.45, departure=time(17, 30)),
        WasherConfig("washer", ready_by=time(17, 0)),
    ),
    start=time(11, 30),
)


class Leader:
    """Holds the car at 6 A and charges the battery, and remembers when it was asked."""

    limit = LimitInForce(7_000.0, None, "e-17", None)
    light = LightState.YELLOW
    reasons = (Reason("ev", "EV held at 4.1 kW"),)

    def __init__(self) -> None:
        self.asked: list[datetime] = []

    def control(self, site: Site, now: datetime) -> None:
        self.asked.append(now)
        site.chargers[0].set_current(6.0)
        site.batteries[0].set_power(2_000.0)


def told(snapshot: SiteSnapshot, name: str) -> float:
    return next(device.power_w for device in snapshot.devices if device.name == name)


def test_the_meter_reads_the_sum_of_the_devices_at_every_step():
    site = Site(CONFIG, START, seed=1)
    site.controller = Leader()
    for _ in range(120):
        site.step(1.0)
        snapshot = site.snapshot()
        total = sum(device.power_w for device in snapshot.devices if device.kind != "meter")
        assert total == pytest.approx(snapshot.net_w)
        assert told(snapshot, "meter") == snapshot.net_w
        assert site.imbalance_w() == pytest.approx(0.0)


def test_left_alone_the_car_charges_the_washer_waits_and_the_battery_rests():
    site = Site(CONFIG, START, seed=1)
    site.step_to(START + timedelta(seconds=10))
    snapshot = site.snapshot()
    assert told(snapshot, "ev") == pytest.approx(11_040.0)
    assert told(snapshot, "pv") < -3_000.0
    assert told(snapshot, "battery") == pytest.approx(10.0)
    assert 150.0 < told(snapshot, "household") < 1_500.0
    assert snapshot.light is LightState.GREEN and snapshot.limit is None
    assert {reason.device for reason in snapshot.reasons} == {"ev", "battery", "washer"}


def test_a_controller_is_asked_before_each_step_and_its_words_come_first():
    site = Site(CONFIG, START, seed=1)
    leader = Leader()
    site.controller = leader
    site.step_to(START + timedelta(seconds=8))
    snapshot = site.snapshot()
    assert leader.asked == [START + timedelta(seconds=n) for n in range(8)]
    assert told(snapshot, "ev") == pytest.approx(4_140.0)
    assert told(snapshot, "battery") == pytest.approx(2_010.0)
    assert (snapshot.limit, snapshot.light) == (Leader.limit, LightState.YELLOW)
    assert [reason.text for reason in snapshot.reasons if reason.device == "ev"] == ["EV held at 4.1 kW"]


def test_only_whole_steps_are_made_and_time_never_goes_back():
    site = Site(CONFIG, START, seed=1)
    assert site.step_to(START + timedelta(seconds=2.7)) == 2
    assert site.now == START + timedelta(seconds=2)
    assert site.step_to(START) == 0
    assert site.step_to(START + timedelta(seconds=3)) == 1


def test_the_same_seed_gives_the_same_day():
    first, again, other = (Site(CONFIG, START, seed) for seed in (1, 1, 2))
    for site in (first, again, other):
        site.step_to(START + timedelta(minutes=30), max_step_s=10.0)
    assert first.snapshot() == again.snapshot()
    assert first.snapshot().import_wh != other.snapshot().import_wh


def test_six_hours_take_the_same_energy_by_ten_seconds_and_by_quarter_hours():
    balances = []
    for step_s in (10.0, 900.0):
        site = Site(CONFIG, START, seed=1)
        site.step_to(START + timedelta(hours=6), max_step_s=step_s)
        snapshot = site.snapshot()
        balances.append(snapshot.import_wh - snapshot.export_wh)
        assert site.washers[0].state is WasherState.DONE
        assert site.washers[0].finished_at == datetime(2026, 6, 21, 15, tzinfo=UTC)  # 17:00 local
        assert not site.chargers[0].plugged
    assert balances[1] == pytest.approx(balances[0], rel=1e-4)


def test_times_of_day_are_the_next_local_ones():
    site = Site(CONFIG, datetime(2026, 6, 21, 16, tzinfo=UTC), seed=1)  # 18:00 local
    assert site.chargers[0].departure == datetime(2026, 6, 22, 15, 30, tzinfo=UTC)
    assert site.washers[0].latest_end == datetime(2026, 6, 22, 15, 0, tzinfo=UTC)


def test_a_time_of_day_after_the_clocks_change_is_the_one_clocks_show():
    site = Site(CONFIG, datetime(2026, 10, 24, 16, tzinfo=UTC), seed=1)  # summer time ends that night
    assert site.chargers[0].departure == datetime(2026, 10, 25, 16, 30, tzinfo=UTC)


def test_a_site_starts_when_asked_or_when_its_file_says_or_now():
    wall = datetime(2026, 6, 21, 22, 30, tzinfo=UTC)  # already the 22nd there
    assert starting_instant(CONFIG, wall) == datetime(2026, 6, 22, 9, 30, tzinfo=UTC)
    assert starting_instant(CONFIG, wall, time(18, 0)) == datetime(2026, 6, 22, 16, 0, tzinfo=UTC)
    assert starting_instant(replace(CONFIG, start=None), wall) == wall


def test_a_device_is_found_by_its_name():
    site = Site(CONFIG, START, seed=1)
    assert site.device("washer") is site.washers[0]
    assert site.device("meter") is site.meter
    with pytest.raises(KeyError):
        site.device("sauna")
