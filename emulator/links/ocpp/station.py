"""One charge point as a CSMS knows it: what it told, what it is told. No wire, no clock.

What it told is judged before it is believed: a measurement that is no number or beyond its rating changes nothing. It
is steered by a TxProfile that runs out by itself, and falls back to a TxDefaultProfile of the least current, so that a
lost CSMS leaves a charge point slow, not fast and not dead. Currents in A per phase, power in W, SoC 0..1.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from ocpp.v16 import call

from emulator.links.ocpp.budget import Claim
from emulator.links.ocpp.charge_point import CONNECTOR, stamp
from emulator.links.ocpp.conversation import Outgoing
from emulator.physics.evse import MINIMUM_CURRENT_A, NOMINAL_V

HOLDS = timedelta(minutes=15)
"""How long a TxProfile holds without being renewed."""
RENEWED = timedelta(minutes=5)
ASK_AGAIN = timedelta(seconds=60)
"""After a refusal."""
SAME_A = 0.25
"""Least raise worth telling; what is less than before is told at once."""
SAMPLE_S = 10
DEFAULT_ID, TX_ID = 1, 2
BELIEVED = 1.5
"""Times its rating beyond which a measurement is not believed."""
PLUGGED = frozenset({"Preparing", "Charging", "SuspendedEVSE", "SuspendedEV", "Finishing"})
CHARGEABLE = frozenset({"Charging", "SuspendedEVSE", "SuspendedEV"})


class Station:
    """See the module. ``on_*`` take in what the charge point says; ``allot`` is what it is given."""

    def __init__(self, identity: str, now: datetime, most_a: float = 32.0, phases: int = 3) -> None:
        self.identity = identity
        self.outgoing: deque[Outgoing] = deque()
        self.on_queued: Callable[[], None] = lambda: None
        self.online = True
        self.booted = False
        self.status = ""
        self.model = ""
        self.transaction: int | None = None
        self.begun: datetime | None = None
        self.power_w = 0.0
        self.energy_wh: float | None = None
        self.soc: float | None = None
        self.told_a: float | None = None
        """By the last profile it has accepted."""
        self.heard = now
        self.oddities: deque[str] = deque(maxlen=100)
        self._most_a, self._phases = most_a, phases
        self._watts_per_amp = NOMINAL_V * phases
        self._asked: tuple[float, datetime] | None = None

    # What it is good for

    @property
    def plugged(self) -> bool:
        return self.status in PLUGGED

    def claim(self) -> Claim | None:
        """What its car can be given, or None where none can be charged."""
        if self.transaction is None or self.status not in CHARGEABLE:
            return None
        return Claim(self.identity, MINIMUM_CURRENT_A * self._watts_per_amp, self._most_a * self._watts_per_amp)

    # What it says

    def on_boot(self, vendor: str, model: str, now: datetime) -> None:
        self.heard, self.booted, self.model = now, True, f"{vendor} {model}"
        self._queue(call.ChangeConfiguration(key="MeterValueSampleInterval", value=str(SAMPLE_S)))
        schedule = self._schedule(MINIMUM_CURRENT_A)
        self._queue(
            call.SetChargingProfile(
                connector_id=0, cs_charging_profiles=self._profile(DEFAULT_ID, "TxDefaultProfile", schedule)
            )
        )

    def on_status(self, connector: int, status: str, now: datetime) -> None:
        self.heard = now
        if connector == CONNECTOR:
            self.status = status
            if status in ("Available", "Faulted", "Unavailable"):
                self.power_w = 0.0

    def on_start(self, number: int, now: datetime) -> None:
        self.heard, self.transaction, self.begun = now, number, now
        self.told_a = self._asked = None

    def on_stop(self, number: int, now: datetime) -> bool:
        """Whether that transaction was known."""
        self.heard = now
        if number != self.transaction:
            self.oddities.append(f"transaction {number} ended, which does not run here")
            return False
        self.transaction = self.begun = self.soc = self.told_a = self._asked = None
        self.power_w = 0.0
        return True

    def on_meter(self, values: list[dict[str, Any]], now: datetime) -> None:
        """MeterValues; members in snake case."""
        self.heard = now
        told: dict[str, float] = {}
        for value in values:
            for sampled in value.get("sampled_value", ()):
                self._sampled(sampled, told)
        power_w = told.get("Power.Active.Import")
        if power_w is not None:
            self.power_w = power_w
        self.energy_wh = told.get("Energy.Active.Import.Register", self.energy_wh)
        self.soc = told.get("SoC", self.soc)
        current_a = told.get("Current.Import")
        if power_w and current_a and current_a >= 1.0:
            # a car with one phase at a charge point of three draws a third of what it is offered
            phases = min(max(round(power_w / current_a / NOMINAL_V), 1), self._phases)
            self._watts_per_amp = NOMINAL_V * phases

    def _sampled(self, sampled: dict[str, Any], told: dict[str, float]) -> None:
        measurand = sampled.get("measurand", "Energy.Active.Import.Register")
        if sampled.get("phase") and measurand != "Current.Import":
            return
        try:
            value = float(sampled["value"])
        except ValueError:
            value = math.nan
        unit = sampled.get("unit", "")
        value *= 1000.0 if unit in ("kW", "kWh") else 0.01 if measurand == "SoC" else 1.0
        most = {"Power.Active.Import": BELIEVED * self._most_a * NOMINAL_V * self._phases, "SoC": 1.0}.get(
            measurand, math.inf
        )
        if not math.isfinite(value) or not 0.0 <= value <= most:
            self.oddities.append(f"{measurand} {sampled['value']!r} is not believed"[:200])
            return
        told[measurand] = max(value, told.get(measurand, 0.0))

    # What it is told

    def allot(self, power_w: float, now: datetime) -> None:
        """Give its car this much; under the least it pauses."""
        if self.transaction is None or not self.online:
            return
        current_a = math.floor(min(power_w / self._watts_per_amp, self._most_a) * 10.0 + 1e-6) / 10.0
        current_a = current_a if current_a >= MINIMUM_CURRENT_A else 0.0
        if self._asked is not None:
            asked_a, at = self._asked
            changed = current_a < asked_a or current_a >= asked_a + SAME_A
            refused = self.told_a != asked_a and now - at >= ASK_AGAIN
            if not changed and not refused and now - at < RENEWED:
                return
        self._asked = (current_a, now)
        number = self.transaction
        schedule = {**self._schedule(current_a), "startSchedule": stamp(now), "duration": int(HOLDS.total_seconds())}

        def make() -> Any:
            if self.transaction != number or self._asked != (current_a, now):
                return None  # overtaken by what came meanwhile
            profile = self._profile(TX_ID, "TxProfile", schedule) | {"transactionId": number}
            return call.SetChargingProfile(connector_id=CONNECTOR, cs_charging_profiles=profile)

        self.outgoing.append(Outgoing(make))
        self.on_queued()

    def answered(self, payload: Any, result: Any) -> None:
        if not isinstance(payload, call.SetChargingProfile):
            return
        if result.status != "Accepted":
            self.oddities.append(f"a charging profile was answered with {result.status}")
            return
        profile: Any = payload.cs_charging_profiles
        if profile["chargingProfileId"] == TX_ID:
            self.told_a = profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"]

    def refused(self, payload: Any, why: str) -> None:
        self.oddities.append(f"{type(payload).__name__} was answered with {why}")

    def _profile(self, number: int, purpose: str, schedule: dict[str, Any]) -> dict[str, Any]:
        return {
            "chargingProfileId": number,
            "stackLevel": 0,
            "chargingProfilePurpose": purpose,
            "chargingProfileKind": "Absolute" if "startSchedule" in schedule else "Relative",
            "chargingSchedule": schedule,
        }

    def _schedule(self, current_a: float) -> dict[str, Any]:
        return {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": current_a}]}

    def _queue(self, payload: Any) -> None:
        self.outgoing.append(Outgoing(lambda: payload))
        self.on_queued()
