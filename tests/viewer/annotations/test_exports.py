"""Measurements as DICOM objects: valid for dciodvfy, read back by highdicom, drawn and written by dcmtk."""

from __future__ import annotations

import math
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import highdicom
import numpy as np
import pydicom
import pytest
from PIL import Image as Picture
from pydicom import Dataset

from archive.indexing.writer import index_waiting_files
from archive.jobs import run
from archive.models import Instance, Job, QuarantinedFile, Study
from archive.storage import layout
from tests.journeys.sending import forget_what_was_drawn, send_file, store
from tests.phantoms import PET_IMAGE, ct_image, mr_image, multi_frame, ramp
from tests.viewer.stacks.test_mapping_objects import mapping_object
from viewer.stacks.manifest import study_manifest

if TYPE_CHECKING:
    from django.test import Client

    from tests.conftest import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "alone")]
ClientOf = Callable[..., "Client"]
DCIODVFY, DSR2HTML, DCMP2PGM = (f"/usr/bin/{name}" for name in ("dciodvfy", "dsr2html", "dcmp2pgm"))
LINE = {"kind": "length", "geometry": {"points": [[2, 3], [5, 7]]}, "label": "target 1"}


def draw(client: Client, image: Dataset, **values: Any) -> None:
    one = {
        "version": 0,
        "stack": image.SeriesInstanceUID,
        "SOPInstanceUID": image.SOPInstanceUID,
        "FrameNumber": 1,
        "label": "",
        **values,
    }
    address = f"/api/studies/{image.StudyInstanceUID}/annotations/{uuid4()}"
    assert client.put(address, one, content_type="application/json").status_code == 200


def work() -> str:
    """Let the worker write what is owed; the sentence that the last job ended with."""
    while run.run_waiting_jobs():
        pass
    index_waiting_files()
    forget_what_was_drawn()
    assert not QuarantinedFile.objects.exists()
    job = Job.objects.filter(kind__in=("measurements", "view")).latest("pk")
    assert job.state == Job.State.DONE, job.message
    return job.message


def export(client: Client, study_instance_uid: str) -> dict[str, Path]:
    """Export; the files by modality."""
    answer = client.post(f"/api/studies/{study_instance_uid}/annotations/export")
    assert answer.status_code == 202, answer.content
    work()
    return written()


def written() -> dict[str, Path]:
    rows = Instance.objects.filter(door="derived").select_related("stored_file", "series").order_by("pk")
    return {row.series.modality: layout.path_of(row.stored_file.key) for row in rows}


def errors_of(path: Path) -> list[str]:
    result = subprocess.run([DCIODVFY, "-new", str(path)], capture_output=True, text=True, timeout=60, check=False)
    return [line for line in (result.stdout + result.stderr).splitlines() if line.startswith("Error")]


def numbers_of(path: Path) -> list[tuple[str, str, float, str]]:
    """Group, name with derivation, value and unit of every measurement, read by highdicom."""
    ds = pydicom.dcmread(path)
    kind = highdicom.sr.Comprehensive3DSR if "3D" in ds.SOPClassUID.name else highdicom.sr.ComprehensiveSR
    content = kind.from_dataset(ds).content
    found = []
    groups = [*content.get_planar_roi_measurement_groups(), *content.get_image_measurement_groups()]
    for group in groups:
        for one in group.get_measurements():
            name = " ".join(part.meaning for part in (one.name, one.derivation) if part is not None)
            found.append((group.tracking_identifier, name, round(one.value, 3), one.unit.value))
    return found


@pytest.fixture
def mister(data_dir: Path) -> Dataset:
    """A real MR image in the archive, 512 x 512 pixels of 0.390625 mm."""
    path = data_dir / "mr_series/mister_mr/cor_t1/0007.dcm"
    send_file(path)
    index_waiting_files()
    return pydicom.dcmread(path)


