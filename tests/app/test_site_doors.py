"""A house of the console opens the doors its file asks for while it runs, and shuts them with it."""

from __future__ import annotations

import asyncio
import logging
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from console.app.site_bridge import SiteBridge
from console.app.site_run import SiteRun
from console.session.clock import ScaledClock

FILE = """
[site]
name = "house"
latitude = "52°"
longitude = "5.9°"
timezone = "Europe/Amsterdam"
s2_port = {port}
[[device]]
name = "Store"
type = "battery"
capacity = "10 kWh"
charge = "5 kW"
discharge = "5 kW"
sunspec_port = 0
"""
START = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)
WITHIN_S = 20.0


def bridge(folder: Path, port: int) -> SiteBridge:
    file = folder / "site.toml"
    file.write_text(FILE.format(port=port), "utf-8")
    return SiteBridge(file, START)


def modbus(house: SiteBridge) -> str:
    (store,) = (device for device in house.view().devices if device.name == "Store")
    return dict(store.facts).get("Modbus", "")


async def test_doors_are_open_while_the_house_runs_and_shown_on_the_card(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "console.app.site_bridge")
    house = bridge(tmp_path, port=0)
    running = asyncio.get_running_loop().create_task(SiteRun(house, None, ScaledClock(START, 1.0)).run())
    async with asyncio.timeout(WITHIN_S):
        while not modbus(house):
            await asyncio.sleep(0.005)
            house.step_to(house.site.now)
    assert modbus(house).endswith(" unit 1")
    address = next(record.args[2] for record in caplog.records if record.args and record.args[1] == "S2")  # type: ignore[index]
    async with connect(str(address)) as peer:
        assert "Handshake" in str(await peer.recv())
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    with pytest.raises(OSError):
        await connect(str(address))


async def test_a_port_in_use_is_told_and_the_house_lives_on(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        house = bridge(tmp_path, port=taken.getsockname()[1])
        async with house.doors():
            assert modbus(house) == ""
    (record,) = (record for record in caplog.records if record.name == "console.app.site_bridge")
    assert record.getMessage().startswith("house: S2: the port cannot be opened")
