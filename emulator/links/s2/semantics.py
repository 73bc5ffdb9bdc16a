"""What the JSON schema of S2 cannot say: order of bounds, references between ids, factors within 0..1.

`content_problem(message)` names the first thing wrong in words, or None. Pure; what it finds is answered with
INVALID_CONTENT, and the message is not acted on. The order of a forecast's bounds is left unchecked: the standard's
public example for a PV plant orders them by magnitude, and nothing here rests on them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel
from s2python.generated import gen_s2 as g

Problems = Iterator[str]


def content_problem(message: BaseModel, may_overflow: bool = True) -> str | None:
    """The first semantic problem of a schema-valid message, or None; numbers are looked at if they ``may_overflow``."""
    if may_overflow and not _finite(message):
        return "a number is too large to be finite"
    check = CHECKS.get(type(message))
    return next(iter(check(message)), None) if check else None


def _finite(part: object) -> bool:
    if isinstance(part, float):
        return math.isfinite(part)
    if isinstance(part, BaseModel):
        return all(_finite(value) for value in part.__dict__.values())
    if isinstance(part, list):
        return all(_finite(value) for value in part)
    return True


def _ordered(what: str, lower: float | None, upper: float | None) -> Problems:
    if lower is not None and upper is not None and lower > upper:
        yield f"{what}: {lower:g} is above {upper:g}"


def _range(what: str, part: g.NumberRange | g.PowerRange) -> Problems:
    yield from _ordered(what, part.start_of_range, part.end_of_range)


def _span(what: str, start: datetime, end: datetime | None) -> Problems:
    if end is not None and end < start:
        yield f"{what}: ends {end.isoformat()} before it starts {start.isoformat()}"


def _once(what: str, ids: Iterable[object]) -> Problems:
    seen: set[object] = set()
    for one in ids:
        if one in seen:
            yield f"{what} {one} stands twice"
        seen.add(one)


def _known(what: str, references: Iterable[g.ID], known: set[str]) -> Problems:
    for reference in references:
        if reference.root not in known:
            yield f"{what} {reference.root} is not described"


def _factor(factor: float) -> Problems:
    if not 0.0 <= factor <= 1.0:
        yield f"operation_mode_factor {factor:g} is outside 0..1"


def _instruction(message: g.FRBCInstruction | g.OMBCInstruction | g.DDBCInstruction) -> Problems:
    yield from _factor(message.operation_mode_factor)


def _status(message: g.FRBCActuatorStatus | g.OMBCStatus | g.DDBCActuatorStatus) -> Problems:
    yield from _factor(message.operation_mode_factor)


def _transitions(part: g.FRBCActuatorDescription | g.DDBCActuatorDescription, modes: set[str]) -> Problems:
    timers = {timer.id.root for timer in part.timers}
    yield from _once("timer", (timer.id.root for timer in part.timers))
    for transition in part.transitions:
        yield from _known("operation mode", (transition.from_, transition.to), modes)
        yield from _known("timer", transition.start_timers + transition.blocking_timers, timers)


def _frbc_system(message: g.FRBCSystemDescription) -> Problems:
    yield from _range("fill_level_range of the storage", message.storage.fill_level_range)
    yield from _once("actuator", (actuator.id.root for actuator in message.actuators))
    for actuator in message.actuators:
        yield from _once("operation mode", (mode.id.root for mode in actuator.operation_modes))
        yield from _transitions(actuator, {mode.id.root for mode in actuator.operation_modes})
        for mode in actuator.operation_modes:
            for element in mode.elements:
                yield from _range(f"fill_level_range of mode {mode.id.root}", element.fill_level_range)
                for power in element.power_ranges:
                    yield from _range(f"power range of mode {mode.id.root}", power)


def _ddbc_system(message: g.DDBCSystemDescription) -> Problems:
    yield from _once("actuator", (actuator.id.root for actuator in message.actuators))
    for actuator in message.actuators:
        yield from _transitions(actuator, {mode.Id.root for mode in actuator.operation_modes})


def _ombc_system(message: g.OMBCSystemDescription) -> Problems:
    modes = {mode.id.root for mode in message.operation_modes}
    timers = {timer.id.root for timer in message.timers}
    yield from _once("operation mode", (mode.id.root for mode in message.operation_modes))
    for transition in message.transitions:
        yield from _known("operation mode", (transition.from_, transition.to), modes)
        yield from _known("timer", transition.start_timers + transition.blocking_timers, timers)


def _levels(message: g.FRBCFillLevelTargetProfile) -> Problems:
    for element in message.elements:
        yield from _range("fill_level_range", element.fill_level_range)


def _leakage(message: g.FRBCLeakageBehaviour) -> Problems:
    for element in message.elements:
        yield from _range("fill_level_range", element.fill_level_range)


def _usage(message: g.FRBCUsageForecast) -> Problems:
    for element in message.elements:
        yield from _ordered("usage_rate limits", element.usage_rate_lower_limit, element.usage_rate_upper_limit)


def _constraints(message: g.PEBCPowerConstraints) -> Problems:
    yield from _span("validity", message.valid_from, message.valid_until)
    sides: dict[g.CommodityQuantity, set[g.PEBCPowerEnvelopeLimitType]] = {}
    for allowed in message.allowed_limit_ranges:
        yield from _range(f"{allowed.limit_type.value} range", allowed.range_boundary)
        sides.setdefault(allowed.commodity_quantity, set()).add(allowed.limit_type)
    for quantity, types in sides.items():
        for wanted in g.PEBCPowerEnvelopeLimitType:
            if wanted not in types:
                yield f"{quantity.value} has no {wanted.value} range"


def _energy(message: g.PEBCEnergyConstraint) -> Problems:
    yield from _span("validity", message.valid_from, message.valid_until)
    yield from _ordered("average power", message.lower_average_power, message.upper_average_power)


def _envelopes(message: g.PEBCInstruction) -> Problems:
    yield from _once("envelope for", (envelope.commodity_quantity.value for envelope in message.power_envelopes))
    for envelope in message.power_envelopes:
        for element in envelope.power_envelope_elements:
            yield from _ordered(f"limits of envelope {envelope.id.root}", element.lower_limit, element.upper_limit)


def _profile(message: g.PPBCPowerProfileDefinition) -> Problems:
    yield from _span("profile", message.start_time, message.end_time)
    yield from _once("container", (container.id.root for container in message.power_sequences_containers))
    shortest = timedelta(0)
    for container in message.power_sequences_containers:
        yield from _once("sequence", (sequence.id.root for sequence in container.power_sequences))
        lasting = [sum(e.duration.root for e in sequence.elements) for sequence in container.power_sequences]
        shortest += timedelta(milliseconds=min(lasting))
    if message.start_time + shortest > message.end_time:
        yield f"the profile lasts {shortest}, longer than the time between its start and its end"


def _measurement(message: g.PowerMeasurement) -> Problems:
    yield from _once("value for", (value.commodity_quantity.value for value in message.values))


CHECKS: dict[type[BaseModel], Callable[[Any], Problems]] = {
    g.DDBCActuatorStatus: _status,
    g.DDBCInstruction: _instruction,
    g.DDBCSystemDescription: _ddbc_system,
    g.FRBCActuatorStatus: _status,
    g.FRBCFillLevelTargetProfile: _levels,
    g.FRBCInstruction: _instruction,
    g.FRBCLeakageBehaviour: _leakage,
    g.FRBCSystemDescription: _frbc_system,
    g.FRBCUsageForecast: _usage,
    g.OMBCInstruction: _instruction,
    g.OMBCStatus: _status,
    g.OMBCSystemDescription: _ombc_system,
    g.PEBCEnergyConstraint: _energy,
    g.PEBCInstruction: _envelopes,
    g.PEBCPowerConstraints: _constraints,
    g.PPBCPowerProfileDefinition: _profile,
    g.PowerMeasurement: _measurement,
}
