"""A VEN's events over a restart: their XML as one oadrDistributeEvent, and what only the VEN knows of each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from console.openadr.codec import dissect, write
from console.openadr.facts import EventStatus
from console.openadr.keeping import Kept, instant, kept, kept_list, number, read_instant, text
from console.openadr.model import OadrDistributeEvent
from console.openadr.received_events import Held, ReceivedEvents


def keep_held(events: ReceivedEvents) -> Kept:
    held = list(events.held.values())
    message = OadrDistributeEvent(request_id="kept", vtn_id=events.vtn_id, events=tuple(one.event for one in held))
    return {
        "xml": write(message).decode(),
        "held": [
            {
                "offset": one.offset.total_seconds(),
                "request_id": one.request_id,
                "opt_type": one.opt_type,
                "told": one.told.value,
                "stop_at": None if one.stop_at is None else instant(one.stop_at),
                "over": one.over,
            }
            for one in held
        ],
    }


def read_held(value: object) -> list[Held]:
    """Events as kept; ``ValueError`` where text and notes do not fit each other."""
    values = kept(value)
    message = dissect(text(values, "xml").encode()).message
    notes = kept_list(values.get("held"))
    if not isinstance(message, OadrDistributeEvent) or len(message.events) != len(notes):
        raise ValueError("the kept events cannot be read")
    return [
        Held(
            event,
            timedelta(seconds=number(note, "offset")),
            text(note, "request_id"),
            text(note, "opt_type"),
            EventStatus(text(note, "told")),
            _instant(note.get("stop_at")),
            bool(note.get("over")),
        )
        for event, note in zip(message.events, notes, strict=True)
    ]


def _instant(value: object) -> datetime | None:
    return None if value is None else read_instant(value).astimezone(UTC)
