"""Content codings: gzip and deflate, taken off within a bound and put on for those who ask."""

from __future__ import annotations

import zlib

_WINDOWS = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}
"""zlib window bits to try: ``deflate`` is meant with a zlib head, and often sent without."""


class CodingError(Exception):
    """A body is not what its Content-Encoding says, or unpacks to more than is taken."""


def decoded(body: bytes, coding: str, limit: int) -> bytes:
    """The body without its coding.

    Raises
    ------
    CodingError
        For an unknown coding, a damaged body, and one of more than ``limit`` bytes unpacked.
    """
    names = [name.strip().lower() for name in coding.split(",") if name.strip().lower() not in ("", "identity")]
    for name in reversed(names):
        if name not in _WINDOWS:
            raise CodingError(f"The body is said to be coded as {name}, which is not known here.")
        body = _unpacked(body, name, limit)
    return body


def _unpacked(body: bytes, name: str, limit: int) -> bytes:
    for bits in _WINDOWS[name]:
        unpack = zlib.decompressobj(bits)
        try:
            plain = unpack.decompress(body, limit + 1)
        except zlib.error:
            continue
        if len(plain) > limit:
            raise CodingError(f"The body unpacks to more than {limit} bytes.")
        if not unpack.eof:
            raise CodingError(f"The body is said to be coded as {name}, but ends too early.")
        return plain
    raise CodingError(f"The body is said to be coded as {name}, but it is not.")


def chosen(accepted: str) -> str:
    """The coding to answer with, by the request's Accept-Encoding: ``gzip``, ``deflate`` or none."""
    weights: dict[str, float] = {}
    for offer in accepted.lower().split(","):
        name, _, parameter = offer.partition(";")
        quality = parameter.strip().removeprefix("q=")
        try:
            weights[name.strip()] = float(quality) if quality else 1.0
        except ValueError:
            weights[name.strip()] = 0.0
    best = max(("gzip", "deflate"), key=lambda name: weights.get(name, 0.0))
    return best if weights.get(best, 0.0) > 0 else ""


def encoded(body: bytes, coding: str) -> bytes:
    """The body in ``gzip`` or ``deflate``."""
    pack = zlib.compressobj(6, zlib.DEFLATED, _WINDOWS[coding][0])
    return pack.compress(body) + pack.flush()
