"""The CEM's WebSocket: devices from elsewhere join and leave a running house; peers lie, flood, hang or vanish."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from emulator.cem.house import HouseController
from emulator.cem.house import connect as put_in_charge
from emulator.cem.ports import DeviceSnapshot, LimitSignal
from emulator.day_curves import Place
from emulator.devices import Battery, BatteryConfig, MeterConfig
from emulator.links.pace import Pace
from emulator.links.s2.codec import seeded_ids
from emulator.links.s2.resource_battery import BatteryResource
from emulator.links.s2.websocket import Limits, S2Server
from emulator.links.s2.websocket_client import RemoteCem, RmClient
from emulator.site import Site, SiteConfig

START = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)
WITHIN_S = 20.0
L1 = "ELECTRIC.POWER.L1"


class House:
    """A site with one battery of its own, under its manager, with the door open."""

    def __init__(self, **options: Any) -> None:
        config = SiteConfig(
            "house", Place(52.0, 5.9, "Europe/Amsterdam"), 17_250.0, (MeterConfig("Meter"), BatteryConfig("Battery"))
        )
        self.site = Site(config, START)
        self.manager: HouseController = put_in_charge(self.site)
        self.server = S2Server(self.site, self.manager, **options)

    def device(self, name: str) -> DeviceSnapshot:
        return next(each for each in self.site.snapshot().devices if each.name == name)

    def names(self) -> list[str]:
        return [each.name for each in self.site.snapshot().devices]

    async def until(self, come_true: Callable[[], bool]) -> None:
        """Let the site live, second by second, until something has come true on the wire."""
        async with asyncio.timeout(WITHIN_S):
            while not come_true():
                self.site.step(1.0)
                await asyncio.sleep(0.001)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    await house.server.start()
    yield house
    await house.server.close()


class Peer:
    """A resource manager of few words, told by the test what to say."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._number = 0

    async def says(self, message_type: str, **fields: Any) -> str:
        self._number += 1
        message_id = f"m-{self._number}"
        await self.socket.send(json.dumps({"message_type": message_type, "message_id": message_id, **fields}))
        return message_id

    async def hears(self, message_type: str, subject: str = "") -> dict[str, Any]:
        """The next message of a type (about ``subject``); others are passed over."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                tree = json.loads(await self.socket.recv())
                if tree["message_type"] == message_type and subject in ("", tree.get("subject_message_id")):
                    return tree

    async def introduces(self, name: str = "Pump", control: str = "NOT_CONTROLABLE", handshake: bool = True) -> None:
        if handshake:
            await self.says("Handshake", role="RM", supported_protocol_versions=["0.0.2-beta"])
            await self.hears("HandshakeResponse")
        await self.says(
            "ResourceManagerDetails",
            resource_id="pump-1",
            name=name,
            roles=[{"role": "ENERGY_CONSUMER", "commodity": "ELECTRICITY"}],
            instruction_processing_delay=0,
            available_control_types=[control],
            provides_forecast=False,
            provides_power_measurement_types=[L1],
        )
        await self.hears("SelectControlType")

    async def measures(self, power_w: float) -> dict[str, Any]:
        values = [{"commodity_quantity": L1, "value": power_w}]
        said = await self.says("PowerMeasurement", measurement_timestamp=START.isoformat(), values=values)
        return await self.hears("ReceptionStatus", said)

    async def closing(self) -> tuple[int | None, list[dict[str, Any]]]:
        """Read to the end; the close code and what was said before it."""
        heard: list[dict[str, Any]] = []
        async with asyncio.timeout(WITHIN_S):
            try:
                while True:
                    heard.append(json.loads(await self.socket.recv()))
            except ConnectionClosed:
                return self.socket.close_code, heard


async def test_a_device_joins_counts_at_the_meter_and_leaves(house: House):
    async with connect(house.server.address) as socket:
        peer = Peer(socket)
        await peer.introduces("Pump")
        assert (await peer.measures(700.0))["status"] == "OK"
        await house.until(lambda: house.site.net_w > 600.0)
        pump = house.device("Pump")
        assert (pump.kind, pump.power_w, pump.state) == ("load", 700.0, "on")
        assert dict(pump.facts)["S2 from"].startswith("127.0.0.1:")
        assert house.site.imbalance_w() == pytest.approx(0.0)
        assert [load.name for load in house.manager.cem.house(house.site.now).loads] == ["Pump"]
        await peer.says("SessionRequest", request="TERMINATE", diagnostic_label="unmounted")
        await peer.closing()
    await house.until(lambda: "Pump" not in house.names())
    assert house.server.gone[-1] == ("Pump", "the peer asked to terminate: unmounted")
    assert house.manager.cem.house(house.site.now).loads == ()


async def test_its_messages_stand_in_the_trace_under_its_name(house: House):
    async with connect(house.server.address) as socket:
        peer = Peer(socket)
        await peer.introduces("Pump")
        await peer.measures(100.0)
    traced = [(one.from_cem, one.message_type) for one in house.manager.s2_trace.messages if one.resource == "Pump"]
    assert (False, "PowerMeasurement") in traced and (True, "SelectControlType") in traced


async def test_our_own_battery_over_the_wire_obeys_the_cap(house: House):
    """The foreign side here is our resource manager behind a socket: a limit makes the manager discharge it."""
    battery = Battery(BatteryConfig("Garage", capacity_wh=20_000.0))
    client = RmClient(
        BatteryResource(battery, seeded_ids(5)), house.server.address, ids=seeded_ids(6), jitter=random.Random(1)
    )
    running = asyncio.get_running_loop().create_task(client.run(lambda: house.site.now))
    await house.until(lambda: "Garage" in house.names())

    def lives() -> bool:
        battery.step(house.site.now, 1.0)
        client.tick(house.site.now)
        client.report(house.site.now)
        return house.device("Garage").power_w < -2000.0

    house.manager.receive([LimitSignal("e-1", START, None, upper_w=-8500.0)])
    await house.until(lives)
    garage = house.device("Garage")
    assert (garage.kind, garage.state) == ("battery", "discharging")
    assert garage.soc is not None and garage.capacity_wh is not None
    # what the description tells is what it gives, after its losses
    assert garage.capacity_wh == pytest.approx(20_000.0 * 0.95)
    assert battery.setpoint_w is not None and battery.setpoint_w < -2000.0
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await house.until(lambda: "Garage" not in house.names())
    assert battery.setpoint_w is None, "without its manager it goes by itself"


async def test_a_whole_site_can_be_managed_from_elsewhere(house: House):
    config = replace(house.site.config, devices=(MeterConfig("Far meter"), BatteryConfig("Far battery")))
    far = Site(config, START)
    remote = RemoteCem(far, house.server.address)
    assert "no energy manager is connected" in remote.reasons[0].text
    running = asyncio.get_running_loop().create_task(remote.run())
    await house.until(lambda: far.step(1.0) is None and {"Far meter", "Far battery"} <= set(house.names()))
    assert remote.reasons == ()
    await house.until(lambda: far.step(1.0) is None and house.device("Far battery").soc is not None)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_refused_connection_is_dialled_again_and_the_trouble_told():
    first = House()
    await first.server.start()
    address = first.server.address
    await first.server.close()
    battery = BatteryResource(Battery(BatteryConfig("Garage")), seeded_ids(5))
    client = RmClient(battery, address, ids=seeded_ids(6), jitter=random.Random(1), first_wait_s=0.001)
    running = asyncio.get_running_loop().create_task(client.run(lambda: START))
    await first.until(lambda: client.trouble.startswith(f"{address} cannot be reached"))
    second = House(port=int(address.rpartition(":")[2]))
    await second.server.start()
    await second.until(lambda: "Garage" in second.names())
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await second.server.close()


async def test_a_client_with_the_wrong_token_says_what_it_was_told():
    house = House(token="secret")
    await house.server.start()
    battery = BatteryResource(Battery(BatteryConfig("Garage")), seeded_ids(5))
    client = RmClient(battery, house.server.address, token="guess", ids=seeded_ids(6), jitter=random.Random(1))
    running = asyncio.get_running_loop().create_task(client.run(lambda: START))
    await house.until(lambda: "401" in client.trouble)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await house.server.close()


async def test_without_the_token_nobody_enters():
    house = House(token="secret")
    await house.server.start()
    for headers in (None, {"Authorization": "Bearer guess"}, {"Authorization": "secret"}):
        with pytest.raises(InvalidStatus) as refused:
            await connect(house.server.address, additional_headers=headers)
        assert refused.value.response.status_code == 401
    async with connect(house.server.address, additional_headers={"Authorization": "Bearer secret"}) as socket:
        await Peer(socket).introduces()
        assert "Pump" in house.names()
    await house.server.close()


async def test_a_page_in_a_browser_is_turned_away(house: House):
    with pytest.raises(InvalidStatus) as refused:
        await connect(house.server.address, origin="http://evil.example")  # type: ignore[arg-type]
    assert refused.value.response.status_code == 403
    assert house.server.links == []


async def test_newer_drafts_come_without_a_handshake():
    house = House(handshake=False)
    await house.server.start()
    async with connect(house.server.address) as socket:
        await Peer(socket).introduces(handshake=False)
        assert house.device("Pump").state == "not measured yet"
    await house.server.close()


# Peers that lie


@pytest.mark.parametrize("name", ["Battery", "Meter"])
async def test_a_name_that_is_taken_does_not_stand_for_another_device(house: House, name: str):
    async with connect(house.server.address) as socket:
        peer = Peer(socket)
        await peer.introduces(name)
        await peer.measures(5000.0)
        await house.until(lambda: house.device(f"{name} (2)").power_w == 5000.0)
        assert house.names().count(name) == 1
        seen = house.manager.cem.house(house.site.now)
        assert [load.name for load in seen.loads] == [f"{name} (2)"]
        assert seen.net_w == pytest.approx(house.site.meter.power_w, abs=6000.0), "the meter is still the meter"


async def test_control_characters_and_length_of_a_name_do_not_reach_the_screen(house: House):
    async with connect(house.server.address) as socket:
        await Peer(socket).introduces("Pu\nmp \x1b[31m" + "x" * 500)
        (name,) = (name for name in house.names() if name.startswith("Pu"))
        assert name.startswith("Pu mp [31mxxx") and len(name) == 60


async def test_a_measurement_beyond_belief_is_refused_with_its_reason(house: House):
    async with connect(house.server.address) as socket:
        peer = Peer(socket)
        await peer.introduces()
        await peer.measures(500.0)
        answer = await peer.measures(1e12)
        assert answer["status"] == "INVALID_CONTENT"
        assert "not believed" in answer["diagnostic_label"]
        house.site.step(1.0)
        assert house.device("Pump").power_w == 500.0


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("{oops", "INVALID_DATA"),
        ("[1]", "INVALID_DATA"),
        ('{"message_type":"Nope","message_id":"ab"}', "INVALID_MESSAGE"),
        ('{"message_type":"PowerMeasurement","message_id":"ab"}', "INVALID_MESSAGE"),
        ('{"message_type":"FRBC.StorageStatus","message_id":"ab","present_fill_level":1}', "INVALID_CONTENT"),
        (b"\xff\xfe", "INVALID_DATA"),
    ],
)
async def test_nonsense_is_answered_and_the_session_goes_on(house: House, text: str | bytes, status: str):
    async with connect(house.server.address) as socket:
        peer = Peer(socket)
        await peer.introduces()
        await socket.send(text)
        assert (await peer.hears("ReceptionStatus"))["status"] in ("OK", status)
        assert (await peer.measures(50.0))["status"] == "OK"
        assert any(odd.startswith(status) or "does not belong" in odd for odd in house.server.links[0].cem.oddities)


async def test_a_message_too_large_closes_the_wire(house: House):
    async with connect(house.server.address) as socket:
        peer = Peer(socket)
        await peer.introduces()
        await socket.send("x" * (house.server.limits.size + 1))
        code, _ = await peer.closing()
    assert code == 1009
    await house.until(lambda: "Pump" not in house.names())
    assert "1009" in house.server.gone[-1][1]


# Peers that flood


def test_the_pace_lets_a_burst_through_and_then_holds_the_rate():
    pace = Pace(rate=100.0, burst=10, now_s=0.0)
    assert [pace.wait_s(0.0) for _ in range(9)] == [0.0] * 9
    now, taken = 0.0, 0
    while now < 10.0:
        now += max(pace.wait_s(now), 1e-6)
        taken += 1
    assert 990 <= taken <= 1020


async def test_a_flood_is_answered_to_the_last_message_while_others_are_served():
    house = House(limits=Limits(rate=500.0))
    await house.server.start()
    async with connect(house.server.address) as noisy, connect(house.server.address) as calm:
        flooder, other = Peer(noisy), Peer(calm)
        await flooder.introduces("Flood")
        value = [{"commodity_quantity": L1, "value": 1.0}]
        count, answered = 800, 0

        async def pour() -> None:
            for _ in range(count):
                await flooder.says("PowerMeasurement", measurement_timestamp=START.isoformat(), values=value)

        pouring = asyncio.get_running_loop().create_task(pour())
        await other.introduces("Calm")
        assert (await other.measures(40.0))["status"] == "OK"
        while answered < count:
            answered += (await flooder.hears("ReceptionStatus"))["status"] == "OK"
        await pouring
    await house.server.close()
    assert answered == count


async def test_who_does_not_read_is_cut():
    house = House(limits=Limits(unread=20))
    await house.server.start()
    async with connect(house.server.address) as socket:
        await Peer(socket).introduces()
        (link,) = house.server.links
        link.from_cem(["x" * 100] * 21, START)
        assert house.server.gone[-1] == ("Pump", "it does not read what it is sent")
        assert "Pump" not in house.names()
    await house.server.close()


# Peers that hang or vanish


async def test_who_does_not_introduce_itself_is_shown_out_with_the_reason():
    house = House(limits=Limits(introduces_s=0.02))
    await house.server.start()
    async with connect(house.server.address) as socket:
        code, heard = await Peer(socket).closing()
    assert code == 1000
    assert heard[-1]["diagnostic_label"] == "no ResourceManagerDetails within 0.02 s"
    assert house.server.gone[-1][1] == "no ResourceManagerDetails within 0.02 s"
    await house.server.close()


async def test_who_answers_nothing_is_shown_out():
    house = House(limits=Limits(answers_s=0.05))
    await house.server.start()
    async with connect(house.server.address) as socket:
        peer = Peer(socket)
        await peer.introduces()
        code, heard = await peer.closing()
    assert code == 1000
    assert heard[-1]["diagnostic_label"] == "no ReceptionStatus for Handshake within 0.05 s"
    assert "Pump" not in house.names()
    await house.server.close()


async def test_a_silent_device_is_shown_as_silent_until_it_speaks_again():
    house = House(limits=Limits(silent_s=0.05))
    await house.server.start()
    async with connect(house.server.address) as socket:
        peer = Peer(socket)
        await peer.introduces()
        await peer.measures(300.0)
        await house.until(lambda: house.device("Pump").state == "silent")
        assert house.device("Pump").power_w == 300.0
        await peer.measures(310.0)
        assert house.device("Pump").state != "silent"
    await house.server.close()


async def test_who_vanishes_leaves_at_once(house: House):
    async with connect(house.server.address) as socket:
        peer = Peer(socket)
        await peer.introduces()
        await peer.measures(900.0)
        socket.transport.abort()
        await house.until(lambda: house.server.gone != [] and len(house.server.gone) == 1)
    name, why = house.server.gone[-1]
    assert name == "Pump" and "without a SessionRequest" in why
    # the battery, which fed it, goes back to its own small draw
    await house.until(lambda: house.site.net_w == pytest.approx(10.0, abs=1.0))
    assert house.manager.links[-1].cem.name == "Battery"


async def test_the_end_of_the_site_is_told_to_all():
    house = House()
    await house.server.start()
    async with connect(house.server.address) as socket:
        peer = Peer(socket)
        await peer.introduces()
        closing = asyncio.get_running_loop().create_task(house.server.close())
        _, heard = await peer.closing()
        await closing
    assert heard[-1]["message_type"] == "SessionRequest"
    assert heard[-1]["diagnostic_label"] == "the site is closed"


async def test_a_device_that_comes_back_is_the_same_by_name(house: House):
    for _ in range(3):
        async with connect(house.server.address) as socket:
            await Peer(socket).introduces()
        await house.until(lambda: "Pump" not in house.names())
    assert [name for name, _ in house.server.gone] == ["Pump"] * 3
    assert len(house.manager.links) == 2
    assert house.site.now - START < timedelta(hours=1)
