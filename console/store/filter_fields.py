"""The fields of the filter language: each with what it means and how a comparison with it is compiled.

The table :data:`FIELD_TABLE` is the one place where a field stands: completion, help and error texts come from it.
"""

from __future__ import annotations

import fnmatch
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from lxml import etree

from console.openadr.elements import NAMESPACES
from console.openadr.parsing import parse as parse_xml
from console.store.fact_text import read_findings
from console.store.filter_conditions import (
    Condition,
    Either,
    FilterError,
    Not,
    OnBody,
    OnNumber,
    OnRowNumber,
    OnSeverity,
    OnText,
    OnTime,
)
from console.store.ids import HOLDS_NONE, ids_in
from console.store.messages import COMPOSED


@dataclass(frozen=True, slots=True)
class Field:
    """One name that may stand before an operator."""

    name: str
    kind: str
    """``text``, ``number``, ``word`` (one of a few), ``time``, ``id`` or ``body``."""
    meaning: str
    example: str
    column: str = ""
    pool: str = "names"
    words: tuple[str, ...] = ()

    @property
    def signs(self) -> tuple[str, ...]:
        """Operators that may follow."""
        if self.kind == "body":
            return ("~",)
        if self.kind in ("text", "id"):
            return ("==", "!=", "~", "in")
        if self.name in ("dir", "rule", "composed"):
            return ("==", "!=", "in")
        return ("==", "!=", ">=", "<=", ">", "<") + (() if self.kind == "time" else ("in",))


FIELD_TABLE = (
    Field("element", "text", "The payload, as in the column Message.", "element == oadrPoll", "element"),
    Field("peer", "text", "Who it went to or came from: venID, vtnID, else the address.", "peer == ven-*", "peer"),
    Field("ven", "text", "The same as peer, for those who watch a VTN.", 'ven == "ven-7"', "peer"),
    Field("vtn", "text", "The same as peer, for those who watch a VEN.", "vtn == vtn-lab", "peer"),
    Field("session", "text", "Which of our nodes sent or received it.", "session == vtn-lab", "session"),
    Field("summary", "text", "The line in the column Summary.", "summary ~ optOut", "summary", "summaries"),
    Field("transport", "text", "http or xmpp.", "transport == http", "transport"),
    Field("event", "id", "An eventID in the message, in any modification.", "event == e-17"),
    Field("request", "id", "A requestID in the message.", "request == req-8812"),
    Field("report", "id", "A reportRequestID in the message.", "report == RR-1"),
    Field("registration", "id", "A registrationID in the message.", "registration == r-44"),
    Field("dir", "word", "Received or sent by us.", "dir == in", "outgoing", words=("in", "out")),
    Field("composed", "word", "Written by hand in the Composer.", "composed == yes", words=("no", "yes")),
    Field("finding", "word", "The worst finding.", "finding >= warning", words=("none", "info", "warning", "error")),
    Field("rule", "text", "Some finding rests on this rule.", "rule == 102", "findings", "findings"),
    Field("number", "number", "The number in the first column.", "number >= 412"),
    Field("time", "time", "When it was recorded, local time.", "time >= 10:32"),
    Field("size", "number", "Bytes of the body; kB and MB are understood.", "size > 8kB", "size"),
    Field("latency", "number", "From request to answer; ms and s are understood.", "latency > 200ms", "latency"),
    Field("status", "number", "Status of the HTTP answer.", "status >= 400", "status"),
    Field("errors", "number", "How many findings are errors.", "errors > 0", "errors"),
    Field("warnings", "number", "How many findings are warnings.", "warnings > 1", "warnings"),
    Field("body", "body", "A text anywhere in the message as sent.", 'body ~ "2.0a"'),
)
FIELDS = tuple(field.name for field in FIELD_TABLE)
"""Names that may stand before an operator."""
XPATH_MEANING = "Messages in which this XPath finds something, as xpath(\"//eventStatus[.='active']\")."

