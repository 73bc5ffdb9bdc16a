"""The emulator's idea of time: an aware UTC datetime handed in by whoever runs the site.

Nothing in the emulator reads a clock of the machine; a site is stepped to an instant. The protocol exists so that a
site run alone and a site behind a VEN are driven alike. This module alone owns the machine's clock and the waiting, for
a site that runs alone.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The site's present instant, aware, UTC."""
        ...


def wall() -> datetime:
    """The machine's present, aware, UTC."""
    return datetime.now(UTC)


class RunningClock:
    """Goes from ``start`` at ``speed`` seconds a second, unmoved by changes of the machine's time."""

    def __init__(self, start: datetime, speed: float = 1.0) -> None:
        self.speed = speed
        self._start = start
        self._begun = time.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.elapsed() * self.speed)

    def elapsed(self) -> float:
        """Real seconds since it was started."""
        return time.monotonic() - self._begun


async def pause(seconds: float) -> None:
    """Let others go on for real seconds; for 0, once around."""
    await asyncio.sleep(seconds)
