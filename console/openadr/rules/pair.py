"""What one VEN and its VTN have told each other: the state that sequence rules read.

A :class:`Pair` learns from each message after the rules have looked at it, and only what both sides have heard: a
registration counts once it was granted, a report request once it was made, an opt once it was given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from console.openadr import model as m
from console.openadr.enums import EventStatus, OadrTransportName

METADATA = "METADATA"
LAST_ONE = 0
"""In place of a rule: one more report is in order (reportToFollow)."""
_KEPT = 32
"""Requests of one kind that are remembered while nobody answers."""

ANSWERS: dict[type[m.Payload], tuple[type[m.Payload], ...]] = {
    m.OadrCreatedPartyRegistration: (m.OadrCreatePartyRegistration, m.OadrQueryRegistration),
    m.OadrCanceledPartyRegistration: (m.OadrCancelPartyRegistration,),
    m.OadrCreatedReport: (m.OadrCreateReport,),
    m.OadrRegisteredReport: (m.OadrRegisterReport,),
    m.OadrUpdatedReport: (m.OadrUpdateReport,),
    m.OadrCanceledReport: (m.OadrCancelReport,),
    m.OadrCreatedOpt: (m.OadrCreateOpt,),
    m.OadrCanceledOpt: (m.OadrCancelOpt,),
}
"""Answer -> what it can be the answer to, whether or not it travels as the reply to it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One message of a stream."""

    time: datetime
    """When it was sent or received; aware."""
    from_ven: bool
    peer: str
    """Who the other side is; messages of one VEN have one name."""
    message: m.Payload
    number: int = 0
    """Of the message in its stream, from 1 on; 0 where they have none."""
    reply_to: int | None = None
    """Number of the request it travels as the reply to, 0 for a request; None where that is not known."""


@dataclass(slots=True)
class SeenEvent:
    """An event as the VEN was last told of it."""

    event: m.EiEvent
    response_required: str
    request_ids: set[str] = field(default_factory=set[str])
    """requestID of every message that carried it."""
    highest: int = 0
    """Highest modificationNumber sent."""
    first_status: str = ""
    answered: int | None = None
    """Modification last answered, by oadrCreatedEvent or oadrCreateOpt."""
    owed: bool = False
    """Whether the last receipt still wants an answer."""
    polls_since: int = 0
    listed: bool = True
    """Whether it stood in the last list."""
    times_cancelled: int = 0
    """How often it was sent as cancelled."""
    cancel_acknowledged: bool = False

    @property
    def cancelled(self) -> bool:
        return self.event.descriptor.event_status == EventStatus.CANCELLED

    @property
    def wants_answers(self) -> bool:
        return self.response_required == "always"


@dataclass(slots=True)
class Running:
    """A report somebody asked for."""

    request: m.OadrReportRequest
    dropped: bool = False
    """Whether the receiver cancelled it inside an oadrUpdatedReport."""
    since_dropped: int = 0
    """Deliveries after that."""

    @property
    def periodic(self) -> bool:
        return bool(self.request.report_specifier.report_back_duration)


@dataclass(slots=True)
class Ended:
    """Why a report may not be delivered any more."""

    rule: int
    """The rule its delivery would break, or ``LAST_ONE``."""
    why: str


@dataclass(slots=True)
class Reporting:
    """What one side offers, and what the other asked of it."""

    offers: dict[str, m.OadrReport] = field(default_factory=dict[str, m.OadrReport])
    """By reportSpecifierID, as last offered."""
    offered: bool = False
    """Whether an oadrRegisterReport was heard."""
    running: dict[str, Running] = field(default_factory=dict[str, Running])
    ended: dict[str, Ended] = field(default_factory=dict[str, Ended])

    def end_all(self, rule: int, why: str) -> None:
        for name in self.running:
            self.ended[name] = Ended(rule, why)
        self.running.clear()


@dataclass(slots=True)
class Pair:
    """One VEN and one VTN."""

    registered: bool | None = None
    """None until a registration or its end was heard."""
    fresh: bool = False
    """Whether the registration was heard from its beginning, so that what is not known was never said."""
    ven_id: str = ""
    registration_id: str = ""
    pulls: bool | None = None
    poll_period: float = 0.0
    """Asked of the VEN; 0 for none. [s]"""
    polls: int = 0
    """Since the registration."""
    last_poll: datetime | None = None
    queue_empty: bool = False
    """Whether the last poll was answered with oadrResponse."""
    lists_heard: int = 0
    """oadrDistributeEvent messages that were not cut short."""
    events: dict[str, SeenEvent] = field(default_factory=dict[str, SeenEvent])
    opts: dict[str, m.OadrCreateOpt] = field(default_factory=dict[str, m.OadrCreateOpt])
    reporting: dict[bool, Reporting] = field(default_factory=lambda: {True: Reporting(), False: Reporting()})
    """By whether the VEN is the one that reports."""
    _open: dict[int, Heard] = field(default_factory=dict[int, Heard])
    _asked: dict[tuple[bool, type[m.Payload]], deque[m.Payload]] = field(
        default_factory=dict[tuple[bool, type[m.Payload]], deque[m.Payload]]
    )
    _last: Heard | None = None

    # Requests and answers ------------------------------------------------------------------------------------------

    def replied_to(self, heard: Heard) -> m.Payload | None:
        """The request a message travels as the reply to; None for requests and where that is not known."""
        if heard.reply_to:
            request = self._open.get(heard.reply_to)
            return request.message if request else None
        if heard.reply_to is None and self._last is not None and self._last.from_ven != heard.from_ven:
            return self._last.message
        return None

    def outstanding(self, heard: Heard) -> list[m.Payload]:
        """Unanswered requests of the other side that this message can be the answer to, oldest first."""
        kinds = ANSWERS.get(type(heard.message), ())
        return [asked for kind in kinds for asked in self._asked.get((not heard.from_ven, kind), ())]

    def answered_request(self, heard: Heard) -> m.Payload | None:
        """Which of those it answers: the one it travels with, else by requestID, else the oldest."""
        outstanding = self.outstanding(heard)
        with_it = self.replied_to(heard)
        if with_it is not None and any(asked is with_it for asked in outstanding):
            return with_it
        response: m.EiResponse | None = getattr(heard.message, "response", None)
        named = response.request_id if response else ""
        by_name = (asked for asked in outstanding if named and getattr(asked, "request_id", "") == named)
        return next(by_name, outstanding[0] if outstanding else None)

    # Learning ------------------------------------------------------------------------------------------------------

    def learn(self, heard: Heard) -> None:
        """Take in what a message says."""
        asked = self.answered_request(heard)
        replied = self.replied_to(heard)
        self._keep(heard, asked, replied)
        message = heard.message
        match message:
            case m.OadrCreatedPartyRegistration():
                self._registration(message, asked)
            case m.OadrCanceledPartyRegistration() if message.response.ok and asked is not None:
                self._forget(407, "the registration was cancelled")
                self.registered = False
            case m.OadrPoll():
                self._polled(heard)
            case m.OadrDistributeEvent():
                self._listed(message, replied)
            case m.OadrCreatedEvent():
                self._answered(message)
            case m.OadrCreateOpt():
                self._opted(message)
            case m.OadrRegisterReport():
                self._offered(message, heard.from_ven)
            case m.OadrCreateReport() | m.OadrRegisteredReport():
                self._requested(message, heard.from_ven)
            case m.OadrCreatedReport() if not message.response.ok and isinstance(asked, m.OadrCreateReport):
                for request in asked.report_requests:
                    self.reporting[heard.from_ven].running.pop(request.report_request_id, None)
            case m.OadrUpdateReport():
                self._delivered(message, heard.from_ven)
            case m.OadrUpdatedReport() if message.cancel_report is not None:
                self._dropped(message.cancel_report, not heard.from_ven)
            case m.OadrCanceledReport() if message.response.ok and isinstance(asked, m.OadrCancelReport):
                self._ended(asked, heard.from_ven)
            case _:
                pass
        if isinstance(replied, m.OadrPoll):
            self.queue_empty = isinstance(message, m.OadrResponse)

    def _keep(self, heard: Heard, asked: m.Payload | None, replied: m.Payload | None) -> None:
        if asked is not None:
            waiting = self._asked[not heard.from_ven, type(asked)]
            kept = [other for other in waiting if other is not asked]
            waiting.clear()
            waiting.extend(kept)
        kinds = {kind for kinds in ANSWERS.values() for kind in kinds}
        if type(heard.message) in kinds:
            self._asked.setdefault((heard.from_ven, type(heard.message)), deque(maxlen=_KEPT)).append(heard.message)
        self._open.pop(heard.reply_to or 0, None)
        if heard.number and not heard.reply_to:
            self._open[heard.number] = heard
            while len(self._open) > _KEPT:
                self._open.pop(next(iter(self._open)))
        self._last = heard if replied is None else None

    def _registration(self, granted: m.OadrCreatedPartyRegistration, asked: m.Payload | None) -> None:
        if not granted.response.ok or not isinstance(asked, m.OadrCreatePartyRegistration):
            return
        if not granted.registration_id or not granted.ven_id:
            return
        if asked.registration_id is None:
            self._forget(406, "the VEN registered anew")
            self.fresh = True
            self.polls = 0
        self.registered = True
        self.registration_id, self.ven_id = granted.registration_id, granted.ven_id
        http = asked.transport_name == OadrTransportName.SIMPLE_HTTP
        self.pulls = http and asked.http_pull_model is not False
        period = granted.requested_oadr_poll_freq
        self.poll_period = float(period.seconds) if period else 0.0

    def _forget(self, rule: int, why: str) -> None:
        for side in self.reporting.values():
            side.end_all(rule, why)
            side.offers.clear()
            side.offered = False
        self.events.clear()
        self.opts.clear()
        self.lists_heard = 0

    def _polled(self, heard: Heard) -> None:
        self.polls += 1
        self.last_poll, self.queue_empty = heard.time, False
        for seen in self.events.values():
            seen.polls_since += seen.owed

    def _listed(self, message: m.OadrDistributeEvent, replied: m.Payload | None) -> None:
        limit = replied.reply_limit if isinstance(replied, m.OadrRequestEvent) else None
        cut = limit is not None and len(message.events) >= limit
        here = {wrapped.event.descriptor.event_id for wrapped in message.events}
        for wrapped in message.events:
            self._saw(wrapped, message.request_id)
        for event_id, seen in self.events.items():
            seen.listed = event_id in here or (seen.listed and cut)
            seen.owed = seen.owed and seen.listed
        self.lists_heard += not cut

    def _saw(self, wrapped: m.OadrEvent, request_id: str) -> None:
        descriptor = wrapped.event.descriptor
        seen = self.events.get(descriptor.event_id)
        if seen is None:
            seen = SeenEvent(wrapped.event, wrapped.response_required, first_status=descriptor.event_status)
            self.events[descriptor.event_id] = seen
        seen.event, seen.response_required = wrapped.event, wrapped.response_required
        seen.highest = max(seen.highest, descriptor.modification_number)
        seen.request_ids.add(request_id)
        seen.owed, seen.polls_since = seen.wants_answers, 0
        if seen.cancelled:
            seen.times_cancelled += 1
        else:
            seen.times_cancelled, seen.cancel_acknowledged = 0, False

    def _answered(self, message: m.OadrCreatedEvent) -> None:
        for answer in message.event_responses:
            seen = self.events.get(answer.qualified_event_id.event_id)
            if seen is not None:
                seen.answered, seen.owed = answer.qualified_event_id.modification_number, False
                if seen.cancelled and seen.answered == seen.event.descriptor.modification_number:
                    seen.cancel_acknowledged = True

    def _opted(self, message: m.OadrCreateOpt) -> None:
        self.opts[message.opt_id] = message
        about = message.qualified_event_id
        seen = self.events.get(about.event_id) if about else None
        if about is not None and seen is not None:
            seen.answered, seen.owed = about.modification_number, False

    def _offered(self, message: m.OadrRegisterReport, by_ven: bool) -> None:
        side = self.reporting[by_ven]
        metadata = {
            name: running
            for name, running in side.running.items()
            if running.request.report_specifier.report_specifier_id == METADATA and running.periodic
        }
        side.end_all(306, "what is offered was replaced")
        side.running.update(metadata)
        side.offers = {report.report_specifier_id: report for report in message.reports}
        side.offered = True

    def _requested(self, message: m.OadrCreateReport | m.OadrRegisteredReport, by_ven: bool) -> None:
        side = self.reporting[not by_ven]
        for request in message.report_requests:
            side.running[request.report_request_id] = Running(request)
            side.ended.pop(request.report_request_id, None)

    def _delivered(self, message: m.OadrUpdateReport, by_ven: bool) -> None:
        side = self.reporting[by_ven]
        for report in message.reports:
            running, ended = side.running.get(report.report_request_id), side.ended.get(report.report_request_id)
            if running is not None and running.dropped:
                running.since_dropped += 1
            elif ended is not None and ended.rule == LAST_ONE:
                side.ended[report.report_request_id] = Ended(345, "its last report was delivered")

    def _dropped(self, cancel: m.OadrCancelReport, by_ven: bool) -> None:
        for name in cancel.report_request_ids:
            running = self.reporting[by_ven].running.get(name)
            if running is not None:
                self.reporting[by_ven].running[name] = replace(running, dropped=True)

    def _ended(self, cancel: m.OadrCancelReport, by_ven: bool) -> None:
        side = self.reporting[by_ven]
        for name in cancel.report_request_ids:
            if side.running.pop(name, None) is not None:
                last = Ended(LAST_ONE, "one last report is to follow")
                side.ended[name] = last if cancel.report_to_follow else Ended(345, "it was cancelled")


def points_of(running: Running) -> Iterator[str]:
    """rIDs a report was asked for."""
    for point in running.request.report_specifier.specifier_payloads:
        yield point.r_id
