"""Studies go to a peer as jobs: real images to a real Orthanc and to dcmtk, refusals in words, retries that go on."""

from __future__ import annotations

import io
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest

from archive.dimse.peers import PeerRule
from archive.exchange.sending import SendRefused, enqueue_send, in_words
from archive.indexing.writer import index_waiting_files
from archive.jobs.run import MOST_ATTEMPTS, run_waiting_jobs
from archive.models import AuditEvent, Instance, Job, Series, Study
from archive.storage import layout
from tests.archive.dimse.conftest import CLOSED, DCMTK, StartReceiver, data_set_of
from tests.archive.exchange.conftest import Orthanc, peer
from tests.archive.receiving.sending import store
from tests.conftest import Cast
from tests.journeys.sending import send_file
from tests.phantoms import ct_series, mr_image

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]
StoreScp = Callable[..., tuple[int, Path]]


def stored_data_sets() -> dict[str, bytes]:
    rows = Instance.objects.values_list("sop_instance_uid", "stored_file__key")
    return {uid: data_set_of(layout.path_of(key)) for uid, key in rows}


def after_run(job: Job) -> Job:
    run_waiting_jobs()
    job.refresh_from_db()
    return job


def test_a_real_study_arrives_at_orthanc_byte_for_byte(orthanc: Orthanc, data_dir: Path, cast: Cast) -> None:
    for path in sorted((data_dir / "mr_series" / "mister_mr" / "sag_t1").glob("*.dcm")):
        send_file(path)
    index_waiting_files()
    study = Study.objects.get()
    job = after_run(enqueue_send(study, peer(orthanc.dicom_port), by=cast.reader))
    assert (job.state, job.message) == (Job.State.DONE, "13 images sent to ORTHANC.")
    assert (job.done_steps, job.total_steps) == (13, 13)
    assert Counter(one["outcome"] for one in job.details["results"].values()) == {"sent": 13}
    assert [one["MainDicomTags"]["StudyInstanceUID"] for one in orthanc.ask("/studies?expand")] == [
        study.study_instance_uid
    ]
    ours = stored_data_sets()
    for content in orthanc.files():
        ds = pydicom.dcmread(io.BytesIO(content))
        offset = 132 + 12 + ds.file_meta.FileMetaInformationGroupLength
        assert content[offset:] == ours[ds.SOPInstanceUID]


def test_chosen_series_go_alone(orthanc: Orthanc, cast: Cast) -> None:
    store(*ct_series(2), mr_image(SeriesInstanceUID="2.25.55"))
    job = after_run(
        enqueue_send(Study.objects.get(), peer(orthanc.dicom_port), by=cast.reader, series_uids=["2.25.55"])
    )
    assert job.message == "1 image sent to ORTHANC."
    assert [one["MainDicomTags"]["Modality"] for one in orthanc.ask("/series?expand")] == ["MR"]


def test_a_peer_without_compression_gets_every_pixel(
    storescp: StoreScp, data_dir: Path, tmp_path: Path, cast: Cast
) -> None:
    path = sorted((data_dir / "ct_series" / "crlm_1004").glob("*.dcm"))[0]
    subprocess.run(["/usr/bin/dcmdjpeg", str(path), str(tmp_path / "plain.dcm")], env=DCMTK, check=True)
    send_file(path)
    index_waiting_files()
    port, folder = storescp("+xi")  # only Implicit VR Little Endian
    job = after_run(enqueue_send(Study.objects.get(), peer(port, "ANY"), by=cast.reader))
    assert job.state == Job.State.DONE
    (arrived,) = [pydicom.dcmread(one) for one in folder.iterdir()]
    assert arrived.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2"
    assert arrived.PixelData == pydicom.dcmread(tmp_path / "plain.dcm").PixelData


def test_a_refusal_is_said_in_words_for_each_image(start_receiver: StartReceiver, cast: Cast) -> None:
    store(*ct_series(2))
    receiver = start_receiver([PeerRule("PORTAL", check_address=False, may_store=False)], CLOSED)
    job = after_run(enqueue_send(Study.objects.get(), peer(receiver.port, "PORTAL"), by=cast.reader))
    assert job.state == Job.State.FAILED
    assert job.message == "0 images sent, 2 refused to PORTAL. PORTAL says: not authorised (0124)."
    assert [(one["outcome"], one["status"]) for one in job.details["results"].values()] == [("refused", "0124")] * 2


