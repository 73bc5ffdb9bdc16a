"""A CSMS written with PyPI's `ocpp` drives our emulated charge point over its WebSocket."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ocpp.routing import on
from ocpp.v16 import ChargePoint as Endpoint
from ocpp.v16 import call, call_result
from ocpp.v16.enums import Action, ResetType
from websockets.asyncio.server import Server, serve

from emulator.devices import EvCharger, EvConfig
from emulator.links.ocpp.charge_point import ChargePoint
from emulator.links.ocpp.client import OcppClient

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
WITHIN_S = 20.0


class ForeignCsms(Endpoint):
    """One connection of a CSMS as the library's users write it; keeps what it heard."""

    def __init__(self, identity: str, socket: Any, csms: Csms) -> None:
        super().__init__(identity, socket)
        self.csms = csms

    @on(Action.boot_notification)
    def boot(self, **fields: Any) -> Any:
        self.csms.heard.append(("BootNotification", fields))
        return call_result.BootNotification(current_time=NOON.isoformat(), interval=10, status=self.csms.boots)  # type: ignore[arg-type]

    @on(Action.authorize)
    def authorize(self, **fields: Any) -> Any:
        self.csms.heard.append(("Authorize", fields))
        return call_result.Authorize(id_tag_info={"status": self.csms.lets})  # type: ignore[arg-type]

    @on(Action.start_transaction)
    def begin(self, **fields: Any) -> Any:
        self.csms.heard.append(("StartTransaction", fields))
        return call_result.StartTransaction(transaction_id=7, id_tag_info={"status": self.csms.lets})  # type: ignore[arg-type]

    @on(Action.stop_transaction)
    def end(self, **fields: Any) -> Any:
        self.csms.heard.append(("StopTransaction", fields))
        return call_result.StopTransaction()

    @on(Action.meter_values)
    def meter(self, **fields: Any) -> Any:
        self.csms.heard.append(("MeterValues", fields))
        return call_result.MeterValues()

    @on(Action.status_notification)
    def status(self, **fields: Any) -> Any:
        self.csms.heard.append(("StatusNotification", fields))
        return call_result.StatusNotification()

    @on(Action.heartbeat)
    def heartbeat(self) -> Any:
        self.csms.heard.append(("Heartbeat", {}))
        return call_result.Heartbeat(current_time=NOON.isoformat())


class Csms:
    """The foreign CSMS and our charge point, stepped by the test until something has come true."""

    def __init__(self) -> None:
        self.boots, self.lets = "Accepted", "Accepted"
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.peer: ForeignCsms | None = None
        self.paths: list[str] = []
        self.now = NOON
        self.car = EvCharger(EvConfig("EV", soc=0.3))
        self.car.unplug()
        self.point = ChargePoint(self.car, NOON)
        self.client: OcppClient | None = None
        self._running: asyncio.Task[None] | None = None
        self._server: Server | None = None

    async def open(self) -> None:
        async def serving(socket: Any) -> None:
            self.paths.append(socket.request.path)
            self.peer = ForeignCsms(socket.request.path, socket, self)
            try:
                await self.peer.start()
            except Exception as gone:
                assert "received" in str(gone) or "close" in str(gone)

        self._server = await serve(serving, "127.0.0.1", 0, subprotocols=["ocpp1.6"])  # type: ignore[list-item]
        port = next(iter(self._server.sockets)).getsockname()[1]
        self.client = OcppClient(
            self.point, f"ws://127.0.0.1:{port}/ocpp", "CP-1", random.Random(1), first_wait_s=0.001
        )
        self._running = asyncio.get_running_loop().create_task(self.client.run())

    async def close(self) -> None:
        assert self._running and self._server
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        self._server.close()
        await self._server.wait_closed()

    def step(self) -> None:
        self.car.step(self.now, 1.0)
        self.now += timedelta(seconds=1)
        self.point.stepped(self.now, 1.0)
        assert self.client
        self.client.stepped()

    async def until(self, come_true: Callable[[], bool]) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not come_true():
                self.step()
                await asyncio.sleep(0.001)

    async def asks(self, payload: Any) -> Any:
        """A call of the CSMS, the site living on meanwhile."""
        assert self.peer
        asked = asyncio.get_running_loop().create_task(self.peer.call(payload, suppress=False))
        await self.until(asked.done)
        return await asked

    def all(self, action: str) -> list[dict[str, Any]]:
        return [fields for name, fields in self.heard if name == action]

    def statuses(self) -> list[str]:
        return [fields["status"] for fields in self.all("StatusNotification")]

    async def charging(self) -> None:
        """Plug in and wait until the car charges with all it takes."""
        await self.until(lambda: self.point.registered)
        self.car.plug(soc=0.3)
        await self.until(lambda: self.statuses()[-1:] == ["Charging"])


@pytest.fixture
async def csms() -> AsyncIterator[Csms]:
    csms = Csms()
    await csms.open()
    yield csms
    await csms.close()


def profile(limit: float, purpose: str = "TxProfile", unit: str = "A", **fields: Any) -> dict[str, Any]:
    return {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {
            "chargingRateUnit": unit,
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
        },
        **fields,
    }


