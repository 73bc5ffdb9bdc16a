"""How long one event takes to 1,000 VENs that are pushed to: from the operator's command to the last acknowledgement.

Our VTN in this process with its store on disk, our VENs (``ven --count 1000 --push``) in another, so that half of what
is measured is the VENs' own work. Goal: 3 s. The median of three events is told, and the slowest.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

from console.openadr.actions import SeededIds
from console.openadr.commands import EventDraft, IssueEvent, VtnSettings
from console.openadr.facts import Fact, OptChanged, ReportsOffered
from console.openadr.vtn import Vtn
from console.session.clock import SystemClock
from console.session.session import Session
from console.store.store import Store

ROOT = Path(__file__).resolve().parents[2]
FLEET = 1000
EVENTS = 3
PATIENCE = 120.0


def measure() -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="nodebench-bench-") as folder:
        took = asyncio.run(_events(Path(folder)))
    yield {
        "case": f"push to {FLEET} VENs",
        "seconds": round(median(took), 3),
        "slowest": round(max(took), 3),
        "seconds_goal": 3.0,
    }


class _Count:
    """VENs that have offered their reports, and acknowledgements of one event."""

    def __init__(self) -> None:
        self.ready: set[str] = set()
        self.acknowledged: set[tuple[str, str]] = set()
        self.changed = asyncio.Event()

    def hear(self, fact: Fact, at: object) -> None:
        match fact:
            case ReportsOffered(ven_id=ven_id):
                self.ready.add(ven_id)
            case OptChanged(ven_id=ven_id, event_id=event_id):
                self.acknowledged.add((event_id, ven_id))
            case _:
                return
        self.changed.set()

    async def until(self, found: set[Any], count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(found) < count:
                self.changed.clear()
                await self.changed.wait()


async def _events(folder: Path) -> list[float]:
    clock, rng, count = SystemClock(), random.Random(1), _Count()
    store = Store.open(folder / "push.oadrrec")
    session = Session("vtn", Vtn("vtn", SeededIds(rng), rng, VtnSettings()), store, clock)
    session.on_fact(count.hear)
    url = await session.serve("127.0.0.1", 0)
    words = ["ven", "--vtn", url, "--name", "bench-{n}", "--count", str(FLEET), "--push"]
    vens = subprocess.Popen([sys.executable, "-m", "console", *words], cwd=ROOT, stdout=subprocess.DEVNULL)
    took: list[float] = []
    try:
        await count.until(count.ready, FLEET)
        await asyncio.sleep(3)
        for number in range(EVENTS):
            draft = EventDraft(
                event_id=f"push-{number}",
                signal_name="SIMPLE",
                signal_type="level",
                start=clock.now() + timedelta(hours=1 + number),
                intervals=((timedelta(minutes=10), 1.0),),
            )
            start = time.perf_counter()
            assert session.command(IssueEvent(draft)) == []
            await count.until(count.acknowledged, FLEET * (number + 1))
            took.append(time.perf_counter() - start)
    finally:
        vens.terminate()
        await session.close()
        store.close()
        vens.wait(30)
    return took
