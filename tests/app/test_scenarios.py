"""Scenario files: read with their mistakes told, played with what they claim judged, and biting when nothing acts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lxml import etree

from console.app.scenario.claims import ClaimError, parse_claim
from console.app.scenario.play import PlayOptions, junit, play, play_script
from console.app.scenario.player import Played, Player, State
from console.app.scenario.script import read_script
from console.app.scenario.stage import Stage
from console.app.toml_file import FileError
from tests.conftest import REPOSITORY

SHIPPED = sorted((REPOSITORY / "resources" / "scenarios").glob("*.toml"))

SHORT = """\
id = "T"
title = "A limit is kept"
start = "2026-06-16T12:00"
duration = "3m"

[[act]]
at = "20s"
do = "issue"
event = "e-1"
signal = "LOAD_DISPATCH"
unit = "kW"
value = 1
starts_in = "20s"
lasts = "2m"

[[expect]]
at = "20s"
within = "30s"
that = "opt of e-1 is optIn"

[[expect]]
at = "1m"
within = "30s"
for = "30s"
that = "site power < 1.2 kW"
"""


def written(tmp_path: Path, text: str = SHORT) -> Path:
    file = tmp_path / "scenario.toml"
    file.write_text(text)
    return file


async def test_what_is_expected_comes_true_and_is_reported(tmp_path, capsys):
    file = written(tmp_path)
    assert await play(PlayOptions([file], as_json=True, junit=tmp_path / "out.xml")) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["passed"] and [each["state"] for each in told["expectations"]] == ["passed", "passed"]
    suite = etree.fromstring((tmp_path / "out.xml").read_bytes())[0]
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("T", "2", "0")


async def test_what_does_not_come_true_fails_with_what_was_seen(tmp_path):
    file = written(tmp_path, SHORT.replace("site power < 1.2 kW", "site power < -5 kW"))
    result = await play_script(read_script(file))
    assert not result.passed
    failed = [watch for watch in result.watches if watch.state is State.FAILED]
    assert [watch.expectation.claim.text for watch in failed] == ["site power < -5 kW"]
    assert float(failed[0].seen) > 500
    assert b"failure" in junit([result])


async def test_an_act_that_cannot_be_done_fails_the_scenario(tmp_path):
    file = written(tmp_path, SHORT + '\n[[act]]\nat = "1m"\ndo = "cancel"\nevent = "e-9"\n')
    result = await play_script(read_script(file))
    assert not result.passed and "e-9" in result.troubles[0]


async def test_the_same_scenario_goes_the_same_way_twice(tmp_path):
    script = read_script(written(tmp_path))
    first, second = [await play_script(script) for _ in range(2)]
    assert [watch.seen for watch in first.watches] == [watch.seen for watch in second.watches]
    assert first.messages == second.messages


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('do = "issue"', 'do = "isue"', 8, ["isue", "issue", "cancel"]),
        ('at = "20s"\ndo', 'at = "soon"\ndo', 7, ["soon"]),
        ('unit = "kW"', 'unit = "EUR/kWh"', 11, ["kW"]),
        ('that = "opt of e-1 is optIn"', 'that = "all is well"', 19, ["all is well", "site power"]),
        ('start = "2026-06-16T12:00"', 'start = "noon"', 3, ["noon"]),
        ('title = "A limit is kept"', "", 0, ["title"]),
        ("value = 1", "", 0, ["value", "issue"]),
        ('duration = "3m"', 'duration = "3m"\ncolour = "red"', 5, ["colour"]),
        ("site power < 1.2 kW", "Heater power < 1.2 kW", 25, ["Heater", "Battery"]),
    ],
)
async def test_a_mistake_is_one_message_with_its_line(tmp_path, old, new, line, words):
    assert old in SHORT
    with pytest.raises(FileError) as error:
        await play_script(read_script(written(tmp_path, SHORT.replace(old, new, 1))))
    assert "\n" not in str(error.value)
    for word in words:
        assert word in str(error.value)
    if line:
        assert error.value.line == line


@pytest.mark.parametrize("text", ["", "site power", "site power < much", "EV power between 1 kW", "opt of e-1"])
def test_a_claim_that_is_not_understood_says_how_claims_are_written(text):
    with pytest.raises(ClaimError) as error:
        parse_claim(text)
    assert "site power < 2 kW" in error.value.allowed


async def played(file: Path, without_cem: bool) -> Played:
    script = read_script(file)
    async with Stage(script, without_cem=without_cem) as stage:
        return await Player(script, stage).play()


@pytest.mark.slow
@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
async def test_a_shipped_scenario_passes_and_fails_without_the_energy_manager(file):
    result = await played(file, without_cem=False)
    assert result.passed, [(watch.expectation.claim.text, watch.seen) for watch in result.watches]
    assert not (await played(file, without_cem=True)).passed
