"""The store: bytes first, derived afterwards, and all of it there again when the file is opened anew."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.openadr import facts
from console.openadr.facts import (
    EventChanged,
    EventStatus,
    Fact,
    IntervalFact,
    PresenceChanged,
    PresenceState,
    Registered,
    ReportPoint,
    SignalFact,
    StatusValue,
)
from console.openadr.findings import Finding, Severity
from console.store import database
from console.store.fact_text import kind_of, read_fact, write_fact
from console.store.store import Head, Store, StoreError

REPOSITORY = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def put(store: Store, body: bytes = b"<a/>", **given) -> int:
    row = {
        "time": NOON,
        "session": "vtn-lab",
        "outgoing": False,
        "peer": "127.0.0.1:4711",
        "transport": "http",
        "start_line": "POST /OpenADR2/Simple/2.0b/OadrPoll",
        "headers": (("Host", "h:80"), ("X-Empty", "")),
        "body": body,
    }
    return store.append(**(row | given))


def test_a_message_is_there_before_anything_was_read_out_of_it():
    with Store.open() as store:
        number = put(store, b"\x00\xff no XML at all!")
        view = store.log.view(number - 1)
        assert (number, store.body(number)) == (1, b"\x00\xff no XML at all!")
        assert (view.element, view.summary, view.peer, view.size) == ("", "", "127.0.0.1:4711", 17)
        assert store.head(number) == Head(
            "127.0.0.1:4711", "POST /OpenADR2/Simple/2.0b/OadrPoll", (("Host", "h:80"), ("X-Empty", ""))
        )


def test_an_answer_and_its_request_know_each_other():
    with Store.open() as store:
        request = put(store)
        answer = put(store, outgoing=True, reply_to=request, status=200, time=NOON + timedelta(milliseconds=7))
        assert store.log.view(0).answered_by == answer
        view = store.log.view(1)
        assert (view.reply_to, view.status, view.latency) == (request, 200, timedelta(milliseconds=7))
        assert store.log.view(0).latency is None


def test_the_verdict_counts_findings_and_is_replaced_when_derived_anew():
    with Store.open() as store:
        number = put(store)
        found = (Finding("102", Severity.ERROR, "a"), Finding("xml", Severity.WARNING, "b", line=3))
        store.derive(number, element="oadrPoll", summary="poll", peer="ven-7", findings=found)
        view = store.log.view(0)
        assert (view.errors, view.warnings, view.infos, view.peer) == (1, 1, 0, "ven-7")
        assert store.findings(number) == found
        store.derive(number, findings=())
        view = store.log.view(0)
        assert (view.errors, view.warnings, view.element, store.findings(number)) == (0, 0, "oadrPoll", ())


def test_no_message_of_that_number():
    with Store.open() as store:
        put(store)
        for number in (0, 2, -1):
            with pytest.raises(IndexError, match=f"no message {number}"):
                store.body(number)


def test_all_is_there_again_after_reopening(tmp_path: Path):
    path = tmp_path / "day.nodebench"
    found = (Finding("schema", Severity.ERROR, "wrong", path="a/b", element="ei:x", clause="9", line=2),)
    registered = Registered("ven-7", "Seven", "reg-1", poll_period=timedelta(seconds=10))
    with Store.open(path) as store:
        put(store, b"<poll/>")
        put(store, b"<answer/>", outgoing=True, reply_to=1, status=200, latency=timedelta(microseconds=1234))
        store.derive(1, element="oadrPoll", summary="poll", peer="ven-7", findings=found)
        store.note("vtn-lab", NOON, registered)
        store.save_state("vtn-lab", {"vens": ["ven-7"]})
        store.remember("issued", {"a": 1})
        before = [store.log.view(row) for row in range(2)]
    with Store.open(path) as store:
        assert [store.log.view(row) for row in range(2)] == before
        assert [store.body(1), store.body(2)] == [b"<poll/>", b"<answer/>"]
        assert store.findings(1) == found
        assert [(noted.session, noted.time, noted.fact) for noted in store.facts()] == [("vtn-lab", NOON, registered)]
        assert store.load_state("vtn-lab") == {"vens": ["ven-7"]}
        assert store.load_state("other") is None
        assert store.recall("issued") == {"a": 1}
        assert store.recall("never", "default") == "default"
        assert put(store) == 3


def test_what_changes_after_it_was_written_is_written_again(tmp_path: Path):
    path = tmp_path / "day"

    async def write() -> None:
        with Store.open(path) as store:
            put(store)
            await store.flush()
            store.derive(1, element="oadrPoll")
            await store.flush()
            put(store, reply_to=1)

    asyncio.run(write())
    with Store.open(path) as store:
        assert (store.log.view(0).element, store.log.view(0).answered_by) == ("oadrPoll", 2)


async def test_flush_comes_back_only_when_the_file_has_it(tmp_path: Path):
    path = tmp_path / "day"
    with Store.open(path) as store:
        store.save_state("vtn", {"n": 1})
        await store.flush()
        with sqlite3.connect(path) as other:
            assert other.execute("SELECT session, fields FROM state").fetchall() == [("vtn", '{"n":1}')]
        other.close()


def test_a_process_that_dies_loses_nothing_it_was_told_is_kept(tmp_path: Path):
    path = tmp_path / "day"
    script = f"""
