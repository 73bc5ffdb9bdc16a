"""The desk: all that runs and all that is known, for one front end.

Sessions are attached to it; it listens to their facts and to the store, keeps the tables that views show, and turns an
operator's wishes into commands of a role. It awaits nothing: every call returns at once, what takes time is a task of
the session concerned. No Qt, no socket, no history beside the store's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from console.app.composer import Way
from console.app.composer_breaks import Outgoing
from console.app.composer_sending import send_on, surroundings_of, ways_of
from console.app.composer_variables import Surroundings
from console.app.conversations import Conversation, Reading, conversation_of
from console.app.draft_preview import impossible, late, preview
from console.app.event_table import EventTable
from console.app.history_reading import start_search, units_by_r_id, values_of
from console.app.inspection import inspect_message, pretty
from console.app.message_diff import previous_of_kind
from console.app.report_table import ReportTable
from console.app.series import SeriesBook
from console.app.site_bridge import SiteBridge
from console.app.value_history import ValueHistory
from console.app.ven_table import VenTable
from console.app.views import (
    Area,
    EventDraft,
    EventView,
    FindingView,
    Inspection,
    MessageLog,
    MessageView,
    Outcome,
    ReportView,
    Search,
    Series,
    SessionState,
    SessionView,
    SiteView,
    StatusView,
    VenView,
)
from console.app.zone import ZoneInForce
from console.openadr import codec, rules
from console.openadr.actions import Command, Role, Service
from console.openadr.commands import (
    CancelEvent,
    CancelReports,
    IssueEvent,
    ModifyEvent,
    RequestReports,
    SetOpt,
)
from console.openadr.facts import (
    Fact,
    FindingMade,
    Registered,
    RegistrationFailed,
)
from console.openadr.findings import Finding, Severity
from console.openadr.model import OadrDistributeEvent
from console.session.clock import Clock
from console.session.session import Session
from console.store.store import Store

_KEPT_FINDINGS = 500


@dataclass(slots=True)
class Node:
    """One attached session."""

    session: Session
    role: Role
    kind: str
    """``VTN`` or ``VEN``."""
    url: str = ""
    trouble: str = ""
    registered: bool = False
    ven_id: str = ""
    vtn_id: str = ""


class LiveDesk:
    """Implements :class:`console.app.views.Desk` over live sessions.

    Parameters
    ----------
    store
        Where messages and facts are; the desk listens and never writes messages.
    clock
        The clock that drives the sessions; its ``speed`` is shown.
    timezone
        For times shown to people.
    """

    def __init__(self, store: Store, clock: Clock, timezone: tzinfo) -> None:
        self.store = store
        self.clock = clock
        self._timezone = store.log.zone = ZoneInForce(timezone)
        self._since = clock.now()
        self.series_book = SeriesBook()
        self.nodes: dict[str, Node] = {}
        self.bridges: dict[str, SiteBridge] = {}
        self.listeners: list[Callable[[str, Fact, datetime], None]] = []
        self.starter: Callable[[], Outcome] | None = None
        """Starts the lab on this desk."""
        self.keeps = ""
        """How much of the recording is kept, in words."""
        self._events = EventTable()
        self._vens = VenTable()
        self._reports = ReportTable(self.series_book)
        self._findings: deque[FindingView] = deque(maxlen=_KEPT_FINDINGS)
        self._changes: set[str] = set(Area)
        # What a recording held before is told by its facts; reading a million rows would hold the first paint.
        self._heard_to = len(store.log)
        self._following = store.listen()

    def keep_time(self, clock: Clock, timezone: tzinfo) -> None:
        """Go by another clock and show another zone's times: that of the lab."""
        self.clock, self._timezone.zone = clock, timezone
        self._since = clock.now()
        self._changes |= set(Area)

    # Attaching --------------------------------------------------------------------------------------------------------

    def attach(self, session: Session, role: Role, kind: str, url: str = "") -> Node:
        """Show a session: what the store remembers of it, and its facts from now on. Attach before it starts."""
        node = self.nodes[session.name] = Node(session, role, kind, url)
        for noted in (*self.store.facts(session.name), *self.store.points(session.name)):
            self._take_in(session.name, noted.fact, noted.time)
        node.registered, node.trouble = False, ""
        session.on_fact(lambda fact, at: self.note(session.name, fact, at))
        self._changes.add(Area.SESSIONS)
        return node

    def attach_site(self, bridge: SiteBridge) -> None:
        self.bridges[bridge.name] = bridge
        bridge.series = self.series_book
        bridge.listeners.append(lambda fact: self.note(bridge.name, fact, self.now()))
        self._changes |= {Area.SESSIONS, Area.SITE}

    def note(self, session: str, fact: Fact, at: datetime) -> None:
        """Take in a fact of a session or a site and tell the listeners."""
        self._take_in(session, fact, at)
        for listener in self.listeners:
            listener(session, fact, at)

    def _take_in(self, session: str, fact: Fact, at: datetime) -> None:
        node = self.nodes.get(session)
        mine = node is not None and node.kind == "VTN"
        if self._events.apply(session, mine, fact, at):
            self._changes |= {Area.EVENTS, Area.PRESENCE}
        if mine and self._vens.apply(session, fact, at):
            self._changes.add(Area.PRESENCE)
        if mine and self._reports.apply(session, fact, at):
            self._changes |= {Area.REPORTS, Area.TELEMETRY}
        if isinstance(fact, FindingMade):
            self._found(fact, at)
        if node is not None:
            self._node_fact(node, fact)

    def _node_fact(self, node: Node, fact: Fact) -> None:
        if isinstance(fact, Registered) and node.kind == "VEN":
            node.registered, node.trouble = True, ""
            node.ven_id, node.vtn_id = fact.ven_id, fact.vtn_id
        elif isinstance(fact, RegistrationFailed):
            node.trouble = fact.text
        else:
            return
        self._changes.add(Area.SESSIONS)

    def _found(self, fact: FindingMade, at: datetime) -> None:
        severity = Severity[fact.severity.upper()]
        peer = self.store.log.view(fact.message - 1).peer if 0 < fact.message <= len(self.store.log) else ""
        self._findings.appendleft(FindingView(at, fact.message, severity, fact.rule, fact.text, peer))
        self._changes.add(Area.FINDINGS)

    # Reading ----------------------------------------------------------------------------------------------------------

    @property
    def messages(self) -> MessageLog:
        return self.store.log

    @property
    def timezone(self) -> tzinfo:
        return self._timezone

    def now(self) -> datetime:
        return self.clock.now()

    def take_changes(self) -> frozenset[str]:
        self._hear_new_messages()
        changes, self._changes = frozenset(self._changes), set()
        return changes

    def _hear_new_messages(self) -> None:
        """Rows that came or read otherwise since the last call; new ones also for the presence board."""
        changes = self._following.take()
        if changes.amended or changes.end > changes.first:
            self._changes |= {Area.MESSAGES, Area.STATUS}
        count = len(self.store.log)
        if count == self._heard_to:
            return
        for row in range(self._heard_to, count):
            view = self.store.log.view(row)
            if not view.outgoing and self._vens.knows(view.session, view.peer):
                findings = view.errors + view.warnings
                self._vens.heard(view.session, view.peer, view.number, view.time, view.element == "oadrPoll", findings)
                self._changes.add(Area.PRESENCE)
        self._heard_to = count

    def sessions(self) -> Sequence[SessionView]:
        shown = [self._session(name, node) for name, node in self.nodes.items()]
        for bridge in self.bridges.values():
            shown.append(SessionView(bridge.name, "CEM", "CEM", SessionState.OK))
        return shown

    def _session(self, name: str, node: Node) -> SessionView:
        if node.kind == "VTN":
            port = node.url.split("://")[-1].split("/")[0].rpartition(":")[2]
            return SessionView(name, "VTN", f"VTN :{port}", SessionState.OK, node.url, node.trouble)
        state = SessionState.OK if node.registered else SessionState.NEVER
        if node.trouble:
            state = SessionState.FAILED
        return SessionView(name, "VEN", f"VEN · {node.vtn_id or 'HTTP pull'}", state, node.url, node.trouble)

    def vens(self) -> Sequence[VenView]:
        return self._vens.views(self._events.open_for)

    def events(self) -> Sequence[EventView]:
        return self._events.views()

    def reports(self) -> Sequence[ReportView]:
        return self._reports.views(self.now())

    def site(self) -> SiteView | None:
        return next((bridge.view() for bridge in self.bridges.values()), None)

    def series(self, key: str) -> Series:
        return self.series_book.get(key)

    def findings(self) -> Sequence[FindingView]:
        return tuple(self._findings)

    def status(self) -> StatusView:
        listening = next((f"VTN {name} listening on {node.url}" for name, node in self.nodes.items()
                          if node.kind == "VTN" and node.url), "")  # fmt: skip
        return StatusView(
            listening=listening or ("nothing runs" if not self.nodes else "no VTN of ours"),
            vens=self._vens.count(),
            messages=len(self.store.log),
            dropped=0,
            recording=self.now() - self._since,
            speed=self.clock.speed,
            clock=self.now(),
            kept=self.keeps,
        )

    def inspect(self, number: int) -> Inspection:
        view = self.store.log.view(number - 1)
        units = units_by_r_id(self.reports())
        return inspect_message(self.store, view, self._own_name(view), self._timezone, units)

    def _own_name(self, view: MessageView) -> str:
        node = self.nodes.get(view.session)
        return (node.ven_id or view.session) if node and node.kind == "VEN" else view.session

    def search(self, text: str, session: str = "") -> Search | None:
        return start_search(self.store, text, session)

    def filter_values(self, field: str) -> Sequence[str]:
        return values_of(self.store, field, self._events.views(), self._findings)

    def value_history(self, number: int, path: str) -> ValueHistory:
        history = ValueHistory(self.store, number, path)
        history.start()
        return history

    def previous_of_kind(self, number: int) -> int:
        return previous_of_kind(self.store.log, self.store.body, number)

    def conversation(self, number: int) -> Conversation:
        log = self.store.log
        return conversation_of(Reading(log.__len__, log.view, self.store.body), number)

    def recall(self, key: str, default: Any = None) -> Any:
        return self.store.recall(key, default)

    def remember(self, key: str, value: object) -> None:
        self.store.remember(key, value)

    # Composing --------------------------------------------------------------------------------------------------------

    def ways(self) -> Sequence[Way]:
        return ways_of(self.nodes, list(self.vens()))

    def surroundings(self, way: Way | None) -> Surroundings:
        return surroundings_of(way, self.nodes, list(self.vens()), self.store, self.now())

    def send_composed(self, way: Way, service: Service, outgoing: Outgoing) -> Outcome:
        return send_on(self.nodes, way, service, outgoing)

    # Acting -----------------------------------------------------------------------------------------------------------

    def check_draft(self, draft: EventDraft) -> Sequence[Finding]:
        wrong = impossible(draft)
        return wrong or [*late(draft, self.now()), *rules.check(self._preview(draft))]

    def draft_source(self, draft: EventDraft) -> str:
        if impossible(draft):
            return ""
        return pretty(codec.write(self._preview(draft)))

    def _preview(self, draft: EventDraft) -> OadrDistributeEvent:
        """The message a draft would become; one that names an event of ours is that event's next modification."""
        vtn = self._first_vtn()
        modified = self._events.get(vtn, draft.event_id)
        number = modified.event.modification_number + 1 if modified else 0
        return preview(draft, vtn, self.now(), number)

    def _first_vtn(self) -> str:
        return next((name for name, node in self.nodes.items() if node.kind == "VTN"), "vtn")

    def _command(self, session: str, command: Command, done: str, subject: str = "") -> Outcome:
        node = self.nodes.get(session)
        if node is None:
            return Outcome(False, f"There is no running session {session}.")
        trouble = [finding.text for finding in node.session.command(command)]
        return Outcome(False, " ".join(trouble)) if trouble else Outcome(True, done, subject)

    def start_lab(self) -> Outcome:
        if self.nodes or self.starter is None:
            return Outcome(False, "The lab runs already.")
        return self.starter()

    def issue_event(self, session: str, draft: EventDraft) -> Outcome:
        known = {view.event.event_id for view in self._events.views()}
        outcome = self._command(session, IssueEvent(draft), "The event goes out at each VEN's next poll.")
        if not outcome.ok:
            return outcome
        new = [view.event.event_id for view in self._events.views() if view.event.event_id not in known]
        return Outcome(True, outcome.text, new[0] if new else draft.event_id)

    def modify_event(self, session: str, event_id: str, draft: EventDraft) -> Outcome:
        done = "The modification goes out at each VEN's next poll."
        return self._command(session, ModifyEvent(event_id, draft), done, event_id)

    def cancel_event(self, session: str, event_id: str) -> Outcome:
        done = "The cancellation is repeated until each VEN has acknowledged it."
        return self._command(session, CancelEvent(event_id), done, event_id)

    def request_report(self, session: str, ven_id: str, r_ids: Sequence[str], period: timedelta) -> Outcome:
        command = RequestReports(ven_id, tuple(r_ids), period, period)
        return self._command(session, command, f"The request goes out at the next poll of {ven_id}.", ven_id)

    def cancel_report(self, session: str, ven_id: str, report_request_id: str) -> Outcome:
        command = CancelReports(ven_id, (report_request_id,))
        return self._command(session, command, f"The cancellation goes out at the next poll of {ven_id}.")

    def set_opt(self, session: str, event_id: str, opt_type: str) -> Outcome:
        return self._command(session, SetOpt(event_id, opt_type), f"{opt_type} is on its way.", event_id)
