"""Faults of devices and of the wire to them: what goes wrong, from when to when, and how badly.

A `FaultBook` holds those of one site. They lie between physics and protocol: a stuck sensor changes what is told, not
what flows. Set by hand or scripted ahead, they say nothing to the energy manager, which has to find out by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class FaultKind(StrEnum):
    """What can go wrong."""

    COMM_LOSS = "communication lost"
    """Nothing goes over the wire; the device goes on as told until it notices, then by itself."""
    DISCONNECT = "disconnected"
    """The session ends at once and without a word."""
    OFFLINE = "no power"
    """It draws and gives nothing and says nothing; its state is kept."""
    STUCK = "reading stuck"
    GAIN = "reading off"
    """Readings are ``size`` too high, as a share."""
    SPIKES = "reading spikes"
    """One reading in ten is off by ``size`` W, up or down."""
    NAN = "reading is no number"
    CLOCK = "clock off"
    """Its clock is ``size`` s ahead (or behind, negative)."""
    REFUSES = "refuses commands"
    IGNORES = "accepts and does nothing"
    PARTIAL = "does a part"
    """Does ``size`` of what it is told, as a share."""
    OVERRIDE = "run by its user"
    """Its user has taken it over: it goes by itself and refuses."""
    UNPLUG = "unplugged"
    """The car is gone at once; over at once as well."""
    LATE = "messages late"
    """By ``size`` s, either way."""
    DUPLICATED = "messages twice"
    REORDERED = "messages out of order"
    CORRUPT = "messages damaged"
    """One in ``size``."""
    POWER_CUT = "power cut"
    """Of the whole site: named with an empty device."""


SIZES: dict[FaultKind, tuple[float, float, float]] = {
    FaultKind.GAIN: (0.10, -1.0, 10.0),
    FaultKind.SPIKES: (5_000.0, 1.0, 1e6),
    FaultKind.CLOCK: (3_600.0, -86_400.0, 86_400.0),
    FaultKind.PARTIAL: (0.5, 0.0, 1.0),
    FaultKind.LATE: (3.0, 0.1, 600.0),
    FaultKind.CORRUPT: (5.0, 1.0, 1e6),
}
"""Usual, least and greatest size of those that have one."""


class FaultRefused(ValueError):
    """Not a fault that can be; the text says why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong for a while."""

    kind: FaultKind
    device: str
    start: datetime
    end: datetime | None = None
    """Exclusive; None is until it is mended by hand."""
    size: float | None = None
    """See `FaultKind`; None is the usual one."""

    @property
    def amount(self) -> float:
        return SIZES[self.kind][0] if self.size is None else self.size

    def runs(self, now: datetime) -> bool:
        return self.start <= now and (self.end is None or now < self.end)


class FaultBook:
    """The faults of one site, past ones forgotten."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._present: dict[str, dict[FaultKind, Fault]] = {}
        self._valid_until: datetime | None = None
        self._looked: datetime | None = None
        self.dark: frozenset[str] = frozenset()
        """Devices that a power cut leaves without power; set by the site."""

    def add(self, fault: Fault) -> None:
        """Make it happen; one of the same kind at the same device and overlapping time is replaced.

        Raises
        ------
        FaultRefused
            A size out of range or without meaning, an end before its start, a power cut of a device.
        """
        if fault.end is not None and fault.end <= fault.start:
            raise FaultRefused(f"“{fault.kind}” would end before it begins.")
        if (fault.kind is FaultKind.POWER_CUT) == bool(fault.device):
            raise FaultRefused(f"“{fault.kind}” {'is of the whole site' if fault.device else 'needs a device'}.")
        if fault.size is not None:
            if fault.kind not in SIZES:
                raise FaultRefused(f"“{fault.kind}” has no size.")
            _, least, most = SIZES[fault.kind]
            if not least <= fault.size <= most:
                raise FaultRefused(f"“{fault.kind}” has a size of {least:g} to {most:g}, not {fault.size:g}.")
        self._faults = [one for one in self._faults if not _same(one, fault)]
        self._faults.append(fault)
        self._valid_until = self._looked = None

    def mend(self, device: str, now: datetime, kind: FaultKind | None = None) -> None:
        """End what is wrong with a device (``""`` is the site), all of it or one kind."""
        kept: list[Fault] = []
        for one in self._faults:
            meant = one.device == device and kind in (None, one.kind)
            if not meant:
                kept.append(one)
            elif one.start < now:
                kept.append(replace(one, end=now if one.end is None else min(one.end, now)))
        self._faults = kept
        self._valid_until = self._looked = None

    def of(self, device: str, now: datetime) -> dict[FaultKind, Fault]:
        """What is wrong with a device now."""
        if self._looked is None or now < self._looked or (self._valid_until is not None and now >= self._valid_until):
            self._look(now)
        present = self._present.get(device, _NONE)
        if device in self.dark:
            return {**present, FaultKind.OFFLINE: Fault(FaultKind.OFFLINE, device, now)}
        return present

    def all(self) -> tuple[Fault, ...]:
        return tuple(self._faults)

    def __bool__(self) -> bool:
        return bool(self._faults)

    def _look(self, now: datetime) -> None:
        self._looked = now
        self._present = {}
        for fault in self._faults:
            if fault.runs(now):
                self._present.setdefault(fault.device, {})[fault.kind] = fault
        changes = [at for one in self._faults for at in (one.start, one.end) if at is not None and at > now]
        self._valid_until = min(changes, default=None)


_NONE: dict[FaultKind, Fault] = {}


def _same(one: Fault, other: Fault) -> bool:
    if one.device != other.device or one.kind is not other.kind:
        return False
    return (one.end is None or other.start < one.end) and (other.end is None or one.start < other.end)


def script(device: str, kinds: Iterable[FaultKind], start: datetime, lasting: timedelta) -> list[Fault]:
    """Faults one after another, each of the same length."""
    return [Fault(kind, device, start + n * lasting, start + (n + 1) * lasting) for n, kind in enumerate(kinds)]
