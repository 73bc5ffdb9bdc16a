"""The strip under the message list: how many messages when, the events as bars, findings, and the time cursor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter

from console.ui.cursor import TimeCursor
from console.ui.glyphs import event_bar, glyph, put, width_of
from console.ui.theme import col, ui
from console.ui.widgets import Canvas
from console.ui.words import clock, short_clock

if TYPE_CHECKING:
    from console.app.views import Desk, EventView, FindingView

HEIGHT = 128
LEFT, RIGHT = 78, 18
BIN = 4
"""Width in px of a density bar with its gap."""
SPANS = tuple(timedelta(minutes=minutes) for minutes in (10, 20, 40, 60, 120, 240, 480, 1440, 2880))
PAST = 0.7
"""Share of the strip that lies before now, once there is as much to show."""
LANES = 2
LANE = 18


def shown_span(first: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """Start and end of the strip: the shortest span of :data:`SPANS` whose past holds ``first``.

    It begins with the first message, and later moves in twentieths of the span, so that it does not crawl.
    """
    age = now - (first or now)
    span = next((each for each in SPANS if each * PAST >= age), SPANS[-1])
    step = (span / 20).total_seconds()
    begin = max(now - span * PAST, first or now)
    start = datetime.fromtimestamp(begin.timestamp() // step * step, UTC)
    return start, start + span


def lanes(events: list[EventView], start: datetime, end: datetime) -> list[tuple[int, EventView]]:
    """Events that touch the span, each with the lowest lane that is free; those beyond the last lane are left out.

    An event that a VTN of ours sends to a VEN of ours is one bar.
    """
    free = [start - timedelta(days=1)] * LANES
    placed: list[tuple[int, EventView]] = []
    known: set[tuple[str, str]] = set()
    for view in sorted(events, key=lambda each: (each.event.start, not each.mine)):
        until = view.end or end
        key = (view.event.vtn_id, view.event.event_id)
        if until < start or view.event.start > end or key in known:
            continue
        known.add(key)
        for lane in range(LANES):
            if free[lane] <= view.event.start:
                free[lane] = until
                placed.append((lane, view))
                break
    return placed


class Timeline(Canvas):
    """Painted anew once a second at most; a click sets the time cursor."""

    moment_chosen = Signal(object)
    """The instant that was clicked, an aware datetime."""

    def __init__(self, desk: Desk, cursor: TimeCursor) -> None:
        super().__init__(height=HEIGHT, name="Timeline of messages, events and findings")
        self._desk, self._cursor = desk, cursor
        self._start, self._end = shown_span(None, desk.now())
        self._events: list[EventView] = []
        self._findings: list[FindingView] = []
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        cursor.time_changed.connect(self._moved)

    def _moved(self, _moment: object) -> None:
        self.update()

    def reload(self) -> None:
        """Take what the desk has now."""
        log = self._desk.messages
        first = log.view(0).time if len(log) else None
        self._start, self._end = shown_span(first, self._desk.now())
        self._events = list(self._desk.events())
        self._findings = [each for each in self._desk.findings() if each.time >= self._start]
        self.update()

    def _x(self, moment: datetime) -> float:
        share = (moment - self._start) / (self._end - self._start)
        return LEFT + share * (self.width() - LEFT - RIGHT)

    def _moment(self, x: float) -> datetime:
        share = (x - LEFT) / max(1, self.width() - LEFT - RIGHT)
        return self._start + (self._end - self._start) * min(max(share, 0.0), 1.0)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.moment_chosen.emit(self._moment(event.position().x()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {int(Qt.Key.Key_Left): -1, int(Qt.Key.Key_Right): 1}.get(event.key())
        if step is None:
            super().keyPressEvent(event)
            return
        moment = self._cursor.moment or self._desk.now()
        self.moment_chosen.emit(moment + step * (self._end - self._start) / 200)

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        painter.fillRect(0, 0, width, height, col("panel"))
        foot = height - 68
        self._draw_grid(painter, height)
        for text, y in (("Messages", foot - 24), ("Events", foot + 11), ("Findings", foot + 44)):
            put(painter, QRectF(12, y, LEFT - 16, 20), text, "text_muted", ui(11))
        self._draw_density(painter, foot)
        self._draw_lines(painter, height)
        self._draw_events(painter, foot)
        self._draw_findings(painter, foot + 54)
        self._draw_label(painter)

    def _draw_grid(self, painter: QPainter, height: int) -> None:
        step = next(
            (each for each in (60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800)
             if (self._end - self._start).total_seconds() / each <= 8),
            43200,
        )  # fmt: skip
        zone = self._desk.timezone
        local = self._start.astimezone(zone)
        shift = (local.utcoffset() or timedelta()).total_seconds()
        tick = (self._start.timestamp() + shift) // step * step + step - shift
        while tick <= self._end.timestamp():
            moment = datetime.fromtimestamp(tick, UTC)
            x = round(self._x(moment))
            painter.fillRect(QRectF(x, 18, 1, height - 18), col("plot_grid"))
            put(painter, QRectF(x - 30, 1, 60, 17), short_clock(moment, zone), "text_muted", ui(11), "c")
            tick += step

    def _draw_density(self, painter: QPainter, foot: float) -> None:
        until = min(max(self._desk.now(), self._start), self._end)
        bins = int((self._x(until) - LEFT) / BIN)
        if bins < 1:
            return
        counts = self._desk.messages.density(self._start, until, bins)
        most = int(counts.max()) if len(counts) else 0
        if not most:
            return
        room = foot - 26
        ink = col("border_strong", 0.75)
        for k, number in enumerate(counts):
            if number:
                tall = max(2.0, float(number) / most * room)
                painter.fillRect(QRectF(LEFT + BIN * k, foot - tall, BIN - 1, tall), ink)

    def _draw_events(self, painter: QPainter, foot: float) -> None:
        painter.save()
        painter.setClipRect(QRectF(LEFT, 0, self.width() - LEFT - RIGHT, self.height()))
        for lane, view in lanes(self._events, self._start, self._end):
            left, right = self._x(view.event.start), self._x(view.end or self._end)
            rect = QRectF(left, foot + 4 + LANE * lane, max(4.0, right - left - 1), 16)
            event_bar(painter, rect, view.event.status, f"{view.event.event_id} {view.label}", font=ui(11, 500))
        painter.restore()

    def _draw_findings(self, painter: QPainter, y: float) -> None:
        taken: set[int] = set()
        for severity in (3, 2):
            for finding in self._findings:
                slot = int(self._x(finding.time) // 12)
                if finding.severity == severity and slot not in taken:
                    taken.add(slot)
                    glyph(painter, finding.severity.word, self._x(finding.time), y, 11)

    def _draw_lines(self, painter: QPainter, height: int) -> None:
        """Now, and the moment that is looked at; under the bars, whose words they would cross."""
        now, moment = self._desk.now(), self._cursor.moment
        for instant, role in ((now, "border_strong" if moment else "now_line"), (moment, "now_line")):
            if instant is not None and self._start <= instant <= self._end:
                painter.fillRect(QRectF(round(self._x(instant)), 18, 1, height - 18), col(role))

    def _draw_label(self, painter: QPainter) -> None:
        looked_at = self._cursor.moment or self._desk.now()
        if not self._start <= looked_at <= self._end:
            return
        word = "selected" if self._cursor.moment is not None else "now"
        text = f"{clock(looked_at, self._desk.timezone)} {word}"
        x, wide = round(self._x(looked_at)), width_of(text, ui(11, 500)) + 4
        left = x + 6 if x + 6 + wide < self.width() else x - 6 - wide
        painter.fillRect(QRectF(left - 2, 20, wide, 16), col("panel", 0.85))
        put(painter, QRectF(left, 20, wide, 18), text, "accent", ui(11, 500), elide=False)
