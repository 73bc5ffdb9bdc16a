"""From grid signals to the band the site's net power has to stay in now.

Levels of SIMPLE become bounds: 2 is half of what the site drew when the event began, but never under what must run; 3
is what must run, and an emergency. More important signals are laid down first (abnormal, then OpenADR priority 1, 2, …,
0 last); a later one narrows the band but never contradicts an earlier one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from emulator.cem.ports import GridSignal, LevelSignal, LightState, LimitInForce, LimitSignal

BASELINE_SPAN = timedelta(minutes=15)
"""The baseline of a level is the mean net power over this long before its event."""


@dataclass(frozen=True, slots=True)
class Bound:
    """One side of the band, and where it comes from."""

    watts: float
    source: str
    until: datetime | None
    level: int = 0
    """Of SIMPLE; 0 where a limit was given in W."""


@dataclass(frozen=True, slots=True)
class Band:
    """Where the net power has to be, who says so, and how serious it is."""

    upper: Bound | None = None
    lower: Bound | None = None
    abnormal: bool = False
    emergency: Bound | None = None
    """SIMPLE 3: everything that can be shed is shed."""
    saving: Bound | None = None
    """SIMPLE 1 or above: comfort that costs nothing is given up."""
    devices: tuple[tuple[str, Bound | None, Bound | None], ...] = ()
    """Limits for single devices: name, upper, lower."""

    def of(self, device: str) -> tuple[Bound | None, Bound | None]:
        """Upper and lower bound of one device."""
        return next(((upper, lower) for name, upper, lower in self.devices if name == device), (None, None))

    @property
    def light(self) -> LightState:
        if self.abnormal:
            return LightState.RED
        limited = self.upper or self.lower or self.saving or self.devices
        return LightState.YELLOW if limited else LightState.GREEN

    @property
    def in_force(self) -> LimitInForce | None:
        """The limit on the site for the snapshot; the upper bound names it where there are both."""
        named = self.upper or self.lower
        if named is None:
            return None
        return LimitInForce(
            upper_w=self.upper.watts if self.upper else None,
            lower_w=self.lower.watts if self.lower else None,
            source=named.source,
            until=named.until,
        )


class Baselines:
    """What the site drew before each level event began: measured, then frozen for the length of the event."""

    def __init__(self) -> None:
        self._measured: deque[tuple[datetime, float]] = deque()
        self._frozen: dict[tuple[str, datetime], float] = {}

    def measure(self, now: datetime, net_w: float) -> None:
        self._measured.append((now, net_w))
        while now - self._measured[0][0] > BASELINE_SPAN:
            self._measured.popleft()

    def mean(self, present_w: float) -> float:
        """Mean net power over what is remembered; ``present_w`` where that is nothing. [W]"""
        return sum(net for _, net in self._measured) / len(self._measured) if self._measured else present_w

    def of(self, signal: GridSignal, now: datetime) -> float:
        """Mean net power before the signal began; the present one where nothing was measured before. [W]"""
        event = (signal.source, signal.start)
        if event not in self._frozen:
            before = [net for at, net in self._measured if at <= signal.start] or [n for _, n in self._measured]
            self._frozen[event] = sum(before) / len(before) if before else 0.0
        return self._frozen[event]

    def keep_only(self, signals: Iterable[GridSignal]) -> None:
        """Forget the baselines of events that are gone."""
        present = {(signal.source, signal.start) for signal in signals}
        self._frozen = {event: value for event, value in self._frozen.items() if event in present}


def active(signals: Sequence[GridSignal], now: datetime) -> list[GridSignal]:
    """Signals in force, the most important first; tests are left out."""
    return ranked(s for s in signals if not s.test and s.start <= now and (s.end is None or now < s.end))


def ranked(signals: Iterable[GridSignal]) -> list[GridSignal]:
    """The most important first: abnormal, then OpenADR priority 1, 2, …, 0 last, then the earlier."""
    return sorted(signals, key=lambda s: (not s.abnormal, s.priority or 1_000_000, s.start))


def band(signals: Sequence[GridSignal], now: datetime, must_run_w: float, baselines: Baselines) -> Band:
    """The band in force.

    ``must_run_w`` is the consumption nobody can shed now, in W.
    """
    result = Band()
    for signal in active(signals, now):
        if isinstance(signal, LimitSignal):
            result = _limited(result, signal)
        elif isinstance(signal, LevelSignal):
            result = _levelled(result, signal, now, must_run_w, baselines)
    return result


def _limited(band: Band, signal: LimitSignal) -> Band:
    band = replace(band, abnormal=band.abnormal or signal.abnormal)
    upper = None if signal.upper_w is None else Bound(signal.upper_w, signal.source, signal.end)
    lower = None if signal.lower_w is None else Bound(signal.lower_w, signal.source, signal.end)
    if signal.device:
        had_upper, had_lower = band.of(signal.device)
        others = tuple(entry for entry in band.devices if entry[0] != signal.device)
        narrowed = (signal.device, _lowest(had_upper, upper), _highest(had_lower, lower))
        return replace(band, devices=(*others, narrowed))
    # Clip to the side that a more important signal has already set.
    if upper and band.lower and upper.watts < band.lower.watts:
        upper = replace(upper, watts=band.lower.watts)
    if lower and band.upper and lower.watts > band.upper.watts:
        lower = replace(lower, watts=band.upper.watts)
    return replace(band, upper=_lowest(band.upper, upper), lower=_highest(band.lower, lower))


def _levelled(band: Band, signal: LevelSignal, now: datetime, must_run_w: float, baselines: Baselines) -> Band:
    if signal.level <= 0:
        return band
    bound = Bound(round(must_run_w), signal.source, signal.end, signal.level)
    band = replace(band, saving=band.saving or bound, abnormal=band.abnormal or signal.abnormal)
    if signal.level == 1:
        return band
    if signal.level == 2:
        bound = replace(bound, watts=round(max(must_run_w, baselines.of(signal, now) / 2.0)))
    else:
        band = replace(band, abnormal=True, emergency=band.emergency or bound)
    if band.lower and bound.watts < band.lower.watts:
        bound = replace(bound, watts=band.lower.watts)
    return replace(band, upper=_lowest(band.upper, bound))


def _lowest(one: Bound | None, other: Bound | None) -> Bound | None:
    return min((b for b in (one, other) if b is not None), key=lambda b: b.watts, default=None)


def _highest(one: Bound | None, other: Bound | None) -> Bound | None:
    return max((b for b in (one, other) if b is not None), key=lambda b: b.watts, default=None)
