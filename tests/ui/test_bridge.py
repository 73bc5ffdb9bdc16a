"""The bridge: one tick asks once, tells the visible, keeps what the hidden are owed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytestqt.qtbot import QtBot

from console.ui.bridge import CLOCK, Bridge
from console.ui.cursor import TimeCursor
from tests.ui.fake_desk import NOW, FakeDesk, empty_desk


class Watcher:
    def __init__(self) -> None:
        self.told: list[frozenset[str]] = []
        self.visible = True

    def refresh(self, changed: frozenset[str]) -> None:
        self.told.append(changed)

    def is_visible(self) -> bool:
        return self.visible


@pytest.fixture
def desk() -> FakeDesk:
    desk = empty_desk()
    desk.take_changes()
    return desk


def test_a_listener_starts_with_everything_and_then_hears_of_changes_only(qapp: object, desk: FakeDesk) -> None:
    bridge, watcher = Bridge(desk), Watcher()
    bridge.add(watcher, watcher.is_visible)
    bridge.tick()
    assert {"messages", "events", "site", "status", CLOCK} <= watcher.told[0]
    bridge.tick()
    assert len(watcher.told) == 1
    desk.append(50)
    bridge.tick()
    assert watcher.told[1:] == [frozenset({"messages", "status"})]


def test_a_hidden_view_is_told_once_when_it_is_shown(qapp: object, desk: FakeDesk) -> None:
    bridge, watcher = Bridge(desk), Watcher()
    bridge.add(watcher, watcher.is_visible)
    bridge.tick()
    watcher.visible = False
    desk.append()
    bridge.tick()
    desk.touch("events")
    bridge.tick()
    assert len(watcher.told) == 1
    watcher.visible = True
    bridge.tick()
    assert watcher.told[1:] == [frozenset({"messages", "status", "events"})]


def test_a_view_that_fails_does_not_lose_the_changes_of_the_others(qapp: object, desk: FakeDesk) -> None:
    class Failing(Watcher):
        def refresh(self, changed: frozenset[str]) -> None:
            raise ValueError("broken view")

    bridge, watcher = Bridge(desk), Watcher()
    failing = Failing()
    bridge.add(failing, failing.is_visible)
    bridge.add(watcher, watcher.is_visible)
    with pytest.raises(ValueError):
        bridge.tick()
    bridge.tick()
    assert "messages" in watcher.told[0]


def test_the_timer_ticks_and_measures_the_gap(qtbot: QtBot, desk: FakeDesk) -> None:
    bridge, watcher = Bridge(desk), Watcher()
    bridge.add(watcher, watcher.is_visible)
    bridge.start()
    qtbot.waitUntil(lambda: len(watcher.told) >= 1 and bridge.longest_gap_ms > 0)
    bridge.stop()
    assert bridge.fps > 0
    bridge.forget_gaps()
    assert bridge.longest_gap_ms == 0
    assert bridge.fps == 0


def test_the_cursor_tells_a_change_and_not_a_repetition(qapp: object) -> None:
    cursor = TimeCursor()
    heard: list[object] = []
    for signal in (cursor.time_changed, cursor.message_selected, cursor.event_selected, cursor.ven_selected):
        signal.connect(heard.append)
    for _ in range(2):
        cursor.set_time(NOW)
        cursor.select_message(7)
        cursor.select_event("e-17")
        cursor.select_ven("ven-7")
    assert heard == [NOW, 7, "e-17", "ven-7"]
    cursor.set_time(NOW + timedelta(seconds=1))
    cursor.set_time(None)
    assert heard[4:] == [NOW + timedelta(seconds=1), None]


def test_showing_a_message_brings_its_view_first(qapp: object) -> None:
    cursor = TimeCursor()
    heard: list[object] = []
    cursor.view_wanted.connect(heard.append)
    cursor.message_selected.connect(heard.append)
    cursor.filter_wanted.connect(heard.append)
    cursor.show_message(12)
    cursor.show_messages("peer == ven-2")
    assert heard == ["Messages", 12, "Messages", "peer == ven-2"]
