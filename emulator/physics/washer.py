"""A washing programme: phases of constant power, integrated exactly over any span.

A programme is told in elapsed programme seconds, which stand still while the machine pauses; so energy is a
difference of two readings of the cumulative curve, whatever the step and wherever phase edges fall.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from emulator.physics.values import SECONDS_PER_HOUR, Array, Values


class Phase(NamedTuple):
    """One stretch of a programme."""

    name: str
    duration_s: float
    power_w: float
    may_pause_before: bool = False
    """The machine may wait before this phase begins; never inside one."""


def _rinse_and_spin() -> tuple[Phase, Phase]:
    return Phase("rinse", 120.0, 250.0, may_pause_before=True), Phase("spin", 660.0, 73.0)


COTTON_40: tuple[Phase, ...] = (
    Phase("fill", 480.0, 73.0),
    Phase("heat", 1260.0, 2056.0),
    Phase("wash", 3120.0, 73.0, may_pause_before=True),
    Phase("spin", 660.0, 73.0),
    *_rinse_and_spin(),
    *_rinse_and_spin(),
    *_rinse_and_spin(),
    Phase("rinse", 120.0, 250.0, may_pause_before=True),
    Phase("fast spin", 300.0, 568.0, may_pause_before=True),
)
"""A 40 °C wash: 138 min, 926.8 Wh. Figures of the CREST demand model: I. Richardson, M. Thomson, D. Infield,
C. Clifford, *Domestic electricity use: a high-resolution energy demand model*, Energy and Buildings 42 (2010)."""


def duration(programme: tuple[Phase, ...]) -> float:
    """Length of a programme that never pauses. [s]

    >>> duration(COTTON_40) / 60
    138.0
    """
    return sum(phase.duration_s for phase in programme)


def energy(programme: tuple[Phase, ...], start_s: Values, end_s: Values) -> Array:
    """Energy a programme takes between two elapsed times.

    .. math:: E = \\int_{t_0}^{t_1} P(t)\\,dt

    Parameters
    ----------
    programme : tuple of Phase
        In order.
    start_s, end_s : array-like
        Elapsed programme time; outside the programme nothing is drawn. [s]

    Returns
    -------
    array-like
        [Wh]

    Examples
    --------
    >>> round(float(energy(COTTON_40, 0.0, duration(COTTON_40))), 1)
    926.8
    """
    edges, taken = _cumulative(programme)
    return np.asarray(np.interp(end_s, edges, taken) - np.interp(start_s, edges, taken)) / SECONDS_PER_HOUR


def phase_at(programme: tuple[Phase, ...], elapsed_s: float) -> int:
    """Number of the phase that runs at an elapsed time; ``len(programme)`` when all are done.

    >>> COTTON_40[phase_at(COTTON_40, 480.0)].name
    'heat'
    """
    edges, _ = _cumulative(programme)
    return int(np.searchsorted(edges[1:], elapsed_s, side="right"))


def next_pause(programme: tuple[Phase, ...], elapsed_s: float) -> float | None:
    """Elapsed time, at or after ``elapsed_s``, at which the machine may next pause; None when it may not any more. [s]

    >>> next_pause(COTTON_40, 0.0), next_pause(COTTON_40, 8280.0)
    (1740.0, None)
    """
    edges, _ = _cumulative(programme)
    for phase, edge in zip(programme, edges, strict=False):
        if phase.may_pause_before and edge >= elapsed_s:
            return float(edge)
    return None


@lru_cache(maxsize=16)
def _cumulative(programme: tuple[Phase, ...]) -> tuple[Array, Array]:
    """Edges of the phases in s and energy taken up to each in Ws."""
    durations = np.array([0.0, *(phase.duration_s for phase in programme)])
    powers = np.array([0.0, *(phase.power_w for phase in programme)])
    return np.cumsum(durations), np.cumsum(durations * powers)
