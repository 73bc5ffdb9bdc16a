"""Rules on events and the answers to them: tables 7 and 8 of clause 9.2."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from console.openadr.calendar import Duration
from console.openadr.enums import EventStatus, OptType, ResponseCode, SignalName, SignalType
from console.openadr.model import (
    EiEventSignal,
    EiTarget,
    Interval,
    ItemBase,
    OadrCreatedEvent,
    OadrDistributeEvent,
    OadrEvent,
    OadrRequestEvent,
    PayloadFloat,
    SignalPayload,
)
from console.openadr.rules.register import Found, error, rule, warning

_GENERAL = "9.2.1"
_PROFILE_B = "9.2.2"
_SIMPLE = (SignalName.SIMPLE, SignalName.SIMPLE_A)
_LEVELS = frozenset({0.0, 1.0, 2.0, 3.0})

_POWER = frozenset({"power:powerReal", "power:powerApparent", "power:powerReactive"})
_ENERGY = frozenset({"power:energyReal", "power:energyApparent", "power:energyReactive"})
_PER_KWH = frozenset({"oadr:currencyPerKWh"})
_PER_KW = frozenset({"oadr:currencyPerKW"})
_MONEY = frozenset({"oadr:currency", "oadr:currencyPerKWh", "oadr:currencyPerKW", "oadr:currencyPerThm"})
_NONE: frozenset[str] = frozenset()
_PRICES = {SignalType.PRICE: _PER_KWH, SignalType.PRICE_RELATIVE: _PER_KWH, SignalType.PRICE_MULTIPLIER: _NONE}

SIGNALS: dict[str, dict[str, frozenset[str]]] = {
    SignalName.SIMPLE: {SignalType.LEVEL: _NONE},
    SignalName.SIMPLE_A: {SignalType.LEVEL: _NONE},
    SignalName.ELECTRICITY_PRICE: {**_PRICES},
    SignalName.ENERGY_PRICE: {**_PRICES},
    SignalName.DEMAND_CHARGE: {
        SignalType.PRICE: _PER_KW,
        SignalType.PRICE_RELATIVE: _PER_KW,
        SignalType.PRICE_MULTIPLIER: _NONE,
    },
    SignalName.BID_PRICE: {SignalType.PRICE: _MONEY},
    SignalName.BID_LOAD: {SignalType.SETPOINT: _POWER},
    SignalName.BID_ENERGY: {SignalType.SETPOINT: _ENERGY},
    SignalName.CHARGE_STATE: {
        SignalType.SETPOINT: _ENERGY,
        SignalType.DELTA: _ENERGY,
        SignalType.MULTIPLIER: _NONE,
    },
    SignalName.LOAD_DISPATCH: {
        SignalType.SETPOINT: _POWER,
        SignalType.DELTA: _POWER,
        SignalType.MULTIPLIER: _NONE,
        SignalType.LEVEL: _POWER,
    },
    SignalName.LOAD_CONTROL: {
        SignalType.LOAD_CONTROL_CAPACITY: _NONE,
        SignalType.LOAD_CONTROL_LEVEL_OFFSET: _NONE,
        SignalType.LOAD_CONTROL_PERCENT_OFFSET: _NONE,
        SignalType.LOAD_CONTROL_SETPOINT: _NONE,
    },
}
"""Well-known signals (rule 104): name -> type -> elements its unit may be; an empty set means no unit."""


def _signals(message: OadrDistributeEvent) -> Iterator[EiEventSignal]:
    for wrapped in message.events:
        yield from wrapped.event.signals


def _intervals(message: OadrDistributeEvent) -> Iterator[tuple[str, Sequence[Interval]]]:
    """Intervals of all signals and baselines, with the name of what they belong to."""
    for wrapped in message.events:
        for signal in wrapped.event.signals:
            yield f"signal {signal.signal_id}", signal.intervals
        if wrapped.event.baseline is not None:
            yield f"baseline {wrapped.event.baseline.baseline_id}", wrapped.event.baseline.intervals


def _check_numbering(name: str, intervals: Sequence[Interval], found: Found) -> None:
    for expected, interval in enumerate(intervals):
        if interval.uid is None:
            found(error, f"Interval {expected} of {name} has no uid; {expected} is expected.", at=interval)
        elif interval.uid.strip() != str(expected):
            text = f"Interval {expected} of {name} has uid {interval.uid!r}; {expected} is expected."
            found(error, text, at=interval, field="uid")


def _total(intervals: Sequence[Interval]) -> int:
    """Length of all together. [s]"""
    return sum([interval.duration.seconds for interval in intervals if interval.duration is not None])


@rule(2, clause=_GENERAL, on=OadrDistributeEvent)
def signal_intervals_are_numbered(message: OadrDistributeEvent, found: Found) -> None:
    """The intervals of a signal have the uid 0, 1, 2 and so on."""
    for signal in _signals(message):
        _check_numbering(f"signal {signal.signal_id}", signal.intervals, found)


@rule(7, clause=_GENERAL, on=OadrDistributeEvent, profiles=("2.0a",))
def events_of_profile_a_have_one_simple_signal(message: OadrDistributeEvent, found: Found) -> None:
    """In profile 2.0a an event has exactly one signal, and it is SIMPLE."""
    for wrapped in message.events:
        event = wrapped.event
        if len(event.signals) != 1:
            text = f"Event {event.descriptor.event_id} has {len(event.signals)} signals; 2.0a knows one, SIMPLE."
            found(error, text, at=event)
        for signal in event.signals[:1]:
            if signal.signal_name not in _SIMPLE:
                text = f"The signal is {signal.signal_name}; 2.0a knows SIMPLE only."
                found(error, text, at=signal, field="signal_name")


@rule(8, clause=_GENERAL, on=OadrDistributeEvent)
def signal_intervals_fill_the_event(message: OadrDistributeEvent, found: Found) -> None:
    """The intervals of a signal together last as long as the event."""
    for wrapped in message.events:
        wanted = wrapped.event.active_period.duration
        length = wanted.seconds
        for signal in wrapped.event.signals if length else ():
            total = _total(signal.intervals)
            if total != length and all(interval.duration is not None for interval in signal.intervals):
                lasts = Duration.of(total)
                text = f"The intervals of signal {signal.signal_id} last {lasts}, the event lasts {wanted}."
                found(error, text, at=signal)


@rule(9, clause=_GENERAL, on=OadrDistributeEvent)
def simple_levels_are_0_to_3(message: OadrDistributeEvent, found: Found) -> None:
    """A SIMPLE signal has the levels 0, 1, 2 and 3 only."""
    for signal in _signals(message):
        for interval in signal.intervals if signal.signal_name in _SIMPLE else ():
            value = interval.value
            if value is not None and value not in _LEVELS:
                text = f"SIMPLE has the level {value:g}; 0, 1, 2 or 3 is expected."
                found(error, text, at=interval.payloads[0])


@rule(10, clause=_GENERAL, on=OadrDistributeEvent)
def cancelling_is_a_modification(message: OadrDistributeEvent, found: Found) -> None:
    """A cancelled event has a higher modificationNumber than it had before, hence never 0."""
    for wrapped in message.events:
        descriptor = wrapped.event.descriptor
        if descriptor.event_status == EventStatus.CANCELLED and descriptor.modification_number == 0:
            text = f"Event {descriptor.event_id} is cancelled with the modificationNumber 0; cancelling adds one."
            found(error, text, at=descriptor, field="modification_number")


@rule(13, clause=_GENERAL, on=OadrDistributeEvent)
def an_event_has_a_status(message: OadrDistributeEvent, found: Found) -> None:
    """An event is far, near, active, completed or cancelled; it is near only while it ramps up."""
    for wrapped in message.events:
        descriptor, period = wrapped.event.descriptor, wrapped.event.active_period
        if descriptor.event_status == EventStatus.NONE:
            text = f"Event {descriptor.event_id} has the status none; far, near, active or completed is expected."
            found(error, text, at=descriptor, field="event_status")
        elif descriptor.event_status == EventStatus.NEAR and not period.ramp_up:
            text = f"Event {descriptor.event_id} is near and has no x-eiRampUp; without one it goes from far to active."
            found(warning, text, at=descriptor, field="event_status")


@rule(14, clause=_GENERAL, on=OadrDistributeEvent)
def simple_is_0_unless_active(message: OadrDistributeEvent, found: Found) -> None:
    """The current value of a SIMPLE signal is 0 while its event is not active."""
    for wrapped in message.events:
        status = wrapped.event.descriptor.event_status
        for signal in wrapped.event.signals:
            if status != EventStatus.ACTIVE and signal.signal_name in _SIMPLE and signal.current_value:
                text = f"The current value of SIMPLE is {signal.current_value:g} while the event is {status}; 0 is due."
                found(error, text, at=signal, field="current_value")


_CANNOT_SERVE = (ResponseCode.SIGNAL_NOT_SUPPORTED, ResponseCode.TARGET_MISMATCH, ResponseCode.DEPLOYMENT_ERROR)
_PENDING = (EventStatus.FAR, EventStatus.NEAR)
_NO_PRIORITY = 2**32


def _place(wrapped: OadrEvent) -> tuple[int, int, datetime] | None:
    """Where an event belongs in the list; None for those that keep an earlier place."""
    descriptor, start = wrapped.event.descriptor, wrapped.event.active_period.dtstart
    if descriptor.event_status == EventStatus.ACTIVE:
        return 0, descriptor.priority or _NO_PRIORITY, start
    return (1, 0, start) if descriptor.event_status in _PENDING else None


@rule(15, clause=_GENERAL, on=OadrDistributeEvent)
def events_are_in_order(message: OadrDistributeEvent, found: Found) -> None:
    """Active events come first, by priority and then start; the pending ones follow by start."""
    placed = [(wrapped, place) for wrapped in message.events if (place := _place(wrapped)) is not None]
    for (earlier, before), (later, after) in pairwise(placed):
        if after < before:
            first, second = later.event.descriptor.event_id, earlier.event.descriptor.event_id
            found(error, f"Event {first} belongs before event {second}: active first, then by start.", at=later.event)


@rule(23, clause=_GENERAL, on=OadrRequestEvent)
def only_vens_ask_for_events(message: OadrRequestEvent, found: Found) -> None:
    """An oadrRequestEvent goes from a VEN to a VTN."""
    if found.from_ven is False:
        found(error, "A VTN sent an oadrRequestEvent; only a VEN does.")


@rule(35, clause=_GENERAL, on=OadrCreatedEvent)
def answers_are_there(message: OadrCreatedEvent, found: Found) -> None:
    """An oadrCreatedEvent answers at least one event unless it reports an error."""
    if message.response.ok and not message.event_responses:
        found(error, "The message accepts events and answers none; eventResponses are missing.")


@rule(41, clause=_GENERAL, on=OadrDistributeEvent)
def events_carry_a_request_id(message: OadrDistributeEvent, found: Found) -> None:
    """An oadrDistributeEvent has a requestID of its own, beside that of its eiResponse."""
    if not message.request_id:
        found(error, "The requestID is empty; the VEN has to name it in its answers.", field="request_id")


@rule(42, clause=_GENERAL, on=OadrCreatedEvent)
def request_ids_stand_in_each_answer(message: OadrCreatedEvent, found: Found) -> None:
    """The requestID of the oadrDistributeEvent stands in each eventResponse, the outer one is empty."""
    if message.response.request_id:
        text = f"The outer requestID is {message.response.request_id!r}; it stays empty in oadrCreatedEvent."
        found(error, text, at=message.response, field="request_id")
    for answer in message.event_responses:
        if not answer.request_id:
            text = f"The answer to {answer.qualified_event_id.event_id} lacks the requestID of the message answered."
            found(error, text, at=answer, field="request_id")


@rule(48, clause=_GENERAL, on=OadrCreatedEvent)
def what_is_refused_is_opted_out_of(message: OadrCreatedEvent, found: Found) -> None:
    """An event whose target, market context or signals the VEN cannot serve is opted out of."""
    for answer in message.event_responses:
        if answer.response_code in _CANNOT_SERVE and answer.opt_type != OptType.OPT_OUT:
            event_id = answer.qualified_event_id.event_id
            text = f"Event {event_id} is refused with {answer.response_code} and opted into; optOut is expected."
            found(error, text, at=answer, field="opt_type")


@rule(63, clause=_GENERAL, on=OadrDistributeEvent)
def one_ven_per_target(message: OadrDistributeEvent, found: Found) -> None:
    """The target of an event names at most one VEN."""
    for wrapped in message.events:
        named = wrapped.event.target.ven_ids
        if len(named) > 1:
            text = f"The event's target names {len(named)} VENs ({', '.join(named)}); one at most is allowed."
            found(error, text, at=wrapped.event.target)


@rule(100, clause=_PROFILE_B, on=OadrDistributeEvent)
def one_number_per_interval(message: OadrDistributeEvent, found: Found) -> None:
    """Every interval of a signal or baseline holds exactly one number in a signalPayload."""
    for name, intervals in _intervals(message):
        for interval in intervals:
            numbers = [
                part
                for part in interval.payloads
                if isinstance(part, SignalPayload) and isinstance(part.payload, PayloadFloat)
            ]
            if len(interval.payloads) != 1 or len(numbers) != 1:
                text = f"An interval of {name} holds {len(interval.payloads)} payloads; one number is expected."
                found(error, text, at=interval)


@rule(101, clause=_PROFILE_B, on=OadrDistributeEvent)
def baseline_intervals_are_numbered(message: OadrDistributeEvent, found: Found) -> None:
    """The intervals of a baseline have the uid 0, 1, 2 and so on."""
    for wrapped in message.events:
        baseline = wrapped.event.baseline
        if baseline is not None:
            _check_numbering(f"baseline {baseline.baseline_id}", baseline.intervals, found)


@rule(102, clause=_PROFILE_B, on=OadrDistributeEvent)
def every_interval_has_a_duration(message: OadrDistributeEvent, found: Found) -> None:
    """Every interval of a signal or baseline has a duration; those of a baseline last as long as it does."""
    for name, intervals in _intervals(message):
        for index, interval in enumerate(intervals):
            if interval.duration is None:
                found(error, f"Interval {index} of {name} has no duration.", at=interval)
    for wrapped in message.events:
        baseline = wrapped.event.baseline
        if baseline is not None and baseline.duration and _total(baseline.intervals) != baseline.duration.seconds:
            total = Duration.of(_total(baseline.intervals))
            text = f"The intervals of baseline {baseline.baseline_id} last {total}, it lasts {baseline.duration}."
            found(error, text, at=baseline)


@rule(103, clause=_PROFILE_B, on=OadrDistributeEvent)
def no_start_inside_intervals(message: OadrDistributeEvent, found: Found) -> None:
    """The intervals of a signal or baseline have no dtstart: they follow each other from the start of the event."""
    for name, intervals in _intervals(message):
        for index, interval in enumerate(intervals):
            if interval.dtstart is not None:
                text = f"Interval {index} of {name} has a dtstart; only its duration counts."
                found(error, text, at=interval, field="dtstart")


@rule(104, clause=_PROFILE_B, on=OadrDistributeEvent)
def well_known_signals_follow_the_table(message: OadrDistributeEvent, found: Found) -> None:
    """A well-known signal has a type and a unit that the standard's table gives it."""
    for signal in _signals(message):
        types = SIGNALS.get(signal.signal_name)
        if types is None or (signal.signal_name in _SIMPLE and signal.signal_type not in types):
            continue
        units = types.get(signal.signal_type)
        if units is None:
            text = f"{signal.signal_name} is not sent as {signal.signal_type}; {' or '.join(types)} is expected."
            found(error, text, at=signal, field="signal_type")
            continue
        unit = signal.item_base.element if isinstance(signal.item_base, ItemBase) else None
        expected = " or ".join(sorted(units))
        if unit is None and units:
            found(error, f"{signal.signal_name} {signal.signal_type} has no unit; {expected} is expected.", at=signal)
        elif unit is not None and unit not in units:
            wanted = f"{expected} is expected" if units else "it has none"
            text = f"{signal.signal_name} {signal.signal_type} has the unit {unit}; {wanted}."
            found(error, text, at=signal.item_base)


