"""A washing machine in S2: power profile based control.

A programme may wait only before certain phases, never within one, so each container begins where a pause is legal:
its ScheduleInstruction may be up to `max_pause_before` later than the end of the container before. Interruption inside
a sequence is not offered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from s2python.generated import gen_s2 as g

from emulator.devices import Washer, WasherState
from emulator.devices.device import CommandRefused
from emulator.links.s2.codec import IdSource
from emulator.links.s2.instructions import Instruction, Status
from emulator.links.s2.resource_base import DeviceResource, Ended, milliseconds
from emulator.links.s2.rm_session import Draft
from emulator.links.s2.session import ControlType
from emulator.physics.washer import Phase

SLACK = timedelta(seconds=2)
"""A start this much off is not a pause: it is the grain of the stepping."""


@dataclass(frozen=True, slots=True)
class Container:
    """Phases that run without a break."""

    id: str
    sequence_id: str
    phases: tuple[Phase, ...]
    begins_s: float
    """Programme time at which it begins."""
    may_wait: bool

    @property
    def lasts_s(self) -> float:
        return sum(phase.duration_s for phase in self.phases)


class WasherResource(DeviceResource):
    control_type = ControlType.POWER_PROFILE_BASED_CONTROL
    roles = (g.RoleType.ENERGY_CONSUMER,)

    def __init__(self, device: Washer, ids: IdSource) -> None:
        super().__init__(device, ids)
        self._device = device
        self._profile_id = ""
        self._load: object = None
        self._containers: tuple[Container, ...] = ()
        self._not_before: dict[str, datetime] = {}
        self._told: list[dict[str, object]] = []

    def describe(self, control_type: ControlType, now: datetime) -> Iterable[Draft]:
        yield from self._definition()
        yield from self._status()

    def report(self, now: datetime) -> Iterable[Draft]:
        yield from super().report(now)
        if (self._device.earliest_start, self._device.latest_end) != self._load:
            yield from self._definition()
        yield from self._status()

    def problem(self, instruction: Instruction, now: datetime) -> str | None:
        if not isinstance(instruction, g.PPBCScheduleInstruction):
            return "no sequence can be interrupted; its container can be scheduled later"
        if instruction.power_profile_id.root != self._profile_id:
            return f"power profile {instruction.power_profile_id.root} is not described"
        container = self._container(instruction)
        if container is None or instruction.power_sequence_id.root != container.sequence_id:
            return f"sequence {instruction.power_sequence_id.root} is not described in that container"
        return None

    def refusal(self, instruction: Instruction, now: datetime) -> str | None:
        container = self._container(instruction)
        assert container is not None
        device = self._device
        if device.elapsed_s > container.begins_s or device.state is WasherState.DONE:
            return "the sequence has begun"
        if container.begins_s == 0.0:
            latest = device.latest_start
            late = latest is not None and instruction.execution_time > latest
            return f"it has to start by {latest:%Y-%m-%dT%H:%M:%SZ}" if late else None
        earliest = self._earliest(container, now)
        wait = instruction.execution_time - earliest
        if wait <= SLACK:
            return None
        if not container.may_wait:
            return "the programme must not wait before this sequence"
        if wait > timedelta(seconds=device.config.max_pause_s) + SLACK:
            return f"it may wait {device.config.max_pause_s:.0f} s at most"
        if device.pauses_left == 0 and device.state is not WasherState.PAUSED:
            return "it has used its pauses"
        return None

    def accept(self, instruction: Instruction, now: datetime) -> None:
        container = self._container(instruction)
        assert container is not None
        if container.begins_s > 0.0:
            self._not_before[container.id] = instruction.execution_time
            return
        assert self._device.earliest_start is not None
        self._device.schedule(max(instruction.execution_time, self._device.earliest_start, now))

    def outcome(self, instruction: Instruction, now: datetime) -> Ended | None:
        container = self._container(instruction)
        if container is None:
            return Status.ABORTED, "another programme was loaded"
        return (Status.SUCCEEDED, "") if self._finished(container) else None

    def replaces(self, new: Instruction, old: Instruction) -> bool:
        return self._container(new) == self._container(old)

    def keep_time(self, now: datetime) -> None:
        """Hold the programme before a container whose time has not come, and let it go when it has."""
        following = next((one for one in self._containers if one.begins_s >= self._device.elapsed_s - 1e-6), None)
        if following is None or following.begins_s == 0.0:
            return
        wanted = self._not_before.get(following.id)
        if wanted is None or wanted - self._earliest(following, now) <= SLACK or now >= wanted:
            self._device.resume()
            return
        try:
            self._device.pause()
        except CommandRefused:
            # It started or ended between the acceptance and now; the programme simply goes on.
            del self._not_before[following.id]

    def release(self, now: datetime) -> None:
        self._not_before.clear()
        self._device.unschedule()
        self._device.resume()

    def _container(self, instruction: Instruction) -> Container | None:
        assert isinstance(
            instruction,
            g.PPBCScheduleInstruction | g.PPBCStartInterruptionInstruction | g.PPBCEndInterruptionInstruction,
        )
        wanted = instruction.sequence_container_id.root
        return next((one for one in self._containers if one.id == wanted), None)

    def _earliest(self, container: Container, now: datetime) -> datetime:
        """When the container would begin if nothing waited from now on."""
        device = self._device
        if device.state in (WasherState.ARMED, WasherState.SCHEDULED):
            start = device.scheduled_start or now
            return max(start, now) + timedelta(seconds=container.begins_s)
        ahead = timedelta(seconds=container.begins_s - device.elapsed_s)
        waited = timedelta(seconds=device.paused_s if device.state is WasherState.PAUSED else 0.0)
        return now + ahead - waited

    def _finished(self, container: Container) -> bool:
        return self._device.state is WasherState.DONE or (
            self._device.elapsed_s >= container.begins_s + container.lasts_s - 1e-6
        )

    def _definition(self) -> Iterable[Draft]:
        device = self._device
        self._load = (device.earliest_start, device.latest_end)
        self._not_before.clear()
        self._told = []
        self._containers = ()
        if device.earliest_start is None or device.latest_end is None or device.state is WasherState.DONE:
            return
        self._profile_id = self._ids()
        self._containers = tuple(self._split(device.phases))
        fields = {
            "id": self._profile_id,
            "start_time": device.earliest_start,
            "end_time": device.latest_end,
            "power_sequences_containers": [self._described(container) for container in self._containers],
        }
        yield g.PPBCPowerProfileDefinition, fields

    def _split(self, phases: tuple[Phase, ...]) -> Iterable[Container]:
        edges = [0, *(n for n, phase in enumerate(phases) if phase.may_pause_before and n > 0), len(phases)]
        begins = 0.0
        for first, last in zip(edges, edges[1:], strict=False):
            container = Container(self._ids(), self._ids(), phases[first:last], begins, first > 0)
            yield container
            begins += container.lasts_s

    def _described(self, container: Container) -> dict[str, object]:
        pause = milliseconds(self._device.config.max_pause_s) if container.may_wait else 0
        elements = [
            {
                "duration": milliseconds(phase.duration_s),
                "power_values": [{"commodity_quantity": self.quantity, "value_expected": phase.power_w}],
            }
            for phase in container.phases
        ]
        sequence = {
            "id": container.sequence_id,
            "elements": elements,
            "is_interruptible": False,
            "max_pause_before": pause,
            "abnormal_condition_only": False,
        }
        return {"id": container.id, "power_sequences": [sequence]}

    def _status(self) -> Iterable[Draft]:
        told = [self._progress(container) for container in self._containers]
        if told and told != self._told:
            self._told = told
            yield g.PPBCPowerProfileStatus, {"sequence_container_status": told}

    def _progress(self, container: Container) -> dict[str, object]:
        device = self._device
        into_s = device.elapsed_s - container.begins_s
        fields: dict[str, object] = {
            "power_profile_id": self._profile_id,
            "sequence_container_id": container.id,
            "selected_sequence_id": container.sequence_id,
        }
        if self._finished(container):
            return fields | {"status": g.PPBCPowerSequenceStatus.FINISHED}
        if device.state is WasherState.RUNNING and into_s >= 0.0:
            return fields | {"status": g.PPBCPowerSequenceStatus.EXECUTING, "progress": milliseconds(into_s)}
        planned = device.state is not WasherState.ARMED or device.scheduled_start is not None
        status = g.PPBCPowerSequenceStatus.SCHEDULED if planned else g.PPBCPowerSequenceStatus.NOT_SCHEDULED
        return fields | {"status": status}
