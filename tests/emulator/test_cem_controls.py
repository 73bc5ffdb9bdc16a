"""Signals of devices and stores, and flexibility, on houses that live: what is asked is done, what is told is so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from emulator.cem.house import HouseController, connect
from emulator.cem.planning import Inline, Planning
from emulator.cem.ports import Control, ControlSignal, DemandSignal, EnergySignal, GridSignal, LimitSignal
from emulator.day_curves import Place
from emulator.devices import BaseLoadConfig, BatteryConfig, EvConfig, MeterConfig, PvConfig, WasherConfig, WasherState
from emulator.site import DeviceConfig, Site, SiteConfig

START = datetime(2026, 6, 20, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUSEHOLD, PV, BATTERY = BaseLoadConfig("base load"), PvConfig("pv"), BatteryConfig("battery")
EV = EvConfig("ev", soc=0.45, departure=time(17, 30))
WASHER = WasherConfig("washer", ready_by=time(18, 0))


class Lived:
    def __init__(self, *devices: DeviceConfig, planned: bool = False, soc: float | None = None) -> None:
        config = SiteConfig("house", Place(51.98, 5.91, "Europe/Amsterdam"), 17_250.0, (MeterConfig("meter"), *devices))
        self.site = Site(config, START, seed=1)
        planning = Planning(Inline(), 17_250.0) if planned else None
        self.house: HouseController = connect(self.site, planning=planning)

    def live(self, minutes: float, step_s: float = 2.5) -> list[float]:
        net: list[float] = []
        for _ in range(round(minutes * 60 / step_s)):
            self.site.step(step_s)
            net.append(self.site.net_w)
        return net

    def signal(self, *signals: GridSignal) -> None:
        self.house.receive(signals)

    def line(self, device: str) -> str:
        return next((reason.text for reason in self.house.reasons if reason.device == device), "")


def control(kind: Control, value: float, minutes: float = 20.0, device_class: str = "") -> ControlSignal:
    return ControlSignal("e-lc", START, START + minutes * MINUTE, control=kind, value=value, device_class=device_class)


def test_a_capacity_of_a_half_halves_every_device_that_can_be_steered():
    house = Lived(HOUSEHOLD, PV, BATTERY, EV)
    house.signal(control(Control.CAPACITY, 0.5))
    house.live(3)
    assert house.site.chargers[0].power_w == pytest.approx(5520.0, abs=5.0)
    assert -house.site.plants[0].power_w <= house.site.plants[0].ac_w / 2.0 + 1.0
    assert abs(house.site.batteries[0].storage_w) <= 2510.0
    assert house.line("ev") == "EV held at 5.5 kW: limit 5.52 kW from event e-lc until 11:20"
    house.live(20)
    assert house.site.chargers[0].power_w > 11_000.0


def test_a_device_class_leaves_the_others_alone():
    house = Lived(HOUSEHOLD, PV, EV)
    house.signal(control(Control.CAPACITY, 0.4, device_class="Smart_Inverter"))
    house.live(3)
    plant = house.site.plants[0]
    assert plant.power_w == pytest.approx(max(-0.4 * plant.ac_w, plant.available_w), abs=5.0)
    assert house.site.chargers[0].power_w > 11_000.0


@pytest.mark.parametrize(("kind", "value"), [(Control.PERCENT, -30.0), (Control.LEVEL, -3.0)])
def test_offsets_count_from_normal(kind: Control, value: float):
    house = Lived(HOUSEHOLD, EV)
    house.signal(control(kind, value))
    house.live(3)
    assert house.site.chargers[0].power_w == pytest.approx(0.7 * 11_040.0, abs=5.0)


def test_a_capacity_under_six_ampere_pauses_a_car_and_nothing_holds_a_washer_step_twice():
    house = Lived(HOUSEHOLD, EV, WASHER)
    house.signal(control(Control.CAPACITY, 0.2, minutes=30.0))
    house.live(5)
    assert house.site.chargers[0].power_w == 0.0
    assert house.site.washers[0].state is WasherState.ARMED
    assert house.line("washer").startswith("Washer waits: limit 411 W from event e-lc until 11:30")


@pytest.mark.parametrize("watts", [2000.0, -1500.0])
def test_a_set_point_is_what_the_battery_does(watts: float):
    house = Lived(HOUSEHOLD, BATTERY)
    house.signal(control(Control.SETPOINT, watts, device_class="Storage"))
    house.live(3)
    assert house.site.batteries[0].storage_w == pytest.approx(watts, abs=20.0)
    assert house.line("battery").endswith("from event e-lc until 11:20")


@pytest.mark.parametrize("planned", [False, True])
def test_what_should_be_stored_is_stored_by_the_end_and_not_given_away_before(planned: bool):
    house = Lived(HOUSEHOLD, replace(BATTERY, soc=0.6), planned=planned)
    house.signal(EnergySignal("e-cs", START, START + 60 * MINUTE, share=0.85))
    house.live(59.9, step_s=5.0)
    assert house.site.batteries[0].soc == pytest.approx(0.85, abs=0.03)


def test_energy_can_be_asked_for_in_watt_hours_and_as_a_change():
    for signal, soc in (
        (EnergySignal("e-cs", START, START + 30 * MINUTE, wh=6650.0), 0.70),
        (EnergySignal("e-cs", START, START + 30 * MINUTE, change_wh=1900.0), 0.70),
    ):
        house = Lived(HOUSEHOLD, BATTERY)
        house.signal(signal)
        house.live(29.9, step_s=5.0)
        assert house.site.batteries[0].soc == pytest.approx(soc, abs=0.03)


def test_a_demand_charge_makes_the_planned_car_slow():
    house = Lived(HOUSEHOLD, EV, planned=True)
    house.signal(DemandSignal("e-peak", START, START + 600 * MINUTE, price=20.0))
    net = house.live(15, step_s=5.0)
    assert max(net[6:]) < 6000.0
    assert house.site.chargers[0].power_w > 4000.0


def test_a_test_event_touches_no_device():
    house = Lived(HOUSEHOLD, BATTERY, EV)
    house.signal(
        replace(control(Control.CAPACITY, 0.0), test=True),
        EnergySignal("t", START, START + MINUTE, share=1.0, test=True),
    )
    house.live(2)
    assert house.site.chargers[0].power_w > 11_000.0
    assert house.site.batteries[0].storage_w < 0.0


# Flexibility and baseline


def test_flexibility_is_the_sum_of_its_devices_never_negative_and_true_when_called():
    house = Lived(HOUSEHOLD, PV, BATTERY, EV, WASHER)
    house.live(3)
    can = house.house.flexibility(house.site.now)
    assert can.up_w == sum(one.up_w for one in can.devices) and can.down_w == sum(one.down_w for one in can.devices)
    assert can.stored_wh == sum(one.stored_wh for one in can.devices)
    assert all(min(one.up_w, one.down_w, one.stored_wh, one.room_wh) >= 0.0 for one in can.devices)
    house = Lived(HOUSEHOLD, PV, BATTERY, EV)
    house.live(3)
    can = house.house.flexibility(house.site.now)
    before = house.site.net_w
    at = house.site.now
    wanted = before - 0.9 * can.up_w
    house.signal(LimitSignal("e-up", at, at + 15 * MINUTE, upper_w=wanted))
    net = house.live(14)
    assert sum(1 for value in net[4:] if value > wanted + 200.0) == 0, "what was offered is delivered for its length"


def test_a_car_that_must_charge_now_offers_nothing():
    house = Lived(HOUSEHOLD, replace(EV, departure=time(13, 10)))
    house.live(2)
    can = house.house.flexibility(house.site.now)
    assert can.up_w < 3000.0
    relaxed = Lived(HOUSEHOLD, EV)
    relaxed.live(2)
    assert relaxed.house.flexibility(relaxed.site.now).up_w == pytest.approx(11_040.0, abs=10.0)


def test_a_short_stretch_asks_less_of_a_small_store_than_a_long_one():
    house = Lived(HOUSEHOLD, replace(BATTERY, capacity_wh=2000.0))
    house.live(1)
    quarter = house.house.flexibility(house.site.now, 15 * MINUTE)
    hours = house.house.flexibility(house.site.now, 240 * MINUTE)
    gives = house.site.batteries[0].power_w
    assert quarter.up_w == pytest.approx(0.40 * 2000.0 * 0.95 / 0.25 + gives, abs=50.0)
    assert hours.up_w == pytest.approx(max(0.40 * 2000.0 * 0.95 / 4.0 + gives, 0.0), abs=20.0)


@pytest.mark.parametrize("planned", [False, True])
def test_the_baseline_is_what_was_known_before_the_event_and_stays(planned: bool):
    house = Lived(HOUSEHOLD, EV, planned=planned)
    before = house.live(5)
    at = house.site.now
    event = LimitSignal("e-17", at + 10 * MINUTE, at + 30 * MINUTE, upper_w=3000.0)
    house.signal(event)
    house.live(1)
    frozen = house.house.baseline("e-17")
    assert frozen is not None and frozen.frozen_at <= at + 5 * timedelta(seconds=1)
    assert frozen.at(at + 15 * MINUTE) == pytest.approx(sum(before[4:]) / len(before[4:]), rel=0.08)
    house.live(20)
    assert house.house.baseline("e-17") is frozen
    deviation = house.site.net_w - frozen.at(house.site.now)
    assert deviation < -7000.0
    assert house.house.baseline("nobody knows") is None
