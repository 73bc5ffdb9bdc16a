"""OpenLEADR's VEN as a process of its own: `python openleadr_ven.py URL NAME`, one JSON object a line on stdout.

It offers one real power in kW, sampled every second, answers every event optIn and tells what it got.
"""

import asyncio
import json
import sys
from datetime import timedelta

from openleadr import OpenADRClient, enums


def tell(**members):
    print(json.dumps(members), flush=True)


def meter():
    return 4.25


async def on_event(event):
    period = event["active_period"]
    notification = period.get("notification")
    if isinstance(notification, dict):
        notification = notification["duration"]
    tell(
        saw="event",
        event_id=event["event_descriptor"]["event_id"],
        signal=event["event_signals"][0]["signal_name"],
        notification=notification.total_seconds() if notification is not None else None,
        duration=period["duration"].total_seconds(),
        value=event["event_signals"][0]["intervals"][0]["signal_payload"],
    )
    return "optIn"


async def main(url, name):
    client = OpenADRClient(ven_name=name, vtn_url=url)
    client.add_handler("on_event", on_event)
    client.add_report(
        callback=meter,
        resource_id="main-meter",
        measurement=enums.MEASUREMENTS.POWER_REAL,
        scale="k",
        unit="W",
        report_type=enums.REPORT_TYPE.USAGE,
        sampling_rate=timedelta(seconds=1),
        report_duration=timedelta(hours=1),
    )
    await client.run()
    tell(saw="registration", ven_id=client.ven_id, registration_id=client.registration_id)
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:3]))
