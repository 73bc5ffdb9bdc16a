"""Device cards: what a device does, its power against its rating with the setpoint as a tick, and its facts.

:class:`CardBoard` places them in as many columns as its width allows. A card is repainted only when what it shows has
changed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from console.app.views import DeviceView
from console.ui import flow_layout, words
from console.ui.glyphs import put, width_of
from console.ui.icons import paint_icon
from console.ui.theme import RADIUS_CARD, col, ui
from console.ui.widgets import Canvas

HEAD = 44
HEAD_WITHOUT_BAR = 34
ROW = 20
FOOT = 10
GAP = 8
NARROWEST = 250
"""A column of cards is at least this wide, px."""


_PER_CENT = re.compile(r"(?<=\d)%")
RESTING = {
    "pv": {"Peak", "Inverter"},
    "battery": {"Stored", "Can take", "Can give"},
    "ev": {"Phases"},
    "base load": {"Yearly"},
}
"""Facts by kind of device that never change or that its SoC and rating tell already: they wait in the tooltip."""


def facts_of(device: DeviceView) -> list[tuple[str, str]]:
    """(label, value) rows of a card; what the device itself tells comes last."""
    rows = [("Actual", words.watts(device.power_w))]
    if device.setpoint_w is not None:
        current = "" if device.current_a is None else f"{device.current_a:.3g}{words.NO_BREAK}A, "
        rows.append(("Setpoint", current + words.watts(device.setpoint_w)))
    if device.wanted_w is not None and device.wanted_w != device.available_w:
        rows.append(("Wanted", words.watts(device.wanted_w)))
    if device.available_w is not None:
        rows.append(("Could give", words.watts(device.available_w)))
    if device.soc is not None:
        rows.append(("SoC", _charge(device.soc, device.capacity_wh)))
    left_out = {name for name, _ in rows} | RESTING.get(device.kind, set())
    if _nothing(dict(device.facts).get("Curtailed", "")):
        left_out.add("Curtailed")
    return rows + [(name, value) for name, value in _target_in_one(device.facts) if name not in left_out]


def resting_facts_of(device: DeviceView) -> list[tuple[str, str]]:
    """What the device tells and the card does not show."""
    resting = RESTING.get(device.kind, set())
    return [(name, value) for name, value in device.facts if name in resting]


def _nothing(value: str) -> bool:
    return value.split()[:1] == ["0"]


def _target_in_one(facts: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Target and departure of a car belong together: ``80 % by 17:30``."""
    told = {name: _PER_CENT.sub(f"{words.NO_BREAK}%", value) for name, value in facts}
    if "Target" in told and "Departure" in told:
        told["Target"] += f" by {told.pop('Departure')}"
    return list(told.items())


def _charge(soc: float, capacity_wh: float | None) -> str:
    if not capacity_wh:
        return words.percent(soc)
    stored, whole = soc * capacity_wh / 1000, f"{capacity_wh / 1000:.3g}"
    return f"{words.percent(soc)}, {stored:.1f} of {whole}{words.NO_BREAK}kWh"


def bar_of(device: DeviceView) -> tuple[float, float, float | None] | None:
    """(from, to, setpoint) of the power bar as shares of its width; None for a device without a rating.

    The bar runs from 0 to the rating; for a device that goes both ways from −rating over 0 in its middle to +rating.
    """
    if not device.max_w:
        return None
    top = max(abs(device.max_w), abs(device.power_w), abs(device.setpoint_w or 0.0))
    if device.kind == "battery":
        middle, power = 0.5, 0.5 + device.power_w / top / 2
        mark = None if device.setpoint_w is None else 0.5 + device.setpoint_w / top / 2
        return min(middle, power), max(middle, power), mark
    return 0.0, abs(device.power_w) / top, None if device.setpoint_w is None else abs(device.setpoint_w) / top


