"""Ids, addresses and certificates replaced before a recording leaves a site: the same one always by the same pseudonym.

What is secret is learnt first, from the elements that the standard says hold names and addresses, from what the log
knows of peers and sessions, and from everything that looks like an address or a fingerprint. Then it is replaced
wherever it stands: in bodies element by element (markup, numbers and times stay to the byte), in heads, summaries,
findings and facts. Texts for people (comments, descriptions, names) go whole, since nobody can know what is in them.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable
from html import escape, unescape
from typing import Any, TypeVar
from urllib.parse import urlsplit

from console.openadr.facts import Fact
from console.openadr.findings import Finding
from console.store.database import StoreError
from console.store.reading import Head, Reader

_KIND_OF_ELEMENT = {
    "venID": "ven",
    "vtnID": "vtn",
    "registrationID": "registration",
    "oadrVenName": "name",
    "partyID": "party",
    "partyName": "party",
    "groupID": "group",
    "groupName": "group",
    "resourceID": "resource",
    "eventID": "event",
    "requestID": "request",
    "reportRequestID": "report-request",
    "reportSpecifierID": "report",
    "eiReportID": "report",
    "rID": "point",
    "optID": "opt",
    "signalID": "signal",
    "baselineID": "baseline",
    "baselineName": "baseline",
    "mrid": "asset",
    "node": "node",
    "marketContext": "programme",
    "oadrTransportAddress": "address",
    "pointOfReceipt": "place",
    "pointOfDelivery": "place",
    "posList": "place",
    "description": "text",
    "responseDescription": "text",
    "modificationReason": "text",
    "vtnComment": "text",
    "oadrValue": "text",
}
"""Local name of an element whose text is told to nobody -> the stem of its pseudonyms."""

_WHOLE = {"text", "place"}
"""Kinds that go whole: not worth a pseudonym, since nothing refers to them."""

_KEPT = {"", "0", "METADATA", "true", "false"}
"""Texts with a meaning of their own in places of ids (rules 308, 311, 327)."""

_SIGNED = re.compile(r"(<(?:\w+:)?Signature[\s>].*?</(?:\w+:)?Signature\s*>)", re.DOTALL)
_SIGNED_TEXT = re.compile(r">([^<>]*[^<>\s][^<>]*)<")
_TEXT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)((?:\s[^<>]*)?)>([^<>]*)(?=</)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_ADDRESSES = re.compile(
    r"(?P<fingerprint>\b(?:[0-9A-Fa-f]{2}:){5,}[0-9A-Fa-f]{2}\b)"
    r"|(?P<url>(?<=://)[^\s/:\"'<>?#]+)"
    r"|(?P<jid>[\w.+-]+@[\w.-]+(?:/[\w.-]+)?)"
    r"|(?P<host>(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]))"
    r"|(?P<six>(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){3,7}[0-9A-Fa-f]{1,4}(?![\w:]))"
    r"|(?P<certificate>[A-Za-z0-9+/]{120,}={0,2})"
)
_STEMS = {
    "fingerprint": "fingerprint",
    "url": "host",
    "jid": "jid",
    "host": "host",
    "six": "host",
    "certificate": "certificate",
}
_WORD = re.compile(r"[\w.@+-]+")
_PUBLIC_HOSTS = {"openadr.org", "www.openadr.org", "docs.oasis-open.org", "www.w3.org", "www.opengis.net", "naesb.org"}
_PRIVATE_HEADERS = {
    "authorization",
    "cookie",
    "set-cookie",
    "proxy-authorization",
    "referer",
    "from",
    "x-forwarded-for",
}
_HOST_HEADERS = {"host", "location", "origin"}
Record = TypeVar("Record")


def _ignore(_done: int) -> None:
    """For learning that nobody waits to see."""


class Redactor:
    """Pseudonyms, given in the order things are first seen, so that one recording always gives the same."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._spaced: re.Pattern[str] | None = None

    @property
    def names(self) -> dict[str, str]:
        """What was replaced by what. Not to leave the site."""
        return dict(self._names)

    # Learning ------------------------------------------------------------------------------------------------------

    def learn(
        self, reader: Reader, numbers: Iterable[int] | None = None, step: Callable[[int], None] = _ignore
    ) -> None:
        """Take in all secrets of some or all messages, and of what the log knows of peers and sessions."""
        wanted = range(1, len(reader.log) + 1) if numbers is None else numbers
        columns = reader.log.columns
        seen: set[int] = set()
        for done, number in enumerate(wanted):
            step(done)
            index = columns.get(number - 1, "body")
            if index not in seen:
                seen.add(index)
                self.learn_body(_body(reader, number))
            self._learn_addresses(reader.head(number).address)
        names = reader.log.pools["names"]
        for column, kind in (("peer", "peer"), ("session", "session")):
            for index in sorted(set(columns[column].tolist())):
                if names[index]:
                    self._learn_addresses(names[index])
                    if not _ADDRESSES.search(names[index]):
                        self.pseudonym(names[index], kind)

    def learn_body(self, body: bytes) -> None:
        text = _decoded(body)[0]
        for found in _TEXT.finditer(text):
            kind = _KIND_OF_ELEMENT.get(found[1])
            value = unescape(found[3]).strip()
            if kind is None or kind in _WHOLE or value in _KEPT:
                continue
            if kind in ("programme", "address"):
                self._learn_addresses(value)
            else:
                self.pseudonym(value, kind)

    def _learn_addresses(self, text: str) -> None:
        host, colon, port = text.rpartition(":")
        if colon and port.isdigit() and host and not _ADDRESSES.search(text):
            self.pseudonym(host, "host")
        self._addresses(text)

    def pseudonym(self, secret: str, kind: str) -> str:
        """The name that stands for ``secret``; made when it is first asked for."""
        if secret in _KEPT:
            return secret
        known = self._names.get(secret)
        if known is None:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            known = self._names[secret] = f"{kind}-{self._counts[kind]}"
            if not _WORD.fullmatch(secret):
                self._spaced = None
        return known

    # Replacing -----------------------------------------------------------------------------------------------------

    def text(self, text: str) -> str:
        """A text for people or machines with every known secret, and every address, replaced."""
        if not text:
            return text
        spaced = self._spaced_pattern()
        if spaced is not None:
            text = spaced.sub(lambda found: self._names[found[0]], text)
        text = self._addresses(text)
        return _WORD.sub(self._word, text)

    def _word(self, found: re.Match[str]) -> str:
        word = found[0]
        known = self._names.get(word)
        if known is None:
            bare = word.rstrip(".-")  # the end of a sentence is no part of a name
            known = self._names[bare] + word[len(bare) :] if bare in self._names else word
        return known

    def _spaced_pattern(self) -> re.Pattern[str] | None:
        """Matches those secrets that are more than one word; longest first, so that none hides in another."""
        if self._spaced is None:
            longest_first = sorted((s for s in self._names if not _WORD.fullmatch(s)), key=len, reverse=True)
            self._spaced = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        return self._spaced

    def _addresses(self, text: str) -> str:
        def replaced(found: re.Match[str]) -> str:
            secret = found[0]
            if secret in _PUBLIC_HOSTS or secret in self._names.values():
                return secret
            return self.pseudonym(secret, _STEMS[found.lastgroup or "host"])

        return _ADDRESSES.sub(replaced, text)

    def body(self, body: bytes) -> bytes:
        """A body with the texts of its elements replaced; markup, numbers and times stay as they were."""
        text, encoding = _decoded(body)
        if "<" not in text:
            return self.text(text).encode(encoding, "surrogateescape")
        text = _COMMENT.sub("<!-- redacted -->", text)
        text = _CDATA.sub(lambda found: escape(found[1], quote=False), text)
        text = _SIGNED.sub(lambda found: _SIGNED_TEXT.sub(">redacted<", found[1]), text)
        return _TEXT.sub(self._element, text).encode(encoding, "surrogateescape")

    def _element(self, found: re.Match[str]) -> str:
        name, attributes, inside = found[1], found[2], found[3]
        value = unescape(inside).strip()
        opening = found[0][: len(found[0]) - len(inside)]
        if not value or attributes.rstrip().endswith("/"):
            return found[0]
        kind = _KIND_OF_ELEMENT.get(name)
        if kind is None:
            fresh = self._addresses(value) if _ADDRESSES.search(value) else value
        elif kind in _WHOLE:
            fresh = "0 0" if kind == "place" and name == "posList" else "redacted"
        elif kind in ("programme", "address"):
            fresh = self.address(value)
        else:
            fresh = self.pseudonym(value, kind)
        if fresh == value:
            return found[0]
        return opening + inside.replace(inside.strip(), escape(fresh, quote=False), 1)

    def address(self, value: str) -> str:
        """A URL or JID: scheme, port and the standard's own path stay, the rest goes."""
        parts = urlsplit(value) if "://" in value else None
        if parts is None or not parts.hostname:
            return self.text(value)
        port = f":{parts.port}" if _has_port(value) else ""
        _, standard, service = parts.path.partition("/OpenADR2/")
        path = f"/OpenADR2/{service}" if standard else f"/{self.pseudonym(parts.path, 'path')}" if parts.path else ""
        return f"{parts.scheme}://{self.pseudonym(parts.hostname, 'host')}{port}{path}"

    def head(self, head: Head) -> Head:
        headers = tuple((name, self._header(name, value)) for name, value in head.headers)
        return Head(self.text(head.address), self._start_line(head.start_line), headers)

    def _start_line(self, line: str) -> str:
        method, space, target = line.partition(" ")
        if not target.startswith("/"):
            return self.text(line)
        _, standard, service = target.partition("/OpenADR2/")
        kept = f"/OpenADR2/{service}" if standard else target
        return f"{method}{space}{self.text(kept)}"

    def _header(self, name: str, value: str) -> str:
        if name.lower() in _PRIVATE_HEADERS:
            return "redacted"
        if name.lower() in _HOST_HEADERS and not _ADDRESSES.search(value):
            host, colon, port = value.partition(":")
            return f"{self.pseudonym(host, 'host')}{colon}{port}"
        return self.text(value)

    def finding(self, finding: Finding) -> Finding:
        return dataclasses.replace(finding, text=self.text(finding.text))

    def fact(self, fact: Fact) -> Fact:
        """The fact with all its texts replaced; those for people go whole."""
        return self._record(fact)

    def _record(self, record: Record) -> Record:
        fresh: dict[str, Any] = {}
        for field in dataclasses.fields(record):  # type: ignore[arg-type]
            value = getattr(record, field.name)
            if field.name in ("vtn_comment", "text", "why"):
                fresh[field.name] = self.text(value) if field.name != "vtn_comment" else ("redacted" if value else "")
            elif field.name in ("market_context", "url", "address") and value:
                fresh[field.name] = self.address(value)
            else:
                fresh[field.name] = self._value(value)
        return dataclasses.replace(record, **fresh)  # type: ignore[type-var]

    def _value(self, value: Any) -> Any:
        if type(value) is str:
            return self._names.get(value) or self.text(value)
        if isinstance(value, tuple):
            return tuple(self._value(each) for each in value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self._record(value)
        return value


def _body(reader: Reader, number: int) -> bytes:
    try:
        return reader.body(number)
    except StoreError:
        return b""


def _has_port(url: str) -> bool:
    try:
        return urlsplit(url).port is not None
    except ValueError:
        return False


def _decoded(body: bytes) -> tuple[str, str]:
    """Text of a body and the encoding that gives the bytes back."""
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if body.startswith(mark):
            return body.decode(encoding, "replace"), encoding
    return body.decode("utf-8", "surrogateescape"), "utf-8"