async def test_it_boots_charges_reports_and_stops_when_the_car_leaves(csms: Csms):
    await csms.until(lambda: csms.statuses() == ["Available"])
    assert csms.paths == ["/ocpp/CP-1"]
    assert csms.all("BootNotification")[0]["charge_point_vendor"] == "Nodebench"
    await csms.charging()
    assert csms.statuses()[1:] == ["Preparing", "SuspendedEVSE", "Charging"]
    assert csms.all("StartTransaction")[0]["meter_start"] == 0
    await csms.until(lambda: len(csms.all("MeterValues")) >= 2)
    values = {
        one["measurand"]: float(one["value"]) for one in csms.all("MeterValues")[-1]["meter_value"][0]["sampled_value"]
    }
    assert values["Power.Active.Import"] == pytest.approx(11_040.0)
    assert values["Current.Import"] == pytest.approx(16.0)
    assert values["SoC"] > 30.0
    await csms.until(lambda: csms.all("Heartbeat") != [])
    csms.car.unplug()
    await csms.until(lambda: csms.statuses()[-1] == "Available")
    (stopped,) = csms.all("StopTransaction")
    assert (stopped["transaction_id"], stopped["reason"]) == (7, "EVDisconnected")
    assert stopped["meter_stop"] == pytest.approx(csms.point.energy_wh, abs=1.0)
    assert stopped["meter_stop"] > 100


async def test_a_charging_profile_sets_the_current_and_clearing_gives_it_back(csms: Csms):
    await csms.charging()
    answer = await csms.asks(
        call.SetChargingProfile(connector_id=1, cs_charging_profiles=profile(10.0, transactionId=7))
    )
    assert answer.status == "Accepted"
    await csms.until(lambda: csms.car.current_a == 10.0)
    assert csms.car.reason() == "Charges with at most 10 A: told over OCPP."
    schedule = await csms.asks(call.GetCompositeSchedule(connector_id=1, duration=600))
    assert schedule.status == "Accepted"
    assert schedule.charging_schedule["charging_schedule_period"] == [
        {"start_period": 0, "limit": 10.0, "number_phases": 3}
    ]
    assert (await csms.asks(call.ClearChargingProfile(id=1))).status == "Accepted"
    assert (await csms.asks(call.ClearChargingProfile(id=1))).status == "Unknown"
    await csms.until(lambda: csms.car.current_a == 16.0)


@pytest.mark.parametrize("limit", [0.0, 0.5, 5.9])
async def test_a_limit_under_six_ampere_is_a_pause(csms: Csms, limit: float):
    await csms.charging()
    assert (
        await csms.asks(call.SetChargingProfile(connector_id=1, cs_charging_profiles=profile(limit)))
    ).status == "Accepted"
    await csms.until(lambda: csms.statuses()[-1] == "SuspendedEVSE")
    await csms.until(lambda: csms.car.power_w == 0.0)
    assert csms.car.current_a == 0.0
    await csms.asks(call.SetChargingProfile(connector_id=1, cs_charging_profiles=profile(6.0)))
    await csms.until(lambda: csms.statuses()[-1] == "Charging")
    assert csms.car.current_a == 6.0


async def test_the_energy_manager_and_the_csms_both_limit_and_the_lower_holds(csms: Csms):
    await csms.charging()
    await csms.asks(call.SetChargingProfile(connector_id=1, cs_charging_profiles=profile(10.0)))
    csms.car.set_current(8.0)
    await csms.until(lambda: csms.car.current_a == 8.0)
    csms.car.set_current(14.0)
    await csms.until(lambda: csms.car.current_a == 10.0)
    csms.car.set_current(None)
    assert csms.car.setpoint_a == 10.0


async def test_a_full_car_is_suspended_by_the_car(csms: Csms):
    await csms.until(lambda: csms.point.registered)
    csms.car.plug(soc=0.9999)
    await csms.until(lambda: csms.statuses()[-1:] == ["SuspendedEV"])
    assert csms.car.full


async def test_without_its_drivers_right_the_car_gets_nothing(csms: Csms):
    csms.lets = "Blocked"
    await csms.until(lambda: csms.point.registered)
    csms.car.plug(soc=0.3)
    await csms.until(lambda: csms.all("Authorize") != [] and csms.car.current_a == 0.0)
    await csms.until(lambda: "Blocked" in csms.point.trouble)
    assert csms.all("StartTransaction") == []
    csms.lets = "Accepted"
    assert (await csms.asks(call.RemoteStartTransaction(id_tag="ADMIN"))).status == "Accepted"
    await csms.until(lambda: csms.statuses()[-1] == "Charging")
    assert csms.all("StartTransaction")[0]["id_tag"] == "ADMIN"
    assert (await csms.asks(call.RemoteStopTransaction(transaction_id=99))).status == "Rejected"
    assert (await csms.asks(call.RemoteStopTransaction(transaction_id=7))).status == "Accepted"
    await csms.until(lambda: csms.statuses()[-1] == "Finishing" and csms.car.power_w == 0.0)


