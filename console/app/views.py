"""What a front end sees of the desk: plain frozen records and the Desk protocol.

The window and the command line show these and nothing else: no role, no library object, no device reaches them. Lists
are complete and sorted for showing; a revision of an area is announced by its name in :meth:`Desk.take_changes`.
Power in W, energy in Wh, ``+`` is consumption and import, times aware UTC; the front end converts for the eye.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from console.app.conversations import Conversation
from console.openadr.commands import EventDraft
from console.openadr.facts import EventChanged, EventStatus, PresenceState
from console.openadr.findings import Finding, Severity
from console.store.messages import MessageView, Selection

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from console.app.value_history import ValueHistory
    from console.openadr.explain import Node

__all__ = [
    "Area",
    "Conversation",
    "Desk",
    "DeviceView",
    "EventDraft",
    "EventVen",
    "EventView",
    "FindingView",
    "Inspection",
    "LimitSpan",
    "LimitView",
    "MessageLog",
    "MessageView",
    "Outcome",
    "ReportView",
    "Search",
    "Selection",
    "Series",
    "SessionState",
    "SessionView",
    "SiteView",
    "StatusView",
    "VenView",
]


class Area(StrEnum):
    """Names used in Desk.take_changes."""

    SESSIONS = "sessions"
    MESSAGES = "messages"
    EVENTS = "events"
    PRESENCE = "presence"
    REPORTS = "reports"
    TELEMETRY = "telemetry"
    SITE = "site"
    FINDINGS = "findings"
    STATUS = "status"


class SessionState(StrEnum):
    OK = "ok"
    LATE = "late"
    NEVER = "never"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SessionView:
    """One running role, or the site, in the sidebar."""

    name: str
    """``vtn-lab``, ``ven-7``, ``Site A``: unique; also the ``session`` of its messages."""
    kind: str
    """``VTN``, ``VEN`` or ``CEM``."""
    detail: str
    """``VTN · HTTP :8080``."""
    state: SessionState
    url: str = ""
    text: str = ""
    """What is wrong, in a sentence; empty when nothing is."""


class MessageLog(Protocol):
    """The columnar message list; grows at its end only."""

    def __len__(self) -> int: ...

    def view(self, row: int) -> MessageView:
        """Row 0 is the first message."""
        ...

    def select(self, text: str, session: str = "") -> Selection:
        """Rows matching a filter text (empty: all), of one session (empty: all)."""
        ...

    def matches(self, text: str, session: str, first: int) -> NDArray[np.int64]:
        """Rows from ``first`` on that match: what the live tail appends. Text must be a good filter."""
        ...

    def density(self, start: datetime, end: datetime, bins: int) -> NDArray[np.int64]:
        """Messages per equal span of time, for the timeline strip."""
        ...


@dataclass(frozen=True, slots=True)
class Inspection:
    """All the inspector shows of one message."""

    view: MessageView
    sentence: str
    """What this message says, in plain words."""
    tree: Node
    findings: tuple[Finding, ...]
    body: bytes
    pretty: str
    """Indented source; the decoded text as it is where it is no XML."""
    headers: tuple[tuple[str, str], ...]
    start_line: str
    """``POST /OpenADR2/Simple/2.0b/OadrPoll`` or ``200 OK``."""
    recorded: str = ""
    """E.g. ``recorded 11:30:04.120 +02:00``."""


@dataclass(frozen=True, slots=True)
class VenView:
    """One VEN on the presence board."""

    session: str
    ven_id: str
    name: str
    profile: str
    transport: str
    state: PresenceState
    registered: bool
    last_seen: datetime | None
    poll_period: timedelta | None
    registration_id: str
    fingerprint: str
    address: str
    last_message: int
    """Number of the last message heard from it."""
    events: tuple[tuple[str, str], ...] = ()
    """(eventID, ``optIn`` | ``optOut`` | empty) of events not over."""
    last_report: datetime | None = None
    findings: int = 0
    poll_times: tuple[datetime, ...] = ()
    """Latest polls, ascending, at most 120."""


@dataclass(frozen=True, slots=True)
class EventVen:
    """One VEN's part in an event."""

    ven_id: str
    status: EventStatus
    opt_type: str = ""
    answered_at: datetime | None = None
    text: str = ""
    gone: str = ""
    """Why it is no longer held; empty while it is."""


@dataclass(frozen=True, slots=True)
class EventView:
    """One event, issued by a VTN of ours or received by a VEN of ours."""

    session: str
    mine: bool
    """Issued by our VTN: may be modified and cancelled here."""
    event: EventChanged
    """Latest modification as facts; ``ven_id`` is that of the first VEN."""
    end: datetime | None
    """None is open ended."""
    label: str
    """Short, for the bar: ``SIMPLE 2``, ``7.00 kW``, ``0.42 EUR/kWh``."""
    vens: tuple[EventVen, ...]
    history: tuple[tuple[datetime, int, str], ...] = ()
    """(when, modificationNumber, what changed)."""


@dataclass(frozen=True, slots=True)
class ReportView:
    """One rID: offered, requested, running or stopped."""

    session: str
    ven_id: str
    report_name: str
    report_specifier_id: str
    r_id: str
    report_type: str
    reading_type: str
    unit: str | None
    resource_id: str
    min_period: timedelta | None
    max_period: timedelta | None
    state: str
    """``offered``, ``requested``, ``running``, ``stale``, ``stopped``."""
    report_request_id: str = ""
    period: timedelta | None = None
    last_at: datetime | None = None
    last_value: str = ""
    """Formatted with its unit, or ``online`` for a status report."""
    points: int = 0
    series: str = ""
    """Key for Desk.series; empty where there are no numbers."""


