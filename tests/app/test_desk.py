"""The desk over two real roles, joined in memory, on a clock that stands still until it is told otherwise."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.app.desk import LiveDesk
from console.app.site_bridge import SiteBridge
from console.app.site_run import SiteRun
from console.app.views import Area, EventDraft, SessionState
from console.openadr.actions import SeededIds
from console.openadr.commands import VenSettings, VtnSettings
from console.openadr.facts import EventStatus, PresenceState
from console.openadr.ven import Ven
from console.openadr.vtn import Vtn
from console.session.clock import VirtualClock
from console.session.session import Session
from console.store.store import Store
from console.transport.memory import MemoryClient, MemoryServer
from tests.conftest import REPOSITORY

NOON = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SITE = REPOSITORY / "resources" / "sites" / "demo.toml"


@dataclass
class Bench:
    """A desk with a VTN, a VEN and a house, and the clock to move."""

    desk: LiveDesk
    clock: VirtualClock
    sessions: tuple[Session, Session]
    house: SiteRun
    server: MemoryServer

    async def advance(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            self.house.tick()
            await self.clock.advance(1.0, self._settle)
        self.house.tick()

    async def _settle(self) -> None:
        for session in self.sessions:
            await session.settled()


async def bench_at(path: Path | None) -> AsyncIterator[Bench]:
    with Store.open(path) as store:
        clock = VirtualClock(NOON)
        desk = LiveDesk(store, clock, UTC)
        house = SiteBridge(SITE, clock.now(), 0)
        desk.attach_site(house)
        rng = random.Random(1)
        vtn_role = Vtn("vtn-lab", SeededIds(rng), rng, VtnSettings(request_reports=True, poll_period=2 * MINUTE / 60))
        ven_role = Ven("ven-7", SeededIds(rng), rng, VenSettings(offers=house.offers()), decide=house.decide)
        vtn, ven = Session("vtn-lab", vtn_role, store, clock), Session("ven-7", ven_role, store, clock)
        server = MemoryServer(vtn.answer)
        desk.attach(vtn, vtn_role, "VTN", server.url)
        desk.attach(ven, ven_role, "VEN", server.url)
        run = SiteRun(house, ven, clock)
        vtn.serve_through(server)
        ven.connect_through(MemoryClient(server))
        yield Bench(desk, clock, (vtn, ven), run, server)
        await ven.close()
        await vtn.close()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async for made in bench_at(None):
        yield made


def draft(bench: Bench, **changes: object) -> EventDraft:
    plain = EventDraft(
        signal_name="LOAD_DISPATCH",
        signal_type="setpoint",
        unit="W",
        start=bench.clock.now() + timedelta(seconds=5),
        intervals=((10 * MINUTE, 2000.0),),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


async def test_registration_reports_and_presence_show_on_the_desk(bench: Bench):
    await bench.advance(10)
    desk = bench.desk
    sessions = {view.name: view for view in desk.sessions()}
    assert sessions["ven-7"].state is SessionState.OK and sessions["vtn-lab"].kind == "VTN"
    (ven,) = desk.vens()
    assert (ven.name, ven.state, ven.registered) == ("ven-7", PresenceState.OK, True)
    assert ven.poll_period == timedelta(seconds=2)
    desk.take_changes()
    (ven,) = desk.vens()
    assert ven.poll_times and ven.last_message > 0
    running = {view.r_id: view for view in desk.reports() if view.state == "running"}
    assert {"site:power", "site:import", "ev:power", "site:status"} <= set(running)
    assert len(desk.series(running["site:power"].series).times) >= 3
    assert desk.findings() == ()


async def test_an_event_is_issued_followed_by_the_house_modified_and_cancelled(bench: Bench):
    await bench.advance(8)
    desk = bench.desk
    free = desk.site().net_w  # type: ignore[union-attr]
    issued = desk.issue_event("vtn-lab", draft(bench))
    assert issued.ok and issued.subject
    await bench.advance(30)
    events = {(view.session, view.event.event_id): view for view in desk.events()}
    ours = events["vtn-lab", issued.subject]
    assert ours.mine and ours.event.status is EventStatus.ACTIVE
    assert [(ven.ven_id, ven.opt_type) for ven in ours.vens] == [(desk.vens()[0].ven_id, "optIn")]
    assert not events["ven-7", issued.subject].mine
    site = desk.site()
    assert site and site.limit and site.limit.upper_w == 2000.0 and site.light == "yellow"
    assert site.net_w < 2200.0 < free
    assert site.limits[0].source == issued.subject
    assert abs(site.balance_w) < 0.5

    assert desk.modify_event("vtn-lab", issued.subject, draft(bench, intervals=((10 * MINUTE, 4000.0),))).ok
    await bench.advance(10)
    site = desk.site()
    assert site and site.limit and site.limit.upper_w == 4000.0

    assert desk.cancel_event("vtn-lab", issued.subject).ok
    await bench.advance(70)
    site = desk.site()
    assert site and site.limit is None
    assert site.net_w > 4200.0
    assert [span.upper_w for span in site.limits] == [2000.0, 4000.0], "what was held stays as it was"
    ends = [span.end for span in site.limits]
    assert ends[0] and ends[1] and ends[0] <= site.limits[1].start < ends[1] < desk.now()
    history = next(view for view in desk.events() if view.mine).history
    assert [what for _, _, what in history][0] == "issued" and history[-1][2] == "cancelled"


async def test_the_limit_that_a_level_comes_to_is_among_the_limits_shown(bench: Bench):
    await bench.advance(8)
    level = draft(bench, signal_name="SIMPLE", signal_type="level", unit=None, intervals=((10 * MINUTE, 2.0),))
    issued = bench.desk.issue_event("vtn-lab", level)
    await bench.advance(30)
    site = bench.desk.site()
    assert site and site.limit and site.limit.upper_w
    (span,) = site.limits
    assert span.source == issued.subject and span.end == site.limit.until
    assert span.upper_w == pytest.approx(site.limit.upper_w, abs=50.0)


async def test_an_infeasible_limit_is_opted_out_and_not_followed(bench: Bench):
    await bench.advance(8)
    for bridge in bench.desk.bridges.values():
        bridge.site.batteries[0].soc = 0.06  # below its reserve: nothing left to carry the house
    await bench.advance(10)
    issued = bench.desk.issue_event("vtn-lab", draft(bench, intervals=((60 * MINUTE, -3000.0),)))
    await bench.advance(20)
    ours = next(view for view in bench.desk.events() if view.mine and view.event.event_id == issued.subject)
    assert [ven.opt_type for ven in ours.vens] == ["optOut"]
    site = bench.desk.site()
    assert site and site.limit is None


async def test_what_cannot_be_done_is_said(bench: Bench):
    await bench.advance(3)
    desk = bench.desk
    assert not desk.cancel_event("vtn-lab", "nowhere").ok
    assert "nowhere" in desk.cancel_event("vtn-lab", "nowhere").text
    assert not desk.issue_event("another", draft(bench)).ok
    assert not desk.issue_event("vtn-lab", draft(bench, intervals=())).ok
    assert [finding.severity.word for finding in desk.check_draft(draft(bench, intervals=()))] == ["error"]
    assert desk.draft_source(draft(bench, intervals=())) == ""
    late = desk.check_draft(draft(bench, start=NOON - MINUTE))
    assert any("passed" in finding.text for finding in late)
    assert "oadrDistributeEvent" in desk.draft_source(draft(bench))


async def test_the_draft_of_a_modification_is_shown_as_the_message_that_goes_out(bench: Bench):
    await bench.advance(3)
    desk = bench.desk
    issued = desk.issue_event("vtn-lab", draft(bench)).subject
    await bench.advance(3)
    shown = desk.draft_source(replace(draft(bench), event_id=issued, priority=3))
    assert f"<ei:eventID>{issued}</ei:eventID>" in shown
    assert "<ei:modificationNumber>1</ei:modificationNumber>" in shown
    assert "<ei:modificationNumber>0</ei:modificationNumber>" in desk.draft_source(draft(bench))


async def test_every_message_can_be_inspected(bench: Bench):
    await bench.advance(6)
    desk = bench.desk
    for number in range(1, len(desk.messages) + 1):
        inspection = desk.inspect(number)
        assert inspection.sentence and inspection.tree.name
        assert inspection.body in (desk.store.body(number), b"")
        assert not inspection.findings
    first = desk.inspect(1)
    assert "register" in first.sentence.lower() or "registration" in first.sentence.lower()
    assert "oadrPayload" in first.pretty


async def test_changes_are_told_once(bench: Bench):
    await bench.advance(5)
    assert {Area.MESSAGES, Area.PRESENCE, Area.SITE} - bench.desk.take_changes() <= {Area.SITE}
    assert bench.desk.take_changes() == frozenset()


async def test_a_desk_on_an_old_store_shows_what_was(tmp_path: Path):
    path = tmp_path / "lab.oadrrec"
    messages, event_id = 0, ""
    async for bench in bench_at(path):
        await bench.advance(8)
        event_id = bench.desk.issue_event("vtn-lab", draft(bench)).subject
        await bench.advance(12)
        messages = len(bench.desk.messages)
    async for bench in bench_at(path):
        desk = bench.desk
        assert len(desk.messages) >= messages
        old = [view for view in desk.events() if view.event.event_id == event_id]
        assert {view.session for view in old} == {"vtn-lab", "ven-7"}
        assert desk.reports() and desk.vens()[0].name == "ven-7"
        await bench.advance(5)
        assert {view.event.event_id for view in desk.events()} == {event_id}
