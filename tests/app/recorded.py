"""A recording with a whole dialogue in it: our VTN and our VEN in memory, in virtual time, through an event."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from console.openadr.actions import SeededIds
from console.openadr.commands import EventDraft, IssueEvent, KnownVen, Measured, Offer, Sample, VenSettings, VtnSettings
from console.openadr.ven import Ven
from console.openadr.vtn import Vtn
from console.session.clock import VirtualClock
from console.session.session import Session
from console.store.store import Store
from console.transport.memory import MemoryClient, MemoryServer

START = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)
ISSUED = START + timedelta(seconds=60)
EVENT_START = START + timedelta(seconds=120)


def sessions(store: Store, clock: VirtualClock) -> tuple[Session, Session]:
    rng = random.Random(1)
    known = (KnownVen(name="villa-rosa", ven_id="ven-rosa"),)
    vtn = Vtn(
        "vtn-town",
        SeededIds(rng),
        rng,
        VtnSettings(poll_period=timedelta(seconds=10), request_reports=True, known=known),
    )
    ven = Ven(
        "villa-rosa", SeededIds(rng), rng, VenSettings(offers=(Offer(r_id="meter"),), poll_period=timedelta(seconds=10))
    )
    return Session("vtn-town", vtn, store, clock), Session("villa-rosa", ven, store, clock)


async def record(path: Path, seconds: float = 240.0) -> Path:
    """Registration, an event from 10:02 to 10:03 with its answer, telemetry each ten seconds."""
    clock = VirtualClock(START)
    with Store.open(path) as store:
        vtn, ven = sessions(store, clock)
        server = MemoryServer(vtn.answer, "192.168.7.20:8080")
        vtn.serve_through(server)
        ven.connect_through(MemoryClient(server, "192.168.7.31:50123"))

        async def settled() -> None:
            await ven.settled()
            await vtn.settled()

        passed = 0.0
        issued = False
        while passed < seconds:
            await clock.advance(5.0, settled)
            passed += 5.0
            ven.command(Measured((Sample("meter", 4000.0 + passed, clock.now()),)))
            if passed >= 60 and not issued:
                issued = True
                draft = EventDraft(
                    signal_name="SIMPLE",
                    signal_type="level",
                    start=EVENT_START,
                    intervals=((timedelta(seconds=60), 2.0),),
                    event_id="e-rosa",
                    vtn_comment="For villa-rosa at 192.168.7.31",
                )
                assert vtn.command(IssueEvent(draft)) == []
        await settled()
        await ven.close()
        await vtn.close()
    return path