@dataclass(frozen=True, slots=True)
class Series:
    """A numeric history, oldest first. ``times`` are POSIX seconds; a NaN value is a gap."""

    times: NDArray[np.float64]
    values: NDArray[np.float64]
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class LimitView:
    upper_w: float | None
    lower_w: float | None
    source: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class DeviceView:
    """One device of the site; see emulator.cem.ports.DeviceSnapshot for the meaning of the fields."""

    name: str
    kind: str
    power_w: float
    state: str
    setpoint_w: float | None = None
    wanted_w: float | None = None
    max_w: float | None = None
    soc: float | None = None
    capacity_wh: float | None = None
    available_w: float | None = None
    current_a: float | None = None
    facts: tuple[tuple[str, str], ...] = ()
    power_series: str = ""
    """Keys for Desk.series."""
    soc_series: str = ""


@dataclass(frozen=True, slots=True)
class LimitSpan:
    """A limit that was, is or will be in force, for the plots."""

    start: datetime
    end: datetime | None
    upper_w: float | None
    lower_w: float | None
    source: str


@dataclass(frozen=True, slots=True)
class SiteView:
    name: str
    place: str
    """``52.0° N 5.9° E, Europe/Amsterdam``."""
    time: datetime
    light: str
    """``green``, ``yellow``, ``red``, ``failsafe``."""
    net_w: float
    grid_max_w: float | None
    """Rating of the connection."""
    devices: tuple[DeviceView, ...]
    """Without the meter."""
    limit: LimitView | None
    limits: tuple[LimitSpan, ...]
    reasons: tuple[tuple[str, str], ...]
    """(device, text)."""
    balance_w: float
    """Sum of the devices minus the meter; 0 in a sound site."""
    net_series: str = ""
    import_wh: float = 0.0
    export_wh: float = 0.0


@dataclass(frozen=True, slots=True)
class FindingView:
    """One line of the findings strip."""

    time: datetime
    message: int
    severity: Severity
    rule: str
    text: str
    peer: str = ""


@dataclass(frozen=True, slots=True)
class StatusView:
    """The status bar."""

    listening: str
    vens: int
    messages: int
    dropped: int
    recording: timedelta
    speed: float
    clock: datetime
    writing: bool = True
    """Whether what happens is being recorded."""
    kept: str = ""
    """``keeps 30 days, 2 GB``; empty where there are no limits to tell of."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command came to: text says what was done, or what is wrong and what to do."""

    ok: bool
    text: str
    subject: str = ""
    """E.g. the eventID that was given."""


class Search(Protocol):
    """A look through bodies that goes on beside the loop."""

    total: int
    """Bodies to look at."""
    done: int
    finished: bool
    trouble: str
    """Why it ended early; empty if it did not."""

    def take(self) -> bool:
        """Take in what was found since the last call; then filters know it. Whether there was anything."""
        ...

    def cancel(self) -> None: ...


class Desk(Protocol):
    """The one thing a front end holds. All calls return at once."""

    @property
    def messages(self) -> MessageLog: ...

    @property
    def timezone(self) -> tzinfo:
        """For times shown to people."""
        ...

    def now(self) -> datetime: ...

    def take_changes(self) -> frozenset[str]:
        """Areas that changed since the last call."""
        ...

    def sessions(self) -> Sequence[SessionView]: ...

    def vens(self) -> Sequence[VenView]:
        """Worst first."""
        ...

    def events(self) -> Sequence[EventView]:
        """By start."""
        ...

    def reports(self) -> Sequence[ReportView]: ...

    def site(self) -> SiteView | None: ...

    def series(self, key: str) -> Series: ...

    def findings(self) -> Sequence[FindingView]:
        """Newest first, at most 500."""
        ...

    def status(self) -> StatusView: ...

    def inspect(self, number: int) -> Inspection: ...

    def search(self, text: str, session: str = "") -> Search | None:
        """Look at the bodies that a filter text asks about and nobody has looked at; None where there are none.

        A text that is no filter asks for nothing.
        """
        ...

    def filter_values(self, field: str) -> Sequence[str]:
        """What occurs in a field of the filter language, most frequent first; empty where that is not known."""
        ...

    def value_history(self, number: int, path: str) -> ValueHistory:
        """What the element at ``path`` of message ``number`` was in every message of its kind; already reading."""
        ...

    def previous_of_kind(self, number: int) -> int:
        """The earlier message that this one is worth comparing with; 0 for none."""
        ...

    def conversation(self, number: int) -> Conversation:
        """The exchanges that message ``number`` is part of, and what is still owed."""
        ...

    def recall(self, key: str, default: Any = None) -> Any:
        """What :meth:`remember` was last given for a key."""
        ...

    def remember(self, key: str, value: object) -> None:
        """Keep a JSON-able value in the recording: marks, notes, filters."""
        ...

    def check_draft(self, draft: EventDraft) -> Sequence[Finding]: ...

    def draft_source(self, draft: EventDraft) -> str:
        """The oadrDistributeEvent the draft would become, indented."""
        ...

    def start_lab(self) -> Outcome:
        """Start a VTN, a VEN and a house on this desk."""
        ...

    def issue_event(self, session: str, draft: EventDraft) -> Outcome: ...

    def modify_event(self, session: str, event_id: str, draft: EventDraft) -> Outcome: ...

    def cancel_event(self, session: str, event_id: str) -> Outcome: ...

    def request_report(self, session: str, ven_id: str, r_ids: Sequence[str], period: timedelta) -> Outcome: ...

    def cancel_report(self, session: str, ven_id: str, report_request_id: str) -> Outcome: ...

    def set_opt(self, session: str, event_id: str, opt_type: str) -> Outcome: ...
