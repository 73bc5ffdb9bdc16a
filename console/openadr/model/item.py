"""emix:itemBase: the unit beside values. One class for the sixteen units, one for Green Button's description.

:data:`UNITS` says what each unit element holds; ``console.openadr.units`` converts values with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from console.openadr.elements import (
    BOOLEAN,
    DECIMAL,
    FLOAT,
    GROUPS,
    RAW,
    SI_SCALE_CODE,
    STRING,
    Lexical,
    element,
    xml,
)


@element(
    "power:powerAttributes",
    type="power:PowerAttributesType",
    clause="6.1",
    meaning="The kind of grid a power refers to.",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class PowerAttributes:
    hertz: float = field(metadata=xml("power:hertz", DECIMAL, "Frequency of the grid. [Hz]"))
    voltage: float = field(metadata=xml("power:voltage", DECIMAL, "Voltage of the grid. [V]"))
    ac: bool = field(metadata=xml("power:ac", BOOLEAN, "Whether it is alternating current."))


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemBase:
    """Unit of the values beside it; ``element`` is the qualified name, such as ``power:powerReal``."""

    element: str
    item_description: str
    item_units: str
    si_scale_code: str | None = "none"
    """None for pulseCount alone."""
    power_attributes: PowerAttributes | None = None
    """For powerReal, powerApparent, powerReactive, where it is required."""
    pulse_factor: float | None = None
    """For pulseCount: kWh for each count."""


@element(
    "oadr:oadrGBDataDescription",
    type="oadr:oadrGBItemBase",
    clause="6.2",
    meaning="Green Button description of data.",
    group="itemBase",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class OadrGBDataDescription:
    feed: bytes = field(metadata=xml("atom:feed", RAW, "The Atom feed as sent."))


@dataclass(frozen=True, slots=True)
class UnitForm:
    """Content of one unit element: what stands in itemDescription and itemUnits, and what follows them."""

    name: str
    type: str
    description: Lexical
    units: Lexical
    parts: tuple[str, ...]
    """Fields of :class:`ItemBase` after the first two, in order."""
    meaning: str

    @property
    def prefix(self) -> str:
        """Namespace of itemDescription and itemUnits: that of the unit element."""
        return self.name.partition(":")[0]


_CURRENCIES = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYR BZD CAD "
    "CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EEK EGP ERN ETB EUR FJD FKP GBP GEL "
    "GHS GIP GMD GNF GTQ GWP GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW "
    "KWD KYD KZT LAK LBP LKR LRD LSL LTL LVL LYD MAD MDL MGA MKD MMK MNT MOP MRO MUR MVR MWK MXN MXV MYR MZN NAD "
    "NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLL SOS "
    "SRD STD SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN USS UYI UYU UZS VEF VND VUV WST XAF "
    "XAG XAU XBA XBB XBC XBD XCD XDR XFU XOF XPD XPF XPT XTS XXX YER ZAR ZMK ZWL"
)
CURRENCY_CODES = tuple(_CURRENCIES.split())
"""ISO 4217 alpha-3 of 2010, as the standard lists them."""


def _fixed(text: str) -> Lexical:
    return Lexical("string", "string", f"the text {text}", fixed=text)


_CURRENCY = Lexical("clm:ISO3AlphaCurrencyCodeContentType", "token", "a currency code such as EUR", CURRENCY_CODES)
_CURRENCY_DESCRIPTION = Lexical(
    "oadr:currencyItemDescriptionType",
    "token",
    "one of currency, currencyPerKW, currencyPerKWh",
    ("currency", "currencyPerKW", "currencyPerKWh"),
)
_WATT = Lexical("", "token", "W or J/s", ("W", "J/s"))
_TEMPERATURE = Lexical("oadr:temperatureUnitType", "token", "celsius or fahrenheit", ("celsius", "fahrenheit"))
_SCALE = ("si_scale_code",)
_GRID = ("si_scale_code", "power_attributes")

UNITS: dict[str, UnitForm] = {
    form.name: form
    for form in (
        UnitForm("power:powerReal", "power:PowerRealType", _fixed("RealPower"), _WATT, _GRID, "Real power."),
        UnitForm(
            "power:powerApparent",
            "power:PowerApparentType",
            _fixed("ApparentPower"),
            _fixed("VA"),
            _GRID,
            "Apparent power.",
        ),
        UnitForm(
            "power:powerReactive",
            "power:PowerReactiveType",
            _fixed("ReactivePower"),
            _fixed("VAR"),
            _GRID,
            "Reactive power.",
        ),
        UnitForm("power:energyReal", "power:EnergyRealType", _fixed("RealEnergy"), _fixed("Wh"), _SCALE, "Energy."),
        UnitForm(
            "power:energyApparent",
            "power:EnergyApparentType",
            _fixed("ApparentEnergy"),
            _fixed("VAh"),
            _SCALE,
            "Apparent energy.",
        ),
        UnitForm(
            "power:energyReactive",
            "power:EnergyReactiveType",
            _fixed("ReactiveEnergy"),
            _fixed("VARh"),
            _SCALE,
            "Reactive energy.",
        ),
        UnitForm("power:voltage", "power:VoltageType", _fixed("Voltage"), _fixed("V"), _SCALE, "Voltage."),
        UnitForm("oadr:current", "oadr:CurrentType", _fixed("Current"), _fixed("A"), _SCALE, "Current."),
        UnitForm("oadr:frequency", "oadr:FrequencyType", _fixed("Frequency"), _fixed("Hz"), _SCALE, "Frequency."),
        UnitForm(
            "oadr:temperature", "oadr:temperatureType", _fixed("temperature"), _TEMPERATURE, _SCALE, "Temperature."
        ),
        UnitForm("oadr:Therm", "oadr:ThermType", _fixed("Therm"), _fixed("thm"), _SCALE, "Heat, in therms."),
        UnitForm("oadr:currency", "oadr:currencyType", _CURRENCY_DESCRIPTION, _CURRENCY, _SCALE, "Money."),
        UnitForm("oadr:currencyPerKWh", "oadr:currencyType", _CURRENCY_DESCRIPTION, _CURRENCY, _SCALE, "Energy price."),
        UnitForm("oadr:currencyPerKW", "oadr:currencyType", _CURRENCY_DESCRIPTION, _CURRENCY, _SCALE, "Power price."),
        UnitForm("oadr:currencyPerThm", "oadr:currencyType", _CURRENCY_DESCRIPTION, _CURRENCY, _SCALE, "Heat price."),
        UnitForm(
            "oadr:pulseCount",
            "oadr:pulseCountType",
            _fixed("pulse count"),
            _fixed("count"),
            ("pulse_factor",),
            "Pulses of a meter.",
        ),
        UnitForm("oadr:customUnit", "oadr:BaseUnitType", STRING, STRING, _SCALE, "A unit of one's own."),
    )
}
"""Qualified name of the unit element -> its content."""

UNIT_PARTS: dict[str, tuple[str, Lexical | type[PowerAttributes], str]] = {
    "si_scale_code": ("scale:siScaleCode", SI_SCALE_CODE, "Power of ten the values are given in."),
    "power_attributes": ("power:powerAttributes", PowerAttributes, "The grid the power refers to."),
    "pulse_factor": ("oadr:pulseFactor", FLOAT, "Energy of one pulse. [kWh]"),
}
"""Field of :class:`ItemBase` -> element, type, meaning."""

GROUPS["itemBase"].update(dict.fromkeys(UNITS, ItemBase))
