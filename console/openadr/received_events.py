"""The events a VEN holds: what it was sent, what it decided, and their own time line.

Each list is complete: an event it leaves out is cancelled (rule 61). Every event is judged by itself; a bad one is
answered with an error and optOut and does not spoil the rest (rules 19, 48). Status is computed here, not taken over
(rule 114), from a start put off by a random time where the event allows it (rule 30).
"""

from __future__ import annotations

import random
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from console.openadr.actions import Action, Keep, Noted, StartTimer, StopTimer
from console.openadr.commands import Decide, VenSettings
from console.openadr.event_check import fault_of, same_event
from console.openadr.facts import EventChanged, EventGone, EventStatus, OptChanged
from console.openadr.findings import Severity
from console.openadr.model import EventResponse, OadrDistributeEvent, OadrEvent, QualifiedEventID
from console.openadr.replies import found, response
from console.openadr.timeline import ZERO, Timeline, event_fact, later, listed_until, put_off_at_most, timeline

TIMER = "event:"
REMEMBERED = 1000
"""Events over whose opt is still known, should a VTN list them again."""


@dataclass(slots=True)
class Held:
    """One event as a VEN has it."""

    event: OadrEvent
    offset: timedelta
    """Random delay of the start, drawn once (rule 30)."""
    request_id: str
    """Of the last oadrDistributeEvent that listed it."""
    opt_type: str = ""
    """Empty: not decided yet."""
    told: EventStatus = EventStatus.NONE
    stop_at: datetime | None = None
    """Cancelled, and to be stopped at this random instant (rule 65)."""
    over: bool = False
    """Done by its own time line; still known while the VTN may list it (rule 66)."""

    @property
    def event_id(self) -> str:
        return self.event.event.descriptor.event_id

    @property
    def version(self) -> int:
        return self.event.event.descriptor.modification_number

    def course(self) -> Timeline:
        return timeline(self.event.event.active_period, offset=self.offset)


