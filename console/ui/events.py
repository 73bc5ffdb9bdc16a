"""The Events view: the chart above, the selected event or the editor beneath.

A click on a bar selects the event everywhere. New, modify and cancel go through the desk; what it answers is said in
the foot of the pane.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from PySide6.QtCore import QRectF, Qt, Slot
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from console.app.views import Area, Desk, EventView
from console.ui.actions import Action
from console.ui.bridge import CLOCK
from console.ui.cursor import TimeCursor
from console.ui.event_detail import OVER, EventDetail
from console.ui.event_dialog import CancelDialog, EventEditor
from console.ui.gantt import Gantt, rows_of
from console.ui.glyphs import event_bar, glyph, put
from console.ui.theme import ui
from console.ui.widgets import Canvas, box, button, empty_state, line
from console.ui.words import clock, plural

HEAD_HEIGHT = 36
EDITOR_HEIGHT = 440
"""At which the whole form shows, px."""
INTERESTING = frozenset({str(Area.EVENTS), str(Area.PRESENCE), str(Area.SESSIONS), CLOCK})


class Legend(Canvas):
    """What fills and end caps mean."""

    def __init__(self) -> None:
        super().__init__(
            height=24, name="Legend: far, near, active, completed, cancelled, draft; optIn, optOut, no answer"
        )
        self.setMinimumWidth(300)

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        x = 0.0
        for status in ("far", "near", "active", "completed", "cancelled", "draft"):
            event_bar(painter, QRectF(x, height / 2 - 6, 22, 12), status, "")
            x += 28 + put(painter, QRectF(x + 28, 0, 100, height), status, "text_muted", ui(12)) + 14
        for name, text in (("ok", "optIn"), ("x", "optOut"), ("wait", "no answer")):
            glyph(painter, name, x + 6, height / 2, 11, "text_muted")
            x += 17 + put(painter, QRectF(x + 17, 0, 100, height), text, "text_muted", ui(12)) + 12


class EventsView(QWidget):
    """Events of every session of ours."""

    def __init__(self, desk: Desk, cursor: TimeCursor) -> None:
        super().__init__()
        self._desk, self._cursor = desk, cursor
        self._chosen: tuple[str, str] | None = None
        self._moved = False
        """Whether somebody moved the border between chart and pane."""
        self.chart = Gantt(desk.timezone)
        self.chart.chosen.connect(self._choose)
        self.new = button("New event…", "", "plus", self.new_event, "Opens the editor; nothing is sent before Issue")
        self.fit = button("Follow events", "quiet", "clock", self.chart.follow, "Let the time range follow the events")
        self.detail = EventDetail(desk.timezone)
        self.editor = EventEditor(desk)
        self.start = button("New event…", "primary", run=self.new_event)
        self.empty = empty_state("No event has been issued or received.", "", self.start)
        self.hint = empty_state("Select an event to see its course, its answers and its modifications.")
        self.pane = QStackedWidget()
        for part in (self.hint, self.detail, self.editor):
            self.pane.addWidget(part)
        head = box("h", (Legend(), 1), self.fit, self.new, margins=(12, 0, 8, 0), spacing=4, name="panel")
        head.setFixedHeight(HEAD_HEIGHT)
        self._split = QSplitter(Qt.Orientation.Vertical)
        self._split.setObjectName("events_split")
        self._split.setHandleWidth(1)
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(self.chart)
        self._split.addWidget(self.pane)
        self._split.setStretchFactor(1, 1)
        self._split.splitterMoved.connect(self._border_moved)
        self._body = QStackedWidget()
        self._body.addWidget(self.empty)
        self._body.addWidget(self._split)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(head)
        column.addWidget(line())
        column.addWidget(self._body, 1)
        self.editor.finished.connect(self._edited)
        self.editor.redrawn.connect(self._draw_chart)
        self.detail.modify_wanted.connect(self.modify_event)
        self.detail.cancel_wanted.connect(self.cancel_event)
        self.detail.opt_wanted.connect(self._opt)
        self.detail.messages_wanted.connect(self._show_messages)
        cursor.event_selected.connect(self._event_selected)
        cursor.time_changed.connect(self._time_changed)

    def actions_offered(self) -> list[Action]:
        """What this view adds to menus and palette."""
        return [
            Action("event.modify", "Modify event…", "Event", self._front(self.modify_event), when=self._changeable,
                   tip="Opens the editor with the selected event; nothing is sent before Modify."),
            Action("event.cancel", "Cancel event…", "Event", self._front(self.cancel_event), "Ctrl+Backspace",
                   when=self._changeable, tip="Asks, then sends the event again as cancelled; VENs stop it."),
            Action("event.send", "Issue what the editor holds", "Event", self.editor.send, "Ctrl+Return",
                   when=lambda: self.editing and self.isVisible(),
                   tip="The first stroke goes to the button that names what is sent, the second sends it."),
            Action("event.messages", "Show messages of the event", "Event", self._show_messages,
                   when=lambda: self.selected() is not None, tip="Narrows the message list to the selected event."),
            Action("event.follow", "Let the chart follow the events", "Event", self.chart.follow,
                   when=lambda: not self.chart.follows,
                   tip="Undoes zooming and panning; Home in the chart does the same."),
        ]  # fmt: skip

    def _front(self, run: Callable[[], object]) -> Callable[[], None]:
        def shown() -> None:
            self._cursor.show_view("Events")
            run()

        return shown

    def _changeable(self) -> bool:
        view = self.selected()
        return view is not None and view.mine and view.event.status not in OVER

    @property
    def editing(self) -> bool:
        return self.pane.currentWidget() is self.editor

    def selected(self) -> EventView | None:
        """The event that is chosen, as it stands now."""
        for view in self._desk.events():
            if (view.session, view.event.event_id) == self._chosen:
                return view
        return None

    def refresh(self, changed: frozenset[str]) -> None:
        if not changed & INTERESTING:
            return
        if self.editing:
            self.editor.refresh(changed)
        self._draw_chart()
        self._show_chosen()

    def retheme(self) -> None:
        self.detail.retheme()
        self.editor.retheme()
        self.chart.viewport().update()
        self.update()

    def new_event(self) -> None:
        """Open the editor with an empty draft."""
        self.pane.setCurrentWidget(self.editor)
        self.editor.start_new()
        self._draw_chart()

    def modify_event(self) -> None:
        """Open the editor with the selected event, if it may be modified."""
        view = self.selected()
        if view is not None and self._changeable():
            self.pane.setCurrentWidget(self.editor)
            self.editor.start_modify(view)
            self._draw_chart()

    def cancel_event(self) -> CancelDialog | None:
        """Ask, then cancel the selected event."""
        view = self.selected()
        if view is None or not self._changeable():
            return None
        event, vens = view.event, plural(len(view.vens), "VEN")
        when = f"It starts at {clock(event.start, self._desk.timezone)}."
        if event.start <= self._desk.now():
            when = f"It began at {clock(event.start, self._desk.timezone)}."
        opted = sum(ven.opt_type == "optIn" for ven in view.vens)
        back = (
            f"; {plural(opted, 'VEN')} that opted in {'returns' if opted == 1 else 'return'} to normal" if opted else ""
        )
        dialog = CancelDialog(
            self,
            f"Cancel event {event.event_id} for {vens}?",
            f"{when} Nodebench sends modification {event.modification_number + 1} with eventStatus cancelled{back}.",
            "Keep event",
            f"Cancel event for {vens}",
            lambda: self._cancel(view.session, event.event_id),
        )
        dialog.open()
        return dialog

    def _cancel(self, session: str, event_id: str) -> None:
        outcome = self._desk.cancel_event(session, event_id)
        self._after(outcome.text, outcome.ok)

    @Slot(str)
    def _opt(self, opt_type: str) -> None:
        if self._chosen is not None:
            outcome = self._desk.set_opt(*self._chosen, opt_type)
            self._after(outcome.text, outcome.ok)

    def _after(self, text: str, ok: bool) -> None:
        self._draw_chart()
        self._show_chosen()
        self.detail.say(text, ok)

    @Slot()
    def _show_messages(self) -> None:
        if self._chosen is not None:
            self._cursor.show_messages(self._chosen[1])

    @Slot(str, str)
    def _edited(self, event_id: str, text: str) -> None:
        session = self.editor.form.session.currentText()
        self.pane.setCurrentWidget(self.hint)
        if event_id:
            self._choose(session, event_id)
        self._draw_chart()
        self._show_chosen()
        if text:
            self.detail.say(text)
        self.chart.setFocus()

    @Slot(str, str)
    def _choose(self, session: str, event_id: str) -> None:
        self._chosen = (session, event_id)
        self._cursor.select_event(event_id)
        self._show_chosen()

    @Slot(str)
    def _event_selected(self, event_id: str) -> None:
        if self._chosen is None or self._chosen[1] != event_id:
            views = [view for view in self._desk.events() if view.event.event_id == event_id]
            views.sort(key=lambda view: not view.mine)
            self._chosen = (views[0].session, event_id) if views else None
            self._show_chosen()

    @Slot(object)
    def _time_changed(self, moment: datetime | None) -> None:
        self.chart.set_cursor(moment.astimezone(UTC).timestamp() if moment else None)

    def _draw_chart(self) -> None:
        now = self._desk.now().timestamp()
        drafts = self.editor.bars() if self.editing else []
        rows = rows_of(self._desk.events(), self._desk.vens(), drafts, now, self._desk.timezone)
        self.chart.show_rows(rows, now)
        wanted = self._split if rows or self.editing else self.empty
        self.new.setVisible(wanted is self._split)
        can_issue = any(session.kind == "VTN" for session in self._desk.sessions())
        for made in (self.new, self.start):
            made.setEnabled(can_issue)
        self.fit.setVisible(not self.chart.follows)
        if self._body.currentWidget() is not wanted:
            self._body.setCurrentWidget(wanted)
        self._share_height()

    @Slot()
    def _border_moved(self) -> None:
        self._moved = True

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_height()

    def _share_height(self) -> None:
        """Give the chart what it needs, at most half, until somebody moves the border."""
        total = self._split.height()
        most = max(int(total * 0.25), total - EDITOR_HEIGHT) if self.editing else int(total * 0.5)
        wanted = min(self.chart.natural_height(), most)
        if total > 200 and not self._moved and abs(self._split.sizes()[0] - wanted) > 1:
            self._split.setSizes([wanted, total - wanted])

    def _show_chosen(self) -> None:
        self.chart.select(*(self._chosen or ("", "")))
        view = self.selected()
        if self.editing:
            return
        if view is None:
            self.pane.setCurrentWidget(self.hint)
            return
        self.detail.show_event(view, self._desk.now().timestamp())
        self.pane.setCurrentWidget(self.detail)
