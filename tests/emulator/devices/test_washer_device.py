"""Washer: its window, its failsafe, its legal pauses, and the same energy whatever happens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.devices import CommandRefused, Washer, WasherConfig, WasherState

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
END = NOON + timedelta(hours=6)
LENGTH = timedelta(minutes=138)


class Bench:
    """A washer with a clock and a meter."""

    def __init__(self, dt_s: float = 1.0) -> None:
        self.washer = Washer(WasherConfig("w", standby_w=0.0), NOON, END)
        self.now = NOON
        self.dt_s = dt_s
        self.energy_wh = 0.0

    def run(self, span: timedelta) -> None:
        for _ in range(round(span.total_seconds() / self.dt_s)):
            self.washer.step(self.now, self.dt_s)
            self.energy_wh += self.washer.power_w * self.dt_s / 3600.0
            self.now += timedelta(seconds=self.dt_s)


def test_nobody_tells_it_anything_and_it_still_ends_in_its_window():
    bench = Bench(60.0)
    bench.run(timedelta(hours=7))
    assert bench.washer.state is WasherState.DONE
    assert bench.washer.started_at == END - LENGTH
    assert bench.washer.finished_at == END
    assert bench.energy_wh == pytest.approx(926.8, abs=0.05)


def test_it_starts_when_it_was_told():
    bench = Bench(60.0)
    bench.washer.schedule(NOON + timedelta(minutes=90))
    assert bench.washer.state is WasherState.SCHEDULED
    bench.run(timedelta(minutes=89))
    assert bench.washer.power_w == 0.0
    bench.run(timedelta(minutes=2))
    assert bench.washer.state is WasherState.RUNNING
    assert bench.washer.power_w == pytest.approx(73.0)
    assert bench.washer.snapshot().state == "fill, 2 h 17 min left"


def test_a_start_moves_until_it_has_started():
    bench = Bench()
    bench.washer.schedule(NOON + timedelta(minutes=90))
    bench.washer.schedule(NOON)
    bench.run(timedelta(seconds=5))
    assert bench.washer.elapsed_s == pytest.approx(5.0)
    with pytest.raises(CommandRefused, match="running"):
        bench.washer.schedule(NOON + timedelta(minutes=90))


@pytest.mark.parametrize("start", [NOON - timedelta(seconds=1), END - LENGTH + timedelta(seconds=1)])
def test_a_start_outside_the_window_is_refused(start: datetime):
    bench = Bench()
    with pytest.raises(CommandRefused, match="is outside"):
        bench.washer.schedule(start)
    assert bench.washer.state is WasherState.ARMED


def test_a_forgotten_schedule_leaves_the_failsafe():
    bench = Bench(60.0)
    bench.washer.schedule(NOON + timedelta(minutes=90))
    bench.washer.unschedule()
    bench.run(timedelta(hours=6))
    assert bench.washer.started_at == END - LENGTH


def test_it_pauses_before_the_wash_and_not_while_it_heats():
    bench = Bench(10.0)
    bench.washer.schedule(NOON)
    bench.run(timedelta(minutes=10))
    bench.washer.pause()
    assert bench.washer.next_pause_s == pytest.approx(19 * 60.0)
    bench.run(timedelta(minutes=18))
    assert bench.washer.power_w == pytest.approx(2056.0)
    bench.run(timedelta(minutes=2))
    assert bench.washer.state is WasherState.PAUSED
    assert bench.washer.power_w == 0.0
    bench.washer.resume()
    bench.run(timedelta(seconds=10))
    assert bench.washer.phase is not None and bench.washer.phase.name == "wash"


def test_a_pause_ends_by_itself_after_ten_minutes():
    bench = Bench(10.0)
    bench.washer.schedule(NOON)
    bench.washer.step(bench.now, 10.0)
    bench.washer.pause()
    bench.run(timedelta(hours=3))
    assert bench.washer.state is WasherState.DONE
    assert bench.washer.finished_at is not None
    # one more step of 10 s had run before the bench's clock began
    assert bench.washer.finished_at - NOON == LENGTH + timedelta(minutes=10) - timedelta(seconds=10)


def test_two_pauses_are_all_it_has():
    bench = Bench(10.0)
    bench.washer.schedule(NOON)
    bench.run(timedelta(minutes=1))
    for _ in range(2):
        bench.washer.pause()
        while bench.washer.state is not WasherState.PAUSED:
            bench.run(timedelta(seconds=10))
        bench.washer.resume()
        bench.run(timedelta(seconds=10))
    with pytest.raises(CommandRefused, match="may not pause any more"):
        bench.washer.pause()


def test_it_does_not_pause_twice_at_the_same_place():
    bench = Bench(10.0)
    bench.washer.schedule(NOON)
    bench.run(timedelta(minutes=1))
    bench.washer.pause()
    while bench.washer.state is not WasherState.PAUSED:
        bench.run(timedelta(seconds=10))
    bench.washer.resume()
    bench.washer.pause()
    bench.run(timedelta(seconds=10))
    assert bench.washer.state is WasherState.RUNNING


def test_what_does_not_run_cannot_pause():
    with pytest.raises(CommandRefused, match="armed"):
        Bench().washer.pause()


@given(st.sampled_from([13.0, 60.0, 900.0]), st.lists(st.integers(0, 150), max_size=2, unique=True))
def test_pauses_and_steps_leave_the_energy_alone(dt_s: float, pauses: list[int]):
    bench = Bench(dt_s)
    bench.washer.schedule(NOON)
    asked = [NOON + timedelta(minutes=each) for each in pauses]
    while bench.washer.state is not WasherState.DONE:
        bench.run(timedelta(seconds=dt_s))
        if asked and bench.now >= min(asked):
            asked.remove(min(asked))
            if bench.washer.next_pause_s is not None:
                bench.washer.pause()
    assert bench.energy_wh == pytest.approx(926.8, abs=0.05)


def test_an_empty_machine_stays_idle_until_somebody_loads_it():
    washer = Washer(WasherConfig("w", loaded=False), NOON, END)
    washer.step(NOON, 900.0)
    assert (washer.state, washer.power_w) == (WasherState.IDLE, pytest.approx(1.0))
    washer.load(NOON, END)
    assert washer.state is WasherState.ARMED
    assert washer.latest_start == END - LENGTH
