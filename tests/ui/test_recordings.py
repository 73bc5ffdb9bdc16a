"""Recordings in the window: every view on one, played and sought; saved, trimmed, merged, exported, cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from console.app.export import Format
from console.app.long_work import LongWork, Progress
from console.app.recording_desk import RecordedDesk, open_desk
from console.store.recording import Recording
from console.ui.export_dialog import ExportDialog, SpanDialog
from console.ui.recordings import STEPS, Recordings, WorkStrip
from console.ui.theme import apply_theme
from console.ui.widgets import Notice
from console.ui.window import Window
from tests.app.recorded import EVENT_START, record
from tests.ui.fake_desk import FakeDesk


@pytest.fixture
async def source(tmp_path: Path) -> Path:
    return await record(tmp_path / "source.oadrrec", 130)


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication, source: Path) -> Iterator[Window]:
    apply_theme(qapp, "light")
    desk = open_desk(source)
    made = Window()
    made.follow_system(False)
    qtbot.addWidget(made)
    made.show()
    made.attach(desk)
    yield made
    made.let_go()
    desk.close()


def parts(window: Window) -> tuple[RecordedDesk, Recordings]:
    assert isinstance(window.desk, RecordedDesk) and window.recordings is not None
    return window.desk, window.recordings


def tick(window: Window) -> None:
    assert window.bridge is not None
    window.bridge.tick()


def finished(qtbot: QtBot, strip: WorkStrip) -> str:
    qtbot.waitUntil(lambda: not strip.busy, timeout=15_000)
    return strip.said.text()


def test_every_view_shows_it_and_seeking_moves_them_all(window: Window) -> None:
    desk, recordings = parts(window)
    whole = window.messages.table.rows.rowCount()
    assert whole == len(desk.messages) > 100
    for name in window.views:
        window.show_view(name)
        tick(window)
    assert recordings.player is not None and recordings.player.slider.value() == STEPS
    window.show_view("Messages")
    desk.seek(EVENT_START)
    tick(window)
    rows = window.messages.table.rows
    assert rows.rowCount() == len(desk.messages) < whole
    assert 0 < recordings.player.slider.value() < STEPS
    desk.seek(desk.end)
    tick(window)
    assert rows.rowCount() == whole
    assert window.windowTitle().startswith("source")


def test_a_filter_stays_while_the_recording_goes_back_and_forth(window: Window) -> None:
    desk, _ = parts(window)
    window.messages.filter_bar.set_text("element == oadrPoll")
    tick(window)
    rows = window.messages.table.rows
    every = rows.rowCount()
    assert 0 < every < len(desk.messages)
    desk.seek(EVENT_START)
    tick(window)
    assert 0 < rows.rowCount() < every
    assert {rows.view(row).element for row in range(rows.rowCount())} == {"oadrPoll"}


def test_the_slider_seeks_and_the_button_plays(qtbot: QtBot, window: Window) -> None:
    desk, recordings = parts(window)
    player = recordings.player
    assert player is not None
    player.slider.setValue(STEPS // 2)
    middle = desk.start + (desk.end - desk.start) / 2
    qtbot.waitUntil(lambda: abs(desk.position - middle) < timedelta(seconds=1), timeout=3000)
    player.speed.setCurrentIndex(player.speed.count() - 1)
    assert desk.speed == 100.0
    before = desk.position
    window.book.run(window.book.by_id("view.play"))
    assert desk.playing and player.play_button.text().strip() == "Pause"
    qtbot.waitUntil(lambda: desk.position > before, timeout=3000)
    qtbot.waitUntil(lambda: not desk.playing and desk.position == desk.end, timeout=10_000)


def test_nothing_in_it_can_be_sent(window: Window) -> None:
    composer: Any = window.views["Composer"]
    window.show_view("Composer")
    tick(window)
    assert not composer.send_button.isEnabled()
    assert not window.book.by_id("event.new").when()


def test_it_is_saved_exported_and_merged_with_progress(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    desk, recordings = parts(window)
    recordings.save(tmp_path / "copy.oadrrec")
    assert "Saved as" in finished(qtbot, recordings.strip)
    recordings.merge([tmp_path / "copy.oadrrec", desk.recording.path], tmp_path / "both.oadrrec")
    assert "of 2 recordings" in finished(qtbot, recordings.strip)
    with Recording(tmp_path / "both.oadrrec") as both:
        assert len(both.log) == 2 * len(desk.messages) and both.name == "both"
    recordings.export(Format.JSONL, recordings.shown_numbers(), tmp_path / "a.jsonl", True)
    assert "are replaced" in finished(qtbot, recordings.strip)
    assert "ven-rosa" not in (tmp_path / "a.jsonl").read_text()
    recordings.export(Format.JSONL, [1], tmp_path / "none" / "a.jsonl", False)
    assert "cannot be written" in finished(qtbot, recordings.strip)
    assert recordings.strip.close_button.isVisible()


def test_a_recording_opens_in_a_window_of_its_own(qtbot: QtBot, window: Window, source: Path, tmp_path: Path) -> None:
    _, recordings = parts(window)
    recordings.open(source)
    assert "window of its own" in finished(qtbot, recordings.strip)
    (other,) = recordings.windows
    assert isinstance(other.desk, RecordedDesk) and other.isVisible()
    other.close()
    assert recordings.windows == []
    recordings.open(tmp_path / "none")
    assert "There is no file" in finished(qtbot, recordings.strip)


def test_one_that_was_cut_off_says_so_in_the_window(
    qtbot: QtBot, qapp: QApplication, source: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.oadrrec"
    cut.write_bytes(source.read_bytes()[: source.stat().st_size * 3 // 4])
    desk = RecordedDesk(Recording(cut), open_desk(source)._clock, UTC)
    made = Window()
    qtbot.addWidget(made)
    made.show()
    made.attach(desk)
    assert any("cut off" in each.accessibleName() for each in made.findChildren(Notice))
    for number in range(1, len(desk.messages) + 1):
        desk.inspect(number)
    made.let_go()
    desk.close()


def test_what_takes_long_is_cancelled(qtbot: QtBot) -> None:
    strip = WorkStrip()
    qtbot.addWidget(strip)
    seen: list[LongWork] = []

    def endless(progress: Progress) -> str:
        while True:
            progress(1, 4)

    strip.watch(LongWork("Counting", endless), seen.append)
    qtbot.waitUntil(lambda: strip.progress.value() == 250, timeout=3000)
    assert strip.said.text() == "Counting…"
    strip.cancel.click()
    assert finished(qtbot, strip).startswith("Cancelled")
    assert seen and not seen[0].ok


def test_the_dialogs_offer_what_there_is(qtbot: QtBot, window: Window) -> None:
    desk, recordings = parts(window)
    for action in ("file.open_recording", "file.save_recording", "file.merge_recordings"):
        window.book.run(window.book.by_id(action))
    assert len(window.findChildren(QFileDialog)) == 3
    for dialog in window.findChildren(QFileDialog):
        dialog.reject()
    window.cursor_shared.select_message(2)
    selected = recordings.selected_numbers()
    assert len(selected) == 2 and 2 in selected
    assert {desk.messages.view(n - 1).reply_to for n in selected} - {0} <= set(selected)
    export = ExportDialog(window, [1, 2, 3], [1, 2], [])
    assert export.numbers() == [1, 2] and export.form() is Format.JSONL
    assert not export._choices[2][0].isEnabled()
    export.open()
    with qtbot.waitSignal(export.accepted, timeout=3000):
        qtbot.keyClick(export.format, Qt.Key.Key_Return)
    span = SpanDialog(window, desk)
    span.first.setValue(3)
    span.last.setValue(5)
    assert (span.span().first, span.span().last) == (3, 5) and "3 messages" in span.times.text()
    span.last.setValue(2)
    assert not span.verb.isEnabled()
    span.reject()
    window.book.run(window.book.by_id("file.export"))
    window.book.run(window.book.by_id("file.trim_recording"))


def test_a_desk_without_a_history_offers_none_of_it(qtbot: QtBot) -> None:
    made = Window()
    qtbot.addWidget(made)
    made.show()
    made.attach(FakeDesk())
    assert made.recordings is None
    with pytest.raises(KeyError):
        made.book.by_id("file.export")
    made.let_go()
