"""Fetch a study from a peer: it sends it to our AE title (C-MOVE), or over the association itself (C-GET).

What comes passes the same intake as all else: whose images they are is decided there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import QuerySet

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.uids import is_valid_uid
from archive.dimse import asking
from archive.dimse.asking import FoundStudies, SubOperations
from archive.dimse.client import PeerUnreachable
from archive.dimse.peers import peer_to_call
from archive.errors import ArchiveError
from archive.jobs.kinds import FETCH
from archive.jobs.queue import enqueue
from archive.jobs.run import JobRefused, TryLater
from archive.models import Job, Peer, User
from archive.models.peer import RetrieveBy

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from archive.jobs.run import Progress


class FetchRefused(ArchiveError):
    """It cannot be fetched from there; the message says why."""


def searchable_peers() -> QuerySet[Peer]:
    """Peers that are searched from here."""
    return Peer.objects.filter(enabled=True, may_be_searched=True)


def search_peer(peer: Peer, keys: Mapping[str, str], *, by: User, address: str = "") -> FoundStudies:
    """Ask a peer for studies, audited without what was asked for in words (names stay out of the trail).

    Raises
    ------
    PeerUnreachable, PeerRefused
    """
    found: FoundStudies | None = None
    try:
        found = asking.find_studies(peer_to_call(peer), keys, calling_ae_title=settings.PORTAL_AE_TITLE)
        return found
    finally:
        record_event(
            Event.QUERIED,
            outcome="success" if found else "failure",
            user=by,
            address=address,
            subject=peer.ae_title,
            details={
                "service": "C-FIND",
                "keys": sorted(key for key, value in keys.items() if value),
                "studies": len(found.studies) if found else 0,
            },
        )


def enqueue_fetch(peer: Peer, study_instance_uid: str, *, by: User | None) -> Job:
    """Queue the fetching of a study; a waiting job for the same is that one.

    Raises
    ------
    FetchRefused
    """
    if not searchable_peers().filter(pk=peer.pk).exists():
        raise FetchRefused(f"Nothing is fetched from {peer.ae_title}.")
    if not is_valid_uid(study_instance_uid):
        raise FetchRefused("This is no Study Instance UID.")
    return enqueue(
        FETCH,
        parameters={"peer": peer.pk, "ae_title": peer.ae_title, "study_instance_uid": study_instance_uid},
        created_by=by,
        coalescing_key=f"{FETCH} {peer.pk} {study_instance_uid}",
    )


def fetch_study(job: Job, progress: Progress) -> str:
    """A job: one study.

    Raises
    ------
    JobRefused, TryLater
    """
    peer = searchable_peers().filter(pk=job.parameters["peer"]).first()
    if peer is None:
        raise JobRefused(f"Nothing is fetched from {job.parameters['ae_title']} any more.")
    uid = str(job.parameters["study_instance_uid"])
    try:
        counts = retrieve(peer, uid, progress)
    except PeerUnreachable as error:
        raise TryLater(str(error)) from None
    _audit(job, peer, uid, counts)
    if not counts.done:
        raise JobRefused(f"{peer.ae_title} has nothing of this study to send.")
    if counts.failed or counts.remaining:
        raise JobRefused(
            f"{counts.completed + counts.warning} of {counts.total} images came from {peer.ae_title}; "
            f"{counts.failed + counts.remaining} did not."
        )
    return f"{counts.completed + counts.warning} images came from {peer.ae_title}."


def retrieve(peer: Peer, study_instance_uid: str, progress: Progress) -> SubOperations:
    """Fetch one study, counting steps as the peer counts its sub-operations; returns the last counts.

    Raises
    ------
    PeerUnreachable, PeerRefused
    """
    progress.start(0, f"Fetching from {peer.ae_title}")
    known = SubOperations()
    responses = _retrieval(peer, study_instance_uid)
    total = 0
    try:
        for counts in responses:
            if counts.total > total:
                total = counts.total
                progress.start(total, f"Fetching from {peer.ae_title}")
                progress.step(counts.done)
            elif counts.done > known.done:
                progress.step(counts.done - known.done)
            if counts.total:
                known = counts
    finally:
        responses.close()
    return known


def _retrieval(peer: Peer, study_instance_uid: str) -> Generator[SubOperations]:
    target, ours = peer_to_call(peer), settings.PORTAL_AE_TITLE
    keys = {"StudyInstanceUID": study_instance_uid}
    if peer.retrieve_by == RetrieveBy.MOVE:
        yield from asking.move(target, keys, destination=ours, calling_ae_title=ours)
        return
    yield from asking.get(
        target,
        keys,
        calling_ae_title=ours,
        sop_classes=_sop_classes(peer, study_instance_uid),
        issuer_of_patient_id=peer.default_issuer_of_patient_id,
    )


def _sop_classes(peer: Peer, study_instance_uid: str) -> list[str]:
    """What the study holds, where the peer says so: then there is room to propose compressed syntaxes too."""
    keys = {"StudyInstanceUID": study_instance_uid, "SOPClassesInStudy": ""}
    answers, _ = asking.find(peer_to_call(peer), "STUDY", keys, calling_ae_title=settings.PORTAL_AE_TITLE, most=1)
    return [uid for answer in answers for uid in asking.text_of(answer, "SOPClassesInStudy").split("\\") if uid]


def _audit(job: Job, peer: Peer, study_instance_uid: str, counts: SubOperations) -> None:
    record_event(
        Event.TRANSFER_BEGUN,
        outcome="failed" if counts.failed or not counts.done else "success",
        user=job.created_by,
        actor="" if job.created_by else "worker",
        study_instance_uid=study_instance_uid,
        subject=f"job {job.pk}",
        details={
            "service": f"C-{peer.retrieve_by.upper()}",
            "from": peer.ae_title,
            "instances": counts.completed + counts.warning,
            "failed": counts.failed,
        },
    )
