"""TLS on loopback: who is let in, who is told why not, and in which words (section 10, rules 67, 68, 516, 517)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.openadr.actions import Service
from console.security import authority
from console.security.authority import KeyKind
from console.security.keys import Identity, write_key
from console.transport.exchange import Answer, Request, Response, TransportError, Undelivered
from console.transport.fleet import Fleet
from console.transport.http_client import HttpClient
from console.transport.http_server import HttpServer, Patience
from console.transport.tls import STANDARD_SUITES, Tls, TlsSettings

NOW = datetime.now(UTC)
"""OpenSSL goes by the machine's clock, so certificates are made around it; nothing is asserted of it."""

Pair = tuple[Path, Path]


@dataclass(frozen=True)
class Papers:
    """Files of one laboratory."""

    folder: Path
    rsa: Identity
    ecc: Identity

    def node(self, name: str, role: str, kind: KeyKind, **more: object) -> Pair:
        issuer = self.rsa if kind is KeyKind.RSA else self.ecc
        return self.write(name, authority.issue(issuer, name, role, kind, NOW, **more))  # type: ignore[arg-type]

    def write(self, name: str, identity: Identity) -> Pair:
        stem = f"{name}-{identity.certificate.fingerprint.replace(':', '')}"
        certificate, key = self.folder / f"{stem}.crt", self.folder / f"{stem}.key"
        certificate.write_bytes(identity.certificate.pem())
        write_key(key, identity.key)
        return certificate, key

    def authorities(self, *more: Identity) -> Path:
        file = self.folder / f"ca{len(more)}.pem"
        file.write_bytes(b"".join(each.certificate.pem() for each in (self.rsa, self.ecc, *more)))
        return file


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    folder = tmp_path_factory.mktemp("papers")
    return Papers(folder, *(authority.new_authority(kind, NOW) for kind in (KeyKind.RSA, KeyKind.ECC)))


@pytest.fixture(scope="module")
def vtn(papers: Papers) -> tuple[Pair, Pair]:
    """Both kinds at once, for localhost (rule 68)."""
    rsa, ecc = (papers.node("localhost", "VTN", kind) for kind in (KeyKind.RSA, KeyKind.ECC))
    return rsa, ecc


@pytest.fixture(scope="module")
def ven(papers: Papers) -> Pair:
    return papers.node("ven-1", "VEN", KeyKind.ECC)


class Desk:
    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.came = asyncio.Event()

    async def answer(self, request: Request) -> Response:
        self.requests.append(request)
        self.came.set()
        if request.refusal:
            return Response(request.refusal, request.findings[0].text.encode(), "text/plain")
        return Response(200, b"<answer/>")

    async def first(self) -> Request:
        await asyncio.wait_for(self.came.wait(), 10)
        return self.requests[0]


@asynccontextmanager
async def serving(settings: TlsSettings, **more: object) -> AsyncIterator[tuple[HttpServer, Desk, str]]:
    desk = Desk()
    tls = Tls(settings, **more)  # type: ignore[arg-type]
    server = HttpServer("127.0.0.1", 0, desk.answer, tls=tls, patience=Patience(head=2, handshake=2))
    await server.start()
    try:
        yield server, desk, server.url.replace("127.0.0.1", "localhost")
    finally:
        await server.close()


async def ask(url: str, settings: TlsSettings, kind: str = "httpx") -> Answer | Undelivered:
    tls = Tls(settings)
    fleet = Fleet(tls=tls)
    client = HttpClient(url, tls=tls) if kind == "httpx" else fleet.client(url)
    try:
        return await client.post(Service.OADR_POLL, b"<poll/>")
    finally:
        await client.close()
        await fleet.close()


def client(papers: Papers, *identities: Pair, **more: object) -> TlsSettings:
    return TlsSettings(identities=identities, authorities=papers.authorities(), **more)  # type: ignore[arg-type]


# Getting in --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("library", ["httpx", "aiohttp"])
async def test_both_sides_know_each_other_and_the_fingerprint_comes_with_the_request(papers, vtn, ven, strict, library):
    settings = client(papers, *vtn, strict=strict)
    async with serving(settings) as (server, desk, url):
        assert server.url.startswith("https://")
        answer = await ask(url, client(papers, ven), library)
    assert isinstance(answer, Answer), answer
    assert (answer.status, answer.body) == (200, b"<answer/>")
    own = papers.folder / ven[0].name
    expected = Tls(client(papers, (own, ven[1]))).judge(certificates_of(own)).fingerprint
    assert desk.requests[0].peer.fingerprint == expected
    assert len(expected) == 29
    assert desk.requests[0].findings == ()


