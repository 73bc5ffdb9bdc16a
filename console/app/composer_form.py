"""The fields of a message being written: what the element table says may stand there, and what stands there now.

The XML is the truth; a form is read from it and writes back into it, one element at a time, leaving all else to the
byte where it can. Variables are texts like any other here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

from console.openadr.content import Particle, content_of
from console.openadr.elements import FORMS, GROUPS, NAMESPACES, RAW, Lexical, Node, prefixed, qualified
from console.openadr.model import PAYLOADS
from console.openadr.parsing import DEEPEST
from console.openadr.schema import path_of

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>\s*")
_CLASSES: dict[str, type[Any]] = {FORMS[cls].name: cls for cls in PAYLOADS}
_FIRST_TAG = re.compile(r"<[A-Za-z_][^>]*>")
MOST = 300
"""Fields shown; a message of a hundred intervals is written in XML."""


@dataclass(frozen=True, slots=True)
class Field:
    """One value of the message, or a place for one."""

    path: str
    """Of the element, as in ``Finding.path``; of its parent for one that is not there."""
    name: str
    """``ei:venID``."""
    value: str | None
    """None where the element is not there."""
    required: bool
    depth: int
    values: tuple[str, ...]
    """What may stand there, where the standard lists it."""
    words: str
    """What may stand there, in words."""
    meaning: str
    clause: str

    @property
    def is_section(self) -> bool:
        """Whether it is a container and not a value."""
        return not self.words


def fields_of(text: str) -> list[Field]:
    """The form of a message; empty for what is no XML or no message of 2.0b."""
    root = _parsed(text)
    payload = None if root is None else _payload(root)
    if payload is None:
        return []
    name = prefixed(str(payload.tag))
    found: list[Field] = []
    for field in _below(payload, content_of(name, _CLASSES[name]), 0):
        found.append(field)
        if len(found) == MOST:
            break
    return found


def set_field(text: str, field: Field, value: str | None) -> str:
    """The message with one field changed, put in where it belongs, or with None taken out; else as it is."""
    root = _parsed(text)
    payload = None if root is None else _payload(root)
    if root is None or payload is None:
        return text
    node = next((each for each in payload.iter() if isinstance(each.tag, str) and path_of(each) == field.path), None)
    if node is None:
        return text
    if field.value is None:
        if value is None:
            return text
        _insert(node, field.name, value, _particles(node))
    elif value is None:
        _take_out(node)
    else:
        node.text = value
    return _as_written(text, root)


def _as_written(text: str, root: Node) -> str:
    """The changed tree with the declaration and the first tag as they were: a serialiser puts that on one line."""
    declaration = _DECLARATION.match(text)
    start = declaration[0] if declaration else ""
    was, written = _FIRST_TAG.search(text, len(start)), etree.tostring(root, encoding="unicode")
    return start + (written if was is None else _FIRST_TAG.sub(lambda _: was[0], written, count=1))


def payload_name(text: str) -> str:
    """Local name of the payload's element; empty where there is none."""
    root = _parsed(text)
    payload = None if root is None else _payload(root)
    return "" if payload is None else etree.QName(payload).localname


def _parsed(text: str) -> Node | None:
    if "<!DOCTYPE" in text:
        return None
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        return etree.fromstring(_DECLARATION.sub("", text).encode(), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _payload(root: Node) -> Node | None:
    return next((each for each in root.iter() if isinstance(each.tag, str) and prefixed(each.tag) in _CLASSES), None)


def _below(node: Node, particles: tuple[Particle, ...], depth: int) -> Iterator[Field]:
    """Fields below an element: in the order of the standard, what is repeated in the order of the message."""
    if depth > DEEPEST:
        return
    present: dict[str, list[Node]] = {}
    for child in node:
        if isinstance(child.tag, str):
            present.setdefault(prefixed(child.tag), []).append(child)
    here = path_of(node)
    for particle in particles:
        there = [(name, child) for name in particle.names for child in present.get(name, ())]
        for name, child in there:
            yield from _field(child, name, particle, depth)
        if not there and isinstance(particle.kind, Lexical) and particle.kind is not RAW:
            lexical = particle.kind
            yield Field(here, particle.name, None, particle.required, depth, lexical.values, lexical.words,
                        particle.meaning, particle.clause)  # fmt: skip


def _field(child: Node, name: str, particle: Particle, depth: int) -> Iterator[Field]:
    kind = particle.kind
    if particle.name.startswith("@"):
        kind = GROUPS[particle.name[1:]][name]
    if kind is RAW:
        return
    if isinstance(kind, Lexical):
        yield Field(path_of(child), name, child.text or "", particle.required, depth, kind.values, kind.words,
                    particle.meaning, particle.clause)  # fmt: skip
        return
    inner = particle.inner if kind is None else content_of(name, kind)
    form = FORMS.get(kind) if kind is not None else None
    meaning = particle.meaning or (form.meaning if form else "")
    yield Field(path_of(child), name, "", particle.required, depth, (), "", meaning, particle.clause)
    yield from _below(child, inner, depth + 1)


def _particles(node: Node) -> tuple[Particle, ...]:
    """What may stand in an element, found from the payload down."""
    steps: list[Node] = []
    step: Node | None = node
    while step is not None:
        steps.append(step)
        if prefixed(str(step.tag)) in _CLASSES:
            break
        step = step.getparent()
    name = prefixed(str(steps[-1].tag))
    particles = content_of(name, _CLASSES[name])
    for each in reversed(steps[:-1]):
        name = prefixed(str(each.tag))
        place = next((particle for particle in particles if name in particle.names), None)
        if place is None:
            return ()
        kind = GROUPS[place.name[1:]][name] if place.name.startswith("@") else place.kind
        particles = place.inner if not isinstance(kind, type) else content_of(name, kind)
    return particles


def _insert(node: Node, name: str, value: str, particles: tuple[Particle, ...]) -> None:
    """Put a new child where the schema wants it, indented as its neighbours are."""
    order = {each: index for index, particle in enumerate(particles) for each in particle.names}
    mine = order.get(name, len(particles))
    at = 0
    for index, child in enumerate(node):
        if isinstance(child.tag, str) and order.get(prefixed(child.tag), -1) < mine:
            at = index + 1
    prefix = name.partition(":")[0]
    child = etree.Element(qualified(name), nsmap={prefix: NAMESPACES[prefix]})
    child.text = value
    if len(node):
        first = node.text
        child.tail = node[at].tail if at < len(node) else node[-1].tail
        if at == len(node):
            node[-1].tail = first
        elif at < len(node):
            child.tail = first
    node.insert(at, child)


def _take_out(node: Node) -> None:
    parent = node.getparent()
    if parent is None:
        return
    before = node.getprevious()
    if before is not None:
        before.tail = node.tail
    elif len(parent) == 1:
        parent.text = node.tail
    parent.remove(node)
