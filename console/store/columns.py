"""The message log in memory: fixed-width columns that double, and the texts they point to.

A message is one row of numbers. What is text (names, summaries, heads, findings) is kept once in a :class:`Texts` and
the row holds its index, so that a million polls need a hundred bytes each and a filter runs over arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

KINDS: dict[str, str] = {
    "time": "i8",
    "latency": "i8",
    "session": "i4",
    "transport": "i4",
    "peer": "i4",
    "element": "i4",
    "summary": "i4",
    "head": "i4",
    "findings": "i4",
    "body": "i4",
    "size": "i4",
    "reply_to": "i4",
    "answered_by": "i4",
    "errors": "i2",
    "warnings": "i2",
    "infos": "i2",
    "status": "i2",
    "outgoing": "i1",
    "flags": "i2",
}
"""Column and its type as stored. ``time`` is microseconds since 1970, ``latency`` microseconds or -1; ``session``,
``transport``, ``peer``, ``element`` point into the names, ``summary``, ``head`` and ``findings`` into texts of their
own, ``body`` into the bodies; 0 is the empty text, the empty body, no message. ``flags`` are bits of
:mod:`console.store.messages`."""

FIRST_KINDS = {name: kind for name, kind in KINDS.items() if name != "flags"}
"""The columns of files of format 1, which do not say their own."""

POOLS = ("names", "summaries", "heads", "findings")

Array = NDArray[np.integer[Any]]


class Texts:
    """Every distinct text once, by index; index 0 is the empty one. Grows only."""

    __slots__ = ("items", "_index")

    def __init__(self) -> None:
        self.items: list[str] = [""]
        self._index: dict[str, int] = {"": 0}

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> str:
        return self.items[index]

    def add(self, text: str) -> int:
        index = self._index.get(text)
        if index is None:
            index = self._index[text] = len(self.items)
            self.items.append(text)
        return index


class Columns:
    """Rows as arrays of equal length; row 0 is message 1."""

    def __init__(self, capacity: int = 1024) -> None:
        self._arrays = {name: np.zeros(capacity, kind) for name, kind in KINDS.items()}
        self._capacity = capacity
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, name: str) -> Array:
        """The column as it is now: a view, to be read within one call and not kept."""
        return self._arrays[name][: self._length]

    def append(self, **values: int) -> int:
        """Add a row, columns not given being 0; its index."""
        row = self._length
        self._make_room(row + 1)
        for name, value in values.items():
            self._arrays[name][row] = value
        self._length = row + 1
        return row

    def put(self, row: int, name: str, value: int) -> None:
        self._arrays[name][row] = value

    def get(self, row: int, name: str) -> int:
        return int(self._arrays[name][row])

    def pack(self, rows: Array) -> bytes:
        """The given rows, column after column, each with its stored type."""
        return b"".join(self._arrays[name][rows].astype(f"<{kind}").tobytes() for name, kind in KINDS.items())

    def unpack(self, rows: Array, packed: bytes, kinds: Mapping[str, str] = KINDS) -> None:
        """Put back what :meth:`pack` gave; rows beyond the end make the table longer. Raises ValueError.

        ``kinds`` are the columns as they were packed; one that is not known here is passed over.
        """
        if len(packed) != len(rows) * sum(np.dtype(kind).itemsize for kind in kinds.values()):
            raise ValueError("a batch of rows has another length than its index says")
        longest = int(rows.max(initial=-1)) + 1
        self._make_room(longest)
        self._length = max(self._length, longest)
        offset = 0
        for name, kind in kinds.items():
            column = np.frombuffer(packed, f"<{kind}", len(rows), offset)
            if name in self._arrays:
                self._arrays[name][rows] = column
            offset += column.nbytes

    def _make_room(self, length: int) -> None:
        if length <= self._capacity:
            return
        self._capacity = max(2 * self._capacity, length)
        for name, array in self._arrays.items():
            grown = np.zeros(self._capacity, array.dtype)
            grown[: self._length] = array[: self._length]
            self._arrays[name] = grown
