"""Push: the VTN speaks first and the VEN answers (section 4; rules 51, 402, 403), through losses and restarts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.openadr.actions import Binding, Failure, FailureKind
from console.openadr.commands import (
    CancelEvent,
    CancelRegistration,
    IssueEvent,
    ModifyEvent,
    RequestReregistration,
    VenSettings,
    VtnSettings,
)
from console.openadr.facts import EventGone, OptChanged, PresenceChanged, PresenceState, ReportPoint, Unregistered
from console.openadr.model import (
    OadrCreatedEvent,
    OadrCreatedPartyRegistration,
    OadrCreatePartyRegistration,
    OadrDistributeEvent,
    OadrPoll,
    OadrRegisterReport,
)
from console.openadr.pushing import push_base
from tests.openadr.dialogue import HOUR, METER, MINUTE, SECOND, WIRE, Lab, event, ven, vtn

PUSHED = VenSettings(binding=Binding.PUSH, transport_address="http://127.0.0.1:8081", offers=(METER,))


def pushed(vtn_settings: VtnSettings | None = None, *names: str, settings: VenSettings = PUSHED) -> Lab:
    """A VTN and push VENs that have found each other and said all there is."""
    vens = [ven(name, settings) for name in names or ("ven-7",)]
    return Lab(vtn(vtn_settings), *vens).start().advance(10 * SECOND)


def test_registration_names_the_address_and_no_poll_frequency_comes_back():
    """Rules 402 and 403."""
    lab = pushed()
    asked = lab.sent(OadrCreatePartyRegistration)[0]
    assert (asked.http_pull_model, asked.transport_address) == (False, "http://127.0.0.1:8081")
    assert lab.given(OadrCreatedPartyRegistration)[0].requested_oadr_poll_freq is None
    assert list(lab.desk.reached.values()) == ["http://127.0.0.1:8081/OpenADR2/Simple/2.0b"]
    assert lab.sent(OadrPoll) == []


def test_metadata_goes_both_ways_and_the_vtns_is_pushed():
    """Rules 301 and 405."""
    lab = pushed()
    assert "RegisterReport > RegisteredReport" in lab.elements()
    assert len(lab.sent(OadrRegisterReport, "vtn")) == len(lab.sent(OadrRegisterReport, "ven-7")) == 1


def test_an_event_is_answered_by_nothing_and_then_by_a_request():
    """Section 4: the reply to a pushed list is empty; oadrCreatedEvent is a request of its own."""
    lab = pushed()
    at = len(lab.wire)
    lab.command(lab.desk, IssueEvent(event()))
    assert sorted(lab.elements()[at:]) == ["CreatedEvent > Response", "DistributeEvent > nothing"]
    assert [opt.opt_type for opt in lab.desk.said(OptChanged)] == ["optIn"]


def test_reports_asked_for_by_push_come():
    lab = pushed(VtnSettings(request_reports=True))
    assert "CreateReport > CreatedReport" in lab.elements()
    assert lab.desk.rules() == []
    lab.advance(10 * SECOND)
    assert {point.r_id for point in lab.desk.said(ReportPoint)} == {"meter"}
    assert lab.ven.rules() == []


def test_modify_and_cancel_are_pushed_at_once():
    lab = pushed()
    lab.command(lab.desk, IssueEvent(event()))
    lab.command(lab.desk, ModifyEvent("e-1", event(level=1.0)))
    lab.command(lab.desk, CancelEvent("e-1"))
    versions = [
        each.events[0].event.descriptor.modification_number for each in lab.sent(OadrDistributeEvent) if each.events
    ]
    assert versions == [0, 1, 2]
    assert [gone.why for gone in lab.desk.said(EventGone)] == ["cancelled and confirmed"]


def test_a_list_is_complete_and_nothing_overtakes():
    """Rule 50; one thing at a time for each VEN."""
    lab = pushed(None, "ven-7", "ven-8")
    lab.command(lab.desk, IssueEvent(event()))
    lab.command(lab.desk, IssueEvent(event("e-2", start=3 * HOUR)))
    last = lab.sent(OadrDistributeEvent)[-2:]
    assert [[one.event.descriptor.event_id for one in each.events] for each in last] == [["e-1", "e-2"]] * 2


def test_what_the_wire_loses_goes_out_again_with_back_off():
    """Section 10: 1 s, doubling, ±10 %; and presence says who cannot be reached."""
    lab = pushed()
    lab.down = WIRE
    lab.command(lab.desk, IssueEvent(event()))
    lab.advance(10 * SECOND)
    tries = [each for each in lab.wire if isinstance(each.request, OadrDistributeEvent) and each.answer is WIRE]
    gaps = [(late.at - early.at).total_seconds() for early, late in zip(tries, tries[1:], strict=False)]
    assert [round(gap) for gap in gaps] == [1, 2, 4]
    assert lab.desk.said(PresenceChanged)[-1].state is PresenceState.OFFLINE
    lab.down = None
    lab.advance(MINUTE)
    assert [opt.opt_type for opt in lab.desk.said(OptChanged)] == ["optIn"]
    assert lab.desk.said(PresenceChanged)[-1].state is PresenceState.OK


def test_an_overloaded_ven_is_tried_again_and_one_that_refuses_is_not():
    lab = pushed()
    at = len(lab.wire)
    for status, more in ((503, 1), (404, 0)):
        lab.meddle = lambda message, status=status: (
            Failure(FailureKind.HTTP, f"{status}", status) if isinstance(message, OadrDistributeEvent) else None
        )
        lab.command(lab.desk, IssueEvent(event(f"e-{status}")))
        before = len(lab.sent(OadrDistributeEvent))
        lab.advance(2 * SECOND)
        assert len(lab.sent(OadrDistributeEvent)) == before + more
        lab.meddle = lambda _: None
        lab.advance(MINUTE)
    assert "push" in lab.desk.rules()
    assert {opt.event_id for opt in lab.desk.said(OptChanged)} == {"e-503", "e-404"}
    assert len(lab.wire) > at


def test_an_unanswered_event_is_repeated_and_not_for_ever():
    """Rule 52: a VEN that takes the list and never answers hears it again, at most ten times in all."""
    lab = pushed()
    lab.meddle = lambda message: WIRE if isinstance(message, OadrCreatedEvent) else None
    lab.command(lab.desk, IssueEvent(event(length=8 * HOUR)))
    lab.advance(HOUR)
    assert 2 <= len(lab.sent(OadrDistributeEvent, "vtn")) <= 10


def test_the_vtn_goes_on_pushing_after_a_restart():
    lab = pushed()
    lab.command(lab.desk, IssueEvent(event()))
    lab.desk.reached.clear()
    lab.restart(lab.desk, vtn(seed=5))
    lab.advance(2 * SECOND)
    at = len(lab.wire)
    lab.command(lab.desk, ModifyEvent("e-1", event(level=3.0)))
    assert sorted(lab.elements()[at:]) == ["CreatedEvent > Response", "DistributeEvent > nothing"]


def test_an_event_issued_while_the_ven_is_away_reaches_it_after_its_restart():
    lab = pushed()
    lab.down = WIRE
    lab.command(lab.desk, IssueEvent(event()))
    lab.advance(5 * MINUTE)
    lab.down = None
    lab.restart(lab.ven, ven("ven-7", PUSHED))
    lab.advance(2 * MINUTE)
    assert [opt.opt_type for opt in lab.desk.said(OptChanged)] == ["optIn"]


def test_reregistration_and_cancellation_are_pushed():
    """Rules 402 and 407."""
    lab = pushed()
    name = lab.ven.role.ven_id  # type: ignore[union-attr]
    at = len(lab.wire)
    lab.command(lab.desk, RequestReregistration(name))
    assert {
        "RequestReregistration > Response",
        "CreatePartyRegistration > CreatedPartyRegistration",
    } <= set(lab.elements()[at:])
    lab.advance(5 * SECOND)
    lab.command(lab.desk, CancelRegistration(name))
    assert lab.elements()[-1] == "CancelPartyRegistration > CanceledPartyRegistration"
    assert [gone.ven_id for gone in lab.desk.said(Unregistered)] == [name]
    assert lab.desk.reached[name] == ""


def test_a_ven_that_gives_no_address_is_served_when_it_polls():
    lab = Lab(vtn(), ven("ven-7", replace(PUSHED, transport_address="None")))
    lab.proper = False
    lab.start().advance(10 * SECOND)
    assert "402" in lab.desk.rules()
    assert lab.desk.reached.get(lab.ven.role.ven_id, "") == ""  # type: ignore[union-attr]
    assert lab.given(OadrCreatedPartyRegistration)[0].requested_oadr_poll_freq is not None


def test_a_ven_takes_nothing_from_another_certificate_than_its_vtns():
    """Rule 517, at the VEN."""
    lab = pushed()
    lab.restart(lab.ven, ven("ven-7", replace(PUSHED, vtn_fingerprint="00:11:22:33:44:55:66:77:88:99")))
    lab.advance(SECOND)
    lab.command(lab.desk, IssueEvent(event()))
    assert "517" in lab.ven.rules()
    assert lab.desk.said(OptChanged) == []


@pytest.mark.parametrize(
    ("address", "base"),
    [
        ("https://ven.example:8443/site/", "https://ven.example:8443/site/OpenADR2/Simple/2.0b"),
        ("http://10.0.0.1/OpenADR2/Simple/2.0b", "http://10.0.0.1/OpenADR2/Simple/2.0b"),
        ("None", ""),
        ("ven@example.com/client", ""),
        ("file:///etc/passwd", ""),
        ("http://", ""),
        (None, ""),
    ],
)
def test_transport_addresses_as_peers_write_them(address, base):
    assert push_base(address) == base
