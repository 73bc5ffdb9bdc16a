"""What the measurement ``codec`` runs in the peer's own environment: OpenLEADR reading the same bodies.

Takes paths as arguments; then for each line ``ROUNDS INDEX…`` on standard input reads those bodies so many times and
prints the seconds it took. Imports nothing of this project.
"""

import sys
import time
from pathlib import Path

from openleadr.messaging import (  # pyright: ignore[reportMissingImports]
    parse_message,
    validate_xml_schema,
)


def main() -> None:
    bodies = [Path(name).read_bytes() for name in sys.argv[1:]]
    print("ready", flush=True)
    for line in sys.stdin:
        rounds, *indices = map(int, line.split())
        chosen = [bodies[index] for index in indices]
        began = time.process_time()
        for _ in range(rounds):
            for body in chosen:
                validate_xml_schema(body)
                parse_message(body)
        print(time.process_time() - began, flush=True)


if __name__ == "__main__":
    main()
