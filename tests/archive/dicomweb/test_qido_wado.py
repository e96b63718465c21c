"""QIDO-RS and WADO-RS over a real archive: who finds what, in which form it is given (PS3.18 10.4, 10.6)."""

from __future__ import annotations

import email
import gzip
import io
import json
import subprocess
import zipfile
from collections.abc import Callable
from email.message import Message
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from django.test import Client
from pydicom.fileset import FileSet
from pytest_django import Settings

from archive.dicom.native_model import from_xml
from archive.dicomweb import query_string
from archive.indexing.rejecting import reject_instances
from archive.indexing.settle import settle
from archive.indexing.writer import index_waiting_files
from archive.jobs.run import run_waiting_jobs
from archive.models import Instance, Study
from archive.models.instance import Rejection
from archive.querying.keys import Level
from archive.receiving.part10 import receive_part10
from archive.receiving.sources import Door, Origin
from tests.archive.dicomweb.asking import ROOT, address, body
from tests.archive.receiving.sending import store
from tests.conftest import Cast
from tests.phantoms import ct_image, data_set_bytes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]
ClientOf = Callable[..., Client]
JPEG_LOSSLESS_SV1 = "1.2.840.10008.1.2.4.70"
EXPLICIT = "1.2.840.10008.1.2.1"
DCMDJPEG = "/usr/bin/dcmdjpeg"


def parts_of(response: Any) -> list[Message]:
    assert response.status_code == 200, response.content
    head = f"Content-Type: {response['Content-Type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + body(response))
    assert message.is_multipart()
    return message.get_payload()  # type: ignore[return-value]


def bytes_of(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def values(model: dict[str, Any], tag: str) -> list[Any]:
    return model.get(tag, {}).get("Value", [])


# --- QIDO-RS ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"W-1", "W-2"}),
        ("PatientID=W-1", {"W-1"}),
        ("00100020=W-2", {"W-2"}),
        ("PatientName=muller*", {"W-1"}),
        ("PatientName=MULLER^JORG", {"W-1"}),
        ("ModalitiesInStudy=MR", {"W-2"}),
        ("AccessionNumber=A-7", {"W-1"}),
        ("StudyDate=19000101-19000102", set()),
        ("PatientID=W-%3F", {"W-1", "W-2"}),
    ],
)
def test_studies_are_found_by_their_keys(
    query: str, found: set[str], series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf
) -> None:
    answer = client_of(cast.reader).get(f"{ROOT}/studies?{query}")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/dicom+json")
    assert {values(model, "00100020")[0] for model in answer.json()} == found


def test_a_study_is_told_with_every_required_attribute(
    series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf
) -> None:
    (model,) = client_of(cast.reader).get(f"{ROOT}/studies", {"PatientID": "W-1"}).json()
    assert values(model, "00100010") == [{"Alphabetic": "Müller^Jörg"}]
    assert values(model, "0020000D") == [series[0].StudyInstanceUID]
    assert values(model, "00080061") == ["CT"]
    assert (values(model, "00201206"), values(model, "00201208")) == ([1], [3])
    assert values(model, "00080056") == ["ONLINE"]
    assert values(model, "00081190") == [f"http://127.0.0.1:8000{address(series[0])}"]
    # PS3.18 table 10.6.3-3, with the character set.
    required = "00080005 00080020 00080030 00080050 00080056 00080061 00080090 00081190 00100010 00100020 00100030 "
    required += "00100040 0020000D 00200010 00201206 00201208"
    assert set(required.split()) <= model.keys()


def test_instances_of_all_studies_carry_their_study_and_series(
    series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf
) -> None:
    models = client_of(cast.reader).get(f"{ROOT}/instances", {"Modality": "CT"}).json()
    assert {values(model, "00080018")[0] for model in models} == {ds.SOPInstanceUID for ds in series}
    first = models[0]
    assert values(first, "00100020") == ["W-1"] and values(first, "00080060") == ["CT"]
    assert (values(first, "00280010"), values(first, "00280011")) == ([series[0].Rows], [series[0].Columns])
    assert values(first, "00280100") == [16]


