"""Recordings as files: copied, merged, trimmed; sources stay, and what is cancelled leaves nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from console.app.long_work import Cancelled, LongWork, Progress
from console.app.recording import Span, copy_recording, merge_recordings, trim_recording
from console.openadr.facts import EventChanged, Registered
from console.store.recording import Recording
from console.store.store import Store, StoreError
from tests.app.recorded import EVENT_START, START, record


def row(reader: Recording, number: int) -> tuple[object, ...]:
    """A message without its numbers."""
    view = reader.log.view(number - 1)
    head = reader.head(number)
    found = reader.findings(number)
    return (view.time, view.session, view.outgoing, view.peer, view.element, view.summary, view.size, view.latency,
            view.status, head, found, reader.body(number))  # fmt: skip


async def test_a_copy_is_made_while_the_recording_is_being_written(tmp_path: Path) -> None:
    source = await record(tmp_path / "a", 60)
    with Store.open(source) as store:
        copy_recording(store.path, tmp_path / "b.oadrrec", "Tuesday's test")
        with Recording(tmp_path / "b.oadrrec") as copied, Recording(source) as original:
            assert copied.name == "Tuesday's test"
            assert len(copied.log) == len(original.log) > 10
            assert [row(copied, n) for n in (1, 5)] == [row(original, n) for n in (1, 5)]
        with pytest.raises(StoreError, match="exists already"):
            copy_recording(store.path, tmp_path / "b.oadrrec")
        copy_recording(store.path, tmp_path / "b.oadrrec", replacing=True)
        with pytest.raises(StoreError, match="itself"):
            copy_recording(source, source, replacing=True)


async def test_a_trimmed_one_holds_its_part_and_what_was_true_before(tmp_path: Path) -> None:
    source = await record(tmp_path / "a")
    with Recording(source) as whole:
        since, until = EVENT_START - timedelta(seconds=5), EVENT_START + timedelta(seconds=20)
        count = trim_recording(whole, Span(since=since, until=until), tmp_path / "b", name="the event begins")
        inside = [n for n in range(1, len(whole.log) + 1) if since <= whole.log.view(n - 1).time <= until]
        with Recording(tmp_path / "b") as part:
            assert len(part.log) == count == len(inside) > 4
            assert [row(part, n + 1) for n in range(count)] == [row(whole, n) for n in inside]
            shift = inside[0] - 1
            for n, old in enumerate(inside):
                before = whole.log.view(old - 1)
                assert part.log.view(n).reply_to == (before.reply_to - shift if before.reply_to > shift else 0)
            assert any(isinstance(noted.fact, Registered) for noted in part.facts())
            points = part.points()
            assert points and all(since <= each.time <= until for each in points)
            assert not any(noted.time > until for noted in part.facts())
        with pytest.raises(StoreError, match="no message"):
            trim_recording(whole, Span(first=10_000), tmp_path / "c")
        trim_recording(whole, Span(first=2, last=3), tmp_path / "d")
        with Recording(tmp_path / "d") as two:
            assert [row(two, 1), row(two, 2)] == [row(whole, 2), row(whole, 3)]


async def test_two_are_merged_in_order_of_time_and_answers_find_their_requests(tmp_path: Path) -> None:
    source = await record(tmp_path / "a", 120)
    with Recording(source) as whole:
        middle = len(whole.log) // 2
        trim_recording(whole, Span(last=middle), tmp_path / "first")
        trim_recording(whole, Span(first=middle + 1), tmp_path / "second")
        with Recording(tmp_path / "first") as first, Recording(tmp_path / "second") as second:
            assert merge_recordings((second, first), tmp_path / "both", name="both") == len(whole.log)
        with Recording(tmp_path / "both") as both:
            times = [both.log.view(n).time for n in range(len(both.log))]
            assert times == sorted(times)
            assert sorted(map(str, (row(both, n + 1) for n in range(len(times))))) == sorted(
                map(str, (row(whole, n + 1) for n in range(len(times))))
            )
            for n in range(len(times)):
                view = both.log.view(n)
                if view.reply_to:
                    assert both.log.view(view.reply_to - 1).answered_by == view.number
            assert sum(isinstance(each.fact, EventChanged) for each in both.facts()) >= 1
            assert len(both.points()) == len(whole.points())


async def test_what_is_cancelled_leaves_nothing_behind(tmp_path: Path) -> None:
    source = await record(tmp_path / "a", 60)
    with Recording(source) as whole:

        def stop(done: int, total: int) -> None:
            raise Cancelled

        with pytest.raises(Cancelled):
            trim_recording(whole, Span(), tmp_path / "b", progress=stop)

        def work(progress: Progress) -> str:
            return f"{merge_recordings((whole, whole), tmp_path / 'c', progress=progress)} messages"

        merging = LongWork("Merging", work)
        merging.join()
        assert merging.ok and merging.text == f"{2 * len(whole.log)} messages"
        assert merging.share == 1.0

        refused = LongWork("Merging", work)
        refused.join()
        assert not refused.ok and "exists already" in refused.text
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a", "c"]
    assert START < EVENT_START
