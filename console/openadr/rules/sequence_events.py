"""Sequence rules on events and the answers to them: tables 7 and 8 of clause 9.2."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from console.openadr import model as m
from console.openadr.enums import EventStatus
from console.openadr.rules.pair import SeenEvent
from console.openadr.rules.register import Found, error, info, warning
from console.openadr.rules.turn import Turn, sequence_rule

_GENERAL = "9.2.1"
_PROFILE_B = "9.2.2"
_POLL = "9.2.6"
_SKEW = timedelta(minutes=2)
"""How far the clocks of both sides and the way of a message may shift a status; skew is left open by rule 114."""
_PATIENCE = 3
"""Polls after which an answer that is owed is missed."""
_AGAIN = 2
"""How often a cancelled event is sent at least while it is not acknowledged."""
_ORDER = {EventStatus.FAR: 0, EventStatus.NEAR: 1, EventStatus.ACTIVE: 2, EventStatus.COMPLETED: 3}
_DATELESS = datetime(1, 1, 1, tzinfo=UTC)


def _listed(turn: Turn) -> Iterator[tuple[m.OadrEvent, m.EventDescriptor, SeenEvent | None]]:
    """Events of an oadrDistributeEvent, each with what was known of it."""
    message = turn.heard.message
    assert isinstance(message, m.OadrDistributeEvent)
    for wrapped in message.events:
        descriptor = wrapped.event.descriptor
        yield wrapped, descriptor, turn.pair.events.get(descriptor.event_id)


def _answers(turn: Turn) -> Iterator[tuple[m.EventResponse, SeenEvent | None]]:
    message = turn.heard.message
    assert isinstance(message, m.OadrCreatedEvent)
    for answer in message.event_responses:
        yield answer, turn.pair.events.get(answer.qualified_event_id.event_id)


def content_of(event: m.EiEvent) -> m.EiEvent:
    """An event without what may change while its modificationNumber stays (rule 5)."""
    descriptor = replace(event.descriptor, created_date_time=_DATELESS, event_status="")
    signals = tuple(replace(signal, current_value=None) for signal in event.signals)
    return replace(event, descriptor=descriptor, signals=signals)


@sequence_rule(4, clause=_GENERAL, on=m.OadrDistributeEvent)
def new_events_begin_with_0(turn: Turn, found: Found) -> None:
    """The modificationNumber of a new event is 0."""
    known_all = turn.pair.lists_heard > 0 and turn.pair.fresh
    for _, descriptor, seen in _listed(turn):
        number = descriptor.modification_number
        if known_all and seen is None and number and descriptor.event_status != EventStatus.CANCELLED:
            text = f"Event {descriptor.event_id} is new and has the modificationNumber {number}; 0 is expected, unless"
            found(warning, f"{text} it was changed before it was first sent.", at=descriptor)


@sequence_rule(5, clause=_GENERAL, on=m.OadrDistributeEvent)
def what_changes_counts_up(turn: Turn, found: Found) -> None:
    """Each change of an event's content adds one to its modificationNumber, which never falls."""
    for wrapped, descriptor, seen in _listed(turn):
        number = descriptor.modification_number
        if seen is None or not seen.listed or (seen.cancelled and number == 0):
            continue  # rule 70: an eventID that comes back
        if number < seen.highest:
            text = f"Event {descriptor.event_id} is at modification {number} and was at {seen.highest}; it never falls."
            found(error, text, at=descriptor, field="modification_number")
        elif number == seen.event.descriptor.modification_number and content_of(wrapped.event) != content_of(
            seen.event
        ):
            text = f"Event {descriptor.event_id} has other content than before at the same modificationNumber {number}."
            found(error, text, at=descriptor, field="modification_number")


@sequence_rule(10, clause=_GENERAL, on=m.OadrDistributeEvent)
def cancelling_counts_up(turn: Turn, found: Found) -> None:
    """An event that becomes cancelled gets a higher modificationNumber."""
    for _, descriptor, seen in _listed(turn):
        cancelled = descriptor.event_status == EventStatus.CANCELLED and seen is not None and not seen.cancelled
        if seen is not None and cancelled and descriptor.modification_number <= seen.highest:
            text = f"Event {descriptor.event_id} became cancelled and stays at modification"
            found(error, f"{text} {descriptor.modification_number}; cancelling adds one.", at=descriptor)


