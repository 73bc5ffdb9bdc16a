"""Holding a recording within its limits while it is being written."""

from __future__ import annotations

import logging
from datetime import timedelta

from console.app.durations import parse_duration
from console.session.clock import Clock
from console.store.retention import Retention, read_size
from console.store.store import Store, StoreError

log = logging.getLogger(__name__)

EVERY_SECONDS = 30.0
EVERYTHING = "all"


async def keep_within(store: Store, limits: Retention, clock: Clock) -> None:
    """Let go of what is beyond the limits, now and every half minute, until cancelled."""
    while True:
        try:
            gone = store.retain(limits)
            if gone:
                log.info("%s: %d blocks of old bodies were let go", store.path, gone)
        except StoreError as error:
            log.warning("%s", error)
        await clock.rest(EVERY_SECONDS)


def read_limits(text: str) -> Retention:
    """``7d``, ``500MB``, ``7d,500MB`` or ``all``. Raises ValueError in words."""
    if text.strip() == EVERYTHING:
        return Retention(None, None)
    age: timedelta | None = None
    size: int | None = None
    for part in text.split(","):
        try:
            if part.strip()[-1:].lower() == "b":
                size = read_size(part)
            else:
                age = parse_duration(part)
        except ValueError as error:
            raise ValueError(f"{error}; or both, as 7d,500MB, or {EVERYTHING}") from None
    return Retention(age, size)
