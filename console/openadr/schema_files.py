"""Writes our schema files from the element table: ``python -m console.openadr.schema_files DIRECTORY``.

One file per namespace. What the table does not hold stands beside them as files written by hand: XML signatures
(``ds.xsd``, ``dsig11.xsd``), the little of GML that is used (``gml.xsd``), Atom as an open wrapper (``atom.xsd``) and
the attributes of the xml namespace (``xml.xsd``). A test compares the committed files with what this module writes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from console.openadr.content import Particle, described, particles_of, particles_of_unit
from console.openadr.elements import (
    DATE_TIME,
    DURATION,
    FORMS,
    GROUPS,
    NAMESPACES,
    OPT_REASON,
    RAW,
    READING_TYPE,
    REPORT_TYPE,
    SCHEMA_VERSION,
    SIGNAL_NAME,
    STRING,
    UNSIGNED,
    Lexical,
)
from console.openadr.lexical import escape
from console.openadr.model import PAYLOADS, EiResponse, ItemBase, Payload
from console.openadr.model.item import UNITS

GENERATED = ("oadr", "ei", "pyld", "emix", "power", "scale", "xcal", "strm", "clm")
"""Prefixes of the namespaces whose files are written here."""

_LOCAL_NAMES = (
    "ei:eventResponse ei:response ei:value ei:signalID ei:baselineID ei:baselineName ei:priority ei:testEvent "
    "ei:vtnComment ei:modificationDateTime ei:modificationReason ei:eiMarketContext ei:reportBackDuration "
    "ei:reportInterval oadr:oadrEvent oadr:oadrProfile oadr:oadrTransport oadr:oadrService oadr:oadrExtensions "
    "oadr:oadrExtension oadr:oadrExtensionName oadr:oadrKey oadr:oadrValue oadr:itemDescription oadr:itemUnits "
    "power:itemDescription power:itemUnits power:hertz power:ac power:pointOfReceipt power:pointOfDelivery "
    "xcal:tolerance xcal:tolerate xcal:startafter oadr:oadrMin oadr:oadrMax oadr:oadrCurrent oadr:oadrNormal "
    "oadr:oadrCapacity oadr:oadrLevelOffset oadr:oadrPercentOffset oadr:oadrSetPoint oadr:oadrOnline "
    "oadr:oadrManualOverride oadr:oadrMinPeriod oadr:oadrMaxPeriod oadr:oadrOnChange "
)
_LOCAL = frozenset(_LOCAL_NAMES.split())
"""Elements that are declared inside their parent's type and hence no possible document root."""

_HEADS = {"itemBase": "emix:itemBase", "payloadBase": "ei:payloadBase", "streamPayloadBase": "strm:streamPayloadBase"}
_DURATION_PROP = "xcal:DurationPropType"
"""What granularity, notification, ramps and the like share: one xcal:duration inside."""
_EXTENSION = "ei:EiExtensionTokenType"
_OCCURS = {"": "", "?": ' minOccurs="0"', "*": ' minOccurs="0" maxOccurs="unbounded"', "+": ' maxOccurs="unbounded"'}
_PATTERNS = {
    DATE_TIME.name: r"[+\-]?\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d*)?Z?",
    DURATION.name: r"[+\-]?P(\d+Y)?(\d+M)?(\d+D)?T?(\d+H)?(\d+M)?(\d+S)?|\d+W",
}
_UNUSED: tuple[tuple[str, Lexical], ...] = (
    ("ei:statusDateTime", DATE_TIME),
    ("ei:numDataSources", UNSIGNED),
    ("ei:refID", STRING),
)
_CLOSED = (
    ("ei:SignalNameEnumerated", SIGNAL_NAME),
    ("ei:optReasonEnumerated", OPT_REASON),
    ("ei:reportEnumerated", REPORT_TYPE),
    ("ei:readingTypeEnumerated", READING_TYPE),
)
"""Elements the standard declares and no payload uses; they count inside xcal:components."""


