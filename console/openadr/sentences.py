"""Messages in words: a line for the list, a sentence for the inspector. Every payload has both; neither ever raises.

Times are told in the time zone given; a date is added where it is not that of the message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any

from console.openadr import model as m
from console.openadr.enums import EventStatus
from console.openadr.phrases import (
    clock,
    code_in_words,
    count,
    demand,
    duration_in_words,
    listed,
    measured,
    quantity,
    signal_in_short,
    span,
    span_in_words,
    version,
)

Units = Mapping[str, m.ItemBase]
"""rID -> its unit, as offered in METADATA; report data themselves carry none."""


@dataclass(frozen=True, slots=True)
class _Telling:
    """Who tells whom, and how to write times and values."""

    sender: str
    receiver: str
    tz: tzinfo
    units: Units = field(default_factory=dict[str, m.ItemBase])


def summary(message: m.Payload | None, tz: tzinfo = UTC, units: Units | None = None) -> str:
    """One short line: ``e-17/1, setpoint 7.00 kW, 10:30–11:30``; empty for no message."""
    write = _SUMMARIES.get(type(message))
    return write(message, _Telling("", "", tz, units or {})) if write else ""


def sentence(
    message: m.Payload | None, sender: str, receiver: str, tz: tzinfo = UTC, units: Units | None = None
) -> str:
    """What the message says, in one or a few full sentences; empty for no message."""
    write = _SENTENCES.get(type(message))
    return write(message, _Telling(sender, receiver, tz, units or {})) if write else ""


# Summaries ----------------------------------------------------------------------------------------------------------


def _response_in_short(response: m.EiResponse) -> str:
    described = response.response_description
    text = code_in_words(response.response_code)
    worth_telling = described and not response.ok and described.lower() not in text
    return f"{text}: {described}" if worth_telling else text


def _events_in_short(message: m.OadrDistributeEvent, telling: _Telling) -> str:
    if message.response is not None and not message.response.ok:
        return _response_in_short(message.response)
    if len(message.events) != 1:
        names = [_event_name(event) for event in message.events]
        return f"{count(len(names), 'event')}: {listed(names)}" if names else "no events"
    event = message.events[0].event
    descriptor = event.descriptor
    if descriptor.event_status in (EventStatus.CANCELLED, EventStatus.COMPLETED):
        return _event_name(message.events[0])
    parts = [version(descriptor), *(signal_in_short(signal) for signal in event.signals[:2])]
    parts.append(span(event.active_period, telling.tz, descriptor.created_date_time))
    return ", ".join([*parts, *(["test"] if descriptor.is_test else [])])


def _event_name(event: m.OadrEvent) -> str:
    descriptor = event.event.descriptor
    told = descriptor.event_status in (EventStatus.CANCELLED, EventStatus.COMPLETED)
    return f"{version(descriptor)} {descriptor.event_status}" if told else version(descriptor)


def _answers_in_short(message: m.OadrCreatedEvent, _: _Telling) -> str:
    if not message.response.ok:
        return _response_in_short(message.response)
    return listed([_answer(answer) for answer in message.event_responses]) or "no answers"


def _answer(answer: m.EventResponse) -> str:
    event = answer.qualified_event_id
    text = f"{event.event_id}/{event.modification_number} {answer.opt_type}"
    return text if answer.response_code.startswith("2") else f"{text} ({code_in_words(answer.response_code)})"


def _plain_response(message: m.OadrResponse, _: _Telling) -> str:
    text = _response_in_short(message.response)
    return f"{text}, nothing to deliver" if message.response.ok and not message.response.request_id else text


def _report_label(name: str | None) -> str:
    return (name or "report").removeprefix("METADATA_").replace("_", " ").lower()


def _data_in_short(message: m.OadrUpdateReport, telling: _Telling) -> str:
    texts = [_one_report(report, telling) for report in message.reports]
    return listed(texts, 2) if texts else "no reports"


def _one_report(report: m.OadrReport, telling: _Telling) -> str:
    values = _report_values(report)
    parts = [_report_label(report.report_name), count(len(values), "point")]
    if values:
        parts.append(_report_value(values[-1], telling))
    return ", ".join(parts)


def _report_values(report: m.OadrReport) -> list[m.OadrReportPayload]:
    return [
        payload
        for interval in report.intervals
        for payload in interval.payloads
        if isinstance(payload, m.OadrReportPayload)
    ]


def _report_value(point: m.OadrReportPayload, telling: _Telling) -> str:
    if isinstance(point.payload, m.OadrPayloadResourceStatus):
        state = "online" if point.payload.online else "offline"
        return f"{point.r_id} {state}{', overridden on site' if point.payload.manual_override else ''}"
    unit = telling.units.get(point.r_id)
    if unit is None:
        return f"{point.r_id} {quantity(point.payload.value, None)}"
    return f"{unit.element.partition(':')[2]} {measured(point.payload.value, unit)}"


def _offer_in_short(message: m.OadrRegisterReport, _: _Telling) -> str:
    if not message.reports:
        return "no reports offered"
    points = sum(len(report.report_descriptions) for report in message.reports)
    return f"{listed([_report_label(report.report_name) for report in message.reports])}, {count(points, 'point')}"


def _requests_in_short(requests: tuple[m.OadrReportRequest, ...]) -> str:
    return listed([_request_in_short(request) for request in requests], 2)


def _request_in_short(request: m.OadrReportRequest) -> str:
    specifier = request.report_specifier
    what = "metadata" if specifier.report_specifier_id == "METADATA" else specifier.report_specifier_id
    every = f"every {specifier.report_back_duration}" if specifier.report_back_duration else "once"
    return f"{request.report_request_id}: {what}, {count(len(specifier.specifier_payloads), 'point')}, {every}"


def _offer_taken(message: m.OadrRegisteredReport, _: _Telling) -> str:
    text = _response_in_short(message.response)
    return f"{text}, asks for {_requests_in_short(message.report_requests)}" if message.report_requests else text


def _pending(message: m.OadrCreatedReport | m.OadrCanceledReport, _: _Telling) -> str:
    text = _response_in_short(message.response)
    return f"{text}, serving {listed(message.pending_reports)}" if message.pending_reports else text


def _data_taken(message: m.OadrUpdatedReport, _: _Telling) -> str:
    text = _response_in_short(message.response)
    return f"{text}, ends {listed(message.cancel_report.report_request_ids)}" if message.cancel_report else text


def _registered(message: m.OadrCreatedPartyRegistration, _: _Telling) -> str:
    if not message.response.ok:
        return _response_in_short(message.response)
    if message.registration_id is None:
        offered = [f"{profile.profile_name} {'/'.join(profile.transports)}" for profile in message.profiles]
        return f"offers {listed(offered)}"
    poll = message.requested_oadr_poll_freq
    return f"{message.ven_id or 'VEN'} as {message.registration_id}" + (f", poll every {poll}" if poll else "")


def _registration_wanted(message: m.OadrCreatePartyRegistration, _: _Telling) -> str:
    kind = f"renews {message.registration_id}" if message.registration_id else "new"
    model = "pull" if message.http_pull_model else "push"
    way = message.transport_name if message.transport_name == "xmpp" else f"{message.transport_name} {model}"
    return ", ".join([message.ven_name or message.ven_id or "VEN", kind, f"{message.profile_name} {way}"])


def _opt_in_short(message: m.OadrCreateOpt, telling: _Telling) -> str:
    if message.qualified_event_id:
        event = message.qualified_event_id
        return f"{event.event_id}/{event.modification_number} {message.opt_type}, {message.opt_reason}"
    times = [_available(available, telling) for available in message.vavailability]
    return ", ".join([message.opt_type, message.opt_reason, *([listed(times, 2)] if times else [])])


def _available(available: m.Available, telling: _Telling) -> str:
    return f"{clock(available.dtstart, telling.tz)} for {duration_in_words(available.duration)}"


_SUMMARIES: dict[type[Any], Callable[[Any, _Telling], str]] = {
    m.OadrDistributeEvent: _events_in_short,
    m.OadrCreatedEvent: _answers_in_short,
    m.OadrRequestEvent: lambda message, _: f"for {message.ven_id}",
    m.OadrResponse: _plain_response,
    m.OadrPoll: lambda message, _: f"anything for {message.ven_id}?",
    m.OadrRegisterReport: _offer_in_short,
    m.OadrRegisteredReport: _offer_taken,
    m.OadrCreateReport: lambda message, _: _requests_in_short(message.report_requests),
    m.OadrCreatedReport: _pending,
    m.OadrUpdateReport: _data_in_short,
    m.OadrUpdatedReport: _data_taken,
    m.OadrCancelReport: lambda message, _: f"ends {listed(message.report_request_ids)}",
    m.OadrCanceledReport: _pending,
    m.OadrQueryRegistration: lambda message, _: "what is offered?",
    m.OadrCreatePartyRegistration: _registration_wanted,
    m.OadrCreatedPartyRegistration: _registered,
    m.OadrCancelPartyRegistration: lambda message, _: f"ends {message.registration_id}",
    m.OadrCanceledPartyRegistration: lambda message, _: _response_in_short(message.response),
    m.OadrRequestReregistration: lambda message, _: f"{message.ven_id}, register again",
    m.OadrCreateOpt: _opt_in_short,
    m.OadrCreatedOpt: lambda message, _: f"{_response_in_short(message.response)}, {message.opt_id}",
    m.OadrCancelOpt: lambda message, _: f"takes back {message.opt_id}",
    m.OadrCanceledOpt: lambda message, _: _response_in_short(message.response),
}

# Sentences ----------------------------------------------------------------------------------------------------------


def _events_told(message: m.OadrDistributeEvent, telling: _Telling) -> str:
    if message.response is not None and not message.response.ok:
        return _verdict(message.response, telling, "its request")
    if not message.events:
        return f"{telling.sender} has no events for {telling.receiver}; any it had are cancelled (rule 61)."
    return " ".join(_event_told(event, telling) for event in message.events)


def _event_told(wrapped: m.OadrEvent, telling: _Telling) -> str:
    event, descriptor = wrapped.event, wrapped.event.descriptor
    if descriptor.event_status == EventStatus.CANCELLED:
        text = f"{telling.sender} cancels event {descriptor.event_id}."
    elif descriptor.event_status == EventStatus.COMPLETED:
        text = f"{telling.sender} tells {telling.receiver} that event {descriptor.event_id} is over."
    else:
        asked = " and to ".join(demand(signal) for signal in event.signals)
        when = span_in_words(event.active_period, telling.tz, descriptor.created_date_time)
        text = f"{telling.sender} asks {telling.receiver} to {asked} {when}."
        if event.active_period.start_after:
            text += f" The start is put off at random by up to {event.active_period.start_after}."
    if descriptor.is_test:
        text += " It is a test."
    wanted = "An answer is always wanted." if wrapped.response_required == "always" else "No answer is wanted."
    return f"{text} {wanted}"


def _verdict(response: m.EiResponse, telling: _Telling, what: str) -> str:
    """Whether the sender accepts what the receiver sent."""
    if response.ok:
        return f"{telling.sender} accepts {what} of {telling.receiver}."
    reason = f" It says: {response.response_description}." if response.response_description else ""
    return (
        f"{telling.sender} refuses {what} of {telling.receiver} with {code_in_words(response.response_code)}.{reason}"
    )


def _accepting(what: str) -> Callable[[Any, _Telling], str]:
    return lambda message, telling: _verdict(message.response, telling, what)


def _answers_told(message: m.OadrCreatedEvent, telling: _Telling) -> str:
    if not message.response.ok:
        return _verdict(message.response, telling, "the events")
    if not message.event_responses:
        return f"{telling.sender} answers no event."
    return " ".join(_answer_told(answer, telling) for answer in message.event_responses)


def _answer_told(answer: m.EventResponse, telling: _Telling) -> str:
    event = answer.qualified_event_id
    name = f"event {event.event_id} (modification {event.modification_number})"
    if not answer.response_code.startswith("2"):
        return f"{telling.sender} cannot act on {name}: {code_in_words(answer.response_code)}."
    verb = "takes part in" if answer.opt_type == "optIn" else "does not take part in"
    return f"{telling.sender} {verb} {name}."


def _response_told(message: m.OadrResponse, telling: _Telling) -> str:
    if message.response.ok and not message.response.request_id:
        return f"{telling.sender} has nothing to deliver to {telling.receiver}."
    return _verdict(message.response, telling, "the message")


def _offer_told(message: m.OadrRegisterReport, telling: _Telling) -> str:
    if not message.reports:
        return f"{telling.sender} offers no reports."
    return f"{telling.sender} offers {telling.receiver} reports: {_offer_in_short(message, telling)}."


def _offer_taken_told(message: m.OadrRegisteredReport, telling: _Telling) -> str:
    text = _verdict(message.response, telling, "the offered reports")
    return f"{text} It {_asking(message.report_requests)}." if message.report_requests else text


def _asking(requests: tuple[m.OadrReportRequest, ...]) -> str:
    return "asks for " + " and for ".join(_request_told(request) for request in requests)


def _request_told(request: m.OadrReportRequest) -> str:
    specifier = request.report_specifier
    if specifier.report_specifier_id == "METADATA":
        return "a list of all reports that can be made"
    points = listed([payload.r_id for payload in specifier.specifier_payloads])
    sample = f", sampled every {specifier.granularity}" if specifier.granularity else ""
    back = f"sent every {specifier.report_back_duration}" if specifier.report_back_duration else "sent once"
    return f"report {specifier.report_specifier_id} ({points}{sample}, {back})"


def _pending_told(what: str) -> Callable[[Any, _Telling], str]:
    def told(message: m.OadrCreatedReport | m.OadrCanceledReport, telling: _Telling) -> str:
        still = listed(message.pending_reports) if message.pending_reports else "none"
        return f"{_verdict(message.response, telling, what)} Reports being served: {still}."

    return told


def _data_told(message: m.OadrUpdateReport, telling: _Telling) -> str:
    return f"{telling.sender} reports to {telling.receiver}: {_data_in_short(message, telling)}."


def _data_taken_told(message: m.OadrUpdatedReport, telling: _Telling) -> str:
    text = _verdict(message.response, telling, "the report data")
    if message.cancel_report is None:
        return text
    return f"{text} It ends {listed(message.cancel_report.report_request_ids)}."


def _end_told(message: m.OadrCancelReport, telling: _Telling) -> str:
    last = " after one last report" if message.report_to_follow else " at once"
    return f"{telling.sender} tells {telling.receiver} to end {listed(message.report_request_ids)}{last}."


def _wish_told(message: m.OadrCreatePartyRegistration, telling: _Telling) -> str:
    verb = f"renews its registration {message.registration_id}" if message.registration_id else "asks to be registered"
    name = f" as {message.ven_name}" if message.ven_name else ""
    model = "polls" if message.http_pull_model else f"is pushed to at {message.transport_address or 'no address'}"
    signs = " and signs its messages" if message.xml_signature else ""
    return (
        f"{telling.sender} {verb} with {telling.receiver}{name}; it speaks {message.profile_name} over "
        f"{message.transport_name}, {model}{signs}."
    )


def _registration_told(message: m.OadrCreatedPartyRegistration, telling: _Telling) -> str:
    if not message.response.ok:
        return _verdict(message.response, telling, "the registration")
    if message.registration_id is None:
        return f"{telling.sender} {_registered(message, telling)}; {telling.receiver} is not registered by this."
    poll = message.requested_oadr_poll_freq
    asked = f" and asks it to poll every {poll}" if poll else ""
    name = message.ven_id or telling.receiver
    return f"{telling.sender} registers {name} under {message.registration_id}{asked}."


def _opt_told(message: m.OadrCreateOpt, telling: _Telling) -> str:
    verb = "takes part" if message.opt_type == "optIn" else "does not take part"
    if message.qualified_event_id:
        return f"{telling.sender} {verb} in event {message.qualified_event_id.event_id} ({message.opt_reason})."
    times = listed([_available(available, telling) for available in message.vavailability]) or "at no stated time"
    return f"{telling.sender} {verb}: {times} ({message.opt_reason})."


_SENTENCES: dict[type[Any], Callable[[Any, _Telling], str]] = {
    m.OadrDistributeEvent: _events_told,
    m.OadrCreatedEvent: _answers_told,
    m.OadrRequestEvent: lambda _, telling: f"{telling.sender} asks {telling.receiver} for its events.",
    m.OadrResponse: _response_told,
    m.OadrPoll: lambda _, telling: f"{telling.sender} asks {telling.receiver} whether there is anything for it.",
    m.OadrRegisterReport: _offer_told,
    m.OadrRegisteredReport: _offer_taken_told,
    m.OadrCreateReport: lambda message, telling: (
        f"{telling.sender} asks {telling.receiver} for{_asking(message.report_requests).removeprefix('asks for')}."
    ),
    m.OadrCreatedReport: _pending_told("the report requests"),
    m.OadrUpdateReport: _data_told,
    m.OadrUpdatedReport: _data_taken_told,
    m.OadrCancelReport: _end_told,
    m.OadrCanceledReport: _pending_told("the end of reports"),
    m.OadrQueryRegistration: lambda _, telling: f"{telling.sender} asks {telling.receiver} what it offers.",
    m.OadrCreatePartyRegistration: _wish_told,
    m.OadrCreatedPartyRegistration: _registration_told,
    m.OadrCancelPartyRegistration: lambda message, telling: (
        f"{telling.sender} ends registration {message.registration_id} with {telling.receiver}."
    ),
    m.OadrCanceledPartyRegistration: _accepting("the end of the registration"),
    m.OadrRequestReregistration: lambda _, telling: f"{telling.sender} asks {telling.receiver} to register again.",
    m.OadrCreateOpt: _opt_told,
    m.OadrCreatedOpt: _accepting("the opt"),
    m.OadrCancelOpt: lambda message, telling: f"{telling.sender} takes back opt {message.opt_id}.",
    m.OadrCanceledOpt: _accepting("the end of the opt"),
}
