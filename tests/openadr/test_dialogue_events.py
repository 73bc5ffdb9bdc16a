"""Events between a VTN and its VENs: issue, answer, modify, cancel, run their course."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from console.openadr.actions import Peer, Received, Service
from console.openadr.commands import CancelEvent, IssueEvent, ModifyEvent, SetOpt, VenSettings, VtnSettings
from console.openadr.facts import EventChanged, EventGone, EventStatus, OptChanged, Registered
from console.openadr.model import (
    EiEvent,
    EiEventSignal,
    EiResponse,
    EiTarget,
    EventResponse,
    OadrCreatedEvent,
    OadrCreatedOpt,
    OadrCreateOpt,
    OadrDistributeEvent,
    OadrEvent,
    OadrPoll,
    OadrRequestEvent,
    OadrResponse,
    QualifiedEventID,
)
from tests.openadr.dialogue import HOUR, MINUTE, SECOND, START, WIRE, Lab, event, pair, ven, vtn
from tests.openadr.test_dialogue_registration import registration

FAR, NEAR, ACTIVE = EventStatus.FAR, EventStatus.NEAR, EventStatus.ACTIVE
SLOW = VtnSettings(poll_period=15 * MINUTE)
COMPLETED, CANCELLED = EventStatus.COMPLETED, EventStatus.CANCELLED


def bench(settings: VtnSettings | None = None) -> tuple[Lab, str]:
    """A VTN and a VEN played by hand; its METADATA is due and overdue."""
    lab = Lab(vtn(settings)).start()
    ven_id = lab.says(registration()).ven_id
    lab.says(OadrPoll(ven_id=ven_id))  # the VTN's own METADATA
    lab.advance(6 * SECOND)
    return lab, ven_id


def answer(ven_id: str, event_id: str, version: int, opt: str = "optIn", code: str = "200") -> OadrCreatedEvent:
    return OadrCreatedEvent(
        response=EiResponse(response_code="200"),
        ven_id=ven_id,
        event_responses=(
            EventResponse(
                response_code=code,
                request_id="d",
                qualified_event_id=QualifiedEventID(event_id=event_id, modification_number=version),
                opt_type=opt,
            ),
        ),
    )


def statuses(facts: list[EventChanged]) -> list[tuple[int, EventStatus]]:
    return [(fact.modification_number, fact.status) for fact in facts]


def listed(message: object) -> list[tuple[str, int, str]]:
    assert isinstance(message, OadrDistributeEvent), message
    return [
        (one.event.descriptor.event_id, one.event.descriptor.modification_number, one.event.descriptor.event_status)
        for one in message.events
    ]


# The course of an event ------------------------------------------------------------------------------------------


def test_a_day_long_event_runs_its_course_on_both_sides():  # rules 12, 13, 42, 56
    lab = pair(SLOW)
    lab.command(lab.desk, IssueEvent(event(start=HOUR, length=24 * HOUR)))
    lab.advance(17 * MINUTE)
    (sent,) = lab.sent(OadrCreatedEvent)
    (distributed,) = [each for each in lab.given(OadrDistributeEvent) if each.events]
    assert sent.response.request_id == ""
    assert [each.request_id for each in sent.event_responses] == [distributed.request_id]
    lab.advance(timedelta(days=2))
    for node in lab.nodes:
        assert statuses(node.said(EventChanged)) == [(0, FAR), (0, ACTIVE), (0, COMPLETED)]
        assert [gone.why for gone in node.said(EventGone)] == ["completed"]
    (opt,) = lab.desk.said(OptChanged)
    assert (opt.event_id, opt.modification_number, opt.opt_type) == ("e-1", 0, "optIn")
    assert not lab.ven.findings and not lab.desk.findings
    assert len([each for each in lab.given(OadrDistributeEvent) if each.events]) == 1  # rule 502


def test_near_begins_with_the_ramp_where_there_is_one():  # rule 13
    lab = pair()
    lab.command(lab.desk, IssueEvent(event(ramp_up=5 * MINUTE)))
    lab.advance(2 * HOUR)
    for node in lab.nodes:
        assert [fact.status for fact in node.said(EventChanged)] == [FAR, NEAR, ACTIVE, COMPLETED]


def test_every_event_says_its_notification():  # rule 105
    lab, ven_id = bench()
    lab.command(lab.desk, IssueEvent(event()))
    message = lab.says(OadrPoll(ven_id=ven_id))
    assert message.events[0].event.active_period.notification is not None


def test_an_open_ended_event_lasts_until_it_is_cancelled():  # rule 47
    lab = pair(SLOW)
    lab.command(lab.desk, IssueEvent(event(start=HOUR, length=timedelta(0))))
    lab.advance(timedelta(days=30))
    assert statuses(lab.ven.said(EventChanged)) == [(0, FAR), (0, ACTIVE)]
    lab.command(lab.desk, CancelEvent("e-1"))
    lab.advance(17 * MINUTE)
    for node in lab.nodes:
        assert statuses(node.said(EventChanged))[-1] == (1, CANCELLED)
        assert node.said(EventGone)
    assert not [name for name in lab.desk.timers if name.startswith("event:")]


def test_values_are_laid_on_the_time_axis_in_plain_units():
    lab = pair()
    draft = event(
        signal_name="LOAD_DISPATCH",
        signal_type="setpoint",
        unit="W",
        intervals=((30 * MINUTE, 7000.0), (30 * MINUTE, 4000.0)),
    )
    lab.command(lab.desk, IssueEvent(draft))
    lab.advance(11 * SECOND)
    (fact,) = lab.ven.said(EventChanged)
    (signal,) = fact.signals
    assert signal.unit == "W"
    assert [(each.start, each.value) for each in signal.intervals] == [
        (START + 10 * MINUTE, 7000.0),
        (START + 40 * MINUTE, 4000.0),
    ]
    assert fact.duration == HOUR


def test_current_value_is_that_of_the_running_interval():  # rules 14, 29, 110
    lab, ven_id = bench()
    simple = event("s", intervals=((10 * MINUTE, 1.0), (10 * MINUTE, 3.0)))
    price = event("p", signal_name="ELECTRICITY_PRICE", signal_type="price", unit="EUR/kWh")
    lab.command(lab.desk, IssueEvent(simple))
    lab.command(lab.desk, IssueEvent(price))

    def values() -> dict[str, float | None]:
        message = lab.says(OadrRequestEvent(request_id="q", ven_id=ven_id))
        return {one.event.descriptor.event_id: one.event.signals[0].current_value for one in message.events}

    assert values() == {"s": 0.0, "p": None}
    lab.advance(10 * MINUTE)
    assert values() == {"s": 1.0, "p": 2.0}
    lab.advance(10 * MINUTE)
    assert values() == {"s": 3.0, "p": 2.0}


def test_created_date_time_is_renewed_with_the_content_and_the_same_for_all():  # rule 115
    lab, ven_id = bench()

    def stamps() -> set[object]:
        message = lab.says(OadrRequestEvent(request_id="q", ven_id=ven_id))
        return {one.event.descriptor.created_date_time for one in message.events}

    lab.command(lab.desk, IssueEvent(event("a")))
    lab.command(lab.desk, IssueEvent(event("b", start=20 * MINUTE)))
    (first,) = stamps()
    lab.advance(MINUTE)
    assert stamps() == {first}
    lab.advance(10 * MINUTE)
    (second,) = stamps()
    assert second == lab.now and second != first  # a is active now


# Order, limits, targets ------------------------------------------------------------------------------------------


def test_active_events_come_first_by_priority_then_pending_by_start():  # rules 3, 15
    lab, ven_id = bench()
    for name, start, priority in [("late", 60, 1), ("none", 1, 0), ("second", 2, 2), ("first", 2, 1), ("soon", 30, 9)]:
        lab.command(lab.desk, IssueEvent(event(name, start=start * MINUTE, priority=priority)))
    lab.advance(5 * MINUTE)
    message = lab.says(OadrRequestEvent(request_id="q", ven_id=ven_id))
    assert [name for name, _, _ in listed(message)] == ["first", "second", "none", "soon", "late"]
    lab.command(lab.desk, CancelEvent("second"))
    message = lab.says(OadrRequestEvent(request_id="q", ven_id=ven_id))
    assert [name for name, _, _ in listed(message)] == ["first", "second", "none", "soon", "late"]


def test_reply_limit_caps_the_list_and_ties_stay_put():  # rules 15, 27
    lab, ven_id = bench()
    for number in range(5):
        lab.command(lab.desk, IssueEvent(event(f"e-{number}")))
    for _ in range(3):
        message = lab.says(OadrRequestEvent(request_id="q", ven_id=ven_id, reply_limit=3))
        assert [name for name, _, _ in listed(message)] == ["e-0", "e-1", "e-2"]
    assert len(listed(lab.says(OadrPoll(ven_id=ven_id)))) == 5  # what was cut off is still owed


def test_an_event_goes_to_those_it_names_and_to_later_ones_where_it_names_none():
    lab = Lab(vtn(), ven("a"), ven("b")).start()
    first, second = (fact.ven_id for fact in lab.desk.said(Registered))
    lab.command(lab.desk, IssueEvent(event("one", ven_ids=(first,))))
    lab.command(lab.desk, IssueEvent(event("all")))
    lab.advance(12 * SECOND)
    lab.vens.append(type(lab.ven)("c", ven("c")))
    lab.execute(lab.vens[2], lab.vens[2].role.start(lab.now))
    lab.advance(12 * SECOND)
    assert [{fact.event_id for fact in node.said(EventChanged)} for node in lab.vens] == [
        {"one", "all"},
        {"all"},
        {"all"},
    ]
    assert {fact.ven_id for fact in lab.desk.said(OptChanged) if fact.event_id == "one"} == {first}
    assert second


def test_events_wait_for_metadata_but_not_for_ever():  # rule 309
    lab = Lab(vtn()).start()
    lab.command(lab.desk, IssueEvent(event()))
    ven_id = lab.says(registration()).ven_id
    lab.says(OadrPoll(ven_id=ven_id))
    assert isinstance(lab.says(OadrPoll(ven_id=ven_id)), OadrResponse)
    lab.advance(5 * SECOND)
    assert listed(lab.says(OadrPoll(ven_id=ven_id))) == [("e-1", 0, "far")]


# Modify ----------------------------------------------------------------------------------------------------------


def test_a_modified_event_replaces_the_old_one_and_is_answered_again():  # rules 5, 57
    lab = pair()
    lab.command(lab.desk, IssueEvent(event()))
    lab.advance(MINUTE)
    lab.command(lab.desk, ModifyEvent("e-1", event(level=3.0)))
    lab.advance(MINUTE)
    assert [fact.signals[0].intervals[0].value for fact in lab.ven.said(EventChanged)] == [2.0, 3.0]
    assert [fact.modification_number for fact in lab.desk.said(OptChanged)] == [0, 1]
    lab.advance(5 * MINUTE)
    assert len([each for each in lab.given(OadrDistributeEvent) if each.events]) == 2  # answered, so not repeated


def test_a_modification_that_changes_nothing_keeps_its_number():  # rule 5
    lab = pair()
    lab.command(lab.desk, IssueEvent(event()))
    lab.advance(MINUTE)
    lab.command(lab.desk, ModifyEvent("e-1", event(event_id="")))
    lab.advance(MINUTE)
    assert len(lab.desk.said(EventChanged)) == 1


def test_a_running_event_can_be_made_longer_and_shorter():  # rule 20
    lab = pair()
    lab.command(lab.desk, IssueEvent(event()))
    lab.advance(30 * MINUTE)
    lab.command(lab.desk, ModifyEvent("e-1", event(length=2 * HOUR)))
    lab.advance(HOUR)
    assert lab.ven.said(EventChanged)[-1].status is ACTIVE
    lab.command(lab.desk, ModifyEvent("e-1", event(length=90 * MINUTE)))
    lab.advance(30 * MINUTE)
    for node in lab.nodes:
        assert statuses(node.said(EventChanged))[-1] == (2, COMPLETED)
        assert len(node.said(EventGone)) == 1


def test_an_answer_to_an_old_modification_is_out_of_sequence():  # rule 48
    lab, ven_id = bench()
    lab.command(lab.desk, IssueEvent(event()))
    lab.says(OadrPoll(ven_id=ven_id))
    lab.command(lab.desk, ModifyEvent("e-1", event(level=1.0)))
    assert lab.says(answer(ven_id, "e-1", 0)).response.response_code == "450"
    assert not lab.desk.said(OptChanged)
    assert listed(lab.says(OadrPoll(ven_id=ven_id))) == [("e-1", 1, "far")]


def test_an_answer_to_an_unknown_event_is_an_invalid_id():  # rule 48
    lab, ven_id = bench()
    assert lab.says(answer(ven_id, "e-99", 0)).response.response_code == "452"
    assert lab.desk.rules() == ["48"]


# Cancel ----------------------------------------------------------------------------------------------------------


def test_a_cancelled_event_is_repeated_until_it_is_acknowledged():  # rules 10, 36, 50, 52
    lab, ven_id = bench()
    lab.command(lab.desk, IssueEvent(event(start=30 * MINUTE)))
    assert listed(lab.says(OadrPoll(ven_id=ven_id))) == [("e-1", 0, "far")]
    assert lab.says(answer(ven_id, "e-1", 0)).response.response_code == "200"
    lab.command(lab.desk, CancelEvent("e-1"))
    for _ in range(3):
        assert listed(lab.says(OadrPoll(ven_id=ven_id))) == [("e-1", 1, "cancelled")]
        lab.advance(10 * SECOND)
    assert lab.says(answer(ven_id, "e-1", 1)).response.response_code == "200"
    assert isinstance(lab.says(OadrPoll(ven_id=ven_id)), OadrResponse)
    assert listed(lab.says(OadrRequestEvent(request_id="q", ven_id=ven_id))) == []
    assert lab.says(answer(ven_id, "e-1", 1)).response.response_code == "200"  # a late repeat is no unknown event


def test_an_unanswered_cancellation_does_not_catch_a_draining_ven_in_a_circle():  # rules 52, 500
    lab, ven_id = bench()
    lab.command(lab.desk, IssueEvent(event()))
    lab.says(OadrPoll(ven_id=ven_id))
    lab.command(lab.desk, CancelEvent("e-1"))
    assert isinstance(lab.says(OadrPoll(ven_id=ven_id)), OadrDistributeEvent)
    assert isinstance(lab.says(OadrPoll(ven_id=ven_id)), OadrResponse)


def test_a_cancellation_that_is_never_confirmed_is_given_up():  # rule 52
    lab, ven_id = bench()
    lab.command(lab.desk, IssueEvent(event(length=timedelta(0), start=timedelta(0))))
    lab.says(OadrPoll(ven_id=ven_id))
    lab.command(lab.desk, CancelEvent("e-1"))
    times = 0
    while isinstance(lab.says(OadrPoll(ven_id=ven_id)), OadrDistributeEvent):
        times += 1
        lab.advance(10 * SECOND)
    assert times == 10
    assert "not confirmed" in lab.desk.said(EventGone)[0].why


def test_a_ven_confirms_a_cancellation_and_stops():  # rules 36, 59
    lab = pair()
    lab.command(lab.desk, IssueEvent(event()))
    lab.advance(15 * MINUTE)
    lab.command(lab.desk, CancelEvent("e-1"))
    lab.advance(12 * SECOND)
    assert statuses(lab.ven.said(EventChanged))[-1] == (1, CANCELLED)
    assert lab.desk.said(EventGone)[0].why == "cancelled and confirmed"
    assert not lab.ven.said(OptChanged)[1:]  # a confirmation is no new opt


def test_cancelling_an_event_the_ven_never_got_says_nothing_to_it():  # rule 50
    lab, ven_id = bench()
    lab.command(lab.desk, IssueEvent(event()))
    lab.command(lab.desk, CancelEvent("e-1"))
    assert isinstance(lab.says(OadrPoll(ven_id=ven_id)), OadrResponse)
    assert lab.desk.said(EventGone)


def test_an_event_missing_from_a_list_is_cancelled():  # rule 61
    lab = pair()
    lab.command(lab.desk, IssueEvent(event("a")))
    lab.advance(12 * SECOND)
    assert lab.vtn is not None and isinstance(lab.vtn.role, type(vtn()))
    del lab.vtn.role.book.events["a"]
    lab.command(lab.desk, IssueEvent(event("b")))
    lab.advance(12 * SECOND)
    assert [gone.event_id for gone in lab.ven.said(EventGone)] == ["a"]
    assert "rule 61" in lab.ven.said(EventGone)[0].why


def test_an_empty_list_cancels_everything():  # rule 61
    lab = pair()
    lab.command(lab.desk, IssueEvent(event("a")))
    lab.advance(12 * SECOND)
    lab.execute(lab.ven, _hand(lab, OadrDistributeEvent(request_id="d", vtn_id="VTN-1")))
    assert lab.ven.said(EventGone)


def test_a_refused_request_for_events_is_no_empty_list():
    lab = pair()
    lab.command(lab.desk, IssueEvent(event("a")))
    lab.advance(12 * SECOND)
    refused = EiResponse(response_code="459")
    lab.execute(lab.ven, _hand(lab, OadrDistributeEvent(response=refused, request_id="d", vtn_id="VTN-1")))
    assert not lab.ven.said(EventGone)


def _hand(lab: Lab, message: OadrDistributeEvent):  # type: ignore[no-untyped-def]
    """Push a list to the VEN."""
    return lab.ven.role.handle(Received(message, Peer(), Service.EI_EVENT), lab.now)


# Random starts and stops -----------------------------------------------------------------------------------------


def test_a_start_is_put_off_within_its_bound_and_kept_over_modifications():  # rule 30
    lab = pair()
    lab.command(lab.desk, IssueEvent(event(start_after=20 * MINUTE)))
    lab.advance(MINUTE)
    lab.command(lab.desk, ModifyEvent("e-1", event(start_after=20 * MINUTE, level=3.0)))
    lab.advance(MINUTE)
    first, second = lab.ven.said(EventChanged)
    assert START + 10 * MINUTE < first.start <= START + 30 * MINUTE
    assert second.start == first.start
    lab.advance(3 * HOUR)
    last = lab.ven.said(EventChanged)[-1]
    assert last.status is COMPLETED
    assert statuses(lab.desk.said(EventChanged))[-1] == (1, COMPLETED)
    assert not lab.ven.findings


def test_a_running_event_with_a_random_start_stops_at_random():  # rule 65
    lab = pair()
    lab.command(lab.desk, IssueEvent(event(start_after=20 * MINUTE, start=timedelta(0), length=5 * HOUR)))
    lab.advance(HOUR)
    lab.command(lab.desk, CancelEvent("e-1"))
    lab.advance(11 * SECOND)
    assert lab.desk.said(EventGone)  # confirmed at once
    assert not lab.ven.said(EventGone)  # but it still runs
    lab.advance(20 * MINUTE)
    assert lab.ven.said(EventGone)


# What a VEN says -------------------------------------------------------------------------------------------------


def test_never_is_never_answered():  # rules 12, 62
    lab = pair()
    lab.command(lab.desk, IssueEvent(event(response_required="never")))
    lab.advance(MINUTE)
    lab.command(lab.ven, SetOpt("e-1", "optOut"))
    lab.command(lab.desk, CancelEvent("e-1"))
    lab.advance(MINUTE)
    assert not lab.sent(OadrCreatedEvent)
    assert lab.ven.said(EventGone) and lab.desk.said(EventGone)


def test_an_unchanged_event_is_answered_each_time_it_comes():  # rule 62
    lab = pair()
    lab.command(lab.desk, IssueEvent(event("a")))
    lab.advance(MINUTE)
    lab.command(lab.desk, IssueEvent(event("b")))
    lab.advance(MINUTE)
    names = [[each.qualified_event_id.event_id for each in sent.event_responses] for sent in lab.sent(OadrCreatedEvent)]
    assert names == [["a"], ["a", "b"]]


def test_a_site_may_opt_out_later():  # rules 16, 17
    lab = pair()
    lab.command(lab.desk, IssueEvent(event()))
    lab.advance(MINUTE)
    lab.command(lab.ven, SetOpt("e-1", "optOut"))
    assert [fact.opt_type for fact in lab.desk.said(OptChanged)] == ["optIn", "optOut"]
    lab.command(lab.ven, SetOpt("e-9", "optOut"))
    assert lab.ven.rules() == ["command"]


def test_ask_answers_nothing_before_somebody_has_decided():
    lab = pair(ven_settings=VenSettings(opt="ask"))
    lab.command(lab.desk, IssueEvent(event()))
    lab.advance(5 * MINUTE)
    assert not lab.sent(OadrCreatedEvent)
    lab.command(lab.ven, SetOpt("e-1", "optIn"))
    assert [fact.opt_type for fact in lab.desk.said(OptChanged)] == ["optIn"]


def test_the_sites_opinion_is_asked_for_each_version():
    asked: list[tuple[int, EventStatus]] = []

    def decide(fact: EventChanged, now: object) -> tuple[str, str]:
        asked.append((fact.modification_number, fact.status))
        return ("optOut", "battery empty") if fact.modification_number else ("optIn", "")

    lab = pair(decide=decide)
    lab.command(lab.desk, IssueEvent(event()))
    lab.advance(MINUTE)
    lab.command(lab.desk, ModifyEvent("e-1", event(level=3.0)))
    lab.advance(MINUTE)
    assert asked == [(0, FAR), (1, FAR)]
    assert [(fact.opt_type, fact.text) for fact in lab.ven.said(OptChanged)] == [
        ("optIn", ""),
        ("optOut", "battery empty"),
    ]
    assert [fact.opt_type for fact in lab.desk.said(OptChanged)] == ["optIn", "optOut"]


def test_good_and_bad_events_of_one_list_are_answered_one_by_one():  # rules 19, 48, 109
    lab = pair(ven_settings=VenSettings(market_contexts=("http://lab.example/A",)))
    lab.command(lab.desk, IssueEvent(event("good", market_context="HTTP://LAB.example/%41")))
    lab.command(lab.desk, IssueEvent(event("context", market_context="http://other.example")))
    lab.command(
        lab.desk,
        IssueEvent(
            event(
                "signal",
                market_context="http://lab.example/A",
                signal_name="BID_PRICE",
                signal_type="price",
                unit="EUR",
            )
        ),
    )
    lab.advance(12 * SECOND)
    (sent,) = lab.sent(OadrCreatedEvent)
    assert sent.response.response_code == "200"
    assert {each.qualified_event_id.event_id: (each.response_code, each.opt_type) for each in sent.event_responses} == {
        "good": ("200", "optIn"),
        "context": ("462", "optOut"),
        "signal": ("460", "optOut"),
    }
    assert {fact.event_id for fact in lab.ven.said(EventChanged)} == {"good"}
    assert {fact.event_id: fact.response_code for fact in lab.desk.said(OptChanged)}["signal"] == "460"


def _distribute(lab: Lab, *events: OadrEvent, vtn_id: str = "VTN-1") -> OadrCreatedEvent | None:
    before = len(lab.sent(OadrCreatedEvent))
    lab.execute(lab.ven, _hand(lab, OadrDistributeEvent(request_id="d", vtn_id=vtn_id, events=events)))
    sent = lab.sent(OadrCreatedEvent)
    return sent[-1] if len(sent) > before else None


def _given(lab: Lab, name: str = "x", version: int = 0, status: str = "far", **more: object) -> OadrEvent:
    """An event as a VTN would write it, changed at will."""
    book_lab, ven_id = bench()
    book_lab.command(book_lab.desk, IssueEvent(event(name, **more)))  # type: ignore[arg-type]
    one = book_lab.says(OadrPoll(ven_id=ven_id)).events[0]
    descriptor = replace(one.event.descriptor, modification_number=version, event_status=status)
    return replace(one, event=replace(one.event, descriptor=descriptor, target=EiTarget()))


def _aimed(one: OadrEvent, target: EiTarget) -> OadrEvent:
    return replace(one, event=replace(one.event, target=target))


def test_a_target_that_is_not_ours_is_answered_462():  # rules 22, 48
    lab = pair(ven_settings=VenSettings(resources=("pump",)))
    one = _given(lab)
    ven_id = lab.ven.said(Registered)[0].ven_id
    for target, code in [
        (EiTarget(), "200"),
        (EiTarget(ven_ids=("other", ven_id)), "200"),
        (EiTarget(ven_ids=("other",), resource_ids=("pump",)), "200"),
        (EiTarget(group_ids=("g",)), "200"),
        (EiTarget(ven_ids=("other",)), "462"),
        (EiTarget(ven_ids=(ven_id.upper(),)), "462"),  # rule 512: case matters
    ]:
        sent = _distribute(lab, _aimed(one, target))
        assert sent is not None and sent.event_responses[0].response_code == code, target
        _distribute(lab)


def test_an_older_modification_is_out_of_sequence_even_if_cancelled():  # rule 58
    lab = pair()
    _distribute(lab, _given(lab, version=3))
    for status in ("far", "cancelled"):
        sent = _distribute(lab, _given(lab, version=2, status=status))
        assert sent is not None and sent.event_responses[0].response_code == "450"
    assert not lab.ven.said(EventGone)


def test_a_cancelled_event_that_is_unknown_is_answered_and_ignored():  # rules 21, 60
    lab = pair()
    sent = _distribute(lab, _given(lab, version=4, status="cancelled"))
    assert sent is not None
    assert [(each.response_code, each.opt_type) for each in sent.event_responses] == [("200", "optIn")]
    assert not lab.ven.said(EventChanged)


def test_completed_changes_nothing():  # rule 66
    lab = pair()
    lab.advance(MINUTE)
    _distribute(lab, _given(lab))
    _distribute(lab, _given(lab, status="completed"))
    assert statuses(lab.ven.said(EventChanged)) == [(0, FAR)]
    assert not lab.ven.said(EventGone)


def test_content_that_changes_without_a_new_number_is_told_and_not_followed():  # rule 5
    lab = pair()
    _distribute(lab, _given(lab))
    _distribute(lab, _given(lab, level=3.0))
    assert "5" in lab.ven.rules()
    assert len(lab.ven.said(EventChanged)) == 1


def test_events_of_another_vtn_are_refused_as_a_whole():  # rule 21
    lab = pair()
    _distribute(lab, _given(lab, "mine"))
    sent = _distribute(lab, _given(lab, "theirs"), vtn_id="VTN-2")
    assert sent is not None and sent.response.response_code == "452" and not sent.event_responses
    assert not lab.ven.said(EventGone)


def test_a_signal_without_numbers_or_times_of_the_last_days_of_the_calendar_do_no_harm():
    lab = pair()
    one = _given(lab, start=timedelta(days=365 * 7900), length=timedelta(days=365 * 500), start_after=HOUR)
    sent = _distribute(lab, one)
    assert sent is not None and lab.ven.said(EventChanged)[0].status is FAR


# What VENs say wrongly -------------------------------------------------------------------------------------------


def test_an_answer_without_event_responses_is_tolerated():  # rule 35
    lab, ven_id = bench()
    lab.command(lab.desk, IssueEvent(event()))
    lab.says(OadrPoll(ven_id=ven_id))
    bare = OadrCreatedEvent(response=EiResponse(response_code="200"), ven_id=ven_id)
    assert lab.says(bare).response.response_code == "200"
    assert lab.desk.rules() == ["35"]


def test_an_error_outside_outweighs_the_answers_inside():  # rule 25
    lab, ven_id = bench()
    lab.command(lab.desk, IssueEvent(event()))
    lab.says(OadrPoll(ven_id=ven_id))
    wrong = replace(answer(ven_id, "e-1", 0), response=EiResponse(response_code="452", response_description="ERROR"))
    assert lab.says(wrong).response.response_code == "200"
    (opt,) = lab.desk.said(OptChanged)
    assert (opt.opt_type, opt.response_code) == ("optIn", "452")
    assert lab.desk.rules() == ["25"]


def test_a_list_whose_answer_is_lost_is_sent_again():
    lab = pair()
    lab.meddle = lambda message: WIRE if isinstance(message, OadrCreatedEvent) else None
    lab.command(lab.desk, IssueEvent(event()))
    lab.advance(25 * SECOND)
    assert not lab.desk.said(OptChanged)
    lab.meddle = lambda message: None
    lab.advance(MINUTE)
    assert [fact.opt_type for fact in lab.desk.said(OptChanged)] == ["optIn"]


def test_a_list_that_is_lost_on_its_way_is_asked_for():
    lab = pair()
    lab.command(lab.desk, IssueEvent(event(response_required="never")))
    lab.swallow = lambda answer: isinstance(answer, OadrDistributeEvent)
    lab.advance(12 * SECOND)
    lab.swallow = lambda answer: False
    assert not lab.ven.said(EventChanged)
    lab.advance(12 * SECOND)
    assert lab.ven.said(EventChanged)


def test_an_opt_message_about_an_event_counts_like_an_answer():  # rule 206
    lab, ven_id = bench()
    lab.command(lab.desk, IssueEvent(event()))
    lab.says(OadrPoll(ven_id=ven_id))

    def opt(event_id: str, version: int) -> OadrCreatedOpt:
        return lab.says(
            OadrCreateOpt(
                opt_id="o-1",
                opt_type="optOut",
                opt_reason="overrideStatus",
                ven_id=ven_id,
                created_date_time=lab.now,
                request_id="r",
                qualified_event_id=QualifiedEventID(event_id=event_id, modification_number=version),
            )
        )

    assert opt("e-1", 0).response.response_code == "200"
    assert lab.desk.said(OptChanged)[0].opt_type == "optOut"
    assert opt("e-1", 1).response.response_code == "450"
    assert opt("e-9", 0).response.response_code == "452"


# Commands and restarts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "draft",
    [
        event(intervals=()),
        event(intervals=((HOUR, 1.0), (timedelta(0), 2.0))),
        event(intervals=((-HOUR, 1.0),)),
        event(start=-3 * HOUR),
        event(response_required="perhaps"),
    ],
)
def test_a_draft_that_makes_no_event_is_refused_in_words(draft):  # type: ignore[no-untyped-def]
    lab = Lab(vtn()).start()
    lab.command(lab.desk, IssueEvent(draft))
    assert [finding.rule for finding in lab.desk.findings] == ["command"]
    assert not lab.desk.facts


def test_an_event_id_is_used_once():  # rule 70
    lab, ven_id = bench()
    lab.command(lab.desk, IssueEvent(event()))
    lab.command(lab.desk, IssueEvent(event()))
    assert lab.desk.rules() == ["command"]
    lab.command(lab.desk, CancelEvent("e-2"))
    lab.command(lab.desk, ModifyEvent("e-2", event()))
    assert lab.desk.rules() == ["command"] * 3
    assert ven_id


def test_a_vtn_goes_on_with_its_events_after_a_restart():
    lab = pair()
    lab.command(lab.desk, IssueEvent(event("kept", start_after=MINUTE, ramp_up=MINUTE, vtn_comment="hello")))
    lab.advance(MINUTE)
    lab.command(lab.desk, CancelEvent("kept"))
    lab.command(lab.desk, IssueEvent(event("next")))
    lab.restart(lab.desk, vtn(seed=8))
    lab.advance(MINUTE)
    assert lab.desk.said(EventGone)[-1].why == "cancelled and confirmed"
    assert statuses([fact for fact in lab.ven.said(EventChanged) if fact.event_id == "next"]) == [(0, FAR)]
    lab.advance(3 * HOUR)
    assert lab.ven.said(EventGone)[-1].why == "completed"
    assert not lab.ven.findings and not lab.desk.findings


def test_a_ven_goes_on_with_its_events_after_a_restart():
    lab = pair()
    lab.command(lab.desk, IssueEvent(event(start_after=20 * MINUTE)))
    lab.advance(MINUTE)
    lab.command(lab.ven, SetOpt("e-1", "optOut"))
    before = lab.ven.said(EventChanged)[-1]
    lab.restart(lab.ven, ven(seed=6))
    after = lab.ven.said(EventChanged)[-1]
    assert after == before  # the random start too
    lab.advance(3 * HOUR)
    assert lab.ven.said(EventGone)[-1].why == "completed"
    assert [fact.opt_type for fact in lab.desk.said(OptChanged)] == ["optIn", "optOut"]


def test_an_event_that_ended_while_the_vtn_was_away_is_told_as_completed():
    lab = pair()
    lab.command(lab.desk, IssueEvent(event()))
    lab.advance(MINUTE)
    lab.down = WIRE
    lab.now += 5 * HOUR
    lab.restart(lab.desk, vtn(seed=8))
    assert lab.desk.said(EventChanged)[-1].status is COMPLETED
    assert lab.desk.said(EventGone)[-1].why == "completed"


def test_parts_of_an_event_that_are_no_simple_signal_survive():
    """A price event with several signals of a peer is judged signal by signal (rule 109)."""
    lab = pair()
    one = _given(lab)
    extra = EiEventSignal(
        intervals=one.event.signals[0].intervals,
        signal_name="x-secret",
        signal_type="level",
        signal_id="extra",
    )
    both = replace(one, event=EiEvent(**{**_fields(one.event), "signals": (*one.event.signals, extra)}))
    sent = _distribute(lab, both)
    assert sent is not None and sent.event_responses[0].response_code == "460"


def _fields(one: EiEvent) -> dict[str, object]:
    return {name: getattr(one, name) for name in ("descriptor", "active_period", "signals", "baseline", "target")}
