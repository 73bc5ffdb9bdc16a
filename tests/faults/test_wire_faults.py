"""A VTN and a VEN of ours through faults of the wire, in virtual time: whatever gets lost, both ends agree at last."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from console.openadr.actions import Peer, SeededIds, Service
from console.openadr.commands import EventDraft, IssueEvent, KnownVen, ModifyEvent, Offer, VenSettings, VtnSettings
from console.openadr.facts import (
    EventChanged,
    EventGone,
    EventStatus,
    Fact,
    FindingMade,
    OptChanged,
    PresenceChanged,
    PresenceState,
    Registered,
    Unregistered,
)
from console.openadr.ven import Ven
from console.openadr.vtn import Vtn
from console.session.clock import VirtualClock
from console.session.session import Session
from console.store.store import Store
from console.transport.exchange import Answer, Undelivered
from console.transport.memory import MemoryClient, MemoryServer

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LOST = Undelivered("The answer got lost on its way.", 0.0)

Post = Callable[[], Awaitable[Answer | Undelivered]]
Meddle = Callable[[Service, bytes, Post], Awaitable[Answer | Undelivered]]


class Wire(MemoryClient):
    """A way to the VTN that a test may meddle with: ask or not, once or twice, and hand back something else."""

    meddle: Meddle | None = None

    async def post(self, service: Service, body: bytes) -> Answer | Undelivered:
        async def through() -> Answer | Undelivered:
            return await super(Wire, self).post(service, body)

        return await (self.meddle(service, body, through) if self.meddle else through())


class Lab:
    """One VTN, one VEN, one store, and a clock that a test moves."""

    def __init__(self, ven_clock: VirtualClock | None = None, known: tuple[KnownVen, ...] = ()) -> None:
        self.store = Store.open()
        self.clock = VirtualClock(NOON)
        self.ven_clock = ven_clock or self.clock
        rng = random.Random(1)
        settings = VtnSettings(known=known, accept_unknown=not known)
        self.vtn = Session("vtn", Vtn("vtn", SeededIds(rng), rng, settings), self.store, self.clock)
        rng = random.Random(2)
        ven = Ven("ven", SeededIds(rng), rng, VenSettings(offers=(Offer(r_id="meter"),)))
        self.ven = Session("ven", ven, self.store, self.ven_clock)
        self.at_vtn: list[Fact] = []
        self.at_ven: list[Fact] = []
        self.vtn.on_fact(lambda fact, at: self.at_vtn.append(fact))
        self.ven.on_fact(lambda fact, at: self.at_ven.append(fact))
        self.server = MemoryServer(self.vtn.answer)
        self.wire = Wire(self.server, "10.0.0.7:50000")
        self.vtn.serve_through(self.server)
        self.ven.connect_through(self.wire)

    async def settled(self) -> None:
        await self.ven.settled()
        await self.vtn.settled()

    async def advance(self, span: timedelta) -> None:
        """Both clocks go on, in step."""
        end = self.clock.now() + span
        while self.clock.now() < end:
            step = min(timedelta(seconds=1), end - self.clock.now())
            await self.clock.advance(step, self.settled)
            if self.ven_clock is not self.clock:
                await self.ven_clock.advance(step, self.settled)

    def issue(self, event_id: str = "e-1", start: timedelta = 2 * MINUTE) -> None:
        assert self.vtn.command(IssueEvent(draft(event_id, NOON + start))) == []

    def opts(self) -> list[tuple[str, int, str]]:
        facts = [fact for fact in self.at_vtn if isinstance(fact, OptChanged)]
        return [(fact.event_id, fact.modification_number, fact.opt_type) for fact in facts]

    def statuses(self, event_id: str = "e-1") -> list[EventStatus]:
        facts = [fact for fact in self.at_ven if isinstance(fact, EventChanged) and fact.event_id == event_id]
        return [fact.status for fact in facts]

    def internal(self) -> list[str]:
        made = [fact for fact in (*self.at_vtn, *self.at_ven) if isinstance(fact, FindingMade)]
        return [fact.text for fact in made if fact.rule == "internal"]


def draft(event_id: str, start: datetime, level: float = 2.0) -> EventDraft:
    return EventDraft(
        event_id=event_id,
        signal_name="SIMPLE",
        signal_type="level",
        start=start,
        intervals=((timedelta(minutes=30), level),),
    )


@asynccontextmanager
async def lab(**given) -> AsyncIterator[Lab]:
    made = Lab(**given)
    try:
        yield made
        assert made.internal() == []
    finally:
        await made.ven.close()
        await made.vtn.close()
        made.store.close()


async def test_ten_minutes_without_a_vtn_leave_event_and_registration_as_they_were():
    async with lab() as both:
        await both.advance(timedelta(seconds=20))
        both.issue()
        await both.advance(timedelta(seconds=20))
        assert both.opts() == [("e-1", 0, "optIn")]
        both.wire.broken = "The VTN cannot be reached: connection refused."
        await both.advance(10 * MINUTE)
        assert both.statuses()[-1] is EventStatus.ACTIVE, "the event runs by the VEN's own clock meanwhile"
        assert PresenceState.OFFLINE in [fact.state for fact in both.at_vtn if isinstance(fact, PresenceChanged)]
        tries = sum(both.store.log.view(row).session == "ven" for row in range(len(both.store.log)))
        both.wire.broken = ""
        await both.advance(2 * MINUTE)
        assert not [fact for fact in (*both.at_ven, *both.at_vtn) if isinstance(fact, EventGone | Unregistered)]
        assert [fact.state for fact in both.at_vtn if isinstance(fact, PresenceChanged)][-1] is PresenceState.OK
        assert both.opts() == [("e-1", 0, "optIn")]
        assert tries < 150, "back-off, not a storm"


@pytest.mark.parametrize("service", list(Service))
async def test_an_answer_lost_after_it_was_acted_on_does_no_harm(service: Service):
    """Each service's first answers get lost; requests are idempotent, so both ends come to the same."""
    left = {"count": 2}

    async def lose(on: Service, body: bytes, post: Post) -> Answer | Undelivered:
        answer = await post()
        if on is service and left["count"] > 0:
            left["count"] -= 1
            return LOST
        return answer

    async with lab() as both:
        both.wire.meddle = lose
        await both.advance(MINUTE)
        both.issue(start=5 * MINUTE)
        await both.advance(2 * MINUTE)
        both.vtn.command(ModifyEvent("e-1", draft("e-1", NOON + 5 * MINUTE, 1.0)))
        await both.advance(2 * MINUTE)
        assert {("e-1", 0, "optIn"), ("e-1", 1, "optIn")} <= set(both.opts())
        ids = {fact.ven_id for fact in both.at_vtn if isinstance(fact, Registered)}
        assert len(ids) == 1, "a registration whose answer was lost is not made twice under another venID"


