"""Emulated devices as SunSpec units: PV plant and battery as DER (models 701, 702, 704, 713), the meter as model 203.

SunSpec counts generation positive in the 7xx models and import positive at a meter; the house counts consumption
positive: the sign turns here and nowhere else. What a client sets by model 704 acts on the device as a limit or an
override of its own, beside what the energy manager says, and reverts when its reversion timer runs out, as a real
inverter does when its master is lost. Timers and counters go by site time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from emulator.devices import Battery, Device, GridMeter, PvPlant
from emulator.links.sunspec.registers import Image, Model, Refusal, WriteRefused

SOURCE = "SunSpec Modbus"
SECONDS_PER_HOUR = 3600.0
PERCENT = 100.0
NOMINAL_V = 230.0
WYE_METER, AC, RATINGS, CONTROLS, STORAGE = 203, 701, 702, 704, 713
OFF, SLEEPING, RUNNING, THROTTLED, STANDBY = 0, 1, 3, 4, 7
"""Inverter states of model 701."""
MAX_W, FIXED_W = 1 << 0, 1 << 1
"""Control modes of model 702 and sources of throttling of model 701."""


class Unit(Protocol):
    """What a server serves: an image kept up to date, and writes."""

    image: Image

    def refresh(self) -> None:
        """Bring the image up to the device's present."""
        ...

    def stepped(self, now: datetime, dt_s: float) -> None:
        """A step of the site has been made."""
        ...

    def write(self, address: int, registers: list[int]) -> None:
        """Take a write request whole, or raise `WriteRefused` and change nothing."""
        ...


def unit_for(device: object, voltage_v: Callable[[], float], frequency_hz: Callable[[], float]) -> Unit | None:
    """The unit of a device, or None where SunSpec has no model for it here. The callables give the grid's present."""
    match device:
        case PvPlant():
            return PvUnit(device, voltage_v, frequency_hz)
        case Battery():
            return BatteryUnit(device, voltage_v, frequency_hz)
        case GridMeter():
            return MeterUnit(device)
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Range:
    """What may be written to a point, in its unit."""

    low: float
    high: float

    def check(self, name: str, value: float) -> None:
        if not self.low <= value <= self.high:
            raise WriteRefused(Refusal.ILLEGAL_VALUE, f"{name}: {value:g} is outside {self.low:g} … {self.high:g}")


LONGEST_REVERSION_S = 7.0 * 86_400.0
SWITCH = Range(0.0, 1.0)
TIMER = Range(0.0, LONGEST_REVERSION_S)


class Control:
    """One control of model 704 with its reversion: while enabled its timer runs, and at its end the fallback holds.

    ``values`` are its set points with their ranges; each has a fallback point called like it with ``Rvrt``.
    """

    def __init__(self, model: Model, name: str, values: dict[str, Range], others: dict[str, Range]) -> None:
        self._model = model
        self._name = name
        self._values = values
        fallbacks = {f"{value}Rvrt": allowed for value, allowed in values.items()}
        switches = {f"{name}Ena": SWITCH, f"{name}EnaRvrt": SWITCH, f"{name}RvrtTms": TIMER}
        self.ranges: dict[str, Range] = {**values, **fallbacks, **switches, **others}

    @property
    def enabled(self) -> bool:
        return self._model.get(f"{self._name}Ena") == 1.0

    def value(self, name: str) -> float:
        return self._model.get(name) or 0.0

    def written(self) -> None:
        """Any of its points was written: the master is alive, so the timer starts anew."""
        seconds = self._model.get(f"{self._name}RvrtTms") or 0.0
        self._model.put(f"{self._name}RvrtRem", seconds if self.enabled else 0.0)

    def run(self, dt_s: float) -> bool:
        """Let the timer run; says whether it ended now and the fallback holds from here on."""
        left_s = self._model.get(f"{self._name}RvrtRem") or 0.0
        if not self.enabled or left_s <= 0.0:
            return False
        self._model.put(f"{self._name}RvrtRem", max(left_s - dt_s, 0.0))
        if left_s > dt_s:
            return False
        for value in self._values:
            fallback = self._model.get(f"{value}Rvrt")
            if fallback is not None:
                self._model.put(value, fallback)
        self._model.put(f"{self._name}Ena", self._model.get(f"{self._name}EnaRvrt") or 0.0)
        return True


