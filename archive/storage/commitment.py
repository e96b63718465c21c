"""Whether instances are safe here (PS3.4 annex J), by looking at their files: present, size, digest."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from archive.models import Instance, QuarantinedFile
from archive.receiving.backlog import backlog
from archive.storage import layout
from archive.storage.integrity import damage_of

LOOK_EVERY_S = 0.2
AT_ONCE = 500
"""Rows of one query."""


class Failure(IntEnum):
    """Failure Reason (0008,1197), PS3.3 C.14.1.1."""

    PROCESSING_FAILURE = 0x0110  # It is known, but its file is damaged, or disputed
    NO_SUCH_INSTANCE = 0x0112
    CLASS_CONFLICT = 0x0119
    DUPLICATE_TRANSACTION = 0x0131


@dataclass(frozen=True, slots=True)
class Reference:
    """An instance that is asked about."""

    sop_class_uid: str
    sop_instance_uid: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of each reference one: it is safe, or why it is not said to be."""

    committed: tuple[Reference, ...]
    failed: tuple[tuple[Reference, Failure], ...]


def look(references: Sequence[Reference], *, asked_by: str) -> Verdict:
    """Look at every file, whole.

    ``asked_by`` is the asking AE title: what it sent itself and what waits in
    quarantine is not committed, whatever is stored under that UID.
    """
    committed: list[Reference] = []
    failed: list[tuple[Reference, Failure]] = []
    for start in range(0, len(references), AT_ONCE):
        part = references[start : start + AT_ONCE]
        known = _rows(part)
        held = _held(part, asked_by)
        for reference in part:
            failure = _failure(reference, known.get(reference.sop_instance_uid), held)
            if failure is None:
                committed.append(reference)
            else:
                failed.append((reference, failure))
    return Verdict(tuple(committed), tuple(failed))


def look_when_indexed(references: Sequence[Reference], *, asked_by: str, wait_s: float) -> Verdict | None:
    """The same, after what was acknowledged a moment ago has been indexed; None where that takes longer."""
    end = time.monotonic() + wait_s
    while True:
        is_idle = backlog.count_now() == 0
        if is_idle or not _absent(references):
            return look(references, asked_by=asked_by)
        if time.monotonic() > end:
            return None
        time.sleep(LOOK_EVERY_S)


def _absent(references: Sequence[Reference]) -> bool:
    uids = {reference.sop_instance_uid for reference in references}
    found = sum(Instance.objects.filter(sop_instance_uid__in=part).count() for part in _parts(sorted(uids)))
    return found < len(uids)


def _parts(uids: Sequence[str]) -> list[Sequence[str]]:
    return [uids[start : start + AT_ONCE] for start in range(0, len(uids), AT_ONCE)]


def _rows(references: Sequence[Reference]) -> dict[str, Instance]:
    uids = {reference.sop_instance_uid for reference in references}
    rows = Instance.objects.filter(sop_instance_uid__in=uids).select_related("stored_file")
    return {row.sop_instance_uid: row for row in rows}


def _held(references: Sequence[Reference], asked_by: str) -> set[str]:
    uids = {reference.sop_instance_uid for reference in references}
    files = QuarantinedFile.objects.filter(
        sop_instance_uid__in=uids, state=QuarantinedFile.State.HELD, calling_ae_title=asked_by
    )
    return set(files.values_list("sop_instance_uid", flat=True))


def _failure(reference: Reference, row: Instance | None, held: set[str]) -> Failure | None:
    if row is None or not layout.path_of(row.stored_file.key).exists():
        return Failure.NO_SUCH_INSTANCE
    if row.sop_class_uid != reference.sop_class_uid:
        return Failure.CLASS_CONFLICT
    if reference.sop_instance_uid in held or damage_of(row.stored_file):
        return Failure.PROCESSING_FAILURE
    return None
