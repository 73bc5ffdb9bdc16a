"""The Reports view: what VENs offer and send at the left, what came as live plots and a table at the right.

Selecting data points narrows the plots to them and makes them the ones to request; the button names how many, how often
and from whom. What a VEN answered is said beneath.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt, Slot
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from console.app.durations import show_duration
from console.app.views import Area, Desk, Outcome, ReportView
from console.ui.actions import Action
from console.ui.bridge import CLOCK
from console.ui.cursor import TimeCursor
from console.ui.event_detail import scrolled_list
from console.ui.event_draft import read_duration
from console.ui.glyphs import put
from console.ui.report_list import ReportHead, ReportList, ReportModel, age_words, period_words
from console.ui.theme import ROW, col, mono, ui
from console.ui.widgets import Canvas, box, button, empty_state, label, line, pane_title, segments
from console.ui.words import plural

if TYPE_CHECKING:
    from console.ui.report_plots import ReportPlots

INTERESTING = frozenset({str(Area.REPORTS), str(Area.TELEMETRY), str(Area.SESSIONS), str(Area.EVENTS), CLOCK})
SPANS: tuple[tuple[str, timedelta | None], ...] = (
    ("2 min", timedelta(minutes=2)),
    ("10 min", timedelta(minutes=10)),
    ("1 h", timedelta(hours=1)),
    ("All", None),
)
LIST_WIDTH = 540
SHORTEST = timedelta(seconds=2)
"""Asked for where the VEN allows anything shorter."""
DRAWN_STATES = ("running", "stale", "stopped")


class StatusTable(Canvas):
    """Reports without numbers: VEN, rID, what it says, how old that is."""

    def __init__(self) -> None:
        super().__init__(name="Status reports")
        self.rows: list[tuple[str, str, str, str]] = []
        """(venID, rID, value, age)."""

    def show_rows(self, rows: list[tuple[str, str, str, str]]) -> None:
        if rows == self.rows:
            return
        self.rows = rows
        self.setFixedHeight(max(ROW * len(rows), ROW))
        self.setAccessibleDescription("; ".join(", ".join(row) for row in rows))
        self.update()

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        painter.fillRect(0, 0, width, height, col("panel"))
        for k, (ven_id, r_id, value, age) in enumerate(self.rows):
            y = k * ROW
            put(painter, QRectF(12, y, 90, ROW), ven_id, "text", ui(12.5, 500))
            put(painter, QRectF(106, y, 190, ROW), r_id, "text", mono(12))
            put(painter, QRectF(304, y, width - 304 - 100, ROW), value, "text", ui(12.5))
            put(painter, QRectF(width - 92, y, 80, ROW), age, "text_muted", ui(12), "r")


class ReportsView(QWidget):
    """Reports of every VEN of our VTNs."""

    def __init__(self, desk: Desk, cursor: TimeCursor) -> None:
        super().__init__()
        self._desk, self._cursor = desk, cursor
        self._plots: ReportPlots | None = None
        self._span: timedelta | None = SPANS[1][1]
        self._period_typed = False
        self.model = ReportModel()
        self.list = ReportList(self.model)
        self.list.chosen_changed.connect(self._chosen_changed)
        self._count = label("", "text_muted", ui(12))
        self.period = QLineEdit("10 s")
        self.period.setAccessibleName("Period of the request")
        self.period.setFixedWidth(84)
        self.period.textEdited.connect(self._typed)
        self.period.returnPressed.connect(self._focus_request)
        self._hint = label("", "text_muted", ui(12))
        self._hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.request = button("Select data points to request", "primary", run=self._request)
        self.cancel = button("Cancel request", run=self._cancel)
        self.cancel.hide()
        self.status = StatusTable()
        self.spans = segments([name for name, _ in SPANS], 1, self._span_chosen, "Time shown")
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setObjectName("reports_split")
        self._split.setHandleWidth(1)
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(self._left())
        self._split.addWidget(self._right())
        self._split.setStretchFactor(1, 1)
        self._split.setSizes([LIST_WIDTH, 690])
        self.empty = empty_state(
            "No VEN has offered a report yet. A VEN offers its data points when it has registered.",
            "",
            button("Show VENs", "primary", run=lambda: cursor.show_view("Presence")),
        )
        self._body = QStackedWidget()
        self._body.addWidget(self.empty)
        self._body.addWidget(self._split)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._body)
        cursor.time_changed.connect(self._time_changed)

    def _left(self) -> QWidget:
        ask = box("h", label("Every", "text_muted", ui(12)), self.period, (self._hint, 1), spacing=8)
        buttons = box("h", None, self.cancel, self.request, spacing=8)
        foot = box("v", ask, buttons, margins=(12, 8, 12, 8), spacing=8, name="chrome")
        left = box(
            "v", pane_title("Data points", self._count, 4), ReportHead(), (self.list, 1), line(), foot, name="panel"
        )
        left.setMinimumWidth(440)
        return left

    def _right(self) -> QWidget:
        self._place = QVBoxLayout()
        self._place.setContentsMargins(12, 0, 0, 4)
        self._nothing = label(
            "Nothing has been reported yet. Select data points and request them.", "text_muted", ui(12.5)
        )
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._place.addWidget(self._nothing)
        holder = QWidget()
        holder.setLayout(self._place)
        status_list = scrolled_list(self.status)
        status_list.setMaximumHeight(5 * ROW)
        self._status_pane = box("v", line(), pane_title("Status reports"), status_list, name="panel")
        head = pane_title("Reported", self.spans)
        right = box("v", head, (holder, 1), self._status_pane, name="panel")
        right.setMinimumWidth(360)
        return right

    def refresh(self, changed: frozenset[str]) -> None:
        if not changed & INTERESTING:
            return
        reports = self._desk.reports()
        self._body.setCurrentIndex(1 if reports else 0)
        self.model.show_reports(reports, self._desk.now())
        self._say_count(reports)
        self._offer()
        self._draw()

    def retheme(self) -> None:
        if self._plots is not None:
            self._plots.retheme()
        self.list.viewport().update()
        self.status.update()

    def actions_offered(self) -> list[Action]:
        """What this view adds to menus and palette."""
        return [
            Action("report.request", "Request the selected data points", "Report", self._request,
                   when=lambda: self.isVisible() and self.request.isEnabled(),
                   tip="Sends oadrCreateReport with the period beside the list."),
            Action("report.cancel", "Cancel the report request", "Report", self._cancel,
                   when=lambda: self.isVisible() and self.cancel.isVisible(),
                   tip="Sends oadrCancelReport for the requests that the selected data points run under."),
        ]  # fmt: skip

    def shown(self) -> list[ReportView]:
        """Reports the right side shows: the chosen ones that have sent something, else all that have."""
        sending = [r for r in self.list.chosen() if r.state in DRAWN_STATES]
        return sending or [r for r in self._desk.reports() if r.state in DRAWN_STATES]

    def _say_count(self, reports: Sequence[ReportView]) -> None:
        states = [report.state for report in reports]
        parts = [f"{states.count(state)} {state}" for state in ("running", "stale", "requested", "offered", "stopped")
                 if state in states]  # fmt: skip
        self._count.setText(", ".join(parts))

    def _draw(self) -> None:
        reports = self.shown()
        numbers = [report for report in reports if report.series]
        if numbers and self._plots is None:
            self._make_plots()
        self._nothing.setVisible(not numbers)
        if self._plots is not None:
            self._plots.setVisible(bool(numbers))
            if numbers:
                self._plots.show_reports(numbers)
        now = self._desk.now()
        rows = [(r.ven_id, r.r_id, r.last_value or "–", age_words(r, now)) for r in reports if not r.series]
        self._status_pane.setVisible(bool(rows))
        self.status.show_rows(rows)

    def _make_plots(self) -> None:
        from console.ui.report_plots import ReportPlots

        self._plots = ReportPlots(self._desk)
        self._plots.show_span(self._span)
        self._plots.hovered.connect(self._hovered)
        self._place.addWidget(self._plots, 1)

    def _span_chosen(self, number: int) -> None:
        self._span = SPANS[number][1]
        if self._plots is not None:
            self._plots.show_span(self._span)
        self._draw()

    @Slot(object)
    def _hovered(self, at: float | None) -> None:
        self._cursor.set_time(datetime.fromtimestamp(at, UTC) if at is not None else None)

    @Slot(object)
    def _time_changed(self, moment: datetime | None) -> None:
        if self._plots is not None:
            self._plots.set_cursor(moment)

    @Slot()
    def _chosen_changed(self) -> None:
        chosen = self.list.chosen()
        self._hint.setProperty("kept", False)
        if chosen and not self._period_typed:
            self.period.setText(show_duration(max([SHORTEST, *(r.min_period for r in chosen if r.min_period)])))
        self._offer()
        self._draw()

    @Slot()
    def _typed(self) -> None:
        self._period_typed = True
        self._hint.setProperty("kept", False)
        self._offer()

    @Slot()
    def _focus_request(self) -> None:
        if self.request.isEnabled():
            self.request.setFocus()

    def _requestable(self) -> list[ReportView]:
        """Chosen data points of VENs that a VTN of ours may ask."""
        ours = {session.name for session in self._desk.sessions() if session.kind == "VTN"}
        return [report for report in self.list.chosen() if report.session in ours]

    def wanted_period(self) -> timedelta | None:
        """What is typed; None where it is no period."""
        try:
            period = read_duration(self.period.text())
        except ValueError as error:
            self._say(str(error), "finding_error")
            return None
        if not period:
            self._say("A request needs a period of a second or more.", "finding_error")
            return None
        return period

    def _offer(self) -> None:
        chosen = self._requestable()
        period = self.wanted_period()
        vens = sorted({report.ven_id for report in chosen})
        whom = vens[0] if len(vens) == 1 else plural(len(vens), "VEN")
        if not chosen:
            self.request.set_text("Select data points to request")
        elif period is not None:
            points = plural(len(chosen), "data point")
            self.request.set_text(f"Request {points} every {show_duration(period)} from {whom}")
        self.request.setEnabled(bool(chosen) and period is not None)
        if period is not None:
            self._hint_at(chosen, period)
        self._offer_cancel(chosen)

    def _hint_at(self, chosen: list[ReportView], period: timedelta) -> None:
        if self._hint.property("kept"):
            return
        shortest = max((r.min_period for r in chosen if r.min_period), default=None)
        longest = min((r.max_period for r in chosen if r.max_period), default=None)
        if not chosen:
            self._say("", "text_muted")
        elif (shortest and period < shortest) or (longest and period > longest):
            self._say(f"Offered {period_words(shortest, longest)}; the VEN may refuse.", "finding_warning")
        else:
            self._say(f"Offered {period_words(shortest, longest)}.", "text_muted")

    def _say(self, text: str, role: str) -> None:
        self._hint.setText(text)
        self._hint.setToolTip(text)
        self._hint.set_role(role)

    def _running_requests(self, chosen: list[ReportView]) -> list[tuple[str, str, str]]:
        """(session, venID, reportRequestID) that the chosen data points run under."""
        running = [r for r in chosen if r.report_request_id and r.state in ("requested", "running", "stale")]
        return list(dict.fromkeys((r.session, r.ven_id, r.report_request_id) for r in running))

    def _offer_cancel(self, chosen: list[ReportView]) -> None:
        requests = self._running_requests(chosen)
        self.cancel.setVisible(bool(requests))
        if len(requests) == 1:
            self.cancel.set_text(f"Cancel {requests[0][2]} of {requests[0][1]}")
        elif requests:
            self.cancel.set_text(f"Cancel {plural(len(requests), 'request')}")

    @Slot()
    def _request(self) -> None:
        chosen, period = self._requestable(), self.wanted_period()
        if not chosen or period is None:
            return
        asked: dict[tuple[str, str], list[str]] = {}
        for report in chosen:
            asked.setdefault((report.session, report.ven_id), []).append(report.r_id)
        self._tell([self._desk.request_report(session, ven, r_ids, period) for (session, ven), r_ids in asked.items()])

    @Slot()
    def _cancel(self) -> None:
        requests = self._running_requests(self._requestable())
        self._tell([self._desk.cancel_report(*request) for request in requests])

    def _tell(self, outcomes: list[Outcome]) -> None:
        """What came of it; a failure before a success. It stays until something else is chosen."""
        wrong = [outcome for outcome in outcomes if not outcome.ok]
        told = wrong or outcomes
        self.refresh(INTERESTING)
        if told:
            self._say(" ".join(outcome.text for outcome in told), "finding_error" if wrong else "text")
            self._hint.setProperty("kept", True)