@rule(105, clause=_PROFILE_B, on=OadrDistributeEvent)
def notification_is_there(message: OadrDistributeEvent, found: Found) -> None:
    """Every event says how long before its start the VEN is told, even where that is zero."""
    for wrapped in message.events:
        if wrapped.event.active_period.notification is None:
            text = f"Event {wrapped.event.descriptor.event_id} lacks x-eiNotification; some VENs refuse it for that."
            found(error, text, at=wrapped.event.active_period)


@rule(107, clause=_PROFILE_B, on=OadrDistributeEvent)
def signal_ids_are_unique(message: OadrDistributeEvent, found: Found) -> None:
    """The signals of an event have different signalIDs."""
    for wrapped in message.events:
        seen: set[str] = set()
        for signal in wrapped.event.signals:
            if signal.signal_id in seen:
                text = f"The signalID {signal.signal_id!r} stands twice in event {wrapped.event.descriptor.event_id}."
                found(error, text, at=signal, field="signal_id")
            seen.add(signal.signal_id)


def names_only_device_classes(target: EiTarget) -> bool:
    """Whether a target holds device classes and nothing else."""
    filled = [name for name in EiTarget.__slots__ if getattr(target, name)]
    return filled == ["end_device_assets"]


@rule(111, clause=_PROFILE_B, on=OadrDistributeEvent)
def signal_targets_name_device_classes(message: OadrDistributeEvent, found: Found) -> None:
    """The target of a signal names device classes only, and is left out where there are none."""
    for signal in _signals(message):
        if signal.target is not None and not names_only_device_classes(signal.target):
            text = f"The target of signal {signal.signal_id} may hold endDeviceAsset only, and at least one."
            found(error, text, at=signal.target)


