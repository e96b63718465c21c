"""Text of annotations as pixels, upright or turned (PS3.3 C.10.5.1.1)."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SMALLEST_FONT_PX = 11
LARGEST_FONT_PX = 40
LONGEST_SIDE_PX = 4096
"""Of a text's picture; what is longer is cut."""
LINE_SPACING_PX = 2

SPELLED_OUT = str.maketrans(
    # The font that comes with Pillow knows ASCII and a few signs; units must not become boxes.
    {"µ": "u", "μ": "u", "–": "-", "—": "-", "−": "-", "×": "x", "≤": "<=", "≥": ">=", "’": "'", "“": '"', "”": '"'}
)


def written(text: str) -> str:
    """A text as the font can write it: signs spelled out, letters without their accents.

    >>> written("Ø 12 µm², Größe ± 1°")
    'Ø 12 um2, Grosse ± 1°'
    """
    spelled = text.translate(SPELLED_OUT).replace("ß", "ss")
    parts = (one if one in "°±«»©´·" else unicodedata.normalize("NFKD", one) for one in spelled)
    return "".join(part for whole in parts for part in whole if not unicodedata.combining(part))


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


@lru_cache(maxsize=128)
def text_stamp(text: str, size: int) -> NDArray[np.bool_]:
    """Return the pixels of a text written upright, cut to what is written; read-only.

    Parameters
    ----------
    size
        Height of the font, pixels.
    """
    font, text = _font(size), written(text)
    drawing = ImageDraw.Draw(Image.new("1", (1, 1)))
    drawing.fontmode = "1"
    left, top, right, bottom = drawing.multiline_textbbox((0, 0), text, font=font, spacing=LINE_SPACING_PX)
    width, height = (min(max(1, round(side)), LONGEST_SIDE_PX) for side in (right - left, bottom - top))
    picture = Image.new("1", (width, height))
    drawing = ImageDraw.Draw(picture)
    drawing.fontmode = "1"
    drawing.multiline_text((-left, -top), text, fill=1, font=font, spacing=LINE_SPACING_PX)
    stamp = _cut(np.asarray(picture, np.bool_))
    stamp.setflags(write=False)
    return stamp


def _cut(picture: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Without empty rows and columns around; a text of spaces is one empty pixel."""
    rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
    if not len(rows):
        return np.zeros((1, 1), np.bool_)
    return picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].copy()


def font_size(side_px: float, text: str) -> int:
    """Height of the font with which a text fills a box of this height."""
    lines = text.count("\n") + 1
    return round(min(max(0.8 * side_px / lines, SMALLEST_FONT_PX), LARGEST_FONT_PX))


def quarter_turns(across: float, down: float) -> int:
    """Clockwise quarter turns of a text that runs from a box's first corner to its second.

    C.10.5.1.1: the text keeps that direction also where the corners were turned or mirrored;
    it is never mirrored itself.

    >>> [quarter_turns(*way) for way in ((5, 2), (-2, 5), (-5, -2), (2, -5))]
    [0, 1, 2, 3]
    """
    if across >= 0:
        return 0 if down >= 0 else 3
    return 1 if down >= 0 else 2
