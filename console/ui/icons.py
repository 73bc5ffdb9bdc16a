"""Lucide icons from ``resources/icons``, recoloured by role and rendered at the device's ratio.

The files draw with ``currentColor``; it is replaced by the role's value before rendering. Pixmaps are cached per theme.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from console.ui.theme import current_theme, hex_of

STROKE = "2.25"
"""Of the 24 grid: 1.5 px when drawn at 16 px."""
RATIO = 2
"""Pixmaps are made for a ratio of 2; Qt scales them down for plain screens."""


@cache
def _source(name: str) -> str:
    return resources.files("nodebench_resources").joinpath(f"icons/{name}.svg").read_text("utf-8")


def svg(name: str, role: str = "text_muted") -> bytes:
    """The icon as SVG in the colour of ``role``.

    Raises
    ------
    FileNotFoundError
        For a name that is not in ``resources/icons``.
    """
    source = _source(name).replace("currentColor", hex_of(role))
    return source.replace('stroke-width="2"', f'stroke-width="{STROKE}"').encode()


@cache
def _renderer(name: str, role: str, theme: str) -> QSvgRenderer:
    return QSvgRenderer(QByteArray(svg(name, role)))


def paint_icon(painter: QPainter, name: str, x: float, y: float, size: float, role: str = "text_muted") -> None:
    """Draw the icon into the square of ``size`` px whose upper left corner is ``x``, ``y``."""
    _renderer(name, role, current_theme()).render(painter, QRectF(x, y, size, size))


@cache
def _icon(name: str, role: str, size: int, theme: str) -> QIcon:
    pixmap = QPixmap(size * RATIO, size * RATIO)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    _renderer(name, role, theme).render(painter, QRectF(0, 0, size * RATIO, size * RATIO))
    painter.end()
    pixmap.setDevicePixelRatio(RATIO)
    return QIcon(pixmap)


def icon(name: str, role: str = "text_muted", size: int = 16) -> QIcon:
    """The icon for a button or a menu, in the theme that is on."""
    return _icon(name, role, size, current_theme())
