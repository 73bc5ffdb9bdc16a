"""How fast a peer may send: a bucket of turns that fills at a steady rate. Pure; time is the runner's, in seconds.

A peer that sends faster is read slower, so that its own sending blocks; nothing it sent is lost, and nobody else waits
for it.
"""

from __future__ import annotations


class Pace:
    """``rate`` turns a second on the long run, up to ``burst`` at once."""

    def __init__(self, rate: float, burst: int, now_s: float) -> None:
        self._rate = rate
        self._burst = burst
        self._turns = float(burst)
        self._at = now_s

    def wait_s(self, now_s: float) -> float:
        """Take one turn; returns the seconds to wait before the next one may be taken, 0 as long as some are left."""
        self._turns = min(self._turns + (now_s - self._at) * self._rate, float(self._burst)) - 1.0
        self._at = now_s
        return 0.0 if self._turns > 0.0 else -self._turns / self._rate + 1.0 / self._rate
