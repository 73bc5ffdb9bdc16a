"""Opens the console: on the lab, or empty where no lab is asked for. The command line's way into the window."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from console.ui.run import run

if TYPE_CHECKING:
    from console.app.lab_settings import LabSettings
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

    try:
        return run(
            lambda: _running(lab, tell),
            for_seconds=seconds.total_seconds() if seconds else None,
            shots=shots,
            theme=theme,
            milestone=tell,
        )
    except CannotStart as error:
        print(error, file=sys.stderr)
        return error.exit_code


def open_recording(
    path: Path, *, seconds: timedelta | None = None, shots: Path | None = None, theme: str | None = None
) -> int:
    """Open the window on a recording, without any node; the exit code, 2 for a file that cannot be read."""
    try:
        return run(
            lambda: _recorded(path),
            for_seconds=seconds.total_seconds() if seconds else None,
            shots=shots,
            theme=theme,
        )
    except CannotStart as error:
        print(error, file=sys.stderr)
        return error.exit_code


@asynccontextmanager
async def _recorded(path: Path) -> AsyncIterator[Desk]:
    from console.app.recording_desk import open_desk
    from console.store.database import StoreError

    try:
        desk = await asyncio.to_thread(open_desk, path)
    except StoreError as error:
        raise CannotStart(error, 2) from error
    try:
        yield desk
    finally:
        desk.close()


class CannotStart(Exception):
    """What the desk needs cannot be had; one sentence for people, and the exit code."""

    def __init__(self, error: Exception, exit_code: int) -> None:
        super().__init__(str(error))
        self.exit_code = exit_code


@asynccontextmanager
async def _running(settings: LabSettings | None, tell: Callable[[str, float], None]) -> AsyncIterator[Desk]:
    # Here and not above: numpy, SQLAlchemy and the rest are for after the first paint.
    from console.app.toml_file import FileError
    from console.app.workspace import Workspace
    from console.openadr.facts import Fact, Registered
    from console.store.store import StoreError
    from console.transport.exchange import TransportError

    def registered(_session: str, fact: Fact, _at: datetime) -> None:
        if isinstance(fact, Registered):
            tell("registered", 0.0)

    try:
        workspace = Workspace(settings.store if settings else None, settings.keep if settings else None)
    except StoreError as error:
        raise CannotStart(error, 3) from error
    try:
        workspace.desk.listeners.append(registered)
        if settings is not None:
            # Awaited while the window says that it starts: the imports of the sun's model hold the interpreter.
            await workspace.make_lab(settings).start()
        yield workspace.desk
    except FileError as error:
        raise CannotStart(error, 2) from error
    except TransportError as error:
        raise CannotStart(error, 3) from error
    finally:
        await workspace.close()
