"""Steps on the modality worklist: read from DICOM JSON, checked, changed by what happens."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pydicom import Dataset

from archive.models import AuditEvent, ScheduledStep
from archive.models.scheduled_step import StepState
from archive.scheduling.attributes import data_set_of
from archive.scheduling.orders import BadOrder, Source, add_steps, move_step
from tests.archive.scheduling.steps import item, make_step

pytestmark = pytest.mark.django_db

BY = Source("test")


def worklist_item(**step: Any) -> Dataset:
    """An item as a worklist's answer nests it."""
    given = {
        "Modality": "CT",
        "ScheduledStationAETitle": "CT1",
        "ScheduledProcedureStepStartDate": "20261124",
        "ScheduledProcedureStepStartTime": "0930",
        "ScheduledProcedureStepID": "SPS1",
    }
    return item(
        PatientName="Yamada^Tarou=山田^太郎=やまだ^たろう",
        PatientID="12345",
        AccessionNumber="A1",
        StudyInstanceUID="1.2.3",
        RequestedProcedureID="RP1",
        RequestedProcedurePriority="STAT",
        PatientTransportArrangements="WALK",
        ScheduledProcedureStepSequence=[item(**given | step)],
    )


def add(tmp_path: Path, content: Any) -> str:
    file = tmp_path / "step.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    out = io.StringIO()
    call_command("add_scheduled_step", str(file), stdout=out)
    return out.getvalue()


def test_the_command_puts_one_item_on_the_worklist(tmp_path: Path) -> None:
    said = add(tmp_path, worklist_item().to_json_dict())
    step = ScheduledStep.objects.get()
    assert "SPS1" in said and "1.2.3" in said and "Yamada" not in said
    assert (step.patient_name, step.priority, step.state) == (
        "Yamada^Tarou=山田^太郎=やまだ^たろう",
        "STAT",
        "SCHEDULED",
    )


def test_the_command_takes_a_list_and_each_item_of_a_sequence(tmp_path: Path) -> None:
    second = worklist_item(ScheduledProcedureStepID="SPS2")
    second.ScheduledProcedureStepSequence.append(
        item(
            Modality="PT",
            ScheduledProcedureStepStartDate="20261124",
            ScheduledProcedureStepStartTime="1000",
            ScheduledProcedureStepID="SPS3",
        )
    )
    add(tmp_path, [worklist_item().to_json_dict(), second.to_json_dict()])
    assert sorted(ScheduledStep.objects.values_list("scheduled_procedure_step_id", "modality")) == [
        ("SPS1", "CT"),
        ("SPS2", "CT"),
        ("SPS3", "PT"),
    ]


def test_the_same_step_again_is_brought_up_to_date_and_keeps_its_state(tmp_path: Path) -> None:
    add(tmp_path, worklist_item().to_json_dict())
    move_step(ScheduledStep.objects.get(), StepState.ARRIVED, source=BY)
    add(tmp_path, worklist_item(ScheduledProcedureStepStartTime="1015").to_json_dict())
    step = ScheduledStep.objects.get()
    assert (step.start_time, step.state) == ("1015", "ARRIVED")
    assert list(AuditEvent.objects.order_by("pk").values_list("event", flat=True)) == [
        "ordered",
        "step-moved",
        "order-changed",
    ]


def test_what_no_column_holds_is_part_of_answers_all_the_same() -> None:
    (step,) = add_steps(worklist_item(), source=BY)
    step.refresh_from_db()
    assert data_set_of(step).PatientTransportArrangements == "WALK"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("no json", "no JSON"),
        ("[]", "neither"),
        ("3", "neither"),
        ('{"00100020": 5}', "DICOM JSON model"),
        ("{}", "patient_name"),
    ],
)
def test_what_is_no_step_is_refused_in_words_and_nothing_is_added(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        add(tmp_path, content)
    assert not ScheduledStep.objects.exists()


def test_a_bad_item_keeps_the_whole_file_out(tmp_path: Path) -> None:
    bad = worklist_item(ScheduledProcedureStepID="SPS2", ScheduledProcedureStepStartDate="soon")
    with pytest.raises(CommandError, match=r"step 2.*|start_date"):
        add(tmp_path, [worklist_item().to_json_dict(), bad.to_json_dict()])
    assert not ScheduledStep.objects.exists()


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("add_scheduled_step", str(tmp_path / "none.json"))


def test_a_refusal_names_the_attribute_and_not_the_patient() -> None:
    ds = worklist_item()
    ds.PatientSex = "X"
    with pytest.raises(BadOrder, match="patient_sex") as refusal:
        add_steps(ds, source=BY)
    assert "Yamada" not in str(refusal.value)


def test_steps_of_one_order_without_a_study_share_the_one_that_is_made() -> None:
    ds = worklist_item()
    del ds.StudyInstanceUID
    ds.ScheduledProcedureStepSequence.append(
        item(Modality="PT", ScheduledProcedureStepStartDate="20261124", ScheduledProcedureStepStartTime="10")
    )
    one, other = add_steps(ds, source=BY)
    assert one.study_instance_uid == other.study_instance_uid != ""
    assert one.scheduled_procedure_step_id != other.scheduled_procedure_step_id


@pytest.mark.parametrize(
    ("before", "to", "moved"),
    [
        ("SCHEDULED", "ARRIVED", True),
        ("SCHEDULED", "COMPLETED", True),
        ("ARRIVED", "STARTED", True),
        ("STARTED", "ARRIVED", False),
        ("COMPLETED", "ARRIVED", False),
        ("COMPLETED", "STARTED", True),
        ("DISCONTINUED", "SCHEDULED", True),
    ],
)
def test_a_step_moves_only_where_it_can(before: str, to: str, moved: bool) -> None:
    step = make_step(state=before)
    assert move_step(step, StepState(to), source=BY) is moved
    step.refresh_from_db()
    assert step.state == (to if moved else before)
    assert AuditEvent.objects.count() == int(moved)
