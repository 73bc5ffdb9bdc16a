"""OpenLEADR's VEN with TLS and signatures: `python openleadr_signed_ven.py URL NAME CERT KEY CA VTN_FINGERPRINT`.

One JSON object a line on stdout: what it got, and each time its own verification let a message of the VTN through or
did not.
"""

import asyncio
import json
import sys

import openleadr.client
from openleadr import OpenADRClient


def tell(**members):
    print(json.dumps(members), flush=True)


def watched(verify):
    """OpenLEADR's verification, with a word on what came of it."""

    def verified(tree, cert_fingerprint=None):
        payload = tree.find("{http://openadr.org/oadr-2.0b/2012/07}oadrSignedObject")[0].tag.partition("}")[2]
        try:
            verify(tree, cert_fingerprint=cert_fingerprint)
        except Exception as error:
            tell(saw="refused", payload=payload, why=repr(error))
            raise
        tell(saw="verified", payload=payload)

    return verified


async def on_event(event):
    tell(saw="event", event_id=event["event_descriptor"]["event_id"])
    return "optIn"


async def main(url, name, cert, key, authority, vtn_fingerprint):
    openleadr.client.validate_xml_signature = watched(openleadr.client.validate_xml_signature)
    client = OpenADRClient(
        ven_name=name, vtn_url=url, cert=cert, key=key, ca_file=authority, vtn_fingerprint=vtn_fingerprint
    )
    client.add_handler("on_event", on_event)
    await client.run()
    tell(saw="registration", ven_id=client.ven_id)
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
