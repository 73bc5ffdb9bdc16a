"""The element tree of one message: name, value and meaning, with each finding in a row under its element.

It begins at the payload: the envelope round it is one muted line that holds the signature where there is one. Words
stand only where they tell something: a note beside a value, a count beside elements that repeat.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QContextMenuEvent,
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QMenu, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTreeView

from console.openadr.findings import Finding
from console.ui.finding_paint import finding_height, paint_finding
from console.ui.glyphs import glyph, put, width_of
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
NOTE_ROOM = 40
"""Px that a note needs beside a value to be worth its beginning."""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT(\d\d:\d\d.*)")
ENVELOPE = ("oadrPayload", "oadrSignedObject")
VERSION = "schemaVersion"
CALM_CODE = "200"


@dataclass(slots=True)
class Entry:
    """One row: an element, or a finding under its element."""

    parent: Entry | None
    row: int
    place: int
    """Index into NodeModel.entries, which is what Qt's indexes carry."""
    node: Node | None = None
    finding: Finding | None = None
    value: str = ""
    note: str = ""
    """Muted beside the value."""
    optional: bool = False
    """The note is left out where it would have to be cut off."""
    leaf: Node | None = None
    """The only thing in this element, shown on its line: ``dtstart/date-time``."""
    muted: bool = False
    closed: bool = False
    """Not opened by itself: it says on its line all that it holds."""
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


def local(node: Node) -> str:
    """The name without prefix, also of an attribute."""
    return node.name.rpartition(":")[2].lstrip("@")


def payload_of(tree: Node) -> Node | None:
    """The payload in its envelope; None where the document has no envelope, or nothing in it."""
    at: Node = tree
    for name in ENVELOPE:
        if local(at) == name:
            inner = [child for child in at.children if child.children or not child.name.startswith("@")]
            wanted = ENVELOPE[1] if name == ENVELOPE[0] else ""
            at = next((child for child in inner if not wanted or local(child) == wanted), at)
    return None if at is tree or local(at) in ENVELOPE else at


def is_number(text: str) -> bool:
    """Whether a text is a finite number, which can be plotted."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def literal(node: Node) -> str:
    """What stands in an element, without the plain words that are beside it."""
    value, bracket, note = node.value.partition(" (")
    return value if bracket and note.endswith(")") else node.value


def value_and_note(node: Node, day: str = "") -> tuple[str, str]:
    """The literal and its plain words; an instant of ``day`` (local, ``2026-06-16``) without its date.

    ``2026-06-16T08:30:00Z`` becomes ``08:30:00Z`` and ``10:30:00 local``; another day's keeps both dates.
    """
    value = literal(node)
    note = node.value[len(value) + 2 : -1]
    instant = _INSTANT.fullmatch(value)
    if instant and note.startswith(day + " ") and day:
        return instant[1], f"{note.split()[1]} local"
    if instant and note:
        return value, note.rpartition(" ")[0]
    return value, note


def count_words(node: Node) -> str:
    """``3 signals`` for an element that holds nothing but elements of one name; empty for any other."""
    names = {local(child) for child in node.children}
    if len(names) != 1:
        return ""
    number, name = len(node.children), names.pop()
    word = next((name[len(start) :].lower() for start in ("eiEvent", "oadr", "ei") if name.startswith(start)), name)
    return f"{number} {word or name}{'' if number == 1 else 's'}" if word or number > 1 else ""


def one_line(text: str) -> str:
    """The beginning of a text with its line breaks as blanks; a row has no room for more."""
    return " ".join(text[:SHOWN_VALUE].split())


class NodeModel(QAbstractItemModel):
    """Element and value columns over a tree of nodes; entries are kept in one list and indexed by their place in it."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []
        self._top: list[Entry] = []
        self._day = ""

    def set_tree(self, tree: Node | None, findings: tuple[Finding, ...], day: str = "") -> None:
        """Show ``tree`` from its payload on; findings that no element of it carries stand above it.

        ``day`` is the local date of the message, ``2026-06-16``: instants of that day are shown without it.
        """
        self.beginResetModel()
        self._day = day
        self.entries, self._top = [], []
        if tree is not None:
            carried = _carried(tree)
            for finding in findings:
                if finding not in carried:
                    self._add(None, self._top, finding=finding)
            payload = payload_of(tree)
            if payload is not None:
                self._envelope(tree, payload)
            self._grow(None, self._top, payload or tree)
        self.endResetModel()

    def _add(
        self, parent: Entry | None, among: list[Entry], node: Node | None = None, finding: Finding | None = None
    ) -> Entry:
        entry = Entry(parent, len(among), len(self.entries), node, finding)
        among.append(entry)
        self.entries.append(entry)
        return entry

    def _envelope(self, tree: Node, payload: Node) -> None:
        """One line for all that is round the payload; what else is in there hangs below it."""
        entry = self._add(None, self._top, node=tree)
        entry.muted = True
        layers = [tree, *(child for child in tree.children if local(child) == ENVELOPE[1])]
        for layer in layers:
            for finding in layer.findings:
                self._add(entry, entry.children, finding=finding)
        others = [child for layer in layers for child in layer.children if child is not payload and child not in layers]
        signed = any(local(child) == "Signature" for child in others)
        entry.note = "envelope, signed" if signed else "envelope, not signed"
        for child in others:
            if local(child) != "Id" or child.findings:
                self._grow(entry, entry.children, child)
        entry.closed = not any(_carried(layer) for layer in (*others, *(each for each in layers if each.findings)))

    def _grow(self, parent: Entry | None, among: list[Entry], node: Node, place: str = "") -> None:
        entry = self._add(parent, among, node=node)
        self._say(entry, node, place)
        for finding in node.findings:
            self._add(entry, entry.children, finding=finding)
        if entry.leaf is not None:
            return
        totals = Counter(child.name for child in node.children)
        seen: Counter[str] = Counter()
        for child in node.children:
            if node.children and local(child) == VERSION and not child.findings and entry.value == child.value:
                continue
            seen[child.name] += 1
            many = totals[child.name] > 1 or (local(child) == "oadrEvent")
            self._grow(entry, entry.children, child, f"{seen[child.name]} of {totals[child.name]}" if many else "")

    def _say(self, entry: Entry, node: Node, place: str) -> None:
        """Value and note of an element's line."""
        only = node.children[0] if len(node.children) == 1 else None
        if only is not None and not (only.children or only.findings or only.name.startswith("@")):
            entry.leaf = only
        if not node.children or entry.leaf:
            entry.value, entry.note = value_and_note(entry.leaf or node, self._day)
            if not entry.note:
                entry.note, entry.optional = (entry.leaf or node).meaning, True
            return
        version = next((child.value for child in node.children if local(child) == VERSION), "")
        if local(node) == "eiResponse":
            parts = {local(child): child.value for child in node.children}
            entry.value, entry.note = parts.get("responseCode", ""), parts.get("responseDescription", "")
            entry.closed = entry.value == CALM_CODE and not _carried(node)
        else:
            entry.value = version or node.value
            entry.note = place or count_words(node)
            if not entry.note and not version:
                entry.note, entry.optional = node.meaning, True

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
            inner = entry.leaf or entry.node
            names = f"{entry.node.name} / {inner.name}" if entry.leaf else entry.node.name
            meanings = dict.fromkeys((entry.node.meaning, inner.meaning))
            parts = (names, one_line(inner.value), *meanings, entry.node.clause)
            return "\n".join(part for part in parts if part)
        if entry.node is None or index.column() == 0:
            return entry.text
        return " ".join(part for part in (entry.value, entry.note) if part)

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
            group = bool(entry.node.children) and not (entry.muted or entry.leaf)
            role = "text" if group or (selected and not entry.muted) else "text_muted"
            put(painter, rect.adjusted(2, 0, -4, 0), local(entry.node), role, mono(12, 500 if group else 400))
            return
        self._value(painter, rect, entry, kind)

    @staticmethod
    def _value(painter: QPainter, rect: QRectF, entry: Entry, kind: str) -> None:
        room = rect.adjusted(6, 0, -24 if kind else -6, 0)
        value = one_line(entry.value)
        taken = put(painter, room, value, "text", mono(12)) + 8 if value else 0.0
        left = room.width() - taken
        if entry.note and (left > (width_of(entry.note, ui(12)) if entry.optional else NOTE_ROOM)):
            put(painter, room.adjusted(taken, 0, 0, 0), one_line(entry.note), "text_muted", ui(12))
        if kind:
            glyph(painter, kind, rect.right() - 14, rect.center().y(), 12)


