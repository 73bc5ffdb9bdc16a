"""Site files: TOML with one ``[site]`` table and one ``[[device]]`` table per device, units in the text.

`read_site_file` gives a `SiteConfig` or raises one `SiteFileError` that says where the file is wrong, what is wrong and
what is allowed instead. Values are checked here, once; everything behind counts in W, Wh, A, degrees and shares of 1.
"""

from __future__ import annotations

import re
import tomllib
from datetime import time
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar
from zoneinfo import available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from emulator.day_curves import Place
from emulator.devices import BaseLoadConfig, BatteryConfig, EvConfig, MeterConfig, PvConfig, WasherConfig
from emulator.links.ports import Ports
from emulator.physics.evse import MINIMUM_CURRENT_A, NOMINAL_V
from emulator.quantities import ANGLE, CURRENT, ENERGY, LENGTH, POWER, SHARE, Dimension, QuantityError
from emulator.site import DeviceConfig, SiteConfig
from emulator.toml_lines import line_in, line_of

_CONNECTION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*A\s+([13])-phase\s*")


class SiteFileError(ValueError):
    """A site file that cannot be used: where, what, and what is allowed."""

    def __init__(self, file: str, line: int, problem: str, allowed: str) -> None:
        super().__init__(file, line, problem, allowed)
        self.file = file
        self.line = line
        self.problem = f"{problem}."
        """A sentence."""
        self.allowed = f"Allowed: {allowed}."
        """A sentence."""

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.problem} {self.allowed}"


def _wrong(problem: str, allowed: str) -> PydanticCustomError:
    # both go as context: braces in what people write must not be read as a template
    return PydanticCustomError("site_file", "{problem}", {"problem": problem, "allowed": allowed})


def _quantity(
    dimension: Dimension, *, above: float | None = None, least: float | None = None, most: float | None = None
) -> BeforeValidator:
    """Reads a quantity and keeps it within bounds, given in our unit."""
    unit, size = next(iter(dimension.units.items()))
    bounds = [
        *([] if above is None else [f"above {above / size:g} {unit}"]),
        *([] if least is None else [f"at least {least / size:g} {unit}"]),
        *([] if most is None else [f"at most {most / size:g} {unit}"]),
    ]
    allowed = ", ".join([dimension.allowed, *bounds])

    def read(text: object) -> float:
        try:
            value = dimension.parse(text)
        except QuantityError as wrong:
            raise _wrong(str(wrong), allowed) from wrong
        too_small = (above is not None and value <= above) or (least is not None and value < least)
        if too_small or (most is not None and value > most):
            raise _wrong(f"{text} is too {'small' if too_small else 'large'}", allowed)
        return value

    return BeforeValidator(read)


def _clock(text: object) -> time:
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text) if isinstance(text, str) else None
    if found is None:
        raise _wrong(f"“{text}” is not a time of day", 'a local time of day such as "07:30"')
    return time(int(found[1]), int(found[2]))


def _timezone(text: object) -> str:
    if not isinstance(text, str) or text not in available_timezones():
        raise _wrong(f"“{text}” is not a time zone", 'a name of the IANA list such as "Europe/Amsterdam"')
    return text


def _connection(text: object) -> float:
    found = _CONNECTION.fullmatch(text) if isinstance(text, str) else None
    watts = None
    if found is not None:
        watts = float(found[1]) * int(found[2]) * NOMINAL_V
    elif isinstance(text, str):
        try:
            watts = POWER.parse(text)
        except QuantityError:
            watts = None
    if watts is None or watts <= 0.0:
        raise _wrong(f"“{text}” is not a connection", 'a fuse such as "25 A 3-phase" or a power such as "17 kW"')
    return watts


def _port(number: object) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= 65_535:
        raise _wrong(f"{number!r} is not a port", "0 for any free one, or a number up to 65535")
    return number


def _csms(text: object) -> str:
    if not isinstance(text, str) or not re.fullmatch(r"wss?://[^\s/]+(/\S*)?", text):
        raise _wrong(f"“{text}” is not the address of a CSMS", 'an address such as "ws://127.0.0.1:9000/ocpp"')
    return text


PositivePower = Annotated[float, _quantity(POWER, above=0.0)]
Power = Annotated[float, _quantity(POWER, least=0.0)]
Energy = Annotated[float, _quantity(ENERGY, above=0.0)]
Share = Annotated[float, _quantity(SHARE, least=0.0, most=1.0)]
TimeOfDay = Annotated[time, BeforeValidator(_clock)]
Port = Annotated[int, BeforeValidator(_port)]
Name = Annotated[str, Field(min_length=1, max_length=60)]


