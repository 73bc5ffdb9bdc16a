"""Bytes as no decent peer sends them, made from decent ones by chance: the source of the fuzz tests and measurement."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

_WORDS = (
    *(b"<", b">", b"</", b"/>", b"&", b"&amp;", b"&#0;", b"&#x10FFFF;", b"&x;", b"<!--", b"-->", b"<![CDATA[", b"]]>"),
    *(b"<?x?>", b"<!DOCTYPE a>", b'<!DOCTYPE a [<!ENTITY b "c">]>', b'xmlns=""', b' xmlns:ei="urn:x"', b"\0", b"\xff"),
    *(b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc3", b"9" * 5000, b"-", b"1e999", b"NaN", b"P" + b"9" * 400 + b"Y", b"P"),
    *(b"0000-00-00T00:00:00Z", b"9999-12-31T24:00:00Z", b"-0001-01-01T00:00:00Z", b"2030-02-30T00:00:00+25:99"),
    *(b'xsi:nil="true"', b' ei:schemaVersion="2.0a"', b' oadr:Id="1"', b"<a>" * 120, b"<ei:eiTarget/>", b"\x80" * 9),
    *(b"UTF-16", b"utf-7", b"ISO-8859-1", b'<?xml version="1.1"?>', "\u202e\u0660\u00a0".encode(), b"\r", b" " * 3000),
)


def broken(seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """One of the seeds after one to six accidents."""
    body = chance.choice(seeds)
    for _ in range(chance.randint(1, 6)):
        body = chance.choice(_ACCIDENTS)(body, seeds, chance)
    return body[: 2**18]


def _span(body: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randint(0, len(body))
    return start, min(len(body), start + chance.choice((1, 1, 2, 8, 64, 1024)))


def _flip(body: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    start, _end = _span(body, chance)
    return body[:start] + bytes([chance.randrange(256)]) + body[start + 1 :]


def _cut(body: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    start, end = _span(body, chance)
    return body[:start] + body[end:]


def _repeat(body: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    start, end = _span(body, chance)
    return body[:start] + body[start:end] * chance.choice((2, 3, 50)) + body[end:]


def _insert(body: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    start, end = _span(body, chance)
    return body[:start] + chance.choice(_WORDS) + body[chance.choice((start, end)) :]


def _swap_tags(body: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    """Whole pieces between angle brackets change places, so that much stays well-formed enough to go deep."""
    pieces = body.split(b"<")
    if len(pieces) < 3:
        return body
    first, second = chance.randrange(1, len(pieces)), chance.randrange(1, len(pieces))
    pieces[first], pieces[second] = pieces[second], pieces[first]
    return b"<".join(pieces)


def _retext(body: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    """The text of one element becomes another, the tags stay."""
    ends = [at for at in range(len(body)) if body.startswith(b"</", at)]
    if not ends:
        return body
    end = chance.choice(ends)
    start = body.rfind(b">", 0, end) + 1
    return body[:start] + chance.choice(_WORDS) + body[end:]


def _splice(body: bytes, seeds: Sequence[bytes], chance: random.Random) -> bytes:
    other = chance.choice(seeds)
    return body[: chance.randint(0, len(body))] + other[chance.randint(0, len(other)) :]


def _recode(body: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    return body.decode("utf-8", "replace").encode(
        chance.choice(("utf-16", "utf-16-le", "utf-32", "latin-1")), "replace"
    )


_Accident = Callable[[bytes, Sequence[bytes], random.Random], bytes]
_ACCIDENTS: tuple[_Accident, ...] = (
    *(_flip, _flip, _cut, _cut, _repeat, _insert, _insert, _swap_tags, _swap_tags, _retext, _retext, _retext),
    *(_splice, _recode),
)