class NodeTree(QTreeView):
    """The tree as a widget; tells which element is looked at by its path."""

    path_changed = Signal(str)
    plot_wanted = Signal()

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

    def set_tree(self, tree: Node | None, findings: tuple[Finding, ...], day: str = "") -> None:
        """Show another message's tree, opened as far as it is quick to do."""
        self.nodes.set_tree(tree, findings, day)
        for entry in self.nodes.entries:
            if entry.finding is not None:
                parent = QModelIndex() if entry.parent is None else self.nodes.index_of(entry.parent)
                self.setFirstColumnSpanned(entry.row, parent, True)
        self._fit_names()
        if len(self.nodes.entries) <= OPEN_AT_ONCE:
            self.expandAll()
        else:
            self.expandToDepth(OPEN_DEPTH)
        for entry in self.nodes.entries:
            if entry.closed:
                self.collapse(self.nodes.index_of(entry))

    def _fit_names(self) -> None:
        """As wide as the names need, but leave the values more than half."""
        widest = NAME_WIDTH_LEAST
        metrics = QFontMetrics(mono(12, 500))
        for entry in self.nodes.entries[:OPEN_AT_ONCE]:
            if entry.node is not None:
                name = local(entry.node)
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
        node = self.current_node()
        return node.path if node is not None else ""

    def current_node(self) -> Node | None:
        """The element that is selected, the one inside it where it is shown on its line; None for a finding."""
        entry = self.nodes.entry(self.currentIndex())
        return None if entry is None else entry.leaf or entry.node

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
        elif event.key() == Qt.Key.Key_P and not event.modifiers():
            self.plot_wanted.emit()
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Copy value", self.copy_value)
        node = self.current_node()
        if node is not None and is_number(literal(node)):
            menu.addAction("Plot this value", self.plot_wanted.emit)
        menu.popup(event.globalPos())

    def copy_value(self) -> None:
        """Put the value of the selected element (or the text of the finding) on the clipboard."""
        entry = self.nodes.entry(self.currentIndex())
        if entry is not None:
            text = entry.text if entry.node is None else literal(entry.leaf or entry.node) or entry.node.name
            QGuiApplication.clipboard().setText(text)
