"""Our schema gives the verdict of the official one, on messages as they are, broken at random, and broken with system.

Known exceptions, none of which occurs below: Green Button content (ours carries it unjudged), xsi:type (our types
don't extend each other as the official ones do), and the elements of Green Button and Atom inside xcal:components.
"""

from __future__ import annotations

import copy
import random
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest
from lxml import etree

from console.openadr import schema
from console.openadr.elements import NAMESPACES, Node, prefixed
from console.openadr.parsing import parse
from console.openadr.schema_files import GENERATED, schema_files
from tests.openadr.full_messages import full_messages

TEXTS = (
    *("", "x", " ", "0", "-1", "+1", "-0", "01", "1.5", ".5", "5.", "1e3", "INF", "-INF", "+INF", "NaN", "nan", "true"),
    *("TRUE", "1", " 1 ", "\n0\t", "4294967295", "4294967296", "100", "101", "2.0a", "2.0b", " 2.0b ", "x-a", "x-"),
    *("x- a", "x-a b", " x-a", "X-a", "far", " far", "cancelled", "canceled", "always", " always", "never", "SIMPLE"),
    *("simple", "level", "product", "setPoint", "k", " k", "none", "W", "J/s", " W", "kW", "RealPower", "RealPower "),
    *(
        "200",
        "20",
        "2000",
        "２００",
        " 200",
        "USD",
        "XXX",
        "DEM",
        "usd",
        " USD",
        "currency",
        "currencyPerThm",
        "P",
        "PT",
    ),
    *("P1W", "1W", "+P1D", "+1W", "-PT5S", "P1H", "PT1H", "PT1.5S", " PT1H", "pt1h", "P1Y2M3DT4H5M6S", "P１D", "--P"),
    *("2026-06-01T08:00:00Z", "2026-06-01T08:00:00", "2026-06-01T08:00:00.Z", "2026-06-01T08:00:00.123Z"),
    *("2026-06-01T08:00:00+00:00", "2026-13-01T08:00:00Z", "2026-02-30T08:00:00Z", "2024-02-29T00:00:00Z"),
    *("2026-06-01T24:00:00Z", "2026-06-01T24:00:01Z", "2026-06-01T08:00:60Z", "0000-01-01T00:00:00Z"),
    *("-0001-01-01T00:00:00Z", "+2026-06-01T08:00:00Z", "12026-06-01T08:00:00Z", " 2026-06-01T08:00:00Z "),
    *("2026-06-01T08:00:00z", "http://a", "%%", "http://[", "a b", "é", "1 2 3", "celsius", "count", "Direct Read"),
    *("simpleHttp", "simpleHTTP", "Quality Good - Non Specific", "x-resourceStatus", "x-loadControlSetpoint", "optIn"),
)
FOREIGN = "urn:example:other"


@cache
def official(shared: Path) -> etree.XMLSchema:
    return etree.XMLSchema(file=str(shared / "schema/2.0b/oadr_20b.xsd"))


def test_the_committed_files_are_what_the_table_says():
    folder = files("nodebench_resources") / "schema"
    for name, text in schema_files().items():
        assert (folder / name).read_text(encoding="utf-8") == text, (
            f"run python -m console.openadr.schema_files for {name}"
        )


def test_one_file_per_namespace():
    assert {name.removesuffix(".xsd") for name in schema_files()} == set(GENERATED)


@pytest.mark.parametrize("folder", ["corpus", "corpus-authored"])
def test_same_verdict_on_the_corpora(shared: Path, folder: str):
    judged = 0
    for path in sorted((shared / folder).rglob("*.xml")):
        root, _ = parse(path.read_bytes())
        if root is not None:
            judged += 1
            assert schema.is_valid(root) == official(shared).validate(root), path
    assert judged > 90


def test_same_verdict_on_full_messages(shared: Path):
    for root in full_messages():
        assert official(shared).validate(root), official(shared).error_log.last_error
        assert schema.is_valid(root)
        assert schema.errors(root) == []


