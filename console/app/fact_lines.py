"""Facts as lines: JSON for scripts (``--json``), plain sentences for people at a terminal.

The members and their names are an interface that scripts rely on; README lists them. Times are RFC 3339 with Z.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, tzinfo

from console.app.words import event_label, quantity, watts
from console.openadr.facts import (
    Closed,
    DeviceChanged,
    EventChanged,
    Fact,
    FindingMade,
    Listening,
    OptChanged,
    PresenceChanged,
    ReasonGiven,
    Registered,
    RegistrationFailed,
    ReportPoint,
    StatusValue,
    Unregistered,
)


def rfc3339(at: datetime) -> str:
    """``2026-06-16T09:30:00Z``; fractions only where there are any."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def fact_members(fact: Fact) -> dict[str, object] | None:
    """The JSON object of a fact, ``"fact"`` first; None for facts that are not part of the interface."""
    match fact:
        case Listening():
            return {"fact": "listening", "url": fact.url}
        case Registered():
            return {"fact": "registered", "ven_id": fact.ven_id, "ven_name": fact.ven_name,
                    "registration_id": fact.registration_id}  # fmt: skip
        case EventChanged():
            return {"fact": "event", "event_id": fact.event_id, "modification_number": fact.modification_number,
                    "status": str(fact.status), "signal": fact.signals[0].name if fact.signals else "",
                    "ven_id": fact.ven_id}  # fmt: skip
        case OptChanged():
            return {"fact": "opt", "ven_id": fact.ven_id, "event_id": fact.event_id,
                    "modification_number": fact.modification_number, "opt_type": fact.opt_type}  # fmt: skip
        case ReportPoint():
            return {"fact": "report", "ven_id": fact.ven_id, "report_request_id": fact.report_request_id,
                    "r_id": fact.r_id, "value": _value(fact.value),
                    "unit": None if isinstance(fact.value, StatusValue) else fact.unit,
                    "start": rfc3339(fact.start)}  # fmt: skip
        case PresenceChanged():
            return {"fact": "presence", "ven_id": fact.ven_id, "state": str(fact.state)}
        case FindingMade():
            return {"fact": "finding", "message": fact.message, "element": fact.element, "rule": fact.rule,
                    "severity": fact.severity, "text": fact.text}  # fmt: skip
        case DeviceChanged():
            return {"fact": "device", "name": fact.name, "kind": fact.kind, "power": round(fact.power, 1),
                    "state": fact.state}  # fmt: skip
        case ReasonGiven():
            return {"fact": "reason", "device": fact.device, "text": fact.text}
        case Closed():
            return {"fact": "closed"}
        case _:
            return None


def _value(value: float | StatusValue) -> object:
    if not isinstance(value, StatusValue):
        return value
    status: dict[str, object] = {"online": value.online, "manual_override": value.manual_override}
    return status | dict(value.levels)


def json_line(fact: Fact) -> str | None:
    members = fact_members(fact)
    return json.dumps(members, ensure_ascii=False) if members is not None else None


def plain_line(fact: Fact, at: datetime, tz: tzinfo | None) -> str | None:
    """One line for a person: local time, then what happened; None for what would only be noise."""
    text = _sentence(fact, tz)
    return f"{at.astimezone(tz):%H:%M:%S}  {text}" if text else None


def _sentence(fact: Fact, tz: tzinfo | None) -> str | None:
    match fact:
        case Listening():
            return f"listening on {fact.url}"
        case Registered():
            return f"{fact.ven_name or fact.ven_id} is registered as {fact.ven_id}, registration {fact.registration_id}"
        case RegistrationFailed():
            return fact.text
        case Unregistered():
            return f"{fact.ven_id} is no longer registered: {fact.why}"
        case EventChanged():
            start = fact.start.astimezone(tz)
            span = f"from {start:%H:%M:%S}" + (
                f" to {start + fact.duration:%H:%M:%S}" if fact.duration else ", open end"
            )
            return (
                f"event {fact.event_id}/{fact.modification_number} {fact.status} for {fact.ven_id}: "
                f"{event_label(fact)} {span}"
            )
        case OptChanged():
            because = f" ({fact.text})" if fact.text else ""
            return f"{fact.ven_id} answers {fact.event_id}/{fact.modification_number} {fact.opt_type}{because}"
        case ReportPoint() if isinstance(fact.value, StatusValue):
            return f"{fact.ven_id} reports {fact.r_id}: {'online' if fact.value.online else 'offline'}"
        case ReportPoint():
            return f"{fact.ven_id} reports {fact.r_id}: {quantity(float(fact.value), fact.unit)}"  # type: ignore[arg-type]
        case PresenceChanged():
            return f"{fact.ven_id} is {fact.state}"
        case FindingMade():
            where = f"message {fact.message}, " if fact.message else ""
            return f"{fact.severity} in {where}{fact.element or 'transport'} (rule {fact.rule}): {fact.text}"
        case DeviceChanged():
            return f"{fact.name} {fact.state}, {watts(fact.power)}"
        case ReasonGiven():
            return f"{fact.device}: {fact.text}"
        case _:
            return None
