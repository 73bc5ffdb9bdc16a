"""The element table as a tree: what may stand below an element, in which order and how often.

:func:`particles_of` turns the field descriptors of a class into particles, wrapper elements included;
:func:`particles_of_unit` does so for a unit. Reader, writer, schema and inspector all walk these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from console.openadr.elements import FORMS, GROUPS, RAW, WRAPPERS, Child, Lexical, Step, children
from console.openadr.model.item import UNIT_PARTS, UNITS, ItemBase


@dataclass(frozen=True, slots=True)
class Particle:
    """One place in a sequence."""

    name: str
    """Qualified name, or ``@group``."""
    card: str
    """``""`` once, ``?`` at most once, ``*`` any number, ``+`` one or more."""
    kind: Lexical | type[Any] | None
    """What it holds: text of a lexical type, the content of a class, or None for a wrapper or a group."""
    inner: tuple[Particle, ...]
    """Content of a wrapper."""
    field: str
    """Field of the class that takes its value; empty for a wrapper."""
    meaning: str
    clause: str

    @property
    def required(self) -> bool:
        return self.card in ("", "+")

    @property
    def repeated(self) -> bool:
        return self.card in ("*", "+")

    @property
    def names(self) -> tuple[str, ...]:
        """Qualified names that may stand here: its own, or the group's members."""
        return tuple(GROUPS[self.name[1:]]) if self.name.startswith("@") else (self.name,)

    @property
    def leaf(self) -> Particle:
        """The particle at the end of a chain of single required wrappers; itself where it is none."""
        return self.inner[0].leaf if self.chain else self

    @property
    def chain(self) -> bool:
        """Whether it wraps exactly one required thing, so that both together are one value."""
        return len(self.inner) == 1 and self.inner[0].card == "" and (bool(self.inner[0].field) or self.inner[0].chain)

    def fields(self) -> Iterator[str]:
        """Fields filled from here or below."""
        if self.field:
            yield self.field
        for particle in self.inner:
            yield from particle.fields()


@cache
def particles_of(cls: type[Any]) -> tuple[Particle, ...]:
    """Content of a described class's element, in the order of the standard."""
    form = FORMS.get(cls)
    clause = form.clause if form else ""
    placed = [(name, child, child.path) for name, child in children(cls)]
    found = _sequence(placed, clause)
    if form and form.closing:
        found += (Particle(form.closing, "", RAW, (), "", WRAPPERS[form.closing], clause),)
    return found


@cache
def particles_of_unit(name: str) -> tuple[Particle, ...]:
    """Content of a unit element (a member of the group itemBase that :class:`ItemBase` stands for)."""
    form = UNITS[name]
    first = (
        Particle(
            f"{form.prefix}:itemDescription", "", form.description, (), "item_description", "The quantity.", "6.1"
        ),
        Particle(f"{form.prefix}:itemUnits", "", form.units, (), "item_units", "The unit.", "6.1"),
    )
    rest = tuple(
        Particle(UNIT_PARTS[part][0], "", UNIT_PARTS[part][1], (), part, UNIT_PARTS[part][2], "6.1")
        for part in form.parts
    )
    return first + rest


def content_of(name: str, cls: type[Any]) -> tuple[Particle, ...]:
    """Content of the element ``name`` whose class is ``cls``; units differ by name."""
    return particles_of_unit(name) if cls is ItemBase else particles_of(cls)


@cache
def described() -> tuple[type[Any], ...]:
    """Registered classes and those that only fields refer to."""
    seen: dict[type[Any], None] = dict.fromkeys(FORMS)
    for cls in FORMS:
        for particle in walk(particles_of(cls)):
            if isinstance(particle.kind, type):
                seen[particle.kind] = None
    return tuple(seen)


def walk(particles: Iterable[Particle]) -> Iterator[Particle]:
    """Particles and what their wrappers hold, in document order."""
    for particle in particles:
        yield particle
        yield from walk(particle.inner)


def _sequence(placed: Sequence[tuple[str, Child, tuple[Step, ...]]], clause: str) -> tuple[Particle, ...]:
    """Particles of one level; neighbours under the same first step go into one wrapper."""
    found: list[Particle] = []
    start = 0
    while start < len(placed):
        name, child, path = placed[start]
        step = path[0]
        end = start + 1
        if len(path) > 1:
            while end < len(placed) and len(placed[end][2]) > 1 and placed[end][2][0] == step:
                end += 1
            inner = _sequence([(n, c, p[1:]) for n, c, p in placed[start:end]], clause)
            found.append(Particle(step.name, step.card, None, inner, "", WRAPPERS[step.name], clause))
        else:
            found.append(Particle(step.name, step.card, child.kind, (), name, child.meaning, child.clause or clause))
        start = end
    return tuple(found)
