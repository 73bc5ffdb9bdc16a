"""The door to the window, for the command line: the version check stands before anything of Qt is loaded."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from console.ui.gate import require_working_qt

if TYPE_CHECKING:
    from console.app.views import Desk


def run(
    desk_factory: Callable[[], AbstractAsyncContextManager[Desk]],
    *,
    for_seconds: float | None = None,
    shots: Path | None = None,
    theme: str | None = None,
    milestone: Callable[[str, float], object] | None = None,
) -> int:
    """Open the window on a desk and stay until it is closed, Ctrl+C, or ``for_seconds`` are over.

    Parameters
    ----------
    desk_factory : callable
        Gives an async context manager; it is entered on the window's loop after the first paint, starts what has to
        run and yields the desk; leaving it stops everything.
    for_seconds : float, optional
        Real seconds to run. [s]
    shots : Path, optional
        Folder for a picture of every view, light and dark, taken at the end.
    theme : str, optional
        ``light``, ``dark`` or ``high_contrast``; without it the system's, where it answers.
    milestone : callable, optional
        Told ``first_paint``, ``attached`` (ms since the call) and ``longest_gap`` (ms).

    Returns
    -------
    int
        Exit code, 0.

    Raises
    ------
    SystemExit
        With 3 where this pair of Python and PySide6 would crash.
    """
    require_working_qt()
    os.environ.setdefault("QT_API", "pyside6")
    from console.ui.application import run_application

    return run_application(desk_factory, for_seconds=for_seconds, shots=shots, theme=theme, milestone=milestone)
