"""Reports between a VTN and a VEN: offered, asked for, delivered on time, ended."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from console.openadr.actions import Failure, Peer, Received
from console.openadr.calendar import Duration
from console.openadr.commands import (
    CancelReports,
    Measured,
    Offer,
    RequestReports,
    Sample,
    VenSettings,
    VtnSettings,
)
from console.openadr.facts import (
    PresenceChanged,
    Registered,
    ReportOffered,
    ReportPoint,
    ReportRequested,
    ReportsOffered,
    ReportStopped,
    StatusValue,
)
from console.openadr.model import (
    EiResponse,
    Interval,
    ItemBase,
    OadrCanceledReport,
    OadrCancelReport,
    OadrCreatedPartyRegistration,
    OadrCreatedReport,
    OadrCreatePartyRegistration,
    OadrCreateReport,
    OadrDistributeEvent,
    OadrPoll,
    OadrProfile,
    OadrRegisteredReport,
    OadrRegisterReport,
    OadrReport,
    OadrReportDescription,
    OadrReportPayload,
    OadrReportRequest,
    OadrRequestEvent,
    OadrResponse,
    OadrSamplingRate,
    OadrUpdatedReport,
    OadrUpdateReport,
    Payload,
    PayloadFloat,
    ReportInterval,
    ReportSpecifier,
    SpecifierPayload,
)
from tests.openadr.dialogue import (
    HOUR,
    HTTP_500,
    METER,
    MINUTE,
    SECOND,
    START,
    STATUS,
    WIRE,
    Lab,
    Script,
    pair,
    ven,
    vtn,
)
from tests.openadr.test_dialogue_registration import registration

OK = EiResponse(response_code="200")
ASKING = VtnSettings(request_reports=True)
BOTH = VenSettings(offers=(METER, STATUS))


def feed(lab: Lab, *samples: tuple[str, float | StatusValue]) -> None:
    lab.command(lab.ven, Measured(tuple(Sample(r_id, value, lab.now) for r_id, value in samples)))


def run(lab: Lab, lasts: timedelta, every: timedelta = SECOND, value: Callable[[int], float] = float) -> None:
    """Let time pass while the meter is read."""
    for number in range(int(lasts / every)):
        feed(lab, ("meter", value(number)))
        lab.advance(every)


def request(
    key: str = "rr-1",
    specifier: str = "telemetry_usage",
    r_ids: tuple[str, ...] = ("meter",),
    granularity: timedelta = 10 * SECOND,
    report_back: timedelta = 10 * SECOND,
    interval: ReportInterval | None = None,
) -> OadrReportRequest:
    return OadrReportRequest(
        report_request_id=key,
        report_specifier=ReportSpecifier(
            report_specifier_id=specifier,
            granularity=Duration.of(granularity),
            report_back_duration=Duration.of(report_back),
            report_interval=interval,
            specifier_payloads=tuple(SpecifierPayload(r_id=r_id) for r_id in r_ids),
        ),
    )


class Vtn2:
    """A VTN by hand: registers, hands out what is put on its table by poll, remembers what comes."""

    def __init__(self) -> None:
        self.table: list[Payload] = []
        self.got: list[Payload] = []
        self.on_update: Callable[[OadrUpdateReport], Payload | Failure] = lambda _: OadrUpdatedReport(response=OK)
        self.piggyback: tuple[OadrReportRequest, ...] = ()

    def __call__(self, message: Payload, now: datetime) -> Payload | Failure | None:
        self.got.append(message)
        match message:
            case OadrCreatePartyRegistration():
                profile = OadrProfile(profile_name="2.0b", transports=("simpleHttp",))
                return OadrCreatedPartyRegistration(
                    response=OK, registration_id="reg", ven_id="V", vtn_id="VTN-X", profiles=(profile,)
                )
            case OadrRegisterReport():
                echo = EiResponse(response_code="200", request_id=message.request_id)
                return OadrRegisteredReport(response=echo, report_requests=self.piggyback)
            case OadrRequestEvent():
                return OadrDistributeEvent(response=OK, request_id="d", vtn_id="VTN-X")
            case OadrUpdateReport():
                return self.on_update(message)
            case OadrPoll() if self.table:
                return self.table.pop(0)
            case _:
                return OadrResponse(response=OK)


def scripted(settings: VenSettings = BOTH) -> tuple[Lab, Vtn2]:
    hand = Vtn2()
    return Lab(Script(hand), ven(settings=settings)).start(), hand


def ask(lab: Lab, hand: Vtn2, *requests: OadrReportRequest) -> OadrCreatedReport:
    """Hand out oadrCreateReport; the VEN's answer."""
    hand.table.append(OadrCreateReport(request_id="c-1", report_requests=requests, ven_id="V"))
    while hand.table:
        lab.advance(SECOND)
    return lab.sent(OadrCreatedReport)[-1]