def test_limit_and_offset_page_through_all_and_say_where_there_is_more(
    series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(cast.reader)
    seen = [
        values(client.get(f"{address(series[0])}/instances", {"limit": 1, "offset": offset}).json()[0], "00080018")[0]
        for offset in range(3)
    ]
    assert sorted(seen) == sorted(ds.SOPInstanceUID for ds in series)
    assert client.get(f"{address(series[0])}/instances", {"limit": 1, "offset": 3}).json() == []
    monkeypatch.setitem(query_string.MOST_RESULTS, Level.IMAGE, 2)
    capped = client.get(f"{address(series[0])}/instances")
    assert len(capped.json()) == 2 and capped["Warning"].startswith("299 ") and "offset=2" in capped["Warning"]


@pytest.mark.parametrize(
    "query",
    [
        "Nonsense=1",
        "limit=-1",
        "limit=x",
        "offset=1.5",
        "fuzzymatching=maybe",
        "includefield=Nonsense",
        "StudyDate=yesterday",
    ],
)
def test_a_query_that_is_none_is_refused_by_name(query: str, cast: Cast, client_of: ClientOf) -> None:
    answer = client_of(cast.reader).get(f"{ROOT}/studies?{query}")
    assert answer.status_code == 400
    name, _, value = query.partition("=")
    assert name in answer.json()["error"] or value in answer.json()["error"]


def test_included_fields_are_returned(series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.reader)
    (plain,) = client.get(f"{ROOT}/studies", {"PatientID": "W-1"}).json()
    (more,) = client.get(f"{ROOT}/studies", {"PatientID": "W-1", "includefield": "SOPClassesInStudy,00081010"}).json()
    (everything,) = client.get(f"{ROOT}/studies", {"PatientID": "W-1", "includefield": "all"}).json()
    assert "00080062" not in plain
    assert values(more, "00080062") == [series[0].SOPClassUID]
    assert plain.keys() < everything.keys()


def test_xml_is_given_as_one_part_a_result(series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf) -> None:
    answer = client_of(cast.reader).get(
        f"{ROOT}/studies", headers={"Accept": 'multipart/related; type="application/dicom+xml"'}
    )
    parts = parts_of(answer)
    ids = {from_xml(part.get_payload(decode=True))["00100020"]["Value"][0] for part in parts}
    assert ids == {"W-1", "W-2"}


# --- WADO-RS ----------------------------------------------------------------------------------------------------------


def test_a_study_comes_as_files_with_its_data_sets_byte_for_byte(
    series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf
) -> None:
    answer = client_of(cast.reader).get(
        address(series[0]), headers={"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'}
    )
    parts = parts_of(answer)
    received = {}
    for part in parts:
        assert part.get_content_type() == "application/dicom"
        data = bytes_of(part)
        ds = pydicom.dcmread(io.BytesIO(data))
        received[ds.SOPInstanceUID] = data
        assert part["Content-Location"].endswith(ds.SOPInstanceUID)
    for ds in series:
        assert received[ds.SOPInstanceUID].endswith(data_set_bytes(ds))
    assert len(received) == 3


def test_a_single_instance_needs_no_multipart(series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.reader)
    answer = client.get(address(series[1], instance=True), headers={"Accept": "application/dicom"})
    assert pydicom.dcmread(io.BytesIO(body(answer))).SOPInstanceUID == series[1].SOPInstanceUID
    assert client.get(address(series[1]), headers={"Accept": "application/dicom"}).status_code == 406


def test_a_zip_file_holds_every_instance(series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf) -> None:
    answer = client_of(cast.reader).get(address(series[0]), headers={"Accept": "application/zip"})
    archive = zipfile.ZipFile(io.BytesIO(body(answer)))
    assert archive.testzip() is None
    *names, index = archive.namelist()
    uids = {pydicom.dcmread(archive.open(name)).SOPInstanceUID for name in names}
    assert (uids, index) == ({ds.SOPInstanceUID for ds in series}, "DICOMDIR")


def test_the_index_of_a_zip_file_names_its_files(
    series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf, tmp_path: Path
) -> None:
    answer = client_of(cast.reader).get(address(series[0], series=True), headers={"Accept": "application/zip"})
    zipfile.ZipFile(io.BytesIO(body(answer))).extractall(tmp_path)
    found = FileSet(tmp_path / "DICOMDIR")
    assert [instance.load().SOPInstanceUID for instance in found] == [ds.SOPInstanceUID for ds in series]
    assert found.find_values("PatientName") == ["Müller^Jörg"]
    assert all(part == part.upper() and len(part) <= 8 for one in found for part in one.ReferencedFileID)


def test_metadata_names_the_address_of_the_pixels(
    series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.reader)
    for path in (address(series[0]), address(series[0], series=True)):
        models = client.get(f"{path}/metadata").json()
        assert [values(model, "00080018")[0] for model in models] == [ds.SOPInstanceUID for ds in series]
    (model,) = client.get(f"{address(series[1], instance=True)}/metadata").json()
    assert values(model, "00100010") == [{"Alphabetic": "Müller^Jörg"}]
    uri = model["7FE00010"]["BulkDataURI"].removeprefix("http://127.0.0.1:8000")
    pixels = client.get(uri, headers={"Accept": "application/octet-stream"})
    assert pixels.content == series[1].PixelData


def test_metadata_is_sent_compressed_as_it_lies_and_again_after_a_change(
    series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf
) -> None:
    client, path = client_of(cast.reader), f"{address(series[0], series=True)}/metadata"
    first = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert first["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(first.content)) == client.get(path).json()
    assert client.get(path, headers={"If-None-Match": first["ETag"], "Accept-Encoding": "gzip"}).status_code == 304
    reject_instances(
        Instance.objects.filter(sop_instance_uid=series[2].SOPInstanceUID),
        code=Rejection.QUALITY,
        reason="The patient moved.",
        by=cast.reader,
    )
    again = client.get(path, headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 200 and len(again.json()) == 2


def test_a_study_that_has_gone_quiet_has_its_metadata_ready(
    series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.PORTAL_SETTLE_S = 0
    assert settle() == 2
    run_waiting_jobs()
    monkeypatch.setattr("archive.dicomweb.metadata_files.read_dataset", None)
    models = client_of(cast.reader).get(f"{address(series[0], series=True)}/metadata").json()
    assert [values(model, "00080018")[0] for model in models] == [ds.SOPInstanceUID for ds in series]


def test_frames_come_decoded_or_as_they_are_stored(
    cast: Cast, client_of: ClientOf, data_dir: Path, tmp_path: Path
) -> None:
    path = sorted((data_dir / "ct_series/crlm_1004").iterdir())[0]
    ds = pydicom.dcmread(path)
    subprocess.run([DCMDJPEG, str(path), str(tmp_path / "native.dcm")], check=True)
    expected = pydicom.dcmread(tmp_path / "native.dcm").pixel_array
    receive_part10(io.BytesIO(path.read_bytes()), Origin(door=Door.DIMSE))
    index_waiting_files()
    assert ds.file_meta.TransferSyntaxUID == JPEG_LOSSLESS_SV1
    client, at = client_of(cast.reader), f"{address(ds, instance=True)}/frames/1"
    (stored,) = parts_of(client.get(at, headers={"Accept": 'multipart/related; type="image/jpeg"; transfer-syntax=*'}))
    assert stored["Content-Type"] == f"image/jpeg; transfer-syntax={JPEG_LOSSLESS_SV1}"
    encoded = next(pydicom.encaps.generate_frames(ds.PixelData, number_of_frames=1))
    assert bytes_of(stored).rstrip(b"\0") == encoded.rstrip(b"\0")
    (decoded,) = parts_of(client.get(at, headers={"Accept": 'multipart/related; type="application/octet-stream"'}))
    assert decoded["Content-Type"] == f"application/octet-stream; transfer-syntax={EXPLICIT}"
    assert np.array_equal(np.frombuffer(bytes_of(decoded), "<i2").reshape(512, 512), expected)
    whole = client.get(address(ds, instance=True), headers={"Accept": "application/dicom"})
    native = pydicom.dcmread(io.BytesIO(body(whole)))
    assert native.file_meta.TransferSyntaxUID == EXPLICIT and np.array_equal(native.pixel_array, expected)


@pytest.mark.parametrize(("numbers", "status"), [("2", 404), ("0", 400), ("x", 400), ("1,2", 404), ("1", 200)])
def test_frames_that_are_not_there(
    numbers: str, status: int, series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf
) -> None:
    assert client_of(cast.reader).get(f"{address(series[0], instance=True)}/frames/{numbers}").status_code == status


def test_all_pixel_data_comes_frame_by_frame(series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf) -> None:
    octets = {"Accept": 'multipart/related; type="application/octet-stream"'}
    client = client_of(cast.reader)
    for path, of in (
        (address(series[0]), series),
        (address(series[0], series=True), series),
        (address(series[1], instance=True), series[1:2]),
    ):
        answer = client.get(f"{path}/pixeldata", headers=octets)
        etag, parts = answer["ETag"], parts_of(answer)
        assert [part["Content-Location"].partition("/dicom-web")[2] for part in parts] == [
            f"{address(ds, instance=True).removeprefix(ROOT)}/frames/1" for ds in of
        ]
        assert [bytes_of(part) for part in parts] == [ds.PixelData for ds in of]
        again = client.get(f"{path}/pixeldata", headers=octets | {"If-None-Match": etag})
        assert again.status_code == 304
    jpeg = client.get(f"{address(series[0])}/pixeldata", headers={"Accept": 'multipart/related; type="image/jls"'})
    assert jpeg.status_code == 406 and "application/octet-stream" in jpeg.json()["error"]


def test_all_bulk_data_comes_under_the_addresses_that_metadata_names(cast: Cast, client_of: ClientOf) -> None:
    item, ds = pydicom.Dataset(), ct_image()
    item.add_new(0x00282000, "OB", b"\x07" * 3000)
    ds.OpticalPathSequence = [item]
    store(ds)
    client = client_of(cast.reader)
    model = client.get(f"{address(ds, instance=True)}/metadata").json()[0]
    inner = model["00480105"]["Value"][0]["00282000"]["BulkDataURI"]
    parts = parts_of(client.get(f"{address(ds)}/bulkdata", headers={"Accept": "*/*"}))
    found = {part["Content-Location"]: bytes_of(part) for part in parts}
    assert found == {inner: b"\x07" * 3000, model["7FE00010"]["BulkDataURI"]: ds.PixelData}
    assert body(client.get(inner.partition("8000")[2])) == b"\x07" * 3000


@pytest.mark.parametrize("place", ["00100010", "7FE00011", "nothing", "../../etc/passwd", "00081140/1/7FE00010"])
def test_bulk_data_that_is_none(place: str, series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf) -> None:
    answer = client_of(cast.reader).get(f"{address(series[0], instance=True)}/bulkdata/{place}")
    assert answer.status_code == 404


def test_what_is_not_offered_is_refused_with_what_is(
    series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.reader)
    for path in (address(series[0]), f"{address(series[0])}/metadata", f"{address(series[0], instance=True)}/frames/1"):
        answer = client.get(path, headers={"Accept": "audio/ogg"})
        assert answer.status_code == 406 and "application/" in answer.json()["error"]
    syntax = 'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.4.80'
    assert client.get(address(series[0]), headers={"Accept": syntax}).status_code == 406


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_nobody_finds_or_gets_what_they_may_not_see(
    series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf
) -> None:
    for user in (cast.outsider, cast.referrer, cast.admin):
        client = client_of(user)
        assert client.get(f"{ROOT}/studies").json() == []
        for path in (address(series[0]), f"{address(series[0])}/metadata", address(series[0], instance=True)):
            assert client.get(path).status_code == 404
    assert client_of(None).get(f"{ROOT}/studies").status_code == 401


def test_a_technologist_looks_and_does_not_take_away(
    series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.technologist)
    assert client.get(f"{address(series[0])}/metadata").status_code == 200
    assert client.get(address(series[0])).status_code == 403
    assert client.get(f"{address(series[0], instance=True)}/frames/1").status_code == 403


def test_nothing_is_returned_through_another_studys_path(
    series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf
) -> None:
    other = Study.objects.get(patient__patient_id="W-2").study_instance_uid
    path = address(series[0], instance=True).replace(series[0].StudyInstanceUID, other)
    assert client_of(cast.reader).get(path).status_code == 404


def test_what_was_rejected_is_gone(series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf) -> None:
    reject_instances(
        Instance.objects.filter(sop_instance_uid=series[0].SOPInstanceUID),
        code=Rejection.QUALITY,
        reason="The patient moved.",
        by=cast.reader,
    )
    path = address(series[0], instance=True)
    assert client_of(cast.reader).get(path).status_code == 410
    assert client_of(cast.outsider).get(path).status_code == 404
    models = client_of(cast.reader).get(f"{address(series[0])}/instances").json()
    assert {values(model, "00080018")[0] for model in models} == {ds.SOPInstanceUID for ds in series[1:]}


# --- Other origins ----------------------------------------------------------------------------------------------------


def preflight(client: Client, path: str, origin: str) -> Any:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    return client.options(path, headers=headers)


def test_a_web_viewer_of_another_origin_is_let_in_by_setting_alone(
    cast: Cast, client_of: ClientOf, settings: Settings
) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://viewer.example"]
    allowed = preflight(client_of(None), f"{ROOT}/studies", "https://viewer.example")
    assert allowed["Access-Control-Allow-Origin"] == "https://viewer.example"
    assert "authorization" in allowed["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in allowed
    assert "Access-Control-Allow-Origin" not in preflight(client_of(None), f"{ROOT}/studies", "https://evil.example")
    assert "Access-Control-Allow-Origin" not in preflight(client_of(None), "/worklist/rows", "https://viewer.example")
