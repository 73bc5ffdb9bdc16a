"""The Site view: who gives and who takes at this moment, why, how it came to this, and every device on a card.

One column of energy flow, reasons and plots; the cards stand beside it, or under it where the view is narrow. Shows
``desk.site()`` and nothing of its own; the time cursor and the chosen device are shared with the other views.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt, Slot
from PySide6.QtGui import QPainter, QPen, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QStackedLayout, QVBoxLayout, QWidget

from console.app import views
from console.ui import flow_layout, words
from console.ui.cursor import TimeCursor
from console.ui.device_cards import CardBoard
from console.ui.flow import FlowPicture
from console.ui.glyphs import glyph, put, width_of
from console.ui.theme import BAR, col, ui
from console.ui.widgets import Canvas, Glyph, Label, Strip, box, empty_state, label, line, pane_title, segments

if TYPE_CHECKING:
    from console.ui.site_plots import SitePlots

CARDS_WIDTH = 288
CLOCK_WIDTH = 84
LEAST_WIDTH = 600
FOLDS_BELOW = 1060
"""A view narrower than this has its cards under the plots, px."""
SPANS = (
    ("Auto", None),
    ("5 min", 300.0),
    ("15 min", 900.0),
    ("1 h", 3600.0),
    ("6 h", 6 * 3600.0),
    ("24 h", 86400.0),
)
"""Lengths of the time axis to pick from, s; None is the shortest that holds what there is."""
REASON_ROW = 18
REASON_GAP = 3
LEAST_REASONS = 4
"""Lines kept free for reasons, so that the plots stay where they are when one comes or goes."""

LIGHTS = {
    "green": ("Green: no limit", "The market decides; the grid asks nothing of this site."),
    "yellow": ("Yellow: limited", "An event calls on the site's flexibility."),
    "red": ("Red: grid emergency", "The grid operator's limit goes before comfort and contracts."),
    "failsafe": ("Failsafe: no grid signal", "The grid side is lost; the site keeps to its failsafe limit."),
}
"""Traffic light of the connection: its words, and what they mean."""
NO_SITE = "No site is attached. Start Nodebench with a site file, or run the demo, and its energy flow is shown here."


class LightSign(Canvas):
    """The traffic light: three lamps, the lit one told by its place and a word, never by colour alone."""

    def __init__(self) -> None:
        super().__init__(height=24)
        self._light = ""
        self.show_light("green")

    @property
    def text(self) -> str:
        return LIGHTS.get(self._light, (self._light, ""))[0]

    def show_light(self, light: str) -> None:
        if light == self._light:
            return
        self._light = light
        self.setAccessibleName(f"Traffic light: {self.text}")
        self.setToolTip(LIGHTS.get(light, ("", ""))[1])
        self.setFixedWidth(round(width_of(self.text, ui(12, 500))) + 62)
        self.update()

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(col("border_strong"), 1))
        painter.setBrush(col("raised"))
        painter.drawRoundedRect(QRectF(0.5, height / 2 - 7.5, 43, 15), 7.5, 7.5)
        lit = {"red": 0, "yellow": 1, "green": 2}.get(self._light)
        # Green is the normal state and has no colour of its own.
        ink = {"red": "finding_error", "yellow": "finding_warning"}.get(self._light, "text_muted")
        for k in range(3):
            at = QPointF(9 + 13 * k, height / 2)
            if lit is None:
                glyph(painter, "x", at.x(), at.y(), 10, "finding_error")
                continue
            painter.setPen(QPen(col(ink if k == lit else "border_strong"), 1))
            painter.setBrush(col(ink) if k == lit else Qt.BrushStyle.NoBrush)
            painter.drawEllipse(at, 4.5 if k == lit else 3.5, 4.5 if k == lit else 3.5)
        put(painter, QRectF(50, 0, width - 50, height), self.text, "text", ui(12, 500), elide=False)


class Reasons(QWidget):
    """One line per device that is held or does something worth a word: icon, name, sentence."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Reasons")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(16, 5, 16, 5)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(REASON_GAP)
        self._grid.setColumnStretch(2, 1)
        self.setMinimumHeight(10 + (REASON_ROW + REASON_GAP) * LEAST_REASONS - REASON_GAP)
        self._rows: list[tuple[Glyph, Label, Label]] = []
        self._shown: tuple[tuple[str, str, str], ...] | None = None

    @property
    def texts(self) -> list[tuple[str, str]]:
        """(name, sentence) of every line on show."""
        return [(name.text(), text.text()) for _, name, text in self._rows if not text.isHidden()]

    def show_reasons(self, site: views.SiteView) -> None:
        kinds = {device.name: device.kind for device in site.devices}
        shown = tuple((name, _without_name(text, name), kinds.get(name, "")) for name, text in site.reasons)
        if shown == self._shown:
            return
        self._shown = shown
        lines = shown or (("", "No device is held: each takes what it wants.", ""),)
        while len(self._rows) < len(lines):
            self._add_row()
        for k, (mark, name, text) in enumerate(self._rows):
            used = k < len(lines)
            for part in (mark, name):
                part.setVisible(used and bool(shown))
            text.setVisible(used)
            if used:
                who, why, kind = lines[k]
                mark.set_glyph(flow_layout.kind_of(kind).icon)
                name.setText(name.fontMetrics().elidedText(who, Qt.TextElideMode.ElideRight, 150))
                name.setToolTip(who)
                text.setText(why)
                text.set_role("text" if shown else "text_muted")

    def _add_row(self) -> None:
        row = len(self._rows)
        mark = Glyph("zap", None, 14, as_icon=True)
        name = label("", "text", ui(12.5, 600))
        text = label("", "text", ui(12.5), wrap=True, select=True)
        name.setMinimumWidth(62)
        top = Qt.AlignmentFlag.AlignTop
        self._grid.addWidget(mark, row, 0, top)
        self._grid.addWidget(name, row, 1, top)
        self._grid.addWidget(text, row, 2, top)
        self._grid.setRowStretch(row, 0)
        self._grid.setRowStretch(row + 1, 1)
        self._rows.append((mark, name, text))


