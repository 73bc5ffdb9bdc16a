"""What the physics takes and gives: a number or an array of numbers, one per device."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Values: TypeAlias = float | NDArray[np.float64]
"""In: a scalar or an array; several of them broadcast together."""

Array: TypeAlias = NDArray[np.float64]
"""Out: an array of the broadcast shape; of shape () for scalars, so that ``float()`` takes it."""

SECONDS_PER_HOUR = 3600.0
SECONDS_PER_DAY = 86_400.0
