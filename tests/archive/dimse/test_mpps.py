"""Performed steps over a real association, with pynetdicom's SCU: dcmtk has none."""

from __future__ import annotations

import pytest
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.sop_class import ModalityPerformedProcedureStep

from archive.dimse.peers import PeerRule
from archive.dimse.refusals import Refusal
from archive.dimse.server import DicomServer
from archive.models import AuditEvent, PerformedStep, ScheduledStep
from tests.archive.dimse.conftest import CLOSED, StartReceiver
from tests.archive.scheduling.steps import begin_step, end_step, item, make_step
from tests.phantoms import ct_series

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_messages")]

UID = "2.25.4711"


def associate(server: DicomServer, calling: str = "CT1") -> Association:
    ae = AE(calling)
    ae.add_requested_context(ModalityPerformedProcedureStep)
    assoc = ae.associate("127.0.0.1", server.port, ae_title="PORTAL")
    assert assoc.is_established
    return assoc


def test_a_step_is_begun_changed_and_ended_and_each_refusal_has_its_status(receiver: DicomServer) -> None:
    scheduled = make_step()
    images = list(ct_series(2))
    assoc = associate(receiver)

    def create(ds: object, uid: str | None = UID) -> int:
        return int(assoc.send_n_create(ds, ModalityPerformedProcedureStep, uid)[0].Status)

    def change(ds: object, uid: str = UID) -> tuple[int, object]:
        status = assoc.send_n_set(ds, ModalityPerformedProcedureStep, uid)[0]
        return int(status.Status), status.get("ErrorID")

    def begun(**attributes: object) -> object:
        return begin_step(scheduled.study_instance_uid, step_id=scheduled.scheduled_procedure_step_id, **attributes)

    assert create(begun(PerformedStationAETitle=None)) == 0x0120
    assert create(begun(Modality="")) == 0x0121
    assert create(begun(PerformedProcedureStepStatus="COMPLETED")) == 0x0106
    assert create(begun()) == 0x0000
    assert create(begun()) == 0x0111
    assert ScheduledStep.objects.get().state == "STARTED"
    assert change(item(PerformedProcedureStepDescription="x"), "2.25.1") == (0x0112, None)
    assert change(item(PatientID="other")) == (0x0107, None)
    assert change(end_step(images, PerformedProcedureStepEndTime=None)) == (0x0121, None)
    assert change(end_step(images)) == (0x0000, None)
    assert change(item(PerformedProcedureStepDescription="too late")) == (0x0110, 0xA710)
    assert ScheduledStep.objects.get().state == "COMPLETED"
    assert PerformedStep.objects.get().reported_by == "CT1"
    assoc.release()
    assert AuditEvent.objects.filter(event="step-reported", actor="CT1").count() == 3


def test_a_step_whose_uid_is_left_to_us_is_named_in_the_answer(receiver: DicomServer) -> None:
    answers: list[str] = []
    assoc = associate(receiver)
    assoc.bind(evt.EVT_DIMSE_RECV, lambda event: answers.append(event.message.command_set.AffectedSOPInstanceUID))
    status, _ = assoc.send_n_create(begin_step(), ModalityPerformedProcedureStep, None)
    assoc.release()
    assert status.Status == 0x0000
    assert answers == [PerformedStep.objects.get().sop_instance_uid]


def test_a_peer_without_the_right_is_refused_and_audited(start_receiver: StartReceiver, refused: list[Refusal]) -> None:
    server = start_receiver([PeerRule("CT1", check_address=False, may_report_steps=False)], policy=CLOSED)
    assoc = associate(server)
    status, _ = assoc.send_n_create(begin_step(), ModalityPerformedProcedureStep, UID)
    assoc.release()
    server.stop(timeout=2)
    assert status.Status == 0x0124
    assert not PerformedStep.objects.exists()
    assert [refusal.reason for refusal in refused] == ["may not report performed steps"]
