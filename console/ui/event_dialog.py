"""The event editor, a pane under the chart: form, live preview, findings and XML of the draft; and the cancel question.

A draft is local: nothing is sent before *Issue event*, whose button names to whom it goes. What was sent can be
modified or cancelled, not unsent; cancelling asks once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from console.app.views import Desk, EventDraft, EventView, Outcome
from console.openadr.findings import Finding, Severity
from console.ui.event_form import EventForm
from console.ui.event_preview import EventPreview, course_of_draft
from console.ui.gantt import Bar, draft_bars
from console.ui.source import TagsMuted, TextPane
from console.ui.theme import ui
from console.ui.widgets import box, button, label, line, notice, pane_title
from console.ui.words import clock, plural

FORM_WIDTH = 340
FINDINGS_WIDTH = 316
LEAST_PANE = 220
FOOT_HEIGHT = 44


def parted(text: str) -> tuple[str, str]:
    """First sentence and the rest: a notice says the first in bold."""
    head, dot, rest = text.partition(". ")
    return (head + "." if dot else head, rest)


class FindingList(QWidget):
    """Notices for the findings of a draft, and for fields that cannot be read."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: tuple[tuple[str, str, str], ...] = ()
        """(kind, title, text)."""
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(12, 0, 12, 10)
        self._column.setSpacing(6)

    def show_findings(self, problems: Sequence[str], findings: Sequence[Finding], outcome: Outcome | None) -> None:
        rows: list[tuple[str, str, str]] = []
        if outcome is not None and not outcome.ok:
            rows.append(("error", *parted(outcome.text)))
        rows += [("error", *parted(text)) for text in problems]
        for found in sorted(findings, key=lambda f: -f.severity):
            title, rest = parted(found.text)
            where = f"Rule {found.rule}" if found.rule.isdigit() else found.rule.capitalize()
            rows.append((found.severity.word, title, f"{rest} {where}, {found.clause}." if found.clause else rest))
        if tuple(rows) == self.shown:
            return
        self.shown = tuple(rows)
        while self._column.count():
            item = self._column.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for kind, title, text in rows:
            self._column.addWidget(notice(kind, title, text.strip()))
        if not rows:
            self._column.addWidget(label("Nothing to remark.", "text_muted", ui(12.5)))
        self._column.addStretch(1)

    def summary(self) -> str:
        counts = [
            plural(n, word)
            for word in ("error", "warning", "info")
            if (n := sum(kind == word for kind, _, _ in self.shown))
        ]
        return ", ".join(counts) or "none"


