"""Pseudo-colour maps."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.pixels.processing import apply_color_lut  # noqa: TID251 - an oracle

from viewer.rendering.color_maps import MAP_NAMES, color_map


@pytest.mark.parametrize(
    ("name", "uid"),
    [
        ("hot-iron", "1.2.840.10008.1.5.1"),
        ("pet", "1.2.840.10008.1.5.2"),
        ("hot-metal-blue", "1.2.840.10008.1.5.3"),
        ("pet-20-step", "1.2.840.10008.1.5.4"),
    ],
)
def test_well_known_palettes_equal_those_of_pydicom(name: str, uid: str) -> None:
    assert np.array_equal(color_map(name), apply_color_lut(np.arange(256, dtype=np.uint8), palette=uid))


@pytest.mark.parametrize("name", MAP_NAMES)
def test_a_map_has_256_colours_and_begins_black(name: str) -> None:
    table = color_map(name)
    assert table.shape == (256, 3)
    assert table.dtype == np.uint8
    assert not table[0].any()
    assert not table.flags.writeable


def test_grey_is_the_identity() -> None:
    assert color_map("grey")[200].tolist() == [200, 200, 200]


def test_rainbow_goes_from_blue_to_red() -> None:
    assert color_map("rainbow")[[1, 255]].tolist() == [[0, 4, 255], [255, 0, 0]]
