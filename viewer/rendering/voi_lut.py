"""Modality values to display values: windows and VOI LUTs (PS3.3 C.11.2).

Display values are 0 to 255, computed in float64 and truncated, as dcmtk does.
Only additions, multiplications and divisions in the order written here are used
for the linear functions, so that JavaScript numbers give the same table.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from archive.pixels.description import FrameAttributes, LookupTable, VoiFunction, Window
from viewer.errors import InvalidWindow
from viewer.rendering.modality_lut import entries_of, has_entries, look_up

WHITE = 255.0
_EXPONENT_LIMIT = 700.0
"""exp() of more overflows float64; the sigmoid is flat long before."""


def apply_window(
    values: NDArray[np.floating], window: Window, *, low: float = 0.0, high: float = WHITE
) -> NDArray[np.uint8]:
    """Map modality values to display values through a window.

    Parameters
    ----------
    values
        Output of the modality LUT, any shape, in its units (HU for CT).
    window
        Center and width in the same units; width at least 1 for LINEAR, above 0 else.
    low, high
        Display values below and above the window; ``low=255, high=0`` is the
        inverted ramp of MONOCHROME1, truncated after inversion as dcmtk does.

    Returns
    -------
    Same shape; ``low`` at or below the window and ``high`` above it.

    Raises
    ------
    InvalidWindow
        The width is too small for the function.

    Source
    ------
    PS3.3 C.11.2.1.2.1 (LINEAR), C.11.2.1.3.2 (LINEAR_EXACT), C.11.2.1.3.1 (SIGMOID).

    >>> apply_window(np.array([-160.0, 40.0, 240.0]), Window(center=40, width=400))
    array([  0, 127, 255], dtype=uint8)
    """
    return window_curve(values, window, low, high).astype(np.uint8)


def window_curve(values: NDArray[np.floating], window: Window, low: float, high: float) -> NDArray[np.float64]:
    """Walk a window as ``apply_window`` does, to any two ends and without truncation.

    A presentation LUT and a palette take its result as their input (PS3.3 C.11.6.1).
    """
    smallest_is_legal = window.width >= 1 if window.function is VoiFunction.LINEAR else window.width > 0
    if not (smallest_is_legal and math.isfinite(window.center) and math.isfinite(window.width)):
        raise InvalidWindow(window.width, "a width of at least 1 for linear, above 0 for linear-exact and sigmoid")
    if window.function is VoiFunction.SIGMOID:
        return _sigmoid(values, window, low, high)
    center, width = _ramp_place(window)
    return _ramp(values, center, width, low, high)


def _ramp_place(window: Window) -> tuple[float, float]:
    """LINEAR: (c - 0.5, w - 1), LINEAR_EXACT: (c, w); from here on both are one ramp."""
    exact = window.function is VoiFunction.LINEAR_EXACT
    return (window.center, window.width) if exact else (window.center - 0.5, window.width - 1)


def window_line(window: Window, low: float, high: float) -> tuple[float, float] | None:
    """Gradient and offset of the straight part of a window; None where it is curved or a step.

    >>> window_line(Window(center=128, width=256), 0.0, 255.0)
    (1.0, 0.0)
    """
    center, width = _ramp_place(window)
    if window.function is VoiFunction.SIGMOID or width <= 0:
        return None
    return _line(center, width, low, high)


def _line(center: float, width: float, low: float, high: float) -> tuple[float, float]:
    """Gradient and offset, worked out in the one order that gives the identity for W 256 L 128.

    That of the standard's text loses 32 grey levels to rounding before the truncation.
    """
    out_range = high - low
    return out_range / width, high - (center / width + 0.5) * out_range


def _ramp(values: NDArray[np.floating], center: float, width: float, low: float, high: float) -> NDArray[np.float64]:
    left, right = center - width / 2, center + width / 2
    if width == 0:
        # Width 1 is legal: a step. The ramp below would divide by zero.
        return np.where(values <= left, np.float64(low), np.float64(high))
    gradient, offset = _line(center, width, low, high)
    ramp: NDArray[np.float64] = np.multiply(values, gradient)
    ramp += offset
    ramp[values <= left] = low
    ramp[values > right] = high
    # An extreme window can leave its ends by a rounding error.
    np.clip(ramp, min(low, high), max(low, high), out=ramp)
    return ramp


def _sigmoid(values: NDArray[np.floating], window: Window, low: float, high: float) -> NDArray[np.float64]:
    exponent = np.clip(-4.0 * (values - window.center) / window.width, -_EXPONENT_LIMIT, _EXPONENT_LIMIT)
    curve: NDArray[np.float64] = low + (high - low) / (1.0 + np.exp(exponent))
    return curve


class ValueRange(NamedTuple):
    """All values that can leave the modality step: the VOI step of a state that names none (PS3.3 C.11.6.1)."""

    lowest: float
    span: float
    """Distance from the lowest value to the one after the highest."""


def range_places(values: NDArray[np.floating], value_range: ValueRange, count: int) -> NDArray[np.intp]:
    """Return which of ``count`` equal parts of a range values lie in, from 0; 256 parts are display values.

    Values of n bits become 8 bits by dropping the low ones, as dcmtk does.

    >>> range_places(np.array([0.0, 15.0, 16.0, 4095.0]), ValueRange(0.0, 4096.0), 256).tolist()
    [0, 0, 1, 255]
    """
    parts: NDArray[np.float64] = np.clip((values - value_range.lowest) * (count / value_range.span), 0, count - 1)
    return parts.astype(np.intp)


def apply_voi_lut(values: NDArray[np.floating], table: LookupTable) -> NDArray[np.uint8]:
    """Map modality values to display values through a VOI LUT (PS3.3 C.11.2.1.1).

    Entries of n bits become 8 bits by dropping the low ones, as dcmtk does.

    >>> table = LookupTable(first_mapped=10, bits=12, entries=np.array([0, 2048, 4095], "<u2").tobytes())
    >>> apply_voi_lut(np.array([0.0, 11.0, 99.0]), table)
    array([  0, 128, 255], dtype=uint8)
    """
    return _eight_bits(look_up(values, table), table)


def display_entries(table: LookupTable) -> NDArray[np.uint8]:
    """What each entry of a VOI LUT looks like, in the order of the table."""
    return _eight_bits(entries_of(table), table)


def _eight_bits(entries: NDArray[np.uint16], table: LookupTable) -> NDArray[np.uint8]:
    display: NDArray[Any] = (entries.astype(np.uint32) << 8) >> entry_bits(table)
    return display.astype(np.uint8)


def entry_bits(table: LookupTable) -> int:
    """Bits of the entries: the descriptor's, or more where the entries themselves need more."""
    largest = int(entries_of(table).max(initial=0))
    return max(min(table.bits, 16), largest.bit_length(), 1)


def usable_windows(frame: FrameAttributes) -> tuple[Window, ...]:
    """Header windows that can be applied, in the order of the header.

    A width of 0 or a value that is no number is left out. A LINEAR width between 0
    and 1 is illegal, but written by scanners whose values are fractions (SUV): it
    is taken as LINEAR_EXACT, as it can mean nothing else.
    """
    found = []
    for window in frame.windows:
        if not (math.isfinite(window.center) and math.isfinite(window.width) and window.width > 0):
            continue
        if window.function is VoiFunction.LINEAR and window.width < 1:
            window = Window(window.center, window.width, VoiFunction.LINEAR_EXACT, window.explanation)
        found.append(window)
    return tuple(found)


def usable_voi_luts(frame: FrameAttributes) -> tuple[LookupTable, ...]:
    """VOI LUTs that have entries."""
    return tuple(table for table in frame.voi_luts if has_entries(table))
