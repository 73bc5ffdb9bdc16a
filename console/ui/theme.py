"""Colour roles, fonts and sizes of the window, and the one place that turns them into a QPalette and a style sheet.

Every colour is a role of ``resources/palettes/palette.json``; no other module names a hex value. A theme is applied to
the whole application at once (:func:`apply_theme`); painters ask :func:`col`, :func:`ui` and :func:`mono` when they
paint, so a switch needs a repaint and nothing else.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

ROW = 24
"""List row in px; also the smallest hit area."""
CONTROL = 28
"""Buttons and fields, px."""
BAR = 36
"""Filter bar, tab bar, pane title, px."""
TREE_ROW = 22
BOARD_ROW = 32
RADIUS_BAR = 3
RADIUS_CONTROL = 5
RADIUS_CARD = 8
SIDE_WIDTH = 208
INSPECTOR_WIDTH = 392

THEMES = ("light", "dark", "high_contrast")
FONT_FILES = (
    "Inter-Regular.otf",
    "Inter-Medium.otf",
    "Inter-SemiBold.otf",
    "JetBrainsMono-Regular.ttf",
    "JetBrainsMono-Medium.ttf",
    "JetBrainsMono-SemiBold.ttf",
)


@cache
def palette_file() -> dict[str, Any]:
    """The palette as written: ``fonts``, ``series_use`` and ``themes`` by name."""
    text = resources.files("nodebench_resources").joinpath("palettes/palette.json").read_text("utf-8")
    return json.loads(text)


class _Current:
    """What is on now. One application has one theme; painters read it far too often to pass it along."""

    name: str = "light"
    roles: dict[str, str] = {}
    icon_folder: TemporaryDirectory[str] | None = None
    fonts_loaded: bool = False


def use_theme(name: str) -> None:
    """Make ``name`` the source of :func:`col`, without touching an application.

    Raises
    ------
    KeyError
        For a name that the palette file does not have.
    """
    _Current.roles = palette_file()["themes"][name]
    _Current.name = name
    _colour.cache_clear()


def current_theme() -> str:
    """``light``, ``dark`` or ``high_contrast``."""
    return _Current.name


def hex_of(role: str) -> str:
    """Hex value of a colour role in the theme that is on, for rich text and SVG.

    Raises
    ------
    KeyError
        For a role that the palette file does not have.
    """
    if not _Current.roles:
        use_theme(_Current.name)
    return _Current.roles[role]


@cache
def _colour(role: str, alpha: float | None) -> QColor:
    colour = QColor(hex_of(role))
    if alpha is not None:
        colour.setAlphaF(alpha)
    return colour


def col(role: str, alpha: float | None = None) -> QColor:
    """Colour of a role in the theme that is on; ``alpha`` from 0 to 1."""
    return _colour(role, alpha)


@cache
def ui(px: float = 13, weight: int = 400) -> QFont:
    """Interface font at ``px`` of the 100 % layout; digits have one width."""
    font = QFont(palette_file()["fonts"]["ui"])
    font.setPixelSize(round(px))
    font.setWeight(QFont.Weight(weight))
    font.setHintingPreference(QFont.HintingPreference.PreferVerticalHinting)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


@cache
def mono(px: float = 12, weight: int = 400) -> QFont:
    """Font for literals; without ligatures, so that a literal is shown as it was sent."""
    font = QFont(palette_file()["fonts"]["mono"])
    font.setPixelSize(round(px))
    font.setWeight(QFont.Weight(weight))
    font.setHintingPreference(QFont.HintingPreference.PreferVerticalHinting)
    font.setFeature(QFont.Tag("calt"), 0)
    return font


def load_fonts() -> None:
    """Register the bundled fonts with the application; once."""
    if _Current.fonts_loaded:
        return
    folder = resources.files("nodebench_resources").joinpath("fonts")
    for name in FONT_FILES:
        QFontDatabase.addApplicationFontFromData(folder.joinpath(name).read_bytes())
    _Current.fonts_loaded = True


def system_theme(app: QApplication) -> str:
    """``dark`` where the system says so, otherwise ``light`` (many desktops do not answer)."""
    dark = app.styleHints().colorScheme() == Qt.ColorScheme.Dark
    return "dark" if dark else "light"


def qt_palette() -> QPalette:
    """QPalette of the theme that is on."""
    role_of = QPalette.ColorRole
    palette = QPalette()
    for role, token in (
        (role_of.Window, "window"),
        (role_of.WindowText, "text"),
        (role_of.Base, "panel"),
        (role_of.AlternateBase, "sunken"),
        (role_of.Text, "text"),
        (role_of.Button, "raised"),
        (role_of.ButtonText, "text"),
        (role_of.BrightText, "text"),
        (role_of.Highlight, "accent_fill"),
        (role_of.HighlightedText, "on_accent"),
        (role_of.Link, "accent"),
        (role_of.LinkVisited, "accent"),
        (role_of.PlaceholderText, "text_disabled"),
        (role_of.ToolTipBase, "raised"),
        (role_of.ToolTipText, "text"),
        (role_of.Mid, "border"),
        (role_of.Dark, "border_strong"),
        (role_of.Light, "raised"),
        (role_of.Midlight, "hover"),
        (role_of.Shadow, "border"),
    ):
        palette.setColor(role, col(token))
    for role in (role_of.WindowText, role_of.Text, role_of.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, col("text_disabled"))
    return palette


SHEET_ICONS = {
    "icon_down": ("chevron-down", "text_muted"),
    "icon_right": ("chevron-right", "text_muted"),
    "icon_checked": ("check", "on_accent"),
}
"""Icons that a style sheet can name only by file: token, Lucide name, colour role."""


def style_sheet(icon_folder: Path) -> str:
    """Style sheet of the theme that is on; the icons it needs are written to ``icon_folder``."""
    from console.ui.icons import svg

    sheet = resources.files("nodebench_resources").joinpath("palettes/window.qss").read_text("utf-8")
    for token, (name, role) in SHEET_ICONS.items():
        path = icon_folder / f"{_Current.name}-{token}.svg"
        path.write_bytes(svg(name, role))
        sheet = sheet.replace("@" + token, path.as_posix())
    text_roles = "".join(f'QLabel[role="{role}"] {{ color: {value}; }}\n' for role, value in _Current.roles.items())
    for role in sorted(_Current.roles, key=len, reverse=True):
        sheet = sheet.replace("@" + role, _Current.roles[role])
    return text_roles + sheet


def apply_theme(app: QApplication, name: str) -> None:
    """Give the whole application the theme ``name``; a running window repaints itself, views are told to retheme.

    Takes about 0.2 s with every view built, so it is done once per switch and never per widget; the theme that is on
    already costs nothing.
    """
    if name == _Current.name and app.styleSheet():
        return
    load_fonts()
    use_theme(name)
    if _Current.icon_folder is None:
        _Current.icon_folder = TemporaryDirectory(prefix="nodebench-icons-")
    if app.style().objectName() != "fusion":
        app.setStyle("Fusion")
    app.setFont(ui())
    app.setPalette(qt_palette())
    app.setStyleSheet(style_sheet(Path(_Current.icon_folder.name)))
