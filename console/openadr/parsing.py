"""From bytes to a tree, safely: size, encoding, DOCTYPE and well-formedness, each with a finding.

Entities, DTDs and the network are never used. A body over the limit or with a DOCTYPE is not parsed at all. Bodies in
another encoding than UTF-8 are read where their encoding is certain, with a finding.
"""

from __future__ import annotations

import codecs
import re

from lxml import etree

from console.openadr.elements import Node
from console.openadr.findings import Finding, Severity

LIMIT = 4 * 2**20
"""Largest body read. [bytes]"""
DEEPEST = 100
"""Elements within elements; a message of the standard needs about twenty."""

_DECLARED = re.compile(rb"^\s*<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_READ_ANYHOW = {"iso-8859-1", "iso-8859-15", "windows-1252", "cp1252", "latin1", "us-ascii", "ascii"}
_UTF_8 = {"utf-8", "utf8"}
_USUAL = (b'<?xml version="1.0" encoding="UTF-8"', b'<?xml version="1.0" encoding="utf-8"', b"<oadr")
"""How nearly all messages begin: nothing to find out about their encoding."""

_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
)


def parse(body: bytes, limit: int = LIMIT) -> tuple[Node | None, list[Finding]]:
    """The root element, or None where the body cannot be read, and what there is to say about the body."""
    if len(body) > limit:
        return None, [_error("size", f"The message has {len(body)} bytes; more than {limit} are not read.")]
    if not body or (body[0] in b" \t\r\n" and body.isspace()):
        text = "The body is empty; that is right only as the answer to an oadrDistributeEvent that was pushed."
        return None, [Finding("xml", Severity.INFO, text, clause="7.2")]
    readable, findings = (body, []) if body.startswith(_USUAL) else _as_utf_8(body)
    if readable is None:
        return None, findings
    if b"!" in readable and b"<!DOCTYPE" in readable:  # one byte is looked for five times as fast
        text = "The message holds a DOCTYPE, which may pull in foreign content; such messages are refused."
        return None, [*findings, _error("xml", text)]
    try:
        return etree.fromstring(readable, _PARSER), findings
    except etree.XMLSyntaxError as error:
        reason = (error.msg or "no XML").partition(", line")[0]
        return None, [*findings, _error("xml", f"The message is not well-formed XML: {reason}.", error.lineno or 0)]


_DEEP = etree.XPath(f"boolean({'/*' * (DEEPEST + 1)})")


def too_deep(root: Node) -> bool:
    """Whether elements are nested deeper than any message of the standard."""
    return bool(_DEEP(root.getroottree()))


def _error(rule: str, text: str, line: int = 0) -> Finding:
    return Finding(rule, Severity.ERROR, text, clause="7.2", line=line)


def _as_utf_8(body: bytes) -> tuple[bytes | None, list[Finding]]:
    """The body in UTF-8, or None where its encoding is unknown."""
    for mark, name in _MARKS:
        if body.startswith(mark):
            return _recoded(body, name)
    declared = _DECLARED.match(body)
    name = declared[1].decode("ascii").lower() if declared else "utf-8"
    if name in _UTF_8:
        return body, []
    if name in _READ_ANYHOW:
        return _recoded(body, name)
    return None, [_error("xml", f"The message says it is written in {name}; only UTF-8 is allowed.")]


def _recoded(body: bytes, name: str) -> tuple[bytes | None, list[Finding]]:
    findings = [_error("xml", f"The message is written in {name.upper()}; only UTF-8 is allowed.")]
    try:
        text = body.decode(name)
    except UnicodeDecodeError:
        return None, findings
    return _DECLARATION.sub("", text.lstrip("\ufeff"), count=1).encode("utf-8", "replace"), findings
