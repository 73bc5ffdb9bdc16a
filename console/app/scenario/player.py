"""Plays a scenario: does what the script says, and watches whether what it expects comes true.

An expectation is waiting until its time, then passed, failed, or (with ``for``) held until the time is over. Each is
judged by what the desk shows, never by what the script did.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from console.app.scenario.script import Act, Expectation, Script
from console.app.scenario.stage import VTN_NAME, Stage
from console.app.toml_file import FileError
from console.app.views import EventDraft, Outcome


class State(StrEnum):
    WAITING = "waiting"
    HOLDING = "holding"
    PASSED = "passed"
    FAILED = "failed"


@dataclass(slots=True)
class Watch:
    """One expectation and how it stands."""

    expectation: Expectation
    state: State = State.WAITING
    seen: str = ""
    """What was seen last, or when it failed."""
    since: timedelta | None = None
    """When it came true."""
    message: int = 0
    """Number of the last message when it was judged: where to look for the proof."""

    @property
    def over(self) -> bool:
        return self.state in (State.PASSED, State.FAILED)


@dataclass(frozen=True, slots=True)
class Played:
    """How a scenario went."""

    script: Script
    watches: tuple[Watch, ...]
    troubles: tuple[str, ...]
    """Acts that could not be carried out."""
    messages: int
    findings: int

    @property
    def passed(self) -> bool:
        return not self.troubles and all(watch.state is State.PASSED for watch in self.watches)


Tell = Callable[[timedelta, str], None]
"""Called with the time in the scenario and one line for people."""


def ignore(_at: timedelta, _line: str) -> None:
    """For who only wants the result."""


class Player:
    """Plays one script on one stage.

    Raises
    ------
    FileError
        The script names a device that the house does not have.
    """

    def __init__(self, script: Script, stage: Stage, tell: Tell = ignore) -> None:
        self.script, self.stage, self.tell = script, stage, tell
        self.watches = [Watch(expectation) for expectation in script.expectations]
        self.troubles: list[str] = []
        self._drafts: dict[str, EventDraft] = {}
        self._check_devices()

    def _check_devices(self) -> None:
        names = [device.name for device in self.stage.house.view().devices]
        for line, name in [(act.line, act.device) for act in self.script.acts] + [
            (expectation.line, expectation.claim.device) for expectation in self.script.expectations
        ]:
            if name and name not in names:
                raise FileError(
                    self.script.file, f"the house has no device '{name}'.", f"It has {', '.join(names)}.", line
                )

    async def play(self) -> Played:
        """From the start to the end of the scenario."""
        acts = list(self.script.acts)
        for moment in self._moments():
            await self.stage.step_to(self.stage.origin + moment)
            self._judge(moment)
            while acts and acts[0].at <= moment:
                self._do(acts.pop(0), moment)
        for watch in self.watches:
            if not watch.over:
                self._close(watch, watch.state is State.HOLDING, self.script.duration)
        desk = self.stage.desk
        return Played(self.script, tuple(self.watches), tuple(self.troubles), len(desk.messages), len(desk.findings()))

    def _moments(self) -> list[timedelta]:
        """Every tick of the stage, every act and every end of an expectation's time, in order."""
        ticks = {self.stage.tick * number for number in range(1, int(self.script.duration / self.stage.tick) + 1)}
        acts = {act.at for act in self.script.acts}
        ends = {moment for watch in self.watches for moment in _borders(watch.expectation)}
        return sorted({moment for moment in ticks | acts | ends if moment <= self.script.duration})

    # Expectations -----------------------------------------------------------------------------------------------------

    def _judge(self, now: timedelta) -> None:
        for watch in self.watches:
            if not watch.over and now >= watch.expectation.at:
                self._judge_one(watch, now)

    def _judge_one(self, watch: Watch, now: timedelta) -> None:
        expectation = watch.expectation
        verdict = expectation.claim.check(self.stage.desk)
        watch.seen, watch.message = verdict.seen, len(self.stage.desk.messages)
        if watch.state is State.HOLDING:
            assert watch.since is not None
            if not verdict.holds:
                self._close(watch, False, now)
            elif now - watch.since >= expectation.lasting:
                self._close(watch, True, now)
        elif verdict.holds:
            watch.since = now
            if expectation.lasting:
                watch.state = State.HOLDING
            else:
                self._close(watch, True, now)
        elif now >= expectation.at + expectation.within:
            self._close(watch, False, now)

    def _close(self, watch: Watch, passed: bool, now: timedelta) -> None:
        watch.state = State.PASSED if passed else State.FAILED
        self.tell(now, f"{watch.state}: {watch.expectation.claim.text} (seen: {watch.seen})")

    # Acts -------------------------------------------------------------------------------------------------------------

    def _do(self, act: Act, now: timedelta) -> None:
        outcome = self._ACTS[act.do](self, act)
        self.tell(now, act.words if outcome.ok else f"{act.words}: {outcome.text}")
        if not outcome.ok:
            self.troubles.append(f"line {act.line}, {act.words}: {outcome.text}")

    def _issue(self, act: Act) -> Outcome:
        start = (self.stage.clock.now() + act.starts_in).replace(microsecond=0)
        part = act.lasts / len(act.values)
        draft = self._drafts[act.event] = EventDraft(
            signal_name=act.signal,
            signal_type=act.signal_type,
            unit=act.unit,
            start=start,
            intervals=tuple((part, value) for value in act.values),
            event_id=act.event,
            priority=act.priority,
            notification=act.notification,
            test_event=act.test,
        )
        return self.stage.desk.issue_event(VTN_NAME, draft)

    def _modify(self, act: Act) -> Outcome:
        draft = self._drafts.get(act.event)
        if draft is None:
            return Outcome(False, f"{act.event} was not issued before.")
        lasts = sum((length for length, _ in draft.intervals), timedelta(0))
        part = lasts / len(act.values)
        changed = EventDraft(
            signal_name=draft.signal_name,
            signal_type=draft.signal_type,
            unit=draft.unit,
            start=draft.start,
            intervals=tuple((part, value) for value in act.values),
            priority=draft.priority,
            notification=draft.notification,
            test_event=draft.test_event,
        )
        return self.stage.desk.modify_event(VTN_NAME, act.event, changed)

    def _cancel(self, act: Act) -> Outcome:
        return self.stage.desk.cancel_event(VTN_NAME, act.event)

    def _plug(self, act: Act) -> Outcome:
        return self.stage.house.plug(act.device, act.soc, act.target)

    def _unplug(self, act: Act) -> Outcome:
        return self.stage.house.unplug(act.device)

    def _load(self, act: Act) -> Outcome:
        ready: datetime | None = None if act.ready_in is None else self.stage.clock.now() + act.ready_in
        return self.stage.house.load(act.device, ready)

    def _wire(self, act: Act) -> Outcome:
        done = self.stage.cut(act.do == "lose vtn")
        return Outcome(done, "" if done else "A real wire cannot be cut from here; play without --speed.")

    _ACTS = {
        "issue": _issue,
        "modify": _modify,
        "cancel": _cancel,
        "plug": _plug,
        "unplug": _unplug,
        "load": _load,
        "lose vtn": _wire,
        "return vtn": _wire,
    }


def _borders(expectation: Expectation) -> tuple[timedelta, ...]:
    return (
        expectation.at,
        expectation.at + expectation.within,
        expectation.at + expectation.within + expectation.lasting,
    )
