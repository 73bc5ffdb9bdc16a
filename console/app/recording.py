"""Recordings as files: copied while they are written, merged, trimmed. What comes out is a new file; sources stay.

A file takes its name only when it is whole; what is cancelled or fails leaves nothing behind.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge as merged
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from console.app.long_work import Progress, part_of, unwatched
from console.app.redaction import Redactor
from console.openadr.facts import Fact, FindingMade
from console.store.log import to_instant, to_microseconds
from console.store.reading import Reader
from console.store.recording import connect_for_reading
from console.store.store import Store, StoreError
from console.store.subscription import NotedFact

SUFFIX = ".oadrrec"
NAME = "recording.name"
"""Setting that holds the name of a recording."""
_STEP = 500
"""Messages between two reports of progress."""


@dataclass(frozen=True, slots=True)
class Span:
    """Which part of a recording: numbers and instants, each end included, None being open; or some numbers."""

    first: int | None = None
    last: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    numbers: tuple[int, ...] | None = None

    def rows(self, reader: Reader) -> NDArray[np.int64]:
        """Indices of the messages in it, ascending."""
        numbers = np.arange(1, len(reader.log) + 1)
        times = reader.log.columns["time"]
        inside = np.ones(len(numbers), np.bool_)
        if self.first is not None:
            inside &= numbers >= self.first
        if self.last is not None:
            inside &= numbers <= self.last
        if self.since is not None:
            inside &= times >= to_microseconds(self.since)
        if self.until is not None:
            inside &= times <= to_microseconds(self.until)
        if self.numbers is not None:
            inside &= np.isin(numbers, self.numbers)
        return np.flatnonzero(inside).astype(np.int64)


def copy_recording(source: Path, out: Path, name: str = "", *, replacing: bool = False) -> None:
    """Write a copy of a recording, also of one in use, under another file name and, if given, another name.

    Raises StoreError for an ``out`` that cannot be written, or exists and is not to be replaced.
    """
    _must_be_free(out, (source,), replacing)
    part = part_of(out)
    part.unlink(missing_ok=True)
    try:
        with closing(connect_for_reading(source)) as connection:
            connection.execute("VACUUM INTO ?", (str(part),))
        if name:
            with closing(sqlite3.connect(part)) as connection, connection:
                connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (NAME, json.dumps(name)))
        part.replace(out)
    except sqlite3.Error as error:
        raise StoreError(f"{out} cannot be written: {error}. Choose another place.") from error
    finally:
        part.unlink(missing_ok=True)


def trim_recording(
    source: Reader,
    span: Span,
    out: Path,
    *,
    name: str = "",
    replacing: bool = False,
    redactor: Redactor | None = None,
    progress: Progress = unwatched,
) -> int:
    """Write the messages of ``span`` into a new recording, numbered from 1; how many they are.

    What was true when the span begins (registrations, events, offered reports) is kept with it, so that every view has
    something to stand on; report values and findings are those of the span. A ``redactor`` that has learnt the
    source's secrets replaces them. Raises StoreError.
    """
    rows = span.rows(source)
    if not len(rows):
        raise StoreError(f"There is no message of {source.path.name} in this part; it holds 1 to {len(source.log)}.")
    _must_be_free(out, (source.path,), replacing)
    times = source.log.columns["time"][rows]
    kept = (to_instant(int(times.min())), to_instant(int(times.max())))
    places = np.column_stack([np.zeros(len(rows), np.int64), rows])
    if not name and redactor is None:
        name = source.recall(NAME) or ""
    _write((source,), places, out, kept, name, progress, redactor)
    return len(rows)


def merge_recordings(
    sources: Sequence[Reader], out: Path, *, name: str = "", replacing: bool = False, progress: Progress = unwatched
) -> int:
    """Write the messages and facts of several recordings into a new one, in order of time; how many messages.

    Sessions keep their names, so two recordings of one session become one. Raises StoreError.
    """
    _must_be_free(out, [source.path for source in sources], replacing)
    lengths = [len(source.log) for source in sources]
    which = np.repeat(np.arange(len(sources)), lengths)
    rows = np.concatenate([np.arange(length) for length in lengths])
    # A source whose clock was set back keeps its own order: an answer never comes before its request.
    times = np.concatenate([np.maximum.accumulate(source.log.columns["time"]) for source in sources])
    order = np.argsort(times, kind="stable")
    _write(sources, np.column_stack([which, rows])[order], out, None, name, progress)
    return len(rows)


def _must_be_free(out: Path, sources: Sequence[Path], replacing: bool) -> None:
    if any(out.resolve() == source.resolve() for source in sources):
        raise StoreError(f"{out} is the recording itself. Choose another name; the source stays as it is.")
    if out.exists() and not replacing:
        raise StoreError(f"{out} exists already. Choose another name.")


def _write(
    sources: Sequence[Reader],
    places: NDArray[np.int64],
    out: Path,
    kept: tuple[datetime, datetime] | None,
    name: str,
    progress: Progress,
    redactor: Redactor | None = None,
) -> None:
    """``places`` are (source, row) in the order they get their numbers; ``kept`` bounds report values and findings."""
    part = part_of(out)
    part.unlink(missing_ok=True)
    try:
        with Store.open(part) as store:
            numbers = [np.zeros(len(source.log) + 1, np.int64) for source in sources]
            for done, (which, row) in enumerate(places.tolist()):
                if done % _STEP == 0:
                    progress(done, len(places))
                numbers[which][row + 1] = _copy_message(sources[which], row, store, numbers[which], redactor)
            _copy_facts(sources, store, numbers, kept, redactor)
            if name:
                store.remember(NAME, name)
            progress(len(places), len(places))
        part.replace(out)
    finally:
        for leftover in (part, *(part.with_name(part.name + end) for end in ("-wal", "-shm", ".lock"))):
            with suppress(OSError):
                leftover.unlink(missing_ok=True)


def _copy_message(source: Reader, row: int, store: Store, numbers: NDArray[np.int64], redactor: Redactor | None) -> int:
    view = source.log.view(row)
    head = source.head(view.number)
    try:
        body = source.body(view.number)
    except StoreError:
        body = b""
    session, peer, summary, findings = view.session, view.peer, view.summary, source.findings(view.number)
    if redactor is not None:
        head, body, summary = redactor.head(head), redactor.body(body), redactor.text(summary)
        session, peer = redactor.text(session), redactor.text(peer)
        findings = tuple(redactor.finding(finding) for finding in findings)
    made = store.append(
        time=view.time,
        session=session,
        outgoing=view.outgoing,
        peer=head.address,
        transport=view.transport,
        start_line=head.start_line,
        headers=head.headers,
        body=body,
        size=view.size,
        reply_to=int(numbers[view.reply_to]),
        status=view.status,
        latency=view.latency,
        flags=source.log.columns.get(row, "flags"),
    )
    store.derive(made, element=view.element, summary=summary, peer=peer, findings=findings)
    return made


def _copy_facts(
    sources: Sequence[Reader],
    store: Store,
    numbers: Sequence[NDArray[np.int64]],
    kept: tuple[datetime, datetime] | None,
    redactor: Redactor | None,
) -> None:
    def of(source: Reader, known: NDArray[np.int64]) -> list[NotedFact]:
        chosen: list[NotedFact] = []
        for noted in source.facts():
            if kept is not None and noted.time > kept[1]:
                continue
            fact = _renumbered(noted.fact, known)
            if fact is None or (kept is not None and noted.time < kept[0] and isinstance(fact, FindingMade)):
                continue
            chosen.append(replace(noted, fact=fact))
        chosen += [each for each in source.points() if kept is None or kept[0] <= each.time <= kept[1]]
        return sorted(chosen, key=lambda noted: noted.time)

    each = [of(source, known) for source, known in zip(sources, numbers, strict=True)]
    for noted in merged(*each, key=lambda noted: noted.time):
        session, fact = noted.session, noted.fact
        if redactor is not None:
            session, fact = redactor.text(session), redactor.fact(fact)
        store.note(session, noted.time, fact)


def _renumbered(fact: Fact, numbers: NDArray[np.int64]) -> Fact | None:
    """A fact with the new number of the message it is about; None where that was left out."""
    if not isinstance(fact, FindingMade) or not fact.message:
        return fact
    number = int(numbers[fact.message]) if fact.message < len(numbers) else 0
    return replace(fact, message=number) if number else None
