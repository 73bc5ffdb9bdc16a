"""The emulator's idea of time: an aware UTC datetime handed in by whoever runs the site.

Nothing in the emulator reads a clock of the machine; a site is stepped to an instant. The protocol exists so that a
site run alone and a site behind a VEN are driven alike.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The site's present instant, aware, UTC."""
        ...
