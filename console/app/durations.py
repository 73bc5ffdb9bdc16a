"""Durations as people write them: ``45``, ``45s``, ``10m``, ``1h``, ``1h 30m``; a bare number is seconds."""

from __future__ import annotations

import re
from datetime import timedelta

_SECONDS = {"ms": 0.001, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)")
ALLOWED = "45, 45s, 10m, 1h or 1h 30m"


def parse_duration(text: str | int | float) -> timedelta:
    """The duration ``text`` names.

    Raises
    ------
    ValueError
        Not a duration; the message says what is allowed.
    """
    if isinstance(text, int | float) and not isinstance(text, bool):
        text = str(text)
    rest, total = str(text).strip().lower(), 0.0
    if not rest:
        raise ValueError(f"an empty text is no duration; write {ALLOWED}")
    bare = re.fullmatch(r"\d+(\.\d+)?", rest)
    if bare:
        return timedelta(seconds=float(rest))
    while rest:
        part = _PART.match(rest)
        if part is None or part[2] not in _SECONDS:
            raise ValueError(f"'{text}' is no duration; write {ALLOWED}")
        total += float(part[1]) * _SECONDS[part[2]]
        rest = rest[part.end() :].strip()
    return timedelta(seconds=total)


def show_duration(value: timedelta) -> str:
    """``42 s``, ``10 min``, ``1 h 12 min``, ``2 d 3 h``: for people, never below a second unless it is all there is."""
    seconds = value.total_seconds()
    if abs(seconds) < 1 and seconds != 0:
        return f"{seconds * 1000:.0f} ms"
    whole = round(seconds)
    if abs(whole) < 60:
        return f"{whole} s"
    minutes, seconds_left = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {seconds_left} s" if seconds_left and minutes < 10 else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"
