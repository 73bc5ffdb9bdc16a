"""Certificates as OpenADR looks at them: fingerprint, key, lifetime and purpose (section 10, rules 68 and 516).

A :class:`Certificate` is parsed once and kept; reading the same text again costs a look-up. :func:`examine` tells what
a field engineer should know about one, :func:`unlike` why a fingerprint that was written down does not fit.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from console.openadr.findings import Finding, Severity

SHORTEST_RSA = 2048
"""Bits (rule 68)."""
SHORTEST_EC = 224
"""Bits (rule 68; section 10 of the profile says 256, which is what a warning is for)."""
USUAL_EC = 256
SOON = timedelta(days=30)
"""Before its end a certificate is called to mind so long."""
_Kind = TypeVar("_Kind", bound=x509.ExtensionType)
_KEPT = 12_000
"""Certificates remembered: a VTN with 10,000 VENs parses each once."""


UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What the parser raises, at once or when a part is first looked at, for certificates that are malformed."""


class CertificateError(ValueError):
    """Bytes that are no certificate; the text says what they are not."""


def fingerprint(der: bytes) -> str:
    """OpenADR's fingerprint of a certificate: the last ten bytes of its SHA-256 as ``87:A2:…`` (29 characters)."""
    return hashlib.sha256(der).digest()[-10:].hex(":").upper()


def full_fingerprint(der: bytes) -> str:
    """All 32 bytes of the SHA-256, as other tools show it."""
    return hashlib.sha256(der).digest().hex(":").upper()


@dataclass(frozen=True, slots=True, eq=False)
class Certificate:
    """A parsed X.509 certificate; equal to another of the same bytes."""

    der: bytes
    x509: x509.Certificate = field(repr=False)
    fingerprint: str
    subject: str
    issuer: str
    public_key: PublicKeyTypes | None = field(repr=False)
    """None where the key is of a kind that is not known."""
    starts: datetime
    ends: datetime

    @classmethod
    def of(cls, parsed: x509.Certificate) -> Certificate:
        """Raises one of UNREADABLE where a part cannot be read, so that no later look at it does."""
        der = parsed.public_bytes(Encoding.DER)
        _ = parsed.extensions
        try:
            key = parsed.public_key()
        except (ValueError, UnsupportedAlgorithm):
            key = None
        return cls(
            der,
            parsed,
            fingerprint(der),
            _name(parsed.subject),
            _name(parsed.issuer),
            key,
            parsed.not_valid_before_utc,
            parsed.not_valid_after_utc,
        )

    @property
    def full_fingerprint(self) -> str:
        return full_fingerprint(self.der)

    @property
    def common_name(self) -> str:
        named = self.x509.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(named[0].value) if named else ""

    @property
    def key_words(self) -> str:
        """``RSA 2048`` or ``EC secp256r1``."""
        match self.public_key:
            case rsa.RSAPublicKey() as key:
                return f"RSA {key.key_size}"
            case ec.EllipticCurvePublicKey() as key:
                return f"EC {key.curve.name}"
            case None:
                return "of an unknown kind"
            case key:
                return type(key).__name__.strip("_").removesuffix("PublicKey")

    @property
    def self_signed(self) -> bool:
        return self.x509.subject == self.x509.issuer

    @property
    def is_authority(self) -> bool:
        constraints = _extension(self.x509, x509.BasicConstraints)
        return constraints is not None and constraints.ca

    @property
    def names(self) -> tuple[str, ...]:
        """DNS names and addresses of the subjectAltName; the common name where there are none."""
        alternatives = _extension(self.x509, x509.SubjectAlternativeName)
        if alternatives is None:
            return (self.common_name,) if self.common_name else ()
        return (
            *alternatives.get_values_for_type(x509.DNSName),
            *(str(address) for address in alternatives.get_values_for_type(x509.IPAddress)),
        )

    def pem(self) -> bytes:
        return self.x509.public_bytes(Encoding.PEM)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)


