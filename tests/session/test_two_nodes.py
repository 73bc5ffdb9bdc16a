"""Our VTN and our VEN over a real socket on loopback, and what a session makes of whatever else comes through one."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.openadr import codec
from console.openadr.actions import SeededIds
from console.openadr.commands import (
    EventDraft,
    IssueEvent,
    Measured,
    Offer,
    Sample,
    VenSettings,
    VtnSettings,
)
from console.openadr.facts import EventChanged, EventStatus, Fact, FindingMade, OptChanged, Registered, ReportPoint
from console.openadr.model import OadrPoll
from console.openadr.ven import Ven
from console.openadr.vtn import Vtn
from console.session.clock import ScaledClock
from console.session.session import Session
from console.store.store import Store

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


class Heard:
    """Facts of one session, and waiting for one."""

    def __init__(self, session: Session) -> None:
        self.facts: list[Fact] = []
        self._more = asyncio.Event()
        session.on_fact(self._hear)

    def _hear(self, fact: Fact, at: datetime) -> None:
        self.facts.append(fact)
        self._more.set()

    async def until(self, wanted: Callable[[Fact], bool]) -> Fact:
        """The first fact that is wanted; the test fails if it does not come."""
        async with asyncio.timeout(20):
            while True:
                found = next((fact for fact in self.facts if wanted(fact)), None)
                if found is not None:
                    return found
                self._more.clear()
                await self._more.wait()


def vtn_session(store: Store, clock: ScaledClock) -> Session:
    rng = random.Random(1)
    settings = VtnSettings(request_reports=True, poll_period=timedelta(seconds=10))
    return Session("vtn-lab", Vtn("vtn-lab", SeededIds(rng), rng, settings), store, clock)


def ven_session(store: Store, clock: ScaledClock) -> Session:
    rng = random.Random(2)
    return Session("ven-7", Ven("ven-7", SeededIds(rng), rng, VenSettings(offers=(Offer(r_id="meter"),))), store, clock)


@asynccontextmanager
async def nodes(
    path: Path | None = None, speed: float = 50
) -> AsyncIterator[tuple[Session, Session, Heard, Heard, Store]]:
    with Store.open(path) as store:
        clock = ScaledClock(NOON, speed)
        vtn, ven = vtn_session(store, clock), ven_session(store, clock)
        heard = Heard(vtn), Heard(ven)
        try:
            await ven.connect(await vtn.serve("127.0.0.1", 0))
            yield vtn, ven, *heard, store
        finally:
            await ven.close()
            await vtn.close()


async def test_a_ven_registers_takes_an_event_and_reports():
    async with nodes() as (vtn, ven, at_vtn, at_ven, store):
        registered = await at_ven.until(lambda fact: isinstance(fact, Registered))
        assert isinstance(registered, Registered)
        assert registered.vtn_id == "vtn-lab"
        now = vtn.clock.now().replace(microsecond=0)
        draft = EventDraft(
            signal_name="SIMPLE",
            signal_type="level",
            start=now + timedelta(seconds=60),
            intervals=((timedelta(seconds=30), 2.0),),
        )
        assert vtn.command(IssueEvent(draft)) == []
        opt = await at_vtn.until(lambda fact: isinstance(fact, OptChanged))
        assert isinstance(opt, OptChanged)
        assert (opt.opt_type, opt.ven_id) == ("optIn", registered.ven_id)
        await at_ven.until(lambda fact: isinstance(fact, EventChanged) and fact.status is EventStatus.ACTIVE)
        ven.command(Measured((Sample("meter", 4100.0, ven.clock.now()),)))
        point = await at_vtn.until(lambda fact: isinstance(fact, ReportPoint) and fact.value == 4100.0)
        assert isinstance(point, ReportPoint)
        assert (point.unit, point.r_id) == ("W", "meter")
        assert [fact for fact in at_vtn.facts if isinstance(fact, FindingMade) and fact.severity == "error"] == []
        assert ven.state_text == f"Registered with vtn-lab as {registered.ven_id}."


async def test_both_ends_recorded_the_same_bytes_and_linked_them():
    async with nodes() as (vtn, ven, at_vtn, at_ven, store):
        await at_ven.until(lambda fact: isinstance(fact, Registered))
        views = [store.log.view(row) for row in range(4)]
        assert [(view.session, view.outgoing) for view in views] == [
            ("ven-7", True), ("vtn-lab", False), ("vtn-lab", True), ("ven-7", False),
        ]  # fmt: skip
        assert store.body(1) == store.body(2)
        assert store.body(3) == store.body(4)
        assert [(view.reply_to, view.answered_by) for view in views] == [(0, 4), (0, 3), (2, 0), (1, 0)]
        assert {view.peer for view in views[:1]} == {"vtn-lab"}
        assert views[1].peer == views[2].peer != store.head(2).address


async def test_a_restart_on_the_same_store_keeps_messages_and_registration(tmp_path: Path):
    path = tmp_path / "lab"
    async with nodes(path) as (_, _, at_vtn, at_ven, store):
        first = await at_ven.until(lambda fact: isinstance(fact, Registered))
        rows = len(store.log)
    async with nodes(path) as (_, _, at_vtn, at_ven, store):
        assert len(store.log) >= rows
        assert store.log.view(0).element == "oadrCreatePartyRegistration"
        second = await at_ven.until(lambda fact: isinstance(fact, Registered))
        assert isinstance(first, Registered)
        assert isinstance(second, Registered)
        assert (second.ven_id, second.registration_id) == (first.ven_id, first.registration_id)


# Whatever else comes through a socket ------------------------------------------------------------------------------

POLL = codec.write(OadrPoll(ven_id="ven-7"))


def post(body: bytes, *, method: str = "POST", service: str = "OadrPoll") -> bytes:
    head = f"{method} /OpenADR2/Simple/2.0b/{service} HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("sent", "status", "rule"),
    [
        (post(b"<oadrPayload><unclosed>"), 406, "xml"),
        (post(b""), 406, "http"),
        (post(b'<!DOCTYPE a [<!ENTITY b "c">]>' + POLL.partition(b"\n")[2]), 406, "xml"),
        (post(b"x" * (4 * 2**20 + 1)), 413, "size"),
        (post(POLL, method="GET"), 501, "http"),
        (post(POLL, service="Nothing"), 404, "http"),
        (b"this is not HTTP\r\n\r\n", 400, "http"),
    ],
)
async def test_bad_input_gets_its_status_a_row_and_a_finding(sent, status, rule):
    with Store.open() as store:
        session = vtn_session(store, ScaledClock(NOON))
        heard = Heard(session)
        try:
            url = await session.serve("127.0.0.1", 0)
            reader, writer = await asyncio.open_connection("127.0.0.1", int(url.split(":")[2].split("/")[0]))
            writer.write(sent)
            async with asyncio.timeout(20):
                line = await reader.readline()
            writer.close()
            await writer.wait_closed()
            made = await heard.until(lambda fact: isinstance(fact, FindingMade) and fact.severity == "error")
        finally:
            await session.close()
        assert isinstance(made, FindingMade)
        assert int(line.split()[1]) == status
        assert (made.message, made.rule) == (1, rule)
        view = store.log.view(0)
        assert (view.session, view.outgoing, view.errors >= 1) == ("vtn-lab", False, True)
        assert sent.endswith(store.body(1)) or view.size == 4 * 2**20 + 1
