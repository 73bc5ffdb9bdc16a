"""What a history gives to readers, whether it is still being written (``Store``) or only read (``Recording``)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from console.openadr.facts import Fact
from console.openadr.findings import Finding
from console.store.fact_text import read_findings
from console.store.log import Log
from console.store.subscription import NotedFact

SEPARATOR = "\x1f"
"""Between the parts of a head; no header may hold it."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a transport said around a body."""

    address: str
    """Host and port of the peer, or its JID."""
    start_line: str
    """``POST /OpenADR2/Simple/2.0b/OadrPoll`` or ``200 OK``; empty where the bytes were not HTTP."""
    headers: tuple[tuple[str, str], ...]


class Reader(ABC):
    """Messages by number, facts and points in order. Numbers go from 1 to ``len(log)``."""

    log: Log
    """The messages for reading: rows, filters, density."""
    path: Path

    @abstractmethod
    def body_at(self, index: int) -> bytes:
        """The body with this index in the log's ``body`` column. Raises StoreError where the file does not give it."""

    @abstractmethod
    def facts(self, session: str = "", kinds: Iterable[type[Fact]] = ()) -> list[NotedFact]:
        """Facts in order, of one session and of some classes or all, without numeric report points."""

    @abstractmethod
    def points(self, session: str = "", since: datetime | None = None) -> list[NotedFact]:
        """Numeric report points in the order they came, of one session or all, whose start is not before ``since``."""

    @abstractmethod
    def recall(self, key: str, default: Any = None) -> Any:
        """A setting kept with the history."""

    def body(self, number: int) -> bytes:
        """The body of a message as recorded. Raises IndexError for no message, StoreError for a damaged file."""
        return self.body_at(self.log.columns.get(self.row(number), "body"))

    def head(self, number: int) -> Head:
        """Address, start line and headers of a message."""
        text = self.log.pools["heads"][self.log.columns.get(self.row(number), "head")]
        address, _, rest = text.partition(SEPARATOR)
        start_line, *headers = rest.split(SEPARATOR)
        return Head(address, start_line, tuple(zip(headers[::2], headers[1::2], strict=True)))

    def peer(self, number: int) -> str:
        """venID or vtnID if known, else the address."""
        return self.log.pools["names"][self.log.columns.get(self.row(number), "peer")]

    def headers(self, number: int) -> tuple[tuple[str, str], ...]:
        return self.head(number).headers

    def findings(self, number: int) -> tuple[Finding, ...]:
        """What was found in a message, as last derived."""
        return read_findings(self.log.pools["findings"][self.log.columns.get(self.row(number), "findings")])

    def row(self, number: int) -> int:
        """Index of a message in the log. Raises IndexError for no message."""
        if not 1 <= number <= len(self.log):
            raise IndexError(f"there is no message {number}")
        return number - 1
