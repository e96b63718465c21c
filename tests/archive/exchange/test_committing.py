"""Peers commit to what they were sent: a real Orthanc, pynetdicom's SCP on the association that asked, and ourselves."""

from __future__ import annotations

import io
import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pydicom import Dataset
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import StorageCommitmentPushModel as COMMITMENT

from archive.dimse.operations import COMMITMENT_INSTANCE
from archive.dimse.peers import PeerRule
from archive.exchange.committing import MOST_ASKED, commitment_of, want_commitment
from archive.exchange.sending import enqueue_send
from archive.jobs.run import run_waiting_jobs
from archive.models import AuditEvent, CommitmentTransaction, Instance, Job, Peer, Study, WantedCommitment
from tests.archive.dimse.conftest import OPEN, StartReceiver
from tests.archive.exchange.conftest import Orthanc, peer
from tests.archive.receiving.sending import store
from tests.conftest import Cast
from tests.phantoms import ct_series
from tests.servers import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]

StoreScp = Callable[..., tuple[int, Path]]
ClientOf = Callable[..., Client]


def run_due_jobs() -> Job:
    """Run what is due; the job that asks."""
    run_waiting_jobs()
    return Job.objects.get(kind="ask-commitment")


def is_reported() -> bool:
    return CommitmentTransaction.objects.filter(reported_at__isnull=False).exists()


def test_orthanc_commits_to_what_it_was_sent_and_the_pages_say_so(
    orthanc: Orthanc, start_receiver: StartReceiver, cast: Cast, client_of: ClientOf
) -> None:
    store(*ct_series(3))
    study = Study.objects.get()
    orthanc.knows("PORTAL", start_receiver(policy=OPEN).port)
    sent = enqueue_send(study, peer(orthanc.dicom_port, is_asked_to_commit=True), by=cast.reader)

    run_waiting_jobs()
    wait_until(is_reported, patience_s=60, what="Orthanc reports to the receiver")
    job = run_due_jobs()

    assert (job.state, job.message) == (Job.State.DONE, "ORTHANC has committed to 3 images.")
    client = client_of(cast.reader)
    assert "Storage commitment: 3 committed" in client.get(f"/jobs/{sent.pk}/").content.decode()
    assert (
        "Storage commitment: 3 committed." in client.get(f"/studies/{study.study_instance_uid}/send").content.decode()
    )
    (event,) = AuditEvent.objects.filter(event="commitment-reported")
    assert (event.actor, event.study_instance_uid, event.details) == (
        "ORTHANC",
        study.study_instance_uid,
        {"committed": 3},
    )


def test_what_orthanc_has_lost_is_named_with_the_reason(
    orthanc: Orthanc, start_receiver: StartReceiver, cast: Cast, client_of: ClientOf
) -> None:
    store(*ct_series(2))
    orthanc.knows("PORTAL", start_receiver(policy=OPEN).port)
    there = peer(orthanc.dicom_port)
    sent = enqueue_send(Study.objects.get(), there, by=cast.reader)
    run_waiting_jobs()
    lost = orthanc.ask("/instances")[0]
    lost_uid = orthanc.ask(f"/instances/{lost}")["MainDicomTags"]["SOPInstanceUID"]
    orthanc.delete(f"/instances/{lost}")

    uids = Instance.objects.values_list("sop_instance_uid", flat=True)
    want_commitment(there, Study.objects.get(), uids, sent_by=sent, by=cast.reader)
    run_waiting_jobs()
    wait_until(is_reported, patience_s=60, what="Orthanc reports to the receiver")
    job = run_due_jobs()

    words = "not committed: it has no such instance (0112)"
    assert job.state == Job.State.FAILED
    assert job.message == f"ORTHANC has committed to 1 images, and not to 1: {words}."
    assert Counter(commitment_of(sent).values()) == {"committed": 1, words: 1}
    assert commitment_of(sent)[lost_uid] == words
    assert words in client_of(cast.reader).get(f"/jobs/{sent.pk}/").content.decode()


# --- On the association that asked ------------------------------------------------------------------------------------


