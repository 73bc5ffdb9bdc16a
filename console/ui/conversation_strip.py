"""A conversation as one line: what asked, what was answered, what followed, how long each took, and the 30 s limit."""

from __future__ import annotations

from datetime import timedelta

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter

from console.app.conversations import LIMIT, Conversation
from console.ui.glyphs import put, width_of
from console.ui.theme import col, ui
from console.ui.widgets import Canvas

HEIGHT = 44
GAP = 5
BAR_TOP = 25


def short_time(span: timedelta) -> str:
    """``3 ms``, ``0.52 s``, ``31 s``."""
    seconds = max(span.total_seconds(), 0.0)
    if seconds < 0.1:
        return f"{seconds * 1000:.0f}\u00a0ms"
    return f"{seconds:.2f}\u00a0s" if seconds < 10 else f"{seconds:.0f}\u00a0s"


def words_of(conversation: Conversation) -> str:
    """The whole in a sentence, for a reader and the tooltip."""
    parts: list[str] = []
    for before, each in zip((None, *conversation.messages), conversation.messages, strict=False):
        took = f" after {short_time(each.time - before.time)}" if before else ""
        parts.append(f"{each.element} (No. {each.number}){took}")
    text = ", then ".join(parts)
    if conversation.waited is not None:
        late = ", which is late" if conversation.waited > LIMIT else ""
        text += f". Answered after {short_time(conversation.waited)} of {LIMIT.seconds} s{late}."
    elif conversation.owed:
        text += f". {conversation.owed} has not come; {LIMIT.seconds} s are allowed."
    return text


class ConversationStrip(Canvas):
    """Names to click; the one that is looked at is underlined. Hidden where a message stands alone."""

    message_wanted = Signal(int)

    def __init__(self) -> None:
        super().__init__(height=HEIGHT)
        self.conversation: Conversation | None = None
        self._chosen = 0
        self._spots: list[tuple[QRectF, int]] = []
        self.setMouseTracking(True)
        self.hide()

    def show_conversation(self, conversation: Conversation, chosen: int) -> None:
        self.conversation, self._chosen = conversation, chosen
        more = len(conversation.messages) > 1 or bool(conversation.owed)
        self.setVisible(more)
        words = words_of(conversation)
        self.setAccessibleName(words)
        self.setToolTip(words)
        self.setFixedHeight(HEIGHT if conversation.waited is not None or conversation.owed else BAR_TOP)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if more else Qt.FocusPolicy.NoFocus)
        self.update()

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        conversation = self.conversation
        if conversation is None:
            return
        self._draw_names(painter, conversation, width)
        if conversation.waited is not None or conversation.owed:
            self._draw_limit(painter, conversation, width)
        if self.hasFocus():
            painter.setPen(col("focus"))
            painter.drawRect(0, 0, width - 1, height - 1)

    def _draw_names(self, painter: QPainter, conversation: Conversation, width: int) -> None:
        names = [each.element.removeprefix("oadr") or "(nothing)" for each in conversation.messages]
        times = [
            short_time(after.time - before.time)
            for before, after in zip(conversation.messages, conversation.messages[1:], strict=False)
        ]
        fixed = sum(width_of(each, ui(11)) + 2 * GAP for each in times)
        wanted = sum(width_of(each, ui(11)) + 2 for each in names)
        share = min(1.0, max(width - fixed, 40.0) / max(wanted, 1.0))
        self._spots.clear()
        x = 0.0
        for k, (name, message) in enumerate(zip(names, conversation.messages, strict=True)):
            room = QRectF(x, 0, (width_of(name, ui(11)) + 2) * share, 20)
            here = message.number == self._chosen
            put(painter, room, name, "text" if here else "accent", ui(11))
            if here:
                painter.fillRect(QRectF(x, 18, room.width() - 1, 1.5), col("accent"))
            self._spots.append((room, message.number))
            x = room.right()
            if k < len(times):
                x += GAP + put(painter, QRectF(x + GAP, 0, 60, 20), times[k], "text_muted", ui(11), elide=False) + GAP

    @staticmethod
    def _draw_limit(painter: QPainter, conversation: Conversation, width: int) -> None:
        """A rule as long as the limit; its filled part is what was taken of it."""
        waited = conversation.waited
        late = waited is not None and waited > LIMIT
        share = 0.0 if waited is None else min(1.0, waited / LIMIT)
        painter.fillRect(QRectF(0, BAR_TOP, width, 2), col("border"))
        ink = "finding_error" if late else "border_strong"
        painter.fillRect(QRectF(0, BAR_TOP, max(2.0, width * share) if waited is not None else 0, 2), col(ink))
        said = (
            f"{conversation.owed} has not come"
            if waited is None
            else f"answered after {short_time(waited)}{', late' if late else ''}"
        )
        role = "finding_error" if late else "text_muted"
        put(painter, QRectF(0, BAR_TOP + 3, width - 40, 15), said, role, ui(11))
        put(painter, QRectF(width - 40, BAR_TOP + 3, 40, 15), f"{LIMIT.seconds}\u00a0s", "text_muted", ui(11), "r")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        for spot, number in self._spots:
            if spot.contains(event.position()) and number != self._chosen:
                self.message_wanted.emit(number)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        over = any(spot.contains(event.position()) for spot, _ in self._spots)
        self.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {int(Qt.Key.Key_Left): -1, int(Qt.Key.Key_Right): 1}.get(event.key())
        numbers = [each.number for each in self.conversation.messages] if self.conversation else []
        if step is None or self._chosen not in numbers:
            super().keyPressEvent(event)
            return
        at = numbers.index(self._chosen) + step
        if 0 <= at < len(numbers):
            self.message_wanted.emit(numbers[at])
