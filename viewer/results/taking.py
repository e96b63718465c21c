"""ORU^R01 of other systems as reports beside our studies (HL7 v2.5.1 7.3.1).

A result is taken where its study is here and its patient is the study's, by the rule for images (CLINICAL: Patient
ID and issuer, and neither another birth date, sex or clearly other name). Anything else is answered AE in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from django.db import transaction
from django.utils import timezone

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.errors import ArchiveError
from archive.hl7.messages import Header, Segment
from archive.hl7.taking import register
from archive.indexing.identity import is_other_patient, is_placeholder, needs_check
from archive.models import Study
from archive.scheduling.orders import Source
from viewer.models import OutsideReport
from viewer.results.message import STUDY_UID

MESSAGE_TYPES: Final = ("ORU^R01", "ORU")
MOST_RESULTS: Final = 50
LONGEST_TEXT: Final = 200_000
TEXTS: Final = frozenset({"TX", "FT", "ST"})
CODED: Final = frozenset({"CE", "CWE", "CNE", "CF"})
POINTERS: Final = frozenset({"HD", "RP", "UI"})
"""Types whose value names a study or document, and is no text."""
Status = OutsideReport.Status


class BadResult(ArchiveError):
    """A result cannot be taken; the message says why, what was found, what is accepted."""


@dataclass(frozen=True, slots=True)
class Patient:
    """Whom a message is about."""

    identifiers: tuple[tuple[str, str], ...]
    """Patient ID and issuer, as often as the message names one."""
    name: str
    birth_date: str
    sex: str


@dataclass(frozen=True, slots=True)
class Outside:
    """One OBR with what was observed."""

    numbers: tuple[str, ...]
    """Numbers under which the study may be known: accession number, filler's, placer's."""
    study_instance_uid: str
    order_number: str
    status: Status
    title: str
    text: str
    reported_by: str
    reported_at: str


def register_all() -> None:
    register(MESSAGE_TYPES, take_results)


@transaction.atomic
def take_results(header: Header, segments: list[Segment], source: Source) -> int:
    """Keep the reports of a message, all or none; returns how many.

    Raises
    ------
    BadResult
        A result in it cannot be taken: answered AE.
    """
    patient, results = read_results(segments)
    sender = " ".join(part for part in (header.sending_application, header.sending_facility) if part)[:200]
    for result in results:
        for study in studies_for(result, patient):
            _keep(study, result, sender=sender or "HL7", control_id=header.control_id[:199], source=source)
    return len(results)


def read_results(segments: list[Segment]) -> tuple[Patient, list[Outside]]:
    """The patient and the results of a message.

    Raises
    ------
    BadResult
    """
    named = {segment.name: segment for segment in reversed(segments)}
    if "PID" not in named:
        raise BadResult("PID is missing.")
    places = [place for place, segment in enumerate(segments) if segment.name == "OBR"]
    if not 0 < len(places) <= MOST_RESULTS:
        raise BadResult(f"The message has {len(places)} results (OBR); 1 to {MOST_RESULTS} are taken.")
    common = named.get("ZDS")
    uid = common.text(1) if common is not None else ""
    parts = [segments[begin:end] for begin, end in pairwise([*places, len(segments)])]
    return _patient(named["PID"]), [_outside(part, uid) for part in parts]


def _patient(pid: Segment) -> Patient:
    found = [(parts[0], parts[3] if len(parts) > 3 else "") for parts in pid.repetitions(3) if parts and parts[0]]
    if not found and pid.text(2):
        found = [(pid.text(2), "")]
    family, given = [*pid.components(5), "", ""][:2]
    sex = pid.text(8).upper()
    return Patient(tuple(found), f"{family}^{given}".strip("^"), pid.text(7)[:8], sex if sex in ("F", "M", "O") else "")


def _outside(segments: list[Segment], study_instance_uid: str) -> Outside:
    obr, rest = segments[0], segments[1:]
    observed = [segment for segment in rest if segment.name == "OBX"]
    uids = [one.text(5) for one in observed if one.text(3) == STUDY_UID[0]]
    numbers = tuple(dict.fromkeys(number for number in (obr.text(18), obr.text(3), obr.text(2)) if number))
    if not numbers and not uids and not study_instance_uid:
        raise BadResult("OBR-2, OBR-3 and OBR-18 are empty: the result names no order.")
    text = _text(rest)
    if not text or len(text) > LONGEST_TEXT:
        raise BadResult(f"OBX: {len(text)} characters of text; 1 to {LONGEST_TEXT} are taken.")
    return Outside(
        numbers=numbers,
        study_instance_uid=(uids or [study_instance_uid])[0],
        order_number=(obr.text(3) or obr.text(2) or obr.text(18) or (uids or [study_instance_uid])[0])[:64],
        status=_status(obr, observed),
        title=(obr.text(4, 2) or obr.text(4, 5) or obr.text(4))[:200],
        text=text,
        reported_by=_reporter(obr, observed)[:330],
        reported_at=(obr.text(22) or obr.text(7))[:26],
    )


def _status(obr: Segment, observed: list[Segment]) -> Status:
    """Of the OBR, else the least final of what was observed; withdrawn results are not taken as reports."""
    said = [obr.text(25)] if obr.text(25) else [one.text(11) for one in observed if one.text(11) not in ("", "O")]
    unknown = next((word for word in said if word not in set(Status)), None)
    if unknown is not None:
        raise BadResult(f"Result status '{unknown[:10]}' is not taken: P, F and C are.")
    return next((one for one in (Status.PRELIMINARY, Status.CORRECTED) if one in said), Status.FINAL)


def _reporter(obr: Segment, observed: list[Segment]) -> str:
    parts = (obr.subcomponents(32) or [[]])[0]
    if len(parts) < 2:
        parts = next((found for one in reversed(observed) if (found := one.components(16))), [])
    family, given = [*parts[1:3], "", ""][:2]
    return f"{family}, {given}".strip(", ") or (parts[0] if parts else "")


def _text(segments: list[Segment]) -> str:
    """Observations one below the other, each under its name where that changes; notes below what they are about."""
    lines: list[str] = []
    heading = ""
    for segment in segments:
        if segment.name == "NTE":
            lines += segment.lines(3)
        if segment.name != "OBX" or segment.text(2).upper() in POINTERS or not _value(segment):
            continue
        name = segment.text(3, 2) or segment.text(3)
        if name and name != heading:
            lines += ["", name] if lines else [name]
            heading = name
        lines += _value(segment)
    return "\n".join(lines).strip()


def _value(obx: Segment) -> list[str]:
    kind = obx.text(2).upper()
    if kind in TEXTS:
        return obx.lines(5)
    if kind in CODED:
        return [parts[1] if len(parts) > 1 and parts[1] else parts[0] for parts in obx.repetitions(5) if parts]
    if kind in ("NM", "SN"):
        return [" ".join(part for part in (*obx.components(5), obx.text(6)) if part)]
    raise BadResult(f"OBX-2 '{kind[:5]}' is not read: TX, FT, ST, NM, SN, CE and CWE are.")


def studies_for(result: Outside, patient: Patient) -> list[Study]:
    """Studies that a result is about, whose patient is the message's.

    Raises
    ------
    BadResult
        None is here, or it is another patient's.
    """
    studies = Study.objects.select_related("patient").filter(instance_count__gt=0)
    found = list(studies.filter(study_instance_uid=result.study_instance_uid)) if result.study_instance_uid else []
    for number in result.numbers:
        found = found or list(studies.filter(accession_number=number)[:MOST_RESULTS])
    if not found:
        names = ", ".join(result.numbers) or result.study_instance_uid
        raise BadResult(f"No study with the number {names[:80]} is here; send the result again once its images are.")
    matching = [study for study in found if is_about(study, patient)]
    if not matching:
        raise BadResult("The study with this number is another patient's (ID, issuer, birth date, sex or name).")
    return matching


def is_about(study: Study, patient: Patient) -> bool:
    """Whether a message is about the study's patient; an ID that names nobody fits none."""
    known = any(
        not is_placeholder(patient_id)
        and not is_other_patient(
            study.patient, patient_id=patient_id, issuer=issuer, study_instance_uid=study.study_instance_uid
        )
        for patient_id, issuer in patient.identifiers
    )
    differs = needs_check(
        study.patient, patient_name=patient.name, patient_birth_date=patient.birth_date, patient_sex=patient.sex
    )
    return known and not differs


def _keep(study: Study, result: Outside, *, sender: str, control_id: str, source: Source) -> None:
    """What stands is replaced by what comes later; the same again changes nothing."""
    Study.objects.select_for_update().get(pk=study.pk)
    standing = OutsideReport.objects.filter(
        study=study, sender=sender, order_number=result.order_number, replaced_at=None
    ).first()
    if standing is not None:
        if (standing.status, standing.text) == (result.status, result.text):
            return
        if result.status == Status.PRELIMINARY and standing.status != Status.PRELIMINARY:
            raise BadResult("A final report of this order is here already; a preliminary one does not replace it.")
        OutsideReport.objects.filter(pk=standing.pk).update(replaced_at=timezone.now())
    OutsideReport.objects.create(
        study=study,
        sender=sender,
        order_number=result.order_number,
        status=result.status,
        title=result.title,
        text=result.text,
        reported_by=result.reported_by,
        reported_at=result.reported_at,
        control_id=control_id,
        received_at=timezone.now(),
    )
    record_event(
        Event.RESULT_RECEIVED,
        actor=source.actor,
        address=source.address,
        study_instance_uid=study.study_instance_uid,
        details={"control_id": control_id, "status": str(result.status)},
    )
