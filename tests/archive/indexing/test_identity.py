"""Whose images are they?"""

from __future__ import annotations

import pytest

from archive.indexing.identity import (
    identity_key,
    is_clearly_other_name,
    is_other_patient,
    is_placeholder,
    needs_check,
)
from archive.models import Patient


@pytest.mark.parametrize(
    "patient_id", ["", "  ", "0", "000", "0000000", "UNKNOWN", "anon", "Anonymous", "N/A", "---", "ID"]
)
def test_what_senders_fill_in_names_nobody(patient_id: str) -> None:
    assert is_placeholder(patient_id)


@pytest.mark.parametrize("patient_id", ["4711", "A0", "10", "ANON-7", "JANCT000"])
def test_a_real_id_is_no_placeholder(patient_id: str) -> None:
    assert not is_placeholder(patient_id)


def test_placeholder_ids_never_join_two_studies() -> None:
    keys = {identity_key(patient_id="UNKNOWN", issuer="", study_instance_uid=uid) for uid in ("1.2.3", "1.2.4")}
    assert keys == {"study 1.2.3", "study 1.2.4"}


def test_ids_are_compared_trimmed_and_with_their_issuer() -> None:
    one = identity_key(patient_id=" 4711 ", issuer="A", study_instance_uid="1")
    assert one == identity_key(patient_id="4711", issuer="A ", study_instance_uid="2")
    assert one != identity_key(patient_id="4711", issuer="B", study_instance_uid="1")


def known(**values: str) -> Patient:
    values = {"patient_id": "4711", "issuer_of_patient_id": "A"} | values
    key = identity_key(patient_id=values["patient_id"], issuer=values["issuer_of_patient_id"], study_instance_uid="1.2")
    return Patient(identity_key=key, **values)


@pytest.mark.parametrize(
    ("patient_id", "issuer", "other"),
    [
        ("4711 ", "A", False),
        ("4711", "", False),
        ("4711", "B", True),
        ("4712", "A", True),
        ("", "A", True),
        ("UNKNOWN", "", True),
    ],
)
def test_only_a_real_difference_makes_another_patient(patient_id: str, issuer: str, other: bool) -> None:
    found = is_other_patient(known(), patient_id=patient_id, issuer=issuer, study_instance_uid="1.2")
    assert found is other


def test_a_study_without_an_id_takes_more_images_without_one() -> None:
    patient = known(patient_id="", issuer_of_patient_id="")
    assert not is_other_patient(patient, patient_id="ANON", issuer="", study_instance_uid="1.2")
    assert is_other_patient(patient, patient_id="4711", issuer="", study_instance_uid="1.2")


@pytest.mark.parametrize(
    ("one", "other", "clearly"),
    [
        ("DOE^JANE", "Doe^Jane^^", False),
        ("DOE^JANE", "JANE^DOE", False),
        ("DOE^JANE", "DOE^J", False),
        ("DOE^JANE", "", False),
        ("DOE^JANE", "MILLER^PETER", True),
    ],
)
def test_names_are_clearly_other_only_without_a_part_in_common(one: str, other: str, clearly: bool) -> None:
    assert is_clearly_other_name(one, other) is clearly


def test_another_birth_date_or_sex_under_one_id_is_to_be_checked() -> None:
    patient = known()
    patient.patient_name, patient.patient_birth_date, patient.patient_sex = "DOE^JANE", "19720301", "F"
    same = {"patient_name": "Doe^Jane", "patient_birth_date": "19720301", "patient_sex": "F"}
    assert not needs_check(patient, **same)
    assert not needs_check(patient, **same | {"patient_birth_date": ""})
    assert needs_check(patient, **same | {"patient_birth_date": "19720302"})
    assert needs_check(patient, **same | {"patient_sex": "M"})
    assert needs_check(patient, **same | {"patient_name": "MILLER^PETER"})
