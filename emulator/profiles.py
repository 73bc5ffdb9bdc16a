"""The profiles of IEC TR 62746-2:2015, 3.4.6, as objects of our own, and what is left of them in S2.

A power profile is a list of alternatives groups; of each group one sequence of slots is run. A load or generation
management profile is limits over time, a price and environment profile is what a kWh costs and does, a temperature
profile is what a room or a boiler should have. S2 knows less: `lower_power`, `lower_limits` and `lower_temperature`
give the message it has and, in words, all that did not fit. Powers in W, energies in Wh, ``+`` is consumption.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from s2python.generated import gen_s2 as g

from emulator.links.s2.codec import make

LONGEST_LIST = 288
"""Elements S2 takes in one list."""


@dataclass(frozen=True, slots=True)
class Value:
    """A quantity as it is expected, with what is known of its spread."""

    expected: float
    least: float | None = None
    most: float | None = None
    deviation: float | None = None
    """Standard deviation."""
    skewness: float | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of a sequence."""

    lasts: timedelta
    power: Value | None = None
    energy: Value | None = None
    """Where the power is not known, it is the energy's mean."""
    shortest: timedelta | None = None
    longest: timedelta | None = None
    optional: bool = False
    """May be left out."""
    earliest_start: datetime | None = None
    latest_end: datetime | None = None

    @property
    def mean_w(self) -> float:
        """Power expected. [W]"""
        if self.power is not None:
            return self.power.expected
        return self.energy.expected / (self.lasts.total_seconds() / 3600.0) if self.energy is not None else 0.0


class SequenceState(StrEnum):
    """Where a sequence stands."""

    INACTIVE = "inactive"
    PENDING = "pending"
    SCHEDULED = "scheduled"
    SCHEDULED_PAUSED = "scheduledPaused"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    INVALID = "invalid"


_Status = g.PPBCPowerSequenceStatus
STATES: dict[SequenceState, g.PPBCPowerSequenceStatus] = {
    SequenceState.INACTIVE: _Status.NOT_SCHEDULED,
    SequenceState.PENDING: _Status.NOT_SCHEDULED,
    SequenceState.SCHEDULED: _Status.SCHEDULED,
    SequenceState.SCHEDULED_PAUSED: _Status.SCHEDULED,
    SequenceState.RUNNING: _Status.EXECUTING,
    SequenceState.PAUSED: _Status.INTERRUPTED,
    SequenceState.COMPLETED: _Status.FINISHED,
    SequenceState.INVALID: _Status.ABORTED,
}
"""What S2 calls each state; it makes fewer distinctions."""


@dataclass(frozen=True, slots=True)
class PowerSequence:
    """Slots one after another."""

    slots: tuple[Slot, ...]
    pausable: bool = False
    stoppable: bool = False
    """May be ended for good before its end."""
    longest_pause: timedelta | None = None
    """All pauses of a run together."""
    wait_before: timedelta = timedelta(0)
    """It may begin so much after the end of the one before."""
    emergency_only: bool = False
    state: SequenceState = SequenceState.INACTIVE

    @property
    def lasts(self) -> timedelta:
        return sum((slot.lasts for slot in self.slots), timedelta(0))


@dataclass(frozen=True, slots=True)
class PowerProfile:
    """What a device will do, as far as it may be chosen."""

    earliest_start: datetime
    latest_end: datetime
    alternatives: tuple[tuple[PowerSequence, ...], ...]
    """Groups in order; of each one sequence is run."""


@dataclass(frozen=True, slots=True)
class PriceSlot:
    """What a kWh costs and does for a while; boundaries make tiers."""

    start: datetime
    lasts: timedelta
    price: float
    """Per kWh."""
    co2_g: float | None = None
    """Per kWh."""
    renewable: float | None = None
    """Share, 0..1."""
    from_wh: float = 0.0
    """Tier: counts above so much energy in the slot."""


@dataclass(frozen=True, slots=True)
class PriceProfile:
    """Price and environment."""

    slots: tuple[PriceSlot, ...]
    currency: str = "EUR"

    def at(self, time: datetime, used_wh: float = 0.0) -> PriceSlot | None:
        """The slot in force for the next kWh; None where none speaks."""
        running = [s for s in self.slots if s.start <= time < s.start + s.lasts and s.from_wh <= used_wh]
        return max(running, key=lambda slot: slot.from_wh, default=None)


