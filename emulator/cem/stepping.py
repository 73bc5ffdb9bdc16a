"""Devices with operation modes (S2 OMBC) or a demand to meet (DDBC): stepped last, when all else has not been enough.

Left alone they do as they like. A limit of their own, or a cap of the site that stays broken, steps them to what takes
most within it; a generator, whose modes give, is started the same way. When the cause has room again they are stepped
back, after a dwell and by no more than there is room for; when it has ended they get all they can take.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime

from s2python.generated import gen_s2 as g

from emulator.cem.grid_side import OWN
from emulator.cem.limits import Band, Bound
from emulator.cem.plans import GuardSettings, House
from emulator.cem.ports import Reason
from emulator.cem.reasons import limit, watts
from emulator.cem.resources import measured_power
from emulator.links.s2.cem_session import CemSession
from emulator.links.s2.operation_modes import drafts, within
from emulator.links.s2.session import ControlType, State

INSTRUCTION: dict[ControlType, type[g.OMBCInstruction] | type[g.DDBCInstruction]] = {
    ControlType.OPERATION_MODE_BASED_CONTROL: g.OMBCInstruction,
    ControlType.DEMAND_DRIVEN_BASED_CONTROL: g.DDBCInstruction,
}


class Stepping:
    """Rules for all stepped devices of a house, and which of them are held."""

    def __init__(self, settings: GuardSettings) -> None:
        self._settings = settings
        self._over_since: datetime | None = None
        self._changed: dict[str, datetime] = {}
        """Devices that are held, and when they were last told to change."""

    def decide(
        self, sessions: Iterable[CemSession], house: House, band: Band
    ) -> tuple[list[tuple[CemSession, list[str]]], tuple[Reason, ...]]:
        """What each session has to send, and why."""
        room_w = math.inf if band.upper is None else band.upper.watts - self._settings.margin_w / 2.0 - house.net_w
        lasting = self._lasting(room_w, house.now)
        sent: list[tuple[CemSession, list[str]]] = []
        told: list[Reason] = []
        for session in sessions:
            power_w = measured_power(session)
            if session.state is not State.ACTIVATED or session.control_type not in INSTRUCTION or power_w is None:
                continue
            most_w, cause = self._most(session.name, power_w, room_w, lasting, band, house.now)
            if cause is None and session.name not in self._changed:
                continue
            texts, wanted_w = self._instruct(session, most_w, band.abnormal, house.now)
            room_w -= wanted_w - power_w
            if texts:
                sent.append((session, texts))
                self._changed[session.name] = house.now
            if cause is None:
                self._changed.pop(session.name, None)
            else:
                self._changed.setdefault(session.name, house.now)
                told.append(Reason(session.name, _text(session.name, wanted_w, cause)))
        return sent, tuple(told)

    def _lasting(self, room_w: float, now: datetime) -> bool:
        """Whether the cap has been broken for so long that batteries and chargers cannot be enough."""
        self._over_since = (self._over_since or now) if room_w < 0.0 else None
        return self._over_since is not None and now - self._over_since >= self._settings.persists

    def _most(
        self, name: str, power_w: float, room_w: float, lasting: bool, band: Band, now: datetime
    ) -> tuple[float, Bound | None]:
        """Most power it may take now, and what says so; infinite and None where nothing does."""
        own, _ = band.of(name)
        changed = self._changed.get(name)
        most_w, cause = (math.inf, None) if own is None else (own.watts, own)
        if band.upper is not None and (lasting or changed is not None):
            rested = changed is None or now - changed >= self._settings.dwell
            may_rise = rested and room_w >= self._settings.hysteresis_w
            within_w = power_w + (room_w if room_w < 0.0 or may_rise else 0.0)
            if within_w < most_w:
                most_w, cause = within_w, band.upper
        return most_w, cause

    def _instruct(self, session: CemSession, most_w: float, abnormal: bool, now: datetime) -> tuple[list[str], float]:
        """The texts that ask for it, and the power it will then take."""
        choice = within(session, most_w, now, abnormal)
        if choice is None:
            return [], measured_power(session) or 0.0
        texts: list[str] = []
        for fields in drafts(session, choice, now, abnormal):
            _, more = session.instruct(INSTRUCTION[session.control_type], now, **fields)
            texts += more
        return texts, choice.power_w


def _text(name: str, power_w: float, cause: Bound) -> str:
    does = f"gives {watts(-power_w)}" if power_w < 0.0 else f"held at {watts(power_w)}"
    if cause.source in OWN:
        return f"{name} {does}: {cause.source} {limit(cause.watts)}"
    return f"{name} {does}: limit {limit(cause.watts)} from event {cause.source}"
