"""One message in full: what it says in a sentence, its facts, and tabs with tree, findings, source, bytes and HTTP.

Only the tab that is looked at is filled; the others follow when they are opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from console.app.byte_places import byte_places, innermost
from console.app.defect_report import defect_report
from console.openadr.findings import Finding
from console.ui.conversation_strip import ConversationStrip
from console.ui.diff_pane import DiffPane
from console.ui.finding_list import FindingList
from console.ui.node_tree import NodeTree, is_number, literal, xpath_of
from console.ui.source import HEX_NARROW, HEX_ROOM, HEX_WIDTH, BytesPane, TagsMuted, TextPane, shortened
from console.ui.theme import BAR, mono, ui
from console.ui.value_plot import ValuePlot
from console.ui.widgets import Glyph, box, button, label, line, tab_bar, tool
from console.ui.words import clock, count, offset, size

if TYPE_CHECKING:
    from console.app.mark_book import MarkBook
    from console.app.views import Desk, Inspection, MessageView

TREE, FINDINGS, DIFF, SOURCE, BYTES, HTTP = range(6)
TABS = ("Tree", "Findings", "Diff", "Source", "Bytes", "HTTP")
PATH_PARTS = 3


def facts_line(view: MessageView, zone_text: str, time_text: str) -> str:
    """``10:42:03.214 +02:00 · HTTP 200 · 6 312 bytes · took 41 ms``."""
    parts = [f"{time_text} {zone_text}"]
    parts.append(f"{view.transport.upper()} {view.status}" if view.status else view.transport.upper())
    parts.append(size(view.size))
    if view.latency is not None:
        parts.append(f"took {count(round(view.latency.total_seconds() * 1000))} ms")
    return " · ".join(parts)


class Inspector(QWidget):
    """The pane beside the message list."""

    message_wanted = Signal(int)
    """Number of a message to go to."""
    marks_changed = Signal()
    left = Signal()
    """What was written is done: back to the list."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._shown: Inspection | None = None
        self._filled: set[int] = set()
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Inspector")
        self.tree = NodeTree()
        self.finding_list = FindingList()
        self.source = TextPane("Source of the message")
        self.bytes = BytesPane("Bytes of the message")
        self.diff = DiffPane(desk)
        self.conversation = ConversationStrip()
        self.value_plot = ValuePlot(desk)
        self.marks: MarkBook | None = None
        self._compared_with = 0
        """Message that the Diff tab compares with; 0 for the previous of its kind."""
        self._places: Mapping[str, tuple[int, int]] | None = None
        self.http = TextPane("HTTP head of the message", wrap=True)
        self._tags = TagsMuted(self.source.document())
        self._build()
        self.tabs.currentChanged.connect(self._fill)
        self.finding_list.clicked.connect(self._jump)
        self.finding_list.activated.connect(self._jump)
        self.tree.path_changed.connect(self._show_path)
        self.tree.plot_wanted.connect(self.plot_value)
        self.bytes.offset_chosen.connect(self._byte_chosen)
        self.conversation.message_wanted.connect(self.message_wanted)
        self.diff.message_wanted.connect(self.message_wanted)
        self.diff.path_wanted.connect(self.show_path)
        self.clear()

    def _build(self) -> None:
        self._way = Glyph("in", "text")
        self._element = label("", "text", mono(13, 600), select=True)
        self._number = label("", "text_muted", ui(12))
        copy = tool("copy", "Copy source", self.copy_source)
        self._title = box(
            "h", self._way, self._element, None, self._number, copy, margins=(12, 0, 8, 0), spacing=6, name="panel"
        )
        self._title.setFixedHeight(BAR)
        self._sentence = label("", "text", ui(13), wrap=True, select=True)
        self._facts = label("", "text_muted", ui(12), wrap=True, select=True)
        self.note = QLineEdit()
        self.note.setAccessibleName("Note on the message")
        self.note.setPlaceholderText("Note on this message")
        self.note.editingFinished.connect(self._note_written)
        self.note.returnPressed.connect(self.left)
        self.note.hide()
        summary = box(
            "v",
            self._sentence,
            self._facts,
            self.conversation,
            self.note,
            margins=(12, 8, 12, 10),
            spacing=6,
            name="panel",
        )
        self.tabs = tab_bar(TABS, small=True)
        self.tabs.setAccessibleName("Ways to look at the message")
        bar = box("h", self.tabs, None, margins=(2, 0, 8, 0), name="panel")
        bar.setFixedHeight(32)
        self._pages = QStackedWidget()
        sound = label("No findings. Every check that was made passed.", "text_muted", ui(13), wrap=True)
        self._sound = box("v", sound, None, margins=(14, 10, 14, 12), name="panel")
        findings = box("v", self._sound, (self.finding_list, 1))
        tree = box("v", (self.tree, 1), self.value_plot)
        for page in (tree, findings, self.diff, self.source, self.bytes, self.http):
            self._pages.addWidget(page)
        self._path = label("", "text_muted", mono(11))
        self._path.setMinimumWidth(1)
        self._copy_path = button("Copy XPath", "link", run=self.copy_xpath)
        self._copy_path.setFont(ui(12, 500))
        self._where = box("h", (self._path, 1), self._copy_path, margins=(12, 0, 12, 0), spacing=8, name="panel")
        self._where.setFixedHeight(28)
        self._body = box("v", self._title, line(), summary, line(), bar, line(), (self._pages, 1), line(), self._where)
        hint = label("Select a message to see what it says.", "text_muted", ui(13), wrap=True)
        self._empty = box("v", hint, None, margins=(14, 10, 14, 12), name="panel")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._body, 1)
        layout.addWidget(self._empty, 1)

    @property
    def shown(self) -> Inspection | None:
        """What is looked at; None for nothing."""
        return self._shown

    def clear(self) -> None:
        self._shown = None
        self._body.hide()
        self._empty.show()

    def show_message(self, number: int) -> None:
        """Inspect the message with this number; 0 shows nothing."""
        if number:
            self.show_inspection(self._desk.inspect(number))
        else:
            self.clear()

    def refresh(self) -> None:
        """Look again if the message got an answer or a finding since."""
        shown = self._shown
        if shown is not None and self._desk.messages.view(shown.view.number - 1) != shown.view:
            path, tab = self.tree.current_path(), self.tabs.currentIndex()
            compared = self._compared_with
            self.show_inspection(self._desk.inspect(shown.view.number))
            self._compared_with = compared
            self.tabs.setCurrentIndex(tab)
            if path:
                self.tree.show_path(path)

    def show_inspection(self, inspection: Inspection) -> None:
        view = inspection.view
        self._shown = inspection
        self._filled.clear()
        self._places = None
        self._compared_with = 0
        self._way.set_glyph("out" if view.outgoing else "in", "text")
        self._element.setText(view.element)
        self._number.setText(f"No. {count(view.number)}")
        self._sentence.setText(inspection.sentence)
        zone = self._desk.timezone
        facts = facts_line(view, offset(view.time, zone), clock(view.time, zone, millis=True))
        self._facts.setText(facts)
        self._facts.setToolTip("\n".join(part for part in (facts, inspection.recorded) if part))
        findings = len(inspection.findings)
        self.tabs.setTabText(FINDINGS, f"Findings {findings}" if findings else "Findings")
        self.conversation.show_conversation(self._desk.conversation(view.number), view.number)
        self.show_note()
        self._empty.hide()
        self._body.show()
        self._fill(self.tabs.currentIndex())

    @Slot(int)
    def _fill(self, tab: int) -> None:
        self._pages.setCurrentIndex(tab)
        self._where.setVisible(tab in (TREE, BYTES))
        if self._shown is None or tab in self._filled:
            return
        self._filled.add(tab)
        shown = self._shown
        if tab == TREE:
            self._filled.discard(TREE)
            self._fill_tree()
            self._show_path("")
        elif tab == FINDINGS:
            self.finding_list.rows.set_findings(shown.findings)
            self.finding_list.setVisible(bool(shown.findings))
            self._sound.setVisible(not shown.findings)
        elif tab == SOURCE:
            self.source.set_text(shortened(shown.pretty))
        elif tab == BYTES:
            self.bytes.show_body(shown.body, HEX_WIDTH if self.width() >= HEX_ROOM else HEX_NARROW)
            self._show_bytes(self.tree.current_path())
        elif tab == DIFF:
            other = self._compared_with or self._desk.previous_of_kind(shown.view.number)
            self.diff.compare(shown, self._desk.inspect(other) if other else None, bool(self._compared_with))
        else:
            head = "\n".join(f"{name}: {value}" for name, value in shown.headers)
            self.http.set_text(f"{shown.start_line}\n{head}".strip())

    @Slot(str)
    def _show_path(self, path: str) -> None:
        parts = [part for part in path.split("/") if part]
        self._path.setText(" / ".join(parts[-PATH_PARTS:]) or "Select an element")
        self._path.setToolTip(path)
        self._copy_path.setEnabled(bool(parts))
        if BYTES in self._filled:
            self._show_bytes(path)

    def _byte_places(self) -> Mapping[str, tuple[int, int]]:
        if self._places is None:
            self._places = byte_places(self._shown.body) if self._shown is not None else {}
        return self._places

    def _show_bytes(self, path: str) -> None:
        """Show in the bytes where an element stands."""
        start, end = self._byte_places().get(path.partition("/@")[0], (0, 0))
        self.bytes.show_range(start, end)

    @Slot(int)
    def _byte_chosen(self, offset: int) -> None:
        """Select the element that holds a byte."""
        path = innermost(self._byte_places(), offset)
        if path:
            self._fill_tree()
            self.tree.show_path(path)

    def _fill_tree(self) -> None:
        if TREE not in self._filled and self._shown is not None:
            self._filled.add(TREE)
            day = self._shown.view.time.astimezone(self._desk.timezone)
            self.tree.set_tree(self._shown.tree, self._shown.findings, f"{day:%Y-%m-%d}")

    @Slot(str)
    def show_path(self, path: str) -> None:
        """Go to an element of the message in the tree."""
        self.tabs.setCurrentIndex(TREE)
        self._fill(TREE)
        if self.tree.show_path(path):
            self.tree.setFocus()

    def compare_with_previous(self) -> None:
        """Show what changed since the previous message of its kind."""
        self._compare(0)

    def compare_with_marked(self) -> None:
        """Show what differs from the message that was marked last."""
        numbers = list(self.marks.notes) if self.marks is not None else []
        shown = self._shown.view.number if self._shown is not None else 0
        self._compare(next((number for number in reversed(numbers) if number != shown), 0))

    def _compare(self, number: int) -> None:
        self._compared_with = number
        self._filled.discard(DIFF)
        self.tabs.setCurrentIndex(DIFF)
        self._fill(DIFF)

    def show_note(self) -> None:
        """Show the note on this message, where it is marked."""
        note = self.marks.notes.get(self._shown.view.number) if self.marks is not None and self._shown else None
        self.note.setText(note or "")
        self.note.setVisible(note is not None)

    def write_note(self) -> None:
        """Put the cursor where the note is written."""
        self.note.show()
        self.note.setFocus()

    @Slot()
    def _note_written(self) -> None:
        if self.marks is not None and self._shown is not None:
            self.marks.note(self._shown.view.number, self.note.text())
            self.marks_changed.emit()
            if self._shown.view.number not in self.marks.notes:
                self.note.hide()

    def find_text(self, text: str) -> None:
        """Show where a text stands in the source, once that is looked at."""
        self.source.mark_text(text)

    def copy_defect_report(self) -> None:
        if self._shown is not None:
            QGuiApplication.clipboard().setText(defect_report(self._shown))

    @Slot(QModelIndex)
    def _jump(self, index: QModelIndex) -> None:
        if index.isValid():
            self.show_finding(self.finding_list.rows.findings[index.row()])

    def show_finding(self, finding: Finding) -> None:
        """Go to the element a finding is about."""
        self.show_path(finding.path)

    def next_finding(self, step: int = 1) -> None:
        """Go on to the next finding of this message, round and round."""
        if self._shown is None or not self._shown.findings:
            return
        paths = [finding.path for finding in self._shown.findings]
        path = self.tree.current_path()
        at = paths.index(path) + step if path in paths else 0
        self.show_finding(self._shown.findings[at % len(paths)])

    def can_plot(self) -> bool:
        """Whether the selected element holds a number."""
        node = self.tree.current_node()
        return node is not None and is_number(literal(node))

    def plot_value(self) -> None:
        """Show under the tree what the selected element was in every message of this kind."""
        if self._shown is not None and self.can_plot():
            self.value_plot.show_value(self._shown.view.number, self.tree.current_path())

    def copy_source(self) -> None:
        if self._shown is not None:
            QGuiApplication.clipboard().setText(self._shown.pretty)

    def copy_xpath(self) -> None:
        path = self.tree.current_path()
        if path:
            QGuiApplication.clipboard().setText(xpath_of(path))

    def retheme(self) -> None:
        self._tags.retheme()
        self.bytes.retheme()
        self.value_plot.retheme()
        self.source.retheme()
