"""The whole path: precedence of windows, polarity, regions, levels, thumbnails, value tiles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from archive.errors import FrameMissing
from archive.pixels.description import FrameAttributes, ImageDescription, Palette, Window
from tests.viewer.rendering.images import Frame, describe_values, table
from viewer.errors import InvalidParameter, NothingToDraw, NoValueTile, TileMissing
from viewer.rendering.parameters import RenderParameters, VoiLutNumber, WindowSource
from viewer.rendering.pipeline import (
    fitting_size,
    frame_levels,
    has_value_tiles,
    reduce_frame,
    render_frame,
    render_thumbnail,
    render_tile,
    value_offset,
    value_tile,
)
from viewer.rendering.resample import reduce_by
from viewer.rendering.stack_window import StackWindow, WindowOrigin
from viewer.rendering.tiles import Region, levels
from viewer.rendering.voi_lut import apply_window

ABDOMEN = RenderParameters(window=Window(40, 400))
IDENTITY = RenderParameters(window=Window(128, 256))


def ramp(rows: int, columns: int, dtype: str = "<i2") -> NDArray[Any]:
    """Values that tell where they are from, -1000 to 3000 over and over."""
    return (np.arange(rows * columns) * 7 % 4000 - 1000).astype(dtype).reshape(rows, columns)


def grey(picture: NDArray[np.uint8]) -> int:
    """The grey of a picture of one value."""
    assert len(np.unique(picture)) == 1
    return int(picture[0, 0])


# --- Which window


FLAT = np.full((2, 2), 100, np.uint16)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        # (100 - 99.5) / 99 + 0.5 = 0.505: 128. Each source of a window has its own grey.
        (Window(100, 100), 128),
        (Window(40, 400), 166),
        (WindowSource.FILE, 7),
        (VoiLutNumber(1), 7),
        (VoiLutNumber(2), 9),
        (WindowSource.AUTOMATIC, 25),
        (None, 51),
    ],
)
def test_what_is_asked_for_decides(asked: Any, expected: int) -> None:
    luts = (table([7 << 8]), table([9 << 8]))
    description = describe_values(FLAT, voi_luts=luts, windows=(Window(0, 100),))
    # 100 in 0 to 1000 is 25; in 0 to 500: (100 - 250) / 500 + 0.5 = 0.2, 51.
    stack = StackWindow(WindowOrigin.HEADER, Window(250, 500), automatic=Window(500.5, 1001))

    picture = render_frame(Frame(FLAT), description, 1, RenderParameters(window=asked), stack_window=stack)

    assert grey(picture) == expected


def test_as_in_file_takes_the_header_window_where_there_is_no_lut() -> None:
    frames = (FrameAttributes(windows=(Window(100, 100),)), FrameAttributes())
    description = describe_values(FLAT, frames=2, per_frame=frames)
    stack = StackWindow(WindowOrigin.HEADER, Window(40, 400))
    as_in_file = RenderParameters(window=WindowSource.FILE)

    pictures = [render_frame(Frame(FLAT), description, number, as_in_file, stack_window=stack) for number in (1, 2)]

    assert [grey(picture) for picture in pictures] == [128, 166]


def test_a_stack_with_a_voi_lut_shows_each_image_through_its_own() -> None:
    frames = (FrameAttributes(voi_luts=(table([7 << 8]),)), FrameAttributes(voi_luts=(table([9 << 8]),)))
    description = describe_values(FLAT, frames=2, per_frame=frames)
    stack = StackWindow(WindowOrigin.VOI_LUT, voi_lut=VoiLutNumber(1))

    pictures = [render_frame(Frame(FLAT), description, number, stack_window=stack) for number in (1, 2)]

    assert [grey(picture) for picture in pictures] == [7, 9]


def test_a_stack_keeps_its_window_where_headers_differ() -> None:
    description = describe_values(FLAT, windows=(Window(0, 10),))
    stack = StackWindow(WindowOrigin.HEADER, Window(100, 100))
    assert grey(render_frame(Frame(FLAT), description, 1, stack_window=stack)) == 128


def test_a_voi_lut_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="lut-1 to lut-1"):
        render_frame(
            Frame(FLAT), describe_values(FLAT, voi_luts=(table([1]),)), 1, RenderParameters(window=VoiLutNumber(2))
        )
    with pytest.raises(InvalidParameter, match="no VOI LUT"):
        render_frame(Frame(FLAT), describe_values(FLAT), 1, RenderParameters(window=VoiLutNumber(1)))


def test_without_any_window_a_frame_finds_its_own() -> None:
    values = ramp(40, 40)
    picture = render_frame(Frame(values), describe_values(values), 1)
    assert (picture.min(), picture.max()) == (0, 255)


def test_a_frame_of_nothing_but_padding_is_black() -> None:
    values = np.full((4, 4), -2000, np.int16)
    description = describe_values(values, padding=(-2000.0, -2000.0))
    for parameters in (
        RenderParameters(),
        RenderParameters(invert=True),
        RenderParameters(window=WindowSource.AUTOMATIC),
    ):
        assert grey(render_frame(Frame(values), description, 1, parameters)) == 0


# --- Polarity


def test_monochrome1_and_its_presentation_lut_shape_invert_once() -> None:
    values = np.array([[0, 100, 255]], np.uint8)
    for attributes in (
        {"photometric_interpretation": "MONOCHROME1"},
        {"photometric_interpretation": "MONOCHROME1", "presentation_lut_shape": "INVERSE"},
        {"photometric_interpretation": "MONOCHROME2", "presentation_lut_shape": "INVERSE"},
    ):
        description = describe_values(values, **attributes)
        frame = Frame(values, attributes["photometric_interpretation"])
        assert render_frame(frame, description, 1, IDENTITY).tolist() == [[255, 155, 0]]


@pytest.mark.parametrize(
    ("parameters", "inverted"),
    [
        (RenderParameters(), True),
        (RenderParameters(invert=True), True),
        (RenderParameters(invert=False), False),
        (IDENTITY, False),
        (RenderParameters(window=WindowSource.FILE), False),
        (RenderParameters(window=Window(128, 256), invert=True), True),
    ],
)
def test_a_pet_is_inverted_until_a_picture_says_otherwise(parameters: RenderParameters, inverted: bool) -> None:
    values = np.array([[0, 255]], np.uint8)
    description = describe_values(values, windows=(Window(128, 256),))
    stack = StackWindow(WindowOrigin.COMPUTED, Window(128, 256), inverted=True)

    picture = render_frame(Frame(values), description, 1, parameters, stack_window=stack)

    assert picture.tolist() == ([[255, 0]] if inverted else [[0, 255]])


def test_inverted_is_the_complement_of_what_was_seen() -> None:
    values = ramp(30, 30)
    for photometric in ("MONOCHROME1", "MONOCHROME2"):
        description = describe_values(values, photometric_interpretation=photometric)
        frame = Frame(values, photometric)
        plain = render_frame(frame, description, 1, ABDOMEN)
        inverted = render_frame(frame, description, 1, RenderParameters(window=Window(40, 400), invert=True))
        assert np.array_equal(inverted, 255 - plain)


# --- Colour


def test_colour_ignores_windows_and_maps_and_can_be_inverted() -> None:
    values = np.random.default_rng(1).integers(0, 256, (6, 5, 3)).astype(np.uint8)
    description = describe_values(values, photometric_interpretation="RGB")
    frame = Frame(values, "RGB")

    assert np.array_equal(render_frame(frame, description, 1), values)
    assert np.array_equal(render_frame(frame, description, 1, RenderParameters(window=Window(1, 2), map="pet")), values)
    assert np.array_equal(render_frame(frame, description, 1, RenderParameters(invert=True)), 255 - values)


def test_the_decoded_colour_space_counts_and_not_the_headers() -> None:
    values = np.full((2, 2, 3), 200, np.uint8)
    description = describe_values(values, photometric_interpretation="YBR_FULL_422")
    assert render_frame(Frame(values, "RGB"), description, 1)[0, 0].tolist() == [200, 200, 200]
    assert render_frame(Frame(values, "YBR_FULL"), description, 1)[0, 0].tolist() != [200, 200, 200]


def test_a_map_colours_display_values() -> None:
    values = np.array([[0, 100, 255]], np.uint8)
    picture = render_frame(
        Frame(values), describe_values(values), 1, RenderParameters(window=Window(128, 256), map="hot-iron")
    )
    # PS3.6 B.1.1: red rises by 2 to 254, then 255; green from 128 on.
    assert picture.tolist() == [[[0, 0, 0], [200, 0, 0], [255, 255, 255]]]


def test_palette_colours_are_mixed_as_colours_and_not_as_indices() -> None:
    red, rest = table([255, 0, 0], bits=8), table([0, 0, 0], bits=8)
    blue = table([0, 0, 255], bits=8)
    values = np.tile(np.array([[0, 2]], np.uint8), (600, 300))
    description = describe_values(values, photometric_interpretation="PALETTE COLOR", palette=Palette(red, rest, blue))

    small = render_frame(Frame(values, "PALETTE COLOR"), description, 1, level=0)

    assert small.shape == (300, 300, 3)
    assert small[0, 0].tolist() == [128, 0, 128]


# --- Regions, levels, tiles


def test_a_region_is_that_part_of_the_picture() -> None:
    values = ramp(100, 90)
    description = describe_values(values)
    whole = render_frame(Frame(values), description, 1, ABDOMEN)
    part = render_frame(Frame(values), description, 1, ABDOMEN, region=Region(10, 20, 30, 40))
    assert np.array_equal(part, whole[10:40, 20:60])


def test_tiles_together_are_the_picture() -> None:
    values = ramp(700, 1100)
    description = describe_values(values)
    last = levels(700, 1100)[-1]
    rows = [
        np.hstack(
            [
                render_tile(Frame(values), description, 1, ABDOMEN, level=last.level, row=row, column=column)
                for column in range(3)
            ]
        )
        for row in range(2)
    ]
    assert np.array_equal(np.vstack(rows), render_frame(Frame(values), description, 1, ABDOMEN))
    assert np.array_equal(np.vstack(rows), apply_window(values.astype(float), Window(40, 400)))


def test_a_lower_level_is_the_window_of_the_mean() -> None:
    values = ramp(700, 1100)
    description = describe_values(values, padding=(-1000.0, -990.0))
    mean = reduce_by(values, 4, (-1000.0, -990.0))

    tile = render_tile(Frame(values), description, 1, ABDOMEN, level=0, row=0, column=0)

    assert np.array_equal(tile, apply_window(mean.astype(float), Window(40, 400)))


def test_a_level_that_was_kept_gives_the_same_tiles() -> None:
    values = ramp(1300, 1100)
    description = describe_values(values, padding=(-1000.0, -990.0))
    kept = reduce_frame(Frame(values), description, 1, 1)
    for row, column in ((0, 0), (1, 1)):
        direct = render_tile(Frame(values), description, 1, ABDOMEN, level=1, row=row, column=column)
        by_way_of = render_tile(kept, description, 1, ABDOMEN, level=1, row=row, column=column)
        assert np.array_equal(direct, by_way_of)


@pytest.mark.parametrize("level", [0, 2])
def test_other_levels_are_not_made_from_a_kept_one(level: int) -> None:
    values = ramp(1300, 1100)
    kept = reduce_frame(Frame(values), describe_values(values), 1, 1)
    with pytest.raises(ValueError, match="from the whole frame"):
        render_frame(kept, describe_values(values), 1, level=level)


@pytest.mark.parametrize(
    ("level", "row", "column"), [(2, 0, 0), (-1, 0, 0), (1, 2, 0), (1, 0, 2), (0, 0, 1), (1, -1, 0)]
)
def test_tiles_that_do_not_exist(level: int, row: int, column: int) -> None:
    values = ramp(600, 700)
    for parameters in (ABDOMEN, RenderParameters(values=True)):
        with pytest.raises(TileMissing):
            render_tile(Frame(values), describe_values(values), 1, parameters, level=level, row=row, column=column)


def test_frames_that_do_not_exist() -> None:
    for number in (0, 2, -1):
        with pytest.raises(FrameMissing, match="1 to 1"):
            render_frame(Frame(FLAT), describe_values(FLAT), number)


def test_an_object_without_pixels() -> None:
    with pytest.raises(NothingToDraw) as refused:
        render_frame(Frame(FLAT), ImageDescription(rows=0, columns=0), 1)
    assert refused.value.reason


# --- Value tiles


@pytest.mark.parametrize("dtype", ["|u1", "|i1", "<u2", "<i2", ">u2"])
def test_a_value_tile_gives_every_stored_value_back(dtype: str) -> None:
    limits = np.iinfo(dtype)
    values = np.linspace(limits.min, limits.max, 35 * 40).astype(dtype).reshape(35, 40)
    description = describe_values(values)

    tile = value_tile(Frame(values), description, 1, level=0, row=0, column=0)

    assert tile.shape == (70, 40)
    words = tile[:35].astype(int) * 256 + tile[35:]
    assert np.array_equal(words - value_offset(description), values)


def test_a_value_tile_is_asked_for_by_parameter() -> None:
    values = ramp(600, 520)
    tile = render_tile(
        Frame(values), describe_values(values), 1, RenderParameters(values=True), level=1, row=1, column=1
    )
    words = tile[:88].astype(int) * 256 + tile[88:] - 32768
    assert np.array_equal(words, values[512:, 512:])


def test_no_value_tiles_of_colours_and_wide_values() -> None:
    color = np.zeros((2, 2, 3), np.uint8)
    wide = np.zeros((2, 2), np.int32)
    floating = np.zeros((2, 2), np.float32)
    cases = [
        (Frame(color, "RGB"), describe_values(color, photometric_interpretation="RGB")),
        (Frame(FLAT, "PALETTE COLOR"), describe_values(FLAT, photometric_interpretation="PALETTE COLOR")),
        (Frame(wide), describe_values(wide)),
        (Frame(floating), describe_values(floating, pixel_keyword="FloatPixelData")),
    ]
    for frame, description in cases:
        assert not has_value_tiles(description)
        with pytest.raises(NoValueTile):
            value_tile(frame, description, 1, level=0, row=0, column=0)


# --- Thumbnails


@pytest.mark.parametrize(
    ("shape", "attributes", "expected"),
    [
        ((512, 512), {}, (128, 128)),
        ((3000, 4000), {}, (96, 128)),
        ((100, 50), {"modality": "CT", "pixel_spacing": (1.0, 2.0)}, (128, 128)),
        ((430, 480), {"pixel_aspect_ratio": (536, 670)}, (92, 128)),
        ((1, 5000), {}, (1, 128)),
        ((10, 10), {}, (128, 128)),
    ],
)
def test_a_thumbnail_fits_its_square_in_true_proportions(
    shape: tuple[int, int], attributes: dict[str, Any], expected: tuple[int, int]
) -> None:
    values = np.full(shape, 40, np.int16)
    description = describe_values(values, **attributes)

    picture = render_thumbnail(Frame(values), description, 1, parameters=ABDOMEN)

    assert fitting_size(description, 1, 128) == expected
    assert picture.shape == expected
    assert grey(picture) == 127


def test_a_thumbnail_in_colour() -> None:
    values = np.full((600, 600, 3), (10, 20, 30), np.uint8)
    picture = render_thumbnail(
        Frame(values, "RGB"), describe_values(values, photometric_interpretation="RGB"), 1, size=64
    )
    assert picture.shape == (64, 64, 3)
    assert (picture == (10, 20, 30)).all()


@pytest.mark.parametrize("color", [False, True])
def test_all_levels_at_once_are_those_made_one_by_one(color: bool) -> None:
    shape = (700, 1100, 3) if color else (700, 1100)
    values = np.random.default_rng(8).integers(0, 256, shape).astype(np.uint8 if color else np.uint16)
    names = {"samples_per_pixel": 3, "photometric_interpretation": "YBR_FULL"} if color else {"padding": (0.0, 9.0)}
    description = describe_values(values, **names)
    frame = Frame(values, "YBR_FULL" if color else "MONOCHROME2")

    found = frame_levels(frame, description, 1)

    assert len(found) == 3
    for level, one in enumerate(found):
        alone = reduce_frame(frame, description, 1, level)
        assert (one.level, one.photometric_interpretation) == (level, alone.photometric_interpretation)
        np.testing.assert_array_equal(one.values, alone.values)
