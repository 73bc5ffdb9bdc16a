"""Plots of a site on one time axis: power at the connection point with its limits, the devices, their state of charge.

Built from a ``SiteView`` and the desk's series; the shared cursor goes through all of them. Imports numpy and
pyqtgraph, so the site view imports it when it is first shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from console.app import views
from console.openadr.facts import EventStatus
from console.ui import flow_layout
from console.ui.curves import Floats
from console.ui.plots import KEY_HEAD, LEAST_KEY_ROW, MOST_CURVES, TIME_HEIGHT, Curve, PlotStack, TimePlot

NET = "net"
AUTOMATIC = (120.0, 300.0, 900.0, 1800.0, 3600.0, 2 * 3600.0, 6 * 3600.0, 12 * 3600.0, 24 * 3600.0)
"""Lengths of the axis to choose from while nobody has picked one, s."""
NOW_AT = 0.7
"""Where now stands on the axis, as a share of its length: what is coming, a limit above all, is seen beyond it."""
LEAST_PLOT = 90
LOW_PLOT = LEAST_PLOT + TIME_HEIGHT
"""Least height of the lowest plot, which has the times under it, px."""


def automatic_span(known: float) -> float:
    """Shortest axis that has room for ``known`` seconds before now; the longest where none has."""
    return next((span for span in AUTOMATIC if known <= NOW_AT * span), AUTOMATIC[-1])


def time_range(now: float, span: float) -> tuple[float, float]:
    """First and last POSIX second of an axis of ``span`` seconds."""
    start = now - NOW_AT * span
    return start, start + span


def bands_of(site: views.SiteView, events: Sequence[views.EventView]) -> list[tuple[float, float]]:
    """Spans to shade: limits, and events that a VEN of ours received; overlaps joined."""
    open_end = site.time.timestamp() + 10 * 365 * 86400
    spans = [_seconds(limit.start, limit.end, open_end) for limit in site.limits]
    shown = (EventStatus.ACTIVE, EventStatus.COMPLETED, EventStatus.NEAR, EventStatus.FAR)
    spans += [
        _seconds(each.event.start, each.end, open_end)
        for each in events
        if not each.mine and each.event.status in shown
    ]
    joined: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _seconds(start: datetime, end: datetime | None, open_end: float) -> tuple[float, float]:
    return start.timestamp(), end.timestamp() if end else open_end


def as_percent(series: views.Series) -> Floats:
    """A state of charge in %: a series without that unit is a share of 1."""
    return series.values if series.unit == "%" else series.values * 100


class SitePlots(QWidget):
    """The stack of plots of one site."""

    time_pointed = Signal(object)
    """Moment under the pointer as an aware datetime; None when it leaves."""

    def __init__(self, desk: views.Desk, span: float | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._span = span
        self._shape: tuple[object, ...] = ()
        self._power: list[TimePlot] = []
        self._charge: list[TimePlot] = []
        self._cursor: datetime | None = None
        self._pointing = False
        self._drawn: tuple[tuple[float, float], tuple[object, ...]] = ((0.0, 0.0), ())
        self.stack = PlotStack()
        self.stack.hovered.connect(self._hovered)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 0, 0, 0)
        column.addWidget(self.stack)

    def set_span(self, span: float | None) -> None:
        """Length of the time axis, s; None takes the shortest that holds what there is. Seen at :meth:`show_site`."""
        self._span = span

    def show_site(self, site: views.SiteView) -> None:
        """Bring every curve up to date."""
        self._build(site)
        series = {key: self._desk.series(key) for key in self._keys(site)}
        now = site.time.timestamp()
        firsts = [float(each.times[0]) for each in series.values() if len(each.times)]
        bands = bands_of(site, self._desk.events())
        for plot in self._power:
            for curve in plot.curves:
                _fill(plot, curve.key, series.get(curve.key))
        for plot in self._charge:
            for curve in plot.curves:
                plot.set_series(curve.key, series[curve.key].times, as_percent(series[curve.key]))
        shown = time_range(now, self._span or automatic_span(now - min(firsts, default=now)))
        if self._looks_the_same(shown, (site.limits, tuple(bands), self._shape)):
            # The keys tell the newest values all the same.
            self._place_cursor()
            return
        self._power[0].set_limits(site.limits)
        self.stack.set_bands(bands)
        self.stack.set_range(*shown)
        self.stack.set_now(now)
        self.stack.redraw()

    def _looks_the_same(self, shown: tuple[float, float], rest: tuple[object, ...]) -> bool:
        """Whether time has moved by less than half a pixel and nothing else has changed since the last drawing."""
        half = (shown[1] - shown[0]) / max(1, self.width()) / 2
        (start, end), before = self._drawn
        if before == rest and abs(shown[0] - start) < half and abs(shown[1] - end) < half:
            return True
        self._drawn = (shown, rest)
        return False

    def set_cursor(self, moment: datetime | None) -> None:
        """Move the cursor in every plot, without telling anyone.

        The keys tell the values there only while it is moved here: a moment that another view looks at is marked,
        and the keys stay at now.
        """
        self._cursor = moment
        self._place_cursor()

    def _place_cursor(self) -> None:
        self.stack.set_cursor(self._cursor.timestamp() if self._cursor else None, self._pointing)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._pointing = False

    def retheme(self) -> None:
        self.stack.retheme()
        self.stack.redraw()

    def _keys(self, site: views.SiteView) -> list[str]:
        keys = [site.net_series, *(device.power_series for device in site.devices)]
        keys += [device.soc_series for device in site.devices]
        return [key for key in keys if key]

    def _build(self, site: views.SiteView) -> None:
        """Make the plots anew when a device comes or goes."""
        devices = tuple((each.name, each.kind, each.power_series, each.soc_series) for each in site.devices)
        if (site.net_series, devices) == self._shape:
            return
        self._shape = (site.net_series, devices)
        roles = flow_layout.roles_of(site.devices)
        zone = self._desk.timezone
        net = TimePlot("Connection point", "W", zone)
        net.set_curves([Curve(site.net_series or NET, "net", "series_1")])
        self._power = [net]
        powered = [device for device in _in_order(site.devices) if device.power_series]
        for part in _told_apart(powered, roles):
            plot = TimePlot("Devices" if len(self._power) == 1 else "More devices", "W", zone)
            plot.set_curves(Curve(each.power_series, each.name, roles[each.name]) for each in part)
            self._power.append(plot)
        stored = [device for device in _in_order(site.devices) if device.soc_series]
        self._charge = []
        for part in _told_apart(stored, roles):
            plot = TimePlot("More charge" if self._charge else "State of charge", "%", zone)
            plot.fixed_range = (0.0, 100.0)
            plot.set_curves(Curve(each.soc_series, each.name, roles[each.name], steps=False) for each in part)
            self._charge.append(plot)
        plots = [*self._power, *self._charge]
        for plot in plots:
            # The stack shares out the height there is; a plot by itself would ask for 480 px.
            plot.plot.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
            least = LOW_PLOT if plot is plots[-1] else LEAST_PLOT
            plot.setMinimumHeight(max(least, KEY_HEAD + LEAST_KEY_ROW * len(plot.curves) + 2))
            plot.share = 12 if plot in self._power[1:] else 10
        self.stack.set_plots(plots)
        self.set_cursor(self._cursor)

    def _hovered(self, at: float | None) -> None:
        before, self._pointing = self._pointing, at is not None
        self.time_pointed.emit(None if at is None else datetime.fromtimestamp(at, UTC))
        if self._pointing != before:
            # The moment may be the one that was marked already, which nobody tells again.
            self._place_cursor()


def _in_order(devices: Sequence[views.DeviceView]) -> list[views.DeviceView]:
    """As the key lists them: loads first, then what stores and what gives, as in the flow picture's columns."""
    return sorted(
        devices,
        key=lambda each: (
            flow_layout.kind_of(each.kind).home == flow_layout.Side.SOURCE,
            flow_layout.kind_of(each.kind).rank,
        ),
    )


def _told_apart(devices: Sequence[views.DeviceView], roles: dict[str, str]) -> list[list[views.DeviceView]]:
    """The devices in as few plots as keep every colour to one curve of a plot."""
    parts: list[list[views.DeviceView]] = []
    for device in devices:
        for part in parts:
            if len(part) < MOST_CURVES and roles[device.name] not in {roles[each.name] for each in part}:
                part.append(device)
                break
        else:
            parts.append([device])
    return parts


def _fill(plot: TimePlot, key: str, series: views.Series | None) -> None:
    empty = np.empty(0)
    plot.set_series(key, series.times if series else empty, series.values if series else empty)