def values(message: OadrUpdateReport) -> list[tuple[datetime | None, str, float | None]]:
    return [
        (interval.dtstart, payload.r_id, interval.value)
        for report in message.reports
        for interval in report.intervals
        for payload in interval.payloads
        if isinstance(payload, OadrReportPayload)
    ]


# Offering --------------------------------------------------------------------------------------------------------


def test_metadata_says_all_and_nothing_else():  # rules 305, 306, 308, 311, 312, 331, 333
    lab = pair(ven_settings=BOTH)
    (message,) = lab.sent(OadrRegisterReport)
    assert message.report_request_id is None
    assert [report.report_name for report in message.reports] == [
        "METADATA_TELEMETRY_USAGE",
        "METADATA_TELEMETRY_STATUS",
    ]
    for report in message.reports:
        assert report.report_request_id == "0" and report.duration is not None
        assert report.dtstart is None and not report.intervals and report.report_id is None
        for description in report.report_descriptions:
            assert description.sampling_rate is not None
            assert description.sampling_rate.max_period <= report.duration
    offered = lab.desk.said(ReportOffered)
    assert [(fact.r_id, fact.unit, fact.min_period) for fact in offered] == [
        ("meter", "W", 2 * SECOND),
        ("site-status", None, 2 * SECOND),
    ]
    assert [fact.count for fact in lab.desk.said(ReportsOffered)] == [2]


def test_new_metadata_replaces_the_old_and_ends_requests():  # rule 306
    lab = pair(ASKING, BOTH)
    lab.advance(12 * SECOND)
    ven_id = lab.ven.said(Registered)[0].ven_id
    lab.says(OadrRegisterReport(request_id="again", ven_id=ven_id))
    assert {fact.why for fact in lab.desk.said(ReportStopped)} == {"new METADATA (rule 306)"}
    assert lab.desk.said(ReportsOffered)[-1].count == 0


# Asking ----------------------------------------------------------------------------------------------------------


def test_request_reports_asks_for_every_telemetry_rid_as_often_as_it_can():
    fast, slow = Offer(r_id="fast", min_period=SECOND), Offer(r_id="slow", min_period=30 * SECOND)
    only_fast = Offer(r_id="only fast", min_period=SECOND, max_period=SECOND)
    lab = pair(ASKING, VenSettings(offers=(METER, STATUS, fast, slow, only_fast)))
    (asked,) = lab.given(OadrCreateReport)
    periods = {
        tuple(payload.r_id for payload in each.report_specifier.specifier_payloads): (
            each.report_specifier.granularity.seconds,
            each.report_specifier.report_back_duration.seconds,
        )
        for each in asked.report_requests
    }
    assert periods == {("meter", "fast"): (2, 2), ("slow",): (30, 30), ("site-status",): (2, 2), ("only fast",): (1, 1)}
    for each in asked.report_requests:
        interval = each.report_specifier.report_interval
        assert interval is not None and not interval.duration  # for ever (rule 325)
        assert {payload.reading_type for payload in each.report_specifier.specifier_payloads} == {"x-notApplicable"}
    (answered,) = lab.sent(OadrCreatedReport)
    assert set(answered.pending_reports) == {each.report_request_id for each in asked.report_requests}
    assert answered.response.request_id == asked.request_id
    assert not lab.desk.findings and not lab.ven.findings


