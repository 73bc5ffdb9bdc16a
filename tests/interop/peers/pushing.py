"""What both bare push peers share: the envelope, a POST, picking out an element's text. From the standard alone."""

import json
import re

BASE = "/OpenADR2/Simple/2.0b"
SPACES = {
    "oadr": "http://openadr.org/oadr-2.0b/2012/07",
    "ei": "http://docs.oasis-open.org/ns/energyinterop/201110",
    "pyld": "http://docs.oasis-open.org/ns/energyinterop/201110/payloads",
    "emix": "http://docs.oasis-open.org/ns/emix/2011/06",
    "xcal": "urn:ietf:params:xml:ns:icalendar-2.0",
    "strm": "urn:ietf:params:xml:ns:icalendar-2.0:stream",
}


def tell(**members):
    print(json.dumps(members), flush=True)


def envelope(element, content):
    """An oadrPayload around one element of the oadr namespace."""
    spaces = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in SPACES.items())
    return (
        f'<?xml version="1.0" encoding="utf-8"?><oadr:oadrPayload {spaces}><oadr:oadrSignedObject>'
        f'<oadr:{element} ei:schemaVersion="2.0b">{content}</oadr:{element}>'
        "</oadr:oadrSignedObject></oadr:oadrPayload>"
    ).encode()


def ok(request_id=""):
    return (
        "<ei:eiResponse><ei:responseCode>200</ei:responseCode><ei:responseDescription>OK</ei:responseDescription>"
        f"<pyld:requestID>{request_id}</pyld:requestID></ei:eiResponse>"
    )


def kind(body):
    """Local name of the payload."""
    found = re.search(rb"oadrSignedObject[^>]*>\s*<(?:\w+:)?(\w+)", body)
    return found[1].decode() if found else ""


def first(name, body):
    """Text of the first element of that local name; empty where there is none."""
    found = re.search(rb"<(?:\w+:)?" + name.encode() + rb"[^>]*>([^<]*)<", body)
    return found[1].decode() if found else ""


async def post(session, url, service, body):
    async with session.post(
        f"{url}/{service}", data=body, headers={"Content-Type": "application/xml"}, allow_redirects=False
    ) as response:
        return response.status, await response.read()