@pytest.mark.parametrize("cases", [800, pytest.param(20_000, marks=pytest.mark.slow)])
def test_same_verdict_on_thousands_of_random_mutations(shared: Path, cases: int):
    seeds = [parse(path.read_bytes())[0] for path in sorted((shared / "corpus-authored/valid").glob("*.xml"))]
    seeds += list(full_messages())
    chance = random.Random(7)
    accepted = 0
    for number in range(cases):
        seed = chance.choice(seeds)
        assert seed is not None
        root = mutated(seed, chance)
        verdict = official(shared).validate(root)
        accepted += verdict
        assert schema.is_valid(root) == verdict, (number, etree.tostring(root))
        found = schema.errors(root)
        assert bool(found) != verdict, (number, found)
    assert 0.1 * cases < accepted < 0.7 * cases


@pytest.mark.parametrize("step", [15, pytest.param(1, marks=pytest.mark.slow)])
def test_same_verdict_on_every_kind_of_text_in_every_place(shared: Path, step: int):
    """And where a text is refused, the list of errors names its element (tried for the first of each place)."""
    for root, leaf in places()[::step]:
        kept = leaf.text
        listed = False
        for text in TEXTS:
            leaf.text = text
            verdict = official(shared).validate(root)
            assert schema.is_valid(root) == verdict, (prefixed(str(leaf.tag)), text)
            if not verdict and not listed:
                listed = True
                assert prefixed(str(leaf.tag)) in {finding.element for finding in schema.errors(root)}, text
        leaf.text = kept


def places() -> list[tuple[Node, Node]]:
    """One leaf of every kind: its name and its parent's, with the message it stands in."""
    seen: set[tuple[str, str, str]] = set()
    found: list[tuple[Node, Node]] = []
    for root in full_messages():
        for node in root.iter():
            parent = node.getparent()
            if len(node) or parent is None or "gml" in str(node.tag):
                continue
            grand = parent.getparent()
            key = (str(node.tag), str(parent.tag), str(grand.tag) if grand is not None else "")
            if key not in seen and prefixed(str(node.tag)) != "xcal:components":
                seen.add(key)
                found.append((root, node))
    return found


def mutated(seed: Node, chance: random.Random) -> Node:
    """A copy with one or two things broken, or harmlessly changed."""
    root = copy.deepcopy(seed)
    for _ in range(chance.choice((1, 1, 1, 2))):
        node = chance.choice(list(root.iter()))
        if node is not root:
            chance.choice(OPERATORS)(node, chance)
    return root


def _drop(node: Node, _: random.Random) -> None:
    parent = node.getparent()
    assert parent is not None
    parent.remove(node)


def _double(node: Node, _: random.Random) -> None:
    node.addnext(copy.deepcopy(node))


def _swap(node: Node, _: random.Random) -> None:
    after = node.getnext()
    if after is not None:
        after.addnext(node)


def _misspell(node: Node, chance: random.Random) -> None:
    uri, local = etree.QName(node).namespace, etree.QName(node).localname
    node.tag = f"{{{uri}}}{chance.choice((local.lower(), local + 's', local[:-1] or 'x'))}"


def _move_namespace(node: Node, chance: random.Random) -> None:
    node.tag = f"{{{chance.choice([*NAMESPACES.values(), FOREIGN])}}}{etree.QName(node).localname}"


def _set_text(node: Node, chance: random.Random) -> None:
    node.text = chance.choice(TEXTS)


def _pad(node: Node, chance: random.Random) -> None:
    text = node.text or ""
    node.text = chance.choice((f" {text}", f"{text}\n", text.upper(), text[:-1], f"0{text}", text.replace(" ", "  ")))


def _set_attribute(node: Node, chance: random.Random) -> None:
    names = ("schemaVersion", f"{{{NAMESPACES['ei']}}}schemaVersion", f"{{{NAMESPACES['oadr']}}}Id", "Id", "x")
    node.set(chance.choice(names), chance.choice(("2.0a", "2.0b", "2.0c", "x-b", "k9", "9k")))


def _add_child(node: Node, chance: random.Random) -> None:
    tag = chance.choice([str(other.tag) for other in node.getroottree().getroot().iter()])
    etree.SubElement(node, chance.choice((tag, f"{{{FOREIGN}}}x")))


def _empty(node: Node, _: random.Random) -> None:
    for child in list(node):
        node.remove(child)


OPERATORS = (
    *(_drop, _double, _swap, _misspell, _move_namespace, _set_text, _set_text, _pad, _pad, _set_attribute, _add_child),
    _empty,
)