def test_requests_may_ride_in_registered_report():  # rule 344
    lab = pair(replace(ASKING, piggyback_requests=True), BOTH)
    registered = lab.given(OadrRegisteredReport)[0]
    assert len(registered.report_requests) == 2
    assert not lab.given(OadrCreateReport)
    (answered,) = lab.sent(OadrCreatedReport)
    assert len(answered.pending_reports) == 2
    run(lab, 10 * SECOND)
    assert lab.desk.said(ReportPoint) and not lab.desk.findings


def test_a_command_asks_for_some_and_cancels_them():  # rules 329, 345
    lab = pair(ven_settings=BOTH)
    ven_id = lab.ven.said(Registered)[0].ven_id
    lab.command(lab.desk, RequestReports(ven_id, ("meter",), 10 * SECOND, MINUTE))
    run(lab, 150 * SECOND)
    (fact,) = lab.desk.said(ReportRequested)
    assert (fact.r_ids, fact.granularity, fact.report_back) == (("meter",), 10 * SECOND, MINUTE)
    assert [len(values(message)) for message in lab.sent(OadrUpdateReport)] == [6, 6]
    lab.command(lab.desk, CancelReports(ven_id, (fact.report_request_id,), report_to_follow=True))
    run(lab, 15 * SECOND)
    assert lab.desk.said(ReportStopped)[0].why == "cancelled"
    reports = len(lab.sent(OadrUpdateReport))
    assert reports == 3  # one to follow
    assert lab.sent(OadrCanceledReport)[0].pending_reports == ()
    run(lab, 3 * MINUTE)
    assert len(lab.sent(OadrUpdateReport)) == reports


@pytest.mark.parametrize(
    "command",
    [
        RequestReports("nobody"),
        RequestReports("VEN", ("no such rid",)),
        CancelReports("VEN", ("no such request",)),
    ],
)
def test_a_command_about_nothing_is_told(command: RequestReports | CancelReports):
    lab = pair(ven_settings=BOTH)
    ven_id = lab.ven.said(Registered)[0].ven_id
    lab.command(lab.desk, replace(command, ven_id=ven_id) if command.ven_id == "VEN" else command)
    assert lab.desk.rules() == ["command"]


# Delivering ------------------------------------------------------------------------------------------------------


def test_values_arrive_with_their_unit_and_time():
    lab = pair(ASKING, BOTH)
    for _ in range(10):
        feed(lab, ("meter", 4100.5), ("site-status", StatusValue(True, False, (("capacity.current", 0.5),))))
        lab.advance(2 * SECOND)
    usage = [fact for fact in lab.desk.said(ReportPoint) if fact.r_id == "meter" and "Good" in fact.quality]
    status = [fact for fact in lab.desk.said(ReportPoint) if fact.r_id == "site-status" and "Good" in fact.quality]
    assert len(usage) >= 9 and {(fact.value, fact.unit) for fact in usage} == {(4100.5, "W")}
    assert status[0].value == StatusValue(True, False, (("capacity.current", 0.5),)) and status[0].unit is None
    starts = [fact.start for fact in usage]
    assert starts == sorted(starts) and {later - one for one, later in zip(starts, starts[1:], strict=False)} == {
        2 * SECOND
    }
    assert lab.ven.said(ReportPoint) == lab.desk.said(ReportPoint)


def test_each_request_has_messages_of_its_own_with_a_start_in_every_interval():  # rules 313, 314
    lab = pair(ASKING, BOTH)
    run(lab, 20 * SECOND)
    messages = lab.sent(OadrUpdateReport)
    assert len({message.reports[0].report_request_id for message in messages}) == 2
    for message in messages:
        (report,) = message.reports
        assert report.report_name in ("TELEMETRY_USAGE", "TELEMETRY_STATUS")
        assert not report.report_descriptions
        starts = [interval.dtstart for interval in report.intervals]
        assert all(starts) and report.dtstart == starts[0]
        assert all(interval.duration is None and len(interval.payloads) == 1 for interval in report.intervals)


def test_energy_is_a_span_and_has_a_duration():  # rules 315, 342
    energy = Offer(r_id="wh", unit="Wh", min_period=MINUTE)
    lab = pair(ASKING, VenSettings(offers=(energy,)))
    for number in range(5):
        feed(lab, ("wh", 100.0 + number))
        lab.advance(MINUTE)
    points = lab.desk.said(ReportPoint)
    assert len(points) >= 4
    assert {(fact.unit, fact.duration) for fact in points} == {("Wh", MINUTE)}
    requested = lab.given(OadrCreateReport)[0].report_requests[0].report_specifier.report_interval
    assert requested is not None and points[0].start >= requested.dtstart  # nothing older than was asked (rule 341)