class _Files:
    """Declarations by namespace prefix, in order of appearance, each once."""

    def __init__(self) -> None:
        self.declared: dict[str, dict[str, str]] = {prefix: {} for prefix in GENERATED}

    def declare(self, name: str, kind: str, text: str) -> None:
        """Add one global declaration; two different ones of a name are a fault of the table."""
        prefix = name.partition(":")[0]
        if prefix not in self.declared:
            return
        known = self.declared[prefix].setdefault(f"{kind} {name}", text)
        if known != text:
            raise ValueError(f"{name} is described in two ways:\n{known}\n{text}")

    # Simple types

    def simple(self, lexical: Lexical) -> str:
        """Name of the simple type of a lexical type, declared on the way."""
        if lexical.pattern or lexical.bounds or lexical.values or lexical.name in _PATTERNS:
            name = lexical.name or "power:RealPowerUnitType"
            self.declare(name, "simple", self._simple(name, lexical))
            if lexical.extensible:
                return self._union(name)
            return name
        return f"xs:{lexical.base}"

    def _simple(self, name: str, lexical: Lexical) -> str:
        facets = "".join(f'<xs:enumeration value="{escape(value)}"/>' for value in lexical.values)
        pattern = lexical.pattern or _PATTERNS.get(lexical.name, "")
        facets += f'<xs:pattern value="{pattern}"/>' if pattern else ""
        if lexical.bounds:
            low, high = lexical.bounds
            facets += f'<xs:minInclusive value="{low}"/><xs:maxInclusive value="{high}"/>'
        restriction = f'<xs:restriction base="xs:{lexical.base}">{facets}</xs:restriction>'
        return f'<xs:simpleType name="{_local(name)}">{restriction}</xs:simpleType>'

    def _union(self, listed: str) -> str:
        """The listed values or a name starting with x-."""
        extension = '<xs:restriction base="xs:token"><xs:pattern value="x-\\S.*"/></xs:restriction>'
        self.declare(_EXTENSION, "simple", f'<xs:simpleType name="{_local(_EXTENSION)}">{extension}</xs:simpleType>')
        name = f"{listed.removesuffix('Type')}OrExtensionType"
        members = f'<xs:union memberTypes="{listed} {_EXTENSION}"/>'
        self.declare(name, "simple", f'<xs:simpleType name="{_local(name)}">{members}</xs:simpleType>')
        return name

    # Elements and complex types

    def sequence(self, particles: Iterable[Particle]) -> str:
        return "<xs:sequence>" + "".join(self.particle(particle) for particle in particles) + "</xs:sequence>"

    def particle(self, particle: Particle) -> str:
        """A particle where it stands: a reference to a global element, or a declaration of its own."""
        occurs = _OCCURS[particle.card]
        if particle.name.startswith("@"):
            return f'<xs:element ref="{_HEADS[particle.name[1:]]}"{occurs}/>'
        if _is_local(particle):
            return self.element(particle.name, particle, occurs)
        self.global_element(particle)
        return f'<xs:element ref="{particle.name}"{occurs}/>'

    def global_element(self, particle: Particle) -> None:
        if any(form.name == particle.name for form in FORMS.values()) or particle.name in _HAND_WRITTEN:
            return
        self.declare(particle.name, "element", self.element(particle.name, particle, ""))

    def element(self, name: str, particle: Particle, occurs: str) -> str:
        """A declaration with its content."""
        start = f'<xs:element name="{_local(name)}"{occurs}'
        kind = particle.kind
        if particle.chain and particle.inner[0].name == "xcal:duration":
            self.complex_type(_DURATION_PROP, self.sequence(particle.inner))
            return f'{start} type="{_DURATION_PROP}"/>'
        if particle.inner:
            return f"{start}><xs:complexType>{self.sequence(particle.inner)}</xs:complexType></xs:element>"
        if kind is RAW:
            return f'{start} nillable="true"/>'
        if isinstance(kind, Lexical):
            fixed = f' fixed="{escape(kind.fixed)}"' if kind.fixed is not None else ""
            return f'{start} type="{self.simple(kind)}"{fixed}/>'
        assert kind is not None
        return f'{start} type="{_type_name(kind)}"/>'

    def complex_type(self, name: str, content: str, attributes: str = "") -> None:
        self.declare(name, "complex", f'<xs:complexType name="{_local(name)}">{content}{attributes}</xs:complexType>')

    def described_class(self, cls: type[Any]) -> None:
        """The type of one class, and its element where it has one."""
        version = '<xs:attribute ref="ei:schemaVersion"/>' if issubclass(cls, Payload) else ""
        self.complex_type(_type_name(cls), self.sequence(particles_of(cls)), version)
        form = FORMS.get(cls)
        if form and form.name and form.name not in _LOCAL:
            group = next((group for group, members in GROUPS.items() if form.name in members), "")
            self._member(form.name, _type_name(cls), group)

    def _member(self, name: str, type_name: str, group: str) -> None:
        head = f' substitutionGroup="{_HEADS[group]}"' if group else ""
        self.declare(name, "element", f'<xs:element name="{_local(name)}" type="{type_name}"{head}/>')

    def units(self) -> None:
        for name, form in UNITS.items():
            self.complex_type(form.type, self.sequence(particles_of_unit(name)))
            self._member(name, form.type, "itemBase")

    def heads(self) -> None:
        for name in (*_HEADS.values(), "strm:streamBase"):
            self.declare(name, "element", f'<xs:element name="{_local(name)}" abstract="true"/>')

    def envelope(self) -> None:
        choice = "".join(f'<xs:element ref="{FORMS[cls].name}"/>' for cls in PAYLOADS)
        self.declare(
            "oadr:oadrSignedObject",
            "element",
            '<xs:element name="oadrSignedObject"><xs:complexType><xs:choice>'
            f'{choice}</xs:choice><xs:attribute name="Id" type="xs:ID"/></xs:complexType></xs:element>',
        )
        self.declare(
            "oadr:oadrPayload",
            "element",
            '<xs:element name="oadrPayload"><xs:complexType><xs:sequence>'
            '<xs:element ref="ds:Signature" minOccurs="0"/><xs:element ref="oadr:oadrSignedObject"/>'
            "</xs:sequence></xs:complexType></xs:element>",
        )
        version = self.simple(SCHEMA_VERSION)
        self.declare("ei:schemaVersion", "attribute", f'<xs:attribute name="schemaVersion" type="{version}"/>')

    def unused(self) -> None:
        """Global elements that no payload refers to."""
        for name, lexical in _UNUSED:
            self.declare(name, "element", f'<xs:element name="{_local(name)}" type="{self.simple(lexical)}"/>')
        for name, lexical in _CLOSED:
            self.simple(lexical)
            self.declare(name, "element", f'<xs:element name="{_local(name)}" type="{lexical.name}"/>')
        many = f'<xs:element name="response" type="{_type_name(EiResponse)}" minOccurs="0" maxOccurs="unbounded"/>'
        self.declare(
            "ei:responses",
            "element",
            f'<xs:element name="responses"><xs:complexType><xs:sequence>{many}</xs:sequence>'
            "</xs:complexType></xs:element>",
        )
        for name, inner in (("xcal:dtend", "xcal:date-time"), ("xcal:interval", "xcal:properties")):
            self.declare(
                name,
                "element",
                f'<xs:element name="{_local(name)}"><xs:complexType><xs:sequence><xs:element ref="{inner}"/>'
                "</xs:sequence></xs:complexType></xs:element>",
            )
        currency = UNITS["oadr:currency"].units
        self.declare(
            "clm:ISO3AlphaCurrencyCode",
            "element",
            f'<xs:element name="ISO3AlphaCurrencyCode" type="{self.simple(currency)}"/>',
        )

    def text(self, prefix: str) -> str:
        """One finished file."""
        body = "".join(f"{text}\n" for text in self.declared[prefix].values())
        used = [p for p in NAMESPACES if p != prefix and (f'"{p}:' in body or f" {p}:" in body)]
        declarations = "".join(f' xmlns:{p}="{NAMESPACES[p]}"' for p in sorted({prefix, *used}))
        imported = {p: NAMESPACES[p] for p in used} | (_IMPORTED_ANYHOW if prefix == "oadr" else {})
        imports = "".join(f'<xs:import namespace="{uri}" schemaLocation="{p}.xsd"/>\n' for p, uri in imported.items())
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            "<!-- Written by console.openadr.schema_files from the element table; change that, not this. -->\n"
            f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"{declarations}'
            f' targetNamespace="{NAMESPACES[prefix]}"'
            ' elementFormDefault="qualified" attributeFormDefault="qualified">\n'
            f"{imports}{body}</xs:schema>\n"
        )


