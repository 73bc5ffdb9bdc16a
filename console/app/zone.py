"""The zone that times are shown in, as one object that may change: who holds it shows the present one's times.

A desk goes by the clock of the machine until a lab begins, and by that of its house from then on. Views keep the zone
they were made with; this is the one they keep.
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo


class ZoneInForce(tzinfo):
    """Answers as the zone that was last given does."""

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        return self.zone.utcoffset(self._there(dt))

    def dst(self, dt: datetime | None) -> timedelta | None:
        return self.zone.dst(self._there(dt))

    def tzname(self, dt: datetime | None) -> str | None:
        return self.zone.tzname(self._there(dt))

    def fromutc(self, dt: datetime) -> datetime:
        return self.zone.fromutc(dt.replace(tzinfo=self.zone)).replace(tzinfo=self)

    def _there(self, dt: datetime | None) -> datetime | None:
        return None if dt is None else dt.replace(tzinfo=self.zone)