def test_a_register_is_reported_as_what_was_counted_over_each_span():  # rules 315, 331
    energy = Offer(r_id="wh", unit="Wh", min_period=MINUTE, counter=True)
    lab = pair(ASKING, VenSettings(offers=(energy,)))
    for reading in (100.0, 101.0, 103.0, 106.0, 110.0):
        feed(lab, ("wh", reading))
        lab.advance(MINUTE)
    values = [fact.value for fact in lab.desk.said(ReportPoint)]
    assert values[-3:] == [2.0, 3.0, 4.0]


def test_energy_and_power_are_offered_apart():  # rule 315
    lab = pair(ASKING, VenSettings(offers=(METER, Offer(r_id="wh", unit="Wh"))))
    assert {fact.r_id: fact.report_specifier_id for fact in lab.desk.said(ReportOffered)} == {
        "meter": "telemetry_usage",
        "wh": "telemetry_usage_energy",
    }


def test_where_power_and_energy_share_a_report_all_intervals_have_a_duration():  # rules 315, 342
    offers = tuple(replace(offer, report_specifier_id="mixed") for offer in (METER, Offer(r_id="wh", unit="Wh")))
    lab = pair(ASKING, VenSettings(offers=offers))
    run(lab, 10 * SECOND)
    sent = lab.sent(OadrUpdateReport)
    assert sent
    for message in sent:
        assert all(interval.duration is not None for interval in message.reports[0].intervals)
    assert {(fact.r_id, fact.duration) for fact in lab.desk.said(ReportPoint)} == {
        ("meter", None),
        ("wh", 2 * SECOND),
    }


def test_a_missing_value_is_a_placeholder_of_bad_quality():  # rule 318
    lab = pair(ASKING, BOTH)
    lab.advance(30 * SECOND)
    points = lab.desk.said(ReportPoint)
    assert {fact.value for fact in points if fact.r_id == "meter"} == {0.0}
    assert {fact.quality for fact in points} == {"Quality Bad - Not Connected"}
    feed(lab, ("meter", 5.0))
    lab.advance(30 * SECOND)
    last = [fact for fact in lab.desk.said(ReportPoint) if fact.r_id == "meter"][-1]
    assert (last.value, last.quality) == (5.0, "Quality Bad - Last Known Value")


def test_the_first_report_goes_at_once_where_each_sample_is_a_report():  # section 8
    lab, hand = scripted()
    feed(lab, ("meter", 1.0))
    ask(
        lab,
        hand,
        request(granularity=MINUTE, report_back=MINUTE),
        request("rr-2", granularity=10 * SECOND, report_back=MINUTE),
    )
    asked = next(each.at for each in lab.wire if isinstance(each.request, OadrCreatedReport))
    lab.advance(2 * MINUTE)
    first = {}
    for each in lab.wire:
        if isinstance(each.request, OadrUpdateReport):
            first.setdefault(each.request.reports[0].report_request_id, each.at - asked)
    assert first == {"rr-1": timedelta(0), "rr-2": 50 * SECOND}


def test_a_report_asked_for_once_goes_once():  # rules 324, 337
    lab, hand = scripted()
    feed(lab, ("meter", 7.0))
    answered = ask(lab, hand, request(report_back=timedelta(0), granularity=timedelta(0)))
    assert answered.pending_reports == ("rr-1",)
    lab.advance(HOUR)
    (message,) = lab.sent(OadrUpdateReport)
    assert [value for _, _, value in values(message)] == [7.0]
    assert lab.ven.said(ReportStopped)[0].why == "delivered"


def test_a_one_shot_of_our_own_ends_when_it_is_delivered():
    lab = pair(ven_settings=BOTH)
    feed(lab, ("meter", 7.0))
    ven_id = lab.ven.said(Registered)[0].ven_id
    lab.command(lab.desk, RequestReports(ven_id, ("meter",), report_back=timedelta(0)))
    lab.advance(MINUTE)
    assert len(lab.desk.said(ReportPoint)) == 1
    assert lab.desk.said(ReportStopped)[0].why == "delivered; it was asked for once"
    assert not lab.desk.findings


