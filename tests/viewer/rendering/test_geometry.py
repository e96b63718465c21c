"""Letters at the edges, and what a pixel measures."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from archive.pixels.description import ImageDescription, UltrasoundRegion
from tests.viewer.rendering.images import describe_values
from viewer.rendering.geometry import (
    Edges,
    Point,
    UltrasoundUnit,
    edges,
    pixel_aspect_ratio,
    pixel_spacing,
    ultrasound_scale,
)


def image(**attributes: Any) -> ImageDescription:
    return describe_values(np.zeros((4, 4), np.uint16), **attributes)


def turned(degrees: float) -> tuple[float, float]:
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        # Axial, head first supine: +row towards the patient's left, +column towards the back.
        ((1, 0, 0, 0, 1, 0), Edges("R", "L", "A", "P")),
        # Coronal: columns run towards the feet.
        ((1, 0, 0, 0, 0, -1), Edges("R", "L", "H", "F")),
        # Sagittal: rows run towards the back.
        ((0, 1, 0, 0, 0, -1), Edges("A", "P", "H", "F")),
        ((-1, 0, 0, 0, -1, 0), Edges("L", "R", "P", "A")),
    ],
)
def test_letters_of_straight_planes(orientation: tuple[float, ...], expected: Edges) -> None:
    assert edges(image(image_orientation_patient=orientation), 1) == expected


def test_two_letters_when_oblique() -> None:
    cosine, sine = turned(20)
    assert edges(image(image_orientation_patient=(cosine, sine, 0, 0, 0, -1)), 1) == Edges("RA", "LP", "H", "F")


def test_three_letters_when_doubly_oblique_the_strongest_first() -> None:
    row = np.array([2, -6, 3]) / 7
    column = np.array([6, 3, 2]) / 7
    letters = edges(image(image_orientation_patient=tuple(map(float, (*row, *column)))), 1)
    assert letters == Edges(left="PFR", right="AHL", top="RAF", bottom="LPH")


@pytest.mark.parametrize(("degrees", "right"), [(0.5, "L"), (4, "L"), (6, "LP"), (44, "LP"), (46, "PL"), (86, "P")])
def test_a_few_degrees_are_not_oblique(degrees: float, right: str) -> None:
    cosine, sine = turned(degrees)
    letters = edges(image(image_orientation_patient=(cosine, sine, 0, -sine, cosine, 0)), 1)
    assert letters is not None
    assert letters.right == right


def test_patient_orientation_where_there_is_no_other() -> None:
    # A right mediolateral oblique view: rows towards the front, columns towards foot and right.
    assert edges(image(patient_orientation=("A", "FR")), 1) == Edges("P", "A", "HL", "FR")


@pytest.mark.parametrize("words", [(), ("L",), ("", ""), ("L", ""), ("S", "I"), ("LX", "F"), ("?", "P")])
def test_no_letters_where_nothing_is_said(words: tuple[str, ...]) -> None:
    assert edges(image(patient_orientation=words), 1) is None


@pytest.mark.parametrize(
    "orientation", [(0, 0, 0, 0, 0, 0), (1, 0, 0, 1, 0, 0), (2, 0, 0, 0, 1, 0), (float("nan"), 0, 0, 0, 1, 0)]
)
def test_a_direction_that_is_none_falls_back_to_the_words(orientation: tuple[float, ...]) -> None:
    assert edges(image(image_orientation_patient=orientation), 1) is None
    with_words = image(image_orientation_patient=orientation, patient_orientation=("L", "F"))
    assert edges(with_words, 1) == Edges("R", "L", "H", "F")


def test_quadrupeds_have_their_own_letters() -> None:
    animal = {"anatomical_orientation_type": "QUADRUPED"}
    trunk = image(image_orientation_patient=(1, 0, 0, 0, -1, 0), **animal)
    assert edges(trunk, 1) == Edges("RT", "LE", "D", "V")
    coronal = image(image_orientation_patient=(1, 0, 0, 0, 0, -1), **animal)
    assert edges(coronal, 1) == Edges("RT", "LE", "CR", "CD")
    head = image(image_orientation_patient=(1, 0, 0, 0, 0, -1), body_part_examined="HEAD", **animal)
    assert edges(head, 1) == Edges("RT", "LE", "R", "CD")


def test_words_of_quadrupeds() -> None:
    animal = {"anatomical_orientation_type": "QUADRUPED"}
    assert edges(image(patient_orientation=("CD", "V"), **animal), 1) == Edges("CR", "CD", "D", "V")
    assert edges(image(patient_orientation=("LECD", "DI"), **animal), 1) == Edges("RTCR", "LECD", "PR", "DI")
    assert edges(image(patient_orientation=("L", "H"), **animal), 1) is None


# --- Millimetres


def test_pixel_spacing_of_a_slice_is_row_spacing_first() -> None:
    spacing = pixel_spacing(image(modality="CT", pixel_spacing=(0.5, 0.75)), 1)
    assert spacing is not None
    assert (spacing.row_mm, spacing.column_mm, spacing.source, spacing.note) == (0.5, 0.75, "Pixel Spacing", "")


def test_a_projection_without_calibration_is_said() -> None:
    for extra in ({}, {"imager_pixel_spacing": (0.3, 0.3)}):
        spacing = pixel_spacing(image(modality="DX", pixel_spacing=(0.2, 0.2), **extra), 1)
        assert spacing is not None
        assert (spacing.row_mm, spacing.source) == (0.2, "Pixel Spacing")
        assert spacing.note


@pytest.mark.parametrize(("kind", "word"), [("GEOMETRY", "geometry"), ("FIDUCIAL", "fiducial")])
def test_a_calibrated_projection_says_how(kind: str, word: str) -> None:
    description = image(
        modality="DX", pixel_spacing=(0.2, 0.2), imager_pixel_spacing=(0.2, 0.2), pixel_spacing_calibration_type=kind
    )
    spacing = pixel_spacing(description, 1)
    assert spacing is not None
    assert spacing.source == "Pixel Spacing"
    assert word in spacing.note


def test_detector_spacing_is_said_to_be_that() -> None:
    for stated in (None, (0.3, 0.3)):
        spacing = pixel_spacing(image(modality="XA", imager_pixel_spacing=(0.3, 0.3), pixel_spacing=stated), 1)
        assert spacing is not None
        assert (spacing.row_mm, spacing.source) == (0.3, "Imager Pixel Spacing")
        assert "detector" in spacing.note


def test_detector_spacing_is_corrected_by_the_magnification_and_said_so() -> None:
    description = image(modality="MG", imager_pixel_spacing=(0.1, 0.2), estimated_radiographic_magnification=1.25)
    spacing = pixel_spacing(description, 1)
    assert spacing is not None
    assert (spacing.row_mm, spacing.column_mm) == (0.08, 0.16)
    assert "1.25" in spacing.note


@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan"), float("inf")])
def test_a_magnification_that_is_none_is_left_out(factor: float) -> None:
    description = image(modality="MG", imager_pixel_spacing=(0.1, 0.1), estimated_radiographic_magnification=factor)
    spacing = pixel_spacing(description, 1)
    assert spacing is not None
    assert (spacing.row_mm, spacing.source) == (0.1, "Imager Pixel Spacing")


def test_scanned_film_is_said() -> None:
    spacing = pixel_spacing(image(modality="OT", nominal_scanned_pixel_spacing=(0.2, 0.2)), 1)
    assert spacing is not None
    assert (spacing.source, spacing.note) == ("Nominal Scanned Pixel Spacing", "On the scanned film.")


@pytest.mark.parametrize("pair", [None, (0.0, 0.5), (-1.0, 1.0), (float("nan"), 1.0), (float("inf"), 1.0)])
def test_no_millimetres_without_a_source(pair: tuple[float, float] | None) -> None:
    assert pixel_spacing(image(modality="CT", pixel_spacing=pair), 1) is None
    assert pixel_spacing(image(modality="DX", imager_pixel_spacing=pair), 1) is None


def region(x0: int, y0: int, x1: int, y1: int, units: tuple[int, int] = (3, 3), **values: Any) -> UltrasoundRegion:
    return UltrasoundRegion(x0, y0, x1, y1, *units, **({"delta_x": 0.05, "delta_y": 0.02} | values))


def test_centimetres_are_millimetres_times_ten() -> None:
    scale = ultrasound_scale(image(ultrasound_regions=(region(0, 0, 99, 99),)), Point(1, 1), Point(50, 99))
    assert scale is not None
    assert scale.is_length
    assert (scale.column_size, scale.row_size) == (0.5, 0.2)


def test_a_region_without_units_over_the_whole_screen_does_not_count() -> None:
    # As in real files: the first region has no units, the second one is the picture; deltas may be negative.
    regions = (region(0, 19, 383, 277, (0, 0), delta_x=1.0, delta_y=1.0), region(0, 0, 383, 287, delta_x=-0.0363))
    scale = ultrasound_scale(image(ultrasound_regions=regions), Point(100, 100), Point(200, 300))
    assert scale is not None
    assert scale.column_size == pytest.approx(0.363)


def test_points_in_different_regions_have_no_scale() -> None:
    regions = (region(0, 0, 49, 99), region(50, 0, 99, 99))
    description = image(ultrasound_regions=regions)
    assert ultrasound_scale(description, Point(5, 10), Point(5, 60)) is None
    assert ultrasound_scale(description, Point(5, 10), Point(5, 40)) is not None


def test_overlapping_regions_have_no_scale_where_they_overlap() -> None:
    regions = (region(0, 0, 60, 99), region(40, 0, 99, 99))
    description = image(ultrasound_regions=regions)
    assert ultrasound_scale(description, Point(5, 50), Point(6, 51)) is None
    assert ultrasound_scale(description, Point(5, 10), Point(6, 50)) is None
    assert ultrasound_scale(description, Point(5, 10), Point(6, 20)) is not None


def test_outside_every_region_there_is_no_scale() -> None:
    description = image(ultrasound_regions=(region(10, 10, 20, 20),))
    assert ultrasound_scale(description, Point(5, 5), Point(15, 15)) is None
    assert ultrasound_scale(image(), Point(5, 5), Point(15, 15)) is None


def test_time_and_velocity_are_no_lengths() -> None:
    # M-mode and Doppler: seconds across, cm or cm/s down.
    doppler = image(ultrasound_regions=(region(0, 0, 99, 99, (4, 7), delta_x=0.005, delta_y=-1.5),))
    scale = ultrasound_scale(doppler, Point(1, 1), Point(2, 2))
    assert scale is not None
    assert not scale.is_length
    assert (scale.column_unit, scale.column_size) == (UltrasoundUnit.SECOND, 0.005)
    assert (scale.row_unit, scale.row_size) == (UltrasoundUnit.CENTIMETRE_PER_SECOND, 1.5)
    ecg = image(ultrasound_regions=(region(0, 0, 99, 99, (4, 0), delta_y=0.0),))
    scale = ultrasound_scale(ecg, Point(1, 1), Point(2, 2))
    assert scale is not None
    assert (scale.row_unit, scale.is_length) == (None, False)


# --- Proportions


def test_proportions_come_from_spacing_then_ratio_then_regions() -> None:
    assert pixel_aspect_ratio(image(modality="CT", pixel_spacing=(2.0, 1.0), pixel_aspect_ratio=(1, 1)), 1) == (
        2.0,
        1.0,
    )
    assert pixel_aspect_ratio(image(pixel_aspect_ratio=(536, 670)), 1) == (536.0, 670.0)
    assert pixel_aspect_ratio(image(ultrasound_regions=(region(0, 0, 9, 9),)), 1) == (0.02, 0.05)
    differing = (region(0, 0, 9, 9), region(10, 0, 19, 9, delta_x=0.9))
    assert pixel_aspect_ratio(image(ultrasound_regions=differing), 1) == (1.0, 1.0)
    assert pixel_aspect_ratio(image(pixel_aspect_ratio=(0, 0)), 1) == (1.0, 1.0)