def test_a_peer_that_is_away_is_tried_again_and_given_up_in_the_end(cast: Cast) -> None:
    store(*ct_series(1))
    job = enqueue_send(Study.objects.get(), peer(1, "AWAY"), by=cast.reader)
    after_run(job)
    assert (job.state, job.attempts) == (Job.State.QUEUED, 1)
    assert job.message.startswith("AWAY does not answer: connection refused (127.0.0.1:1). It will be tried again at ")
    Job.objects.update(due_at=None, attempts=MOST_ATTEMPTS - 1)
    after_run(job)
    assert (job.state, job.message.rpartition(". ")[2]) == (Job.State.FAILED, f"Given up after {MOST_ATTEMPTS} tries.")


def test_an_aborting_receiver_gets_the_rest_at_the_next_try(storescp: StoreScp, cast: Cast) -> None:
    store(*ct_series(3))
    aborting, _ = storescp("--abort-after")
    there = peer(aborting, "ANY")
    job = after_run(enqueue_send(Study.objects.get(), there, by=cast.reader))
    assert (job.state, job.attempts) == (Job.State.QUEUED, 1)
    assert {one["words"] for one in job.details["results"].values()} == {"the association broke before an answer"}
    there.port, folder = storescp("+B")
    there.save()
    Job.objects.update(due_at=None)
    after_run(job)
    assert (job.state, job.message) == (Job.State.DONE, "3 images sent to ANY.")
    assert {data_set_of(path) for path in folder.iterdir()} == set(stored_data_sets().values())


def test_what_was_stored_is_not_sent_again(storescp: StoreScp, cast: Cast) -> None:
    store(*ct_series(2))
    port, folder = storescp("+B")
    job = enqueue_send(Study.objects.get(), peer(port, "ANY"), by=cast.reader)
    first = Instance.objects.order_by("pk")[0].sop_instance_uid
    Job.objects.update(details={"results": {first: {"outcome": "sent", "status": "0000", "words": "stored"}}})
    assert after_run(job).state == Job.State.DONE
    assert len(list(folder.iterdir())) == 1


def test_sending_is_audited_with_counts_and_destination(storescp: StoreScp, cast: Cast) -> None:
    store(*ct_series(2, PatientName="Doe^Jane"))
    port, _ = storescp()
    after_run(enqueue_send(Study.objects.get(), peer(port, "ANY"), by=cast.reader))
    ended = AuditEvent.objects.get(event="instances-sent")
    assert ended.user == cast.reader and ended.study_instance_uid == Study.objects.get().study_instance_uid
    assert (ended.details["destination"], ended.details["sent"], ended.details["failed"]) == ("ANY", 2, 0)
    assert "Doe" not in str(list(AuditEvent.objects.values_list("details", flat=True)))


def test_only_peers_that_may_be_sent_images_are(cast: Cast) -> None:
    store(*ct_series(1))
    with pytest.raises(SendRefused, match="may not be sent images"):
        enqueue_send(Study.objects.get(), peer(1, "SCANNER2", may_receive=False), by=cast.reader)
    with pytest.raises(SendRefused, match="no images"):
        enqueue_send(Study.objects.get(), peer(1, "WS1"), by=cast.reader, series_uids=["2.25.1"])


def test_the_same_is_queued_once(cast: Cast) -> None:
    store(*ct_series(1))
    there, series = peer(1), Series.objects.get().series_instance_uid
    study = Study.objects.get()
    assert enqueue_send(study, there, by=cast.reader) == enqueue_send(study, there, by=cast.reader2)
    assert enqueue_send(study, there, by=cast.reader, series_uids=[series]).pk != Job.objects.order_by("pk")[0].pk


def test_outcomes_are_counted_in_words() -> None:
    assert in_words(Counter({"sent": 1})) == "1 image sent"
    assert in_words(Counter({"sent": 1, "warned": 1, "refused": 2, "not sent": 1})) == (
        "2 images sent, 1 of them with a warning, 2 refused, 1 not sent"
    )
