"""A corrected data set: other patient, the same image, in every transfer syntax; what stood there is noted."""

from __future__ import annotations

import io
import subprocess
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_charset_files, get_testdata_file

from archive.dicom.coercion import PatientFacts, write_coerced
from archive.dicom.header_scan import scan_header
from archive.dicom.part10 import read_dataset_from, read_file_meta

RICK = PatientFacts("Roe^Rick", "B2", "HOSPITAL", "19650203", "M", "20240506070809+0000", "PORTAL")
JOSE = replace(RICK, patient_name="Núñez^José")
ALL_SYNTAXES = [
    "MR_small.dcm",
    "MR_small_implicit.dcm",
    "MR_small_expb.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_RLE.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "image_dfl.dcm",
    "CT_small.dcm",
    "examples_palette.dcm",
    "liver_1frame.dcm",
    "rtstruct.dcm",
    "reportsi.dcm",
]


def coerced(path: Path, facts: PatientFacts = RICK) -> io.BytesIO:
    written = io.BytesIO()
    with path.open("rb") as file:
        write_coerced(file, written, facts)
    written.seek(0)
    return written


def sample(name: str) -> Path:
    return Path(str(get_testdata_file(name, download=False)))


def pixel_bytes(file: io.BytesIO | io.BufferedReader) -> bytes | None:
    """The value of the pixel data as it is encoded."""
    ds = read_dataset_from(file, stop_before_pixels=False)
    return ds.get("PixelData")


@pytest.mark.parametrize("name", ALL_SYNTAXES)
def test_the_patient_is_another_and_the_pixels_are_the_same_bytes(name: str) -> None:
    path = sample(name)
    written = coerced(path)
    before, after = pydicom.dcmread(path, force=True), read_dataset_from(written)
    assert [after[keyword].value for keyword in ("PatientID", "IssuerOfPatientID", "PatientBirthDate")] == [
        "B2",
        "HOSPITAL",
        "19650203",
    ]
    assert after.PatientName == "Roe^Rick" and after.PatientSex == "M"
    with path.open("rb") as file:
        assert read_file_meta(written).transfer_syntax_uid == read_file_meta(file).transfer_syntax_uid
        assert pixel_bytes(written) == pixel_bytes(file)
    (note,) = after.OriginalAttributesSequence
    assert note.ModifiedAttributesSequence[0].PatientID == before.get("PatientID", None)


@pytest.mark.parametrize("name", ALL_SYNTAXES)
def test_everything_else_stays(name: str) -> None:
    path = sample(name)
    with path.open("rb") as file:
        before = read_dataset_from(file)
    after = read_dataset_from(coerced(path))
    changed = {"PatientID", "PatientName", "IssuerOfPatientID", "PatientBirthDate", "PatientSex"}
    changed |= {"OriginalAttributesSequence"}
    different = {
        element.keyword
        for element in before
        if element.keyword not in changed and (element.tag not in after or after[element.tag].value != element.value)
    }
    assert different == set()
    assert {element.keyword for element in after} - {element.keyword for element in before} <= changed


def dumped(path: Path) -> subprocess.CompletedProcess[str]:
    command = ["/usr/bin/dcmdump", "+P", "0010,0010", "+P", "0010,0020", "-s", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True)


def test_dcmtk_reads_every_transfer_syntax(data_dir: Path, tmp_path: Path) -> None:
    paths = sorted((data_dir / "syntaxes" / "ctimage").glob("*.dcm"))
    assert len(paths) > 10
    for path in paths:
        target = tmp_path / path.name
        target.write_bytes(coerced(path).getvalue())
        said = dumped(target)
        assert "[Roe^Rick]" in said.stdout and "[B2]" in said.stdout, path.name
        # One of the originals has a length that dcmtk warns of; nothing new is to be said.
        assert said.stderr == dumped(path).stderr, path.name


def test_a_name_beyond_the_character_set_makes_all_text_utf_8_and_loses_none() -> None:
    path = next(Path(name) for name in get_charset_files("chrGreek.dcm") if name)
    before = pydicom.dcmread(path)
    after = pydicom.dcmread(coerced(path, JOSE), force=True)
    assert after.SpecificCharacterSet == "ISO_IR 192"
    assert after.PatientName == "Núñez^José"
    assert str(after.OriginalAttributesSequence[0].ModifiedAttributesSequence[0].PatientName) == str(before.PatientName)


def test_a_name_that_fits_leaves_the_character_set() -> None:
    path = next(Path(name) for name in get_charset_files("chrFren.dcm") if name)
    after = pydicom.dcmread(coerced(path, JOSE), force=True)
    assert (after.SpecificCharacterSet, str(after.PatientName)) == ("ISO_IR 100", "Núñez^José")


def test_the_same_correction_gives_the_same_bytes() -> None:
    path = sample("CT_small.dcm")
    assert coerced(path).getvalue() == coerced(path).getvalue()


def test_notes_of_earlier_changes_stay(tmp_path: Path) -> None:
    path = tmp_path / "twice.dcm"
    path.write_bytes(coerced(sample("CT_small.dcm")).getvalue())
    after = pydicom.dcmread(coerced(path, JOSE), force=True)
    assert [note.ModifiedAttributesSequence[0].PatientID for note in after.OriginalAttributesSequence] == ["1CT1", "B2"]


def test_an_issuer_that_the_patient_has_not_is_taken_out(tmp_path: Path) -> None:
    path = tmp_path / "issued.dcm"
    path.write_bytes(coerced(sample("CT_small.dcm")).getvalue())
    written = coerced(path, replace(RICK, issuer_of_patient_id=""))
    after = pydicom.dcmread(written, force=True)
    assert "IssuerOfPatientID" not in after
    assert after.OriginalAttributesSequence[1].ModifiedAttributesSequence[0].IssuerOfPatientID == "HOSPITAL"
    written.seek(0)
    start = read_file_meta(written).data_set_offset
    scan_header(written, start=start, transfer_syntax_uid="1.2.840.10008.1.2.1")
