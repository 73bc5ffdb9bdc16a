"""The left list: sessions, the VENs of our VTNs, the devices of the site; a state by glyph and one muted fact each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from console.ui.bridge import CLOCK
from console.ui.cursor import TimeCursor
from console.ui.glyphs import STATE_GLYPH, glyph, put, width_of
from console.ui.theme import ROW, SIDE_WIDTH, col, ui
from console.ui.words import count, span, watts

if TYPE_CHECKING:
    from datetime import datetime

    from console.app.views import Desk, VenView

Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()
FOLDED_WIDTH = 44
SECTION, SESSION, VEN, DEVICE = "section", "session", "ven", "device"
WORRYING = ("late", "failed", "offline")


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the list."""

    kind: str
    name: str
    fact: str = ""
    state: str = ""
    tip: str = ""


def ven_fact(ven: VenView, now: datetime) -> str:
    """``3 s`` since it was heard of, ``late 00:42``, ``not registered``."""
    if not ven.registered:
        return "not registered"
    if ven.last_seen is None:
        return "not seen"
    age = span(now - ven.last_seen)
    return f"{ven.state} {age}" if ven.state in ("late", "offline") else age


def lines_of(desk: Desk) -> list[Line]:
    """The whole list as the desk stands now."""
    sessions = desk.sessions()
    lines = [Line(SECTION, "Sessions", str(len(sessions)) if len(sessions) > 1 else "")]
    lines += [Line(SESSION, each.name, each.detail, str(each.state), each.text or each.url) for each in sessions]
    vens, now = desk.vens(), desk.now()
    for owner in dict.fromkeys(ven.session for ven in vens):
        among = [ven for ven in vens if ven.session == owner]
        lines.append(Line(SECTION, f"VENs of {owner}", count(len(among))))
        lines += [Line(VEN, ven.ven_id, ven_fact(ven, now), str(ven.state), ven.name) for ven in among]
    site = desk.site()
    if site is not None:
        lines.append(Line(SECTION, f"Devices of {site.name}", count(len(site.devices))))
        lines += [Line(DEVICE, each.name, watts(each.power_w), "ok", each.state) for each in site.devices]
    return lines


