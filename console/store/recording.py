"""A recording opened for reading alone: nothing is locked, written or created, and no node can come to life on it.

What is damaged, cut off or of a newer format is told in :attr:`Recording.trouble` and read as far as it goes. A
recording that another Nodebench is still writing may be opened too; it is shown as it was at that moment.
"""

from __future__ import annotations

import bisect
import json
import sqlite3
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import quote

import numpy as np
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from console.openadr.facts import Fact
from console.store import database, points
from console.store.database import FORMAT, MAGIC, StoreError, kinds_of, take_batch
from console.store.fact_text import read_fact
from console.store.log import Log, to_instant, to_microseconds
from console.store.reading import Reader
from console.store.subscription import NotedFact

_DECOMPRESSED = 8
"""Rows of ``bodies`` kept decompressed."""
_BROKEN = (SQLAlchemyError, sqlite3.Error, zlib.error, ValueError, KeyError, TypeError)
"""What reading a damaged file raises."""
_TEXT_COLUMNS = {
    "session": "names",
    "transport": "names",
    "peer": "names",
    "element": "names",
    "summary": "summaries",
    "head": "heads",
    "findings": "findings",
}
_Item = TypeVar("_Item")


class Recording(Reader):
    """One file, opened at ``path``.

    Raises
    ------
    StoreError
        The file is not there, or nothing in it can be read; one sentence says what to do.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = Log()
        self.trouble = ""
        """What is wrong with the file, in a sentence; empty when nothing is."""
        self.format = FORMAT
        _must_be_recording(path)
        self._engine = sa.create_engine("sqlite://", creator=lambda: _connect(path))
        self._firsts: list[int] = []
        self._blocks: OrderedDict[int, tuple[list[int], bytes]] = OrderedDict()
        self._settings: dict[str, str] = {}
        self._gate = threading.Lock()
        """Searches and exports read on threads of their own."""
        try:
            self._read()
        except StoreError:
            self._engine.dispose()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        self._engine.dispose()

    @property
    def name(self) -> str:
        """The name it was given; that of the file where it was given none."""
        return self.recall("recording.name") or self.path.stem

    def _read(self) -> None:
        try:
            known = {row["key"]: row["value"] for row in self._select(sa.select(database.meta))}
        except _BROKEN as error:
            raise StoreError(f"{self.path} is damaged from its beginning and cannot be read. Take a copy.") from error
        if known.get("what") != MAGIC:
            raise StoreError(f"{self.path} is a database, but not one of Nodebench. Choose another file.")
        self.format = int(known.get("format", "1"))
        if self.format > FORMAT:
            self.trouble = (
                f"{self.path.name} was written by a newer Nodebench (format {self.format}; this one reads {FORMAT}): "
                "what both know is shown."
            )
        self._read_log(known)
        self._firsts = self._as_far_as_it_goes(
            row["first"] for row in self._select(sa.select(database.bodies.c.first).order_by(database.bodies.c.first))
        )
        settings = self._as_far_as_it_goes(self._select(sa.select(database.setting)))
        self._settings = {row["key"]: row["value"] for row in settings}

    def _read_log(self, known: dict[str, str]) -> None:
        wanted = sa.select(database.batch).order_by(database.batch.c.id)
        try:
            kinds = kinds_of(known)
            with self._engine.connect() as connection:
                for row in connection.execute(wanted):
                    take_batch(row, self.log.columns, self.log.pools, kinds)
        except _BROKEN:
            self._tell_damage()
            _keep_in_bounds(self.log)

    def _tell_damage(self) -> None:
        if not self.trouble:
            size = self.path.stat().st_size
            self.trouble = (
                f"{self.path.name} is damaged or was cut off ({size} bytes are left): {len(self.log)} messages could "
                "be read. Export or trim them into a new file."
            )

    def _select(self, query: sa.Select[Any]) -> Iterator[dict[str, Any]]:
        with self._engine.connect() as connection:
            for row in connection.execute(query).mappings():
                yield dict(row)

    def _as_far_as_it_goes(self, items: Iterable[_Item]) -> list[_Item]:
        """Items until the file gives no more; damage is told."""
        taken: list[_Item] = []
        try:
            for item in items:
                taken.append(item)
        except _BROKEN:
            self._tell_damage()
        return taken

    # Reading -------------------------------------------------------------------------------------------------------

    def body_at(self, index: int) -> bytes:
        if index == 0:
            return b""
        place = bisect.bisect_right(self._firsts, index) - 1
        try:
            offsets, content = self._block(self._firsts[place])
            at = index - self._firsts[place]
            if place < 0 or at + 1 >= len(offsets):
                raise KeyError(index)
        except (IndexError, *_BROKEN) as error:
            raise StoreError(f"The body of this message is not in {self.path.name} any more.") from error
        return content[offsets[at] : offsets[at + 1]]

    def _block(self, first: int) -> tuple[list[int], bytes]:
        with self._gate:
            return self._block_alone(first)

    def _block_alone(self, first: int) -> tuple[list[int], bytes]:
        block = self._blocks.pop(first, None)
        if block is None:
            row = next(self._select(sa.select(database.bodies).where(database.bodies.c.first == first)))
            ends = np.cumsum(np.frombuffer(row["lengths"], "<i8"))
            block = ([0, *ends.tolist()], zlib.decompress(row["content"]))
        self._blocks[first] = block
        while len(self._blocks) > _DECOMPRESSED:
            self._blocks.popitem(last=False)
        return block

    def facts(self, session: str = "", kinds: Iterable[type[Fact]] = ()) -> list[NotedFact]:
        wanted = {kind.__name__ for kind in kinds}
        rows = self._as_far_as_it_goes(self._select(sa.select(database.fact).order_by(database.fact.c.id)))
        chosen = (
            row for row in rows if (not session or row["session"] == session) and (not wanted or row["kind"] in wanted)
        )
        read = self._as_far_as_it_goes((row, read_fact(row["kind"], row["fields"])) for row in chosen)
        return [NotedFact(row["session"], to_instant(row["time"]), fact) for row, fact in read if fact is not None]

    def points(self, session: str = "", since: datetime | None = None) -> list[NotedFact]:
        query = sa.select(database.point).order_by(database.point.c.id)
        if since is not None:
            query = query.where(database.point.c.start >= to_microseconds(since))
        noted = self._as_far_as_it_goes(points.from_row(row) for row in self._select(query))
        return [point for point in noted if not session or point.session == session]

    def recall(self, key: str, default: Any = None) -> Any:
        text = self._settings.get(key)
        return default if text is None else json.loads(text)


def connect_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that writes nothing, not even the files SQLite keeps beside a database in use."""
    in_use = path.with_name(path.name + "-wal").exists()
    mode = "mode=ro" if in_use else "immutable=1"
    return sqlite3.connect(f"file:{quote(str(path.resolve()))}?{mode}", uri=True, check_same_thread=False)


def _connect(path: Path) -> sqlite3.Connection:
    connection = connect_for_reading(path)
    # SQLite refuses a file that is shorter than its header says; this lets it read the pages that are there.
    connection.execute("PRAGMA writable_schema=ON")
    return connection


def _must_be_recording(path: Path) -> None:
    if not path.exists():
        raise StoreError(f"There is no file {path}. Check the name, or choose another.")
    if path.is_dir():
        raise StoreError(f"{path} is a folder. Name a recording in it.")
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}.") from error
    if start != b"SQLite format 3\0":
        raise StoreError(f"{path} is no recording of Nodebench. Choose another file.")


def _keep_in_bounds(log: Log) -> None:
    """Let what points to texts or messages that were lost point to nothing."""
    columns = log.columns
    for name, pool in _TEXT_COLUMNS.items():
        _drop_above(columns[name], len(log.pools[pool]) - 1)
    for name in ("reply_to", "answered_by"):
        _drop_above(columns[name], len(log))
    if len(log) and not columns["head"].all():
        nothing = log.pools["heads"].add("\x1f")
        columns["head"][columns["head"] == 0] = nothing


def _drop_above(column: np.ndarray[Any, Any], most: int) -> None:
    column[column > most] = 0