class Table(BaseModel):
    """A table of the file; keys it does not know are mistakes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    def contradiction(self) -> tuple[str, str, str] | None:
        """What does not fit together: key, problem, what is allowed."""
        return None


_T = TypeVar("_T", bound=Table)


class SiteTable(Table):
    name: Name
    latitude: Annotated[float, _quantity(ANGLE, least=-90.0, most=90.0)]
    longitude: Annotated[float, _quantity(ANGLE, least=-180.0, most=180.0)]
    timezone: Annotated[str, BeforeValidator(_timezone)]
    altitude: Annotated[float, _quantity(LENGTH, least=-430.0, most=9000.0)] = 0.0
    connection: Annotated[float, BeforeValidator(_connection)] = 25.0 * 3 * NOMINAL_V
    yearly_consumption: Energy = 3_500_000.0
    start: TimeOfDay | None = None
    failsafe: Power = 4_200.0
    essential: list[str] = []
    planner: bool = False
    s2_port: Port | None = None
    s2_token: str = ""
    s2_handshake: bool = True
    csms_port: Port | None = None
    csms_password: str = ""


class DeviceTable(Table):
    kind: ClassVar[str]
    name: Name

    def config(self, site: SiteTable) -> DeviceConfig:
        raise NotImplementedError


class PvTable(DeviceTable):
    kind = "pv"
    type: Literal["pv"]
    peak: PositivePower
    inverter: PositivePower | None = None
    tilt: Annotated[float, _quantity(ANGLE, least=0.0, most=90.0)] = 35.0
    azimuth: Annotated[float, _quantity(ANGLE, least=0.0, most=360.0)] = 180.0
    sunspec_port: Port | None = None

    def config(self, site: SiteTable) -> PvConfig:
        return PvConfig(self.name, self.peak, self.inverter, self.tilt, self.azimuth)


class BatteryTable(DeviceTable):
    kind = "battery"
    type: Literal["battery"]
    capacity: Energy
    charge: PositivePower
    discharge: PositivePower
    soc: Share = 0.5
    soc_min: Share = 0.05
    soc_max: Share = 0.95
    efficiency: Annotated[float, _quantity(SHARE, least=0.5, most=1.0)] = 0.95
    idle: Power = 10.0
    backup: bool = False
    sunspec_port: Port | None = None

    def contradiction(self) -> tuple[str, str, str] | None:
        if self.soc_min >= self.soc_max:
            return "soc_min", f"{self.soc_min:.0%} is not below soc_max", f"a share below {self.soc_max:.0%}"
        if not self.soc_min <= self.soc <= self.soc_max:
            return (
                "soc",
                f"{self.soc:.0%} is outside the battery's window",
                f"{self.soc_min:.0%} to {self.soc_max:.0%}, or another soc_min and soc_max",
            )
        return None

    def config(self, site: SiteTable) -> BatteryConfig:
        return BatteryConfig(
            name=self.name,
            capacity_wh=self.capacity,
            max_charge_w=self.charge,
            max_discharge_w=self.discharge,
            soc=self.soc,
            soc_min=self.soc_min,
            soc_max=self.soc_max,
            efficiency=self.efficiency,
            idle_w=self.idle,
            backup=self.backup,
        )


class EvTable(DeviceTable):
    kind = "ev"
    type: Literal["ev"]
    capacity: Energy
    soc: Share = 0.4
    target: Share = 0.8
    departure: TimeOfDay | None = None
    plugged_in: bool = True
    current: Annotated[float, _quantity(CURRENT, least=MINIMUM_CURRENT_A, most=80.0)] = 16.0
    phases: Literal[1, 3] = 3
    ocpp: Annotated[str, BeforeValidator(_csms)] | None = None

    def config(self, site: SiteTable) -> EvConfig:
        return EvConfig(
            name=self.name,
            capacity_wh=self.capacity,
            soc=self.soc,
            plugged=self.plugged_in,
            target_soc=self.target,
            departure=self.departure,
            i_max_a=self.current,
            phases=self.phases,
        )


class WasherTable(DeviceTable):
    kind = "washer"
    type: Literal["washer"]
    loaded: bool = True
    earliest_start: TimeOfDay | None = None
    ready_by: TimeOfDay | None = None

    def config(self, site: SiteTable) -> WasherConfig:
        return WasherConfig(self.name, loaded=self.loaded, earliest_start=self.earliest_start, ready_by=self.ready_by)


class BaseLoadTable(DeviceTable):
    kind = "base load"
    type: Literal["base load"]

    def config(self, site: SiteTable) -> BaseLoadConfig:
        return BaseLoadConfig(self.name, site.yearly_consumption)


class MeterTable(DeviceTable):
    kind = "meter"
    type: Literal["meter"]
    sunspec_port: Port | None = None

    def config(self, site: SiteTable) -> MeterConfig:
        return MeterConfig(self.name)


DEVICE_TABLES: dict[str, type[DeviceTable]] = {
    table.kind: table for table in (PvTable, BatteryTable, EvTable, WasherTable, BaseLoadTable, MeterTable)
}


def read_site_file(path: Path) -> SiteConfig:
    """Read a site file.

    Raises
    ------
    SiteFileError
        It cannot be read or used; the first mistake, with its line.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        why = wrong.strerror if isinstance(wrong, OSError) else "it is not UTF-8 text"
        raise SiteFileError(str(path), 1, f"the file cannot be read: {why}", "a readable TOML file") from wrong
    return parse_site_file(text, str(path))


