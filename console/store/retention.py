"""How long bodies and report values are kept, and how much: the oldest go first, rows and facts stay.

A row costs a hundred bytes and says what went by for ever; what fills a disk are the bodies. A body that is still being
repeated, as polls are, is as young as its last use. Numbers of messages never change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from console.store.columns import Array

_UNITS = {"": 1, "b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "tb": 1000**4}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?b?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Retention:
    """Limits; None is none."""

    age: timedelta | None = timedelta(days=30)
    """Older than this before the newest message goes."""
    size: int | None = 2 * 1000**3
    """Bytes the file may hold."""

    @property
    def words(self) -> str:
        """``keeps 30 days, 2 GB``."""
        parts: list[str] = []
        if self.age is not None:
            days, hours = self.age / timedelta(days=1), self.age / timedelta(hours=1)
            parts.append(f"{days:g} days" if days >= 1 else f"{hours:g} h")
        if self.size is not None:
            parts.append(size_words(self.size))
        return f"keeps {', '.join(parts)}" if parts else "keeps everything"


@dataclass(frozen=True, slots=True, order=True)
class Block:
    """One row of bodies in the file."""

    first: int
    count: int
    size: int


def size_words(size: int) -> str:
    for unit in ("TB", "GB", "MB", "kB"):
        factor = _UNITS[unit.lower()]
        if size >= factor:
            return f"{size / factor:g} {unit}"
    return f"{size} B"


def read_size(text: str) -> int:
    """``2GB`` in bytes. Raises ValueError in words."""
    found = _SIZE.fullmatch(text.strip())
    unit = found[2].lower() if found else "?"
    unit = unit if unit.endswith("b") or not unit else f"{unit}b"
    if found is None or unit not in _UNITS:
        raise ValueError(f"'{text}' is no size; write 500MB or 2GB")
    return int(float(found[1]) * _UNITS[unit])


def last_uses(times: Array, bodies: Array, count: int) -> NDArray[np.int64]:
    """Instant of the last message with each body, by index. [µs since 1970]"""
    last = np.zeros(count, np.int64)
    np.maximum.at(last, bodies, times)
    return last


def outlived(
    blocks: list[Block], last: NDArray[np.int64], newest: int, used: int, limits: Retention, most: int
) -> list[int]:
    """First indices of at most ``most`` blocks to let go, oldest first; ``used`` is what the file holds. [bytes]"""
    written = [block for block in blocks if block.first < len(last)]
    ages = sorted((int(last[block.first : block.first + block.count].max(initial=0)), block) for block in written)
    cutoff = newest - limits.age // timedelta(microseconds=1) if limits.age is not None else None
    gone: list[int] = []
    for at, block in ages:
        too_old = cutoff is not None and at < cutoff
        too_much = limits.size is not None and used > limits.size
        if len(gone) == most or not (too_old or too_much):
            break
        gone.append(block.first)
        used -= block.size
    return gone
