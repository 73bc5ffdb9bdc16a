"""What each signal of rule 104 becomes on the grid port of a house."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from console.app.site_bridge import BASE_PRICE, SiteBridge
from console.openadr.facts import EventChanged, EventStatus, IntervalFact, SignalFact
from emulator.cem.ports import (
    Control,
    ControlSignal,
    DemandSignal,
    EnergySignal,
    GridSignal,
    LevelSignal,
    LimitSignal,
    PriceSignal,
)
from tests.conftest import REPOSITORY

START = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def bridge() -> SiteBridge:
    """A house that has lived for a while, so that it draws something."""
    bridge = SiteBridge(REPOSITORY / "resources" / "sites" / "demo.toml", START, 0)
    bridge.step_to(START + timedelta(seconds=30))
    assert bridge.view().net_w > 1000.0
    return bridge


def event(name: str, kind: str, value: float, unit: str | None = None, duration: timedelta = HOUR) -> EventChanged:
    signal = SignalFact("signal-0", name, kind, unit, (IntervalFact(START, duration, value),))
    return EventChanged(
        "e-1", 0, EventStatus.ACTIVE, "ven-7", "http://example.com/p", START, duration, (signal,), priority=2
    )


def only(signals: list[GridSignal]) -> GridSignal:
    (signal,) = signals
    return signal


@pytest.mark.parametrize(("level", "abnormal"), [(0, False), (1, False), (2, False), (3, True)])
def test_simple_is_a_level_and_its_highest_an_emergency(bridge: SiteBridge, level: int, abnormal: bool):
    signal = only(bridge.signals_of(event("SIMPLE", "level", level)))
    assert isinstance(signal, LevelSignal)
    assert (signal.level, signal.abnormal, signal.priority, signal.source) == (level, abnormal, 2, "e-1")
    assert (signal.start, signal.end) == (START, START + HOUR)


def test_load_dispatch_is_a_cap_absolute_or_against_what_the_house_drew(bridge: SiteBridge):
    drew = bridge.view().net_w
    for kind, value, cap in (
        ("setpoint", 4000.0, 4000.0),
        ("delta", -500.0, drew - 500.0),
        ("multiplier", 0.5, drew / 2),
    ):
        signal = only(bridge.signals_of(event("LOAD_DISPATCH", kind, value, "W")))
        assert isinstance(signal, LimitSignal) and signal.lower_w is None
        assert signal.upper_w == pytest.approx(cap), kind


def test_a_change_counts_from_what_the_house_drew_when_the_event_came():
    bridge = SiteBridge(REPOSITORY / "resources" / "sites" / "demo.toml", START, 0)
    bridge.step_to(START + timedelta(seconds=30))
    drew = bridge.view().net_w
    asked = event("LOAD_DISPATCH", "delta", -6000.0, "W")
    bridge.on_fact(asked, START)
    bridge.step_to(START + timedelta(seconds=120))
    assert bridge.view().net_w < drew - 5000.0, "the house follows"
    signal = only(bridge.signals_of(asked))
    assert isinstance(signal, LimitSignal) and signal.upper_w == pytest.approx(drew - 6000.0)


@pytest.mark.parametrize("name", ["ELECTRICITY_PRICE", "ENERGY_PRICE"])
def test_a_price_is_absolute_or_against_the_base_price(bridge: SiteBridge, name: str):
    for kind, value, price in (
        ("price", 0.42, 0.42),
        ("priceRelative", 0.05, BASE_PRICE + 0.05),
        ("priceMultiplier", 2.0, BASE_PRICE * 2.0),
    ):
        signal = only(bridge.signals_of(event(name, kind, value, "GBP/kWh")))
        assert isinstance(signal, PriceSignal) and signal.currency == "GBP"
        assert signal.price == pytest.approx(price), kind


def test_an_open_ended_event_has_no_end_and_a_foreign_signal_no_meaning(bridge: SiteBridge):
    assert only(bridge.signals_of(event("SIMPLE", "level", 1, duration=timedelta(0)))).end is None
    assert bridge.signals_of(event("x-mine", "level", 1)) == []


def test_energy_is_sampled_as_a_register_and_power_as_a_reading(bridge: SiteBridge):
    samples = {sample.r_id: sample.value for sample in bridge.samples()}
    view = bridge.view()
    assert samples["site:power"] == view.net_w
    assert samples["site:import"] == view.import_wh == pytest.approx(view.net_w * 30.0 / 3600.0, rel=0.1)


def test_stored_energy_device_control_and_a_demand_charge_reach_the_house(bridge: SiteBridge):
    for kind, field in (("setpoint", "wh"), ("delta", "change_wh"), ("multiplier", "share")):
        signal = only(bridge.signals_of(event("CHARGE_STATE", kind, 0.8)))
        assert isinstance(signal, EnergySignal) and getattr(signal, field) == 0.8
    for kind in Control:
        signal = only(bridge.signals_of(event("LOAD_CONTROL", kind.value, 0.6)))
        assert isinstance(signal, ControlSignal) and (signal.control, signal.value) == (kind, 0.6)
    signal = only(bridge.signals_of(event("DEMAND_CHARGE", "price", 9.0, "EUR/kW")))
    assert isinstance(signal, DemandSignal) and (signal.price, signal.currency) == (9.0, "EUR")
    signal = only(bridge.signals_of(event("BID_ENERGY", "setpoint", 2000.0, duration=2 * HOUR)))
    assert isinstance(signal, LimitSignal) and signal.upper_w == 1000.0
    assert bridge.signals_of(event("BID_PRICE", "price", 0.2)) == []


def test_virtual_resources_are_the_sums_of_their_members(bridge: SiteBridge):
    samples = {sample.r_id: sample.value for sample in bridge.samples()}
    offers = {offer.r_id: offer for offer in bridge.offers()}
    assert set(samples) == set(offers)
    powers = {device.name: device.power_w for device in bridge.view().devices}
    assert samples["site:power"] == pytest.approx(sum(powers.values()), abs=1e-6)
    assert samples["storage:power"] == powers["Battery"]
    assert samples["evse-group:power"] == powers["EV"]
    assert samples["flex-load:power"] == powers["EV"] + powers["Washer"]
