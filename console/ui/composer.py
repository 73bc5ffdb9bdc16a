"""The Composer: any message written by hand, as a form or as XML, judged while it is typed, sent by one of ours.

Nothing leaves before Send, which names from whom and to whom; what was sent this way is marked in the record. On a
desk that sends nothing, such as a recording's, messages can be written and judged all the same.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, Qt, QTimer, Slot
from PySide6.QtGui import QAction, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QComboBox, QMenu, QPlainTextEdit, QSizePolicy, QSplitter, QTextEdit, QVBoxLayout, QWidget

from console.app.composer import HISTORY, Checked, ComposingDesk, History, Way, check, send, service_of
from console.app.composer_breaks import BREAKS
from console.app.composer_form import Field, fields_of, set_field
from console.app.composer_presets import Preset, presets
from console.app.composer_variables import Surroundings
from console.app.views import Outcome
from console.openadr.actions import Service
from console.openadr.findings import Severity
from console.ui.actions import Action
from console.ui.composer_form import FieldTable
from console.ui.cursor import TimeCursor
from console.ui.inspector import FindingList
from console.ui.source import TagsMuted
from console.ui.theme import BAR, col, mono, ui
from console.ui.widgets import Button, Notice, box, button, label, line, pane_title, tool
from console.ui.words import plural

if TYPE_CHECKING:
    from console.app.views import Desk

CHECK_AFTER_MS = 200
"""From the last key to the verdict."""
FORM_WIDTH, FINDINGS_WIDTH = 420, 316
BY_ITSELF = "as the message says"


class SourceEdit(QPlainTextEdit):
    """The XML, with errors underlined."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Source of the message being written")
        self.setFont(mono(12))
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTabChangesFocus(True)
        self.document().setDocumentMargin(10)
        self._tags = TagsMuted(self.document())

    def retheme(self) -> None:
        self._tags.retheme()

    def replace_all(self, text: str) -> None:
        """Put in another text as one step that can be undone, the cursor staying at its line."""
        place = self.textCursor()
        block, column = place.blockNumber(), place.positionInBlock()
        place.beginEditBlock()
        place.select(QTextCursor.SelectionType.Document)
        place.insertText(text)
        place.endEditBlock()
        self.go_to(block + 1, column)

    def go_to(self, number: int, column: int = 0) -> None:
        block = self.document().findBlockByNumber(number - 1)
        if block.isValid():
            cursor = self.textCursor()
            cursor.setPosition(block.position() + min(column, max(block.length() - 1, 0)))
            self.setTextCursor(cursor)
            self.ensureCursorVisible()

    def underline(self, lines: dict[int, str]) -> None:
        """Underline these lines, each in a colour role."""
        marked: list[QTextEdit.ExtraSelection] = []
        for number, role in lines.items():
            block = self.document().findBlockByNumber(number - 1)
            if not block.isValid():
                continue
            cursor = QTextCursor(block)
            text = block.text()
            cursor.setPosition(block.position() + len(text) - len(text.lstrip()))
            cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
            drawn = QTextCharFormat()
            drawn.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            drawn.setUnderlineColor(col(role))
            each = QTextEdit.ExtraSelection()
            each.cursor, each.format = cursor, drawn  # pyright: ignore[reportAttributeAccessIssue]
            marked.append(each)
        self.setExtraSelections(marked)


