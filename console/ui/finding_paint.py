"""How a finding looks in a list or a tree: tinted block, glyph, what happened in words, then rule, clause and place."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter

from console.openadr.findings import Finding
from console.ui.glyphs import glyph, put
from console.ui.theme import col, ui

_WRAP = int(Qt.TextFlag.TextWordWrap)
_PAD_LEFT, _PAD_RIGHT, _PAD_TOP = 30, 10, 7
_FACTS_HEIGHT = 18
_MARGIN = 3


def place_of(finding: Finding) -> str:
    """``rule 102 · 9.2.2 Table 8 · line 18``: what the finding rests on and where it is."""
    rule = f"rule {finding.rule}" if finding.rule.isdigit() else finding.rule
    line = f"line {finding.line}" if finding.line else ""
    return " · ".join(part for part in (rule, finding.clause, line) if part)


def finding_height(finding: Finding, width: int) -> int:
    """Height in px that :func:`paint_finding` needs in a block ``width`` px wide."""
    room = max(40, width - _PAD_LEFT - _PAD_RIGHT - 2 * _MARGIN)
    text = QFontMetrics(ui(12)).boundingRect(0, 0, room, 4000, _WRAP, finding.text)
    return text.height() + _FACTS_HEIGHT + 2 * _PAD_TOP + 2 * _MARGIN


def paint_finding(painter: QPainter, rect: QRectF, finding: Finding, selected: bool = False) -> None:
    """Draw the finding as a block of its own."""
    kind = finding.severity.word
    block = rect.adjusted(_MARGIN * 2, _MARGIN, -_MARGIN * 2, -_MARGIN)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(col("focus") if selected else Qt.PenStyle.NoPen)
    painter.setBrush(col(f"finding_{kind}_tint"))
    painter.drawRoundedRect(block.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    painter.fillRect(QRectF(block.left(), block.top() + 3, 2, block.height() - 6), col(f"finding_{kind}"))
    glyph(painter, kind, block.left() + 16, block.top() + _PAD_TOP + 8, 12)
    text = block.adjusted(_PAD_LEFT, _PAD_TOP, -_PAD_RIGHT, -_PAD_TOP - _FACTS_HEIGHT)
    painter.setFont(ui(12))
    painter.setPen(col("text"))
    painter.drawText(text, _WRAP, finding.text)
    facts = QRectF(text.left(), block.bottom() - _PAD_TOP - _FACTS_HEIGHT + 3, text.width(), _FACTS_HEIGHT)
    put(painter, facts, place_of(finding), "text_muted", ui(11))
    painter.restore()
