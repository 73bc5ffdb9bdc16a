"""Data points that VENs offer, by VEN and report: state, rID, unit, reading type, period, last value and its age.

Rows of 24 px under a heading for each report of each VEN; several data points may be selected at once, to be requested
together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyledItemDelegate, QStyleOptionViewItem

from console.app.durations import show_duration
from console.app.views import ReportView
from console.ui.gantt import natural
from console.ui.glyphs import glyph, put
from console.ui.theme import ROW, col, mono, ui
from console.ui.widgets import Canvas
from console.ui.words import span

Index = QModelIndex | QPersistentModelIndex
Key = tuple[str, str, str, str]
"""(session, venID, reportSpecifierID, rID)."""
HEADING = 28
SCROLL_BAR = 12
"""Kept free at the right, so that columns stay under their heads."""
STATE_GLYPHS = {"running": "on", "stale": "late", "requested": "wait", "offered": "never", "stopped": "x"}
COLUMNS = (("State", 104), ("rID", 0), ("Reading", 92), ("Every", 62), ("Value", 92), ("Age", 62))
"""Head and width in px; 0 takes what is left."""
RIGHT_ALIGNED = ("Every", "Value", "Age")


@dataclass(frozen=True, slots=True)
class Heading:
    """A report of a VEN."""

    session: str
    ven_id: str
    report_name: str
    report_specifier_id: str
    report_request_id: str


def key_of(report: ReportView) -> Key:
    return report.session, report.ven_id, report.report_specifier_id, report.r_id


def heading_of(report: ReportView) -> tuple[str, str, str, str]:
    return report.session, report.ven_id, report.report_name, report.report_specifier_id


def rows_of(reports: Sequence[ReportView]) -> list[Heading | ReportView]:
    """Headings and data points in reading order."""
    rows: list[Heading | ReportView] = []
    before: tuple[str, str, str, str] | None = None
    ordered = sorted(reports, key=lambda r: (r.session, natural(r.ven_id), r.report_name, r.report_specifier_id))
    for report in ordered:
        if heading_of(report) != before:
            before = heading_of(report)
            request = next(
                (r.report_request_id for r in ordered if heading_of(r) == before and r.report_request_id), ""
            )
            rows.append(Heading(*before, request))
        rows.append(report)
    return rows


def age_words(report: ReportView, now: datetime) -> str:
    """``4 s``; empty where nothing has come."""
    return span(now - report.last_at) if report.last_at else ""


def cells(width: float) -> list[tuple[str, float, float]]:
    """(head, left, width) of each column in a list of ``width`` px."""
    fixed = sum(each for _, each in COLUMNS)
    found, x = [], 0.0
    for name, each in COLUMNS:
        room = each or max(80.0, width - fixed - 12)
        found.append((name, x, room))
        x += room
    return found


class ReportHead(Canvas):
    """The heads of the columns."""

    def __init__(self) -> None:
        super().__init__(height=26, name="Columns: " + ", ".join(name for name, _ in COLUMNS))

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        painter.fillRect(0, 0, width, height, col("sunken"))
        painter.fillRect(0, height - 1, width, 1, col("border"))
        for name, x, room in cells(width - SCROLL_BAR):
            align = "r" if name in RIGHT_ALIGNED else "l"
            left = x + (12 if name == "State" else 6)
            put(painter, QRectF(left, 0, room - 12, height), name, "text_muted", ui(12), align)


class ReportModel(QAbstractListModel):
    """Headings and data points; a change of values keeps the selection."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Heading | ReportView] = []
        self.now: datetime | None = None

    def show_reports(self, reports: Sequence[ReportView], now: datetime) -> None:
        rows = rows_of(reports)
        same = [identity(row) for row in rows] == [identity(row) for row in self.rows]
        self.now = now
        if same:
            self.rows = rows
            if rows:
                self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
        else:
            self.beginResetModel()
            self.rows = rows
            self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        plain = Qt.ItemFlag.ItemIsEnabled
        if isinstance(self.rows[index.row()], ReportView):
            plain |= Qt.ItemFlag.ItemIsSelectable
        return plain

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self.text(row)
        if role == Qt.ItemDataRole.ToolTipRole and isinstance(row, ReportView):
            return self.tip(row)
        return None

    def text(self, row: Heading | ReportView) -> str:
        """A row as a sentence, for readers."""
        if isinstance(row, Heading):
            return f"{row.ven_id}, {row.report_name}"
        said = [row.r_id, row.state]
        if row.last_value:
            said.append(row.last_value)
        if self.now and row.last_at:
            said.append(f"{age_words(row, self.now)} old")
        return ", ".join(said)

    def tip(self, row: ReportView) -> str:
        lines = [
            f"{row.r_id}, {row.report_type}, {row.reading_type}",
            f"unit {row.unit or 'none'}, resource {row.resource_id or 'none'}",
        ]
        if row.min_period or row.max_period:
            lines.append(f"may be asked for {period_words(row.min_period, row.max_period)}")
        if row.points:
            lines.append(f"{row.points} points so far")
        return "\n".join(lines)


