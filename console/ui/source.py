"""A message as text: its source with tags muted, its bytes in hexadecimal, its HTTP head."""

from __future__ import annotations

import re

from PySide6.QtCore import Signal
from PySide6.QtGui import QMouseEvent, QSyntaxHighlighter, QTextCharFormat, QTextCursor, QTextDocument
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit

from console.ui.theme import col, mono
from console.ui.words import count

HEX_WIDTH = 16
HEX_NARROW = 8
HEX_ROOM = 600
"""Px that a row of sixteen bytes needs; with less room there are eight."""
HEX_LIMIT = 64 * 1024
"""Bytes shown at most; more would take a text widget seconds to lay out."""
SOURCE_LIMIT = 512 * 1024
"""Characters shown at most, for the same reason."""
MOST_MARKED = 500
_TAG = re.compile(r"<[^>]*>?|^[^<]*>")


def hex_dump(body: bytes, limit: int = HEX_LIMIT, width: int = HEX_WIDTH) -> str:
    """Offset, ``width`` bytes, the printable ones of them; says how much was left out past ``limit``."""
    lines: list[str] = []
    for start in range(0, min(len(body), limit), width):
        row = body[start : start + width]
        groups = "  ".join(f"{row[k : k + 8].hex(' '):<23}" for k in range(0, width, 8))
        shown = "".join(chr(octet) if 32 <= octet < 127 else "." for octet in row)
        lines.append(f"{start:06x}  {groups}  {shown}")
    if len(body) > limit:
        lines.append(f"… {count(len(body) - limit)} more bytes are recorded and not shown here.")
    return "\n".join(lines)


def shortened(text: str, limit: int = SOURCE_LIMIT) -> str:
    """``text``, or its beginning and a line that says how much is missing."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}\n… {count(len(text) - limit)} more characters are recorded and not shown here."


class TagsMuted(QSyntaxHighlighter):
    """Element names muted, content in full ink: a reader looks for values."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self._format = QTextCharFormat()
        self.retheme()

    def retheme(self) -> None:
        self._format.setForeground(col("text_muted"))
        self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        for found in _TAG.finditer(text):
            self.setFormat(found.start(), found.end() - found.start(), self._format)


class TextPane(QPlainTextEdit):
    """Read-only text in the font of literals."""

    def __init__(self, name: str, wrap: bool = False) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setReadOnly(True)
        self.setFont(mono(12))
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth if wrap else QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTabChangesFocus(True)
        self.document().setDocumentMargin(10)
        self._marked = ""

    def set_text(self, text: str) -> None:
        if text != self.toPlainText():
            self.setPlainText(text)
            self.mark_text(self._marked)

    def mark_text(self, text: str) -> None:
        """Light up every place of a text, whatever its case; go to the first."""
        self._marked = text
        places: list[QTextEdit.ExtraSelection] = []
        form = QTextCharFormat()
        form.setBackground(col("match"))
        at = self.document().find(text) if text else QTextCursor()
        while not at.isNull() and len(places) < MOST_MARKED:
            place = QTextEdit.ExtraSelection()
            place.cursor, place.format = at, form  # pyright: ignore[reportAttributeAccessIssue]
            places.append(place)
            at = self.document().find(text, at)
        self.setExtraSelections(places)
        if places:
            cursor = self.textCursor()
            cursor.setPosition(places[0].cursor.selectionStart())  # pyright: ignore[reportAttributeAccessIssue]
            self.setTextCursor(cursor)

    def retheme(self) -> None:
        self.mark_text(self._marked)


class BytesPane(TextPane):
    """Bytes in hexadecimal; the range of one element lit, a click on a byte tells which it is."""

    offset_chosen = Signal(int)

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._width = HEX_WIDTH
        self._size = 0
        self._range = (0, 0)

    def show_body(self, body: bytes, width: int) -> None:
        """Show another body with ``width`` bytes a line."""
        self._width, self._size = width, min(len(body), HEX_LIMIT)
        self._range = (0, 0)
        self.set_text(hex_dump(body, width=width) or "The body is empty.")
        self.setExtraSelections([])

    def show_range(self, start: int, end: int) -> None:
        """Light the bytes from ``start`` to before ``end`` and bring the first of them into sight."""
        self._range = (start, end)
        form = QTextCharFormat()
        form.setBackground(col("selection"))
        lit: list[QTextEdit.ExtraSelection] = []
        last_row = (min(end, self._size) - 1) // self._width
        for row in range(start // self._width, last_row + 1 if end > start else 0):
            first, last = max(start, row * self._width), min(end, (row + 1) * self._width, self._size)
            block = self.document().findBlockByNumber(row).position()
            for left, right in (
                (hex_column(first % self._width), hex_column((last - 1) % self._width) + 2),
                (text_column(first % self._width, self._width), text_column((last - 1) % self._width, self._width) + 1),
            ):
                cursor = QTextCursor(self.document())
                cursor.setPosition(block + left)
                cursor.setPosition(block + right, QTextCursor.MoveMode.KeepAnchor)
                place = QTextEdit.ExtraSelection()
                place.cursor, place.format = cursor, form  # pyright: ignore[reportAttributeAccessIssue]
                lit.append(place)
        self.setExtraSelections(lit)
        if lit:
            cursor = QTextCursor(self.document())
            cursor.setPosition(self.document().findBlockByNumber(start // self._width).position())
            self.setTextCursor(cursor)
            self.centerCursor()

    def retheme(self) -> None:
        self.show_range(*self._range)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        cursor = self.cursorForPosition(event.position().toPoint())
        if not self.textCursor().hasSelection():
            offset = offset_at(cursor.blockNumber(), cursor.positionInBlock(), self._width)
            if 0 <= offset < self._size:
                self.offset_chosen.emit(offset)


def hex_column(place: int) -> int:
    """Column in a line of :func:`hex_dump` at which the digits of its ``place``-th byte begin."""
    return 8 + place // 8 * 25 + place % 8 * 3


def text_column(place: int, width: int) -> int:
    """Column at which the ``place``-th byte stands as a character, in lines of ``width`` bytes."""
    return 8 + (width // 8) * 25 + place


def offset_at(row: int, column: int, width: int) -> int:
    """The byte that stands at a place of the dump; -1 where none does."""
    first = text_column(0, width)
    if column >= first:
        place = column - first
    elif column >= 8:
        group, within = divmod(column - 8, 25)
        place = group * 8 + min(within // 3, 7)
    else:
        return -1
    return row * width + place if place < width else -1
