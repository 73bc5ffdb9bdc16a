"""The Site view as a whole: reasons, empty state, folding, light, clock, shared choice, and silence when hidden."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from PySide6.QtCore import Qt, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from console.app.views import Series
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
    desk.site_view = replace(site, devices=devices, net_w=3480.0, time=NOW + timedelta(seconds=15), light="red")
    desk.time = NOW + timedelta(seconds=15)
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


FIVE_REASONS = (*lab_site().reasons, ("PV roof", "feeds 2.35 kW into the EVSE."), ("Household", "takes 1.24 kW."))


@pytest.mark.parametrize("reasons", [(), FIVE_REASONS[:4], FIVE_REASONS])
def test_the_designed_size_needs_no_scrolling(
    qtbot: QtBot, desk: FakeDesk, cursor: TimeCursor, reasons: tuple[tuple[str, str], ...]
) -> None:
    """The window of 1440 x 900 leaves the view 1231 x 731 px."""
    told = {
        "pv": (("Peak", "5.0 kW"), ("Inverter", "4.2 kW"), ("Curtailed", "12 Wh")),
        "battery": (("Stored", "6.1 of 10 kWh"), ("Can take", "5.0 kW"), ("Can give", "5.0 kW")),
        "ev": (("Phases", "3"), ("Target", "80%"), ("Departure", "17:30")),
        "washer": (("Programme", "2 h 18 min, 927 Wh"), ("Starts at the latest", "14:42"), ("Ready by", "17:00")),
        "base load": (("Yearly", "3500 kWh"),),
    }
    devices = tuple(replace(each, facts=told[each.kind]) for each in lab_site().devices)
    desk.site_view = replace(lab_site(), devices=devices, reasons=reasons)
    view = shown(qtbot, desk, cursor, 1231, 731)
    for area in (view._column_scroll, view._cards_scroll):
        assert area.verticalScrollBar().maximum() == 0
    assert view.plots is not None
    papers = [plot._item.getViewBox().height() for plot in view.plots.stack.plots]
    assert min(papers) >= 80
    last = view.plots.stack.plots[-1]
    assert last.mapTo(view, last.rect().bottomLeft()).y() < view.height(), "the times are inside the view"


def test_the_plots_stay_where_they_are_up_to_four_reasons(view: SiteView, desk: FakeDesk) -> None:
    assert view.plots is not None
    tops: list[int] = []
    for count in range(5):
        desk.site_view = replace(lab_site(), reasons=FIVE_REASONS[:count])
        view.refresh(SITE)
        QApplication.processEvents()
        tops.append(view.plots.mapTo(view, view.plots.rect().topLeft()).y())
    assert len(set(tops)) == 1


def test_a_message_looked_at_elsewhere_does_not_move_the_keys(view: SiteView, cursor: TimeCursor) -> None:
    assert view.plots is not None
    net = view.plots.stack.plots[0]
    now = net.key.rows
    assert now[1][:2] == ("limit", "7.00")
    cursor.set_time(NOW - timedelta(minutes=20))
    view.refresh(SITE)
    assert net.key.rows == now
    net.hovered.emit((NOW - timedelta(minutes=20)).timestamp())
    assert [row[:2] for row in net.key.rows] == [("net", "10.90")], "no limit was in force then"


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


def test_the_time_shown_follows_what_there_is_until_it_is_chosen(
    view: SiteView, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    plots = view.plots
    assert plots is not None
    buttons = {each.text().strip(): each for each in view.findChildren(QAbstractButton)}

    def length() -> float:
        view.refresh(SITE)
        ((start, end),) = {tuple(plot._item.viewRange()[0]) for plot in plots.stack.plots}
        return end - start

    assert buttons["Auto"].isChecked()
    assert length() == pytest.approx(7200), "seventy minutes and what is coming"
    full = desk.series
    monkeypatch.setattr(desk, "series", lambda key: last_seconds(full(key), 40.0))
    assert length() == pytest.approx(120), "forty seconds are not lost in an hour"
    qtbot.mouseClick(buttons["1 h"], Qt.MouseButton.LeftButton)
    assert length() == pytest.approx(3600)
    qtbot.mouseClick(buttons["Auto"], Qt.MouseButton.LeftButton)
    assert length() == pytest.approx(120)


def last_seconds(series: Series, seconds: float) -> Series:
    kept = series.times >= NOW.timestamp() - seconds
    return Series(series.times[kept], series.values[kept], series.unit)


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
