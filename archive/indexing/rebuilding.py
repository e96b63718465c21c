"""Make rows again from files: what a newer version reads better, or what a lost database no longer says."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Model

from archive.errors import ArchiveError
from archive.indexing.prepare import PreparedFile, prepare
from archive.indexing.writer import recount, set_requests
from archive.mending.rows import CORRECTED
from archive.models import Instance, Series, StoredFile, Study
from archive.signals import studies_changed
from archive.storage import layout
from archive.storage.integrity import YOUNG_S, adopt_quarantined, files_without_rows, return_to_incoming


@dataclass(slots=True)
class Rebuilt:
    """What became of one study."""

    changed: bool = False
    unreadable: list[str] = field(default_factory=list)
    """SOP Instance UIDs whose file is missing, damaged or not what its row says; their rows stay as they are."""


def take_in_strays() -> int:
    """Let the indexer look again at files without rows; returns how many.

    Young files are left alone, as their indexer may be about to commit; with an empty
    database there is none.
    """
    now = time.time()
    if not StoredFile.objects.exists():
        now += YOUNG_S + 1
    strays = files_without_rows(now=now)
    for key in strays:
        if key.startswith("quarantine/"):
            adopt_quarantined(key)
        else:
            return_to_incoming(key)
    return len(strays)


def rebuild_study(study: Study) -> Rebuilt:
    """Read every file of a study again and bring its rows up to date; what a person decided stays."""
    result = Rebuilt()
    instances = Instance.objects.filter(series__study=study).select_related("stored_file")
    read: list[tuple[Instance, PreparedFile]] = []
    for instance in instances.order_by("received_at", "pk"):
        item = _read(instance)
        if item is None:
            result.unreadable.append(instance.sop_instance_uid)
        else:
            read.append((instance, item))
    with transaction.atomic():
        result.changed = _write(study.pk, read)
    return result


def _read(instance: Instance) -> PreparedFile | None:
    try:
        item = prepare(layout.path_of(instance.stored_file.key))
    except (ArchiveError, OSError):
        return None
    is_same = item.digest == instance.stored_file.file_digest
    return item if is_same and item.attributes.sop_instance_uid == instance.sop_instance_uid else None


def _write(study_id: int, read: list[tuple[Instance, PreparedFile]]) -> bool:
    study = Study.objects.select_for_update().get(pk=study_id)
    changed = False
    for instance, item in read:
        changed |= _bring_up_to_date(instance, item.image_values)
        changed |= _bring_up_to_date(instance.stored_file, {"frame_index": item.frame_index, "size": item.size})
    for series in Series.objects.filter(study=study):
        of_series = [item for instance, item in read if instance.series_id == series.pk]
        changed |= _bring_up_to_date(series, _first_said([item.attributes.series for item in of_series]))
        changed |= set_requests(series, (pair for item in of_series for pair in item.attributes.requests))
    said = _first_said([item.attributes.study for _, item in read if not item.is_derived])
    if study.received_patient_id is not None:
        said = {name: value for name, value in said.items() if name not in CORRECTED}
    changed |= _bring_up_to_date(study, said)
    if changed:
        Series.objects.filter(study=study).update(pictures_owed=True)
        recount(study)
        study.rearranged_revision = study.revision
        study.save()
        studies_changed.send(sender=None, study_ids=[study.pk], arrived=False)
    return changed


def _first_said(said: list[dict[str, Any]]) -> dict[str, Any]:
    """Of each attribute the first value that is one, in the order in which the images came."""
    values: dict[str, Any] = {}
    for facts in said:
        for name, value in facts.items():
            if value not in (None, "", []) and name not in values:
                values[name] = value
    return values


def _bring_up_to_date(row: Model, values: dict[str, Any]) -> bool:
    different = [name for name, value in values.items() if _plain(getattr(row, name)) != value]
    for name in different:
        setattr(row, name, values[name])
    if different:
        row.save(update_fields=different)
    return bool(different)


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value
