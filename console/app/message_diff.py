"""What differs between two messages, element by element, whatever their layout; and which two are worth comparing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from console.openadr.explain import Node
from console.store.ids import ids_in
from console.store.log import Log

VOLATILE = frozenset({
    "requestID", "createdDateTime", "responseDescription", "Signature", "ReplayProtect", "Id", "nonce", "timestamp",
})  # fmt: skip
"""Differ between any two messages and tell nothing."""
_KEYS = ("eventID", "signalID", "rID", "reportRequestID", "reportSpecifierID", "uid", "venID", "resourceID")
"""What names one among elements of the same name."""
_VERSIONS = re.compile(rb"eventID>\s*([^<]+?)\s*<.{0,400}?modificationNumber>\s*(\d+)", re.DOTALL)
_LOOKED_AT = 400
"""Messages of the kind whose bodies are read for the same event."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One element that is other, new or gone."""

    path: str
    """In the newer message; of what is gone, in the older."""
    before: str
    """Empty for what is new."""
    after: str
    """Empty for what is gone."""
    kind: str
    """``changed``, ``added`` or ``removed``."""


def differences(before: Node, after: Node, everything: bool = False) -> list[Difference]:
    """What an operator has to know to get from one message to the other, in the order of the newer.

    ``everything`` tells also of ids and times that differ between any two messages.
    """
    found: list[Difference] = []
    _compare(before, after, frozenset() if everything else VOLATILE, found)
    return found


def _local(node: Node) -> str:
    return node.name.rpartition(":")[2].lstrip("@")


def _text(node: Node) -> str:
    """As it was sent, without the plain words that are beside it."""
    value, bracket, note = node.value.partition(" (")
    return value if bracket and note.endswith(")") else node.value


def _plain(node: Node) -> str:
    """What an element says: its text, or that of the few elements in it."""
    if not node.children:
        return _text(node)
    parts = [f"{_local(child)} {_plain(child)}".strip() for child in node.children[:6]]
    return ", ".join(parts) + (", …" if len(node.children) > 6 else "")


def _compare(before: Node, after: Node, ignored: frozenset[str], found: list[Difference]) -> None:
    if before.value != after.value and not before.children and not after.children:
        found.append(Difference(after.path, _text(before), _text(after), "changed"))
        return
    if bool(before.children) != bool(after.children):
        found.append(Difference(after.path, _plain(before), _plain(after), "changed"))
        return
    many = _repeated(before.children) | _repeated(after.children)
    old, new = _keyed(before.children, ignored, many), _keyed(after.children, ignored, many)
    for key, child in new.items():
        if key in old:
            _compare(old[key], child, ignored, found)
        else:
            found.append(Difference(child.path, "", _plain(child) or _local(child), "added"))
    for key, child in old.items():
        if key not in new:
            found.append(Difference(child.path, _plain(child) or _local(child), "", "removed"))


def _repeated(children: Sequence[Node]) -> set[str]:
    return {name for name, number in Counter(_local(child) for child in children).items() if number > 1}


def _keyed(children: Sequence[Node], ignored: frozenset[str], many: set[str]) -> dict[tuple[str, str], Node]:
    """Children by name and, of those that repeat on either side, by what names one: an id in it, else its place."""
    keyed: dict[tuple[str, str], Node] = {}
    seen: Counter[str] = Counter()
    for child in children:
        name = _local(child)
        if name in ignored:
            continue
        seen[name] += 1
        key = _key(child) or str(seen[name]) if name in many else ""
        while (name, key) in keyed:
            key += "'"
        keyed[name, key] = child
    return keyed


def _key(node: Node) -> str:
    for child in node.children:
        if _local(child) in _KEYS:
            return _plain(child)
    for child in node.children:
        inner = _key(child) if child.children else ""
        if inner:
            return inner
    return ""


def event_versions(body: bytes) -> dict[bytes, int]:
    """modificationNumber by eventID, as far as they stand beside each other."""
    return {event: int(number) for event, number in _VERSIONS.findall(body)}


def previous_of_kind(log: Log, body: Callable[[int], bytes], number: int) -> int:
    """The message to compare this one with; 0 for none.

    The same payload the same way between the same two, most recent before it; of reports one of the same request; of
    events that which held an earlier modification of the first of them if there is one, else one about the same event.
    Raises IndexError.
    """
    row = number - 1
    log.view(row)
    same = log.column("element")[:row] == log.columns.get(row, "element")
    for name in ("session", "peer", "outgoing"):
        same &= log.column(name)[:row] == log.columns.get(row, name)
    candidates = [int(each) + 1 for each in same.nonzero()[0][-_LOOKED_AT:][::-1]]
    if not candidates:
        return 0
    versions = event_versions(body(number))
    if not versions:
        report = ids_in(body(number), "report")[:1]
        return next((each for each in candidates if ids_in(body(each), "report")[:1] == report), candidates[0])
    event, mine = next(iter(versions.items()))
    about = [(each, event_versions(body(each)).get(event)) for each in candidates]
    earlier = next((each for each, version in about if version is not None and version < mine), 0)
    return earlier or next((each for each, version in about if version is not None), candidates[0])
