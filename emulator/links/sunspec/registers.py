"""A SunSpec register image: models in a row behind the marker, read as registers, written point by point.

Pure: no socket, no clock. `Image.write` checks a whole request before anything changes and says which Modbus exception
a bad one deserves: an address that cannot be written, or a value out of range. Values unknown or not a number are read
as SunSpec's "not implemented" value of their type.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import sunspec2.device as sunspec

BASE = 40_000
"""Address of the marker (SunSpec Information Model Specification: one of 0, 40000, 50000)."""
MARKER = struct.unpack(">HH", b"SunS")
END = (0xFFFF, 0)


class Refusal(IntEnum):
    """Modbus exception codes a write can deserve."""

    ILLEGAL_ADDRESS = 2
    ILLEGAL_VALUE = 3


class WriteRefused(Exception):
    """A request that changes nothing; ``code`` answers it, the text says why."""

    def __init__(self, code: Refusal, why: str) -> None:
        super().__init__(why)
        self.code = code


class Model:
    """One SunSpec model and the points of it that may be written."""

    def __init__(self, number: int, fixed: Mapping[str, object], writable: tuple[str, ...] = ()) -> None:
        """``fixed`` are raw values set once, scale factors among them; ``writable`` names points a client may set."""
        self.number = number
        self.writable = frozenset(writable)
        self._model: Any = sunspec.Model(number)
        for name, value in fixed.items():
            self._model.points[name].value = value

    def put(self, name: str, value: float | None) -> None:
        """Set a point in its unit; what its type cannot hold is clipped, None and NaN become "not implemented"."""
        point = self._model.points[name]
        if value is None or not math.isfinite(value):
            point.value = None
            return
        low, high = _bounds(point)
        scale = self._scale(point)
        point.value = min(max(round(value / scale), low), high)

    def get(self, name: str) -> float | None:
        """A point in its unit; None is "not implemented"."""
        point = self._model.points[name]
        return None if point.value is None else point.value * self._scale(point)

    def registers(self) -> list[int]:
        data = self._model.get_mb()
        return list(struct.unpack(f">{len(data) // 2}H", data))

    def point_at(self, offset: int) -> Any:
        """The point that begins this many registers into the model, or None."""
        return next((point for point in self._model.points.values() if point.offset == offset), None)

    def decoded(self, point: Any, registers: list[int]) -> float | None:
        """What registers mean as a value of a point, in its unit."""
        probe = sunspec.Point(point.pdef)
        probe.set_mb(struct.pack(f">{len(registers)}H", *registers))
        value: Any = probe.value
        return None if value is None else value * self._scale(point)

    def _scale(self, point: Any) -> float:
        factor = self._model.points[point.sf].value if point.sf else 0
        return 10.0 ** (factor or 0)


def _bounds(point: Any) -> tuple[int, int]:
    """What the type of a point can say, its "not implemented" value left out."""
    bits = point.len * 16
    if point.pdef["type"].startswith("int"):
        return -(2 ** (bits - 1)) + 1, 2 ** (bits - 1) - 1
    return 0, 2**bits - 2


class Image:
    """All models of one unit from the marker to the end."""

    def __init__(self, *models: Model) -> None:
        self.models = {model.number: model for model in models}
        self._starts: list[tuple[int, Model]] = []
        at = BASE + len(MARKER)
        for model in models:
            self._starts.append((at, model))
            at += len(model.registers())
        self.length = at + len(END) - BASE

    def registers(self) -> list[int]:
        """As they stand now, from `BASE` on."""
        body = [register for _, model in self._starts for register in model.registers()]
        return [*MARKER, *body, *END]

    def parse(self, address: int, registers: list[int]) -> dict[tuple[int, str], float]:
        """The points a write request sets, by model and name, in their units. Nothing changes.

        Raises
        ------
        WriteRefused
            A register is not the beginning of a writable point, a point is written in part, or a value is
            "not implemented".
        """
        found: dict[tuple[int, str], float] = {}
        at = address
        while at < address + len(registers):
            start, model = self._model_at(at)
            point = model.point_at(at - start) if model else None
            if model is None or point is None or point.pdef["name"] not in model.writable:
                raise WriteRefused(Refusal.ILLEGAL_ADDRESS, f"register {at} cannot be written")
            name = point.pdef["name"]
            words = registers[at - address : at - address + point.len]
            if len(words) < point.len:
                raise WriteRefused(Refusal.ILLEGAL_VALUE, f"{name} has {point.len} registers, {len(words)} came")
            value = model.decoded(point, words)
            if value is None:
                raise WriteRefused(Refusal.ILLEGAL_VALUE, f"{name} was set to its value for “not implemented”")
            found[model.number, name] = value
            at += point.len
        return found

    def _model_at(self, address: int) -> tuple[int, Model | None]:
        inside = [(start, model) for start, model in self._starts if start <= address]
        return inside[-1] if inside else (0, None)
