"""Requests and answers without a network: what a server's handler and a client see, in one process.

For tests and for nodes of one desk that need no wire. The path is the real one, so that a wrong service is refused as
over HTTP; there are no headers but those that say something of the body, and no time passes.
"""

from __future__ import annotations

from console.openadr.actions import Binding, Peer, Service
from console.transport import paths
from console.transport.exchange import Answer, Handler, Headers, Request, Undelivered


class MemoryServer:
    """A place requests can be handed in."""

    def __init__(self, handler: Handler, name: str = "memory") -> None:
        self._handler = handler
        self._name = name
        self._open = True

    @property
    def url(self) -> str:
        return f"memory://{self._name}{paths.BASE}"

    async def close(self) -> None:
        self._open = False

    async def take(self, peer: Peer, service: Service, headers: Headers, body: bytes) -> Answer | Undelivered:
        """Have the handler answer; nothing is answered once closed."""
        if not self._open:
            return Undelivered(f"{self._name} cannot be reached: it is closed.", 0.0)
        target = f"{paths.BASE}/{service.value}"
        request = Request(peer, "POST", target, service, headers, body, len(body))
        response = await self._handler(request)
        return Answer(response.status, response.headers, response.body, len(response.body), 0.0)


class MemoryClient:
    """The way to a :class:`MemoryServer`; :attr:`broken` cuts the wire."""

    def __init__(self, server: MemoryServer, address: str = "memory") -> None:
        self.broken = ""
        """Why nothing gets through; empty while it does."""
        self._server = server
        self._own = Peer(address, Binding.PULL)
        self._peer = Peer(server.url.removeprefix("memory://").partition("/")[0], Binding.PULL)

    @property
    def peer(self) -> Peer:
        return self._peer

    def headers_of(self, service: Service, body: bytes) -> tuple[str, Headers]:
        headers = (("Content-Type", "application/xml"), ("Content-Length", str(len(body))))
        return f"POST {paths.BASE}/{service.value}", headers

    async def post(self, service: Service, body: bytes) -> Answer | Undelivered:
        if self.broken:
            return Undelivered(self.broken, 0.0)
        return await self._server.take(self._own, service, self.headers_of(service, body)[1], body)

    async def post_as(self, service: Service, body: bytes, content_type: str, pause: float) -> Answer | Undelivered:
        """No time passes here, so a slow message is as quick as any."""
        if self.broken:
            return Undelivered(self.broken, 0.0)
        headers = (("Content-Type", content_type), ("Content-Length", str(len(body))))
        return await self._server.take(self._own, service, headers, body)

    async def close(self) -> None:
        """Nothing is held."""
