"""Pseudo-colour maps: 256 display values to sRGB, chosen by name.

Display values go in after inversion.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from viewer.rendering.well_known_palettes import HOT_IRON, HOT_METAL_BLUE, PET, PET_20_STEP, WellKnownPalette

GREY = "grey"
RAINBOW = "rainbow"

_WELL_KNOWN: dict[str, WellKnownPalette] = {
    "hot-iron": HOT_IRON,
    "pet": PET,
    "hot-metal-blue": HOT_METAL_BLUE,
    "pet-20-step": PET_20_STEP,
}

MAP_NAMES: tuple[str, ...] = (GREY, *_WELL_KNOWN, RAINBOW)


@cache
def color_map(name: str) -> NDArray[np.uint8]:
    """Return a map of 256 rows of red, green, blue; read-only.

    Raises
    ------
    KeyError
        The name is none of ``MAP_NAMES``; parameters are checked before.
    """
    if name == GREY:
        table = np.stack([np.arange(256, dtype=np.uint8)] * 3, axis=1)
    elif name == RAINBOW:
        table = _rainbow()
    else:
        table = np.stack([np.frombuffer(bytes.fromhex(part), np.uint8) for part in _WELL_KNOWN[name]], axis=1)
    table.setflags(write=False)
    return table


def _rainbow() -> NDArray[np.uint8]:
    """Blue, cyan, green, yellow, red in four straight ramps; black at 0."""
    position = np.linspace(0.0, 4.0, 256)
    red = np.clip(position - 2, 0, 1)
    green = np.clip(np.minimum(position, 4 - position), 0, 1)
    blue = np.clip(2 - position, 0, 1)
    table: NDArray[np.uint8] = np.rint(np.stack([red, green, blue], axis=1) * 255).astype(np.uint8)
    table[0] = 0
    return table
