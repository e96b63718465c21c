"""The MR of the head: three planes that meet in one space."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pydicom.dataset import Dataset

from viewer.demo import head
from viewer.demo.headers import DemoVisit
from viewer.demo.mr import PROTOCOLS, mr_object, mr_study, signal, stored_values
from viewer.demo.objects import DemoObject


def nearest(protocol_index: int, place: tuple[float, float, float]) -> tuple[int, int, int]:
    """Slice, row and column of a series that are nearest to a place in mm, by the attributes of its images."""
    protocol = PROTOCOLS[protocol_index]
    row_step = np.array(protocol.column_direction) * protocol.spacing_mm
    column_step = np.array(protocol.row_direction) * protocol.spacing_mm
    number = 1 + round(float((np.array(place) - protocol.corner_mm(1)) @ protocol.normal()) / protocol.slice_spacing_mm)
    offset = np.array(place) - protocol.corner_mm(number)
    row = round(float(offset @ row_step) / protocol.spacing_mm**2)
    column = round(float(offset @ column_step) / protocol.spacing_mm**2)
    return number, row, column


def test_three_series_of_24_share_one_frame_of_reference(visit: DemoVisit) -> None:
    makers = mr_study(visit)

    made = [makers[index]().ds for index in (0, 24, 48)]

    assert len(makers) == 72
    assert len({ds.FrameOfReferenceUID for ds in made}) == 1
    assert len({ds.SeriesInstanceUID for ds in made}) == 3
    assert [(ds.Rows, ds.Columns) for ds in made] == [(256, 256)] * 3
    assert all("RescaleSlope" not in ds and "WindowCenter" in ds for ds in made)


@pytest.mark.parametrize(
    ("index", "orientation", "step"),
    [
        (0, [1, 0, 0, 0, 1, 0], [0, 0, 6]),
        (1, [1, 0, 0, 0, 0, -1], [0, 7, 0]),
        (2, [0, 1, 0, 0, 0, -1], [-6, 0, 0]),
    ],
)
def test_slices_follow_the_normal_of_their_plane(
    visit: DemoVisit, index: int, orientation: list[int], step: list[int]
) -> None:
    made: list[Dataset] = [mr_object(visit, PROTOCOLS[index], number).ds for number in (1, 2)]

    first, second = (np.array([float(value) for value in ds.ImagePositionPatient]) for ds in made)

    assert [float(value) for value in made[0].ImageOrientationPatient] == orientation
    assert np.allclose(second - first, step)
    assert float(made[1].SliceLocation) - float(made[0].SliceLocation) == pytest.approx(np.abs(step).sum())


def test_the_lesion_shows_at_its_place_in_all_three_planes() -> None:
    for index, protocol in enumerate(PROTOCOLS):
        number, row, column = nearest(index, head.LESION_AT)
        healthy_number, healthy_row, healthy_column = nearest(index, head.WHITE_MATTER_AT)

        lesion = signal(protocol, number)[row - 1 : row + 2, column - 1 : column + 2].mean()
        white = signal(protocol, healthy_number)[
            healthy_row - 1 : healthy_row + 2, healthy_column - 1 : healthy_column + 2
        ].mean()

        assert lesion > 1.5 * white if protocol.t2 else lesion < 0.8 * white


def test_background_is_dark_and_stored_values_fit_12_bits() -> None:
    values = stored_values(PROTOCOLS[0], 14)

    assert values.max() < 4096
    assert values[:16, :16].mean() < 40
    assert values[100:156, 100:156].mean() > 400


def test_validator_finds_no_error(visit: DemoVisit, errors_of: Callable[[DemoObject], list[str]]) -> None:
    for protocol in PROTOCOLS:
        assert errors_of(mr_object(visit, protocol, 12)) == []
