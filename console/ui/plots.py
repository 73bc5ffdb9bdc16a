"""Plots of quantities over time, set up calmly: no frame, few grid lines, 1-px curves, values in a key at the right.

A :class:`TimePlot` is one plot with its key; :class:`PlotStack` puts several under each other with one time range, one
now line and one cursor, time labels only under the last. Values come in base units (W, Wh, %), times are POSIX seconds;
axis and key choose the prefix. Missing data (NaN, or points further apart than ``longest_gap``) is a gap in the curve.

With :mod:`console.ui.curves` the only module of the window that imports numpy and pyqtgraph: a view imports it when it
is first shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from console.app.views import LimitSpan
from console.ui.axes import POWER_UNITS, even_ticks, nice_ticks, prefix_of, tick_label, tick_text, time_ticks
from console.ui.curves import Floats, figure, stepped, thinned, value_at, with_gaps
from console.ui.glyphs import hatch, put, width_of
from console.ui.theme import col, ui
from console.ui.words import short_clock, watts

MOST_CURVES = 6
"""In one plot; more go into another plot of the same unit."""
KEY_WIDTH = 168
AXIS_WIDTH = 46
TIME_HEIGHT = 22
POINTS_PER_PIXEL = 2
KEY_HEAD = 26
KEY_ROW = 18
LEAST_KEY_ROW = 15
"""Rows of a key move together down to this where the plot is low, px."""
RIGHT_MARGIN = 8


@dataclass(frozen=True, slots=True)
class Curve:
    """How one quantity is drawn."""

    key: str
    """Names it in :meth:`TimePlot.set_series`."""
    name: str
    """As the key shows it."""
    role: str
    """Colour role, ``series_1`` to ``series_8``."""
    steps: bool = True
    """A value holds until the next (power); otherwise points are joined (SoC, temperature)."""
    dotted: bool = False
    """A plan, not a measurement."""


def series_role(index: int) -> str:
    """Colour role of the curve at ``index`` of a plot whose curves have no meaning of their own."""
    return f"series_{(3, 1, 2, 5, 4, 6, 7, 0)[index % 8] + 1}"


def limit_words(limit: float, span: LimitSpan, zone: tzinfo) -> str:
    """``limit 7.00 kW, e-17 until 11:30``; ``limit`` in W."""
    until = f" until {short_clock(span.end, zone)}" if span.end else ""
    return f"limit {watts(limit)}, {span.source}{until}"


class _ClockAxis(pg.AxisItem):
    """Time of day in the desk's zone under the last plot."""

    def __init__(self, zone: tzinfo) -> None:
        super().__init__("bottom")
        self.zone = zone

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        ticks = time_ticks(minVal, maxVal, self.zone, max(2, int(size / 84)))
        step = ticks[1] - ticks[0] if len(ticks) > 1 else 60.0
        # A label that would be cut off at the right is left out; its grid line is drawn all the same.
        half = max((width_of(tick_label(at, self.zone, step), ui(11)) / 2 for at in ticks[-1:]), default=0.0)
        last = maxVal - (half - RIGHT_MARGIN) * (maxVal - minVal) / max(size, 1.0)
        return [(step, [at for at in ticks if at <= last])]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        return [tick_label(v, self.zone, spacing) for v in values]


class _Backdrop(pg.UIGraphicsItem):
    """Bands of events in force and the grid, behind the curves, drawn in device pixels."""

    def __init__(self, axis: _ClockAxis) -> None:
        super().__init__()
        self.axis = axis
        self.ticks: list[float] = []
        self.bands: list[tuple[float, float]] = []
        self.setZValue(-50)

    def paint(self, *args: Any) -> None:
        painter: QPainter = args[0]
        rect, world = self.boundingRect(), painter.worldTransform()
        painter.save()
        painter.resetTransform()
        device = world.mapRect(rect)
        for start, end in self.bands:
            left = max(world.map(QPointF(start, 0)).x(), device.left())
            right = min(world.map(QPointF(end, 0)).x(), device.right())
            if right > left:
                painter.fillRect(QRectF(left, device.top(), right - left, device.height()), col("band"))
        for at in time_ticks(rect.left(), rect.right(), self.axis.zone, max(2, int(device.width() / 84))):
            painter.fillRect(
                QRectF(round(world.map(QPointF(at, 0)).x()), device.top(), 1, device.height()), col("plot_grid")
            )
        for value in self.ticks:
            y = round(world.map(QPointF(0, value)).y())
            painter.fillRect(
                QRectF(device.left(), y, device.width(), 1), col("plot_grid" if value else "border_strong")
            )
        painter.restore()


