"""After the VOI step: presentation LUT and pseudo-color palette (PS3.3 C.11.6, PS3.4 N.2.1.4, N.2.3).

Both are tables whose whole input range the output range of the VOI step is stretched
to (PS3.3 C.11.6.1): the lowest VOI output takes the first entry, the highest the last.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from archive.pixels.description import LookupTable, Palette, Window
from viewer.rendering.color import to_srgb
from viewer.rendering.modality_lut import entries_of, look_up
from viewer.rendering.voi_lut import WHITE, ValueRange, entry_bits, range_places, window_curve

Voi = Window | LookupTable | ValueRange


def voi_places(values: NDArray[np.float64], voi: Voi, count: int) -> NDArray[np.intp]:
    """Return where VOI outputs fall in a table of ``count`` entries: 0 to count - 1, truncated as dcmtk does.

    Parameters
    ----------
    values
        Output of the modality LUT, any shape.
    """
    if isinstance(voi, Window):
        return window_curve(values, voi, 0.0, float(count - 1)).astype(np.intp)
    if isinstance(voi, ValueRange):
        return range_places(values, voi, count)
    return look_up(values, voi).astype(np.intp) * count >> entry_bits(voi)


def voi_share(values: NDArray[np.float64], voi: Voi) -> NDArray[np.float64]:
    """Return VOI outputs as shares of their range, 0.0 to 1.0 (PS3.4 N.2.4.1)."""
    if isinstance(voi, Window):
        return window_curve(values, voi, 0.0, 1.0)
    if isinstance(voi, ValueRange):
        return np.clip((values - voi.lowest) / voi.span, 0.0, 1.0)
    share: NDArray[np.float64] = look_up(values, voi) / ((1 << entry_bits(voi)) - 1)
    return share


def apply_presentation_lut(values: NDArray[np.float64], voi: Voi, table: LookupTable) -> NDArray[np.uint8]:
    """Map modality values through the VOI step and a presentation LUT to display values.

    Entries are P-values of ``table.bits`` bits (PS3.3 C.11.6.1.1), scaled to 0 to 255 and truncated.

    >>> table = LookupTable(0, 12, np.array([4095, 2048, 0], "<u2").tobytes())
    >>> apply_presentation_lut(np.array([0.0, 64.0, 255.0]), Window(128, 256), table).tolist()
    [255, 255, 0]
    """
    entries = entries_of(table)
    display = entries.astype(np.float64) * (WHITE / ((1 << entry_bits(table)) - 1))
    found: NDArray[np.uint8] = display.astype(np.uint8)[voi_places(values, voi, len(entries))]
    return found


def pseudo_color(
    values: NDArray[np.float64], voi: Voi, palette: Palette, icc_profile: bytes | None
) -> NDArray[np.uint8]:
    """Map modality values through the VOI step and a palette to sRGB, one more axis of 3."""
    table = palette_srgb(palette, icc_profile)
    found: NDArray[np.uint8] = table[voi_places(values, voi, len(table))]
    return found


@lru_cache(maxsize=16)
def palette_srgb(palette: Palette, icc_profile: bytes | None) -> NDArray[np.uint8]:
    """Entries of a palette in sRGB, shape (entries, 3), from the profile that they are in; read-only."""
    parts = [entries_of(part) for part in (palette.red, palette.green, palette.blue)]
    count = min(len(part) for part in parts)
    # Tables that claim 16 bits and hold no entry above 255 exist: they are 8-bit tables.
    shift = 8 if max(int(part.max(initial=0)) for part in parts) > 255 else 0
    columns = [(part[:count] >> shift).astype(np.uint8) for part in parts]
    table: NDArray[np.uint8] = to_srgb(np.stack(columns, axis=1)[None], icc_profile)[0].copy()
    table.setflags(write=False)
    return table
