"""The history of one value of a message, under the tree: what it was in every message of the kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QTimer, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from console.ui.plots import Curve, TimePlot
from console.ui.theme import ui
from console.ui.widgets import box, label, line, tool
from console.ui.words import count, plural

if TYPE_CHECKING:
    from console.app.value_history import ValueHistory
    from console.app.views import Desk

ASK_MS = 100
HEIGHT = 150


class ValuePlot(QWidget):
    """Hidden until a value is plotted."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.history: ValueHistory | None = None
        self._title = label("", "text", ui(12, 600))
        self._said = label("", "text_muted", ui(12))
        head = box("h", self._title, 8, (self._said, 1), tool("x", "Close the plot", self.close_plot),
                   margins=(12, 0, 8, 0), name="panel")  # fmt: skip
        self.plot = TimePlot("Value", None, desk.timezone)
        self.plot.key.hide()
        self.plot.setFixedHeight(HEIGHT)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for part in (line(), head, self.plot):
            layout.addWidget(part)
        self._timer = QTimer(self)
        self._timer.setInterval(ASK_MS)
        self._timer.timeout.connect(self.ask)
        self.hide()

    def show_value(self, number: int, path: str) -> None:
        """Plot what the element at ``path`` of message ``number`` was in the messages before and after it."""
        self.close_plot()
        history = self._desk.value_history(number, path)
        self.history = history
        self._title.setText(history.name or "No such element")
        self.plot.set_curves([Curve("value", history.name, "series_1", steps=True)])
        self.show()
        self._timer.start()
        self.ask()

    def close_plot(self) -> None:
        self._timer.stop()
        if self.history is not None:
            self.history.cancel()
            self.history = None
        self.hide()

    @Slot()
    def ask(self) -> None:
        """Take in what was read since."""
        history = self.history
        if history is None:
            return
        more = history.take()
        if history.finished:
            self._timer.stop()
        if history.trouble:
            self._said.setText(history.trouble)
        elif not history.finished:
            self._said.setText(f"{count(history.done)} of {count(history.total)} messages")
        elif not history.values:
            self._said.setText("no number in any message")
        else:
            low, high = min(history.values), max(history.values)
            self._said.setText(f"{low:g} to {high:g} in {plural(len(history.values), 'message')}")
        if more:
            self._draw(history)

    def _draw(self, history: ValueHistory) -> None:
        times = np.asarray(history.times, dtype=np.float64)
        order = np.argsort(times, kind="stable")
        self.plot.set_series("value", times[order], np.asarray(history.values, dtype=np.float64)[order])
        start, end = float(times.min()), float(times.max())
        self.plot.set_range(start, max(end, start + 1.0))
        self.plot.redraw()

    def retheme(self) -> None:
        self.plot.retheme()
