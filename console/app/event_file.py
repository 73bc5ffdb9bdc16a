"""Event files and files of known VENs: the TOML that ``nodebench vtn --event FILE`` and ``--known FILE`` read.

An event file::

    market_context = "http://example.com/programme"
    start = "+10s"                 # from when the VTN is ready, or a date-time
    duration = "1h"
    signal = "LOAD_DISPATCH"
    type = "setpoint"
    unit = "kW"
    priority = 1
    response_required = "always"
    notification = "5m"

    [[interval]]
    duration = "30m"
    value = 7

    [target]
    ven_id = ["ven-7"]
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from console.app.durations import ALLOWED, parse_duration
from console.app.toml_file import FileError, line_of, read_toml, unknown_keys
from console.openadr.commands import EventDraft

_KEYS = (
    "market_context", "start", "duration", "signal", "type", "unit", "priority", "response_required", "notification",
    "ramp_up", "recovery", "tolerance", "test_event", "comment", "interval", "target",
)  # fmt: skip

_PREFIX = {"": 1.0, "k": 1e3, "M": 1e6, "m": 1e-3}
_POWER = ("W", "VA", "VAR")
_ENERGY = ("Wh", "VAh", "VARh")

_TYPES: dict[str, dict[str, str]] = {
    "SIMPLE": {"level": "none"},
    "ELECTRICITY_PRICE": {"price": "per energy", "priceRelative": "per energy", "priceMultiplier": "none"},
    "ENERGY_PRICE": {"price": "per energy", "priceRelative": "per energy", "priceMultiplier": "none"},
    "LOAD_DISPATCH": {"setpoint": "power", "delta": "power", "multiplier": "none", "level": "power"},
    "CHARGE_STATE": {"setpoint": "energy", "delta": "energy", "multiplier": "none"},
    "LOAD_CONTROL": {
        "x-loadControlCapacity": "none", "x-loadControlLevelOffset": "none",
        "x-loadControlPercentOffset": "none", "x-loadControlSetpoint": "none",
    },
}  # fmt: skip
"""Signals and types of rule 104 that a file may ask for, with the kind of unit each wants."""


def signal_kinds(signal: str) -> dict[str, str]:
    """Types a signal may have, each with the kind of unit it wants; empty for a signal that is not known."""
    return dict(_TYPES.get(signal, {}))


@dataclass(frozen=True, slots=True)
class EventFile:
    """One event as written; :meth:`draft` lays it on the time axis."""

    file: Path
    draft_at_zero: EventDraft
    """``start`` is meaningless where ``offset`` is set."""
    offset: timedelta | None
    """From when the VTN is ready; None where the file names an instant."""
    digest: str
    """Of the file's text: the same file is issued once to a store."""

    def draft(self, ready: datetime) -> EventDraft:
        """The draft with its dtstart; whole seconds, since the standard's times have no fractions (rule 1)."""
        if self.offset is None:
            return self.draft_at_zero
        return replace(self.draft_at_zero, start=(ready + self.offset).replace(microsecond=0))


def scaled(unit: str) -> tuple[str, float]:
    """Base unit and factor of ``kW``, ``MWh``, ``EUR/kWh``: (``W``, 1000.0)."""
    if "/" in unit:
        return unit, 1.0
    for base in sorted((*_POWER, *_ENERGY), key=len, reverse=True):
        if unit.endswith(base) and unit[: -len(base)] in _PREFIX:
            return base, _PREFIX[unit[: -len(base)]]
    raise ValueError(unit)


