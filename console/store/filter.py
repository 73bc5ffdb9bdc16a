"""The first filter language: what an engineer types above the message list.

==========================  ==========================================================================================
``poll ven-7``              free text: every word occurs in element, peer, summary or session
``"7 kW"``                  a text with blanks in it
``element == oadrPoll``     text fields: element, peer (also ven, vtn), session, summary, transport, dir (in, out)
``summary contains opt``    a part of a text field; ``~`` says the same
``status >= 400``           number fields: number, status, size (``8kB``), latency (``200ms``), errors, warnings
``finding >= warning``      the worst finding: none, info, warning, error
``rule == 102``             some finding rests on this rule
``not``, ``and``, ``or``    bind in this order; side by side means ``and``; parentheses group
==========================  ==========================================================================================

Case does not matter. A filter is compiled once and evaluated over columns; predicates on texts are worked out once for
each distinct text. What is not understood is a :class:`FilterError` in words, never an empty list.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from console.store.columns import Array, Texts
from console.store.fact_text import read_findings

Mask = NDArray[np.bool_]

_LONGEST = 400
"""Words and signs in a filter; each costs a level of recursion."""


class FilterError(ValueError):
    """A filter text that is not understood; the message says what and what would be."""


class Table(Protocol):
    """What a filter is evaluated over."""

    def column(self, name: str) -> Array: ...

    def texts(self, pool: str) -> Texts: ...


class Condition(Protocol):
    def mask(self, table: Table, first: int) -> Mask:
        """Which rows from ``first`` on are meant."""
        ...


def parse(text: str) -> Condition:
    """Compile a filter text; blank text means every row. Raises :class:`FilterError`."""
    tokens = list(_tokens(text))
    if len(tokens) > _LONGEST:
        raise FilterError(f"The filter has more than {_LONGEST} words.")
    return _Parser(tokens).whole() if tokens else _Everything()


# Conditions --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Everything:
    def mask(self, table: Table, first: int) -> Mask:
        return np.ones(len(table.column("time")) - first, np.bool_)


@dataclass(slots=True)
class _Both:
    left: Condition
    right: Condition

    def mask(self, table: Table, first: int) -> Mask:
        return self.left.mask(table, first) & self.right.mask(table, first)


@dataclass(slots=True)
class _Either:
    left: Condition
    right: Condition

    def mask(self, table: Table, first: int) -> Mask:
        return self.left.mask(table, first) | self.right.mask(table, first)


@dataclass(slots=True)
class _Not:
    inner: Condition

    def mask(self, table: Table, first: int) -> Mask:
        return ~self.inner.mask(table, first)


@dataclass(slots=True)
class _OnText:
    """Rows whose texts in some of the columns satisfy a predicate; the verdict on each text is kept."""

    pool: str
    columns: tuple[str, ...]
    holds: Callable[[str], bool]
    _known: Mask = field(default_factory=lambda: np.zeros(0, np.bool_))

    def mask(self, table: Table, first: int) -> Mask:
        self._learn(table.texts(self.pool))
        found = self._known[table.column(self.columns[0])[first:]]
        for name in self.columns[1:]:
            found = found | self._known[table.column(name)[first:]]
        return found

    def _learn(self, texts: Texts) -> None:
        if len(texts) > len(self._known):
            fresh = [self.holds(text) for text in texts.items[len(self._known) :]]
            self._known = np.concatenate([self._known, np.array(fresh, np.bool_)])


@dataclass(slots=True)
class _OnNumber:
    column: str
    compare: Callable[[Any, float], Any]
    value: float

    def mask(self, table: Table, first: int) -> Mask:
        values = table.column(self.column)[first:]
        return np.asarray(self.compare(values, self.value), np.bool_) & (values >= 0)


@dataclass(slots=True)
class _OnRowNumber:
    compare: Callable[[Any, float], Any]
    value: float

    def mask(self, table: Table, first: int) -> Mask:
        numbers = np.arange(first + 1, len(table.column("time")) + 1)
        return np.asarray(self.compare(numbers, self.value), np.bool_)


@dataclass(slots=True)
class _OnSeverity:
    compare: Callable[[Any, float], Any]
    value: int

    def mask(self, table: Table, first: int) -> Mask:
        worst = np.where(table.column("infos")[first:] > 0, 1, 0)
        worst = np.where(table.column("warnings")[first:] > 0, 2, worst)
        worst = np.where(table.column("errors")[first:] > 0, 3, worst)
        return np.asarray(self.compare(worst, self.value), np.bool_)


# Fields ------------------------------------------------------------------------------------------------------------

_TEXT_FIELDS = {
    "element": ("names", "element"),
    "peer": ("names", "peer"),
    "ven": ("names", "peer"),
    "vtn": ("names", "peer"),
    "session": ("names", "session"),
    "transport": ("names", "transport"),
    "summary": ("summaries", "summary"),
}
_NUMBER_FIELDS = {
    "status": "status",
    "size": "size",
    "latency": "latency",
    "errors": "errors",
    "warnings": "warnings",
}
_SEVERITIES = {"none": 0, "info": 1, "warning": 2, "error": 3}
_DIRECTIONS = {"in": 0, "incoming": 0, "received": 0, "out": 1, "outgoing": 1, "sent": 1}
_UNITS = {
    "size": {"": 1, "b": 1, "kb": 1000, "kib": 1024, "mb": 1000**2, "mib": 1024**2},
    "latency": {"": 1000, "us": 1, "µs": 1, "ms": 1000, "s": 1_000_000},
}
"""Factor to what the column holds; a bare latency is milliseconds."""

FIELDS = (*_TEXT_FIELDS, "dir", "number", *_NUMBER_FIELDS, "finding", "rule")
"""Names that may stand before an operator."""

_COMPARE: dict[str, Callable[[Any, float], Any]] = {
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ALIASES = {"findings": "finding", "direction": "dir", "no": "number", "severity": "finding"}


def _comparison(name: str, sign: str, value: str) -> Condition:
    name = _ALIASES.get(name.lower(), name.lower())
    if name in _TEXT_FIELDS:
        return _text_comparison(name, sign, value)
    if name == "rule":
        return _rule_comparison(sign, value)
    if sign == "~":
        raise FilterError(f"{name} is no text; compare it with ==, !=, <, <=, > or >=.")
    compare = _COMPARE[sign]
    if name == "finding":
        return _OnSeverity(compare, _one_of("finding", value, _SEVERITIES))
    if name == "dir":
        _only_equality(name, sign)
        return _OnNumber("outgoing", compare, _one_of("dir", value, _DIRECTIONS))
    if name == "number":
        return _OnRowNumber(compare, _number("number", value))
    if name in _NUMBER_FIELDS:
        return _OnNumber(_NUMBER_FIELDS[name], compare, _number(name, value))
    raise FilterError(f"There is no field {name}. There are {', '.join(FIELDS)}.")


def _text_comparison(name: str, sign: str, value: str) -> Condition:
    pool, column = _TEXT_FIELDS[name]
    wanted = value.casefold()
    if sign == "~":
        return _OnText(pool, (column,), lambda text: wanted in text.casefold())
    _only_equality(name, sign)
    if sign == "!=":
        return _OnText(pool, (column,), lambda text: text.casefold() != wanted)
    return _OnText(pool, (column,), lambda text: text.casefold() == wanted)


def _rule_comparison(sign: str, value: str) -> Condition:
    _only_equality("rule", sign)
    wanted = value.casefold()
    rests = _OnText("findings", ("findings",), lambda text: any(f.rule == wanted for f in read_findings(text)))
    return _Not(rests) if sign == "!=" else rests


def _free_text(word: str) -> Condition:
    wanted = word.casefold()

    def holds(text: str) -> bool:
        return wanted in text.casefold()

    return _Either(_OnText("names", ("element", "peer", "session"), holds), _OnText("summaries", ("summary",), holds))


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


# Reading -----------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"[^"]*"|'[^']*')
          |(?P<open>\()|(?P<close>\))
          |(?P<and>&&)|(?P<or>\|\|)
          |(?P<sign>==|!=|<=|>=|=|<|>|~)
          |(?P<not>!)
          |(?P<word>[^\s()=!<>~"'&|]+|[&|]))""",
    re.VERBOSE,
)
_WORDS = {"and": "and", "or": "or", "not": "not", "contains": "sign"}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    end = len(text.rstrip())
    while position < end:
        found = _TOKEN.match(text, position)
        if found is None:
            raise FilterError(f"A quotation mark is not closed: {text[position:].strip()}")
        kind = found.lastgroup or ""
        word = found[kind]
        position = found.end()
        if kind == "quoted":
            yield _Token("quoted", word[1:-1])
        elif kind == "word" and word.lower() in _WORDS:
            yield _Token(_WORDS[word.lower()], "~" if word.lower() == "contains" else word.lower())
        else:
            yield _Token(kind, word)


