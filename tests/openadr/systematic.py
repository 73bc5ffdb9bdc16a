"""The systematic set: messages generated from the element table, then every place × every operator, every leaf × text.

:func:`groups` gives the cases of one place after another, in an order that depends on nothing but the table, so that
verdicts can be kept as bits without any message. Trees are changed in place and undone: a case is to be judged before
the next is asked for, and a group before the next.

``python -m tests.openadr.systematic`` writes the verdicts of the official schema set (in ``../shared``) anew.
"""

from __future__ import annotations

import copy
import sys
import zlib
from base64 import b85decode, b85encode
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from lxml import etree

from console.openadr import elements, enums
from console.openadr.elements import NAMESPACES, Lexical, Node, prefixed, qualified
from console.openadr.model.item import CURRENCY_CODES, UNITS
from tests.openadr.full_messages import full_messages
from tests.openadr.test_schema_oracle import FOREIGN, TEXTS

_ATTRIBUTES = (
    *("schemaVersion", qualified("ei:schemaVersion"), qualified("oadr:Id"), "Id", qualified("gml:id"), "x"),
    "{http://www.w3.org/XML/1998/namespace}lang",
)
_ATTRIBUTE_TEXTS = ("2.0a", " 2.0b ", "2.0c", " x-b ", "k9", "9k")
_NIL = qualified("xsi:nil")
_SCHEMA_LOCATION = qualified("xsi:schemaLocation")
_CURRENCIES = ("EUR", "ZWL", "EEK", "BYN", "AED")
_ROOTS = ("oadr:oadrPoll", "ei:eventStatus", "ei:eiTarget", "xcal:interval", "ei:refID", "clm:ISO3AlphaCurrencyCode")
_INSIDE = (
    *("ei:eventStatus", "ei:numDataSources", "ei:SignalNameEnumerated", "ei:readingTypeEnumerated", "ei:responses"),
    *("ei:optReasonEnumerated", "ei:reportEnumerated", "ei:statusDateTime", "ei:registrationID", "xcal:dtend"),
    *("clm:ISO3AlphaCurrencyCode", "ei:uid", "strm:streamBase", "emix:itemBase", "ei:payloadBase", "oadr:oadrMin"),
    *("xcal:startafter", "ei:venID", "xcal:properties", "xcal:duration", "emix:marketContext", "gml:FeatureCollection"),
    *("power:mrid", "scale:siScaleCode", "ds:KeyName", "oadr:oadrSignedObject", "strm:streamPayloadBase", "ei:value"),
)
_CLOSED = ("x-schedule", "x-RMS", "x-notApplicable", "x-resourceStatus")
_INSIDE_TEXTS = (
    *_CLOSED,
    "",
    "far",
    "x-a",
    "7",
    "SIMPLE",
    "Net",
    "usage",
    "economic",
    "2026-06-01T08:00:00Z",
    "EUR",
    "PT1H",
)


def _enumerated() -> tuple[str, ...]:
    """Every listed value of the table's lexical types, each once."""
    lexicals = [value for value in vars(elements).values() if isinstance(value, Lexical)]
    lexicals += [lexical for form in UNITS.values() for lexical in (form.description, form.units)]
    few = [lexical for lexical in lexicals if len(lexical.values) < 100]
    values = [value for lexical in few for value in (*lexical.values, *([lexical.fixed] if lexical.fixed else []))]
    return tuple(dict.fromkeys((*values, *enums.SignalName, *_CURRENCIES)))


LEXICAL = tuple(dict.fromkeys((*TEXTS, *(text for value in _enumerated() for text in (value, f" {value}")))))
"""Texts tried in every leaf."""


Case = tuple[str, Node]


def groups() -> Iterator[tuple[str, Callable[[], Iterator[Case]]]]:
    """Name of each place and what gives its cases: (operator, document)."""
    seen: set[tuple[str, ...]] = set()
    for number, root in enumerate(full_messages()):
        yield f"whole {number}", partial(_whole, root)
        for node in list(root.iter()):
            place = _place(node)
            if node.getparent() is None or place in seen:
                continue
            seen.add(place)
            yield "/".join(prefixed(step) for step in reversed(place)), partial(_changes, node, root)
    yield "roots", _roots


def _whole(root: Node) -> Iterator[Case]:
    yield "whole", root


def _place(node: Node) -> tuple[str, ...]:
    """What tells two places apart: the element, its parent and grandparent; for the payload its own name."""
    return (str(node.tag), *(str(ancestor.tag) for ancestor in list(node.iterancestors())[:2]))


def _changes(node: Node, root: Node) -> Iterator[Case]:
    yield from ((name, root) for name in _presence(node))
    yield from ((name, root) for name in _names(node))
    yield from ((name, root) for name in _attributes(node))
    yield from ((name, root) for name in _contents(node))


def _presence(node: Node) -> Iterator[str]:
    """Dropped, doubled, all dropped, moved."""
    parent = node.getparent()
    assert parent is not None
    kept = list(parent)
    alike = [child for child in kept if child.tag == node.tag]
    parent.remove(node)
    yield "one dropped"
    for child in alike[1:] if alike[0] is node else ():
        parent.remove(child)
    if len(alike) > 1:
        yield "all dropped"
        parent.insert(min(kept.index(node), len(parent)), node)
        yield "one left"
    _restore(parent, kept)
    extra = copy.deepcopy(node)
    for part in extra.iter():
        for key in [key for key in part.attrib if str(key).lower().endswith("}id")]:
            del part.attrib[key]
    parent.insert(kept.index(node), extra)
    yield "one more"
    _restore(parent, kept)
    after = node.getnext()
    if after is not None and after.tag != node.tag:
        after.addnext(node)
        yield "swapped"
        _restore(parent, kept)


