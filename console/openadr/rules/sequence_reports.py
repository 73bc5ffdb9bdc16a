"""Sequence rules on offering, requesting, delivering and ending reports: table 10 of clause 9.2."""

from __future__ import annotations

from collections.abc import Iterator

from console.openadr import model as m
from console.openadr.rules.pair import METADATA, Reporting, points_of
from console.openadr.rules.register import Found, error, warning
from console.openadr.rules.sequence_opts import echoed
from console.openadr.rules.turn import Turn, sequence_rule

_CLAUSE = "9.2.4"
_HISTORY = "HISTORY"
_REQUESTS = (m.OadrCreateReport, m.OadrRegisteredReport)
_ANSWERS = (m.OadrRegisteredReport, m.OadrCreatedReport, m.OadrUpdatedReport, m.OadrCanceledReport)


def _asked_for(turn: Turn, message: m.Payload | None) -> Iterator[m.OadrReportRequest]:
    """Requests for data (not METADATA) in a message."""
    if isinstance(message, _REQUESTS):
        for request in message.report_requests:
            if request.report_specifier.report_specifier_id != METADATA:
                yield request


def _reporter(turn: Turn) -> Reporting:
    """What the receiver of a request offers."""
    return turn.pair.reporting[not turn.heard.from_ven]


def _delivered(turn: Turn) -> Iterator[m.OadrReport]:
    message = turn.heard.message
    assert isinstance(message, m.OadrUpdateReport)
    yield from message.reports


def _beyond(request: m.OadrReportRequest, side: Reporting) -> str:
    """What a request wants that is not offered; empty where all is."""
    specifier = request.report_specifier
    offer = side.offers.get(specifier.report_specifier_id)
    if offer is None:
        return f"the report {specifier.report_specifier_id!r}, which is not offered"
    offered = {point.r_id: point for point in offer.report_descriptions}
    for point in specifier.specifier_payloads:
        if point.r_id not in offered:
            return f"the data point {point.r_id!r}, which {specifier.report_specifier_id!r} does not offer"
        rate = offered[point.r_id].sampling_rate
        if rate is not None and specifier.granularity and specifier.granularity < rate.min_period:
            return f"{point.r_id!r} every {specifier.granularity}; {rate.min_period} is the shortest offered"
    return ""


@sequence_rule(300, clause=_CLAUSE, on=_REQUESTS)
def only_what_is_offered_is_asked_for(turn: Turn, found: Found) -> None:
    """A request asks for reports, data points and sampling that are offered."""
    side = _reporter(turn)
    for request in _asked_for(turn, turn.heard.message) if side.offered else ():
        beyond = _beyond(request, side)
        if beyond:
            text = f"Request {request.report_request_id} asks for {beyond}."
            found(error, text, at=request.report_specifier)


@sequence_rule(300, clause=_CLAUSE, on=m.OadrUpdateReport)
def all_that_was_asked_for_is_delivered(turn: Turn, found: Found) -> None:
    """A delivered report holds all data points that were asked for."""
    for report in _delivered(turn):
        running = turn.pair.reporting[turn.heard.from_ven].running.get(report.report_request_id)
        if running is None or running.request.report_specifier.report_specifier_id == METADATA:
            continue
        held = {
            part.r_id
            for interval in report.intervals
            for part in interval.payloads
            if isinstance(part, m.OadrReportPayload)
        }
        missing = [point for point in points_of(running) if point not in held]
        if missing and held:
            text = f"Report {report.report_request_id} lacks {', '.join(missing)}, which was asked for."
            found(error, text, at=report)


@sequence_rule(303, clause=_CLAUSE, on=_ANSWERS)
def report_messages_are_answered_by_request_id(turn: Turn, found: Found) -> None:
    """The answer to a request of EiReport carries its requestID."""
    echoed(turn, found)


@sequence_rule(304, clause=_CLAUSE, on=m.OadrUpdateReport)
def only_what_was_asked_for_is_delivered(turn: Turn, found: Found) -> None:
    """A delivered report names a request that was made, and the specifier it was made for."""
    side = turn.pair.reporting[turn.heard.from_ven]
    for report in _delivered(turn):
        name = report.report_request_id
        running = side.running.get(name)
        if running is None and name not in side.ended and turn.pair.fresh:
            text = f"The reportRequestID {name!r} stands for no request that was made."
            found(error, text, at=report, field="report_request_id")
        elif running is not None:
            wanted = running.request.report_specifier.report_specifier_id
            if wanted not in (METADATA, report.report_specifier_id):
                text = f"Report {name} comes under {report.report_specifier_id!r}, {wanted!r} was asked for."
                found(error, text, at=report, field="report_specifier_id")