@dataclass(frozen=True, slots=True)
class LimitSlot:
    lasts: timedelta
    least_w: float | None = None
    most_w: float | None = None
    binding: bool = True
    """An obligation; otherwise a recommendation."""


@dataclass(frozen=True, slots=True)
class LimitProfile:
    """Load or generation management: bounds on a power over time."""

    start: datetime
    slots: tuple[LimitSlot, ...]


@dataclass(frozen=True, slots=True)
class TemperatureSlot:
    lasts: timedelta
    least_c: float
    most_c: float
    wanted_c: float | None = None


@dataclass(frozen=True, slots=True)
class TemperatureProfile:
    start: datetime
    slots: tuple[TemperatureSlot, ...]


@dataclass(frozen=True, slots=True)
class Lowered:
    """A profile as S2 can say it."""

    message: g.PPBCPowerProfileDefinition | g.PEBCInstruction | g.FRBCFillLevelTargetProfile
    lost: tuple[str, ...] = field(default=())
    """What S2 has no place for, one sentence each."""


class CannotLower(ValueError):
    """S2 cannot say even the gist of it; the text says why."""


def lower_power(
    profile: PowerProfile, ids: Callable[[], str], quantity: str = g.CommodityQuantity.ELECTRIC_POWER_L1.value
) -> Lowered:
    """A power profile as PPBC.PowerProfileDefinition: a container per group, a sequence per alternative.

    Raises
    ------
    CannotLower
        A sequence without slots or with too many, or a group without sequences.
    """
    lost: list[str] = []
    containers: list[dict[str, object]] = []
    for number, group in enumerate(profile.alternatives, start=1):
        if not group:
            raise CannotLower(f"Group {number} has no sequence.")
        sequences = [
            _sequence(sequence, f"sequence {number}.{place}", ids(), quantity, lost)
            for place, sequence in enumerate(group, start=1)
        ]
        containers.append({"id": ids(), "power_sequences": sequences})
    message = make(
        g.PPBCPowerProfileDefinition,
        message_id=ids(),
        id=ids(),
        start_time=profile.earliest_start,
        end_time=profile.latest_end,
        power_sequences_containers=containers,
    )
    return Lowered(message, tuple(lost))


def _sequence(sequence: PowerSequence, name: str, identifier: str, quantity: str, lost: list[str]) -> dict[str, object]:
    if not 0 < len(sequence.slots) <= LONGEST_LIST:
        raise CannotLower(f"{name} has {len(sequence.slots)} slots; S2 takes 1 to {LONGEST_LIST}.".capitalize())
    if sequence.stoppable:
        lost.append(f"{name}: may be ended for good")
    if sequence.pausable and sequence.longest_pause is not None:
        lost.append(f"{name}: its pauses last {sequence.longest_pause} at most in all")
    if sequence.state is SequenceState.SCHEDULED_PAUSED:
        lost.append(f"{name}: is paused before it has begun")
    for number, slot in enumerate(sequence.slots, start=1):
        lost.extend(f"{name}, slot {number}: {what}" for what in _not_in_s2(slot))
    return {
        "id": identifier,
        "elements": [_element(slot, quantity) for slot in sequence.slots],
        "is_interruptible": sequence.pausable,
        "max_pause_before": _milliseconds(sequence.wait_before),
        "abnormal_condition_only": sequence.emergency_only,
    }


def _element(slot: Slot, quantity: str) -> dict[str, object]:
    value: dict[str, object] = {"commodity_quantity": quantity, "value_expected": slot.mean_w}
    power = slot.power
    if power is not None:
        bounds = {"value_lower_limit": power.least, "value_upper_limit": power.most}
        if power.deviation is not None and power.skewness in (None, 0.0):
            # of a spread without skew S2's 68 and 95 % bounds are one and two deviations
            for share, times in ((68, 1.0), (95, 2.0)):
                bounds[f"value_lower_{share}PPR"] = power.expected - times * power.deviation
                bounds[f"value_upper_{share}PPR"] = power.expected + times * power.deviation
        value |= {key: bound for key, bound in bounds.items() if bound is not None}
    return {"duration": _milliseconds(slot.lasts), "power_values": [value]}