def _restore(parent: Node, kept: list[Node]) -> None:
    for child in list(parent):
        parent.remove(child)
    parent.extend(kept)


def _names(node: Node) -> Iterator[str]:
    tag, local = str(node.tag), etree.QName(node).localname
    for other in (local, f"{{{FOREIGN}}}{local}", f"{tag}x", *(f"{{{uri}}}{local}" for uri in _uris(tag))):
        node.tag = other
        yield f"named {other}"
    node.tag = tag


def _uris(tag: str) -> Iterator[str]:
    """Namespaces of the messages proper, but for the element's own."""
    for prefix in ("oadr", "ei", "pyld", "emix", "power", "xcal"):
        if not tag.startswith(f"{{{NAMESPACES[prefix]}}}"):
            yield NAMESPACES[prefix]


def _attributes(node: Node) -> Iterator[str]:
    for key in _ATTRIBUTES:
        before = node.get(key)
        for text in _ATTRIBUTE_TEXTS:
            node.set(key, text)
            yield f"{key}={text!r}"
        if before is None:
            del node.attrib[key]
            continue
        del node.attrib[key]
        yield f"without {key}"
        node.set(key, before)
    for key, text in ((_NIL, "true"), (_NIL, "false"), (_SCHEMA_LOCATION, "a b")):
        node.set(key, text)
        yield f"{key}={text!r}"
        del node.attrib[key]


def _contents(node: Node) -> Iterator[str]:
    extra = etree.SubElement(node, f"{{{FOREIGN}}}x")
    yield "a stranger inside"
    node.remove(extra)
    children, text = list(node), node.text
    if prefixed(str(node.tag)) == "xcal:components" and not children:
        yield from _components(node)
    if children:
        node.text = "x"
        yield "text beside elements"
        node.text = text
        for child in children:
            node.remove(child)
        yield "emptied"
        node.extend(children)
        return
    parent = node.getparent()
    money = parent is not None and "currency" in str(parent.tag) and str(node.tag).endswith("itemUnits")
    for value in (*LEXICAL, *(CURRENCY_CODES if money else ())):
        node.text = value
        yield f"text {value!r}"
    node.text = text


def _components(node: Node) -> Iterator[str]:
    """xcal:components takes anything, but judges what it knows at any depth."""
    for name in _INSIDE:
        for depth in (0, 1):
            holder = etree.SubElement(node, f"{{{FOREIGN}}}x") if depth else node
            child = etree.SubElement(holder, qualified(name))
            for text in _INSIDE_TEXTS:
                child.text = text
                yield f"{name} {text!r} inside at {depth}"
            node.remove(holder if depth else child)


def _roots() -> Iterator[Case]:
    """Every part of the messages, and what stands nowhere, as the root of a document."""
    seen: set[str] = set()
    for root in full_messages():
        for node in root.iter():
            if str(node.tag) not in seen:
                seen.add(str(node.tag))
                yield f"root {prefixed(str(node.tag))}", copy.deepcopy(node)
    yield from _unused()
    for name in (*_ROOTS, *_INSIDE):
        for text in (*_INSIDE_TEXTS, *(CURRENCY_CODES if name.startswith("clm:") else ())):
            node = etree.Element(qualified(name))
            node.text = text
            yield f"root {name} {text!r}", node


def _unused() -> Iterator[Case]:
    """What is declared and stands in no message, holding none, one and two of what it may hold."""
    parts = {str(node.tag): node for root in full_messages() for node in root.iter()}
    for name, inner in (("xcal:interval", "xcal:properties"), ("xcal:dtend", "xcal:date-time")):
        for count in range(3):
            node = etree.Element(qualified(name))
            node.extend(copy.deepcopy(parts[qualified(inner)]) for _ in range(count))
            yield f"root {name} with {count}", node


# Verdicts ------------------------------------------------------------------------------------------------------------

VERDICTS = Path(__file__).with_name("systematic_verdicts.txt")
"""A line for each group: its name, number of cases, checksum of their names, the official verdicts as bits."""


def judged(of: Callable[[], Iterator[Case]], judge: etree.XMLSchema) -> tuple[list[str], list[bool]]:
    """Names and verdicts of the cases of one group."""
    names: list[str] = []
    verdicts: list[bool] = []
    for name, root in of():
        names.append(name)
        verdicts.append(judge.validate(root))
    return names, verdicts


def kept_verdicts() -> dict[str, tuple[int, list[bool]]]:
    """Group -> checksum of its case names, and the official verdicts."""
    found: dict[str, tuple[int, list[bool]]] = {}
    for line in VERDICTS.read_text("utf-8").splitlines():
        name, count, checksum, packed = line.rsplit("\t", 3)
        bits = int.from_bytes(zlib.decompress(b85decode(packed)), "big")
        found[name] = int(checksum), [bool(bits >> at & 1) for at in range(int(count))]
    return found


def checksum_of(names: list[str]) -> int:
    return zlib.crc32("\n".join(names).encode())


def _line(group: str, names: list[str], verdicts: list[bool]) -> str:
    bits = sum(1 << at for at, verdict in enumerate(verdicts) if verdict)
    packed = b85encode(zlib.compress(bits.to_bytes(len(verdicts) // 8 + 1, "big"), 9)).decode()
    return f"{group}\t{len(names)}\t{checksum_of(names)}\t{packed}"


def main() -> int:
    official = Path(__file__).resolve().parents[3] / "shared/schema/2.0b/oadr_20b.xsd"
    judge = etree.XMLSchema(file=str(official))
    lines = [_line(name, *judged(of, judge)) for name, of in groups()]
    VERDICTS.write_text("\n".join(lines) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
