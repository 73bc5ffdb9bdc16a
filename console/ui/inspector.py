"""One message in full: what it says in a sentence, its facts, and tabs with tree, findings, source, bytes and HTTP.

Only the tab that is looked at is filled; the others follow when they are opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QListView,
    QStackedWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from console.openadr.findings import Finding
from console.ui.finding_paint import finding_height, paint_finding, place_of
from console.ui.node_tree import NodeTree, xpath_of
from console.ui.source import HEX_NARROW, HEX_ROOM, HEX_WIDTH, TagsMuted, TextPane, hex_dump, shortened
from console.ui.theme import BAR, mono, ui
from console.ui.widgets import Glyph, box, button, label, line, tab_bar, tool
from console.ui.words import clock, count, offset, size

if TYPE_CHECKING:
    from console.app.views import Desk, Inspection, MessageView

Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()
TREE, FINDINGS, SOURCE, BYTES, HTTP = range(5)
TABS = ("Tree", "Findings", "Source", "Bytes", "HTTP")
PATH_PARTS = 3


class FindingModel(QAbstractListModel):
    """Findings of one message, worst first."""

    def __init__(self) -> None:
        super().__init__()
        self.findings: list[Finding] = []

    def set_findings(self, findings: tuple[Finding, ...]) -> None:
        self.beginResetModel()
        self.findings = sorted(findings, key=lambda finding: -finding.severity)
        self.endResetModel()

    def rowCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(self.findings)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            finding = self.findings[index.row()]
            return f"{finding.severity.word}: {finding.text} {place_of(finding)}"
        return None


class FindingDelegate(QStyledItemDelegate):
    def __init__(self, view: FindingList) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, finding_height(self._view.rows.findings[index.row()], self._view.viewport().width()))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        state: QStyle.StateFlag = option.state  # pyright: ignore[reportAttributeAccessIssue]
        selected = bool(state & QStyle.StateFlag.State_Selected) and self._view.hasFocus()
        rect = QRectF(option.rect)  # pyright: ignore[reportAttributeAccessIssue]
        paint_finding(painter, rect, self._view.rows.findings[index.row()], selected)


class FindingList(QListView):
    """Findings as blocks; Enter or a click on one goes to its element."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = FindingModel()
        self.setModel(self.rows)
        self.setItemDelegate(FindingDelegate(self))
        self.setAccessibleName("Findings of the message")
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.activated.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)


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
        self.bytes = TextPane("Bytes of the message")
        self.http = TextPane("HTTP head of the message", wrap=True)
        self._tags = TagsMuted(self.source.document())
        self._build()
        self.tabs.currentChanged.connect(self._fill)
        self.finding_list.clicked.connect(self._jump)
        self.finding_list.activated.connect(self._jump)
        self.tree.path_changed.connect(self._show_path)
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
        summary = box("v", self._sentence, self._facts, margins=(12, 8, 12, 10), spacing=6, name="panel")
        self.tabs = tab_bar(TABS, small=True)
        self.tabs.setAccessibleName("Ways to look at the message")
        bar = box("h", self.tabs, None, margins=(2, 0, 8, 0), name="panel")
        bar.setFixedHeight(32)
        self._pages = QStackedWidget()
        sound = label("No findings. Every check that was made passed.", "text_muted", ui(13), wrap=True)
        self._sound = box("v", sound, None, margins=(14, 10, 14, 12), name="panel")
        findings = box("v", self._sound, (self.finding_list, 1))
        for page in (self.tree, findings, self.source, self.bytes, self.http):
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
            self.show_inspection(self._desk.inspect(shown.view.number))
            self.tabs.setCurrentIndex(tab)
            if path:
                self.tree.show_path(path)

    def show_inspection(self, inspection: Inspection) -> None:
        view = inspection.view
        self._shown = inspection
        self._filled.clear()
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
        self._empty.hide()
        self._body.show()
        self._fill(self.tabs.currentIndex())

    @Slot(int)
    def _fill(self, tab: int) -> None:
        self._pages.setCurrentIndex(tab)
        self._where.setVisible(tab == TREE)
        if self._shown is None or tab in self._filled:
            return
        self._filled.add(tab)
        shown = self._shown
        if tab == TREE:
            day = shown.view.time.astimezone(self._desk.timezone)
            self.tree.set_tree(shown.tree, shown.findings, f"{day:%Y-%m-%d}")
            self._show_path("")
        elif tab == FINDINGS:
            self.finding_list.rows.set_findings(shown.findings)
            self.finding_list.setVisible(bool(shown.findings))
            self._sound.setVisible(not shown.findings)
        elif tab == SOURCE:
            self.source.set_text(shortened(shown.pretty))
        elif tab == BYTES:
            width = HEX_WIDTH if self.width() >= HEX_ROOM else HEX_NARROW
            self.bytes.set_text(hex_dump(shown.body, width=width) or "The body is empty.")
        else:
            head = "\n".join(f"{name}: {value}" for name, value in shown.headers)
            self.http.set_text(f"{shown.start_line}\n{head}".strip())

    @Slot(str)
    def _show_path(self, path: str) -> None:
        parts = [part for part in path.split("/") if part]
        self._path.setText(" / ".join(parts[-PATH_PARTS:]) or "Select an element")
        self._path.setToolTip(path)
        self._copy_path.setEnabled(bool(parts))

    @Slot(QModelIndex)
    def _jump(self, index: QModelIndex) -> None:
        if index.isValid():
            self.show_finding(self.finding_list.rows.findings[index.row()])

    def show_finding(self, finding: Finding) -> None:
        """Go to the element a finding is about."""
        self.tabs.setCurrentIndex(TREE)
        self._fill(TREE)
        if self.tree.show_path(finding.path):
            self.tree.setFocus()

    def next_finding(self, step: int = 1) -> None:
        """Go on to the next finding of this message, round and round."""
        if self._shown is None or not self._shown.findings:
            return
        paths = [finding.path for finding in self._shown.findings]
        path = self.tree.current_path()
        at = paths.index(path) + step if path in paths else 0
        self.show_finding(self._shown.findings[at % len(paths)])

    def copy_source(self) -> None:
        if self._shown is not None:
            QGuiApplication.clipboard().setText(self._shown.pretty)

    def copy_xpath(self) -> None:
        path = self.tree.current_path()
        if path:
            QGuiApplication.clipboard().setText(xpath_of(path))

    def retheme(self) -> None:
        self._tags.retheme()
