"""The Reports view: the list of data points, requesting and cancelling, plots per unit, status values."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from console.app.views import Outcome, ReportView
from console.ui.cursor import TimeCursor
from console.ui.report_list import Heading, Key, ReportModel, key_of, period_words, rows_of
from console.ui.reports import ReportsView
from console.ui.theme import apply_theme
from console.ui.widgets import Button
from tests.ui.fake_desk import FakeDesk, empty_desk
from tests.ui.fake_lab import NOW, at, lab_reports
from tests.ui.test_events_view import nameless

ALL = frozenset({"reports", "telemetry", "sessions", "events", "clock"})


@pytest.fixture(autouse=True, scope="module")
def themed(qapp: QApplication) -> None:
    apply_theme(qapp, "light")


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def cursor() -> TimeCursor:
    return TimeCursor()


@pytest.fixture
def view(qtbot: QtBot, desk: FakeDesk, cursor: TimeCursor) -> ReportsView:
    made = ReportsView(desk, cursor)
    qtbot.addWidget(made)
    made.resize(1232, 710)
    made.show()
    made.refresh(ALL)
    return made


def keys(ven_id: str, *r_ids: str) -> set[Key]:
    return {("vtn-lab", ven_id, "rs-1", r_id) for r_id in r_ids}


def test_data_points_stand_under_their_ven_and_report() -> None:
    rows = rows_of(lab_reports())
    headings = [(row.ven_id, row.report_name) for row in rows if isinstance(row, Heading)]
    assert headings[:3] == [
        ("ven-1", "TELEMETRY_STATUS"),
        ("ven-1", "TELEMETRY_USAGE"),
        ("ven-3", "TELEMETRY_STATUS"),
    ]
    first_usage = rows.index(next(r for r in rows if isinstance(r, Heading) and r.report_name == "TELEMETRY_USAGE"))
    assert [r.r_id for r in rows[first_usage + 1 : first_usage + 3] if isinstance(r, ReportView)] == [
        "grid-power",
        "grid-energy",
    ]
    assert rows_of([]) == []


def test_the_model_keeps_the_rules_of_models(qtmodeltester: ModelTester) -> None:
    model = ReportModel()
    model.show_reports(lab_reports(), NOW)
    qtmodeltester.check(model)
    assert model.text(model.rows[4]) == "grid-energy, running, 41.20 kWh, 4\u00a0s old"


def test_periods_in_words() -> None:
    short, long = timedelta(seconds=2), timedelta(minutes=15)
    assert period_words(short, long) == "every 2 s to 15 min"
    assert period_words(short, None) == "every 2 s or longer"
    assert period_words(None, long) == "every 15 min or shorter"
    assert period_words(None, None) == "at any period"


def test_nothing_is_requested_before_something_is_chosen(view: ReportsView, desk: FakeDesk) -> None:
    assert view.request.text() == "Select data points to request" and not view.request.isEnabled()
    view.request.click()
    assert desk.issued == []


def test_the_button_names_how_many_how_often_and_from_whom(view: ReportsView, desk: FakeDesk, qtbot: QtBot) -> None:
    view.list.choose(keys("ven-8", "grid-power", "grid-energy", "ev-soc"))
    assert view.request.text() == "Request 3 data points every 2 s from ven-8"
    assert not view.cancel.isVisible()
    qtbot.mouseClick(view.request, Qt.MouseButton.LeftButton)
    name, given = desk.issued[-1]
    assert name == "request_report" and isinstance(given, tuple)
    session, ven_id, r_ids, period = given
    assert (session, ven_id, set(r_ids)) == ("vtn-lab", "ven-8", {"grid-power", "grid-energy", "ev-soc"})
    assert period == timedelta(seconds=2)
    assert view._hint.text() == "Requested 3 rIDs."


def test_a_period_of_ones_own_stays(view: ReportsView, desk: FakeDesk, qtbot: QtBot) -> None:
    view.list.choose(keys("ven-8", "grid-power"))
    view.period.selectAll()
    qtbot.keyClicks(view.period, "1 min")
    view.list.choose(keys("ven-8", "grid-energy"))
    assert view.request.text() == "Request 1 data point every 1 min from ven-8"
    qtbot.keyClick(view.period, Qt.Key.Key_Return)
    assert desk.issued == [], "Return goes to the button that names what happens"
    assert view.focusWidget() is view.request


def test_a_period_outside_what_is_offered_is_warned_of(view: ReportsView, qtbot: QtBot) -> None:
    view.list.choose(keys("ven-8", "grid-power"))
    view.period.selectAll()
    qtbot.keyClicks(view.period, "1 s")
    assert view._hint.text() == "Offered every 2 s to 15 min; the VEN may refuse."
    assert view.request.isEnabled(), "testing a VEN means asking for what it should refuse"


@pytest.mark.parametrize("text", ["soon", "0", ""])
def test_a_period_that_is_none_holds_the_request_back(view: ReportsView, qtbot: QtBot, text: str) -> None:
    view.list.choose(keys("ven-8", "grid-power"))
    view.period.setText("")
    qtbot.keyClicks(view.period, text)
    view._offer()
    assert not view.request.isEnabled()
    assert view._hint.property("role") == "finding_error" and view._hint.text()


def test_several_vens_are_each_asked(view: ReportsView, desk: FakeDesk) -> None:
    view.list.choose(keys("ven-1", "grid-power") | keys("ven-8", "grid-power"))
    assert view.request.text() == "Request 2 data points every 2 s from 2 VENs"
    view.request.click()
    assert [(name, given[1]) for name, given in desk.issued if isinstance(given, tuple)] == [
        ("request_report", "ven-1"),
        ("request_report", "ven-8"),
    ]


def test_a_running_request_is_cancelled_by_its_id(view: ReportsView, desk: FakeDesk, qtbot: QtBot) -> None:
    view.list.choose(keys("ven-1", "grid-power", "grid-energy"))
    assert view.cancel.text() == "Cancel rr-1 of ven-1"
    qtbot.mouseClick(view.cancel, Qt.MouseButton.LeftButton)
    assert desk.issued == [("cancel_report", ("vtn-lab", "ven-1", "rr-1"))]
    assert view._hint.text() == "Cancelled rr-1."
    view.refresh(ALL)
    assert view._hint.text() == "Cancelled rr-1.", "what was said stays until something else is chosen"


def test_what_the_desk_refuses_is_said(view: ReportsView, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "request_report", lambda *_: Outcome(False, "ven-8 has not registered."))
    view.list.choose(keys("ven-8", "grid-power"))
    view.request.click()
    assert view._hint.text() == "ven-8 has not registered." and view._hint.property("role") == "finding_error"


def test_reports_of_our_own_ven_cannot_be_requested_here(view: ReportsView, desk: FakeDesk) -> None:
    desk.report_views = [replace(report, session="ven-7") for report in desk.report_views]
    view.refresh(ALL)
    view.list.choose({("ven-7", "ven-8", "rs-1", "grid-power")})
    assert view.list.chosen() and not view.request.isEnabled()


def test_one_plot_per_unit_and_names_with_the_ven(view: ReportsView) -> None:
    assert view._plots is not None
    plots = view._plots.stack.plots
    assert [plot.key.title for plot in plots] == ["Power", "Energy"]
    assert [curve.name for curve in plots[0].curves] == ["ven-1 grid-power", "ven-3 grid-power"]
    assert plots[0].key.unit == "kW" and plots[1].key.unit == "kWh"
    assert len({curve.role for curve in plots[0].curves}) == 2


def test_choosing_narrows_the_plots(view: ReportsView) -> None:
    view.list.choose(keys("ven-3", "grid-power"))
    assert view._plots is not None
    assert [[curve.name for curve in plot.curves] for plot in view._plots.stack.plots] == [["grid-power"]]
    view.list.choose(keys("ven-8", "grid-power"))
    assert len(view._plots.stack.plots) == 2, "what sends nothing narrows nothing"


def test_more_than_six_curves_take_another_plot(view: ReportsView, desk: FakeDesk) -> None:
    power = next(report for report in desk.report_views if report.unit == "W")
    desk.report_views = [replace(power, r_id=f"p-{k}", series=f"report/ven-1/p-{k}") for k in range(8)]
    view.refresh(ALL)
    assert view._plots is not None
    assert [len(plot.curves) for plot in view._plots.stack.plots] == [6, 2]


def test_the_time_shown_is_chosen(view: ReportsView) -> None:
    assert view._plots is not None

    def shown() -> float:
        assert view._plots is not None
        start, end = view._plots.stack.plots[0].plot.viewRange()[0]
        return end - start

    assert shown() == pytest.approx(600 * 1.03)
    buttons = view.spans.findChildren(Button)
    buttons[0].click()
    assert shown() == pytest.approx(120 * 1.03)
    buttons[3].click()
    assert shown() == pytest.approx(4200 * 1.03)


def test_the_cursor_is_shared_both_ways(view: ReportsView, cursor: TimeCursor) -> None:
    assert view._plots is not None
    cursor.set_time(at("10:40"))
    at_cursor = view._plots.stack.plots[0].key.rows[0][1]
    cursor.set_time(None)
    assert view._plots.stack.plots[0].key.rows[0][1] != at_cursor
    view._plots.stack.plots[0].hovered.emit(at("10:41").timestamp())
    assert cursor.moment == at("10:41")


def test_events_in_force_lie_behind_the_curves(view: ReportsView) -> None:
    assert view._plots is not None
    assert (at("10:15").timestamp(), at("11:00").timestamp()) in view._plots.stack.plots[0]._backdrop.bands


def test_status_values_stand_in_a_table(view: ReportsView, desk: FakeDesk) -> None:
    assert view.status.rows == [("ven-1", "ev-soc", "online", "4\u00a0s"), ("ven-3", "ev-soc", "online", "4\u00a0s")]
    desk.report_views = [report for report in desk.report_views if report.unit]
    view.refresh(ALL)
    assert not view._status_pane.isVisible()


def test_values_change_in_place_and_keep_the_selection(view: ReportsView, desk: FakeDesk, qtbot: QtBot) -> None:
    view.list.choose(keys("ven-1", "grid-power"))
    desk.report_views = [replace(report, last_value="5.00 kW") for report in desk.report_views]
    with qtbot.assertNotEmitted(view.model.modelReset):
        view.refresh(ALL)
    assert [key_of(report) for report in view.list.chosen()] == list(keys("ven-1", "grid-power"))
    desk.report_views = [*desk.report_views, replace(desk.report_views[0], r_id="another")]
    view.refresh(ALL)
    assert [key_of(report) for report in view.list.chosen()] == list(keys("ven-1", "grid-power"))


def test_data_points_are_chosen_by_mouse_and_keys(view: ReportsView, qtbot: QtBot) -> None:
    row = next(k for k, r in enumerate(view.model.rows) if isinstance(r, ReportView) and r.r_id == "grid-power")
    place = view.list.visualRect(view.model.index(row)).center() + QPoint(0, 0)
    qtbot.mouseClick(view.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.keyClick(view.list, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert [report.r_id for report in view.list.chosen()] == ["grid-power", "grid-energy"]


def test_nothing_offered_yet(qtbot: QtBot) -> None:
    cursor = TimeCursor()
    view = ReportsView(empty_desk(), cursor)
    qtbot.addWidget(view)
    view.show()
    view.refresh(ALL)
    assert view.empty.isVisible()
    with qtbot.waitSignal(cursor.view_wanted) as told:
        view.empty.findChildren(Button)[0].click()
    assert told.args == ["Presence"]


def test_pyqtgraph_waits_for_the_first_plot() -> None:
    code = "import console.ui.reports, console.ui.events, console.ui.presence, sys; print('pyqtgraph' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_every_part_has_a_name_and_both_themes_paint(view: ReportsView, qapp: QApplication) -> None:
    view.list.choose(keys("ven-1", "grid-power"))
    assert nameless(view) == []
    light = view.grab().toImage()
    apply_theme(qapp, "dark")
    view.retheme()
    dark = view.grab().toImage()
    apply_theme(qapp, "light")
    assert dark != light
