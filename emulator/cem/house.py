"""Joins an emulated site to its CEM: one S2 link in memory per device, the meter's included.

`connect(site)` is the one call; it makes the controller the site asks before each step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Protocol
from zlib import crc32

from emulator.cem.cem import Cem, Opinion
from emulator.cem.flexibility import LASTS, Baseline
from emulator.cem.grid_side import GridSideSettings
from emulator.cem.planner_problem import Plan
from emulator.cem.planning import Planning
from emulator.cem.plans import GuardSettings
from emulator.cem.ports import Flexibility, GridSignal, LightState, LimitInForce, Reason, Rejoining
from emulator.cem.quality import Quality
from emulator.links.s2.cem_session import CemSession
from emulator.links.s2.codec import seeded_ids
from emulator.links.s2.faulty import FaultyLink
from emulator.links.s2.memory import Trace
from emulator.links.s2.resource_managers import resource_for
from emulator.site import Site


class Link(Protocol):
    """What carries messages between one session of the CEM and the device at the other end."""

    cem: CemSession

    def start(self, now: datetime) -> None: ...

    def tick(self, now: datetime) -> None: ...

    def report(self, now: datetime) -> None: ...

    def from_cem(self, texts: Iterable[str], now: datetime) -> None: ...


class HouseController:
    """A site's controller: keeps the links going and lets the CEM decide every period."""

    def __init__(self, cem: Cem, links: Sequence[Link], trace: Trace) -> None:
        self.cem = cem
        self.s2_trace = trace
        """All S2 messages of the site, the latest of them."""
        self.links: tuple[Link, ...] = tuple(links)
        self._due: datetime | None = None
        self._started = False

    def control(self, site: Site, now: datetime) -> None:
        """Carry on the links; every period, or when signals have come, measure, decide and instruct."""
        self.cem.grid(site.island is None, now)
        if not self._started:
            self._started = True
            for link in self.links:
                link.start(now)
        for link in self.links:
            link.tick(now)
        if self._due is None or now >= self._due:
            self._due = now + self.cem.settings.period
            self._decide(now)

    def plug(self, link: Link) -> None:
        """A device from elsewhere, whose link is up already, is managed from the next step on."""
        self.links = (*self.links, link)
        self.cem.add(link.cem)
        self._due = None

    def unplug(self, link: Link) -> None:
        """It left."""
        self.links = tuple(one for one in self.links if one is not link)
        self.cem.remove(link.cem)
        self._due = None

    def renewed(self, old: CemSession, new: CemSession) -> None:
        """A link that was lost is up again with a new session."""
        self.cem.remove(old)
        self.cem.add(new)
        self._due = None

    def quality(self, device: str) -> Quality:
        """What the CEM thinks a device's readings are worth."""
        return self.cem.quality(device)

    def receive(self, signals: Sequence[GridSignal]) -> None:
        """Replace the grid signals and act on them with the next step."""
        self.cem.receive(signals)
        self._due = None

    def lose_grid(self) -> None:
        self.cem.lose_grid()
        self._due = None

    def heartbeat(self, now: datetime) -> None:
        """See `Cem.heartbeat`."""
        self.cem.heartbeat(now)

    def flexibility(self, now: datetime, lasts: timedelta = LASTS) -> Flexibility:
        """See `Cem.flexibility`."""
        return self.cem.flexibility(now, lasts)

    def baseline(self, source: str) -> Baseline | None:
        """See `Cem.baseline`."""
        return self.cem.baseline(source)

    @property
    def rejoining(self) -> tuple[Rejoining, ...]:
        """Devices that will come back after a power cut, when, and with how much: to be told to the grid side."""
        return self.cem.grid_side.rejoining

    @property
    def plan(self) -> Plan | None:
        """The plan of the day last made; None where there is none."""
        return self.cem.planning.plan if self.cem.planning else None

    def close(self) -> None:
        """End the planner's thread, if there is one."""
        if self.cem.planning is not None:
            self.cem.planning.close()

    def opinion(self, signals: Sequence[GridSignal], now: datetime) -> Opinion:
        """See `Cem.opinion`."""
        return self.cem.opinion(signals, now)

    @property
    def limit(self) -> LimitInForce | None:
        return self.cem.limit

    @property
    def light(self) -> LightState:
        return self.cem.light

    @property
    def reasons(self) -> tuple[Reason, ...]:
        return self.cem.reasons

    def _decide(self, now: datetime) -> None:
        for link in self.links:
            link.report(now)
        link_of = {id(link.cem): link for link in self.links}
        for session, texts in self.cem.control(now):
            link_of[id(session)].from_cem(texts, now)


def connect(
    site: Site,
    zone: tzinfo | None = None,
    settings: GuardSettings | None = None,
    seed: int = 0,
    planning: Planning | None = None,
) -> HouseController:
    """Put a CEM in charge of a site.

    ``zone`` is for the times in reasons, by default the site's own; ``settings`` by default the guard's with the
    site's connection; ``seed`` makes the S2 ids. ``planning`` makes plans of the day; by default the site's
    configuration says whether there is one, in a thread of its own.
    """
    if planning is None and site.config.planner:
        planning = Planning(connection_w=site.connection_w)
    cem = Cem(
        zone=zone or site.place.zone,
        meter=site.meter.name,
        settings=settings or GuardSettings(connection_w=site.connection_w),
        planning=planning,
        grid_side=GridSideSettings(failsafe_w=site.config.failsafe_w),
        seed=seed,
    )
    ids, trace = seeded_ids(seed), Trace()
    links: list[FaultyLink] = []
    for device in (site.meter, *site.devices):
        session = CemSession(ids)
        cem.add(session)
        seed_of_faults = seed + crc32(device.name.encode())
        links.append(FaultyLink(session, resource_for(device, ids), device, site.faults, ids, trace, seed_of_faults))
    controller = HouseController(cem, links, trace)
    for link in links:
        link.renewed = controller.renewed
    site.controller = controller
    return controller
