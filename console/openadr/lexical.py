"""Text to Python values and back, by lexical type: strict and fast for the reader, patient for what peers get wrong.

The strict converters trust that the schema has accepted the text and raise ``ValueError`` or ``KeyError`` for the odd
rest (dates without Z, numbers too long); the patient ones return a value and a remark, or raise ``ValueError`` with a
sentence.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from console.openadr.calendar import Duration, is_duration_text, parse_utc, read_date_time, write_date_time
from console.openadr.elements import Lexical

_KEPT = 4096
_SHORT = 120
"""Longest text remembered, so that what is remembered stays small whatever comes."""
_WEEKS = re.compile(r"([+-]?)P(\d+)W")
_FRACTION = re.compile(r"[.,]\d+S$")
_ESCAPED = re.compile('[&<>\r"\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]')
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"})
XML_BLANKS = " \t\r\n"


class _Tokens(dict[str, str]):
    """Text -> the same with blanks collapsed; the first few thousand short ones are remembered and interned."""

    def __missing__(self, text: str) -> str:
        token = " ".join(text.split())
        if len(self) < _KEPT and len(text) <= _SHORT:
            token = self[text] = sys.intern(token)
        return token


TOKENS = _Tokens()
BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def strict_boolean(text: str) -> bool:
    return BOOLEANS[text.strip(XML_BLANKS)]


def strict_decimal(text: str) -> float:
    """Decimal as a float; ``ValueError`` where it is too large for one."""
    value = float(text)
    if math.isinf(value):
        raise ValueError(text)
    return value


STRICT: dict[str, tuple[str, Callable[[str], Any]]] = {
    "dateTime": ("parse_utc", parse_utc),
    "unsignedInt": ("int", int),
    "float": ("float", float),
    "decimal": ("strict_decimal", strict_decimal),
    "boolean": ("strict_boolean", strict_boolean),
}
"""Schema primitive -> name and function of its strict converter; durations and texts have their own."""


def is_duration(lexical: Lexical) -> bool:
    return lexical.name == "xcal:DurationValueType"


def read_value(text: str, lexical: Lexical) -> tuple[Any, str]:
    """Patient reading: the value, and a remark where it was not written plainly.

    Raises ``ValueError`` with a sentence where the text has no clear meaning.
    """
    if is_duration(lexical):
        return _read_duration(text)
    if lexical.base == "dateTime":
        return read_date_time(text)
    if lexical.base == "boolean":
        return _read_boolean(text)
    if lexical.base in ("unsignedInt", "float", "decimal"):
        return _read_number(text.strip(XML_BLANKS), lexical)
    return (TOKENS[text] if lexical.base in ("token", "anyURI") else text), ""


def _read_duration(text: str) -> tuple[Duration, str]:
    try:
        return Duration.parse(text), ""
    except ValueError:
        plain = text.strip()
    week = _WEEKS.fullmatch(plain)
    if week:
        return Duration.parse(f"{week[1]}P{7 * int(week[2][:9])}D"), f"{plain} was read as so many weeks."
    return Duration.parse(_FRACTION.sub("S", plain)), f"{text!r} was read as {_FRACTION.sub('S', plain)}."


def _read_boolean(text: str) -> tuple[bool, str]:
    plain = text.strip().lower()
    if plain not in BOOLEANS:
        raise ValueError(f"{text!r} is neither true nor false")
    exact = text.strip(XML_BLANKS) in BOOLEANS
    return BOOLEANS[plain], "" if exact else f"{text!r} was read as {plain}."


def _read_number(text: str, lexical: Lexical) -> tuple[float, str]:
    whole = lexical.base == "unsignedInt"
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not {lexical.words}") from None
    if whole and not 0 <= value <= 0xFFFFFFFF:
        raise ValueError(f"{text[:40]!r} is not {lexical.words}")
    if lexical.base == "decimal" and not math.isfinite(value):
        raise ValueError(f"{text[:40]!r} is too large")
    return value, ""


# Judging ------------------------------------------------------------------------------------------------------------

_EXTENSION = re.compile(r"x-\S.*")
_UNSIGNED = re.compile(r"\+?[0-9]+|-0+")
_FLOAT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|-?INF|NaN")
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_PLAIN_DATE_TIME = re.compile(r"-?[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z?")
_TOO_LONG = 20


def fits(text: str, lexical: Lexical) -> bool:
    """Whether the schema takes this text; URIs are left to libxml and always fit here."""
    if lexical.fixed is not None:
        return text in ("", lexical.fixed)
    if is_duration(lexical):
        return is_duration_text(text)
    plain = " ".join(text.split()) if lexical.base == "token" else text
    if lexical.values:
        return plain in lexical.values or (lexical.extensible and _EXTENSION.fullmatch(plain) is not None)
    if lexical.pattern:
        return re.fullmatch(lexical.pattern, plain) is not None
    judge = _JUDGES.get(lexical.base)
    return judge is None or judge(text.strip(XML_BLANKS), lexical)


def _fits_unsigned(text: str, lexical: Lexical) -> bool:
    if _UNSIGNED.fullmatch(text) is None:
        return False
    digits = text.lstrip("+-0")
    low, high = lexical.bounds or (0, 0xFFFFFFFF)
    return len(digits) < _TOO_LONG and low <= int(digits or "0") <= high


def _fits_date_time(text: str, _: Lexical) -> bool:
    if _PLAIN_DATE_TIME.fullmatch(text) is None or text.lstrip("-").startswith("0000"):
        return False
    try:
        read_date_time(text.lstrip("-"))
    except ValueError:
        return False
    return True


_JUDGES: dict[str, Callable[[str, Lexical], bool]] = {
    "unsignedInt": _fits_unsigned,
    "float": lambda text, _: _FLOAT.fullmatch(text) is not None,
    "decimal": lambda text, _: _DECIMAL.fullmatch(text) is not None,
    "boolean": lambda text, _: text in BOOLEANS,
    "dateTime": _fits_date_time,
}

# Writing ------------------------------------------------------------------------------------------------------------


def escape(text: str) -> str:
    """Text for element content or an attribute in double quotes; ``ValueError`` for characters XML cannot carry."""
    if _ESCAPED.search(text) is None:
        return text
    if _UNWRITABLE.search(text):
        raise ValueError(f"{text!r} holds a character that XML cannot carry")
    return text.translate(_ENTITIES)


def write_float(value: float) -> str:
    """xs:float: INF, -INF and NaN spelt as the schema wants them."""
    number = float(value)
    if math.isfinite(number):
        return repr(number)
    return "NaN" if math.isnan(number) else "INF" if number > 0 else "-INF"


def write_decimal(value: float) -> str:
    """xs:decimal: no exponent; ``ValueError`` for what is no finite number."""
    if not math.isfinite(value):
        raise ValueError(f"{value!r} is no decimal")
    return format(Decimal(repr(float(value))), "f")


def write_boolean(value: bool) -> str:
    return "true" if value else "false"


def write_unsigned(value: int) -> str:
    return str(int(value))


def write_duration(value: Duration) -> str:
    return value.lexical


def writer_of(lexical: Lexical) -> Callable[[Any], str]:
    """Function that writes a value of this type as escaped text."""
    if is_duration(lexical):
        return write_duration
    writers: dict[str, Callable[[Any], str]] = {
        "dateTime": write_date_time,
        "boolean": write_boolean,
        "float": write_float,
        "decimal": write_decimal,
        "unsignedInt": write_unsigned,
    }
    return writers.get(lexical.base, escape)


def written(value: Any, lexical: Lexical) -> str:
    """The unescaped text of a value, for people."""
    if isinstance(value, datetime | Duration | bool | float) or lexical.base in ("unsignedInt",):
        return writer_of(lexical)(value)
    return str(value)
