"""Washing programme: the published energy, whatever the step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.physics import washer
from emulator.physics.washer import COTTON_40

LENGTH_S = 138 * 60.0


def test_it_lasts_138_minutes_and_takes_926_8_watt_hours():
    assert washer.duration(COTTON_40) == LENGTH_S
    assert float(washer.energy(COTTON_40, 0.0, LENGTH_S)) == pytest.approx(926.8, abs=0.05)


@pytest.mark.parametrize("dt_s", [1.0, 60.0, 300.0, 900.0])
def test_steps_add_up_to_the_programme_though_they_straddle_phases(dt_s: float):
    steps = int(LENGTH_S // dt_s) + 1
    total = sum(float(washer.energy(COTTON_40, dt_s * n, dt_s * (n + 1))) for n in range(steps))
    assert total == pytest.approx(926.8, abs=0.05)


@given(st.floats(0.0, LENGTH_S), st.floats(0.0, LENGTH_S), st.floats(0.0, LENGTH_S))
def test_energy_of_two_spans_in_a_row_is_that_of_both(first: float, second: float, third: float):
    start, middle, end = sorted((first, second, third))
    parts = washer.energy(COTTON_40, start, middle) + washer.energy(COTTON_40, middle, end)
    assert float(parts) == pytest.approx(float(washer.energy(COTTON_40, start, end)), abs=1e-9)


def test_heating_draws_2056_watts():
    assert float(washer.energy(COTTON_40, 600.0, 660.0)) * 60.0 == pytest.approx(2056.0)


def test_it_pauses_before_wash_rinse_and_fast_spin_and_nowhere_else():
    pauses, elapsed = [], 0.0
    while (edge := washer.next_pause(COTTON_40, elapsed)) is not None:
        pauses.append(COTTON_40[washer.phase_at(COTTON_40, edge)].name)
        elapsed = edge + 1.0
    assert pauses == ["wash", "rinse", "rinse", "rinse", "rinse", "fast spin"]
