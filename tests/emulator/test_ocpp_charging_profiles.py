"""Which current the installed charging profiles allow, and what of them is refused (OCPP 1.6, 3.13 and 7.8)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulator.links.ocpp.charging_profiles import MOST_PROFILES, ProfileBook, ProfileRefused, parse

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def tree(
    purpose: str = "TxDefaultProfile", *periods: tuple[int, float], unit: str = "A", **fields: Any
) -> dict[str, Any]:
    schedule: dict[str, Any] = {
        "charging_rate_unit": unit,
        "charging_schedule_period": [{"start_period": start, "limit": limit} for start, limit in periods or ((0, 10),)],
    }
    schedule |= {name: fields.pop(name) for name in ("duration", "start_schedule") if name in fields}
    known = {
        "charging_profile_id": 1,
        "stack_level": 0,
        "charging_profile_purpose": purpose,
        "charging_profile_kind": "Absolute",
        "charging_schedule": schedule,
    }
    return known | fields


def book(*trees: dict[str, Any], connector: int = 1) -> ProfileBook:
    profiles = ProfileBook()
    for number, one in enumerate(trees):
        where = 0 if one["charging_profile_purpose"] == "ChargePointMaxProfile" else connector
        profiles.install(parse(where, {**one, "charging_profile_id": number}, NOON, phases=3))
    return profiles


def test_without_profiles_nothing_is_limited():
    assert ProfileBook().limit_a(NOON, NOON, 3) is None


def test_the_lowest_of_the_purposes_holds_and_a_tx_profile_stands_in_for_the_default():
    profiles = book(tree("ChargePointMaxProfile", (0, 20.0)), tree("TxDefaultProfile", (0, 8.0)))
    assert profiles.limit_a(NOON, None, 3) == 8.0
    profiles.install(parse(1, tree("TxProfile", (0, 32.0), charging_profile_id=9), NOON, 3))
    assert profiles.limit_a(NOON, NOON, 3) == 20.0
    assert profiles.limit_a(NOON, None, 3) == 8.0, "without a transaction a TxProfile says nothing"
    profiles.end_transaction()
    assert profiles.limit_a(NOON, NOON, 3) == 8.0


def test_the_highest_stack_level_that_says_anything_counts():
    profiles = book(
        tree("TxDefaultProfile", (0, 6.0), stack_level=0),
        tree("TxDefaultProfile", (0, 16.0), stack_level=3, duration=3600, start_schedule="2026-06-01T12:00:00Z"),
    )
    assert profiles.limit_a(NOON + HOUR / 2, None, 3) == 16.0
    assert profiles.limit_a(NOON + HOUR, None, 3) == 6.0, "its duration is over"


def test_watts_are_shared_among_the_phases():
    assert book(tree("TxDefaultProfile", (0, 6900.0), unit="W")).limit_a(NOON, None, 3) == pytest.approx(10.0)
    assert book(tree("TxDefaultProfile", (0, 2300.0), unit="W")).limit_a(NOON, None, 1) == pytest.approx(10.0)


def test_relative_schedules_count_from_the_transaction():
    profiles = book(tree("TxDefaultProfile", (0, 6.0), (600, 16.0), charging_profile_kind="Relative"))
    assert profiles.limit_a(NOON, None, 3) is None
    assert profiles.limit_a(NOON + timedelta(minutes=9), NOON, 3) == 6.0
    assert profiles.limit_a(NOON + timedelta(minutes=10), NOON, 3) == 16.0


def test_recurring_schedules_come_back_every_day():
    nightly = tree(
        "TxDefaultProfile",
        (0, 6.0),
        charging_profile_kind="Recurring",
        recurrency_kind="Daily",
        start_schedule="2026-05-20T18:00:00Z",
        duration=2 * 3600,
    )
    profiles = book(nightly)
    assert profiles.limit_a(NOON, None, 3) is None
    assert profiles.limit_a(NOON + 7 * HOUR, None, 3) == 6.0
    assert profiles.limit_a(NOON + 31 * HOUR, None, 3) == 6.0
    assert profiles.limit_a(NOON + 32 * HOUR, None, 3) is None


def test_validity_bounds_a_profile():
    until = tree("TxDefaultProfile", (0, 6.0), valid_from="2026-06-01T13:00:00Z", valid_to="2026-06-01T14:00:00Z")
    profiles = book(until)
    assert [profiles.limit_a(NOON + hours * HOUR, None, 3) for hours in (0, 1.5, 2)] == [None, 6.0, None]


def test_the_same_place_is_taken_over_and_others_are_cleared_by_what_they_are():
    profiles = book(tree("TxDefaultProfile", (0, 6.0)), tree("TxDefaultProfile", (0, 7.0)))
    assert len(profiles) == 1 and profiles.limit_a(NOON, None, 3) == 7.0
    assert not profiles.clear(purpose="TxProfile")
    assert not profiles.clear(profile_id=1, stack_level=5)
    assert profiles.clear(profile_id=1, connector=1)
    assert profiles.limit_a(NOON, None, 3) is None


def test_the_composite_is_what_the_limit_is_at_every_second():
    profiles = book(
        tree("ChargePointMaxProfile", (0, 14.0), (1800, 10.0), start_schedule="2026-06-01T11:50:00Z"),
        tree("TxDefaultProfile", (0, 12.0), (900, 6.0), duration=2700, start_schedule="2026-06-01T12:05:00Z"),
    )
    steps = profiles.composite(NOON, 3600.0, None, 3, most_a=16.0)
    assert steps[0] == (0.0, 14.0)
    for second in range(0, 3600, 10):
        told = [current for start, current in steps if start <= second][-1]
        limit = profiles.limit_a(NOON + timedelta(seconds=second), None, 3)
        assert told == (16.0 if limit is None else limit), second


@pytest.mark.parametrize(
    ("connector", "wrong", "why"),
    [
        (1, tree("TxDefaultProfile", (60, 6.0)), "starts at 0"),
        (1, tree("TxDefaultProfile", (0, 6.0), (30, 7.0), (20, 8.0)), "not in order"),
        (1, tree("TxDefaultProfile", (0, -1.0)), "negative"),
        (1, tree("TxDefaultProfile", stack_level=11), "stack level"),
        (1, tree("ChargePointMaxProfile"), "connector 0"),
        (0, tree("ChargePointMaxProfile", charging_profile_kind="Relative"), "cannot be relative"),
        (0, tree("TxProfile"), "connector of its transaction"),
        (1, tree(charging_profile_kind="Recurring"), "recurrencyKind"),
        (1, tree(valid_to="tomorrow"), "'tomorrow' is not a time"),
        (1, tree("TxDefaultProfile", *((n, 6.0) for n in range(289))), "289 periods"),
    ],
)
def test_a_profile_that_contradicts_itself_is_refused_with_the_reason(connector: int, wrong: dict[str, Any], why: str):
    with pytest.raises(ProfileRefused, match=why):
        parse(connector, wrong, NOON, 3)


def test_no_more_profiles_than_told():
    profiles = ProfileBook()
    for number in range(MOST_PROFILES):
        profiles.install(
            parse(1, tree(charging_profile_id=number, stack_level=number % 10, **(
                {"charging_profile_purpose": "TxProfile"} if number >= 10 else {})), NOON, 3)
        )  # fmt: skip
    with pytest.raises(ProfileRefused, match="installed already"):
        profiles.install(parse(1, tree(charging_profile_id=99, stack_level=10), NOON, 3))
