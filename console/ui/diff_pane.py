"""What differs from another message: element by element, what was and what is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QCheckBox,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from console.app.message_diff import Difference, differences
from console.ui.glyphs import put, width_of
from console.ui.theme import col, mono, ui
from console.ui.widgets import box, button, label, line
from console.ui.words import clock, count, plural

if TYPE_CHECKING:
    from console.app.views import Desk, Inspection

Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()
ROW_HEIGHT = 42
SIGNS = {"changed": "≠", "added": "+", "removed": "−"}
PATH_PARTS = 3


def place_of(path: str) -> tuple[str, str]:
    """The element, and what it is in: the end of its path, which tells it from others of the name."""
    parts = path.split("/")
    above = parts[-1 - PATH_PARTS : -1]
    return parts[-1], " / ".join(above)


def said(difference: Difference) -> str:
    """``PT1H → PT30M``; of what is new or gone only what there is."""
    if difference.kind == "changed":
        return f"{difference.before or '(empty)'} → {difference.after or '(empty)'}"
    return difference.after or difference.before


class DiffModel(QAbstractListModel):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Difference] = []

    def set_found(self, found: list[Difference]) -> None:
        self.beginResetModel()
        self.found = found
        self.endResetModel()

    def rowCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(self.found)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        each = self.found[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{each.kind}: {each.path}: {said(each)}"
        return f"{each.path}\n{said(each)}" if role == Qt.ItemDataRole.ToolTipRole else None


class DiffDelegate(QStyledItemDelegate):
    def __init__(self, view: DiffList) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        each = self._view.rows.found[index.row()]
        rect = QRectF(option.rect)  # pyright: ignore[reportAttributeAccessIssue]
        state: QStyle.StateFlag = option.state  # pyright: ignore[reportAttributeAccessIssue]
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, col("selection" if self._view.hasFocus() else "selection_inactive"))
        put(painter, QRectF(rect.left() + 12, rect.top() + 3, 14, 18), SIGNS[each.kind], "text", mono(13, 600))
        room = QRectF(rect.left() + 30, rect.top() + 3, rect.width() - 40, 18)
        name, above = place_of(each.path)
        taken = put(painter, room, name, "text", mono(12)) + 8
        put(painter, room.adjusted(taken, 0, 0, 0), above, "text_muted", mono(11))
        below = room.translated(0, 17)
        if each.kind != "changed":
            put(painter, below, said(each), "text" if each.kind == "added" else "text_muted", mono(12))
            return
        before, arrow = each.before or "(empty)", " → "
        half = min(width_of(before, mono(12)) + 2, below.width() / 2)
        put(painter, QRectF(below.left(), below.top(), half, 18), before, "text_muted", mono(12))
        x = below.left() + half
        x += put(painter, QRectF(x, below.top(), 30, 18), arrow, "text_muted", mono(12), elide=False)
        put(painter, QRectF(x, below.top(), below.right() - x, 18), each.after or "(empty)", "text", mono(12, 500))


class DiffList(QListView):
    def __init__(self) -> None:
        super().__init__()
        self.rows = DiffModel()
        self.setModel(self.rows)
        self.setItemDelegate(DiffDelegate(self))
        self.setAccessibleName("Differences")
        self.setUniformItemSizes(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy) and self.currentIndex().isValid():
            each = self.rows.found[self.currentIndex().row()]
            QGuiApplication.clipboard().setText(f"{each.path}: {said(each)}")
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.activated.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)


class DiffPane(QWidget):
    """Two messages compared; Enter or a double click goes to the element in the tree."""

    message_wanted = Signal(int)
    path_wanted = Signal(str)

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._pair: tuple[Inspection, Inspection] | None = None
        self._what = label("", "text_muted", ui(12), wrap=True)
        self._other = button("", "link", run=self._go)
        self._other.setFont(ui(12, 500))
        self.everything = QCheckBox("Ids and times too")
        self.everything.setFont(ui(12))
        self.everything.toggled.connect(self._show)
        self.listed = DiffList()
        self.listed.activated.connect(self._chosen)
        self.listed.doubleClicked.connect(self._chosen)
        head = box(
            "v", self._what, box("h", self._other, None, self.everything, spacing=8), margins=(12, 8, 12, 6), spacing=4,
            name="panel",
        )  # fmt: skip
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(head)
        layout.addWidget(line())
        layout.addWidget(self.listed, 1)

    def compare(self, shown: Inspection, other: Inspection | None, marked: bool) -> None:
        """Compare a message with an earlier one; ``marked`` where the operator chose it."""
        self._pair = (other, shown) if other is not None else None
        self._why = "marked" if marked else "the previous of its kind"
        self._show()

    @Slot()
    def _show(self) -> None:
        for part in (self._other, self.everything, self.listed):
            part.setVisible(self._pair is not None)
        if self._pair is None:
            self._what.setText("There is no earlier message of this kind with this peer. Mark one to compare with it.")
            self.listed.rows.set_found([])
            return
        other, shown = self._pair
        found = differences(other.tree, shown.tree, self.everything.isChecked())
        self.listed.rows.set_found(found)
        differ = plural(len(found), "difference") if found else "No difference that tells anything"
        view = other.view
        at = clock(view.time, self._desk.timezone)
        self._what.setText(f"{differ} from {view.element} of {at}, {self._why}.")
        self._other.set_text(f"Show message {count(view.number)}")

    def _go(self) -> None:
        if self._pair is not None:
            self.message_wanted.emit(self._pair[0].view.number)

    @Slot(QModelIndex)
    def _chosen(self, index: QModelIndex) -> None:
        if index.isValid():
            each = self.listed.rows.found[index.row()]
            if each.kind != "removed":
                self.path_wanted.emit(each.path)
