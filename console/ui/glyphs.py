"""Glyphs and lines of text as painters draw them: direction, state, verdict, opt, alarm, event bar, hatching.

Glyphs are painted, not font characters, so that they have one size everywhere. Shape carries the meaning and colour
repeats it: findings are outlined, alarms are filled and numbered, and the two are never swapped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF

from console.ui.theme import RADIUS_BAR, col, ui

Align = Literal["l", "r", "c"]
Opt = Literal["in", "out", "wait", ""]

_ROUND = (Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
_ALIGN = {
    "l": Qt.AlignmentFlag.AlignLeft,
    "r": Qt.AlignmentFlag.AlignRight,
    "c": Qt.AlignmentFlag.AlignHCenter,
}

STATE_GLYPH = {"ok": "on", "late": "late", "never": "never", "failed": "failed", "offline": "failed"}
"""Glyph of a session or presence state."""
OPT_GLYPH = {"optIn": "ok", "optOut": "x", "": "wait"}
"""Glyph of an oadrOptType; empty is no answer yet."""
ALARM_NUMBER = {"critical": "1", "high": "2", "medium": "3", "low": "4"}


def _arrow(painter: QPainter, cx: float, cy: float, r: float, way: int) -> None:
    painter.drawLine(QPointF(cx - way * r * 0.8, cy), QPointF(cx + way * r * 0.8, cy))
    tip = QPointF(cx + way * r * 0.8, cy)
    back = cx + way * r * 0.2
    painter.drawPolyline([QPointF(back, cy - r * 0.55), tip, QPointF(back, cy + r * 0.55)])


def _cross(painter: QPainter, cx: float, cy: float, k: float) -> None:
    painter.drawLine(QPointF(cx - k, cy - k), QPointF(cx + k, cy + k))
    painter.drawLine(QPointF(cx - k, cy + k), QPointF(cx + k, cy - k))


def _tick(painter: QPainter, cx: float, cy: float, r: float) -> None:
    painter.drawPolyline(
        [
            QPointF(cx - r * 0.7, cy + r * 0.05),
            QPointF(cx - r * 0.15, cy + r * 0.6),
            QPointF(cx + r * 0.75, cy - r * 0.6),
        ]
    )


def _three_dots(painter: QPainter, cx: float, cy: float, r: float) -> None:
    painter.setBrush(painter.pen().color())
    painter.setPen(Qt.PenStyle.NoPen)
    for k in (-0.65, 0.0, 0.65):
        painter.drawEllipse(QPointF(cx + k * r, cy), 1.2, 1.2)


def _disc(painter: QPainter, cx: float, cy: float, r: float, fill: str) -> None:
    dot = r * 0.68
    painter.drawEllipse(QPointF(cx, cy), dot, dot)
    painter.setBrush(painter.pen().color())
    if fill == "full":
        painter.drawEllipse(QPointF(cx, cy), dot, dot)
    elif fill == "half":
        painter.drawPie(QRectF(cx - dot, cy - dot, 2 * dot, 2 * dot), 90 * 16, 180 * 16)


def _error(painter: QPainter, cx: float, cy: float, r: float) -> None:
    painter.drawEllipse(QPointF(cx, cy), r * 0.92, r * 0.92)
    _cross(painter, cx, cy, r * 0.34)


def _warning(painter: QPainter, cx: float, cy: float, r: float) -> None:
    corners = [QPointF(cx, cy - r * 0.85), QPointF(cx + r, cy + r * 0.8), QPointF(cx - r, cy + r * 0.8)]
    painter.drawPolygon(QPolygonF(corners))
    painter.drawLine(QPointF(cx, cy - r * 0.25), QPointF(cx, cy + r * 0.2))
    painter.drawPoint(QPointF(cx, cy + r * 0.5))


def _info(painter: QPainter, cx: float, cy: float, r: float) -> None:
    painter.drawEllipse(QPointF(cx, cy), r * 0.92, r * 0.92)
    painter.drawLine(QPointF(cx, cy), QPointF(cx, cy + r * 0.45))
    painter.drawPoint(QPointF(cx, cy - r * 0.4))


_SHAPES: dict[str, Callable[[QPainter, float, float, float], None]] = {
    "out": lambda p, x, y, r: _arrow(p, x, y, r, 1),
    "in": lambda p, x, y, r: _arrow(p, x, y, r, -1),
    "ok": _tick,
    "x": lambda p, x, y, r: _cross(p, x, y, r * 0.58),
    "failed": lambda p, x, y, r: _cross(p, x, y, r * 0.58),
    "wait": _three_dots,
    "on": lambda p, x, y, r: _disc(p, x, y, r, "full"),
    "late": lambda p, x, y, r: _disc(p, x, y, r, "half"),
    "never": lambda p, x, y, r: _disc(p, x, y, r, "none"),
    "error": _error,
    "warning": _warning,
    "info": _info,
}
GLYPHS = (*_SHAPES, *(f"alarm_{priority}" for priority in ALARM_NUMBER))


def _alarm(painter: QPainter, priority: str, cx: float, cy: float, size: float) -> None:
    r, role = size / 2, f"alarm_{priority}"
    painter.setBrush(col(role))
    painter.setPen(QPen(col(f"{role}_ink"), 1, *_ROUND))
    lift = 0.0
    if priority == "critical":
        painter.drawRoundedRect(QRectF(cx - r, cy - r, size, size), 1.5, 1.5)
    elif priority == "low":
        painter.drawEllipse(QPointF(cx, cy), r, r)
    else:
        tip = -1 if priority == "high" else 1
        lift = -1.5 * tip
        foot = cy - tip * r * 0.9
        corners = [QPointF(cx, cy + tip * r), QPointF(cx + r * 1.1, foot), QPointF(cx - r * 1.1, foot)]
        painter.drawPolygon(QPolygonF(corners))
    painter.setPen(col(f"on_{role}"))
    painter.setFont(ui(size * 0.62, 600))
    box = QRectF(cx - r, cy - r + lift, size, size)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, ALARM_NUMBER[priority])


def glyph(painter: QPainter, name: str, cx: float, cy: float, size: float = 12, role: str | None = None) -> None:
    """Draw the glyph ``name`` (see :data:`GLYPHS`) centred on ``cx``, ``cy`` in a square of ``size`` px.

    ``role`` is its ink; findings and alarms bring their own.

    Raises
    ------
    KeyError
        For a name that is no glyph.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if name.startswith("alarm_"):
        _alarm(painter, name.removeprefix("alarm_"), cx, cy, size)
    else:
        finding = name in ("error", "warning", "info")
        ink = role or (f"finding_{name}" if finding else "text_muted")
        painter.setPen(QPen(col(ink), 1.4 if finding else 1.5, *_ROUND))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        _SHAPES[name](painter, cx, cy, size / 2)
    painter.restore()


