"""Dialogues between the two ends of an S2 session, step by step, and with a peer that misbehaves."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from s2python.generated import gen_s2 as g

from emulator.links.s2.cem_session import CemSession
from emulator.links.s2.codec import NIL_ID, VERSION, encode, make, seeded_ids
from emulator.links.s2.instructions import Instruction, Status
from emulator.links.s2.memory import MemoryLink, Trace
from emulator.links.s2.rm_session import Draft, RmSession
from emulator.links.s2.session import UNANSWERED_KEPT, ControlType, State

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
L1 = "ELECTRIC.POWER.L1"


class Heater:
    """A device of this test: one actuator, one mode of 0 to 2 kW; refuses while its door is open."""

    name = "Heater"

    def __init__(self) -> None:
        self.power_w = 0.0
        self.door_open = False
        self.released_at: datetime | None = None
        self.takes = timedelta(0)
        self.began: datetime | None = None

    def details(self) -> dict[str, object]:
        return {
            "resource_id": "heater-1",
            "name": self.name,
            "roles": [{"role": "ENERGY_CONSUMER", "commodity": "ELECTRICITY"}],
            "instruction_processing_delay": 0,
            "available_control_types": ["FILL_RATE_BASED_CONTROL", "NOT_CONTROLABLE"],
            "provides_forecast": False,
            "provides_power_measurement_types": [L1],
        }

    def describe(self, control_type: ControlType, now: datetime) -> Iterable[Draft]:
        if control_type is ControlType.FILL_RATE_BASED_CONTROL:
            yield g.FRBCStorageStatus, {"present_fill_level": 40.0}

    def report(self, now: datetime) -> Iterable[Draft]:
        value = {"commodity_quantity": L1, "value": self.power_w}
        yield g.PowerMeasurement, {"measurement_timestamp": now, "values": [value]}

    def problem(self, instruction: Instruction, now: datetime) -> str | None:
        assert isinstance(instruction, g.FRBCInstruction)
        return None if instruction.actuator_id.root == "a1" else "actuator is not described"

    def refusal(self, instruction: Instruction, now: datetime) -> str | None:
        return "the door is open" if self.door_open else None

    def accept(self, instruction: Instruction, now: datetime) -> None:
        pass

    def begin(self, instruction: Instruction, now: datetime) -> None:
        assert isinstance(instruction, g.FRBCInstruction)
        self.power_w = 2000.0 * instruction.operation_mode_factor
        self.began = now

    def outcome(self, instruction: Instruction, now: datetime) -> tuple[Status, str] | None:
        return (Status.SUCCEEDED, "") if self.began is not None and now - self.began >= self.takes else None

    def keep_time(self, now: datetime) -> None:
        pass

    def replaces(self, new: Instruction, old: Instruction) -> bool:
        return True

    def release(self, now: datetime) -> None:
        self.power_w, self.released_at = 0.0, now


def heat(**changes: object) -> dict[str, object]:
    fields: dict[str, object] = {
        "actuator_id": "a1",
        "operation_mode": "om1",
        "operation_mode_factor": 0.5,
        "execution_time": NOON,
        "abnormal_condition": False,
    }
    return fields | changes


class Pair:
    """Both ends joined in memory; `said` is the conversation since the last look, as "CEM Handshake" and so on."""

    def __init__(self) -> None:
        self.heater = Heater()
        self.trace = Trace()
        self.cem = CemSession(seeded_ids(1))
        self.rm = RmSession(self.heater, seeded_ids(2))
        self.link = MemoryLink(self.cem, self.rm, self.trace)

    def said(self, with_receptions: bool = False) -> list[str]:
        lines = [f"{'CEM' if one.from_cem else 'RM'} {one.message_type}" for one in self.trace.messages]
        self.trace.messages.clear()
        return [line for line in lines if with_receptions or not line.endswith("ReceptionStatus")]

    def instruct(self, at: datetime, **changes: object) -> str:
        identifier, texts = self.cem.instruct(g.FRBCInstruction, at, **heat(**changes))
        self.link.from_cem(texts, at)
        return identifier

    def status(self, identifier: str) -> str:
        life = self.cem.lives.get(identifier)
        assert life is not None
        return life.status.value


@pytest.fixture
def pair() -> Pair:
    pair = Pair()
    pair.link.start(NOON)
    return pair


def test_from_handshake_to_the_selected_control_type(pair: Pair):
    assert pair.said() == [
        "CEM Handshake",
        "RM Handshake",
        "CEM HandshakeResponse",
        "RM ResourceManagerDetails",
        "CEM SelectControlType",
        "RM FRBC.StorageStatus",
    ]
    assert pair.cem.state is pair.rm.state is State.ACTIVATED
    assert pair.cem.control_type is pair.rm.control_type is ControlType.FILL_RATE_BASED_CONTROL
    assert pair.cem.version == pair.rm.version == VERSION
    assert pair.cem.name == "Heater"
    status = pair.cem.latest(g.FRBCStorageStatus)
    assert status is not None and status.present_fill_level == 40.0


def test_every_message_is_answered_once_and_before_what_it_brings_about(pair: Pair):
    said = pair.said(with_receptions=True)
    assert said.count("CEM ReceptionStatus") == len([s for s in said if s.startswith("RM") and "Reception" not in s])
    assert said.count("RM ReceptionStatus") == len([s for s in said if s.startswith("CEM") and "Reception" not in s])
    assert said.index("CEM ReceptionStatus") < said.index("CEM HandshakeResponse")
    assert pair.cem.unanswered() == pair.rm.unanswered() == []
    assert not pair.cem.oddities and not pair.rm.oddities


def test_an_instruction_is_accepted_started_and_succeeds(pair: Pair):
    pair.heater.takes = timedelta(seconds=5)
    pair.said()
    identifier = pair.instruct(NOON)
    assert pair.said() == ["CEM FRBC.Instruction", "RM InstructionStatusUpdate", "RM InstructionStatusUpdate"]
    assert pair.status(identifier) == "STARTED"
    assert pair.heater.power_w == 1000.0
    pair.link.tick(NOON + timedelta(seconds=4))
    assert pair.status(identifier) == "STARTED"
    pair.link.tick(NOON + timedelta(seconds=5))
    assert pair.status(identifier) == "SUCCEEDED"


def test_an_instruction_for_later_waits_and_one_for_the_past_starts_at_once(pair: Pair):
    later = pair.instruct(NOON, execution_time=NOON + timedelta(minutes=1))
    assert (pair.status(later), pair.heater.power_w) == ("ACCEPTED", 0.0)
    pair.link.tick(NOON + timedelta(seconds=59))
    assert pair.heater.power_w == 0.0
    pair.link.tick(NOON + timedelta(seconds=60))
    assert (pair.status(later), pair.heater.power_w) == ("SUCCEEDED", 1000.0)
    past = pair.instruct(NOON, execution_time=NOON - timedelta(hours=1), operation_mode_factor=1.0)
    assert (pair.status(past), pair.heater.power_w) == ("SUCCEEDED", 2000.0)


def test_a_newer_instruction_ends_the_older_and_both_ends_know_why(pair: Pair):
    pair.heater.takes = timedelta(hours=1)
    first = pair.instruct(NOON)
    second = pair.instruct(NOON, operation_mode_factor=0.25)
    assert (pair.status(first), pair.status(second)) == ("ABORTED", "STARTED")
    life = pair.rm.lives.get(first)
    assert life is not None and life.why == f"replaced by {second}"
    assert pair.heater.power_w == 500.0


def test_a_device_may_refuse(pair: Pair):
    pair.heater.door_open = True
    identifier = pair.instruct(NOON)
    assert pair.status(identifier) == "REJECTED"
    assert [life.why for life in pair.rm.lives.all()] == ["the door is open"]
    assert pair.heater.power_w == 0.0


def test_an_instruction_about_something_never_described_is_invalid_content(pair: Pair):
    identifier = pair.instruct(NOON, actuator_id="a9")
    life = pair.cem.lives.get(identifier)
    assert life is not None
    assert (life.status, life.why) == (Status.REJECTED, "INVALID_CONTENT: actuator is not described")
    assert pair.rm.lives.all() == []


def test_an_instruction_id_is_used_once(pair: Pair):
    identifier = pair.instruct(NOON)
    again = encode(make(g.FRBCInstruction, message_id="again", id=identifier, **heat()))
    answers = [json.loads(text) for text in pair.rm.receive(again, NOON)]
    assert [answer["status"] for answer in answers] == ["INVALID_CONTENT"]


def test_measurements_come_when_the_device_reports(pair: Pair):
    pair.instruct(NOON)
    pair.link.report(NOON + timedelta(seconds=5))
    measured = pair.cem.latest(g.PowerMeasurement)
    assert measured is not None and measured.values[0].value == 1000.0
    assert pair.cem.received_at(g.PowerMeasurement) == NOON + timedelta(seconds=5)


def test_ending_tells_why_and_leaves_nothing_open(pair: Pair):
    pair.heater.takes = timedelta(hours=1)
    identifier = pair.instruct(NOON)
    pair.said()
    pair.link.from_cem(pair.cem.end("the house is sold", NOON), NOON)
    assert pair.said() == ["CEM SessionRequest"]
    assert pair.cem.state is pair.rm.state is State.CLOSED
    assert pair.rm.ended_why == "the peer asked to terminate: the house is sold"
    assert pair.status(identifier) == "ABORTED"
    life = pair.cem.lives.get(identifier)
    assert life is not None and life.why == "session closed: the house is sold"
    assert pair.heater.released_at == NOON
    assert pair.rm.receive(encode(make(g.Handshake, message_id="late", role="CEM")), NOON) == []


def test_a_lost_medium_ends_both_instructions_and_control(pair: Pair):
    pair.heater.takes = timedelta(hours=1)
    pair.instruct(NOON)
    pair.rm.lost("the socket closed", NOON)
    assert pair.rm.ended_why == "the socket closed"
    assert [life.why for life in pair.rm.lives.all()] == ["session closed: the socket closed"]
    assert pair.heater.released_at == NOON


# A peer that misbehaves: texts straight into one end.


def cem_with(*texts: str) -> tuple[CemSession, list[dict[str, object]]]:
    cem = CemSession(seeded_ids(1))
    cem.start(NOON)
    answers = [json.loads(answer) for text in texts for answer in cem.receive(text, NOON)]
    return cem, answers


def rm_handshake(*versions: str) -> str:
    return encode(make(g.Handshake, message_id="h1", role="RM", supported_protocol_versions=list(versions)))


def details(**changes: object) -> str:
    return encode(make(g.ResourceManagerDetails, message_id="d1", **(Heater().details() | changes)))


def test_no_common_version_ends_the_session_with_the_versions_named():
    cem, answers = cem_with(rm_handshake("0.0.1-beta"))
    assert [answer["message_type"] for answer in answers] == ["ReceptionStatus", "SessionRequest"]
    assert cem.state is State.CLOSED
    assert cem.ended_why == "no common protocol version: the RM offers 0.0.1-beta, here it is 0.0.2-beta"


def test_a_message_ahead_of_its_time_is_invalid_content_and_changes_nothing():
    measurement = {"measurement_timestamp": NOON, "values": [{"commodity_quantity": L1, "value": 1.0}]}
    cem, answers = cem_with(encode(make(g.PowerMeasurement, message_id="p1", **measurement)))
    assert [(answer["status"], answer["subject_message_id"]) for answer in answers] == [("INVALID_CONTENT", "p1")]
    assert "shaking hands" in str(answers[0]["diagnostic_label"])
    assert cem.latest(g.PowerMeasurement) is None


def test_a_message_of_another_control_type_is_invalid_content():
    status = encode(make(g.OMBCStatus, message_id="o1", active_operation_mode_id="om", operation_mode_factor=0))
    cem, answers = cem_with(rm_handshake(VERSION), details(), status)
    assert (answers[-1]["status"], answers[-1]["subject_message_id"]) == ("INVALID_CONTENT", "o1")
    assert "FILL_RATE_BASED_CONTROL" in cem.oddities[-1]


def test_rubbish_is_answered_and_the_session_goes_on():
    cem, answers = cem_with("{oops", rm_handshake(VERSION), '{"message_type":"Nope","message_id":"n1"}', details())
    assert [(a["status"], a["subject_message_id"]) for a in answers if a["message_type"] == "ReceptionStatus"] == [
        ("INVALID_DATA", NIL_ID),
        ("OK", "h1"),
        ("INVALID_MESSAGE", "n1"),
        ("OK", "d1"),
    ]
    assert cem.state is State.ACTIVATED
    assert len(cem.oddities) == 2


def test_a_device_with_control_types_nobody_here_can_use_stays_measured_only():
    cem = CemSession(seeded_ids(1), preference=(ControlType.FILL_RATE_BASED_CONTROL,))
    cem.start(NOON)
    cem.receive(rm_handshake(VERSION), NOON)
    told = details(available_control_types=["DEMAND_DRIVEN_BASED_CONTROL"])
    answers = [json.loads(text) for text in cem.receive(told, NOON)]
    assert answers[-1]["control_type"] == "NO_SELECTION"
    assert cem.state is State.INITIALISED
    assert cem.oddities[-1] == "none of DEMAND_DRIVEN_BASED_CONTROL can be used here"


def update(identifier: str, status: str) -> str:
    fields = {"instruction_id": identifier, "status_type": status, "timestamp": NOON}
    return encode(make(g.InstructionStatusUpdate, message_id=f"u-{status}", **fields))


def test_statuses_may_leave_steps_out_but_not_go_back():
    cem, _ = cem_with(rm_handshake(VERSION), details())
    identifier, _ = cem.instruct(g.FRBCInstruction, NOON, **heat())
    life = cem.lives.get(identifier)
    assert life is not None
    assert json.loads(cem.receive(update(identifier, "STARTED"), NOON)[0])["status"] == "OK"
    assert life.status is Status.STARTED
    assert "straight to STARTED" in cem.oddities[-1]
    assert json.loads(cem.receive(update(identifier, "ACCEPTED"), NOON)[0])["status"] == "INVALID_CONTENT"
    assert life.status is Status.STARTED
    assert json.loads(cem.receive(update("other", "STARTED"), NOON)[0])["status"] == "INVALID_CONTENT"


def test_a_revoked_description_no_longer_holds():
    status = encode(make(g.FRBCStorageStatus, message_id="s1", present_fill_level=1.0))
    cem, _ = cem_with(rm_handshake(VERSION), details(), status)
    profile = {"start_time": NOON, "elements": [{"duration": 1000, "fill_level_range": {"start_of_range": 0, "end_of_range": 1}}]}  # fmt: skip # noqa: E501
    cem.receive(encode(make(g.FRBCFillLevelTargetProfile, message_id="f1", **profile)), NOON)
    revoke = make(g.RevokeObject, message_id="r1", object_type="FRBC.SystemDescription", object_id="f1")
    assert json.loads(cem.receive(encode(revoke), NOON)[0])["status"] == "INVALID_CONTENT"
    assert cem.latest(g.FRBCFillLevelTargetProfile) is not None


def test_a_permanent_error_ends_the_session_with_its_text():
    cem, _ = cem_with(rm_handshake(VERSION), details())
    _, texts = cem.instruct(g.FRBCInstruction, NOON, **heat())
    subject = json.loads(texts[0])["message_id"]
    error = {"subject_message_id": subject, "status": "PERMANENT_ERROR", "diagnostic_label": "on fire"}
    assert cem.receive(encode(make(g.ReceptionStatus, **error)), NOON) == []
    assert cem.state is State.CLOSED
    assert cem.ended_why == "the peer answered FRBC.Instruction with PERMANENT_ERROR: on fire"


def test_a_peer_that_never_answers_does_not_fill_the_memory():
    rm = RmSession(Heater(), seeded_ids(1))
    rm.start(NOON)
    rm.receive(encode(make(g.HandshakeResponse, message_id="r1", selected_protocol_version=VERSION)), NOON)
    for _ in range(UNANSWERED_KEPT + 5):
        rm.report(NOON)
    assert len(rm.unanswered()) == UNANSWERED_KEPT


def test_instructing_outside_the_selected_control_type_is_our_own_bug():
    cem, _ = cem_with(rm_handshake(VERSION), details())
    with pytest.raises(ValueError, match="PEBCInstruction cannot be sent"):
        cem.instruct(g.PEBCInstruction, NOON)
