"""Sequence rules on opts: table 9 of clause 9.2."""

from __future__ import annotations

from console.openadr import model as m
from console.openadr.rules.register import Found, error
from console.openadr.rules.turn import Turn, sequence_rule

_CLAUSE = "9.2.3"
_NARROWING = ("resource_ids", "group_ids", "group_names", "party_ids")


@sequence_rule(204, clause=_CLAUSE, on=(m.OadrCreatedOpt, m.OadrCanceledOpt))
def answers_name_the_opt(turn: Turn, found: Found) -> None:
    """The answer to an opt carries its optID."""
    message, asked = turn.heard.message, turn.asked
    if not isinstance(message, m.OadrCreatedOpt | m.OadrCanceledOpt):
        return
    if isinstance(asked, m.OadrCreateOpt | m.OadrCancelOpt) and message.opt_id not in (None, asked.opt_id):
        text = f"The answer is about optID {message.opt_id!r}, the VEN spoke of {asked.opt_id!r}."
        found(error, text, field="opt_id")


@sequence_rule(206, clause=_CLAUSE, on=m.OadrCreateOpt)
def nobody_opts_where_no_answer_is_wanted(turn: Turn, found: Found) -> None:
    """An event with oadrResponseRequired never takes no opt."""
    message = turn.heard.message
    if isinstance(message, m.OadrCreateOpt) and message.qualified_event_id is not None:
        seen = turn.pair.events.get(message.qualified_event_id.event_id)
        if seen is not None and not seen.wants_answers:
            text = f"Event {message.qualified_event_id.event_id} wants no answer (oadrResponseRequired is never)."
            found(error, text, at=message.qualified_event_id)


@sequence_rule(206, clause=_CLAUSE, on=m.OadrCreatedOpt)
def opts_beside_the_event_are_refused(turn: Turn, found: Found) -> None:
    """An opt on an event the VEN never got, or on targets outside the event's, is refused."""
    message, asked = turn.heard.message, turn.asked
    if not isinstance(message, m.OadrCreatedOpt) or not isinstance(asked, m.OadrCreateOpt) or not message.response.ok:
        return
    about = asked.qualified_event_id
    if about is None:
        return
    seen = turn.pair.events.get(about.event_id)
    if seen is None and turn.pair.fresh and turn.pair.lists_heard:
        found(error, f"The opt is on event {about.event_id}, which the VEN was never sent; a refusal is expected.")
    for name in _NARROWING if seen is not None else ():
        assert seen is not None
        allowed: tuple[str, ...] = getattr(seen.event.target, name)
        outside = [target for target in getattr(asked.target, name) if allowed and target not in allowed]
        if outside:
            text = f"The opt is for {', '.join(outside)}, which the event does not target; a refusal is expected."
            found(error, text)


@sequence_rule(207, clause=_CLAUSE, on=(m.OadrCreatedOpt, m.OadrCanceledOpt))
def opts_are_answered_by_request_id(turn: Turn, found: Found) -> None:
    """The answer to an opt carries its requestID."""
    echoed(turn, found)


@sequence_rule(208, clause=_CLAUSE, on=m.OadrCanceledOpt)
def unknown_opts_cannot_be_taken_back(turn: Turn, found: Found) -> None:
    """Taking back an opt that was never given is refused with 452."""
    message, asked = turn.heard.message, turn.asked
    if not isinstance(message, m.OadrCanceledOpt) or not isinstance(asked, m.OadrCancelOpt):
        return
    if message.response.ok and turn.pair.fresh and asked.opt_id not in turn.pair.opts:
        found(error, f"There was no opt {asked.opt_id!r} to take back; 452 is expected.")


@sequence_rule(211, clause=_CLAUSE, on=m.OadrCancelOpt)
def opts_on_events_are_not_taken_back(turn: Turn, found: Found) -> None:
    """An opt on an event is changed by another opt; it is not taken back."""
    message = turn.heard.message
    opt = turn.pair.opts.get(message.opt_id) if isinstance(message, m.OadrCancelOpt) else None
    if opt is not None and opt.qualified_event_id is not None:
        text = f"The opt {opt.opt_id!r} is on event {opt.qualified_event_id.event_id}; only schedules are taken back."
        found(error, text, field="opt_id")


def echoed(turn: Turn, found: Found) -> None:
    """The eiResponse of an answer names the request it answers."""
    response: m.EiResponse | None = getattr(turn.heard.message, "response", None)
    asked: str = getattr(turn.asked, "request_id", "")
    if response is not None and asked and response.request_id != asked:
        named = f"is {response.request_id!r}" if response.request_id else "is empty"
        found(error, f"The requestID {named}; the request had {asked!r}.", at=response, field="request_id")
