"""Presentation states as the target of rendered resources, and images by a state on ``/wado`` (PS3.18 8.3.5, 9.5.2.3)."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image
from pydicom import Dataset

from tests.journeys.sending import store
from tests.phantoms import SERIES_INSTANCE_UID, STUDY_INSTANCE_UID, image, ramp
from tests.presentation_states import displayed_area, presentation_state

if TYPE_CHECKING:
    from tests.conftest import Cast

ClientOf = Callable[..., Client]
STUDY = f"/dicom-web/studies/{STUDY_INSTANCE_UID}"
# Columns 1 and 2 of rows 1 to 3, turned clockwise: of values 16 a row and 1 a column.
TURNED = np.array([[32, 16, 0], [33, 17, 1]])


@pytest.fixture
def picture() -> Dataset:
    return image(ramp(), BitsStored=8)


@pytest.fixture
def state(portal_data: Path, transactional_db: None, picture: Dataset) -> Dataset:
    area = [displayed_area(1, 1, 2, 3)]
    state = presentation_state(picture, ImageRotation=90, ImageHorizontalFlip="N", DisplayedAreaSelectionSequence=area)
    store(picture, state, image(ramp(), SeriesInstanceUID="2.25.9"))
    return state


@pytest.fixture
def reader(cast: Cast, client_of: ClientOf) -> Client:
    return client_of(cast.reader)


def address_of(state: Dataset, word: str = "rendered") -> str:
    return f"{STUDY}/series/{state.SeriesInstanceUID}/instances/{state.SOPInstanceUID}/{word}"


def pixels(response: Any) -> np.ndarray:
    assert (response.status_code, response["Content-Type"]) == (200, "image/png"), response.content[:300]
    with Image.open(io.BytesIO(response.content)) as opened:
        return np.array(opened)


def wado(picture: Dataset, state: Dataset, **more: str) -> dict[str, str]:
    return {
        "requestType": "WADO",
        "studyUID": STUDY_INSTANCE_UID,
        "seriesUID": SERIES_INSTANCE_UID,
        "objectUID": str(picture.SOPInstanceUID),
        "contentType": "image/png",
        "presentationSeriesUID": str(state.SeriesInstanceUID),
        "presentationUID": str(state.SOPInstanceUID),
        **more,
    }


def test_a_state_is_drawn_as_the_image_that_it_is_about(reader: Client, state: Dataset) -> None:
    assert np.array_equal(pixels(reader.get(address_of(state), {"accept": "image/png"})), TURNED)
    assert reader.get(address_of(state))["Content-Type"] == "image/jpeg"
    larger = pixels(reader.get(address_of(state), {"accept": "image/png", "viewport": "30,30"}))
    assert larger.shape == (20, 30)
    small = pixels(reader.get(address_of(state, "thumbnail"), {"accept": "image/png", "viewport": "6,6"}))
    assert small.shape == (4, 6)


@pytest.mark.parametrize(
    ("name", "text"), [("window", "40,400,linear"), ("viewport", "30,30,1,1,2,2"), ("viewport", "5,5,,,-2,2")]
)
def test_a_state_says_its_window_and_area_itself(reader: Client, state: Dataset, name: str, text: str) -> None:
    response = reader.get(address_of(state), {name: text})
    assert response.status_code == 400
    assert response.json()["error"].startswith(name)


def test_frames_of_a_state_do_not_exist(reader: Client, state: Dataset) -> None:
    assert reader.get(address_of(state, "frames/1/rendered")).status_code == 404


def test_an_image_is_shown_by_a_state_of_its_study(reader: Client, picture: Dataset, state: Dataset) -> None:
    assert np.array_equal(pixels(reader.get("/wado", wado(picture, state))), TURNED)
    assert pixels(reader.get("/wado", wado(picture, state, columns="30"))).shape == (20, 30)
    plain = reader.get("/wado", {k: v for k, v in wado(picture, state).items() if not k.startswith("presentation")})
    assert pixels(plain).shape == (16, 16)


@pytest.mark.parametrize(
    "wrong",
    [{"presentationUID": "1.2.3"}, {"presentationSeriesUID": SERIES_INSTANCE_UID}],
)
def test_a_state_that_is_not_there_is_404(
    reader: Client, picture: Dataset, state: Dataset, wrong: dict[str, str]
) -> None:
    assert reader.get("/wado", wado(picture, state, **wrong)).status_code == 404


def test_a_state_about_other_images_is_404(reader: Client, picture: Dataset, state: Dataset) -> None:
    other = image(ramp(), InstanceNumber=2)
    store(other)
    assert reader.get("/wado", wado(other, state)).status_code == 404


def test_a_state_itself_can_be_asked_for_on_wado(reader: Client, state: Dataset) -> None:
    query = {
        "requestType": "WADO",
        "studyUID": STUDY_INSTANCE_UID,
        "seriesUID": str(state.SeriesInstanceUID),
        "objectUID": str(state.SOPInstanceUID),
        "contentType": "image/png",
    }
    assert np.array_equal(pixels(reader.get("/wado", query)), TURNED)
    assert pixels(reader.get("/wado", {**query, "rows": "20"})).shape == (20, 30)
    for name, text in (("region", "0,0,1,1"), ("frameNumber", "1")):
        assert reader.get("/wado", {**query, name: text}).json()["error"].startswith(name)


def test_a_study_with_a_state_has_a_part_for_it(reader: Client, state: Dataset) -> None:
    response = reader.get(f"{STUDY}/rendered", {"accept": "image/png"})
    assert response.status_code == 200
    assert response.getvalue().count(b"Content-Type: image/png") == 3


def test_nobody_else_gets_a_state(state: Dataset, cast: Cast, client_of: ClientOf) -> None:
    assert client_of(cast.outsider).get(address_of(state)).status_code == 404
    assert client_of(None).get(address_of(state)).status_code == 401
