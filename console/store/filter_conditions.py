"""What a filter is made of once it is compiled: conditions over the columns of the message log, and over bodies.

A condition gives a mask of the rows that are meant. Those about bodies cannot know before the bodies were looked at,
which takes long and is done elsewhere (:mod:`console.store.body_search`); until then their rows are in doubt, and
doubt goes through ``and``, ``or`` and ``not`` as in Kleene's logic, so that nothing is looked at that cannot matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from console.store.columns import Array, Texts

Mask = NDArray[np.bool_]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNKNOWN, NO, YES = 0, 1, 2


class FilterError(ValueError):
    """A filter text that is not understood; the message says what and what would be."""

    def __init__(self, text: str, at: int = -1) -> None:
        super().__init__(text)
        self.at = at
        """Where in the filter text, counted from 0; -1 where no place is to blame."""


class Table(Protocol):
    """What a filter is evaluated over."""

    zone: tzinfo

    def column(self, name: str) -> Array: ...

    def texts(self, pool: str) -> Texts: ...


class Condition(Protocol):
    def mask(self, table: Table, first: int) -> Mask:
        """Which rows from ``first`` on are certainly meant."""
        ...

    def doubt(self, table: Table, first: int) -> Mask | None:
        """Which rows from ``first`` on depend on bodies not looked at yet; None for none."""
        ...


class _Certain:
    """Base of what needs no body."""

    __slots__ = ()

    def doubt(self, table: Table, first: int) -> Mask | None:
        return None


@dataclass(slots=True)
class Everything(_Certain):
    def mask(self, table: Table, first: int) -> Mask:
        return np.ones(len(table.column("time")) - first, np.bool_)


@dataclass(slots=True)
class Both:
    left: Condition
    right: Condition

    def mask(self, table: Table, first: int) -> Mask:
        return self.left.mask(table, first) & self.right.mask(table, first)

    def doubt(self, table: Table, first: int) -> Mask | None:
        left, right = self.left.doubt(table, first), self.right.doubt(table, first)
        if left is None and right is None:
            return None
        left_open = self.left.mask(table, first) if left is None else left | self.left.mask(table, first)
        right_open = self.right.mask(table, first) if right is None else right | self.right.mask(table, first)
        return left_open & right_open & ~self.mask(table, first)


@dataclass(slots=True)
class Either:
    left: Condition
    right: Condition

    def mask(self, table: Table, first: int) -> Mask:
        return self.left.mask(table, first) | self.right.mask(table, first)

    def doubt(self, table: Table, first: int) -> Mask | None:
        left, right = self.left.doubt(table, first), self.right.doubt(table, first)
        open_rows = right if left is None else left if right is None else left | right
        return None if open_rows is None else open_rows & ~self.mask(table, first)


@dataclass(slots=True)
class Not:
    inner: Condition

    def mask(self, table: Table, first: int) -> Mask:
        doubt = self.inner.doubt(table, first)
        holds = self.inner.mask(table, first)
        return ~holds if doubt is None else ~(holds | doubt)

    def doubt(self, table: Table, first: int) -> Mask | None:
        return self.inner.doubt(table, first)


@dataclass(slots=True)
class OnText(_Certain):
    """Rows whose texts in some of the columns satisfy a predicate; the verdict on each text is kept."""

    pool: str
    columns: tuple[str, ...]
    holds: Callable[[str], bool]
    _known: Mask = field(default_factory=lambda: np.zeros(0, np.bool_))

    def mask(self, table: Table, first: int) -> Mask:
        self._learn(table.texts(self.pool))
        found = self._known[table.column(self.columns[0])[first:]]
        for name in self.columns[1:]:
            found = found | self._known[table.column(name)[first:]]
        return found

    def _learn(self, texts: Texts) -> None:
        if len(texts) > len(self._known):
            fresh = [self.holds(text) for text in texts.items[len(self._known) :]]
            self._known = np.concatenate([self._known, np.array(fresh, np.bool_)])


@dataclass(slots=True)
class OnNumber(_Certain):
    column: str
    compare: Callable[[Any, float], Any]
    value: float

    def mask(self, table: Table, first: int) -> Mask:
        values = table.column(self.column)[first:]
        return np.asarray(self.compare(values, self.value), np.bool_) & (values >= 0)


@dataclass(slots=True)
class OnRowNumber(_Certain):
    compare: Callable[[Any, float], Any]
    value: float

    def mask(self, table: Table, first: int) -> Mask:
        numbers = np.arange(first + 1, len(table.column("time")) + 1)
        return np.asarray(self.compare(numbers, self.value), np.bool_)


@dataclass(slots=True)
class OnSeverity(_Certain):
    compare: Callable[[Any, float], Any]
    value: int

    def mask(self, table: Table, first: int) -> Mask:
        worst = np.where(table.column("infos")[first:] > 0, 1, 0)
        worst = np.where(table.column("warnings")[first:] > 0, 2, worst)
        worst = np.where(table.column("errors")[first:] > 0, 3, worst)
        return np.asarray(self.compare(worst, self.value), np.bool_)


@dataclass(slots=True)
class OnTime(_Certain):
    """Rows recorded before, at or after a local time; without a date the day of the last message is meant.

    ``span`` is how exact the time was given: what is equal to ``10:32`` is the whole minute.
    """

    sign: str
    at: time
    day: date | None
    span: timedelta

    def mask(self, table: Table, first: int) -> Mask:
        times = table.column("time")
        start = self._start(table, times)
        end = start + self.span // timedelta(microseconds=1)
        among = times[first:]
        if self.sign in ("==", "=", "!="):
            inside = (among >= start) & (among < end)
            return inside if self.sign != "!=" else ~inside
        if self.sign in ("<", ">="):
            return among < start if self.sign == "<" else among >= start
        return among < end if self.sign == "<=" else among >= end

    def _start(self, table: Table, times: Array) -> int:
        day = self.day
        if day is None:
            last = EPOCH + timedelta(microseconds=int(times[-1])) if len(times) else EPOCH
            day = last.astimezone(table.zone).date()
        instant = datetime.combine(day, self.at, table.zone)
        return (instant - EPOCH) // timedelta(microseconds=1)


@dataclass(slots=True, eq=False)
class OnBody:
    """Rows whose body satisfies a predicate, as far as that is known.

    ``never`` are payloads of which the answer is no without looking.
    """

    holds: Callable[[bytes], bool]
    never: frozenset[str] = frozenset()
    _verdicts: NDArray[np.int8] = field(default_factory=lambda: np.array([NO], np.int8))
    """By the body's index; the empty body satisfies nothing."""
    _possible: OnText | None = None

    def mask(self, table: Table, first: int) -> Mask:
        return self._of(table, first) == YES

    def doubt(self, table: Table, first: int) -> Mask | None:
        unknown = self._of(table, first) == UNKNOWN
        if self.never:
            if self._possible is None:
                self._possible = OnText("names", ("element",), lambda element: element not in self.never)
            unknown &= self._possible.mask(table, first)
        return unknown

    def _of(self, table: Table, first: int) -> NDArray[np.int8]:
        bodies = table.column("body")[first:]
        self._grow(int(bodies.max(initial=0)))
        return self._verdicts[bodies]

    def _grow(self, last: int) -> None:
        if last >= len(self._verdicts):
            room = np.zeros(max(last + 1, 2 * len(self._verdicts)), np.int8)
            room[: len(self._verdicts)] = self._verdicts
            self._verdicts = room

    def learn(self, verdicts: Sequence[tuple[int, bool]]) -> None:
        """Take in what was found of bodies, by their indices."""
        for index, holds in verdicts:
            self._grow(index)
            self._verdicts[index] = YES if holds else NO

    def knows(self, index: int) -> bool:
        return index < len(self._verdicts) and self._verdicts[index] != UNKNOWN


def body_parts(condition: Condition) -> Iterator[OnBody]:
    """The conditions on bodies within a condition."""
    if isinstance(condition, OnBody):
        yield condition
    elif isinstance(condition, Both | Either):
        yield from body_parts(condition.left)
        yield from body_parts(condition.right)
    elif isinstance(condition, Not):
        yield from body_parts(condition.inner)