def check_unit(kind: str, unit: str | None) -> tuple[str | None, float]:
    """Base unit and factor for a signal that wants ``kind`` of unit.

    Raises
    ------
    ValueError
        With what is allowed as its text.
    """
    if kind == "none":
        if unit:
            raise ValueError("this signal has no unit: leave it out.")
        return None, 1.0
    wanted = {
        "power": "W, kW, MW, VA or VAR",
        "energy": "Wh, kWh, MWh, VAh or VARh",
        "per energy": "a currency per kWh, e.g. EUR/kWh",
    }[kind]
    if not unit:
        raise ValueError(f"a unit is needed: {wanted}.")
    try:
        base, factor = scaled(unit)
    except ValueError:
        raise ValueError(f"allowed: {wanted}.") from None
    right = {
        "power": base in _POWER,
        "energy": base in _ENERGY,
        "per energy": base.endswith("/kWh") and len(base) == 7 and base[:3].isupper(),
    }[kind]
    if not right:
        raise ValueError(f"allowed: {wanted}.")
    return base, factor


def read_event_file(file: Path) -> EventFile:
    """Read and check an event file.

    Raises
    ------
    FileError
        One message: file, line, what is wrong, what is allowed.
    """
    table, text = read_toml(file)
    unknown_keys(file, text, table, _KEYS, ())
    reader = _Reader(file, text, table)
    signal = reader.choice("signal", tuple(_TYPES), "SIMPLE")
    types = _TYPES[signal]
    signal_type = reader.choice("type", tuple(types), next(iter(types)))
    try:
        unit, factor = check_unit(types[signal_type], reader.text("unit", ""))
    except ValueError as error:
        raise reader.error(
            "unit", f"the unit '{table.get('unit', '')}' does not fit {signal}/{signal_type};", str(error)
        ) from None
    start, offset = reader.start()
    intervals = reader.intervals(factor)
    total = sum((duration for duration, _ in intervals), timedelta())
    if "duration" in table and reader.duration("duration") != total:
        raise reader.error("duration", f"the intervals last {total}, the event {reader.duration('duration')}.",
                           "Make them equal or leave the duration out (rule 8).")  # fmt: skip
    if signal == "SIMPLE" and any(value not in (0, 1, 2, 3) for _, value in intervals):
        raise reader.error("interval", "a SIMPLE level is 0, 1, 2 or 3 (rule 9).")
    draft = EventDraft(
        signal_name=signal,
        signal_type=signal_type,
        unit=unit,
        start=start,
        intervals=intervals,
        market_context=reader.text("market_context", "http://nodebench.example/lab"),
        priority=reader.whole("priority", 0),
        response_required=reader.choice("response_required", ("always", "never"), "always"),
        notification=reader.duration("notification") or timedelta(),
        ramp_up=reader.duration("ramp_up"),
        recovery=reader.duration("recovery"),
        start_after=reader.duration("tolerance"),
        test_event=bool(table.get("test_event", False)),
        vtn_comment=reader.text("comment", ""),
        ven_ids=reader.target(),
    )
    return EventFile(file, draft, offset, hashlib.sha256(text.encode()).hexdigest())


