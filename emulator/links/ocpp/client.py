"""The charge point's wire: dials a CSMS, is routed its calls, dials again with growing waits (OCPP-J 1.6, 5.3)."""

from __future__ import annotations

import random
from typing import Any, cast

from ocpp.routing import after, on
from ocpp.v16 import call_result
from ocpp.v16.enums import Action
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol

from emulator.clock import pause
from emulator.links.ocpp.charge_point import ACCEPTED, REJECTED, ChargePoint, stamp
from emulator.links.ocpp.conversation import LARGEST, SUBPROTOCOL, Conversation

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
PING_S = 60.0


class ChargePointEnd(Conversation):
    """Routes the calls of a CSMS."""

    @property
    def point(self) -> ChargePoint:
        return cast(ChargePoint, self.logic)

    @on(Action.set_charging_profile)
    def set_charging_profile(self, connector_id: int, cs_charging_profiles: dict[str, Any], **_: Any) -> Any:
        status = self.point.set_profile(connector_id, cs_charging_profiles)
        return call_result.SetChargingProfile(status=cast(Any, status))

    @on(Action.clear_charging_profile)
    def clear_charging_profile(
        self,
        id: int | None = None,
        connector_id: int | None = None,
        charging_profile_purpose: str | None = None,
        stack_level: int | None = None,
        **_: Any,
    ) -> Any:
        gone = self.point.clear_profiles(
            profile_id=id, connector=connector_id, purpose=charging_profile_purpose, stack_level=stack_level
        )
        return call_result.ClearChargingProfile(status=cast(Any, ACCEPTED if gone else "Unknown"))

    @on(Action.get_composite_schedule)
    def get_composite_schedule(
        self, connector_id: int, duration: int, charging_rate_unit: str | None = None, **_: Any
    ) -> Any:
        if connector_id not in (0, 1) or duration <= 0:
            return call_result.GetCompositeSchedule(status=cast(Any, REJECTED))
        start, length_s, steps = self.point.composite(duration)
        device = self.point.device
        factor = device.voltage_v * device.phases if charging_rate_unit == "W" else 1.0
        periods = [
            {"startPeriod": round(second), "limit": round(current * factor, 1), "numberPhases": device.phases}
            for second, current in steps
        ]
        schedule = {
            "chargingRateUnit": charging_rate_unit or "A",
            "duration": length_s,
            "startSchedule": stamp(start),
            "chargingSchedulePeriod": periods,
        }
        return call_result.GetCompositeSchedule(
            status=cast(Any, ACCEPTED),
            connector_id=connector_id,
            schedule_start=stamp(start),
            charging_schedule=schedule,
        )

    @on(Action.remote_start_transaction)
    def remote_start_transaction(
        self,
        id_tag: str,
        connector_id: int | None = None,
        charging_profile: dict[str, Any] | None = None,
        **_: Any,
    ) -> Any:
        done = self.point.remote_start(id_tag, connector_id, charging_profile)
        return call_result.RemoteStartTransaction(status=cast(Any, ACCEPTED if done else REJECTED))

    @on(Action.remote_stop_transaction)
    def remote_stop_transaction(self, transaction_id: int, **_: Any) -> Any:
        done = self.point.remote_stop(transaction_id)
        return call_result.RemoteStopTransaction(status=cast(Any, ACCEPTED if done else REJECTED))

    @on(Action.change_availability)
    def change_availability(self, connector_id: int, type: str, **_: Any) -> Any:
        known = connector_id in (0, 1)
        status = self.point.change_availability(type == "Operative") if known else REJECTED
        return call_result.ChangeAvailability(status=cast(Any, status))

    @on(Action.change_configuration)
    def change_configuration(self, key: str, value: str, **_: Any) -> Any:
        return call_result.ChangeConfiguration(status=cast(Any, self.point.configure(key, value)))

    @on(Action.get_configuration)
    def get_configuration(self, key: list[str] | None = None, **_: Any) -> Any:
        fixed = self.point.fixed_configuration()
        known = {**fixed, **self.point.configuration}
        wanted = key or list(known)
        told = [
            {"key": one, "readonly": one in fixed, "value": known[one]} for one in dict.fromkeys(wanted) if one in known
        ]
        unknown = [one for one in dict.fromkeys(wanted) if one not in known]
        return call_result.GetConfiguration(configuration_key=told, unknown_key=unknown)

    @on(Action.trigger_message)
    def trigger_message(self, requested_message: str, connector_id: int | None = None, **_: Any) -> Any:
        status = self.point.trigger(requested_message, connector_id)
        return call_result.TriggerMessage(status=cast(Any, status))

    @on(Action.unlock_connector)
    def unlock_connector(self, connector_id: int, **_: Any) -> Any:
        if connector_id != 1:
            return call_result.UnlockConnector(status=cast(Any, "NotSupported"))
        self.point.unlock()
        return call_result.UnlockConnector(status=cast(Any, "Unlocked"))

    @on(Action.reset)
    def reset(self, type: str, **_: Any) -> Any:
        return call_result.Reset(status=cast(Any, ACCEPTED))

    @after(Action.reset)
    def reset_answered(self, type: str, **_: Any) -> None:
        self.point.reset(type == "Hard")  # not before the answer is out: it ends the connection

    @on(Action.clear_cache)
    def clear_cache(self, **_: Any) -> Any:
        return call_result.ClearCache(status=cast(Any, ACCEPTED))

    @on(Action.data_transfer)
    def data_transfer(self, **_: Any) -> Any:
        return call_result.DataTransfer(status=cast(Any, "UnknownVendorId"))


class OcppClient:
    """Keeps one charge point connected to its CSMS."""

    def __init__(
        self, point: ChargePoint, url: str, identity: str, jitter: random.Random, first_wait_s: float = FIRST_WAIT_S
    ) -> None:
        """``url`` is the CSMS's, to which the identity is put at the end as OCPP-J has it."""
        self.point = point
        self.url = f"{url.rstrip('/')}/{identity}"
        self.identity = identity
        self.end: ChargePointEnd | None = None
        """Of the present connection."""
        self.trouble = ""
        """Why the last connection ended or could not be made."""
        self._jitter, self._first_wait_s = jitter, first_wait_s

    async def run(self) -> None:
        """Connect again and again; ends only by being cancelled."""
        wait_s = self._first_wait_s
        while True:
            try:
                async with connect(
                    self.url,
                    subprotocols=[Subprotocol(SUBPROTOCOL)],
                    ping_interval=PING_S,
                    max_size=LARGEST,
                    proxy=None,
                ) as socket:
                    if socket.subprotocol != SUBPROTOCOL:
                        self.trouble = f"{self.url} does not speak {SUBPROTOCOL}"
                        await socket.close()
                    else:
                        wait_s = self._first_wait_s
                        await self._talk(socket)
            except (OSError, InvalidHandshake, InvalidURI) as error:
                self.trouble = f"{self.url} cannot be reached: {error}"
            except ConnectionClosed as error:
                self.trouble = str(error)
            await pause(wait_s * self._jitter.uniform(0.5, 1.0))
            wait_s = min(wait_s * 2.0, LONGEST_WAIT_S)

    def stepped(self) -> None:
        """A step of the site has been made: a charge point that was reset closes its connection."""
        if self.point.restart and self.end is not None:
            self.point.restart = False
            self.end.hang_up("reset")

    async def _talk(self, socket: Any) -> None:
        self.end = ChargePointEnd(self.identity, socket, self.point)
        self.point.connected()
        try:
            await self.end.converse()
        finally:
            self.trouble = self.end.ended_why
            self.end = None
            self.point.disconnected()