def test_a_report_keeps_to_its_interval():  # rule 325
    lab, hand = scripted()
    span = ReportInterval(dtstart=START + 5 * MINUTE, duration=Duration.of(2 * MINUTE))
    ask(lab, hand, request(interval=span))
    run(lab, 10 * MINUTE)
    starts = [interval.dtstart for message in lab.sent(OadrUpdateReport) for interval in message.reports[0].intervals]
    assert starts == [START + 5 * MINUTE + 10 * SECOND * number for number in range(12)]
    assert lab.ven.said(ReportStopped)[0].why == "its interval is over"
    assert not [name for name in lab.ven.timers if name.startswith("report:")]


def test_on_change_sends_changes_and_says_when_there_were_none():  # rule 317
    lab, hand = scripted(VenSettings(offers=(replace(METER, on_change=True),)))
    feed(lab, ("meter", 1.0))
    ask(lab, hand, request(granularity=timedelta(0), report_back=MINUTE))
    run(lab, 50 * SECOND, 10 * SECOND, lambda number: 1.0 if number < 3 else 2.0)
    lab.advance(3 * MINUTE)
    reports = [values(message) for message in lab.sent(OadrUpdateReport)]
    assert [[value for _, _, value in report] for report in reports] == [[2.0], [2.0], [2.0]]
    qualities = [
        payload.data_quality
        for message in lab.sent(OadrUpdateReport)
        for interval in message.reports[0].intervals
        for payload in interval.payloads
        if isinstance(payload, OadrReportPayload)
    ]
    assert qualities == ["Quality Good - Non Specific", *["No New Value - Previous Value Used"] * 2]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (request(specifier="no such report"), "452"),  # rule 304
        (request(r_ids=("meter", "no such rid")), "452"),
        (request(granularity=SECOND), "454"),  # rule 340
        (request(granularity=timedelta(0)), "454"),
        (request(granularity=-SECOND), "454"),
        (request(report_back=-SECOND), "454"),
        (request(report_back=timedelta(days=365_000)), "454"),
        (request(interval=ReportInterval(dtstart=START - HOUR, duration=Duration.of(MINUTE))), "454"),
    ],
)
def test_asking_for_more_than_is_offered_is_refused_and_the_rest_served(asked: OadrReportRequest, code: str):
    lab, hand = scripted()
    answered = ask(lab, hand, asked, request("good"))
    assert answered.response.response_code == code
    assert answered.pending_reports == ("good",)
    run(lab, MINUTE)
    assert {message.reports[0].report_request_id for message in lab.sent(OadrUpdateReport)} == {"good"}


def test_pending_reports_are_complete():  # rule 329
    lab, hand = scripted()
    assert ask(lab, hand, request("a")).pending_reports == ("a",)
    assert ask(lab, hand, request("b")).pending_reports == ("a", "b")
    hand.table.append(OadrCancelReport(request_id="x", report_request_ids=("a", "c"), report_to_follow=False))
    lab.advance(12 * SECOND)
    (answered,) = lab.sent(OadrCanceledReport)
    assert answered.response.response_code == "452"  # rule 336: c is unknown
    assert answered.pending_reports == ("b",)


def test_metadata_can_be_asked_for_and_ends_other_requests():  # rules 306, 311, 327
    lab, hand = scripted()
    ask(lab, hand, request("a"))
    ask(lab, hand, request("meta", "METADATA", ("0",), timedelta(0), timedelta(0)))
    lab.advance(SECOND)
    again = lab.sent(OadrRegisterReport)[-1]
    assert again.report_request_id == "meta" and len(again.reports) == 2
    assert lab.ven.said(ReportStopped)[0].report_request_id == "a"


def test_a_cancellation_may_ride_in_updated_report():  # rule 328
    lab, hand = scripted()
    feed(lab, ("meter", 1.0))
    cancel = OadrCancelReport(request_id="x", report_request_ids=("a",), report_to_follow=False)
    hand.on_update = lambda message: OadrUpdatedReport(
        response=OK, cancel_report=cancel if message.reports[0].report_request_id == "a" else None
    )
    ask(lab, hand, request("a"), request("b"))
    run(lab, MINUTE)
    sent = [message.reports[0].report_request_id for message in lab.sent(OadrUpdateReport)]
    assert sent.count("a") == 1 and sent.count("b") >= 5
    assert not lab.sent(OadrCanceledReport)  # it wants no confirmation


