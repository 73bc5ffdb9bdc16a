"""The file: its tables, its format version, and reading it.

Messages are stored in batches, not row by row: one row of ``batch`` holds the packed columns of every message that is
new or changed since the last, and the new texts; one row of ``bodies`` the new bodies compressed together. A row for
each message would hand the interpreter lock back and forth at every step, and near saturation single batches then take
a second and more, so that a crash would lose far more than 50 ms. The price is that SQL sees no single message; the
filter language runs over the columns instead. Facts, points, role states and settings are few and are plain rows.
"""

from __future__ import annotations

import bisect
import json
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from console.store.bodies import DIGEST_SIZE, REMEMBERED
from console.store.columns import FIRST_KINDS, KINDS, POOLS, Array, Columns, Texts
from console.store.retention import Block

FORMAT = 2
"""Number of the layout; raised when an older program could no longer read a newer file."""

MAGIC = "nodebench recording"
_DECOMPRESSED = 4
"""Rows of ``bodies`` kept decompressed: readers mostly stay near where they are."""

_MANY_BATCHES = 1000
"""Batches beyond which they are joined when a file is opened: each costs a tenth of a millisecond then."""

_JOINED = 100_000
"""Messages in a joined batch."""

_metadata = sa.MetaData()
meta = sa.Table("meta", _metadata, sa.Column("key", sa.Text, primary_key=True), sa.Column("value", sa.Text))
batch = sa.Table(
    "batch",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("rows", sa.LargeBinary),
    sa.Column("columns", sa.LargeBinary),
    sa.Column("texts", sa.LargeBinary),
)
bodies = sa.Table(
    "bodies",
    _metadata,
    sa.Column("first", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("count", sa.Integer),
    sa.Column("lengths", sa.LargeBinary),
    sa.Column("digests", sa.LargeBinary),
    sa.Column("content", sa.LargeBinary),
)
fact = sa.Table(
    "fact",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("session", sa.Text),
    sa.Column("time", sa.BigInteger),
    sa.Column("kind", sa.Text),
    sa.Column("fields", sa.Text),
)
point = sa.Table(
    "point",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("series", sa.Text),
    sa.Column("time", sa.BigInteger),
    sa.Column("start", sa.BigInteger),
    sa.Column("duration", sa.BigInteger),
    sa.Column("value", sa.Float),
    sa.Column("quality", sa.Text),
    sa.Index("point_by_series", "series", "start"),
)
state = sa.Table(
    "state",
    _metadata,
    sa.Column("session", sa.Text, primary_key=True),
    sa.Column("fields", sa.Text),
)
setting = sa.Table(
    "setting",
    _metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text),
)


class StoreError(Exception):
    """The store cannot be opened, read or written; the text says why and what to do."""


