"""Processes that are killed, not ended: what was answered is there after the restart. Real sockets and files."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
EVENT = """
market_context = "http://example.com/programme"
start = "+3s"
duration = "10m"
signal = "SIMPLE"
type = "level"

[[interval]]
duration = "10m"
value = 2
"""
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")]


class Node:
    """A running ``nodebench`` whose facts are read as they come."""

    def __init__(self, *words: object) -> None:
        self._facts: queue.Queue[dict[str, Any]] = queue.Queue()
        self.seen: list[dict[str, Any]] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "console", *map(str, words), "--json"],
            cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._facts.put(json.loads(line))

    def until(self, what: Callable[[dict[str, Any]], bool], seconds: float = 40) -> dict[str, Any]:
        """The first fact, told already or to come, that ``what`` is true of."""
        for fact in self.seen:
            if what(fact):
                return fact
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                fact = self._facts.get(timeout=0.2)
            except queue.Empty:
                continue
            self.seen.append(fact)
            if what(fact):
                return fact
        pytest.fail(f"not seen in {seconds} s: {self.seen[-20:]}")

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


@pytest.fixture
def start() -> Iterator[Callable[..., Node]]:
    running: list[Node] = []

    def run(*words: object) -> Node:
        running.append(Node(*words))
        return running[-1]

    yield run
    for node in running:
        node.kill()


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def named(name: str, **members: object) -> Callable[[dict[str, Any]], bool]:
    return lambda fact: fact["fact"] == name and all(fact.get(key) == value for key, value in members.items())


@pytest.fixture
def commands(tmp_path: Path, port: int) -> tuple[list[object], list[object]]:
    event = tmp_path / "event.toml"
    event.write_text(EVENT)
    vtn: list[object] = ["vtn", "--host", "127.0.0.1", "--port", port, "--poll-frequency", "1s", "--event", event,
                         "--store", tmp_path / "vtn.oadrrec"]  # fmt: skip
    url = f"http://127.0.0.1:{port}/OpenADR2/Simple/2.0b"
    return vtn, ["ven", "--vtn", url, "--name", "ven-k", "--store", tmp_path / "ven.oadrrec"]


def test_a_vtn_killed_in_mid_event_goes_on_without_a_new_registration(start, commands):
    vtn_words, ven_words = commands
    vtn = start(*vtn_words)
    vtn.until(named("listening"))
    ven = start(*ven_words)
    opt = vtn.until(named("opt", opt_type="optIn"))
    vtn.until(named("event", status="active"))
    vtn.kill()

    again = start(*vtn_words)
    known = again.until(named("registered"))
    assert known["ven_id"] == opt["ven_id"]
    told = again.until(named("event", event_id=opt["event_id"]))
    assert (told["status"], told["modification_number"]) == ("active", 0)
    again.until(named("presence", state="ok"))
    assert not [fact for fact in ven.seen if fact["fact"] in ("unregistered", "event_gone")]


def test_a_ven_killed_keeps_its_event_and_its_registration(start, commands):
    vtn_words, ven_words = commands
    vtn = start(*vtn_words)
    vtn.until(named("listening"))
    ven = start(*ven_words)
    first = ven.until(named("registered"))
    event = ven.until(named("event", status="active"))
    ven.kill()

    again = start(*ven_words)
    held = again.until(named("event"))
    assert (held["event_id"], held["status"]) == (event["event_id"], "active")
    second = again.until(named("registered"))
    assert (second["ven_id"], second["registration_id"]) == (first["ven_id"], first["registration_id"])
