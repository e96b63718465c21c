"""A signed report as ORU^R01: what stands in which field, what is escaped, and a peer that answers or does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import hl7
import pytest

from archive.hl7.listener import MllpListener
from archive.hl7.messages import acknowledge, read_header
from archive.jobs import run
from archive.models import Job, Study
from tests.archive.scheduling.steps import make_step
from viewer.models import Report, ReportVersion, ResultReceiver
from viewer.results.message import oru_message
from viewer.results.sending import RESULT, result_of, sent_of

if TYPE_CHECKING:
    from tests.conftest import Cast

pytestmark = pytest.mark.django_db
FINDINGS = "Nodule 8 mm | stable ^ & ~ \\ here.\nKnoten – 8 mm, größer. 右肺"
Save = Callable[..., Report]
Sign = Callable[..., ReportVersion]


@pytest.fixture
def receiver() -> ResultReceiver:
    return ResultReceiver.objects.create(
        name="RIS", host="127.0.0.1", port=9, receiving_application="RIS", receiving_facility="HOSP"
    )


def message_of(version: ReportVersion, receiver: ResultReceiver) -> hl7.Message:
    data = oru_message(result_of(version), receiver, control_id="C1", at=version.signed_at)
    codec = {"UNICODE UTF-8": "utf-8", "8859/1": "latin-1"}[receiver.character_set]
    return hl7.parse(data.decode(codec))


def text_of(message: hl7.Message, segment: hl7.Segment, field: int) -> str:
    return str(message.unescape(str(segment[field])))


def test_a_final_report_says_what_is_asked_of_each_field(
    study: Study, save: Save, sign_as: Sign, receiver: ResultReceiver, cast: Cast
) -> None:
    make_step(
        study_instance_uid=study.study_instance_uid,
        accession_number="A-77",
        placer_order_number="PLC1",
        filler_order_number="FIL1",
        requested_procedure_code="CTCH",
        requested_procedure_code_scheme="99X",
    )
    save(findings=FINDINGS, impression="Benign.")
    message = message_of(sign_as(), receiver)
    msh, pid, obr = message.segment("MSH"), message.segment("PID"), message.segment("OBR")
    assert [str(msh[n]) for n in (9, 10, 11, 12, 18)] == ["ORU^R01^ORU_R01", "C1", "P", "2.5.1", "UNICODE UTF-8"]
    assert [str(msh[n]) for n in (3, 5, 6)] == ["PORTAL", "RIS", "HOSP"]
    assert (str(pid[3]), str(pid[7]), str(pid[8])) == ("12345^^^^PI", "19720301", "F")
    assert str(pid[5]).startswith("DOE^Jane")
    assert [str(obr[n]) for n in (2, 3, 18, 25)] == ["PLC1", "FIL1", "A-77", "F"]
    assert str(obr[4]) == "CTCH^CT chest^99X"
    assert str(obr[32]).split("&")[0] == cast.reader.get_username()
    uid, findings, impression = message.segments("OBX")
    assert [str(uid[n]) for n in (2, 3, 5)] == ["HD", "113014^DICOM Study^DCM", study.study_instance_uid]
    assert [str(findings[n]) for n in (1, 2, 3, 11)] == ["2", "FT", "59776-5^Findings^LN", "F"]
    assert text_of(message, findings, 5) == FINDINGS.replace("\n", "\r")
    assert str(impression[3]) == "19005-8^Impression^LN"


def test_an_addendum_is_a_correction_with_all_that_stands(
    study: Study, save: Save, sign_as: Sign, receiver: ResultReceiver, cast: Cast
) -> None:
    save()
    sign_as()
    save(cast.reader2, addendum="Also a rib fracture.")
    message = message_of(sign_as("addendum", cast.reader2), receiver)
    assert str(message.segment("OBR")[25]) == "C"
    observed = [(str(one[3]).split("^")[1], str(one[4]), str(one[11])) for one in message.segments("OBX")[1:]]
    assert observed == [("Findings", "1", "C"), ("Impression", "1", "C"), ("Addendum", "2", "C")]


def test_a_receiver_that_takes_latin_1_gets_latin_1(save: Save, sign_as: Sign, receiver: ResultReceiver) -> None:
    receiver.character_set = "8859/1"
    save(findings=FINDINGS)
    message = message_of(sign_as(), receiver)
    assert text_of(message, message.segments("OBX")[1], 5).endswith("Knoten ? 8 mm, größer. ??")


def test_preliminary_reports_go_only_to_who_wants_them(save: Save, sign_as: Sign, receiver: ResultReceiver) -> None:
    ResultReceiver.objects.create(name="ward", host="127.0.0.1", receiving_application="WARD", wants_preliminary=True)
    ResultReceiver.objects.create(
        name="off", host="127.0.0.1", receiving_application="OFF", wants_preliminary=True, enabled=False
    )
    save()
    version = sign_as("preliminary")
    assert [job.parameters["name"] for job in Job.objects.filter(kind=RESULT)] == ["ward"]
    assert str(message_of(version, receiver).segment("OBR")[25]) == "P"


@pytest.fixture
def peer(receiver: ResultReceiver) -> Iterator[list[tuple[str, bytes]]]:
    """A real MLLP receiver on a free port: the code that it answers next, and what it was sent."""
    script: list[tuple[str, bytes]] = []

    def answer(data: bytes, _address: str) -> bytes:
        code, _ = script[-1]
        script[-1] = (code, data)
        return acknowledge(read_header(data), code, "" if code == "AA" else "not today")

    listener = MllpListener("127.0.0.1", 0, answer=answer)
    listener.start()
    ResultReceiver.objects.filter(pk=receiver.pk).update(port=listener.port)
    yield script
    listener.close()


def run_again() -> Job:
    Job.objects.filter(kind=RESULT).update(due_at=None)
    job = Job.objects.get(kind=RESULT)
    Job.objects.filter(pk=job.pk).update(state=Job.State.RUNNING, lease_token="t")
    job.refresh_from_db()
    run.run_job(job)
    job.refresh_from_db()
    return job


def test_every_try_is_kept_until_the_peer_acknowledges(
    study: Study, save: Save, sign_as: Sign, peer: list[tuple[str, bytes]]
) -> None:
    save()
    sign_as()
    peer.append(("AE", b""))
    job = run_again()
    assert (job.state, job.attempts) == ("queued", 1)
    assert "could not take the message (AE): not today" in job.message
    first = peer[-1][1]
    peer.append(("AA", b""))
    job = run_again()
    assert job.state == "done"
    assert [one["words"] for one in job.details["attempts"]] == ["AE not today", "AA"]
    assert read_header(first).control_id == read_header(peer[-1][1]).control_id
    assert [one["state"] for one in sent_of(study)] == ["done"]


def test_a_refusal_ends_it_and_nobody_there_is_tried_later(
    save: Save, sign_as: Sign, peer: list[tuple[str, bytes]], receiver: ResultReceiver
) -> None:
    save()
    sign_as()
    peer.append(("AR", b""))
    job = run_again()
    assert (job.state, job.message) == ("failed", "RIS refuses the message (AR): not today")
    ResultReceiver.objects.filter(pk=receiver.pk).update(port=1)
    job = run_again()
    assert job.state == "queued" and "cannot be reached" in job.message
