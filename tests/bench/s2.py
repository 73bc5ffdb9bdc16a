"""S2 messages acknowledged in a second over WebSocket, our CEM's server beside s2-python's own connection at both ends.

A resource manager pours PowerMeasurements without waiting and counts the ReceptionStatus that come back OK; both ends
are in this one process, on one core, in JSON over a loopback socket. ``nodebench`` is our whole server: the message is
decoded, checked, believed or not, kept, traced and answered, for a device of a running house, with the pace that
throttles floods lifted. ``s2-python`` is its `S2AsyncConnection` answering the same messages from the same client;
it has no CEM, so it only parses and answers. Rounds alternate and the medians are told, since the machine is noisy.
The goal of the design is 10,000 a second.
"""

from __future__ import annotations

import asyncio
import logging
import statistics
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from s2python.common import PowerMeasurement
from s2python.connection.async_ import S2AsyncConnection
from s2python.connection.async_.medium.s2_medium import S2AsyncMediumConnection
from s2python.generated import gen_s2 as g
from websockets.asyncio.client import connect as dial
from websockets.asyncio.server import serve

from emulator.cem.house import connect
from emulator.day_curves import Place
from emulator.devices import BatteryConfig, MeterConfig
from emulator.links.s2.codec import encode, make, seeded_ids
from emulator.links.s2.resource_base import L1
from emulator.links.s2.websocket import Limits, S2Server
from emulator.site import Site, SiteConfig

START = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)
MESSAGES = 5_000
ROUNDS = 5
PEERS = (1, 20)


def measure() -> Iterator[dict[str, Any]]:
    logging.disable(logging.CRITICAL)
    rates: dict[tuple[str, int], list[float]] = {}
    for _ in range(ROUNDS):
        for peers in PEERS:
            rates.setdefault(("nodebench", peers), []).append(asyncio.run(_ours(peers)))
            rates.setdefault(("s2-python", peers), []).append(asyncio.run(_theirs(peers)))
    for peers in PEERS:
        ours, theirs = (statistics.median(rates[who, peers]) for who in ("nodebench", "s2-python"))
        yield {
            "peers": peers,
            "acknowledged_per_s": round(ours),
            "slowest": round(min(rates["nodebench", peers])),
            "fastest": round(max(rates["nodebench", peers])),
            "s2_python_per_s": round(theirs),
            "ratio": round(ours / theirs, 2),
            "goal_per_s": 10_000,
        }


async def _ours(peers: int) -> float:
    config = SiteConfig(
        "house", Place(52.0, 5.9, "Europe/Amsterdam"), 17_250.0, (MeterConfig("Meter"), BatteryConfig("Battery"))
    )
    site = Site(config, START)
    server = S2Server(site, connect(site), limits=Limits(rate=1e9))
    await server.start()
    try:
        return await _poured(server.address, peers, introduce=True)
    finally:
        await server.close()


async def _theirs(peers: int) -> float:
    async with _s2_python() as address:
        return await _poured(address, peers, introduce=False)


async def _poured(address: str, peers: int, introduce: bool) -> float:
    sockets = [await dial(address, compression=None, max_queue=None) for _ in range(peers)]
    if introduce:
        for number, socket in enumerate(sockets):
            await _introduce(socket, number)
    texts = _measurements(MESSAGES // peers)
    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for socket in sockets:
            tasks.create_task(_pour(socket, texts))
            tasks.create_task(_count(socket, len(texts)))
    took_s = time.perf_counter() - began
    for socket in sockets:
        await socket.close()
    return len(texts) * peers / took_s


async def _pour(socket: Any, texts: list[str]) -> None:
    for text in texts:
        await socket.send(text)


async def _count(socket: Any, wanted: int) -> None:
    seen = 0
    while seen < wanted:
        text = await socket.recv()
        if "ReceptionStatus" in text:
            if '"OK"' not in text:
                raise RuntimeError(f"not acknowledged: {text}")
            seen += 1


def _measurements(count: int) -> list[str]:
    ids = seeded_ids(1)
    values = [{"commodity_quantity": L1, "value": 1234.5}]
    return [
        encode(make(g.PowerMeasurement, message_id=ids(), measurement_timestamp=START, values=values))
        for _ in range(count)
    ]


async def _introduce(socket: Any, number: int) -> None:
    ids = seeded_ids(number + 10)
    versions = ["0.0.2-beta"]
    await socket.send(encode(make(g.Handshake, message_id=ids(), role="RM", supported_protocol_versions=versions)))
    details = make(
        g.ResourceManagerDetails,
        message_id=ids(),
        resource_id=f"pump-{number}",
        name=f"Pump {number}",
        roles=[{"role": "ENERGY_CONSUMER", "commodity": "ELECTRICITY"}],
        instruction_processing_delay=0,
        available_control_types=["NOT_CONTROLABLE"],
        provides_forecast=False,
        provides_power_measurement_types=[L1],
    )
    while "HandshakeResponse" not in await socket.recv():
        pass
    await socket.send(encode(details))
    while "SelectControlType" not in await socket.recv():
        pass


@asynccontextmanager
async def _s2_python() -> AsyncIterator[str]:
    """s2-python answering at the server's end of a socket."""

    class Medium(S2AsyncMediumConnection):
        def __init__(self, socket: Any) -> None:
            self._socket = socket

        async def is_connected(self) -> bool:
            return True

        async def messages(self) -> AsyncGenerator[str, None]:
            async for text in self._socket:
                yield text

        async def send(self, message: str) -> None:
            await self._socket.send(message)

    async def take(connection: S2AsyncConnection, message: Any, send_okay: Any) -> None:
        await send_okay()

    async def serving(socket: Any) -> None:
        connection = S2AsyncConnection(Medium(socket))
        connection.register_handler(PowerMeasurement, take)
        await connection.run()

    server = await serve(serving, "127.0.0.1", 0, compression=None)
    try:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()
