"""Whom we trust: authorities, single certificates, and what was revoked.

A certificate is trusted where a path leads from it to an authority of ours, or where it was taken in by itself. Whether
there is such a path is for the ``cryptography`` package to say; why there is none is said here, in words. What holds at
every instant is found out once per certificate; lifetimes are looked at on every call.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509 import verification

from console.openadr.findings import Finding, Severity
from console.security import certificates
from console.security.certificates import Certificate
from console.security.keys import KeyFileError, read_certificates

_REMEMBERED = 12_000


@dataclass(frozen=True, slots=True)
class _Path:
    """From a certificate to an authority; ``links`` is empty where there is none, ``findings`` then say why."""

    links: tuple[Certificate, ...]
    findings: tuple[Finding, ...]


class Trust:
    """Authorities and single certificates that are believed.

    Parameters
    ----------
    authorities : iterable of Certificate
        Roots; a path may end at any of them.
    single : iterable of Certificate
        Nodes' certificates believed without a path, such as self-signed ones.
    revocations : iterable of x509.CertificateRevocationList
        Only lists signed by a certificate of the path count.
    """

    def __init__(
        self,
        authorities: Iterable[Certificate] = (),
        single: Iterable[Certificate] = (),
        revocations: Iterable[x509.CertificateRevocationList] = (),
    ) -> None:
        self.authorities = tuple(authorities)
        self._single = frozenset(single)
        self._revocations = tuple(revocations)
        self._store = verification.Store([root.x509 for root in self.authorities]) if self.authorities else None
        self._known: dict[tuple[Certificate, tuple[Certificate, ...]], _Path] = {}

    @classmethod
    def read(cls, authorities: Path, revocations: Path | None = None) -> Trust:
        """From PEM files. A certificate in the first that is no authority's is believed by itself.

        Raises KeyFileError.
        """
        roots, single = [], []
        for certificate in read_certificates(authorities):
            (roots if certificate.is_authority else single).append(certificate)
        return cls(roots, single, read_revocations(revocations) if revocations else ())

    def check(
        self, certificate: Certificate, between: Sequence[Certificate] = (), now: datetime | None = None
    ) -> tuple[Finding, ...]:
        """Why ``certificate`` is not to be believed at ``now``, and what is odd though it is.

        ``between`` are the intermediate certificates the peer sent; without ``now`` lifetimes are not judged. An ERROR
        among the findings means no.
        """
        own = certificates.examine(certificate, now)
        if certificate in self._single:
            return own
        key = (certificate, tuple(between))
        path = self._known.get(key)
        if path is None:
            path = self._find_path(certificate, key[1])
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = path
        aged = [finding for link in path.links[1:] for finding in certificates.lifetime(link, now)]
        return (*own, *path.findings, *aged)

    def _find_path(self, certificate: Certificate, between: tuple[Certificate, ...]) -> _Path:
        if self._store is None:
            return _Path((), (_refused("no authority is trusted here, and this certificate was not taken in."),))
        error: Exception = verification.VerificationError("no instant at which all of the path are alive")
        for instant in self._instants(certificate, between):
            try:
                links = self._verified(certificate, between, instant)
            except (verification.VerificationError, ValueError, UnsupportedAlgorithm) as refused:
                error = refused
                continue
            revoked = [found for link, issuer in pairwise(links) for found in self._revoked(link, issuer)]
            return _Path(links, tuple(revoked))
        return _Path((), (_refused(self._why_not(certificate, between, error)),))

    def _verified(
        self, certificate: Certificate, between: tuple[Certificate, ...], instant: datetime
    ) -> tuple[Certificate, ...]:
        assert self._store is not None
        authority = verification.ExtensionPolicy.permit_all().require_present(
            x509.BasicConstraints, verification.Criticality.AGNOSTIC, None
        )
        builder = verification.PolicyBuilder().store(self._store).time(instant)
        builder = builder.extension_policies(ca_policy=authority, ee_policy=verification.ExtensionPolicy.permit_all())
        verified = builder.build_client_verifier().verify(certificate.x509, [link.x509 for link in between])
        return tuple(map(Certificate.of, verified.chain))

    def _instants(self, certificate: Certificate, between: tuple[Certificate, ...]) -> list[datetime]:
        """At which to look for a path: where all of one are alive at once, they are when the last of them begins.

        Lifetimes at the time of a message are judged apart, since what is found here is remembered.
        """
        named = {link.x509.issuer for link in (certificate, *between)}
        others = {link.starts for link in (*between, *self.authorities) if link.x509.subject in named}
        later = sorted(start for start in others if certificate.starts < start <= certificate.ends)
        return [certificate.starts, *later]

    def _revoked(self, certificate: Certificate, issuer: Certificate) -> list[Finding]:
        found: list[Finding] = []
        for revocations in self._revocations:
            if revocations.issuer != issuer.x509.subject:
                continue
            try:
                genuine = revocations.is_signature_valid(issuer.public_key)  # type: ignore[arg-type]
            except (TypeError, ValueError, UnsupportedAlgorithm):
                genuine = False
            if not genuine:
                text = f"A revocation list says it is of {issuer.subject}, but is not signed by it; it was not used."
                found.append(Finding("certificate", Severity.WARNING, text, clause="10"))
                continue
            entry = revocations.get_revoked_certificate_by_serial_number(certificate.x509.serial_number)
            if entry is not None:
                text = f"The certificate of {certificate.subject} was revoked by {issuer.subject}"
                text += f" on {entry.revocation_date_utc:%Y-%m-%d}."
                found.append(Finding("516", Severity.ERROR, text, clause="10"))
        return found

    def _why_not(self, certificate: Certificate, between: tuple[Certificate, ...], error: Exception) -> str:
        """What is wrong with the way from a certificate to our authorities, for a field engineer."""
        link, passed = certificate, {certificate}
        while True:
            issuers = [other for other in (*self.authorities, *between) if other.x509.subject == link.x509.issuer]
            if link.self_signed and link not in self.authorities:
                if link in between or link is not certificate:
                    return f"it leads to the authority {link.subject}, which is not trusted here."
                return f"{link.subject} is self-signed and not among the trusted ones."
            if not issuers:
                return f"its issuer {link.issuer} is neither trusted here nor sent along."
            issuer = next((other for other in issuers if _issued(link, other)), None)
            if issuer is None:
                return f"it names {link.issuer} as its issuer, but that one's key did not sign it."
            if not issuer.is_authority:
                return f"{issuer.subject} issued it, but is no authority."
            if issuer in self.authorities or issuer in passed:
                return f"{str(error).partition(chr(10))[0].removeprefix('validation failed: ')}."
            passed.add(issuer)
            link = issuer


def read_revocations(file: Path) -> tuple[x509.CertificateRevocationList, ...]:
    """Revocation lists of a PEM file, or the one of a DER file. Raises KeyFileError."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise KeyFileError(f"{file}: {error.strerror or 'cannot be read'}.") from None
    begin = b"-----BEGIN X509 CRL-----"
    try:
        if begin not in content:
            return (x509.load_der_x509_crl(content),)
        return tuple(x509.load_pem_x509_crl(begin + part) for part in content.split(begin)[1:])
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError(f"{file}: holds no revocation list.") from None


def _issued(certificate: Certificate, issuer: Certificate) -> bool:
    try:
        certificate.x509.verify_directly_issued_by(issuer.x509)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _refused(why: str) -> Finding:
    text = f"The certificate is not to be trusted: {why}"
    return Finding("certificate", Severity.ERROR, text, clause="10")
