"""Reports as the desk shows them: offered, requested, running, stale, stopped, one row per rID."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.app.series import SeriesBook
from console.app.views import ReportView
from console.app.words import quantity
from console.openadr.facts import (
    Fact,
    ReportOffered,
    ReportPoint,
    ReportRequested,
    ReportsOffered,
    ReportStopped,
    StatusValue,
    Unregistered,
)

STALE_AFTER = 3
"""Periods without a point after which a running report is called stale."""


@dataclass(slots=True)
class _Row:
    session: str
    offer: ReportOffered
    request_id: str = ""
    period: timedelta | None = None
    stopped: bool = False
    last_at: datetime | None = None
    last_value: str = ""
    points: int = 0


class ReportTable:
    """Apply facts; read views. Numbers go to the series book under ``session/ven/rID``."""

    def __init__(self, series: SeriesBook) -> None:
        self._series = series
        self._rows: dict[tuple[str, str, str, str], _Row] = {}
        self._of_point: dict[tuple[str, str, str], list[_Row]] = {}
        """Rows by session, VEN and rID: what a data point names."""

    def apply(self, session: str, fact: Fact, at: datetime) -> bool:
        """Take in a fact; True when reports changed."""
        match fact:
            case ReportsOffered():
                # Rule 306: a METADATA report replaces the previous set and its requests.
                for key in [key for key in self._rows if key[:2] == (session, fact.ven_id)]:
                    del self._rows[key]
                    self._of_point.pop((session, fact.ven_id, key[3]), None)
            case ReportOffered():
                row = self._rows[session, fact.ven_id, fact.report_specifier_id, fact.r_id] = _Row(session, fact)
                self._of_point.setdefault((session, fact.ven_id, fact.r_id), []).append(row)
            case ReportRequested():
                for r_id in fact.r_ids:
                    row = self._rows.get((session, fact.ven_id, fact.report_specifier_id, r_id))
                    if row:
                        row.request_id, row.period, row.stopped = fact.report_request_id, fact.report_back, False
            case ReportStopped():
                for row in self._rows.values():
                    if row.session == session and row.request_id == fact.report_request_id:
                        row.stopped = True
            case ReportPoint():
                return self._point(session, fact, at)
            case Unregistered():
                for row in self._rows.values():
                    if row.session == session and row.offer.ven_id == fact.ven_id:
                        row.stopped = True
            case _:
                return False
        return True

    def _point(self, session: str, fact: ReportPoint, at: datetime) -> bool:
        row = self._row_of(session, fact)
        value, quality = fact.value, fact.quality
        if isinstance(value, StatusValue):
            shown = "online" if value.online else "offline"
            if value.manual_override:
                shown += ", overridden"
        else:
            shown = quantity(value, fact.unit)
            gap = quality.startswith(("No Quality", "Quality Bad"))
            self._series.add(series_key(session, fact.ven_id, fact.r_id), fact.start, float("nan") if gap else value,
                             fact.unit)  # fmt: skip
        if row:
            row.last_at, row.points = at, row.points + 1
            row.last_value = shown if not quality.startswith("Quality Bad") else f"{shown} ({quality})"
        return True

    def _row_of(self, session: str, fact: ReportPoint) -> _Row | None:
        rows = self._of_point.get((session, fact.ven_id, fact.r_id), [])
        return next((row for row in rows if row.request_id == fact.report_request_id), rows[0] if rows else None)

    def views(self, now: datetime) -> list[ReportView]:
        """All rows by VEN, report, rID."""
        return [self._view(row, now) for _, row in sorted(self._rows.items())]

    def _view(self, row: _Row, now: datetime) -> ReportView:
        offer = row.offer
        key = series_key(row.session, offer.ven_id, offer.r_id)
        return ReportView(
            session=row.session,
            ven_id=offer.ven_id,
            report_name=offer.report_name,
            report_specifier_id=offer.report_specifier_id,
            r_id=offer.r_id,
            report_type=offer.report_type,
            reading_type=offer.reading_type,
            unit=offer.unit,
            resource_id=offer.resource_id,
            min_period=offer.min_period,
            max_period=offer.max_period,
            state=_state(row, now),
            report_request_id=row.request_id,
            period=row.period,
            last_at=row.last_at,
            last_value=row.last_value,
            points=row.points,
            series=key if self._series.count(key) else "",
        )


def series_key(session: str, ven_id: str, r_id: str) -> str:
    return f"report/{session}/{ven_id}/{r_id}"


def _state(row: _Row, now: datetime) -> str:
    if not row.request_id:
        return "offered"
    if row.stopped:
        return "stopped"
    if row.last_at is None:
        return "requested"
    late = row.period and now - row.last_at > STALE_AFTER * row.period
    return "stale" if late else "running"
