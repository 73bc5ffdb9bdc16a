"""Paints one cell of the message list: brackets that join exchanges, direction, marks, verdict, text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from console.ui.glyphs import glyph, put
from console.ui.icons import paint_icon
from console.ui.message_columns import DELTA, ELEMENT, GUTTER, NUMBER, SUMMARY, VERDICT, WAY
from console.ui.theme import col, mono, ui

if TYPE_CHECKING:
    from console.app.views import MessageView
    from console.ui.message_list import MessageTable

Index = QModelIndex | QPersistentModelIndex
OUTER, INNER = 8.5, 13.5
"""Where the lines that join exchanges stand in the gutter, px."""
NEST = 6
"""Rows that a request and its answer may be apart and still be joined."""
FAR = NEST + 1


class MessageDelegate(QStyledItemDelegate):
    """Paints one cell of the message list."""

    def __init__(self, table: MessageTable) -> None:
        super().__init__(table)
        self._table = table

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = self._table.rows
        row, column = index.row(), index.column()
        view = model.view(row)
        rect = QRectF(option.rect)  # pyright: ignore[reportAttributeAccessIssue]
        state: QStyle.StateFlag = option.state  # pyright: ignore[reportAttributeAccessIssue]
        selected = bool(state & QStyle.StateFlag.State_Selected)
        chosen = self._table.chosen
        partner = chosen is not None and view.number in (chosen.reply_to, chosen.answered_by)
        if selected:
            active = bool(state & QStyle.StateFlag.State_Active) and self._table.hasFocus()
            painter.fillRect(rect, col("selection" if active else "selection_inactive"))
        elif partner:
            painter.fillRect(rect, col("hover"))
        if column == GUTTER:
            if selected:
                painter.fillRect(QRectF(rect.left(), rect.top(), 3, rect.height()), col("accent"))
            self._bracket(painter, rect, row, view)
        elif column == VERDICT:
            self._verdict(painter, rect, view)
        elif column == WAY:
            name, role = ("out", "text") if view.outgoing else ("in", "text_muted")
            glyph(painter, name, rect.center().x(), rect.center().y(), 11, role)
        elif column in (NUMBER, DELTA):
            if column == NUMBER:
                self._flag(painter, rect, view.number)
            put(painter, rect.adjusted(0, 0, -6, 0), model.text(row, column), "text_muted", ui(12), "r")
        else:
            worth = column != SUMMARY or selected or view.errors + view.warnings + view.infos
            font = mono(12) if column == ELEMENT else ui(12)
            role = "text" if worth else "text_muted"
            put(painter, rect.adjusted(6, 0, -4, 0), model.text(row, column), role, font)

    def _flag(self, painter: QPainter, rect: QRectF, number: int) -> None:
        """A hit of the search behind the number, a mark before it."""
        if self._table.is_hit(number):
            painter.fillRect(rect.adjusted(12, 3, -2, -3), col("match"))
        note = self._table.marks.get(number)
        if note is not None:
            paint_icon(painter, "sticky-note" if note else "flag", rect.left() + 1, rect.center().y() - 5, 11, "accent")

    def _bracket(self, painter: QPainter, rect: QRectF, row: int, view: MessageView) -> None:
        """Join request and answer where they are near each other; a stub tells of a partner further away.

        Neighbours are joined by the inner line. An exchange with others inside it, as when both ends of a wire are
        ours, or one that is selected, is joined by the outer line past the rows between.
        """
        chosen = self._table.chosen
        lit = chosen is not None and view.number in (chosen.number, chosen.reply_to, chosen.answered_by)
        painter.setPen(self._bracket_pen(lit))
        partner = view.answered_by or view.reply_to
        top, middle, bottom = rect.top(), rect.center().y(), rect.bottom() + 1
        if partner:
            away = self._table.rows.row_of(partner) - row if self._table.rows.row_of(partner) >= 0 else FAR
            near = abs(away) <= NEST or (lit and away != FAR)
            x = rect.left() + (OUTER if abs(away) > 1 and near else INNER)
            end = (bottom if view.answered_by else top) if near else middle + (5 if view.answered_by else -5)
            painter.drawLine(QPointF(x, middle), QPointF(rect.left() + INNER + 6, middle))
            painter.drawLine(QPointF(x, middle), QPointF(x, end))
        passing = self._passing(row)
        if passing is not None and not (lit and partner and abs(self._table.rows.row_of(partner) - row) > 1):
            painter.setPen(self._bracket_pen(passing))
            painter.drawLine(QPointF(rect.left() + OUTER, top), QPointF(rect.left() + OUTER, bottom))

    @staticmethod
    def _bracket_pen(lit: bool) -> QPen:
        return QPen(col("accent" if lit else "border_strong"), 1.5 if lit else 1)

    def _passing(self, row: int) -> bool | None:
        """Whether an exchange begins above this row and ends below: True if it is the selected one, None for none."""
        model, chosen = self._table.rows, self._table.chosen
        number = model.view(row).number
        if chosen is not None and self._between(number, chosen):
            return True
        for above in range(max(0, row - NEST), row):
            answer = model.view(above).answered_by
            if answer and row < model.row_of(answer) <= above + NEST:
                return False
        return None

    @staticmethod
    def _between(number: int, chosen: MessageView) -> bool:
        if chosen.answered_by:
            return chosen.number < number < chosen.answered_by
        return bool(chosen.reply_to) and chosen.reply_to < number < chosen.number

    @staticmethod
    def _verdict(painter: QPainter, rect: QRectF, view: MessageView) -> None:
        x, y = rect.left() + 14, rect.center().y()
        counts = (("error", view.errors), ("warning", view.warnings), ("info", view.infos))
        if not any(number for _, number in counts):
            glyph(painter, "ok", x, y, 10, "text_muted")
            return
        for kind, number in counts:
            if number:
                glyph(painter, kind, x, y, 12)
                box = QRectF(x + 9, rect.top(), 22, rect.height())
                x += 21 + put(painter, box, str(number) if number < 100 else "99+", f"finding_{kind}", ui(12, 600))
