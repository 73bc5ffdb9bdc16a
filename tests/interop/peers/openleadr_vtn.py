"""OpenLEADR's VTN as a process of its own: `python openleadr_vtn.py PORT`, one JSON object a line on stdout.

It takes every VEN, asks for every report offered every second and sends one LOAD_DISPATCH event with notification.
"""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta

from openleadr import OpenADRServer


def tell(**members):
    print(json.dumps(members), flush=True)


async def main(port):
    vens = {}
    server = OpenADRServer(vtn_id="OpenLEADR", http_port=port, requested_poll_freq=timedelta(seconds=1))

    async def on_created(ven_id, event_id, opt_type):
        tell(saw="opt", ven_id=ven_id, event_id=event_id, opt_type=opt_type)

    async def on_register(info):
        ven_id, registration_id = f"id-of-{info['ven_name']}", f"reg-of-{info['ven_name']}"
        vens[ven_id] = {"ven_id": ven_id, "ven_name": info["ven_name"], "registration_id": registration_id}
        tell(saw="registration", ven_name=info["ven_name"])
        server.add_event(
            ven_id=ven_id,
            signal_name="LOAD_DISPATCH",
            signal_type="setpoint",
            intervals=[
                {"dtstart": datetime.now(UTC) + timedelta(seconds=5), "duration": timedelta(minutes=5),
                 "signal_payload": 3000.0},
            ],
            callback=on_created,
            event_id="olr-1",
            market_context="http://example.com/programme",
        )  # fmt: skip
        # add_event drops its notification_period argument, so the period is put in afterwards.
        server.events[ven_id][-1].active_period["notification_period"] = timedelta(seconds=4)
        return ven_id, registration_id

    async def on_register_report(ven_id, resource_id, measurement, unit, scale, min_sampling_interval,
                                 max_sampling_interval):  # fmt: skip
        tell(saw="offer", ven_id=ven_id, resource_id=resource_id, measurement=measurement, unit=unit, scale=scale)
        return on_update, max(min_sampling_interval, timedelta(seconds=1))

    async def on_update(data):
        for when, value in data:
            tell(saw="report", at=when.isoformat(), value=value)

    async def lookup(ven_id):
        return vens.get(ven_id)

    server.add_handler("on_create_party_registration", on_register)
    server.add_handler("on_register_report", on_register_report)
    await server.run()
    tell(saw="listening", url=f"http://127.0.0.1:{port}/OpenADR2/Simple/2.0b")
    await asyncio.Event().wait()


asyncio.run(main(int(sys.argv[1])))
