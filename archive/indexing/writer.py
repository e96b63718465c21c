"""Turn claimed files into rows: one transaction a batch, harmless when run twice.

A file gets its final name before the rows are committed and loses its claimed
name after, so that at every moment each acknowledged file has a name, and no row
stands without its file.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from archive.access.grants import grant_by_referrer
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.person_name import normalise
from archive.errors import ArchiveError
from archive.indexing.claims import POISON, claimed_batch
from archive.indexing.identity import identity_key, is_other_patient, is_placeholder, needs_check
from archive.indexing.prepare import PreparedFile, prepare
from archive.indexing.sameness import is_same_instance
from archive.indexing.search_text import set_search_keys
from archive.mending.rows import CORRECTED, follow_merge
from archive.models import Instance, Patient, QuarantinedFile, Series, SeriesRequest, StoredFile, Study
from archive.scheduling.arrivals import images_came
from archive.signals import studies_changed, study_facts_changed
from archive.storage import layout
from archive.storage.files import link_once, sync_folders

logger = logging.getLogger(__name__)

ATTEMPTS = 3
"""Tries of a batch that met another indexer's rows (PostgreSQL only; SQLite has one writer)."""


@dataclass(slots=True)
class BatchResult:
    """What one batch did."""

    added: int = 0
    duplicates: int = 0
    held_back: int = 0
    study_ids: set[int] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.added or self.duplicates or self.held_back)


def index_waiting_files(*, batches: int = 1000) -> BatchResult:
    """Index until incoming/ is empty, or ``batches`` transactions have been made."""
    layout.make_folders()
    total = BatchResult(held_back=adopt_notes())
    for _ in range(batches):
        with claimed_batch() as paths:
            if not paths:
                break
            done = index_batch(paths)
        total.added += done.added
        total.duplicates += done.duplicates
        total.held_back += done.held_back
        total.study_ids |= done.study_ids
    return total


def index_batch(paths: Iterable[Path]) -> BatchResult:
    """Index claimed files and remove their claimed names."""
    prepared: list[PreparedFile] = []
    unreadable: list[tuple[Path, str]] = []
    for path in paths:
        if path.suffix == POISON:
            unreadable.append((path, "Reading it ended the indexing process again and again; it is kept and not read."))
            continue
        try:
            prepared.append(prepare(path))
        except ArchiveError as error:
            unreadable.append((path, str(error)))
        except FileNotFoundError:
            logger.warning("a claimed file has gone", extra={"file": path.name})
        except Exception as error:
            # One file that nobody foresaw must not keep all others from being indexed.
            logger.exception("a file could not be indexed", extra={"file": path.name})
            unreadable.append(
                (path, f"It could not be indexed ({type(error).__name__}); an administrator should look.")
            )
    for attempt in range(1, ATTEMPTS + 1):
        batch = _Batch()
        try:
            with transaction.atomic():
                batch.write(prepared, unreadable)
            break
        except IntegrityError:
            if attempt == ATTEMPTS:
                raise
    for path in (*(item.path for item in prepared), *(path for path, _ in unreadable)):
        path.unlink(missing_ok=True)
    return batch.result


