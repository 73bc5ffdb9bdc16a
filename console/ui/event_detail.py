"""The selected event under the chart: facts, the course of its signals, answers of its VENs, its modifications."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from console.app.durations import show_duration
from console.app.views import EventVen, EventView
from console.app.words import quantity
from console.openadr.facts import EventStatus
from console.ui.event_dialog import FINDINGS_WIDTH, FOOT_HEIGHT, FORM_WIDTH, LEAST_PANE, scrolled
from console.ui.event_preview import EventPreview, course_of_event
from console.ui.gantt import when_words
from console.ui.glyphs import OPT_GLYPH, glyph, put
from console.ui.theme import ROW, col, mono, ui
from console.ui.widgets import Canvas, FactsGrid, box, button, label, line, pane_title
from console.ui.words import clock, plural

OVER = (EventStatus.COMPLETED, EventStatus.CANCELLED)


def answers_words(view: EventView) -> str:
    """``3 optIn, 1 optOut, 1 no answer``."""
    opted_in = sum(ven.opt_type == "optIn" for ven in view.vens)
    opted_out = sum(ven.opt_type == "optOut" for ven in view.vens)
    silent = len(view.vens) - opted_in - opted_out
    parts = [f"{n} {word}" for n, word in ((opted_in, "optIn"), (opted_out, "optOut"), (silent, "no answer")) if n]
    return ", ".join(parts) or "sent to nobody yet"


def facts_of(view: EventView, zone: tzinfo) -> list[tuple[str, str, bool]]:
    """(what, value, literal) rows of an event."""
    event = view.event
    rows = [
        ("eventID", f"{event.event_id}/{event.modification_number}", True),
        ("eventStatus", event.status.value, True),
        ("When", when_words(view, zone), False),
    ]
    for signal in event.signals:
        rows.append(("Signal", f"{signal.name} {signal.type}", True))
        if signal.current_value is not None and event.status is EventStatus.ACTIVE:
            rows.append(("Now", quantity(signal.current_value, signal.unit), False))
    for what, length in (
        ("Notice", event.notification),
        ("Ramp-up", event.ramp_up),
        ("Random start", event.start_after),
        ("Recovery", event.recovery),
    ):
        if length:
            rows.append((what, show_duration(length), False))
    rows += [
        ("Context", event.market_context, True),
        ("Priority", str(event.priority) if event.priority else "0, none", False),
        ("Answer", event.response_required, True),
    ]
    if event.test_event:
        rows.append(("Test event", "yes: VENs act as if, and shed nothing", False))
    if event.vtn_comment:
        rows.append(("Comment", event.vtn_comment, False))
    return rows


class AnswerTable(Canvas):
    """One row per VEN: what it answered and when; why it no longer holds the event."""

    def __init__(self, zone: tzinfo) -> None:
        super().__init__(name="Answers of the VENs")
        self._zone = zone
        self.vens: tuple[EventVen, ...] = ()
        self._wanted = True

    def show_vens(self, vens: tuple[EventVen, ...], wanted: bool) -> None:
        if (vens, wanted) == (self.vens, self._wanted) and self.height() > 0:
            return
        self.vens, self._wanted = vens, wanted
        self.setFixedHeight(max(ROW * len(vens), ROW))
        self.setAccessibleDescription("; ".join(f"{ven.ven_id} {self.answer(ven)}" for ven in vens))
        self.update()

    def answer(self, ven: EventVen) -> str:
        if ven.opt_type:
            return ven.opt_type
        return "no answer yet" if self._wanted and ven.status not in OVER else "no answer"

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        painter.fillRect(0, 0, width, height, col("panel"))
        for k, ven in enumerate(self.vens):
            y = k * ROW
            glyph(painter, OPT_GLYPH.get(ven.opt_type, "wait"), 20, y + ROW / 2, 11, "text")
            put(painter, QRectF(34, y, 108, ROW), ven.ven_id, "text", ui(12.5, 500))
            put(painter, QRectF(150, y, 88, ROW), self.answer(ven), "text", ui(12.5))
            at = clock(ven.answered_at, self._zone) if ven.answered_at else ""
            put(painter, QRectF(242, y, 62, ROW), at, "text_muted", ui(12))
            why = ven.gone or ven.text
            if why:
                put(painter, QRectF(306, y, width - 314, ROW), why, "text_muted", ui(12))


class HistoryTable(Canvas):
    """When each modification was made and what it changed, latest first."""

    def __init__(self, zone: tzinfo) -> None:
        super().__init__(name="Modifications")
        self._zone = zone
        self.history: tuple[tuple, ...] = ()

    def show_history(self, view: EventView) -> None:
        history = tuple(sorted(view.history, key=lambda each: (each[1], each[0]), reverse=True))
        if history == self.history and self.height() > 0:
            return
        self.history = history
        self.setFixedHeight(max(ROW * len(history), ROW))
        self.setAccessibleDescription("; ".join(f"{number}: {what}" for _, number, what in history))
        self.update()

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        painter.fillRect(0, 0, width, height, col("panel"))
        for k, (when, number, what) in enumerate(self.history):
            y = k * ROW
            put(painter, QRectF(12, y, 20, ROW), str(number), "text", mono(12))
            put(painter, QRectF(34, y, 64, ROW), clock(when, self._zone), "text_muted", ui(12))
            put(painter, QRectF(102, y, width - 110, ROW), what, "text", ui(12.5))


class EventDetail(QWidget):
    """All about one event, and what can be done with it."""

    modify_wanted = Signal()
    cancel_wanted = Signal()
    opt_wanted = Signal(str)
    """``optIn`` or ``optOut``."""
    messages_wanted = Signal()

    def __init__(self, zone: tzinfo) -> None:
        super().__init__()
        self._zone = zone
        self.view: EventView | None = None
        self._title = label("", "text", ui(13, 600))
        self._side = label("", "text_muted", ui(12))
        self._facts = FactsGrid(86)
        self.preview = EventPreview(zone)
        self._when = label("", "text_muted", ui(12))
        self._answers_count = label("", "text_muted", ui(12))
        self.answers = AnswerTable(zone)
        self.history = HistoryTable(zone)
        self.said = label("", "text_muted", ui(12))
        self.said.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.messages = button("Show messages", "quiet", "rows-3", self.messages_wanted.emit)
        self.modify = button("Modify…", "", "pencil-line", self.modify_wanted.emit)
        self.cancel = button("Cancel event…", run=self.cancel_wanted.emit)
        self.opt_in = button("Opt in", run=self._opt("optIn"))
        self.opt_out = button("Opt out", run=self._opt("optOut"))
        facts = box("v", self._facts, None)
        left = box("v", pane_title(self._title, self._side, 4), (scrolled(facts), 1), name="panel")
        left.setFixedWidth(FORM_WIDTH)
        middle = box("v", pane_title("Course", self._when, 4), (self.preview, 1), name="panel")
        right = box(
            "v",
            pane_title("Answers", self._answers_count, 4),
            (scrolled_list(self.answers), 3),
            line(),
            pane_title("Modifications"),
            (scrolled_list(self.history), 2),
            name="panel",
        )
        right.setMinimumWidth(LEAST_PANE)
        right.setMaximumWidth(FINDINGS_WIDTH + 40)
        body = box("h", left, line("v"), (middle, 3), line("v"), (right, 2))
        foot = box(
            "h",
            (self.said, 1),
            self.messages,
            self.opt_in,
            self.opt_out,
            self.cancel,
            self.modify,
            margins=(12, 0, 12, 0),
            spacing=8,
            name="chrome",
        )
        foot.setFixedHeight(FOOT_HEIGHT)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part, stretch in ((body, 1), (line(), 0), (foot, 0)):
            column.addWidget(part, stretch)

    def _opt(self, opt_type: str) -> Callable[[], None]:
        return lambda: self.opt_wanted.emit(opt_type)

    def show_event(self, view: EventView, now: float) -> None:
        """Show an event as it stands; ``now`` in POSIX seconds."""
        self.preview.show_course(course_of_event(view, now), now)
        if view == self.view:
            return
        fresh = self.view is None or self.view.event.event_id != view.event.event_id
        self.view = view
        event = view.event
        self._title.setText(f"{event.event_id}  {view.label}")
        self._side.setText(event.status.value + (", test" if event.test_event else ""))
        self._facts.set_facts(facts_of(view, self._zone))
        self._when.setText(when_words(view, self._zone))
        self._answers_count.setText(answers_words(view))
        self.answers.show_vens(view.vens, event.response_required != "never")
        self.history.show_history(view)
        self._offer(view)
        if fresh:
            self.said.setText(self._by_whom(view))

    def say(self, text: str, ok: bool = True) -> None:
        """What a command came to, in the foot."""
        self.said.setText(text)
        self.said.setToolTip(text)
        self.said.set_role("text" if ok else "finding_error")

    def _by_whom(self, view: EventView) -> str:
        self.said.set_role("text_muted")
        if view.mine:
            return f"Issued by {view.session} to {plural(len(view.vens), 'VEN')}."
        return f"{view.event.vtn_id or 'The VTN'} asks {view.session}."

    def _offer(self, view: EventView) -> None:
        over = view.event.status in OVER
        for made in (self.modify, self.cancel):
            made.setVisible(view.mine)
            made.setEnabled(not over)
        opted = view.vens[0].opt_type if view.vens else ""
        self.opt_in.setVisible(not view.mine)
        self.opt_out.setVisible(not view.mine)
        self.opt_in.setEnabled(not over and opted != "optIn")
        self.opt_out.setEnabled(not over and opted != "optOut")

    def retheme(self) -> None:
        for part in (self.preview, self.answers, self.history):
            part.update()


def scrolled_list(inner: QWidget) -> QScrollArea:
    """A list at its own height, at the top of an area that scrolls."""
    return scrolled(box("v", inner, None))
