"""The inspector's tree shows every element with its meaning, and whatever was found wrong, for any bytes at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta, timezone
from pathlib import Path

from console.openadr import rules
from console.openadr.codec import dissect, write
from console.openadr.explain import Node, tree
from console.openadr.findings import Finding, Severity
from console.openadr.model import OadrPoll
from tests.openadr.full_messages import full_messages
from tests.openadr.test_codec_dissect import distribute

CET = timezone(timedelta(hours=1), "CET")


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from walk(child)


def named(root: Node, name: str) -> Node:
    return next(node for node in walk(root) if node.name == name)


def test_an_element_has_name_value_meaning_clause_path_and_line():
    status = named(tree(dissect(distribute())), "ei:eventStatus")
    assert status.value == "far"
    assert status.clause == "9.2.1 rule 13"
    assert (
        status.path == "oadrPayload/oadrSignedObject/oadrDistributeEvent/oadrEvent/eiEvent/eventDescriptor/eventStatus"
    )
    assert status.line == 2
    assert "active" in status.meaning


def test_times_and_durations_are_told_beside_the_text():
    root = tree(dissect(distribute()), CET)
    assert named(root, "xcal:date-time").value == "2030-05-01T10:00:00Z (2030-05-01 11:00:00 CET)"
    inner = named(root, "xcal:duration").children[0]
    assert inner.value == "PT1H (1 h)"


def test_attributes_are_shown():
    version = named(tree(dissect(distribute())), "@ei:schemaVersion")
    assert version.value == "2.0b"


def test_a_finding_stands_at_its_element_and_nowhere_else():
    root = tree(dissect(distribute().replace(b">far<", b">soon<")))
    holders = [node for node in walk(root) if node.findings]
    assert [node.name for node in holders] == ["ei:eventStatus"]
    assert "'soon'" in holders[0].findings[0].text


def test_findings_about_no_element_stand_at_the_root():
    remark = Finding("http", Severity.WARNING, "The content type is text/plain.")
    root = tree(dissect(write(OadrPoll(ven_id="v"))), findings=[remark])
    assert root.findings == (remark,)


def test_a_rules_finding_finds_its_place_without_the_envelope():
    from lxml import etree

    whole = dissect(distribute().replace(b"<xcal:text>0<", b"<xcal:text>7<")).tree
    assert whole is not None
    bare = dissect(etree.tostring(whole[0][0]))
    assert bare.message is not None
    root = tree(bare, findings=rules.check(bare.message))
    assert [node.name for node in walk(root) if node.findings] == ["xcal:text"]


def test_every_element_of_every_message_has_a_meaning():
    from lxml import etree

    for message in full_messages():
        for node in walk(tree(dissect(etree.tostring(message)))):
            assert node.meaning or "gml" in node.name, (node.name, node.path)


def test_values_are_told_in_their_unit(shared: Path):
    body = (shared / "corpus-authored/valid/distribute_load_dispatch_and_simple.xml").read_bytes()
    values = [node.value for node in walk(tree(dissect(body))) if node.name == "ei:value"]
    assert any(value.endswith(" kW)") for value in values)
    assert any("(" not in value for value in values)


def test_garbage_is_shown_too(shared: Path):
    assert tree(dissect(b"GET / HTTP/1.1")).value == "GET / HTTP/1.1"
    assert tree(dissect(b"\xff\xfe\x00")).findings
    assert [node.name for node in walk(tree(dissect(b"<a><b c='1'/></a>")))] == ["a", "b", "@c"]
    for path in sorted((shared / "corpus").rglob("*")):
        if path.is_file():
            dissection = dissect(path.read_bytes())
            shown = [finding.text for node in walk(tree(dissection)) for finding in node.findings]
            assert sorted(shown) == sorted(finding.text for finding in dissection.findings), path
