"""A role's named timers on a clock: only the earliest waits with the clock, however many there are."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from datetime import datetime

from console.session.clock import Clock, Wake


class Timers:
    """Named instants; ``fire`` is called with the name when one comes."""

    def __init__(self, clock: Clock, fire: Callable[[str], None]) -> None:
        self._clock = clock
        self._fire = fire
        self._heap: list[tuple[datetime, int, str]] = []
        self._valid: dict[str, int] = {}
        self._order = itertools.count()
        self._wake: Wake | None = None

    def __len__(self) -> int:
        return len(self._valid)

    def start(self, name: str, at: datetime) -> None:
        """Wake at ``at``; a timer of that name is moved."""
        ticket = next(self._order)
        self._valid[name] = ticket
        heapq.heappush(self._heap, (at, ticket, name))
        self._arm()

    def stop(self, name: str) -> None:
        self._valid.pop(name, None)
        self._arm()

    def close(self) -> None:
        self._valid.clear()
        self._arm()

    def _arm(self) -> None:
        while self._heap and self._valid.get(self._heap[0][2]) != self._heap[0][1]:
            heapq.heappop(self._heap)
        due = self._heap[0][0] if self._heap else None
        if self._wake is not None:
            if due == self._wake.due:
                return
            self._wake.cancel()
            self._wake = None
        if due is not None:
            self._wake = self._clock.call_at(due, self._ring)

    def _ring(self) -> None:
        self._wake = None
        now = self._clock.now()
        due: list[tuple[int, str]] = []
        while self._heap and self._heap[0][0] <= now:
            _, ticket, name = heapq.heappop(self._heap)
            if self._valid.get(name) == ticket:
                due.append((ticket, name))
        self._arm()
        for ticket, name in due:
            if self._valid.get(name) == ticket:
                del self._valid[name]
                self._fire(name)
        self._arm()
