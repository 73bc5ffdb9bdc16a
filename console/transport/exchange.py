"""What passes between a transport and whoever uses it: a request, its response, an answer, or no answer at all.

A server hands every :class:`Request` to its handler, also those it has to refuse and bytes that are no request at all:
they are recorded like any other. A client's ``post`` returns an :class:`Answer` for whatever status came back, and
:class:`Undelivered` where nothing did; it never raises for what a peer or the wire does. Bodies are what the sender
meant: a content coding is taken off, and left on where it cannot be.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Protocol, runtime_checkable

from console.openadr.actions import Peer, Service
from console.openadr.findings import Finding

Headers = tuple[tuple[str, str], ...]

BODY_LIMIT = 4 * 2**20
"""Bytes of the largest body that is taken."""

KEPT_OF_OVERSIZE = 64 * 2**10
"""Bytes that are kept of a body over the limit."""


class TransportError(Exception):
    """A socket of ours cannot be had; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a peer as it came."""

    peer: Peer
    method: str
    """Empty where the bytes were not HTTP; ``body`` then holds them."""
    target: str
    """Path as sent."""
    service: Service | None
    headers: Headers
    body: bytes
    size: int
    """Bytes of the body as the peer sent it, or said it would; ``body`` is shorter where it was too much."""
    findings: tuple[Finding, ...] = ()
    refusal: int = 0
    """HTTP status this request has to be answered with whatever it says; 0 where the handler decides."""

    @property
    def start_line(self) -> str:
        """``POST /OpenADR2/Simple/2.0b/OadrPoll``; empty where the bytes were not HTTP."""
        return f"{self.method} {self.target}" if self.method else ""


@dataclass(frozen=True, slots=True)
class Response:
    """Our answer to a request."""

    status: int
    body: bytes = b""
    content_type: str = "application/xml"

    @property
    def start_line(self) -> str:
        return status_line(self.status)

    @property
    def headers(self) -> Headers:
        """Those that say something about the message; Date and the coding are the server's."""
        length = ("Content-Length", str(len(self.body)))
        return (("Content-Type", self.content_type), length) if self.body else (length,)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a request of ours, whatever its status."""

    status: int
    headers: Headers
    body: bytes
    size: int
    latency: float
    """Real seconds from sending the first byte to having the last."""
    findings: tuple[Finding, ...] = ()

    @property
    def start_line(self) -> str:
        return status_line(self.status)


@dataclass(frozen=True, slots=True)
class Undelivered:
    """No answer. The wire's fault, or the peer's where it sent something that is no answer."""

    text: str
    """What happened, in words."""
    latency: float
    received: bytes = b""
    """What did come, where it was not HTTP."""


Handler = Callable[[Request], Awaitable[Response]]


class Client(Protocol):
    """Our way to one peer."""

    @property
    def peer(self) -> Peer: ...

    def headers_of(self, service: Service, body: bytes) -> tuple[str, Headers]:
        """Start line and headers that :meth:`post` will send, to be recorded before it does."""
        ...

    async def post(self, service: Service, body: bytes) -> Answer | Undelivered: ...

    async def close(self) -> None: ...


@runtime_checkable
class OddClient(Client, Protocol):
    """A client that can also send as nobody should: what peers make of that is to be found out."""

    async def post_as(self, service: Service, body: bytes, content_type: str, pause: float) -> Answer | Undelivered:
        """Send ``body`` with another Content-Type, or in ten pieces with ``pause`` seconds between them."""
        ...


class Server(Protocol):
    """Where peers reach us."""

    @property
    def url(self) -> str:
        """Base up to and including ``…/OpenADR2/Simple/2.0b``."""
        ...

    async def close(self) -> None: ...


@lru_cache(maxsize=128)
def status_line(status: int) -> str:
    """``200 OK``; the number alone where it has no name."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
