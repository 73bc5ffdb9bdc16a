"""One SunSpec unit over Modbus TCP: every read sees the device's present, every write is taken whole or refused.

Unit 1 answers; any other is told that nobody is there (exception 11). Loopback unless another host is given.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from emulator.links.sunspec.registers import BASE, WriteRefused
from emulator.links.sunspec.units import Unit

UNIT_ID = 1
EVERYWHERE = 1 << 16
"""Registers of an address space."""
REFUSALS_KEPT = 100


class SunSpecServer:
    """A port on which one unit is served."""

    def __init__(self, unit: Unit, host: str = "127.0.0.1", port: int = 0) -> None:
        """``port`` 0 takes a free one."""
        self.unit = unit
        self.refused: deque[str] = deque(maxlen=REFUSALS_KEPT)
        """Why writes were refused, newest last."""
        self._host, self._port = host, port
        self._server: ModbusTcpServer | None = None

    @property
    def address(self) -> str:
        """``127.0.0.1:PORT unit 1``, as people type it into a client."""
        return f"{self._host}:{self._port} unit {UNIT_ID}"

    @property
    def port(self) -> int:
        return self._port

    async def start(self) -> None:
        """Open the port. Raises OSError where it cannot be had."""
        self.unit.refresh()
        image = SimData(address=BASE, values=list(self.unit.image.registers()), datatype=DataType.REGISTERS)
        nowhere = SimData(address=0, count=EVERYWHERE, values=0, datatype=DataType.REGISTERS)
        devices = [
            SimDevice(id=UNIT_ID, simdata=[image], action=self._act),
            SimDevice(id=0, simdata=[nowhere], action=self._nobody),
        ]
        self._server = ModbusTcpServer(devices, address=(self._host, self._port))
        try:
            await self._server.serve_forever(background=True)
        except RuntimeError as error:
            await self.close()  # or it would try again by itself, for ever
            raise OSError(f"{self._host}:{self._port} cannot be opened: {error}") from None
        listening: Any = self._server.transport
        self._port = listening.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            await self._server.shutdown()
            self._server = None

    async def _act(
        self,
        function_code: int,
        start_address: int,
        address: int,
        count: int,
        current_registers: list[int],
        set_values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """pymodbus asks before every access; the names of the parameters are its own."""
        if set_values is not None:
            try:
                self.unit.write(address, [int(value) for value in set_values])
            except WriteRefused as refused:
                self.refused.append(str(refused))
                return ExcCodes(refused.code)
        self.unit.refresh()
        current_registers[:] = self.unit.image.registers()
        return None

    async def _nobody(
        self,
        function_code: int,
        start_address: int,
        address: int,
        count: int,
        current_registers: list[int],
        set_values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        return ExcCodes.GATEWAY_NO_RESPONSE
