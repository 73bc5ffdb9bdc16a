"""Sequence rules on registration, polls and who may speak to whom: tables 11 and 12 of clause 9.2."""

from __future__ import annotations

from console.openadr import model as m
from console.openadr.rules.register import Found, error, warning
from console.openadr.rules.turn import Turn, sequence_rule

_EVENTS = "9.2.1"
_OPTS = "9.2.3"
_REPORTS = "9.2.4"
_CLAUSE = "9.2.5"
_GENERAL = "9.2.6"
_BEFORE_REPORTS = 3
"""Polls after registering until the first oadrRegisterReport is missed."""
_EAGER = 0.5
"""Share of the asked period that is too short for a poll; jitter and clocks are allowed for."""

_POLLED = (
    *(m.OadrResponse, m.OadrDistributeEvent, m.OadrCreateReport, m.OadrRegisterReport, m.OadrCancelReport),
    *(m.OadrUpdateReport, m.OadrCancelPartyRegistration, m.OadrRequestReregistration),
)
_OPENING = (m.OadrQueryRegistration, m.OadrCreatePartyRegistration)
_WITHOUT_ANSWER = (m.OadrDistributeEvent, m.OadrRegisterReport, m.OadrCreateReport, m.OadrCancelReport)
_ANSWERS = (
    *(m.OadrResponse, m.OadrDistributeEvent, m.OadrRegisteredReport, m.OadrCreatedReport, m.OadrUpdatedReport),
    *(m.OadrCanceledReport, m.OadrCreatedOpt, m.OadrCanceledOpt, m.OadrCreatedPartyRegistration),
    m.OadrCanceledPartyRegistration,
)
_SERVICES: dict[type[m.Payload], int] = {
    m.OadrRequestEvent: 21,
    m.OadrCreatedEvent: 21,
    m.OadrCreateOpt: 208,
    m.OadrCancelOpt: 208,
    m.OadrRegisterReport: 304,
    m.OadrCreateReport: 304,
    m.OadrUpdateReport: 304,
    m.OadrCancelReport: 304,
    m.OadrCreatePartyRegistration: 400,
    m.OadrCancelPartyRegistration: 400,
    m.OadrPoll: 500,
}
"""Request -> the rule by which its venID is checked."""


def accepted(message: m.Payload) -> bool:
    """Whether an answer takes the request as it was."""
    response: m.EiResponse | None = getattr(message, "response", None)
    return response.ok if response is not None else isinstance(message, _WITHOUT_ANSWER)


def _wrong_ven(turn: Turn) -> str:
    """The venID of an accepted request where it is not the registered one; empty otherwise."""
    asked = turn.replied
    named: str = getattr(asked, "ven_id", None) or ""
    wrong = named and turn.pair.registered and named != turn.pair.ven_id
    return named if wrong and not turn.heard.from_ven and accepted(turn.heard.message) else ""


def _check_ven(number: int, turn: Turn, found: Found) -> None:
    named = _wrong_ven(turn)
    ours = turn.replied is not None and _SERVICES.get(type(turn.replied)) == number
    if named and ours and named.lower() != turn.pair.ven_id.lower():
        text = f"The request names the venID {named!r}, registered is {turn.pair.ven_id!r}; 452 is expected."
        found(error, text)


@sequence_rule(21, clause=_EVENTS, on=_ANSWERS)
def ids_are_checked_for_events(turn: Turn, found: Found) -> None:
    """A request of EiEvent with a wrong venID is refused with 452."""
    _check_ven(21, turn, found)


@sequence_rule(208, clause=_OPTS, on=_ANSWERS)
def ids_are_checked_for_opts(turn: Turn, found: Found) -> None:
    """A request of EiOpt with a wrong venID is refused with 452."""
    _check_ven(208, turn, found)


@sequence_rule(304, clause=_REPORTS, on=_ANSWERS)
def ids_are_checked_for_reports(turn: Turn, found: Found) -> None:
    """A request of EiReport with a wrong venID is refused with 452."""
    _check_ven(304, turn, found)