class _Parser:
    """Recursive descent over the tokens; deep nesting is refused, not recursed into."""

    _DEEPEST = 50

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Condition:
        condition = self._either()
        if self._peek() is not None:
            raise FilterError("A closing parenthesis has no opening one.")
        return condition

    def _peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next_is(self, kind: str) -> bool:
        token = self._peek()
        return token is not None and token.kind == kind

    def _take(self, kind: str) -> bool:
        taken = self._next_is(kind)
        self._at += taken
        return taken

    def _either(self) -> Condition:
        condition = self._both()
        while self._take("or"):
            condition = _Either(condition, self._both())
        return condition

    def _both(self) -> Condition:
        condition = self._negated()
        while self._take("and") or not (self._peek() is None or self._next_is("or") or self._next_is("close")):
            condition = _Both(condition, self._negated())
        return condition

    def _negated(self) -> Condition:
        negated = False
        while self._take("not"):
            negated = not negated
        condition = self._one()
        return _Not(condition) if negated else condition

    def _one(self) -> Condition:
        token = self._peek()
        if token is None:
            raise FilterError("Something is missing at the end of the filter.")
        self._at += 1
        if token.kind == "open":
            return self._group()
        if token.kind in ("word", "quoted"):
            if token.kind == "word" and self._next_is("sign"):
                return self._compared(token.text)
            return _free_text(token.text)
        raise FilterError(f"Something is missing before {token.text}.")

    def _group(self) -> Condition:
        self._depth += 1
        if self._depth > self._DEEPEST:
            raise FilterError(f"Parentheses are nested more than {self._DEEPEST} deep.")
        condition = self._either()
        if not self._take("close"):
            raise FilterError("A parenthesis is not closed.")
        self._depth -= 1
        return condition

    def _compared(self, name: str) -> Condition:
        sign = self._tokens[self._at].text
        self._at += 1
        value = self._peek()
        if value is None or value.kind not in ("word", "quoted"):
            said = "contains" if sign == "~" else sign
            raise FilterError(f"A value is missing after {name} {said}.")
        self._at += 1
        return _comparison(name, sign, value.text)
