"""Every fault as the energy manager sees it: what it does to the house, and the data-quality token that goes up."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from emulator.cem.house import HouseController, connect
from emulator.cem.ports import LimitSignal
from emulator.cem.quality import Quality
from emulator.day_curves import Place
from emulator.devices import BaseLoadConfig, BatteryConfig, EvConfig, MeterConfig, WasherConfig, WasherState
from emulator.devices.faults import SIZES, Fault, FaultBook, FaultKind, FaultRefused, script
from emulator.links.s2.session import State
from emulator.site import DeviceConfig, Site, SiteConfig

START = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUSEHOLD, BATTERY = BaseLoadConfig("base load"), BatteryConfig("battery")
EV = EvConfig("ev", soc=0.45, departure=time(17, 30))
WASHER = WasherConfig("washer", ready_by=time(23, 0))


class Lived:
    def __init__(self, *devices: DeviceConfig) -> None:
        config = SiteConfig("house", Place(51.98, 5.91, "Europe/Amsterdam"), 17_250.0, (MeterConfig("meter"), *devices))
        self.site = Site(config, START, seed=1)
        self.house: HouseController = connect(self.site)

    def live(self, minutes: float) -> list[float]:
        net: list[float] = []
        for _ in range(round(minutes * 60)):
            self.site.step(1.0)
            net.append(self.site.net_w)
        return net

    def fault(self, kind: FaultKind, device: str, minutes: float | None = None, size: float | None = None) -> None:
        now = self.site.now
        self.site.faults.add(Fault(kind, device, now, None if minutes is None else now + minutes * MINUTE, size))

    def quality(self, device: str) -> Quality:
        return self.house.quality(device)

    def line(self, device: str) -> str:
        return " · ".join(reason.text for reason in self.house.reasons if reason.device == device)

    def cap(self, watts: float) -> None:
        self.house.receive([LimitSignal("e-17", self.site.now, self.site.now + 180 * MINUTE, upper_w=watts)])


def test_a_house_without_faults_has_good_readings_and_tells_no_doubt():
    house = Lived(HOUSEHOLD, BATTERY, EV, WASHER)
    house.cap(7000.0)
    for _ in range(20):
        house.live(0.5)
        for device in ("base load", "battery", "ev", "washer"):
            assert house.quality(device) is Quality.GOOD, (house.site.now, device, house.line(device))
    assert not any(reason.binding == "quality" for reason in house.house.reasons)


def test_a_lost_wire_grows_old_then_uncertain_then_ends_and_comes_back():
    house = Lived(HOUSEHOLD, EV, BATTERY)
    house.cap(4900.0)
    house.live(2)
    held = house.site.chargers[0].current_a
    assert held < 16.0
    house.fault(FaultKind.COMM_LOSS, "ev", minutes=3)
    house.live(0.5)
    assert house.quality("ev") is Quality.COMM_FAILURE
    assert house.site.chargers[0].current_a == held, "it goes on as told"
    assert "is not heard of any more; counts as" in house.line("ev")
    house.live(0.6)
    assert house.quality("ev") is Quality.NOT_CONNECTED
    house.live(0.4)
    assert house.site.chargers[0].setpoint_a is None, "given up, it goes by itself"
    assert house.site.batteries[0].setpoint_w == pytest.approx(-5000.0, abs=10.0), "the battery does what it can"
    house.live(2)
    assert house.quality("ev") is Quality.GOOD
    assert house.site.chargers[0].current_a < 16.0, "under control again"


def test_a_disconnected_device_is_known_at_once_and_the_house_goes_on():
    house = Lived(HOUSEHOLD, BATTERY, EV)
    house.live(1)
    house.fault(FaultKind.DISCONNECT, "battery", minutes=1)
    house.live(0.1)
    assert house.quality("battery") is Quality.NOT_CONNECTED
    assert house.line("battery") == "Battery is not connected"
    assert house.site.batteries[0].setpoint_w is None
    house.live(2)
    assert house.quality("battery") is Quality.GOOD
    assert all(link.cem.state is State.ACTIVATED for link in house.house.links if link.cem.name == "battery")


def test_a_device_without_power_draws_nothing_and_keeps_its_state():
    house = Lived(HOUSEHOLD, EV)
    house.live(1)
    soc = house.site.chargers[0].soc
    house.fault(FaultKind.OFFLINE, "ev", minutes=5)
    net = house.live(4)
    assert max(net) < 2000.0
    assert house.site.chargers[0].soc == soc
    assert house.quality("ev") is Quality.NOT_CONNECTED
    house.live(3)
    assert house.site.chargers[0].power_w > 4000.0


def test_a_car_unplugged_in_an_event_frees_its_power():
    house = Lived(HOUSEHOLD, EV)
    house.cap(7000.0)
    house.live(1)
    house.fault(FaultKind.UNPLUG, "ev", minutes=1)
    house.live(0.1)
    assert not house.site.chargers[0].plugged
    house.live(0.1)
    assert house.site.net_w < 2000.0


def test_a_stuck_reading_is_found_by_the_meter():
    house = Lived(HOUSEHOLD, BATTERY, EV)
    house.live(1)
    house.fault(FaultKind.STUCK, "ev")
    house.cap(6000.0)
    net = house.live(4)
    assert house.quality("ev") is Quality.SENSOR_FAILURE
    assert "again and again" in house.line("ev")
    assert max(net[-60:]) <= 6200.0, "corrected by the meter, the cap is kept"


def test_a_reading_that_cannot_be_is_not_believed():
    house = Lived(HOUSEHOLD, BATTERY)
    house.live(1)
    house.fault(FaultKind.GAIN, "battery", size=-1.0)
    house.cap(-2000.0)
    house.live(3)
    assert house.quality("battery") in (Quality.NOT_ACCURATE, Quality.SENSOR_FAILURE)
    spiky = Lived(HOUSEHOLD, BATTERY)
    spiky.live(1)
    spiky.fault(FaultKind.SPIKES, "battery", size=50_000.0)
    seen: set[Quality] = set()
    net: list[float] = []
    for _ in range(36):
        net += spiky.live(5 / 60)
        seen.add(spiky.quality("battery"))
    assert seen == {Quality.GOOD, Quality.NOT_ACCURATE}
    assert max(abs(value) for value in net) < 1500.0, "no spike moved the battery"


def test_a_reading_that_is_no_number_is_refused_on_the_wire_and_told_so():
    house = Lived(HOUSEHOLD, BATTERY)
    house.live(1)
    house.fault(FaultKind.NAN, "battery")
    house.live(1)
    assert house.quality("battery") is Quality.NOT_ACCURATE
    session = next(link.cem for link in house.house.links if link.cem.name == "battery")
    assert session.state is State.ACTIVATED
    assert session.oddities[-1].startswith("INVALID_MESSAGE: values")


def test_a_clock_that_is_ahead_makes_readings_uncertain_and_instructions_late():
    house = Lived(HOUSEHOLD, EV)
    house.live(1)
    house.fault(FaultKind.CLOCK, "ev", size=3600.0)
    house.live(0.2)
    assert house.quality("ev") is Quality.UNCERTAIN
    house.cap(6000.0)
    house.live(0.5)
    session = next(link.cem for link in house.house.links if link.cem.name == "ev")
    assert session.lives.all()[-1].status.value == "REJECTED"


@pytest.mark.parametrize("kind", [FaultKind.REFUSES, FaultKind.OVERRIDE])
def test_a_device_that_refuses_is_planned_without_and_asked_again(kind: FaultKind):
    house = Lived(HOUSEHOLD, BATTERY, EV)
    house.live(1)
    house.fault(kind, "ev", minutes=2)
    house.cap(5000.0)
    house.live(1)
    assert house.quality("ev") is Quality.LOCAL_OVERRIDE
    assert house.site.batteries[0].power_w < -3500.0, "the battery has to"
    assert "it refused" in house.line("ev")
    net = house.live(3)
    assert house.quality("ev") is Quality.GOOD
    assert net[-1] <= 5200.0


def test_a_user_who_takes_the_washer_over_starts_it():
    house = Lived(HOUSEHOLD, WASHER)
    house.live(1)
    assert house.site.washers[0].state is WasherState.ARMED
    house.fault(FaultKind.OVERRIDE, "washer", minutes=1)
    house.live(0.2)
    assert house.site.washers[0].state is WasherState.RUNNING


@pytest.mark.parametrize(("kind", "size"), [(FaultKind.IGNORES, None), (FaultKind.PARTIAL, 0.3)])
def test_a_device_that_accepts_and_does_not_do_is_found_out_within_two_minutes(kind: FaultKind, size: float | None):
    house = Lived(HOUSEHOLD, BATTERY, EV)
    house.live(1)
    house.fault(kind, "battery", minutes=4, size=size)
    house.cap(8000.0)
    net = house.live(2)
    assert house.quality("battery") is Quality.DEVICE_FAILURE
    assert max(net[-30:]) <= 8200.0, "the car makes up for it"
    house.live(9)
    assert house.quality("battery") is Quality.GOOD, "mended and tried again"


@pytest.mark.parametrize("kind", [FaultKind.LATE, FaultKind.DUPLICATED, FaultKind.REORDERED, FaultKind.CORRUPT])
def test_a_bad_wire_never_ends_a_session_or_breaks_a_cap(kind: FaultKind):
    house = Lived(HOUSEHOLD, BATTERY, EV)
    house.cap(6000.0)
    house.live(2)
    house.fault(kind, "ev", minutes=3)
    net = house.live(4)
    session = next(link.cem for link in house.house.links if link.cem.name == "ev")
    assert session.state is State.ACTIVATED, session.ended_why
    assert sum(1 for value in net if value > 6200.0) <= 20
    if kind in (FaultKind.CORRUPT, FaultKind.DUPLICATED):
        assert any(session.oddities)


def test_a_book_knows_what_is_present_and_forgets_what_was_mended():
    book = FaultBook()
    for fault in script("ev", (FaultKind.STUCK, FaultKind.GAIN), START, MINUTE):
        book.add(fault)
    assert not book.of("ev", START - SECOND)
    assert set(book.of("ev", START)) == {FaultKind.STUCK}
    assert set(book.of("ev", START + MINUTE)) == {FaultKind.GAIN}
    assert not book.of("battery", START + MINUTE)
    assert set(book.of("ev", START + 30 * SECOND)) == {FaultKind.STUCK}, "also when asked about the past"
    book.mend("ev", START + 10 * SECOND)
    assert not book.of("ev", START + 20 * SECOND) and not book.of("ev", START + MINUTE)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault(FaultKind.STUCK, "ev", START, START), "end before it begins"),
        (Fault(FaultKind.STUCK, "", START), "needs a device"),
        (Fault(FaultKind.POWER_CUT, "ev", START), "of the whole site"),
        (Fault(FaultKind.STUCK, "ev", START, size=2.0), "has no size"),
        (Fault(FaultKind.PARTIAL, "ev", START, size=2.0), "size of 0 to 1"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(fault: Fault, why: str):
    with pytest.raises(FaultRefused, match=why):
        FaultBook().add(fault)


def test_usual_sizes_are_within_their_ranges():
    assert all(least <= usual <= most for usual, least, most in SIZES.values())