class _Batch:
    """Rows touched by one transaction."""

    def __init__(self) -> None:
        self.result = BatchResult()
        self.now = timezone.now()
        self.studies: dict[str, Study] = {}
        self.series: dict[str, Series] = {}
        self.new_studies: list[Study] = []
        self.added_by_study: Counter[str] = Counter()
        self.instances: list[Instance] = []
        self.stored: list[StoredFile] = []
        self.folders: set[Path] = set()

    def write(self, prepared: list[PreparedFile], unreadable: list[tuple[Path, str]]) -> None:
        for path, explanation in unreadable:
            self._hold(path, None, QuarantinedFile.Reason.UNREADABLE, explanation)
        known = self._known_instances(prepared)
        fresh: dict[str, PreparedFile] = {}
        for item in prepared:
            uid = item.attributes.sop_instance_uid
            if item.origin.hold_for_review:
                sender = item.origin.sender or "a clinician"
                explanation = f"Sent in by {sender}; a technologist or administrator decides."
                self._hold_item(item, QuarantinedFile.Reason.UPLOAD_REVIEW, explanation)
            elif uid in known:
                self._again(item, known[uid])
            elif uid in fresh:
                self._again_in_batch(item, fresh[uid])
            elif self._fits(item):
                fresh[uid] = item
        self._add(fresh.values())
        sync_folders(self.folders)
        self._announce()

    # --- Known instances --------------------------------------------------------------------------------------------

    def _known_instances(self, prepared: list[PreparedFile]) -> dict[str, Instance]:
        uids = {item.attributes.sop_instance_uid for item in prepared}
        rows = Instance.objects.filter(sop_instance_uid__in=uids).select_related("stored_file", "series__study")
        return {row.sop_instance_uid: row for row in rows}

    def _again(self, item: PreparedFile, known: Instance) -> None:
        if item.digest == known.data_set_digest:
            self.result.duplicates += 1
            if not self._is_there(known.stored_file):
                self._mend(item, known.stored_file)
        elif is_same_instance(item.path, layout.path_of(known.stored_file.key)):
            self.result.duplicates += 1
        else:
            self._hold_item(
                item,
                QuarantinedFile.Reason.OTHER_CONTENT,
                "An image with this UID and other content is already stored.",
            )

    @staticmethod
    def _is_there(stored: StoredFile) -> bool:
        try:
            return not stored.damage and layout.path_of(stored.key).stat().st_size == stored.size
        except FileNotFoundError:
            return False

    def _mend(self, item: PreparedFile, stored: StoredFile) -> None:
        """Let an image that came again take the place of a stored file that is missing or damaged.

        A damaged file stays where it is, for whoever looks into the damage; its name is not used again.
        """
        key = item.key.removesuffix(".dcm") + f"-{secrets.token_hex(6)}.dcm"
        self._place(item.path, key)
        stored.key, stored.size, stored.file_digest = key, item.size, item.digest
        stored.transfer_syntax_uid, stored.frame_index = item.transfer_syntax_uid, item.frame_index
        stored.is_as_received, stored.damage, stored.verified_at = True, "", None
        stored.save()
        record_event(
            Event.DAMAGE_FOUND,
            actor="indexer",
            subject=item.attributes.sop_instance_uid,
            details={"mended": "The image came again and took the place of its damaged file."},
        )

    def _again_in_batch(self, item: PreparedFile, first: PreparedFile) -> None:
        if item.digest == first.digest or is_same_instance(item.path, first.path):
            self.result.duplicates += 1
        else:
            self._hold_item(
                item, QuarantinedFile.Reason.OTHER_CONTENT, "An image with this UID and other content came just before."
            )

    # --- Whose it is ------------------------------------------------------------------------------------------------

    def _fits(self, item: PreparedFile) -> bool:
        """Find or make the study and series of an image, or hold it back where it contradicts them."""
        attributes = item.attributes
        study = self._study(item)
        series = self._series(item)
        patient_id = attributes.patient["patient_id"]
        if (
            study is not None
            and is_other_patient(
                study.patient,
                patient_id=patient_id,
                issuer=attributes.issuer_of_patient_id,
                study_instance_uid=attributes.study_instance_uid,
            )
            and not self._names_received_patient(study, item)
        ):
            self._hold_item(
                item, QuarantinedFile.Reason.OTHER_PATIENT, "Its study is already stored under another patient."
            )
            return False
        if series is not None and (study is None or series.study_id != study.pk):
            self._hold_item(item, QuarantinedFile.Reason.OTHER_STUDY, "Its series is already stored in another study.")
            return False
        study = study or self._make_study(item)
        self._complete_study(study, item)
        if series is None:
            self._make_series(item, study)
        return True

    @staticmethod
    def _names_received_patient(study: Study, item: PreparedFile) -> bool:
        """Whether a person has moved the study from the very patient that this image names: then it belongs to it."""
        received = study.received_patient
        return received is not None and not is_other_patient(
            received,
            patient_id=item.attributes.patient["patient_id"],
            issuer=item.attributes.issuer_of_patient_id,
            study_instance_uid=study.study_instance_uid,
        )

    def _study(self, item: PreparedFile) -> Study | None:
        uid = item.attributes.study_instance_uid
        if uid not in self.studies:
            row = Study.objects.select_for_update().filter(study_instance_uid=uid).first()
            if row is None:
                return None
            row.patient  # noqa: B018 - read once, kept with the row
            self.studies[uid] = row
        return self.studies[uid]

    def _series(self, item: PreparedFile) -> Series | None:
        uid = item.attributes.series_instance_uid
        if uid not in self.series:
            row = Series.objects.filter(series_instance_uid=uid).first()
            if row is None:
                return None
            self.series[uid] = row
        return self.series[uid]

    def _make_study(self, item: PreparedFile) -> Study:
        study = Study(
            study_instance_uid=item.attributes.study_instance_uid,
            patient=self._patient(item),
            first_received_at=item.origin.received_at,
            last_received_at=item.origin.received_at,
            **item.attributes.study,
        )
        study.save()
        follow_merge(study)
        self.studies[study.study_instance_uid] = study
        self.new_studies.append(study)
        return study

    def _patient(self, item: PreparedFile) -> Patient:
        values = item.attributes.patient
        key = identity_key(
            patient_id=values["patient_id"],
            issuer=item.attributes.issuer_of_patient_id,
            study_instance_uid=item.attributes.study_instance_uid,
        )
        patient, created = Patient.objects.get_or_create(
            identity_key=key,
            defaults={
                **values,
                "issuer_of_patient_id": item.attributes.issuer_of_patient_id,
                "name_key": normalise(values["patient_name"]),
                "identity_to_be_checked": is_placeholder(values["patient_id"]),
            },
        )
        facts = {name: values[name] for name in ("patient_name", "patient_birth_date", "patient_sex")}
        if not created and not patient.identity_to_be_checked and needs_check(patient, **facts):
            patient.identity_to_be_checked = True
            patient.save(update_fields=["identity_to_be_checked"])
        return patient

    def _complete_study(self, study: Study, item: PreparedFile) -> None:
        for name, value in item.attributes.study.items():
            if value and not getattr(study, name) and not (study.received_patient_id and name in CORRECTED):
                setattr(study, name, value)
        sent = item.attributes.study["patient_name"]
        if study.received_patient_id is None and sent and normalise(sent) != normalise(study.patient_name):
            study.name_note = sent
        study.first_received_at = min(study.first_received_at, item.origin.received_at)

    def _make_series(self, item: PreparedFile, study: Study) -> Series:
        series = Series(
            study=study,
            series_instance_uid=item.attributes.series_instance_uid,
            is_derived=item.is_derived,
            processing=item.origin.processing[:255],
            last_received_at=item.origin.received_at,
            **item.attributes.series,
        )
        series.save()
        set_requests(series, item.attributes.requests)
        self.series[series.series_instance_uid] = series
        return series

    # --- Rows -------------------------------------------------------------------------------------------------------

    def _add(self, items: Iterable[PreparedFile]) -> None:
        for item in items:
            attributes = item.attributes
            series = self.series[attributes.series_instance_uid]
            study = self.studies[attributes.study_instance_uid]
            self._place(item.path, item.key)
            instance = Instance(
                series=series,
                sop_instance_uid=attributes.sop_instance_uid,
                added_revision=study.revision + 1,
                **item.image_values,
                **item.arrival_values,
            )
            self.instances.append(instance)
            self.stored.append(
                StoredFile(
                    instance=instance,
                    key=item.key,
                    size=item.size,
                    transfer_syntax_uid=item.transfer_syntax_uid,
                    file_digest=item.digest,
                    frame_index=item.frame_index,
                )
            )
            series.last_received_at = max(series.last_received_at, item.origin.received_at)
            series.pictures_owed = True
            if not item.is_derived:
                study.last_received_at = max(study.last_received_at, item.origin.received_at)
                study.ready_at = None
            self.added_by_study[study.study_instance_uid] += 1
        Instance.objects.bulk_create(self.instances)
        StoredFile.objects.bulk_create(self.stored)
        self.result.added = len(self.instances)

    def _place(self, path: Path, key: str) -> None:
        target = layout.path_of(key)
        link_once(path, target)
        self.folders.add(target.parent)

    def _hold_item(self, item: PreparedFile, reason: QuarantinedFile.Reason, explanation: str) -> None:
        waiting = QuarantinedFile.objects.filter(
            digest=item.digest, sop_instance_uid=item.attributes.sop_instance_uid, state=QuarantinedFile.State.HELD
        )
        if waiting.exists():
            self.result.duplicates += 1
            return
        self._hold(item.path, item, reason, explanation)

    def _hold(self, path: Path, item: PreparedFile | None, reason: QuarantinedFile.Reason, explanation: str) -> None:
        digest = item.digest if item else layout.digest_of(path.name, 64)
        key = layout.quarantine_key(digest=digest, unique=secrets.token_hex(6))
        self._place(path, key)
        row = QuarantinedFile(
            key=key, size=path.stat().st_size, reason=reason, explanation=explanation, received_at=self.now
        )
        if item is not None:
            row.study_instance_uid = item.attributes.study_instance_uid
            row.series_instance_uid = item.attributes.series_instance_uid
            row.sop_instance_uid = item.attributes.sop_instance_uid
            row.sop_class_uid = item.attributes.sop_class_uid
            row.modality = item.attributes.series["modality"]
            row.patient_id = item.attributes.patient["patient_id"]
            row.patient_name = item.attributes.patient["patient_name"]
            row.digest = item.digest
            row.door = item.origin.door.value
            row.calling_ae_title = item.origin.calling_ae_title[:16]
            row.received_at = item.origin.received_at
        row.save()
        self.result.held_back += 1
        record_event(
            Event.QUARANTINED,
            actor=row.calling_ae_title or row.door,
            study_instance_uid=row.study_instance_uid,
            subject=row.sop_instance_uid,
            details={"reason": row.reason, "row": row.pk},
        )
        Study.objects.filter(study_instance_uid=row.study_instance_uid).update(held_back_count=F("held_back_count") + 1)
        study_facts_changed.send(sender=None, study_instance_uid=row.study_instance_uid)
        if row.study_instance_uid in self.studies:
            self.studies[row.study_instance_uid].held_back_count += 1

    def _announce(self) -> None:
        for study_uid, count in self.added_by_study.items():
            study = self.studies[study_uid]
            self._count(study)
            record_event(
                Event.INSTANCES_RECEIVED, actor="indexer", study_instance_uid=study_uid, details={"instances": count}
            )
            self.result.study_ids.add(study.pk)
        for study in self.new_studies:
            study.held_back_count = QuarantinedFile.objects.filter(
                study_instance_uid=study.study_instance_uid, state=QuarantinedFile.State.HELD
            ).count()
            study.save(update_fields=["held_back_count"])
            grant_by_referrer(study)
        for study_uid in self.added_by_study:
            images_came(self.studies[study_uid], is_new=self.studies[study_uid] in self.new_studies)
        if self.result.study_ids:
            studies_changed.send(sender=None, study_ids=sorted(self.result.study_ids), arrived=True)

    def _count(self, study: Study) -> None:
        for series in self.series.values():
            if series.study_id == study.pk:
                series.save(update_fields=["last_received_at", "pictures_owed"])
        recount(study)
        study.save()


