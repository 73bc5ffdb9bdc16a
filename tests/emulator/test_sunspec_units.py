"""SunSpec units without a socket: signs, limits, reversion, and writes that are refused whole."""

from __future__ import annotations

import math
import struct
from datetime import UTC, datetime

import pytest

from emulator.day_curves import Place
from emulator.devices import BatteryConfig, MeterConfig, PvConfig
from emulator.links.sunspec.registers import BASE, Image, Model, Refusal, WriteRefused
from emulator.links.sunspec.units import (
    AC,
    CONTROLS,
    RATINGS,
    STORAGE,
    WYE_METER,
    BatteryUnit,
    MeterUnit,
    PvUnit,
    unit_for,
)
from emulator.site import Site, SiteConfig

NOON = datetime(2026, 6, 21, 11, 30, tzinfo=UTC)
NOT_IMPLEMENTED_16 = 0xFFFF


class Bench:
    """A site of PV and battery with a unit at each device, stepped by site time."""

    def __init__(self) -> None:
        devices = (MeterConfig("Meter"), PvConfig("PV", peak_w=6000.0, inverter_w=5000.0), BatteryConfig("Battery"))
        self.site = Site(SiteConfig("house", Place(52.0, 5.9, "Europe/Amsterdam"), 17_250.0, devices), NOON)
        grid = (lambda: self.site.meter.voltage_v), (lambda: self.site.meter.frequency_hz)
        pv, battery = unit_for(self.site.plants[0], *grid), unit_for(self.site.batteries[0], *grid)
        meter = unit_for(self.site.meter, *grid)
        assert isinstance(pv, PvUnit) and isinstance(battery, BatteryUnit) and isinstance(meter, MeterUnit)
        self.pv, self.battery, self.meter = pv, battery, meter
        self.site.watchers += [pv.stepped, battery.stepped, meter.stepped]

    def live(self, seconds: int) -> None:
        for _ in range(seconds):
            self.site.step(1.0)
        for unit in (self.pv, self.battery, self.meter):
            unit.refresh()


@pytest.fixture(scope="module")
def shared_bench() -> Bench:
    return Bench()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def at(unit: PvUnit | BatteryUnit | MeterUnit, model: int, point: str) -> int:
    """Address of a point."""
    start = next(start for start, one in unit.image._starts if one.number == model)
    return start + unit.image.models[model]._model.points[point].offset


def words(value: int, registers: int = 1) -> list[int]:
    data = value.to_bytes(registers * 2, "big", signed=value < 0)
    return list(struct.unpack(f">{registers}H", data))


def sets(unit: PvUnit | BatteryUnit, **points: int) -> None:
    """Write points of model 704 one by one, raw."""
    for name, value in points.items():
        wide = 2 if name.endswith("Tms") or name in ("WSet", "WSetRvrt") else 1
        unit.write(at(unit, CONTROLS, name), words(value, wide))


def test_the_image_begins_and_ends_as_the_standard_says(bench: Bench):
    registers = bench.pv.image.registers()
    assert registers[:4] == [0x5375, 0x6E53, 1, 66]
    assert registers[-2:] == [0xFFFF, 0]
    assert len(registers) == bench.pv.image.length


def test_generation_is_positive_at_the_inverter_and_counted(bench: Bench):
    bench.live(60)
    ac = bench.pv.image.models[AC]
    power_w = bench.site.plants[0].power_w
    assert power_w < -2000.0
    assert ac.get("W") == pytest.approx(-power_w, abs=1.0)
    assert ac.get("TotWhInj") == pytest.approx(-power_w / 60.0, rel=0.02)
    assert ac.get("TotWhAbs") == 0.0
    assert bench.pv.image.models[RATINGS].get("WMaxRtg") == 5000.0
    assert ac.get("Hz") == pytest.approx(50.0, abs=0.2)


def test_import_is_positive_at_the_meter(bench: Bench):
    bench.battery.write(at(bench.battery, CONTROLS, "WSetMod"), words(1))
    sets(bench.battery, WSet=-5000, WSetEna=1)
    bench.pv.write(at(bench.pv, CONTROLS, "WMaxLimPct"), words(0))
    sets(bench.pv, WMaxLimPctEna=1)
    bench.live(60)
    model = bench.meter.image.models[WYE_METER]
    assert model.get("W") == pytest.approx(bench.site.net_w, abs=1.0)
    assert bench.site.net_w > 4900.0
    assert model.get("TotWhImp") == pytest.approx(bench.site.meter.import_wh, abs=1.0)


def test_a_limit_curtails_and_reverts_when_its_master_is_lost(bench: Bench):
    bench.live(5)
    sets(bench.pv, WMaxLimPct=200, WMaxLimPctRvrtTms=60, WMaxLimPctEna=1)
    bench.live(30)
    assert bench.site.plants[0].power_w == pytest.approx(-1000.0)
    assert bench.pv.image.models[AC].get("InvSt") == 4.0
    assert bench.pv.image.models[CONTROLS].get("WMaxLimPctRvrtRem") == 30.0
    sets(bench.pv, WMaxLimPct=200)
    assert bench.pv.image.models[CONTROLS].get("WMaxLimPctRvrtRem") == 60.0, "a write is a sign of life"
    bench.live(60)
    assert bench.pv.image.models[CONTROLS].get("WMaxLimPctEna") == 0.0
    bench.live(20)
    assert bench.site.plants[0].power_w < -2000.0
    assert "limited over" not in bench.site.plants[0].reason()


