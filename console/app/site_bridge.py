"""Joins a house to a VEN: the one place where the console knows the emulator.

Down: events the VEN takes part in become limits, levels and prices on the CEM's grid port. Up: the CEM's opinion
becomes the opt answer, measurements become samples of the VEN's reports. Sideways: the house becomes plain views and
facts. The VEN stays ignorant of devices, the house of OpenADR.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from console.app.limit_spans import LimitSpans
from console.app.series import SeriesBook
from console.app.toml_file import FileError
from console.app.views import DeviceView, LimitSpan, LimitView, Outcome, SiteView
from console.openadr.commands import Offer, Sample
from console.openadr.facts import (
    DeviceChanged,
    EventChanged,
    EventGone,
    EventStatus,
    Fact,
    ReasonGiven,
    SignalFact,
    StatusValue,
)
from emulator.__main__ import main as emulator_main
from emulator.cem.house import HouseController, connect
from emulator.cem.ports import (
    Control,
    ControlSignal,
    DemandSignal,
    DeviceSnapshot,
    EnergySignal,
    GridSignal,
    LevelSignal,
    LightState,
    LimitSignal,
    PriceSignal,
    SiteSnapshot,
)
from emulator.cem.quality import Quality
from emulator.links.ports import PortTrouble
from emulator.site import Site
from emulator.site_file import SiteFileError, read_site_file

if TYPE_CHECKING:
    from emulator.links.site_links import SiteLinks

log = logging.getLogger(__name__)

BASE_PRICE = 0.30
"""What a relative or multiplied price refers to where the site file names none. [EUR/kWh]"""

_TELL_POWER = 0.05
"""Share of a device's power that has to change before it is told anew."""


@dataclass(frozen=True, slots=True)
class _Told:
    power: float
    state: str


