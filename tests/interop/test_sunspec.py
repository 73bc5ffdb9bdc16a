"""pysunspec2's own client finds, reads and curtails our units over Modbus TCP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP
from sunspec2.modbus.modbus import ModbusClientException

from emulator.day_curves import Place
from emulator.devices import BatteryConfig, MeterConfig, PvConfig
from emulator.links.sunspec.server import SunSpecServer
from emulator.links.sunspec.units import unit_for
from emulator.site import Site, SiteConfig

NOON = datetime(2026, 6, 21, 11, 30, tzinfo=UTC)


class Plant:
    """A site whose PV, battery and meter are served, and clients of pysunspec2's (blocking, so in a thread)."""

    def __init__(self) -> None:
        devices = (MeterConfig("Meter"), PvConfig("PV", peak_w=6000.0, inverter_w=5000.0), BatteryConfig("Battery"))
        self.site = Site(SiteConfig("house", Place(52.0, 5.9, "Europe/Amsterdam"), 17_250.0, devices), NOON)
        self.servers: dict[str, SunSpecServer] = {}
        meter = self.site.meter
        for device in (*self.site.devices, meter):
            unit = unit_for(device, lambda: meter.voltage_v, lambda: meter.frequency_hz)
            assert unit is not None
            self.site.watchers.append(unit.stepped)
            self.servers[device.name] = SunSpecServer(unit)

    def live(self, seconds: int) -> None:
        for _ in range(seconds):
            self.site.step(1.0)

    async def with_client(self, name: str, talk: Callable[[Any], Any]) -> Any:
        """What ``talk`` gives, done with a client that has scanned the unit."""
        port = self.servers[name].port

        def run() -> Any:
            client = SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr="127.0.0.1", ipport=port, timeout=20)
            client.connect()
            try:
                client.scan()
                return talk(client)
            finally:
                client.close()

        return await asyncio.to_thread(run)


@pytest.fixture
async def plant() -> AsyncIterator[Plant]:
    plant = Plant()
    for server in plant.servers.values():
        await server.start()
    yield plant
    for server in plant.servers.values():
        await server.close()


async def test_the_scan_finds_the_models_and_reads_live_values(plant: Plant):
    plant.live(30)
    numbers = await plant.with_client("PV", lambda client: [n for n in client.models if isinstance(n, int)])
    assert numbers == [1, 701, 702, 704]
    assert await plant.with_client("Battery", lambda c: [n for n in c.models if isinstance(n, int)]) == [
        *numbers,
        713,
    ]
    first = await plant.with_client("PV", lambda client: client.models[701][0].W.cvalue)
    assert first == pytest.approx(-plant.site.plants[0].power_w, abs=1.0)
    plant.site.plants[0].set_lower_limit(-500.0)
    plant.live(15)
    assert await plant.with_client("PV", lambda client: client.models[701][0].W.cvalue) == 500
    assert await plant.with_client("PV", lambda client: client.models[1][0].Mn.value) == "Nodebench"
    meter = await plant.with_client("Meter", lambda client: client.models[203][0].W.cvalue)
    assert meter == pytest.approx(plant.site.net_w, abs=1.0)


async def test_a_client_curtails_and_the_limit_reverts_when_it_is_gone(plant: Plant):
    def curtail(client: Any) -> None:
        control = client.models[704][0]
        control.WMaxLimPct.cvalue = 20.0
        control.WMaxLimPctRvrtTms.value = 60
        control.WMaxLimPctEna.value = 1
        control.write()
        control.read()
        assert (control.WMaxLimPct.cvalue, control.WMaxLimPctEna.value) == (20.0, 1)

    await plant.with_client("PV", curtail)
    plant.live(30)
    assert plant.site.plants[0].power_w == pytest.approx(-1000.0)
    assert await plant.with_client("PV", lambda c: c.models[704][0].WMaxLimPctRvrtRem.value) == 30
    plant.live(60)
    assert plant.site.plants[0].power_w < -2000.0
    assert await plant.with_client("PV", lambda c: c.models[704][0].WMaxLimPctEna.value) == 0


async def test_a_client_charges_the_battery(plant: Plant):
    def charge(client: Any) -> None:
        control = client.models[704][0]
        control.WSetMod.value = 1
        control.WSet.cvalue = -2500
        control.WSetEna.value = 1
        control.write()

    await plant.with_client("Battery", charge)
    plant.live(5)
    assert plant.site.batteries[0].storage_w == pytest.approx(2500.0)
    storage = await plant.with_client("Battery", lambda client: client.models[713][0].SoC.cvalue)
    assert storage == pytest.approx(50.0, abs=0.2)


async def test_a_write_out_of_range_is_an_exception_for_the_client_and_nothing_else(plant: Plant):
    def overdo(client: Any) -> None:
        control = client.models[704][0]
        control.WMaxLimPct.cvalue = 250.0
        control.WMaxLimPctEna.value = 1
        control.write()

    with pytest.raises(ModbusClientException, match="exception: 3"):
        await plant.with_client("PV", overdo)
    assert plant.site.plants[0].lower_limit_w is None
    assert plant.servers["PV"].refused[-1] == "WMaxLimPct: 250 is outside 0 … 100"
    assert await plant.with_client("PV", lambda c: c.models[704][0].WMaxLimPct.cvalue) == 100.0


async def test_other_units_and_other_addresses_are_told_so(plant: Plant):
    client = AsyncModbusTcpClient("127.0.0.1", port=plant.servers["PV"].port, timeout=20)
    assert await client.connect()
    assert (await client.read_holding_registers(40_000, count=2, device_id=7)).exception_code == 11
    assert (await client.read_holding_registers(39_000, count=2, device_id=1)).exception_code == 2
    assert (await client.write_register(40_010, 5, device_id=1)).exception_code == 2
    answer = await client.read_holding_registers(40_000, count=2, device_id=1)
    assert answer.registers == [0x5375, 0x6E53]
    client.close()


async def test_garbage_and_a_connection_that_vanishes_harm_nobody(plant: Plant):
    for junk in (b"GET / HTTP/1.1\r\n\r\n", bytes(7), b"\x00\x01\x00\x00\xff\xff\x01\x03" + b"x" * 300):
        _, writer = await asyncio.open_connection("127.0.0.1", plant.servers["PV"].port)
        writer.write(junk)
        await writer.drain()
        writer.transport.abort()
    assert await plant.with_client("PV", lambda client: client.models[702][0].WMaxRtg.cvalue) == 5000


async def test_a_port_in_use_is_an_error_of_the_system(plant: Plant):
    second = SunSpecServer(plant.servers["PV"].unit, port=plant.servers["PV"].port)
    with pytest.raises(OSError):
        await second.start()
