"""Signing a message (rule 514, section 10.6): last of all, into the bytes as they stand.

The ds:Signature is put in as text before oadrSignedObject; nothing else of the message is touched or written anew,
since inclusive canonicalisation takes in every namespace declaration around what is signed. Two references: the
oadrSignedObject, and the ds:Object with dsp:ReplayProtect. Inclusive C14N 1.0, SHA-256, RSA or ECDSA by the key.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

from lxml import etree

from console.openadr.elements import NAMESPACES, Node, qualified
from console.security import algorithms
from console.security.keys import Identity

OBJECT_ID = "oadrSignedObject"
"""What ``codec.write(message, object_id=…)`` is to be given for a message that will be signed."""

_PROPERTIES_ID = "prop"
_ATTRIBUTES = rb"""(?:\s+[^\s=<>"']+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*>"""
_START = re.compile(rb"<(?:[\w.-]+:)?oadrPayload" + _ATTRIBUTES)
"""The start tag of the envelope; its attributes may hold ``>``."""
_OBJECT_START = re.compile(rb"<(?:[\w.-]+:)?oadrSignedObject" + _ATTRIBUTES)
_ID = re.compile(rb"""[\s:]Id\s*=\s*(?:"([A-Za-z_][\w.-]*)"|'([A-Za-z_][\w.-]*)')""", re.ASCII)
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
_ENVELOPE, _SIGNED_OBJECT = qualified("oadr:oadrPayload"), qualified("oadr:oadrSignedObject")
_SIGNATURE, _REFERENCE = qualified("ds:Signature"), qualified("ds:Reference")
_EMPTY = "A" * 43 + "="
"""Base64 of as many bytes as a SHA-256 has."""

NonceSource = Callable[[], str]


class SigningError(ValueError):
    """A body that cannot be signed, by a fault of ours."""


def random_nonce() -> str:
    """32 hexadecimal digits nobody can guess."""
    return secrets.token_hex(16)


class Signer:
    """Signs with one identity; keys and certificates are made ready once."""

    def __init__(self, identity: Identity, nonce: NonceSource = random_nonce) -> None:
        self.identity = identity
        self._nonce = nonce
        method, canonical = algorithms.method_for(identity.key), algorithms.INCLUSIVE
        transform = f'<ds:Transforms><ds:Transform Algorithm="{canonical}"/></ds:Transforms>'
        digest = f'<ds:DigestMethod Algorithm="{algorithms.SHA256}"/><ds:DigestValue>%s</ds:DigestValue>'
        self._info = (
            f'<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{canonical}"/>'
            f'<ds:SignatureMethod Algorithm="{method}"/>'
            f'<ds:Reference URI="#%s">{transform}{digest}</ds:Reference>'
            f'<ds:Reference URI="#{_PROPERTIES_ID}">{transform}{digest}</ds:Reference></ds:SignedInfo>'
        )
        certificates = "".join(
            f"<ds:X509Certificate>{_wrapped(certificate.der)}</ds:X509Certificate>"
            for certificate in (identity.certificate, *identity.chain)
        )
        self._key_info = f"<ds:KeyInfo><ds:X509Data>{certificates}</ds:X509Data></ds:KeyInfo>"
        self._object = (
            f'<ds:Object Id="{_PROPERTIES_ID}"><ds:SignatureProperties><ds:SignatureProperty Target="#%s">'
            f'<dsp:ReplayProtect xmlns:dsp="{NAMESPACES["dsp"]}"><dsp:timestamp>%s</dsp:timestamp>'
            "<dsp:nonce>%s</dsp:nonce></dsp:ReplayProtect></ds:SignatureProperty></ds:SignatureProperties></ds:Object>"
        )

    def sign(self, body: bytes, now: datetime) -> bytes:
        """``body`` with a signature that says it was sent ``now``.

        ``body`` is UTF-8 with an oadrPayload whose oadrSignedObject has an ``oadr:Id`` and no signature yet; raises
        SigningError for anything else.
        """
        start = _START.search(body)
        if start is None:
            raise SigningError("there is no oadrPayload to sign")
        before, after = body[: start.end()], body[start.end() :]
        object_id = _id_in(after)
        told = self._object % (object_id, _timestamp(now), self._nonce())

        def signature(info: str, value: str) -> bytes:
            return (
                f'<ds:Signature xmlns:ds="{NAMESPACES["ds"]}">{info}<ds:SignatureValue>{value}</ds:SignatureValue>'
                f"{self._key_info}{told}</ds:Signature>"
            ).encode()

        # What is signed is canonicalised where it will stand; the digests' and the signature's own text come after.
        draft = _parsed(before + signature(self._info % (object_id, _EMPTY, _EMPTY), "") + after)
        signed_object, drafted = _parts(draft, object_id)
        digests = _digest(signed_object), _digest(drafted[-1])
        info = drafted[0]
        for reference, digest in zip(info.iterfind(_REFERENCE), digests, strict=True):
            reference[-1].text = digest
        value = algorithms.signature_of(algorithms.canonical(info), self.identity.key)
        return before + signature(self._info % (object_id, *digests), base64.b64encode(value).decode()) + after


def sign(body: bytes, identity: Identity, now: datetime, nonce: NonceSource = random_nonce) -> bytes:
    """Sign once; who signs often keeps a :class:`Signer`."""
    return Signer(identity, nonce).sign(body, now)


def _id_in(content: bytes) -> str:
    """The Id a signature can refer to the oadrSignedObject by, as written."""
    start = _OBJECT_START.search(content)
    found = _ID.search(start[0]) if start else None
    identity = (found[1] or found[2]).decode() if found else ""
    if not identity or identity == _PROPERTIES_ID:
        raise SigningError("there is no oadrSignedObject with an oadr:Id that a signature could refer to")
    return identity


def _parsed(draft: bytes) -> Node:
    try:
        return etree.fromstring(draft, _PARSER)
    except etree.XMLSyntaxError as error:
        raise SigningError(f"the message is not well-formed: {error.msg}") from None


def _parts(draft: Node, object_id: str) -> tuple[Node, Node]:
    """The signed object and the signature of the draft, which are where the text was taken to have them."""
    objects, signatures = list(draft.iter(_SIGNED_OBJECT)), list(draft.iter(_SIGNATURE))
    if draft.tag != _ENVELOPE or len(objects) != 1 or objects[0].getparent() is not draft:
        raise SigningError("there is not one oadrSignedObject in an oadrPayload to sign")
    if len(signatures) != 1 or signatures[0] is not draft[0]:
        raise SigningError("the message is signed already")
    if objects[0].get(algorithms.OADR_ID) != object_id:
        raise SigningError("the Id of oadrSignedObject is not oadr:Id")
    if any(str(name).startswith(algorithms.XML_ATTRIBUTE) for name in draft.attrib):
        raise SigningError("oadrPayload has an attribute of the xml namespace, which peers canonicalise differently")
    return objects[0], signatures[0]


def _digest(node: Node) -> str:
    return base64.b64encode(hashlib.sha256(algorithms.canonical(node)).digest()).decode()


def _timestamp(now: datetime) -> str:
    """To the millisecond: whole seconds would make a message up to one second older than it is."""
    return f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03}Z"


def _wrapped(der: bytes) -> str:
    """Base64 in lines of 64, as some peers take it into a PEM file without further ado."""
    text = base64.b64encode(der).decode()
    return "\n" + "".join(f"{text[at : at + 64]}\n" for at in range(0, len(text), 64))