class LineModel(QAbstractListModel):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []

    def set_lines(self, lines: list[Line]) -> None:
        """Replace the list; rows that only changed their fact keep the selection."""
        if lines == self.lines:
            return
        same = [(each.kind, each.name) for each in lines] == [(each.kind, each.name) for each in self.lines]
        if same:
            self.lines = lines
            self.dataChanged.emit(self.index(0), self.index(len(lines) - 1))
        else:
            self.beginResetModel()
            self.lines = lines
            self.endResetModel()

    def rowCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(self.lines)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        line = self.lines[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return " ".join(part for part in (line.name, line.fact) if part)
        if role == Qt.ItemDataRole.ToolTipRole:
            return " · ".join(part for part in (line.name, line.fact, line.tip) if part)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if index.isValid() and self.lines[index.row()].kind == SECTION:
            return Qt.ItemFlag.NoItemFlags
        return super().flags(index)


class LineDelegate(QStyledItemDelegate):
    def __init__(self, view: Sidebar) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        section = self._view.rows.lines[index.row()].kind == SECTION
        return QSize(0, 32 if section and not self._view.folded else ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        line = self._view.rows.lines[index.row()]
        rect = QRectF(option.rect)  # pyright: ignore[reportAttributeAccessIssue]
        if line.kind == SECTION:
            self._paint_section(painter, rect, line)
            return
        state: QStyle.StateFlag = option.state  # pyright: ignore[reportAttributeAccessIssue]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & QStyle.StateFlag.State_Selected:
            painter.setPen(QPen(col("focus"), 1) if self._view.hasFocus() else Qt.PenStyle.NoPen)
            painter.setBrush(col("selection"))
            painter.drawRoundedRect(rect.adjusted(6.5, 1.5, -6.5, -1.5), 4, 4)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(col("hover"))
            painter.drawRoundedRect(rect.adjusted(6, 1, -6, -1), 4, 4)
        ink = "text" if line.state in WORRYING else "text_muted"
        x = rect.center().x() - 5 if self._view.folded else rect.left() + 14
        glyph(painter, STATE_GLYPH.get(line.state, "on"), x + 5, rect.center().y() + 0.5, 11, ink)
        if self._view.folded:
            return
        font = ui(13, 500 if line.kind == SESSION else 400)
        room = rect.right() - x - 30
        name = min(width_of(line.name, font) + 2, room)
        put(painter, QRectF(x + 16, rect.top(), name, rect.height()), line.name, "text", font)
        fact = QRectF(x + 24 + name, rect.top(), rect.right() - 12 - (x + 24 + name), rect.height())
        if fact.width() > 20:
            put(painter, fact, line.fact, ink, ui(12), "r")

    def _paint_section(self, painter: QPainter, rect: QRectF, line: Line) -> None:
        if self._view.folded:
            painter.fillRect(QRectF(rect.left() + 12, rect.center().y(), rect.width() - 24, 1), col("border"))
            return
        fact = width_of(line.fact, ui(12))
        put(painter, rect.adjusted(12, 8, -18 - fact, 0), line.name, "text_muted", ui(12, 600))
        put(painter, rect.adjusted(12, 8, -12, 0), line.fact, "text_muted", ui(12), "r")


class Sidebar(QListView):
    """Choosing a session narrows the message list to it; choosing a VEN or a device selects it everywhere."""

    def __init__(self, desk: Desk, cursor: TimeCursor) -> None:
        super().__init__()
        self._desk, self._cursor = desk, cursor
        self.folded = False
        self.rows = LineModel()
        self._selected: tuple[str, str] = ("", "")
        self.setObjectName("side")
        self.setAccessibleName("Sessions, VENs and devices")
        self.setModel(self.rows)
        self.setItemDelegate(LineDelegate(self))
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedWidth(SIDE_WIDTH)
        self.clicked.connect(self._activate)
        self.activated.connect(self._activate)
        cursor.session_selected.connect(lambda name: self._show(SESSION, name))
        cursor.ven_selected.connect(lambda name: self._show(VEN, name))
        cursor.device_selected.connect(lambda name: self._show(DEVICE, name))

    def refresh(self, changed: frozenset[str]) -> None:
        if changed & {"sessions", "presence", "site", CLOCK}:
            self.rows.set_lines(lines_of(self._desk))
            self._show(*self._selected)

    def set_folded(self, folded: bool) -> None:
        """Glyphs only, in a narrow window."""
        if folded != self.folded:
            self.folded = folded
            self.setFixedWidth(FOLDED_WIDTH if folded else SIDE_WIDTH)
            bar = Qt.ScrollBarPolicy.ScrollBarAlwaysOff if folded else Qt.ScrollBarPolicy.ScrollBarAsNeeded
            self.setVerticalScrollBarPolicy(bar)
            self.scheduleDelayedItemsLayout()

    def _show(self, kind: str, name: str) -> None:
        self._selected = (kind, name)
        for row, line in enumerate(self.rows.lines):
            if (line.kind, line.name) == (kind, name) and name:
                if self.currentIndex().row() != row:
                    self.setCurrentIndex(self.rows.index(row))
                return
        self.clearSelection()
        self.setCurrentIndex(QModelIndex())

    @Slot(QModelIndex)
    def _activate(self, index: QModelIndex) -> None:
        line = self.rows.lines[index.row()]
        if line.kind == SESSION:
            # The same session again gives all messages back.
            again = self._cursor.session_name == line.name
            self._cursor.select_session("" if again else line.name)
        elif line.kind == VEN:
            self._cursor.select_ven(line.name)
            self._show(VEN, line.name)
        elif line.kind == DEVICE:
            self._cursor.select_device(line.name)
            self._show(DEVICE, line.name)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self.currentIndex().isValid():
            self._activate(self.currentIndex())
        elif event.key() == Qt.Key.Key_Escape:
            self._cursor.select_session("")
        else:
            super().keyPressEvent(event)
