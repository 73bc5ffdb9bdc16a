"""Numeric histories for plots: one growing column pair per key, bounded, with gaps where values are missing."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from console.app.views import Series

KEEP = 86_400
"""Points kept per series: a day at one a second; the oldest quarter goes when it is full."""


class _Column:
    __slots__ = ("count", "times", "unit", "values")

    def __init__(self, unit: str | None) -> None:
        self.times: NDArray[np.float64] = np.empty(256)
        self.values: NDArray[np.float64] = np.empty(256)
        self.count = 0
        self.unit = unit

    def append(self, time: float, value: float) -> None:
        if self.count == len(self.times):
            self._make_room()
        self.times[self.count] = time
        self.values[self.count] = value
        self.count += 1

    def _make_room(self) -> None:
        if self.count >= KEEP:
            kept = slice(self.count - KEEP * 3 // 4, self.count)
            self.times, self.values = self.times[kept].copy(), self.values[kept].copy()
            self.count = len(self.times)
        grown = max(256, min(KEEP, self.count * 2))
        self.times = np.resize(self.times, grown)
        self.values = np.resize(self.values, grown)


class SeriesBook:
    """All histories of a desk by key.

    A point at or before the last one of its series replaces it (corrections, rule 346) or is put where it belongs.
    """

    def __init__(self) -> None:
        self._columns: dict[str, _Column] = {}

    def add(self, key: str, time: datetime, value: float, unit: str | None = None) -> None:
        """Append ``value`` (NaN: a gap) at ``time``."""
        column = self._columns.get(key)
        if column is None:
            column = self._columns[key] = _Column(unit)
        stamp = time.timestamp()
        if column.count and stamp <= column.times[column.count - 1]:
            self._insert(column, stamp, value)
        else:
            column.append(stamp, value)

    @staticmethod
    def _insert(column: _Column, stamp: float, value: float) -> None:
        at = int(np.searchsorted(column.times[: column.count], stamp))
        if column.times[at] == stamp:
            column.values[at] = value
            return
        column.append(0.0, 0.0)
        column.times[at + 1 : column.count] = column.times[at : column.count - 1].copy()
        column.values[at + 1 : column.count] = column.values[at : column.count - 1].copy()
        column.times[at], column.values[at] = stamp, value

    def count(self, key: str) -> int:
        column = self._columns.get(key)
        return column.count if column else 0

    def get(self, key: str) -> Series:
        """The series so far; empty arrays for an unknown key. The arrays are views and must not be written to."""
        column = self._columns.get(key)
        if column is None:
            return Series(np.empty(0), np.empty(0))
        return Series(column.times[: column.count], column.values[: column.count], column.unit)
