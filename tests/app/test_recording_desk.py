"""The desk of a recording: every view at any instant, played and sought, and nothing that acts."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.app.recording_desk import NOTHING_ACTS, RecordedDesk
from console.app.views import Area, Desk, EventDraft, Outcome
from console.openadr.facts import EventStatus
from console.session.clock import VirtualClock
from console.store.recording import Recording
from console.store.store import Store
from tests.app.recorded import EVENT_START, START, record

DRAFT = EventDraft(
    signal_name="SIMPLE", signal_type="level", start=EVENT_START, intervals=((timedelta(seconds=60), 1.0),)
)


async def opened(tmp_path: Path) -> tuple[RecordedDesk, VirtualClock]:
    clock = VirtualClock(datetime(2027, 1, 1, tzinfo=UTC))
    return RecordedDesk(Recording(await record(tmp_path / "a")), clock, UTC), clock


async def test_it_shows_everything_at_its_end(tmp_path: Path) -> None:
    made, _ = await opened(tmp_path)
    desk: Desk = made
    assert {(each.name, each.kind) for each in desk.sessions()} == {("vtn-town", "VTN"), ("villa-rosa", "VEN")}
    assert all(not each.url for each in desk.sessions())
    assert [ven.ven_id for ven in desk.vens()] == ["ven-rosa"]
    assert desk.vens()[0].poll_times
    events = {event.session: event for event in desk.events()}
    assert events["vtn-town"].mine and not events["villa-rosa"].mine
    assert events["vtn-town"].event.status is EventStatus.COMPLETED
    assert events["vtn-town"].vens[0].opt_type == "optIn"
    (report,) = [each for each in desk.reports() if each.points]
    assert len(desk.series(report.series).values) == report.points > 5
    assert len(desk.messages) == desk.status().messages > 30
    assert desk.status().dropped == 0
    number = next(n for n in range(1, 60) if desk.messages.view(n - 1).element == "oadrDistributeEvent")
    assert "ven-rosa" in desk.inspect(number).sentence
    made.close()


async def test_seeking_back_shows_the_desk_as_it_was(tmp_path: Path) -> None:
    desk, _ = await opened(tmp_path)
    whole = len(desk.messages)
    desk.take_changes()
    desk.seek(EVENT_START + timedelta(seconds=30))
    assert desk.take_changes() >= {Area.MESSAGES, Area.EVENTS, Area.PRESENCE, Area.REPORTS}
    assert 0 < len(desk.messages) < whole
    assert all(desk.messages.view(row).time <= desk.now() for row in range(len(desk.messages)))
    assert all(desk.messages.view(row).answered_by <= len(desk.messages) for row in range(len(desk.messages)))
    assert {event.event.status for event in desk.events()} == {EventStatus.ACTIVE}
    assert len(desk.messages.select("element == oadrPoll").rows) < len(desk.messages)
    assert max(desk.messages.select("").rows) < len(desk.messages)
    seen = desk.messages.density(START, desk.end, 50)
    assert seen[-1] == 0 and seen.sum() > 0
    desk.seek(START - timedelta(days=1))
    assert desk.position == desk.start and not desk.events()
    desk.seek(desk.end)
    assert len(desk.messages) == whole
    desk.close()


@pytest.mark.parametrize(("wanted", "speed"), [(1.0, 1.0), (10.0, 10.0), (1000.0, 100.0), (0.0, 1.0)])
async def test_it_is_played_from_1_to_100_times_as_fast(tmp_path: Path, wanted: float, speed: float) -> None:
    desk, clock = await opened(tmp_path)
    desk.set_speed(wanted)
    assert desk.speed == speed
    desk.play()
    assert desk.position == desk.start and desk.playing
    await clock.advance(1.0)
    before = len(desk.messages)
    desk.take_changes()
    assert desk.position - desk.start == min(timedelta(seconds=speed), desk.end - desk.start)
    assert len(desk.messages) >= before
    desk.pause()
    await clock.advance(1.0)
    desk.take_changes()
    assert desk.position - desk.start == min(timedelta(seconds=speed), desk.end - desk.start)
    desk.play()
    await clock.advance(10_000.0)
    desk.take_changes()
    assert desk.position == desk.end and not desk.playing
    desk.close()


async def test_played_to_its_end_it_is_as_it_was_when_opened(tmp_path: Path) -> None:
    desk, clock = await opened(tmp_path)
    shown = (desk.vens(), desk.events(), desk.reports(), len(desk.messages), desk.findings())
    desk.set_speed(50.0)
    desk.play()
    while desk.playing:
        await clock.advance(0.033)
        desk.take_changes()
    assert (desk.vens(), desk.events(), desk.reports(), len(desk.messages), desk.findings()) == shown
    desk.close()


async def test_it_is_searched_and_remembers_while_it_is_open(tmp_path: Path) -> None:
    desk, _ = await opened(tmp_path)
    before = (tmp_path / "a").read_bytes()
    search = desk.search("xpath('//ei:eventID')")
    assert search is not None
    while not search.finished:
        search.take()
    found = desk.messages.select("xpath('//ei:eventID')").rows
    assert 0 < len(found) < len(desk.messages)
    assert "oadrPoll" in desk.filter_values("element") and desk.filter_values("event") == ("e-rosa",)
    desk.remember("note", [1])
    assert (desk.recall("note"), desk.recall("other", 2)) == ([1], 2)
    desk.close()
    assert (tmp_path / "a").read_bytes() == before


async def test_nothing_in_it_acts(tmp_path: Path) -> None:
    desk, _ = await opened(tmp_path)
    refused = Outcome(False, NOTHING_ACTS)
    assert desk.start_lab() == refused
    assert desk.issue_event("vtn-town", DRAFT) == refused
    assert desk.modify_event("vtn-town", "e-rosa", DRAFT) == refused
    assert desk.cancel_event("vtn-town", "e-rosa") == refused
    assert desk.request_report("vtn-town", "ven-rosa", ("meter",), timedelta(seconds=10)) == refused
    assert desk.cancel_report("vtn-town", "ven-rosa", "x") == refused
    assert desk.set_opt("villa-rosa", "e-rosa", "optOut") == refused
    module = inspect.getsource(inspect.getmodule(RecordedDesk) or RecordedDesk)
    assert "console.transport" not in module and "console.session.session" not in module
    desk.close()


def test_a_recording_of_a_storm_is_heard_in_sums(tmp_path: Path) -> None:
    from console.openadr.facts import Registered

    with Store.open(tmp_path / "a") as store:
        store.note("vtn", START, Registered("ven-7", "seven", "r-1"))
        for number in range(5000):
            made = store.append(
                time=START + timedelta(seconds=number), session="vtn", outgoing=False, peer="10.0.0.1:1",
                transport="http", start_line="POST /x", headers=(), body=b"<x/>",
            )  # fmt: skip
            store.derive(made, element="oadrPoll", peer="ven-7")
    desk = RecordedDesk(Recording(tmp_path / "a"), VirtualClock(), UTC)
    (ven,) = desk.vens()
    assert (ven.last_message, len(ven.poll_times)) == (5000, 120)
    desk.close()
