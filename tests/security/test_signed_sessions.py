"""Two nodes that sign and verify: what is signed is acted on, and nothing else is (section 10.6)."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest

from console.openadr import codec
from console.openadr.actions import Peer, SeededIds, Service
from console.openadr.commands import Offer, VenSettings, VtnSettings
from console.openadr.facts import FindingMade, Registered, RegistrationFailed
from console.openadr.model import OadrPoll
from console.openadr.ven import Ven
from console.openadr.vtn import Vtn
from console.security.authority import KeyKind
from console.security.keys import Identity
from console.security.replay import Nonces
from console.security.signing import Signer
from console.security.trust import Trust
from console.security.verification import Verifier, VerifierSettings
from console.session.clock import VirtualClock
from console.session.session import Session
from console.store.store import Store
from console.transport.exchange import Request, Response
from console.transport.memory import MemoryClient, MemoryServer
from tests.security.forging import NOW, signed


@dataclass
class Pair:
    vtn: Session
    ven: Session
    clock: VirtualClock
    store: Store
    facts: dict[str, list]

    async def run(self, seconds: float) -> None:
        async def settle() -> None:
            await self.ven.settled()
            await self.vtn.settled()

        await self.clock.advance(timedelta(seconds=seconds), settle)
        await settle()

    async def ask(self, body: bytes, peer: Peer | None = None) -> Response:
        """The VTN's answer to bytes from anywhere."""
        service = Service.OADR_POLL
        request = Request(peer or Peer("elsewhere"), "POST", f"/{service}", service, (), body, len(body))
        return await self.vtn.answer(request)

    def found(self, kind: type, at: str = "vtn") -> list:
        return [fact for fact in self.facts[at] if isinstance(fact, kind)]

    def bodies(self) -> list[bytes]:
        return [self.store.body(number) for number in range(1, len(self.store.log) + 1)]


@asynccontextmanager
async def pair(
    vtn_signer: Signer | None, ven_signer: Signer | None, vtn_verifier: Verifier | None, ven_verifier: Verifier | None
) -> AsyncIterator[Pair]:
    with Store.open() as store:
        clock = VirtualClock(NOW)
        rng = random.Random(1)
        vtn_role = Vtn("vtn", SeededIds(rng), rng, VtnSettings(poll_period=timedelta(seconds=10)))
        ven_role = Ven("ven", SeededIds(rng), rng, VenSettings(offers=(Offer(r_id="meter"),)))
        vtn = Session("vtn", vtn_role, store, clock, signer=vtn_signer, verifier=vtn_verifier)
        ven = Session("ven", ven_role, store, clock, signer=ven_signer, verifier=ven_verifier)
        facts: dict[str, list] = {"vtn": [], "ven": []}
        vtn.on_fact(lambda fact, at: facts["vtn"].append(fact))
        ven.on_fact(lambda fact, at: facts["ven"].append(fact))
        server = MemoryServer(vtn.answer)
        vtn.serve_through(server)
        ven.connect_through(MemoryClient(server))
        both = Pair(vtn, ven, clock, store, facts)
        try:
            await both.run(1)
            yield both
        finally:
            await ven.close()
            await vtn.close()


@pytest.fixture
def vtn(authorities: Mapping[KeyKind, Identity]) -> Identity:
    from console.security.authority import issue

    return issue(authorities[KeyKind.ECC], "vtn", "VTN", KeyKind.ECC, NOW)


def verifier(trust: Trust, **options) -> Verifier:
    return Verifier(trust, VerifierSettings(**options), Nonces())


async def test_nodes_that_sign_and_verify_register_and_go_on(vtn: Identity, ven: Identity, trust: Trust):
    async with pair(Signer(vtn), Signer(ven), verifier(trust), verifier(trust)) as both:
        await both.run(60)
        registered = both.found(Registered)
        assert {fact.ven_name for fact in registered} == {"ven"}
        bodies = [body for body in both.bodies() if body]
        assert len(bodies) > 20
        assert all(codec.dissect(body).signed for body in bodies)
        # Each message stands there twice, sent and received, and was taken in once.
        assert len(set(bodies)) * 2 == len(bodies)
        assert not [fact for fact in both.found(FindingMade) if fact.rule in ("514", "516", "certificate")]


