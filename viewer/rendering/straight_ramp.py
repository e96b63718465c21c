"""The path from stored to display values as one line between black and white, where it is one.

Multiplying, adding and limiting are done for many values at a time, looking up one value after the other: a tile
takes half the time. The line is drawn in float32; whether its rounding changes any grey level is not thought out
but tried, on every stored value between its ends, by whoever makes one (``display_table.straight_ramp``).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

WHITE = 255.0
BLOCK_VALUES = 1 << 17
"""Values worked on at a time, so that what lies between the steps stays in the processor's cache."""


class StraightRamp(NamedTuple):
    """Display value ``floor(stored value * gradient + offset)``, limited to 0 to 255."""

    gradient: float
    offset: float

    def shown(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Map stored values, shape (rows, columns), to display values."""
        result = np.empty(values.shape, np.uint8)
        rows, columns = values.shape
        at_once = max(1, BLOCK_VALUES // max(1, columns))
        line = np.empty((min(at_once, rows), columns), np.float32)
        for top in range(0, rows, at_once):
            part = line[: min(at_once, rows - top)]
            np.copyto(part, values[top : top + at_once])
            np.multiply(part, np.float32(self.gradient), out=part)
            np.add(part, np.float32(self.offset), out=part)
            np.clip(part, 0.0, WHITE, out=part)
            np.copyto(result[top : top + at_once], part, casting="unsafe")
        return result
