"""``nodebench check``: what is wrong with messages in files, folders, recordings or standard input.

One line per message and its findings under it, or one JSON object per message. Exit code 0: no errors; 1: findings of
severity error; 2: a path that cannot be opened. Recordings are also held to the rules that only a sequence shows.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, TextIO

from lxml import etree

from console.openadr import codec, rules
from console.openadr.codec import Dissection, Envelope
from console.openadr.elements import Node
from console.openadr.findings import Finding, Severity
from console.openadr.rules.sequence import Heard, SequenceChecker, own_side_is_ven
from console.security.verification import verify
from console.store.store import Store, StoreError

NO_ERRORS, ERRORS, CANNOT_OPEN = 0, 1, 2
_RECORDING = b"SQLite format 3\0"
_DERIVED = {"xml", "schema", "reading", "size"} | {str(rule.number) for rule in rules.RULES}
"""Rules whose findings are derived here again; others in a recording came from the wire and are kept."""
_ENTRIES = (("2.0b", "oadr_20b.xsd"), ("2.0a", "oadr_20a.xsd"))
_ABOVE = {Envelope.BARE: "oadrPayload/oadrSignedObject/", Envelope.SIGNED_OBJECT: "oadrPayload/"}
"""What the rules' paths begin with and a document without its envelope lacks."""
_PLAIN = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


class CannotOpen(Exception):
    """A path that cannot be read; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is told of one message."""

    file: str
    """Path as given; for a message of a recording followed by ``#`` and its number."""
    element: str
    """Local name of the payload, else of the root; empty where there is none."""
    profile: str
    well_formed: bool
    schema_valid: bool
    """Of the root as sent, bare payloads included."""
    findings: tuple[Finding, ...]
    signature: str | None
    """``valid`` or ``not valid`` by form and arithmetic: who may sign, and when, a file does not say. None without."""
    official_valid: bool | None = None
    """By the schemas of ``--schema``; None without those or where there is no tree."""

    @property
    def severity(self) -> Severity | None:
        return max((finding.severity for finding in self.findings), default=None)

    def as_json(self) -> str:
        members = {
            "file": self.file,
            "element": self.element,
            "profile": self.profile,
            "well_formed": self.well_formed,
            "schema_valid": self.schema_valid,
            "findings": [
                {
                    "rule": finding.rule,
                    "severity": finding.severity.word,
                    "path": finding.path,
                    "line": finding.line,
                    "text": finding.text,
                }
                for finding in self.findings
            ],
            "signature": self.signature,
        }
        if self.official_valid is not None:
            members["official_valid"] = self.official_valid
        return json.dumps(members, ensure_ascii=False)

    def as_text(self) -> str:
        """One line, and one for each finding."""
        form = "not well-formed" if not self.well_formed else "schema-valid" if self.schema_valid else "schema-invalid"
        official = {None: "", True: ", officially valid", False: ", officially invalid"}[self.official_valid]
        what = " ".join(part for part in (self.element or "no element", self.profile) if part)
        signature = f", signature {self.signature}" if self.signature else ""
        lines = [f"{self.file}: {what}, {form}{official}{signature}: {_counts(self.findings)}"]
        for finding in self.findings:
            where = f"line {finding.line}" if finding.line else ""
            about = " ".join(part for part in (_rule_name(finding.rule), where, finding.path) if part)
            lines.append(f"  {finding.severity.word}: {finding.text} ({about})")
        return "\n".join(lines)


class OfficialSchema:
    """The standard's own schema files, where the user has them: in a folder, or in its folders 2.0b and 2.0a."""

    def __init__(self, folder: Path) -> None:
        """Raises CannotOpen where no usable schema is there."""
        self._schemas: dict[str, etree.XMLSchema] = {}
        for profile, entry in _ENTRIES:
            path = next((path for path in (folder / entry, folder / profile / entry) if path.is_file()), None)
            if path is not None:
                try:
                    self._schemas[profile] = etree.XMLSchema(file=str(path))
                except (etree.XMLSchemaParseError, etree.XMLSyntaxError, OSError) as error:
                    raise CannotOpen(f"{path} is no usable schema: {error}.") from None
        if not self._schemas:
            raise CannotOpen(f"{folder} holds neither oadr_20b.xsd nor oadr_20a.xsd.")

    def verdict(self, dissection: Dissection) -> bool | None:
        schema = self._schemas.get(dissection.profile or codec.B)
        return None if schema is None or dissection.tree is None else schema.validate(dissection.tree)


def check_paths(
    paths: Sequence[str],
    *,
    as_json: bool = False,
    strict: bool = False,
    schema: Path | None = None,
    out: TextIO | None = None,
    stdin: BinaryIO | None = None,
) -> int:
    """Judge everything under ``paths`` and print it; the exit code. With ``strict`` a warning counts as an error."""
    out = out or sys.stdout
    try:
        official = OfficialSchema(schema) if schema else None
    except CannotOpen as error:
        print(error, file=sys.stderr)
        return CANNOT_OPEN
    code = NO_ERRORS
    for path in paths:
        try:
            for verdict in _verdicts(path, official, stdin or sys.stdin.buffer):
                told = _strictly(verdict) if strict else verdict
                print(told.as_json() if as_json else told.as_text(), file=out)
                if told.severity is Severity.ERROR:
                    code = max(code, ERRORS)
        except CannotOpen as error:
            print(error, file=sys.stderr)
            code = CANNOT_OPEN
    return code


