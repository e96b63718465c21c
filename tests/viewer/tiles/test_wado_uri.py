"""``/wado``: one object, as it is or rendered (PS3.18 9)."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from django.test import Client
from PIL import Image

from archive.access.tokens import make_token
from archive.models import AccessToken, AuditEvent, Grant, Instance, Study
from tests.journeys.sending import index_waiting_files, send_file, store
from tests.phantoms import SERIES_INSTANCE_UID, STUDY_INSTANCE_UID, ct_image, data_set_bytes, multi_frame, ramp

if TYPE_CHECKING:
    from tests.conftest import Cast

ClientOf = Callable[..., Client]
RENDERED = f"/dicom-web/studies/{STUDY_INSTANCE_UID}/series/{SERIES_INSTANCE_UID}/instances"
PNG = {"contentType": "image/png"}
DICOM = {"contentType": "application/dicom"}
EXPLICIT = "1.2.840.10008.1.2.1"


def query(**more: str) -> dict[str, str]:
    instance = Instance.objects.order_by("instance_number", "pk")[0]
    uids = {"studyUID": STUDY_INSTANCE_UID, "seriesUID": SERIES_INSTANCE_UID, "objectUID": instance.sop_instance_uid}
    return {"requestType": "WADO", **uids, **more}


@pytest.fixture
def reader(study: Study, cast: Cast, client_of: ClientOf) -> Client:
    return client_of(cast.reader)


def picture(response: Any, media_type: str = "image/png") -> np.ndarray:
    assert (response.status_code, response["Content-Type"]) == (200, media_type), response.getvalue()[:300]
    with Image.open(io.BytesIO(response.getvalue())) as opened:
        return np.array(opened)


# --- Rendered ---------------------------------------------------------------------------------------------------------


def test_a_picture_is_the_one_of_the_rendered_resource(reader: Client) -> None:
    uid = query()["objectUID"]
    for asked, same in (
        ({}, {}),
        ({"windowCenter": "-10", "windowWidth": "50"}, {"window": "-10,50,linear"}),
        ({"region": "0.25,0.5,0.75,1"}, {"viewport": "8,8,4,8,8,8"}),
        ({"rows": "32"}, {"viewport": "32,32"}),
        ({"rows": "32", "columns": "8", "region": "0,0,0.5,0.5"}, {"viewport": "8,32,0,0,8,8"}),
        ({"annotation": "technique"}, {"annotation": "technique"}),
    ):
        found = picture(reader.get("/wado", query(**PNG, **asked)))
        expected = picture(reader.get(f"{RENDERED}/{uid}/rendered", {"accept": "image/png", **same}))
        assert np.array_equal(found, expected), asked


@pytest.mark.parametrize(
    ("content_type", "accept", "expected"),
    [
        (None, None, "image/jpeg"),
        (None, "image/png", "image/png"),
        ("image/png", None, "image/png"),
        ("image/*", None, "image/jpeg"),
        ("*/*", None, "image/jpeg"),
        ("image/jp2,image/gif;q=0.5,image/png;q=0.7", None, "image/png"),
        ("image/jp2", "image/gif", "image/gif"),
    ],
)
def test_the_media_type_comes_from_content_type_then_from_accept(
    reader: Client, content_type: str | None, accept: str | None, expected: str
) -> None:
    asked = query(**({} if content_type is None else {"contentType": content_type}))
    response = reader.get("/wado", asked, headers={} if accept is None else {"accept": accept})
    assert (response.status_code, response["Content-Type"]) == (200, expected)


def test_what_is_not_offered_is_406_with_the_list(reader: Client) -> None:
    response = reader.get("/wado", query(contentType="image/jp2"), headers={"accept": "text/html"})
    assert (response.status_code, response.json()["offered"]) == (406, ["image/jpeg", "image/png", "image/gif"])


def test_a_frame_is_taken_out_of_a_multi_frame_and_only_there(
    portal_data: Path, cast: Cast, client_of: ClientOf
) -> None:
    store(multi_frame(3))
    reader = client_of(cast.reader)
    assert np.unique(picture(reader.get("/wado", query(**PNG, frameNumber="2")))).tolist() == [2]
    assert reader.get("/wado", query())["Content-Type"] == "image/gif"
    for number in ("0", "4", "1,2"):
        response = reader.get("/wado", query(**PNG, frameNumber=number))
        assert response.status_code == 400
        assert response.json()["error"].startswith("frameNumber")


def test_a_single_frame_has_no_frame_number(reader: Client) -> None:
    assert reader.get("/wado", query(frameNumber="1")).status_code == 400


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"requestType": "XDS"}, "requestType"),
        ({"windowCenter": "1"}, "windowWidth"),
        ({"region": "0,0,2,1"}, "region"),
        ({"rows": "9999"}, "rows"),
        ({"imageQuality": "0"}, "imageQuality"),
        ({**DICOM, "rows": "5"}, "rows"),
        ({**DICOM, "anonymize": "yes"}, "anonymize"),
        ({"transferSyntax": EXPLICIT}, "transferSyntax"),
        (
            {"presentationUID": "1.2", "presentationSeriesUID": "1.3", "windowCenter": "1", "windowWidth": "2"},
            "windowCenter",
        ),
    ],
)
def test_a_bad_request_is_400_and_names_the_parameter(reader: Client, asked: dict[str, str], named: str) -> None:
    response = reader.get("/wado", query(**asked))
    assert response.status_code == 400
    assert response.json()["error"].startswith(named)


def test_nothing_is_sent_twice(reader: Client) -> None:
    tag = reader.get("/wado", query())["ETag"]
    response = reader.get("/wado", query(), headers={"if-none-match": tag})
    assert (response.status_code, response.content) == (304, b"")
    assert reader.get("/wado", query(rows="8"))["ETag"] != tag


# --- The object itself ------------------------------------------------------------------------------------------------


def test_the_object_is_given_as_it_was_received(portal_data: Path, cast: Cast, client_of: ClientOf) -> None:
    ds = ct_image()
    store(ds)
    for more in ({}, {"transferSyntax": EXPLICIT}):
        response = client_of(cast.reader).get("/wado", query(**DICOM, **more))
        assert (response.status_code, response["Content-Type"]) == (
            200,
            f"application/dicom; transfer-syntax={EXPLICIT}",
        )
        data = response.getvalue()
        assert data.endswith(data_set_bytes(ds))
        assert pydicom.dcmread(io.BytesIO(data)).file_meta.TransferSyntaxUID == EXPLICIT
    assert AuditEvent.objects.filter(event="exported", user_id=cast.reader.pk).count() == 2


@pytest.fixture
def real(portal_data: Path, cast: Cast, client_of: ClientOf, data_dir: Path) -> Callable[[str], Client]:
    """A reader for whom one real CT image is there, in one of its transfer syntaxes."""

    def stored(name: str) -> Client:
        send_file(next((data_dir / "syntaxes/ctimage").glob(f"{name}_1.*")))
        index_waiting_files()
        return client_of(cast.reader)

    return stored


def object_at(client: Client, **more: str) -> tuple[str, pydicom.Dataset]:
    """The object, and the transfer syntax that the answer names."""
    image = Instance.objects.select_related("series__study").get()
    uids = {
        "studyUID": image.series.study.study_instance_uid,
        "seriesUID": image.series.series_instance_uid,
        "objectUID": image.sop_instance_uid,
    }
    response = client.get("/wado", {"requestType": "WADO", **DICOM, **uids, **more})
    assert response.status_code == 200, response.content
    ds = pydicom.dcmread(io.BytesIO(response.getvalue()))
    assert ds.file_meta.TransferSyntaxUID == response["Content-Type"].partition("transfer-syntax=")[2]
    return str(ds.file_meta.TransferSyntaxUID), ds


@pytest.mark.parametrize(
    "name", ["LittleEndianImplicit", "BigEndianExplicit", "DeflatedExplicitVRLittleEndian", "JPEGLSLossless"]
)
def test_without_a_transfer_syntax_the_object_is_explicit_little_endian_with_the_same_pixels(
    real: Callable[[str], Client], data_dir: Path, name: str
) -> None:
    plain = pydicom.dcmread(next((data_dir / "syntaxes/ctimage").glob("LittleEndianExplicit_*")))
    syntax, ds = object_at(real(name))
    assert syntax == EXPLICIT
    assert ds.PixelData == plain.PixelData
    assert ds.PatientID == plain.PatientID


def test_the_stored_transfer_syntax_may_be_asked_for(real: Callable[[str], Client]) -> None:
    lossless = "1.2.840.10008.1.2.4.80"
    client = real("JPEGLSLossless")
    assert object_at(client, transferSyntax=lossless)[0] == lossless
    assert object_at(client, transferSyntax=EXPLICIT)[0] == EXPLICIT


@pytest.mark.parametrize("asked", ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"])
def test_a_transfer_syntax_that_is_not_made_is_406_with_those_that_are(reader: Client, asked: str) -> None:
    response = reader.get("/wado", query(**DICOM, transferSyntax=asked))
    assert response.status_code == 406
    assert response.json()["offered"] == [f"application/dicom; transfer-syntax={EXPLICIT}"]


def test_what_is_no_transfer_syntax_is_400(reader: Client) -> None:
    response = reader.get("/wado", query(**DICOM, transferSyntax="1.2.840.10008.5.1.4.1.1.2"))
    assert response.status_code == 400
    assert response.json()["error"].startswith("transferSyntax")


def test_a_film_goes_out_as_it_is(portal_data: Path, cast: Cast, client_of: ClientOf, data_dir: Path) -> None:
    send_file(data_dir / "video/derived_h264_us.dcm")
    index_waiting_files()
    assert object_at(client_of(cast.reader))[0] == "1.2.840.10008.1.2.4.102"


def test_only_who_may_download_gets_the_object(study: Study, cast: Cast, client_of: ClientOf) -> None:
    Grant.objects.create(user=cast.referrer, study=study, may_download=True)
    Grant.objects.create(user=cast.referrer2, study=study)
    found = {user.username: client_of(user).get("/wado", query(**DICOM)).status_code for user in cast.everybody()}
    assert {name for name, status in found.items() if status == 200} == {"reader", "reader2", "referrer"}
    assert {status for status in found.values() if status != 200} == {404}


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_who_sees_the_study_gets_its_picture_and_nobody_else(study: Study, cast: Cast, client_of: ClientOf) -> None:
    found = {user.username for user in cast.everybody() if client_of(user).get("/wado", query()).status_code == 200}
    assert found == {"reader", "reader2", "technologist"}
    outsider = client_of(cast.outsider)
    forbidden, absent = outsider.get("/wado", query()), outsider.get("/wado", query(studyUID="1.2.3"))
    assert (forbidden.status_code, forbidden.content) == (404, absent.content)


def test_nothing_comes_through_another_study(portal_data: Path, cast: Cast, client_of: ClientOf) -> None:
    store(ct_image(), ct_image(ramp(), StudyInstanceUID="2.25.5", SeriesInstanceUID="2.25.6", PatientID="B"))
    other = Instance.objects.get(series__series_instance_uid="2.25.6").sop_instance_uid
    reader = client_of(cast.reader)
    right = {"studyUID": "2.25.5", "seriesUID": "2.25.6", "objectUID": other}
    assert reader.get("/wado", query(**right)).status_code == 200
    for wrong in ({"studyUID": STUDY_INSTANCE_UID}, {"seriesUID": SERIES_INSTANCE_UID}):
        for content_type in ({}, DICOM):
            assert reader.get("/wado", query(**right | wrong, **content_type)).status_code == 404


def test_nobody_is_told_to_bring_a_token(study: Study, client_of: ClientOf) -> None:
    response = client_of(None).get("/wado", query())
    assert response.status_code == 401
    assert response["WWW-Authenticate"]


@pytest.mark.parametrize(("scope", "status"), [("read", 200), ("all", 200), ("store", 403)])
def test_a_token_opens_pictures_as_far_as_its_scope_goes(
    study: Study, cast: Cast, client_of: ClientOf, scope: str, status: int
) -> None:
    text, _ = make_token(cast.reader, AccessToken.Scope(scope))
    headers = {"Authorization": f"Bearer {text}"}
    address = f"{RENDERED}/{query()['objectUID']}/rendered"
    for response in (
        client_of(None).get("/wado", query(), headers=headers),
        client_of(None).get(address, headers=headers),
    ):
        assert response.status_code == status
        assert not response.cookies
