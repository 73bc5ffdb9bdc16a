"""A session: from bytes to the role and back, everything recorded, in order, and on disk before it is told."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.openadr import codec
from console.openadr.actions import (
    Action,
    Answered,
    Command,
    FailureKind,
    Found,
    Input,
    Keep,
    Noted,
    Peer,
    Received,
    Reply,
    Send,
    Service,
    StartTimer,
    StopTimer,
    TimerFired,
)
from console.openadr.facts import Fact, FindingMade, Listening, Registered, RegistrationFailed, Unregistered
from console.openadr.findings import Finding, Severity
from console.openadr.model import EiResponse, OadrPoll, OadrResponse
from console.session.clock import VirtualClock
from console.session.session import Kind, Session
from console.store.store import Store, StoreError
from console.transport.exchange import Answer, Request, Response, Undelivered
from console.transport.memory import MemoryClient, MemoryServer

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
POLL = codec.write(OadrPoll(ven_id="ven-7"))


def ok(text: str = "") -> OadrResponse:
    return OadrResponse(
        response=EiResponse(response_code="200", response_description=text or None, request_id=""), ven_id="ven-7"
    )


@dataclass(frozen=True)
class Do(Command):
    """Asks the script for these actions."""

    actions: list[Action] = field(default_factory=list)


class Script:
    """A role that does what the test says and remembers what it was given."""

    def __init__(self, *answers: list[Action]) -> None:
        self.given: list[Input] = []
        self.answers = list(answers)
        self.kept: dict[str, object] = {"n": 0}
        self.restored: dict[str, object] | None = None
        self.at_start: list[Action] = []

    def start(self, now: datetime) -> list[Action]:
        return self.at_start

    def handle(self, given: Input, now: datetime) -> list[Action]:
        self.given.append(given)
        if isinstance(given, Do):
            return given.actions
        if isinstance(given, Received):
            return self.answers.pop(0) if self.answers else [Reply(ok())]
        return self.answers.pop(0) if self.answers else []

    def state(self) -> dict[str, object]:
        return self.kept

    def restore(self, state: dict[str, object], now: datetime) -> list[Action]:
        self.restored = state
        return self.at_start

    @property
    def answered(self) -> list[Answered]:
        return [given for given in self.given if isinstance(given, Answered)]


class Lab:
    """One session on a virtual clock with a wire in memory to it."""

    def __init__(self, role: Script, path: Path | None = None, strict: bool = False) -> None:
        self.store = Store.open(path)
        self.clock = VirtualClock(NOON)
        self.role = role
        self.session = Session("vtn-lab", role, self.store, self.clock, kind=Kind.VTN, strict=strict)
        self.facts: list[Fact] = []
        self.session.on_fact(lambda fact, at: self.facts.append(fact))
        self.server = MemoryServer(self.session.answer)
        self.client = MemoryClient(self.server, "10.0.0.7:50000")
        self.session.serve_through(self.server)

    async def post(self, body: bytes, service: Service = Service.OADR_POLL) -> Answer:
        answer = await self.client.post(service, body)
        assert isinstance(answer, Answer)
        return answer

    def findings(self) -> list[str]:
        return [fact.text for fact in self.facts if isinstance(fact, FindingMade)]

    def rows(self) -> list[tuple[str, bool, str, str]]:
        views = [self.store.log.view(row) for row in range(len(self.store.log))]
        return [(view.element, view.outgoing, view.peer, self.store.head(view.number).start_line) for view in views]


@asynccontextmanager
async def lab(role: Script | None = None, **given) -> AsyncIterator[Lab]:
    made = Lab(role or Script(), **given)
    try:
        yield made
    finally:
        await made.session.close()
        made.store.close()


# Requests of peers -------------------------------------------------------------------------------------------------


async def test_a_request_is_recorded_handled_and_answered():
    async with lab() as desk:
        answer = await desk.post(POLL)
        assert answer.status == 200
        assert codec.dissect(answer.body).message == ok()
        received = desk.role.given[0]
        assert isinstance(received, Received)
        assert (received.message, received.service, received.peer) == (
            OadrPoll(ven_id="ven-7"), Service.OADR_POLL, Peer("10.0.0.7:50000"),
        )  # fmt: skip
        assert desk.rows() == [
            ("oadrPoll", False, "ven-7", "POST /OpenADR2/Simple/2.0b/OadrPoll"),
            ("oadrResponse", True, "ven-7", "200 OK"),
        ]
        request, response = desk.store.log.view(0), desk.store.log.view(1)
        assert (request.answered_by, response.reply_to, response.status) == (2, 1, 200)
        assert desk.store.body(1) == POLL
        assert desk.store.body(2) == answer.body
        assert request.session == "vtn-lab"
        assert response.latency is not None


async def test_listening_is_the_first_fact():
    async with lab() as desk:
        assert desk.facts == [Listening("memory://memory/OpenADR2/Simple/2.0b")]
        assert desk.session.state_text == "Listening on memory://memory/OpenADR2/Simple/2.0b."


@pytest.mark.parametrize(
    ("body", "element"),
    [
        (b"", "(not OpenADR)"),
        (b"\xff\xfe\x00garbage", "(not OpenADR)"),
        (b"<oadrPayload><unclosed>", "(not OpenADR)"),
        (b"<html><body>Hello</body></html>", "(not OpenADR)"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]>' + POLL.partition(b"\n")[2], "(not OpenADR)"),
        (b'<p:oadrPayload xmlns:p="http://openadr.org/oadr-2.0b/2012/07"><p:oadrSignedObject>'
         b"<p:oadrSing/></p:oadrSignedObject></p:oadrPayload>", "(not OpenADR)"),
    ],
)  # fmt: skip
async def test_a_body_that_is_no_message_is_406_with_a_row_and_a_finding(body, element):
    async with lab() as desk:
        answer = await desk.post(body)
        assert answer.status == 406
        assert answer.body.strip()
        assert desk.role.given == []
        view = desk.store.log.view(0)
        assert (view.element, view.size, desk.store.body(1)) == (element, len(body), body)
        assert view.errors >= 1
        assert view.answered_by == 2
        assert desk.findings()[0] in [finding.text for finding in desk.store.findings(1)]
        assert desk.store.log.view(1).status == 406


BENT = POLL.replace(b' ei:schemaVersion="2.0b"', b' schemaVersion="2.0b"')


async def test_a_bent_message_is_acted_on_and_told():
    assert BENT != POLL
    async with lab() as desk:
        assert (await desk.post(BENT)).status == 200
        received = desk.role.given[0]
        assert isinstance(received, Received)
        assert isinstance(received.message, OadrPoll)
        assert any(finding.rule == "schema" for finding in received.findings)
        assert desk.store.log.view(0).errors >= 1


async def test_a_strict_session_refuses_a_bent_message():
    async with lab(strict=True) as desk:
        assert (await desk.post(BENT)).status == 406
        assert desk.role.given == []
        assert (await desk.post(POLL)).status == 200


async def test_what_the_transport_refuses_is_recorded_and_not_handled():
    async with lab() as desk:
        finding = Finding("http", Severity.ERROR, "The method GET is not used.")
        request = Request(Peer("10.0.0.9:1"), "GET", "/x", None, (), b"", 0, (finding,), refusal=501)
        response = await desk.session.answer(request)
        assert (response.status, response.body) == (501, b"The method GET is not used.\n")
        assert desk.role.given == []
        assert desk.rows() == [
            ("(not OpenADR)", False, "10.0.0.9:1", "GET /x"),
            ("", True, "10.0.0.9:1", "501 Not Implemented"),
        ]
        assert desk.store.findings(1) == (finding,)


async def test_bytes_that_are_not_http_leave_one_row_and_no_answer():
    async with lab() as desk:
        finding = Finding("http", Severity.ERROR, "5 bytes came that are not HTTP.")
        await desk.session.answer(Request(Peer("10.0.0.9:1"), "", "", None, (), b"hello", 5, (finding,), refusal=400))
        assert desk.rows() == [("(not OpenADR)", False, "10.0.0.9:1", "")]
        assert desk.store.body(1) == b"hello"


async def test_an_empty_reply_is_an_empty_200():
    async with lab(Script([Reply(None)])) as desk:
        answer = await desk.post(POLL)
        assert (answer.status, answer.body) == (200, b"")
        assert (desk.store.log.view(1).status, desk.store.log.view(1).errors) == (200, 0)


async def test_findings_of_the_sequence_join_those_of_the_message():
    late = Finding("500", Severity.WARNING, "Polls come too fast.")
    async with lab(Script([Found(late), Reply(ok())])) as desk:
        await desk.post(BENT)
        found = desk.store.findings(1)
        assert found[-1] == late
        assert len(found) >= 2
        made = [fact for fact in desk.facts if isinstance(fact, FindingMade)]
        assert made[-1] == FindingMade(1, "500", "warning", "oadrPoll", "Polls come too fast.")
        assert [noted.fact for noted in desk.store.facts(kinds=[FindingMade])] == []


async def test_a_large_body_is_read_off_the_loop_and_answered_the_same():
    large = POLL.replace(b"<oadr:oadrPayload", b"<!-- " + b"x" * 20_000 + b" --><oadr:oadrPayload", 1)
    assert len(large) > 20_000
    async with lab() as desk:
        assert (await desk.post(large)).status == 200
        assert desk.store.log.view(0).element == "oadrPoll"


async def test_requests_at_once_are_each_answered():
    async with lab() as desk:
        answers = await asyncio.gather(*(desk.post(POLL) for _ in range(20)))
        assert {answer.status for answer in answers} == {200}
        assert len(desk.store.log) == 40


# Our own failures --------------------------------------------------------------------------------------------------


class Broken(Script):
    def handle(self, given: Input, now: datetime) -> list[Action]:
        raise KeyError("of ours")


async def test_a_failure_of_ours_is_500_a_finding_and_not_the_end():
    async with lab(Broken()) as desk:
        assert (await desk.post(POLL)).status == 500
        assert (await desk.post(POLL)).status == 500
        assert [finding.rule for finding in desk.store.findings(1)] == ["internal"]
        assert [finding.rule for finding in desk.session.command(Do())] == ["internal"]


async def test_a_rule_that_fails_is_500_with_its_row_and_finding(monkeypatch: pytest.MonkeyPatch):
    def fails(message, from_ven):
        raise KeyError("of a rule")

    monkeypatch.setattr("console.openadr.rules.check", fails)
    async with lab() as desk:
        assert (await desk.post(POLL)).status == 500
        assert (desk.store.body(1), desk.store.findings(1)[0].rule) == (POLL, "internal")


async def test_a_role_that_does_not_answer_is_500():
    async with lab(Script([])) as desk:
        assert (await desk.post(POLL)).status == 500
        assert "did not answer" in desk.store.findings(1)[0].text


async def test_a_reply_that_xml_cannot_carry_is_500():
    async with lab(Script([Reply(ok("a\x00b"))])) as desk:
        assert (await desk.post(POLL)).status == 500
        assert "cannot be written" in desk.store.findings(1)[0].text


async def test_a_listener_that_fails_does_not_stop_the_others():
    async with lab() as desk:
        heard: list[Fact] = []

        def fails(fact: Fact, at: datetime) -> None:
            raise ValueError("of the listener")

        desk.session.on_fact(fails)
        desk.session.on_fact(lambda fact, at: heard.append(fact))
        desk.session.command(Do([Noted(Unregistered("ven-7", "asked to"))]))
        assert heard == [Unregistered("ven-7", "asked to")]


# State on disk -----------------------------------------------------------------------------------------------------


async def test_a_reply_that_changes_state_leaves_after_its_commit(tmp_path: Path):
    path = tmp_path / "day"
    seen: list[str] = []
    async with lab(Script([Keep(), Noted(Unregistered("v", "w")), Reply(ok())]), path=path) as desk:
        desk.role.kept = {"n": 1}
        flush = desk.store.flush

        async def flush_and_look() -> None:
            assert len(desk.store.log) == 1, "the reply was recorded before its state was on disk"
            await flush()
            with sqlite3.connect(path) as other:
                seen.append(other.execute("SELECT fields FROM state").fetchone()[0])
            other.close()

        desk.store.flush = flush_and_look
        assert (await desk.post(POLL)).status == 200
        assert seen == ['{"n":1}']


async def test_a_reply_that_changes_nothing_does_not_wait():
    async with lab() as desk:

        async def never() -> None:
            pytest.fail("a poll that changes nothing waited for the disk")

        desk.store.flush = never
        assert (await desk.post(POLL)).status == 200


async def test_a_reply_whose_state_cannot_be_kept_does_not_leave():
    async with lab(Script([Keep(), Reply(ok())])) as desk:

        async def full() -> None:
            raise StoreError("the disk is full")

        desk.store.flush = full
        assert (await desk.post(POLL)).status == 503
        assert "held back: the disk is full" in desk.store.findings(1)[0].text


async def test_a_restart_on_the_same_store_goes_on(tmp_path: Path):
    path = tmp_path / "day"
    async with lab(Script([Keep(), Reply(ok())]), path=path) as desk:
        desk.role.kept = {"vens": ["ven-7"]}
        await desk.post(POLL)
        assert desk.role.restored is None
    async with lab(Script(), path=path) as desk:
        assert desk.role.restored == {"vens": ["ven-7"]}
        assert [row[0] for row in desk.rows()] == ["oadrPoll", "oadrResponse"]
        await desk.post(POLL)
        assert len(desk.store.log) == 4


# Timers and commands -----------------------------------------------------------------------------------------------


async def test_timers_run_on_the_clock():
    role = Script()
    role.at_start = [StartTimer("poll", NOON + timedelta(seconds=10)), StartTimer("gone", NOON + timedelta(seconds=5))]
    async with lab(role) as desk:
        desk.session.command(Do([StopTimer("gone")]))
        desk.role.given.clear()
        await desk.clock.advance(9.9)
        assert role.given == []
        await desk.clock.advance(0.1)
        assert role.given == [TimerFired("poll")]


async def test_a_command_gives_back_what_is_wrong_with_it():
    wrong = Finding("command", Severity.ERROR, "There is no event e-9.")
    async with lab() as desk:
        assert desk.session.command(Do([Found(wrong)])) == [wrong]
        assert desk.session.command(Do([Noted(Unregistered("ven-7", "asked to"))])) == []
        assert desk.findings() == [wrong.text]
        kept = desk.store.facts("vtn-lab", kinds=[FindingMade, Unregistered])
        assert [(noted.time, type(noted.fact)) for noted in kept] == [(NOON, FindingMade), (NOON, Unregistered)]


async def test_after_closing_nothing_fires():
    role = Script()
    role.at_start = [StartTimer("poll", NOON + timedelta(seconds=10))]
    async with lab(role) as desk:
        await desk.session.close()
        await desk.clock.advance(20)
        assert role.given == []
        assert desk.clock.next_wake() is None
        assert isinstance(await desk.client.post(Service.OADR_POLL, POLL), Undelivered)
        assert desk.session.state_text == "Closed."


# Requests of ours --------------------------------------------------------------------------------------------------


@asynccontextmanager
async def pair(ven: Script, **given) -> AsyncIterator[tuple[Lab, Session]]:
    """A VTN's lab and a VEN's session that reaches it in memory, on one clock and one store."""
    async with lab(**given) as desk:
        session = Session("ven-lab", ven, desk.store, desk.clock, kind=Kind.VEN)
        session.on_fact(lambda fact, at: desk.facts.append(fact))
        session.connect_through(desk.client)
        try:
            yield desk, session
        finally:
            await session.close()


def poll(about: str = "", ven_id: str = "ven-7") -> Send:
    return Send(OadrPoll(ven_id=ven_id), Service.OADR_POLL, about=about)


async def test_a_request_goes_out_and_its_answer_comes_back():
    ven = Script()
    async with pair(ven) as (desk, session):
        session.command(Do([poll("first")]))
        await session.settled()
        assert ven.answered == [Answered(poll("first"), ok())]
        assert [(view[0], view[1]) for view in desk.rows()] == [
            ("oadrPoll", True), ("oadrPoll", False), ("oadrResponse", True), ("oadrResponse", False),
        ]  # fmt: skip
        assert desk.store.log.view(3).reply_to == 1
        assert desk.store.body(1) == desk.store.body(2) == POLL


async def test_requests_leave_one_after_the_other_in_order():
    ven = Script()
    async with pair(ven) as (desk, session):
        at_once: list[int] = []
        under_way = 0
        answer = desk.session.answer

        async def counting(request: Request):
            nonlocal under_way
            under_way += 1
            at_once.append(under_way)
            await asyncio.sleep(0)
            try:
                return await answer(request)
            finally:
                under_way -= 1

        desk.server._handler = counting
        session.command(Do([poll(str(n)) for n in range(5)]))
        await session.settled()
        assert at_once == [1] * 5
        assert [answered.request.about for answered in ven.answered] == ["0", "1", "2", "3", "4"]


async def test_a_wire_that_is_cut_is_told_once_and_found_on_each_request():
    ven = Script()
    async with pair(ven) as (desk, session):
        desk.client.broken = "127.0.0.1:1 cannot be reached: connection refused."
        session.command(Do([poll(), poll()]))
        await session.settled()
        failures = [answered.failure for answered in ven.answered]
        assert [(failure.kind, failure.text) for failure in failures if failure] == [
            (FailureKind.WIRE, desk.client.broken)
        ] * 2
        assert desk.findings() == [desk.client.broken]
        assert [desk.store.findings(number)[0].rule for number in (1, 2)] == ["wire", "wire"]
        desk.client.broken = ""
        session.command(Do([poll()]))
        await session.settled()
        desk.client.broken = "127.0.0.1:1 cannot be reached: connection refused."
        session.command(Do([poll()]))
        await session.settled()
        assert len(desk.findings()) == 2


async def test_an_http_status_is_a_failure_with_its_row():
    ven = Script()
    async with pair(ven, role=Broken()) as (desk, session):
        session.command(Do([poll()]))
        await session.settled()
        failure = ven.answered[0].failure
        assert failure is not None
        assert (failure.kind, failure.status) == (FailureKind.HTTP, 500)
        assert "500 Internal Server Error" in failure.text
        assert (desk.store.log.view(3).status, desk.store.log.view(3).reply_to) == (500, 1)


async def test_an_empty_answer_is_no_failure():
    ven = Script()
    async with pair(ven, role=Script([Reply(None)])) as (_, session):
        session.command(Do([poll()]))
        await session.settled()
        assert ven.answered == [Answered(poll())]


class Parrot:
    """A client whose peer answers as it is told."""

    def __init__(self, answer: Answer | Undelivered) -> None:
        self.answer = answer
        self.peer = Peer("10.0.0.1:80")

    def headers_of(self, service: Service, body: bytes):
        return f"POST /{service}", ()

    async def post(self, service: Service, body: bytes) -> Answer | Undelivered:
        return self.answer

    async def close(self) -> None:
        pass


@asynccontextmanager
async def parrot(answer: Answer | Undelivered) -> AsyncIterator[tuple[Script, Store]]:
    ven, store = Script(), Store.open()
    session = Session("ven", ven, store, VirtualClock(NOON), kind=Kind.VEN)
    try:
        session.connect_through(Parrot(answer))
        session.command(Do([poll()]))
        await session.settled()
        yield ven, store
    finally:
        await session.close()
        store.close()


async def test_an_answer_that_is_no_message_is_a_failure_of_the_message():
    async with parrot(Answer(200, (), b"<html/>", 7, 0.01)) as (ven, store):
        failure = ven.answered[0].failure
        assert failure is not None
        assert failure.kind is FailureKind.MESSAGE
        assert (store.body(2), store.log.view(1).errors >= 1) == (b"<html/>", True)
        assert store.log.view(1).latency == timedelta(milliseconds=10)


async def test_an_answer_that_is_not_http_has_a_row_of_its_own():
    async with parrot(Undelivered("10.0.0.1:80 answered with bytes that are not HTTP.", 0.01, b"220 ESMTP")) as (
        ven,
        store,
    ):
        assert ven.answered[0].failure is not None
        assert (store.body(2), store.log.view(1).reply_to) == (b"220 ESMTP", 1)
        assert store.findings(2)[0].rule == "wire"
        assert store.findings(1) == ()


async def test_a_refusal_with_a_text_keeps_the_text():
    async with parrot(Answer(500, (), b"KeyError: 'value'", 17, 0.01)) as (ven, store):
        failure = ven.answered[0].failure
        assert failure is not None
        assert (failure.kind, "KeyError: 'value'" in failure.text) == (FailureKind.HTTP, True)
        assert store.body(2) == b"KeyError: 'value'"


async def test_a_request_waits_for_a_way_to_its_peer():
    ven = Script()
    ven.at_start = [poll()]
    async with lab() as desk:
        session = Session("ven-lab", ven, desk.store, desk.clock, kind=Kind.VEN)
        session.start()
        session.connect_through(desk.client)
        await session.settled()
        assert len(ven.answered) == 1
        await session.close()


async def test_a_request_of_changed_state_leaves_after_its_commit():
    order: list[str] = []
    ven = Script()
    async with pair(ven) as (desk, session):
        flush = desk.store.flush

        async def flush_and_note() -> None:
            order.append("flushed")
            await flush()

        answer = desk.session.answer

        async def answer_and_note(request: Request):
            order.append("left")
            return await answer(request)

        desk.store.flush, desk.server._handler = flush_and_note, answer_and_note
        session.command(Do([Keep(), poll()]))
        await session.settled()
        assert order == ["flushed", "left"]


async def test_a_session_closes_while_a_request_is_under_way():
    hanging = asyncio.Event()
    ven = Script()
    async with pair(ven) as (desk, session):

        async def hang(request: Request) -> Response:
            await hanging.wait()
            return Response(200)

        desk.server._handler = hang
        session.command(Do([poll()]))
        await asyncio.sleep(0)
        await session.close()
        assert ven.answered == []


async def test_polls_keep_a_real_pace_when_the_clock_runs_fast():
    """Ten polls at sixtyfold speed take at least nine fifths of a real second: 108 s of the clock."""
    ven = Script()
    async with lab() as desk:
        fast = VirtualClock(NOON, speed=60)
        session = Session("ven-lab", ven, desk.store, fast, kind=Kind.VEN)
        session.connect_through(desk.client)
        session.command(Do([poll(str(n)) for n in range(10)]))
        await fast.advance(107)
        assert len(ven.answered) == 9
        await fast.advance(1)
        assert len(ven.answered) == 10
        await session.close()


async def test_at_the_worlds_own_speed_nothing_is_held_back():
    ven = Script()
    async with pair(ven) as (_, session):
        session.command(Do([poll(str(n)) for n in range(10)]))
        await session.settled()
        assert len(ven.answered) == 10


# What a session says of itself -------------------------------------------------------------------------------------


async def test_the_state_of_a_ven_in_words():
    ven = Script()
    async with pair(ven) as (_, session):
        assert session.state_text == "Not started."
        session.command(Do([Noted(RegistrationFailed("127.0.0.1:1 cannot be reached."))]))
        assert session.state_text == "127.0.0.1:1 cannot be reached."
        session.command(Do([Noted(Registered("ven-7", "Seven", "r-1", vtn_id="vtn-1"))]))
        assert session.state_text == "Registered with vtn-1 as ven-7."


async def test_a_vens_peer_is_named_once_it_is_known():
    ven = Script()
    async with pair(ven) as (desk, session):
        session.command(Do([poll()]))
        await session.settled()
        session.command(Do([Noted(Registered("ven-7", "Seven", "r-1", vtn_id="vtn-1"))]))
        session.command(Do([poll()]))
        await session.settled()
        peers = [(row[0], row[2]) for row in desk.rows() if row[1] and row[0] == "oadrPoll"]
        assert peers == [("oadrPoll", "memory"), ("oadrPoll", "vtn-1")]
