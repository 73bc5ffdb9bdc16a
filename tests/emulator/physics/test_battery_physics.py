"""Battery: energy is conserved, the window holds, the step does not matter, and the closed form solves the equation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from emulator.physics import battery
from emulator.physics.battery import Pack

SOC = st.floats(0.05, 0.95)
POWER = st.floats(-6000.0, 6000.0)


def run(soc: float, power_w: float, pack: Pack, dt_s: float, steps: int) -> tuple[float, float, float]:
    charged = discharged = 0.0
    for _ in range(steps):
        after = battery.step(soc, power_w, dt_s, pack)
        soc = float(after.soc)
        charged += float(after.charged_wh)
        discharged += float(after.discharged_wh)
    return soc, charged, discharged


def test_energy_balances_over_a_day_of_three_hour_swings():
    pack = Pack(charge_efficiency=0.9747, discharge_efficiency=0.9747)
    soc, into, out, leaked = 0.5, 0.0, 0.0, 0.0
    for minute in range(1440):
        after = battery.step(soc, 5000.0 if minute // 180 % 2 == 0 else -5000.0, 60.0, pack)
        soc = float(after.soc)
        into += float(after.charged_wh)
        out += float(after.discharged_wh)
        leaked += float(after.leaked_wh)
    assert into > 20_000.0 and out > 20_000.0  # it did swing
    assert into * 0.9747 - out / 0.9747 - leaked == pytest.approx((soc - 0.5) * 10_000.0, abs=1e-6)


@given(SOC, POWER, st.floats(0.0, 0.05))
def test_a_quarter_hour_is_the_same_in_one_step_or_in_seconds(soc: float, power_w: float, leak: float):
    pack = Pack(self_discharge_per_month=leak)
    whole = battery.step(soc, power_w, 900.0, pack)
    parts = run(soc, power_w, pack, 10.0, 90)
    assert parts[0] == pytest.approx(float(whole.soc), abs=2e-6)
    assert parts[1] == pytest.approx(float(whole.charged_wh), abs=0.02)
    assert parts[2] == pytest.approx(float(whole.discharged_wh), abs=0.02)


@given(SOC, POWER, st.floats(1.0, 1e6))
def test_no_step_however_long_leaves_the_window(soc: float, power_w: float, dt_s: float):
    after = float(battery.step(soc, power_w, dt_s, Pack(self_discharge_per_month=0.0)).soc)
    assert 0.05 - 1e-12 <= after <= 0.95 + 1e-12


@pytest.mark.parametrize(("soc", "power_w"), [(0.88, 5000.0), (0.93, 4000.0), (0.12, -5000.0), (0.07, -3000.0)])
def test_the_closed_form_solves_the_differential_equation(soc: float, power_w: float):
    pack = Pack(self_discharge_per_month=0.0)

    def rate(_time: float, state: np.ndarray) -> list[float]:
        charge, discharge = battery.limits(state[0], pack)
        drawn = float(np.clip(power_w, -discharge, charge))
        return [(drawn * 0.95 if drawn > 0 else drawn / 0.95) / (10_000.0 * 3600.0)]

    solved = solve_ivp(rate, (0.0, 900.0), [soc], rtol=1e-9, atol=1e-12, max_step=2.0)
    assert float(battery.step(soc, power_w, 900.0, pack).soc) == pytest.approx(solved.y[0, -1], abs=1e-7)


def test_round_trip_loses_what_the_two_efficiencies_say():
    pack = Pack(self_discharge_per_month=0.0)
    up = battery.step(0.3, 3000.0, 3600.0, pack)
    down = battery.step(float(up.soc), -3000.0, 3600.0, pack)
    back = float(down.discharged_wh) + (float(down.soc) - 0.3) * 10_000.0 * 0.95
    assert back / float(up.charged_wh) == pytest.approx(0.95**2)


def test_three_percent_are_gone_after_a_month_of_rest():
    after = battery.step(0.8, 0.0, battery.MONTH_S, Pack())
    assert float(after.soc) == pytest.approx(0.8 * 0.97)
    assert float(after.leaked_wh) == pytest.approx(0.8 * 0.03 * 10_000.0)


def test_many_batteries_at_once_do_what_each_does_alone():
    soc = np.linspace(0.05, 0.95, 31)
    power = np.linspace(-5000.0, 5000.0, 31)
    pack = Pack(capacity_wh=np.linspace(5_000.0, 20_000.0, 31))
    together = battery.step(soc, power, 600.0, pack)
    alone = [
        float(battery.step(float(s), float(p), 600.0, Pack(capacity_wh=float(c))).soc)
        for s, p, c in zip(soc, power, np.asarray(pack.capacity_wh), strict=True)
    ]
    assert together.soc == pytest.approx(alone, abs=1e-12)


def test_a_battery_without_taper_charges_at_full_power_to_the_brim():
    pack = Pack(charge_knee=0.95, self_discharge_per_month=0.0)
    after = battery.step(0.949, 5000.0, 7.0, pack)
    assert float(after.charged_wh) == pytest.approx(5000.0 * 7.0 / 3600.0)
