"""Our CEM and s2-python's own resource manager handler, over its pluggable medium: a battery is described and driven.

The other end is code of the s2-python project: its connection, its handler, its message classes. Only the queue in
between and the battery's few lines are ours.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from s2python.common import (
    Commodity,
    CommodityQuantity,
    Duration,
    InstructionStatus,
    InstructionStatusUpdate,
    NumberRange,
    PowerMeasurement,
    PowerRange,
    PowerValue,
    Role,
    RoleType,
)
from s2python.connection import AssetDetails
from s2python.connection.async_ import S2AsyncConnection
from s2python.connection.async_.control_type.class_based import FRBCControlType, ResourceManagerHandler
from s2python.connection.async_.medium.s2_medium import S2AsyncMediumConnection
from s2python.frbc import (
    FRBCActuatorDescription,
    FRBCActuatorStatus,
    FRBCOperationMode,
    FRBCOperationModeElement,
    FRBCStorageDescription,
    FRBCStorageStatus,
    FRBCSystemDescription,
)

from emulator.cem.cem import Cem
from emulator.cem.ports import LimitSignal
from emulator.cem.resources import Battery, read
from emulator.links.s2.cem_session import CemSession
from emulator.links.s2.codec import seeded_ids
from emulator.links.s2.session import ControlType, State

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
L1 = CommodityQuantity.ELECTRIC_POWER_L1
RATED_W = 5000.0
ANSWER_WITHIN_S = 10.0


class QueueMedium(S2AsyncMediumConnection):
    """s2-python's medium over two queues."""

    def __init__(self, incoming: asyncio.Queue[str], outgoing: asyncio.Queue[str]) -> None:
        self._incoming, self._outgoing = incoming, outgoing

    async def is_connected(self) -> bool:
        return True

    async def messages(self) -> AsyncGenerator[str, None]:
        while True:
            yield await self._incoming.get()

    async def send(self, message: str) -> None:
        await self._outgoing.put(message)


class ForeignBattery(FRBCControlType):
    """One mode from full discharge to full charge, as s2-python's users write it."""

    def __init__(self) -> None:
        self.power_w = 0.0
        self._actuator, self._mode = uuid.uuid4(), uuid.uuid4()

    async def activate(self, connection: S2AsyncConnection) -> None:
        levels = NumberRange(start_of_range=0.05, end_of_range=0.95)
        rate = RATED_W / 3600.0 / 10_000.0
        element = FRBCOperationModeElement(
            fill_level_range=levels,
            fill_rate=NumberRange(start_of_range=-rate, end_of_range=rate),
            power_ranges=[PowerRange(start_of_range=-RATED_W, end_of_range=RATED_W, commodity_quantity=L1)],
        )
        mode = FRBCOperationMode(
            id=self._mode, diagnostic_label="run", elements=[element], abnormal_condition_only=False
        )
        actuator = FRBCActuatorDescription(
            id=self._actuator,
            diagnostic_label=None,
            supported_commodities=[Commodity.ELECTRICITY],
            operation_modes=[mode],
            transitions=[],
            timers=[],
        )
        storage = FRBCStorageDescription(
            diagnostic_label=None,
            fill_level_label="SoC",
            provides_leakage_behaviour=False,
            provides_fill_level_target_profile=False,
            provides_usage_forecast=False,
            fill_level_range=levels,
        )
        await connection.send_msg_and_await_reception_status(
            FRBCSystemDescription(message_id=uuid.uuid4(), valid_from=NOW, actuators=[actuator], storage=storage)
        )
        await connection.send_msg_and_await_reception_status(
            FRBCStorageStatus(message_id=uuid.uuid4(), present_fill_level=0.5)
        )
        await self._measure(connection)

    async def deactivate(self, connection: S2AsyncConnection) -> None:
        self.power_w = 0.0

    async def handle_instruction(self, connection: S2AsyncConnection, msg: Any, send_okay: Any) -> None:
        await send_okay()
        factor = msg.operation_mode_factor
        self.power_w = -RATED_W + factor * 2.0 * RATED_W
        for status in (InstructionStatus.ACCEPTED, InstructionStatus.STARTED, InstructionStatus.SUCCEEDED):
            await connection.send_and_forget(
                InstructionStatusUpdate(
                    message_id=uuid.uuid4(), instruction_id=msg.id, status_type=status, timestamp=NOW
                )
            )
        await connection.send_and_forget(
            FRBCActuatorStatus(
                message_id=uuid.uuid4(),
                actuator_id=self._actuator,
                active_operation_mode_id=self._mode,
                operation_mode_factor=factor,
                previous_operation_mode_id=None,
                transition_timestamp=None,
            )
        )
        await self._measure(connection)

    async def _measure(self, connection: S2AsyncConnection) -> None:
        value = PowerValue(commodity_quantity=L1, value=self.power_w)
        await connection.send_and_forget(
            PowerMeasurement(message_id=uuid.uuid4(), measurement_timestamp=NOW, values=[value])
        )


