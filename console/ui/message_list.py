"""The message list: a model over the columnar log, a delegate that paints the visible rows, and the table.

The model keeps which rows of the log are shown and nothing of the messages themselves: no proxy, no text until a cell
is painted. Rows are 24 px high, whatever they hold, so that a million of them open as fast as ten.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QFocusEvent, QGuiApplication, QKeyEvent, QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableView,
    QWidget,
)

from console.ui.message_columns import (
    COLUMNS,
    DELTA,
    ELEMENT,
    GUTTER,
    NUMBER,
    PEER,
    SUMMARY,
    TIME,
    VERDICT,
    WAY,
    WORDLESS,
)
from console.ui.message_paint import MessageDelegate
from console.ui.theme import ROW, col, ui
from console.ui.words import clock, count, plural

if TYPE_CHECKING:
    from console.app.views import Desk, MessageView

Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()
DISPLAY = Qt.ItemDataRole.DisplayRole
ACCESSIBLE = Qt.ItemDataRole.AccessibleTextRole
TOOLTIP = Qt.ItemDataRole.ToolTipRole
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


def delta_text(delta: timedelta) -> str:
    """``+0.52``, ``+12.3``, ``+340``: seconds, in four or five characters."""
    seconds = delta.total_seconds()
    digits = 2 if abs(seconds) < 10 else 1 if abs(seconds) < 100 else 0
    return f"{seconds:+.{digits}f}".replace("-", "−")


def verdict_text(view: MessageView) -> str:
    """``no findings``, or ``1 error, 2 warnings``."""
    parts = ((view.errors, "error"), (view.warnings, "warning"), (view.infos, "remark"))
    return ", ".join(plural(number, word) for number, word in parts if number) or "no findings"


class MessageModel(QAbstractTableModel):
    """Rows of the log that pass the filter, in the log's order.

    The log only grows at its end, so the shown rows are a growing array of ascending indices; without a filter they
    are all rows and no array is kept.
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._text = ""
        self._session = ""
        self._shown: array[int] | None = None
        self._seen = 0
        self._views: dict[int, MessageView] = {}
        self.error = ""
        """Why the filter text is not understood; empty when it is."""
        self.error_at = -1

    @property
    def filtered(self) -> bool:
        return self._shown is not None

    @property
    def behind(self) -> int:
        """Messages that came in since the list was last brought up to date."""
        return len(self._desk.messages) - self._seen

    def set_filter(self, text: str, session: str) -> None:
        """Show what matches; a text that is not understood leaves the rows as they are and sets :attr:`error`."""
        text = text.strip()
        if not text and not session:
            self._replace(text, session, None, len(self._desk.messages))
            return
        seen = len(self._desk.messages)
        selection = self._desk.messages.select(text, session)
        if selection.error:
            self.error, self.error_at = selection.error, selection.error_at
            return
        rows = array("q")
        rows.frombytes(selection.rows.astype("int64", copy=False).tobytes())
        self._replace(text, session, rows, seen)

    def reselect(self) -> None:
        """Ask the filter again, which may know more bodies than before; rows that stay are not touched."""
        if self._shown is None:
            return
        try:
            found = self._desk.messages.matches(self._text, self._session, 0)
        except ValueError:
            return
        rows = array("q")
        rows.frombytes(found[found < self._seen].astype("int64", copy=False).tobytes())
        old = len(self._shown)
        if rows == self._shown:
            return
        if len(rows) > old and rows[:old] == self._shown:
            self.beginInsertRows(ROOT, old, len(rows) - 1)
            self._shown = rows
            self.endInsertRows()
        else:
            self._replace(self._text, self._session, rows, self._seen)

    def _replace(self, text: str, session: str, rows: array[int] | None, seen: int) -> None:
        self.beginResetModel()
        self.error = ""
        self._text, self._session = text, session
        self._shown, self._seen = rows, seen
        self._views.clear()
        self.endResetModel()

    def catch_up(self) -> int:
        """Append what came in since the last call; returns how many rows that were."""
        seen = len(self._desk.messages)
        if seen == self._seen:
            return 0
        if seen < self._seen:  # a recording was sought back
            self._seen = seen
            self.set_filter(self._text, self._session)
            return 0
        first = self.rowCount()
        if self._shown is None:
            self.beginInsertRows(ROOT, first, first + seen - self._seen - 1)
            added = seen - self._seen
            self._seen = seen
            self.endInsertRows()
            return added
        found = self._desk.messages.matches(self._text, self._session, self._seen)
        self._seen = seen
        if len(found):
            self.beginInsertRows(ROOT, first, first + len(found) - 1)
            self._shown.frombytes(found.astype("int64", copy=False).tobytes())
            self.endInsertRows()
        return len(found)

    def forget_views(self) -> None:
        """Rows may have got an answer or a finding since they were painted."""
        self._views.clear()

    def log_row(self, row: int) -> int:
        """Index into the log of a shown row."""
        return row if self._shown is None else self._shown[row]

    def view(self, row: int) -> MessageView:
        found = self._views.get(row)
        if found is None:
            if len(self._views) > 400:
                self._views.clear()
            found = self._views[row] = self._desk.messages.view(self.log_row(row))
        return found

    def row_of(self, number: int) -> int:
        """Shown row of the message with this number; -1 where the filter hides it."""
        wanted = number - 1
        if self._shown is None:
            return wanted if 0 <= wanted < self._seen else -1
        row = bisect_left(self._shown, wanted)
        return row if row < len(self._shown) and self._shown[row] == wanted else -1

    def row_at_or_after(self, log_row: int) -> int:
        """Shown row of the first message that is not before this index into the log."""
        return log_row if self._shown is None else bisect_left(self._shown, log_row)

    def delta(self, row: int) -> str:
        """Time an answer took; of any other row, time since the row above."""
        view = self.view(row)
        if view.latency is not None:
            return delta_text(view.latency)
        return delta_text(view.time - self.view(row - 1).time) if row else ""

    def rowCount(self, parent: Index = ROOT) -> int:
        if parent.isValid():
            return 0
        return self._seen if self._shown is None else len(self._shown)

    def columnCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: Index, role: int = DISPLAY) -> object:
        if role in (DISPLAY, ACCESSIBLE):
            return self.text(index.row(), index.column())
        if role == TOOLTIP:
            return self._tip(index.row(), index.column())
        return None

    def text(self, row: int, column: int) -> str:
        """What a cell says, in words also where the delegate paints a glyph."""
        view = self.view(row)
        if column == GUTTER:
            return f"answers {view.reply_to}" if view.reply_to else ""
        if column == NUMBER:
            return count(view.number)
        if column == DELTA:
            return self.delta(row)
        if column == TIME:
            return clock(view.time, self._desk.timezone, millis=True)
        if column == WAY:
            return "sent" if view.outgoing else "received"
        if column == PEER:
            return view.peer
        if column == ELEMENT:
            return view.element
        if column == SUMMARY:
            return f"by hand: {view.summary}" if view.composed else view.summary
        return verdict_text(view)

    def _tip(self, row: int, column: int) -> str | None:
        if column == TIME:
            return self.view(row).time.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"
        return self.text(row, column) if column in (PEER, ELEMENT, SUMMARY, VERDICT) else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = DISPLAY) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == DISPLAY:
            return COLUMNS[section][0]
        if role == ACCESSIBLE:
            return WORDLESS.get(section, COLUMNS[section][0])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if section in (NUMBER, DELTA) else _LEFT
        return None


