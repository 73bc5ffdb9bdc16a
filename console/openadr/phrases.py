"""Quantities, times and signals in words, for summaries and sentences. Nothing here knows a message's purpose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from console.openadr.calendar import Duration
from console.openadr.enums import RESPONSE_MEANINGS, SignalName, SignalType
from console.openadr.model import (
    EiActivePeriod,
    EiEventSignal,
    EventDescriptor,
    Interval,
    ItemBase,
    OadrGBDataDescription,
)
from console.openadr.units import convert

LEVELS = {0.0: "normal", 1.0: "moderate", 2.0: "high", 3.0: "special"}
"""What the levels of a SIMPLE signal mean (rule 9)."""

_SCALED = {"W", "VA", "VAR", "Wh", "VAh", "VARh"}
_STEPS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_MOST = 3


def quantity(value: float, unit: str | None) -> str:
    """``7.00 kW``, ``850 W``, ``0.32 EUR/kWh``, ``2``; the unit's prefix follows the size."""
    if not math.isfinite(value):
        return f"{value} {unit}".strip() if unit else str(value)
    if unit in _SCALED:
        for step, prefix in _STEPS:
            if abs(value) >= step:
                return f"{_signed(f'{value / step:.2f}')} {prefix}{unit}"
    number = _signed(f"{value:.6g}")
    return f"{number} {unit}" if unit else number


def measured(value: float, item_base: ItemBase | OadrGBDataDescription | None) -> str:
    """A value as sent, with its unit."""
    return quantity(*convert(value, item_base))


def clock(moment: datetime, tz: tzinfo = UTC, day_of: datetime | None = None) -> str:
    """``10:30`` or ``10:30:05``; with its date where ``day_of`` is another day there."""
    local = _local(moment, tz)
    text = local.strftime("%H:%M:%S" if local.second else "%H:%M")
    if day_of is not None and _local(day_of, tz).date() != local.date():
        return f"{local.day} {local.strftime('%b')} {text}"
    return text


def span(period: EiActivePeriod, tz: tzinfo = UTC, day_of: datetime | None = None) -> str:
    """``10:30–11:30``, or ``from 10:30`` for an open end (rule 47)."""
    end = period.dtend
    if end is None:
        return f"from {clock(period.dtstart, tz, day_of)}"
    return f"{clock(period.dtstart, tz, day_of)}–{clock(end, tz, day_of=period.dtstart)}"


def span_in_words(period: EiActivePeriod, tz: tzinfo = UTC, day_of: datetime | None = None) -> str:
    """``from 10:30 to 11:30 (1 h)``, or ``from 10:30 until it is cancelled``."""
    start, end = clock(period.dtstart, tz, day_of), period.dtend
    if end is None:
        return f"from {start} until it is cancelled"
    return f"from {start} to {clock(end, tz, day_of=period.dtstart)} ({period.duration})"


def version(descriptor: EventDescriptor) -> str:
    """``e-17/1``: event and modification number."""
    return f"{descriptor.event_id}/{descriptor.modification_number}"


def code_in_words(code: str) -> str:
    """``200 OK``, ``463, not registered``; a code without a fixed meaning by its first digit."""
    if code == "200":
        return "200 OK"
    kind = {"1": "provisional", "2": "accepted", "3": "pending", "4": "refused", "5": "failed"}.get(code[:1], "")
    return ", ".join(part for part in (code, RESPONSE_MEANINGS.get(code, kind)) if part)


