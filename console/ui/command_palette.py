"""The command palette: every action of the window, found by typing, run by Enter."""

from __future__ import annotations

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from console.ui.actions import Action, ActionBook
from console.ui.glyphs import put, width_of
from console.ui.theme import col, mono, ui

Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()
WIDTH, ROWS, ROW_HEIGHT = 560, 10, 30


def matching(actions: list[Action], typed: str) -> list[Action]:
    """Actions whose text, menu or tip holds every typed word; those that begin with the text come first."""
    words = typed.lower().split()
    found = [each for each in actions if all(word in f"{each.menu} {each.text} {each.tip}".lower() for word in words)]
    return sorted(found, key=lambda each: not each.text.lower().startswith(typed.lower()))


class CommandModel(QAbstractListModel):
    def __init__(self) -> None:
        super().__init__()
        self.actions: list[Action] = []

    def set_actions(self, actions: list[Action]) -> None:
        self.beginResetModel()
        self.actions = actions
        self.endResetModel()

    def rowCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(self.actions)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        action = self.actions[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{action.menu}: {action.text} {action.key}".strip()
        return action.tip if role == Qt.ItemDataRole.ToolTipRole else None


class CommandDelegate(QStyledItemDelegate):
    def __init__(self, palette: CommandPalette) -> None:
        super().__init__(palette)
        self._palette = palette

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        action = self._palette.rows.actions[index.row()]
        rect = QRectF(option.rect)  # pyright: ignore[reportAttributeAccessIssue]
        state: QStyle.StateFlag = option.state  # pyright: ignore[reportAttributeAccessIssue]
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, col("selection"))
        can = action.when()
        put(painter, rect.adjusted(14, 0, 0, 0), action.menu, "text_muted", ui(12))
        key = width_of(action.key, mono(11)) + 20
        put(painter, rect.adjusted(76, 0, -key, 0), action.text, "text" if can else "text_disabled", ui(13))
        put(painter, rect.adjusted(0, 0, -14, 0), action.key, "text_muted", mono(11), "r")


class CommandPalette(QFrame):
    """A card over the window, not a dialog: Esc or a click elsewhere puts it away."""

    def __init__(self, window: QWidget, book: ActionBook) -> None:
        super().__init__(window)
        self._book = book
        self._before: QWidget | None = None
        self.setObjectName("card")
        self.setAccessibleName("Commands")
        self.rows = CommandModel()
        self.typed = QLineEdit()
        self.typed.setAccessibleName("Find a command")
        self.typed.setPlaceholderText("Find a command")
        self.listed = QListView()
        self.listed.setAccessibleName("Commands found")
        self.listed.setModel(self.rows)
        self.listed.setItemDelegate(CommandDelegate(self))
        self.listed.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.listed.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.setSpacing(8)
        layout.addWidget(self.typed)
        layout.addWidget(self.listed, 1)
        self.typed.textChanged.connect(self._find)
        self.typed.installEventFilter(self)
        self.listed.clicked.connect(self._run)
        self.hide()

    def open(self) -> None:
        """Show every command, the cursor in the text."""
        window = self.parentWidget()
        if window is None:
            return
        self._before = window.focusWidget()
        self.typed.clear()
        self._find("")
        width = min(WIDTH, window.width() - 40)
        height = min(ROWS * ROW_HEIGHT + 58, window.height() - 80)
        self.setGeometry((window.width() - width) // 2, 56, width, height)
        self.show()
        self.raise_()
        self.typed.setFocus()

    def close_palette(self) -> None:
        self.hide()
        if self._before is not None:
            self._before.setFocus()

    @Slot(str)
    def _find(self, typed: str) -> None:
        others = [action for action in self._book.actions if action.run != self.open]
        self.rows.set_actions(matching(others, typed))
        self.listed.setCurrentIndex(self.rows.index(0))

    @Slot(QModelIndex)
    def _run(self, index: QModelIndex) -> None:
        if index.isValid():
            action = self.rows.actions[index.row()]
            if action.when():
                self.close_palette()
                self._book.run(action)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut and self.isVisible():
            self.hide()
            return False
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress:
            return False
        step = {int(Qt.Key.Key_Down): 1, int(Qt.Key.Key_Up): -1}.get(event.key())
        if step is not None:
            row = min(max(self.listed.currentIndex().row() + step, 0), self.rows.rowCount() - 1)
            self.listed.setCurrentIndex(self.rows.index(row))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._run(self.listed.currentIndex())
        elif event.key() == Qt.Key.Key_Escape:
            self.close_palette()
        else:
            return False
        return True
