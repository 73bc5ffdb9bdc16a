"""Writing messages by hand: what a draft says, what is wrong with it, to whom it can go, and what was sent before.

A draft is source text with variables. Checking fills them in and reads the result as a peer would; sending fills them
in anew, breaks what is to be broken, and hands the bytes to a session, which marks them in the record.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, runtime_checkable

from console.app.composer_breaks import CannotBreak, Outgoing, broken
from console.app.composer_presets import VEN, VTN, preset
from console.app.composer_variables import Surroundings, fill_in
from console.app.views import Outcome
from console.openadr import codec, rules
from console.openadr.actions import Service
from console.openadr.findings import Finding, Severity

KEPT = 50
"""Messages the history keeps."""
HISTORY = "composer.history"
"""Setting under which it is kept."""
_SIGNED_OBJECT = re.compile(r"<((?:[\w.-]+:)?)oadrSignedObject(?![^>]*\bId=)")


@dataclass(frozen=True, slots=True)
class Way:
    """From one of our sessions to one peer."""

    session: str
    kind: str
    """``VTN`` or ``VEN``: what we are."""
    to: str
    """venID for a VTN; empty for a VEN's one VTN."""
    label: str
    """``ven-7 → vtn-lab, at once``."""
    can_sign: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """What a draft comes to."""

    source: str
    """With its variables filled in."""
    element: str
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> int:
        return sum(finding.severity is Severity.ERROR for finding in self.findings)


@runtime_checkable
class ComposingDesk(Protocol):
    """A desk that messages can be sent from."""

    def ways(self) -> Sequence[Way]:
        """Where a message can go now."""
        ...

    def surroundings(self, way: Way | None) -> Surroundings:
        """What variables are filled from on this way."""
        ...

    def send_composed(self, way: Way, service: Service, outgoing: Outgoing) -> Outcome:
        """Hand it to the session; what came of that."""
        ...


def check(text: str, around: Surroundings, sender: str = "") -> Checked:
    """Read a draft as a peer would. ``sender`` is ``VEN`` or ``VTN``, where it is known."""
    source, findings = fill_in(text, around)
    if not source.strip():
        return Checked(source, "", (Finding("xml", Severity.ERROR, "There is nothing written yet."),))
    dissection = codec.dissect(source.encode())
    found = [*findings, *dissection.findings]
    if dissection.message is not None:
        from_ven = {VEN: True, VTN: False}.get(sender)
        found += rules.check(dissection.message, from_ven, dissection.profile)
    return Checked(source, dissection.element, tuple(found))


def service_of(element: str) -> Service | None:
    """Where a payload is sent; None for an element that is none."""
    try:
        return preset(element).service
    except KeyError:
        return None


def prepared(text: str, around: Surroundings, breaks: Sequence[str] = (), *, sign: bool = False) -> Outgoing:
    """What is sent: filled in, to be signed where the session signs, and broken as wanted. Raises CannotBreak."""
    source, findings = fill_in(text, around)
    if findings:
        raise CannotBreak(findings[0].text)
    outgoing = Outgoing(source, signed_ago=timedelta(0) if sign else None)
    outgoing = broken(outgoing, list(breaks))
    if outgoing.signed_ago is not None:
        named = _SIGNED_OBJECT.sub(r'<\1oadrSignedObject \1Id="composed"', outgoing.text, count=1)
        return Outgoing(named, outgoing.content_type, outgoing.times, outgoing.pause, outgoing.signed_ago)
    return outgoing


def send(
    desk: ComposingDesk, way: Way, text: str, service: Service | None = None, breaks: Sequence[str] = ()
) -> Outcome:
    """Send a draft, its variables filled in for this moment and this peer."""
    around = desk.surroundings(way)
    try:
        outgoing = prepared(text, around, breaks, sign=way.can_sign)
    except CannotBreak as error:
        return Outcome(False, str(error))
    where = service or service_of(check(text, around).element)
    if where is None:
        return Outcome(False, "Choose the service to send it to: it is no message that says so by itself.")
    return desk.send_composed(way, where, outgoing)


class History:
    """Drafts that were sent, walked through with an older and a newer step."""

    def __init__(self, kept: Any = ()) -> None:
        self.texts: list[str] = [text for text in kept if isinstance(text, str)][-KEPT:]
        self._at = len(self.texts)
        self._unsent = ""

    def add(self, text: str) -> None:
        """Keep what was sent; the same again moves to the end."""
        if text in self.texts:
            self.texts.remove(text)
        self.texts = [*self.texts, text][-KEPT:]
        self._at = len(self.texts)

    def older(self, present: str) -> str | None:
        """The draft before this one; None at the oldest. ``present`` comes back when going newer again."""
        if self._at == 0:
            return None
        if self._at == len(self.texts):
            self._unsent = present
        self._at -= 1
        return self.texts[self._at]

    def newer(self) -> str | None:
        if self._at >= len(self.texts):
            return None
        self._at += 1
        return self._unsent if self._at == len(self.texts) else self.texts[self._at]
