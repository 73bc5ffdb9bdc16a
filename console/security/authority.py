"""A certificate authority for the laboratory, and the certificates of its VTNs and VENs.

Its name says TEST, and so does the name of every organisation in what it issues: nobody shall mistake them for
certificates of the field. Each certificate serves TLS both ways (a VTN that pushes is a client, a VEN that is pushed to
a server) and message signatures.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from console.security.certificates import Certificate
from console.security.keys import Identity, PrivateKey

CA_LASTS = timedelta(days=3650)
NODE_LASTS = timedelta(days=825)
_BACKDATED = timedelta(hours=1)
"""So that a peer whose clock is a little behind does not find a new certificate not yet valid."""
_ORGANISATION = "Nodebench TEST"
_LONGEST_NAME = 64
"""Letters a common name may have (RFC 5280, ub-common-name)."""


class KeyKind(StrEnum):
    """The two kinds a VTN has to offer at once (rule 68)."""

    RSA = "rsa"
    ECC = "ecc"


def new_key(kind: KeyKind) -> PrivateKey:
    """RSA of 2048 bits or a key on secp256r1: what each named cipher suite of section 10 takes."""
    if kind is KeyKind.ECC:
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, 2048)


def new_authority(kind: KeyKind, now: datetime, lasts: timedelta = CA_LASTS) -> Identity:
    """A self-signed test authority that issues end nodes' certificates only."""
    key = new_key(kind)
    name = _subject(f"Nodebench TEST CA {kind.value.upper()}", "TEST CA")
    builder = _builder(name, name, key, now, lasts)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    return Identity(key, Certificate.of(builder.sign(key, hashes.SHA256())))


def issue(
    authority: Identity,
    name: str,
    role: str,
    kind: KeyKind,
    now: datetime,
    *,
    also: Sequence[str] = (),
    lasts: timedelta = NODE_LASTS,
) -> Identity:
    """A node's key and certificate: common name ``name``, organisational unit ``role`` (``VTN`` or ``VEN``).

    ``also`` are further host names and addresses it is reached under; ``name`` is one where it looks like one. It does
    not outlive the authority. Raises ValueError for a name no certificate can carry.
    """
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise ValueError(f"a common name has 1 to {_LONGEST_NAME} printable letters; {name!r} has {len(name)}")
    key = new_key(kind)
    lasts = min(lasts, authority.certificate.ends - now)
    builder = _builder(_subject(name, role), authority.certificate.x509.subject, key, now, lasts)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    alternatives = _alternatives([name, *also])
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = builder.add_extension(issuer_key, critical=False)
    return Identity(key, Certificate.of(builder.sign(authority.key, hashes.SHA256())))


def revoke(authority: Identity, revoked: Sequence[Certificate], now: datetime, lasts: timedelta = CA_LASTS) -> bytes:
    """A revocation list of ``authority`` in PEM form, naming all certificates ``revoked``."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(authority.certificate.x509.subject)
    builder = builder.last_update(now - _BACKDATED).next_update(now + lasts)
    for certificate in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(certificate.x509.serial_number)
        builder = builder.add_revoked_certificate(entry.revocation_date(now - _BACKDATED).build())
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, now: datetime, lasts: timedelta
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - _BACKDATED).not_valid_after(now + lasts)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _subject(common_name: str, unit: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANISATION),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        # RSA key exchange, as in the RSA suite of section 10, needs it.
        key_encipherment=not signs_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _alternatives(names: Sequence[str]) -> list[x509.GeneralName]:
    """Addresses and host names among ``names``, each once; what is neither is left out."""
    found: dict[str, x509.GeneralName] = {}
    for name in names:
        try:
            found[name] = x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            if name.isascii() and all(part and part.strip("-").replace("-", "").isalnum() for part in name.split(".")):
                found[name] = x509.DNSName(name)
    return list(found.values())