def test_it_reverts_to_its_fallback_where_that_is_enabled(bench: Bench):
    sets(bench.pv, WMaxLimPctRvrt=500, WMaxLimPctEnaRvrt=1, WMaxLimPct=0, WMaxLimPctRvrtTms=20, WMaxLimPctEna=1)
    bench.live(19)
    assert bench.site.plants[0].power_w == pytest.approx(0.0, abs=1.0)
    bench.live(15)
    assert bench.site.plants[0].power_w == pytest.approx(-2500.0)
    assert bench.pv.image.models[CONTROLS].get("WMaxLimPct") == 50.0
    assert bench.site.plants[0].reason() == "Gives at most 2.5 kW: limited over SunSpec Modbus."


def test_the_stricter_of_two_masters_holds_and_each_takes_back_its_own(bench: Bench):
    plant = bench.site.plants[0]
    plant.set_lower_limit(-3000.0)
    sets(bench.pv, WMaxLimPct=400, WMaxLimPctEna=1)
    assert plant.lower_limit_w == -2000.0
    plant.set_lower_limit(None)
    assert plant.lower_limit_w == -2000.0
    sets(bench.pv, WMaxLimPctEna=0)
    assert plant.lower_limit_w is None


@pytest.mark.parametrize(
    ("mode", "point", "raw", "power_w"), [(1, "WSet", 3000, -3000.0), (0, "WSetPct", -400, 2000.0)]
)
def test_a_battery_is_set_in_watts_or_percent_whatever_the_energy_manager_says(
    bench: Bench, mode: int, point: str, raw: int, power_w: float
):
    bench.site.batteries[0].set_power(500.0)
    sets(bench.battery, **{"WSetMod": mode, point: raw, "WSetRvrtTms": 30, "WSetEna": 1})
    bench.live(10)
    assert bench.site.batteries[0].storage_w == pytest.approx(power_w)
    assert "set over SunSpec Modbus" in bench.site.batteries[0].reason()
    bench.live(30)
    assert bench.site.batteries[0].storage_w == pytest.approx(500.0)


def test_the_battery_tells_its_charge(bench: Bench):
    bench.live(1)
    storage = bench.battery.image.models[STORAGE]
    assert storage.get("SoC") == pytest.approx(50.0, abs=0.1)
    assert storage.get("WHRtg") == 10_000.0
    assert storage.get("WHAvail") == pytest.approx(4500.0, abs=2.0)


@pytest.mark.parametrize(
    ("model", "point", "registers", "code"),
    [
        (CONTROLS, "WMaxLimPct", [1001], Refusal.ILLEGAL_VALUE),
        (CONTROLS, "WMaxLimPct", [NOT_IMPLEMENTED_16], Refusal.ILLEGAL_VALUE),
        (CONTROLS, "WMaxLimPctEna", [2], Refusal.ILLEGAL_VALUE),
        (CONTROLS, "WMaxLimPctRvrtTms", [0], Refusal.ILLEGAL_VALUE),
        (CONTROLS, "WMaxLimPctRvrtTms", [0xFFFF, 0xFFFE], Refusal.ILLEGAL_VALUE),
        (CONTROLS, "WMaxLimPctRvrtRem", [0, 9], Refusal.ILLEGAL_ADDRESS),
        (CONTROLS, "WSetEna", [1], Refusal.ILLEGAL_ADDRESS),
        (CONTROLS, "WMaxLimPct_SF", [0], Refusal.ILLEGAL_ADDRESS),
        (AC, "W", [100], Refusal.ILLEGAL_ADDRESS),
        (1, "ID", [1], Refusal.ILLEGAL_ADDRESS),
    ],
)
def test_a_bad_write_is_refused_and_changes_nothing(
    shared_bench: Bench, model: int, point: str, registers: list[int], code: Refusal
):
    before = shared_bench.pv.image.registers()
    with pytest.raises(WriteRefused) as refused:
        shared_bench.pv.write(at(shared_bench.pv, model, point), registers)
    assert refused.value.code is code
    assert shared_bench.pv.image.registers() == before


def test_a_request_is_taken_whole_or_not_at_all(shared_bench: Bench):
    first = at(shared_bench.pv, CONTROLS, "WMaxLimPctEna")
    before = shared_bench.pv.image.registers()
    with pytest.raises(WriteRefused, match="WMaxLimPct: 200 is outside 0 … 100"):
        shared_bench.pv.write(first, [1, 2000])
    with pytest.raises(WriteRefused, match="cannot be written"):
        shared_bench.pv.write(BASE, [0x5375])
    assert shared_bench.pv.image.registers() == before
    assert shared_bench.site.plants[0].lower_limit_w is None


def test_a_battery_cannot_be_set_beyond_its_rating(shared_bench: Bench):
    with pytest.raises(WriteRefused, match="WSet: 5001 is outside -5000 … 5000"):
        sets(shared_bench.battery, WSet=5001)
    with pytest.raises(WriteRefused, match="is outside"):
        sets(shared_bench.battery, WSet=-5001)


def test_a_meter_takes_nothing(shared_bench: Bench):
    with pytest.raises(WriteRefused):
        shared_bench.meter.write(at(shared_bench.meter, WYE_METER, "W"), [1])


def test_what_is_no_number_is_not_implemented_and_what_is_too_much_is_clipped():
    model = Model(AC, {"W_SF": 0})
    for value in (math.nan, math.inf, None):
        model.put("W", value)
        assert model.get("W") is None
        Image(model).registers()
    model.put("W", 1e9)
    assert model.get("W") == 32767.0
    model.put("W", -1e9)
    assert model.get("W") == -32767.0, "the lowest value would mean “not implemented”"
