"""Segmentations and structure sets on the images of their frame of reference, against highdicom and numpy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import highdicom
import numpy as np
import pydicom
import pydicom.sr.codedict
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from archive.models import Series, Study
from tests.journeys.sending import forget_what_was_drawn, send_study, store
from tests.phantoms import ct_image, ramp

if TYPE_CHECKING:
    from django.test import Client

    from tests.conftest import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "alone")]
ClientOf = Callable[..., "Client"]


def asked(client: Client, address: str) -> Any:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content
    return answer.json()


def painted(mask: dict[str, Any]) -> NDArray[np.int64]:
    """Values of a mask from its runs."""
    flat = np.zeros(mask["rows"] * mask["columns"], np.int64)
    for start, length, value in np.reshape(mask["runs"], (-1, 3)):
        flat[start : start + length] = value
    return flat.reshape(mask["rows"], mask["columns"])


def slices(folder: Path) -> list[pydicom.Dataset]:
    """Images of a folder by their position, as a stack orders axial ones."""
    return sorted(
        (pydicom.dcmread(path) for path in folder.iterdir()), key=lambda ds: float(ds.ImagePositionPatient[2])
    )


def test_overlapping_segments_lie_on_their_slices_pixel_by_pixel(
    data_dir: Path, cast: Cast, client_of: ClientOf
) -> None:
    folder, path = data_dir / "ct_series/liver_3slice", data_dir / "seg_rt/liver_partial_overlaps.dcm"
    study, client = send_study(*folder.iterdir(), path), client_of(cast.reader)
    (overlay,) = asked(client, f"/api/studies/{study.study_instance_uid}/overlays")["overlays"]
    ct = Series.objects.get(modality="CT").series_instance_uid
    assert (overlay["kind"], overlay["stacks"]) == ("binary", [ct])
    seg = highdicom.seg.segread(path)
    assert [(one["number"], one["label"]) for one in overlay["segments"]] == [
        (number, seg.get_segment_description(number).segment_label) for number in seg.segment_numbers
    ]
    images = slices(folder)
    uids = [image.SOPInstanceUID for image in images]
    expected = seg.get_pixels_by_source_instance(
        uids, ignore_spatial_locations=True, assert_missing_frames_are_empty=True
    )
    for frame in range(1, 4):
        address = f"/api/stacks/{ct}/frames/{frame}/overlays/{overlay['SOPInstanceUID']}"
        masks = asked(client, address)["masks"]
        found = np.zeros(expected.shape[1:], np.int64)
        for mask in masks:
            assert np.allclose(mask["affine"], [1, 0, 0, 1, 0, 0], atol=1e-6)
            found[..., mask["segment"] - 1] |= painted(mask)
        shown = uids.index(asked(client, f"/stacks/{ct}/manifest.json")["frames"][frame - 1]["SOPInstanceUID"])
        assert np.array_equal(found, expected[shown])
    row, column = map(float, images[0].PixelSpacing)
    gap = float(images[1].ImagePositionPatient[2]) - float(images[0].ImagePositionPatient[2])
    volumes = expected.sum(axis=(0, 1, 2)) * row * column * gap / 1000
    hu = np.stack([image.pixel_array * float(image.RescaleSlope) + float(image.RescaleIntercept) for image in images])
    told = asked(client, f"/api/stacks/{ct}/overlays/{overlay['SOPInstanceUID']}/statistics")
    assert told["unit"] == "HU"
    for index, one in enumerate(told["segments"]):
        inside = hu[expected[..., index] > 0]
        assert np.isclose(one["volume_ml"], volumes[index])
        assert one["count"] == inside.size
        numbers = [one[name] for name in ("mean", "sd", "minimum", "maximum")]
        assert np.allclose(numbers, [inside.mean(), inside.std(), inside.min(), inside.max()])


def test_segments_of_a_pet_lie_at_the_same_place_of_the_ct(data_dir: Path, cast: Cast, client_of: ClientOf) -> None:
    """PET pixels of 4.69 mm over CT pixels of 0.98 mm, one frame of reference."""
    folder = data_dir / "petct/acrin_042"
    study = send_study(*folder.glob("ct/*"), *folder.glob("pet_ac/*"), folder / "seg_0.dcm")
    client = client_of(cast.reader)
    (overlay,) = asked(client, f"/api/studies/{study.study_instance_uid}/overlays")["overlays"]
    ct = Series.objects.get(modality="CT").series_instance_uid
    pet = Series.objects.get(modality="PT").series_instance_uid
    assert set(overlay["stacks"]) == {ct, pet}
    seg = pydicom.dcmread(folder / "seg_0.dcm")
    groups = seg.PerFrameFunctionalGroupsSequence
    places = [float(one.PlanePositionSequence[0].ImagePositionPatient[2]) for one in groups]
    numbers = [int(one.SegmentIdentificationSequence[0].ReferencedSegmentNumber) for one in groups]
    images = slices(folder / "ct")
    frames = asked(client, f"/stacks/{ct}/manifest.json")["frames"]
    drawn = 0
    for frame_number, frame in enumerate(frames, start=1):
        z = frame["ImagePositionPatient"][2]
        near = {
            number: pixels
            for at, number, pixels in zip(places, numbers, seg.pixel_array, strict=True)
            if abs(at - z) < 0.01 and pixels.any()
        }
        masks = asked(client, f"/api/stacks/{ct}/frames/{frame_number}/overlays/{overlay['SOPInstanceUID']}")["masks"]
        assert {mask["segment"] for mask in masks} == set(near)
        for mask in masks:
            drawn += 1
            assert np.array_equal(painted(mask), near[mask["segment"]])
            a, b, c, d, e, f = mask["affine"]
            ratio = 4.6875 / float(images[0].PixelSpacing[1])
            assert (round(b, 9), round(c, 9)) == (0, 0)
            assert np.allclose([a, d], ratio, rtol=1e-3)
            # The outer corner of the first PET pixel, in mm of the patient, is that far from the CT's.
            pet_corner = np.array(_position(seg)) - 4.6875 / 2
            ct_corner = np.array(frame["ImagePositionPatient"][:2]) - float(images[0].PixelSpacing[0]) / 2
            assert np.allclose([e, f], (pet_corner - ct_corner) / float(images[0].PixelSpacing[0]), atol=1e-2)
    assert drawn > 3


def _position(seg: pydicom.Dataset) -> list[float]:
    return [
        float(part)
        for part in seg.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0].ImagePositionPatient[:2]
    ]


def test_a_structure_set_lies_on_its_slices_with_names_and_colors(
    data_dir: Path, cast: Cast, client_of: ClientOf
) -> None:
    folder = data_dir / "petct/sts_001"
    study, client = send_study(*folder.glob("ct/**/*.dcm"), folder / "rtstruct_ct.dcm"), client_of(cast.reader)
    (overlay,) = asked(client, f"/api/studies/{study.study_instance_uid}/overlays")["overlays"]
    ds = pydicom.dcmread(folder / "rtstruct_ct.dcm")
    names = {int(one.ROINumber): str(one.ROIName) for one in ds.StructureSetROISequence}
    colors = {
        int(one.ReferencedROINumber): [int(part) for part in one.ROIDisplayColor] for one in ds.ROIContourSequence
    }
    assert {one["number"]: one["label"] for one in overlay["segments"]} == names
    assert {one["number"]: one["color"] for one in overlay["segments"]} == colors
    ct = Series.objects.get(modality="CT").series_instance_uid
    assert overlay["kind"] == "contours" and overlay["stacks"] == [ct]

    contours = [
        (int(roi.ReferencedROINumber), np.reshape(one.ContourData, (-1, 3)).astype(float))
        for roi in ds.ROIContourSequence
        for one in roi.ContourSequence
    ]
    images = sorted(map(pydicom.dcmread, folder.glob("ct/**/*.dcm")), key=lambda one: one.ImagePositionPatient[2])
    frames = asked(client, f"/stacks/{ct}/manifest.json")["frames"]
    at = {image.SOPInstanceUID: image for image in images}
    number, points = contours[len(contours) // 2]
    (frame,) = [
        index for index, one in enumerate(frames, 1) if abs(one["ImagePositionPatient"][2] - points[0, 2]) < 0.01
    ]
    address = f"/api/stacks/{ct}/frames/{frame}/overlays/{overlay['SOPInstanceUID']}"
    outlines = asked(client, address)["outlines"]
    image = at[frames[frame - 1]["SOPInstanceUID"]]
    spacing, position = float(image.PixelSpacing[0]), np.array(image.ImagePositionPatient[:2], float)
    wanted = (points[:, :2] - position) / spacing + 0.5
    assert any(
        one["segment"] == number and len(one["points"]) == len(wanted) and np.allclose(one["points"], wanted, atol=2e-3)
        for one in outlines
    )

    told = asked(client, f"/api/stacks/{ct}/overlays/{overlay['SOPInstanceUID']}/statistics")["segments"]
    gap = float(images[1].ImagePositionPatient[2]) - float(images[0].ImagePositionPatient[2])
    for one in told:
        area = sum(_shoelace(points) for number, points in contours if number == one["number"])
        assert one["volume_ml"] <= area * gap / 1000 + 1e-6
        inside, count = _values_inside(images, [points for roi, points in contours if roi == one["number"]])
        assert one["count"] == pytest.approx(count, rel=0.03)
        if count > 500:
            assert one["mean"] == pytest.approx(inside.mean(), rel=0.05, abs=2)


def _shoelace(points: NDArray[np.float64]) -> float:
    x, y = points[:, 0], points[:, 1]
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(np.roll(x, -1), y))) / 2


def _values_inside(images: list[pydicom.Dataset], contours: list[NDArray[np.float64]]) -> tuple[NDArray[Any], int]:
    """HU inside outlines filled by Pillow at eight times the size."""
    found = []
    for image in images:
        mask = np.zeros((image.Rows, image.Columns), bool)
        spacing, position = float(image.PixelSpacing[0]), np.array(image.ImagePositionPatient[:2], float)
        for points in contours:
            if abs(points[0, 2] - float(image.ImagePositionPatient[2])) > 0.01:
                continue
            large = Image.new("1", (image.Columns * 8, image.Rows * 8))
            pixels = ((points[:, :2] - position) / spacing + 0.5) * 8 - 0.5
            ImageDraw.Draw(large).polygon([tuple(point) for point in pixels.tolist()], fill=1)
            mask ^= np.asarray(large)[4::8, 4::8]
        found.append((image.pixel_array * float(image.RescaleSlope) + float(image.RescaleIntercept))[mask])
    inside = np.concatenate(found)
    return inside, inside.size


def test_only_objects_of_the_same_frame_of_reference_can_be_asked_for(
    data_dir: Path, cast: Cast, client_of: ClientOf
) -> None:
    path = data_dir / "seg_rt/liver_partial_overlaps.dcm"
    study = send_study(*(data_dir / "ct_series/liver_3slice").iterdir(), path)
    ct, uid = Series.objects.get(modality="CT").series_instance_uid, pydicom.dcmread(path).SOPInstanceUID
    address = f"/api/stacks/{ct}/frames/1/overlays/{uid}"
    assert client_of(cast.outsider).get(address).status_code == 404
    assert client_of(cast.reader).get(address + "9").status_code == 404
    Series.objects.filter(modality="CT").update(frame_of_reference_uid="2.25.1")
    Study.objects.filter(pk=study.pk).update(revision=study.revision + 1)
    forget_what_was_drawn()
    assert client_of(cast.reader).get(address).status_code == 404


def made_by_highdicom(images: list[pydicom.Dataset], kind: str, pixels: NDArray[Any]) -> pydicom.Dataset:
    """A segmentation of two segments with the color of L* 54.29, a* 80.81, b* 69.89 (D50) for the first: sRGB red."""
    codes = pydicom.sr.codedict.codes
    segments = [
        highdicom.seg.SegmentDescription(
            number,
            f"part {number}",
            codes.SCT.Tissue,
            codes.SCT.Bone,
            highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
            display_color=highdicom.color.CIELabColor(54.29, 80.81, 69.89) if number == 1 else None,
        )
        for number in (1, 2)
    ]
    return highdicom.seg.Segmentation(
        images,
        pixels,
        kind,
        segments,
        series_instance_uid=highdicom.UID(),
        series_number=50,
        sop_instance_uid=highdicom.UID(),
        instance_number=1,
        manufacturer="A",
        manufacturer_model_name="B",
        software_versions="C",
        device_serial_number="D",
        max_fractional_value=200,
    )


@pytest.mark.parametrize("kind", ["FRACTIONAL", "LABELMAP"])
def test_fractions_and_label_maps_are_told_as_they_were_written(kind: str, cast: Cast, client_of: ClientOf) -> None:
    unknown = dict.fromkeys(
        ("PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate", "StudyTime"), ""
    )
    images = [ct_image(ramp(start=1024), z=5.0 * n, number=n + 1, **unknown) for n in range(2)]
    labels = np.zeros((2, 16, 16), np.uint8)
    labels[0, 2:6, 3:9], labels[1, 8:10, :] = 1, 2
    fractions = np.stack([labels == 1, labels == 2], axis=-1) * np.array([0.25, 1.0])
    ds = made_by_highdicom(images, kind, labels if kind == "LABELMAP" else fractions)
    store(*images, ds)
    forget_what_was_drawn()
    client = client_of(cast.reader)
    (overlay,) = asked(client, f"/api/studies/{images[0].StudyInstanceUID}/overlays")["overlays"]
    assert overlay["kind"] == kind.lower()
    assert np.abs(np.array(overlay["segments"][0]["color"]) - [255, 0, 0]).max() <= 1
    (stack,) = overlay["stacks"]
    strength = {1: 50, 2: 200} if kind == "FRACTIONAL" else {1: 1, 2: 1}
    for frame in (1, 2):
        (mask,) = asked(client, f"/api/stacks/{stack}/frames/{frame}/overlays/{ds.SOPInstanceUID}")["masks"]
        assert np.array_equal(painted(mask), (labels[frame - 1] == mask["segment"]) * strength[mask["segment"]])
        assert mask["segment"] == frame
    told = asked(client, f"/api/stacks/{stack}/overlays/{ds.SOPInstanceUID}/statistics")["segments"]
    share = 0.25 if kind == "FRACTIONAL" else 1.0
    # 24 pixels of 0.5 x 0.5 mm in slices of 5 mm, 32 pixels of the other; a quarter of a pixel covers none.
    assert [one["volume_ml"] for one in told] == pytest.approx([24 * 1.25 / 1000 * share, 32 * 1.25 / 1000])
    assert [one["count"] for one in told] == [0 if kind == "FRACTIONAL" else 24, 32]
    assert told[1]["mean"] == pytest.approx(ramp()[8:10].mean())
