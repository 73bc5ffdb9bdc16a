"""Glyphs tell states apart by shape, text is elided where it does not fit, numbers are written as the window writes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication

from console.ui import glyphs, words
from console.ui.theme import apply_theme, col, ui


@pytest.fixture(autouse=True)
def themed(qapp: QApplication) -> None:
    apply_theme(qapp, "light")


def drawn(paint, width: int = 32, height: int = 32) -> QImage:
    image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    paint(painter)
    painter.end()
    return image


def shape(name: str) -> bytes:
    """The glyph as black and white, so that only its form counts."""
    image = drawn(lambda painter: glyphs.glyph(painter, name, 16, 16, 20, "text"))
    mono = image.convertToFormat(QImage.Format.Format_Mono, Qt.ImageConversionFlag.ThresholdDither)
    return bytes(mono.constBits())


def test_every_glyph_has_a_form_of_its_own() -> None:
    same = {"x", "failed"}
    forms = {name: shape(name) for name in glyphs.GLYPHS if name not in same}
    assert len(set(forms.values())) == len(forms)
    assert shape("x") == shape("failed")


def test_a_glyph_leaves_the_painter_as_it_was() -> None:
    def paint(painter: QPainter) -> None:
        pen, brush = painter.pen(), painter.brush()
        for name in glyphs.GLYPHS:
            glyphs.glyph(painter, name, 16, 16)
        assert (painter.pen(), painter.brush()) == (pen, brush)

    drawn(paint)


def test_an_unknown_glyph_is_an_error() -> None:
    with pytest.raises(KeyError):
        drawn(lambda painter: glyphs.glyph(painter, "smile", 16, 16))


def test_text_that_fits_takes_its_width_and_other_text_is_elided() -> None:
    widths: list[float] = []

    def paint(painter: QPainter) -> None:
        widths.append(glyphs.put(painter, QRectF(0, 0, 200, 24), "oadrPoll"))
        widths.append(glyphs.put(painter, QRectF(0, 0, 30, 24), "oadrCreatedPartyRegistration"))

    drawn(paint, 240)
    assert widths[0] == pytest.approx(glyphs.width_of("oadrPoll", ui()))
    assert widths[1] <= 30


def test_hatching_stays_inside_its_rectangle() -> None:
    image = drawn(lambda painter: glyphs.hatch(painter, QRectF(8, 8, 16, 16)))
    outside = [(x, y) for x in range(32) for y in range(32) if not (7 <= x <= 24 and 7 <= y <= 24)]
    assert all(image.pixelColor(x, y) == Qt.GlobalColor.white for x, y in outside)
    assert any(image.pixelColor(x, 16) != Qt.GlobalColor.white for x in range(9, 23))


@pytest.mark.parametrize("status", ["none", "far", "near", "active", "completed", "cancelled", "draft"])
@pytest.mark.parametrize("opt", ["in", "out", "wait", ""])
def test_an_event_bar_is_drawn_at_any_width(status: str, opt: glyphs.Opt) -> None:
    for width in (1, 10, 24, 120):
        image = drawn(lambda p, w=width: glyphs.event_bar(p, QRectF(2, 4, w, 20), status, "e-17", opt), 130)
        assert any(image.pixelColor(2 + min(width, 2) // 2, y) != Qt.GlobalColor.white for y in range(4, 24))


def test_a_near_bar_does_not_hatch_beyond_a_clip() -> None:
    def paint(painter: QPainter) -> None:
        painter.setClipRect(QRectF(0, 0, 40, 32))
        glyphs.event_bar(painter, QRectF(10, 4, 100, 20), "near", "")

    image = drawn(paint, 120)
    assert all(image.pixelColor(x, y) == Qt.GlobalColor.white for x in range(42, 120) for y in range(32))


def test_an_active_bar_is_filled_with_its_role() -> None:
    image = drawn(lambda painter: glyphs.event_bar(painter, QRectF(0, 0, 100, 20), "active", ""), 100)
    assert image.pixelColor(50, 10) == col("event_active")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (430.2, "430\u00a0W"),
        (999.4, "999\u00a0W"),
        (999.6, "1.00\u00a0kW"),
        (7590.0, "7.59\u00a0kW"),
        (-1600.0, "\u22121.60\u00a0kW"),
        (-0.2, "0\u00a0W"),
    ],
)
def test_power_is_written_with_its_unit(value: float, text: str) -> None:
    assert words.watts(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0\u00a0s"),
        (42, "42\u00a0s"),
        (371, "06:11"),
        (3600, "1\u00a0h"),
        (4320, "1\u00a0h 12\u00a0min"),
        (97200, "1\u00a0d 3\u00a0h"),
    ],
)
def test_a_span_is_written_short(seconds: int, text: str) -> None:
    assert words.span(timedelta(seconds=seconds)) == text


def test_counts_and_clocks() -> None:
    moment = datetime(2026, 6, 16, 8, 42, 3, 214999, UTC)
    zone = ZoneInfo("Europe/Amsterdam")
    assert words.count(88310) == "88\u2009310"
    assert words.plural(1, "VEN") == "1 VEN"
    assert words.plural(12, "VEN") == "12 VENs"
    assert words.percent(0.61) == "61\u00a0%"
    assert words.size(6312) == "6\u2009312 bytes"
    assert words.clock(moment, zone, millis=True) == "10:42:03.214"
    assert words.short_clock(moment, zone) == "10:42"
    assert words.offset(moment, zone) == "+02:00"
    assert words.offset(moment, ZoneInfo("America/New_York")) == "\u221204:00"
