"""Profile 2.0a: its four messages of EiEvent (section 15), read into the classes of 2.0b and written from them.

2.0a knows the same events with less in them: bare payload roots in a namespace of its own, no version attribute, no
venID in oadrResponse, targets of four kinds, one number per interval, and a current value and a notification that may
not be left out. What may stand where is the one table of this module; the list of schema errors and our schema files
(``python -m console.openadr.profile_a DIRECTORY``) come from it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from console.openadr.content import Particle
from console.openadr.elements import (
    DATE_TIME,
    DURATION,
    EVENT_STATUS,
    FLOAT,
    NAMESPACE_A,
    NAMESPACES,
    OPT_TYPE,
    RAW,
    RESPONSE_CODE,
    RESPONSE_REQUIRED,
    STRING,
    UNSIGNED,
    URI,
    Lexical,
    Node,
)
from console.openadr.enums import SignalType
from console.openadr.lexical import escape
from console.openadr.model import OadrCreatedEvent, OadrDistributeEvent, OadrRequestEvent, OadrResponse, Payload
from console.openadr.writer import payload_text

CLAUSE = "section 15"
_OWN = f"{{{NAMESPACE_A}}}"
_OTHERS = f"{{{NAMESPACES['oadr']}}}"
_SIGNAL_TYPES = (*(kind.value for kind in SignalType if not kind.value.startswith("x-")), "product")
_SIGNAL_TYPE = Lexical(
    "ei:SignalTypeEnumeratedType", "token", f"one of {', '.join(sorted(_SIGNAL_TYPES))}", _SIGNAL_TYPES
)
_FILTER = Lexical("pyld:EventFilterType", "token", "the word all", ("all",))

_TABLE = """
oadr2a:oadrResponse = ei:eiResponse
oadr2a:oadrDistributeEvent = ei:eiResponse? pyld:requestID ei:vtnID .oadr2a:oadrEvent*
.oadr2a:oadrEvent = ei:eiEvent .oadr2a:oadrResponseRequired
oadr2a:oadrCreatedEvent = pyld:eiCreatedEvent
oadr2a:oadrRequestEvent = pyld:eiRequestEvent
pyld:eiRequestEvent = pyld:requestID ei:venID pyld:replyLimit?
pyld:eiCreatedEvent = ei:eiResponse ei:eventResponses? ei:venID
ei:eiResponse = ei:responseCode ei:responseDescription? pyld:requestID
ei:eventResponses = .ei:eventResponse*
.ei:eventResponse = ei:responseCode ei:responseDescription? pyld:requestID ei:qualifiedEventID ei:optType
ei:qualifiedEventID = ei:eventID ei:modificationNumber
ei:eiEvent = ei:eventDescriptor ei:eiActivePeriod ei:eiEventSignals ei:eiTarget
ei:eventDescriptor = ei:eventID ei:modificationNumber .ei:priority? .ei:eiMarketContext .ei:createdDateTime \
 ei:eventStatus .ei:testEvent? .ei:vtnComment?
