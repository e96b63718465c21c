"""``/dicom-web/…/rendered`` and ``…/thumbnail``: statuses, media types, pixels, access (PS3.18 10.4)."""

from __future__ import annotations

import email.parser
import email.policy
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from archive.access.tokens import make_token
from archive.indexing.rejecting import reject_instances
from archive.indexing.writer import index_waiting_files
from archive.models import AccessToken, AuditEvent, Grant, Instance, StoredFile, Study
from archive.storage import layout
from tests.journeys.sending import forget_what_was_drawn, send_file, store
from tests.phantoms import SERIES_INSTANCE_UID, STUDY_INSTANCE_UID, color_image, ct_image, multi_frame, ramp
from viewer.rendering.tiles import levels
from viewer.tiles import frames as frame_store
from viewer.tiles import sessions

if TYPE_CHECKING:
    from tests.conftest import Cast

BASE = f"/dicom-web/studies/{STUDY_INSTANCE_UID}"
SERIES = f"{BASE}/series/{SERIES_INSTANCE_UID}"
ClientOf = Callable[..., Client]


def uids(study: Study) -> list[str]:
    every = Instance.objects.filter(series__study=study).order_by("instance_number", "pk")
    return list(every.values_list("sop_instance_uid", flat=True))


@pytest.fixture
def reader(study: Study, cast: Cast, client_of: ClientOf) -> Client:
    return client_of(cast.reader)


@pytest.fixture
def first(study: Study) -> str:
    """Address of the slice whose stored values begin at 800."""
    return f"{SERIES}/instances/{uids(study)[0]}"


def picture(response: Any, media_type: str = "image/png") -> np.ndarray:
    body = response.getvalue()
    assert (response.status_code, response["Content-Type"]) == (200, media_type), body[:300]
    with Image.open(io.BytesIO(body)) as opened:
        return np.array(opened)


def parts_of(response: Any) -> list[Any]:
    """Parts of a multipart answer, as the mail parser reads them."""
    head = f"Content-Type: {response['Content-Type']}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + response.getvalue())
    assert message.is_multipart()
    return list(message.iter_parts())


# --- Pixels -----------------------------------------------------------------------------------------------------------


def test_jpeg_is_the_default_and_near_the_png(reader: Client, first: str) -> None:
    exact = picture(reader.get(f"{first}/rendered", {"accept": "image/png"})).astype(int)
    jpeg = picture(reader.get(f"{first}/rendered", headers={"accept": "*/*"}), "image/jpeg").astype(int)
    assert exact.shape == jpeg.shape == (16, 16)
    assert np.abs(exact - jpeg).max() <= 16


def test_a_better_quality_is_nearer_and_larger(reader: Client, first: str) -> None:
    low, high = (reader.get(f"{first}/rendered", {"quality": quality}) for quality in ("10", "100"))
    assert len(low.content) < len(high.content)
    exact = picture(reader.get(f"{first}/rendered", {"accept": "image/png"})).astype(int)
    far, near = (np.abs(picture(one, "image/jpeg").astype(int) - exact).mean() for one in (low, high))
    assert near < far


def test_a_gif_of_a_grey_image_keeps_every_grey_level(reader: Client, first: str) -> None:
    exact = picture(reader.get(f"{first}/rendered", {"accept": "image/png"}))
    response = reader.get(f"{first}/rendered", {"accept": "image/gif"})
    with Image.open(io.BytesIO(response.content)) as gif:
        assert np.array_equal(np.array(gif.convert("L")), exact)


def test_a_window_is_applied_as_in_a_tile(reader: Client, first: str) -> None:
    tile = picture(reader.get(f"/tiles/{SERIES_INSTANCE_UID}/1/0/0/0.png?window=-3.5,77,sigmoid"))
    asked = picture(reader.get(f"{first}/rendered", {"window": "-3.5,77,sigmoid", "accept": "image/png"}))
    assert np.array_equal(tile, asked)


