"""Recordings: how long until one of a million messages is shown, and how fast messages are exported.

Medians of a few rounds on whatever else the machine does; the recordings are written for the measurement.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from console.app.export import Format, export
from console.app.recording_desk import RecordedDesk
from console.openadr.facts import Registered
from console.session.clock import VirtualClock
from console.store.recording import Recording
from console.store.store import Store
from tests.app.recorded import record

MESSAGES = 1_000_000
ROUNDS = 3
START = datetime(2026, 6, 1, tzinfo=UTC)


def measure() -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "million.oadrrec")
        yield {"what": "open a recording", "messages": MESSAGES, "seconds": timed(lambda: RecordedDesk(
            Recording(path), VirtualClock(), UTC).close()), "limit": 2.0}  # fmt: skip
        desk = RecordedDesk(Recording(path), VirtualClock(), UTC)
        middle = desk.start + (desk.end - desk.start) / 2
        yield {"what": "seek back to the middle", "messages": MESSAGES, "seconds": timed(
            lambda: desk.seek(middle), lambda: desk.seek(desk.end))}  # fmt: skip
        desk.close()
        small = asyncio.run(record(Path(folder) / "dialogue.oadrrec"))
        yield from exports(small, Path(folder))


def timed(work: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
    took: list[float] = []
    for _ in range(ROUNDS):
        before()
        start = perf_counter()
        work()
        took.append(perf_counter() - start)
    return round(median(took), 3)


def write(path: Path) -> Path:
    with Store.open(path) as store:
        store.note("vtn", START, Registered("ven-7", "seven", "r"))
        for number in range(MESSAGES):
            answer = number % 2
            made = store.append(
                time=START + timedelta(milliseconds=100 * number), session="vtn", outgoing=bool(answer),
                peer="10.0.0.1:1", transport="http", start_line="POST /OpenADR2/Simple/2.0b/OadrPoll", headers=(),
                body=b"<oadrPoll/>%d" % (number % 500), reply_to=number if answer else 0,
            )  # fmt: skip
            element = "oadrResponse" if answer else "oadrPoll"
            store.derive(made, element=element, summary="poll", peer=f"ven-{number // 2 % 50}")
    return path


def exports(path: Path, folder: Path) -> Iterator[dict[str, Any]]:
    with Recording(path) as recording:
        numbers = range(1, len(recording.log) + 1)
        for redact in (False, True):
            for form in Format:
                out = folder / f"out-{form}-{redact}"
                start = perf_counter()
                export(recording, numbers, form, out, redact=redact)
                rate = round(len(numbers) / (perf_counter() - start))
                yield {"what": f"export {form}", "redacted": redact, "messages_per_second": rate}
