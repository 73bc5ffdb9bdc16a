"""Hypothesis strategies for messages, built from the element table itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from console.openadr.calendar import Duration
from console.openadr.content import Particle, content_of
from console.openadr.elements import GROUPS, RAW, Lexical
from console.openadr.lexical import is_duration
from console.openadr.model import PAYLOADS, ItemBase, Payload

FEED = b'<feed xmlns="http://www.w3.org/2005/Atom"><id>a</id></feed>'
AREA = (
    b'<g:FeatureCollection xmlns:g="http://www.opengis.net/gml/3.2"><g:location><g:Polygon><g:exterior><g:LinearRing>'
    b"<g:posList>1 2 3.5 4</g:posList></g:LinearRing></g:exterior></g:Polygon></g:location></g:FeatureCollection>"
)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=12)
NUMBERS = st.floats(allow_nan=False)
INSTANTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(lambda at: at.replace(microsecond=0, tzinfo=UTC))
PART = st.integers(0, 400)
DURATIONS = st.builds(Duration, PART, PART, PART, PART, PART, PART, st.sampled_from([1, -1]))


def value_of(lexical: Lexical) -> st.SearchStrategy[Any]:
    if is_duration(lexical):
        return DURATIONS
    if lexical.fixed is not None:
        return st.just(lexical.fixed)
    if lexical.values:
        own = [st.just("x-own thing")] if lexical.extensible else []
        return st.one_of(st.sampled_from(lexical.values), *own)
    if lexical.pattern:
        return st.from_regex(r"\A[0-9]{3}\Z")
    return {
        "dateTime": INSTANTS,
        "unsignedInt": st.integers(*(lexical.bounds or (0, 2**32 - 1))),
        "float": NUMBERS,
        "decimal": st.floats(-1e9, 1e9),
        "boolean": st.booleans(),
        "anyURI": st.sampled_from(["http://a.example/b", "urn:x", ""]),
        "string": TEXT,
    }[lexical.base]


def _value(particle: Particle) -> st.SearchStrategy[Any]:
    particle = particle.leaf
    if particle.name.startswith("@"):
        return st.one_of(*(_element(name, cls) for name, cls in GROUPS[particle.name[1:]].items()))
    if particle.kind is RAW:
        return st.just(FEED if particle.name == "atom:feed" else AREA)
    if isinstance(particle.kind, Lexical):
        return value_of(particle.kind)
    assert particle.kind is not None
    return messages_of(particle.kind)


def _element(name: str, cls: type[Any]) -> st.SearchStrategy[Any]:
    if cls is not ItemBase:
        return messages_of(cls)
    values = {part.field: _value(part) for part in content_of(name, cls)}
    absent = {part: st.none() for part in ("si_scale_code",) if part not in values}
    return st.builds(ItemBase, element=st.just(name), **values, **absent)


def _fields(particles: tuple[Particle, ...]) -> dict[str, st.SearchStrategy[Any]]:
    found: dict[str, st.SearchStrategy[Any]] = {}
    for particle in particles:
        leaf = particle.leaf
        if particle.inner and not particle.chain:
            found |= _fields(particle.inner)
        elif not leaf.field:
            continue
        elif particle.repeated:
            least = 1 if particle.card == "+" else 0
            found[leaf.field] = st.deferred(
                lambda particle=particle, least=least: st.lists(_value(particle), min_size=least, max_size=2).map(tuple)
            )
        elif particle.card == "?":
            found[leaf.field] = st.deferred(lambda particle=particle: st.none() | _value(particle))
        else:
            found[leaf.field] = st.deferred(lambda particle=particle: _value(particle))
    return found


def messages_of(cls: type[Any]) -> st.SearchStrategy[Any]:
    """Valid objects of a described class, every optional part now and then."""
    built = _fields(content_of("", cls))
    if cls.__name__ == "OadrReport":
        built["intervals"] = st.just(()) | built["intervals"]
    return st.builds(cls, **built)


MESSAGES: st.SearchStrategy[Payload] = st.one_of(*(messages_of(cls) for cls in PAYLOADS))
