"""A stored state as a picture: its images are found, decoded and drawn as it wants them."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset

from archive.models import Study
from tests.journeys.sending import store
from tests.phantoms import ct_image, image, ramp
from tests.presentation_states import (
    BLENDING,
    displayed_area,
    item,
    presentation_state,
    reference,
    softcopy_window,
)
from viewer.errors import NotFound, NothingToDraw
from viewer.rendering.presentation_target import Size
from viewer.tiles.states import draw_presentation_state

pytestmark = pytest.mark.usefixtures("portal_data", "transactional_db")


def drawn(state: Dataset, viewport: Size | None = None) -> np.ndarray:
    study = Study.objects.get(study_instance_uid=state.StudyInstanceUID)
    return draw_presentation_state(study, str(state.SOPInstanceUID), revision=study.revision, viewport=viewport)


def test_the_image_in_the_middle_is_drawn_with_area_and_turn() -> None:
    slices = [image(ramp(start=16 * n), InstanceNumber=n + 1, BitsStored=8) for n in range(3)]
    state = presentation_state(
        *slices, ImageRotation=90, ImageHorizontalFlip="N", DisplayedAreaSelectionSequence=[displayed_area(1, 1, 2, 3)]
    )
    store(*slices, state)

    # Columns 1 and 2 of rows 1 to 3 of the second image, turned clockwise.
    expected = [[48, 32, 16], [49, 33, 17]]
    assert drawn(state).tolist() == expected
    assert drawn(state, Size(20, 30)).shape == (20, 30)


def test_a_state_of_another_study_or_of_images_that_are_not_here_is_no_picture() -> None:
    here, gone = ct_image(), ct_image()
    state = presentation_state(gone)
    store(here, state)

    with pytest.raises(NothingToDraw, match="not here"):
        drawn(state)
    with pytest.raises(NotFound):
        draw_presentation_state(Study.objects.get(), "1.2.3", revision=1)


def blending_state(below: list[Dataset], above: list[Dataset], opacity: float) -> Dataset:
    sides = [
        item(
            BlendingPosition=position,
            StudyInstanceUID=images[0].StudyInstanceUID,
            ReferencedSeriesSequence=[item(ReferencedImageSequence=[reference(one) for one in images])],
            RescaleSlope=1,
            RescaleIntercept=0,
            SoftcopyVOILUTSequence=[softcopy_window(128, 256)],
        )
        for position, images in (("UNDERLYING", below), ("SUPERIMPOSED", above))
    ]
    ds = presentation_state(below[0], SOPClassUID=BLENDING, BlendingSequence=sides, RelativeOpacity=opacity)
    for color, entries in (("Red", (0, 0xFFFF)), ("Green", (0, 0)), ("Blue", (0, 0))):
        setattr(ds, f"{color}PaletteColorLookupTableDescriptor", [2, 0, 16])
        setattr(ds, f"{color}PaletteColorLookupTableData", struct.pack("<2H", *entries))
    return ds


def ct_and_pet(**pet: Any) -> tuple[list[Dataset], list[Dataset]]:
    """Three slices of each at the same places; the CT is 100 everywhere, the PET 255 in the middle slice alone."""
    below = [ct_image(np.full((4, 4), 100), z=5.0 * n, number=n + 1) for n in range(3)]
    above = [
        ct_image(
            np.full((4, 4), 255 if n == 1 else 0),
            z=5.0 * n,
            number=n + 1,
            **{"SeriesInstanceUID": "2.25.1777", "Modality": "PT", **pet},
        )
        for n in range(3)
    ]
    return below, above


def test_two_series_are_blended_at_the_same_place_in_the_patient() -> None:
    below, above = ct_and_pet()
    state = blending_state(below, above, 0.5)
    store(*below, *above, state)

    picture = drawn(state)

    # Red: 255 x 0.5 + 100 x 0.5 = 177.5, to the nearest; green and blue 50.
    assert picture.shape == (4, 4, 3)
    assert picture[0, 0].tolist() == [178, 50, 50]


def test_series_without_a_common_frame_of_reference_are_not_blended() -> None:
    below, above = ct_and_pet(FrameOfReferenceUID="2.25.4")
    state = blending_state(below, above, 0.5)
    store(*below, *above, state)

    with pytest.raises(NothingToDraw, match="frame of reference"):
        drawn(state)
