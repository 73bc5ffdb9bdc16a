"""Battery: obeys within its limits, ramps, draws a little itself, says how it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from emulator.devices import Battery, BatteryConfig, CommandRefused

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)


def run(battery: Battery, seconds: float, dt_s: float = 1.0) -> float:
    """Energy at the AC side. [Wh]"""
    total = 0.0
    for n in range(int(seconds / dt_s)):
        battery.step(NOON + timedelta(seconds=n * dt_s), dt_s)
        total += battery.power_w * dt_s / 3600.0
    return total


def test_told_nothing_it_rests_and_draws_only_its_converter():
    battery = Battery(BatteryConfig("b"))
    battery.step(NOON, 1.0)
    assert battery.power_w == pytest.approx(10.0)
    assert battery.snapshot().state == "idle"
    assert battery.reason()


def test_it_charges_as_told_and_says_so():
    battery = Battery(BatteryConfig("b"))
    battery.set_power(3000.0)
    run(battery, 10.0)
    assert battery.power_w == pytest.approx(3010.0)
    assert battery.snapshot().state == "charging"
    assert battery.reason() == ""


def test_it_turns_from_full_charge_to_full_discharge_within_two_seconds():
    battery = Battery(BatteryConfig("b"))
    battery.set_power(5000.0)
    run(battery, 3.0)
    battery.set_power(-5000.0)
    powers = []
    for n in range(3):
        battery.step(NOON + timedelta(seconds=n), 1.0)
        powers.append(battery.storage_w)
    assert powers == pytest.approx([2500.0, -2500.0, -5000.0])


def test_no_power_goes_beyond_its_limits_near_the_ends():
    battery = Battery(BatteryConfig("b", soc=0.94))
    assert battery.charge_limit_w == pytest.approx(1000.0)
    battery.set_power(5000.0)
    run(battery, 10.0)
    assert battery.storage_w < 1000.0
    run(battery, 3600.0)
    assert battery.soc <= 0.95
    assert battery.snapshot().state == "full"


def test_an_empty_one_gives_nothing():
    battery = Battery(BatteryConfig("b", soc=0.05))
    battery.set_power(-2000.0)
    run(battery, 5.0)
    assert battery.storage_w == pytest.approx(0.0, abs=1e-6)
    assert battery.snapshot().state == "empty"


@pytest.mark.parametrize("dt_s", [10.0, 900.0])
def test_an_hour_takes_the_same_energy_by_other_steps(dt_s: float):
    seconds, other = Battery(BatteryConfig("b", soc=0.7)), Battery(BatteryConfig("b", soc=0.7))
    for battery in (seconds, other):
        battery.set_power(4000.0)
    assert run(other, 3600.0, dt_s) == pytest.approx(run(seconds, 3600.0), abs=0.05)
    assert other.soc == pytest.approx(seconds.soc, abs=1e-5)


def test_more_than_its_rating_is_refused_and_changes_nothing():
    battery = Battery(BatteryConfig("b"))
    battery.set_power(1000.0)
    with pytest.raises(CommandRefused, match="6000 W is outside"):
        battery.set_power(6000.0)
    assert battery.setpoint_w == 1000.0
