"""What to export, and which part of a recording to keep: two small dialogs, opened and never waited in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QRadioButton, QSpinBox, QVBoxLayout, QWidget

from console.app.export import Format
from console.app.recording import Span
from console.ui.theme import ui
from console.ui.widgets import box, button, label
from console.ui.words import clock, plural

if TYPE_CHECKING:
    from console.app.views import Desk

WIDEST = 480


class _Asking(QDialog):
    """Title, some choices, the safe button left and the verb right."""

    def __init__(self, parent: QWidget, title: str, verb: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFixedWidth(WIDEST)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(16, 14, 16, 14)
        self.column.setSpacing(8)
        self.column.addWidget(label(title, "text", ui(14, 600)))
        self.verb = button(verb, "primary", run=self.accept)
        self.safe = button("Cancel", run=self.reject)

    def finish(self) -> None:
        self.safe.setAutoDefault(False)
        self.verb.setDefault(True)
        self.column.addSpacing(6)
        self.column.addWidget(box("h", None, self.safe, self.verb, spacing=8))


class ExportDialog(_Asking):
    """Format, which messages, and whether to redact; then a place is asked for."""

    def __init__(self, parent: QWidget, every: Sequence[int], shown: Sequence[int], selected: Sequence[int]) -> None:
        super().__init__(parent, "Export messages", "Choose a place…")
        self._choices: list[tuple[QRadioButton, Sequence[int]]] = []
        self.format = QComboBox()
        self.format.setAccessibleName("Format")
        for each in Format:
            self.format.addItem(each.words, each)
        self.column.addWidget(self.format)
        for text, numbers in (
            (f"All {plural(len(every), 'message')}", every),
            (f"The {plural(len(shown), 'message')} the list shows", shown),
            (f"The selected exchange ({plural(len(selected), 'message')})", selected),
        ):
            choice = QRadioButton(text)
            choice.setEnabled(bool(numbers))
            self._choices.append((choice, numbers))
            self.column.addWidget(choice)
        self._choices[1 if 0 < len(shown) < len(every) else 0][0].setChecked(True)
        self.redact = QCheckBox("Replace ids, addresses and certificates before it leaves")
        self.redact.setToolTip("The same id always by the same pseudonym, in bodies too. Free texts go whole.")
        self.column.addWidget(self.redact)
        self.finish()

    def form(self) -> Format:
        return Format(self.format.currentData())

    def numbers(self) -> Sequence[int]:
        return next(numbers for choice, numbers in self._choices if choice.isChecked())


class SpanDialog(_Asking):
    """From which message to which."""

    def __init__(self, parent: QWidget, desk: Desk) -> None:
        super().__init__(parent, "Save part of the recording", "Choose a place…")
        self._desk = desk
        count = len(desk.messages)
        self.first, self.last = QSpinBox(), QSpinBox()
        for each, name, value in ((self.first, "First message", 1), (self.last, "Last message", count)):
            each.setAccessibleName(name)
            each.setRange(1, count)
            each.setValue(value)
            each.valueChanged.connect(self._show)
        self.times = label("", "text_muted", ui(12), wrap=True)
        self.column.addWidget(box("h", label("From No."), self.first, label("to No."), self.last, None, spacing=8))
        self.column.addWidget(self.times)
        self.finish()
        self._show()

    def _show(self) -> None:
        first, last = self.first.value(), self.last.value()
        self.verb.setEnabled(first <= last)
        if first > last:
            self.times.setText("The first message comes after the last.")
            return
        messages, zone = self._desk.messages, self._desk.timezone
        start, end = clock(messages.view(first - 1).time, zone), clock(messages.view(last - 1).time, zone)
        self.times.setText(f"{plural(last - first + 1, 'message')}, {start} to {end}, with what was true by then.")

    def span(self) -> Span:
        return Span(first=self.first.value(), last=self.last.value())
