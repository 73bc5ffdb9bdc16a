"""Was it sent just now, and only once: the window and the nonces of dsp:ReplayProtect (rule 514, 10.6).

A nonce is remembered per signer until a message that carries it would be too old anyway. Only messages that are genuine
otherwise are remembered, so that nobody can burn another's nonces or fill the memory.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Window:
    """How far the time of sending may be from ours."""

    past: timedelta = timedelta(seconds=120)
    """Delay of the network, and a sender's clock that is behind."""
    future: timedelta = timedelta(seconds=120)
    """A sender's clock that is ahead."""


class Nonces:
    """Remembers nonces until they are too old to matter; at most ``most`` of them."""

    def __init__(self, most: int = 500_000) -> None:
        self._most = most
        self._seen: set[tuple[str, str]] = set()
        self._leaving: deque[tuple[datetime, list[tuple[str, str]]]] = deque()

    def __len__(self) -> int:
        return len(self._seen)

    def has(self, signer: str, nonce: str, now: datetime) -> bool:
        """Whether ``signer``, a fingerprint, used ``nonce`` within the time it was to be remembered."""
        self._forget(now)
        return (signer, nonce) in self._seen

    def add(self, signer: str, nonce: str, now: datetime, until: datetime) -> bool:
        """Remember a nonce until about ``until``; False where it cannot be since too many are remembered."""
        self._forget(now)
        if len(self._seen) >= self._most:
            return False
        self._seen.add((signer, nonce))
        # One bucket a second, never before the last one's: each is let go as a whole, at most a little late.
        leaves = until.replace(microsecond=0) + timedelta(seconds=1)
        if self._leaving and leaves <= self._leaving[-1][0]:
            self._leaving[-1][1].append((signer, nonce))
        else:
            self._leaving.append((leaves, [(signer, nonce)]))
        return True

    def _forget(self, now: datetime) -> None:
        while self._leaving and self._leaving[0][0] < now:
            self._seen.difference_update(self._leaving.popleft()[1])
