"""TLS of one node: its contexts as a server and as a client, whom it believes, and why a handshake came to nothing.

The standard's two suites go first, RSA and ECC certificates stand side by side, TLS ends at 1.2 unless 1.3 is wanted
(rules 67, 68, section 10). A *strict* server ends the handshake of a peer without a certificate it believes (rule 516).
A server on the *bench* lets such a peer in far enough to be told: :meth:`Tls.shown` has the reason, and the server
answers 403 (rule 517). A client believes nobody it does not know, either way. Reasons come in words, from the
certificate itself where the peer sent one: OpenSSL alone says no more than that it failed.
"""

from __future__ import annotations

import ssl
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from console.openadr.findings import Finding, Severity
from console.security.certificates import Certificate, CertificateError, read_der
from console.security.keys import KeyFileError
from console.security.trust import Trust
from console.transport.exchange import TransportError

STANDARD_SUITES = "ECDHE-ECDSA-AES128-SHA256:AES128-SHA256"
"""As OpenSSL names TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256 and TLS_RSA_WITH_AES_128_CBC_SHA256."""
_MORE_SUITES = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""What peers offer whose libraries have put the standard's suites away; not taken in strict mode."""

_NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which the ssl module has no name for."""
_HANDSHAKE_RECORD, _CERTIFICATE_MESSAGE = 22, 11
_REMEMBERED = 12_000


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """What an operator decides about TLS."""

    identities: tuple[tuple[Path, Path], ...] = ()
    """(certificate with its chain, key) in PEM form; an RSA and an ECC one serve every VEN (rule 68)."""
    authorities: Path | None = None
    """PEM file of those believed; None believes, as a client, whom this machine believes."""
    revocations: Path | None = None
    strict: bool = False
    tls13: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """What a peer's certificate, or the want of one, comes to."""

    fingerprint: str = ""
    issuers: tuple[str, ...] = ()
    """Fingerprints of the authorities above it."""
    findings: tuple[Finding, ...] = ()

    @property
    def refused(self) -> bool:
        return any(finding.severity is Severity.ERROR for finding in self.findings)


class HandshakeError(ssl.SSLError):
    """A handshake that came to nothing; ``strerror`` says why in words."""


def _machine_now() -> datetime:
    return datetime.now(UTC)


