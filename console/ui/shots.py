"""Pictures of every view, light and dark, as the README and reviewers want them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from PySide6.QtCore import QTimer

from console.ui.window import SIZE, Window

SETTLE_MS = 250
"""Plots need a few turns of the loop after a change of size or theme."""
THEMES_SHOT = ("light", "dark")


async def settled(milliseconds: int = SETTLE_MS) -> None:
    """Give the loop this long; a nested event loop would end other tasks."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    QTimer.singleShot(milliseconds, lambda: done.done() or done.set_result(None))
    await done


def choose_what_tells(window: Window) -> None:
    """Select the newest oadrDistributeEvent and the event in force, unless something is selected already."""
    cursor, rows = window.cursor_shared, window.messages.table.rows
    if not cursor.message_number and rows.rowCount():
        last = rows.rowCount() - 1
        telling = (row for row in range(last, -1, -1) if rows.view(row).element == "oadrDistributeEvent")
        cursor.select_message(rows.view(next(telling, last)).number)
        window.messages.table.setFocus()
    if not cursor.event_id and window.desk is not None:
        active = [view.event.event_id for view in window.desk.events() if view.event.status == "active"]
        if active:
            cursor.select_event(active[-1])


async def take(window: Window, folder: Path, themes: tuple[str, ...] = THEMES_SHOT) -> list[Path]:
    """Write ``<view>-<theme>.png`` for every view; returns the files in the order they were made."""
    folder.mkdir(parents=True, exist_ok=True)
    window.resize(*SIZE)
    made: list[Path] = []
    choose_what_tells(window)
    for theme in themes:
        window.choose_theme(theme)
        for name in window.views:
            window.show_view(name)
            await settled()
            path = folder / f"{name.lower()}-{theme}.png"
            window.grab().save(str(path))
            made.append(path)
    return made
