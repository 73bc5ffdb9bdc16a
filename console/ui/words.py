"""Numbers and times as the window writes them: watts, sizes, ages, clock times.

Power comes in W, energy in Wh, durations in s; − is U+2212, the space before a unit does not break, thousands are
parted by a thin space.
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

MINUS = "\u2212"
NO_BREAK = "\u00a0"
THIN = "\u2009"


def count(number: int) -> str:
    """``88 310``."""
    return f"{number:,}".replace(",", THIN).replace("-", MINUS)


def plural(number: int, one: str, many: str | None = None) -> str:
    """``1 VEN``, ``12 VENs``."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def scaled(value: float, unit: str) -> str:
    """``value`` in ``unit`` below 1000, in the kilo unit with two decimals from there: ``430 W``, ``7.59 kW``."""
    if abs(value) >= 999.5:
        return f"{value / 1000:.2f}{NO_BREAK}k{unit}".replace("-", MINUS)
    rounded = round(value)
    return f"{rounded}{NO_BREAK}{unit}".replace("-", MINUS)


def watts(power: float) -> str:
    """Power in W as shown: ``430 W``, ``7.59 kW``, ``−1.60 kW``."""
    return scaled(power, "W")


def watt_hours(energy: float) -> str:
    """Energy in Wh as shown: ``430 Wh``, ``6.10 kWh``."""
    return scaled(energy, "Wh")


def percent(fraction: float) -> str:
    """0.61 as ``61 %``."""
    return f"{fraction * 100:.0f}{NO_BREAK}%".replace("-", MINUS)


def span(duration: timedelta | float) -> str:
    """A length of time: ``42 s``, ``06:11``, ``1 h 12 min``, ``3 d 4 h``."""
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
    total = max(0, int(seconds))
    if total < 60:
        return f"{total}{NO_BREAK}s"
    if total < 3600:
        return f"{total // 60:02d}:{total % 60:02d}"
    if total < 86400:
        hours, rest = divmod(total, 3600)
        return f"{hours}{NO_BREAK}h {rest // 60}{NO_BREAK}min" if rest // 60 else f"{hours}{NO_BREAK}h"
    days, rest = divmod(total, 86400)
    return f"{days}{NO_BREAK}d {rest // 3600}{NO_BREAK}h"


def size(octets: int) -> str:
    """``6 312 bytes``."""
    return plural(octets, "byte")


def clock(moment: datetime, zone: tzinfo | None = None, millis: bool = False) -> str:
    """Local time of day: ``10:42:03`` or ``10:42:03.214``; ``zone`` None takes the machine's."""
    local = moment.astimezone(zone)
    return local.strftime("%H:%M:%S") + (f".{local.microsecond // 1000:03d}" if millis else "")


def short_clock(moment: datetime, zone: tzinfo | None = None) -> str:
    """``10:42``."""
    return moment.astimezone(zone).strftime("%H:%M")


def offset(moment: datetime, zone: tzinfo | None = None) -> str:
    """UTC offset of the local time: ``+02:00``."""
    text = moment.astimezone(zone).strftime("%z")
    return f"{text[:3]}:{text[3:5]}".replace("-", MINUS)


def running(duration: timedelta) -> str:
    """``0:42``, ``12:05``, ``1:02:05``: how long something has gone on."""
    minutes, seconds = divmod(max(int(duration.total_seconds()), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
