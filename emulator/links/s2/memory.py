"""The in-process medium: carries JSON texts between a `CemSession` and an `RmSession` until both are silent.

Messages are really encoded and decoded; only the socket is missing. A WebSocket medium would do the same four things:
call `start` when the wire is up, hand every text to `receive`, send what comes back, call `lost` when the wire is gone.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from emulator.links.s2.cem_session import CemSession
from emulator.links.s2.rm_session import RmSession

TRACED = 2000
"""Messages a trace keeps unless told otherwise."""


@dataclass(frozen=True, slots=True)
class TracedMessage:
    """One S2 message as it went over a link."""

    time: datetime
    resource: str
    """Name of the device at the other end of the CEM's session."""
    from_cem: bool
    text: str

    @property
    def message_type(self) -> str:
        """Read from the text; empty where there is none."""
        try:
            tree = json.loads(self.text)
        except ValueError:
            return ""
        return str(tree.get("message_type", "")) if isinstance(tree, dict) else ""


class Trace:
    """The last messages of all links of a site, oldest first."""

    def __init__(self, kept: int = TRACED) -> None:
        self.messages: deque[TracedMessage] = deque(maxlen=kept)
        self.total = 0
        """Messages seen since the start, those forgotten included."""

    def add(self, message: TracedMessage) -> None:
        self.messages.append(message)
        self.total += 1


class MemoryLink:
    """A CEM session and an RM session, joined."""

    def __init__(self, cem: CemSession, rm: RmSession, trace: Trace) -> None:
        self.cem = cem
        self.rm = rm
        self._trace = trace

    def start(self, now: datetime) -> None:
        """Both ends come up at once; afterwards the device is described and under control."""
        self._carry(
            [(True, text) for text in self.cem.start(now)] + [(False, text) for text in self.rm.start(now)], now
        )

    def tick(self, now: datetime) -> None:
        """Let the device's end start and finish instructions."""
        self._carry([(False, text) for text in self.rm.tick(now)], now)

    def report(self, now: datetime) -> None:
        """Let the device's end send its measurement and statuses."""
        self._carry([(False, text) for text in self.rm.report(now)], now)

    def from_cem(self, texts: Iterable[str], now: datetime) -> None:
        """Carry what the CEM's session wants sent, and the answers."""
        self._carry([(True, text) for text in texts], now)

    def _carry(self, texts: Iterable[tuple[bool, str]], now: datetime) -> None:
        waiting = deque(texts)
        while waiting:
            from_cem, text = waiting.popleft()
            self._trace.add(TracedMessage(now, self.rm.resource.name, from_cem, text))
            answers = (self.rm if from_cem else self.cem).receive(text, now)
            waiting.extend((not from_cem, answer) for answer in answers)
