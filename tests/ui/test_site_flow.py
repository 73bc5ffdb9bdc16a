"""The energy-flow picture: sides, balance, thickness, what it says, and that it stands still while nothing changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from console.app.views import DeviceView, LimitView, SiteView
from console.ui import flow_layout
from console.ui.flow import FlowPicture, paint_ribbon
from console.ui.flow_layout import CONNECTION_POINT, Flow, Gauge, Layout, Ribbon, Side
from console.ui.theme import THEMES, col, use_theme
from tests.ui.fake_lab import NOW, lab_site


def site_of(*devices: DeviceView, off_w: float = 0.0, limit: LimitView | None = None) -> SiteView:
    """The lab's site with other devices; its meter shows ``off_w`` more than they take."""
    net = sum(device.power_w for device in devices) + off_w
    return replace(lab_site(), devices=devices, net_w=net, balance_w=-off_w, limit=limit, limits=())


def named(site: SiteView, name: str) -> Flow:
    return next(node for node in flow_layout.flows(site) if node.name == name)


def laid_out(site: SiteView, width: float = 944) -> Layout:
    nodes = flow_layout.flows(site)
    return flow_layout.lay_out(nodes, width, flow_layout.wanted_height(nodes))


PV = DeviceView("PV roof", "pv", -4700.0, "limited")
BATTERY = DeviceView("Battery", "battery", 1200.0, "charging", soc=0.61)
HOUSE = DeviceView("Household", "base load", 312.0, "base load")


def test_the_lab_has_three_sources_and_three_loads_in_their_standing_order() -> None:
    nodes = flow_layout.flows(lab_site())
    assert [(node.name, node.side) for node in nodes] == [
        (CONNECTION_POINT, Side.SOURCE),
        ("PV roof", Side.SOURCE),
        ("Battery", Side.SOURCE),
        ("EVSE", Side.LOAD),
        ("Washer", Side.LOAD),
        ("Household", Side.LOAD),
    ]


def test_a_device_stands_on_the_side_its_sign_says() -> None:
    site = site_of(PV, BATTERY, HOUSE)
    assert named(site, "Battery").side == Side.LOAD
    assert named(site, CONNECTION_POINT).side == Side.LOAD, "3188 W are exported"
    discharging = replace(BATTERY, power_w=-1200.0)
    assert named(site_of(PV, discharging, HOUSE), "Battery").side == Side.SOURCE


def test_an_idle_device_stands_at_home_with_a_ribbon_of_no_width() -> None:
    site = site_of(replace(PV, power_w=0.0), replace(HOUSE, power_w=0.2))
    assert named(site, "PV roof").side == Side.SOURCE
    assert named(site, "Household").side == Side.LOAD
    assert {node.ribbon.thickness for node in laid_out(site).nodes} == {0.0}
    assert named(site, CONNECTION_POINT).state == "no exchange"


POWERS = st.lists(st.integers(-12_000, 12_000), min_size=0, max_size=10)


@given(POWERS, st.integers(560, 1600))
def test_ribbons_are_as_thick_as_their_watts_and_fill_the_bus(powers: Sequence[int], width: int) -> None:
    kinds = ["pv", "battery", "ev", "washer", "base load", "heat pump", "boiler"]
    devices = [
        DeviceView(f"device {k}", kinds[k % len(kinds)], float(power), "", max_w=11_040.0)
        for k, power in enumerate(powers)
    ]
    layout = laid_out(site_of(*devices), width)
    for side in Side:
        nodes = [node for node in layout.nodes if node.flow.side == side]
        for node in nodes:
            assert node.ribbon.thickness == pytest.approx(node.flow.power_w / 1000 * layout.px_per_kw, abs=1e-6)
            assert node.ribbon.thickness <= node.rect.height()
            assert node.rect.top() >= 0 and node.rect.bottom() <= layout.height
            at_node = node.ribbon.y0 if side == Side.SOURCE else node.ribbon.y1
            assert at_node + node.ribbon.thickness / 2 == pytest.approx(node.rect.center().y())
        for above, below in zip(nodes, nodes[1:], strict=False):
            assert above.rect.bottom() < below.rect.top(), "nodes do not overlap"
        assert sum(node.ribbon.thickness for node in nodes) == pytest.approx(layout.bus.height(), abs=1e-6)
    ends = [node.ribbon.x1 - node.ribbon.x0 for node in layout.nodes]
    assert min(ends, default=1) > 0, "there is room between nodes and bus"


def test_the_scale_keeps_to_round_steps() -> None:
    assert flow_layout.round_scale(11.3) == 10.0
    assert flow_layout.round_scale(9.99) == 8.0
    assert flow_layout.round_scale(0.0314) == pytest.approx(0.03)
    assert flow_layout.round_scale(0.0) == 0.0
    before = laid_out(lab_site())
    nudged = replace(lab_site().devices[2], power_w=7593.0)
    after = laid_out(site_of(*lab_site().devices[:2], nudged, *lab_site().devices[3:]))
    assert after.px_per_kw == before.px_per_kw


