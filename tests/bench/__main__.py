"""Measurements, one JSON object a line: ``python3 dev.py bench [NAME]``. Without a name: all of them, in turn."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from typing import Any

BENCHES = {
    "codec": "tests.bench.codec",
    "desk": "tests.bench.desk",
    "emulator": "tests.bench.emulator",
    "first-light": "tests.bench.first_light",
    "fuzz": "tests.bench.fuzz",
    "s2": "tests.bench.s2",
    "schema-oracle": "tests.bench.schema_oracle",
    "signatures": "tests.bench.signatures",
    "vtn": "tests.bench.vtn",
    "push": "tests.bench.push",
    "recordings": "tests.bench.recordings",
}


def main(words: list[str]) -> int:
    unknown = [word for word in words if word not in BENCHES]
    if unknown:
        print(f"No measurement is called {', '.join(unknown)}. There are: {', '.join(BENCHES)}.", file=sys.stderr)
        return 2
    for name in words or BENCHES:
        measured: Iterator[dict[str, Any]] = importlib.import_module(BENCHES[name]).measure()
        for members in measured:
            print(json.dumps({"bench": name, **members}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