class Database:
    """A recording opened for reading and, through :attr:`engine`, for its writer."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises :class:`StoreError` in one clear sentence."""
        self.path = path
        _must_be_possible(path)
        self.engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)))
        try:
            self._prepare()
        except DBAPIError as error:
            self.engine.dispose()
            raise StoreError(f"{path} cannot be used as a store: {error.orig}.") from error
        except StoreError:
            self.engine.dispose()
            raise
        self._firsts: list[int] = []
        self._blocks: OrderedDict[int, tuple[list[int], bytes]] = OrderedDict()

    def close(self) -> None:
        self.engine.dispose()

    def _prepare(self) -> None:
        with self.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        with self.engine.begin() as connection:
            names = sa.inspect(connection).get_table_names()
            if names and "meta" not in names:
                raise StoreError(f"{self.path} is a database, but not one of Nodebench. Choose another file.")
            _metadata.create_all(connection)
            known = self._meta = {row.key: row.value for row in connection.execute(sa.select(meta))}
            if not known:
                connection.execute(sa.insert(meta), [{"key": "what", "value": MAGIC}, *_format_rows()])
            elif known.get("what") != MAGIC:
                raise StoreError(f"{self.path} is a database, but not one of Nodebench. Choose another file.")
            elif int(known.get("format", "0")) > FORMAT:
                raise StoreError(
                    f"{self.path} was written by a newer Nodebench (format {known['format']}; this one reads "
                    f"{FORMAT}). Open it with that version, or choose another file."
                )

    def read_log(self, columns: Columns, texts: dict[str, Texts]) -> int:
        """Fill the log as it was last written; the number of batches there is then.

        A file of an older format is converted to the present one.
        """
        count = 0
        kinds = kinds_of(self._meta)
        with self.engine.connect() as connection:
            for row in connection.execute(sa.select(batch).order_by(batch.c.id)):
                count = row.id
                take_batch(row, columns, texts, kinds)
        is_old = bool(self._meta) and int(self._meta["format"]) < FORMAT
        return self._joined(columns, texts) if is_old or count > _MANY_BATCHES else count

    def _joined(self, columns: Columns, texts: dict[str, Texts]) -> int:
        """Put the batches of a long or an old recording together, so that opening it is quick; their number."""
        new = {pool: texts[pool].items[1:] for pool in POOLS}
        parts = np.array_split(np.arange(len(columns)), len(columns) // _JOINED + 1)
        with self.engine.begin() as connection:
            connection.execute(sa.delete(batch))
            for number, rows in enumerate(parts, 1):
                row = batch_row(number, rows, columns.pack(rows), new if number == 1 else {})
                connection.execute(sa.insert(batch), row)
            connection.execute(sa.delete(meta).where(meta.c.key.in_(["format", "columns"])))
            connection.execute(sa.insert(meta), _format_rows())
        return len(parts)

    def read_digests(self) -> tuple[list[tuple[bytes, int]], int]:
        """The latest digests of bodies with their indices, oldest first, and the first free index."""
        known: list[tuple[bytes, int]] = []
        following = 1
        with self.engine.connect() as connection:
            wanted = sa.select(bodies.c.first, bodies.c.count, bodies.c.digests).order_by(bodies.c.first)
            for row in connection.execute(wanted):
                self._firsts.append(row.first)
                following = row.first + row.count
                digests: bytes = row.digests
                known += [
                    (digests[at : at + DIGEST_SIZE], row.first + at // DIGEST_SIZE)
                    for at in range(0, len(digests), DIGEST_SIZE)
                ]
                del known[:-REMEMBERED]
        return known, following

    def bodies_written(self, first: int) -> None:
        """A row of ``bodies`` that begins with index ``first`` has been committed."""
        bisect.insort(self._firsts, first)

    def read_body(self, index: int) -> bytes:
        """The body with this index, which has been written. Raises :class:`StoreError` where the file is damaged."""
        place = bisect.bisect_right(self._firsts, index) - 1
        if place < 0:
            raise StoreError(f"The body of this message is not in {self.path.name} any more.")
        first = self._firsts[place]
        offsets, content = self._block(first)
        if index - first + 1 >= len(offsets):
            raise StoreError(f"The body of this message is not in {self.path.name} any more.")
        return content[offsets[index - first] : offsets[index - first + 1]]

    def _block(self, first: int) -> tuple[list[int], bytes]:
        block = self._blocks.pop(first, None)
        if block is None:
            with self.engine.connect() as connection:
                row = connection.execute(sa.select(bodies).where(bodies.c.first == first)).one()
            ends = np.cumsum(np.frombuffer(row.lengths, "<i8"))
            block = ([0, *ends.tolist()], zlib.decompress(row.content))
        self._blocks[first] = block
        while len(self._blocks) > _DECOMPRESSED:
            self._blocks.popitem(last=False)
        return block

    def blocks(self) -> list[Block]:
        """The rows of ``bodies``, without their content."""
        columns = bodies.c
        query = sa.select(columns.first, columns.count, sa.func.length(columns.content).label("size"))
        return [Block(row["first"], row["count"], row["size"]) for row in self.select(query)]

    def used(self) -> int:
        """Bytes in use in the file; what was let go is used again before it grows."""
        with self.engine.connect() as connection:
            pages, free, size = (
                connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("page_count", "freelist_count", "page_size")
            )
        return (pages - free) * size

    def let_go(self, firsts: list[int], before: int | None) -> None:
        """Delete these rows of ``bodies``, and report values that came before an instant. [µs since 1970]"""
        with self.engine.begin() as connection:
            if firsts:
                connection.execute(sa.delete(bodies).where(bodies.c.first.in_(firsts)))
            if before is not None:
                connection.execute(sa.delete(point).where(point.c.time < before))
        gone = set(firsts)
        self._firsts = [first for first in self._firsts if first not in gone]
        for first in firsts:
            self._blocks.pop(first, None)

    def select(self, query: sa.Select[*tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
        """Rows by column name, read as they are asked for."""
        with self.engine.connect() as connection:
            for row in connection.execute(query).mappings():
                yield dict(row)

    def last_id(self, table: sa.Table) -> int:
        """Largest ``id`` of a table; 0 when it is empty."""
        with self.engine.connect() as connection:
            return connection.execute(sa.select(sa.func.max(table.c.id))).scalar() or 0


def kinds_of(known: Mapping[str, str]) -> dict[str, str]:
    """The columns that batches of a file hold, by its ``meta`` table; an empty one is that of a new file."""
    if not known:
        return KINDS
    return json.loads(known["columns"]) if "columns" in known else FIRST_KINDS


def take_batch(row: Any, columns: Columns, texts: dict[str, Texts], kinds: Mapping[str, str]) -> None:
    """Put one row of ``batch`` into the log. Raises ValueError, KeyError or zlib.error where it is damaged."""
    new: dict[str, list[str]] = json.loads(zlib.decompress(row.texts))
    packed = zlib.decompress(row.columns)
    columns.unpack(np.frombuffer(row.rows, "<i8"), packed, kinds)
    for pool in POOLS:
        for text in new.get(pool, ()):
            texts[pool].add(text)


def batch_row(number: int, rows: Array, columns: bytes, texts: dict[str, list[str]]) -> dict[str, Any]:
    """One row of ``batch``: indices, packed columns, and the new texts of each pool."""
    return {
        "id": number,
        "rows": rows.astype("<i8").tobytes(),
        "columns": zlib.compress(columns, 1),
        "texts": zlib.compress(json.dumps(texts, separators=(",", ":")).encode(), 1),
    }


def _format_rows() -> list[dict[str, str]]:
    return [{"key": "format", "value": str(FORMAT)}, {"key": "columns", "value": json.dumps(KINDS)}]


def _must_be_possible(path: Path) -> None:
    if not path.parent.is_dir():
        raise StoreError(f"The folder {path.parent} does not exist. Create it, or choose another place for the store.")
    if path.is_dir():
        raise StoreError(f"{path} is a folder. Name a file in it for the store.")
    try:
        is_new = not path.exists() or path.stat().st_size == 0
        if not is_new:
            with path.open("rb") as file:
                if file.read(16) != b"SQLite format 3\0":
                    raise StoreError(f"{path} exists and is no recording of Nodebench. Choose another file.")
        with path.open("ab"):
            pass
    except OSError as error:
        raise StoreError(f"{path} cannot be opened for writing: {error.strerror}.") from error
