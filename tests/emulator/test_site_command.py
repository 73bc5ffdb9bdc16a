"""``python -m emulator``: facts scripts rely on, words for people, exit statuses."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from emulator.__main__ import main

DEMO = str(resources.files("nodebench_resources").joinpath("sites/demo.toml"))


def test_facts_are_json_objects_and_the_last_says_closed(capsys: pytest.CaptureFixture[str]):
    assert main([DEMO, "--for", "0.2", "--speed", "600", "--json", "--no-cem"]) == 0
    facts = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(next(iter(fact)) == "fact" for fact in facts)
    devices = {fact["name"]: fact for fact in facts if fact["fact"] == "device"}
    assert set(devices) == {"Meter", "Household", "PV roof", "Battery", "EV", "Washer"}
    assert set(devices["EV"]) == {"fact", "name", "kind", "power", "state"}
    assert (devices["EV"]["kind"], devices["EV"]["state"]) == ("ev", "charging")
    assert devices["EV"]["power"] == pytest.approx(11_040.0, abs=0.1)
    assert any(fact["fact"] == "reason" and fact["device"] == "Washer" for fact in facts)
    assert facts[-1] == {"fact": "closed"}


def test_people_read_when_the_clock_starts(capsys: pytest.CaptureFixture[str]):
    assert main([DEMO, "--for", "0.1s", "--at", "18:05", "--speed", "60"]) == 0
    out = capsys.readouterr().out
    assert "18:05 local time (Europe/Amsterdam)" in out.splitlines()[0]
    assert out.endswith("Closed.\n")


def test_the_energy_manager_leads_and_without_it_the_car_says_so(capsys: pytest.CaptureFixture[str]):
    words = []
    for options in ([], ["--no-cem"]):
        assert main([DEMO, "--for", "0.2", "--speed", "600", "--json", *options]) == 0
        facts = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        words.append([fact["text"] for fact in facts if fact["fact"] == "reason" and fact["device"] == "EV"])
    led, alone = words
    assert led and all("no energy manager" not in text for text in led)
    assert alone == ["Charges with all 16 A: no energy manager holds it."]


def test_a_bad_file_ends_with_2_and_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    bad = tmp_path / "bad.toml"
    bad.write_text(Path(DEMO).read_text("utf-8").replace('"10 kWh"', '"-10 kWh"'), "utf-8")
    assert main([str(bad)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "capacity: -10 kWh is too small. Allowed: an energy such as" in captured.err


@pytest.mark.parametrize("wrong", [["--for", "soon"], ["--speed", "0"], ["--at", "24:00"], ["--colour"], []])
def test_bad_usage_ends_with_2(wrong: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main([DEMO, *wrong] if wrong else [])
    assert ended.value.code == 2


def test_a_reader_that_goes_away_ends_it_quietly():
    with subprocess.Popen(
        [sys.executable, "-m", "emulator", DEMO, "--json", "--for", "30", "--speed", "60"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert json.loads(process.stdout.readline())["fact"] == "device"
        process.stdout.close()
        assert process.wait(timeout=20) == 0
        assert process.stderr.read() == b""
