"""How long to wait before trying a peer again: 1 s, doubling, each ±10 %, up to a cap (section 10, clause 7.2)."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from console.openadr.actions import Send, StartTimer

FIRST = timedelta(seconds=1)
SPREAD = 0.1


class BackOff:
    """Waits between tries; :meth:`reset` after a success."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._next = FIRST

    def wait(self, cap: timedelta) -> timedelta:
        """The next wait; its jitter may exceed ``cap`` by a tenth."""
        step = min(self._next, cap)
        self._next = min(self._next * 2, max(cap, FIRST))
        return step * self._rng.uniform(1 - SPREAD, 1 + SPREAD)

    def reset(self) -> None:
        self._next = FIRST


class Resends:
    """Requests the wire lost, each waiting for its next try under a timer of its own."""

    PREFIX = "again:"

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._lost: dict[str, tuple[Send, BackOff, int]] = {}
        self._count = 0

    def lost(self, request: Send, now: datetime, cap: timedelta, tries: int | None) -> StartTimer | None:
        """Have a request wait for another try; None after ``tries`` of them (None: never give up)."""
        name = next((name for name, (sent, _, _) in self._lost.items() if sent == request), "")
        if not name:
            self._count += 1
            name = f"{self.PREFIX}{self._count}"
        _, backoff, tried = self._lost.pop(name, (request, BackOff(self._rng), 0))
        if tries is not None and tried >= tries:
            return None
        self._lost[name] = (request, backoff, tried + 1)
        return StartTimer(name, now + backoff.wait(cap))

    def due(self, name: str) -> Send | None:
        """The request to send again; it waits on until it got through."""
        return self._lost[name][0] if name in self._lost else None

    def through(self, request: Send) -> None:
        """It got an answer."""
        self._lost = {name: lost for name, lost in self._lost.items() if lost[0] != request}

    def clear(self) -> None:
        self._lost.clear()
