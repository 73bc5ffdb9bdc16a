"""A scenario file: what happens when, and what has to be true then.

::

    id = "JWG15"
    title = "Manage in-premises battery system"
    story = "The grid side asks for power from one battery."
    site = "house.toml"             # beside this file; left out: the demo house
    start = "2026-06-16T17:30"      # local time at the house
    duration = "30m"

    [[act]]
    at = "1m"
    do = "issue"
    event = "e-1"
    signal = "LOAD_DISPATCH"
    type = "setpoint"
    unit = "kW"
    starts_in = "1m"
    lasts = "10m"
    value = 2

    [[expect]]
    at = "2m"
    within = "30s"
    that = "site power < 2.2 kW"

Times are from the start of the scenario, on its own clock. Every mistake is one FileError with its line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from console.app.durations import parse_duration
from console.app.event_file import check_unit, signal_kinds
from console.app.scenario.claims import Claim, ClaimError, parse_claim
from console.app.toml_file import FileError, line_of, read_toml, unknown_keys

_TOP = ("id", "title", "story", "sources", "site", "start", "duration", "seed", "act", "expect")
_ACTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "issue": (("event", "signal", "value"), ("type", "unit", "starts_in", "lasts", "priority", "test", "notification")),
    "modify": (("event", "value"), ("lasts",)),
    "cancel": (("event",), ()),
    "plug": (("device", "soc"), ("target",)),
    "unplug": (("device",), ()),
    "load": (("device",), ("ready_in",)),
    "lose vtn": ((), ()),
    "return vtn": ((), ()),
}
"""What can be done: (keys it needs, keys it may have) beside ``at`` and ``do``."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that happens at an instant."""

    at: timedelta
    do: str
    line: int
    event: str = ""
    device: str = ""
    signal: str = ""
    signal_type: str = ""
    unit: str | None = None
    values: tuple[float, ...] = ()
    """One for each equal part of ``lasts``, in base units."""
    starts_in: timedelta = timedelta(0)
    lasts: timedelta = timedelta(hours=1)
    notification: timedelta = timedelta(0)
    priority: int = 0
    test: bool = False
    soc: float = 0.5
    target: float | None = None
    ready_in: timedelta | None = None

    @property
    def words(self) -> str:
        """For people: ``issue e-1: LOAD_DISPATCH 2000``."""
        about = self.event or self.device
        what = f": {self.signal} {', '.join(f'{value:g}' for value in self.values)}" if self.signal else ""
        return f"{self.do} {about}{what}".rstrip()


@dataclass(frozen=True, slots=True)
class Expectation:
    """Something that has to be true at ``at``, or become true before ``at + within``, and then stay so ``lasting``."""

    at: timedelta
    within: timedelta
    lasting: timedelta
    claim: Claim
    line: int


@dataclass(frozen=True, slots=True)
class Script:
    """A scenario as written."""

    file: Path
    id: str
    title: str
    story: str
    site: Path | None
    """None is the demo house."""
    start: datetime
    """Local time at the house, without a zone."""
    duration: timedelta
    seed: int
    acts: tuple[Act, ...] = field(default=())
    expectations: tuple[Expectation, ...] = field(default=())


def read_script(file: Path) -> Script:
    """Read and check a scenario file.

    Raises
    ------
    FileError
        One message: file, line, what is wrong, what is allowed.
    """
    table, text = read_toml(file)
    return _Reader(file, table, text).script()


