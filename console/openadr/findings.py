"""What is wrong, odd or worth knowing about one message, as data.

Parsing, schema, rules and signature each return findings; none of them raises for what a peer sent. A finding says
where, in words a field engineer understands, and which rule or clause it rests on.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """How much a finding matters; ordered, so that ``max`` gives the verdict of a message."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    @property
    def word(self) -> str:
        """``info``, ``warning`` or ``error``, as shown and as written in JSON."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark about one message."""

    rule: str
    """Conformance rule number (``"102"``), or the check that spoke: ``xml``, ``schema``, ``size``, ``http`` …"""
    severity: Severity
    text: str
    """What came, what was expected, what was done about it: one or two sentences."""
    path: str = ""
    """Where in the message: local names joined by ``/``, 1-based positions where one repeats; empty for the whole."""
    element: str = ""
    """Literal name of the element the remark is about."""
    clause: str = ""
    """Clause of IEC 62746-10-1 or section of the profile it rests on."""
    line: int = 0
    """1-based line in the message as sent; 0 where there is none."""
