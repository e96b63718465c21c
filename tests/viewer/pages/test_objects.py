"""Objects without a picture on pages of their own: reports of others with links to their images, documents as they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom
import pytest

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


def test_objects_are_for_those_who_may_read_them(data_dir: Path, cast: Cast, client_of: ClientOf) -> None:
    ds = send(data_dir / "waveform_pdf/sample-pdf.dcm")
    for address in (page_of(ds), f"/api/instances/{ds.SOPInstanceUID}/document.pdf"):
        assert client_of(cast.outsider).get(address).status_code == 404
        assert client_of(cast.technologist).get(address).status_code == 404
    other = page_of(ds).replace(str(ds.StudyInstanceUID), "2.25.4")
    assert client_of(cast.reader).get(other).status_code == 404
    assert Study.objects.count() == 1
