"""Find a text in the bodies of the messages shown: which hit this is of how many, how far the search is."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from console.ui.lookups import Lookup
from console.ui.theme import BAR, mono, ui
from console.ui.widgets import button, label, tool
from console.ui.words import count, plural

if TYPE_CHECKING:
    from console.app.views import Desk

TYPING_MS = 250


def body_filter(text: str, within: str = "") -> str:
    """The filter for bodies that hold ``text``, among those that ``within`` shows."""
    mark = "'" if '"' in text else '"'
    wanted = f"body ~ {mark}{text.replace(mark, '')}{mark}"
    return f"({within}) and {wanted}" if within.strip() else wanted


class FindBar(QWidget):
    """Hidden until it is asked for; keeps the numbers of the messages that hold the text."""

    chosen = Signal(int)
    """Number of the hit to go to."""
    changed = Signal()
    """Other hits than before."""
    closed = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._within, self._session = "", ""
        self.hits: list[int] = []
        """Numbers, ascending."""
        self.current = 0
        self.lookup = Lookup(desk)
        self.setObjectName("chrome")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(BAR)
        self.edit = QLineEdit()
        self.edit.setFont(mono(12))
        self.edit.setAccessibleName("Find in bodies")
        self.edit.setPlaceholderText("Find in bodies: any text as it was sent")
        self.edit.installEventFilter(self)
        self.said = label("", "text_muted", ui(12))
        self.stop = button("Stop", "link", run=self.lookup.cancel)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 0, 8, 0)
        layout.setSpacing(6)
        layout.addWidget(self.edit, 1)
        layout.addWidget(self.said)
        layout.addWidget(self.stop)
        self._previous = button("Previous", "quiet", run=lambda: self.step(-1), tip="Shift+F3")
        self._next = button("Next", "quiet", run=lambda: self.step(1), tip="F3")
        for part in (self._previous, self._next, tool("x", "Close find", self.close_bar)):
            layout.addWidget(part)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(TYPING_MS)
        self._typing.timeout.connect(self.look)
        self.edit.textEdited.connect(self._typing.start)
        self.lookup.found.connect(self.gather)
        self.lookup.moved.connect(self._say)
        self._say()
        self.hide()

    def open(self) -> None:
        self.show()
        self.edit.setFocus()
        self.edit.selectAll()

    def close_bar(self) -> None:
        self.hide()
        self.hits = []
        if self.lookup.running:
            self.lookup.cancel()
        self.changed.emit()
        self.closed.emit()

    @property
    def text(self) -> str:
        """What is looked for; empty while the bar is not open."""
        return self.edit.text() if not self.isHidden() else ""

    def narrow(self, within: str, session: str) -> None:
        """Look only among what this filter of this session shows."""
        if (within, session) != (self._within, self._session):
            self._within, self._session = within, session
            if self.text:
                self.look()

    @Slot()
    def look(self) -> None:
        """Look for what stands in the bar now."""
        self._typing.stop()
        if self.text:
            self.lookup.want(body_filter(self.text, self._within), self._session, again=True)
        self.gather()

    @Slot()
    def gather(self) -> None:
        """Take in the hits known by now."""
        if self.text:
            rows = self._desk.messages.matches(body_filter(self.text, self._within), self._session, 0)
            self.hits = [int(row) + 1 for row in rows]
        else:
            self.hits = []
        self._say()
        self.changed.emit()

    def catch_up(self) -> None:
        """Messages came in."""
        if self.text:
            self.lookup.want(body_filter(self.text, self._within), self._session)

    def step(self, by: int) -> None:
        """Go to the next hit after the message that is chosen, or the one before; round and round."""
        if self._typing.isActive():
            self.look()
        if not self.hits:
            return
        at = bisect_right(self.hits, self.current) if by > 0 else bisect_left(self.hits, self.current) - 1
        self.chosen.emit(self.hits[at % len(self.hits)])
        self._say()

    def set_current(self, number: int) -> None:
        self.current = number
        self._say()

    def _say(self) -> None:
        looked, total = self.lookup.progress
        self.stop.setVisible(self.lookup.running)
        found = len(self.hits)
        at = bisect_left(self.hits, self.current)
        here = at < found and self.hits[at] == self.current
        words = plural(found, "message") if not here else f"{count(at + 1)} of {count(found)}"
        if self.lookup.running:
            words += f", looked at {count(looked)} of {count(total)}"
        elif self.lookup.trouble:
            words = self.lookup.trouble
        self.said.setText(words if self.edit.text() else "")

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() == Qt.Key.Key_Escape:
                self.close_bar()
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                back = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
                self.look() if not self.hits else self.step(-1 if back else 1)
                return True
        return False
