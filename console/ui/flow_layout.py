"""Where everything of the energy-flow picture lies: who gives, who takes, and the ribbons between them, in px.

Sources stand left, loads right, the bus in the middle, all on one scale of px per kW, so that a ribbon's thickness is
its power at both ends and the bus is as tall as the sum of a side. A device changes side with its sign. Nothing is
painted here; :mod:`console.ui.flow` does that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QRectF

from console.app import views
from console.ui import words

CONNECTION_POINT = "Smart Grid Connection Point"
IDLE_W = 0.5
"""Below this a flow is shown as none."""
UNBALANCED_W = 1.0
"""A larger difference between what comes in and what goes out is a finding."""
METER_CLASS = 0.01
"""Share of a limit by which a meter of class 1 may show too much without the limit being broken (IEC 62053-21)."""

TOP = 12.0
SIDE = 16.0
BUS_WIDTH = 22.0
LOWEST = 256.0
"""Height of the picture while its nodes fit, px."""
STEPS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)
"""Round scales per decade: the picture changes its scale in steps, not with every watt."""


class Side(StrEnum):
    SOURCE = "source"
    LOAD = "load"


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of device is drawn: Lucide icon, colour role, place among its neighbours, side while idle."""

    icon: str
    role: str
    rank: int
    home: Side


GRID = "grid"
KINDS = {
    GRID: Kind("utility-pole", "series_1", 0, Side.SOURCE),
    "pv": Kind("sun", "series_2", 1, Side.SOURCE),
    "battery": Kind("battery-medium", "series_3", 2, Side.SOURCE),
    "ev": Kind("car", "series_4", 3, Side.LOAD),
    "washer": Kind("washing-machine", "series_5", 4, Side.LOAD),
    "heat pump": Kind("thermometer", "series_7", 5, Side.LOAD),
    "base load": Kind("house", "series_6", 9, Side.LOAD),
}
OTHER = Kind("zap", "series_8", 6, Side.LOAD)


def kind_of(name: str) -> Kind:
    """How to draw a kind of device; unknown kinds get a bolt and the last colour."""
    return KINDS.get(name, OTHER)


def roles_of(devices: Sequence[views.DeviceView]) -> dict[str, str]:
    """Colour role of each device by name: its kind's, or a free one for a second device of a kind."""
    taken = {"series_1"}
    roles: dict[str, str] = {}
    later: list[views.DeviceView] = []
    for device in devices:
        role = kind_of(device.kind).role
        if role in taken:
            later.append(device)
        else:
            roles[device.name] = role
            taken.add(role)
    free = [f"series_{number}" for number in (8, 7, 5, 6, 3, 4, 2) if f"series_{number}" not in taken]
    for device in later:
        roles[device.name] = free.pop(0) if free else kind_of(device.kind).role
    return roles


@dataclass(frozen=True, slots=True)
class Gauge:
    """A bar from 0 to what the node can carry, with the limit in force as a tick; magnitudes in W."""

    value_w: float
    top_w: float
    mark_w: float | None = None
    mark_text: str = ""


@dataclass(frozen=True, slots=True)
class Flow:
    """One node: the connection point or a device. ``power_w`` is a magnitude; ``side`` says which way it goes."""

    name: str
    kind: str
    role: str
    power_w: float
    side: Side
    state: str
    gauge: Gauge | None = None

    @property
    def idle(self) -> bool:
        return self.power_w < IDLE_W


@dataclass(frozen=True, slots=True)
class Balance:
    """What comes in and what goes out, W."""

    in_w: float
    out_w: float

    @property
    def sound(self) -> bool:
        return abs(self.in_w - self.out_w) <= UNBALANCED_W

    @property
    def text(self) -> str:
        """``In 10 880 W, out 10 880 W, difference 0 W``: the true difference, and sums that agree with it."""
        came, difference = round(self.in_w), round(self.out_w - self.in_w)
        unit = f"{words.NO_BREAK}W"
        sums = f"In {words.count(came)}{unit}, out {words.count(came + difference)}{unit}"
        return f"{sums}, difference {words.count(abs(difference))}{unit}"


def flows(site: views.SiteView) -> tuple[Flow, ...]:
    """The connection point and every device, sources first, each side in its standing order."""
    roles = roles_of(site.devices)
    nodes = [_connection_point(site), *(_device(device, roles[device.name]) for device in site.devices)]
    return tuple(sorted(nodes, key=lambda node: (node.side == Side.LOAD, kind_of(node.kind).rank)))