def test_the_balance_is_told_in_words_and_is_a_finding_beyond_one_watt() -> None:
    sums = flow_layout.balance(flow_layout.flows(lab_site()))
    assert sums.sound
    assert sums.text == "In 10\u2009880\u00a0W, out 10\u2009880\u00a0W, difference 0\u00a0W"
    off = flow_layout.balance(flow_layout.flows(site_of(*lab_site().devices, off_w=230.0)))
    assert not off.sound
    assert off.text.endswith("difference 230\u00a0W")
    assert off.in_w - off.out_w == pytest.approx(230.0)
    assert flow_layout.balance(flow_layout.flows(site_of(HOUSE, off_w=0.9))).sound


def test_rounding_makes_no_difference_between_what_comes_in_and_goes_out(qtbot: QtBot) -> None:
    loads = [DeviceView(f"load {k}", "boiler", 100.4, "on") for k in range(5)]
    picture = FlowPicture()
    qtbot.addWidget(picture)
    picture.show_site(site_of(*loads))
    sums = picture.layout_now().balance
    assert sums.in_w == pytest.approx(sums.out_w)
    assert sums.text == "In 502\u00a0W, out 502\u00a0W, difference 0\u00a0W"
    picture.show_site(site_of(*loads, off_w=-0.8))
    assert picture.layout_now().balance.text == "In 501\u00a0W, out 502\u00a0W, difference 1\u00a0W"


@given(st.floats(0, 2e4), st.floats(-300, 300))
def test_the_figures_of_the_balance_agree_with_the_true_difference(power: float, off: float) -> None:
    sums = flow_layout.Balance(power, max(0.0, power + off))
    came, went, difference = (int("".join(filter(str.isdigit, part))) for part in sums.text.split(","))
    assert difference == abs(came - went) == round(abs(sums.in_w - sums.out_w))
    assert abs(came - sums.in_w) <= 0.5 and abs(went - sums.out_w) <= 1.0 + 1e-6


@pytest.mark.parametrize(
    ("power", "figure"),
    [(0.0, ("0", "W")), (1.0, ("1", "W")), (311.4, ("311", "W")), (999.6, ("1.00", "kW")), (7590.0, ("7.59", "kW"))],
)
def test_a_node_tells_watts_below_one_kilowatt(power: float, figure: tuple[str, str]) -> None:
    assert flow_layout.figure(power) == figure


def inked_rows(thickness: float) -> int:
    """Rows of px that a level ribbon colours, a quarter of its way along."""
    image = QImage(200, 60, QImage.Format.Format_ARGB32)
    image.fill(col("panel"))
    painter = QPainter(image)
    paint_ribbon(painter, Ribbon(0, 20, 200, 20, thickness), "series_5")
    painter.end()
    paper = col("panel").rgb()
    return sum(image.pixel(50, y) != paper for y in range(60))


def test_a_ribbon_is_as_thick_as_its_watts_and_never_less_than_a_hairline() -> None:
    assert inked_rows(0.008) <= 2, "1 W where 1 kW is 8 px: one line, which antialiasing may spread"
    assert inked_rows(2.0) <= 3
    assert inked_rows(5.0) == 5
    assert inked_rows(40.0) == 40


def test_a_hairline_has_no_arrow() -> None:
    def darkest(thickness: float) -> bool:
        image = QImage(200, 60, QImage.Format.Format_ARGB32)
        image.fill(col("panel"))
        painter = QPainter(image)
        paint_ribbon(painter, Ribbon(0, 30, 200, 30, thickness), "series_3")
        painter.end()
        paper = col("panel").rgb()
        return any(image.pixel(x, y) != paper for x in range(200) for y in (26, 34))

    assert not darkest(0.008)
    assert darkest(1.5)


def test_the_connection_point_carries_the_limit_that_binds_its_direction() -> None:
    both = LimitView(7000.0, -3500.0, "e-18", NOW + timedelta(minutes=20))
    importing = named(site_of(replace(HOUSE, power_w=5000.0), limit=both), CONNECTION_POINT)
    assert importing.gauge == Gauge(5000.0, 11_000.0, 7000.0, "7.00\u00a0kW limit")
    exporting = named(site_of(PV, BATTERY, HOUSE, limit=both), CONNECTION_POINT)
    assert exporting.state == "exporting"
    assert exporting.gauge is not None and exporting.gauge.mark_w == 3500.0
    free = named(site_of(HOUSE), CONNECTION_POINT)
    assert free.gauge is not None and free.gauge.mark_w is None and free.gauge.mark_text == ""


def test_power_beyond_the_limit_is_said() -> None:
    limit = LimitView(4000.0, None, "e-17", None)
    beyond = named(site_of(replace(HOUSE, power_w=6930.0), limit=limit), CONNECTION_POINT)
    assert beyond.state == "2.93\u00a0kW over the limit"
    within_the_meter = named(site_of(replace(HOUSE, power_w=4030.0), limit=limit), CONNECTION_POINT)
    assert within_the_meter.state == "importing"


