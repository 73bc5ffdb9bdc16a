"""Filter completion, saved filters, body search, conversations, marks, comparison and bytes, as one uses them.

The window stands on a real store here: what a search finds and what a filter then shows belong together.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from datetime import UTC, timedelta

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu
from pytestqt.qtbot import QtBot

from console.app.conversations import Conversation
from console.app.desk import LiveDesk
from console.app.inspection import inspect_message
from console.openadr.findings import Finding, Severity
from console.session.clock import SystemClock
from console.store.store import Store
from console.ui.conversation_strip import words_of
from console.ui.cursor import TimeCursor
from console.ui.filter_bar import FilterBar
from console.ui.find_bar import body_filter
from console.ui.inspector import BYTES, DIFF, SOURCE, TREE
from console.ui.message_actions import LETTERS, actions_of
from console.ui.messages import MessagesView
from console.ui.source import hex_column, hex_dump, offset_at, text_column
from console.ui.theme import apply_theme
from tests.app.message_samples import Wire, created, distribute

MESSAGES = frozenset({"messages", "findings"})


@pytest.fixture(autouse=True)
def collected_here() -> Iterator[None]:
    """The store's writer must not be the one that collects widgets; the window has a Collector for that."""
    gc.disable()
    yield
    gc.collect()
    gc.enable()


@pytest.fixture
def store() -> Iterator[Store]:
    with Store.open() as made:
        wire = Wire(made)
        wire.exchange("oadrPoll", "oadrDistributeEvent", back=distribute("e-17", 0, 1.5, "r-1"))  # 1, 2
        wire.exchange("oadrCreatedEvent", "oadrResponse", created("e-17", "r-1"))  # 3, 4
        wire.exchange("oadrPoll", "oadrResponse")  # 5, 6
        wire.exchange("oadrPoll", "oadrDistributeEvent", back=distribute("e-17", 1, 2.5, "r-2"))  # 7, 8
        wire.exchange("oadrPoll", "oadrResponse", peer="ven-8")  # 9, 10
        yield made


@pytest.fixture
def desk(store: Store) -> LiveDesk:
    return LiveDesk(store, SystemClock(), UTC)


@pytest.fixture
def view(qtbot: QtBot, qapp: QApplication, desk: LiveDesk) -> Iterator[MessagesView]:
    apply_theme(qapp, "light")
    made = MessagesView(desk, TimeCursor())
    qtbot.addWidget(made)
    qtbot.addWidget(made.filter_bar)
    made.filter_bar.show()
    made.resize(1300, 820)
    made.show()
    qtbot.waitExposed(made)
    made.refresh(MESSAGES)
    yield made
    made.lookup.cancel()


def shown(view: MessagesView) -> list[int]:
    return [view.table.rows.view(row).number for row in range(view.table.rows.rowCount())]


def settle(qtbot: QtBot, view: MessagesView) -> None:
    qtbot.waitUntil(lambda: not view.lookup.running and not view.find_bar.lookup.running)


def test_a_filter_on_bodies_fills_in_while_they_are_looked_at(qtbot: QtBot, view: MessagesView) -> None:
    view.filter_bar.set_text("event == e-17 ")
    assert shown(view) == []
    assert view.lookup.running
    assert re.search(r", looked at \d of \d bodies$", view.filter_bar.frame.result)
    settle(qtbot, view)
    assert shown(view) == [2, 3, 8]
    assert view.filter_bar.frame.result == "3 of 10 shown"


def test_a_search_can_be_stopped_and_is_not_begun_again_by_itself(qtbot: QtBot, view: MessagesView) -> None:
    view.filter_bar.set_text('xpath("//eventID")')
    view.filter_bar.stop_wanted.emit()
    assert not view.lookup.running
    view.refresh(MESSAGES)
    assert not view.lookup.running
    view.filter_bar.apply()
    settle(qtbot, view)
    assert shown(view) == [2, 3, 8]


def test_messages_that_come_while_a_body_filter_is_on_are_looked_at(
    qtbot: QtBot, view: MessagesView, store: Store
) -> None:
    view.filter_bar.set_text("body ~ e-18")
    settle(qtbot, view)
    Wire(store).exchange("oadrPoll", "oadrDistributeEvent", back=distribute("e-18", 0))
    view.refresh(MESSAGES)
    settle(qtbot, view)
    assert shown(view) == [12]


