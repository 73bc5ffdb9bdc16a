"""Retention: what is beyond age or size goes, oldest first; rows, numbers and bodies still in use stay."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.openadr.facts import ReportPoint
from console.store.recording import Recording
from console.store.retention import Retention, read_size
from console.store.store import Store, StoreError

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def body(number: int) -> bytes:
    return random.Random(number).randbytes(8000)


async def add(store: Store, number: int, at: datetime, content: bytes) -> int:
    made = store.append(
        time=at, session="s", outgoing=False, peer="p", transport="http", start_line="", headers=(), body=content
    )
    store.note("s", at, ReportPoint("v", "r", "m", float(number), "W", at))
    await store.flush()
    return made


async def test_what_is_too_old_goes_and_what_is_still_said_stays(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with Store.open(path) as store:
        for number in range(10):
            await add(store, number, NOON + number * DAY, b"poll" if number % 2 else body(number))
        assert store.retain(Retention(age=5 * DAY, size=None)) > 0
        for number in range(1, 11):
            if number % 2 == 0:
                assert store.body(number) == b"poll"
            elif number > 4:
                assert store.body(number) == body(number - 1)
            else:
                with pytest.raises(StoreError, match="any more"):
                    store.body(number)
        assert len(store.log) == 10 and store.log.view(0).size == len(body(0))
        assert [point.fact.value for point in store.points()] == [4.0, 5.0, 6.0, 7.0, 8.0, 9.0]  # type: ignore[attr-defined]
        again = await add(store, 11, NOON + 10 * DAY, body(0))
        assert store.body(again) == body(0)
        assert store.retain(Retention(age=5 * DAY, size=None)) <= 1
    with Recording(path) as recording:
        assert len(recording.log) == 11 and recording.body(again) == body(0) and recording.trouble == ""
        with pytest.raises(StoreError, match="any more"):
            recording.body(1)
    with Store.open(path) as store:
        assert store.body(again) == body(0) == store.body(again)


async def test_what_is_too_much_goes_oldest_first_and_the_file_grows_no_more(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a") as store:
        for number in range(150):
            await add(store, number, NOON + timedelta(seconds=number), body(number))
        whole = store.body(150)
        limits = Retention(age=None, size=300_000)
        gone = store.retain(limits)
        assert 0 < gone < 150
        held = []
        for number in range(1, 151):
            try:
                held.append(store.body(number) == body(number - 1))
            except StoreError:
                held.append(False)
        assert not held[0] and held[-1] and held == sorted(held)
        assert store.body(150) == whole
        assert store.retain(limits) == 0
    assert len(store.log) == 150


async def test_without_limits_nothing_goes() -> None:
    with Store.open() as store:
        assert store.retain(Retention()) == 0
        await add(store, 1, NOON, body(1))
        await add(store, 2, NOON + 4000 * DAY, body(2))
        assert store.retain(Retention(age=None, size=None)) == 0
        assert store.body(1) == body(1)


def test_limits_are_read_and_said() -> None:
    assert Retention().words == "keeps 30 days, 2 GB"
    assert Retention(timedelta(hours=6), 500_000_000).words == "keeps 6 h, 500 MB"
    assert Retention(None, None).words == "keeps everything"
    assert [read_size(text) for text in ("2GB", "1.5 mb", "500k", "12")] == [2_000_000_000, 1_500_000, 500_000, 12]
    for text in ("much", "2XB", ""):
        with pytest.raises(ValueError, match="no size"):
            read_size(text)
