"""Signing and verifying, ours beside signxml (what OpenLEADR uses) on the same messages and keys, in turn.

Goals: sign within 0.5 ms, verify within 0.7 ms, RSA of 2048 bits. ``key_ms`` is what the key alone costs, below which
nothing goes; the rest is parsing, canonicalising and digesting. signxml is given the key and the certificate parsed.
Medians over interleaved rounds; the verdicts are checked, so that nothing fast but wrong is measured. ``chain`` also
follows the certificate to its authority and remembers nonces, as a running node does.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, SignatureConstructionMethod, SignatureMethod
from signxml.signer import XMLSigner
from signxml.verifier import XMLVerifier

from console.openadr import codec
from console.openadr.model import OadrPoll, Payload
from console.security import algorithms
from console.security.authority import KeyKind, issue, new_authority
from console.security.keys import Identity
from console.security.replay import Nonces
from console.security.signing import OBJECT_ID, Signer
from console.security.trust import Trust
from console.security.verification import Verifier
from tests.openadr.full_messages import full_messages

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
ROUNDS = 300
GOALS_MS = {"sign": 0.5, "verify": 0.7}


def measure() -> Iterator[dict[str, Any]]:
    for kind in KeyKind:
        authority = new_authority(kind, NOW)
        ven = issue(authority, "ven", "VEN", kind, NOW)
        for name, message in _messages().items():
            for did, figures in _measure(authority, ven, codec.write(message, object_id=OBJECT_ID)).items():
                yield {
                    "message": name,
                    "bytes": len(codec.write(message)),
                    "key": ven.certificate.key_words,
                    "did": did,
                    **figures,
                }


def _messages() -> dict[str, Payload]:
    """The smallest message, and two with every option of the standard."""
    read = (codec.dissect(etree.tostring(tree)) for tree in full_messages())
    full = {dissection.element: dissection.message for dissection in reversed(list(read)) if dissection.message}
    names = ("oadrCreatePartyRegistration", "oadrDistributeEvent")
    return {"oadrPoll": OadrPoll(ven_id="ven-1"), **{name: full[name] for name in names}}


def _measure(authority: Identity, ven: Identity, body: bytes) -> dict[str, dict[str, Any]]:
    numbers = count()
    signer = Signer(ven, lambda: f"nonce-{next(numbers)}")
    looked, acting = Verifier(None), Verifier(Trust([authority.certificate]), nonces=Nonces())
    signed = signer.sign(body, NOW)
    fresh = iter([signer.sign(body, NOW) for _ in range(ROUNDS)])
    octets = b"x" * 1500
    value = algorithms.signature_of(octets, ven.key)
    method = algorithms.SIGNATURE_METHODS[algorithms.method_for(ven.key)]
    sign_theirs, verify_theirs = _signxml(ven, body)
    assert looked.verify(signed, NOW).valid
    assert looked.verify(signed.replace(b"</oadr:oadrSignedObject>", b" </oadr:oadrSignedObject>"), NOW).valid is False
    verify_theirs(signed)
    assert len(sign_theirs()) > len(body)
    medians = _medians(
        {
            "sign": lambda: signer.sign(body, NOW),
            "sign key alone": lambda: algorithms.signature_of(octets, ven.key),
            "sign signxml": sign_theirs,
            "verify": lambda: looked.verify(signed, NOW).valid,
            "verify chain": lambda: acting.verify(next(fresh), NOW + timedelta(seconds=1)).valid,
            "verify key alone": lambda: algorithms.is_signed_by(octets, value, ven.certificate.public_key, method),
            "verify signxml": lambda: verify_theirs(signed),
        }
    )
    return {
        did: {
            "ms": round(medians[did], 3),
            "goal_ms": GOALS_MS[did.split()[0]],
            "key_ms": round(medians[f"{did.split()[0]} key alone"], 3),
            "signxml_ms": round(medians[f"{did.split()[0]} signxml"], 3),
            "times_signxml": round(medians[f"{did.split()[0]} signxml"] / medians[did], 1),
        }
        for did in ("sign", "verify", "verify chain")
    }


def _signxml(ven: Identity, body: bytes) -> tuple[Callable[[], bytes], Callable[[bytes], None]]:
    """The same two references by signxml, as OpenLEADR has it done: bytes to bytes, bytes to a verdict."""
    method = SignatureMethod.RSA_SHA256 if ven.certificate.key_words.startswith("RSA") else SignatureMethod.ECDSA_SHA256
    canonical = CanonicalizationMethod.CANONICAL_XML_1_0
    signer = XMLSigner(SignatureConstructionMethod.detached, method, c14n_algorithm=canonical)
    verifier = XMLVerifier()
    pem = ven.certificate.x509.public_bytes(Encoding.PEM).decode()
    dsp = "http://openadr.org/oadr-2.0b/2012/07/xmldsig-properties"

    def sign() -> bytes:
        root = etree.fromstring(body)
        protect = etree.Element(f"{{{dsp}}}ReplayProtect", {"Id": "p", "Target": "#t"}, nsmap={"dsp": dsp})
        etree.SubElement(protect, f"{{{dsp}}}timestamp").text = "2026-06-01T12:00:00Z"
        etree.SubElement(protect, f"{{{dsp}}}nonce").text = "nonce"
        made = signer.sign(
            root[0], key=ven.key, cert=pem, reference_uri=f"#{OBJECT_ID}", signature_properties=protect
        )  # fmt: skip
        root.insert(0, made)
        return etree.tostring(root)

    def verify(signed: bytes) -> None:
        verifier.verify(etree.fromstring(signed), x509_cert=ven.certificate.x509, expect_references=2)

    return sign, verify


def _medians(ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Milliseconds each takes, measured in turn so that the machine's moods meet all alike."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            times[name].append((time.perf_counter() - began) * 1e3)
    return {name: statistics.median(measured) for name, measured in times.items()}