def set_requests(series: Series, requests: Iterable[tuple[str, str]]) -> bool:
    """Keep which orders a series was made for; true where that is news."""
    known = {(row.requested_procedure_id, row.scheduled_procedure_step_id) for row in series.requests.all()}
    new = [pair for pair in requests if pair not in known]
    SeriesRequest.objects.bulk_create(
        SeriesRequest(series=series, requested_procedure_id=procedure, scheduled_procedure_step_id=step)
        for procedure, step in new
    )
    return bool(new)


def recount(study: Study) -> None:
    """Set a study's counters, modalities, search text and revision from its shown instances; the caller saves it."""
    series_of_study = list(Series.objects.filter(study=study))
    for series in series_of_study:
        count = Instance.objects.shown().filter(series=series).count()
        if count != series.instance_count:
            series.instance_count = count
            series.save(update_fields=["instance_count"])
    shown = [series for series in series_of_study if series.instance_count]
    originals = [series for series in shown if not series.is_derived]
    study.series_count = len(shown)
    study.instance_count = sum(series.instance_count for series in originals)
    study.modalities = "\\".join(sorted({series.modality for series in originals if series.modality}))[:255]
    study.body_parts = "\\".join(sorted({series.body_part_examined for series in originals} - {""}))[:255]
    study.station_names = "\\".join(sorted({series.station_name for series in originals} - {""}))[:255]
    set_search_keys(study)
    study.revision += 1


