"""The display's test pattern: exact grey levels, drawn by the path of every image."""

from __future__ import annotations

import numpy as np
import pytest

from viewer.rendering.test_pattern import CONTRAST, PATCH, PATCHES, WHITE, draw_pattern, patch_corner, pattern_values

pytestmark = pytest.mark.plain


def grey(stored: int) -> int:
    """PS3.3 C.11.2.1.2.1 with W 4096 L 2048, truncated."""
    return int(max(0.0, min(255.0, (stored - 2047.5) / 4095 * 255 + 127.5)))


@pytest.mark.parametrize("number", range(PATCHES))
def test_a_patch_has_its_grey_level_and_four_corners_that_differ(number: int) -> None:
    image, (row, column) = draw_pattern(), patch_corner(number)
    level = round(number * WHITE / (PATCHES - 1))
    assert image[row + PATCH // 2, column + PATCH // 2] == grey(level)
    assert image[row, column] == grey(min(level + CONTRAST, WHITE))
    assert image[row, column + PATCH - 1] == grey(max(level - CONTRAST, 0))


def test_black_and_white_are_the_ends_and_the_finest_lines_alternate() -> None:
    image = draw_pattern()
    assert (image[470, 404], image[510, 448]) == (0, grey(round(WHITE * 0.05)))
    assert (image[470, 532], image[510, 576]) == (255, grey(round(WHITE * 0.95)))
    assert image[32:40, 40].tolist() == [255, 0] * 4
    assert image[40, 64:72].tolist() == [255, 0] * 4


def test_no_two_patches_overlap() -> None:
    corners = [patch_corner(number) for number in range(PATCHES)]
    assert len(set(corners)) == PATCHES
    assert all(column + PATCH <= pattern_values().shape[1] for _row, column in corners)
    assert np.ptp(pattern_values()) == WHITE
