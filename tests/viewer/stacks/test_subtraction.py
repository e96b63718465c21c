"""An angiogram with masks has a second stack of its differences, on which everything works that works on a stack."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image
from pydicom import Dataset

from tests.conftest import Cast
from tests.journeys.sending import store
from tests.phantoms import STUDY_INSTANCE_UID, image
from viewer.tiles import frames as kept_frames

XA_IMAGE = "1.2.840.10008.5.1.4.1.1.12.1"
SOP_INSTANCE_UID = "2.25.77"
SUBTRACTED = f"{SOP_INSTANCE_UID}.sub"

pytestmark = pytest.mark.usefixtures("portal_data", "transactional_db", "alone")


@pytest.fixture
def reader(cast: Cast, client_of: Callable[..., Client]) -> Client:
    return client_of(cast.reader)


def angiogram(**attributes: Any) -> Dataset:
    """Four frames of 8 x 8: tissue rises along the columns, frame n has n - 2 tens of contrast in its left half.

    Frames 1 and 2 are the mask, 3 and 4 have it.
    """
    tissue = np.tile(100 + 50 * np.arange(8), (8, 1))
    frames = np.stack([tissue] * 4)
    frames[2, :, :4] -= 10
    frames[3, :, :4] -= 20
    item = Dataset()
    item.MaskOperation, item.MaskFrameNumbers, item.ApplicableFrameRange = "AVG_SUB", [1, 2], [3, 4]
    known = {
        "SOPInstanceUID": SOP_INSTANCE_UID,
        "Modality": "XA",
        "NumberOfFrames": 4,
        "BitsStored": 10,
        "HighBit": 9,
        "FrameTime": 250,
        "WindowCenter": 512,
        "WindowWidth": 1024,
        "MaskSubtractionSequence": [item],
        "RecommendedViewingMode": "SUB",
    }
    return image(frames, sop_class_uid=XA_IMAGE, **(known | attributes))


def picture_of(response: Any) -> np.ndarray:  # type: ignore[type-arg]
    assert response.status_code == 200, response.content
    return np.asarray(Image.open(io.BytesIO(response.content)))


def stack_ids(reader: Client) -> list[tuple[str, str, int]]:
    stacks = reader.get(f"/studies/{STUDY_INSTANCE_UID}/manifest.json").json()["stacks"]
    return [(one["stack"], one["label"], one["frames"]) for one in stacks]


def test_the_differences_are_listed_first_where_the_sender_wants_them_seen(reader: Client) -> None:
    store(angiogram())
    assert stack_ids(reader) == [(SUBTRACTED, "Subtracted", 2), (SOP_INSTANCE_UID, "", 4)]


def test_the_differences_are_listed_second_elsewhere(reader: Client) -> None:
    store(angiogram(RecommendedViewingMode="NAT"))
    assert [stack for stack, _, _ in stack_ids(reader)] == [SOP_INSTANCE_UID, SUBTRACTED]


def test_without_masks_there_is_only_the_image(reader: Client) -> None:
    store(angiogram(MaskSubtractionSequence=None))
    assert [stack for stack, _, _ in stack_ids(reader)] == [SOP_INSTANCE_UID]


def test_the_manifest_names_the_frames_and_a_window_of_its_own(reader: Client) -> None:
    store(angiogram())
    manifest = reader.get(f"/stacks/{SUBTRACTED}/manifest.json").json()
    assert [frame["FrameNumber"] for frame in manifest["frames"]] == [3, 4]
    assert manifest["notes"] == ["2 of 4 frames have no mask and are not shown here."]
    # The header's 512/1024 is for the image as it was acquired: differences run from -20 to 0.
    assert manifest["window"]["origin"] == "computed"
    assert (manifest["window"]["center"], manifest["window"]["width"]) == (-9.5, 21.0)
    assert (manifest["unit"], manifest["cine"]["rate"]) == ("", 4.0)


def test_a_tile_shows_the_difference_whatever_lies_behind(reader: Client) -> None:
    store(angiogram())
    picture = picture_of(reader.get(f"/tiles/{SUBTRACTED}/2/0/0/0.png?window=-9.5,21,linear"))
    # LINEAR from -20 (0) to 0 (255): frame 4 has -20 on the left and nothing on the right.
    assert set(picture[:, :4].ravel().tolist()) == {0}
    assert set(picture[:, 4:].ravel().tolist()) == {255}
    native = picture_of(reader.get(f"/tiles/{SOP_INSTANCE_UID}/4/0/0/0.png"))
    assert len(np.unique(native)) > 6


def test_a_value_is_a_difference_without_a_unit(reader: Client) -> None:
    store(angiogram())
    value = reader.get(f"/api/stacks/{SUBTRACTED}/frames/1/value", {"row": 0, "column": 0}).json()
    assert (value["value"], value["unit"], value["text"]) == (-10.0, "", "-10")


def test_a_value_tile_holds_signed_differences(reader: Client) -> None:
    store(angiogram())
    storeys = picture_of(reader.get(f"/tiles/{SUBTRACTED}/1/0/0/0.png?values=1")).astype(int)
    offset = reader.get(f"/stacks/{SUBTRACTED}/manifest.json").json()["values"]["offset"]
    values = storeys[:8] * 256 + storeys[8:] - offset
    assert values[0].tolist() == [-10, -10, -10, -10, 0, 0, 0, 0]


def test_the_thumbnail_is_that_of_the_differences(reader: Client) -> None:
    store(angiogram())
    thumbnail = picture_of(reader.get(f"/stacks/{SUBTRACTED}/thumbnail.png"))
    assert set(thumbnail[:, 10].tolist()) == {0}
    assert not np.array_equal(thumbnail, picture_of(reader.get(f"/stacks/{SOP_INSTANCE_UID}/thumbnail.png")))


def test_a_mask_is_decoded_once_for_all_frames(reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    store(angiogram())
    decoded: list[int] = []
    decode = kept_frames._decode
    monkeypatch.setattr(
        kept_frames,
        "_decode",
        lambda instance, known, number: decoded.append(number) or decode(instance, known, number),
    )
    for frame in (1, 2):
        picture_of(reader.get(f"/tiles/{SUBTRACTED}/{frame}/0/0/0.png"))
    assert sorted(decoded) == [1, 2, 3, 4]


def test_an_outsider_sees_no_differences(cast: Cast, client_of: Callable[..., Client]) -> None:
    store(angiogram())
    outsider = client_of(cast.outsider)
    assert outsider.get(f"/stacks/{SUBTRACTED}/manifest.json").status_code == 404
    assert outsider.get(f"/tiles/{SUBTRACTED}/1/0/0/0.png").status_code == 404
