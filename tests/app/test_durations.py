from datetime import timedelta

import pytest

from console.app.durations import parse_duration, show_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("45", 45), ("45s", 45), ("10m", 600), ("1h", 3600), ("1h 30m", 5400), ("1.5h", 5400), ("250ms", 0.25), (7, 7)],
)
def test_durations_are_written_as_people_write_them(text, seconds):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "5x", "10 m s", "-5s", "h"])
def test_what_is_no_duration_is_told_with_what_is_allowed(text):
    with pytest.raises(ValueError, match="10m"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.25, "250 ms"), (42, "42 s"), (61, "1 min 1 s"), (4320, "1 h 12 min"), (183600, "2 d 3 h")],
)
def test_durations_are_shown_short(seconds, text):
    assert show_duration(timedelta(seconds=seconds)) == text
