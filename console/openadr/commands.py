"""What an operator or a site asks of a role, and how a role is set up: plain records, no behaviour.

Commands are inputs of ``Vtn.handle`` and ``Ven.handle`` like messages and timers. A command that cannot be carried out
comes back as a finding with rule ``command``; it raises nothing. Values are in base units (W, Wh, EUR/kWh); times are
aware UTC and count in whole seconds, since messages carry no fractions (rule 1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.openadr.actions import Binding, Command
from console.openadr.facts import EventChanged, StatusValue

# VTN -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownVen:
    """A VEN the VTN was told of before it ever spoke."""

    name: str = ""
    """oadrVenName it registers under; empty where only the venID is known."""
    ven_id: str = ""
    """Empty: one is made when it registers."""
    registration_id: str = ""
    """Given: the VEN counts as registered from the start, without any registration message."""
    fingerprint: str = ""
    """Of its certificate; given, a peer without that certificate is refused with 463."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VtnSettings:
    poll_period: timedelta = timedelta(seconds=10)
    """oadrRequestedOadrPollFreq, and the measure of presence."""
    accept_unknown: bool = True
    """Register VENs that are not in ``known``."""
    known: tuple[KnownVen, ...] = ()
    request_reports: bool = False
    """Ask for every telemetry rID at max(oadrMinPeriod, 2 s), report-back equal to it, once METADATA is in."""
    piggyback_requests: bool = False
    """Put those requests into oadrRegisteredReport instead of an oadrCreateReport by poll (rule 344)."""
    binding: Binding = Binding.PULL
    settle: timedelta = timedelta(seconds=5)
    """How long polls hold back events for a new VEN whose METADATA has not come (rule 309)."""
    push_retry_cap: timedelta = timedelta(seconds=60)
    """Longest wait between tries to push to a VEN that cannot be reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDraft:
    """All an operator decides about an event; identity, modificationNumber and status are the VTN's."""

    signal_name: str
    signal_type: str
    unit: str | None = None
    """``W``, ``Wh``, ``EUR/kWh`` …; None where the signal has none."""
    start: datetime
    intervals: tuple[tuple[timedelta, float], ...]
    """(duration, value); their sum is the event's duration. One of zero length makes it open ended (rule 47)."""
    event_id: str = ""
    """Empty: one is made. Left out when modifying."""
    market_context: str = "http://nodebench.example/lab"
    priority: int = 0
    response_required: str = "always"
    notification: timedelta = timedelta(0)
    ramp_up: timedelta | None = None
    recovery: timedelta | None = None
    start_after: timedelta | None = None
    test_event: bool = False
    vtn_comment: str = ""
    ven_ids: tuple[str, ...] = ()
    """Empty: every VEN registered now or later."""

    @property
    def duration(self) -> timedelta:
        """Sum of the intervals; zero is open ended."""
        return sum((length for length, _ in self.intervals), timedelta(0))


@dataclass(frozen=True, slots=True)
class IssueEvent(Command):
    draft: EventDraft


@dataclass(frozen=True, slots=True)
class ModifyEvent(Command):
    """Replace the content of an event; what is the same as before changes nothing (rules 5, 20)."""

    event_id: str
    draft: EventDraft


@dataclass(frozen=True, slots=True)
class CancelEvent(Command):
    event_id: str


@dataclass(frozen=True, slots=True)
class RequestReports(Command):
    """Ask a VEN for telemetry; one request per report specifier goes out in one oadrCreateReport."""

    ven_id: str
    r_ids: tuple[str, ...] | None = None
    """None: every telemetry rID it offers."""
    granularity: timedelta | None = None
    """Sample interval; None: max(oadrMinPeriod, 2 s) of each rID."""
    report_back: timedelta | None = None
    """Send interval; None: equal to the granularity; zero: once, now."""


@dataclass(frozen=True, slots=True)
class CancelReports(Command):
    ven_id: str
    report_request_ids: tuple[str, ...]
    report_to_follow: bool = False


@dataclass(frozen=True, slots=True)
class RequestReregistration(Command):
    ven_id: str


@dataclass(frozen=True, slots=True)
class CancelRegistration(Command):
    ven_id: str


