"""Facts as lines on standard output."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from console.app.running import Printer
from console.openadr.facts import FindingMade, RegistrationFailed

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
REFUSED = RegistrationFailed("beta is not among the known VENs.")


def finding(text: str, message: int = 2) -> FindingMade:
    return FindingMade(message, "registration", "error", "oadrCreatedPartyRegistration", text)


def test_a_person_is_told_once_of_a_registration_that_failed(capsys: pytest.CaptureFixture[str]):
    tell = Printer(as_json=False, tz=UTC)
    for fact in (REFUSED, finding(REFUSED.text), finding("Something else."), finding(REFUSED.text, 9), REFUSED):
        tell(fact, NOON)
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if REFUSED.text in line] == [lines[0], lines[2]], "and again when it happens again"
    assert lines[0] == f"12:00:00  {REFUSED.text}" and len(lines) == 3


def test_a_person_is_told_of_every_finding_though_they_read_alike(capsys: pytest.CaptureFixture[str]):
    tell = Printer(as_json=False, tz=UTC)
    for number in (2, 4, 6):
        tell(finding("The message is not well-formed XML.", number), NOON)
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_a_script_is_told_every_finding(capsys: pytest.CaptureFixture[str]):
    tell = Printer(as_json=True)
    for fact in (REFUSED, finding(REFUSED.text), finding(REFUSED.text, 9)):
        tell(fact, NOON)
    assert [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()] == [2, 9]
