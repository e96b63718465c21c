"""Instance Availability Notification as SCU (PS3.4 annex R): peers that want to know are told what can be retrieved."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from django.conf import settings
from pydicom import Dataset
from pydicom.uid import UID
from pynetdicom.presentation import build_context

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.uids import new_uid
from archive.dimse.client import PeerUnreachable, association
from archive.dimse.operations import AVAILABILITY, PERFORMED_STEP
from archive.jobs.run import MOST_ATTEMPTS, JobRefused, TryLater, pause_after
from archive.models import Instance, Job, Peer, PerformedStep, Study

if TYPE_CHECKING:
    from archive.jobs.run import Progress

TIMEOUT_S = 30.0


def tell_availability(job: Job, progress: Progress) -> str:
    """The job: tell one peer of one study.

    Raises
    ------
    TryLater, JobRefused
    """
    peer = Peer.objects.filter(pk=job.parameters.get("peer"), enabled=True, wants_availability=True).first()
    study = job.study
    if peer is None or study is None or not study.instance_count:
        return "Nobody has to be told any more."
    progress.step(message=f"Telling {peer.ae_title}")
    try:
        _notify(peer, notification_of(study))
    except PeerUnreachable as error:
        attempts = int(job.parameters.get("attempts", 0)) + 1
        if attempts >= MOST_ATTEMPTS:
            raise JobRefused(f"{error} It was tried {attempts} times.") from error
        Job.objects.filter(pk=job.pk).update(parameters=job.parameters | {"attempts": attempts})
        raise TryLater(str(error), pause_after(attempts)) from error
    record_event(
        Event.AVAILABILITY_TOLD,
        actor="portal",
        study_instance_uid=study.study_instance_uid,
        details={"peer": peer.ae_title, "instances": study.instance_count},
    )
    return f"{peer.ae_title} was told of {study.instance_count} instances."


def notification_of(study: Study) -> Dataset:
    """Attribute list of the notification (PS3.4 table R.3.2-1): every instance that is shown, by series."""
    ds = Dataset()
    ds.StudyInstanceUID = UID(study.study_instance_uid)
    ds.ReferencedPerformedProcedureStepSequence = [
        _step_item(step) for step in PerformedStep.objects.filter(studies__study_instance_uid=study.study_instance_uid)
    ]
    instances = (
        Instance.objects.shown()
        .filter(series__study=study)
        .order_by("series", "pk")
        .values_list("series__series_instance_uid", "sop_class_uid", "sop_instance_uid")
    )
    ds.ReferencedSeriesSequence = [
        _series_item(uid, [(sop_class, instance) for _, sop_class, instance in members])
        for uid, members in groupby(instances.iterator(chunk_size=2000), key=lambda row: row[0])
    ]
    return ds


def _step_item(step: PerformedStep) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = UID(PERFORMED_STEP)
    item.ReferencedSOPInstanceUID = UID(step.sop_instance_uid)
    item.PerformedWorkitemCodeSequence = []
    return item


def _series_item(series_instance_uid: str, members: list[tuple[str, str]]) -> Dataset:
    series = Dataset()
    series.SeriesInstanceUID = UID(series_instance_uid)
    series.ReferencedSOPSequence = [_instance_item(*member) for member in members]
    return series


def _instance_item(sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = UID(sop_class_uid)
    item.ReferencedSOPInstanceUID = UID(sop_instance_uid)
    item.InstanceAvailability = "ONLINE"
    item.RetrieveAETitle = settings.PORTAL_AE_TITLE
    return item


def _notify(peer: Peer, ds: Dataset) -> None:
    """Send the N-CREATE.

    Raises
    ------
    PeerUnreachable
    """
    with association(
        peer.host,
        peer.port,
        [build_context(AVAILABILITY)],
        called_ae_title=peer.ae_title,
        calling_ae_title=settings.PORTAL_AE_TITLE,
        timeout_s=TIMEOUT_S,
        tls=peer.tls,
    ) as assoc:
        try:
            status: Any = assoc.send_n_create(ds, AVAILABILITY, new_uid())[0]
        except (ValueError, RuntimeError) as error:
            raise PeerUnreachable(f"{peer.ae_title} does not take notifications of availability.") from error
    if status.get("Status") != 0:
        answer = f"status {status.Status:04X}" if "Status" in status else "nothing"
        raise PeerUnreachable(f"{peer.ae_title} answered the notification with {answer}.")
