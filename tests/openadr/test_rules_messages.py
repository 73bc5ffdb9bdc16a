"""Single-message rules by a message that keeps each and one that breaks it, beside those of the authored corpus."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from console.openadr import model as m
from console.openadr import rules
from console.openadr.calendar import Duration
from console.openadr.codec import dissect, write
from tests.openadr.test_rules_sequence import (
    ASK,
    CREATE,
    CREATED,
    HOUR,
    OFFER,
    POLL,
    START,
    ZERO,
    answer,
    create,
    described,
    event,
    events,
    offer,
    opt,
    request,
    take_back,
)


@dataclass(frozen=True)
class Case:
    rule: int
    name: str
    keeps: m.Payload
    breaks: m.Payload
    from_ven: bool | None = None
    """Who sends the breaking one; the other sends the keeping one."""


def ramped(status: str, ramp: Duration | None) -> m.OadrDistributeEvent:
    wrapped = event(0, status)
    period = replace(wrapped.event.active_period, ramp_up=ramp)
    return events(replace(wrapped, event=replace(wrapped.event, active_period=period)))


def aimed(*names: str) -> m.OadrDistributeEvent:
    wrapped = event()
    (signal,) = wrapped.event.signals
    signal = replace(signal, target=m.EiTarget(end_device_assets=names))
    return events(replace(wrapped, event=replace(wrapped.event, signals=(signal,))))


def about(subject: m.EiTarget) -> m.OadrRegisterReport:
    point = replace(described(), report_subject=subject)
    return replace(OFFER, reports=(replace(offer(), report_descriptions=(point,)),))


def status_report(duration: Duration | None) -> m.OadrUpdateReport:
    part = m.OadrReportPayload(r_id="s", payload=m.OadrPayloadResourceStatus(online=True, manual_override=False))
    report = m.OadrReport(
        dtstart=START,
        intervals=(m.Interval(dtstart=START, duration=duration, payloads=(part,)),),
        report_request_id="r",
        report_specifier_id="s",
        report_name="TELEMETRY_STATUS",
        created_date_time=START,
    )
    return m.OadrUpdateReport(request_id="q", reports=(report,), ven_id="ven-1")


LATER = START + timedelta(hours=5)


def signalled(**changes: object) -> m.OadrDistributeEvent:
    """An event whose one signal is changed."""
    wrapped = event()
    (signal,) = wrapped.event.signals
    changed = replace(signal, **changes)  # type: ignore[arg-type]
    return events(replace(wrapped, event=replace(wrapped.event, signals=(changed,))))


def payloads(*held: m.StreamPayload) -> tuple[m.Interval, ...]:
    return (m.Interval(uid="0", duration=HOUR, payloads=held),)


def measured(*starts: timedelta) -> m.OadrUpdateReport:
    part = m.OadrReportPayload(r_id="p", payload=m.PayloadFloat(value=1.0))
    intervals = tuple(m.Interval(dtstart=START + start, duration=HOUR, payloads=(part,)) for start in starts)
    (report,) = status_report(None).reports
    return replace(status_report(None), reports=(replace(report, intervals=intervals),))


def controlled(*levels: bool) -> m.OadrUpdateReport:
    """Two statuses, each with or without a level offset."""
    level = m.OadrLoadControlStateType(current=1.0)
    (report,) = status_report(None).reports
    intervals = tuple(
        m.Interval(
            dtstart=START + at * timedelta(hours=1),
            payloads=(
                m.OadrReportPayload(
                    r_id="s",
                    payload=m.OadrPayloadResourceStatus(
                        online=True,
                        manual_override=False,
                        load_control_state=m.OadrLoadControlState(
                            capacity=level, level_offset=level if with_it else None
                        ),
                    ),
                ),
            ),
        )
        for at, with_it in enumerate(levels)
    )
    return replace(status_report(None), reports=(replace(report, intervals=intervals),))


ONE = m.SignalPayload(payload=m.PayloadFloat(value=1.0))
AN_HOUR = timedelta(hours=1)

CASES = [
    Case(
        9,
        "level",
        signalled(intervals=payloads(ONE)),
        signalled(intervals=payloads(replace(ONE, payload=m.PayloadFloat(value=1.5)))),
    ),
    Case(14, "current value while far", signalled(current_value=0.0), signalled(current_value=2.0)),
    Case(35, "answers", answer(), replace(answer(), event_responses=())),
    Case(41, "requestID", events(), events(request_id="")),
    Case(100, "one number", signalled(intervals=payloads(ONE)), signalled(intervals=payloads(ONE, ONE))),
    Case(104, "type of a price", signalled(), signalled(signal_name="BID_LOAD", signal_type="price")),
    Case(314, "ascending", measured(0 * AN_HOUR, AN_HOUR), measured(0 * AN_HOUR, 2 * AN_HOUR, AN_HOUR)),
    Case(314, "start of the report", measured(0 * AN_HOUR, AN_HOUR), measured(AN_HOUR, 2 * AN_HOUR)),
    Case(334, "parts of the state", controlled(True, True), controlled(True, False)),
    Case(508, "venID", POLL, replace(POLL, ven_id="")),
    Case(10, "cancelled at 0", events(event(1, "cancelled")), events(event(0, "cancelled"))),
    Case(13, "status none", events(event(0, "far")), events(event(0, "none"))),
    Case(13, "near without ramp", ramped("near", Duration.of(600)), ramped("near", None)),
    Case(
        15,
        "active behind pending",
        events(event(0, "active"), event(0, "far", "f")),
        events(event(0, "far", "f"), event(0, "active")),
    ),
    Case(
        15,
        "pending by start",
        events(event(), event(0, "far", "f", start=LATER)),
        events(event(start=LATER), event(0, "far", "f")),
    ),
    Case(23, "asked by a VTN", ASK, ASK, from_ven=False),
    Case(48, "refused and opted into", answer(0, "optOut", code="460"), answer(0, "optIn", code="460")),
    Case(111, "device class", aimed("EVSE", "x-own"), aimed("Toaster")),
    Case(111, "empty signal target", aimed("EVSE"), aimed()),
    Case(204, "optID", opt(event_id=None), opt("", event_id=None)),
    Case(204, "optID taken back", take_back(), take_back("")),
    Case(
        209,
        "device class",
        replace(opt(event_id=None), device_class=m.EiTarget(end_device_assets=("EVSE",))),
        replace(opt(event_id=None), device_class=m.EiTarget(end_device_assets=("Toaster",))),
    ),
    Case(
        307,
        "subject",
        about(m.EiTarget(end_device_assets=("EVSE",))),
        about(m.EiTarget(resource_ids=("r",))),
    ),
    Case(322, "names", create(request(), request("rr-2")), create(request(), request())),
    Case(324, "span", create(request()), create(request(since=None))),
    Case(324, "span not needed once", create(request(back=ZERO, since=None)), create(request(since=None))),
    Case(
        327,
        "METADATA",
        create(request("r", "METADATA", ("0",), ZERO, ZERO, None)),
        create(request("r", "metadata", ("0",), ZERO, ZERO, None)),
    ),
    Case(342, "status over a time", status_report(None), status_report(HOUR)),
    Case(401, "registration by a VTN", CREATE, CREATE, from_ven=False),
    Case(401, "grant by a VEN", CREATED, CREATED, from_ven=True),
    Case(500, "poll by a VTN", POLL, POLL, from_ven=False),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule} {case.name}")
def test_a_rule_is_kept_and_broken(case: Case):
    kept_by = None if case.from_ven is None else not case.from_ven
    assert found(case.keeps, kept_by) == set()
    assert found(case.breaks, case.from_ven) == {str(case.rule)}


AUTHORED = {2, 8, 9, 10, 13, 15, 42, 63, 101, 102, 103, 105, 107, 111, 115, 116, 200, 206, 208, 209} | {
    *(305, 308, 311, 312, 313, 315, 316, 317, 321, 331, 333, 338, 402, 509),
}
"""Rules that files of the authored corpus break (test_rules_single)."""


def test_every_rule_has_a_message_that_breaks_it():
    with_case = {case.rule for case in CASES} | AUTHORED | {7}  # rule 7 binds 2.0a: test_profile_a
    assert {rule.number for rule in rules.RULES} == with_case


def test_the_authored_corpus_holds_what_is_said(shared: Path):
    names = (shared / "corpus-authored/rule-violations").glob("R*.xml")
    assert {int(path.name[1:4]) for path in names} - {1, 45} == AUTHORED


def found(message: m.Payload, from_ven: bool | None) -> set[str]:
    """Rules broken by a message after it went through its bytes."""
    dissection = dissect(write(message))
    assert dissection.valid and dissection.message == message
    return {finding.rule for finding in rules.check(message, from_ven)}
