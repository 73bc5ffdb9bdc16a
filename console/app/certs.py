"""``nodebench certs DIR``: a test authority, certificates of VTNs and VENs, and what there is to know about each.

Files are PEM: ``ca.pem`` and ``ca.key``, ``NAME.pem`` and ``NAME.key``, with ``-ecc`` before the dot for elliptic-curve
keys; ``trust.pem`` holds every authority of the folder. Nothing is overwritten, and no key is shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from console.app.running import DONE
from console.app.toml_file import FileError
from console.security.authority import CA_LASTS, NODE_LASTS, KeyKind, issue, new_authority
from console.security.certificates import Certificate, examine
from console.security.keys import Identity, KeyFileError, read_certificates, read_identity, write_key

TRUST = "trust.pem"
_ALWAYS_ALSO = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class CertsOptions:
    folder: Path
    authority: bool = False
    vtns: Sequence[str] = ()
    vens: Sequence[str] = ()
    kind: KeyKind = KeyKind.RSA
    hosts: Sequence[str] = ()
    days: int | None = None
    as_json: bool = False


def certs_command(options: CertsOptions, now: datetime) -> int:
    """Make what is asked for, then show it; without anything to make, show what is in the folder.

    Raises FileError.
    """
    makes = options.authority or options.vtns or options.vens
    try:
        made = _make(options, now) if makes else sorted(options.folder.glob("*.pem"))
        shown = [(file, certificate) for file in made for certificate in read_certificates(file)]
    except KeyFileError as error:
        raise FileError(options.folder, str(error)) from None
    if not shown:
        raise FileError(options.folder, "there is no certificate in PEM form.", "Make one: add --ca --ven NAME.")
    for file, certificate in shown:
        lines = [_as_json(file, certificate, now)] if options.as_json else _in_words(file, certificate, now)
        print(*lines, sep="\n", flush=True)
    return DONE


def _make(options: CertsOptions, now: datetime) -> list[Path]:
    """The certificate files made, in order."""
    folder, kind = options.folder, options.kind
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(folder, f"is no folder that certificates can be put into: {error.strerror}.") from None
    made: list[Path] = []
    if options.authority:
        lasts = CA_LASTS if options.days is None else timedelta(days=options.days)
        made.append(_write(folder, "ca", kind, new_authority(kind, now, lasts)))
        authorities = [
            certificate for file in sorted(folder.glob("ca*.pem")) for certificate in read_certificates(file)
        ]
        (folder / TRUST).write_bytes(b"".join(certificate.pem() for certificate in authorities))
    named = [*((name, "VTN") for name in options.vtns), *((name, "VEN") for name in options.vens)]
    if not named:
        return made
    authority_file = folder / f"{_stem('ca', kind)}.pem"
    if not authority_file.exists():
        raise FileError(authority_file, "there is no test authority to issue certificates.", "Add --ca to make one.")
    authority = read_identity(authority_file, authority_file.with_suffix(".key"))
    lasts = NODE_LASTS if options.days is None else timedelta(days=options.days)
    for name, role in named:
        also = (*options.hosts, *_ALWAYS_ALSO)
        try:
            node = issue(authority, name, role, kind, now, also=also, lasts=lasts)
        except ValueError as error:
            raise FileError(folder, f"{error}.") from None
        made.append(_write(folder, name, kind, node))
    return made


def _write(folder: Path, name: str, kind: KeyKind, identity: Identity) -> Path:
    """The certificate's file; its key goes beside it."""
    stem = _stem(name, kind)
    file, key_file = folder / f"{stem}.pem", folder / f"{stem}.key"
    for target in (file, key_file):
        if target.exists():
            raise FileError(target, "is there already and is not overwritten.", "Remove it, or choose another name.")
    try:
        write_key(key_file, identity.key)
        file.write_bytes(identity.certificate.pem())
    except OSError as error:
        raise FileError(file, f"cannot be written: {error.strerror}.") from None
    return file


def _stem(name: str, kind: KeyKind) -> str:
    plain = re.sub(r"[^\w.-]", "_", name).lstrip(".") or "_"
    return f"{plain}-ecc" if kind is KeyKind.ECC else plain


def _in_words(file: Path, certificate: Certificate, now: datetime) -> Iterator[str]:
    yield f"{file}: {certificate.subject}"
    yield f"  OpenADR fingerprint  {certificate.fingerprint}"
    yield f"  SHA-256              {certificate.full_fingerprint}"
    yield f"  key                  {certificate.key_words}"
    yield f"  issued by            {certificate.issuer}"
    yield f"  valid                {certificate.starts:%Y-%m-%d %H:%M} to {certificate.ends:%Y-%m-%d %H:%M} UTC"
    if not certificate.is_authority and certificate.names:
        yield f"  names                {', '.join(certificate.names)}"
    for finding in () if certificate.is_authority else examine(certificate, now):
        yield f"  {finding.severity.word}: {finding.text}"


def _as_json(file: Path, certificate: Certificate, now: datetime) -> str:
    found = () if certificate.is_authority else examine(certificate, now)
    members = {
        "file": str(file),
        "subject": certificate.subject,
        "fingerprint": certificate.fingerprint,
        "sha256": certificate.full_fingerprint,
        "key": certificate.key_words,
        "issuer": certificate.issuer,
        "starts": certificate.starts.isoformat(),
        "ends": certificate.ends.isoformat(),
        "names": certificate.names,
        "authority": certificate.is_authority,
        "findings": [
            {"rule": finding.rule, "severity": finding.severity.word, "text": finding.text} for finding in found
        ],
    }
    return json.dumps(members)
