"""``nodebench play FILE…``: plays scenarios and says which expectations came true.

Exit codes: 0 all passed, 1 an expectation failed or an act could not be done, 2 a bad file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from lxml import etree

from console.app.durations import show_duration
from console.app.scenario.player import Played, Player, State, ignore
from console.app.scenario.script import Script, read_script
from console.app.scenario.stage import Stage

ALL_PASSED, FAILED = 0, 1


@dataclass(frozen=True, slots=True)
class PlayOptions:
    files: Sequence[Path]
    speed: float | None = None
    junit: Path | None = None
    as_json: bool = False


def read_scripts(files: Sequence[Path]) -> list[Script]:
    """All scripts, a folder meaning every scenario in it. Raises FileError before anything is played."""
    found = [path for file in files for path in (sorted(file.glob("*.toml")) if file.is_dir() else [file])]
    return [read_script(path) for path in found]


async def play_script(script: Script, speed: float | None = None, as_json: bool = True) -> Played:
    """Play one script; with lines for people unless ``as_json``."""

    def tell(at: timedelta, line: str) -> None:
        print(f"  {show_duration(at):>12}  {line}", flush=True)

    async with Stage(script, speed) as stage:
        return await Player(script, stage, ignore if as_json else tell).play()


async def play(options: PlayOptions) -> int:
    """Play all; the exit code."""
    results: list[Played] = []
    for script in read_scripts(options.files):
        if not options.as_json:
            print(f"{script.id}  {script.title}", flush=True)
        result = await play_script(script, options.speed, options.as_json)
        results.append(result)
        print(_json(result) if options.as_json else _line(result), flush=True)
    if options.junit:
        options.junit.write_bytes(junit(results))
    return ALL_PASSED if all(result.passed for result in results) else FAILED


def _line(result: Played) -> str:
    passed = sum(watch.state is State.PASSED for watch in result.watches)
    word = "passed" if result.passed else "FAILED"
    return f"  {word}: {passed} of {len(result.watches)} expectations, {result.messages} messages, " + (
        f"{result.findings} findings" if result.findings else "no findings"
    )


def _json(result: Played) -> str:
    return json.dumps(
        {
            "scenario": result.script.id,
            "passed": result.passed,
            "expectations": [
                {
                    "that": watch.expectation.claim.text,
                    "state": str(watch.state),
                    "seen": watch.seen,
                    "line": watch.expectation.line,
                    "message": watch.message,
                }
                for watch in result.watches
            ],
            "troubles": list(result.troubles),
            "messages": result.messages,
            "findings": result.findings,
        },
        ensure_ascii=False,
    )


def junit(results: Sequence[Played]) -> bytes:
    """The results as a JUnit XML report, one suite per scenario and one case per expectation."""
    root = etree.Element("testsuites")
    for result in results:
        failures = sum(watch.state is not State.PASSED for watch in result.watches)
        suite = etree.SubElement(
            root, "testsuite", name=result.script.id, tests=str(len(result.watches)), failures=str(failures),
            errors=str(len(result.troubles)),
        )  # fmt: skip
        for watch in result.watches:
            case = etree.SubElement(suite, "testcase", classname=result.script.id, name=watch.expectation.claim.text)
            if watch.state is not State.PASSED:
                failure = etree.SubElement(case, "failure", message=f"seen: {watch.seen}")
                failure.text = f"{result.script.file}, line {watch.expectation.line}"
        for trouble in result.troubles:
            case = etree.SubElement(suite, "testcase", classname=result.script.id, name="acts")
            etree.SubElement(case, "error", message=trouble)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
