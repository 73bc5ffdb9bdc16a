"""What a household draws: a standard load profile, its seasonal factor, and noise that makes one house of many.

The profile is BDEW's H25 (2025); its figures are a resource that `emulator.day_curves` reads and hands in.
"""

from __future__ import annotations

import numpy as np

from emulator.physics.values import Array, Values

PROFILE_KWH = 1_000_000.0
"""Yearly consumption the profile's figures are made for."""

QUARTER_HOUR = 0.25


def seasonal_factor(day_of_year: Values) -> Array:
    """Factor by which BDEW has household profiles vary over the year.

    .. math:: F(t) = -3.92 \\cdot 10^{-10} t^4 + 3.2 \\cdot 10^{-7} t^3 - 7.02 \\cdot 10^{-5} t^2 + 0.0021 t + 1.24

    Parameters
    ----------
    day_of_year : array-like
        1 on the first of January.

    Returns
    -------
    array-like
        To be multiplied with the profile.

    References
    ----------
    .. [1] VDEW, Anwendung der Repräsentativen VDEW-Lastprofile step-by-step, 2000.

    Examples
    --------
    >>> [round(float(seasonal_factor(day)), 2) for day in (1, 182)]
    [1.24, 0.8]
    """
    day = np.asarray(day_of_year, dtype=np.float64)
    return np.asarray((((-3.92e-10 * day + 3.2e-7) * day - 7.02e-5) * day + 2.1e-3) * day + 1.24)


def profile_power(figures_kwh: Values, day_of_year: Values, yearly_wh: Values) -> Array:
    """Mean power of a household in quarter hours, from the profile's figures.

    Parameters
    ----------
    figures_kwh : array-like
        Figures of the profile for those quarter hours. [kWh per quarter hour at 1 GWh a year]
    day_of_year : array-like
    yearly_wh : array-like
        [Wh]

    Returns
    -------
    array-like
        [W]

    Examples
    --------
    >>> round(float(profile_power(28.5, 1, 3_500_000.0)))
    496
    """
    share = np.asarray(figures_kwh, dtype=np.float64) / PROFILE_KWH
    return share * seasonal_factor(day_of_year) * yearly_wh / QUARTER_HOUR


def unrest(innovations: Array, spacing_s: float, sigma: float = 0.25, tau_s: float = 600.0) -> Array:
    """Log-normal factor with a mean of 1 whose logarithm forgets itself with time constant ``tau_s``.

    .. math:: x_k = a x_{k-1} + \\sigma \\sqrt{1 - a^2}\\, z_k, \\quad a = e^{-\\Delta t/\\tau}, \\quad
              f_k = e^{x_k - \\sigma^2 / 2}

    Parameters
    ----------
    innovations : array
        Draws from the standard normal distribution, one per instant; the first hours of a series that starts from rest
        (x = 0) are calmer than the rest.
    spacing_s : float
        [s]
    sigma : float, default 0.25
    tau_s : float, default 600
        [s]

    Returns
    -------
    array
        As many factors.
    """
    kept = float(np.exp(-spacing_s / tau_s))
    pushed = sigma * np.sqrt(1.0 - kept**2) * innovations
    logarithm = np.empty_like(pushed)
    state = 0.0
    for number, push in enumerate(pushed):
        state = kept * state + float(push)
        logarithm[number] = state
    return np.exp(logarithm - sigma**2 / 2.0)
