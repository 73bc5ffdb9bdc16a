"""The ids that tie messages together, read from a body without building a tree of it.

They are needed of a hundred thousand bodies at once and of broken ones too, so they are found by their tags.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape

ID_ELEMENTS: Mapping[str, str] = {
    "event": "eventID",
    "request": "requestID",
    "report": "reportRequestID",
    "registration": "registrationID",
}
"""Field of the filter language and the element whose text it is."""

HOLDS_NONE: Mapping[str, frozenset[str]] = {
    "event": frozenset({
        "oadrPoll", "oadrResponse", "oadrUpdateReport", "oadrUpdatedReport", "oadrRegisterReport",
        "oadrRegisteredReport", "oadrCreateReport", "oadrCreatedReport", "oadrQueryRegistration",
        "oadrCreatePartyRegistration", "oadrCreatedPartyRegistration",
    }),
    "request": frozenset({"oadrPoll"}),
    "report": frozenset({"oadrPoll", "oadrDistributeEvent", "oadrCreatedEvent", "oadrResponse"}),
    "registration": frozenset({
        "oadrPoll", "oadrResponse", "oadrDistributeEvent", "oadrCreatedEvent", "oadrUpdateReport", "oadrUpdatedReport",
    }),
}  # fmt: skip
"""Payloads whose schema has no place for the id: not worth reading for it."""

_PATTERNS = {
    field: re.compile(rb"<(?:[\w.-]+:)?" + name.encode() + rb"(?:\s[^<>]*)?>\s*([^<]*?)\s*<")
    for field, name in ID_ELEMENTS.items()
}


def ids_in(body: bytes, field: str) -> tuple[str, ...]:
    """The ids of one kind in the order they first stand in a body, each once. Raises KeyError for no such field."""
    found = dict.fromkeys(_PATTERNS[field].findall(body))
    return tuple(unescape(each.decode("utf-8", "replace")) for each in found if each)
