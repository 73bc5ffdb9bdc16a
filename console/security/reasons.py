"""Why a signature does not count, in words a field engineer can act on, as findings of rule 514."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from console.openadr.elements import Node, prefixed
from console.openadr.findings import Finding, Severity
from console.openadr.schema import path_of
from console.openadr.verdicts import ReferenceVerdict
from console.security import algorithms
from console.security.algorithms import Canonicalization
from console.security.replay import Window

_LONGEST_SHOWN = 80


def why_unlike(verdict: ReferenceVerdict, target: Node, way: Canonicalization, hashed: Callable[[bytes], bytes]) -> str:
    """Words for a digest that does not fit, with the cause where it shows."""
    text = f"{verdict.element} is not what was signed: its digest is {_base64(verdict.computed)}, "
    text += f"the signature has {_base64(verdict.given)}."
    if not way.exclusive and hashed(algorithms.canonical(target, Canonicalization(exclusive=True))) == verdict.given:
        return f"{text} It fits exclusive canonicalisation, though the signature names another."
    return f"{text} It was changed, indented or given other namespace declarations after signing."


def out_of(window: Window, age: timedelta, timestamp: datetime) -> Iterator[str]:
    sent = f"The message says it was sent at {timestamp:%Y-%m-%d %H:%M:%S} UTC"
    if age > window.past:
        text = f"{sent}, {_seconds(age)} before it came; {_seconds(window.past)} are allowed."
        yield f"{text} It was held up or repeated, or a clock is wrong."
    elif -age > window.future:
        text = f"{sent}, {_seconds(-age)} after it came; {_seconds(window.future)} are allowed."
        yield f"{text} The sender's clock is ahead, or ours behind."


def _seconds(length: timedelta) -> str:
    return f"{length.total_seconds():.0f} s"


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def shown(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def finding(severity: Severity, text: str, at: Node | None = None) -> Finding:
    if at is None:
        return Finding("514", severity, text, clause="10.6")
    return Finding("514", severity, text, path_of(at), prefixed(str(at.tag)), "10.6", at.sourceline or 0)
