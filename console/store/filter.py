"""The filter language: what an engineer types above the message list.

=============================  ======================================================================================
``poll ven-7``                 free text: every word occurs in element, peer, summary or session
``"7 kW"``                     a text with blanks in it; in quotes ``*`` and ``?`` are themselves
``peer == ven-*``              a field, an operator, a value; ``*`` and ``?`` stand for anything
``element in (oadrPoll, …)``   one of several values
``summary contains opt``       a part of a text field; ``~`` says the same
``latency > 200ms``            numbers, with units; ``time >= 10:32`` local times; ``finding >= warning`` severities
``event == e-17``              ids, looked up in the bodies, as ``request``, ``report``, ``registration``
``body ~ "2.0a"``              a text in the body; ``xpath("//eventStatus")`` a place in it
``not``, ``and``, ``or``       bind in this order; side by side means ``and``; parentheses group
=============================  ======================================================================================

Case does not matter. The fields stand in :data:`console.store.filter_fields.FIELD_TABLE`. A filter is compiled once
and evaluated over columns; predicates on texts are worked out once for each distinct text, those on bodies by
:mod:`console.store.body_search`. What is not understood is a :class:`FilterError` in words that says where, never an
empty list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from console.store.filter_conditions import Both, Condition, Either, Everything, FilterError, Not, Table
from console.store.filter_fields import FIELDS, comparison, free_text, xpath

__all__ = ["FIELDS", "Condition", "FilterError", "Table", "Token", "parse", "tokens"]

_LONGEST = 400
"""Words and signs in a filter; each costs a level of recursion."""


def parse(text: str) -> Condition:
    """Compile a filter text; blank text means every row. Raises :class:`FilterError`."""
    read = list(tokens(text))
    if len(read) > _LONGEST:
        raise FilterError(f"The filter has more than {_LONGEST} words.")
    return _Parser(read, len(text.rstrip())).whole() if read else Everything()


_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"[^"]*"|'[^']*')
          |(?P<open>\()|(?P<close>\))|(?P<comma>,)
          |(?P<and>&&)|(?P<or>\|\|)
          |(?P<sign>==|!=|<=|>=|=|<|>|~)
          |(?P<not>!)
          |(?P<word>[^\s()=!<>~"'&|,]+|[&|]))""",
    re.VERBOSE,
)
_WORDS = {"and": "and", "or": "or", "not": "not", "contains": "sign"}


@dataclass(frozen=True, slots=True)
class Token:
    """A word or sign of a filter text, and where it stands."""

    kind: str
    """``word``, ``quoted``, ``sign``, ``open``, ``close``, ``comma``, ``and``, ``or`` or ``not``."""
    text: str
    at: int
    end: int


def tokens(text: str) -> Iterator[Token]:
    """The words and signs of a filter text. Raises FilterError at a quotation mark that is not closed."""
    position = 0
    end = len(text.rstrip())
    while position < end:
        found = _TOKEN.match(text, position)
        if found is None:
            at = position + len(text[position:]) - len(text[position:].lstrip())
            raise FilterError(f"A quotation mark is not closed: {text[position:].strip()}", at)
        kind = found.lastgroup or ""
        word, at = found[kind], found.start(kind)
        position = found.end()
        if kind == "quoted":
            yield Token("quoted", word[1:-1], at, position)
        elif kind == "word" and word.lower() in _WORDS:
            yield Token(_WORDS[word.lower()], "~" if word.lower() == "contains" else word.lower(), at, position)
        else:
            yield Token(kind, word, at, position)


