"""Windows computed from values, for stacks whose headers have none.

Input is modality values without padding, a sample of the whole stack; one window
is found for all of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archive.pixels.description import ImageDescription, VoiFunction, Window
from viewer.rendering.display_table import padding_mask
from viewer.rendering.modality_lut import apply_modality, modality_transform

PIXELS_PER_FRAME = 65536
"""Pixels of a frame that take part in percentiles; minimum and maximum always come from all."""

MR_PERCENTILES = (1.0, 99.0)
OTHER_PERCENTILES = (0.1, 99.9)
"""Leaves out a few burnt-out or dead pixels."""

BACKGROUND_FRACTION = 0.1
"""Share of the range from the 2nd to the 98th percentile below which MR signal is air (after FSL's BET)."""

SUV_RANGE = (0.0, 7.0)

AUTOMATIC = "Automatic"


@dataclass
class StackSample:
    """Values of a stack, gathered frame by frame in bounded memory."""

    minimum: float = np.inf
    maximum: float = -np.inf
    whole: bool = True
    """Every value so far was a whole number."""
    _parts: list[NDArray[np.float32]] = field(default_factory=list)

    def add(self, values: NDArray[Any], description: ImageDescription, frame_number: int) -> None:
        """Take in the stored values of one frame."""
        left_out = padding_mask(values, description.padding)
        if description.first_colored is not None:
            colored = values >= description.first_colored
            left_out = colored if left_out is None else left_out | colored
        stored = values.ravel() if left_out is None else values[~left_out]
        if not stored.size:
            return
        transform = modality_transform(description, frame_number)
        ends = apply_modality(np.array([stored.min(), stored.max()]), transform)
        if transform.table is not None or not np.isfinite(ends).all():
            finite = apply_modality(stored, transform)
            stored, transform = finite[np.isfinite(finite)], type(transform)()
            if not stored.size:
                return
            ends = np.array([stored.min(), stored.max()])
        self.minimum = min(self.minimum, float(ends.min()))
        self.maximum = max(self.maximum, float(ends.max()))
        self.whole = self.whole and stored.dtype.kind in "iu" and _is_whole(transform.slope, transform.intercept)
        step = max(1, stored.size // PIXELS_PER_FRAME)
        self._parts.append(apply_modality(stored[::step], transform).astype(np.float32))

    @property
    def values(self) -> NDArray[np.float32]:
        """The sample, one dimension; empty where every pixel was padded."""
        return np.concatenate(self._parts) if self._parts else np.empty(0, np.float32)


def _is_whole(*numbers: float) -> bool:
    return all(float(number).is_integer() for number in numbers)


def automatic_window(sample: StackSample, modality: str, *, suv_factor: float | None = None) -> Window | None:
    """Return the window that fits a modality; None where there are no values.

    Parameters
    ----------
    suv_factor
        What turns modality values of a PET into SUV; 1 where they are SUV already,
        None where it is not known.
    """
    if not np.isfinite(sample.minimum):
        return None
    if modality == "PT" and suv_factor:
        return window_between(*(suv / suv_factor for suv in SUV_RANGE))
    if modality in ("PT", "NM"):
        return window_between(0.0, max(sample.maximum, 0.0), whole=sample.whole)
    low, high = _mr_range(sample.values) if modality == "MR" else _percentiles(sample.values, OTHER_PERCENTILES)
    if sample.whole:
        low, high = np.floor(low), np.ceil(high)
    return window_between(low, high, whole=sample.whole)


def window_between(low: float, high: float, *, whole: bool = False) -> Window:
    """Window that shows ``low`` as 0 and ``high`` as 255.

    LINEAR for whole numbers (PS3.3 C.11.2.1.2.1 counts steps), LINEAR_EXACT for fractions.

    >>> window_between(0, 255, whole=True)
    Window(center=128.0, width=256.0, function=<VoiFunction.LINEAR: 'LINEAR'>, explanation='Automatic')
    """
    if whole:
        return Window(float((low + high + 1) / 2), float(high - low + 1), VoiFunction.LINEAR, AUTOMATIC)
    width = float(high - low) or 1.0
    return Window(float((low + high) / 2), width, VoiFunction.LINEAR_EXACT, AUTOMATIC)


def _mr_range(values: NDArray[np.float32]) -> tuple[float, float]:
    """1st to 99th percentile of what is not background."""
    dark, bright = _percentiles(values, (2.0, 98.0))
    signal = values[values > dark + BACKGROUND_FRACTION * (bright - dark)]
    return _percentiles(signal if signal.size else values, MR_PERCENTILES)


def _percentiles(values: NDArray[np.float32], pair: tuple[float, float]) -> tuple[float, float]:
    low, high = np.percentile(values, pair)
    return float(low), float(high)
