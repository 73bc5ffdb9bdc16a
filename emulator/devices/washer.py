"""A washing machine with a programme loaded: starts when told, pauses where its programme allows, always gets done.

Its user gives a window. Told nothing, it starts by itself at the last moment that still ends in the window, so laundry
is done when the energy manager is dead.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum

from emulator.cem.ports import DeviceSnapshot
from emulator.devices.device import CommandRefused, clock, minutes
from emulator.physics import washer
from emulator.physics.values import SECONDS_PER_HOUR
from emulator.physics.washer import COTTON_40, Phase


class WasherState(StrEnum):
    IDLE = "idle"
    """Nothing loaded."""
    ARMED = "armed"
    """Loaded, may start within its window."""
    SCHEDULED = "scheduled"
    """Will start at a time it was told."""
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class WasherConfig:
    name: str
    programme: tuple[Phase, ...] = COTTON_40
    loaded: bool = True
    earliest_start: time | None = None
    """Local time of day; None is the start of the site."""
    ready_by: time | None = None
    """Local time of day; None is 12 h after the earliest start."""
    standby_w: float = 1.0
    max_pause_s: float = 600.0
    max_pauses: int = 2


class Washer:
    """S2: PPBC, one sequence of ``phases`` in one container, start between ``earliest_start`` and ``latest_start``."""

    kind = "washer"

    def __init__(
        self,
        config: WasherConfig,
        earliest_start: datetime | None = None,
        latest_end: datetime | None = None,
        zone: tzinfo = UTC,
    ) -> None:
        """``zone`` is that of times told to people."""
        self.config = config
        self.name = config.name
        self.phases: tuple[Phase, ...] = config.programme
        self.duration_s = washer.duration(config.programme)
        self.state = WasherState.IDLE
        self.earliest_start: datetime | None = None
        self.latest_end: datetime | None = None
        self.scheduled_start: datetime | None = None
        """As told; None while nobody told."""
        self.started_at: datetime | None = None
        self.finished_at: datetime | None = None
        self.elapsed_s = 0.0
        """Of the programme; stands still in a pause."""
        self.pauses_left = config.max_pauses
        self.paused_s = 0.0
        """Of the present pause."""
        self.pause_requested = False
        self.power_w = 0.0
        self._zone = zone
        self._failsafe = False
        self._paused_here: float | None = None
        if config.loaded and earliest_start is not None:
            self.load(earliest_start, latest_end)

    @property
    def latest_start(self) -> datetime | None:
        """The last start that ends in the window, pauses aside; it starts then by itself."""
        if self.latest_end is None or self.earliest_start is None:
            return None
        return max(self.latest_end - timedelta(seconds=self.duration_s), self.earliest_start)

    @property
    def remaining_s(self) -> float:
        """Programme time still to run."""
        return 0.0 if self.state in (WasherState.IDLE, WasherState.DONE) else self.duration_s - self.elapsed_s

    @property
    def phase(self) -> Phase | None:
        """The one running, or waited before."""
        if self.state not in (WasherState.RUNNING, WasherState.PAUSED):
            return None
        number = washer.phase_at(self.phases, self.elapsed_s)
        return self.phases[number] if number < len(self.phases) else None

    @property
    def next_pause_s(self) -> float | None:
        """Programme seconds until it may next pause; None when it may not any more in this run."""
        if self.state is not WasherState.RUNNING or self.pauses_left == 0:
            return None
        edge = washer.next_pause(self.phases, self.elapsed_s if self._paused_here is None else self.elapsed_s + 1e-6)
        return None if edge is None else edge - self.elapsed_s

    def load(self, earliest_start: datetime, latest_end: datetime | None = None) -> None:
        """The user fills it, picks the programme and says until when."""
        self.earliest_start = earliest_start
        self.latest_end = latest_end or earliest_start + timedelta(hours=12)
        self.scheduled_start = self.started_at = self.finished_at = None
        self.elapsed_s = self.paused_s = 0.0
        self.pauses_left = self.config.max_pauses
        self.pause_requested = self._failsafe = False
        self._paused_here = None
        self.state = WasherState.ARMED

    def schedule(self, start: datetime) -> None:
        """Start then; a later call moves it, as long as it has not started.

        Raises
        ------
        CommandRefused
            Nothing is waiting to start, or the start is outside the window.
        """
        if self.state not in (WasherState.ARMED, WasherState.SCHEDULED):
            raise CommandRefused(f"It is {self.state} and cannot be scheduled.")
        assert self.earliest_start is not None and self.latest_start is not None
        if not self.earliest_start <= start <= self.latest_start:
            raise CommandRefused(
                f"Start {clock(start, self._zone)} is outside "
                f"{clock(self.earliest_start, self._zone)} … {clock(self.latest_start, self._zone)}."
            )
        self.scheduled_start = start
        self.state = WasherState.SCHEDULED

    def unschedule(self) -> None:
        """Forget the start it was told; it waits in its window again."""
        if self.state is WasherState.SCHEDULED:
            self.scheduled_start = None
            self.state = WasherState.ARMED

    def pause(self) -> None:
        """Wait before the next phase that allows it, for ``max_pause_s`` at most.

        Raises
        ------
        CommandRefused
            It does not run, has used its pauses, or no phase to come may be waited before.
        """
        if self.state is WasherState.PAUSED or self.pause_requested:
            return
        if self.state is not WasherState.RUNNING:
            raise CommandRefused(f"It is {self.state} and cannot pause.")
        if self.next_pause_s is None:
            raise CommandRefused("It may not pause any more in this run.")
        self.pause_requested = True

    def resume(self) -> None:
        """Go on; a pause asked for and not yet begun is forgotten."""
        self.pause_requested = False
        if self.state is WasherState.PAUSED:
            self.state = WasherState.RUNNING

    def step(self, now: datetime, dt_s: float) -> None:
        done_s, energy_wh = 0.0, 0.0
        while dt_s - done_s > 1e-9:
            span, taken = self._advance(now + timedelta(seconds=done_s), dt_s - done_s)
            done_s += span
            energy_wh += taken
        self.power_w = energy_wh * SECONDS_PER_HOUR / dt_s

    def _advance(self, now: datetime, left_s: float) -> tuple[float, float]:
        """Go on to the next edge of state or the end of the step: seconds gone, Wh taken."""
        match self.state:
            case WasherState.IDLE | WasherState.DONE:
                span = left_s
            case WasherState.ARMED | WasherState.SCHEDULED:
                span = self._wait(now, left_s)
            case WasherState.PAUSED:
                span = min(left_s, self.config.max_pause_s - self.paused_s)
                self.paused_s += span
                if self.paused_s >= self.config.max_pause_s:
                    self.resume()
            case WasherState.RUNNING:
                return self._run(now, left_s)
        return span, self.config.standby_w * span / SECONDS_PER_HOUR

    def _wait(self, now: datetime, left_s: float) -> float:
        assert self.latest_start is not None
        start = self.scheduled_start or self.latest_start
        to_start = (start - now).total_seconds()
        if to_start > left_s:
            return left_s
        self._failsafe = self.scheduled_start is None
        self.state = WasherState.RUNNING
        self.started_at = max(start, now)
        return max(to_start, 0.0)

    def _run(self, now: datetime, left_s: float) -> tuple[float, float]:
        begin = self.elapsed_s
        to_pause = self.next_pause_s if self.pause_requested else None
        if to_pause is not None and to_pause <= 0.0:
            self.state, self.pause_requested = WasherState.PAUSED, False
            self.pauses_left -= 1
            self.paused_s = 0.0
            self._paused_here = begin
            return 0.0, 0.0
        span = min(left_s, self.duration_s - begin, *([] if to_pause is None else [to_pause]))
        self.elapsed_s += span
        if span > 0.0:
            self._paused_here = None
        if self.elapsed_s >= self.duration_s - 1e-9:
            self.state = WasherState.DONE
            self.finished_at = now + timedelta(seconds=span)
        return span, float(washer.energy(self.phases, begin, self.elapsed_s))

    def _words(self) -> str:
        phase = self.phase
        if self.state is WasherState.RUNNING and phase is not None:
            return f"{phase.name}, {minutes(self.remaining_s)} left"
        return self.state.value

    def reason(self) -> str:
        if self.state is WasherState.ARMED and self.latest_start is not None:
            return f"Waits for a start; starts by itself at {clock(self.latest_start, self._zone)}."
        if self.state is WasherState.RUNNING and self._failsafe:
            return "Started by itself: nobody scheduled it and its window closes."
        return ""

    def snapshot(self) -> DeviceSnapshot:
        facts = [("Programme", f"{minutes(self.duration_s)}, {self._programme_wh():.0f} Wh")]
        start = self.scheduled_start or self.latest_start
        if self.state in (WasherState.ARMED, WasherState.SCHEDULED) and start is not None:
            label = "Starts" if self.state is WasherState.SCHEDULED else "Starts at the latest"
            facts.append((label, clock(start, self._zone)))
        if self.latest_end is not None:
            facts.append(("Ready by", clock(self.latest_end, self._zone)))
        return DeviceSnapshot(
            name=self.name,
            kind=self.kind,
            power_w=self.power_w,
            state=self._words(),
            max_w=max(phase.power_w for phase in self.phases),
            facts=tuple(facts),
        )

    def _programme_wh(self) -> float:
        return float(washer.energy(self.phases, 0.0, self.duration_s))
