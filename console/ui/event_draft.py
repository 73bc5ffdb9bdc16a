"""What people type into the event editor, read: starts, durations, values, pasted intervals, signals and their units.

Pure: no widget and no clock. Every reader raises ``ValueError`` with a sentence that says what was typed and what is
understood.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from console.app.durations import ALLOWED, parse_duration
from console.app.views import EventView
from console.openadr.calendar import Duration
from console.ui.words import MINUS

PRICES = ("EUR/kWh", "USD/kWh", "GBP/kWh", "CHF/kWh", "JPY/kWh")
POWERS = ("kW", "W")
SIGNALS: dict[str, dict[str, tuple[str, ...]]] = {
    "SIMPLE": {"level": ()},
    "LOAD_DISPATCH": {"setpoint": POWERS, "delta": POWERS, "multiplier": ()},
    "ELECTRICITY_PRICE": {"price": PRICES, "priceRelative": PRICES, "priceMultiplier": ()},
}
"""signalName, its signalTypes, and the units to type values of each in; none where the value is bare (rule 104)."""
FIRST_VALUE = {"SIMPLE": 1.0, "LOAD_DISPATCH": 7.0, "ELECTRICITY_PRICE": 0.30}
"""Value of the first interval of a new event, in the first unit of the signal."""
LONGEST = timedelta(days=3653)
STARTS = "+10 min, 13:00 or 2026-06-16 13:00"


@dataclass(frozen=True, slots=True)
class Interval:
    """One line of the table; ``value`` in the unit shown beside it."""

    duration: timedelta
    value: float


def base_unit(unit: str) -> tuple[str | None, float]:
    """(base unit, factor to it) of a unit that values are typed in: ``kW`` gives (``W``, 1000)."""
    if unit == "kW":
        return "W", 1000.0
    return unit or None, 1.0


def read_duration(text: str) -> timedelta:
    """``30``, ``30 s``, ``10 min``, ``1 h 30 min`` or ``PT30M``; whole seconds, as the standard's durations are.

    >>> read_duration("PT1H30M") == read_duration("90 min")
    True
    """
    typed = text.strip()
    try:
        if typed.upper().startswith("P"):
            read = Duration.parse(typed.upper()).timedelta
        else:
            read = parse_duration(typed)
    except (ValueError, OverflowError):
        raise ValueError(f"“{typed}” is no duration; write {ALLOWED}, or PT30M.") from None
    if not timedelta() <= read <= LONGEST:
        raise ValueError(f"“{typed}” is out of range; an event lasts at most ten years.")
    return timedelta(seconds=round(read.total_seconds()))


def read_value(text: str) -> float:
    """A number with a point or a comma, and either kind of minus."""
    typed = text.strip().replace(MINUS, "-").replace("\u2009", "").replace(" ", "")
    if "," in typed and "." not in typed:
        typed = typed.replace(",", ".")
    try:
        value = float(typed)
    except ValueError:
        raise ValueError(f"“{text.strip()}” is no number; write 7 or 0.42.") from None
    if value != value or abs(value) == float("inf"):
        raise ValueError(f"“{text.strip()}” cannot be sent; write a number such as 7.")
    return value


def read_start(text: str, now: datetime, zone: tzinfo) -> datetime:
    """The start that is meant, in UTC and whole seconds: from ``now`` on, today, or on a day, in local time."""
    typed = text.strip()
    if typed.startswith("+"):
        moment = now + read_duration(typed[1:])
        return moment.astimezone(UTC).replace(microsecond=0)
    local = now.astimezone(zone)
    day = local.strftime("%Y-%m-%d ")
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"):
        for whole in (typed, day + typed):
            try:
                return datetime.strptime(whole, form).replace(tzinfo=zone).astimezone(UTC)
            except ValueError:
                continue
    raise ValueError(f"“{typed}” is no start; write {STARTS}.")


def read_intervals(text: str) -> list[Interval]:
    """Lines of ``duration<tab or ;>value`` as a spreadsheet gives them; empty lines are left out."""
    found = []
    for line in text.splitlines():
        if not line.strip():
            continue
        parts = line.replace(";", "\t").rsplit("\t", 1) if "\t" in line or ";" in line else line.rsplit(None, 1)
        if len(parts) != 2:
            raise ValueError(f"“{line.strip()}” needs a duration and a value, e.g. “30 min” and “7”.")
        found.append(Interval(read_duration(parts[0]), read_value(parts[1])))
    if not found:
        raise ValueError("The clipboard has no lines of duration and value.")
    return found


def show_value(value: float) -> str:
    """A value as it is typed again: no more digits than it needs."""
    return f"{value:.10g}".replace("-", MINUS)


def show_start(moment: datetime, zone: tzinfo) -> str:
    """``2026-06-16 13:00``, with seconds where there are any."""
    local = moment.astimezone(zone)
    return local.strftime("%Y-%m-%d %H:%M:%S" if local.second else "%Y-%m-%d %H:%M")


def typed_unit(signal_name: str, signal_type: str, unit: str | None) -> str:
    """The unit an event's value is shown in for editing; its own where the table has none."""
    if unit == "W":
        return "kW"
    units = SIGNALS.get(signal_name, {}).get(signal_type, ())
    return unit if unit is not None else (units[0] if units else "")


def intervals_of(view: EventView) -> list[Interval]:
    """The first signal's intervals, as they are edited."""
    if not view.event.signals:
        return []
    signal = view.event.signals[0]
    _, factor = base_unit(typed_unit(signal.name, signal.type, signal.unit))
    return [Interval(interval.duration, interval.value / factor) for interval in signal.intervals]
