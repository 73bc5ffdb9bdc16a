"""The Site view as a whole: reasons, empty state, folding, light, clock, shared choice, and silence when hidden."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from PySide6.QtCore import Qt, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from console.ui.cursor import TimeCursor
from console.ui.flow_layout import CONNECTION_POINT
from console.ui.site import NO_SITE, SiteView
from console.ui.theme import apply_theme, use_theme
from tests.ui.fake_desk import FakeDesk, empty_desk
from tests.ui.fake_lab import NOW, lab_site

SITE = frozenset({"site"})


@pytest.fixture(autouse=True, scope="module")
def themed(qapp: QApplication) -> None:
    """Sizes are those of the shipped fonts and style sheet."""
    apply_theme(qapp, "light")


@pytest.fixture(autouse=True)
def no_qt_warnings() -> Iterator[None]:
    """Qt says nothing while a test runs; offscreen windows have no size hints to pass on."""
    said: list[str] = []

    def hear(kind: QtMsgType, context: object, text: str) -> None:
        if "propagateSizeHints" not in text:
            said.append(text)

    before = qInstallMessageHandler(hear)
    yield
    qInstallMessageHandler(before)
    assert said == []


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def cursor(qapp: object) -> TimeCursor:
    return TimeCursor()


@pytest.fixture
def view(qtbot: QtBot, desk: FakeDesk, cursor: TimeCursor) -> SiteView:
    return shown(qtbot, desk, cursor, 1232, 736)


def shown(qtbot: QtBot, desk: FakeDesk, cursor: TimeCursor, width: int, height: int) -> SiteView:
    view = SiteView(desk, cursor)
    qtbot.addWidget(view)
    view.resize(width, height)
    with qtbot.waitExposed(view):
        view.show()
    return view


def test_every_reason_is_a_line_with_its_device(view: SiteView, desk: FakeDesk) -> None:
    assert view.reasons.texts == list(lab_site().reasons)
    assert "limit 7.00 kW from event e-17 until 11:30" in view.reasons.texts[0][1]
    desk.site_view = replace(lab_site(), reasons=(("EVSE", "EVSE held at 4.1 kW: limit 7 kW from event e-17."),))
    view.refresh(SITE)
    assert view.reasons.texts == [("EVSE", "held at 4.1 kW: limit 7 kW from event e-17.")]


def test_no_reason_is_said_too(view: SiteView, desk: FakeDesk) -> None:
    desk.site_view = replace(lab_site(), reasons=())
    before = view.reasons.height()
    view.refresh(SITE)
    assert view.reasons.texts == [("", "No device is held: each takes what it wants.")]
    assert view.reasons.height() == before, "the plots stay where they are"


def test_a_refresh_shows_the_new_instant_everywhere(view: SiteView, desk: FakeDesk) -> None:
    site = lab_site()
    devices = tuple(replace(each, power_w=4140.0) if each.name == "EVSE" else each for each in site.devices)
    desk.site_view = replace(site, devices=devices, net_w=3480.0, time=NOW + timedelta(seconds=5), light="red")
    desk.time = NOW + timedelta(seconds=5)
    view.refresh(SITE)
    flows = {node.name: node.power_w for node in view.flow.flows}
    assert flows["EVSE"] == 4140.0
    assert flows[CONNECTION_POINT] == 3480.0
    card = next(card for card in view.board.cards if card.device.name == "EVSE")
    assert ("Actual", "4.14\u00a0kW") in card.rows
    assert view.light.text == "Red: grid emergency"
    assert view.plots is not None
    assert [plot._now_line.value() for plot in view.plots.stack.plots] == [desk.time.timestamp()] * 3


def test_what_does_not_concern_the_site_is_not_looked_at(
    view: SiteView, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "site", lambda: pytest.fail("asked for the site"))
    view.refresh(frozenset({"messages", "presence", "clock"}))


@pytest.mark.parametrize(
    ("light", "words"),
    [("green", "Green"), ("yellow", "Yellow"), ("red", "Red"), ("failsafe", "Failsafe")],
)
def test_the_light_is_a_word(view: SiteView, desk: FakeDesk, light: str, words: str) -> None:
    desk.site_view = replace(lab_site(), light=light)
    view.refresh(SITE)
    assert view.light.text.startswith(words)
    assert words in view.light.accessibleName()


def test_place_and_site_clock_are_shown_in_the_desks_zone(view: SiteView) -> None:
    names = [child.accessibleName() for child in view.findChildren(QWidget)]
    assert any(lab_site().place in name for name in names)
    assert "Site clock 10:42:18 +02:00" in names


def test_without_a_site_there_is_one_sentence(qtbot: QtBot, cursor: TimeCursor) -> None:
    desk = empty_desk()
    view = shown(qtbot, desk, cursor, 1232, 736)
    seen = [child for child in view.findChildren(QLabel) if child.isVisible()]
    assert [child.text() for child in seen] == [NO_SITE]
    desk.site_view = lab_site()
    view.refresh(SITE)
    assert view.flow.isVisible()
    assert len(view.flow.flows) == 6
    desk.site_view = None
    view.refresh(SITE)
    assert not view.flow.isVisible()


def test_a_site_that_comes_later_gets_its_plots_filled(qtbot: QtBot, cursor: TimeCursor) -> None:
    desk = empty_desk()
    view = shown(qtbot, desk, cursor, 1232, 736)
    desk.site_view = lab_site()
    view.refresh(SITE)
    view.refresh(SITE)
    assert view.plots is not None
    assert len(view.plots.stack.plots) == 3


def test_the_cards_fold_under_where_the_view_is_narrow(qtbot: QtBot, desk: FakeDesk, cursor: TimeCursor) -> None:
    view = shown(qtbot, desk, cursor, 1232, 736)
    assert not view.folded
    assert view.board.mapTo(view, view.board.rect().topLeft()).x() >= view.flow.width()
    view.resize(816, 476)
    assert view.folded
    qtbot.waitUntil(lambda: view.board.width() > 700)
    assert view.board.mapTo(view, view.board.rect().topLeft()).y() > 476, "reached by scrolling"
    assert view.flow.width() <= 816
    view.resize(1232, 736)
    assert not view.folded
    assert all(card.isVisible() for card in view.board.cards)


def test_the_designed_size_needs_no_scrolling(view: SiteView) -> None:
    column = view._column_scroll
    assert column.verticalScrollBar().maximum() == 0


def test_the_chosen_device_is_shared(view: SiteView, cursor: TimeCursor) -> None:
    view.board.device_chosen.emit("Battery")
    assert cursor.device_name == "Battery"
    assert view.flow.chosen == "Battery"
    cursor.select_device("Washer")
    assert view.flow.chosen == "Washer"
    view.flow.device_chosen.emit(CONNECTION_POINT)
    assert cursor.device_name == "", "the connection point is no device"
    assert view.flow.chosen == CONNECTION_POINT


def test_the_time_cursor_is_shared_both_ways(view: SiteView, cursor: TimeCursor) -> None:
    assert view.plots is not None
    moment = NOW - timedelta(minutes=10)
    cursor.set_time(moment)
    assert [plot._cursor_line.value() for plot in view.plots.stack.plots] == [moment.timestamp()] * 3
    view.plots.stack.plots[1].hovered.emit((moment + timedelta(minutes=1)).timestamp())
    assert cursor.moment == moment + timedelta(minutes=1)


def test_plots_rest_while_the_view_is_hidden(view: SiteView, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    view.hide()
    asked: list[str] = []
    series = desk.series
    monkeypatch.setattr(desk, "series", lambda key: (asked.append(key), series(key))[1])
    view.refresh(SITE)
    assert asked == []
    view.show()
    assert "site/net" in asked, "and are up to date when it is shown again"


def test_the_time_shown_can_be_chosen(view: SiteView) -> None:
    assert view.plots is not None
    view._choose_span(0)
    ((start, end),) = {tuple(plot._item.viewRange()[0]) for plot in view.plots.stack.plots}
    assert end - start == pytest.approx(900)


def test_it_is_repainted_in_another_theme(view: SiteView) -> None:
    light = view.grab().toImage()
    use_theme("dark")
    view.retheme()
    dark = view.grab().toImage()
    use_theme("light")
    view.retheme()
    middle = view.flow.geometry().center()
    assert light.pixelColor(middle) != dark.pixelColor(middle)


def test_what_can_be_focused_has_a_name(view: SiteView) -> None:
    nameless = [
        child
        for child in view.findChildren(QWidget)
        if child.focusPolicy() & Qt.FocusPolicy.TabFocus and child.isVisible() and child.focusProxy() is None
        if not child.accessibleName()
    ]
    assert nameless == []
    assert "EVSE takes 7.59\u00a0kW" in view.flow.accessibleDescription()