class DeviceCard(Canvas):
    """One device; chosen with a click, Enter or Space."""

    chosen = Signal(str)

    def __init__(self, device: DeviceView, role: str) -> None:
        super().__init__(name=device.name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._device = device
        self._role = role
        self._rows: list[tuple[str, str]] = []
        self._marked = False
        self._seen: tuple[object, ...] = ()
        self.show_device(device, role)

    @property
    def device(self) -> DeviceView:
        return self._device

    @property
    def rows(self) -> list[tuple[str, str]]:
        """The facts shown."""
        return self._rows

    def show_device(self, device: DeviceView, role: str) -> None:
        """Show the device as it is now."""
        rows, resting = facts_of(device), resting_facts_of(device)
        # The bar is seen to about a third of a per cent.
        bar = tuple(None if share is None else round(share, 3) for share in bar_of(device) or ())
        seen = (device.name, device.kind, device.state, role, tuple(rows), tuple(resting), bar)
        self._device, self._role = device, role
        if seen == self._seen:
            return
        self._seen, self._rows = seen, rows
        head = f"{device.name}: {device.state}" if device.state else device.name
        self.setAccessibleName(head)
        self.setAccessibleDescription(", ".join(f"{name} {value}" for name, value in rows))
        self.setToolTip("\n".join([head, *(f"{name} {value}" for name, value in resting)]))
        self.update()

    def mark(self, marked: bool) -> None:
        """Show the card as the chosen one."""
        if marked != self._marked:
            self._marked = marked
            self.update()

    def wanted_height(self) -> int:
        return self._head() + ROW * len(self._rows) + FOOT

    def _head(self) -> int:
        return HEAD if self._device.max_w else HEAD_WITHOUT_BAR

    def sizeHint(self) -> QSize:
        return QSize(NARROWEST, self.wanted_height())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(self._device.name)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit(self._device.name)
        else:
            super().keyPressEvent(event)

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        device = self._device
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = "focus" if self.hasFocus() else "accent" if self._marked else "border"
        painter.setPen(QPen(col(edge), 2 if self.hasFocus() else 1))
        painter.setBrush(col("raised"))
        inset = 1.0 if self.hasFocus() else 0.5
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), RADIUS_CARD, RADIUS_CARD)
        paint_icon(painter, flow_layout.kind_of(device.kind).icon, 12, 11, 16)
        # The state gives way first, down to half of the line: names are elided only when they must be.
        inner = width - 48
        name_wide = min(width_of(device.name, ui(13, 600)) + 1, max(inner / 2, inner - 12 - _wide(device.state)))
        put(painter, QRectF(36, 8, name_wide, 22), device.name, "text", ui(13, 600))
        put(painter, QRectF(48 + name_wide, 8, inner - name_wide - 12, 22), device.state, "text_muted", ui(12), "r")
        self._draw_bar(painter, QRectF(12, 35, width - 24, 4))
        for k, (name, value) in enumerate(self._rows):
            y = self._head() + k * ROW
            taken = put(painter, QRectF(12, y, width - 24, ROW), name, "text_muted", ui(12)) + 12
            put(painter, QRectF(12 + taken, y, width - 24 - taken, ROW), value, "text", ui(12.5), "r")

    def _draw_bar(self, painter: QPainter, rect: QRectF) -> None:
        bar = bar_of(self._device)
        if bar is None:
            return
        start, end, mark = bar
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.fillRect(rect, col("hover"))
        left, wide = rect.left(), rect.width()
        painter.fillRect(QRectF(left + start * wide, rect.top(), (end - start) * wide, rect.height()), col(self._role))
        if self._device.kind == "battery":
            painter.fillRect(QRectF(round(left + wide / 2), rect.top() - 1, 1, 6), col("border_strong"))
        if mark is not None:
            x = min(round(left + mark * wide) - 1, round(rect.right()) - 2)
            painter.fillRect(QRectF(max(x, left), rect.top() - 3, 2, 10), col("limit"))


def _wide(text: str) -> float:
    return width_of(text, ui(12)) + 2


class CardBoard(QWidget):
    """All cards, in columns."""

    device_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Devices")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self._cards: dict[str, DeviceCard] = {}
        self._marked = ""

    @property
    def cards(self) -> list[DeviceCard]:
        return list(self._cards.values())

    def show_devices(self, devices: Sequence[DeviceView]) -> None:
        """One card for each device, in their order."""
        roles = flow_layout.roles_of(devices)
        before = [(name, card.wanted_height()) for name, card in self._cards.items()]
        gone = set(self._cards) - {device.name for device in devices}
        for name in gone:
            self._cards.pop(name).deleteLater()
        for device in devices:
            card = self._cards.get(device.name)
            if card is None:
                card = DeviceCard(device, roles[device.name])
                card.setParent(self)
                card.chosen.connect(self.device_chosen)
                card.mark(device.name == self._marked)
                self._cards[device.name] = card
            else:
                card.show_device(device, roles[device.name])
        self._cards = {device.name: self._cards[device.name] for device in devices}
        if [(name, card.wanted_height()) for name, card in self._cards.items()] != before:
            self._place()

    def mark(self, name: str) -> None:
        """Show the card of one device as chosen."""
        self._marked = name
        for each, card in self._cards.items():
            card.mark(each == name)

    def retheme(self) -> None:
        for card in self._cards.values():
            card.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self._place()

    def _place(self) -> None:
        """Each next card goes under the shortest column."""
        margin = 10
        room = max(self.width() - 2 * margin, NARROWEST)
        columns = max(1, (room + GAP) // (NARROWEST + GAP))
        wide = (room - GAP * (columns - 1)) // columns
        ends = [0] * columns
        previous: QWidget | None = None
        for card in self._cards.values():
            column = ends.index(min(ends))
            tall = card.wanted_height()
            card.setGeometry(margin + column * (wide + GAP), ends[column], wide, tall)
            card.show()
            ends[column] += tall + GAP
            if previous is not None:
                QWidget.setTabOrder(previous, card)
            previous = card
        self.setMinimumHeight(max(ends) + margin - GAP)
