"""Facts and findings as JSON text and back.

The classes of ``console.openadr.facts`` say by their type hints how a value is read again; adding a fact there is
enough. Instants are RFC 3339 texts, spans are whole microseconds.
"""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from console.openadr import facts
from console.openadr.facts import Fact
from console.openadr.findings import Finding, Severity

_MICROSECOND = timedelta(microseconds=1)
Record = TypeVar("Record")


def kind_of(fact: Fact) -> str:
    """Name a fact is stored under: its class."""
    return type(fact).__name__


def write_fact(fact: Fact) -> str:
    """The fields of a fact as a JSON object; its kind is kept apart."""
    return json.dumps(_plain(fact), separators=(",", ":"))


def read_fact(kind: str, text: str) -> Fact | None:
    """The fact again; None for a kind this version does not know."""
    of_kind = _kinds().get(kind)
    return None if of_kind is None else _record(of_kind, json.loads(text))


def write_findings(findings: Iterable[Finding]) -> str:
    """Findings as a JSON list; the empty text for none."""
    rows = [[f.rule, int(f.severity), f.text, f.path, f.element, f.clause, f.line] for f in findings]
    return json.dumps(rows, separators=(",", ":")) if rows else ""


def read_findings(text: str) -> tuple[Finding, ...]:
    if not text:
        return ()
    return tuple(Finding(row[0], Severity(row[1]), *row[2:]) for row in json.loads(text))


@cache
def _kinds() -> dict[str, type[Fact]]:
    known = (value for value in vars(facts).values() if isinstance(value, type))
    return {value.__name__: value for value in known if issubclass(value, Fact)}


@cache
def _hints(of: type[Any]) -> dict[str, Any]:
    return get_type_hints(of)


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case timedelta():
            return value // _MICROSECOND
        case tuple():
            return [_plain(item) for item in cast("tuple[Any, ...]", value)]
        case _ if dataclasses.is_dataclass(value):
            return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        case _:
            return value


def _record(of: type[Record], plain: dict[str, Any]) -> Record:
    hints = _hints(of)
    return of(**{name: _typed(hints[name], value) for name, value in plain.items() if name in hints})


def _typed(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _of_union([option for option in get_args(hint) if option is not type(None)], value)
    if origin is tuple:
        options = get_args(hint)
        if len(options) == 2 and options[1] is Ellipsis:
            return tuple(_typed(options[0], item) for item in value)
        return tuple(_typed(option, item) for option, item in zip(options, value, strict=True))
    if hint is datetime:
        return datetime.fromisoformat(value)
    if hint is timedelta:
        return value * _MICROSECOND
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        record: type[Any] = hint
        return _record(record, value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return value


def _of_union(options: list[Any], value: Any) -> Any:
    """An object is the record among the options, anything else the option that is none."""
    records = [option for option in options if dataclasses.is_dataclass(option)]
    others = [option for option in options if not dataclasses.is_dataclass(option)]
    chosen = records if isinstance(value, dict) and records else others or records
    return _typed(chosen[0], value)
