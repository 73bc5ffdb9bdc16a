"""The one thread that writes: it takes what has gathered, commits it in one transaction, and tells who waits.

A batch is taken at most 50 ms after the first change, at once when somebody waits for it. A commit somebody waits for
is forced to the disk itself, others only to the system, which a crash of ours survives. What cannot be written is kept
and tried again each second; meanwhile :attr:`Writer.failure` says why, and who waits is told.
"""

from __future__ import annotations

import asyncio
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert as insert_or_replace
from sqlalchemy.exc import SQLAlchemyError

from console.store import database
from console.store.bodies import digest_of
from console.store.columns import Array
from console.store.database import Database, StoreError

INTERVAL = 0.05
"""Seconds that changes may gather."""

_RETRY = 1.0
_BLOCK = 4 * 2**20
"""Bytes of bodies compressed together, so that reading one body stays quick."""

Waiter = tuple[asyncio.AbstractEventLoop, "asyncio.Future[None]"]
Row = dict[str, Any]


@dataclass(slots=True)
class Batch:
    """What one transaction writes."""

    rows: Array
    """Indices of messages that are new or changed."""
    columns: bytes
    texts: dict[str, list[str]]
    bodies: list[tuple[int, bytes]]
    facts: list[Row]
    points: list[Row]
    states: dict[str, str]
    settings: dict[str, str]
    waiters: list[Waiter] = field(default_factory=list[Waiter])

    @property
    def is_empty(self) -> bool:
        return not (len(self.rows) or self.facts or self.points or self.states or self.settings)


class Writer:
    """Writes batches that ``take`` gives on a thread of its own until :meth:`close`."""

    def __init__(
        self,
        store: Database,
        batches: int,
        take: Callable[[], Batch],
        done: Callable[[Batch], None],
        take_waiters: Callable[[], list[Waiter]],
    ) -> None:
        """``batches`` is the number written so far. The callables are called on the writer's thread."""
        self.failure = ""
        """Why the last attempt failed; empty when it did not."""
        self._store = store
        self._batches = batches
        self._take = take
        self._done = done
        self._take_waiters = take_waiters
        self._changed = threading.Event()
        self._hurry = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="store writer", daemon=True)
        self._thread.start()

    def changed(self) -> None:
        """There is something to write within :data:`INTERVAL`."""
        if not self._changed.is_set():
            self._changed.set()

    def hurry(self) -> None:
        """There is something to write now."""
        self._hurry.set()
        self._changed.set()

    def close(self) -> None:
        """Write what is left and end the thread. Raises :class:`StoreError` if that cannot be written."""
        self._closing = True
        self.hurry()
        self._thread.join()
        if self.failure:
            raise StoreError(self.failure)

    def _run(self) -> None:
        closing = False
        while not closing:
            self._changed.wait()
            if not self._closing:
                self._hurry.wait(INTERVAL)
            closing = self._closing
            self._changed.clear()
            self._hurry.clear()
            self._write_until_it_works(self._take())

    def _write_until_it_works(self, batch: Batch) -> None:
        while True:
            try:
                if not batch.is_empty:
                    self._write(batch)
                self.failure = ""
            except SQLAlchemyError as error:
                cause = getattr(error, "orig", None) or error
                self.failure = f"{self._store.path} cannot be written: {cause}. What is recorded now stays in memory."
            _tell(batch.waiters, self.failure)
            batch.waiters = []
            if not self.failure:
                self._done(batch)
                return
            _tell(self._take_waiters(), self.failure)
            if self._closing:
                return
            self._hurry.clear()
            self._hurry.wait(_RETRY)

    def _write(self, batch: Batch) -> None:
        with self._store.engine.connect() as connection:
            durable = "FULL" if batch.waiters else "NORMAL"
            connection.exec_driver_sql(f"PRAGMA synchronous={durable}")
            connection.commit()
            self._insert(connection, batch)
            connection.commit()
        self._batches += bool(len(batch.rows))

    def _insert(self, connection: sa.Connection, batch: Batch) -> None:
        for row in _blocks(batch.bodies):
            connection.execute(sa.insert(database.bodies), row)
        if len(batch.rows):
            row = database.batch_row(self._batches + 1, batch.rows, batch.columns, batch.texts)
            connection.execute(sa.insert(database.batch), row)
        if batch.facts:
            connection.execute(sa.insert(database.fact), batch.facts)
        if batch.points:
            connection.execute(sa.insert(database.point), batch.points)
        for session, fields in batch.states.items():
            _replace(connection, database.state, {"session": session, "fields": fields})
        for key, value in batch.settings.items():
            _replace(connection, database.setting, {"key": key, "value": value})


def block_starts(bodies: list[tuple[int, bytes]]) -> list[int]:
    """First index of each row of ``bodies`` that a batch's bodies become."""
    return [block[0][0] for block in _cut(bodies)]


def _cut(bodies: list[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    block: list[tuple[int, bytes]] = []
    size = 0
    for index, body in bodies:
        if block and size + len(body) > _BLOCK:
            yield block
            block, size = [], 0
        block.append((index, body))
        size += len(body)
    if block:
        yield block


def _blocks(bodies: list[tuple[int, bytes]]) -> Iterator[Row]:
    for block in _cut(bodies):
        yield {
            "first": block[0][0],
            "count": len(block),
            "lengths": np.array([len(body) for _, body in block], "<i8").tobytes(),
            "digests": b"".join(digest_of(body) for _, body in block),
            "content": zlib.compress(b"".join(body for _, body in block), 1),
        }


def _replace(connection: sa.Connection, table: sa.Table, row: Row) -> None:
    statement = insert_or_replace(table).values(row)
    key = next(iter(table.primary_key.columns)).name
    connection.execute(statement.on_conflict_do_update(index_elements=[key], set_=row))


def _tell(waiters: list[Waiter], failure: str) -> None:
    for loop, future in waiters:
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, future, failure)


def _resolve(future: asyncio.Future[None], failure: str) -> None:
    if future.done():
        return
    if failure:
        future.set_exception(StoreError(failure))
    else:
        future.set_result(None)
