"""Arithmetic of curves over time: gaps, steps, thinning, the value at a moment.

Times are POSIX seconds, ascending; values are in base units; NaN is a gap. Pure functions over arrays, used by
:mod:`console.ui.plots` alone, so that numpy is not imported before the first plot is shown.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from console.ui.words import MINUS

Floats = NDArray[np.float64]


def with_gaps(times: Floats, values: Floats, longest: float | None) -> tuple[Floats, Floats]:
    """The series with a NaN half-way wherever two points are more than ``longest`` seconds apart."""
    if longest is None or len(times) < 2:
        return times, values
    holes = np.flatnonzero(np.diff(times) > longest) + 1
    if not len(holes):
        return times, values
    return np.insert(times, holes, times[holes - 1] + longest), np.insert(values, holes, np.nan)


def stepped(times: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Corners of the curve in which each value holds until the next time."""
    if len(times) < 2:
        return times, values
    return np.repeat(times, 2)[1:], np.repeat(values, 2)[:-1]


def thinned(times: Floats, values: Floats, most: int) -> tuple[Floats, Floats]:
    """At most ``most`` points of an ascending series, keeping the extremes and the gaps of every bin."""
    count = len(times)
    if count <= max(most, 8):
        return times, values
    bins = max(most // 4, 2)
    edges = np.linspace(0, count, bins + 1).astype(np.int64)[:-1]
    low, high = np.fmin.reduceat(values, edges), np.fmax.reduceat(values, edges)
    width = np.diff(np.append(edges, count))
    spacing = np.append(np.diff(times[edges]), times[-1] - times[edges[-1]])
    out_times = np.repeat(times[edges], 4)
    out_values = np.empty(bins * 4)
    out_values[0::4], out_values[1::4], out_values[2::4] = values[edges], low, high
    out_values[3::4] = values[edges + width - 1]
    gap = np.add.reduceat(np.isnan(values), edges) > 0
    out_values[3::4][gap] = np.nan
    for k in (1, 2, 3):
        out_times[k::4] += spacing * (k / 4)
    return out_times, out_values


def value_at(times: Floats, values: Floats, at: float, steps: bool = True) -> float:
    """What a series says at a POSIX time; NaN before its first point and in a gap."""
    k = int(np.searchsorted(times, at, side="right")) - 1
    if k < 0:
        return float("nan")
    if steps or k == len(times) - 1 or np.isnan(values[k]):
        return float(values[k])
    return float(np.interp(at, times[k : k + 2], values[k : k + 2]))


def figure(value: float, factor: float) -> str:
    """A value of the key: unit and decimals are those of its column; a dash in a gap."""
    if np.isnan(value):
        return "–"
    shown = value * factor
    digits = 2 if factor != 1 else 0 if abs(shown) >= 100 else 1 if abs(shown) >= 10 else 2
    return f"{shown:.{digits}f}".replace("-", MINUS)
