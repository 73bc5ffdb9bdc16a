"""What one run of the console has: a store, a desk over it, and the lab once it is started.

The desk is there from the first moment, empty; what starts later attaches to it. What cannot start is one sentence in
``trouble`` and a finding on the desk.
"""

from __future__ import annotations

from pathlib import Path

from console.app.desk import LiveDesk
from console.app.lab import Lab
from console.app.lab_settings import LabSettings
from console.app.recording_keeping import keep_within
from console.app.toml_file import FileError
from console.app.views import Outcome
from console.openadr.facts import FindingMade
from console.openadr.findings import Severity
from console.session.clock import SystemClock
from console.session.tasks import Tasks
from console.store.retention import Retention
from console.store.store import Store
from console.transport.exchange import TransportError


class Workspace:
    """Owner of the store and of all that runs.

    Raises
    ------
    StoreError
        The recording cannot be opened; one sentence says why and what to do.
    """

    def __init__(self, store: Path | None = None, keep: Retention | None = None) -> None:
        clock = SystemClock()
        self.store = Store.open(store)
        local = clock.now().astimezone().tzinfo
        assert local is not None
        self.desk = LiveDesk(self.store, clock, local)
        self.desk.starter = self.start_lab
        self.lab: Lab | None = None
        self.trouble = ""
        self._tasks = Tasks()
        limits = keep or Retention()
        self.desk.keeps = limits.words
        self._tasks.spawn(keep_within(self.store, limits, SystemClock()), name="retention")

    def make_lab(self, settings: LabSettings) -> Lab:
        """The lab on this desk, not started yet."""
        self.lab = Lab(settings, self.desk, SystemClock().now())
        return self.lab

    def start_lab(self, settings: LabSettings | None = None) -> Outcome:
        """Start the lab in the background; what it comes to shows on the desk."""
        if self.lab is not None:
            return Outcome(False, "The lab runs already.")
        try:
            lab = self.make_lab(settings or LabSettings())
        except FileError as error:
            self._tell(str(error))
            return Outcome(False, str(error))
        self._tasks.spawn(self._start(lab), name="start of the lab")
        return Outcome(True, "The lab is starting.")

    async def _start(self, lab: Lab) -> None:
        try:
            await lab.start()
        except (FileError, TransportError) as error:
            self._tell(str(error))

    def _tell(self, text: str) -> None:
        self.trouble = text
        self.desk.note("", FindingMade(0, "start", Severity.ERROR.word, "", text), self.desk.now())

    async def close(self) -> None:
        await self._tasks.close()
        if self.lab is not None:
            await self.lab.close()
        self.store.close()
