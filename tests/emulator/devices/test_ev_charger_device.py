"""Charge point and car: five seconds' delay, six ampere at least, departure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from emulator.devices import CommandRefused, EvCharger, EvConfig

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)


def run(charger: EvCharger, seconds: float, dt_s: float = 1.0, start: datetime = NOON) -> list[float]:
    powers = []
    for n in range(int(seconds / dt_s)):
        charger.step(start + timedelta(seconds=n * dt_s), dt_s)
        powers.append(charger.power_w)
    return powers


def test_told_nothing_it_charges_with_all_it_has():
    charger = EvCharger(EvConfig("ev"))
    assert run(charger, 1.0) == pytest.approx([11_040.0])
    assert "no energy manager" in charger.reason()


def test_a_new_current_is_offered_five_seconds_after_it_was_told():
    charger = EvCharger(EvConfig("ev"))
    charger.set_current(10.0)
    assert run(charger, 7.0) == pytest.approx([11_040.0] * 5 + [6_900.0] * 2)


def test_within_one_long_step_the_delay_counts_too():
    charger = EvCharger(EvConfig("ev"))
    charger.set_current(10.0)
    assert run(charger, 60.0, 60.0) == pytest.approx([(5 * 11_040.0 + 55 * 6_900.0) / 60.0])


def test_commands_in_quick_succession_all_arrive_in_their_order():
    charger = EvCharger(EvConfig("ev"))
    powers = []
    for amperes in (10.0, 8.0, 6.0):
        charger.set_current(amperes)
        powers += run(charger, 2.0)
    powers += run(charger, 5.0)
    assert powers == pytest.approx([11_040.0] * 5 + [6_900.0] * 2 + [5_520.0] * 2 + [4_140.0] * 2)


def test_the_pilot_cannot_say_three_ampere():
    charger = EvCharger(EvConfig("ev"))
    with pytest.raises(CommandRefused, match="neither 0 nor in 6 … 16 A"):
        charger.set_current(3.0)
    assert charger.setpoint_a is None


def test_a_power_too_small_for_six_ampere_pauses():
    charger = EvCharger(EvConfig("ev"))
    charger.set_power(4000.0)
    run(charger, 6.0)
    assert charger.power_w == 0.0
    assert charger.snapshot().state == "paused"
    assert charger.wanted_w == pytest.approx(11_040.0)


def test_it_never_draws_more_than_the_power_it_was_told():
    charger = EvCharger(EvConfig("ev"))
    for power in (4140.0, 5000.0, 9999.0, 20_000.0):
        charger.set_power(power)
        run(charger, 6.0)
        assert charger.power_w <= power + 1e-6
    assert charger.power_w == pytest.approx(11_040.0)


def test_a_car_on_one_phase_starts_at_1380_watts():
    charger = EvCharger(EvConfig("ev", phases=1))
    assert (charger.min_w, charger.max_w) == pytest.approx((1380.0, 3680.0))


def test_it_wants_less_near_full_and_nothing_when_full():
    charger = EvCharger(EvConfig("ev", soc=0.92))
    assert charger.wanted_w == pytest.approx(11_040.0 * 0.3679, rel=1e-3)
    run(charger, 6 * 3600.0, 900.0)
    assert charger.full and charger.wanted_w == 0.0
    assert charger.snapshot().state == "full"


def test_the_car_leaves_at_its_departure_within_a_step():
    charger = EvCharger(EvConfig("ev"), departure=NOON + timedelta(minutes=10))
    powers = run(charger, 1800.0, 900.0)
    assert powers == pytest.approx([11_040.0 * 600 / 900, 0.0])
    assert charger.snapshot().state == "away"
    assert charger.snapshot().soc is None


def test_a_car_that_comes_back_charges_with_what_was_last_told():
    charger = EvCharger(EvConfig("ev"))
    charger.set_current(8.0)
    run(charger, 6.0)
    charger.unplug()
    assert run(charger, 1.0) == [0.0]
    charger.plug(soc=0.3, target_soc=0.9)
    assert run(charger, 1.0) == pytest.approx([5_520.0])
    assert charger.target_soc == 0.9


def test_what_is_told_while_no_car_is_there_waits_for_one():
    charger = EvCharger(EvConfig("ev", plugged=False))
    charger.set_current(8.0)
    assert run(charger, 10.0) == [0.0] * 10
    assert charger.current_a == 0.0
    charger.plug(soc=0.3)
    assert run(charger, 1.0) == pytest.approx([5_520.0])