def parse_site_file(text: str, file: str = "site.toml") -> SiteConfig:
    """`read_site_file` for a text at hand; ``file`` is its name in the message."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        what = re.sub(r"\s*\(at .*\)", "", str(wrong))
        raise SiteFileError(file, line_in(str(wrong)), f"not TOML: {what}", "TOML, see https://toml.io") from wrong
    return _Reader(text, file).site(tables)


class _Reader:
    """Checks the tables of one text and knows where they stand."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file

    def site(self, tables: dict[str, Any]) -> SiteConfig:
        for name in tables:
            if name not in ("site", "device"):
                raise self._error(name, 0, None, f"“{name}” is not a table of a site file", "[site] and [[device]]")
        if not isinstance(tables.get("site"), dict):
            raise self._error("site", 0, None, "the [site] table is missing", _keys(SiteTable))
        site = self._table(SiteTable, tables["site"], "site", 0)
        devices = self._devices(tables.get("device", []))
        names = [device.name for device in devices]
        for name in site.essential:
            if name not in names:
                raise self._error("site", 0, "essential", f"essential: “{name}” is not a device here", ", ".join(names))
        return SiteConfig(
            name=site.name,
            place=Place(site.latitude, site.longitude, site.timezone, site.altitude),
            connection_w=site.connection,
            devices=tuple(each.config(site) for each in devices),
            start=site.start,
            failsafe_w=site.failsafe,
            essential=tuple(site.essential),
            planner=site.planner,
            ports=_ports(site, devices),
        )

    def _devices(self, tables: object) -> list[DeviceTable]:
        if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
            problem = "there is no device" if tables == [] else "“device” is not a list of tables"
            raise self._error("device", 0, None, problem, "at least one [[device]] table")
        devices: list[DeviceTable] = []
        for number, table in enumerate(tables):
            device = self._device(table, number)
            if device.name in (other.name for other in devices):
                raise self._error("device", number, "name", f"“{device.name}” is the name of two devices", "one each")
            if device.kind == "meter" and any(other.kind == "meter" for other in devices):
                raise self._error("device", number, "type", "a second meter", "one meter, at the connection point")
            devices.append(device)
        return devices

    def _device(self, table: dict[str, Any], number: int) -> DeviceTable:
        known = ", ".join(f'"{kind}"' for kind in DEVICE_TABLES)
        if "type" not in table:
            raise self._error("device", number, None, "the device has no type", f"type = one of {known}")
        kind = table["type"]
        if not isinstance(kind, str) or kind not in DEVICE_TABLES:
            raise self._error("device", number, "type", f"“{kind}” is not a type of device", known)
        return self._table(DEVICE_TABLES[kind], table, "device", number)

    def _table(self, model: type[_T], table: dict[str, Any], name: str, number: int) -> _T:
        try:
            read = model.model_validate(table)
        except ValidationError as wrong:
            raise self._from_pydantic(wrong.errors()[0], model, name, number) from None
        contradiction = read.contradiction()
        if contradiction is not None:
            key, problem, allowed = contradiction
            raise self._error(name, number, key, f"{key}: {problem}", allowed)
        return read

    def _from_pydantic(self, wrong: ErrorDetails, model: type[Table], name: str, number: int) -> SiteFileError:
        key = str(wrong["loc"][0])
        context = wrong.get("ctx", {})
        match wrong["type"]:
            case "extra_forbidden":
                problem, allowed = f"“{key}” is not a key of this table", _keys(model)
            case "missing":
                what = "device" if name == "device" else "site"
                return self._error(name, number, None, f"the {what} has no {key}", _keys(model))
            case "site_file":
                problem, allowed = f"{key}: {context['problem']}", str(context["allowed"])
            case "literal_error":
                problem, allowed = f"{key}: {wrong['input']!r} is not known here", str(context["expected"])
            case "bool_type":
                problem, allowed = f"{key}: {wrong['input']!r} is neither yes nor no", "true or false"
            case "string_too_short" | "string_too_long" | "string_type":
                problem, allowed = f"{key}: {wrong['input']!r} is not a name", "a text of 1 to 60 characters"
            case _:
                problem, allowed = f"{key}: {wrong['input']!r} does not do", wrong["msg"]
        return self._error(name, number, key, problem, allowed)

    def _error(self, table: str, number: int, key: str | None, problem: str, allowed: str) -> SiteFileError:
        return SiteFileError(self._file, line_of(self._text, table, number, key), problem, allowed)


def _ports(site: SiteTable, devices: list[DeviceTable]) -> Ports:
    """The doors that the tables ask for."""
    served = (PvTable, BatteryTable, MeterTable)
    return Ports(
        s2=site.s2_port,
        s2_token=site.s2_token,
        s2_handshake=site.s2_handshake,
        csms=site.csms_port,
        csms_password=site.csms_password,
        sunspec=tuple(
            (each.name, each.sunspec_port)
            for each in devices
            if isinstance(each, served) and each.sunspec_port is not None
        ),
        ocpp=tuple((each.name, each.ocpp) for each in devices if isinstance(each, EvTable) and each.ocpp is not None),
    )


def _keys(model: type[Table]) -> str:
    """The keys of a table, those that may be left out in brackets."""
    return ", ".join(name if field.is_required() else f"[{name}]" for name, field in model.model_fields.items())
