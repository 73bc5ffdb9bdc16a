"""From plans to S2 instructions: what is new is sent, what is in force already is not sent again.

`Instructor` holds the last command of each session, so that a device is told once; envelopes are renewed before they
run out, and a device that refused is asked again after a while.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from s2python.generated import gen_s2 as g

from emulator.cem.plans import Act, AppliancePlan, BatteryPlan, ChargerPlan, ProducerPlan, Why
from emulator.cem.resources import Mode
from emulator.links.s2.cem_session import CemSession
from emulator.links.s2.instructions import Status

SAME_W = 10.0
"""Commands closer than this are the same."""
ENVELOPE = timedelta(hours=1)
"""How long an envelope lasts; a plant that hears nothing more is free again after it."""
ASK_AGAIN = timedelta(seconds=30)
"""After a refusal."""


@dataclass(frozen=True, slots=True)
class _Sent:
    instruction_id: str
    value: tuple[str, float]
    """What was commanded and on what description: another description is another command."""
    at: datetime


class Instructor:
    """Turns the plan of one device into the texts its session sends."""

    def __init__(self, session: CemSession) -> None:
        self.session = session
        self._sent: _Sent | None = None

    @property
    def commanded_w(self) -> float | None:
        """Power it was told last, where it was told one and did not refuse. [W]"""
        if self._sent is None or self._refused():
            return None
        life = self.session.lives.get(self._sent.instruction_id)
        return self._sent.value[1] if life and isinstance(life.instruction, g.FRBCInstruction) else None

    def refused_within(self, now: datetime) -> bool:
        """Whether it refused so lately that asking again makes no sense yet."""
        return self._sent is not None and self._refused() and now - self._sent.at < ASK_AGAIN

    def forget(self) -> None:
        """Tell it anew, whatever it was told before."""
        self._sent = None

    def _refused(self) -> bool:
        life = self.session.lives.get(self._sent.instruction_id) if self._sent else None
        return life is not None and life.status in (Status.REJECTED, Status.ABORTED, Status.REVOKED)

    def battery(self, plan: BatteryPlan, abnormal: bool, now: datetime) -> list[str]:
        """FRBC: the mode on the side of zero that is wanted."""
        giving = plan.power_w < 0.0
        pick = min if giving else max
        mode = pick(plan.device.modes, key=lambda one: one.low_w if giving else one.high_w)
        return self._mode(mode, plan.power_w, abnormal, now)

    def charger(self, plan: ChargerPlan, abnormal: bool, now: datetime) -> list[str]:
        """FRBC: off, or the charging mode at the factor that makes the power."""
        if not plan.device.plugged:
            self._sent = None
            return []
        pick = max if plan.power_w > 0.0 else min
        mode = pick(plan.device.modes, key=lambda one: one.high_w)
        return self._mode(mode, plan.power_w, abnormal, now)

    def _mode(self, mode: Mode, power_w: float, abnormal: bool, now: datetime) -> list[str]:
        described = f"{mode.mode_id} {mode.low_w:.0f} {mode.high_w:.0f}"
        if not self._new(described, power_w, now):
            return []
        return self._send(
            g.FRBCInstruction,
            described,
            power_w,
            now,
            actuator_id=mode.actuator_id,
            operation_mode=mode.mode_id,
            operation_mode_factor=mode.factor(power_w),
            execution_time=now,
            abnormal_condition=abnormal,
        )

    def producer(self, plan: ProducerPlan, abnormal: bool, now: datetime) -> list[str]:
        """PEBC: one envelope from now on; no limit is an envelope as wide as the constraints allow."""
        device = plan.device
        lower = -device.most_w if plan.lower_w is None else max(plan.lower_w, -device.most_w)
        if self._sent is None and plan.lower_w is None:
            return []
        limited = lower > -device.most_w
        renewed = limited and self._sent is not None and now - self._sent.at >= ENVELOPE / 2
        if not renewed and not self._new(device.constraints_id, lower, now):
            return []
        milliseconds = round(ENVELOPE.total_seconds() * 1000.0)
        element = {"duration": milliseconds, "upper_limit": 0.0, "lower_limit": lower}
        envelope = {
            "id": f"envelope-{now:%Y%m%dT%H%M%S}",
            "commodity_quantity": device.quantity,
            "power_envelope_elements": [element],
        }
        return self._send(
            g.PEBCInstruction,
            device.constraints_id,
            lower,
            now,
            power_constraints_id=device.constraints_id,
            power_envelopes=[envelope],
            execution_time=now,
            abnormal_condition=abnormal,
        )

    def appliance(self, plan: AppliancePlan, abnormal: bool, now: datetime) -> list[str]:
        """PPBC: all steps in a row to start; the next step late to hold it, or now to let it go."""
        device = plan.device
        if plan.act is Act.START:
            texts: list[str] = []
            at = max(now, device.latest_start if plan.why is Why.LATEST else device.start)
            for step in device.steps:
                texts += self._schedule(plan, step.container_id, step.sequence_id, at, abnormal, now)
                at += step.lasts
            return texts
        following = device.following()
        if plan.act is Act.NOTHING or following is None:
            return []
        step, begins = following
        at = begins + step.max_pause if plan.act is Act.HOLD else max(now, begins)
        return self._schedule(plan, step.container_id, step.sequence_id, at, abnormal, now)

    def _schedule(
        self, plan: AppliancePlan, container: str, sequence: str, at: datetime, abnormal: bool, now: datetime
    ) -> list[str]:
        return self._send(
            g.PPBCScheduleInstruction,
            container,
            at.timestamp(),
            now,
            power_profile_id=plan.device.profile_id,
            sequence_container_id=container,
            power_sequence_id=sequence,
            execution_time=at,
            abnormal_condition=abnormal,
        )

    def _new(self, described: str, value: float, now: datetime) -> bool:
        if self._sent is None or self._sent.value[0] != described:
            return True
        if self._refused() and now - self._sent.at >= ASK_AGAIN:
            return True
        last = self._sent.value[1]
        return value != last and (abs(value - last) >= SAME_W or value == 0.0)

    def _send(
        self,
        cls: type[g.FRBCInstruction] | type[g.PEBCInstruction] | type[g.PPBCScheduleInstruction],
        described: str,
        value: float,
        now: datetime,
        **fields: object,
    ) -> list[str]:
        instruction_id, texts = self.session.instruct(cls, now, **fields)
        self._sent = _Sent(instruction_id, (described, value), now)
        return texts
