"""What is selected and which moment is looked at, shared by every view.

Selecting anywhere selects everywhere: a view tells the cursor, the cursor tells the others. A change to the same value
is not told, so that views may answer a signal by setting what they show without going in circles.
"""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QObject, Signal


class TimeCursor(QObject):
    """One time cursor and one selection for the whole window."""

    time_changed = Signal(object)
    """The moment looked at, an aware datetime, or None for now."""
    message_selected = Signal(int)
    """Number of the message; 0 for none."""
    event_selected = Signal(str)
    device_selected = Signal(str)
    ven_selected = Signal(str)
    session_selected = Signal(str)
    """Name of the session that the message list is narrowed to; empty for all."""
    view_wanted = Signal(str)
    """Bring the tab of this name to the front: ``Messages``, ``Events``, ``Reports``, ``Presence``, ``Site``."""
    filter_wanted = Signal(str)
    """Show the messages that match this filter text."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.moment: datetime | None = None
        self.message_number = 0
        self.event_id = ""
        self.device_name = ""
        self.ven_id = ""
        self.session_name = ""

    def set_time(self, moment: datetime | None) -> None:
        if moment != self.moment:
            self.moment = moment
            self.time_changed.emit(moment)

    def select_message(self, number: int) -> None:
        if number != self.message_number:
            self.message_number = number
            self.message_selected.emit(number)

    def select_event(self, event_id: str) -> None:
        if event_id != self.event_id:
            self.event_id = event_id
            self.event_selected.emit(event_id)

    def select_device(self, name: str) -> None:
        if name != self.device_name:
            self.device_name = name
            self.device_selected.emit(name)

    def select_ven(self, ven_id: str) -> None:
        if ven_id != self.ven_id:
            self.ven_id = ven_id
            self.ven_selected.emit(ven_id)

    def select_session(self, name: str) -> None:
        if name != self.session_name:
            self.session_name = name
            self.session_selected.emit(name)

    def show_view(self, name: str) -> None:
        self.view_wanted.emit(name)

    def show_message(self, number: int) -> None:
        """Bring the message list to the front with this message in it."""
        self.view_wanted.emit("Messages")
        self.select_message(number)

    def show_messages(self, filter_text: str) -> None:
        """Bring the message list to the front, narrowed to what matches."""
        self.view_wanted.emit("Messages")
        self.filter_wanted.emit(filter_text)
