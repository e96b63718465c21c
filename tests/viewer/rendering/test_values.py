"""What a pixel says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from archive.pixels.description import LookupTable, Palette
from tests.viewer.rendering.images import describe_values, table
from viewer.errors import TileMissing
from viewer.rendering.values import PixelValue, unit_of, value_at

CT = {"modality": "CT", "image_type": ("ORIGINAL", "PRIMARY", "AXIAL"), "rescale_intercept": -1024.0}
VALUES = np.array([[0, 1064], [2000, -2000]], np.int16)


def test_original_ct_reads_in_hounsfield_units() -> None:
    pixel = value_at(VALUES, describe_values(VALUES, **CT), 1, 0, 1)
    assert pixel == PixelValue(40.0, "HU", 1064)
    assert pixel.text == "40 HU"


def test_padding_reads_as_a_dash() -> None:
    pixel = value_at(VALUES, describe_values(VALUES, padding=(-2000.0, -2000.0), **CT), 1, 1, 1)
    assert (pixel.value, pixel.stored, pixel.text) == (None, -2000, "—")


@pytest.mark.parametrize(
    ("attributes", "unit"),
    [
        ({**CT, "rescale_type": "HU"}, "HU"),
        ({**CT, "rescale_type": "US"}, ""),
        ({**CT, "image_type": ("DERIVED", "SECONDARY")}, ""),
        ({**CT, "image_type": ("DERIVED", "SECONDARY"), "rescale_type": "HU"}, "HU"),
        ({**CT, "image_type": ("ORIGINAL", "PRIMARY", "LOCALIZER")}, ""),
        ({**CT, "image_type": ()}, ""),
        ({"modality": "MR", "image_type": ("ORIGINAL", "PRIMARY")}, ""),
        ({"modality": "MR", "rescale_type": "US"}, ""),
        ({"modality": "MR", "rescale_type": "mm2/s"}, "mm2/s"),
        ({"modality": "CR", "rescale_type": "OD"}, "10⁻³ OD"),
        ({"modality": "PT", "units": "BQML"}, "Bq/ml"),
        ({"modality": "PT", "units": "GML"}, "g/ml"),
        ({"modality": "PT", "units": "CNTS"}, "counts"),
        ({"modality": "PT"}, ""),
        ({"modality": "XA", "rescale_type": "HU"}, ""),
        ({"modality": "CR", "modality_lut": LookupTable(0, 16, b"\0\0", kind="OD")}, "10⁻³ OD"),
        ({**CT, "modality_lut": LookupTable(0, 16, b"\0\0", kind="US")}, ""),
    ],
)
def test_a_unit_is_shown_only_where_the_file_gives_it(attributes: dict[str, Any], unit: str) -> None:
    assert unit_of(describe_values(VALUES, **attributes), 1) == unit


def test_fractions_have_four_digits() -> None:
    description = describe_values(VALUES, modality="PT", units="GML", rescale_slope=0.00123456)
    assert value_at(VALUES, description, 1, 0, 1).text == "1.314 g/ml"


def test_modality_lut_gives_the_value() -> None:
    values = np.array([[2]], np.uint16)
    assert value_at(values, describe_values(values, modality_lut=table([5, 6, 700])), 1, 0, 0).value == 700


def test_colours_read_as_red_green_blue() -> None:
    values = np.array([[[76, 85, 255]]], np.uint8)
    pixel = value_at(values, describe_values(values, photometric_interpretation="YBR_FULL"), 1, 0, 0)
    assert (pixel.value, pixel.unit, pixel.text) == ((254, 0, 0), "", "254, 0, 0")
    assert pixel.stored == (76, 85, 255)
    decoded_as_rgb = value_at(
        values,
        describe_values(values, photometric_interpretation="YBR_FULL"),
        1,
        0,
        0,
        photometric_interpretation="RGB",
    )
    assert decoded_as_rgb.value == (76, 85, 255)


def test_palette_colours_read_with_their_index() -> None:
    part = table([10, 20], bits=8)
    values = np.array([[1]], np.uint8)
    description = describe_values(values, photometric_interpretation="PALETTE COLOR", palette=Palette(part, part, part))
    pixel = value_at(values, description, 1, 0, 0)
    assert (pixel.value, pixel.stored) == ((20, 20, 20), 1)


def test_what_is_no_number_reads_as_a_dash() -> None:
    values = np.array([[np.nan]], np.float32)
    pixel = value_at(values, describe_values(values), 1, 0, 0)
    assert (pixel.text, pixel.value, pixel.stored) == ("—", None, None)


@pytest.mark.parametrize(("row", "column"), [(-1, 0), (0, -1), (2, 0), (0, 2)])
def test_pixels_outside_do_not_exist(row: int, column: int) -> None:
    with pytest.raises(TileMissing, match="2 rows and 2 columns"):
        value_at(VALUES, describe_values(VALUES), 1, row, column)
