"""The element tree of one message: name, value and meaning, with each finding in a row under its element."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFontMetrics, QGuiApplication, QKeyEvent, QKeySequence, QPainter, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTreeView

from console.openadr.findings import Finding
from console.ui.finding_paint import finding_height, paint_finding
from console.ui.glyphs import glyph, put
from console.ui.theme import TREE_ROW, col, mono, ui

if TYPE_CHECKING:
    from console.openadr.explain import Node

Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()
DISPLAY = Qt.ItemDataRole.DisplayRole
ACCESSIBLE = Qt.ItemDataRole.AccessibleTextRole
OPEN_AT_ONCE = 500
"""Larger trees open four levels deep, so that a report of a day does not take a second to show."""
OPEN_DEPTH = 4
NAME_WIDTH = 216
NAME_WIDTH_LEAST = 120
INDENTATION = 10
SHOWN_VALUE = 400


@dataclass(slots=True)
class Entry:
    """One row: an element, or a finding under its element."""

    parent: Entry | None
    row: int
    place: int
    """Index into NodeModel.entries, which is what Qt's indexes carry."""
    node: Node | None = None
    finding: Finding | None = None
    children: list[Entry] = field(default_factory=list)

    @property
    def depth(self) -> int:
        return 0 if self.parent is None else self.parent.depth + 1

    @property
    def text(self) -> str:
        if self.finding is not None:
            return f"{self.finding.severity.word}: {self.finding.text}"
        return self.node.name if self.node is not None else ""


def xpath_of(path: str) -> str:
    """An XPath 1.0 that finds the element in the message whatever its prefixes are.

    ``path`` holds local names joined by ``/``, with ``[n]`` where a name repeats.
    """
    steps: list[str] = []
    for part in path.split("/"):
        found = re.fullmatch(r"(@?)([^\[\]]+)(\[\d+\])?", part)
        if found:
            local = found[2].rpartition(":")[2]
            steps.append(f"{found[1]}*[local-name()='{local}']{found[3] or ''}")
    return "//" + "/".join(steps) if steps else ""


def one_line(text: str) -> str:
    """The beginning of a text with its line breaks as blanks; a row has no room for more."""
    return " ".join(text[:SHOWN_VALUE].split())


