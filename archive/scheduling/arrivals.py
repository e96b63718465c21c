"""What the first and the further images of a study mean for its order."""

from __future__ import annotations

from archive.access.grants import grant_by_order
from archive.models import Study
from archive.models.scheduled_step import StepState
from archive.scheduling.completeness import note_expectations
from archive.scheduling.linking import is_same_patient, orders_of
from archive.scheduling.orders import Source, move_step

BEFORE_STARTED = (StepState.SCHEDULED, StepState.ARRIVED)


def images_came(study: Study, *, is_new: bool) -> None:
    """Called inside the transaction that stored them: the order's step is under way, its referrer may look."""
    if is_new:
        for step in orders_of(study):
            if step.state in BEFORE_STARTED and is_same_patient(study, step):
                move_step(step, StepState.STARTED, source=Source("indexer"))
        grant_by_order(study)
    note_expectations([study.study_instance_uid])
