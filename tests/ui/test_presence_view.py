"""The Presence view: counts, order, silence, what a state means, IDs to copy, ways to the messages."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from console.openadr.facts import PresenceState
from console.ui.cursor import TimeCursor
from console.ui.presence import PresenceView, guidance
from console.ui.presence_table import COLUMNS, PresenceModel, silence, state_word
from console.ui.theme import apply_theme
from tests.ui.fake_desk import FakeDesk, empty_desk
from tests.ui.fake_lab import NOW, URL, lab_vens
from tests.ui.test_events_view import nameless

ALL = frozenset({"presence", "sessions", "events", "clock"})
LAST_POLL = 5


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
def view(qtbot: QtBot, desk: FakeDesk, cursor: TimeCursor) -> PresenceView:
    made = PresenceView(desk, cursor)
    qtbot.addWidget(made)
    made.resize(1232, 710)
    made.show()
    made.refresh(ALL)
    return made


def test_the_counts_are_of_registered_vens_and_mark_what_needs_action(view: PresenceView) -> None:
    assert view.counters.counts == [
        (11, "VENs", ""),
        (9, "ok", ""),
        (1, "late", "alarm_medium"),
        (1, "offline", "alarm_high"),
        (1, "not registered", ""),
    ]
    assert view.counters.accessibleName() == "11 VENs, 9 ok, 1 late, 1 offline, 1 not registered"


def test_a_normal_lab_shows_no_alarm(view: PresenceView, desk: FakeDesk) -> None:
    desk.ven_views = [ven for ven in desk.ven_views if ven.state is PresenceState.OK][:1]
    view.refresh(ALL)
    assert view.counters.counts == [(1, "VEN", ""), (1, "ok", ""), (0, "late", ""), (0, "offline", "")]


def test_the_board_is_worst_first_or_by_id(view: PresenceView, qtbot: QtBot) -> None:
    assert [ven.ven_id for ven in view.model.vens][:3] == ["ven-10", "ven-2", "ven-12"]
    view.order.findChildren(type(view.detail.messages))[1].click()
    assert [ven.ven_id for ven in view.model.vens][:4] == ["ven-1", "ven-2", "ven-3", "ven-4"]
    assert view.table.currentIndex().row() == 8, "the chosen VEN stays chosen"
    assert view.table.accessibleName() == "VENs, by venID"


def test_the_model_keeps_the_rules_of_models(qtmodeltester: ModelTester) -> None:
    model = PresenceModel()
    model.show_vens(lab_vens(), NOW)
    qtmodeltester.check(model)
    model.show_vens(lab_vens()[:3], NOW)
    qtmodeltester.check(model)


def test_silence_counts_with_the_clock(view: PresenceView, desk: FakeDesk) -> None:
    ven = view.model.vens[1]
    assert view.model.text(ven, LAST_POLL) == "22\u00a0s of 10\u00a0s"
    desk.advance(60)
    view.refresh(frozenset({"clock"}))
    assert view.model.text(view.model.vens[1], LAST_POLL) == "01:22 of 10\u00a0s"
    assert silence(replace(ven, last_seen=None), NOW) is None
    assert silence(replace(ven, last_seen=NOW + timedelta(seconds=3)), NOW) == 0.0, (
        "clocks differ; silence is not below 0"
    )


def test_between_two_seconds_nothing_is_counted_again(view: PresenceView, desk: FakeDesk, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(view.model.dataChanged):
        view.refresh(frozenset({"messages"}))
    desk.advance(1)
    with qtbot.waitSignal(view.model.dataChanged):
        view.refresh(frozenset({"messages"}))


def test_only_ages_change_in_place_so_that_the_selection_stays(
    view: PresenceView, desk: FakeDesk, qtbot: QtBot
) -> None:
    view.table.setCurrentIndex(view.model.index(4, 0))
    desk.advance(1)
    with qtbot.assertNotEmitted(view.model.modelReset):
        view.refresh(ALL)
    assert view.table.currentIndex().row() == 4


def test_a_ven_that_moves_takes_the_selection_with_it(view: PresenceView, desk: FakeDesk) -> None:
    view.table.setCurrentIndex(view.model.index(5, 0))
    chosen = view.model.vens[5].ven_id
    desk.ven_views = [desk.ven_views[5], *desk.ven_views[:5], *desk.ven_views[6:]]
    view.refresh(ALL)
    assert view.table.currentIndex().row() == 0
    assert view.detail.ven is not None and view.detail.ven.ven_id == chosen


def test_choosing_a_row_selects_the_ven_everywhere(view: PresenceView, cursor: TimeCursor, qtbot: QtBot) -> None:
    with qtbot.waitSignal(cursor.ven_selected) as told:
        qtbot.keyClick(view.table, Qt.Key.Key_Down)
    assert told.args == ["ven-2"]
    assert view.detail.ven is not None and view.detail.ven.ven_id == "ven-2"
    cursor.select_ven("ven-9")
    assert view.table.currentIndex().row() == 3
    assert view.detail._title.text() == "ven-9  Bakery"


def test_the_ids_are_copied_as_text(view: PresenceView, qtbot: QtBot) -> None:
    qtbot.mouseClick(view.detail.copy, Qt.MouseButton.LeftButton)
    copied = QApplication.clipboard().text().splitlines()
    assert copied[0] == "venID: ven-10" and "registrationID: r-10b90" in copied
    assert "fingerprint: 59:4D:0E:71:A2:C8:33:F0:1B:9E" in copied


def test_the_messages_of_a_ven_are_one_click_away(view: PresenceView, cursor: TimeCursor, qtbot: QtBot) -> None:
    filters: list[str] = []
    cursor.filter_wanted.connect(filters.append)
    qtbot.mouseClick(view.detail.messages, Qt.MouseButton.LeftButton)
    assert filters == ['peer == "ven-10"']
    qtbot.mouseClick(view.detail.last, Qt.MouseButton.LeftButton)
    assert cursor.message_number == 211


def test_a_state_says_cause_consequence_and_what_to_do() -> None:
    vens = {ven.ven_id: ven for ven in lab_vens()}
    offline = dict(guidance(vens["ven-10"], NOW))
    assert offline["Cause"] == "No oadrPoll for 6 min 11 s; it polls every 10 s."
    assert offline["Consequence"] == "ven-10 has not answered e-203."
    assert "192.0.2.52" in offline["What to do"]
    assert dict(guidance(vens["ven-12"], NOW))["Consequence"] == "It gets no event and sends no report."
    fine = guidance(vens["ven-1"], NOW)
    assert fine == [("State", "Last heard 3 s ago; it polls every 10 s.")]
    without_events = replace(vens["ven-2"], events=())
    assert dict(guidance(without_events, NOW))["Consequence"] == "An event would reach it late."


def test_words_for_states() -> None:
    words = {ven.ven_id: state_word(ven) for ven in lab_vens()}
    assert (words["ven-10"], words["ven-2"], words["ven-12"], words["ven-1"]) == (
        "offline",
        "late",
        "not registered",
        "ok",
    )
    assert state_word(replace(lab_vens()[0], state=PresenceState.NEVER)) == "never seen"


def test_the_gaps_between_polls_are_those_between_the_times(view: PresenceView, cursor: TimeCursor) -> None:
    cursor.select_ven("ven-9")
    gaps = view.detail.polls.gaps()
    assert len(gaps) == 59 and {round(gap) for _, gap in gaps} == {30}
    assert view.detail.polls.accessibleDescription() == "longest gap 30\u00a0s"


def test_a_ven_without_polls_is_shown_without_them(view: PresenceView, desk: FakeDesk, cursor: TimeCursor) -> None:
    cursor.select_ven("ven-12")
    assert view.detail.polls.gaps() == []
    assert not view.detail.last.isEnabled()
    assert not view.grab().isNull()
    one = replace(desk.ven_views[5], poll_times=desk.ven_views[5].poll_times[:1], poll_period=None)
    desk.ven_views = [one]
    view.refresh(ALL)
    assert not view.grab().isNull()


def test_a_narrow_window_drops_columns_and_keeps_the_name(view: PresenceView) -> None:
    assert not any(view.table.isColumnHidden(k) for k in range(len(COLUMNS)))
    view.resize(820, 560)
    hidden = {COLUMNS[k][0] for k in range(len(COLUMNS)) if view.table.isColumnHidden(k)}
    assert hidden >= {"Profile", "Transport"} and "venID" not in hidden
    assert view.table.columnWidth(2) >= 120
    view.resize(1232, 710)
    assert not any(view.table.isColumnHidden(k) for k in range(len(COLUMNS)))


def test_an_empty_board_says_where_the_vtn_listens(qtbot: QtBot) -> None:
    view = PresenceView(empty_desk(), TimeCursor())
    qtbot.addWidget(view)
    view.show()
    view.refresh(ALL)
    assert view.empty.isVisible() and not view.table.isVisible()
    qtbot.mouseClick(view._copy_url, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == URL


def test_every_part_has_a_name_and_both_themes_paint(view: PresenceView, qapp: QApplication) -> None:
    assert nameless(view) == []
    light = view.grab().toImage()
    apply_theme(qapp, "dark")
    view.retheme()
    dark = view.grab().toImage()
    apply_theme(qapp, "light")
    assert dark != light
