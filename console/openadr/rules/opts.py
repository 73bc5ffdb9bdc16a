"""Rules on opt schedules: table 9 of clause 9.2."""

from __future__ import annotations

from console.openadr.model import OadrCancelOpt, OadrCreateOpt
from console.openadr.rules.events import names_only_device_classes, unknown_device_classes
from console.openadr.rules.register import Found, error, rule, warning

_CLAUSE = "9.2.3"


@rule(200, clause=_CLAUSE, on=OadrCreateOpt)
def availability_is_plain(message: OadrCreateOpt, found: Found) -> None:
    """A time of availability has a start and a duration, and no tolerance, notification, ramp or recovery."""
    unused = ("start_after", "notification", "ramp_up", "recovery")
    for available in message.vavailability:
        if any(getattr(available, name) is not None for name in unused):
            text = (
                "A time of availability has a tolerance, notification, ramp or recovery; only start and duration count."
            )
            found(error, text, at=available)


@rule(206, clause=_CLAUSE, on=OadrCreateOpt)
def an_opt_is_about_times_or_an_event(message: OadrCreateOpt, found: Found) -> None:
    """An opt names times of availability or one event, and with an event no market context."""
    if message.qualified_event_id is None and not message.vavailability:
        found(error, "The opt names neither times of availability nor an event.")
    if message.qualified_event_id is not None and message.vavailability:
        found(error, "The opt names an event and times of availability; only one of them is allowed.")
    if message.qualified_event_id is not None and message.market_context is not None:
        found(error, "An opt about an event has no market context.", field="market_context")


@rule(208, clause=_CLAUSE, on=OadrCreateOpt)
def an_opt_targets_its_own_ven(message: OadrCreateOpt, found: Found) -> None:
    """The target of an opt names no other VEN than the one that sends it."""
    for named in message.target.ven_ids:
        if named != message.ven_id:
            text = f"The opt of {message.ven_id} targets {named}; a VEN speaks for itself only."
            found(error, text, at=message.target)


@rule(209, clause=_CLAUSE, on=OadrCreateOpt)
def device_classes_only(message: OadrCreateOpt, found: Found) -> None:
    """oadrDeviceClass names device classes only, and is left out where there are none."""
    if message.device_class is not None and not names_only_device_classes(message.device_class):
        found(error, "oadrDeviceClass may hold endDeviceAsset only, and at least one.", at=message.device_class)


@rule(209, clause=_CLAUSE, on=OadrCreateOpt)
def device_classes_are_listed(message: OadrCreateOpt, found: Found) -> None:
    """A device class is one of the standard's list, or a name of one's own starting with x-."""
    for name in unknown_device_classes(message.device_class) if message.device_class else ():
        found(warning, f"The device class {name} is not in the standard's list.", at=message.device_class)


@rule(204, clause=_CLAUSE, on=(OadrCreateOpt, OadrCancelOpt))
def an_opt_has_an_id(message: OadrCreateOpt | OadrCancelOpt, found: Found) -> None:
    """An opt carries an optID; it need not be unique."""
    if not message.opt_id.strip():
        found(error, "The optID is empty; the opt could not be taken back.", field="opt_id")
