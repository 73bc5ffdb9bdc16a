"""Durations and times: every form the standard's pattern allows is read, the plain one is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.openadr.calendar import Duration, read_date_time, write_date_time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("PT1H", 3600), ("P1D", 86_400), ("PT0S", 0), ("P", 0), ("PT", 0), ("1W", 604_800), ("-PT5M", -300)),
        *(
            ("+P1D", 86_400),
            ("P1H", 3600),
            ("PT90M", 5400),
            ("P1Y", 31_536_000),
            ("P1M", 2_592_000),
            ("P1DT1S", 86_401),
        ),
    ],
)
def test_forms_the_pattern_allows(text: str, seconds: int):
    assert Duration.parse(text).seconds == seconds


@pytest.mark.parametrize("text", ["P1W", "+1W", " PT1H", "PT1.5S", "pt1h", "", "1H", "P-1D", "PT1S1H", "--P"])
def test_forms_it_does_not(text: str):
    with pytest.raises(ValueError, match="duration"):
        Duration.parse(text)


def test_absurd_lengths_are_told_not_crashed_on():
    assert Duration.parse("P99999999999Y").timedelta == timedelta(days=timedelta.max.days)
    with pytest.raises(ValueError, match="more digits"):
        Duration.parse(f"P{'9' * 5000}Y")
    assert Duration.parse("P99999999999Y").after(datetime(2030, 1, 1, tzinfo=UTC)).year == 9999


@given(st.integers(-(10**9), 10**9))
def test_seconds_survive_writing(seconds: int):
    assert Duration.parse(Duration.of(seconds).lexical).seconds == seconds


def test_equality_is_by_length():
    assert Duration.parse("PT60M") == Duration.of(timedelta(hours=1))
    assert hash(Duration.parse("PT60M")) == hash(Duration.of(3600))
    assert Duration.zero < Duration.of(1) <= Duration.of(1)
    assert sum((Duration.of(1), Duration.of(2)), Duration.zero) == Duration.of(3)
    assert not Duration.zero


def test_months_follow_the_calendar():
    start = datetime(2024, 1, 31, 12, tzinfo=UTC)
    assert Duration.parse("P1M").after(start) == datetime(2024, 2, 29, 12, tzinfo=UTC)
    assert Duration.parse("-P1M").after(start) == datetime(2023, 12, 31, 12, tzinfo=UTC)
    assert Duration.parse("P1Y").after(datetime(2024, 2, 29, tzinfo=UTC)) == datetime(2025, 2, 28, tzinfo=UTC)


def test_words_for_people():
    assert str(Duration.of(5400)) == "1 h 30 min"
    assert str(Duration.of(-10)) == "−10 s"
    assert str(Duration.zero) == "0 s"


def test_odd_times_have_a_meaning_and_a_remark():
    noon = datetime(2030, 1, 31, 12, tzinfo=UTC)
    assert read_date_time("2030-01-31T12:00:00Z") == (noon, "")
    assert read_date_time(" 2030-01-31T12:00:00 ")[0] == noon
    assert "lacks the closing Z" in read_date_time("2030-01-31T12:00:00")[1]
    assert read_date_time("2030-01-31T14:00:00+02:00")[0] == noon
    assert "fraction" in read_date_time("2030-01-31T12:00:00.999Z")[1]
    assert read_date_time("2030-01-31T24:00:00Z")[0] == datetime(2030, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["-0001-01-01T00:00:00Z", "12030-01-01T00:00:00Z", "2030-02-30T00:00:00Z", "soon", ""])
def test_times_without_meaning_are_told(text: str):
    with pytest.raises(ValueError, match="date-time|years|instant"):
        read_date_time(text)


def test_writing_converts_to_utc_and_cuts_fractions():
    moment = datetime(2030, 1, 31, 12, 0, 0, 999_999, timezone(timedelta(hours=2)))
    assert write_date_time(moment) == "2030-01-31T10:00:00Z"
    assert write_date_time(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00Z"
