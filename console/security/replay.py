"""Was it sent just now, and only once: the window and the nonces of dsp:ReplayProtect (rule 514, 10.6).

A nonce is remembered per signer until a message that carries it would be too old anyway. Only messages that are genuine
otherwise are remembered, so that nobody can burn another's nonces or fill the memory.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from threading import Lock


@dataclass(frozen=True, slots=True)
class Window:
    """How far the time of sending may be from ours."""

    past: timedelta = timedelta(seconds=120)
    """Delay of the network, and a sender's clock that is behind."""
    future: timedelta = timedelta(seconds=120)
    """A sender's clock that is ahead."""


class Taken(Enum):
    """What became of a nonce."""

    NEW = "new"
    SEEN = "seen before"
    NO_ROOM = "too many remembered"


class Nonces:
    """Remembers nonces until they are too old to matter; at most ``most`` of them. Several threads may use it."""

    def __init__(self, most: int = 500_000) -> None:
        self._most = most
        self._seen: set[tuple[str, str]] = set()
        self._leaving: deque[tuple[datetime, list[tuple[str, str]]]] = deque()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._seen)

    def take(self, signer: str, nonce: str, now: datetime, until: datetime) -> Taken:
        """Take in a nonce of ``signer``, a fingerprint; a new one is kept until ``until``, or a little longer."""
        key = signer, nonce
        with self._lock:
            self._forget(now)
            if key in self._seen:
                return Taken.SEEN
            if len(self._seen) >= self._most:
                return Taken.NO_ROOM
            self._seen.add(key)
            # A bucket for each second, let go as a whole; none leaves before one that was filled earlier.
            leaves = until.replace(microsecond=0) + timedelta(seconds=1)
            if self._leaving and leaves <= self._leaving[-1][0]:
                self._leaving[-1][1].append(key)
            else:
                self._leaving.append((leaves, [key]))
            return Taken.NEW

    def _forget(self, now: datetime) -> None:
        while self._leaving and self._leaving[0][0] < now:
            self._seen.difference_update(self._leaving.popleft()[1])