def read_der(der: bytes) -> Certificate:
    """Raises CertificateError."""
    try:
        return Certificate.of(x509.load_der_x509_certificate(der))
    except UNREADABLE as error:
        raise CertificateError(f"{len(der)} bytes that are no X.509 certificate: {_first_line(error)}") from None


def read_pem(text: bytes) -> tuple[Certificate, ...]:
    """All certificates of a PEM file, in order; at least one. Raises CertificateError."""
    try:
        return tuple(Certificate.of(parsed) for parsed in x509.load_pem_x509_certificates(text))
    except UNREADABLE as error:
        raise CertificateError(f"no certificate in PEM form: {_first_line(error)}") from None


@lru_cache(_KEPT)
def read_base64(text: str) -> Certificate:
    """The content of a ds:X509Certificate, blanks allowed; remembered. Raises CertificateError."""
    try:
        der = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise CertificateError("text that is no base64") from None
    return read_der(der)


# What there is to say about one --------------------------------------------------------------------------------------


def examine(certificate: Certificate, now: datetime | None = None) -> tuple[Finding, ...]:
    """Key, lifetime and purpose of an end node's certificate; without ``now`` its lifetime is not judged.

    ERROR says that no node may take it, WARNING that some will not.
    """
    return (*_lasting(certificate), *lifetime(certificate, now))


@lru_cache(_KEPT)
def _lasting(certificate: Certificate) -> tuple[Finding, ...]:
    """What holds at any time, found out once."""
    return (*_about_key(certificate), *_about_purpose(certificate))


def lifetime(certificate: Certificate, now: datetime | None) -> Iterator[Finding]:
    """Whether it is not valid yet, expired, or about to expire (rule 516)."""
    if now is None:
        return
    if now < certificate.starts:
        ahead = _span(certificate.starts - now)
        text = (
            f"The certificate of {certificate.subject} is valid only from {_instant(certificate.starts)}, in {ahead}."
        )
        yield _finding("516", Severity.ERROR, f"{text} Is a clock wrong?")
    elif now > certificate.ends:
        since = _span(now - certificate.ends)
        text = f"The certificate of {certificate.subject} expired on {_instant(certificate.ends)}, {since} ago."
        yield _finding("516", Severity.ERROR, text)
    elif now > certificate.ends - SOON:
        left = _span(certificate.ends - now)
        text = f"The certificate of {certificate.subject} expires on {_instant(certificate.ends)}, in {left}."
        yield _finding("516", Severity.WARNING, text)


def _about_key(certificate: Certificate) -> Iterator[Finding]:
    whose, words = f"The key of {certificate.subject}", certificate.key_words
    match certificate.public_key:
        case rsa.RSAPublicKey() as key if key.key_size < SHORTEST_RSA:
            yield _finding("68", Severity.ERROR, f"{whose} is {words}; at least {SHORTEST_RSA} bits are required.")
        case ec.EllipticCurvePublicKey() as key if key.key_size < SHORTEST_EC:
            yield _finding("68", Severity.ERROR, f"{whose} is {words}; at least {SHORTEST_EC} bits are required.")
        case ec.EllipticCurvePublicKey() as key if key.key_size < USUAL_EC:
            text = f"{whose} is {words}: rule 68 allows {key.key_size} bits, section 10 asks for {USUAL_EC}."
            yield _finding("68", Severity.WARNING, text)
        case rsa.RSAPublicKey() | ec.EllipticCurvePublicKey():
            pass
        case _:
            yield _finding("68", Severity.ERROR, f"{whose} is {words}; OpenADR knows RSA and EC keys.")
    method = _signature_hash(certificate)
    if method in ("md5", "sha1"):
        text = f"The certificate of {certificate.subject} is itself signed with {method.upper()}, which many refuse."
        yield _finding("68", Severity.WARNING, text)


def _signature_hash(certificate: Certificate) -> str:
    """``sha256``; empty where the authority's method has none or is not known."""
    try:
        method = certificate.x509.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return ""
    return method.name if method else ""


