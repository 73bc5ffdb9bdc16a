"""The Presence view: how many VENs are well, the board worst first, and beneath it the selected VEN.

Late is more than 1.5 poll periods without a message, offline more than 3. Ages count once a second.
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from PySide6.QtCore import QModelIndex, QPointF, QRectF, Qt, Slot
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QApplication, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from console.app.durations import show_duration
from console.app.views import Area, Desk, VenView
from console.openadr.facts import PresenceState
from console.ui.actions import Action
from console.ui.axes import TimeAxis, nice_ticks, paint_ticks, tick_text
from console.ui.bridge import CLOCK
from console.ui.cursor import TimeCursor
from console.ui.glyphs import OPT_GLYPH, glyph, put
from console.ui.presence_table import ALARM, LATE, OFFLINE, PresenceModel, PresenceTable, silence, state_word
from console.ui.theme import ROW, col, mono, ui
from console.ui.widgets import (
    Canvas,
    FactsGrid,
    box,
    button,
    empty_state,
    label,
    line,
    pane_title,
    segments,
    tool,
)
from console.ui.words import clock, count, span

INTERESTING = frozenset({str(Area.PRESENCE), str(Area.SESSIONS), str(Area.EVENTS), CLOCK})
DETAIL_HEIGHT = 250


class Counters(Canvas):
    """Figures large, words small; only a figure that needs action has ink and a glyph."""

    def __init__(self) -> None:
        super().__init__(height=48)
        self.counts: list[tuple[int, str, str]] = []
        """(how many, what, alarm glyph)."""
        self.setMinimumWidth(200)

    def show_vens(self, vens: list[VenView]) -> None:
        registered = [ven for ven in vens if ven.registered]

        def of(state: PresenceState) -> int:
            return sum(ven.state is state for ven in registered)

        counts = [(len(registered), "VEN" if len(registered) == 1 else "VENs", "")]
        counts.append((of(PresenceState.OK), "ok", ""))
        for state in (PresenceState.LATE, PresenceState.OFFLINE):
            counts.append((of(state), state.value, ALARM[state] if of(state) else ""))
        for number, what in ((of(PresenceState.NEVER), "never seen"), (len(vens) - len(registered), "not registered")):
            if number:
                counts.append((number, what, ""))
        if counts != self.counts:
            self.counts = counts
            self.setAccessibleName(", ".join(f"{number} {what}" for number, what, _ in counts))
            self.update()

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        x = 14.0
        for number, what, alarm in self.counts:
            if alarm:
                glyph(painter, alarm, x + 7, height / 2, 15)
                x += 22
            ink = "text" if alarm or what.startswith("VEN") else "text_muted"
            x += put(painter, QRectF(x, 0, 90, height), count(number), ink, ui(20, 600)) + 6
            x += put(painter, QRectF(x, 3, 120, height - 3), what, ink if alarm else "text_muted", ui(12.5)) + 26


class PollGaps(Canvas):
    """Seconds between the polls of one VEN: dots, late and offline dashed, the running gap as a line."""

    def __init__(self, zone: tzinfo) -> None:
        super().__init__(name="Seconds between polls")
        self._zone = zone
        self._ven: VenView | None = None
        self._now: datetime | None = None
        self.setMinimumSize(180, 120)

    def show_ven(self, ven: VenView, now: datetime) -> None:
        self._ven, self._now = ven, now
        gaps = self.gaps()
        longest = f"longest gap {span(max(gap for _, gap in gaps))}" if gaps else "no two polls yet"
        self.setAccessibleDescription(longest)
        self.update()

    def gaps(self) -> list[tuple[float, float]]:
        """(POSIX time of a poll, seconds since the one before)."""
        times = [moment.timestamp() for moment in self._ven.poll_times] if self._ven else []
        return [(late, late - early) for early, late in zip(times, times[1:], strict=False)]

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        painter.fillRect(0, 0, width, height, col("plot_bg"))
        if self._ven is None or self._now is None or not self._ven.poll_times:
            put(painter, QRectF(12, 0, width - 24, ROW), "No poll has been seen.", "text_muted", ui(12.5))
            return
        gaps, now = self.gaps(), self._now.timestamp()
        running = now - self._ven.poll_times[-1].timestamp()
        period = self._ven.poll_period.total_seconds() if self._ven.poll_period else 0.0
        first = self._ven.poll_times[0].timestamp()
        axis = TimeAxis(first - (now - first) * 0.02, now + (now - first) * 0.03 + 1, 40, width - 16)
        longest = max([gap for _, gap in gaps] + [running, 1.0])
        # Past six periods a gap runs out at the top, or the usual ones would lie flat on the axis.
        ticks = nice_ticks(0.0, min(max(longest, period * 3.3), period * 6) if period else longest, 4)
        top, bottom = 18.0, height - 26.0

        def y_of(seconds: float) -> float:
            return bottom - min(seconds / ticks[-1], 1.0) * (bottom - top)

        paint_ticks(painter, axis, self._zone, bottom + 4, bottom, bottom, 84)
        for tick in ticks:
            y = round(y_of(tick))
            painter.fillRect(QRectF(axis.left, y, axis.right - axis.left, 1), col("plot_grid"))
            put(painter, QRectF(0, y - 9, axis.left - 8, 18), tick_text(tick), "text_muted", ui(11), "r")
        for periods, word in ((LATE, "late"), (OFFLINE, "offline")):
            if period:
                y = round(y_of(periods * period)) + 0.5
                painter.setPen(QPen(col("border_strong"), 1, Qt.PenStyle.DashLine))
                painter.drawLine(QPointF(axis.left, y), QPointF(axis.right, y))
                put(painter, QRectF(axis.left + 4, y - 17, 90, 16), word, "text_muted", ui(11))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(col("text_muted"))
        for at, gap in gaps:
            painter.drawEllipse(QPointF(axis.x(at), y_of(gap)), 2, 2)
        self._running(painter, axis.x(now), y_of(0.0), y_of(running), running, bool(period and running > LATE * period))

    @staticmethod
    def _running(painter: QPainter, x: float, foot: float, y: float, seconds: float, late: bool) -> None:
        ink = "text" if late else "text_muted"
        painter.setPen(QPen(col(ink), 1.5))
        painter.setBrush(col("plot_bg"))
        painter.drawLine(QPointF(x, foot), QPointF(x, y))
        painter.drawEllipse(QPointF(x, y), 3, 3)
        words = f"{span(seconds)}, running"
        put(painter, QRectF(x - 130, y - 9, 120, 18), words, ink, ui(11, 600 if late else 400), "r")


class VenEvents(Canvas):
    """Events the selected VEN holds, with its answer."""

    def __init__(self) -> None:
        super().__init__(name="Events of the VEN")
        self._events: tuple[tuple[str, str], ...] = ()

    def show_ven(self, ven: VenView) -> None:
        if ven.events != self._events:
            self._events = ven.events
            self.setAccessibleDescription(", ".join(f"{event} {opt or 'no answer'}" for event, opt in ven.events))
            self.update()

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        if not self._events:
            put(painter, QRectF(12, 0, width - 24, ROW), "It holds no event.", "text_muted", ui(12.5))
        for k, (event_id, opt) in enumerate(self._events):
            y = k * ROW
            glyph(painter, OPT_GLYPH.get(opt, "wait"), 20, y + ROW / 2, 11, "text")
            put(painter, QRectF(34, y, 170, ROW), event_id, "text", ui(12.5, 500))
            put(painter, QRectF(210, y, width - 220, ROW), opt or "no answer yet", "text_muted", ui(12.5))


def guidance(ven: VenView, now: datetime) -> list[tuple[str, str]]:
    """What its state comes from, what follows from it and what to do, as (head, sentence)."""
    since = silence(ven, now)
    period = ven.poll_period
    every = f"it polls every {show_duration(period)}" if period else "no poll period was agreed"
    waiting = [event_id for event_id, opt in ven.events if not opt]
    if not ven.registered:
        return [
            ("Cause", f"{ven.ven_id} is known here but has not registered."),
            ("Consequence", "It gets no event and sends no report."),
            ("What to do", "Start it, and look for its oadrCreatePartyRegistration among the messages."),
        ]
    if ven.state is PresenceState.OK or since is None:
        heard = (
            f"Last heard {show_duration_of(since)} ago; {every}." if since is not None else f"Not heard yet; {every}."
        )
        answer = f" It has yet to answer {', '.join(waiting)}." if waiting else ""
        return [("State", heard + answer)]
    held = ", ".join(event_id for event_id, _ in ven.events)
    consequence = (
        f"{ven.ven_id} has not answered {', '.join(waiting)}."
        if waiting
        else f"A change of {held} would reach it late."
        if held
        else "An event would reach it late."
    )
    return [
        ("Cause", f"No oadrPoll for {show_duration_of(since)}; {every}."),
        ("Consequence", consequence),
        ("What to do", f"Check its power and network, and that {ven.address or 'its address'} is still the right one."),
    ]


def show_duration_of(seconds: float) -> str:
    return show_duration(timedelta(seconds=round(seconds)))


class VenDetail(QWidget):
    """IDs to copy, what the state means, and the gaps between polls."""

    def __init__(self, desk: Desk, cursor: TimeCursor) -> None:
        super().__init__()
        self._desk, self._cursor = desk, cursor
        self.ven: VenView | None = None
        self._title = label("", "text", ui(13, 600))
        self._facts = FactsGrid(92)
        self._state = label("", "text", ui(13, 600))
        self._since = label("", "text_muted", ui(12))
        self._lines = [label("", "text", ui(13), wrap=True, select=True) for _ in range(3)]
        self._heads = [label("", "text_muted", ui(12)) for _ in range(3)]
        self.events = VenEvents()
        self.polls = PollGaps(desk.timezone)
        self.copy = tool("copy", "Copy the IDs", self.copy_ids)
        self.messages = button("Show messages", "", "rows-3", self.show_messages)
        self.last = button("Show last message", "quiet", "", self._show_last)
        who = box("v", pane_title(self._title, self.copy), self._facts, None, name="panel")
        who.setMinimumWidth(280)
        who.setMaximumWidth(370)
        rows = [box("h", head, (words, 1), spacing=10) for head, words in zip(self._heads, self._lines, strict=True)]
        for head in self._heads:
            head.setFixedWidth(82)
            head.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._rows = rows
        means = box(
            "v",
            pane_title(self._state, self._since, 4),
            box("v", *rows, margins=(12, 0, 12, 8), spacing=6),
            box("h", self.messages, self.last, None, margins=(12, 0, 12, 8), spacing=8),
            line(),
            pane_title("Events"),
            (self.events, 1),
            name="panel",
        )
        gaps = box(
            "v", pane_title("Gaps between polls", label("s", "text_muted", ui(12)), 4), (self.polls, 1), name="panel"
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(box("h", (who, 5), line("v"), (means, 5), line("v"), (gaps, 4), name="panel"))

    def show_ven(self, ven: VenView) -> None:
        self.ven = ven
        now, zone = self._desk.now(), self._desk.timezone
        self._title.setText(f"{ven.ven_id}  {ven.name}")
        seen = f"{clock(ven.last_seen, zone)}" if ven.last_seen else "never"
        last = f"{count(ven.last_message)}, {seen}" if ven.last_message else seen
        facts = [
            ("venID", ven.ven_id, True),
            ("venName", ven.name or "–", True),
            ("Registration", ven.registration_id or "–", True),
            ("Fingerprint", ven.fingerprint or "none, HTTP without TLS", bool(ven.fingerprint)),
            ("Address", ven.address or "–", True),
            ("Profile", f"{ven.profile}, {ven.transport}", True),
            ("Last message", last, False),
        ]
        self._facts.set_facts(facts)
        self._state.setText(f"{ven.ven_id} is {state_word(ven)}")
        self._since.setText(f"since {seen}" if ven.last_seen and ven.state is not PresenceState.OK else "")
        said = guidance(ven, now)
        for k, (head, words, row) in enumerate(zip(self._heads, self._lines, self._rows, strict=True)):
            row.setVisible(k < len(said))
            if k < len(said):
                head.setText(said[k][0])
                words.setText(said[k][1])
        self.last.setEnabled(ven.last_message > 0)
        self.events.show_ven(ven)
        self.polls.show_ven(ven, now)

    def ids(self) -> str:
        """The IDs as copied, one per line."""
        if self.ven is None:
            return ""
        ven = self.ven
        pairs = [
            ("venID", ven.ven_id),
            ("venName", ven.name),
            ("registrationID", ven.registration_id),
            ("fingerprint", ven.fingerprint),
            ("address", ven.address),
        ]
        return "\n".join(f"{what}: {value}" for what, value in pairs if value)

    @Slot()
    def copy_ids(self) -> None:
        """To the clipboard."""
        QApplication.clipboard().setText(self.ids())

    @Slot()
    def show_messages(self) -> None:
        """Bring the message list to the front with what was said with this VEN."""
        if self.ven is not None:
            self._cursor.show_messages(f'peer == "{self.ven.ven_id}"')

    @Slot()
    def _show_last(self) -> None:
        if self.ven is not None:
            self._cursor.show_message(self.ven.last_message)


class PresenceView(QWidget):
    """Presence of every VEN of our VTNs."""

    def __init__(self, desk: Desk, cursor: TimeCursor) -> None:
        super().__init__()
        self._desk, self._cursor = desk, cursor
        self._chosen: tuple[str, str] | None = None
        self._second = 0
        self.counters = Counters()
        self.model = PresenceModel()
        self.table = PresenceTable(self.model)
        self.detail = VenDetail(desk, cursor)
        self.order = segments(("Worst first", "venID"), 0, self._sort, "Sort")
        self._copy_url = button("Copy URL", "", "copy", self._copy)
        self._url = label("", "text", mono(12), select=True)
        self.empty = box(
            "v",
            empty_state("No VEN has registered. The VTN listens on", margins=(14, 12, 14, 0)),
            box("v", self._url, 10, box("h", self._copy_url, None), margins=(14, 2, 14, 0)),
            None,
            name="panel",
        )
        head = box(
            "h",
            (self.counters, 1),
            label("Sort", "text_muted", ui(12)),
            6,
            self.order,
            margins=(0, 0, 12, 0),
            name="panel",
        )
        head.setFixedHeight(52)
        self._split = QSplitter(Qt.Orientation.Vertical)
        self._split.setObjectName("presence_split")
        self._split.setHandleWidth(1)
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(self.table)
        self._split.addWidget(self.detail)
        self._split.setStretchFactor(0, 1)
        self._split.setSizes([460, DETAIL_HEIGHT])
        self._body = QStackedWidget()
        self._body.addWidget(self.empty)
        self._body.addWidget(box("v", head, line(), (self._split, 1), name="panel"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._body)
        self.table.selectionModel().currentRowChanged.connect(self._row_changed)
        self.table.activated.connect(self._activated)
        cursor.ven_selected.connect(self._ven_selected)

    def refresh(self, changed: frozenset[str]) -> None:
        """Follow the desk; ages are counted again when a second has passed."""
        second = int(self._desk.now().timestamp())
        if not changed & INTERESTING and second == self._second:
            return
        self._second = second
        vens = list(self._desk.vens())
        self._body.setCurrentIndex(1 if vens else 0)
        url = next((session.url for session in self._desk.sessions() if session.kind == "VTN"), "")
        self._url.setText(url)
        self._copy_url.setEnabled(bool(url))
        self.counters.show_vens(vens)
        self.model.show_vens(vens, self._desk.now())
        if vens and (self._chosen is None or self.model.row_of(*self._chosen) < 0):
            wanted = next((v for v in self.model.vens if v.ven_id == self._cursor.ven_id), self.model.vens[0])
            self._chosen = (wanted.session, wanted.ven_id)
        self._show_chosen()

    def retheme(self) -> None:
        for part in (self.counters, self.table.viewport(), self.detail.events, self.detail.polls):
            part.update()

    def actions_offered(self) -> list[Action]:
        """What this view adds to menus and palette."""
        return [
            Action("session.copy_ven_ids", "Copy IDs of the VEN", "Session", self.detail.copy_ids,
                   when=lambda: self.detail.ven is not None,
                   tip="venID, registrationID, fingerprint and address, one per line."),
            Action("session.ven_messages", "Show messages of the VEN", "Session", self.detail.show_messages,
                   when=lambda: self.detail.ven is not None,
                   tip="Narrows the message list to the VEN chosen in Presence."),
        ]  # fmt: skip

    def _sort(self, number: int) -> None:
        self.model.by_id = number == 1
        self.table.setAccessibleName("VENs, by venID" if number else "VENs, worst first")
        self.model.show_vens(self._desk.vens(), self._desk.now())
        self._show_chosen()

    def _show_chosen(self) -> None:
        if self._chosen is None:
            return
        row = self.model.row_of(*self._chosen)
        if row < 0:
            return
        if self.table.currentIndex().row() != row:
            self.table.selectionModel().blockSignals(True)
            self.table.setCurrentIndex(self.model.index(row, 0))
            self.table.selectionModel().blockSignals(False)
            self.table.viewport().update()
        self.detail.show_ven(self.model.vens[row])

    @Slot(QModelIndex, QModelIndex)
    def _row_changed(self, current: QModelIndex, _before: QModelIndex) -> None:
        if not current.isValid():
            return
        ven = self.model.vens[current.row()]
        self._chosen = (ven.session, ven.ven_id)
        self._cursor.select_ven(ven.ven_id)
        self.detail.show_ven(ven)
        self.table.viewport().update()

    @Slot(QModelIndex)
    def _activated(self, index: QModelIndex) -> None:
        self._cursor.show_messages(f'peer == "{self.model.vens[index.row()].ven_id}"')

    @Slot(str)
    def _ven_selected(self, ven_id: str) -> None:
        ven = next((ven for ven in self.model.vens if ven.ven_id == ven_id), None)
        if ven is not None and (ven.session, ven.ven_id) != self._chosen:
            self._chosen = (ven.session, ven.ven_id)
            self._show_chosen()

    @Slot()
    def _copy(self) -> None:
        QApplication.clipboard().setText(self._url.text())
