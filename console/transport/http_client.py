"""Simple HTTP, the client's side (section 10 of the profile), on httpx: our way to one peer.

No redirects, no proxies of the environment, time-outs of at least five seconds. Whatever comes back is an answer; what
does not come back, or is not HTTP, is :class:`Undelivered` with the reason in words and the bytes that came.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Iterable
from functools import cache
from typing import Any

import httpcore
import httpx

from console.openadr.actions import Binding, Peer, Service
from console.transport import paths
from console.transport.exchange import BODY_LIMIT, Answer, Headers, TransportError, Undelivered
from console.transport.reading import read_answer, unreached
from console.transport.tls import Tls

SHORTEST_TIMEOUT = 5.0
"""Seconds; the profile asks for a time-out that can be set and is not below."""

_HEADERS = {
    "Content-Type": "application/xml",
    "Accept": "application/xml",
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": "Nodebench",
}
_KEPT_OF_GARBAGE = 16 * 2**10
_PIECES = 10


class HttpClient:
    """Posts to the services under one base URL; see :class:`console.transport.exchange.Client`."""

    def __init__(
        self, url: str, *, timeout: float = 10.0, body_limit: int = BODY_LIMIT, tls: Tls | None = None
    ) -> None:
        """Raises TransportError for what is no base URL, ValueError for a time-out below five seconds."""
        if timeout < SHORTEST_TIMEOUT:
            raise ValueError(f"the time-out must be {SHORTEST_TIMEOUT:g} s or longer, not {timeout:g} s")
        try:
            self._base = paths.split_base(url)
        except ValueError as error:
            raise TransportError(str(error)) from error
        self._timeout = timeout
        self._body_limit = body_limit
        self._peer = Peer(self._base.netloc, Binding.PULL)
        self._wire = _RecordingTransport(_trust() if tls is None else tls.client)
        self._http = httpx.AsyncClient(
            transport=self._wire,
            headers=_HEADERS,
            timeout=timeout,
            follow_redirects=False,
            trust_env=False,
        )

    @property
    def peer(self) -> Peer:
        return self._peer

    def headers_of(self, service: Service, body: bytes) -> tuple[str, Headers]:
        """Start line and headers as they will be sent."""
        request = self._request(service, body)
        headers = tuple((name.decode("ascii"), value.decode("latin-1")) for name, value in request.headers.raw)
        return f"POST {request.url.raw_path.decode('ascii')}", headers

    async def post(self, service: Service, body: bytes) -> Answer | Undelivered:
        """Send one request and wait for its answer."""
        return await self._post(self._request(service, body))

    async def post_as(self, service: Service, body: bytes, content_type: str, pause: float) -> Answer | Undelivered:
        """Send ``body`` with another Content-Type, or in ten pieces with ``pause`` seconds between them."""
        headers = {"Content-Type": content_type, "Content-Length": str(len(body))}
        content = _in_pieces(body, pause) if pause else body
        url = f"{self._base.geturl()}/{service.value}"
        return await self._post(self._http.build_request("POST", url, content=content, headers=headers))

    async def _post(self, request: httpx.Request) -> Answer | Undelivered:
        start = time.monotonic()
        self._wire.forget()
        try:
            response = await self._http.send(request, stream=True)
            try:
                received = await self._receive(response)
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            garbage = self._wire.received if isinstance(error, httpx.RemoteProtocolError) else b""
            return Undelivered(self._in_words(error, garbage), time.monotonic() - start, garbage)
        headers = tuple(
            (name.decode("latin-1"), value.decode("utf-8", "surrogateescape")) for name, value in response.headers.raw
        )
        return read_answer(response.status_code, headers, received, self._body_limit, time.monotonic() - start)

    async def close(self) -> None:
        await self._http.aclose()

    def _request(self, service: Service, body: bytes) -> httpx.Request:
        return self._http.build_request("POST", f"{self._base.geturl()}/{service.value}", content=body)

    async def _receive(self, response: httpx.Response) -> bytes:
        received = bytearray()
        async for piece in response.aiter_raw():
            received += piece
            if len(received) > self._body_limit:
                break
        return bytes(received)

    def _in_words(self, error: httpx.HTTPError, garbage: bytes) -> str:
        """What happened and what to look at, for a field engineer."""
        where = self._peer.address
        match error:
            case httpx.ConnectTimeout():
                return f"{where} did not take the connection within {self._timeout:g} s. Is a firewall between?"
            case httpx.ConnectError():
                return unreached(where, error)
            case httpx.TimeoutException():
                return f"{where} took the request but did not answer within {self._timeout:g} s."
            case httpx.RemoteProtocolError() if garbage:
                return f"{where} answered with bytes that are not HTTP: {error}."
            case httpx.RemoteProtocolError() | httpx.ReadError() | httpx.WriteError():
                return f"{where} closed the connection without an answer."
            case _:
                return f"The request to {where} failed: {error or type(error).__name__}."


class _RecordingTransport(httpx.AsyncHTTPTransport):
    """httpx's transport, remembering the beginning of what the peer sends in case it is not HTTP."""

    def __init__(self, verify: ssl.SSLContext) -> None:
        super().__init__(verify=verify, trust_env=False)
        self._received = bytearray()
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=verify,
            max_connections=1,
            keepalive_expiry=60.0,
            network_backend=_RecordingBackend(self._received),
        )

    @property
    def received(self) -> bytes:
        return bytes(self._received)

    def forget(self) -> None:
        self._received.clear()


class _RecordingBackend(httpcore.AsyncNetworkBackend):
    """Opens connections whose reads are noted, up to a bound."""

    def __init__(self, note: bytearray) -> None:
        self._inner: Any = httpcore.AnyIOBackend()
        self._note = note

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        stream = await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        return _RecordingStream(stream, self._note)

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise NotImplementedError("peers are reached over TCP")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class _RecordingStream(httpcore.AsyncNetworkStream):
    def __init__(self, inner: httpcore.AsyncNetworkStream, note: bytearray) -> None:
        self._inner = inner
        self._note = note

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        received = await self._inner.read(max_bytes, timeout)
        self._note += received[: max(0, _KEPT_OF_GARBAGE - len(self._note))]
        return received

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        return _RecordingStream(await self._inner.start_tls(ssl_context, server_hostname, timeout), self._note)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


async def _in_pieces(body: bytes, pause: float) -> AsyncIterator[bytes]:
    size = -(-len(body) // _PIECES) or 1
    for start in range(0, len(body), size):
        if start:
            await asyncio.sleep(pause)
        yield body[start : start + size]


@cache
def _trust() -> ssl.SSLContext:
    """One context for all: making one costs some 15 ms."""
    return ssl.create_default_context()
