"""Events of all sessions as the desk shows them, built from facts alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from console.app.views import EventVen, EventView
from console.app.words import event_label
from console.openadr.facts import EventChanged, EventGone, EventStatus, Fact, OptChanged, Unregistered

_OVER = (EventStatus.COMPLETED, EventStatus.CANCELLED)


@dataclass(slots=True)
class _Row:
    session: str
    mine: bool
    event: EventChanged
    vens: dict[str, EventVen] = field(default_factory=dict)
    history: list[tuple[datetime, int, str]] = field(default_factory=list)


def end_of(event: EventChanged) -> datetime | None:
    """End of the active period; None is open ended (rule 47)."""
    return event.start + event.duration if event.duration else None


class EventTable:
    """Apply facts; read views."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], _Row] = {}
        self._of_ven: dict[tuple[str, str], list[_Row]] = {}
        """Events a VEN has a part in, by session and venID; those that are over leave when they are come across."""

    def apply(self, session: str, mine: bool, fact: Fact, at: datetime) -> bool:
        """Take in a fact; True when events changed."""
        if isinstance(fact, EventChanged):
            self._changed(session, mine, fact, at)
        elif isinstance(fact, EventGone):
            self._gone(session, fact.ven_id, fact.event_id, fact.why)
        elif isinstance(fact, OptChanged):
            self._opt(session, fact, at)
        elif isinstance(fact, Unregistered):
            for row in [row for row in self._rows.values() if row.session == session]:
                if fact.ven_id in row.vens and row.event.status not in _OVER:
                    self._gone(session, fact.ven_id, row.event.event_id, fact.why)
        else:
            return False
        return True

    def _changed(self, session: str, mine: bool, fact: EventChanged, at: datetime) -> None:
        key = (session, fact.event_id)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = _Row(session, mine, fact)
            row.history.append((at, fact.modification_number, "issued" if mine else "received"))
        elif fact.modification_number > row.event.modification_number:
            what = "cancelled" if fact.status == EventStatus.CANCELLED else _difference(row.event, fact)
            row.history.append((at, fact.modification_number, what))
        if fact.modification_number >= row.event.modification_number:
            row.event = replace(fact, ven_id=row.event.ven_id)
        ven = row.vens.get(fact.ven_id, EventVen(fact.ven_id, fact.status))
        row.vens[fact.ven_id] = replace(ven, status=fact.status, gone="")
        held = self._of_ven.setdefault((session, fact.ven_id), [])
        if not any(each is row for each in held):
            held.append(row)

    def _gone(self, session: str, ven_id: str, event_id: str, why: str) -> None:
        row = self._rows.get((session, event_id))
        if row and ven_id in row.vens:
            row.vens[ven_id] = replace(row.vens[ven_id], gone=why)

    def _opt(self, session: str, fact: OptChanged, at: datetime) -> None:
        row = self._rows.get((session, fact.event_id))
        if row is None:
            return
        ven = row.vens.get(fact.ven_id, EventVen(fact.ven_id, row.event.status))
        row.vens[fact.ven_id] = replace(ven, opt_type=fact.opt_type, answered_at=at, text=fact.text)

    def get(self, session: str, event_id: str) -> EventView | None:
        row = self._rows.get((session, event_id))
        return _view(row) if row else None

    def views(self) -> list[EventView]:
        """All events by start, then eventID."""
        rows = sorted(self._rows.values(), key=lambda row: (row.event.start, row.event.event_id, row.session))
        return [_view(row) for row in rows]

    def open_for(self, session: str, ven_id: str) -> tuple[tuple[str, str], ...]:
        """(eventID, opt) of events of one VEN that are not over."""
        held = [row for row in self._of_ven.get((session, ven_id), ()) if _is_open(row.vens[ven_id])]
        self._of_ven[session, ven_id] = held
        return tuple((row.event.event_id, row.vens[ven_id].opt_type) for row in held)


def _is_open(ven: EventVen) -> bool:
    return not ven.gone and ven.status not in _OVER


def _view(row: _Row) -> EventView:
    return EventView(
        session=row.session,
        mine=row.mine,
        event=row.event,
        end=end_of(row.event),
        label=event_label(row.event),
        vens=tuple(row.vens[ven_id] for ven_id in sorted(row.vens)),
        history=tuple(row.history),
    )


def _difference(old: EventChanged, new: EventChanged) -> str:
    """What a modification changed, in a few words."""
    words = []
    if new.start != old.start:
        words.append("start")
    if new.duration != old.duration:
        words.append("duration")
    if [s.intervals for s in new.signals] != [s.intervals for s in old.signals]:
        words.append("values")
    if (new.priority, new.market_context, new.test_event) != (old.priority, old.market_context, old.test_event):
        words.append("descriptor")
    return f"changed: {', '.join(words)}" if words else "modified"
