"""The desk's tables, fed with facts as sessions give them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from console.app.event_table import EventTable
from console.app.fact_lines import fact_members, json_line
from console.app.report_table import ReportTable, series_key
from console.app.series import KEEP, SeriesBook
from console.app.ven_table import VenTable
from console.openadr.facts import (
    EventChanged,
    EventGone,
    EventStatus,
    IntervalFact,
    OptChanged,
    PresenceChanged,
    PresenceState,
    Registered,
    ReportOffered,
    ReportPoint,
    ReportRequested,
    ReportsOffered,
    ReportStopped,
    SignalFact,
    StatusValue,
)

T0 = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def event(modification=0, status=EventStatus.FAR, ven_id="v-1", value=7000.0) -> EventChanged:
    interval = IntervalFact(T0, timedelta(hours=1), value)
    signal = SignalFact("s", "LOAD_DISPATCH", "setpoint", "W", (interval,))
    return EventChanged("e-1", modification, status, ven_id, "http://x", T0, timedelta(hours=1), (signal,))


def test_an_event_gathers_its_vens_answers_and_modifications():
    table = EventTable()
    for ven_id in ("v-2", "v-1"):
        assert table.apply("vtn", True, event(ven_id=ven_id), T0)
    table.apply("vtn", True, OptChanged("v-1", "e-1", 0, "optIn"), T0 + SECOND)
    table.apply("vtn", True, event(1, ven_id="v-1", value=3000.0), T0 + 2 * SECOND)
    table.apply("vtn", True, event(1, ven_id="v-2", value=3000.0), T0 + 2 * SECOND)
    (view,) = table.views()
    assert view.mine and view.label == "3.00\u00a0kW" and view.end == T0 + timedelta(hours=1)
    assert [(ven.ven_id, ven.opt_type) for ven in view.vens] == [("v-1", "optIn"), ("v-2", "")]
    assert [(number, what) for _, number, what in view.history] == [(0, "issued"), (1, "changed: values")]


def test_a_gone_event_is_no_longer_open_for_its_ven():
    table = EventTable()
    table.apply("vtn", True, event(), T0)
    assert table.open_for("vtn", "v-1") == (("e-1", ""),)
    table.apply("vtn", True, EventGone("e-1", "v-1", "implied cancel"), T0)
    assert table.open_for("vtn", "v-1") == ()


def test_vens_stand_worst_first():
    table = VenTable()
    for ven_id, state in (("a", PresenceState.OK), ("b", PresenceState.OFFLINE), ("c", PresenceState.LATE)):
        table.apply("vtn", Registered(ven_id, ven_id.upper(), "r"), T0)
        table.apply("vtn", PresenceChanged(ven_id, state, T0, 10 * SECOND), T0)
    assert [view.ven_id for view in table.views(lambda *_: ())] == ["c", "b", "a"]
    table.heard("vtn", "a", 12, T0, True, 2)
    row = table.views(lambda *_: ())[-1]
    assert (row.last_message, row.findings, row.poll_times) == (12, 2, (T0,))


def offered(table: ReportTable) -> None:
    table.apply("vtn", ReportsOffered("v-1", 1), T0)
    table.apply("vtn", ReportOffered("v-1", "spec", "TELEMETRY_USAGE", "r-1", "usage", "Direct Read", "W"), T0)


def test_a_report_goes_from_offered_to_requested_to_running_to_stale_to_stopped():
    table = ReportTable(SeriesBook())
    offered(table)
    assert table.views(T0)[0].state == "offered"
    table.apply("vtn", ReportRequested("v-1", "q-1", "spec", ("r-1",), 2 * SECOND, 2 * SECOND), T0)
    assert table.views(T0)[0].state == "requested"
    table.apply("vtn", ReportPoint("v-1", "q-1", "r-1", 4100.0, "W", T0), T0)
    view = table.views(T0 + SECOND)[0]
    assert (view.state, view.last_value, view.points, view.series) == (
        "running", "4.10\u00a0kW", 1, series_key("vtn", "v-1", "r-1"),
    )  # fmt: skip
    assert table.views(T0 + 7 * SECOND)[0].state == "stale"
    table.apply("vtn", ReportStopped("v-1", "q-1", "cancelled"), T0)
    assert table.views(T0)[0].state == "stopped"


def test_a_value_of_bad_quality_is_a_gap():
    series = SeriesBook()
    table = ReportTable(series)
    offered(table)
    table.apply("vtn", ReportPoint("v-1", "q", "r-1", 1.0, "W", T0), T0)
    table.apply("vtn", ReportPoint("v-1", "q", "r-1", 0.0, "W", T0 + SECOND, quality="Quality Bad - Not Connected"), T0)
    values = series.get(series_key("vtn", "v-1", "r-1")).values
    assert values[0] == 1.0 and math.isnan(values[1])


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(-1e6, 1e6)), max_size=80))
def test_series_stay_in_order_and_a_later_value_replaces(points):
    book, oracle = SeriesBook(), {}
    for second, value in points:
        book.add("k", T0 + second * SECOND, value)
        oracle[(T0 + second * SECOND).timestamp()] = value
    series = book.get("k")
    assert list(series.times) == sorted(oracle)
    assert list(series.values) == [oracle[time] for time in sorted(oracle)]


def test_a_full_series_lets_its_oldest_go():
    book = SeriesBook()
    for second in range(KEEP + 10):
        book.add("k", T0 + second * SECOND, float(second))
    series = book.get("k")
    assert len(series.times) <= KEEP
    assert series.values[-1] == KEEP + 9
    assert np.all(np.diff(series.times) == 1.0)


def test_facts_are_the_lines_scripts_rely_on():
    assert json_line(OptChanged("v-1", "e-1", 2, "optOut")) == (
        '{"fact": "opt", "ven_id": "v-1", "event_id": "e-1", "modification_number": 2, "opt_type": "optOut"}'
    )
    assert fact_members(ReportPoint("v", "q", "r", 4250.0, "W", T0)) == {
        "fact": "report", "ven_id": "v", "report_request_id": "q", "r_id": "r", "value": 4250.0, "unit": "W",
        "start": "2026-01-05T10:00:00Z",
    }  # fmt: skip
    status = ReportPoint("v", "q", "r", StatusValue(True, False, (("capacity.current", 0.5),)), None, T0)
    assert fact_members(status)["value"] == {"online": True, "manual_override": False, "capacity.current": 0.5}  # type: ignore[index]
    assert fact_members(status)["unit"] is None  # type: ignore[index]
    assert list(fact_members(event()) or ()) == [
        "fact", "event_id", "modification_number", "status", "signal", "ven_id",
    ]  # fmt: skip
    assert json_line(ReportsOffered("v", 3)) is None
