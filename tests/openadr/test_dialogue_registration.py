"""Registering, renewing, cancelling, and what a VTN says to strangers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.openadr.actions import Failure, FailureKind, Peer, Service
from console.openadr.calendar import Duration
from console.openadr.commands import (
    CancelRegistration,
    IssueEvent,
    Join,
    KnownVen,
    Leave,
    RequestReregistration,
    VenSettings,
    VtnSettings,
)
from console.openadr.facts import EventChanged, EventGone, Registered, RegistrationFailed, ReportStopped, Unregistered
from console.openadr.model import (
    EiResponse,
    OadrCanceledPartyRegistration,
    OadrCanceledReport,
    OadrCancelPartyRegistration,
    OadrCancelReport,
    OadrCreatedEvent,
    OadrCreatedOpt,
    OadrCreatedPartyRegistration,
    OadrCreatedReport,
    OadrCreateOpt,
    OadrCreatePartyRegistration,
    OadrCreateReport,
    OadrDistributeEvent,
    OadrPoll,
    OadrProfile,
    OadrQueryRegistration,
    OadrRegisteredReport,
    OadrRegisterReport,
    OadrReportRequest,
    OadrRequestEvent,
    OadrRequestReregistration,
    OadrResponse,
    OadrUpdatedReport,
    OadrUpdateReport,
    Payload,
    ReportSpecifier,
    SpecifierPayload,
)
from console.openadr.replies import answer_of
from tests.openadr.dialogue import HTTP_500, METER, MINUTE, SECOND, START, WIRE, Lab, Script, event, pair, ven, vtn

OK = EiResponse(response_code="200")
KNOWN_ONLY = VtnSettings(accept_unknown=False, known=(KnownVen(name="ven-7", ven_id="VEN-SEVEN"),))
PRINT = "87:A2:4A:46:DA:60:19:93:64:7D"


def registration(**more: object) -> OadrCreatePartyRegistration:
    fields: dict[str, object] = {
        "request_id": "r-1",
        "profile_name": "2.0b",
        "transport_name": "simpleHttp",
        "report_only": False,
        "xml_signature": False,
        "ven_name": "bench",
        "http_pull_model": True,
    }
    return OadrCreatePartyRegistration(**{**fields, **more})  # type: ignore[arg-type]


def test_start_up_runs_in_the_order_of_the_standard():  # rules 301, 309, 405, section 4
    lab = pair(ven_settings=VenSettings(offers=(METER,), query_first=True))
    assert lab.elements() == [
        "QueryRegistration > CreatedPartyRegistration",
        "CreatePartyRegistration > CreatedPartyRegistration",
        "RegisterReport > RegisteredReport",
        "RequestEvent > DistributeEvent",
        "Poll > RegisterReport",  # the VTN's own METADATA
        "RegisteredReport > Response",
        "Poll > Response",
    ]
    (here,), (there,) = lab.ven.said(Registered), lab.desk.said(Registered)
    assert (here.ven_id, here.registration_id) == (there.ven_id, there.registration_id)
    assert not lab.ven.findings and not lab.desk.findings


def test_a_ven_without_reports_registers_an_empty_offer():  # rule 301
    lab = pair()
    (offer,) = lab.sent(OadrRegisterReport)
    assert offer.reports == ()


def test_a_query_says_what_is_offered_and_registers_nobody():  # rule 404
    lab = Lab(vtn()).start()
    reply = lab.says(OadrQueryRegistration(request_id="q-1"))
    assert isinstance(reply, OadrCreatedPartyRegistration)
    assert reply.response.request_id == "q-1"
    assert reply.registration_id is None and reply.ven_id is None
    assert reply.requested_oadr_poll_freq == Duration.of(10)
    assert not lab.desk.facts


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        (OadrPoll(ven_id="nobody"), OadrResponse),
        (OadrRequestEvent(request_id="q", ven_id="nobody"), OadrDistributeEvent),
        (OadrCreatedEvent(response=OK, ven_id="nobody"), OadrResponse),
        (OadrRegisterReport(request_id="q", ven_id="nobody"), OadrRegisteredReport),
        (OadrUpdateReport(request_id="q", ven_id="nobody"), OadrUpdatedReport),
        (OadrCreatedReport(response=OK, ven_id="nobody"), OadrResponse),
        (
            OadrCancelReport(request_id="q", report_request_ids=("x",), report_to_follow=False, ven_id="nobody"),
            OadrCanceledReport,
        ),
        (
            OadrCreateReport(
                request_id="q",
                ven_id="nobody",
                report_requests=(
                    OadrReportRequest(
                        report_request_id="x",
                        report_specifier=ReportSpecifier(
                            report_specifier_id="s",
                            granularity=Duration.zero,
                            report_back_duration=Duration.zero,
                            specifier_payloads=(SpecifierPayload(r_id="x"),),
                        ),
                    ),
                ),
            ),
            OadrCreatedReport,
        ),
        (
            OadrCancelPartyRegistration(request_id="q", registration_id="x", ven_id="nobody"),
            OadrCanceledPartyRegistration,
        ),
        (
            OadrCreateOpt(
                opt_id="o",
                opt_type="optIn",
                opt_reason="economic",
                ven_id="nobody",
                created_date_time=START,
                request_id="q",
            ),
            OadrCreatedOpt,
        ),
    ],
    ids=lambda case: type(case).__name__ if isinstance(case, Payload) else "",
)
def test_an_unregistered_ven_is_refused_in_the_fitting_type(message: Payload, answer: type[Payload]):  # rules 33, 517
    lab = Lab(vtn()).start()
    reply = lab.says(message)
    assert type(reply) is answer
    said = answer_of(reply)
    assert said is not None and said.response_code == "463"
    assert lab.desk.rules() == ["517"]


def test_a_payload_that_no_vtn_takes_is_answered_459():  # rule 33
    lab = pair()
    ven_id = lab.ven.said(Registered)[0].ven_id
    for message in (
        OadrRequestReregistration(ven_id=ven_id),
        OadrCreatedOpt(response=OK, opt_id="o"),
        OadrDistributeEvent(request_id="q", vtn_id="other"),
    ):
        reply = lab.says(message)
        assert isinstance(reply, OadrResponse) and reply.response.response_code == "459"


def test_an_endpoint_of_another_service_is_told_and_served():  # rule 511
    lab = pair()
    ven_id = lab.ven.said(Registered)[0].ven_id
    reply = lab.says(OadrPoll(ven_id=ven_id), service=Service.EI_EVENT)
    assert reply.response.response_code == "200"
    assert lab.desk.rules() == ["511"]


def test_only_known_vens_are_taken_when_strangers_are_not():  # rule 517
    lab = Lab(vtn(KNOWN_ONLY), ven(), ven("stranger")).start()
    assert [fact.ven_id for fact in lab.desk.said(Registered)] == ["VEN-SEVEN"]
    assert [fact.ven_name for fact in lab.vens[0].said(Registered)] == ["ven-7"]
    assert "463" in lab.vens[1].said(RegistrationFailed)[0].text


def test_a_known_ven_under_a_wrong_id_is_refused():  # rule 402
    lab = Lab(vtn(KNOWN_ONLY)).start()
    reply = lab.says(registration(ven_name="ven-7", ven_id="VEN-EIGHT"))
    assert reply.response.response_code == "452" and reply.registration_id is None


def test_a_known_registration_counts_without_any_message():
    known = KnownVen(name="old", ven_id="VEN-OLD", registration_id="reg-old")
    lab = Lab(vtn(VtnSettings(known=(known,)))).start()
    assert lab.desk.said(Registered)[0].registration_id == "reg-old"
    assert isinstance(lab.says(OadrPoll(ven_id="VEN-OLD")), OadrRegisterReport)
    assert lab.says(OadrPoll(ven_id="VEN-OLD")).response.response_code == "200"


def test_a_fingerprint_is_never_tolerated():  # rule 517
    known = KnownVen(name="bench", ven_id="V-1", fingerprint=PRINT)
    lab = Lab(vtn(VtnSettings(known=(known,)))).start()
    assert lab.says(registration()).response.response_code == "463"
    assert lab.says(registration(), Peer(fingerprint="00" + PRINT[2:])).response.response_code == "463"
    assert lab.says(registration(), Peer(fingerprint=PRINT.lower())).response.response_code == "200"
    assert lab.says(OadrPoll(ven_id="V-1")).response.response_code == "463"
    right = Peer(fingerprint=PRINT)
    assert isinstance(lab.says(OadrPoll(ven_id="V-1"), right), OadrRegisterReport)
    assert lab.says(OadrPoll(ven_id="V-2"), right).response.response_code == "452"
    assert lab.says(OadrQueryRegistration(request_id="q"), right).ven_id == "V-1"


def test_a_fresh_registration_starts_over():  # rule 406
    lab = pair(VtnSettings(request_reports=True), VenSettings(offers=(METER,)))
    lab.command(lab.desk, IssueEvent(event()))
    lab.advance(MINUTE)
    first = lab.desk.said(Registered)[0]
    reply = lab.says(registration(ven_name="ven-7", ven_id=first.ven_id))
    assert reply.ven_id == first.ven_id and reply.registration_id != first.registration_id
    assert lab.desk.said(ReportStopped)[-1].why.endswith("(rule 406)")
    assert len(lab.desk.said(EventChanged)) == 2  # told afresh
    listed = lab.says(OadrRequestEvent(request_id="q", ven_id=first.ven_id))
    assert [one.event.descriptor.event_id for one in listed.events] == ["e-1"]


def test_a_registration_under_a_foreign_id_is_refused_and_the_ven_registers_anew():  # rule 400
    lab = pair()
    before = lab.ven.said(Registered)[0]
    assert lab.vtn is not None
    lab.vtn.role = vtn(seed=9)  # the VTN lost its memory
    lab.vtn.timers.clear()
    lab.advance(2 * MINUTE)
    assert [fact.why for fact in lab.ven.said(Unregistered)] == ["the VTN no longer knows this registration"]
    after = lab.ven.said(Registered)[-1]
    assert after.registration_id != before.registration_id
    assert lab.says(OadrPoll(ven_id=after.ven_id)).response.response_code == "200"


def test_asked_to_register_again_the_ven_acknowledges_and_renews():  # rule 402, section 4
    lab = pair(ven_settings=VenSettings(offers=(METER,)))
    lab.advance(MINUTE)
    before, seen = lab.ven.said(Registered)[0], len(lab.wire)
    lab.command(lab.desk, RequestReregistration(before.ven_id))
    lab.advance(11 * SECOND)
    tail = [line for line in lab.elements()[seen:] if line != "Poll > Response"]
    assert tail == [
        "Poll > RequestReregistration",
        "Response > Response",
        "CreatePartyRegistration > CreatedPartyRegistration",
        "RequestEvent > DistributeEvent",
    ]
    renewal = lab.sent(OadrCreatePartyRegistration)[-1]
    assert (renewal.ven_id, renewal.registration_id) == (before.ven_id, before.registration_id)
    assert lab.ven.said(Registered)[-1].registration_id == before.registration_id


def test_leaving_erases_both_sides():  # rule 407
    lab = pair(VtnSettings(request_reports=True), VenSettings(offers=(METER,)))
    lab.command(lab.desk, IssueEvent(event()))
    lab.advance(MINUTE)
    ven_id = lab.ven.said(Registered)[0].ven_id
    lab.command(lab.ven, Leave())
    assert lab.desk.said(Unregistered)[0].why == "cancelled by the VEN"
    assert lab.ven.said(Unregistered)
    assert lab.ven.said(EventGone)[0].why == "registration ended"
    assert lab.says(OadrPoll(ven_id=ven_id)).response.response_code == "463"
    polls = len(lab.sent(OadrPoll))
    lab.advance(10 * MINUTE)
    assert len(lab.sent(OadrPoll)) == polls
    lab.command(lab.ven, Join())
    assert len(lab.ven.said(Registered)) == 2


def test_a_cancellation_by_the_vtn_is_answered_and_believed():  # rule 407
    lab = pair()
    ven_id = lab.ven.said(Registered)[0].ven_id
    lab.command(lab.desk, CancelRegistration(ven_id))
    lab.advance(11 * SECOND)
    assert lab.sent(OadrCanceledPartyRegistration)[0].response.response_code == "200"
    assert lab.desk.said(Unregistered)[0].why == "cancelled by the VTN"
    assert lab.ven.said(Unregistered)
    assert not lab.ven.timers and not lab.desk.timers


def test_a_ven_that_ignores_its_cancellation_is_reminded_and_forgotten():  # rule 407
    lab = Lab(vtn()).start()
    ven_id = lab.says(registration()).ven_id
    lab.command(lab.desk, CancelRegistration(ven_id))
    for _ in range(3):
        assert isinstance(lab.says(OadrPoll(ven_id=ven_id)), OadrCancelPartyRegistration)
    assert lab.says(OadrPoll(ven_id=ven_id)).response.response_code == "463"
    assert lab.desk.said(Unregistered)


def test_cancelling_with_a_wrong_registration_id_changes_nothing():  # rule 400
    lab = Lab(vtn()).start()
    ven_id = lab.says(registration()).ven_id
    reply = lab.says(OadrCancelPartyRegistration(request_id="c", registration_id="wrong", ven_id=ven_id))
    assert reply.response.response_code == "452"
    assert not lab.desk.said(Unregistered)


def test_an_unreachable_vtn_is_tried_again_with_back_off_and_told_once():  # section 10
    lab = Lab(vtn(), ven())
    lab.down = WIRE
    lab.start().advance(5 * MINUTE)
    tries = [each.at for each in lab.wire]
    gaps = [(later - sooner).total_seconds() for sooner, later in zip(tries, tries[1:], strict=False)]
    for gap, wanted in zip(gaps, [1, 2, 4, 8, 10, 10, 10], strict=False):
        assert wanted * 0.9 <= gap <= wanted * 1.1
    assert [fact.text for fact in lab.ven.said(RegistrationFailed)] == [WIRE.text]
    assert not lab.ven.findings  # the wire's trouble is told by whoever holds it
    lab.down = None
    lab.advance(MINUTE)
    assert lab.ven.said(Registered)


def test_an_outage_after_registration_is_told_once_and_polls_back_off():
    lab = pair()
    lab.advance(MINUTE)
    lab.down, before = HTTP_500, len(lab.wire)
    lab.advance(10 * MINUTE)
    assert [finding.text for finding in lab.ven.findings] == [HTTP_500.text]
    assert 60 <= len(lab.wire) - before <= 70
    lab.down = None
    lab.advance(MINUTE)
    assert isinstance(lab.wire[-1].answer, OadrResponse)
    lab.down = HTTP_500
    lab.advance(MINUTE)
    assert len(lab.ven.findings) == 2  # a new outage is told again


def test_polls_keep_to_the_frequency_the_vtn_asked_for():  # rule 403
    lab = pair(VtnSettings(poll_period=timedelta(seconds=30)))
    lab.advance(10 * MINUTE)
    polls = [each.at for each in lab.wire if isinstance(each.request, OadrPoll)][1:]
    gaps = [(later - sooner).total_seconds() for sooner, later in zip(polls, polls[1:], strict=False)]
    assert len(gaps) >= 17 and all(30 <= gap <= 33 for gap in gaps)
    assert len(set(gaps)) > 5  # jitter


# Peers that are less than exact ----------------------------------------------------------------------------------


def created(**more: object) -> OadrCreatedPartyRegistration:
    fields: dict[str, object] = {
        "response": OK,
        "registration_id": "reg-1",
        "ven_id": "ven-1",
        "vtn_id": "VTN-X",
        "profiles": (OadrProfile(profile_name="2.0b", transports=("simpleHttp",)),),
    }
    return OadrCreatedPartyRegistration(**{**fields, **more})  # type: ignore[arg-type]


def test_a_200_without_a_registration_id_is_no_registration():
    lab = Lab(Script(lambda message, now: created(registration_id=None, ven_id=None)), ven()).start()
    assert not lab.ven.said(Registered)
    assert "no registrationID" in lab.ven.said(RegistrationFailed)[0].text


UNREADABLE = Failure(FailureKind.MESSAGE, "The answer is no XML.", 200)
NOT_FOUND = Failure(FailureKind.HTTP, "The VTN answered HTTP 404.", 404)


@pytest.mark.parametrize("answer", [None, UNREADABLE, NOT_FOUND, OadrResponse(response=OK), OadrPoll(ven_id="x")])
def test_nonsense_instead_of_a_registration_is_told_once(answer: Payload | Failure | None):
    lab = Lab(Script(lambda message, now: answer), ven()).start()
    lab.advance(10 * MINUTE)
    assert len(lab.ven.said(RegistrationFailed)) == 1
    assert 9 <= len(lab.sent(OadrCreatePartyRegistration)) <= 12


def test_a_vtn_that_answers_everything_with_nonsense_gets_no_more_than_its_polls():
    def answer(message: Payload, _: object) -> Payload | Failure | None:
        return created() if isinstance(message, OadrCreatePartyRegistration) else OadrPoll(ven_id="x")

    lab = Lab(Script(answer), ven()).start()  # type: ignore[arg-type]
    lab.advance(5 * MINUTE)
    assert lab.ven.said(Registered)
    assert "500" in lab.ven.rules()


def test_a_vtn_that_always_says_463_does_not_set_the_ven_spinning():
    def answer(message: Payload, _: object) -> Payload | Failure | None:
        if isinstance(message, OadrCreatePartyRegistration):
            return created()
        return OadrResponse(response=EiResponse(response_code="463", response_description="who are you?"))

    lab = Lab(Script(answer), ven()).start()  # type: ignore[arg-type]
    lab.advance(10 * MINUTE)
    assert len(lab.sent(OadrCreatePartyRegistration)) <= 12


def test_a_vtn_that_always_asks_for_registration_does_not_set_the_ven_spinning():
    def answer(message: Payload, _: object) -> Payload | Failure | None:
        return created() if isinstance(message, OadrCreatePartyRegistration) else OadrRequestReregistration(ven_id="x")

    lab = Lab(Script(answer), ven()).start()  # type: ignore[arg-type]
    lab.advance(10 * MINUTE)
    assert len(lab.sent(OadrCreatePartyRegistration)) <= 65


def test_an_unexpected_vtn_is_refused():
    lab = Lab(vtn(), ven(settings=VenSettings(vtn_id="VTN-2"))).start()
    assert "VTN-2 was expected" in lab.ven.said(RegistrationFailed)[0].text


def test_request_event_answered_by_a_plain_response_is_told_and_polls_begin():
    def answer(message: Payload, _: object) -> Payload | Failure | None:
        return created() if isinstance(message, OadrCreatePartyRegistration) else OadrResponse(response=OK)

    lab = Lab(Script(answer), ven()).start()  # type: ignore[arg-type]
    assert lab.ven.rules() == ["40"]
    assert lab.elements()[-1] == "Poll > Response"


def test_empty_answers_are_taken_for_nothing():
    def answer(message: Payload, _: object) -> Payload | Failure | None:
        return created() if isinstance(message, OadrCreatePartyRegistration) else None

    lab = Lab(Script(answer), ven()).start()  # type: ignore[arg-type]
    lab.advance(MINUTE)
    assert len(lab.sent(OadrPoll)) >= 5


# Restart ---------------------------------------------------------------------------------------------------------


def test_a_registration_outlives_a_restart_of_the_ven():
    settings = VenSettings(offers=(METER,))
    lab = pair(ven_settings=settings)
    lab.advance(MINUTE)
    before = lab.ven.said(Registered)[0]
    lab.restart(lab.ven, ven(settings=settings, seed=5))
    assert lab.ven.said(Registered)[-1].registration_id == before.registration_id
    assert len(lab.sent(OadrRegisterReport)) == 1  # METADATA need not be given again
    assert lab.elements()[-1] == "Poll > Response"


def test_a_vtn_knows_its_vens_after_a_restart():
    lab = pair()
    lab.advance(MINUTE)
    lab.restart(lab.desk, vtn(seed=8))
    lab.advance(MINUTE)
    assert len(lab.sent(OadrCreatePartyRegistration)) == 1
    assert not lab.ven.findings
    assert lab.desk.said(Registered)[-1] == lab.desk.said(Registered)[0]


def test_a_vtn_given_a_registration_id_it_never_gave_says_452():  # rule 400
    lab = Lab(vtn()).start()
    reply = lab.says(registration(ven_id="ven-x", registration_id="reg-x"))
    assert reply.response.response_code == "452"
    assert reply.vtn_id == "VTN-1" and reply.profiles
