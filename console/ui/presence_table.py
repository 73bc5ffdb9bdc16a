"""The presence board as a table: one 32-px row per VEN, worst first, with how long it has been silent.

The bar shows the time since the last poll on a scale of four poll periods, with marks where a VEN is late (1.5) and
offline (3). Ages count with the desk's clock; only visible cells are painted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStyledItemDelegate, QStyleOptionViewItem, QTableView

from console.app.views import VenView
from console.openadr.facts import PresenceState
from console.ui.gantt import natural
from console.ui.glyphs import OPT_GLYPH, STATE_GLYPH, glyph, put, width_of
from console.ui.theme import BOARD_ROW, col, ui
from console.ui.words import span

Index = QModelIndex | QPersistentModelIndex
COLUMNS = (
    ("State", 122),
    ("venID", 104),
    ("Name", 0),
    ("Profile", 58),
    ("Transport", 92),
    ("Last poll, marks at 1.5× and 3×", 236),
    ("Event and opt", 146),
    ("Report", 96),
    ("Findings", 70),
)
"""Head and width in px; 0 takes what is left."""
NAME = 2
LEAST_NAME = 120
SPARE = (3, 4, 7)
"""Columns a narrow window does without, first to go first: profile, transport, report."""
BAR_PERIODS = 4.0
LATE, OFFLINE = 1.5, 3.0
BAD = (PresenceState.LATE, PresenceState.OFFLINE)
ALARM = {PresenceState.OFFLINE: "alarm_high", PresenceState.LATE: "alarm_medium"}


def state_word(ven: VenView) -> str:
    """``ok``, ``late``, ``offline``, ``never seen`` or ``not registered``."""
    if not ven.registered:
        return "not registered"
    return "never seen" if ven.state is PresenceState.NEVER else ven.state.value


def silence(ven: VenView, now: datetime) -> float | None:
    """Seconds since it was last heard of; None for never."""
    return max(0.0, (now - ven.last_seen).total_seconds()) if ven.last_seen else None


def events_words(ven: VenView) -> str:
    """``e-202 optIn, e-203 no answer``."""
    return ", ".join(f"{event_id} {opt or 'no answer'}" for event_id, opt in ven.events)


class PresenceModel(QAbstractTableModel):
    """VENs in the order of the board; rows keep their place while only ages change."""

    def __init__(self) -> None:
        super().__init__()
        self.vens: list[VenView] = []
        self.now: datetime | None = None
        self.by_id = False

    def show_vens(self, vens: Sequence[VenView], now: datetime) -> None:
        """Show these VENs as of ``now``; ``vens`` come worst first."""
        wanted = sorted(vens, key=lambda ven: natural(ven.ven_id)) if self.by_id else list(vens)
        moved = [(v.session, v.ven_id) for v in wanted] != [(v.session, v.ven_id) for v in self.vens]
        self.now = now
        if moved:
            self.beginResetModel()
            self.vens = wanted
            self.endResetModel()
        elif wanted:
            self.vens = wanted
            self.dataChanged.emit(self.index(0, 0), self.index(len(wanted) - 1, len(COLUMNS) - 1))

    def row_of(self, session: str, ven_id: str) -> int:
        """Row of a VEN; -1 where it is not on the board."""
        return next((k for k, v in enumerate(self.vens) if (v.session, v.ven_id) == (session, ven_id)), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.vens)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(COLUMNS)

    def text(self, ven: VenView, column: int) -> str:
        """What a cell says, for readers and for copying."""
        if column == 5:
            since = silence(ven, self.now) if self.now else None
            return "never" if since is None else f"{span(since)} of {span(ven.poll_period or 0)}"
        if column == 7:
            return self.report_age(ven)
        return {
            0: state_word(ven),
            1: ven.ven_id,
            2: ven.name,
            3: ven.profile,
            4: ven.transport,
            6: events_words(ven),
            8: str(ven.findings),
        }[column]

    def report_age(self, ven: VenView) -> str:
        if ven.last_report is None or self.now is None:
            return "never"
        return f"{span((self.now - ven.last_report).total_seconds())} old"

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.UserRole:
            return self.vens[index.row()]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{COLUMNS[index.column()][0]}: {self.text(self.vens[index.row()], index.column())}"
        if role == Qt.ItemDataRole.ToolTipRole and index.column() in (1, 2, 6):
            return self.text(self.vens[index.row()], index.column()) or None
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section][0]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        return None


class PresenceDelegate(QStyledItemDelegate):
    """Paints the cells of the board."""

    def __init__(self, view: QTableView, model: PresenceModel) -> None:
        super().__init__(view)
        self._view, self._model = view, model

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, BOARD_ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        rect = QRectF(option.rect)  # pyright: ignore[reportAttributeAccessIssue]
        ven = self._model.vens[index.row()]
        chosen = index.row() == self._view.currentIndex().row()
        if chosen:
            painter.fillRect(rect, col("selection"))
            if index.column() == 0:
                painter.fillRect(QRectF(rect.left(), rect.top(), 3, rect.height()), col("accent"))
        painter.fillRect(QRectF(rect.left(), rect.bottom(), rect.width(), 1), col("plot_grid"))
        cell = rect.adjusted(6, 0, -6, 0)
        bad = ven.state in BAD and ven.registered
        column = index.column()
        if column == 0:
            self._state(painter, cell, ven, bad)
        elif column == 1:
            put(painter, cell, ven.ven_id, "text", ui(13, 500))
        elif column == 2:
            put(painter, cell, ven.name, "text", ui(13))
        elif column == 5:
            self._silence(painter, cell, ven, bad, chosen)
        elif column == 6:
            self._events(painter, cell, ven)
        elif column == 8:
            role, weight = ("text", 600) if ven.findings else ("text_muted", 400)
            put(painter, cell, str(ven.findings), role, ui(12.5, weight))
        else:
            role = "text" if column == 4 else "text_muted"
            put(painter, cell, self._model.text(ven, column), role, ui(12.5))

    def _state(self, painter: QPainter, cell: QRectF, ven: VenView, bad: bool) -> None:
        x, y = cell.left() + 11, cell.center().y()
        if bad:
            glyph(painter, ALARM[ven.state], x, y, 15)
        else:
            glyph(painter, STATE_GLYPH[ven.state.value] if ven.registered else "never", x, y, 11, "text_muted")
        font = ui(12.5, 600 if bad else 400)
        put(painter, cell.adjusted(25, 0, 6, 0), state_word(ven), "text" if bad else "text_muted", font)

    def _silence(self, painter: QPainter, cell: QRectF, ven: VenView, bad: bool, chosen: bool) -> None:
        since = silence(ven, self._model.now) if self._model.now else None
        words = "never" if since is None else span(since)
        role, weight = ("text", 600) if bad else ("text_muted", 400)
        put(painter, QRectF(cell.left(), cell.top(), 58, cell.height()), words, role, ui(12.5, weight), "r")
        period = ven.poll_period.total_seconds() if ven.poll_period else 0.0
        if period <= 0:
            return
        bar = QRectF(cell.left() + 68, round(cell.center().y()) - 3, 92, 6)
        painter.fillRect(bar, col("raised" if chosen else "hover"))
        share = 0.0 if since is None else min(1.0, since / (BAR_PERIODS * period))
        filled = QRectF(bar.left(), bar.top(), share * bar.width(), 6)
        painter.fillRect(filled, col("text" if bad else "border_strong"))
        for mark in (LATE, OFFLINE):
            over = share > mark / BAR_PERIODS
            x = round(bar.left() + mark / BAR_PERIODS * bar.width())
            if over:
                painter.fillRect(QRectF(x, bar.top(), 1, 6), col("panel"))
            else:
                painter.fillRect(QRectF(x, bar.top() - 3, 1, 12), col("text_muted"))
        rest = QRectF(bar.right() + 8, cell.top(), cell.right() - bar.right() - 8, cell.height())
        put(painter, rest, f"of {span(period)}", "text_muted", ui(12))

    def _events(self, painter: QPainter, cell: QRectF, ven: VenView) -> None:
        """As many events as fit, each with its opt glyph, then how many are left."""
        x, font = cell.left(), ui(12.5)
        for k, (event_id, opt) in enumerate(ven.events):
            left = len(ven.events) - k
            room = cell.right() - x - (28 if left > 1 else 0)
            if k and width_of(event_id, font) + 20 > room:
                put(painter, QRectF(x, cell.top(), cell.right() - x, cell.height()), f"+{left}", "text_muted", font)
                return
            box = QRectF(x, cell.top(), max(room - 18, 20), cell.height())
            x += put(painter, box, event_id, "text", font) + 12
            glyph(painter, OPT_GLYPH.get(opt, "wait"), x, cell.center().y(), 10, "text")
            x += 16


class PresenceTable(QTableView):
    """The board itself."""

    def __init__(self, model: PresenceModel) -> None:
        super().__init__()
        self.setModel(model)
        self.setItemDelegate(PresenceDelegate(self, model))
        self.setAccessibleName("VENs, worst first")
        self.setObjectName("presence_board")
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(BOARD_ROW)
        self.verticalHeader().setMinimumSectionSize(BOARD_ROW)
        head = self.horizontalHeader()
        head.setFont(ui(12))
        head.setHighlightSections(False)
        head.setMinimumSectionSize(56)
        head.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        for column, (_, width) in enumerate(COLUMNS):
            head.resizeSection(column, width or LEAST_NAME)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The name takes what is left; where too little is left, columns go in the order of SPARE."""
        super().resizeEvent(event)
        room = self.viewport().width() - sum(width for _, width in COLUMNS)
        for column in SPARE:
            hidden = room < LEAST_NAME
            self.setColumnHidden(column, hidden)
            room += COLUMNS[column][1] if hidden else 0
        self.horizontalHeader().resizeSection(NAME, max(room, LEAST_NAME))
