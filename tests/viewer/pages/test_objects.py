"""Objects without a picture on pages of their own: reports of others with links to their images, documents as they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, generate_fragments

from archive.models import Study
from tests.journeys.sending import send_study

if TYPE_CHECKING:
    from django.test import Client

    from tests.conftest import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "alone")]
ClientOf = Callable[..., "Client"]


def send(*paths: Path) -> pydicom.Dataset:
    """Send files; the last one's data set."""
    send_study(*paths)
    return pydicom.dcmread(paths[-1])


def wheel_ecg() -> Path:
    """A twelve-lead ECG of ten seconds at 1000 Hz."""
    path = get_testdata_file("waveform_ecg.dcm", download=False)
    assert isinstance(path, str)
    return Path(path)


def page_of(ds: pydicom.Dataset) -> str:
    return f"/studies/{ds.StudyInstanceUID}/objects/{ds.SOPInstanceUID}/"


def test_a_report_is_read_line_by_line_and_leads_to_its_image(data_dir: Path, cast: Cast, client_of: ClientOf) -> None:
    folder = data_dir / "sr/dwv_tid1500"
    ds = send(folder / "squares.dcm", folder / "sr-ruler.dcm")
    image = pydicom.dcmread(folder / "squares.dcm")
    client = client_of(cast.reader)
    (entry,) = [
        one
        for one in client.get(f"/studies/{ds.StudyInstanceUID}/manifest.json").json()["stacks"]
        if one["Modality"] == "SR"
    ]
    assert entry["page"] == page_of(ds)
    html = client.get(page_of(ds)).content.decode()
    assert "Imaging Measurement Report" in html and "4.025316455696 mm" in html
    assert f'href="/studies/{ds.StudyInstanceUID}/viewer/?view={image.SeriesInstanceUID}~1"' in html


def test_a_pdf_is_shown_in_the_page_and_in_no_page_of_others(data_dir: Path, cast: Cast, client_of: ClientOf) -> None:
    ds = send(data_dir / "waveform_pdf/sample-pdf.dcm")
    client = client_of(cast.reader)
    address = f"/api/instances/{ds.SOPInstanceUID}/document.pdf"
    assert f'src="{address}"' in client.get(page_of(ds)).content.decode()
    answer = client.get(address)
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content == ds.EncapsulatedDocument[: len(answer.content)] and answer.content.startswith(b"%PDF-")
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in answer["Content-Security-Policy"]


def test_an_ecg_is_a_page_with_its_channels_and_its_samples_come_part_by_part(cast: Cast, client_of: ClientOf) -> None:
    ds = send(wheel_ecg())
    client = client_of(cast.reader)
    html = client.get(page_of(ds)).content.decode()
    assert "642341" in html and "RR Interval: 982 ms" in html and "0.298 s P Onset" in html
    address = f"/api/instances/{ds.SOPInstanceUID}/waveform"
    data = json.loads(html.split('id="waveform-data" type="application/json">')[1].split("</script>")[0])
    assert (data["address"], data["groups"][0]["channels"][1]["name"]) == (address, "II")
    stored = np.frombuffer(ds.WaveformSequence[0].WaveformData, "<i2").reshape(-1, 12)
    answer = client.get(f"{address}?group=1&first=2506&count=3")
    assert answer.json() == {"group": 1, "first": 2506, "samples": stored[2506:2509].T.tolist()}
    for query, status in (("group=3", 400), ("first=10000", 400), ("first=-1", 400), ("count=x", 400)):
        assert client.get(f"{address}?{query}").status_code == status, query


def test_a_video_is_given_by_ranges_of_its_bytes(data_dir: Path, cast: Cast, client_of: ClientOf) -> None:
    ds = send(data_dir / "video/derived_h264_us.dcm")
    client = client_of(cast.reader)
    (entry,) = client.get(f"/studies/{ds.StudyInstanceUID}/manifest.json").json()["stacks"]
    assert (entry["page"], entry["drawable"]) == (page_of(ds), False)
    html = client.get(page_of(ds)).content.decode()
    address = f"/api/instances/{ds.SOPInstanceUID}/video"
    assert f'<video class="video-picture" src="{address}"' in html and '"frames": 34, "frame_ms": 66.667' in html
    # The offset table's item, then one item that holds the stream.
    ((stream,),) = [list(generate_fragments(ds.PixelData))[1:]]
    whole = client.get(address)
    assert (whole.status_code, whole["Content-Type"], whole["Accept-Ranges"]) == (200, "video/mp4", "bytes")
    assert b"".join(whole.streaming_content) == stream  # type: ignore[attr-defined]
    size = len(stream)
    for asked, first, last in (
        ("bytes=0-", 0, size - 1),
        ("bytes=1000-1999", 1000, 1999),
        (f"bytes={size - 10}-{size + 10}", size - 10, size - 1),
        ("bytes=-32", size - 32, size - 1),
    ):
        part = client.get(address, headers={"Range": asked})
        assert (part.status_code, part["Content-Range"]) == (206, f"bytes {first}-{last}/{size}"), asked
        assert b"".join(part.streaming_content) == stream[first : last + 1]  # type: ignore[attr-defined]
        assert int(part["Content-Length"]) == last + 1 - first
    for beyond in (f"bytes={size}-", "bytes=-0", "bytes=-", "bytes=9-4"):
        refused = client.get(address, headers={"Range": beyond})
        assert (refused.status_code, refused["Content-Range"]) == (416, f"bytes */{size}"), beyond


def test_a_video_that_no_browser_plays_is_said_to_be_one(
    data_dir: Path, tmp_path: Path, cast: Cast, client_of: ClientOf
) -> None:
    ds = pydicom.dcmread(data_dir / "video/derived_h264_us.dcm")
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.100"
    ds.PixelData = encapsulate([b"\x00\x00\x01\xba" + bytes(1020)])
    ds.save_as(tmp_path / "mpeg2.dcm")
    send(tmp_path / "mpeg2.dcm")
    client = client_of(cast.reader)
    html = client.get(page_of(ds)).content.decode()
    assert "This video is MPEG-2 Main Profile, in a form that browsers cannot play." in html
    assert "<video" not in html and f'href="/api/instances/{ds.SOPInstanceUID}/video" download' in html


def test_objects_are_for_those_who_may_read_them(data_dir: Path, cast: Cast, client_of: ClientOf) -> None:
    ds = send(data_dir / "waveform_pdf/sample-pdf.dcm")
    for address in (page_of(ds), f"/api/instances/{ds.SOPInstanceUID}/document.pdf"):
        assert client_of(cast.outsider).get(address).status_code == 404
        assert client_of(cast.technologist).get(address).status_code == 404
    for kind in ("waveform", "video"):
        # Of another kind, and for nobody else in any case.
        address = f"/api/instances/{ds.SOPInstanceUID}/{kind}"
        assert client_of(cast.reader).get(address).status_code == 404
    other = page_of(ds).replace(str(ds.StudyInstanceUID), "2.25.4")
    assert client_of(cast.reader).get(other).status_code == 404
    assert Study.objects.count() == 1
