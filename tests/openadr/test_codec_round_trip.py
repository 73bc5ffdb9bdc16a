"""What is written is read back as it was, and is valid by our schema and by the official one."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from lxml import etree

from console.openadr.codec import Envelope, dissect, write
from console.openadr.model import PAYLOADS, EiResponse, OadrPoll, OadrResponse, Payload
from tests.openadr.message_strategies import MESSAGES, messages_of

PATIENT = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@cache
def official(shared: Path) -> etree.XMLSchema:
    return etree.XMLSchema(file=str(shared / "schema/2.0b/oadr_20b.xsd"))


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda cls: cls.__name__)
def test_every_message_survives_writing_and_reading(payload: type[Payload]):
    @settings(PATIENT, max_examples=15)
    @given(messages_of(payload))
    def check(message: Payload):
        dissection = dissect(write(message))
        assert dissection.message == message
        assert dissection.valid, dissection.findings
        assert dissection.envelope is Envelope.PAYLOAD
        assert dissection.findings == ()

    check()


def test_what_we_write_is_valid_by_the_official_schema(shared: Path):
    @PATIENT
    @given(MESSAGES)
    def check(message: Payload):
        body = write(message)
        if b"www.w3.org/2005/Atom" not in body:  # our test feed is no real Green Button feed
            assert official(shared).validate(etree.fromstring(body)), official(shared).error_log.last_error

    check()


def test_the_authored_messages_survive_reading_and_writing(shared: Path):
    folder = shared / "corpus-authored/valid"
    names = [row["file"] for row in csv.DictReader((shared / "corpus-authored/index.csv").open())]
    bodies = [path.read_bytes() for path in sorted(folder.glob("*.xml"))]
    assert len(bodies) == sum(name.startswith("valid/") for name in names)
    for body in bodies:
        first = dissect(body)
        assert first.valid and first.message is not None
        again = dissect(write(first.message))
        assert again.valid
        assert again.message == first.message


def test_only_needed_namespaces_are_declared():
    poll = write(OadrPoll(ven_id="ven-1"))
    assert poll.count(b"xmlns:") == 2
    assert b"emix" not in write(OadrResponse(response=EiResponse(response_code="200")))


def test_text_that_needs_escaping_comes_back():
    for text in ("<&>\"'", "a\rb", " leading and trailing ", "]]>", "é漢", ""):
        dissection = dissect(write(OadrPoll(ven_id=text)))
        assert dissection.message == OadrPoll(ven_id=text)


def test_what_xml_cannot_carry_is_refused_before_it_leaves():
    with pytest.raises(ValueError, match="cannot carry"):
        write(OadrPoll(ven_id="a\x00b"))


def test_the_signed_object_gets_an_identity_on_request():
    body = write(OadrPoll(ven_id="v"), object_id="oadr-1")
    assert b'oadr:Id="oadr-1"' in body
    assert dissect(body).valid