class Wire:
    """Our session at one end of the queues; carries until something has come true."""

    def __init__(self) -> None:
        self.to_rm: asyncio.Queue[str] = asyncio.Queue()
        self.from_rm: asyncio.Queue[str] = asyncio.Queue()
        self.session = CemSession(seeded_ids(1))
        self.send(self.session.start(NOW))

    def send(self, texts: list[str]) -> None:
        for text in texts:
            self.to_rm.put_nowait(text)

    async def until(self, come_true: Callable[[], bool]) -> None:
        while not come_true():
            text = await asyncio.wait_for(self.from_rm.get(), ANSWER_WITHIN_S)
            self.send(self.session.receive(text, NOW))


@pytest.fixture
async def battery() -> AsyncIterator[tuple[Wire, ForeignBattery]]:
    wire, device = Wire(), ForeignBattery()
    connection = S2AsyncConnection(QueueMedium(wire.to_rm, wire.from_rm))
    details = AssetDetails(
        resource_id=uuid.uuid4(),
        name="Foreign battery",
        provides_forecast=False,
        provides_power_measurements=[L1],
        instruction_processing_delay=Duration.from_milliseconds(20),
        roles=[Role(role=RoleType.ENERGY_STORAGE, commodity=Commodity.ELECTRICITY)],
    )
    ResourceManagerHandler(asset_details=details, control_types=[device]).register_handlers(connection)
    running = asyncio.get_running_loop().create_task(connection.run())
    yield wire, device
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_it_is_shaken_hands_with_described_and_understood(battery: tuple[Wire, ForeignBattery]):
    wire, _ = battery
    await wire.until(lambda: isinstance(read(wire.session), Battery))
    assert wire.session.state is State.ACTIVATED
    assert wire.session.control_type is ControlType.FILL_RATE_BASED_CONTROL
    seen = read(wire.session)
    assert isinstance(seen, Battery)
    assert (seen.name, seen.charge_w, seen.discharge_w) == ("Foreign battery", RATED_W, RATED_W)
    assert not wire.session.oddities


@pytest.mark.parametrize(
    ("signal", "power_w"),
    [
        (LimitSignal("e-1", NOW, None, lower_w=2000.0), 2050.0),
        (LimitSignal("e-1", NOW, None, upper_w=-1500.0), -1550.0),
    ],
)
async def test_it_does_what_the_guard_decides(
    battery: tuple[Wire, ForeignBattery], signal: LimitSignal, power_w: float
):
    wire, device = battery
    cem = Cem(UTC, meter="none")
    cem.add(wire.session)
    await wire.until(lambda: isinstance(read(wire.session), Battery))
    cem.receive([signal])
    for _, texts in cem.control(NOW):
        wire.send(texts)
    (life,) = wire.session.lives.all()
    await wire.until(lambda: life.over)
    assert life.status.value == "SUCCEEDED"
    assert device.power_w == pytest.approx(power_w)

    def measured() -> bool:
        seen = read(wire.session)
        return seen is not None and seen.power_w == pytest.approx(power_w)

    await wire.until(measured)
    assert not wire.session.oddities
