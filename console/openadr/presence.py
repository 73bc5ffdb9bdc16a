"""How long ago each VEN was heard of, against the poll period asked of it.

A VEN is late after 1.5 and offline after 3 poll periods of silence; any message counts as a sign of life. One timer per
VEN checks lazily, so that a poll in time costs no action.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.openadr.actions import Action, Noted, StartTimer, StopTimer
from console.openadr.facts import PresenceChanged, PresenceState

TIMER = "presence:"
LATE, OFFLINE = 1.5, 3.0
"""Silence in poll periods."""


@dataclass(slots=True)
class _Sign:
    state: PresenceState = PresenceState.NEVER
    last_seen: datetime | None = None
    armed: bool = False


class Presence:
    """Presence of all VENs of one VTN."""

    def __init__(self, poll_period: timedelta) -> None:
        self.poll_period = poll_period
        self._signs: dict[str, _Sign] = {}

    def expect(self, ven_id: str) -> list[Action]:
        """A VEN that is registered but was not heard of yet."""
        if ven_id in self._signs:
            return []
        self._signs[ven_id] = _Sign()
        return [self._fact(ven_id)]

    def heard(self, ven_id: str, now: datetime, polls: bool = True) -> list[Action]:
        """A sign of life; a VEN that does not poll is not late for want of the next."""
        sign = self._signs.setdefault(ven_id, _Sign())
        sign.last_seen = now
        actions: list[Action] = []
        if sign.state is not PresenceState.OK:
            sign.state = PresenceState.OK
            actions.append(self._fact(ven_id))
        if polls and not sign.armed:
            sign.armed = True
            actions.append(StartTimer(TIMER + ven_id, now + LATE * self.poll_period))
        return actions

    def fired(self, ven_id: str, now: datetime) -> list[Action]:
        sign = self._signs.get(ven_id)
        if sign is None or sign.last_seen is None:
            return []
        silence = now - sign.last_seen
        if silence >= OFFLINE * self.poll_period:
            sign.armed = False
            return self._become(ven_id, sign, PresenceState.OFFLINE)
        late = silence >= LATE * self.poll_period
        wake = StartTimer(TIMER + ven_id, sign.last_seen + (OFFLINE if late else LATE) * self.poll_period)
        return [*(self._become(ven_id, sign, PresenceState.LATE) if late else []), wake]

    def lost(self, ven_id: str) -> list[Action]:
        """What was sent to it did not get there."""
        sign = self._signs.get(ven_id)
        return self._become(ven_id, sign, PresenceState.OFFLINE) if sign else []

    def forget(self, ven_id: str) -> list[Action]:
        sign = self._signs.pop(ven_id, None)
        return [StopTimer(TIMER + ven_id)] if sign and sign.armed else []

    def state(self, ven_id: str) -> PresenceState:
        return self._signs[ven_id].state if ven_id in self._signs else PresenceState.NEVER

    def _become(self, ven_id: str, sign: _Sign, state: PresenceState) -> list[Action]:
        if sign.state is state:
            return []
        sign.state = state
        return [self._fact(ven_id)]

    def _fact(self, ven_id: str) -> Noted:
        sign = self._signs[ven_id]
        return Noted(PresenceChanged(ven_id, sign.state, sign.last_seen, self.poll_period))
