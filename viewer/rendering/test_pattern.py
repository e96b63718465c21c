"""A pattern by which a person sees whether a display shows what was drawn (after AAPM TG18-QC and TG270).

It is 12-bit values, drawn by the same path as every image, so that it also tests the path.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from archive.pixels.decode import DecodedFrame
from archive.pixels.description import ImageDescription, Window
from viewer.rendering.parameters import RenderParameters
from viewer.rendering.pipeline import render_frame

SIZE: Final = 1024
BITS: Final = 12
WHITE: Final = (1 << BITS) - 1
BACKGROUND: Final = WHITE // 5
PATCHES: Final = 18
"""Steps of equal size from black to white."""
PATCH: Final = 96
SQUARE: Final = 16
"""Side of the squares in the corners of a patch, brighter and darker by ``CONTRAST``."""
CONTRAST: Final = round(WHITE * 0.02)
FRAME_WINDOW: Final = Window(center=(WHITE + 1) / 2, width=WHITE + 1)

DESCRIPTION: Final = ImageDescription(rows=SIZE, columns=SIZE, bits_stored=BITS, high_bit=BITS - 1, modality="OT")


def pattern_values() -> NDArray[np.uint16]:
    """Stored values of the pattern, (1024, 1024), 0 to 4095."""
    values = np.full((SIZE, SIZE), BACKGROUND, np.uint16)
    _draw_grid(values)
    for number in range(PATCHES):
        row, column = patch_corner(number)
        _draw_patch(values[row : row + PATCH, column : column + PATCH], round(number * WHITE / (PATCHES - 1)))
    # TG18-QC: 5 % within black, and 95 % within white, must both be seen.
    for column, outer, inner in ((400, 0, 0.05), (528, WHITE, 0.95)):
        values[464:560, column : column + 96] = outer
        values[494:530, column + 30 : column + 66] = round(WHITE * inner)
    for row, column in ((32, 32), (32, SIZE - 96), (SIZE - 96, 32), (SIZE - 96, SIZE - 96), (568, 480)):
        _draw_lines(values[row : row + 64, column : column + 64])
    values[640:672, 192:832] = np.linspace(0, WHITE, 640).astype(np.uint16)
    return values


def patch_corner(number: int) -> tuple[int, int]:
    """First row and column of a patch, from 0: nine above the middle from the left, nine below it from the right."""
    above = number < PATCHES // 2
    place = number if above else PATCHES - 1 - number
    return (240 if above else 720), 48 + place * (PATCH + 8)


def _draw_grid(values: NDArray[np.uint16]) -> None:
    line = WHITE // 2
    for place in range(0, SIZE, 128):
        values[place, :] = values[:, place] = line
    values[0, :] = values[-1, :] = values[:, 0] = values[:, -1] = WHITE


def _draw_patch(patch: NDArray[np.uint16], level: int) -> None:
    patch[:] = level
    brighter, darker = min(level + CONTRAST, WHITE), max(level - CONTRAST, 0)
    patch[:SQUARE, :SQUARE] = patch[-SQUARE:, -SQUARE:] = brighter
    patch[:SQUARE, -SQUARE:] = patch[-SQUARE:, :SQUARE] = darker


def _draw_lines(part: NDArray[np.uint16]) -> None:
    """Lines of one pixel and of two, across and down: they blur where a pixel is not one pixel of the display."""
    part[:] = 0
    part[:32:2, :32] = part[:32, 32::2] = WHITE
    part[32::4, :32] = part[33::4, :32] = WHITE
    part[32:, 32::4] = part[32:, 33::4] = WHITE


def draw_pattern() -> NDArray[np.uint8]:
    """The pattern as display values, (1024, 1024)."""
    decoded = DecodedFrame(pattern_values(), "MONOCHROME2")
    return render_frame(decoded, DESCRIPTION, 1, RenderParameters(window=FRAME_WINDOW))