class _Limits(pg.UIGraphicsItem):
    """Limits: a 2-px line while in force and its forbidden side hatched; or only their words, on paper, in front."""

    def __init__(self, zone: tzinfo, words: bool) -> None:
        super().__init__()
        self.zone = zone
        self.words = words
        self.spans: Sequence[LimitSpan] = ()
        self.now: float | None = None
        self.setZValue(50 if words else -10)

    def paint(self, *args: Any) -> None:
        painter: QPainter = args[0]
        rect, world = self.boundingRect(), painter.worldTransform()
        painter.save()
        painter.resetTransform()
        device = world.mapRect(rect)
        painter.setClipRect(device)
        for span in self.spans:
            left = max(world.map(QPointF(span.start.timestamp(), 0)).x(), device.left())
            end = span.end.timestamp() if span.end else rect.right()
            right = min(world.map(QPointF(end, 0)).x(), device.right())
            if right <= left:
                continue
            for limit, above in ((span.upper_w, True), (span.lower_w, False)):
                if limit is None:
                    continue
                y = world.map(QPointF(0, limit)).y()
                if self.words:
                    words = limit_words(limit, span, self.zone)
                    room = width_of(words, ui(11, 600)) + 12
                    ahead = max(left, world.map(QPointF(self.now, 0)).x()) if self.now is not None else right
                    # After now nothing has been measured yet: there the words cover no curve.
                    middle = ((ahead if right - ahead > room else left) + right) / 2
                    self._say(painter, device, middle, y - 22 if above else y + 5, words)
                else:
                    self._forbid(painter, left, right, y, device.top() if above else device.bottom())
        painter.restore()

    @staticmethod
    def _forbid(painter: QPainter, left: float, right: float, y: float, edge: float) -> None:
        hatch(painter, QRectF(left, min(y, edge), right - left, abs(y - edge)), "limit_hatch", 6, 0.9)
        painter.fillRect(QRectF(left, round(y) - 1, right - left, 2), col("limit"))

    @staticmethod
    def _say(painter: QPainter, device: QRectF, middle: float, top: float, words: str) -> None:
        width = width_of(words, ui(11, 600)) + 12
        x = max(device.left() + 2, min(middle - width / 2, device.right() - width - 2))
        paper = QRectF(x, max(device.top() + 2, min(top, device.bottom() - 20)), width, 17)
        painter.fillRect(paper, col("plot_bg"))
        put(painter, paper, words, "text", ui(11, 600), "c")


def _item(widget: pg.PlotWidget) -> Any:
    """The plot item; pyqtgraph's types know neither that there is one nor what it forwards to its view box."""
    return widget.getPlotItem()


def calm_plot(zone: tzinfo, show_time: bool = True) -> pg.PlotWidget:
    """A pyqtgraph plot without its default look; time in ``zone`` under it where ``show_time``.

    No frame, no axis line, no menu, no SI prefix of its own, no mouse: the views own range and cursor. Colours are
    those of :func:`retheme_plot`, which is called for every new plot and after a switch of theme.
    """
    widget = pg.PlotWidget(axisItems={"bottom": _ClockAxis(zone)})
    widget.setFrameShape(QFrame.Shape.NoFrame)
    widget.setAntialiasing(False)
    item = _item(widget)
    item.setMenuEnabled(False)
    item.hideButtons()
    item.setMouseEnabled(False, False)
    item.getViewBox().setDefaultPadding(0)
    item.setContentsMargins(0, 0, 0, 0)
    item.layout.setContentsMargins(0, 6, RIGHT_MARGIN, 2)
    for side in ("left", "bottom"):
        axis = item.getAxis(side)
        axis.enableAutoSIPrefix(False)
        axis.setStyle(tickLength=0, tickTextOffset=5, autoExpandTextSpace=False, hideOverlappingLabels=False)
    item.getAxis("left").setWidth(AXIS_WIDTH)
    bottom = item.getAxis("bottom")
    bottom.setStyle(showValues=show_time)
    bottom.setHeight(TIME_HEIGHT if show_time else 0)
    retheme_plot(widget)
    return widget