async def test_a_profile_that_cannot_be_used_is_rejected_with_the_reason_kept(csms: Csms):
    await csms.until(lambda: csms.point.registered)
    for connector, wrong, why in (
        (1, profile(10.0), "no transaction for a TxProfile"),
        (5, profile(10.0, "TxDefaultProfile"), "no connector 5"),
        (1, profile(10.0, "ChargePointMaxProfile"), "connector 0"),
    ):
        answer = await csms.asks(call.SetChargingProfile(connector_id=connector, cs_charging_profiles=wrong))
        assert answer.status == "Rejected"
        assert why in csms.point.trouble
    await csms.charging()
    answer = await csms.asks(
        call.SetChargingProfile(connector_id=1, cs_charging_profiles=profile(9.0, transactionId=8))
    )
    assert answer.status == "Rejected"
    assert csms.car.current_a == 16.0


async def test_a_refused_registration_is_tried_again_after_the_interval_and_nothing_else_is_said(csms: Csms):
    await csms.until(lambda: csms.statuses() == ["Available"])
    csms.boots = "Pending"
    heard = len(csms.heard)
    assert (await csms.asks(call.Reset(type=ResetType.soft))).status == "Accepted"
    await csms.until(lambda: len(csms.all("BootNotification")) >= 3)
    assert {name for name, _ in csms.heard[heard:]} <= {"BootNotification", "Heartbeat"}
    assert not csms.point.registered
    csms.boots = "Accepted"
    await csms.until(lambda: csms.point.registered)


async def test_a_transaction_is_reported_late_rather_than_never(csms: Csms):
    await csms.charging()
    assert csms.peer
    await csms.peer._connection.close()
    await csms.until(lambda: not csms.point.registered)
    csms.boots = "Pending"
    csms.car.unplug()
    csms.step()
    assert csms.all("StopTransaction") == []
    csms.boots = "Accepted"
    await csms.until(lambda: len(csms.all("StopTransaction")) == 1)
    assert csms.all("StopTransaction")[0]["transaction_id"] == 7


async def test_configuration_availability_triggers_and_the_rest(csms: Csms):
    await csms.charging()
    told = await csms.asks(call.GetConfiguration(key=["HeartbeatInterval", "Nonsense"]))
    assert told.configuration_key == [{"key": "HeartbeatInterval", "readonly": False, "value": "10"}]
    assert told.unknown_key == ["Nonsense"]
    for key, value, status in (
        ("MeterValueSampleInterval", "5", "Accepted"),
        ("MeterValueSampleInterval", "soon", "Rejected"),
        ("NumberOfConnectors", "2", "Rejected"),
        ("Nonsense", "1", "NotSupported"),
    ):
        assert (await csms.asks(call.ChangeConfiguration(key=key, value=value))).status == status
    for message, status in (
        ("Heartbeat", "Accepted"),
        ("MeterValues", "Accepted"),
        ("FirmwareStatusNotification", "NotImplemented"),
    ):
        assert (await csms.asks(call.TriggerMessage(requested_message=message))).status == status  # type: ignore[arg-type]
    assert (await csms.asks(call.ChangeAvailability(connector_id=1, type="Inoperative"))).status == "Scheduled"  # type: ignore[arg-type]
    assert (await csms.asks(call.UnlockConnector(connector_id=1))).status == "Unlocked"
    await csms.until(lambda: csms.statuses()[-1] == "Unavailable")
    assert (await csms.asks(call.ChangeAvailability(connector_id=1, type="Operative"))).status == "Accepted"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "junk",
    ["{oops", "[]", "null", "[2]", '[2,"1","Reset"]', "[2,1,2,3]", '[3,"never",{}]', '[9,"x",{}]', "[" * 5000],
)
async def test_what_is_no_ocpp_changes_nothing(csms: Csms, junk: str):
    await csms.until(lambda: csms.point.registered)
    assert csms.peer and csms.client and csms.client.end
    end = csms.client.end
    await csms.peer._connection.send(junk)
    await csms.until(lambda: len(end.oddities) == 1)
    assert (await csms.asks(call.ClearCache())).status == "Accepted"


async def test_unknown_actions_and_broken_schemas_are_answered_with_an_error(csms: Csms):
    await csms.until(lambda: csms.point.registered)
    assert csms.peer
    answers: list[Any] = []
    csms.peer.route_message = lambda raw: _keep(answers, raw)  # type: ignore[method-assign,assignment]
    for action, payload in (
        ("MakeCoffee", {}),
        ("Reset", {"type": "Gentle"}),
        ("SetChargingProfile", {"connectorId": 1}),
    ):
        await csms.peer._connection.send(json.dumps([2, f"id-{action}", action, payload]))
    await csms.until(lambda: len([one for one in answers if one[0] == 4]) == 3)
    assert [one[1] for one in answers if one[0] == 4] == ["id-MakeCoffee", "id-Reset", "id-SetChargingProfile"]


async def _keep(answers: list[Any], raw: str) -> None:
    answers.append(json.loads(raw))
