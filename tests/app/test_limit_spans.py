"""Which limits the plots of a site show: what was held stays as it was, what is announced may still change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from console.app.limit_spans import LimitSpans
from console.app.views import LimitSpan, LimitView

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def cap(start: float, end: float, watts: float, source: str = "e-1") -> LimitSpan:
    return LimitSpan(at(start), at(end), watts, None, source)


def held(watts: float, until: float, source: str = "e-1") -> LimitView:
    return LimitView(watts, None, source, at(until))


def test_an_announced_limit_is_shown_once_before_while_and_after_it_is_held():
    limits = LimitSpans()
    limits.announce([cap(10, 20, 4000)])
    limits.hold(None, at(0))
    assert limits.spans(at(0)) == (cap(10, 20, 4000),)
    limits.hold(None, at(10.05))
    assert limits.spans(at(10.05)) == (cap(10, 20, 4000),), "the energy manager takes a moment"
    limits.hold(held(4000, 20), at(10.1))
    assert limits.spans(at(10.1)) == (cap(10, 20, 4000),), "from when it was announced for"
    limits.hold(None, at(20))
    limits.announce([])
    assert limits.spans(at(25)) == (cap(10, 20, 4000),)


def test_a_modified_limit_leaves_the_past_alone_and_no_phantom_ahead():
    limits = LimitSpans()
    limits.announce([cap(0, 20, 4000), cap(20, 40, 2000)])
    limits.hold(held(4000, 20), at(0))
    limits.announce([cap(0, 60, 7000)])
    limits.hold(held(7000, 60), at(5))
    assert limits.spans(at(5)) == (cap(0, 5, 4000), cap(5, 60, 7000))


def test_a_cancelled_limit_ends_when_it_is_no_longer_held_and_others_stay():
    limits = LimitSpans()
    limits.announce([cap(0, 60, 1500), cap(30, 60, 3000, "e-2")])
    limits.hold(held(1500, 60), at(0))
    limits.announce([cap(30, 60, 3000, "e-2")])
    limits.hold(None, at(10))
    assert limits.spans(at(10)) == (cap(0, 10, 1500), cap(30, 60, 3000, "e-2"))


def test_a_level_is_shown_by_what_it_means_and_small_moves_are_one_span():
    limits = LimitSpans()
    for second in range(600):
        limits.hold(held(2000 + second % 20, 30, "simple"), at(second / 60))
    assert limits.spans(at(10)) == (cap(0, 30, 2000, "simple"),)
    limits.hold(held(2600, 30, "simple"), at(10))
    assert limits.spans(at(10)) == (cap(0, 10, 2000, "simple"), cap(10, 30, 2600, "simple"))
