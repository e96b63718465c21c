"""Mask subtraction of angiography as a data set describes it (PS3.3 C.7.6.10), made clean.

What is subtracted from what, in which order, is decided where frames are drawn.
"""

from __future__ import annotations

from typing import Final

from pydicom import Dataset

from archive.dicom.values import integer, items, number, numbers, text
from archive.pixels.description import MaskOperation

SUBTRACTIONS: Final = frozenset({"AVG_SUB", "TID", "REV_TID"})
"""Mask Operations that subtract; NONE does not."""
MAXIMUM_MASK_FRAMES: Final = 1 << 10


def mask_operations(ds: Dataset, frames: int) -> tuple[MaskOperation, ...]:
    """Items of the Mask Subtraction Sequence that subtract something, in the order of the file.

    Parameters
    ----------
    frames
        Of the image; a single frame has nothing to subtract from.
    """
    if frames < 2:
        return ()
    found = (_operation(item, frames) for item in items(ds, "MaskSubtractionSequence"))
    return tuple(operation for operation in found if operation is not None)


def _operation(item: Dataset, frames: int) -> MaskOperation | None:
    kind = text(item, "MaskOperation").upper()
    if kind not in SUBTRACTIONS:
        return None
    masks = tuple(int(one) for one in numbers(item, "MaskFrameNumbers") if 1 <= one <= frames)[:MAXIMUM_MASK_FRAMES]
    if kind == "AVG_SUB" and not masks:
        return None
    return MaskOperation(
        kind=kind,
        ranges=_ranges(item),
        mask_frames=masks,
        contrast_frames=max(integer(item, "ContrastFrameAveraging", 1), 1),
        shift=pixel_shift(item),
        tid_offset=integer(item, "TIDOffset", 1),
        item_id=integer(item, "SubtractionItemID"),
    )


def _ranges(item: Dataset) -> tuple[tuple[int, int], ...]:
    """Applicable Frame Range: pairs of a first and a last frame."""
    ends = [int(one) for one in numbers(item, "ApplicableFrameRange")]
    return tuple((first, last) for first, last in zip(ends[::2], ends[1::2], strict=False) if 1 <= first <= last)


def pixel_shift(item: Dataset) -> tuple[float, float]:
    """Mask Sub-pixel Shift in rows and columns, no shift where it is not there."""
    shift = numbers(item, "MaskSubPixelShift", 2)
    return (shift[0], shift[1]) if shift else (0.0, 0.0)


def frame_pixel_shifts(group: Dataset) -> tuple[tuple[int, float, float], ...]:
    """Frame Pixel Shift of a functional group: Subtraction Item ID, rows, columns (PS3.3 C.7.6.16.2.14)."""
    return tuple(
        (integer(item, "SubtractionItemID"), *pixel_shift(item))
        for item in items(group, "FramePixelShiftSequence")
        if number(item, "SubtractionItemID") is not None
    )
