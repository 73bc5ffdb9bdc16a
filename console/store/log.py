"""The message log as front ends read it: rows, selections, density. Newest last, grows at its end only.

Instants are kept as whole microseconds since 1970. A filter text is compiled once and kept, so that asking again for
what a live tail appended costs the new rows only.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime, timedelta, tzinfo

import numpy as np
from numpy.typing import NDArray

from console.store.columns import POOLS, Array, Columns, Texts
from console.store.filter import Condition, FilterError, parse
from console.store.filter_conditions import OnBody, body_parts
from console.store.messages import COMPOSED, MessageView, Selection

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_COMPILED = 8
"""Filters kept compiled."""


def to_microseconds(instant: datetime) -> int:
    return (instant - EPOCH) // MICROSECOND


def to_instant(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


class Log:
    """Read side of the messages; satisfies ``console.app.views.MessageLog``."""

    def __init__(self) -> None:
        self.columns = Columns()
        self.pools = {name: Texts() for name in POOLS}
        self.zone: tzinfo = UTC
        """In which times of day in a filter are meant."""
        self._compiled: OrderedDict[str, Condition] = OrderedDict()
        self._last_good = ""
        self._ascends_to = 0
        """Rows known to be in order of time; -1 once one is not."""

    def __len__(self) -> int:
        return len(self.columns)

    def column(self, name: str) -> Array:
        """One column as it is now; not to be kept."""
        return self.columns[name]

    def texts(self, pool: str) -> Texts:
        return self.pools[pool]

    def view(self, row: int) -> MessageView:
        """Row 0 is the first message. Raises IndexError beyond the end."""
        if not 0 <= row < len(self):
            raise IndexError(f"there is no message {row + 1}")
        get = self.columns.get
        names = self.pools["names"]
        latency = get(row, "latency")
        return MessageView(
            number=row + 1,
            time=to_instant(get(row, "time")),
            session=names[get(row, "session")],
            outgoing=bool(get(row, "outgoing")),
            peer=names[get(row, "peer")],
            element=names[get(row, "element")],
            summary=self.pools["summaries"][get(row, "summary")],
            size=get(row, "size"),
            errors=get(row, "errors"),
            warnings=get(row, "warnings"),
            infos=get(row, "infos"),
            reply_to=get(row, "reply_to"),
            answered_by=get(row, "answered_by"),
            latency=None if latency < 0 else timedelta(microseconds=latency),
            status=get(row, "status"),
            transport=names[get(row, "transport")],
            composed=bool(get(row, "flags") & COMPOSED),
        )

    def select(self, text: str, session: str = "") -> Selection:
        """Rows matching a filter text (empty: all), of one session (empty: all).

        A text that is not understood gives what the last good one of any caller gives, and the reason.
        """
        try:
            rows = self.matches(text, session, 0)
        except FilterError as error:
            return Selection(self.matches(self._last_good, session, 0), str(error), error.at)
        self._last_good = text
        return Selection(rows)

    def matches(self, text: str, session: str, first: int) -> NDArray[np.int64]:
        """Rows from ``first`` on that match. Raises FilterError for a text that is no filter."""
        if first >= len(self):
            self._condition(text)
            return np.zeros(0, np.int64)
        mask = self._condition(text).mask(self, first)
        if session:
            mask = mask & (self.columns["session"][first:] == self.pools["names"].add(session))
        return np.flatnonzero(mask).astype(np.int64) + first

    def in_doubt(self, text: str, session: str = "", first: int = 0) -> NDArray[np.int64]:
        """Rows from ``first`` on that cannot be judged before their bodies are looked at.

        Raises FilterError for a text that is no filter.
        """
        condition = self._condition(text)
        doubt = condition.doubt(self, first) if first < len(self) else None
        if doubt is None:
            return np.zeros(0, np.int64)
        if session:
            doubt = doubt & (self.columns["session"][first:] == self.pools["names"].add(session))
        return np.flatnonzero(doubt).astype(np.int64) + first

    def body_tests(self, text: str) -> list[OnBody]:
        """What a filter asks of bodies. Raises FilterError for a text that is no filter."""
        return list(body_parts(self._condition(text)))

    def values(self, column: str, most: int = 50) -> list[str]:
        """The texts that stand in a column of names, most frequent first."""
        counts = np.bincount(self.columns[column])
        names = self.pools["names"]
        ranked = np.argsort(-counts, kind="stable")[:most]
        return [names[int(index)] for index in ranked if counts[index] and names[int(index)]]

    def density(self, start: datetime, end: datetime, bins: int) -> NDArray[np.int64]:
        """Messages per equal span of time from ``start`` to before ``end``."""
        if bins < 1 or end <= start:
            return np.zeros(max(bins, 0), np.int64)
        edges = np.linspace(to_microseconds(start), to_microseconds(end), bins + 1)
        times = self.columns["time"]
        if not self._times_ascend(times):
            times = np.sort(times)
        return np.diff(np.searchsorted(times, edges)).astype(np.int64)

    def _times_ascend(self, times: Array) -> bool:
        """Whether no message is earlier than the one before it, looking at new rows only."""
        if self._ascends_to >= 0:
            fresh = times[max(self._ascends_to - 1, 0) :]
            self._ascends_to = len(times) if bool(np.all(fresh[1:] >= fresh[:-1])) else -1
        return self._ascends_to >= 0

    def _condition(self, text: str) -> Condition:
        text = text.strip()  # blanks around it make no other filter, and what is known of bodies belongs to one
        condition = self._compiled.pop(text, None)
        if condition is None:
            condition = parse(text)
        self._compiled[text] = condition
        while len(self._compiled) > _COMPILED:
            self._compiled.popitem(last=False)
        return condition
