"""Reports, documents and video as rendered resources, over real files (PS3.18 table 8.7.4-1)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from django.test import Client
from pydicom.encaps import generate_fragments

from archive.indexing.writer import index_waiting_files
from archive.models import Instance
from tests.journeys.sending import send_file, store
from tests.phantoms import ct_image, multi_frame, to_part10_bytes, with_encapsulated

if TYPE_CHECKING:
    from tests.conftest import Cast

pytestmark = pytest.mark.django_db(transaction=True)
ClientOf = Callable[..., Client]
H264 = "1.2.840.10008.1.2.4.102"
MPEG2 = "1.2.840.10008.1.2.4.100"


@pytest.fixture
def reader(portal_data: Path, cast: Cast, client_of: ClientOf) -> Client:
    return client_of(cast.reader)


def address_of(instance: Instance, word: str = "rendered") -> str:
    series = instance.series
    return (
        f"/dicom-web/studies/{series.study.study_instance_uid}/series/{series.series_instance_uid}"
        f"/instances/{instance.sop_instance_uid}/{word}"
    )


def received(path: Path) -> Instance:
    send_file(path)
    index_waiting_files()
    return Instance.objects.select_related("series__study").get()


def get(client: Client, address: str, accept: str = "*/*", **query: str) -> Any:
    return client.get(address, query, headers={"accept": accept})


def test_a_report_is_html_or_plain_text(reader: Client, data_dir: Path) -> None:
    address = address_of(received(data_dir / "sr" / "sample-sr.dcm"))
    html, plain = get(reader, address), get(reader, address, "text/plain")
    assert (html.status_code, html["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert html.content.startswith(b"<!DOCTYPE html>")
    assert (plain.status_code, plain["Content-Type"]) == (200, "text/plain; charset=utf-8")
    refused = get(reader, address, "image/png")
    assert (refused.status_code, refused.json()["offered"]) == (406, ["text/html", "text/plain"])
    assert reader.get(address, headers={"if-none-match": html["ETag"]}).status_code == 304


def test_rendering_parameters_of_a_report_are_ignored_and_said(reader: Client, data_dir: Path) -> None:
    address = address_of(received(data_dir / "sr" / "sample-sr.dcm"))
    response = get(reader, address, window="40,400,linear")
    assert response.status_code == 200
    assert "images only" in response["Warning"]


def test_a_document_is_given_as_pdf(reader: Client, data_dir: Path) -> None:
    path = data_dir / "waveform_pdf" / "sample-pdf.dcm"
    response = get(reader, address_of(received(path)))
    assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
    assert response.content.startswith(b"%PDF-")
    assert pydicom.dcmread(path).EncapsulatedDocument.startswith(response.content)


def test_what_has_no_picture_has_no_rendered_form(reader: Client, data_dir: Path) -> None:
    instance = received(data_dir / "waveform_pdf" / "wave_deflated.dcm")
    for word in ("rendered", "thumbnail"):
        response = get(reader, address_of(instance, word))
        assert (response.status_code, response.json()["offered"]) == (406, [])


def test_a_real_film_in_mp4_is_passed_on_as_it_is(reader: Client, data_dir: Path) -> None:
    path = data_dir / "video" / "derived_h264_us.dcm"
    stream = list(generate_fragments(pydicom.dcmread(path).PixelData))[-1]
    response = get(reader, address_of(received(path)))
    assert (response.status_code, response["Content-Type"]) == (200, "video/mp4")
    assert response.getvalue() == stream
    annotated = get(reader, address_of(Instance.objects.get()), annotation="patient,technique", quality="50")
    assert annotated.getvalue() == stream
    assert "ignored" in annotated["Warning"]


def test_a_stream_without_a_container_is_not_offered_as_a_film(reader: Client, tmp_path: Path) -> None:
    # An elementary AVC stream begins with a start code; PS3.5 8.2.7 asks for a container.
    response = get(reader, address_of(film([b"\0\0\0\1\x67" + bytes(999)], H264, tmp_path)))
    assert (response.status_code, response.json()["offered"]) == (406, [])


def film(stream: list[bytes], transfer_syntax_uid: str, folder: Path) -> Instance:
    ds = multi_frame(3, SOPClassUID="1.2.840.10008.5.1.4.1.1.77.1.4.1")
    path = folder / "film.dcm"
    path.write_bytes(to_part10_bytes(with_encapsulated(ds, [stream]), transfer_syntax_uid))
    return received(path)


MP4 = struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + bytes(range(256)) * 8
TRANSPORT_STREAM = (b"\x47" + bytes(187)) * 12
PROGRAM_STREAM = b"\0\0\1\xba" + bytes(range(256)) * 8


@pytest.mark.parametrize(
    ("stream", "transfer_syntax_uid", "media_type"),
    [
        ([MP4[:1000], MP4[1000:]], H264, "video/mp4"),
        ([TRANSPORT_STREAM], H264, "video/mp2t"),
        ([PROGRAM_STREAM], MPEG2, "video/mpeg"),
    ],
)
def test_a_film_is_passed_on_as_it_is(
    reader: Client, tmp_path: Path, stream: list[bytes], transfer_syntax_uid: str, media_type: str
) -> None:
    instance = film(stream, transfer_syntax_uid, tmp_path)
    response = get(reader, address_of(instance))
    assert (response.status_code, response["Content-Type"]) == (200, media_type)
    assert response.getvalue() == b"".join(stream)
    assert get(reader, address_of(instance), "image/gif").json()["offered"] == [media_type]
    assert get(reader, address_of(instance, "frames/1/rendered"), "image/png").status_code == 406


def test_a_study_leaves_out_what_has_no_acceptable_form_and_says_so(reader: Client, data_dir: Path) -> None:
    report = pydicom.dcmread(data_dir / "sr" / "sample-sr.dcm")
    image = ct_image()
    image.StudyInstanceUID, image.PatientID, image.PatientName = (
        report.StudyInstanceUID,
        report.PatientID,
        report.PatientName,
    )
    store(image)
    send_file(data_dir / "sr" / "sample-sr.dcm")
    index_waiting_files()
    study = f"/dicom-web/studies/{report.StudyInstanceUID}/rendered"
    both, pictures = get(reader, study), get(reader, study, "image/png")
    assert both.status_code == 200
    assert sorted(part.split(b"\r\n")[1] for part in both.getvalue().split(b"--part-")[1:-1]) == [
        b"Content-Type: image/jpeg",
        b"Content-Type: text/html; charset=utf-8",
    ]
    assert (pictures.status_code, pictures["Content-Type"]) == (206, "image/png")
    assert "1 instances" in pictures["Warning"]
    nothing = get(reader, study, "video/mp4")
    assert nothing.status_code == 406
    assert {"image/jpeg", "text/html"} <= set(nothing.json()["offered"])
