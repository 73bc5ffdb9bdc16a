"""What keeps a VEN from taking an event: not for it, not its programme, not its signals (rules 22, 48, 109, 112)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from console.openadr.commands import VenSettings
from console.openadr.model import EiEvent, EiTarget, OadrEvent


@dataclass(frozen=True, slots=True)
class Fault:
    code: str
    text: str
    rule: int
    element: str


def fault_of(event: OadrEvent, settings: VenSettings, ven_id: str) -> Fault | None:
    """The first reason to answer an event with an error and optOut; None to take it."""
    return (
        _target_fault(event.event.target, settings, ven_id)
        or _context_fault(event.event.descriptor.market_context, settings)
        or _signal_fault(event.event, settings)
    )


def _target_fault(target: EiTarget, settings: VenSettings, ven_id: str) -> Fault | None:
    """Values are OR-ed; nothing at all means the recipient. Groups, areas and nodes are the VTN's to resolve."""
    resources = {*settings.resources, *(offer.resource_id for offer in settings.offers if offer.resource_id)}
    named = {*target.ven_ids, *target.resource_ids}
    resolvable = replace(target, ven_ids=(), resource_ids=()) != EiTarget()
    if not named or resolvable or ven_id in target.ven_ids or resources & set(target.resource_ids):
        return None
    return Fault("462", f"it is meant for {', '.join(sorted(named))}, not for {ven_id}", 48, "eiTarget")


def _context_fault(market_context: str, settings: VenSettings) -> Fault | None:
    """Compared as normalised URIs (rule 512)."""
    known = {_normal(context) for context in settings.market_contexts}
    if not known or _normal(market_context) in known:
        return None
    return Fault("462", f"its market context {market_context} is not one of ours", 48, "marketContext")


def _signal_fault(event: EiEvent, settings: VenSettings) -> Fault | None:
    """Any one signal that is not understood is enough (rule 109)."""
    for signal in event.signals:
        if (signal.signal_name, signal.signal_type) not in settings.signals:
            said = f"signal {signal.signal_name} of type {signal.signal_type} is not supported"
            return Fault("460", said, 109, "signalName")
    return None


def _normal(uri: str) -> tuple[str, str, str, str]:
    """Scheme and host without case, percent-encoding undone, no trailing slash."""
    try:
        parts = urlsplit(uri.strip())
    except ValueError:
        return "", "", uri, ""
    return parts.scheme.lower(), parts.netloc.lower(), unquote(parts.path).rstrip("/"), parts.query


def same_event(one: OadrEvent, other: OadrEvent) -> bool:
    """Whether two copies differ in nothing but createdDateTime, eventStatus and currentValue (rule 5)."""
    return _content(one) == _content(other)


def _content(event: OadrEvent) -> OadrEvent:
    told = event.event
    descriptor = replace(told.descriptor, created_date_time=told.active_period.dtstart, event_status="none")
    signals = tuple(replace(signal, current_value=None) for signal in told.signals)
    return replace(event, event=replace(told, descriptor=descriptor, signals=signals))
