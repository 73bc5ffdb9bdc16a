"""``nodebench export``, ``merge`` and ``trim``: recordings handled without a window.

Exit codes: 0 done, 2 bad usage or a file that is no recording, 3 it could not be written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

DONE, BAD_USAGE, COULD_NOT_WRITE = 0, 2, 3
FORMATS = ("jsonl", "har", "xml", "csv", "recording")


def instant(text: str) -> datetime:
    """``2026-06-16T10:30:00Z``; without an offset it is UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no instant; write 2026-06-16T10:30:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the three commands to a command line."""
    export = commands.add_parser("export", help="messages or telemetry of a recording for other programs")
    export.add_argument("recording", type=Path, metavar="RECORDING")
    export.add_argument("out", type=Path, metavar="OUT", help="file to write; a folder for xml")
    export.add_argument("--format", choices=FORMATS, required=True, help="jsonl and xml with bodies; csv is telemetry")
    export.add_argument("--filter", default="", metavar="TEXT", help="only messages this filter shows")
    export.add_argument("--redact", action="store_true", help="replace ids, addresses and certificates")

    merge = commands.add_parser("merge", help="one recording of several, in order of time")
    merge.add_argument("out", type=Path, metavar="OUT")
    merge.add_argument("recordings", type=Path, nargs="+", metavar="RECORDING")
    merge.add_argument("--name", default="", metavar="NAME")

    trim = commands.add_parser("trim", help="a part of a recording as one of its own")
    trim.add_argument("recording", type=Path, metavar="RECORDING")
    trim.add_argument("out", type=Path, metavar="OUT")
    trim.add_argument("--first", type=int, metavar="N", help="number of the first message")
    trim.add_argument("--last", type=int, metavar="N", help="number of the last message")
    trim.add_argument("--since", type=instant, metavar="TIME")
    trim.add_argument("--until", type=instant, metavar="TIME")
    trim.add_argument("--name", default="", metavar="NAME")


def run_export(options: argparse.Namespace) -> int:
    from console.app.export import Format, export
    from console.store.filter import FilterError
    from console.store.recording import Recording

    def work() -> str:
        with Recording(options.recording) as recording:
            _complain(recording.trouble)
            _look_into_bodies(recording, options.filter)
            rows = recording.log.matches(options.filter, "", 0)
            numbers = (rows + 1).tolist()
            return export(recording, numbers, Format(options.format), options.out, redact=options.redact)

    try:
        return _told(work)
    except FilterError as error:
        _complain(f"The filter is not understood: {error}")
        return BAD_USAGE


def _look_into_bodies(recording: object, text: str) -> None:
    """Have looked at the bodies a filter asks about."""
    from console.store.body_search import BodySearch
    from console.store.recording import Recording

    assert isinstance(recording, Recording)
    rows = recording.log.in_doubt(text)
    if len(rows):
        search = BodySearch(recording, recording.log.body_tests(text), rows)
        search.run()
        search.take()


def run_merge(options: argparse.Namespace) -> int:
    from contextlib import ExitStack

    from console.app.recording import merge_recordings
    from console.store.recording import Recording

    def work() -> str:
        with ExitStack() as opened:
            sources = [opened.enter_context(Recording(path)) for path in options.recordings]
            for source in sources:
                _complain(source.trouble)
            count = merge_recordings(sources, options.out, name=options.name)
        return f"Wrote {count} messages of {len(sources)} recordings to {options.out}."

    return _told(work)


def run_trim(options: argparse.Namespace) -> int:
    from console.app.recording import Span, trim_recording
    from console.store.recording import Recording

    def work() -> str:
        with Recording(options.recording) as source:
            _complain(source.trouble)
            span = Span(options.first, options.last, options.since, options.until)
            count = trim_recording(source, span, options.out, name=options.name)
        return f"Wrote {count} messages to {options.out}."

    return _told(work)


def _told(work: Callable[[], str]) -> int:
    """Do it and say in one sentence what came of it."""
    from console.store.database import StoreError

    try:
        print(work())
    except StoreError as error:
        _complain(str(error))
        return BAD_USAGE
    except OSError as error:
        _complain(f"{error.filename} cannot be written: {error.strerror}.")
        return COULD_NOT_WRITE
    return DONE


def _complain(text: str) -> None:
    if text:
        print(text, file=sys.stderr)


COMMANDS = {"export": run_export, "merge": run_merge, "trim": run_trim}
