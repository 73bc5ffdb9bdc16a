"""A PV plant under a clear sky: from sun position to AC power, by pvlib.

pvlib takes a second to import, so it is imported in the call; one call for a whole day's grid costs some 40 ms. Power
is given positive here, as pvlib does; a device turns the sign.
"""

# pvlib and pandas say too little of their types for strict checking
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from emulator.physics.values import Array


class Plant(NamedTuple):
    """Where the modules stand and what they give."""

    latitude: float
    longitude: float
    altitude_m: float = 0.0
    peak_w: float = 5_000.0
    """DC at standard test conditions."""
    inverter_w: float = 5_000.0 / 1.2
    """AC rating."""
    tilt_deg: float = 35.0
    azimuth_deg: float = 180.0
    """0 north, 90 east, 180 south."""
    losses: float = 0.14
    """Soiling, mismatch, wiring and the like (PVWatts)."""
    gamma_per_k: float = -0.0035
    """Power coefficient of temperature."""
    inverter_efficiency: float = 0.96
    air_c: float = 15.0
    wind_m_s: float = 1.0
    albedo: float = 0.2


def clear_sky_power(plant: Plant, start: datetime, spacing_s: float, count: int) -> Array:
    """AC power of a plant under a clear sky at even instants.

    The chain is sun position, Ineichen and Perez clear sky with the Linke turbidity of place and month, Hay and Davies
    transposition, Sandia cell temperature (open rack, glass on polymer), PVWatts DC and PVWatts inverter, clipped at
    the inverter's rating:

    .. math:: P_{dc} = P_{peak} \\frac{G}{1000} (1 + \\gamma (T_c - 25)) (1 - l)

    Parameters
    ----------
    plant : Plant
    start : datetime
        First instant, aware.
    spacing_s : float
        [s]
    count : int
        Number of instants.

    Returns
    -------
    array
        Not negative. [W]

    References
    ----------
    .. [1] P. Ineichen, R. Perez, "A new airmass independent formulation for the Linke turbidity coefficient", Solar
       Energy 73 (2002).
    .. [2] A. Dobos, PVWatts Version 5 Manual, NREL/TP-6A20-62641, 2014.
    .. [3] K. Anderson et al., "pvlib python: 2023 project update", JOSS 8(92), 5994 (2023).
    """
    import pandas as pd
    from pvlib import inverter, irradiance, pvsystem, temperature
    from pvlib.location import Location

    times = pd.DatetimeIndex([start + timedelta(seconds=spacing_s * number) for number in range(count)])
    place = Location(plant.latitude, plant.longitude, "UTC", plant.altitude_m)
    sun = place.get_solarposition(times)
    sky = place.get_clearsky(times, model="ineichen", solar_position=sun)
    plane = irradiance.get_total_irradiance(
        plant.tilt_deg,
        plant.azimuth_deg,
        sun["apparent_zenith"],
        sun["azimuth"],
        sky["dni"],
        sky["ghi"],
        sky["dhi"],
        dni_extra=irradiance.get_extra_radiation(times),
        model="haydavies",
        albedo=plant.albedo,
    )["poa_global"]
    plane = plane.fillna(0.0).clip(lower=0.0)
    mounting = temperature.TEMPERATURE_MODEL_PARAMETERS["sapm"]["open_rack_glass_polymer"]
    cell_c = temperature.sapm_cell(plane, plant.air_c, plant.wind_m_s, **mounting)
    dc_w = pvsystem.pvwatts_dc(plane, cell_c, plant.peak_w, plant.gamma_per_k) * (1.0 - plant.losses)
    ac_w = inverter.pvwatts(dc_w, plant.inverter_w / plant.inverter_efficiency, eta_inv_nom=plant.inverter_efficiency)
    return np.clip(np.nan_to_num(np.asarray(ac_w, dtype=np.float64)), 0.0, plant.inverter_w)
