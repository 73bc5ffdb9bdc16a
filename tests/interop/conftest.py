"""Foreign nodes as processes: started and stopped by the tests, on ephemeral loopback ports, read line by line."""

from __future__ import annotations

import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY, absent

PEERS = Path(__file__).parent / "peers"
FOREIGN = REPOSITORY / ".venv-peers" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


class Process:
    """A program whose standard output is JSON lines."""

    def __init__(self, *words: str | Path) -> None:
        self.lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self.seen: list[dict[str, Any]] = []
        self._errors: list[str] = []
        self._process = subprocess.Popen(
            [str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY
        )
        for target in (self._read_out, self._read_errors):
            threading.Thread(target=target, daemon=True).start()

    def _read_out(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith("{"):
                self.lines.put(json.loads(line))

    def _read_errors(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self._errors.append(line)

    def wait_for(self, what: Callable[[dict[str, Any]], bool], seconds: float = 40.0) -> dict[str, Any]:
        """The first line, already seen or to come, that ``what`` is true of; fails with all lines after ``seconds``."""
        for line in self.seen:
            if what(line):
                return line
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                line = self.lines.get(timeout=0.2)
            except queue.Empty:
                if self._process.poll() is not None and self.lines.empty():
                    break
                continue
            self.seen.append(line)
            if what(line):
                return line
        shown = "\n".join(json.dumps(line) for line in self.seen[-40:])
        pytest.fail(f"not seen in {seconds} s.\nstdout:\n{shown}\nstderr:\n{''.join(self._errors[-60:])}")

    def interrupt(self) -> int:
        """Ctrl+C; the exit code."""
        if os.name == "nt":
            self._process.terminate()
        else:
            self._process.send_signal(2)
        return self._process.wait(20)

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


@pytest.fixture
def start() -> Iterator[Callable[..., Process]]:
    """Start a program; all are stopped at the end."""
    running: list[Process] = []

    def run(*words: str | Path) -> Process:
        running.append(Process(*words))
        return running[-1]

    yield run
    for process in running:
        process.stop()


@pytest.fixture
def nodebench(start: Callable[..., Process]) -> Callable[..., Process]:
    """``nodebench …`` as its users run it."""
    return lambda *words: start(sys.executable, "-m", "console", *words)


@pytest.fixture
def openleadr(start: Callable[..., Process]) -> Callable[..., Process]:
    """A script of OpenLEADR's in the environment of the peers."""
    if not FOREIGN.exists():
        absent("openleadr", "OpenLEADR is not installed; `python3 dev.py test` makes .venv-peers")
    return lambda script, *words: start(FOREIGN, PEERS / script, *words)


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
