"""All events of a VTN and what each VEN has been told and has answered of them.

Every oadrDistributeEvent is complete for its VEN (rule 50): a list that leaves an event out cancels it. A cancelled
event stays listed until the VEN has confirmed it or the event would be over (rule 52). modificationNumber starts at 0
and grows by one with each change of content (rules 4, 5, 10); status follows the clock by timers (rule 13).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

from console.openadr.actions import Action, Found, Ids, Keep, Noted, StartTimer, StopTimer
from console.openadr.commands import EventDraft
from console.openadr.facts import EventGone, EventStatus, OptChanged
from console.openadr.findings import Severity
from console.openadr.issued import Issued, Share, complaint, same_content, whole
from console.openadr.keeping import Kept, instant, keep_draft, kept, kept_list, number, read_draft, read_instant, text
from console.openadr.model import EiResponse, EventResponse, OadrDistributeEvent
from console.openadr.replies import found
from console.openadr.timeline import event_fact

TIMER = "event:"
REPEATS = 10
"""How often an answer that is wanted is waited for by sending the list again."""
REMEMBERED = 1000
"""Events gone whose late answers are not called unknown."""


@dataclass(slots=True)
class _List:
    """What the last oadrDistributeEvent to a VEN was made of, so that createdDateTime tells changes (rule 115)."""

    content: tuple[object, ...] = ()
    created: datetime | None = None


class EventBook:
    """Events by eventID, in the order they were issued."""

    def __init__(self, vtn_id: str, ids: Ids, repeat_after: timedelta) -> None:
        self.vtn_id = vtn_id
        self.ids = ids
        self.repeat_after = repeat_after
        """Shortest time before an unanswered list is sent again."""
        self.events: dict[str, Issued] = {}
        self._gone: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._lists: dict[str, _List] = {}

    # What the operator does --------------------------------------------------------------------------------------

    def issue(self, draft: EventDraft, ven_ids: Iterable[str], now: datetime) -> list[Action]:
        wrong = complaint(draft)
        event_id = draft.event_id or self.ids.new("event")
        if event_id in self.events or any(event == event_id for _, event in self._gone):
            wrong = wrong or f"There is an event {event_id} already; an eventID is used once (rule 70)."
        if wrong:
            return [found("command", Severity.ERROR, f"The event was not issued. {wrong}")]
        event = Issued(event_id, self.ids.new("signal"), whole(replace(draft, event_id=event_id)))
        if event.status(now) is EventStatus.COMPLETED:
            text = f"The event {event_id} was not issued: it would have been over already."
            return [found("command", Severity.ERROR, text)]
        self.events[event_id] = event
        joined = [action for ven_id in ven_ids for action in self._share(event, ven_id, now)]
        return [*joined, *self._watch(event, now), Keep()]

    def modify(self, event_id: str, draft: EventDraft, ven_ids: Iterable[str], now: datetime) -> list[Action]:
        event = self.events.get(event_id)
        wrong = complaint(draft)
        if event is None:
            wrong = f"There is no event {event_id}."
        elif event.cancelled:
            wrong = f"The event {event_id} is cancelled."
        if event is None or wrong:
            return [found("command", Severity.ERROR, f"The event was not modified. {wrong}")]
        changed = whole(replace(draft, event_id=event_id))
        same = same_content(changed, event.draft)
        event.draft = changed
        joined = [
            action
            for ven_id in ven_ids
            if event.concerns(ven_id) and ven_id not in event.shares
            for action in self._share(event, ven_id, now)
        ]
        dropped = [ven_id for ven_id in event.shares if not event.concerns(ven_id)]
        left = [action for ven_id in dropped for action in self._let_go(event, ven_id, "no longer in its target")]
        if same:
            return [*joined, *left, *([Keep()] if joined or left else [])]
        event.modification_number += 1
        return [*left, *self._tell_all(event, now), *self._watch(event, now), Keep()]

    def cancel(self, event_id: str, now: datetime) -> list[Action]:
        event = self.events.get(event_id)
        if event is None or event.cancelled:
            why = "it is cancelled already" if event else "there is no such event"
            return [found("command", Severity.ERROR, f"The event {event_id} was not cancelled: {why}.")]
        event.cancelled = True
        event.modification_number += 1
        actions = self._tell_all(event, now)
        for ven_id, share in list(event.shares.items()):
            if share.delivered < 0:
                actions += self._let_go(event, ven_id, "cancelled before it was sent")
        return [*actions, *self._watch(event, now), *self._close_if_empty(event), Keep()]

    # Who gets what -----------------------------------------------------------------------------------------------

    def join(self, ven_id: str, now: datetime) -> list[Action]:
        """A VEN registered: it gets every event meant for it, as if it had never been told (rule 406)."""
        self._lists.pop(ven_id, None)
        actions: list[Action] = []
        for event in list(self.events.values()):
            if not event.cancelled:
                actions += self._share(event, ven_id, now)
            elif ven_id in event.shares:
                actions += [*self._let_go(event, ven_id, "cancelled"), *self._close_if_empty(event)]
        return actions

    def leave(self, ven_id: str) -> list[Action]:
        """A VEN's registration ended."""
        self._lists.pop(ven_id, None)
        actions: list[Action] = []
        for event in list(self.events.values()):
            if ven_id in event.shares:
                del event.shares[ven_id]
                actions.append(Noted(EventGone(event.event_id, ven_id, "registration ended")))
                actions += self._close_if_empty(event)
        return actions

    def owes(self, ven_id: str, now: datetime) -> bool:
        """Whether a poll of this VEN is to be answered with its list (rules 52, 502)."""
        return any(
            self._is_owed(event, share, now)
            for event in self.events.values()
            if (share := event.shares.get(ven_id)) is not None
        )

    def _is_owed(self, event: Issued, share: Share, now: datetime) -> bool:
        if share.delivered < event.modification_number:
            return True
        if not event.wants_answers or share.answered == event.modification_number or share.delivered_at is None:
            return False
        return share.deliveries < REPEATS and now - share.delivered_at >= self.repeat_after

    def distribute(
        self, ven_id: str, request_id: str, now: datetime, answer: EiResponse | None, limit: int | None = None
    ) -> tuple[OadrDistributeEvent, list[Action]]:
        """The complete list for a VEN; all its events count as delivered. ``limit`` is replyLimit (rule 27)."""
        mine = [(event, event.shares[ven_id]) for event in self._sorted(now) if ven_id in event.shares]
        mine = mine if limit is None else mine[:limit]
        created = self._created(ven_id, [event for event, _ in mine], now)
        changed = any(share.delivered < event.modification_number for event, share in mine)
        message = OadrDistributeEvent(
            response=answer,
            request_id=request_id,
            vtn_id=self.vtn_id,
            events=tuple(event.message(ven_id, now, created) for event, _ in mine),
        )
        actions: list[Action] = [Keep(ven_id, may_follow=True)] if changed else []
        for event, share in mine:
            _deliver(event, share, now)
            if event.cancelled and not event.wants_answers:
                actions += self._let_go(event, ven_id, "cancelled; it wants no answer")
                actions += self._close_if_empty(event)
            elif event.cancelled and share.deliveries >= REPEATS:
                actions += self._let_go(event, ven_id, f"cancelled; not confirmed after {REPEATS} times")
                actions += self._close_if_empty(event)
        return message, actions

    def undelivered(self, ven_id: str) -> None:
        """The list just handed out got lost: all of it is owed again."""
        for event in self.events.values():
            share = event.shares.get(ven_id)
            if share is not None and share.answered < event.modification_number:
                share.delivered = event.modification_number - 1

    def _sorted(self, now: datetime) -> list[Issued]:
        numbered = enumerate(self.events.values())
        return [event for _, event in sorted(numbered, key=lambda item: item[1].place(now, item[0]))]

    def _created(self, ven_id: str, events: list[Issued], now: datetime) -> datetime:
        content = tuple(
            (event.event_id, event.modification_number, event.status(now), event.current_value(now)) for event in events
        )
        last = self._lists.setdefault(ven_id, _List())
        if last.created is None or last.content != content:
            last.content, last.created = content, now.replace(microsecond=0)
        return last.created

    # What VENs answer --------------------------------------------------------------------------------------------

    def answered(self, ven_id: str, given: EventResponse, outer: EiResponse) -> tuple[str, str, list[Action]]:
        """One eventResponse: (code, text) for oadrResponse and what follows (rules 16, 17, 25, 36, 48)."""
        event_id = given.qualified_event_id.event_id
        version = given.qualified_event_id.modification_number
        event = self.events.get(event_id)
        share = event.shares.get(ven_id) if event else None
        if event is None or share is None:
            return self._answer_to_nothing(ven_id, event_id)
        if version != event.modification_number:
            now_at = event.modification_number
            text = f"{ven_id} answered modification {version} of {event_id}, which is at {now_at} (rule 48)."
            return "450", text, [found(48, Severity.WARNING, text, element="modificationNumber")]
        code, words = given.response_code, given.response_description or ""
        if not outer.ok:
            code, words = outer.response_code, outer.response_description or words
        actions = self._opt(event, share, ven_id, given.opt_type, code, words)
        if outer.ok:
            share.answered = version
            if event.cancelled:
                confirmed = given.opt_type == "optIn"
                why = "cancelled and confirmed" if confirmed else "cancelled; the VEN says it cannot stop it"
                actions += [*self._let_go(event, ven_id, why), *self._close_if_empty(event)]
        return "200", "", [*actions, Keep(ven_id)]

    def opt(self, ven_id: str, event_id: str, version: int, opt_type: str) -> tuple[str, str, list[Action]]:
        """An oadrCreateOpt about one event (rule 206): it says what oadrCreatedEvent would, for good."""
        event = self.events.get(event_id)
        share = event.shares.get(ven_id) if event else None
        if event is None or share is None:
            return "452", f"There is no event {event_id} for {ven_id}.", []
        if version != event.modification_number:
            return "450", f"The event {event_id} is at modification {event.modification_number}, not {version}.", []
        share.answered = version
        return "200", "", [*self._opt(event, share, ven_id, opt_type, "200", "by oadrCreateOpt"), Keep(ven_id)]

    def _opt(self, event: Issued, share: Share, ven_id: str, opt_type: str, code: str, words: str) -> list[Action]:
        said = f"{event.modification_number} {opt_type} {code}"
        if share.said == said:
            return []
        share.said = said
        return [Noted(OptChanged(ven_id, event.event_id, event.modification_number, opt_type, code, words))]

    def _answer_to_nothing(self, ven_id: str, event_id: str) -> tuple[str, str, list[Action]]:
        if (ven_id, event_id) in self._gone:
            text = f"{ven_id} answered {event_id}, which it no longer holds; nothing was changed."
            return "200", "", [found(36, Severity.INFO, text, element="eventID")]
        text = f"{ven_id} answered {event_id}, which was never sent to it (rule 48)."
        return "452", text, [found(48, Severity.WARNING, text, element="eventID")]

    # Time --------------------------------------------------------------------------------------------------------

    def fired(self, event_id: str, now: datetime) -> list[Action]:
        """The event's timer: its status may have changed."""
        event = self.events.get(event_id)
        if event is None:
            return []
        if event.course().status(now) is not EventStatus.COMPLETED:
            return [*self._tell_all(event, now), *self._watch(event, now)]
        actions = [] if event.cancelled else self._tell_all(event, now)
        why = "cancelled; over without a confirmation" if event.cancelled else "completed"
        for ven_id in list(event.shares):
            actions += self._let_go(event, ven_id, why)
        del self.events[event_id]
        return [*actions, Keep()]

    def _watch(self, event: Issued, now: datetime) -> list[Action]:
        if event.event_id not in self.events:
            return []
        at = event.course().next_change(now)
        if at is not None:
            return [StartTimer(TIMER + event.event_id, at)]
        over = event.course().status(now) is EventStatus.COMPLETED
        return self.fired(event.event_id, now) if over else [StopTimer(TIMER + event.event_id)]

    # Facts -------------------------------------------------------------------------------------------------------

    def _share(self, event: Issued, ven_id: str, now: datetime) -> list[Action]:
        if not event.concerns(ven_id):
            return []
        event.shares[ven_id] = Share()
        return self._tell(event, ven_id, now)

    def _tell_all(self, event: Issued, now: datetime) -> list[Action]:
        return [action for ven_id in event.shares for action in self._tell(event, ven_id, now)]

    def _tell(self, event: Issued, ven_id: str, now: datetime) -> list[Action]:
        status = event.status(now)
        message = event.message(ven_id, now, now)
        return [Noted(event_fact(message, ven_id=ven_id, vtn_id=self.vtn_id, status=status))]

    def _let_go(self, event: Issued, ven_id: str, why: str) -> list[Action]:
        del event.shares[ven_id]
        self._gone[(ven_id, event.event_id)] = event.modification_number
        while len(self._gone) > REMEMBERED:
            self._gone.popitem(last=False)
        return [Noted(EventGone(event.event_id, ven_id, why))]

    def _close_if_empty(self, event: Issued) -> list[Action]:
        """A cancelled event nobody holds any more needs no timer and no place."""
        if event.shares or not event.cancelled or event.event_id not in self.events:
            return []
        del self.events[event.event_id]
        return [StopTimer(TIMER + event.event_id), Keep()]

    # Restart -----------------------------------------------------------------------------------------------------

    def state(self) -> Kept:
        return {
            "events": [_keep_event(event) for event in self.events.values()],
            "gone": [[ven_id, event_id, version] for (ven_id, event_id), version in self._gone.items()],
        }

    def part(self, ven_id: str) -> Kept:
        """What is kept of one VEN: its shares, by eventID, and what it no longer holds."""
        events = self.events.values()
        return {
            "shares": {event.event_id: _keep_share(event.shares[ven_id]) for event in events if ven_id in event.shares},
            "gone": [[event_id, version] for (holder, event_id), version in self._gone.items() if holder == ven_id],
        }

    def restore(self, value: object, now: datetime, parts: Mapping[str, Kept | None]) -> list[Action]:
        """Events as they were; those that ended meanwhile are told as completed.

        ``parts`` holds what changed of single VENs since, by venID; None where the VEN is gone.
        """
        book = kept(value)
        for ven_id, event_id, version in cast(list[tuple[str, str, int]], book.get("gone", [])):
            self._gone[(ven_id, event_id)] = version
        for item in kept_list(book.get("events", [])):
            event = _read_event(item)
            self.events[event.event_id] = event
        for ven_id, part in parts.items():
            self._restore_part(ven_id, part)
        actions: list[Action] = []
        for event in list(self.events.values()):
            actions += self._tell_all(event, now)
            actions += self._watch(event, now)
        return actions

    def _restore_part(self, ven_id: str, part: Kept | None) -> None:
        shares = kept(part.get("shares", {})) if part else {}
        for event in self.events.values():
            event.shares.pop(ven_id, None)
            if event.event_id in shares:
                event.shares[ven_id] = _read_share(kept(shares[event.event_id]))
        for event_id, version in cast(list[tuple[str, int]], (part or {}).get("gone", [])):
            self._gone[(ven_id, event_id)] = version