.ei:eiMarketContext = emix:marketContext
ei:eiActivePeriod = xcal:properties xcal:components
ei:eiEventSignals = ei:eiEventSignal+
ei:eiTarget = ei:groupID* ei:resourceID* ei:venID* ei:partyID*
ei:eiEventSignal = strm:intervals .ei:signalName ei:signalType .ei:signalID ei:currentValue
strm:intervals = ei:interval+
ei:interval = xcal:duration xcal:uid ei:signalPayload
ei:signalPayload = ei:payloadFloat
ei:currentValue = ei:payloadFloat
ei:payloadFloat = .ei:value
xcal:uid = xcal:text
xcal:dtstart = xcal:date-time
xcal:duration = .xcal:duration
ei:x-eiNotification = .xcal:duration
ei:x-eiRampUp = .xcal:duration
ei:x-eiRecovery = .xcal:duration
xcal:properties = xcal:dtstart xcal:duration .xcal:tolerance? ei:x-eiNotification ei:x-eiRampUp? ei:x-eiRecovery?
.xcal:tolerance = .xcal:tolerate
.xcal:tolerate = .xcal:startafter?
"""
"""Element = its children in order, with ``?``, ``*`` or ``+``; a dot marks what is declared inside its parent only."""

_TEXTS: dict[str, Lexical] = {
    "ei:responseCode": RESPONSE_CODE,
    "ei:eventStatus": EVENT_STATUS,
    "ei:optType": OPT_TYPE,
    "ei:signalType": _SIGNAL_TYPE,
    "ei:modificationNumber": UNSIGNED,
    "pyld:replyLimit": UNSIGNED,
    "pyld:eventFilter": _FILTER,
    "emix:marketContext": URI,
    "xcal:date-time": DATE_TIME,
    "xcal:components": RAW,
    ".ei:createdDateTime": DATE_TIME,
    ".ei:priority": UNSIGNED,
    ".ei:value": FLOAT,
    ".xcal:duration": DURATION,
    ".xcal:startafter": DURATION,
    ".oadr2a:oadrResponseRequired": RESPONSE_REQUIRED,
}
"""Elements that hold text other than plain strings."""

_DURATION_PROP = "xcal:DurationPropType"
_ONE_DURATION = ((".xcal:duration", ""),)
"""Content of all that wraps a duration; a type of its own, since the inner element is xcal's wherever it stands."""
_UNUSED = ("pyld:eventFilter",)
_ABSTRACT = ("strm:streamPayloadBase", "strm:streamBase")
_PAYLOADS = (OadrCreatedEvent, OadrDistributeEvent, OadrRequestEvent, OadrResponse)


def _read_table() -> dict[str, tuple[tuple[str, str], ...]]:
    rows = (line.split(" = ") for line in _TABLE.strip().splitlines())
    return {
        name: tuple((word.rstrip("?*+"), word[len(word.rstrip("?*+")) :]) for word in row.split()) for name, row in rows
    }


_ROWS = _read_table()


@cache
def particles_of(name: str) -> tuple[Particle, ...]:
    """What may stand in an element of the table, named as there."""
    return tuple(_particle(child, card) for child, card in _ROWS[name])


def _particle(name: str, card: str) -> Particle:
    plain = name.lstrip(".")
    if name in _ROWS:
        return Particle(plain, card, None, particles_of(name), "", "", CLAUSE)
    return Particle(plain, card, _TEXTS.get(name, STRING), (), "", "", CLAUSE)


ROOTS = tuple(f"oadr2a:{cls.__name__[0].lower()}{cls.__name__[1:]}" for cls in _PAYLOADS)
"""The payload elements, with the prefix this project gives the namespace of 2.0a."""
TAGS = {f"{_OWN}{name.partition(':')[2]}": name for name in ROOTS}
"""Tag of each payload element -> its name in the table."""


def is_profile_a(root: Node) -> bool:
    """Whether a document is in the namespace of 2.0a."""
    return str(root.tag).startswith(_OWN)


class As2b:
    """While entered, a document of 2.0a stands in the namespace of 2.0b, so that the readers of 2.0b take it."""

    def __init__(self, root: Node) -> None:
        self._moved = [node for node in root.iter() if str(node.tag).startswith(_OWN)]

    def __enter__(self) -> None:
        self._move(_OWN, _OTHERS)

    def __exit__(self, *_: object) -> None:
        self._move(_OTHERS, _OWN)

    def _move(self, before: str, after: str) -> None:
        for node in self._moved:
            node.tag = after + str(node.tag).removeprefix(before)


def text_of(message: Payload) -> str:
    """The message as a document of 2.0a.

    Raises ``ValueError`` for a message 2.0a does not have. What an event holds beyond 2.0a is written as it is: the
    caller asks the schema (``codec.write`` does).
    """
    if not isinstance(message, _PAYLOADS):
        raise ValueError(f"{type(message).__name__} does not exist in OpenADR 2.0a")
    plain = replace(message, schema_version="")
    if isinstance(plain, OadrResponse):
        plain = replace(plain, ven_id=None)
    text = payload_text(plain)
    used = [prefix for prefix in ("ei", "pyld", "emix", "xcal", "strm") if f"<{prefix}:" in text]
    spaces = {"oadr": NAMESPACE_A} | {prefix: NAMESPACES[prefix] for prefix in used}
    declarations = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in spaces.items())
    name = text[1 : text.index(">")]
    return f"<{name}{declarations}{text[len(name) + 1 :]}"


