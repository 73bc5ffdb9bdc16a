"""Following a store in batches: it wakes a listener once, and the listener takes all that has changed since.

A call for every message would cost the window its smoothness; a listener that is busy, or ticks at its own pace, loses
nothing here but facts beyond a bound, which are counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from console.openadr.facts import Fact

_MOST_FACTS = 200_000
"""Facts kept for a listener that does not come for them."""


@dataclass(frozen=True, slots=True)
class NotedFact:
    """A fact, whose it is and when it became true."""

    session: str
    time: datetime
    fact: Fact


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened between two calls of :meth:`Subscription.take`."""

    first: int
    """Row of the first new message."""
    end: int
    """Row after the last new message."""
    amended: tuple[int, ...]
    """Rows before ``first`` that read otherwise now, ascending."""
    facts: tuple[NotedFact, ...]
    lost_facts: int
    """Facts that were too many to be kept since the last call."""

    def __bool__(self) -> bool:
        return self.end > self.first or bool(self.amended or self.facts or self.lost_facts)


def ignore() -> None:
    """For listeners that come by themselves."""


class Subscription:
    """One listener's place in the history; made by ``Store.listen``."""

    def __init__(self, wake: Callable[[], None], length: Callable[[], int], leave: Callable[[Subscription], None]):
        self._wake = wake
        self._length = length
        self._leave = leave
        self._seen = length()
        self._amended: set[int] = set()
        self._facts: deque[NotedFact] = deque(maxlen=_MOST_FACTS)
        self._lost = 0
        self._stirred = False

    def take(self) -> Changes:
        """All changes since the last call, or since listening began; from now on a change wakes again."""
        first, self._seen = self._seen, self._length()
        changes = Changes(first, self._seen, tuple(sorted(self._amended)), tuple(self._facts), self._lost)
        self._amended.clear()
        self._facts.clear()
        self._lost = 0
        self._stirred = False
        return changes

    def close(self) -> None:
        """Not to be woken any more."""
        self._leave(self)

    def row_changed(self, row: int) -> None:
        """For the store: this row is new or reads otherwise."""
        if row < self._seen:
            self._amended.add(row)
        self._stir()

    def fact_noted(self, noted: NotedFact) -> None:
        """For the store: this fact is new."""
        self._lost += len(self._facts) == _MOST_FACTS
        self._facts.append(noted)
        self._stir()

    def _stir(self) -> None:
        if not self._stirred:
            self._stirred = True
            self._wake()