class _Parser:
    """Recursive descent over the tokens; deep nesting is refused, not recursed into."""

    _DEEPEST = 50

    def __init__(self, read: list[Token], end: int) -> None:
        self._tokens = read
        self._end = end
        self._at = 0
        self._depth = 0

    def whole(self) -> Condition:
        condition = self._either()
        token = self._peek()
        if token is not None:
            self._wrong("A closing parenthesis has no opening one.", token)
        return condition

    def _wrong(self, text: str, token: Token | None = None) -> NoReturn:
        raise FilterError(text, self._end if token is None else token.at)

    def _peek(self, ahead: int = 0) -> Token | None:
        place = self._at + ahead
        return self._tokens[place] if place < len(self._tokens) else None

    def _next_is(self, kind: str, ahead: int = 0) -> bool:
        token = self._peek(ahead)
        return token is not None and token.kind == kind

    def _take(self, kind: str) -> bool:
        taken = self._next_is(kind)
        self._at += taken
        return taken

    def _either(self) -> Condition:
        condition = self._both()
        while self._take("or"):
            condition = Either(condition, self._both())
        return condition

    def _both(self) -> Condition:
        condition = self._negated()
        while self._take("and") or not (self._peek() is None or self._next_is("or") or self._next_is("close")):
            condition = Both(condition, self._negated())
        return condition

    def _negated(self) -> Condition:
        negated = False
        while self._take("not"):
            negated = not negated
        condition = self._one()
        return Not(condition) if negated else condition

    def _one(self) -> Condition:
        token = self._peek()
        if token is None:
            self._wrong("Something is missing at the end of the filter.")
        self._at += 1
        if token.kind == "open":
            return self._group(token)
        if token.kind == "word" and self._next_is("sign"):
            return self._compared(token)
        if token.kind == "word" and self._says_in():
            return self._among(token)
        if token.kind == "word" and token.text.lower() == "xpath" and self._next_is("open"):
            return self._xpath(token)
        if token.kind in ("word", "quoted"):
            return free_text(token.text, token.kind == "quoted")
        self._wrong(f"Something is missing before {token.text}.", token)

    def _group(self, opening: Token) -> Condition:
        self._depth += 1
        if self._depth > self._DEEPEST:
            self._wrong(f"Parentheses are nested more than {self._DEEPEST} deep.", opening)
        condition = self._either()
        if not self._take("close"):
            self._wrong("A parenthesis is not closed.", opening)
        self._depth -= 1
        return condition

    def _compared(self, name: Token) -> Condition:
        sign = self._tokens[self._at]
        self._at += 1
        value = self._peek()
        if value is None or value.kind not in ("word", "quoted"):
            said = "contains" if sign.text == "~" else sign.text
            self._wrong(f"A value is missing after {name.text} {said}.", value)
        self._at += 1
        return self._made(name, sign.text, value)

    def _made(self, name: Token, sign: str, value: Token) -> Condition:
        try:
            return comparison(name.text, sign, value.text, value.kind == "quoted")
        except FilterError as error:
            about_name = str(error).startswith("There is no field")
            raise FilterError(str(error), name.at if about_name else value.at) from error

    def _says_in(self) -> bool:
        token = self._peek()
        return token is not None and token.kind == "word" and token.text.lower() == "in" and self._next_is("open", 1)

    def _among(self, name: Token) -> Condition:
        self._at += 2
        condition: Condition | None = None
        while not self._take("close"):
            value = self._peek()
            if value is None or value.kind not in ("word", "quoted"):
                self._wrong(f"{name.text} in (…) wants values with commas between, and a closing parenthesis.", value)
            self._at += 1
            one = self._made(name, "==", value)
            condition = one if condition is None else Either(condition, one)
            if not self._take("comma") and not self._next_is("close"):
                self._wrong(f"{name.text} in (…) wants commas between its values.", self._peek())
        if condition is None:
            self._wrong(f"{name.text} in () holds no value.", name)
        return condition

    def _xpath(self, name: Token) -> Condition:
        self._at += 1
        expression = self._peek()
        if expression is None or expression.kind != "quoted":
            self._wrong('xpath wants an expression in quotation marks, as xpath("//eventStatus").', expression or name)
        self._at += 1
        if not self._take("close"):
            self._wrong("The parenthesis of xpath is not closed.", self._peek())
        try:
            return xpath(expression.text)
        except FilterError as error:
            raise FilterError(str(error), expression.at) from error
