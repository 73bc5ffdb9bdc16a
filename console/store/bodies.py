"""Message bodies, each kept once: recent ones in memory, all on disk.

Polls and their answers repeat to the byte. A body gets an index when it is first seen and the same index again while
its digest is among the last :data:`REMEMBERED`; beyond that window it would be stored anew, which costs disk and no
truth. Bodies not yet on disk are always in memory; of those that are, the latest used stay within :data:`CACHED`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b

REMEMBERED = 2**17
"""Digests kept to recognise a body."""

CACHED = 32 * 2**20
"""Bytes of bodies kept for reading although they are on disk."""

DIGEST_SIZE = 16


def digest_of(body: bytes) -> bytes:
    return blake2b(body, digest_size=DIGEST_SIZE).digest()


class Bodies:
    """Bodies by index; 0 is the empty body."""

    def __init__(self, load: Callable[[int], bytes]) -> None:
        """``load`` fetches from disk by index what memory does not hold."""
        self._load = load
        self._index: OrderedDict[bytes, int] = OrderedDict()
        self._unwritten: dict[int, bytes] = {}
        self._cache: OrderedDict[int, bytes] = OrderedDict()
        self._cached = 0
        self._next = 1

    def add(self, body: bytes) -> int:
        if not body:
            return 0
        digest = digest_of(body)
        index = self._index.get(digest)
        if index is None:
            index = self._next
            self._next += 1
            self._unwritten[index] = body
        self._know(digest, index)
        return index

    def get(self, index: int) -> bytes:
        """The body; raises what ``load`` raises where the disk does not give it back."""
        if index == 0:
            return b""
        body = self._unwritten.get(index)
        if body is None:
            body = self._cache.pop(index, None)
            if body is None:
                body = self._load(index)
                self._cached += len(body)
            self._cache[index] = body
            self._trim()
        return body

    def unwritten(self) -> list[tuple[int, bytes]]:
        """Bodies that wait for the disk, in order of their indices."""
        return list(self._unwritten.items())

    def written(self, indices: list[int]) -> None:
        """The disk has these."""
        for index in indices:
            body = self._unwritten.pop(index)
            self._cache[index] = body
            self._cached += len(body)
        self._trim()

    def restore(self, digests: list[tuple[bytes, int]], following: int) -> None:
        """Go on from a file: its latest digests with their indices, and the first index that is free."""
        for digest, index in digests:
            self._know(digest, index)
        self._next = following

    def forget(self, first: int, count: int) -> None:
        """The disk has these no longer; the same body is stored anew when it comes again."""
        for index in range(first, first + count):
            body = self._cache.pop(index, None)
            self._cached -= len(body) if body is not None else 0
        gone = [digest for digest, index in self._index.items() if first <= index < first + count]
        for digest in gone:
            del self._index[digest]

    @property
    def following(self) -> int:
        """The first index that is free."""
        return self._next

    def _know(self, digest: bytes, index: int) -> None:
        self._index[digest] = index
        self._index.move_to_end(digest)
        if len(self._index) > REMEMBERED:
            self._index.popitem(last=False)

    def _trim(self) -> None:
        while self._cached > CACHED:
            _, body = self._cache.popitem(last=False)
            self._cached -= len(body)
