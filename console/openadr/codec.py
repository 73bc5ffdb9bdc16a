"""Bytes to messages and back: :func:`dissect` for whatever a peer sent, :func:`write` for what we send.

``dissect`` never raises. It gives the tree, the typed message as far as one can be read, and every finding about form:
size, encoding, well-formedness, envelope, schema, unreadable values. Conformance rules look at the typed message and
live in ``console.openadr.rules``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

from lxml import etree

from console.openadr import profile_a, schema
from console.openadr.elements import Node, prefixed, qualified
from console.openadr.findings import Finding, Severity
from console.openadr.model import Payload
from console.openadr.parsing import DEEPEST, LIMIT, parse, too_deep
from console.openadr.reader import READERS
from console.openadr.tolerant import class_of, read_patiently
from console.openadr.writer import envelope_text

_ENVELOPE = qualified("oadr:oadrPayload")
_SIGNED_OBJECT = qualified("oadr:oadrSignedObject")
_SIGNATURE = qualified("ds:Signature")
_LOCATIONS = {qualified("xsi:schemaLocation"), qualified("xsi:noNamespaceSchemaLocation")}
_ODD = (ValueError, KeyError, TypeError, IndexError, OverflowError)
"""What the quick readers raise for schema-valid texts they don't take."""
_TOO_DEEP = Finding(
    "xml", Severity.ERROR, f"Elements are nested deeper than {DEEPEST}; the message was not read.", clause="7.2"
)
_MESSAGES_A = ", ".join(name.partition(":")[2] for name in profile_a.ROOTS)
A = "2.0a"
B = "2.0b"
"""The profiles, as :attr:`Dissection.profile` names them."""
_PLACES = 10
"""Places of one kind of attribute that are listed."""
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


class Envelope(StrEnum):
    """What surrounds the payload."""

    NONE = "none"
    """Nothing that could be recognised."""
    PAYLOAD = "oadrPayload"
    SIGNED_OBJECT = "oadrSignedObject"
    """The inner element alone, as some XMPP peers send it."""
    BARE = "bare"
    """The payload element alone."""


@dataclass(frozen=True, slots=True)
class Dissection:
    """What became of the bytes of one message."""

    body: bytes
    tree: Node | None
    """Root element; None where the body is no XML or was refused."""
    element: str
    """Local name of the payload element, such as ``oadrPoll``; empty where there is none."""
    envelope: Envelope
    message: Payload | None
    """Typed message; may be there although findings say ERROR, and be None although the tree is there."""
    findings: tuple[Finding, ...]
    valid: bool
    """The schema's verdict on the whole document."""
    signed: bool = False
    """Whether a ds:Signature is there; its truth is another matter (console.security)."""
    profile: str = ""
    """``2.0b`` or ``2.0a`` by the namespace; empty where it is neither."""

    @property
    def severity(self) -> Severity | None:
        """The gravest finding; None without any."""
        return max((finding.severity for finding in self.findings), default=None)


(
    _set_body,
    _set_tree,
    _set_element,
    _set_envelope,
    _set_message,
    _set_findings,
    _set_valid,
    _set_signed,
    _set_profile,
) = (getattr(Dissection, field.name).__set__ for field in fields(Dissection))
"""The slots' own setters: a frozen object is made with them in a third of the time."""
_FOREIGN = frozenset(
    {"oadrDistributeEvent", "oadrUpdateReport", "oadrRegisterReport", "oadrRegisteredReport", "oadrCreateReport"}
)
"""Payloads in which xcal:components or an Atom feed may stand, and in those anything at any depth."""
_KINDS = {tag: (tag.rpartition("}")[2], read, tag.rpartition("}")[2] in _FOREIGN) for tag, read in READERS.items()}
_new = object.__new__


