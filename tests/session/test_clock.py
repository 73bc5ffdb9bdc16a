"""Clocks, timers and tasks: time moves as told, and nothing is left running."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from console.session.clock import ScaledClock, SystemClock, VirtualClock
from console.session.tasks import Tasks, spawn
from console.session.timers import Timers

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


# Virtual -----------------------------------------------------------------------------------------------------------


async def test_virtual_time_stands_still_until_told():
    clock = VirtualClock(NOON)
    called: list[datetime] = []
    clock.call_at(NOON + seconds(20), lambda: called.append(clock.now()))
    clock.call_at(NOON + seconds(10), lambda: called.append(clock.now()))
    await clock.advance(9)
    assert (clock.now(), called) == (NOON + seconds(9), [])
    await clock.advance(seconds(100))
    assert called == [NOON + seconds(10), NOON + seconds(20)]
    assert (clock.now(), clock.elapsed()) == (NOON + seconds(109), 109.0)


async def test_what_is_called_may_call_again_within_the_same_advance():
    clock = VirtualClock(NOON)
    ticks: list[datetime] = []

    def tick() -> None:
        ticks.append(clock.now())
        clock.call_at(clock.now() + seconds(3600), tick)

    clock.call_at(NOON, tick)
    await clock.advance(timedelta(days=1))
    assert len(ticks) == 25


async def test_a_cancelled_call_does_not_come():
    clock = VirtualClock(NOON)
    called: list[int] = []
    clock.call_at(NOON + seconds(1), lambda: called.append(1)).cancel()
    assert clock.next_wake() is None
    await clock.advance(2)
    assert called == []


async def test_sleepers_wake_in_order_and_a_cancelled_one_leaves_nothing():
    clock = VirtualClock(NOON)
    woken: list[str] = []

    async def sleep(name: str, until: float) -> None:
        await clock.sleep_until(NOON + seconds(until))
        woken.append(name)

    async with asyncio.TaskGroup() as group:
        group.create_task(sleep("late", 5))
        group.create_task(sleep("early", 2))
        lost = asyncio.get_running_loop().create_task(sleep("lost", 3))
        await clock.advance(1)
        lost.cancel()
        await clock.advance(10)
    assert woken == ["early", "late"]
    assert clock.next_wake() is None


# Real and scaled ---------------------------------------------------------------------------------------------------


async def test_the_system_clock_is_aware_and_wakes_not_before_its_time():
    clock = SystemClock()
    due = clock.now() + timedelta(milliseconds=20)
    await clock.sleep_until(due)
    assert clock.now() >= due
    assert clock.now().tzinfo is UTC
    assert clock.speed == 1


async def test_a_scaled_clock_starts_where_it_is_told_and_runs_as_fast_as_told():
    clock = ScaledClock(NOON, speed=3600)
    began = clock.elapsed()
    await clock.sleep_until(NOON + seconds(60))
    took = clock.elapsed() - began
    assert clock.now() >= NOON + seconds(60)
    assert took < 60


async def test_a_change_of_speed_keeps_the_time_and_moves_who_waits():
    clock = ScaledClock(NOON, speed=0.001)
    waiting = asyncio.get_running_loop().create_task(clock.sleep_until(NOON + seconds(100)))
    await asyncio.sleep(0)
    before = clock.now()
    clock.speed = 1_000_000
    await waiting
    assert before < NOON + seconds(1)
    assert clock.now() >= NOON + seconds(100)


@pytest.mark.parametrize("speed", [0, -1])
def test_no_clock_runs_backwards(speed):
    with pytest.raises(ValueError, match="above 0"):
        ScaledClock(NOON, speed)


# Timers ------------------------------------------------------------------------------------------------------------


async def test_timers_fire_by_name_in_order_and_once():
    clock, fired = VirtualClock(NOON), []
    timers = Timers(clock, fired.append)
    for name, at in (("c", 3), ("a", 1), ("b", 2)):
        timers.start(name, NOON + seconds(at))
    await clock.advance(10)
    assert fired == ["a", "b", "c"]
    assert len(timers) == 0
    assert clock.next_wake() is None


async def test_starting_a_running_timer_moves_it_and_stopping_ends_it():
    clock, fired = VirtualClock(NOON), []
    timers = Timers(clock, fired.append)
    timers.start("poll", NOON + seconds(1))
    timers.start("poll", NOON + seconds(5))
    timers.start("other", NOON + seconds(2))
    timers.stop("other")
    timers.stop("never started")
    await clock.advance(4)
    assert fired == []
    await clock.advance(1)
    assert fired == ["poll"]


async def test_a_timer_may_stop_and_start_others_while_firing():
    clock, fired = VirtualClock(NOON), []

    def fire(name: str) -> None:
        fired.append(name)
        if name == "first":
            timers.stop("second")
            timers.start("first again", clock.now())

    timers = Timers(clock, fire)
    timers.start("first", NOON + seconds(1))
    timers.start("second", NOON + seconds(1))
    await clock.advance(2)
    assert fired == ["first", "first again"]


async def test_many_timers_hold_one_wake():
    clock = VirtualClock(NOON)
    timers = Timers(clock, lambda name: None)
    for n in range(1000):
        timers.start(str(n), NOON + seconds(n + 1))
    timers.close()
    assert (len(timers), clock.next_wake()) == (0, None)


# Tasks -------------------------------------------------------------------------------------------------------------


async def fail() -> None:
    raise ValueError("of ours")


async def test_a_failure_is_told_with_the_name_of_its_task():
    told: list[tuple[str, str]] = []
    task = spawn(fail(), name="poller", on_error=lambda name, error: told.append((name, str(error))))
    await asyncio.wait([task])
    assert told == [("poller", "of ours")]


async def test_closing_ends_all_and_tells_nothing():
    told: list[str] = []
    tasks = Tasks(on_error=lambda name, error: told.append(name))
    ended = asyncio.Event()

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    tasks.spawn(wait(), name="waits")
    await asyncio.sleep(0)
    await tasks.close()
    assert (len(tasks), ended.is_set(), told) == (0, True, [])
    with pytest.raises(RuntimeError, match="after its owner"):
        tasks.spawn(wait(), name="too late")