class NodeModel(QAbstractItemModel):
    """Element and value columns over a tree of nodes; entries are kept in one list and indexed by their place in it."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []
        self._top: list[Entry] = []

    def set_tree(self, tree: Node | None, findings: tuple[Finding, ...]) -> None:
        """Show ``tree``; findings that no element of it carries stand above it."""
        self.beginResetModel()
        self.entries, self._top = [], []
        if tree is not None:
            carried = _carried(tree)
            for finding in findings:
                if finding not in carried:
                    self._add(None, self._top, finding=finding)
            self._grow(None, self._top, tree)
        self.endResetModel()

    def _add(
        self, parent: Entry | None, among: list[Entry], node: Node | None = None, finding: Finding | None = None
    ) -> Entry:
        entry = Entry(parent, len(among), len(self.entries), node, finding)
        among.append(entry)
        self.entries.append(entry)
        return entry

    def _grow(self, parent: Entry | None, among: list[Entry], node: Node) -> None:
        entry = self._add(parent, among, node=node)
        for finding in node.findings:
            self._add(entry, entry.children, finding=finding)
        for child in node.children:
            self._grow(entry, entry.children, child)

    def entry(self, index: Index) -> Entry | None:
        return self.entries[index.internalId()] if index.isValid() else None

    def index_of(self, entry: Entry, column: int = 0) -> QModelIndex:
        return self.createIndex(entry.row, column, entry.place)

    def entry_at(self, path: str) -> Entry | None:
        """The element at ``path``, or the nearest one above it."""
        best: Entry | None = None
        for entry in self.entries:
            if entry.node is not None and entry.node.path:
                if entry.node.path == path:
                    return entry
                if path.startswith(entry.node.path + "/") and (best is None or _longer(entry, best)):
                    best = entry
        return best

    def index(self, row: int, column: int, parent: Index = ROOT) -> QModelIndex:
        above = self.entry(parent)
        among = self._top if above is None else above.children
        if not 0 <= row < len(among):
            return QModelIndex()
        return self.createIndex(row, column, among[row].place)

    def parent(self, index: Index) -> QModelIndex:  # pyright: ignore[reportIncompatibleMethodOverride]
        entry = self.entry(index)
        return QModelIndex() if entry is None or entry.parent is None else self.index_of(entry.parent)

    def rowCount(self, parent: Index = ROOT) -> int:
        if parent.column() > 0:
            return 0
        entry = self.entry(parent)
        return len(self._top if entry is None else entry.children)

    def columnCount(self, parent: Index = ROOT) -> int:
        return 2

    def data(self, index: Index, role: int = DISPLAY) -> object:
        entry = self.entry(index)
        if entry is None or role not in (DISPLAY, ACCESSIBLE, Qt.ItemDataRole.ToolTipRole):
            return None
        if role == Qt.ItemDataRole.ToolTipRole and entry.node is not None:
            parts = (entry.node.name, one_line(entry.node.value), entry.node.meaning, entry.node.clause)
            return "\n".join(part for part in parts if part)
        if entry.node is None or index.column() == 0:
            return entry.text
        return " ".join(part for part in (entry.node.value, entry.node.meaning) if part)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = DISPLAY) -> object:
        if orientation == Qt.Orientation.Horizontal and role == DISPLAY:
            return ("Element", "Value and meaning")[section]
        return None


def _longer(entry: Entry, than: Entry) -> bool:
    assert entry.node is not None and than.node is not None
    return len(entry.node.path) > len(than.node.path)


def _carried(tree: Node) -> set[Finding]:
    found = set(tree.findings)
    for child in tree.children:
        found |= _carried(child)
    return found


class NodeDelegate(QStyledItemDelegate):
    """Paints one cell of the tree; a finding takes the whole width."""

    def __init__(self, view: NodeTree) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        entry = self._view.nodes.entry(index)
        if entry is None or entry.finding is None:
            return QSize(0, TREE_ROW)
        return QSize(0, finding_height(entry.finding, self._view.viewport().width()))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        entry = self._view.nodes.entry(index)
        if entry is None:
            return
        rect = QRectF(option.rect)  # pyright: ignore[reportAttributeAccessIssue]
        state: QStyle.StateFlag = option.state  # pyright: ignore[reportAttributeAccessIssue]
        selected = bool(state & QStyle.StateFlag.State_Selected)
        width = self._view.viewport().width()
        if entry.finding is not None:
            paint_finding(painter, QRectF(0, rect.top(), width, rect.height()), entry.finding, selected)
            return
        if entry.node is None:
            return
        worst = max(entry.node.findings, key=lambda finding: finding.severity, default=None)
        kind = worst.severity.word if worst else ""
        whole = QRectF(0, rect.top(), width, rect.height()) if index.column() == 0 else rect
        if selected:
            painter.fillRect(whole, col("selection" if self._view.hasFocus() else "selection_inactive"))
        elif kind:
            painter.fillRect(whole, col(f"finding_{kind}_tint"))
        if index.column() == 0:
            group = bool(entry.node.children)
            role = "text" if group or selected else "text_muted"
            name = entry.node.name.rpartition(":")[2]
            put(painter, rect.adjusted(2, 0, -4, 0), name, role, mono(12, 500 if group else 400))
            return
        self._value(painter, rect, entry.node, kind)

    @staticmethod
    def _value(painter: QPainter, rect: QRectF, node: Node, kind: str) -> None:
        room = rect.adjusted(6, 0, -24 if kind else -6, 0)
        value = one_line(node.value)
        taken = put(painter, room, value, "text", mono(12)) + 8 if value else 0.0
        if node.meaning and room.width() - taken > 12:
            put(painter, room.adjusted(taken, 0, 0, 0), node.meaning, "text_muted", ui(12))
        if kind:
            glyph(painter, kind, rect.right() - 14, rect.center().y(), 12)


class NodeTree(QTreeView):
    """The tree as a widget; tells which element is looked at by its path."""

    path_changed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.nodes = NodeModel()
        self.setModel(self.nodes)
        self.setItemDelegate(NodeDelegate(self))
        self.setAccessibleName("Elements of the message")
        self.setIndentation(INDENTATION)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAllColumnsShowFocus(True)
        header = self.header()
        header.setFont(ui(12))
        header.setMinimumSectionSize(80)
        header.resizeSection(0, NAME_WIDTH)
        header.setStretchLastSection(True)
        self.selectionModel().currentChanged.connect(self._current_changed)

    def set_tree(self, tree: Node | None, findings: tuple[Finding, ...]) -> None:
        """Show another message's tree, opened as far as it is quick to do."""
        self.nodes.set_tree(tree, findings)
        for entry in self.nodes.entries:
            if entry.finding is not None:
                parent = QModelIndex() if entry.parent is None else self.nodes.index_of(entry.parent)
                self.setFirstColumnSpanned(entry.row, parent, True)
        self._fit_names()
        if len(self.nodes.entries) <= OPEN_AT_ONCE:
            self.expandAll()
        else:
            self.expandToDepth(OPEN_DEPTH)

    def _fit_names(self) -> None:
        """As wide as the names need, but leave the values more than half."""
        widest = NAME_WIDTH_LEAST
        metrics = QFontMetrics(mono(12, 500))
        for entry in self.nodes.entries[:OPEN_AT_ONCE]:
            if entry.node is not None:
                name = entry.node.name.rpartition(":")[2]
                widest = max(widest, metrics.horizontalAdvance(name) + INDENTATION * (entry.depth + 1) + 12)
        self.header().resizeSection(0, min(widest, max(NAME_WIDTH, self.viewport().width() * 9 // 20)))

    def show_path(self, path: str) -> bool:
        """Select and show the element at ``path``, or the nearest above it; False where there is none."""
        entry = self.nodes.entry_at(path)
        if entry is None:
            return False
        index = self.nodes.index_of(entry)
        self.setCurrentIndex(index)
        self.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)
        return True

    def current_path(self) -> str:
        """Path of the element that is selected; of a finding, the one it is about."""
        entry = self.nodes.entry(self.currentIndex())
        if entry is not None and entry.finding is not None:
            return entry.finding.path
        return entry.node.path if entry is not None and entry.node is not None else ""

    @Slot(QModelIndex, QModelIndex)
    def _current_changed(self, _current: QModelIndex, _previous: QModelIndex) -> None:
        self.path_changed.emit(self.current_path())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self.scheduleDelayedItemsLayout()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_value()
        else:
            super().keyPressEvent(event)

    def copy_value(self) -> None:
        """Put the value of the selected element (or the text of the finding) on the clipboard."""
        entry = self.nodes.entry(self.currentIndex())
        if entry is not None:
            text = entry.text if entry.node is None else entry.node.value or entry.node.name
            QGuiApplication.clipboard().setText(text)
