"""CLAHE and unsharp mask on examples small enough to be worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from viewer.processing.filters import BINS, ClaheParameters, UnsharpParameters, clahe, unsharp

ONE_TILE = ClaheParameters(tile_mm=1000, clip=1e9)
"""One square over the whole image and no limit: plain histogram equalisation."""
MM = (1.0, 1.0)


# --- CLAHE ------------------------------------------------------------------------------------------------------------


def test_without_a_limit_a_value_becomes_the_share_of_pixels_below_it() -> None:
    values = np.array([[0.0, 0.0, 0.0, 1023.0]])
    found = clahe(values, ONE_TILE, low=0, high=1023, spacing_mm=MM)
    # Half of one's own count: 3 of 4 pixels at 0 give 1.5/4, the last 3.5/4.
    assert found.tolist() == [[0.375 * 1023, 0.375 * 1023, 0.375 * 1023, 0.875 * 1023]]


def test_the_slope_of_a_mapping_is_limited() -> None:
    # Half of all pixels lie on one value; the ramp shows the mapping of every bin.
    values = np.concatenate([np.full(1024, 500.0), np.arange(1024.0)]).reshape(32, 64)
    steep = clahe(values, ONE_TILE, low=0, high=1023, spacing_mm=MM).ravel()[1024:]
    gentle = clahe(values, ClaheParameters(tile_mm=1000, clip=3), low=0, high=1023, spacing_mm=MM).ravel()[1024:]
    assert np.diff(steep).max() > 200
    # The limit is 3, what was cut off adds less than 1, and a step takes half of two bins.
    assert np.diff(gentle).min() > 0 and np.diff(gentle).max() < 3 + 1
    assert gentle[0] < 5 and gentle[-1] > 1018


def test_the_surplus_is_spread_over_all_bins() -> None:
    # 8 pixels, limit 2 x 8 / 1024 = 1/64 a bin: two full bins give back 3 + 63/64 and 3 + 63/64.
    values = np.array([[0.0] * 4 + [1023.0] * 4])
    found = clahe(values, ClaheParameters(tile_mm=1000, clip=2), low=0, high=1023, spacing_mm=MM)
    surplus = 2 * (4 - 1 / 64)
    each = surplus / BINS
    first = (1 / 64 + each) / 2 / 8
    last = (8 - (1 / 64 + each) / 2) / 8
    assert found[0, 0] == pytest.approx(first * 1023, abs=1e-3)
    assert found[0, -1] == pytest.approx(last * 1023, abs=1e-3)


def test_the_result_lies_within_the_range_and_outside_is_clipped() -> None:
    values = np.array([[-5000.0, 0.0, 50.0, 100.0, 9000.0]])
    found = clahe(values, ONE_TILE, low=0, high=100, spacing_mm=MM)
    assert (found >= 0).all() and (found <= 100).all()
    assert found[0, 0] == found[0, 1] and found[0, 3] == found[0, 4]


def test_squares_are_equalised_by_themselves_and_blended_between_their_centers() -> None:
    # Two squares of 4 columns: left all 0, right all 1023. Each maps its own value to 1/2.
    values = np.array([[0.0] * 4 + [1023.0] * 4] * 4)
    found = clahe(values, ClaheParameters(tile_mm=4, clip=1e9), low=0, high=1023, spacing_mm=MM) / 1023
    # At the outer columns one mapping alone holds; between the centers at columns 1.5 and 5.5 both are blended.
    assert found[0, 0] == pytest.approx(0.5) and found[0, 7] == pytest.approx(0.5)
    for column in (2, 3):
        share = (column - 1.5) / 4
        assert found[0, column] == pytest.approx((1 - share) * 0.5 + share * 0.0, abs=1e-6)
    for column in (4, 5):
        share = (column - 1.5) / 4
        assert found[0, column] == pytest.approx((1 - share) * 1.0 + share * 0.5, abs=1e-6)


def test_squares_are_measured_in_millimetres_not_in_pixels() -> None:
    values = np.random.default_rng(2).uniform(0, 100, (16, 32))
    coarse = clahe(values, ClaheParameters(tile_mm=8), low=0, high=100, spacing_mm=(1.0, 0.5))
    fine = clahe(values, ClaheParameters(tile_mm=80), low=0, high=100, spacing_mm=(10.0, 5.0))
    assert np.array_equal(coarse, fine)


def test_padding_takes_no_part_and_comes_back_unchanged() -> None:
    values = np.array([[-2000.0, -2000.0, 0.0, 0.0, 0.0, 1023.0]])
    padded = values == -2000
    found = clahe(values, ONE_TILE, low=0, high=1023, spacing_mm=MM, padded=padded)
    alone = clahe(values[:, 2:], ONE_TILE, low=0, high=1023, spacing_mm=MM)
    assert found[0, :2].tolist() == [-2000, -2000]
    assert np.array_equal(found[:, 2:], alone)


def test_an_image_of_padding_or_of_one_value_is_no_error() -> None:
    flat = np.full((4, 4), 7.0)
    assert np.isfinite(clahe(flat, ClaheParameters(), low=7, high=7, spacing_mm=MM)).all()
    assert np.array_equal(clahe(flat, ClaheParameters(), low=0, high=9, spacing_mm=MM, padded=flat == 7), flat)


# --- Unsharp mask -----------------------------------------------------------------------------------------------------


def test_a_point_is_raised_by_its_share_of_what_the_gaussian_takes_away() -> None:
    values = np.zeros((9, 9))
    values[4, 4] = 100
    found = unsharp(values, UnsharpParameters(radius_mm=0.5, amount=2), spacing_mm=MM)
    weights = np.array([math.exp(-(k**2) / (2 * 0.25)) for k in range(-2, 3)])
    weights /= weights.sum()
    blurred = 100 * np.outer(weights, weights)
    expected = values[2:7, 2:7] + 2 * (values[2:7, 2:7] - blurred)
    assert found[2:7, 2:7] == pytest.approx(expected, abs=1e-4)


def test_a_flat_image_and_an_amount_of_zero_change_nothing() -> None:
    flat = np.full((8, 8), 42.0)
    assert np.array_equal(unsharp(flat, UnsharpParameters(), spacing_mm=MM), flat)
    values = np.arange(64.0).reshape(8, 8)
    assert np.array_equal(unsharp(values, UnsharpParameters(amount=0), spacing_mm=MM), values)


def test_the_gaussian_is_round_in_the_patient() -> None:
    values = np.zeros((15, 15))
    values[7, 7] = 1000
    found = unsharp(values, UnsharpParameters(radius_mm=1, amount=1), spacing_mm=(1.0, 0.5))
    # One row is as far as two columns.
    down, across = -found[8, 7], -found[7, 9]
    assert down == pytest.approx(across, rel=1e-3)


def test_no_seam_along_padding() -> None:
    values = np.full((6, 12), 50.0)
    values[:, :5] = -2000
    padded = values == -2000
    found = unsharp(values, UnsharpParameters(radius_mm=1.5, amount=1), spacing_mm=MM, padded=padded)
    assert found == pytest.approx(values, abs=1e-3)
