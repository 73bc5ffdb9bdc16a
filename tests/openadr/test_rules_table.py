"""No rule of the standard is forgotten: each is decided somewhere, or the table says why it cannot be."""

from __future__ import annotations

import re
from pathlib import Path

from console.openadr.rules import RULES
from console.openadr.rules.sequence import SEQUENCE_RULES
from console.openadr.rules.table import Way, table

ABSENT = {11, 24, 26, 28, 34, 39, 44, 49, 54, 55, 310, 320, 323, 326, 332, 503, 504, 505, 513}
NUMBERS = {
    *range(1, 71),
    *range(100, 117),
    *range(200, 212),
    *range(300, 347),
    *range(400, 408),
    *range(500, 518),
} - ABSENT


def test_every_number_is_in_the_table():
    assert {entry.number for entry in table()} == NUMBERS


def test_the_numbers_are_those_of_the_digest(shared: Path):
    text = (shared / "spec/openadr-2.0b.md").read_text("utf-8")
    section = text[text.index("## 14.") : text.index("## 15.")]
    assert {int(number) for number in re.findall(r"^\| \(?(\d+)\)? \|", section, re.M)} == NUMBERS


def test_what_is_decided_is_not_called_undecidable():
    for entry in table():
        assert entry.ways == (Way.NOT,) or Way.NOT not in entry.ways, entry.number
        assert entry.text.endswith("."), entry.number


def test_functions_and_table_agree():
    by_number = {entry.number: entry for entry in table()}
    for rules, way in ((RULES, Way.MESSAGE), (SEQUENCE_RULES, Way.SEQUENCE)):
        for rule in rules:
            assert way in by_number[rule.number].ways
            assert rule.text in by_number[rule.number].text


def test_most_rules_that_traffic_can_show_are_decided():
    decided = [entry for entry in table() if Way.NOT not in entry.ways]
    assert len(decided) >= 95
