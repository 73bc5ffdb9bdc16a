"""Operation mode based and demand driven control: described, understood, instructed, and held back by timers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from s2python.generated import gen_s2 as g

from emulator.cem.ports import DeviceSnapshot
from emulator.links.s2.cem_session import CemSession
from emulator.links.s2.codec import encode, make, seeded_ids
from emulator.links.s2.memory import MemoryLink, Trace
from emulator.links.s2.operation_modes import Choice, active, drafts, within
from emulator.links.s2.resource_modes import DemandResource, DeviceMode, ModesResource
from emulator.links.s2.rm_session import RmSession
from emulator.links.s2.session import ControlType, State

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
DIMMED = (
    DeviceMode("off", 0.0, 0.0),
    DeviceMode("half", 500.0, 500.0),
    DeviceMode("full", 1000.0, 1000.0),
)
GENSET = (
    DeviceMode("off", 0.0, 0.0),
    DeviceMode("run", -1500.0, -5000.0),
    DeviceMode("overload", -5000.0, -6000.0, emergency_only=True),
)
HYBRID = (
    DeviceMode("heat pump", 600.0, 2500.0, low_supply=2000.0, high_supply=8000.0),
    DeviceMode("gas boiler", 60.0, 60.0, low_supply=0.0, high_supply=20_000.0),
)


class Stepped:
    """A device of this test: does at once what it is told."""

    kind = "lighting"

    def __init__(self, modes: tuple[DeviceMode, ...], dwell_s: float = 0.0, demand: float = 0.0) -> None:
        self.name = "Hall"
        self.modes, self.dwell_s = modes, dwell_s
        self.demand = (demand, demand)
        self.mode: int | None = None
        self.factor = 1.0

    @property
    def running(self) -> tuple[int, float]:
        return (0, 1.0) if self.mode is None else (self.mode, self.factor)

    @property
    def power_w(self) -> float:
        mode, factor = self.modes[self.running[0]], self.running[1]
        return mode.low_w + factor * (mode.high_w - mode.low_w)

    def set_mode(self, number: int | None, factor: float = 1.0) -> None:
        self.mode, self.factor = number, factor

    def step(self, now: datetime, dt_s: float) -> None:
        """It has no physics."""

    def snapshot(self) -> DeviceSnapshot:
        return DeviceSnapshot(self.name, self.kind, self.power_w, "on")

    def reason(self) -> str:
        return ""


class Pair:
    """The device's resource manager and a CEM's session, joined."""

    def __init__(self, device: Stepped, resource: type[ModesResource] = ModesResource) -> None:
        self.device = device
        self.now = NOON
        self.cem = CemSession(seeded_ids(1))
        made = resource(device, seeded_ids(2))  # type: ignore[arg-type]
        self.link = MemoryLink(self.cem, RmSession(made, seeded_ids(3)), Trace())
        self.link.start(self.now)
        self.link.report(self.now)

    def asks(self, most_w: float, abnormal: bool = False) -> Choice:
        choice = within(self.cem, most_w, self.now, abnormal)
        assert choice is not None
        cls = (
            g.OMBCInstruction
            if self.cem.control_type is ControlType.OPERATION_MODE_BASED_CONTROL
            else g.DDBCInstruction
        )
        for fields in drafts(self.cem, choice, self.now, abnormal):
            _, texts = self.cem.instruct(cls, self.now, **fields)
            self.link.from_cem(texts, self.now)
        self.link.report(self.now)
        return choice

    def statuses(self) -> list[str]:
        return [life.status.value for life in self.cem.lives.all()]


def test_steps_are_described_and_the_one_that_fits_is_taken():
    pair = Pair(Stepped(DIMMED))
    assert pair.cem.control_type is ControlType.OPERATION_MODE_BASED_CONTROL
    assert pair.cem.state is State.ACTIVATED and not pair.cem.oddities
    for most_w, power_w in ((2000.0, 1000.0), (999.0, 500.0), (499.0, 0.0), (-100.0, 0.0)):
        pair.asks(most_w)
        assert pair.device.power_w == power_w, most_w
    assert set(pair.statuses()) == {"SUCCEEDED"}


def test_what_runs_already_is_not_asked_for_again():
    pair = Pair(Stepped(DIMMED))
    pair.asks(600.0)
    told = len(pair.cem.lives.all())
    pair.asks(650.0)
    assert len(pair.cem.lives.all()) == told
    assert active(pair.cem) is not None


def test_a_generator_runs_between_its_least_and_its_most_and_beyond_only_in_an_emergency():
    pair = Pair(Stepped(GENSET))
    assert pair.asks(-3000.0).power_w == pytest.approx(-3000.0)
    assert pair.device.power_w == pytest.approx(-3000.0)
    assert pair.asks(-5500.0).power_w == -5000.0
    assert pair.asks(-5500.0, abnormal=True).power_w == pytest.approx(-5500.0)
    assert pair.asks(0.0).power_w == 0.0


def test_the_dwell_time_holds_both_ends_back():
    pair = Pair(Stepped(DIMMED, dwell_s=60.0))
    pair.asks(1000.0)
    assert pair.device.power_w == 1000.0
    pair.now += timedelta(seconds=30)
    assert pair.asks(400.0).power_w == 1000.0, "the transition is blocked by its timer"
    _, texts = pair.cem.instruct(g.OMBCInstruction, pair.now, **next(iter(drafts(pair.cem, _off(pair), pair.now))))
    pair.link.from_cem(texts, pair.now)
    assert pair.statuses()[-1] == "REJECTED"
    pair.now += timedelta(seconds=31)
    pair.asks(400.0)
    assert pair.device.power_w == 0.0


def _off(pair: Pair) -> Choice:
    description = pair.cem.latest(g.OMBCSystemDescription)
    assert description is not None
    fresh = CemSession(seeded_ids(9))
    fresh._keep(description, NOON)  # a CEM that knows no status and no timers
    choice = within(fresh, 0.0, NOON)
    assert choice is not None and choice.power_w == 0.0
    return choice


def test_without_its_manager_it_goes_by_itself():
    pair = Pair(Stepped(DIMMED))
    pair.asks(500.0)
    assert pair.device.mode == 1
    pair.link.rm.lost("the wire is gone", pair.now)
    assert pair.device.mode is None


@pytest.mark.parametrize(
    ("demand", "most_w", "power_w"),
    [(5000.0, 3000.0, 1550.0), (5000.0, 1000.0, 60.0), (1000.0, 3000.0, 60.0), (12_000.0, 3000.0, 60.0)],
)
def test_the_demand_is_met_by_what_the_power_allows(demand: float, most_w: float, power_w: float):
    device = Stepped(HYBRID, demand=demand)
    pair = Pair(device, DemandResource)  # type: ignore[arg-type]
    assert pair.cem.control_type is ControlType.DEMAND_DRIVEN_BASED_CONTROL
    choice = pair.asks(most_w)
    assert choice.power_w == pytest.approx(power_w)
    assert device.power_w == pytest.approx(power_w)
    mode = device.modes[device.running[0]]
    assert mode.low_supply + device.factor * (mode.high_supply - mode.low_supply) == pytest.approx(demand)
    assert not pair.cem.oddities


def test_another_demand_is_described_anew():
    device = Stepped(HYBRID, demand=5000.0)
    pair = Pair(device, DemandResource)  # type: ignore[arg-type]
    pair.asks(3000.0)
    device.demand = (3000.0, 3000.0)
    pair.link.report(pair.now)
    assert pair.asks(3000.0).power_w == pytest.approx(600.0 + 1900.0 / 6.0)


def test_a_demand_nothing_can_meet_has_no_choice():
    device = Stepped(HYBRID, demand=50_000.0)
    pair = Pair(device, DemandResource)  # type: ignore[arg-type]
    assert within(pair.cem, 3000.0, pair.now) is None


def test_two_actuators_of_a_foreign_device_meet_a_demand_together():
    cem = CemSession(seeded_ids(1), handshake=False)
    cem.start(NOON)

    def says(cls: Any, **fields: Any) -> None:
        answers = cem.receive(encode(make(cls, message_id="m-1", **fields)), NOON)
        assert '"OK"' in answers[0], answers

    says(
        g.ResourceManagerDetails,
        resource_id="chp-1",
        roles=[{"role": "ENERGY_PRODUCER", "commodity": "ELECTRICITY"}],
        instruction_processing_delay=0,
        available_control_types=["DEMAND_DRIVEN_BASED_CONTROL"],
        provides_forecast=False,
        provides_power_measurement_types=["ELECTRIC.POWER.L1"],
    )

    def actuator(name: str, power_w: float, supply: float) -> dict[str, Any]:
        def mode(label: str, power: float, heat: float) -> dict[str, Any]:
            return {
                "Id": f"{name}-{label}",
                "power_ranges": [
                    {"start_of_range": power, "end_of_range": power, "commodity_quantity": "ELECTRIC.POWER.L1"}
                ],
                "supply_range": {"start_of_range": heat, "end_of_range": heat},
                "abnormal_condition_only": False,
            }

        return {
            "id": name,
            "supported_commodites": ["ELECTRICITY"],
            "operation_modes": [mode("off", 0.0, 0.0), mode("on", power_w, supply)],
            "transitions": [],
            "timers": [],
        }

    says(
        g.DDBCSystemDescription,
        valid_from=NOON,
        actuators=[actuator("engine", -5500.0, 12_500.0), actuator("heater", 6000.0, 6000.0)],
        present_demand_rate={"start_of_range": 12_000.0, "end_of_range": 12_500.0},
        provides_average_demand_rate_forecast=False,
    )
    choice = within(cem, 0.0, NOON)
    assert choice is not None and choice.power_w == -5500.0
    instructed = drafts(cem, choice, NOON)
    assert {fields["operation_mode_id"] for fields in instructed} == {"engine-on", "heater-off"}
    assert {fields["actuator_id"] for fields in instructed} == {"engine", "heater"}


def test_a_device_that_says_nothing_of_itself_has_no_choice():
    assert within(CemSession(seeded_ids(1)), 1000.0, NOON) is None
