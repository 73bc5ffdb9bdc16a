"""The zone in force: whoever keeps it shows the times of the zone that holds now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from console.app.desk import LiveDesk
from console.app.zone import ZoneInForce
from console.session.clock import SystemClock
from console.store.store import Store

AMSTERDAM, TOKYO = ZoneInfo("Europe/Amsterdam"), ZoneInfo("Asia/Tokyo")


def test_it_answers_as_the_zone_it_was_last_given() -> None:
    noon = datetime(2026, 6, 16, 10, tzinfo=UTC)
    kept = ZoneInForce(UTC)
    assert f"{noon.astimezone(kept):%H:%M %Z}" == "10:00 UTC"
    kept.zone = AMSTERDAM
    assert f"{noon.astimezone(kept):%H:%M %Z %z}" == "12:00 CEST +0200"
    kept.zone = TOKYO
    assert noon.astimezone(kept).hour == 19


@pytest.mark.parametrize("hours", range(4))
def test_the_hour_that_comes_twice_is_told_apart(hours: int) -> None:
    moment = datetime(2026, 10, 24, 23, 30, tzinfo=UTC) + timedelta(hours=hours)
    kept, plain = moment.astimezone(ZoneInForce(AMSTERDAM)), moment.astimezone(AMSTERDAM)
    assert (kept.hour, kept.fold, kept.dst()) == (plain.hour, plain.fold, plain.dst())
    assert kept.astimezone(UTC) == moment


def test_a_desk_that_takes_over_a_zone_changes_it_for_those_who_hold_it() -> None:
    with Store.open() as store:
        desk = LiveDesk(store, SystemClock(), UTC)
        held = desk.timezone
        desk.keep_time(desk.clock, AMSTERDAM)
        assert datetime(2026, 6, 16, 10, tzinfo=UTC).astimezone(held).hour == 12
