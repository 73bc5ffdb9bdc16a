"""``nodebench export``, ``merge`` and ``trim``: exit codes and sentences."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.cli import main
from console.store.recording import Recording
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
