"""One case of the desk's measurements, in a process of its own: ``python -m tests.bench.desk_window CASE …``."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

ROUNDS = 7
FILTERS = {
    "field": "peer == ven-7",
    "two_fields": "element == oadrUpdateReport and size > 20",
    "finding": "finding >= warning",
    "free_text": "telemetry ven-1",
    "wildcard": "peer == ven-1* and not status == 200",
    "time": "time >= 10:32 and time < 10:33",
}


def milliseconds(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) * 1000


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def million(path: Path) -> dict[str, Any]:
    """Open a recording as the window does, and work with it."""
    from datetime import UTC

    from PySide6.QtWidgets import QApplication

    from console.app.recording_desk import RecordedDesk
    from console.session.clock import SystemClock
    from console.store.recording import Recording
    from console.ui.theme import apply_theme
    from console.ui.window import Window, import_views

    app = QApplication([])
    apply_theme(app, "light")
    window = Window()
    window.show()
    import_views()
    app.processEvents()
    began = time.perf_counter()
    desk = RecordedDesk(Recording(path), SystemClock(), UTC)
    opened = (time.perf_counter() - began) * 1000
    window.attach(desk)
    app.processEvents()
    shown = (time.perf_counter() - began) * 1000
    table = window.messages.table
    told: dict[str, Any] = {"recording_read_ms": round(opened), "first_page_ms": round(shown), "whole_goal_ms": 2000}
    for name, text in FILTERS.items():
        first = milliseconds(lambda text=text: desk.messages.select(text))
        again = [milliseconds(lambda text=text: table.set_filter(text, "")) for _ in range(ROUNDS)]
        told[f"filter_{name}_first_ms"], told[f"filter_{name}_ms"] = round(first, 1), round(median(again), 1)
        told[f"filter_{name}_rows"] = table.rows.rowCount()
    table.set_filter("", "")
    bar, numbers = table.verticalScrollBar(), random.Random(7)

    def step() -> None:
        bar.setValue(bar.value() + 1)
        app.processEvents()

    def jump() -> None:
        bar.setValue(numbers.randrange(bar.maximum()))
        app.processEvents()

    bar.setValue(500_000)
    app.processEvents()
    told["scroll_step_ms"] = round(median(milliseconds(step) for _ in range(40)), 2)
    told["jump_ms"] = round(median(milliseconds(jump) for _ in range(40)), 2)
    told["select_ms"] = round(median(milliseconds(lambda: table.choose(numbers.randrange(1, 900_000)))
                                     for _ in range(ROUNDS)), 1)  # fmt: skip
    gc.collect()
    told["resident_mb"], told["resident_goal_mb"] = round(resident_mb()), 350
    told["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
    window.let_go()
    desk.close()
    return told


async def in_window(work: Callable[[Any, Any, list[float]], Any]) -> dict[str, Any]:
    """Run ``work(window, workspace, gaps)`` in a window that stands on a live desk."""
    from PySide6.QtCore import QElapsedTimer, Qt, QTimer

    from console.app.workspace import Workspace
    from console.ui.collector import Collector
    from console.ui.shots import settled
    from console.ui.window import Window, import_views

    collector = Collector()
    workspace = Workspace()
    window = Window()
    window.show()
    await settled(200)
    import_views()
    window.attach(workspace.desk)
    collector.settle()
    gaps: list[float] = []
    since = QElapsedTimer()
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.setInterval(16)

    def beat() -> None:
        if since.isValid():
            gaps.append(since.nsecsElapsed() / 1e6)
        since.start()

    timer.timeout.connect(beat)
    await settled(500)
    timer.start()
    told = await work(window, workspace, gaps)
    timer.stop()
    window.let_go()
    await workspace.close()
    collector.let_go()
    return told


def quantile(values: list[float], share: float) -> float:
    return round(sorted(values)[min(len(values) - 1, int(len(values) * share))], 1)


async def storm(window: Any, workspace: Any, gaps: list[float], seconds: float, rate: float) -> dict[str, Any]:
    from console.openadr.actions import SeededIds
    from console.openadr.commands import KnownVen, VtnSettings
    from console.openadr.vtn import Vtn
    from console.session.session import Session
    from console.ui.shots import settled

    rng = random.Random(1)
    known = (KnownVen(name="bench-1", ven_id="bench-1", registration_id="r-1"),)
    role = Vtn("vtn-bench", SeededIds(rng), rng, VtnSettings(known=known))
    session = Session("vtn-bench", role, workspace.store, workspace.desk.clock)
    node = workspace.desk.attach(session, role, "VTN")
    node.url = await session.serve("127.0.0.1", 0)
    port = node.url.split("://")[1].split("/")[0].rpartition(":")[2]
    load = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.desk_window", "load", port, str(seconds), str(rate / 2)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    await settled(1500)
    gaps.clear()
    before, cpu, began = len(workspace.store.log), time.process_time(), time.perf_counter()
    switches: list[float] = []
    steady: list[float] = []
    while load.poll() is None:
        for name in list(window.views):
            switches.append(milliseconds(lambda name=name: window.show_view(name)))
            await settled(100)
            gaps.clear()
            await settled(1500)
            steady += gaps
            if load.poll() is not None:
                break
    took = time.perf_counter() - began
    assert load.stdout
    sent = json.loads(load.stdout.read())
    heard = len(workspace.store.log) - before
    told = {
        "seconds": round(took, 1),
        "messages": heard,
        "messages_per_s": round(heard / took),
        "answers": sent["answers"],
        "gap_p50_ms": quantile(steady, 0.5),
        "gap_p99_ms": quantile(steady, 0.99),
        "gap_max_ms": round(max(steady), 1),
        "gaps_over_50": sum(gap > 50 for gap in steady),
        "switch_p50_ms": quantile(switches, 0.5),
        "switch_max_ms": round(max(switches), 1),
        "core_percent": round((time.process_time() - cpu) / took * 100),
        "dropped": 2 * sent["answers"] - len(workspace.store.log),
    }
    await session.close()
    return told


async def idle(_window: Any, _workspace: Any, gaps: list[float], seconds: float) -> dict[str, Any]:
    from console.ui.shots import settled

    await settled(3000)
    gaps.clear()
    cpu, began = time.process_time(), time.perf_counter()
    await settled(round(seconds * 1000))
    share = (time.process_time() - cpu) / (time.perf_counter() - began)
    return {"seconds": seconds, "core_percent": round(share * 100, 1), "gap_p99_ms": quantile(gaps, 0.99)}


async def load(port: int, seconds: float, polls_per_second: float) -> int:
    """Paced polls over eight keep-alive connections; how many were answered."""
    from tests.bench.polling import Connection, poll_of

    loop = asyncio.get_running_loop()
    request = poll_of("bench-1")
    connections = 8
    answers = 0
    began = loop.time()

    async def one(place: int) -> None:
        nonlocal answers
        _, connection = await loop.create_connection(Connection, "127.0.0.1", port)
        turn = 0
        while loop.time() - began < seconds:
            due = began + (turn * connections + place) / polls_per_second
            await asyncio.sleep(max(0.0, due - loop.time()))
            status, _ = await connection.send(request)
            answers += status == 200
            turn += 1
        assert connection.transport is not None
        connection.transport.close()

    await asyncio.gather(*(one(place) for place in range(connections)))
    return answers


def looped(work: Callable[[Any, Any, list[float]], Any]) -> dict[str, Any]:
    os.environ.setdefault("QT_API", "pyside6")
    import qasync
    from PySide6.QtWidgets import QApplication

    from console.ui.theme import apply_theme

    app = QApplication([])
    app.setQuitOnLastWindowClosed(False)
    apply_theme(app, "light")
    loop = qasync.QEventLoop(app)
    with loop:
        return loop.run_until_complete(in_window(work))


def main(case: str, *words: str) -> dict[str, Any]:
    if case == "million":
        return million(Path(words[0]))
    if case == "load":
        return {"answers": asyncio.run(load(int(words[0]), float(words[1]), float(words[2])))}
    if case == "storm":
        return looped(lambda window, desk, gaps: storm(window, desk, gaps, float(words[0]), float(words[1])))
    return looped(lambda window, desk, gaps: idle(window, desk, gaps, float(words[0])))


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])), flush=True)
