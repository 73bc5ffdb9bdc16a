"""The course of an event drawn as it will happen: each signal as a step line over notice, ramp, active time, recovery.

Used beside the editor, where it follows every keystroke, and for the selected event. Values are in base units, times
POSIX seconds; random start, ramp-up and recovery are hatched, since what a VEN does there is its own choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen

from console.app.durations import show_duration
from console.app.views import EventDraft, EventView
from console.ui.axes import TimeAxis, nice_ticks, paint_now_tag, paint_ticks, prefix_of, tick_step, tick_text
from console.ui.glyphs import hatch, put, width_of
from console.ui.theme import col, mono, ui
from console.ui.widgets import Canvas
from console.ui.words import MINUS, clock

TOP = 26
FOOT = 26
LEFT = 54
RIGHT = 16
OPEN_END = 3600.0
"""Drawn length of an interval without an end, s."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One signal: (start, duration, value) of its intervals; a duration of 0 is open ended."""

    name: str
    type: str
    unit: str | None
    role: str
    steps: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Course:
    """All that is drawn."""

    lanes: tuple[Lane, ...]
    start: float
    end: float
    notice: float = 0.0
    """Seconds before the start; the ramp-up lies in its end."""
    ramp_up: float = 0.0
    start_after: float = 0.0
    """Seconds after the start within which VENs begin at random."""
    recovery: float = 0.0


SIGNAL_ROLES = {"SIMPLE": "series_4", "ELECTRICITY_PRICE": "series_2", "LOAD_DISPATCH": "series_1"}


def _seconds(length: timedelta | None) -> float:
    return length.total_seconds() if length else 0.0


def _words(seconds: float) -> str:
    return show_duration(timedelta(seconds=seconds))


def course_of_draft(draft: EventDraft) -> Course:
    """The course a draft would take."""
    at = draft.start.timestamp()
    steps: list[tuple[float, float, float]] = []
    for duration, value in draft.intervals:
        length = duration.total_seconds() or OPEN_END
        steps.append((at, length, value))
        at += length
    role = SIGNAL_ROLES.get(draft.signal_name, "series_8")
    lane = Lane(draft.signal_name, draft.signal_type, draft.unit, role, tuple(steps))
    start = draft.start.timestamp()
    return Course(
        (lane,),
        start,
        max(at, start + 1.0),
        _seconds(draft.notification),
        _seconds(draft.ramp_up),
        _seconds(draft.start_after),
        _seconds(draft.recovery),
    )


def course_of_event(view: EventView, now: float) -> Course:
    """The course an event takes."""
    event = view.event
    start = event.start.timestamp()
    end = view.end.timestamp() if view.end else max(now, start) + OPEN_END
    lanes = tuple(
        Lane(
            signal.name,
            signal.type,
            signal.unit,
            SIGNAL_ROLES.get(signal.name, "series_8"),
            tuple((i.start.timestamp(), i.duration.total_seconds() or end - i.start.timestamp(), i.value)
                  for i in signal.intervals),
        )
        for signal in event.signals
    )  # fmt: skip
    return Course(
        lanes,
        start,
        end,
        _seconds(event.notification),
        _seconds(event.ramp_up),
        _seconds(event.start_after),
        _seconds(event.recovery),
    )


def value_text(value: float, unit: str | None, factor: float) -> str:
    """A value at its step, in the unit of the lane."""
    digits = 2 if factor != 1 or (unit and "/" in unit) else 0 if value == round(value) else 2
    return f"{value * factor:.{digits}f}".replace("-", MINUS)


