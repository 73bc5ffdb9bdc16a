"""One run of the window: the loop, the desk's life inside it, pictures, and an end that leaves nothing behind."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import qasync
from PySide6.QtCore import QElapsedTimer, QTimer
from PySide6.QtWidgets import QApplication

from console.ui.collector import Collector
from console.ui.shots import settled, take
from console.ui.theme import apply_theme, system_theme
from console.ui.window import Window, import_views

if TYPE_CHECKING:
    from console.app.views import Desk

DeskFactory = Callable[[], "AbstractAsyncContextManager[Desk]"]
"""Called after the first paint: starts the sessions, gives the desk, stops them."""
Milestone = Callable[[str, float], object]
"""Told (name, value in ms): ``first_paint`` and ``attached`` since the run began, ``longest_gap`` at its end."""
PAINT_WAIT_MS = 1000
SHOTS_AFTER_SECONDS = 45.0
"""When pictures are taken if nobody said how long to run."""


class Run:
    """What one run needs to know; made and used by :func:`run_application`."""

    def __init__(
        self,
        desk_factory: DeskFactory,
        for_seconds: float | None,
        shots: Path | None,
        theme: str | None,
        milestone: Milestone | None,
    ) -> None:
        self._desk_factory = desk_factory
        self._seconds = SHOTS_AFTER_SECONDS if shots is not None and for_seconds is None else for_seconds
        self._shots = shots
        self._theme = theme
        self._milestone = milestone or (lambda _name, _value: None)
        self._since_start = QElapsedTimer()
        self._since_start.start()
        self.app = _application()
        apply_theme(self.app, theme or system_theme(self.app))
        self.window = Window()
        self.window.follow_system(theme is None)
        self._ended = asyncio.Event()
        self.collector = Collector()

    def end(self) -> None:
        """Begin to end; may be called any number of times."""
        self._ended.set()

    async def live(self) -> None:
        """From the first paint to the last socket closed."""
        self.window.closing.connect(self.end)
        self.window.painted.connect(lambda: self._milestone("first_paint", self._elapsed()))
        self.window.show()
        await first_paint(self.window)
        import_views()
        self.collector.settle()
        async with self._desk_factory() as desk:
            bridge = self.window.attach(desk)
            self._milestone("attached", self._elapsed())
            await settled(0)
            bridge.forget_gaps()
            if self._seconds is not None:
                QTimer.singleShot(round(self._seconds * 1000), self.end)
            await self._ended.wait()
            self._milestone("longest_gap", bridge.longest_gap_ms)
            if self._shots is not None:
                await take(self.window, self._shots)
            bridge.stop()
        self.window.let_go()

    def _elapsed(self) -> float:
        return self._since_start.nsecsElapsed() / 1e6


async def first_paint(window: Window) -> None:
    """Wait until the window has been painted once, but not for ever: some platforms never expose it."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def painted() -> None:
        if not done.done():
            done.set_result(None)

    window.painted.connect(painted)
    QTimer.singleShot(PAINT_WAIT_MS, painted)
    await done


def _application() -> QApplication:
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("Nodebench")
    app.setDesktopFileName("nodebench")
    app.setQuitOnLastWindowClosed(False)
    return app


async def cancel_leftovers() -> None:
    """No task may outlive the loop: qasync's timers would be deleted under it."""
    mine = asyncio.current_task()
    others = [task for task in asyncio.all_tasks() if task is not mine]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def run_application(
    desk_factory: DeskFactory,
    *,
    for_seconds: float | None = None,
    shots: Path | None = None,
    theme: str | None = None,
    milestone: Milestone | None = None,
) -> int:
    """See :func:`console.ui.run.run`; here Qt may be imported."""
    session = Run(desk_factory, for_seconds, shots, theme, milestone)
    before = signal.signal(signal.SIGINT, lambda _number, _frame: session.end())
    loop = qasync.QEventLoop(session.app)

    async def whole() -> None:
        try:
            await session.live()
        finally:
            await cancel_leftovers()

    try:
        with loop:
            loop.run_until_complete(whole())
    finally:
        session.collector.let_go()
        signal.signal(signal.SIGINT, before)
    return 0