# Trouble ---------------------------------------------------------------------------------------------------------


def test_a_500_for_one_report_neither_blocks_the_others_nor_is_repeated_for_ever():
    lab, hand = scripted()
    hand.on_update = lambda message: (
        HTTP_500 if message.reports[0].report_name == "TELEMETRY_STATUS" else OadrUpdatedReport(response=OK)
    )
    ask(lab, hand, request("usage"), request("status", "telemetry_status", ("site-status",)))
    run(lab, 10 * MINUTE, 5 * SECOND)
    sent = [message.reports[0].report_request_id for message in lab.sent(OadrUpdateReport)]
    assert sent.count("usage") >= 59
    assert 5 <= sent.count("status") <= 7
    assert lab.ven.said(ReportStopped)[0].report_request_id == "status"
    assert len([finding for finding in lab.ven.findings if "status" in finding.text]) == 1


def test_a_vtn_that_is_only_ill_for_a_while_loses_no_request():
    lab, hand = scripted()
    ask(lab, hand, request("usage"))
    lab.down = HTTP_500
    run(lab, 5 * MINUTE, 5 * SECOND)
    lab.down = None
    run(lab, MINUTE, 5 * SECOND)
    assert not lab.ven.said(ReportStopped)
    assert lab.ven.said(ReportPoint)


def test_what_the_wire_lost_goes_with_the_next_report():
    lab, hand = scripted()
    feed(lab, ("meter", 1.0))
    ask(lab, hand, request("usage"))
    lab.down = WIRE
    run(lab, MINUTE, 5 * SECOND)
    lab.down = None
    run(lab, MINUTE, 5 * SECOND)
    starts = [fact.start for fact in lab.ven.said(ReportPoint)]
    assert {later - one for one, later in zip(starts, starts[1:], strict=False)} == {10 * SECOND}


def test_the_backlog_of_a_long_outage_is_bounded():
    lab, hand = scripted(VenSettings(offers=(METER,), history=100))
    ask(lab, hand, request("usage"))
    lab.down = WIRE
    run(lab, HOUR, 10 * SECOND)
    lab.down = None
    run(lab, MINUTE, 10 * SECOND)
    longest = max(len(message.reports[0].intervals) for message in lab.sent(OadrUpdateReport))
    assert longest <= 101


def test_a_long_sleep_does_not_make_up_every_sample():
    lab, hand = scripted()
    ask(lab, hand, request("usage"))
    lab.now += timedelta(days=3)
    lab.advance(MINUTE)
    assert all(len(message.reports[0].intervals) <= 600 for message in lab.sent(OadrUpdateReport))
    assert lab.sent(OadrUpdateReport)[-1].reports[0].created_date_time > START + timedelta(days=3)


def test_reports_go_on_after_a_restart_of_the_ven():
    lab = pair(ASKING, BOTH)
    run(lab, 30 * SECOND)
    lab.restart(lab.ven, ven(settings=BOTH, seed=6))
    before = len(lab.desk.said(ReportPoint))
    run(lab, 30 * SECOND)
    assert len(lab.desk.said(ReportPoint)) > before + 20
    assert not lab.desk.findings


def test_reports_are_understood_after_a_restart_of_the_vtn():
    lab = pair(ASKING, BOTH)
    run(lab, 30 * SECOND)
    lab.restart(lab.desk, vtn(ASKING, seed=6))
    run(lab, 30 * SECOND)
    assert {fact.unit for fact in lab.desk.said(ReportPoint) if fact.r_id == "meter"} == {"W"}
    assert not lab.desk.findings


# A VTN and less exact VENs ---------------------------------------------------------------------------------------


def kilowatts() -> OadrReportDescription:
    item = ItemBase(element="power:energyReal", item_description="RealEnergy", item_units="Wh", si_scale_code="k")
    rate = OadrSamplingRate(min_period=Duration.of(10), max_period=Duration.of(10), on_change=False)
    return OadrReportDescription(
        r_id="m", report_type="usage", item_base=item, reading_type="Direct Read", sampling_rate=rate
    )


