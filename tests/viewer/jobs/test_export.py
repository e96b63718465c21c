"""What is taken away: the right pixels, the right files, for those who may, and the trail says so."""

from __future__ import annotations

import hashlib
import io
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.fileset import FileSet

from archive.audit.events import Event
from archive.jobs import run
from archive.jobs.queue import cancel
from archive.models import AuditEvent, Grant, Instance, Job, Study
from archive.storage import layout
from tests.journeys.sending import forget_what_was_drawn, store
from tests.phantoms import SERIES_INSTANCE_UID, ct_image
from viewer.exports.keeping import KEPT_S, folder, remove_old
from viewer.exports.wishes import read_wish

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings

    from tests.conftest import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data")]
ClientOf = Callable[..., "Client"]


@pytest.fixture(autouse=True)
def study(portal_data: object, monkeypatch: pytest.MonkeyPatch) -> Study:
    """Three slices of 512 x 512: left half 0 HU, right half 100 HU more with each slice."""
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)
    forget_what_was_drawn()
    values = [np.full((512, 512), 1024, np.int64) for _ in range(3)]
    for number, one in enumerate(values, start=1):
        one[:, 256:] += 100 * number
    store(*(ct_image(one, z=5.0 * n, number=n + 1) for n, one in enumerate(values)))
    return Study.objects.get()


def frames(*numbers: int, **more: Any) -> list[dict[str, Any]]:
    return [{"stack": SERIES_INSTANCE_UID, "frame": number, "look": "window=200,400", **more} for number in numbers]


def ask(client: Client, study: Study, **values: Any) -> Any:
    url = f"/api/studies/{study.study_instance_uid}/exports"
    return client.post(url, values, content_type="application/json")


def fetched(client: Client, answer: Any) -> tuple[bytes, Any]:
    while run.run_waiting_jobs():
        pass
    job = Job.objects.get(pk=answer.json()["job"])
    assert job.state == Job.State.DONE, job.message
    response = client.get(f"/jobs/{job.pk}/file")
    return b"".join(response.streaming_content), response


def lower(image: np.ndarray) -> np.ndarray:
    """The half without words."""
    return image[256:]


def test_a_picture_has_the_grey_levels_of_the_window(study: Study, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.reader)
    data, response = fetched(client, ask(client, study, form="png", with_names=False, frames=frames(2)))
    assert response["Content-Type"] == "image/png"
    image = np.asarray(Image.open(io.BytesIO(data)))
    # W 400 L 200 (PS3.3 C.11.2.1.2.1): ((value - 199.5) / 399 + 0.5) * 255, cut.
    assert set(np.unique(lower(image)[:, :256])) == {0}
    assert set(np.unique(lower(image)[:, 256:])) == {int(((200 - 199.5) / 399 + 0.5) * 255)}


def test_a_mirrored_and_turned_view_is_saved_as_it_lies(study: Study, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.reader)
    wanted = frames(3, flipped=True, rotation=90)
    data, _ = fetched(client, ask(client, study, form="png", with_names=False, frames=wanted))
    image = np.asarray(Image.open(io.BytesIO(data)))
    # The bright right half goes to the left, and with a quarter turn clockwise to the top.
    assert image[200, 300] > 150
    assert image[400, 300] == 0


def test_names_are_written_only_where_they_are_asked_for(study: Study, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.reader)
    made = [
        np.asarray(
            Image.open(io.BytesIO(fetched(client, ask(client, study, form="png", with_names=one, frames=frames(1)))[0]))
        )
        for one in (False, True)
    ]
    # One line without names, four with them: only those write below the first line of words.
    below_first_line = [(image[24:80, :250] > 0).any() for image in made]
    assert below_first_line == [False, True]


