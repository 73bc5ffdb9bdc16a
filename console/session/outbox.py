"""Requests of ours on their way: one after the other for each peer, each answered before the next leaves.

On an accelerated clock polls would come as fast as the loop turns; they are held to a pace that is real.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from console.openadr.actions import Send, Service
from console.session.clock import Clock
from console.session.tasks import Tasks

POLL_PACE = 0.2
"""Least real seconds between two polls while the clock runs faster than the world."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request and whether the role's state has to be on disk before it leaves."""

    send: Send
    after_commit: bool


Deliver = Callable[[Outgoing], Awaitable[None]]


class Lane:
    """The queue to one peer, emptied by one task at a time."""

    def __init__(self, name: str, clock: Clock, tasks: Tasks, deliver: Deliver) -> None:
        self._name = name
        self._clock = clock
        self._tasks = tasks
        self._deliver = deliver
        self._waiting: deque[Outgoing] = deque()
        self._running = False
        self._last_poll: float | None = None
        self._empty = asyncio.Event()
        self._empty.set()

    def put(self, outgoing: Outgoing) -> None:
        self._waiting.append(outgoing)
        self._empty.clear()
        if not self._running:
            self._running = True
            self._tasks.spawn(self._run(), name=self._name)

    async def settled(self) -> None:
        """Come back when nothing is under way."""
        await self._empty.wait()

    @property
    def is_busy(self) -> bool:
        return not self._empty.is_set()

    async def _run(self) -> None:
        try:
            while self._waiting:
                outgoing = self._waiting.popleft()
                if outgoing.send.service is Service.OADR_POLL:
                    await self._keep_pace()
                await self._deliver(outgoing)
        finally:
            self._running = False
            self._empty.set()

    async def _keep_pace(self) -> None:
        if self._clock.speed > 1 and self._last_poll is not None:
            early = self._last_poll + POLL_PACE - self._clock.elapsed()
            if early > 0:
                await self._clock.rest(early)
        self._last_poll = self._clock.elapsed()
