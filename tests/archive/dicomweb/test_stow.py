"""STOW-RS: what comes in, as files or as metadata with bulk data, and what is answered (PS3.18 10.5)."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pydicom
import pytest
from django.test import Client
from PIL import Image
from pydicom.uid import generate_uid
from pytest_django import Settings

from archive.dicom.native_model import from_xml, to_xml
from archive.errors import OutOfSpace
from archive.indexing.writer import index_waiting_files
from archive.models import AuditEvent, Instance, QuarantinedFile
from archive.storage import layout
from archive.storage.layout import path_of
from tests.conftest import Cast
from tests.phantoms import ct_image, image, to_part10_bytes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]
ClientOf = Callable[..., Client]
STUDIES = "/dicom-web/studies"
ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"


def multipart(*parts: tuple[dict[str, str], bytes], kind: str = "application/dicom") -> tuple[bytes, str]:
    body = b""
    for headers, content in parts:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        body += b"--frontier\r\n" + lines.encode() + b"\r\n" + content + b"\r\n"
    return body + b"--frontier--\r\n", f'multipart/related; type="{kind}"; boundary=frontier'


def files(*data_sets: pydicom.Dataset) -> tuple[bytes, str]:
    return multipart(*(({"Content-Type": "application/dicom"}, to_part10_bytes(ds)) for ds in data_sets))


def post(client: Client, body: tuple[bytes, str], address: str = STUDIES, **headers: Any) -> Any:
    return client.post(address, body[0], content_type=body[1], **headers)


def uids(answer: Any, sequence: str) -> list[str]:
    return [item["00081155"]["Value"][0] for item in answer.json().get(sequence, {}).get("Value", [])]


def test_files_are_stored_and_answered_with_where_to_find_them(cast: Cast, client_of: ClientOf) -> None:
    one = ct_image(number=1)
    other = ct_image(number=2, StudyInstanceUID=one.StudyInstanceUID, SeriesInstanceUID=one.SeriesInstanceUID)
    answer = post(client_of(cast.technologist), files(one, other))
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/dicom+json")
    assert uids(answer, "00081199") == [one.SOPInstanceUID, other.SOPInstanceUID]
    study = f"http://127.0.0.1:8000/dicom-web/studies/{one.StudyInstanceUID}"
    assert answer.json()["00081190"]["Value"] == [study]
    first = answer.json()["00081199"]["Value"][0]
    assert first["00081190"]["Value"] == [f"{study}/series/{one.SeriesInstanceUID}/instances/{one.SOPInstanceUID}"]
    index_waiting_files()
    assert set(Instance.objects.values_list("door", flat=True)) == {"stow"}
    event = AuditEvent.objects.get(event="uploaded")
    assert event.details == {"door": "stow", "stored": 2, "failed": 0}


def test_a_single_file_needs_no_multipart(cast: Cast, client_of: ClientOf) -> None:
    answer = post(client_of(cast.reader), (to_part10_bytes(ct_image()), "application/dicom"))
    assert answer.status_code == 200


def test_an_instance_of_another_study_fails_and_nothing_of_it_is_kept(cast: Cast, client_of: ClientOf) -> None:
    right, wrong = ct_image(), ct_image(number=2, StudyInstanceUID=generate_uid())
    answer = post(client_of(cast.reader), files(right, wrong), f"{STUDIES}/{right.StudyInstanceUID}")
    assert answer.status_code == 202
    assert uids(answer, "00081199") == [right.SOPInstanceUID]
    (failure,) = answer.json()["0008119A"]["Value"]
    assert failure["00081197"]["Value"] == [0xC409]
    index_waiting_files()
    assert list(Instance.objects.values_list("sop_instance_uid", flat=True)) == [right.SOPInstanceUID]
    assert QuarantinedFile.objects.count() == 0


def test_where_nothing_could_be_stored_the_answer_is_409_with_reasons(cast: Cast, client_of: ClientOf) -> None:
    answer = post(client_of(cast.reader), multipart(({"Content-Type": "application/dicom"}, b"no DICOM at all")))
    assert answer.status_code == 409
    assert [one["00081197"]["Value"] for one in answer.json()["0008119A"]["Value"]] == [[0xC000]]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ((b"x", "text/plain"), 415),
        ((b"x", "multipart/related; type=application/dicom"), 400),
        ((b"no boundary here", "multipart/related; type=application/dicom; boundary=x"), 400),
        (multipart(({"Content-Type": "image/png"}, b"x")), 415),
        (multipart(({"Content-Type": "application/dicom+json"}, b"[" * 100_000)), 400),
        (multipart(({"Content-Type": "application/dicom+xml"}, b"<!DOCTYPE x><x/>")), 400),
    ],
)
def test_a_body_that_is_none_is_refused(body: tuple[bytes, str], status: int, cast: Cast, client_of: ClientOf) -> None:
    answer = post(client_of(cast.reader), body)
    assert (answer.status_code, set(answer.json())) == (status, {"error"})


def test_what_came_before_a_cut_is_kept(cast: Cast, client_of: ClientOf) -> None:
    body, kind = files(ct_image(number=1), ct_image(number=2))
    assert post(client_of(cast.reader), (body[: len(body) // 2 + 300], kind)).status_code == 400
    index_waiting_files()
    assert Instance.objects.count() == 1


def test_a_body_over_the_limit_is_refused_before_it_is_read(
    cast: Cast, client_of: ClientOf, settings: Settings
) -> None:
    settings.PORTAL_MAX_UPLOAD_MB = 0
    assert post(client_of(cast.reader), files(ct_image())).status_code == 413


def test_a_full_disk_is_507_and_nothing_half(cast: Cast, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OutOfSpace("The archive's disk is nearly full; no image is taken until there is room.")

    monkeypatch.setattr("archive.receiving.staging.check_room", full)
    answer = post(client_of(cast.reader), files(ct_image(), ct_image()))
    assert answer.status_code == 507
    assert list(layout.incoming_folder().glob("*.dcm")) == []


@pytest.mark.parametrize(("who", "status"), [("outsider", 403), (None, 401)])
def test_who_may_not_store_is_refused(who: str | None, status: int, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(getattr(cast, who) if who else None)
    answer = post(client, files(ct_image()))
    assert answer.status_code == status
    assert index_waiting_files().added == 0 and QuarantinedFile.objects.count() == 0


def test_what_a_clinician_stores_waits_for_a_look(cast: Cast, client_of: ClientOf) -> None:
    assert post(client_of(cast.referrer), files(ct_image())).status_code == 200
    index_waiting_files()
    assert QuarantinedFile.objects.get().reason == "upload-review"


def metadata_of(ds: pydicom.Dataset, **bulk: str) -> dict[str, Any]:
    model: dict[str, Any] = ds.to_json_dict()
    for keyword, uri in bulk.items():
        tag = f"{pydicom.tag.Tag(keyword):08X}"
        model[tag] = {"vr": "OB", "BulkDataURI": uri}
    return model


@pytest.mark.parametrize("form", ["json", "xml"])
def test_metadata_with_bulk_data_becomes_the_same_image(form: str, cast: Cast, client_of: ClientOf) -> None:
    ds = ct_image(PatientName="Müller^Jörg=金^民", PatientID="W-1")
    ds.SpecificCharacterSet = "ISO_IR 192"
    model = metadata_of(ds)
    model["7FE00010"] = {"vr": "OW", "BulkDataURI": "pixels/1"}
    document = json.dumps([model]).encode() if form == "json" else to_xml(model)
    body = multipart(
        ({"Content-Type": f"application/dicom+{form}"}, document),
        ({"Content-Type": "application/octet-stream", "Content-Location": "pixels/1"}, ds.PixelData),
        kind=f"application/dicom+{form}",
    )
    answer = post(client_of(cast.technologist), body)
    assert answer.status_code == 200, answer.content
    index_waiting_files()
    stored = pydicom.dcmread(path_of(Instance.objects.get().stored_file.key))
    assert stored.PixelData == ds.PixelData
    for element in ds:
        assert stored[element.tag].value == element.value, element.keyword


def test_a_jpeg_is_wrapped_with_what_its_header_says(cast: Cast, client_of: ClientOf) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 24), (200, 30, 60)).save(buffer, "JPEG", quality=90, subsampling=0)
    ds = image(Modality="XC", StudyDate="20261124")
    for keyword in ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"):
        del ds[keyword]
    del ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelData
    body = multipart(
        ({"Content-Type": "application/dicom+json"}, json.dumps([metadata_of(ds, PixelData="photo")]).encode()),
        ({"Content-Type": "image/jpeg", "Content-Location": "photo"}, buffer.getvalue()),
        kind="application/dicom+json",
    )
    assert post(client_of(cast.technologist), body).status_code == 200
    index_waiting_files()
    stored = pydicom.dcmread(path_of(Instance.objects.get().stored_file.key))
    assert stored.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.50"
    assert (stored.Rows, stored.Columns, stored.PhotometricInterpretation) == (24, 40, "YBR_FULL")
    assert (stored.BitsAllocated, stored.BitsStored, stored.PlanarConfiguration) == (8, 8, 0)
    assert next(pydicom.encaps.generate_frames(stored.PixelData, number_of_frames=1)).rstrip(
        b"\0"
    ) == buffer.getvalue().rstrip(b"\0")


def test_a_pdf_is_wrapped(cast: Cast, client_of: ClientOf) -> None:
    ds = image(sop_class_uid=ENCAPSULATED_PDF, Modality="DOC", MIMETypeOfEncapsulatedDocument="application/pdf")
    del ds.PixelData
    document = b"%PDF-1.4 a letter\n"
    body = multipart(
        (
            {"Content-Type": "application/dicom+json"},
            json.dumps([metadata_of(ds, EncapsulatedDocument="letter")]).encode(),
        ),
        ({"Content-Type": "application/pdf", "Content-Location": "letter"}, document),
        kind="application/dicom+json",
    )
    assert post(client_of(cast.technologist), body).status_code == 200
    index_waiting_files()
    assert pydicom.dcmread(path_of(Instance.objects.get().stored_file.key)).EncapsulatedDocument == document


def test_metadata_without_its_bulk_data_fails_by_itself(cast: Cast, client_of: ClientOf) -> None:
    ds = ct_image()
    body = multipart(
        ({"Content-Type": "application/dicom+json"}, json.dumps([metadata_of(ds, PixelData="lost")]).encode()),
        kind="application/dicom+json",
    )
    answer = post(client_of(cast.reader), body)
    assert (answer.status_code, uids(answer, "00081198")) == (409, [ds.SOPInstanceUID])


def test_the_answer_comes_as_xml_where_that_is_asked(cast: Cast, client_of: ClientOf) -> None:
    ds = ct_image()
    answer = post(client_of(cast.reader), files(ds), headers={"Accept": "application/dicom+xml"})
    model = from_xml(answer.content)
    assert model["00081199"]["Value"][0]["00081155"]["Value"] == [ds.SOPInstanceUID]
    assert post(client_of(cast.reader), files(ds), headers={"Accept": "image/png"}).status_code == 406


def in_chunks(client: Client, body: tuple[bytes, str], *, is_terminated: bool = True) -> Any:
    """As a web server hands on a body without a length: a stream that ends where the last chunk does."""
    environment = {"wsgi.input": io.BytesIO(body[0]), "wsgi.input_terminated": is_terminated, "CONTENT_TYPE": body[1]}
    return client.generic("POST", STUDIES, headers={"Transfer-Encoding": "chunked"}, **environment)


def test_a_body_in_chunks_is_stored(cast: Cast, client_of: ClientOf) -> None:
    one, other = ct_image(number=1), ct_image(number=2)
    answer = in_chunks(client_of(cast.reader), files(one, other))
    assert answer.status_code == 200
    assert uids(answer, "00081199") == [one.SOPInstanceUID, other.SOPInstanceUID]


def test_a_body_whose_end_nobody_tells_is_411(cast: Cast, client_of: ClientOf) -> None:
    assert in_chunks(client_of(cast.reader), files(ct_image()), is_terminated=False).status_code == 411


def test_a_body_in_chunks_is_refused_when_it_has_grown_too_large(
    cast: Cast, client_of: ClientOf, settings: Settings
) -> None:
    settings.PORTAL_MAX_UPLOAD_MB = 1
    large = image(np.zeros((800, 800), np.uint16))
    answer = in_chunks(client_of(cast.reader), files(large))
    assert answer.status_code == 413 and "1 MiB" in answer.json()["error"]
    assert list(layout.incoming_folder().glob("*.dcm")) == []
