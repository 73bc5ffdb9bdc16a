from datetime import UTC, datetime, timedelta

import pytest

from console.app.event_file import read_event_file, read_known_file
from console.app.toml_file import FileError

GOOD = """\
market_context = "http://example.com/p"
start = "+10s"
duration = "1h"
signal = "LOAD_DISPATCH"
type = "setpoint"
unit = "kW"
priority = 1
notification = "5m"

[[interval]]
duration = "30m"
value = 7

[[interval]]
duration = "30m"
value = 3.5

[target]
ven_id = ["ven-7"]
"""
READY = datetime(2026, 1, 5, 10, 0, 0, 900_000, tzinfo=UTC)


def write(tmp_path, text):
    file = tmp_path / "event.toml"
    file.write_text(text)
    return file


def test_a_file_becomes_a_draft_in_base_units_at_whole_seconds(tmp_path):
    draft = read_event_file(write(tmp_path, GOOD)).draft(READY)
    assert (draft.signal_name, draft.signal_type, draft.unit) == ("LOAD_DISPATCH", "setpoint", "W")
    assert draft.intervals == ((timedelta(minutes=30), 7000.0), (timedelta(minutes=30), 3500.0))
    assert draft.start == datetime(2026, 1, 5, 10, 0, 10, tzinfo=UTC)
    assert draft.ven_ids == ("ven-7",)
    assert draft.notification == timedelta(minutes=5)


def test_a_date_time_is_taken_as_it_stands(tmp_path):
    file = write(tmp_path, GOOD.replace('"+10s"', "2026-06-16T10:30:00Z"))
    assert read_event_file(file).draft(READY).start == datetime(2026, 6, 16, 10, 30, tzinfo=UTC)


def test_an_only_interval_lasts_as_long_as_the_event(tmp_path):
    text = 'duration = "10m"\nsignal = "SIMPLE"\n[[interval]]\nvalue = 2\n'
    assert read_event_file(write(tmp_path, text)).draft(READY).intervals == ((timedelta(minutes=10), 2.0),)


def test_the_same_text_is_the_same_event(tmp_path):
    first = read_event_file(write(tmp_path, GOOD)).digest
    assert read_event_file(write(tmp_path, GOOD)).digest == first
    assert read_event_file(write(tmp_path, GOOD + "\n# another day\n")).digest != first


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('signal = "LOAD_DISPATCH"', 'signal = "LOAD_DISPTACH"', 4, ["LOAD_DISPTACH", "Allowed", "SIMPLE"]),
        ('type = "setpoint"', 'type = "price"', 5, ["price", "setpoint"]),
        ('unit = "kW"', 'unit = "kWh"', 6, ["kWh", "W, kW"]),
        ("priority = 1", "priority = -1", 7, ["priority", "whole number"]),
        ("priority = 1", "prio = 1", 7, ["prio", "priority"]),
        ('duration = "1h"', 'duration = "2h"', 3, ["intervals last", "rule 8"]),
        ('start = "+10s"', 'start = "tomorrow"', 2, ["tomorrow", "+10s"]),
        ("value = 3.5", 'value = "much"', 16, ["interval 1", "number"]),
        ("value = 3.5", "value = 3.5\nvolume = 1", 17, ["volume", "duration, value"]),
        ('notification = "5m"', 'notification = "5x"', 8, ["5x", "10m"]),
        ('unit = "kW"', "unit = kW", 6, ["TOML"]),
    ],
)
def test_a_mistake_is_one_message_with_file_line_and_what_is_allowed(tmp_path, old, new, line, words):
    assert old in GOOD
    with pytest.raises(FileError) as error:
        read_event_file(write(tmp_path, GOOD.replace(old, new)))
    text = str(error.value)
    assert error.value.line == line
    assert text.startswith(f"{tmp_path / 'event.toml'}, line {line}: ")
    for word in words:
        assert word in text
    assert "\n" not in text


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(FileError, match="no such file"):
        read_event_file(tmp_path / "nowhere.toml")


def test_simple_levels_beyond_three_are_refused(tmp_path):
    with pytest.raises(FileError, match="rule 9"):
        read_event_file(write(tmp_path, 'signal = "SIMPLE"\n[[interval]]\nduration = "1m"\nvalue = 4\n'))


def test_known_vens_are_read_and_doubles_refused(tmp_path):
    file = write(
        tmp_path, '[[ven]]\nname = "A"\nven_id = "v-1"\n[[ven]]\nname = "B"\nven_id = "v-2"\nfingerprint = "AA"\n'
    )
    assert [(ven.name, ven.ven_id, ven.fingerprint) for ven in read_known_file(file)] == [
        ("A", "v-1", ""),
        ("B", "v-2", "AA"),
    ]
    file.write_text('[[ven]]\nname = "A"\nven_id = "v-1"\n[[ven]]\nname = "B"\nven_id = "v-1"\n')
    with pytest.raises(FileError, match="rule 70") as error:
        read_known_file(file)
    assert error.value.line == 6
