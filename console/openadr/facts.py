"""What became true at a node: the plain records that views, command line, plots and recordings live on.

Every fact is frozen, carries no clock of its own (the session stamps it) and no object of a library. Power is in W,
energy in Wh, times are aware UTC datetimes, ``+`` is consumption and import.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class PresenceState(StrEnum):
    """How long ago a VEN was heard of, against the poll period asked of it."""

    NEVER = "never"
    OK = "ok"
    LATE = "late"
    """More than 1.5 poll periods."""
    OFFLINE = "offline"
    """More than 3 poll periods."""


class EventStatus(StrEnum):
    """eventStatus as the standard spells it."""

    NONE = "none"
    FAR = "far"
    NEAR = "near"
    ACTIVE = "active"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Fact:
    """Base of all facts."""


@dataclass(frozen=True, slots=True)
class Listening(Fact):
    url: str


@dataclass(frozen=True, slots=True)
class Registered(Fact):
    ven_id: str
    ven_name: str
    registration_id: str
    vtn_id: str = ""
    profile: str = "2.0b"
    transport: str = "simpleHttp"
    address: str = ""
    poll_period: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Unregistered(Fact):
    ven_id: str
    why: str


@dataclass(frozen=True, slots=True)
class RegistrationFailed(Fact):
    """The VTN did not take us, or could not be reached; told once per cause."""

    text: str


@dataclass(frozen=True, slots=True)
class IntervalFact:
    start: datetime
    duration: timedelta
    """Zero means open ended (rule 47)."""
    value: float


@dataclass(frozen=True, slots=True)
class SignalFact:
    signal_id: str
    name: str
    type: str
    unit: str | None
    """Standard's unit with its scale applied away: ``W``, ``Wh``, ``EUR/kWh``; None where the signal has none."""
    intervals: tuple[IntervalFact, ...]
    current_value: float | None = None


@dataclass(frozen=True, slots=True)
class EventChanged(Fact):
    """An event as one VEN sees it, at the VTN (per VEN) or at the VEN."""

    event_id: str
    modification_number: int
    status: EventStatus
    ven_id: str
    market_context: str
    start: datetime
    duration: timedelta
    signals: tuple[SignalFact, ...]
    priority: int = 0
    response_required: str = "always"
    notification: timedelta | None = None
    ramp_up: timedelta | None = None
    recovery: timedelta | None = None
    start_after: timedelta | None = None
    test_event: bool = False
    vtn_comment: str = ""
    vtn_id: str = ""


@dataclass(frozen=True, slots=True)
class EventGone(Fact):
    """No longer held for this VEN: completed and let go, cancelled and acknowledged, or implied cancel (rule 61)."""

    event_id: str
    ven_id: str
    why: str


@dataclass(frozen=True, slots=True)
class OptChanged(Fact):
    ven_id: str
    event_id: str
    modification_number: int
    opt_type: str
    """``optIn`` or ``optOut``."""
    response_code: str = "200"
    text: str = ""


@dataclass(frozen=True, slots=True)
class ReportOffered(Fact):
    """One rID of a METADATA report (oadrReportDescription)."""

    ven_id: str
    report_specifier_id: str
    report_name: str
    """Without ``METADATA_``."""
    r_id: str
    report_type: str
    reading_type: str
    unit: str | None
    resource_id: str = ""
    min_period: timedelta | None = None
    max_period: timedelta | None = None
    on_change: bool = False


@dataclass(frozen=True, slots=True)
class ReportsOffered(Fact):
    """METADATA came in (rule 306: it replaces the previous set); followed by its ReportOffered."""

    ven_id: str
    count: int


@dataclass(frozen=True, slots=True)
class ReportRequested(Fact):
    ven_id: str
    report_request_id: str
    report_specifier_id: str
    r_ids: tuple[str, ...]
    granularity: timedelta
    report_back: timedelta


@dataclass(frozen=True, slots=True)
class ReportStopped(Fact):
    ven_id: str
    report_request_id: str
    why: str


@dataclass(frozen=True, slots=True)
class StatusValue:
    """oadrPayloadResourceStatus, flattened; ``levels`` holds e.g. ``capacity.current``."""

    online: bool
    manual_override: bool
    levels: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class ReportPoint(Fact):
    ven_id: str
    report_request_id: str
    r_id: str
    value: float | StatusValue
    unit: str | None
    start: datetime
    duration: timedelta | None = None
    quality: str = ""
    report_name: str = ""


@dataclass(frozen=True, slots=True)
class PresenceChanged(Fact):
    ven_id: str
    state: PresenceState
    last_seen: datetime | None = None
    poll_period: timedelta | None = None


@dataclass(frozen=True, slots=True)
class FindingMade(Fact):
    """A finding, tied to the stored message it is about; 0 where it is about none."""

    message: int
    rule: str
    severity: str
    element: str
    text: str


@dataclass(frozen=True, slots=True)
class DeviceChanged(Fact):
    """A device of the site behind our VEN."""

    name: str
    kind: str
    power: float
    state: str


@dataclass(frozen=True, slots=True)
class ReasonGiven(Fact):
    """Why a device does what it does."""

    device: str
    text: str


@dataclass(frozen=True, slots=True)
class Closed(Fact):
    pass
