"""Refuses the one pair of Python and PySide6 that ends the process.

PySide6 6.12 wheels take a reference off ``None`` with every Qt call that returns nothing. From CPython 3.12 on ``None``
is immortal and nothing happens; before, the count falls to zero within minutes and the interpreter aborts. So the
pair is checked from the package's metadata, before anything of Qt is imported.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from importlib import metadata

EXIT_CANNOT_START = 3
FIRST_BROKEN = (6, 12)
FIRST_IMMORTAL = (3, 12)
DISTRIBUTION = "PySide6-Essentials"


def leading_numbers(version: str) -> tuple[int, int]:
    """``6.12.0.1`` or ``6.12.0a1`` as ``(6, 12)``; what cannot be read counts as 0."""
    found = [int(part) for part in re.findall(r"\d+", version)[:2]]
    return (found[0] if found else 0, found[1] if len(found) > 1 else 0)


def refusal(python: tuple[int, int], pyside: str | None) -> str | None:
    """Why this pair must not start, in words for a person at a terminal; None where it may.

    Parameters
    ----------
    python : tuple of int
        Major and minor version of the interpreter.
    pyside : str or None
        Version of the installed PySide6-Essentials; None where there is none.
    """
    running = f"{python[0]}.{python[1]}"
    if pyside is None:
        return (
            "Nodebench cannot open its window: PySide6 is not installed.\n"
            "Headless commands (nodebench vtn, ven, site, demo --headless) work without it.\n"
            'To have the window: python -m pip install "PySide6-Essentials>=6.8,<6.12"'
        )
    if python < FIRST_IMMORTAL and leading_numbers(pyside) >= FIRST_BROKEN:
        return (
            f"Nodebench does not start its window with PySide6 {pyside} on Python {running}.\n"
            "PySide6 6.12 and later lose references to None on Python before 3.12, and the process aborts after a "
            "while.\n"
            'Do one of these: python -m pip install "PySide6-Essentials<6.12", or run Nodebench with Python 3.12 or '
            "later.\n"
            "Headless commands (nodebench vtn, ven, site, demo --headless) are not affected."
        )
    return None


def installed_pyside() -> str | None:
    """Version of the installed distribution, read without importing Qt."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return None


def require_working_qt(
    python: tuple[int, int] | None = None,
    pyside: Callable[[], str | None] = installed_pyside,
) -> None:
    """End the process with exit code 3 and a clear text on standard error where Qt would crash it."""
    text = refusal(python or (sys.version_info.major, sys.version_info.minor), pyside())
    if text is not None:
        print(text, file=sys.stderr)
        raise SystemExit(EXIT_CANNOT_START)
