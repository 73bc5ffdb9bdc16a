"""The vocabulary of the element table: namespaces, lexical types, descriptors, and the registry of described classes.

The table itself stands beside the classes in ``console.openadr.model``: every field carries one :class:`Child` in its
dataclass metadata, every class one :class:`Form`. Reader, writer, schema files, the list of order and cardinality
findings, and the inspector's explanations all come from it.

A child's place is a path of qualified names below its class's element; each step may end in ``?`` (optional), ``*``
(any number) or ``+`` (one or more). Neighbouring fields with a common first step share that wrapper element. A step
``@group`` stands for any member of a substitution group.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, TypeVar

from lxml import etree

from console.openadr import enums

Node = etree._Element  # pyright: ignore[reportPrivateUsage]
"""An element of a parsed message."""

NAMESPACE_A = "http://openadr.org/oadr-2.0a/2012/07"
"""Namespace of profile 2.0a."""

NAMESPACES: dict[str, str] = {
    "oadr": "http://openadr.org/oadr-2.0b/2012/07",
    "ei": "http://docs.oasis-open.org/ns/energyinterop/201110",
    "pyld": "http://docs.oasis-open.org/ns/energyinterop/201110/payloads",
    "emix": "http://docs.oasis-open.org/ns/emix/2011/06",
    "power": "http://docs.oasis-open.org/ns/emix/2011/06/power",
    "scale": "http://docs.oasis-open.org/ns/emix/2011/06/siscale",
    "xcal": "urn:ietf:params:xml:ns:icalendar-2.0",
    "strm": "urn:ietf:params:xml:ns:icalendar-2.0:stream",
    "gml": "http://www.opengis.net/gml/3.2",
    "clm": "urn:un:unece:uncefact:codelist:standard:5:ISO42173A:2010-04-07",
    "gb": "http://naesb.org/espi",
    "atom": "http://www.w3.org/2005/Atom",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "dsig11": "http://www.w3.org/2009/xmldsig11#",
    "dsp": "http://openadr.org/oadr-2.0b/2012/07/xmldsig-properties",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "oadr2a": NAMESPACE_A,
}
"""Usual prefix -> URI of profile 2.0b; ``oadr2a`` is ours, since both profiles call theirs ``oadr``."""

_PREFIXES = {uri: prefix for prefix, uri in NAMESPACES.items()}


def qualified(name: str) -> str:
    """``ei:eventID`` -> ``{uri}eventID``."""
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


_KEPT = 4096
_names: dict[str, str] = {}


def prefixed(tag: str) -> str:
    """``{uri}eventID`` -> ``ei:eventID``; a foreign namespace is kept whole, none gives the bare name."""
    name = _names.get(tag)
    if name is None:
        name = _prefixed(tag)
        if len(_names) < _KEPT and len(tag) <= _LONGEST_NAME:
            _names[tag] = name
    return name


_LONGEST_NAME = 200
"""Of those remembered, so that what is remembered stays small whatever comes."""


def _prefixed(tag: str) -> str:
    if not tag.startswith("{"):
        return tag
    uri, _, local = tag[1:].partition("}")
    prefix = _PREFIXES.get(uri)
    return f"{prefix}:{local}" if prefix else tag


@dataclass(frozen=True, slots=True)
class Lexical:
    """What text an element may hold.

    ``base`` is the schema's primitive; ``token`` bases ignore blanks around the text, ``string`` bases don't.
    """

    name: str
    base: str
    words: str
    """For a sentence: "a whole number from 0 to 4294967295"."""
    values: tuple[str, ...] = ()
    extensible: bool = False
    """Whether ``x-…`` is allowed beside ``values``."""
    pattern: str = ""
    bounds: tuple[int, int] | None = None
    fixed: str | None = None
    """The only text allowed; an empty element stands for it."""


def _listed(name: str, enumeration: type[StrEnum], *, extensible: bool = False, base: str = "token") -> Lexical:
    values = tuple(member.value for member in enumeration)
    words = "one of " + ", ".join(values) + (", or a name of your own starting with x-" if extensible else "")
    return Lexical(name, base, words, values, extensible)


STRING = Lexical("string", "string", "text")
URI = Lexical("anyURI", "anyURI", "a URI")
DATE_TIME = Lexical("xcal:DateTimeType", "dateTime", "a UTC time such as 2030-01-31T18:30:00Z")
DURATION = Lexical("xcal:DurationValueType", "string", "a duration such as PT15M, P1D or PT0S")
UNSIGNED = Lexical("unsignedInt", "unsignedInt", "a whole number from 0 to 4294967295")
CONFIDENCE = Lexical("ei:ConfidenceType", "unsignedInt", "a whole number from 0 to 100", bounds=(0, 100))
FLOAT = Lexical("float", "float", "a number such as 7.5, INF or NaN")
DECIMAL = Lexical("decimal", "decimal", "a number without exponent")
BOOLEAN = Lexical("boolean", "boolean", "true or false")
RESPONSE_CODE = Lexical("ei:ResponseCodeType", "string", "three digits such as 200", pattern="[0-9]{3}")
RAW = Lexical("raw", "any", "content of another standard")

EVENT_STATUS = _listed("ei:EventStatusEnumeratedType", enums.EventStatus)
SIGNAL_NAME = _listed("ei:SignalNameEnumeratedType", enums.SignalName, extensible=True)
SIGNAL_TYPE = _listed("ei:SignalTypeEnumeratedType", enums.SignalType)
OPT_TYPE = _listed("ei:OptTypeType", enums.OptType)
OPT_REASON = _listed("ei:OptReasonEnumeratedType", enums.OptReason, extensible=True)
REPORT_NAME = _listed("ei:reportNameEnumeratedType", enums.ReportName, extensible=True)
REPORT_TYPE = _listed("ei:ReportEnumeratedType", enums.ReportType, extensible=True)
READING_TYPE = _listed("ei:ReadingTypeEnumeratedType", enums.ReadingType, extensible=True)
SCHEMA_VERSION = _listed("ei:schemaVersionEnumeratedType", enums.SchemaVersion, extensible=True)
DATA_QUALITY = _listed("oadr:oadrDataQualityTypeType", enums.OadrDataQuality, extensible=True)
PROFILE_NAME = _listed("oadr:oadrProfileType", enums.OadrProfileName)
TRANSPORT_NAME = _listed("oadr:oadrTransportType", enums.OadrTransportName)
SERVICE_NAME = _listed("oadr:oadrServiceNameType", enums.OadrServiceName)
RESPONSE_REQUIRED = _listed("oadr:ResponseRequiredType", enums.OadrResponseRequired, base="string")
SI_SCALE_CODE = _listed("scale:SiScaleCodeType", enums.SiScaleCode, base="string")


@dataclass(frozen=True, slots=True)
class Step:
    """One level of a child's place: a qualified name or ``@group``, and how often it may stand there."""

    name: str
    card: str

    @property
    def required(self) -> bool:
        return self.card in ("", "+")

    @property
    def repeated(self) -> bool:
        return self.card in ("*", "+")


