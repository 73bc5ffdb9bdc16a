"""Variables in a message being written: ``${now+15m}``, ``${requestID}``, ``${venID}``.

They are filled in when the message is checked and again when it is sent, so that a draft kept for a week still says
now. Ids that are to be fresh are the same wherever they stand in one message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from xml.sax.saxutils import escape

from console.app.durations import parse_duration
from console.openadr.calendar import write_date_time
from console.openadr.findings import Finding, Severity

_VARIABLE = re.compile(r"\$\{([^{}<>]*)\}")
_MOMENT = re.compile(r"now\s*(?:([+-])\s*(.+))?")

FRESH = ("requestID", "eventID", "optID", "reportRequestID", "new")
"""Ids made anew for each message; ``new`` is any."""
KNOWN = ("venID", "vtnID", "registrationID", "venName")
"""What the session and the peer are called; may be given by hand."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What variables are filled from."""

    now: datetime
    new_id: Callable[[str], str]
    """Gives a fresh id for a stem such as ``request``."""
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    """Values of :data:`KNOWN`, as far as they are known."""


def fill_in(text: str, around: Surroundings) -> tuple[str, list[Finding]]:
    """The text with its variables replaced, and what is wrong with those that are not."""
    made: dict[str, str] = {}
    findings: list[Finding] = []

    def value(found: re.Match[str]) -> str:
        name = found[1].strip()
        try:
            filled = made.get(name) or _value(name, around)
        except ValueError as error:
            line = text.count("\n", 0, found.start()) + 1
            findings.append(Finding("variable", Severity.ERROR, str(error), line=line))
            return found[0]
        if name in FRESH:
            made[name] = filled
        return escape(filled, {'"': "&quot;"})

    return _VARIABLE.sub(value, text), findings


def _value(name: str, around: Surroundings) -> str:
    moment = _MOMENT.fullmatch(name)
    if moment:
        span = parse_duration(moment[2]) if moment[1] else parse_duration(0)
        at = around.now - span if moment[1] == "-" else around.now + span
        return write_date_time(at.replace(microsecond=0))
    if name in FRESH:
        stems = {"requestID": "request", "eventID": "event", "optID": "opt", "reportRequestID": "report"}
        return around.new_id(stems.get(name, "id"))
    if name in KNOWN:
        return around.names.get(name) or f"{name.removesuffix('ID').removesuffix('Name')}-unknown"
    offered = ", ".join(f"${{{each}}}" for each in ("now", "now+15m", *FRESH, *KNOWN))
    raise ValueError(f"There is no variable ${{{name}}}. There are {offered}.")