def test_measurements_of_a_real_image_become_three_valid_objects(
    mister: Dataset, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.reader)
    draw(client, mister, kind="length", geometry={"points": [[100, 120], [160, 200]]}, label="meniscus")
    draw(client, mister, kind="bidirectional", geometry={"points": [[10, 10], [10, 20], [5, 15], [35, 15]]})
    draw(client, mister, kind="angle", geometry={"points": [[20, 10], [10, 10], [10, 20]]})
    draw(client, mister, kind="rectangle", geometry={"points": [[240, 250], [260, 280]]})
    draw(client, mister, kind="arrow", geometry={"points": [[40, 50], [60, 80]]}, label="look here")
    draw(client, mister, kind="key_image", geometry={"points": []}, label="tear")
    files = export(client, mister.StudyInstanceUID)
    assert {modality: errors_of(path) for modality, path in files.items()} == {"KO": [], "PR": [], "SR": []}

    row, column = map(float, mister.PixelSpacing)
    inside = mister.pixel_array[250:280, 240:260].astype(float)
    assert inside.min() > 0  # 0 is padding here
    assert numbers_of(files["SR"]) == [
        ("rectangle", "Area", round(600 * row * column, 3), "mm2"),
        ("rectangle", "MR signal intensity Mean", round(inside.mean(), 3), "1"),
        ("rectangle", "MR signal intensity Standard Deviation", round(inside.std(), 3), "1"),
        ("rectangle", "MR signal intensity Minimum", inside.min(), "1"),
        ("rectangle", "MR signal intensity Maximum", inside.max(), "1"),
        ("meniscus", "Length", round(math.hypot(60 * column, 80 * row), 3), "mm"),
        ("bidirectional", "Long axis", round(30 * column, 3), "mm"),
        ("bidirectional", "Short axis", round(10 * row, 3), "mm"),
        ("angle", "Angle", 90.0, "deg"),
    ]
    said = subprocess.run([DSR2HTML, "-Ee", str(files["SR"])], capture_output=True, text=True, check=True).stdout
    assert "Imaging Measurement Report" in said and "meniscus" in said
    keys = highdicom.ko.KeyObjectSelectionDocument.from_dataset(pydicom.dcmread(files["KO"]))
    assert [item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for item in keys.content.get_references()] == [
        mister.SOPInstanceUID
    ]


def test_ways_distances_and_ratios_are_told_by_codes_that_others_know(
    mister: Dataset, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.reader)
    draw(client, mister, kind="polyline", geometry={"points": [[10, 10], [40, 10], [40, 50]]})
    draw(client, mister, kind="line_distance", geometry={"points": [[10, 100], [30, 100], [60, 140]]})
    draw(client, mister, kind="cardiothoracic", geometry={"points": [[100, 200], [160, 200], [70, 220], [190, 220]]})
    path = export(client, mister.StudyInstanceUID)["SR"]
    assert errors_of(path) == []
    row, column = map(float, mister.PixelSpacing)
    assert numbers_of(path) == [
        ("polyline", "Path length", round(30 * column + 40 * row, 3), "mm"),
        ("line distance", "Distance", round(40 * row, 3), "mm"),
        ("cardiothoracic", "Ratio", 0.5, "{ratio}"),
        ("cardiothoracic", "Width", round(60 * column, 3), "mm"),
        ("cardiothoracic", "Width", round(120 * column, 3), "mm"),
    ]
    ds = pydicom.dcmread(path)
    assert [
        one.ConceptCodeSequence[0].CodeMeaning
        for element in ds.iterall()
        if element.keyword == "ContentSequence"
        for one in element.value
        if one.ValueType == "CODE" and one.ConceptNameCodeSequence[0].CodeMeaning == "Finding Site"
    ][-2:] == ["Heart", "Thorax"]
    # The perpendicular of the distance meets the line through (10, 100) and (30, 100) below (60, 140).
    points = [np.reshape(element.value, (-1, 3)) for element in ds.iterall() if element.keyword == "GraphicData"]
    position, along = np.array(mister.ImagePositionPatient, float), np.array(mister.ImageOrientationPatient, float)
    foot = position + 59.5 * column * along[:3] + 99.5 * row * along[3:]
    assert any(np.allclose(one[0], foot, atol=1e-3) for one in points)


