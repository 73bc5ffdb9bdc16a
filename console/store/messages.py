"""What the store hands out of its message log: one row, and the rows a filter chose."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

COMPOSED = 1
"""Flag of a message that an operator wrote by hand, and not a role."""


@dataclass(frozen=True, slots=True)
class MessageView:
    """One row of the message list; the body is fetched apart."""

    number: int
    """1-based, never reused."""
    time: datetime
    session: str
    outgoing: bool
    peer: str
    """venID or vtnID if known, else the address."""
    element: str
    """``oadrPoll``; ``(not OpenADR)`` for garbage."""
    summary: str
    size: int
    """Bytes of the body as sent; more than are kept where it was over the limit."""
    errors: int
    warnings: int
    infos: int
    reply_to: int
    """Number of the request this answers; 0 for a request."""
    answered_by: int
    """Number of the answer to this request; 0 for none (yet)."""
    latency: timedelta | None
    """From the request to this answer."""
    status: int
    """HTTP status; 0 where there is none."""
    transport: str = "http"
    composed: bool = False
    """Written by hand in the composer, and not by a role."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Result of a filter over the message log."""

    rows: NDArray[np.int64]
    """Indices into the log (number - 1), ascending."""
    error: str = ""
    """Why the filter text is not understood; then rows is what the last good filter gave, or all."""
    error_at: int = -1
    """Where in the text, counted from 0; -1 where no place is to blame."""
