"""A signed report as ORU^R01 (HL7 v2.5.1 chapter 7.3.1): the whole report as it stands, one OBX a section.

A report with an addendum goes as a correction: result status C, with what was final before and what was added.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from archive.hl7.messages import CHARACTER_SETS, components_of, escape, segment_of
from archive.models import ScheduledStep, Study, User
from archive.scheduling.linking import orders_of
from viewer.models import ReportVersion, ResultReceiver
from viewer.reports.document import ReportDocument, SignedPart
from viewer.reports.headings import HEADINGS, TITLE

Kind = ReportVersion.Kind
STATUS = {Kind.PRELIMINARY: "P", Kind.FINAL: "F", Kind.ADDENDUM: "C"}
"""OBR-25 and OBX-11 (tables 0123 and 0085)."""
STUDY_UID = ("113014", "DICOM Study", "DCM")
"""Observation identifier of the Study Instance UID (IHE RAD TF-2, 4.28)."""
SENDING_APPLICATION = "PORTAL"


@dataclass(frozen=True, slots=True)
class Result:
    """What a message is made of."""

    document: ReportDocument
    study: Study
    authors: dict[int, User]
    """Who signed, by number of the version."""
    facility: str
    """MSH-4: this site."""

    @property
    def status(self) -> str:
        return STATUS[Kind(self.document.last.kind)]


def oru_message(result: Result, receiver: ResultReceiver, *, control_id: str, at: datetime) -> bytes:
    """The message in the receiver's character set; what that cannot write becomes a question mark."""
    steps = orders_of(result.study)
    step = steps[0] if steps else None
    segments = [
        _msh(result, receiver, control_id, at),
        _pid(result.study),
        _pv1(result.study, step),
        _orc(result.study, step),
        _obr(result, step),
        *_observations(result),
    ]
    codec = CHARACTER_SETS[receiver.character_set]
    return ("\r".join(segments) + "\r").encode(codec, "replace")


def stamp(moment: datetime) -> str:
    """A time stamp with the site's offset (DTM)."""
    return timezone.localtime(moment).strftime("%Y%m%d%H%M%S%z")


def _msh(result: Result, receiver: ResultReceiver, control_id: str, at: datetime) -> str:
    # The first separator is field 1 itself, so that numbers are one less here.
    return segment_of(
        "MSH",
        {
            1: "^~\\&",
            2: escape(SENDING_APPLICATION),
            3: escape(result.facility),
            4: escape(receiver.receiving_application),
            5: escape(receiver.receiving_facility),
            6: stamp(at),
            8: "ORU^R01^ORU_R01",
            9: escape(control_id),
            10: "P",
            11: "2.5.1",
            17: receiver.character_set,
        },
    )


def _pid(study: Study) -> str:
    patient = study.patient
    identifier = components_of(patient.patient_id, "", "", patient.issuer_of_patient_id, "PI")
    names = [_xpn(group) for group in study.patient_name.split("=")]
    return segment_of(
        "PID",
        {
            1: "1",
            3: identifier if patient.patient_id else "",
            5: "~".join(name for name in names if name),
            7: study.patient_birth_date,
            8: study.patient_sex,
        },
    )


def _xpn(group: str) -> str:
    """A component group of PN as XPN: family, given, middle, suffix, prefix (PS3.5 6.2 has the last two reversed)."""
    family, given, middle, prefix, suffix = (group.split("^") + [""] * 5)[:5]
    return components_of(family, given, middle, suffix, prefix)


def _pv1(study: Study, step: ScheduledStep | None) -> str:
    location = step.current_patient_location if step else ""
    visit = step.admission_id if step else ""
    return segment_of("PV1", {1: "1", 2: "U", 3: escape(location), 8: _referrer(study, step), 19: escape(visit)})


def _referrer(study: Study, step: ScheduledStep | None) -> str:
    name = (step.referring_physician_name if step else "") or study.referring_physician_name
    identifiers = step.referring_physician_identifiers if step else []
    person = _xpn(name.split("=")[0])
    return f"{escape(identifiers[0]) if identifiers else ''}^{person}" if person else ""


def _orc(study: Study, step: ScheduledStep | None) -> str:
    return segment_of("ORC", {1: "RE", 2: _placer(step), 3: _filler(study, step)})


def _placer(step: ScheduledStep | None) -> str:
    return escape(step.placer_order_number) if step else ""


def _filler(study: Study, step: ScheduledStep | None) -> str:
    return escape((step.filler_order_number if step else "") or study.accession_number)


def _obr(result: Result, step: ScheduledStep | None) -> str:
    study, last = result.study, result.document.last
    code = step.requested_procedure_code if step else ""
    scheme = step.requested_procedure_code_scheme if step else ""
    return segment_of(
        "OBR",
        {
            1: "1",
            2: _placer(step),
            3: _filler(study, step),
            4: components_of(code or TITLE[0], study.study_description or TITLE[2], scheme if code else TITLE[1]),
            7: f"{study.study_date}{study.study_time[:6]}",
            16: _referrer(study, step),
            18: escape(study.accession_number),
            19: escape(step.requested_procedure_id) if step else "",
            22: stamp(last.signed_at),
            24: escape((study.modality_list() or [""])[0]),
            25: result.status,
            32: _interpreter(result.authors[last.number]),
        },
    )


def _interpreter(author: User) -> str:
    """Principal result interpreter (NDL): its first component is a CNN."""
    return components_of(author.get_username(), author.last_name, author.first_name, separator="&")


def _observations(result: Result) -> list[str]:
    found = [
        segment_of(
            "OBX",
            {1: "1", 2: "HD", 3: components_of(*STUDY_UID), 5: escape(result.study.study_instance_uid), 11: "O"},
        )
    ]
    for number, part in enumerate(result.document.parts, start=1):
        for section in part.sections:
            values = {3: components_of(HEADINGS[section.name][0], section.heading, HEADINGS[section.name][1])}
            text = "\\.br\\".join(escape(line) for line in section.text.split("\n"))
            shared = {1: str(len(found) + 1), 2: "FT", 4: str(number), 5: text, 11: result.status}
            found.append(segment_of("OBX", shared | values | _signed(part, result)))
    return found


def _signed(part: SignedPart, result: Result) -> dict[int, str]:
    author = result.authors[part.number]
    person = components_of(author.get_username(), author.last_name or str(author), author.first_name)
    return {14: stamp(part.signed_at), 16: person}
