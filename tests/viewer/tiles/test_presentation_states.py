"""``pr`` of a tile: the state's grey levels, shutter and annotations over an image; 404 in words where there is none."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image
from pydicom import Dataset

from archive.models import Grant, Instance, Study
from tests.journeys.sending import store
from tests.phantoms import ct_image, ramp
from tests.presentation_states import BLENDING, presentation_state, reference, softcopy_window

if TYPE_CHECKING:
    from tests.conftest import Cast

SERIES = "2.25.1002"
TILE = f"/tiles/{SERIES}/{{frame}}/0/0/0.png"


@pytest.fixture
def images(portal_data: object, transactional_db: None) -> list[Dataset]:
    """Three slices, one above the other; stored values from 900, 1000 and 1100 on."""
    slices = [ct_image(ramp(start=900 + 100 * n), z=10.0 * n, number=n + 1) for n in range(3)]
    store(*slices)
    return slices


@pytest.fixture
def reader(images: list[Dataset], cast: Cast, client_of: Callable[..., Client]) -> Client:
    return client_of(cast.reader)


def tile(client: Client, state: Dataset | str, frame: int = 1, **query: Any) -> Any:
    uid = state if isinstance(state, str) else str(state.SOPInstanceUID)
    return client.get(TILE.format(frame=frame), {"pr": uid, **query})


def pixels(response: Any) -> np.ndarray:
    assert response.status_code == 200, response.content[:300]
    with Image.open(io.BytesIO(response.content)) as picture:
        return np.array(picture)


def linear(values: np.ndarray, *, center: float, width: float) -> np.ndarray:
    """PS3.3 C.11.2.1.2.1, truncated."""
    share = (values - (center - 0.5)) / (width - 1) + 0.5
    return np.floor(np.clip(share, 0, 1) * 255).astype(np.uint8)


def hounsfield(*images: Dataset, **attributes: Any) -> Dataset:
    """A state with the modality step of the images."""
    return presentation_state(*images, RescaleSlope=1, RescaleIntercept=-1024, RescaleType="HU", **attributes)


def test_a_tile_has_the_window_of_the_state(reader: Client, images: list[Dataset]) -> None:
    state = hounsfield(images[1], SoftcopyVOILUTSequence=[softcopy_window(50, 130)])
    store(state)

    assert np.array_equal(pixels(tile(reader, state, 2)), linear(ramp(start=1000) - 1024.0, center=50, width=130))


def test_nothing_of_the_image_comes_through_where_the_state_is_silent(reader: Client, images: list[Dataset]) -> None:
    # No modality LUT, no VOI: identity over the 12 bits that are stored, whatever window and rescale the CT has.
    state = presentation_state(images[0])
    store(state)

    assert np.array_equal(pixels(tile(reader, state)), (ramp(start=900) >> 4).astype(np.uint8))


def test_a_window_that_is_asked_for_takes_the_place_of_the_states(reader: Client, images: list[Dataset]) -> None:
    state = hounsfield(
        images[0],
        SoftcopyVOILUTSequence=[softcopy_window(50, 130)],
        ShutterShape="RECTANGULAR",
        ShutterLeftVerticalEdge=1,
        ShutterRightVerticalEdge=8,
        ShutterUpperHorizontalEdge=1,
        ShutterLowerHorizontalEdge=16,
        ShutterPresentationValue=0xFFFF,
    )
    store(state)

    picture = pixels(tile(reader, state, window="-60,90"))

    expected = linear(ramp(start=900) - 1024.0, center=-60, width=90)
    assert np.array_equal(picture[:, :8], expected[:, :8])
    assert (picture[:, 8:] == 255).all()


def test_each_image_of_a_state_has_its_own_window(reader: Client, images: list[Dataset]) -> None:
    own = [softcopy_window(0, 100, reference(images[0])), softcopy_window(80, 300, reference(images[2]))]
    state = hounsfield(images[0], images[2], SoftcopyVOILUTSequence=own)
    store(state)

    first, third = pixels(tile(reader, state, 1)), pixels(tile(reader, state, 3))

    assert np.array_equal(first, linear(ramp(start=900) - 1024.0, center=0, width=100))
    assert np.array_equal(third, linear(ramp(start=1100) - 1024.0, center=80, width=300))


def test_an_image_that_the_state_does_not_name_is_404_in_words(reader: Client, images: list[Dataset]) -> None:
    state = hounsfield(images[0])
    store(state)

    response = tile(reader, state, 2)

    assert (response.status_code, response.json()) == (
        404,
        {"error": "This presentation state is not about this image."},
    )


def test_an_unknown_state_and_one_of_another_study_are_the_same_404(reader: Client, images: list[Dataset]) -> None:
    other = ct_image(StudyInstanceUID="2.25.55", SeriesInstanceUID="2.25.56", PatientID="OTHER")
    elsewhere = hounsfield(other)
    elsewhere.ReferencedSeriesSequence[0].ReferencedImageSequence = [reference(images[0])]
    store(other, elsewhere)

    answers = [tile(reader, state) for state in ("1.2.3.4", elsewhere, str(images[0].SOPInstanceUID))]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({answer.content for answer in answers}) == 1


def test_what_is_no_uid_is_refused(reader: Client) -> None:
    response = tile(reader, "not a uid")

    assert response.status_code == 400
    assert "pr" in response.json()["error"]


def test_a_blending_state_is_no_matter_of_tiles(reader: Client, images: list[Dataset]) -> None:
    state = presentation_state(images[0], SOPClassUID=BLENDING)
    store(state)

    assert tile(reader, state).status_code == 422


def test_a_state_that_was_rejected_is_gone(reader: Client, images: list[Dataset]) -> None:
    state = hounsfield(images[0])
    store(state)
    assert tile(reader, state).status_code == 200

    Instance.objects.filter(sop_instance_uid=state.SOPInstanceUID).update(rejection=Instance.Rejection.QUALITY)
    study = Study.objects.get()
    study.revision += 1
    study.save()

    assert tile(reader, state, rev=str(study.revision)).status_code == 404


def test_who_may_not_see_the_study_gets_no_state_either(
    reader: Client, images: list[Dataset], cast: Cast, client_of: Callable[..., Client]
) -> None:
    state = hounsfield(images[0])
    store(state)
    assert tile(reader, state).status_code == 200
    assert tile(client_of(cast.referrer2), state).status_code == 404
    Grant.objects.create(user=cast.referrer, study=Study.objects.get())
    assert tile(client_of(cast.referrer), state).status_code == 200


def test_a_tile_with_a_state_is_not_taken_for_one_without(reader: Client, images: list[Dataset]) -> None:
    one = hounsfield(images[0], SoftcopyVOILUTSequence=[softcopy_window(0, 50)])
    other = hounsfield(images[0], SoftcopyVOILUTSequence=[softcopy_window(0, 500)])
    store(one, other)

    pictures = [reader.get(TILE.format(frame=1)).content, tile(reader, one).content, tile(reader, other).content]

    assert len(set(pictures)) == 3
    assert tile(reader, one).content == pictures[1]


def test_stored_values_are_the_same_with_a_state(reader: Client, images: list[Dataset]) -> None:
    state = hounsfield(images[0])
    store(state)

    assert tile(reader, state, values="1").content == reader.get(TILE.format(frame=1), {"values": "1"}).content