def width_of(text: str, font: QFont) -> float:
    """Width of ``text`` in px."""
    return QFontMetricsF(font).horizontalAdvance(text)


def put(
    painter: QPainter,
    rect: QRectF | QRect,
    text: str,
    role: str | QColor = "text",
    font: QFont | None = None,
    align: Align = "l",
    elide: bool = True,
) -> float:
    """Draw one line of text, centred in height and elided at the right; returns the width it took in px."""
    font = font or ui()
    painter.setFont(font)
    painter.setPen(col(role) if isinstance(role, str) else role)
    metrics = QFontMetricsF(font)
    box = QRectF(rect)
    if elide:
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, box.width())
    painter.drawText(box, _ALIGN[align] | Qt.AlignmentFlag.AlignVCenter, text)
    return metrics.horizontalAdvance(text)


def hatch(
    painter: QPainter,
    rect: QRectF,
    role: str = "limit_hatch",
    step: float = 6,
    alpha: float = 1.0,
    down: bool = False,
) -> None:
    """Diagonal 1-px hatching in device space: it is not stretched with a plot, as a brush pattern would be."""
    painter.save()
    painter.setClipRect(rect, Qt.ClipOperation.IntersectClip)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(col(role, alpha), 1))
    height = rect.height()
    x = rect.left() - height
    x -= x % step
    while x < rect.right() + height:
        if down:
            painter.drawLine(QPointF(x, rect.top()), QPointF(x + height, rect.bottom()))
        else:
            painter.drawLine(QPointF(x, rect.bottom()), QPointF(x + height, rect.top()))
        x += step
    painter.restore()


def event_bar(
    painter: QPainter,
    rect: QRectF,
    status: str,
    text: str,
    opt: Opt = "",
    font: QFont | None = None,
) -> None:
    """Bar of an event: far hollow, near hatched, active solid, completed grey, cancelled struck, draft dashed.

    ``status`` is an eventStatus, or ``draft``; ``opt`` draws the end cap ``in`` ✓, ``out`` ✕ or ``wait`` ···.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    draft = status == "draft"
    base = "far" if draft or status == "none" else status
    edge = QPen(col("accent" if draft else f"event_{base}_edge"), 1)
    if status in ("cancelled", "draft"):
        edge.setStyle(Qt.PenStyle.DashLine)
    path = QPainterPath()
    body = QRectF(rect.left() + 0.5, rect.top() + 0.5, max(2.0, rect.width() - 1), rect.height() - 1)
    path.addRoundedRect(body, RADIUS_BAR, RADIUS_BAR)
    painter.fillPath(path, col("selection", 0.55) if draft else col(f"event_{base}"))
    if base == "near":
        painter.save()
        painter.setClipPath(path, Qt.ClipOperation.IntersectClip)
        hatch(painter, body, "event_near_edge", 7, 0.22)
        painter.restore()
    painter.setPen(edge)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(path)
    line = QFont(font or ui(12, 500))
    line.setStrikeOut(status == "cancelled")
    cap = 20 if opt and body.width() > 28 else 0
    if cap:
        x = body.right() - cap
        painter.setPen(QPen(col(f"event_{base}_edge", 0.6), 1))
        painter.drawLine(QPointF(x, body.top() + 3), QPointF(x, body.bottom() - 3))
        name = {"in": "ok", "out": "x", "wait": "wait"}[opt]
        glyph(painter, name, x + cap / 2, body.center().y(), 11, f"event_{base}_text")
    if body.width() - cap > 16:
        put(painter, body.adjusted(7, 0, -4 - cap, 0), text, "accent" if draft else f"event_{base}_text", line)
    painter.restore()
