"""One table from stored value to display value, so that a tile is one look-up; or one line, which is faster still.

The whole grey-scale path (padding, modality LUT, VOI, presentation LUT or palette,
polarity, colour map) is a function of the stored value alone. For values of up to 16 bits it is computed once
for every value that can occur, and kept for the next tile. The browser builds the
same table from the same numbers for value tiles.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from archive.pixels.description import ImageDescription, LookupTable, Palette, VoiFunction, Window
from viewer.rendering.color import palette_colors
from viewer.rendering.color_maps import GREY, color_map
from viewer.rendering.modality_lut import IDENTITY, ModalityTransform, apply_modality
from viewer.rendering.presentation_lut import Voi, apply_presentation_lut, pseudo_color
from viewer.rendering.straight_ramp import StraightRamp
from viewer.rendering.voi_lut import WHITE, apply_voi_lut, apply_window, range_places, window_line

TABLES_KEPT = 128
"""Tables in memory for each process: at most 64 KiB each, three times that with a colour map."""
STEEPEST = 1e30
"""A line is drawn in float32, which ends at 3e38; stored values reach 65535."""
NUDGES = (0.0, 2.0**-12, -(2.0**-12))
"""Grey levels that a line in float32 is moved by, where the path told in float64 reaches whole ones."""


class Supplement(NamedTuple):
    """The colours of the highest stored values of a greyscale image (PS3.3 C.7.6.19)."""

    first: int
    """Lowest stored value with a colour."""
    palette: Palette


def supplement_of(description: ImageDescription, frame_number: int) -> Supplement | None:
    """The supplemental colours of a frame; None where all of it is grey, or all colour."""
    if description.first_colored is None or description.palette is None or description.frame(frame_number).grey_only:
        return None
    return Supplement(description.first_colored, description.palette)


class DisplayTransform(NamedTuple):
    """Everything that decides the grey (or mapped colour) of a stored value; hashable."""

    modality: ModalityTransform = IDENTITY
    voi: Voi = Window(128.0, 256.0)
    padding: tuple[float, float] | None = None
    """Lowest and highest padded stored value, inclusive."""
    image_inverted: bool = False
    reader_inverted: bool = False
    map: str = GREY
    presentation_lut: LookupTable | None = None
    """Takes the place of ``image_inverted``: its entries are P-values."""
    palette: Palette | None = None
    """Of a pseudo-color presentation state; takes the place of ``map`` too."""
    icc_profile: bytes | None = None
    """In which the palette's colors are."""
    supplement: Supplement | None = None


def apply_display(values: NDArray[Any], transform: DisplayTransform) -> NDArray[np.uint8]:
    """Map stored values of one image to what is shown.

    Parameters
    ----------
    values
        Shape (rows, columns), any integer or floating type.

    Returns
    -------
    (rows, columns), or (rows, columns, 3) with a colour map or supplemental colours. Padded pixels are 0.
    """
    if values.dtype.kind in "iu" and values.dtype.itemsize <= 2:
        native = values.dtype.newbyteorder("=")
        values = values.astype(native, copy=False)
        ramp = straight_ramp(transform, native.str) if values.ndim == 2 else None
        if ramp is not None:
            return ramp.shown(values)
        table = display_table(transform, native.str)
        unsigned = values.view(f"u{native.itemsize}")
        # Every index is in the table: "wrap" only saves numpy the check.
        return np.take(table, unsigned, axis=0, mode="wrap")
    return compute_display(values, transform)


@lru_cache(maxsize=TABLES_KEPT)
def display_table(transform: DisplayTransform, dtype: str) -> NDArray[np.uint8]:
    """Return the table for stored values of an 8 or 16 bit integer type, indexed by their unsigned bit pattern."""
    limits = np.iinfo(dtype)
    first, last = _ramp_of(transform, limits.min, limits.max)
    ramp = compute_display(np.arange(first, last + 1), transform._replace(padding=None))
    table = np.empty((limits.max - limits.min + 1, *ramp.shape[1:]), np.uint8)
    table[: first - limits.min] = ramp[0]
    table[first - limits.min : last - limits.min + 1] = ramp
    table[last - limits.min + 1 :] = ramp[-1]
    _blacken(table, transform.padding, limits.min)
    # Signed values: the pattern 0x8000, the lowest of all, comes after 0x7FFF.
    table = np.roll(table, limits.min, axis=0)
    table.setflags(write=False)
    return table


@lru_cache(maxsize=TABLES_KEPT)
def straight_ramp(transform: DisplayTransform, dtype: str) -> StraightRamp | None:
    """Return the line that gives what the table would for stored values of an integer type; None where none does."""
    line = _line_of(transform)
    if line is None:
        return None
    limits = np.iinfo(dtype)
    first, last = _ramp_of(transform, limits.min, limits.max)
    values = np.arange(first, last + 1, dtype=dtype)[np.newaxis]
    wanted = compute_display(values, transform._replace(padding=None))
    if not _padding_is_black(transform.padding, values[0], wanted[0], limits):
        return None
    found = (StraightRamp(line[0], line[1] + nudge) for nudge in NUDGES)
    return next((ramp for ramp in found if np.array_equal(ramp.shown(values), wanted)), None)