class ComposerView(QWidget):
    """Preset, form, source, findings; then Send."""

    def __init__(self, desk: Desk, cursor: TimeCursor) -> None:
        super().__init__()
        self._desk, self._cursor = desk, cursor
        self._ways: list[Way] = []
        self._sender = ""
        self.checked = Checked("", "", ())
        self.history = History(desk.recall(HISTORY, ()))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(CHECK_AFTER_MS)
        self._timer.timeout.connect(self.check_now)
        self._build()
        self.use_preset(next(each for each in presets() if each.element == "oadrPoll"))

    # Building ------------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.preset_menu = QMenu(self)
        self._fill_presets()
        self.preset_button = button("New from preset", "", "plus", tip="A valid message for any payload to start from.")
        self.preset_button.setMenu(self.preset_menu)
        self.break_menu = QMenu(self)
        self.break_menu.setToolTipsVisible(True)
        self.breaks: dict[str, QAction] = {}
        self._fill_breaks()
        self.break_button = button("Break it", "", "bug", tip="One thing wrong on purpose, to see what the peer does.")
        self.break_button.setMenu(self.break_menu)
        older = tool("chevron-left", "Older message that was sent (Ctrl+Up)", self.older)
        newer = tool("chevron-right", "Newer message that was sent (Ctrl+Down)", self.newer)
        self.title = label("", "text", mono(13, 600))
        bar = box("h", self.title, None, self.preset_button, 6, self.break_button, 6, older, newer,
                  margins=(12, 0, 8, 0), name="panel")  # fmt: skip
        bar.setFixedHeight(BAR + 4)
        self.form = FieldTable()
        self.form.rows.edited.connect(self._field_edited)
        self.source = SourceEdit()
        self.source.textChanged.connect(self._typed)
        self.findings = FindingList()
        self.findings.setAccessibleName("Findings of the message being written")
        self.findings.clicked.connect(self._go_to_finding)
        self.findings.activated.connect(self._go_to_finding)
        self.verdict = label("", "text_muted", ui(12), wrap=True)
        verdict = box("v", self.verdict, margins=(12, 0, 12, 8), name="panel")
        self._panes = QSplitter(Qt.Orientation.Horizontal)
        self._panes.setHandleWidth(1)
        self._panes.setChildrenCollapsible(False)
        for title, *parts in (
            ("Form", (self.form, 1)),
            ("XML", (self.source, 1)),
            ("Findings", verdict, (self.findings, 1)),
        ):
            self._panes.addWidget(box("v", pane_title(title), *parts, name="panel"))  # type: ignore[arg-type]
        self._panes.setSizes([FORM_WIDTH, 1440 - FORM_WIDTH - FINDINGS_WIDTH, FINDINGS_WIDTH])
        self._panes.setStretchFactor(1, 1)
        self._notice = Notice("info", "")
        self._notice_box = box("v", self._notice, margins=(12, 8, 12, 0), name="panel")
        self._notice_box.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (bar, line()):
            column.addWidget(part)
        column.addWidget(self._panes, 1)
        for part in (line(), self._notice_box, self._foot()):
            column.addWidget(part)

    def _foot(self) -> QWidget:
        self.way = QComboBox()
        self.way.setAccessibleName("From whom to whom")
        self.way.setFont(mono(12))
        self.way.setMinimumWidth(300)
        self.way.currentIndexChanged.connect(self.check_now)
        self.service = QComboBox()
        self.service.setAccessibleName("Service")
        self.service.setFont(mono(12))
        self.service.setMinimumWidth(170)
        self.service.addItem(BY_ITSELF, None)
        for each in Service:
            self.service.addItem(each.value, each)
        self._breaks_text = label("", "text_muted", ui(12))
        self._breaks_text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.send_button = button("Send", "primary", "send", self.send)
        foot = box("h", label("Send", "text_muted", ui(12)), 8, self.way, 12, label("to", "text_muted", ui(12)), 8,
                   self.service, 12, (self._breaks_text, 1), 12, self.send_button,
                   margins=(12, 8, 12, 8), name="panel")  # fmt: skip
        return foot

    def _fill_presets(self) -> None:
        for service in Service:
            among = [each for each in presets() if each.service is service]
            menu = self.preset_menu.addMenu(service.value)
            for each in among:
                made = menu.addAction(f"{each.element}   ({each.sender})")
                made.setToolTip(each.meaning)
                made.triggered.connect(lambda _checked=False, each=each: self.use_preset(each))
            menu.setToolTipsVisible(True)

    def _fill_breaks(self) -> None:
        for each in BREAKS:
            made = self.break_menu.addAction(each.text)
            made.setCheckable(True)
            made.setToolTip(f"A peer should: {each.expects}")
            made.toggled.connect(self._breaks_chosen)
            self.breaks[each.id] = made
        self.break_menu.addSeparator()
        self.break_menu.addAction("Nothing: send it whole").triggered.connect(self.break_nothing)

    # What the window asks ------------------------------------------------------------------------------------------

    def refresh(self, changed: frozenset[str]) -> None:
        if changed & {"sessions", "presence"}:
            self._show_ways()

    def retheme(self) -> None:
        self.source.retheme()
        self.check_now()

    def actions_offered(self) -> list[Action]:
        shown = self.isVisible
        return [
            Action("session.compose", "Compose a message", "Session", self.show_me,
                   tip="Any message of any service, written by hand and judged while it is typed."),
            Action("session.edit_resend", "Edit and resend the message", "Session", self.edit_selected, "Ctrl+Shift+R",
                   when=lambda: bool(self._cursor.message_number),
                   tip="Opens the selected message in the Composer; nothing is sent before Send."),
            Action("session.send_composed", "Send the composed message", "Session", self.send, "Ctrl+Shift+Return",
                   when=lambda: shown() and self._can_send(),
                   tip="Sends what the Composer holds; the record marks it."),
            Action("edit.composer_older", "Older composed message", "Edit", self.older, "Ctrl+Up", when=shown,
                   tip="What was sent before from the Composer."),
            Action("edit.composer_newer", "Newer composed message", "Edit", self.newer, "Ctrl+Down", when=shown,
                   tip="Back towards what was being written."),
            Action("session.break_nothing", "Break nothing in the composed message", "Session", self.break_nothing,
                   when=lambda: shown() and bool(self.breaks_chosen()), tip="Sends the message whole again."),
        ]  # fmt: skip

    def show_me(self) -> None:
        self._cursor.show_view("Composer")
        self.source.setFocus()

    # Writing -------------------------------------------------------------------------------------------------------

    def use_preset(self, preset: Preset) -> None:
        """Start anew from a preset; what was written can be had back by undoing."""
        self.set_text(preset.text)
        self._sender = preset.sender
        self._choose_sender()

    def _choose_sender(self) -> None:
        """Send as who sends such a message."""
        wanted = next((k for k, way in enumerate(self._ways) if way.kind == self._sender), -1)
        if wanted >= 0:
            self.way.setCurrentIndex(wanted)

    def edit_selected(self) -> None:
        """Take over the message that is selected in the list."""
        number = self._cursor.message_number
        if not 0 < number <= len(self._desk.messages):
            return
        inspection = self._desk.inspect(number)
        text = inspection.pretty or inspection.body.decode("utf-8", "replace")
        if text.startswith("<") and not text.startswith("<?"):
            text = f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'
        session = inspection.view.session
        wanted = next((k for k, way in enumerate(self._ways) if way.session == session), -1)
        if wanted >= 0:
            self.way.setCurrentIndex(wanted)
        self.set_text(text)
        self.show_me()

    def set_text(self, text: str) -> None:
        self.source.replace_all(text)
        self.source.go_to(1)
        self.check_now()

    def text(self) -> str:
        return self.source.toPlainText()

    def older(self) -> None:
        text = self.history.older(self.text())
        if text is not None:
            self.set_text(text)

    def newer(self) -> None:
        text = self.history.newer()
        if text is not None:
            self.set_text(text)

    @Slot()
    def _typed(self) -> None:
        self._timer.start()

    @Slot(object, object)
    def _field_edited(self, field: Field, value: str | None) -> None:
        text = set_field(self.text(), field, value)
        if text != self.text():
            self.source.replace_all(text)
            self.check_now()

    @Slot()
    def check_now(self) -> None:
        """Judge what is written, and bring the form in step."""
        self._timer.stop()
        way = self._current_way()
        self.checked = check(self.text(), self._surroundings(way), way.kind if way else "")
        self.form.rows.set_fields(fields_of(self.text()))
        self.findings.rows.set_findings(self.checked.findings)
        self.title.setText(self.checked.element or "no message")
        roles = {Severity.ERROR: "finding_error", Severity.WARNING: "finding_warning", Severity.INFO: "finding_info"}
        gravest = sorted(self.checked.findings, key=lambda finding: finding.severity)
        self.source.underline({finding.line: roles[finding.severity] for finding in gravest if finding.line})
        errors, others = self.checked.errors, len(self.checked.findings) - self.checked.errors
        parts = [plural(errors, "error")] if errors else []
        parts += [f"{others} to note"] if others else []
        good = "Valid by the schema, and no rule is broken."
        self.verdict.setText(f"{' and '.join(parts)}. It can be sent all the same." if parts else good)
        self._show_send()

    def _surroundings(self, way: Way | None) -> Surroundings:
        if isinstance(self._desk, ComposingDesk):
            made = self._desk.surroundings(way)
            steady = random.Random(1)
            # While typing, ids must not change from key to key.
            return Surroundings(made.now, lambda stem: f"{stem}-{steady.getrandbits(32):08x}", made.names)
        return Surroundings(self._desk.now(), lambda stem: f"{stem}-1")

    @Slot(QModelIndex)
    def _go_to_finding(self, index: QModelIndex) -> None:
        if index.isValid():
            finding = self.findings.rows.findings[index.row()]
            if finding.line:
                self.source.go_to(finding.line)
                self.source.setFocus()

    # Sending -------------------------------------------------------------------------------------------------------

    def _show_ways(self) -> None:
        ways = list(self._desk.ways()) if isinstance(self._desk, ComposingDesk) else []
        if ways == self._ways and self.way.count():
            return
        before = self._current_way()
        self._ways = ways
        self.way.blockSignals(True)
        self.way.clear()
        self.way.addItems([way.label for way in ways] or ["nobody: no session of ours has a peer"])
        same = [k for k, way in enumerate(ways) if before and (way.session, way.to) == (before.session, before.to)]
        self.way.setCurrentIndex(same[0] if same else 0)
        if before is None:
            self._choose_sender()
        self.way.setEnabled(bool(ways))
        self.way.blockSignals(False)
        self.check_now()

    def _current_way(self) -> Way | None:
        at = self.way.currentIndex()
        return self._ways[at] if 0 <= at < len(self._ways) else None

    def breaks_chosen(self) -> list[str]:
        return [name for name, made in self.breaks.items() if made.isChecked()]

    def break_nothing(self) -> None:
        for made in self.breaks.values():
            made.setChecked(False)

    @Slot()
    def _breaks_chosen(self) -> None:
        texts = [each.text for each in BREAKS if self.breaks[each.id].isChecked()]
        self._breaks_text.setText(f"Broken on purpose: {', '.join(texts)}" if texts else "")
        self._show_send()

    def _can_send(self) -> bool:
        return self._current_way() is not None

    def _show_send(self) -> None:
        way = self._current_way()
        what = self.checked.element or "it"
        if way is None:
            self._set_send("Send", "No session of ours has a peer to send to.")
            return
        to = way.to or way.label.partition(" → ")[2].partition(",")[0]
        broken = ", broken on purpose," if self.breaks_chosen() else ""
        self._set_send(f"Send {what}{broken} to {to}", "It cannot be unsent. The record marks it as composed.")

    def _set_send(self, text: str, tip: str) -> None:
        made: Button = self.send_button
        made.set_text(text)
        made.setToolTip(tip)
        made.setEnabled(self._can_send())

    def send(self) -> None:
        """Send what is written, whatever is wrong with it."""
        way = self._current_way()
        if way is None or not isinstance(self._desk, ComposingDesk):
            return
        chosen: Service | None = self.service.currentData()
        text = self.text()
        self._tell(send(self._desk, way, text, chosen or service_of(self.checked.element), self.breaks_chosen()))

    def _tell(self, outcome: Outcome) -> None:
        if outcome.ok:
            self.history.add(self.text())
            self._desk.remember(HISTORY, self.history.texts)
        self._notice.set_notice("info" if outcome.ok else "error", outcome.text)
        self._notice_box.show()
