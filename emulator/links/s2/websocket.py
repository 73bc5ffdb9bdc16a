"""S2 over WebSocket, the CEM's side: foreign resource managers plug into a running house and leave it.

The CEM is the server (S2 Connect for one local network). Each connection has a `CemSession`; once its
ResourceManagerDetails are known the device joins the site and the controller, under a name no other device has.
Loopback unless another host is given; a bearer token if one is set; a browser is turned away by its Origin.

What a peer can do wrong and what happens: it floods, and is read at `Limits.rate`; it sends more than `Limits.size`
bytes at once, and the wire is closed with 1009; it says nothing or does not answer, and the session ends with a reason;
it does not read, and the wire is cut; it vanishes, and its device leaves the site at once. `S2Server.gone` keeps the
names and reasons.
"""

from __future__ import annotations

import asyncio
import hmac
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from emulator.cem.house import HouseController
from emulator.clock import pause
from emulator.links.pace import Pace
from emulator.links.s2.cem_session import CemSession
from emulator.links.s2.codec import IdSource, seeded_ids
from emulator.links.s2.foreign_device import ForeignDevice, printable
from emulator.links.s2.memory import TracedMessage
from emulator.links.s2.session import State
from emulator.site import Site

BELIEVED = 3.0
"""Times the connection's rating beyond which a measurement is not believed: a fuse would have blown."""
CLOSE_NORMAL = 1000
PING_S = 50.0
"""S2 Connect forbids asking more often."""
GONE_KEPT = 100
TURN = 32
"""Messages of one peer after which everybody else has a turn."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a peer may ask of us; times in real seconds."""

    introduces_s: float = 15.0
    """From the connection to the ResourceManagerDetails."""
    answers_s: float = 30.0
    """Until our oldest message has its ReceptionStatus."""
    closes_s: float = 5.0
    """For the farewell; after it the wire is cut."""
    silent_s: float = 60.0
    """Without any message its device is shown as silent."""
    rate: float = 2000.0
    """Messages a second."""
    size: int = 1 << 20
    """Bytes of one message."""
    unread: int = 1000
    """Messages kept for a peer that does not read."""
    peers: int = 200


class ForeignLink:
    """One connection: a `Link` for the controller, with a reading and a writing task behind it."""

    def __init__(self, server: S2Server, socket: ServerConnection, session: CemSession, label: str) -> None:
        self.cem = session
        self.device: ForeignDevice | None = None
        self.label = label
        """What to call it while it has no name."""
        self._server = server
        self._socket = socket
        self._loop = asyncio.get_running_loop()
        self._outgoing: deque[str] = deque()
        self._wake = asyncio.Event()
        self._heard = self._loop.time()
        self._asked: tuple[str, float] = ("", self._heard)
        """Our oldest message without an answer, and since when it is the oldest."""
        self._timers: dict[str, asyncio.TimerHandle] = {}

    # What the controller calls

    def start(self, now: datetime) -> None:
        """The session was started by its connection."""

    def tick(self, now: datetime) -> None:
        """Nothing is due by the site's clock: the device keeps its own."""

    def report(self, now: datetime) -> None:
        """The device reports when it likes."""

    def from_cem(self, texts: Iterable[str], now: datetime) -> None:
        """Queue what the CEM's session wants sent."""
        for text in texts:
            self._server.trace(self, True, text, now)
            self._outgoing.append(text)
        if len(self._outgoing) > self._server.limits.unread:
            self.cut("it does not read what it is sent")
        self._wake.set()

    # The connection

    async def run(self) -> None:
        """Serve the connection to its end; the session is closed, with a reason, when this returns."""
        limits, now = self._server.limits, self._server.now()
        self.from_cem(self.cem.start(now), now)
        self._later("introduction", limits.introduces_s, self._introduced)
        self._later("watch", min(limits.answers_s, limits.silent_s) / 4.0, self._look)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._write(), name=f"S2 writer of {self.label}")
                await self._read()
        finally:
            for timer in self._timers.values():
                timer.cancel()

    async def _read(self) -> None:
        rate = self._server.limits.rate
        pace, taken = Pace(rate, round(rate), self._loop.time()), 0
        how = "closed"
        try:
            async for text in self._socket:
                self._heard = self._loop.time()
                self._take(text)
                if self.cem.state is State.CLOSED:
                    break
                taken += 1
                wait_s = pace.wait_s(self._heard)
                if wait_s > 0.0 or taken % TURN == 0:
                    await pause(wait_s)
        except ConnectionClosed as error:
            how = printable(str(error), 120)
        if self.cem.state is not State.CLOSED:
            self.cem.lost(f"the connection ended without a SessionRequest: {how}", self._server.now())
        self._ended()

    def _take(self, text: str | bytes) -> None:
        now = self._server.now()
        self._server.trace(self, False, text if isinstance(text, str) else text.decode("utf-8", "replace"), now)
        answers = self.cem.receive(text, now)
        if self.device is not None:
            self.device.silent = False
        elif self.cem.details is not None and self.cem.state is not State.CLOSED:
            self._server.join(self)
        self.from_cem(answers, now)

    async def _write(self) -> None:
        with suppress(ConnectionClosed):
            while True:
                while self._outgoing:
                    await self._socket.send(self._outgoing.popleft())
                if self.cem.state is State.CLOSED:
                    break
                self._wake.clear()
                await self._wake.wait()
            await self._socket.close(CLOSE_NORMAL, self.cem.ended_why.encode()[:100].decode("utf-8", "ignore"))

    # How it ends from this side

    def finish(self, why: str) -> None:
        """End the session with a reason for the peer, then the connection."""
        now = self._server.now()
        self.from_cem(self.cem.end(why, now), now)
        self._ended()

    def cut(self, why: str) -> None:
        """End the connection without a farewell, which the peer would not read."""
        self.cem.lost(why, self._server.now())
        self._abort()
        self._ended()

    def _ended(self) -> None:
        self._server.leave(self)
        self._wake.set()
        self._later("farewell", self._server.limits.closes_s, self._abort)

    def _abort(self) -> None:
        if self._socket.transport is not None:
            self._socket.transport.abort()

    # What a peer leaves undone

    def _later(self, name: str, seconds: float, call: Callable[[], None]) -> None:
        self._timers[name] = self._loop.call_later(seconds, call)

    def _introduced(self) -> None:
        if self.cem.details is None and self.cem.state is not State.CLOSED:
            self.finish(f"no ResourceManagerDetails within {self._server.limits.introduces_s:g} s")

    def _look(self) -> None:
        limits, at = self._server.limits, self._loop.time()
        if self.cem.state is State.CLOSED:
            return
        if self.device is not None and at - self._heard >= limits.silent_s:
            self.device.silent = True
        oldest = self.cem.oldest_unanswered()
        if oldest is None or oldest[0] != self._asked[0]:
            self._asked = (oldest[0] if oldest else "", at)
        elif at - self._asked[1] >= limits.answers_s:
            self.finish(f"no ReceptionStatus for {oldest[1]} within {limits.answers_s:g} s")
            return
        self._later("watch", min(limits.answers_s, limits.silent_s) / 4.0, self._look)


