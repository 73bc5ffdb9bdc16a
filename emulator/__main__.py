"""``python -m emulator FILE``: a site and its energy manager, telling what its devices do and why.

One line per change, for people or, with ``--json``, for scripts. Exit status: 0 done, 2 bad usage or a bad file.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import Any, TextIO

from emulator.cem.house import HouseController, connect
from emulator.cem.ports import DeviceSnapshot, SiteSnapshot
from emulator.clock import RunningClock, pause, wall
from emulator.devices.device import watts
from emulator.links.ports import Ports, PortTrouble
from emulator.site import Site, starting_instant
from emulator.site_file import SiteFileError, read_site_file

TICK_S = 1.0
"""Real seconds between looks at the site."""

STEPS_PER_TICK = 900
"""Above this many steps of a second the site goes in longer ones, so that it keeps up on a small machine."""

CHANGE_W = 1.0
"""Smaller changes of power are not told."""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m emulator") -> int:
    """Run a site file. Returns the exit status."""
    options = _parser(prog).parse_args(arguments)
    try:
        config = read_site_file(options.file)
    except SiteFileError as wrong:
        print(wrong, file=sys.stderr)
        return 2
    teller = (JsonTeller if options.json else TextTeller)(sys.stdout)
    try:
        try:
            site = Site(config, starting_instant(config, wall(), options.at), options.seed)
            house = None if options.no_cem or options.s2_connect else connect(site, seed=options.seed)
            asyncio.run(_run(site, house, teller, options))
        except PortTrouble as trouble:
            print(trouble, file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            pass
        teller.closed()
    except BrokenPipeError:
        # whoever read our lines has gone; the interpreter must not try to flush the rest to them
        sys.stdout = None
    return 0


class JsonTeller:
    """Facts as JSON objects, one on a line, flushed; only what changed."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._told: dict[str, DeviceSnapshot] = {}
        self._reasons: dict[str, str] = {}

    def begin(self, site: Site) -> None:
        """The site stands at its first instant."""

    def tell(self, snapshot: SiteSnapshot) -> None:
        for device in snapshot.devices:
            before = self._told.get(device.name)
            if before and before.state == device.state and abs(before.power_w - device.power_w) < CHANGE_W:
                continue
            self._told[device.name] = device
            self.device(snapshot, device)
        reasons = {reason.device: reason.text for reason in snapshot.reasons}
        for name, text in reasons.items():
            if self._reasons.get(name) != text:
                self.reason(snapshot, name, text)
        self._reasons = reasons

    def device(self, snapshot: SiteSnapshot, device: DeviceSnapshot) -> None:
        power = round(device.power_w, 1)
        self._line({"fact": "device", "name": device.name, "kind": device.kind, "power": power, "state": device.state})

    def reason(self, snapshot: SiteSnapshot, device: str, text: str) -> None:
        self._line({"fact": "reason", "device": device, "text": text})

    def address(self, label: str, address: str) -> None:
        """Where equipment from elsewhere can connect, or whom ours dials."""
        self._line({"fact": "address", "what": label, "address": address})

    def closed(self) -> None:
        self._line({"fact": "closed"})

    def _line(self, fact: dict[str, object]) -> None:
        print(json.dumps(fact, ensure_ascii=False), file=self._out, flush=True)


class TextTeller(JsonTeller):
    """The same for people, with the site's local time."""

    def begin(self, site: Site) -> None:
        self._zone = site.place.zone
        local = site.now.astimezone(self._zone)
        self._say(f"{site.name}: its clock starts at {local:%Y-%m-%d %H:%M} local time ({site.place.timezone}).")

    def device(self, snapshot: SiteSnapshot, device: DeviceSnapshot) -> None:
        self._say(f"{self._clock(snapshot)}  {device.name:<12} {watts(device.power_w):>8}  {device.state}")

    def reason(self, snapshot: SiteSnapshot, device: str, text: str) -> None:
        self._say(f"{self._clock(snapshot)}  {device}: {text}")

    def address(self, label: str, address: str) -> None:
        self._say(f"{label}: {address}")

    def closed(self) -> None:
        self._say("Closed.")

    def _clock(self, snapshot: SiteSnapshot) -> str:
        return snapshot.time.astimezone(self._zone).strftime("%H:%M:%S")

    def _say(self, line: str) -> None:
        print(line, file=self._out, flush=True)


