"""A de-identified copy from the form to the ZIP file."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from pydicom import dcmread

from archive.jobs.run import run_waiting_jobs
from archive.models import AuditEvent, Grant, Job, Series, Study
from tests.archive.receiving.sending import store
from tests.phantoms import ct_image
from tests.viewer.sharing.conftest import NAMES
from viewer.sharing.exports import path_of_copy

if TYPE_CHECKING:
    from django.test import Client

    from tests.conftest import Cast

pytestmark = [pytest.mark.django_db(transaction=True)]
ClientOf = Callable[..., "Client"]


def ask(client: Client, study: Study, **values: object) -> object:
    every = list(Series.objects.values_list("series_instance_uid", flat=True))
    return client.post(f"/studies/{study.study_instance_uid}/deidentified", {"series": every} | values)


def test_a_copy_holds_every_image_that_was_looked_at_and_no_name(study: Study, cast: Cast, client_of: ClientOf) -> None:
    store(
        *(
            ct_image(
                np.full((8, 8), 900),
                SeriesInstanceUID=f"2.25.{number}",
                SOPInstanceUID=f"2.25.{number}1",
                SeriesNumber=number,
                BurnedInAnnotation="YES",
                **NAMES,
            )
            for number in (78, 79)
        )
    )
    client = client_of(cast.reader)
    mask = {"series": "2.25.78", "rows": "8", "columns": "8", "rectangles": "[[0, 0, 2, 8]]"}
    assert client.post(f"/studies/{study.study_instance_uid}/masks", mask).status_code == 302
    ask(client, study, options=["modified_dates"])
    run_waiting_jobs()
    job = Job.objects.get(kind="deidentify")
    assert job.state == "done" and "4 images" in job.message and "1 stay behind" in job.message
    assert b"Fetch the copy" in client.get(f"/jobs/{job.pk}/").content
    answer = client.get(f"/jobs/{job.pk}/copy.zip")
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert [word for word in (b"Secret", b"Sally", b"SEC-4711", b"19720301", b"20261124") if word in content] == []
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        names = [name for name in file.namelist() if name != "DICOMDIR"]
        images = [dcmread(io.BytesIO(file.read(name))) for name in names]
        index = dcmread(io.BytesIO(file.read("DICOMDIR")))
    records = [one for one in index.DirectoryRecordSequence if one.DirectoryRecordType == "IMAGE"]
    assert sorted("/".join(one.ReferencedFileID) for one in records) == sorted(names)
    assert {one.ReferencedSOPInstanceUIDInFile for one in records} == {image.SOPInstanceUID for image in images}
    assert len(images) == 4
    assert len({image.StudyInstanceUID for image in images}) == 1
    assert {image.PatientID for image in images} == {job.parameters["code"]}
    (covered,) = [image for image in images if image.get("SeriesNumber") == 78]
    assert np.frombuffer(covered.PixelData, "<u2").reshape(8, 8)[:, 0].tolist() == [0, 0, *[900] * 6]
    assert AuditEvent.objects.filter(event="exported", user_id=cast.reader.pk).count() == 1
    assert client_of(cast.reader2).get(f"/jobs/{job.pk}/copy.zip").status_code == 404
    path_of_copy(job).unlink()
    assert client.get(f"/jobs/{job.pk}/copy.zip").status_code == 404


@pytest.mark.parametrize("who", ["technologist", "admin", "referrer", "outsider"])
def test_who_may_not_take_images_away_gets_no_copy(who: str, study: Study, cast: Cast, client_of: ClientOf) -> None:
    Grant.objects.create(user=cast.referrer, study=study)  # may look, may not download
    client = client_of(getattr(cast, who))
    assert client.get(f"/studies/{study.study_instance_uid}/deidentified").status_code == 404
    assert ask(client, study).status_code == 404  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "values", [{"options": ["full_dates", "modified_dates"]}, {"options": ["x"]}, {"series": []}, {"series": ["1.2"]}]
)
def test_choices_that_do_not_fit_are_refused(
    values: dict[str, list[str]], study: Study, cast: Cast, client_of: ClientOf
) -> None:
    assert ask(client_of(cast.reader), study, **values).status_code == 400  # type: ignore[attr-defined]
    assert not Job.objects.filter(kind="deidentify").exists()