def test_a_caliper_on_a_spectrum_is_told_as_time_and_velocity(cast: Cast, client_of: ClientOf) -> None:
    image = multi_frame(3, rows=16, columns=16)
    region = Dataset()
    region.RegionLocationMinX0 = region.RegionLocationMinY0 = 0
    region.RegionLocationMaxX1 = region.RegionLocationMaxY1 = 15
    region.PhysicalUnitsXDirection, region.PhysicalUnitsYDirection = 4, 7
    region.PhysicalDeltaX, region.PhysicalDeltaY = 0.005, -0.5
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 3, 3, 0
    image.SequenceOfUltrasoundRegions = [region]
    store(image)
    client = client_of(cast.reader)
    draw(client, image, **LINE, stack=image.SOPInstanceUID)
    path = export(client, image.StudyInstanceUID)["SR"]
    assert errors_of(path) == []
    # From (2, 3) to (5, 7): three pixels of 5 ms and four of 0.5 cm/s.
    assert numbers_of(path) == [
        ("target 1", "Duration (attribute)", 0.015, "s"),
        ("target 1", "Velocity difference", 2.0, "cm/s"),
    ]


def test_ends_of_a_length_lie_in_the_patient(mister: Dataset, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.reader)
    draw(client, mister, kind="length", geometry={"points": [[0.5, 0.5], [10.5, 20.5]]})
    ds = pydicom.dcmread(export(client, mister.StudyInstanceUID)["SR"])
    assert ds.SOPClassUID.name == "Comprehensive 3D SR Storage"
    points = [element.value for element in ds.iterall() if element.keyword == "GraphicData"]
    row, column = map(float, mister.PixelSpacing)
    position, along = np.array(mister.ImagePositionPatient, float), np.array(mister.ImageOrientationPatient, float)
    end = position + 10 * column * along[:3] + 20 * row * along[3:]
    assert np.allclose(np.reshape(points, (-1, 3)), [position, end], atol=1e-3)


def test_where_an_image_has_no_place_its_pixels_are_named_with_the_frame(cast: Cast, client_of: ClientOf) -> None:
    image = multi_frame(3, rows=16, columns=16)
    store(image)
    client = client_of(cast.reader)
    draw(client, image, **LINE, stack=image.SOPInstanceUID, FrameNumber=2)
    draw(client, image, kind="key_image", geometry={"points": []}, stack=image.SOPInstanceUID, FrameNumber=3)
    files = export(client, image.StudyInstanceUID)
    ds = pydicom.dcmread(files["SR"])
    assert ds.SOPClassUID.name == "Comprehensive SR Storage"
    assert numbers_of(files["SR"]) == [("target 1", "Length", 5.0, "{pixels}")]
    frames = [element.value for element in ds.iterall() if element.keyword == "ReferencedFrameNumber"]
    assert frames == [2]
    keys = pydicom.dcmread(files["KO"])
    assert [one.value for one in keys.iterall() if one.keyword == "ReferencedFrameNumber"] == [3]
    texts = [one.value for one in ds.iterall() if one.keyword == "TextValue"]
    assert "no scale in the file here" in texts


