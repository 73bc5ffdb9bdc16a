"""The energy-flow picture: connection point and devices around the bus, ribbons as thick as their watts.

It is repainted only when what it shows has changed: nothing moves while the flows stand still. A node is chosen with
the mouse or the arrow keys; the text alternative of the whole picture is its accessible description.
"""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from console.app import views
from console.ui import flow_layout, words
from console.ui.flow_layout import Balance, Flow, Gauge, Layout, Node, Ribbon, Side
from console.ui.glyphs import glyph, hatch, put, width_of
from console.ui.icons import paint_icon
from console.ui.theme import RADIUS_CARD, col, ui

HAIRLINE = 1.0
"""A ribbon thinner than this has no arrow: it would weigh more than the flow, px."""
LEAST_BODY = 2.0
"""A ribbon thinner than this is one stroke; from here it has a body between two edges, px."""
_ROUND = (Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)


class FlowPicture(QWidget):
    """Who gives, who takes, how much, and whether it adds up."""

    device_chosen = Signal(str)
    """Name of the device whose node was clicked or reached by keys."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("flow")
        self.setAccessibleName("Energy flow")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(480)
        self._name = ""
        self._flows: tuple[Flow, ...] = ()
        self._balance = Balance(0.0, 0.0)
        self._chosen = ""
        self._layout: Layout | None = None

    @property
    def flows(self) -> tuple[Flow, ...]:
        """What is shown."""
        return self._flows

    @property
    def chosen(self) -> str:
        return self._chosen

    def show_site(self, site: views.SiteView) -> None:
        """Show the flows of this instant; painted again only where a watt or a word has changed."""
        exact = flow_layout.flows(site)
        shown, sums = tuple(_as_shown(node) for node in exact), flow_layout.balance(exact)
        if (shown, site.name, sums.text) == (self._flows, self._name, self._balance.text):
            return
        self._flows, self._name, self._balance = shown, site.name, sums
        self._layout = None
        self.setAccessibleDescription(flow_layout.describe(site))
        self._fit()
        self.update()

    def choose(self, device: str) -> None:
        """Mark a device's node, without telling anyone."""
        if device != self._chosen:
            self._chosen = device
            self.update()

    def retheme(self) -> None:
        """Fonts may have another size now."""
        self._layout = None
        self._fit()
        self.update()

    def layout_now(self) -> Layout:
        """Places of everything at the present size."""
        if self._layout is None:
            self._layout = flow_layout.lay_out(self._flows, self.width(), self.height(), self._balance)
        return self._layout

    def _fit(self) -> None:
        if self._flows:
            self.setFixedHeight(flow_layout.wanted_height(self._flows))

    def sizeHint(self) -> QSize:
        return QSize(944, self.minimumHeight() or round(flow_layout.LOWEST))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._layout = None

    def node_at(self, at: QPointF) -> Node | None:
        return next((node for node in self.layout_now().nodes if node.rect.contains(at)), None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        node = self.node_at(event.position())
        if node is not None and event.button() == Qt.MouseButton.LeftButton:
            self._tell(node.flow)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._flows:
            return super().keyPressEvent(event)
        names = [node.name for node in self._flows]
        at = names.index(self._chosen) if self._chosen in names else -1
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Down:
            self._tell(self._flows[(at + 1) % len(names)])
        elif key == Qt.Key.Key_Up:
            self._tell(self._flows[(at - 1) % len(names) if at >= 0 else -1])
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            side = Side.SOURCE if key == Qt.Key.Key_Left else Side.LOAD
            first = next((node for node in self._flows if node.side == side), None)
            if first is not None:
                self._tell(first)
        else:
            super().keyPressEvent(event)

    def _tell(self, node: Flow) -> None:
        self.choose(node.name)
        self.device_chosen.emit(node.name)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            node = self.node_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), _in_words(node.flow) if node else "", self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        painter.fillRect(self.rect(), col("panel"))
        if self._flows:
            self._draw(painter)
        painter.end()

    def _draw(self, painter: QPainter) -> None:
        layout = self.layout_now()
        for node in layout.nodes:
            paint_ribbon(painter, node.ribbon, node.flow.role)
        paint_bus(painter, layout, self._name)
        for node in layout.nodes:
            paint_node(painter, node, node.flow.name == self._chosen, self.hasFocus())
        paint_balance(painter, layout, self.width())
        paint_scale(painter, layout)
        if self.hasFocus() and self._chosen not in {node.name for node in self._flows}:
            painter.setPen(QPen(col("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))


def _as_shown(node: Flow) -> Flow:
    """Rounded to whole watts, below which nothing is seen."""
    gauge = node.gauge and replace(node.gauge, value_w=float(round(node.gauge.value_w)))
    return replace(node, power_w=float(round(node.power_w)), gauge=gauge)


def _in_words(node: Flow) -> str:
    verb = "idle" if node.idle else "gives" if node.side == Side.SOURCE else "takes"
    gauge = f", {node.gauge.mark_text}" if node.gauge and node.gauge.mark_text else ""
    return f"{node.name} {verb} {words.watts(node.power_w)}, {node.state}{gauge}"


def _edge(x0: float, y0: float, x1: float, y1: float) -> QPainterPath:
    path = QPainterPath(QPointF(x0, y0))
    middle = (x0 + x1) / 2
    path.cubicTo(middle, y0, middle, y1, x1, y1)
    return path


def paint_ribbon(painter: QPainter, ribbon: Ribbon, role: str) -> None:
    """One flow, exactly as thick as its watts from 1 px on, its direction as a chevron; dotted where nothing flows."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    x0, y0, x1, y1, thickness = ribbon.x0, ribbon.y0, ribbon.x1, ribbon.y1, ribbon.thickness
    if thickness <= 0:
        painter.setPen(QPen(col("border_strong"), 1, Qt.PenStyle.DotLine))
        painter.drawPath(_edge(x0, y0, x1, y1))
        return
    if thickness < LEAST_BODY:
        painter.setPen(QPen(col(role), max(1.0, thickness)))
        painter.drawPath(_edge(x0, y0 + thickness / 2, x1, y1 + thickness / 2))
    else:
        _paint_body(painter, ribbon, role)
    if thickness < HAIRLINE:
        return
    # The chevron stands where the ribbon is steepest, so that it also says which ribbon it belongs to.
    x, y, k = (x0 + x1) / 2, (y0 + y1 + thickness) / 2, min(7.0, max(4.0, thickness * 0.28))
    painter.setPen(QPen(col("text"), 1.6, *_ROUND))
    painter.drawPolyline([QPointF(x - k * 0.6, y - k), QPointF(x + k * 0.6, y), QPointF(x - k * 0.6, y + k)])


def _paint_body(painter: QPainter, ribbon: Ribbon, role: str) -> None:
    """Two edges, which lie inside the thickness, and what is between them."""
    ends, x0, x1 = (0.5, ribbon.thickness - 0.5), ribbon.x0, ribbon.x1
    upper, lower = (_edge(x0, ribbon.y0 + off, x1, ribbon.y1 + off) for off in ends)
    body = QPainterPath(upper)
    body.connectPath(lower.toReversed())
    body.closeSubpath()
    painter.fillPath(body, col(role, 0.34))
    painter.setPen(QPen(col(role), 1))
    painter.drawPath(upper)
    painter.drawPath(lower)


def paint_bus(painter: QPainter, layout: Layout, name: str) -> None:
    """The bus, as tall as the sum of a side, with name and sum above it."""
    bus = layout.bus
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(col("text_muted"))
    painter.drawRoundedRect(bus.adjusted(0, -6, 0, 6), 4, 4)
    middle, room = bus.center().x(), 180
    top = bus.top() - 6
    number, unit = flow_layout.figure(max(layout.balance.in_w, layout.balance.out_w))
    put(painter, QRectF(middle - room / 2, top - 38, room, 18), name, "text_muted", ui(12), "c")
    total = f"{number}{words.NO_BREAK}{unit}"
    put(painter, QRectF(middle - room / 2, top - 23, room, 20), total, "text", ui(14, 600), "c")


def paint_balance(painter: QPainter, layout: Layout, width: float) -> None:
    """In, out and difference in words: a tick where they agree, a finding where they do not."""
    font, sound = ui(12), layout.balance.sound
    text = layout.balance.text
    left = min((node.ribbon.x0 for node in layout.nodes if node.flow.side == Side.SOURCE), default=0)
    right = max((node.ribbon.x1 for node in layout.nodes if node.flow.side == Side.LOAD), default=width)
    middle = layout.bus.center().x()
    room = min(width_of(text, font) + 2, max(80.0, 2 * min(middle - left, right - middle) - 24))
    y = layout.height - 32
    x = middle - room / 2 + 8
    glyph(painter, "ok" if sound else "error", x - 13, y + 11, 11, "ok" if sound else "finding_error")
    put(painter, QRectF(x, y, room, 22), text, "text_muted" if sound else "finding_error", font)


def paint_scale(painter: QPainter, layout: Layout) -> None:
    """How thick a round number of watts is, beside the bus: ``1 kW`` with a bracket of that height."""
    if layout.px_per_kw <= 0 or layout.bus.height() <= 0:
        return
    power = next(p for p in (0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 1e3, 1e4) if p * layout.px_per_kw >= 7)
    tall = power * layout.px_per_kw
    text = words.watts(power * 1000) if power < 1 else f"{power:g}{words.NO_BREAK}kW"
    x, y = layout.bus.center().x(), layout.bus.bottom() + 14
    x -= (width_of(text, ui(11)) + 10) / 2
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(QPen(col("text_muted"), 1))
    painter.drawPolyline([QPointF(x + 3, y), QPointF(x, y), QPointF(x, y + tall), QPointF(x + 3, y + tall)])
    put(painter, QRectF(x + 9, y + tall / 2 - 8, 80, 16), text, "text_muted", ui(11))


def paint_node(painter: QPainter, node: Node, chosen: bool, focus: bool) -> None:
    """Card of one node with the end of its ribbon at its edge."""
    rect, flow = node.rect, node.flow
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if chosen:
        painter.setPen(QPen(col("focus") if focus else col("accent"), 2 if focus else 1))
    else:
        painter.setPen(QPen(col("border"), 1))
    painter.setBrush(col("raised"))
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS_CARD, RADIUS_CARD)
    if node.compact:
        _compact_node(painter, node)
    else:
        _full_node(painter, node)
    ribbon = node.ribbon
    if ribbon.thickness > 0:
        source = flow.side == Side.SOURCE
        x, y = (ribbon.x0 - 1, ribbon.y0) if source else (ribbon.x1 - 2, ribbon.y1)
        painter.fillRect(QRectF(x, y, 3, ribbon.thickness), col(flow.role))


def _full_node(painter: QPainter, node: Node) -> None:
    rect, flow = node.rect, node.flow
    left, right = rect.left() + 12, rect.right() - 10
    paint_icon(painter, flow_layout.kind_of(flow.kind).icon, left, rect.top() + 10, 16)
    put(painter, QRectF(left + 24, rect.top() + 7, right - left - 24, 22), flow.name, "text", ui(12.5, 500))
    number, unit = flow_layout.figure(flow.power_w)
    x = left + put(painter, QRectF(left, rect.top() + 30, 130, 26), number, "text", ui(19, 600)) + 5
    x += put(painter, QRectF(x, rect.top() + 34, 40, 22), unit, "text_muted", ui(12.5)) + 8
    strong = flow.gauge is not None
    state = QRectF(x, rect.top() + 33, right - x, 24)
    put(painter, state, flow.state, "text" if strong else "text_muted", ui(12, 500 if strong else 400), "r")
    if flow.gauge is not None:
        paint_gauge(painter, flow.gauge, QRectF(left, rect.bottom() - 30, right - left - 2, 8), flow.role)


def _compact_node(painter: QPainter, node: Node) -> None:
    rect, flow = node.rect, node.flow
    left, right = rect.left() + 10, rect.right() - 10
    line = QRectF(left, rect.top() + 3, right - left, 30)
    paint_icon(painter, flow_layout.kind_of(flow.kind).icon, left, line.center().y() - 8, 16)
    number, unit = flow_layout.figure(flow.power_w)
    unit_wide = put(painter, line, unit, "text_muted", ui(12), "r")
    figure = line.adjusted(0, 0, -unit_wide - 4, 0)
    wide = unit_wide + 4 + put(painter, figure, number, "text", ui(14, 600), "r") + 10
    name = line.adjusted(24, 0, -wide, 0)
    taken = put(painter, name, flow.name, "text", ui(12.5, 500)) + 12
    if flow.state and taken + width_of(flow.state, ui(11.5)) <= name.width():
        put(painter, name, flow.state, "text_muted", ui(11.5), "r")
    if flow.gauge is not None:
        paint_gauge(painter, flow.gauge, QRectF(left, rect.bottom() - 10, right - left, 4), flow.role, False)


def paint_gauge(painter: QPainter, gauge: Gauge, rect: QRectF, role: str, digits: bool = True) -> None:
    """0 to what it can carry: what flows, the limit as a 2-px tick and hatching where it must not go."""

    def x_of(power: float) -> float:
        return rect.left() + min(1.0, max(0.0, power / gauge.top_w)) * rect.width()

    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.fillRect(rect, col("sunken"))
    value = x_of(gauge.value_w)
    mark = None if gauge.mark_w is None else round(x_of(gauge.mark_w))
    if mark is not None:
        hatch(painter, QRectF(mark, rect.top(), rect.right() - mark, rect.height()), "limit_hatch", 4)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.fillRect(QRectF(rect.left(), rect.top(), value - rect.left(), rect.height()), col(role, 0.85))
    if mark is not None:
        if value > mark + 1:
            painter.fillRect(QRectF(mark, rect.top(), value - mark, rect.height()), col("finding_error"))
        overhang = 4 if digits else 2
        tick = min(mark, round(rect.right()) - 2)
        painter.fillRect(QRectF(tick, rect.top() - overhang, 2, rect.height() + 2 * overhang), col("limit"))
    if digits:
        _gauge_digits(painter, gauge, rect, mark)


def _gauge_digits(painter: QPainter, gauge: Gauge, rect: QRectF, mark: int | None) -> None:
    """Ends of the gauge and the words of its mark; an end gives way where the mark needs the room."""
    y, tall = rect.bottom() + 3, 16
    plain, strong = ui(11), ui(11, 600)
    top = f"{gauge.top_w / 1000:.4g}{words.NO_BREAK}kW" if gauge.top_w >= 1000 else words.watts(gauge.top_w)
    words_left, words_right = rect.right() + 1, rect.left() - 1
    if mark is not None and gauge.mark_text:
        wide = width_of(gauge.mark_text, strong) + 2
        words_left = max(rect.left(), min(mark - wide / 2, rect.right() - wide))
        words_right = words_left + wide
        put(painter, QRectF(words_left, y, wide, tall), gauge.mark_text, "text", strong, "c", elide=False)
    if words_right < rect.left() or words_left > rect.left() + 14:
        put(painter, QRectF(rect.left(), y, 14, tall), "0", "text_muted", plain)
    top_wide = width_of(top, plain) + 2
    if words_right < rect.right() - top_wide - 6 or words_left > rect.right():
        put(painter, QRectF(rect.right() - top_wide, y, top_wide, tall), top, "text_muted", plain, "r", elide=False)
