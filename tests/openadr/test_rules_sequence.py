"""Each sequence rule by a dialogue that keeps it and one that breaks it, written from the rule's own words.

A dialogue is a list of steps: ``ven(m)`` and ``vtn(m)`` open an exchange, ``reply(m)`` answers it, ``later(s)`` lets
time pass. What keeps a rule breaks none; what breaks it breaks that rule and no other, unless the case says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from console.openadr import model as m
from console.openadr.calendar import Duration
from console.openadr.codec import dissect, write
from console.openadr.rules.sequence import SEQUENCE_RULES, Heard, SequenceChecker, own_side_is_ven

START = datetime(2030, 6, 3, 9, 30, tzinfo=UTC)
HOUR = Duration.of(3600)
MINUTE = Duration.of(60)
ZERO = Duration.zero


@dataclass(frozen=True)
class Step:
    kind: str
    message: m.Payload | None = None
    seconds: float = 1.0


def ven(message: m.Payload) -> Step:
    return Step("ven", message)


def vtn(message: m.Payload) -> Step:
    return Step("vtn", message)


def reply(message: m.Payload) -> Step:
    return Step("reply", message)


def later(seconds: float) -> Step:
    return Step("later", seconds=seconds)


Dialogue = Sequence[Step]


def play(dialogue: Dialogue, numbered: bool = True) -> list[str]:
    """Rules found broken, in order; every message goes through its bytes and is schema-valid."""
    checker, found = SequenceChecker(), list[str]()
    now, number, opened, from_ven = START, 0, 0, True
    for step in dialogue:
        now += timedelta(seconds=step.seconds)
        if step.message is None:
            continue
        dissection = dissect(write(step.message))
        assert dissection.valid and dissection.message is not None, dissection.findings
        number += 1
        if step.kind == "reply":
            from_ven = not from_ven
            to = opened
        else:
            from_ven, to, opened = step.kind == "ven", 0, number
        given = (number, to) if numbered else (0, None)
        heard = Heard(now, from_ven, "ven-1", dissection.message, *given)
        findings = checker.hear(heard)
        assert all(finding.text and finding.clause for finding in findings)
        found += [finding.rule for finding in findings]
    return found


# Messages ------------------------------------------------------------------------------------------------------------


def ok(request_id: str = "q", code: str = "200") -> m.EiResponse:
    return m.EiResponse(response_code=code, request_id=request_id)


POLL = m.OadrPoll(ven_id="ven-1")
FINE = m.OadrResponse(response=ok(""), ven_id="ven-1")
NO = m.OadrResponse(response=ok("", "452"), ven_id="ven-1")
CREATE = m.OadrCreatePartyRegistration(
    request_id="q",
    profile_name="2.0b",
    transport_name="simpleHttp",
    report_only=False,
    xml_signature=False,
    http_pull_model=True,
)
CREATED = m.OadrCreatedPartyRegistration(
    response=ok(),
    registration_id="reg-1",
    ven_id="ven-1",
    vtn_id="vtn",
    profiles=(m.OadrProfile(profile_name="2.0b", transports=("simpleHttp",)),),
    requested_oadr_poll_freq=Duration.of(10),
)
CANCEL = m.OadrCancelPartyRegistration(request_id="q", registration_id="reg-1", ven_id="ven-1")
CANCELED = m.OadrCanceledPartyRegistration(response=ok(), registration_id="reg-1", ven_id="ven-1")
QUERY = m.OadrQueryRegistration(request_id="q")
GONE = [ven(CANCEL), reply(CANCELED)]
REGISTERED = [ven(CREATE), reply(CREATED)]


def described(r_id: str = "p", least: Duration = MINUTE) -> m.OadrReportDescription:
    return m.OadrReportDescription(
        r_id=r_id,
        report_type="usage",
        reading_type="Direct Read",
        item_base=m.ItemBase(
            element="power:energyReal", item_description="RealEnergy", item_units="Wh", si_scale_code="none"
        ),
        sampling_rate=m.OadrSamplingRate(min_period=least, max_period=HOUR, on_change=False),
    )


def offer(specifier: str = "spec", name: str = "METADATA_TELEMETRY_USAGE") -> m.OadrReport:
    return m.OadrReport(
        duration=HOUR,
        report_descriptions=(described(), described("p2")),
        report_request_id="0",
        report_specifier_id=specifier,
        report_name=name,
        created_date_time=START,
    )


OFFER = m.OadrRegisterReport(request_id="q", reports=(offer(), offer("old", "METADATA_HISTORY_USAGE")), ven_id="ven-1")
TAKEN = m.OadrRegisteredReport(response=ok())
OFFERED = [ven(OFFER), reply(TAKEN)]
HELLO = [*REGISTERED, *OFFERED]


def request(
    name: str = "rr-1",
    specifier: str = "spec",
    points: tuple[str, ...] = ("p",),
    every: Duration = MINUTE,
    back: Duration = MINUTE,
    since: datetime | None = START,
) -> m.OadrReportRequest:
    span = m.ReportInterval(dtstart=since, duration=ZERO) if since else None
    wanted = tuple(m.SpecifierPayload(r_id=point, reading_type="x-notApplicable") for point in points)
    return m.OadrReportRequest(
        report_request_id=name,
        report_specifier=m.ReportSpecifier(
            report_specifier_id=specifier,
            granularity=every,
            report_back_duration=back,
            report_interval=span,
            specifier_payloads=wanted,
        ),
    )


METADATA = request("meta", "METADATA", ("0",), ZERO, ZERO, None)


def create(*requests: m.OadrReportRequest) -> m.OadrCreateReport:
    return m.OadrCreateReport(request_id="q", report_requests=requests or (request(),), ven_id="ven-1")


def created(*pending: str, request_id: str = "q", code: str = "200") -> m.OadrCreatedReport:
    return m.OadrCreatedReport(response=ok(request_id, code), pending_reports=pending, ven_id="ven-1")


def asked(*requests: m.OadrReportRequest, pending: tuple[str, ...] = ("rr-1",), code: str = "200") -> list[Step]:
    """The VTN asks for reports at a poll; the VEN answers on its own."""
    return [ven(POLL), reply(create(*requests)), ven(created(*pending, code=code)), reply(FINE), later(20)]


def update(
    name: str = "rr-1", points: tuple[str, ...] = ("p",), specifier: str = "spec", at: datetime = START
) -> m.OadrUpdateReport:
    payloads = tuple(m.OadrReportPayload(r_id=point, payload=m.PayloadFloat(value=1.0)) for point in points)
    report = m.OadrReport(
        dtstart=at,
        intervals=(m.Interval(dtstart=at, duration=MINUTE, payloads=payloads),),
        report_request_id=name,
        report_specifier_id=specifier,
        report_name="TELEMETRY_USAGE",
        created_date_time=START,
    )
    return m.OadrUpdateReport(request_id="q", reports=(report,), ven_id="ven-1")


def dropping(*names: str) -> m.OadrUpdatedReport:
    return m.OadrUpdatedReport(response=ok(), cancel_report=cancel_report(*names), ven_id="ven-1")


def cancel_report(*names: str, follow: bool = False) -> m.OadrCancelReport:
    return m.OadrCancelReport(
        request_id="q", report_request_ids=names or ("rr-1",), report_to_follow=follow, ven_id="ven-1"
    )


def canceled_report(*pending: str, code: str = "200") -> m.OadrCanceledReport:
    return m.OadrCanceledReport(response=ok("q", code), pending_reports=pending, ven_id="ven-1")


UPDATED = m.OadrUpdatedReport(response=ok())
DELIVERED = [ven(update()), reply(UPDATED)]


def event(
    number: int = 0,
    status: str = "far",
    event_id: str = "e",
    *,
    value: float = 1.0,
    answer: str = "always",
    start: datetime = START + timedelta(hours=2),
    made: datetime = START,
    current: float | None = None,
    target: m.EiTarget | None = None,
) -> m.OadrEvent:
    halves = tuple(
        m.Interval(
            uid=str(at),
            duration=Duration.of(1800),
            payloads=(m.SignalPayload(payload=m.PayloadFloat(value=value + at)),),
        )
        for at in (0, 1)
    )
    signal = m.EiEventSignal(
        intervals=halves, signal_name="SIMPLE", signal_type="level", signal_id="s", current_value=current
    )
    return m.OadrEvent(
        event=m.EiEvent(
            descriptor=m.EventDescriptor(
                event_id=event_id,
                modification_number=number,
                market_context="http://m",
                created_date_time=made,
                event_status=status,
            ),
            active_period=m.EiActivePeriod(dtstart=start, duration=HOUR, notification=ZERO),
            signals=(signal,),
            target=target or m.EiTarget(ven_ids=("ven-1",)),
        ),
        response_required=answer,
    )


def events(*listed: m.OadrEvent, request_id: str = "d", response: m.EiResponse | None = None) -> m.OadrDistributeEvent:
    return m.OadrDistributeEvent(
        response=response or ok(""), request_id=request_id, vtn_id="vtn", events=listed or (event(),)
    )


def answer(number: int = 0, opt: str = "optIn", event_id: str = "e", code: str = "200", request_id: str = "d"):
    one = m.EventResponse(
        response_code=code,
        request_id=request_id,
        qualified_event_id=m.QualifiedEventID(event_id=event_id, modification_number=number),
        opt_type=opt,
    )
    return m.OadrCreatedEvent(response=ok(""), event_responses=(one,), ven_id="ven-1")


def polled(*listed: m.OadrEvent, request_id: str = "d") -> list[Step]:
    return [later(20), ven(POLL), reply(events(*listed, request_id=request_id))]


def answered(number: int = 0, result: m.OadrResponse = FINE, **more: str) -> list[Step]:
    return [ven(answer(number, **more)), reply(result)]


MODIFIED = START + timedelta(minutes=30)
CANCELLED = event(1, "cancelled", made=MODIFIED)


def opt(
    opt_id: str = "o", event_id: str | None = "e", target: m.EiTarget | None = None, ven_id: str = "ven-1"
) -> m.OadrCreateOpt:
    about = m.QualifiedEventID(event_id=event_id, modification_number=0) if event_id else None
    times = () if event_id else (m.Available(dtstart=START, duration=HOUR),)
    return m.OadrCreateOpt(
        opt_id=opt_id,
        opt_type="optIn",
        opt_reason="economic",
        ven_id=ven_id,
        vavailability=times,
        created_date_time=START,
        request_id="q",
        qualified_event_id=about,
        target=target or m.EiTarget(ven_ids=(ven_id,)),
    )


def opted(opt_id: str = "o", request_id: str = "q", code: str = "200") -> m.OadrCreatedOpt:
    return m.OadrCreatedOpt(response=ok(request_id, code), opt_id=opt_id)


def take_back(opt_id: str = "o") -> m.OadrCancelOpt:
    return m.OadrCancelOpt(request_id="q", opt_id=opt_id, ven_id="ven-1")


def taken_back(opt_id: str = "o", code: str = "200") -> m.OadrCanceledOpt:
    return m.OadrCanceledOpt(response=ok("q", code), opt_id=opt_id)


SCHEDULE = [ven(opt(event_id=None)), reply(opted())]
STRANGER = replace(POLL, ven_id="ven-2")
PUSHED = replace(CREATE, http_pull_model=False, transport_address="https://ven.example/")


@dataclass(frozen=True)
class Case:
    rule: int
    name: str
    keeps: Dialogue
    breaks: Dialogue
    others: tuple[str, ...] = ()
    """Rules that the breaking dialogue cannot but break too."""
    anyway: tuple[str, ...] = ()
    """Rules that the other side breaks first, whether or not this one is kept."""


ASK = m.OadrRequestEvent(request_id="q", ven_id="ven-1", reply_limit=1)
CASES = [
    Case(
        4,
        "first modification",
        [*HELLO, *polled(event()), *answered(), *polled(event(), event(0, event_id="f")), *answered(event_id="f")],
        [*HELLO, *polled(event()), *answered(), *polled(event(), event(3, event_id="f")), *answered(3, event_id="f")],
    ),
    Case(
        5,
        "changed content",
        [*HELLO, *polled(event()), *answered(), later(2000), *polled(event(1, value=0.0, made=MODIFIED)), *answered(1)],
        [*HELLO, *polled(event()), *answered(), *polled(event(value=0.0)), *answered()],
    ),
    Case(
        5,
        "falling number",
        [*HELLO, *polled(event()), *polled(event(1, value=0.0, made=MODIFIED)), *answered(1)],
        [
            *HELLO,
            *polled(event()),
            *polled(event(1, value=0.0)),
            *polled(event(0)),
            *answered(0, code="450", opt="optOut"),
        ],
    ),
    Case(
        10,
        "cancelled",
        [*HELLO, *polled(event()), *answered(), *polled(CANCELLED), *answered(1)],
        [*HELLO, *polled(event()), *answered(), *polled(event(0, "cancelled")), *answered()],
    ),
    Case(
        12,
        "answer where none is wanted",
        [*HELLO, *polled(event(answer="never"))],
        [*HELLO, *polled(event(answer="never")), *answered()],
    ),
    Case(
        62,
        "no answer where one is wanted",
        [*HELLO, *polled(), *answered(), *[later(20), ven(POLL), reply(FINE)] * 5],
        [*HELLO, *polled(), *[later(20), ven(POLL), reply(FINE)] * 5],
    ),
    Case(
        13,
        "status goes back",
        [*HELLO, *polled(event()), *answered(), later(7200), ven(ASK), reply(events(event(0, "active"))), *answered()],
        [*HELLO, later(7170), *polled(event(0, "active")), *answered(), *polled(event()), *answered()],
        ("502",),
    ),
    Case(
        13,
        "status against the clock",
        [*HELLO, later(7200), *polled(event(0, "active")), *answered()],
        [*HELLO, *polled(event(0, "active")), *answered()],
    ),
    Case(
        13,
        "still far though begun",
        [*HELLO, later(7000), *polled(event()), *answered()],
        [*HELLO, later(7600), *polled(event()), *answered()],
    ),
    Case(
        27,
        "reply limit",
        [*HELLO, ven(ASK), reply(events(event())), *answered()],
        [*HELLO, ven(ASK), reply(events(event(), event(event_id="f"))), *answered(), *answered(event_id="f")],
    ),
    Case(
        29,
        "current value",
        [*HELLO, later(8000), *polled(event(0, "active", current=1.0)), *answered()],
        [*HELLO, later(8000), *polled(event(0, "active", current=2.0)), *answered()],
    ),
    Case(
        36,
        "answered again",
        [*HELLO, *polled(event()), *answered(), *polled(CANCELLED), *answered(1)],
        [*HELLO, *polled(event()), *answered(), *polled(CANCELLED), *answered(1), *answered(1)],
    ),
    Case(
        40,
        "answer without eiResponse",
        [*HELLO, *polled(event()), *answered()],
        [
            *HELLO,
            ven(replace(ASK, reply_limit=None)),
            reply(replace(events(event()), response=None)),
            *answered(),
        ],
    ),
    Case(
        42,
        "requestID of another message",
        [*HELLO, *polled(event(), request_id="d7"), *answered(request_id="d7")],
        [*HELLO, *polled(event(), request_id="d7"), *answered(request_id="d8")],
    ),
    Case(
        48,
        "answer to an unknown event",
        [*HELLO, *polled(event()), *answered(), *answered(event_id="f", result=NO)],
        [*HELLO, *polled(event()), *answered(), *answered(event_id="f")],
    ),
    Case(
        48,
        "answer to a later version",
        [*HELLO, *polled(event()), *answered(3, NO)],
        [*HELLO, *polled(event()), *answered(3)],
    ),
    Case(
        50,
        "acknowledged and listed",
        [*HELLO, *polled(event()), *polled(CANCELLED), *polled(CANCELLED), *answered(1), *polled(event(event_id="f"))],
        [*HELLO, *polled(event()), *polled(CANCELLED), *answered(1), *polled(CANCELLED), *answered(1)],
        ("502",),
    ),
    Case(
        52,
        "cancellation said once",
        [
            *[*HELLO, *polled(event()), *answered(), *polled(CANCELLED), *polled(CANCELLED, event(event_id="f"))],
            *[*answered(1), *answered(event_id="f"), *polled(event(event_id="f"), event(event_id="g"))],
        ],
        [*HELLO, *polled(event()), *answered(), *polled(CANCELLED), *polled(event(event_id="f"))],
    ),
    Case(
        58,
        "lower version accepted",
        [*HELLO, *polled(event(1, value=0.0)), *polled(event(0)), *answered(0, code="450", opt="optOut")],
        [*HELLO, *polled(event(1, value=0.0)), *polled(event(0)), *answered(0)],
        anyway=("5",),
    ),
    Case(
        60,
        "unknown cancellation refused",
        [*HELLO, *polled(CANCELLED), *answered(1, opt="optIn")],
        [*HELLO, *polled(CANCELLED), *answered(1, opt="optOut", code="452")],
    ),
    Case(
        70,
        "eventID comes back",
        [*HELLO, *polled(event(1)), *answered(1), *polled(event(event_id="f")), *polled(event(event_id="g"))],
        [*HELLO, *polled(event(1)), *answered(1), *polled(event(event_id="f")), *polled(event(0, value=0.0))],
    ),
    Case(
        115,
        "modified and not dated",
        [*HELLO, *polled(event()), *answered(), later(1800), *polled(event(1, value=0.0, made=MODIFIED)), *answered(1)],
        [*HELLO, *polled(event()), *answered(), later(1800), *polled(event(1, value=0.0)), *answered(1)],
    ),
    Case(
        502,
        "nothing new",
        [*HELLO, *polled(event()), *answered(), later(20), ven(POLL), reply(FINE)],
        [*HELLO, *polled(event()), *answered(), *polled(event()), *answered()],
    ),
    # Opts
    Case(204, "optID of the answer", [*HELLO, *SCHEDULE], [*HELLO, ven(opt(event_id=None)), reply(opted("other"))]),
    Case(
        206,
        "opt where no answer is wanted",
        [*HELLO, *polled(event()), ven(opt()), reply(opted())],
        [*HELLO, *polled(event(answer="never")), ven(opt()), reply(opted())],
    ),
    Case(
        206,
        "opt on an unknown event",
        [*HELLO, *polled(event()), *answered(), ven(opt(event_id="f")), reply(opted(code="452"))],
        [*HELLO, *polled(event()), *answered(), ven(opt(event_id="f")), reply(opted())],
    ),
    Case(
        206,
        "opt beside the target",
        [
            *[*HELLO, *polled(event(target=m.EiTarget(resource_ids=("a", "b")))), *answered()],
            *[ven(opt(target=m.EiTarget(resource_ids=("a",)))), reply(opted())],
        ],
        [
            *[*HELLO, *polled(event(target=m.EiTarget(resource_ids=("a", "b")))), *answered()],
            *[ven(opt(target=m.EiTarget(resource_ids=("c",)))), reply(opted())],
        ],
    ),
    Case(207, "requestID", [*HELLO, *SCHEDULE], [*HELLO, ven(opt(event_id=None)), reply(opted(request_id="x"))]),
    Case(
        208,
        "unknown opt taken back",
        [*HELLO, *SCHEDULE, ven(take_back()), reply(taken_back())],
        [*HELLO, *SCHEDULE, ven(take_back("p")), reply(taken_back("p"))],
    ),
    Case(
        208,
        "opt of another VEN",
        [*HELLO, ven(opt(event_id=None, ven_id="ven-2")), reply(opted(code="452"))],
        [*HELLO, ven(opt(event_id=None, ven_id="ven-2")), reply(opted())],
    ),
    Case(
        211,
        "opt on an event taken back",
        [*HELLO, *polled(), ven(opt()), reply(opted()), ven(opt("o2")), reply(opted("o2"))],
        [*HELLO, *polled(), ven(opt()), reply(opted()), ven(take_back()), reply(taken_back())],
    ),
    # Identity
    Case(
        21,
        "events of another VEN",
        [*HELLO, ven(replace(ASK, ven_id="x")), reply(NO)],
        [*HELLO, ven(replace(ASK, ven_id="x")), reply(events())],
    ),
    Case(
        304,
        "reports of another VEN",
        [*HELLO, ven(replace(OFFER, ven_id="x")), reply(m.OadrRegisteredReport(response=ok("q", "452")))],
        [*HELLO, ven(replace(OFFER, ven_id="x")), reply(TAKEN)],
    ),
    Case(500, "poll of another VEN", [*HELLO, ven(STRANGER), reply(NO)], [*HELLO, ven(STRANGER), reply(FINE)]),
    Case(
        512,
        "letter case",
        [*HELLO, ven(replace(POLL, ven_id="VEN-1")), reply(NO)],
        [*HELLO, ven(replace(POLL, ven_id="VEN-1")), reply(FINE)],
    ),
    Case(
        400,
        "renewal under another registrationID",
        [*HELLO, ven(replace(CREATE, registration_id="reg-1", ven_id="ven-1")), reply(CREATED)],
        [*HELLO, ven(replace(CREATE, registration_id="reg-9", ven_id="ven-1")), reply(CREATED)],
    ),
    Case(
        400,
        "cancellation under another registrationID",
        [*HELLO, ven(CANCEL), reply(CANCELED)],
        [*HELLO, ven(replace(CANCEL, registration_id="reg-9")), reply(CANCELED)],
    ),
    # Who may open an exchange
    Case(
        51,
        "pushed to though polling",
        [ven(PUSHED), reply(CREATED), *OFFERED, vtn(events(response=None)), *answered()],
        [*HELLO, vtn(events()), *answered()],
    ),
    Case(
        51,
        "polls though pushed to",
        [*HELLO, ven(POLL), reply(FINE)],
        [ven(PUSHED), reply(CREATED), *OFFERED, ven(POLL), reply(FINE)],
    ),
    Case(
        402,
        "old registrationID",
        [*HELLO, *GONE, ven(CREATE), reply(CREATED)],
        [*HELLO, *GONE, ven(replace(CREATE, registration_id="reg-1", ven_id="ven-1")), reply(CREATED)],
    ),
    Case(403, "grant without venID", REGISTERED, [ven(CREATE), reply(replace(CREATED, ven_id=None))]),
    Case(403, "grant without pace", REGISTERED, [ven(CREATE), reply(replace(CREATED, requested_oadr_poll_freq=None))]),
    Case(
        403,
        "grant of another transport",
        REGISTERED,
        [ven(CREATE), reply(replace(CREATED, profiles=(m.OadrProfile(profile_name="2.0b", transports=("xmpp",)),)))],
    ),
    Case(
        404,
        "query answered with IDs",
        [*HELLO, *GONE, ven(QUERY), reply(replace(CREATED, registration_id=None, ven_id=None))],
        [*HELLO, *GONE, ven(QUERY), reply(replace(CREATED, registration_id=None))],
    ),
    Case(
        405,
        "sent to the unregistered",
        [ven(PUSHED), reply(CREATED), *OFFERED, vtn(create(METADATA)), reply(created("meta"))],
        [ven(PUSHED), reply(CREATED), *OFFERED, *GONE, vtn(create(METADATA)), reply(created("meta", code="463"))],
    ),
    Case(
        517, "unregistered and served", [*HELLO, *GONE, ven(POLL), reply(NO)], [*HELLO, *GONE, ven(POLL), reply(FINE)]
    ),
    Case(500, "answer to a poll", [*HELLO, ven(POLL), reply(FINE)], [*HELLO, ven(POLL), reply(UPDATED)]),
    Case(
        500,
        "pace of polls",
        [*HELLO, ven(POLL), reply(FINE), later(9), ven(POLL), reply(FINE)],
        [*HELLO, ven(POLL), reply(FINE), ven(POLL), reply(FINE)],
    ),
    Case(
        301,
        "never says what it reports",
        [*REGISTERED, ven(replace(OFFER, reports=())), reply(TAKEN), *[later(20), ven(POLL), reply(FINE)] * 5],
        [*REGISTERED, *[later(20), ven(POLL), reply(FINE)] * 5],
    ),
    Case(309, "other services first", [*HELLO, *SCHEDULE], [*REGISTERED, *SCHEDULE]),
    # Reports
    Case(
        300,
        "unknown data point asked for",
        [*HELLO, *asked(request(points=("p", "p2")))],
        [*HELLO, *asked(request(points=("p", "p3")), pending=(), code="454")],
    ),
    Case(
        300,
        "sampled too often",
        [*HELLO, *asked(request(every=MINUTE))],
        [*HELLO, *asked(request(every=Duration.of(10)), pending=(), code="454")],
    ),
    Case(
        300,
        "less than asked for",
        [*HELLO, *asked(request(points=("p", "p2"))), ven(update(points=("p", "p2"))), reply(UPDATED)],
        [*HELLO, *asked(request(points=("p", "p2"))), ven(update(points=("p",))), reply(UPDATED)],
    ),
    Case(
        303,
        "requestID",
        [*HELLO, *asked(), *DELIVERED],
        [*HELLO, *asked(), ven(update()), reply(m.OadrUpdatedReport(response=ok("x")))],
    ),
    Case(303, "empty requestID", HELLO, [*REGISTERED, ven(OFFER), reply(m.OadrRegisteredReport(response=ok("")))]),
    Case(
        304,
        "nobody asked for it",
        [*HELLO, *asked(), *DELIVERED],
        [*HELLO, *asked(), ven(update("rr-9")), reply(UPDATED)],
    ),
    Case(
        304,
        "under another specifier",
        [*HELLO, *asked(), *DELIVERED],
        [*HELLO, *asked(), ven(update(specifier="old")), reply(UPDATED)],
    ),
    Case(
        306,
        "offered anew",
        [*HELLO, *asked(), *OFFERED, *asked(), *DELIVERED],
        [*HELLO, *asked(), *OFFERED, *DELIVERED],
    ),
    Case(
        345,
        "delivered though cancelled",
        [*HELLO, *asked(), ven(POLL), reply(cancel_report()), ven(canceled_report()), reply(FINE)],
        [*HELLO, *asked(), ven(POLL), reply(cancel_report()), ven(canceled_report()), reply(FINE), *DELIVERED],
    ),
    Case(
        345,
        "delivered after the last one",
        [
            *HELLO,
            *asked(),
            ven(POLL),
            reply(cancel_report(follow=True)),
            ven(canceled_report()),
            reply(FINE),
            *DELIVERED,
        ],
        [
            *[*HELLO, *asked(), ven(POLL), reply(cancel_report(follow=True)), ven(canceled_report()), reply(FINE)],
            *[*DELIVERED, *DELIVERED],
        ],
    ),
    Case(
        406, "registered anew", [*HELLO, *asked(), *HELLO, *asked(), *DELIVERED], [*HELLO, *asked(), *HELLO, *DELIVERED]
    ),
    Case(
        407,
        "delivered without registration",
        [*HELLO, *asked(), *DELIVERED, *GONE],
        [*HELLO, *asked(), *GONE, ven(update()), reply(m.OadrUpdatedReport(response=ok("q", "463")))],
    ),
    Case(
        311,
        "outer reportRequestID",
        [*HELLO, *asked(METADATA, pending=()), ven(replace(OFFER, report_request_id="meta")), reply(TAKEN)],
        [*HELLO, *asked(METADATA, pending=()), ven(replace(OFFER, report_request_id="rr-9")), reply(TAKEN)],
    ),
    Case(
        322,
        "name of a running report",
        [*HELLO, *asked(), *asked(request("rr-2", points=("p2",)), pending=("rr-1", "rr-2"))],
        [*HELLO, *asked(), *asked(request("rr-1", points=("p2",)))],
    ),
    Case(
        324,
        "history again and again",
        [*HELLO, *asked(request("h", "old", every=ZERO, back=ZERO), pending=())],
        [*HELLO, *asked(request("h", "old", every=ZERO), pending=("h",))],
    ),
    Case(
        328,
        "dropped without delivery",
        [*HELLO, *asked(), ven(update()), reply(dropping("rr-1"))],
        [*HELLO, *asked(request(), request("rr-2"), pending=("rr-1", "rr-2")), ven(update()), reply(dropping("rr-2"))],
    ),
    Case(329, "accepted and not pending", [*HELLO, *asked()], [*HELLO, *asked(pending=())]),
    Case(329, "pending and not asked for", [*HELLO, *asked()], [*HELLO, *asked(pending=("rr-1", "rr-7"))]),
    Case(
        329,
        "cancelled and pending",
        [*HELLO, *asked(), ven(POLL), reply(cancel_report()), ven(canceled_report()), reply(FINE)],
        [*HELLO, *asked(), ven(POLL), reply(cancel_report()), ven(canceled_report("rr-1")), reply(FINE)],
    ),
    Case(
        335,
        "goes on though dropped",
        [*HELLO, *asked(), ven(update()), reply(dropping("rr-1")), *DELIVERED],
        [*HELLO, *asked(), ven(update()), reply(dropping("rr-1")), *DELIVERED, *DELIVERED],
    ),
    Case(
        336,
        "cancelled though never asked for",
        [
            *HELLO,
            *asked(),
            ven(POLL),
            reply(cancel_report("rr-9")),
            ven(canceled_report("rr-1", code="452")),
            reply(FINE),
        ],
        [*HELLO, *asked(), ven(POLL), reply(cancel_report("rr-9")), ven(canceled_report("rr-1")), reply(FINE)],
    ),
    Case(
        340,
        "too much accepted",
        [*HELLO, *asked()],
        [*HELLO, *asked(request(points=("p9",)))],
        ("300",),
    ),
    Case(
        341,
        "older than asked for",
        [*HELLO, *asked(), ven(update(at=START - timedelta(seconds=30))), reply(UPDATED)],
        [*HELLO, *asked(), ven(update(at=START - timedelta(minutes=5))), reply(UPDATED)],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule} {case.name}")
def test_a_rule_is_kept_and_broken(case: Case):
    assert set(play(case.keeps)) <= set(case.anyway)
    found = play(case.breaks)
    assert str(case.rule) in found
    assert set(found) <= {str(case.rule), *case.others, *case.anyway}


def test_every_sequence_rule_has_a_case():
    assert {rule.number for rule in SEQUENCE_RULES} == {case.rule for case in CASES}
    for rule in SEQUENCE_RULES:
        assert rule.text.endswith(".") and rule.clause.endswith(f"rule {rule.number}")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule} {case.name}")
def test_a_stream_that_begins_late_is_not_accused(case: Case):
    """Without the registration, and without numbers that tell which reply belongs to what."""
    opening = len(HELLO)
    if case.keeps[:opening] == HELLO:
        assert set(play(case.keeps[opening:])) <= set(case.anyway)
    assert set(play(case.keeps, numbered=False)) <= set(case.anyway)


def test_pairs_do_not_mix():
    checker = SequenceChecker()
    for peer in ("ven-1", "ven-2"):
        heard = Heard(START, False, peer, events(event(value=1.0 if peer == "ven-1" else 2.0)), 1, 0)
        assert checker.hear(heard) == []


def test_a_node_shows_its_side():
    assert own_side_is_ven([("oadrPoll", True), ("oadrResponse", False)]) is True
    assert own_side_is_ven([("oadrPoll", False)]) is False
    assert own_side_is_ven([("oadrRegisterReport", True)]) is None
