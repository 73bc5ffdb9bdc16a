"""Where each element of a message stands in its bytes, so that tree and hexadecimal view point at each other."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from console.openadr.parsing import DEEPEST, LIMIT

_SEPARATOR = "\x1f"


class _Refused(Exception):
    """A DOCTYPE, or too deep: such a body has no places."""


@dataclass(slots=True)
class _Spot:
    tag: str
    start: int
    end: int = 0
    children: list[_Spot] = field(default_factory=list)


def byte_places(body: bytes) -> Mapping[str, tuple[int, int]]:
    """First byte and byte after the last of each element, by the path that ``explain.tree`` gives it.

    Ordered by the first byte. Empty for what is no well-formed XML; nothing is raised for what a peer sent.
    """
    if not body or len(body) > LIMIT:
        return {}
    root = _read(body)
    if root is None:
        return {}
    places: dict[str, tuple[int, int]] = {}
    _name(root, _local(root.tag), places)
    return places


def innermost(places: Mapping[str, tuple[int, int]], offset: int) -> str:
    """Path of the smallest element that holds the byte at ``offset``; empty where none does."""
    starts = [start for start, _ in places.values()]
    paths = list(places)
    for k in range(bisect_right(starts, offset) - 1, -1, -1):
        start, end = places[paths[k]]
        if start <= offset < end:
            return paths[k]
    return ""


def _local(tag: str) -> str:
    return tag.rpartition(_SEPARATOR)[2]


def _read(body: bytes) -> _Spot | None:
    parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
    stack: list[_Spot] = []
    roots: list[_Spot] = []

    def started(tag: str, _attributes: object) -> None:
        if len(stack) >= DEEPEST:
            raise _Refused
        spot = _Spot(tag, parser.CurrentByteIndex)
        (stack[-1].children if stack else roots).append(spot)
        stack.append(spot)

    def ended(_tag: str) -> None:
        spot = stack.pop()
        close = body.find(b">", parser.CurrentByteIndex)
        spot.end = close + 1 if close >= 0 else len(body)

    def refused(*_: object) -> None:
        raise _Refused

    parser.StartElementHandler = started
    parser.EndElementHandler = ended
    parser.StartDoctypeDeclHandler = refused
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, _Refused, LookupError, ValueError):
        return None
    return roots[0] if roots else None


def _name(spot: _Spot, path: str, places: dict[str, tuple[int, int]]) -> None:
    places[path] = (spot.start, spot.end)
    totals = Counter(child.tag for child in spot.children)
    seen: Counter[str] = Counter()
    for child in spot.children:
        seen[child.tag] += 1
        step = _local(child.tag) if totals[child.tag] == 1 else f"{_local(child.tag)}[{seen[child.tag]}]"
        _name(child, f"{path}/{step}", places)
