"""Our answer as aiohttp's server sends it: head and body in one write, with Content-Length, never chunked.

aiohttp's own response object serves cookies, streaming, compression and payload writers besides, which costs more than
reading and judging a poll. What its protocol asks of a response is in :class:`Written`, and no more.
"""

from __future__ import annotations

from functools import lru_cache
from typing import cast

from aiohttp import web
from aiohttp.helpers import rfc822_formatted_time

from console.transport import coding
from console.transport.exchange import Response, status_line

_AT_ONCE = 64 * 2**10
"""Bytes handed to the socket without waiting for it to take them."""


class Written:
    """A response; see ``finish_response`` and ``start`` of aiohttp's RequestHandler for what is called when."""

    def __init__(self, response: Response, chosen: str = "") -> None:
        self.status = response.status
        self.body_length = 0
        self.keep_alive: bool | None = None
        self._response = response
        self._chosen = chosen
        self._closes = False
        self._request: web.BaseRequest | None = None

    def force_close(self) -> None:
        """Close the connection once this has left."""
        self._closes = True

    async def prepare(self, request: web.BaseRequest) -> None:
        self._request = request
        self.keep_alive = request.keep_alive and not self._closes

    async def write_eof(self) -> None:
        request = self._request
        assert request is not None
        response, body = self._response, self._response.body
        if body and self._chosen:
            body = coding.encoded(body, self._chosen)
        head = _head(response.status, response.content_type if body else "", self._chosen if body else "")
        connection = ""
        if not self.keep_alive:
            connection = "Connection: close\r\n"
        elif request.version < (1, 1):
            connection = "Connection: keep-alive\r\n"
        last = f"Content-Length: {len(body)}\r\nDate: {rfc822_formatted_time()}\r\n{connection}\r\n"
        self.body_length = len(body)
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the peer is gone")
        transport.write(head + last.encode("ascii") + (b"" if request.method == "HEAD" else body))
        if len(body) > _AT_ONCE:
            await request.writer.drain()

    def for_aiohttp(self) -> web.StreamResponse:
        """aiohttp looks at what it calls, not at the class."""
        return cast(web.StreamResponse, self)


@lru_cache(maxsize=64)
def _head(status: int, content_type: str, chosen: str) -> bytes:
    lines = [f"HTTP/1.1 {status_line(status)}", "Server: Nodebench"]
    if content_type:
        lines.append(f"Content-Type: {content_type}")
    if chosen:
        lines.append(f"Content-Encoding: {chosen}")
    return ("\r\n".join(lines) + "\r\n").encode("latin-1")