def certificates_of(file: Path):
    from console.security.keys import read_certificates

    return read_certificates(file)


@pytest.mark.parametrize("suite", STANDARD_SUITES.split(":"))
@pytest.mark.parametrize("strict", [False, True])
async def test_each_suite_of_the_standard_is_taken_though_others_are_offered(papers, vtn, ven, suite, strict):
    """Rule 68: the server has an RSA and an ECC certificate at once and picks the suite, whatever else is offered."""
    async with serving(client(papers, *vtn, strict=strict)) as (server, _, _):
        context = ssl.create_default_context(cafile=papers.authorities())
        context.load_cert_chain(*ven)
        context.set_ciphers(f"ECDHE+AESGCM:{suite}")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        port = int(server.url.split(":")[2].split("/")[0])
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
        name, version, _ = writer.get_extra_info("cipher")
        writer.close()
        assert (name, version) == (suite, "TLSv1.2")


@pytest.mark.parametrize(("wanted", "version"), [(False, "TLSv1.2"), (True, "TLSv1.3")])
async def test_tls_1_3_is_a_setting(papers, vtn, ven, wanted, version):
    async with serving(client(papers, *vtn, tls13=wanted)) as (server, _, _):
        context = ssl.create_default_context(cafile=papers.authorities())
        context.load_cert_chain(*ven)
        port = int(server.url.split(":")[2].split("/")[0])
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
        assert writer.get_extra_info("ssl_object").version() == version
        writer.close()


# Not getting in ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def faulty(papers: Papers, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Pair | None, str]]:
    """Name -> (certificate to show, words that must come)."""
    foreign = authority.new_authority(KeyKind.ECC, NOW)
    expired = authority.issue(papers.ecc, "ven-old", "VEN", KeyKind.ECC, NOW - timedelta(days=900))
    early = authority.issue(papers.ecc, "ven-early", "VEN", KeyKind.ECC, NOW + timedelta(hours=2))
    return {
        "none": (None, "No client certificate"),
        "foreign": (
            papers.write("foreign", authority.issue(foreign, "ven-f", "VEN", KeyKind.ECC, NOW)),
            "key did not sign it",
        ),
        "expired": (papers.write("expired", expired), "expired on"),
        "clock": (papers.write("early", early), "Is a clock wrong?"),
        "revoked": (papers.node("ven-revoked", "VEN", KeyKind.ECC), "was revoked by"),
    }


@pytest.fixture(scope="module")
def revocations(papers: Papers, faulty: dict[str, tuple[Pair | None, str]]) -> Path:
    shown = faulty["revoked"][0]
    assert shown
    file = papers.folder / "list.crl"
    file.write_bytes(authority.revoke(papers.ecc, certificates_of(shown[0]), NOW))
    return file


FAULTS = ["none", "foreign", "expired", "clock", "revoked"]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("tls13", [False, True])
async def test_on_the_bench_the_peer_is_told_403_and_why(papers, vtn, faulty, revocations, fault, tls13):
    shown, words = faulty[fault]
    settings = client(papers, *vtn, revocations=revocations, tls13=tls13)
    async with serving(settings) as (_, desk, url):
        answer = await ask(url, client(papers, *([shown] if shown else []), tls13=tls13))
    assert isinstance(answer, Answer), answer
    assert answer.status == 403
    assert words in answer.body.decode()
    request = desk.requests[0]
    assert request.refusal == 403
    assert words in request.findings[0].text
    assert bool(request.peer.fingerprint) is (shown is not None)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("library", ["httpx", "aiohttp"])
async def test_strict_ends_the_handshake_and_records_why(papers, vtn, faulty, revocations, fault, library):
    """Rule 516; no request gets through, and the row says what was wrong with the certificate."""
    shown, words = faulty[fault]
    async with serving(client(papers, *vtn, strict=True, revocations=revocations)) as (_, desk, url):
        answer = await ask(url, client(papers, *([shown] if shown else [])), library)
        recorded = await desk.first()
    assert isinstance(answer, Undelivered), answer
    assert (recorded.method, recorded.refusal, recorded.body) == ("", 403, b"")
    assert recorded.findings[0].rule == "tls"
    assert words.replace("No client", "no client") in recorded.findings[0].text
    assert len(desk.requests) == 1