def bench() -> tuple[Lab, str]:
    lab = Lab(vtn(ASKING)).start()
    ven_id = lab.says(registration()).ven_id
    report = OadrReport(
        duration=Duration.of(HOUR),
        report_descriptions=(kilowatts(),),
        report_request_id="0",
        report_specifier_id="s",
        report_name="METADATA_TELEMETRY_USAGE",
        created_date_time=START,
    )
    lab.says(OadrRegisterReport(request_id="q", reports=(report,), ven_id=ven_id))
    return lab, ven_id


def data(key: str, *intervals: Interval, dtstart: datetime | None = START, **more: object) -> OadrReport:
    fields: dict[str, object] = {"report_specifier_id": "s", "report_name": "TELEMETRY_USAGE", **more}
    return OadrReport(
        dtstart=dtstart,
        intervals=intervals,
        report_request_id=key,
        created_date_time=START,
        **fields,  # type: ignore[arg-type]
    )


def value(number: float, r_id: str = "m", **more: object) -> Interval:
    payload = OadrReportPayload(r_id=r_id, payload=PayloadFloat(value=number))
    return Interval(payloads=(payload,), **more)  # type: ignore[arg-type]


def test_the_scale_is_applied_and_gone():
    lab, ven_id = bench()
    key = lab.desk.said(ReportRequested)[0].report_request_id
    reply = lab.says(OadrUpdateReport(request_id="u", reports=(data(key, value(1.1)),), ven_id=ven_id))
    assert isinstance(reply, OadrUpdatedReport) and reply.response.request_id == "u"
    (point,) = lab.desk.said(ReportPoint)
    assert (point.value, point.unit) == (1100.0, "Wh")


def test_values_without_times_of_their_own_follow_each_other():  # rule 316
    lab, ven_id = bench()
    key = lab.desk.said(ReportRequested)[0].report_request_id
    spans = [value(number, duration=Duration.of(10), uid=str(number)) for number in range(3)]
    lab.says(OadrUpdateReport(request_id="u", reports=(data(key, *spans),), ven_id=ven_id))
    points = [value(number, uid=str(number)) for number in range(3)]
    lab.says(OadrUpdateReport(request_id="u", reports=(data(key, *points),), ven_id=ven_id))
    starts = [fact.start for fact in lab.desk.said(ReportPoint)]
    assert starts == [START, START + 10 * SECOND, START + 20 * SECOND] * 2


def test_data_without_any_time_is_told():  # rule 314
    lab, ven_id = bench()
    key = lab.desk.said(ReportRequested)[0].report_request_id
    lab.says(OadrUpdateReport(request_id="u", reports=(data(key, value(1), dtstart=None),), ven_id=ven_id))
    assert lab.desk.rules() == ["314", "300"]
    assert not lab.desk.said(ReportPoint)


def test_data_for_a_request_never_made_is_taken_with_a_finding():  # rule 304
    lab, ven_id = bench()
    reply = lab.says(OadrUpdateReport(request_id="u", reports=(data("strange", value(2.0)),), ven_id=ven_id))
    assert reply.response.response_code == "200"
    assert lab.desk.rules() == ["304"]
    assert lab.desk.said(ReportPoint)[0].value == 2000.0


def test_an_rid_never_offered_is_taken_without_a_unit():  # rule 304
    lab, ven_id = bench()
    key = lab.desk.said(ReportRequested)[0].report_request_id
    lab.says(OadrUpdateReport(request_id="u", reports=(data(key, value(2.0, "n")),), ven_id=ven_id))
    assert lab.desk.rules() == ["304", "300"]  # and the one asked for is missing
    assert (lab.desk.said(ReportPoint)[0].value, lab.desk.said(ReportPoint)[0].unit) == (2.0, None)


def test_nan_and_infinity_are_values_too():
    lab, ven_id = bench()
    key = lab.desk.said(ReportRequested)[0].report_request_id
    reports = (data(key, value(math.nan), value(math.inf)),)
    lab.says(OadrUpdateReport(request_id="u", reports=reports, ven_id=ven_id))
    first, second = (fact.value for fact in lab.desk.said(ReportPoint))
    assert isinstance(first, float) and math.isnan(first) and second == math.inf