class _Reader:
    """Typed access to the keys of one parsed file, with errors that name the line."""

    def __init__(self, file: Path, text: str, table: dict[str, Any]) -> None:
        self.file, self.source, self.table = file, text, table

    def error(self, key: str, problem: str, allowed: str = "", *at: str | int) -> FileError:
        return FileError(self.file, problem, allowed, line_of(self.source, at or (key,)))

    def text(self, key: str, default: str) -> str:
        value = self.table.get(key, default)
        if not isinstance(value, str):
            raise self.error(key, f"'{key}' has to be a text in quotes, not {value!r}.")
        return value

    def choice(self, key: str, allowed: Sequence[str], default: str) -> str:
        value = self.text(key, default)
        if value not in allowed:
            raise self.error(key, f"{key} '{value}' is not known.", f"Allowed: {', '.join(allowed)}.")
        return value

    def whole(self, key: str, default: int) -> int:
        value = self.table.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**32:
            raise self.error(key, f"'{key}' has to be a whole number from 0, not {value!r}.")
        return value

    def duration(self, key: str, table: dict[str, Any] | None = None, *at: str | int) -> timedelta | None:
        value = (self.table if table is None else table).get(key)
        if value is None:
            return None
        try:
            return parse_duration(value)
        except ValueError as error:
            raise self.error(key, f"{key}: {error}.", "", *at) from None

    def start(self) -> tuple[datetime, timedelta | None]:
        value = self.table.get("start", "+10s")
        if isinstance(value, datetime):
            return _utc(value), None
        if isinstance(value, str) and value.lstrip().startswith("+"):
            try:
                return datetime.min.replace(tzinfo=UTC), parse_duration(value.strip()[1:])
            except ValueError as error:
                raise self.error("start", f"start: {error}.") from None
        try:
            return _utc(datetime.fromisoformat(str(value))), None
        except ValueError:
            kind = "a day without a time" if isinstance(value, date) else f"'{value}'"
            raise self.error("start", f"start is {kind}.", 'Allowed: "+10s" from when the VTN is ready, or a '
                             'date-time such as 2026-06-16T10:30:00Z.') from None  # fmt: skip

    def intervals(self, factor: float) -> tuple[tuple[timedelta, float], ...]:
        rows = self.table.get("interval", [])
        if not isinstance(rows, list) or not rows:
            raise self.error(
                "interval", "an event needs at least one [[interval]].", "Each has a duration and a value."
            )
        result: list[tuple[timedelta, float]] = []
        for index, row in enumerate(rows):
            unknown_keys(self.file, self.source, row, ("duration", "value"), ("interval", index))
            value = row.get("value")
            if not isinstance(value, int | float) or isinstance(value, bool):
                raise self.error("interval", f"interval {index} needs a number as its value, not {value!r}.", "",
                                 "interval", index, "value")  # fmt: skip
            duration = self.duration("duration", row, "interval", index, "duration")
            if duration is None and len(rows) == 1:
                duration = self.duration("duration")
            if duration is None:
                raise self.error("interval", f"interval {index} needs a duration.", f"Write {ALLOWED}.",
                                 "interval", index)  # fmt: skip
            result.append((duration, value * factor))
        return tuple(result)

    def target(self) -> tuple[str, ...]:
        target = self.table.get("target", {})
        unknown_keys(self.file, self.source, target, ("ven_id",), ("target",))
        wanted = target.get("ven_id", [])
        if isinstance(wanted, str):
            wanted = [wanted]
        if not all(isinstance(value, str) for value in wanted):
            raise self.error("target", "ven_id has to be a text or a list of texts.", "", "target", "ven_id")
        return tuple(wanted)


def _utc(value: datetime) -> datetime:
    """A time without a zone is meant as local time of the machine, as people write it."""
    return value.astimezone(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class KnownVen:
    """A VEN the VTN expects (``--known FILE``)."""

    name: str
    ven_id: str
    registration_id: str = ""
    fingerprint: str = ""


def read_known_file(file: Path) -> tuple[KnownVen, ...]:
    """Read ``[[ven]] name, ven_id, registration_id?, fingerprint?``.

    Raises
    ------
    FileError
        One message: file, line, what is wrong, what is allowed.
    """
    table, text = read_toml(file)
    unknown_keys(file, text, table, ("ven",), ())
    rows = table.get("ven", [])
    if not isinstance(rows, list) or not rows:
        raise FileError(file, "no VEN is listed.", "Write one [[ven]] table with name and ven_id for each.")
    known: list[KnownVen] = []
    for index, row in enumerate(rows):
        keys = ("name", "ven_id", "registration_id", "fingerprint")
        unknown_keys(file, text, row, keys, ("ven", index))
        for key in ("name", "ven_id"):
            if not isinstance(row.get(key), str) or not row[key]:
                raise FileError(file, f"VEN {index + 1} needs a {key}.", line=line_of(text, ("ven", index)))
        if any(row["ven_id"] == ven.ven_id for ven in known):
            raise FileError(file, f"ven_id '{row['ven_id']}' stands twice; it has to be unique (rule 70).",
                            line=line_of(text, ("ven", index, "ven_id")))  # fmt: skip
        known.append(KnownVen(**{key: str(row.get(key, "")) for key in keys}))
    return tuple(known)
