"""What goes out of a corrected study: its stored bytes under the patient that it was moved to.

The one place that every door passes: C-STORE, C-GET and C-MOVE, WADO-RS and its metadata, downloads.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from django.conf import settings

from archive.dicom.coercion import PatientFacts, write_coerced
from archive.models import CorrectedStudy, Study
from archive.storage.temporary import temporary_file


def facts_of(study: Study) -> PatientFacts | None:
    """What the study's images are to say of their patient; None where they say it themselves."""
    if study.received_patient_id is None:
        return None
    latest = CorrectedStudy.objects.filter(study=study, correction__undone_at__isnull=True).order_by("-pk").first()
    decided = latest.correction.made_at if latest is not None else study.first_received_at
    return PatientFacts(
        patient_name=study.patient_name,
        patient_id=study.patient.patient_id,
        issuer_of_patient_id=study.patient.issuer_of_patient_id,
        patient_birth_date=study.patient_birth_date,
        patient_sex=study.patient_sex,
        modified_at=f"{decided:%Y%m%d%H%M%S%z}",
        modifying_system=settings.PORTAL_AE_TITLE,
    )


def facts_of_instance(sop_instance_uid: str) -> PatientFacts | None:
    """The same, for a door that knows an instance by its UID."""
    study = Study.objects.select_related("patient").filter(series__instances__sop_instance_uid=sop_instance_uid).first()
    return facts_of(study) if study is not None else None


@contextmanager
def coerced_file(file: BinaryIO, facts: PatientFacts | None) -> Iterator[BinaryIO]:
    """A Part 10 file as it goes out: the open one where nothing was corrected, else one written anew.

    Raises
    ------
    CannotUnderstand
    """
    if facts is None:
        yield file
        return
    with temporary_file() as written:
        write_coerced(file, written, facts)
        written.seek(0)
        yield written
