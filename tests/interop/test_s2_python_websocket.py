"""s2-python's own resource manager plugs into a running house through its own WebSocket client."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from s2python.common import Commodity, CommodityQuantity, Duration, Role, RoleType
from s2python.connection import AssetDetails
from s2python.connection.async_ import S2AsyncConnection
from s2python.connection.async_.control_type.class_based import ResourceManagerHandler
from s2python.connection.async_.medium.websocket import WebsocketClientMedium

from emulator.cem.house import connect
from emulator.cem.ports import LimitSignal
from emulator.day_curves import Place
from emulator.devices import MeterConfig
from emulator.links.s2.websocket import S2Server
from emulator.site import Site, SiteConfig
from tests.interop.test_s2_python import ForeignBattery

START = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
WITHIN_S = 20.0


async def test_it_joins_is_driven_counts_at_the_meter_and_leaves():
    site = Site(SiteConfig("house", Place(52.0, 5.9, "Europe/Amsterdam"), 17_250.0, (MeterConfig("Meter"),)), START)
    house = connect(site)
    server = S2Server(site, house, token="t0ken")
    await server.start()
    device = ForeignBattery()
    details = AssetDetails(
        resource_id=uuid.uuid4(),
        name="Foreign battery",
        provides_forecast=False,
        provides_power_measurements=[CommodityQuantity.ELECTRIC_POWER_L1],
        instruction_processing_delay=Duration.from_milliseconds(20),
        roles=[Role(role=RoleType.ENERGY_STORAGE, commodity=Commodity.ELECTRICITY)],
    )
    house.receive([LimitSignal("e-1", START, None, lower_w=2000.0)])

    async with asyncio.timeout(WITHIN_S), WebsocketClientMedium(server.address, bearer_token="t0ken") as medium:
        connection = S2AsyncConnection(medium)
        ResourceManagerHandler(asset_details=details, control_types=[device]).register_handlers(connection)
        running = asyncio.get_running_loop().create_task(connection.run())
        while site.net_w < 2000.0:
            site.step(1.0)
            await asyncio.sleep(0.001)
        (seen,) = (each for each in site.snapshot().devices if each.name == "Foreign battery")
        assert (seen.kind, seen.state) == ("battery", "charging")
        assert seen.power_w == pytest.approx(2050.0) == device.power_w
        assert seen.setpoint_w == pytest.approx(2050.0)
        assert any(reason.device == "Foreign battery" and "e-1" in reason.text for reason in site.reasons())
        assert not server.links[0].cem.oddities
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    async with asyncio.timeout(WITHIN_S):
        while site.devices:
            await asyncio.sleep(0.001)
    await server.close()
