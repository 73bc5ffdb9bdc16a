"""All doors of one site, opened and closed together: S2 and OCPP servers, SunSpec units, charge points that dial out.

`SiteLinks` owns the sockets and their tasks; where each door is stands among the facts of its device. It needs a
running event loop, on which the site has to be stepped too: nothing here is locked.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack

from emulator.cem.house import HouseController
from emulator.csms import Csms
from emulator.devices import EvCharger
from emulator.links.ocpp.charge_point import ChargePoint
from emulator.links.ocpp.client import OcppClient
from emulator.links.ports import Ports, PortTrouble
from emulator.links.s2.websocket import S2Server
from emulator.links.sunspec.server import SunSpecServer
from emulator.links.sunspec.units import unit_for
from emulator.site import Site


class SiteLinks:
    """``async with SiteLinks(site, house, ports) as links``."""

    def __init__(self, site: Site, house: HouseController | None, ports: Ports, seed: int = 0) -> None:
        """``house`` is the site's energy manager; without one there is no S2 door, and charge points go by themselves.

        Raises
        ------
        ValueError
            A door for a device that is not here, or of a kind that has none.
        """
        self.addresses: list[tuple[str, str]] = []
        """What is open and where, for people."""
        self.s2: S2Server | None = None
        self.csms: Csms | None = None
        self.sunspec: dict[str, SunSpecServer] = {}
        self.ocpp: dict[str, OcppClient] = {}
        self._site = site
        self._stack = AsyncExitStack()
        if ports.s2 is not None and house is not None:
            self.s2 = S2Server(site, house, port=ports.s2, token=ports.s2_token, handshake=ports.s2_handshake)
        if ports.csms is not None:
            self.csms = Csms(site, house, port=ports.csms, password=ports.csms_password)
        for name, port in ports.sunspec:
            self.sunspec[name] = self._sunspec(name, port)
        jitter = random.Random(seed)
        for name, url in ports.ocpp:
            self.ocpp[name] = self._ocpp(name, url, jitter)

    def _sunspec(self, name: str, port: int) -> SunSpecServer:
        site = self._site
        unit = unit_for(_device(site, name), lambda: site.meter.voltage_v, lambda: site.meter.frequency_hz)
        if unit is None:
            raise ValueError(f"{name} has no SunSpec models here: PV, batteries and the meter have")
        return SunSpecServer(unit, port=port)

    def _ocpp(self, name: str, url: str, jitter: random.Random) -> OcppClient:
        device = _device(self._site, name)
        if not isinstance(device, EvCharger):
            raise ValueError(f"{name} is no charge point, so it speaks no OCPP")
        identity = "".join(one if one.isalnum() and one.isascii() else "-" for one in name)
        return OcppClient(ChargePoint(device, self._site.now), url, identity, jitter)

    async def __aenter__(self) -> SiteLinks:
        """Open everything, or nothing.

        Raises
        ------
        PortTrouble
            A port cannot be had.
        """
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _open(self) -> None:
        site = self._site
        for label, door in (("S2", self.s2), ("CSMS, OCPP 1.6", self.csms)):
            if door is not None:
                await self._start(label, door)
                self._stack.push_async_callback(door.close)
                self.addresses.append((label, door.address))
        if self.s2 is not None:
            self._show(site.meter.name, "S2 at", self.s2.address)
        for name, server in self.sunspec.items():
            await self._start(f"SunSpec of {name}", server)
            self._stack.push_async_callback(server.close)
            site.watchers.append(server.unit.stepped)
            self._stack.callback(site.watchers.remove, server.unit.stepped)
            self.addresses.append((f"{name}, SunSpec Modbus", server.address))
            self._show(name, "Modbus", server.address)
        for name, client in self.ocpp.items():
            self._dial(name, client)

    def _dial(self, name: str, client: OcppClient) -> None:
        def stepped(now: object, dt_s: float) -> None:
            client.point.stepped(self._site.now, dt_s)
            client.stepped()

        self._site.watchers.append(stepped)
        self._stack.callback(self._site.watchers.remove, stepped)
        task = asyncio.get_running_loop().create_task(client.run(), name=f"OCPP of {name}")
        self._stack.push_async_callback(_ended, task)
        self.addresses.append((f"{name}, OCPP 1.6 to", client.url))
        self._show(name, "OCPP to", client.url)

    async def _start(self, label: str, door: S2Server | Csms | SunSpecServer) -> None:
        try:
            await door.start()
        except OSError as error:
            raise PortTrouble(f"{label}: the port cannot be opened: {error.strerror or error}.") from None

    def _show(self, name: str, label: str, address: str) -> None:
        self._site.addresses[name] = (*self._site.addresses.get(name, ()), (label, address))


def _device(site: Site, name: str) -> object:
    try:
        return site.device(name)
    except KeyError:
        raise ValueError(f"there is no device {name} here") from None


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