def adopt_notes() -> int:
    """Make rows of what the intake refused and kept; returns how many."""
    adopted = 0
    for path in sorted(layout.refused_folder().glob("*.json")):
        try:
            note = json.loads(path.read_bytes())
            size = layout.path_of(note["key"]).stat().st_size
        except FileNotFoundError:
            path.unlink(missing_ok=True)  # Adopted by another indexer, or its file was dropped since.
            continue
        except (ValueError, KeyError):
            logger.error("a note about a refused file cannot be read", extra={"note": path.name})
            path.rename(path.with_suffix(".unreadable"))
            continue
        with transaction.atomic():
            _, created = QuarantinedFile.objects.get_or_create(
                key=note["key"],
                defaults={
                    "size": size,
                    "reason": note["reason"],
                    "explanation": note["explanation"],
                    "sop_instance_uid": note["sop_instance_uid"],
                    "sop_class_uid": note["sop_class_uid"],
                    "digest": note["digest"],
                    "door": note["door"],
                    "calling_ae_title": note["calling_ae_title"],
                    "received_at": datetime.fromisoformat(note["received_at"]),
                },
            )
            if created:
                record_event(
                    Event.QUARANTINED,
                    actor=note["calling_ae_title"] or note["door"],
                    subject=note["sop_instance_uid"],
                    details={"reason": note["reason"]},
                )
        path.unlink(missing_ok=True)
        adopted += created
    return adopted