@sequence_rule(500, clause=_GENERAL, on=_ANSWERS)
def ids_are_checked_for_polls(turn: Turn, found: Found) -> None:
    """A poll with a wrong venID is refused with 452."""
    _check_ven(500, turn, found)


@sequence_rule(512, clause=_GENERAL, on=_ANSWERS)
def ids_are_compared_with_case(turn: Turn, found: Found) -> None:
    """A venID in other letter case is another venID."""
    named = _wrong_ven(turn)
    if named and named.lower() == turn.pair.ven_id.lower():
        found(error, f"The venID {named!r} was taken for {turn.pair.ven_id!r}; letter case counts.")


@sequence_rule(400, clause=_CLAUSE, on=(m.OadrCreatedPartyRegistration, m.OadrCanceledPartyRegistration))
def registration_ids_are_checked(turn: Turn, found: Found) -> None:
    """A renewal or cancellation with another registrationID or venID than the granted ones is refused with 452."""
    asked, pair = turn.asked, turn.pair
    if not isinstance(asked, m.OadrCreatePartyRegistration | m.OadrCancelPartyRegistration) or not pair.registered:
        return
    given = asked.registration_id
    if given is not None and given != pair.registration_id and accepted(turn.heard.message):
        text = f"The registrationID {given!r} was accepted, {pair.registration_id!r} was granted; 452 is expected."
        found(error, text)
    _check_ven(400, turn, found)


@sequence_rule(51, clause=_EVENTS, on=m.PAYLOADS)
def who_polls_is_not_pushed_to(turn: Turn, found: Found) -> None:
    """A VTN opens no exchange with a VEN that polls."""
    if turn.heard.reply_to == 0 and not turn.heard.from_ven and turn.pair.pulls and turn.pair.registered:
        found(error, "The VEN registered to poll; the VTN sent this by itself instead of waiting for a poll.")


@sequence_rule(51, clause=_EVENTS, on=m.OadrPoll)
def who_is_pushed_to_does_not_poll(turn: Turn, found: Found) -> None:
    """A VEN that is pushed to does not poll."""
    if turn.pair.registered and turn.pair.pulls is False:
        found(error, "The VEN registered to be pushed to, and polls.")


@sequence_rule(402, clause=_CLAUSE, on=m.OadrCreatePartyRegistration)
def new_registrations_bring_no_old_id(turn: Turn, found: Found) -> None:
    """A VEN whose registration has ended begins without its old registrationID."""
    message = turn.heard.message
    if not isinstance(message, m.OadrCreatePartyRegistration) or turn.pair.registered is not False:
        return
    if message.registration_id is not None:
        text = f"The registrationID {message.registration_id!r} has ended; a new registration brings none."
        found(error, text, field="registration_id")


@sequence_rule(403, clause=_CLAUSE, on=m.OadrCreatedPartyRegistration)
def a_grant_is_complete(turn: Turn, found: Found) -> None:
    """A granted registration has registrationID and venID, the VEN's profile, and how often a VEN is to poll."""
    message, asked = turn.heard.message, turn.asked
    granted = isinstance(message, m.OadrCreatedPartyRegistration) and message.response.ok
    if not isinstance(message, m.OadrCreatedPartyRegistration) or not granted:
        return
    if not isinstance(asked, m.OadrCreatePartyRegistration):
        return
    for field, name in (("registration_id", "registrationID"), ("ven_id", "venID")):
        if not getattr(message, field):
            found(error, f"The registration is granted without a {name}.")
    if asked.http_pull_model and message.requested_oadr_poll_freq is None:
        found(error, "The VEN polls and is not told how often: oadrRequestedOadrPollFreq is missing.")
    offered = {(profile.profile_name, name) for profile in message.profiles for name in profile.transports}
    if (asked.profile_name, asked.transport_name) not in offered:
        text = f"The VEN was taken with {asked.profile_name} over {asked.transport_name}, which is not offered."
        found(warning, text)


