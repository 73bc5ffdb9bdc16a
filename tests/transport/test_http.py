"""Simple HTTP over real sockets on loopback: what is refused, what is recorded, what is said when nothing comes."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from console.openadr.actions import Service
from console.openadr.findings import Severity
from console.transport.exchange import Answer, Request, Response, TransportError, Undelivered
from console.transport.http_client import HttpClient
from console.transport.http_server import HttpServer, Patience

POLL = "/OpenADR2/Simple/2.0b/OadrPoll"


class Desk:
    """A handler that keeps what it is given and answers with its own text."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.came = asyncio.Event()
        self.body = b"<answer/>"

    async def answer(self, request: Request) -> Response:
        self.requests.append(request)
        self.came.set()
        return Response(request.refusal) if request.refusal else Response(200, self.body)

    async def next(self) -> Request:
        """The next request, however the loop gets there."""
        await asyncio.wait_for(self.came.wait(), 10)
        self.came.clear()
        return self.requests[-1]


@pytest.fixture
async def desk() -> Desk:
    return Desk()


@pytest.fixture
async def server(desk: Desk) -> AsyncIterator[HttpServer]:
    server = HttpServer("127.0.0.1", 0, desk.answer, patience=Patience(body=0.2, head=0.2), body_limit=100_000)
    await server.start()
    yield server
    await server.close()


def port_of(server: HttpServer) -> int:
    return int(server.url.split(":")[2].split("/")[0])


