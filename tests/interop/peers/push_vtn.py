"""A VTN that pushes, on bare aiohttp: ``python push_vtn.py PORT``, one JSON object a line on stdout.

Takes one VEN, pushes its empty METADATA, an event, and the event's cancellation once the VEN has opted.
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

import aiohttp
from aiohttp import web
from pushing import BASE, envelope, first, kind, ok, post, tell

VEN = "<ei:venID>ven-p</ei:venID>"


class Vtn:
    def __init__(self):
        self.address = ""
        self.start = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=5)
        self.registered, self.opted = asyncio.Event(), asyncio.Event()

    async def answer(self, request):
        body = await request.read()
        element, request_id = kind(body), first("requestID", body)
        tell(saw="request", element=element, service=request.path.rpartition("/")[2])
        if element == "oadrCreatePartyRegistration":
            self.address = first("oadrTransportAddress", body)
            tell(saw="registration", address=self.address, pull=first("oadrHttpPullModel", body))
            return self.reply(
                "oadrCreatedPartyRegistration",
                ok(request_id) + "<ei:registrationID>reg-p</ei:registrationID>" + VEN + "<ei:vtnID>VTN-P</ei:vtnID>"
                "<oadr:oadrProfiles><oadr:oadrProfile><oadr:oadrProfileName>2.0b</oadr:oadrProfileName>"
                "<oadr:oadrTransports><oadr:oadrTransport><oadr:oadrTransportName>simpleHttp</oadr:oadrTransportName>"
                "</oadr:oadrTransport></oadr:oadrTransports></oadr:oadrProfile></oadr:oadrProfiles>",
            )
        if element == "oadrRegisterReport":
            return self.reply("oadrRegisteredReport", ok(request_id) + VEN)
        if element == "oadrRequestEvent":
            self.registered.set()
            return self.reply(
                "oadrDistributeEvent",
                ok(request_id) + "<pyld:requestID>none</pyld:requestID><ei:vtnID>VTN-P</ei:vtnID>",
            )
        if element == "oadrCreatedEvent":
            version = first("modificationNumber", body)
            tell(saw="opt", opt_type=first("optType", body), modification=version)
            self.opted.set()
            return self.reply("oadrResponse", ok() + VEN)
        return web.Response(status=404)

    def reply(self, element, content):
        return web.Response(body=envelope(element, content), content_type="application/xml")

    def event(self, version, status):
        start = self.start.strftime("%Y-%m-%dT%H:%M:%SZ")
        return envelope(
            "oadrDistributeEvent",
            f"<pyld:requestID>push-{version}</pyld:requestID><ei:vtnID>VTN-P</ei:vtnID><oadr:oadrEvent><ei:eiEvent>"
            f"<ei:eventDescriptor><ei:eventID>ev-p</ei:eventID><ei:modificationNumber>{version}</ei:modificationNumber>"
            "<ei:eiMarketContext><emix:marketContext>http://example.com/p</emix:marketContext></ei:eiMarketContext>"
            f"<ei:createdDateTime>{start}</ei:createdDateTime><ei:eventStatus>{status}</ei:eventStatus>"
            "</ei:eventDescriptor><ei:eiActivePeriod><xcal:properties><xcal:dtstart>"
            f"<xcal:date-time>{start}</xcal:date-time></xcal:dtstart><xcal:duration><xcal:duration>PT10M</xcal:duration>"
            "</xcal:duration><ei:x-eiNotification><xcal:duration>PT1M</xcal:duration></ei:x-eiNotification>"
            "</xcal:properties><xcal:components/></ei:eiActivePeriod><ei:eiEventSignals><ei:eiEventSignal>"
            "<strm:intervals><ei:interval><xcal:duration><xcal:duration>PT10M</xcal:duration></xcal:duration>"
            "<xcal:uid><xcal:text>0</xcal:text></xcal:uid><ei:signalPayload><ei:payloadFloat><ei:value>1</ei:value>"
            "</ei:payloadFloat></ei:signalPayload></ei:interval></strm:intervals><ei:signalName>SIMPLE</ei:signalName>"
            "<ei:signalType>level</ei:signalType><ei:signalID>s</ei:signalID><ei:currentValue><ei:payloadFloat>"
            "<ei:value>0</ei:value></ei:payloadFloat></ei:currentValue></ei:eiEventSignal></ei:eiEventSignals>"
            f"<ei:eiTarget>{VEN}</ei:eiTarget></ei:eiEvent>"
            "<oadr:oadrResponseRequired>always</oadr:oadrResponseRequired></oadr:oadrEvent>",
        )

    async def push_all(self):
        await self.registered.wait()
        url = self.address.rstrip("/") + BASE
        metadata = envelope("oadrRegisterReport", "<pyld:requestID>meta</pyld:requestID>")
        async with aiohttp.ClientSession() as session:
            pushes = (
                ("EiReport", metadata),
                ("EiEvent", self.event(0, "far")),
                ("EiEvent", self.event(1, "cancelled")),
            )
            for service, message in pushes:
                self.opted.clear()
                status, body = await post(session, url, service, message)
                tell(saw="pushed", element=kind(message), status=status, length=len(body), answer=kind(body))
                if service == "EiEvent":
                    await self.opted.wait()
            tell(saw="done")


async def main(port):
    vtn = Vtn()
    application = web.Application()
    application.router.add_post(BASE + "/{service}", vtn.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(port)).start()
    tell(saw="listening", url=f"http://127.0.0.1:{port}{BASE}")
    await vtn.push_all()
    await asyncio.Event().wait()


asyncio.run(main(sys.argv[1]))
