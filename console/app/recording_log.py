"""The message log of a recording up to an instant: what a view shows while the recording is played."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from console.store.columns import Array, Texts
from console.store.log import Log, to_instant, to_microseconds
from console.store.messages import MessageView, Selection


class LogUntil:
    """Satisfies ``console.app.views.MessageLog``; shows the first :attr:`count` messages of a log."""

    def __init__(self, log: Log) -> None:
        self._log = log
        # A clock that was set back must not hide what was recorded after it.
        self._reached = np.maximum.accumulate(log.columns["time"]) if len(log) else np.zeros(0, np.int64)
        self.count = len(log)

    @property
    def start(self) -> datetime | None:
        """Instant of the first message; None without any."""
        return to_instant(int(self._log.columns["time"][0])) if len(self._log) else None

    @property
    def end(self) -> datetime | None:
        return to_instant(int(self._reached[-1])) if len(self._log) else None

    def show_until(self, instant: datetime) -> bool:
        """Show what had been recorded by ``instant``; whether that is more or less than before."""
        count = int(np.searchsorted(self._reached, to_microseconds(instant), "right"))
        changed, self.count = count != self.count, count
        return changed

    def __len__(self) -> int:
        return self.count

    def column(self, name: str) -> Array:
        return self._log.column(name)[: self.count]

    def texts(self, pool: str) -> Texts:
        return self._log.texts(pool)

    def view(self, row: int) -> MessageView:
        if row >= self.count:
            raise IndexError(f"there is no message {row + 1} yet")
        view = self._log.view(row)
        return replace(view, answered_by=0) if view.answered_by > self.count else view

    def select(self, text: str, session: str = "") -> Selection:
        selection = self._log.select(text, session)
        return Selection(self._shown(selection.rows), selection.error)

    def matches(self, text: str, session: str, first: int) -> NDArray[np.int64]:
        return self._shown(self._log.matches(text, session, first))

    def _shown(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return rows[: int(np.searchsorted(rows, self.count))]

    def density(self, start: datetime, end: datetime, bins: int) -> NDArray[np.int64]:
        found = self._log.density(start, end, bins)
        if self.count < len(self._log) and bins > 0 and end > start:
            last = to_instant(int(self._reached[self.count - 1])) if self.count else start - timedelta(seconds=1)
            edges = np.linspace(start.timestamp(), end.timestamp(), bins + 1)[:-1]
            found[edges > last.timestamp()] = 0
        return found