class Tls:
    """Contexts and trust, made once; raises TransportError in words for files that cannot be used."""

    def __init__(self, settings: TlsSettings, now: Callable[[], datetime] = _machine_now) -> None:
        self.settings = settings
        self.now = now
        self.trust = self._read_trust()
        self.server: _Context | None = None
        """None where there is no certificate to serve with."""
        if settings.identities:
            self.server = self._server_context()
        self.client = self._client_context()
        self._chains: OrderedDict[bytes, tuple[Certificate, ...]] = OrderedDict()
        self._strangers = 0

    # What peers show -------------------------------------------------------------------------------------------------

    def shown(self, connection: object) -> Shown:
        """What the peer of an open connection (asyncio's ``ssl_object``) showed, judged now."""
        der = connection.getpeercert(True) if isinstance(connection, ssl.SSLObject) else None
        if not der:
            return Shown(findings=(_NO_CERTIFICATE,))
        chain = self._chains.get(der) or _parsed((der,))
        return self.judge(chain)

    def judge(self, chain: Sequence[Certificate]) -> Shown:
        """A chain as a peer sent it, its own certificate first."""
        if not chain:
            return Shown(findings=(_finding("516", "The certificate the peer showed cannot be read."),))
        own, *between = chain
        findings = self.trust.check(own, between, self.now()) if self.trust else ()
        told = tuple(finding for finding in findings if finding.severity > Severity.INFO)
        above = [*between, *(self.trust.authorities if self.trust else ())]
        return Shown(own.fingerprint, tuple(link.fingerprint for link in above if link != own), told)

    def met(self, handshake: Handshake, ders: Sequence[bytes]) -> None:
        """A peer's certificates as they come, before OpenSSL judges them."""
        chain = _parsed(ders)
        handshake.chain = chain
        if not chain:
            return
        self._chains[chain[0].der] = chain
        while len(self._chains) > _REMEMBERED:
            self._chains.popitem(last=False)
        if handshake.server_side and not self.settings.strict and self.judge(chain).refused:
            self._let_in(handshake, chain[0])

    def _let_in(self, handshake: Handshake, stranger: Certificate) -> None:
        """Have OpenSSL accept what will be refused with 403: the ssl module has no say in its verdict otherwise."""
        if self._strangers < _REMEMBERED:
            self._strangers += 1
            handshake.context.load_verify_locations(cadata=stranger.der)

    def settle(self, handshake: Handshake) -> None:
        """OpenSSL is content; what it does not know of, such as revocation, may still end the handshake."""
        if (handshake.server_side and not self.settings.strict) or self.trust is None:
            return
        chain = handshake.chain or _parsed(filter(None, (handshake.getpeercert(True),)))
        refused = [one.text for one in self.judge(chain).findings if one.severity is Severity.ERROR] if chain else []
        if refused:
            raise HandshakeError(1, refused[0])

    # Contexts --------------------------------------------------------------------------------------------------------

    def _read_trust(self) -> Trust | None:
        if self.settings.authorities is None:
            return None
        try:
            return Trust.read(self.settings.authorities, self.settings.revocations)
        except KeyFileError as error:
            raise TransportError(str(error)) from error

    def _server_context(self) -> _Context:
        context = self._context(ssl.PROTOCOL_TLS_SERVER)
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_TICKET
        if self.trust is None:
            raise TransportError("A TLS server needs to know whom to believe: give the file of the authorities, too.")
        context.verify_mode = ssl.CERT_REQUIRED if self.settings.strict else ssl.CERT_OPTIONAL
        if not self.settings.strict:
            context.verify_flags = ssl.VerifyFlags(int(context.verify_flags) | _NO_CHECK_TIME)
        return context

    def _client_context(self) -> _Context:
        context = self._context(ssl.PROTOCOL_TLS_CLIENT)
        if self.settings.authorities is None:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        return context

    def _context(self, protocol: int) -> _Context:
        context = _Context(protocol)
        context.tls = self
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.maximum_version = ssl.TLSVersion.TLSv1_3 if self.settings.tls13 else ssl.TLSVersion.TLSv1_2
        context.set_ciphers(STANDARD_SUITES if self.settings.strict else f"{STANDARD_SUITES}:{_MORE_SUITES}")
        # Certificates of the field break what VERIFY_X509_STRICT, set since Python 3.13, asks for; Trust judges them.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        for certificate, key in self.settings.identities:
            _load(context, certificate, key)
        if self.settings.authorities is not None:
            try:
                context.load_verify_locations(self.settings.authorities)
            except (OSError, ssl.SSLError) as error:
                raise TransportError(f"{self.settings.authorities}: {error.strerror or error}.") from error
        context.watch()
        return context


def _load(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    for file in (certificate, key):
        if not file.is_file():
            raise TransportError(f"{file}: there is no such file.")
    try:
        context.load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise TransportError(f"{key}: this key does not belong to the certificate in {certificate}.") from error
        raise TransportError(f"{certificate} and {key} hold no certificate and key in PEM form.") from error
    except OSError as error:
        raise TransportError(f"{key}: {error.strerror or 'cannot be read'}.") from error


class _Context(ssl.SSLContext):
    """A context whose handshakes tell what went on."""

    tls: Tls
    latest: Handshake
    """The one made last: asyncio makes it within the constructor of a connection and hands it to nobody."""

    def watch(self) -> None:
        """Hear of handshake messages, where this Python lets one (CPython does, since 3.8)."""
        self.sslobject_class = Handshake
        if hasattr(self, "_msg_callback"):
            self._msg_callback = _handshake_message

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        made = super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        if isinstance(made, Handshake):
            made.outgoing, self.latest = outgoing, made
        return made


class Handshake(ssl.SSLObject):
    """asyncio's and anyio's view of a connection, whose failure comes with a reason in words."""

    context: _Context  # type: ignore[assignment]
    outgoing: ssl.MemoryBIO | None = None
    send: Callable[[bytes], None] | None = None
    """Takes the alert that ends a failed handshake; asyncio drops it, and the peer would see only an end."""
    chain: tuple[Certificate, ...] = ()

    def do_handshake(self) -> None:
        tls = self.context.tls
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLSyscallError):
            raise
        except ssl.SSLError as error:
            if self.send is not None and self.outgoing is not None and (alert := self.outgoing.read()):
                self.send(alert)
            raise HandshakeError(error.errno or 1, _in_words(error, self, tls)) from None
        tls.settle(self)


