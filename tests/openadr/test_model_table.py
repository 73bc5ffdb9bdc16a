"""The element table beside the classes is complete and agrees with their annotations."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from datetime import datetime
from typing import Any

import pytest

from console.openadr.calendar import Duration
from console.openadr.content import described, particles_of, walk
from console.openadr.elements import FORMS, GROUPS, KEY, NAMESPACES, RAW, Child, Lexical, qualified
from console.openadr.lexical import is_duration
from console.openadr.model import PAYLOADS, ItemBase, Payload
from console.openadr.model.item import CURRENCY_CODES, UNITS

CLASSES = [cls for cls in described() if cls is not ItemBase]
PYTHON_TYPES: dict[str, type[Any]] = {
    "dateTime": datetime,
    "unsignedInt": int,
    "float": float,
    "decimal": float,
    "boolean": bool,
    "any": bytes,
}


def test_all_payloads_of_the_profile_are_there():
    assert len(PAYLOADS) == 23
    assert all(FORMS[cls].name == f"oadr:{cls.__name__[0].lower()}{cls.__name__[1:]}" for cls in PAYLOADS)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_field_is_described_and_typed_as_described(cls: type[Any]):
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        if field.name == "schema_version" and issubclass(cls, Payload):
            continue
        child: Child = field.metadata[KEY]
        cards = [step.card for step in child.path]
        hint = hints[field.name]
        if any(step.repeated for step in child.path):
            assert typing.get_origin(hint) is tuple
        elif "?" in cards:
            assert isinstance(hint, types.UnionType) and type(None) in typing.get_args(hint)
            assert field.default is None
        elif isinstance(child.kind, Lexical):
            assert hint is (Duration if is_duration(child.kind) else PYTHON_TYPES.get(child.kind.base, str))
        elif child.kind is not None:
            assert hint is child.kind
        assert child.meaning.endswith("]") or child.meaning.endswith(".") or "…" in child.meaning, field.name


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_particle_has_a_meaning_and_a_known_namespace(cls: type[Any]):
    for particle in walk(particles_of(cls)):
        for name in particle.names:
            assert qualified(name).startswith("{")
            assert name.partition(":")[0] in NAMESPACES
        assert particle.meaning


def test_field_names_are_the_local_names():
    """In snake case, without the prefixes oadr, ei and x-ei; plural where they repeat."""
    loose = {"response_code", "vavailability", "payload", "payloads", "item_base", "feed", "uid", "baseline", "signals"}
    for cls in CLASSES:
        for field in dataclasses.fields(cls):
            child = field.metadata.get(KEY)
            if child is None or field.name in loose:
                continue
            words = {_snake(step.name.partition(":")[2]) for step in child.path}
            stems = {re.sub(r"^(oadr|ei|x_ei)_", "", word) for word in words} | words
            names = {field.name, field.name.removesuffix("s"), f"event_{field.name}", f"{field.name}s"}
            names |= {f"start{field.name[len('start_') :]}", f"report_{field.name}", f"pending_{field.name}"}
            assert names & stems, (cls.__name__, field.name, stems)


def _snake(name: str) -> str:
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name.replace("-", "_"))
    return re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", spaced).lower()


def test_groups_and_units_are_complete():
    assert len(UNITS) == 17
    assert set(GROUPS["itemBase"]) == {*UNITS, "oadr:oadrGBDataDescription"}
    assert len(CURRENCY_CODES) == len(set(CURRENCY_CODES)) == 181
    assert all(isinstance(form.units, Lexical) and form.units is not RAW for form in UNITS.values())


def test_messages_are_frozen():
    for cls in PAYLOADS:
        with pytest.raises(dataclasses.FrozenInstanceError):
            object.__new__(cls).schema_version = "x"  # pyright: ignore[reportAttributeAccessIssue]