def test_what_stays_shown_keeps_its_selection(qtbot: QtBot, view: MessagesView) -> None:
    view.filter_bar.set_text("number == 3 or body ~ e-17")
    view.table.choose(3)
    settle(qtbot, view)
    assert shown(view) == [2, 3, 8]
    assert view.table.chosen is not None and view.table.chosen.number == 3
    assert view.table.currentIndex().row() == 1


def test_an_error_is_underlined_where_it_is(view: MessagesView) -> None:
    view.filter_bar.set_text("peer == ven-7 and latency > fast")
    assert view.filter_bar.frame.state == "error"
    assert view.filter_bar.edit.error_at == len("peer == ven-7 and latency > ")
    view.filter_bar.edit.setText("peer")
    assert view.filter_bar.edit.error_at == -1


def test_typing_proposes_and_tab_takes(qtbot: QtBot, view: MessagesView) -> None:
    bar = view.filter_bar
    qtbot.keyClicks(bar.edit, "pee")
    assert [each.text for each in bar.popup.rows.found] == ["peer"]
    qtbot.keyClick(bar.edit, Qt.Key.Key_Tab)
    assert bar.edit.text() == "peer "
    qtbot.keyClicks(bar.edit, "== ")
    assert [each.text for each in bar.popup.rows.found] == ["ven-7", "ven-8"]
    qtbot.keyClick(bar.edit, Qt.Key.Key_Down)
    qtbot.keyClick(bar.edit, Qt.Key.Key_Down)
    qtbot.keyClick(bar.edit, Qt.Key.Key_Return)
    assert bar.edit.text() == "peer == ven-8 "
    assert [each.text for each in bar.popup.rows.found] == ["and", "or"]
    qtbot.keyClick(bar.edit, Qt.Key.Key_Escape)
    assert not bar.popup.isVisible()
    qtbot.keyClick(bar.edit, Qt.Key.Key_Return)
    assert shown(view) == [9, 10]
    bar.popup.grab()


def entries(bar: FilterBar, menu: QMenu) -> list[str]:
    menu.aboutToShow.emit()
    return [action.text() for action in menu.actions() if action.text()]


