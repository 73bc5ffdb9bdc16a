"""Work that takes seconds: on a thread of its own, with progress that can be asked for, and cancelled between steps."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from console.store.store import StoreError

log = logging.getLogger(__name__)


class Cancelled(Exception):
    """Somebody does not want it any more; what was half made has to go."""


Progress = Callable[[int, int], None]
"""Told how many of how many steps are done; raises :class:`Cancelled` to end the work."""


def unwatched(_done: int, _total: int) -> None:
    """For work nobody waits to see."""


class LongWork:
    """One piece of work, begun when it is made.

    Parameters
    ----------
    title : str
        What is being done: ``Exporting 88 310 messages``.
    run : callable
        Does it, telling its progress; gives a sentence on what came of it. What it raises becomes :attr:`text`.
    """

    def __init__(self, title: str, run: Callable[[Progress], str]) -> None:
        self.title = title
        self.done, self.total = 0, 0
        self.text = ""
        """What came of it, in a sentence; empty while it runs."""
        self.ok = False
        self._run = run
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._work, name=title, daemon=True)
        self._thread.start()

    @property
    def finished(self) -> bool:
        return not self._thread.is_alive()

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.done / self.total if self.total else 0.0

    def cancel(self) -> None:
        """Ask it to end; it does so at its next step."""
        self._cancelled.set()

    def join(self) -> None:
        self._thread.join()

    def _progress(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        if self._cancelled.is_set():
            raise Cancelled

    def _work(self) -> None:
        try:
            self.text = self._run(self._progress)
            self.ok = True
        except Cancelled:
            self.text = "Cancelled; nothing was left behind."
        except StoreError as error:
            self.text = str(error)
        except OSError as error:
            self.text = f"{error.filename or 'The file'} cannot be written: {error.strerror}. Choose another place."
        except Exception as error:
            log.exception("%s failed", self.title)
            self.text = f"Nodebench failed on this: {error!r}."


def part_of(path: Path) -> Path:
    """Where something is written before it is whole and takes its name."""
    return path.with_name(f"{path.name}.part")
