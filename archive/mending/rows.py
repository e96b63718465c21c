"""A study's rows under another patient, with what stood there before; what the indexer needs of mending."""

from __future__ import annotations

from typing import Final

from archive.models import CorrectedStudy, Correction, Study

CORRECTED: Final = frozenset({"patient_name", "patient_birth_date", "patient_sex"})
"""Of a study that a person has moved to another patient, these are that patient's, whatever its images say."""


def move_row(correction: Correction, study: Study) -> None:
    """Note how a study stands, and change it; the caller recounts and saves."""
    target = correction.target
    CorrectedStudy.objects.create(
        correction=correction,
        study=study,
        patient_id=study.patient_id,
        received_patient_id=study.received_patient_id,
        **{name: getattr(study, name) for name in CORRECTED},
    )
    received = study.received_patient_id or study.patient_id
    study.received_patient_id = None if received == target.pk else received
    study.patient = target
    for name in CORRECTED:
        setattr(study, name, getattr(target, name))


def put_back(kept: CorrectedStudy) -> None:
    """The opposite; the caller recounts and saves the study."""
    study = kept.study
    study.patient = kept.patient
    study.received_patient_id = kept.received_patient_id
    for name in CORRECTED:
        setattr(study, name, getattr(kept, name))


def follow_merge(study: Study) -> None:
    """Put a study that has just come for a merged patient where that patient's studies are; inside a transaction."""
    merges = Correction.objects.filter(kind=Correction.Kind.MERGE, undone_at__isnull=True).select_related("target")
    while (merge := merges.filter(source=study.patient_id).first()) is not None:
        move_row(merge, study)
