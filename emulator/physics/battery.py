"""An AC-coupled home battery: constant power with tapering at both ends of its window, losses and self-discharge.

The step is solved in closed form, so 1 s and 15 min steps give the same energy, nothing overshoots the window however
long the step, and energy is conserved to rounding. Power is at the AC side, ``+`` charges.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emulator.physics.values import SECONDS_PER_HOUR, Array, Values

MONTH_S = 30 * 86_400.0


class Pack(NamedTuple):
    """What does not change while a battery runs; each member a scalar or an array.

    Defaults are those of a common 10 kWh home system: 0.5 C, 0.95 one way (OCHRE: 0.98 cell times 0.97 inverter), 5 to
    95 % window, 3 % self-discharge a month.
    """

    capacity_wh: Values = 10_000.0
    max_charge_w: Values = 5_000.0
    max_discharge_w: Values = 5_000.0
    charge_efficiency: Values = 0.95
    discharge_efficiency: Values = 0.95
    soc_min: Values = 0.05
    soc_max: Values = 0.95
    charge_knee: Values = 0.90
    """State of charge from which charging tapers linearly to nothing at ``soc_max``."""
    discharge_knee: Values = 0.10
    """State of charge under which discharging tapers linearly to nothing at ``soc_min``."""
    self_discharge_per_month: Values = 0.03


class Stepped(NamedTuple):
    """What one step did."""

    soc: Array
    """State of charge at its end. [0..1]"""
    charged_wh: Array
    """Taken from the AC side, not negative. [Wh]"""
    discharged_wh: Array
    """Given to the AC side, not negative. [Wh]"""
    leaked_wh: Array
    """Lost inside by self-discharge. [Wh]"""


def limits(soc: Values, pack: Pack) -> tuple[Array, Array]:
    """Greatest power a battery takes and gives at a state of charge.

    .. math:: P_{c} = P_{c,max} \\min(1, \\frac{s_{max} - s}{s_{max} - s_{knee}})

    and likewise for discharging towards ``soc_min``.

    Parameters
    ----------
    soc : array-like
        State of charge. [0..1]
    pack : Pack
        The battery.

    Returns
    -------
    tuple of array-like
        Charging and discharging limit, both not negative. [W]

    Examples
    --------
    >>> [round(float(limit)) for limit in limits(0.925, Pack())]
    [2500, 5000]
    """
    charge = np.clip((pack.soc_max - soc) / _width(pack.soc_max, pack.charge_knee), 0.0, 1.0)
    discharge = np.clip((soc - np.asarray(pack.soc_min)) / _width(pack.discharge_knee, pack.soc_min), 0.0, 1.0)
    return np.asarray(charge * pack.max_charge_w), np.asarray(discharge * pack.max_discharge_w)


def step(soc: Values, setpoint_w: Values, dt_s: Values, pack: Pack) -> Stepped:
    """Run batteries for ``dt_s`` at a requested AC power, as far as their limits let them.

    Half of the self-discharge, :math:`s \\leftarrow s e^{-\\lambda \\Delta t/2}`, is taken before and half after;
    between, with *x* the distance to the end of the window, *f* the requested share of full power, *w* the width of the
    taper and *v* the full rate,

    .. math:: x' = -v \\min(f, x / w)

    which runs straight until :math:`x = f w` and decays exponentially from there.

    Parameters
    ----------
    soc : array-like
        State of charge at the start. [0..1]
    setpoint_w : array-like
        Requested AC power, ``+`` charges. [W]
    dt_s : array-like
        Length of the step. [s]
    pack : Pack
        The battery.

    Returns
    -------
    Stepped
        Mean AC power is ``(charged_wh - discharged_wh) * 3600 / dt_s``.

    Notes
    -----
    Splitting self-discharge off errs by a small part of what leaks in a step, most at the very brim: under 0.02 Wh in
    15 min for 10 kWh.

    Examples
    --------
    >>> after = step(0.5, 5000.0, 3600.0, Pack(self_discharge_per_month=0.0))
    >>> round(float(after.soc), 6), round(float(after.charged_wh), 3)
    (0.938843, 4619.405)
    """
    start = np.asarray(soc, dtype=np.float64)
    rate = np.log1p(-np.asarray(pack.self_discharge_per_month, dtype=np.float64)) / MONTH_S
    half = np.exp(rate * dt_s / 2.0)
    kept = start * half
    capacity_ws = np.asarray(pack.capacity_wh, dtype=np.float64) * SECONDS_PER_HOUR
    request = np.asarray(setpoint_w, dtype=np.float64)

    up = _approach(
        pack.soc_max - kept,
        _share(request, pack.max_charge_w),
        _width(pack.soc_max, pack.charge_knee),
        pack.max_charge_w * np.asarray(pack.charge_efficiency) / capacity_ws,
        dt_s,
    )
    down = _approach(
        kept - pack.soc_min,
        _share(-request, pack.max_discharge_w),
        _width(pack.discharge_knee, pack.soc_min),
        pack.max_discharge_w / np.asarray(pack.discharge_efficiency) / capacity_ws,
        dt_s,
    )
    moved = kept + up - down
    return Stepped(
        soc=moved * half,
        charged_wh=np.asarray(up * pack.capacity_wh / pack.charge_efficiency),
        discharged_wh=np.asarray(down * pack.capacity_wh * pack.discharge_efficiency),
        leaked_wh=np.asarray((start - kept + moved * (1.0 - half)) * pack.capacity_wh),
    )


def _width(upper: Values, lower: Values) -> Array:
    # a battery without taper is one whose taper is too narrow to see
    return np.maximum(np.asarray(upper) - lower, 1e-9)


def _share(request_w: Array, limit_w: Values) -> Array:
    return np.clip(request_w / np.maximum(limit_w, 1e-9), 0.0, 1.0)


def _approach(distance: Array, share: Array, width: Array, rate: Array, dt_s: Values) -> Array:
    """How far a state moves in ``dt_s`` towards a bound that slows it down once nearer than ``share * width``."""
    room = np.maximum(distance, 0.0)
    speed = share * rate
    straight_s = np.minimum(np.maximum(room - share * width, 0.0) / np.maximum(speed, 1e-300), dt_s)
    moved = np.asarray(speed * straight_s)
    # nothing requested, nothing moved: the taper knows only the limit
    tapers = (straight_s < dt_s) & (share > 0.0)
    if np.any(tapers):
        tapering = np.zeros(np.shape(tapers))
        np.expm1(-rate / width * (dt_s - straight_s), out=tapering, where=tapers)
        moved = np.asarray(moved - (room - moved) * tapering)
    return moved
