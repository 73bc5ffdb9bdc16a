"""How fast a VTN answers: idle polls over 16 keep-alive connections, and one event to 1,000 VENs that poll.

Ours with everything on (message store on disk, schema, typed reading, rules, facts, per-VEN delivery), OpenLEADR's
beside it in the same run, which keeps no messages. Each VTN is a process of its own; the load is this one. Rounds
alternate; medians are told. ``stored`` is messages in the file for each poll and answer: 1 when none is missing.
Goals: idle 2.5 times OpenLEADR's; the event in a third of its time.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from console.store.store import Store
from tests.bench import polling

ROOT = Path(__file__).resolve().parents[2]
PEER = ROOT / ".venv-peers/bin/python"
ROUNDS = 5
SECONDS = 2.0
CONNECTIONS = 16
FLEET = 1000
FLEET_CONNECTIONS = 50
SETTLE = 5.5
"""Seconds a VTN of ours holds back events from a VEN that has not sent METADATA."""

_EVENT = """
market_context = "http://example.com/programme"
start = "+1h"
duration = "10m"
signal = "LOAD_DISPATCH"
type = "setpoint"
unit = "kW"

[[interval]]
duration = "10m"
value = 7
"""


def measure() -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="nodebench-bench-") as folder:
        yield _idle(Path(folder))
        yield _event(Path(folder))


# Idle --------------------------------------------------------------------------------


def _idle(folder: Path) -> dict[str, Any]:
    store = folder / "idle.oadrrec"
    ours, port = _start_ours(folder, store, 1)
    theirs, other = _start_theirs(1)
    rates: dict[str, list[float]] = {"ours": [], "theirs": []}
    costs: dict[str, list[float]] = {"ours": [], "theirs": []}
    polls = 0
    try:
        asyncio.run(polling.drain(port, ["bench-1"], 1))
        for _ in range(ROUNDS):
            polls += _round(ours, port, "ours", rates, costs)
            if theirs is not None:
                _round(theirs, other, "theirs", rates, costs)
    finally:
        _stop(ours)
        _stop(theirs)
    with Store.open(store) as kept:
        stored = sum(kept.log.view(row).element in ("oadrPoll", "oadrResponse") for row in range(len(kept.log)))
    told: dict[str, Any] = {
        "case": "idle",
        "polls_per_s": round(median(rates["ours"])),
        "stored": round(stored / (2 * polls), 4),
    }
    if rates["theirs"]:
        told["openleadr_per_s"] = round(median(rates["theirs"]))
        told["ratio"] = round(median(map(_quotient, rates["ours"], rates["theirs"])), 2)
        told["ratio_goal"] = 2.5
        if costs["theirs"]:
            told["cpu_us_per_poll"] = round(median(costs["ours"]))
            told["openleadr_cpu_us_per_poll"] = round(median(costs["theirs"]))
    return told


def _round(
    process: subprocess.Popen[Any], port: int, whose: str, rates: dict[str, list[float]], costs: dict[str, list[float]]
) -> int:
    """One round of polls: their rate, and CPU time of the VTN for each, which a busy machine distorts less."""
    before = _cpu_seconds(process.pid)
    rate, count = asyncio.run(polling.idle(port, "bench-1", CONNECTIONS, SECONDS))
    rates[whose].append(rate)
    if before is not None and (after := _cpu_seconds(process.pid)) is not None:
        costs[whose].append((after - before) / count * 1e6)
    return count


def _cpu_seconds(pid: int) -> float | None:
    """CPU time a process has used, all threads; None where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _quotient(one: float, other: float) -> float:
    return one / other


# One event --------------------------------------------------------------------------------


def _event(folder: Path) -> dict[str, Any]:
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    ven_ids = [f"bench-{number}" for number in range(1, FLEET + 1)]
    for turn in range(3):
        file = folder / f"event{turn}.toml"
        file.write_text(_EVENT)
        ours, port = _start_ours(folder, folder / f"event{turn}.oadrrec", FLEET, "--event", str(file))
        try:
            asyncio.run(polling.drain(port, ven_ids, FLEET_CONNECTIONS))
            time.sleep(SETTLE)
            times["ours"].append(_acknowledged(port, ven_ids))
        finally:
            _stop(ours)
        theirs, port = _start_theirs(FLEET)
        if theirs is None:
            continue
        try:
            assert theirs.stdin and theirs.stdout
            theirs.stdin.write("issue\n")
            theirs.stdin.flush()
            theirs.stdout.readline()
            times["theirs"].append(_acknowledged(port, ven_ids))
        finally:
            _stop(theirs)
    told: dict[str, Any] = {"case": f"one event to {FLEET} pull VENs", "seconds": round(median(times["ours"]), 3)}
    if times["theirs"]:
        told["openleadr_seconds"] = round(median(times["theirs"]), 3)
        told["ratio"] = round(median(map(_quotient, times["ours"], times["theirs"])), 2)
        told["ratio_goal"] = 0.33
    return told


def _acknowledged(port: int, ven_ids: list[str]) -> float:
    took, taken = asyncio.run(polling.acknowledge(port, ven_ids, FLEET_CONNECTIONS))
    assert taken == len(ven_ids), f"{taken} of {len(ven_ids)} acknowledgements were taken"
    return took


# Processes --------------------------------------------------------------------------------


def _start_ours(folder: Path, store: Path, vens: int, *more: str) -> tuple[subprocess.Popen[Any], int]:
    known = folder / f"known-{vens}.toml"
    rows = (f'[[ven]]\nname = "bench-{n}"\nven_id = "bench-{n}"\nregistration_id = "r-{n}"\n' for n in _numbers(vens))
    known.write_text("\n".join(rows))
    port = _free_port()
    where = ["--host", "127.0.0.1", "--port", str(port), "--known", str(known), "--store", str(store)]
    process = subprocess.Popen(
        [sys.executable, "-m", "console", "vtn", *where, *more], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    _wait_for(process, port)
    return process, port


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(process: subprocess.Popen[Any], port: int) -> None:
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise RuntimeError(f"the VTN ended with {process.returncode} before it listened")


def _numbers(vens: int) -> range:
    return range(1, vens + 1)


def _start_theirs(vens: int) -> tuple[subprocess.Popen[Any] | None, int]:
    if not PEER.exists():
        return None, 0
    port = _free_port()
    process = _start(str(PEER), str(Path(__file__).with_name("vtn_peer.py")), str(port), str(vens))
    assert process.stdout
    for line in process.stdout:
        if "listening" in line:
            break
    return process, port


def _start(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        words, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


def _stop(process: subprocess.Popen[Any] | None) -> None:
    if process is None:
        return
    process.send_signal(2)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
