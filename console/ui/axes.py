"""Axes for painters and plots: round ticks of values and of local time, prefixes of units, the now tag.

Times are POSIX seconds. Plots, Gantt and previews share the ticks, so that the same hour has the same label everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from math import ceil, floor, log10

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from console.ui.glyphs import put, width_of
from console.ui.theme import col, ui
from console.ui.words import MINUS

STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
"""Spacings of ticks that people count in, s."""


KILO_UNITS = frozenset({"W", "VA", "VAR", "Wh", "VAh", "VARh"})
"""Units shown with k from 1000 on; all others are shown as they are."""
POWER_UNITS = frozenset({"W", "VA", "VAR"})
"""Units whose axis always shows its zero: a power without it misleads, a meter's count does not."""


def nice_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """At most ``most`` (3 or more) round numbers, evenly spaced, whose first and last enclose ``low`` and ``high``.

    >>> nice_ticks(-400, 11040)
    [-4000.0, 0.0, 4000.0, 8000.0, 12000.0]
    """
    if not high > low:
        high = low + (abs(low) or 1.0)
    decade = 10.0 ** floor(log10((high - low) / most))
    step, first, last = decade, 0, 0
    for factor in (1, 2, 2.5, 4, 5, 10, 20, 25, 40, 50, 100):
        step = factor * decade
        first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
        if last - first + 1 <= most:
            break
    return [k * step for k in range(first, last + 1)]


def even_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """At most ``most`` (2 or more) ticks that part a range whose ends are given into quarters, halves or not at all.

    >>> even_ticks(0, 100, 4)
    [0.0, 50.0, 100.0]
    """
    parts = next((parts for parts in (4, 2) if parts < most), 1)
    return [low + (high - low) * k / parts for k in range(parts + 1)]


def prefix_of(unit: str | None, biggest: float) -> tuple[float, str]:
    """(factor, unit as shown) for an axis whose largest magnitude is ``biggest`` in base units."""
    if unit in KILO_UNITS and biggest >= 1000:
        return 1e-3, f"k{unit}"
    return 1.0, unit or ""


def tick_text(value: float, factor: float = 1.0) -> str:
    """A tick's label: as short as its digits allow."""
    return f"{round(value * factor, 9):g}".replace("-", MINUS)


def tick_step(span: float, most: int) -> float:
    """Smallest spacing that puts at most ``most`` ticks into ``span`` seconds."""
    for step in STEPS:
        if span / step <= most:
            return float(step)
    return 86400.0 * ceil(span / 86400 / most)


def local_offset(at: float, zone: tzinfo) -> float:
    """Seconds that local time is ahead of UTC."""
    offset = datetime.fromtimestamp(at, UTC).astimezone(zone).utcoffset()
    return offset.total_seconds() if offset else 0.0


def time_ticks(start: float, end: float, zone: tzinfo, most: int) -> list[float]:
    """Round local times between two POSIX times, at most ``most`` + 1 of them, ascending.

    The offset at ``start`` holds for the whole range: after a clock change the labels stay right, the spacing even.
    """
    span = max(end - start, 1e-6)
    step = tick_step(span, most)
    shift = local_offset(start, zone)
    first = ceil((start + shift) / step - 1e-9) * step - shift
    return [first + k * step for k in range(int((end - first) / step + 1e-9) + 1)] if first <= end else []


def tick_label(at: float, zone: tzinfo, step: float) -> str:
    """``10:42:30``, ``10:42`` or ``16 Jun``, by the spacing of the ticks."""
    form = "%H:%M:%S" if step < 60 else "%H:%M" if step < 86400 else "%d %b"
    return datetime.fromtimestamp(at, UTC).astimezone(zone).strftime(form)


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Maps POSIX seconds ``start`` to ``end`` onto px ``left`` to ``right``."""

    start: float
    end: float
    left: float
    right: float

    def x(self, at: float) -> float:
        return self.left + (at - self.start) / max(self.end - self.start, 1e-9) * (self.right - self.left)

    def at(self, x: float) -> float:
        return self.start + (x - self.left) / max(self.right - self.left, 1e-9) * (self.end - self.start)

    def ticks(self, zone: tzinfo, spacing: float = 100) -> list[float]:
        """Ticks at least about ``spacing`` px apart."""
        return time_ticks(self.start, self.end, zone, max(1, int((self.right - self.left) / spacing)))


def paint_ticks(
    painter: QPainter,
    axis: TimeAxis,
    zone: tzinfo,
    label_top: float,
    top: float,
    bottom: float,
    spacing: float = 100,
    taken: tuple[float, float] = (0.0, 0.0),
) -> None:
    """Grid lines from ``top`` to ``bottom`` and their labels, 18 px high, at ``label_top``; none between ``taken``."""
    ticks = axis.ticks(zone, spacing)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 60.0
    for at in ticks:
        x = round(axis.x(at))
        painter.fillRect(QRectF(x, top, 1, bottom - top), col("plot_grid"))
        words = tick_label(at, zone, step)
        half = width_of(words, ui(11)) / 2 + 1
        middle = min(max(axis.x(at), half), axis.right + 14 - half)
        if middle + half > taken[0] and middle - half < taken[1]:
            continue
        put(painter, QRectF(middle - half, label_top, 2 * half, 18), words, "text_muted", ui(11), "c", elide=False)


def _now_words(axis: TimeAxis, now: float, zone: tzinfo) -> str:
    return tick_label(now, zone, 1.0 if axis.end - axis.start < 1800 else 60.0)


def now_tag_span(axis: TimeAxis, now: float, zone: tzinfo) -> tuple[float, float]:
    """Left and right edge of the now tag, px; (0, 0) where now is out of range."""
    if not axis.start <= now <= axis.end:
        return 0.0, 0.0
    width = round(width_of(_now_words(axis, now, zone), ui(11, 600))) + 12
    left = min(max(round(axis.x(now)) - width // 2, 0), round(axis.right) + 14 - width)
    return left, left + width


def paint_now_tag(painter: QPainter, axis: TimeAxis, now: float, zone: tzinfo, top: float) -> None:
    """The current time in a filled tag over the now line; nothing where now is out of range."""
    left, right = now_tag_span(axis, now, zone)
    if left == right:
        return
    x, width, words = round(axis.x(now)), right - left, _now_words(axis, now, zone)
    painter.fillRect(QRectF(x, top + 18, 1, 6), col("now_line"))
    painter.fillRect(QRectF(left, top, width, 18), col("accent_fill"))
    put(painter, QRectF(left, top, width, 18), words, "on_accent", ui(11, 600), "c", elide=False)
