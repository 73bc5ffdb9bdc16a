"""What came back over HTTP, read the same way whichever library fetched it: size, coding, and headers out of order."""

from __future__ import annotations

import os
import ssl

from console.openadr.findings import Finding, Severity
from console.transport import coding
from console.transport.exchange import KEPT_OF_OVERSIZE, Answer, Headers
from console.transport.tls import HandshakeError


def read_answer(status: int, headers: Headers, received: bytes, limit: int, latency: float) -> Answer:
    """An answer of any status; ``received`` may go beyond ``limit`` by the piece that did."""
    named = {name.lower(): value for name, value in headers}
    body, size, findings = received, len(received), ()
    if size > limit:
        length = named.get("content-length", "")
        size = max(size, int(length) if length.isdigit() else 0)
        text = f"The answer has {size} bytes or more; at most {limit} are taken. Its beginning was kept."
        body, findings = received[:KEPT_OF_OVERSIZE], (Finding("size", Severity.ERROR, text),)
    elif coded := named.get("content-encoding", ""):
        try:
            body = coding.decoded(received, coded, limit)
            size = len(body)
        except coding.CodingError as error:
            findings = (Finding("http", Severity.ERROR, str(error), clause="9.1"),)
    if status == 200:
        findings = (*findings, *_about_headers(named, bool(received)))
    return Answer(status, headers, body, size, latency, findings)


def _about_headers(named: dict[str, str], has_body: bool) -> tuple[Finding, ...]:
    """What the profile says of response headers and this answer does otherwise."""
    found: list[Finding] = []
    kind = named.get("content-type", "")
    if has_body and kind.partition(";")[0].strip().lower() != "application/xml":
        said = f"is {kind}" if kind else "is missing"
        text = f"The Content-Type of the answer {said}; it has to be application/xml."
        found.append(Finding("http", Severity.WARNING, text, clause="9.1"))
    if named.get("transfer-encoding"):
        text = "The answer is chunked, which the simple HTTP binding does not allow; it needs a Content-Length."
        found.append(Finding("http", Severity.WARNING, text, clause="9.1"))
    return tuple(found)


def unreached(where: str, error: BaseException) -> str:
    """Why there was no connection, and what to look at."""
    root = _root(error)
    if isinstance(root, ssl.SSLError):
        return f"The TLS handshake with {where} failed: {root.strerror or root}"
    return f"{where} cannot be reached: {_text(root)}. Is the address right, and does it run?"


def _root(error: BaseException) -> BaseException:
    """The innermost reason, or the handshake that failed."""
    while not isinstance(error, HandshakeError) and (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


def _text(error: BaseException) -> str:
    """What the operating system says, as the middle of a sentence."""
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    return str(error) or type(error).__name__
