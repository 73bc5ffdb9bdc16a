"""What could be typed next, under the filter bar: a list that never takes the focus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QFrame, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QVBoxLayout, QWidget

from console.ui.glyphs import put
from console.ui.theme import ROW, col, mono, ui

if TYPE_CHECKING:
    from console.store.filter_completion import Completion

Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()
WIDTH, WORD_WIDTH = 520, 190


class CompletionModel(QAbstractListModel):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Completion] = []

    def set_found(self, found: list[Completion]) -> None:
        self.beginResetModel()
        self.found = found
        self.endResetModel()

    def rowCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(self.found)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            each = self.found[index.row()]
            return f"{each.text} {each.meaning}".strip()
        return None


class CompletionDelegate(QStyledItemDelegate):
    def __init__(self, popup: CompletionPopup) -> None:
        super().__init__(popup)
        self._popup = popup

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        each = self._popup.rows.found[index.row()]
        rect = QRectF(option.rect)  # pyright: ignore[reportAttributeAccessIssue]
        state: QStyle.StateFlag = option.state  # pyright: ignore[reportAttributeAccessIssue]
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, col("selection"))
        room = WORD_WIDTH if each.meaning else rect.width() - 20
        put(painter, QRectF(rect.left() + 10, rect.top(), room, rect.height()), each.text, "text", mono(12))
        put(painter, rect.adjusted(18 + WORD_WIDTH, 0, -8, 0), each.meaning, "text_muted", ui(12))


class CompletionPopup(QFrame):
    """A card under the filter bar."""

    chosen = Signal(int)
    """Place of the proposal that was clicked."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("card")
        self.rows = CompletionModel()
        self.listed = QListView()
        self.listed.setAccessibleName("What could be typed next")
        self.listed.setModel(self.rows)
        self.listed.setItemDelegate(CompletionDelegate(self))
        self.listed.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.listed.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.listed.clicked.connect(self._clicked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 4, 1, 4)
        layout.addWidget(self.listed)
        self.hide()

    def propose(self, found: list[Completion], under: QWidget, x: int) -> None:
        """Show proposals below ``under``, at ``x`` px from its left; nothing where there are none."""
        self.rows.set_found(found)
        window = under.window()
        if not found or window is None:
            self.hide()
            return
        if self.parentWidget() is not window:
            self.setParent(window)
        place = under.mapTo(window, QPoint(x, under.height() + 2))
        self.setGeometry(min(place.x(), max(0, window.width() - WIDTH - 8)), place.y(), WIDTH, ROW * len(found) + 10)
        self.listed.setCurrentIndex(QModelIndex())
        self.show()
        self.raise_()

    def step(self, by: int) -> None:
        """Go up or down, round and round."""
        count = len(self.rows.found)
        at = self.listed.currentIndex().row()
        row = (at + by) % count if at >= 0 else (0 if by > 0 else count - 1)
        self.listed.setCurrentIndex(self.rows.index(row))

    @property
    def current(self) -> Completion | None:
        row = self.listed.currentIndex().row()
        return self.rows.found[row] if 0 <= row < len(self.rows.found) else None

    @Slot(QModelIndex)
    def _clicked(self, index: QModelIndex) -> None:
        self.chosen.emit(index.row())
