"""Messages explained: a line for the list, a sentence, and a tree for the inspector in which every element has its
meaning, its clause and what was found wrong with it.

The tree follows the XML as it came, so it shows garbage as faithfully as good messages. Nothing here raises for what
a peer sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from typing import Any

from lxml import etree

from console.openadr.codec import Dissection, Envelope
from console.openadr.content import Particle, content_of
from console.openadr.elements import FORMS, GROUPS, RAW, WRAPPERS, Lexical, prefixed
from console.openadr.elements import Node as Element
from console.openadr.findings import Finding
from console.openadr.lexical import is_duration, read_value
from console.openadr.model import EiEventBaseline, EiEventSignal, ItemBase
from console.openadr.model.item import UNITS
from console.openadr.parsing import DEEPEST
from console.openadr.phrases import measured
from console.openadr.sentences import Units, sentence, summary
from console.openadr.tolerant import class_of, read_item

__all__ = ["Node", "Units", "sentence", "summary", "tree"]

_SHOWN = 4096
_VERSION_MEANING = "The profile the message is written in."
_ID_MEANING = "The name a signature refers to it by."
_LACKING = {Envelope.BARE: "oadrPayload/oadrSignedObject/", Envelope.SIGNED_OBJECT: "oadrPayload/"}
"""Start of a rule's paths (rules see the message alone) that a document without its envelope has not."""
_NO_PLACES: Mapping[str, Particle] = {}


@dataclass(frozen=True, slots=True)
class Node:
    """One line of the inspector: an element, an attribute (``@ei:schemaVersion``) or the whole body."""

    name: str
    """Usual prefix and local name."""
    value: str
    """Its text, with local time, plain duration or unit beside it; empty where it holds elements."""
    meaning: str
    clause: str
    path: str
    """As in ``Finding.path``."""
    line: int
    findings: tuple[Finding, ...]
    children: tuple[Node, ...]


def tree(dissection: Dissection, tz: tzinfo = UTC, findings: Sequence[Finding] | None = None) -> Node:
    """The message as a tree.

    ``findings`` are shown at the elements they are about; without them those of the dissection are. Those about no
    element that is there stand at the root.
    """
    remarks = dissection.findings if findings is None else tuple(findings)
    if dissection.tree is None:
        text = dissection.body[:_SHOWN].decode("utf-8", "replace")
        return Node("body", text, "Bytes that could not be read as XML.", "7.2", "", 0, tuple(remarks), ())
    start = _LACKING.get(dissection.envelope, "")
    if start:
        remarks = tuple(replace(remark, path=remark.path.removeprefix(start)) for remark in remarks)
    return _Drawing(remarks, tz).document(dissection.tree)


class _Drawing:
    """One drawing of a document."""

    def __init__(self, findings: Sequence[Finding], tz: tzinfo) -> None:
        self.tz = tz
        self.by_path: dict[str, list[Finding]] = {}
        for finding in findings:
            self.by_path.setdefault(finding.path, []).append(finding)

    def document(self, root: Element) -> Node:
        cls = class_of(prefixed(str(root.tag)))
        path = etree.QName(root).localname
        drawn = self.element(root, path, self.meaning(prefixed(str(root.tag)), None), None, cls, None, 1)
        rest = [finding for found in self.by_path.values() for finding in found]
        if not rest:
            return drawn
        return Node(
            *(drawn.name, drawn.value, drawn.meaning, drawn.clause, drawn.path, drawn.line),
            findings=(*drawn.findings, *rest),
            children=drawn.children,
        )

    def meaning(self, name: str, particle: Particle | None) -> tuple[str, str]:
        """Meaning and clause of an element where it stands."""
        if particle is not None and not particle.name.startswith("@"):
            return particle.meaning, particle.clause
        form = next((form for form in FORMS.values() if form.name == name), None)
        if form is not None:
            return form.meaning, form.clause
        unit = UNITS.get(name)
        return (unit.meaning, "6.1") if unit else (WRAPPERS.get(name, ""), "")

    def element(
        self,
        node: Element,
        path: str,
        told: tuple[str, str],
        particle: Particle | None,
        cls: type[Any] | None,
        unit: ItemBase | None,
        depth: int,
    ) -> Node:
        """One element and all below it; ``cls`` or ``particle`` say what it holds, ``unit`` how to read values."""
        name = prefixed(str(node.tag))
        places = _places(name, particle, cls)
        if cls in (EiEventSignal, EiEventBaseline):
            unit = _unit_in(node) or unit
        children = [*_attributes(node, path)]
        totals = Counter(child.tag for child in node)
        seen: Counter[object] = Counter()
        for child in node if depth < DEEPEST else ():
            seen[child.tag] += 1
            local = etree.QName(child).localname
            step = local if totals[child.tag] == 1 else f"{local}[{seen[child.tag]}]"
            children.append(self.child(child, f"{path}/{step}", places, unit, depth + 1))
        kind = particle.kind if particle is not None else None
        value = (
            "" if len(node) else self.value(node.text or "", kind if isinstance(kind, Lexical) else None, name, unit)
        )
        found = tuple(self.by_path.pop(path, ()))
        return Node(name, value, *told, path, node.sourceline or 0, found, tuple(children))

    def child(
        self, node: Element, path: str, places: Mapping[str, Particle], unit: ItemBase | None, depth: int
    ) -> Node:
        name = prefixed(str(node.tag))
        particle = places.get(name)
        cls: type[Any] | None = None
        if particle is None:
            cls = class_of(name)
        elif particle.name.startswith("@"):
            cls = GROUPS[particle.name[1:]][name]
        elif isinstance(particle.kind, type):
            cls = particle.kind
        return self.element(node, path, self.meaning(name, particle), particle, cls, unit, depth)

    def value(self, text: str, lexical: Lexical | None, name: str, unit: ItemBase | None) -> str:
        """The text, and beside it what it means here."""
        if lexical is None or lexical is RAW or not text.strip():
            return text.strip()
        note = ""
        try:
            read, _ = read_value(text, lexical)
            if lexical.base == "dateTime":
                note = read.astimezone(self.tz).strftime("%Y-%m-%d %H:%M:%S %Z")
            elif is_duration(lexical):
                note = str(read)
            elif name == "ei:value" and unit is not None:
                note = measured(read, unit)
        except (ValueError, OverflowError):
            note = ""
        return f"{text} ({note})" if note and note != text else text


def _places(name: str, particle: Particle | None, cls: type[Any] | None) -> Mapping[str, Particle]:
    """What may stand in an element, by name; nothing where that is not known."""
    if cls is not None:
        if cls is ItemBase and name not in UNITS:
            return _NO_PLACES
        return {other: part for part in content_of(name, cls) for other in part.names}
    if particle is not None and particle.inner:
        return {other: part for part in particle.inner for other in part.names}
    return _NO_PLACES


def _attributes(node: Element, path: str) -> list[Node]:
    meanings = {"ei:schemaVersion": (_VERSION_MEANING, "9.2.6 rule 509"), "oadr:Id": (_ID_MEANING, "8")}
    found: list[Node] = []
    for key, value in node.attrib.items():
        name = prefixed(str(key))
        told = meanings.get(name, ("", ""))
        found.append(Node(f"@{name}", str(value), *told, f"{path}/@{name}", node.sourceline or 0, (), ()))
    return found


def _unit_in(node: Element) -> ItemBase | None:
    """The item base among an element's children."""
    for child in node:
        if prefixed(str(child.tag)) in UNITS:
            return read_item(child)
    return None