def _check_ended(number: int, turn: Turn, found: Found) -> None:
    side = turn.pair.reporting[turn.heard.from_ven]
    for report in _delivered(turn):
        ended = side.ended.get(report.report_request_id)
        if ended is not None and ended.rule == number:
            text = f"Report {report.report_request_id} is delivered, though {ended.why}."
            found(error, text, at=report)


@sequence_rule(306, clause=_CLAUSE, on=m.OadrUpdateReport)
def new_offers_end_old_requests(turn: Turn, found: Found) -> None:
    """A new oadrRegisterReport ends all requests but periodic ones for METADATA."""
    _check_ended(306, turn, found)


@sequence_rule(345, clause=_CLAUSE, on=m.OadrUpdateReport)
def what_is_cancelled_ends(turn: Turn, found: Found) -> None:
    """A report that was cancelled without reportToFollow is delivered no more."""
    _check_ended(345, turn, found)


@sequence_rule(406, clause="9.2.5", on=m.OadrUpdateReport)
def a_fresh_registration_begins_anew(turn: Turn, found: Found) -> None:
    """A registration without registrationID ends all that was agreed before."""
    _check_ended(406, turn, found)


@sequence_rule(407, clause="9.2.5", on=m.OadrUpdateReport)
def a_cancelled_registration_ends_reports(turn: Turn, found: Found) -> None:
    """With the registration its reports end."""
    _check_ended(407, turn, found)


@sequence_rule(311, clause=_CLAUSE, on=m.OadrRegisterReport)
def the_outer_id_answers_a_request(turn: Turn, found: Found) -> None:
    """The reportRequestID of an oadrRegisterReport is that of the METADATA request it answers."""
    message = turn.heard.message
    if not isinstance(message, m.OadrRegisterReport) or message.report_request_id is None or not turn.pair.fresh:
        return
    running = turn.pair.reporting[turn.heard.from_ven].running.get(message.report_request_id)
    if running is None or running.request.report_specifier.report_specifier_id != METADATA:
        text = f"The reportRequestID {message.report_request_id!r} is of no request for METADATA."
        found(error, text, field="report_request_id")


@sequence_rule(322, clause=_CLAUSE, on=_REQUESTS)
def running_requests_keep_their_names(turn: Turn, found: Found) -> None:
    """A reportRequestID that stands for a running report is not given to another."""
    for request in _asked_for(turn, turn.heard.message):
        running = _reporter(turn).running.get(request.report_request_id)
        if running is not None and running.request != request:
            text = f"The reportRequestID {request.report_request_id!r} stands for a report that is still running."
            found(error, text, at=request, field="report_request_id")


@sequence_rule(324, clause=_CLAUSE, on=_REQUESTS)
def history_is_sent_at_once(turn: Turn, found: Found) -> None:
    """A report of history is sent once: its reportBackDuration and granularity are 0, its span is given."""
    for request in _asked_for(turn, turn.heard.message):
        specifier = request.report_specifier
        offer = _reporter(turn).offers.get(specifier.report_specifier_id)
        if offer is None or _HISTORY not in (offer.report_name or ""):
            continue
        for field, name in (("report_back_duration", "reportBackDuration"), ("granularity", "granularity")):
            if getattr(specifier, field):
                text = f"{offer.report_name} is history; its {name} is 0, not {getattr(specifier, field)}."
                found(error, text, at=specifier, field=field)
        if specifier.report_interval is None:
            found(error, f"{offer.report_name} is history; its reportInterval is missing.", at=specifier)


@sequence_rule(328, clause=_CLAUSE, on=m.OadrUpdatedReport)
def only_what_was_delivered_is_dropped(turn: Turn, found: Found) -> None:
    """An oadrCancelReport inside an oadrUpdatedReport names reports just delivered."""
    message, asked = turn.heard.message, turn.asked
    if not isinstance(message, m.OadrUpdatedReport) or not isinstance(asked, m.OadrUpdateReport):
        return
    if message.cancel_report is not None:
        just = {report.report_request_id for report in asked.reports}
        others = [name for name in message.cancel_report.report_request_ids if name not in just]
        if others:
            text = f"{', '.join(others)} was not in the message answered; a report is cancelled so only then."
            found(error, text, at=message.cancel_report)


