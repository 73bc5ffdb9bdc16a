"""Faults that are in the socket: peers that trickle, crowds from one address, connections that never speak."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from console.transport.exchange import Request, Response
from console.transport.http_server import HttpServer, Limits, Patience

POLL = b"<poll/>"
HEAD = b"POST /OpenADR2/Simple/2.0b/OadrPoll HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\n"
WHOLE = HEAD + b"Content-Length: 7\r\n\r\n" + POLL

resource = pytest.importorskip("resource", reason="limits of a process are POSIX")


class Desk:
    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.came = asyncio.Event()

    async def answer(self, request: Request) -> Response:
        self.requests.append(request)
        self.came.set()
        return Response(request.refusal or 200, b"<answer/>")

    async def until(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.requests) < count:
                self.came.clear()
                await self.came.wait()


@asynccontextmanager
async def serving(**given) -> AsyncIterator[tuple[HttpServer, Desk, int]]:
    desk = Desk()
    server = HttpServer("127.0.0.1", 0, desk.answer, **given)
    await server.start()
    try:
        yield server, desk, int(server.url.split(":")[2].split("/")[0])
    finally:
        await server.close()


async def status_of(port: int) -> int:
    """What a peer that behaves is answered, on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(WHOLE)
    async with asyncio.timeout(20):
        line = await reader.readline()
    writer.close()
    return int(line.split()[1])


async def test_one_byte_at_a_time_is_cut_off_by_the_clock_and_not_by_the_gaps():
    """Each byte comes in time for itself; what counts is the whole, and nobody else waits for it."""
    async with serving(patience=Patience(head=5, body=0.3)) as (_, desk, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + b"Content-Length: 100000\r\n\r\n")
        trickle = asyncio.ensure_future(_trickle(writer))
        assert await status_of(port) == 200
        async with asyncio.timeout(20):
            line = await reader.readline()
        trickle.cancel()
        writer.close()
        assert line.split()[1] == b"408"
        slow = next(request for request in desk.requests if request.refusal == 408)
        assert slow.findings[0].text.startswith("The body stopped after")
        assert 0 < len(slow.body) < 100_000


async def test_a_head_that_trickles_ends_too():
    async with serving(patience=Patience(head=0.3)) as (_, desk, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /OpenADR2")
        trickle = asyncio.ensure_future(_trickle(writer))
        async with asyncio.timeout(20):
            assert await reader.read() == b""
        trickle.cancel()
        writer.close()
        await desk.until(1)
        assert "the head was not complete" in desk.requests[0].findings[0].text


async def _trickle(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x")
        await asyncio.sleep(0.02)


async def test_a_connection_that_never_says_a_word_is_closed_without_a_row():
    async with serving(patience=Patience(head=0.1)) as (_, desk, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(20):
            assert await reader.read() == b""
        writer.close()
        assert desk.requests == []


async def test_a_crowd_from_one_address_is_bounded_told_once_and_let_in_again():
    async with serving(limits=Limits(100, 50)) as (_, desk, port):
        crowd = [await asyncio.open_connection("127.0.0.1", port) for _ in range(80)]
        await desk.until(1)
        assert [request.refusal for request in desk.requests] == [503]
        assert "50 connections from 127.0.0.1 alone are open" in desk.requests[0].findings[0].text
        async with asyncio.timeout(20):
            for reader, _ in crowd[50:]:
                assert await reader.read() == b""
        reader, writer = crowd[0]
        writer.write(WHOLE)
        async with asyncio.timeout(20):
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        for _, writer in crowd:
            writer.close()
            await writer.wait_closed()
        await desk.until(2)
        async with asyncio.timeout(20):
            while True:
                try:
                    assert await status_of(port) == 200
                    break
                except (IndexError, ConnectionError):
                    await asyncio.sleep(0)


@pytest.mark.slow
async def test_five_thousand_connections_from_one_address_leave_the_node_serving():
    """Both ends are in this process, so it needs two files a connection."""
    count = 5000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2 * count + 500:
        pytest.skip(f"this machine allows {hard} open files, {2 * count + 500} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * count + 500), hard))
    opened: list[asyncio.StreamWriter] = []
    try:
        async with serving(limits=Limits(20_000, 4000)) as (_, desk, port):
            for _ in range(count):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                opened.append(writer)
            await desk.until(1)
            assert "4000 connections from 127.0.0.1 alone" in desk.requests[0].findings[0].text
            opened[0].write(WHOLE)
            await desk.until(2)
            assert [request.refusal for request in desk.requests] == [503, 0]
            for writer in opened:
                writer.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
