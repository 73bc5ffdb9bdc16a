"""A message as text: its source with tags muted, its bytes in hexadecimal, its HTTP head."""

from __future__ import annotations

import re

from PySide6.QtGui import QSyntaxHighlighter, QTextCharFormat, QTextDocument
from PySide6.QtWidgets import QPlainTextEdit

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

    def set_text(self, text: str) -> None:
        if text != self.toPlainText():
            self.setPlainText(text)
