"""Tables, back-off, presence, kept state: the small parts of the roles."""

from __future__ import annotations

import json
import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.openadr.actions import StartTimer
from console.openadr.backoff import BackOff
from console.openadr.calendar import Duration
from console.openadr.facts import EventStatus, PresenceState, StatusValue
from console.openadr.keeping import keep_draft, read_draft
from console.openadr.model import PAYLOADS, EiActivePeriod, OadrResponse, Payload
from console.openadr.presence import Presence
from console.openadr.replies import SERVICE_OF, answer_of, refusal
from console.openadr.resource_status import resource_status, status_value
from console.openadr.states import (
    REPORT_REQUEST,
    VEN_REGISTRATION,
    VTN_REGISTRATION,
    Registered,
    Requested,
    Transition,
    Transitions,
)
from console.openadr.timeline import timeline
from console.openadr.ven import Ven
from console.openadr.vtn import Vtn
from tests.openadr.dialogue import MINUTE, SECOND, START, event


@pytest.mark.parametrize(
    ("table", "states", "role"),
    [
        (VTN_REGISTRATION, Registered, Vtn),
        (VEN_REGISTRATION, Registered, Ven),
        (REPORT_REQUEST, Requested, None),
    ],
)
def test_a_table_names_states_and_methods_that_exist(table: Transitions, states: type[Registered], role: type | None):
    for row in table.rows:
        assert row.source in list(states) and row.target in list(states)
        if role is not None:
            assert callable(getattr(role, row.action)), row


@pytest.mark.parametrize("table", [VTN_REGISTRATION, VEN_REGISTRATION])
def test_every_state_a_table_leads_to_can_be_left(table: Transitions):
    assert {row.target for row in table.rows} <= {row.source for row in table.rows}


def test_a_table_has_one_row_for_a_state_and_input():
    row = Transition("a", "go", "b", "")
    with pytest.raises(ValueError, match="two rows"):
        Transitions("x", [row, row])


@pytest.mark.parametrize("cls", PAYLOADS, ids=lambda cls: cls.__name__)
def test_every_payload_but_oadr_response_has_its_service(cls: type[Payload]):
    assert (cls in SERVICE_OF) is (cls is not OadrResponse)


def test_a_refusal_says_why_and_echoes_the_request():
    from tests.openadr.test_dialogue_registration import registration

    answer = refusal(registration(), "463", "no room", vtn_id="V")
    said = answer_of(answer)
    assert said is not None
    assert (said.response_code, said.response_description, said.request_id) == ("463", "no room", "r-1")


@given(st.integers(0, 2**32), st.floats(0.5, 600))
def test_back_off_doubles_with_a_tenth_of_jitter_up_to_its_cap(seed: int, cap: float):
    backoff = BackOff(random.Random(seed))
    for step in range(12):
        wait = backoff.wait(timedelta(seconds=cap)).total_seconds()
        nominal = min(2.0**step, cap)
        assert nominal * 0.899 <= wait <= nominal * 1.101
    backoff.reset()
    assert backoff.wait(timedelta(seconds=cap)).total_seconds() <= 1.101


def test_presence_is_lazy_but_exact():
    presence = Presence(10 * SECOND)
    presence.expect("v")
    assert presence.state("v") is PresenceState.NEVER
    assert [action for action in presence.heard("v", START) if isinstance(action, StartTimer)]
    assert presence.heard("v", START + 9 * SECOND) == []
    (again,) = presence.fired("v", START + 15 * SECOND)
    assert again == StartTimer("presence:v", START + 24 * SECOND)
    presence.fired("v", START + 24 * SECOND)
    assert presence.state("v") is PresenceState.LATE
    presence.fired("v", START + 39 * SECOND)
    assert presence.state("v") is PresenceState.OFFLINE
    presence.heard("v", START + 60 * SECOND)
    assert presence.state("v") is PresenceState.OK
    assert presence.state("w") is PresenceState.NEVER


@given(st.integers(-3600, 3600), st.integers(0, 7200), st.integers(0, 600), st.integers(-8000, 8000))
def test_status_follows_the_time_line_without_gaps(ramp: int, length: int, offset: int, at: int):  # rules 13, 18, 47
    period = EiActivePeriod(dtstart=START, duration=Duration.of(length), ramp_up=Duration.of(ramp))
    course = timeline(period, offset=timedelta(seconds=offset))
    now = START + timedelta(seconds=at)
    begins = START + timedelta(seconds=offset)
    status = course.status(now)
    if length and now >= begins + timedelta(seconds=length):
        assert status is EventStatus.COMPLETED and course.next_change(now) is None
    elif now >= begins:
        assert status is EventStatus.ACTIVE
    elif ramp > 0 and now >= begins - timedelta(seconds=ramp):
        assert status is EventStatus.NEAR and course.next_change(now) == begins
    else:
        assert status is EventStatus.FAR
    change = course.next_change(now)
    if change is not None:
        assert change > now and course.status(change) is not status
        assert course.status(change - SECOND / 1000) is status


levels = st.dictionaries(
    st.sampled_from([f"{q}.{p}" for q in ("capacity", "set_point") for p in ("min", "max", "current", "normal")]),
    st.floats(allow_nan=False),
)


@given(st.booleans(), st.booleans(), levels)
def test_a_status_survives_the_way_there_and_back(online: bool, override: bool, given_levels: dict[str, float]):
    whole = {name: value for name, value in given_levels.items() if f"{name.partition('.')[0]}.current" in given_levels}
    value = StatusValue(online, override, tuple(given_levels.items()))
    back = status_value(resource_status(value))
    assert (back.online, back.manual_override, dict(back.levels)) == (online, override, whole)


def test_a_draft_survives_being_kept():
    draft = event(
        unit="EUR/kWh",
        priority=3,
        ramp_up=MINUTE,
        recovery=-MINUTE,
        start_after=timedelta(0),
        test_event=True,
        vtn_comment="ü",
        ven_ids=("a", "b"),
        response_required="never",
        notification=MINUTE,
    )
    assert read_draft(json.loads(json.dumps(keep_draft(draft)))) == draft


@pytest.mark.parametrize("damage", [{"start": 5}, {"intervals": 3}, {"ramp_up": "x"}, {"priority": "high"}])
def test_damaged_state_is_told_as_such(damage: dict[str, object]):
    with pytest.raises(ValueError):
        read_draft({**keep_draft(event()), **damage})