# VEN -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One rID a VEN can report (oadrReportDescription)."""

    r_id: str
    report_name: str = "TELEMETRY_USAGE"
    """``TELEMETRY_USAGE`` (numbers) or ``TELEMETRY_STATUS`` (:class:`StatusValue`)."""
    report_specifier_id: str = ""
    """Empty: made from the report name, so that equal names share one report, energy apart from power."""
    report_type: str = "usage"
    reading_type: str = "Direct Read"
    unit: str | None = "W"
    resource_id: str = ""
    min_period: timedelta = timedelta(seconds=1)
    max_period: timedelta = timedelta(hours=1)
    on_change: bool = False
    counter: bool = False
    """Samples are readings of a register; a report gives what was counted over each span."""

    @classmethod
    def status(cls, r_id: str, resource_id: str, *, min_period: timedelta = timedelta(seconds=1)) -> Offer:
        """The standard's TELEMETRY_STATUS of one resource (rule 331)."""
        return cls(
            r_id=r_id,
            report_name="TELEMETRY_STATUS",
            report_type="x-resourceStatus",
            reading_type="x-notApplicable",
            unit=None,
            resource_id=resource_id,
            min_period=min_period,
        )


Decide = Callable[[EventChanged, datetime], tuple[str, str]]
"""Opinion on an event: (``optIn`` | ``optOut`` | empty for "not yet, SetOpt will follow", why in a sentence)."""


SIGNALS_UNDERSTOOD = frozenset(
    {
        ("SIMPLE", "level"),
        ("simple", "level"),
        ("LOAD_DISPATCH", "setpoint"),
        ("LOAD_DISPATCH", "delta"),
        ("LOAD_DISPATCH", "multiplier"),
        ("LOAD_DISPATCH", "level"),
        ("ELECTRICITY_PRICE", "price"),
        ("ELECTRICITY_PRICE", "priceRelative"),
        ("ELECTRICITY_PRICE", "priceMultiplier"),
        ("ENERGY_PRICE", "price"),
        ("ENERGY_PRICE", "priceRelative"),
        ("ENERGY_PRICE", "priceMultiplier"),
        ("CHARGE_STATE", "setpoint"),
        ("CHARGE_STATE", "delta"),
        ("CHARGE_STATE", "multiplier"),
        ("LOAD_CONTROL", "x-loadControlCapacity"),
        ("LOAD_CONTROL", "x-loadControlLevelOffset"),
        ("LOAD_CONTROL", "x-loadControlPercentOffset"),
        ("LOAD_CONTROL", "x-loadControlSetpoint"),
        ("DEMAND_CHARGE", "price"),
        ("BID_LOAD", "setpoint"),
        ("BID_ENERGY", "setpoint"),
    }
)
"""(signalName, signalType) a VEN of ours takes part in unless told otherwise; others are answered 460 (rule 109)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenSettings:
    opt: str = "optIn"
    """``optIn``, ``optOut``, or ``ask``: answer nothing before SetOpt. A ``decide`` given to the Ven goes before."""
    offers: tuple[Offer, ...] = ()
    poll_period: timedelta = timedelta(seconds=10)
    """Used where the VTN asks for none; never faster than the VTN asks."""
    ven_id: str = ""
    """Agreed beforehand with the VTN; empty: the VTN gives one."""
    vtn_id: str = ""
    """The VTN expected; empty: the one that answers is taken."""
    query_first: bool = False
    """Send oadrQueryRegistration before registering."""
    retry_cap: timedelta = timedelta(seconds=60)
    """Longest wait between tries to reach the VTN; the poll period where that is shorter."""
    market_contexts: tuple[str, ...] = ()
    """Programmes it takes part in; empty: any (others are answered 462)."""
    signals: frozenset[tuple[str, str]] = SIGNALS_UNDERSTOOD
    resources: tuple[str, ...] = ()
    """resourceIDs behind it, beside those of its offers."""
    history: int = 512
    """Samples kept for each rID (at least 100 by rule 510)."""
    binding: Binding = Binding.PULL
    transport_address: str = ""
    """Where a push VEN is reached: its base URL (oadrTransportAddress)."""
    vtn_fingerprint: str = ""
    """Of the VTN's certificate; given, whoever pushes without it is refused with 463."""
    xml_signature: bool = False
    """Whether it signs, as told at registration (oadrXmlSignature)."""


@dataclass(frozen=True, slots=True)
class Sample:
    r_id: str
    value: float | StatusValue
    """In the unit of its Offer."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Measured(Command):
    """New readings for the report engine; samples of an rID that is not offered are ignored."""

    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class SetOpt(Command):
    """Opt in or out of an event, first or anew; sent at once where the event wants answers."""

    event_id: str
    opt_type: str


@dataclass(frozen=True, slots=True)
class Leave(Command):
    """Cancel the registration."""


@dataclass(frozen=True, slots=True)
class Join(Command):
    """Register now, after Leave or after the VTN cancelled, or without waiting for the next try."""
