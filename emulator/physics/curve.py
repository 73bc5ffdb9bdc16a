"""A power curve given at even instants and straight between them: its mean over a span, exactly.

Day curves of sun and household are computed once, on a grid; a step of any length then takes the true mean, so that
the same energy flows at 1 s and at 15 min steps.
"""

from __future__ import annotations

import numpy as np

from emulator.physics.values import Array


def mean(knots: Array, spacing_s: float, start_s: float, end_s: float, cap: float = np.inf) -> float:
    """Mean of ``min(curve, cap)`` between two instants.

    .. math:: \\bar P = \\frac{1}{t_1 - t_0} \\int_{t_0}^{t_1} \\min(P(t), P_{cap})\\,dt

    Parameters
    ----------
    knots : array
        Value at 0, ``spacing_s``, 2 ``spacing_s`` … [W]
    spacing_s : float
        [s]
    start_s, end_s : float
        Span, inside the curve and not empty; outside, the curve goes on level. [s]
    cap : float, default infinite
        [W]

    Returns
    -------
    float
        [W]

    Examples
    --------
    >>> mean(np.array([0.0, 60.0, 60.0]), 60.0, 30.0, 90.0)
    52.5
    >>> mean(np.array([0.0, 60.0]), 60.0, 0.0, 60.0, cap=30.0)
    22.5
    """
    first, last = int(start_s // spacing_s) + 1, int(-(-end_s // spacing_s))
    if last <= first and 0 < first < len(knots):
        # inside one segment, as nearly every step of a second is: a straight line's mean is its middle
        before, after = float(knots[first - 1]), float(knots[first])
        if before <= cap and after <= cap:
            into = (start_s + end_s) / 2.0 / spacing_s - (first - 1)
            return before + (after - before) * into
    at = np.concatenate(([start_s], np.arange(first, last) * spacing_s, [end_s]))
    around = np.arange(first - 1, last + 1)
    value = np.interp(at, around * spacing_s, knots[around.clip(0, len(knots) - 1)])
    low, high = np.minimum(value[:-1], value[1:]), np.maximum(value[:-1], value[1:])
    over = np.maximum(high - cap, 0.0)
    # the part of a segment above the cap is a trapezoid, or a triangle where the segment crosses the cap
    above = np.where(low >= cap, (low + high) / 2.0 - cap, over**2 / (2.0 * np.maximum(high - low, 1e-12)))
    segments = (low + high) / 2.0 - np.where(over > 0.0, above, 0.0)
    return float(np.sum(segments * np.diff(at)) / (end_s - start_s))
