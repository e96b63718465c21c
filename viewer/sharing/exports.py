"""De-identified copies of a study: asked for, made by a job, fetched once or twice, gone after a day."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Any

from django.conf import settings

from archive.access.rules import may_download, shareable_studies
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.deidentify import Option
from archive.jobs.queue import enqueue
from archive.models import Job, Study, User
from viewer.sharing.errors import CannotShare

DEIDENTIFY = "deidentify"
KEPT_S = 24 * 3600
LONGEST_SHIFT_DAYS = 365
CHOICES: dict[str, tuple[Option, str]] = {
    "full_dates": (Option.FULL_DATES, "keep all dates and times as they are"),
    "modified_dates": (Option.MODIFIED_DATES, "keep distances between dates: all are moved by the same number of days"),
    "patient": (Option.PATIENT_CHARACTERISTICS, "keep sex, age, size and weight"),
    "device": (Option.DEVICE_IDENTITY, "keep the identity of the device"),
    "descriptors": (Option.CLEAN_DESCRIPTORS, "keep descriptions that name nobody"),
    "uids": (Option.UIDS, "keep UIDs: the copy can then be matched with the original"),
}
"""Fields of the form: an option of PS3.15 E.3 and what it means for people."""


def may_take_deidentified(who: User, study: Study) -> bool:
    """Whether a person may take a de-identified copy away: who may download, of what they may show to others."""
    return may_download(who, study) and shareable_studies(Study.objects.filter(pk=study.pk), who).exists()


def ask_for_copy(study: Study, chosen: list[str], series: list[str], *, by: User) -> Job:
    """Queue the making of a copy.

    Raises
    ------
    CannotShare
        The person may not, or the choices do not fit together.
    """
    if not may_take_deidentified(by, study):
        raise CannotShare("You may not take images of this study away.")
    if not set(chosen) <= set(CHOICES):
        raise CannotShare("There is no such option.")
    if {"full_dates", "modified_dates"} <= set(chosen):
        raise CannotShare("Dates either stay or are moved, not both.")
    known = set(study.series.filter(instance_count__gt=0).values_list("series_instance_uid", flat=True))
    if not series or not set(series) <= known:
        raise CannotShare("Choose at least one series of this study.")
    values: dict[str, Any] = {
        "options": sorted(CHOICES[name][0].value for name in chosen),
        "series": sorted(series),
        "key": secrets.token_hex(32),
        "code": secrets.token_hex(4).upper(),
        "shift_days": -1 - secrets.randbelow(LONGEST_SHIFT_DAYS),
    }
    return enqueue(DEIDENTIFY, study=study, parameters=values, created_by=by)


def folder() -> Path:
    return Path(settings.PORTAL_DATA) / "exports"


def path_of_copy(job: Job) -> Path:
    """Where the copy of a job lies; nothing in its name comes from outside."""
    return folder() / f"{job.pk}-{str(job.parameters['key'])[:16]}.zip"


def remove_old() -> None:
    """Copies are made again, never kept."""
    for path in folder().glob("*.zip"):
        if path.stat().st_mtime < time.time() - KEPT_S:
            path.unlink(missing_ok=True)


def record_fetch(job: Job, *, by: User, address: str) -> None:
    record_event(
        Event.EXPORTED,
        user=by,
        address=address,
        study_instance_uid=job.study.study_instance_uid if job.study else "",
        subject=f"job {job.pk}",
        details={"deidentified": True, "options": job.parameters["options"]},
    )
