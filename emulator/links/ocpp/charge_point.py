"""An emulated charge point's side of OCPP 1.6: one connector, one `EvCharger` behind it. No wire, no clock.

Plugging in authorises, starts a transaction, and from then on meter values go out; until the CSMS has accepted the
driver the car gets nothing. The CSMS's charging profiles become a current told to the device beside the energy
manager's, and the lower holds, as with OCPP's external constraints. What is between 0 and 6 A cannot be said on the
control pilot (IEC 61851-1): it is a pause. Currents in A, energy in Wh.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ocpp.v16 import call
from ocpp.v16.enums import ChargePointErrorCode, ChargePointStatus, Reason

from emulator.devices import EvCharger
from emulator.links.ocpp.charging_profiles import (
    HIGHEST_STACK_LEVEL,
    MOST_PERIODS,
    MOST_PROFILES,
    TX_PURPOSE,
    ProfileBook,
    ProfileRefused,
    parse,
)
from emulator.links.ocpp.conversation import Outgoing
from emulator.physics.evse import MINIMUM_CURRENT_A, NOMINAL_V
from emulator.physics.values import SECONDS_PER_HOUR

CONNECTOR = 1
SOURCE = "OCPP"
DRAWS_W = 50.0
PATIENCE_S = 10.0
"""A car that draws less than `DRAWS_W` of what it is offered for longer than this has suspended itself."""
LONGEST_SCHEDULE_S = 7 * 86_400
ACCEPTED, REJECTED = "Accepted", "Rejected"


@dataclass(slots=True)
class Transaction:
    """A charging session as the CSMS counts it."""

    id_tag: str
    begun: datetime
    start_wh: float
    number: int | None = None
    """None until the CSMS has answered."""
    accepted: bool = False
    stopped: bool = False


class ChargePoint:
    """See the module. ``stepped`` after every step of the site; the rest is called by the conversation."""

    def __init__(
        self, device: EvCharger, now: datetime, id_tag: str = "NODEBENCH", plug_and_charge: bool = True
    ) -> None:
        """``plug_and_charge`` starts a transaction with ``id_tag`` by itself; else only the CSMS does."""
        self.device = device
        self.outgoing: deque[Outgoing] = deque()
        self.on_queued: Callable[[], None] = lambda: None
        self.profiles = ProfileBook()
        self.transaction: Transaction | None = None
        self.status = ""
        self.registered = False
        self.restart = False
        """A Reset was accepted: the connection has to be made anew."""
        self.trouble = ""
        """What the CSMS refused last."""
        self.energy_wh = 0.0
        """Register since the emulation began, never reset."""
        self.operative = True
        self.configuration: dict[str, str] = {
            "HeartbeatInterval": "300",
            "MeterValueSampleInterval": "60",
            "ConnectionTimeOut": "60",
        }
        self._now = now
        self._id_tag = id_tag
        self._plug_and_charge = plug_and_charge
        self._plugged = False
        self._inoperative_later = False
        self._sampled_at = self._beaten_at = now
        self._booted_at: datetime | None = None
        self._retry_s = 0.0
        self._limit_a: float | None = None
        self._sampling = False
        self._undrawn_s = 0.0
        self._held: deque[Outgoing] = deque()
        """About transactions, until the CSMS has accepted us."""
        self._starting: Transaction | None = None
        """The one whose StartTransaction is on its way: calls go one at a time."""

    # The connection

    def connected(self) -> None:
        """A connection is up: tell who we are; what is about transactions waits in the queue until we are accepted."""
        self.registered = self.restart = False
        unsent = (one for one in self.outgoing if one.lasting)
        self._held, self.outgoing = deque((*unsent, *self._held)), deque()
        self._sampling = False
        self._boot()

    def disconnected(self) -> None:
        """The connection is gone; the profiles stay in force."""
        self.registered = False

    def _boot(self) -> None:
        self._booted_at = self._now
        self._queue(
            call.BootNotification(
                charge_point_vendor="Nodebench",
                charge_point_model="emulated EVSE",
                charge_point_serial_number=self.device.name[:25],
            )
        )

    def answered(self, payload: Any, result: Any) -> None:
        match payload:
            case call.BootNotification():
                self._booted(result)
            case call.Authorize():
                self._authorised(payload.id_tag, result.id_tag_info)
            case call.StartTransaction():
                self._started(result)
            case call.MeterValues():
                self._sampling = False
            case _:
                pass

    def refused(self, payload: Any, why: str) -> None:
        self.trouble = f"{type(payload).__name__} was answered with {why}"
        if isinstance(payload, call.MeterValues):
            self._sampling = False

    def _booted(self, result: Any) -> None:
        interval = max(int(result.interval), 0)
        if result.status != ACCEPTED:
            self._retry_s = float(interval or 60)
            return
        self._retry_s = 0.0
        self.registered = True
        if interval:
            self.configuration["HeartbeatInterval"] = str(interval)
        self._beaten_at = self._now
        self.status = ""
        self._tell_status()
        self.outgoing.extend(self._held)
        self._held = deque()
        self.on_queued()
        if self.device.plugged and self.transaction is None and self._plug_and_charge:
            self._queue(call.Authorize(id_tag=self._id_tag))

    # Time

    def stepped(self, now: datetime, dt_s: float) -> None:
        """A step of the site has been made."""
        self._now = now
        self.energy_wh += self.device.power_w * dt_s / SECONDS_PER_HOUR
        offered = self.device.current_a >= self.device.i_min_a and self.device.power_w < DRAWS_W
        self._undrawn_s = self._undrawn_s + dt_s if offered else 0.0
        if self.device.plugged != self._plugged:
            self._plugged = self.device.plugged
            self._arrived() if self._plugged else self._left()
        self._apply()
        if not self.registered:
            if self._retry_s and self._booted_at and (now - self._booted_at).total_seconds() >= self._retry_s:
                self._retry_s = 0.0
                self._boot()
            return
        self._tell_status()
        self._sample_when_due()
        beat_s = float(self.configuration["HeartbeatInterval"])
        if beat_s and (now - self._beaten_at).total_seconds() >= beat_s:
            self._beaten_at = now
            self._queue(call.Heartbeat())

    def _arrived(self) -> None:
        if self.registered and self._plug_and_charge and self.operative:
            self._queue(call.Authorize(id_tag=self._id_tag))

    def _left(self) -> None:
        self.stop("EVDisconnected")

    def _apply(self) -> None:
        """Tell the device the current that the profiles, the driver's rights and the availability allow."""
        limit = self._allowed()
        if limit != self._limit_a:
            self._limit_a = limit
            self.device.set_current(limit, SOURCE)

    def _allowed(self) -> float | None:
        running = self.transaction
        if running is None or not running.accepted or not self.operative:
            return 0.0
        limit = self.profiles.limit_a(self._now, running.begun, self.device.phases)
        if limit is None:
            return None
        return min(limit, self.device.i_max_a) if limit >= MINIMUM_CURRENT_A else 0.0

    # Status and meter

    def _tell_status(self) -> None:
        status = self._status()
        if status == self.status:
            return
        self.status = status
        self._queue(
            call.StatusNotification(
                connector_id=CONNECTOR,
                error_code=ChargePointErrorCode.no_error,
                status=ChargePointStatus(status),
                timestamp=stamp(self._now),
            )
        )

    def _status(self) -> str:
        device, running = self.device, self.transaction
        if not self.operative:
            return "Unavailable"
        if not device.plugged:
            return "Available"
        if running is None:
            return (
                "Finishing" if self.status in ("Charging", "SuspendedEV", "SuspendedEVSE", "Finishing") else "Preparing"
            )
        if not running.accepted or device.current_a < device.i_min_a:
            return "SuspendedEVSE"
        return "SuspendedEV" if self._undrawn_s > PATIENCE_S else "Charging"

    def _sample_when_due(self) -> None:
        period_s = float(self.configuration["MeterValueSampleInterval"])
        due = period_s > 0.0 and (self._now - self._sampled_at).total_seconds() >= period_s
        # one at a time: a slow CSMS gets fewer samples, not a backlog
        if due and self.transaction is not None and not self._sampling:
            self._sample("Sample.Periodic")

    def _sample(self, context: str) -> None:
        self._sampled_at = self._now
        self._sampling = True
        values, running = self._values(context), self.transaction

        def make() -> Any:
            number = running.number if running else None
            return call.MeterValues(connector_id=CONNECTOR, meter_value=values, transaction_id=number)

        self._put(Outgoing(make))

    def _values(self, context: str) -> list[dict[str, Any]]:
        device = self.device
        drawn_a = device.power_w / (NOMINAL_V * device.phases)
        told = [
            ("Power.Active.Import", "W", device.power_w),
            ("Energy.Active.Import.Register", "Wh", self.energy_wh),
            ("Current.Import", "A", drawn_a),
            ("Current.Offered", "A", device.current_a),
            *([("SoC", "Percent", device.soc * 100.0)] if device.plugged else []),
        ]
        sampled = [
            {"value": f"{value:.1f}", "context": context, "measurand": name, "unit": unit} for name, unit, value in told
        ]
        return [{"timestamp": stamp(self._now), "sampledValue": sampled}]

    # Transactions

    def _authorised(self, id_tag: str, info: dict[str, Any]) -> None:
        if info.get("status") != ACCEPTED:
            self.trouble = f"the CSMS does not let {id_tag} charge: {info.get('status')}"
        elif self.device.plugged and self.transaction is None and self.operative:
            self.start(id_tag)

    def start(self, id_tag: str) -> None:
        """Begin a transaction."""
        running = self.transaction = Transaction(id_tag, self._now, self.energy_wh)
        begun = stamp(self._now)

        def make() -> Any:
            self._starting = running
            return call.StartTransaction(
                connector_id=CONNECTOR, id_tag=id_tag, meter_start=round(running.start_wh), timestamp=begun
            )

        self._put(Outgoing(make, lasting=True))

    def _started(self, result: Any) -> None:
        running, self._starting = self._starting, None
        if running is None:
            return
        running.number = result.transaction_id
        running.accepted = result.id_tag_info.get("status") == ACCEPTED
        if not running.accepted and running is self.transaction:
            self.trouble = f"the CSMS does not let {running.id_tag} charge: {result.id_tag_info.get('status')}"
            self.stop("DeAuthorized")

    def stop(self, reason: str) -> None:
        """End the transaction, if there is one."""
        running = self.transaction
        if running is None:
            return
        self.transaction = None
        self.profiles.end_transaction()
        ended, register = stamp(self._now), round(self.energy_wh)

        def make() -> Any:
            if running.number is None:
                return None  # the CSMS refused to start it
            return call.StopTransaction(
                meter_stop=register,
                timestamp=ended,
                transaction_id=running.number,
                reason=Reason(reason),
                id_tag=running.id_tag,
            )

        self._put(Outgoing(make, lasting=True))
        if self._inoperative_later:
            self.operative, self._inoperative_later = False, False

    def _queue(self, payload: Any) -> None:
        self._put(Outgoing(lambda: payload))

    def _put(self, outgoing: Outgoing) -> None:
        if not self.registered and outgoing.lasting:
            self._held.append(outgoing)
        else:
            self.outgoing.append(outgoing)
            self.on_queued()

    # What the CSMS asks for

    def set_profile(self, connector: int, tree: dict[str, Any]) -> str:
        """SetChargingProfile; gives the status to answer with."""
        try:
            if connector not in (0, CONNECTOR):
                raise ProfileRefused(f"there is no connector {connector}")
            profile = parse(connector, tree, self._now, self.device.phases)
            running = self.transaction
            if profile.purpose == TX_PURPOSE and running is None:
                raise ProfileRefused("there is no transaction for a TxProfile")
            if profile.transaction is not None and (running is None or profile.transaction != running.number):
                raise ProfileRefused(f"transaction {profile.transaction} is not the one that runs")
            self.profiles.install(profile)
        except ProfileRefused as refused:
            self.trouble = f"a charging profile was refused: {refused}"
            return REJECTED
        self._apply()
        return ACCEPTED

    def clear_profiles(self, **which: Any) -> bool:
        """ClearChargingProfile; whether there was one."""
        gone = self.profiles.clear(**which)
        self._apply()
        return gone

    def composite(self, duration_s: int) -> tuple[datetime, int, list[tuple[float, float]]]:
        """GetCompositeSchedule: its start, its length in s (a week at most), and (s, A) steps."""
        length_s = min(duration_s, LONGEST_SCHEDULE_S)
        begun = self.transaction.begun if self.transaction else None
        steps = self.profiles.composite(self._now, length_s, begun, self.device.phases, self.device.i_max_a)
        return self._now, length_s, steps

    def remote_start(self, id_tag: str, connector: int | None, tree: dict[str, Any] | None) -> bool:
        """RemoteStartTransaction; whether it will be tried."""
        free = self.device.plugged and self.operative and self.transaction is None
        if not free or connector not in (None, CONNECTOR):
            return False
        if tree is not None and tree.get("charging_profile_purpose") != TX_PURPOSE:
            return False
        self.start(id_tag)
        if tree is not None and self.set_profile(CONNECTOR, {**tree, "transaction_id": None}) == REJECTED:
            self.transaction = None
            self._drop_start()
            return False
        return True

    def _drop_start(self) -> None:
        queue = self.outgoing if self.registered else self._held
        queue.pop()

    def remote_stop(self, number: int) -> bool:
        """RemoteStopTransaction; whether that transaction runs."""
        if self.transaction is None or self.transaction.number != number:
            return False
        self.stop("Remote")
        return True

    def unlock(self) -> None:
        """UnlockConnector: the transaction ends."""
        self.stop("UnlockCommand")

    def reset(self, hard: bool) -> None:
        """The transaction ends, and the connection is made anew."""
        self.stop("HardReset" if hard else "SoftReset")
        self.restart = True

    def change_availability(self, operative: bool) -> str:
        """ChangeAvailability; out of order only after the transaction."""
        if not operative and self.transaction is not None:
            self._inoperative_later = True
            return "Scheduled"
        self._inoperative_later = False
        self.operative = operative
        return ACCEPTED

    def configure(self, key: str, value: str) -> str:
        """ChangeConfiguration; gives the status to answer with."""
        if key in self.fixed_configuration():
            return REJECTED
        if key not in self.configuration:
            return "NotSupported"
        if not value.isascii() or not value.isdigit() or len(value) > 7:
            return REJECTED
        self.configuration[key] = value
        return ACCEPTED

    @staticmethod
    def fixed_configuration() -> dict[str, str]:
        """Keys that cannot be changed."""
        return {
            "AuthorizeRemoteTxRequests": "false",
            "ChargeProfileMaxStackLevel": str(HIGHEST_STACK_LEVEL),
            "ChargingScheduleAllowedChargingRateUnit": "Current,Power",
            "ChargingScheduleMaxPeriods": str(MOST_PERIODS),
            "MaxChargingProfilesInstalled": str(MOST_PROFILES),
            "NumberOfConnectors": "1",
            "SupportedFeatureProfiles": "Core,SmartCharging,RemoteTrigger",
        }

    def trigger(self, message: str, connector: int | None) -> str:
        """TriggerMessage; gives the status to answer with."""
        if connector not in (None, 0, CONNECTOR):
            return REJECTED
        match message:
            case "BootNotification":
                self._boot()
            case "Heartbeat":
                self._queue(call.Heartbeat())
            case "MeterValues":
                self._sample("Trigger")
            case "StatusNotification":
                self.status = ""
                self._tell_status()
            case _:
                return "NotImplemented"
        return ACCEPTED


def stamp(at: datetime) -> str:
    """A time as OCPP writes it.

    >>> from datetime import UTC
    >>> stamp(datetime(2026, 6, 1, 12, 0, tzinfo=UTC))
    '2026-06-01T12:00:00Z'
    """
    return at.isoformat().replace("+00:00", "Z")
