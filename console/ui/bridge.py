"""The one path from the desk into Qt: a 33 ms tick that asks what changed and tells the views that can be seen.

There is no signal per message. A view that is hidden is told when it is shown, all at once. The bridge also keeps how
long the window ever went without a tick, which is what a user feels as a stall.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Slot

if TYPE_CHECKING:
    from console.app.views import Desk

TICK_MS = 33
CLOCK = "clock"
"""Handed to views once a second beside the desk's areas, for ages and clocks that count."""
CLOCK_MS = 1000
GAPS_KEPT = 60


class Listener(Protocol):
    """A view, or a part of the frame that is always there."""

    def refresh(self, changed: frozenset[str]) -> None: ...


class Bridge(QObject):
    """Ticks while it is started.

    Parameters
    ----------
    desk : Desk
        Asked once per tick for what changed.
    """

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._listeners: list[tuple[Listener, Callable[[], bool]]] = []
        self._owed: list[set[str]] = []
        self._since_tick = QElapsedTimer()
        self._since_clock = QElapsedTimer()
        self._gaps: deque[float] = deque(maxlen=GAPS_KEPT)
        self.longest_gap_ms = 0.0
        """Longest time between two ticks since :meth:`start` or :meth:`forget_gaps`; 33 when nothing stalls."""
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self.tick)

    def add(self, listener: Listener, visible: Callable[[], bool]) -> None:
        """Tell ``listener`` of changes while ``visible()``; it starts with everything owed to it."""
        self._listeners.append((listener, visible))
        self._owed.append({"sessions", "messages", "events", "presence", "reports", "telemetry", "site", "findings"})
        self._owed[-1] |= {"status", CLOCK}

    def start(self) -> None:
        self.forget_gaps()
        self._since_clock.start()
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    def forget_gaps(self) -> None:
        """Begin a new measurement, e.g. when the first paint is done."""
        self._gaps.clear()
        self.longest_gap_ms = 0.0
        self._since_tick.invalidate()

    @property
    def fps(self) -> int:
        """Ticks per second over the last two seconds; 30 when nothing stalls."""
        total = sum(self._gaps)
        return round(1000 * len(self._gaps) / total) if total else 0

    @Slot()
    def tick(self) -> None:
        """Hand on what changed; called by the timer, and by tests and pictures to be up to date at once."""
        self._measure()
        changed = self._desk.take_changes()
        if not self._since_clock.isValid() or self._since_clock.elapsed() >= CLOCK_MS:
            self._since_clock.start()
            changed |= {CLOCK}
        for owed in self._owed:
            owed |= changed
        for (listener, visible), owed in zip(self._listeners, self._owed, strict=True):
            if owed and visible():
                due = frozenset(owed)
                owed.clear()
                listener.refresh(due)

    def _measure(self) -> None:
        if self._since_tick.isValid():
            gap = self._since_tick.nsecsElapsed() / 1e6
            self._gaps.append(gap)
            self.longest_gap_ms = max(self.longest_gap_ms, gap)
        self._since_tick.start()
