"""A grid side that falls silent, a grid that is gone, and the way back: failsafe, island, staggered reconnection."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from emulator.cem.grid_side import Contact, GridSide, GridSideSettings
from emulator.cem.house import HouseController, connect
from emulator.cem.ports import LightState, LimitSignal
from emulator.day_curves import Place
from emulator.devices import BaseLoadConfig, BatteryConfig, EvConfig, MeterConfig, PvConfig, WasherConfig, WasherState
from emulator.devices.faults import Fault, FaultKind
from emulator.site import DeviceConfig, Site, SiteConfig

START = datetime(2026, 6, 20, 8, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUSEHOLD, PV = BaseLoadConfig("base load"), PvConfig("pv")
BATTERY = BatteryConfig("battery", backup=True)
EV = EvConfig("ev", soc=0.45, departure=time(17, 30))
WASHER = WasherConfig("washer", ready_by=time(23, 0))
ESSENTIAL = ("base load", "pv")


class Lived:
    def __init__(self, *devices: DeviceConfig, seed: int = 1, essential: tuple[str, ...] = ESSENTIAL) -> None:
        config = SiteConfig(
            "house",
            Place(51.98, 5.91, "Europe/Amsterdam"),
            17_250.0,
            (MeterConfig("meter"), *devices),
            essential=essential,
        )
        self.site = Site(config, START, seed=seed)
        self.house: HouseController = connect(self.site, seed=seed)

    def live(self, minutes: float) -> list[float]:
        net: list[float] = []
        for _ in range(round(minutes * 60)):
            self.site.step(1.0)
            net.append(self.site.net_w)
        return net

    def cut(self, minutes: float) -> None:
        now = self.site.now
        self.site.faults.add(Fault(FaultKind.POWER_CUT, "", now, now + minutes * MINUTE))

    def line(self, device: str) -> str:
        return next((reason.text for reason in self.house.reasons if reason.device == device), "")


# Silence


def test_accepted_events_run_to_their_end_and_then_the_failsafe_limit_holds():
    house = Lived(HOUSEHOLD, EV)
    house.house.receive([LimitSignal("e-17", START, START + 10 * MINUTE, upper_w=7000.0)])
    house.live(2)
    house.house.lose_grid()
    before = house.live(7)
    assert max(before) > 6000.0 and house.house.light is LightState.FAILSAFE
    assert "limit 7 kW from event e-17" in house.line("ev")
    house.live(2)
    during = house.live(5)
    assert max(during) <= 4400.0
    assert house.line("ev").startswith("EV paused: failsafe limit 4.2 kW, base load")
    reason = next(one for one in house.house.reasons if one.device == "ev")
    assert (reason.binding, reason.source) == ("limit", "failsafe limit")
    house.house.receive([])
    house.live(2)
    assert house.house.light is LightState.GREEN
    assert house.site.chargers[0].power_w > 10_000.0


def test_two_minutes_without_a_heartbeat_are_a_loss_and_one_alone_does_not_end_a_failsafe():
    side = GridSide(GridSideSettings(failsafe_w=4200.0))
    side.heartbeat(START)
    side.look((), START + 2 * MINUTE)
    assert side.contact is Contact.HEARD
    side.look((), START + 2.1 * MINUTE)
    assert side.contact is Contact.FAILSAFE
    side.heartbeat(START + 3 * MINUTE)
    side.look((), START + 4 * MINUTE)
    assert side.contact is Contact.FAILSAFE, "it has to say something new"
    side.told()
    assert side.contact is Contact.HEARD


def test_a_failsafe_ends_by_time_only_if_the_grid_side_is_heard():
    for heard, ends in ((True, Contact.HEARD), (False, Contact.FAILSAFE)):
        side = GridSide(GridSideSettings(failsafe_w=4200.0))
        side.lose()
        side.look((), START)
        if heard:
            side.heartbeat(START + 119 * MINUTE)
        side.look((), START + 120 * MINUTE)
        assert side.contact is ends


def test_a_grid_side_that_never_had_a_heartbeat_is_not_missed():
    side = GridSide(GridSideSettings(failsafe_w=4200.0))
    side.look((), START + 600 * MINUTE)
    assert side.contact is Contact.HEARD


# An island


def test_what_is_essential_runs_on_in_balance_and_the_rest_is_dark():
    house = Lived(HOUSEHOLD, PV, BATTERY, EV, WASHER)
    house.live(2)
    soc_of_car = house.site.chargers[0].soc
    house.cut(12)
    house.live(1)
    for _ in range(11):
        house.live(1)
        assert house.site.net_w == pytest.approx(0.0, abs=1e-6)
        assert house.site.base_loads[0].power_w > 50.0
        assert house.site.chargers[0].power_w == house.site.washers[0].power_w == 0.0
        assert sum(each.power_w for each in house.site.devices) == pytest.approx(0.0, abs=1e-6)
    assert house.house.light is LightState.FAILSAFE
    assert house.site.chargers[0].soc == pytest.approx(soc_of_car, abs=0.002)
    assert house.house.quality("ev").lost


def test_in_an_island_with_a_full_battery_the_sun_is_cut_to_what_is_used():
    house = Lived(HOUSEHOLD, PV, replace(BATTERY, soc=0.95))
    house.live(1)
    house.cut(20)
    house.live(20)
    assert house.site.island is not None and not house.site.island.collapsed
    assert house.site.plants[0].curtailed_wh > 200.0
    assert house.site.batteries[0].soc <= 0.95 + 1e-9


def test_an_island_whose_battery_is_empty_goes_dark_until_the_grid_is_back():
    house = Lived(replace(HOUSEHOLD, yearly_wh=20_000_000.0), replace(BATTERY, soc=0.10), essential=("base load",))
    house.live(1)
    house.cut(60)
    house.live(30)
    assert house.site.island is not None and house.site.island.collapsed
    assert house.site.batteries[0].soc >= 0.05 - 1e-9
    assert {each.power_w for each in house.site.devices} == {0.0}
    house.live(32)
    assert house.site.island is None
    assert house.site.base_loads[0].power_w > 500.0


def test_without_a_backup_battery_everything_is_dark_and_a_washer_goes_on_where_it_was():
    house = Lived(HOUSEHOLD, replace(BATTERY, backup=False), replace(WASHER, ready_by=time(12, 0)))
    house.live(8)
    washer = house.site.washers[0]
    house.site.washers[0].state = WasherState.RUNNING
    house.live(1)
    elapsed = washer.elapsed_s
    house.cut(5)
    net = house.live(5)
    assert set(net) == {0.0}
    assert washer.elapsed_s == elapsed
    house.live(1)
    assert washer.elapsed_s > elapsed


# The way back


def test_devices_come_back_one_after_another_as_announced():
    house = Lived(HOUSEHOLD, PV, BATTERY, EV, replace(EV, name="second"), WASHER)
    house.live(1)
    house.cut(5)
    house.live(5)
    back = house.site.now
    house.live(0.1)
    announced = house.house.rejoining
    assert {one.device for one in announced} == {"ev", "second", "washer"}
    times = [one.at for one in announced]
    assert back <= times[0] <= back + 300 * timedelta(seconds=1)
    assert all(later - earlier == MINUTE for earlier, later in zip(times, times[1:], strict=False))
    first = next(one for one in announced if one.device == "ev")
    assert "comes back after the power cut at" in house.line("ev") or first.at <= house.site.now
    began: dict[str, datetime] = {}
    for _ in range(600):
        house.live(1 / 60)
        for charger in house.site.chargers:
            if charger.power_w > 1000.0:
                began.setdefault(charger.name, house.site.now)
    for name, at in began.items():
        due = next(one.at for one in announced if one.device == name)
        assert due <= at
    assert set(began) == {"ev", "second"}
    assert abs(began["ev"] - began["second"]) >= timedelta(seconds=30)
    assert house.house.rejoining == ()


def test_two_houses_do_not_come_back_together():
    starts: set[datetime] = set()
    for seed in (1, 2, 3):
        house = Lived(HOUSEHOLD, EV, seed=seed)
        house.cut(1)
        house.live(1.2)
        starts.add(house.house.rejoining[0].at)
    assert len(starts) == 3