def test_a_message_without_ven_id_is_known_by_its_request():  # rule 508
    lab, _ = bench()
    key = lab.desk.said(ReportRequested)[0].report_request_id
    reply = lab.says(OadrUpdateReport(request_id="u", reports=(data(key, value(1.0)),)))
    assert reply.response.response_code == "200"
    assert lab.desk.rules() == ["508"] and lab.desk.said(ReportPoint)
    assert lab.says(OadrUpdateReport(request_id="u")).response.response_code == "463"


def test_a_refused_request_stops():  # rule 340
    lab, ven_id = bench()
    lab.says(OadrPoll(ven_id=ven_id))
    assert isinstance(lab.says(OadrPoll(ven_id=ven_id)), OadrCreateReport)
    refused = EiResponse(response_code="454", response_description="too often")
    lab.says(OadrCreatedReport(response=refused, ven_id=ven_id))
    assert lab.desk.said(ReportStopped)[0].why == "refused with 454 too often"


def test_a_request_whose_handing_over_was_lost_is_handed_over_again():
    lab = Lab(vtn(ASKING), ven(settings=BOTH))
    lab.swallow = lambda answer: isinstance(answer, OadrCreateReport)
    lab.start().advance(20 * SECOND)
    assert not lab.sent(OadrCreatedReport)
    lab.swallow = lambda answer: False
    lab.advance(MINUTE)
    assert len(lab.sent(OadrCreatedReport)[0].pending_reports) == 2
    assert lab.desk.said(ReportPoint)


def test_a_ven_that_never_confirms_is_asked_three_times():
    lab, ven_id = bench()
    given = []
    for _ in range(30):
        given.append(lab.says(OadrPoll(ven_id=ven_id)))
        lab.advance(10 * SECOND)
    assert len([each for each in given if isinstance(each, OadrCreateReport)]) == 3


def test_a_confirmation_that_lacks_a_request_is_told():  # rule 329
    lab, ven_id = bench()
    lab.says(OadrPoll(ven_id=ven_id))
    lab.says(OadrPoll(ven_id=ven_id))
    lab.says(OadrCreatedReport(response=OK, pending_reports=("strange",), ven_id=ven_id))
    assert lab.desk.rules() == ["329", "304"]


def test_a_vtn_offers_nothing_but_its_empty_metadata():  # rules 300, 301, 336
    lab, ven_id = bench()
    meta = request("meta", "METADATA", ("0",), timedelta(0), timedelta(0))
    assert lab.says(OadrCreateReport(request_id="c", report_requests=(meta,), ven_id=ven_id)).response.ok
    reply = lab.says(OadrCreateReport(request_id="c", report_requests=(request(),), ven_id=ven_id))
    assert reply.response.response_code == "452"
    cancel = OadrCancelReport(request_id="x", report_request_ids=("a",), report_to_follow=False, ven_id=ven_id)
    assert lab.says(cancel).response.response_code == "452"
    given = [lab.says(OadrPoll(ven_id=ven_id)) for _ in range(4)]
    assert [each.report_request_id for each in given if isinstance(each, OadrRegisterReport)] == [None, "meta"]


# Presence --------------------------------------------------------------------------------------------------------


def test_silence_makes_late_and_offline_and_a_word_makes_ok():
    lab = pair()
    lab.advance(MINUTE)
    lab.down = WIRE
    lab.advance(MINUTE)
    facts = lab.desk.said(PresenceChanged)
    assert [fact.state.value for fact in facts] == ["ok", "late", "offline"]
    lab.down = None
    lab.advance(MINUTE)
    assert [fact.state.value for fact in lab.desk.said(PresenceChanged)] == ["ok", "late", "offline", "ok"]
    assert facts[-1].last_seen is not None and facts[-1].poll_period == 10 * SECOND


def test_polls_in_time_cost_one_action_each():
    lab = pair()
    ven_id = lab.ven.said(Registered)[0].ven_id
    actions = lab.desk.role.handle(Received(OadrPoll(ven_id=ven_id), Peer()), lab.now)
    assert len(actions) == 1