class EventPreview(Canvas):
    """Paints a :class:`Course`; without one it is empty paper."""

    def __init__(self, zone: tzinfo) -> None:
        super().__init__(name="Preview of the event")
        self.course: Course | None = None
        self._now = 0.0
        self._zone = zone
        self.setMinimumHeight(110)

    def show_course(self, course: Course | None, now: float) -> None:
        if (course, now) == (self.course, self._now):
            return
        self.course, self._now = course, now
        if course:
            said = "; ".join(
                f"{lane.name} " + ", ".join(f"{value:g} for {_words(length)}" for _, length, value in lane.steps)
                for lane in course.lanes
            )
            self.setAccessibleDescription(said)
        self.update()

    def _axis(self, course: Course, width: int) -> TimeAxis:
        length = course.end - course.start
        low = course.start - max(course.notice, course.ramp_up, length * 0.25)
        if low - 2 * length < self._now < course.start:
            low = min(low, self._now)
        high = course.end + max(course.recovery, length * 0.2)
        spare = (high - low) * 0.03
        step = tick_step(high - low, 40)
        return TimeAxis((low - spare) // step * step, -(-(high + spare) // step) * step, LEFT, width - RIGHT)

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        painter.fillRect(0, 0, width, height, col("plot_bg"))
        course = self.course
        if course is None or not course.lanes:
            return
        axis, bottom = self._axis(course, width), height - FOOT
        left, right = axis.x(course.start), axis.x(course.end)
        painter.fillRect(QRectF(left, TOP, right - left, bottom - TOP), col("band"))
        for start, length, down in (
            (course.start - course.ramp_up, course.ramp_up, False),
            (course.start, course.start_after, True),
            (course.end, course.recovery, False),
        ):
            if length:
                band = QRectF(axis.x(start), TOP, axis.x(start + length) - axis.x(start), bottom - TOP)
                hatch(painter, band, "limit_hatch", 5, 0.8, down)
        paint_ticks(painter, axis, self._zone, bottom + 3, TOP, bottom, 84)
        self._brackets(painter, axis, course)
        now = round(axis.x(self._now))
        if axis.start <= self._now <= axis.end:
            painter.fillRect(QRectF(now, TOP, 1, bottom - TOP), col("now_line"))
        room = (bottom - TOP) / len(course.lanes)
        for k, lane in enumerate(course.lanes):
            self._lane(painter, axis, lane, TOP + k * room, TOP + (k + 1) * room)
        paint_now_tag(painter, axis, self._now, self._zone, 3)

    def _brackets(self, painter: QPainter, axis: TimeAxis, course: Course) -> None:
        """Over the plot: from when the event is announced, and how long it is active."""
        spans = [(course.start, course.end, f"active {_words(course.end - course.start)}", "text", ui(11, 600))]
        if course.notice:
            at = clock(datetime.fromtimestamp(course.start - course.notice, UTC), self._zone)
            words = f"notice {_words(course.notice)}, from {at}"
            spans.append((course.start - course.notice, course.start, words, "text_muted", ui(11)))
        for start, end, words, role, font in spans:
            left, right = max(axis.x(start), 0.0), axis.x(end)
            ink = "text" if role == "text" else "border_strong"
            painter.fillRect(QRectF(left, 12, right - left, 1), col(ink))
            for x in (left, right):
                painter.fillRect(QRectF(round(x), 8, 1, 9), col(ink))
            room = width_of(words, font) + 12
            if room < right - left - 8:
                paper = QRectF((left + right - room) / 2, 3, room, 18)
                painter.fillRect(paper, col("plot_bg"))
                put(painter, paper, words, role, font, "c")

    def _lane(self, painter: QPainter, axis: TimeAxis, lane: Lane, top: float, bottom: float) -> None:
        values = [value for _, _, value in lane.steps] or [0.0]
        ticks = nice_ticks(min(0.0, *values), max(0.0, *values), 5)
        if lane.unit is None and all(value == round(value) for value in values):
            ticks = [tick for tick in ticks if tick == round(tick)]
        factor, shown = prefix_of(lane.unit, max(abs(ticks[0]), abs(ticks[-1])))
        low, high = top + 40, bottom - 6

        def y_of(value: float) -> float:
            return high - (value - ticks[0]) / ((ticks[-1] - ticks[0]) or 1.0) * (high - low)

        for tick in ticks:
            y = round(y_of(tick))
            painter.fillRect(QRectF(axis.left, y, axis.right - axis.left, 1), col("plot_grid"))
            put(painter, QRectF(0, y - 8, LEFT - 8, 16), tick_text(tick, factor), "text_muted", ui(11), "r")
        about = f"{lane.type}{', ' + shown if shown else ''}"
        x, name = axis.left + 8, mono(11.5, 500)
        room = width_of(lane.name, name) + 8 + width_of(about, ui(11.5))
        if x - 4 < axis.x(self._now) < x + room:
            x = axis.x(self._now) + 8
        put(painter, QRectF(x, top + 3, 240, 16), lane.name, "text", name)
        put(painter, QRectF(x + 8 + width_of(lane.name, name), top + 3, 200, 16), about, "text_muted", ui(11.5))
        if not lane.steps:
            return

        def x_of(at: float) -> float:
            return round(axis.x(at)) + 0.5

        path = QPainterPath(QPointF(x_of(lane.steps[0][0]), round(y_of(0.0)) + 0.5))
        for start, length, value in lane.steps:
            y = round(y_of(value)) + 0.5
            path.lineTo(QPointF(x_of(start), y))
            path.lineTo(QPointF(x_of(start + length), y))
        last = lane.steps[-1]
        path.lineTo(QPointF(x_of(last[0] + last[1]), round(y_of(0.0)) + 0.5))
        painter.setPen(QPen(col(lane.role), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)
        taken = -1e9
        for start, _, value in lane.steps:
            words, font = value_text(value, lane.unit, factor), ui(12, 600)
            x = axis.x(start) + 6
            if x > taken + 6:
                put(painter, QRectF(x, y_of(value) - 19, width_of(words, font) + 4, 18), words, "text", font)
                taken = x + width_of(words, font)
