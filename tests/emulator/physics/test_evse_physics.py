"""Car at a charge point: published charging times, the 6 A minimum, and steps that do not matter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from emulator.physics import evse
from emulator.physics.evse import Car

FULL_W = 11_040.0


def minutes_until(target: float, soc: float) -> int:
    for minute in range(1, 2000):
        soc = float(evse.charge(soc, FULL_W, 60.0, Car(), FULL_W).soc)
        if soc >= target - 1e-9:
            return minute
    raise AssertionError("never charged")


def test_eleven_kilowatts_take_145_minutes_from_40_to_80_percent():
    assert minutes_until(0.8, 0.4) == 145


def test_the_rest_to_99_9_percent_takes_184_minutes():
    assert minutes_until(0.999, 0.8) == pytest.approx(184, abs=2)


@given(st.floats(0.0, 1.0), st.floats(0.0, 12_000.0))
def test_a_quarter_hour_is_the_same_in_one_step_or_in_seconds(soc: float, offer_w: float):
    whole = evse.charge(soc, offer_w, 900.0, Car(), FULL_W)
    state, energy = soc, 0.0
    for _ in range(90):
        after = evse.charge(state, offer_w, 10.0, Car(), FULL_W)
        state = float(after.soc)
        energy += float(after.energy_wh)
    assert state == pytest.approx(float(whole.soc), abs=1e-9)
    assert energy == pytest.approx(float(whole.energy_wh), abs=1e-4)


@pytest.mark.parametrize(("soc", "offer_w"), [(0.79, FULL_W), (0.85, 5_000.0), (0.95, 4_140.0), (0.99, FULL_W)])
def test_the_closed_form_solves_the_differential_equation(soc: float, offer_w: float):
    def rate(_time: float, state: np.ndarray) -> list[float]:
        drawn = min(offer_w, FULL_W * float(evse.taper(state[0], Car())))
        return [drawn * 0.9 / (60_000.0 * 3600.0)]

    seconds = 600.0
    solved = solve_ivp(rate, (0.0, seconds), [soc], rtol=1e-9, atol=1e-12, max_step=2.0)
    assert float(evse.charge(soc, offer_w, seconds, Car(), FULL_W).soc) == pytest.approx(solved.y[0, -1], abs=1e-7)


def test_a_floor_under_the_taper_goes_on_until_full_and_not_beyond():
    car = Car(cv_scale=0.03)  # at the floor from 89 %
    after = evse.charge(0.95, FULL_W, 3600.0, car, FULL_W)
    assert float(after.energy_wh) == pytest.approx(0.05 * FULL_W)
    assert float(evse.charge(0.95, FULL_W, 1e6, car, FULL_W).soc) == 1.0


def test_under_six_ampere_nothing_flows():
    assert float(evse.offered_power(5.99, 3.0, Car())) == 0.0
    assert float(evse.offered_power(6.0, 3.0, Car())) == pytest.approx(4140.0)
    assert float(evse.current_for(4139.0, 3.0)) == 0.0
    assert float(evse.current_for(4140.0, 3.0)) == pytest.approx(6.0)


def test_the_fewer_phases_and_the_lower_current_rule():
    single = Car(phases=1.0)
    assert float(evse.offered_power(16.0, 3.0, single)) == pytest.approx(3680.0)
    assert float(evse.offered_power(32.0, 1.0, Car())) == pytest.approx(3680.0)


@given(st.floats(6.0, 32.0), st.sampled_from([1.0, 3.0]))
def test_the_current_for_a_power_draws_no_more_than_that(current_a: float, phases: float):
    power = current_a * phases * 230.0
    back = float(evse.offered_power(float(evse.current_for(power, phases)), phases, Car(max_current_a=32.0)))
    assert back == pytest.approx(power, rel=1e-5)


def test_a_fleet_charges_as_each_car_does_alone():
    soc = np.array([0.1, 0.5, 0.85, 0.97, 1.0])
    together = evse.charge(soc, FULL_W, 300.0, Car(), FULL_W)
    alone = [float(evse.charge(float(each), FULL_W, 300.0, Car(), FULL_W).soc) for each in soc]
    assert together.soc == pytest.approx(alone)
