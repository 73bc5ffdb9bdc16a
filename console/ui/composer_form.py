"""The fields of a message being written, as a table: name, value, and what may stand there in the tooltip."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from console.app.composer_form import Field
from console.ui.theme import col, mono

Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()
NAME, VALUE = range(2)
ROW_HEIGHT = 26
NAME_WIDTH = 226
_INDENT = "  "


class FieldModel(QAbstractTableModel):
    """The fields of one message; an edit is told and not kept: the source is the truth."""

    edited = Signal(object, object)
    """(Field, new text, or None to take the element out)."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[Field] = []

    def set_fields(self, fields: list[Field]) -> None:
        """Show other fields; rows that are the same stay, so that an edit does not lose its place."""
        same = [(f.path, f.name) for f in fields] == [(f.path, f.name) for f in self.fields]
        if same and fields:
            self.fields = fields
            self.dataChanged.emit(self.index(0, NAME), self.index(len(fields) - 1, VALUE))
            return
        self.beginResetModel()
        self.fields = fields
        self.endResetModel()

    def rowCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(self.fields)

    def columnCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else 2

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return ("Element", "Value")[section]
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        if index.isValid() and index.column() == VALUE and not self.fields[index.row()].is_section:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        field = self.fields[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            if index.column() == NAME:
                return " " + _INDENT * field.depth + field.name
            return (field.value or "") if role == Qt.ItemDataRole.EditRole else _shown(field)
        if role == Qt.ItemDataRole.ToolTipRole:
            holds = f"Holds {field.words}." if field.words else ""
            clause = f"Clause {field.clause}" if field.clause else ""
            return "\n".join(part for part in (field.meaning, holds, clause) if part)
        if role == Qt.ItemDataRole.FontRole:
            return mono(12, 600 if field.is_section else 400)
        if role == Qt.ItemDataRole.ForegroundRole:
            absent = field.value is None
            return col("text_muted" if absent or (index.column() == NAME and not field.is_section) else "text")
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{field.name}: {_shown(field)}" if index.column() == VALUE else field.name
        return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        field = self.fields[index.row()]
        text = str(value)
        if role != Qt.ItemDataRole.EditRole or text == (field.value or ""):
            return False
        self.edited.emit(field, None if not text and not field.required else text)
        return True


def _shown(field: Field) -> str:
    if field.is_section:
        return ""
    if field.value is None:
        return "missing" if field.required else "–"
    return " ".join(field.value.split())


class FieldDelegate(QStyledItemDelegate):
    """Edits with a list where the standard has one; any other text may be typed as well."""

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        model = index.model()
        assert isinstance(model, FieldModel)
        field = model.fields[index.row()]
        if not field.values:
            line = QLineEdit(parent)
            line.setFont(mono(12))
            line.setAccessibleName(field.name)
            return line
        made = QComboBox(parent)
        made.setEditable(True)
        made.addItems(list(field.values))
        made.setFont(mono(12))
        made.setAccessibleName(field.name)
        return made

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        text = str(index.data(Qt.ItemDataRole.EditRole))
        if isinstance(editor, QComboBox):
            editor.setCurrentText(text)
        elif isinstance(editor, QLineEdit):
            editor.setText(text)
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        text = editor.currentText() if isinstance(editor, QComboBox) else ""
        model.setData(index, editor.text() if isinstance(editor, QLineEdit) else text)


class FieldTable(QTableView):
    """Enter or F2 on a row edits its value; Delete takes the element out where it may be missing."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = FieldModel()
        self.setModel(self.rows)
        self.setItemDelegate(FieldDelegate(self))
        self.setAccessibleName("Fields of the message")
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.SelectedClicked
        )
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self.horizontalHeader().setStretchLastSection(True)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.setColumnWidth(NAME, NAME_WIDTH)
        self.setTabKeyNavigation(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and index.isValid():
            self.edit(self.rows.index(index.row(), VALUE))
        elif event.key() == Qt.Key.Key_Delete and index.isValid():
            field = self.rows.fields[index.row()]
            if field.value is not None and not field.is_section:
                self.rows.edited.emit(field, "" if field.required else None)
        else:
            super().keyPressEvent(event)
