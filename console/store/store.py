"""The one history of an operator's desk: every message raw, what was derived from it, facts, points, role states.

Bytes come first: :meth:`Store.append` records a message before anything may fail on it; :meth:`Store.derive` adds what
was read out of it, as often as somebody reads it anew. A store is used from one thread, that of the event loop; its
writer has one of its own. Nobody else keeps message history: who wants to follow takes a :class:`Subscription`.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from console.openadr.facts import Fact, ReportPoint
from console.openadr.findings import Finding, Severity
from console.store import database, points
from console.store.bodies import Bodies
from console.store.columns import POOLS
from console.store.database import Database, StoreError
from console.store.fact_text import kind_of, read_fact, write_fact, write_findings
from console.store.lock import FileLock
from console.store.log import MICROSECOND, Log, to_instant, to_microseconds
from console.store.reading import SEPARATOR, Head, Reader
from console.store.retention import Retention, last_uses, outlived
from console.store.subscription import NotedFact, Subscription, ignore
from console.store.writer import Batch, Row, Waiter, Writer, block_starts

__all__ = ["Head", "NotedFact", "Store", "StoreError"]

Headers = Sequence[tuple[str, str]]

_MOST_COUNTED = 2**15 - 1
_MOST_LET_GO = 200
"""Blocks of bodies let go in one turn: a hundredth of a second."""

_PIECE = "\x1f"
"""Between a session's name and that of a piece of its state."""


