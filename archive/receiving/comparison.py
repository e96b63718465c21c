"""What is stored beside what came and was held back: the facts a person decides by."""

from __future__ import annotations

from dataclasses import dataclass

from archive.dicom.dates import format_date, format_time
from archive.dicom.part10 import read_dataset, read_file_meta
from archive.dicom.person_name import format_for_people, normalise
from archive.dicom.sop_classes import name_of as sop_class_name
from archive.dicom.transfer_syntaxes import name_of as transfer_syntax_name
from archive.errors import ArchiveError
from archive.indexing.attributes import IndexedAttributes, read_attributes
from archive.models import Instance, QuarantinedFile, Series, Study
from archive.storage import layout


@dataclass(frozen=True, slots=True)
class Line:
    """One fact on both sides; empty where a side does not have it."""

    label: str
    stored: str
    came: str
    is_same: bool

    @property
    def differs(self) -> bool:
        """Both sides say something, and not the same."""
        return bool(self.stored and self.came and not self.is_same)


@dataclass(frozen=True, slots=True)
class Part:
    """The lines of one level."""

    heading: str
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Stored:
    """What the archive holds that a held-back file could belong to."""

    study: Study | None
    series: Series | None
    instance: Instance | None


def stored_for(row: QuarantinedFile) -> Stored:
    """The stored image of the same UID with its series and study; else the series, else the study."""
    instance = (
        Instance.objects.filter(sop_instance_uid=row.sop_instance_uid)
        .select_related("stored_file", "series__study__patient")
        .first()
        if row.sop_instance_uid
        else None
    )
    if instance is not None:
        return Stored(instance.series.study, instance.series, instance)
    series = Series.objects.filter(series_instance_uid=row.series_instance_uid or "-").select_related("study__patient")
    found = series.first()
    if found is not None:
        return Stored(found.study, found, None)
    study = Study.objects.filter(study_instance_uid=row.study_instance_uid or "-").select_related("patient").first()
    return Stored(study, None, None)


def attributes_of(row: QuarantinedFile) -> IndexedAttributes | None:
    """What the held-back file says; None where it cannot be read."""
    try:
        return read_attributes(read_dataset(layout.path_of(row.key)))
    except (ArchiveError, OSError):
        return None


def compare(row: QuarantinedFile) -> list[Part]:
    """Both sides, level by level."""
    stored, came = stored_for(row), attributes_of(row)
    return [
        Part("Patient", _patient(stored.study, came, row)),
        Part("Study", _study(stored.study, came, row)),
        Part("Series", _series(stored.series, came, row)),
        Part("Image", _instance(stored.instance, came, row)),
    ]


def _line(label: str, stored: object, came: object) -> Line:
    one, other = str(stored if stored is not None else ""), str(came if came is not None else "")
    return Line(label, one, other, one.strip() == other.strip())


def _patient(study: Study | None, came: IndexedAttributes | None, row: QuarantinedFile) -> list[Line]:
    patient = study.patient if study else None
    facts = came.patient if came else {"patient_name": row.patient_name, "patient_id": row.patient_id}
    name = study.patient_name if study else ""
    sent = facts.get("patient_name", "")
    return [
        Line("Name", format_for_people(name), format_for_people(sent), normalise(name) == normalise(sent)),
        _line("Patient ID", patient.patient_id if patient else "", facts.get("patient_id", "")),
        _line("Issuer", patient.issuer_of_patient_id if patient else "", came.issuer_of_patient_id if came else ""),
        _line(
            "Birth date",
            format_date(study.patient_birth_date) if study else "",
            format_date(facts.get("patient_birth_date", "")),
        ),
        _line("Sex", study.patient_sex if study else "", facts.get("patient_sex", "")),
    ]


def _study(study: Study | None, came: IndexedAttributes | None, row: QuarantinedFile) -> list[Line]:
    facts = came.study if came else {}
    return [
        _line("Date", _when(study.study_date, study.study_time) if study else "", _when_of(facts)),
        _line("Description", study.study_description if study else "", facts.get("study_description")),
        _line("Accession", study.accession_number if study else "", facts.get("accession_number")),
        _line("Study UID", study.study_instance_uid if study else "", row.study_instance_uid),
    ]


def _when(day: str, time: str) -> str:
    return f"{format_date(day)} {format_time(time)}".strip()


def _when_of(facts: dict[str, str]) -> str:
    return _when(facts.get("study_date", ""), facts.get("study_time", ""))


def _series(series: Series | None, came: IndexedAttributes | None, row: QuarantinedFile) -> list[Line]:
    facts = came.series if came else {}
    return [
        _line("Modality", series.modality if series else "", facts.get("modality", row.modality)),
        _line("Number", series.series_number if series else "", facts.get("series_number")),
        _line("Description", series.series_description if series else "", facts.get("series_description")),
        _line("Station", series.station_name if series else "", facts.get("station_name")),
        _line("Series UID", series.series_instance_uid if series else "", row.series_instance_uid),
    ]


def _instance(instance: Instance | None, came: IndexedAttributes | None, row: QuarantinedFile) -> list[Line]:
    facts = came.instance if came else {}
    stored = instance.stored_file if instance else None
    return [
        _line("Number", instance.instance_number if instance else "", facts.get("instance_number")),
        _line("Kind", sop_class_name(instance.sop_class_uid) if instance else "", _kind_of(row)),
        _line("Encoding", transfer_syntax_name(stored.transfer_syntax_uid) if stored else "", _encoding_of(row)),
        _line("Size", _size(stored.size) if stored else "", _size(row.size)),
        _line("Content", instance.data_set_digest[:16] if instance else "", row.digest[:16]),
        _line("From", instance.calling_ae_title or instance.door if instance else "", row.calling_ae_title or row.door),
        _line("Image UID", instance.sop_instance_uid if instance else "", row.sop_instance_uid),
    ]


def _kind_of(row: QuarantinedFile) -> str:
    return sop_class_name(row.sop_class_uid) if row.sop_class_uid else ""


def _encoding_of(row: QuarantinedFile) -> str:
    try:
        with layout.path_of(row.key).open("rb") as file:
            return transfer_syntax_name(read_file_meta(file).transfer_syntax_uid)
    except (ArchiveError, OSError):
        return ""


def _size(size: int) -> str:
    return f"{size:,} bytes".replace(",", " ")
