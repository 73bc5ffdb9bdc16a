"""Running without a window: facts as lines, Ctrl+C, exit codes.

Exit codes: 0 done, 2 bad usage or a bad file, 3 could not start, 4 the VEN never registered.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, tzinfo

from console.app.fact_lines import json_line, plain_line
from console.openadr.facts import Fact, FindingMade, RegistrationFailed
from console.session.clock import Clock
from console.session.tasks import Tasks
from console.store.store import StoreError
from console.transport.exchange import TransportError

DONE, COULD_NOT_START, NEVER_REGISTERED = 0, 3, 4


class Printer:
    """Writes facts to standard output, one flushed line each."""

    def __init__(self, as_json: bool, tz: tzinfo | None = None) -> None:
        self.as_json, self.tz = as_json, tz
        self._trouble: RegistrationFailed | FindingMade | None = None

    def __call__(self, fact: Fact, at: datetime) -> None:
        if isinstance(fact, RegistrationFailed | FindingMade) and not self.as_json:
            # A registration that fails is a finding too, before or after; a person is told once.
            last, self._trouble = self._trouble, fact
            if last is not None and type(last) is not type(fact) and last.text == fact.text:
                self._trouble = None
                return
        line = json_line(fact) if self.as_json else plain_line(fact, at, self.tz)
        if line is not None:
            print(line, flush=True)


def complain(text: object) -> None:
    """One sentence on standard error."""
    print(text, file=sys.stderr, flush=True)


def until_interrupted() -> asyncio.Event:
    """Set by Ctrl+C and by SIGTERM, on platforms whose loop can tell."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows: KeyboardInterrupt ends the run instead
            return stop
    return stop


async def wait(clock: Clock, stop: asyncio.Event, seconds: timedelta | None) -> None:
    """Until ``stop`` is set or so many real seconds have passed."""
    tasks = Tasks()
    waiting = [tasks.spawn(stop.wait(), name="interrupt")]
    if seconds is not None:
        waiting.append(tasks.spawn(clock.rest(seconds.total_seconds()), name="time limit"))
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await tasks.close()


def run(main: Callable[[], Awaitable[int]]) -> int:
    """Run to the end; what cannot start is one sentence and exit code 3."""
    try:
        return asyncio.run(main())  # type: ignore[arg-type]
    except (StoreError, TransportError) as error:
        complain(error)
        return COULD_NOT_START
    except KeyboardInterrupt:
        return DONE
