"""Typed messages from trees that are not as the schema wants them, as far as their meaning is clear.

Order does not matter here, names may stand in the wrong namespace, texts may be missing. Every liberty taken is a
finding. What has no clear meaning is left out; a message whose required parts cannot be read is no message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, fields
from typing import Any

from console.openadr.content import Particle, content_of
from console.openadr.elements import FORMS, GROUPS, RAW, Lexical, Node, prefixed, qualified
from console.openadr.findings import Finding, Severity
from console.openadr.lexical import TOKENS, read_value
from console.openadr.model import EiTarget, ItemBase, Payload
from console.openadr.reader import raw_bytes
from console.openadr.schema import MOST, path_of

_TIMES = ("dateTime",)
_ABSENT: Any = object()
_MAY_BE_LOST = {
    ("OadrReport", "report_descriptions"),
    ("OadrRegisterReport", "reports"),
    ("OadrUpdateReport", "reports"),
}
"""Lists that stay true with a part missing. Events are none: one that is missing is cancelled (rule 61)."""
_VERSIONS = (qualified("ei:schemaVersion"), qualified("oadr:schemaVersion"), "schemaVersion")


def read_patiently(node: Node, cls: type[Payload]) -> tuple[Payload | None, list[Finding]]:
    """The message in a payload element, or None where something required has no meaning; and what was done."""
    patience = _Patience()
    message = patience.object(node, cls)
    return (message if isinstance(message, Payload) else None), patience.findings


class _Patience:
    """One reading, collecting findings."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def say(
        self, node: Node, text: str, *, rule: str = "reading", clause: str = "", severity: Severity = Severity.ERROR
    ) -> None:
        if len(self.findings) < MOST:
            name = prefixed(str(node.tag))
            self.findings.append(Finding(rule, severity, text, path_of(node), name, clause, node.sourceline or 0))

    def object(self, node: Node, cls: type[Any]) -> Any:
        """The object in an element, or ``_ABSENT``."""
        name = prefixed(str(node.tag))
        values: dict[str, Any] = {}
        for particle in content_of(name, cls):
            self.particle(node, particle, values, (cls.__name__, particle.leaf.field) in _MAY_BE_LOST)
        if issubclass(cls, Payload):
            values["schema_version"] = TOKENS[next((node.get(key) or "" for key in _VERSIONS if node.get(key)), "")]
        if cls is ItemBase:
            values["element"] = name
            values.setdefault("si_scale_code", None)
        missing = [
            field.name
            for field in fields(cls)
            if values.get(field.name, _ABSENT if _is_required(field) else None) is _ABSENT
        ]
        if missing:
            self.say(node, f"{name} could not be read: {', '.join(missing)} missing or without meaning.")
            return _ABSENT
        return cls(**values)

    def particle(self, node: Node, particle: Particle, values: dict[str, Any], lossy: bool = False) -> None:
        """Find what belongs to a particle among the children, in any order, and set its fields.

        ``lossy``: of a list, what cannot be read may be left out without changing what the rest means.
        """
        found = _matching(node, particle)
        leaf = particle.leaf
        if particle.inner and not particle.chain:
            for inner in particle.inner:
                if found:
                    self.particle(found[0], inner, values, lossy)
                else:
                    self.absent(inner, values)
        elif leaf.field and particle.repeated:
            read = [self.value(child, particle) for child in found]
            if lossy or all(value is not _ABSENT for value in read):
                values[leaf.field] = tuple(value for value in read if value is not _ABSENT)
            else:
                values[leaf.field] = _ABSENT
        elif leaf.field:
            value = self.value(found[0], particle) if found else _ABSENT
            if value is _ABSENT and found and particle.required and not _has_fallback(leaf):
                return
            if value is _ABSENT:
                self.absent(particle, values)
            else:
                values[leaf.field] = value

    def absent(self, particle: Particle, values: dict[str, Any]) -> None:
        """What stands for something that is not there: nothing, or what empty would mean."""
        leaf = particle.leaf
        if particle.inner and not particle.chain:
            for inner in particle.inner:
                self.absent(inner, values)
        elif not leaf.field:
            return
        elif particle.repeated:
            values[leaf.field] = ()
        elif particle.card == "?":
            values[leaf.field] = None
        elif leaf.kind is EiTarget:
            values[leaf.field] = EiTarget()
        elif _has_fallback(leaf):
            values[leaf.field] = ""

    def value(self, node: Node, particle: Particle) -> Any:
        """The value of an element, or ``_ABSENT`` with a finding."""
        if particle.chain:
            inner = _matching(node, particle.inner[0])
            if inner:
                return self.value(inner[0], particle.inner[0])
            leaf = particle.leaf
            if isinstance(leaf.kind, Lexical) and leaf.kind is not RAW and (node.text or "").strip():
                return self.text(node, leaf.kind)
            return _ABSENT
        kind = particle.kind
        if kind is None:
            member = GROUPS[particle.name[1:]].get(prefixed(str(node.tag)))
            return self.object(node, member) if member else _ABSENT
        if kind is RAW:
            return raw_bytes(node)
        return self.text(node, kind) if isinstance(kind, Lexical) else self.object(node, kind)

    def text(self, node: Node, lexical: Lexical) -> Any:
        name = prefixed(str(node.tag))
        try:
            value, remark = read_value(node.text or "", lexical)
        except ValueError as error:
            self.say(node, f"{name} could not be read: {error}.")
            return _ABSENT
        if remark:
            rule, clause = ("1", "9.2.1") if lexical.base in _TIMES else ("reading", "")
            self.say(
                node,
                f"{name}: {remark}",
                rule=rule,
                clause=clause,
                severity=Severity.INFO if "fraction" in remark else Severity.ERROR,
            )
        return lexical.fixed if lexical.fixed is not None and not value else value


def _is_required(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _has_fallback(leaf: Particle) -> bool:
    """Whether an empty text may stand for it: identifiers and names."""
    kind = leaf.kind
    return (
        isinstance(kind, Lexical)
        and kind is not RAW
        and kind.base in ("string", "token", "anyURI")
        and (not kind.name.startswith("xcal:Duration"))
    )


def _matching(node: Node, particle: Particle) -> Sequence[Node]:
    """Children that a particle means: by name, else by local name whatever its namespace and case."""
    tags = {qualified(name) for name in particle.names}
    found = [child for child in node if child.tag in tags]
    if found or particle.name.startswith("@"):
        return found
    local = particle.name.partition(":")[2].lower()
    return [child for child in node if isinstance(child.tag, str) and child.tag.rpartition("}")[2].lower() == local]


def class_of(name: str) -> type[Payload] | None:
    """Payload class of an element's qualified name; None where it is no payload."""
    return next((cls for cls, form in FORMS.items() if form.name == name and issubclass(cls, Payload)), None)


def read_item(node: Node) -> ItemBase | None:
    """The unit in a unit element; None where it cannot be read."""
    item = _Patience().object(node, ItemBase)
    return item if isinstance(item, ItemBase) else None
