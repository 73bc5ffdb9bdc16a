"""The window under load, with Qt's offscreen platform: a million messages, a storm of them, nothing at all.

``million``: a recording of 1,000,000 messages is written once, then opened in a process of its own as the window opens
one; filters, scroll steps and paint are medians of seven. ``storm``: a VTN in the window's process answers paced polls
from another process, two messages each, while the views take turns in front; gaps are those of a 16 ms timer on the
window's loop, but for the tenth of a second after a change of view, which is told apart (``switch``). ``idle``: share
of a core that a window with nothing running takes. Goals are those of the design; the machine and what else runs on it
are part of every figure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from console.openadr.findings import Finding, Severity
from console.store.store import Store

ROOT = Path(__file__).resolve().parents[2]
MESSAGES = 1_000_000
STORM_SECONDS = 60
MESSAGES_PER_SECOND = 1700
IDLE_SECONDS = 20
VENS = 40


def measure() -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="nodebench-bench-") as folder:
        path = Path(folder) / "million.oadrrec"
        write_recording(path, MESSAGES)
        yield {"case": "million", "messages": MESSAGES, "file_mb": round(path.stat().st_size / 1e6), **_run(path)}
    yield {"case": "storm", "goal_p99_ms": 20, "goal_max_ms": 50, **_run("storm", STORM_SECONDS, MESSAGES_PER_SECOND)}
    yield {"case": "idle", "goal_percent": 2, **_run("idle", IDLE_SECONDS)}


def _run(*words: object) -> dict[str, Any]:
    environment = os.environ | {"QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen")}
    case = [str(word) for word in (words if words[0] in ("storm", "idle") else ("million", *words))]
    command = [sys.executable, "-m", "tests.bench.desk_window", *case]
    ran = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(ran.stdout.splitlines()[-1])


def write_recording(path: Path, messages: int) -> None:
    """A day of a VTN with 40 VENs: polls and answers, some events, reports with bodies of their own, some findings."""
    at = datetime(2026, 6, 16, tzinfo=UTC)
    wrong = (Finding("102", Severity.WARNING, "The intervals do not fill the event.", "a/b"),)
    with Store.open(path) as store:
        for k in range(messages // 2):
            ven, kind = f"ven-{k % VENS}", k % 10
            at += timedelta(milliseconds=86)
            element, answer = ("oadrUpdateReport", "oadrUpdatedReport") if kind > 6 else ("oadrPoll", "oadrResponse")
            if k % 500 == 0:
                answer = "oadrDistributeEvent"
            body = f"<{element} n='{k if kind == 9 else ven}'>{ven}</{element}>".encode()
            back = f"<{answer}><eventID>e-{k // 5000}</eventID></{answer}>".encode()
            number = store.append(
                time=at, session="vtn-lab", outgoing=False, peer=ven, transport="http", start_line="POST /x",
                headers=(), body=body,
            )  # fmt: skip
            summary = f"telemetry usage, {kind} points" if kind > 6 else ""
            store.derive(number, element=element, summary=summary, findings=wrong if k % 1000 == 7 else None)
            reply = store.append(
                time=at + timedelta(milliseconds=k % 40), session="vtn-lab", outgoing=True, peer=ven, transport="http",
                start_line="200 OK", headers=(), body=back, reply_to=number, status=200,
            )  # fmt: skip
            store.derive(reply, element=answer, summary="200 OK")