def _connection_point(site: views.SiteView) -> Flow:
    power = abs(site.net_w)
    exporting = site.net_w < 0 and power >= IDLE_W
    limit = None
    if site.limit is not None:
        bound = site.limit.lower_w if exporting else site.limit.upper_w
        # An import limit below zero asks for export: while importing nothing is left of it.
        limit = None if bound is None else max(0.0, -bound if exporting else bound)
    state = "no exchange" if power < IDLE_W else "exporting" if exporting else "importing"
    if limit is not None and power > limit + max(10.0, METER_CLASS * limit):
        state = f"{words.watts(power - limit)} over the limit"
    top = site.grid_max_w or max(power, 1.5 * (limit or 0.0), 1000.0)
    mark = f"{words.watts(limit)} limit" if limit is not None else ""
    gauge = Gauge(power, max(top, limit or 0.0), limit, mark)
    return Flow(CONNECTION_POINT, GRID, "series_1", power, Side.LOAD if exporting else Side.SOURCE, state, gauge)


def _device(device: views.DeviceView, role: str) -> Flow:
    power = abs(device.power_w)
    home = kind_of(device.kind).home
    side = home if power < IDLE_W else Side.SOURCE if device.power_w < 0 else Side.LOAD
    state = device.state
    if device.kind == "battery" and device.soc is not None:
        state = f"SoC {words.percent(device.soc)}, {state}" if state else f"SoC {words.percent(device.soc)}"
    return Flow(device.name, device.kind, role, power, side, state, _device_gauge(device))


def _device_gauge(device: views.DeviceView) -> Gauge | None:
    if device.kind != "ev" or not device.max_w:
        return None
    mark = None if device.setpoint_w is None else abs(device.setpoint_w)
    text = ""
    if mark is not None:
        text = words.watts(mark) if device.current_a is None else f"{device.current_a:.3g}{words.NO_BREAK}A"
    return Gauge(abs(device.power_w), device.max_w, mark, f"{text} set" if text else "")


def balance(nodes: Iterable[Flow]) -> Balance:
    """Sum of each side."""
    sums = {Side.SOURCE: 0.0, Side.LOAD: 0.0}
    for node in nodes:
        sums[node.side] += node.power_w
    return Balance(sums[Side.SOURCE], sums[Side.LOAD])


def figure(power: float) -> tuple[str, str]:
    """Number and unit of a node, to be set in different sizes: (``430``, ``W``), (``7.59``, ``kW``)."""
    number, _, unit = words.watts(power).partition(words.NO_BREAK)
    return number, unit


def describe(site: views.SiteView) -> str:
    """All flows in sentences, for a screen reader."""
    nodes = flows(site)
    parts: list[str] = []
    for side, verb in ((Side.SOURCE, "gives"), (Side.LOAD, "takes")):
        for node in nodes:
            if node.side == side and not node.idle:
                state = f", {node.state}" if node.state else ""
                parts.append(f"{node.name} {verb} {words.watts(node.power_w)}{state}.")
    parts += [f"{node.name} 0{words.NO_BREAK}W, {node.state}." for node in nodes if node.idle]
    if site.limit is not None:
        parts.append(limit_text(site.limit) + ".")
    return " ".join([*parts, balance(nodes).text + "."])


def limit_text(limit: views.LimitView) -> str:
    """``Import limit 7.00 kW from e-17``, without its end, which needs a time zone."""
    bounds: list[str] = []
    if limit.upper_w is not None:
        bounds.append(f"import limit {words.watts(limit.upper_w)}")
    if limit.lower_w is not None:
        bounds.append(f"export limit {words.watts(-limit.lower_w)}")
    text = " and ".join(bounds) or "limit"
    return f"{text[0].upper()}{text[1:]} from {limit.source}"


@dataclass(frozen=True, slots=True)
class Ribbon:
    """From node to bus (source) or bus to node (load), left to right; upper edge at each end, px."""

    x0: float
    y0: float
    x1: float
    y1: float
    thickness: float


@dataclass(frozen=True, slots=True)
class Node:
    flow: Flow
    rect: QRectF
    ribbon: Ribbon
    compact: bool
    """One line instead of a card, where a side has many nodes."""


