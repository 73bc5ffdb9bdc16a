"""Typed messages from schema-valid trees, fast: one function per class, generated from the element table.

The functions trust order and cardinality, which the schema has proved, and raise ``ValueError``, ``KeyError`` or the
like for the few schema-valid texts they don't take; ``console.openadr.tolerant`` then reads the same tree patiently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lxml import etree

from console.openadr.calendar import Duration
from console.openadr.content import Particle, described, particles_of, particles_of_unit
from console.openadr.elements import FORMS, GROUPS, RAW, Lexical, Node, qualified
from console.openadr.lexical import STRICT, TOKENS, is_duration
from console.openadr.model import PAYLOADS, ItemBase, Payload
from console.openadr.model.item import UNITS

VERSION = qualified("ei:schemaVersion")

Read = Callable[[Any], Any]


def raw_bytes(node: Node) -> bytes:
    """An element as bytes that stand alone, whatever surrounds it: exclusive canonical XML.

    Where canonical XML refuses (namespaces that are no absolute URIs), plain XML.
    """
    try:
        return etree.tostring(node, method="c14n", exclusive=True, with_comments=False)
    except etree.C14NError:
        return etree.tostring(node, encoding="utf-8", with_tail=False)


class _Source:
    """Source text of one reading function."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.lines: list[str] = []
        self.names = names
        self._iterators = 0

    def add(self, depth: int, line: str) -> None:
        self.lines.append(" " * depth + line)

    def constant(self, value: Any, stem: str) -> str:
        name = f"{stem}_{len(self.names)}"
        self.names[name] = value
        return name

    def tag(self, name: str) -> str:
        return self.constant(qualified(name), "T")

    def value(self, particle: Particle, node: str) -> str:
        """Expression for the value of an element held in the variable ``node``."""
        if particle.chain:
            return self.value(particle.inner[0], f"{node}[0]")
        kind = particle.kind
        if kind is None:
            return f"{particle.name[1:]}[{node}.tag]({node})"
        if not isinstance(kind, Lexical):
            return f"read_{kind.__name__}({node})"
        if kind is RAW:
            return f"raw_bytes({node})"
        if is_duration(kind):
            return f"parse_duration({node}.text)"
        if kind.fixed is not None:
            return f"({node}.text or {kind.fixed!r})"
        if kind.base in STRICT:
            return f"{STRICT[kind.base][0]}({node}.text)"
        return f"TOKENS[{node}.text or '']" if kind.base in ("token", "anyURI") else f"({node}.text or '')"

    def condition(self, particle: Particle, node: str) -> str:
        """Expression that is true where ``node`` (an element or None) is what the particle wants."""
        if particle.name.startswith("@"):
            return f"{node} is not None and {node}.tag in {particle.name[1:]}"
        return f"{node} is not None and {node}.tag == {self.tag(particle.name)}"

    def sequence(self, depth: int, particles: Iterable[Particle], node: str, setters: dict[str, str]) -> None:
        """Statements that read the children of ``node`` and set the object's fields."""
        self._iterators += 1
        it, c = f"it{self._iterators}", f"c{self._iterators}"
        self.add(depth, f"{it} = iter({node})")
        self.add(depth, f"{c} = next({it}, None)")
        for particle in particles:
            self._particle(depth, particle, it, c, setters)

    def _particle(self, depth: int, particle: Particle, it: str, c: str, setters: dict[str, str]) -> None:
        step = f"{c} = next({it}, None)"
        leaf = particle.leaf
        if particle.inner and not particle.chain:
            if particle.card == "?":
                self.add(depth, f"if {self.condition(particle, c)}:")
                self.sequence(depth + 1, particle.inner, c, setters)
                self.add(depth + 1, step)
                self.add(depth, "else:")
                for inner in particle.inner:
                    self._absent(depth + 1, inner, setters)
            else:
                self.sequence(depth, particle.inner, c, setters)
                self.add(depth, step)
        elif not leaf.field:
            self.add(depth, step)
        elif particle.repeated:
            condition = self.condition(particle, c)
            self.add(depth, f"if {condition}:")
            self.add(depth + 1, f"many = [{self.value(particle, c)}]")
            self.add(depth + 1, step)
            self.add(depth + 1, f"while {condition}:")
            self.add(depth + 2, f"many.append({self.value(particle, c)})")
            self.add(depth + 2, step)
            self.add(depth + 1, f"{setters[leaf.field]}(o, tuple(many))")
            self.add(depth, f"else: {setters[leaf.field]}(o, ())")
        elif particle.card == "?":
            self.add(depth, f"if {self.condition(particle, c)}:")
            self.add(depth + 1, f"{setters[leaf.field]}(o, {self.value(particle, c)})")
            self.add(depth + 1, step)
            self.add(depth, f"else: {setters[leaf.field]}(o, None)")
        else:
            self.add(depth, f"{setters[leaf.field]}(o, {self.value(particle, c)})")
            self.add(depth, step)

    def _absent(self, depth: int, particle: Particle, setters: dict[str, str]) -> None:
        leaf = particle.leaf
        if particle.inner and not particle.chain:
            for inner in particle.inner:
                self._absent(depth, inner, setters)
        elif leaf.field:
            self.add(depth, f"{setters[leaf.field]}(o, {'()' if particle.repeated else None})")


def _setter(source: _Source, cls: type[Any], field: str) -> str:
    """Name of the slot's own setter: it works on a frozen object under construction, and is the fastest way."""
    return source.constant(getattr(cls, field).__set__, "set")


def _compile(source: _Source, cls: type[Any], function: str, particles: tuple[Particle, ...]) -> None:
    new = source.constant(cls, "cls")
    fields = [field for particle in particles for field in particle.fields()]
    setters = {field: _setter(source, cls, field) for field in fields}
    source.add(0, f"def {function}(e):")
    source.add(1, f"o = new({new})")
    source.sequence(1, particles, "e", setters)
    if issubclass(cls, Payload):
        source.add(1, f"{_setter(source, cls, 'schema_version')}(o, TOKENS[e.get(VERSION) or ''])")
    if cls is ItemBase:
        for field in ("si_scale_code", "power_attributes", "pulse_factor"):
            if field not in fields:
                source.add(1, f"{_setter(source, cls, field)}(o, None)")
        name = source.constant(function[len("read_unit_") :].replace("__", ":"), "name")
        source.add(1, f"{_setter(source, cls, 'element')}(o, {name})")
    source.add(1, "return o")


def _compile_all() -> dict[str, Any]:
    names: dict[str, Any] = {
        "new": object.__new__,
        "TOKENS": TOKENS,
        "VERSION": VERSION,
        "parse_duration": Duration.parse,
        "raw_bytes": raw_bytes,
        **dict(STRICT.values()),
    }
    source = _Source(names)
    for cls in described():
        _compile(source, cls, f"read_{cls.__name__}", particles_of(cls))
    for unit in UNITS:
        _compile(source, ItemBase, f"read_unit_{unit.replace(':', '__')}", particles_of_unit(unit))
    exec("\n".join(source.lines), names)
    for group, members in GROUPS.items():
        names[group] = {
            qualified(name): names[
                f"read_unit_{name.replace(':', '__')}" if cls is ItemBase else f"read_{cls.__name__}"
            ]
            for name, cls in members.items()
        }
    return names


_NAMES = _compile_all()

READERS: dict[str, Read] = {qualified(FORMS[cls].name): _NAMES[f"read_{cls.__name__}"] for cls in PAYLOADS}
"""Tag of the payload element -> function from that element to the message."""
