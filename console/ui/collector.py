"""Garbage is collected on the thread of the window, never on another.

Python collects cycles on whichever thread happens to allocate next. A cycle that holds a widget, a model or a timer
would then be deleted by the store's writer or by a search, and Qt ends the process for that.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer, Slot

EVERY_MS = 40
"""Often, so that little has come together each time: half a second of a storm takes 40 ms to look through."""


class Collector(QObject):
    """Takes collection over while it lives: asks again and again whether a generation is due."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._was_enabled = gc.isenabled()
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    @Slot()
    def look(self) -> None:
        """Collect the oldest generation that is due by Python's own thresholds."""
        for generation in (2, 1, 0):
            if 0 < gc.get_threshold()[generation] < gc.get_count()[generation]:
                gc.collect(generation)
                return

    @staticmethod
    def settle() -> None:
        """What there is now stays to the end: modules and classes are not looked through again and again."""
        gc.freeze()

    def let_go(self) -> None:
        """Leave collection to Python again."""
        self._timer.stop()
        if self._was_enabled:
            gc.enable()