def writable(control: str, values: tuple[str, ...], others: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Names of the points of a control that a client may set."""
    fallbacks = tuple(f"{value}Rvrt" for value in values)
    return (*values, *fallbacks, f"{control}Ena", f"{control}EnaRvrt", f"{control}RvrtTms", *others)


def scale_for(power_w: float) -> int:
    """Scale factor with which a power fits 16 bits with room to spare.

    >>> scale_for(5000.0), scale_for(250_000.0)
    (0, 1)
    """
    factor = 0
    while power_w * 1.5 > 32_000.0 * 10.0**factor:
        factor += 1
    return factor


def common(device: Device) -> Model:
    """Model 1: who made it and what it is."""
    told = {"Mn": "Nodebench", "Md": f"emulated {device.kind}"[:32], "Vr": "1", "SN": device.name[:32], "DA": 1}
    return Model(1, told)


class DerUnit:
    """What PV and battery share: AC measurement, ratings, one control."""

    def __init__(
        self,
        device: PvPlant | Battery,
        rated_w: float,
        control: tuple[str, dict[str, Range], dict[str, Range]],
        modes: int,
        voltage_v: Callable[[], float],
        frequency_hz: Callable[[], float],
        *more: Model,
    ) -> None:
        self._power_of = device
        self._rated_w = rated_w
        self._voltage_v, self._frequency_hz = voltage_v, frequency_hz
        self._injected_wh = self._absorbed_wh = 0.0
        watts = scale_for(rated_w)
        scales = {"W_SF": watts, "VA_SF": watts, "Var_SF": watts, "A_SF": -1, "V_SF": -1, "Hz_SF": -3, "PF_SF": -3}
        self._ac = Model(AC, {**scales, "TotWh_SF": 0, "ACType": 0, "ConnSt": 1})
        self._ratings = Model(RATINGS, {"W_SF": watts, "VA_SF": watts, "V_SF": -1, "A_SF": -1, "CtrlModes": modes})
        name, values, others = control
        fixed = {"WMaxLimPct_SF": -1, "WSet_SF": 0, "WSetPct_SF": -1}
        self._controls = Model(CONTROLS, fixed, writable(name, tuple(values), tuple(others)))
        self.control = Control(self._controls, name, values, others)
        for point, allowed in self.control.ranges.items():
            self._controls.put(point, min(max(0.0, allowed.low), allowed.high))
        self._controls.put(f"{name}RvrtRem", 0.0)
        for point in ("WMaxRtg", "WMax", "VAMaxRtg", "VAMax"):
            self._ratings.put(point, rated_w)
        self._ratings.put("VNomRtg", NOMINAL_V)
        self.image = Image(common(device), self._ac, self._ratings, self._controls, *more)

    def refresh(self) -> None:
        given_w, volts = -self._power_of.power_w, self._voltage_v()
        ac = self._ac
        for point in ("W", "WL1"):
            ac.put(point, given_w)
        for point in ("VA", "VAL1"):
            ac.put(point, abs(given_w))
        ac.put("Var", 0.0)
        ac.put("PF", 1.0)
        for point in ("A", "AL1"):
            ac.put(point, abs(given_w) / volts)
        for point in ("LNV", "VL1"):
            ac.put(point, volts)
        ac.put("Hz", self._frequency_hz())
        ac.put("TotWhInj", self._injected_wh)
        ac.put("TotWhAbs", self._absorbed_wh)

    def stepped(self, now: datetime, dt_s: float) -> None:
        moved_wh = self._power_of.power_w * dt_s / SECONDS_PER_HOUR
        if moved_wh > 0.0:
            self._absorbed_wh += moved_wh
        elif moved_wh < 0.0:
            self._injected_wh -= moved_wh
        if self.control.run(dt_s):
            self.act()

    def write(self, address: int, registers: list[int]) -> None:
        points = {name: value for (_, name), value in self.image.parse(address, registers).items()}
        for name, value in points.items():
            self.control.ranges[name].check(name, value)
        for name, value in points.items():
            self._controls.put(name, value)
        self.control.written()
        self.act()

    def act(self) -> None:
        """Have the device do what the control says now."""
        raise NotImplementedError


class PvUnit(DerUnit):
    """WMaxLimPct: give at most this share of the rating."""

    def __init__(self, plant: PvPlant, voltage_v: Callable[[], float], frequency_hz: Callable[[], float]) -> None:
        control = ("WMaxLimPct", {"WMaxLimPct": Range(0.0, PERCENT)}, {})
        super().__init__(plant, plant.ac_w, control, MAX_W, voltage_v, frequency_hz)
        self._plant = plant
        for point in ("WMaxLimPct", "WMaxLimPctRvrt"):
            self._controls.put(point, PERCENT)

    def refresh(self) -> None:
        super().refresh()
        dark, limited = self._plant.available_w >= 0.0, self._plant.limited
        self._ac.put("St", float(not dark))
        self._ac.put("InvSt", SLEEPING if dark else THROTTLED if limited else RUNNING)
        self._ac.put("ThrotSrc", float(MAX_W if limited else 0))

    def act(self) -> None:
        share = self.control.value("WMaxLimPct") / PERCENT
        self._plant.set_lower_limit(-share * self._plant.ac_w if self.control.enabled else None, SOURCE)


class BatteryUnit(DerUnit):
    """WSet: give (+) or take (−) this power, in watts or as a share of the rating."""

    def __init__(self, battery: Battery, voltage_v: Callable[[], float], frequency_hz: Callable[[], float]) -> None:
        rated_w = max(battery.max_charge_w, battery.max_discharge_w)
        power = Range(-battery.max_charge_w, battery.max_discharge_w)
        share = Range(power.low / rated_w * PERCENT, power.high / rated_w * PERCENT)
        control = ("WSet", {"WSet": power, "WSetPct": share}, {"WSetMod": SWITCH})
        energy = scale_for(battery.capacity_wh)
        self._storage = Model(STORAGE, {"WH_SF": energy, "Pct_SF": -1, "Sta": 0})
        super().__init__(battery, rated_w, control, FIXED_W, voltage_v, frequency_hz, self._storage)
        self._battery = battery
        self._ratings.put("WChaRteMaxRtg", battery.max_charge_w)
        self._ratings.put("WDisChaRteMaxRtg", battery.max_discharge_w)
        self._storage.put("WHRtg", battery.capacity_wh)
        self._storage.put("SoH", PERCENT)

    def refresh(self) -> None:
        super().refresh()
        self._ac.put("St", 1.0)
        self._ac.put("InvSt", STANDBY if abs(self._battery.storage_w) < 1.0 else RUNNING)
        self._storage.put("SoC", self._battery.soc * PERCENT)
        self._storage.put("WHAvail", max(self._battery.soc - self._battery.soc_min, 0.0) * self._battery.capacity_wh)

    def act(self) -> None:
        if not self.control.enabled:
            self._battery.set_override(None, SOURCE)
            return
        in_watts = self.control.value("WSetMod") == 1.0
        given_w = self.control.value("WSet") if in_watts else self.control.value("WSetPct") / PERCENT * self._rated_w
        self._battery.set_override(-given_w, SOURCE)


class MeterUnit:
    """The connection point as a three-phase wye meter; import is positive, the phases share alike. Nothing to write."""

    def __init__(self, meter: GridMeter, most_w: float = 100_000.0) -> None:
        self._meter = meter
        watts = scale_for(most_w)
        scales = {"A_SF": -1, "V_SF": -1, "Hz_SF": -2, "W_SF": watts, "VA_SF": watts, "PF_SF": -2, "TotWh_SF": 0}
        self._model = Model(WYE_METER, {**scales, "VAR_SF": watts, "Evt": 0})
        self.image = Image(common(meter), self._model)

    def refresh(self) -> None:
        meter, put = self._meter, self._model.put
        put("W", meter.power_w)
        put("VA", abs(meter.power_w))
        put("A", abs(meter.power_w) / meter.voltage_v)
        for phase in "ABC":
            put(f"Wph{phase}", meter.power_w / 3.0)
            put(f"PhVph{phase}", meter.voltage_v)
            put(f"Aph{phase}", abs(meter.power_w) / meter.voltage_v / 3.0)
        put("PhV", meter.voltage_v)
        put("PPV", meter.voltage_v * 3.0**0.5)
        for pair in ("AB", "BC", "CA"):
            put(f"PhVph{pair}", meter.voltage_v * 3.0**0.5)
        put("Hz", meter.frequency_hz)
        put("TotWhImp", meter.import_wh)
        put("TotWhExp", meter.export_wh)

    def stepped(self, now: datetime, dt_s: float) -> None:
        """The meter has registers of its own."""

    def write(self, address: int, registers: list[int]) -> None:
        self.image.parse(address, registers)
