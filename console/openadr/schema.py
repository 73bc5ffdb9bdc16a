"""The schema's verdict on a message, and every error in words.

libxml gives the verdict in microseconds but names only the first error under a parent. So for an invalid message a
walk over the element table lists them all: what stands there, what may stand there, where. What the walk does not
judge (signatures, URIs, identifiers) is filled in from libxml's own list.
"""

from __future__ import annotations

import difflib
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib.resources import as_file, files
from typing import Any

from lxml import etree

from console.openadr.content import Particle, content_of
from console.openadr.elements import FORMS, GROUPS, RAW, SCHEMA_VERSION, WRAPPERS, Lexical, Node, prefixed, qualified
from console.openadr.findings import Finding, Severity
from console.openadr.lexical import XML_BLANKS, fits
from console.openadr.model import PAYLOADS, Payload
from console.openadr.profile_a import CLAUSE as CLAUSE_A
from console.openadr.profile_a import ROOTS as ROOTS_A
from console.openadr.profile_a import is_profile_a
from console.openadr.profile_a import particles_of as particles_of_a

_ALIKE_LISTED = 20
"""Strangers of one name under one parent that are listed one by one."""
MOST = 200
"""Errors listed for one message; a hostile one may hold any number."""

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_FREE = {_XSI + name for name in ("schemaLocation", "noNamespaceSchemaLocation", "type")}
_VERSION = qualified("ei:schemaVersion")
_IDENTITY = qualified("oadr:Id")
_PAYLOAD_CLASSES: dict[str, type[Any]] = {FORMS[cls].name: cls for cls in PAYLOADS}
_ENVELOPE = (
    Particle("ds:Signature", "?", RAW, (), "", "The signature.", "8"),
    Particle("oadr:oadrSignedObject", "", None, (), "", WRAPPERS["oadr:oadrSignedObject"], "7"),
)
_ENTRY_A = "2.0a/oadr2a.xsd"
_ALIKE = "-sibling::*[local-name() = $local and namespace-uri() = $uri]"
_BEFORE = etree.XPath(f"count(preceding{_ALIKE})")
_AFTER = etree.XPath(f"boolean(following{_ALIKE})")
_SHOWN = 60
_NAMES = re.compile(r"\{([^}]*)\}([\w.-]+)")


@cache
def _schema(purpose: str, entry: str = "oadr.xsd") -> etree.XMLSchema:
    """Compiled schema; one object for verdicts and one for their reasons, so that their error lists don't mix."""
    del purpose
    with as_file(files("nodebench_resources") / "schema" / entry) as path:
        return etree.XMLSchema(file=str(path))


def is_valid(root: Node) -> bool:
    """Whether the whole document is valid; it holds no DOCTYPE (``parsing.parse`` refuses those)."""
    return _verdict().validate(root)


@cache
def _verdict() -> etree.XMLSchema:
    return _schema("verdict")


def is_valid_a(root: Node) -> bool:
    """Whether the whole document is valid by the schema of profile 2.0a."""
    return _schema("verdict", _ENTRY_A).validate(root)


def errors(root: Node) -> list[Finding]:
    """Every schema error of a document, in document order; empty for a valid one. Judged by the profile it is in."""
    schema = _schema("reasons", _ENTRY_A) if is_profile_a(root) else _schema("reasons")
    if schema.validate(root):
        return []
    walk = _Walk()
    try:
        walk.document(root)
        _add_unwalked(walk, schema)
    except _Enough:
        pass
    found = sorted(walk.findings, key=lambda finding: finding.line)
    if len(found) > MOST:
        more = Finding(
            "schema", Severity.ERROR, f"There are more schema errors than {MOST}; the others are not listed."
        )
        found = [*found[:MOST], more]
    return found


class _Enough(Exception):
    """More is found than is listed."""


def _add_unwalked(walk: _Walk, schema: etree.XMLSchema) -> None:
    """What only libxml judges."""
    lines = {finding.line for finding in walk.findings}
    for entry in schema.error_log:
        if not walk.findings or (entry.line not in lines and not _is_walked(entry)):
            name = _NAMES.search(entry.message)
            element = prefixed(name[0]) if name else ""
            text = _in_words(entry.message)
            walk.add(Finding("schema", Severity.ERROR, text, element=element, clause="Annex E", line=entry.line))


def position(node: Node) -> str:
    """The step of one element in a path: its local name, with its 1-based number where siblings share the name."""
    full = etree.QName(node)
    name = full.localname
    if node.getparent() is None:
        return name
    names = {"local": name, "uri": full.namespace or ""}
    before = int(_BEFORE(node, **names))
    return f"{name}[{before + 1}]" if before or _AFTER(node, **names) else name


