"""Messages with every option present, built as trees from the element table: seeds for comparing schemas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from console.openadr.content import Particle, content_of
from console.openadr.elements import FORMS, GROUPS, NAMESPACES, RAW, Lexical, Node, prefixed, qualified
from console.openadr.lexical import is_duration
from console.openadr.model import PAYLOADS

AREA = (
    '<FeatureCollection xmlns="http://www.opengis.net/gml/3.2"><location><Polygon><exterior><LinearRing>'
    "<posList>1 2</posList></LinearRing></exterior></Polygon></location></FeatureCollection>"
)
SAMPLES = {
    "dateTime": "2026-06-01T08:00:00Z",
    "unsignedInt": "1",
    "float": "1.5",
    "decimal": "1",
    "boolean": "true",
    "anyURI": "http://a",
    "string": "s",
    "token": "t",
}


def sample(lexical: Lexical) -> str:
    """A text that fits a lexical type."""
    if is_duration(lexical):
        return "PT1H"
    if lexical.fixed is not None:
        return lexical.fixed
    return lexical.values[0] if lexical.values else "200" if lexical.pattern else SAMPLES[lexical.base]


def full_messages() -> Iterator[Node]:
    """One envelope for each payload, and for those with groups one for each member, two of everything that repeats."""
    prefixes = {
        prefix: NAMESPACES[prefix] for prefix in ("oadr", "ei", "pyld", "emix", "power", "scale", "xcal", "strm")
    }
    for cls in PAYLOADS:
        for pick in range(18 if cls.__name__ in ("OadrDistributeEvent", "OadrRegisterReport") else 3):
            root = etree.Element(qualified("oadr:oadrPayload"), nsmap=prefixes)
            signed = etree.SubElement(root, qualified("oadr:oadrSignedObject"), {qualified("oadr:Id"): "a"})
            payload = etree.SubElement(signed, qualified(FORMS[cls].name))
            payload.set(qualified("ei:schemaVersion"), "2.0b")
            _fill(payload, cls, pick)
            yield root


def _fill(node: Node, cls: type[Any], pick: int) -> None:
    _fill_sequence(node, content_of(prefixed(str(node.tag)), cls), pick)


def _fill_sequence(node: Node, particles: tuple[Particle, ...], pick: int) -> None:
    for particle in particles:
        for number in range(2 if particle.repeated else 1):
            name, kind = particle.name, particle.kind
            if name.startswith("@"):
                members = [(n, c) for n, c in GROUPS[name[1:]].items() if "GB" not in n]
                name, kind = members[(pick + number) % len(members)]
            if kind is RAW:
                node.append(etree.fromstring(AREA) if name.startswith("gml:") else etree.Element(qualified(name)))
                continue
            child = etree.SubElement(node, qualified(name))
            if isinstance(kind, Lexical):
                child.text = sample(kind)
            elif kind is None:
                _fill_sequence(child, particle.inner, pick)
            else:
                _fill(child, kind, pick + number)