async def test_a_repeated_request_is_not_acted_on(vtn: Identity, ven: Identity, trust: Trust):
    async with pair(Signer(vtn), Signer(ven), verifier(trust), verifier(trust)) as both:
        sent = next(body for body in both.bodies() if b"<oadr:oadrCreatePartyRegistration" in body)
        count = len(both.found(Registered))
        response = await both.ask(sent)
        assert response.status == 403
        assert b"a repeated message" in response.body
        assert len(both.found(Registered)) == count
        assert [fact.rule for fact in both.found(FindingMade)][-1] == "514"


async def test_an_unsigned_or_changed_request_is_answered_403(vtn: Identity, ven: Identity, trust: Trust):
    async with pair(Signer(vtn), Signer(ven), verifier(trust), verifier(trust)) as both:
        ven_id = both.found(Registered)[0].ven_id
        unsigned = await both.ask(codec.write(OadrPoll(ven_id=ven_id)))
        assert (unsigned.status, b"takes signed messages only" in unsigned.body) == (403, True)
        forged = signed(ven, OadrPoll(ven_id="x"), now=both.clock.now()).replace(b">x<", f">{ven_id}<".encode())
        assert (await both.ask(forged)).status == 403
        genuine = await both.ask(signed(ven, OadrPoll(ven_id=ven_id), now=both.clock.now()))
        assert genuine.status == 200


async def test_the_signature_says_who_it_is_where_there_is_no_tls(vtn, ven, other_ven, trust):
    """Another's genuine certificate does not get at this VEN's messages."""
    async with pair(Signer(vtn), Signer(ven), verifier(trust), verifier(trust)) as both:
        ven_id = both.found(Registered)[0].ven_id
        response = await both.ask(signed(other_ven, OadrPoll(ven_id=ven_id), now=both.clock.now()))
        answered = codec.dissect(response.body).message
        assert answered is not None
        assert answered.response.response_code == "463"  # type: ignore[attr-defined]


async def test_the_signer_has_to_be_who_tls_says_it_is(vtn, ven, other_ven, trust):
    async with pair(Signer(vtn), Signer(ven), verifier(trust), verifier(trust)) as both:
        ven_id = both.found(Registered)[0].ven_id
        body = signed(ven, OadrPoll(ven_id=ven_id), now=both.clock.now())
        response = await both.ask(body, Peer("elsewhere", fingerprint=other_ven.certificate.fingerprint))
        assert response.status == 403
        assert other_ven.certificate.fingerprint.encode() in response.body


async def test_an_answer_without_signature_is_none(ven: Identity, trust: Trust):
    async with pair(None, Signer(ven), verifier(trust), verifier(trust)) as both:
        assert not both.found(Registered, at="ven")
        assert any("not signed" in fact.text for fact in both.found(RegistrationFailed, at="ven"))


async def test_an_unsigned_peer_is_let_be_where_signatures_are_not_required(ven: Identity, trust: Trust):
    async with pair(None, None, verifier(trust, required=False), None) as both:
        assert both.found(Registered)


async def test_large_messages_are_verified_too(vtn: Identity, ven: Identity, trust: Trust):
    async with pair(Signer(vtn), Signer(ven), verifier(trust), verifier(trust)) as both:
        ven_id = both.found(Registered)[0].ven_id
        body = signed(ven, OadrPoll(ven_id=ven_id), now=both.clock.now())
        padded = body.replace(b"<ds:KeyInfo>", b"<ds:KeyInfo><ds:KeyName>" + b"k" * 20_000 + b"</ds:KeyName>")
        assert (await both.ask(padded)).status == 200
        assert (await both.ask(padded)).status == 403
