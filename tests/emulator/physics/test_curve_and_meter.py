"""Means of curves are exact; registers count, nets and voltage follow the sign."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.physics import curve, meter

KNOTS = np.array([0.0, 100.0, 400.0, 50.0, 50.0, 0.0, 900.0])


@given(st.floats(0.0, 359.0), st.floats(0.5, 360.0), st.floats(1.0, 1000.0))
def test_the_mean_is_that_of_a_fine_grid(start_s: float, length_s: float, cap_w: float):
    end_s = min(start_s + length_s, 360.0)
    fine = np.linspace(start_s, end_s, 20_001)
    value = np.minimum(np.interp(fine, np.arange(7) * 60.0, KNOTS), cap_w)
    expected = float(np.trapezoid(value, fine)) / (end_s - start_s)
    assert curve.mean(KNOTS, 60.0, start_s, end_s, cap_w) == pytest.approx(expected, abs=0.01)


def test_registers_only_rise():
    registers = meter.Registers(np.zeros(()), np.zeros(()))
    for net_w in (3600.0, -1800.0, 0.0, 7200.0):
        after = meter.count(registers, net_w, 10.0)
        assert after.import_wh >= registers.import_wh and after.export_wh >= registers.export_wh
        registers = after
    assert float(registers.import_wh) == pytest.approx(30.0)
    assert float(registers.export_wh) == pytest.approx(5.0)


def test_export_raises_the_voltage_by_one_and_a_half_percent_for_ten_kilowatts():
    assert float(meter.voltage(-10_000.0)) == pytest.approx(230.0 * 1.015)
    assert float(meter.voltage(10_000.0)) == pytest.approx(230.0 * 0.985)


@pytest.mark.parametrize("dt_s", [1.0, 60.0])
def test_frequency_keeps_its_spread_whatever_the_step(dt_s: float):
    rng = np.random.default_rng(5)
    hertz, seen = 50.0, []
    for _ in range(20_000):
        hertz = float(meter.frequency(hertz, dt_s, rng.standard_normal()))
        seen.append(hertz)
    assert np.mean(seen) == pytest.approx(50.0, abs=0.005)
    assert np.std(seen) == pytest.approx(0.02, rel=0.15)
