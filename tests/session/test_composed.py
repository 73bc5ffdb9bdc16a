"""What an operator writes by hand: it leaves as it is, the record marks it, and the role knows nothing of it."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from console.openadr import codec
from console.openadr.actions import SeededIds, Service
from console.openadr.commands import KnownVen, VenSettings, VtnSettings
from console.openadr.model import OadrPoll
from console.openadr.ven import Ven
from console.openadr.vtn import Vtn
from console.session.clock import ScaledClock, SystemClock, VirtualClock
from console.session.composed import Composed
from console.session.session import Session
from console.store.messages import MessageView
from console.store.store import Store
from console.transport.memory import MemoryClient, MemoryServer
from tests.app.recorded import sessions

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
POLL = codec.write(OadrPoll(ven_id="ven-rosa"))


def rows(store: Store, session: str) -> list[MessageView]:
    every = (store.log.view(row) for row in range(len(store.log)))
    return [view for view in every if view.session == session]


async def connected(store: Store, clock: VirtualClock) -> tuple[Session, Session]:
    vtn, ven = sessions(store, clock)
    server = MemoryServer(vtn.answer)
    vtn.serve_through(server)
    ven.connect_through(MemoryClient(server))
    await clock.advance(1, ven.settled)
    return vtn, ven


async def test_it_leaves_as_it_is_and_is_marked_and_the_role_does_not_hear_of_it() -> None:
    clock = VirtualClock(NOON)
    with Store.open() as store:
        vtn, ven = await connected(store, clock)
        before, state = len(store.log), ven.role.state()
        odd = POLL.replace(b"ven-rosa", b"somebody")
        assert ven.send_raw(Composed(Service.OADR_POLL, odd)) == []
        assert ven.send_raw(Composed(Service.EI_EVENT, b"not XML at all", content_type="text/plain")) == []
        await clock.advance(0.1, ven.settled)
        sent = [view for view in rows(store, "villa-rosa") if view.composed]
        assert [(view.element, view.outgoing) for view in sent] == [("oadrPoll", True), ("(not OpenADR)", True)]
        assert [store.body(view.number) for view in sent] == [odd, b"not XML at all"]
        assert ("Content-Type", "text/plain") in store.headers(sent[1].number)
        answers = [store.log.view(view.answered_by - 1) for view in sent]
        assert [view.status for view in answers] == [200, 406]
        assert not any(view.composed for view in [*answers, *rows(store, "vtn-town")])
        assert len(store.log) == before + 8
        assert ven.role.state() == state
        await ven.close()
        await vtn.close()


async def test_what_is_broken_on_purpose_is_found_but_not_told() -> None:
    clock = VirtualClock(NOON)
    with Store.open() as store:
        vtn, ven = await connected(store, clock)
        told: list[object] = []
        ven.on_fact(lambda fact, at: told.append(fact))
        ven.send_raw(Composed(Service.OADR_POLL, POLL.replace(b"ei:venID", b"ei:vtnID"), times=2))
        await clock.advance(0.1, ven.settled)
        sent = [view for view in rows(store, "villa-rosa") if view.composed]
        assert len(sent) == 2 and all(view.errors for view in sent)
        assert told == []
        await ven.close()
        await vtn.close()


async def test_a_vtn_gives_it_to_a_poll_that_nothing_is_owed_to() -> None:
    clock = VirtualClock(NOON)
    with Store.open() as store:
        vtn, ven = await connected(store, clock)
        hostile = b"<oadr:oadrPayload>"
        await clock.advance(60, ven.settled)
        assert vtn.send_raw(Composed(Service.EI_EVENT, hostile, to="ven-rosa", content_type="text/plain")) == []
        await clock.advance(30, ven.settled)
        (sent,) = [view for view in rows(store, "vtn-town") if view.composed]
        assert store.body(sent.number) == hostile
        assert store.log.view(sent.reply_to - 1).element == "oadrPoll"
        later = [view for view in rows(store, "vtn-town") if view.number > sent.number]
        assert any(view.element == "oadrPoll" for view in later)
        assert any(store.body(view.number) == hostile and not view.outgoing for view in rows(store, "villa-rosa"))
        await ven.close()
        await vtn.close()


async def test_what_cannot_be_sent_is_said() -> None:
    clock = VirtualClock(NOON)
    with Store.open() as store:
        vtn, ven = sessions(store, clock)
        (finding,) = ven.send_raw(Composed(Service.OADR_POLL, POLL))
        assert "not connected" in finding.text
        ven.connect_through(MemoryClient(MemoryServer(vtn.answer)))
        (finding,) = ven.send_raw(Composed(Service.OADR_POLL, POLL, signed_ago=timedelta(0)))
        assert "no key" in finding.text
        await ven.close()
        await vtn.close()


async def test_over_a_socket_it_may_be_slow_and_of_another_kind(tmp_path: Path) -> None:
    with Store.open() as store:
        clock = SystemClock()
        rng = random.Random(1)
        known = (KnownVen(name="villa-rosa", ven_id="ven-rosa"),)
        vtn = Session("vtn", Vtn("vtn", SeededIds(rng), rng, VtnSettings(known=known)), store, clock)
        slow = ScaledClock(NOON, 1.0)
        ven = Session("villa-rosa", Ven("villa-rosa", SeededIds(rng), rng, VenSettings()), store, slow)
        await ven.connect(await vtn.serve("127.0.0.1", 0))
        await ven.settled()
        odd = POLL.replace(b"ven-rosa", b"somebody")
        ven.send_raw(Composed(Service.OADR_POLL, odd, content_type="text/html; charset=x", pause=0.01))
        await ven.settled()
        while not (sent := [view for view in rows(store, ven.name) if view.composed and view.answered_by]):
            await slow.rest(0.01)
        came = [view for view in rows(store, "vtn") if store.body(view.number) == odd]
        headers = {name.lower(): value for name, value in store.headers(came[0].number)}
        assert headers["content-type"] == "text/html; charset=x"
        assert headers["content-length"] == str(len(odd))
        assert len(sent) == 1
        await ven.close()
        await vtn.close()
