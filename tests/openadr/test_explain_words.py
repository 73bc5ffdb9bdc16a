"""Every message has a line for the list and a sentence for the inspector."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings

from console.openadr.calendar import Duration
from console.openadr.explain import sentence, summary
from console.openadr.model import (
    EiActivePeriod,
    EiEvent,
    EiEventSignal,
    EiResponse,
    EventDescriptor,
    EventResponse,
    Interval,
    OadrCreatedEvent,
    OadrDistributeEvent,
    OadrEvent,
    OadrPayloadResourceStatus,
    OadrReport,
    OadrReportPayload,
    OadrResponse,
    OadrUpdateReport,
    Payload,
    PayloadFloat,
    QualifiedEventID,
    SignalPayload,
)
from console.openadr.units import item_base_of
from tests.openadr.message_strategies import MESSAGES

CET = timezone(timedelta(hours=1), "CET")
START = datetime(2030, 11, 20, 9, 30, tzinfo=UTC)
HOUR = Duration.of(3600)


def setpoint(*values: float, kind: str = "setpoint", name: str = "LOAD_DISPATCH") -> EiEventSignal:
    intervals = tuple(
        Interval(uid=str(n), duration=HOUR, payloads=(SignalPayload(payload=PayloadFloat(value=value)),))
        for n, value in enumerate(values)
    )
    return EiEventSignal(
        intervals=intervals,
        signal_name=name,
        signal_type=kind,
        signal_id="s",
        item_base=None if name == "SIMPLE" else item_base_of("EUR/kWh" if "PRICE" in name else "W", "none"),
    )


def event(*signals: EiEventSignal, duration: Duration = HOUR, status: str = "far") -> OadrEvent:
    return OadrEvent(
        event=EiEvent(
            descriptor=EventDescriptor(
                event_id="e-17",
                modification_number=1,
                market_context="http://m",
                created_date_time=START,
                event_status=status,
            ),
            active_period=EiActivePeriod(dtstart=START, duration=duration, notification=Duration.zero),
            signals=signals or (setpoint(7000.0),),
        )
    )


def distribute(*events: OadrEvent) -> OadrDistributeEvent:
    return OadrDistributeEvent(request_id="r", vtn_id="vtn-utility", events=events)


def say(message: Payload) -> str:
    return sentence(message, "vtn-utility", "ven-7", CET)


def test_one_event():
    message = distribute(event())
    assert summary(message, CET) == "e-17/1, setpoint 7.00 kW, 10:30–11:30"
    assert say(message) == (
        "vtn-utility asks ven-7 to keep its load at 7.00 kW from 10:30 to 11:30 (1 h). An answer is always wanted."
    )


@pytest.mark.parametrize(
    ("signal", "short", "asked"),
    [
        (setpoint(2, kind="level", name="SIMPLE"), "level 2 (high)", "go to level 2 (high)"),
        (setpoint(-2000, kind="delta"), "delta −2.00 kW", "change its load by −2.00 kW"),
        (setpoint(0.32, kind="price", name="ELECTRICITY_PRICE"), "price 0.32 EUR/kWh", "a price of 0.32 EUR/kWh"),
        (setpoint(5000, 5000, 400), "setpoint 5.00 kW, then 400 W", "keep its load at 5.00 kW, then 400 W"),
        (setpoint(0.8, kind="multiplier"), "multiplier × 0.8", "change its load × 0.8"),
        (setpoint(3, kind="level", name="x-own"), "level 3 W", "follow x-own (level): 3 W"),
    ],
)
def test_signals_in_words(signal: EiEventSignal, short: str, asked: str):
    assert f"e-17/1, {short}, " in summary(distribute(event(signal)), CET)
    assert asked in say(distribute(event(signal)))


def test_an_open_end_a_cancel_and_several():
    assert summary(distribute(event(duration=Duration.zero)), CET).endswith("from 10:30")
    assert "until it is cancelled" in say(distribute(event(duration=Duration.zero)))
    assert summary(distribute(event(status="cancelled"))) == "e-17/1 cancelled"
    assert say(distribute(event(status="cancelled"))).startswith("vtn-utility cancels event e-17.")
    assert summary(distribute(event(), event(status="cancelled"))) == "2 events: e-17/1, e-17/1 cancelled"
    assert "rule 61" in say(distribute())


def test_another_day_is_told():
    later = replace(event().event.descriptor, created_date_time=START - timedelta(days=2))
    message = distribute(OadrEvent(event=replace(event().event, descriptor=later)))
    assert "20 Nov 10:30–11:30" in summary(message, CET)


def test_answers():
    answer = EventResponse(
        response_code="200",
        qualified_event_id=QualifiedEventID(event_id="e-17", modification_number=1),
        opt_type="optIn",
    )
    message = OadrCreatedEvent(response=EiResponse(response_code="200"), event_responses=(answer,), ven_id="ven-7")
    assert summary(message) == "e-17/1 optIn"
    bad = replace(message, event_responses=(replace(answer, response_code="462", opt_type="optOut"),))
    assert summary(bad) == "e-17/1 optOut (462, target or market context does not match)"


def test_plain_responses():
    assert summary(OadrResponse(response=EiResponse(response_code="200"))) == "200 OK, nothing to deliver"
    assert summary(OadrResponse(response=EiResponse(response_code="200", request_id="q"))) == "200 OK"
    assert summary(OadrResponse(response=EiResponse(response_code="463"))) == "463, not registered"
    assert summary(OadrResponse(response=EiResponse(response_code="477"))) == "477, refused"


def test_report_data_with_and_without_its_unit():
    points = tuple(
        Interval(dtstart=START, payloads=(OadrReportPayload(r_id="p1", payload=PayloadFloat(value=value)),))
        for value in (3.9, 4.0, 4.1)
    )
    report = OadrReport(
        intervals=points,
        report_request_id="q",
        report_specifier_id="s",
        report_name="TELEMETRY_USAGE",
        created_date_time=START,
    )
    message = OadrUpdateReport(request_id="r", reports=(report,), ven_id="v")
    kilowatt = item_base_of("W", "k")
    assert kilowatt is not None
    assert summary(message, units={"p1": kilowatt}) == "telemetry usage, 3 points, powerReal 4.10 kW"
    assert summary(message) == "telemetry usage, 3 points, p1 4.1"
    status = OadrPayloadResourceStatus(online=False, manual_override=True)
    state = Interval(dtstart=START, payloads=(OadrReportPayload(r_id="st", payload=status),))
    told = summary(replace(message, reports=(replace(report, intervals=(state,)),)))
    assert told == "telemetry usage, 1 point, st offline, overridden on site"


def test_no_message_says_nothing():
    assert summary(None) == ""
    assert sentence(None, "a", "b") == ""


@settings(max_examples=80, deadline=None, derandomize=True)
@given(MESSAGES)
def test_every_message_can_be_told(message: Payload):
    assert summary(message, CET)
    told = say(message)
    assert told.endswith(".")
    assert "vtn-utility" in told
