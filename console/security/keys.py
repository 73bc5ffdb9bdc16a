"""Private keys and the certificate that goes with each: read from PEM files, written for their owner alone.

Nothing here shows a key: an :class:`Identity` prints its certificate only, and no error quotes a file.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from console.security.certificates import Certificate, CertificateError, read_pem

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class KeyFileError(ValueError):
    """A key or certificate file that cannot be used; the text names the file and says why."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a node is: its private key, its certificate and those up to, but without, the root."""

    key: PrivateKey = field(repr=False)
    certificate: Certificate
    chain: tuple[Certificate, ...] = ()


def read_identity(certificate_file: Path, key_file: Path, password: bytes | None = None) -> Identity:
    """Key and certificate from PEM files; the first certificate is the node's own. Raises KeyFileError."""
    own, *chain = read_certificates(certificate_file)
    key = read_key(key_file, password)
    if own.public_key != key.public_key():
        raise KeyFileError(f"{key_file}: this key does not belong to the certificate in {certificate_file}.")
    return Identity(key, own, tuple(chain))


def read_certificates(file: Path) -> tuple[Certificate, ...]:
    """All certificates of a PEM file, at least one. Raises KeyFileError."""
    try:
        return read_pem(_content(file))
    except CertificateError as error:
        raise KeyFileError(f"{file}: {error}.") from None


def read_key(file: Path, password: bytes | None = None) -> PrivateKey:
    """An RSA or elliptic-curve key in PEM form. Raises KeyFileError."""
    content = _content(file)
    try:
        key = load_pem_private_key(content, password)
    except TypeError:
        why = "has a password, and none was given" if password is None else "has no password, but one was given"
        raise KeyFileError(f"{file}: the key {why}.") from None
    except (ValueError, UnsupportedAlgorithm):
        why = "holds no private key in PEM form" if password is None else "cannot be opened with this password"
        raise KeyFileError(f"{file}: {why}.") from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise KeyFileError(f"{file}: OpenADR knows RSA and elliptic-curve keys; this is another kind.")
    return key


def write_key(file: Path, key: PrivateKey) -> None:
    """PEM without password, readable by its owner alone. Raises FileExistsError: no key is ever overwritten."""
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        target.write(text)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise KeyFileError(f"{file}: {error.strerror or 'cannot be read'}.") from None