def dissect(body: bytes, *, limit: int = LIMIT) -> Dissection:
    """Read a message as a peer sent it; never raises. ``limit`` is the largest body read. [bytes]"""
    root, findings = parse(body, limit)
    if root is None:
        return Dissection(body, None, "", Envelope.NONE, None, tuple(findings), False)
    valid = schema.is_valid(root)
    plain = valid and root.tag == _ENVELOPE and len(root) == 1 and not findings
    if plain and not (b"L" in body and b"schemaLocation" in body):  # one byte is looked for five times as fast
        payload = root[0][0]
        element, read, foreign = _KINDS[payload.tag]  # pyright: ignore[reportArgumentType]
        if foreign and (b"components>" in body or b"feed" in body):
            return _dissect_slowly(body, root, findings, valid)
        try:
            message = read(payload)
        except _ODD:
            return _dissect_slowly(body, root, findings, valid)
        made = _new(Dissection)
        _set_body(made, body)
        _set_tree(made, root)
        _set_element(made, element)
        _set_envelope(made, Envelope.PAYLOAD)
        _set_message(made, message)
        _set_findings(made, ())
        _set_valid(made, True)
        _set_signed(made, False)
        _set_profile(made, B)
        return made
    if profile_a.is_profile_a(root):
        return _dissect_a(body, root, findings)
    return _dissect_slowly(body, root, findings, valid)


def _dissect_slowly(body: bytes, root: Node, findings: list[Finding], valid: bool) -> Dissection:
    """Whatever is not plainly a valid message in its envelope, and what may hold content of others at any depth."""
    payload, envelope = _payload_in(root)
    signed = envelope is Envelope.PAYLOAD and any(child.tag == _SIGNATURE for child in root)
    if payload is None:
        findings += [*_strangers(root, envelope), *([] if valid or too_deep(root) else schema.errors(root))]
        profile = B if envelope is not Envelope.NONE else ""
        return Dissection(body, root, "", envelope, None, tuple(findings), valid, signed, profile)
    if b"schemaLocation" in body:
        findings += _located(root)
    if envelope is not Envelope.PAYLOAD:
        findings.append(_unwrapped(payload, envelope))
    if too_deep(root):
        findings.append(_TOO_DEEP)
        message = None
    elif valid:
        message = _read_valid(payload, findings)
    else:
        findings += schema.errors(root)
        message = _read_invalid(root, payload, findings)
    element = etree.QName(payload).localname
    return Dissection(body, root, element, envelope, message, tuple(findings), valid, signed, B)


def _dissect_a(body: bytes, root: Node, findings: list[Finding]) -> Dissection:
    """A document in the namespace of 2.0a, read into the classes of 2.0b; its payload stands bare, as it should."""
    local = etree.QName(root).localname
    valid = schema.is_valid_a(root)
    if root.tag not in profile_a.TAGS:
        text = f"{local} is in the namespace of OpenADR 2.0a, which has no such message; it knows {_MESSAGES_A}."
        findings.append(Finding("xml", Severity.ERROR, text, local, prefixed(str(root.tag)), profile_a.CLAUSE))
        return Dissection(body, root, "", Envelope.NONE, None, tuple(findings), valid, False, A)
    text = f"{local} is written in OpenADR 2.0a."
    findings.append(Finding("xml", Severity.INFO, text, local, prefixed(str(root.tag)), profile_a.CLAUSE))
    if b"schemaLocation" in body:
        findings += _located(root)
    message: Payload | None = None
    if too_deep(root):
        findings.append(_TOO_DEEP)
    else:
        findings += [] if valid else schema.errors(root)
        with profile_a.As2b(root):
            message = _read_valid(root, findings) if valid else _read_invalid(root, root, findings)
    return Dissection(body, root, local, Envelope.BARE, message, tuple(findings), valid, False, A)