class MessageTable(QTableView):
    """The list itself; tells which message is chosen and follows the tail while its end is in sight."""

    chosen_changed = Signal(int)
    """Number of the message that was chosen by hand; 0 for none."""
    pause_wanted = Signal()
    key_pressed = Signal(str)
    """A letter with or without Shift, as ``M`` or ``Shift+D``, that the list itself does nothing with."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.rows = MessageModel(desk)
        self.chosen: MessageView | None = None
        self.hits: list[int] = []
        """Numbers of the messages that a search found, ascending."""
        self.marks: Mapping[int, str] = {}
        """Note by number of each marked message."""
        self.following = True
        """Whether the end is in sight, and new rows are to be too."""
        self.setObjectName("message_list")
        self.setAccessibleName("Messages")
        self.setModel(self.rows)
        self.setItemDelegate(MessageDelegate(self))
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        self.setTabKeyNavigation(False)
        # Scrolling by a row then moves the picture and paints one row; a viewport that shines through is painted anew.
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._lay_out_headers()
        self.selectionModel().currentRowChanged.connect(self._current_changed)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        self.verticalScrollBar().rangeChanged.connect(self._grown)

    def _lay_out_headers(self) -> None:
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setMinimumSectionSize(ROW)
        rows.setDefaultSectionSize(ROW)
        header = self.horizontalHeader()
        header.setFont(ui(12))
        header.setHighlightSections(False)
        header.setMinimumSectionSize(16)
        for section, (_, width) in enumerate(COLUMNS):
            if width:
                header.resizeSection(section, width)
            else:
                header.setSectionResizeMode(section, QHeaderView.ResizeMode.Stretch)
        for section in (GUTTER, WAY):
            header.setSectionResizeMode(section, QHeaderView.ResizeMode.Fixed)

    @Slot(int)
    def _scrolled(self, value: int) -> None:
        self.following = value >= self.verticalScrollBar().maximum()

    @Slot(int, int)
    def _grown(self, _low: int, high: int) -> None:
        if self.following:
            self.verticalScrollBar().setValue(high)

    def catch_up(self) -> None:
        """Show what came in; stays at the end if the end was in sight."""
        self.rows.forget_views()
        self.rows.catch_up()
        self._refresh_chosen()
        self.viewport().update()

    def follow_tail(self) -> None:
        """Go to the end and stay there."""
        self.following = True
        self.scrollToBottom()

    def set_filter(self, text: str, session: str) -> None:
        """Narrow the list; the chosen message stays chosen if it is still shown."""
        number = self.chosen.number if self.chosen else 0
        follow = self.following
        self.rows.set_filter(text, session)
        if self.rows.error:
            return
        if not number or not self.choose(number):
            self.chosen = None
            if follow:
                self.follow_tail()

    def reselect(self) -> None:
        """Ask the filter again; what was chosen and where one was stay."""
        number, follow = self.chosen.number if self.chosen else 0, self.following
        top = self.rows.log_row(self.rowAt(0)) if self.rowAt(0) >= 0 else -1
        before = self.rows.rowCount()
        self.rows.reselect()
        if self.rows.rowCount() == before and number and self.currentIndex().isValid():
            return
        if number:
            self.choose(number)
        if follow:
            self.follow_tail()
        elif top >= 0:
            self.verticalScrollBar().setValue(self.rows.row_at_or_after(top))

    def choose(self, number: int) -> bool:
        """Select and show a message; False where the filter hides it."""
        row = self.rows.row_of(number)
        if row < 0:
            self.clearSelection()
            self.chosen = None
            return False
        if self.currentIndex().row() != row or self.chosen is None:
            self.setCurrentIndex(self.rows.index(row, NUMBER))
            self.selectRow(row)
            self._bring_in(row)
        return True

    def _bring_in(self, row: int) -> None:
        """Scroll so that both halves of the exchange are seen, the chosen one in any case."""
        view = self.rows.view(row)
        partner = self.rows.row_of(view.reply_to or view.answered_by)
        for each in (partner, row):
            if each >= 0:
                self.scrollTo(self.rows.index(each, NUMBER))

    def _refresh_chosen(self) -> None:
        row = self.currentIndex().row()
        if self.chosen is not None and 0 <= row < self.rows.rowCount():
            self.chosen = self.rows.view(row)

    @Slot(QModelIndex, QModelIndex)
    def _current_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        self.chosen = self.rows.view(current.row()) if current.isValid() else None
        self.viewport().update()
        if self.chosen is not None:
            self.chosen_changed.emit(self.chosen.number)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), col("panel"))
        painter.end()
        super().paintEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        # The item view would select the first row of all, which nobody asked for.
        QWidget.focusInEvent(self, event)
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_row()
        elif event.key() == Qt.Key.Key_Space:
            self.pause_wanted.emit()
        elif event.key() in (Qt.Key.Key_J, Qt.Key.Key_K) and not event.modifiers():
            self._step(1 if event.key() == Qt.Key.Key_J else -1)
        elif event.text().isalpha() and not event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier:
            shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            self.key_pressed.emit(("Shift+" if shift else "") + event.text().upper())
        else:
            super().keyPressEvent(event)

    def _step(self, by: int) -> None:
        row = min(max(self.currentIndex().row() + by, 0), self.rows.rowCount() - 1)
        if row >= 0:
            self.setCurrentIndex(self.rows.index(row, NUMBER))

    def is_hit(self, number: int) -> bool:
        at = bisect_left(self.hits, number)
        return at < len(self.hits) and self.hits[at] == number

    def copy_row(self) -> None:
        """Put the chosen row on the clipboard as tab-separated text."""
        row = self.currentIndex().row()
        if row >= 0:
            cells = (self.rows.text(row, column) for column in range(NUMBER, len(COLUMNS)))
            QGuiApplication.clipboard().setText("\t".join(cells))
