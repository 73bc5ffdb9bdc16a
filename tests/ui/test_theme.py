"""The look: every role is there in every theme, is readable, and no module outside the palette names a colour."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QFontInfo, QPalette
from PySide6.QtWidgets import QApplication, QLabel

from console.ui import theme
from console.ui.icons import icon, svg
from console.ui.widgets import Button, box, label

UI = Path(theme.__file__).parent
SURFACES = ("window", "panel", "raised", "sunken")


def luminance(colour: QColor) -> float:
    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF())


def contrast(one: str, other: str) -> float:
    """WCAG 2.1 contrast ratio of two colour roles."""
    high, low = sorted((luminance(theme.col(one)), luminance(theme.col(other))), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.fixture(params=theme.THEMES)
def themed(request: pytest.FixtureRequest, qapp: QApplication) -> str:
    theme.apply_theme(qapp, request.param)
    return request.param


def test_every_theme_has_the_same_roles() -> None:
    roles = [set(theme.palette_file()["themes"][name]) for name in theme.THEMES]
    assert roles[0] == roles[1] == roles[2]
    for index in range(1, 9):
        assert f"series_{index}" in roles[0]


def test_text_is_readable_on_every_surface(themed: str) -> None:
    wanted = 7.0 if themed == "high_contrast" else 4.5
    for role in ("text", "text_muted", "accent", "finding_error", "finding_warning", "finding_info", "ok"):
        for surface in SURFACES:
            assert contrast(role, surface) >= min(wanted, 4.5), (role, surface)
    for surface in (*SURFACES, "selection", "selection_inactive", "hover"):
        assert contrast("text", surface) >= wanted, surface
    for kind in ("error", "warning", "info"):
        assert contrast("text", f"finding_{kind}_tint") >= wanted


def test_what_is_on_a_fill_is_readable(themed: str) -> None:
    for fill, ink in (
        ("accent_fill", "on_accent"),
        *((f"alarm_{name}", f"on_alarm_{name}") for name in ("critical", "high", "medium", "low")),
        *((f"event_{name}", f"event_{name}_text") for name in ("far", "near", "active", "completed", "cancelled")),
    ):
        assert contrast(fill, ink) >= 4.5, fill


def test_edges_and_focus_are_seen(themed: str) -> None:
    for surface in SURFACES:
        assert contrast("focus", surface) >= 3.0
        assert contrast("border_strong", surface) >= 3.0


def test_the_style_sheet_leaves_no_role_unfilled(themed: str, tmp_path: Path) -> None:
    sheet = theme.style_sheet(tmp_path)
    assert "@" not in sheet
    assert theme.hex_of("selection") in sheet
    for path in re.findall(r"url\(([^)]+)\)", sheet):
        assert Path(path).is_file()


def test_no_module_of_the_window_names_a_colour() -> None:
    for source in sorted(UI.glob("*.py")):
        text = source.read_text("utf-8")
        assert not re.search(r"#[0-9A-Fa-f]{6}\b|#[0-9A-Fa-f]{3}\b(?=['\"])", text), source.name
        assert "QColor(" not in text.replace("QColor(hex_of(role))", ""), source.name


def test_the_bundled_fonts_are_the_ones_used(themed: str) -> None:
    assert QFontInfo(theme.ui()).family() == "Inter"
    assert QFontInfo(theme.ui()).pixelSize() == 13
    assert QFontInfo(theme.mono()).family() == "JetBrains Mono"
    assert QFontInfo(theme.mono()).fixedPitch()


def test_a_switch_reaches_palette_labels_and_icons(qapp: QApplication) -> None:
    theme.apply_theme(qapp, "light")
    text, made = label("venID", "text_muted"), Button("Copy", "", "copy")
    holder = box("h", text, made)
    holder.show()
    before = made.icon().cacheKey()
    assert text.palette().color(QPalette.ColorRole.WindowText) == theme.col("text_muted")
    theme.apply_theme(qapp, "dark")
    assert theme.current_theme() == "dark"
    assert qapp.palette().color(QPalette.ColorRole.Window) == theme.col("window")
    assert text.palette().color(QPalette.ColorRole.WindowText) == theme.col("text_muted")
    assert made.icon().cacheKey() != before
    holder.close()


def test_a_label_keeps_its_font_when_it_moves(qapp: QApplication) -> None:
    theme.apply_theme(qapp, "light")
    literal = label("e-17", "text", theme.ui(12))
    outer = box("v", box("h", literal), name="panel")
    literal.setFont(theme.mono(12))
    again = box("v", outer, name="panel")
    again.show()
    assert literal.font().families() == theme.mono(12).families()
    again.close()


def test_a_label_shows_what_a_peer_sent_as_text(qapp: QApplication) -> None:
    theme.apply_theme(qapp, "light")
    shown = label("<b>ven</b><img src='file:///etc/passwd'>")
    assert isinstance(shown, QLabel)
    assert shown.textFormat().name == "PlainText"


def test_icons_take_the_role_and_the_stroke(themed: str) -> None:
    drawn = svg("check", "accent").decode()
    assert theme.hex_of("accent") in drawn
    assert "currentColor" not in drawn
    assert 'stroke-width="2.25"' in drawn
    assert icon("check", "accent") is icon("check", "accent")
    with pytest.raises(FileNotFoundError):
        svg("no-such-icon")


def test_an_unknown_role_is_an_error(themed: str) -> None:
    with pytest.raises(KeyError):
        theme.col("fuchsia")
