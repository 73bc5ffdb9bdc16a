"""Quantities as people write them in a site file: a number and a unit in one text, ``"5 kW"``."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER_AND_UNIT = re.compile(r"\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+))\s*(.*?)\s*")


class QuantityError(ValueError):
    """The text is not a quantity of that dimension; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """What can be measured, and the units it may be written in."""

    noun: str
    """With its article: ``a power``."""
    example: str
    units: dict[str, float]
    """Unit as written: how many of ours it is."""

    def parse(self, text: object) -> float:
        """The number in our unit: W, Wh, A, m, degrees, or a share of 1.

        Raises
        ------
        QuantityError
            No number, no unit, or a unit of something else.

        Examples
        --------
        >>> POWER.parse("5 kW"), SHARE.parse("45 %")
        (5000.0, 0.45)
        """
        if isinstance(text, bool) or not isinstance(text, str | int | float):
            raise QuantityError(f"is not {self.noun}")
        if not isinstance(text, str):
            raise QuantityError(f"{text} has no unit")
        found = _NUMBER_AND_UNIT.fullmatch(text)
        if found is None:
            raise QuantityError(f"“{text}” is not {self.noun}")
        number, unit = found.groups()
        if not unit:
            raise QuantityError(f"“{text}” has no unit")
        if unit not in self.units:
            raise QuantityError(f"“{unit}” is not a unit of {self.noun.split(maxsplit=1)[1]}")
        return float(number) * self.units[unit]

    @property
    def allowed(self) -> str:
        """What to write instead."""
        return f'{self.noun} such as "{self.example}" (units: {", ".join(self.units)})'


POWER = Dimension("a power", "5 kW", {"W": 1.0, "kW": 1e3, "MW": 1e6, "Wp": 1.0, "kWp": 1e3})
ENERGY = Dimension("an energy", "10 kWh", {"Wh": 1.0, "kWh": 1e3, "MWh": 1e6})
CURRENT = Dimension("a current", "16 A", {"A": 1.0})
ANGLE = Dimension("an angle", "35 deg", {"deg": 1.0, "°": 1.0})
LENGTH = Dimension("a height", "30 m", {"m": 1.0})
SHARE = Dimension("a share", "45 %", {"%": 0.01})