async def test_duplicated_requests_and_late_answers_change_nothing():
    """Every request arrives twice; every third answer to a poll is that of the poll before."""
    before: list[Answer] = []

    async def twice(service: Service, body: bytes, post: Post) -> Answer | Undelivered:
        answer = await post()
        await post()
        if service is Service.OADR_POLL and isinstance(answer, Answer):
            before.append(answer)
            if len(before) % 3 == 0:
                return before[-2]
        return answer

    async with lab() as both:
        await both.advance(MINUTE)
        both.wire.meddle = twice
        both.issue(start=5 * MINUTE)
        await both.advance(6 * MINUTE)
        assert ("e-1", 0, "optIn") in both.opts()
        assert both.statuses()[-1] is EventStatus.ACTIVE
        assert not [fact for fact in both.at_ven if isinstance(fact, EventGone)]


async def test_an_old_list_that_overtakes_a_new_one_brings_no_old_modification_back():
    """Reordered: the answer to one poll comes after that to the next."""
    lists: list[Answer] = []

    async def keep(service: Service, body: bytes, post: Post) -> Answer | Undelivered:
        answer = await post()
        if isinstance(answer, Answer) and b"oadrDistributeEvent" in answer.body:
            lists.append(answer)
            if len(lists) == 2:
                lists.append(replace(lists[0]))
        elif len(lists) == 3 and service is Service.OADR_POLL:
            return lists.pop()
        return answer

    async with lab() as both:
        await both.advance(MINUTE)
        both.wire.meddle = keep
        both.issue(start=5 * MINUTE)
        await both.advance(MINUTE)
        both.vtn.command(ModifyEvent("e-1", draft("e-1", NOON + 5 * MINUTE, 1.0)))
        await both.advance(2 * MINUTE)
        facts = [fact for fact in both.at_ven if isinstance(fact, EventChanged)]
        assert facts[-1].modification_number == 1
        numbers = [fact.modification_number for fact in facts]
        assert numbers == sorted(numbers)


