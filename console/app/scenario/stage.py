"""Where a scenario is played: a VTN, a VEN and a house on one desk, on a clock of the scenario's own.

With a speed the nodes talk over real sockets and the clock runs; without one they talk in memory and the clock jumps,
so that hours pass in seconds and always the same way.
"""

from __future__ import annotations

import random
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

from console.app.desk import LiveDesk
from console.app.lab import demo_site, origin_of
from console.app.scenario.script import Script
from console.app.site_bridge import SiteBridge, site_zone
from console.app.site_run import SiteRun
from console.openadr.actions import SeededIds
from console.openadr.commands import KnownVen, VenSettings, VtnSettings
from console.openadr.ven import Ven
from console.openadr.vtn import Vtn
from console.session.clock import ScaledClock, VirtualClock
from console.session.session import Session
from console.store.store import Store
from console.transport.memory import MemoryClient, MemoryServer

VTN_NAME, VEN_NAME = "vtn", "ven"
POLL_PERIOD = timedelta(seconds=10)
TICK = timedelta(seconds=2)
"""Between looks at the house and at what is expected."""


class Stage:
    """Use as an async context manager; then move it with :meth:`step_to`.

    ``without_cem`` leaves the devices to themselves: what a scenario shows must then not come true.

    Raises
    ------
    FileError
        The site file of the script cannot be used.
    """

    def __init__(self, script: Script, speed: float | None = None, *, without_cem: bool = False) -> None:
        site_file = script.site or demo_site()
        self.zone = site_zone(site_file)
        self.origin = origin_of(script.start.date(), script.start.time(), self.zone)
        self.clock = VirtualClock(self.origin) if speed is None else ScaledClock(self.origin, speed)
        self.tick = TICK if speed is None else max(TICK, timedelta(seconds=0.3 * speed))
        period = max(POLL_PERIOD, timedelta(seconds=0.25 * (speed or 0)))
        self._stack = AsyncExitStack()
        self.store = Store.open()
        self.desk = LiveDesk(self.store, self.clock, self.zone)
        self.house = SiteBridge(site_file, self.origin, script.seed)
        if without_cem:
            self.house.site.controller = None
        self.desk.attach_site(self.house)
        rng = random.Random(script.seed)
        known = (KnownVen(name=VEN_NAME, ven_id=VEN_NAME),)
        vtn = Vtn(VTN_NAME, SeededIds(rng), rng, VtnSettings(request_reports=True, poll_period=period, known=known))
        offers = self.house.offers(period)
        ven = Ven(VEN_NAME, SeededIds(rng), rng, VenSettings(offers=offers, poll_period=period), self.house.decide)
        self.vtn = Session(VTN_NAME, vtn, self.store, self.clock, timezone=self.zone)
        self.ven = Session(VEN_NAME, ven, self.store, self.clock, timezone=self.zone)
        self.desk.attach(self.vtn, vtn, "VTN")
        self.desk.attach(self.ven, ven, "VEN")
        self._run = SiteRun(self.house, self.ven, self.clock)
        self._client: MemoryClient | None = None

    async def __aenter__(self) -> Stage:
        self._stack.callback(self.store.close)
        self._stack.push_async_callback(self.vtn.close)
        self._stack.push_async_callback(self.ven.close)
        if isinstance(self.clock, VirtualClock):
            server = MemoryServer(self.vtn.answer)
            self.vtn.serve_through(server)
            self._client = MemoryClient(server)
            self.ven.connect_through(self._client)
        else:
            await self.ven.connect(await self.vtn.serve("127.0.0.1", 0))
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._stack.aclose()

    async def step_to(self, instant: datetime) -> None:
        """Let time pass until ``instant``."""
        while self.clock.now() < instant:
            due = min(instant, self.clock.now() + self.tick)
            if isinstance(self.clock, VirtualClock):
                await self.clock.advance(due - self.clock.now(), self._settled)
            else:
                await self.clock.sleep_until(due)
            self._run.tick()
            self.desk.take_changes()

    async def _settled(self) -> None:
        await self.vtn.settled()
        await self.ven.settled()

    def cut(self, cut: bool) -> bool:
        """Cut or mend the wire between VEN and VTN; False where the wire is real."""
        if self._client is None:
            return False
        self._client.broken = "The wire is cut by the scenario." if cut else ""
        return True