def _line_of(transform: DisplayTransform) -> tuple[float, float] | None:
    """Gradient and offset from stored to display values; None where the path has another step than these two."""
    voi, modality = transform.voi, transform.modality
    by_table = modality.table or transform.presentation_lut or transform.palette or transform.supplement
    if by_table or transform.reader_inverted or transform.map != GREY or not isinstance(voi, Window):
        return None
    line = window_line(voi, *_ends_of(transform))
    if line is None:
        return None
    gradient, offset = modality.slope * line[0], modality.intercept * line[0] + line[1]
    return (gradient, offset) if max(abs(gradient), abs(offset)) < STEEPEST else None


def _padding_is_black(
    padding: tuple[float, float] | None, values: NDArray[Any], shown: NDArray[np.uint8], limits: np.iinfo[Any]
) -> bool:
    """Whether padded values are black without being told to be: there are none, or all lie beyond a black end."""
    if padding is None or padding[1] < limits.min or padding[0] > limits.max:
        return True
    is_below, is_above = padding[1] <= values[0], padding[0] >= values[-1]
    return bool((is_below and shown[0] == 0) or (is_above and shown[-1] == 0))


def _ramp_of(transform: DisplayTransform, lowest: int, highest: int) -> tuple[int, int]:
    """First and last stored value between which the display values can change; all outside are as these two."""
    voi, modality = transform.voi, transform.modality
    if transform.supplement is not None:
        return lowest, highest
    if not isinstance(voi, Window) or voi.function is VoiFunction.SIGMOID or modality.table is not None:
        return lowest, highest
    ends = [(voi.center + side * (voi.width / 2 + 1) - modality.intercept) / modality.slope for side in (-1.0, 1.0)]
    first = math.floor(min(max(min(ends) - 1, lowest), highest))
    last = math.ceil(min(max(max(ends) + 1, lowest), highest))
    return first, last


def _blacken(table: NDArray[np.uint8], padding: tuple[float, float] | None, lowest: int) -> None:
    """Make the entries of padded values black; ``table`` starts at the stored value ``lowest``."""
    if padding is None or padding[1] < lowest:
        return
    first = max(math.ceil(padding[0]) - lowest, 0)
    table[first : max(math.floor(padding[1]) - lowest + 1, 0)] = 0


def compute_display(values: NDArray[Any], transform: DisplayTransform) -> NDArray[np.uint8]:
    """Walk the grey-scale path value by value (PS3.4 N.2)."""
    modality = apply_modality(values, transform.modality)
    # A NaN is black in the end: it only has to pass the table.
    if modality.size and np.isnan(modality.min()):
        modality = np.nan_to_num(modality, nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    with np.errstate(over="ignore", invalid="ignore"):
        display = _apply_voi(modality, transform)
    if transform.reader_inverted:
        display = 255 - display
    if transform.map != GREY and transform.palette is None:
        display = color_map(transform.map)[display]
    padded = padding_mask(values, transform.padding)
    if transform.supplement is not None:
        display = _with_supplement(display, values, transform.supplement)
    if padded is not None:
        display[padded] = 0
    return display


def _with_supplement(display: NDArray[np.uint8], values: NDArray[Any], supplement: Supplement) -> NDArray[np.uint8]:
    """The picture in colour, its highest stored values in those of the supplemental palette."""
    colored = color_map(GREY)[display] if display.ndim == values.ndim else display
    in_color = values >= supplement.first
    colored[in_color] = palette_colors(values[in_color], supplement.palette)
    return colored


def padding_mask(values: NDArray[Any], padding: tuple[float, float] | None) -> NDArray[np.bool_] | None:
    """Mark padded pixels by stored value (PS3.3 C.7.5.1.1.2, C.7.6.24.1); None where the image has no padding.

    A NaN of a float image is no value either, whatever its padding value is.
    """
    if values.dtype.kind == "f":
        no_number: NDArray[np.bool_] = np.isnan(values)
        if no_number.any():
            return no_number if padding is None else np.logical_or(no_number, _in_range(values, padding))
    return None if padding is None else _in_range(values, padding)


def _in_range(values: NDArray[Any], padding: tuple[float, float]) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_]
    if padding[0] == padding[1]:
        mask = np.equal(values, padding[0])
    elif values.dtype.kind == "u" and padding[0] <= 0:
        mask = np.less_equal(values, padding[1])
    else:
        mask = np.logical_and(values >= padding[0], values <= padding[1])
    return mask


def _apply_voi(modality: NDArray[np.float64], transform: DisplayTransform) -> NDArray[np.uint8]:
    if transform.palette is not None:
        return pseudo_color(modality, transform.voi, transform.palette, transform.icc_profile)
    if transform.presentation_lut is not None:
        return apply_presentation_lut(modality, transform.voi, transform.presentation_lut)
    if not isinstance(transform.voi, Window):
        if isinstance(transform.voi, LookupTable):
            display = apply_voi_lut(modality, transform.voi)
        else:
            display = range_places(modality, transform.voi, 256).astype(np.uint8)
        return 255 - display if transform.image_inverted else display
    low, high = _ends_of(transform)
    return apply_window(modality, transform.voi, low=low, high=high)


def _ends_of(transform: DisplayTransform) -> tuple[float, float]:
    """Display values below and above a window."""
    return (WHITE, 0.0) if transform.image_inverted else (0.0, WHITE)
