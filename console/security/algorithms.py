"""What rule 514 and section 10.6 name: signature methods, digests, canonicalisation; and how each is done.

The names are those of W3C XML Signature; every URI not listed here is refused, whatever it would do: no MACs, no XPath,
no XSLT, nothing fetched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from lxml import etree

from console.openadr.elements import Node, qualified
from console.security.keys import PrivateKey

INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"

_PADDING = padding.PKCS1v15()
_HASHES: dict[str, hashes.HashAlgorithm] = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256()}


@dataclass(frozen=True, slots=True)
class SignatureMethod:
    name: str
    key: str
    """``RSA`` or ``EC``."""
    digest: str
    """``sha256`` or ``sha1``."""


SIGNATURE_METHODS = {
    RSA_SHA256: SignatureMethod("rsa-sha256", "RSA", "sha256"),
    ECDSA_SHA256: SignatureMethod("ecdsa-sha256", "EC", "sha256"),
    "http://www.w3.org/2000/09/xmldsig#rsa-sha1": SignatureMethod("rsa-sha1", "RSA", "sha1"),
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1": SignatureMethod("ecdsa-sha1", "EC", "sha1"),
}

DIGESTS: dict[str, tuple[str, Callable[[bytes], Any]]] = {
    SHA256: ("sha256", hashlib.sha256),
    "http://www.w3.org/2000/09/xmldsig#sha1": ("sha1", lambda octets: hashlib.sha1(octets, usedforsecurity=False)),
}


@dataclass(frozen=True, slots=True)
class Canonicalization:
    """One way of writing a tree to the byte; ``prefixes`` are the InclusiveNamespaces of the exclusive one."""

    exclusive: bool = False
    comments: bool = False
    prefixes: tuple[str, ...] = ()


CANONICALIZATIONS = {
    INCLUSIVE: Canonicalization(),
    INCLUSIVE + "#WithComments": Canonicalization(comments=True),
    EXCLUSIVE: Canonicalization(exclusive=True),
    EXCLUSIVE + "WithComments": Canonicalization(exclusive=True, comments=True),
}
INCLUSIVE_NAMESPACES = f"{{{EXCLUSIVE}}}InclusiveNamespaces"


class NotCanonicalError(ValueError):
    """A tree that cannot be canonicalised; the text says why."""


def canonical(node: Node, way: Canonicalization = CANONICALIZATIONS[INCLUSIVE]) -> bytes:
    """``node`` in its place in the document, declarations of its ancestors included. Raises NotCanonicalError.

    Attributes ``xml:…`` of ancestors would have to be taken in too, which libxml2 leaves to others; the standard has
    none, so a document with one is refused (see ``verification``).
    """
    try:
        if way.exclusive:
            return etree.tostring(
                node,
                method="c14n",
                exclusive=True,
                with_comments=way.comments,
                inclusive_ns_prefixes=list(way.prefixes),
            )
        return etree.tostring(node, method="c14n", with_comments=way.comments)
    except (etree.LxmlError, ValueError) as error:
        raise NotCanonicalError(str(error).rstrip(".")) from None


def prefixes_of(transform: Node) -> tuple[str, ...]:
    """PrefixList of an exclusive canonicalisation's InclusiveNamespaces, which is all such an element may hold."""
    return tuple(prefix for child in transform for prefix in str(child.get("PrefixList", "")).split())


def method_for(key: PrivateKey) -> str:
    """URI of the method we sign with."""
    return RSA_SHA256 if isinstance(key, rsa.RSAPrivateKey) else ECDSA_SHA256


def signature_of(octets: bytes, key: PrivateKey) -> bytes:
    """The content of SignatureValue: PKCS#1 v1.5, or r and s of equal length one after the other."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(octets, _PADDING, _HASHES["sha256"])
    r, s = decode_dss_signature(key.sign(octets, ec.ECDSA(_HASHES["sha256"])))
    size = (key.key_size + 7) // 8
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def is_signed_by(octets: bytes, value: bytes, key: object, method: SignatureMethod) -> bool:
    """Whether ``value`` is ``method``'s signature of ``octets`` by the holder of ``key``, which may be of any kind."""
    try:
        if method.key == "RSA" and isinstance(key, rsa.RSAPublicKey):
            key.verify(value, octets, _PADDING, _HASHES[method.digest])
            return True
        if method.key == "EC" and isinstance(key, ec.EllipticCurvePublicKey):
            size = (key.key_size + 7) // 8
            if len(value) != 2 * size:
                return False
            parts = int.from_bytes(value[:size], "big"), int.from_bytes(value[size:], "big")
            key.verify(encode_dss_signature(*parts), octets, ec.ECDSA(_HASHES[method.digest]))
            return True
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        pass
    return False


def fragment(uri: str) -> str:
    """What people call an algorithm: ``hmac-sha1`` of ``http://…#hmac-sha1``."""
    return (uri.rstrip("#").rpartition("#")[2] or uri).rpartition("/")[2] or uri or "none"


DS_ID = "Id"
"""Of every ds element, without namespace."""
OADR_ID = qualified("oadr:Id")
XML_ATTRIBUTE = "{http://www.w3.org/XML/1998/namespace}"
