"""Who the demo patients are, and that their studies are the same wherever they are made."""

from __future__ import annotations

import io
from datetime import datetime, timedelta

import pydicom
import pytest

from archive.dicom.uids import is_valid_uid
from viewer.demo.catalogue import DemoStudy, demo_studies
from viewer.demo.headers import NOT_FOR_CLINICAL_USE, demo_uid, new_dataset, part10_bytes

NOW = datetime.fromisoformat("2026-11-24T10:00:00")


def header_of(study: DemoStudy) -> pydicom.Dataset:
    """A header of the study, written and read again."""
    ds = new_dataset(
        study.visit,
        sop_class_uid="1.2.840.10008.5.1.4.1.1.7",
        modality="OT",
        series="s",
        series_number=1,
        series_description="S",
        instance_number=1,
    )
    return pydicom.dcmread(io.BytesIO(part10_bytes(ds)))


def test_studies_begin_shortly_before_now_and_one_is_a_prior() -> None:
    begun = {study.visit.key: NOW - study.visit.begun for study in demo_studies(NOW)}

    assert begun.pop("ct1") == timedelta(days=610)
    assert all(timedelta(0) < before < timedelta(hours=3) for before in begun.values())


def test_the_prior_is_of_the_same_patient_and_another_study() -> None:
    studies = {study.visit.key: study.visit for study in demo_studies(NOW)}

    assert studies["ct1"].patient == studies["ct2"].patient
    assert studies["ct1"].study_instance_uid != studies["ct2"].study_instance_uid


def test_uids_do_not_depend_on_the_time() -> None:
    earlier, later = demo_studies(NOW), demo_studies(NOW + timedelta(days=3))

    assert [study.visit.study_instance_uid for study in earlier] == [study.visit.study_instance_uid for study in later]
    assert len({study.visit.study_instance_uid for study in earlier}) == len(earlier)
    # Worked out apart from the code: uuid5 of the name in the demo's namespace.
    assert demo_uid("study", "ct2") == "2.25.256680580134665769894678221053423707268"
    assert is_valid_uid(demo_uid("instance", "ct2", "ct", 120))


def test_names_of_all_scripts_survive_their_character_sets() -> None:
    names = {study.visit.patient.patient_id: header_of(study).PatientName for study in demo_studies(NOW)}

    assert str(names["DEMO-0001"]) == "Kim^Minseo=金^民瑞=김^민서"
    assert str(names["DEMO-0002"]) == "Sato^Haruka=佐藤^春香=さとう^はるか"
    assert str(names["DEMO-0003"]) == "Παπαδοπούλου^Ελένη"
    assert str(names["DEMO-0004"]) == "Lindqvist^Åsa"
    assert str(names["DEMO-0005"]) == "حداد^يوسف"
    assert str(names["DEMO-0006"]) == "Novák^Jiří"


def test_names_are_sent_in_the_bytes_of_their_character_sets() -> None:
    raw = {}
    for study in demo_studies(NOW):
        visit = study.visit
        ds = new_dataset(
            visit,
            sop_class_uid="1.2.840.10008.5.1.4.1.1.7",
            modality="OT",
            series="s",
            series_number=1,
            series_description="S",
            instance_number=1,
        )
        raw[visit.patient.patient_id] = part10_bytes(ds)

    assert b"\x1b$)C" in raw["DEMO-0001"]  # ISO 2022 IR 149
    assert b"\x1b$B" in raw["DEMO-0002"]  # ISO 2022 IR 87
    assert "Παπαδοπούλου".encode("iso8859_7") in raw["DEMO-0003"]
    assert "حداد".encode("iso8859_6") in raw["DEMO-0005"]
    assert "Novák".encode() in raw["DEMO-0006"]


def test_some_studies_name_the_referrer_by_identifier() -> None:
    headers = [header_of(study) for study in demo_studies(NOW)]

    referred = [ds for ds in headers if "ReferringPhysicianIdentificationSequence" in ds]

    assert 0 < len(referred) < len(headers)
    for ds in referred:
        item = ds.ReferringPhysicianIdentificationSequence[0]
        assert item.PersonIdentificationCodeSequence[0].CodeValue == "REF-0001"


@pytest.mark.parametrize("study", demo_studies(NOW), ids=lambda study: study.visit.key)
def test_every_header_says_what_it_is(study: DemoStudy) -> None:
    ds = header_of(study)

    assert ds.Manufacturer == "Portal demonstration"
    assert ds.ImageComments == NOT_FOR_CLINICAL_USE
    assert ds.AccessionNumber
    born, taken = ds.PatientBirthDate, ds.StudyDate
    years = int(taken[:4]) - int(born[:4]) - (taken[4:] < born[4:])
    assert ds.PatientAge == f"{years:03d}Y"


def test_studies_are_as_large_as_promised() -> None:
    sizes = {study.visit.key: len(study.makers()) for study in demo_studies(NOW)}

    assert sizes == {"us1": 2, "mg1": 4, "ct2": 120, "ct1": 60, "mr1": 72, "pt1": 80, "cr1": 1}
