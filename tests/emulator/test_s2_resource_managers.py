"""The emulated devices behind S2: what they describe, how they answer instructions, and that all of it is by schema."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from s2python.generated import gen_s2 as g

from emulator.cem.resources import Appliance, Battery, Charger, Producer, read
from emulator.day_curves import Place
from emulator.devices import BaseLoadConfig, BatteryConfig, EvConfig, MeterConfig, PvConfig, WasherConfig, WasherState
from emulator.links.s2.cem_session import CemSession
from emulator.links.s2.codec import seeded_ids
from emulator.links.s2.memory import MemoryLink, Trace
from emulator.links.s2.resource_managers import resource_for
from emulator.links.s2.rm_session import RmSession
from emulator.links.s2.session import ControlType
from emulator.site import Site, SiteConfig

START = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)
PLACE = Place(51.98, 5.91, "Europe/Amsterdam")
CONFIG = SiteConfig(
    "house",
    PLACE,
    17_000.0,
    (
        MeterConfig("meter"),
        BaseLoadConfig("household"),
        PvConfig("pv"),
        BatteryConfig("battery"),
        EvConfig("ev", departure=time(20, 0)),
        WasherConfig("washer"),
    ),
)


class Bench:
    """A site whose devices are instructed by hand over S2, stepped in seconds."""

    def __init__(self) -> None:
        self.site = Site(CONFIG, START, seed=1)
        self.trace = Trace(100_000)
        ids = seeded_ids(1)
        self.links: dict[str, MemoryLink] = {}
        for device in (self.site.meter, *self.site.devices):
            link = MemoryLink(CemSession(ids), RmSession(resource_for(device, ids), ids), self.trace)
            self.links[device.name] = link
            link.start(START)
        self.pass_time(1)

    def pass_time(self, seconds: int) -> None:
        for _ in range(seconds):
            self.site.step(1.0)
            for link in self.links.values():
                link.tick(self.site.now)
        for link in self.links.values():
            link.report(self.site.now)

    def cem(self, name: str) -> CemSession:
        return self.links[name].cem

    def instruct(self, name: str, cls: type, **fields: object) -> str:
        fields = {"execution_time": self.site.now, "abnormal_condition": False} | fields
        identifier, texts = self.cem(name).instruct(cls, self.site.now, **fields)
        self.links[name].from_cem(texts, self.site.now)
        return identifier

    def status(self, name: str, identifier: str) -> str:
        life = self.cem(name).lives.get(identifier)
        assert life is not None
        return life.status.value

    def why(self, name: str, identifier: str) -> str:
        life = self.links[name].rm.lives.get(identifier)
        assert life is not None
        return life.why


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture(scope="session")
def validators(shared: Path) -> dict[str, Draft202012Validator]:
    """The official JSON schemas by message type."""
    folder = shared / "data/s2/s2-json-schema"
    texts = {path: json.loads(path.read_text()) for path in folder.glob("*/*.schema.json")}
    registry: Registry = Registry().with_resources(
        (path.resolve().as_uri(), Resource.from_contents(tree)) for path, tree in texts.items()
    )
    return {
        path.name.removesuffix(".schema.json"): Draft202012Validator(
            {"$ref": path.resolve().as_uri()}, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        for path in texts
        if path.parent.name == "messages"
    }


def test_each_device_has_its_control_type(bench: Bench):
    chosen = {name: link.cem.control_type for name, link in bench.links.items()}
    assert chosen == {
        "meter": ControlType.NOT_CONTROLABLE,
        "household": ControlType.NOT_CONTROLABLE,
        "pv": ControlType.POWER_ENVELOPE_BASED_CONTROL,
        "battery": ControlType.FILL_RATE_BASED_CONTROL,
        "ev": ControlType.FILL_RATE_BASED_CONTROL,
        "washer": ControlType.POWER_PROFILE_BASED_CONTROL,
    }


def test_measurements_are_those_of_the_devices_and_add_up_to_the_meter(bench: Bench):
    bench.pass_time(60)
    powers = {name: link.cem.latest(g.PowerMeasurement) for name, link in bench.links.items()}
    measured = {name: m.values[0].value for name, m in powers.items() if m is not None}
    assert measured["ev"] == bench.site.chargers[0].power_w == pytest.approx(11_040.0)
    assert measured["pv"] == bench.site.plants[0].power_w < -1000.0
    assert measured.pop("meter") == pytest.approx(sum(measured.values()))


# Battery


def test_a_battery_is_described_with_its_levels_and_what_it_can_do(bench: Bench):
    battery = read(bench.cem("battery"))
    assert isinstance(battery, Battery)
    assert (battery.charge_w, battery.discharge_w) == (5000.0, 5000.0)
    assert battery.level == pytest.approx(0.5)
    assert battery.floor == pytest.approx(0.05)
    # 10 kWh with 95 % on the way out: a tenth of the level gives 950 Wh at the grid side.
    assert battery.above_wh(0.4) == pytest.approx(950.0, rel=1e-3)


@pytest.mark.parametrize("power_w", [-5000.0, -1234.0, 0.0, 2500.0, 5000.0])
def test_a_battery_does_what_it_is_told(bench: Bench, power_w: float):
    battery = read(bench.cem("battery"))
    assert isinstance(battery, Battery)
    mode = min(battery.modes, key=lambda m: m.low_w) if power_w < 0 else max(battery.modes, key=lambda m: m.high_w)
    identifier = bench.instruct(
        "battery",
        g.FRBCInstruction,
        actuator_id=mode.actuator_id,
        operation_mode=mode.mode_id,
        operation_mode_factor=mode.factor(power_w),
    )
    bench.pass_time(5)
    assert bench.status("battery", identifier) == "SUCCEEDED"
    assert bench.site.batteries[0].storage_w == pytest.approx(power_w)


def test_a_nearly_full_battery_is_described_with_less_and_never_more_than_it_takes(bench: Bench):
    device = bench.site.batteries[0]
    device.soc = 0.93
    bench.pass_time(5)
    battery = read(bench.cem("battery"))
    assert isinstance(battery, Battery)
    assert 0.0 < device.charge_limit_w - battery.charge_w <= 250.0
    assert battery.charge_w < 5000.0


def test_an_unknown_mode_is_answered_with_invalid_content(bench: Bench):
    identifier = bench.instruct(
        "battery", g.FRBCInstruction, actuator_id="nobody", operation_mode="none", operation_mode_factor=0.5
    )
    life = bench.cem("battery").lives.get(identifier)
    assert life is not None and life.why == "INVALID_CONTENT: actuator nobody is not described"


def test_a_battery_left_alone_rests(bench: Bench):
    device = bench.site.batteries[0]
    device.set_power(3000.0)
    link = bench.links["battery"]
    link.from_cem(link.cem.end("the manager leaves", bench.site.now), bench.site.now)
    assert device.setpoint_w is None


# Charge point


def charge(bench: Bench, power_w: float) -> str:
    charger = read(bench.cem("ev"))
    assert isinstance(charger, Charger)
    pick = max if power_w > 0.0 else min
    mode = pick(charger.modes, key=lambda one: one.high_w)
    return bench.instruct(
        "ev",
        g.FRBCInstruction,
        actuator_id=mode.actuator_id,
        operation_mode=mode.mode_id,
        operation_mode_factor=mode.factor(power_w),
    )


def test_a_car_is_described_with_its_gap_its_level_and_its_departure(bench: Bench):
    charger = read(bench.cem("ev"))
    assert isinstance(charger, Charger)
    assert (charger.min_w, charger.max_w) == (pytest.approx(4140.0), pytest.approx(11_040.0))
    assert (charger.level, charger.target) == (pytest.approx(0.4, abs=1e-3), pytest.approx(0.8))
    assert charger.departure == datetime(2026, 6, 1, 18, 0, tzinfo=UTC)
    # 24 kWh at 11.04 kW and 90 %
    assert charger.needs_s == pytest.approx(24_000.0 / (11_040.0 * 0.9) * 3600.0, rel=1e-3)


def test_a_charge_point_answers_after_its_delay(bench: Bench):
    identifier = charge(bench, 6900.0)
    bench.pass_time(4)
    assert (bench.status("ev", identifier), bench.site.chargers[0].current_a) == ("STARTED", 16.0)
    bench.pass_time(2)
    assert bench.status("ev", identifier) == "SUCCEEDED"
    assert bench.site.chargers[0].power_w == pytest.approx(6900.0)


def test_the_least_power_is_not_a_pause_and_off_is(bench: Bench):
    charge(bench, 4140.0)
    bench.pass_time(6)
    assert bench.site.chargers[0].power_w == pytest.approx(4140.0)
    charge(bench, 0.0)
    bench.pass_time(6)
    assert bench.site.chargers[0].power_w == 0.0


def test_a_car_that_leaves_is_described_away_and_ends_what_was_under_way(bench: Bench):
    identifier = charge(bench, 6900.0)
    bench.site.chargers[0].unplug()
    bench.pass_time(1)
    assert bench.status("ev", identifier) == "ABORTED"
    assert bench.why("ev", identifier) == "the car left"
    charger = read(bench.cem("ev"))
    assert isinstance(charger, Charger) and not charger.plugged
    bench.site.chargers[0].plug(0.3)
    bench.pass_time(1)
    charger = read(bench.cem("ev"))
    assert isinstance(charger, Charger) and charger.plugged and charger.departure is None
    assert charger.level == pytest.approx(0.3, abs=1e-3)


# PV


def limit(bench: Bench, lower_w: float, seconds: float = 60.0) -> str:
    producer = read(bench.cem("pv"))
    assert isinstance(producer, Producer)
    element = {"duration": round(seconds * 1000), "upper_limit": 0.0, "lower_limit": lower_w}
    envelope = {"id": "envelope", "commodity_quantity": producer.quantity, "power_envelope_elements": [element]}
    return bench.instruct(
        "pv", g.PEBCInstruction, power_constraints_id=producer.constraints_id, power_envelopes=[envelope]
    )


def test_a_plant_is_limited_for_as_long_as_the_envelope_lasts(bench: Bench):
    identifier = limit(bench, -500.0)
    bench.pass_time(20)
    assert bench.site.plants[0].power_w == pytest.approx(-500.0)
    producer = read(bench.cem("pv"))
    assert isinstance(producer, Producer)
    assert producer.power_w == pytest.approx(-500.0)
    assert producer.available_w < -2000.0, "the forecast tells what there would be"
    assert bench.status("pv", identifier) == "STARTED"
    bench.pass_time(60)
    assert bench.status("pv", identifier) == "SUCCEEDED"
    assert bench.site.plants[0].lower_limit_w is None


def test_a_limit_outside_the_described_range_is_invalid_content(bench: Bench):
    identifier = limit(bench, -9000.0)
    assert bench.status("pv", identifier) == "REJECTED"
    assert bench.site.plants[0].lower_limit_w is None


# Washer


def schedule(bench: Bench, number: int, at: datetime) -> str:
    appliance = read(bench.cem("washer"))
    assert isinstance(appliance, Appliance)
    step = appliance.steps[number]
    return bench.instruct(
        "washer",
        g.PPBCScheduleInstruction,
        power_profile_id=appliance.profile_id,
        sequence_container_id=step.container_id,
        power_sequence_id=step.sequence_id,
        execution_time=at,
    )


def washer_seen(bench: Bench) -> Appliance:
    appliance = read(bench.cem("washer"))
    assert isinstance(appliance, Appliance)
    return appliance


def test_a_programme_is_cut_where_it_may_pause(bench: Bench):
    seen = washer_seen(bench)
    assert sum((step.lasts for step in seen.steps), timedelta(0)) == timedelta(minutes=138)
    assert [step.max_pause > timedelta(0) for step in seen.steps] == [False] + [True] * 6
    assert seen.steps[0].lasts == timedelta(minutes=29)
    assert seen.latest_start == START + timedelta(hours=12) - timedelta(minutes=138)
    assert seen.waiting and not seen.running


def test_a_scheduled_washer_starts_then_and_tells_its_progress(bench: Bench):
    at = bench.site.now + timedelta(minutes=1)
    identifier = schedule(bench, 0, at)
    bench.pass_time(59)
    assert bench.status("washer", identifier) == "ACCEPTED"
    assert bench.site.washers[0].state is WasherState.SCHEDULED
    bench.pass_time(61)
    assert bench.status("washer", identifier) == "STARTED"
    assert bench.site.washers[0].started_at == at
    seen = washer_seen(bench)
    assert seen.running and seen.steps[0].progress == timedelta(seconds=60)
    following = seen.following()
    assert following is not None and following[1] == at + seen.steps[0].lasts
    bench.pass_time(28 * 60)
    assert bench.status("washer", identifier) == "SUCCEEDED"


def test_a_later_start_of_the_next_step_holds_the_programme_there(bench: Bench):
    schedule(bench, 0, bench.site.now)
    bench.pass_time(60)
    following = washer_seen(bench).following()
    assert following is not None
    identifier = schedule(bench, 1, following[1] + timedelta(minutes=5))
    bench.pass_time(28 * 60 + 60)
    assert bench.site.washers[0].state is WasherState.PAUSED
    assert bench.status("washer", identifier) == "ACCEPTED"
    bench.pass_time(5 * 60)
    assert bench.site.washers[0].state is WasherState.RUNNING
    assert bench.status("washer", identifier) == "STARTED"


def test_what_the_programme_does_not_allow_is_refused_with_a_reason(bench: Bench):
    too_late = schedule(bench, 0, START + timedelta(hours=11))
    assert bench.status("washer", too_late) == "REJECTED"
    assert bench.why("washer", too_late) == "it has to start by 2026-06-01T19:42:00Z"
    schedule(bench, 0, bench.site.now)
    bench.pass_time(60)
    following = washer_seen(bench).following()
    assert following is not None
    too_long = schedule(bench, 1, following[1] + timedelta(minutes=20))
    assert (bench.status("washer", too_long), bench.why("washer", too_long)) == (
        "REJECTED",
        "it may wait 600 s at most",
    )
    begun = schedule(bench, 0, bench.site.now)
    assert bench.why("washer", begun) == "the sequence has begun"


def test_a_new_load_is_a_new_profile(bench: Bench):
    first = washer_seen(bench).profile_id
    bench.site.washers[0].load(bench.site.now, bench.site.now + timedelta(hours=4))
    bench.pass_time(1)
    assert washer_seen(bench).profile_id != first


# All of it by the schema


def test_every_message_of_every_device_is_by_the_official_schema(
    bench: Bench, validators: dict[str, Draft202012Validator]
):
    charge(bench, 6900.0)
    limit(bench, -500.0)
    schedule(bench, 0, bench.site.now)
    bench.pass_time(30)
    bench.site.chargers[0].unplug()
    bench.site.batteries[0].soc = 0.93
    bench.pass_time(5)
    for link in bench.links.values():
        link.from_cem(link.cem.end("done", bench.site.now), bench.site.now)
    kinds = set()
    for message in bench.trace.messages:
        kinds.add(message.message_type)
        errors = [error.message for error in validators[message.message_type].iter_errors(json.loads(message.text))]
        assert not errors, (message.message_type, errors)
    assert kinds >= {
        "Handshake",
        "HandshakeResponse",
        "ResourceManagerDetails",
        "SelectControlType",
        "ReceptionStatus",
        "PowerMeasurement",
        "PowerForecast",
        "FRBC.SystemDescription",
        "FRBC.StorageStatus",
        "FRBC.ActuatorStatus",
        "FRBC.FillLevelTargetProfile",
        "FRBC.Instruction",
        "PEBC.PowerConstraints",
        "PEBC.Instruction",
        "PPBC.PowerProfileDefinition",
        "PPBC.PowerProfileStatus",
        "PPBC.ScheduleInstruction",
        "InstructionStatusUpdate",
        "SessionRequest",
    }


def test_nothing_either_end_says_is_odd_to_the_other(bench: Bench):
    charge(bench, 6900.0)
    limit(bench, -500.0)
    schedule(bench, 0, bench.site.now)
    bench.pass_time(120)
    for name, link in bench.links.items():
        assert not link.cem.oddities and not link.rm.oddities, name
        assert link.cem.unanswered() == link.rm.unanswered() == []
