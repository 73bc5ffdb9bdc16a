"""What a run of a node from the command line signs with and verifies by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from console.security.keys import read_identity
from console.security.replay import Nonces, Window
from console.security.signing import Signer
from console.security.trust import Trust
from console.security.verification import Verifier, VerifierSettings

SHA1, EXCLUSIVE = "sha1", "exclusive-c14n"
TOLERATED = (SHA1, EXCLUSIVE)


@dataclass(frozen=True, slots=True)
class Signatures:
    """Neither, either or both."""

    signer: Signer | None = None
    verifier: Verifier | None = None


@dataclass(frozen=True, slots=True)
class SignatureOptions:
    """As given: the files are those of TLS, and a node with several certificates signs with the first."""

    sign: bool = False
    verify: bool = False
    certificates: Sequence[tuple[Path, Path]] = ()
    authorities: Path | None = None
    revocations: Path | None = None
    window: timedelta = Window().past
    signers: Sequence[str] = ()
    tolerated: Sequence[str] = ()

    def read(self) -> Signatures:
        """Raises ValueError with a sentence where files are missing or cannot be used."""
        signer = verifier = None
        if self.sign:
            if not self.certificates:
                raise ValueError("--sign needs a certificate and its key: give --tls-cert and --tls-key.")
            signer = Signer(read_identity(*self.certificates[0]))
        if self.verify:
            if self.authorities is None:
                raise ValueError("--verify needs to know whom to believe: give --tls-ca.")
            settings = VerifierSettings(
                window=Window(self.window, self.window),
                sha1=SHA1 in self.tolerated,
                exclusive=EXCLUSIVE in self.tolerated,
                signers=frozenset(self.signers),
            )
            verifier = Verifier(Trust.read(self.authorities, self.revocations), settings, Nonces())
        elif self.signers or self.tolerated:
            raise ValueError("--signer and --tolerate say how to verify: give --verify, too.")
        return Signatures(signer, verifier)
