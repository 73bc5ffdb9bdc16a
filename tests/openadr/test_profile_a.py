"""Profile 2.0a: read into the classes of 2.0b, written from them, judged as its official schema judges."""

from __future__ import annotations

import copy
import random
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest
from lxml import etree

from console.openadr import profile_a, rules, schema
from console.openadr.calendar import Duration
from console.openadr.codec import A, dissect, write
from console.openadr.content import Particle
from console.openadr.elements import RAW, Lexical, Node, qualified
from console.openadr.findings import Severity
from console.openadr.model import (
    EiActivePeriod,
    EiEvent,
    EiEventSignal,
    EiResponse,
    EiTarget,
    EventDescriptor,
    EventResponse,
    Interval,
    OadrCreatedEvent,
    OadrDistributeEvent,
    OadrEvent,
    OadrPoll,
    OadrRequestEvent,
    OadrResponse,
    Payload,
    PayloadFloat,
    QualifiedEventID,
    SignalPayload,
)
from tests.openadr.full_messages import sample
from tests.openadr.test_schema_oracle import TEXTS, mutated

START = datetime(2030, 5, 1, 10, tzinfo=UTC)
HOUR = Duration.of(3600)
OK = EiResponse(response_code="200", request_id="r")


def event(signal_name: str = "simple", value: float = 2.0, current: float | None = 0.0) -> OadrEvent:
    interval = Interval(uid="0", duration=HOUR, payloads=(SignalPayload(payload=PayloadFloat(value=value)),))
    signal = EiEventSignal(
        intervals=(interval,), signal_name=signal_name, signal_type="level", signal_id="s", current_value=current
    )
    return OadrEvent(
        event=EiEvent(
            descriptor=EventDescriptor(
                event_id="e",
                modification_number=0,
                market_context="http://m",
                created_date_time=START,
                event_status="far",
            ),
            active_period=EiActivePeriod(dtstart=START, duration=HOUR, notification=Duration.zero),
            signals=(signal,),
            target=EiTarget(ven_ids=("v",)),
        )
    )


ANSWER = EventResponse(
    response_code="200",
    request_id="r",
    qualified_event_id=QualifiedEventID(event_id="e", modification_number=0),
    opt_type="optIn",
)
MESSAGES: tuple[Payload, ...] = (
    OadrDistributeEvent(request_id="r", vtn_id="vtn", events=(event(),), schema_version=""),
    OadrDistributeEvent(response=OK, request_id="r", vtn_id="vtn", schema_version=""),
    OadrCreatedEvent(response=OK, event_responses=(ANSWER,), ven_id="v", schema_version=""),
    OadrRequestEvent(request_id="r", ven_id="v", reply_limit=2, schema_version=""),
    OadrResponse(response=OK, schema_version=""),
)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_what_is_written_is_read(message: Payload):
    body = write(message, profile=A)
    assert b"oadrPayload" not in body and b"schemaVersion" not in body
    dissection = dissect(body)
    assert dissection.message == message
    assert (dissection.profile, dissection.valid) == ("2.0a", True)
    assert dissection.severity is Severity.INFO


def test_the_ven_id_of_a_response_has_no_place():
    body = write(OadrResponse(response=OK, ven_id="v"), profile=A)
    assert b"venID" not in body
    assert dissect(body).valid


def test_what_the_profile_lacks_is_not_written():
    with pytest.raises(ValueError, match="does not exist"):
        write(OadrPoll(ven_id="v"), profile=A)
    with pytest.raises(ValueError, match="currentValue"):
        write(OadrDistributeEvent(request_id="r", vtn_id="v", events=(event(current=None),)), profile=A)


def test_a_document_reads_the_same_after_it_was_read():
    """Reading borrows the tree; afterwards it is as it came."""
    dissection = dissect(write(MESSAGES[0], profile=A))
    assert dissection.tree is not None
    assert schema.is_valid_a(dissection.tree)