@pytest.mark.skipif(not shutil.which(DCMP2PGM), reason="dcmtk is not installed")
def test_dcmtk_draws_the_saved_view_as_the_reader_saw_it(cast: Cast, client_of: ClientOf, tmp_path: Path) -> None:
    """Window 200 around 100 HU on a ramp; the part from column 2, row 1 to column 10, row 5, turned by 90 degrees."""
    image = ct_image(ramp(16, 12, start=1024), z=0)
    store(image)
    client = client_of(cast.reader)
    draw(client, image, kind="length", geometry={"points": [[0, 15.5], [11, 15.5]]})
    view = {
        "rotation": 90,
        "flipped": False,
        "inverted": False,
        "area": [2, 1, 10, 5],
        "window": {"center": 100, "width": 200, "function": "linear"},
        "description": "as seen",
    }
    stack = study_manifest(Study.objects.get())["stacks"][0]["stack"]
    answer = client.post(f"/api/stacks/{stack}/frames/1/view", view, content_type="application/json")
    assert answer.status_code == 202, answer.content
    assert work() == "The view was saved as a presentation state."
    state = written()["PR"]
    assert errors_of(state) == []

    picture = tmp_path / "view.pgm"
    source = tmp_path / "image.dcm"
    shutil.copy(layout.path_of(Instance.objects.get(series__modality="CT").stored_file.key), source)
    command = [DCMP2PGM, "-p", str(state), str(source), str(picture)]
    subprocess.run(command, capture_output=True, check=True, timeout=60)
    shown = np.asarray(Picture.open(picture))
    hu = ramp(16, 12, start=1024).astype(float) - 1024
    # PS3.3 C.11.2.1.2.1 with c = 100, w = 200, then 90 degrees clockwise; dcmtk writes P-values through 8 bits.
    grey = np.clip(((hu - 99.5) / 199 + 0.5) * 255, 0, 255)
    assert np.abs(shown.astype(float) - np.rot90(grey, -1)).max() <= 1
    # dcmtk draws the whole image. C.10.4: the corner that is upper left once turned is the lower left one.
    (area,) = pydicom.dcmread(state).DisplayedAreaSelectionSequence
    assert (area.DisplayedAreaTopLeftHandCorner, area.DisplayedAreaBottomRightHandCorner) == ([3, 5], [10, 2])


def test_the_same_export_asked_for_twice_is_two_jobs_and_nothing_is_held_back(
    mister: Dataset, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.reader)
    draw(client, mister, **LINE)
    export(client, mister.StudyInstanceUID)
    export(client, mister.StudyInstanceUID)
    assert Instance.objects.filter(door="derived", series__modality="SR").count() == 2
    again = Job.objects.filter(kind="measurements").latest("pk")
    Job.objects.filter(pk=again.pk).update(state=Job.State.QUEUED)
    work()
    assert Instance.objects.filter(door="derived", series__modality="SR").count() == 2


def test_only_radiologists_write_and_only_what_there_is(mister: Dataset, cast: Cast, client_of: ClientOf) -> None:
    address = f"/api/studies/{mister.StudyInstanceUID}/annotations/export"
    assert client_of(cast.reader).post(address).status_code == 409
    assert client_of(cast.technologist).post(address).status_code == 403
    assert client_of(cast.outsider).post(address).status_code == 404


@pytest.mark.parametrize(
    ("name", "value"),
    [("rotation", 45), ("flipped", "yes"), ("area", [5, 1, 2, 3]), ("window", {"center": 1, "width": 0})],
)
def test_a_view_that_is_none_is_refused_with_the_name_of_the_value(
    mister: Dataset, cast: Cast, client_of: ClientOf, name: str, value: object
) -> None:
    view = {"rotation": 0, "flipped": False, "inverted": False, "area": [0, 0, 9, 9], "window": None, name: value}
    address = f"/api/stacks/{mister.SeriesInstanceUID}/frames/1/view"
    answer = client_of(cast.reader).post(address, view, content_type="application/json")
    assert (answer.status_code, answer.json()["error"].split(":")[0]) == (400, name)


def test_values_go_out_in_the_units_that_they_were_read_in(cast: Cast, client_of: ClientOf) -> None:
    diffusion = mr_image(ramp(start=100))
    lean = mr_image(ramp(start=1), SeriesInstanceUID="2.25.9901", Units="GML", SUVType="LBM")
    lean.SOPClassUID, lean.Modality, lean.SOPInstanceUID = PET_IMAGE, "PT", "2.25.9902"
    store(diffusion, lean, mapping_object(diffusion))
    reader = client_of(cast.reader)
    for image in (diffusion, lean):
        draw(reader, image, kind="rectangle", geometry={"points": [[0, 0], [4, 1]]})

    path = export(reader, diffusion.StudyInstanceUID)["SR"]

    means = {(value, unit) for _, name, value, unit in numbers_of(path) if name.endswith("Mean")}
    # 0.5 x 101.5 - 1 as the mapping object says, and 2.5 of stored 1 to 4, by lean body mass as the file says.
    assert means == {(49.75, "mm2/s"), (2.5, "g/ml{SUVlbm}")}
    assert any("SUVlbm" in name or "lean" in name for _, name, _, _ in numbers_of(path))
    assert errors_of(path) == []
