"""The desk of a recording: every view on what was recorded, at any instant of it, without any node.

There is no session, no transport and no role behind it, so nothing in a recording can act on the network: every
command answers with one sentence. Facts are replayed up to :attr:`RecordedDesk.position`, which moves when the
recording is played or sought.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from heapq import merge as merged
from pathlib import Path
from typing import Any

import numpy as np

from console.app.composer import Way
from console.app.composer_breaks import Outgoing
from console.app.composer_sending import new_id
from console.app.composer_variables import Surroundings
from console.app.conversations import Conversation, Reading, conversation_of
from console.app.draft_preview import impossible, late, preview
from console.app.event_table import EventTable
from console.app.history_reading import start_search, units_by_r_id, values_of
from console.app.inspection import inspect_message, pretty
from console.app.message_diff import previous_of_kind
from console.app.recording_log import LogUntil
from console.app.report_table import ReportTable
from console.app.series import SeriesBook
from console.app.value_history import ValueHistory
from console.app.ven_table import VenTable
from console.app.views import (
    Area,
    EventDraft,
    EventView,
    FindingView,
    Inspection,
    MessageLog,
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
from console.openadr import codec, rules
from console.openadr.actions import Service
from console.openadr.facts import DeviceChanged, FindingMade, Listening, ReasonGiven, Registered
from console.openadr.findings import Finding, Severity
from console.session.clock import Clock, SystemClock
from console.store.reading import Reader
from console.store.recording import Recording
from console.store.subscription import NotedFact

SPEEDS = (1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0)
"""How fast a recording can be played."""
NOTHING_ACTS = "This is a recording: nothing in it acts on the network. Start a node to do this."
_SHOWN_FINDINGS = 500
_ONE_BY_ONE = 2000
"""Messages up to which the presence board hears each; of more it is told the sums."""
_POLLS = 120
_SAID_BY_VENS = (
    "oadrPoll",
    "oadrQueryRegistration",
    "oadrCreatePartyRegistration",
    "oadrRequestEvent",
    "oadrCreatedEvent",
    "oadrRegisterReport",
)


class RecordedDesk:
    """Implements :class:`console.app.views.Desk` over a recording.

    Parameters
    ----------
    recording : Recording
        Opened for reading; closed by :meth:`close`.
    clock : Clock
        Its real seconds drive the playing.
    timezone : tzinfo
        For times shown to people.
    """

    def __init__(self, recording: Recording, clock: Clock, timezone: tzinfo) -> None:
        self.recording = recording
        self._clock = clock
        self._timezone = timezone
        self._log = LogUntil(recording.log)
        self._kinds = session_kinds(recording)
        self._history: list[NotedFact] = _in_order(recording)
        times = [each for each in (self._log.start, self._log.end) if each is not None]
        times += [self._history[k].time for k in (0, -1) if self._history]
        self.start = min(times, default=datetime(1970, 1, 1, tzinfo=UTC))
        self.end = max(times, default=self.start)
        self.position = self.end
        """The instant that is shown."""
        self.playing = False
        self.speed = 1.0
        self._tick = clock.elapsed()
        self._changes: set[str] = set()
        self._remembered: dict[str, object] = {}
        recording.log.zone = timezone
        self._findings: tuple[int, list[FindingView]] = (-1, [])
        self._begin()
        self._replay()

    def close(self) -> None:
        self.recording.close()

    # Playing -------------------------------------------------------------------------------------------------------

    def play(self) -> None:
        """Go on from where it is, or from the beginning where it is at its end."""
        if self.position >= self.end:
            self.seek(self.start)
        self.playing, self._tick = True, self._clock.elapsed()
        self._changes.add(Area.STATUS)

    def pause(self) -> None:
        self.playing = False
        self._changes.add(Area.STATUS)

    def set_speed(self, speed: float) -> None:
        """How many recorded seconds go by in one; from 1 to 100."""
        self._advance()
        self.speed = min(max(speed, SPEEDS[0]), SPEEDS[-1])
        self._changes.add(Area.STATUS)

    def seek(self, instant: datetime) -> None:
        """Show everything as it was at ``instant``."""
        instant = min(max(instant, self.start), self.end)
        if instant < self.position:
            self._begin()
        self.position, self._tick = instant, self._clock.elapsed()
        self._replay()

    def _advance(self) -> None:
        if not self.playing:
            return
        now = self._clock.elapsed()
        passed = timedelta(seconds=(now - self._tick) * self.speed)
        self._tick = now
        self.position = min(self.position + passed, self.end)
        self._replay()
        if self.position >= self.end:
            self.pause()

    def _begin(self) -> None:
        """Know nothing yet."""
        self._series = SeriesBook()
        self._events = EventTable()
        self._vens = VenTable()
        self._reports = ReportTable(self._series)
        self._own_ids: dict[str, str] = {}
        self._next = 0
        self._heard_to = 0
        self._noted_findings: list[FindingView] = []
        self._changes |= set(Area)

    def _replay(self) -> None:
        """Take in what became true up to the position."""
        while self._next < len(self._history) and self._history[self._next].time <= self.position:
            self._take_in(self._history[self._next])
            self._next += 1
        if self._log.show_until(self.position):
            self._changes |= {Area.MESSAGES, Area.FINDINGS}
        self._hear(len(self._log))
        self._changes |= {Area.STATUS, Area.PRESENCE}

    def _take_in(self, noted: NotedFact) -> None:
        session, fact, at = noted.session, noted.fact, noted.time
        mine = self._kinds.get(session) == "VTN"
        if self._events.apply(session, mine, fact, at):
            self._changes |= {Area.EVENTS, Area.PRESENCE}
        if mine and self._vens.apply(session, fact, at):
            self._changes.add(Area.PRESENCE)
        if mine and self._reports.apply(session, fact, at):
            self._changes |= {Area.REPORTS, Area.TELEMETRY}
        if isinstance(fact, Registered) and not mine:
            self._own_ids[session] = fact.ven_id
            self._changes.add(Area.SESSIONS)
        if isinstance(fact, FindingMade) and not fact.message:
            found = FindingView(at, 0, Severity[fact.severity.upper()], fact.rule, fact.text)
            self._noted_findings.append(found)
            self._changes.add(Area.FINDINGS)

    def _hear(self, end: int) -> None:
        """Let the presence board know of messages that came in up to row ``end``."""
        first, self._heard_to = self._heard_to, end
        if end - first <= _ONE_BY_ONE:
            rows = np.arange(first, end)
            skipped: dict[tuple[str, str], int] = {}
        else:
            rows, skipped = self._telling_rows(first, end)
        for row in rows.tolist():
            view = self._log.view(row)
            key = (view.session, view.peer)
            if view.outgoing or not self._vens.knows(*key):
                continue
            findings = skipped.pop(key, 0) + view.errors + view.warnings
            self._vens.heard(*key, view.number, view.time, view.element == "oadrPoll", findings)

    def _telling_rows(self, first: int, end: int) -> tuple[np.ndarray, dict[tuple[str, str], int]]:
        """The last rows from each peer, and how many findings its other rows have."""
        columns = self.recording.log.columns
        names = self.recording.log.pools["names"]
        came = np.flatnonzero(columns["outgoing"][first:end] == 0) + first
        keys = (columns["session"][came].astype(np.int64) << 32) | columns["peer"][came]
        telling: list[np.ndarray] = []
        skipped: dict[tuple[str, str], int] = {}
        for key in np.unique(keys).tolist():
            of_peer = came[keys == key]
            telling.append(of_peer[-_POLLS:])
            others = of_peer[:-_POLLS]
            found = int(columns["errors"][others].sum()) + int(columns["warnings"][others].sum())
            skipped[names[key >> 32], names[key & 0xFFFFFFFF]] = found
        return (np.sort(np.concatenate(telling)) if telling else np.zeros(0, np.int64)), skipped

    # Reading -------------------------------------------------------------------------------------------------------

    @property
    def messages(self) -> MessageLog:
        return self._log

    @property
    def timezone(self) -> tzinfo:
        return self._timezone

    def now(self) -> datetime:
        return self.position

    def take_changes(self) -> frozenset[str]:
        self._advance()
        changes, self._changes = frozenset(self._changes), set()
        return changes

    def sessions(self) -> Sequence[SessionView]:
        return [SessionView(name, kind, f"{kind} · recorded", SessionState.OK) for name, kind in self._kinds.items()]

    def vens(self) -> Sequence[VenView]:
        return self._vens.views(self._events.open_for)

    def events(self) -> Sequence[EventView]:
        return self._events.views()

    def reports(self) -> Sequence[ReportView]:
        return self._reports.views(self.position)

    def site(self) -> SiteView | None:
        return None

    def series(self, key: str) -> Series:
        return self._series.get(key)

    def findings(self) -> Sequence[FindingView]:
        if self._findings[0] != len(self._log):
            self._findings = (len(self._log), self._message_findings())
        every = merged(self._findings[1], reversed(self._noted_findings), key=lambda found: found.time, reverse=True)
        return [found for found, _ in zip(every, range(_SHOWN_FINDINGS), strict=False)]

    def _message_findings(self) -> list[FindingView]:
        """Of the latest messages that have any, newest first."""
        column = self._log.column
        rows = np.flatnonzero(column("errors") + column("warnings") + column("infos"))[-_SHOWN_FINDINGS:]
        found: list[FindingView] = []
        for row in rows[::-1].tolist():
            view = self._log.view(row)
            found += [
                FindingView(view.time, view.number, each.severity, each.rule, each.text, view.peer)
                for each in self.recording.findings(view.number)
            ]
        found.sort(key=lambda each: each.time, reverse=True)
        return found[:_SHOWN_FINDINGS]

    def status(self) -> StatusView:
        return StatusView(
            listening=f"recording {self.recording.name}, nothing runs",
            vens=self._vens.count(),
            messages=len(self._log),
            dropped=0,
            recording=self.position - self.start,
            speed=self.speed if self.playing else 1.0,
            clock=self.position,
            writing=False,
        )

    def inspect(self, number: int) -> Inspection:
        view = self._log.view(number - 1)
        units = units_by_r_id(self.reports())
        own = self._own_ids.get(view.session, view.session)
        return inspect_message(self.recording, view, own, self._timezone, units)

    def search(self, text: str, session: str = "") -> Search | None:
        return start_search(self.recording, text, session)

    def filter_values(self, field: str) -> Sequence[str]:
        return values_of(self.recording, field, self._events.views(), self.findings())

    def value_history(self, number: int, path: str) -> ValueHistory:
        history = ValueHistory(self.recording, number, path)
        history.start()
        return history

    def previous_of_kind(self, number: int) -> int:
        return previous_of_kind(self.recording.log, self.recording.body, number)

    def conversation(self, number: int) -> Conversation:
        return conversation_of(Reading(self._log.__len__, self._log.view, self.recording.body), number)

    def recall(self, key: str, default: Any = None) -> Any:
        return self._remembered[key] if key in self._remembered else self.recording.recall(key, default)

    def remember(self, key: str, value: object) -> None:
        """For as long as the recording is open: its file is not written to."""
        self._remembered[key] = value

    def check_draft(self, draft: EventDraft) -> Sequence[Finding]:
        wrong = impossible(draft)
        return wrong or [*late(draft, self.position), *rules.check(preview(draft, "vtn", self.position))]

    def draft_source(self, draft: EventDraft) -> str:
        return "" if impossible(draft) else pretty(codec.write(preview(draft, "vtn", self.position)))

    # What a recording can not do -----------------------------------------------------------------------------------

    def ways(self) -> Sequence[Way]:
        return ()

    def surroundings(self, way: Way | None) -> Surroundings:
        return Surroundings(self.position, new_id)

    def send_composed(self, way: Way, service: Service, outgoing: Outgoing) -> Outcome:
        return Outcome(False, NOTHING_ACTS)

    def start_lab(self) -> Outcome:
        return Outcome(False, NOTHING_ACTS)

    def issue_event(self, session: str, draft: EventDraft) -> Outcome:
        return Outcome(False, NOTHING_ACTS)

    def modify_event(self, session: str, event_id: str, draft: EventDraft) -> Outcome:
        return Outcome(False, NOTHING_ACTS)

    def cancel_event(self, session: str, event_id: str) -> Outcome:
        return Outcome(False, NOTHING_ACTS)

    def request_report(self, session: str, ven_id: str, r_ids: Sequence[str], period: timedelta) -> Outcome:
        return Outcome(False, NOTHING_ACTS)

    def cancel_report(self, session: str, ven_id: str, report_request_id: str) -> Outcome:
        return Outcome(False, NOTHING_ACTS)

    def set_opt(self, session: str, event_id: str, opt_type: str) -> Outcome:
        return Outcome(False, NOTHING_ACTS)


def open_desk(path: Path) -> RecordedDesk:
    """A desk on the recording at ``path``, times shown in this machine's zone. Raises StoreError."""
    clock = SystemClock()
    zone = clock.now().astimezone().tzinfo
    return RecordedDesk(Recording(path), clock, zone or UTC)


