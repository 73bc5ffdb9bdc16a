"""Site files: the demo reads, units convert, and each mistake gets one message with its line."""

from __future__ import annotations

from datetime import time
from importlib import resources
from pathlib import Path

import pytest

from emulator.devices import BaseLoadConfig, BatteryConfig, EvConfig, MeterConfig, PvConfig, WasherConfig
from emulator.site_file import SiteFileError, parse_site_file, read_site_file

DEMO = Path(str(resources.files("nodebench_resources").joinpath("sites/demo.toml")))

GOOD = """\
[site]
name = "House"
latitude = "52 deg"
longitude = "6 deg"
timezone = "Europe/Amsterdam"
connection = "17 kW"

# the store
[[device]]
type = "battery"
name = "battery"
capacity = "10 kWh"
charge = "5 kW"
discharge = "4000 W"
soc = "45 %"

[[device]]
type = "ev"
name = "car"
capacity = "60 kWh"
phases = 1
departure = "7:05"
"""


def mistake(old: str, new: str) -> SiteFileError:
    assert old in GOOD
    with pytest.raises(SiteFileError) as raised:
        parse_site_file(GOOD.replace(old, new, 1), "house.toml")
    return raised.value


def test_the_demo_house_is_as_it_says():
    config = read_site_file(DEMO)
    kinds = [type(device) for device in config.devices]
    assert kinds == [MeterConfig, BaseLoadConfig, PvConfig, BatteryConfig, EvConfig, WasherConfig]
    assert config.connection_w == pytest.approx(17_250.0)
    assert config.start == time(11, 30)
    _, household, roof, battery, car, _ = config.devices
    assert isinstance(household, BaseLoadConfig) and household.yearly_wh == 3_500_000.0
    assert isinstance(roof, PvConfig) and (roof.peak_w, roof.ac_w) == (5_000.0, pytest.approx(4_166.7, abs=0.1))
    assert isinstance(battery, BatteryConfig) and battery.capacity_wh == 10_000.0
    assert isinstance(car, EvConfig) and car.plugged and car.soc == pytest.approx(0.45)


def test_units_are_gone_behind_the_file():
    battery, car = parse_site_file(GOOD).devices
    assert isinstance(battery, BatteryConfig) and isinstance(car, EvConfig)
    assert (battery.max_charge_w, battery.max_discharge_w, battery.soc) == (5_000.0, 4_000.0, pytest.approx(0.45))
    assert (car.phases, car.departure) == (1, time(7, 5))


MISTAKES = {
    "negative capacity": ('"10 kWh"', '"-10 kWh"', 12, "-10 kWh is too small", "above 0 Wh"),
    "no unit in the text": ('"10 kWh"', '"10"', 12, "has no unit", "kWh"),
    "no unit, a number": ('"10 kWh"', "10", 12, "10 has no unit", "kWh"),
    "unit of something else": ('"10 kWh"', '"10 kW"', 12, "“kW” is not a unit of energy", "kWh"),
    "no number": ('"10 kWh"', '"a lot"', 12, "“a lot” is not an energy", "10 kWh"),
    "infinite": ('"10 kWh"', '"inf kWh"', 12, "is not an energy", "10 kWh"),
    "braces": ('"10 kWh"', '"{10} kWh"', 12, "“{10} kWh” is not an energy", "10 kWh"),
    "unknown key": ('soc = "45 %"', 'sock = "45 %"', 15, "“sock” is not a key", "[soc]"),
    "missing key": ('charge = "5 kW"\n', "", 9, "the device has no charge", "charge"),
    "more than full": ('"45 %"', '"145 %"', 15, "145 % is too large", "at most 100 %"),
    "outside its window": ('"45 %"', '"2 %"', 15, "outside the battery's window", "5% to 95%"),
    "unknown type": ('type = "ev"', 'type = "tesla"', 18, "“tesla” is not a type", '"base load"'),
    "no type": ('type = "ev"\n', "", 17, "has no type", '"washer"'),
    "two of a name": ('name = "car"', 'name = "battery"', 19, "name of two devices", "one each"),
    "empty name": ('name = "car"', 'name = ""', 19, "'' is not a name", "1 to 60"),
    "phases": ("phases = 1", "phases = 2", 21, "phases: 2", "1 or 3"),
    "time of day": ('"7:05"', '"25:00"', 22, "“25:00” is not a time of day", "07:30"),
    "not on this earth": ('"52 deg"', '"152 deg"', 3, "152 deg is too large", "at most 90 deg"),
    "no such zone": ('"Europe/Amsterdam"', '"Europe/Arnhem"', 5, "not a time zone", "Europe/Amsterdam"),
    "connection": ('"17 kW"', '"25 A"', 6, "not a connection", "25 A 3-phase"),
    "unknown table": ("# the store", "[weather]", 8, "“weather” is not a table", "[[device]]"),
    "broken TOML": ('timezone = "Europe/Amsterdam"', "timezone = Europe", 5, "not TOML", "toml.io"),
    "a table twice": ("# the store", "[site]", 8, "not TOML", "toml.io"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told_with_its_line_and_what_is_allowed(case: str):
    old, new, line, problem, allowed = MISTAKES[case]
    wrong = mistake(old, new)
    assert (wrong.file, wrong.line) == ("house.toml", line)
    assert problem in wrong.problem
    assert allowed in wrong.allowed
    assert str(wrong) == f"house.toml, line {line}: {wrong.problem} {wrong.allowed}"
    assert "\n" not in str(wrong)


def test_a_second_meter_is_one_too_many():
    meter = '[[device]]\ntype = "meter"\nname = "m{}"\n'
    with pytest.raises(SiteFileError, match="a second meter"):
        parse_site_file(GOOD + meter.format(1) + meter.format(2))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[[device]]\ntype = "pv"\nname = "pv"\npeak = "5 kW"\n', "the [site] table is missing"),
        (GOOD.partition("# the store")[0], "there is no device"),
        (GOOD.partition("# the store")[0] + "[device]\n", "not a list of tables"),
        ("device = 3\n" + GOOD.partition("# the store")[0], "not a list of tables"),
        ("device = [1]\n" + GOOD.partition("# the store")[0], "not a list of tables"),
        ("", "the [site] table is missing"),
    ],
)
def test_a_file_without_its_tables_is_told(text: str, problem: str):
    with pytest.raises(SiteFileError) as raised:
        parse_site_file(text)
    assert problem in raised.value.problem


def test_a_file_that_is_not_there_or_not_text_is_told(tmp_path: Path):
    with pytest.raises(SiteFileError, match="cannot be read"):
        read_site_file(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SiteFileError, match="not UTF-8"):
        read_site_file(tmp_path / "binary.toml")
    with pytest.raises(SiteFileError, match="cannot be read"):
        read_site_file(tmp_path)


def test_what_is_essential_has_to_be_there():
    text = GOOD.replace("[site]", '[site]\nessential = ["Fridge"]', 1)
    with pytest.raises(SiteFileError, match="“Fridge” is not a device here") as raised:
        parse_site_file(text)
    assert raised.value.line == text.splitlines().index('essential = ["Fridge"]') + 1
