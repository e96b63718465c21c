"""Area filter down, bilinear or nearest up; padding takes no part."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from viewer.rendering.resample import enlarge, reduce_by, reduce_to, resize_area


def mean_of_blocks(values: NDArray[Any], scale: int) -> NDArray[np.float64]:
    """The slow and plain way."""
    rows, columns = -(-values.shape[0] // scale), -(-values.shape[1] // scale)
    return np.array(
        [
            [values[r * scale : (r + 1) * scale, c * scale : (c + 1) * scale].mean() for c in range(columns)]
            for r in range(rows)
        ]
    )


def test_blocks_by_hand() -> None:
    values = np.array([[1, 2, 9], [3, 4, 10], [5, 6, 100]], np.uint16)
    # (1+2+3+4)/4 = 2.5, halves up; (9+10)/2 = 9.5; (5+6)/2 = 5.5; 100 alone.
    assert reduce_by(values, 2).tolist() == [[3, 10], [6, 100]]


def test_negative_halves_go_up_too() -> None:
    assert reduce_by(np.array([[-1, -2]], np.int16), 2).tolist() == [[-1]]


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16, np.int32, np.uint32])
@pytest.mark.parametrize("scale", [2, 4, 8])
@pytest.mark.parametrize("shape", [(16, 16), (13, 7), (1, 1), (9, 33)])
def test_blocks_are_rounded_means(dtype: type, scale: int, shape: tuple[int, int]) -> None:
    limits = np.iinfo(dtype)
    values = np.random.default_rng(5).integers(limits.min, limits.max, shape, endpoint=True).astype(dtype)

    reduced = reduce_by(values, scale)

    assert reduced.dtype == dtype
    assert np.array_equal(reduced, np.floor(mean_of_blocks(values, scale) + 0.5).astype(dtype))


def test_the_largest_values_do_not_overflow() -> None:
    for dtype, value in ((np.uint16, 65535), (np.int16, -32768), (np.uint32, 2**32 - 1)):
        for scale in (64, 128, 256):
            assert reduce_by(np.full((scale, scale), value, dtype), scale).tolist() == [[value]]


def test_floating_values_are_means() -> None:
    values = np.random.default_rng(5).normal(size=(9, 9)).astype(np.float32)
    assert np.allclose(reduce_by(values, 2), mean_of_blocks(values, 2), rtol=1e-6)


def test_colours_are_reduced_sample_by_sample() -> None:
    values = np.random.default_rng(5).integers(0, 256, (7, 6, 3)).astype(np.uint8)
    reduced = reduce_by(values, 2)
    for sample in range(3):
        assert np.array_equal(reduced[:, :, sample], reduce_by(np.ascontiguousarray(values[:, :, sample]), 2))


def test_padding_is_left_out_of_means() -> None:
    values = np.array([[-2000, 10, -2000, -2000], [20, 30, -2000, -2000]], np.int16)
    # (10+20+30)/3 = 20; a block of nothing but padding stays padding.
    assert reduce_by(values, 2, (-2000, -2000)).tolist() == [[20, -2000]]
    assert reduce_by(values, 4, (-2000, -2000)).tolist() == [[20]]


def test_a_range_of_padding_leaves_its_lowest_value() -> None:
    values = np.array([[0, 30], [15, 7]], np.uint16)
    assert reduce_by(values, 2, (0, 30)).tolist() == [[0]]
    assert reduce_by(values, 2, (1, 30)).tolist() == [[0]]
    assert reduce_by(values, 2, (100, 200)).tolist() == [[13]]


def test_the_values_given_are_not_changed() -> None:
    values = np.arange(16, dtype=np.int32).reshape(4, 4)
    before = values.copy()
    reduce_by(values, 2, (0, 3))
    assert np.array_equal(values, before)
    assert reduce_by(values, 1) is values


def test_area_filter_by_hand() -> None:
    # Three pixels into two: each new one covers one and a half.
    resized = resize_area(np.array([[0, 30, 90]], np.uint8), 1, 2)
    assert np.allclose(resized, [[(0 + 15) / 1.5, (15 + 90) / 1.5]])


def test_area_filter_of_whole_blocks_is_their_mean() -> None:
    values = np.random.default_rng(5).integers(0, 4096, (40, 60)).astype(np.uint16)
    assert np.allclose(resize_area(values, 10, 15), mean_of_blocks(values, 4))


def test_area_filter_leaves_padding_out() -> None:
    values = np.array([[-5, 30, 90, -5, -5, -5]], np.int16)
    assert np.allclose(resize_area(values, 1, 3, (-5, -5)), [[30, 90, np.nan]], equal_nan=True)


def test_area_filter_keeps_the_mean_of_a_picture() -> None:
    values = np.random.default_rng(5).integers(0, 256, (31, 17, 3)).astype(np.uint8)
    assert np.allclose(resize_area(values, 7, 5).mean(axis=(0, 1)), values.mean(axis=(0, 1)))


def test_nearest_repeats_pixels() -> None:
    image = np.array([[1, 2], [3, 4]], np.uint8)
    assert enlarge(image, 4, 4, smooth=False).tolist() == [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]


def test_bilinear_by_hand() -> None:
    # New centers lie at -0.25, 0.25, 0.75, 1.25 of the old ones; outside the edge value holds.
    assert enlarge(np.array([[0, 100]], np.uint8), 1, 4).tolist() == [[0, 25, 75, 100]]


def test_colours_are_enlarged_too() -> None:
    image = np.dstack([np.array([[0, 100]], np.uint8)] * 3)
    assert enlarge(image, 1, 4)[0, :, 1].tolist() == [0, 25, 75, 100]


@pytest.mark.parametrize("padding", [None, (0, 9)])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "i4"])
def test_all_levels_at_once_hold_the_means_of_their_blocks(
    dtype: str, padding: tuple[float, float] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viewer.rendering.resample.STRIP_BYTES", 1000)
    chance = np.random.default_rng(4)
    values = chance.integers(0, 120, (75, 53)).astype(dtype)
    values[:20, :30] = 5

    found = reduce_to(values, (2, 8, 16), padding)

    for scale, level in zip((2, 8, 16), found, strict=True):
        assert (level.shape, level.dtype) == ((-(-75 // scale), -(-53 // scale)), values.dtype)
        for row, column in np.ndindex(level.shape):
            block = values[row * scale : (row + 1) * scale, column * scale : (column + 1) * scale].ravel().tolist()
            present = [value for value in block if padding is None or not padding[0] <= value <= padding[1]]
            total, count = sum(present), len(present)
            assert level[row, column] == ((2 * total + count) // (2 * count) if count else 0)