class Committing:
    """pynetdicom as the SCP of storage commitment: what it was asked, and how it reports on the same association."""

    def __init__(self) -> None:
        self.asked: list[Dataset] = []
        self.status = 0x0000
        self.report: Callable[[Dataset], tuple[int, Dataset]] | None = all_committed
        """None says nothing."""
        self.answers: queue.Queue[int] = queue.Queue()
        self.port = 0

    def take(self, event: Any) -> tuple[int, None]:
        self.asked.append(event.action_information)
        return self.status, None

    def sent(self, event: Any) -> None:
        """Report once the answer to the N-ACTION has gone out."""
        if type(event.message).__name__ == "N_ACTION_RSP" and self.report is not None and not self.status:
            threading.Thread(target=self.tell, args=(event.assoc, *self.report(self.asked[-1]))).start()

    def tell(self, assoc: Any, event_type: int, information: Dataset) -> None:
        status, _ = assoc.send_n_event_report(information, event_type, COMMITMENT, COMMITMENT_INSTANCE)
        self.answers.put(int(status.Status))


def all_committed(asked: Dataset) -> tuple[int, Dataset]:
    ds = Dataset()
    ds.TransactionUID, ds.ReferencedSOPSequence = asked.TransactionUID, asked.ReferencedSOPSequence
    return 1, ds


def short_of_something(asked: Dataset) -> tuple[int, Dataset]:
    """The first is committed, the others fail for want of resources (0213)."""
    ds = Dataset()
    ds.TransactionUID = asked.TransactionUID
    first, *others = asked.ReferencedSOPSequence
    ds.ReferencedSOPSequence = [first]
    for item in others:
        item.FailureReason = 0x0213
    ds.FailedSOPSequence = others
    return 2, ds


@pytest.fixture
def committing() -> Iterator[Committing]:
    found = Committing()
    ae = AE("ORTHANC")
    ae.add_supported_context(COMMITMENT)
    server = ae.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_ACTION, found.take), (evt.EVT_DIMSE_SENT, found.sent)]
    )
    found.port = server.server_address[1]
    yield found
    server.shutdown()


def wanted_of(port: int, count: int = 2) -> WantedCommitment:
    store(*ct_series(count))
    uids = Instance.objects.values_list("sop_instance_uid", flat=True)
    wanted = want_commitment(peer(port), Study.objects.get(), uids)
    assert wanted is not None
    return wanted


def test_a_report_on_the_association_that_asked_is_taken(committing: Committing) -> None:
    wanted = wanted_of(committing.port)

    job = run_due_jobs()

    assert (job.state, job.message) == (Job.State.DONE, "ORTHANC has committed to 2 images.")
    assert committing.answers.get(timeout=20) == 0x0000
    wanted.refresh_from_db()
    assert wanted.state == WantedCommitment.State.ANSWERED
    assert [
        (item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID)
        for item in committing.asked[0].ReferencedSOPSequence
    ] == [tuple(pair) for pair in wanted.references]


def test_what_failed_for_a_reason_that_may_pass_is_asked_for_again_alone(committing: Committing) -> None:
    wanted = wanted_of(committing.port, 3)
    committing.report = short_of_something

    waiting = run_due_jobs()
    assert (waiting.state, waiting.message.partition(". ")[0]) == (Job.State.QUEUED, "ORTHANC has been asked")
    committing.report = all_committed
    CommitmentTransaction.objects.update(reported_at=timezone.now() - timedelta(hours=2))
    Job.objects.update(due_at=None)
    job = run_due_jobs()

    assert (job.state, job.message) == (Job.State.DONE, "ORTHANC has committed to 3 images.")
    first, second = committing.asked
    assert [item.ReferencedSOPInstanceUID for item in second.ReferencedSOPSequence] == [
        uid for _, uid in wanted.references[1:]
    ]
    assert first.TransactionUID != second.TransactionUID


