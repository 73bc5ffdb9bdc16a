"""A message as a report to whoever made the peer: what was sent, what is wrong with it, by which rule, the evidence."""

from __future__ import annotations

from datetime import UTC

from console.app.views import Inspection

_SOURCE_LIMIT = 20_000


def defect_report(shown: Inspection) -> str:
    """Markdown that stands alone; nothing in it needs this program to be read."""
    view = shown.view
    way = f"sent to {view.peer}" if view.outgoing else f"received from {view.peer}"
    lines = [
        f"# {view.element} {way}: {_verdict(shown)}",
        "",
        shown.sentence,
        "",
        f"- Message {view.number} of session {view.session}, {view.time.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC",
        f"- {shown.start_line or 'no HTTP start line'}, {view.size} bytes over {view.transport}",
    ]
    if view.reply_to:
        took = f" after {view.latency.total_seconds() * 1000:.0f} ms" if view.latency is not None else ""
        lines.append(f"- Answers message {view.reply_to}{took}")
    lines += ["", "## Findings", ""]
    for k, finding in enumerate(sorted(shown.findings, key=lambda each: -each.severity), 1):
        lines.append(f"{k}. **{finding.severity.word}**: {finding.text}")
        where = [f"at `{finding.path}`"] if finding.path else []
        where += [f"line {finding.line}"] if finding.line else []
        where += [f"rule {finding.rule}"] if finding.rule else []
        where += [f"clause {finding.clause}"] if finding.clause else []
        if where:
            lines.append(f"   ({', '.join(where)})")
    if not shown.findings:
        lines.append("None was made by the checks.")
    head = "\n".join(f"{name}: {value}" for name, value in shown.headers)
    lines += ["", "## As it went over the wire", "", "```", f"{shown.start_line}\n{head}".strip(), "```", ""]
    source = shown.body.decode("utf-8", "replace")
    cut = len(source) > _SOURCE_LIMIT
    lines += [_fence(source), source[:_SOURCE_LIMIT], _fence(source)]
    if cut:
        lines.append(f"The first {_SOURCE_LIMIT} of {len(source)} characters.")
    return "\n".join(lines) + "\n"


def _verdict(shown: Inspection) -> str:
    errors = sum(finding.severity == 3 for finding in shown.findings)
    others = len(shown.findings) - errors
    if not shown.findings:
        return "no finding"
    parts = [f"{errors} error{'s' * (errors != 1)}"] if errors else []
    parts += [f"{others} remark{'s' * (others != 1)}"] if others else []
    return " and ".join(parts)


def _fence(source: str) -> str:
    return "````" if "```" in source else "```"