def _handshake_message(connection: Any, direction: str, version: int, content: int, kind: int, message: bytes) -> None:
    if kind != _CERTIFICATE_MESSAGE or content != _HANDSHAKE_RECORD or direction != "read":
        return
    if not isinstance(connection, Handshake):
        return
    connection.context.tls.met(connection, _certificates(message, is_13=version == ssl.TLSVersion.TLSv1_3))


def _certificates(message: bytes, *, is_13: bool) -> list[bytes]:
    """The DER of a Certificate message (RFC 5246 7.4.2, RFC 8446 4.4.2), as far as it goes."""
    at = 5 + message[4] if is_13 and len(message) > 4 else 4
    end = at + 3 + int.from_bytes(message[at : at + 3], "big")
    at += 3
    found: list[bytes] = []
    while at + 3 < end <= len(message):
        length = int.from_bytes(message[at : at + 3], "big")
        found.append(bytes(message[at + 3 : at + 3 + length]))
        at += 3 + length
        if is_13:
            at += 2 + int.from_bytes(message[at : at + 2], "big")
    return found


def _parsed(ders: Sequence[bytes] | filter[bytes]) -> tuple[Certificate, ...]:
    """Empty where the first, the peer's own, cannot be read."""
    chain: list[Certificate] = []
    for der in ders:
        try:
            chain.append(read_der(der))
        except CertificateError:
            break
    return tuple(chain)


# Words ---------------------------------------------------------------------------------------------------------------

_WHY = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "the peer sent no client certificate; mutual TLS wants one (rule 516).",
    "HTTP_REQUEST": "plain HTTP came. The peer means http; here is https.",
    "HTTPS_PROXY_REQUEST": "a proxy request came; here is a TLS server.",
    "WRONG_VERSION_NUMBER": "what came is not TLS. Does the other side speak plain HTTP?",
    "UNSUPPORTED_PROTOCOL": "no TLS version in common; OpenADR wants TLS 1.2 (rule 67).",
    "TLSV1_ALERT_PROTOCOL_VERSION": "the peer refuses our TLS version; OpenADR wants TLS 1.2 (rule 67).",
    "NO_SHARED_CIPHER": f"no cipher suite in common; the standard's are {STANDARD_SUITES.replace(':', ' and ')}, the "
    "first needs an ECC and the second an RSA certificate here (rule 68).",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the peer found no cipher suite it shares, or wants a client certificate.",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the peer wants a client certificate, and none was given.",
    "TLSV1_ALERT_UNKNOWN_CA": "the peer does not know the authority (CA) of our certificate.",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the peer refuses our certificate as faulty: another name, or another purpose?",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "the peer refuses our certificate without a reason.",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "the peer says our certificate has expired. Are both clocks right?",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "the peer says our certificate was revoked.",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "the peer does not take the kind of our certificate.",
    "TLSV1_ALERT_ACCESS_DENIED": "the peer knows our certificate and denies access.",
    "UNEXPECTED_EOF_WHILE_READING": "the peer closed the connection in the middle of it. Peers that refuse a "
    "certificate do so, others were only looking whether the port is open.",
}
_HOSTNAME_MISMATCH = (62, 64)
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""


def _in_words(error: ssl.SSLError, handshake: Handshake, tls: Tls) -> str:
    chain = handshake.chain
    code = getattr(error, "verify_code", 0)
    if chain and code in _HOSTNAME_MISMATCH:
        own = chain[0]
        names = ", ".join(own.names) or "no host at all"
        return f"wrong name: the certificate of {own.subject} is for {names}, not for {handshake.server_hostname}."
    if chain and code:
        refused = [one.text for one in tls.judge(chain).findings if one.severity is Severity.ERROR]
        if refused:
            return refused[0]
    if code:
        whose = f"the certificate of {chain[0].subject} is refused" if chain else "the peer's certificate is refused"
        return f"{whose}: {getattr(error, 'verify_message', '') or error.reason}."
    return _WHY.get(error.reason or "", f"{(error.reason or str(error)).replace('_', ' ').lower()}.")


def ended(error: BaseException | None) -> str:
    """Why a handshake ended, in words, whatever ended it."""
    if isinstance(error, ssl.SSLError) and error.strerror:
        return error.strerror
    if isinstance(error, TimeoutError | ConnectionAbortedError):
        return "the peer did not go on with it in time."
    return _WHY["UNEXPECTED_EOF_WHILE_READING"]


def _finding(rule: str, text: str) -> Finding:
    return Finding(rule, Severity.ERROR, text, clause="10")


_NO_CERTIFICATE = _finding("516", "No client certificate: the peer sent none, and mutual TLS wants one.")