def _deliver(event: Issued, share: Share, now: datetime) -> None:
    fresh = share.delivered != event.modification_number
    share.deliveries = 1 if fresh else share.deliveries + 1
    share.delivered = event.modification_number
    share.delivered_at = now


def _keep_event(event: Issued) -> Kept:
    return {
        "draft": keep_draft(event.draft),
        "signal_id": event.signal_id,
        "modification_number": event.modification_number,
        "cancelled": event.cancelled,
        "shares": [{"ven_id": ven_id, **_keep_share(share)} for ven_id, share in event.shares.items()],
    }


def _keep_share(share: Share) -> Kept:
    return {
        "delivered": share.delivered,
        "delivered_at": None if share.delivered_at is None else instant(share.delivered_at),
        "answered": share.answered,
        "said": share.said,
    }


def _read_share(share: Kept) -> Share:
    delivered_at = share.get("delivered_at")
    return Share(
        delivered=int(number(share, "delivered", -1)),
        delivered_at=None if delivered_at is None else read_instant(delivered_at),
        answered=int(number(share, "answered", -1)),
        said=text(share, "said"),
    )


def _read_event(item: Kept) -> Issued:
    draft = read_draft(item.get("draft"))
    event = Issued(
        draft.event_id,
        text(item, "signal_id"),
        draft,
        int(number(item, "modification_number")),
        bool(item.get("cancelled")),
    )
    for share in kept_list(item.get("shares", [])):
        event.shares[text(share, "ven_id")] = _read_share(share)
    return event


def unanswered_list(ven_id: str) -> Found:
    """oadrCreatedEvent without any eventResponse though nothing went wrong (rule 35); tolerated."""
    text = f"{ven_id} sent oadrCreatedEvent without eventResponses; no opt state could be taken from it (rule 35)."
    return found(35, Severity.WARNING, text, element="eventResponses")
