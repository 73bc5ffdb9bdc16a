"""Recordings in the window: open, save as, merge, trim, export; and the bar that plays one.

What takes long runs on a thread and shows its progress at the foot of the window, where it can be cancelled. A
recording opens in a window of its own, so that it never stands where a running node is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import QApplication, QComboBox, QFileDialog, QProgressBar, QSlider, QVBoxLayout, QWidget

from console.app.export import Format, export
from console.app.long_work import LongWork, Progress
from console.app.recording import SUFFIX, copy_recording, merge_recordings, trim_recording
from console.app.recording_desk import SPEEDS, RecordedDesk, open_desk
from console.store.reading import Reader
from console.store.recording import Recording
from console.store.store import StoreError
from console.ui.actions import Action
from console.ui.export_dialog import ExportDialog, SpanDialog
from console.ui.theme import ui
from console.ui.widgets import Notice, box, button, label, line
from console.ui.words import clock, plural

if TYPE_CHECKING:
    from console.app.views import Desk
    from console.ui.window import Window

STEPS = 10_000
"""Places of the time slider."""
WATCH_MS = 80
SAID_MS = 12_000
"""How long what came of a work stays at the foot."""
FILES = f"Recordings (*{SUFFIX} *.sqlite);;All files (*)"


def history_of(desk: Desk) -> Reader | None:
    """The recorded history behind a desk; None where it has none."""
    for name in ("store", "recording"):
        found = getattr(desk, name, None)
        if isinstance(found, Reader):
            return found
    return None


def equip(window: Window, desk: Desk) -> Recordings | None:
    """Give a window what it does with recordings: its actions, the foot, and the player where the desk is one."""
    history = history_of(desk)
    return None if history is None else Recordings(window, desk, history)


class WorkStrip(QWidget):
    """One work under way: what, how far, and a way to end it; then what came of it."""

    def __init__(self) -> None:
        super().__init__()
        self.work: LongWork | None = None
        self._done: Callable[[LongWork], object] | None = None
        self.said = label("", "text", ui(12.5))
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setFixedSize(220, 8)
        self.progress.setAccessibleName("Progress")
        self.cancel = button("Cancel", "link", run=self._cancel)
        self.close_button = button("Dismiss", "link", run=self.hide)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        row = box("h", (self.said, 1), self.progress, self.cancel, self.close_button,
                  margins=(12, 4, 12, 4), spacing=10, name="chrome")  # fmt: skip
        layout.addWidget(row)
        layout.addWidget(line())
        self._timer = QTimer(self)
        self._timer.setInterval(WATCH_MS)
        self._timer.timeout.connect(self.look)
        self.hide()

    @property
    def busy(self) -> bool:
        return self.work is not None

    def watch(self, work: LongWork, done: Callable[[LongWork], object] | None = None) -> None:
        """Show a work until it is finished; ``done`` is called then."""
        self.work, self._done = work, done
        self.said.setText(f"{work.title}…")
        self.progress.setValue(0)
        self.progress.show()
        self.cancel.show()
        self.close_button.hide()
        self.show()
        self._timer.start()

    def tell(self, text: str) -> None:
        """Say something that needs no work."""
        self.said.setText(text)
        self.said.setToolTip(text)
        self.progress.hide()
        self.cancel.hide()
        self.close_button.show()
        self.show()

    @Slot()
    def look(self) -> None:
        """See how far it is; called by the timer."""
        work = self.work
        if work is None:
            self._timer.stop()
            return
        self.progress.setValue(round(1000 * work.share))
        if work.finished:
            self._timer.stop()
            self.work = None
            self.tell(work.text)
            if self._done is not None:
                self._done(work)

    def _cancel(self) -> None:
        if self.work is not None:
            self.work.cancel()


class PlayerBar(QWidget):
    """Plays a recording: a slider over its time, play and pause, 1× to 100×."""

    def __init__(self, desk: RecordedDesk) -> None:
        super().__init__()
        self._desk = desk
        self.play_button = button(
            "Play", "", "play", self.toggle, "From the slider's place on; at the end, from the start."
        )
        self.play_button.setMinimumWidth(88)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, STEPS)
        self.slider.setPageStep(STEPS // 20)
        self.slider.setSingleStep(STEPS // 200)
        self.slider.setAccessibleName("Time of the recording")
        self.slider.valueChanged.connect(self._moved)
        self.speed = QComboBox()
        self.speed.setAccessibleName("Speed")
        for each in SPEEDS:
            self.speed.addItem(f"{each:g}×", each)
        self.speed.currentIndexChanged.connect(self._speed_chosen)
        self.time = label("", "text", ui(12.5))
        self.time.setMinimumWidth(150)
        name = label(desk.recording.name, "text", ui(12.5, 500))
        hint = label("recording: nothing here acts on the network", "text_muted", ui(12))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        row = box("h", self.play_button, self.speed, (self.slider, 1), self.time, name, hint,
                  margins=(12, 4, 12, 4), spacing=10, name="chrome")  # fmt: skip
        layout.addWidget(row)
        layout.addWidget(line())
        self._seek_to: datetime | None = None
        self._seeking = QTimer(self)
        self._seeking.setSingleShot(True)
        self._seeking.setInterval(60)
        self._seeking.timeout.connect(self._seek)
        self.refresh(frozenset({"status"}))

    def refresh(self, changed: frozenset[str]) -> None:
        if "status" not in changed:
            return
        desk = self._desk
        whole = (desk.end - desk.start).total_seconds()
        share = (desk.position - desk.start).total_seconds() / whole if whole else 1.0
        if not self.slider.isSliderDown() and self._seek_to is None:
            self.slider.blockSignals(True)
            self.slider.setValue(round(STEPS * share))
            self.slider.blockSignals(False)
        self._show_time(desk.position)
        self.play_button.set_text("Pause" if desk.playing else "Play")
        self.play_button.set_icon("pause" if desk.playing else "play")

    def _show_time(self, at: datetime) -> None:
        local = at.astimezone(self._desk.timezone)
        self.time.setText(f"{local:%Y-%m-%d} {clock(at, self._desk.timezone)}")

    def toggle(self) -> None:
        if self._desk.playing:
            self._desk.pause()
        else:
            self._desk.play()
        self.refresh(frozenset({"status"}))

    @Slot(int)
    def _moved(self, value: int) -> None:
        span = self._desk.end - self._desk.start
        self._seek_to = self._desk.start + timedelta(seconds=span.total_seconds() * value / STEPS)
        self._show_time(self._seek_to)
        if not self._seeking.isActive():
            self._seeking.start()

    @Slot()
    def _seek(self) -> None:
        wanted, self._seek_to = self._seek_to, None
        if wanted is not None:
            self._desk.seek(wanted)

    @Slot(int)
    def _speed_chosen(self, number: int) -> None:
        self._desk.set_speed(float(self.speed.itemData(number)))


class Recordings:
    """What one window does with recordings; made by :func:`equip`."""

    def __init__(self, window: Window, desk: Desk, history: Reader) -> None:
        self._window, self._desk, self._history = window, desk, history
        self.strip = WorkStrip()
        self.player: PlayerBar | None = None
        self.windows: list[Window] = []
        """Opened from this one."""
        window.put_at_foot(self.strip)
        if isinstance(desk, RecordedDesk):
            self.player = PlayerBar(desk)
            window.put_at_foot(self.player)
            self.player.show()
            assert window.bridge is not None
            window.bridge.add(self.player, self.player.isVisible)
            window.setWindowTitle(f"{desk.recording.name} – Nodebench recording")
            if desk.recording.trouble:
                notice = Notice("warning", desk.recording.trouble)
                window.put_at_foot(box("v", notice, margins=(12, 6, 12, 6), name="panel"))
        window.book.add(self._actions())

    def _actions(self) -> list[Action]:
        def idle() -> bool:
            return not self.strip.busy

        def filled() -> bool:
            return idle() and len(self._desk.messages) > 0

        actions = [
            Action("file.open_recording", "Open recording…", "File", self.ask_open, "Ctrl+O", when=idle,
                   tip="In a window of its own; no node runs in it and nothing in it acts on the network."),
            Action("file.save_recording", "Save recording as…", "File", self.ask_save, "Ctrl+Shift+S", when=idle,
                   tip="A copy under a name of your own, also while it is being written."),
            Action("file.trim_recording", "Save part of the recording…", "File", self.ask_trim, when=filled,
                   tip="Some of its messages, by number or time, as a recording of their own."),
            Action("file.merge_recordings", "Merge recordings…", "File", self.ask_merge, when=idle,
                   tip="Several recordings into one, in order of time."),
            Action("file.export", "Export…", "File", self.ask_export, "Ctrl+Shift+E", when=filled,
                   tip="JSON Lines, HAR, XML files, CSV or a recording; ids and addresses replaced if wanted."),
        ]  # fmt: skip
        if self.player is not None:
            actions.append(
                Action("view.play", "Play or pause the recording", "View", self.player.toggle, "Ctrl+P",
                       tip="Shows every view as it was, second by second.")
            )  # fmt: skip
        return actions

    def _work(
        self, title: str, run: Callable[[Progress], str], done: Callable[[LongWork], object] | None = None
    ) -> None:
        self.strip.watch(LongWork(title, run), done)

    # Opening -------------------------------------------------------------------------------------------------------

    def ask_open(self) -> None:
        dialog = self._dialog("Open recording", QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self.open(Path(name)))
        dialog.open()

    def open(self, path: Path) -> None:
        """Read a recording and show it in a window of its own."""
        read: list[RecordedDesk] = []

        def run(_progress: Progress) -> str:
            read.append(open_desk(path))
            return f"{path.name} is open in a window of its own."

        def done(work: LongWork) -> None:
            if work.ok:
                self._show(read[0])

        self._work(f"Opening {path.name}", run, done)

    def _show(self, desk: RecordedDesk) -> None:
        from console.ui.window import Window

        window = Window()
        window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def closing() -> None:
            self.windows.remove(window)
            window.let_go()
            desk.close()

        window.closing.connect(closing)
        self.windows.append(window)
        window.show()
        window.attach(desk)

    def close_all(self) -> None:
        """Close the windows opened from this one."""
        for window in list(self.windows):
            window.close()

    # Writing -------------------------------------------------------------------------------------------------------

    def ask_save(self) -> None:
        dialog = self._dialog("Save recording as", QFileDialog.FileMode.AnyFile, SUFFIX)
        dialog.fileSelected.connect(lambda name: self.save(Path(name)))
        dialog.open()

    def save(self, out: Path) -> None:
        def run(_progress: Progress) -> str:
            copy_recording(self._history.path, out, out.stem, replacing=True)
            return f"Saved as {out}."

        self._work(f"Saving {out.name}", run)

    def ask_merge(self) -> None:
        dialog = self._dialog("Recordings to merge", QFileDialog.FileMode.ExistingFiles)

        def chosen(names: Sequence[str]) -> None:
            where = self._dialog("Save the merged recording as", QFileDialog.FileMode.AnyFile, SUFFIX)
            where.fileSelected.connect(lambda out: self.merge([Path(name) for name in names], Path(out)))
            where.open()

        dialog.filesSelected.connect(chosen)
        dialog.open()

    def merge(self, paths: Sequence[Path], out: Path) -> None:
        def run(progress: Progress) -> str:
            opened: list[Recording] = []
            try:
                opened += (Recording(path) for path in paths)
                written = merge_recordings(opened, out, name=out.stem, replacing=True, progress=progress)
            finally:
                for each in opened:
                    each.close()
            return f"Wrote {plural(written, 'message')} of {plural(len(paths), 'recording')} to {out}."

        self._work(f"Merging {plural(len(paths), 'recording')}", run)

    def ask_trim(self) -> None:
        dialog = SpanDialog(self._window, self._desk)

        def chosen() -> None:
            span = dialog.span()
            where = self._dialog("Save the part as", QFileDialog.FileMode.AnyFile, SUFFIX)

            def write(out: str) -> None:
                def run(progress: Progress) -> str:
                    written = trim_recording(
                        self._history, span, Path(out), name=Path(out).stem, replacing=True, progress=progress
                    )
                    return f"Wrote {plural(written, 'message')} to {out}."

                self._work("Saving a part", run)

            where.fileSelected.connect(write)
            where.open()

        dialog.accepted.connect(chosen)
        dialog.open()

    # Exporting -----------------------------------------------------------------------------------------------------

    def shown_numbers(self) -> list[int]:
        """Of the messages that the list shows now."""
        rows = self._window.messages.table.rows
        return [rows.log_row(row) + 1 for row in range(rows.rowCount())]

    def selected_numbers(self) -> list[int]:
        """The selected message and the other half of its exchange."""
        number = self._window.cursor_shared.message_number
        if not 0 < number <= len(self._desk.messages):
            return []
        view = self._desk.messages.view(number - 1)
        return sorted({number, view.reply_to, view.answered_by} - {0})

    def ask_export(self) -> None:
        every = list(range(1, len(self._desk.messages) + 1))
        dialog = ExportDialog(self._window, every, self.shown_numbers(), self.selected_numbers())

        def chosen() -> None:
            form, numbers, redact = dialog.form(), dialog.numbers(), dialog.redact.isChecked()
            where = self._dialog("Export to", QFileDialog.FileMode.AnyFile, form.suffix)
            where.fileSelected.connect(lambda out: self.export(form, numbers, Path(out), redact))
            where.open()

        dialog.accepted.connect(chosen)
        dialog.open()

    def export(self, form: Format, numbers: Sequence[int], out: Path, redact: bool) -> None:
        def run(progress: Progress) -> str:
            if form is Format.XML and out.is_dir():
                raise StoreError(f"{out} is a folder already. Name one that is not there yet.")
            return export(self._history, numbers, form, out, redact=redact, replacing=True, progress=progress)

        self._work(f"Exporting {plural(len(numbers), 'message')}", run)

    def _dialog(self, title: str, mode: QFileDialog.FileMode, suffix: str | None = None) -> QFileDialog:
        dialog = QFileDialog(self._window, title)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(mode)
        if mode is QFileDialog.FileMode.AnyFile:
            dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
            dialog.setDefaultSuffix((suffix or "").lstrip("."))
        else:
            dialog.setNameFilter(FILES)
        if not cast("QApplication", QApplication.instance()).platformName().startswith(("win", "cocoa")):
            dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
        return dialog
