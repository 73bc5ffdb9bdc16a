"""The filter language: what is typed is what is shown, and what is not understood is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.openadr.findings import Finding, Severity
from console.store.body_search import BodySearch
from console.store.filter import FIELDS, FilterError, parse
from console.store.filter_completion import complete
from console.store.filter_fields import Field
from console.store.store import Store

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)

ROWS = (
    # element, peer, session, outgoing, size, status, summary, worst severity, rule, latency in ms
    ("oadrPoll", "ven-7", "vtn-lab", False, 300, 0, "poll", 0, "", None),
    ("oadrDistributeEvent", "ven-7", "vtn-lab", True, 9000, 200, "e-17/0, setpoint 7.00 kW", 0, "", 12.0),
    ("oadrCreatedEvent", "ven-8", "vtn-lab", False, 1500, 0, "e-17/0 optIn", 2, "102", None),
    ("oadrResponse", "ven-8", "vtn-lab", True, 600, 200, "452, unknown event", 3, "45", 250.0),
    ("(not OpenADR)", "10.0.0.9:51", "vtn-two", False, 17, 0, "7 bytes that are not HTTP", 3, "http", None),
    ("", "10.0.0.9:51", "vtn-two", True, 40, 406, "refused with 406", 0, "", 1500.0),
)


@pytest.fixture(scope="module")
def log():
    store = Store.open()
    for n, (element, peer, session, outgoing, size, status, summary, worst, rule, latency) in enumerate(ROWS):
        number = store.append(
            time=NOON + timedelta(seconds=n), session=session, outgoing=outgoing, peer=peer, transport="http",
            start_line="", headers=(), body=b"", size=size, status=status,
            latency=None if latency is None else timedelta(milliseconds=latency),
        )  # fmt: skip
        findings = [Finding(rule, Severity(worst), "text")] if worst else []
        store.derive(number, element=element, summary=summary, findings=findings)
    yield store.log
    store.close()


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", [1, 2, 3, 4, 5, 6]),
        ("  ", [1, 2, 3, 4, 5, 6]),
        ("poll", [1]),
        ("ven-7", [1, 2]),
        ("VEN-8 optin", [3]),
        ('"7 bytes"', [5]),
        ("element == oadrpoll", [1]),
        ("element = oadrPoll or element = oadrResponse", [1, 4]),
        ("element != oadrPoll", [2, 3, 4, 5, 6]),
        ("ven == ven-8", [3, 4]),
        ("summary contains 'kw'", [2]),
        ("summary ~ e-17", [2, 3]),
        ("dir == in", [1, 3, 5]),
        ("dir != in", [2, 4, 6]),
        ("session == vtn-two", [5, 6]),
        ("status >= 400", [6]),
        ("status == 0", [1, 3, 5]),
        ("size > 1kB", [2, 3]),
        ("size >= 1500", [2, 3]),
        ("latency > 200ms", [4, 6]),
        ("latency > 1s", [6]),
        ("latency < 100", [2]),
        ("finding == error", [4, 5]),
        ("findings >= warning", [3, 4, 5]),
        ("finding == none and ven-7", [1, 2]),
        ("errors > 0", [4, 5]),
        ("rule == 102", [3]),
        ("rule != http", [1, 2, 3, 4, 6]),
        ("number <= 2", [1, 2]),
        ("not ven-7", [3, 4, 5, 6]),
        ("not not ven-7", [1, 2]),
        ("! ven-7 && dir == out", [4, 6]),
        ("ven-7 || ven-8 and dir == in", [1, 2, 3]),
        ("(ven-7 or ven-8) and dir == in", [1, 3]),
        ("transport == xmpp", []),
    ],
)
def test_what_is_typed_is_what_is_shown(log, text, numbers):
    selection = log.select(text)
    assert selection.error == ""
    assert [int(row) + 1 for row in selection.rows] == numbers


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("foo == 1", "no field foo"),
        ("status >", "value is missing after status >"),
        ("status > high", "compared with a number"),
        ("latency > 5parsecs", "units: us"),
        ("status ~ 4", "is no text"),
        ("element > oadrPoll", "is a text"),
        ("finding == bad", "one of none, info, warning, error"),
        ("dir == up", "one of in"),
        ("(poll", "not closed"),
        ("poll)", "no opening"),
        ('"poll', "quotation mark is not closed"),
        ("and poll", "missing before and"),
        ("poll and", "missing at the end"),
        ("== 4", "missing before =="),
        ("not", "missing at the end"),
        ("(" * 60 + "a" + ")" * 60, "nested"),
        ("a " * 500, "more than"),
    ],
)
def test_what_is_not_understood_is_said_in_words(log, text, words):
    with pytest.raises(FilterError, match=words):
        parse(text)


def test_a_bad_text_keeps_what_the_last_good_one_shows(log):
    log.select("ven-7")
    selection = log.select("ven-7 and status >")
    assert [int(row) for row in selection.rows] == [0, 1]
    assert "value is missing" in selection.error


def test_of_one_session_and_from_a_row_on(log):
    assert log.matches("dir == out", "vtn-lab", 0).tolist() == [1, 3]
    assert log.matches("dir == out", "vtn-lab", 2).tolist() == [3]
    assert log.matches("", "", 4).tolist() == [4, 5]
    assert log.matches("", "nobody", 0).tolist() == []
    assert log.matches("poll", "", 6).tolist() == []


def test_density_counts_each_message_once(log):
    assert log.density(NOON, NOON + timedelta(seconds=6), 3).tolist() == [2, 2, 2]
    assert log.density(NOON + timedelta(seconds=1), NOON + timedelta(seconds=3), 2).tolist() == [1, 1]
    assert log.density(NOON, NOON, 3).tolist() == [0, 0, 0]


WORDS = st.one_of(
    st.sampled_from([*FIELDS, "and", "or", "not", "(", ")", "==", "!=", ">=", "~", "contains", '"', "'", "&", "|"]),
    st.sampled_from(["ven-7", "102", "8kB", "200ms", "error", "in", "poll"]),
    st.text(max_size=6),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=8).map(" ".join))
def test_any_text_is_a_filter_or_is_refused_in_words(log, text):
    try:
        condition = parse(text)
    except FilterError as error:
        assert str(error)
        return
    assert condition.mask(log, 0).shape == (len(ROWS),)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_logic_is_that_of_sets(log, data):
    texts = st.sampled_from(["ven-7", "dir == in", "size > 500", "finding >= warning", "rule == http", "e-17"])
    left, right = data.draw(texts), data.draw(texts)
    everything = set(range(len(ROWS)))

    def chosen(text: str) -> set[int]:
        return set(log.matches(text, "", 0).tolist())

    assert chosen(f"{left} and {right}") == chosen(left) & chosen(right)
    assert chosen(f"{left} or {right}") == chosen(left) | chosen(right)
    assert chosen(f"not ({left} or {right})") == everything - chosen(left) - chosen(right)


def test_texts_that_come_later_are_seen_by_a_filter_compiled_before():
    with Store.open() as store:
        for summary in ("first", "second"):
            assert store.log.matches("second", "", 0).size == 0
            number = store.append(
                time=NOON, session="s", outgoing=False, peer="p", transport="http", start_line="", headers=(), body=b""
            )
            store.derive(number, summary=summary)
        assert np.array_equal(store.log.matches("second", "", 0), [1])


def body_of(event: str, request: str = "req-1") -> bytes:
    return (
        b'<oadrPayload xmlns="http://openadr.org/oadr-2.0b/2012/07"'
        b' xmlns:ei="http://docs.oasis-open.org/ns/energyinterop/201110">'
        + f"<x><ei:eventID>{event}</ei:eventID><requestID>{request}</requestID></x></oadrPayload>".encode()
    )


BODIES = (body_of("e-17"), body_of("e-18", "req-2"), b"PK no XML", body_of("e-17", "req-&amp;"), b"", body_of("e-1[7]"))


@pytest.fixture
def store():
    with Store.open() as made:
        for n, body in enumerate((*BODIES, BODIES[0])):
            number = made.append(
                time=NOON + timedelta(minutes=n), session="vtn-lab" if n % 2 else "ven-7", outgoing=False,
                peer=f"ven-{n}", transport="http", start_line="", headers=(), body=body,
            )  # fmt: skip
            made.derive(number, element="oadrPoll" if n == 5 else "oadrDistributeEvent")
        yield made


def looked_up(store: Store, text: str, session: str = "") -> list[int]:
    """Numbers of what a filter shows once its search is over."""
    rows = store.log.in_doubt(text, session)
    search = BodySearch(store, store.log.body_tests(text), rows)
    search.run()
    search.take()
    assert search.finished and not search.trouble
    assert search.done == search.total
    assert not len(store.log.in_doubt(text, session))
    return [int(row) + 1 for row in store.log.select(text, session).rows]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("event == e-17", [1, 4, 7]),
        ("event != e-17", [2, 3, 5, 6]),
        ("event == e-*", [1, 2, 4, 7]),
        ('event == "e-*"', []),
        ("event in (e-18, e-17)", [1, 2, 4, 7]),
        ('request == "req-&"', [4]),
        ("not event == e-17 and number < 5", [2, 3]),
        ("body ~ 'PK NO'", [3]),
        ("body contains E-17", [1, 4, 7]),
        ('xpath("//eventID")', [1, 2, 4, 6, 7]),
        ("xpath(\"//ei:eventID[.='e-18']\")", [2]),
        ("xpath('count(//requestID) = 1') and number > 4", [6, 7]),
        ('xpath("//eventID") or ven-2', [1, 2, 3, 4, 6, 7]),
    ],
)
def test_what_is_asked_of_bodies(store, text, numbers):
    assert looked_up(store, text) == numbers


def test_a_body_is_not_looked_at_where_it_cannot_matter(store):
    assert store.log.in_doubt("event == e-17 and peer == ven-1").tolist() == [1]
    assert store.log.in_doubt("event == e-17 or number > 0").tolist() == []
    assert store.log.in_doubt("not (event == e-17 and peer == ven-1)").tolist() == [1]
    assert store.log.in_doubt("event == e-17", "vtn-lab").tolist() == [1, 3]
    assert 5 not in store.log.in_doubt("event == e-1[7]").tolist(), "an oadrPoll has no event"
    assert store.log.in_doubt("poll").tolist() == []


def test_blanks_around_a_filter_make_no_other_filter(store):
    assert looked_up(store, "event == e-17 ") == [1, 4, 7]
    assert store.log.select("  event == e-17").rows.tolist() == [0, 3, 6]


def test_equal_bodies_are_looked_at_once(store):
    rows = store.log.in_doubt("body ~ e-17")
    assert rows.tolist() == [0, 1, 2, 3, 5, 6]
    assert BodySearch(store, store.log.body_tests("body ~ e-17"), rows).total == 5


def test_a_search_that_is_cancelled_keeps_what_it_found(store):
    search = BodySearch(store, store.log.body_tests("body ~ e-17"), store.log.in_doubt("body ~ e-17"))
    search.cancel()
    search.run()
    search.take()
    assert search.finished and search.cancelled and search.done == 0
    assert looked_up(store, "body ~ e-17") == [1, 4, 7]


def test_a_search_runs_beside_its_owner(store):
    search = BodySearch(store, store.log.body_tests("event == e-18"), store.log.in_doubt("event == e-18"))
    search.start()
    assert search.wait(10)
    assert store.log.select("event == e-18").rows.size == 0, "nothing changes but by take"
    assert search.take()
    assert store.log.select("event == e-18").rows.tolist() == [1]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("time >= 14:03", [4, 5, 6, 7]),
        ("time > 14:03", [5, 6, 7]),
        ("time == 14:03", [4]),
        ("time == 14:03:01", []),
        ("time < 2026-06-01T14:01", [1]),
        ("time == 2026-06-01", [1, 2, 3, 4, 5, 6, 7]),
        ("time != '2026-06-01 14:00:00'", [2, 3, 4, 5, 6, 7]),
        ("time < 2026-05-31", []),
        ("number in (1, 3,5)", [1, 3, 5]),
        ("peer in (ven-1, 'ven-3')", [2, 4]),
        ("not peer in (ven-1, ven-3) and number < 4", [1, 3]),
        ("peer == ven-?", [1, 2, 3, 4, 5, 6, 7]),
        ("peer == '*-1'", []),
        ("peer == *-1 or v*n-2", [2, 3]),
    ],
)
def test_times_lists_and_wildcards(store, text, numbers):
    store.log.zone = timezone(timedelta(hours=2))
    selection = store.log.select(text)
    assert selection.error == ""
    assert [int(row) + 1 for row in selection.rows] == numbers


@pytest.mark.parametrize(
    ("text", "words", "at"),
    [
        ("peer == a and foo == 1", "no field foo", 14),
        ("status > high", "compared with a number", 9),
        ("poll and", "missing at the end", 8),
        ('peer == "ven', "quotation mark", 8),
        ("a (b", "not closed", 2),
        ('xpath("//[")', "XPath is not understood", 6),
        ('xpath("nope:x")', "XPath is not understood", 6),
        ("xpath(x)", "in quotation marks", 6),
        ("time > noon", "local time", 7),
        ("time > 25:00", "no time 25:00", 7),
        ("peer in (a b)", "commas", 11),
        ("peer in ()", "holds no value", 0),
        ("peer in (a,", "closing parenthesis", 11),
        ("body == x", "contains or ~", 8),
    ],
)
def test_what_is_not_understood_says_where(log, text, words, at):
    selection = log.select(text)
    assert words in selection.error
    assert selection.error_at == at


def values(field: Field) -> list[str]:
    return {"peer": ["ven-7", "vtn lab", "ven-8"], "element": ["oadrPoll", "oadrResponse"]}.get(field.name, [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("el", ["element"]),
        ("ven", ["ven", "event"]),
        ("peer ", ["==", "!=", "~", "in"]),
        ("latency >", [">="]),
        ("peer == ", ["ven-7", '"vtn lab"', "ven-8"]),
        ("peer == vt", ['"vtn lab"']),
        ("peer in (ven-7, ", ["ven-7", '"vtn lab"', "ven-8"]),
        ("element == poll", ["oadrPoll"]),
        ("finding >= ", ["none", "info", "warning", "error"]),
        ("peer == ven-7 ", ["and", "or"]),
        ("peer == ven-7 and xp", ["xpath("]),
        ("time >= ", ["10:32"]),
        ('"quoted', []),
    ],
)
def test_what_could_come_next(text, words):
    found = complete(text, len(text), values)
    assert [each.text for each in found] == words
    for each in found:
        made = text[: each.start] + each.text + text[each.end :]
        assert made.startswith(text[: each.start])


def test_an_empty_filter_offers_every_field():
    found = {each.text: each.meaning for each in complete("", 0, values)}
    assert len(found) == 12 and found["element"]


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS, max_size=6).map(" ".join))
def test_completion_never_fails(text):
    for each in complete(text, len(text), values):
        assert 0 <= each.start <= each.end == len(text)
