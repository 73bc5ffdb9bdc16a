"""Heat in a tank and in a house, and the heat pump between: linear networks of capacities and resistances.

Both are solved exactly for constant inputs over a step, so 1 s and 15 min steps give the same energy and no step is too
long. Temperatures in °C, thermal powers in W, positive into the store.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emulator.physics.values import SECONDS_PER_HOUR, Array, Values

WATER_J_PER_L_K = 4186.0
"""Heat capacity of a litre of water."""
ZERO_C_IN_K = 273.15


class Tank(NamedTuple):
    """A water heater as one node; each member a scalar or an array."""

    litres: Values = 200.0
    loss_w_per_k: Values = 1.5
    """Through its insulation."""
    room_c: Values = 18.0


class Heated(NamedTuple):
    """What one step did."""

    temperature_c: Array
    """At its end."""
    lost_wh: Array
    """Through the walls."""


def tank(temperature_c: Values, power_w: Values, dt_s: Values, what: Tank) -> Heated:
    """Temperature of a well-mixed tank after a step with constant net heating.

    .. math:: C \\dot T = P - UA (T - T_{room}), \\quad
              T' = T_\\infty + (T - T_\\infty) e^{-\\Delta t\\, UA / C}, \\quad T_\\infty = T_{room} + P / UA

    Parameters
    ----------
    temperature_c : array-like
        [°C]
    power_w : array-like
        Heating less what draw-offs take, see `draw_off_power`. [W]
    dt_s : array-like
        [s]
    what : Tank

    Returns
    -------
    Heated

    Notes
    -----
    One node has no stratification: hot water runs out later in it than in a tall tank.

    Examples
    --------
    A tank at 55 °C in a room at 18 °C loses 1.3 kWh in a day:

    >>> round(sum(float(tank(55.0, 55.5, 3600.0, Tank()).lost_wh) for _ in range(24)))
    1332
    """
    capacity = np.asarray(what.litres, dtype=np.float64) * WATER_J_PER_L_K
    start = np.asarray(temperature_c, dtype=np.float64)
    settles = what.room_c + np.asarray(power_w) / what.loss_w_per_k
    after = settles + (start - settles) * np.exp(-np.asarray(dt_s) * what.loss_w_per_k / capacity)
    lost_ws = np.asarray(power_w) * dt_s - capacity * (after - start)
    return Heated(np.asarray(after), np.asarray(lost_ws / SECONDS_PER_HOUR))


def draw_off_power(
    litres: Values, dt_s: Values, tank_c: Values, cold_c: Values = 10.0, wanted_c: Values = 40.0
) -> Array:
    """Thermal power that tapping mixed water takes from a tank.

    .. math:: P = \\frac{V c (T_w - T_k)}{\\Delta t}

    of the tank, whatever its temperature above the wanted one: less hot water is mixed with more cold.

    Parameters
    ----------
    litres : array-like
        Mixed water tapped in the step. [l]
    dt_s : array-like
        [s]
    tank_c, cold_c, wanted_c : array-like
        [°C]

    Returns
    -------
    array-like
        Not negative; a tank colder than wanted gives what it has. [W]

    Examples
    --------
    >>> round(float(draw_off_power(60.0, 600.0, 55.0)))
    12558
    """
    warmth = np.clip(np.minimum(tank_c, wanted_c) - np.asarray(cold_c), 0.0, None)
    return np.asarray(np.asarray(litres) * WATER_J_PER_L_K * warmth / dt_s)


def heat_pump_cop(supply_c: Values, outside_c: Values, quality: Values = 0.40, most: Values = 6.0) -> Array:
    """Coefficient of performance of a heat pump as a share of Carnot's.

    .. math:: COP = \\min(\\eta \\frac{T_s + 273.15}{T_s - T_a}, COP_{max})

    Parameters
    ----------
    supply_c : array-like
        Of the heating water: 35 for a floor, 50 for radiators. [°C]
    outside_c : array-like
        Source air. [°C]
    quality : array-like, default 0.4
        Share of Carnot; 0.35 to 0.45 is usual.
    most : array-like, default 6

    Returns
    -------
    array-like
        Heat per electricity; under 3 °C air it is a tenth less, for defrosting.

    Examples
    --------
    >>> round(float(heat_pump_cop(35.0, 7.0)), 2), round(float(heat_pump_cop(50.0, -7.0)), 2)
    (4.4, 2.04)
    """
    lift = np.maximum(np.asarray(supply_c) - np.asarray(outside_c), 1.0)
    carnot = (np.asarray(supply_c) + ZERO_C_IN_K) / lift
    defrosting = np.where(np.asarray(outside_c) < 3.0, 0.9, 1.0)
    return np.asarray(np.minimum(quality * carnot, most) * defrosting)


class House(NamedTuple):
    """A house of two capacities: the air with what stands in it, and the envelope."""

    inside_j_per_k: float = 4e6
    envelope_j_per_k: float = 40e6
    inside_to_envelope_w_per_k: float = 400.0
    envelope_to_outside_w_per_k: float = 150.0
    ventilation_w_per_k: float = 60.0

    @property
    def loss_w_per_k(self) -> float:
        """Heat it needs per kelvin of difference when all has settled.

        >>> round(House().loss_w_per_k, 1)
        169.1
        """
        through = 1.0 / (1.0 / self.inside_to_envelope_w_per_k + 1.0 / self.envelope_to_outside_w_per_k)
        return through + self.ventilation_w_per_k


def house(inside_c: float, envelope_c: float, heat_w: float, outside_c: float, dt_s: float, what: House) -> Array:
    """Temperatures of a house after a step of constant heating and weather: 2R2C, exactly.

    .. math:: C_i \\dot T_i = P + G_{ie} (T_e - T_i) + G_v (T_a - T_i), \\quad
              C_e \\dot T_e = G_{ie} (T_i - T_e) + G_{ea} (T_a - T_e)

    The two temperatures run to where they settle along the two modes of the network, each exponentially.

    Parameters
    ----------
    inside_c, envelope_c : float
        At the start. [°C]
    heat_w : float
        Into the rooms, people and sun included. [W]
    outside_c : float
        [°C]
    dt_s : float
        [s]
    what : House

    Returns
    -------
    array
        Inside and envelope at the end. [°C]

    References
    ----------
    .. [1] P. Bacher, H. Madsen, "Identifying suitable models for the heat dynamics of buildings", Energy and Buildings
       43 (2011), the model with interior and envelope.

    Examples
    --------
    >>> [round(float(c), 2) for c in house(20.0, 15.0, 0.0, 0.0, 3600.0, House())]
    [17.63, 14.93]
    """
    matrix, push = _network(heat_w, outside_c, what)
    settled = -np.linalg.solve(matrix, push)
    rates, modes = np.linalg.eig(matrix)
    away = np.linalg.solve(modes, np.asarray([inside_c, envelope_c]) - settled)
    return np.real(settled + modes @ (away * np.exp(rates * dt_s)))


def _network(heat_w: float, outside_c: float, what: House) -> tuple[Array, Array]:
    """The system of the two temperatures: its matrix and its constant part. [1/s], [K/s]"""
    inner, outer, air = what.inside_to_envelope_w_per_k, what.envelope_to_outside_w_per_k, what.ventilation_w_per_k
    matrix = np.asarray(
        [
            [-(inner + air) / what.inside_j_per_k, inner / what.inside_j_per_k],
            [inner / what.envelope_j_per_k, -(inner + outer) / what.envelope_j_per_k],
        ]
    )
    push = np.asarray([(heat_w + air * outside_c) / what.inside_j_per_k, outer * outside_c / what.envelope_j_per_k])
    return matrix, push
