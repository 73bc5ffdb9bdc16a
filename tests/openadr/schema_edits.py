"""One-fact edits of our schema files, to see whether a set of cases would notice a fact that is wrong."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Edit:
    kind: str
    file: str
    start: int
    end: int
    text: str
    """What stands there instead."""
    about: str
    """Local name of the declaration it is in: cases about that notice it first."""


def edits() -> Iterator[Edit]:
    """Every edit, in the order of files and kinds."""
    for file, source in schema_files().items():
        for kind, pattern, replacement in _RULES:
            for match in re.finditer(pattern, source):
                yield Edit(kind, file, *match.span(), match.expand(replacement), _about(source, match))


def _about(source: str, match: re.Match[str]) -> str:
    own = re.search(r'(?:ref|name)="(?:\w+:)?([\w-]+)"', match[0])
    before = re.findall(r'name="([\w-]+)"', source[: match.start()])
    return own[1] if own else before[-1] if before else ""


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
