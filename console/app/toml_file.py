"""TOML files that people write, read so that a mistake is told with its line.

tomllib gives the line of a syntax error but not of a value; :func:`line_of` finds a key's line in the text. Every
problem becomes one FileError: file, line, what is wrong, what is allowed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class FileError(ValueError):
    """A file that cannot be used; ``str()`` is the one message to show."""

    def __init__(self, file: Path | str, problem: str, allowed: str = "", line: int = 0) -> None:
        self.file, self.line, self.problem, self.allowed = Path(file), line, problem, allowed
        place = f"{self.file}, line {line}" if line else str(self.file)
        super().__init__(f"{place}: {problem}" + (f" {allowed}" if allowed else ""))


def read_toml(file: Path) -> tuple[dict[str, Any], str]:
    """The parsed file and its text."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FileError(file, "there is no such file.", "Check the name and the folder.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(file, f"could not be read: {error}.") from None
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+)", str(error))
        problem = re.sub(r"\s*\(at .*", "", str(error))
        raise FileError(file, f"is not valid TOML: {problem}.", line=int(found[1]) if found else 0) from None


def line_of(text: str, path: Sequence[str | int]) -> int:
    """1-based line of a key such as ``("interval", 1, "value")``; the table's line where the key is missing, else 0."""
    tables = [str(part) for part in path if isinstance(part, str)]
    wanted = next((part for part in path if isinstance(part, int)), 0)
    best, current, seen = 0, [], -1
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?", line)
        if header:
            current = [part.strip().strip("\"'") for part in header[1].split(".")]
            if line.lstrip().startswith("[[") and current == tables[: len(current)]:
                seen += 1
            if current == tables[: len(current)] and (not line.lstrip().startswith("[[") or seen == wanted):
                best = number
            continue
        key = re.match(r"\s*([A-Za-z0-9_\-\"'.]+)\s*=", line)
        full = [*current, *key[1].replace('"', "").split(".")] if key else []
        if full == tables and (seen < 0 or not current or seen == wanted):
            return number
    return best


def unknown_keys(file: Path, text: str, table: dict[str, Any], known: Sequence[str], at: Sequence[str | int]) -> None:
    """Raise for the first key that is not known, with its line."""
    for key in table:
        if key not in known:
            where = f" in [{'.'.join(str(part) for part in at if isinstance(part, str))}]" if at else ""
            raise FileError(
                file, f"'{key}' is not known{where}.", f"Allowed: {', '.join(known)}.", line_of(text, [*at, key])
            )