@sequence_rule(404, clause=_CLAUSE, on=m.OadrCreatedPartyRegistration)
def a_query_gives_no_ids(turn: Turn, found: Found) -> None:
    """The answer to the query of a VEN that is not registered has neither registrationID nor venID."""
    message = turn.heard.message
    if not isinstance(message, m.OadrCreatedPartyRegistration) or not isinstance(turn.asked, m.OadrQueryRegistration):
        return
    for field, name in (("registration_id", "registrationID"), ("ven_id", "venID")):
        if turn.pair.registered is False and getattr(message, field):
            found(error, f"The VEN only asked and is not registered; the answer has a {name}.", field=field)


@sequence_rule(405, clause=_CLAUSE, on=m.PAYLOADS)
def nothing_is_sent_to_the_unregistered(turn: Turn, found: Found) -> None:
    """A VTN sends nothing by itself to a VEN that is not registered."""
    own = turn.heard.reply_to == 0 and not turn.heard.from_ven
    if own and turn.pair.registered is False and not isinstance(turn.heard.message, m.OadrCanceledPartyRegistration):
        found(error, "The VEN's registration has ended; the VTN goes on sending to it.")


@sequence_rule(517, clause=_GENERAL, on=_ANSWERS)
def the_unregistered_are_refused(turn: Turn, found: Found) -> None:
    """A VEN that is not registered gets 463 to all but registration."""
    asked = turn.replied
    if asked is None or isinstance(asked, _OPENING) or turn.heard.from_ven or turn.pair.registered is not False:
        return
    ended = isinstance(asked, m.OadrCancelPartyRegistration | m.OadrCanceledPartyRegistration)
    if not ended and accepted(turn.heard.message):
        found(error, "The VEN's registration has ended and its request was taken; 463 is expected.")


@sequence_rule(500, clause=_GENERAL, on=m.PAYLOADS)
def a_poll_has_few_answers(turn: Turn, found: Found) -> None:
    """A poll is answered with one of eight payloads."""
    if isinstance(turn.replied, m.OadrPoll) and turn.heard.reply_to and not isinstance(turn.heard.message, _POLLED):
        found(error, f"A poll is not answered with {type(turn.heard.message).__name__}.")


@sequence_rule(500, clause=_GENERAL, on=m.OadrPoll)
def polls_keep_their_pace(turn: Turn, found: Found) -> None:
    """While nothing is waiting, a VEN polls no faster than the VTN asked."""
    pair = turn.pair
    if pair.last_poll is None or not pair.poll_period or not pair.queue_empty:
        return
    since = (turn.heard.time - pair.last_poll).total_seconds()
    if since < _EAGER * pair.poll_period:
        text = (
            f"The VEN polls {since:.1f} s after the last poll, though nothing waited; {pair.poll_period:g} s is asked."
        )
        found(warning, text)


@sequence_rule(301, clause=_REPORTS, on=m.OadrPoll)
def what_can_be_reported_is_told(turn: Turn, found: Found) -> None:
    """A VEN that registered sends an oadrRegisterReport, even with nothing in it."""
    pair = turn.pair
    if pair.fresh and pair.registered and not pair.reporting[True].offered and pair.polls == _BEFORE_REPORTS:
        text = f"The VEN polled {_BEFORE_REPORTS + 1} times since it registered and never said what it can report."
        found(warning, text)


@sequence_rule(309, clause=_REPORTS, on=(m.OadrCreateOpt, m.OadrCancelOpt, m.OadrUpdateReport, m.OadrCreateReport))
def reports_are_offered_first(turn: Turn, found: Found) -> None:
    """After registering, what can be reported is told before other services are used."""
    pair = turn.pair
    if turn.heard.from_ven and pair.fresh and pair.registered and not pair.reporting[True].offered:
        found(error, "The VEN registered anew and has not yet sent its oadrRegisterReport; that comes first.")