# Schema files -------------------------------------------------------------------------------------------------------

_OCCURS = {"": "", "?": ' minOccurs="0"', "*": ' minOccurs="0" maxOccurs="unbounded"', "+": ' maxOccurs="unbounded"'}
_PATTERNS = {
    DATE_TIME.name: r"[+\-]?\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d*)?Z?",
    DURATION.name: r"[+\-]?P(\d+Y)?(\d+M)?(\d+D)?T?(\d+H)?(\d+M)?(\d+S)?|\d+W",
}


def schema_files() -> dict[str, str]:
    """File name -> text of our schema of 2.0a, one file per namespace; ``oadr2a.xsd`` is the one to begin with."""
    bodies: dict[str, list[str]] = {prefix: [] for prefix in ("oadr2a", "ei", "pyld", "emix", "strm", "xcal")}
    for name in _global_names():
        bodies[name.partition(":")[0]].append(_declared(name, ""))
    inner = _declared(".xcal:duration", "")
    bodies["xcal"].append(
        f'<xs:complexType name="{_DURATION_PROP.partition(":")[2]}"><xs:sequence>{inner}</xs:sequence></xs:complexType>'
    )
    for name in _ABSTRACT:
        bodies["strm"].append(f'<xs:element name="{name.partition(":")[2]}" abstract="true"/>')
    return {f"{prefix}.xsd": _file(prefix, lines) for prefix, lines in bodies.items()}


def _global_names() -> Iterator[str]:
    """Elements that may be document roots, each once, in the order of the table."""
    rows = ((name, *(child for child, _ in row)) for name, row in _ROWS.items())
    yield from dict.fromkeys(name for row in rows for name in row if not name.startswith("."))
    yield from _UNUSED


def _declared(name: str, occurs: str) -> str:
    start = f'<xs:element name="{name.partition(":")[2]}"{occurs}'
    if _ROWS.get(name) == _ONE_DURATION:
        return f'{start} type="{_DURATION_PROP}"/>'
    if name in _ROWS:
        inner = "".join(
            _declared(child, _OCCURS[card]) if child.startswith(".") else f'<xs:element ref="{child}"{_OCCURS[card]}/>'
            for child, card in _ROWS[name]
        )
        return f"{start}><xs:complexType><xs:sequence>{inner}</xs:sequence></xs:complexType></xs:element>"
    lexical = _TEXTS.get(name, STRING)
    if lexical is RAW:
        return f'{start} nillable="true"/>'
    pattern = lexical.pattern or _PATTERNS.get(lexical.name, "")
    facets = "".join(f'<xs:enumeration value="{escape(value)}"/>' for value in lexical.values)
    facets += f'<xs:pattern value="{pattern}"/>' if pattern else ""
    if not facets:
        return f'{start} type="xs:{lexical.base}"/>'
    restriction = f'<xs:restriction base="xs:{lexical.base}">{facets}</xs:restriction>'
    return f"{start}><xs:simpleType>{restriction}</xs:simpleType></xs:element>"


def _file(prefix: str, lines: list[str]) -> str:
    body = "\n".join(lines)
    used = [other for other in (*NAMESPACES,) if other != prefix and f'"{other}:' in body]
    declarations = "".join(f' xmlns:{other}="{NAMESPACES[other]}"' for other in sorted({prefix, *used}))
    imports = "".join(f'<xs:import namespace="{NAMESPACES[other]}" schemaLocation="{other}.xsd"/>\n' for other in used)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        "<!-- Written by console.openadr.profile_a from its table; change that, not this. -->\n"
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"{declarations}'
        f' targetNamespace="{NAMESPACES[prefix]}" elementFormDefault="qualified" attributeFormDefault="qualified">\n'
        f"{imports}{body}\n</xs:schema>\n"
    )


if __name__ == "__main__":
    directory = Path(sys.argv[1])
    for file_name, content in schema_files().items():
        (directory / file_name).write_text(content, encoding="utf-8")
