"""Numeric report points as rows: what names a series is one text, what differs from point to point are columns."""

from __future__ import annotations

import json
from datetime import datetime

from console.openadr.facts import ReportPoint
from console.store.log import MICROSECOND, to_instant, to_microseconds
from console.store.subscription import NotedFact
from console.store.writer import Row


def to_row(number: int, session: str, time: datetime, point: ReportPoint) -> Row:
    """One row of the point table. ``point.value`` has to be a number."""
    named = [session, point.ven_id, point.report_request_id, point.r_id, point.unit, point.report_name]
    return {
        "id": number,
        "series": json.dumps(named, separators=(",", ":")),
        "time": to_microseconds(time),
        "start": to_microseconds(point.start),
        "duration": None if point.duration is None else point.duration // MICROSECOND,
        "value": point.value,
        "quality": point.quality,
    }


def from_row(row: Row) -> NotedFact:
    session, ven_id, report_request_id, r_id, unit, report_name = json.loads(row["series"])
    point = ReportPoint(
        ven_id=ven_id,
        report_request_id=report_request_id,
        r_id=r_id,
        value=row["value"],
        unit=unit,
        start=to_instant(row["start"]),
        duration=None if row["duration"] is None else row["duration"] * MICROSECOND,
        quality=row["quality"],
        report_name=report_name,
    )
    return NotedFact(session, to_instant(row["time"]), point)
