"""OpenLEADR's VTN for the benchmark, in the environment of the peers: ``python vtn_peer.py PORT VENS``.

Prints a line when it listens. A line on standard input issues one event to every VEN, confirmed by a line; it keeps no
messages. Event content is that of the event file given to ours.
"""

import asyncio
import json
import logging
import sys
from datetime import UTC, datetime, timedelta

from openleadr import OpenADRServer, objects  # pyright: ignore[reportMissingImports]


def tell(**members):
    print(json.dumps(members), flush=True)


async def main(port, count):
    logging.disable(logging.CRITICAL)
    server = OpenADRServer(vtn_id="OpenLEADR", http_port=port, requested_poll_freq=timedelta(seconds=10))
    names = [f"bench-{number}" for number in range(1, count + 1)]
    acknowledged = set()

    async def on_register(info):
        return None

    async def lookup(ven_id):
        return {"ven_id": ven_id, "ven_name": ven_id, "registration_id": "r"}

    async def on_created(ven_id, event_id, opt_type):
        acknowledged.add(ven_id)

    server.add_handler("on_create_party_registration", on_register)
    server.ven_lookup = lookup
    await server.run()
    tell(saw="listening")
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.readline():
        start = datetime.now(UTC) + timedelta(hours=1)
        for name in names:
            server.add_event(
                ven_id=name,
                signal_name="LOAD_DISPATCH",
                signal_type="setpoint",
                intervals=[objects.Interval(dtstart=start, duration=timedelta(minutes=10), signal_payload=7000.0)],
                callback=on_created,
                market_context="http://example.com/programme",
            )
        tell(saw="issued")


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
