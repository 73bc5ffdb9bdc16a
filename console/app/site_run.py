"""Keeps a house living beside its VEN: steps it by the clock and carries facts and samples between the two."""

from __future__ import annotations

from datetime import datetime, timedelta

from console.app.site_bridge import SiteBridge
from console.openadr.commands import Measured
from console.openadr.facts import Fact, OptChanged
from console.session.clock import Clock
from console.session.session import Session

TICK = 0.5
"""Real seconds between looks at the house; at speed 1 it steps every second."""


class SiteRun:
    """Runs until cancelled; attach it before the VEN starts, so that no fact is missed."""

    def __init__(self, bridge: SiteBridge, ven: Session | None, clock: Clock) -> None:
        self.bridge, self.ven, self.clock = bridge, ven, clock
        if ven is not None:
            ven.on_fact(self._ven_fact)

    def _ven_fact(self, fact: Fact, at: datetime) -> None:
        if isinstance(fact, OptChanged):
            self.bridge.set_opt(fact.event_id, fact.opt_type)
        self.bridge.on_fact(fact, at)

    def tick(self) -> None:
        """Step the house to now and hand its readings to the VEN."""
        self.bridge.step_to(self.clock.now())
        if self.ven is not None:
            self.ven.command(Measured(self.bridge.samples()))

    async def run(self) -> None:
        async with self.bridge.doors():
            due = self.clock.now()
            while True:
                self.tick()
                due = max(due + self._period(), self.clock.now())
                await self.clock.sleep_until(due)

    def _period(self) -> timedelta:
        return timedelta(seconds=max(1.0, TICK * self.clock.speed))