class Store(Reader):
    """Messages and facts in memory for reading, in a file for keeping."""

    @classmethod
    def open(cls, path: Path | None = None) -> Store:
        """Open or create the recording at ``path``; None is a temporary file that goes with the store.

        Raises StoreError, in one sentence that says what to do: the folder is missing, the file is another program's,
        of a newer format, in use, or damaged.
        """
        return cls(path)

    def __init__(self, path: Path | None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="nodebench-") if path is None else None
        self.path = path or Path(self._folder.name if self._folder else "") / "recording.sqlite"
        self.log = Log()
        with ExitStack() as on_failure:
            if self._folder is not None:
                on_failure.callback(self._folder.cleanup)
            self._lock = FileLock(self.path)
            on_failure.callback(self._lock.release)
            self._database = Database(self.path)
            on_failure.callback(self._database.close)
            batches = self._read()
            on_failure.pop_all()
        self._gate = threading.RLock()
        self._dirty: set[int] = set()
        self._texts_taken = {pool: len(self.log.pools[pool]) for pool in POOLS}
        self._facts: list[Row] = []
        self._points: list[Row] = []
        self._dirty_states: set[str] = set()
        self._dirty_settings: set[str] = set()
        self._waiters: list[Waiter] = []
        self._subscriptions: list[Subscription] = []
        self._closed = False
        self._writer = Writer(self._database, batches, self._take, self._written, self._take_waiters)

    def _read(self) -> int:
        base = self._database
        try:
            batches = base.read_log(self.log.columns, self.log.pools)
            digests, following = base.read_digests()
            self._next_fact = base.last_id(database.fact) + 1
            self._next_point = base.last_id(database.point) + 1
            self._states: dict[str, str] = {
                row["session"]: row["fields"] for row in base.select(sa.select(database.state))
            }
            self._settings: dict[str, str] = {
                row["key"]: row["value"] for row in base.select(sa.select(database.setting))
            }
        except (SQLAlchemyError, zlib.error, ValueError, KeyError) as error:
            raise StoreError(f"{self.path} is damaged and cannot be read ({error}). Choose another file.") from error
        self._bodies = Bodies(base.read_body)
        self._bodies.restore(digests, following)
        return batches

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Write what is left and let go of the file; a temporary one is removed. Raises StoreError if writing fails."""
        if self._closed:
            return
        self._closed = True
        try:
            self._writer.close()
        finally:
            self._database.close()
            self._lock.release()
            if self._folder is not None:
                self._folder.cleanup()

    # Messages ------------------------------------------------------------------------------------------------------

    def append(
        self,
        *,
        time: datetime,
        session: str,
        outgoing: bool,
        peer: str,
        transport: str,
        start_line: str,
        headers: Headers,
        body: bytes,
        size: int | None = None,
        reply_to: int = 0,
        status: int = 0,
        latency: timedelta | None = None,
        flags: int = 0,
    ) -> int:
        """Record a message as it came or goes; its number, from 1 on.

        Parameters
        ----------
        peer : str
            Address; what the list shows until :meth:`derive` knows better.
        size : int, optional
            Bytes of the body as sent, where ``body`` holds less.
        reply_to : int
            Number of the request this answers; 0 for a request.
        status : int
            HTTP status; 0 where there is none.
        latency : timedelta, optional
            From the request to this answer; the difference of their times if not given.
        flags : int
            Bits of :mod:`console.store.messages`, such as ``COMPOSED``.
        """
        names = self.log.pools["names"]
        stamp = to_microseconds(time)
        with self._gate:
            row = self.log.columns.append(
                time=stamp,
                latency=self._latency(stamp, reply_to, latency),
                session=names.add(session),
                transport=names.add(transport),
                peer=names.add(peer),
                head=self.log.pools["heads"].add(SEPARATOR.join((peer, start_line, *chain(*headers)))),
                body=self._bodies.add(body),
                size=len(body) if size is None else size,
                reply_to=reply_to,
                status=status,
                outgoing=outgoing,
                flags=flags,
            )
            self._dirty.add(row)
            if reply_to:
                self.log.columns.put(reply_to - 1, "answered_by", row + 1)
                self._dirty.add(reply_to - 1)
        self._writer.changed()
        self._tell_row(row)
        if reply_to:
            self._tell_row(reply_to - 1)
        return row + 1

    def derive(
        self,
        number: int,
        *,
        element: str | None = None,
        summary: str | None = None,
        peer: str | None = None,
        findings: Iterable[Finding] | None = None,
        status: int | None = None,
    ) -> None:
        """Add what was read out of message ``number``; what is None stays. Raises IndexError for no message."""
        row = self.row(number)
        pools = self.log.pools
        changed: dict[str, int] = {}
        if element is not None:
            changed["element"] = pools["names"].add(element)
        if summary is not None:
            changed["summary"] = pools["summaries"].add(summary)
        if peer is not None:
            changed["peer"] = pools["names"].add(peer)
        if findings is not None:
            changed |= self._verdict(tuple(findings))
        if status is not None:
            changed["status"] = status
        with self._gate:
            for name, value in changed.items():
                self.log.columns.put(row, name, value)
            self._dirty.add(row)
        self._writer.changed()
        self._tell_row(row)

    def body_at(self, index: int) -> bytes:
        with self._gate:
            return self._bodies.get(index)

    def _latency(self, stamp: int, reply_to: int, latency: timedelta | None) -> int:
        if latency is not None:
            return latency // MICROSECOND
        return stamp - self.log.columns.get(self.row(reply_to), "time") if reply_to else -1

    def _verdict(self, findings: tuple[Finding, ...]) -> dict[str, int]:
        severities = [finding.severity for finding in findings]
        return {
            "findings": self.log.pools["findings"].add(write_findings(findings)),
            "errors": min(severities.count(Severity.ERROR), _MOST_COUNTED),
            "warnings": min(severities.count(Severity.WARNING), _MOST_COUNTED),
            "infos": min(severities.count(Severity.INFO), _MOST_COUNTED),
        }

    # Facts and points ----------------------------------------------------------------------------------------------

    def note(self, session: str, time: datetime, fact: Fact) -> None:
        """Record that something became true; numeric report points go to their series."""
        with self._gate:
            if isinstance(fact, ReportPoint) and isinstance(fact.value, int | float):
                self._points.append(points.to_row(self._next_point, session, time, fact))
                self._next_point += 1
            else:
                row = {"session": session, "time": to_microseconds(time), "kind": kind_of(fact)}
                self._facts.append(row | {"id": self._next_fact, "fields": write_fact(fact)})
                self._next_fact += 1
        self._writer.changed()
        noted = NotedFact(session, time, fact)
        for subscription in self._subscriptions:
            subscription.fact_noted(noted)

    def facts(self, session: str = "", kinds: Iterable[type[Fact]] = ()) -> list[NotedFact]:
        wanted = {kind.__name__ for kind in kinds}
        rows = (
            row
            for row in self._stored_and_waiting(database.fact, self._facts)
            if (not session or row["session"] == session) and (not wanted or row["kind"] in wanted)
        )
        read = ((row, read_fact(row["kind"], row["fields"])) for row in rows)
        return [NotedFact(row["session"], to_instant(row["time"]), fact) for row, fact in read if fact is not None]

    def points(self, session: str = "", since: datetime | None = None) -> list[NotedFact]:
        earliest = None if since is None else to_microseconds(since)
        late_enough = [] if earliest is None else [database.point.c.start >= earliest]
        rows = self._stored_and_waiting(database.point, self._points, *late_enough)
        noted = (points.from_row(row) for row in rows if earliest is None or row["start"] >= earliest)
        return [point for point in noted if not session or point.session == session]

    def _stored_and_waiting(self, table: sa.Table, waiting: list[Row], *where: sa.ColumnElement[bool]) -> Iterator[Row]:
        """Rows in the file, then those on their way to it."""
        with self._gate:
            held = list(waiting)
        last = held[0]["id"] if held else None
        wanted = sa.select(table).where(*where).order_by(table.c.id)
        yield from self._database.select(wanted if last is None else wanted.where(table.c.id < last))
        yield from held

    # Role states and settings --------------------------------------------------------------------------------------

    def save_state(self, session: str, state: Mapping[str, object]) -> None:
        """Replace the state a session's role goes on from; JSON-able values."""
        with self._gate:
            self._states[session] = json.dumps(state, separators=(",", ":"))
            self._dirty_states.add(session)
            if session + _PIECE in self._states:
                self._states[session + _PIECE] = str(self._version_of(session) + 1)
                self._dirty_states.add(session + _PIECE)
        self._writer.changed()

    def load_state(self, session: str) -> dict[str, Any] | None:
        """What :meth:`save_state` was last given; None if it never was."""
        text = self._states.get(session)
        return None if text is None else json.loads(text)

    def save_part(self, session: str, part: str, value: object) -> None:
        """Keep a piece of a session's state that changed since :meth:`save_state`; JSON-able, None for gone."""
        with self._gate:
            key = f"{session}{_PIECE}{part}"
            self._states[key] = json.dumps([self._version_of(session), value], separators=(",", ":"))
            self._dirty_states.add(key)
            if session + _PIECE not in self._states:
                self._states[session + _PIECE] = "0"
                self._dirty_states.add(session + _PIECE)
        self._writer.changed()

    def load_parts(self, session: str) -> dict[str, Any]:
        """Pieces that changed since the state was last kept as a whole, by name."""
        version, found = self._version_of(session), dict[str, Any]()
        for key, text in self._states.items():
            owner, separator, part = key.partition(_PIECE)
            if separator and part and owner == session:
                of, value = json.loads(text)
                if of == version:
                    found[part] = value
        return found

    def _version_of(self, session: str) -> int:
        """How often the whole state was kept: pieces of an earlier one count no more."""
        return int(self._states.get(session + _PIECE, "0"))

    def remember(self, key: str, value: object) -> None:
        """Keep a JSON-able value under a key, e.g. which event files have been issued."""
        with self._gate:
            self._settings[key] = json.dumps(value, separators=(",", ":"))
            self._dirty_settings.add(key)
        self._writer.changed()

    def recall(self, key: str, default: Any = None) -> Any:
        text = self._settings.get(key)
        return default if text is None else json.loads(text)

    # Writing and listening -----------------------------------------------------------------------------------------

    @property
    def failure(self) -> str:
        """Why nothing can be written now; empty when it can. What is recorded meanwhile waits in memory."""
        return self._writer.failure

    @property
    def backlog(self) -> int:
        """Messages that are not yet in the file."""
        return len(self._dirty)

    def together(self) -> AbstractContextManager[object]:
        """What is recorded within is committed together, all or nothing. Not to be held over an ``await``."""
        return self._gate

    async def flush(self) -> None:
        """Come back when all that was recorded until now is on the disk. Raises StoreError when it cannot get there."""
        if self._closed:
            return
        if self._writer.failure:
            raise StoreError(self._writer.failure)
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        with self._gate:
            self._waiters.append((loop, waiter))
        self._writer.hurry()
        await waiter

    def retain(self, limits: Retention) -> int:
        """Let go of what is beyond the limits, a part at a time; how many blocks of bodies went.

        Called again and again while recording. Raises StoreError where the file cannot be changed now.
        """
        with self._gate:
            times = self.log.columns["time"]
            if not len(times):
                return 0
            newest = int(times.max())
            last = last_uses(times, self.log.columns["body"], self._bodies.following)
            before = None if limits.age is None else newest - limits.age // MICROSECOND
            try:
                blocks = self._database.blocks()
                gone = outlived(blocks, last, newest, self._database.used(), limits, _MOST_LET_GO)
                self._database.let_go(gone, before)
            except SQLAlchemyError as error:
                raise StoreError(f"{self.path} cannot be made smaller now: {error}.") from error
            counts = {block.first: block.count for block in blocks}
            for first in gone:
                self._bodies.forget(first, counts[first])
        return len(gone)

    def listen(self, wake: Callable[[], None] = ignore) -> Subscription:
        """Follow from now on; ``wake`` is called on the first change after each ``take``, within the changing call."""
        subscription = Subscription(wake, self.log.__len__, self._subscriptions.remove)
        self._subscriptions.append(subscription)
        return subscription

    def _tell_row(self, row: int) -> None:
        for subscription in self._subscriptions:
            subscription.row_changed(row)

    def _take(self) -> Batch:
        with self._gate:
            rows = np.array(sorted(self._dirty), np.int64)
            batch = Batch(
                rows=rows,
                columns=self.log.columns.pack(rows),
                texts={pool: self.log.pools[pool].items[self._texts_taken[pool] :] for pool in POOLS},
                bodies=self._bodies.unwritten(),
                facts=list(self._facts),
                points=list(self._points),
                states={session: self._states[session] for session in self._dirty_states},
                settings={key: self._settings[key] for key in self._dirty_settings},
                waiters=self._take_waiters(),
            )
            self._dirty.clear()
            self._dirty_states.clear()
            self._dirty_settings.clear()
            if len(rows):
                self._texts_taken = {pool: len(self.log.pools[pool]) for pool in POOLS}
        return batch

    def _take_waiters(self) -> list[Waiter]:
        with self._gate:
            waiters, self._waiters = self._waiters, []
        return waiters

    def _written(self, batch: Batch) -> None:
        with self._gate:
            for first in block_starts(batch.bodies):
                self._database.bodies_written(first)
            self._bodies.written([index for index, _ in batch.bodies])
            del self._facts[: len(batch.facts)]
            del self._points[: len(batch.points)]