def path_of(node: Node) -> str:
    """Path of an element: steps joined by ``/`` from the root."""
    steps = [position(node), *(position(ancestor) for ancestor in node.iterancestors())]
    return "/".join(reversed(steps))


class _Walk:
    """One walk over a document, collecting findings."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def add(self, finding: Finding) -> None:
        if finding not in self.findings[-3:]:
            self.findings.append(finding)
            if len(self.findings) > MOST:
                raise _Enough

    def say(self, node: Node, text: str, clause: str = "") -> None:
        name = prefixed(str(node.tag))
        line = node.sourceline or 0
        self.add(Finding("schema", Severity.ERROR, text, path_of(node), name, clause or "Annex E", line))

    def document(self, root: Node) -> None:
        name = prefixed(str(root.tag))
        if name == "oadr:oadrPayload":
            self.attributes(root, set())
            self.sequence(root, _ENVELOPE, "7")
            for child in root:
                if prefixed(str(child.tag)) == "oadr:oadrSignedObject":
                    self.signed_object(child)
        elif name == "oadr:oadrSignedObject":
            self.signed_object(root)
        elif name in _PAYLOAD_CLASSES:
            self.payload(root, _PAYLOAD_CLASSES[name])
        elif name in ROOTS_A:
            self.attributes(root, set())
            self.content(root, particles_of_a(name), CLAUSE_A)

    def signed_object(self, node: Node) -> None:
        self.attributes(node, {_IDENTITY})
        self.no_text(node)
        if len(node) != 1:
            self.say(node, f"oadr:oadrSignedObject holds exactly one message; here it holds {len(node)}.", "7")
        for child in node:
            name = prefixed(str(child.tag))
            if name in _PAYLOAD_CLASSES:
                self.payload(child, _PAYLOAD_CLASSES[name])
            else:
                self.say(child, f"{name} is no message of OpenADR 2.0b{_hint(name, _PAYLOAD_CLASSES)}.")

    def payload(self, node: Node, cls: type[Any]) -> None:
        self.attributes(node, {_VERSION})
        self.content(node, content_of(prefixed(str(node.tag)), cls), FORMS[cls].clause)

    def attributes(self, node: Node, allowed: set[str]) -> None:
        for key, value in node.attrib.items():
            name = str(key)
            if name in _FREE:
                continue
            if name == _VERSION and name in allowed:
                if not fits(str(value), SCHEMA_VERSION):
                    self.say(node, f"ei:schemaVersion is {str(value)!r}; 2.0b is expected.", "9.2.6 rule 509")
            elif name not in allowed:
                self.say(node, f"{_attribute(name)} is not allowed here{_attribute_hint(name, allowed)}.")

    def no_text(self, node: Node) -> None:
        texts = [node.text, *(child.tail for child in node)]
        stray = " ".join(text.strip() for text in texts if text and text.strip(XML_BLANKS))
        if stray:
            self.say(node, f"The text {_short(stray)} stands where only elements may.")

    def content(self, node: Node, particles: Sequence[Particle], clause: str) -> None:
        """Judge the children of an element, then each of them."""
        self.no_text(node)
        self.sequence(node, particles, clause)
        places = {name: particle for particle in particles for name in particle.names}
        for child in node:
            particle = places.get(prefixed(str(child.tag)))
            if particle is not None:
                self.child(child, particle)

    def child(self, node: Node, particle: Particle) -> None:
        kind = particle.kind
        name = prefixed(str(node.tag))
        if kind is RAW:
            return
        if particle.name.startswith("@"):
            kind = GROUPS[particle.name[1:]][name]
        self.attributes(node, {_VERSION} if isinstance(kind, type) and issubclass(kind, Payload) else set())
        if isinstance(kind, Lexical):
            self.text(node, kind, particle.clause)
        elif kind is not None:
            form = FORMS.get(kind)
            self.content(node, content_of(name, kind), form.clause if form else particle.clause)
        else:
            self.content(node, particle.inner, particle.clause)

    def text(self, node: Node, lexical: Lexical, clause: str) -> None:
        name = prefixed(str(node.tag))
        if len(node):
            self.say(node, f"{name} holds the element {prefixed(str(node[0].tag))}; it should hold {lexical.words}.")
            return
        text = node.text or ""
        if not fits(text, lexical):
            what = f"is {_short(text)}" if text else "is empty"
            self.say(node, f"{name} {what}; it should be {lexical.words}.", clause)

    def sequence(self, node: Node, particles: Sequence[Particle], clause: str) -> None:
        """Unknown, misplaced, repeated and missing children of one element."""
        order = {name: index for index, particle in enumerate(particles) for name in particle.names}
        parent = prefixed(str(node.tag))
        known: list[tuple[Node, int]] = []
        strangers: Counter[str] = Counter()
        for child in node:
            name = prefixed(str(child.tag))
            if name in order:
                known.append((child, order[name]))
                continue
            strangers[name] += 1
            if strangers[name] <= _ALIKE_LISTED:
                self.say(child, f"{name} may not stand in {parent}{_hint(name, order)}.", clause)
        for name, count in strangers.items():
            if count > _ALIKE_LISTED:
                self.say(
                    node, f"{name} stands {count} times in {parent}, where it may not; the first are listed.", clause
                )
        self.misplaced(known, particles)
        counts = Counter(index for _, index in known)
        for index, particle in enumerate(particles):
            label = _label(particle)
            if counts[index] > 1 and not particle.repeated:
                extra = [child for child, at in known if at == index][1]
                text = f"{label} stands {counts[index]} times in {parent}; only one is allowed."
                self.say(extra, text, particle.clause)
            elif counts[index] == 0 and particle.required:
                self.say(node, f"{parent} lacks {label}{_place(index, particles, counts)}.", particle.clause)

    def misplaced(self, known: Sequence[tuple[Node, int]], particles: Sequence[Particle]) -> None:
        """The fewest children that have to move for the rest to be in order."""
        kept = _longest_in_order([index for _, index in known])
        in_order = sorted(kept)
        for at, (child, index) in enumerate(known):
            if at in kept:
                continue
            name = prefixed(str(child.tag))
            wrong = next(k for k in in_order if (k < at and known[k][1] > index) or (k > at and known[k][1] < index))
            other = prefixed(str(known[wrong][0].tag))
            if wrong < at:
                text = f"{name} came after {other}; the schema wants {name} first."
            else:
                text = f"{name} came before {other}; the schema wants {other} first."
            self.say(child, text, particles[index].clause)


def _longest_in_order(indices: Sequence[int]) -> set[int]:
    """Positions of a longest subsequence that never falls."""
    tails: list[int] = []
    last: list[int] = []
    before: list[int] = [-1] * len(indices)
    for at, index in enumerate(indices):
        place = bisect_right(tails, index)
        before[at] = last[place - 1] if place else -1
        tails[place : place + 1] = [index]
        last[place : place + 1] = [at]
    kept: set[int] = set()
    at = last[-1] if last else -1
    while at >= 0:
        kept.add(at)
        at = before[at]
    return kept


def _label(particle: Particle) -> str:
    """Name of a place; for a group its members where they are few."""
    if not particle.name.startswith("@"):
        return particle.name
    return " or ".join(particle.names) if len(particle.names) <= 3 else "a unit (emix:itemBase)"


def _place(index: int, particles: Sequence[Particle], counts: Counter[int]) -> str:
    """Where something missing belongs, told by what is there; empty where nothing is."""
    for before in range(index - 1, -1, -1):
        if counts[before]:
            return f"; it belongs after {_label(particles[before])}"
    for after in range(index + 1, len(particles)):
        if counts[after]:
            return f"; it belongs before {_label(particles[after])}"
    return ""


def _hint(name: str, allowed: Sequence[str] | dict[str, Any]) -> str:
    """What was probably meant: same local name in another namespace, or a similar spelling."""
    local = re.split(r"[:}]", name)[-1]
    by_local = {other.partition(":")[2].lower(): other for other in allowed}
    near = difflib.get_close_matches(local.lower(), by_local, 1, 0.8)
    if near:
        return f"; {by_local[near[0]]} may be meant"
    few = list(allowed)
    return f"; allowed are {', '.join(few)}" if 0 < len(few) <= 6 else ""


def _attribute(name: str) -> str:
    return f"The attribute {prefixed(name)}"


def _attribute_hint(name: str, allowed: set[str]) -> str:
    local = name.rpartition("}")[2]
    meant = [prefixed(other) for other in allowed if other.rpartition("}")[2].lower() == local.lower()]
    return f"; it has to be written {meant[0]}" if meant else ""


def _short(text: str) -> str:
    text = " ".join(text.split()) if len(text) > _SHOWN else text
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


def _is_walked(entry: Any) -> bool:
    """Whether an entry of libxml's list is of the kind the walk judges: children, outside signatures."""
    return entry.type_name == "SCHEMAV_ELEMENT_CONTENT" and "xmldsig" not in entry.message


def _in_words(message: str) -> str:
    """libxml's sentence with usual prefixes instead of namespaces."""
    return _NAMES.sub(lambda match: prefixed(match[0]), message)
