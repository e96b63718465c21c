"""dicomweb-client, as others write it, at every door of DICOMweb of a running portal: real files, byte for byte."""

from __future__ import annotations

import io
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from dicomweb_client.api import DICOMwebClient
from PIL import Image
from pydicom.fileset import FileSet
from pydicom.uid import generate_uid

from tests.network.asked import data_set_bytes
from tests.servers import LivePortal, wait_until

EXPLICIT = "1.2.840.10008.1.2.1"
DCMDRLE = "/usr/bin/dcmdrle"
FOLDER = "ct_series/liver_3slice"
REASON = {"code": "113001", "reason": "Made by a test."}


class Asked:
    """A client with a token, and the bytes of what it was last answered."""

    def __init__(self, portal: LivePortal, scope: str) -> None:
        self.content = b""
        done = portal.manage("make_token", "reader", "--scope", scope)
        token = done.stdout.strip().splitlines()[-1]
        self.client = DICOMwebClient(
            f"{portal.url}/dicom-web", headers={"Authorization": f"Bearer {token}"}, callback=self._note
        )

    def _note(self, response: Any, *_arguments: Any, **_named: Any) -> None:
        self.content = response.content


@pytest.fixture(scope="module")
def files(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A real series as a study and a patient of its own: other tests send to the same portal."""
    folder, study, series = tmp_path_factory.mktemp("sent"), generate_uid(), generate_uid()
    found = []
    for path in sorted((data_dir / FOLDER).iterdir()):
        ds = pydicom.dcmread(path)
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.PatientID = study, series, "dicomweb-client"
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        found.append(folder / path.name)
        ds.save_as(found[-1])
    return found


@pytest.fixture(scope="module")
def asked(live_portal: LivePortal, files: list[Path]) -> Asked:
    """The files were stored as they lie on disk, and are found."""
    asked = Asked(live_portal, "all")
    for path in files:
        answer = asked.client._session.post(
            f"{asked.client.base_url}/studies", path.read_bytes(), headers={"Content-Type": "application/dicom"}
        )
        assert answer.status_code == 200
    study = pydicom.dcmread(files[0]).StudyInstanceUID
    wait_until(lambda: len(asked.client.search_for_instances(study)) == 3, patience_s=30, what="they are not found")
    return asked


@pytest.fixture(scope="module")
def sent(files: list[Path]) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(path) for path in files]


def uids(ds: pydicom.Dataset) -> tuple[str, str, str]:
    return ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID


def test_what_the_client_stores_is_found(asked: Asked, data_dir: Path) -> None:
    data_sets = [pydicom.dcmread(path) for path in sorted((data_dir / "ct_series/gantry_tilt_4").iterdir())]
    answer = asked.client.store_instances(data_sets, data_sets[0].StudyInstanceUID)
    stored = {item.ReferencedSOPInstanceUID for item in answer.ReferencedSOPSequence}
    assert stored == {ds.SOPInstanceUID for ds in data_sets}
    study = data_sets[0].StudyInstanceUID
    wait_until(lambda: len(asked.client.search_for_instances(study)) == 4, patience_s=30, what="they are not found")
    got = asked.client.retrieve_study(study, media_types=(("application/dicom", "*"),))
    assert sorted(got, key=lambda ds: ds.SOPInstanceUID) == sorted(data_sets, key=lambda ds: ds.SOPInstanceUID)


def test_what_was_stored_is_found_at_every_level(asked: Asked, sent: list[pydicom.Dataset]) -> None:
    client, (study, series, _instance) = asked.client, uids(sent[0])
    (found,) = client.search_for_studies(search_filters={"StudyInstanceUID": study})
    assert pydicom.Dataset.from_json(found).NumberOfStudyRelatedInstances == 3
    (found,) = client.search_for_studies(search_filters={"PatientID": sent[0].PatientID}, fields=["StudyDescription"])
    assert pydicom.Dataset.from_json(found).StudyInstanceUID == study
    (found,) = client.search_for_series(study)
    assert pydicom.Dataset.from_json(found).SeriesInstanceUID == series
    pages = [client.search_for_instances(study, series, limit=2, offset=offset) for offset in (0, 2)]
    assert [len(page) for page in pages] == [2, 1]
    found = {pydicom.Dataset.from_json(one).SOPInstanceUID for page in pages for one in page}
    assert found == {ds.SOPInstanceUID for ds in sent}
    assert client.search_for_studies(search_filters={"PatientID": "nobody of that name"}) == []


def test_study_series_and_instance_come_back_byte_for_byte(
    asked: Asked, sent: list[pydicom.Dataset], files: list[Path]
) -> None:
    client, (study, series, instance) = asked.client, uids(sent[0])
    as_stored = (("application/dicom", "*"),)
    for retrieve in (
        lambda: client.retrieve_study(study, media_types=as_stored),
        lambda: client.retrieve_series(study, series, media_types=as_stored),
    ):
        got = retrieve()
        assert [one.SOPInstanceUID for one in got] == [ds.SOPInstanceUID for ds in sent]
        assert all(data_set_bytes(path) in asked.content for path in files)
    one = client.retrieve_instance(study, series, instance, media_types=as_stored)
    assert one.file_meta.TransferSyntaxUID == sent[0].file_meta.TransferSyntaxUID
    assert data_set_bytes(files[0]) in asked.content


def native(path: Path, folder: Path) -> np.ndarray:
    subprocess.run([DCMDRLE, str(path), str(folder / "native.dcm")], check=True)
    return pydicom.dcmread(folder / "native.dcm").pixel_array


def test_instances_and_frames_come_decoded_where_that_is_asked(
    asked: Asked, sent: list[pydicom.Dataset], files: list[Path], tmp_path: Path
) -> None:
    client, expected = asked.client, native(files[1], tmp_path)
    decoded = client.retrieve_instance(*uids(sent[1]), media_types=(("application/dicom", EXPLICIT),))
    assert decoded.file_meta.TransferSyntaxUID == EXPLICIT
    assert np.array_equal(decoded.pixel_array, expected)
    (frame,) = client.retrieve_instance_frames(*uids(sent[1]), [1])
    assert frame == expected.tobytes()
    (encoded,) = client.retrieve_instance_frames(
        *uids(sent[1]), [1], media_types=(("image/dicom-rle", "1.2.840.10008.1.2.5"),)
    )
    assert encoded == next(pydicom.encaps.generate_frames(sent[1].PixelData, number_of_frames=1))


def test_metadata_names_bulk_data_that_can_be_had_whole_and_in_ranges(
    asked: Asked, sent: list[pydicom.Dataset]
) -> None:
    client, (study, series, instance) = asked.client, uids(sent[2])
    for models in (client.retrieve_study_metadata(study), client.retrieve_series_metadata(study, series)):
        assert [model["00080018"]["Value"][0] for model in models] == [ds.SOPInstanceUID for ds in sent]
    model = client.retrieve_instance_metadata(study, series, instance)
    assert model["00100020"]["Value"] == [sent[2].PatientID]
    address = model["7FE00010"]["BulkDataURI"]
    (whole,) = client.retrieve_bulkdata(address)
    assert whole == next(pydicom.encaps.generate_frames(sent[2].PixelData, number_of_frames=1))
    session = client._session
    part = session.get(address, headers={"Accept": "application/octet-stream", "Range": "bytes=64-191"})
    assert (part.status_code, part.content) == (206, whole[64:192])


def test_pictures_are_drawn_of_each_level(asked: Asked, sent: list[pydicom.Dataset]) -> None:
    client, (study, series, instance) = asked.client, uids(sent[0])
    size = (sent[0].Columns, sent[0].Rows)
    for picture in (
        client.retrieve_instance_rendered(study, series, instance, media_types=("image/png",)),
        client.retrieve_instance_frames_rendered(study, series, instance, [1], media_types=("image/jpeg",)),
    ):
        assert Image.open(io.BytesIO(picture)).size == size


def test_a_zip_file_unpacks_to_a_file_set(
    asked: Asked, sent: list[pydicom.Dataset], files: list[Path], tmp_path: Path
) -> None:
    url = f"{asked.client.base_url}/studies/{sent[0].StudyInstanceUID}"
    answer = asked.client._session.get(url, headers={"Accept": "application/zip"})
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall(tmp_path)
    found = list(FileSet(tmp_path / "DICOMDIR"))
    assert [one.SOPInstanceUID for one in found] == [ds.SOPInstanceUID for ds in sent]
    assert [data_set_bytes(Path(one.path)) for one in found] == [data_set_bytes(path) for path in files]


def test_what_is_deleted_is_gone_for_the_client(asked: Asked, sent: list[pydicom.Dataset]) -> None:
    client, (study, series, _instance) = asked.client, uids(sent[0])
    client.delete_instance(*uids(sent[0]), additional_params=REASON)
    assert len(client.search_for_instances(study)) == 2
    client.delete_series(study, series, additional_params=REASON)
    assert client.search_for_studies(search_filters={"StudyInstanceUID": study}) == []
    assert client._session.delete(f"{client.base_url}/studies/{study}", params=REASON).status_code == 410
