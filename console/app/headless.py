"""The desk without a window: roles run from the command line, facts as lines on standard output.

Each ``run_…`` returns the exit code: 0 done, 3 could not start, 4 the VEN never registered. Bad files are told before
(FileError, exit code 2). Ctrl+C ends cleanly: sessions close, the store is flushed, ``closed`` is the last fact.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from console.app.event_file import EventFile, KnownVen
from console.app.running import DONE, NEVER_REGISTERED, Printer, complain, until_interrupted, wait
from console.app.site_bridge import SiteBridge
from console.app.site_run import SiteRun
from console.openadr import commands
from console.openadr.actions import SeededIds
from console.openadr.commands import EventDraft, IssueEvent, Offer, VenSettings, VtnSettings
from console.openadr.facts import Closed, Registered
from console.openadr.ven import Ven
from console.openadr.vtn import Vtn
from console.session.clock import Clock, SystemClock
from console.session.session import Session
from console.session.tasks import Tasks
from console.store.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class VtnOptions:
    host: str
    port: int
    vtn_id: str
    poll_period: timedelta
    events: Sequence[EventFile] = ()
    known: tuple[KnownVen, ...] | None = None
    request_reports: bool = False
    store: Path | None = None
    seconds: timedelta | None = None
    as_json: bool = False


def is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


async def run_vtn(options: VtnOptions) -> int:
    clock, printer = SystemClock(), Printer(options.as_json)
    store = Store.open(options.store)
    stop = until_interrupted()
    rng = random.Random()
    known = tuple(
        commands.KnownVen(name=ven.name, ven_id=ven.ven_id, registration_id=ven.registration_id,
                          fingerprint=ven.fingerprint)
        for ven in options.known or ()
    )  # fmt: skip
    settings = VtnSettings(
        poll_period=options.poll_period,
        accept_unknown=options.known is None and is_loopback(options.host),
        known=known,
        request_reports=options.request_reports,
    )
    session = Session(options.vtn_id, Vtn(options.vtn_id, SeededIds(rng), rng, settings), store, clock)
    session.on_fact(printer)
    async with AsyncExitStack() as stack:
        stack.callback(store.close)
        stack.push_async_callback(session.close)
        await session.serve(options.host, options.port)
        if options.known is None and not is_loopback(options.host):
            complain(f"{options.host} is not loopback, so only VENs listed in a --known FILE are registered; none is.")
        issue_files(session, store, options.events, clock.now())
        await wait(clock, stop, options.seconds)
    printer(Closed(), clock.now())
    return DONE


def issue_files(session: Session, store: Store, events: Sequence[EventFile], ready: datetime) -> None:
    """Issue each file's event unless this store has seen it: a restart does not issue it again."""
    for event in events:
        key = f"event-file/{event.digest}"
        if store.recall(key) is not None:
            log.info("%s was issued before from this store as %s", event.file, store.recall(key))
            continue
        draft: EventDraft = event.draft(ready)
        trouble = session.command(IssueEvent(draft))
        for finding in trouble:
            complain(f"{event.file}: {finding.text}")
        if not trouble:
            store.remember(key, draft.start.isoformat())


@dataclass(frozen=True, slots=True)
class VenOptions:
    url: str
    name: str
    site: Path | None = None
    opt: str | None = None
    store: Path | None = None
    seconds: timedelta | None = None
    as_json: bool = False
    seed: int = 0


async def run_ven(options: VenOptions) -> int:
    clock = SystemClock()
    bridge = await asyncio.to_thread(SiteBridge, options.site, clock.now(), options.seed) if options.site else None
    printer = Printer(options.as_json, bridge.timezone if bridge else None)
    store = Store.open(options.store)
    stop = until_interrupted()
    registered: list[Registered] = []
    rng = random.Random()
    offers = bridge.offers() if bridge else (Offer.status("ven:status", options.name),)
    settings = VenSettings(offers=offers, opt=options.opt or "optIn")
    decide = bridge.decide if bridge and options.opt is None else None
    session = Session(options.name, Ven(options.name, SeededIds(rng), rng, settings, decide=decide), store, clock)
    session.on_fact(printer)
    session.on_fact(lambda fact, at: registered.append(fact) if isinstance(fact, Registered) else None)
    tasks = Tasks()
    async with AsyncExitStack() as stack:
        stack.callback(store.close)
        stack.push_async_callback(session.close)
        stack.push_async_callback(tasks.close)
        if bridge:
            bridge.listeners.append(lambda fact: printer(fact, clock.now()))
            house = SiteRun(bridge, session, clock)
            house.tick()
            await session.connect(options.url)
            tasks.spawn(house.run(), name="house")
        else:
            await session.connect(options.url)
            tasks.spawn(online(session, clock), name="status")
        await wait(clock, stop, options.seconds)
    printer(Closed(), clock.now())
    return DONE if registered else NEVER_REGISTERED


async def online(session: Session, clock: Clock) -> None:
    """A VEN with no house still has a status to report: it is online."""
    status = commands.StatusValue(online=True, manual_override=False)
    while True:
        now = clock.now()
        session.command(commands.Measured((commands.Sample("ven:status", status, now),)))
        await clock.sleep_until(now + timedelta(seconds=1))
