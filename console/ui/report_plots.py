"""Live plots of what VENs report: one plot per unit, at most six curves in each, on one time axis.

Built from ``ReportView`` and the desk's series. Imports pyqtgraph, so the Reports view imports it when first shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from console.app.views import Desk, ReportView
from console.openadr.facts import EventStatus
from console.ui.plots import MOST_CURVES, Curve, PlotStack, TimePlot, series_role

QUANTITIES = {
    "W": "Power",
    "VA": "Apparent power",
    "VAR": "Reactive power",
    "Wh": "Energy",
    "VAh": "Apparent energy",
    "VARh": "Reactive energy",
    "A": "Current",
    "V": "Voltage",
    "Hz": "Frequency",
    "%": "State of charge",
    "°C": "Temperature",
}
GAP_PERIODS = 2.5
"""Points further apart than so many periods are not joined."""
AHEAD = 0.03
"""Share of the axis to the right of now."""
LEAST_HEIGHT = 120


def grouped(reports: Sequence[ReportView]) -> list[tuple[str, list[ReportView]]]:
    """(unit, reports) of each plot: by unit, at most six to a plot."""
    by_unit: dict[str, list[ReportView]] = {}
    for report in reports:
        if report.series:
            by_unit.setdefault(report.unit or "", []).append(report)
    return [
        (unit, some[first : first + MOST_CURVES])
        for unit, some in by_unit.items()
        for first in range(0, len(some), MOST_CURVES)
    ]


def curve_names(reports: Sequence[ReportView]) -> dict[str, str]:
    """Series key to the name in the key: the rID, with its venID where there are several VENs."""
    several = len({report.ven_id for report in reports}) > 1
    return {r.series: f"{r.ven_id} {r.r_id}" if several else r.r_id for r in reports}


class ReportPlots(QWidget):
    """The plots of the Reports view."""

    hovered = Signal(object)
    """POSIX seconds under the pointer, or None."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._layout: tuple[tuple[str, tuple[str, ...]], ...] = ()
        self._reports: list[tuple[TimePlot, list[ReportView]]] = []
        self._span: timedelta | None = timedelta(minutes=10)
        self.stack = PlotStack()
        self.stack.hovered.connect(self.hovered)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.stack)

    def show_span(self, length: timedelta | None) -> None:
        """Show the latest ``length``; None shows all there is. Drawn at the next :meth:`show_reports`."""
        self._span = length

    def show_reports(self, reports: Sequence[ReportView]) -> None:
        """Draw these reports as they stand now."""
        groups = grouped(reports)
        layout = tuple((unit, tuple(report.series for report in some)) for unit, some in groups)
        if layout != self._layout:
            self._layout = layout
            self._build(groups)
        else:
            self._reports = [(plot, some) for (plot, _), (_, some) in zip(self._reports, groups, strict=True)]
        self._draw()

    def _build(self, groups: list[tuple[str, list[ReportView]]]) -> None:
        names = curve_names([report for _, some in groups for report in some])
        self._reports = []
        for unit, some in groups:
            plot = TimePlot(QUANTITIES.get(unit, "Value"), unit or None, self._desk.timezone)
            plot.setMinimumHeight(LEAST_HEIGHT)
            plot.set_curves(
                Curve(report.series, names[report.series], series_role(k), steps=unit != "%")
                for k, report in enumerate(some)
            )
            self._reports.append((plot, some))
        self.stack.set_plots([plot for plot, _ in self._reports])

    def _draw(self) -> None:
        now = self._desk.now()
        first = now.timestamp() - 60.0
        for plot, some in self._reports:
            for report in some:
                series = self._desk.series(report.series)
                longest = report.period.total_seconds() * GAP_PERIODS if report.period else None
                plot.set_series(report.series, series.times, np.asarray(series.values, dtype=np.float64), longest)
                if len(series.times):
                    first = min(first, float(series.times[0]))
        end = now.timestamp()
        start = end - self._span.total_seconds() if self._span else first
        self.stack.set_range(start, end + (end - start) * AHEAD)
        self.stack.set_now(end)
        self.stack.set_bands(self._bands(now))
        self.stack.redraw()

    def _bands(self, now: datetime) -> list[tuple[float, float]]:
        """Events of ours that were or are in force."""
        bands = []
        for view in self._desk.events():
            status = view.event.status
            if view.mine and status in (EventStatus.ACTIVE, EventStatus.COMPLETED):
                end = view.end or now
                bands.append((view.event.start.timestamp(), end.timestamp()))
        return bands

    def set_cursor(self, moment: datetime | None) -> None:
        self.stack.set_cursor(moment.astimezone(UTC).timestamp() if moment else None)

    def retheme(self) -> None:
        self.stack.retheme()
