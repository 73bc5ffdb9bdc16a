"""Simple HTTP to many peers at once, on one aiohttp client: what a VTN pushes through, and a process full of VENs.

Connections are kept and shared, so that a thousand peers cost a thousand sockets and not a thousand clients. Requests
are never compressed (section 10); all else is as in :mod:`console.transport.http_client`.
"""

from __future__ import annotations

import time

import aiohttp

from console.openadr.actions import Binding, Peer, Service
from console.transport import paths
from console.transport.exchange import BODY_LIMIT, Answer, Headers, TransportError, Undelivered
from console.transport.reading import read_answer, unreached
from console.transport.tls import Tls

_HEADERS = {"Content-Type": "application/xml", "Accept": "application/xml", "User-Agent": "Nodebench"}
_CONNECT = 60.0
"""Seconds a connection may take to be established (IEC TS 62746-3, 5.1)."""


class Fleet:
    """The connections of one node to any number of peers."""

    def __init__(self, *, tls: Tls | None = None, timeout: float = 10.0, body_limit: int = BODY_LIMIT) -> None:
        """``timeout`` is in real seconds from the request to the end of its answer, at least five."""
        self.timeout = max(timeout, 5.0)
        self.body_limit = body_limit
        self._tls = tls
        self._http: aiohttp.ClientSession | None = None

    def client(self, url: str, binding: Binding = Binding.PUSH) -> FleetClient:
        """The way to the peer at a base URL. Raises TransportError for what is none."""
        return FleetClient(self, url, binding)

    @property
    def http(self) -> aiohttp.ClientSession:
        """Made on the running loop when first used."""
        if self._http is None:
            connector = aiohttp.TCPConnector(limit=0, ssl=True if self._tls is None else self._tls.client)
            self._http = aiohttp.ClientSession(
                connector=connector,
                headers=_HEADERS,
                timeout=aiohttp.ClientTimeout(total=self.timeout, sock_connect=min(self.timeout, _CONNECT)),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._http

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()
            self._http = None


class FleetClient:
    """One peer of a fleet; see :class:`console.transport.exchange.Client`."""

    def __init__(self, fleet: Fleet, url: str, binding: Binding) -> None:
        try:
            base = paths.split_base(url)
        except ValueError as error:
            raise TransportError(str(error)) from error
        self._fleet = fleet
        self._url = base.geturl()
        self._path = base.path
        self._host = base.netloc
        self._peer = Peer(base.netloc, binding)

    @property
    def peer(self) -> Peer:
        return self._peer

    def headers_of(self, service: Service, body: bytes) -> tuple[str, Headers]:
        """Start line and headers as they will be sent."""
        headers = (("Host", self._host), *_HEADERS.items(), *self._more(), ("Content-Length", str(len(body))))
        return f"POST {self._path}/{service.value}", headers

    def _more(self) -> tuple[tuple[str, str], ...]:
        """A VEN may ask for a coded answer; what a VTN pushes and gets back is plain."""
        return (("Accept-Encoding", "identity" if self._peer.binding is Binding.PUSH else "gzip, deflate"),)

    async def post(self, service: Service, body: bytes) -> Answer | Undelivered:
        """Send one request and wait for its answer."""
        start = time.monotonic()
        try:
            async with self._fleet.http.post(
                f"{self._url}/{service.value}", data=body, headers=dict(self._more()), allow_redirects=False
            ) as response:
                received = await self._receive(response)
                headers = _plain(response.raw_headers)
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return Undelivered(self._in_words(error), time.monotonic() - start)
        return read_answer(status, headers, received, self._fleet.body_limit, time.monotonic() - start)

    async def close(self) -> None:
        """The connections are the fleet's."""

    async def _receive(self, response: aiohttp.ClientResponse) -> bytes:
        received = bytearray()
        async for piece in response.content.iter_any():
            received += piece
            if len(received) > self._fleet.body_limit:
                response.close()
                break
        return bytes(received)

    def _in_words(self, error: Exception) -> str:
        where = self._peer.address
        match error:
            case aiohttp.ConnectionTimeoutError():
                seconds = f"{min(self._fleet.timeout, _CONNECT):g} s"
                return f"{where} did not take the connection within {seconds}. Is a firewall between?"
            case aiohttp.ClientConnectorError():
                return unreached(where, error)
            case TimeoutError():
                return f"{where} took the request but did not answer within {self._fleet.timeout:g} s."
            case aiohttp.ClientResponseError() | aiohttp.InvalidURL():
                return f"{where} answered with bytes that are not HTTP: {_first_line(error)}."
            case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError() | aiohttp.ClientPayloadError():
                return f"{where} closed the connection without an answer."
            case _:
                return f"The request to {where} failed: {_first_line(error) or type(error).__name__}."


def _plain(raw: tuple[tuple[bytes, bytes], ...]) -> Headers:
    return tuple((name.decode("latin-1"), value.decode("utf-8", "surrogateescape")) for name, value in raw)


def _first_line(error: Exception) -> str:
    text = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
    return text.strip().partition("\n")[0].rstrip(".:")
