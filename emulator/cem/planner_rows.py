"""Columns and rows of a mixed-integer linear programme, gathered in blocks and handed to HiGHS as one sparse matrix.

Nothing here knows of devices. Importing is cheap: scipy, which takes most of a second, is imported when a programme is
solved, so that it happens in the thread that solves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emulator.physics.values import Array

Index = NDArray[np.int64]
Term = tuple[Index, "Array | float"]
"""Columns and their coefficients in as many rows."""


@dataclass(frozen=True, slots=True)
class Solution:
    """What the solver found."""

    values: Array
    objective: float
    bound: float
    """No solution is cheaper than this."""
    proven: bool
    """False: time was up first."""


class Unsolvable(RuntimeError):
    """The solver found nothing in its time, or the programme contradicts itself."""


class Rows:
    """A programme being written: minimise cost with ``lower <= A x <= upper``."""

    def __init__(self) -> None:
        self.columns = 0
        self.count = 0
        self._low: list[Array] = []
        self._high: list[Array] = []
        self._cost: list[Array] = []
        self._whole: list[Array] = []
        self._row: list[Index] = []
        self._column: list[Index] = []
        self._value: list[Array] = []
        self._least: list[Array] = []
        self._most: list[Array] = []

    def variables(
        self, count: int, low: Array | float, high: Array | float, cost: Array | float = 0.0, whole: bool = False
    ) -> Index:
        """New columns; returns their numbers."""
        for kept, value in ((self._low, low), (self._high, high), (self._cost, cost), (self._whole, float(whole))):
            kept.append(np.broadcast_to(np.asarray(value, dtype=np.float64), (count,)))
        self.columns += count
        return np.arange(self.columns - count, self.columns)

    def rows(self, count: int, terms: Sequence[Term], least: Array | float, most: Array | float) -> Index:
        """New rows with one coefficient per term in each; returns their numbers."""
        numbers = np.arange(self.count, self.count + count)
        self.count += count
        self._least.append(np.broadcast_to(np.asarray(least, dtype=np.float64), (count,)))
        self._most.append(np.broadcast_to(np.asarray(most, dtype=np.float64), (count,)))
        for columns, value in terms:
            self.add(numbers, columns, value)
        return numbers

    def row(self, columns: Index, values: Array | float, least: float, most: float) -> int:
        """One new row over many columns."""
        number = self.rows(1, (), least, most)
        self.add(np.repeat(number, len(columns)), columns, values)
        return int(number[0])

    def add(self, rows: Index, columns: Index, values: Array | float) -> None:
        """More coefficients in rows that exist."""
        self._row.append(rows)
        self._column.append(np.broadcast_to(columns, rows.shape))
        self._value.append(np.broadcast_to(np.asarray(values, dtype=np.float64), rows.shape))

    def solve(self, gap: float, time_limit_s: float) -> Solution:
        """Minimise.

        Raises
        ------
        Unsolvable
            Nothing was found.
        """
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import coo_matrix

        cost, whole = np.concatenate(self._cost), np.concatenate(self._whole)
        entries = (np.concatenate(self._value), (np.concatenate(self._row), np.concatenate(self._column)))
        matrix = coo_matrix(entries, shape=(self.count, self.columns)).tocsr()
        found = milp(
            cost,
            integrality=whole.astype(np.int64),
            bounds=Bounds(np.concatenate(self._low), np.concatenate(self._high)),
            constraints=LinearConstraint(matrix, np.concatenate(self._least), np.concatenate(self._most)),
            options={"mip_rel_gap": gap, "time_limit": time_limit_s},
        )
        if found.x is None:
            raise Unsolvable(str(found.message))
        objective = float(found.fun)
        bound = getattr(found, "mip_dual_bound", None)
        known = bound is not None and bool(np.isfinite(bound)) and bool(whole.any())
        return Solution(
            values=np.asarray(found.x, dtype=np.float64),
            objective=objective,
            bound=float(bound) if known and bound is not None else objective,
            proven=found.status == 0,
        )
