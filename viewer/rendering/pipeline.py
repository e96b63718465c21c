"""The whole path from a decoded frame to a picture (PS3.4 N.2), told once.

padding -> modality LUT -> VOI -> presentation LUT and polarity -> colour or colour map
-> shutter -> overlays and annotations -> region and scale. Reducing comes first, on
stored values: see ``resample``. A presentation state replaces what the image says.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from archive.errors import FrameMissing
from archive.pixels.description import ImageDescription, LookupTable, Window
from viewer.errors import InvalidParameter, NothingToDraw, NoValueTile
from viewer.rendering.automatic import StackSample, automatic_window
from viewer.rendering.color import RGB, is_color, to_rgb, to_srgb
from viewer.rendering.display_table import DisplayTransform, apply_display, supplement_of
from viewer.rendering.geometry import pixel_aspect_ratio
from viewer.rendering.modality_lut import has_entries, modality_transform
from viewer.rendering.parameters import RenderParameters, VoiLutNumber, WindowChoice, WindowSource
from viewer.rendering.presentation import image_is_inverted, reader_inverts
from viewer.rendering.presentation_lut import Voi
from viewer.rendering.presentation_state import FrameState, identity
from viewer.rendering.resample import Part, enlarge, reduce_by, reduce_to, resize_area, whole
from viewer.rendering.stack_window import StackWindow, WindowOrigin, full_range
from viewer.rendering.stated import color_profile, cover, has_shutter, lay_over, state_transform
from viewer.rendering.tiles import Level, Region, find_level, levels, tile_region
from viewer.rendering.voi_lut import usable_voi_luts, usable_windows

DEFAULT = RenderParameters()
UNKNOWN_WINDOW = StackWindow(WindowOrigin.UNKNOWN)
SIGNED_OFFSET = 32768
"""What is added to signed stored values of a value tile."""


class Decoded(Protocol):
    """What a decoder gives: ``archive.pixels.decode.DecodedFrame``, or a reduced frame of ours."""

    @property
    def values(self) -> NDArray[Any]: ...

    @property
    def photometric_interpretation(self) -> str: ...


class ReducedFrame(NamedTuple):
    """A frame at a lower level of its pyramid; colours are RGB already."""

    values: NDArray[Any]
    photometric_interpretation: str
    level: int
    cells: NDArray[np.unsignedinteger] | None = None
    """Whole pixel cells of the frame at 1:1, where overlays lie in them."""


def render_frame(
    decoded: Decoded,
    description: ImageDescription,
    frame_number: int,
    parameters: RenderParameters = DEFAULT,
    *,
    stack_window: StackWindow | None = None,
    region: Region | None = None,
    level: int | None = None,
    state: FrameState | None = None,
) -> NDArray[np.uint8]:
    """Draw a frame, or a region of it.

    Parameters
    ----------
    decoded
        Stored values of the whole frame, or what ``reduce_frame`` made of them.
    frame_number
        From 1.
    stack_window
        First window of the stack; without it each frame finds its own.
    region
        In pixels of the level; the whole of it if None.
    level
        Of the pyramid; 1:1 if None.
    state
        What a presentation state says about this frame. It replaces what the image says, but for a
        window that ``parameters`` ask for; drawn in the geometry of the image, neither cut nor turned.

    Returns
    -------
    uint8, (rows, columns) grey or (rows, columns, 3) sRGB.

    Raises
    ------
    NothingToDraw
        The image has no pixels, or a photometric interpretation nobody knows.
    InvalidParameter
        A VOI LUT was asked for that the image does not have.
    TileMissing, FrameMissing
        Level or frame does not exist.
    """
    check_drawable(description, frame_number)
    storey = _storey(description, level)
    reduced = reduce_frame(decoded, description, frame_number, storey.level)
    part = Region(0, 0, storey.rows, storey.columns) if region is None else region
    values = reduced.values[part.row : part.row + part.rows, part.column : part.column + part.columns]
    window = stack_window or UNKNOWN_WINDOW
    image = _display(values, reduced, description, frame_number, parameters, window, state)
    image = cover(image, description, frame_number, state, part, storey.scale)
    if not parameters.overlays:
        return image
    return lay_over(image, description, frame_number, state, part, storey.scale, reduced.cells)


def render_tile(
    decoded: Decoded,
    description: ImageDescription,
    frame_number: int,
    parameters: RenderParameters = DEFAULT,
    *,
    level: int,
    row: int,
    column: int,
    stack_window: StackWindow | None = None,
    state: FrameState | None = None,
) -> NDArray[np.uint8]:
    """Draw one tile; a value tile where the parameters ask for one.

    Raises
    ------
    TileMissing
        The image has no such tile; and all that ``render_frame`` raises.
    """
    check_drawable(description, frame_number)
    region = tile_region(find_level(description.rows, description.columns, level), row, column)
    if parameters.values:
        return value_tile(decoded, description, frame_number, level=level, row=row, column=column)
    return render_frame(
        decoded,
        description,
        frame_number,
        parameters,
        stack_window=stack_window,
        region=region,
        level=level,
        state=state,
    )


def value_tile(
    decoded: Decoded, description: ImageDescription, frame_number: int, *, level: int, row: int, column: int
) -> NDArray[np.uint8]:
    """Return stored values as two storeys of bytes: high bytes above, low bytes below.

    Signed values are offset by 32768 (``value_offset``).

    Returns
    -------
    uint8, twice as many rows as the tile.

    Raises
    ------
    NoValueTile
        Colours, or values of more than 16 bits.
    """
    check_drawable(description, frame_number)
    if not _holds_words(description) or description.frame(frame_number).shutter is not None:
        raise NoValueTile(
            "Stored values of this image are colours, need more than 16 bits, or are not all to be seen: "
            "only windowed tiles."
        )
    part = tile_region(find_level(description.rows, description.columns, level), row, column)
    reduced = reduce_frame(decoded, description, frame_number, level)
    values = reduced.values[part.row : part.row + part.rows, part.column : part.column + part.columns]
    words = (values.astype(np.int32) + value_offset(description)).astype(np.uint16)
    return np.concatenate([(words >> 8).astype(np.uint8), (words & 0xFF).astype(np.uint8)])


def has_value_tiles(description: ImageDescription) -> bool:
    """Whether stored values fit 16 bits, are not colours, and all but a table lies between them and the picture."""
    return _holds_words(description) and not has_shutter(description)


def _holds_words(description: ImageDescription) -> bool:
    grey = description.samples_per_pixel == 1 and not is_color(description.photometric_interpretation)
    grey = grey and description.first_colored is None
    is_plain = description.presentation_lut is None and description.pixel_keyword == "PixelData"
    return grey and is_plain and description.bits_allocated <= 16


def value_offset(description: ImageDescription) -> int:
    """What to take from the words of a value tile to have stored values again."""
    return SIGNED_OFFSET if description.pixel_representation else 0


def reduce_frame(decoded: Decoded, description: ImageDescription, frame_number: int, level: int) -> ReducedFrame:
    """Return a frame at one level of its pyramid; what is at that level already is returned as it is.

    Made once and kept by the caller, it serves every tile and every window of that level.

    Raises
    ------
    TileMissing
        The image has no such level.
    ValueError
        ``decoded`` is another reduced level: means of means would weigh padding wrongly.
    """
    storey = _storey(description, level)
    have = _storey(description, getattr(decoded, "level", None))
    cells = getattr(decoded, "cells", None)
    if have.level == storey.level:
        return ReducedFrame(decoded.values, decoded.photometric_interpretation, storey.level, cells)
    if have.scale != 1:
        raise ValueError(f"Level {storey.level} is made from the whole frame, not from level {have.level}.")
    photometric = decoded.photometric_interpretation
    if is_color(photometric):
        rgb = to_rgb(decoded.values, photometric, description)
        return ReducedFrame(reduce_by(rgb, storey.scale), RGB, storey.level)
    if description.first_colored is not None:
        # A mean of a grey value and the index of a colour would be another colour.
        return ReducedFrame(decoded.values[:: storey.scale, :: storey.scale], photometric, storey.level, cells)
    return ReducedFrame(reduce_by(decoded.values, storey.scale, description.padding), photometric, storey.level, cells)


def frame_levels(decoded: Decoded, description: ImageDescription, frame_number: int) -> tuple[ReducedFrame, ...]:
    """Return a frame at every level of its pyramid, the smallest first, each as ``reduce_frame`` makes it.

    One pass over the image; made once, they serve every tile and every window.
    """
    pyramid = levels(description.rows, description.columns)
    last = reduce_frame(decoded, description, frame_number, pyramid[-1].level)
    if len(pyramid) == 1:
        return (last,)
    values, photometric, padding, cells = last.values, last.photometric_interpretation, description.padding, last.cells
    if is_color(photometric):
        values, photometric, padding, cells = to_rgb(values, photometric, description), RGB, None, None
    smaller = reduce_to(values, [one.scale for one in pyramid[-2::-1]], padding)
    lower = [ReducedFrame(one, photometric, level, cells) for level, one in enumerate(reversed(smaller))]
    return (*lower, last)


def thumbnail_level(description: ImageDescription, frame_number: int, size: int) -> int:
    """The smallest level that a thumbnail of ``size`` pixels can be made from without enlarging."""
    rows, columns = fitting_size(description, frame_number, size)
    pyramid = levels(description.rows, description.columns)
    return next((one.level for one in pyramid if one.rows >= rows and one.columns >= columns), pyramid[-1].level)


def render_thumbnail(
    decoded: Decoded,
    description: ImageDescription,
    frame_number: int,
    *,
    stack_window: StackWindow | None = None,
    size: int = 128,
    parameters: RenderParameters = DEFAULT,
) -> NDArray[np.uint8]:
    """Draw the whole frame so that it fits a square of ``size`` pixels, in its true proportions."""
    check_drawable(description, frame_number)
    rows, columns = fitting_size(description, frame_number, size)
    level = thumbnail_level(description, frame_number, size)
    image = render_frame(decoded, description, frame_number, parameters, stack_window=stack_window, level=level)
    return scale_image(image, rows, columns)


def scale_image(image: NDArray[np.uint8], rows: int, columns: int, part: Part | None = None) -> NDArray[np.uint8]:
    """Bring display values, or a part of them, to a size: area filter down, bilinear up, each axis by itself."""
    shown = part or whole(image)
    fewer_rows, fewer_columns = rows < shown.height, columns < shown.width
    if fewer_rows or fewer_columns:
        # An axis that does not shrink stays whole; the second step takes the part out of it.
        top, height = (shown.top, shown.height) if fewer_rows else (0.0, float(image.shape[0]))
        left, width = (shown.left, shown.width) if fewer_columns else (0.0, float(image.shape[1]))
        target = rows if fewer_rows else image.shape[0], columns if fewer_columns else image.shape[1]
        smaller = resize_area(image, *target, part=Part(top, left, height, width))
        image = np.floor(smaller + 0.5).astype(np.uint8)
        top, height = (0.0, float(rows)) if fewer_rows else (shown.top, shown.height)
        left, width = (0.0, float(columns)) if fewer_columns else (shown.left, shown.width)
        shown = Part(top, left, height, width)
    is_done = image.shape[:2] == (rows, columns) and shown == whole(image)
    return image if is_done else enlarge(image, rows, columns, part=shown)


def fitting_size(description: ImageDescription, frame_number: int, size: int) -> tuple[int, int]:
    """Rows and columns of a picture in true proportions whose longer side is ``size``."""
    vertical, horizontal = pixel_aspect_ratio(description, frame_number)
    height, width = description.rows * vertical, description.columns * horizontal
    factor = size / max(height, width)
    return max(1, round(height * factor)), max(1, round(width * factor))


def check_drawable(description: ImageDescription, frame_number: int) -> None:
    """Raise ``NothingToDraw`` or ``FrameMissing`` where there is no such picture."""
    if description.rows < 1 or description.columns < 1:
        raise NothingToDraw("This object has no pixels.")
    if not 1 <= frame_number <= description.frames:
        raise FrameMissing(
            f"Frame {frame_number} does not exist: the image has {description.frames} (1 to {description.frames})."
        )


def _storey(description: ImageDescription, level: int | None) -> Level:
    if level is None:
        return levels(description.rows, description.columns)[-1]
    return find_level(description.rows, description.columns, level)


def _display(
    values: NDArray[Any],
    frame: ReducedFrame,
    description: ImageDescription,
    frame_number: int,
    parameters: RenderParameters,
    stack_window: StackWindow,
    state: FrameState | None,
) -> NDArray[np.uint8]:
    inverted = reader_inverts(parameters, stack_inverted=stack_window.inverted)
    if is_color(frame.photometric_interpretation):
        samples = to_rgb(values, frame.photometric_interpretation, description)
        rgb = to_srgb(samples, color_profile(description, state))
        return 255 - rgb if inverted else rgb
    voi = chosen_voi(description, frame_number, parameters.window, stack_window, state)
    voi = voi or _computed(frame.values, description, frame_number)
    if state is not None:
        transform = state_transform(state, voi, description.padding, reader_inverted=inverted, color_map=parameters.map)
        return apply_display(values, transform)
    transform = DisplayTransform(
        modality=modality_transform(description, frame_number),
        voi=voi,
        padding=description.padding,
        image_inverted=image_is_inverted(description, frame.photometric_interpretation),
        reader_inverted=inverted,
        map=parameters.map,
        presentation_lut=description.presentation_lut if has_entries(description.presentation_lut) else None,
        supplement=supplement_of(description, frame_number),
    )
    return apply_display(values, transform)


def chosen_voi(
    description: ImageDescription,
    frame_number: int,
    asked: WindowChoice | None,
    stack_window: StackWindow,
    state: FrameState | None = None,
) -> Voi | None:
    """Choose the VOI step: asked for > presentation state > VOI LUT > header window > the stack's window.

    None where nobody says it: it is computed from the values of the frame itself.

    Raises
    ------
    InvalidParameter
        A VOI LUT was asked for that the image does not have.
    """
    if isinstance(asked, Window):
        return asked
    if isinstance(asked, VoiLutNumber):
        return _voi_lut(description, frame_number, asked)
    if asked is WindowSource.AUTOMATIC:
        return stack_window.automatic
    if asked is None and state is not None:
        return state.voi or identity(description, state.modality)
    if asked is None and stack_window.voi_lut is None and stack_window.window is not None:
        return stack_window.window
    attributes = description.frame(frame_number)
    if tables := usable_voi_luts(attributes):
        return tables[0]
    if windows := usable_windows(attributes):
        return windows[0]
    return stack_window.window or full_range(description, frame_number)


def _voi_lut(description: ImageDescription, frame_number: int, asked: VoiLutNumber) -> LookupTable:
    tables = usable_voi_luts(description.frame(frame_number))
    if asked.number > len(tables):
        accepted = f"lut-1 to lut-{len(tables)}" if tables else "a window: the image has no VOI LUT"
        raise InvalidParameter("window", asked, accepted)
    return tables[asked.number - 1]


def _computed(values: NDArray[Any], description: ImageDescription, frame_number: int) -> Window:
    """Window of a single frame whose stack has none yet; the whole range where every pixel is padded."""
    sample = StackSample()
    sample.add(np.asarray(values), description, frame_number)
    window = automatic_window(sample, description.modality)
    return window or Window(math.ldexp(1, description.bits_stored - 1), math.ldexp(1, description.bits_stored))
