"""A push VEN on bare aiohttp: ``python push_ven.py VTN_URL NAME``, one JSON object a line on stdout.

Registers, offers no reports, answers what it is pushed, and opts in by a request of its own.
"""

import asyncio
import sys

import aiohttp
from aiohttp import web
from pushing import BASE, envelope, first, kind, ok, post, tell


class Ven:
    def __init__(self, url, name):
        self.url, self.name, self.ven_id = url, name, ""
        self.session = None
        self.tasks = set()

    async def register(self, address):
        status, body = await post(
            self.session,
            self.url,
            "EiRegisterParty",
            envelope(
                "oadrCreatePartyRegistration",
                "<pyld:requestID>reg-1</pyld:requestID><oadr:oadrProfileName>2.0b</oadr:oadrProfileName>"
                "<oadr:oadrTransportName>simpleHttp</oadr:oadrTransportName>"
                f"<oadr:oadrTransportAddress>{address}</oadr:oadrTransportAddress>"
                "<oadr:oadrReportOnly>false</oadr:oadrReportOnly><oadr:oadrXmlSignature>false</oadr:oadrXmlSignature>"
                f"<oadr:oadrVenName>{self.name}</oadr:oadrVenName>"
                "<oadr:oadrHttpPullModel>false</oadr:oadrHttpPullModel>",
            ),
        )
        self.ven_id = first("venID", body)
        tell(saw="registration", status=status, ven_id=self.ven_id, poll=first("oadrRequestedOadrPollFreq", body))
        metadata = envelope(
            "oadrRegisterReport", f"<pyld:requestID>rep-1</pyld:requestID><ei:venID>{self.ven_id}</ei:venID>"
        )
        status, body = await post(self.session, self.url, "EiReport", metadata)
        tell(saw="answer", to="oadrRegisterReport", status=status, element=kind(body))

    async def answer(self, request):
        body = await request.read()
        element, service = kind(body), request.path.rpartition("/")[2]
        tell(
            saw="push",
            element=element,
            service=service,
            coded=request.headers.get("Content-Encoding", ""),
            chunked=request.headers.get("Transfer-Encoding", ""),
            type=request.headers.get("Content-Type", ""),
        )
        if element == "oadrDistributeEvent":
            self.later(self.opt_in(body))
            return web.Response(status=200)
        request_id, own = first("requestID", body), f"<ei:venID>{self.ven_id}</ei:venID>"
        if element == "oadrRegisterReport":
            return self.reply("oadrRegisteredReport", ok(request_id) + own)
        if element == "oadrRequestReregistration":
            return self.reply("oadrResponse", ok() + own)
        if element == "oadrCancelPartyRegistration":
            registration = f"<ei:registrationID>{first('registrationID', body)}</ei:registrationID>"
            return self.reply("oadrCanceledPartyRegistration", ok(request_id) + registration + own)
        return web.Response(status=404)

    def reply(self, element, content):
        return web.Response(body=envelope(element, content), content_type="application/xml")

    def later(self, work):
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def opt_in(self, body):
        version = first("modificationNumber", body)
        tell(saw="event", event_id=first("eventID", body), modification=version, status=first("eventStatus", body))
        answer = envelope(
            "oadrCreatedEvent",
            f"<pyld:eiCreatedEvent>{ok()}<ei:eventResponses><ei:eventResponse><ei:responseCode>200</ei:responseCode>"
            f"<pyld:requestID>{first('requestID', body)}</pyld:requestID><ei:qualifiedEventID>"
            f"<ei:eventID>{first('eventID', body)}</ei:eventID>"
            f"<ei:modificationNumber>{version}</ei:modificationNumber></ei:qualifiedEventID>"
            "<ei:optType>optIn</ei:optType></ei:eventResponse></ei:eventResponses>"
            f"<ei:venID>{self.ven_id}</ei:venID></pyld:eiCreatedEvent>",
        )
        status, body = await post(self.session, self.url, "EiEvent", answer)
        tell(saw="answer", to="oadrCreatedEvent", status=status, element=kind(body), code=first("responseCode", body))


async def main(url, name):
    ven = Ven(url, name)
    application = web.Application()
    application.router.add_post("/site-7" + BASE + "/{service}", ven.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    async with aiohttp.ClientSession() as ven.session:
        await ven.register(f"http://127.0.0.1:{port}/site-7/")
        await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
