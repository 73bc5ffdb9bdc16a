"""The lab as an engineer meets it: an event moves devices, and the line that says why adds up."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

TOLERANCE_W = 200.0
"""Rounding of four figures with one decimal of a kW each."""


def lab(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "console", "demo", *words],
        capture_output=True, text=True, timeout=120, cwd=REPOSITORY,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
    )  # fmt: skip


def in_watts(text: str) -> float:
    number, unit = text.split()
    return float(number) * (1000.0 if unit == "kW" else 1.0)


@pytest.mark.slow
def test_the_event_moves_the_devices_and_the_reason_adds_up():
    result = lab("--headless", "--json", "--for", "40", "--seed", "1")
    assert result.returncode == 0, result.stderr
    facts = [json.loads(line) for line in result.stdout.splitlines()]

    order = [fact["fact"] for fact in facts]
    assert order.index("listening") < order.index("registered") < order.index("event") < order.index("opt")
    assert {"event_id": "e-17", "opt_type": "optIn"}.items() <= next(f for f in facts if f["fact"] == "opt").items()
    assert "active" in [fact["status"] for fact in facts if fact["fact"] == "event"]

    ev = [fact["power"] for fact in facts if fact["fact"] == "device" and fact["name"] == "EV"]
    assert max(ev) > 11_000 > 9_500 > ev[-1]
    meter = [fact["power"] for fact in facts if fact["fact"] == "device" and fact["name"] == "Meter"]
    assert max(meter) > 7_500 and meter[-1] < 1_500 + 200

    held = [fact["text"] for fact in facts if fact["fact"] == "reason" and fact["device"] == "EV"]
    line = next(text for text in reversed(held) if "held at" in text)
    said = re.fullmatch(
        r"EV held at (?P<ev>[\d.]+ k?W): limit (?P<limit>[\d.]+ k?W) from event e-17 until 12:30, "
        r"base load (?P<base>[\d.]+ k?W), PV roof gives (?P<pv>[\d.]+ k?W), Battery gives (?P<battery>[\d.]+ k?W), "
        r"(?P<free>[\d.]+ k?W) kept free",
        line,
    )
    assert said, line
    watts = {name: in_watts(text) for name, text in said.groupdict().items()}
    assert watts["limit"] == 1500.0
    room = watts["limit"] - watts["base"] + watts["pv"] + watts["battery"] - watts["free"]
    assert abs(watts["ev"] - room) < TOLERANCE_W
    assert abs(watts["ev"] - ev[-1]) < TOLERANCE_W


@pytest.mark.slow
def test_the_window_opens_on_the_lab_registers_and_ends_cleanly(tmp_path):
    result = lab("--for", "8", "--shots", str(tmp_path), "--measure")
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr and "QTimer" not in result.stderr
    names = {json.loads(line)["measure"] for line in result.stdout.splitlines()}
    assert names == {"first_paint", "attached", "registered", "longest_gap"}
    pictures = sorted(path.name for path in tmp_path.glob("*.png"))
    views = ("composer", "events", "messages", "presence", "reports", "site")
    assert pictures == [f"{view}-{theme}.png" for view in views for theme in ("dark", "light")]


@pytest.mark.slow
def test_a_fast_clock_carries_the_lab_through_its_whole_event():
    result = lab("--headless", "--json", "--for", "25", "--speed", "300")
    assert result.returncode == 0, result.stderr
    facts = [json.loads(line) for line in result.stdout.splitlines()]
    assert [fact["status"] for fact in facts if fact["fact"] == "event"] == ["far", "active", "completed"]
    assert "offline" not in {fact["state"] for fact in facts if fact["fact"] == "presence"}
    assert not [fact for fact in facts if fact["fact"] == "finding"]


@pytest.mark.slow
def test_a_second_run_on_the_same_recording_goes_on_where_the_first_ended(tmp_path):
    words = ("--headless", "--json", "--for", "10", "--speed", "60", "--store", str(tmp_path / "lab.oadrrec"))
    first, second = lab(*words), lab(*words)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "started 11:30 local" in first.stderr and "went on from 11:" in second.stderr
    facts = [json.loads(line) for line in second.stdout.splitlines()]
    assert not [fact for fact in facts if fact["fact"] == "finding"]
    assert {fact["event_id"] for fact in facts if fact["fact"] == "event"} == {"e-17"}, "still out, so not issued again"
    meter = [fact["power"] for fact in facts if fact["fact"] == "device" and fact["name"] == "Meter"]
    assert meter[-1] < 1_500 + 200, "the house follows the event it was in"
