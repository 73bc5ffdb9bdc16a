"""The lab: a VTN, a VEN and a house behind it in one process, talking OpenADR 2.0b over real sockets on loopback.

One clock drives everything; it starts at a stated time of day at the house, and may run faster than the world. After
registration an event goes out that the house has to follow: nothing of it is scripted beyond its issue.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import as_file, files
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

from console.app.desk import LiveDesk
from console.app.lab_settings import LabSettings
from console.app.site_bridge import SiteBridge, site_zone
from console.app.site_run import SiteRun
from console.app.views import EventView
from console.openadr.actions import SeededIds
from console.openadr.commands import EventDraft, KnownVen, VenSettings, VtnSettings
from console.openadr.facts import EventStatus, Fact, ReportPoint
from console.openadr.ven import Ven
from console.openadr.vtn import Vtn
from console.session.clock import ScaledClock
from console.session.session import Session
from console.session.tasks import Tasks
from console.store.store import Store

VTN_NAME, VEN_NAME = "vtn-lab", "ven-7"
OVER = (EventStatus.CANCELLED, EventStatus.COMPLETED)
POLL_PERIOD = timedelta(seconds=2)
REAL_PERIOD = 1.0
"""Shortest real time between two polls or reports, in seconds: a fast clock asks for longer periods instead."""
NOTICE = timedelta(seconds=5)
"""From issuing the lab's event to its start."""
LIMIT_W = 1500.0
FIRST_EVENT = 17
MARKET_CONTEXT = "http://nodebench.example/lab/limit"


def demo_site() -> Path:
    """The house that comes with Nodebench."""
    with as_file(files("nodebench_resources") / "sites" / "demo.toml") as path:
        return path


def origin_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Instant at which clocks at the house show ``at`` on ``day``."""
    return datetime.combine(day, at, zone).astimezone(UTC)


def start_of(wanted: datetime, store: Store) -> datetime:
    """``wanted``, or where the recording in ``store`` ended if that is later: times of one recording only grow."""
    return max(wanted, store.log.view(len(store.log) - 1).time) if len(store.log) else wanted


def event_id_after(known: Iterable[str]) -> str:
    """``e-17``, or the next number that no event of this recording has (rule 70)."""
    taken = set(known)
    return next(event_id for number in count(FIRST_EVENT) if (event_id := f"e-{number}") not in taken)


def is_out(view: EventView, now: datetime) -> bool:
    """Whether this is an event of the lab that still holds the house, or will."""
    over = view.event.status in OVER or (view.end is not None and view.end <= now)
    return view.event.market_context == MARKET_CONTEXT and not over


def lab_event(now: datetime, event_id: str) -> EventDraft:
    """The event of the lab: keep the connection at 1.5 kW until the next full half hour that is 45 minutes away."""
    start = (now + NOTICE).replace(microsecond=0)
    half_hour = 1800
    end = -(-(start.timestamp() + 2700) // half_hour) * half_hour
    duration = timedelta(seconds=end - start.timestamp())
    return EventDraft(
        signal_name="LOAD_DISPATCH",
        signal_type="setpoint",
        unit="W",
        start=start,
        intervals=((duration, LIMIT_W),),
        event_id=event_id,
        market_context=MARKET_CONTEXT,
        priority=1,
        notification=NOTICE,
        vtn_comment="Lab event: keep the connection point at 1.5 kW.",
    )


class Lab:
    """Attach the lab to a desk: make one, ``await start()``, ``await close()``.

    The desk takes over the lab's clock and the time zone of its house.

    Raises
    ------
    FileError, TransportError
        From ``__init__`` and ``start``, each with one sentence for people.
    """

    def __init__(self, settings: LabSettings, desk: LiveDesk, now: datetime) -> None:
        self.settings = settings
        self.site_file = settings.site_file or demo_site()
        self.zone = site_zone(self.site_file)
        wanted = origin_of(now.astimezone(self.zone).date(), settings.at, self.zone)
        self.origin = start_of(wanted, desk.store)
        self.continues = self.origin > wanted
        """The recording in the store reaches beyond the wanted start: the clock goes on from there."""
        self.clock = ScaledClock(self.origin, settings.speed)
        self.period = max(POLL_PERIOD, timedelta(seconds=math.ceil(REAL_PERIOD * settings.speed)))
        """Of polls and reports, on the lab's clock."""
        self.desk = desk
        self.store = desk.store
        self.tasks = Tasks()
        self.bridge: SiteBridge | None = None
        self._sessions: list[Session] = []
        self._telemetry = asyncio.Event()
        desk.keep_time(self.clock, self.zone)

    async def start(self) -> None:
        rng = random.Random(self.settings.seed)
        url = await self._start_vtn(rng)
        # pvlib takes a second to import and the sun's day as long again: not on the loop that paints.
        bridge = await asyncio.to_thread(SiteBridge, self.site_file, self.clock.now(), self.settings.seed)
        self.bridge = bridge
        self.desk.attach_site(bridge)
        await self._start_ven(rng, bridge, url)
        self.tasks.spawn(self._direct(), name="lab event")

    async def _start_vtn(self, rng: random.Random) -> str:
        known = (KnownVen(name=VEN_NAME, ven_id=VEN_NAME),)  # so that its venID reads well
        settings = VtnSettings(poll_period=self.period, request_reports=True, known=known)
        role = Vtn(VTN_NAME, SeededIds(rng), rng, settings)
        session = Session(VTN_NAME, role, self.store, self.clock, timezone=self.zone)
        self._sessions.append(session)
        node = self.desk.attach(session, role, "VTN")
        node.url = await session.serve("127.0.0.1", 0)
        session.on_fact(self._vtn_fact)
        return node.url

    async def _start_ven(self, rng: random.Random, bridge: SiteBridge, url: str) -> None:
        settings = VenSettings(offers=bridge.offers(self.period), poll_period=self.period)
        role = Ven(VEN_NAME, SeededIds(rng), rng, settings, decide=bridge.decide)
        session = Session(VEN_NAME, role, self.store, self.clock, timezone=self.zone)
        self._sessions.append(session)
        self.desk.attach(session, role, "VEN", url)
        run = SiteRun(bridge, session, self.clock)
        run.tick()
        await session.connect(url)
        self.tasks.spawn(run.run(), name="house")

    def _vtn_fact(self, fact: Fact, at: datetime) -> None:
        if isinstance(fact, ReportPoint):
            self._telemetry.set()

    async def _direct(self) -> None:
        """Issue the event once telemetry flows and the plots have something to show, unless one is still out."""
        await self._telemetry.wait()
        await self.clock.rest(6.0)
        ours = [view for view in self.desk.events() if view.session == VTN_NAME]
        if not any(is_out(view, self.clock.now()) for view in ours):
            event_id = event_id_after(view.event.event_id for view in ours)
            self.desk.issue_event(VTN_NAME, lab_event(self.clock.now() + self.period, event_id))

    async def close(self) -> None:
        await self.tasks.close()
        for session in reversed(self._sessions):
            await session.close()
