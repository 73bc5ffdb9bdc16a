"""S2 over WebSocket, the devices' side: the site's devices as resource managers of a CEM elsewhere.

`RemoteCem` is a site's controller: each device dials the CEM's address with a session of its own, ticks every step and
reports every period. A lost connection is dialled again after a growing wait; a session cannot be resumed, so each
connection gets a new one, and in between the device goes by itself.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from emulator.cem.ports import LightState, LimitInForce, Reason
from emulator.clock import pause
from emulator.links.s2.codec import IdSource, seeded_ids
from emulator.links.s2.resource_managers import resource_for
from emulator.links.s2.rm_session import ResourceManager, RmSession
from emulator.links.s2.session import State
from emulator.site import Site

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
PERIOD = timedelta(seconds=5)
PING_S = 50.0


class RmClient:
    """One resource manager and the connection it keeps to its CEM."""

    def __init__(
        self,
        resource: ResourceManager,
        url: str,
        *,
        token: str = "",
        handshake: bool = True,
        ids: IdSource,
        jitter: random.Random,
        first_wait_s: float = FIRST_WAIT_S,
    ) -> None:
        self.resource = resource
        self.session: RmSession | None = None
        """Of the present connection; None while there is none."""
        self.trouble = ""
        """Why the last connection ended or could not be made."""
        self._url, self._token, self._handshake = url, token, handshake
        self._ids, self._jitter, self._first_wait_s = ids, jitter, first_wait_s
        self._outgoing: deque[str] = deque()
        self._wake = asyncio.Event()

    async def run(self, now: Callable[[], datetime]) -> None:
        """Connect again and again; ends only by being cancelled."""
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else None
        wait_s = self._first_wait_s
        while True:
            try:
                async with connect(
                    self._url, additional_headers=headers, ping_interval=PING_S, ping_timeout=PING_S, proxy=None
                ) as socket:
                    await self._talk(socket, now)
                    wait_s = self._first_wait_s
            except (OSError, InvalidHandshake) as error:
                self.trouble = f"{self._url} cannot be reached: {error}"
            await pause(wait_s * self._jitter.uniform(0.5, 1.0))
            wait_s = min(wait_s * 2.0, LONGEST_WAIT_S)

    def tick(self, now: datetime) -> None:
        """Start and finish instructions."""
        if self.session is not None:
            self._queue(self.session.tick(now))

    def report(self, now: datetime) -> None:
        """Send the measurement and statuses of a period."""
        if self.session is not None and not self._outgoing:  # a CEM that does not read gets the newest, not all
            self._queue(self.session.report(now))

    def end(self, why: str, now: datetime) -> None:
        """Tell the CEM that the device leaves."""
        if self.session is not None:
            self._queue(self.session.end(why, now))

    def _queue(self, texts: Iterable[str]) -> None:
        self._outgoing.extend(texts)
        self._wake.set()

    async def _talk(self, socket: ClientConnection, now: Callable[[], datetime]) -> None:
        session = self.session = RmSession(self.resource, self._ids, self._handshake)
        self._outgoing.clear()
        self._queue(session.start(now()))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._write(socket, session), name=f"S2 writer of {self.resource.name}")
                with suppress(ConnectionClosed):
                    async for text in socket:
                        self._queue(session.receive(text, now()))
                session.lost("the connection was closed", now())
                self._wake.set()
        finally:
            session.lost("the connection was given up", now())
            self.session, self.trouble = None, session.ended_why

    async def _write(self, socket: ClientConnection, session: RmSession) -> None:
        with suppress(ConnectionClosed):
            while True:
                while self._outgoing:
                    await socket.send(self._outgoing[0])
                    self._outgoing.popleft()
                if session.state is State.CLOSED:
                    break
                self._wake.clear()
                await self._wake.wait()
            await socket.close()


class RemoteCem:
    """A site's controller that leaves all decisions to a CEM elsewhere."""

    limit: LimitInForce | None = None
    light = LightState.GREEN

    def __init__(self, site: Site, url: str, *, token: str = "", handshake: bool = True, seed: int = 0) -> None:
        ids, jitter = seeded_ids(seed), random.Random(seed)
        self.clients = tuple(
            RmClient(resource_for(device, ids), url, token=token, handshake=handshake, ids=ids, jitter=jitter)
            for device in (site.meter, *site.devices)
        )
        self._site = site
        self._due: datetime | None = None
        self._running: asyncio.Task[None] | None = None
        site.controller = self

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Devices without a session say so."""
        return tuple(
            Reason(client.resource.name, f"Goes by itself: {client.trouble or 'no energy manager is connected'}.")
            for client in self.clients
            if client.session is None
        )

    def control(self, site: Site, now: datetime) -> None:
        """Let every device's session keep time, and report every period."""
        due = self._due is None or now >= self._due
        if due:
            self._due = now + PERIOD
        for client in self.clients:
            client.tick(now)
            if due:
                client.report(now)

    async def __aenter__(self) -> RemoteCem:
        """Begin to dial."""
        self._running = asyncio.get_running_loop().create_task(self.run(), name="S2 clients")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Tell the CEM that the devices leave, and stop dialling."""
        if self._running is None:
            return
        for client in self.clients:
            client.end("the site is closed", self._site.now)
        await pause(0.0)
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    async def run(self) -> None:
        """Keep all connections; ends only by being cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for client in self.clients:
                tasks.create_task(client.run(lambda: self._site.now), name=f"S2 client of {client.resource.name}")
