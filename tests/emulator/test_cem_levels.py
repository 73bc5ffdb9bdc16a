"""SIMPLE is a scale: the higher the level, the less the house takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from emulator.cem.house import connect
from emulator.cem.ports import LevelSignal
from emulator.site import Site
from emulator.site_file import read_site_file

DEMO = Path(__file__).parents[2] / "resources" / "sites" / "demo.toml"
NOON = datetime(2026, 6, 16, 10, 0, tzinfo=UTC)


def mean_import(level: int) -> float:
    """Mean net power of the demo house over ten minutes of a level, five minutes after it began. [W]"""
    site = Site(read_site_file(DEMO), NOON)
    house = connect(site)
    site.step_to(NOON + timedelta(minutes=2))
    start = site.now
    house.receive([LevelSignal("e", start, start + timedelta(hours=1), abnormal=level >= 3, level=level)])
    site.step_to(start + timedelta(minutes=5))
    before = site.meter.import_wh - site.meter.export_wh
    site.step_to(start + timedelta(minutes=15))
    return (site.meter.import_wh - site.meter.export_wh - before) * 6.0


def test_a_higher_level_never_takes_more():
    taken = [mean_import(level) for level in range(4)]
    assert taken[0] > 5_000.0
    for lower, higher in zip(taken, taken[1:], strict=False):
        assert higher <= lower + 50.0, taken