async def _run(site: Site, house: HouseController | None, teller: JsonTeller, options: argparse.Namespace) -> None:
    speed, duration_s = options.speed, options.duration
    async with AsyncExitStack() as stack:
        addresses = await _open(stack, site, house, options)
        teller.begin(site)
        for label, address in addresses:
            teller.address(label, address)
        step_s = max(1.0, speed * TICK_S / STEPS_PER_TICK)
        clock = RunningClock(site.now, speed)
        while duration_s is None or clock.elapsed() < duration_s:
            left_s = TICK_S if duration_s is None else min(TICK_S, duration_s - clock.elapsed())
            await pause(max(left_s, 0.0))
            site.step_to(clock.now(), step_s)
            teller.tell(site.snapshot())


async def _open(
    stack: AsyncExitStack, site: Site, house: HouseController | None, options: argparse.Namespace
) -> list[tuple[str, str]]:
    """Open the doors asked for, until the stack closes; what they are and where."""
    # The libraries of the protocols take most of a second to import: only who opens a door waits for them.
    if options.s2_connect:
        from emulator.links.s2.websocket_client import RemoteCem

        cem = RemoteCem(site, options.s2_connect, token=options.s2_token, seed=options.seed)
        await stack.enter_async_context(cem)
    ports = _ports(site, options)
    if not ports.any:
        return []
    from emulator.links.site_links import SiteLinks

    links = await stack.enter_async_context(SiteLinks(site, house, ports, options.seed))
    return links.addresses


def _ports(site: Site, options: argparse.Namespace) -> Ports:
    """The doors of the site file, with those of the command line."""
    asked = site.config.ports
    changes: dict[str, Any] = {}
    if options.s2_port is not None:
        changes["s2"] = options.s2_port
    if options.s2_token:
        changes["s2_token"] = options.s2_token
    if options.csms_port is not None:
        changes["csms"] = options.csms_port
    if options.sunspec:
        served = {name for name, _ in asked.sunspec}
        more = (each.name for each in (*site.plants, *site.batteries, site.meter) if each.name not in served)
        changes["sunspec"] = (*asked.sunspec, *((name, 0) for name in more))
    if options.ocpp:
        changes["ocpp"] = tuple((each.name, options.ocpp) for each in site.chargers)
    return replace(asked, **changes)


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, description="Emulated devices of a site and their energy manager.")
    parser.add_argument("file", metavar="FILE", type=Path, help="site file (TOML)")
    parser.add_argument("--for", dest="duration", metavar="S", type=_duration, help="stop after this much real time")
    parser.add_argument("--speed", metavar="N", type=_speed, default=1.0, help="seconds of the site in a second")
    parser.add_argument("--at", metavar="HH:MM", type=_time_of_day, help="local time the site's clock starts at")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of all that is random in the site")
    parser.add_argument("--no-cem", action="store_true", help="leave every device to itself")
    doors = parser.add_argument_group("doors", "for equipment from elsewhere, all on loopback; port 0 is any free one")
    doors.add_argument("--s2-port", metavar="PORT", type=_port, help="foreign S2 resource managers plug in here")
    doors.add_argument("--s2-token", metavar="TOKEN", default="", help="bearer token asked for, or offered to a CEM")
    doors.add_argument("--s2-connect", metavar="URL", help="leave the devices to the S2 CEM at this WebSocket address")
    doors.add_argument("--csms-port", metavar="PORT", type=_port, help="foreign charge points connect here, OCPP 1.6")
    doors.add_argument("--ocpp", metavar="URL", help="have the site's charge points dial this CSMS, OCPP 1.6")
    doors.add_argument("--sunspec", action="store_true", help="serve PV, batteries and meter over SunSpec Modbus TCP")
    parser.add_argument("--json", action="store_true", help="tell facts as JSON, one object on a line")
    return parser


def _duration(text: str) -> float:
    """``45``, ``45s``, ``10m``, ``1h``."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"“{text}” is not a duration such as 45, 45s, 10m or 1h")
    return float(found[1]) * {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}[found[2]]


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"“{text}” is not a port: 0 for any free one, or a number up to 65535")
    return int(text)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.0 < speed <= 86_400.0:
        raise argparse.ArgumentTypeError(f"“{text}” is not a speed above 0 and at most 86400")
    return speed


def _time_of_day(text: str) -> time:
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"“{text}” is not a time of day such as 11:30")
    return time(int(found[1]), int(found[2]))


if __name__ == "__main__":
    sys.exit(main())