_IMPORTED_ANYHOW = {
    "dsig11": NAMESPACES["dsig11"],
    "clm": NAMESPACES["clm"],
    "xml": "http://www.w3.org/XML/1998/namespace",
}
"""Met only where a wildcard admits them."""
_HAND_WRITTEN = ("gml:FeatureCollection", "atom:feed")


def _local(name: str) -> str:
    return name.partition(":")[2]


def _is_local(particle: Particle) -> bool:
    """Whether it is declared in its parent: listed above, or a second meaning of a global name."""
    second = (
        (particle.name == "xcal:duration" and isinstance(particle.kind, Lexical))
        or (particle.name == "power:voltage" and isinstance(particle.kind, Lexical))
        or (particle.name == "xcal:components" and bool(particle.inner))
    )
    return second or particle.name in _LOCAL


def _type_name(cls: type[Any]) -> str:
    """Qualified name of a class's complex type."""
    form = FORMS.get(cls)
    if form is None:
        return f"oadr:{cls.__name__[0].lower()}{cls.__name__[1:]}Type"
    return form.type or f"{form.name}Content"


def schema_files() -> dict[str, str]:
    """File name -> text of every generated schema file."""
    files = _Files()
    files.heads()
    files.envelope()
    for cls in described():
        if cls is not ItemBase:
            files.described_class(cls)
    files.units()
    files.unused()
    files.declare("ei:uid", "element", '<xs:element name="uid" type="xs:string" abstract="true"/>')
    return {f"{prefix}.xsd": files.text(prefix) for prefix in GENERATED}


if __name__ == "__main__":
    directory = Path(sys.argv[1])
    for file_name, content in schema_files().items():
        (directory / file_name).write_text(content, encoding="utf-8")