_BY_NAME = {field.name: field for field in FIELD_TABLE}
_ALIASES = {"findings": "finding", "direction": "dir", "no": "number", "severity": "finding"}
_SEVERITIES = {"none": 0, "info": 1, "warning": 2, "error": 3}
_DIRECTIONS = {"in": 0, "incoming": 0, "received": 0, "out": 1, "outgoing": 1, "sent": 1}
_BY_HAND = {"no": 0, "false": 0, "yes": COMPOSED, "true": COMPOSED}
_UNITS = {
    "size": {"": 1, "b": 1, "kb": 1000, "kib": 1024, "mb": 1000**2, "mib": 1024**2},
    "latency": {"": 1000, "us": 1, "µs": 1, "ms": 1000, "s": 1_000_000},
}
"""Factor to what the column holds; a bare latency is milliseconds."""
_COMPARE: dict[str, Callable[[Any, float], Any]] = {
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def field_of(name: str) -> Field | None:
    """The field a name stands for, also by one of its other names."""
    return _BY_NAME.get(_ALIASES.get(name.lower(), name.lower()))


def comparison(name: str, sign: str, value: str, exact: bool = False) -> Condition:
    """Compile one comparison; ``exact`` where the value was quoted, so that ``*`` is no wildcard.

    Raises FilterError: no such field, or a value or sign that does not go with it.
    """
    field = field_of(name)
    if field is None:
        raise FilterError(f"There is no field {name.lower()}. There are {', '.join(FIELDS)}.")
    if field.name == "rule":
        return _rule(sign, value)
    if field.kind == "text":
        matches = _text_test(field.name, sign, value, exact)
        return OnText(field.pool, (field.column,), matches)
    if field.kind == "id":
        return _id(field.name, sign, value, exact)
    if field.kind == "body":
        if sign != "~":
            raise FilterError("body is compared with contains or ~.")
        return body_contains(value)
    if sign == "~":
        raise FilterError(f"{field.name} is no text; compare it with ==, !=, <, <=, > or >=.")
    return _measured(field, sign, value)


def _measured(field: Field, sign: str, value: str) -> Condition:
    compare = _COMPARE[sign]
    if field.name == "finding":
        return OnSeverity(compare, _one_of("finding", value, _SEVERITIES))
    if field.name == "dir":
        _only_equality("dir", sign)
        return OnNumber("outgoing", compare, _one_of("dir", value, _DIRECTIONS))
    if field.name == "composed":
        _only_equality("composed", sign)
        wanted = _one_of("composed", value, _BY_HAND)
        return OnNumber("flags", lambda flags, by_hand: compare(flags & COMPOSED, by_hand), wanted)
    if field.name == "number":
        return OnRowNumber(compare, _number("number", value))
    if field.kind == "time":
        return _time(sign, value)
    return OnNumber(field.column, compare, _number(field.name, value))


def _text_test(name: str, sign: str, value: str, exact: bool) -> Callable[[str], bool]:
    wanted = value.casefold()
    if sign == "~":
        return _glob(f"*{wanted}*") if "*" in wanted and not exact else lambda text: wanted in text.casefold()
    _only_equality(name, sign)
    wild = not exact and ("*" in wanted or "?" in wanted)
    equal: Callable[[str], bool] = _glob(wanted) if wild else lambda text: text.casefold() == wanted
    return (lambda text: not equal(text)) if sign == "!=" else equal


def _glob(pattern: str) -> Callable[[str], bool]:
    """A test by wildcards; a bracket is none here, since ids hold them."""
    matches = re.compile(fnmatch.translate(pattern.replace("[", "[[]"))).match
    return lambda text: matches(text.casefold()) is not None


def _rule(sign: str, value: str) -> Condition:
    _only_equality("rule", sign)
    wanted = value.casefold()
    rests = OnText("findings", ("findings",), lambda text: any(f.rule == wanted for f in read_findings(text)))
    return Not(rests) if sign == "!=" else rests


def _id(name: str, sign: str, value: str, exact: bool) -> Condition:
    fits = _text_test(name, "~" if sign == "~" else "==", value, exact)
    found = OnBody(lambda body: any(fits(each) for each in ids_in(body, name)), HOLDS_NONE[name])
    return Not(found) if sign == "!=" else found


def body_contains(text: str) -> OnBody:
    """Bodies that hold a text as it was sent; the case of A to Z does not matter."""
    wanted = text.encode().lower()
    return OnBody(lambda body: wanted in body.lower())


def xpath(expression: str) -> OnBody:
    """Bodies in which an XPath 1.0 finds something, or is true.

    Names without a prefix mean elements of any namespace; the usual prefixes are known. Raises FilterError.
    """
    if len(expression) > 2000:
        raise FilterError("The XPath is longer than 2000 characters.")
    try:
        find = etree.XPath(expression, namespaces=NAMESPACES, regexp=False)
        find(etree.Element("probe"))
    except etree.XPathError as error:
        raise FilterError(f"The XPath is not understood: {str(error).rstrip('.')}.") from error
    bare = re.search(r"[\w*]:[\w*]", re.sub(r"\"[^\"]*\"|'[^']*'|::", " ", expression)) is None

    def holds(body: bytes) -> bool:
        root, _ = parse_xml(body)
        if root is None:
            return False
        if bare:
            for node in root.iter(etree.Element):
                node.tag = etree.QName(node).localname
        try:
            return bool(find(root))
        except etree.XPathError:
            return False

    return OnBody(holds)


def free_text(word: str, exact: bool) -> Condition:
    """A word anywhere in what the list shows."""
    holds = _text_test("text", "~", word, exact)
    return Either(OnText("names", ("element", "peer", "session"), holds), OnText("summaries", ("summary",), holds))


def _only_equality(name: str, sign: str) -> None:
    if sign not in ("==", "=", "!=", "~"):
        raise FilterError(f"{name} is a text; compare it with ==, != or contains.")


def _one_of(name: str, value: str, words: dict[str, int]) -> int:
    if value.lower() not in words:
        raise FilterError(f"{name} is one of {', '.join(words)}, not {value}.")
    return words[value.lower()]


def _number(name: str, value: str) -> float:
    units = _UNITS.get(name, {"": 1})
    parts = re.fullmatch(r"(\d+(?:\.\d+)?)([a-zµ]*)", value.lower())
    if parts is None or parts[2] not in units:
        named = ", ".join(unit for unit in units if unit)
        raise FilterError(f"{name} is compared with a number{f' (units: {named})' if named else ''}, not {value}.")
    return float(parts[1]) * units[parts[2]]


_TIME = re.compile(r"(?:(\d{4}-\d\d-\d\d)(?:[T ]|$))?(?:(\d\d?):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?")


def _time(sign: str, value: str) -> Condition:
    parts = _TIME.fullmatch(value.strip())
    if parts is None or not (parts[1] or parts[2]):
        raise FilterError(f"time is compared with a local time, as 10:32, 10:32:05 or 2026-06-16T10:32, not {value}.")
    day, hour, minute, second, fraction = parts.groups()
    try:
        at = time(int(hour or 0), int(minute or 0), int(second or 0), int((fraction or "0").ljust(6, "0")))
        on = date.fromisoformat(day) if day else None
    except ValueError as error:
        raise FilterError(f"There is no time {value}: {error}.") from error
    if fraction:
        span = timedelta(microseconds=10 ** (6 - len(fraction)))
    else:
        span = timedelta(seconds=1) if second else timedelta(minutes=1) if hour else timedelta(days=1)
    return OnTime(sign, at, on, span)
