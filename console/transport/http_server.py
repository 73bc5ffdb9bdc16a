"""Simple HTTP, the server's side (section 10 of the profile), on aiohttp's low-level server with a dispatch of our own.

The handler gets everything that comes: requests it may answer as it likes, requests that HTTP itself refuses (their
``refusal`` is set), and bytes that are not HTTP at all, caught at the protocol since aiohttp answers those by itself.
Answers carry Content-Length and are never chunked; a client that accepts gzip or deflate gets it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
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
from console.transport.ports import why_not

log = logging.getLogger(__name__)

_KEPT_OF_GARBAGE = 16 * 2**10
"""Bytes remembered of what a connection sent since its last request."""

_XML_TYPES = ("application/xml", "application/xml; charset=utf-8", "application/xml;charset=utf-8")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a peer may take, in real seconds."""

    body: float = 30.0
    """From the end of the head to the end of the body."""
    head: float = 30.0
    """From the first byte of a request to the end of its head."""
    idle: float = 3630.0
    """Between requests of one connection."""
    leave: float = 2.0
    """For answers under way when the server closes."""


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
    ) -> None:
        """``port`` 0 takes a free one. Nothing is opened before :meth:`start`."""
        self.handler = handler
        self.patience = patience or Patience()
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
        return f"http://{host}:{self._port}{paths.BASE}"

    async def start(self) -> None:
        """Open the port. Raises TransportError that says why it cannot be and what to do."""
        self._web = manager = web.Server(self._respond)
        try:
            self._listener = await asyncio.get_running_loop().create_server(
                lambda: _Connection(self, manager), self._host, self._port
            )
        except OSError as error:
            raise TransportError(why_not(self._host, self._port, error)) from error
        except OverflowError as error:
            raise TransportError(f"{self._port} is not a port; ports are numbers from 0 to 65535.") from error
        self._port = self._listener.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and end every connection; answers under way get a moment."""
        if self._listener is None or self._web is None:
            return
        self._listener.close()
        self._web.pre_shutdown()
        await self._web.shutdown(self.patience.leave)
        await asyncio.gather(*self._reports, return_exceptions=True)
        self._listener = None

    def report_garbage(self, address: str, received: bytes, why: str) -> None:
        """Hand bytes that are no request to the handler; nobody waits for its answer."""
        task: asyncio.Task[object] = asyncio.get_running_loop().create_task(self.answer_garbage(address, received, why))
        self._reports.add(task)
        task.add_done_callback(self._reports.discard)

    async def answer_garbage(self, address: str, received: bytes, why: str, status: int = 400) -> web.Response:
        """Have the handler record bytes that are no request; its answer."""
        finding = Finding("http", Severity.ERROR, f"{len(received)} bytes came that are not HTTP: {why}")
        peer = Peer(address, Binding.PULL)
        request = Request(peer, "", "", None, (), received, len(received), (finding,), refusal=status)
        return _plain(await self.handler(request), "")

    async def _respond(self, incoming: web.BaseRequest) -> web.Response:
        request = await self._read(incoming)
        try:
            response = await self.handler(request)
        except Exception:
            log.exception("the handler failed on %s", request.start_line)
            response = Response(500, b"Nodebench failed on this request.\n", "text/plain; charset=utf-8")
        answer = _plain(response, coding.chosen(incoming.headers.get("Accept-Encoding", "")))
        if request.size > len(request.body) or request.refusal == 408:
            answer.force_close()
        return answer

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
        peer = Peer(_address(incoming.transport), Binding.PULL)
        body = await self._body(incoming)
        return Request(
            peer,
            method,
            target,
            service,
            _headers(incoming),
            body.kept,
            body.size,
            (*findings, *_about_headers(incoming, body.size), *body.findings),
            body.refusal or refusal,
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
        try:
            plain = coding.decoded(received, incoming.headers.get("Content-Encoding", ""), self._body_limit)
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

    __slots__ = ("_owner", "_sent", "_payload", "_head_timer")

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

    def data_received(self, data: bytes) -> None:
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
            return answer

        return handler

    def _head_too_slow(self) -> None:
        self._head_timer = None
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


def _hint(received: bytes) -> str:
    """What such bytes most likely are; empty if nothing comes to mind."""
    if received[:2] == b"\x16\x03":
        return "they begin like TLS. The peer means https; here is http."
    if received.lstrip()[:5] in (b"<?xml", b"<stre"):
        return "they begin like XML. The peer may mean XMPP, or leaves out the HTTP head."
    return ""


def _plain(response: Response, chosen: str) -> web.Response:
    """aiohttp's response: Content-Length, coded if wanted, never chunked."""
    headers = {"Server": "Nodebench"}
    body = response.body
    if body:
        headers["Content-Type"] = response.content_type
        if chosen:
            headers["Content-Encoding"] = chosen
            body = coding.encoded(body, chosen)
    return web.Response(status=response.status, body=body, headers=headers)


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
