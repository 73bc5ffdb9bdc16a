"""Charging profiles of OCPP 1.6 (section 3.13): what is installed, and the current they allow at a time. Pure.

Of each purpose the profile with the highest stack level that says anything now counts; the lowest of the purposes is
the limit, a TxProfile standing in for the TxDefaultProfile. Currents in A per phase, times aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

MAX_PURPOSE, DEFAULT_PURPOSE, TX_PURPOSE = "ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"
RECURRENCE = {"Daily": timedelta(days=1), "Weekly": timedelta(days=7)}
MOST_PROFILES = 20
MOST_PERIODS = 288
HIGHEST_STACK_LEVEL = 10
NOMINAL_V = 230.0


class ProfileRefused(ValueError):
    """A profile that is valid by its schema and cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start_s`` of the schedule on."""

    start_s: float
    limit: float
    phases: int


@dataclass(frozen=True, slots=True)
class Profile:
    """A charging profile as it was installed on a connector."""

    profile_id: int
    connector: int
    purpose: str
    stack_level: int
    kind: str
    periods: tuple[Period, ...]
    in_watts: bool
    installed: datetime
    duration_s: float | None = None
    start: datetime | None = None
    every: timedelta | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    transaction: int | None = None

    def period_at(self, at: datetime, begun: datetime | None) -> Period | None:
        """The period in force, or None where the profile says nothing; ``begun`` is the start of the transaction."""
        if (self.valid_from and at < self.valid_from) or (self.valid_to and at >= self.valid_to):
            return None
        start = begun if self.kind == "Relative" else self.start or begun or self.installed
        if start is None or at < start:
            return None
        into = at - start
        if self.every is not None:
            into %= self.every
        if self.duration_s is not None and into.total_seconds() >= self.duration_s:
            return None
        begun_periods = [period for period in self.periods if period.start_s <= into.total_seconds()]
        return begun_periods[-1] if begun_periods else None


def parse(connector: int, tree: Mapping[str, Any], now: datetime, phases: int) -> Profile:
    """A profile from the members of a ``csChargingProfiles`` (names in snake case), already valid by its schema.

    Raises
    ------
    ProfileRefused
        It contradicts itself or what OCPP asks of its purpose.
    """
    schedule = tree["charging_schedule"]
    periods = tuple(
        Period(float(one["start_period"]), float(one["limit"]), int(one.get("number_phases") or phases))
        for one in schedule["charging_schedule_period"]
    )
    recurrence = tree.get("recurrency_kind")
    profile = Profile(
        profile_id=tree["charging_profile_id"],
        connector=connector,
        purpose=tree["charging_profile_purpose"],
        stack_level=tree["stack_level"],
        kind=tree["charging_profile_kind"],
        periods=periods,
        in_watts=schedule["charging_rate_unit"] == "W",
        installed=now,
        duration_s=schedule.get("duration"),
        start=_instant(schedule.get("start_schedule")),
        every=RECURRENCE.get(recurrence) if recurrence else None,
        valid_from=_instant(tree.get("valid_from")),
        valid_to=_instant(tree.get("valid_to")),
        transaction=tree.get("transaction_id"),
    )
    _check(profile)
    return profile


def _check(profile: Profile) -> None:
    if not profile.periods or profile.periods[0].start_s != 0.0:
        raise ProfileRefused("the first period of a schedule starts at 0")
    if len(profile.periods) > MOST_PERIODS:
        raise ProfileRefused(f"{len(profile.periods)} periods, at most {MOST_PERIODS} are taken")
    starts = [period.start_s for period in profile.periods]
    if starts != sorted(set(starts)):
        raise ProfileRefused("the periods are not in order")
    if any(period.limit < 0.0 for period in profile.periods):
        raise ProfileRefused("a limit is negative")
    if not 0 <= profile.stack_level <= HIGHEST_STACK_LEVEL:
        raise ProfileRefused(f"stack level {profile.stack_level} is outside 0 … {HIGHEST_STACK_LEVEL}")
    if profile.kind == "Recurring" and (profile.every is None or profile.start is None):
        raise ProfileRefused("a recurring profile needs recurrencyKind and startSchedule")
    if profile.purpose == MAX_PURPOSE and profile.connector != 0:
        raise ProfileRefused("a ChargePointMaxProfile belongs to connector 0")
    if profile.purpose == MAX_PURPOSE and profile.kind == "Relative":
        raise ProfileRefused("a ChargePointMaxProfile cannot be relative: there is no transaction to count from")
    if profile.purpose == TX_PURPOSE and profile.connector == 0:
        raise ProfileRefused("a TxProfile belongs to the connector of its transaction")


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ProfileRefused(f"{text[:40]!r} is not a time") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


class ProfileBook:
    """The profiles installed at a charge point of one connector."""

    def __init__(self) -> None:
        self._profiles: list[Profile] = []

    def __len__(self) -> int:
        return len(self._profiles)

    def install(self, profile: Profile) -> None:
        """Add it in place of one with the same id, or with the same purpose, stack level and connector.

        Raises
        ------
        ProfileRefused
            There are too many.
        """

        def place(one: Profile) -> tuple[object, ...]:
            return one.purpose, one.stack_level, one.connector

        kept = [one for one in self._profiles if one.profile_id != profile.profile_id and place(one) != place(profile)]
        if len(kept) >= MOST_PROFILES:
            raise ProfileRefused(f"{MOST_PROFILES} profiles are installed already")
        self._profiles = [*kept, profile]

    def clear(
        self,
        profile_id: int | None = None,
        connector: int | None = None,
        purpose: str | None = None,
        stack_level: int | None = None,
    ) -> bool:
        """Remove those that meet all that is given; whether there were any."""
        kept = [
            one
            for one in self._profiles
            if (profile_id is not None and one.profile_id != profile_id)
            or (connector is not None and one.connector != connector)
            or (purpose is not None and one.purpose != purpose)
            or (stack_level is not None and one.stack_level != stack_level)
        ]
        gone = len(kept) < len(self._profiles)
        self._profiles = kept
        return gone

    def end_transaction(self) -> None:
        """A TxProfile lives no longer than its transaction."""
        self.clear(purpose=TX_PURPOSE)

    def limit_a(self, at: datetime, begun: datetime | None, phases: int) -> float | None:
        """Current allowed at a time; None is no limit. ``begun`` is the start of the transaction, None without one."""
        most = self._of(MAX_PURPOSE, at, begun, phases)
        own = self._of(TX_PURPOSE, at, begun, phases) if begun is not None else None
        if own is None:
            own = self._of(DEFAULT_PURPOSE, at, begun, phases)
        return min((limit for limit in (most, own) if limit is not None), default=None)

    def _of(self, purpose: str, at: datetime, begun: datetime | None, phases: int) -> float | None:
        for profile in sorted(self._profiles, key=lambda one: (-one.stack_level, -one.connector)):
            period = profile.period_at(at, begun) if profile.purpose == purpose else None
            if period is not None:
                per_amp = NOMINAL_V * min(period.phases, phases)
                return period.limit / per_amp if profile.in_watts else period.limit
        return None

    def composite(
        self, now: datetime, duration_s: float, begun: datetime | None, phases: int, most_a: float
    ) -> list[tuple[float, float]]:
        """Seconds from now and the current from then on, over a duration; ``most_a`` where nothing limits."""
        found: list[tuple[float, float]] = []
        for second in sorted({0.0, *self._changes(now, duration_s, begun)}):
            limit = self.limit_a(now + timedelta(seconds=second), begun, phases)
            current = most_a if limit is None else min(limit, most_a)
            if not found or found[-1][1] != current:
                found.append((second, current))
        return found

    def _changes(self, now: datetime, duration_s: float, begun: datetime | None) -> set[float]:
        """Seconds from now at which a profile may begin, change or end."""
        end = now + timedelta(seconds=duration_s)
        found: set[datetime] = set()
        for profile in self._profiles:
            found |= {edge for edge in (profile.valid_from, profile.valid_to) if edge}
            start = begun if profile.kind == "Relative" else profile.start or begun or profile.installed
            if start is None:
                continue
            into = [period.start_s for period in profile.periods]
            edges = [*into, profile.duration_s] if profile.duration_s is not None else into
            first = start
            if profile.every is not None and now > start:
                first = start + (now - start) // profile.every * profile.every
            while first < end:
                found |= {first + timedelta(seconds=edge) for edge in edges}
                if profile.every is None:
                    break
                first += profile.every
        return {(at - now).total_seconds() for at in found if now < at < end}
