"""The event editor: what is typed, what it becomes, what is refused, and what reaches the desk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from console.app.views import EventDraft, Outcome
from console.openadr.findings import Finding, Severity
from console.ui.cursor import TimeCursor
from console.ui.event_draft import (
    Interval,
    base_unit,
    read_duration,
    read_intervals,
    read_start,
    read_value,
    show_start,
)
from console.ui.event_preview import course_of_draft
from console.ui.events import EventsView
from console.ui.theme import apply_theme
from tests.ui.fake_desk import FakeDesk
from tests.ui.fake_lab import NOW, ZONE, at
from tests.ui.test_events_view import nameless

ALL = frozenset({"events", "presence", "sessions", "clock"})


@pytest.fixture(autouse=True, scope="module")
def themed(qapp: QApplication) -> None:
    apply_theme(qapp, "light")


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def view(qtbot: QtBot, desk: FakeDesk) -> EventsView:
    made = EventsView(desk, TimeCursor())
    qtbot.addWidget(made)
    made.resize(1232, 710)
    made.show()
    made.refresh(ALL)
    made.new_event()
    return made


def issued(desk: FakeDesk) -> EventDraft:
    name, given = desk.issued[-1]
    assert name in ("issue_event", "modify_event") and isinstance(given, tuple)
    draft = given[-1]
    assert isinstance(draft, EventDraft)
    return draft


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30 min", 1800), ("1 h 30 min", 5400), ("PT30M", 1800), ("pt1h", 3600), ("45", 45), ("P1DT1S", 86401), ("0", 0)],
)
def test_durations_are_read_as_people_and_the_standard_write_them(text: str, seconds: int) -> None:
    assert read_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "10 mni", "-5 min", "99999999999 h", "P400Y"])
def test_a_duration_that_is_none_is_refused_with_words(text: str) -> None:
    with pytest.raises(ValueError, match="duration|range"):
        read_duration(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("+10 min", NOW + timedelta(minutes=10)),
        ("+ 1h", NOW + timedelta(hours=1)),
        ("13:00", at("13:00")),
        ("13:00:30", at("13:00:30")),
        ("2026-06-17 08:15", at("08:15") + timedelta(days=1)),
    ],
)
def test_starts_are_local_or_from_now(text: str, moment: datetime) -> None:
    read = read_start(text, NOW, ZONE)
    assert read == moment and read.tzinfo is UTC and read.microsecond == 0


def test_a_start_is_written_so_that_it_reads_back() -> None:
    for moment in (at("13:00"), at("13:00:30")):
        assert read_start(show_start(moment, ZONE), NOW, ZONE) == moment


@pytest.mark.parametrize("text", ["", "+", "tomorrow", "25:00", "2026-02-30 10:00"])
def test_a_start_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="“"):
        read_start(text, NOW, ZONE)


def test_values_take_either_comma_and_either_minus() -> None:
    assert [read_value(text) for text in ("7", "0,42", "\u22121.5", " 1e3 ")] == [7.0, 0.42, -1.5, 1000.0]
    for text in ("", "x", "nan", "inf"):
        with pytest.raises(ValueError, match="number"):
            read_value(text)


def test_intervals_are_pasted_from_a_spreadsheet() -> None:
    found = read_intervals("30 min\t1\r\nPT1H;2\n\n1 h 30 min 0,5")
    assert found == [
        Interval(timedelta(minutes=30), 1.0),
        Interval(timedelta(hours=1), 2.0),
        Interval(timedelta(minutes=90), 0.5),
    ]
    with pytest.raises(ValueError, match="no lines"):
        read_intervals("\n")
    with pytest.raises(ValueError, match="needs a duration and a value"):
        read_intervals("30min")


def test_units_are_typed_with_a_prefix_and_sent_without() -> None:
    assert base_unit("kW") == ("W", 1000.0)
    assert base_unit("EUR/kWh") == ("EUR/kWh", 1.0)
    assert base_unit("") == (None, 1.0)


def test_a_new_draft_is_complete_and_its_button_names_the_consequence(view: EventsView) -> None:
    editor = view.editor
    assert editor.draft is not None
    assert editor.draft.signal_name == "SIMPLE" and editor.draft.unit is None
    assert editor.draft.start == NOW + timedelta(minutes=10)
    assert editor.issue.text() == "Issue event to 11 VENs" and editor.issue.isEnabled()
    assert "cancelled, not unsent" in editor._consequence.text()
    assert "oadrDistributeEvent" in editor.source.toPlainText()
    assert editor.preview.course == course_of_draft(editor.draft)


def test_issuing_sends_the_draft_to_the_desk_and_selects_the_event(
    view: EventsView, desk: FakeDesk, qtbot: QtBot
) -> None:
    form = view.editor.form
    form.signal.setCurrentText("LOAD_DISPATCH")
    form.context.setEditText("http://lab.example/limits")
    form.start.setText("13:00")
    form.priority.setText("1")
    form.notice.setText("20 min")
    form.test.setChecked(True)
    form.intervals.set_intervals([Interval(timedelta(minutes=30), 7.0), Interval(timedelta(hours=1), 4.2)])
    form.intervals.edited.emit()
    chosen: list[str] = []
    view._cursor.event_selected.connect(chosen.append)
    qtbot.mouseClick(view.editor.issue, Qt.MouseButton.LeftButton)
    assert desk.issued[-1][0] == "issue_event"
    assert issued(desk) == EventDraft(
        signal_name="LOAD_DISPATCH",
        signal_type="setpoint",
        unit="W",
        start=at("13:00"),
        intervals=((timedelta(minutes=30), 7000.0), (timedelta(hours=1), 4200.0)),
        market_context="http://lab.example/limits",
        priority=1,
        notification=timedelta(minutes=20),
        test_event=True,
    )
    assert chosen == ["e-204"] and not view.editing


def test_a_start_from_now_on_is_taken_when_it_is_issued(view: EventsView, desk: FakeDesk) -> None:
    view.editor.form.start.setText("+1 min")
    desk.advance(30)
    view.editor.issue.click()
    assert issued(desk).start == NOW + timedelta(seconds=90)


@pytest.mark.parametrize(
    ("signal", "types", "units"),
    [
        ("SIMPLE", ["level"], ["no unit"]),
        ("LOAD_DISPATCH", ["setpoint", "delta", "multiplier"], ["kW", "W"]),
        ("ELECTRICITY_PRICE", ["price", "priceRelative", "priceMultiplier"], ["EUR/kWh", "USD/kWh"]),
    ],
)
def test_each_signal_brings_its_types_and_units(
    view: EventsView, signal: str, types: list[str], units: list[str]
) -> None:
    form = view.editor.form
    form.signal.setCurrentText(signal)
    assert [form.type.itemText(k) for k in range(form.type.count())] == types
    assert [form.unit.itemText(k) for k in range(form.unit.count())][:2] == units
    form.type.setCurrentText(types[-1])
    assert view.editor.draft is not None
    assert view.editor.draft.unit is None, "the last type of each signal has no unit"


def test_never_wanting_an_answer(view: EventsView, desk: FakeDesk) -> None:
    from console.ui.widgets import Button

    never = next(b for b in view.editor.form.answer.findChildren(Button) if b.text() == "Never")
    never.click()
    view.editor.issue.click()
    assert issued(desk).response_required == "never"


def test_targets_are_ticked_one_by_one(view: EventsView, desk: FakeDesk) -> None:
    targets = view.editor.form.targets
    next(a for a in targets.menu.actions() if a.text().startswith("ven-3 ")).trigger()
    next(a for a in targets.menu.actions() if a.text().startswith("ven-1 ")).trigger()
    assert view.editor.issue.text() == "Issue event to 2 VENs"
    assert {row.ven_id for row in view.chart.rows for bar in row.bars if bar.status == "draft"} == {"ven-1", "ven-3"}
    next(a for a in targets.menu.actions() if a.text().startswith("ven-3 ")).trigger()
    view.editor.issue.click()
    assert issued(desk).ven_ids == ("ven-1",)


def test_a_field_that_cannot_be_read_is_marked_told_and_nothing_is_sent(view: EventsView, desk: FakeDesk) -> None:
    editor = view.editor
    before = editor.preview.course
    editor.form.notice.setText("20 mni")
    assert editor.draft is None and not editor.issue.isEnabled()
    assert editor.form.notice.property("wrong") is True
    assert any("20 mni" in title for _, title, _ in editor.findings.shown)
    assert editor.preview.course == before, "the last good course stays in view"
    editor.form.notice.setText("20 min")
    assert editor.issue.isEnabled() and editor.form.notice.property("wrong") is False
    assert desk.issued == []


def test_an_interval_that_cannot_be_read_keeps_what_it_had(view: EventsView) -> None:
    table = view.editor.form.intervals
    assert not table.model.setData(table.model.index(0, 2), "blurb")
    assert table.model.intervals[0].duration == timedelta(minutes=30)
    assert "blurb" in table._problem.text() and table._problem.isVisibleTo(view)
    assert table.model.setData(table.model.index(0, 2), "45 min")
    assert not table._problem.isVisibleTo(view)
    assert view.editor.draft is not None and view.editor.draft.intervals[0][0] == timedelta(minutes=45)


def test_intervals_are_added_removed_and_pasted(view: EventsView) -> None:
    table = view.editor.form.intervals
    table.add()
    assert len(table.model.intervals) == 2
    assert table.model.text(1, 1) == "11:22:18", "each starts where the one before ends"
    table.remove()
    assert len(table.model.intervals) == 1
    table.remove()
    assert len(table.model.intervals) == 1, "an event keeps its last interval"
    QApplication.clipboard().setText("10 min\t1\n20 min\t2")
    table.paste()
    assert view.editor.draft is not None
    assert view.editor.draft.intervals == ((timedelta(minutes=10), 1.0), (timedelta(minutes=20), 2.0))


def test_the_intervals_keep_the_rules_of_models(view: EventsView, qtmodeltester: ModelTester) -> None:
    qtmodeltester.check(view.editor.form.intervals.model)


def test_findings_of_the_draft_are_shown_and_errors_hold_it_back(
    view: EventsView, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = view.editor
    editor.form.notice.setText("0")
    assert editor.findings.shown[0][:2] == ("warning", "ven-2 may miss it: it has not polled for 22 s.")
    assert editor.findings.summary() == "1 warning" and editor.issue.isEnabled()
    error = Finding("9", Severity.ERROR, "A SIMPLE level is 0, 1, 2 or 3. It is 7.", clause="9.2.2")
    monkeypatch.setattr(desk, "check_draft", lambda _: [error])
    editor.refresh(frozenset())
    assert editor.findings.shown == (("error", "A SIMPLE level is 0, 1, 2 or 3.", "It is 7. Rule 9, 9.2.2."),)
    assert not editor.issue.isEnabled()


def test_what_the_desk_refuses_keeps_the_draft_and_says_why(
    view: EventsView, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = Outcome(False, "vtn-lab has stopped. Start it and issue the event again.")
    monkeypatch.setattr(desk, "issue_event", lambda *_: refused)
    view.editor.issue.click()
    assert view.editing
    assert view.editor.findings.shown[0] == ("error", "vtn-lab has stopped.", "Start it and issue the event again.")


def test_the_keyboard_sends_at_the_second_stroke(view: EventsView, desk: FakeDesk, qtbot: QtBot) -> None:
    view.activateWindow()
    qtbot.waitUntil(view.isActiveWindow)
    send = next(action for action in view.actions_offered() if action.id == "event.send")
    assert send.when()
    send.run()
    assert desk.issued == [] and view.focusWidget() is view.editor.issue
    send.run()
    assert len(desk.issued) == 1 and not send.when()


def test_discarding_sends_nothing_and_takes_the_draft_off_the_chart(view: EventsView, desk: FakeDesk) -> None:
    assert any(bar.status == "draft" for row in view.chart.rows for bar in row.bars)
    view.editor.discard.click()
    assert not view.editing and desk.issued == []
    assert not any(bar.status == "draft" for row in view.chart.rows for bar in row.bars)


def test_modifying_starts_from_the_event_and_keeps_its_targets(view: EventsView, desk: FakeDesk) -> None:
    view._cursor.select_event("e-199")
    view.modify_event()
    editor = view.editor
    assert editor.title.text() == "Modify e-199" and not editor.form.targets.isEnabled()
    assert editor.draft is not None
    event = next(each.event for each in desk.event_views if each.event.event_id == "e-199")
    assert editor.draft.start == event.start and editor.draft.unit == "EUR/kWh"
    assert editor.draft.intervals == tuple((i.duration, i.value) for i in event.signals[0].intervals)
    assert editor.draft.notification == event.notification and editor.draft.priority == event.priority
    assert editor.issue.text() == "Modify e-199 for 2 VENs"
    editor.form.intervals.model.setData(editor.form.intervals.model.index(0, 3), "0.55")
    editor.issue.click()
    name, given = desk.issued[-1]
    assert name == "modify_event" and isinstance(given, tuple) and given[:2] == ("vtn-lab", "e-199")
    assert issued(desk).intervals[0][1] == 0.55
    assert view.detail.said.text() == "Modified e-199."


def test_preview_and_findings_of_a_modification_are_of_the_event_it_modifies(
    view: EventsView, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(desk, "draft_source", lambda draft: asked.append(("source", draft.event_id)) or "")
    monkeypatch.setattr(desk, "check_draft", lambda draft: asked.append(("findings", draft.event_id)) or [])
    view._cursor.select_event("e-199")
    view.modify_event()
    assert set(asked) == {("source", "e-199"), ("findings", "e-199")}


def test_modifying_a_power_shows_kilowatts(view: EventsView, desk: FakeDesk) -> None:
    from dataclasses import replace

    dispatch = next(each for each in desk.event_views if each.event.event_id == "e-17")
    desk.event_views = [replace(dispatch, session="vtn-lab", mine=True)]
    view._cursor.select_event("e-17")
    view.modify_event()
    assert view.editor.form.intervals.model.intervals[0].value == 7.0
    assert view.editor.draft is not None and view.editor.draft.intervals[0][1] == 7000.0


def test_times_from_now_on_follow_the_clock(view: EventsView, desk: FakeDesk) -> None:
    desk.advance(5)
    view.refresh(frozenset({"clock"}))
    assert view.editor.draft is not None
    assert view.editor.draft.start == NOW + timedelta(minutes=10, seconds=5)


def test_every_field_has_a_name(view: EventsView) -> None:
    view.editor.form._fold()
    assert nameless(view) == []