def test_broken_ones_are_read_as_far_as_clear():
    body = write(MESSAGES[0], profile=A).replace(b"<ei:signalType>level</ei:signalType>", b"")
    dissection = dissect(body)
    assert not dissection.valid
    assert any("lacks ei:signalType" in finding.text for finding in dissection.findings)


def test_other_messages_of_the_namespace_are_named():
    dissection = dissect(b'<oadrPoll xmlns="http://openadr.org/oadr-2.0a/2012/07"/>')
    assert dissection.message is None
    assert "no such message" in dissection.findings[0].text


def test_deep_ones_are_not_read():
    body = write(MESSAGES[0], profile=A)
    deep = body.replace(
        b"<xcal:components/>", b"<xcal:components>" + b"<x>" * 99 + b"</x>" * 99 + b"</xcal:components>"
    )
    dissection = dissect(deep)
    assert dissection.message is None
    assert "nested" in dissection.findings[-1].text


def test_rule_7_one_signal_named_simple():
    good = dissect(write(MESSAGES[0], profile=A))
    assert good.message is not None
    assert rules.check(good.message, profile=A) == []
    bad = OadrDistributeEvent(request_id="r", vtn_id="v", events=(event("price"),), schema_version="")
    assert [finding.rule for finding in rules.check(bad, profile=A)] == ["7"]
    two = event()
    both = (*two.event.signals, *two.event.signals)
    bad = replace(bad, events=(replace(two, event=replace(two.event, signals=both)),))
    assert "7" in {finding.rule for finding in rules.check(bad, profile=A)}


def test_rules_of_2_0b_do_not_bind():
    bad = OadrDistributeEvent(request_id="r", vtn_id="v", events=(event(value=7.0),), schema_version="")
    assert [finding.rule for finding in rules.check(bad, profile=A)] == ["9"]
    assert "509" in {finding.rule for finding in rules.check(bad)}


# Schema -------------------------------------------------------------------------------------------------------------


def test_the_committed_files_are_what_the_table_says():
    folder = files("nodebench_resources") / "schema/2.0a"
    for name, text in profile_a.schema_files().items():
        assert (folder / name).read_text(encoding="utf-8") == text, f"run console.openadr.profile_a for {name}"


def official(shared: Path) -> etree.XMLSchema:
    return etree.XMLSchema(file=str(shared / "schema/2.0a/oadr_20a.xsd"))


def full_messages() -> list[Node]:
    found: list[Node] = []
    for name in profile_a.ROOTS:
        root = etree.Element(qualified(name))
        _fill(root, profile_a.particles_of(name))
        found.append(root)
    return found


def _fill(node: Node, particles: tuple[Particle, ...]) -> None:
    for particle in particles:
        for _ in range(2 if particle.repeated else 1):
            child = etree.SubElement(node, qualified(particle.name))
            if isinstance(particle.kind, Lexical):
                child.text = None if particle.kind is RAW else sample(particle.kind)
            _fill(child, particle.inner)


def test_same_verdict_on_the_corpus(shared: Path):
    judge = official(shared)
    judged = 0
    for path in sorted((shared / "corpus/2.0a").rglob("*.xml")):
        dissection = dissect(path.read_bytes())
        if dissection.tree is not None:
            judged += 1
            assert dissection.valid == judge.validate(dissection.tree), path
    assert judged > 25


def test_same_verdict_on_every_text_and_on_mutations(shared: Path):
    judge = official(shared)
    chance = random.Random(3)
    accepted = 0
    for root in full_messages():
        assert judge.validate(root), judge.error_log.last_error
        for leaf in [node for node in root.iter() if len(node) == 0]:
            kept = leaf.text
            for text in TEXTS:
                leaf.text = text
                assert schema.is_valid_a(root) == judge.validate(root), (leaf.tag, text)
            leaf.text = kept
        for _ in range(700):
            broken = mutated(copy.deepcopy(root), chance)
            verdict = judge.validate(broken)
            accepted += verdict
            assert schema.is_valid_a(broken) == verdict, etree.tostring(broken)
            assert bool(schema.errors(broken)) != verdict, etree.tostring(broken)
    assert 200 < accepted < 2000
