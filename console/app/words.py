"""Numbers and names as people read them, the same in the window, on the command line and in reasons."""

from __future__ import annotations

from console.openadr.facts import EventChanged, SignalFact

MINUS = "\u2212"
NBSP = "\u00a0"


def watts(value: float, unit: str = "W") -> str:
    """``430 W``, ``7.59 kW``, ``−2.35 kW``, ``1.20 MW``: two decimals above a thousand."""
    sign = MINUS if round(value) < 0 else ""
    size = abs(value)
    if size < 999.5:
        return f"{sign}{size:.0f}{NBSP}{unit}"
    if size < 999_995:
        return f"{sign}{size / 1e3:.2f}{NBSP}k{unit}"
    return f"{sign}{size / 1e6:.2f}{NBSP}M{unit}"


def quantity(value: float, unit: str | None) -> str:
    """A value with its unit: powers and energies with a prefix, everything else plain."""
    if unit in ("W", "VA", "VAR", "Wh", "VAh", "VARh"):
        return watts(value, unit)
    text = f"{value:g}".replace("-", MINUS)
    return f"{text}{NBSP}{unit}" if unit else text


def signal_label(signal: SignalFact) -> str:
    """What a bar says of a signal: ``SIMPLE 2``, ``7.00 kW``, ``0.42 EUR/kWh``; a span where the intervals differ."""
    values = [interval.value for interval in signal.intervals]
    if not values:
        return signal.name
    low, high = min(values), max(values)
    if signal.unit is None:
        text = f"{low:g}" if low == high else f"{low:g}–{high:g}"
        return f"{signal.name} {text}" if signal.name == "SIMPLE" else f"{signal.name} ×{text}"
    if low == high:
        return quantity(low, signal.unit)
    return f"{quantity(low, signal.unit)}–{quantity(high, signal.unit)}"


def event_label(event: EventChanged) -> str:
    """Label of an event: its first signal, with a count of further ones."""
    labels = [signal_label(signal) for signal in event.signals]
    if not labels:
        return event.event_id
    return f"{labels[0]} +{len(labels) - 1}" if len(labels) > 1 else labels[0]
