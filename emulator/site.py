"""A site: a place, its devices, a connection point, stepped together from instant to instant.

The site reads no clock: `Site.step_to` runs it up to a time in fixed steps, asking its controller (an energy manager)
before each. Without a controller every device goes by itself. For one configuration, start and seed the course is the
same every time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Protocol, TypeVar

import numpy as np

from emulator.cem.ports import DeviceSnapshot, LightState, LimitInForce, Reason, SiteSnapshot
from emulator.day_curves import HouseholdPower, Place, SunPower
from emulator.devices import (
    BaseLoad,
    BaseLoadConfig,
    Battery,
    BatteryConfig,
    Device,
    EvCharger,
    EvConfig,
    GridMeter,
    MeterConfig,
    PvConfig,
    PvPlant,
    Washer,
    WasherConfig,
)
from emulator.devices.faults import FaultBook, FaultKind
from emulator.island import Island
from emulator.links.ports import Ports
from emulator.physics import pv

DeviceConfig = PvConfig | BatteryConfig | EvConfig | WasherConfig | BaseLoadConfig | MeterConfig
_D = TypeVar("_D")


@dataclass(frozen=True, slots=True)
class SiteConfig:
    """What a site file says, in W, Wh and seconds."""

    name: str
    place: Place
    connection_w: float
    """Most the connection carries, either way."""
    devices: tuple[DeviceConfig, ...]
    start: time | None = None
    """Local time of day at which the site likes to begin; None is now."""
    failsafe_w: float | None = 4_200.0
    """Most it draws when the grid side is lost; None is no limit."""
    essential: tuple[str, ...] = ()
    """Devices on the circuits that a backup battery carries through a power cut."""
    ports: Ports = Ports()
    """Doors for equipment from elsewhere."""
    planner: bool = False
    """Whether its energy manager plans the day, or goes by the rules of the moment alone."""


def starting_instant(config: SiteConfig, wall: datetime, at: time | None = None) -> datetime:
    """When a site begins: at ``at``, or else its own ``start``, local time of the present day there; or else now.

    Parameters
    ----------
    config : SiteConfig
    wall : datetime
        The present, aware.
    at : time, optional
        Local time of day that goes before the configuration's.

    Returns
    -------
    datetime
        Aware, UTC.
    """
    chosen = config.start if at is None else at
    if chosen is None:
        return wall.astimezone(UTC)
    today = wall.astimezone(config.place.zone).date()
    return datetime.combine(today, chosen, config.place.zone).astimezone(UTC)


class Controller(Protocol):
    """Steers the devices of a site: an energy manager."""

    @property
    def limit(self) -> LimitInForce | None: ...

    @property
    def light(self) -> LightState: ...

    @property
    def reasons(self) -> tuple[Reason, ...]: ...

    def control(self, site: Site, now: datetime) -> None:
        """Look at the site as it is at ``now`` and tell its devices what to do from then on."""
        ...


class Site:
    """The devices of a site at one instant, which only `step_to` moves on."""

    def __init__(self, config: SiteConfig, start: datetime, seed: int = 0) -> None:
        """Put the devices up at ``start`` (aware); times of day in the configuration are the next ones after it.

        Building a site with a PV plant computes its first day: about a second with the import of pvlib.
        """
        self.config = config
        self.name = config.name
        self.place = config.place
        self.connection_w = config.connection_w
        self.start = start.astimezone(UTC)
        self.now = self.start
        self.controller: Controller | None = None
        self._seed = seed
        meter = next((each for each in config.devices if isinstance(each, MeterConfig)), MeterConfig("meter"))
        self.meter = GridMeter(meter, np.random.default_rng((seed, 1)))
        self.devices: tuple[Device, ...] = tuple(
            self._build(each) for each in config.devices if not isinstance(each, MeterConfig)
        )
        """All but the meter: what they draw adds up to the net power."""
        self.addresses: dict[str, tuple[tuple[str, str], ...]] = {}
        """Where devices can be reached from outside, by name: (protocol, address), shown among their facts."""
        self.watchers: list[Callable[[datetime, float], None]] = []
        """Called after each step with its end and its length [s]: what counts energy and keeps timers by site time."""
        self.faults = FaultBook()
        """What is wrong with its devices, now and later."""
        self.island: Island | None = None
        """How it goes on while the grid is gone; None while there is one."""
        self.net_w = 0.0
        """Mean of the step last made, ``+`` is import."""

    @property
    def plants(self) -> tuple[PvPlant, ...]:
        return self._of(PvPlant)

    @property
    def batteries(self) -> tuple[Battery, ...]:
        return self._of(Battery)

    @property
    def chargers(self) -> tuple[EvCharger, ...]:
        return self._of(EvCharger)

    @property
    def washers(self) -> tuple[Washer, ...]:
        return self._of(Washer)

    @property
    def base_loads(self) -> tuple[BaseLoad, ...]:
        return self._of(BaseLoad)

    def device(self, name: str) -> Device:
        """The device of that name.

        Raises
        ------
        KeyError
            There is none.
        """
        for each in (*self.devices, self.meter):
            if each.name == name:
                return each
        raise KeyError(name)

    def plug(self, device: Device) -> None:
        """Connect one more device while the site runs.

        Raises
        ------
        ValueError
            One of that name is there.
        """
        if any(device.name == each.name for each in (*self.devices, self.meter)):
            raise ValueError(f"two devices called {device.name}")
        self.devices = (*self.devices, device)

    def unplug(self, device: Device) -> None:
        """It leaves; one that is not here does no harm."""
        self.devices = tuple(each for each in self.devices if each is not device)
        self.addresses.pop(device.name, None)

    def step_to(self, now: datetime, max_step_s: float = 1.0) -> int:
        """Run up to ``now`` in whole steps of ``max_step_s``; what is left over waits for the next call.

        Returns
        -------
        int
            Steps made; 0 when ``now`` is less than a step ahead, or past.
        """
        steps = int((now - self.now) / timedelta(seconds=max_step_s) + 1e-9)
        for _ in range(steps):
            self.step(max_step_s)
        return max(steps, 0)

    def step(self, dt_s: float) -> None:
        """Ask the controller, run every device for ``dt_s``, read the meter."""
        if self.controller is not None:
            self.controller.control(self, self.now)
        if self.faults and FaultKind.POWER_CUT in self.faults.of("", self.now):
            self.island = self.island or Island(self.config.essential)
            self.island.step(self.devices, self.now, dt_s)
            self.faults.dark = self.island.dark(self.devices)
        else:
            if self.island is not None:
                self.island, self.faults.dark = None, frozenset()
            self._step_devices(dt_s)
        self.net_w = sum(each.power_w for each in self.devices)
        self.meter.read(self.net_w, dt_s)
        self.now += timedelta(seconds=dt_s)
        for watch in self.watchers:
            watch(self.now, dt_s)

    def _step_devices(self, dt_s: float) -> None:
        for each in self.devices:
            if self.faults and FaultKind.OFFLINE in self.faults.of(each.name, self.now):
                each.power_w = 0.0
            else:
                each.step(self.now, dt_s)

    def imbalance_w(self) -> float:
        """Sum of the devices as they tell it minus what the meter reads; anything but 0 is a fault to be shown."""
        return sum(each.snapshot().power_w for each in self.devices) - self.meter.snapshot().power_w

    def snapshot(self) -> SiteSnapshot:
        controller = self.controller
        devices: list[DeviceSnapshot] = [self._addressed(each) for each in (*self.devices, self.meter)]
        return SiteSnapshot(
            name=self.name,
            time=self.now,
            devices=tuple(devices),
            net_w=self.net_w,
            import_wh=self.meter.import_wh,
            export_wh=self.meter.export_wh,
            limit=None if controller is None else controller.limit,
            light=LightState.GREEN if controller is None else controller.light,
            reasons=self.reasons(),
            voltage_v=self.meter.voltage_v,
            frequency_hz=self.meter.frequency_hz,
        )

    def reasons(self) -> tuple[Reason, ...]:
        """Why the devices do what they do: the controller's words, or their own where it has none."""
        told = () if self.controller is None else self.controller.reasons
        spoken_for = {reason.device for reason in told}
        own = (Reason(each.name, each.reason()) for each in self.devices if each.name not in spoken_for)
        return (*told, *(reason for reason in own if reason.text))

    def _addressed(self, device: Device) -> DeviceSnapshot:
        snapshot, addresses = device.snapshot(), self.addresses.get(device.name)
        return replace(snapshot, facts=(*snapshot.facts, *addresses)) if addresses else snapshot

    def next_local(self, at: time, after: datetime) -> datetime:
        """The first instant after ``after`` at which clocks here show ``at``, in UTC."""
        local = after.astimezone(self.place.zone)
        candidate = local.replace(hour=at.hour, minute=at.minute, second=at.second, microsecond=0)
        if candidate <= local:
            # by the calendar, not by 24 hours: the two differ when summer time begins or ends
            candidate = datetime.combine(local.date() + timedelta(days=1), at, self.place.zone)
        return candidate.astimezone(UTC)

    def _of(self, kind: type[_D]) -> tuple[_D, ...]:
        return tuple(each for each in self.devices if isinstance(each, kind))

    def _build(self, config: DeviceConfig) -> Device:
        match config:
            case PvConfig():
                sun = SunPower(self._plant(config))
                sun.prepare(self.start.date())
                return PvPlant(config, sun)
            case BatteryConfig():
                return Battery(config)
            case EvConfig():
                leaves = None if config.departure is None else self.next_local(config.departure, self.start)
                return EvCharger(config, leaves if config.plugged else None, self.place.zone)
            case WasherConfig():
                return self._washer(config)
            case BaseLoadConfig():
                household = HouseholdPower(self.place, config.yearly_wh, self._seed, config.name)
                household.prepare(self.start.date())
                return BaseLoad(config, household)
            case MeterConfig():
                raise AssertionError("the meter is not one of the devices")

    def _plant(self, config: PvConfig) -> pv.Plant:
        return pv.Plant(
            latitude=self.place.latitude,
            longitude=self.place.longitude,
            altitude_m=self.place.altitude_m,
            peak_w=config.peak_w,
            inverter_w=config.ac_w,
            tilt_deg=config.tilt_deg,
            azimuth_deg=config.azimuth_deg,
        )

    def _washer(self, config: WasherConfig) -> Washer:
        earliest = self.start if config.earliest_start is None else self.next_local(config.earliest_start, self.start)
        latest_end = None if config.ready_by is None else self.next_local(config.ready_by, earliest)
        return Washer(config, earliest, latest_end, self.place.zone)
