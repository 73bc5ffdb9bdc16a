"""When an appliance starts, and when its programme is held before its next step.

It starts on a PV surplus that lasts, on cheap electricity, or at its latest start; a limit, dear electricity or a
saving signal make it wait until then. While it runs it is held only where its profile allows a pause, in an emergency
or when everything else has not been enough.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from emulator.cem.limits import Band
from emulator.cem.plans import Act, AppliancePlan, GuardSettings, House, Targets, Why
from emulator.cem.resources import Appliance
from emulator.cem.tariff import Tariff, Worth

HOLD_AHEAD = timedelta(seconds=60)
"""A step is held when it is this near, not earlier: the cause may be gone by then."""
ASK_AGAIN = timedelta(seconds=60)
"""An appliance that was told to start and still waits is told again after this long."""


class ApplianceRules:
    """Rules for all appliances of a house, and since when each has what it waits for."""

    def __init__(self, settings: GuardSettings) -> None:
        self._settings = settings
        self._surplus_since: dict[str, datetime] = {}
        self._told: dict[str, tuple[str, datetime]] = {}
        self._held: dict[str, str] = {}
        self._over_since: datetime | None = None

    def decide(
        self, house: House, band: Band, tariff: Tariff, over: bool, targets: Targets | None = None
    ) -> tuple[AppliancePlan, ...]:
        """Plans; ``over`` says that the cap is broken although batteries and chargers do all they can."""
        self._over_since = (self._over_since or house.now) if over else None
        lasting = self._over_since is not None and house.now - self._over_since >= self._settings.persists
        return tuple(self._plan(appliance, house, band, tariff, lasting, targets) for appliance in house.appliances)

    def _plan(
        self, appliance: Appliance, house: House, band: Band, tariff: Tariff, over: bool, targets: Targets | None
    ) -> AppliancePlan:
        if appliance.waiting:
            self._held.pop(appliance.name, None)
            return self._waiting(appliance, house, band, tariff, targets)
        self._surplus_since.pop(appliance.name, None)
        self._told.pop(appliance.name, None)
        if appliance.running:
            return self._running(appliance, band, over, house.now)
        self._held.pop(appliance.name, None)
        return AppliancePlan(appliance, Act.NOTHING, Why.FREE)

    def _waiting(
        self, appliance: Appliance, house: House, band: Band, tariff: Tariff, targets: Targets | None
    ) -> AppliancePlan:
        enough = self._surplus_lasts(appliance, house)
        if house.now < appliance.start:
            return AppliancePlan(appliance, Act.NOTHING, Why.WINDOW)
        if band.emergency:
            return AppliancePlan(appliance, Act.NOTHING, Why.EMERGENCY)
        if house.now + 2 * self._settings.period >= appliance.latest_start:
            return self._start(appliance, house.now, Why.LATEST)
        own, _ = band.of(appliance.name)
        if own is not None and own.watts < appliance.peak_w:
            return AppliancePlan(appliance, Act.NOTHING, Why.DEVICE_LIMIT)
        if band.upper is not None and house.fixed_w + appliance.peak_w > band.upper.watts:
            return AppliancePlan(appliance, Act.NOTHING, Why.LIMIT)
        target = targets.devices.get(appliance.name) if targets else None
        if target is not None and target.start is not None:
            if house.now + self._settings.period >= target.start:
                return self._start(appliance, house.now, Why.PLAN)
            return AppliancePlan(appliance, Act.NOTHING, Why.PLAN)
        if tariff.worth in (Worth.CHEAP, Worth.NEGATIVE):
            return self._start(appliance, house.now, Why.PRICE)
        if tariff.worth is Worth.DEAR:
            return AppliancePlan(appliance, Act.NOTHING, Why.PRICE)
        if band.saving is not None:
            return AppliancePlan(appliance, Act.NOTHING, Why.SAVING)
        if enough:
            return self._start(appliance, house.now, Why.SURPLUS)
        return AppliancePlan(appliance, Act.NOTHING, Why.SURPLUS)

    def _surplus_lasts(self, appliance: Appliance, house: House) -> bool:
        surplus = house.produced_w - house.base_w
        if surplus < appliance.peak_w * self._settings.surplus_share:
            self._surplus_since.pop(appliance.name, None)
            return False
        since = self._surplus_since.setdefault(appliance.name, house.now)
        return house.now - since >= self._settings.surplus_for

    def _start(self, appliance: Appliance, now: datetime, why: Why) -> AppliancePlan:
        profile, told_at = self._told.get(appliance.name, ("", now))
        if profile == appliance.profile_id and now - told_at < ASK_AGAIN:
            return AppliancePlan(appliance, Act.NOTHING, why)
        self._told[appliance.name] = (appliance.profile_id, now)
        return AppliancePlan(appliance, Act.START, why)

    def _running(self, appliance: Appliance, band: Band, over: bool, now: datetime) -> AppliancePlan:
        own, _ = band.of(appliance.name)
        stopped = own is not None and own.watts < appliance.peak_w
        why = Why.EMERGENCY if band.emergency else Why.DEVICE_LIMIT if stopped else Why.LIMIT
        following = appliance.following()
        held = self._held.get(appliance.name)
        if following is None or following[0].container_id != held:
            self._held.pop(appliance.name, None)
            held = None
        if held is not None:
            # Releasing because the pause helped would bring the excess back: only the end of the cause ends the hold.
            if band.emergency or stopped or band.upper is not None:
                return AppliancePlan(appliance, Act.NOTHING, why, held=True)
            del self._held[appliance.name]
            return AppliancePlan(appliance, Act.RELEASE, Why.FREE)
        wanted = band.emergency is not None or stopped or (band.upper is not None and over)
        near = following is not None and following[1] - now <= HOLD_AHEAD
        if wanted and near and following is not None and following[0].max_pause > timedelta(0):
            self._held[appliance.name] = following[0].container_id
            return AppliancePlan(appliance, Act.HOLD, why, held=True)
        return AppliancePlan(appliance, Act.NOTHING, why if wanted else Why.FREE)
