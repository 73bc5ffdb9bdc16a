"""One process at a time writes a recording.

SQLite would let two write, and each would number its messages without knowing of the other's. The lock is on a file
beside the recording, since closing any handle of the recording itself would drop SQLite's own locks.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from console.store.database import StoreError

if sys.platform == "win32":
    import msvcrt

    def _hold(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _hold(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FileLock:
    """Held from making it to :meth:`release`, or to the end of the process."""

    def __init__(self, path: Path) -> None:
        """Raises StoreError where another process holds it. A folder that is missing is left for the store to tell."""
        self._path = path.with_name(path.name + ".lock")
        self._handle: int | None = None
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError:
            return
        try:
            _hold(handle)
        except OSError as error:
            os.close(handle)
            raise StoreError(
                f"{path} is in use by another Nodebench. Close that one, or choose another file for the store."
            ) from error
        self._handle = handle

    def release(self) -> None:
        if self._handle is not None:
            with suppress(OSError):  # Windows keeps an open file; one left behind locks nothing
                self._path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = None