async def exchange(server: HttpServer, sent: bytes, *, eof: bool = False) -> bytes:
    """Send bytes as they are; all that comes back until the server closes or one answer is complete."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
    writer.write(sent)
    await writer.drain()
    if eof:
        writer.close()
        await writer.wait_closed()
        return b""
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        length = next(line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
        return head + await asyncio.wait_for(reader.readexactly(int(length)), 10)
    finally:
        writer.close()
        await writer.wait_closed()


def post(target: str = POLL, body: bytes = b"<poll/>", *headers: str, method: str = "POST") -> bytes:
    said = {"host": "Host: x", "content-type": "Content-Type: application/xml"}
    said["content-length"] = f"Content-Length: {len(body)}"
    for header in headers:
        said[header.partition(":")[0].lower()] = header
    return f"{method} {target} HTTP/1.1\r\n".encode() + "\r\n".join(said.values()).encode() + b"\r\n\r\n" + body


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ")[1])


# Requests ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", list(Service))
async def test_a_request_reaches_the_handler_as_it_was_sent(desk, server, service):
    answer = await exchange(server, post(f"/OpenADR2/Simple/2.0b/{service}", b"<x/>", "X-Own: yes"))
    request = desk.requests[0]
    assert (request.service, request.body, request.size, request.refusal) == (service, b"<x/>", 4, 0)
    assert request.start_line == f"POST /OpenADR2/Simple/2.0b/{service}"
    assert ("X-Own", "yes") in request.headers
    assert request.findings == ()
    assert request.peer.address.startswith("127.0.0.1:")
    assert status_of(answer) == 200
    assert b"Content-Type: application/xml\r\n" in answer
    assert b"Content-Length: 9\r\n" in answer
    assert b"chunked" not in answer.lower()
    assert answer.endswith(b"<answer/>")


@pytest.mark.parametrize(
    "target",
    [
        "/prefix/of/ours" + POLL,
        "/a/../OpenADR2/./Simple/2.0b/OadrPoll",
        "/OpenADR2/Simple/2.0b/%4Fadr%50oll",
        "http://somewhere:1" + POLL,
        POLL + "?x=1",
    ],
)
async def test_a_path_that_means_the_same_is_taken(desk, server, target):
    assert status_of(await exchange(server, post(target))) == 200
    assert (desk.requests[0].service, desk.requests[0].findings) == (Service.OADR_POLL, ())


async def test_a_request_without_a_body_reaches_the_handler(desk, server):
    assert status_of(await exchange(server, post(POLL, b""))) == 200
    assert (desk.requests[0].body, desk.requests[0].size, desk.requests[0].findings) == (b"", 0, ())


async def test_a_body_that_came_at_once_is_held_to_the_limit_too(desk):
    server = HttpServer("127.0.0.1", 0, desk.answer, body_limit=5)
    await server.start()
    try:
        assert status_of(await exchange(server, post(POLL, b"<six/>"))) == 413
    finally:
        await server.close()
    assert desk.requests[0].size == 6


async def test_slashes_too_many_are_taken_and_told(desk, server):
    assert status_of(await exchange(server, post("/OpenADR2/Simple/2.0b//OadrPoll"))) == 200
    assert [finding.severity for finding in desk.requests[0].findings] == [Severity.WARNING]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("/OpenADR2/Simple/2.0b/oadrPoll", "capitals count"),
        ("/OpenADR2/Simple/EiEvent", "2.0a"),
        ("/favicon.ico", "has to end with"),
        ("/", "has to end with"),
    ],
)
async def test_a_path_that_is_no_service_is_404_and_recorded(desk, server, target, words):
    assert status_of(await exchange(server, post(target))) == 404
    assert desk.requests[0].body == b"<poll/>"
    assert words in desk.requests[0].findings[0].text


@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS"])
async def test_any_method_but_post_is_501(desk, server, method):
    assert status_of(await exchange(server, post(method=method))) == 501
    assert f"The method {method}" in desk.requests[0].findings[-1].text


@pytest.mark.parametrize(
    ("header", "severity"),
    [
        ("Content-Type: application/xml; charset=utf-8", None),
        ("Content-Type: text/xml", Severity.WARNING),
        ("Content-Type: ", Severity.WARNING),
        ("Content-Type: application/json", Severity.ERROR),
    ],
)
async def test_a_content_type_is_judged_but_the_handler_decides(desk, server, header, severity):
    assert status_of(await exchange(server, post(POLL, b"<poll/>", header))) == 200
    assert [finding.severity for finding in desk.requests[0].findings] == ([severity] if severity else [])


async def test_chunks_are_put_together_and_told(desk, server):
    chunked = b"4\r\n<pol\r\n3\r\nl/>\r\n0\r\n\r\n"
    head = post(POLL, b"", "Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"")
    head = head.replace(b"\r\nContent-Length: 0", b"")
    assert status_of(await exchange(server, head + chunked)) == 200
    assert desk.requests[0].body == b"<poll/>"
    assert "chunked" in desk.requests[0].findings[0].text


async def test_a_packed_request_is_unpacked(desk, server):
    packed = gzip.compress(b"<poll/>")
    assert status_of(await exchange(server, post(POLL, packed, "Content-Encoding: gzip"))) == 200
    assert desk.requests[0].body == b"<poll/>"


async def test_a_bomb_is_not_unpacked(desk, server):
    bomb = gzip.compress(bytes(10_000_000))
    assert status_of(await exchange(server, post(POLL, bomb, "Content-Encoding: gzip"))) == 406
    assert (desk.requests[0].body, "unpacks to more" in desk.requests[0].findings[0].text) == (bomb, True)


@pytest.mark.parametrize(("accepted", "coding"), [("gzip", b"gzip"), ("deflate, gzip;q=0", b"deflate"), ("br", b"")])
async def test_a_client_that_takes_packed_answers_gets_them(desk, server, accepted, coding):
    answer = await exchange(server, post(POLL, b"<poll/>", f"Accept-Encoding: {accepted}"))
    assert (b"Content-Encoding: " + coding in answer) == bool(coding)
    assert answer.endswith(b"<answer/>") == (not coding)


async def test_a_body_over_the_limit_is_413_with_its_beginning_kept(desk, server):
    answer = await exchange(server, post(POLL, b"x" * 300_000))
    request = desk.requests[0]
    assert status_of(answer) == 413
    assert (request.size, request.body) == (300_000, b"x" * 65_536)
    assert [finding.rule for finding in request.findings] == ["size"]


async def test_a_body_over_four_megabytes_is_refused_by_default():
    desk = Desk()
    server = HttpServer("127.0.0.1", 0, desk.answer)
    await server.start()
    try:
        assert status_of(await exchange(server, post(POLL, b"x" * (4 * 2**20 + 1)))) == 413
        assert desk.requests[0].size == 4 * 2**20 + 1
    finally:
        await server.close()


async def test_a_client_that_asks_first_is_told_to_go_on(desk, server):
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
    head, body = post(POLL, b"<poll/>", "Expect: 100-continue").split(b"\r\n\r\n")
    writer.write(head + b"\r\n\r\n")
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(body)
    assert status_of(await reader.readuntil(b"\r\n\r\n")) == 200
    writer.close()
    await writer.wait_closed()
    assert desk.requests[0].body == b"<poll/>"


async def test_a_body_that_does_not_go_on_is_408_with_what_came(desk, server):
    answer = await exchange(server, post(POLL, b"<po", "Content-Length: 20"))
    assert status_of(answer) == 408
    assert (desk.requests[0].body, desk.requests[0].size) == (b"<po", 20)
    assert "3 of 20 bytes" in desk.requests[0].findings[0].text


async def test_a_body_that_breaks_off_is_recorded(desk, server):
    await exchange(server, post(POLL, b"<po", "Content-Length: 20"), eof=True)
    request = await desk.next()
    assert (request.body, request.size) == (b"<po", 20)
    assert request.findings[0].severity is Severity.ERROR


# Bytes that are not HTTP -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"hello there\r\n\r\n", "not HTTP"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "means https"),
        (b"<?xml version='1.0'?><stream:stream to='x'>\r\n\r\n", "XMPP"),
        (b"\x00\x01\x02\x03\r\n\r\n", "not HTTP"),
    ],
)
async def test_bytes_that_are_not_http_are_recorded_and_answered_with_400(desk, server, sent, words):
    answer = await exchange(server, sent)
    request = await desk.next()
    assert status_of(answer) == 400
    assert (request.body, request.size, request.start_line, request.service) == (sent, len(sent), "", None)
    assert words in request.findings[0].text
    assert request.peer.address.startswith("127.0.0.1:")


async def test_a_head_that_breaks_off_is_recorded(desk, server):
    await exchange(server, b"POST /OpenADR2/Si", eof=True)
    request = await desk.next()
    assert (request.body, request.method) == (b"POST /OpenADR2/Si", "")
    assert "ended before a head" in request.findings[0].text


async def test_a_head_that_does_not_go_on_is_recorded_and_closed(desk, server):
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
    writer.write(b"POST /OpenADR2")
    assert await asyncio.wait_for(reader.read(), 10) == b""
    request = await desk.next()
    assert (request.body, "not complete after 0.2 s" in request.findings[0].text) == (b"POST /OpenADR2", True)
    writer.close()
    await writer.wait_closed()


async def test_garbage_after_a_good_request_is_garbage_of_its_own(desk, server):
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
    writer.write(post())
    await reader.readuntil(b"<answer/>")
    writer.write(b"and now this\r\n\r\n")
    assert status_of(await reader.readuntil(b"\r\n\r\n")) == 400
    writer.close()
    await writer.wait_closed()
    assert [request.body for request in desk.requests] == [b"<poll/>", b"and now this\r\n\r\n"]


async def test_a_connection_that_says_nothing_leaves_no_row(desk, server):
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
    writer.close()
    await writer.wait_closed()
    await exchange(server, post())
    assert len(desk.requests) == 1


async def test_two_requests_on_one_connection(desk, server):
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
    for body in (b"<one/>", b"<two/>"):
        writer.write(post(POLL, body))
        await reader.readuntil(b"<answer/>")
    writer.close()
    await writer.wait_closed()
    assert [request.body for request in desk.requests] == [b"<one/>", b"<two/>"]


# Ports -------------------------------------------------------------------------------------------------------------


async def test_a_port_in_use_is_told_with_its_owner(desk, server):
    second = HttpServer("127.0.0.1", port_of(server), desk.answer)
    with pytest.raises(TransportError, match=rf"Port {port_of(server)} on 127.0.0.1 is in use.*choose another port"):
        await second.start()
    await second.close()


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        ("192.0.2.1", 0, "not an address of this machine"),
        ("no such name", 0, "not known to this machine"),
        ("127.0.0.1", 70_000, "ports are numbers"),
    ],
)
async def test_a_place_that_cannot_be_listened_on(desk, host, port, words):
    with pytest.raises(TransportError, match=words):
        await HttpServer(host, port, desk.answer).start()


async def test_closing_frees_the_port_and_ends_connections(desk):
    server = HttpServer("127.0.0.1", 0, desk.answer)
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
    writer.write(post())
    await reader.readuntil(b"<answer/>")
    await server.close()
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
    await writer.wait_closed()
    again = HttpServer("127.0.0.1", port_of(server), desk.answer)
    await again.start()
    await again.close()


# The client --------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def client_of(url: str, **given) -> AsyncIterator[HttpClient]:
    client = HttpClient(url, **given)
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def raw_server(answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]):
    """A peer of any manners; its base URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await answer(reader, writer)
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listener:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/OpenADR2/Simple/2.0b"


