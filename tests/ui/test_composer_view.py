"""The Composer: form, source and findings in step; what is sent, from whom, and how it is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication, QComboBox
from pytestqt.qtbot import QtBot

from console.app.composer import Way
from console.app.composer_breaks import Outgoing
from console.app.composer_presets import preset, presets
from console.app.composer_variables import Surroundings
from console.app.views import Outcome
from console.openadr.actions import Service
from console.ui.composer import ComposerView
from console.ui.composer_form import VALUE, FieldModel
from console.ui.cursor import TimeCursor
from console.ui.theme import apply_theme
from tests.ui.fake_desk import FakeDesk

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
VEN = Way("ven-7", "VEN", "", "ven-7 → vtn-lab, at once")
VTN = Way("vtn-lab", "VTN", "ven-9", "vtn-lab → ven-9, at its next poll")


class SendingDesk(FakeDesk):
    """A desk with two ways, remembering what was sent."""

    sent: list[tuple[Way, Service, Outgoing]]
    outcome = Outcome(True, "Sent.")

    def ways(self) -> list[Way]:
        return [VTN, VEN]

    def surroundings(self, way: Way | None) -> Surroundings:
        return Surroundings(NOON, lambda stem: f"{stem}-9", {"venID": "ven-7", "vtnID": "vtn-lab", "venName": "s"})

    def send_composed(self, way: Way, service: Service, outgoing: Outgoing) -> Outcome:
        self.sent.append((way, service, outgoing))
        return self.outcome


@pytest.fixture
def desk() -> SendingDesk:
    made = SendingDesk()
    made.sent = []
    return made


@pytest.fixture
def view(qtbot: QtBot, qapp: QApplication, desk: SendingDesk) -> Iterator[ComposerView]:
    apply_theme(qapp, "light")
    made = ComposerView(desk, TimeCursor())
    qtbot.addWidget(made)
    made.resize(1200, 700)
    made.show()
    made.refresh(frozenset({"sessions"}))
    yield made


def row_of(view: ComposerView, name: str) -> int:
    return next(k for k, field in enumerate(view.form.rows.fields) if field.name == name)


def test_it_begins_with_a_poll_from_a_ven(view: ComposerView) -> None:
    assert view.way.currentText() == VEN.label and view.checked.findings == ()


def test_every_preset_is_one_click_away_and_valid(view: ComposerView) -> None:
    actions = [each for menu in view.preset_menu.actions() for each in menu.menu().actions()]  # type: ignore[union-attr]
    assert len(actions) == len(presets())
    for each in actions:
        each.trigger()
        assert view.checked.element == each.text().split(" ")[0]
        assert view.checked.findings == ()
        assert view.verdict.text() == "Valid by the schema, and no rule is broken."


def test_an_edit_in_the_form_is_in_the_source_at_once_and_can_be_undone(view: ComposerView) -> None:
    view.use_preset(preset("oadrDistributeEvent"))
    before = view.text()
    rows = view.form.rows
    assert rows.setData(rows.index(row_of(view, "ei:value"), VALUE), "2")
    assert "<ei:value>2</ei:value>" in view.text()
    assert rows.setData(rows.index(row_of(view, "ei:eventStatus"), VALUE), "soon")
    (finding,) = view.checked.findings
    assert "eventStatus is 'soon'" in finding.text and "1 error" in view.verdict.text()
    view.source.undo()
    view.source.undo()
    view.check_now()
    assert view.text() == before and view.checked.findings == ()


def test_what_is_typed_is_in_the_form_after_a_moment(qtbot: QtBot, view: ComposerView) -> None:
    view.source.setPlainText(view.text().replace("${venID}", "ven-44"))
    assert view.form.rows.fields[row_of(view, "ei:venID")].value == "${venID}"
    qtbot.waitUntil(lambda: view.form.rows.fields[row_of(view, "ei:venID")].value == "ven-44", timeout=3000)
    view.source.setPlainText("<oadr")
    qtbot.waitUntil(lambda: view.form.rows.fields == [], timeout=3000)
    assert view.checked.errors and view.title.text() == "no message"


def test_lists_of_the_standard_are_offered_and_a_required_element_stays(qtbot: QtBot, view: ComposerView) -> None:
    view.use_preset(preset("oadrCreateOpt"))
    rows = view.form.rows
    place = rows.index(row_of(view, "ei:optType"), VALUE)
    view.form.setCurrentIndex(place)
    qtbot.keyClick(view.form, Qt.Key.Key_Return)
    editor = view.form.findChild(QComboBox)
    assert editor is not None and [editor.itemText(k) for k in range(editor.count())] == ["optIn", "optOut"]
    editor.setCurrentText("optOut")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "<ei:optType>optOut<" in view.text(), timeout=3000)
    context = row_of(view, "emix:marketContext")
    rows.setData(rows.index(context, VALUE), "http://a")
    view.form.setCurrentIndex(rows.index(row_of(view, "emix:marketContext"), VALUE))
    qtbot.keyClick(view.form, Qt.Key.Key_Delete)
    assert "marketContext" not in view.text()


def test_the_model_keeps_qts_rules(qtbot: QtBot) -> None:
    from console.app.composer_form import fields_of

    model = FieldModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    for each in presets():
        model.set_fields(fields_of(each.text))
        model.set_fields(fields_of(each.text.replace("200", "201")))
    model.set_fields([])


def test_send_names_both_ends_and_what_is_broken_is_broken(view: ComposerView, desk: SendingDesk) -> None:
    view.use_preset(preset("oadrCreateOpt"))
    assert view.send_button.text().strip() == "Send oadrCreateOpt to vtn-lab"
    view.send_button.click()
    (way, service, outgoing) = desk.sent[-1]
    assert (way, service) == (VEN, Service.EI_OPT)
    assert "${" not in outgoing.text and "2026-06-01T12:00:00Z" in outgoing.text
    assert desk.recall("composer.history") == [view.text()]
    view.breaks["wrong-ven"].setChecked(True)
    view.breaks["duplicate"].setChecked(True)
    assert "broken on purpose" in view.send_button.text()
    view.send_button.click()
    assert "ven-7-nobody" in desk.sent[-1][2].text and desk.sent[-1][2].times == 2
    view.break_nothing()
    view.use_preset(preset("oadrQueryRegistration"))
    view.breaks["wrong-ven"].setChecked(True)
    count = len(desk.sent)
    view.send_button.click()
    assert len(desk.sent) == count
    view.use_preset(preset("oadrRequestReregistration"))
    assert view.way.currentText() == VTN.label and view.send_button.text().strip().endswith("to ven-9")


def test_what_was_sent_is_had_back(view: ComposerView) -> None:
    for name in ("oadrPoll", "oadrCreateOpt"):
        view.use_preset(preset(name))
        view.send_button.click()
    view.use_preset(preset("oadrRequestEvent"))
    for step, element in ((view.older, "oadrCreateOpt"), (view.older, "oadrPoll"), (view.older, "oadrPoll"),
                          (view.newer, "oadrCreateOpt"), (view.newer, "oadrRequestEvent")):  # fmt: skip
        step()
        assert view.checked.element == element


def test_any_message_is_edited_and_sent_again(view: ComposerView, desk: SendingDesk) -> None:
    wanted: list[str] = []
    view._cursor.view_wanted.connect(wanted.append)
    view._cursor.select_message(412)
    view.edit_selected()
    assert wanted == ["Composer"]
    assert view.text().startswith("<?xml")
    assert view.text().endswith(desk.inspect(412).pretty.removeprefix('<?xml version="1.0" encoding="UTF-8"?>\n'))


def test_a_desk_that_sends_nothing_lets_one_write_all_the_same(qtbot: QtBot) -> None:
    view = ComposerView(FakeDesk(), TimeCursor())
    qtbot.addWidget(view)
    view.refresh(frozenset({"sessions"}))
    assert not view.send_button.isEnabled() and "nobody" in view.way.currentText()
    assert view.checked.element == "oadrPoll"
    view.send()
