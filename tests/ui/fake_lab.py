"""The lab that the fake desk shows: sessions, messages, VENs, events, reports, site, findings; all at one instant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from console.app.views import (
    DeviceView,
    EventVen,
    EventView,
    FindingView,
    LimitSpan,
    LimitView,
    MessageView,
    ReportView,
    SessionState,
    SessionView,
    SiteView,
    VenView,
)
from console.openadr.explain import Node
from console.openadr.facts import EventChanged, EventStatus, IntervalFact, PresenceState, SignalFact
from console.openadr.findings import Finding, Severity

ZONE = ZoneInfo("Europe/Amsterdam")
NOW = datetime(2026, 6, 16, 8, 42, 18, tzinfo=UTC)
DAY = datetime(2026, 6, 16, tzinfo=ZONE)
URL = "http://127.0.0.1:8080/OpenADR2/Simple/2.0b"


def at(clock: str) -> datetime:
    """Local time of the day, ``10:42`` or ``10:42:03.214``, as UTC."""
    parts = clock.split(":")
    seconds = float(parts[2]) if len(parts) > 2 else 0.0
    local = DAY + timedelta(hours=int(parts[0]), minutes=int(parts[1]), seconds=seconds)
    return local.astimezone(UTC)


_ROWS = """
10:41:58.921|vtn-lab|in|ven-1|oadrUpdateReport|telemetry usage, 3 points, powerReal 4.82 kW|2212||
10:41:58.930|vtn-lab|out|ven-1|oadrUpdatedReport|200 OK|681|9|
10:41:59.133|vtn-lab|in|ven-11|oadrPoll|every 10 s|402||
10:41:59.139|vtn-lab|out|ven-11|oadrDistributeEvent|e-203/0, SIMPLE 2, 11:00–12:00, near|4180|6|
10:41:59.221|vtn-lab|in|ven-11|oadrCreatedEvent|e-203/0 optIn|911||
10:41:59.225|vtn-lab|out|ven-11|oadrResponse|200 OK|519|4|
10:41:59.829|vtn-lab|in|ven-5|oadrPoll|every 10 s|402||
10:41:59.832|vtn-lab|out|ven-5|oadrResponse|200 OK, nothing to deliver|519|3|
10:42:00.950|vtn-lab|in|ven-9|oadrCreatedEvent|e-202/0 optOut, event is at modification 1|911||w
10:42:00.961|vtn-lab|out|ven-9|oadrResponse|200 OK|519|11|
10:42:03.173|ven-7|out|vtn-utility|oadrPoll|as ven-7|402||
10:42:03.214|ven-7|in|vtn-utility|oadrDistributeEvent|e-17/1, setpoint 7.00 kW, 10:30–11:30|6312|41|ew
10:42:03.236|ven-7|out|vtn-utility|oadrCreatedEvent|e-17/1 optIn|911||
10:42:03.274|ven-7|in|vtn-utility|oadrResponse|200 OK|519|38|
10:42:03.718|vtn-lab|in|ven-4|oadrPoll|every 10 s|402||
10:42:03.721|vtn-lab|out|ven-4|oadrResponse|200 OK, nothing to deliver|519|3|
10:42:05.624|vtn-lab|in|ven-8|oadrUpdateReport|history usage, 96 points, energyReal 41.2 kWh|38112||i
10:42:05.648|vtn-lab|out|ven-8|oadrUpdatedReport|200 OK|681|24|
10:42:08.700|vtn-lab|in|ven-6|oadrCreateOpt|optOut 14:00–16:00, x-schedule|1411||
10:42:08.712|vtn-lab|out|ven-6|oadrCreatedOpt|o-88 accepted|611|12|
10:42:09.102|vtn-lab|in|192.0.2.77|(not OpenADR)|3 312 bytes that are not XML|3312||e
10:42:09.110|vtn-lab|out|192.0.2.77|oadrResponse|450, the body could not be read|540|8|
10:42:11.322|vtn-lab|in|ven-12|oadrQueryRegistration|asks for profiles and transports|388||
10:42:11.328|vtn-lab|out|ven-12|oadrCreatedPartyRegistration|2.0b, simpleHttp and xmpp, poll every 10 s|1502|6|
10:42:11.630|vtn-lab|in|ven-12|oadrCreatePartyRegistration|2.0b, simpleHttp, pull, signs: no|877||e
10:42:11.641|vtn-lab|out|ven-12|oadrCreatedPartyRegistration|463, certificate is not the one expected|1502|11|w
"""


def lab_messages() -> list[MessageView]:
    """About four hundred polls and reports of the last half hour, then the rows above."""
    rows: list[MessageView] = []

    def pair(
        when: datetime, session: str, outgoing: bool, peer: str, asked: tuple[str, str], answer: tuple[str, str]
    ) -> None:
        number = len(rows) + 1
        request = MessageView(
            number, when, session, outgoing, peer, *asked, 402, 0, 0, 0, 0, number + 1, None, 0
        )  # fmt: skip
        late = timedelta(milliseconds=3 + number % 9)
        rows.append(request)
        rows.append(
            MessageView(
                number + 1, when + late, session, not outgoing, peer, *answer, 519, 0, 0, 0, number, 0, late, 200
            )
        )

    for k in range(200):
        when = at("10:10:00") + timedelta(seconds=9.5 * k)
        if k % 12 == 7:
            reading = ("oadrUpdateReport", "telemetry usage, 3 points, powerReal 4.10 kW")
            pair(when, "vtn-lab", False, "ven-1", reading, ("oadrUpdatedReport", "200 OK"))
        else:
            poll = ("oadrPoll", "every 10 s")
            pair(when, "vtn-lab", False, f"ven-{1 + k % 9}", poll, ("oadrResponse", "200 OK, nothing to deliver"))
    for text in _ROWS.strip().splitlines():
        clock, session, way, peer, element, summary, size, latency, marks = text.split("|")
        number = len(rows) + 1
        answer = bool(latency)
        rows.append(
            MessageView(
                number=number,
                time=at(clock),
                session=session,
                outgoing=way == "out",
                peer=peer,
                element=element,
                summary=summary,
                size=int(size),
                errors=marks.count("e"),
                warnings=marks.count("w"),
                infos=marks.count("i"),
                reply_to=number - 1 if answer else 0,
                answered_by=0 if answer else number + 1,
                latency=timedelta(milliseconds=int(latency)) if answer else None,
                status=200 if answer else 0,
            )
        )
    return rows


def lab_sessions() -> list[SessionView]:
    return [
        SessionView("vtn-lab", "VTN", "VTN · HTTP :8080", SessionState.OK, URL),
        SessionView("ven-7", "VEN", "VEN · vtn-utility", SessionState.OK, "http://127.0.0.1:8081/OpenADR2/Simple/2.0b"),
        SessionView("Site A", "CEM", "CEM · 5 devices", SessionState.OK),
    ]


def lab_vens() -> list[VenView]:
    """Twelve VENs, worst first."""
    late, offline, never, ok = PresenceState.LATE, PresenceState.OFFLINE, PresenceState.NEVER, PresenceState.OK
    rows: list[tuple[str, str, PresenceState, int, int, tuple[tuple[str, str], ...], int, int]] = [
        ("ven-10", "Pump station", offline, 371, 10, (("e-203", ""),), 371, 0),
        ("ven-2", "Cold store", late, 22, 10, (("e-203", ""),), 58, 2),
        ("ven-12", "School west", never, -1, 10, (), -1, 3),
        ("ven-9", "Bakery", ok, 6, 30, (("e-202", "optOut"),), 12, 1),
        ("ven-8", "Office east", ok, 7, 10, (), 140, 1),
        ("ven-1", "Office north", ok, 3, 10, (("e-203", "optIn"),), 4, 0),
        ("ven-3", "Laundry", ok, 1, 10, (("e-202", "optIn"), ("e-203", "optIn")), 31, 0),
        ("ven-4", "Depot", ok, 8, 10, (("e-202", "optIn"),), 22, 0),
        ("ven-5", "Swimming pool with the very long name", ok, 5, 10, (("e-203", "optIn"),), 47, 0),
        ("ven-6", "Car park", ok, 2, 30, (("e-203", "optIn"),), 9, 0),
        ("ven-11", "Library", ok, 3, 30, (("e-203", "optIn"),), 18, 0),
        ("ven-13", "Workshop", ok, 4, 10, (), 55, 0),
    ]
    made: list[VenView] = []
    for ven_id, name, state, since, period, events, report, findings in rows:
        seen = None if since < 0 else NOW - timedelta(seconds=since)
        polls = () if seen is None else tuple(seen - timedelta(seconds=period * k) for k in range(59, -1, -1))
        made.append(
            VenView(
                session="vtn-lab",
                ven_id=ven_id,
                name=name,
                profile="2.0b",
                transport="simpleHttp",
                state=state,
                registered=since >= 0,
                last_seen=seen,
                poll_period=timedelta(seconds=period),
                registration_id=f"r-{ven_id[4:]}b90" if since >= 0 else "",
                fingerprint="59:4D:0E:71:A2:C8:33:F0:1B:9E",
                address="192.0.2.52",
                last_message=211 if since >= 0 else 0,
                events=events,
                last_report=None if report < 0 else NOW - timedelta(seconds=report),
                findings=findings,
                poll_times=polls,
            )
        )
    return made


def event(
    event_id: str,
    status: EventStatus,
    start: datetime,
    hours: float,
    label: str,
    vens: Sequence[tuple[str, str]],
    signal: str = "SIMPLE",
    session: str = "vtn-lab",
    modification: int = 0,
    value: float = 2.0,
) -> EventView:
    """An event of one signal with two intervals; ``vens`` are (venID, optType)."""
    duration = timedelta(hours=hours)
    half = duration / 2
    unit = {"SIMPLE": None, "LOAD_DISPATCH": "W", "ELECTRICITY_PRICE": "EUR/kWh"}[signal]
    kind = {"SIMPLE": "level", "LOAD_DISPATCH": "setpoint", "ELECTRICITY_PRICE": "price"}[signal]
    intervals = (IntervalFact(start, half, value), IntervalFact(start + half, half, value * 0.8))
    facts = EventChanged(
        event_id=event_id,
        modification_number=modification,
        status=status,
        ven_id=vens[0][0],
        market_context="http://lab.example/shed",
        start=start,
        duration=duration,
        signals=(SignalFact("s-1", signal, kind, unit, intervals, value),),
        priority=1,
        notification=timedelta(minutes=30),
        vtn_id="vtn-lab" if session == "vtn-lab" else "vtn-utility",
    )
    parts = tuple(EventVen(ven, status, opt, start - timedelta(minutes=20) if opt else None) for ven, opt in vens)
    history = ((start - timedelta(minutes=40), 0, "issued"),)
    return EventView(session, session == "vtn-lab", facts, start + duration, label, parts, history)


def lab_events() -> list[EventView]:
    done, active, near, far = EventStatus.COMPLETED, EventStatus.ACTIVE, EventStatus.NEAR, EventStatus.FAR
    everyone = [("ven-1", "optIn"), ("ven-2", ""), ("ven-3", "optIn"), ("ven-5", "optIn"), ("ven-11", "optIn")]
    mixed = [("ven-3", "optIn"), ("ven-4", "optIn"), ("ven-9", "optOut")]
    south = [("ven-9", "optIn"), ("ven-11", "")]
    return [
        event("e-201", done, at("09:00"), 1, "SIMPLE 1", [("ven-1", "optIn"), ("ven-2", "optIn"), ("ven-5", "optOut")]),
        event("e-202", active, at("10:15"), 0.75, "60 %", mixed),
        event("e-17", active, at("10:30"), 1, "7.00 kW", [("ven-7", "optIn")], "LOAD_DISPATCH", "ven-7", 1, 7000.0),
        event("e-203", near, at("11:00"), 1, "SIMPLE 2", everyone),
        event("e-198", EventStatus.CANCELLED, at("12:15"), 0.5, "SIMPLE 1", [("ven-4", "")], modification=2),
        event("e-199", far, at("15:15"), 0.75, "0.42 EUR/kWh", south, "ELECTRICITY_PRICE", value=0.42),
    ]


def lab_reports() -> list[ReportView]:
    made: list[ReportView] = []
    for ven in ("ven-1", "ven-3", "ven-8"):
        for r_id, kind, unit, value in (
            ("grid-power", "usage", "W", "4.82 kW"),
            ("grid-energy", "usage", "Wh", "41.20 kWh"),
            ("ev-soc", "x-resourceStatus", None, "online"),
        ):
            running = ven != "ven-8"
            made.append(
                ReportView(
                    session="vtn-lab",
                    ven_id=ven,
                    report_name="TELEMETRY_USAGE" if unit else "TELEMETRY_STATUS",
                    report_specifier_id="rs-1",
                    r_id=r_id,
                    report_type=kind,
                    reading_type="Direct Read" if unit else "x-notApplicable",
                    unit=unit,
                    resource_id="house",
                    min_period=timedelta(seconds=2),
                    max_period=timedelta(minutes=15),
                    state="running" if running else "offered",
                    report_request_id="rr-1" if running else "",
                    period=timedelta(seconds=10) if running else None,
                    last_at=NOW - timedelta(seconds=4) if running else None,
                    last_value=value if running else "",
                    points=188 if running else 0,
                    series=f"report/{ven}/{r_id}" if running and unit else "",
                )
            )
    return made


def lab_site() -> SiteView:
    until = at("11:30")
    return SiteView(
        name="Site A",
        place="52.0° N 5.9° E, Europe/Amsterdam",
        time=NOW,
        light="yellow",
        net_w=6930.0,
        grid_max_w=11000.0,
        devices=(
            DeviceView("PV roof", "pv", -2350.0, "all of it used here", available_w=-2350.0, max_w=-5000.0,
                       power_series="device/PV roof"),
            DeviceView("Battery", "battery", -1600.0, "discharging", setpoint_w=-1600.0, max_w=5000.0, soc=0.61,
                       capacity_wh=10_000.0, power_series="device/Battery", soc_series="soc/Battery"),
            DeviceView("EVSE", "ev", 7590.0, "charging, limited", setpoint_w=7590.0, wanted_w=11_040.0, max_w=11_040.0,
                       soc=0.44, capacity_wh=60_000.0, current_a=11.0, facts=(("Full", "16:40"),),
                       power_series="device/EVSE", soc_series="soc/EVSE"),
            DeviceView("Washer", "washer", 2050.0, "running, 34 min left", facts=(("Phase", "main wash, fixed"),),
                       max_w=2200.0, power_series="device/Washer"),
            DeviceView("Household", "base load", 1240.0, "base load", power_series="device/Household"),
        ),
        limit=LimitView(7000.0, None, "e-17", until),
        limits=(LimitSpan(at("10:30"), until, 7000.0, None, "e-17"),),
        reasons=(
            ("EVSE", "held at 7.59 kW of 11.04 kW: limit 7.00 kW from event e-17 until 11:30, household 1.24 kW."),
            ("Battery", "gives 1.60 kW so that the EVSE may go on; stops at SoC 30 %."),
            ("Washer", "runs on: the main wash can't be paused."),
        ),
        balance_w=0.0,
        net_series="site/net",
        import_wh=18_200.0,
        export_wh=900.0,
    )  # fmt: skip


def lab_findings() -> list[FindingView]:
    error, warning, info = Severity.ERROR, Severity.WARNING, Severity.INFO
    rows = [
        ("10:42:11.630", 425, error, "516", "ven-12", "ven-12 presented a certificate that is not the one expected."),
        ("10:42:09.102", 421, error, "xml", "192.0.2.77", "The body is not XML: it begins with 'PK'. It was recorded."),
        ("10:42:05.624", 417, info, "315", "ven-8", "96 points in one oadrUpdateReport; the request asked for 15."),
        ("10:42:03.214", 412, error, "schema", "vtn-utility", "eventStatus came before createdDateTime."),
        ("10:42:03.214", 412, warning, "34", "vtn-utility", "x-eiNotification is PT0S; the VEN could not prepare."),
        ("10:42:00.950", 409, warning, "41", "ven-9", "ven-9 answered modification 0 of e-202; it is at 1."),
    ]
    return [FindingView(at(clock), number, level, rule, text, peer) for clock, number, level, rule, peer, text in rows]


ORDER = Finding(
    "schema",
    Severity.ERROR,
    "eventStatus came before createdDateTime; the schema wants createdDateTime first. "
    "The event was accepted all the same.",
    "oadrDistributeEvent/oadrEvent/eiEvent/eventDescriptor/eventStatus",
    "eventStatus",
    "Annex A",
    18,
)  # fmt: skip
NOTICE = Finding(
    "34",
    Severity.WARNING,
    "x-eiNotification is PT0S: the VEN had no time to prepare.",
    "oadrDistributeEvent/oadrEvent/eiEvent/eiActivePeriod/x-eiNotification",
    "x-eiNotification",
    "9.2.2",
    27,
)
SOURCE = """<?xml version="1.0" encoding="UTF-8"?>
<oadr:oadrPayload xmlns:oadr="http://openadr.org/oadr-2.0b/2012/07">
  <oadr:oadrSignedObject>
    <oadr:oadrDistributeEvent ei:schemaVersion="2.0b">
      <ei:eiResponse>
        <ei:responseCode>200</ei:responseCode>
      </ei:eiResponse>
      <pyld:requestID>req-8812</pyld:requestID>
      <ei:vtnID>vtn-utility</ei:vtnID>
      <oadr:oadrEvent>
        <ei:eiEvent>
          <ei:eventDescriptor>
            <ei:eventID>e-17</ei:eventID>
            <ei:eventStatus>active</ei:eventStatus>
            <ei:createdDateTime>2026-06-16T08:41:50Z</ei:createdDateTime>
          </ei:eventDescriptor>
        </ei:eiEvent>
        <oadr:oadrResponseRequired>always</oadr:oadrResponseRequired>
      </oadr:oadrEvent>
    </oadr:oadrDistributeEvent>
  </oadr:oadrSignedObject>