def test_an_import_limit_below_zero_leaves_nothing_to_import() -> None:
    limit = LimitView(-2000.0, None, "e-19", None)
    node = named(site_of(HOUSE, limit=limit), CONNECTION_POINT)
    assert node.gauge is not None and node.gauge.mark_w == 0.0
    assert node.state == "312\u00a0W over the limit"


def test_two_devices_of_a_kind_get_two_colours_while_there_are_any() -> None:
    second = replace(BATTERY, name="Garage battery")
    roles = flow_layout.roles_of([BATTERY, second, PV])
    assert roles["Battery"] == "series_3"
    assert roles["PV roof"] == "series_2"
    assert roles["Garage battery"] not in {"series_1", "series_2", "series_3"}


def test_a_reader_is_told_every_flow() -> None:
    text = flow_layout.describe(lab_site())
    for part in (
        "Smart Grid Connection Point gives 6.93\u00a0kW, importing.",
        "PV roof gives 2.35\u00a0kW",
        "EVSE takes 7.59\u00a0kW, charging, limited.",
        "Household takes 1.24\u00a0kW",
        "Import limit 7.00\u00a0kW from e-17.",
        "difference 0\u00a0W",
    ):
        assert part in text


def test_a_side_with_many_devices_gets_lines_instead_of_cards_and_the_height_it_needs() -> None:
    many = [DeviceView(f"Heat pump number {k}", "heat pump", 700.0, "heating") for k in range(10)]
    layout = laid_out(site_of(*many))
    assert layout.height > flow_layout.LOWEST
    assert all(node.compact for node in layout.nodes if node.flow.side == Side.LOAD)
    assert not next(node for node in layout.nodes if node.flow.name == CONNECTION_POINT).compact


class Paints(QObject):
    """Counts the paint events of a widget."""

    count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def test_it_is_painted_again_only_when_a_watt_or_a_word_changes(qtbot: QtBot, qapp: QApplication) -> None:
    picture, paints = FlowPicture(), Paints()
    qtbot.addWidget(picture)
    picture.show_site(lab_site())
    with qtbot.waitExposed(picture):
        picture.show()
    qapp.processEvents()
    picture.installEventFilter(paints)

    def painted(site: SiteView) -> int:
        before = paints.count
        picture.show_site(site)
        qapp.processEvents()
        return paints.count - before

    assert painted(replace(lab_site(), time=NOW + timedelta(seconds=1))) == 0
    nudged = replace(lab_site().devices[4], power_w=1240.3)
    assert painted(replace(lab_site(), devices=(*lab_site().devices[:4], nudged))) == 0
    moved = replace(lab_site().devices[4], power_w=1250.0)
    assert painted(replace(lab_site(), devices=(*lab_site().devices[:4], moved))) == 1


def test_a_node_is_chosen_by_mouse_and_by_keys(qtbot: QtBot) -> None:
    picture = FlowPicture()
    qtbot.addWidget(picture)
    picture.show_site(lab_site())
    picture.resize(944, picture.height())
    chosen: list[str] = []
    picture.device_chosen.connect(chosen.append)
    washer = next(node for node in picture.layout_now().nodes if node.flow.name == "Washer")
    at = washer.rect.center()
    qtbot.mouseClick(picture, Qt.MouseButton.LeftButton, pos=QPoint(round(at.x()), round(at.y())))
    qtbot.keyClick(picture, Qt.Key.Key_Down)
    qtbot.keyClick(picture, Qt.Key.Key_Down)
    qtbot.keyClick(picture, Qt.Key.Key_Up)
    qtbot.keyClick(picture, Qt.Key.Key_Right)
    qtbot.keyClick(picture, Qt.Key.Key_Left)
    qtbot.mouseClick(picture, Qt.MouseButton.LeftButton, pos=QPoint(472, 4))
    assert chosen == ["Washer", "Household", CONNECTION_POINT, "Household", "EVSE", CONNECTION_POINT]


def test_it_paints_every_state_in_every_theme(qtbot: QtBot) -> None:
    limit = LimitView(4000.0, None, "e-17", None)
    sites = [lab_site(), site_of(), site_of(PV, BATTERY, HOUSE), replace(lab_site(), limit=limit), site_of(off_w=90.0)]
    picture = FlowPicture()
    qtbot.addWidget(picture)
    pictures: list[bytes] = []
    for theme in THEMES:
        use_theme(theme)
        for site in sites:
            picture.show_site(site)
            picture.retheme()
            picture.resize(900, picture.height())
            image = picture.grab().toImage()
            pictures.append(bytes(image.constBits()))
    use_theme("light")
    assert len(set(pictures)) == len(THEMES) * len(sites), "each looks different"
