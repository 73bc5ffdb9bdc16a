"""Negative tests: one thing broken in a message, to see what the peer makes of it.

Each break takes the finished source (variables filled in) and gives what is to be sent instead. What a break cannot be
done to, it says in a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from lxml import etree

from console.openadr.elements import Node, prefixed, qualified

HUGE = 5 * 2**20
"""Bytes of a message that is too large: above the limit of any sensible peer."""
SLOW = 2.0
"""Seconds between the pieces of a slow message, of which there are ten."""
OLD = timedelta(hours=1)
_XML = "application/xml"


class CannotBreak(Exception):
    """This message has nothing of what is to be broken; the text says so."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is to be sent, and how."""

    text: str
    content_type: str = _XML
    times: int = 1
    pause: float = 0.0
    signed_ago: timedelta | None = None
    """None leaves it unsigned."""


@dataclass(frozen=True, slots=True)
class Break:
    """One negative test."""

    id: str
    text: str
    """As in the menu."""
    expects: str
    """What a peer should do about it."""
    apply: Callable[[Outgoing], Outgoing]
    needs_key: bool = False
    """Whether it is about signatures."""


def broken(outgoing: Outgoing, names: list[str]) -> Outgoing:
    """``outgoing`` with the breaks of these ids applied, in the order of the menu. Raises CannotBreak."""
    for each in BREAKS:
        if each.id in names:
            outgoing = each.apply(outgoing)
    return outgoing


def _tree(outgoing: Outgoing) -> tuple[Node, str]:
    declaration = re.match(r"^\s*<\?xml[^>]*\?>\s*", outgoing.text)
    start = declaration[0] if declaration else ""
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        return etree.fromstring(outgoing.text[len(start) :].encode(), parser), start
    except (etree.XMLSyntaxError, ValueError) as error:
        raise CannotBreak(f"This is no XML yet ({error}); break something else first.") from error


def _with(outgoing: Outgoing, root: Node, start: str) -> Outgoing:
    return replace(outgoing, text=start + etree.tostring(root, encoding="unicode"))


def _every(root: Node, name: str) -> list[Node]:
    found = list(root.iter(qualified(name)))
    if not found:
        raise CannotBreak(f"There is no {name} in this message.")
    return found


def _wrong_ven(outgoing: Outgoing) -> Outgoing:
    root, start = _tree(outgoing)
    for node in _every(root, "ei:venID"):
        node.text = f"{node.text or ''}-nobody"
    return _with(outgoing, root, start)


def _stale_modification(outgoing: Outgoing) -> Outgoing:
    root, start = _tree(outgoing)
    for node in _every(root, "ei:modificationNumber"):
        number = (node.text or "").strip()
        if not number.isdigit() or int(number) == 0:
            raise CannotBreak("modificationNumber is 0 here, and nothing is older. Write the present number first.")
        node.text = str(int(number) - 1)
    return _with(outgoing, root, start)


def _payload(root: Node) -> Node:
    signed = root.find(f".//{qualified('oadr:oadrSignedObject')}")
    if signed is None or not len(signed):
        raise CannotBreak("There is no payload in this message.")
    return signed[0]


def _order(outgoing: Outgoing) -> Outgoing:
    root, start = _tree(outgoing)
    for parent in _payload(root).iter():
        children = [child for child in parent if isinstance(child.tag, str)]
        for one, other in zip(children, children[1:], strict=False):
            if one.tag != other.tag:
                tails = one.tail, other.tail
                parent.insert(parent.index(one), other)
                other.tail, one.tail = tails
                return _with(outgoing, root, start)
    raise CannotBreak("No element here has two different children to change places.")


def _missing(outgoing: Outgoing) -> Outgoing:
    root, start = _tree(outgoing)
    payload = _payload(root)
    leaf = next((node for node in payload.iter() if node is not payload and not len(node)), None)
    parent = None if leaf is None else leaf.getparent()
    if leaf is None or parent is None:
        raise CannotBreak("The payload is empty already.")
    parent.remove(leaf)
    return _with(outgoing, root, start)


def _unknown_element(outgoing: Outgoing) -> Outgoing:
    root, start = _tree(outgoing)
    etree.SubElement(_payload(root), qualified("ei:notInTheStandard")).text = "1"
    return _with(outgoing, root, start)


def _no_request_id(outgoing: Outgoing) -> Outgoing:
    root, start = _tree(outgoing)
    for node in _every(root, "pyld:requestID"):
        node.text = ""
    return _with(outgoing, root, start)


def _version(outgoing: Outgoing) -> Outgoing:
    root, start = _tree(outgoing)
    _payload(root).set(qualified("ei:schemaVersion"), "2.0x")
    return _with(outgoing, root, start)


def _bare(outgoing: Outgoing) -> Outgoing:
    root, start = _tree(outgoing)
    return _with(outgoing, _payload(root), start)


def _cut(outgoing: Outgoing) -> Outgoing:
    return replace(outgoing, text=outgoing.text[: len(outgoing.text) * 2 // 3])


def _doctype(outgoing: Outgoing) -> Outgoing:
    root, start = _tree(outgoing)
    name = prefixed(str(root.tag))
    declared = f'<!DOCTYPE {name} [<!ENTITY a "b">]>\n'
    return replace(outgoing, text=start + declared + etree.tostring(root, encoding="unicode"))


def _huge(outgoing: Outgoing) -> Outgoing:
    return replace(outgoing, text=f"{outgoing.text}\n<!-- {'x' * HUGE} -->")


def _slow(outgoing: Outgoing) -> Outgoing:
    return replace(outgoing, pause=SLOW)


def _content_type(outgoing: Outgoing) -> Outgoing:
    return replace(outgoing, content_type="text/plain")


def _twice(outgoing: Outgoing) -> Outgoing:
    return replace(outgoing, times=2)


def _unsigned(outgoing: Outgoing) -> Outgoing:
    return replace(outgoing, signed_ago=None)


def _old_signature(outgoing: Outgoing) -> Outgoing:
    return replace(outgoing, signed_ago=OLD)


BREAKS = (
    Break("wrong-ven", "Wrong venID", "Refuse it: the VEN is not known.", _wrong_ven),
    Break("stale-modification", "Stale modificationNumber", "Answer 450: it has a newer one.", _stale_modification),
    Break("order", "Elements in the wrong order", "Refuse it, or read it and say so.", _order),
    Break("missing", "An element missing", "Refuse it, or read it and say so.", _missing),
    Break("unknown", "An element nobody knows", "Refuse it, or pass it over.", _unknown_element),
    Break("empty-request", "Empty requestID", "Answer it, naming no request.", _no_request_id),
    Break("version", "Wrong schemaVersion", "Refuse it.", _version),
    Break("bare", "No envelope", "Refuse it with 406.", _bare),
    Break("cut", "XML cut off", "Refuse it with 406.", _cut),
    Break("doctype", "A DOCTYPE with an entity", "Refuse it without reading on.", _doctype),
    Break("huge", "Huge: 5 MiB", "Refuse it with 413 and live on.", _huge),
    Break("slow", "Slow: ten pieces in 18 s", "Wait, or close after its time-out.", _slow),
    Break("content-type", "Wrong Content-Type", "Refuse it with 406 or 415, or pass it over.", _content_type),
    Break("duplicate", "Same requestID twice", "Answer both; act once.", _twice),
    Break("unsigned", "Unsigned", "Refuse it where signatures are agreed.", _unsigned, needs_key=True),
    Break("old-replay", "Signature one hour old", "Refuse it: ReplayProtect.", _old_signature, needs_key=True),
)
"""The menu, in its order: later ones see what earlier ones left."""