def test_a_negative_width_or_height_mirrors(reader: Client, first: str) -> None:
    plain = picture(reader.get(f"{first}/rendered", {"accept": "image/png"}))
    for sw, sh, expected in (
        ("-16", "16", plain[:, ::-1]),
        ("16", "-16", plain[::-1]),
        ("-16", "-16", plain[::-1, ::-1]),
    ):
        asked = {"viewport": f"16,16,0,0,{sw},{sh}", "accept": "image/png"}
        assert np.array_equal(picture(reader.get(f"{first}/rendered", asked)), expected)


def test_a_viewport_is_filled_as_far_as_proportions_allow(reader: Client, first: str) -> None:
    sizes = {
        "64,32": (32, 32),
        "8,8": (8, 8),
        "100,100,,,8,4": (50, 100),
        "10,100,4,,8": (20, 10),
    }
    for viewport, size in sizes.items():
        assert picture(reader.get(f"{first}/rendered", {"viewport": viewport, "accept": "image/png"})).shape == size


def test_a_region_at_its_own_size_is_cut_out_exactly(reader: Client, first: str) -> None:
    plain = picture(reader.get(f"{first}/rendered", {"accept": "image/png"}))
    cut = picture(reader.get(f"{first}/rendered", {"viewport": "5,3,2,4,5,3", "accept": "image/png"}))
    assert np.array_equal(cut, plain[4:7, 2:7])


def test_colors_are_given_as_rgb(portal_data: Path, cast: Cast, client_of: ClientOf) -> None:
    store(color_image())
    address = f"{SERIES}/instances/{Instance.objects.get().sop_instance_uid}/rendered"
    found = picture(client_of(cast.reader).get(address, {"accept": "image/png"}))
    row, column = np.mgrid[0:4, 0:6]
    assert np.array_equal(found, np.stack([column * 40, row * 60, np.full_like(row, 128)], axis=-1))


@pytest.mark.parametrize("media_type", ["image/png", "image/jpeg"])
@pytest.mark.parametrize("asked", ["yes", "srgb"])
def test_an_icc_profile_is_embedded_where_it_is_asked_for(
    reader: Client, first: str, media_type: str, asked: str
) -> None:
    with Image.open(io.BytesIO(reader.get(f"{first}/rendered", {"accept": media_type}).content)) as plain:
        assert "icc_profile" not in plain.info
    response = reader.get(f"{first}/rendered", {"accept": media_type, "iccprofile": asked})
    with Image.open(io.BytesIO(response.content)) as opened:
        assert opened.mode == "RGB"
        assert opened.info["icc_profile"][16:20] == b"RGB "


# --- A tile is a rendered request -------------------------------------------------------------------------------------

