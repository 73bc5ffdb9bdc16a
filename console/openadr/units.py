"""Values and their units: from the standard's item base to plain W, Wh, V, EUR/kWh … scale applied, and back."""

from __future__ import annotations

from console.openadr.model.item import CURRENCY_CODES, UNITS, ItemBase, OadrGBDataDescription, PowerAttributes

EXPONENTS: dict[str, int] = {
    "p": -12,
    "n": -9,
    "micro": -6,
    "m": -3,
    "c": -2,
    "d": -1,
    "none": 0,
    "k": 3,
    "M": 6,
    "G": 9,
    "T": 12,
}
"""siScaleCode -> power of ten."""

_PLAIN: dict[str, str] = {
    "power:powerReal": "W",
    "power:powerApparent": "VA",
    "power:powerReactive": "VAR",
    "power:energyReal": "Wh",
    "power:energyApparent": "VAh",
    "power:energyReactive": "VARh",
    "power:voltage": "V",
    "oadr:current": "A",
    "oadr:frequency": "Hz",
    "oadr:Therm": "thm",
}
_TEMPERATURES = {"celsius": "°C", "fahrenheit": "°F"}
_PER = {"oadr:currencyPerKWh": "/kWh", "oadr:currencyPerKW": "/kW", "oadr:currencyPerThm": "/thm", "oadr:currency": ""}
_WH_PER_KWH = 1000.0

Unit = ItemBase | OadrGBDataDescription | None


def unit_of(item_base: Unit) -> str | None:
    """Plain unit of values beside this item base; None where there is none or it is not ours to read.

    Pulses count as energy: ``Wh`` by their pulseFactor.
    """
    if not isinstance(item_base, ItemBase):
        return None
    name = item_base.element
    if name in _PLAIN:
        return _PLAIN[name]
    if name in _PER:
        return item_base.item_units + _PER[name]
    if name == "oadr:temperature":
        return _TEMPERATURES.get(item_base.item_units, item_base.item_units)
    if name == "oadr:pulseCount":
        return "Wh" if item_base.pulse_factor is not None else "count"
    return item_base.item_units


def convert(value: float, item_base: Unit) -> tuple[float, str | None]:
    """A value as sent -> the value with its scale applied, and its plain unit."""
    unit = unit_of(item_base)
    if not isinstance(item_base, ItemBase):
        return value, unit
    if item_base.pulse_factor is not None and item_base.element == "oadr:pulseCount":
        return value * item_base.pulse_factor * _WH_PER_KWH, unit
    return _scaled(value, EXPONENTS.get(item_base.si_scale_code or "none", 0)), unit


def convert_back(value: float, item_base: Unit) -> float:
    """A value in the plain unit -> as it has to be sent beside this item base; the reverse of :func:`convert`."""
    if not isinstance(item_base, ItemBase):
        return value
    if item_base.pulse_factor and item_base.element == "oadr:pulseCount":
        return value / (item_base.pulse_factor * _WH_PER_KWH)
    return _scaled(value, -EXPONENTS.get(item_base.si_scale_code or "none", 0))


def item_base_of(
    unit: str | None, scale: str = "none", *, hertz: float = 50.0, voltage: float = 230.0, ac: bool = True
) -> ItemBase | None:
    """The item base of a plain unit (``W``, ``EUR/kWh``, …), values in ``scale``; None for no unit.

    A unit that is none of the standard's becomes customUnit. ``hertz``, ``voltage`` and ``ac`` describe the grid a
    power refers to. [Hz, V]
    """
    if unit is None:
        return None
    name, item_units = _element_of(unit)
    form = UNITS[name]
    return ItemBase(
        element=name,
        item_description=form.description.fixed or _description(name),
        item_units=form.units.fixed or item_units,
        si_scale_code=scale,
        power_attributes=PowerAttributes(hertz=hertz, voltage=voltage, ac=ac)
        if "power_attributes" in form.parts
        else None,
    )


def _scaled(value: float, exponent: int) -> float:
    """``value`` times ten to ``exponent``; dividing by a whole power keeps 0.1 k at exactly 100."""
    return value * 10.0**exponent if exponent >= 0 else value / 10.0**-exponent


def _element_of(unit: str) -> tuple[str, str]:
    for name, plain in _PLAIN.items():
        if plain == unit:
            return name, unit
    for item_units, plain in _TEMPERATURES.items():
        if plain == unit:
            return "oadr:temperature", item_units
    currency, slash, rest = unit.partition("/")
    if currency in CURRENCY_CODES:
        for name, per in _PER.items():
            if per == slash + rest:
                return name, currency
    return "oadr:customUnit", unit


def _description(name: str) -> str:
    """itemDescription of a unit that has a choice: the element's own name where the list has it."""
    local = name.partition(":")[2]
    return {"customUnit": "customUnit", "currencyPerThm": "currency"}.get(local, local)
