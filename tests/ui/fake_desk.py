"""A desk with a whole lab on it, without sockets, roles or devices: what the views are pictured and tested against.

It is deterministic and stands still at 10:42:18 local time on 2026-06-16; tests move it by :meth:`FakeDesk.advance`,
:meth:`FakeDesk.append` and by replacing its lists. It satisfies ``console.app.views.Desk``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

import numpy as np
from numpy.typing import NDArray

from console.app.value_history import ValueHistory
from console.app.views import (
    Area,
    Conversation,
    Desk,
    EventDraft,
    EventView,
    FindingView,
    Inspection,
    MessageView,
    Outcome,
    ReportView,
    Search,
    Selection,
    Series,
    SessionView,
    SiteView,
    StatusView,
    VenView,
)
from console.openadr.findings import Finding, Severity
from tests.ui.fake_lab import (
    NOTICE,
    NOW,
    ORDER,
    SOURCE,
    URL,
    ZONE,
    at,
    lab_events,
    lab_findings,
    lab_messages,
    lab_reports,
    lab_sessions,
    lab_site,
    lab_tree,
    lab_vens,
    leaf,
)

FIELDS = ("session", "peer", "element", "summary", "dir", "status", "size", "errors", "warnings")


class FakeLog:
    """A message log with a filter of ``field == value`` terms joined by ``and``, or a piece of text."""

    def __init__(self, rows: Sequence[MessageView] = ()) -> None:
        self.rows = list(rows)
        self.viewed = 0
        """How many rows were asked for; shows that a list makes only what it paints."""

    def __len__(self) -> int:
        return len(self.rows)

    def view(self, row: int) -> MessageView:
        self.viewed += 1
        return self.rows[row]

    def _value(self, row: MessageView, name: str) -> str:
        return ("out" if row.outgoing else "in") if name == "dir" else str(getattr(row, name))

    def _wrong(self, text: str) -> str:
        for term in text.split(" and ") if "==" in text else ():
            name, equals, value = term.partition("==")
            if not equals or not value.strip():
                return f"{term.strip()!r} has no value; a term is field == value"
            if name.strip() not in FIELDS:
                return f"No field {name.strip()}. Fields are {', '.join(FIELDS)}."
        return ""

    def _fits(self, row: MessageView, text: str, session: str) -> bool:
        if session and row.session != session:
            return False
        if "==" not in text:
            return text.lower() in f"{row.peer} {row.element} {row.summary}".lower()
        terms = (term.partition("==") for term in text.split(" and "))
        return all(self._value(row, name.strip()) == value.strip().strip('"') for name, _, value in terms)

    def select(self, text: str, session: str = "") -> Selection:
        wrong = self._wrong(text)
        if wrong:
            return Selection(np.arange(len(self.rows), dtype=np.int64), wrong)
        return Selection(self.matches(text, session, 0))

    def matches(self, text: str, session: str, first: int) -> NDArray[np.int64]:
        found = [k for k in range(first, len(self.rows)) if self._fits(self.rows[k], text, session)]
        return np.array(found, dtype=np.int64)

    def density(self, start: datetime, end: datetime, bins: int) -> NDArray[np.int64]:
        times = [row.time.timestamp() for row in self.rows]
        counts, _ = np.histogram(times, bins=bins, range=(start.timestamp(), end.timestamp()))
        return counts.astype(np.int64)


@dataclass
class FakeDesk:
    """The lab at a standstill; every list may be replaced by a test, which then calls :meth:`touch`."""

    messages: FakeLog = field(default_factory=lambda: FakeLog(lab_messages()))
    timezone: tzinfo = ZONE
    time: datetime = NOW
    session_views: list[SessionView] = field(default_factory=lab_sessions)
    ven_views: list[VenView] = field(default_factory=lab_vens)
    event_views: list[EventView] = field(default_factory=lab_events)
    report_views: list[ReportView] = field(default_factory=lab_reports)
    site_view: SiteView | None = field(default_factory=lab_site)
    finding_views: list[FindingView] = field(default_factory=lab_findings)
    issued: list[tuple[str, object]] = field(default_factory=list)
    """Commands given, as (name, arguments)."""
    searches: list[Search] = field(default_factory=list)
    """Handed out one after the other."""
    searched: list[str] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)
    changed: set[str] = field(default_factory=lambda: {str(area) for area in Area})

    def now(self) -> datetime:
        return self.time

    def touch(self, *areas: str) -> None:
        self.changed |= set(areas)

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
        self.touch(Area.STATUS, Area.PRESENCE, Area.SITE)

    def append(self, count: int = 1, **changes: object) -> None:
        """Let ``count`` more messages come in, like the last request of the log."""
        for _ in range(count):
            number = len(self.messages) + 1
            base = MessageView(
                number, self.time, "vtn-lab", False, "ven-1", "oadrPoll", "every 10 s", 402, 0, 0, 0, 0, 0, None, 0
            )  # fmt: skip
            self.messages.rows.append(replace(base, **changes))  # pyright: ignore[reportArgumentType]
        self.touch(Area.MESSAGES, Area.STATUS)

    def take_changes(self) -> frozenset[str]:
        taken = frozenset(self.changed)
        self.changed = set()
        return taken

    def sessions(self) -> Sequence[SessionView]:
        return self.session_views

    def vens(self) -> Sequence[VenView]:
        return self.ven_views

    def events(self) -> Sequence[EventView]:
        return self.event_views

    def reports(self) -> Sequence[ReportView]:
        return self.report_views

    def site(self) -> SiteView | None:
        return self.site_view

    def series(self, key: str) -> Series:
        """Seventy minutes before now, a point each 10 s, of a shape that belongs to the key."""
        times = np.arange(self.time.timestamp() - 4200, self.time.timestamp() + 1, 10.0)
        x = (times - times[0]) / 4200
        started = times >= at("10:30").timestamp()
        shape = {
            "site/net": np.where(started, 6930 + 40 * np.sin(x * 90), 10_900 * (x > 0.2)),
            "device/PV roof": -(1500 + 850 * x + 60 * np.sin(x * 40)),
            "device/Battery": np.where(started, -1600.0, 300.0),
            "device/EVSE": np.where(started, 7590.0, np.where(x > 0.2, 11_040.0, 0.0)),
            "device/Washer": np.where(x > 0.7, 2050.0, 0.0),
            "device/Household": 1000 + 250 * np.sin(x * 9),
            "soc/Battery": 0.64 - 0.03 * x,
            "soc/EVSE": 0.30 + 0.14 * x,
        }.get(key, 4100 + 700 * np.sin(x * 12))
        unit = "" if key.startswith("soc/") else "Wh" if key.endswith("energy") else "W"
        return Series(times, np.asarray(shape, dtype=np.float64), unit or None)

    def findings(self) -> Sequence[FindingView]:
        return self.finding_views

    def status(self) -> StatusView:
        vens = sum(1 for ven in self.ven_views if ven.registered)
        listening = f"VTN vtn-lab listening on {URL}"
        return StatusView(listening, vens, len(self.messages), 0, timedelta(hours=1, minutes=12), 1.0, self.time)

    def inspect(self, number: int) -> Inspection:
        view = self.messages.rows[number - 1]
        distribute = view.element == "oadrDistributeEvent"
        if view.element.startswith("("):
            garbage = b"PK\x03\x04" + bytes(range(256))
            bad = Finding("xml", Severity.ERROR, "The body is not XML: it begins with 'PK'. It was recorded.")
            return Inspection(
                view, "192.0.2.77 sent 260 bytes that are not XML.", leaf("body", findings=(bad,)), (bad,),
                garbage, garbage.decode("latin-1"), (("Content-Type", "application/zip"),), "POST /EiEvent",
            )  # fmt: skip
        sentence = (
            "vtn-utility asks ven-7 to keep its load at 7.00 kW from 10:30 to 11:30 (1 h). It changes e-17: the end "
            "was 11:15. An answer is always wanted."
            if distribute
            else f"{view.peer} says {view.element}: {view.summary}."
        )
        levels = [Severity.ERROR] * view.errors + [Severity.WARNING] * view.warnings + [Severity.INFO] * view.infos
        remarks = tuple(Finding("516", level, view.summary, view.element, view.element) for level in levels)
        plain = leaf(view.element, "2.0b", path=view.element, findings=remarks)
        tree = lab_tree(view.element) if distribute else plain
        return Inspection(
            view=view,
            sentence=sentence,
            tree=tree,
            findings=(ORDER, NOTICE) if distribute else remarks,
            body=SOURCE.encode(),
            pretty=SOURCE,
            headers=(("Content-Type", "application/xml"), ("Content-Length", str(view.size)), ("Host", "127.0.0.1")),
            start_line="200 OK" if view.reply_to else "POST /OpenADR2/Simple/2.0b/OadrPoll",
            recorded="recorded 10:42:03.216 +02:00",
        )  # fmt: skip

    def search(self, text: str, session: str = "") -> Search | None:
        self.searched.append(text)
        return self.searches.pop(0) if self.searches else None

    def filter_values(self, field: str) -> Sequence[str]:
        if field not in ("peer", "element", "session"):
            return ()
        return tuple(dict.fromkeys(str(getattr(row, field)) for row in self.messages.rows))

    def value_history(self, number: int, path: str) -> ValueHistory:
        raise NotImplementedError("the lab at a standstill has no bodies; see tests/ui/test_messages_in_use.py")

    def previous_of_kind(self, number: int) -> int:
        rows = self.messages.rows
        here = rows[number - 1]
        same = (
            row.number for row in reversed(rows[: number - 1]) if (row.element, row.peer) == (here.element, here.peer)
        )
        return next(same, 0)

    def conversation(self, number: int) -> Conversation:
        view = self.messages.rows[number - 1]
        other = view.reply_to or view.answered_by
        pair = (view, self.messages.rows[other - 1]) if 0 < other <= len(self.messages) else (view,)
        return Conversation(pair if not view.reply_to else pair[::-1])

    def recall(self, key: str, default: Any = None) -> Any:
        return self.kept.get(key, default)

    def remember(self, key: str, value: object) -> None:
        self.kept[key] = value

    def check_draft(self, draft: EventDraft) -> Sequence[Finding]:
        total = sum((duration for duration, _ in draft.intervals), timedelta())
        if not total:
            return [Finding("102", Severity.ERROR, "The event has no interval that lasts.", element="interval")]
        if draft.notification < timedelta(minutes=5):
            return [Finding("34", Severity.WARNING, "ven-2 may miss it: it has not polled for 22 s.")]
        return []

    def draft_source(self, draft: EventDraft) -> str:
        return SOURCE.replace("LOAD_DISPATCH", draft.signal_name)

    def _done(self, name: str, given: tuple[object, ...], text: str, subject: str = "") -> Outcome:
        self.issued.append((name, given))
        return Outcome(True, text, subject)

    def start_lab(self) -> Outcome:
        return self._done("start_lab", (), "The lab is starting.")

    def issue_event(self, session: str, draft: EventDraft) -> Outcome:
        return self._done("issue_event", (session, draft), "Issued e-204 to 12 VENs.", "e-204")

    def modify_event(self, session: str, event_id: str, draft: EventDraft) -> Outcome:
        return self._done("modify_event", (session, event_id, draft), f"Modified {event_id}.", event_id)

    def cancel_event(self, session: str, event_id: str) -> Outcome:
        return self._done("cancel_event", (session, event_id), f"Cancelled {event_id}.", event_id)

    def request_report(self, session: str, ven_id: str, r_ids: Sequence[str], period: timedelta) -> Outcome:
        return self._done("request_report", (session, ven_id, tuple(r_ids), period), f"Requested {len(r_ids)} rIDs.")

    def cancel_report(self, session: str, ven_id: str, report_request_id: str) -> Outcome:
        return self._done("cancel_report", (session, ven_id, report_request_id), f"Cancelled {report_request_id}.")

    def set_opt(self, session: str, event_id: str, opt_type: str) -> Outcome:
        return self._done("set_opt", (session, event_id, opt_type), f"{opt_type} sent for {event_id}.", event_id)


def fake_desk() -> Desk:
    """The lab, checked by type against the protocol that it stands in for."""
    return FakeDesk()


def empty_desk() -> FakeDesk:
    """A desk on which nothing has happened yet: one VTN that listens."""
    return FakeDesk(
        messages=FakeLog(),
        session_views=lab_sessions()[:1],
        ven_views=[],
        event_views=[],
        report_views=[],
        site_view=None,
        finding_views=[],
    )
