"""A search through bodies as the window follows it: one at a time, asked how far it is ten times a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

if TYPE_CHECKING:
    from console.app.views import Desk, Search

ASK_MS = 100


class Lookup(QObject):
    """Starts what a filter text needs, and tells when it knows more."""

    found = Signal()
    """Filters know more bodies than before."""
    moved = Signal()
    """Progress, or the end."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._search: Search | None = None
        self._wanted = ("", "")
        self._given_up = ("", "")
        self._timer = QTimer(self)
        self._timer.setInterval(ASK_MS)
        self._timer.timeout.connect(self.ask)
        self.trouble = ""

    @property
    def running(self) -> bool:
        return self._search is not None

    @property
    def progress(self) -> tuple[int, int]:
        """Bodies looked at, and all that are to be."""
        return (self._search.done, self._search.total) if self._search is not None else (0, 0)

    def want(self, text: str, session: str, again: bool = False) -> None:
        """Look up what this filter text asks; of a text that was given up only if ``again``."""
        wanted = (text, session)
        if wanted != self._wanted:
            self._stop()
            self._given_up = ("", "")
        elif again:
            self._given_up = ("", "")
        self._wanted = wanted
        if text.strip() and self._search is None and wanted != self._given_up:
            self._begin()

    def _begin(self) -> None:
        self._search = self._desk.search(*self._wanted)
        self.trouble = ""
        if self._search is not None:
            self._timer.start()
            self.moved.emit()

    def cancel(self) -> None:
        """Stop looking; what was found stays."""
        self._given_up = self._wanted
        self._stop()
        self.found.emit()
        self.moved.emit()

    def _stop(self) -> None:
        self._timer.stop()
        if self._search is not None:
            self._search.cancel()
            self._search.take()
            self._search = None

    @Slot()
    def ask(self) -> None:
        """Take in what was found since."""
        search = self._search
        if search is None:
            return
        more = search.take()
        if search.finished:
            self.trouble = search.trouble
            self._search = None
            self._timer.stop()
        if more or search.finished:
            self.found.emit()
        self.moved.emit()
