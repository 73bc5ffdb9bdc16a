"""No exception leaves dissect, nor what reads its result, whatever the bytes; what it costs is bounded."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from lxml import etree

from console.openadr import explain, rules, schema
from console.openadr.codec import dissect, write
from console.openadr.model import OadrDistributeEvent
from tests.openadr.broken_bytes import broken
from tests.openadr.full_messages import full_messages
from tests.openadr.test_codec_dissect import POLL, distribute, event

SEEDS = [POLL, distribute(event(), event("e-2")), *(etree.tostring(root) for root in full_messages())]
QUICK = settings(max_examples=300, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])


def read_all(body: bytes) -> None:
    dissection = dissect(body)
    explain.tree(dissection)
    assert dissection.tree is not None or dissection.findings
    if dissection.message is not None:
        rules.check(dissection.message, None, dissection.profile)
        explain.summary(dissection.message)
        with suppress(ValueError):  # what was read patiently may lack what writing needs
            write(dissection.message, profile=dissection.profile)


@seed(20)
@QUICK
@given(st.binary(max_size=400))
def test_any_bytes(body: bytes):
    read_all(body)


@seed(21)
@QUICK
@given(st.sampled_from(SEEDS[:4]), st.lists(st.tuples(st.integers(0, 3000), st.binary(max_size=8)), max_size=5))
def test_bytes_put_into_messages(body: bytes, accidents: list[tuple[int, bytes]]):
    for at, piece in accidents:
        body = body[:at] + piece + body[at + len(piece) // 2 :]
    read_all(body)


@pytest.mark.parametrize("count", [500, pytest.param(6_000, marks=pytest.mark.slow)])
def test_messages_after_accidents(count: int):
    chance = random.Random(5)
    understood = 0
    for _ in range(count):
        body = broken(SEEDS, chance)
        read_all(body)
        understood += dissect(body).message is not None
    assert understood > count // 20


def test_findings_are_bounded():
    """However large the message: else the list itself, and finding each place, would be an attack."""
    many = distribute(*[event(f"e-{number}") for number in range(500)])
    for wrong in (
        many.replace(b">far<", b">soon<"),
        many.replace(b"<ei:value>2.0<", b"<ei:value>7.0<"),
        many.replace(b"ei:eventID>", b"ei:eventId>"),
        many.replace(b":00:00Z", b":00:00+01:00"),
        many.replace(b"<ei:eiEvent>", b'<ei:eiEvent xsi:schemaLocation="a" xmlns:xsi="%s">' % _XSI),
    ):
        dissection = dissect(wrong)
        found = list(dissection.findings)
        if dissection.message is not None:
            found += rules.check(dissection.message)
        assert 1 < len(found) <= 3 * schema.MOST


_XSI = b"http://www.w3.org/2001/XMLSchema-instance"


def test_content_that_cannot_be_canonical_is_carried():
    """Canonical XML takes no relative namespace names."""
    area = b'<FeatureCollection xmlns="relative"><x/></FeatureCollection>'
    body = distribute().replace(b"<ei:eiTarget></ei:eiTarget>", b"<ei:eiTarget>%s</ei:eiTarget>" % _AREA % area)
    assert area in body
    dissection = dissect(body)
    assert isinstance(dissection.message, OadrDistributeEvent)
    assert b"relative" in dissection.message.events[0].event.target.service_areas[0]


_AREA = b"<emix:serviceArea>%s</emix:serviceArea>"
