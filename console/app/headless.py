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
from console.app.recording_keeping import keep_within
from console.app.running import DONE, NEVER_REGISTERED, Printer, complain, until_interrupted, wait
from console.app.signatures import Signatures
from console.app.site_bridge import SiteBridge
from console.app.site_run import SiteRun
from console.openadr import commands
from console.openadr.actions import Binding, SeededIds
from console.openadr.commands import EventDraft, IssueEvent, Offer, VenSettings, VtnSettings
from console.openadr.facts import Closed, Fact
from console.openadr.facts import Registered as RegisteredFact
from console.openadr.ven import Ven
from console.openadr.vtn import Vtn
from console.session.clock import Clock, SystemClock
from console.session.session import Session
from console.session.tasks import Tasks
from console.store.retention import Retention
from console.store.store import Store
from console.transport.exchange import Request, Response
from console.transport.fleet import Fleet
from console.transport.http_server import HttpServer
from console.transport.paths import BASE
from console.transport.tls import Tls

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
    keep: Retention | None = None
    """None: the usual limits."""
    seconds: timedelta | None = None
    as_json: bool = False
    tls: Tls | None = None
    strict: bool = False
    signatures: Signatures = Signatures()


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
    role = Vtn(options.vtn_id, SeededIds(rng), rng, settings)
    session = Session(
        options.vtn_id,
        role,
        store,
        clock,
        strict=options.strict,
        tls=options.tls,
        signer=options.signatures.signer,
        verifier=options.signatures.verifier,
    )
    session.on_fact(printer)
    async with AsyncExitStack() as stack:
        stack.callback(store.close)
        stack.push_async_callback(session.close)
        tasks = Tasks()
        stack.push_async_callback(tasks.close)
        tasks.spawn(keep_within(store, options.keep or Retention(), clock), name="retention")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class VenOptions:
    url: str
    name: str
    """With ``{n}`` where the number of each of ``count`` VENs goes."""
    site: Path | None = None
    opt: str | None = None
    store: Path | None = None
    keep: Retention | None = None
    """None: the usual limits."""
    seconds: timedelta | None = None
    as_json: bool = False
    seed: int = 0
    tls: Tls | None = None
    strict: bool = False
    signatures: Signatures = Signatures()
    push: tuple[str, int] | None = None
    """Where to be pushed to, host and port; None polls. Of many VENs each takes a port of its own from there on."""
    count: int = 1

    def name_of(self, number: int) -> str:
        return self.name.replace("{n}", str(number))

    def place_of(self, number: int) -> tuple[str, int] | None:
        if self.push is None:
            return None
        host, port = self.push
        return host, port + number - 1 if port else 0


async def run_ven(options: VenOptions) -> int:
    clock = SystemClock()
    bridge = await asyncio.to_thread(SiteBridge, options.site, clock.now(), options.seed) if options.site else None
    printer = Printer(options.as_json, bridge.timezone if bridge else None)
    store = Store.open(options.store)
    stop = until_interrupted()
    registered: set[str] = set()
    tasks = Tasks()
    fleet = Fleet(tls=options.tls) if options.count > 1 else None
    async with AsyncExitStack() as stack:
        stack.callback(store.close)
        if fleet is not None:
            stack.push_async_callback(fleet.close)
        sessions: list[Session] = []
        for number in range(1, options.count + 1):
            session, server = await _ven_session(options, number, store, clock, bridge, fleet)
            stack.push_async_callback(session.close)
            session.on_fact(printer)
            session.on_fact(lambda fact, at, name=session.name: _note(registered, name, fact))
            sessions.append(session)
            if server is not None:
                session.serve_through(server)
        stack.push_async_callback(tasks.close)
        tasks.spawn(keep_within(store, options.keep or Retention(), clock), name="retention")
        if bridge:
            bridge.listeners.append(lambda fact: printer(fact, clock.now()))
            house = SiteRun(bridge, sessions[0], clock)
            house.tick()
            await sessions[0].connect(options.url)
            tasks.spawn(house.run(), name="house")
        else:
            tasks.spawn(_connect_all(sessions, options.url, clock), name="connecting")
            tasks.spawn(online(sessions, clock), name="status")
        await wait(clock, stop, options.seconds)
    printer(Closed(), clock.now())
    return DONE if len(registered) == options.count else NEVER_REGISTERED


def _note(registered: set[str], name: str, fact: Fact) -> None:
    if isinstance(fact, RegisteredFact):
        registered.add(name)


async def _ven_session(
    options: VenOptions, number: int, store: Store, clock: Clock, bridge: SiteBridge | None, fleet: Fleet | None
) -> tuple[Session, HttpServer | None]:
    """One VEN, and what listens where it is to be pushed to."""
    name = options.name_of(number)
    rng = random.Random()
    place, address = options.place_of(number), ""
    session: Session | None = None

    async def answer(request: Request) -> Response:
        assert session is not None
        return await session.answer(request)

    server = HttpServer(*place, answer, tls=options.tls) if place else None
    if server is not None:
        await server.start()
        address = server.url.removesuffix(BASE)
    settings = VenSettings(
        offers=bridge.offers() if bridge else (Offer.status("ven:status", name),),
        opt=options.opt or "optIn",
        binding=Binding.PUSH if server else Binding.PULL,
        transport_address=address,
        xml_signature=options.signatures.signer is not None,
    )
    decide = bridge.decide if bridge and options.opt is None else None
    role = Ven(name, SeededIds(rng), rng, settings, decide=decide)
    session = Session(
        name,
        role,
        store,
        clock,
        strict=options.strict,
        tls=options.tls,
        fleet=fleet,
        signer=options.signatures.signer,
        verifier=options.signatures.verifier,
    )
    return session, server


async def _connect_all(sessions: Sequence[Session], url: str, clock: Clock) -> None:
    """One after the other, so that a thousand do not register in the same instant."""
    for session in sessions:
        await session.connect(url)
        await clock.rest(0.002 if len(sessions) > 1 else 0)


async def online(sessions: Sequence[Session], clock: Clock) -> None:
    """VENs with no house still have a status to report: they are online."""
    status = commands.StatusValue(online=True, manual_override=False)
    while True:
        now = clock.now()
        for session in sessions:
            session.command(commands.Measured((commands.Sample("ven:status", status, now),)))
        await clock.sleep_until(now + timedelta(seconds=1))