@sequence_rule(12, clause=_GENERAL, on=m.OadrCreatedEvent)
def nobody_answers_what_wants_no_answer(turn: Turn, found: Found) -> None:
    """An event with oadrResponseRequired never is not answered."""
    for answer, seen in _answers(turn):
        if seen is not None and not seen.wants_answers:
            text = f"Event {answer.qualified_event_id.event_id} wants no answer (oadrResponseRequired is never)."
            found(error, text, at=answer)


@sequence_rule(62, clause=_GENERAL, on=m.OadrPoll)
def what_wants_an_answer_gets_one(turn: Turn, found: Found) -> None:
    """Each receipt of an event with oadrResponseRequired always is answered."""
    for event_id, seen in turn.pair.events.items():
        if seen.owed and seen.polls_since == _PATIENCE:
            text = f"Event {event_id} wants an answer; the VEN polled {_PATIENCE + 1} times since and gave none."
            found(warning, text)


@sequence_rule(13, clause=_GENERAL, on=m.OadrDistributeEvent)
def a_status_never_goes_back(turn: Turn, found: Found) -> None:
    """An event goes from far over near and active to completed, and from cancelled nowhere, unless it is modified."""
    for _, descriptor, seen in _listed(turn):
        if seen is None or seen.event.descriptor.modification_number != descriptor.modification_number:
            continue
        before, now = seen.event.descriptor.event_status, descriptor.event_status
        back = before in _ORDER and now in _ORDER and _ORDER[EventStatus(now)] < _ORDER[EventStatus(before)]
        if back or (seen.cancelled and now != EventStatus.CANCELLED):
            text = f"Event {descriptor.event_id} was {before} and is {now} without a modification."
            found(error, text, at=descriptor, field="event_status")


@sequence_rule(13, clause=_GENERAL, on=m.OadrDistributeEvent)
def the_status_fits_the_time(turn: Turn, found: Found) -> None:
    """An event is active from its start (far or near before) to its end."""
    now = turn.heard.time
    for wrapped, descriptor, _ in _listed(turn):
        period = wrapped.event.active_period
        late = period.start_after.timedelta if period.start_after else timedelta(0)
        if descriptor.event_status == EventStatus.ACTIVE and now < period.dtstart - _SKEW:
            text = f"Event {descriptor.event_id} is active {period.dtstart - now} before its start."
            found(warning, text, at=descriptor, field="event_status")
        pending = descriptor.event_status in (EventStatus.FAR, EventStatus.NEAR)
        if pending and now > period.dtstart + late + _SKEW:
            text = (
                f"Event {descriptor.event_id} is {descriptor.event_status}; its start was {now - period.dtstart} ago."
            )
            found(warning, text, at=descriptor, field="event_status")


@sequence_rule(27, clause=_GENERAL, on=m.OadrDistributeEvent)
def the_reply_limit_holds(turn: Turn, found: Found) -> None:
    """The answer to an oadrRequestEvent has no more events than its replyLimit."""
    message = turn.heard.message
    if isinstance(turn.replied, m.OadrRequestEvent) and isinstance(message, m.OadrDistributeEvent):
        limit = turn.replied.reply_limit
        if limit is not None and len(message.events) > limit:
            found(error, f"The VEN asked for at most {limit} events and got {len(message.events)}.")


@sequence_rule(29, clause=_GENERAL, on=m.OadrDistributeEvent)
def the_current_value_is_current(turn: Turn, found: Found) -> None:
    """While an event is active, the current value of a signal is that of its running interval."""
    for wrapped, descriptor, _ in _listed(turn):
        if descriptor.event_status != EventStatus.ACTIVE:
            continue
        start = wrapped.event.active_period.dtstart
        for signal in wrapped.event.signals:
            possible = _values_around(signal, start, turn.heard.time)
            if signal.current_value is not None and possible and signal.current_value not in possible:
                text = f"The current value of {signal.signal_name} is {signal.current_value:g}; the running interval's"
                found(error, f"{text} is {possible[-1]:g}.", at=signal, field="current_value")


