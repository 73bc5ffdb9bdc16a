"""Devices with modes in a house under a cap: stepped last, generators started, all of them let go again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from emulator.cem.house import HouseController, connect
from emulator.cem.ports import LimitSignal
from emulator.day_curves import Place
from emulator.devices import BatteryConfig, MeterConfig
from emulator.links.s2.cem_session import CemSession
from emulator.links.s2.codec import seeded_ids
from emulator.links.s2.memory import MemoryLink
from emulator.links.s2.resource_modes import DemandResource, DeviceMode, ModesResource
from emulator.links.s2.rm_session import RmSession
from emulator.site import Site, SiteConfig
from tests.emulator.test_s2_modes import DIMMED, HYBRID, Stepped

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
GENERATOR = (DeviceMode("off", 0.0, 0.0), DeviceMode("run", -1500.0, -5000.0))


class Lived:
    """A house of stepped devices, lived through second by second."""

    def __init__(self, *devices: BatteryConfig) -> None:
        config = SiteConfig("house", Place(52.0, 5.9, "Europe/Amsterdam"), 30_000.0, (MeterConfig("Meter"), *devices))
        self.site = Site(config, NOON)
        self.house: HouseController = connect(self.site)

    def has(self, name: str, device: Stepped, resource: type[ModesResource] = ModesResource) -> Stepped:
        device.name = name
        link = MemoryLink(
            CemSession(seeded_ids(len(name))),
            RmSession(resource(device, seeded_ids(7)), seeded_ids(8)),  # type: ignore[arg-type]
            self.house.s2_trace,
        )
        link.start(self.site.now)
        self.site.plug(device)  # type: ignore[arg-type]
        self.house.plug(link)
        return device

    def live(self, seconds: int) -> list[float]:
        nets: list[float] = []
        for _ in range(seconds):
            self.site.step(1.0)
            nets.append(sum(device.power_w for device in self.site.devices))
        return nets

    def limit(self, upper_w: float, minutes: float = 10.0, **more: str) -> None:
        end = self.site.now + timedelta(minutes=minutes)
        self.house.receive([LimitSignal("e-1", self.site.now, end, upper_w=upper_w, **more)])  # type: ignore[arg-type]

    def line(self, name: str) -> str:
        return next((reason.text for reason in self.site.reasons() if reason.device == name), "")


def lit() -> Stepped:
    """Lighting that is at full when left alone."""
    device = Stepped(DIMMED)
    device.set_mode(2)
    return device


def test_left_alone_nobody_tells_it_anything():
    lived = Lived()
    hall = lived.has("Hall", lit())
    lived.live(120)
    assert hall.power_w == 1000.0
    assert lived.line("Hall") == ""


def test_lighting_is_dimmed_when_a_cap_stays_broken_and_let_go_after_it():
    lived = Lived()
    hall = lived.has("Hall", lit())
    lived.limit(700.0, minutes=5.0)
    nets = lived.live(240)
    assert nets[10] == 1000.0, "batteries and chargers have their chance first"
    assert all(net <= 700.0 for net in nets[60:])
    assert hall.power_w == 500.0
    assert lived.line("Hall") == "Hall held at 500 W: limit 700 W from event e-1"
    lived.live(120)
    assert hall.power_w == 1000.0
    assert lived.line("Hall") == ""


def test_it_stays_on_where_a_battery_is_enough():
    lived = Lived(BatteryConfig("Battery"))
    hall = lived.has("Hall", lit())
    lived.limit(700.0)
    lived.live(300)
    assert hall.power_w == 1000.0


def test_a_generator_is_started_under_a_cap_and_stopped_after_it():
    lived = Lived()
    load = Stepped((DeviceMode("on", 6000.0, 6000.0),))
    lived.has("Oven", load)
    generator = lived.has("Genset", Stepped(GENERATOR))
    lived.limit(3000.0, minutes=5.0)
    nets = lived.live(240)
    assert all(net <= 3000.0 for net in nets[60:])
    assert generator.power_w == pytest.approx(-3050.0, abs=60.0)
    assert lived.line("Genset").startswith("Genset gives 3.")
    lived.live(120)
    assert generator.power_w == 0.0


def test_a_hybrid_goes_over_to_gas_for_its_own_limit_and_back():
    lived = Lived()
    heating = lived.has("Heating", Stepped(HYBRID, demand=5000.0), DemandResource)
    lived.limit(1000.0, minutes=3.0, device="Heating")
    lived.live(60)
    assert heating.modes[heating.running[0]].name == "gas boiler"
    assert "limit 1 kW from event e-1" in lived.line("Heating")
    lived.live(180)
    assert heating.modes[heating.running[0]].name == "heat pump"
