"""Events as bars over time: a row per VEN under the session it belongs to, overlapping bars stacked in lanes.

A bar tells the eventStatus by fill and text, the opt state by its end cap, the notification by a thin lead-in. The
range follows the events until somebody zooms (wheel, ``+``, ``-``) or pans (Shift+wheel); Home goes back. Arrow keys
walk from bar to bar. Times are POSIX seconds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from math import ceil, floor

from PySide6.QtCore import QEvent, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip, QWidget

from console.app.durations import show_duration
from console.app.views import EventDraft, EventView, VenView
from console.openadr.facts import EventStatus
from console.ui.axes import TimeAxis, now_tag_span, paint_now_tag, paint_ticks, tick_step
from console.ui.glyphs import STATE_GLYPH, Opt, event_bar, glyph, put, width_of
from console.ui.theme import col, ui
from console.ui.words import clock, short_clock

HEADER = 28
SECTION = 22
LANE = 28
BAR_HEIGHT = 20
NAMES_WIDTH = 164
RIGHT_MARGIN = 16
OPEN_END = 3600.0
"""How long an open-ended event is drawn beyond now, s."""
SHORTEST_RANGE = 300.0
KEEP_PAST = 2 * 3600.0
"""Events over for longer than this do not widen the range by themselves, s."""

OPT_OF: dict[str, Opt] = {"optIn": "in", "optOut": "out", "": "wait"}


@dataclass(frozen=True, slots=True)
class Bar:
    """One event of one VEN, or a draft of it."""

    session: str
    event_id: str
    ven_id: str
    status: str
    """An eventStatus, or ``draft``."""
    start: float
    end: float
    text: str
    opt: Opt
    notice: float
    """Seconds before the start from which the event is announced."""
    tip: str
    lane: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A heading (``ven_id`` empty) or the bars of one VEN."""

    title: str
    note: str = ""
    ven_id: str = ""
    state: str = "on"
    bars: tuple[Bar, ...] = ()

    @property
    def height(self) -> int:
        return LANE * (1 + max((bar.lane for bar in self.bars), default=0)) if self.ven_id else SECTION


def in_lanes(bars: Sequence[Bar]) -> tuple[Bar, ...]:
    """The bars by start, each in the first lane that is free at its start."""
    ends: list[float] = []
    placed = []
    for bar in sorted(bars, key=lambda b: (b.start, b.end, b.event_id)):
        lane = next((k for k, end in enumerate(ends) if end <= bar.start), len(ends))
        ends[lane : lane + 1] = [bar.end]
        placed.append(replace(bar, lane=lane))
    return tuple(placed)


