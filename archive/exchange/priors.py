"""Priors from another archive: found by the patient's ID, narrowed by the rule, fetched one study after the other.

They are fetched for a study that has arrived, or for an order, so that they are here before the images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from archive.dimse import asking
from archive.dimse.asking import FoundStudy
from archive.dimse.client import PeerUnreachable
from archive.dimse.peers import peer_to_call
from archive.exchange.fetching import retrieve, searchable_peers
from archive.indexing.identity import is_placeholder, needs_check
from archive.jobs.run import JobRefused, TryLater
from archive.models import Job, Patient, Peer, Route, ScheduledStep, Study

if TYPE_CHECKING:
    from archive.jobs.run import Progress


@dataclass(frozen=True, slots=True)
class Examination:
    """What priors are looked for: one that has arrived, or one that is ordered."""

    study_instance_uid: str
    patient: Patient
    modalities: tuple[str, ...]
    study_date: str
    body_parts: frozenset[str] = frozenset()
    """In capitals; an order names none."""

    @classmethod
    def of_study(cls, study: Study) -> Examination:
        parts = frozenset(part.upper() for part in study.body_parts.split("\\") if part)
        return cls(study.study_instance_uid, study.patient, tuple(study.modality_list()), study.study_date, parts)

    @classmethod
    def of_order(cls, step: ScheduledStep) -> Examination:
        """The patient as the order names them: they may have no images here yet."""
        patient = Patient(
            patient_id=step.patient_id,
            issuer_of_patient_id=step.issuer_of_patient_id,
            patient_name=step.patient_name,
            patient_birth_date=step.patient_birth_date,
            patient_sex=step.patient_sex,
        )
        return cls(step.study_instance_uid, patient, (step.modality,), step.start_date)


def fetch_priors(job: Job, progress: Progress) -> str:
    """A job: the priors that a rule wants for a study, or for an order.

    Raises
    ------
    JobRefused, TryLater
    """
    examination, route = _examination_of(job), Route.objects.filter(pk=job.parameters["route"]).first()
    peer = searchable_peers().filter(pk=job.parameters["peer"]).first()
    if examination is None:
        raise JobRefused("The study, or the order, is no longer there.")
    if route is None or peer is None:
        raise JobRefused("The rule, or the peer that it fetches from, is no longer there.")
    if is_placeholder(examination.patient.patient_id):
        return "The patient ID names nobody: no priors are looked for."
    try:
        wanted = priors_of(examination, route, peer)
        missing = sum(_fetch(peer, one, progress) for one in wanted)
    except PeerUnreachable as error:
        raise TryLater(str(error)) from None
    if missing:
        raise JobRefused(f"{missing} images of priors did not come from {peer.ae_title}.")
    return f"{len(wanted)} prior{'' if len(wanted) == 1 else 's'} fetched from {peer.ae_title}."


def _examination_of(job: Job) -> Examination | None:
    if job.study is not None:
        return Examination.of_study(job.study)
    step = ScheduledStep.objects.filter(pk=job.parameters.get("step")).first()
    return Examination.of_order(step) if step is not None else None


def _fetch(peer: Peer, found: FoundStudy, progress: Progress) -> int:
    counts = retrieve(peer, found.study_instance_uid, progress)
    return counts.failed + counts.remaining


def priors_of(examination: Examination, route: Route, peer: Peer) -> list[FoundStudy]:
    """What a peer has of an examination's patient, that the rule wants and that is not here, the newest first.

    Raises
    ------
    PeerUnreachable, PeerRefused
    """
    keys = {"PatientID": examination.patient.patient_id}
    found = asking.find_studies(peer_to_call(peer), keys, calling_ae_title=settings.PORTAL_AE_TITLE)
    fitting = [one for one in found.studies if is_wanted(one, examination, route)]
    here = Study.objects.filter(study_instance_uid__in=[one.study_instance_uid for one in fitting])
    known = set(here.values_list("study_instance_uid", flat=True))
    missing = (one for one in fitting if one.study_instance_uid not in known)
    chosen: list[FoundStudy] = []
    for one in missing:
        if len(chosen) == route.most_priors:
            break
        if not route.same_body_part or _shares_body_part(one, examination, peer):
            chosen.append(one)
    return chosen


def is_wanted(found: FoundStudy, examination: Examination, route: Route) -> bool:
    """Whether an answer is a prior of the same patient within the rule's limits."""
    patient = examination.patient
    is_itself = found.study_instance_uid == examination.study_instance_uid
    if is_itself or found.patient_id.strip() != patient.patient_id.strip():
        return False
    issuers = {found.issuer_of_patient_id.strip(), patient.issuer_of_patient_id.strip()} - {""}
    facts = (found.patient_name, found.patient_birth_date, found.patient_sex)
    if len(issuers) > 1 or needs_check(
        patient, **dict(zip(("patient_name", "patient_birth_date", "patient_sex"), facts, strict=True))
    ):
        return False
    if route.same_modality and not set(found.modalities) & set(examination.modalities):
        return False
    return route.oldest_months is None or _is_younger(found.study_date, examination.study_date, route.oldest_months)


def _is_younger(found: str, reference: str, months: int) -> bool:
    """Whether a DICOM date is at most so many months before another; today's, where that has none."""
    reference = reference if len(reference) == 8 and reference.isdecimal() else f"{timezone.localdate():%Y%m%d}"
    if len(found) != 8 or not found.isdecimal():
        return False
    year, month = divmod(int(reference[:4]) * 12 + int(reference[4:6]) - 1 - months, 12)
    return found >= f"{year:04d}{month + 1:02d}{reference[6:]}"


def _shares_body_part(found: FoundStudy, examination: Examination, peer: Peer) -> bool:
    keys = {"StudyInstanceUID": found.study_instance_uid, "SeriesInstanceUID": "", "BodyPartExamined": ""}
    answers, _ = asking.find(peer_to_call(peer), "SERIES", keys, calling_ae_title=settings.PORTAL_AE_TITLE)
    said = {asking.text_of(answer, "BodyPartExamined").upper() for answer in answers} - {""}
    return bool(examination.body_parts & said)
