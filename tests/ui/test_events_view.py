"""The Events view: rows and lanes of the chart, choosing, zooming, cancelling, opting, empty state."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from console.app.views import EventDraft, Outcome
from console.openadr.facts import EventStatus
from console.ui.cursor import TimeCursor
from console.ui.event_detail import answers_words, facts_of
from console.ui.events import EventsView
from console.ui.gantt import KEEP_PAST, bars_of, draft_bars, in_lanes, natural, range_of, rows_of, when_words
from console.ui.theme import apply_theme
from tests.ui.fake_desk import FakeDesk, empty_desk
from tests.ui.fake_lab import NOW, ZONE, at, event, lab_events, lab_vens

ALL = frozenset({"events", "presence", "sessions", "clock"})


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
def view(qtbot: QtBot, desk: FakeDesk, cursor: TimeCursor) -> EventsView:
    made = EventsView(desk, cursor)
    qtbot.addWidget(made)
    made.resize(1232, 710)
    made.show()
    made.refresh(ALL)
    made.chart.viewport().repaint()
    return made


def nameless(root: QWidget) -> list[QWidget]:
    """Focusable widgets in view that a screen reader could not name."""
    return [
        w
        for w in root.findChildren(QWidget)
        if w.isVisible()
        and w.focusPolicy() != Qt.FocusPolicy.NoFocus
        and not w.accessibleName()
        and not (hasattr(w, "text") and w.property("text"))
        and not w.objectName().startswith("qt_")
    ]


def test_rows_stand_under_who_asks_and_each_ven_has_one() -> None:
    rows = rows_of(lab_events(), lab_vens(), [], NOW.timestamp(), ZONE)
    assert [row.title for row in rows if not row.ven_id] == ["vtn-utility asks us", "vtn-lab, which is us, asks"]
    vens = [row.ven_id for row in rows if row.ven_id]
    assert vens == ["ven-7", "ven-1", "ven-2", "ven-3", "ven-4", "ven-5", "ven-9", "ven-11"]
    late = next(row for row in rows if row.ven_id == "ven-2")
    assert late.state == "late" and late.note == "Cold store"
    assert natural("ven-2") < natural("ven-10")


def test_overlapping_bars_are_stacked_and_others_share_a_lane() -> None:
    vens = [("ven-1", "optIn")]
    views = [
        event("a", EventStatus.NEAR, at("11:00"), 1, "a", vens),
        event("b", EventStatus.NEAR, at("11:30"), 1, "b", vens),
        event("c", EventStatus.NEAR, at("12:00"), 1, "c", vens),
    ]
    bars = in_lanes([bar for view in views for bar in bars_of(view, NOW.timestamp(), ZONE)])
    assert [(bar.event_id, bar.lane) for bar in bars] == [("a", 0), ("b", 1), ("c", 0)]


def test_a_bar_tells_status_opt_and_every_modification() -> None:
    bars = {bar.ven_id: bar for view in lab_events() for bar in bars_of(view, NOW.timestamp(), ZONE)}
    assert (bars["ven-7"].status, bars["ven-7"].opt, bars["ven-7"].text) == ("active", "in", "e-17  7.00 kW")
    assert bars["ven-4"].opt == "", "nobody answers a cancelled event any more"
    everything = [bar for view in lab_events() for bar in bars_of(view, NOW.timestamp(), ZONE)]
    waiting = next(bar for bar in everything if (bar.event_id, bar.ven_id) == ("e-203", "ven-2"))
    assert waiting.opt == "wait"
    assert "modification 0: issued" in waiting.tip


def test_an_open_ended_event_reaches_past_now() -> None:
    view = replace(lab_events()[1], end=None)
    bar = bars_of(view, NOW.timestamp(), ZONE)[0]
    assert bar.end > NOW.timestamp()
    assert when_words(view, ZONE) == "from 10:15, open end"


def test_the_range_holds_now_and_every_event_that_is_not_long_over() -> None:
    rows = rows_of(lab_events(), lab_vens(), [], NOW.timestamp(), ZONE)
    low, high = range_of(rows, NOW.timestamp())
    assert low < at("09:00").timestamp() and high > at("16:00").timestamp()
    much_later = at("16:00").timestamp() + KEEP_PAST + 60
    low, high = range_of(rows, much_later)
    assert low > at("16:00").timestamp() and low < much_later < high


def test_clicking_a_bar_selects_the_event_everywhere(view: EventsView, cursor: TimeCursor, qtbot: QtBot) -> None:
    rect, bar = next((rect, bar) for rect, bar in view.chart._place if bar.event_id == "e-203")
    with qtbot.waitSignal(cursor.event_selected) as told:
        qtbot.mouseClick(view.chart.viewport(), Qt.MouseButton.LeftButton, pos=rect.center().toPoint())
    assert told.args == ["e-203"]
    assert view.pane.currentWidget() is view.detail
    assert view.detail.view is not None and view.detail.view.event.event_id == "e-203"
    assert view.chart.selected == ("vtn-lab", "e-203")


def test_an_event_selected_elsewhere_is_shown_here(view: EventsView, cursor: TimeCursor) -> None:
    cursor.select_event("e-17")
    assert view.chart.selected == ("ven-7", "e-17")
    assert view.detail.view is not None and not view.detail.view.mine
    assert not view.detail.modify.isVisible() and view.detail.opt_out.isVisible()
    cursor.select_event("unknown")
    assert view.pane.currentWidget() is view.hint


def test_arrow_keys_walk_from_event_to_event(view: EventsView, cursor: TimeCursor, qtbot: QtBot) -> None:
    seen = []
    cursor.event_selected.connect(seen.append)
    for _ in range(3):
        qtbot.keyClick(view.chart, Qt.Key.Key_Down)
    qtbot.keyClick(view.chart, Qt.Key.Key_Up)
    assert seen == ["e-17", "e-201", "e-203", "e-201"]


def test_the_wheel_zooms_about_the_pointer_and_home_follows_again(view: EventsView, qtbot: QtBot) -> None:
    start, end = view.chart.time_range
    axis = view.chart._axis()
    x = 700.0
    moment = axis.at(x)
    turn = QWheelEvent(
        QPointF(x, 60), QPointF(x, 60), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    view.chart.wheelEvent(turn)
    closer = view.chart.time_range
    assert closer[1] - closer[0] == pytest.approx(0.8 * (end - start))
    assert view.chart._axis().at(x) == pytest.approx(moment)
    view.refresh(ALL)
    assert view.chart.time_range == closer, "a range chosen by hand stays"
    assert view.fit.isVisible()
    qtbot.keyClick(view.chart, Qt.Key.Key_Home)
    assert view.chart.time_range == (start, end)


def test_the_shared_cursor_is_drawn(view: EventsView, cursor: TimeCursor) -> None:
    before = view.chart.grab().toImage()
    cursor.set_time(at("13:37"))
    assert view.chart.grab().toImage() != before


def test_cancelling_asks_once_and_the_safe_choice_changes_nothing(
    view: EventsView, cursor: TimeCursor, desk: FakeDesk, qtbot: QtBot
) -> None:
    cursor.select_event("e-203")
    dialog = view.cancel_event()
    assert dialog is not None and dialog.isVisible()
    assert dialog.verb.text() == "Cancel event for 5 VENs"
    assert dialog.safe.isDefault()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert desk.issued == []
    dialog = view.cancel_event()
    assert dialog is not None
    qtbot.mouseClick(dialog.verb, Qt.MouseButton.LeftButton)
    assert desk.issued == [("cancel_event", ("vtn-lab", "e-203"))]
    assert view.detail.said.text() == "Cancelled e-203."


def test_an_event_that_is_over_or_not_ours_cannot_be_cancelled(view: EventsView, cursor: TimeCursor) -> None:
    cursor.select_event("e-201")
    assert not view.detail.cancel.isEnabled() and not view.detail.modify.isEnabled()
    cursor.select_event("e-17")
    assert view.cancel_event() is None


def test_actions_are_offered_only_where_they_can_be_done(view: EventsView, cursor: TimeCursor) -> None:
    actions = {action.id: action for action in view.actions_offered()}
    assert not actions["event.cancel"].when() and not actions["event.send"].when()
    cursor.select_event("e-203")
    assert actions["event.cancel"].when() and actions["event.modify"].when()
    cursor.select_event("e-201")
    assert not actions["event.cancel"].when(), "it is over"
    assert view.cancel_event() is None
    view.chart.zoom(0.5)
    assert actions["event.follow"].when()
    actions["event.follow"].run()
    assert view.chart.follows
    shown: list[str] = []
    cursor.view_wanted.connect(shown.append)
    cursor.select_event("e-203")
    actions["event.modify"].run()
    assert view.editing and shown == ["Events"]


def test_opting_out_of_an_event_of_our_ven(view: EventsView, cursor: TimeCursor, desk: FakeDesk, qtbot: QtBot) -> None:
    cursor.select_event("e-17")
    assert not view.detail.opt_in.isEnabled(), "it is opted in already"
    qtbot.mouseClick(view.detail.opt_out, Qt.MouseButton.LeftButton)
    assert desk.issued == [("set_opt", ("ven-7", "e-17", "optOut"))]
    assert view.detail.said.text() == "optOut sent for e-17."


def test_what_the_desk_refuses_is_said(
    view: EventsView, cursor: TimeCursor, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "set_opt", lambda *_: Outcome(False, "ven-7 is not registered. Register it first."))
    cursor.select_event("e-17")
    view.detail.opt_wanted.emit("optOut")
    assert view.detail.said.text() == "ven-7 is not registered. Register it first."
    assert view.detail.said.property("role") == "finding_error"


def test_the_messages_of_an_event_are_one_click_away(view: EventsView, cursor: TimeCursor, qtbot: QtBot) -> None:
    cursor.select_event("e-203")
    told: list[str] = []
    cursor.view_wanted.connect(told.append)
    cursor.filter_wanted.connect(told.append)
    qtbot.mouseClick(view.detail.messages, Qt.MouseButton.LeftButton)
    assert told == ["Messages", "e-203"]


def test_the_detail_follows_the_event(view: EventsView, cursor: TimeCursor, desk: FakeDesk) -> None:
    cursor.select_event("e-203")
    assert view.detail._answers_count.text() == "4 optIn, 1 no answer"
    desk.event_views = [
        replace(v, vens=tuple(replace(p, opt_type="optOut") for p in v.vens)) if v.event.event_id == "e-203" else v
        for v in desk.event_views
    ]
    view.refresh(frozenset({"events"}))
    assert view.detail._answers_count.text() == "5 optOut"
    assert answers_words(desk.event_views[0]) == "2 optIn, 1 optOut"


def test_the_facts_name_what_the_standard_names(desk: FakeDesk) -> None:
    facts = {what: value for what, value, _ in facts_of(desk.event_views[2], ZONE)}
    assert facts["eventID"] == "e-17/1" and facts["Signal"] == "LOAD_DISPATCH setpoint"
    assert facts["Now"] == "7.00\u00a0kW" and facts["Notice"] == "30 min"


def test_an_empty_desk_has_one_sentence_and_one_button(qtbot: QtBot) -> None:
    view = EventsView(empty_desk(), TimeCursor())
    qtbot.addWidget(view)
    view.show()
    view.refresh(ALL)
    assert view.empty.isVisible() and view.start.isEnabled()
    qtbot.mouseClick(view.start, Qt.MouseButton.LeftButton)
    assert view.editing and view.editor.isVisible()


def test_without_a_vtn_of_ours_nothing_can_be_issued(qtbot: QtBot, desk: FakeDesk) -> None:
    desk.session_views = [session for session in desk.session_views if session.kind != "VTN"]
    view = EventsView(desk, TimeCursor())
    qtbot.addWidget(view)
    view.refresh(ALL)
    assert not view.new.isEnabled() and not view.start.isEnabled()


def test_a_draft_is_drawn_for_the_vens_it_would_go_to() -> None:
    draft = EventDraft(
        signal_name="SIMPLE",
        signal_type="level",
        unit=None,
        start=at("13:00"),
        intervals=((timedelta(hours=2), 1.0),),
    )
    bars = draft_bars("vtn-lab", draft, ["ven-1", "ven-13"], "draft")
    rows = rows_of(lab_events(), lab_vens(), bars, NOW.timestamp(), ZONE)
    drawn = {row.ven_id for row in rows for bar in row.bars if bar.status == "draft"}
    assert drawn == {"ven-1", "ven-13"}
    assert bars[0].end - bars[0].start == 7200


def test_every_part_has_a_name_and_both_themes_paint(view: EventsView, cursor: TimeCursor, qapp: QApplication) -> None:
    cursor.select_event("e-203")
    assert nameless(view) == []
    light = view.grab().toImage()
    apply_theme(qapp, "dark")
    view.retheme()
    dark = view.grab().toImage()
    apply_theme(qapp, "light")
    assert dark != light
