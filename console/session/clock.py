"""Time for sessions: what instant it is, waking at an instant, and real seconds for what stays real.

One clock drives roles, polls, reports, events and physics. ``now`` may run faster than the world (:class:`ScaledClock`)
or stand still until a test moves it (:class:`VirtualClock`); ``elapsed`` and ``rest`` are real seconds always, for
latency and for what must not be accelerated. This module and the transports alone read the machine's clock.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

_LONGEST_NAP = 60.0
"""Longer waits are cut up: the machine's clock may be set meanwhile, and Qt timers count milliseconds in 32 bits."""


class Wake:
    """A call that will happen; :meth:`cancel` it and it does not."""

    __slots__ = ("cancelled", "due", "callback", "_handle")

    def __init__(self, due: datetime, callback: Callable[[], None]) -> None:
        self.due = due
        self.callback = callback
        self.cancelled = False
        self._handle: asyncio.TimerHandle | None = None

    def cancel(self) -> None:
        self.cancelled = True
        self.release()

    def release(self) -> None:
        """Forget the loop's timer behind it, if there is one."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def hold(self, handle: asyncio.TimerHandle) -> None:
        self._handle = handle


class Clock(Protocol):
    """What a session needs of time."""

    @property
    def speed(self) -> float:
        """Simulated seconds per real second."""
        ...

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        ...

    def elapsed(self) -> float:
        """Real seconds since some fixed moment; only differences mean anything."""
        ...

    def call_at(self, instant: datetime, callback: Callable[[], None]) -> Wake:
        """Call on the running loop once ``now() >= instant``; at once (but not before returning) if that has been."""
        ...

    async def sleep_until(self, instant: datetime) -> None: ...

    async def rest(self, seconds: float) -> None:
        """Wait real seconds, whatever the speed."""
        ...


class _LoopClock:
    """What clocks that run by themselves share: waking through the loop's timers."""

    def __init__(self) -> None:
        self._wakes: set[Wake] = set()

    @property
    def speed(self) -> float:
        raise NotImplementedError

    def now(self) -> datetime:
        raise NotImplementedError

    def elapsed(self) -> float:
        return time.monotonic()

    def call_at(self, instant: datetime, callback: Callable[[], None]) -> Wake:
        wake = Wake(instant, callback)
        self._wakes.add(wake)
        self._arm(wake)
        return wake

    async def sleep_until(self, instant: datetime) -> None:
        await _sleep_by(self, instant)

    async def rest(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))

    def _arm(self, wake: Wake) -> None:
        wake.release()
        left = (wake.due - self.now()).total_seconds() / self.speed
        wake.hold(asyncio.get_running_loop().call_later(min(max(left, 0.0), _LONGEST_NAP), self._ring, wake))

    def _ring(self, wake: Wake) -> None:
        if wake.cancelled:
            self._wakes.discard(wake)
        elif self.now() < wake.due:
            self._arm(wake)
        else:
            self._wakes.discard(wake)
            wake.callback()

    def _rearm(self) -> None:
        self._wakes = {wake for wake in self._wakes if not wake.cancelled}
        for wake in self._wakes:
            self._arm(wake)


class SystemClock(_LoopClock):
    """The machine's own clock."""

    @property
    def speed(self) -> float:
        return 1.0

    def now(self) -> datetime:
        return datetime.now(UTC)


class ScaledClock(_LoopClock):
    """Starts at a given instant when made and runs ``speed`` times as fast as the world."""

    def __init__(self, origin: datetime, speed: float = 1.0) -> None:
        super().__init__()
        _must_run_forward(speed)
        self._origin = origin.astimezone(UTC)
        self._since = time.monotonic()
        self._speed = speed

    @property
    def speed(self) -> float:
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        """Time goes on from where it is, and what waits is waited for at the new speed."""
        _must_run_forward(speed)
        self._origin, self._since = self.now(), time.monotonic()
        self._speed = speed
        self._rearm()

    def now(self) -> datetime:
        return self._origin + timedelta(seconds=(time.monotonic() - self._since) * self._speed)


class VirtualClock:
    """Stands still until :meth:`advance`: a day passes as fast as what happens in it can be worked through."""

    def __init__(self, start: datetime = datetime(2026, 1, 5, 10, 0, tzinfo=UTC), speed: float = 1.0) -> None:
        self._now = start.astimezone(UTC)
        self._start = self._now
        self._speed = speed
        self._heap: list[tuple[datetime, int, Wake]] = []
        self._order = itertools.count()

    @property
    def speed(self) -> float:
        return self._speed

    def now(self) -> datetime:
        return self._now

    def elapsed(self) -> float:
        return (self._now - self._start).total_seconds() / self._speed

    def call_at(self, instant: datetime, callback: Callable[[], None]) -> Wake:
        wake = Wake(instant, callback)
        heapq.heappush(self._heap, (instant, next(self._order), wake))
        return wake

    async def sleep_until(self, instant: datetime) -> None:
        await _sleep_by(self, instant)

    async def rest(self, seconds: float) -> None:
        await self.sleep_until(self._now + timedelta(seconds=seconds * self._speed))

    def next_wake(self) -> datetime | None:
        """When the next call is due; None if nothing waits."""
        while self._heap and self._heap[0][2].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    async def advance(self, span: timedelta | float, settle: Callable[[], Awaitable[object]] | None = None) -> None:
        """Let ``span`` (or seconds) pass, waking in order what is due on the way.

        After each wake the loop runs for a few turns, and ``settle`` is awaited where given: hand in
        ``session.settled`` where work goes through threads or sockets, which no number of turns can be sure to see.
        """
        end = self._now + (span if isinstance(span, timedelta) else timedelta(seconds=span))
        await _turns(settle)
        while (due := self.next_wake()) is not None and due <= end:
            wake = heapq.heappop(self._heap)[2]
            self._now = max(self._now, due)
            wake.callback()
            await _turns(settle)
        self._now = end


async def _turns(settle: Callable[[], Awaitable[object]] | None) -> None:
    for _ in range(10):
        await asyncio.sleep(0)
    if settle is not None:
        await settle()


async def _sleep_by(clock: Clock, instant: datetime) -> None:
    woken = asyncio.get_running_loop().create_future()

    def ring() -> None:
        if not woken.done():
            woken.set_result(None)

    wake = clock.call_at(instant, ring)
    try:
        await woken
    finally:
        wake.cancel()


def _must_run_forward(speed: float) -> None:
    if not speed > 0:
        raise ValueError(f"a clock runs forward: speed must be above 0, not {speed}")
