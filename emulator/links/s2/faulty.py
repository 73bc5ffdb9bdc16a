"""The faults of a device as its S2 session shows them: readings, refusals and a wire that loses, delays and damages.

`FaultyResource` stands before a device's resource manager, `FaultyLink` carries its messages; both look into the site's
`FaultBook` and are as their originals while there is nothing wrong.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from s2python.generated import gen_s2 as g

from emulator.devices import Battery, EvCharger, Washer, WasherState
from emulator.devices.device import CommandRefused, Device
from emulator.devices.faults import Fault, FaultBook, FaultKind
from emulator.links.s2.cem_session import CemSession
from emulator.links.s2.codec import IdSource
from emulator.links.s2.instructions import Instruction, Status
from emulator.links.s2.memory import MemoryLink, Trace, TracedMessage
from emulator.links.s2.rm_session import Draft, ResourceManager, RmSession
from emulator.links.s2.session import ControlType, State

NOTICES = timedelta(seconds=60)
"""Both ends believe in a silent wire for so long (S2 Connect pings every 50 s)."""
SPIKE_SHARE = 0.1
PAST = timedelta(seconds=60)
"""An execution time further back than this is refused by a device whose clock is off."""


class FaultyResource:
    """A resource manager as its faults let it be."""

    def __init__(self, inner: ResourceManager, device: Device, faults: FaultBook, seed: int) -> None:
        self.name = inner.name
        self.inner = inner
        self._device = device
        self._faults = faults
        self._random = random.Random(seed)
        self._stuck_w: float | None = None
        self._overridden = False

    def details(self) -> dict[str, object]:
        return self.inner.details()

    def describe(self, control_type: ControlType, now: datetime) -> Iterable[Draft]:
        return self.inner.describe(control_type, now)

    def report(self, now: datetime) -> Iterable[Draft]:
        wrong = self._wrong(now)
        if FaultKind.STUCK not in wrong:
            self._stuck_w = None
        for cls, fields in self.inner.report(now):
            yield cls, (self._misread(fields, wrong) if wrong and cls is g.PowerMeasurement else fields)

    def problem(self, instruction: Instruction, now: datetime) -> str | None:
        return self.inner.problem(instruction, now)

    def refusal(self, instruction: Instruction, now: datetime) -> str | None:
        wrong = self._wrong(now)
        if FaultKind.OVERRIDE in wrong:
            return "its user has taken it over"
        if FaultKind.REFUSES in wrong:
            return "it refuses all commands"
        if FaultKind.CLOCK in wrong and instruction.execution_time < now - PAST:
            return f"its time passed {(now - instruction.execution_time).total_seconds():.0f} s ago"
        return self.inner.refusal(instruction, now)

    def accept(self, instruction: Instruction, now: datetime) -> None:
        if FaultKind.IGNORES not in self._wrong(now):
            self.inner.accept(instruction, now)

    def begin(self, instruction: Instruction, now: datetime) -> None:
        wrong = self._wrong(now)
        if FaultKind.IGNORES in wrong:
            return
        self.inner.begin(instruction, now)
        if FaultKind.PARTIAL in wrong:
            self._lessen(wrong[FaultKind.PARTIAL].amount)

    def outcome(self, instruction: Instruction, now: datetime) -> tuple[Status, str] | None:
        return None if FaultKind.IGNORES in self._wrong(now) else self.inner.outcome(instruction, now)

    def keep_time(self, now: datetime) -> None:
        wrong = self._wrong(now)
        if FaultKind.OVERRIDE in wrong and not self._overridden:
            self.inner.release(now)
            self._start_by_hand(now)
        self._overridden = FaultKind.OVERRIDE in wrong
        self.inner.keep_time(now)

    def replaces(self, new: Instruction, old: Instruction) -> bool:
        return self.inner.replaces(new, old)

    def release(self, now: datetime) -> None:
        self.inner.release(now)

    def _wrong(self, now: datetime) -> dict[FaultKind, Fault]:
        clock = self._faults.of(self.name, now).get(FaultKind.CLOCK)
        return self._faults.of(self.name, now - timedelta(seconds=clock.amount) if clock else now)

    def _misread(self, fields: dict[str, object], wrong: dict[FaultKind, Fault]) -> dict[str, object]:
        values = fields["values"]
        assert isinstance(values, list)
        told = [value | {"value": self._reading(float(value["value"]), wrong)} for value in values]
        return fields | {"values": told}

    def _reading(self, power_w: float, wrong: dict[FaultKind, Fault]) -> float:
        if FaultKind.STUCK in wrong:
            self._stuck_w = power_w if self._stuck_w is None else self._stuck_w
            return self._stuck_w
        if FaultKind.NAN in wrong:
            return math.nan
        if FaultKind.GAIN in wrong:
            power_w *= 1.0 + wrong[FaultKind.GAIN].amount
        if FaultKind.SPIKES in wrong and self._random.random() < SPIKE_SHARE:
            power_w += self._random.choice((-1.0, 1.0)) * wrong[FaultKind.SPIKES].amount
        return power_w

    def _lessen(self, share: float) -> None:
        """Have the device do a part of what it was just told."""
        match self._device:
            case Battery(setpoint_w=float(told)) as battery:
                battery.set_power(told * share)
            case EvCharger(setpoint_a=float(told)) as charger:
                part = told * share
                charger.set_current(part if part >= charger.i_min_a else 0.0)
            case _:
                return

    def _start_by_hand(self, now: datetime) -> None:
        device = self._device
        if isinstance(device, Washer) and device.state in (WasherState.ARMED, WasherState.SCHEDULED):
            try:
                device.schedule(now)
            except CommandRefused:
                return  # outside its window even its user can't: it starts by itself when it must


class FaultyLink(MemoryLink):
    """A wire that can be cut, slow or noisy."""

    def __init__(
        self,
        cem: CemSession,
        resource: ResourceManager,
        device: Device,
        faults: FaultBook,
        ids: IdSource,
        trace: Trace,
        seed: int = 0,
    ) -> None:
        self.resource = FaultyResource(resource, device, faults, seed)
        super().__init__(cem, RmSession(self.resource, ids), trace)
        self.renewed: Callable[[CemSession, CemSession], None] = lambda old, new: None
        """Called with the CEM's old and new session when the wire is up again after both ends had given it up."""
        self._faults = faults
        self._device = device
        self._ids = ids
        self._random = random.Random(seed + 1)
        self._held: deque[tuple[datetime, bool, str]] = deque()
        self._swapped: tuple[bool, str] | None = None
        self._cut_since: datetime | None = None

    def tick(self, now: datetime) -> None:
        wrong = self._wrong(now)
        if FaultKind.UNPLUG in wrong and isinstance(self._device, EvCharger) and self._device.plugged:
            self._device.unplug()
        self._watch_wire(wrong, now)
        while self._held and self._held[0][0] <= now:
            _, from_cem, text = self._held.popleft()
            self._deliver(from_cem, text, now)
        self._carry_rm(self.rm.tick(self._there(wrong, now)), now)

    def report(self, now: datetime) -> None:
        self._carry_rm(self.rm.report(self._there(self._wrong(now), now)), now)

    def _carry_rm(self, texts: Iterable[str], now: datetime) -> None:
        self._carry([(False, text) for text in texts], now)

    def _wrong(self, now: datetime) -> dict[FaultKind, Fault]:
        return self._faults.of(self._device.name, now)

    def _there(self, wrong: dict[FaultKind, Fault], now: datetime) -> datetime:
        """What the device's clock shows."""
        clock = wrong.get(FaultKind.CLOCK)
        return now + timedelta(seconds=clock.amount) if clock else now

    def _watch_wire(self, wrong: dict[FaultKind, Fault], now: datetime) -> None:
        at_once = FaultKind.DISCONNECT in wrong or FaultKind.OFFLINE in wrong
        if not at_once and FaultKind.COMM_LOSS not in wrong:
            self._cut_since = None
            if self.cem.state is State.CLOSED and self.rm.state is State.CLOSED:
                self._renew(now)
            return
        self._cut_since = self._cut_since or now
        if self.cem.state is not State.CLOSED and (at_once or now - self._cut_since >= NOTICES):
            why = "the connection broke off" if at_once else f"nothing came for {NOTICES.total_seconds():.0f} s"
            self._held.clear()
            self.cem.lost(why, now)
            self.rm.lost(why, now)

    def _renew(self, now: datetime) -> None:
        """A session cannot be resumed: both ends begin anew."""
        old = self.cem
        self.cem, self.rm = CemSession(self._ids), RmSession(self.resource, self._ids)
        self.renewed(old, self.cem)
        self.start(now)

    def _carry(self, texts: Iterable[tuple[bool, str]], now: datetime) -> None:
        if not self._wrong(now) and self._swapped is None:
            super()._carry(texts, now)
            return
        for from_cem, text in texts:
            self._pass(from_cem, text, now)

    def _pass(self, from_cem: bool, text: str, now: datetime) -> None:
        """What the wire makes of one message."""
        wrong = self._wrong(now)
        if FaultKind.COMM_LOSS in wrong or FaultKind.DISCONNECT in wrong or FaultKind.OFFLINE in wrong:
            return
        if FaultKind.CORRUPT in wrong and self._random.random() * wrong[FaultKind.CORRUPT].amount < 1.0:
            at = self._random.randrange(len(text))
            text = text[:at] + "\x00" + text[at + 1 :]
        if FaultKind.LATE in wrong:
            self._held.append((now + timedelta(seconds=wrong[FaultKind.LATE].amount), from_cem, text))
            return
        if self._swapped is not None:
            before, self._swapped = self._swapped, None
            self._deliver(from_cem, text, now)
            self._deliver(*before, now)
            return
        if FaultKind.REORDERED in wrong:
            self._swapped = (from_cem, text)
            return
        self._deliver(from_cem, text, now)
        if FaultKind.DUPLICATED in wrong:
            self._deliver(from_cem, text, now)

    def _deliver(self, from_cem: bool, text: str, now: datetime) -> None:
        self._trace.add(TracedMessage(now, self.rm.resource.name, from_cem, text))
        if from_cem:
            answers = self.rm.receive(text, self._there(self._wrong(now), now))
        else:
            answers = self.cem.receive(text, now)
        for answer in answers:
            self._pass(not from_cem, answer, now)
