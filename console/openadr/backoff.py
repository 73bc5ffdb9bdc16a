"""How long to wait before trying a peer again: 1 s, doubling, each ±10 %, up to a cap (section 10, clause 7.2)."""

from __future__ import annotations

import random
from datetime import timedelta

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
