"""Which operation mode to ask for, from what a device told in OMBC or DDBC. Pure functions over a `CemSession`.

A mode can be asked for when it is the one that runs, or a transition leads to it from that one and no timer blocks the
transition; modes for abnormal conditions only in one. Powers in W, ``+`` is consumption. DDBC devices have a demand to
meet, whatever the power: among the combinations that meet it, the same factor at all actuators, one is chosen by power.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from s2python.generated import gen_s2 as g

from emulator.links.s2.cem_session import CemSession
from emulator.links.s2.codec import key

MOST_COMBINATIONS = 10_000
"""Of modes of several actuators; a description that has more is read only so far."""
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class ModeRange:
    """One operation mode: the power its factor runs over and, for DDBC, the supply."""

    mode_id: str
    low_w: float
    high_w: float
    actuator_id: str = ""
    low_supply: float = 0.0
    high_supply: float = 0.0

    def power_at(self, factor: float) -> float:
        return self.low_w + factor * (self.high_w - self.low_w)


@dataclass(frozen=True, slots=True)
class Choice:
    """Modes to ask for, one per actuator, at one factor."""

    modes: tuple[ModeRange, ...]
    factor: float

    @property
    def power_w(self) -> float:
        return sum(mode.power_at(self.factor) for mode in self.modes)


def within(session: CemSession, most_w: float, now: datetime, abnormal: bool = False) -> Choice | None:
    """What takes most without exceeding ``most_w``; where nothing is so little, what takes least.

    None where the device has not described itself, or nothing can be asked for now.
    """
    choices = [best for one in _combinations(session, now, abnormal) if (best := _under(one, session, most_w))]
    fitting = [choice for choice in choices if choice.power_w <= most_w + ROUNDING]
    if fitting:
        return max(fitting, key=lambda choice: choice.power_w)
    return min(choices, key=lambda choice: choice.power_w, default=None)


def drafts(session: CemSession, choice: Choice, now: datetime, abnormal: bool = False) -> list[dict[str, object]]:
    """The fields of the instructions that ask for a choice; an actuator that already does it is left out."""
    found: list[dict[str, object]] = []
    for mode in choice.modes:
        if active(session, mode.actuator_id) == (mode.mode_id, choice.factor):
            continue
        fields: dict[str, object] = {
            "operation_mode_id": mode.mode_id,
            "operation_mode_factor": choice.factor,
            "execution_time": now,
            "abnormal_condition": abnormal,
        }
        found.append(fields | ({"actuator_id": mode.actuator_id} if mode.actuator_id else {}))
    return found


def active(session: CemSession, actuator_id: str = "") -> tuple[str, float] | None:
    """Mode and factor a device, or one of its actuators, told last."""
    told = session.actuators.get(actuator_id)
    if isinstance(told, g.OMBCStatus | g.DDBCActuatorStatus):
        return key(told.active_operation_mode_id), told.operation_mode_factor
    return None


def _combinations(session: CemSession, now: datetime, abnormal: bool) -> Iterable[tuple[ModeRange, ...]]:
    ombc, ddbc = session.latest(g.OMBCSystemDescription), session.latest(g.DDBCSystemDescription)
    if ombc is not None:
        modes = {
            key(mode.id): _range(key(mode.id), mode.power_ranges)
            for mode in ombc.operation_modes
            if abnormal or not mode.abnormal_condition_only
        }
        yield from ((one,) for one in _reachable(session, "", modes, ombc.transitions, now, abnormal))
    elif ddbc is not None:
        rows = [_of_actuator(session, actuator, now, abnormal) for actuator in ddbc.actuators]
        yield from itertools.islice(itertools.product(*rows), MOST_COMBINATIONS)


def _of_actuator(
    session: CemSession, actuator: g.DDBCActuatorDescription, now: datetime, abnormal: bool
) -> list[ModeRange]:
    name = key(actuator.id)
    modes = {
        key(mode.Id): _range(key(mode.Id), mode.power_ranges, name, mode.supply_range)
        for mode in actuator.operation_modes
        if abnormal or not mode.abnormal_condition_only
    }
    return _reachable(session, name, modes, actuator.transitions, now, abnormal)


def _range(
    mode_id: str, powers: Sequence[g.PowerRange], actuator_id: str = "", supply: g.NumberRange | None = None
) -> ModeRange:
    electric = [one for one in powers if one.commodity_quantity.value.startswith("ELECTRIC.")]
    return ModeRange(
        mode_id=mode_id,
        low_w=sum(one.start_of_range for one in electric),
        high_w=sum(one.end_of_range for one in electric),
        actuator_id=actuator_id,
        low_supply=supply.start_of_range if supply else 0.0,
        high_supply=supply.end_of_range if supply else 0.0,
    )


def _reachable(
    session: CemSession,
    actuator_id: str,
    modes: dict[str, ModeRange],
    transitions: Sequence[g.Transition],
    now: datetime,
    abnormal: bool,
) -> list[ModeRange]:
    runs = active(session, actuator_id)
    if runs is None:
        return list(modes.values())
    open_now = {
        key(one.to)
        for one in transitions
        if key(one.from_) == runs[0]
        and (abnormal or not one.abnormal_condition_only)
        and not any(blocks(session, actuator_id, key(timer), now) for timer in one.blocking_timers)
    }
    return [mode for name, mode in modes.items() if name == runs[0] or name in open_now]


def blocks(session: CemSession, actuator_id: str, timer_id: str, now: datetime) -> bool:
    """Whether a timer still runs."""
    finished = session.timers.get((actuator_id, timer_id))
    return finished is not None and finished > now


def _under(modes: tuple[ModeRange, ...], session: CemSession, most_w: float) -> Choice | None:
    """These modes at the factor that takes most under ``most_w``; DDBC: at the one that meets the demand."""
    ddbc = session.latest(g.DDBCSystemDescription)
    if ddbc is not None:
        return _meeting(modes, ddbc.present_demand_rate)
    low, high = sum(mode.low_w for mode in modes), sum(mode.high_w for mode in modes)
    if high == low:
        return Choice(modes, 1.0)
    factor = (most_w - low) / (high - low)
    return Choice(modes, min(max(factor, 0.0), 1.0))


def _meeting(modes: tuple[ModeRange, ...], demand: g.NumberRange) -> Choice | None:
    low, high = sum(mode.low_supply for mode in modes), sum(mode.high_supply for mode in modes)
    wanted = demand.end_of_range
    if not min(low, high) - ROUNDING <= wanted <= max(low, high) + ROUNDING:
        return None
    return Choice(modes, min(max((wanted - low) / (high - low), 0.0), 1.0) if high != low else 1.0)
