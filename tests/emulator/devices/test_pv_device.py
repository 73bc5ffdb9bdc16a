"""PV: follows the sun, obeys a limit gently, keeps telling what there would be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from emulator.day_curves import SunPower
from emulator.devices import CommandRefused, PvConfig, PvPlant
from emulator.physics import pv

SUN = SunPower(pv.Plant(52.1, 5.2, 5.0))
NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)


def plant() -> PvPlant:
    return PvPlant(PvConfig("pv"), SUN)


def run(device: PvPlant, seconds: float, dt_s: float, start: datetime = NOON) -> float:
    """Energy, negative. [Wh]"""
    total = 0.0
    for n in range(int(seconds / dt_s)):
        device.step(start + timedelta(seconds=n * dt_s), dt_s)
        total += device.power_w * dt_s / 3600.0
    return total


def test_a_clear_june_day_gives_30_7_kwh_by_quarter_hours_and_by_minutes():
    midnight = datetime(2026, 6, 21, tzinfo=UTC)
    by_quarters = run(plant(), 86_400.0, 900.0, midnight)
    assert by_quarters == pytest.approx(-30_700.0, abs=100.0)
    assert run(plant(), 86_400.0, 60.0, midnight) == pytest.approx(by_quarters, abs=5.0)


def test_a_limit_is_reached_at_a_tenth_of_the_rating_a_second():
    device = plant()
    run(device, 1.0, 1.0)
    before = device.power_w
    device.set_lower_limit(-1000.0)
    powers = []
    for n in range(10):
        run(device, 1.0, 1.0, NOON + timedelta(seconds=n))
        powers.append(device.power_w)
    assert before < -3700.0
    assert powers[-1] == pytest.approx(-1000.0)
    assert all(later - earlier <= 417.0 for earlier, later in zip([before, *powers], powers, strict=False))


def test_available_power_is_told_and_the_difference_counted_while_it_is_limited():
    device = plant()
    run(device, 1.0, 1.0)
    free = device.available_w
    device.set_lower_limit(-1000.0)
    run(device, 20.0, 1.0)
    device.curtailed_wh = 0.0
    run(device, 600.0, 1.0)
    assert device.limited and device.snapshot().state == "limited"
    assert device.available_w == pytest.approx(free, rel=0.02)
    assert device.curtailed_wh == pytest.approx((-free - 1000.0) / 6.0, rel=0.02)


def test_a_limit_wider_than_the_sun_takes_nothing_away():
    device = plant()
    device.set_lower_limit(-4100.0)
    run(device, 60.0, 1.0, datetime(2026, 6, 21, 7, tzinfo=UTC))
    assert device.power_w == device.available_w
    assert device.snapshot().state == "generating"


def test_released_it_gives_all_there_is_again():
    device = plant()
    device.set_lower_limit(0.0)
    run(device, 20.0, 1.0)
    assert device.power_w == pytest.approx(0.0, abs=1e-6)
    device.set_lower_limit(None)
    run(device, 20.0, 1.0)
    assert device.power_w == pytest.approx(device.available_w)


def test_at_night_it_draws_a_watt():
    device = plant()
    run(device, 60.0, 60.0, datetime(2026, 6, 21, 0, tzinfo=UTC))
    assert (device.power_w, device.snapshot().state) == (1.0, "dark")


def test_a_limit_that_would_have_it_consume_is_refused():
    with pytest.raises(CommandRefused):
        plant().set_lower_limit(5.0)
