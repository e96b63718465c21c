"""Whose images are they? A patient is Patient ID plus its issuer; what only looks like an ID joins nothing."""

from __future__ import annotations

import re

from archive.dicom.person_name import normalise
from archive.models import Patient

PLACEHOLDERS = frozenset(
    "0 00 000 0000 00000 000000 0000000 00000000 1 123 1234 12345 123456 1111 9999 99999 999999 "  # noqa: SIM905
    "UNKNOWN UNK ANON ANONYM ANONYMOUS ANONYMIZED ANONYMISED NONE NULL NA N/A NIL NOID NO_ID TEST TEMP PATIENT "
    "PATIENTID PATIENT_ID ID X XX XXX XXXX EMPTY UNDEFINED UNSPECIFIED EMERGENCY TRAUMA".split()
)
"""Patient IDs that senders fill in where they have none; in capitals."""


def is_placeholder(patient_id: str) -> bool:
    """True for an ID that names nobody."""
    bare = re.sub(r"[\s\-_.*?^]+", "", patient_id).upper()
    return not bare or bare in PLACEHOLDERS or patient_id.strip().upper() in PLACEHOLDERS or set(bare) == {"0"}


def identity_key(*, patient_id: str, issuer: str, study_instance_uid: str) -> str:
    """The key under which images share a patient; a placeholder ID stays within its study."""
    if is_placeholder(patient_id):
        return f"study {study_instance_uid}"
    return f"id {patient_id.strip()}\\{issuer.strip()}"


def is_other_patient(known: Patient, *, patient_id: str, issuer: str, study_instance_uid: str) -> bool:
    """Whether an image of a known study names another patient than the study's.

    IDs are compared trimmed. An issuer that is absent on one side is no difference:
    many devices leave it out of what they derive.
    """
    if is_placeholder(patient_id):
        return known.identity_key != f"study {study_instance_uid}"
    if known.identity_key.startswith("study "):
        return True
    if known.patient_id.strip() != patient_id.strip():
        return True
    one, other = known.issuer_of_patient_id.strip(), issuer.strip()
    return bool(one and other and one != other)


def is_clearly_other_name(one: str, other: str) -> bool:
    """Names with no part in common; spelling, case, order and missing parts are no difference."""
    first, second = (set(re.split(r"[\^=\s,]+", normalise(name))) - {""} for name in (one, other))
    return bool(first and second and not first & second)


def needs_check(patient: Patient, *, patient_name: str, patient_birth_date: str, patient_sex: str) -> bool:
    """Whether the same key came with another birth date, sex or clearly other name."""
    births = {patient.patient_birth_date, patient_birth_date} - {""}
    sexes = {patient.patient_sex, patient_sex} - {"", "O"}
    return len(births) > 1 or len(sexes) > 1 or is_clearly_other_name(patient.patient_name, patient_name)