def scrolled(inner: QWidget) -> QScrollArea:
    """``inner`` with a vertical scroll bar where it does not fit."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    inner.setObjectName("panel")
    inner.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    area.setWidget(inner)
    return area


class EventEditor(QWidget):
    """Makes a draft and issues it, or modifies an event that is out."""

    finished = Signal(str, str)
    """(eventID, what was done) once the desk took it; both empty when the draft was discarded."""
    redrawn = Signal()
    """The draft is another one: the chart shows it."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._modified: EventView | None = None
        self._outcome: Outcome | None = None
        self.draft: EventDraft | None = None
        self.title = label("New event", "text", ui(13, 600))
        self.form = EventForm(desk.timezone)
        self.form.changed.connect(self._changed)
        self.preview = EventPreview(desk.timezone)
        self.findings = FindingList()
        self._count = label("", "text_muted", ui(12))
        self.source = TextPane("oadrDistributeEvent of the draft")
        self.source.setMinimumHeight(60)
        self.source.setCornerWidget(box("v", name="panel"))
        self._tags = TagsMuted(self.source.document())
        self._consequence = label("", "text_muted", ui(12))
        self._consequence.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.discard = button("Discard draft", run=self._discard)
        self.issue = button("Issue event", "primary", run=self._issue)
        form = box(
            "v", pane_title(self.title, label("draft", "text_muted", ui(12)), 4), (scrolled(self.form), 1), name="panel"
        )
        form.setFixedWidth(FORM_WIDTH)
        middle = box("v", pane_title("Preview"), (self.preview, 1), name="panel")
        self._finding_area = scrolled(self.findings)
        self._finding_area.setMaximumHeight(150)
        right = box(
            "v",
            pane_title("Findings of the draft", self._count, 4),
            self._finding_area,
            line(),
            (self.source, 1),
            name="panel",
        )
        right.setMinimumWidth(LEAST_PANE)
        right.setMaximumWidth(FINDINGS_WIDTH)
        body = box("h", form, line("v"), (middle, 3), line("v"), (right, 2))
        foot = box(
            "h", (self._consequence, 1), self.discard, self.issue, margins=(12, 0, 12, 0), spacing=8, name="chrome"
        )
        foot.setFixedHeight(FOOT_HEIGHT)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part, stretch in ((body, 1), (line(), 0), (foot, 0)):
            column.addWidget(part, stretch)

    def start_new(self) -> None:
        """Begin an empty draft."""
        self._begin(None, "New event")
        self.form.fill_new()
        self.form.start.setFocus()

    def start_modify(self, view: EventView) -> None:
        """Begin with the event as it stands."""
        self._begin(view, f"Modify {view.event.event_id}")
        self.form.fill_from(view)
        self.form.start.setFocus()

    def _begin(self, view: EventView | None, title: str) -> None:
        self._modified, self._outcome = view, None
        self.title.setText(title)
        contexts = list(dict.fromkeys(each.event.market_context for each in self._desk.events()))
        contexts.append(EventDraft.__dataclass_fields__["market_context"].default)
        self.form.set_places(self._desk.sessions(), self._desk.vens(), contexts)

    def refresh(self, changed: frozenset[str]) -> None:
        """Keep VENs, preview and relative times up to date."""
        if "presence" in changed or "sessions" in changed:
            self.form.set_places(self._desk.sessions(), self._desk.vens(), ())
        self._changed()

    def bars(self) -> list[Bar]:
        """The draft as the chart draws it."""
        if self.draft is None:
            return []
        name = f"{self._modified.event.event_id} draft" if self._modified else "draft"
        return draft_bars(self.form.session.currentText(), self.draft, self.form.targets.names(), name)

    def _changed(self) -> None:
        now = self._desk.now()
        before = self.draft
        self.draft = self.form.read(now)
        problems = list(self.form.problems.values())
        findings: Sequence[Finding] = ()
        if self.draft is not None:
            if self.draft != before or not self.source.toPlainText():
                self._outcome = None if before is not None and _differs(before, self.draft) else self._outcome
                self._show_source(self._desk.draft_source(self._named(self.draft)))
            findings = self._desk.check_draft(self._named(self.draft))
        if self.draft is not None:
            self.preview.show_course(course_of_draft(self.draft), now.timestamp())
        self.findings.show_findings(problems, findings, self._outcome)
        self._count.setText(self.findings.summary())
        wrong = any(found.severity is Severity.ERROR for found in findings)
        self.issue.setEnabled(self.draft is not None and not wrong and bool(self.form.session.currentText()))
        self._say(wrong)
        if self.draft != before:
            self.redrawn.emit()

    def _named(self, draft: EventDraft) -> EventDraft:
        """With the event it modifies, so that preview and findings are of the message that would go out."""
        return replace(draft, event_id=self._modified.event.event_id) if self._modified else draft

    def _show_source(self, text: str) -> None:
        if text != self.source.toPlainText() and not self.source.textCursor().hasSelection():
            place = self.source.verticalScrollBar().value()
            self.source.setPlainText(text)
            self.source.verticalScrollBar().setValue(place)

    def _say(self, wrong: bool) -> None:
        """Name in button and foot what would go out, and to whom."""
        vens = len(self.form.targets.names())
        to = plural(vens, "VEN") if vens else "every VEN to come"
        verb, of = ("Modify", f" {self._modified.event.event_id}") if self._modified else ("Issue", " event")
        self.issue.set_text(f"{verb}{of} {'for' if self._modified else 'to'} {to}")
        words = "Nothing is sent before the errors are gone."
        if self.draft is not None and not wrong:
            starts = clock(self.draft.start, self._desk.timezone)
            words = (
                f"Sends oadrDistributeEvent at each VEN's next poll; starts {starts}. "
                "It can be modified or cancelled, not unsent."
            )
        self._consequence.setText(words)
        self._consequence.setToolTip(words)

    def send(self) -> None:
        """Ctrl+Enter asks once: the first goes to the button that names what happens, the second sends."""
        if self.issue.hasFocus():
            self.issue.click()
        else:
            self.issue.setFocus()

    def _issue(self) -> None:
        draft = self.form.read(self._desk.now())
        if draft is None:
            self._changed()
            return
        session = self.form.session.currentText()
        if self._modified is not None:
            outcome = self._desk.modify_event(session, self._modified.event.event_id, draft)
        else:
            outcome = self._desk.issue_event(session, draft)
        if outcome.ok:
            event_id = outcome.subject or (self._modified.event.event_id if self._modified else "")
            self.finished.emit(event_id, outcome.text)
        else:
            self._outcome = outcome
            self._changed()

    def _discard(self) -> None:
        self.draft = None
        self.finished.emit("", "")

    def retheme(self) -> None:
        self._tags.retheme()
        self.preview.update()


def _differs(one: EventDraft, other: EventDraft) -> bool:
    """Whether somebody edited it: a start given from now on moves by itself."""
    return replace(one, start=other.start) != other


class CancelDialog(QDialog):
    """Asks once before an event is cancelled: the safe choice left, the named verb right, Escape is safe.

    Open it with ``open()``; ``run`` is called when the verb was chosen.
    """

    def __init__(self, parent: QWidget, title: str, text: str, safe: str, verb: str, run: Callable[[], None]) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMaximumWidth(480)
        self.setMinimumWidth(400)
        self.safe = button(safe, run=self.reject)
        self.verb = button(verb, "primary", run=self.accept)
        self.safe.setDefault(True)
        self.accepted.connect(run)
        words: QLabel = label(text, "text", ui(13), wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(8)
        column.addWidget(label(title, "text", ui(14, 600), wrap=True))
        column.addWidget(words)
        column.addSpacing(4)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addStretch(1)
        row.addWidget(self.safe)
        row.addWidget(self.verb)
        column.addLayout(row)
        self.safe.setFocus()
