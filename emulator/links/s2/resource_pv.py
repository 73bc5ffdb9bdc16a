"""A PV plant in S2: power envelope based control, the lower limit between nothing and all it has.

What it could give without a limit is its PowerForecast for the next minute, since a measurement shows only what is left
of it. Once an hour that forecast goes on for a day in quarters of an hour.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from s2python.generated import gen_s2 as g

from emulator.devices import PvPlant
from emulator.links.s2.codec import IdSource
from emulator.links.s2.instructions import Instruction, Status
from emulator.links.s2.resource_base import DeviceResource, Ended, forecast_elements, milliseconds, span
from emulator.links.s2.rm_session import Draft
from emulator.links.s2.session import ControlType

FORECAST = timedelta(minutes=1)
LONG_EVERY = timedelta(hours=1)


class PvResource(DeviceResource):
    control_type = ControlType.POWER_ENVELOPE_BASED_CONTROL
    roles = (g.RoleType.ENERGY_PRODUCER,)
    provides_forecast = True

    def __init__(self, device: PvPlant, ids: IdSource) -> None:
        super().__init__(device, ids)
        self._device = device
        self._constraints_id = ids()
        self._begun: dict[str, datetime] = {}
        self._forecast_at: datetime | None = None
        self._long_at: datetime | None = None

    def describe(self, control_type: ControlType, now: datetime) -> Iterable[Draft]:
        lower = {
            "limit_type": g.PEBCPowerEnvelopeLimitType.LOWER_LIMIT,
            "range_boundary": span(-self._device.ac_w, 0.0),
        }
        upper = {"limit_type": g.PEBCPowerEnvelopeLimitType.UPPER_LIMIT, "range_boundary": span(0.0, 0.0)}
        common = {"commodity_quantity": self.quantity, "abnormal_condition_only": False}
        yield (
            g.PEBCPowerConstraints,
            {
                "id": self._constraints_id,
                "valid_from": now,
                "consequence_type": g.PEBCPowerEnvelopeConsequenceType.VANISH,
                "allowed_limit_ranges": [lower | common, upper | common],
            },
        )

    def report(self, now: datetime) -> Iterable[Draft]:
        yield from super().report(now)
        if self._forecast_at is None or now - self._forecast_at >= FORECAST:
            self._forecast_at = now
            value = {"commodity_quantity": self.quantity, "value_expected": self._device.available_w}
            elements = [{"duration": milliseconds(FORECAST.total_seconds()), "power_values": [value]}]
            if self._long_at is None or now - self._long_at >= LONG_EVERY:
                self._long_at = now
                elements += forecast_elements(self._device.expected_w, now, self.quantity, FORECAST.total_seconds())
            yield g.PowerForecast, {"start_time": now, "elements": elements}

    def problem(self, instruction: Instruction, now: datetime) -> str | None:
        assert isinstance(instruction, g.PEBCInstruction)
        if instruction.power_constraints_id.root != self._constraints_id:
            return f"power constraints {instruction.power_constraints_id.root} are not described"
        for envelope in instruction.power_envelopes:
            if envelope.commodity_quantity.value != self.quantity:
                return f"{envelope.commodity_quantity.value} is not among the constraints"
            for element in envelope.power_envelope_elements:
                if not -self._device.ac_w - 0.5 <= element.lower_limit <= 0.0 or element.upper_limit != 0.0:
                    return f"limits {element.lower_limit:g} … {element.upper_limit:g} W are outside the allowed ranges"
        return None

    def begin(self, instruction: Instruction, now: datetime) -> None:
        # Run from when it should have begun: an instruction that came late ends when it was meant to.
        self._begun = {instruction.id.root: min(now, max(instruction.execution_time, now - FORECAST))}

    def outcome(self, instruction: Instruction, now: datetime) -> Ended | None:
        assert isinstance(instruction, g.PEBCInstruction)
        left = now - self._begun[instruction.id.root]
        for element in instruction.power_envelopes[0].power_envelope_elements:
            lasts = timedelta(milliseconds=element.duration.root)
            if left < lasts:
                whole = element.lower_limit <= -self._device.ac_w
                self._device.set_lower_limit(None if whole else element.lower_limit)
                return None
            left -= lasts
        self._device.set_lower_limit(None)
        return Status.SUCCEEDED, ""

    def release(self, now: datetime) -> None:
        self._device.set_lower_limit(None)
