"""The rules of performed steps (PS3.4 table F.7.2-1), and what follows from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from archive.models import PerformedStep, ScheduledStep, Study
from archive.scheduling import performed
from archive.scheduling.completeness import expectation_of, reopen_study
from archive.scheduling.orders import Source
from archive.scheduling.performed import change_step, create_step
from tests.archive.receiving.sending import store
from tests.archive.scheduling.steps import begin_step, end_step, item, make_step
from tests.conftest import Cast
from tests.phantoms import STUDY_INSTANCE_UID, ct_series

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_messages")]

BY = Source("CT1")


@pytest.fixture
def no_messages(portal_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)


def begin(**attributes: Any) -> PerformedStep:
    return create_step(begin_step(**attributes), sop_instance_uid="2.25.9", source=BY)


@pytest.mark.parametrize("keyword", performed.REQUIRED_AT_FIRST)
def test_a_step_without_a_type_1_attribute_is_refused(keyword: str) -> None:
    with pytest.raises(performed.MissingAttribute, match=keyword):
        begin(**{keyword: None})
    with pytest.raises(performed.MissingAttributeValue, match=keyword):
        begin(**{keyword: [] if keyword.endswith("Sequence") else ""})
    assert not PerformedStep.objects.exists()


def test_a_step_begins_in_progress_and_only_once() -> None:
    with pytest.raises(performed.InvalidAttributeValue):
        begin(PerformedProcedureStepStatus="COMPLETED")
    assert begin().state == "IN PROGRESS"
    with pytest.raises(performed.DuplicateStep):
        begin()


def test_a_step_ends_with_a_time_and_a_series_that_has_a_protocol() -> None:
    begin()
    images = list(ct_series(2))
    for bad, error in (
        (end_step(images, PerformedProcedureStepEndDate=None), performed.MissingAttributeValue),
        (end_step(images, PerformedSeriesSequence=[]), performed.MissingAttributeValue),
        (end_step(PerformedSeriesSequence=[item(SeriesInstanceUID="1.2")]), performed.MissingAttribute),
        (end_step(images, PerformedProcedureStepStatus="DONE"), performed.InvalidAttributeValue),
    ):
        with pytest.raises(error):
            change_step(bad, sop_instance_uid="2.25.9", source=BY)
    assert PerformedStep.objects.get().state == "IN PROGRESS"
    change_step(end_step(images), sop_instance_uid="2.25.9", source=BY)
    assert PerformedStep.objects.get().state == "COMPLETED"


def test_a_step_at_its_end_never_changes() -> None:
    begin()
    change_step(
        end_step(PerformedProcedureStepStatus="DISCONTINUED", PerformedSeriesSequence=None),
        sop_instance_uid="2.25.9",
        source=BY,
    )
    with pytest.raises(performed.StepIsFinal):
        change_step(end_step(list(ct_series(1))), sop_instance_uid="2.25.9", source=BY)
    assert PerformedStep.objects.get().state == "DISCONTINUED"


def test_a_step_that_nobody_began_cannot_be_set() -> None:
    with pytest.raises(performed.NoSuchStep):
        change_step(end_step(), sop_instance_uid="2.25.10", source=BY)


def test_an_n_set_leaves_the_patient_as_it_is_and_says_so() -> None:
    begin()
    changed = item(PatientID="other", Modality="CT", PerformedProcedureStepDescription="Chest, twice")
    assert change_step(changed, sop_instance_uid="2.25.9", source=BY) == {"PatientID"}
    step = PerformedStep.objects.get()
    assert (step.patient_id, step.description) == ("12345", "Chest, twice")


def test_the_scheduled_step_follows_the_last_of_its_performed_steps() -> None:
    scheduled = make_step(study_instance_uid=STUDY_INSTANCE_UID, scheduled_procedure_step_id="SPS-A")
    other = make_step(study_instance_uid=STUDY_INSTANCE_UID, scheduled_procedure_step_id="SPS-B")
    images = list(ct_series(1))
    for uid in ("2.25.9", "2.25.10"):
        create_step(begin_step(step_id="SPS-A"), sop_instance_uid=uid, source=BY)
    assert ScheduledStep.objects.get(pk=scheduled.pk).state == "STARTED"
    change_step(end_step(images), sop_instance_uid="2.25.9", source=BY)
    assert ScheduledStep.objects.get(pk=scheduled.pk).state == "STARTED"
    change_step(end_step(PerformedProcedureStepStatus="DISCONTINUED"), sop_instance_uid="2.25.10", source=BY)
    assert ScheduledStep.objects.get(pk=scheduled.pk).state == "COMPLETED"
    assert ScheduledStep.objects.get(pk=other.pk).state == "SCHEDULED"


def test_a_study_is_complete_when_all_that_its_modality_made_has_come() -> None:
    images = list(ct_series(3))
    begin()
    store(*images[:2])
    change_step(end_step(images), sop_instance_uid="2.25.9", source=BY)
    study = Study.objects.get()
    assert (study.instance_count, study.expected_instance_count, study.completed_at) == (2, 3, None)
    store(images[2])
    study.refresh_from_db()
    assert study.completed_at is not None and study.completed_by is None


def test_a_study_is_not_complete_while_its_modality_is_at_work() -> None:
    images = list(ct_series(2))
    store(*images)
    begin()
    running = end_step(images, PerformedProcedureStepStatus="IN PROGRESS")
    change_step(running, sop_instance_uid="2.25.9", source=BY)
    study = Study.objects.get()
    assert (study.expected_instance_count, study.completed_at) == (2, None)


def test_as_many_images_as_expected_are_not_enough_if_they_are_others() -> None:
    made, other = list(ct_series(2)), list(ct_series(2))
    store(made[0], other[1])
    begin()
    change_step(end_step(made), sop_instance_uid="2.25.9", source=BY)
    expectation = expectation_of(STUDY_INSTANCE_UID)
    assert expectation is not None and (expectation.instances, expectation.missing) == (2, 1)
    assert Study.objects.get().completed_at is None


def test_complete_can_be_taken_back_and_its_steps_are_under_way_again(cast: Cast) -> None:
    scheduled = make_step(study_instance_uid=STUDY_INSTANCE_UID)
    images = list(ct_series(1))
    store(*images)
    begin()
    change_step(end_step(images), sop_instance_uid="2.25.9", source=BY)
    study = Study.objects.get()
    assert study.completed_at is not None
    assert reopen_study(study, by=cast.technologist)
    assert Study.objects.get().completed_at is None
    assert ScheduledStep.objects.get(pk=scheduled.pk).state == "STARTED"
