"""PV: a clear June day gives the published yield, and grid, season and rating behave."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from emulator.physics import pv

UTRECHT = pv.Plant(latitude=52.1, longitude=5.2, altitude_m=5.0)


def day_kwh(plant: pv.Plant, day: datetime, spacing_s: float = 300.0) -> float:
    power = pv.clear_sky_power(plant, day, spacing_s, int(86_400 / spacing_s) + 1)
    return float(np.trapezoid(power, dx=spacing_s)) / 3.6e6


def test_five_kilowatts_peak_at_52_north_give_30_7_kwh_on_a_clear_day_of_june():
    assert day_kwh(UTRECHT, datetime(2026, 6, 21, tzinfo=UTC)) == pytest.approx(30.7, abs=0.1)


def test_minutes_and_quarter_hours_give_the_same_day():
    day = datetime(2026, 6, 21, tzinfo=UTC)
    assert day_kwh(UTRECHT, day, 60.0) == pytest.approx(day_kwh(UTRECHT, day, 900.0), rel=2e-3)


def test_the_inverter_clips():
    power = pv.clear_sky_power(UTRECHT._replace(inverter_w=2500.0), datetime(2026, 6, 21, tzinfo=UTC), 900.0, 97)
    assert power.max() == pytest.approx(2500.0)
    assert np.count_nonzero(power > 2499.0) > 20


def test_there_is_no_sun_at_night_and_noon_is_near_true_noon():
    power = pv.clear_sky_power(UTRECHT._replace(inverter_w=6000.0), datetime(2026, 3, 20, tzinfo=UTC), 300.0, 289)
    assert power[:60].max() == 0.0 and power[-48:].max() == 0.0
    # the sun stands south at 5.2° east 21 min before 12 UTC, plus 7 min for the equation of time
    assert power.argmax() * 5 == pytest.approx(12 * 60 - 21 + 7, abs=15)


def test_winter_gives_less_than_half_of_summer_but_not_nothing():
    winter = day_kwh(UTRECHT, datetime(2026, 12, 21, tzinfo=UTC))
    assert 0.2 < winter / day_kwh(UTRECHT, datetime(2026, 6, 21, tzinfo=UTC)) < 0.5


def test_a_roof_to_the_west_peaks_later():
    day = datetime(2026, 6, 21, tzinfo=UTC)
    south, west = (
        pv.clear_sky_power(UTRECHT._replace(azimuth_deg=azimuth, inverter_w=6000.0), day, 900.0, 97)
        for azimuth in (180.0, 270.0)
    )
    assert west.argmax() - south.argmax() >= 6  # an hour and a half
