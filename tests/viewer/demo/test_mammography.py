"""The mammogram: four views, air as padding, one of them flipped, two pixel sizes."""

from __future__ import annotations

import io
from collections.abc import Callable

import imagecodecs
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames

from viewer.demo.headers import DemoVisit
from viewer.demo.mammography import VIEWS, mammography_object, stored_values
from viewer.demo.objects import DemoObject


@pytest.fixture(scope="module")
def made(visit: DemoVisit) -> list[DemoObject]:
    return [mammography_object(visit, number) for number in (1, 2, 3, 4)]


def decoded(made: DemoObject) -> NDArray[np.uint16]:
    """The frame as any reader of the file gets it."""
    ds = pydicom.dcmread(io.BytesIO(made.to_bytes()))
    frame = next(generate_frames(ds.PixelData, number_of_frames=1))
    decode = imagecodecs.jpegls_decode if "4.80" in made.transfer_syntax_uid else imagecodecs.htj2k_decode
    values: NDArray[np.uint16] = decode(frame)
    return values


def test_views_are_the_four_of_a_screening(made: list[DemoObject]) -> None:
    views = [(one.ds.ImageLaterality, one.ds.ViewPosition, one.ds.ViewCodeSequence[0].CodeValue) for one in made]

    assert views == [
        ("R", "CC", "399162004"),
        ("L", "CC", "399162004"),
        ("R", "MLO", "399368009"),
        ("L", "MLO", "399368009"),
    ]
    assert {one.ds.PresentationIntentType for one in made} == {"FOR PRESENTATION"}
    assert len({one.ds.SeriesInstanceUID for one in made}) == 4


def test_pictures_are_large_and_have_two_pixel_sizes(made: list[DemoObject]) -> None:
    assert all(one.ds.Columns >= 3000 and one.ds.Rows >= 4000 and one.ds.BitsStored == 12 for one in made)
    assert [float(one.ds.ImagerPixelSpacing[0]) for one in made] == [0.07, 0.1, 0.07, 0.1]


def test_air_is_the_padding_value_and_nothing_else_is(made: list[DemoObject]) -> None:
    for one in made:
        values = decoded(one)
        air = values == one.ds.PixelPaddingValue

        # The air side is all air, the chest wall's middle is all breast.
        rows = slice(values.shape[0] // 3, values.shape[0] // 2)
        edges = (values[rows, :40], values[rows, -40:])
        air_edge, chest_edge = edges if one.ds.PatientOrientation[0] == "P" else edges[::-1]
        assert (air_edge == 0).all()
        assert (chest_edge > 0).all()
        assert 0.4 < air.mean() < 0.9
        assert values.max() < 4096


def test_orientation_says_where_the_chest_wall_is_also_in_the_flipped_view(made: list[DemoObject]) -> None:
    orientations = [list(one.ds.PatientOrientation) for one in made]

    # Rows of a right breast run towards the back when it hangs on the left; the last view was acquired flipped.
    assert orientations == [["P", "L"], ["A", "R"], ["P", "FL"], ["P", "FR"]]
    assert [view.flipped for view in VIEWS] == [False, False, False, True]


def test_pixels_survive_compression(made: list[DemoObject]) -> None:
    for one, view in zip(made[:2], VIEWS[:2], strict=True):
        assert np.array_equal(decoded(one), stored_values(view))


def test_breasts_are_equally_large_in_mm(made: list[DemoObject]) -> None:
    depths = []
    for one in made[:2]:
        breast = decoded(one) > 0
        depths.append(float(breast.any(axis=0).sum()) * float(one.ds.ImagerPixelSpacing[1]))

    assert depths[0] == pytest.approx(depths[1], abs=4)
    assert 95 < depths[0] < 125


def test_validator_finds_no_error(made: list[DemoObject], errors_of: Callable[[DemoObject], list[str]]) -> None:
    for one in made:
        copy = Dataset()
        copy.update(one.ds)
        assert errors_of(DemoObject(copy, one.transfer_syntax_uid)) == []