def test_several_pictures_come_in_one_zip_and_a_sheet_has_six_on_a_page(
    study: Study, cast: Cast, client_of: ClientOf, tmp_path: Path
) -> None:
    client = client_of(cast.reader)
    data, _ = fetched(client, ask(client, study, form="jpeg", with_names=True, frames=frames(1, 2, 3)))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["image-001.jpg", "image-002.jpg", "image-003.jpg"]
        assert Image.open(archive.open("image-001.jpg")).size == (512, 512)
    sheet, response = fetched(client, ask(client, study, form="pdf", with_names=True, frames=frames(*[1, 2, 3] * 3)))
    assert response["Content-Type"] == "application/pdf"
    assert sheet.startswith(b"%PDF")
    assert sheet.count(b"/Type /Page\n") == 2
    assert "pdf" in response["Content-Disposition"]


@pytest.mark.parametrize(("form", "duration"), [("gif", 100), ("apng", 100)])
def test_a_series_becomes_an_animation_at_its_rate(
    study: Study, cast: Cast, client_of: ClientOf, form: str, duration: int
) -> None:
    client = client_of(cast.reader)
    data, _ = fetched(client, ask(client, study, form=form, with_names=False, frames=frames(1, 2, 3), rate=10))
    picture = Image.open(io.BytesIO(data))
    assert getattr(picture, "n_frames", 1) == 3
    for number, value in enumerate((100, 200, 300)):
        picture.seek(number)
        assert picture.info["duration"] == duration
        grey = np.asarray(picture.convert("L"))
        assert abs(int(grey[400, 400]) - int(((value - 199.5) / 399 + 0.5) * 255)) <= 1


def test_a_film_is_made_by_the_sites_own_encoder_and_only_where_there_is_one(
    study: Study, cast: Cast, client_of: ClientOf, settings: Settings, tmp_path: Path
) -> None:
    client = client_of(cast.reader)
    wish = {"form": "mp4", "with_names": False, "frames": frames(1, 2, 3), "rate": 10}
    refused = ask(client, study, **wish)
    assert refused.status_code == 400 and "ffmpeg" in refused.json()["error"]
    # Stands in for ffmpeg: what it was called with, then what it was given.
    program = tmp_path / "encoder"
    program.write_text('#!/bin/sh\nfor last; do :; done\n{ echo "$@"; cat; } > "$last"\n')
    program.chmod(0o700)
    settings.PORTAL_FFMPEG = str(program)
    data, response = fetched(client, ask(client, study, **wish))
    called, _, given = data.partition(b"\n")
    assert response["Content-Type"] == "video/mp4" and "mp4" in response["Content-Disposition"]
    assert b"-pix_fmt rgb24 -s 512x512 -r 10 -i -" in called
    film = np.frombuffer(given, np.uint8).reshape(3, 512, 512, 3)
    for number, value in enumerate((100, 200, 300)):
        assert abs(int(film[number, 400, 400, 0]) - int(((value - 199.5) / 399 + 0.5) * 255)) <= 1
    program.write_text("#!/bin/sh\ncat > /dev/null\nexit 3\n")
    job = Job.objects.get(pk=ask(client, study, **wish).json()["job"])
    while run.run_waiting_jobs():
        pass
    job.refresh_from_db()
    assert job.state != Job.State.DONE and "ended with 3" in job.message


def test_the_files_of_a_study_are_the_originals(study: Study, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.reader)
    data, _ = fetched(client, ask(client, study, form="dicom"))
    stored = {
        hashlib.sha256(dcmread(layout.path_of(one.stored_file.key)).PixelData).hexdigest()
        for one in Instance.objects.select_related("stored_file")
    }
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == [f"DICOM/SE000001/IM00000{number}" for number in (1, 2, 3)]
        got = {hashlib.sha256(dcmread(archive.open(name)).PixelData).hexdigest() for name in archive.namelist()}
    assert got == stored


def test_the_index_of_a_medium_names_every_file(study: Study, cast: Cast, client_of: ClientOf, tmp_path: Path) -> None:
    client = client_of(cast.reader)
    data, _ = fetched(client, ask(client, study, form="dicomdir"))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(tmp_path)
    index = FileSet(tmp_path / "DICOMDIR")
    assert {str(one.SOPInstanceUID) for one in index} == set(
        Instance.objects.values_list("sop_instance_uid", flat=True)
    )
    assert all(Path(one.path).is_file() for one in index)
    dumped = subprocess.run(
        ["/usr/bin/dcmdump", str(tmp_path / "DICOMDIR")], capture_output=True, text=True, check=True
    )
    assert dumped.stdout.count("DirectoryRecordType") == 1 + 1 + 1 + 3


