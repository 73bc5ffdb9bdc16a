"""Signals to the band in force: levels, priorities, contradictions, baselines, devices."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from emulator.cem.limits import BASELINE_SPAN, Baselines, active, band
from emulator.cem.ports import LevelSignal, LightState, LimitSignal

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MUST_RUN_W = 400.0


def limit(source: str = "e-1", **fields: object) -> LimitSignal:
    return LimitSignal(**({"source": source, "start": NOON, "end": NOON + HOUR} | fields))  # type: ignore[arg-type]


def level(number: int, **fields: object) -> LevelSignal:
    return LevelSignal(**({"source": "e-1", "start": NOON, "end": NOON + HOUR, "level": number} | fields))  # type: ignore[arg-type]


def measured(*powers: float) -> Baselines:
    """Net powers of the minutes before noon."""
    baselines = Baselines()
    for minute, power in enumerate(powers):
        baselines.measure(NOON - timedelta(minutes=len(powers) - minute), power)
    return baselines


def at_noon(*signals: LimitSignal | LevelSignal, baselines: Baselines | None = None):
    return band(signals, NOON, MUST_RUN_W, baselines or measured(6000.0))


def test_a_signal_holds_from_its_start_to_before_its_end():
    one = limit(upper_w=7000.0)
    assert active([one], NOON - timedelta(seconds=1)) == []
    assert active([one], NOON) == [one]
    assert active([one], NOON + HOUR) == []
    assert active([limit(end=None, upper_w=1.0)], NOON + 1000 * HOUR) != []


def test_a_limit_is_in_force_with_its_source_and_end():
    result = at_noon(limit(upper_w=7000.0))
    assert result.in_force is not None
    assert (result.in_force.upper_w, result.in_force.lower_w) == (7000.0, None)
    assert (result.in_force.source, result.in_force.until) == ("e-1", NOON + HOUR)
    assert result.light is LightState.YELLOW


def test_without_signals_nothing_is_in_force():
    result = at_noon()
    assert (result.upper, result.lower, result.in_force, result.light) == (None, None, None, LightState.GREEN)


def test_a_test_event_is_not_acted_on():
    assert at_noon(limit(upper_w=0.0, test=True), level(3, test=True)).in_force is None


def test_the_narrowest_of_several_limits_binds():
    result = at_noon(limit("a", upper_w=7000.0), limit("b", upper_w=3000.0), limit("c", lower_w=-1000.0))
    assert result.upper is not None and (result.upper.watts, result.upper.source) == (3000.0, "b")
    assert result.lower is not None and (result.lower.watts, result.lower.source) == (-1000.0, "c")


@pytest.mark.parametrize(("priority_of_floor", "binding"), [(1, (2000.0, 2000.0)), (0, (1000.0, 1000.0))])
def test_a_contradiction_is_decided_by_priority(priority_of_floor: int, binding: tuple[float, float]):
    result = at_noon(
        limit("cap", upper_w=1000.0, priority=2), limit("floor", lower_w=2000.0, priority=priority_of_floor)
    )
    assert result.upper is not None and result.lower is not None
    assert (result.upper.watts, result.lower.watts) == binding


def test_abnormal_goes_before_any_priority():
    result = at_noon(limit("cap", upper_w=1000.0, abnormal=True), limit("floor", lower_w=2000.0, priority=1))
    assert result.upper is not None and result.lower is not None
    assert (result.upper.watts, result.lower.watts) == (1000.0, 1000.0)
    assert result.light is LightState.RED


def test_level_0_asks_for_nothing_and_level_1_only_to_save():
    assert at_noon(level(0)).light is LightState.GREEN
    result = at_noon(level(1))
    assert result.upper is None
    assert result.saving is not None and result.saving.level == 1
    assert result.light is LightState.YELLOW


def test_level_2_halves_what_was_drawn_before_the_event_but_leaves_what_must_run():
    result = at_noon(level(2), baselines=measured(5000.0, 7000.0))
    assert result.upper is not None and result.upper.watts == 3000.0
    result = at_noon(level(2), baselines=measured(500.0))
    assert result.upper is not None and result.upper.watts == MUST_RUN_W


def test_level_3_leaves_what_must_run_and_is_an_emergency():
    result = at_noon(level(3))
    assert result.upper is not None and result.upper.watts == MUST_RUN_W
    assert result.emergency is not None
    assert result.light is LightState.RED


def test_a_baseline_is_frozen_when_the_event_begins_and_forgotten_with_it():
    baselines, signal = measured(6000.0), level(2)
    assert baselines.of(signal, NOON) == 6000.0
    baselines.measure(NOON + timedelta(minutes=1), 100.0)
    assert baselines.of(signal, NOON + timedelta(minutes=1)) == 6000.0
    baselines.keep_only([])
    later = level(2, start=NOON + timedelta(minutes=2))
    assert baselines.of(later, NOON + timedelta(minutes=2)) == (6000.0 + 100.0) / 2


def test_what_was_measured_long_ago_is_no_baseline():
    baselines = Baselines()
    baselines.measure(NOON - BASELINE_SPAN - timedelta(seconds=1), 9000.0)
    baselines.measure(NOON, 1000.0)
    assert baselines.of(level(2), NOON) == 1000.0


def test_a_limit_for_one_device_leaves_the_site_alone():
    result = at_noon(limit(device="ev", upper_w=4000.0), limit("e-2", device="ev", upper_w=3000.0))
    upper, lower = result.of("ev")
    assert upper is not None and (upper.watts, upper.source) == (3000.0, "e-2")
    assert (lower, result.upper, result.of("pv")) == (None, None, (None, None))
    assert result.light is LightState.YELLOW