async def truncated(service: Service, body: bytes, post: Post) -> Answer | Undelivered:
    answer = await post()
    return replace(answer, body=answer.body[: len(answer.body) // 2]) if isinstance(answer, Answer) else answer


def answering(status: int, body: bytes = b"", kind: str = "text/plain") -> Meddle:
    async def answer(service: Service, given: bytes, post: Post) -> Answer | Undelivered:
        return Answer(status, (("Content-Type", kind),), body, len(body), 0.0)

    return answer


PAGE = b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>"


@pytest.mark.parametrize(
    "fault",
    [truncated, answering(500), answering(503), answering(404), answering(200, PAGE, "text/html"), answering(200)],
    ids=["truncated", "500", "503", "404", "HTML", "empty"],
)
async def test_nonsense_for_two_minutes_is_survived(fault: Meddle):
    """Whatever comes instead of answers, the VEN keeps its event and goes on when the VTN is itself again."""
    async with lab() as both:
        await both.advance(MINUTE)
        both.issue(start=2 * MINUTE)
        await both.advance(timedelta(seconds=30))
        assert both.opts() == [("e-1", 0, "optIn")]
        both.wire.meddle = fault
        await both.advance(2 * MINUTE)
        assert both.statuses()[-1] is EventStatus.ACTIVE
        both.wire.meddle = None
        both.issue("e-2", 40 * MINUTE)
        await both.advance(3 * MINUTE)
        assert ("e-2", 0, "optIn") in both.opts()
        assert not [fact for fact in both.at_ven if isinstance(fact, EventGone)]


@pytest.mark.parametrize("hours", [-1, 1])
async def test_clocks_an_hour_apart_register_and_answer_all_the_same(hours: int):
    """Each side goes by its own clock; nothing of the dialogue depends on them agreeing."""
    async with lab(ven_clock=VirtualClock(NOON + timedelta(hours=hours))) as both:
        await both.advance(MINUTE)
        both.issue(start=90 * MINUTE)
        await both.advance(MINUTE)
        assert both.opts() == [("e-1", 0, "optIn")]
        assert both.statuses() == [EventStatus.FAR]


async def test_a_stranger_with_anothers_ven_id_is_refused_and_harms_nobody():
    """Rule 517: the certificate has to be that of the venID, in every service."""
    own, other = "AA:AA:AA:AA:AA:AA:AA:AA:AA:AA", "BB:BB:BB:BB:BB:BB:BB:BB:BB:BB"
    known = (KnownVen(name="ven", ven_id="ven-1", fingerprint=own),)
    async with lab(known=known) as both:
        genuine = Peer("10.0.0.7:1", fingerprint=own)
        both.wire._own = genuine
        await both.advance(MINUTE)
        bodies = [(both.store.log.view(row), both.store.body(row + 1)) for row in range(len(both.store.log))]
        asked = [(view, body) for view, body in bodies if view.session == "vtn" and not view.outgoing]
        assert {view.element for view, _ in asked} >= {"oadrCreatePartyRegistration", "oadrPoll", "oadrRequestEvent"}
        for view, body in asked:
            service = Service(both.store.head(view.number).start_line.rpartition("/")[2])
            answer = await both.server.take(Peer("10.6.6.6:1", fingerprint=other), service, (), body)
            assert isinstance(answer, Answer)
            assert b"responseCode>463<" in answer.body, view.element
        assert not [fact for fact in both.at_vtn if isinstance(fact, Unregistered)]
        both.issue()
        await both.advance(MINUTE)
        assert both.opts() == [("e-1", 0, "optIn")]
