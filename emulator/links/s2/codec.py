"""JSON text to S2 messages and back (EN 50491-12-2, wire version 0.0.2-beta).

Messages are the generated classes of s2-python; its wrapper classes are not used, since they refuse schema-valid ids.
`decode` never raises: a text yields a message or a `Rejection`, which carries exactly what the ReceptionStatus to the
peer has to say. `make` builds what we send and does raise, because a wrong message of ours is our bug.
"""

from __future__ import annotations

import inspect
import json
import random
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError
from s2python.generated import gen_s2 as g

from emulator.links.s2.semantics import content_problem

VERSION = "0.0.2-beta"
"""The one protocol version spoken here."""

NIL_ID = "00000000-0000-0000-0000-000000000000"
"""Subject of a ReceptionStatus for a text in which no message_id could be found."""

LONGEST_LABEL = 500
"""Characters kept of a diagnostic label: it may quote what a peer sent."""


class S2Message(Protocol):
    """What every message but ReceptionStatus has; which message it is, isinstance tells."""

    message_type: Any
    message_id: g.ID


Model = TypeVar("Model", bound=BaseModel)
IdSource = Callable[[], str]
"""Gives a fresh UUID as text; injected, so that runs repeat."""

TYPES: dict[str, type[BaseModel]] = {
    cls.model_fields["message_type"].default: cls
    for cls in vars(g).values()
    if inspect.isclass(cls) and issubclass(cls, BaseModel) and "message_type" in cls.model_fields
}
"""Class of each message_type, all 35 of them."""

RECEPTION_STATUS = "ReceptionStatus"
"""The one message without a message_id: it is an answer and gets none."""

_ID_PATTERN = re.compile(r"[a-zA-Z0-9\-_:]{2,64}")
_EXACT_INTEGERS = 2**53


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a text was not taken: the three facts of a ReceptionStatus."""

    status: g.ReceptionStatusValues
    subject_message_id: str
    text: str
    answerable: bool = True
    """False for a broken ReceptionStatus, which is never answered with another one."""


def seeded_ids(seed: int) -> IdSource:
    """Random UUIDs that are the same for the same seed."""
    source = random.Random(seed)
    return lambda: str(uuid.UUID(int=source.getrandbits(128), version=4))


def key(identifier: g.ID) -> str:
    """The text of an ID, which is the key everything is kept under."""
    return identifier.root


def lasting(duration: g.Duration | None) -> timedelta:
    """A Duration, which the wire has in milliseconds; absent is zero."""
    return timedelta(milliseconds=duration.root if duration else 0)


def make(cls: type[Model], /, **fields: object) -> Model:
    """A message or part of one from plain values: texts for ids and enum literals, ints for durations (ms).

    Raises pydantic.ValidationError on values the schema forbids.
    """
    return cls.model_validate(fields)


def encode(message: BaseModel | S2Message) -> str:
    """The message as JSON; members that are absent stay absent, for the schema knows no null."""
    assert isinstance(message, BaseModel)
    return message.model_dump_json(by_alias=True, exclude_none=True)


def decode(text: str | bytes) -> Any:
    """A text as an `S2Message` or a `Rejection`: INVALID_DATA, INVALID_MESSAGE or INVALID_CONTENT."""
    try:
        tree = _STRICT.decode(text if isinstance(text, str) else text.decode(json.detect_encoding(text)))
    except (ValueError, RecursionError) as error:
        return Rejection(g.ReceptionStatusValues.INVALID_DATA, NIL_ID, _label(f"not JSON: {error}"))
    if not isinstance(tree, dict):
        return Rejection(g.ReceptionStatusValues.INVALID_DATA, NIL_ID, "not a JSON object, so no message_id")
    if tree.get("message_type") == RECEPTION_STATUS:
        reception = _checked(text, tree, NIL_ID)
        return replace(reception, answerable=False) if isinstance(reception, Rejection) else reception
    subject = tree.get("message_id")
    if not isinstance(subject, str) or not _ID_PATTERN.search(subject):
        return Rejection(g.ReceptionStatusValues.INVALID_DATA, NIL_ID, "no message_id found")
    return _checked(text, tree, subject)


def acknowledgement(subject: str) -> str:
    """The ReceptionStatus that says OK: every second message of a session, so it is not built as a model."""
    return f'{{"message_type":"ReceptionStatus","subject_message_id":{json.dumps(subject)},"status":"OK"}}'


def _checked(text: str | bytes, tree: dict[str, Any], subject: str) -> Any:
    name = tree.get("message_type")
    cls = TYPES.get(name) if isinstance(name, str) else None
    if cls is None:
        return Rejection(g.ReceptionStatusValues.INVALID_MESSAGE, subject, _label(f"unknown message_type {name!r}"))
    try:
        message = _validated(cls, text)
    except ValidationError as error:
        return Rejection(g.ReceptionStatusValues.INVALID_MESSAGE, subject, _label(_first_error(error)))
    problem = content_problem(message, _may_overflow(text))
    if problem is not None:
        return Rejection(g.ReceptionStatusValues.INVALID_CONTENT, subject, _label(problem))
    return message


def _validated(cls: type[BaseModel], text: str | bytes) -> BaseModel:
    try:
        return cls.model_validate_json(text, strict=True)
    except ValidationError:
        # once more with whole numbers as integers: costly, and few peers need it
        tree = json.loads(text, parse_float=_number)
        return cls.model_validate_json(json.dumps(tree), strict=True)


def _number(text: str) -> float | int:
    """JSON Schema calls 8000.0 an integer, pydantic does not; a whole number becomes an int."""
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < _EXACT_INTEGERS else value


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not a JSON number")


_STRICT = json.JSONDecoder(parse_constant=_no_constant)
_LARGE = re.compile(r"\d{100}|\d[eE]\+?\d\d")


def _may_overflow(text: str | bytes) -> bool:
    """Whether a number in it could be beyond a float; an id that looks like one is harmless."""
    return not isinstance(text, str) or _LARGE.search(text) is not None


def _first_error(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{where}: {first['msg']}{more}"


def _label(text: str) -> str:
    """Text that may quote a peer, fit to be sent: bounded, and without lone surrogates."""
    return text.encode("utf-8", "replace").decode("utf-8")[:LONGEST_LABEL]
