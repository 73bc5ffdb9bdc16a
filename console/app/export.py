"""Messages and telemetry for other programs: JSON Lines, HAR, a folder of XML, CSV, or a redacted recording.

What is exported is chosen by message numbers; telemetry is that of the time they span. An export takes its name only
when it is whole. With a :class:`~console.app.redaction.Redactor` no id, address or certificate leaves unreplaced.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from console.app.export_har import har_document
from console.app.long_work import Progress, part_of, unwatched
from console.app.recording import Span, trim_recording
from console.app.redaction import Redactor
from console.openadr.facts import ReportPoint
from console.openadr.findings import Finding
from console.store.database import StoreError
from console.store.messages import MessageView
from console.store.reading import Head, Reader

_STEP = 200
"""Messages between two reports of progress."""
_UNSAFE = re.compile(r"[^\w-]+", re.ASCII)


class Format(StrEnum):
    """What can be written, and the usual end of its name."""

    JSONL = "jsonl"
    HAR = "har"
    XML = "xml"
    CSV = "csv"
    RECORDING = "recording"

    @property
    def suffix(self) -> str:
        """Empty for a folder."""
        return {"jsonl": ".jsonl", "har": ".har", "csv": ".csv", "recording": ".oadrrec"}.get(self.value, "")

    @property
    def words(self) -> str:
        return {
            "jsonl": "JSON Lines: every message with its body, one a line",
            "har": "HAR 1.2: HTTP exchanges for browsers' and proxies' tools",
            "xml": "Folder of XML: each body in a file of its own",
            "csv": "CSV: report values (telemetry)",
            "recording": "Recording of Nodebench",
        }[self.value]


@dataclass(frozen=True, slots=True)
class Exported:
    """One message as it leaves."""

    view: MessageView
    head: Head
    findings: tuple[Finding, ...]
    body: bytes
    summary: str
    peer: str
    session: str


def export(
    reader: Reader,
    numbers: Sequence[int],
    form: Format,
    out: Path,
    *,
    redact: bool = False,
    replacing: bool = False,
    progress: Progress = unwatched,
) -> str:
    """Write messages ``numbers`` of ``reader`` to ``out``; a sentence on what was written.

    Raises
    ------
    StoreError
        Nothing is chosen, or ``out`` is there already and is not to be replaced.
    OSError
        ``out`` cannot be written.
    Cancelled
        ``progress`` said so; nothing is left behind.
    """
    if not len(numbers):
        raise StoreError("There is no message to export. Select some, or clear the filter.")
    if out.exists() and (not replacing or out.is_dir()):
        raise StoreError(f"{out} exists already. Choose another name.")
    redactor = Redactor() if redact else None
    total = len(numbers) * (2 if redact else 1)
    if redactor is not None:
        redactor.learn(reader, range(1, len(reader.log) + 1), _learning(progress, len(reader.log), len(numbers), total))
        _learn_points(redactor, reader)
    written = len(numbers) if redact else 0

    def step(done: int) -> None:
        if done % _STEP == 0:
            progress(written + done, total)

    writing = _Writing(reader, numbers, redactor, step)
    part = part_of(out)
    _remove(part)
    try:
        said = writing.write(form, part)
        part.replace(out)
    finally:
        _remove(part)
    progress(total, total)
    hidden = " Ids, addresses and certificates are replaced." if redact else ""
    return f"{said} to {out}.{hidden}"


def _learning(progress: Progress, every: int, share: int, total: int) -> Callable[[int], None]:
    def step(done: int) -> None:
        if done % _STEP == 0:
            progress(done * share // max(every, 1), total)

    return step


def _learn_points(redactor: Redactor, reader: Reader) -> None:
    """Report points may be all that is left of old messages."""
    for noted in reader.points():
        fact = noted.fact
        if isinstance(fact, ReportPoint):
            for secret, kind in (
                (fact.ven_id, "ven"),
                (fact.r_id, "point"),
                (fact.report_request_id, "report-request"),
            ):
                redactor.pseudonym(secret, kind)


class _Writing:
    """One export on its way."""

    def __init__(
        self, reader: Reader, numbers: Sequence[int], redactor: Redactor | None, step: Callable[[int], None]
    ) -> None:
        self._reader, self._numbers, self._redactor, self._step = reader, numbers, redactor, step

    def write(self, form: Format, part: Path) -> str:
        count = f"{len(self._numbers)} message{'s' if len(self._numbers) != 1 else ''}"
        match form:
            case Format.JSONL:
                _write_lines(part, self._json_lines())
                return f"Wrote {count}"
            case Format.HAR:
                entries, others = har_document(self._messages(), part)
                beside = f", leaving out {others} that are not HTTP" if others else ""
                return f"Wrote {entries} HTTP exchanges{beside}"
            case Format.XML:
                self._write_folder(part)
                return f"Wrote {count} as files"
            case Format.CSV:
                return f"Wrote {self._write_csv(part)} report values"
            case Format.RECORDING:
                span = Span(numbers=tuple(self._numbers))
                trim_recording(
                    self._reader, span, part, redactor=self._redactor, progress=lambda done, _: self._step(done)
                )
                return f"Wrote a recording of {count}"

    def _messages(self) -> Iterator[Exported]:
        for done, number in enumerate(self._numbers):
            self._step(done)
            yield self.message(number)

    def message(self, number: int) -> Exported:
        reader, redactor = self._reader, self._redactor
        view, head, findings = reader.log.view(number - 1), reader.head(number), reader.findings(number)
        try:
            body = reader.body(number)
        except StoreError:
            body = b""
        if redactor is None:
            return Exported(view, head, findings, body, view.summary, view.peer, view.session)
        return Exported(
            view,
            redactor.head(head),
            tuple(redactor.finding(finding) for finding in findings),
            redactor.body(body),
            redactor.text(view.summary),
            redactor.text(view.peer),
            redactor.text(view.session),
        )

    def _json_lines(self) -> Iterator[dict[str, Any]]:
        yield {"format": "nodebench messages", "version": 1, "messages": len(self._numbers),
               "redacted": self._redactor is not None}  # fmt: skip
        for message in self._messages():
            yield members_of(message) | body_members(message.body)

    def _write_folder(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        index: list[dict[str, Any]] = []
        for message in self._messages():
            name = file_name(message)
            (folder / name).write_bytes(message.body)
            index.append({"file": name} | members_of(message))
        _write_lines(folder / "index.jsonl", index)

    def _write_csv(self, part: Path) -> int:
        log = self._reader.log
        times = [log.view(number - 1).time for number in (self._numbers[0], self._numbers[-1])]
        every = len(self._numbers) == len(log)
        count = 0
        with part.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["start", "duration_s", "received", "session", "ven_id", "report_name", "report_request_id",
                           "r_id", "value", "unit", "quality"])  # fmt: skip
            for noted in self._reader.points():
                fact = noted.fact if self._redactor is None else self._redactor.fact(noted.fact)
                if not isinstance(fact, ReportPoint) or not (every or times[0] <= noted.time <= times[1]):
                    continue
                self._step(count)
                count += 1
                session = noted.session if self._redactor is None else self._redactor.text(noted.session)
                texts = (session, fact.ven_id, fact.report_name, fact.report_request_id, fact.r_id)
                span = "" if fact.duration is None else f"{fact.duration.total_seconds():g}"
                rows.writerow([instant(fact.start), span, instant(noted.time), *map(cell, texts), fact.value,
                               cell(fact.unit or ""), cell(fact.quality)])  # fmt: skip
        return count


def members_of(message: Exported) -> dict[str, Any]:
    """All that is known of a message but its body, as JSON members."""
    view = message.view
    return {
        "number": view.number,
        "time": instant(view.time),
        "session": message.session,
        "direction": "sent" if view.outgoing else "received",
        "composed": view.composed,
        "peer": message.peer,
        "address": message.head.address,
        "transport": view.transport,
        "element": view.element,
        "summary": message.summary,
        "start_line": message.head.start_line,
        "headers": [list(header) for header in message.head.headers],
        "status": view.status or None,
        "size": view.size,
        "reply_to": view.reply_to or None,
        "answered_by": view.answered_by or None,
        "latency_ms": None if view.latency is None else round(view.latency.total_seconds() * 1000, 3),
        "findings": [
            {"rule": each.rule, "severity": each.severity.word, "text": each.text, "path": each.path,
             "clause": each.clause, "line": each.line}
            for each in message.findings
        ],
    }  # fmt: skip


def body_members(body: bytes) -> dict[str, str]:
    """``body`` where it is text that comes back to the byte, else ``body_base64``."""
    try:
        return {"body": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"body_base64": b64encode(body).decode("ascii")}


def file_name(message: Exported) -> str:
    """``000412-sent-oadrDistributeEvent.xml``; nothing a peer sent can make it another place."""
    view = message.view
    element = _UNSAFE.sub("", view.element)[:60] or "unread"
    end = "xml" if message.body.lstrip()[:1] == b"<" else "bin"
    return f"{view.number:06d}-{'sent' if view.outgoing else 'received'}-{element}.{end}"


def instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _write_lines(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for members in lines:
            file.write(json.dumps(members, ensure_ascii=False) + "\n")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