def _not_in_s2(slot: Slot) -> Iterator[str]:
    if slot.energy is not None:
        yield f"energy of {slot.energy.expected:g} Wh" + ("" if slot.power is None else " beside its power")
    if slot.power is not None and slot.power.skewness:
        yield f"skewness {slot.power.skewness:g}, and with it the deviation"
    if slot.shortest is not None or slot.longest is not None:
        yield f"may last {slot.shortest or slot.lasts} to {slot.longest or slot.lasts}"
    if slot.optional:
        yield "may be left out"
    if slot.earliest_start is not None or slot.latest_end is not None:
        yield "has a window of its own"


def lower_limits(
    profile: LimitProfile,
    constraints_id: str,
    allowed: tuple[float, float],
    ids: Callable[[], str],
    quantity: str = g.CommodityQuantity.ELECTRIC_POWER_L1.value,
) -> Lowered:
    """Limits as a PEBC.Instruction within the device's allowed range (least and greatest power).

    Raises
    ------
    CannotLower
        No slot, or too many.
    """
    if not 0 < len(profile.slots) <= LONGEST_LIST:
        raise CannotLower(f"It has {len(profile.slots)} slots; S2 takes 1 to {LONGEST_LIST}.")
    lost: list[str] = []
    elements: list[dict[str, object]] = []
    for number, slot in enumerate(profile.slots, start=1):
        least, most = (
            (allowed[0] if slot.least_w is None else slot.least_w),
            (allowed[1] if slot.most_w is None else slot.most_w),
        )
        low, high = (min(max(bound, allowed[0]), allowed[1]) for bound in (least, most))
        if (low, high) != (least, most):
            lost.append(f"slot {number}: {least:g} … {most:g} W goes beyond what the device allows")
        if not slot.binding:
            lost.append(f"slot {number}: is a recommendation only")
        elements.append({"duration": _milliseconds(slot.lasts), "lower_limit": low, "upper_limit": high})
    envelope = {"id": ids(), "commodity_quantity": quantity, "power_envelope_elements": elements}
    message = make(
        g.PEBCInstruction,
        message_id=ids(),
        id=ids(),
        power_constraints_id=constraints_id,
        power_envelopes=[envelope],
        execution_time=profile.start,
        abnormal_condition=False,
    )
    return Lowered(message, tuple(lost))


def lower_temperature(profile: TemperatureProfile, ids: Callable[[], str]) -> Lowered:
    """Temperatures as FRBC.FillLevelTargetProfile, for a store whose fill level is its temperature in °C.

    Raises
    ------
    CannotLower
        No slot, too many, or one whose least is above its greatest temperature.
    """
    if not 0 < len(profile.slots) <= LONGEST_LIST:
        raise CannotLower(f"It has {len(profile.slots)} slots; S2 takes 1 to {LONGEST_LIST}.")
    lost: list[str] = []
    elements: list[dict[str, object]] = []
    for number, slot in enumerate(profile.slots, start=1):
        if slot.least_c > slot.most_c:
            raise CannotLower(f"Slot {number} wants at least {slot.least_c:g} and at most {slot.most_c:g} °C.")
        if slot.wanted_c is not None:
            lost.append(f"slot {number}: would like {slot.wanted_c:g} °C best")
        levels = {"start_of_range": slot.least_c, "end_of_range": slot.most_c}
        elements.append({"duration": _milliseconds(slot.lasts), "fill_level_range": levels})
    message = make(g.FRBCFillLevelTargetProfile, message_id=ids(), start_time=profile.start, elements=elements)
    return Lowered(message, tuple(lost))


def price_spans(profile: PriceProfile) -> Sequence[tuple[datetime, datetime, float]]:
    """Start, end and price of the lowest tier, for an energy manager: S2 has no prices, they stay with it."""
    return [(slot.start, slot.start + slot.lasts, slot.price) for slot in profile.slots if slot.from_wh <= 0.0]


def _milliseconds(lasts: timedelta) -> int:
    return round(lasts.total_seconds() * 1000.0)