def _in_order(recording: Recording) -> list[NotedFact]:
    """Facts and report points by the time they became true."""
    facts = sorted(recording.facts(), key=lambda noted: noted.time)
    points = sorted(recording.points(), key=lambda noted: noted.time)
    return list(merged(facts, points, key=lambda noted: noted.time))


def session_kinds(reader: Reader) -> dict[str, str]:
    """``VTN``, ``VEN`` or ``CEM`` of every session in a recording, told by what it heard and did; VTNs first."""
    columns, names = reader.log.columns, reader.log.pools["names"]
    said = [place for place, name in enumerate(names.items) if name in _SAID_BY_VENS]
    heard = (columns["outgoing"] == 0) & (columns["reply_to"] == 0) & np.isin(columns["element"], said)
    vtns = {names[index] for index in np.unique(columns["session"][heard]).tolist()}
    every = [names[index] for index in np.unique(columns["session"]).tolist()]
    sites: set[str] = set()
    for noted in _iterate(reader):
        if isinstance(noted.fact, DeviceChanged | ReasonGiven):
            sites.add(noted.session)
        elif isinstance(noted.fact, Listening) and noted.session not in every:
            vtns.add(noted.session)
        if noted.session and noted.session not in every:
            every.append(noted.session)
    kinds = {name: "VTN" if name in vtns else "CEM" if name in sites else "VEN" for name in every if name}
    order = ("VTN", "VEN", "CEM")
    return dict(sorted(kinds.items(), key=lambda item: (order.index(item[1]), item[0])))


def _iterate(reader: Reader) -> Iterator[NotedFact]:
    yield from reader.facts(kinds=(Listening, Registered, DeviceChanged, ReasonGiven))
