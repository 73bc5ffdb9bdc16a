"""Tasks that are not lost: each has a name, an owner that keeps it, and somebody who hears of its failure.

The loop keeps only weak references to tasks and speaks of an exception when the task is collected, if ever. A
:class:`Tasks` owns what it spawns, hands every exception to its ``on_error``, and its ``close`` leaves nothing running.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine

log = logging.getLogger(__name__)

OnError = Callable[[str, BaseException], None]
"""Called with the task's name and what it raised."""

_kept: set[asyncio.Task[object]] = set()


def report(name: str, error: BaseException) -> None:
    """Where nobody asked to be told: the log, with the traceback."""
    log.error("%s failed: %s", name, error, exc_info=error)


def spawn(work: Coroutine[object, object, object], *, name: str, on_error: OnError = report) -> asyncio.Task[object]:
    """Run ``work`` beside the caller. The task is referenced until it is done; cancelling it is no error."""
    task: asyncio.Task[object] = asyncio.get_running_loop().create_task(work, name=name)
    _kept.add(task)
    task.add_done_callback(lambda done: _finished(done, on_error))
    return task


def _finished(task: asyncio.Task[object], on_error: OnError) -> None:
    _kept.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        on_error(task.get_name(), error)


class Tasks:
    """Owner of a set of tasks that end with it."""

    def __init__(self, on_error: OnError = report) -> None:
        self._tasks: set[asyncio.Task[object]] = set()
        self._on_error = on_error
        self._closed = False

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(self, work: Coroutine[object, object, object], *, name: str) -> asyncio.Task[object]:
        if self._closed:
            work.close()
            raise RuntimeError(f"{name} was started after its owner had been closed")
        task = spawn(work, name=name, on_error=self._on_error)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """Cancel what runs and wait until it has ended; from within one of the tasks, that one is left alone."""
        self._closed = True
        others = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
