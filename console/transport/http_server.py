"""Simple HTTP, the server's side (section 10 of the profile), on aiohttp's low-level server with a dispatch of our own.

The handler gets everything that comes: requests it may answer as it likes, requests that HTTP itself refuses (their
``refusal`` is set), and bytes that are not HTTP at all, caught at the protocol since aiohttp answers those by itself.
Answers carry Content-Length and are never chunked; a client that accepts gzip or deflate gets it.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio.sslproto import SSLProtocol
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import RawRequestMessage
from aiohttp.web_protocol import RequestHandler

from console.openadr.actions import Binding, Peer
from console.openadr.findings import Finding, Severity
from console.transport import coding, paths
from console.transport.exchange import (
    BODY_LIMIT,
    KEPT_OF_OVERSIZE,
    Handler,
    Headers,
    Request,
    Response,
    TransportError,
)
from console.transport.http_answer import Written
from console.transport.ports import files_allowed, why_not
from console.transport.tls import Shown, Tls, ended

log = logging.getLogger(__name__)

_KEPT_OF_GARBAGE = 16 * 2**10
"""Bytes remembered of what a connection sent since its last request."""

_BACKLOG = 1024
"""Connections the system holds until they are taken: a fleet comes all at once."""

_MOST_CONNECTIONS = 20_000

_XML_TYPES = ("application/xml", "application/xml; charset=utf-8", "application/xml;charset=utf-8")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a peer may take, in real seconds."""

    body: float = 30.0
    """From the end of the head to the end of the body."""
    head: float = 30.0
    """From the first byte of a request to the end of its head, and from the connection to its first byte."""
    handshake: int = 20
    """Of TLS."""
    idle: float = 3630.0
    """Between requests of one connection."""
    leave: float = 2.0
    """For answers under way when the server closes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections are held open at once; further ones are closed as they come."""

    connections: int
    of_one_host: int

    @classmethod
    def of_this_machine(cls) -> Limits:
        """Three quarters of the files this process may open, and no single host gets more than half of those."""
        most = min(_MOST_CONNECTIONS, files_allowed() * 3 // 4)
        return cls(most, max(1, most // 2))


class HttpServer:
    """Listens on one address; see :class:`console.transport.exchange.Server`."""

    def __init__(
        self,
        host: str,
        port: int,
        handler: Handler,
        *,
        patience: Patience | None = None,
        body_limit: int = BODY_LIMIT,
        tls: Tls | None = None,
        limits: Limits | None = None,
    ) -> None:
        """``port`` 0 takes a free one. Nothing is opened before :meth:`start`.

        Raises TransportError for a ``tls`` without a certificate to serve with.
        """
        if tls is not None and tls.server is None:
            raise TransportError("An https server needs a certificate and its key.")
        self.handler = handler
        self.patience = patience or Patience()
        self.tls = tls
        self.limits = limits or Limits.of_this_machine()
        self._open: Counter[str] = Counter()
        self._crowded: set[str] = set()
        self._host = host
        self._port = port
        self._body_limit = body_limit
        self._listener: asyncio.Server | None = None
        self._web: web.Server | None = None
        self._reports: set[asyncio.Task[object]] = set()

    @property
    def url(self) -> str:
        """Base up to and including ``…/OpenADR2/Simple/2.0b``, with the real port."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://{host}:{self._port}{paths.BASE}"

    async def start(self) -> None:
        """Open the port. Raises TransportError that says why it cannot be and what to do."""
        self._web = web.Server(self._respond)
        try:
            self._listener = await asyncio.get_running_loop().create_server(
                self._connection, self._host, self._port, backlog=_BACKLOG
            )
        except OSError as error:
            raise TransportError(why_not(self._host, self._port, error)) from error
        except OverflowError as error:
            raise TransportError(f"{self._port} is not a port; ports are numbers from 0 to 65535.") from error
        self._port = self._listener.sockets[0].getsockname()[1]

    def _connection(self) -> asyncio.BaseProtocol:
        assert self._web is not None
        plain = _Connection(self, self._web)
        return plain if self.tls is None else _Guarded(self, plain, self.tls)

    async def close(self) -> None:
        """Stop listening and end every connection; answers under way get a moment."""
        if self._listener is None or self._web is None:
            return
        self._listener.close()
        self._web.pre_shutdown()
        await self._web.shutdown(self.patience.leave)
        await asyncio.gather(*self._reports, return_exceptions=True)
        self._listener = None

    # Who may come ----------------------------------------------------------------------------------------------------

    def admit(self, host: str, address: str) -> bool:
        """Whether one more connection from ``host`` is taken; the first that is not is told."""
        crowd = self._open[host] >= self.limits.of_one_host
        if not crowd and self._open.total() < self.limits.connections:
            self._open[host] += 1
            return True
        if host not in self._crowded:
            self._crowded.add(host)
            whose = f"from {host} alone" if crowd else "in all"
            text = f"{self._open[host] if crowd else self._open.total()} connections {whose} are open;"
            self._report(
                Peer(address, Binding.PULL), b"", Finding("http", Severity.ERROR, f"{text} more are refused."), 503
            )
        return False

    def release(self, host: str) -> None:
        """A connection of ``host`` that was admitted is gone."""
        self._open[host] -= 1
        if self._open[host] < self.limits.of_one_host * 0.9:
            self._crowded.discard(host)
        if self._open[host] <= 0:
            del self._open[host]

    def report_handshake(self, address: str, error: BaseException | None, shown: Shown) -> None:
        """Have the handler record that TLS came to nothing."""
        finding = Finding("tls", Severity.ERROR, f"A TLS handshake failed: {ended(error)}", clause="10")
        self._report(Peer(address, Binding.PULL, shown.fingerprint, shown.issuers), b"", finding, 403)

    def _report(self, peer: Peer, received: bytes, finding: Finding, status: int) -> None:
        request = Request(peer, "", "", None, (), received, len(received), (finding,), refusal=status)

        async def hand_over() -> None:
            await self.handler(request)

        self._keep(hand_over())

    def _keep(self, work: Coroutine[object, object, object]) -> None:
        task: asyncio.Task[object] = asyncio.get_running_loop().create_task(work)
        self._reports.add(task)
        task.add_done_callback(self._reports.discard)

    # What comes ------------------------------------------------------------------------------------------------------

    def report_garbage(self, address: str, received: bytes, why: str) -> None:
        """Hand bytes that are no request to the handler; nobody waits for its answer."""
        self._keep(self.answer_garbage(address, received, why))

    async def answer_garbage(self, address: str, received: bytes, why: str, status: int = 400) -> Written:
        """Have the handler record bytes that are no request; its answer."""
        finding = Finding("http", Severity.ERROR, f"{len(received)} bytes came that are not HTTP: {why}")
        peer = Peer(address, Binding.PULL)
        request = Request(peer, "", "", None, (), received, len(received), (finding,), refusal=status)
        return Written(await self.handler(request))

    async def _respond(self, incoming: web.BaseRequest) -> web.StreamResponse:
        request = await self._read(incoming)
        try:
            response = await self.handler(request)
        except Exception:
            log.exception("the handler failed on %s", request.start_line)
            response = Response(500, b"Nodebench failed on this request.\n", "text/plain; charset=utf-8")
        accepted = incoming.headers.get("Accept-Encoding", "")
        answer = Written(response, coding.chosen(accepted) if accepted else "")
        if request.size > len(request.body) or request.refusal == 408:
            answer.force_close()
        return answer.for_aiohttp()

    async def _read(self, incoming: web.BaseRequest) -> Request:
        method, target = incoming.method, incoming.raw_path
        service, findings = paths.find_service(target)
        refusal = 0
        if service is None:
            refusal = 404
        if method != "POST":
            text = f"The method {method} is not used by OpenADR: every request is a POST."
            findings = (*findings, Finding("http", Severity.ERROR, text, clause="9.1"))
            refusal = 501
        connection = incoming.protocol
        assert isinstance(connection, _Connection)
        shown = connection.take_shown()
        if shown.refused:
            refusal = 403
        findings = (*shown.findings, *findings)
        peer = connection.peer
        body = await self._body(incoming)
        return Request(
            peer,
            method,
            target,
            service,
            connection.headers_of(incoming),
            body.kept,
            body.size,
            (*findings, *_about_headers(incoming, body.size), *body.findings),
            (refusal if refusal == 403 else 0) or body.refusal or refusal,
        )

    async def _body(self, incoming: web.BaseRequest) -> _Body:
        content = incoming.content
        if content.is_eof() and content.exception() is None:
            received = content.read_nowait()
            if len(received) > self._body_limit:
                return self._too_big(received, len(received))
        else:
            await self._encourage(incoming)
            late = await self._collect(incoming)
            if late.refusal:
                return late
            received = late.kept
        coded = incoming.headers.get("Content-Encoding", "")
        if not coded:
            return _Body(received, len(received))
        try:
            plain = coding.decoded(received, coded, self._body_limit)
        except coding.CodingError as error:
            return _Body(received, len(received), (_http_error(str(error)),), 406)
        return _Body(plain, len(plain))

    async def _encourage(self, incoming: web.BaseRequest) -> None:
        """Tell a client that asks before it sends to go on, unless it would send too much."""
        wanted = incoming.headers.get("Expect", "").lower() == "100-continue"
        if wanted and (incoming.content_length or 0) <= self._body_limit:
            await incoming.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            incoming.writer.output_size = 0

    async def _collect(self, incoming: web.BaseRequest) -> _Body:
        """Wait for the whole body, as long as it is no longer and takes no longer than it may."""
        announced = incoming.content_length or 0
        received = bytearray()
        try:
            async with asyncio.timeout(self.patience.body):
                async for piece in incoming.content.iter_any():
                    received += piece
                    if max(len(received), announced) > self._body_limit:
                        return self._too_big(bytes(received), max(announced, len(received)))
        except TimeoutError:
            text = f"The body stopped after {len(received)} of {announced or 'unknown many'} bytes; "
            text += f"it was waited for {self.patience.body:g} s."
            return _Body(bytes(received), max(announced, len(received)), (_http_error(text),), 408)
        except (web.RequestPayloadError, HttpProcessingError, ConnectionError) as error:
            text = f"The body broke off after {len(received)} bytes: {error}."
            return _Body(bytes(received), max(announced, len(received)), (_http_error(text),), 400)
        return _Body(bytes(received), len(received))

    def _too_big(self, received: bytes, size: int) -> _Body:
        text = f"The body has {size} bytes or more; at most {self._body_limit} are taken. Its beginning was kept."
        return _Body(received[:KEPT_OF_OVERSIZE], size, (Finding("size", Severity.ERROR, text),), 413)


@dataclass(frozen=True, slots=True)
class _Body:
    """What came of a request's body."""

    kept: bytes
    size: int
    """As the peer sent it, or said it would."""
    findings: tuple[Finding, ...] = ()
    refusal: int = 0


class _Connection(RequestHandler):
    """aiohttp's connection, remembering the bytes of the head under way in case they turn out to be none."""

    __slots__ = ("_owner", "_sent", "_payload", "_head_timer", "_host", "_shown", "_raw_headers", "_headers", "peer")

    def __init__(self, owner: HttpServer, manager: web.Server) -> None:
        super().__init__(
            manager,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]
            auto_decompress=False,
            keepalive_timeout=owner.patience.idle,
            lingering_time=2.0,
        )
        self._owner = owner
        self._sent = bytearray()
        self._payload: Any = None
        self._head_timer: asyncio.TimerHandle | None = None
        self._host = ""
        """Where it counts among the open ones; empty where it does not."""
        self._shown = Shown()
        self._raw_headers: object = None
        self._headers: Headers = ()
        self.peer = Peer()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        address = _address(transport)
        host = address.rpartition(":")[0]
        if self._owner.tls is not None:
            self._shown = self._owner.tls.shown(transport.get_extra_info("ssl_object"))
        self.peer = Peer(address, Binding.PULL, self._shown.fingerprint, self._shown.issuers)
        if not self._owner.admit(host, address):
            self.force_close()
            return
        self._host = host
        self._head_timer = self._loop.call_later(self._owner.patience.head, self._head_too_slow)

    def take_shown(self) -> Shown:
        """What the peer's certificate comes to; what is odd about one that is taken is said once."""
        shown = self._shown
        if not shown.refused:
            self._shown = Shown(shown.fingerprint, shown.issuers)
        return shown

    def headers_of(self, incoming: web.BaseRequest) -> Headers:
        """The request's headers as text; a peer mostly sends the same each time."""
        raw = incoming.raw_headers
        if raw != self._raw_headers:
            self._raw_headers, self._headers = raw, _headers(incoming)
        return self._headers

    def data_received(self, data: bytes) -> None:
        if not data:  # aiohttp's own call to go on with what it has
            super().data_received(data)
            return
        in_body = self._payload is not None and not self._payload.is_eof()
        if not in_body:
            self._sent += data[: _KEPT_OF_GARBAGE - len(self._sent)]
        seen = self._request_count
        super().data_received(data)
        if self._request_count != seen and self._messages:
            message, self._payload = self._messages[-1]
            if not isinstance(message, RawRequestMessage):
                self._sent = self._sent or bytearray(data[-_KEPT_OF_GARBAGE:])
            else:
                self._sent.clear()
            self._stop_head_timer()
        elif self._sent and self._head_timer is None:
            self._head_timer = self._loop.call_later(self._owner.patience.head, self._head_too_slow)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_head_timer()
        if self._host:
            self._owner.release(self._host)
            self._host = ""
        if self._sent:
            self._report("the connection ended before a head was complete.")
        super().connection_lost(exc)

    def _make_error_handler(self, err_info: Any) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            received = bytes(self._sent)
            self._sent.clear()
            why = str(err_info.message).strip().partition("\n")[0].rstrip(":")
            answer = await self._owner.answer_garbage(
                _address(request.transport), received, _hint(received) or f"{why}."
            )
            answer.force_close()
            return answer.for_aiohttp()

        return handler

    def _head_too_slow(self) -> None:
        self._head_timer = None
        if not self._sent:
            self.force_close()
            return
        self._report(f"the head was not complete after {self._owner.patience.head:g} s.")
        self.force_close()

    def _report(self, why: str) -> None:
        received = bytes(self._sent)
        self._sent.clear()
        self._owner.report_garbage(_address(self.transport), received, _hint(received) or why)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class _Guarded(SSLProtocol):
    """TLS before a connection. asyncio would do the same for ``create_server(ssl=…)``, but tells nobody of failures."""

    def __init__(self, owner: HttpServer, inner: _Connection, tls: Tls) -> None:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        assert tls.server is not None
        super().__init__(
            loop, inner, tls.server, waiter, server_side=True, ssl_handshake_timeout=owner.patience.handshake
        )
        self._owner = owner
        self._tls = tls
        self._handshake = tls.server.latest
        self._address = ""
        waiter.add_done_callback(self._finished)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._address = _address(transport)
        assert isinstance(transport, asyncio.WriteTransport)
        self._handshake.send = transport.write
        super().connection_made(transport)

    def _finished(self, waiter: asyncio.Future[None]) -> None:
        self._handshake.send = None
        error = None if waiter.cancelled() else waiter.exception()
        if error is not None:
            chain = self._handshake.chain
            shown = self._tls.judge(chain) if chain else Shown()
            self._owner.report_handshake(self._address, error, shown)


def _hint(received: bytes) -> str:
    """What such bytes most likely are; empty if nothing comes to mind."""
    if received[:2] == b"\x16\x03":
        return "they begin like TLS. The peer means https; here is http."
    if received.lstrip()[:5] in (b"<?xml", b"<stre"):
        return "they begin like XML. The peer may mean XMPP, or leaves out the HTTP head."
    return ""


def _about_headers(incoming: web.BaseRequest, size: int) -> tuple[Finding, ...]:
    """What the profile says of request headers and this request does otherwise."""
    found: list[Finding] = []
    sent = incoming.headers.get("Content-Type", "")
    if size and sent.strip().lower() not in _XML_TYPES:
        severity = Severity.WARNING if not sent or "xml" in sent.lower() else Severity.ERROR
        named = f"is {sent}" if sent else "is missing"
        text = f"The Content-Type {named}; it has to be application/xml, at most with charset=utf-8."
        found.append(Finding("http", severity, text, clause="9.1"))
    if incoming.headers.get("Transfer-Encoding"):
        text = "The body is chunked, which the simple HTTP binding does not allow; it needs a Content-Length."
        found.append(Finding("http", Severity.WARNING, text, clause="9.1"))
    accepted = incoming.headers.get("Accept", "")
    if accepted and not any(kind in accepted.lower() for kind in ("application/xml", "*/*", "application/*")):
        text = f"Accept is {accepted}; the answer is application/xml all the same."
        found.append(Finding("http", Severity.WARNING, text, clause="9.1"))
    return tuple(found)


def _headers(incoming: web.BaseRequest) -> Headers:
    return tuple(
        (name.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape"))
        for name, value in incoming.raw_headers
    )


def _address(transport: asyncio.BaseTransport | None) -> str:
    named = transport.get_extra_info("peername") if transport is not None else None
    if not named:
        return ""
    return f"[{named[0]}]:{named[1]}" if ":" in named[0] else f"{named[0]}:{named[1]}"


def _http_error(text: str) -> Finding:
    return Finding("http", Severity.ERROR, text, clause="9.1")
