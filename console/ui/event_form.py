"""The form of the event editor: context, targets, signal, start, answer, timing and the table of intervals.

The form knows how to fill itself from an event and how to read itself as an :class:`EventDraft`; what cannot be read is
marked in its field and told in :attr:`EventForm.problems`. It asks nothing of the desk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import TypeVar

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QFont
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QLineEdit, QMenu, QSizePolicy, QVBoxLayout, QWidget

from console.app.durations import show_duration
from console.app.views import EventDraft, EventView, SessionView, VenView
from console.ui.event_draft import (
    FIRST_VALUE,
    SIGNALS,
    STARTS,
    Interval,
    base_unit,
    intervals_of,
    read_duration,
    read_start,
    show_start,
    typed_unit,
)
from console.ui.event_intervals import IntervalTable
from console.ui.theme import mono, ui
from console.ui.widgets import Button, Label, box, button, label, segments, tool
from console.ui.words import clock, plural

Read = TypeVar("Read")


class TargetButton(QWidget):
    """Which VENs: every one, or those that are ticked."""

    chosen = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.ven_ids: tuple[str, ...] = ()
        self._vens: list[tuple[str, str]] = []
        self.button = button("Every VEN", icon_name="users", run=self._open)
        self.button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.menu = QMenu(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.button)

    def set_vens(self, vens: Sequence[VenView]) -> None:
        known = [(ven.ven_id, ven.name) for ven in vens if ven.registered]
        if known != self._vens:
            self._vens = known
            self._show()

    def set_targets(self, ven_ids: Sequence[str]) -> None:
        self.ven_ids = tuple(ven_ids)
        self._show()

    def names(self) -> list[str]:
        """VENs that would get the event now."""
        return list(self.ven_ids) or [ven_id for ven_id, _ in self._vens]

    def _show(self) -> None:
        if not self.ven_ids:
            text = f"Every VEN, {count_words(len(self._vens))}"
        elif len(self.ven_ids) <= 3:
            text = ", ".join(self.ven_ids)
        else:
            text = f"{len(self.ven_ids)} of {plural(len(self._vens), 'VEN')}"
        self.button.set_text(text)
        self.button.setAccessibleName(f"Targets: {text}")
        self.menu.clear()
        self._add("Every VEN, now or later", not self.ven_ids, lambda: self._choose(()))
        self.menu.addSeparator()
        for ven_id, name in self._vens:
            self._add(f"{ven_id}   {name}", ven_id in self.ven_ids, lambda v=ven_id: self._toggle(v))

    def _add(self, text: str, ticked: bool, run: Callable[[], None]) -> None:
        action = QAction(text, self.menu)
        action.setCheckable(True)
        action.setChecked(ticked)
        action.triggered.connect(lambda _checked=False: run())
        self.menu.addAction(action)

    def _open(self) -> None:
        self.menu.popup(self.button.mapToGlobal(self.button.rect().bottomLeft()))

    def _toggle(self, ven_id: str) -> None:
        rest = [v for v in self.ven_ids if v != ven_id]
        self._choose(tuple(rest) if ven_id in self.ven_ids else (*self.ven_ids, ven_id))

    def _choose(self, ven_ids: tuple[str, ...]) -> None:
        self.set_targets(ven_ids)
        self.chosen.emit()


def count_words(vens: int) -> str:
    """``now 12``; for none, that it waits."""
    return f"now {vens}" if vens else "none yet"


class EventForm(QWidget):
    """All fields of a draft; :attr:`changed` follows every one of them."""

    changed = Signal()

    def __init__(self, zone: tzinfo) -> None:
        super().__init__()
        self.problems: dict[str, str] = {}
        """Field name to why it cannot be read."""
        self._zone = zone
        self._filling = False
        self._response = "always"
        self._rows = 0
        self._grid = QGridLayout()
        self._grid.setContentsMargins(12, 2, 12, 0)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnMinimumWidth(0, 62)
        self._grid.setColumnStretch(1, 1)
        self.session = self._combo("From", [], mono(12))
        self.context = self._combo("Context", [], ui())
        self.context.setEditable(True)
        self.targets = TargetButton()
        self.targets.chosen.connect(self._tell)
        self._row("Targets", self.targets)
        self._signal_row()
        self._start_row()
        self._answer_row()
        self._timing_rows()
        self.intervals = IntervalTable(zone)
        self.intervals.edited.connect(self._tell)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 8)
        column.setSpacing(0)
        column.addLayout(self._grid)
        column.addWidget(self.intervals)
        column.addStretch(1)
        self.context.editTextChanged.connect(self._tell)
        self.session.currentIndexChanged.connect(self._tell)

    def _row(self, text: str, widget: QWidget) -> Label:
        head = label(text, "text_muted", ui(12))
        self._grid.addWidget(head, self._rows, 0)
        self._grid.addWidget(widget, self._rows, 1)
        self._rows += 1
        return head

    def _combo(self, text: str, items: Sequence[str], font: QFont) -> QComboBox:
        made = QComboBox()
        made.addItems(list(items))
        made.setFont(font)
        made.setAccessibleName(text)
        made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._row(text, made)
        return made

    def _line(self, name: str, text: str = "", tip: str = "") -> QLineEdit:
        made = QLineEdit(text)
        made.setAccessibleName(name)
        made.setToolTip(tip)
        made.setMinimumWidth(40)
        made.textChanged.connect(self._tell)
        return made

    def _signal_row(self) -> None:
        self.signal, self.type, self.unit = QComboBox(), QComboBox(), QComboBox()
        for made, name in ((self.signal, "Signal"), (self.type, "Signal type"), (self.unit, "Unit")):
            made.setAccessibleName(name)
            made.setFont(mono(12) if made is not self.unit else ui(12.5))
            made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.signal.addItems(list(SIGNALS))
        self._row("Signal", self.signal)
        self._row("Type", box("h", (self.type, 1), (self.unit, 1), spacing=6))
        self.signal.currentTextChanged.connect(self._signal_changed)
        self.type.currentTextChanged.connect(self._type_changed)
        self.unit.currentTextChanged.connect(self._tell)

    def _start_row(self) -> None:
        self.start = self._line("Start", "+10 min", "From now (+10 min), today (13:00), or 2026-06-16 13:00")
        soon = button("+1 min", run=lambda: self.start.setText("+1 min"), tip="One minute from when it is issued")
        self._row("Start", box("h", (self.start, 1), 6, soon))
        self.start_words = label("", "text_muted", ui(12))
        self._row("", self.start_words)

    def _answer_row(self) -> None:
        self.answer = segments(("Always", "Never"), 0, self._answer_chosen, "Answer wanted")
        self.test = QCheckBox("Test event")
        self.test.setAccessibleName("Test event")
        self.test.toggled.connect(self._tell)
        self._row("Answer", box("h", self.answer, None, self.test))

    def _timing_rows(self) -> None:
        self.timing_words = label("", "text", ui(12.5), wrap=True)
        self.timing_words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._more = tool("pencil-line", "Change priority, notice, ramp-up, random start and recovery", self._fold)
        self._row("Timing", box("h", (self.timing_words, 1), self._more))
        self.priority = self._line("Priority", "0", "0 is none, 1 the highest")
        self.notice = self._line("Notice", "5 min", "From how long before the start the event is announced")
        self.ramp_up = self._line("Ramp-up", "", "Within the notice")
        self.start_after = self._line("Random start", "", "VENs start at random within this time")
        self.recovery = self._line("Recovery", "", "After the event")
        self.comment = self._line("Comment", "", "vtnComment, shown to the VEN's operator")
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        fields = (self.notice, self.priority, self.ramp_up, self.start_after, self.recovery, self.comment)
        for k, made in enumerate(fields):
            grid.addWidget(label(made.accessibleName(), "text_muted", ui(12)), k // 2, k % 2 * 2)
            grid.addWidget(made, k // 2, k % 2 * 2 + 1)
        self._timing = QWidget()
        self._timing.setLayout(grid)
        self._timing.hide()
        self._grid.addWidget(self._timing, self._rows, 0, 1, 2)
        self._rows += 1

    def _fold(self) -> None:
        self._timing.setVisible(self._timing.isHidden())

    def _answer_chosen(self, number: int) -> None:
        self._response = ("always", "never")[number]
        self._tell()

    def _tell(self, *_: object) -> None:
        if not self._filling:
            self.changed.emit()

    def _signal_changed(self, signal: str) -> None:
        types = list(SIGNALS.get(signal, {}))
        self.type.blockSignals(True)
        self.type.clear()
        self.type.addItems(types)
        self.type.blockSignals(False)
        self._type_changed(types[0] if types else "")
        if not self._filling:
            first = FIRST_VALUE.get(signal, 0.0)
            self.intervals.set_intervals([Interval(each.duration, first) for each in self.intervals.model.intervals])
            self.changed.emit()

    def _type_changed(self, signal_type: str) -> None:
        units = SIGNALS.get(self.signal.currentText(), {}).get(signal_type, ())
        self.unit.blockSignals(True)
        self.unit.clear()
        self.unit.addItems(list(units) or ["no unit"])
        self.unit.setEnabled(bool(units))
        self.unit.blockSignals(False)
        self._tell()

    def set_places(self, sessions: Sequence[SessionView], vens: Sequence[VenView], contexts: Sequence[str]) -> None:
        """What there is to choose from: VTNs of ours, their VENs, market contexts seen."""
        names = [session.name for session in sessions if session.kind == "VTN"]
        if names != [self.session.itemText(k) for k in range(self.session.count())]:
            current = self.session.currentText()
            self.session.blockSignals(True)
            self.session.clear()
            self.session.addItems(names)
            self.session.setCurrentIndex(max(0, names.index(current) if current in names else 0))
            self.session.blockSignals(False)
        self._show_session(len(names) > 1)
        for context in contexts:
            if self.context.findText(context) < 0:
                self.context.addItem(context)
        self.targets.set_vens([ven for ven in vens if ven.session == self.session.currentText()])

    def _show_session(self, shown: bool) -> None:
        for column in (0, 1):
            item = self._grid.itemAtPosition(0, column)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.setVisible(shown)

    def fill_new(self) -> None:
        """An empty draft: SIMPLE 1 for half an hour, in ten minutes."""
        self._filling = True
        self.session.setEnabled(True)
        self.targets.set_targets(())
        self.targets.setEnabled(True)
        self.signal.setCurrentText("SIMPLE")
        self._signal_changed("SIMPLE")
        for line, text in (
            (self.start, "+10 min"),
            (self.priority, "0"),
            (self.notice, "5 min"),
            (self.ramp_up, ""),
            (self.start_after, ""),
            (self.recovery, ""),
            (self.comment, ""),
        ):
            line.setText(text)
        self.test.setChecked(False)
        self._choose_answer("always")
        self.intervals.set_intervals([Interval(timedelta(minutes=30), FIRST_VALUE["SIMPLE"])])
        self._filling = False
        self.changed.emit()

    def fill_from(self, view: EventView) -> None:
        """The event as it stands, to be modified; who gets it stays as it is."""
        event = view.event
        self._filling = True
        self.session.setCurrentText(view.session)
        self.session.setEnabled(False)
        self.context.setEditText(event.market_context)
        self.targets.set_targets(tuple(ven.ven_id for ven in view.vens))
        self.targets.setEnabled(False)
        if event.signals:
            signal = event.signals[0]
            self.signal.setCurrentText(signal.name)
            self._signal_changed(signal.name)
            self.type.setCurrentText(signal.type)
            self._type_changed(signal.type)
            self.unit.setCurrentText(typed_unit(signal.name, signal.type, signal.unit))
        self.start.setText(show_start(event.start, self._zone))
        self.priority.setText(str(event.priority))
        for line, length in (
            (self.notice, event.notification),
            (self.ramp_up, event.ramp_up),
            (self.start_after, event.start_after),
            (self.recovery, event.recovery),
        ):
            line.setText(show_duration(length) if length else "")
        self.comment.setText(event.vtn_comment)
        self.test.setChecked(event.test_event)
        self._choose_answer(event.response_required)
        self.intervals.set_intervals(intervals_of(view))
        self._filling = False
        self.changed.emit()

    def _choose_answer(self, response: str) -> None:
        self._response = response if response == "never" else "always"
        for made in self.answer.findChildren(Button):
            made.setChecked(made.text().lower() == self._response)

    def read(self, now: datetime) -> EventDraft | None:
        """The draft, or None where a field cannot be read; :attr:`problems` then says which and why."""
        self.problems = {}
        start = self._read("start", self.start, lambda text: read_start(text, now, self._zone), None)
        zero = timedelta()
        notice = self._read("notice", self.notice, read_duration, zero)
        ramp_up = self._read("ramp-up", self.ramp_up, read_duration, None)
        start_after = self._read("random start", self.start_after, read_duration, None)
        recovery = self._read("recovery", self.recovery, read_duration, None)
        priority = self._read("priority", self.priority, read_priority, 0)
        unit, factor = base_unit(self.unit.currentText() if self.unit.isEnabled() else "")
        self.intervals.model.set_frame(self.unit.currentText() if self.unit.isEnabled() else "", start)
        self._say_start(start, now)
        self._say_timing(notice, priority)
        if start is None or self.problems:
            return None
        return EventDraft(
            signal_name=self.signal.currentText(),
            signal_type=self.type.currentText(),
            unit=unit,
            start=start,
            intervals=tuple((each.duration, each.value * factor) for each in self.intervals.model.intervals),
            market_context=self.context.currentText().strip(),
            priority=priority or 0,
            response_required=self._response,
            notification=notice or zero,
            ramp_up=ramp_up,
            recovery=recovery,
            start_after=start_after,
            test_event=self.test.isChecked(),
            vtn_comment=self.comment.text().strip(),
            ven_ids=self.targets.ven_ids,
        )

    def _read(self, name: str, line: QLineEdit, reader: Callable[[str], Read], default: Read | None) -> Read | None:
        """What the field says; an empty one is ``default``, a wrong one is marked and told."""
        text, why = line.text(), ""
        value = default
        if text.strip() or name == "start":
            try:
                value = reader(text)
            except ValueError as error:
                why = self.problems[name] = str(error)
        if bool(line.property("wrong")) != bool(why):
            line.setProperty("wrong", bool(why))
            line.style().unpolish(line)
            line.style().polish(line)
        line.setAccessibleDescription(why)
        return value

    def _say_start(self, start: datetime | None, now: datetime) -> None:
        if start is None:
            self.start_words.setText(f"Write {STARTS}.")
            return
        ahead = (start - now).total_seconds()
        length = show_duration(timedelta(seconds=round(abs(ahead))))
        relative = f"in {length}" if ahead >= 0 else f"{length} ago"
        day = "" if start.astimezone(self._zone).date() == now.astimezone(self._zone).date() else f", {start:%d %b}"
        self.start_words.setText(f"starts {clock(start, self._zone)}{day}, {relative}")

    def _say_timing(self, notice: timedelta | None, priority: int | None) -> None:
        parts = [f"Notice {show_duration(notice)}" if notice else "No notice", f"priority {priority or 0}"]
        for name, line in (("ramp-up", self.ramp_up), ("random start", self.start_after), ("recovery", self.recovery)):
            if line.text().strip() and name not in self.problems:
                parts.append(f"{name} {line.text().strip()}")
        if {"notice", "ramp-up", "random start", "recovery", "priority"} & set(self.problems):
            self._timing.show()
        self.timing_words.setText(", ".join(parts))


def read_priority(text: str) -> int:
    """A whole number from 0."""
    if not text.strip().isdecimal() or len(text.strip()) > 9:
        raise ValueError(f"“{text.strip()}” is no priority; write 0 for none, 1 for the highest, or more.")
    return int(text)