def natural(text: str) -> list[tuple[int, int, str]]:
    """Sort key by which ``ven-2`` comes before ``ven-10``."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", text) if part]


def tip_of(view: EventView, zone: tzinfo) -> str:
    """Plain text for hovering: what it is, and every modification."""
    event = view.event
    until = f" to {clock(view.end, zone)}" if view.end else ", open end"
    lines = [
        f"{event.event_id}/{event.modification_number} {event.status.value}, {view.label}",
        f"{clock(event.start, zone)}{until}",
        *(f"{clock(when, zone)}  modification {number}: {what}" for when, number, what in view.history),
    ]
    return "\n".join(lines)


def bars_of(view: EventView, now: float, zone: tzinfo) -> list[Bar]:
    """One bar for each VEN of the event."""
    event = view.event
    start = event.start.timestamp()
    end = view.end.timestamp() if view.end else max(now, start) + OPEN_END
    notice = event.notification.total_seconds() if event.notification else 0.0
    tip = tip_of(view, zone)
    bars = []
    for ven in view.vens:
        over = ven.status in (EventStatus.COMPLETED, EventStatus.CANCELLED)
        opt = "" if not ven.opt_type and (over or event.response_required == "never") else OPT_OF[ven.opt_type]
        text = f"{event.event_id}  {view.label}"
        bars.append(Bar(view.session, event.event_id, ven.ven_id, ven.status.value, start, end, text, opt, notice, tip))
    return bars


def draft_bars(session: str, draft: EventDraft, ven_ids: Sequence[str], name: str) -> list[Bar]:
    """What a draft would become, for each of the VENs it would go to."""
    start = draft.start.timestamp()
    length = sum(duration.total_seconds() for duration, _ in draft.intervals)
    end = start + (length or OPEN_END)
    notice = draft.notification.total_seconds()
    return [Bar(session, "", ven_id, "draft", start, end, name, "", notice, name) for ven_id in ven_ids]


def rows_of(
    events: Sequence[EventView], vens: Sequence[VenView], drafts: Sequence[Bar], now: float, zone: tzinfo
) -> list[Row]:
    """Rows to show: what our VENs are asked first, then what our VTNs ask, one row for each VEN."""
    bars: dict[tuple[bool, str], dict[str, list[Bar]]] = {}
    asked_by: dict[str, str] = {}
    for view in events:
        group = bars.setdefault((view.mine, view.session), {})
        asked_by.setdefault(view.session, view.event.vtn_id)
        for bar in bars_of(view, now, zone):
            group.setdefault(bar.ven_id, []).append(bar)
    for bar in drafts:
        bars.setdefault((True, bar.session), {}).setdefault(bar.ven_id, []).append(bar)
    known = {(ven.session, ven.ven_id): ven for ven in vens}
    rows: list[Row] = []
    for (mine, session), group in sorted(bars.items(), key=lambda item: item[0]):
        rows.append(Row(f"{session}, which is us, asks" if mine else f"{asked_by[session] or 'A VTN'} asks us"))
        for ven_id, some in sorted(group.items(), key=lambda item: natural(item[0])):
            ven = known.get((session, ven_id))
            state = STATE_GLYPH[ven.state.value] if ven else "on"
            rows.append(
                Row(ven_id, (ven.name if ven else session if session != ven_id else ""), ven_id, state, in_lanes(some))
            )
    return rows


def range_of(rows: Sequence[Row], now: float) -> tuple[float, float]:
    """A calm range around now and the events near it: bounds are round, so that it does not creep."""
    bars = [bar for row in rows for bar in row.bars if bar.end > now - KEEP_PAST]
    low = min([now, *(bar.start - (min(bar.notice, bar.end - bar.start) if bar.start > now else 0.0) for bar in bars)])
    high = max([now, *(bar.end for bar in bars)])
    spare = max((high - low) * 0.06, (SHORTEST_RANGE - (high - low)) / 2, 20.0)
    step = tick_step(high - low + 2 * spare, 24)
    return floor((low - spare) / step) * step, ceil((high + spare) / step) * step


class Gantt(QAbstractScrollArea):
    """The event chart. Clicking or walking to a bar announces it with :attr:`chosen`."""

    chosen = Signal(str, str)
    """(session, eventID)."""

    def __init__(self, zone: tzinfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[Row] = []
        self.selected: tuple[str, str] | None = None
        self._zone = zone
        self._now = 0.0
        self._cursor: float | None = None
        self._range = (0.0, SHORTEST_RANGE)
        self._own_range = False
        self._place: list[tuple[QRectF, Bar]] = []
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Events over time")
        self.setMinimumHeight(HEADER + SECTION + LANE)
        self.verticalScrollBar().setSingleStep(LANE)

    @property
    def time_range(self) -> tuple[float, float]:
        """POSIX seconds at the left and right edge."""
        return self._range

    @property
    def follows(self) -> bool:
        """Whether the range still follows the events."""
        return not self._own_range

    def natural_height(self) -> int:
        return HEADER + sum(row.height for row in self.rows) + 6

    def show_rows(self, rows: list[Row], now: float) -> None:
        """Replace what is shown; the range follows unless it was chosen by hand."""
        self.rows, self._now = rows, now
        if not self._own_range:
            self._range = range_of(rows, now)
        self._fit_scroll_bar()
        self._describe()
        self.viewport().update()

    def select(self, session: str, event_id: str) -> None:
        """Mark an event; says nothing."""
        self.selected = (session, event_id) if event_id else None
        self._describe()
        self.viewport().update()

    def set_cursor(self, at: float | None) -> None:
        """Move the shared time cursor."""
        if at != self._cursor:
            self._cursor = at
            self.viewport().update()

    def follow(self) -> None:
        """Let the range follow the events again."""
        self._own_range = False
        self._range = range_of(self.rows, self._now)
        self.viewport().update()

    def zoom(self, factor: float, about: float | None = None) -> None:
        """Narrow the range by ``factor`` (below 1) or widen it, keeping the moment ``about`` (else now) in place."""
        start, end = self._range
        about = about if about is not None else min(max(self._now, start), end)
        span_s = min(max((end - start) * factor, 20.0), 60 * 86400.0)
        share = (about - start) / (end - start)
        self._own_range = True
        self._range = (about - share * span_s, about + (1 - share) * span_s)
        self.viewport().update()

    def pan(self, share: float) -> None:
        """Shift the range by a share of its length."""
        start, end = self._range
        self._own_range = True
        self._range = (start + share * (end - start), end + share * (end - start))
        self.viewport().update()

    def bar_at(self, point: QPoint) -> Bar | None:
        return next((bar for rect, bar in reversed(self._place) if rect.contains(point.toPointF())), None)

    def _axis(self) -> TimeAxis:
        return TimeAxis(*self._range, NAMES_WIDTH, max(self.viewport().width() - RIGHT_MARGIN, NAMES_WIDTH + 50))

    def _describe(self) -> None:
        bars = [bar for row in self.rows for bar in row.bars]
        said = next((bar.tip for bar in bars if (bar.session, bar.event_id) == self.selected), "")
        self.setAccessibleDescription(said or f"{len(bars)} bars in {sum(bool(row.ven_id) for row in self.rows)} rows")

    def _fit_scroll_bar(self) -> None:
        page = self.viewport().height()
        self.verticalScrollBar().setPageStep(page)
        self.verticalScrollBar().setRange(0, max(0, self.natural_height() - page))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_scroll_bar()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        width, height = self.viewport().width(), self.viewport().height()
        painter.fillRect(0, 0, width, height, col("panel"))
        axis = self._axis()
        paint_ticks(painter, axis, self._zone, 4, HEADER - 6, height, taken=now_tag_span(axis, self._now, self._zone))
        painter.save()
        painter.setClipRect(0, HEADER, width, height - HEADER)
        self._place = []
        y = HEADER - self.verticalScrollBar().value()
        for row in self.rows:
            if y + row.height > HEADER and y < height:
                self._paint_row(painter, axis, row, y, width)
            y += row.height
        painter.restore()
        paint_now_tag(painter, axis, self._now, self._zone, 4)
        if self.hasFocus() and self.selected is None:
            painter.setPen(QPen(col("focus"), 2))
            painter.drawRect(1, 1, width - 2, height - 2)
        painter.end()

    def _paint_row(self, painter: QPainter, axis: TimeAxis, row: Row, y: float, width: int) -> None:
        if not row.ven_id:
            painter.fillRect(QRectF(0, y, width, SECTION), col("sunken"))
            put(painter, QRectF(12, y, width - 24, SECTION), row.title, "text_muted", ui(12, 500))
            return
        painter.fillRect(QRectF(0, y + row.height - 1, width, 1), col("plot_grid"))
        quiet = row.state == "on"
        glyph(painter, row.state, 19, y + LANE / 2, 10, "text_muted" if quiet else "text")
        used = put(painter, QRectF(30, y, NAMES_WIDTH - 36, LANE), row.title, "text", ui(12.5))
        room = NAMES_WIDTH - 44 - used
        if room > 20:
            put(painter, QRectF(38 + used, y, room, LANE), row.note, "text_muted", ui(11.5))
        painter.save()
        painter.setClipRect(QRectF(axis.left - 1, y, width - axis.left + 1, row.height), Qt.ClipOperation.IntersectClip)
        for bar in row.bars:
            if bar.notice and bar.status in ("far", "near", "draft"):
                left, right = axis.x(bar.start - bar.notice), axis.x(bar.start)
                painter.fillRect(QRectF(left, y + bar.lane * LANE + 13.5, right - left, 1), col("border_strong"))
        for at, role in ((self._now, "now_line"), (self._cursor, "text_muted")):
            if at is not None and axis.start <= at <= axis.end:
                painter.fillRect(QRectF(round(axis.x(at)), y, 1, row.height - 1), col(role))
        for bar in row.bars:
            self._paint_bar(painter, axis, bar, y + bar.lane * LANE + 4)
        painter.restore()

    def _paint_bar(self, painter: QPainter, axis: TimeAxis, bar: Bar, top: float) -> None:
        left, right = max(axis.x(bar.start), axis.left - 40), min(axis.x(bar.end) - 2, axis.right + 60)
        if right < axis.left or left > axis.right + RIGHT_MARGIN:
            return
        rect = QRectF(left, top, max(right - left, 4), BAR_HEIGHT)
        fits = width_of(bar.text, ui(12, 500)) <= rect.width() - 12 - (20 if bar.opt else 0)
        event_bar(painter, rect, bar.status, bar.text if fits else bar.event_id or bar.text, bar.opt)
        if (bar.session, bar.event_id) == self.selected:
            painter.save()
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(col("focus" if self.hasFocus() else "text_muted"), 2 if self.hasFocus() else 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(rect.adjusted(-2, -2, 2, 2), 5, 5)
            painter.restore()
        self._place.append((rect, bar))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        bar = self.bar_at(event.position().toPoint())
        if bar is not None and bar.event_id and event.button() == Qt.MouseButton.LeftButton:
            self._choose(bar)

    def wheelEvent(self, event: QWheelEvent) -> None:
        notches = event.angleDelta().y() / 120 or event.angleDelta().x() / 120
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier or not event.angleDelta().y():
            self.pan(-notches * 0.1)
        else:
            x = event.position().x()
            about = self._axis().at(x) if x > NAMES_WIDTH else None
            self.zoom(0.8**notches, about)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Up):
            self._walk(1 if key in (Qt.Key.Key_Right, Qt.Key.Key_Down) else -1)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(0.8)
        elif key == Qt.Key.Key_Minus:
            self.zoom(1.25)
        elif key == Qt.Key.Key_Home:
            self.follow()
        else:
            super().keyPressEvent(event)

    def _walk(self, way: int) -> None:
        """To the next or previous event, in the order of the rows."""
        order = list(
            dict.fromkeys((bar.session, bar.event_id) for row in self.rows for bar in row.bars if bar.event_id)
        )
        if not order:
            return
        here = order.index(self.selected) if self.selected in order else (-1 if way > 0 else len(order))
        session, event_id = order[min(max(here + way, 0), len(order) - 1)]
        self.select(session, event_id)
        self.chosen.emit(session, event_id)

    def _choose(self, bar: Bar) -> None:
        self.select(bar.session, bar.event_id)
        self.chosen.emit(bar.session, bar.event_id)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip:
            assert isinstance(event, QHelpEvent)
            bar = self.bar_at(event.pos())
            QToolTip.showText(event.globalPos(), bar.tip if bar else "", self)
            return True
        return super().viewportEvent(event)


def when_words(view: EventView, zone: tzinfo) -> str:
    """``10:30 to 11:30 (1 h)``, with seconds where they are not zero."""
    start, end = view.event.start, view.end
    exact = start.second or (end is not None and end.second)
    say = clock if exact else short_clock
    if end is None:
        return f"from {say(start, zone)}, open end"
    return f"{say(start, zone)} to {say(end, zone)} ({show_duration(end - start)})"
