"""Storage commitment over real associations, with pynetdicom's SCU on the same association and on one of its own."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pydicom import Dataset
from pydicom.uid import UID
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import StorageCommitmentPushModel

from archive.dicom.uids import new_uid
from archive.dimse.operations import COMMITMENT_INSTANCE
from archive.dimse.peers import PeerRule
from archive.dimse.refusals import Refusal
from archive.dimse.server import DicomServer
from archive.dimse.storage_commitment import ask
from archive.jobs.run import MOST_ATTEMPTS, claim_next, run_job
from archive.models import AuditEvent, Commitment, Instance, Job, Peer
from archive.storage import layout
from archive.storage.commitment import Reference
from tests.archive.dimse.conftest import CLOSED, StartReceiver
from tests.archive.receiving.sending import other_content, send, store
from tests.archive.scheduling.steps import item
from tests.phantoms import CT_IMAGE, MR_IMAGE, ct_image, ct_series

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_messages")]

Take = Callable[[Any], tuple[int, None]]
Reports = queue.Queue[tuple[int, Dataset]]


@pytest.fixture(autouse=True)
def no_wake_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)


@pytest.fixture
def reports() -> Reports:
    """What the peer was told: event type and event information."""
    return queue.Queue()


@pytest.fixture
def take(reports: Reports) -> Take:
    """The peer's handler of N-EVENT-REPORT."""

    def answer(event: Any) -> tuple[int, None]:
        reports.put((event.request.EventTypeID, event.event_information))
        return 0x0000, None

    return answer


@pytest.fixture
def listener(take: Take) -> Iterator[int]:
    """The peer's own receiver of reports; its port."""
    ae = AE("CT1")
    ae.add_supported_context(StorageCommitmentPushModel, scu_role=False, scp_role=True)
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, take)])
    yield server.socket.getsockname()[1]
    server.shutdown()


def request(*references: tuple[str, str], transaction_uid: str = "") -> Dataset:
    return item(
        TransactionUID=UID(transaction_uid or new_uid()),
        ReferencedSOPSequence=[
            item(ReferencedSOPClassUID=UID(sop_class), ReferencedSOPInstanceUID=UID(instance))
            for sop_class, instance in references
        ],
    )


def of(ds: Dataset) -> tuple[str, str]:
    return str(ds.SOPClassUID), str(ds.SOPInstanceUID)


class Asker:
    """The peer's side of an association."""

    def __init__(self, server: DicomServer, take: Take) -> None:
        ae = AE("CT1")
        ae.add_requested_context(StorageCommitmentPushModel)
        self.assoc = ae.associate(
            "127.0.0.1",
            server.port,
            ae_title="PORTAL",
            evt_handlers=[(evt.EVT_N_EVENT_REPORT, take)],
            ext_neg=[build_role(StorageCommitmentPushModel, scu_role=True, scp_role=False)],
        )
        assert self.assoc.is_established

    def ask(self, ds: Dataset, action: int = 1, instance: str = COMMITMENT_INSTANCE) -> int:
        return int(self.assoc.send_n_action(ds, action, StorageCommitmentPushModel, instance)[0].Status)


def reasons(ds: Dataset) -> dict[str, int]:
    return {str(entry.ReferencedSOPInstanceUID): entry.FailureReason for entry in ds.get("FailedSOPSequence", [])}


def test_what_is_here_is_committed_on_the_association_that_asked(
    receiver: DicomServer, reports: Reports, take: Take
) -> None:
    images = list(ct_series(3))
    store(*images)
    asker = Asker(receiver, take)
    ds = request(*map(of, images))
    assert asker.ask(ds) == 0x0000
    event_type, told = reports.get(timeout=20)
    wait_until(lambda: Commitment.objects.get().state == Commitment.State.REPORTED)
    asker.assoc.release()
    assert (event_type, told.TransactionUID, told.RetrieveAETitle) == (1, ds.TransactionUID, "PORTAL")
    assert [str(entry.ReferencedSOPInstanceUID) for entry in told.ReferencedSOPSequence] == [of(ds)[1] for ds in images]
    assert "FailedSOPSequence" not in told
    job = due_job()
    run_job(job)
    job.refresh_from_db()
    assert (job.state, job.message) == (Job.State.DONE, "The peer has been told.")
    assert set(AuditEvent.objects.filter(event__startswith="commitment").values_list("event", flat=True)) == {
        "commitment-asked",
        "commitment-answered",
    }


def due_job() -> Job:
    """Take the job that answers, whatever its pause."""
    jobs = Job.objects.filter(kind="report-commitment")
    jobs.update(due_at=timezone.now() - timedelta(seconds=1))
    Job.objects.exclude(pk__in=jobs).delete()
    job = claim_next()
    assert job is not None
    return job


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.05)