def _without_name(text: str, name: str) -> str:
    """The name stands before the sentence already."""
    return text.removeprefix(f"{name} ")


class SiteView(QWidget):
    """The tab *Site*."""

    def __init__(self, desk: views.Desk, cursor: TimeCursor) -> None:
        super().__init__()
        self._desk = desk
        self._cursor = cursor
        self._site: views.SiteView | None = None
        self._span = SPANS[0][1]
        self._folded: bool | None = None
        # By itself it would be as wide as column and cards together, and could not become narrow enough to fold.
        self.setMinimumWidth(LEAST_WIDTH)
        self.flow = FlowPicture()
        self.reasons = Reasons()
        self.board = CardBoard()
        self.light = LightSign()
        self.plots: SitePlots | None = None
        """Made when the view is first shown with a site."""
        self._build()
        self.flow.device_chosen.connect(self._chose)
        self.board.device_chosen.connect(self._chose)
        cursor.device_selected.connect(self._mark)
        cursor.time_changed.connect(self._time_changed)
        self._mark(cursor.device_name)
        self.refresh(frozenset({views.Area.SITE}))

    def _build(self) -> None:
        self._name = Strip(height=BAR, pad=16)
        self._clock = Strip(height=BAR, pad=12)
        self._clock.setFixedWidth(CLOCK_WIDTH)
        spans = segments([name for name, _ in SPANS], 0, self._choose_span, "Time shown")
        head = box("h", (self._name, 1), self.light, 8, spans, self._clock, name="panel")
        head.setFixedHeight(BAR)
        self._plots_place = QVBoxLayout()
        self._plots_place.setContentsMargins(0, 0, 0, 0)
        self._under_title = box("v", line(), pane_title("Devices"))
        self._under = QVBoxLayout()
        self._under.setContentsMargins(0, 0, 0, 0)
        self._under.setSpacing(0)
        self._under.addWidget(self._under_title)
        column = QWidget()
        column.setObjectName("panel")
        column.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        inside = QVBoxLayout(column)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(0)
        for part in (self.flow, line(), self.reasons, line()):
            inside.addWidget(part)
        inside.addLayout(self._plots_place, 1)
        inside.addLayout(self._under)
        self._column_scroll = _scroll("Site", column)
        self._cards_scroll = _scroll("Devices", None)
        self._side = box("v", pane_title("Devices"), (self._cards_scroll, 1), name="panel")
        self._side.setFixedWidth(CARDS_WIDTH)
        self._side_line = line("v")
        left = box("v", head, (self._column_scroll, 1), name="panel")
        with_site = box("h", (left, 1), self._side_line, self._side)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(empty_state(NO_SITE))
        self._pages.addWidget(with_site)

    @property
    def folded(self) -> bool:
        """Whether the cards stand under the plots."""
        return bool(self._folded)

    def refresh(self, changed: frozenset[str]) -> None:
        """Show what changed; called by the bridge while the view can be seen."""
        if not changed & {views.Area.SITE, views.Area.TELEMETRY, views.Area.EVENTS}:
            return
        site = self._desk.site()
        self._site = site
        self._pages.setCurrentIndex(0 if site is None else 1)
        if site is None:
            return
        self._show_head(site)
        self.flow.show_site(site)
        self.reasons.show_reasons(site)
        self.board.show_devices(site.devices)
        if self.plots is not None and self.plots.isVisible():
            self.plots.show_site(site)

    def retheme(self) -> None:
        """Repaint in the theme that is on."""
        self.flow.retheme()
        self.board.retheme()
        if self.plots is not None:
            self.plots.retheme()
        self.update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._make_plots()
        self.refresh(frozenset({views.Area.SITE}))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fold(self.width() < FOLDS_BELOW)

    def _make_plots(self) -> None:
        if self.plots is not None:
            return
        from console.ui.site_plots import SitePlots

        self.plots = SitePlots(self._desk, self._span)
        self.plots.time_pointed.connect(self._cursor.set_time)
        self.plots.set_cursor(self._cursor.moment)
        self._plots_place.addWidget(self.plots)
        self.plots.show()

    def _fold(self, folded: bool) -> None:
        """Put the cards beside the column or under it."""
        if folded == self._folded:
            return
        self._folded = folded
        if folded:
            self._cards_scroll.takeWidget()
            self._under.addWidget(self.board)
        else:
            self._under.removeWidget(self.board)
            self._cards_scroll.setWidget(self.board)
        self.board.show()
        self._under_title.setVisible(folded)
        self._side.setVisible(not folded)
        self._side_line.setVisible(not folded)

    def _show_head(self, site: views.SiteView) -> None:
        zone = self._desk.timezone
        self._name.set_pieces([(site.name, "text", ui(13, 600)), (site.place, "text_muted")])
        self._name.setToolTip(
            f"Imported {words.watt_hours(site.import_wh)}, exported {words.watt_hours(site.export_wh)}"
        )
        clock = words.clock(site.time, zone)
        # The status bar tells the offset; here it would take the room of the place.
        self._clock.set_pieces([], [(clock, "text", ui(12, 500))])
        self._clock.setAccessibleName(f"Site clock {clock} {words.offset(site.time, zone)}")
        self.light.show_light(site.light)

    def _choose_span(self, number: int) -> None:
        self._span = SPANS[number][1]
        if self.plots is not None:
            self.plots.set_span(self._span)
            if self._site is not None:
                self.plots.show_site(self._site)

    def _chose(self, name: str) -> None:
        self._cursor.select_device("" if name == flow_layout.CONNECTION_POINT else name)
        self._mark(name)

    @Slot(str)
    def _mark(self, name: str) -> None:
        self.flow.choose(name)
        self.board.mark(name)

    @Slot(object)
    def _time_changed(self, moment: datetime | None) -> None:
        if self.plots is not None:
            self.plots.set_cursor(moment)


def _scroll(name: str, inside: QWidget | None) -> QScrollArea:
    area = QScrollArea()
    area.setObjectName("panel")
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setAccessibleName(name)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.viewport().setObjectName("panel")
    if inside is not None:
        area.setWidget(inside)
    return area