@dataclass(frozen=True, slots=True)
class Child:
    """Descriptor of one field: where it stands, what it holds, what it means."""

    path: tuple[Step, ...]
    kind: Lexical | type[Any] | None
    """Lexical type of the text, class of the content, or None for a member of a group."""
    meaning: str
    clause: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """Descriptor of one class: its element, its type's name in the standard, its clause and meaning."""

    name: str
    """Qualified name of the element; empty for classes that several elements share."""
    type: str
    clause: str
    meaning: str
    closing: str = ""
    """Qualified name of a required last child that holds nothing we read (xcal:components)."""


KEY = "openadr"
"""Key of the :class:`Child` in a dataclass field's metadata."""

FORMS: dict[type[Any], Form] = {}
"""Every described class."""

GROUPS: dict[str, dict[str, type[Any]]] = {"itemBase": {}, "payloadBase": {}, "streamPayloadBase": {}}
"""Substitution group -> its members' qualified names -> class."""

_T = TypeVar("_T")


def xml(path: str, kind: Lexical | type[Any] | None, meaning: str, clause: str = "") -> dict[str, Child]:
    """Metadata of one dataclass field; ``path`` as ``ei:eventResponses?/ei:eventResponse*``."""
    steps = tuple(Step(part.rstrip("?*+"), part[-1] if part[-1] in "?*+" else "") for part in path.split("/"))
    return {KEY: Child(steps, kind, meaning, clause)}