import asyncio, os
from datetime import UTC, datetime
from pathlib import Path
from console.store.store import Store

async def run():
    store = Store.open(Path({str(path)!r}))
    store.append(time=datetime(2026, 6, 1, tzinfo=UTC), session="s", outgoing=False, peer="p", transport="http",
                 start_line="", headers=(), body=b"<kept/>")
    await store.flush()
    os._exit(9)

asyncio.run(run())
"""
    assert subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, check=False).returncode == 9
    with Store.open(path) as store:
        assert store.body(1) == b"<kept/>"


async def test_flush_with_nothing_new_comes_back():
    with Store.open() as store:
        await store.flush()
        put(store)
        await store.flush()
        assert store.backlog == 0


def test_what_was_recorded_together_is_committed_together(tmp_path: Path):
    """Nothing of the group is in the file while the group is open, however long the writer would have had."""
    path = tmp_path / "day"
    with Store.open(path) as store, store.together():
        put(store)
        store.note("vtn", NOON, facts.Unregistered("ven-7", "asked to"))
        store.save_state("vtn", {})
        with sqlite3.connect(path) as other:
            tables = ("batch", "fact", "state")
            assert [other.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables] == [0, 0, 0]
        other.close()
    with Store.open(path) as store:
        assert (len(store.log), len(store.facts()), store.load_state("vtn")) == (1, 1, {})


def test_a_body_is_stored_once(tmp_path: Path):
    path = tmp_path / "day"
    poll = bytes(range(256)) * 40
    with Store.open(path) as store:
        for _ in range(50):
            put(store, poll)
    with Store.open(path) as store:
        put(store, poll)
        put(store, b"another")
    with sqlite3.connect(path) as file:
        assert file.execute("SELECT sum(count) FROM bodies").fetchone() == (2,)
    file.close()
    with Store.open(path) as store:
        assert [store.body(number) for number in (1, 50, 51, 52)] == [poll, poll, poll, b"another"]


def test_bodies_of_many_blocks_come_back_from_disk(tmp_path: Path):
    path = tmp_path / "day"
    bodies = [bytes([n]) * 2**20 for n in range(10)]
    with Store.open(path) as store:
        for body in bodies:
            put(store, body)
    with Store.open(path) as store:
        assert [store.body(number) for number in (10, 1, 5, 6, 2)] == [bodies[n] for n in (9, 0, 4, 5, 1)]


def test_a_long_recording_is_joined_when_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "day"
    monkeypatch.setattr(database, "_MANY_BATCHES", 3)
    monkeypatch.setattr(database, "_JOINED", 4)

    async def write() -> None:
        with Store.open(path) as store:
            for n in range(10):
                put(store, bytes([n]), status=n)
                store.derive(n + 1, summary=f"message {n}")
                await store.flush()

    def batches() -> int:
        with sqlite3.connect(path) as file:
            (count,) = file.execute("SELECT count(*) FROM batch").fetchone()
        file.close()
        return count

    asyncio.run(write())
    assert batches() >= 10
    for _ in range(2):
        with Store.open(path) as store:
            views = [store.log.view(row) for row in range(10)]
            assert [(view.status, view.summary) for view in views] == [(n, f"message {n}") for n in range(10)]
            assert store.body(10) == b"\x09"
        assert batches() == 3


def test_more_bytes_than_are_kept():
    with Store.open() as store:
        put(store, b"beginning", size=5_000_000)
        assert (store.log.view(0).size, store.body(1)) == (5_000_000, b"beginning")


# Facts -------------------------------------------------------------------------------------------------------------

EVENT = EventChanged(
    event_id="e-1",
    modification_number=0,
    status=EventStatus.FAR,
    ven_id="ven-7",
    market_context="http://c",
    start=NOON,
    duration=timedelta(hours=1),
    signals=(
        SignalFact("s", "SIMPLE", "level", None, (IntervalFact(NOON, timedelta(minutes=5), 2.0),), current_value=0.0),
    ),
    notification=timedelta(0),
)


@pytest.mark.parametrize(
    "fact",
    [
        EVENT,
        PresenceChanged("ven-7", PresenceState.LATE, NOON, timedelta(seconds=1.5)),
        PresenceChanged("ven-7", PresenceState.NEVER),
        ReportPoint("v", "r", "i", StatusValue(True, False, (("capacity.current", 0.5),)), None, NOON),
        ReportPoint("v", "r", "i", 12.5, "W", NOON, timedelta(seconds=2), "Good", "TELEMETRY_USAGE"),
        facts.ReportRequested("v", "r", "s", ("a", "b"), timedelta(seconds=2), timedelta(0)),
        facts.DeviceChanged("pv", "pv", -1200.5, "producing"),
    ],
)
def test_a_fact_comes_back_as_it_was(fact: Fact):
    assert read_fact(kind_of(fact), write_fact(fact)) == fact


def test_a_kind_of_fact_of_a_later_version_is_passed_over():
    assert read_fact("TomorrowsFact", "{}") is None


def test_every_fact_class_can_be_read():
    """A new class with a field type the reader does not know would fail here, not in the field."""
    values = {
        "str": "x", "int": 1, "float": 1.5, "bool": True, "datetime": NOON, "timedelta": timedelta(1),
        "EventStatus": EventStatus.FAR, "PresenceState": PresenceState.OK, "float | StatusValue": 1.0,
        "tuple[SignalFact, ...]": EVENT.signals, "tuple[str, ...]": ("a",),
        "tuple[IntervalFact, ...]": (), "tuple[tuple[str, float], ...]": (("a", 1.0),),
    }  # fmt: skip
    known = [of for of in vars(facts).values() if isinstance(of, type) and issubclass(of, Fact)]
    assert Registered in known
    for of in known:
        fact = of(**{field.name: values[str(field.type).removesuffix(" | None")] for field in fields(of)})
        assert read_fact(kind_of(fact), write_fact(fact)) == fact


def test_facts_are_found_by_session_and_kind():
    with Store.open() as store:
        store.note("vtn", NOON, EVENT)
        store.note("ven", NOON, facts.Unregistered("ven-7", "asked to"))
        assert [noted.fact for noted in store.facts("vtn")] == [EVENT]
        assert [noted.session for noted in store.facts(kinds=[facts.Unregistered])] == ["ven"]


def test_points_keep_all_they_say_and_their_order(tmp_path: Path):
    path = tmp_path / "day"
    given = [
        ReportPoint("v", "r", "i", float(n), "W", NOON + timedelta(seconds=n), timedelta(seconds=2), "Good", "USAGE")
        for n in range(5)
    ]
    with Store.open(path) as store:
        for point in given[:3]:
            store.note("vtn", NOON, point)
    with Store.open(path) as store:
        for point in given[3:]:
            store.note("vtn", NOON, point)
        assert [noted.fact for noted in store.points("vtn")] == given
        assert [noted.fact for noted in store.points(since=given[2].start)] == given[2:]
        assert store.points("other") == []


# Listening ---------------------------------------------------------------------------------------------------------


def test_a_listener_is_woken_once_and_takes_everything():
    with Store.open() as store:
        put(store)
        woken = []
        subscription = store.listen(lambda: woken.append(1))
        put(store)
        put(store, reply_to=1)
        store.derive(2, element="oadrPoll")
        store.note("vtn", NOON, EVENT)
        assert woken == [1]
        changes = subscription.take()
        assert (changes.first, changes.end, changes.amended) == (1, 3, (0,))
        assert [noted.fact for noted in changes.facts] == [EVENT]
        assert not subscription.take()
        store.derive(3, element="x")
        assert woken == [1, 1]
        assert subscription.take().amended == (2,)
        subscription.close()
        put(store)
        assert woken == [1, 1]


# What cannot be opened ---------------------------------------------------------------------------------------------


def test_a_folder_that_is_not_there(tmp_path: Path):
    with pytest.raises(StoreError, match="folder .*nowhere does not exist. Create it"):
        Store.open(tmp_path / "nowhere" / "day")


def test_a_folder_is_no_store(tmp_path: Path):
    with pytest.raises(StoreError, match="is a folder"):
        Store.open(tmp_path)


def test_a_file_of_another_kind_is_left_as_it_is(tmp_path: Path):
    path = tmp_path / "letter.txt"
    path.write_text("Dear reader, this is no database.")
    with pytest.raises(StoreError, match="no recording of Nodebench"):
        Store.open(path)
    assert path.read_text().startswith("Dear reader")


def test_a_database_of_another_program(tmp_path: Path):
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE song (title)")
    other.close()
    with pytest.raises(StoreError, match="not one of Nodebench"):
        Store.open(path)


def test_a_file_of_a_newer_format(tmp_path: Path):
    path = tmp_path / "day"
    Store.open(path).close()
    with sqlite3.connect(path) as file:
        file.execute("UPDATE meta SET value = '99' WHERE key = 'format'")
    file.close()
    with pytest.raises(StoreError, match="newer Nodebench .format 99"):
        Store.open(path)


def test_a_damaged_file(tmp_path: Path):
    path = tmp_path / "day"
    with Store.open(path) as store:
        put(store)
    with sqlite3.connect(path) as file:
        file.execute("UPDATE batch SET columns = x'0102'")
    file.close()
    with pytest.raises(StoreError, match="damaged"):
        Store.open(path)


def test_a_store_in_use(tmp_path: Path):
    path = tmp_path / "day"
    with Store.open(path), pytest.raises(StoreError, match="in use by another"):
        Store.open(path)
    Store.open(path).close()


def test_a_temporary_store_leaves_nothing():
    store = Store.open()
    path = store.path
    put(store)
    store.close()
    store.close()
    assert not path.exists()
    assert not path.parent.exists()


async def test_a_disk_that_takes_nothing_is_told_and_nothing_is_lost(tmp_path: Path):
    path = tmp_path / "day"
    with Store.open(path) as store:
        blocker = sqlite3.connect(path)
        blocker.execute("CREATE TRIGGER no BEFORE INSERT ON batch BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
        blocker.commit()
        put(store, b"<kept/>")
        with pytest.raises(StoreError, match="disk is full"):
            await store.flush()
        assert "disk is full" in store.failure
        with pytest.raises(StoreError):
            await store.flush()
        blocker.execute("DROP TRIGGER no")
        blocker.commit()
        blocker.close()
    with Store.open(path) as store:
        assert store.body(1) == b"<kept/>"


# Against a list ----------------------------------------------------------------------------------------------------

STEP = st.one_of(
    st.tuples(st.just("append"), st.binary(max_size=12), st.integers(0, 2**40), st.booleans()),
    st.tuples(st.just("answer"), st.integers(0, 30), st.binary(max_size=4)),
    st.tuples(st.just("derive"), st.integers(0, 30), st.text(max_size=5), st.integers(0, 3)),
    st.tuples(st.just("reopen")),
    st.tuples(st.just("flush")),
)


def expected(**given) -> dict:
    row = {"time": NOON, "outgoing": False, "summary": "", "errors": 0, "to": 0, "by": 0, "late": None}
    return row | given


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, max_size=30))
def test_any_history_reads_like_a_list_of_rows(tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("history") / "day"
    rows: list[dict] = []
    store = Store.open(path)
    try:
        for step in steps:
            match step:
                case ("append", body, late, outgoing):
                    time = NOON + timedelta(microseconds=late)
                    put(store, body, time=time, outgoing=outgoing, headers=(("L", str(late)),))
                    rows.append(expected(body=body, time=time, outgoing=outgoing, late=late))
                case ("answer", to, body) if rows:
                    to = to % len(rows)
                    put(store, body, reply_to=to + 1)
                    rows[to]["by"] = len(rows) + 1
                    rows.append(expected(body=body, to=to + 1))
                case ("derive", row, summary, errors) if rows:
                    row = row % len(rows)
                    finding = Finding("1", Severity.ERROR, summary)
                    store.derive(row + 1, summary=summary, findings=[finding] * errors)
                    rows[row] |= {"summary": summary, "errors": errors}
                case ("reopen",):
                    store.close()
                    store = Store.open(path)
                case ("flush",):
                    asyncio.run(store.flush())
                case _:
                    pass
        assert len(store.log) == len(rows)
        for row, wanted in enumerate(rows):
            view = store.log.view(row)
            assert (view.time, view.outgoing, view.summary) == (wanted["time"], wanted["outgoing"], wanted["summary"])
            assert (view.errors, view.reply_to, view.answered_by) == (wanted["errors"], wanted["to"], wanted["by"])
            assert store.body(row + 1) == wanted["body"]
            assert len(store.findings(row + 1)) == wanted["errors"]
            if wanted["late"] is not None:
                assert store.headers(row + 1) == (("L", str(wanted["late"])),)
        assert np.array_equal(store.log.select("").rows, np.arange(len(rows)))
    finally:
        store.close()


async def test_pieces_of_a_state_hold_until_all_of_it_is_kept_again(tmp_path: Path):
    file = tmp_path / "r.oadrrec"
    with Store.open(file) as store:
        store.save_state("vtn", {"n": 1})
        store.save_part("vtn", "ven-1", {"opt": "in"})
        store.save_part("vtn", "ven-2", None)
        store.save_part("other", "ven-1", {"opt": "out"})
        await store.flush()
    with Store.open(file) as store:
        assert store.load_state("vtn") == {"n": 1}
        assert store.load_parts("vtn") == {"ven-1": {"opt": "in"}, "ven-2": None}
        store.save_state("vtn", {"n": 2})
        assert store.load_parts("vtn") == {}
        store.save_part("vtn", "ven-2", {"opt": "in"})
    with Store.open(file) as store:
        assert store.load_parts("vtn") == {"ven-2": {"opt": "in"}}
        assert store.load_parts("other") == {"ven-1": {"opt": "out"}}