async def test_a_refused_peer_gets_an_alert_and_not_just_an_end(papers, vtn):
    async with serving(client(papers, *vtn, strict=True)) as (_, _, url):
        answer = await ask(url, client(papers))
    assert isinstance(answer, Undelivered)
    assert "wants a client certificate" in answer.text


async def test_a_client_believes_no_server_it_does_not_know_and_says_why(papers, vtn, ven):
    stranger = authority.new_authority(KeyKind.ECC, NOW)
    file = papers.folder / "stranger.pem"
    file.write_bytes(stranger.certificate.pem())
    async with serving(client(papers, *vtn)) as (_, desk, url):
        answer = await ask(url, TlsSettings((ven,), file))
        recorded = await desk.first()
    assert isinstance(answer, Undelivered)
    assert "not to be trusted" in answer.text
    assert "Peers that refuse a certificate do so" in recorded.findings[0].text


@pytest.mark.parametrize("library", ["httpx", "aiohttp"])
async def test_a_wrong_name_is_told_with_the_right_one(papers, vtn, ven, library):
    async with serving(client(papers, *vtn)) as (server, _, _):
        answer = await ask(server.url, client(papers, ven), library)
    assert isinstance(answer, Undelivered)
    assert "wrong name: the certificate of CN=localhost" in answer.text
    assert "is for localhost, not for 127.0.0.1" in answer.text


async def test_a_server_whose_certificate_was_revoked_is_not_believed(papers, vtn, ven):
    file = papers.folder / "vtn.crl"
    file.write_bytes(authority.revoke(papers.ecc, certificates_of(vtn[1][0]), NOW))
    async with serving(client(papers, *vtn)) as (_, _, url):
        answer = await ask(url, client(papers, ven, revocations=file))
    assert isinstance(answer, Undelivered)
    assert "was revoked by" in answer.text


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_clock_an_hour_off_is_told_where_it_matters(papers, vtn, hours):
    """A certificate made this minute is not yet valid for a clock an hour and more behind, and fine an hour ahead."""
    fresh = papers.node("ven-fresh", "VEN", KeyKind.ECC)
    off = NOW + timedelta(hours=hours, minutes=-1 if hours < 0 else 1)
    async with serving(client(papers, *vtn), now=lambda: off) as (_, _, url):
        answer = await ask(url, client(papers, fresh))
    assert isinstance(answer, Answer)
    if hours < 0:
        assert (answer.status, "Is a clock wrong?" in answer.body.decode()) == (403, True)
    else:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"POST /OpenADR2/Simple/2.0b/OadrPoll HTTP/1.1\r\nHost: x\r\n\r\n", "plain HTTP came"),
        (b"hello, is this a shell?\r\n", "is not TLS"),
        (b"", "closed the connection"),
    ],
)
async def test_what_is_no_tls_is_recorded_in_words(papers, vtn, sent, words):
    async with serving(client(papers, *vtn)) as (server, desk, _):
        port = int(server.url.split(":")[2].split("/")[0])
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        await writer.drain()
        if not sent:
            writer.close()
        recorded = await desk.first()
        writer.close()
    assert words in recorded.findings[0].text
    assert recorded.peer.address.startswith("127.0.0.1:")


# Files ---------------------------------------------------------------------------------------------------------------


def missing(papers: Papers) -> TlsSettings:
    return client(papers, (papers.folder / "nowhere.crt", papers.folder / "nowhere.key"))


def crossed(papers: Papers) -> TlsSettings:
    one, other = (papers.node(name, "VEN", KeyKind.ECC) for name in ("one", "other"))
    return client(papers, (one[0], other[1]))


def garbage(papers: Papers) -> TlsSettings:
    file = papers.folder / "garbage"
    file.write_text("nothing of the kind")
    return client(papers, (file, file))


@pytest.mark.parametrize(
    ("settings", "words"),
    [(missing, "no such file"), (crossed, "does not belong"), (garbage, "hold no certificate and key")],
)
def test_files_that_cannot_be_used_are_told_by_name(papers, settings: Callable[[Papers], TlsSettings], words):
    with pytest.raises(TransportError, match=words):
        Tls(settings(papers))


def test_a_server_needs_to_know_whom_to_believe(vtn):
    with pytest.raises(TransportError, match="whom to believe"):
        Tls(TlsSettings(identities=vtn))