def says(text: bytes):
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        await writer.drain()

    return answer


async def test_client_and_server_understand_each_other(desk, server):
    desk.body = b"<answer>" + b"x" * 50_000 + b"</answer>"
    async with client_of(server.url + "/") as client:
        start_line, headers = client.headers_of(Service.EI_EVENT, b"<event/>")
        answer = await client.post(Service.EI_EVENT, b"<event/>")
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body, answer.size, answer.findings) == (200, desk.body, len(desk.body), ())
    assert answer.start_line == "200 OK"
    assert answer.latency > 0
    request = desk.requests[0]
    assert (request.start_line, request.body, request.findings) == (start_line, b"<event/>", ())
    assert {name.lower(): value for name, value in request.headers} == {
        name.lower(): value for name, value in headers
    } | {"connection": "keep-alive"}
    assert ("Content-Encoding", "gzip") in answer.headers


async def test_any_status_is_an_answer(desk, server):
    async with client_of(server.url.replace("2.0b", "2.0c")) as client:
        answer = await client.post(Service.EI_EVENT, b"<event/>")
    assert isinstance(answer, Answer)
    assert (answer.status, answer.start_line) == (404, "404 Not Found")


async def test_a_redirect_is_not_followed():
    text = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    async with raw_server(says(text)) as url, client_of(url) as client:
        answer = await client.post(Service.OADR_POLL, b"<poll/>")
    assert isinstance(answer, Answer)
    assert answer.status == 302