</oadr:oadrPayload>
"""


def leaf(
    name: str,
    value: str = "",
    meaning: str = "",
    path: str = "",
    findings: tuple[Finding, ...] = (),
    children: tuple[Node, ...] = (),
) -> Node:
    """A node with what a test cares about."""
    line = findings[0].line if findings else 5
    return Node(name, value, meaning, "9.2.2", path, line, findings, children)


def lab_tree(element: str) -> Node:
    """The tree of an oadrDistributeEvent with two findings, whatever the element is called."""

    def grow(
        path: str, name: str, value: str = "", meaning: str = "", *children: Node, found: Finding | None = None
    ) -> Node:
        below = f"{path}/{name}" if path else name
        return leaf(name, value, meaning, below, (found,) if found else (), children)

    top = f"{element}/oadrEvent/eiEvent"
    descriptor = f"{top}/eventDescriptor"
    period = f"{top}/eiActivePeriod"
    return grow(
        "", element, "2.0b", "",
        grow(element, "eiResponse", "200", "OK"),
        grow(element, "requestID", "req-8812"),
        grow(element, "vtnID", "vtn-utility"),
        grow(element, "oadrEvent", "", "1 of 1",
             grow(f"{element}/oadrEvent", "eiEvent", "", "",
                  grow(top, "eventDescriptor", "", "",
                       grow(descriptor, "eventID", "e-17"),
                       grow(descriptor, "modificationNumber", "1", "was 0"),
                       grow(descriptor, "priority", "1", "highest"),
                       grow(descriptor, "marketContext", "http://dso.example/limits/of/the/north/and/the/west"),
                       grow(descriptor, "eventStatus", "active", "", found=ORDER),
                       grow(descriptor, "createdDateTime", "2026-06-16T08:41:50Z", "13 s before it came"),
                       grow(descriptor, "testEvent", "false")),
                  grow(top, "eiActivePeriod", "", "",
                       grow(period, "dtstart", "2026-06-16T08:30:00Z", "10:30 local"),
                       grow(period, "duration", "PT1H", "until 11:30"),
                       grow(period, "x-eiNotification", "PT0S", "", found=NOTICE)),
                  grow(top, "eiEventSignals", "", "1 signal",
                       grow(f"{top}/eiEventSignals", "signalName", "LOAD_DISPATCH"),
                       grow(f"{top}/eiEventSignals", "signalType", "setpoint"),
                       grow(f"{top}/eiEventSignals", "interval", "7000", "7.00 kW for PT1H")),
                  grow(top, "eiTarget", "ven-7", "venID")),
             grow(f"{element}/oadrEvent", "oadrResponseRequired", "always")),
    )  # fmt: skip
