"""The two lines at the foot of the window: the latest finding that matters, and the status bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from console.ui.bridge import CLOCK, Bridge
from console.ui.cursor import TimeCursor
from console.ui.theme import ui
from console.ui.widgets import Glyph, Strip, button, label, line
from console.ui.words import clock, count, offset, plural

if TYPE_CHECKING:
    from console.app.views import Desk, FindingView

STRIP_HEIGHT = 28


def foremost(findings: list[FindingView]) -> FindingView | None:
    """The newest of the worst kind among those given newest first."""
    return max(findings, key=lambda finding: finding.severity, default=None)


class FindingStrip(QWidget):
    """One line: how many findings, the newest of the worst, and the way to its message."""

    def __init__(self, desk: Desk, cursor: TimeCursor) -> None:
        super().__init__()
        self._desk, self._cursor = desk, cursor
        self._message = 0
        self.setObjectName("chrome")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(STRIP_HEIGHT)
        self._count = label("No findings", "text_muted", ui(12))
        self._glyph = Glyph("error", None, 12)
        self._text = label("", "text", ui(12))
        self._text.setMinimumWidth(40)
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._since = label("", "text_muted", ui(12))
        self._show = button("Show message", "link", run=self._go)
        self._show.setFont(ui(12, 500))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 0, 12, 0)
        layout.setSpacing(8)
        layout.addWidget(self._count)
        rule = line("v")
        rule.setFixedHeight(14)
        layout.addWidget(rule)
        layout.addWidget(self._glyph)
        layout.addWidget(self._text, 1)
        layout.addWidget(self._since)
        layout.addWidget(self._show)
        self._parts = (rule, self._glyph, self._text, self._since, self._show)
        self._set(None)

    def refresh(self, changed: frozenset[str]) -> None:
        if "findings" in changed:
            findings = list(self._desk.findings())
            self._count.setText(f"Findings {count(len(findings))}" if findings else "No findings")
            self._count.set_role("text" if findings else "text_muted")
            self._set(foremost(findings))

    def _set(self, finding: FindingView | None) -> None:
        for part in self._parts[:-1]:
            part.setVisible(finding is not None)
        self._show.setVisible(finding is not None and finding.message > 0)
        if finding is None:
            return
        self._message = finding.message
        self._glyph.set_glyph(finding.severity.word)
        peer = f"{finding.peer}: " if finding.peer and finding.peer not in finding.text else ""
        self._text.setText(peer + finding.text)
        self._text.setToolTip(finding.text)
        self._since.setText(f"at {clock(finding.time, self._desk.timezone)}")
        self._show.set_text(f"Show message {count(finding.message)}")

    def _go(self) -> None:
        self._cursor.show_message(self._message)


class StatusBar(Strip):
    """Who listens where, how many VENs, the sign convention, what was lost, and the clock."""

    def __init__(self, desk: Desk, bridge: Bridge) -> None:
        super().__init__(height=24, gap=18)
        self._desk, self._bridge = desk, bridge

    def refresh(self, changed: frozenset[str]) -> None:
        if not changed & {"status", CLOCK}:
            return
        status, zone = self._desk.status(), self._desk.timezone
        lost = "text" if status.dropped else "text_muted"
        speed = f"clock {status.speed:g}×"
        self.set_pieces(
            [
                (status.listening or "Nothing listens", "text_muted"),
                (plural(status.vens, "VEN"), "text_muted"),
                ("+ is consumption", "text_muted"),
                *([(f"recording {status.kept}", "text_muted")] if status.kept else []),
            ],
            [
                (f"{count(status.dropped)} dropped", lost),
                (plural(status.messages, "message"), "text_muted"),
                (f"{self._bridge.fps} fps", "text_muted"),
                (speed, "text" if status.speed != 1 else "text_muted"),
                (f"{clock(status.clock, zone)} {offset(status.clock, zone)}", "text"),
            ],
        )
