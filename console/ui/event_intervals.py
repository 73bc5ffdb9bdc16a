"""The table of intervals in the event editor: durations and values are typed in, added, removed, pasted.

What cannot be read is refused with a sentence under the table; the interval keeps what it had.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from console.app.durations import show_duration
from console.ui.event_draft import Interval, read_duration, read_intervals, read_value, show_value
from console.ui.glyphs import put
from console.ui.theme import CONTROL, col, ui
from console.ui.widgets import box, button, label, tool
from console.ui.words import clock

Index = QModelIndex | QPersistentModelIndex
COLUMNS = ("#", "Start", "Duration", "Value")
HEAD = 25


class IntervalModel(QAbstractTableModel):
    """The intervals of a draft; duration and value are typed in."""

    edited = Signal()
    refused = Signal(str)
    """Why what was typed was not taken."""

    def __init__(self, zone: tzinfo) -> None:
        super().__init__()
        self.intervals: list[Interval] = []
        self.unit = ""
        self.start: datetime | None = None
        self._zone = zone

    def set_intervals(self, intervals: Sequence[Interval]) -> None:
        self.beginResetModel()
        self.intervals = list(intervals)
        self.endResetModel()

    def set_frame(self, unit: str, start: datetime | None) -> None:
        """Unit and start, which head and first columns show."""
        if (unit, start) != (self.unit, self.start):
            self.unit, self.start = unit, start
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(COLUMNS) - 1)
            if self.intervals:
                self.dataChanged.emit(self.index(0, 0), self.index(len(self.intervals) - 1, 1))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.intervals)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(COLUMNS)

    def text(self, row: int, column: int) -> str:
        interval = self.intervals[row]
        if column == 1 and self.start is not None:
            before = sum((each.duration for each in self.intervals[:row]), timedelta())
            return clock(self.start + before, self._zone)
        return ("", "–", show_duration(interval.duration), show_value(interval.value))[column] if column else str(row)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return self.text(index.row(), index.column())
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{COLUMNS[index.column()]} {self.text(index.row(), index.column())}"
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return (self.unit or "Value") if section == 3 else COLUMNS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section == 3 else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        plain = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return plain | Qt.ItemFlag.ItemIsEditable if index.column() >= 2 else plain

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        old = self.intervals[index.row()]
        try:
            if index.column() == 2:
                new = Interval(read_duration(str(value)), old.value)
            else:
                new = Interval(old.duration, read_value(str(value)))
        except ValueError as error:
            self.refused.emit(str(error))
            return False
        self.refused.emit("")
        self.intervals[index.row()] = new
        self.dataChanged.emit(self.index(0, 0), self.index(len(self.intervals) - 1, 3))
        self.edited.emit()
        return True


class IntervalDelegate(QStyledItemDelegate):
    """Paints a cell as the other lists of the window are painted; figures to the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, CONTROL)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        view = self.parent()
        assert isinstance(view, QTableView)
        rect = QRectF(option.rect)  # pyright: ignore[reportAttributeAccessIssue]
        if index.row() == view.currentIndex().row() and view.hasFocus():
            painter.fillRect(rect, col("selection"))
        painter.fillRect(QRectF(rect.left(), rect.bottom(), rect.width(), 1), col("border"))
        text = str(index.data(Qt.ItemDataRole.DisplayRole))
        role = "text" if index.column() else "text_muted"
        put(painter, rect.adjusted(8, 0, -8, 0), text, role, ui(12.5), "r" if index.column() == 3 else "l")


class IntervalTable(QWidget):
    """The table of intervals with what adds, removes and pastes them."""

    edited = Signal()

    def __init__(self, zone: tzinfo) -> None:
        super().__init__()
        self.model = IntervalModel(zone)
        self.model.edited.connect(self.edited)
        self.model.refused.connect(self._refused)
        self.view = QTableView()
        self.view.setObjectName("intervals")
        self.view.setAccessibleName("Intervals of the event")
        self.view.setModel(self.model)
        self.view.setItemDelegate(IntervalDelegate(self.view))
        self.view.setShowGrid(False)
        self.view.setTabKeyNavigation(False)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.AllEditTriggers)
        self.view.verticalHeader().hide()
        self.view.verticalHeader().setDefaultSectionSize(CONTROL)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        head = self.view.horizontalHeader()
        head.setFont(ui(12))
        head.setHighlightSections(False)
        head.setMinimumSectionSize(24)
        for column, width in enumerate((30, 78, 92)):
            head.resizeSection(column, width)
        head.setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        self._problem = label("", "finding_error", ui(12), wrap=True)
        self._problem.hide()
        self._remove = tool("minus", "Remove the interval", self.remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 6, 12, 0)
        column.setSpacing(2)
        column.addWidget(self.view)
        column.addWidget(self._problem)
        column.addWidget(
            box(
                "h",
                button("Add interval", "quiet", "plus", self.add, "One more interval like the last"),
                button(
                    "Paste", "quiet", "copy", self.paste, "Lines of duration and value, as a spreadsheet copies them"
                ),
                None,
                self._remove,
                margins=(-6, 0, 0, 0),
            )
        )
        self.model.modelReset.connect(self._fit)

    def _fit(self) -> None:
        rows = min(max(len(self.model.intervals), 1), 6)
        self.view.setFixedHeight(HEAD + CONTROL * rows + 2)
        self._remove.setEnabled(len(self.model.intervals) > 1)

    def _refused(self, why: str) -> None:
        self._problem.setText(why)
        self._problem.setVisible(bool(why))

    def set_intervals(self, intervals: Sequence[Interval]) -> None:
        self._refused("")
        self.model.set_intervals(intervals)

    def add(self) -> None:
        last = self.model.intervals[-1] if self.model.intervals else Interval(timedelta(minutes=30), 0.0)
        self.set_intervals([*self.model.intervals, last])
        self.view.setCurrentIndex(self.model.index(len(self.model.intervals) - 1, 3))
        self.edited.emit()

    def remove(self) -> None:
        row = self.view.currentIndex().row()
        row = row if row >= 0 else len(self.model.intervals) - 1
        if len(self.model.intervals) > 1:
            self.set_intervals([each for k, each in enumerate(self.model.intervals) if k != row])
            self.edited.emit()

    def paste(self) -> None:
        try:
            found = read_intervals(QApplication.clipboard().text())
        except ValueError as error:
            self._refused(str(error))
            return
        self.set_intervals(found)
        self.edited.emit()