def _about_purpose(certificate: Certificate) -> Iterator[Finding]:
    whose = f"The certificate of {certificate.subject}"
    if certificate.is_authority:
        text = f"{whose} is that of an authority (CA), not of a node; strict peers refuse it."
        yield _finding("certificate", Severity.WARNING, text)
    usage = _extension(certificate.x509, x509.KeyUsage)
    if usage is not None and not usage.digital_signature:
        text = f"{whose} is not meant for signatures (keyUsage lacks digitalSignature)."
        yield _finding("certificate", Severity.WARNING, text)
    purposes = _extension(certificate.x509, x509.ExtendedKeyUsage)
    if purposes is not None and ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE not in purposes:
        for purpose, word in (
            (ExtendedKeyUsageOID.CLIENT_AUTH, "a TLS client"),
            (ExtendedKeyUsageOID.SERVER_AUTH, "a TLS server"),
        ):
            if purpose not in purposes:
                text = f"{whose} is not meant for {word} (extendedKeyUsage); a node that is one is refused with it."
                yield _finding("certificate", Severity.INFO, text)
    if not certificate.common_name:
        text = f"{whose} has no common name; XMPP logs in with it, and many VTNs show it."
        yield _finding("certificate", Severity.WARNING, text)


def unlike(expected: str, certificate: Certificate, others: Iterable[Certificate] = ()) -> Finding | None:
    """None where ``expected`` is the fingerprint of ``certificate``; else what it is instead, as far as can be told."""
    wanted = _bare(expected)
    if wanted == _bare(certificate.fingerprint):
        return None
    sha256 = hashlib.sha256(certificate.der).hexdigest()
    known = f"{certificate.subject} has the fingerprint {certificate.fingerprint}"
    if wanted == sha256:
        why = "that is its whole SHA-256; OpenADR uses the last ten bytes only"
    elif wanted == sha256[:20]:
        why = "those are the first ten bytes of its SHA-256; OpenADR uses the last ten"
    elif wanted in (hashes_of := _other_hashes(certificate.der)):
        why = f"that is from its {hashes_of[wanted]}; OpenADR uses the last ten bytes of the SHA-256"
    elif owner := next((other for other in others if wanted == _bare(other.fingerprint)), None):
        kind = "the authority" if owner.is_authority else "another certificate"
        why = f"that is the fingerprint of {kind} {owner.subject}, not of the node's own certificate"
    else:
        why = "another certificate is in use than the one that was registered"
    return _finding("517", Severity.ERROR, f"{known}, not {expected}: {why}.")


def _other_hashes(der: bytes) -> dict[str, str]:
    sha1 = hashlib.sha1(der, usedforsecurity=False).hexdigest()
    md5 = hashlib.md5(der, usedforsecurity=False).hexdigest()
    return {sha1: "SHA-1", sha1[-20:]: "SHA-1", md5: "MD5", md5[-20:]: "MD5"}


def _bare(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


def _extension(certificate: x509.Certificate, kind: type[_Kind]) -> _Kind | None:
    """None where the extension is absent."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _name(name: x509.Name) -> str:
    """``CN=ven-1, O=Example``, most particular first; never empty."""
    parts = [f"{part.rfc4514_attribute_name}={part.value}" for relative in reversed(name.rdns) for part in relative]
    common = [part for part in parts if part.startswith("CN=")]
    return ", ".join([*common, *(part for part in parts if not part.startswith("CN="))]) or "a certificate without name"


def _finding(rule: str, severity: Severity, text: str) -> Finding:
    return Finding(rule, severity, text, clause="10")


def _instant(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _span(length: timedelta) -> str:
    if length.days >= 2:
        return f"{length.days} days"
    hours = length.total_seconds() / 3600
    return f"{hours:.0f} hours" if hours >= 2 else f"{hours * 60:.0f} minutes"


def _first_line(error: BaseException) -> str:
    return (str(error).partition("\n")[0] or type(error).__name__).rstrip(".")[:200]