def test_each_failure_has_its_reason_and_files_are_looked_at_not_rows(
    receiver: DicomServer, reports: Reports, take: Take
) -> None:
    good, lost, flipped, other = ct_series(4)
    disputed = ct_image(number=9)
    store(good, lost, flipped, other, disputed, calling_ae_title="CT1")
    store(other_content(SOPInstanceUID=disputed.SOPInstanceUID), calling_ae_title="CT1")
    path_of(lost).unlink()
    damage(path_of(flipped))
    asker = Asker(receiver, take)
    absent = new_uid()
    assert (
        asker.ask(request(of(good), of(lost), of(flipped), (MR_IMAGE, of(other)[1]), (CT_IMAGE, absent), of(disputed)))
        == 0x0000
    )
    event_type, told = reports.get(timeout=20)
    asker.assoc.release()
    assert event_type == 2
    assert [str(entry.ReferencedSOPInstanceUID) for entry in told.ReferencedSOPSequence] == [of(good)[1]]
    assert reasons(told) == {
        of(lost)[1]: 0x0112,
        of(flipped)[1]: 0x0110,
        of(other)[1]: 0x0119,
        absent: 0x0112,
        of(disputed)[1]: 0x0110,
    }


def path_of(ds: Dataset) -> Path:
    return layout.path_of(Instance.objects.get(sop_instance_uid=ds.SOPInstanceUID).stored_file.key)


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_a_transaction_that_comes_again_fails_with_0131(receiver: DicomServer, reports: Reports, take: Take) -> None:
    image = ct_image()
    store(image)
    asker = Asker(receiver, take)
    ds = request(of(image))
    assert asker.ask(ds) == 0x0000
    assert reports.get(timeout=20)[0] == 1
    wait_until(lambda: Commitment.objects.get().state == Commitment.State.REPORTED)
    assert asker.ask(ds) == 0x0000
    event_type, told = reports.get(timeout=20)
    asker.assoc.release()
    assert (event_type, reasons(told)) == (2, {of(image)[1]: 0x0131})


def test_requests_that_are_none_are_refused(receiver: DicomServer, take: Take) -> None:
    asker = Asker(receiver, take)
    assert asker.ask(request((CT_IMAGE, "1.2.3")), action=2) == 0x0123
    assert asker.ask(request((CT_IMAGE, "1.2.3")), instance="1.2.3") == 0x0112
    assert asker.ask(request()) == 0x0115
    assert asker.ask(item(ReferencedSOPSequence=[])) == 0x0115
    asker.assoc.release()
    assert not Commitment.objects.exists()


def test_a_peer_that_has_hung_up_is_told_on_an_association_of_ours(
    receiver: DicomServer, reports: Reports, listener: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The association that asks never looks: it is gone before it could.
    monkeypatch.setattr("archive.dimse.reports.Reports.look_at", lambda _self, _commitment: None)
    Peer.objects.create(ae_title="CT1", host="127.0.0.1", port=listener)
    image = ct_image()
    send(image)  # Acknowledged and not indexed yet: the job indexes what waits.
    asker = Asker(receiver, lambda _event: (0x0110, None))
    assert asker.ask(request(of(image))) == 0x0000
    asker.assoc.release()
    job = due_job()
    run_job(job)
    event_type, told = reports.get(timeout=20)
    assert event_type == 1 and str(told.ReferencedSOPSequence[0].ReferencedSOPInstanceUID) == of(image)[1]
    job.refresh_from_db()
    assert job.state == Job.State.DONE


def test_a_peer_that_does_not_answer_is_told_later_and_later(no_messages: None) -> None:
    Peer.objects.create(ae_title="CT1", host="127.0.0.1", port=9)
    commitment = ask(new_uid(), [Reference(CT_IMAGE, new_uid())], peer="CT1", address="127.0.0.1")
    pauses = []
    for _ in range(2):
        job = due_job()
        run_job(job)
        job.refresh_from_db()
        assert job.state == Job.State.QUEUED and "again" in job.message and job.due_at is not None
        pauses.append(round((job.due_at - timezone.now()).total_seconds()))
    assert pauses[0] in range(25, 31) and pauses[1] in range(55, 61)
    Commitment.objects.update(attempts=MOST_ATTEMPTS)
    job = due_job()
    run_job(job)
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    commitment.refresh_from_db()
    assert commitment.state == Commitment.State.GIVEN_UP


def test_a_peer_without_the_right_is_refused_and_audited(
    start_receiver: StartReceiver, refused: list[Refusal], take: Take
) -> None:
    server = start_receiver([PeerRule("CT1", check_address=False, may_ask_commitment=False)], policy=CLOSED)
    asker = Asker(server, take)
    assert asker.ask(request((CT_IMAGE, "1.2.3"))) == 0x0124
    asker.assoc.release()
    server.stop(timeout=2)
    assert [refusal.reason for refusal in refused] == ["may not ask for storage commitment"]
