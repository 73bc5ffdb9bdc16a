"""The connection point: what a meter sees of the sum of all devices. ``+`` is import."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emulator.physics.values import SECONDS_PER_HOUR, Array, Values


class Registers(NamedTuple):
    """Energy counters, which only rise."""

    import_wh: Array
    export_wh: Array


def count(registers: Registers, net_w: Values, dt_s: Values) -> Registers:
    """Add a step of mean net power to the registers.

    Parameters
    ----------
    registers : Registers
        Before the step. [Wh]
    net_w : array-like
        Mean net power in the step. [W]
    dt_s : array-like
        Length of the step. [s]

    Returns
    -------
    Registers
        A meter nets within a step: within one of 15 min, import and export of that time cancel.

    Examples
    --------
    >>> after = count(Registers(np.asarray(0.0), np.asarray(100.0)), -1200.0, 900.0)
    >>> float(after.import_wh), float(after.export_wh)
    (0.0, 400.0)
    """
    moved = np.asarray(net_w, dtype=np.float64) * dt_s / SECONDS_PER_HOUR
    return Registers(
        import_wh=np.asarray(registers.import_wh + np.maximum(moved, 0.0)),
        export_wh=np.asarray(registers.export_wh + np.maximum(-moved, 0.0)),
    )


def voltage(net_w: Values, nominal_v: Values = 230.0, rise_per_10_kw: Values = 0.015) -> Array:
    """Voltage at the connection: it rises with export and falls with import.

    .. math:: U = U_n (1 - k \\frac{P_{net}}{10\\,kW})

    Parameters
    ----------
    net_w : array-like
        Net power. [W]
    nominal_v : array-like, default 230
        Voltage without load. [V]
    rise_per_10_kw : array-like, default 0.015
        Relative rise for 10 kW exported: a house in the middle of a rural feeder.

    Returns
    -------
    array-like
        [V]

    Examples
    --------
    >>> round(float(voltage(-10_000.0)), 2)
    233.45
    """
    return np.asarray(np.asarray(nominal_v) * (1.0 - np.asarray(rise_per_10_kw) * net_w / 10_000.0))


def frequency(
    now_hz: Values, dt_s: Values, normal: Values, nominal_hz: float = 50.0, sigma_hz: float = 0.02, tau_s: float = 120.0
) -> Array:
    """Grid frequency wandering about its nominal value, one step on.

    An Ornstein-Uhlenbeck process in its exact discrete form, so its spread does not depend on the step:

    .. math:: f' = f_n + (f - f_n) e^{-\\Delta t/\\tau} + \\sigma \\sqrt{1 - e^{-2 \\Delta t/\\tau}}\\, z

    Parameters
    ----------
    now_hz : array-like
        [Hz]
    dt_s : array-like
        [s]
    normal : array-like
        Draws from the standard normal distribution.
    nominal_hz, sigma_hz, tau_s : float
        [Hz], [Hz], [s]

    Returns
    -------
    array-like
        [Hz]

    Examples
    --------
    >>> float(frequency(50.02, 0.0, 1.0))
    50.02
    """
    kept = np.exp(-np.asarray(dt_s) / tau_s)
    return np.asarray(
        nominal_hz + (np.asarray(now_hz) - nominal_hz) * kept + sigma_hz * np.sqrt(1.0 - kept**2) * normal
    )