class S2Server:
    """Where foreign resource managers plug into one house."""

    def __init__(
        self,
        site: Site,
        house: HouseController,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str = "",
        handshake: bool = True,
        limits: Limits | None = None,
        ids: IdSource | None = None,
    ) -> None:
        """``port`` 0 takes a free one; ``token``, unless empty, is asked for as ``Authorization: Bearer``."""
        self.limits = limits or Limits()
        self.links: list[ForeignLink] = []
        """Open connections, introduced or not."""
        self.gone: deque[tuple[str, str]] = deque(maxlen=GONE_KEPT)
        """Name and reason of the connections that ended, newest last."""
        self._site, self._house = site, house
        self._host, self._port, self._token = host, port, token
        self._handshake = handshake
        self._ids = ids or seeded_ids(2)
        self._met = 0
        self._server: Server | None = None

    @property
    def address(self) -> str:
        """``ws://127.0.0.1:PORT``."""
        return f"ws://{self._host}:{self._port}"

    async def start(self) -> None:
        """Open the port. Raises OSError where it cannot be had."""
        self._server = await serve(
            self._connected,
            self._host,
            self._port,
            origins=[None],
            process_request=self._admit,
            max_size=self.limits.size,
            ping_interval=PING_S,
            ping_timeout=PING_S,
            close_timeout=self.limits.closes_s,
        )
        self._port = next(iter(self._server.sockets)).getsockname()[1]

    async def close(self) -> None:
        """Say goodbye to all and close the port."""
        if self._server is None:
            return
        for link in list(self.links):
            link.finish("the site is closed")
        self._server.close(close_connections=False)
        await self._server.wait_closed()
        self._server = None

    def now(self) -> datetime:
        """The site's instant."""
        return self._site.now

    def trace(self, link: ForeignLink, from_cem: bool, text: str, now: datetime) -> None:
        """Keep a message with those of the other links."""
        name = link.device.name if link.device else link.label
        self._house.s2_trace.add(TracedMessage(now, name, from_cem, text))

    def join(self, link: ForeignLink) -> None:
        """Its details are known: it becomes a device of the house."""
        link.device = ForeignDevice(link.cem, self._free_name(link))
        link.cem.alias = link.device.name
        self._site.plug(link.device)
        self._site.addresses[link.device.name] = (("S2 from", link.label),)
        self._house.plug(link)

    def leave(self, link: ForeignLink) -> None:
        """Its session is over: the device is no longer part of the house. Once is enough, more do no harm."""
        if link not in self.links:
            return
        self.links.remove(link)
        self.gone.append((link.device.name if link.device else link.label, link.cem.ended_why))
        if link.device is not None:
            self._house.unplug(link)
            self._site.unplug(link.device)

    def _free_name(self, link: ForeignLink) -> str:
        assert link.cem.details is not None
        told = printable(link.cem.details.name or link.cem.details.resource_id.root) or link.label
        taken = {each.name for each in (*self._site.devices, self._site.meter)}
        names = (told if number == 1 else f"{told} ({number})" for number in range(1, len(taken) + 2))
        return next(name for name in names if name not in taken)

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if self._token:
            offered = request.headers.get("Authorization", "").encode("utf-8", "replace")
            if not hmac.compare_digest(offered, f"Bearer {self._token}".encode()):
                return connection.respond(HTTPStatus.UNAUTHORIZED, "A bearer token is needed here.\n")
        if len(self.links) >= self.limits.peers:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "Too many resource managers are here already.\n")
        return None

    async def _connected(self, socket: ServerConnection) -> None:
        host, port = socket.remote_address[:2]
        session = CemSession(self._ids, handshake=self._handshake, believed_w=BELIEVED * self._site.connection_w)
        link = ForeignLink(self, socket, session, f"{host}:{port}")
        self.links.append(link)
        await link.run()
