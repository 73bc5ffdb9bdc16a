"""The findings of one message as a list of blocks, worst first."""

from __future__ import annotations

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from console.openadr.findings import Finding
from console.ui.finding_paint import finding_height, paint_finding, place_of

Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()


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
