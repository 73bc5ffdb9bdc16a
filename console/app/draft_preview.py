"""The message a draft would become, made by the same code that sends it."""

from __future__ import annotations

from datetime import datetime

from console.openadr.commands import EventDraft
from console.openadr.findings import Finding, Severity
from console.openadr.issued import Issued, complaint, whole
from console.openadr.model import OadrDistributeEvent


def preview(draft: EventDraft, vtn_id: str, now: datetime, modification_number: int = 0) -> OadrDistributeEvent:
    """oadrDistributeEvent with this one event, as its first VEN would get it. The draft must have no complaint."""
    now = now.replace(microsecond=0)
    ven_id = draft.ven_ids[0] if draft.ven_ids else "ven"
    event = Issued(draft.event_id or "e-new", "signal-0", whole(draft), modification_number)
    return OadrDistributeEvent(request_id="preview", vtn_id=vtn_id, events=(event.message(ven_id, now, now),))


def impossible(draft: EventDraft) -> list[Finding]:
    """Why a draft cannot be sent at all; empty where it can."""
    text = complaint(draft)
    return [Finding("draft", Severity.ERROR, text)] if text else []


def late(draft: EventDraft, now: datetime) -> list[Finding]:
    """What is allowed and yet worth a second look: a start that has passed."""
    if draft.start >= now.replace(microsecond=0):
        return []
    return [Finding("draft", Severity.WARNING, "The start has passed: VENs begin at once, and some refuse it.")]
