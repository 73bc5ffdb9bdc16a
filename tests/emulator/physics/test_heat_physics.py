"""Tank, house and heat pump against published figures and against energy that must not get lost."""

from __future__ import annotations

import numpy as np
import pytest

from emulator.physics.heat import House, Tank, draw_off_power, heat_pump_cop, house, tank


def stored_wh(temperature_c: float, what: Tank) -> float:
    return float(what.litres) * 4186.0 * temperature_c / 3600.0


def test_a_200_l_tank_stands_for_a_loss_of_the_usual_size():
    # 1.5 W/K at 37 K: 1.33 kWh a day, the loss of a tank of efficiency class C (EU 812/2013: 12 + 5.93 V^0.4 W at 45 K
    # is the border between B and C, 16.66 + 8.33 V^0.4 W that between C and D)
    volume = 200.0**0.4
    assert 12.0 + 5.93 * volume <= 1.5 * 45.0 <= 16.66 + 8.33 * volume
    after = tank(55.0, 0.0, 86_400.0, Tank())
    assert 1000.0 < float(after.lost_wh) < 1332.0, "a little less, for it cools"


@pytest.mark.parametrize("dt_s", [1.0, 60.0, 900.0, 86_400.0])
def test_energy_is_kept_and_the_step_does_not_matter(dt_s: float):
    what, temperature, lost = Tank(), 45.0, 0.0
    for _ in range(round(86_400.0 / dt_s) if dt_s > 1.0 else 3600):
        after = tank(temperature, 300.0, dt_s, what)
        temperature, lost = float(after.temperature_c), lost + float(after.lost_wh)
    span_h = 24.0 if dt_s > 1.0 else 1.0
    gained = stored_wh(temperature, what) - stored_wh(45.0, what)
    assert gained + lost == pytest.approx(300.0 * span_h, rel=1e-9)
    whole = tank(45.0, 300.0, span_h * 3600.0, what)
    assert temperature == pytest.approx(float(whole.temperature_c), abs=1e-9)


def test_many_tanks_are_as_each_alone():
    temperatures, powers = np.asarray([20.0, 55.0, 75.0]), np.asarray([0.0, 2000.0, -500.0])
    together = tank(temperatures, powers, 900.0, Tank())
    alone = [float(tank(t, p, 900.0, Tank()).temperature_c) for t, p in zip(temperatures, powers, strict=True)]
    assert together.temperature_c == pytest.approx(alone)


def test_tapping_takes_the_warmth_of_what_is_mixed_and_no_more_than_there_is():
    assert float(draw_off_power(100.0, 3600.0, 55.0)) * 1.0 == pytest.approx(100.0 * 4186.0 * 30.0 / 3600.0)
    assert float(draw_off_power(100.0, 3600.0, 25.0)) == pytest.approx(100.0 * 4186.0 * 15.0 / 3600.0)
    assert float(draw_off_power(100.0, 3600.0, 5.0)) == 0.0


def test_a_heat_pump_performs_as_data_sheets_say():
    # EN 14511 A7/W35 of air heat pumps on the market: 4 to 5; A-7/W35 2.4 to 3.2; A2/W35 3.2 to 4
    assert 4.0 <= float(heat_pump_cop(35.0, 7.0)) <= 5.0
    assert 2.4 <= float(heat_pump_cop(35.0, -7.0)) <= 3.2
    assert 3.2 <= float(heat_pump_cop(35.0, 2.0)) <= 4.0
    assert float(heat_pump_cop(35.0, 30.0)) == 6.0


def test_a_house_settles_where_its_losses_equal_its_heat():
    what = House()
    heat = what.loss_w_per_k * (20.0 - 2.0)
    after = house(5.0, 5.0, heat, 2.0, 90 * 86_400.0, what)
    assert float(after[0]) == pytest.approx(20.0, abs=1e-6)
    assert 15.0 < float(after[1]) < 20.0


@pytest.mark.parametrize("dt_s", [1.0, 60.0, 900.0])
def test_a_house_is_the_same_in_long_and_short_steps_and_loses_no_heat(dt_s: float):
    what = House()
    inside, envelope = 20.0, 16.0
    for _ in range(round(3600.0 / dt_s)):
        inside, envelope = (float(c) for c in house(inside, envelope, 3000.0, -5.0, dt_s, what))
    whole = house(20.0, 16.0, 3000.0, -5.0, 3600.0, what)
    assert (inside, envelope) == pytest.approx((float(whole[0]), float(whole[1])), abs=1e-9)


def test_the_heat_that_goes_in_is_stored_or_goes_out():
    what, dt_s = House(), 10.0
    inside, envelope, out_j = 20.0, 16.0, 0.0
    for _ in range(360):
        after = house(inside, envelope, 3000.0, -5.0, dt_s, what)
        # over ten seconds the mean of both ends is the mean of the step to a millionth
        warm, wall = (inside + float(after[0])) / 2.0, (envelope + float(after[1])) / 2.0
        out_j += dt_s * (what.ventilation_w_per_k * (warm + 5.0) + what.envelope_to_outside_w_per_k * (wall + 5.0))
        inside, envelope = float(after[0]), float(after[1])
    stored_j = what.inside_j_per_k * (inside - 20.0) + what.envelope_j_per_k * (envelope - 16.0)
    assert stored_j + out_j == pytest.approx(3000.0 * 3600.0, rel=1e-5)


def test_a_cooling_house_takes_days_as_heavy_ones_do():
    # without heat the slow mode decides: time constants of two to four days for a masonry house
    start = house(20.0, 18.0, 0.0, 0.0, 6 * 3600.0, House())
    later = house(float(start[0]), float(start[1]), 0.0, 0.0, 24 * 3600.0, House())
    days = -1.0 / np.log(float(later[0]) / float(start[0]))
    assert 2.0 < days < 4.0
