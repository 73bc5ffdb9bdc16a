"""oadrPayloadResourceStatus as a flat StatusValue and back (rules 331, 334)."""

from __future__ import annotations

from console.openadr.facts import StatusValue
from console.openadr.model import OadrLoadControlState, OadrLoadControlStateType, OadrPayloadResourceStatus

QUANTITIES = ("capacity", "level_offset", "percent_offset", "set_point")
PARTS = ("min", "max", "current", "normal")


def status_value(status: OadrPayloadResourceStatus) -> StatusValue:
    """``levels`` holds ``capacity.current`` and the like, in the order of the schema."""
    levels: list[tuple[str, float]] = []
    for name in QUANTITIES if status.load_control_state else ():
        quantity: OadrLoadControlStateType | None = getattr(status.load_control_state, name)
        for part in PARTS if quantity else ():
            value: float | None = getattr(quantity, part)
            if value is not None:
                levels.append((f"{name}.{part}", value))
    return StatusValue(status.online, status.manual_override, tuple(levels))


def resource_status(value: StatusValue) -> OadrPayloadResourceStatus:
    """The reverse of :func:`status_value`; a quantity without ``current`` cannot be sent and is left out."""
    levels = dict(value.levels)
    quantities = {name: _quantity(levels, name) for name in QUANTITIES}
    state = OadrLoadControlState(**quantities) if any(quantities.values()) else None
    return OadrPayloadResourceStatus(
        online=value.online, manual_override=value.manual_override, load_control_state=state
    )


def _quantity(levels: dict[str, float], name: str) -> OadrLoadControlStateType | None:
    current = levels.get(f"{name}.current")
    if current is None:
        return None
    return OadrLoadControlStateType(
        min=levels.get(f"{name}.min"),
        max=levels.get(f"{name}.max"),
        current=current,
        normal=levels.get(f"{name}.normal"),
    )
