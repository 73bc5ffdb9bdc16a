"""A small CSMS between charge points and the energy manager (SRD 63268 interactions 5 and 11).

Charge points connect by OCPP 1.6J to ``ws://127.0.0.1:PORT/IDENTITY``, real ones too. Downward each is steered by
charging profiles; upward all of them are one device of the site and one S2 resource, whose power the energy manager
allots and which is split here among the cars, longest waiting first. Every driver is let charge. While nobody allots
anything each car gets what its charge point can give.
"""

from __future__ import annotations

import base64
import hmac
import itertools
import re
from collections import deque
from datetime import datetime
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import unquote

from ocpp.routing import on
from ocpp.v16 import call_result
from ocpp.v16.enums import Action
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from emulator.cem.house import HouseController
from emulator.cem.ports import DeviceSnapshot
from emulator.devices.device import watts
from emulator.links.ocpp.budget import Claim, split
from emulator.links.ocpp.charge_point import stamp
from emulator.links.ocpp.conversation import LARGEST, SUBPROTOCOL, Conversation
from emulator.links.ocpp.station import Station
from emulator.links.s2.cem_session import CemSession
from emulator.links.s2.codec import IdSource, seeded_ids
from emulator.links.s2.memory import MemoryLink
from emulator.links.s2.resource_fleet import FleetResource
from emulator.links.s2.rm_session import RmSession
from emulator.site import Site

HEARTBEAT_S = 60
FORGOTTEN_S = 300.0
"""A charge point without a connection counts with its last power for so long, by site time."""
SPLIT_S = 5.0
MOST_STATIONS = 100
IDENTITY = re.compile(r"[\w\-.:*|=+@]{1,48}")
ACCEPTED = "Accepted"


class ChargePoints:
    """All charge points as one device of the site; a `Fleet` for its S2 resource."""

    kind = "ev"

    def __init__(self, name: str) -> None:
        self.name = name
        self.stations: dict[str, Station] = {}
        self.budget_w: float | None = None
        """Allotted to all cars together; None is as much as they can take."""
        self.power_w = 0.0
        self._since_split_s = SPLIT_S

    @property
    def cars(self) -> int:
        return len(self._claims())

    @property
    def least_w(self) -> float:
        return min((claim.least_w for claim in self._claims()), default=0.0)

    @property
    def most_w(self) -> float:
        return sum(claim.most_w for claim in self._claims())

    @property
    def level(self) -> float:
        told = [station.soc for station in self.stations.values() if station.soc is not None]
        return sum(told) / len(told) if told else 0.0

    def set_budget(self, power_w: float | None) -> None:
        """Allot a power, to be split with the next step."""
        self.budget_w = power_w
        self._since_split_s = SPLIT_S

    def step(self, now: datetime, dt_s: float) -> None:
        """Forget who is long gone, count what is drawn, and split the budget when it is time."""
        for station in list(self.stations.values()):
            if not station.online and (now - station.heard).total_seconds() >= FORGOTTEN_S:
                del self.stations[station.identity]
        self.power_w = sum(station.power_w for station in self.stations.values())
        self._since_split_s += dt_s
        if self._since_split_s >= SPLIT_S:
            self._since_split_s = 0.0
            self._split(now)

    def _claims(self) -> list[Claim]:
        """Of the cars that can be charged, longest connected first."""
        waiting = [station for station in self.stations.values() if station.online and station.begun is not None]
        waiting.sort(key=lambda station: (station.begun, station.identity))
        return [claim for station in waiting if (claim := station.claim()) is not None]

    def _split(self, now: datetime) -> None:
        claims = self._claims()
        # who cannot be reached draws on by its last profile, so the others share the rest
        away_w = sum(station.power_w for station in self.stations.values() if not station.online)
        budget_w = self.most_w if self.budget_w is None else max(self.budget_w - away_w, 0.0)
        for name, power_w in split(budget_w, claims).items():
            self.stations[name].allot(power_w, now)

    def reason(self) -> str:
        return (
            f"Shares {watts(self.budget_w)} among {self.cars} cars." if self.budget_w is not None and self.cars else ""
        )

    def snapshot(self) -> DeviceSnapshot:
        facts = tuple(
            (one.identity, self._told(one)) for one in sorted(self.stations.values(), key=lambda s: s.identity)
        )
        return DeviceSnapshot(
            name=self.name,
            kind=self.kind,
            power_w=self.power_w,
            state=f"{self.cars} of {len(self.stations)} charging" if self.stations else "nobody here",
            setpoint_w=self.budget_w,
            max_w=self.most_w or None,
            soc=self.level if any(one.soc is not None for one in self.stations.values()) else None,
            facts=facts[:8],
        )

    def _told(self, station: Station) -> str:
        if not station.online:
            return "connection lost"
        limit = "" if station.told_a is None else f", {station.told_a:g} A"
        return f"{station.status or 'connected'} {watts(station.power_w)}{limit}"