def _values_around(signal: m.EiEventSignal, start: datetime, now: datetime) -> list[float]:
    """Values of the intervals that run within the skew of ``now``."""
    found: list[float] = []
    for interval in signal.intervals:
        end = interval.duration.after(start) if interval.duration else None
        begun = start <= now + _SKEW
        if begun and (end is None or end >= now - _SKEW) and interval.value is not None:
            found.append(interval.value)
        if end is None:
            break
        start = end
    return found


@sequence_rule(36, clause=_GENERAL, on=m.OadrCreatedEvent)
def a_cancellation_is_answered_once(turn: Turn, found: Found) -> None:
    """What was acknowledged as cancelled is not answered again unless it is sent again."""
    for answer, seen in _answers(turn):
        if seen is not None and seen.cancel_acknowledged and not seen.owed:
            text = f"Event {answer.qualified_event_id.event_id} was cancelled and acknowledged; it is answered again."
            found(error, text, at=answer)


@sequence_rule(40, clause=_GENERAL, on=m.OadrDistributeEvent)
def answers_say_how_it_went(turn: Turn, found: Found) -> None:
    """An oadrDistributeEvent that answers a request or a poll has an eiResponse."""
    message = turn.heard.message
    asked = isinstance(turn.replied, m.OadrPoll | m.OadrRequestEvent)
    if asked and isinstance(message, m.OadrDistributeEvent) and message.response is None:
        found(error, "The message answers a request of the VEN and has no eiResponse.")


@sequence_rule(42, clause=_GENERAL, on=m.OadrCreatedEvent)
def answers_name_what_they_answer(turn: Turn, found: Found) -> None:
    """An eventResponse carries the requestID of an oadrDistributeEvent that held the event."""
    for answer, seen in _answers(turn):
        if seen is not None and answer.request_id and answer.request_id not in seen.request_ids:
            event_id = answer.qualified_event_id.event_id
            text = f"The requestID {answer.request_id!r} is of no message that held event {event_id}."
            found(error, text, at=answer, field="request_id")


@sequence_rule(48, clause=_GENERAL, on=m.OadrResponse)
def wrong_answers_are_refused(turn: Turn, found: Found) -> None:
    """A VTN refuses answers to events or versions it never sent."""
    message, asked = turn.heard.message, turn.replied
    if not isinstance(message, m.OadrResponse) or not isinstance(asked, m.OadrCreatedEvent) or not message.response.ok:
        return
    for answer in asked.event_responses:
        event_id, number = answer.qualified_event_id.event_id, answer.qualified_event_id.modification_number
        seen = turn.pair.events.get(event_id)
        if seen is None and turn.pair.fresh and turn.pair.lists_heard:
            found(error, f"The VEN answered event {event_id}, which it was never sent; 452 is expected.")
        elif seen is not None and number > seen.highest:
            text = f"The VEN answered modification {number} of event {event_id}, {seen.highest} was sent."
            found(error, f"{text} 450 is expected.")


@sequence_rule(50, clause=_GENERAL, on=m.OadrDistributeEvent)
def acknowledged_cancellations_vanish(turn: Turn, found: Found) -> None:
    """A cancelled event that was acknowledged is listed no more."""
    for _, descriptor, seen in _listed(turn):
        again = seen is not None and seen.cancel_acknowledged and not seen.owed
        if again and descriptor.event_status == EventStatus.CANCELLED:
            text = f"Event {descriptor.event_id} was acknowledged as cancelled and is sent again."
            found(warning, text, at=descriptor)


@sequence_rule(52, clause=_GENERAL, on=m.OadrDistributeEvent)
def cancellations_are_repeated(turn: Turn, found: Found) -> None:
    """A cancelled event that wants an answer is repeated until it is answered, has ended, or was repeated enough."""
    here = {descriptor.event_id for _, descriptor, _ in _listed(turn)}
    for event_id, seen in turn.pair.events.items():
        end = seen.event.active_period.dtend
        over = end is not None and end < turn.heard.time
        waiting = seen.cancelled and seen.owed and seen.listed and not over
        if waiting and event_id not in here and seen.times_cancelled < _AGAIN:
            text = f"Event {event_id} was cancelled, wants an answer and has none; it is not repeated."
            found(warning, text)


