"""Manifests and thumbnails over HTTP: who may, what they say, what a browser may keep."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from archive.models import Grant, Instance, Study
from tests.journeys.sending import store
from tests.phantoms import ct_image, ct_series, image, mr_image, ramp

if TYPE_CHECKING:
    from tests.conftest import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "alone")]
STUDY, SERIES = "2.25.1001", "2.25.1002"
STUDY_MANIFEST = f"/studies/{STUDY}/manifest.json"
STACK_MANIFEST = f"/stacks/{SERIES}/manifest.json"
THUMBNAIL = f"/stacks/{SERIES}/thumbnail.png"


@pytest.fixture
def reader(cast: Cast, client_of: Callable[..., Client]) -> Client:
    return client_of(cast.reader)


# --- Who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [STUDY_MANIFEST, STACK_MANIFEST, THUMBNAIL])
def test_who_sees_the_study_and_nobody_else(cast: Cast, client_of: Callable[..., Client], address: str) -> None:
    store(*ct_series())
    Grant.objects.create(user=cast.referrer, study=Study.objects.get())
    seen = {user.username: client_of(user).get(address).status_code for user in cast.everybody()}
    allowed = {"reader", "reader2", "referrer", "technologist"}
    assert seen == {user.username: 200 if user.username in allowed else 404 for user in cast.everybody()}
    assert client_of(None).get(address).status_code in (302, 401)


@pytest.mark.parametrize("address", ["/studies/1.2.3/manifest.json", "/stacks/1.2.3/manifest.json"])
def test_what_is_not_there_is_404(reader: Client, address: str) -> None:
    assert reader.get(address).status_code == 404


@pytest.mark.parametrize("address", [STUDY_MANIFEST, STACK_MANIFEST, THUMBNAIL])
def test_a_manifest_is_only_read(reader: Client, address: str) -> None:
    store(*ct_series())
    assert reader.post(address).status_code == 405


# --- What they say ----------------------------------------------------------------------------------------------------


def test_a_study_lists_its_stacks_in_the_order_of_the_strip(reader: Client) -> None:
    second = [mr_image(SeriesInstanceUID="2.25.7", SeriesNumber=2, number=n) for n in (1, 2)]
    store(*ct_series(3, SeriesNumber=5, SeriesDescription="late"), *second)
    told = reader.get(STUDY_MANIFEST).json()
    assert (told["StudyInstanceUID"], told["revision"], told["ready"], told["held_back"]) == (STUDY, 1, False, 0)
    stacks = [(one["stack"], one["SeriesNumber"], one["frames"], one["Modality"]) for one in told["stacks"]]
    assert stacks == [("2.25.7", 2, 2, "MR"), (SERIES, 5, 3, "CT")]
    assert all(one["drawable"] and not one["derived"] and one["reason"] == "" for one in told["stacks"])
    assert told["stacks"][1]["manifest"] == STACK_MANIFEST
    assert told["stacks"][1]["thumbnail"] == f"{THUMBNAIL}?rev=1"


def test_images_that_are_held_back_are_counted(reader: Client) -> None:
    store(*ct_series())
    store(ct_image(z=50, number=9, PatientID="SOMEBODY-ELSE"))
    assert reader.get(STUDY_MANIFEST).json()["held_back"] == 1


def test_an_object_without_a_picture_is_listed_with_its_reason(reader: Client) -> None:
    report = image(sop_class_uid="1.2.840.10008.5.1.4.1.1.88.22", Modality="SR", SeriesInstanceUID="2.25.8")
    for keyword in ("Rows", "Columns", "PixelData", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"):
        delattr(report, keyword)
    store(report)
    (entry,) = reader.get(STUDY_MANIFEST).json()["stacks"]
    assert (entry["stack"], entry["drawable"], entry["thumbnail"], entry["manifest"]) == ("", False, None, None)
    assert entry["reason"] and entry["instances"] == [report.SOPInstanceUID]


def test_a_stack_says_all_that_a_viewport_needs(reader: Client) -> None:
    store(*ct_series(3))
    told = reader.get(STACK_MANIFEST).json()
    assert (told["StudyInstanceUID"], told["SeriesInstanceUID"], told["Modality"]) == (STUDY, SERIES, "CT")
    assert (told["Rows"], told["Columns"], told["TileSize"], told["unit"]) == (16, 16, 512, "HU")
    assert told["levels"] == [{"level": 0, "Rows": 16, "Columns": 16, "rows": 1, "columns": 1, "scale": 1}]
    assert told["tiles"] == f"/tiles/{SERIES}/{{frame}}/{{level}}/{{row}}/{{column}}.png"
    window = told["window"]
    assert (window["center"], window["width"], window["function"]) == (40, 400, "linear")
    assert (told["PixelSpacing"]["row_mm"], told["PixelSpacing"]["column_mm"]) == (0.5, 0.5)
    assert told["PixelSpacing"]["source"]
    assert [frame["ImagePositionPatient"] for frame in told["frames"]] == [[-4, -4, 0], [-4, -4, 5], [-4, -4, 10]]
    assert [frame["InstanceNumber"] for frame in told["frames"]] == [1, 2, 3]
    assert told["frames"][0]["edges"] == {"left": "R", "right": "L", "top": "A", "bottom": "P"}
    assert (told["color"], told["inverted"], told["cine"], told["notes"], told["lossy"]) == (False, False, None, [], "")
    assert reader.get(STACK_MANIFEST)["Cache-Control"] == "no-store"


def test_a_large_image_has_levels_down_to_one_tile(reader: Client) -> None:
    store(ct_image(np.zeros((1100, 700), int)))
    assert reader.get(STACK_MANIFEST).json()["levels"] == [
        {"level": 0, "Rows": 275, "Columns": 175, "rows": 1, "columns": 1, "scale": 4},
        {"level": 1, "Rows": 550, "Columns": 350, "rows": 2, "columns": 1, "scale": 2},
        {"level": 2, "Rows": 1100, "Columns": 700, "rows": 3, "columns": 2, "scale": 1},
    ]


def test_a_name_with_a_script_stays_a_name(reader: Client) -> None:
    store(*ct_series(2, SeriesDescription="<script>alert(1)</script>"))
    response = reader.get(STUDY_MANIFEST)
    assert response["Content-Type"] == "application/json"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response.json()["stacks"][0]["SeriesDescription"] == "<script>alert(1)</script>"


def test_rejected_images_are_gone_from_manifests(reader: Client) -> None:
    store(*ct_series(3))
    Instance.objects.filter(instance_number=2).update(rejection=Instance.Rejection.QUALITY)
    Study.objects.update(revision=2, rearranged_revision=2)
    assert [frame["InstanceNumber"] for frame in reader.get(STACK_MANIFEST).json()["frames"]] == [1, 3]


def test_two_sessions_have_two_keys(cast: Cast, client_of: Callable[..., Client]) -> None:
    store(*ct_series())
    keys = {client_of(user).get(STACK_MANIFEST).json()["key"] for user in (cast.reader, cast.reader, cast.reader2)}
    assert len(keys) == 3


# --- Thumbnails -------------------------------------------------------------------------------------------------------


def test_a_thumbnail_shows_the_middle_image_in_its_proportions(reader: Client) -> None:
    store(*ct_series(3, PixelSpacing=[1.0, 0.5]))
    response = reader.get(THUMBNAIL)
    assert (response.status_code, response["Content-Type"]) == (200, "image/png")
    with Image.open(io.BytesIO(response.content)) as picture:
        assert picture.height == 2 * picture.width


def test_a_thumbnail_is_not_stored_without_the_session_s_key(reader: Client) -> None:
    store(*ct_series())
    assert reader.get(THUMBNAIL, {"rev": 1})["Cache-Control"] == "no-store"


def test_a_damaged_thumbnail_is_drawn_again(reader: Client, portal_data: Path) -> None:
    store(*ct_series())
    whole = reader.get(THUMBNAIL).content
    (kept,) = (portal_data / "cache" / "pictures").rglob("*.png")
    kept.write_bytes(whole[:40])
    assert reader.get(THUMBNAIL).content == whole
    assert kept.read_bytes() == whole


def test_a_stack_that_cannot_be_drawn_says_so_where_the_picture_would_be(reader: Client) -> None:
    ds = ct_image(ramp())
    ds.Rows, ds.Columns = 4000, 4000
    store(ds)
    (entry,) = reader.get(STUDY_MANIFEST).json()["stacks"]
    assert not entry["drawable"] and entry["reason"]
    refused = reader.get(THUMBNAIL)
    assert refused.status_code == 422 and refused.json()["error"]
