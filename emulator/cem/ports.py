"""The two ports of a customer energy manager: grid signals in, telemetry and reasons out.

Plain frozen records, no library types, so that any grid side (an OpenADR VEN, a test, a script) can be joined to the
CEM. Power in W, energy in Wh, ``+`` is consumption and import, times aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Scope(StrEnum):
    """What a signal speaks about."""

    SITE = "site"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class GridSignal:
    """One span of one signal of one event, already laid on the time axis."""

    source: str
    """What to call it in a reason: the eventID, e.g. ``e-17``."""
    start: datetime
    end: datetime | None
    """Exclusive; None is open ended."""
    priority: int = 0
    """OpenADR priority: 1 is most important, 0 is none and last."""
    abnormal: bool = False
    """Grid emergency: unlocks what comfort would forbid (S2 abnormal_condition)."""
    test: bool = False
    """Told and shown, not acted on."""
    device: str = ""
    """Name of the only device meant; empty for the site."""


@dataclass(frozen=True, slots=True)
class LimitSignal(GridSignal):
    """Net power of the site (or device) has to stay within these, in W; None is no bound on that side."""

    upper_w: float | None = None
    lower_w: float | None = None


@dataclass(frozen=True, slots=True)
class LevelSignal(GridSignal):
    """SIMPLE: 0 normal, 1 moderate, 2 high, 3 special."""

    level: int = 0


@dataclass(frozen=True, slots=True)
class PriceSignal(GridSignal):
    """Import price in currency per kWh."""

    price: float = 0.0
    currency: str = "EUR"


@dataclass(frozen=True, slots=True)
class EnergySignal(GridSignal):
    """CHARGE_STATE: what stores should hold at the end of the span; one of the three is given."""

    wh: float | None = None
    share: float | None = None
    """Of the capacity, 0..1."""
    change_wh: float | None = None
    """Against what they hold when it begins."""


@dataclass(frozen=True, slots=True)
class DemandSignal(GridSignal):
    """DEMAND_CHARGE: price of the highest import power in the span, in currency per kW."""

    price: float = 0.0
    currency: str = "EUR"


class Control(StrEnum):
    """LOAD_CONTROL: how a value is meant."""

    CAPACITY = "x-loadControlCapacity"
    """Share of its greatest power, 0..1."""
    LEVEL = "x-loadControlLevelOffset"
    """Steps from normal."""
    PERCENT = "x-loadControlPercentOffset"
    """Percent from normal."""
    SETPOINT = "x-loadControlSetpoint"
    """W."""


@dataclass(frozen=True, slots=True)
class ControlSignal(GridSignal):
    """LOAD_CONTROL: what devices may use of themselves."""

    control: Control = Control.CAPACITY
    value: float = 1.0
    device_class: str = ""
    """endDeviceAsset mRID, such as ``Storage``; empty is every device that can be steered."""


class LightState(StrEnum):
    """Traffic light of the connection: market, contracted flexibility, emergency, grid side lost."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    FAILSAFE = "failsafe"


@dataclass(frozen=True, slots=True)
class LimitInForce:
    """The binding limit on the site's net power now."""

    upper_w: float | None
    lower_w: float | None
    source: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a device does what it does, in one line, and the same for machines."""

    device: str
    text: str
    binding: str = ""
    """The constraint that decides: ``limit``, ``device limit``, ``emergency``, ``price``, ``user`` …; empty is none."""
    source: str = ""
    """Where it comes from: eventID, ``user``, ``tariff``, ``connection``, ``device``."""


@dataclass(frozen=True, slots=True)
class DeviceFlexibility:
    """What one device could do differently for a while."""

    device: str
    up_w: float = 0.0
    """Less consumption or more generation; not negative."""
    down_w: float = 0.0
    stored_wh: float = 0.0
    room_wh: float = 0.0


@dataclass(frozen=True, slots=True)
class Flexibility:
    """What the site could do differently for a while: the sum of its devices."""

    time: datetime
    lasts: timedelta
    up_w: float
    down_w: float
    stored_wh: float
    room_wh: float
    """Energy its stores could still take."""
    devices: tuple[DeviceFlexibility, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejoining:
    """A device that comes back after a power cut, announced ahead."""

    device: str
    at: datetime
    power_w: float
    """Most it may draw from then on."""


@dataclass(frozen=True, slots=True)
class DeviceSnapshot:
    """One device as it is now."""

    name: str
    kind: str
    """``pv``, ``battery``, ``ev``, ``washer``, ``base load``, ``meter``."""
    power_w: float
    state: str
    """A word or two for people: ``charging``, ``running, 34 min left``, ``limited``."""
    setpoint_w: float | None = None
    wanted_w: float | None = None
    """What it would draw (or, negative, give) if nobody held it."""
    max_w: float | None = None
    soc: float | None = None
    """State of charge, 0..1."""
    capacity_wh: float | None = None
    available_w: float | None = None
    """PV: power there would be without curtailment, negative."""
    current_a: float | None = None
    """EVSE: current offered to the car."""
    facts: tuple[tuple[str, str], ...] = ()
    """More to show on its card: (label, value)."""


@dataclass(frozen=True, slots=True)
class SiteSnapshot:
    """The whole site at one instant."""

    name: str
    time: datetime
    devices: tuple[DeviceSnapshot, ...]
    net_w: float
    """At the connection point; + is import."""
    import_wh: float
    export_wh: float
    limit: LimitInForce | None
    light: LightState
    reasons: tuple[Reason, ...]
    voltage_v: float = 230.0
    frequency_hz: float = 50.0