def test_a_peer_that_says_nothing_is_asked_again_and_given_up(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.dimse.commitment_asking.SAME_ASSOCIATION_S", 0.1)
    wanted = wanted_of(committing.port)
    committing.report = None

    for _ in range(MOST_ASKED + 1):
        job = run_due_jobs()
        CommitmentTransaction.objects.update(asked_at=timezone.now() - timedelta(hours=2))
        Job.objects.update(due_at=None)

    assert len(committing.asked) == len({asked.TransactionUID for asked in committing.asked}) == MOST_ASKED
    assert (job.state, job.message) == (Job.State.FAILED, f"ORTHANC was asked {MOST_ASKED} times and did not report.")
    wanted.refresh_from_db()
    assert wanted.state == WantedCommitment.State.GIVEN_UP


def test_a_peer_that_is_away_is_tried_again_and_one_that_refuses_is_not(
    committing: Committing, storescp: StoreScp
) -> None:
    wanted_of(committing.port)
    Peer.objects.update(port=1)
    away = run_due_jobs()
    assert away.state == Job.State.QUEUED
    assert away.message.startswith("ORTHANC does not answer: connection refused")

    Peer.objects.update(port=committing.port)
    Job.objects.update(due_at=None)
    committing.status = 0x0124
    refused = run_due_jobs()
    assert (refused.state, refused.message) == (Job.State.FAILED, "ORTHANC refused to commit (status 0124).")

    Job.objects.update(state=Job.State.QUEUED)
    Peer.objects.update(port=storescp()[0])
    without = run_due_jobs()
    assert without.message == "ORTHANC does not offer storage commitment to us."


# --- On an association of the peer's ----------------------------------------------------------------------------------


def report_to(port: int, event_type: int, information: Dataset, *, calling: str = "ORTHANC", role: bool = True) -> Any:
    """Open an association to the receiver, as the SCP where ``role``, and report."""
    ae = AE(calling)
    ae.add_requested_context(COMMITMENT)
    roles = [build_role(COMMITMENT, scu_role=False, scp_role=True)] if role else []
    assoc = ae.associate("127.0.0.1", port, ae_title="PORTAL", ext_neg=roles)
    assert assoc.is_established
    assert assoc.accepted_contexts[0].as_scp == role
    if not role:
        # A peer that has not negotiated its role and reports all the same.
        assoc.accepted_contexts[0]._as_scp = True
    status, _ = assoc.send_n_event_report(information, event_type, COMMITMENT, COMMITMENT_INSTANCE)
    assoc.release()
    return status


@pytest.mark.parametrize("role", [True, False], ids=["as SCP", "without a role"])
def test_a_late_report_to_an_earlier_question_still_counts(
    committing: Committing, start_receiver: StartReceiver, monkeypatch: pytest.MonkeyPatch, role: bool
) -> None:
    monkeypatch.setattr("archive.dimse.commitment_asking.SAME_ASSOCIATION_S", 0.1)
    wanted_of(committing.port)
    committing.report = None
    for _ in range(2):
        run_due_jobs()
        CommitmentTransaction.objects.update(asked_at=timezone.now() - timedelta(hours=2))
        Job.objects.update(due_at=None)
    assert len(committing.asked) == 2
    receiver = start_receiver(policy=OPEN)

    assert report_to(receiver.port, *all_committed(committing.asked[0]), role=role).Status == 0x0000

    job = run_due_jobs()
    assert (job.state, job.message) == (Job.State.DONE, "ORTHANC has committed to 2 images.")


def test_only_who_was_asked_may_report(
    committing: Committing, start_receiver: StartReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.dimse.commitment_asking.SAME_ASSOCIATION_S", 0.1)
    wanted = wanted_of(committing.port)
    committing.report = None
    run_due_jobs()
    receiver = start_receiver([PeerRule("STRANGER", check_address=False)], OPEN)

    stranger = report_to(receiver.port, *all_committed(committing.asked[0]), calling="STRANGER")
    unknown = all_committed(committing.asked[0])[1]
    unknown.TransactionUID = "2.25.404"
    mistaken = report_to(receiver.port, 1, unknown)

    assert stranger.Status == mistaken.Status == 0x0115
    assert stranger.ErrorComment == "This peer was not asked with that Transaction UID."
    wanted.refresh_from_db()
    assert wanted.results == {}


# --- By hand ----------------------------------------------------------------------------------------------------------


def ask(*arguments: str) -> str:
    out = io.StringIO()
    call_command("ask_commitment", *arguments, stdout=out, stderr=out, verbosity=0)
    return out.getvalue()


def test_the_command_asks_and_waits_for_the_report(start_receiver: StartReceiver) -> None:
    """Of a portal, here of ourselves, which reports on the association that asked."""
    store(*ct_series(3))
    uid = Study.objects.get().study_instance_uid
    peer(start_receiver(policy=OPEN).port, "PORTAL")

    assert ask(uid, "--of", "PORTAL") == "PORTAL has committed to 3 images.\n"
    assert not Job.objects.filter(kind="ask-commitment").exists()


def test_the_command_names_what_is_not_committed(committing: Committing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.dimse.commitment_asking.SAME_ASSOCIATION_S", 0.1)
    store(*ct_series(1))
    uid = Study.objects.get().study_instance_uid
    peer(committing.port)
    committing.report = None

    with pytest.raises(CommandError, match="ORTHANC has committed to 0 images, and not to 1"):
        ask(uid, "--of", "ORTHANC", "--wait", "0")
    with pytest.raises(CommandError, match=r"Not in the archive: 2\.25\.404"):
        ask("2.25.404", "--of", "ORTHANC")
