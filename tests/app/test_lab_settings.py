"""What the lab makes of its settings and of a recording that is already there."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from console.app.desk import LiveDesk
from console.app.lab import Lab, event_id_after
from console.app.lab_settings import LabSettings
from console.session.clock import SystemClock
from console.store.store import Store

NOW = datetime(2026, 6, 1, 7, 0, tzinfo=UTC)
HALF_PAST_ELEVEN = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)


def message_at(store: Store, at: datetime) -> None:
    store.append(
        time=at, session="vtn-lab", outgoing=True, peer="ven-7", transport="HTTP", start_line="", headers=(), body=b""
    )


def lab_over(store: Store, at: time = time(11, 30)) -> Lab:
    return Lab(LabSettings(at=at), LiveDesk(store, SystemClock(), UTC), NOW)


def test_a_new_recording_starts_at_the_time_asked_for(tmp_path: Path):
    with Store.open(tmp_path / "new.oadrrec") as store:
        lab = lab_over(store)
        assert (lab.origin, lab.continues) == (HALF_PAST_ELEVEN, False)
        assert lab_over(store, time(20, 0)).origin == HALF_PAST_ELEVEN + timedelta(hours=8.5)


def test_the_clock_never_runs_backwards_on_a_recording(tmp_path: Path):
    path = tmp_path / "kept.oadrrec"
    ended = HALF_PAST_ELEVEN + timedelta(minutes=3)
    with Store.open(path) as store:
        message_at(store, ended)
    with Store.open(path) as store:
        lab = lab_over(store)
        assert (lab.origin, lab.continues) == (ended, True)
        assert not lab_over(store, time(20, 0)).continues


def test_a_desk_does_not_read_through_a_recording_that_is_already_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with Store.open(tmp_path / "long.oadrrec") as store:
        for second in range(50):
            message_at(store, NOW + timedelta(seconds=second))
        read: list[int] = []
        view = store.log.view
        monkeypatch.setattr(type(store.log), "view", lambda log, row: read.append(row) or view(row))
        desk = LiveDesk(store, SystemClock(), UTC)
        desk.take_changes()
        assert read == []
        message_at(store, NOW + timedelta(minutes=1))
        desk.take_changes()
        assert read == [50]


def test_an_event_id_is_used_once():
    assert event_id_after(()) == "e-17"
    assert event_id_after(("e-17", "e-19")) == "e-18"
    assert event_id_after(("e-17", "e-18")) == "e-19"
