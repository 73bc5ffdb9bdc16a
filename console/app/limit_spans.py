"""The limits at a connection point over time: those that were held, the one in force, those that are announced.

What was held is what the energy manager had in force at the time, whatever it came from: a setpoint, or a level and
what that meant in watts. So an event that is modified or cancelled changes nothing about the past.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from console.app.views import LimitSpan, LimitView

KEPT = 500
"""Spans of the past."""
SAME_SHARE, SAME_W = 0.02, 25.0
"""A limit that follows what must run moves all the time; less than this is drawn as the same."""
ANSWER = timedelta(seconds=10)
"""An announced limit is shown so long after its start while the energy manager has not taken it up."""


class LimitSpans:
    """Tell it what is announced and, step by step, what is held; read the spans."""

    def __init__(self) -> None:
        self._held: deque[LimitSpan] = deque(maxlen=KEPT)
        self._current: LimitSpan | None = None
        self._announced: tuple[LimitSpan, ...] = ()

    def announce(self, spans: Iterable[LimitSpan]) -> None:
        """Replace what is known to come, or to have begun, by its own limits in watts."""
        self._announced = tuple(spans)

    def hold(self, limit: LimitView | None, now: datetime) -> None:
        """Take in what is in force at ``now``; None where nothing is."""
        current = self._current
        if current is not None and limit is not None and _same(current, limit):
            self._current = replace(current, end=limit.until)
            return
        if current is not None:
            self._held.append(replace(current, end=now if current.end is None else min(now, current.end)))
        self._current = self._begun(limit, now) if limit is not None else None

    def _begun(self, limit: LimitView, now: datetime) -> LimitSpan:
        """From when it was announced for, but never into what was held before."""
        starts = [span.start for span in self._announced if span.start <= now and _same(span, limit)]
        start = max(starts, default=now)
        before = self._held[-1].end if self._held else None
        start = start if before is None else max(start, before)
        return LimitSpan(start, limit.until, limit.upper_w, limit.lower_w, limit.source)

    def spans(self, now: datetime) -> tuple[LimitSpan, ...]:
        """Held, in force, and to come as seen at ``now``."""
        current = () if self._current is None else (self._current,)
        coming = [
            span
            for span in self._announced
            if span.start > now or (now - span.start < ANSWER and not any(_like(span, other) for other in current))
        ]
        return (*self._held, *current, *coming)


def _like(one: LimitSpan, other: LimitSpan) -> bool:
    return _same(one, LimitView(other.upper_w, other.lower_w, other.source, other.end))


def _same(span: LimitSpan, limit: LimitView) -> bool:
    return span.source == limit.source and _near(span.upper_w, limit.upper_w) and _near(span.lower_w, limit.lower_w)


def _near(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= max(SAME_W, SAME_SHARE * abs(one))
