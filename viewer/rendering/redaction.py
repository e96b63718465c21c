"""What is laid over a picture that leaves the house: masks over burned-in text, and the recipient's name.

Both are drawn into the finished picture, after everything else, so that no window and no table brings back what
they cover.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewer.rendering.burned_text import drawable_text
from viewer.rendering.text_stamp import text_stamp
from viewer.rendering.tiles import Region

SOFT_EDGE = 1
"""Pixels of a level around a mask that are covered too: smaller levels mix neighbours."""
MARK_CONTRAST = 80
"""Grey levels by which the name differs from what lies under it."""
MARK_PLACES = (0.3, 0.8)
"""Of the height of a picture, where the name stands."""
MARK_FONT_PX = 18
SMALLEST_FONT_PX = 9


@dataclass(frozen=True, slots=True)
class Redaction:
    """Rectangles in pixels of the image at 1:1, and a line of text; equal ones cover alike."""

    masks: tuple[Region, ...] = ()
    mark: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.masks or self.mark)


NOTHING = Redaction()


def redact(
    image: NDArray[np.uint8], redaction: Redaction, *, part: Region | None = None, scale: float = 1.0
) -> NDArray[np.uint8]:
    """Cover a picture, or a region of one; the picture given is not changed.

    Parameters
    ----------
    image
        (rows, columns) grey or (rows, columns, 3) RGB.
    part
        Where it lies in its level, pixels of the level; the whole of it if None.
    scale
        Image pixels that one pixel of the level covers, along each side.

    Returns
    -------
    The same shape; pixels that a mask touches are 0, also where it touches only a part of them.
    """
    if redaction.is_empty:
        return image
    found = image.copy()
    here = part or Region(0, 0, *image.shape[:2])
    for mask in redaction.masks:
        top, bottom = covered(mask.row, mask.rows, scale, here.row, here.rows)
        left, right = covered(mask.column, mask.columns, scale, here.column, here.columns)
        found[top:bottom, left:right] = 0
    if redaction.mark:
        write_mark(found, redaction.mark)
    return found


def covered(start: int, size: int, scale: float, part_start: int, part_size: int) -> tuple[int, int]:
    """First pixel of a part that a stretch of the image touches, and the first after it.

    >>> covered(100, 50, 4, 0, 64), covered(100, 50, 1, 512, 512)
    ((24, 39), (0, 0))
    """
    if size <= 0:
        return 0, 0
    soft = SOFT_EDGE if scale > 1 else 0
    low = int(np.floor(start / scale)) - soft - part_start
    high = int(np.ceil((start + size) / scale)) + soft - part_start
    return min(max(low, 0), part_size), min(max(high, 0), part_size)


def write_mark(image: NDArray[np.uint8], text: str) -> None:
    """Write a line across a picture in place: lighter than what is dark, darker than what is light."""
    rows, columns = image.shape[:2]
    words = drawable_text(text)
    stamp = text_stamp(words, MARK_FONT_PX)
    if stamp.shape[1] > columns:
        stamp = text_stamp(words, max(SMALLEST_FONT_PX, MARK_FONT_PX * columns // stamp.shape[1]))
    for place in MARK_PLACES if rows >= 4 * stamp.shape[0] else MARK_PLACES[:1]:
        top = min(int(rows * place), max(0, rows - stamp.shape[0]))
        left = max(0, (columns - stamp.shape[1]) // 2)
        part = image[top : top + stamp.shape[0], left : left + stamp.shape[1]]
        shape = stamp[: part.shape[0], : part.shape[1]]
        under = part[shape].astype(np.int16)
        part[shape] = np.where(under < 128, under + MARK_CONTRAST, under - MARK_CONTRAST).astype(np.uint8)
