"""The filter bar: a text of the message log's filter language, what it came to, and pause.

Edge, glyph and words say valid, wrong or off; the count always has its room. While one types, what could come next
stands below; filters used and saved are behind two buttons.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QRectF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QInputMethodEvent, QKeyEvent, QPainter, QPaintEvent, QPen, QTextCharFormat
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QToolButton, QWidget, QWidgetAction

from console.ui.filter_popup import CompletionPopup
from console.ui.glyphs import glyph, put, width_of
from console.ui.icons import paint_icon
from console.ui.theme import BAR, CONTROL, RADIUS_CONTROL, col, mono, ui
from console.ui.widgets import ToolButton, button, tool
from console.ui.words import count

if TYPE_CHECKING:
    from console.app.filter_book import FilterBook
    from console.store.filter_completion import Completion

    Proposer = Callable[[str, int], list[Completion]]

LONGEST_IN_MENU = 70
TYPING_MS = 150
"""A filter is applied when typing rests this long."""
_TOKEN = re.compile(r'"[^"]*"?|[<>=!~]+|[(),]|[^\s"<>=!~(),]+')
_JOINTS = ("and", "or", "not", "in", "contains", "(", ")", ",")


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
        self.error_at = -1
        """Where the text is not understood; -1 where it is."""
        self.textChanged.connect(self._changed)

    @Slot()
    def _changed(self) -> None:
        self.error_at = -1
        self.colour()

    def set_error(self, at: int) -> None:
        if at != self.error_at:
            self.error_at = at
            self.colour()

    @Slot()
    def colour(self) -> None:
        """QLineEdit shows formats only for text in composition, so the roles are handed to it as such."""
        marks: list[QInputMethodEvent.Attribute] = []
        for start, length, role in roles_of(self.text()):
            form = QTextCharFormat()
            form.setForeground(col(role))
            if start <= self.error_at < start + length:
                form.setForeground(col("finding_error"))
                form.setFontUnderline(True)
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


def menu_tool(icon_name: str, name: str, fill: Callable[[QMenu], None]) -> ToolButton:
    """An icon button whose menu is made when it opens."""
    made = tool(icon_name, name)
    menu = QMenu(made)
    menu.setToolTipsVisible(True)
    made.setMenu(menu)
    made.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)

    def refill() -> None:
        menu.clear()
        fill(menu)

    menu.aboutToShow.connect(refill)
    return made


def shown_in_menu(text: str) -> str:
    """A text as a menu shows it: not too long, and no mnemonic in it."""
    short = text if len(text) <= LONGEST_IN_MENU else text[: LONGEST_IN_MENU - 1] + "…"
    return short.replace("&", "&&")


class FilterBar(QWidget):
    """The whole row: frame, clear, pause."""

    wanted = Signal(str)
    """The filter text to apply; empty for none or off."""
    pause_toggled = Signal()
    left = Signal()
    """Esc: back to the list."""
    entered = Signal()
    stop_wanted = Signal()
    """Stop looking through bodies."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("chrome")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(BAR)
        self.frame = FilterFrame()
        self.edit = self.frame.edit
        self._off = False
        self._looking = ""
        self._clear = tool("filter-x", "Clear filter", self.clear)
        self._stop = button("Stop looking", "link", run=self.stop_wanted.emit, tip="What was found stays.")
        self._stop.hide()
        self._history = menu_tool("history", "Filters used before", self._fill_history)
        self._saved = menu_tool("star", "Saved filters", self._fill_saved)
        self._pause = button("Pause tail", "", "pause", self.pause_toggled.emit)
        self._pause.setMinimumWidth(136)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 0, 8, 0)
        layout.setSpacing(6)
        layout.addWidget(self.frame, 1)
        layout.addWidget(self._stop)
        layout.addWidget(self._clear)
        layout.addWidget(self._history)
        layout.addWidget(self._saved)
        layout.addWidget(self._pause)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(TYPING_MS)
        self._typing.timeout.connect(self.apply)
        self.proposer: Proposer | None = None
        """Tells what could be typed at the cursor; without one nothing is proposed."""
        self.popup = CompletionPopup()
        self.popup.chosen.connect(self._accept)
        self.book: FilterBook | None = None
        self._at_history = -1
        self.edit.textEdited.connect(self._edited)
        self.edit.returnPressed.connect(self._entered)
        self.edit.installEventFilter(self)

    @property
    def off(self) -> bool:
        return self._off

    @Slot(str)
    def _edited(self, _text: str) -> None:
        self._off = False
        self._at_history = -1
        self._typing.start()
        self.propose()

    def propose(self) -> None:
        """Show what could be typed at the cursor."""
        found = self.proposer(self.edit.text(), self.edit.cursorPosition()) if self.proposer is not None else []
        self.popup.propose(found, self.frame, 24 + self.edit.cursorRect().left() - 12)

    @Slot(int)
    def _accept(self, place: int) -> None:
        each = self.popup.rows.found[place]
        text = self.edit.text()
        space = "" if each.text.endswith("(") else " "
        self.edit.setText(text[: each.start] + each.text + space + text[each.end :].lstrip())
        self.edit.setCursorPosition(each.start + len(each.text) + len(space))
        self._edited(self.edit.text())

    @Slot()
    def _entered(self) -> None:
        self.popup.hide()
        self.apply()
        if self.book is not None and not self._off:
            self.book.note(self.edit.text())
        self.entered.emit()

    def _fill_history(self, menu: QMenu) -> None:
        used = self.book.used if self.book is not None else []
        for text in used:
            menu.addAction(shown_in_menu(text), lambda text=text: self.set_text(text))
        if not used:
            menu.addAction("No filter was used yet").setEnabled(False)

    def _fill_saved(self, menu: QMenu) -> None:
        book, text = self.book, self.edit.text().strip()
        if book is None:
            return
        if text:
            typed = QLineEdit()
            typed.setPlaceholderText("Save this filter as…")
            typed.setAccessibleName("Name of the filter")
            typed.setMinimumWidth(240)
            typed.returnPressed.connect(lambda: (book.save(typed.text(), text), menu.close()))
            field = QWidgetAction(menu)
            field.setDefaultWidget(typed)
            menu.addAction(field)
            # The menu takes the focus when it is shown, which is after this.
            QTimer.singleShot(0, typed, typed.setFocus)
            menu.addSeparator()
        for name, kept in book.saved.items():
            made = menu.addAction(shown_in_menu(name), lambda kept=kept: self.set_text(kept))
            made.setToolTip(kept)
        forgettable = [name for name, kept in book.saved.items() if kept == text]
        if forgettable:
            menu.addSeparator()
            menu.addAction(f"Forget {shown_in_menu(forgettable[0])}", lambda: book.forget(forgettable[0]))
        if not text and not book.saved:
            menu.addAction("No filter is saved yet").setEnabled(False)

    def _walk_history(self, by: int) -> None:
        used = self.book.used if self.book is not None else []
        at = self._at_history + by
        if -1 <= at < len(used):
            self._at_history = at
            self.edit.setText(used[at] if at >= 0 else "")
            self._typing.start()

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

    def set_looking(self, looked: int, total: int) -> None:
        """Say how far the search through bodies is; 0 of 0 for none."""
        self._looking = f", looked at {count(looked)} of {count(total)} bodies" if total else ""
        self._stop.setVisible(bool(total))

    def set_count(self, shown: int, total: int, error: str, session: str, error_at: int = -1) -> None:
        """Say what the filter came to: ``shown`` of ``total`` messages, or why it is not understood."""
        self.edit.set_error(error_at if error else -1)
        if error:
            self.frame.set_result("error", error)
            return
        words = f"{count(shown)} of {count(total)} shown" + (f", session {session}" if session else "") + self._looking
        if self._off:
            self.frame.set_result("off", f"off, {words}")
        else:
            self.frame.set_result("ok" if self.edit.text() else "none", words)

    def set_paused(self, paused: bool, behind: int) -> None:
        self._pause.set_icon("play" if paused else "pause")
        self._pause.set_text(f"Paused, {count(behind)} new" if paused else "Pause tail")

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut:
            self.popup.hide()
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress:
            return False
        key, control = event.key(), bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if self.popup.isVisible() and self._popup_key(key, control):
            return True
        if key == Qt.Key.Key_Escape:
            self.left.emit()
        elif key == Qt.Key.Key_Space and control:
            self.propose()
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down) and control:
            self._walk_history(1 if key == Qt.Key.Key_Up else -1)
        elif key == Qt.Key.Key_Down:
            self.propose()
        else:
            return False
        return True

    def _popup_key(self, key: int, control: bool) -> bool:
        """What a key does while proposals are shown; False where it is none of theirs."""
        if key == Qt.Key.Key_Escape:
            self.popup.hide()
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down) and not control:
            self.popup.step(1 if key == Qt.Key.Key_Down else -1)
        elif key == Qt.Key.Key_Tab or (key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.popup.current):
            chosen = self.popup.current or self.popup.rows.found[0]
            self._accept(self.popup.rows.found.index(chosen))
        else:
            return False
        return True

    def retheme(self) -> None:
        self.edit.colour()
