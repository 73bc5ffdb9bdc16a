"""The filter bar: a text of the message log's filter language, what it came to, and pause.

Edge, glyph and words say valid, wrong or off; the count always has its room.
"""

from __future__ import annotations

import re

from PySide6.QtCore import QCoreApplication, QEvent, QRectF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QInputMethodEvent, QKeyEvent, QPainter, QPaintEvent, QPen, QTextCharFormat
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from console.ui.glyphs import glyph, put, width_of
from console.ui.icons import paint_icon
from console.ui.theme import BAR, CONTROL, RADIUS_CONTROL, col, mono, ui
from console.ui.widgets import button, tool
from console.ui.words import count

TYPING_MS = 150
"""A filter is applied when typing rests this long."""
_TOKEN = re.compile(r'"[^"]*"?|[<>=!~]+|[()]|[^\s"<>=!~()]+')
_JOINTS = ("and", "or", "not", "in", "contains", "(", ")")


def roles_of(text: str) -> list[tuple[int, int, str]]:
    """(start, length, colour role) of each piece of a filter text: fields in accent, operators muted, values in ink."""
    tokens = list(_TOKEN.finditer(text))
    found: list[tuple[int, int, str]] = []
    for k, token in enumerate(tokens):
        following = tokens[k + 1][0] if k + 1 < len(tokens) else ""
        if token[0] in _JOINTS or token[0][0] in "<>=!~":
            role = "text_muted"
        else:
            role = "accent" if following[:1] in tuple("<>=!~") or following in ("in", "contains") else "text"
        found.append((token.start(), token.end() - token.start(), role))
    return found


class FilterEdit(QLineEdit):
    """The text itself, in mono, its fields in accent."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("bare")
        self.setFont(mono(12))
        self.setAccessibleName("Filter messages")
        self.setPlaceholderText("Filter messages: peer == ven-7 and element == oadrPoll, or any text")
        self.textChanged.connect(self.colour)

    @Slot()
    def colour(self) -> None:
        """QLineEdit shows formats only for text in composition, so the roles are handed to it as such."""
        marks: list[QInputMethodEvent.Attribute] = []
        for start, length, role in roles_of(self.text()):
            form = QTextCharFormat()
            form.setForeground(col(role))
            kind = QInputMethodEvent.AttributeType.TextFormat
            marks.append(QInputMethodEvent.Attribute(kind, start - self.cursorPosition(), length, form))
        QCoreApplication.sendEvent(self, QInputMethodEvent("", marks))


class FilterFrame(QWidget):
    """The edge round the text, with the icon at its left and the result at its right."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(CONTROL)
        self.edit = FilterEdit()
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(31, 1, 12, 1)
        self._layout.addWidget(self.edit)
        self.result = ""
        self.state = "none"
        self.edit.installEventFilter(self)

    def set_result(self, state: str, result: str) -> None:
        """State is ``none`` (no filter), ``ok``, ``error`` or ``off``."""
        if (state, result) != (self.state, self.result):
            self.state, self.result = state, result
            room = round(width_of(result, ui(12))) + (40 if state != "none" else 22)
            self._layout.setContentsMargins(31, 1, min(room, self.width() // 2), 1)
            self.setAccessibleDescription(result)
            self.update()

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.update()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = {"ok": "ok", "error": "finding_error"}.get(self.state, "border_strong")
        focus = self.edit.hasFocus()
        if focus and self.state != "error":
            edge = "focus"
        thick = 2 if focus else 1
        painter.setPen(QPen(col(edge), thick))
        painter.setBrush(col("sunken" if self.state == "off" else "raised"))
        inset = thick / 2
        frame = QRectF(inset, inset, self.width() - thick, self.height() - thick)
        painter.drawRoundedRect(frame, RADIUS_CONTROL, RADIUS_CONTROL)
        paint_icon(painter, "filter", 9, 7, 14, "text_muted")
        self._paint_result(painter)
        painter.end()

    def _paint_result(self, painter: QPainter) -> None:
        room = self.width() // 2 if self.state == "error" else self.width()
        width = min(width_of(self.result, ui(12)), room - 36)
        ink = "finding_error" if self.state == "error" else "text_muted"
        put(painter, QRectF(self.width() - width - 12, 0, width + 2, self.height()), self.result, ink, ui(12))
        mark = {"ok": ("ok", "ok"), "error": ("error", "finding_error"), "off": ("never", "text_muted")}.get(self.state)
        if mark:
            glyph(painter, mark[0], self.width() - width - 24, self.height() / 2, 11, mark[1])


class FilterBar(QWidget):
    """The whole row: frame, clear, pause."""

    wanted = Signal(str)
    """The filter text to apply; empty for none or off."""
    pause_toggled = Signal()
    left = Signal()
    """Esc: back to the list."""
    entered = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("chrome")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(BAR)
        self.frame = FilterFrame()
        self.edit = self.frame.edit
        self._off = False
        self._clear = tool("filter-x", "Clear filter", self.clear)
        self._pause = button("Pause tail", "", "pause", self.pause_toggled.emit)
        self._pause.setMinimumWidth(136)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 0, 8, 0)
        layout.setSpacing(6)
        layout.addWidget(self.frame, 1)
        layout.addWidget(self._clear)
        layout.addWidget(self._pause)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(TYPING_MS)
        self._typing.timeout.connect(self.apply)
        self.edit.textEdited.connect(self._edited)
        self.edit.returnPressed.connect(self._entered)
        self.edit.installEventFilter(self)

    @property
    def off(self) -> bool:
        return self._off

    @Slot(str)
    def _edited(self, _text: str) -> None:
        self._off = False
        self._typing.start()

    @Slot()
    def _entered(self) -> None:
        self.apply()
        self.entered.emit()

    @Slot()
    def apply(self) -> None:
        """Apply what stands in the bar now."""
        self._typing.stop()
        self.wanted.emit("" if self._off else self.edit.text())

    def set_text(self, text: str) -> None:
        """Put a filter in the bar and apply it."""
        self._off = False
        self.edit.setText(text)
        self.apply()

    def clear(self) -> None:
        self.set_text("")

    def toggle(self) -> None:
        """Switch the filter off without losing it, and on again."""
        if self.edit.text():
            self._off = not self._off
            self.apply()

    def set_count(self, shown: int, total: int, error: str, session: str) -> None:
        """Say what the filter came to: ``shown`` of ``total`` messages, or why it is not understood."""
        if error:
            self.frame.set_result("error", error)
            return
        words = f"{count(shown)} of {count(total)} shown" + (f", session {session}" if session else "")
        if self._off:
            self.frame.set_result("off", f"off, {words}")
        else:
            self.frame.set_result("ok" if self.edit.text() else "none", words)

    def set_paused(self, paused: bool, behind: int) -> None:
        self._pause.set_icon("play" if paused else "pause")
        self._pause.set_text(f"Paused, {count(behind)} new" if paused else "Pause tail")

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape:
            self.left.emit()
            return True
        return False

    def retheme(self) -> None:
        self.edit.colour()