async def test_a_peer_that_is_not_there():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with client_of(f"http://127.0.0.1:{port}/OpenADR2/Simple/2.0b") as client:
        lost = await client.post(Service.OADR_POLL, b"<poll/>")
    assert isinstance(lost, Undelivered)
    assert f"127.0.0.1:{port} cannot be reached" in lost.text
    assert "refused" in lost.text


async def test_a_peer_that_closes_without_a_word():
    async with raw_server(says(b"")) as url, client_of(url) as client:
        lost = await client.post(Service.OADR_POLL, b"<poll/>")
    assert isinstance(lost, Undelivered)
    assert "closed the connection without an answer" in lost.text


async def test_an_answer_that_is_not_http_is_kept():
    async with raw_server(says(b"220 mail.example ESMTP ready\r\n")) as url, client_of(url) as client:
        lost = await client.post(Service.OADR_POLL, b"<poll/>")
    assert isinstance(lost, Undelivered)
    assert lost.received == b"220 mail.example ESMTP ready\r\n"
    assert "not HTTP" in lost.text


async def test_a_peer_that_never_answers():
    silent = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silent.wait()

    async with raw_server(wait) as url, client_of(url) as client:
        client._timeout = 0.1
        client._http.timeout = 0.1
        lost = await client.post(Service.OADR_POLL, b"<poll/>")
        silent.set()
    assert isinstance(lost, Undelivered)
    assert "did not answer within 0.1 s" in lost.text


async def test_an_answer_over_the_limit_keeps_its_beginning():
    text = b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000
    async with raw_server(says(text)) as url, client_of(url, body_limit=100_000) as client:
        answer = await client.post(Service.OADR_POLL, b"<poll/>")
    assert isinstance(answer, Answer)
    assert (answer.size, len(answer.body), [f.rule for f in answer.findings]) == (300_000, 65_536, ["size"])


async def test_an_answer_with_a_body_that_is_not_what_it_says():
    text = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n<p/>\n"
    async with raw_server(says(text)) as url, client_of(url) as client:
        answer = await client.post(Service.OADR_POLL, b"<poll/>")
    assert isinstance(answer, Answer)
    assert answer.body == b"<p/>\n"
    assert ["gzip, but it is not" in answer.findings[0].text, "text/html" in answer.findings[1].text] == [True, True]


async def test_an_answer_without_content():
    async with raw_server(says(b"HTTP/1.1 204 No Content\r\n\r\n")) as url, client_of(url) as client:
        answer = await client.post(Service.OADR_POLL, b"<poll/>")
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (204, b"")


@pytest.mark.parametrize("url", ["", "localhost:8080", "ftp://x/y", "http://x:99999/", "http://h" + POLL])
def test_what_is_no_base_url(url):
    with pytest.raises(TransportError, match=r"not a (base )?URL|names a service"):
        HttpClient(url)


def test_a_time_out_is_not_below_five_seconds():
    with pytest.raises(ValueError, match="5 s or longer"):
        HttpClient("http://127.0.0.1:1", timeout=4.9)
