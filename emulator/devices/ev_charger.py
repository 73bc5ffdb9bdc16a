"""A charge point with a car: obeys an offered current, 6 A at least or nothing, a few seconds after it is told.

Told nothing, it offers all it has. The car draws what it accepts and leaves at its departure.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo

from emulator.cem.ports import DeviceSnapshot
from emulator.devices.device import CommandRefused, clock
from emulator.physics import evse
from emulator.physics.values import SECONDS_PER_HOUR

ENERGY_MANAGER = "energy manager"


@dataclass(frozen=True, slots=True)
class EvConfig:
    name: str
    capacity_wh: float = 60_000.0
    soc: float = 0.4
    """At the start. [0..1]"""
    plugged: bool = True
    target_soc: float = 0.8
    departure: time | None = None
    """Local time of day; the next one after the start of the site."""
    i_min_a: float = evse.MINIMUM_CURRENT_A
    i_max_a: float = 16.0
    phases: int = 3
    efficiency: float = 0.90
    response_delay_s: float = 5.0


class EvCharger:
    """S2: FRBC, modes off and charge [``min_w``, ``max_w``]; fill level ``soc``, ``target_soc`` by ``departure``."""

    kind = "ev"

    def __init__(self, config: EvConfig, departure: datetime | None = None, zone: tzinfo = UTC) -> None:
        """``zone`` is that of times told to people."""
        self.config = config
        self.name = config.name
        self.capacity_wh = config.capacity_wh
        self.efficiency = config.efficiency
        self.phases = config.phases
        self.i_min_a = config.i_min_a
        self.i_max_a = config.i_max_a
        self.voltage_v = evse.NOMINAL_V
        self.plugged = config.plugged
        self.soc = config.soc
        self.target_soc = config.target_soc
        self.departure = departure
        self._zone = zone
        self.current_a = config.i_max_a if config.plugged else 0.0
        """Offered to the car now."""
        self.told_a: dict[str, float] = {}
        """Currents as told last, by who told them; nobody is left to itself."""
        self.power_w = 0.0
        self._coming: deque[tuple[float, float]] = deque()
        """Currents told and not yet offered: seconds to go, A."""
        self._car = evse.Car(
            capacity_wh=config.capacity_wh,
            max_current_a=config.i_max_a,
            phases=float(config.phases),
            efficiency=config.efficiency,
        )

    @property
    def min_w(self) -> float:
        """Least power it charges with: below, it has to pause."""
        return self.power_at(self.i_min_a)

    @property
    def max_w(self) -> float:
        return self.power_at(self.i_max_a)

    @property
    def wanted_w(self) -> float:
        """What the car would draw now if it were offered everything; 0 when full or away."""
        if not self.plugged:
            return 0.0
        return self.max_w * float(evse.taper(self.soc, self._car))

    @property
    def full(self) -> bool:
        return self.soc >= 1.0

    @property
    def setpoint_a(self) -> float | None:
        """The lowest current told; None is left to itself."""
        return min(self.told_a.values(), default=None)

    def power_at(self, current_a: float) -> float:
        """Power drawn of an offered current by a car that is not near full. [W]"""
        return float(evse.offered_power(current_a, float(self.phases), self._car, self.voltage_v))

    def current_at(self, power_w: float) -> float:
        """Current to offer so that no more than ``power_w`` is drawn; 0 where that is under 6 A. [A]"""
        return min(float(evse.current_for(power_w, float(self.phases), self.voltage_v)), self.i_max_a)

    def set_current(self, current_a: float | None, source: str = ENERGY_MANAGER) -> None:
        """Offer this current from ``response_delay_s`` on; 0 pauses, None leaves the charge point to itself.

        Each source tells a current of its own and takes only its own back; the lowest is offered.

        Raises
        ------
        CommandRefused
            Between 0 and 6 A, which the control pilot cannot say, or beyond the rating.
        """
        if current_a is not None and current_a != 0.0 and not self.i_min_a - 1e-6 <= current_a <= self.i_max_a + 1e-6:
            raise CommandRefused(f"{current_a:.1f} A is neither 0 nor in {self.i_min_a:g} … {self.i_max_a:g} A.")
        self.told_a.pop(source, None)
        if current_a is not None:
            self.told_a[source] = current_a
        offer = self.i_max_a if self.setpoint_a is None else self.setpoint_a
        if not self.plugged:
            return
        newest = self._coming[-1][1] if self._coming else self.current_a
        if offer != newest:
            self._coming.append((self.config.response_delay_s, offer))

    def set_power(self, power_w: float | None) -> None:
        """Offer the current that draws no more than ``power_w``; pauses under 6 A. None leaves it to itself."""
        self.set_current(None if power_w is None else self.current_at(power_w))

    def plug(self, soc: float, departure: datetime | None = None, target_soc: float | None = None) -> None:
        """A car arrives."""
        self.plugged, self.soc, self.departure = True, soc, departure
        self.target_soc = self.target_soc if target_soc is None else target_soc
        self._coming.clear()
        self.current_a = self.i_max_a if self.setpoint_a is None else self.setpoint_a

    def unplug(self) -> None:
        """The car leaves, or somebody pulls the plug."""
        self.plugged, self.departure = False, None
        self._coming.clear()
        self.current_a = 0.0

    def step(self, now: datetime, dt_s: float) -> None:
        left, drawn_wh = dt_s, 0.0
        leaves = False
        if self.plugged and self.departure is not None:
            to_departure = (self.departure - now).total_seconds()
            leaves = to_departure <= dt_s
            left = min(max(to_departure, 0.0), dt_s)
        while left > 0.0:
            span = min(left, self._coming[0][0]) if self._coming else left
            drawn_wh += self._charge(span)
            left -= span
            self._coming = deque((due - span, offer) for due, offer in self._coming)
            while self._coming and self._coming[0][0] <= 0.0:
                self.current_a = self._coming.popleft()[1]
        if leaves:
            self.unplug()
        self.power_w = drawn_wh * SECONDS_PER_HOUR / dt_s

    def _charge(self, dt_s: float) -> float:
        if not self.plugged:
            return 0.0
        after = evse.charge(self.soc, self.power_at(self.current_a), dt_s, self._car, self.max_w)
        self.soc = float(after.soc)
        return float(after.energy_wh)

    def _state(self) -> str:
        if not self.plugged:
            return "away"
        if self.full:
            return "full"
        if self.current_a < self.i_min_a:
            return "paused"
        return "charging"

    def reason(self) -> str:
        others = {source: current for source, current in self.told_a.items() if source != ENERGY_MANAGER}
        source = min(others, key=others.__getitem__, default="")
        if self.plugged and source and others[source] == self.setpoint_a and others[source] < self.i_max_a:
            offered = f"Charges with at most {others[source]:g} A" if others[source] else "Is paused"
            return f"{offered}: told over {source}."
        if self._state() == "charging" and self.setpoint_a is None:
            return f"Charges with all {self.i_max_a:g} A: no energy manager holds it."
        return ""

    def snapshot(self) -> DeviceSnapshot:
        facts = [("Phases", str(self.phases)), ("Target", f"{self.target_soc:.0%}")]
        if self.departure is not None:
            facts.append(("Departure", clock(self.departure, self._zone)))
        return DeviceSnapshot(
            name=self.name,
            kind=self.kind,
            power_w=self.power_w,
            state=self._state(),
            setpoint_w=None if self.setpoint_a is None else self.power_at(self.setpoint_a),
            wanted_w=self.wanted_w,
            max_w=self.max_w,
            soc=self.soc if self.plugged else None,
            capacity_wh=self.capacity_wh,
            current_a=self.current_a,
            facts=tuple(facts),
        )