def test_filters_used_and_saved_are_offered_again(qtbot: QtBot, view: MessagesView, desk: LiveDesk) -> None:
    bar = view.filter_bar
    history, saved = bar._history.menu(), bar._saved.menu()
    assert isinstance(history, QMenu) and isinstance(saved, QMenu)
    assert entries(bar, history) == ["No filter was used yet"]
    for text in ("peer == ven-8", "status >= 400"):
        bar.set_text(text)
        qtbot.keyClick(bar.edit, Qt.Key.Key_Return)
    assert entries(bar, history) == ["status >= 400", "peer == ven-8"]
    qtbot.keyClick(bar.edit, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(bar.edit, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
    assert bar.edit.text() == "peer == ven-8"
    entries(bar, saved)
    name = saved.findChild(QLineEdit)
    assert name is not None
    name.setText("the other & VEN")
    name.returnPressed.emit()
    bar.clear()
    assert entries(bar, saved) == ["the other && VEN"]
    saved.actions()[0].trigger()
    assert bar.edit.text() == "peer == ven-8"
    assert desk.recall("filters")["saved"] == {"the other & VEN": "peer == ven-8"}
    assert entries(bar, saved)[-1] == "Forget the other && VEN"


def test_find_goes_from_hit_to_hit_and_hides_nothing(qtbot: QtBot, view: MessagesView) -> None:
    view.open_find()
    qtbot.keyClicks(view.find_bar.edit, "E-17")
    view.find_bar.look()
    settle(qtbot, view)
    assert view.find_bar.hits == [2, 3, 8]
    assert len(shown(view)) == 10
    chosen = []
    for _ in range(4):
        qtbot.keyClick(view.find_bar.edit, Qt.Key.Key_Return)
        assert view.table.chosen is not None
        chosen.append(view.table.chosen.number)
    assert chosen == [2, 3, 8, 2]
    assert view.find_bar.said.text() == "1 of 3"
    view.find_bar.step(-1)
    assert view.table.chosen is not None and view.table.chosen.number == 8
    view.inspector.tabs.setCurrentIndex(SOURCE)
    assert len(view.inspector.source.extraSelections()) == 1
    view.filter_bar.set_text("number < 5")
    settle(qtbot, view)
    assert view.find_bar.hits == [2, 3], "only among what is shown"
    view.grab()
    qtbot.keyClick(view.find_bar.edit, Qt.Key.Key_Escape)
    assert not view.find_bar.isVisible()
    assert view.table.hits == []
    assert not view.inspector.source.extraSelections()


@pytest.mark.parametrize(
    ("text", "within", "made"),
    [
        ("x", "", 'body ~ "x"'),
        ('a"b', "peer == v", "(peer == v) and body ~ 'a\"b'"),
        ("a\"b'c", "", "body ~ 'a\"bc'"),
    ],
)
def test_any_text_can_be_looked_for(text: str, within: str, made: str) -> None:
    assert body_filter(text, within) == made


def press(qtbot: QtBot, view: MessagesView, letter: str) -> None:
    view.table.setFocus()
    shift = Qt.KeyboardModifier.ShiftModifier if letter.isupper() else Qt.KeyboardModifier.NoModifier
    qtbot.keyClick(view.table, Qt.Key(ord(letter.upper())), shift)


def test_a_message_leads_to_all_that_belongs_to_it(qtbot: QtBot, view: MessagesView) -> None:
    view.table.choose(2)
    press(qtbot, view, "f")
    assert view.filter_bar.edit.text() == "number in (1, 2, 3, 4)"
    assert shown(view) == [1, 2, 3, 4]
    press(qtbot, view, "F")
    settle(qtbot, view)
    assert view.filter_bar.edit.text() == "event == e-17"
    assert shown(view) == [2, 3, 8]
    view.follow_registration()
    assert view.filter_bar.edit.text() == "peer == ven-7 and element ~ Registration"


def test_the_conversation_is_one_line_that_leads_on(qtbot: QtBot, view: MessagesView, desk: LiveDesk) -> None:
    view.table.choose(3)
    strip = view.inspector.conversation
    assert strip.isVisible()
    words = strip.accessibleName().replace("\u00a0", " ")
    assert words.startswith("oadrPoll (No. 1), then oadrDistributeEvent (No. 2) after 4 ms, then oadrCreatedEvent")
    assert words.endswith("Answered after 1.00 s of 30 s.")
    strip.grab()
    spot, number = strip._spots[1]
    assert number == 2
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=QPoint(int(spot.center().x()), 8))
    assert view.table.chosen is not None and view.table.chosen.number == 2
    qtbot.keyClick(strip, Qt.Key.Key_Left)
    assert view.table.chosen.number == 1
    late = Conversation(desk.conversation(2).messages, "", timedelta(seconds=31))
    assert "which is late" in words_of(late)
    view.table.choose(8)
    assert "oadrCreatedEvent has not come; 30 s are allowed" in strip.accessibleName()


def test_marks_and_notes(qtbot: QtBot, view: MessagesView, desk: LiveDesk) -> None:
    view.table.choose(2)
    press(qtbot, view, "m")
    assert dict(view.marks.notes) == {2: ""}
    assert view.inspector.note.isVisible()
    view.table.choose(8)
    assert not view.inspector.note.isVisible()
    press(qtbot, view, "n")
    qtbot.keyClicks(view.inspector.note, "why so late?")
    qtbot.keyClick(view.inspector.note, Qt.Key.Key_Return)
    assert desk.recall("marks") == {"2": "", "8": "why so late?"}
    assert view.table.hasFocus()
    view.go_to_mark()
    assert view.table.chosen is not None and view.table.chosen.number == 2
    view.grab()
    press(qtbot, view, "m")
    assert dict(view.marks.notes) == {8: "why so late?"}
    view.table.choose(8)
    assert view.inspector.note.text() == "why so late?"


def test_what_changed_between_modifications(qtbot: QtBot, view: MessagesView) -> None:
    view.table.choose(8)
    press(qtbot, view, "d")
    inspector = view.inspector
    assert inspector.tabs.currentIndex() == DIFF
    told = [(each.path.rpartition("/")[2], each.before, each.after) for each in inspector.diff.listed.rows.found]
    assert told == [("modificationNumber", "0", "1"), ("currentValue", "1.5", "2.5")]
    assert "the previous of its kind" in inspector.diff._what.text()
    inspector.diff.everything.setChecked(True)
    assert len(inspector.diff.listed.rows.found) == 3
    view.grab()
    inspector.diff.listed.activated.emit(inspector.diff.listed.rows.index(0))
    assert inspector.tabs.currentIndex() == TREE
    assert inspector.tree.current_path() == inspector.diff.listed.rows.found[0].path
    inspector.compare_with_previous()
    inspector.diff._other.click()
    assert view.table.chosen is not None and view.table.chosen.number == 2


def test_a_marked_message_is_compared_with(qtbot: QtBot, view: MessagesView) -> None:
    view.marks.note(3, "this one")
    view.table.choose(2)
    press(qtbot, view, "D")
    assert "oadrCreatedEvent" in view.inspector.diff._what.text()
    assert view.inspector.diff.listed.rows.found
    view.table.choose(5)
    assert "the previous of its kind" in view.inspector.diff._what.text(), "another message, another question"
    view.table.choose(3)
    view.inspector.compare_with_previous()
    assert "no earlier message" in view.inspector.diff._what.text()


def test_bytes_and_tree_point_at_each_other(qtbot: QtBot, view: MessagesView) -> None:
    view.table.choose(2)
    inspector = view.inspector
    path = next(each for each in inspector._byte_places() if each.endswith("modificationNumber"))
    inspector.show_path(path)
    inspector.tabs.setCurrentIndex(BYTES)
    lit = inspector.bytes.extraSelections()
    assert lit
    text = "".join(each.cursor.selectedText() for each in lit[1::2])  # pyright: ignore[reportAttributeAccessIssue]
    assert text == "<ei:modificationNumber>0</ei:modificationNumber>"
    start, _ = inspector._byte_places()[path.replace("modificationNumber", "eventID")]
    inspector.bytes.offset_chosen.emit(start + 2)
    assert inspector.tree.current_path().endswith("eventID")
    view.grab()


@pytest.mark.parametrize("width", [8, 16])
def test_columns_of_the_dump_are_those_of_its_bytes(width: int) -> None:
    body = bytes(range(65, 65 + 40))
    lines = hex_dump(body, width=width).split("\n")
    for offset, octet in enumerate(body):
        row, place = divmod(offset, width)
        assert lines[row][hex_column(place) : hex_column(place) + 2] == f"{octet:02x}"
        assert lines[row][text_column(place, width)] == chr(octet)
        assert offset_at(row, hex_column(place), width) == offset
        assert offset_at(row, text_column(place, width), width) == offset
    assert offset_at(0, 3, width) == -1


def test_a_defect_report_is_copied(view: MessagesView, store: Store) -> None:
    store.derive(
        2, findings=[Finding("102", Severity.ERROR, "The intervals last too long.", "oadrPayload", clause="9")]
    )
    view.refresh(MESSAGES)
    view.table.choose(2)
    view.inspector.copy_defect_report()
    copied = QGuiApplication.clipboard().text()
    assert "The intervals last too long." in copied and "rule 102, clause 9" in copied
    assert inspect_message(store, store.log.view(1), "vtn-lab", UTC).sentence in copied


def test_every_letter_has_its_action_and_does_nothing_without_a_message(qtbot: QtBot, view: MessagesView) -> None:
    ids = {action.id for action in actions_of(view)}
    assert set(LETTERS) <= ids
    for letter in "mnfFdDzq":
        press(qtbot, view, letter)
    assert not view.marks.notes and view.filter_bar.edit.text() == ""


def test_times_in_filters_are_those_that_are_shown(view: MessagesView, desk: LiveDesk) -> None:
    first = desk.messages.view(0).time.astimezone(desk.timezone)
    view.filter_bar.set_text(f"time < {first + timedelta(seconds=1):%H:%M:%S}")
    assert shown(view) == [1, 2]


def test_a_value_is_plotted_under_the_tree(qtbot: QtBot, view: MessagesView) -> None:
    view.table.choose(8)
    inspector = view.inspector
    assert not inspector.can_plot()
    inspector.show_path(next(each for each in inspector._byte_places() if each.endswith("currentValue")))
    assert inspector.can_plot()
    qtbot.keyClick(inspector.tree, Qt.Key.Key_P)
    plot = inspector.value_plot
    assert plot.isVisible() and plot.history is not None
    qtbot.waitUntil(lambda: plot.history is not None and plot.history.finished)
    assert plot.history.values == [1.5, 2.5]
    assert plot._said.text() == "1.5 to 2.5 in 2 messages"
    view.grab()
    plot.close_plot()
    assert not plot.isVisible()
    inspector.show_path(next(each for each in inspector._byte_places() if each.endswith("eventID")))
    qtbot.keyClick(inspector.tree, Qt.Key.Key_P)
    assert not plot.isVisible(), "an eventID is no number"
