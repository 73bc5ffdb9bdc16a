"""Looking through bodies for what a filter asks of them, beside the loop: with progress, and to be stopped.

A search reads in a thread of its own and hands over in batches; the thread that owns the store takes them in, so that
the conditions are only ever changed there. Each body is looked at once, however many messages it is the body of.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from console.store.database import StoreError
from console.store.filter_conditions import OnBody
from console.store.reading import Reader

_BATCH = 64


class BodySearch:
    """One look through the bodies of some messages.

    Parameters
    ----------
    tests
        What is asked; what one of them knows already is not asked again.
    rows
        Indices into the log.
    """

    def __init__(self, store: Reader, tests: Sequence[OnBody], rows: NDArray[np.int64]) -> None:
        self._store = store
        self._tests = tuple(tests)
        _, first = np.unique(store.log.column("body")[rows], return_index=True)
        self._rows: list[int] = sorted(int(rows[k]) for k in first)
        self.total = len(self._rows)
        """Bodies to look at."""
        self.done = 0
        self.finished = False
        """All were looked at, or it was stopped, and all that was found has been taken in."""
        self.trouble = ""
        """Why it ended before its end; empty if it did not."""
        self._found: deque[list[tuple[OnBody, int, bool]]] = deque()
        self._stop = threading.Event()
        self._over = threading.Event()
        self._wanted = [
            (row + 1, index, [test for test in self._tests if not test.knows(index)])
            for row, index in ((row, store.log.columns.get(row, "body")) for row in self._rows)
        ]

    def start(self) -> None:
        """Begin in a thread that does not keep the process alive."""
        threading.Thread(target=self.run, name="search in bodies", daemon=True).start()

    def run(self) -> None:
        """Look at all of them; returns when that is done or :meth:`cancel` was called."""
        batch: list[tuple[OnBody, int, bool]] = []
        looked = 0
        try:
            for number, index, tests in self._wanted:
                if self._stop.is_set():
                    break
                body = self._store.body(number)
                batch += ((test, index, test.holds(body)) for test in tests)
                looked += 1
                if looked % _BATCH == 0:
                    self._found.append(batch)
                    batch, self.done = [], looked
        except (StoreError, KeyError, IndexError) as error:
            self.trouble = f"The search ended after {looked} of {self.total} bodies: {error}"
        finally:
            self._found.append(batch)
            self.done = looked
            self._over.set()

    def cancel(self) -> None:
        """Stop soon; what was found stays known."""
        self._stop.set()

    @property
    def cancelled(self) -> bool:
        return self._stop.is_set()

    def take(self) -> bool:
        """Take in what was found since the last call; whether there was anything. On the store's thread only."""
        over = self._over.is_set()
        taken = False
        while self._found:
            for test, index, holds in self._found.popleft():
                test.learn(((index, holds),))
                taken = True
        self.finished = over
        return taken

    def wait(self, seconds: float) -> bool:
        """Let it come to its end, for this long at most; for tests and for those without a window."""
        return self._over.wait(seconds)
