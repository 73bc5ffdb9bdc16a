"""Plots: ticks, gaps, thinning, values at the cursor, limits, one time axis and one cursor for a stack."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from console.app.views import LimitSpan
from console.ui.axes import TimeAxis, even_ticks, nice_ticks, prefix_of, tick_label, time_ticks
from console.ui.curves import figure, stepped, thinned, value_at, with_gaps
from console.ui.glyphs import width_of
from console.ui.plots import RIGHT_MARGIN, Curve, PlotStack, TimePlot, limit_words
from console.ui.theme import apply_theme, col, ui

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


@pytest.mark.parametrize(
    ("most", "ticks"), [(5, [0, 25, 50, 75, 100]), (4, [0, 50, 100]), (3, [0, 50, 100]), (2, [0, 100])]
)
def test_a_given_range_is_parted_evenly(most: int, ticks: list[float]) -> None:
    assert even_ticks(0.0, 100.0, most) == ticks


@pytest.mark.parametrize("height", [72, 90, 112, 160, 300])
def test_a_range_of_0_to_100_says_0_50_and_100_at_every_height(plot: TimePlot, height: int) -> None:
    plot.fixed_range = (0.0, 100.0)
    plot.unit = "%"
    plot.plot.setMinimumHeight(0)
    plot.resize(640, height)
    plot.redraw()
    ticks = plot._backdrop.ticks
    assert {0.0, 50.0, 100.0} <= set(ticks)
    assert (ticks[0], ticks[-1]) == (0.0, 100.0)
    low, high = plot.plot.viewRange()[1]
    assert -10 < low < 0 and 100 < high < 110


def test_a_cursor_of_another_view_leaves_the_key_at_now(plot: TimePlot) -> None:
    start = datetime.fromtimestamp(START + 300, UTC)
    plot.set_limits([LimitSpan(start, None, 9000.0, None, "e-17")])
    plot.set_now(START + 590)
    plot.set_cursor(START + 100, read=False)
    assert plot._cursor_line.isVisible()
    assert [row[:2] for row in plot.key.rows] == [("net", "6.93"), ("PV", "−2.35"), ("limit", "9.00")]
    plot.set_cursor(START + 100)
    assert [row[:2] for row in plot.key.rows] == [("net", "11.04"), ("PV", "−2.35")]


def changed_columns(before: QImage, after: QImage) -> list[int]:
    return [
        x
        for x in range(before.width())
        if any(before.pixel(x, y) != after.pixel(x, y) for y in range(0, before.height(), 2))
    ]


def test_the_words_of_a_limit_stand_after_now_where_there_is_room(plot: TimePlot) -> None:
    plot.set_limits([LimitSpan(datetime.fromtimestamp(START, UTC), None, 9000.0, None, "e-17")])

    def words(now: float) -> list[int]:
        plot.set_now(now)
        plot.redraw()
        shown = plot.plot.grab().toImage()
        plot._limits[1].setVisible(False)
        hidden = plot.plot.grab().toImage()
        plot._limits[1].setVisible(True)
        return changed_columns(hidden, shown)

    def x_of(at: float) -> float:
        return plot._item.getViewBox().mapViewToScene(QPointF(at, 0.0)).x()

    assert min(words(START + 300)) > x_of(START + 300)
    crowded = words(START + 595)
    assert crowded and min(crowded) < x_of(START + 595), "no room after now"


def test_no_label_of_the_time_axis_is_cut_off(plot: TimePlot) -> None:
    axis = plot._item.getAxis("bottom")
    for span in (37.0, 60.0, 100.0, 121.0, 600.0, 3600.0):
        ((_, ticks),) = axis.tickValues(START, START + span, 480)
        assert ticks, "most labels stay"
        step = ticks[1] - ticks[0] if len(ticks) > 1 else 60.0
        half = width_of(tick_label(ticks[-1], AMSTERDAM, step), ui(11)) / 2
        assert (ticks[-1] - START) / span * 480 + half <= 480 + RIGHT_MARGIN + 0.01


def test_rows_of_a_key_move_together_where_the_plot_is_low(plot: TimePlot) -> None:
    def lowest_ink(height: int) -> int:
        plot.key.resize(168, height)
        image = plot.key.grab().toImage()
        paper = col("plot_bg").rgb()
        rows = [y for y in range(height) if any(image.pixel(x, y) != paper for x in range(4, 150))]
        return max(rows)

    plot.set_curves([Curve(str(k), f"curve {k}", "series_1") for k in range(5)])
    assert lowest_ink(150) > 103
    assert lowest_ink(103) < 103 - 3


def test_the_wheel_over_a_plot_is_left_to_what_it_lies_in(plot: TimePlot) -> None:
    viewport = plot.plot.viewport()
    before = plot.plot.viewRange()
    for at in (QPointF(10, 40), QPointF(200, 40)):
        turn = QWheelEvent(
            at,
            QPointF(viewport.mapToGlobal(at.toPoint())),
            QPoint(),
            QPoint(0, -120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(viewport, turn)
        assert not turn.isAccepted()
    assert plot.plot.viewRange() == before


def test_a_stack_shares_its_height_as_the_plots_ask(qtbot: QtBot) -> None:
    stack = PlotStack()
    qtbot.addWidget(stack)
    plots = [TimePlot(name, "W", AMSTERDAM) for name in ("one", "two")]
    plots[1].share = 3
    stack.set_plots(plots)
    stack.resize(600, 800)
    stack.show()
    assert [plot.height() for plot in plots] == [200, 600]
