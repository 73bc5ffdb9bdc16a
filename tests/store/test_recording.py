"""A recording opened for reading: whole, in use, cut in half, newer, older, and not one at all."""

from __future__ import annotations

import json
import sqlite3
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.openadr.facts import PresenceChanged, PresenceState, ReportPoint
from console.openadr.findings import Finding, Severity
from console.store import database
from console.store.columns import FIRST_KINDS
from console.store.messages import COMPOSED
from console.store.recording import Recording
from console.store.store import Store, StoreError

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def body(number: int) -> bytes:
    return bytes((number * 7919 + at * at) % 251 for at in range(400)) + str(number).encode()


def fill(path: Path, count: int, *, first: int = 0) -> Path:
    with Store.open(path) as store:
        for number in range(first, first + count):
            made = store.append(
                time=NOON + timedelta(seconds=number),
                session="vtn",
                outgoing=bool(number % 2),
                peer=f"10.0.0.{number % 200}:80",
                transport="http",
                start_line="POST /x",
                headers=(("Host", "h"),),
                body=body(number),
                flags=COMPOSED if number == 3 else 0,
            )
            finding = Finding("22", Severity.WARNING, f"odd {number}")
            store.derive(made, element="oadrPoll", summary=f"poll {number}", peer="ven-7", findings=(finding,))
        store.note("vtn", NOON, PresenceChanged("ven-7", PresenceState.OK))
        store.note("vtn", NOON, ReportPoint("ven-7", "rr", "power", 7.5, "W", NOON))
        store.remember("recording.name", "Tuesday")
    return path


def test_everything_that_was_recorded_is_there_and_nothing_is_touched(tmp_path: Path) -> None:
    path = fill(tmp_path / "a.oadrrec", 50)
    before = path.read_bytes()
    with Recording(path) as recording:
        assert recording.trouble == ""
        assert recording.name == "Tuesday"
        assert len(recording.log) == 50
        assert [recording.body(number) for number in range(1, 51)] == [body(number) for number in range(50)]
        assert recording.head(1).headers == (("Host", "h"),)
        assert recording.findings(2)[0].text == "odd 1"
        assert [view.number for view in map(recording.log.view, range(50)) if view.composed] == [4]
        assert len(recording.facts()) == 1
        assert recording.points()[0].fact.value == 7.5  # type: ignore[attr-defined]
        with pytest.raises(IndexError):
            recording.body(51)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["a.oadrrec"]


async def test_one_that_is_being_written_is_read_as_it_stands(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a") as store:
        store.append(
            time=NOON, session="s", outgoing=False, peer="p", transport="http", start_line="", headers=(), body=b"b"
        )
        await store.flush()
        with Recording(tmp_path / "a") as recording:
            assert recording.body(1) == b"b"


@pytest.mark.parametrize(("part", "least"), [(0.3, 0), (0.5, 250), (0.75, 375), (0.95, 475)])
def test_of_one_cut_off_as_much_as_possible_is_read_and_one_sentence_says_so(
    tmp_path: Path, part: float, least: int
) -> None:
    path = tmp_path / "whole"
    for turn in range(20):
        fill_more(path, 50, turn * 50)
    content = path.read_bytes()
    cut = tmp_path / "cut"
    cut.write_bytes(content[: int(len(content) * part)])
    with Recording(cut) as recording:
        read = len(recording.log)
        assert "damaged or was cut off" in recording.trouble and recording.trouble.count(". ") <= 1
        assert f"{read} messages" in recording.trouble
        assert least <= read <= 1000
        for row in range(read):
            assert recording.log.view(row).summary in ("", f"poll {row}")
            recording.head(row + 1)
        found = 0
        for number in range(1, read + 1):
            try:
                found += recording.body(number) == body(number - 1)
            except StoreError:
                continue
        assert found >= read * 0.5
        recording.facts()
        recording.points()


def fill_more(path: Path, count: int, first: int) -> None:
    with Store.open(path) as store:
        for number in range(first, first + count):
            made = store.append(
                time=NOON + timedelta(seconds=number),
                session="vtn",
                outgoing=False,
                peer="p",
                transport="http",
                start_line="POST /x",
                headers=(),
                body=body(number),
            )
            store.derive(made, element="oadrPoll", summary=f"poll {number}")


def rewrite_meta(path: Path, **values: str) -> None:
    with sqlite3.connect(path) as connection:
        for key, value in values.items():
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
    connection.close()


def test_of_a_newer_one_what_both_know_is_shown(tmp_path: Path) -> None:
    path = fill(tmp_path / "new", 10)
    kinds = {**database.KINDS, "colour": "i4"}
    with sqlite3.connect(path) as connection:
        for number, columns, rows in connection.execute("SELECT id, columns, rows FROM batch").fetchall():
            packed = zlib.compress(zlib.decompress(columns) + bytes(4 * (len(rows) // 8)))
            connection.execute("UPDATE batch SET columns = ? WHERE id = ?", (packed, number))
        connection.execute("INSERT INTO fact VALUES (99, 'vtn', 0, 'NotInventedYet', '{}')")
    connection.close()
    rewrite_meta(path, format="7", columns=json.dumps(kinds))
    with Recording(path) as recording:
        assert "newer Nodebench (format 7" in recording.trouble
        assert len(recording.log) == 10
        assert recording.log.view(4).summary == "poll 4"
        assert len(recording.facts()) == 1
    with pytest.raises(StoreError, match="newer Nodebench"):
        Store.open(path)


def as_format_one(path: Path) -> None:
    """What the first version wrote: no flags, and no list of columns."""
    with sqlite3.connect(path) as connection:
        for number, columns, rows in connection.execute("SELECT id, columns, rows FROM batch").fetchall():
            packed = zlib.decompress(columns)[: -2 * (len(rows) // 8)]
            connection.execute("UPDATE batch SET columns = ? WHERE id = ?", (zlib.compress(packed), number))
        connection.execute("DELETE FROM meta WHERE key = 'columns'")
        connection.execute("UPDATE meta SET value = '1' WHERE key = 'format'")
    connection.close()


def test_an_older_one_is_read_as_it_is_and_converted_when_written_to(tmp_path: Path) -> None:
    assert list(FIRST_KINDS) == list(database.KINDS)[: len(FIRST_KINDS)]
    path = fill(tmp_path / "old", 30)
    as_format_one(path)
    with Recording(path) as recording:
        assert recording.format == 1 and recording.trouble == ""
        assert recording.log.view(29).summary == "poll 29"
        assert not recording.log.view(3).composed
    fill(path, 5, first=30)
    with Recording(path) as recording:
        assert recording.format == database.FORMAT
        assert [recording.log.view(row).summary for row in range(35)] == [f"poll {row}" for row in range(35)]
        assert recording.body(35) == body(34)


def test_what_is_no_recording_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE t (x)").connection.close()
    for name, said in (
        ("text", "no recording"),
        ("none", "no file"),
        ("", "folder"),
        ("other.db", "Nodebench|damaged"),
    ):
        with pytest.raises(StoreError, match=said):
            Recording(tmp_path / name)


def test_what_was_composed_is_found_by_the_filter(tmp_path: Path) -> None:
    with Recording(fill(tmp_path / "a", 10)) as recording:
        for text, wanted in (
            ("composed == yes", [3]),
            ("composed != no", [3]),
            ("composed == no and number < 3", [0, 1]),
            ("composed in (yes)", [3]),
        ):
            selection = recording.log.select(text)
            assert (selection.error, selection.rows.tolist()) == ("", wanted)
        assert "one of no" in recording.log.select("composed == perhaps").error
        assert recording.log.select("composed > no").error
