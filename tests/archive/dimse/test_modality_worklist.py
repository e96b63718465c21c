"""The modality worklist over real associations: dcmtk's findscu -W, and pynetdicom's SCU where that has no option."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom import DataElement, Dataset, config
from pynetdicom import AE
from pynetdicom.sop_class import ModalityWorklistInformationFind

from archive.dimse.peers import PeerRule
from archive.dimse.refusals import Refusal
from archive.dimse.server import DicomServer
from archive.models import AuditEvent
from tests.archive.dimse.conftest import CLOSED, DCMTK, StartReceiver
from tests.archive.scheduling.steps import item, make_step

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_messages")]

STEP = "ScheduledProcedureStepSequence[0]."
Find = Callable[..., list[Dataset]]


@pytest.fixture
def find(receiver: DicomServer, tmp_path: Path) -> Find:
    """Ask with findscu -W; returns the answers."""

    def ask(*keys: str) -> list[Dataset]:
        folder = tmp_path / "answers"
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        done = findscu(receiver.port, "-X", "-od", str(folder), keys=keys)
        assert "Success" in done.stdout, done.stdout
        return [pydicom.dcmread(path, force=True) for path in sorted(folder.iterdir())]

    return ask


def findscu(port: int, *options: str, keys: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    command = ["/usr/bin/findscu", "-v", "-W", *options]
    for key in keys:
        command += ["-k", key]
    command += ["127.0.0.1", str(port)]
    return subprocess.run(
        command, env=DCMTK, text=True, timeout=60, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def test_findscu_finds_by_station_day_and_name(find: Find) -> None:
    make_step(patient_name="ADAMS^ADA")
    make_step(patient_name="BAKER^BOB", scheduled_station_ae_title="MR1", modality="MR")
    make_step(patient_name="CHASE^CAT", start_date="20261125")
    station, day = STEP + "ScheduledStationAETitle=CT1", STEP + "ScheduledProcedureStepStartDate=20261124"
    assert [str(ds.PatientName) for ds in find("PatientName", station, day)] == ["ADAMS^ADA"]
    assert [str(ds.PatientName) for ds in find("PatientName=b*")] == ["BAKER^BOB"]


def test_an_answer_nests_what_was_asked_for_and_nothing_else(find: Find) -> None:
    make_step(protocol_code="CTCH", protocol_code_scheme="99SITE", protocol_code_meaning="CT chest, plain")
    (ds,) = find(
        "PatientID",
        "StudyInstanceUID",
        "ReferencedStudySequence",
        "PatientTransportArrangements",
        STEP + "Modality",
        STEP + "ScheduledProtocolCodeSequence[0].CodeValue",
    )
    assert [element.keyword for element in ds] == [
        "ReferencedStudySequence",
        "PatientID",
        "StudyInstanceUID",
        "ScheduledProcedureStepSequence",
        "PatientTransportArrangements",
    ]
    (step,) = ds.ScheduledProcedureStepSequence
    assert [element.keyword for element in step] == ["Modality", "ScheduledProtocolCodeSequence"]
    assert [code.CodeValue for code in step.ScheduledProtocolCodeSequence] == ["CTCH"]
    assert ds.PatientTransportArrangements == "" and not ds.ReferencedStudySequence


def test_a_sequence_without_an_item_is_answered_whole(receiver: DicomServer) -> None:
    step = make_step()
    answers = ask(receiver.port, item(PatientID="", ScheduledProcedureStepSequence=[]))
    (status, ds), (last, _) = answers
    assert (status, last) == (0xFF00, 0x0000)
    assert ds.ScheduledProcedureStepSequence[0].ScheduledProcedureStepID == step.scheduled_procedure_step_id
    assert ds.ScheduledProcedureStepSequence[0].ScheduledStationAETitle == "CT1"


def ask(port: int, identifier: Dataset, *, calling: str = "CT1") -> list[tuple[int, Dataset]]:
    ae = AE(calling)
    ae.add_requested_context(ModalityWorklistInformationFind)
    assoc = ae.associate("127.0.0.1", port, ae_title="PORTAL")
    assert assoc.is_established
    answers = [(status.Status, ds) for status, ds in assoc.send_c_find(identifier, ModalityWorklistInformationFind)]
    assoc.release()
    return answers


def test_a_key_that_we_do_not_match_on_is_said_with_each_answer(receiver: DicomServer) -> None:
    make_step()
    answers = ask(receiver.port, item(PatientID="", PatientComments="tall"))
    assert [status for status, _ in answers] == [0xFF01, 0x0000]


IN_THREE_GROUPS = "Yamada^Tarou=山田^太郎=やまだ^たろう"


def test_all_groups_of_a_name_come_back_in_a_character_set_that_has_them(receiver: DicomServer) -> None:
    for name, asked_in, answered_in in (
        ("DOE^JANE", "ISO_IR 100", "ISO_IR 100"),
        ("Müller^Jörg", "ISO_IR 100", "ISO_IR 100"),
        (IN_THREE_GROUPS, "ISO_IR 100", "ISO_IR 192"),
        (IN_THREE_GROUPS, "\\ISO 2022 IR 87", "\\ISO 2022 IR 87"),
        ("Müller^Jörg", "\\ISO 2022 IR 87", "ISO_IR 192"),
        ("Müller^Jörg", None, "ISO_IR 192"),
        ("DOE^JANE", None, None),
    ):
        step = make_step(patient_name=name)
        identifier = item(PatientName="", AccessionNumber=step.accession_number)
        if asked_in is not None:
            identifier.SpecificCharacterSet = asked_in.split("\\")
        (_, ds), _ = ask(receiver.port, identifier)
        said = ds.get("SpecificCharacterSet")
        assert (said if said is None or isinstance(said, str) else "\\".join(said)) == answered_in
        assert str(ds.PatientName) == name


def test_a_query_can_be_cancelled(receiver: DicomServer) -> None:
    for _ in range(30):
        make_step()
    ae = AE("CT1")
    ae.add_requested_context(ModalityWorklistInformationFind)
    assoc = ae.associate("127.0.0.1", receiver.port, ae_title="PORTAL")
    statuses = []
    responses = assoc.send_c_find(item(PatientID="", PatientName=""), ModalityWorklistInformationFind, msg_id=7)
    for number, (status, _) in enumerate(responses):
        statuses.append(status.Status)
        if number == 0:
            assoc.send_c_cancel(7, query_model=ModalityWorklistInformationFind)
    assert assoc.is_established
    assoc.release()
    # What was on its way already may have been all of them.
    assert statuses[-1] in (0xFE00, 0x0000)
    assert statuses[-1] == 0xFE00 or len(statuses) == 31


def test_a_value_that_cannot_be_one_is_refused_with_a900(receiver: DicomServer) -> None:
    make_step()
    asked = item(ScheduledProcedureStepSequence=[item(ScheduledProcedureStepStartDate="")])
    asked.ScheduledProcedureStepSequence[0].add(
        DataElement("ScheduledProcedureStepStartDate", "DA", "20261301", validation_mode=config.IGNORE)
    )
    assert [status for status, _ in ask(receiver.port, asked)] == [0xA900]


def test_a_peer_without_the_right_is_refused_and_audited(start_receiver: StartReceiver, refused: list[Refusal]) -> None:
    make_step()
    rule = PeerRule("CT1", check_address=False, may_query_worklist=False)
    server = start_receiver([rule], policy=CLOSED)
    assert [status for status, _ in ask(server.port, item(PatientID=""))] == [0x0124]
    server.stop(timeout=2)
    assert [refusal.reason for refusal in refused] == ["may not query the modality worklist"]


def test_the_trail_keeps_which_keys_were_asked_and_no_value(find: Find) -> None:
    make_step()
    find("PatientName=DOE*", "PatientID")
    event = AuditEvent.objects.get(event="queried")
    assert event.details == {"service": "modality worklist", "keys": ["patient_name"], "matches": 1}
