"""Instance availability notification to a peer that takes it: pynetdicom's SCP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pydicom import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import InstanceAvailabilityNotification

from archive.indexing.settle import settle
from archive.jobs.run import run_waiting_jobs
from archive.models import AuditEvent, Job, Peer, Study
from tests.archive.receiving.sending import store
from tests.phantoms import ct_series

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]


@pytest.fixture(autouse=True)
def no_wake_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)


@pytest.fixture
def told() -> list[Dataset]:
    return []


@pytest.fixture
def ris(told: list[Dataset]) -> Iterator[Peer]:
    """A peer that wants to be told."""

    def take(event: Any) -> tuple[int, None]:
        told.append(event.attribute_list)
        return 0x0000, None

    ae = AE("RIS")
    ae.add_supported_context(InstanceAvailabilityNotification)
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_CREATE, take)])
    yield Peer.objects.create(
        ae_title="RIS", host="127.0.0.1", port=server.socket.getsockname()[1], wants_availability=True
    )
    server.shutdown()


def settled() -> Study:
    images = list(ct_series(2))
    store(*images)
    Study.objects.update(last_received_at=timezone.now() - timedelta(minutes=5))
    assert settle() == 1
    Job.objects.exclude(kind="tell-availability").delete()
    return Study.objects.get()


def test_a_peer_is_told_of_every_instance_when_a_study_has_gone_quiet(ris: Peer, told: list[Dataset]) -> None:
    Peer.objects.create(ae_title="CT1", host="127.0.0.1", port=9)
    study = settled()
    assert run_waiting_jobs() == 1
    (ds,) = told
    assert (ds.StudyInstanceUID, list(ds.ReferencedPerformedProcedureStepSequence)) == (study.study_instance_uid, [])
    (series,) = ds.ReferencedSeriesSequence
    assert {
        (entry.ReferencedSOPInstanceUID, entry.InstanceAvailability, entry.RetrieveAETitle)
        for entry in series.ReferencedSOPSequence
    } == {(uid, "ONLINE", "PORTAL") for uid in study.series.get().instances.values_list("sop_instance_uid", flat=True)}
    assert AuditEvent.objects.filter(event="availability-told").count() == 1


def test_a_peer_that_does_not_answer_is_told_later(no_messages: None) -> None:
    Peer.objects.create(ae_title="RIS", host="127.0.0.1", port=9, wants_availability=True)
    settled()
    assert run_waiting_jobs() == 1
    job = Job.objects.get()
    assert (job.state, job.parameters["attempts"], job.crashes) == (Job.State.QUEUED, 1, 0)
    assert job.due_at is not None and job.due_at > timezone.now()
