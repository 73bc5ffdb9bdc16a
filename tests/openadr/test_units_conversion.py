"""Values leave with their scale applied and come back as they have to be sent."""

from __future__ import annotations

import pytest

from console.openadr.model import ItemBase
from console.openadr.units import convert, convert_back, item_base_of, unit_of

PLAIN = ["W", "VA", "VAR", "Wh", "VAh", "VARh", "V", "A", "Hz", "°C", "°F", "thm", "EUR/kWh", "USD/kW", "EUR", "m³/h"]


@pytest.mark.parametrize("unit", PLAIN)
def test_a_unit_survives_the_way_there_and_back(unit: str):
    item = item_base_of(unit)
    assert unit_of(item) == unit
    assert convert(2.5, item) == (2.5, unit)


@pytest.mark.parametrize(
    ("scale", "sent", "plain"),
    [("k", 4.1, 4100.0), ("M", 0.5, 500_000.0), ("m", 7.0, 0.007), ("none", 3.0, 3.0), ("d", 15.0, 1.5)],
)
def test_the_scale_is_applied_away(scale: str, sent: float, plain: float):
    item = item_base_of("W", scale)
    assert convert(sent, item) == (pytest.approx(plain), "W")
    assert convert_back(plain, item) == pytest.approx(sent)


def test_pulses_count_as_energy():
    item = ItemBase(
        element="oadr:pulseCount",
        item_description="pulse count",
        item_units="count",
        si_scale_code=None,
        pulse_factor=0.5,
    )
    assert convert(4.0, item) == (2000.0, "Wh")
    assert convert_back(2000.0, item) == 4.0


def test_power_describes_its_grid_and_energy_does_not():
    power, energy = item_base_of("W", hertz=60.0, voltage=120.0), item_base_of("Wh")
    assert power is not None and power.power_attributes is not None
    assert (power.power_attributes.hertz, power.power_attributes.voltage) == (60.0, 120.0)
    assert energy is not None and energy.power_attributes is None


def test_no_unit_stays_none():
    assert item_base_of(None) is None
    assert convert(2.0, None) == (2.0, None)