def write(message: Payload, *, object_id: str = "", profile: str = B) -> bytes:
    """The message as UTF-8 bytes: in its envelope, or bare in profile 2.0a.

    ``object_id`` becomes the ``oadr:Id`` a signature refers to. Raises ``ValueError`` for text that XML cannot carry,
    and for what profile 2.0a has no place for.
    """
    if profile != A:
        return (_DECLARATION + envelope_text(message, object_id)).encode()
    body = (_DECLARATION + profile_a.text_of(message)).encode()
    root, _ = parse(body)
    wrong = schema.errors(root) if root is not None else []
    if wrong:
        raise ValueError(f"This cannot be said in OpenADR 2.0a: {wrong[0].text}")
    return body


def _payload_in(root: Node) -> tuple[Node | None, Envelope]:
    """The payload element and its envelope; no payload where the envelope holds more than one thing to act on."""
    if root.tag == _ENVELOPE:
        objects = [child for child in root if child.tag == _SIGNED_OBJECT]
        if len(objects) != 1:
            return None, Envelope.PAYLOAD
        return _first_payload(objects[0]), Envelope.PAYLOAD
    if root.tag == _SIGNED_OBJECT:
        return _first_payload(root), Envelope.SIGNED_OBJECT
    return (root, Envelope.BARE) if root.tag in READERS else (None, Envelope.NONE)


def _first_payload(signed_object: Node) -> Node | None:
    return next((child for child in signed_object if child.tag in READERS), None)


def _read_valid(payload: Node, findings: list[Finding]) -> Payload | None:
    """The quick reading; where a schema-valid text is odd, the patient one, which says what is odd."""
    try:
        return READERS[str(payload.tag)](payload)
    except _ODD:
        message, remarks = _patient(payload)
        findings += remarks
        return message


def _read_invalid(root: Node, payload: Node, findings: list[Finding]) -> Payload | None:
    message, remarks = _patient(payload)
    lines = {(finding.line, finding.element) for finding in findings}
    findings += [remark for remark in remarks if (remark.line, remark.element) not in lines or message is None]
    return message


def _patient(payload: Node) -> tuple[Payload | None, list[Finding]]:
    cls = class_of(prefixed(str(payload.tag)))
    return read_patiently(payload, cls) if cls else (None, [])


def _located(root: Node) -> list[Finding]:
    """Rule 45: a message does not say where a schema is."""
    text = "The message says where its schema is (xsi:schemaLocation); that is not allowed and was not followed."
    found: list[Finding] = []
    for node in root.iter():
        if len(found) < _PLACES and any(str(key) in _LOCATIONS for key in node.attrib):
            name, line = prefixed(str(node.tag)), node.sourceline or 0
            found.append(Finding("45", Severity.ERROR, text, schema.path_of(node), name, "9.2.1 rule 45", line))
    return found


def _unwrapped(payload: Node, envelope: Envelope) -> Finding:
    name = etree.QName(payload).localname
    root = "oadrSignedObject" if envelope is Envelope.SIGNED_OBJECT else name
    text = f"The message begins with {root}; it should be wrapped in oadrPayload and oadrSignedObject."
    return Finding("xml", Severity.WARNING, text, root, root, "7.2", payload.sourceline or 0)


def _strangers(root: Node, envelope: Envelope) -> list[Finding]:
    """Why there is no payload to read."""
    name = prefixed(str(root.tag))
    if envelope is Envelope.NONE:
        text = f"{name} is no OpenADR message; one begins with oadr:oadrPayload in the namespace of 2.0b."
    elif envelope is Envelope.PAYLOAD and sum(child.tag == _SIGNED_OBJECT for child in root) != 1:
        text = "oadr:oadrPayload has to hold exactly one oadr:oadrSignedObject; nothing was acted on."
    else:
        inner = [prefixed(str(child.tag)) for child in root.iter(_SIGNED_OBJECT) for child in child]
        what = f"{inner[0]} is none" if inner else "it is empty"
        text = f"oadr:oadrSignedObject has to hold a message of OpenADR 2.0b; {what}."
    return [Finding("xml", Severity.ERROR, text, etree.QName(root).localname, name, "7.2", root.sourceline or 0)]
