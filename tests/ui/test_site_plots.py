"""Plots of a site: the time axis, bands, one cursor through all, every colour once in a plot."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from console.app.views import DeviceView, LimitSpan, Series
from console.openadr.facts import EventStatus
from console.ui.site_plots import AUTOMATIC, SitePlots, as_percent, automatic_span, bands_of, time_range
from tests.ui.fake_desk import FakeDesk
from tests.ui.fake_lab import NOW, lab_site

POSIX = NOW.timestamp()


@given(st.floats(0, 1e6))
def test_the_axis_is_the_shortest_that_holds_what_there_is(age: float) -> None:
    span = automatic_span(age)
    start, end = time_range(POSIX, span)
    assert end - start == pytest.approx(span)
    assert 2 / 3 <= (POSIX - start) / span <= 3 / 4, "what is coming is seen beyond now"
    assert POSIX - start >= age - 1e-3 or span == AUTOMATIC[-1]
    shorter = [each for each in AUTOMATIC if each < span]
    assert all(POSIX - time_range(POSIX, each)[0] < age for each in shorter)


@pytest.mark.parametrize(
    ("age", "span"),
    [(0, 120), (40, 120), (180, 300), (600, 900), (2400, 3600), (4200, 7200), (4 * 3600, 6 * 3600), (1e6, 86_400)],
)
def test_a_young_site_has_a_short_axis(age: float, span: float) -> None:
    assert automatic_span(age) == span


def test_bands_are_limits_and_received_events_joined() -> None:
    desk = FakeDesk()
    events = desk.events()
    site = lab_site()
    limit = site.limits[0]
    assert limit.end is not None
    assert bands_of(site, []) == [(limit.start.timestamp(), limit.end.timestamp())]
    assert all(event.mine or event.event.event_id == "e-17" for event in events), "what the lab is made of"
    assert bands_of(replace(site, limits=()), [replace(each, mine=True) for each in events]) == []
    soon = replace(events[0].event, status=EventStatus.NEAR, start=limit.end - timedelta(minutes=5))
    received = replace(events[0], mine=False, event=soon, end=limit.end + timedelta(hours=1))
    assert bands_of(site, [received]) == [(limit.start.timestamp(), limit.end.timestamp() + 3600)]
    cancelled = replace(received, event=replace(soon, status=EventStatus.CANCELLED))
    assert bands_of(replace(site, limits=()), [cancelled]) == []


def test_an_open_ended_limit_has_a_band_without_end() -> None:
    site = replace(lab_site(), limits=(LimitSpan(NOW, None, 7000.0, None, "e-20"),))
    ((start, end),) = bands_of(site, [])
    assert start == POSIX
    assert end > POSIX + 86_400


def test_a_state_of_charge_comes_as_a_share_or_in_per_cent() -> None:
    times = np.array([0.0])
    assert as_percent(Series(times, np.array([0.61]))) == pytest.approx([61.0])
    assert as_percent(Series(times, np.array([61.0]), "%")) == pytest.approx([61.0])


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def plots(qtbot: QtBot, desk: FakeDesk) -> SitePlots:
    plots = SitePlots(desk)
    qtbot.addWidget(plots)
    plots.resize(900, 360)
    plots.show_site(lab_site())
    with qtbot.waitExposed(plots):
        plots.show()
    return plots


def test_there_is_one_plot_for_the_connection_point_one_for_devices_one_for_charge(plots: SitePlots) -> None:
    names = [[curve.name for curve in plot.curves] for plot in plots.stack.plots]
    assert names == [["net"], ["EVSE", "Washer", "Household", "PV roof", "Battery"], ["EVSE", "Battery"]]
    assert [plot.key.title for plot in plots.stack.plots] == ["Connection point", "Devices", "State of charge"]


def test_the_cursor_moves_in_all_plots_and_their_keys_say_the_values_there(plots: SitePlots) -> None:
    def values(plot: int) -> dict[str, str]:
        return {name: value for name, value, _, _ in plots.stack.plots[plot].key.rows}

    assert values(1)["EVSE"] == "7.59"
    assert values(0)["limit"] == "7.00"
    moved: list[object] = []
    plots.time_pointed.connect(moved.append)
    plots.time_pointed.connect(plots.set_cursor)
    plots.stack.plots[2].hovered.emit(POSIX - 1200)
    lines = [plot._cursor_line for plot in plots.stack.plots]
    assert [line.value() for line in lines] == [POSIX - 1200] * 3
    assert all(line.isVisible() for line in lines)
    assert values(1)["EVSE"] == "11.04"
    assert "limit" not in values(0), "it was not in force yet"
    plots.stack.plots[2].hovered.emit(None)
    assert moved == [NOW - timedelta(minutes=20), None]
    assert not any(line.isVisible() for line in lines)
    assert values(1)["EVSE"] == "7.59"


def test_a_moment_of_another_view_is_marked_and_the_keys_stay_at_now(plots: SitePlots) -> None:
    def told() -> list[list[tuple[str, str]]]:
        return [[(name, value) for name, value, _, _ in plot.key.rows] for plot in plots.stack.plots]

    now = told()
    assert now[0][1] == ("limit", "7.00")
    plots.set_cursor(NOW - timedelta(minutes=20))
    assert all(plot._cursor_line.isVisible() for plot in plots.stack.plots)
    assert told() == now
    plots.show_site(lab_site())
    assert told() == now, "nor do they go there with the next instant"


def test_a_pointer_that_was_over_a_plot_when_the_view_was_left_points_no_more(plots: SitePlots) -> None:
    plots.time_pointed.connect(plots.set_cursor)
    key = plots.stack.plots[0].key
    now = key.rows
    plots.stack.plots[0].hovered.emit(POSIX - 1200)
    assert key.rows[0][:2] == ("net", "10.90")
    plots.hide()
    plots.set_cursor(NOW - timedelta(minutes=15))
    plots.show()
    plots.show_site(lab_site())
    assert key.rows == now


def test_pointing_at_one_plot_tells_the_moment(plots: SitePlots) -> None:
    pointed: list[object] = []
    plots.time_pointed.connect(pointed.append)
    plots.stack.plots[2].hovered.emit(POSIX - 60)
    plots.stack.plots[0].hovered.emit(None)
    assert pointed == [NOW - timedelta(seconds=60), None]


def test_all_plots_share_range_now_and_bands(plots: SitePlots) -> None:
    ranges = {tuple(plot._item.viewRange()[0]) for plot in plots.stack.plots}
    assert len(ranges) == 1
    assert [plot._now_line.value() for plot in plots.stack.plots] == [POSIX] * 3
    plots.set_span(900)
    plots.show_site(lab_site())
    ((start, end),) = {tuple(plot._item.viewRange()[0]) for plot in plots.stack.plots}
    assert end - start == pytest.approx(900)


def test_curves_are_drawn_again_only_when_time_moved_by_a_pixel(
    plots: SitePlots, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    redraw = plots.stack.redraw
    monkeypatch.setattr(plots.stack, "redraw", lambda: (drawn.append(1), redraw()))

    def draws(seconds: float, **changes: object) -> int:
        desk.time = NOW + timedelta(seconds=seconds)
        before = len(drawn)
        plots.show_site(replace(lab_site(), time=desk.time, **changes))  # pyright: ignore[reportArgumentType]
        return len(drawn) - before

    pixel = 7200 / plots.width()
    assert draws(0) == 0
    assert draws(pixel * 0.4) == 0
    assert draws(pixel * 0.8) == 1
    assert draws(pixel * 0.8, limits=()) == 1, "a limit that comes or goes is drawn at once"


def test_the_keys_follow_the_newest_value_between_two_drawings(
    plots: SitePlots, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = desk.series("device/EVSE")
    new = Series(np.append(old.times, POSIX + 0.5), np.append(old.values, 4140.0), "W")
    series = desk.series
    monkeypatch.setattr(desk, "series", lambda key: new if key == "device/EVSE" else series(key))
    plots.show_site(replace(lab_site(), time=NOW + timedelta(seconds=0.6)))
    assert ("EVSE", "4.14", "series_4", False) in plots.stack.plots[1].key.rows


def test_many_devices_keep_every_colour_to_one_curve_of_a_plot(plots: SitePlots) -> None:
    kinds = ["ev", "battery", "washer", "pv", "heat pump", "base load", "boiler"]
    many = tuple(
        DeviceView(f"device {k}", kinds[k % 7], 100.0, "", power_series=f"device/{k}", soc_series=f"soc/{k}")
        for k in range(10)
    )
    plots.show_site(replace(lab_site(), devices=many))
    drawn: list[str] = []
    for plot in plots.stack.plots[1:]:
        roles = [curve.role for curve in plot.curves]
        assert len(set(roles)) == len(roles) <= 6
        drawn += [curve.key for curve in plot.curves]
    assert sorted(drawn) == sorted([*(f"device/{k}" for k in range(10)), *(f"soc/{k}" for k in range(10))])


def test_a_site_without_stores_or_devices_has_fewer_plots(plots: SitePlots) -> None:
    house = DeviceView("Household", "base load", 312.0, "base load", power_series="device/Household")
    plots.show_site(replace(lab_site(), devices=(house,)))
    assert [plot.key.title for plot in plots.stack.plots] == ["Connection point", "Devices"]
    plots.show_site(replace(lab_site(), devices=()))
    assert [plot.key.title for plot in plots.stack.plots] == ["Connection point"]


def test_a_site_without_any_point_yet_is_drawn(
    plots: SitePlots, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = np.empty(0)
    monkeypatch.setattr(desk, "series", lambda key: Series(empty, empty))
    plots.show_site(lab_site())
    assert {value for _, value, _, strong in plots.stack.plots[1].key.rows if not strong} == {"–"}
