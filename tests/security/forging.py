"""What an attacker, or a peer with ways of its own, can do to a signed message: change it, sign anything anyhow."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from lxml import etree

from console.openadr import codec
from console.openadr.elements import NAMESPACES, Node
from console.openadr.model import OadrPoll, Payload
from console.security.keys import Identity
from console.security.signing import OBJECT_ID, Signer

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
POLL = OadrPoll(ven_id="ven-1")

C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"


def written(message: Payload = POLL) -> bytes:
    return codec.write(message, object_id=OBJECT_ID)


def signed(identity: Identity, message: Payload = POLL, *, now: datetime = NOW, nonce: str = "nonce-1") -> bytes:
    return Signer(identity, lambda: nonce).sign(written(message), now)


def tree(body: bytes) -> Node:
    return etree.fromstring(body)


def text(root: Node) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def find(root: Node, path: str) -> Node:
    found = root.find(path, NAMESPACES)
    assert found is not None, path
    return found


def changed(body: bytes, change: Callable[[Node], object]) -> bytes:
    """The message after something was done to its tree; nothing signed anew."""
    root = tree(body)
    change(root)
    return text(root)


def resigned(
    body: bytes,
    identity: Identity,
    change: Callable[[Node], object],
    *,
    digest: str = "sha256",
    sign: Callable[[bytes], bytes] | None = None,
) -> bytes:
    """The message after something was done to its tree, all digests and the signature made to fit by ``identity``.

    References are digested as their transform says; those that name nothing in the message keep their digest.
    """
    root = tree(body)
    change(root)
    for reference in root.iterfind(".//ds:Reference", NAMESPACES):
        wanted = (reference.get("URI") or "")[1:]
        targets = [node for node in root.iter() if wanted and wanted in node.attrib.values()]
        if targets:
            transform = reference.find("ds:Transforms/ds:Transform", NAMESPACES)
            octets = _canonical(targets[0], transform)
            find(reference, "ds:DigestValue").text = _base64(hashlib.new(digest, octets).digest())
    info = find(root, ".//ds:SignedInfo")
    octets = _canonical(info, find(info, "ds:CanonicalizationMethod"))
    find(root, ".//ds:SignatureValue").text = _base64(sign(octets) if sign else value_of(identity, octets, digest))
    return text(root)


def value_of(identity: Identity, octets: bytes, digest: str = "sha256") -> bytes:
    """SignatureValue made here with ``cryptography`` alone, so that the tests do not trust what they test."""
    algorithm = hashes.SHA1() if digest == "sha1" else hashes.SHA256()
    if not isinstance(identity.key, ec.EllipticCurvePrivateKey):
        return identity.key.sign(octets, padding.PKCS1v15(), algorithm)
    r, s = decode_dss_signature(identity.key.sign(octets, ec.ECDSA(algorithm)))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _canonical(node: Node, method: Node | None) -> bytes:
    uri = method.get("Algorithm", "") if method is not None else C14N
    if uri.startswith(EXCLUSIVE):
        return etree.tostring(node, method="c14n", exclusive=True, with_comments=False)
    return etree.tostring(node, method="c14n", with_comments=uri.endswith("#WithComments"))


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