def test_only_who_may_download_takes_away_and_only_the_asker_fetches(
    study: Study, cast: Cast, client_of: ClientOf
) -> None:
    for user in (cast.technologist, cast.outsider):
        assert ask(client_of(user), study, form="dicom").status_code == 404
    Grant.objects.create(user=cast.referrer, study=study, may_download=False)
    assert ask(client_of(cast.referrer), study, form="dicom").status_code == 404
    answer = ask(client_of(cast.reader), study, form="dicom")
    while run.run_waiting_jobs():
        pass
    job = answer.json()["job"]
    for user in (cast.reader2, cast.admin, cast.technologist, cast.referrer):
        assert client_of(user).get(f"/jobs/{job}/file").status_code == 404
    assert client_of(cast.reader).get(f"/jobs/{job}/file").status_code == 200
    events = AuditEvent.objects.filter(event=Event.EXPORTED, study_instance_uid=study.study_instance_uid)
    assert [one.user for one in events] == [cast.reader] * 2
    page = client_of(cast.reader).get(f"/jobs/{job}/").content.decode()
    assert f"/jobs/{job}/file" in page


def test_a_view_that_the_browser_saves_is_in_the_trail(study: Study, cast: Cast, client_of: ClientOf) -> None:
    url = f"/api/studies/{study.study_instance_uid}/exports/view"
    assert client_of(cast.reader).post(url, {"with_names": True}, content_type="application/json").status_code == 204
    assert client_of(cast.technologist).post(url, {}, content_type="application/json").status_code == 404
    (event,) = AuditEvent.objects.filter(event=Event.EXPORTED)
    assert event.details == {"form": "view", "with_names": True}


def test_a_cancelled_export_leaves_no_file_and_old_ones_go(study: Study, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.reader)
    job = Job.objects.get(pk=ask(client, study, form="dicom").json()["job"])
    cancel(job, by=cast.reader)
    while run.run_waiting_jobs():
        pass
    assert not list(folder().glob("*"))
    _, _ = fetched(client, ask(client, study, form="dicom"))
    (kept,) = folder().glob("*")
    assert remove_old(now=kept.stat().st_mtime + KEPT_S - 1) == 0
    assert remove_old(now=kept.stat().st_mtime + KEPT_S + 1) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"form": "mp4"},
        {"form": "png", "frames": []},
        {"form": "gif", "frames": [{"stack": "1", "frame": 1}] * 401},
        {"form": "png", "frames": [{"stack": "1", "frame": 0}]},
        {"form": "png", "frames": [{"stack": "1", "frame": 1, "look": "window=nan,nan"}]},
        {"form": "png", "frames": [{"stack": "1", "frame": 1, "rotation": 45}]},
        {"form": "png", "frames": [{"stack": "1", "frame": 1}], "with_names": "yes"},
        {"form": "gif", "frames": [{"stack": "1", "frame": 1}], "rate": 0},
    ],
)
def test_what_is_no_wish_is_refused(study: Study, cast: Cast, client_of: ClientOf, wrong: dict[str, Any]) -> None:
    assert ask(client_of(cast.reader), study, **wrong).status_code == 400


def test_a_picture_of_another_study_is_refused(study: Study, cast: Cast, client_of: ClientOf) -> None:
    store(ct_image(StudyInstanceUID="2.25.2001", SeriesInstanceUID="2.25.2002", SOPInstanceUID="2.25.2003"))
    client = client_of(cast.reader)
    answer = ask(client, study, form="png", frames=[{"stack": "2.25.2002", "frame": 1}])
    while run.run_waiting_jobs():
        pass
    job = Job.objects.get(pk=answer.json()["job"])
    assert (job.state, job.message) == (Job.State.FAILED, "A picture belongs to another study.")
    assert read_wish(job.parameters).frames[0].stack == "2.25.2002"
