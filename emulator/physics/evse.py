"""A car at a mode 3 charge point: offered current, what the car draws of it, and its taper near full.

The charge point offers a current on the control pilot (IEC 61851-1), 6 A at least or nothing; the car takes what it
can. Below ``cv_knee`` that is constant; above, its limit falls exponentially with state of charge. Solved in closed
form: 1 s and 15 min steps give the same energy. Power is at the grid side, consumption ``+``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emulator.physics.values import SECONDS_PER_HOUR, Array, Values

MINIMUM_CURRENT_A = 6.0
"""Least current the control pilot can offer (IEC 61851-1); less means pause."""

NOMINAL_V = 230.0


class Car(NamedTuple):
    """What does not change while a car charges; each member a scalar or an array."""

    capacity_wh: Values = 60_000.0
    max_current_a: Values = 16.0
    phases: Values = 3.0
    """Phases of the on-board charger."""
    efficiency: Values = 0.90
    """Grid to battery (OCHRE)."""
    cv_knee: Values = 0.80
    """State of charge from which the car's own limit falls."""
    cv_scale: Values = 0.12
    """Rise of the state of charge over which that limit falls to 1/e."""
    cv_floor: Values = 0.05
    """Share of full power below which the limit does not fall before the car is full."""


class Charged(NamedTuple):
    """What one step did."""

    soc: Array
    """State of charge at its end. [0..1]"""
    energy_wh: Array
    """Taken from the grid. [Wh]"""


def offered_power(current_a: Values, phases: Values, car: Car, voltage_v: Values = NOMINAL_V) -> Array:
    """Power a car would draw of an offered current, its taper aside.

    .. math:: P = \\min(n_{evse}, n_{car}) U \\min(I, I_{car}), \\quad P = 0 \\text{ for } I < 6 A

    Parameters
    ----------
    current_a : array-like
        Current the charge point offers, per phase. [A]
    phases : array-like
        Phases of the charge point, 1 or 3.
    car : Car
        The car.
    voltage_v : array-like, default 230
        Phase to neutral. [V]

    Returns
    -------
    array-like
        [W]

    Examples
    --------
    >>> float(offered_power(16.0, 3, Car())), float(offered_power(5.9, 3, Car()))
    (11040.0, 0.0)
    """
    drawn = np.minimum(current_a, car.max_current_a) * np.minimum(phases, car.phases) * voltage_v
    return np.where(np.asarray(current_a) >= MINIMUM_CURRENT_A, drawn, 0.0)


def current_for(power_w: Values, phases: Values, voltage_v: Values = NOMINAL_V) -> Array:
    """Current to offer so that no more than ``power_w`` is drawn: 0 where that is under 6 A.

    Parameters
    ----------
    power_w : array-like
        Power allowed. [W]
    phases : array-like
        Phases the charging uses.
    voltage_v : array-like, default 230
        Phase to neutral. [V]

    Returns
    -------
    array-like
        Per phase. [A]

    Examples
    --------
    >>> float(current_for(6900.0, 3)), float(current_for(4000.0, 3))
    (10.0, 0.0)
    """
    current = np.asarray(power_w, dtype=np.float64) / (np.asarray(phases) * voltage_v)
    # a millionth of slack: 4140 W over three phases is 6 A, whatever the rounding of the division
    return np.where(current >= MINIMUM_CURRENT_A * (1 - 1e-6), current.clip(MINIMUM_CURRENT_A), 0.0)


def taper(soc: Values, car: Car) -> Array:
    """Share of its full power a car accepts at a state of charge.

    .. math:: g(s) = \\max(g_{floor}, \\min(1, e^{-(s - s_{knee}) / \\tau})), \\quad g(1) = 0

    Examples
    --------
    >>> [round(float(taper(soc, Car())), 3) for soc in (0.5, 0.92, 1.0)]
    [1.0, 0.368, 0.0]
    """
    share = np.exp(-np.maximum(np.asarray(soc) - car.cv_knee, 0.0) / car.cv_scale)
    return np.where(np.asarray(soc) < 1.0, np.maximum(share, car.cv_floor), 0.0)


def charge(soc: Values, offer_w: Values, dt_s: Values, car: Car, full_w: Values, limit_soc: Values = 1.0) -> Charged:
    """Charge cars for ``dt_s`` with an offered power.

    The car draws :math:`P = \\min(P_{offer}, P_{full}\\, g(s))`: constant up to the state of charge where its own limit
    meets the offer, then along :math:`s = s_k + \\tau \\ln(1 + t v / \\tau)` with *v* the rate there, then constant
    again at the floor, and nothing once it is full.

    Parameters
    ----------
    soc : array-like
        State of charge at the start. [0..1]
    offer_w : array-like
        From `offered_power`. [W]
    dt_s : array-like
        Length of the step. [s]
    car : Car
        The car.
    full_w : array-like
        Power the car would draw below the knee were it offered all it can take. [W]
    limit_soc : array-like, default 1
        The car stops here. [0..1]

    Returns
    -------
    Charged
        Mean power is ``energy_wh * 3600 / dt_s``.

    Examples
    --------
    An 11 kW charge point takes a 60 kWh car from 40 to 80 % in 145 minutes:

    >>> after = charge(0.4, 11040.0, 145 * 60.0, Car(), 11040.0)
    >>> round(float(after.soc), 3), round(float(after.energy_wh))
    (0.8, 26680)
    """
    start = np.asarray(soc, dtype=np.float64)
    offer = np.minimum(np.asarray(offer_w, dtype=np.float64), full_w)
    # less than a microwatt is nothing, and would overflow below
    charging = (offer > 1e-6) & (start < limit_soc)
    offer = np.where(charging, offer, 1.0)
    per_watt = np.asarray(car.efficiency) / (np.asarray(car.capacity_wh) * SECONDS_PER_HOUR)

    floor_w = np.minimum(np.asarray(car.cv_floor) * full_w, offer)
    scale = np.asarray(car.cv_scale, dtype=np.float64)
    meet = car.cv_knee + scale * np.log(np.maximum(full_w, 1e-9) / offer)
    bottom = meet + scale * np.log(offer / np.maximum(floor_w, 1e-9))

    now = start
    left = np.broadcast_to(np.asarray(dt_s, dtype=np.float64), np.broadcast_shapes(now.shape, np.shape(dt_s)))

    upto = np.clip(meet, now, limit_soc)
    used = np.minimum((upto - now) / (offer * per_watt), left)
    now, left = now + used * offer * per_watt, left - used

    upto = np.clip(bottom, now, limit_soc)
    speed = np.minimum(offer * np.exp(-(now - meet) / scale), offer) * per_watt
    used = np.where(now < upto, np.minimum(np.expm1((upto - now) / scale) * scale / speed, left), 0.0)
    now, left = now + scale * np.log1p(used * speed / scale), left - used

    now = np.maximum(now, np.minimum(now + left * floor_w * per_watt, limit_soc))

    end = np.where(charging, now, start)
    return Charged(soc=end, energy_wh=np.asarray((end - start) * car.capacity_wh / car.efficiency))
