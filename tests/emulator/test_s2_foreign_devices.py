"""Foreign resource managers at our CEM: the messages of the public examples, replayed text by text."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from emulator.cem.cem import Cem
from emulator.cem.plans import GuardSettings
from emulator.cem.ports import LimitSignal
from emulator.cem.resources import Charger, Producer, read
from emulator.links.s2.cem_session import CemSession
from emulator.links.s2.codec import seeded_ids
from emulator.links.s2.session import State

NOW = datetime(2024, 8, 24, 15, 0, tzinfo=UTC)


class Foreign:
    """A device that says what the example files say, to a CEM that answers for real."""

    def __init__(self, shared: Path) -> None:
        self._examples = shared / "data/s2/examples"
        self.session = CemSession(seeded_ids(1))
        self.cem = Cem(UTC, meter="no meter here", settings=GuardSettings())
        self.cem.add(self.session)
        self.answers: list[dict[str, Any]] = [json.loads(text) for text in self.session.start(NOW)]

    def says(self, name: str, **changes: object) -> None:
        tree = json.loads((self._examples / f"{name}.json").read_text()) | changes
        self.answers += [json.loads(text) for text in self.session.receive(json.dumps(tree), NOW)]

    def hears(self, message_type: str) -> list[dict[str, Any]]:
        return [answer for answer in self.answers if answer["message_type"] == message_type]

    def decide(self, *signals: LimitSignal) -> list[dict[str, Any]]:
        self.cem.receive(signals)
        return [json.loads(text) for _, texts in self.cem.control(NOW) for text in texts]


@pytest.fixture
def car(shared: Path) -> Foreign:
    car = Foreign(shared)
    for name in ("01-Handshake", "03-ResourceManagerDetails", "07-FRBC.SystemDescription", "08-PowerMeasurement"):
        car.says(f"doc-ev-{name}")
    car.says("doc-ev-10-FRBC.StorageStatus")
    car.says("doc-ev-09-FRBC.ActuatorStatus")
    return car


@pytest.fixture
def plant(shared: Path) -> Foreign:
    plant = Foreign(shared)
    plant.says("doc-pv-00-Handshake", role="RM", supported_protocol_versions=["0.0.2-beta"])
    plant.says("doc-pv-02-ResourceManagerDetails")
    plant.says("doc-pv-04-PEBC.PowerConstraints")
    plant.says("doc-pv-06-PowerMeasurement")
    return plant


def test_the_documented_car_gets_its_control_type_and_no_bad_answer(car: Foreign):
    assert car.session.state is State.ACTIVATED
    assert [answer["control_type"] for answer in car.hears("SelectControlType")] == ["FILL_RATE_BASED_CONTROL"]
    assert {answer["status"] for answer in car.hears("ReceptionStatus")} == {"OK"}
    seen = read(car.session)
    assert isinstance(seen, Charger)
    assert (seen.name, seen.min_w, seen.max_w) == ("My Electric Vehicle RM", 1400.0, 11_000.0)


def test_the_documented_car_is_instructed_in_its_own_ids(car: Foreign):
    seen = read(car.session)
    assert isinstance(seen, Charger)
    cap = LimitSignal("e-1", NOW, NOW + timedelta(hours=1), upper_w=6300.0)
    (instruction,) = car.decide(cap)
    assert instruction["message_type"] == "FRBC.Instruction"
    assert (instruction["actuator_id"], instruction["operation_mode"]) == ("actuator1", "om2")
    # 6.3 kW less the 100 W kept free, on the range 1.4 … 11 kW
    assert instruction["operation_mode_factor"] == pytest.approx((6200.0 - 1400.0) / 9600.0)


def test_the_documented_car_is_paused_by_its_off_mode(car: Foreign):
    (instruction,) = car.decide(LimitSignal("e-1", NOW, None, upper_w=1000.0))
    assert (instruction["operation_mode"], instruction["operation_mode_factor"]) == ("om1", 0.0)


def test_the_documented_plant_is_limited_in_its_own_ids(plant: Foreign):
    assert {answer["status"] for answer in plant.hears("ReceptionStatus")} == {"OK"}
    seen = read(plant.session)
    assert isinstance(seen, Producer)
    (instruction,) = plant.decide(LimitSignal("e-1", NOW, None, lower_w=-1500.0))
    assert instruction["message_type"] == "PEBC.Instruction"
    assert instruction["power_constraints_id"] == "powerConstraint1"
    (envelope,) = instruction["power_envelopes"]
    assert envelope["commodity_quantity"] == seen.quantity.value
    assert envelope["power_envelope_elements"][0]["lower_limit"] == -1450.0


def test_the_plants_other_messages_are_taken(plant: Foreign):
    plant.says("doc-pv-05-PEBC.EnergyConstraint")
    plant.says("doc-pv-07-PowerForecast")
    assert {answer["status"] for answer in plant.hears("ReceptionStatus")} == {"OK"}
    plant.says("doc-pv-09-InstructionStatusUpdate")
    assert plant.hears("ReceptionStatus")[-1]["status"] == "INVALID_CONTENT", "that instruction was never given"
    plant.says("doc-pv-10-SessionRequest")
    assert plant.session.state is State.CLOSED
    assert plant.session.ended_why.startswith("the peer asked to")
    assert plant.decide() == []
