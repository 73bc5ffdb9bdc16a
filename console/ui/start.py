"""Opens the console: on the lab, or empty where no lab is asked for. The command line's way into the window."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from console.ui.run import run

if TYPE_CHECKING:
    from console.app.lab import LabSettings
    from console.app.views import Desk


def open_console(
    lab: LabSettings | None,
    *,
    seconds: timedelta | None = None,
    shots: Path | None = None,
    theme: str | None = None,
    measure: bool = False,
) -> int:
    """Run the window until it is closed or ``seconds`` of real time are over; the exit code.

    Parameters
    ----------
    lab
        The lab to start; None opens an empty desk, from which the lab can be started.
    shots
        Folder for pictures of every view, taken at the end.
    measure
        Write what was measured on standard output, one JSON object a line: ``first_paint`` and ``attached`` in ms
        since the start, ``registered`` when the lab's VEN is, ``longest_gap`` in ms.
    """

    def tell(name: str, value: float) -> None:
        if measure:
            print(json.dumps({"measure": name, "ms": round(value, 1)}), flush=True)

    return run(
        lambda: _desk(lab, tell if measure else None),
        for_seconds=seconds.total_seconds() if seconds else None,
        shots=shots,
        theme=theme,
        milestone=tell,
    )


def _desk(lab: LabSettings | None, tell: object) -> AbstractAsyncContextManager[Desk]:
    return _running(lab, tell is not None)


@asynccontextmanager
async def _running(settings: LabSettings | None, measure: bool) -> AsyncIterator[Desk]:
    # Here and not above: numpy, SQLAlchemy and the rest are for after the first paint.
    from console.app.workspace import Workspace
    from console.openadr.facts import Registered

    workspace = Workspace(settings.store if settings else None)
    if measure:
        workspace.desk.listeners.append(
            lambda session, fact, at: (
                print(json.dumps({"measure": "registered"}), flush=True) if isinstance(fact, Registered) else None
            )
        )
    if settings is not None:
        workspace.start_lab(settings)
    try:
        yield workspace.desk
    finally:
        await workspace.close()
        if workspace.trouble:
            print(workspace.trouble, file=sys.stderr)
