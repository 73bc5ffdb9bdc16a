"""Each rule finds the message written to break it, and lets the good ones pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.openadr import rules
from console.openadr.codec import dissect, write
from console.openadr.explain import tree
from console.openadr.findings import Finding, Severity
from console.openadr.model import (
    EiResponse,
    OadrCreatedEvent,
    OadrCreatePartyRegistration,
    OadrDistributeEvent,
    OadrPoll,
    OadrRegisterReport,
    OadrResponse,
)
from tests.openadr.test_codec_dissect import distribute, event


def findings_of(body: bytes, from_ven: bool | None = None) -> list[Finding]:
    dissection = dissect(body)
    assert dissection.message is not None, dissection.findings
    return [*dissection.findings, *rules.check(dissection.message, from_ven)]


def test_every_authored_violation_is_found_by_its_rule(shared: Path):
    missed: list[str] = []
    judged = 0
    for path in sorted((shared / "corpus-authored/rule-violations").glob("R*.xml")):
        number = path.name[1:4].lstrip("0")
        judged += 1
        if number not in {finding.rule for finding in findings_of(path.read_bytes())}:
            missed.append(path.name)
    assert judged > 35
    assert missed == []


def test_authored_good_messages_break_no_rule(shared: Path):
    for path in sorted((shared / "corpus-authored/valid").glob("*.xml")):
        assert findings_of(path.read_bytes()) == [], path.name


def test_a_rule_has_number_clause_and_sentence():
    assert {rule.number for rule in rules.RULES} >= {2, 8, 9, 35, 41, 42, 63, 100, 104, 305, 331, 402, 508, 509}
    for rule in rules.RULES:
        assert rule.text.endswith("."), rule.check
        assert rule.clause.endswith(f"rule {rule.number}")


def test_a_finding_stands_at_its_element_in_the_tree():
    """The path made from the typed message is the path of the element in the bytes."""
    body = distribute(event("e-1"), event("e-2")).replace(b"<xcal:text>0<", b"<xcal:text>7<")
    dissection = dissect(body)
    assert isinstance(dissection.message, OadrDistributeEvent)
    found = rules.check(dissection.message)
    assert {finding.rule for finding in found} == {"2"}
    root = tree(dissection, findings=found)
    assert root.findings == ()
    first = found[0]
    assert first.path.endswith("oadrEvent[1]/eiEvent/eiEventSignals/eiEventSignal/intervals/interval/uid/text")
    assert first.element == "xcal:text"
    assert "'7'" in first.text


def test_an_open_ended_event_needs_no_sum():
    """Rule 47: a duration of zero lasts until it is cancelled."""
    body = distribute().replace(
        b"<xcal:duration>PT1H</xcal:duration></xcal:duration><ei:x",
        b"<xcal:duration>PT0S</xcal:duration></xcal:duration><ei:x",
    )
    assert findings_of(body) == []


def test_a_refusal_needs_no_answers():
    bad = OadrCreatedEvent(response=EiResponse(response_code="200"), ven_id="v")
    good = OadrCreatedEvent(response=EiResponse(response_code="463"), ven_id="v")
    assert [finding.rule for finding in rules.check(bad)] == ["35"]
    assert rules.check(good) == []


def test_who_sent_it_decides_about_the_ven_id():
    response = OadrResponse(response=EiResponse(response_code="200"))
    assert rules.check(response) == []
    assert rules.check(response, from_ven=False) == []
    assert [finding.rule for finding in rules.check(response, from_ven=True)] == ["508"]
    assert [finding.rule for finding in rules.check(OadrPoll(ven_id=""))] == ["508"]


def test_a_pushed_ven_gives_its_address():
    message = OadrCreatePartyRegistration(
        request_id="r",
        profile_name="2.0b",
        transport_name="simpleHttp",
        report_only=False,
        xml_signature=False,
        http_pull_model=False,
    )
    (finding,) = rules.check(message)
    assert "oadrTransportAddress" in finding.text
    assert finding.severity is Severity.ERROR


@pytest.mark.parametrize(("version", "broken"), [("2.0b", False), ("2.0a", True), ("", True)])
def test_the_version(version: str, broken: bool):
    found = findings_of(write(OadrRegisterReport(request_id="r", ven_id="v", schema_version=version)))
    assert bool(found) is broken
