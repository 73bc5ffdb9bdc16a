"""Conversations, differences, byte places, defect reports, marks and filters kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.app.byte_places import byte_places, innermost
from console.app.conversations import LIMIT, conversation_of
from console.app.defect_report import defect_report
from console.app.filter_book import MOST_USED, FilterBook
from console.app.inspection import inspect_message
from console.app.mark_book import MarkBook
from console.app.message_diff import Difference, differences, event_versions, previous_of_kind
from console.app.value_history import ValueHistory
from console.openadr import codec, explain
from console.store.store import Store
from tests.app.message_samples import Wire, created, distribute


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Store.open() as store:
        yield Wire(store)


def test_poll_event_answer_and_response_are_one_matter(wire: Wire) -> None:
    poll, event = wire.exchange("oadrPoll", "oadrDistributeEvent", back=distribute("e-17", 0, request="r-9"))
    wire.exchange("oadrPoll", "oadrDistributeEvent", back=distribute("e-17", 0, request="r-8"), peer="ven-8")
    wire.exchange("oadrCreatedEvent", "oadrResponse", created("e-17", "r-8"), peer="ven-8")
    told, heard = wire.exchange("oadrCreatedEvent", "oadrResponse", created("e-17", "r-9"))
    for number in (poll, event, told, heard):
        found = conversation_of(wire.reading, number)
        assert [each.number for each in found.messages] == [poll, event, told, heard]
        assert found.waited == timedelta(seconds=3, milliseconds=20)
        assert not found.owed
        assert found.waited is not None and found.waited < LIMIT


def test_what_has_not_come_is_owed(wire: Wire) -> None:
    poll, event = wire.exchange("oadrPoll", "oadrDistributeEvent", back=distribute("e-17", 0))
    wire.exchange("oadrCreatedEvent", "oadrResponse", created("e-99", "another"))
    found = conversation_of(wire.reading, poll)
    assert [each.number for each in found.messages] == [poll, event]
    assert (found.owed, found.waited) == ("oadrCreatedEvent", None)
    calm = wire.exchange("oadrPoll", "oadrDistributeEvent", back=distribute("e-1", 0, answer="never"))[0]
    assert conversation_of(wire.reading, calm).owed == "", "nobody asked for an answer"


def test_an_exchange_of_its_own_is_a_conversation_of_two(wire: Wire) -> None:
    poll, answer = wire.exchange("oadrPoll", "oadrResponse")
    assert [each.number for each in conversation_of(wire.reading, answer).messages] == [poll, answer]
    report, reply = wire.exchange("oadrUpdateReport", "oadrUpdatedReport")
    found = conversation_of(wire.reading, reply)
    assert ([each.number for each in found.messages], found.owed) == ([report, reply], "")


def test_the_previous_of_an_event_is_its_last_modification(wire: Wire) -> None:
    first = wire.exchange("oadrPoll", "oadrDistributeEvent", back=distribute("e-17", 0))[1]
    again = wire.exchange("oadrPoll", "oadrDistributeEvent", back=distribute("e-17", 1, request="req-2"))[1]
    other = wire.exchange("oadrPoll", "oadrDistributeEvent", back=distribute("e-18", 0))[1]
    repeat = wire.exchange("oadrPoll", "oadrDistributeEvent", back=distribute("e-17", 1, request="req-3"))[1]
    log, body = wire.store.log, wire.store.body
    assert previous_of_kind(log, body, first) == 0
    assert previous_of_kind(log, body, again) == first
    assert previous_of_kind(log, body, repeat) == first, "not its repetition"
    assert previous_of_kind(log, body, other) == again, "no such event before: the last one of the kind"
    assert previous_of_kind(log, body, repeat - 1) == other - 1
    assert event_versions(distribute("e-17", 3)) == {b"e-17": 3}


def test_the_previous_report_is_one_of_the_same_request(wire: Wire) -> None:
    reports = [
        b"<a><ei:reportRequestID>%s</ei:reportRequestID></a>" % name for name in (b"r-1", b"r-2", b"r-1", b"r-3")
    ]
    one, _, again, new = (wire.exchange("oadrUpdateReport", "oadrUpdatedReport", each)[0] for each in reports)
    log, body = wire.store.log, wire.store.body
    assert previous_of_kind(log, body, again) == one
    assert previous_of_kind(log, body, new) == again


def drawn(body: bytes) -> explain.Node:
    return explain.tree(codec.dissect(body))


def test_differences_are_told_by_element(wire: Wire) -> None:
    before = distribute("e-17", 0, 1.0)
    extra = "<ei:eiEventSignal><ei:signalID>s-2</ei:signalID></ei:eiEventSignal>"
    after = distribute("e-17", 1, 2.0, "req-2", extra).replace(b"\n", b"").replace(b"    ", b"")
    found = differences(drawn(before), drawn(after))
    assert [(each.path.rpartition("/")[2], each.before, each.after, each.kind) for each in found] == [
        ("modificationNumber", "0", "1", "changed"),
        ("currentValue", "1.0", "2.0", "changed"),
        ("eiEventSignal[2]", "", "signalID s-2", "added"),
    ]
    assert "requestID" not in str(found)
    assert "requestID" in str(differences(drawn(before), drawn(after), everything=True))
    assert differences(drawn(before), drawn(before.replace(b"\n", b" ")), everything=True) == []


def test_what_is_gone_is_told(wire: Wire) -> None:
    extra = "<ei:eiEventSignal><ei:signalID>s-2</ei:signalID></ei:eiEventSignal>"
    found = differences(drawn(distribute("e-17", 0, extra=extra)), drawn(distribute("e-17", 0)))
    assert [each.kind for each in found] == ["removed"]
    assert isinstance(found[0], Difference) and "s-2" in found[0].before


def paths_of(node: explain.Node) -> Iterator[str]:
    if not node.name.startswith("@"):
        yield node.path
    for child in node.children:
        yield from paths_of(child)


def test_every_element_of_the_tree_has_its_bytes() -> None:
    body = distribute("e-17", 0, extra="<ei:eiEventSignal/>")
    places = byte_places(body)
    assert set(places) == set(paths_of(drawn(body)))
    for path, (start, end) in places.items():
        local = path.rpartition("/")[2].partition("[")[0].encode()
        assert body[start:end].startswith(b"<") and body[start:end].endswith(b">")
        assert local in body[start : start + 40]
    inner = next(path for path in places if path.endswith("modificationNumber"))
    assert body[slice(*places[inner])] == b"<ei:modificationNumber>0</ei:modificationNumber>"
    assert innermost(places, places[inner][0] + 3) == inner
    assert innermost(places, 10**9) == ""


@pytest.mark.parametrize(
    "body", [b"", b"PK\x03\x04", b"<a><b></a>", b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", b"<a>" * 500]
)
def test_what_is_no_sound_xml_has_no_places(body: bytes) -> None:
    assert byte_places(body) == {}


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | st.text("<>/ab =\"'&;", max_size=40).map(str.encode))
def test_no_body_makes_places_fail(body: bytes) -> None:
    for start, end in byte_places(body).values():
        assert 0 <= start < end <= len(body)


def test_a_defect_report_stands_alone(wire: Wire) -> None:
    _, number = wire.exchange("oadrPoll", "oadrDistributeEvent", back=distribute("e-17", 0))
    shown = inspect_message(wire.store, wire.store.log.view(number - 1), "vtn-lab", UTC)
    text = defect_report(shown)
    assert text.startswith("# oadrDistributeEvent sent to ven-7: ")
    assert shown.sentence in text
    assert all(finding.text in text for finding in shown.findings) and shown.findings
    assert distribute("e-17", 0).decode() in text
    assert "Answers message 1 after 4 ms" in text


class Kept(dict[str, Any]):
    """Where books keep their things, as a desk does."""

    def recall(self, key: str, default: Any = None) -> Any:
        return self.get(key, default)

    def remember(self, key: str, value: object) -> None:
        self[key] = value


def test_marks_and_notes_survive() -> None:
    kept = Kept()
    book = MarkBook(kept.recall, kept.remember)
    assert book.toggle(7)
    book.note(412, "  wrong order ")
    book.note(9, "   ")
    assert MarkBook(kept.recall, kept.remember).notes == {7: "", 412: "wrong order"}
    assert [book.next_after(7), book.next_after(412), book.next_after(412, -1), book.next_after(7, -1)] == [
        412, 7, 7, 412,
    ]  # fmt: skip
    assert not book.toggle(412)
    assert MarkBook(kept.recall, kept.remember).notes == {7: ""}
    assert MarkBook(lambda _key, _default: ["nonsense"], kept.remember).notes == {}
    assert MarkBook(lambda _key, _default: {"x": 1, "4": "n"}, kept.remember).notes == {4: "n"}


def test_filters_used_and_saved_survive() -> None:
    kept = Kept()
    book = FilterBook(kept.recall, kept.remember)
    for k in range(MOST_USED + 5):
        book.note(f"number == {k}")
    book.note("number == 10")
    book.note("   ")
    book.save("mine", "peer == ven-7")
    book.save("", "rule == 102")
    again = FilterBook(kept.recall, kept.remember)
    assert again.used[:2] == ["number == 10", f"number == {MOST_USED + 4}"]
    assert len(again.used) == MOST_USED
    assert again.saved == {"mine": "peer == ven-7", "rule == 102": "rule == 102"}
    again.forget("mine")
    assert list(book.saved) == ["rule == 102"]
    assert FilterBook(lambda _key, _default: {"used": 3}, kept.remember).used == []


SECOND = "<ei:eiEventSignal><ei:signalID>s-2</ei:signalID><ei:currentValue>{}</ei:currentValue></ei:eiEventSignal>"


def history(wire: Wire, number: int, path: str) -> ValueHistory:
    made = ValueHistory(wire.store, number, path)
    made.run()
    made.take()
    assert made.finished and not made.trouble
    return made


def test_a_value_is_followed_by_what_names_it(wire: Wire) -> None:
    """The signals change places in between; each is found by its signalID."""
    for k in range(3):
        body = distribute("e-17", k, 10.0 + k, extra=SECOND.format(20.0 + k))
        wire.exchange("oadrPoll", "oadrDistributeEvent", back=body)
    swapped = distribute("e-17", 3, 13.0).replace(
        b"<ei:eiEventSignals>", b"<ei:eiEventSignals>" + SECOND.format(23.0).encode()
    )
    wire.exchange("oadrPoll", "oadrDistributeEvent", back=swapped)
    wire.exchange("oadrPoll", "oadrDistributeEvent", back=b"PK no XML")
    wire.exchange("oadrPoll", "oadrDistributeEvent", back=distribute("e-17", 4, 99.0), peer="ven-8")
    path = next(each for each in byte_places(wire.store.body(2)) if each.endswith("eiEventSignal[2]/currentValue"))
    found = history(wire, 2, path)
    assert found.values == [20.0, 21.0, 22.0, 23.0]
    assert found.times == sorted(found.times)
    assert found.name == "s-2 currentValue"
    assert history(wire, 2, path.replace("[2]", "[1]")).values == [10.0, 11.0, 12.0, 13.0]
    assert (found.total, found.done) == (5, 5)


def test_a_way_that_leads_nowhere_has_no_history(wire: Wire) -> None:
    number = wire.exchange("oadrPoll", "oadrDistributeEvent", back=distribute("e-17", 0))[1]
    for path in ("", "oadrPayload/nothing", "other", "oadrPayload/oadrSignedObject[7]"):
        found = history(wire, number, path)
        assert (found.total, found.values) == (0, [])
    with pytest.raises(IndexError):
        ValueHistory(wire.store, 99, "a")
