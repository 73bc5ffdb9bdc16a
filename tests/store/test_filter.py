"""The filter language: what is typed is what is shown, and what is not understood is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.openadr.findings import Finding, Severity
from console.store.filter import FIELDS, FilterError, parse
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