@sequence_rule(58, clause=_GENERAL, on=m.OadrCreatedEvent)
def what_fell_back_is_refused(turn: Turn, found: Found) -> None:
    """A VEN refuses a modificationNumber lower than it had with 450."""
    for answer, seen in _answers(turn):
        if seen is None or not answer.response_code.startswith("2"):
            continue
        number = answer.qualified_event_id.modification_number
        fell = seen.event.descriptor.modification_number < seen.highest
        if fell and number == seen.event.descriptor.modification_number:
            text = f"Event {answer.qualified_event_id.event_id} fell from modification {seen.highest} to {number};"
            found(error, f"{text} 450 is expected.", at=answer, field="response_code")


@sequence_rule(60, clause=_GENERAL, on=m.OadrCreatedEvent)
def unknown_cancellations_are_no_error(turn: Turn, found: Found) -> None:
    """A cancelled event that the VEN never had is no error."""
    for answer, seen in _answers(turn):
        refused = answer.response_code.startswith("4")
        if seen is not None and refused and seen.cancelled and seen.first_status == EventStatus.CANCELLED:
            text = f"Event {answer.qualified_event_id.event_id} came cancelled and is refused with"
            found(error, f"{text} {answer.response_code}; an unknown cancelled event is ignored.", at=answer)


@sequence_rule(70, clause=_GENERAL, on=m.OadrDistributeEvent)
def event_ids_are_used_once(turn: Turn, found: Found) -> None:
    """An eventID means one event only: it does not come back as another one."""
    for wrapped, descriptor, seen in _listed(turn):
        if seen is None or (seen.listed and not seen.cancelled):
            continue
        number = descriptor.modification_number
        if number == 0 and seen.highest > 0:
            text = f"The eventID {descriptor.event_id!r} was that of another event; it begins anew with modification 0."
            found(error, text, at=descriptor, field="event_id")
        elif not seen.listed and number == seen.highest and content_of(wrapped.event) != content_of(seen.event):
            text = f"The eventID {descriptor.event_id!r} comes back as another event."
            found(error, text, at=descriptor, field="event_id")


@sequence_rule(115, clause=_PROFILE_B, on=m.OadrDistributeEvent)
def changes_are_dated(turn: Turn, found: Found) -> None:
    """An event that was modified has a later createdDateTime than before."""
    for _, descriptor, seen in _listed(turn):
        if seen is None or descriptor.modification_number <= seen.event.descriptor.modification_number:
            continue
        before = seen.event.descriptor.created_date_time
        if descriptor.created_date_time < before:
            text = f"Event {descriptor.event_id} was modified and its createdDateTime is earlier than before."
            found(error, text, at=descriptor, field="created_date_time")
        elif descriptor.created_date_time == before and turn.heard.time - before > _SKEW:
            text = f"Event {descriptor.event_id} was modified and its createdDateTime is the same."
            found(error, text, at=descriptor, field="created_date_time")


@sequence_rule(502, clause=_POLL, on=m.OadrDistributeEvent)
def a_poll_brings_news(turn: Turn, found: Found) -> None:
    """A poll is answered with events where something is new, changed or still to be answered."""
    if not isinstance(turn.replied, m.OadrPoll):
        return
    listed = list(_listed(turn))
    known = {event_id for event_id, seen in turn.pair.events.items() if seen.listed}
    same = {descriptor.event_id for _, descriptor, _ in listed} == known
    news = any(
        seen is None
        or seen.owed
        or content_of(wrapped.event) != content_of(seen.event)
        or (descriptor.event_status == EventStatus.CANCELLED) != seen.cancelled
        for wrapped, descriptor, seen in listed
    )
    if listed and same and not news:
        found(info, "The poll brought events of which nothing is new; oadrResponse was enough.")
