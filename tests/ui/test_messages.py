"""The message list: rows against a list as oracle, filter, tail and pause, selection both ways, empty states."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from console.ui.bridge import CLOCK
from console.ui.cursor import TimeCursor
from console.ui.filter_bar import roles_of
from console.ui.message_columns import COLUMNS, ELEMENT, NUMBER, TIME, WAY
from console.ui.message_list import MessageModel, delta_text, verdict_text
from console.ui.message_paint import MessageDelegate
from console.ui.messages import HIDDEN_PAGE, LIST_PAGE, NOTHING_YET_PAGE, MessagesView
from console.ui.theme import ROW, apply_theme, col
from console.ui.timeline import lanes, shown_span
from tests.ui.fake_desk import FakeDesk, empty_desk
from tests.ui.fake_lab import NOW, URL, at

DISPLAY = Qt.ItemDataRole.DisplayRole
MESSAGES = frozenset({"messages"})


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def cursor(qapp: QApplication) -> TimeCursor:
    return TimeCursor()


@pytest.fixture
def view(qtbot: QtBot, qapp: QApplication, desk: FakeDesk, cursor: TimeCursor) -> Iterator[MessagesView]:
    apply_theme(qapp, "light")
    made = MessagesView(desk, cursor)
    qtbot.addWidget(made)
    made.resize(1200, 760)
    made.show()
    qtbot.waitExposed(made)
    made.refresh(frozenset({"messages", "events", CLOCK}))
    yield made


def shown_numbers(model: MessageModel) -> list[int]:
    return [model.view(row).number for row in range(model.rowCount())]


def test_the_model_is_a_sound_table_model(qapp: QApplication, desk: FakeDesk) -> None:
    model = MessageModel(desk)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.set_filter("", "")
    desk.append(5)
    model.catch_up()
    model.set_filter("element == oadrPoll", "")
    desk.append(3)
    model.catch_up()
    assert tester.model() is model
    assert model.columnCount() == len(COLUMNS)
    assert model.rowCount(model.index(0, 0)) == 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("append"), st.integers(0, 4), st.sampled_from(["ven-1", "ven-2"])),
            st.tuples(st.just("filter"), st.sampled_from(["", "ven-1", "peer == ven-2", "vne == 1"]), st.just("")),
            st.tuples(st.just("session"), st.sampled_from(["", "vtn-lab", "ven-7"]), st.just("")),
            st.tuples(st.just("catch_up"), st.just(0), st.just("")),
        ),
        max_size=14,
    )
)
def test_any_course_of_events_shows_what_a_list_would(qapp: QApplication, steps: list[tuple[str, object, str]]) -> None:
    desk = empty_desk()
    model = MessageModel(desk)
    text = session = ""
    good = ("", "")
    seen = 0
    for what, value, peer in steps:
        if what == "append":
            assert isinstance(value, int)
            desk.append(value, peer=peer)
        elif what == "catch_up":
            model.catch_up()
            seen = len(desk.messages)
        else:
            text = str(value) if what == "filter" else text
            session = str(value) if what == "session" else session
            model.set_filter(text, session)
            if text.startswith("vne"):
                assert "vne" in model.error
            else:
                good, seen = (text, session), len(desk.messages)
        rows = desk.messages.rows[:seen]
        expected = [row.number for row in rows if desk.messages._fits(row, *good)]
        assert shown_numbers(model) == expected
        assert model.behind == len(desk.messages) - seen
        for row, number in enumerate(expected):
            assert model.row_of(number) == row
        assert model.row_of(len(desk.messages) + 5) == -1


def test_cells_say_in_words_what_is_painted(view: MessagesView, desk: FakeDesk) -> None:
    model = view.table.rows
    row = model.row_of(412)
    texts = [model.data(model.index(row, column), DISPLAY) for column in range(len(COLUMNS))]
    assert texts == [
        "answers 411",
        "412",
        "+0.04",
        "10:42:03.214",
        "received",
        "vtn-utility",
        "oadrDistributeEvent",
        "e-17/1, setpoint 7.00 kW, 10:30–11:30",
        "1 error, 1 warning",
    ]
    assert model.data(model.index(row, TIME), Qt.ItemDataRole.ToolTipRole) == "2026-06-16 08:42:03.214 UTC"
    assert model.data(model.index(row - 1, WAY), Qt.ItemDataRole.AccessibleTextRole) == "sent"
    assert model.headerData(WAY, Qt.Orientation.Horizontal, Qt.ItemDataRole.AccessibleTextRole) == "Direction"
    assert verdict_text(model.view(0)) == "no findings"


def test_only_what_is_painted_is_asked_for(view: MessagesView, desk: FakeDesk) -> None:
    view.table.rows.forget_views()
    desk.messages.viewed = 0
    view.table.viewport().repaint()
    on_screen = view.table.viewport().height() // ROW + 2
    assert 10 < desk.messages.viewed <= on_screen + 12, "what is painted, and the few rows above that brackets look at"


def test_rows_have_one_height_whatever_they_hold(view: MessagesView) -> None:
    assert {view.table.rowHeight(row) for row in range(0, 400, 37)} == {ROW}


def test_the_list_follows_its_tail_while_the_end_is_in_sight(view: MessagesView, desk: FakeDesk) -> None:
    bar = view.table.verticalScrollBar()
    assert bar.value() == bar.maximum() > 0
    desk.append(40)
    view.refresh(MESSAGES)
    assert view.table.rows.rowCount() == 466
    assert bar.value() == bar.maximum()
    bar.setValue(10)
    desk.append(40)
    view.refresh(MESSAGES)
    assert view.table.rows.rowCount() == 506
    assert bar.value() == 10


def test_a_paused_list_stands_still_and_counts(qtbot: QtBot, view: MessagesView, desk: FakeDesk) -> None:
    qtbot.keyClick(view.table, Qt.Key.Key_Space)
    assert view.paused
    desk.append(412)
    view.refresh(MESSAGES)
    assert view.table.rows.rowCount() == 426
    assert "Paused, 412 new" in view.filter_bar._pause.text()
    view.filter_bar._pause.click()
    assert view.table.rows.rowCount() == 838
    assert view.table.following


def test_a_filter_says_what_it_shows(view: MessagesView, cursor: TimeCursor) -> None:
    bar = view.filter_bar
    bar.set_text("peer == ven-12 and dir == in")
    assert shown_numbers(view.table.rows) == [423, 425]
    assert (bar.frame.state, bar.frame.result) == ("ok", "2 of 426 shown")
    bar.set_text("vne == ven-12")
    assert bar.frame.state == "error"
    assert "vne" in bar.frame.result
    assert shown_numbers(view.table.rows) == [423, 425], "a filter that is not understood changes nothing"
    bar.set_text("peer == ven-12")
    bar.toggle()
    assert bar.frame.state == "off"
    assert view.table.rows.rowCount() == 426
    bar.toggle()
    assert view.table.rows.rowCount() == 4


def test_typing_filters_when_it_rests(qtbot: QtBot, view: MessagesView) -> None:
    qtbot.keyClicks(view.filter_bar.edit, "oadrCreateOpt")
    assert view.table.rows.rowCount() == 426
    qtbot.waitUntil(lambda: view.table.rows.rowCount() == 1)
    qtbot.keyClick(view.filter_bar.edit, Qt.Key.Key_Escape)
    assert view.table.hasFocus()


def test_a_filter_that_hides_all_offers_the_way_back(view: MessagesView) -> None:
    view.filter_bar.set_text("nothing like it")
    assert view._pages.currentIndex() == HIDDEN_PAGE
    assert "hides all 426 messages" in view._hidden.accessibleName()
    view.clear_filter()
    assert view._pages.currentIndex() == LIST_PAGE


def test_a_session_narrows_the_list(view: MessagesView, cursor: TimeCursor) -> None:
    cursor.select_session("ven-7")
    assert shown_numbers(view.table.rows) == [411, 412, 413, 414]
    cursor.select_session("")
    assert view.table.rows.rowCount() == 426


def test_selecting_in_the_list_selects_everywhere(view: MessagesView, cursor: TimeCursor) -> None:
    heard: list[int] = []
    cursor.message_selected.connect(heard.append)
    view.table.setCurrentIndex(view.table.rows.index(411, NUMBER))
    assert heard == [412]
    assert cursor.moment == at("10:42:03.214")
    assert view.inspector.shown is not None
    assert view.inspector.shown.view.number == 412


def test_a_message_selected_elsewhere_is_brought_into_sight(view: MessagesView, cursor: TimeCursor) -> None:
    cursor.select_message(7)
    row = view.table.currentIndex().row()
    assert view.table.rows.view(row).number == 7
    assert view.table.visualRect(view.table.rows.index(row, NUMBER)).top() >= 0
    assert not view.table.following
    view.go_to_partner()
    assert cursor.message_number == 8
    view.go_to_partner()
    assert cursor.message_number == 7


def test_a_selected_message_that_is_hidden_is_told(view: MessagesView, cursor: TimeCursor) -> None:
    view.filter_bar.set_text("peer == ven-12")
    cursor.select_message(412)
    assert view._notice_box.isVisible()
    assert "hides message 412" in view._notice.accessibleName()
    assert view.inspector.shown is not None
    assert view.inspector.shown.view.number == 412
    view.clear_filter()
    assert not view._notice_box.isVisible()


def test_focus_alone_selects_nothing(qtbot: QtBot, view: MessagesView) -> None:
    view.timeline.setFocus()
    view.table.setFocus()
    assert not view.table.currentIndex().isValid()
    qtbot.keyClick(view.table, Qt.Key.Key_J)
    assert view.table.currentIndex().row() == 0
    qtbot.keyClick(view.table, Qt.Key.Key_J)
    qtbot.keyClick(view.table, Qt.Key.Key_J)
    qtbot.keyClick(view.table, Qt.Key.Key_K)
    assert view.table.currentIndex().row() == 1


def test_an_answer_that_comes_later_is_shown(view: MessagesView, desk: FakeDesk, cursor: TimeCursor) -> None:
    desk.append()
    view.refresh(MESSAGES)
    cursor.select_message(427)
    assert view.table.chosen is not None
    assert view.table.chosen.answered_by == 0
    desk.messages.rows[426] = replace(desk.messages.rows[426], answered_by=428, errors=1)
    desk.append(reply_to=427)
    view.refresh(MESSAGES)
    assert view.table.chosen.answered_by == 428
    assert view.inspector.shown is not None
    assert view.inspector.shown.view.errors == 1


def test_nothing_yet_names_the_url_to_copy(qtbot: QtBot, qapp: QApplication, cursor: TimeCursor) -> None:
    apply_theme(qapp, "light")
    desk = empty_desk()
    view = MessagesView(desk, cursor)
    qtbot.addWidget(view)
    view.resize(1200, 700)
    view.show()
    view.refresh(frozenset({"messages"}))
    assert view._pages.currentIndex() == NOTHING_YET_PAGE
    assert URL in view._nothing_yet.accessibleName()
    desk.append()
    view.refresh(MESSAGES)
    assert view._pages.currentIndex() == LIST_PAGE
    assert view.table.rows.text(0, ELEMENT) == "oadrPoll"


def test_a_desk_on_which_nothing_runs_offers_the_demo(qtbot: QtBot, qapp: QApplication, cursor: TimeCursor) -> None:
    apply_theme(qapp, "light")
    desk = empty_desk()
    desk.session_views = []
    view = MessagesView(desk, cursor)
    qtbot.addWidget(view)
    view.show()
    offered = view._nothing_yet.findChildren(QPushButton)
    assert [each.accessibleName() for each in offered] == ["Start the demo"]
    offered[0].click()
    assert desk.issued == [("start_lab", ())]


def test_a_row_is_copied_as_text(view: MessagesView, cursor: TimeCursor) -> None:
    cursor.select_message(412)
    view.table.copy_row()
    copied = QGuiApplication.clipboard().text().split("\t")
    assert copied[0] == "412"
    assert "oadrDistributeEvent" in copied


def test_a_click_in_the_timeline_sets_the_cursor(view: MessagesView, cursor: TimeCursor) -> None:
    moment = at("10:42:03.200")
    view.timeline.moment_chosen.emit(moment)
    assert cursor.message_number == 412
    assert cursor.moment == moment


def test_painting_makes_no_noise(view: MessagesView, cursor: TimeCursor, capfd: pytest.CaptureFixture[str]) -> None:
    cursor.select_message(412)
    for theme in ("dark", "high_contrast", "light"):
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        apply_theme(app, theme)
        view.retheme()
        view.grab()
    assert "QPainter" not in capfd.readouterr().err


def test_a_narrow_view_stacks_the_inspector(view: MessagesView) -> None:
    view.resize(960, 520)
    assert view._splitter.orientation() == Qt.Orientation.Vertical
    assert not view.timeline.isVisible()
    view.resize(1200, 760)
    assert view._splitter.orientation() == Qt.Orientation.Horizontal
    assert view.timeline.isVisible()


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.004, "+0.00"), (0.52, "+0.52"), (28.43, "+28.4"), (340.2, "+340"), (-0.5, "\u22120.50")]
)
def test_deltas_are_short(seconds: float, text: str) -> None:
    assert delta_text(timedelta(seconds=seconds)) == text


def test_filter_texts_are_coloured_by_role() -> None:
    text = 'peer == "ven-7" and size >= 8000'
    assert [(text[start : start + length], role) for start, length, role in roles_of(text)] == [
        ("peer", "accent"),
        ("==", "text_muted"),
        ('"ven-7"', "text"),
        ("and", "text_muted"),
        ("size", "accent"),
        (">=", "text_muted"),
        ("8000", "text"),
    ]


@pytest.mark.parametrize("minutes", [0, 5, 32, 200, 5000])
def test_the_strip_holds_now_and_the_first_message(minutes: int) -> None:
    first = NOW - timedelta(minutes=minutes)
    start, end = shown_span(first, NOW)
    assert start <= NOW <= end
    if minutes <= 2000:
        assert start <= first
    again, _ = shown_span(first, NOW + timedelta(seconds=1))
    assert (again - start).total_seconds() in (0, (end - start).total_seconds() / 20)


def test_events_that_overlap_get_lanes_of_their_own(desk: FakeDesk) -> None:
    placed = {view.event.event_id: lane for lane, view in lanes(list(desk.events()), at("10:00"), at("12:00"))}
    assert placed == {"e-201": 0, "e-202": 0, "e-17": 1, "e-203": 0}
    assert "e-199" not in placed


def test_an_event_between_our_own_nodes_is_one_bar(desk: FakeDesk) -> None:
    issued = desk.event_views[3]
    received = replace(issued, session="ven-1", mine=False)
    placed = lanes([received, issued], at("10:00"), at("12:00"))
    assert [(lane, view.session) for lane, view in placed] == [(0, "vtn-lab")]


def test_an_exchange_round_another_is_joined_past_it(view: MessagesView, desk: FakeDesk) -> None:
    delegate = view.table.itemDelegate()
    assert isinstance(delegate, MessageDelegate)
    first = len(desk.messages) + 1
    desk.append(answered_by=first + 3)
    desk.append(answered_by=first + 2)
    desk.append(reply_to=first + 1)
    desk.append(reply_to=first)
    view.refresh(MESSAGES)
    row = view.table.rows.row_of(first)
    assert [delegate._passing(row + k) for k in range(4)] == [None, False, False, None]
    view.table.choose(first)
    assert [delegate._passing(row + k) for k in range(4)] == [None, True, True, None]
    view.grab()


def test_scrolling_by_a_row_paints_a_row(qapp: QApplication, view: MessagesView, desk: FakeDesk) -> None:
    view.table.verticalScrollBar().setValue(100)
    qapp.processEvents()
    whole = view.grab().toImage()
    view.table.verticalScrollBar().setValue(101)
    qapp.processEvents()
    view.table.rows.forget_views()
    desk.messages.viewed = 0
    view.table.verticalScrollBar().setValue(102)
    qapp.processEvents()
    assert 0 < desk.messages.viewed <= 10, "the rest of the picture was moved"
    view.table.verticalScrollBar().setValue(100)
    qapp.processEvents()
    assert view.grab().toImage() == whole


def test_below_the_last_row_there_is_paper(view: MessagesView) -> None:
    view.filter_bar.set_text("peer == ven-12")
    image = view.table.viewport().grab().toImage()
    assert image.pixelColor(40, image.height() - 10) == col("panel")