def judge(
    file: str,
    body: bytes,
    official: OfficialSchema | None = None,
    *,
    from_ven: bool | None = None,
    dissection: Dissection | None = None,
) -> Verdict:
    """The verdict on one body."""
    dissection = dissection or codec.dissect(body)
    findings = dissection.findings
    if dissection.message is not None:
        findings += tuple(rules.check(dissection.message, from_ven, dissection.profile))
    root = dissection.tree
    findings = _located(findings, dissection)
    signature = verify(body, None) if dissection.signed else None
    if signature is not None:
        findings += signature.findings
    return Verdict(
        file=file,
        element=dissection.element or ("" if root is None else etree.QName(root).localname),
        profile=dissection.profile,
        well_formed=root is not None or _is_well_formed(body),
        schema_valid=dissection.valid,
        findings=findings,
        signature=None if signature is None else "valid" if signature.valid else "not valid",
        official_valid=official.verdict(dissection) if official else None,
    )


def _verdicts(path: str, official: OfficialSchema | None, stdin: BinaryIO) -> Iterator[Verdict]:
    if path == "-":
        yield judge("-", stdin.read(), official)
        return
    place = Path(path)
    if not place.is_dir():
        yield from _file_verdicts(place, official)
        return
    for file in sorted(place.rglob("*")):
        if file.is_file() and (file.suffix == ".xml" or _starts_as_recording(file)):
            yield from _file_verdicts(file, official)


def _file_verdicts(file: Path, official: OfficialSchema | None) -> Iterator[Verdict]:
    try:
        if _starts_as_recording(file):
            yield from _recording_verdicts(file, official)
        else:
            yield judge(str(file), file.read_bytes(), official)
    except OSError as error:
        raise CannotOpen(f"{file} cannot be opened: {error.strerror or error}.") from None
    except StoreError as error:
        raise CannotOpen(str(error)) from None


def _starts_as_recording(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(_RECORDING)) == _RECORDING


def _recording_verdicts(file: Path, official: OfficialSchema | None) -> Iterator[Verdict]:
    """Each message of a recording, in its order."""
    with Store.open(file) as store:
        rows = [store.log.view(row) for row in range(len(store.log))]
        sides = {
            session: own_side_is_ven((row.element, row.outgoing) for row in rows if row.session == session)
            for session in {row.session for row in rows}
        }
        checkers = {session: SequenceChecker() for session in sides}
        for row in rows:
            body = store.body(row.number)
            if not body:
                continue
            own = sides[row.session]
            from_ven = None if own is None else own == row.outgoing
            dissection = codec.dissect(body)
            verdict = judge(f"{file}#{row.number}", body, official, from_ven=from_ven, dissection=dissection)
            heard: list[Finding] = []
            if dissection.message is not None and dissection.profile == codec.B and from_ven is not None:
                given = Heard(row.time, from_ven, row.peer, dissection.message, row.number, row.reply_to)
                heard = checkers[row.session].hear(given)
            wire = [finding for finding in store.findings(row.number) if finding.rule not in _DERIVED]
            said = {finding.rule for finding in heard} | {finding.text for finding in verdict.findings}
            more = (*heard, *(finding for finding in wire if not {finding.rule, finding.text} & said))
            yield replace(verdict, findings=verdict.findings + more)


def _strictly(verdict: Verdict) -> Verdict:
    """Warnings as errors."""
    raised = (
        replace(finding, severity=Severity.ERROR) if finding.severity is Severity.WARNING else finding
        for finding in verdict.findings
    )
    return replace(verdict, findings=tuple(raised))


def _located(findings: tuple[Finding, ...], dissection: Dissection) -> tuple[Finding, ...]:
    """Findings with the line of their element, where only its path is known (rules see the typed message)."""
    if dissection.tree is None or all(finding.line or not finding.path for finding in findings):
        return findings
    lines: dict[str, int] = {}
    _number(dissection.tree, etree.QName(dissection.tree).localname, lines)
    above = _ABOVE.get(dissection.envelope, "")
    paths = (finding.path.removeprefix(above) for finding in findings)
    return tuple(
        replace(finding, line=finding.line or lines.get(path, 0), path=path)
        for finding, path in zip(findings, paths, strict=True)
    )


def _number(root: Node, path: str, lines: dict[str, int]) -> None:
    """Line of each element by its path, as ``schema.path_of`` writes it."""
    waiting = [(root, path)]
    while waiting:
        node, here = waiting.pop()
        lines[here] = node.sourceline or 0
        counts = Counter(str(child.tag) for child in node)
        seen: Counter[str] = Counter()
        for child in node:
            tag = str(child.tag)
            seen[tag] += 1
            number = f"[{seen[tag]}]" if counts[tag] > 1 else ""
            waiting.append((child, f"{here}/{etree.QName(child).localname}{number}"))


def _is_well_formed(body: bytes) -> bool:
    """For bodies that were not read (DOCTYPE, encoding, size): whether they are XML all the same."""
    try:
        etree.fromstring(body, _PLAIN)
    except (etree.XMLSyntaxError, ValueError):
        return False
    return True


def _rule_name(rule: str) -> str:
    return f"rule {rule}" if rule.isdigit() else rule


def _counts(findings: Iterable[Finding]) -> str:
    severities = [finding.severity for finding in findings]
    words = ((Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "remark"))
    told = [(severities.count(severity), word) for severity, word in words]
    return ", ".join(f"{count} {word}{'s' if count > 1 else ''}" for count, word in told if count) or "ok"
