"""Measurements and key images of others stand on the images that they are about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest

from archive.models import Instance, Study
from tests.journeys.sending import send_study

if TYPE_CHECKING:
    from django.test import Client

    from tests.conftest import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "alone")]
ClientOf = Callable[..., "Client"]


def asked(client: Client, study: Study) -> dict[str, Any]:
    answer = client.get(f"/api/studies/{study.study_instance_uid}/elsewhere")
    assert answer.status_code == 200
    return dict(answer.json())


def test_a_ruler_of_another_viewer_lies_where_its_report_says(data_dir: Path, cast: Cast, client_of: ClientOf) -> None:
    folder = data_dir / "sr/dwv_tid1500"
    study = send_study(folder / "squares.dcm", folder / "sr-ruler.dcm")
    image, report = pydicom.dcmread(folder / "squares.dcm"), pydicom.dcmread(folder / "sr-ruler.dcm")
    found = asked(client_of(cast.reader), study)["findings"]
    assert [one["values"] for one in found] == [["Length 4.025 mm"]] * 3
    assert {(one["SOPInstanceUID"], one["FrameNumber"], one["report"]) for one in found} == {
        (image.SOPInstanceUID, 1, report.SOPInstanceUID)
    }
    group = report.ContentSequence[0].ContentSequence[0]
    (region,) = [one for one in group.ContentSequence if one.ValueType == "SCOORD"]
    assert np.allclose(found[0]["graphics"][0]["points"], np.reshape(region.GraphicData, (-1, 2)), atol=1e-3)
    assert found[0]["graphics"][0]["is_line"] is True


def test_a_circle_is_drawn_round_with_the_radius_of_its_report(data_dir: Path, cast: Cast, client_of: ClientOf) -> None:
    """dwv: radius 2 mm on pixels of 1 mm, middle and a point of the rim."""
    folder = data_dir / "sr/dwv_tid1500"
    study = send_study(folder / "squares.dcm", folder / "sr-circle.dcm")
    group = pydicom.dcmread(folder / "sr-circle.dcm").ContentSequence[0].ContentSequence[0]
    (region,) = [one for one in group.ContentSequence if one.ValueType == "SCOORD"]
    middle, rim = np.reshape(region.GraphicData, (2, 2))
    first = asked(client_of(cast.reader), study)["findings"][0]
    far = np.linalg.norm(np.array(first["graphics"][0]["points"]) - middle, axis=1)
    assert np.allclose(far, np.linalg.norm(rim - middle), atol=2e-3)


def test_measurements_of_a_real_study_come_with_their_names(data_dir: Path, cast: Cast, client_of: ClientOf) -> None:
    folder = data_dir / "mr_series/mister_mr"
    reports = sorted(folder.glob("sr_*/*.dcm"))
    images = sorted(folder.glob("cor_t1/*.dcm")) + sorted(folder.glob("sag_t1/*.dcm"))
    study = send_study(*images, *reports)
    found = asked(client_of(cast.reader), study)["findings"]
    said = {(one["name"], *one["values"]) for one in found}
    assert ("Length", "Length 55.99 mm") in said
    assert ("Bidirectional", "Long Axis 59.55 mm", "Short Axis 43.36 mm") in said
    known = set(Instance.objects.values_list("sop_instance_uid", flat=True))
    assert {one["SOPInstanceUID"] for one in found} <= known


def test_key_images_of_others_are_told_with_their_stack(data_dir: Path, cast: Cast, client_of: ClientOf) -> None:
    folder = data_dir / "mr_series/mister_mr"
    study = send_study(
        folder / "cor_t1/0007.dcm", folder / "sag_t1/0002.dcm", data_dir / "presentation/derived_kos_mister.dcm"
    )
    keys = asked(client_of(cast.reader), study)["key_images"]
    images = [
        pydicom.dcmread(folder / name, stop_before_pixels=True) for name in ("cor_t1/0007.dcm", "sag_t1/0002.dcm")
    ]
    assert [(one["SOPInstanceUID"], one["stack"], one["FrameNumber"]) for one in keys] == [
        (image.SOPInstanceUID, image.SeriesInstanceUID, 1) for image in images
    ]


def test_reports_of_others_are_for_those_who_read_reports(data_dir: Path, cast: Cast, client_of: ClientOf) -> None:
    folder = data_dir / "sr/dwv_tid1500"
    study = send_study(folder / "squares.dcm", folder / "sr-ruler.dcm")
    assert asked(client_of(cast.technologist), study)["findings"] == []
    address = f"/api/studies/{study.study_instance_uid}/elsewhere"
    assert client_of(cast.outsider).get(address).status_code == 404
