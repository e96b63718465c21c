"""Stored values to modality values (PS3.3 C.11.1), the first step on pixels.

Either a rescale line or a table, never both; the table wins, as the two exclude
each other in the standard and the table says more.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from archive.pixels.description import ImageDescription, LookupTable

PROJECTION_INTENSITY_MODALITIES = frozenset({"XA", "RF"})
"""PS3.3 C.8.7.1.1.2: the Modality LUT of XA and XRF leads back to X-ray intensity and is not for display."""


class ModalityTransform(NamedTuple):
    """Rescale line, or table; hashable, so that it can be part of a cache key."""

    slope: float = 1.0
    intercept: float = 0.0
    table: LookupTable | None = None

    @property
    def is_identity(self) -> bool:
        """True where modality values are the stored values."""
        return self.table is None and self.slope == 1.0 and self.intercept == 0.0


IDENTITY = ModalityTransform()


def modality_transform(description: ImageDescription, frame_number: int) -> ModalityTransform:
    """Return the transform of one frame (PS3.3 C.11.1, C.7.6.16.2.9 for functional groups)."""
    if description.modality in PROJECTION_INTENSITY_MODALITIES:
        return IDENTITY
    frame = description.frame(frame_number)
    if has_entries(frame.modality_lut):
        return ModalityTransform(table=frame.modality_lut)
    slope, intercept = frame.rescale_slope, frame.rescale_intercept
    # A slope of 0 would make every pixel equal: such headers exist, and mean that nobody filled it in.
    if slope == 0 or not (math.isfinite(slope) and math.isfinite(intercept)):
        return IDENTITY
    return ModalityTransform(slope, intercept)


def apply_modality(values: NDArray[Any], transform: ModalityTransform) -> NDArray[np.float64]:
    """Map stored values to modality values in float64.

    Parameters
    ----------
    values
        Stored values, any shape, integer or floating.
    transform
        Table: values below its first and above its last entry take that entry (PS3.3 C.11.1.1.1).

    >>> apply_modality(np.array([0, 1064], np.int16), ModalityTransform(1.0, -1024.0)).tolist()
    [-1024.0, 40.0]
    """
    if transform.table is not None:
        return look_up(values, transform.table).astype(np.float64)
    result = values.astype(np.float64)
    if not transform.is_identity:
        # Slopes near the largest float64 exist in damaged headers: what leaves its range is infinite.
        with np.errstate(over="ignore", invalid="ignore"):
            result *= transform.slope
            result += transform.intercept
    return result


def entries_of(table: LookupTable) -> NDArray[np.uint16]:
    """Entries of a table as unsigned words, a view on its bytes."""
    return np.frombuffer(table.entries, dtype="<u2", count=len(table.entries) // 2)


def has_entries(table: LookupTable | None) -> bool:
    """Whether there is a table with at least one entry."""
    return table is not None and len(table.entries) >= 2


def look_up(values: NDArray[Any], table: LookupTable) -> NDArray[np.uint16]:
    """Entry of each value, same shape; fractions of a value are cut off as dcmtk does."""
    entries = entries_of(table)
    # float64 holds every stored value, and unsigned ones would wrap below the first entry.
    index = np.clip(np.trunc(values.astype(np.float64)) - table.first_mapped, 0, len(entries) - 1)
    found: NDArray[np.uint16] = entries[index.astype(np.intp)]
    return found
