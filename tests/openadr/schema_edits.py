"""One-fact edits of our schema files, to see whether a set of cases would notice a fact that is wrong."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from lxml import etree

from console.openadr.schema_files import schema_files

_RULES: tuple[tuple[str, str, str], ...] = (
    ("enumeration dropped", r'<xs:enumeration value="[^"]*"/>', ""),
    ("optional becomes required", r' minOccurs="0"(?! maxOccurs)', ""),
    ("any number becomes one or more", r' minOccurs="0"(?= maxOccurs)', ""),
    ("many become one", r' maxOccurs="unbounded"', ""),
    ("required becomes optional", r'<xs:element ref="[^"]*"(?=/>)', r'\g<0> minOccurs="0"'),
    ("one becomes two", r'<xs:element ref="[^"]*"(?=/>)', r'\g<0> maxOccurs="2"'),
    ("number becomes text", r'type="xs:(float|unsignedInt|boolean|decimal|anyURI)"', 'type="xs:string"'),
    ("blanks count", r'base="xs:token"', 'base="xs:string"'),
    ("blanks count no more", r'base="xs:string"', 'base="xs:token"'),
    ("fixed text dropped", r' fixed="[^"]*"', ""),
    ("pattern dropped", r'<xs:pattern value="[^"]*"/>', ""),
    ("bound moved", r'<xs:maxInclusive value="100"/>', '<xs:maxInclusive value="101"/>'),
    ("version refused", r'<xs:attribute ref="ei:schemaVersion"/>', ""),
    ("substitution dropped", r' substitutionGroup="[^"]*"', ""),
    ("abstract becomes usable", r' abstract="true"', ""),
    ("nil refused", r' nillable="true"', ""),
)


_EXCEPTED = frozenset({"feed", "oadrGBDataDescription", "oadrGBPayload"})
"""Green Button and Atom content is carried, not judged."""


@dataclass(frozen=True, slots=True)
class Edit:
    kind: str
    file: str
    start: int
    end: int
    text: str
    """What stands there instead."""
    about: frozenset[str]
    """Local names of the elements it can show at: cases about those notice it first."""


def edits() -> Iterator[Edit]:
    """Every edit, in the order of files and kinds."""
    for file, source in schema_files().items():
        for kind, pattern, replacement in _RULES:
            for match in re.finditer(pattern, source):
                about = _about(source, match)
                if about.isdisjoint(_EXCEPTED):
                    yield Edit(kind, file, *match.span(), match.expand(replacement), about)


def _about(source: str, match: re.Match[str]) -> frozenset[str]:
    own = re.search(r'(?:ref|name)="(?:\w+:)?([\w-]+)"', match[0])
    before = re.findall(r'name="([\w-]+)"', source[: match.start()])
    return _users(own[1] if own else before[-1] if before else "")


@cache
def _users(name: str) -> frozenset[str]:
    """An element, or the elements whose type is this one, by whatever unions."""
    found = {name}
    while True:
        using = {
            user for user, text in _declarations() if any(f':{one}"' in text or f":{one} " in text for one in found)
        }
        if using <= found:
            return frozenset(found)
        found |= using


@cache
def _declarations() -> tuple[tuple[str, str], ...]:
    """Name of each declaration and the types it names."""
    found: list[tuple[str, str]] = []
    for source in schema_files().values():
        for match in re.finditer(r'<xs:(?:element|simpleType|attribute) name="([\w-]+)"[^>]*>', source):
            rest = source[match.end() : match.end() + 120] if "simpleType" in match[0] else ""
            named = re.findall(r'(?:type|base|memberTypes)="[^"]*"', match[0] + rest.partition("</xs:simpleType>")[0])
            found.append((match[1], " ".join(named)))
    return tuple(found)


def edited(edit: Edit) -> etree.XMLSchema | None:
    """Our schema with one fact wrong; None where it does not compile any more, which is noticed by itself."""
    with tempfile.TemporaryDirectory() as folder:
        for resource in (files("nodebench_resources") / "schema").iterdir():
            if resource.name.endswith(".xsd"):
                (Path(folder) / resource.name).write_text(resource.read_text("utf-8"), "utf-8")
        source = schema_files()[edit.file]
        changed = source[: edit.start] + edit.text + source[edit.end :]
        (Path(folder) / edit.file).write_text(changed, "utf-8")
        try:
            return etree.XMLSchema(file=str(Path(folder) / "oadr.xsd"))
        except etree.XMLSchemaParseError:
            return None