class ReceivedEvents:
    """Events of one VEN, by eventID."""

    def __init__(self, settings: VenSettings, rng: random.Random, decide: Decide | None) -> None:
        self.settings = settings
        self.rng = rng
        self.decide = decide
        self.ven_id = settings.ven_id
        self.vtn_id = settings.vtn_id
        self.held: dict[str, Held] = {}
        self._past: OrderedDict[str, str] = OrderedDict()

    # Lists of the VTN --------------------------------------------------------------------------------------------

    def receive(self, message: OadrDistributeEvent, now: datetime) -> tuple[tuple[EventResponse, ...], list[Action]]:
        """Take a complete list: answers for events that want one, and what follows from all."""
        answers: list[EventResponse] = []
        actions: list[Action] = []
        for event in message.events:
            code, text, opt_type, more = self._take(event, message.request_id, now)
            actions += more
            if event.response_required == "always" and opt_type:
                answers.append(_answer(event, message.request_id, code, text, opt_type))
        listed = {event.event.descriptor.event_id for event in message.events}
        for held in [held for event_id, held in self.held.items() if event_id not in listed]:
            actions += self._missing(held, now)
        return tuple(answers), [*actions, Keep()] if actions else []

    def _take(self, event: OadrEvent, request_id: str, now: datetime) -> tuple[str, str, str, list[Action]]:
        """(code, text, optType, actions) of one event; an empty optType is no answer yet."""
        descriptor = event.event.descriptor
        held = self.held.get(descriptor.event_id)
        if held is not None and descriptor.modification_number < held.version:
            text = f"{held.event_id} came as modification {descriptor.modification_number} after {held.version}"
            doubt = found(58, Severity.WARNING, text + " (rule 58).", element="modificationNumber")
            return "450", text, held.opt_type or "optOut", [doubt]
        if descriptor.event_status == EventStatus.CANCELLED:
            return "200", "", "optIn", self._cancelled(held, event, now) if held else []
        if held is None and self._is_past(event, now):
            return "200", "", self._past.get(descriptor.event_id, "optOut"), []
        if held is not None and descriptor.modification_number == held.version and held.stop_at is None:
            return self._again(held, event, request_id)
        return self._new_content(held, event, request_id, now)

    def _is_past(self, event: OadrEvent, now: datetime) -> bool:
        """An event not held whose time is over changes nothing (rule 66)."""
        until = listed_until(event.event.active_period)
        completed = event.event.descriptor.event_status == EventStatus.COMPLETED
        return completed or (until is not None and now >= until)

    def _again(self, held: Held, event: OadrEvent, request_id: str) -> tuple[str, str, str, list[Action]]:
        held.request_id = request_id
        if same_event(held.event, event):
            return "200", "", held.opt_type, []
        text = f"{held.event_id} changed without a new modificationNumber; the first content stays in force (rule 5)."
        return "200", "", held.opt_type, [found(5, Severity.ERROR, text, element="modificationNumber")]

    def _new_content(
        self, held: Held | None, event: OadrEvent, request_id: str, now: datetime
    ) -> tuple[str, str, str, list[Action]]:
        fault = fault_of(event, self.settings, self.ven_id)
        event_id = event.event.descriptor.event_id
        if fault is not None:
            text = f"{event_id} cannot be taken: {fault.text} (rule {fault.rule})."
            actions: list[Action] = [found(fault.rule, Severity.WARNING, text, element=fault.element)]
            actions += self._drop(held, "modified into what this VEN cannot do") if held else []
            return fault.code, fault.text, "optOut", actions
        fresh = Held(event, self._offset(held, event), request_id)
        self.held[event_id] = fresh
        actions = self._tell(fresh, now)
        opt_type, why = self._opinion(fresh, now)
        fresh.opt_type = opt_type
        if opt_type:
            actions.append(self._opted(fresh, why))
        return "200", "", opt_type, [*actions, *self._watch(fresh, now)]

    def _offset(self, held: Held | None, event: OadrEvent) -> timedelta:
        """Random delay of the start, kept over modifications that leave its bound as it is (rule 30)."""
        bound = put_off_at_most(event.event.active_period)
        if held is not None and put_off_at_most(held.event.event.active_period) == bound:
            return held.offset
        return timedelta(seconds=int(self.rng.uniform(0, bound.total_seconds())))

    def _opinion(self, held: Held, now: datetime) -> tuple[str, str]:
        if self.decide is not None:
            return self.decide(self._fact(held, held.told), now)
        return ("" if self.settings.opt == "ask" else self.settings.opt), ""

    # Ends --------------------------------------------------------------------------------------------------------

    def _cancelled(self, held: Held, event: OadrEvent, now: datetime) -> list[Action]:
        """Cancelled by the VTN's word (rule 59); a running event with startafter stops at random (rule 65)."""
        if held.stop_at is not None:
            return []
        descriptor = replace(
            held.event.event.descriptor, modification_number=event.event.descriptor.modification_number
        )
        held.event = replace(held.event, event=replace(held.event.event, descriptor=descriptor))
        return self._stop(held, "cancelled", now)

    def _missing(self, held: Held, now: datetime) -> list[Action]:
        """Left out of a list: cancelled without a word, unless it was over anyway (rule 61)."""
        if held.over:
            return self._drop(held, "")
        if held.stop_at is not None:
            return []
        text = f"{held.event_id} is no longer listed, hence cancelled (rule 61)."
        doubt = found(61, Severity.INFO, text, element="oadrEvent")
        return [doubt, *self._stop(held, "implied cancel (rule 61)", now)]

    def _stop(self, held: Held, why: str, now: datetime) -> list[Action]:
        bound = put_off_at_most(held.event.event.active_period)
        if bound > ZERO and held.told is EventStatus.ACTIVE:
            held.stop_at = later(now, timedelta(seconds=int(self.rng.uniform(0, bound.total_seconds()))))
            return self._watch(held, now)
        held.told = EventStatus.CANCELLED
        return [Noted(self._fact(held, EventStatus.CANCELLED)), *self._drop(held, why)]

    def _drop(self, held: Held, why: str) -> list[Action]:
        self.held.pop(held.event_id, None)
        self._past[held.event_id] = held.opt_type or "optOut"
        while len(self._past) > REMEMBERED:
            self._past.popitem(last=False)
        gone = [] if held.over else [Noted(EventGone(held.event_id, self.ven_id, why))]
        return [*gone, StopTimer(TIMER + held.event_id), Keep()]

    def forget(self, why: str) -> list[Action]:
        """The registration ended: events end with it."""
        actions = [action for held in list(self.held.values()) for action in self._drop(held, why)]
        self._past.clear()
        return actions

    # Time --------------------------------------------------------------------------------------------------------

    def fired(self, event_id: str, now: datetime) -> list[Action]:
        held = self.held.get(event_id)
        if held is None:
            return []
        if held.stop_at is not None and now >= held.stop_at:
            held.told = EventStatus.CANCELLED
            return [Noted(self._fact(held, EventStatus.CANCELLED)), *self._drop(held, "cancelled")]
        if held.over:
            until = listed_until(held.event.event.active_period)
            return self._drop(held, "") if until is not None and now >= until else self._watch(held, now)
        return [*self._tell(held, now), *self._watch(held, now)]

    def _tell(self, held: Held, now: datetime) -> list[Action]:
        """EventChanged, and EventGone where it has run its course."""
        held.told = held.course().status(now)
        actions: list[Action] = [Noted(self._fact(held, held.told))]
        if held.told is EventStatus.COMPLETED:
            actions += [Noted(EventGone(held.event_id, self.ven_id, "completed")), Keep()]
            held.over = True
        return actions

    def _watch(self, held: Held, now: datetime) -> list[Action]:
        if held.over:
            until = listed_until(held.event.event.active_period)
            if until is None or now >= until:
                return self._drop(held, "")
            return [StartTimer(TIMER + held.event_id, until)]
        instants = [at for at in (held.course().next_change(now), held.stop_at) if at is not None]
        return [StartTimer(TIMER + held.event_id, min(instants))] if instants else [StopTimer(TIMER + held.event_id)]

    # Opts and facts ----------------------------------------------------------------------------------------------

    def set_opt(self, event_id: str, opt_type: str) -> tuple[EventResponse | None, list[Action]]:
        """The site's own word on an event; the answer to send, if the event wants one (rules 12, 17)."""
        held = self.held.get(event_id)
        if held is None or held.over or opt_type not in ("optIn", "optOut"):
            wrong = f"No event {event_id} is held" if opt_type in ("optIn", "optOut") else f"{opt_type} is no optType"
            return None, [found("command", Severity.ERROR, f"The opt was not set: {wrong}.")]
        held.opt_type = opt_type
        told: list[Action] = [self._opted(held, "set by hand"), Keep()]
        if held.event.response_required != "always":
            return None, told
        return _answer(held.event, held.request_id, "200", "", opt_type), told

    def _opted(self, held: Held, why: str) -> Noted:
        return Noted(OptChanged(self.ven_id, held.event_id, held.version, held.opt_type, "200", why))

    def _fact(self, held: Held, status: EventStatus) -> EventChanged:
        return event_fact(held.event, ven_id=self.ven_id, vtn_id=self.vtn_id, status=status, offset=held.offset)

    def resume(self, held: Held, now: datetime) -> list[Action]:
        """Take an event back after a restart."""
        self.held[held.event_id] = held
        if held.over:
            return self._watch(held, now)
        return [*self._tell(held, now), *self._watch(held, now)]


def _answer(event: OadrEvent, request_id: str, code: str, text: str, opt_type: str) -> EventResponse:
    """One eventResponse; the requestID is that of the list (rule 42)."""
    descriptor = event.event.descriptor
    said = response(code, text)
    return EventResponse(
        response_code=said.response_code,
        response_description=said.response_description,
        request_id=request_id,
        qualified_event_id=QualifiedEventID(
            event_id=descriptor.event_id, modification_number=descriptor.modification_number
        ),
        opt_type=opt_type,
    )
