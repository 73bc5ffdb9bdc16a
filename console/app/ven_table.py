"""VENs of our VTNs as the presence board shows them, built from facts and the log."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from console.app.views import VenView
from console.openadr.facts import Fact, PresenceChanged, PresenceState, Registered, ReportPoint, Unregistered

_WORST_FIRST = {PresenceState.LATE: 0, PresenceState.OFFLINE: 1, PresenceState.NEVER: 2, PresenceState.OK: 3}


@dataclass(slots=True)
class _Row:
    session: str
    ven_id: str
    name: str = ""
    profile: str = "2.0b"
    transport: str = "simpleHttp"
    state: PresenceState = PresenceState.NEVER
    registered: bool = False
    last_seen: datetime | None = None
    poll_period: timedelta | None = None
    registration_id: str = ""
    fingerprint: str = ""
    address: str = ""
    last_message: int = 0
    last_report: datetime | None = None
    findings: int = 0
    polls: deque[datetime] = field(default_factory=lambda: deque(maxlen=120))


class VenTable:
    """Apply facts and messages heard; read views."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], _Row] = {}

    def _row(self, session: str, ven_id: str) -> _Row:
        return self._rows.setdefault((session, ven_id), _Row(session, ven_id))

    def apply(self, session: str, fact: Fact, at: datetime) -> bool:
        """Take in a fact of a VTN session; True when something shown changed."""
        if isinstance(fact, Registered):
            row = self._row(session, fact.ven_id)
            row.name, row.profile, row.transport = fact.ven_name, fact.profile, fact.transport
            row.registration_id, row.address = fact.registration_id, fact.address
            row.registered, row.poll_period = True, fact.poll_period or row.poll_period
        elif isinstance(fact, Unregistered):
            row = self._row(session, fact.ven_id)
            row.registered, row.registration_id = False, ""
        elif isinstance(fact, PresenceChanged):
            row = self._row(session, fact.ven_id)
            row.state = fact.state
            row.poll_period = fact.poll_period or row.poll_period
            row.last_seen = fact.last_seen or row.last_seen
        elif isinstance(fact, ReportPoint):
            self._row(session, fact.ven_id).last_report = at
        else:
            return False
        return True

    def heard(self, session: str, ven_id: str, number: int, at: datetime, poll: bool, findings: int) -> None:
        """A message of ``ven_id`` came in."""
        row = self._rows.get((session, ven_id))
        if row is None:
            return
        row.last_message, row.last_seen = number, at
        row.findings += findings
        if poll:
            row.polls.append(at)

    def count(self, session: str = "") -> int:
        return sum(row.registered for row in self._rows.values() if not session or row.session == session)

    def knows(self, session: str, ven_id: str) -> bool:
        return (session, ven_id) in self._rows

    def registered(self, session: str) -> list[str]:
        return sorted(row.ven_id for row in self._rows.values() if row.session == session and row.registered)

    def views(self, events_of: Callable[[str, str], tuple[tuple[str, str], ...]]) -> list[VenView]:
        """All VENs, worst first, then by venID; ``events_of(session, ven_id)`` gives its open events."""
        rows = sorted(self._rows.values(), key=lambda row: (_WORST_FIRST[row.state], row.ven_id, row.session))
        return [
            VenView(
                session=row.session,
                ven_id=row.ven_id,
                name=row.name,
                profile=row.profile,
                transport="HTTP" if row.transport == "simpleHttp" else row.transport.upper(),
                state=row.state,
                registered=row.registered,
                last_seen=row.last_seen,
                poll_period=row.poll_period,
                registration_id=row.registration_id,
                fingerprint=row.fingerprint,
                address=row.address,
                last_message=row.last_message,
                events=events_of(row.session, row.ven_id),
                last_report=row.last_report,
                findings=row.findings,
                poll_times=tuple(row.polls),
            )
            for row in rows
        ]
