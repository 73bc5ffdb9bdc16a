"""What could be typed next in a filter: fields, operators, values that occur, joints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from console.store.filter import FilterError, Token, tokens
from console.store.filter_fields import FIELD_TABLE, XPATH_MEANING, Field, field_of

Values = Callable[[Field], Sequence[str]]
"""Gives the texts that occur in a field, most frequent first."""

SIGN_MEANINGS = {
    "==": "is",
    "!=": "is not",
    "~": "contains",
    "in": "is one of (…, …)",
    ">=": "is at least, or later",
    "<=": "is at most, or earlier",
    ">": "is more, or later",
    "<": "is less, or earlier",
}
_MOST = 12


@dataclass(frozen=True, slots=True)
class Completion:
    """One proposal: put ``text`` in place of what stands from ``start`` to ``end``."""

    text: str
    meaning: str
    start: int
    end: int


def complete(text: str, cursor: int, values: Values) -> list[Completion]:
    """Proposals for the word at ``cursor``; empty where a quoted text is being typed or nothing is known."""
    try:
        before = list(tokens(text[:cursor]))
    except FilterError:
        return []
    typed = before.pop() if before and before[-1].end == cursor and before[-1].kind in ("word", "sign") else None
    start = typed.at if typed else cursor
    found = _proposals(before, typed.text if typed else "", values)
    return [Completion(word, meaning, start, cursor) for word, meaning in found[:_MOST]]


def _proposals(before: list[Token], typed: str, values: Values) -> list[tuple[str, str]]:
    last = before[-1] if before else None
    if last is not None and last.kind == "sign":
        return _values(before[-2], typed, values) if len(before) > 1 else []
    owner = _list_owner(before)
    if owner is not None:
        return _values(owner, typed, values)
    if last is not None and last.kind == "word" and field_of(last.text) is not None and not _is_value(before):
        return _signs(last, typed)
    if last is None or last.kind in ("and", "or", "not", "open"):
        return _fields(typed)
    joints = [("and", "both"), ("or", "one of the two")] + ([] if not typed else _fields(typed))
    return [each for each in joints if each[0].startswith(typed.lower()) and each[0] != typed]


def _is_value(before: list[Token]) -> bool:
    return len(before) > 1 and before[-2].kind in ("sign", "comma")


def _list_owner(before: list[Token]) -> Token | None:
    """The field of the ``in (…`` whose list is being typed."""
    for k in range(len(before) - 1, 1, -1):
        if before[k].kind == "close":
            return None
        if before[k].kind == "open":
            said_in = before[k - 1].text.lower() == "in"
            return before[k - 2] if said_in and before[-1].kind in ("open", "comma") else None
    return None


def _fields(typed: str) -> list[tuple[str, str]]:
    start = typed.lower()
    named = [(field.name, field.meaning) for field in FIELD_TABLE]
    named.append(("xpath(", XPATH_MEANING))
    found = [each for each in named if each[0].startswith(start)]
    if start:
        found += [each for each in named if start in each[0] and each not in found]
    return [] if [name for name, _ in found] == [typed] and field_of(typed) is None else found


def _signs(owner: Token, typed: str) -> list[tuple[str, str]]:
    field = field_of(owner.text)
    signs = field.signs if field is not None else ()
    return [(sign, SIGN_MEANINGS[sign]) for sign in signs if sign.startswith(typed) and sign != typed]


def _values(owner: Token, typed: str, values: Values) -> list[tuple[str, str]]:
    field = field_of(owner.text)
    if field is None:
        return []
    start = typed.lower()
    words = field.words or tuple(values(field))
    fitting = [word for word in words if start in word.lower() and word != typed]
    fitting.sort(key=lambda word: not word.lower().startswith(start))
    if not fitting and not typed and field.kind != "text":
        return [(field.example.split(maxsplit=2)[-1], field.meaning)]
    return [(quoted(word), "") for word in fitting]


def quoted(word: str) -> str:
    """As a value must be written: in quotation marks where it holds anything that parts words."""
    plain = not set(word) & set(" ()=!<>~\"'&|,*?")
    return word if plain and word else f'"{word}"' if '"' not in word else f"'{word}'"
