"""What a signature came to, as plain facts: nothing of a library, so that rules, views and recordings can hold them.

``console.security`` makes them. Times are aware UTC, digests and canonical bytes are bytes, ages are signed lengths.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.openadr.findings import Finding


@dataclass(frozen=True, slots=True)
class ReferenceVerdict:
    """One ds:Reference: what it names, and whether that is what was signed."""

    uri: str
    """As written: ``#oadrSignedObject``."""
    element: str
    """Prefixed name of the element it resolves to, such as ``oadr:oadrSignedObject``; empty where there is none."""
    digest_method: str
    """``sha256``; the URI as written where it is not known."""
    given: bytes
    """Digest the sender wrote."""
    computed: bytes
    """Digest of what came; empty where it could not be computed."""
    canonical: bytes = b""
    """What the digest was computed over; only where it was asked for."""

    @property
    def matches(self) -> bool:
        return bool(self.computed) and self.given == self.computed


@dataclass(frozen=True, slots=True)
class ReplayVerdict:
    """dsp:ReplayProtect of a signature."""

    timestamp: datetime | None
    """When the sender says it sent; None where that cannot be read."""
    nonce: str
    age: timedelta | None = None
    """Time between sending and ``now``; negative where the sender's clock is ahead; None where no time was given."""
    seen_before: bool = False


@dataclass(frozen=True, slots=True)
class SignatureVerdict:
    """The truth of a message's signature (rule 514)."""

    signed: bool
    """Whether there is a ds:Signature at all."""
    valid: bool
    """Whether the message may be acted on as far as its signature is concerned."""
    findings: tuple[Finding, ...] = ()
    """Why it is not, and what is odd though valid."""
    algorithm: str = ""
    """``rsa-sha256``; the URI as written where it is not known."""
    fingerprint: str = ""
    """Of the signer's certificate: last ten bytes of its SHA-256, upper-case hex pairs with colons."""
    subject: str = ""
    """Of the signer's certificate: ``CN=ven-1, O=Example``."""
    references: tuple[ReferenceVerdict, ...] = ()
    replay: ReplayVerdict | None = None
    signed_text: bytes = b""
    """Canonical ds:SignedInfo, which the key signed; only where it was asked for."""
