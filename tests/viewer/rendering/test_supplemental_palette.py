"""Greyscale images whose highest values are coloured (PS3.3 C.7.6.19), worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from archive.pixels.decode import decode_frame
from archive.pixels.describe import describe, from_json, to_json
from archive.pixels.description import ImageDescription, Window
from archive.pixels.palettes import palette_refusal
from tests.phantoms import enhanced_ct, image, native_bytes, palette_image, ramp
from tests.viewer.rendering.corpus import open_image
from tests.viewer.rendering.images import Frame
from viewer.rendering.automatic import StackSample
from viewer.rendering.parameters import RenderParameters
from viewer.rendering.pipeline import has_value_tiles, reduce_frame, render_frame
from viewer.rendering.values import value_at

STORED = np.array([[0, 50, 100, 199, 200, 201, 202, 250]])
ASKED = RenderParameters(window=Window(128, 256))
"""The identity of 8 bits."""
RED, GREEN, BLUE = [255, 0, 0], [0, 255, 0], [0, 0, 255]


def supplemented(values: Any = STORED, **attributes: Any) -> Dataset:
    """Values from 200 on are red, green and blue."""
    ds = image(values, **{"PixelPresentation": "COLOR", **attributes})
    tables = palette_image(ramp(2, 2), entries=[[65535, 0, 0], [0, 65535, 0], [0, 0, 65535]])
    for color in ("Red", "Green", "Blue"):
        data = f"{color}PaletteColorLookupTableData"
        setattr(ds, data, getattr(tables, data))
        setattr(ds, f"{color}PaletteColorLookupTableDescriptor", [3, 200, 16])
    return ds


def described(ds: Dataset) -> ImageDescription:
    return from_json(json.loads(json.dumps(to_json(describe(ds)))))


def picture(ds: Dataset, frame: int = 1, parameters: RenderParameters = ASKED) -> list[list[int]]:
    description = described(ds)
    values = STORED.astype("<i2" if description.pixel_representation else "<u2")
    found: list[list[int]] = render_frame(Frame(values), description, frame, parameters)[0].tolist()
    return found


def test_values_below_the_palette_are_grey_and_those_above_its_end_take_its_last_colour() -> None:
    grey = [[0] * 3, [50] * 3, [100] * 3, [199] * 3]
    assert picture(supplemented()) == [*grey, RED, GREEN, BLUE, BLUE]


def test_the_largest_monochrome_value_says_where_colours_begin() -> None:
    found = picture(supplemented(LargestMonochromePixelValue=201))
    # 200 and 201 are still grey; 202 is the third entry of the palette.
    assert found[4:] == [[200] * 3, [201] * 3, BLUE, BLUE]


def test_inversion_turns_the_grey_and_leaves_the_colours() -> None:
    found = picture(supplemented(), parameters=RenderParameters(window=ASKED.window, invert=True))
    assert found[0] == [255] * 3
    assert found[4:] == [RED, GREEN, BLUE, BLUE]


def test_without_pixel_presentation_a_palette_means_nothing() -> None:
    assert picture(supplemented(PixelPresentation=None)) == STORED[0].tolist()


def test_a_frame_of_a_mixed_image_may_be_grey() -> None:
    ds = supplemented(np.repeat(STORED[np.newaxis], 2, axis=0), NumberOfFrames=2, PixelPresentation="MIXED")
    ds.PerFrameFunctionalGroupsSequence = [frame_type("COLOR"), frame_type("MONOCHROME")]
    assert picture(ds, 1)[4] == RED
    assert picture(ds, 2)[4] == 200


def frame_type(presentation: str) -> Dataset:
    kind = Dataset()
    kind.FrameType, kind.PixelPresentation = ["ORIGINAL", "PRIMARY", "PERFUSION", "NONE"], presentation
    group = Dataset()
    group.CTImageFrameTypeSequence = [kind]
    return group


def test_a_reduced_level_mixes_no_colours() -> None:
    values = np.tile(np.array([[10, 202], [202, 10]], np.uint16), (512, 512))
    description = described(supplemented(values))
    level = reduce_frame(Frame(values), description, 1, 0)
    assert set(np.unique(level.values)) <= {10, 202}


def test_colours_take_no_part_in_windows_and_have_no_value_tiles() -> None:
    sample = StackSample()
    sample.add(STORED.astype(np.uint16), described(supplemented()), 1)
    assert (sample.minimum, sample.maximum) == (0.0, 199.0)
    assert not has_value_tiles(described(supplemented()))


def test_a_coloured_pixel_reads_as_its_colour() -> None:
    description = described(supplemented())
    values = STORED.astype(np.uint16)
    assert [value_at(values, description, 1, 0, column).text for column in (2, 5)] == ["100", "0, 255, 0"]


def test_a_signed_palette_begins_below_zero() -> None:
    ds = palette_image(np.array([[-2, -1, 0, 5]]), entries=[[1, 2, 3], [4, 5, 6], [7, 8, 9]], PixelRepresentation=1)
    for color in ("Red", "Green", "Blue"):
        setattr(ds, f"{color}PaletteColorLookupTableDescriptor", [3, 0xFFFF, 8])
    description = described(ds)
    assert description.palette is not None
    assert description.palette.red.first_mapped == -1
    decoded = decode_frame(
        native_bytes(np.array([[-2, -1, 0, 5]]), 8), transfer_syntax_uid="1.2.840.10008.1.2.1", description=description
    )
    assert render_frame(decoded, description, 1)[0, :, 0].tolist() == [1, 1, 2, 3]


def test_a_palette_with_opacities_is_refused_in_words() -> None:
    ds = palette_image(ramp(2, 2), entries=[[1, 2], [3, 4], [5, 6]])
    assert palette_refusal(ds) == ""
    ds.AlphaPaletteColorLookupTableData = b"\0\1"
    assert "alpha" in palette_refusal(ds)


def test_an_enhanced_palette_is_refused_in_words() -> None:
    ds = enhanced_ct(2)
    ds.DataFrameAssignmentSequence = [Dataset()]
    assert "enhanced palette" in palette_refusal(ds)


@pytest.mark.parametrize("presentation", ["MONOCHROME", "TRUE_COLOR", ""])
def test_other_presentations_have_no_supplement(presentation: str) -> None:
    assert described(supplemented(PixelPresentation=presentation)).first_colored is None


@pytest.mark.parametrize("name", ["ct0012_rle_bot.dcm", "ct0012_70_fragmented.dcm"])
@pytest.mark.parametrize("number", [1, 2])
def test_a_real_perfusion_map_has_the_colours_of_its_tables(name: str, number: int, data_dir: Path) -> None:
    path = data_dir / "enhanced" / name
    opened = open_image(path)
    ds = dcmread(path)
    assert list(ds.RedPaletteColorLookupTableDescriptor) == [100, 1024, 16]
    stored = opened.frame(number).values

    picture = render_frame(opened.frame(number), opened.description, number, RenderParameters(overlays=False))

    for channel, color in enumerate(("Red", "Green", "Blue")):
        entries = np.frombuffer(getattr(ds, f"{color}PaletteColorLookupTableData"), "<u2")
        in_color = stored >= 1024
        places = np.minimum(stored[in_color].astype(int) - 1024, 99)
        assert np.array_equal(picture[in_color][:, channel], entries[places] >> 8)
    # What lies below is grey: one value in all three.
    assert (picture[~in_color] == picture[~in_color][:, :1]).all()


def test_a_coloured_pixel_of_a_perfusion_map_reads_as_blood_flow(data_dir: Path) -> None:
    opened = open_image(data_dir / "enhanced" / "ct0012_rle_bot.dcm")
    stored = opened.frame(1).values
    row, column = np.argwhere(stored == 1044)[0]
    # The mapping is the rescale line, 1 and -1024.
    assert value_at(stored, opened.description, 1, int(row), int(column)).text == "20 ml/100ml/s"
