"""Where a key of a TOML text stands: tomllib tells no lines, so this looks for them.

It knows table headers and plain ``key = value`` lines, which is how people write such files; for what is written
otherwise it gives the line of the table.
"""

from __future__ import annotations

import re
from collections import Counter

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*("[^"]*"|'[^']*'|[A-Za-z0-9_-]+)\s*=""")
_FENCE = re.compile(r'"""|\'\'\'')


def line_of(text: str, table: str, number: int = 0, key: str | None = None) -> int:
    """Line of a key in the ``number``-th table of that name, counted from 1.

    Without the key, or where the key is not found, the line of the table's header; 1 where there is no such table.

    Examples
    --------
    >>> line_of('[site]\\nname = "a"\\n[[device]]\\nname = "b"\\n', "device", 0, "name")
    4
    """
    seen: Counter[str] = Counter()
    here, header_line, fenced = ("", 0), 1, False
    for line, content in enumerate(text.splitlines(), start=1):
        inside = fenced
        fenced ^= len(_FENCE.findall(content)) % 2 == 1
        if inside:
            continue
        header = _HEADER.fullmatch(content)
        if header is not None:
            name = header[2].strip("\"'")
            here = (name, seen[name])
            seen[name] += 1
            if here == (table, number):
                header_line = line
            continue
        found = _KEY.match(content)
        if here == (table, number) and key is not None and found is not None and found[1].strip("\"'") == key:
            return line
    return header_line


def line_in(message: str) -> int:
    """The line a tomllib error names, 1 where it names none.

    >>> line_in("Expected '=' after a key in a key/value pair (at line 3, column 7)")
    3
    """
    found = re.search(r"at line (\d+)", message)
    return int(found[1]) if found else 1
