"""No message a peer can write makes a role fail: it answers, once, and goes on."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from console.openadr.actions import Answered, Failure, FailureKind, Peer, Received, Reply, Send, Service
from console.openadr.commands import IssueEvent, VenSettings, VtnSettings
from console.openadr.facts import Registered
from console.openadr.model import PAYLOADS, Payload
from tests.openadr.dialogue import METER, STATUS, Lab, event, pair
from tests.openadr.message_strategies import messages_of

ANY = st.one_of([messages_of(cls) for cls in PAYLOADS])
ANSWERS = st.one_of(
    ANY, st.none(), st.builds(Failure, st.sampled_from(FailureKind), st.text(max_size=5), st.integers(0, 599))
)


def busy() -> Lab:
    """Both sides registered, an event running, reports going."""
    lab = pair(VtnSettings(request_reports=True), VenSettings(offers=(METER, STATUS)))
    lab.command(lab.desk, IssueEvent(event("e-1", start=timedelta(0), start_after=timedelta(minutes=5))))
    lab.advance(timedelta(seconds=15))
    lab.proper = False
    return lab


@cache
def ids() -> dict[str, str]:
    """What busy() always comes to, since all randomness is seeded."""
    fact = busy().ven.said(Registered)[0]
    return {"ven_id": fact.ven_id, "registration_id": fact.registration_id, "vtn_id": fact.vtn_id}


def addressed(message: Payload) -> Payload:
    """With the identifiers of the dialogue, so that it gets past the door."""
    names = {field.name for field in fields(message)}
    return replace(message, **{name: value for name, value in ids().items() if name in names})


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(ANY, st.booleans()), min_size=1, max_size=4))
def test_a_vtn_answers_whatever_comes_once(messages: list[tuple[Payload, bool]]):
    lab = busy()
    for message, known in messages:
        given_message = addressed(message) if known else message
        actions = lab.desk.role.handle(Received(given_message, Peer(), Service.EI_EVENT), lab.now)
        assert len([action for action in actions if isinstance(action, Reply)]) == 1
        lab.execute(lab.desk, actions)
        lab.advance(timedelta(seconds=10))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(ANY, st.booleans()), min_size=1, max_size=4))
def test_a_ven_answers_whatever_is_pushed_once(messages: list[tuple[Payload, bool]]):
    lab = busy()
    for message, known in messages:
        given_message = addressed(message) if known else message
        actions = lab.ven.role.handle(Received(given_message, Peer(), Service.EI_EVENT), lab.now)
        assert len([action for action in actions if isinstance(action, Reply)]) == 1
        lab.execute(lab.ven, actions)
        lab.advance(timedelta(seconds=10))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(ANSWERS, min_size=1, max_size=4), st.booleans())
def test_a_ven_takes_whatever_answers_it(answers: list[Payload | Failure | None], known: bool):
    lab = busy()
    requests = [each.request for each in lab.wire]
    abouts = {"OadrPoll": "poll", "OadrCreatePartyRegistration": "register", "OadrRegisterReport": "metadata"}
    for number, answer in enumerate(answers):
        message = requests[number * 3 % len(requests)]
        send = Send(message, Service.EI_EVENT, about=abouts.get(type(message).__name__, "other"))
        if isinstance(answer, Failure):
            given_answer = Answered(send, failure=answer)
        else:
            given_answer = Answered(send, message=addressed(answer) if answer is not None and known else answer)
        lab.execute(lab.ven, lab.ven.role.handle(given_answer, lab.now))
        lab.advance(timedelta(seconds=10))