def element(
    name: str, *, type: str, clause: str, meaning: str, group: str = "", closing: str = ""
) -> Callable[[type[_T]], type[_T]]:
    """Register a dataclass as the content of an element (and, with ``group``, as a member of that group)."""

    def register(cls: type[_T]) -> type[_T]:
        FORMS[cls] = Form(name, type, clause, meaning, closing)
        if group:
            GROUPS[group][name] = cls
        return cls

    return register


def children(cls: type[Any]) -> Iterator[tuple[str, Child]]:
    """Field name and descriptor of every described field of a class, in the order of the standard."""
    for field in fields(cls):
        if KEY in field.metadata:
            yield field.name, field.metadata[KEY]


WRAPPERS: dict[str, str] = {
    "oadr:oadrPayload": "The envelope: a signature, where there is one, and what it signs.",
    "oadr:oadrSignedObject": "Holds exactly one payload; the part a signature covers.",
    "ei:eiEventSignals": "What the event asks for, as one or more signals.",
    "ei:eiMarketContext": "The programme the event belongs to.",
    "ei:eventResponses": "One answer for each event received.",
    "ei:currentValue": "The value in force now.",
    "ei:payloadFloat": "A number.",
    "pyld:eiCreatedEvent": "The VEN's answer to events.",
    "pyld:eiRequestEvent": "The VEN's request for its events.",
    "strm:intervals": "Consecutive intervals, each with its value.",
    "xcal:properties": "When it starts and how long it lasts.",
    "xcal:components": "Empty by the standard's design.",
    "xcal:dtstart": "Start.",
    "xcal:date-time": "An instant in UTC.",
    "xcal:duration": "Length of time.",
    "xcal:granularity": "Time between two samples.",
    "xcal:tolerance": "How far the start may move.",
    "xcal:tolerate": "How far the start may move.",
    "xcal:uid": "Number of the interval.",
    "xcal:text": "The number as text.",
    "xcal:vavailability": "Times at which the opt applies.",
    "ei:x-eiNotification": "How long before the start the VEN is told.",
    "ei:x-eiRampUp": "Time to move to the asked level.",
    "ei:x-eiRecovery": "Time to return to normal.",
    "ei:reportBackDuration": "Time between two reports.",
    "ei:reportInterval": "The span the report covers.",
    "oadr:oadrPendingReports": "Report requests still being served.",
    "oadr:oadrProfiles": "Profiles the VTN speaks.",
    "oadr:oadrTransports": "Transports the VTN offers for this profile.",
    "oadr:oadrTransport": "One transport.",
    "oadr:oadrRequestedOadrPollFreq": "How often the VEN is asked to poll.",
    "oadr:oadrServiceSpecificInfo": "Key and value pairs for single services.",
    "oadr:oadrExtensions": "Extensions both sides may agree upon.",
    "power:aggregatedPnode": "An aggregated pricing node.",
    "power:pnode": "A pricing node.",
    "power:endDeviceAsset": "A class of device.",
    "power:meterAsset": "A meter.",
    "power:serviceDeliveryPoint": "A point of delivery.",
    "power:node": "Name of the node.",
    "power:mrid": "Name of the asset.",
    "emix:serviceArea": "An area on the map.",
    "power:serviceLocation": "A place on the map.",
}
"""Meaning of elements that are flattened away or shared, by qualified name."""