@sequence_rule(329, clause=_CLAUSE, on=m.OadrCreatedReport)
def what_was_accepted_is_pending(turn: Turn, found: Found) -> None:
    """oadrPendingReports lists every report that is still to be sent, the new ones among them."""
    message, asked = turn.heard.message, turn.asked
    if not isinstance(message, m.OadrCreatedReport) or not message.response.ok:
        return
    for request in asked.report_requests if isinstance(asked, m.OadrCreateReport) else ():
        repeated = request.report_specifier.report_back_duration
        if repeated and request.report_request_id not in message.pending_reports:
            text = f"Report {request.report_request_id} was accepted and is not among the pending reports."
            found(error, text)
    side = turn.pair.reporting[turn.heard.from_ven]
    for name in message.pending_reports:
        if turn.pair.fresh and name not in side.running:
            found(error, f"The pending report {name} was not asked for.")


@sequence_rule(329, clause=_CLAUSE, on=m.OadrCanceledReport)
def what_was_cancelled_is_not_pending(turn: Turn, found: Found) -> None:
    """A report that was cancelled is pending no more, unless a last one is to follow."""
    message, asked = turn.heard.message, turn.asked
    if not isinstance(message, m.OadrCanceledReport) or not isinstance(asked, m.OadrCancelReport):
        return
    for name in asked.report_request_ids if message.response.ok and not asked.report_to_follow else ():
        if name in message.pending_reports:
            found(error, f"Report {name} was cancelled and is still among the pending reports.")


@sequence_rule(335, clause=_CLAUSE, on=m.OadrUpdatedReport)
def what_goes_on_is_cancelled_again(turn: Turn, found: Found) -> None:
    """Where a report dropped inside an oadrUpdatedReport goes on, an oadrCancelReport is sent."""
    message, asked = turn.heard.message, turn.asked
    if not isinstance(message, m.OadrUpdatedReport) or not isinstance(asked, m.OadrUpdateReport):
        return
    for report in asked.reports:
        running = turn.pair.reporting[not turn.heard.from_ven].running.get(report.report_request_id)
        if running is not None and running.dropped and running.since_dropped > 1:
            text = f"Report {report.report_request_id} was dropped and goes on; an oadrCancelReport is due."
            found(warning, text)


@sequence_rule(336, clause=_CLAUSE, on=m.OadrCanceledReport)
def what_cannot_be_cancelled_is_refused(turn: Turn, found: Found) -> None:
    """Cancelling a report that does not run is refused."""
    message, asked = turn.heard.message, turn.asked
    if not isinstance(message, m.OadrCanceledReport) or not isinstance(asked, m.OadrCancelReport):
        return
    side = turn.pair.reporting[turn.heard.from_ven]
    for name in asked.report_request_ids if message.response.ok and turn.pair.fresh else ():
        if name not in side.running and name not in side.ended:
            found(error, f"There was no report {name!r} to cancel; a refusal is expected.")


@sequence_rule(340, clause=_CLAUSE, on=m.OadrCreatedReport)
def too_much_is_refused(turn: Turn, found: Found) -> None:
    """A request for more than is offered is refused with 454."""
    message = turn.heard.message
    side = turn.pair.reporting[turn.heard.from_ven]
    if not isinstance(message, m.OadrCreatedReport) or not message.response.ok or not side.offered:
        return
    for request in _asked_for(turn, turn.asked):
        beyond = _beyond(request, side)
        if beyond:
            found(error, f"Request {request.report_request_id} asks for {beyond}, and was accepted; 454 is expected.")


@sequence_rule(341, clause=_CLAUSE, on=m.OadrUpdateReport)
def nothing_older_than_asked_is_delivered(turn: Turn, found: Found) -> None:
    """A report begins no earlier than was asked, but for one granularity."""
    for report in _delivered(turn):
        running = turn.pair.reporting[turn.heard.from_ven].running.get(report.report_request_id)
        span = running.request.report_specifier.report_interval if running else None
        if running is None or span is None or report.dtstart is None:
            continue
        oldest = span.dtstart - running.request.report_specifier.granularity.timedelta
        if report.dtstart < oldest:
            text = (
                f"Report {report.report_request_id} begins {span.dtstart - report.dtstart} before what was asked for."
            )
            found(error, text, at=report, field="dtstart")