def count(number: int, noun: str) -> str:
    """``1 event``, ``3 events``, ``no events``."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def listed(texts: Sequence[str], most: int = _MOST) -> str:
    """Texts joined by commas, the rest counted."""
    more = len(texts) - most
    return ", ".join(texts[:most]) + (f" and {more} more" if more > 0 else "")


def signal_value(signal: EiEventSignal, interval: Interval) -> str:
    """The value of one interval of a signal, as an operator says it."""
    value = interval.value
    if value is None:
        return "no number"
    if signal.signal_name in (SignalName.SIMPLE, SignalName.SIMPLE_A):
        meaning = LEVELS.get(value)
        return f"{value:g} ({meaning})" if meaning else f"{value:g}"
    if signal.signal_type in (SignalType.MULTIPLIER, SignalType.PRICE_MULTIPLIER):
        return f"× {value:g}"
    if signal.signal_type == SignalType.LOAD_CONTROL_PERCENT_OFFSET:
        return f"{value:g} %"
    text = measured(value, signal.item_base)
    return f"+{text}" if signal.signal_type == SignalType.DELTA and value > 0 else text


def signal_in_short(signal: EiEventSignal) -> str:
    """``setpoint 7.00 kW``, ``level 2 (high)``, ``price 0.32 EUR/kWh, then 0.28 EUR/kWh``."""
    kind = signal.signal_type.removeprefix("x-")
    return f"{kind} {_values(signal)}"


def demand(signal: EiEventSignal) -> str:
    """What a signal asks for, as the end of "asks it to …"."""
    values = _values(signal)
    wording = _DEMANDS.get((signal.signal_name, signal.signal_type)) or _BY_TYPE.get(signal.signal_type)
    if signal.signal_name in (SignalName.SIMPLE, SignalName.SIMPLE_A):
        wording = "go to level {}"
    if wording is None:
        return f"follow {signal.signal_name} ({signal.signal_type}): {values}"
    return wording.format(values)


def _values(signal: EiEventSignal) -> str:
    texts: list[str] = []
    for interval in signal.intervals:
        text = signal_value(signal, interval)
        if not texts or texts[-1] != text:
            texts.append(text)
    return ", then ".join(texts[:_MOST]) + (f" and {len(texts) - _MOST} more" if len(texts) > _MOST else "")


def _signed(number: str) -> str:
    """A proper minus sign."""
    return number.replace("-", "−", 1) if number.startswith("-") else number


def _local(moment: datetime, tz: tzinfo) -> datetime:
    try:
        return moment.astimezone(tz)
    except OverflowError:
        return moment


def duration_in_words(duration: Duration) -> str:
    """``1 h``; ``open ended`` for zero."""
    return str(duration) if duration else "open ended"


_DEMANDS: dict[tuple[str, str], str] = {
    (SignalName.LOAD_DISPATCH, SignalType.SETPOINT): "keep its load at {}",
    (SignalName.LOAD_DISPATCH, SignalType.DELTA): "change its load by {}",
    (SignalName.LOAD_DISPATCH, SignalType.MULTIPLIER): "change its load {}",
    (SignalName.LOAD_DISPATCH, SignalType.LEVEL): "dispatch its load at level {}",
    (SignalName.CHARGE_STATE, SignalType.SETPOINT): "charge its storage to {}",
    (SignalName.CHARGE_STATE, SignalType.DELTA): "change its storage by {}",
    (SignalName.CHARGE_STATE, SignalType.MULTIPLIER): "bring its storage to {} of its capacity",
    (SignalName.BID_LOAD, SignalType.SETPOINT): "take its bid load as {}",
    (SignalName.BID_ENERGY, SignalType.SETPOINT): "take its bid energy as {}",
    (SignalName.BID_PRICE, SignalType.PRICE): "take its bid price as {}",
    (SignalName.DEMAND_CHARGE, SignalType.PRICE): "reckon with a demand charge of {}",
}
_BY_TYPE: dict[str, str] = {
    SignalType.PRICE: "reckon with a price of {}",
    SignalType.PRICE_RELATIVE: "reckon with a price changed by {}",
    SignalType.PRICE_MULTIPLIER: "reckon with its price {}",
    SignalType.LOAD_CONTROL_CAPACITY: "run at {} of its capacity",
    SignalType.LOAD_CONTROL_LEVEL_OFFSET: "move its level by {}",
    SignalType.LOAD_CONTROL_PERCENT_OFFSET: "move its load by {}",
    SignalType.LOAD_CONTROL_SETPOINT: "go to the set point {}",
}
