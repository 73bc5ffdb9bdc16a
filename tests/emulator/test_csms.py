"""The CSMS: budgets split, what charge points tell judged, and foreign charge points under the energy manager's cap."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ocpp.routing import on
from ocpp.v16 import ChargePoint as Endpoint
from ocpp.v16 import call, call_result
from ocpp.v16.enums import Action, ChargePointErrorCode, ChargePointStatus, ChargingProfileStatus, ConfigurationStatus
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from emulator.cem.house import connect as put_in_charge
from emulator.cem.ports import LimitSignal
from emulator.csms import FORGOTTEN_S, Csms
from emulator.day_curves import Place
from emulator.devices import MeterConfig
from emulator.links.ocpp.budget import Claim, split
from emulator.links.ocpp.station import HOLDS, RENEWED, Station
from emulator.site import Site, SiteConfig

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
WITHIN_S = 20.0
PROTOCOL: Any = "ocpp1.6"


# The split


@given(
    st.floats(0.0, 1e6),
    st.lists(st.tuples(st.floats(1380.0, 4140.0), st.floats(0.0, 20_000.0)), max_size=12),
)
def test_a_split_never_exceeds_the_budget_nor_a_car_and_leaves_nothing_a_served_car_could_take(
    budget_w: float, cars: list[tuple[float, float]]
):
    claims = [Claim(f"c{n}", least, least + more) for n, (least, more) in enumerate(cars)]
    given_w = split(budget_w, claims)
    assert sum(given_w.values()) <= budget_w + 1e-3
    for claim in claims:
        assert given_w[claim.name] == 0.0 or claim.least_w - 1e-6 <= given_w[claim.name] <= claim.most_w + 1e-6
    served = [claim for claim in claims if given_w[claim.name] > 0.0]
    if any(given_w[claim.name] < claim.most_w - 1e-3 for claim in served):
        assert sum(given_w.values()) == pytest.approx(budget_w, abs=1e-3)


def test_the_first_in_the_row_are_served_when_it_does_not_do_for_all():
    claims = [Claim(name, 4140.0, 11_040.0) for name in "abc"]
    assert split(9000.0, claims) == {"a": 4500.0, "b": 4500.0, "c": 0.0}


# What a station tells


def station() -> Station:
    one = Station("CP", NOON)
    one.on_boot("Wallbox", "Pulsar", NOON)
    one.on_start(3, NOON)
    one.on_status(1, "Charging", NOON)
    return one


def sample(measurand: str, value: str, **more: str) -> list[dict[str, Any]]:
    return [{"sampled_value": [{"measurand": measurand, "value": value, **more}]}]


@pytest.mark.parametrize("value", ["NaN", "inf", "-5", "1e9", "much", ""])
def test_a_power_beyond_belief_changes_nothing(value: str):
    one = station()
    one.on_meter(sample("Power.Active.Import", "4000", unit="W"), NOON)
    one.on_meter(sample("Power.Active.Import", value, unit="W"), NOON)
    assert one.power_w == 4000.0
    assert "not believed" in one.oddities[-1]


def test_units_and_defaults_of_meter_values():
    one = station()
    one.on_meter(sample("Power.Active.Import", "4.2", unit="kW"), NOON)
    one.on_meter([{"sampled_value": [{"value": "1234"}]}], NOON)
    one.on_meter(sample("SoC", "64", unit="Percent"), NOON)
    assert (one.power_w, one.energy_wh, one.soc) == (4200.0, 1234.0, 0.64)


def test_a_car_of_one_phase_is_given_what_it_can_use():
    one = station()
    values = sample("Power.Active.Import", "3680", unit="W") + sample("Current.Import", "16", unit="A")
    one.on_meter(values, NOON)
    claim = one.claim()
    assert claim is not None and claim.least_w == 6 * 230.0


def sent(one: Station) -> list[float]:
    """Currents of the TxProfiles in the queue, which is emptied."""
    made = [outgoing.make() for outgoing in one.outgoing]
    one.outgoing.clear()
    profiles: list[Any] = [each.cs_charging_profiles for each in made if isinstance(each, call.SetChargingProfile)]
    return [
        profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"]
        for profile in profiles
        if profile["chargingProfilePurpose"] == "TxProfile"
    ]


def test_a_current_is_told_once_renewed_in_time_and_never_between_zero_and_six():
    one = station()
    sent(one)
    one.allot(5000.0, NOON)
    one.allot(5000.0, NOON)
    assert sent(one) == [7.2]
    one.told_a = 7.2
    one.allot(5010.0, NOON + timedelta(seconds=5))
    assert sent(one) == []
    one.allot(4139.0, NOON + timedelta(seconds=10))
    assert sent(one) == [0.0]
    one.told_a = 0.0
    one.allot(0.0, NOON + timedelta(seconds=10) + RENEWED)
    assert sent(one) == [0.0]
    assert RENEWED < HOLDS


def test_a_refusal_is_asked_again_after_a_while():
    one = station()
    sent(one)
    one.allot(5000.0, NOON)
    made = one.outgoing.popleft().make()
    one.answered(made, call_result.SetChargingProfile(status=ChargingProfileStatus.rejected))
    one.allot(5000.0, NOON + timedelta(seconds=30))
    assert sent(one) == []
    one.allot(5000.0, NOON + timedelta(seconds=61))
    assert sent(one) == [7.2]
    assert "Rejected" in one.oddities[-1]


# Foreign charge points


class ForeignPoint(Endpoint):
    """A charge point as users of the library write it: it draws what the last profile allows, 16 A without one."""

    def __init__(self, identity: str, socket: ClientConnection) -> None:
        super().__init__(identity, socket)
        self.limit_a = 16.0
        self.transaction = 0
        self.profiles: list[dict[str, Any]] = []
        self.soc = 40.0

    @property
    def power_w(self) -> float:
        return 690.0 * min(self.limit_a, 16.0) if self.transaction and self.limit_a >= 6.0 else 0.0

    @on(Action.set_charging_profile)
    def profile(self, connector_id: int, cs_charging_profiles: dict[str, Any], **_: Any) -> Any:
        self.profiles.append(cs_charging_profiles)
        if cs_charging_profiles["charging_profile_purpose"] == "TxProfile":
            assert cs_charging_profiles["transaction_id"] == self.transaction
            self.limit_a = float(cs_charging_profiles["charging_schedule"]["charging_schedule_period"][0]["limit"])
        return call_result.SetChargingProfile(status=ChargingProfileStatus.accepted)

    @on(Action.change_configuration)
    def configure(self, **_: Any) -> Any:
        return call_result.ChangeConfiguration(status=ConfigurationStatus.accepted)

    async def charges(self) -> None:
        boot: Any = await self.call(call.BootNotification(charge_point_vendor="Acme", charge_point_model="Box"))
        assert boot.status == "Accepted"
        await self.says(ChargePointStatus.preparing)
        started: Any = await self.call(
            call.StartTransaction(connector_id=1, id_tag="T", meter_start=0, timestamp=NOON.isoformat())
        )
        self.transaction = started.transaction_id
        await self.says(ChargePointStatus.charging)

    async def says(self, status: ChargePointStatus) -> None:
        await self.call(
            call.StatusNotification(connector_id=1, error_code=ChargePointErrorCode.no_error, status=status)
        )

    async def measures(self) -> None:
        values = [("Power.Active.Import", "W", self.power_w), ("SoC", "Percent", self.soc)]
        sampled = [{"measurand": name, "unit": unit, "value": f"{value:.1f}"} for name, unit, value in values]
        await self.call(
            call.MeterValues(
                connector_id=1,
                meter_value=[{"timestamp": NOON.isoformat(), "sampledValue": sampled}],  # type: ignore[list-item]
            )
        )


class Garage:
    """A house with nothing but a CSMS, and the charge points the test connects to it."""

    def __init__(self, **options: Any) -> None:
        config = SiteConfig("garage", Place(52.0, 5.9, "Europe/Amsterdam"), 50_000.0, (MeterConfig("Meter"),))
        self.site = Site(config, NOON)
        self.house = put_in_charge(self.site)
        self.csms = Csms(self.site, self.house, **options)
        self.points: list[ForeignPoint] = []
        self._running: list[asyncio.Task[Any]] = []

    async def arrives(self, identity: str) -> ForeignPoint:
        socket = await connect(f"{self.csms.address}/{identity}", subprotocols=[PROTOCOL])
        point = ForeignPoint(identity, socket)
        self.points.append(point)
        self._running.append(asyncio.get_running_loop().create_task(point.start()))
        await point.charges()
        return point

    async def until(self, come_true: Callable[[], bool]) -> None:
        """The site lives on, each charge point measuring every second of it."""
        async with asyncio.timeout(WITHIN_S):
            while not come_true():
                self.site.step(1.0)
                for point in self.points:
                    await point.measures()

    def told_w(self) -> float:
        return sum(point.power_w for point in self.points)

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        for point in self.points:
            await point._connection.close()
        await self.csms.close()


@pytest.fixture
async def garage() -> AsyncIterator[Garage]:
    garage = Garage()
    await garage.csms.start()
    yield garage
    await garage.close()


def points_shown(garage: Garage) -> Any:
    return next(device for device in garage.site.snapshot().devices if device.name == "Charge points")


async def test_two_foreign_charge_points_are_one_device_and_share_what_the_limit_leaves(garage: Garage):
    first, second = await garage.arrives("A"), await garage.arrives("B")
    await garage.until(lambda: garage.site.net_w == pytest.approx(22_080.0))
    shown = points_shown(garage)
    assert (shown.kind, shown.state, shown.soc) == ("ev", "2 of 2 charging", 0.4)
    assert dict(shown.facts)["OCPP 1.6 at"] == garage.csms.address
    garage.house.receive([LimitSignal("e-1", NOON, None, upper_w=11_000.0)])
    await garage.until(lambda: garage.site.net_w <= 11_000.0)
    assert first.power_w > 4000.0 and second.power_w > 4000.0
    assert garage.told_w() == pytest.approx(11_000.0, abs=400.0)
    reason = next(reason.text for reason in garage.site.reasons() if reason.device == "Charge points")
    assert "e-1" in reason
    garage.house.receive([LimitSignal("e-2", NOON, None, upper_w=6_000.0)])
    await garage.until(lambda: garage.site.net_w <= 6_000.0)
    assert sorted(point.limit_a for point in garage.points)[0] == 0.0, "6 A for both are more than 6 kW"
    assert garage.told_w() > 4000.0


async def test_each_gets_a_fallback_of_the_least_current_first(garage: Garage):
    point = await garage.arrives("A")
    await garage.until(lambda: len(point.profiles) >= 2)
    fallback = point.profiles[0]
    assert fallback["charging_profile_purpose"] == "TxDefaultProfile"
    assert fallback["charging_schedule"]["charging_schedule_period"][0]["limit"] == 6.0
    assert point.profiles[1]["charging_schedule"]["duration"] == HOLDS.total_seconds()


async def test_a_charge_point_that_vanishes_counts_on_for_a_while_and_is_forgotten(garage: Garage):
    kept, lost = await garage.arrives("A"), await garage.arrives("B")
    await garage.until(lambda: garage.site.net_w > 20_000.0)
    garage.house.receive([LimitSignal("e-1", NOON, None, upper_w=12_000.0)])
    await garage.until(lambda: garage.site.net_w <= 12_000.0)
    drawn_w = lost.power_w
    garage.points.remove(lost)
    lost._connection.transport.abort()
    async with asyncio.timeout(WITHIN_S):
        while len(garage.csms.gone) < 1:
            await asyncio.sleep(0.001)
    assert garage.csms.gone[0][0] == "B"
    left = garage.site.now
    await garage.until(lambda: garage.site.now - left > timedelta(seconds=30))
    assert points_shown(garage).power_w == pytest.approx(drawn_w + kept.power_w, abs=1.0)
    assert dict(points_shown(garage).facts)["B"] == "connection lost"
    assert garage.site.net_w <= 12_000.0
    await garage.until(lambda: garage.site.now - left > timedelta(seconds=FORGOTTEN_S + 60))
    assert "B" not in garage.csms.points.stations
    assert kept.power_w == pytest.approx(11_040.0), "the other has it all now"


async def test_a_stop_frees_the_budget(garage: Garage):
    first, second = await garage.arrives("A"), await garage.arrives("B")
    garage.house.receive([LimitSignal("e-1", NOON, None, upper_w=5_000.0)])
    await garage.until(lambda: garage.site.net_w <= 5_000.0 and first.power_w > 0.0)
    await first.call(call.StopTransaction(meter_stop=10, timestamp=NOON.isoformat(), transaction_id=first.transaction))
    await first.says(ChargePointStatus.available)
    first.transaction = 0
    await garage.until(lambda: second.power_w > 4000.0)
    answer = await first.call(call.StopTransaction(meter_stop=10, timestamp=NOON.isoformat(), transaction_id=999))
    assert answer is not None and "999" in garage.csms.points.stations["A"].oddities[-1]


async def test_a_second_connection_of_an_identity_takes_over(garage: Garage):
    before = await garage.arrives("A")
    garage.points.clear()
    after = await garage.arrives("A")
    async with asyncio.timeout(WITHIN_S):
        await before._connection.wait_closed()
    assert garage.csms.gone[0] == ("A", "a new connection of the same identity")
    await garage.until(lambda: after.limit_a == 16.0 and garage.site.net_w > 10_000.0)
    assert garage.csms.points.stations["A"].online


async def test_nobody_enters_without_identity_protocol_or_password():
    garage = Garage(password="pass")
    await garage.csms.start()
    right = {"Authorization": "Basic " + base64.b64encode(b"A:pass").decode()}
    for path, protocols, headers, status in (
        ("/", [PROTOCOL], right, 404),
        ("/" + "x" * 49, [PROTOCOL], right, 404),
        ("/A%20%00", [PROTOCOL], right, 404),
        ("/A", [PROTOCOL], None, 401),
        ("/B", [PROTOCOL], right, 401),
        ("/A", None, right, 400),
        ("/A", ["ocpp2.0.1"], right, 400),
    ):
        with pytest.raises(InvalidStatus) as refused:
            await connect(garage.csms.address + path, subprotocols=protocols, additional_headers=headers)  # type: ignore[arg-type]
        assert refused.value.response.status_code == status, path
    socket = await connect(f"{garage.csms.address}/A", subprotocols=[PROTOCOL], additional_headers=right)
    await socket.close()
    await garage.close()


@pytest.mark.parametrize("junk", ["{oops", "[]", '[3,"x",{}]', "[2,2,2,2]", b"\xff"])
async def test_what_is_no_ocpp_is_noted_and_the_session_goes_on(garage: Garage, junk: str | bytes):
    point = await garage.arrives("A")
    end = garage.csms._ends["A"]
    await point._connection.send(junk)
    await garage.until(lambda: len(end.oddities) == 1)
    await garage.until(lambda: points_shown(garage).power_w > 0.0)
    assert not garage.csms.gone


async def test_a_message_too_large_ends_the_connection(garage: Garage):
    point = await garage.arrives("A")
    garage.points.clear()
    with pytest.raises(ConnectionClosed):
        await point._connection.send("x" * (1 << 19))
        async with asyncio.timeout(WITHIN_S):
            await point._connection.wait_closed()
            await point._connection.send("more")
    async with asyncio.timeout(WITHIN_S):
        while not garage.csms.gone:
            await asyncio.sleep(0.001)
    assert "1009" in garage.csms.gone[0][1]