_CLASSES = (
    "Thermostat Strip_Heater Baseboard_Heater Water_Heater Pool_Pump Sauna Hot_tub Smart_Appliance Irrigation_Pump "
    "Managed_Commercial_and_Industrial_Loads Simple_Residential_On_Off_Loads Exterior_Lighting Interior_Lighting "
    "Electric_Vehicle Generation_Systems Load_Control_Switch Smart_Inverter EVSE RESU Energy_Management_System "
    "Smart_Energy_Module Storage"
)
_DEVICE_CLASSES = frozenset(_CLASSES.split())


def unknown_device_classes(target: EiTarget) -> list[str]:
    """Device classes of a target that the standard does not list and that are no extensions."""
    return [name for name in target.end_device_assets if name not in _DEVICE_CLASSES and not name.startswith("x-")]


@rule(111, clause=_PROFILE_B, on=OadrDistributeEvent)
def device_classes_are_listed(message: OadrDistributeEvent, found: Found) -> None:
    """A device class is one of the standard's list, or a name of one's own starting with x-."""
    for signal in _signals(message):
        for name in unknown_device_classes(signal.target) if signal.target else ():
            found(warning, f"The device class {name} is not in the standard's list.", at=signal.target)


@rule(115, clause=_PROFILE_B, on=OadrDistributeEvent)
def created_together(message: OadrDistributeEvent, found: Found) -> None:
    """All events of one message have the same createdDateTime."""
    for wrapped in message.events[1:]:
        descriptor = wrapped.event.descriptor
        if descriptor.created_date_time != message.events[0].event.descriptor.created_date_time:
            text = f"Event {descriptor.event_id} has another createdDateTime than the first event of the message."
            found(warning, text, at=descriptor, field="created_date_time")


@rule(116, clause=_PROFILE_B, on=OadrDistributeEvent)
def simple_is_a_level(message: OadrDistributeEvent, found: Found) -> None:
    """The type of a SIMPLE signal is level."""
    for signal in _signals(message):
        if signal.signal_name in _SIMPLE and signal.signal_type != SignalType.LEVEL:
            text = f"SIMPLE has the type {signal.signal_type}; level is expected."
            found(error, text, at=signal, field="signal_type")
