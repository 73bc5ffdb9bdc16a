"""Base load: the profile gives the year its energy, noise has the spread it says and leaves the energy alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from emulator.day_curves import HouseholdPower, Place
from emulator.physics import base_load

HERE = Place(52.0, 6.0, "Europe/Amsterdam")


class Calm(HouseholdPower):
    """A household that is the mean of many."""

    def _unrest(self, day: date) -> np.ndarray:
        return np.ones(1441)


def test_a_year_without_noise_takes_its_yearly_energy():
    household = Calm(HERE, 3_500_000.0, seed=1)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    # every fifth day: 73 days, each weekday in turn, all seasons
    days = [household.mean(start + timedelta(days=5 * n), 0.0, 86_400.0) * 24.0 for n in range(73)]
    assert sum(days) * 5 == pytest.approx(3_500_000.0, rel=0.01)


def test_evenings_draw_more_than_nights_and_winter_more_than_summer():
    household = Calm(HERE, 3_500_000.0, seed=1)
    night, evening = (household.mean(datetime(2026, 1, 14, hour, tzinfo=UTC), 0.0, 3600.0) for hour in (2, 18))
    summer = household.mean(datetime(2026, 7, 15, tzinfo=UTC), 0.0, 86_400.0)
    winter = household.mean(datetime(2026, 1, 14, tzinfo=UTC), 0.0, 86_400.0)
    assert evening > 2.0 * night
    assert winter > 1.1 * summer


def test_the_profile_follows_local_time_when_the_clocks_change():
    household = Calm(HERE, 3_500_000.0, seed=1)
    # the Fridays around 25 October 2026: 19:00 local is 17 UTC before and 18 UTC after
    before = household.mean(datetime(2026, 10, 23, 17, tzinfo=UTC), 0.0, 900.0)
    after = household.mean(datetime(2026, 10, 30, 18, tzinfo=UTC), 0.0, 900.0)
    assert after == pytest.approx(before, rel=0.05)
    assert after != pytest.approx(household.mean(datetime(2026, 10, 30, 17, tzinfo=UTC), 0.0, 900.0), rel=0.01)


def test_noise_is_log_normal_with_mean_one_and_forgets_in_ten_minutes():
    factors = base_load.unrest(np.random.default_rng(7).standard_normal(200_000), 60.0)
    logarithm = np.log(factors)
    assert factors.mean() == pytest.approx(1.0, abs=0.01)
    assert logarithm.std() == pytest.approx(0.25, abs=0.01)
    centred = logarithm - logarithm.mean()
    after_ten_minutes = float(np.mean(centred[:-10] * centred[10:])) / float(np.mean(centred**2))
    assert after_ten_minutes == pytest.approx(np.exp(-1.0), abs=0.03)


def test_the_same_seed_is_the_same_household_and_another_is_another():
    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    first, again, other = (HouseholdPower(HERE, 3.5e6, seed).mean(noon, 0.0, 60.0) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_noise_goes_on_over_midnight():
    household = HouseholdPower(HERE, 3.5e6, seed=3)
    last = household.make(date(2026, 6, 1))[-1]
    first = household.make(date(2026, 6, 2))[0]
    assert first == pytest.approx(last, rel=1e-4)


def test_a_span_over_midnight_is_the_sum_of_its_parts():
    household = HouseholdPower(HERE, 3.5e6, seed=3)
    late = datetime(2026, 6, 1, 23, 50, tzinfo=UTC)
    whole = household.mean(late, 0.0, 1200.0)
    parts = (household.mean(late, 0.0, 600.0) + household.mean(late, 600.0, 1200.0)) / 2.0
    assert whole == pytest.approx(parts)
