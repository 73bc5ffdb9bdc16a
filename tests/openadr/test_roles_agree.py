"""Whatever an operator does to events, and whatever the wire loses, both sides end up with the same events."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from console.openadr.commands import CancelEvent, IssueEvent, ModifyEvent, SetOpt, VtnSettings
from console.openadr.facts import EventChanged, EventGone, EventStatus, OptChanged, Registered
from console.openadr.model import OadrCreatedEvent, OadrPoll, OadrRequestEvent
from console.openadr.ven import Ven
from console.openadr.vtn import Vtn
from tests.openadr.dialogue import MINUTE, SECOND, WIRE, Lab, event, pair, ven, vtn

SETTLED = 2 * MINUTE
"""Long enough for any answer to be repeated and taken."""


class Events(RuleBasedStateMachine):
    """One VTN, one VEN, a wire that may lose answers, restarts of either side."""

    def __init__(self) -> None:
        super().__init__()
        self.lab: Lab = pair(VtnSettings(poll_period=10 * SECOND))
        self.issued = 0

    def _alive(self) -> list[str]:
        role = self.lab.desk.role
        assert isinstance(role, Vtn)
        return [name for name, one in role.book.events.items() if not one.cancelled]

    @rule(
        start=st.integers(-5, 60),
        length=st.integers(0, 60),
        delay=st.sampled_from([0, 0, 10]),
        required=st.sampled_from(["always", "always", "never"]),
        priority=st.integers(0, 3),
    )
    def issue(self, start: int, length: int, delay: int, required: str, priority: int) -> None:
        self.issued += 1
        draft = event(
            f"e-{self.issued}",
            at=self.lab.now,
            start=start * MINUTE,
            length=length * MINUTE,
            start_after=delay * MINUTE if delay else None,
            response_required=required,
            priority=priority,
        )
        self.lab.command(self.lab.desk, IssueEvent(draft))

    @precondition(lambda self: self._alive())
    @rule(which=st.integers(0, 99), level=st.integers(0, 3), length=st.integers(1, 90))
    def modify(self, which: int, level: int, length: int) -> None:
        name = self._alive()[which % len(self._alive())]
        role = self.lab.desk.role
        assert isinstance(role, Vtn)
        old = role.book.events[name].draft
        changed = event(
            name,
            at=old.start,
            start=timedelta(0),
            length=length * MINUTE,
            level=float(level),
            start_after=old.start_after,
            response_required=old.response_required,
        )
        self.lab.command(self.lab.desk, ModifyEvent(name, changed))

    @precondition(lambda self: self._alive())
    @rule(which=st.integers(0, 99))
    def cancel(self, which: int) -> None:
        self.lab.command(self.lab.desk, CancelEvent(self._alive()[which % len(self._alive())]))

    @rule(minutes=st.integers(0, 45))
    def wait(self, minutes: int) -> None:
        self.lab.advance(minutes * MINUTE + 3 * SECOND)

    @rule(what=st.sampled_from([OadrCreatedEvent, OadrPoll, OadrRequestEvent]), seconds=st.integers(1, 90))
    def lose(self, what: type, seconds: int) -> None:
        self.lab.meddle = lambda message: WIRE if isinstance(message, what) else None
        self.lab.advance(seconds * SECOND)
        self.lab.meddle = lambda message: None

    @rule(seconds=st.integers(1, 90))
    def lose_answers(self, seconds: int) -> None:
        self.lab.swallow = lambda answer: True
        self.lab.advance(seconds * SECOND)
        self.lab.swallow = lambda answer: False

    @rule()
    def restart_vtn(self) -> None:
        self.lab.restart(self.lab.desk, vtn(VtnSettings(poll_period=10 * SECOND), seed=self.issued + 50))

    @rule()
    def restart_ven(self) -> None:
        self.lab.restart(self.lab.ven, ven(seed=self.issued + 50))

    @precondition(lambda self: self._alive())
    @rule(which=st.integers(0, 99), opt=st.sampled_from(["optIn", "optOut"]))
    def opt(self, which: int, opt: str) -> None:
        role = self.lab.ven.role
        assert isinstance(role, Ven)
        held = [name for name, one in role.events.held.items() if not one.over]
        if held:
            self.lab.command(self.lab.ven, SetOpt(held[which % len(held)], opt))

    @invariant()
    def ended_events_are_told_as_gone_once(self) -> None:
        for node in self.lab.nodes:
            gone = [fact.event_id for fact in node.said(EventGone)]
            assert len(gone) == len(set(gone)), gone

    def teardown(self) -> None:
        """Left alone for a while, both sides hold the same versions, and the VTN knows each opt."""
        lab = self.lab
        lab.meddle = lambda message: None
        lab.advance(SETTLED)
        desk, holder = lab.desk.role, lab.ven.role
        assert isinstance(desk, Vtn) and isinstance(holder, Ven)
        ours = {name: one.modification_number for name, one in desk.book.events.items()}
        running_down = {name for name, one in holder.events.held.items() if one.stop_at is not None}
        theirs = {name: one.version for name, one in holder.events.held.items() if name not in running_down}
        assert ours == theirs
        assert not any(one.cancelled for one in desk.book.events.values())
        told = {(fact.event_id, fact.modification_number): fact.opt_type for fact in lab.desk.said(OptChanged)}
        for name, one in holder.events.held.items():
            if one.event.response_required == "always" and name in ours:
                assert told[name, one.version] == one.opt_type
        for name in ours:
            last = [fact for fact in lab.ven.said(EventChanged) if fact.event_id == name][-1]
            assert last.modification_number == ours[name]
            assert last.status is not EventStatus.CANCELLED
        assert len({fact.registration_id for fact in lab.ven.said(Registered)}) == 1
        assert not [finding for finding in lab.ven.findings if finding.rule == "internal"]


TestEvents = Events.TestCase
TestEvents.settings = settings(
    max_examples=25,
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much),
)