LARGE_AND_SMALL = {
    "cr_dx_mg/mg_sigmoid_voilut.dcm": (3062, 2394),
    "cr_dx_mg/CR-ModalitySequenceLUT.dcm": (1576, 1976),
    "color/TestPattern_Palette_16.dcm": (400, 640),
    "luts_overlays/ovly_p01.dcm": (512, 512),
    "color/VL1_RLE.dcm": (486, 756),
    "mr_series/mosaic/siemens_mosaic.dcm": (384, 384),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", LARGE_AND_SMALL)
def test_a_tile_equals_the_rendered_request_with_its_viewport(
    name: str, data_dir: Path, portal_data: Path, cast: Cast, client_of: ClientOf
) -> None:
    rows, columns = LARGE_AND_SMALL[name]
    send_file(data_dir / name)
    index_waiting_files()
    instance = Instance.objects.select_related("series__study").get()
    reader = client_of(cast.reader)
    manifest = reader.get(f"/studies/{instance.series.study.study_instance_uid}/manifest.json").json()
    stack = manifest["stacks"][0]["manifest"].split("/")[2]
    address = (
        f"/dicom-web/studies/{instance.series.study.study_instance_uid}/series/{instance.series.series_instance_uid}"
        f"/instances/{instance.sop_instance_uid}/rendered"
    )
    for level in levels(rows, columns):
        for row, column in {(0, 0), (level.tile_rows - 1, level.tile_columns - 1), (level.tile_rows // 2, 0)}:
            left, top = column * 512 * level.scale, row * 512 * level.scale
            width = min(512 * level.scale, columns - left)
            height = min(512 * level.scale, rows - top)
            size = (-(-width // level.scale), -(-height // level.scale))
            viewport = ",".join(map(str, (*size, left, top, width, height)))
            for look in ({}, {"window": "300,900,linear"}):
                tile = reader.get(f"/tiles/{stack}/1/{level.level}/{row}/{column}.png", look)
                asked = reader.get(address, {"viewport": viewport, "accept": "image/png", **look})
                assert (tile.status_code, asked.status_code) == (200, 200), asked.content[:300]
                assert tile.content == asked.content, (level, row, column, viewport, look)


# --- Media types ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "query", "expected"),
    [
        (None, "", "image/jpeg"),
        ("*/*", "", "image/jpeg"),
        ("image/*", "", "image/jpeg"),
        ("image/png", "", "image/png"),
        ("image/jpeg;q=0.5, image/gif;q=0.7", "", "image/gif"),
        ("image/webp, */*;q=0.1", "", "image/jpeg"),
        ("image/*;q=0.9, image/jpeg;q=0.1", "", "image/png"),
        ("text/html, image/jpeg;q=0, */*;q=0.3", "", "image/png"),
        ("*/*", "image/png", "image/png"),
        ("*/*", "image/gif;q=0.2,image/png;q=0.8", "image/png"),
        ("image/png", "image/webp", "image/png"),
        ("nonsense, image/png", "", "image/png"),
    ],
)
def test_the_media_type_is_negotiated(
    reader: Client, first: str, accept: str | None, query: str, expected: str
) -> None:
    headers = {} if accept is None else {"accept": accept}
    response = reader.get(f"{first}/rendered", {"accept": query} if query else {}, headers=headers)
    assert (response.status_code, response["Content-Type"]) == (200, expected)


@pytest.mark.parametrize(
    "accept", ["image/webp", "text/html", "image/jpeg;q=0, image/png;q=0, image/gif;q=0", "*/*;q=0"]
)
def test_what_is_not_offered_is_406_with_the_list(reader: Client, first: str, accept: str) -> None:
    response = reader.get(f"{first}/rendered", headers={"accept": accept})
    assert response.status_code == 406
    assert response.json()["offered"] == ["image/jpeg", "image/png", "image/gif"]


def test_one_frame_is_given_as_a_part_where_parts_are_asked_for(reader: Client, first: str) -> None:
    plain = reader.get(f"{first}/rendered", {"accept": "image/png"})
    response = reader.get(f"{first}/rendered", headers={"accept": 'multipart/related; type="image/png"'})
    (part,) = parts_of(response)
    assert part.get_content_type() == "image/png"
    assert part.get_payload(decode=True) == plain.content


# --- Study and series -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", [BASE, SERIES])
def test_a_study_or_series_is_one_part_for_each_instance_in_order(reader: Client, study: Study, base: str) -> None:
    response = reader.get(f"{base}/rendered", headers={"accept": 'multipart/related; type="image/png"'})
    assert response.status_code == 200
    assert response["Content-Type"].startswith('multipart/related; type="image/png"; boundary=')
    parts = parts_of(response)
    assert [part["Content-Location"].rpartition("/dicom-web")[2] for part in parts] == [
        f"{SERIES}/instances/{uid}/rendered".removeprefix("/dicom-web") for uid in uids(study)
    ]
    for part, uid in zip(parts, uids(study), strict=True):
        body = part.get_payload(decode=True)
        assert int(part["Content-Length"]) == len(body)
        assert body == reader.get(f"{SERIES}/instances/{uid}/rendered", {"accept": "image/png"}).content


def test_a_series_of_one_image_is_given_as_it_is(portal_data: Path, cast: Cast, client_of: ClientOf) -> None:
    store(ct_image())
    response = client_of(cast.reader).get(f"{SERIES}/rendered", {"accept": "image/png"})
    assert picture(response).shape == (16, 16)
    assert response["Content-Location"].endswith(f"/instances/{Instance.objects.get().sop_instance_uid}/rendered")


def test_frames_are_given_in_the_order_asked_for_and_count_from_one(
    portal_data: Path, cast: Cast, client_of: ClientOf
) -> None:
    store(multi_frame(3))
    address = f"{SERIES}/instances/{Instance.objects.get().sop_instance_uid}/frames"
    reader = client_of(cast.reader)
    parts = parts_of(reader.get(f"{address}/3,1/rendered", {"accept": "image/png"}))
    assert [part["Content-Location"].split("/")[-2] for part in parts] == ["3", "1"]
    found = [np.array(Image.open(io.BytesIO(part.get_payload(decode=True)))) for part in parts]
    # 8-bit captures are shown as they are: the frame's own number in every pixel.
    assert [np.unique(image).tolist() for image in found] == [[3], [1]]
    assert np.unique(picture(reader.get(f"{address}/2/rendered", {"accept": "image/png"}))).tolist() == [2]


@pytest.mark.parametrize("frames", ["0", "4", "1,4", "1,0"])
def test_a_frame_that_does_not_exist_is_404_or_400(
    portal_data: Path, cast: Cast, client_of: ClientOf, frames: str
) -> None:
    store(multi_frame(3))
    address = f"{SERIES}/instances/{Instance.objects.get().sop_instance_uid}/frames"
    response = client_of(cast.reader).get(f"{address}/{frames}/rendered")
    assert response.status_code == (400 if "0" in frames else 404)


@pytest.mark.parametrize("frames", ["a", "1,", ",1", "1;2", "-1", "1.5", "٣"])
def test_what_is_no_list_of_frames_is_refused_by_name(reader: Client, first: str, frames: str) -> None:
    response = reader.get(f"{first}/frames/{frames}/rendered")
    assert response.status_code == 400
    assert "frames" in response.json()["error"]


# --- Animation --------------------------------------------------------------------------------------------------------


def test_a_multi_frame_is_an_animation_at_its_frame_rate(portal_data: Path, cast: Cast, client_of: ClientOf) -> None:
    # Frame Time (0018,1063) of 40 ms.
    store(multi_frame(5, FrameTime=40))
    address = f"{SERIES}/instances/{Instance.objects.get().sop_instance_uid}"
    reader = client_of(cast.reader)
    response = reader.get(f"{address}/rendered", headers={"accept": "*/*"})
    assert (response.status_code, response["Content-Type"]) == (200, "image/gif")
    with Image.open(io.BytesIO(response.content)) as gif:
        assert gif.n_frames == 5
        for number in range(1, 6):
            gif.seek(number - 1)
            frame = picture(reader.get(f"{address}/frames/{number}/rendered", {"accept": "image/png"}))
            assert np.array_equal(np.array(gif.convert("L")), frame)
            assert gif.info["duration"] == 40


def test_a_multi_frame_is_no_single_picture(portal_data: Path, cast: Cast, client_of: ClientOf) -> None:
    store(multi_frame(2))
    address = f"{SERIES}/instances/{Instance.objects.get().sop_instance_uid}/rendered"
    response = client_of(cast.reader).get(address, headers={"accept": "image/jpeg, image/png"})
    assert (response.status_code, response.json()["offered"]) == (406, ["image/gif"])


def test_an_animation_that_would_be_too_large_is_413(portal_data: Path, cast: Cast, client_of: ClientOf) -> None:
    store(multi_frame(40, rows=8, columns=8))
    address = f"{SERIES}/instances/{Instance.objects.get().sop_instance_uid}"
    reader = client_of(cast.reader)
    # 40 frames of 2048 x 2048 are 168 million pixels.
    assert reader.get(f"{address}/rendered", {"viewport": "2048,2048"}).status_code == 413
    assert reader.get(f"{address}/frames/1/rendered", {"viewport": "8192,8192"}).status_code == 413
    assert reader.get(f"{address}/frames/1/rendered", {"viewport": "8193,8193"}).status_code == 400


# --- Conditional requests ---------------------------------------------------------------------------------------------


def test_nothing_is_decoded_for_who_has_it_already(reader: Client, first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tags = {
        address: reader.get(address)["ETag"]
        for address in (f"{first}/rendered", f"{BASE}/rendered", f"{first}/thumbnail")
    }
    forget_what_was_drawn()
    monkeypatch.setattr(frame_store, "decode_frame", lambda *_, **__: pytest.fail("a frame was decoded"))
    for address, tag in tags.items():
        for known in (tag, f'"other", W/{tag}', "*"):
            response = reader.get(address, headers={"if-none-match": known})
            assert (response.status_code, response.getvalue()) == (304, b"")
            assert response["ETag"] == tag


def test_every_parameter_and_media_type_has_a_tag_of_its_own(reader: Client, study: Study, first: str) -> None:
    queries: list[dict[str, str]] = [
        {},
        {"accept": "image/png"},
        {"window": "40,400,linear"},
        {"window": "40,400,linear-exact"},
        {"viewport": "16,16"},
        {"viewport": "16,16,,,-16,16"},
        {"quality": "50"},
        {"annotation": "technique"},
        {"annotation": "patient"},
        {"iccprofile": "srgb"},
    ]
    tags = [reader.get(f"{first}/rendered", query)["ETag"] for query in queries]
    tags += [
        reader.get(f"{first}/thumbnail")["ETag"],
        reader.get(f"{SERIES}/instances/{uids(study)[1]}/rendered")["ETag"],
    ]
    assert len(set(tags)) == len(tags)
    assert [reader.get(f"{first}/rendered", query)["ETag"] for query in queries] == tags[: len(queries)]


def test_a_changed_study_has_another_tag(reader: Client, first: str) -> None:
    before = reader.get(f"{first}/rendered")["ETag"]
    store(ct_image(ramp(start=5000), z=99, number=9))
    # What was looked up less than five seconds ago may still be answered.
    sessions.forget()
    assert reader.get(f"{first}/rendered", headers={"if-none-match": before}).status_code == 200


def test_a_new_instance_is_there_at_once(reader: Client, first: str) -> None:
    assert reader.get(f"{first}/rendered").status_code == 200
    new = ct_image(ramp(start=5000), z=99, number=9)
    store(new)
    assert reader.get(f"{SERIES}/instances/{new.SOPInstanceUID}/rendered").status_code == 200


def test_an_answer_is_kept_by_nobody_but_the_person_and_asked_anew(reader: Client, first: str) -> None:
    response = reader.get(f"{first}/rendered")
    assert response["Cache-Control"] == "private, no-cache"
    assert {"Accept", "Authorization", "Cookie"} <= set(response["Vary"].replace(" ", "").split(","))


# --- Parameters -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("window=40,400", "window"),
        ("window=40,0.5,linear", "window"),
        ("window=40,400,linear&window=1,2,linear", "window"),
        ("viewport=16", "viewport"),
        ("viewport=16,16,10,0,10,10", "viewport"),
        ("viewport=16,16,0,16", "viewport"),
        ("quality=0", "quality"),
        ("annotation=", "annotation"),
        ("iccprofile=adobergb", "iccprofile"),
        ("iccprofile=yes&accept=image/gif", "iccprofile"),
        ("charset=klingon", "charset"),
        ("accept=image/*", "accept"),
        ("accept=application/dicom", "accept"),
    ],
)
def test_a_bad_parameter_is_400_and_named(reader: Client, first: str, query: str, named: str) -> None:
    response = reader.get(f"{first}/rendered?{query}")
    assert response.status_code == 400
    assert response.json()["error"].startswith(named)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("annotation=patient,logo", "The following annotation values are not supported: logo"),
        ("sharpen=1", "The following parameters are not supported: sharpen"),
        ("quality=50&accept=image/png", "quality"),
    ],
)
def test_what_is_ignored_is_said_in_a_warning(reader: Client, first: str, query: str, words: str) -> None:
    response = reader.get(f"{first}/rendered?{query}")
    assert response.status_code == 200
    assert response["Warning"].startswith("299 http")
    assert words in response["Warning"]


def test_a_warning_repeats_nothing_that_could_break_a_header(reader: Client, first: str) -> None:
    response = reader.get(f"{first}/rendered", {'x"\r\nSet-Cookie: a=b': "1"})
    assert response.status_code == 200
    assert "Set-Cookie" not in response["Warning"]


def test_annotations_are_burned_in_and_only_where_asked_for(portal_data: Path, cast: Cast, client_of: ClientOf) -> None:
    store(ct_image(np.zeros((256, 256), int), PatientName="DOE^JANE"))
    address = f"{SERIES}/instances/{Instance.objects.get().sop_instance_uid}/rendered"
    reader = client_of(cast.reader)
    plain, patient, technique, both = (
        picture(reader.get(address, {"accept": "image/png", **asked}))
        for asked in ({}, {"annotation": "patient"}, {"annotation": "technique"}, {"annotation": "patient,technique"})
    )
    assert not plain.any()
    assert patient.max() > 200
    assert technique.max() > 200
    assert not np.array_equal(patient, technique)
    # Two lines about the patient leave the lower part free; both together reach further down.
    assert np.flatnonzero(both.any(axis=1)).max() > np.flatnonzero(patient.any(axis=1)).max()


# --- Who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["rendered", "thumbnail"])
def test_who_sees_the_study_gets_it_and_for_others_it_does_not_exist(
    study: Study, first: str, cast: Cast, client_of: ClientOf, word: str
) -> None:
    Grant.objects.create(user=cast.referrer, study=study)
    for address in (BASE, SERIES, first, f"{first}/frames/1"):
        found = {user.username: client_of(user).get(f"{address}/{word}").status_code for user in cast.everybody()}
        assert {name for name, status in found.items() if status == 200} == {
            "reader",
            "reader2",
            "referrer",
            "technologist",
        }
        assert {status for status in found.values() if status != 200} == {404}
    forbidden = client_of(cast.outsider).get(f"{first}/{word}")
    absent = client_of(cast.outsider).get(f"/dicom-web/studies/1.2.3/{word}")
    assert forbidden.content == absent.content


def test_rights_come_before_what_the_client_has(first: str, cast: Cast, client_of: ClientOf) -> None:
    tag = client_of(cast.reader).get(f"{first}/rendered")["ETag"]
    for known in (tag, "*"):
        response = client_of(cast.outsider).get(f"{first}/rendered", headers={"if-none-match": known})
        assert response.status_code == 404


def test_nothing_comes_through_another_study(
    portal_data: Path, transactional_db: None, cast: Cast, client_of: ClientOf
) -> None:
    store(
        ct_image(),
        ct_image(StudyInstanceUID="2.25.5", SeriesInstanceUID="2.25.6", SOPInstanceUID="2.25.7", PatientID="B"),
    )
    reader = client_of(cast.reader)
    assert reader.get("/dicom-web/studies/2.25.5/series/2.25.6/instances/2.25.7/rendered").status_code == 200
    for path in (f"{BASE}/series/2.25.6", f"{BASE}/series/2.25.6/instances/2.25.7", f"{SERIES}/instances/2.25.7"):
        assert reader.get(f"{path}/rendered").status_code == 404
        assert reader.get(f"{path}/thumbnail").status_code == 404


def test_rejected_images_are_gone_for_who_may_know_and_absent_for_others(
    study: Study, first: str, cast: Cast, client_of: ClientOf
) -> None:
    Grant.objects.create(user=cast.referrer, study=study)
    gone = Instance.objects.filter(sop_instance_uid=first.rpartition("/")[2])
    reject_instances(gone, code="113001", reason="motion, repeated", by=cast.reader)
    statuses = {user.username: client_of(user).get(f"{first}/rendered").status_code for user in cast.everybody()}
    assert statuses == {
        "reader": 410,
        "reader2": 410,
        "technologist": 410,
        "referrer": 404,
        "referrer2": 404,
        "admin": 404,
        "outsider": 404,
    }
    assert len(parts_of(client_of(cast.reader).get(f"{SERIES}/rendered"))) == 3


def test_nobody_is_asked_to_sign_in(study: Study, first: str, client_of: ClientOf) -> None:
    for word in ("rendered", "thumbnail"):
        response = client_of(None).get(f"{first}/{word}")
        assert response.status_code == 401
        assert response["WWW-Authenticate"]


def test_an_access_is_audited_once_for_each_viewing(reader: Client, first: str, cast: Cast) -> None:
    for _ in range(3):
        reader.get(f"{first}/rendered")
    events = AuditEvent.objects.filter(event="instances-accessed", user_id=cast.reader.pk)
    assert [event.study_instance_uid for event in events] == [STUDY_INSTANCE_UID]


# --- Thumbnails -------------------------------------------------------------------------------------------------------


def test_a_thumbnail_is_one_small_picture_of_the_middle(reader: Client, study: Study, first: str) -> None:
    middle = f"{SERIES}/instances/{uids(study)[2]}"
    for address in (BASE, SERIES):
        response = reader.get(f"{address}/thumbnail", {"accept": "image/png", "viewport": "16,16"})
        assert np.array_equal(picture(response), picture(reader.get(f"{middle}/rendered", {"accept": "image/png"})))
        assert response["Content-Location"].endswith(f"{middle}/frames/1/thumbnail")
    assert picture(reader.get(f"{first}/thumbnail"), "image/jpeg").shape == (256, 256)


def test_a_thumbnail_is_in_true_proportions(portal_data: Path, cast: Cast, client_of: ClientOf) -> None:
    # Pixels of 1 mm x 2 mm: twice as wide as high.
    store(ct_image(ramp(32, 16), PixelSpacing=[1, 2]))
    found = client_of(cast.reader).get(f"{SERIES}/thumbnail", {"accept": "image/png", "viewport": "100,50"})
    assert picture(found).shape == (50, 50)


@pytest.mark.parametrize("viewport", ["16", "16,16,0,0,8,8", "0,5", "16,16,,,,"])
def test_a_thumbnail_is_never_cropped(reader: Client, first: str, viewport: str) -> None:
    response = reader.get(f"{first}/thumbnail", {"viewport": viewport})
    assert response.status_code == 400
    assert response.json()["error"].startswith("viewport")


def test_a_thumbnail_warns_of_parameters_of_rendered_resources(reader: Client, first: str) -> None:
    response = reader.get(f"{first}/thumbnail", {"window": "40,400,linear", "annotation": "patient"})
    assert response.status_code == 200
    assert "annotation, window" in response["Warning"]


# --- What cannot be read ----------------------------------------------------------------------------------------------


def test_a_damaged_image_is_never_drawn_and_its_series_says_that_it_is_left_out(reader: Client, first: str) -> None:
    StoredFile.objects.filter(instance__sop_instance_uid=first.rpartition("/")[2]).update(damage="Its digest differs.")
    response = reader.get(f"{first}/rendered")
    assert response.status_code == 422
    assert "Its digest differs." in response.json()["error"]
    series = reader.get(f"{SERIES}/rendered")
    assert (series.status_code, len(parts_of(series))) == (206, 3)
    assert "1 instances" in series["Warning"]
    assert reader.get(f"{SERIES}/thumbnail").status_code == 200


def test_a_file_that_is_gone_is_404_alone_and_a_report_in_its_place_among_others(reader: Client, first: str) -> None:
    stored = StoredFile.objects.get(instance__sop_instance_uid=first.rpartition("/")[2])
    layout.path_of(stored.key).unlink()
    alone = reader.get(f"{first}/rendered")
    assert alone.status_code == 404
    assert stored.key not in alone.content.decode()
    parts = parts_of(reader.get(f"{SERIES}/rendered", {"accept": "image/png"}))
    assert [part.get_content_type() for part in parts] == ["text/plain", *["image/png"] * 3]
    assert "missing from the archive" in parts[0].get_content()


def test_head_answers_without_a_body_and_other_methods_not_at_all(reader: Client, first: str) -> None:
    for word in ("rendered", "thumbnail"):
        head = reader.head(f"{first}/{word}")
        assert (head.status_code, head.content) == (200, b"")
        assert head["ETag"] == reader.get(f"{first}/{word}")["ETag"]
        assert reader.post(f"{first}/{word}").status_code == 405


def test_the_long_way_and_the_fast_lane_give_the_same(reader: Client, first: str, cast: Cast) -> None:
    text, _ = make_token(cast.reader, AccessToken.Scope.READ)
    fast = reader.get(f"{first}/rendered", {"accept": "image/png"})
    long = Client().get(f"{first}/rendered", {"accept": "image/png"}, headers={"Authorization": f"Bearer {text}"})
    assert (long.status_code, long.content) == (200, fast.content)
    for name in ("ETag", "Cache-Control", "Content-Type", "Content-Location", "X-Content-Type-Options"):
        assert long[name] == fast[name]