@dataclass(frozen=True, slots=True)
class Layout:
    nodes: tuple[Node, ...]
    bus: QRectF
    px_per_kw: float
    balance: Balance
    height: float


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Heights of the nodes of one side, px."""

    gauge: float
    plain: float
    gap: float

    def of(self, node: Flow) -> float:
        if node.kind == GRID:
            return FULL.gauge
        return self.gauge if node.gauge else self.plain

    def total(self, nodes: Sequence[Flow]) -> float:
        return sum(self.of(node) for node in nodes) + self.gap * max(0, len(nodes) - 1)


FULL = _Sizes(gauge=94.0, plain=60.0, gap=10.0)
COMPACT = _Sizes(gauge=46.0, plain=36.0, gap=6.0)
"""One line per device where a side has many; the connection point keeps its limit in words."""


def _sizes_for(nodes: Sequence[Flow]) -> _Sizes:
    return FULL if FULL.total(nodes) <= LOWEST - 2 * TOP + 2 else COMPACT


def wanted_height(nodes: Sequence[Flow]) -> int:
    """Height at which every node is readable, px."""
    tallest = max(_sizes_for(side).total(side) for side in _sides(nodes))
    return round(max(LOWEST, tallest + 2 * TOP))


def _sides(nodes: Sequence[Flow]) -> tuple[list[Flow], list[Flow]]:
    return [node for node in nodes if node.side == Side.SOURCE], [node for node in nodes if node.side == Side.LOAD]


def round_scale(most: float) -> float:
    """Largest round scale that is not above ``most``."""
    if most <= 0:
        return 0.0
    decade = 1.0
    while most < decade:
        decade /= 10
    while most >= 10 * decade:
        decade *= 10
    return max((step * decade for step in STEPS if step * decade <= most * (1 + 1e-9)), default=decade)


def lay_out(nodes: Sequence[Flow], width: float, height: float, sums: Balance | None = None) -> Layout:
    """Place nodes, bus and ribbons in a picture of ``width`` x ``height`` px.

    ``sums`` are told as the balance instead of the nodes' own, where those are rounded.
    """
    sides = _sides(nodes)
    sums = sums or balance(nodes)
    sizes = [_sizes_for(side) for side in sides]
    size_of = {node: size for side, size in zip(sides, sizes, strict=True) for node in side}
    scale = round_scale(_scale(size_of, height, sums))
    widths = (_node_width(width, 0.285, 268), _node_width(width, 0.24, 226))
    edges = (SIDE + widths[0], width - SIDE - widths[1])
    middle = (edges[0] + edges[1]) / 2
    tall = max(sums.in_w, sums.out_w) / 1000 * scale
    bus = QRectF(middle - BUS_WIDTH / 2, height / 2 - tall / 2, BUS_WIDTH, tall)
    placed: list[Node] = []
    for side, size, left, wide in zip(sides, sizes, (SIDE, edges[1]), widths, strict=True):
        y = max(TOP, (height - size.total(side)) / 2)
        at_bus = bus.top()
        for node in side:
            rect = QRectF(left, y, wide, size.of(node))
            thickness = 0.0 if node.idle else node.power_w / 1000 * scale
            at_node = rect.center().y() - thickness / 2
            if node.side == Side.SOURCE:
                ribbon = Ribbon(rect.right(), at_node, bus.left(), at_bus, thickness)
            else:
                ribbon = Ribbon(bus.right(), at_bus, rect.left(), at_node, thickness)
            placed.append(Node(node, rect, ribbon, rect.height() < FULL.plain))
            at_bus += thickness
            y += rect.height() + size.gap
    return Layout(tuple(placed), bus, scale, sums, height)


def _node_width(width: float, share: float, most: float) -> float:
    return min(most, max(148.0, width * share))


def _scale(sizes: dict[Flow, _Sizes], height: float, sums: Balance) -> float:
    """Most px per kW at which the bus leaves room for its words and no ribbon is wider than its node."""
    most = 0.45 * height / max(sums.in_w, sums.out_w, 1.0)
    for node, size in sizes.items():
        if not node.idle:
            most = min(most, (size.of(node) - (12 if size.of(node) >= FULL.plain else 4)) / node.power_w)
    return most * 1000
