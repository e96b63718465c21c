"""De-identified files: read back by dcmdump and dciodvfy, which know nothing of ours."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence as Items

from archive.dicom.confidentiality import rules
from archive.dicom.deidentify import Deidentification, Option
from archive.dicom.part10 import read_dataset
from archive.pixels.deidentified import write_deidentified
from archive.pixels.describe import describe
from tests.phantoms import ct_image, ramp, to_part10_bytes

DCMDUMP, DCIODVFY = "/usr/bin/dcmdump", "/usr/bin/dciodvfy"
HOW = Deidentification(key="k" * 64, code="A1B2C3D4")
REAL = (
    "ct_series/crlm_1004",
    "mr_series/adc_cmb1",
    "petct/acrin_042",
    "cr_dx_mg",
    "us",
    "xa",
    "nm",
    "enhanced",
)


def deidentified(source: Path, folder: Path, how: Deidentification = HOW, masks: list | None = None) -> Path:
    target = folder / f"out-{source.name}"
    description = describe(read_dataset(source))
    with target.open("wb") as file:
        write_deidentified(source, file, how, description=description, masks=masks, work_folder=folder)
    return target


def dump(path: Path) -> str:
    done = subprocess.run([DCMDUMP, "+L", "-q", str(path)], capture_output=True, check=True)
    return done.stdout.decode("latin-1")


def written(ds: Dataset, folder: Path) -> Path:
    path = folder / "in.dcm"
    path.write_bytes(to_part10_bytes(ds))
    return path


def with_names(**more: object) -> Dataset:
    """An image that names its patient in every way that people have found."""
    ds = ct_image(
        ramp(),
        PatientName="Secret^Sally",
        PatientID="SEC-4711",
        PatientBirthDate="19720301",
        PatientSex="F",
        PatientAge="054Y",
        ReferringPhysicianName="Doctor^Dora",
        AccessionNumber="ACC0009",
        InstitutionName="Hospital of Hamelin",
        StudyDate="20261124",
        StudyTime="095812",
        StudyDescription="Chest of Sally Secret",
        SeriesDescription="Axial 5 mm",
        ProtocolName="SALLY special",
        DeviceSerialNumber="SN-77",
        StudyInstanceUID="1.2.3.4",
        SeriesInstanceUID="1.2.3.4.5",
        SOPInstanceUID="1.2.3.4.5.6",
        FrameOfReferenceUID="1.2.3.4.9",
        **more,
    )
    block = ds.private_block(0x0029, "SECRET MAKER", create=True)
    block.add_new(0x01, "LO", "Sally in private")
    inner = Dataset()
    inner.ReferencedSOPClassUID, inner.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4.5.6"
    ds.ReferencedImageSequence = Items([inner])
    request = Dataset()
    request.RequestedProcedureDescription, request.ScheduledProcedureStepID = "for Sally", "SEC-4711-1"
    ds.RequestAttributesSequence = Items([request])
    return ds


WORDS = ("Secret", "SECRET", "Sally", "SALLY", "SEC-4711", "19720301", "Dora", "ACC0009", "Hamelin", "1.2.3.4")


def test_no_identifying_value_remains(tmp_path: Path) -> None:
    text = dump(deidentified(written(with_names(), tmp_path), tmp_path))
    assert [word for word in (*WORDS, "20261124", "SN-77", "Axial", "054Y") if word in text] == []
    assert "ANON^A1B2C3D4" in text and "[YES]" in text


@pytest.mark.parametrize(
    ("option", "kept", "gone"),
    [
        (Option.FULL_DATES, ["20261124", "095812"], ["SN-77", "054Y"]),
        (Option.PATIENT_CHARACTERISTICS, ["054Y", "[F]"], ["20261124", "SN-77"]),
        (Option.DEVICE_IDENTITY, ["SN-77"], ["20261124", "054Y"]),
        (Option.CLEAN_DESCRIPTORS, ["Axial 5 mm"], ["Chest of", "special", "for Sally"]),
        (Option.UIDS, ["1.2.3.4.5.6"], ["20261124"]),
    ],
)
def test_each_option_keeps_what_it_says_and_nothing_else(
    option: Option, kept: list[str], gone: list[str], tmp_path: Path
) -> None:
    how = Deidentification(key="k", code="X", options=frozenset({option}))
    text = dump(deidentified(written(with_names(), tmp_path), tmp_path, how))
    assert [word for word in kept if word not in text] == []
    always = [word for word in WORDS if not (option is Option.UIDS and word == "1.2.3.4")]
    assert [word for word in (*gone, *always) if word in text] == []
    codes = dcmread(tmp_path / "out-in.dcm").DeidentificationMethodCodeSequence
    assert [(one.CodeValue, one.CodingSchemeDesignator) for one in codes] == [("113100", "DCM"), (str(option), "DCM")]


def test_dates_are_moved_by_the_same_number_of_days(tmp_path: Path) -> None:
    how = Deidentification(key="k", code="X", options=frozenset({Option.MODIFIED_DATES}), shift_days=-30)
    ds = with_names(SeriesDate="20261201", AcquisitionDateTime="20261201101500.5")
    found = dcmread(deidentified(written(ds, tmp_path), tmp_path, how))
    # 30 days before 24 November and 1 December 2026.
    assert (found.StudyDate, found.SeriesDate, found.StudyTime) == ("20261025", "20261101", "095812")
    assert found.AcquisitionDateTime == "20261101101500.5"
    assert found.LongitudinalTemporalInformationModified == "MODIFIED"
    assert not found.get("PatientBirthDate")


def test_uids_are_replaced_alike_wherever_they_stand(tmp_path: Path) -> None:
    found = dcmread(deidentified(written(with_names(), tmp_path), tmp_path))
    assert found.SOPInstanceUID == found.file_meta.MediaStorageSOPInstanceUID
    assert found.SOPInstanceUID == found.ReferencedImageSequence[0].ReferencedSOPInstanceUID
    assert found.SOPClassUID == "1.2.840.10008.5.1.4.1.1.2"
    again = Deidentification(key="another", code="X")
    assert dcmread(deidentified(tmp_path / "in.dcm", tmp_path, again)).SOPInstanceUID != found.SOPInstanceUID


def test_the_pixels_are_those_of_the_original(tmp_path: Path) -> None:
    found = dcmread(deidentified(written(with_names(), tmp_path), tmp_path))
    assert found.PixelData == with_names().PixelData
    assert "113101" not in [one.CodeValue for one in found.DeidentificationMethodCodeSequence]


def test_masks_cover_the_pixels_and_say_so(tmp_path: Path) -> None:
    path = deidentified(written(with_names(BurnedInAnnotation="YES"), tmp_path), tmp_path, masks=[(2, 3, 4, 5)])
    found = dcmread(path)
    values = np.frombuffer(found.PixelData, "<u2").reshape(16, 16)
    expected = ramp()
    expected[2:6, 3:8] = 0
    assert (values == expected).all()
    assert found.BurnedInAnnotation == "NO"
    assert [one.CodeValue for one in found.DeidentificationMethodCodeSequence] == ["113100", "113101"]


@pytest.mark.parametrize("folder", REAL)
def test_real_files_keep_their_form_and_lose_their_names(folder: str, data_dir: Path, tmp_path: Path) -> None:
    for source in some(data_dir / folder):
        original = read_dataset(source)
        path = deidentified(source, tmp_path)
        text = dump(path)
        assert [value for value in identifying(original) if value in text] == [], source.name
        if shutil.which(DCIODVFY):
            assert errors(path) - errors(source) == set(), source.name


def test_compressed_colour_is_decoded_and_covered(data_dir: Path, tmp_path: Path) -> None:
    source = next(
        path for path in some(data_dir / "us", most=50) if read_dataset(path).file_meta.TransferSyntaxUID.is_compressed
    )
    path = deidentified(source, tmp_path, masks=[(0, 0, 20, 60)])
    image = subprocess.run(["/usr/bin/dcmj2pnm", "+op", "-q", str(path)], capture_output=True, check=True).stdout
    header = re.match(rb"P[56]\s+(\d+)\s+(\d+)\s+(\d+)\s", image)
    assert header is not None
    columns, rows = int(header[1]), int(header[2])
    values = np.frombuffer(image[header.end() :], np.uint8).reshape(rows, columns, -1)
    assert values[:20, :60].max() <= 1
    assert values[20:, 60:].max() > 1


def some(folder: Path, most: int = 2) -> Iterable[Path]:
    """The first few images below a folder that this profile is for."""
    found = 0
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or found == most:
            continue
        try:
            description = describe(read_dataset(path))
        except Exception:  # noqa: S112 - no image
            continue
        if description.rows and description.frames:
            found += 1
            yield path


def identifying(ds: Dataset) -> set[str]:
    """Values by which the file names somebody: long enough to be told from others."""
    keywords = ("PatientName", "PatientID", "AccessionNumber", "StudyID", "InstitutionName", "StudyInstanceUID")
    keywords += ("SeriesInstanceUID", "SOPInstanceUID", "StudyDate", "PatientBirthDate", "ReferringPhysicianName")
    # The date of a dummy, which one of the files has as its own.
    return {value for value in (str(ds.get(keyword) or "") for keyword in keywords) if len(value) > 4} - {"19000101"}


def errors(path: Path) -> set[str]:
    done = subprocess.run([DCIODVFY, "-new", str(path)], capture_output=True, text=True, check=False, errors="replace")
    return {re.sub(r"<[^>]*>|\d+\.\d[\d.]+", "", line) for line in done.stderr.splitlines() if line.startswith("Error")}


def test_the_table_knows_the_attributes_that_everybody_knows() -> None:
    # PS3.15 Table E.1-1; Patient ID is Z/D there.
    known = {0x00100010: "Z", 0x00100020: "D", 0x00100030: "Z", 0x00080080: "D", 0x0020000D: "U", 0x00080018: "U"}
    known |= {0x00080050: "Z", 0x00081030: "X", 0x00104000: "X", 0x00101010: "X", 0x00080020: "Z"}
    assert {tag: rules()[tag].strongest for tag in known} == known
    assert len(rules()) > 600
