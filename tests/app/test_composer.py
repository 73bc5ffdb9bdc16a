"""The composer: presets that are valid, a form in step with its XML, variables, breaks, and what is sent."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from console.app.composer import History, Way, check, prepared, send, service_of
from console.app.composer_breaks import BREAKS, CannotBreak
from console.app.composer_form import fields_of, payload_name, set_field
from console.app.composer_presets import presets
from console.app.composer_variables import Surroundings, fill_in
from console.app.desk import LiveDesk
from console.openadr import codec
from console.openadr.findings import Severity
from console.openadr.model import PAYLOADS
from console.session.clock import VirtualClock
from console.store.store import Store
from console.transport.memory import MemoryClient, MemoryServer
from tests.app.recorded import sessions

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
NAMES = {"venID": "ven-7", "vtnID": "vtn-lab", "registrationID": "r-1", "venName": "seven"}


def around() -> Surroundings:
    rng = random.Random(3)
    return Surroundings(NOON, lambda stem: f"{stem}-{rng.getrandbits(32):08x}", NAMES)


def text_of(element: str) -> str:
    return next(each.text for each in presets() if each.element == element)


def test_there_is_a_preset_for_every_payload() -> None:
    names = {name.element[0].upper() + name.element[1:] for name in presets()}
    assert names == {cls.__name__ for cls in PAYLOADS}


@pytest.mark.parametrize("preset", presets(), ids=lambda preset: preset.element)
def test_every_preset_is_valid_and_breaks_no_rule(preset) -> None:  # type: ignore[no-untyped-def]
    checked = check(preset.text, around(), preset.sender)
    assert (checked.element, checked.findings) == (preset.element, ())
    assert codec.dissect(checked.source.encode()).valid
    assert service_of(preset.element) is preset.service
    form = fields_of(preset.text)
    assert form and all(field.meaning for field in form if not field.is_section)


def test_variables_say_the_moment_and_the_same_id_throughout() -> None:
    text, findings = fill_in("${now} ${now+15m} ${now - 1h30m} ${requestID} ${requestID} ${venID}", around())
    now, later, before, one, other, ven = text.split(" ")
    assert (now, later, before) == ("2026-06-01T12:00:00Z", "2026-06-01T12:15:00Z", "2026-06-01T10:30:00Z")
    assert one == other and one.startswith("request-") and ven == "ven-7" and findings == []
    text, (finding,) = fill_in("a\n${tomorrow}", around())
    assert text.endswith("${tomorrow}") and finding.line == 2 and "${now+15m}" in finding.text
    _, (finding,) = fill_in("${now+later}", around())
    assert "no duration" in finding.text
    assert fill_in("${venID}", replace(around(), names={"venID": 'a<b"'}))[0] == "a&lt;b&quot;"


def test_the_form_and_the_source_are_in_step() -> None:
    text = text_of("oadrDistributeEvent")
    level = next(field for field in fields_of(text) if field.name == "ei:value")
    changed = set_field(text, level, "3")
    assert changed != text and text.replace("<ei:value>1<", "<ei:value>3<") == changed
    comment = next(field for field in fields_of(text) if field.name == "ei:vtnComment")
    assert comment.value is None and not comment.required
    with_comment = set_field(text, comment, "a < b & ${now}")
    checked = check(with_comment, around(), "VTN")
    assert checked.findings == ()
    field = next(field for field in fields_of(with_comment) if field.name == "ei:vtnComment")
    assert field.value == "a < b & ${now}"
    assert check(set_field(with_comment, field, None), around(), "VTN").findings == ()
    assert payload_name("<a") == "" and fields_of("<a") == [] and set_field("<a", field, "x") == "<a"


@pytest.mark.parametrize("preset", presets(), ids=lambda preset: preset.element)
def test_every_field_can_be_put_in_and_taken_out_where_it_belongs(preset) -> None:  # type: ignore[no-untyped-def]
    for field in fields_of(preset.text):
        if field.is_section:
            continue
        if field.value is None:
            value = field.values[0] if field.values else "1"
            text = set_field(preset.text, field, value)
            order = [f.text for f in check(text, around()).findings if "schema wants" in f.text]
            assert order == [], field
            assert any(each.name == field.name and each.value == value for each in fields_of(text))
        else:
            text = set_field(preset.text, field, None)
            assert len([f for f in fields_of(text) if f.value is not None]) == (
                len([f for f in fields_of(preset.text) if f.value is not None]) - 1
            )


def test_what_is_typed_is_judged_line_by_line() -> None:
    checked = check("<oadr:oadrPayload>\n<", around())
    assert checked.errors and checked.element == ""
    wrong = text_of("oadrPoll").replace("ei:venID", "ei:vtnID")
    (finding, *_) = check(wrong, around()).findings
    assert finding.severity is Severity.ERROR and finding.line > 3
    assert check("   ", around()).findings[0].text == "There is nothing written yet."


@pytest.mark.parametrize("each", BREAKS, ids=lambda each: each.id)
def test_every_break_breaks_what_it_says(each) -> None:  # type: ignore[no-untyped-def]
    text = text_of("oadrDistributeEvent").replace("modificationNumber>0<", "modificationNumber>4<")
    if each.id == "wrong-ven":
        text = text_of("oadrCreatedEvent")
    whole = prepared(text, around(), sign=each.needs_key)
    made = prepared(text, around(), [each.id], sign=each.needs_key)
    assert made != whole
    errors = {finding.rule for finding in codec.dissect(made.text.encode()).findings if finding.severity > 0}
    told = {
        "wrong-ven": "ven-7-nobody" in made.text,
        "stale-modification": "modificationNumber>3<" in made.text,
        "order": "schema" in errors,
        "missing": "schema" in errors,
        "unknown": "schema" in errors,
        "empty-request": "<pyld:requestID></pyld:requestID>" in made.text or "<pyld:requestID/>" in made.text,
        "version": "schema" in errors,
        "bare": "oadrSignedObject" not in made.text and "xml" in errors,
        "cut": "xml" in errors,
        "doctype": bool(errors) and codec.dissect(made.text.encode()).message is None,
        "huge": len(made.text) > 4 * 2**20,
        "slow": made.pause > 0,
        "content-type": made.content_type == "text/plain",
        "duplicate": made.times == 2,
        "unsigned": made.signed_ago is None,
        "old-replay": made.signed_ago is not None and made.signed_ago > timedelta(minutes=30),
    }
    assert told[each.id]


def test_what_cannot_be_broken_says_why() -> None:
    with pytest.raises(CannotBreak, match="nothing is older"):
        prepared(text_of("oadrDistributeEvent"), around(), ["stale-modification"])
    with pytest.raises(CannotBreak, match="no ei:venID"):
        prepared(text_of("oadrQueryRegistration"), around(), ["wrong-ven"])
    with pytest.raises(CannotBreak, match="no XML"):
        prepared("<a", around(), ["order"])


def test_history_goes_back_and_comes_forward_to_what_was_being_written() -> None:
    history = History(["a", "b", 3])
    assert history.older("draft") == "b" and history.older("b") == "a" and history.older("a") is None
    assert history.newer() == "b" and history.newer() == "draft" and history.newer() is None
    history.add("a")
    assert history.texts == ["b", "a"] and history.older("x") == "a"


async def test_it_is_sent_as_our_ven_and_as_our_vtn_and_marked() -> None:
    clock = VirtualClock(NOON)
    with Store.open() as store:
        desk = LiveDesk(store, clock, UTC)
        vtn, ven = sessions(store, clock)
        desk.attach(vtn, vtn.role, "VTN", "http://x/")
        desk.attach(ven, ven.role, "VEN", "http://x/")
        server = MemoryServer(vtn.answer)
        vtn.serve_through(server)
        ven.connect_through(MemoryClient(server))
        await clock.advance(60, ven.settled)
        to_vtn, to_ven = sorted(desk.ways(), key=lambda way: way.kind)
        assert (to_vtn.label, to_ven.label) == (
            "villa-rosa → vtn-town, at once",
            "vtn-town → ven-rosa, at its next poll",
        )
        assert desk.surroundings(to_vtn).names["registrationID"] == desk.surroundings(to_ven).names["registrationID"]
        assert send(desk, to_vtn, text_of("oadrCreateOpt")).ok
        assert send(desk, to_ven, text_of("oadrRequestReregistration"), breaks=["version"]).ok
        refused = send(desk, to_vtn, "<a>", breaks=())
        assert not refused.ok and "service" in refused.text
        assert not send(desk, Way("nobody", "VEN", "", ""), text_of("oadrPoll")).ok
        await clock.advance(30, ven.settled)
        sent = [view for view in map(store.log.view, range(len(store.log))) if view.composed]
        assert [(view.session, view.element) for view in sent] == [
            ("villa-rosa", "oadrCreateOpt"),
            ("vtn-town", "oadrRequestReregistration"),
        ]
        body = etree.fromstring(store.body(sent[0].number))
        assert body.findtext(".//{*}venID") == "ven-rosa"
        answer = store.log.view(sent[0].answered_by - 1)
        assert answer.element == "oadrCreatedOpt" and not answer.errors
        await ven.close()
        await vtn.close()
