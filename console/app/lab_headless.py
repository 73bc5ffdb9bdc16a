"""The lab without a window: facts as they happen, and at the end a summary of what was seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from console.app.lab import VEN_NAME, VTN_NAME, Lab
from console.app.lab_settings import LabSettings
from console.app.running import DONE, NEVER_REGISTERED, Printer, complain, until_interrupted, wait
from console.app.words import event_label, watts
from console.app.workspace import Workspace
from console.openadr.facts import (
    Closed,
    EventChanged,
    EventStatus,
    Fact,
    FindingMade,
    OptChanged,
    ReasonGiven,
    Registered,
    ReportPoint,
    ReportsOffered,
)

DEFAULT_RUN = timedelta(seconds=60)
_WAYS = ("not exchanged", "exchanged one way", "exchanged both ways")


@dataclass(slots=True)
class Seen:
    """What the summary is made of; all of it happened."""

    origin: datetime
    registered: datetime | None = None
    metadata: set[str] = field(default_factory=set)
    points: int = 0
    first_point: datetime | None = None
    events: dict[str, EventChanged] = field(default_factory=dict)
    started: dict[str, datetime] = field(default_factory=dict)
    opts: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    findings: int = 0
    reasons: dict[str, str] = field(default_factory=dict)

    def note(self, session: str, fact: Fact, at: datetime) -> None:
        match fact:
            case Registered() if session == VTN_NAME:
                self.registered = self.registered or at
            case ReportsOffered():
                self.metadata.add(session)
            case ReportPoint() if session == VTN_NAME:
                self.points += 1
                self.first_point = self.first_point or at
            case EventChanged() if session == VEN_NAME:
                self.events[fact.event_id] = fact
                if fact.status == EventStatus.ACTIVE:
                    self.started.setdefault(fact.event_id, at)
            case OptChanged() if session == VTN_NAME:
                self.opts[fact.event_id] = (fact.opt_type, at)
            case FindingMade():
                self.findings += 1
            case ReasonGiven():
                self.reasons[fact.device] = fact.text
            case _:
                pass

    def after(self, at: datetime | None, speed: float) -> str:
        """Real seconds from the start to ``at``."""
        return f"after {(at - self.origin).total_seconds() / speed:.1f} s" if at else "not seen"


def summary(lab: Lab, seen: Seen) -> list[str]:
    """What happened, a line each."""
    tz, speed, desk = lab.zone, lab.settings.speed, lab.desk
    site = desk.site()
    verb = "went on from" if lab.continues else "started"
    lines = [
        f"clock         {verb} {lab.origin.astimezone(tz):%H:%M} local at {site.place if site else lab.site_file}, "
        f"speed {speed:g}, now {lab.clock.now().astimezone(tz):%H:%M:%S}",
        f"registered    {seen.after(seen.registered, speed)}",
        f"metadata      {_WAYS[len(seen.metadata)]}",
        f"telemetry     {seen.points} points, first {seen.after(seen.first_point, speed)}",
    ]
    for event_id, event in seen.events.items():
        answer = seen.opts[event_id][0] if event_id in seen.opts else "not yet"
        began = seen.after(seen.started.get(event_id), speed)
        end = f" to {(event.start + event.duration).astimezone(tz):%H:%M}" if event.duration else ""
        lines.append(
            f"event {event_id:7s} {event_label(event)} from {event.start.astimezone(tz):%H:%M:%S}{end}, "
            f"{event.status}, started {began}, answered {answer}"
        )
    if site:
        shown = ", ".join(f"{device.name} {watts(device.power_w)}" for device in site.devices)
        limit = f", limit {watts(site.limit.upper_w)}" if site.limit and site.limit.upper_w is not None else ""
        lines.append(f"house         connection point {watts(site.net_w)}{limit}; {shown}")
        lines += [f"reason        {device}: {text}" for device, text in site.reasons]
    lines.append(f"messages      {len(desk.messages)} recorded, {seen.findings} findings")
    return lines


async def run_lab(settings: LabSettings, seconds: timedelta | None, as_json: bool) -> int:
    """Run the lab for ``seconds`` of real time (a minute unless told otherwise) or until Ctrl+C."""
    stop = until_interrupted()
    workspace = Workspace(settings.store, settings.keep)
    lab = workspace.make_lab(settings)
    printer = Printer(as_json, lab.zone)
    seen = Seen(lab.origin)
    lab.desk.listeners.append(lambda session, fact, at: seen.note(session, fact, at))
    lab.desk.listeners.append(lambda session, fact, at: printer(fact, at) if _worth_a_line(session, fact) else None)
    try:
        await lab.start()
        await wait(lab.clock, stop, seconds or DEFAULT_RUN)
        lines = summary(lab, seen)
    finally:
        await workspace.close()
    printer(Closed(), lab.clock.now())
    for line in lines:
        complain(line) if as_json else print(line, flush=True)
    return DONE if seen.registered else NEVER_REGISTERED


def _worth_a_line(session: str, fact: Fact) -> bool:
    """Each thing once, though both nodes are ours: the VEN says why it answers, the VTN all the rest."""
    if isinstance(fact, OptChanged):
        return session == VEN_NAME
    if isinstance(fact, Registered | EventChanged):
        return session == VTN_NAME
    return not isinstance(fact, ReportPoint)
