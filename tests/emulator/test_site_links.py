"""The doors of a site: opened together, shown on the cards, shut again; asked for by file or command line."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import pytest

from emulator.__main__ import main
from emulator.cem.house import connect
from emulator.cem.ports import LimitSignal
from emulator.day_curves import Place
from emulator.devices import BatteryConfig, EvConfig, MeterConfig
from emulator.links.ports import Ports, PortTrouble
from emulator.links.s2.websocket_client import RemoteCem
from emulator.links.site_links import SiteLinks
from emulator.site import Site, SiteConfig
from emulator.site_file import SiteFileError, parse_site_file
from tests.conftest import REPOSITORY

DEMO = str(resources.files("nodebench_resources").joinpath("sites/demo.toml"))
START = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)
WITHIN_S = 20.0
HEAD = """
[site]
name = "house"
latitude = "52°"
longitude = "5.9°"
timezone = "Europe/Amsterdam"
"""
FILE = (
    HEAD
    + """
s2_port = 0
s2_token = "secret"
csms_port = 8180
[[device]]
name = "Store"
type = "battery"
capacity = "10 kWh"
charge = "5 kW"
discharge = "5 kW"
sunspec_port = 1502
[[device]]
name = "Car"
type = "ev"
capacity = "60 kWh"
ocpp = "ws://127.0.0.1:9000/ocpp"
"""
)


def site(*devices: BatteryConfig | EvConfig) -> Site:
    place = Place(52.0, 5.9, "Europe/Amsterdam")
    return Site(SiteConfig("house", place, 30_000.0, (MeterConfig("Meter"), *devices)), START)


async def until(come_true: Callable[[], bool], *sites: Site) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not come_true():
            for each in sites:
                each.step(1.0)
            await asyncio.sleep(0.002)


def test_a_site_without_doors_does_not_wait_for_the_libraries_of_the_protocols():
    check = "import sys, emulator.__main__; print([m for m in ('ocpp', 'pymodbus', 'sunspec2') if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert told.stdout.strip() == "[]"


async def test_all_doors_open_are_shown_and_shut_again():
    house = site(BatteryConfig("Store"), EvConfig("Car"))
    manager = connect(house)
    ports = Ports(s2=0, csms=0, sunspec=(("Store", 0), ("Meter", 0)), ocpp=(("Car", "ws://127.0.0.1:9"),))
    async with SiteLinks(house, manager, ports) as links:
        assert links.s2 and links.csms
        facts = {device.name: dict(device.facts) for device in house.snapshot().devices}
        assert facts["Meter"]["S2 at"] == links.s2.address
        assert facts["Meter"]["Modbus"] == links.sunspec["Meter"].address
        assert facts["Store"]["Modbus"].startswith("127.0.0.1:") and facts["Store"]["Modbus"].endswith(" unit 1")
        assert facts["Charge points"]["OCPP 1.6 at"] == links.csms.address
        assert facts["Car"]["OCPP to"] == "ws://127.0.0.1:9/Car"
        assert len(links.addresses) == 5
        opened = [int(address.split(":")[2].split("/")[0]) for _, address in links.addresses[:2]]
        opened.append(links.sunspec["Store"].port)
        house.step(1.0)
    for port in opened:
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
    assert house.watchers == []
    assert [device.name for device in house.devices] == ["Store", "Car"]


async def test_the_charge_point_of_one_house_is_plugged_into_the_csms_of_another():
    garage, home = site(), site(EvConfig("Car", soc=0.3))
    manager = connect(garage)
    async with SiteLinks(garage, manager, Ports(csms=0)) as doors:
        assert doors.csms
        async with SiteLinks(home, None, Ports(ocpp=(("Car", doors.csms.address),))):
            await until(lambda: garage.net_w > 11_000.0, garage, home)
            assert home.net_w == pytest.approx(11_040.0)
            manager.receive([LimitSignal("e-1", START, None, upper_w=6_000.0)])
            await until(lambda: garage.net_w <= 6_000.0 and 4_000.0 < home.net_w <= 6_000.0, garage, home)
            assert "OCPP" in home.chargers[0].reason()


async def test_the_devices_of_one_house_are_managed_by_the_cem_of_another():
    near, far = site(), site(BatteryConfig("Store"))
    manager = connect(near)
    async with SiteLinks(near, manager, Ports(s2=0, s2_token="t")) as doors:
        assert doors.s2
        manager.receive([LimitSignal("e-1", START, None, lower_w=3_000.0)])
        async with RemoteCem(far, doors.s2.address, token="t"):
            await until(lambda: near.net_w >= 3_000.0, near, far)
            assert far.batteries[0].storage_w >= 3_000.0
        await until(lambda: doors.s2 is not None and not doors.s2.links, near)
        assert {why for _, why in doors.s2.gone} == {"the peer asked to terminate: the site is closed"}


async def test_a_port_in_use_is_one_sentence_and_nothing_stays_open():
    house = site(BatteryConfig("Store"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTrouble, match="SunSpec of Store: the port cannot be opened"):
            async with SiteLinks(house, connect(house), Ports(s2=0, csms=0, sunspec=(("Store", port),))):
                pytest.fail("it is taken")
    assert [device.name for device in house.devices] == ["Store"]
    assert house.watchers == []


@pytest.mark.parametrize(
    ("ports", "why"),
    [
        (Ports(sunspec=(("Cellar", 0),)), "there is no device Cellar"),
        (Ports(sunspec=(("Car", 0),)), "no SunSpec models"),
        (Ports(ocpp=(("Store", "ws://x"),)), "no charge point"),
    ],
)
def test_a_door_for_what_is_not_there_is_refused(ports: Ports, why: str):
    house = site(BatteryConfig("Store"), EvConfig("Car"))
    with pytest.raises(ValueError, match=why):
        SiteLinks(house, None, ports)


def test_a_site_file_asks_for_doors():
    config = parse_site_file(FILE)
    assert config.ports == Ports(
        s2=0,
        s2_token="secret",
        csms=8180,
        sunspec=(("Store", 1502),),
        ocpp=(("Car", "ws://127.0.0.1:9000/ocpp"),),
    )
    assert parse_site_file(Path(DEMO).read_text("utf-8")).ports == Ports()


@pytest.mark.parametrize(
    ("right", "wrong", "why"),
    [
        ("s2_port = 0", "s2_port = 70000", "s2_port: 70000 is not a port. Allowed: 0 for any free one"),
        ("s2_port = 0", "s2_port = true", "s2_port: True is not a port"),
        ("sunspec_port = 1502", 'sunspec_port = "open"', "sunspec_port: 'open' is not a port"),
        ("ws://127.0.0.1:9000/ocpp", "http://127.0.0.1", "“http://127.0.0.1” is not the address of a CSMS"),
    ],
)
def test_a_wrong_door_in_a_site_file_is_one_sentence_with_its_line(right: str, wrong: str, why: str):
    text = FILE.replace(right, wrong)
    with pytest.raises(SiteFileError) as error:
        parse_site_file(text)
    assert why in str(error.value)
    assert text.splitlines()[error.value.line - 1] == next(line for line in text.splitlines() if wrong in line)


def test_the_command_line_opens_doors_and_tells_where(capsys: pytest.CaptureFixture[str]):
    assert main([DEMO, "--for", "0.2", "--json", "--s2-port", "0", "--csms-port", "0", "--sunspec"]) == 0
    facts = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = {fact["what"]: fact["address"] for fact in facts if fact["fact"] == "address"}
    assert set(told) == {
        "S2",
        "CSMS, OCPP 1.6",
        "PV roof, SunSpec Modbus",
        "Battery, SunSpec Modbus",
        "Meter, SunSpec Modbus",
    }
    assert told["S2"].startswith("ws://127.0.0.1:")


def test_the_command_line_ends_with_2_where_a_port_is_taken(capsys: pytest.CaptureFixture[str]):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main([DEMO, "--for", "0.2", "--s2-port", str(taken.getsockname()[1])]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("S2: the port cannot be opened") and captured.err.count("\n") == 1
    with pytest.raises(SystemExit) as usage:
        main([DEMO, "--s2-port", "99999"])
    assert usage.value.code == 2
