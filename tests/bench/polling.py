"""A lean load for VTNs: prebuilt requests over keep-alive connections, answers looked at as far as needed."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator

_NAMESPACES = (
    'xmlns:oadr="http://openadr.org/oadr-2.0b/2012/07" xmlns:ei="http://docs.oasis-open.org/ns/energyinterop/201110"'
)
_PAYLOADS = 'xmlns:pyld="http://docs.oasis-open.org/ns/energyinterop/201110/payloads"'
_POLL = (
    f'<?xml version="1.0" encoding="utf-8"?><oadr:oadrPayload {_NAMESPACES}><oadr:oadrSignedObject>'
    '<oadr:oadrPoll ei:schemaVersion="2.0b"><ei:venID>%s</ei:venID></oadr:oadrPoll>'
    "</oadr:oadrSignedObject></oadr:oadrPayload>"
)
_CREATED = (
    f'<?xml version="1.0" encoding="utf-8"?><oadr:oadrPayload {_NAMESPACES} {_PAYLOADS}><oadr:oadrSignedObject>'
    '<oadr:oadrCreatedEvent ei:schemaVersion="2.0b"><pyld:eiCreatedEvent><ei:eiResponse>'
    "<ei:responseCode>200</ei:responseCode><ei:responseDescription>OK</ei:responseDescription><pyld:requestID/>"
    "</ei:eiResponse><ei:eventResponses><ei:eventResponse><ei:responseCode>200</ei:responseCode>"
    "<ei:responseDescription>OK</ei:responseDescription><pyld:requestID>%s</pyld:requestID><ei:qualifiedEventID>"
    "<ei:eventID>%s</ei:eventID><ei:modificationNumber>0</ei:modificationNumber></ei:qualifiedEventID>"
    "<ei:optType>optIn</ei:optType></ei:eventResponse></ei:eventResponses><ei:venID>%s</ei:venID>"
    "</pyld:eiCreatedEvent></oadr:oadrCreatedEvent></oadr:oadrSignedObject></oadr:oadrPayload>"
)
_EVENT = re.compile(rb"eventID>([^<]+)</")
_REQUEST = re.compile(rb"requestID[^>]*>([^<]*)</")
_BASE = "/OpenADR2/Simple/2.0b"


class Connection(asyncio.Protocol):
    """One keep-alive connection, one request at a time."""

    def __init__(self) -> None:
        self._received = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("closed"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._received[:end].lower()
        length = int(head[head.find(b"content-length:") + 15 :].split(b"\r\n", 1)[0])
        whole = end + 4 + length
        if len(self._received) >= whole and self._answer is not None:
            answer, self._received = self._received[end + 4 : whole], self._received[whole:]
            self._answer.set_result((int(head[9:12]), answer))

    def send(self, request: bytes) -> asyncio.Future[tuple[int, bytes]]:
        assert self.transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._answer


def poll_of(ven_id: str) -> bytes:
    return _request("OadrPoll", _POLL % ven_id)


def created_of(ven_id: str, distributed: bytes) -> bytes | None:
    """oadrCreatedEvent to the event in an oadrDistributeEvent; None where there is none in it."""
    event = _EVENT.search(distributed)
    if event is None:
        return None
    request_id = _REQUEST.findall(distributed)[-1].decode()
    return _request("EiEvent", _CREATED % (request_id, event[1].decode(), ven_id))


def _request(service: str, body: str) -> bytes:
    head = f"POST {_BASE}/{service} HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


async def open_all(port: int, count: int) -> list[Connection]:
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(Connection, "127.0.0.1", port))[1] for _ in range(count)]


def close_all(connections: list[Connection]) -> None:
    for connection in connections:
        if connection.transport is not None:
            connection.transport.close()


async def idle(port: int, ven_id: str, connections: int, seconds: float) -> tuple[float, int]:
    """Polls a second over keep-alive connections, and how many; each has to be answered 200."""
    request = poll_of(ven_id)
    opened = await open_all(port, connections)
    start = time.perf_counter()
    end = start + seconds
    counts = await asyncio.gather(*(_poll_until(connection, request, end) for connection in opened))
    took = time.perf_counter() - start
    close_all(opened)
    return sum(counts) / took, sum(counts)


async def _poll_until(connection: Connection, request: bytes, end: float) -> int:
    count = 0
    while time.perf_counter() < end:
        status, body = await connection.send(request)
        assert status == 200 and b"responseCode>200<" in body, body
        count += 1
    return count


async def acknowledge(port: int, ven_ids: list[str], connections: int) -> tuple[float, int]:
    """Every VEN polls until it has the event, and answers it: seconds for all, and acknowledgements taken."""
    opened = await open_all(port, connections)
    left = iter(ven_ids)
    start = time.perf_counter()
    taken = await asyncio.gather(*(_acknowledge(connection, left) for connection in opened))
    took = time.perf_counter() - start
    close_all(opened)
    return took, sum(taken)


async def _acknowledge(connection: Connection, left: Iterator[str]) -> int:
    taken = 0
    for ven_id in left:
        answer = None
        for _ in range(3):
            _, body = await connection.send(poll_of(ven_id))
            if (answer := created_of(ven_id, body)) is not None:
                break
        if answer is not None:
            status, body = await connection.send(answer)
            taken += status == 200 and b"responseCode>200<" in body
    return taken


async def drain(port: int, ven_ids: list[str], connections: int) -> None:
    """Each VEN polls once, so that what it is owed at the start is behind it."""
    opened = await open_all(port, connections)
    left = iter(ven_ids)

    async def work(connection: Connection) -> None:
        for ven_id in left:
            await connection.send(poll_of(ven_id))

    await asyncio.gather(*(work(connection) for connection in opened))
    close_all(opened)
