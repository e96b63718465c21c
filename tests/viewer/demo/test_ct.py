"""The CT phantom: where it lies, and what it measures."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from viewer.demo import anatomy
from viewer.demo.catalogue import PRIOR_CT
from viewer.demo.ct import CHEST_ABDOMEN, CtProtocol, ct_object, ct_series, ct_values
from viewer.demo.headers import DemoVisit
from viewer.demo.objects import DemoObject


def around(
    values: NDArray[np.int16], protocol: CtProtocol, place: tuple[float, float, float], half_px: int = 5
) -> NDArray[np.int16]:
    """The pixels about a place in mm, in the plane that the values are of."""
    grid = protocol.grid
    column, row = (round(place[axis] / grid.spacing_mm + (grid.size - 1) / 2) for axis in (0, 1))
    return values[row - half_px : row + half_px + 1, column - half_px : column + half_px + 1]


def slice_at(protocol: CtProtocol, z_mm: float) -> int:
    return round((protocol.grid.top_mm - z_mm) / protocol.grid.slice_spacing_mm) + 1


def test_series_is_120_slices_of_512_by_512(visit: DemoVisit) -> None:
    makers = ct_series(visit, CHEST_ABDOMEN)

    ds = makers[0]().ds

    assert len(makers) == 120
    assert (ds.Rows, ds.Columns, ds.BitsAllocated, ds.BitsStored, ds.PixelRepresentation) == (512, 512, 16, 16, 1)
    assert (float(ds.RescaleSlope), float(ds.RescaleIntercept), ds.RescaleType) == (1, -1024, "HU")
    assert (float(ds.WindowCenter), float(ds.WindowWidth)) == (40, 400)
    assert list(map(float, ds.PixelSpacing)) == [0.78, 0.78]
    assert len(ds.PixelData) == 512 * 512 * 2


def test_slices_lie_2_5_mm_apart_towards_the_feet_in_one_frame_of_reference(visit: DemoVisit) -> None:
    made = [ct_object(visit, CHEST_ABDOMEN, number).ds for number in (1, 2, 3)]

    positions = np.array([[float(value) for value in ds.ImagePositionPatient] for ds in made])

    assert np.allclose(np.diff(positions, axis=0), [0, 0, -2.5])
    assert len({ds.FrameOfReferenceUID for ds in made}) == 1
    assert len({ds.SeriesInstanceUID for ds in made}) == 1
    assert len({ds.SOPInstanceUID for ds in made}) == 3
    assert all(float(ds.SliceLocation) == position[2] for ds, position in zip(made, positions, strict=True))
    assert positions[0, 0] == positions[0, 1] == pytest.approx(-255.5 * 0.78)


@pytest.mark.parametrize(
    ("place", "half_px", "hu", "tolerance"),
    [
        (anatomy.LIVER_AT, 8, 60, 3),
        (anatomy.AORTA_AT, 5, 310, 5),
        (anatomy.MUSCLE_AT, 5, 58, 4),
        (anatomy.LIVER_LESION_AT, 4, 24, 5),
        ((0.0, -190.0, 0.0), 8, -1000, 2),
    ],
)
def test_tissues_measure_what_they_should(
    place: tuple[float, float, float], half_px: int, hu: float, tolerance: float
) -> None:
    values = ct_values(CHEST_ABDOMEN, slice_at(CHEST_ABDOMEN, place[2]))

    assert around(values, CHEST_ABDOMEN, place, half_px).mean() == pytest.approx(hu, abs=tolerance)


def test_lungs_are_dark_and_hold_a_nodule() -> None:
    values = ct_values(CHEST_ABDOMEN, slice_at(CHEST_ABDOMEN, anatomy.NODULE_AT[2]))

    nodule = around(values, CHEST_ABDOMEN, anatomy.NODULE_AT, half_px=12)
    beside = around(values, CHEST_ABDOMEN, (-100.0, -35.0, anatomy.NODULE_AT[2]), half_px=8)

    assert np.percentile(nodule, 90) == pytest.approx(36, abs=20)
    assert np.median(beside) == pytest.approx(-830, abs=40)


def test_noise_in_the_liver_is_that_of_the_protocol() -> None:
    values = ct_values(CHEST_ABDOMEN, slice_at(CHEST_ABDOMEN, anatomy.LIVER_AT[2]))

    assert around(values, CHEST_ABDOMEN, anatomy.LIVER_AT).std() == pytest.approx(11, abs=3)


def test_neighbouring_slices_differ_little() -> None:
    slices = [ct_values(CHEST_ABDOMEN, number).astype(float) for number in (60, 61, 62)]

    assert all(np.abs(one - other).mean() < 30 for one, other in pairwise(slices))


def test_the_nodule_was_smaller_in_the_prior() -> None:
    now = ct_values(CHEST_ABDOMEN, slice_at(CHEST_ABDOMEN, anatomy.NODULE_AT[2]))
    then = ct_values(PRIOR_CT, slice_at(PRIOR_CT, anatomy.NODULE_AT[2]))

    solid = [
        int((around(values, protocol, anatomy.NODULE_AT, half_px=12) > -300).sum())
        for values, protocol in ((now, CHEST_ABDOMEN), (then, PRIOR_CT))
    ]

    assert solid[0] > 1.8 * solid[1] > 0


def test_a_slice_is_the_same_whenever_it_is_made(visit: DemoVisit) -> None:
    assert ct_object(visit, CHEST_ABDOMEN, 40).to_bytes() == ct_object(visit, CHEST_ABDOMEN, 40).to_bytes()


def test_validator_finds_no_error(visit: DemoVisit, errors_of: Callable[[DemoObject], list[str]]) -> None:
    assert errors_of(ct_object(visit, CHEST_ABDOMEN, 60)) == []
