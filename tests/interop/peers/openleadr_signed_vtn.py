"""OpenLEADR's VTN with mutual TLS and signatures: `python openleadr_signed_vtn.py PORT CERT KEY CA`.

It takes every VEN with the certificate it registers with, verifies each later message, and sends one event. One JSON
object a line on stdout: what it got, and each time its own verification let a message through or did not.
"""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta

import openleadr.messaging
from openleadr import OpenADRServer


def tell(**members):
    print(json.dumps(members), flush=True)


def watched(verify):
    """OpenLEADR's verification, with a word on what came of it."""

    def verified(tree):
        payload = tree.find("{http://openadr.org/oadr-2.0b/2012/07}oadrSignedObject")[0].tag.partition("}")[2]
        try:
            verify(tree)
        except Exception as error:
            tell(saw="refused", payload=payload, why=repr(error))
            raise
        tell(saw="verified", payload=payload)

    return verified


async def main(port, cert, key, authority):
    openleadr.messaging.validate_xml_signature = watched(openleadr.messaging.validate_xml_signature)
    vens = {}

    async def lookup(ven_id):
        return vens.get(ven_id)

    server = OpenADRServer(
        vtn_id="OpenLEADR",
        cert=cert,
        key=key,
        http_port=port,
        http_cert=cert,
        http_key=key,
        http_ca_file=authority,
        requested_poll_freq=timedelta(seconds=1),
        ven_lookup=lookup,
    )

    async def on_created(ven_id, event_id, opt_type):
        tell(saw="opt", ven_id=ven_id, event_id=event_id, opt_type=opt_type)

    async def on_register(info):
        ven_id = f"id-of-{info['ven_name']}"
        vens[ven_id] = {"ven_id": ven_id, "ven_name": info["ven_name"], "registration_id": "reg-1",
                        "fingerprint": info["fingerprint"]}  # fmt: skip
        tell(saw="registration", ven_name=info["ven_name"], fingerprint=info["fingerprint"],
             xml_signature=info["xml_signature"])  # fmt: skip
        server.add_event(
            ven_id=ven_id,
            signal_name="SIMPLE",
            signal_type="level",
            intervals=[{"dtstart": datetime.now(UTC) + timedelta(seconds=5), "duration": timedelta(minutes=5),
                        "signal_payload": 1.0}],
            callback=on_created,
            event_id="olr-signed",
            market_context="http://example.com/programme",
        )  # fmt: skip
        return ven_id, "reg-1"

    async def on_register_report(ven_id, resource_id, measurement, unit, scale, min_sampling_interval,
                                 max_sampling_interval):  # fmt: skip
        return None

    server.add_handler("on_create_party_registration", on_register)
    server.add_handler("on_register_report", on_register_report)
    await server.run()
    tell(saw="listening", url=f"https://localhost:{port}/OpenADR2/Simple/2.0b")
    await asyncio.Event().wait()


asyncio.run(main(int(sys.argv[1]), *sys.argv[2:]))