def retheme_plot(widget: pg.PlotWidget) -> None:
    """Give a plot's paper and axes the colours and fonts of the theme that is on."""
    widget.setBackground(col("plot_bg"))
    for side in ("left", "bottom"):
        axis = _item(widget).getAxis(side)
        axis.setPen(pg.mkPen(None))
        # A tick of length 0 is still a dot, and pyqtgraph makes every tick pen opaque.
        axis.setTickPen(pg.mkPen(col("plot_bg")))
        axis.setTextPen(col("plot_axis"))
        axis.setTickFont(ui(11))


class PlotKey(QWidget):
    """The key beside a plot: title and unit, then swatch, name and value at the cursor for every curve."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = title
        self.unit = ""
        self.rows: list[tuple[str, str, str, bool]] = []
        """(name, value, colour role, strong)."""
        self.setFixedWidth(KEY_WIDTH)

    def show_rows(self, unit: str, rows: list[tuple[str, str, str, bool]]) -> None:
        if (unit, rows) == (self.unit, self.rows):
            return
        self.unit, self.rows = unit, rows
        said = ", ".join(f"{name} {value}" for name, value, _, _ in rows)
        self.setAccessibleName(f"{self.title}, {unit}: {said}")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(KEY_WIDTH, KEY_HEAD + KEY_ROW * len(self.rows) + 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), col("plot_bg"))
        width = self.width()
        used = put(painter, QRectF(4, 6, width - 50, 18), self.title, "text", ui(12, 600))
        put(painter, QRectF(4 + used + 5, 6, width - used - 20, 18), self.unit, "text_muted", ui(11.5))
        pitch = max(LEAST_KEY_ROW, min(KEY_ROW, (self.height() - KEY_HEAD) // max(1, len(self.rows))))
        for k, (name, value, role, strong) in enumerate(self.rows):
            y = KEY_HEAD + pitch * k
            painter.fillRect(QRectF(4, y + (8 if strong else 9), 12, 3 if strong else 2), col(role))
            figures = ui(12, 600 if strong else 400)
            room = width_of(value, figures)
            put(painter, QRectF(22, y, width - 40 - room, 18), name, "text" if strong else "text_muted", figures)
            put(painter, QRectF(60, y, width - 72, 18), value, "text", figures, "r")
        painter.end()


class TimePlot(QWidget):
    """One plot over time with its key.

    Arrow keys move the cursor when the plot has the focus; the pointer moves it while over the plot.
    """

    hovered = Signal(object)
    """POSIX seconds under the pointer; None when it leaves."""

    def __init__(
        self, title: str, unit: str | None, zone: tzinfo, show_time: bool = True, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.unit = unit
        self.keep_zero = unit in POWER_UNITS
        self.fixed_range: tuple[float, float] | None = None
        """E.g. (0, 100) for a state of charge; None follows what is seen."""
        self.share = 1
        """Its part of the height that a stack gives to its plots."""
        self._curves: dict[str, tuple[Curve, pg.PlotCurveItem]] = {}
        self._series: dict[str, tuple[Floats, Floats]] = {}
        self._spans: tuple[LimitSpan, ...] = ()
        self._range = (0.0, 1.0)
        self._now: float | None = None
        self._cursor: float | None = None
        self._read = True
        self._factor = 1.0
        self.plot = calm_plot(zone, show_time)
        self.plot.setAccessibleName(f"Plot of {title}")
        self.plot.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.plot.setMinimumHeight(72)
        self.plot.installEventFilter(self)
        self.plot.viewport().installEventFilter(self)
        self.plot.viewport().setAccessibleName(f"Plot of {title}")
        scene: Any = self.plot.scene()
        scene.sigMouseMoved.connect(self._pointed)
        self.key = PlotKey(title)
        self._item = item = _item(self.plot)
        self._backdrop = _Backdrop(item.getAxis("bottom"))
        self._limits = (_Limits(zone, words=False), _Limits(zone, words=True))
        self._now_line = pg.InfiniteLine(0, angle=90)
        self._cursor_line = pg.InfiniteLine(0, angle=90)
        for part in (self._backdrop, *self._limits, self._now_line, self._cursor_line):
            item.addItem(part, ignoreBounds=True)
        self._now_line.setVisible(False)
        self._cursor_line.setVisible(False)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.plot, 1)
        row.addWidget(self.key)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.retheme()

    @property
    def curves(self) -> list[Curve]:
        return [curve for curve, _ in self._curves.values()]

    def set_curves(self, curves: Iterable[Curve]) -> None:
        """Replace the set of curves; series of those that stay are kept."""
        wanted = {curve.key: curve for curve in curves}
        for key in [k for k, (curve, _) in self._curves.items() if wanted.get(k) != curve]:
            self._item.removeItem(self._curves.pop(key)[1])
            if key not in wanted:
                self._series.pop(key, None)
        for key, curve in wanted.items():
            if key not in self._curves:
                line = pg.PlotCurveItem(pen=self._pen(curve), connect="finite")
                self._item.addItem(line, ignoreBounds=True)
                self._curves[key] = (curve, line)
        self._curves = {key: self._curves[key] for key in wanted}
        self.redraw()

    def set_series(self, key: str, times: Floats, values: Floats, longest_gap: float | None = None) -> None:
        """Give a curve its history; drawn at the next :meth:`redraw`."""
        self._series[key] = with_gaps(times, values, longest_gap)

    def set_limits(self, spans: Sequence[LimitSpan]) -> None:
        """Limits in W over time; only for a plot of power."""
        self._spans = tuple(spans)
        for part in self._limits:
            part.spans = self._spans
            part.update()

    def set_bands(self, bands: Iterable[tuple[float, float]]) -> None:
        """Spans of POSIX seconds shaded behind the curves: events in force."""
        self._backdrop.bands = list(bands)
        self._backdrop.update()

    def set_range(self, start: float, end: float) -> None:
        """Show POSIX seconds ``start`` to ``end``; drawn at the next :meth:`redraw`."""
        self._range = (start, max(end, start + 1.0))

    def set_now(self, at: float | None) -> None:
        self._now = at
        for part in self._limits:
            part.now = at
        _place(self._now_line, at)

    def set_cursor(self, at: float | None, read: bool = True) -> None:
        """Move the shared cursor; the key shows the values there, or the latest without a cursor or unless ``read``."""
        self._cursor = at
        self._read = read
        _place(self._cursor_line, at)
        self._show_key()

    def show_time_axis(self, shown: bool) -> None:
        axis = self._item.getAxis("bottom")
        axis.setStyle(showValues=shown)
        axis.setHeight(TIME_HEIGHT if shown else 0)

    def redraw(self) -> None:
        """Bring curves, axes and key up to what was set."""
        start, end = self._range
        item = self._item
        item.setXRange(start, end, padding=0)
        most = max(200, int(item.getViewBox().width()) * POINTS_PER_PIXEL)
        low, high = np.inf, -np.inf
        for key, (curve, line) in self._curves.items():
            times, values = self._seen(key)
            if np.isfinite(values).any():
                low, high = min(low, float(np.nanmin(values))), max(high, float(np.nanmax(values)))
            times, values = thinned(times, values, most)
            line.setData(*(stepped(times, values) if curve.steps else (times, values)))
        self._scale(low, high)
        self._show_key()

    def retheme(self) -> None:
        retheme_plot(self.plot)
        for curve, line in self._curves.values():
            line.setPen(self._pen(curve))
        self._now_line.setPen(pg.mkPen(col("now_line"), width=1))
        self._cursor_line.setPen(pg.mkPen(col("text_muted"), width=1, style=Qt.PenStyle.DashLine))
        self.key.update()

    @staticmethod
    def _pen(curve: Curve) -> QPen:
        style = Qt.PenStyle.DotLine if curve.dotted else Qt.PenStyle.SolidLine
        return pg.mkPen(col(curve.role), width=1, style=style)

    def _seen(self, key: str) -> tuple[Floats, Floats]:
        """The part of a series inside the range, with one point more on each side."""
        times, values = self._series.get(key, (np.empty(0), np.empty(0)))
        first = max(0, int(np.searchsorted(times, self._range[0], side="right")) - 1)
        last = int(np.searchsorted(times, self._range[1], side="left")) + 1
        return times[first:last], values[first:last]

    def _scale(self, low: float, high: float) -> None:
        for span in self._spans:
            if span.start.timestamp() < self._range[1] and (span.end is None or span.end.timestamp() > self._range[0]):
                for limit in (span.upper_w, span.lower_w):
                    if limit is not None:
                        low, high = min(low, limit * 1.15, limit), max(high, limit * 1.15, limit)
        if not np.isfinite(low):
            low, high = 0.0, 1.0
        if self.keep_zero:
            low, high = min(low, 0.0), max(high, 0.0)
        most = 5 if self._item.getViewBox().height() > 90 else 4
        ticks = even_ticks(*self.fixed_range, most) if self.fixed_range else nice_ticks(low, high, most)
        factor, _ = prefix_of(self.unit, max(abs(ticks[0]), abs(ticks[-1])))
        labels = [(v, tick_text(v, factor)) for v in ticks]
        item = self._item
        item.getAxis("left").setTicks([labels])
        margin = (ticks[-1] - ticks[0]) * 0.06
        item.setYRange(ticks[0] - margin, ticks[-1] + margin, padding=0)
        self._backdrop.ticks = ticks
        self._factor = factor
        self._backdrop.update()

    def _show_key(self) -> None:
        factor = self._factor
        read = self._cursor if self._read else None
        rows = []
        for key, (curve, _) in self._curves.items():
            times, values = self._series.get(key, (np.empty(0), np.empty(0)))
            at = read if read is not None else self._latest(times)
            rows.append((curve.name, figure(value_at(times, values, at, curve.steps), factor), curve.role, False))
        limit = self._limit_at(read if read is not None else self._now)
        if limit is not None:
            rows.append(("limit", figure(limit, factor), "limit", True))
        shown = f"k{self.unit}" if factor != 1 else self.unit or ""
        self.key.show_rows(shown, rows)

    def _latest(self, times: Floats) -> float:
        """The moment whose values the key shows without a cursor."""
        last = float(times[-1]) if len(times) else 0.0
        return min(last, self._range[1])

    def _limit_at(self, at: float | None) -> float | None:
        for span in self._spans:
            if at is not None and span.start.timestamp() <= at and (span.end is None or at < span.end.timestamp()):
                return span.upper_w if span.upper_w is not None else span.lower_w
        return None

    def _pointed(self, position: QPointF) -> None:
        box = self._item.getViewBox()
        if box.sceneBoundingRect().contains(position):
            self.hovered.emit(float(box.mapSceneToView(position).x()))

    def eventFilter(self, watched: Any, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave and watched is self.plot.viewport():
            self.hovered.emit(None)
        elif event.type() == QEvent.Type.Resize and watched is self.plot.viewport():
            self.redraw()
        elif event.type() == QEvent.Type.Wheel and watched is self.plot.viewport():
            # pyqtgraph's axes would keep it, and what the plot lies in could not be scrolled from there.
            event.ignore()
            return True
        elif event.type() == QEvent.Type.KeyPress and watched is self.plot:
            assert isinstance(event, QKeyEvent)
            return self._key(event)
        return super().eventFilter(watched, event)

    def _key(self, event: QKeyEvent) -> bool:
        way = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        if event.key() == Qt.Key.Key_Escape and self._cursor is not None:
            self.hovered.emit(None)
        elif way:
            start, end = self._range
            at = self._cursor if self._cursor is not None else (self._now or end)
            self.hovered.emit(min(max(at + way * (end - start) / 100, start), end))
        else:
            return False
        return True


def _place(line: pg.InfiniteLine, at: float | None) -> None:
    line.setVisible(at is not None)
    if at is not None:
        line.setValue(at)


class PlotStack(QWidget):
    """Plots under each other with one time range, one now line and one cursor."""

    hovered = Signal(object)
    """POSIX seconds under the pointer in any of the plots; None when it leaves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plots: list[TimePlot] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)

    def set_plots(self, plots: Sequence[TimePlot]) -> None:
        """Show these plots, top to bottom; those that are no longer in the list are deleted."""
        for plot in self.plots:
            self._column.removeWidget(plot)
            if plot not in plots:
                plot.hide()
                plot.deleteLater()
        fresh = [plot for plot in plots if plot not in self.plots]
        self.plots = list(plots)
        for plot in fresh:
            plot.hovered.connect(self.hovered)
        for k, plot in enumerate(self.plots):
            plot.show_time_axis(k == len(self.plots) - 1)
            self._column.addWidget(plot, plot.share)
            plot.show()

    def set_range(self, start: float, end: float) -> None:
        for plot in self.plots:
            plot.set_range(start, end)

    def set_now(self, at: float | None) -> None:
        for plot in self.plots:
            plot.set_now(at)

    def set_cursor(self, at: float | None, read: bool = True) -> None:
        for plot in self.plots:
            plot.set_cursor(at, read)

    def set_bands(self, bands: Sequence[tuple[float, float]]) -> None:
        for plot in self.plots:
            plot.set_bands(bands)

    def redraw(self) -> None:
        for plot in self.plots:
            plot.redraw()

    def retheme(self) -> None:
        for plot in self.plots:
            plot.retheme()
