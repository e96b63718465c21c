"""Text burned into a picture, after everything else (PS3.18 8.3.5.1.1). Tiles never carry any.

The typeface is the one that Pillow brings: Latin letters without accents. What it
lacks is written by its base letter, or left out with a mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from archive.dicom.person_name import format_for_people
from viewer.rendering.text_stamp import written

MISSING = "?"
"""Stands for a character that cannot be drawn."""
SMALLEST_PX, LARGEST_PX = 10, 64
ROWS_A_LINE = 36
"""A line of text is about this part of the picture's height."""
MARGIN_PX = 4
_LETTERS = {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE"}
"""Letters that are none with an accent."""
_NOT_A_CHARACTER = "\uffff"


def burn_text(image: NDArray[np.uint8], lines: Sequence[str]) -> NDArray[np.uint8]:
    """Write lines from the upper left corner, white with a black edge; the picture given is not changed.

    Parameters
    ----------
    image
        (rows, columns) grey or (rows, columns, 3) RGB.
    """
    if not lines:
        return image
    size = max(SMALLEST_PX, min(LARGEST_PX, image.shape[0] // ROWS_A_LINE))
    picture = Image.fromarray(np.ascontiguousarray(image))
    draw = ImageDraw.Draw(picture)
    white, black = (255, 0) if image.ndim == 2 else ((255, 255, 255), (0, 0, 0))
    for number, line in enumerate(lines):
        place = (MARGIN_PX, MARGIN_PX + number * (size + size // 4))
        draw.text(place, drawable_text(line), fill=white, font=_font(size), stroke_width=1, stroke_fill=black)
    return np.asarray(picture)


def name_on_picture(person_name: str) -> str:
    """A person's name as far as it can be drawn: all component groups, else the alphabetic one alone.

    >>> name_on_picture("Yamada^Tarou=山田^太郎"), name_on_picture("Müller^Jörg")
    ('Yamada, Tarou', 'Muller, Jorg')
    """
    whole = format_for_people(person_name)
    return whole if can_draw(whole) else drawable_text(format_for_people(person_name.split("=")[0]))


def drawable_text(text: str) -> str:
    """The text with base letters for accented ones, and a mark for what cannot be drawn at all."""
    return "".join(_drawable(character) for character in written(text))


def can_draw(text: str) -> bool:
    """Whether the typeface has every character."""
    return all(_has_glyph(character) for character in text)


def _drawable(character: str) -> str:
    return character if _has_glyph(character) else _LETTERS.get(character, MISSING)


@lru_cache(maxsize=4096)
def _has_glyph(character: str) -> bool:
    if not character.isprintable():
        return False
    font = _font(SMALLEST_PX)
    return character == " " or bytes(font.getmask(character)) != bytes(font.getmask(_NOT_A_CHARACTER))


@lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return cast("ImageFont.FreeTypeFont", ImageFont.load_default(size))
