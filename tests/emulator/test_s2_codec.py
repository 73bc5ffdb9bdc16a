"""JSON text to S2 messages: the public examples, every kind of wrong text, and what is sent back for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from s2python.generated import gen_s2 as g

from emulator.links.s2 import codec

CONTENT_IS_WRONG = {
    "pytest-frbc_actuator_status_test": "operation_mode_factor 6919.96 is outside 0..1",
    "pytest-frbc_instruction_test": "operation_mode_factor 2303.59 is outside 0..1",
    "pytest-pebc_power_constraints_test": "LOWER_LIMIT range: 0 is above -2000",
}
SCHEMA_IS_BROKEN = {"pytest-inheritance_test"}


def storage_status(**members: object) -> str:
    tree = {"message_type": "FRBC.StorageStatus", "message_id": "m1", "present_fill_level": 0.5}
    return json.dumps(tree | members)


def test_all_public_examples_get_the_verdict_of_the_schema_and_of_the_semantics(shared: Path):
    files = sorted((shared / "data/s2/examples").glob("*.json"))
    assert len(files) > 30
    for file in files:
        outcome = codec.decode(file.read_text())
        if file.stem in SCHEMA_IS_BROKEN:
            assert outcome.status is g.ReceptionStatusValues.INVALID_MESSAGE, file.stem
        elif file.stem in CONTENT_IS_WRONG:
            assert (outcome.status.value, outcome.text) == ("INVALID_CONTENT", CONTENT_IS_WRONG[file.stem])
        else:
            assert not isinstance(outcome, codec.Rejection), (file.stem, outcome)


def test_what_is_decoded_is_encoded_to_the_same_json(shared: Path):
    for file in sorted((shared / "data/s2/examples").glob("doc-*.json")):
        message = codec.decode(file.read_text())
        again = codec.decode(codec.encode(message))
        assert again == message, file.stem
        assert set(json.loads(codec.encode(message))) == set(json.loads(file.read_text())), file.stem


def test_every_message_type_of_the_standard_is_known(shared: Path):
    schemas = (shared / "data/s2/s2-json-schema/messages").glob("*.schema.json")
    assert {schema.name.removesuffix(".schema.json") for schema in schemas} == set(codec.TYPES)


@pytest.mark.parametrize(
    ("text", "status", "subject", "says"),
    [
        ("{oops", "INVALID_DATA", codec.NIL_ID, "not JSON"),
        ("[1]", "INVALID_DATA", codec.NIL_ID, "not a JSON object"),
        ("[" * 100_000, "INVALID_DATA", codec.NIL_ID, "not JSON"),
        (b"\xff\xfe{", "INVALID_DATA", codec.NIL_ID, "not JSON"),
        ('{"message_type":"FRBC.StorageStatus"}', "INVALID_DATA", codec.NIL_ID, "no message_id"),
        (storage_status(message_id="!"), "INVALID_DATA", codec.NIL_ID, "no message_id"),
        (storage_status(present_fill_level=float("nan")), "INVALID_DATA", codec.NIL_ID, "NaN is not a JSON number"),
        (storage_status(message_type="Nope"), "INVALID_MESSAGE", "m1", "unknown message_type 'Nope'"),
        (storage_status(message_type=7), "INVALID_MESSAGE", "m1", "unknown message_type 7"),
        (storage_status(present_fill_level="0.5"), "INVALID_MESSAGE", "m1", "present_fill_level"),
        (storage_status(more=1), "INVALID_MESSAGE", "m1", "more"),
        (storage_status().replace("0.5", "1e999"), "INVALID_CONTENT", "m1", "too large"),
    ],
)
def test_a_wrong_text_is_told_apart_by_how_far_it_could_be_read(text: str, status: str, subject: str, says: str):
    outcome = codec.decode(text)
    assert isinstance(outcome, codec.Rejection)
    assert (outcome.status.value, outcome.subject_message_id) == (status, subject)
    assert says in outcome.text
    assert len(outcome.text) <= codec.LONGEST_LABEL
    outcome.text.encode()


def test_a_broken_reception_status_is_not_to_be_answered():
    outcome = codec.decode('{"message_type":"ReceptionStatus","subject_message_id":"m1","status":"FINE"}')
    assert isinstance(outcome, codec.Rejection)
    assert not outcome.answerable


def test_ids_need_not_be_uuids_and_whole_numbers_may_be_written_as_floats():
    text = json.dumps(
        {
            "message_type": "PPBC.PowerProfileStatus",
            "message_id": "a:b-1",
            "sequence_container_status": [
                {"power_profile_id": "p1", "sequence_container_id": "c1", "progress": 8000.0, "status": "EXECUTING"}
            ],
        }
    )
    message = codec.decode(text)
    assert codec.key(message.message_id) == "a:b-1"
    assert message.sequence_container_status[0].progress.root == 8000


def test_a_seed_gives_the_same_uuids_again():
    first, second, other = codec.seeded_ids(1), codec.seeded_ids(1), codec.seeded_ids(2)
    made = [first() for _ in range(3)]
    assert made == [second() for _ in range(3)]
    assert len(set(made)) == 3
    assert other() not in made


def number_range(low: float, high: float) -> dict[str, float]:
    return {"start_of_range": low, "end_of_range": high}


def frbc_description(**changes: object) -> str:
    power = number_range(0, 5000) | {"commodity_quantity": "ELECTRIC.POWER.L1"}
    element = {
        "fill_level_range": number_range(0, 1),
        "fill_rate": number_range(0, 0.001),
        "power_ranges": [changes.pop("power", power)],
    }
    mode = {"id": "om1", "elements": [element], "abnormal_condition_only": False}
    actuator = {
        "id": "a1",
        "supported_commodities": ["ELECTRICITY"],
        "operation_modes": [mode, mode] if changes.pop("twice", False) else [mode],
        "transitions": [
            {"id": "t1", "from": "om1", "to": to, "start_timers": [], "blocking_timers": [],
             "abnormal_condition_only": False}
            for to in changes.pop("transitions_to", [])  # type: ignore[attr-defined]
        ],
        "timers": [],
    }  # fmt: skip
    storage = {
        "provides_leakage_behaviour": False,
        "provides_fill_level_target_profile": False,
        "provides_usage_forecast": False,
        "fill_level_range": number_range(0, 1),
    }
    return json.dumps(
        {
            "message_type": "FRBC.SystemDescription",
            "message_id": "m1",
            "valid_from": "2026-06-01T00:00:00Z",
            "actuators": [actuator],
            "storage": storage,
        }
    )


def test_a_system_description_must_hold_together():
    assert not isinstance(codec.decode(frbc_description()), codec.Rejection)
    crooked = number_range(5, 1) | {"commodity_quantity": "ELECTRIC.POWER.L1"}
    assert codec.decode(frbc_description(power=crooked)).text == "power range of mode om1: 5 is above 1"
    assert codec.decode(frbc_description(twice=True)).text == "operation mode om1 stands twice"
    assert codec.decode(frbc_description(transitions_to=["om9"])).text == "operation mode om9 is not described"


def test_a_profile_has_to_fit_between_its_start_and_its_end(shared: Path):
    tree = json.loads((shared / "data/s2/examples/own-washer-PPBC.PowerProfileDefinition.json").read_text())
    tree["end_time"] = "2026-11-20T10:00:00Z"  # two hours for a program of 138 minutes
    outcome = codec.decode(json.dumps(tree))
    assert (outcome.status.value, outcome.text.split(",")[0]) == ("INVALID_CONTENT", "the profile lasts 2:18:00")


@pytest.mark.parametrize(
    "number", ["1e999", "1E+309", "9" * 310, "9" * 250 + "e60", "9" * 300 + "e9", "-1e400", "1e0400"]
)
def test_no_number_beyond_a_float_gets_through(number: str):
    outcome = codec.decode(storage_status().replace("0.5", number))
    assert isinstance(outcome, codec.Rejection), outcome


@pytest.mark.parametrize("number", ["1e308", "0.5e-400", "123456789012345678901234567890", "1e2"])
def test_large_and_small_numbers_that_are_floats_get_through(number: str):
    outcome = codec.decode(storage_status().replace("0.5", number))
    assert outcome.present_fill_level == float(number)


@pytest.mark.parametrize("subject", ["m1", 'he-said-"no"', "ümlaut-1"])
def test_the_short_acknowledgement_is_the_one_the_model_would_make(subject: str):
    told = codec.acknowledgement(subject)
    made = codec.make(g.ReceptionStatus, subject_message_id=subject, status="OK")
    assert json.loads(told) == json.loads(codec.encode(made))
    assert codec.decode(told) == made