class SiteBridge:
    """One house, stepped by the desk's clock.

    Parameters
    ----------
    site_file
        TOML description of the house.
    start
        First instant of the site, aware.
    seed
        Of everything random in the house.

    Raises
    ------
    FileError
        The site file cannot be used; the text names file, line, problem and what is allowed.
    """

    def __init__(self, site_file: Path, start: datetime, seed: int = 0, series: SeriesBook | None = None) -> None:
        try:
            self.config = read_site_file(site_file)
        except SiteFileError as error:
            raise FileError(error.file, error.problem, error.allowed, error.line) from None
        self.timezone: tzinfo = self.config.place.zone
        self.site = Site(self.config, start, seed)
        self.house: HouseController = connect(self.site, self.timezone)
        self.series = series or SeriesBook()
        self.listeners: list[Callable[[Fact], None]] = []
        self._events: dict[str, EventChanged] = {}
        self._opted_out: set[str] = set()
        self._baseline: dict[str, float] = {}
        self._limits = LimitSpans()
        self._told: dict[str, _Told] = {}
        self._reasons: dict[str, str] = {}
        self._snapshot: SiteSnapshot = self.site.snapshot()

    @property
    def name(self) -> str:
        return self.config.name

    @asynccontextmanager
    async def doors(self) -> AsyncIterator[None]:
        """Keep open what the site file asks for: S2, OCPP, SunSpec.

        A port that cannot be had is logged in one sentence, and the house lives on without any of them.
        """
        async with AsyncExitStack() as stack:
            if self.config.ports.any:
                open_links = await asyncio.to_thread(_open_links)  # a second of imports, not on the loop that paints
                try:
                    links = await stack.enter_async_context(open_links(self.site, self.house, self.config.ports))
                    for what, address in links.addresses:
                        log.info("%s: %s: %s", self.name, what, address)
                except PortTrouble as trouble:
                    log.warning("%s: %s", self.name, trouble)
            yield

    # Time ---------------------------------------------------------------------------------------------

    def step_to(self, now: datetime) -> None:
        """Let the house live until ``now``, record its series and tell what changed."""
        self.site.step_to(now)
        self._snapshot = self.site.snapshot()
        self._limits.hold(self._limit(), self._snapshot.time)
        if self._snapshot.time > self.site.start:  # before the first step all powers are nought, which says nothing
            self._record(self._snapshot)
            self._tell(self._snapshot)

    def _record(self, snapshot: SiteSnapshot) -> None:
        at = snapshot.time
        self.series.add(self._key("net"), at, snapshot.net_w, "W")
        for device in snapshot.devices:
            if device.kind == "meter":
                continue
            self.series.add(self._key(device.name, "power"), at, device.power_w, "W")
            if device.soc is not None:
                self.series.add(self._key(device.name, "soc"), at, device.soc * 100.0, "%")

    def _key(self, *parts: str) -> str:
        return "/".join(("site", self.name, *parts))

    def _tell(self, snapshot: SiteSnapshot) -> None:
        for device in snapshot.devices:
            told = self._told.get(device.name)
            near = told and abs(device.power_w - told.power) <= max(50.0, _TELL_POWER * abs(told.power))
            if told and near and told.state == device.state:
                continue
            self._told[device.name] = _Told(device.power_w, device.state)
            self._announce(DeviceChanged(device.name, device.kind, device.power_w, device.state))
        reasons = {reason.device: reason.text for reason in snapshot.reasons}
        for device_name, text in reasons.items():
            if self._reasons.get(device_name) != text:
                self._announce(ReasonGiven(device_name, text))
        self._reasons = reasons

    def _announce(self, fact: Fact) -> None:
        for listener in self.listeners:
            listener(fact)

    # Grid side: down ----------------------------------------------------------------------------------

    def on_fact(self, fact: Fact, now: datetime) -> None:
        """Take in what the VEN learned about its events."""
        if isinstance(fact, EventChanged):
            if fact.status in (EventStatus.CANCELLED, EventStatus.COMPLETED):
                self._events.pop(fact.event_id, None)
            else:
                self._events[fact.event_id] = fact
                self._baseline.setdefault(fact.event_id, self._snapshot.net_w)
        elif isinstance(fact, EventGone):
            self._events.pop(fact.event_id, None)
        else:
            return
        self._send_signals()

    def set_opt(self, event_id: str, opt_type: str) -> None:
        """What the VEN answered: an event opted out of does not reach the house."""
        if opt_type == "optOut":
            self._opted_out.add(event_id)
        else:
            self._opted_out.discard(event_id)
        self._send_signals()

    def decide(self, event: EventChanged, now: datetime) -> tuple[str, str]:
        """The CEM's opinion as an opt answer and a sentence."""
        signals = self.signals_of(event)
        opinion = self.house.opinion(signals, now)
        return ("optIn" if opinion.opt_in else "optOut"), opinion.text

    def _send_signals(self) -> None:
        signals: list[GridSignal] = []
        for event in self._events.values():
            if event.event_id not in self._opted_out:
                signals.extend(self.signals_of(event))
        self._limits.announce(
            LimitSpan(signal.start, signal.end, signal.upper_w, signal.lower_w, signal.source)
            for signal in signals
            if isinstance(signal, LimitSignal) and not signal.device and not signal.test
        )
        self.house.receive(signals)

    def signals_of(self, event: EventChanged) -> list[GridSignal]:
        """The spans of an event on the CEM's grid port, after the signal table of rule 104."""
        signals: list[GridSignal] = []
        for signal in event.signals:
            for interval in signal.intervals:
                end = interval.start + interval.duration if interval.duration else None
                made = self._signal(event, signal, interval.value, interval.start, end)
                if made is not None:
                    signals.append(made)
        return signals

    def _signal(
        self, event: EventChanged, signal: SignalFact, value: float, start: datetime, end: datetime | None
    ) -> GridSignal | None:
        common = {
            "source": event.event_id, "start": start, "end": end, "priority": event.priority,
            "test": event.test_event,
        }  # fmt: skip
        base = self._baseline.get(event.event_id, self._snapshot.net_w)
        match signal.name.upper(), signal.type:
            case "SIMPLE", _:
                return LevelSignal(**common, abnormal=value >= 3, level=round(value))
            case "LOAD_DISPATCH", "setpoint":
                return LimitSignal(**common, upper_w=value)
            case "LOAD_DISPATCH", "delta":
                return LimitSignal(**common, upper_w=base + value)
            case "LOAD_DISPATCH", "multiplier":
                return LimitSignal(**common, upper_w=base * value)
            case "LOAD_DISPATCH", "level":
                # A programme's own levels; read like SIMPLE, whose scale ends at 3.
                return LevelSignal(**common, level=max(0, min(3, round(value))))
            case (("ELECTRICITY_PRICE" | "ENERGY_PRICE"), kind):
                price = {"priceRelative": BASE_PRICE + value, "priceMultiplier": BASE_PRICE * value}.get(kind, value)
                return PriceSignal(**common, price=price, currency=(signal.unit or "EUR")[:3])
            case "CHARGE_STATE", "setpoint":
                return EnergySignal(**common, wh=value)
            case "CHARGE_STATE", "delta":
                return EnergySignal(**common, change_wh=value)
            case "CHARGE_STATE", "multiplier":
                return EnergySignal(**common, share=value)
            case "LOAD_CONTROL", kind if kind in set(Control):
                return ControlSignal(**common, control=Control(kind), value=value)
            case "DEMAND_CHARGE", "price":
                return DemandSignal(**common, price=value, currency=(signal.unit or "EUR")[:3])
            case "BID_LOAD", "setpoint":
                return LimitSignal(**common, upper_w=value)
            case "BID_ENERGY", "setpoint" if end is not None:
                return LimitSignal(**common, upper_w=value / ((end - start).total_seconds() / 3600.0))
            case _:
                # A bid's price is an echo of what was bid and asks nothing of the house; custom signals are not known.
                return None

    # Grid side: up ------------------------------------------------------------------------------------

    def offers(self, minimum: timedelta = timedelta(seconds=1)) -> tuple[Offer, ...]:
        """What the VEN can report of this house: power of the connection and of each device, energy, status.

        ``minimum`` is the oadrMinPeriod offered.
        """
        offers = [
            Offer(r_id="site:power", resource_id="site", unit="W", min_period=minimum),
            Offer(r_id="site:import", resource_id="site", unit="Wh", min_period=minimum, counter=True),
        ]
        for device in self._snapshot.devices:
            if device.kind != "meter":
                resource = resource_of(device.name)
                offers.append(Offer(r_id=f"{resource}:power", resource_id=resource, unit="W", min_period=minimum))
        for group, _ in self._groups():
            offers.append(Offer(r_id=f"{group}:power", resource_id=group, unit="W", min_period=minimum))
        offers.append(Offer.status("site:status", "site", min_period=minimum))
        return tuple(offers)

    def samples(self) -> tuple[Sample, ...]:
        """Readings of this instant for :class:`console.openadr.commands.Measured`."""
        snapshot = self._snapshot
        samples = [
            Sample("site:power", snapshot.net_w, snapshot.time),
            Sample("site:import", snapshot.import_wh, snapshot.time),
            Sample("site:status", StatusValue(online=True, manual_override=self._overridden()), snapshot.time),
            *(Sample(f"{group}:power", power, snapshot.time) for group, power in self._groups()),
        ]
        for device in snapshot.devices:
            if device.kind != "meter":
                samples.append(Sample(f"{resource_of(device.name)}:power", device.power_w, snapshot.time))
        return tuple(samples)

    def _groups(self) -> tuple[tuple[str, float], ...]:
        """Virtual resources and the sums of their members: all storage, all charge points, all that can be shifted."""
        members = {"storage": {"battery"}, "evse-group": {"ev"}, "flex-load": {"ev", "washer"}}
        devices = self._snapshot.devices
        return tuple(
            (group, sum(device.power_w for device in devices if device.kind in kinds))
            for group, kinds in members.items()
            if any(device.kind in kinds for device in devices)
        )

    def _overridden(self) -> bool:
        """Whether a device goes its own way (oadrManualOverride)."""
        devices = self._snapshot.devices
        return any(self.house.quality(device.name) is Quality.LOCAL_OVERRIDE for device in devices)

    # What a user of the house does --------------------------------------------------------------------------------

    def plug(self, name: str, soc: float, target: float | None = None) -> Outcome:
        """A car arrives at the charge point ``name`` with this state of charge, 0..1."""
        charger = next((each for each in self.site.chargers if each.name == name), None)
        if charger is None:
            return Outcome(False, f"{name} is no charge point.")
        charger.plug(soc, target_soc=target)
        return Outcome(True, f"A car is plugged in at {name}.")

    def unplug(self, name: str) -> Outcome:
        charger = next((each for each in self.site.chargers if each.name == name), None)
        if charger is None:
            return Outcome(False, f"{name} is no charge point.")
        charger.unplug()
        return Outcome(True, f"{name} is free.")

    def load(self, name: str, ready_by: datetime | None = None) -> Outcome:
        """Somebody fills the washer ``name`` and says until when it has to be done."""
        washer = next((each for each in self.site.washers if each.name == name), None)
        if washer is None:
            return Outcome(False, f"{name} is no washer.")
        washer.load(self.site.now, ready_by)
        return Outcome(True, f"{name} is filled.")

    # Views --------------------------------------------------------------------------------------------

    def view(self) -> SiteView:
        snapshot = self._snapshot
        devices = tuple(self._device(device) for device in snapshot.devices if device.kind != "meter")
        return SiteView(
            name=snapshot.name,
            place=place_of(self.config.place.latitude, self.config.place.longitude, self.config.place.timezone),
            time=snapshot.time,
            light=str(snapshot.light),
            net_w=snapshot.net_w,
            grid_max_w=self.config.connection_w,
            devices=devices,
            limit=self._limit(),
            limits=self._limits.spans(snapshot.time),
            reasons=tuple((reason.device, reason.text) for reason in snapshot.reasons),
            balance_w=sum(device.power_w for device in devices) - snapshot.net_w,
            net_series=self._key("net"),
            import_wh=snapshot.import_wh,
            export_wh=snapshot.export_wh,
        )

    def _limit(self) -> LimitView | None:
        limit = self._snapshot.limit
        return LimitView(limit.upper_w, limit.lower_w, limit.source, limit.until) if limit else None

    def _device(self, device: DeviceSnapshot) -> DeviceView:
        return DeviceView(
            name=device.name,
            kind=device.kind,
            power_w=device.power_w,
            state=device.state,
            setpoint_w=device.setpoint_w,
            wanted_w=device.wanted_w,
            max_w=device.max_w,
            soc=device.soc,
            capacity_wh=device.capacity_wh,
            available_w=device.available_w,
            current_a=device.current_a,
            facts=device.facts,
            power_series=self._key(device.name, "power"),
            soc_series=self._key(device.name, "soc") if device.soc is not None else "",
        )

    @property
    def failsafe(self) -> bool:
        return self._snapshot.light is LightState.FAILSAFE


def _open_links() -> type[SiteLinks]:
    from emulator.links.site_links import SiteLinks

    return SiteLinks


def resource_of(name: str) -> str:
    """resourceID of a device: its name in lower case with dashes."""
    return "-".join(name.lower().split())


def place_of(latitude: float, longitude: float, timezone: str) -> str:
    """``52.0° N 5.9° E, Europe/Amsterdam``."""
    north, east = ("N" if latitude >= 0 else "S"), ("E" if longitude >= 0 else "W")
    return f"{abs(latitude):.1f}° {north} {abs(longitude):.1f}° {east}, {timezone}"


def site_zone(site_file: Path) -> ZoneInfo:
    """Time zone of a house, without building it.

    Raises
    ------
    FileError
        The site file cannot be used.
    """
    try:
        return read_site_file(site_file).place.zone
    except SiteFileError as error:
        raise FileError(error.file, error.problem, error.allowed, error.line) from None


def site_command(arguments: Sequence[str]) -> int:
    """``nodebench site …``: the emulator alone, by its own command line; the exit code."""
    return emulator_main(arguments, prog="nodebench site")
