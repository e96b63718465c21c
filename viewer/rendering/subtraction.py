"""Mask subtraction of angiography (PS3.3 C.7.6.10): after the modality LUT, before the VOI.

A subtracted frame is the mean of its contrast frames less the mean of its mask
frames, in values that are proportional to the *logarithm* of the X-ray intensity:
only there does the same vessel leave the same difference under thick and thin
tissue. Linear values (Pixel Intensity Relationship LIN, PS3.3 C.8.7.1.1.2) are
brought there first; LOG, DISP and what is not said are taken as they stand. The
modality LUT of XA and XRF leads back to intensity and has no part in it.

Differences are whole signed numbers of one bit more than the stored values, so
that windows, tables and value tiles work on them as on any image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from archive.pixels.description import FrameAttributes, ImageDescription, MaskOperation, Window
from viewer.rendering.display_table import padding_mask

AVERAGE, DIFFERENCING, REVERSED = "AVG_SUB", "TID", "REV_TID"
LINEAR_INTENSITY = "LIN"
SUBTRACTED_MODE = "SUB"
"""Recommended Viewing Mode (0028,1090)."""
NO_VALUE = -(1 << 31)
"""Stands where contrast or mask is padding; no difference of 16-bit values comes near it."""
NO_VALUE_16 = -(1 << 15)


class MaskPlan(NamedTuple):
    """Which frames make a subtracted one, counted from 1."""

    contrast: tuple[int, ...]
    masks: tuple[int, ...]
    shift: tuple[float, float] = (0.0, 0.0)
    """Rows and columns by which the mask is moved."""


def mask_plan(description: ImageDescription, frame_number: int) -> MaskPlan | None:
    """Return what to subtract from a frame; None where no item of the sequence applies to it.

    Parameters
    ----------
    frame_number
        The contrast frame, from 1.

    Source
    ------
    PS3.3 C.7.6.10.1.1, C.7.6.10.1.2; C.7.6.16.2.14 for the shift of a single frame.
    """
    for operation in description.masks:
        masks = _mask_frames(operation, frame_number, description.frames)
        if not masks:
            continue
        last = min(frame_number + operation.contrast_frames, description.frames + 1)
        shift = _shift(operation, description.frame(frame_number))
        return MaskPlan(tuple(range(frame_number, last)), masks, shift)
    return None


def subtracted_frames(description: ImageDescription) -> tuple[int, ...]:
    """Frames that have a mask, in order."""
    if not description.masks:
        return ()
    return tuple(number for number in range(1, description.frames + 1) if mask_plan(description, number) is not None)


def _mask_frames(operation: MaskOperation, frame_number: int, frames: int) -> tuple[int, ...]:
    place = _place(operation, frame_number, frames)
    if place is None:
        return ()
    if operation.kind == AVERAGE:
        return operation.mask_frames
    # TID: the frame an offset before; REV_TID: two more for each frame of the range that went before.
    backwards = operation.tid_offset + (2 * place if operation.kind == REVERSED else 0)
    mask = frame_number - backwards
    return (mask,) if 1 <= mask <= frames and backwards else ()


def _place(operation: MaskOperation, frame_number: int, frames: int) -> int | None:
    """How many frames of the Applicable Frame Range go before this one; None where it is outside."""
    # Without a range AVG_SUB ends where enough frames are left to average, TID where the mask is a
    # frame of the image; REV_TID must have one.
    assumed = {AVERAGE: (1, frames - operation.contrast_frames + 1), DIFFERENCING: (1, frames)}
    ranges = operation.ranges or ((assumed[operation.kind],) if operation.kind in assumed else ())
    before = 0
    for first, last in ranges:
        if first <= frame_number <= min(last, frames):
            return before + frame_number - first
        before += max(min(last, frames) - first + 1, 0)
    return None


def _shift(operation: MaskOperation, frame: FrameAttributes) -> tuple[float, float]:
    """The shift of this frame for this item, else that of the item."""
    for item_id, rows, columns in frame.mask_shifts:
        if item_id == operation.item_id:
            return rows, columns
    return operation.shift


def subtract(
    contrast: Sequence[NDArray[Any]],
    masks: Sequence[NDArray[Any]],
    description: ImageDescription,
    *,
    shift: tuple[float, float] = (0.0, 0.0),
) -> NDArray[np.signedinteger]:
    """Return contrast less mask.

    Parameters
    ----------
    contrast, masks
        Stored values of the frames of a ``MaskPlan``, each (rows, columns); at least one of each.
    description
        Of the image as it was acquired.
    shift
        Rows and columns by which the mask is moved before, bilinear, its edge repeated.

    Returns
    -------
    (rows, columns) of the type that ``subtracted_description`` describes; means are rounded to the
    nearest, halves up. Where a pixel of any frame is padding the result is padding.
    """
    light, padded = _mean(contrast, description)
    mask, mask_padded = _mean(masks, description)
    if any(shift):
        # Order 1 is bilinear; a positive shift moves the mask towards higher rows and columns.
        mask = ndimage.shift(mask, shift, order=1, mode="nearest")
        mask_padded = ndimage.shift(mask_padded.astype(np.float32), shift, order=1, mode="nearest") > 0
    difference = np.floor(light - mask + 0.5)
    difference[padded | mask_padded] = _no_value(description)
    return difference.astype(np.int16 if _fits_16_bits(description) else np.int32)


def _mean(
    frames: Sequence[NDArray[Any]], description: ImageDescription
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    total = np.zeros(frames[0].shape, np.float64)
    padded = np.zeros(frames[0].shape, np.bool_)
    for values in frames:
        total += to_logarithm(values, description)
        if (mask := padding_mask(values, description.padding)) is not None:
            padded |= mask
    return total / len(frames), padded


def to_logarithm(values: NDArray[Any], description: ImageDescription) -> NDArray[np.float64]:
    """Bring linear values to logarithmic ones over the same range; others stay as they are.

    0 stays 0 and the largest stored value stays the largest; between them
    ``largest * ln(1 + x) / ln(1 + largest)``. Where lower values mean more intensity
    (Pixel Intensity Relationship Sign -1) the curve is the same from the other end.
    """
    if description.pixel_intensity_relationship != LINEAR_INTENSITY:
        return values.astype(np.float64)
    largest = float((1 << (description.bits_stored - description.pixel_representation)) - 1)
    falls = description.pixel_intensity_sign < 0
    if values.dtype.kind not in "iu" or values.dtype.itemsize > 2:
        return _curve(values.astype(np.float64), largest, falls=falls)
    native = values.astype(values.dtype.newbyteorder("="), copy=False)
    table = _table(native.dtype.str, largest, falls)
    return np.take(table, native.view(f"u{native.dtype.itemsize}"), mode="wrap")


@lru_cache(maxsize=8)
def _table(dtype: str, largest: float, falls: bool) -> NDArray[np.float64]:
    """The curve for every value of a type of 8 or 16 bits, by its unsigned bit pattern: a logarithm a pixel is slow."""
    stored = np.dtype(dtype)
    patterns = np.arange(1 << (8 * stored.itemsize), dtype=f"u{stored.itemsize}")
    table = _curve(patterns.view(stored).astype(np.float64), largest, falls=falls)
    table.setflags(write=False)
    return table


def _curve(stored: NDArray[np.float64], largest: float, *, falls: bool) -> NDArray[np.float64]:
    linear = np.clip(largest - stored if falls else stored, 0.0, largest)
    curve: NDArray[np.float64] = largest * np.log1p(linear) / np.log1p(largest)
    return largest - curve if falls else curve


def subtracted_description(description: ImageDescription) -> ImageDescription:
    """Describe the differences of an image: signed, one bit more, without unit and modality LUT.

    Windows and VOI LUTs of the header are those of the native image, unless it is meant to be
    seen subtracted (Recommended Viewing Mode SUB): then windows that reach over 0, where nothing
    changed, are for the differences.
    """
    keep = description.recommended_viewing_mode == SUBTRACTED_MODE
    bits = 16 if _fits_16_bits(description) else 32
    no_value = float(_no_value(description))
    return replace(
        description,
        bits_allocated=bits,
        bits_stored=bits,
        high_bit=bits - 1,
        pixel_representation=1,
        padding=(no_value, no_value),
        overlays=tuple(plane for plane in description.overlays if plane.bits is not None),
        shared=_of_differences(description.shared, keep_windows=keep),
        per_frame=tuple(_of_differences(frame, keep_windows=keep) for frame in description.per_frame),
    )


def _of_differences(frame: FrameAttributes, *, keep_windows: bool) -> FrameAttributes:
    windows = tuple(window for window in frame.windows if keep_windows and _reaches_over_zero(window))
    return replace(
        frame,
        rescale_slope=1.0,
        rescale_intercept=0.0,
        rescale_type="",
        modality_lut=None,
        units="",
        windows=windows,
        voi_luts=(),
        real_world=(),
    )


def _reaches_over_zero(window: Window) -> bool:
    return abs(window.center) < window.width / 2


def _fits_16_bits(description: ImageDescription) -> bool:
    """A difference of n bits needs n + 1; one value is kept for padding."""
    return description.bits_stored < 16


def _no_value(description: ImageDescription) -> int:
    return NO_VALUE_16 if _fits_16_bits(description) else NO_VALUE
