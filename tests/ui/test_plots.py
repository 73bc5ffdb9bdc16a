"""Plots: ticks, gaps, thinning, values at the cursor, limits, one time axis and one cursor for a stack."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from console.app.views import LimitSpan
from console.ui.axes import TimeAxis, nice_ticks, prefix_of, tick_label, time_ticks
from console.ui.curves import figure, stepped, thinned, value_at, with_gaps
from console.ui.plots import Curve, PlotStack, TimePlot, limit_words
from console.ui.theme import apply_theme, col

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
START = datetime(2026, 6, 16, 8, 0, tzinfo=UTC).timestamp()


@pytest.fixture(autouse=True, scope="module")
def themed(qapp: QApplication) -> None:
    apply_theme(qapp, "light")


@pytest.mark.parametrize(
    ("low", "high"), [(-400.0, 11_040.0), (0.0, 1.0), (0.22, 0.42), (-3.0, -1.0), (5.0, 5.0), (0.0, 0.0), (1e-6, 3e6)]
)
def test_ticks_are_few_round_and_enclose_what_is_seen(low: float, high: float) -> None:
    ticks = nice_ticks(low, high, 5)
    assert 2 <= len(ticks) <= 5
    assert ticks[0] <= low + 1e-9 and ticks[-1] >= high - 1e-9
    steps = np.diff(ticks)
    assert np.allclose(steps, steps[0])


@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "Asia/Kathmandu", "America/St_Johns"])
def test_time_ticks_are_round_in_local_time(zone: str) -> None:
    local = ZoneInfo(zone)
    ticks = time_ticks(START + 100, START + 100 + 6 * 3600, local, 8)
    assert 3 <= len(ticks) <= 9
    for at in ticks:
        moment = datetime.fromtimestamp(at, UTC).astimezone(local)
        assert (moment.minute, moment.second) == (0, 0)
    assert tick_label(ticks[0], local, 3600.0).endswith(":00")


def test_an_axis_finds_its_way_back() -> None:
    axis = TimeAxis(START, START + 3600, 100, 700)
    assert axis.x(START) == 100 and axis.x(START + 1800) == 400
    assert axis.at(axis.x(START + 1234.5)) == pytest.approx(START + 1234.5)


def test_points_too_far_apart_are_not_joined() -> None:
    times, values = with_gaps(np.array([0.0, 10.0, 60.0, 70.0]), np.array([1.0, 2.0, 3.0, 4.0]), 25.0)
    assert np.isnan(values).tolist() == [False, False, True, False, False]
    assert np.all(np.diff(times) > 0)
    same, _ = with_gaps(np.array([0.0, 10.0]), np.array([1.0, 2.0]), None)
    assert len(same) == 2


def test_a_step_holds_its_value_until_the_next() -> None:
    times, values = stepped(np.array([0.0, 10.0, 20.0]), np.array([1.0, 5.0, 2.0]))
    assert list(zip(times, values, strict=True)) == [(0, 1), (10, 1), (10, 5), (20, 5), (20, 2)]


def test_thinning_keeps_peaks_and_gaps() -> None:
    times = np.arange(10_000.0)
    values = np.sin(times / 500)
    values[4321] = 9.0
    values[7000:7010] = np.nan
    few_times, few = thinned(times, values, 400)
    assert len(few) <= 400
    assert np.nanmax(few) == 9.0 and np.nanmin(few) == pytest.approx(values[~np.isnan(values)].min())
    assert np.isnan(few).any()
    assert np.all(np.diff(few_times) >= 0)
    untouched, _ = thinned(times[:50], values[:50], 400)
    assert len(untouched) == 50


def test_the_value_at_a_moment() -> None:
    times, values = np.array([0.0, 10.0, 20.0]), np.array([1.0, 3.0, np.nan])
    assert np.isnan(value_at(times, values, -1.0))
    assert value_at(times, values, 5.0) == 1.0
    assert value_at(times, values, 5.0, steps=False) == 2.0
    assert np.isnan(value_at(times, values, 25.0))
    assert figure(float("nan"), 1.0) == "–"
    assert figure(-1600.0, 1e-3) == "−1.60"


def test_units_take_a_prefix_only_where_it_helps() -> None:
    assert prefix_of("W", 7590.0) == (1e-3, "kW")
    assert prefix_of("W", 430.0) == (1.0, "W")
    assert prefix_of("%", 5000.0) == (1.0, "%")
    assert prefix_of(None, 5000.0) == (1.0, "")


@pytest.fixture
def plot(qtbot: QtBot) -> TimePlot:
    made = TimePlot("Connection point", "W", AMSTERDAM)
    qtbot.addWidget(made)
    made.resize(700, 200)
    made.show()
    times = START + np.arange(0.0, 600.0, 10.0)
    made.set_curves([Curve("net", "net", "series_1"), Curve("pv", "PV", "series_2")])
    made.set_series("net", times, np.where(times < START + 300, 11_040.0, 6_930.0))
    made.set_series("pv", times, np.full(60, -2350.0))
    made.set_range(START, START + 600)
    made.redraw()
    return made


def test_the_key_shows_the_latest_and_then_the_values_at_the_cursor(plot: TimePlot) -> None:
    assert plot.key.unit == "kW"
    assert [row[:2] for row in plot.key.rows] == [("net", "6.93"), ("PV", "−2.35")]
    plot.set_cursor(START + 100)
    assert plot.key.rows[0][:2] == ("net", "11.04")
    plot.set_cursor(START - 100)
    assert plot.key.rows[0][1] == "–"
    plot.set_cursor(None)
    assert plot.key.rows[0][1] == "6.93"
    assert "net 6.93" in plot.key.accessibleName()


def test_a_power_shows_its_zero_and_everything_seen(plot: TimePlot) -> None:
    low, high = plot.plot.viewRange()[1]
    assert low < -2350 and high > 11_040


def test_a_limit_is_in_range_in_the_key_and_in_words(plot: TimePlot) -> None:
    start = datetime.fromtimestamp(START + 300, UTC)
    span = LimitSpan(start, start + timedelta(hours=1), 20_000.0, None, "e-17")
    plot.set_limits([span])
    plot.set_now(START + 400)
    plot.redraw()
    assert plot.plot.viewRange()[1][1] > 20_000
    assert plot.key.rows[-1] == ("limit", "20.00", "limit", True)
    assert limit_words(7000.0, span, AMSTERDAM) == "limit 7.00\u00a0kW, e-17 until 11:05"
    plot.set_cursor(START + 100)
    assert [row[0] for row in plot.key.rows] == ["net", "PV"]


def test_a_limit_is_painted_hatched_on_its_forbidden_side(plot: TimePlot) -> None:
    before = plot.plot.grab().toImage()
    start = datetime.fromtimestamp(START, UTC)
    plot.set_limits([LimitSpan(start, None, 9000.0, None, "e-17")])
    plot.redraw()
    after = plot.plot.grab().toImage()
    limit = col("limit").rgb()
    inked = sum(after.pixel(300, y) == limit for y in range(after.height()))
    assert inked == 2, "the limit is a line of two px"
    assert before != after


def test_missing_data_is_a_gap_in_the_curve(plot: TimePlot) -> None:
    times = np.array([START, START + 10, START + 200, START + 210])
    plot.set_series("net", times, np.array([1000.0, 1000.0, 1000.0, 1000.0]), longest_gap=30.0)
    plot.redraw()
    drawn = next(line for curve, line in plot._curves.values() if curve.key == "net")
    assert drawn.yData is not None and np.isnan(drawn.yData).any()
    plot.set_cursor(START + 100)
    assert plot.key.rows[0][1] == "–"


def test_arrow_keys_move_the_cursor_and_escape_lets_go(plot: TimePlot, qtbot: QtBot) -> None:
    plot.set_now(START + 300)
    with qtbot.waitSignal(plot.hovered) as told:
        qtbot.keyClick(plot.plot, Qt.Key.Key_Right)
    assert told.args == [pytest.approx(START + 306)]
    plot.set_cursor(START + 306)
    with qtbot.waitSignal(plot.hovered) as told:
        qtbot.keyClick(plot.plot, Qt.Key.Key_Escape)
    assert told.args == [None]


def test_curves_that_stay_keep_their_series(plot: TimePlot) -> None:
    plot.set_curves([Curve("net", "net", "series_1")])
    assert [curve.key for curve in plot.curves] == ["net"]
    assert plot.key.rows[0][1] == "6.93"


def test_a_theme_reaches_every_pen(plot: TimePlot, qapp: QApplication) -> None:
    apply_theme(qapp, "dark")
    plot.retheme()
    pens = {line.opts["pen"].color().name() for _, line in plot._curves.values()}
    wanted, paper = {col("series_1").name(), col("series_2").name()}, col("plot_bg")
    apply_theme(qapp, "light")
    assert pens == wanted
    assert plot.plot.backgroundBrush().color() == paper


def shows_times(plot: TimePlot) -> bool:
    item: Any = plot.plot.getPlotItem()
    return item.getAxis("bottom").style["showValues"]


def test_a_stack_has_one_range_one_cursor_and_times_only_under_the_last(qtbot: QtBot) -> None:
    stack = PlotStack()
    qtbot.addWidget(stack)
    plots = [TimePlot(name, "W", AMSTERDAM) for name in ("one", "two", "three")]
    stack.set_plots(plots)
    stack.resize(600, 400)
    stack.show()
    stack.set_range(START, START + 100)
    stack.set_cursor(START + 50)
    stack.set_now(START + 90)
    stack.redraw()
    assert [shows_times(plot) for plot in plots] == [False, False, True]
    assert all(plot.plot.viewRange()[0] == pytest.approx([START, START + 100]) for plot in plots)
    with qtbot.waitSignal(stack.hovered):
        plots[1].hovered.emit(START + 10)
    stack.set_plots(plots[:1])
    assert shows_times(plots[0])
    assert stack.plots == plots[:1]
