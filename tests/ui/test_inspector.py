"""The inspector: tree with findings under their elements, jumps, tabs filled when looked at, copies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from lxml import etree
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from console.openadr.explain import Node
from console.openadr.findings import Finding, Severity
from console.ui.inspector import BYTES, FINDINGS, HTTP, SOURCE, TREE, Inspector, facts_line
from console.ui.node_tree import OPEN_AT_ONCE, Entry, NodeModel, NodeTree, local, xpath_of
from console.ui.source import SOURCE_LIMIT, hex_dump, shortened
from console.ui.theme import TREE_ROW, apply_theme
from tests.ui.fake_desk import FakeDesk
from tests.ui.fake_lab import NOTICE, ORDER, lab_tree, leaf

TELLING = 412


@pytest.fixture
def inspector(qtbot: QtBot, qapp: QApplication) -> Iterator[Inspector]:
    apply_theme(qapp, "light")
    made = Inspector(FakeDesk())
    qtbot.addWidget(made)
    made.resize(392, 700)
    made.show()
    qtbot.waitExposed(made)
    yield made


def names(model: NodeModel) -> list[str]:
    return [entry.text for entry in model.entries]


def test_it_says_what_to_do_before_anything_is_selected(inspector: Inspector) -> None:
    assert inspector.shown is None
    assert inspector._empty.isVisible()
    inspector.show_message(TELLING)
    assert not inspector._empty.isVisible()
    inspector.show_message(0)
    assert inspector._empty.isVisible()


def test_sentence_and_facts_come_first(inspector: Inspector) -> None:
    inspector.show_message(TELLING)
    assert inspector._sentence.text().startswith("vtn-utility asks ven-7 to keep its load at 7.00 kW")
    assert inspector._facts.text() == "10:42:03.214 +02:00 · HTTP 200 · 6\u2009312 bytes · took 41 ms"
    assert inspector._number.text() == "No. 412"
    assert inspector.tabs.tabText(FINDINGS) == "Findings 2"


def test_the_tree_is_a_sound_model(qapp: QApplication) -> None:
    model = NodeModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.set_tree(lab_tree("oadrDistributeEvent"), (ORDER, NOTICE))
    assert tester.model() is model
    assert len(model.entries) == 26
    model.set_tree(None, ())
    assert model.rowCount() == 0


def test_a_finding_stands_right_under_its_element(inspector: Inspector) -> None:
    inspector.show_message(TELLING)
    entries = inspector.tree.nodes.entries
    finding = next(entry for entry in entries if entry.finding is ORDER)
    assert finding.parent is not None and finding.parent.node is not None
    assert finding.parent.node.name == "eventStatus"
    view = inspector.tree
    below = view.visualRect(view.nodes.index_of(finding))
    above = view.visualRect(view.nodes.index_of(finding.parent))
    assert below.top() == above.bottom() + 1
    assert above.height() == TREE_ROW
    assert below.height() > TREE_ROW


def test_a_finding_about_no_element_stands_above_the_tree(qapp: QApplication) -> None:
    whole = Finding("size", Severity.WARNING, "The body is 4.1 MiB.")
    model = NodeModel()
    model.set_tree(lab_tree("oadrDistributeEvent"), (ORDER, whole))
    assert names(model)[:2] == ["warning: The body is 4.1 MiB.", "oadrDistributeEvent"]
    assert model.rowCount() == 2


def test_a_finding_takes_one_to_its_element(qtbot: QtBot, inspector: Inspector) -> None:
    inspector.show_message(TELLING)
    inspector.tabs.setCurrentIndex(FINDINGS)
    listed = inspector.finding_list
    assert [finding.rule for finding in listed.rows.findings] == ["schema", "34"]
    listed.setCurrentIndex(listed.rows.index(1))
    qtbot.keyClick(listed, Qt.Key.Key_Return)
    assert inspector.tabs.currentIndex() == TREE
    assert inspector.tree.current_path() == NOTICE.path
    assert inspector._path.text() == "eiEvent / eiActivePeriod / x-eiNotification"


def test_findings_are_visited_in_turn(inspector: Inspector) -> None:
    inspector.show_message(TELLING)
    visited: list[str] = []
    for _ in range(3):
        inspector.next_finding()
        visited.append(inspector.tree.current_path())
    assert visited == [ORDER.path, NOTICE.path, ORDER.path]


def test_a_path_that_is_not_there_shows_the_nearest_above(inspector: Inspector) -> None:
    inspector.show_message(TELLING)
    assert inspector.tree.show_path("oadrDistributeEvent/oadrEvent/eiEvent/eventDescriptor/vtnComment")
    assert inspector.tree.current_path().endswith("eventDescriptor")
    assert not inspector.tree.show_path("oadrPoll/venID")


def test_tabs_are_filled_when_they_are_looked_at(inspector: Inspector) -> None:
    inspector.show_message(TELLING)
    assert inspector.source.toPlainText() == ""
    inspector.tabs.setCurrentIndex(SOURCE)
    assert "oadrDistributeEvent" in inspector.source.toPlainText()
    inspector.tabs.setCurrentIndex(BYTES)
    assert inspector.bytes.toPlainText().startswith("000000  3c 3f 78 6d 6c")
    inspector.tabs.setCurrentIndex(HTTP)
    assert inspector.http.toPlainText().startswith("200 OK\nContent-Type: application/xml")
    inspector.show_message(411)
    assert inspector.http.toPlainText().startswith("POST ")


def test_a_message_without_findings_says_so(inspector: Inspector) -> None:
    inspector.show_message(413)
    inspector.tabs.setCurrentIndex(FINDINGS)
    assert inspector.tabs.tabText(FINDINGS) == "Findings"
    assert inspector._sound.isVisible()
    assert not inspector.finding_list.isVisible()


def test_garbage_is_shown_like_anything_else(inspector: Inspector) -> None:
    inspector.show_message(421)
    assert names(inspector.tree.nodes)[0] == "body"
    inspector.tabs.setCurrentIndex(BYTES)
    assert "50 4b 03 04" in inspector.bytes.toPlainText()
    inspector.tabs.setCurrentIndex(SOURCE)
    assert inspector.source.toPlainText().startswith("PK")


def test_source_and_xpath_are_copied(inspector: Inspector) -> None:
    inspector.show_message(TELLING)
    inspector.copy_source()
    assert "<ei:eventID>e-17</ei:eventID>" in QGuiApplication.clipboard().text()
    inspector.show_finding(NOTICE)
    inspector.copy_xpath()
    assert QGuiApplication.clipboard().text().endswith("*[local-name()='x-eiNotification']")


def test_an_xpath_finds_the_element_whatever_its_prefix() -> None:
    source = "<a:x xmlns:a='urn:a' xmlns:b='urn:b'><b:i/><b:i><a:v>7</a:v></b:i></a:x>"
    found = etree.fromstring(source).xpath(xpath_of("x/i[2]/v"))
    assert isinstance(found, list)
    assert [etree.tostring(each, method="text") for each in found if isinstance(each, etree._Element)] == [b"7"]
    assert xpath_of("") == ""
    assert xpath_of("x/@ei:schemaVersion") == "//*[local-name()='x']/@*[local-name()='schemaVersion']"


def test_a_large_tree_is_not_opened_whole(qtbot: QtBot, qapp: QApplication) -> None:
    apply_theme(qapp, "light")
    values = tuple(leaf("value", path=f"r/a/b/c/d[{k}]/value") for k in range(OPEN_AT_ONCE))
    deep = leaf("d", path="r/a/b/c/d", children=values)
    for name in ("c", "b", "a", "r"):
        deep = leaf(name, path=name, children=(deep,))
    tree = NodeTree()
    qtbot.addWidget(tree)
    tree.set_tree(deep, ())
    opened = [tree.isExpanded(tree.nodes.index_of(entry)) for entry in tree.nodes.entries[:5]]
    assert opened == [True, True, True, True, True]
    assert tree.nodes.rowCount(tree.nodes.index_of(tree.nodes.entries[4])) == OPEN_AT_ONCE


def test_a_finding_row_grows_when_the_pane_shrinks(inspector: Inspector, qapp: QApplication) -> None:
    inspector.resize(700, 700)
    inspector.show_message(TELLING)
    finding = next(entry for entry in inspector.tree.nodes.entries if entry.finding is ORDER)
    index = inspector.tree.nodes.index_of(finding)
    qapp.processEvents()
    before = inspector.tree.visualRect(index).height()
    inspector.resize(320, 700)
    qapp.processEvents()
    assert inspector.tree.visualRect(index).height() > before


def test_hex_and_text_say_what_they_leave_out() -> None:
    dumped = hex_dump(bytes(range(48, 80)), limit=16)
    assert dumped.splitlines()[0].endswith("0123456789:;<=>?")
    assert dumped.splitlines()[-1].startswith("… 16 more bytes")
    assert hex_dump(b"ab", width=8) == "000000  61 62                    ab"
    assert hex_dump(b"") == ""
    assert shortened("x" * 10) == "x" * 10
    assert shortened("x" * (SOURCE_LIMIT + 5)).endswith("… 5 more characters are recorded and not shown here.")


def test_a_request_has_no_status_in_its_facts() -> None:
    view = FakeDesk().messages.rows[410]
    assert facts_line(view, "+02:00", "10:42:03.173") == "10:42:03.173 +02:00 · HTTP · 402 bytes"


def wrapped(*beside: Node, found: tuple[Finding, ...] = ()) -> Node:
    """The tree of the lab in its envelope, with what is beside the payload."""
    inside = lab_tree("oadrPayload/oadrSignedObject/oadrDistributeEvent")
    inside = replace(inside, name="oadr:oadrDistributeEvent", value="")
    version = leaf("@ei:schemaVersion", "2.0b", path=f"{inside.path}/@ei:schemaVersion")
    response = leaf(
        "ei:eiResponse", path="oadrPayload/oadrSignedObject/r", children=(
            leaf("ei:responseCode", "200", "200 is success."), leaf("ei:responseDescription", "OK", "In words."),
        ),
    )  # fmt: skip
    signal = leaf("ei:eiEventSignal", children=(leaf("ei:signalName", "SIMPLE"), leaf("ei:signalType", "level")))
    signals = leaf("ei:eiEventSignals", children=(signal, signal))
    at = "oadrPayload/oadrSignedObject/dtstart"
    instant = leaf("xcal:date-time", "2026-06-16T08:30:00Z (2026-06-16 10:30:00 CEST)", "", f"{at}/date-time")
    when = leaf("xcal:dtstart", "", "When it starts.", at, children=(instant,))
    inside = replace(inside, children=(version, response, signals, when, *inside.children[1:]))
    signed = leaf("oadr:oadrSignedObject", path="oadrPayload/oadrSignedObject", findings=found, children=(inside,))
    return leaf("oadr:oadrPayload", "", "The envelope.", path="oadrPayload", children=(*beside, signed))


def line_of(model: NodeModel, name: str) -> Entry:
    return next(entry for entry in model.entries if entry.node is not None and local(entry.node) == name)


def test_the_tree_begins_at_the_payload(inspector: Inspector) -> None:
    view = inspector.tree
    view.set_tree(wrapped(), ())
    first, second = view.nodes.entries[:2]
    assert (first.text, first.note, first.muted) == ("oadr:oadrPayload", "envelope, not signed", True)
    assert (second.text, second.parent, second.value) == ("oadr:oadrDistributeEvent", None, "2.0b")
    assert not first.children
    assert "@ei:schemaVersion" not in names(view.nodes)


def test_what_is_round_the_payload_hangs_at_the_envelope(inspector: Inspector) -> None:
    bad = Finding("sig", Severity.ERROR, "The digest is another.", "oadrPayload/Signature", "Signature")
    seal = leaf("ds:Signature", path="oadrPayload/Signature", findings=(bad,), children=(leaf("ds:SignedInfo", "x"),))
    view = inspector.tree
    view.set_tree(wrapped(seal), (bad,))
    first = view.nodes.entries[0]
    assert first.note == "envelope, signed"
    assert [entry.text for entry in first.children] == ["ds:Signature"]
    assert view.isExpanded(view.nodes.index_of(first)), "what is wrong is in sight"
    assert view.show_path("oadrPayload/Signature")
    assert view.show_path("oadrPayload/oadrSignedObject")
    assert view.current_path() == "oadrPayload"


def test_a_line_says_no_more_than_helps(inspector: Inspector) -> None:
    inspector.tree.set_tree(wrapped(), ())
    model = inspector.tree.nodes
    response = line_of(model, "eiResponse")
    assert (response.value, response.note) == ("200", "OK")
    assert not inspector.tree.isExpanded(model.index_of(response))
    assert line_of(model, "eiEventSignals").note == "2 signals"
    assert [entry.note for entry in line_of(model, "eiEventSignals").children] == ["1 of 2", "2 of 2"]
    when = line_of(model, "dtstart")
    assert (when.value, when.note) == ("2026-06-16T08:30:00Z", "2026-06-16 10:30:00")
    assert not when.children, "an element that holds one value is one line"
    assert inspector.tree.show_path("oadrPayload/oadrSignedObject/dtstart/date-time")
    assert inspector.tree.current_path().endswith("dtstart/date-time")
    inspector.tree.copy_value()
    assert QGuiApplication.clipboard().text() == "2026-06-16T08:30:00Z"
    inspector.tree.set_tree(wrapped(), (), "2026-06-16")
    when = line_of(model, "dtstart")
    assert (when.value, when.note) == ("08:30:00Z", "10:30:00 local")
    inspector.grab()
