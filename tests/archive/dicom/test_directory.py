"""The index of files that go out together: read by pydicom, dcmtk and dciodvfy, which know nothing of ours."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pydicom
import pytest
from pydicom.fileset import FileSet

from archive.dicom.directory import Directory
from archive.dicom.part10 import read_dataset
from tests.phantoms import ct_image, ct_series, to_part10_bytes

EXPLICIT = "1.2.840.10008.1.2.1"
DCMDUMP, DCIODVFY = "/usr/bin/dcmdump", "/usr/bin/dciodvfy"
KINDS = {
    "sr/dwv_tid1500/squares.dcm": "IMAGE",
    "sr/sample-sr.dcm": "SR DOCUMENT",
    "sr/dcmqi_petseg/rwvm.dcm": "VALUE MAP",
    "presentation/PR000000.dcm": "PRESENTATION",
    "presentation/derived_kos_mister.dcm": "KEY OBJECT DOC",
    "waveform_pdf/wave_deflated.dcm": "WAVEFORM",
    "waveform_pdf/sample-pdf.dcm": "ENCAP DOC",
}


def written(folder: Path, data_sets: list[pydicom.Dataset]) -> Path:
    directory = Directory()
    (folder / "DICOM").mkdir()
    for number, ds in enumerate(data_sets, 1):
        file_id = ("DICOM", f"IM{number:06d}")
        folder.joinpath(*file_id).write_bytes(to_part10_bytes(ds))
        directory.add(ds, file_id=file_id, transfer_syntax_uid=EXPLICIT)
    (folder / "DICOMDIR").write_bytes(directory.to_bytes("1.2.3.4"))
    return folder / "DICOMDIR"


def errors_of(path: Path) -> list[str]:
    done = subprocess.run([DCIODVFY, str(path)], capture_output=True, check=False)
    said = done.stderr.decode("latin-1").splitlines()
    assert "BasicDirectory" in said
    return [line for line in said if line.startswith("Error")]


def test_files_of_two_patients_are_indexed_by_patient_study_series_and_image(tmp_path: Path) -> None:
    ones = list(ct_series(3, PatientID="A", PatientName="Müller^Jörg"))
    for ds in ones:
        ds.SpecificCharacterSet = "ISO_IR 192"
    path = written(tmp_path, [*ones, ct_image(PatientID="B")])
    found = FileSet(path)
    assert [one.load().SOPInstanceUID for one in found] == [one.SOPInstanceUID for one in found]
    assert sorted(found.find_values("PatientID")) == ["A", "B"]
    assert "Müller^Jörg" in map(str, found.find_values("PatientName"))
    assert len(found.find(PatientID="A", Modality="CT", load=False)) == 3
    assert errors_of(path) == []
    dump = subprocess.run([DCMDUMP, str(path)], capture_output=True, text=True, check=True)
    assert dump.stderr == ""
    kinds = [line.split("[")[1].split("]")[0] for line in dump.stdout.splitlines() if "DirectoryRecordType" in line]
    assert kinds == ["PATIENT", "STUDY", "SERIES", *["IMAGE"] * 3, "PATIENT", "STUDY", "SERIES", "IMAGE"]


def test_what_a_record_needs_and_the_image_lacks_is_made_up_in_the_index_alone(tmp_path: Path) -> None:
    ds = ct_image()
    for keyword in ("StudyDate", "StudyTime", "StudyID", "SeriesNumber", "InstanceNumber", "AccessionNumber"):
        if keyword in ds:
            delattr(ds, keyword)
    path = written(tmp_path, [ds])
    assert errors_of(path) == []
    assert "StudyDate" not in pydicom.dcmread(tmp_path / "DICOM" / "IM000001")


def test_a_value_that_cannot_be_written_costs_its_record_only(tmp_path: Path) -> None:
    good, bad = ct_image(PatientID="A"), ct_image(PatientID="A")
    path = written(tmp_path, [good, bad])
    bad.add_new("InstanceNumber", "IS", None)
    bad["InstanceNumber"]._value = object()
    directory = Directory()
    for number, ds in enumerate((good, bad), 1):
        directory.add(ds, file_id=("DICOM", f"IM{number:06d}"), transfer_syntax_uid=EXPLICIT)
    path.write_bytes(directory.to_bytes("1.2.3.4"))
    assert len(FileSet(path)) == 2 and errors_of(path) == []


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_a_real_object_has_the_record_of_its_class(name: str, kind: str, data_dir: Path, tmp_path: Path) -> None:
    ds, directory = read_dataset(data_dir / name), Directory()
    (tmp_path / "IM000001").write_bytes((data_dir / name).read_bytes())
    directory.add(ds, file_id=("IM000001",), transfer_syntax_uid=str(ds.file_meta.TransferSyntaxUID))
    (tmp_path / "DICOMDIR").write_bytes(directory.to_bytes("1.2.3.4"))
    (found,) = FileSet(tmp_path / "DICOMDIR")
    assert (found.DirectoryRecordType, found.load().SOPInstanceUID) == (kind, ds.SOPInstanceUID)
    assert errors_of(tmp_path / "DICOMDIR") == []
