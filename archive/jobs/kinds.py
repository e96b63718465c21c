"""The kinds of jobs that the archive brings, and what queues them."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from archive.dicom.transfer_syntaxes import HTJ2K_LOSSLESS, JPEG_LS_LOSSLESS
from archive.jobs.registry import Kind, register
from archive.signals import study_quiet

RECOMPRESS = "recompress"
TELL_AVAILABILITY = "tell-availability"
REPORT_COMMITMENT = "report-commitment"
ASK_COMMITMENT = "ask-commitment"
METADATA = "metadata"
SEND = "send"
FETCH = "fetch"
PRIORS = "priors"
TARGETS = {"htj2k": HTJ2K_LOSSLESS, "jpeg-ls": JPEG_LS_LOSSLESS}
"""Words of ``PORTAL_RECOMPRESS`` and the transfer syntax of each."""


def register_all() -> None:
    register(Kind(RECOMPRESS, "Lossless recompression", "archive.storage.recompression.recompress_study"))
    register(
        Kind(
            REPORT_COMMITMENT,
            "Answer to a request for storage commitment",
            "archive.dimse.storage_commitment.report_commitment",
        )
    )
    register(Kind(ASK_COMMITMENT, "Asking a peer for storage commitment", "archive.exchange.committing.ask_peer"))
    register(
        Kind(TELL_AVAILABILITY, "Instance availability notification", "archive.dimse.availability.tell_availability")
    )
    register(Kind(METADATA, "Metadata kept ready", "archive.dicomweb.metadata_files.make_metadata"))
    register(Kind(SEND, "Sending to a peer", "archive.exchange.sending.send_study"))
    register(Kind(FETCH, "Fetching from a peer", "archive.exchange.fetching.fetch_study"))
    register(Kind(PRIORS, "Fetching priors", "archive.exchange.priors.fetch_priors"))
    study_quiet.connect(queue_recompression, dispatch_uid="recompression")
    study_quiet.connect(queue_notifications, dispatch_uid="instance availability")
    study_quiet.connect(queue_metadata, dispatch_uid="metadata")
    study_quiet.connect(queue_routing, dispatch_uid="routing")


def queue_recompression(study_id: int, **_details: Any) -> None:
    """Where the site has turned it on, a study that has gone quiet is recompressed."""
    from archive.jobs.queue import enqueue
    from archive.models import Study

    target = TARGETS.get(settings.PORTAL_RECOMPRESS)
    study = Study.objects.filter(pk=study_id).first()
    if target is not None and study is not None:
        enqueue(
            RECOMPRESS,
            study=study,
            parameters={"transfer_syntax_uid": target},
            coalescing_key=f"{RECOMPRESS} {study_id}",
        )


def queue_notifications(study_id: int, **_details: Any) -> None:
    """Peers that want to know are told of a study that has gone quiet: one job a peer."""
    from archive.jobs.queue import enqueue
    from archive.models import Peer, Study

    study = Study.objects.filter(pk=study_id, instance_count__gt=0).first()
    if study is None:
        return
    for peer in Peer.objects.filter(wants_availability=True, enabled=True):
        enqueue(
            TELL_AVAILABILITY,
            study=study,
            parameters={"peer": peer.pk},
            coalescing_key=f"{TELL_AVAILABILITY} {study_id} {peer.pk}",
        )


def queue_metadata(study_id: int, **_details: Any) -> None:
    """What DICOMweb clients ask first is made once a study has gone quiet."""
    from archive.jobs.queue import enqueue
    from archive.models import Study

    study = Study.objects.filter(pk=study_id).first()
    if study is not None:
        enqueue(METADATA, study=study, coalescing_key=f"{METADATA} {study_id}")


def queue_routing(study_id: int, **_details: Any) -> None:
    """What the site's rules say about a study that has gone quiet becomes jobs, in the transaction that settles it."""
    from archive.exchange.routing import route_study

    route_study(study_id)
