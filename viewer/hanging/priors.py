"""Earlier and later studies of a patient, for reading beside the present one."""

from __future__ import annotations

from dataclasses import dataclass

from archive.dicom.dates import format_date, parse_date
from archive.indexing.identity import is_placeholder
from archive.models import Study, User
from viewer.hanging.facts import body_parts_of
from viewer.worklist.history import distance_in_words, other_studies

MOST = 50
"""Other studies that are offered."""


@dataclass(frozen=True, slots=True)
class Prior:
    """Another study of the patient."""

    study: Study
    date: str
    distance: str
    """``20 months before``; empty where a date is missing."""
    relevance: int
    """3: same body part and modality, 2: body part, 1: modality, 0: neither."""
    is_earlier: bool

    @property
    def words(self) -> str:
        """What its viewports say permanently: ``PRIOR, 20 months``."""
        if not self.distance:
            return "OTHER STUDY, no date"
        span, _, direction = self.distance.rpartition(" ")
        return {"before": f"PRIOR, {span}", "after": f"LATER, {span}"}.get(direction, "OTHER STUDY, same day")


def priors_of(study: Study, who: User) -> list[Prior]:
    """Other studies of the patient that this person may see, the newest first.

    None while the identity is to be checked, and none under an ID that names nobody.
    """
    patient = study.patient
    if patient.identity_to_be_checked or is_placeholder(patient.patient_id):
        return []
    return [_prior(other, study) for other in other_studies(study, who)[:MOST]]


def best_prior(priors: list[Prior]) -> Prior | None:
    """The one that is hung by itself: earlier, of the same body part and modality, the newest of these."""
    return next((one for one in priors if one.is_earlier and one.relevance == 3), None)


def _prior(other: Study, study: Study) -> Prior:
    day, other_day = parse_date(study.study_date), parse_date(other.study_date)
    shares_part = bool(body_parts_of(study) & body_parts_of(other)) or is_named_the_same(study, other)
    shares_modality = bool(set(study.modality_list()) & set(other.modality_list()))
    return Prior(
        study=other,
        date=format_date(other.study_date),
        distance=distance_in_words(other_day, day),
        relevance=2 * shares_part + shares_modality,
        is_earlier=other.study_date > ""
        and (other.study_date, other.study_time) < (study.study_date, study.study_time),
    )


def is_named_the_same(one: Study, other: Study) -> bool:
    """Whether two examinations carry the same description, which says as much as a body part does."""
    name = one.study_description.strip().casefold()
    return bool(name) and name == other.study_description.strip().casefold()
