"""Role state as JSON-able values and back: instants, spans, drafts. Unknown or damaged values raise ``ValueError``.

What a role keeps was written by ourselves, so damage is our own or the disk's and not a peer's: a session tells it as
such instead of going on with half a memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import cast

from console.openadr.commands import EventDraft

Kept = dict[str, object]
"""A JSON object."""


def kept(value: object) -> Kept:
    """``value`` as a JSON object."""
    if not isinstance(value, dict):
        raise ValueError(f"kept state should hold an object, not {value!r}")
    return cast(Kept, value)


def kept_list(value: object) -> list[Kept]:
    """``value`` as a list of JSON objects."""
    if not isinstance(value, Iterable):
        raise ValueError(f"kept state should hold a list, not {value!r}")
    return [kept(item) for item in cast(Iterable[object], value)]


def text(values: Mapping[str, object], key: str, default: str = "") -> str:
    value = values.get(key, default)
    if not isinstance(value, str):
        raise ValueError(f"{key} should be a text, not {value!r}")
    return value


def number(values: Mapping[str, object], key: str, default: float = 0) -> float:
    value = values.get(key, default)
    if not isinstance(value, int | float):
        raise ValueError(f"{key} should be a number, not {value!r}")
    return value


def texts(values: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = values.get(key, ())
    if not isinstance(value, list | tuple):
        raise ValueError(f"{key} should be a list, not {value!r}")
    return tuple(str(item) for item in cast(Iterable[object], value))


def instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def read_instant(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no instant")
    return datetime.fromisoformat(value)


def span(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()


def read_span(value: object) -> timedelta | None:
    if value is None:
        return None
    if not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no number of seconds")
    return timedelta(seconds=value)


def keep_draft(draft: EventDraft) -> Kept:
    return {
        "event_id": draft.event_id,
        "signal_name": draft.signal_name,
        "signal_type": draft.signal_type,
        "unit": draft.unit,
        "start": instant(draft.start),
        "intervals": [{"duration": span(length), "value": value} for length, value in draft.intervals],
        "market_context": draft.market_context,
        "priority": draft.priority,
        "response_required": draft.response_required,
        "notification": span(draft.notification),
        "ramp_up": span(draft.ramp_up),
        "recovery": span(draft.recovery),
        "start_after": span(draft.start_after),
        "test_event": draft.test_event,
        "vtn_comment": draft.vtn_comment,
        "ven_ids": list(draft.ven_ids),
    }


def read_draft(value: object) -> EventDraft:
    fields = kept(value)
    unit = fields.get("unit")
    return EventDraft(
        event_id=text(fields, "event_id"),
        signal_name=text(fields, "signal_name"),
        signal_type=text(fields, "signal_type"),
        unit=unit if isinstance(unit, str) else None,
        start=read_instant(fields.get("start")),
        intervals=tuple(
            (read_span(item.get("duration")) or timedelta(0), float(number(item, "value")))
            for item in kept_list(fields.get("intervals"))
        ),
        market_context=text(fields, "market_context"),
        priority=int(number(fields, "priority")),
        response_required=text(fields, "response_required", "always"),
        notification=read_span(fields.get("notification")) or timedelta(0),
        ramp_up=read_span(fields.get("ramp_up")),
        recovery=read_span(fields.get("recovery")),
        start_after=read_span(fields.get("start_after")),
        test_event=bool(fields.get("test_event")),
        vtn_comment=text(fields, "vtn_comment"),
        ven_ids=texts(fields, "ven_ids"),
    )