class _Reader:
    def __init__(self, file: Path, table: dict[str, Any], text: str) -> None:
        self.file, self.table, self.source = file, table, text

    def wrong(self, problem: str, allowed: str = "", *at: str | int) -> FileError:
        return FileError(self.file, problem, allowed, line_of(self.source, at))

    def script(self) -> Script:
        unknown_keys(self.file, self.source, self.table, _TOP, ())
        site = self.table.get("site")
        if site is not None and not isinstance(site, str):
            raise self.wrong("site has to be the name of a file.", "", "site")
        script = Script(
            file=self.file,
            id=self.text(self.table, "id"),
            title=self.text(self.table, "title"),
            story=str(self.table.get("story", "")),
            site=self.file.parent / site if site else None,
            start=self.start(),
            duration=self.span(self.table, "duration", "duration"),
            seed=int(self.table.get("seed", 0)),
            acts=tuple(sorted(self.acts(), key=lambda act: act.at)),
            expectations=tuple(self.expectations()),
        )
        for number, act in enumerate(script.acts):
            if act.at > script.duration:
                raise self.wrong("an act lies after the end of the scenario.", "", "act", number, "at")
        return script

    def text(self, table: dict[str, Any], key: str, *at: str | int) -> str:
        value = table.get(key)
        if not isinstance(value, str) or not value:
            raise self.wrong(f"{key} is missing.", "It has to be a text in quotes.", *(at or (key,)))
        return value

    def start(self) -> datetime:
        value = self.table.get("start")
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                raise self.wrong(f"start '{value}' is no date and time.", "Write 2026-06-16T17:30.", "start") from None
        if not isinstance(value, datetime) or isinstance(value, date) and not isinstance(value, datetime):
            raise self.wrong("start is missing.", "Write the local time at the house: 2026-06-16T17:30.", "start")
        return value.replace(tzinfo=None)

    def span(self, table: dict[str, Any], key: str, *at: str | int, default: timedelta | None = None) -> timedelta:
        if key not in table and default is not None:
            return default
        try:
            return parse_duration(table.get(key, ""))
        except ValueError as error:
            raise self.wrong(f"{key}: {error}.", "", *at) from None

    def number(self, value: object, key: str, *at: str | int) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.wrong(f"{key} has to be a number, not {value!r}.", "", *at)
        return float(value)

    def acts(self) -> list[Act]:
        return [self.act(row, number) for number, row in enumerate(self.table.get("act", []))]

    def act(self, row: dict[str, Any], number: int) -> Act:
        place = ("act", number)
        do = self.text(row, "do", *place, "do")
        if do not in _ACTS:
            raise self.wrong(f"'{do}' cannot be done.", f"Allowed: {', '.join(_ACTS)}.", *place, "do")
        needed, optional = _ACTS[do]
        unknown_keys(self.file, self.source, row, ("at", "do", *needed, *optional), place)
        for key in needed:
            if key not in row:
                raise self.wrong(f"'{do}' needs {key}.", f"It takes {', '.join((*needed, *optional))}.", *place)
        signal, kind, unit, factor = self.signal(row, place) if do == "issue" else ("", "", None, 1.0)
        values = row.get("value", [])
        listed = values if isinstance(values, list) else [values]
        return Act(
            at=self.span(row, "at", *place, "at"),
            do=do,
            line=line_of(self.source, (*place, "do")),
            event=str(row.get("event", "")),
            device=str(row.get("device", "")),
            signal=signal,
            signal_type=kind,
            unit=unit,
            values=tuple(self.number(value, "value", *place, "value") * factor for value in listed),
            starts_in=self.span(row, "starts_in", *place, "starts_in", default=timedelta(0)),
            lasts=self.span(row, "lasts", *place, "lasts", default=timedelta(hours=1)),
            notification=self.span(row, "notification", *place, "notification", default=timedelta(0)),
            priority=int(self.number(row.get("priority", 0), "priority", *place, "priority")),
            test=bool(row.get("test", False)),
            soc=self.number(row.get("soc", 0.5), "soc", *place, "soc"),
            target=None if "target" not in row else self.number(row["target"], "target", *place, "target"),
            ready_in=None if "ready_in" not in row else self.span(row, "ready_in", *place, "ready_in"),
        )

    def signal(self, row: dict[str, Any], place: Sequence[str | int]) -> tuple[str, str, str | None, float]:
        name = self.text(row, "signal", *place, "signal")
        kinds = signal_kinds(name)
        if not kinds:
            raise self.wrong(f"signal '{name}' is not known.", "", *place, "signal")
        kind = str(row.get("type", next(iter(kinds))))
        if kind not in kinds:
            raise self.wrong(f"type '{kind}' is not known for {name}.", f"Allowed: {', '.join(kinds)}.", *place, "type")
        try:
            unit, factor = check_unit(kinds[kind], row.get("unit"))
        except ValueError as error:
            raise self.wrong(f"the unit does not fit {name}/{kind};", str(error), *place, "unit") from None
        return name, kind, unit, factor

    def expectations(self) -> list[Expectation]:
        return [self.expectation(row, number) for number, row in enumerate(self.table.get("expect", []))]

    def expectation(self, row: dict[str, Any], number: int) -> Expectation:
        place = ("expect", number)
        unknown_keys(self.file, self.source, row, ("at", "within", "for", "that"), place)
        try:
            claim = parse_claim(self.text(row, "that", *place, "that"))
        except ClaimError as error:
            raise self.wrong(str(error), error.allowed, *place, "that") from None
        return Expectation(
            at=self.span(row, "at", *place, "at"),
            within=self.span(row, "within", *place, "within", default=timedelta(0)),
            lasting=self.span(row, "for", *place, "for", default=timedelta(0)),
            claim=claim,
            line=line_of(self.source, (*place, "that")),
        )
