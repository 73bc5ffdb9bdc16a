"""Whatever comes in, dissect answers: what it is, what is wrong with it, and the message where the meaning is clear."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.openadr import codec
from console.openadr.calendar import Duration
from console.openadr.codec import Envelope, dissect, write
from console.openadr.content import Particle, particles_of
from console.openadr.elements import FORMS, GROUPS, RAW
from console.openadr.findings import Severity
from console.openadr.model import (
    PAYLOADS,
    EiActivePeriod,
    EiEvent,
    EiEventSignal,
    EiResponse,
    EventDescriptor,
    Interval,
    ItemBase,
    OadrCreatedEvent,
    OadrDistributeEvent,
    OadrEvent,
    OadrPoll,
    OadrResponse,
    PayloadFloat,
    SignalPayload,
)

START = datetime(2030, 5, 1, 10, tzinfo=UTC)
POLL = write(OadrPoll(ven_id="ven-1"))


def event(event_id: str = "e-1") -> OadrEvent:
    hour = Duration.of(3600)
    interval = Interval(uid="0", duration=hour, payloads=(SignalPayload(payload=PayloadFloat(value=2.0)),))
    return OadrEvent(
        event=EiEvent(
            descriptor=EventDescriptor(
                event_id=event_id,
                modification_number=0,
                market_context="http://m",
                created_date_time=START,
                event_status="far",
            ),
            active_period=EiActivePeriod(dtstart=START, duration=hour, notification=Duration.zero),
            signals=(EiEventSignal(intervals=(interval,), signal_name="SIMPLE", signal_type="level", signal_id="s"),),
        )
    )


def distribute(*events: OadrEvent) -> bytes:
    return write(OadrDistributeEvent(request_id="r", vtn_id="vtn", events=events or (event(),)))


def test_a_plain_poll():
    dissection = dissect(POLL)
    assert dissection.message == OadrPoll(ven_id="ven-1")
    assert (dissection.element, dissection.envelope, dissection.valid) == ("oadrPoll", Envelope.PAYLOAD, True)
    assert dissection.severity is None
    assert not dissection.signed


def test_an_empty_body_is_worth_a_word_only():
    dissection = dissect(b" \n")
    assert dissection.severity is Severity.INFO
    assert dissection.tree is None


def test_a_body_over_the_limit_is_not_read():
    dissection = dissect(POLL, limit=100)
    assert [finding.rule for finding in dissection.findings] == ["size"]
    assert dissection.message is None


def test_a_doctype_is_never_tolerated():
    body = POLL.replace(b"?>\n", b'?>\n<!DOCTYPE x [<!ENTITY a "b">]>', 1)
    dissection = dissect(body)
    assert dissection.message is None and dissection.tree is None
    assert "DOCTYPE" in dissection.findings[0].text


def test_a_doctype_in_another_encoding_is_found_too():
    text = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY a "b">]>' + POLL.decode().split("?>")[1]
    dissection = dissect(text.encode("utf-16"))
    assert dissection.message is None
    assert any("DOCTYPE" in finding.text for finding in dissection.findings)


def test_another_encoding_is_read_and_remarked():
    text = POLL.decode().replace("UTF-8", "UTF-16")
    dissection = dissect(text.encode("utf-16"))
    assert dissection.message == OadrPoll(ven_id="ven-1")
    assert dissection.findings[0].severity is Severity.ERROR
    assert "UTF-8" in dissection.findings[0].text


def test_an_unknown_encoding_is_not_guessed():
    dissection = dissect(POLL.replace(b"UTF-8", b"UTF-7"))
    assert dissection.message is None
    assert "UTF-7".lower() in dissection.findings[0].text


def test_not_well_formed_says_where():
    dissection = dissect(b"<a>\n<b></a>")
    assert dissection.findings[0].line == 2
    assert "well-formed" in dissection.findings[0].text


def test_deep_nesting_is_refused():
    inner = b"<x>" * 120 + b"</x>" * 120
    body = POLL.replace(b"</oadr:oadrPoll>", inner + b"</oadr:oadrPoll>")
    dissection = dissect(body)
    assert dissection.message is None
    assert "nested" in dissection.findings[-1].text


@pytest.mark.parametrize(("cut", "envelope"), [(0, Envelope.BARE), (1, Envelope.SIGNED_OBJECT)])
def test_a_missing_envelope_is_a_warning(cut: int, envelope: Envelope):
    tree = dissect(POLL).tree
    assert tree is not None
    from lxml import etree

    node = tree[0][0] if cut == 0 else tree[0]
    dissection = dissect(etree.tostring(node))
    assert dissection.envelope is envelope
    assert dissection.message == OadrPoll(ven_id="ven-1")
    assert dissection.severity is Severity.WARNING


def test_two_signed_objects_are_not_acted_on():
    """A signature may cover one and we might act on the other."""
    start, end = POLL.index(b"<oadr:oadrSignedObject"), POLL.index(b"</oadr:oadrPayload")
    dissection = dissect(POLL[:end] + POLL[start:end] + POLL[end:])
    assert dissection.message is None
    assert "exactly one" in dissection.findings[0].text


def test_profile_a_is_recognised():
    body = b'<oadrPoll xmlns="http://openadr.org/oadr-2.0a/2012/07"/>'
    assert "2.0a" in dissect(body).findings[0].text


def test_an_unknown_payload_gets_a_hint():
    dissection = dissect(POLL.replace(b"oadrPoll", b"oadrPol"))
    assert dissection.message is None
    assert any("oadr:oadrPoll may be meant" in finding.text for finding in dissection.findings)


def test_unqualified_schema_version_is_read_and_faulted():
    dissection = dissect(POLL.replace(b"ei:schemaVersion", b"schemaVersion"))
    assert dissection.message == OadrPoll(ven_id="ven-1", schema_version="2.0b")
    assert not dissection.valid
    (finding,) = dissection.findings
    assert "ei:schemaVersion" in finding.text
    assert (finding.rule, finding.element, finding.line) == ("schema", "oadr:oadrPoll", 2)


def test_wrong_order_is_read_and_faulted():
    response = EiResponse(response_code="200", request_id="q")
    body = write(OadrResponse(response=response, ven_id="v"))
    ven = b"<ei:venID>v</ei:venID>"
    moved = body.replace(ven, b"").replace(b"<ei:eiResponse>", ven + b"<ei:eiResponse>")
    dissection = dissect(moved)
    assert dissection.message == OadrResponse(response=response, ven_id="v")
    (finding,) = dissection.findings
    assert finding.text == "ei:venID came before ei:eiResponse; the schema wants ei:eiResponse first."
    assert finding.path.endswith("oadrResponse/venID")


def test_a_missing_request_id_reads_as_empty():
    body = write(OadrResponse(response=EiResponse(response_code="200", request_id="q")))
    dissection = dissect(body.replace(b"<pyld:requestID>q</pyld:requestID>", b""))
    assert dissection.message == OadrResponse(response=EiResponse(response_code="200", request_id=""))
    (finding,) = dissection.findings
    assert finding.text == "ei:eiResponse lacks pyld:requestID; it belongs after ei:responseCode."


def test_a_time_without_zone_is_utc_with_a_finding():
    dissection = dissect(distribute().replace(b"2030-05-01T10:00:00Z", b"2030-05-01T10:00:00"))
    assert dissection.valid
    assert isinstance(dissection.message, OadrDistributeEvent)
    assert dissection.message.events[0].event.active_period.dtstart == START
    assert {finding.rule for finding in dissection.findings} == {"1"}


def test_schema_valid_times_beyond_reach_leave_no_message():
    body = distribute().replace(b"<xcal:date-time>2030", b"<xcal:date-time>-2030")
    dissection = dissect(body)
    assert dissection.valid
    assert dissection.message is None
    assert any("years 1 to 9999" in finding.text for finding in dissection.findings)


def test_an_unreadable_event_is_not_dropped_from_its_list():
    """Rule 61: an event missing from the list is cancelled; so a list that cannot be read whole is not read."""
    body = distribute(event("e-1"), event("e-2"))
    broken = body.replace(b"<ei:modificationNumber>0<", b"<ei:modificationNumber>many<", 1)
    dissection = dissect(broken)
    assert dissection.message is None
    assert any("'many'" in finding.text for finding in dissection.findings)


def test_a_bad_enumeration_value_is_kept_as_it_came():
    body = distribute().replace(b">far<", b">soon<")
    dissection = dissect(body)
    assert isinstance(dissection.message, OadrDistributeEvent)
    assert dissection.message.events[0].event.descriptor.event_status == "soon"
    assert "cancelled" in dissection.findings[0].text


def test_an_answer_without_responses_is_read():
    message = OadrCreatedEvent(response=EiResponse(response_code="200"), ven_id="v")
    assert dissect(write(message)).message == message


def test_nothing_in_the_corpora_makes_it_raise(shared: Path):
    seen = 0
    for folder in ("corpus", "corpus-authored"):
        for path in sorted((shared / folder).rglob("*")):
            if path.is_file():
                dissection = dissect(path.read_bytes())
                seen += 1
                assert dissection.valid or dissection.findings, path
    assert seen > 300


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.data())
def test_damaged_bytes_never_make_it_raise(data: st.DataObject):
    body = bytearray(distribute())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at] = data.draw(st.integers(0, 255))
    dissection = dissect(bytes(body))
    assert dissection.valid or dissection.findings


def test_deep_content_of_others_is_refused_in_a_valid_message_too():
    """xcal:components takes anything by the schema."""
    body = distribute()
    deep = b"<xcal:components>" + b"<x>" * 99 + b"</x>" * 99 + b"</xcal:components>"
    dissection = dissect(body.replace(b"<xcal:components/>", deep))
    assert dissection.valid
    assert dissection.message is None
    assert "nested" in dissection.findings[-1].text


def test_the_quick_way_knows_where_foreign_content_may_stand():
    """What may hold xcal:components or an Atom feed anywhere below is asked how deep it is; the table says which."""

    def open_below(particles: tuple[Particle, ...], seen: frozenset[object]) -> bool:
        for particle in particles:
            if particle.name in ("xcal:components", "atom:feed") and particle.kind is RAW:
                return True
            kinds: list[Any] = [particle.kind] if isinstance(particle.kind, type) else []
            if particle.name.startswith("@"):
                kinds = list(set(GROUPS[particle.name[1:]].values()) - {ItemBase})
            below = (particles_of(kind) for kind in kinds if kind not in seen)
            if open_below(particle.inner, seen) or any(open_below(inner, seen | set(kinds)) for inner in below):
                return True
        return False

    holding = {FORMS[cls].name.partition(":")[2] for cls in PAYLOADS if open_below(particles_of(cls), frozenset())}
    assert holding == codec._FOREIGN  # pyright: ignore[reportPrivateUsage]