def identity(row: Heading | ReportView) -> tuple[str, ...]:
    if isinstance(row, Heading):
        return ("", row.session, row.ven_id, row.report_name, row.report_specifier_id)
    return key_of(row)


def period_words(shortest: timedelta | None, longest: timedelta | None) -> str:
    """``every 2 s to 15 min``."""
    if shortest and longest:
        return f"every {show_duration(shortest)} to {show_duration(longest)}"
    if shortest:
        return f"every {show_duration(shortest)} or longer"
    return f"every {show_duration(longest)} or shorter" if longest else "at any period"


class ReportDelegate(QStyledItemDelegate):
    """Paints headings and rows."""

    def __init__(self, view: QListView, model: ReportModel) -> None:
        super().__init__(view)
        self._view, self._model = view, model

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, HEADING if isinstance(self._model.rows[index.row()], Heading) else ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        rect = QRectF(option.rect)  # pyright: ignore[reportAttributeAccessIssue]
        row = self._model.rows[index.row()]
        if isinstance(row, Heading):
            self._heading(painter, rect, row)
            return
        if self._view.selectionModel().isSelected(self._model.index(index.row())):
            painter.fillRect(rect, col("selection"))
        if index.row() == self._view.currentIndex().row() and self._view.hasFocus():
            painter.fillRect(QRectF(rect.left(), rect.top(), 3, rect.height()), col("accent"))
        for name, x, room in cells(self._view.width() - SCROLL_BAR):
            box = QRectF(rect.left() + x + (12 if name == "State" else 6), rect.top(), room - 12, rect.height())
            self._cell(painter, box, row, name)

    def _heading(self, painter: QPainter, rect: QRectF, row: Heading) -> None:
        painter.fillRect(rect, col("panel"))
        painter.fillRect(QRectF(rect.left(), rect.bottom() - 0.5, rect.width(), 1), col("plot_grid"))
        room = rect.adjusted(12, 4, -12, 0)
        room.setRight(self._view.width() - SCROLL_BAR - 12)
        used = put(painter, room, row.ven_id, "text", ui(12.5, 600)) + 10
        used += put(painter, room.adjusted(used, 0, 0, 0), row.report_name, "text_muted", mono(12)) + 10
        if row.report_request_id:
            put(painter, room.adjusted(used, 0, 0, 0), row.report_request_id, "text_muted", mono(12), "r")

    def _cell(self, painter: QPainter, box: QRectF, row: ReportView, name: str) -> None:
        quiet = row.state in ("offered", "stopped")
        if name == "State":
            ink = "text" if row.state == "stale" else "text_muted"
            glyph(painter, STATE_GLYPHS.get(row.state, "never"), box.left() + 6, box.center().y(), 11, ink)
            weight = 600 if row.state == "stale" else 400
            put(painter, box.adjusted(18, 0, 8, 0), row.state, ink, ui(12.5, weight))
        elif name == "rID":
            put(painter, box.adjusted(0, 0, 8, 0), row.r_id, "text", mono(12))
        elif name == "Reading":
            put(painter, box, row.reading_type, "text_muted", ui(12))
        elif name == "Every":
            put(painter, box, show_duration(row.period) if row.period else "–", "text_muted", ui(12), "r")
        elif name == "Value":
            shown = row.last_value or (row.unit or "status" if quiet else "–")
            put(painter, box.adjusted(-6, 0, 0, 0), shown, "text" if row.last_value else "text_muted", ui(12.5), "r")
        elif self._model.now is not None:
            stale = row.state == "stale"
            put(painter, box, age_words(row, self._model.now), "text" if stale else "text_muted", ui(12), "r")


class ReportList(QListView):
    """The list; :attr:`chosen_changed` follows the selection."""

    chosen_changed = Signal()

    def __init__(self, model: ReportModel) -> None:
        super().__init__()
        self._model = model
        self.setModel(model)
        self.setItemDelegate(ReportDelegate(self, model))
        self.setObjectName("report_list")
        self.setAccessibleName("Data points offered by VENs")
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        model.modelAboutToBeReset.connect(self._remember)
        model.modelReset.connect(self._restore)
        self._remembered: set[Key] = set()

    def chosen(self) -> list[ReportView]:
        """Selected data points, in the order of the list."""
        rows = sorted(index.row() for index in self.selectionModel().selectedIndexes())
        return [row for k in rows if isinstance(row := self._model.rows[k], ReportView)]

    def choose(self, keys: set[Key]) -> None:
        """Select exactly these data points."""
        picked = QItemSelection()
        for k, row in enumerate(self._model.rows):
            if isinstance(row, ReportView) and key_of(row) in keys:
                picked.select(self._model.index(k), self._model.index(k))
        self.selectionModel().select(picked, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        super().selectionChanged(selected, deselected)
        self.chosen_changed.emit()

    def _remember(self) -> None:
        self._remembered = {key_of(report) for report in self.chosen()}

    def _restore(self) -> None:
        self.choose(self._remembered)
