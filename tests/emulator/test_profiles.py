"""Profiles of TR 62746-2 and their images in S2: what fits is valid, what does not is listed or refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from s2python.generated import gen_s2 as g

from emulator.links.s2.codec import decode, encode, seeded_ids
from emulator.profiles import (
    STATES,
    CannotLower,
    LimitProfile,
    LimitSlot,
    PowerProfile,
    PowerSequence,
    PriceProfile,
    PriceSlot,
    SequenceState,
    Slot,
    TemperatureProfile,
    TemperatureSlot,
    Value,
    lower_limits,
    lower_power,
    lower_temperature,
    price_spans,
)

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HEAT = Slot(20 * MINUTE, Value(2000.0, 1900.0, 2100.0, 50.0))
WASH = Slot(50 * MINUTE, Value(73.0))
FAST, ECO = PowerSequence((HEAT, WASH)), PowerSequence((replace(HEAT, lasts=12 * MINUTE), WASH, WASH), pausable=True)
SPIN = PowerSequence((Slot(5 * MINUTE, Value(568.0)),), wait_before=10 * MINUTE)
PROFILE = PowerProfile(NOON, NOON + 300 * MINUTE, ((FAST, ECO), (SPIN,)))


def test_groups_become_containers_and_alternatives_sequences_that_a_peer_accepts():
    lowered = lower_power(PROFILE, seeded_ids(1))
    message = lowered.message
    assert isinstance(message, g.PPBCPowerProfileDefinition)
    assert decode(encode(message)) == message, "valid by schema and by meaning"
    first, second = message.power_sequences_containers
    assert [len(sequence.elements) for sequence in first.power_sequences] == [2, 3]
    assert [sequence.is_interruptible for sequence in first.power_sequences] == [False, True]
    assert second.power_sequences[0].max_pause_before is not None
    assert second.power_sequences[0].max_pause_before.root == 600_000
    assert first.power_sequences[0].elements[0].duration.root == 1_200_000
    assert lowered.lost == ()


def test_spread_without_skew_becomes_the_bounds_s2_has():
    message = lower_power(PROFILE, seeded_ids(1)).message
    assert isinstance(message, g.PPBCPowerProfileDefinition)
    value = message.power_sequences_containers[0].power_sequences[0].elements[0].power_values[0]
    assert (value.value_lower_limit, value.value_upper_limit) == (1900.0, 2100.0)
    assert (value.value_lower_68PPR, value.value_upper_95PPR) == (1950.0, 2100.0)


@pytest.mark.parametrize(
    ("slot", "lost"),
    [
        (Slot(30 * MINUTE, energy=Value(500.0)), "energy of 500 Wh"),
        (replace(HEAT, energy=Value(700.0)), "energy of 700 Wh beside its power"),
        (replace(HEAT, power=Value(2000.0, deviation=50.0, skewness=0.3)), "skewness 0.3, and with it the deviation"),
        (replace(HEAT, longest=25 * MINUTE), "may last 0:20:00 to 0:25:00"),
        (replace(HEAT, optional=True), "may be left out"),
        (replace(HEAT, latest_end=NOON + 60 * MINUTE), "has a window of its own"),
    ],
)
def test_what_s2_has_no_place_for_is_listed(slot: Slot, lost: str):
    lowered = lower_power(replace(PROFILE, alternatives=((PowerSequence((slot,)),),)), seeded_ids(1))
    assert lowered.lost == (f"sequence 1.1, slot 1: {lost}",)


def test_an_energy_alone_becomes_its_mean_power():
    slot = Slot(30 * MINUTE, energy=Value(500.0))
    message = lower_power(replace(PROFILE, alternatives=((PowerSequence((slot,)),),)), seeded_ids(1)).message
    assert isinstance(message, g.PPBCPowerProfileDefinition)
    element = message.power_sequences_containers[0].power_sequences[0].elements[0]
    assert element.power_values[0].value_expected == 1000.0


def test_what_a_sequence_may_beyond_s2_is_listed():
    free = replace(ECO, stoppable=True, longest_pause=30 * MINUTE, state=SequenceState.SCHEDULED_PAUSED)
    lost = lower_power(replace(PROFILE, alternatives=((free,),)), seeded_ids(1)).lost
    assert lost == (
        "sequence 1.1: may be ended for good",
        "sequence 1.1: its pauses last 0:30:00 at most in all",
        "sequence 1.1: is paused before it has begun",
    )


@pytest.mark.parametrize("groups", [((),), ((PowerSequence(()),),), ((PowerSequence((WASH,) * 289),),)])
def test_a_profile_of_nothing_or_too_much_is_refused_in_words(groups: tuple[tuple[PowerSequence, ...], ...]):
    with pytest.raises(CannotLower, match=r"^[A-Z].*\.$"):
        lower_power(replace(PROFILE, alternatives=groups), seeded_ids(1))


def test_limits_become_an_envelope_within_what_is_allowed():
    slots = (LimitSlot(15 * MINUTE, least_w=-2000.0), LimitSlot(15 * MINUTE, least_w=-9000.0, binding=False))
    lowered = lower_limits(LimitProfile(NOON, slots), "limits-1", (-4000.0, 0.0), seeded_ids(1))
    message = lowered.message
    assert isinstance(message, g.PEBCInstruction) and decode(encode(message)) == message
    elements = message.power_envelopes[0].power_envelope_elements
    assert [(one.lower_limit, one.upper_limit) for one in elements] == [(-2000.0, 0.0), (-4000.0, 0.0)]
    assert lowered.lost == (
        "slot 2: -9000 … 0 W goes beyond what the device allows",
        "slot 2: is a recommendation only",
    )


def test_temperatures_become_fill_levels():
    day = TemperatureProfile(NOON, (TemperatureSlot(60 * MINUTE, 45.0, 75.0), TemperatureSlot(30 * MINUTE, 60.0, 75.0)))
    message = lower_temperature(day, seeded_ids(1)).message
    assert isinstance(message, g.FRBCFillLevelTargetProfile) and decode(encode(message)) == message
    assert [one.fill_level_range.start_of_range for one in message.elements] == [45.0, 60.0]
    wished = replace(day, slots=(replace(day.slots[0], wanted_c=55.0),))
    assert lower_temperature(wished, seeded_ids(1)).lost == ("slot 1: would like 55 °C best",)
    with pytest.raises(CannotLower, match="at least 80 and at most 75"):
        lower_temperature(replace(day, slots=(replace(day.slots[0], least_c=80.0),)), seeded_ids(1))


def test_prices_know_their_tiers_and_stay_with_the_manager():
    slot = PriceSlot(NOON, 60 * MINUTE, 0.30, co2_g=420.0, renewable=0.4)
    profile = PriceProfile((slot, replace(slot, price=0.45, from_wh=2000.0)))
    told = [profile.at(NOON, used) for used in (0.0, 1999.0, 2000.0)]
    assert [one.price for one in told if one is not None] == [0.30, 0.30, 0.45]
    assert profile.at(NOON + 60 * MINUTE) is None
    assert price_spans(profile) == [(NOON, NOON + 60 * MINUTE, 0.30)]


def test_every_state_has_its_image():
    assert set(STATES) == set(SequenceState)