class StationEnd(Conversation):
    """One connection of a charge point: its calls, answered."""

    def __init__(self, identity: str, socket: Any, csms: Csms) -> None:
        super().__init__(identity, socket, csms.points.stations[identity])
        self._csms = csms

    @property
    def station(self) -> Station:
        return cast(Station, self.logic)

    @on(Action.boot_notification)
    def boot_notification(self, charge_point_vendor: str, charge_point_model: str, **_: Any) -> Any:
        now = self._csms.now()
        self.station.on_boot(charge_point_vendor, charge_point_model, now)
        return call_result.BootNotification(current_time=stamp(now), interval=HEARTBEAT_S, status=cast(Any, ACCEPTED))

    @on(Action.heartbeat)
    def heartbeat(self, **_: Any) -> Any:
        self.station.heard = self._csms.now()
        return call_result.Heartbeat(current_time=stamp(self._csms.now()))

    @on(Action.authorize)
    def authorize(self, **_: Any) -> Any:
        return call_result.Authorize(id_tag_info=cast(Any, {"status": ACCEPTED}))

    @on(Action.status_notification)
    def status_notification(self, connector_id: int, status: str, **_: Any) -> Any:
        self.station.on_status(connector_id, status, self._csms.now())
        return call_result.StatusNotification()

    @on(Action.start_transaction)
    def start_transaction(self, **_: Any) -> Any:
        number = self._csms.next_transaction()
        self.station.on_start(number, self._csms.now())
        return call_result.StartTransaction(transaction_id=number, id_tag_info=cast(Any, {"status": ACCEPTED}))

    @on(Action.stop_transaction)
    def stop_transaction(self, transaction_id: int, **_: Any) -> Any:
        self.station.on_stop(transaction_id, self._csms.now())
        return call_result.StopTransaction()

    @on(Action.meter_values)
    def meter_values(self, meter_value: list[dict[str, Any]], **_: Any) -> Any:
        self.station.on_meter(meter_value, self._csms.now())
        return call_result.MeterValues()

    @on(Action.data_transfer)
    def data_transfer(self, **_: Any) -> Any:
        return call_result.DataTransfer(status=cast(Any, "UnknownVendorId"))


class Csms:
    """The server, and the one device it shows to site and energy manager while charge points are there."""

    def __init__(
        self,
        site: Site,
        house: HouseController | None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        password: str = "",
        name: str = "Charge points",
        ids: IdSource | None = None,
    ) -> None:
        """``port`` 0 takes a free one; ``password``, unless empty, is asked for by HTTP basic authentication."""
        self.points = ChargePoints(name)
        self.gone: deque[tuple[str, str]] = deque(maxlen=100)
        """Identity and reason of the connections that ended, newest last."""
        self._site, self._house = site, house
        self._host, self._port, self._password = host, port, password
        self._ids = ids or seeded_ids(3)
        self._numbers = itertools.count(1)
        self._ends: dict[str, StationEnd] = {}
        self._link: MemoryLink | None = None
        self._server: Server | None = None

    @property
    def address(self) -> str:
        """``ws://127.0.0.1:PORT``, to which a charge point puts its identity."""
        return f"ws://{self._host}:{self._port}"

    async def start(self) -> None:
        """Open the port and join the site. Raises OSError where the port cannot be had."""
        self._server = await serve(
            self._connected,
            self._host,
            self._port,
            origins=[None],
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            process_request=self._admit,
            max_size=LARGEST,
        )
        self._port = next(iter(self._server.sockets)).getsockname()[1]
        self._site.plug(self.points)
        self._site.addresses[self.points.name] = (("OCPP 1.6 at", self.address),)
        if self._house is not None:
            session = CemSession(self._ids)
            self._link = MemoryLink(
                session, RmSession(FleetResource(self.points, self._ids), self._ids), self._house.s2_trace
            )
            self._link.start(self.now())
            self._house.plug(self._link)

    async def close(self) -> None:
        """Close the port and leave the site."""
        if self._server is None:
            return
        for end in self._ends.values():
            end.hang_up("the site is closed")
        self._server.close()
        await self._server.wait_closed()
        self._server = None
        if self._house is not None and self._link is not None:
            self._house.unplug(self._link)
        self._site.unplug(self.points)

    def now(self) -> datetime:
        """The site's instant."""
        return self._site.now

    def next_transaction(self) -> int:
        return next(self._numbers)

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        identity = _identity(request.path)
        if not IDENTITY.fullmatch(identity):
            return connection.respond(HTTPStatus.NOT_FOUND, "The path ends with the identity of the charge point.\n")
        if self._password and not self._knows(request, identity):
            return connection.respond(HTTPStatus.UNAUTHORIZED, "The password of this CSMS is needed.\n")
        offered = ",".join(request.headers.get_all("Sec-WebSocket-Protocol"))
        if SUBPROTOCOL not in [one.strip() for one in offered.split(",")]:
            return connection.respond(HTTPStatus.BAD_REQUEST, f"Only {SUBPROTOCOL} is spoken here.\n")
        if identity not in self.points.stations and len(self.points.stations) >= MOST_STATIONS:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "Too many charge points are here already.\n")
        return None

    def _knows(self, request: Request, identity: str) -> bool:
        wanted = base64.b64encode(f"{identity}:{self._password}".encode())
        offered = request.headers.get("Authorization", "").encode("utf-8", "replace")
        return hmac.compare_digest(offered, b"Basic " + wanted)

    async def _connected(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        identity = _identity(socket.request.path)
        before = self._ends.get(identity)
        if before is not None:
            before.hang_up("a new connection of the same identity")
        station = self.points.stations.setdefault(identity, Station(identity, self.now()))
        station.online, station.heard = True, self.now()
        station.outgoing.clear()
        end = self._ends[identity] = StationEnd(identity, socket, self)
        try:
            await end.converse()
        finally:
            self.gone.append((identity, end.ended_why))
            if self._ends.get(identity) is end:
                del self._ends[identity]
                station.online = False


def _identity(path: str) -> str:
    return unquote(path.partition("?")[0].rpartition("/")[2])
