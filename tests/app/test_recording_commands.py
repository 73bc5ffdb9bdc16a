"""``nodebench export``, ``merge`` and ``trim``: exit codes and sentences."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.app.recording_keeping import keep_within, read_limits
from console.cli import main
from console.session.clock import VirtualClock
from console.store.recording import Recording
from console.store.retention import Retention
from console.store.store import Store, StoreError
from tests.app.recorded import record


async def test_a_filtered_part_is_exported_redacted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = await record(tmp_path / "a", 130)
    out = tmp_path / "events.jsonl"
    words = ["export", str(source), str(out), "--format", "jsonl", "--redact", "--filter", "xpath('//ei:eventID')"]
    assert main(words) == 0
    assert "are replaced" in capsys.readouterr().out
    first, *rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert first["redacted"] and rows and all("eventID" in row["body"] for row in rows)
    assert "e-rosa" not in out.read_text()
    assert main(words) == 2
    assert "exists already" in capsys.readouterr().err
    assert main([*words[:2], str(tmp_path / "b"), *words[3:-1], "size >"]) == 2
    assert "filter is not understood" in capsys.readouterr().err


async def test_parts_are_trimmed_and_merged_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = await record(tmp_path / "a", 60)
    first, second, both = (str(tmp_path / name) for name in ("first", "second", "both"))
    assert main(["trim", str(source), first, "--last", "10", "--name", "begin"]) == 0
    assert main(["trim", str(source), second, "--first", "11", "--until", "2026-06-01T10:05:00Z"]) == 0
    assert main(["merge", both, first, second]) == 0
    with Recording(source) as whole, Recording(tmp_path / "both") as merged, Recording(tmp_path / "first") as begin:
        assert len(merged.log) == len(whole.log) and begin.name == "begin"
    capsys.readouterr()
    assert main(["trim", str(tmp_path / "none"), first]) == 2
    assert "no file" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        main(["trim", str(source), first, "--since", "yesterday"])
    assert stopped.value.code == 2


def test_opening_what_is_no_recording_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a").write_text("hello")
    assert main(["open", str(tmp_path / "a")]) == 2
    assert "no recording of Nodebench" in capsys.readouterr().err


def test_limits_are_read_from_the_command_line() -> None:
    assert read_limits("7d,500MB") == Retention(timedelta(days=7), 500_000_000)
    assert read_limits("12h") == Retention(timedelta(hours=12), None)
    assert read_limits("2GB") == Retention(None, 2_000_000_000)
    assert read_limits("all") == Retention(None, None)
    for text in ("much", "7d,", "lotsB"):
        with pytest.raises(ValueError, match="7d,500MB"):
            read_limits(text)


async def test_a_recording_is_held_within_its_limits_while_it_is_written() -> None:
    start = datetime(2026, 6, 1, tzinfo=UTC)
    clock = VirtualClock(start)
    with Store.open() as store:
        keeping = asyncio.ensure_future(keep_within(store, Retention(timedelta(hours=1), None), clock))
        for hours in range(4):
            store.append(
                time=start + timedelta(hours=hours), session="s", outgoing=False, peer="p", transport="http",
                start_line="", headers=(), body=f"hour {hours}".encode(),
            )  # fmt: skip
            await store.flush()
        for _ in range(50):
            await clock.advance(30.0)
        with pytest.raises(StoreError, match="any more"):
            store.body(1)
        assert store.body(4) == b"hour 3"
        keeping.cancel()
