"""Modality Performed Procedure Step as SCP (PS3.4 annex F): a door to ``archive.scheduling.performed``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from archive.dimse.operations import Operation, UnreadableDataSet
from archive.dimse.statuses import (
    ATTRIBUTE_LIST_ERROR,
    DUPLICATE_INSTANCE,
    INVALID_ATTRIBUTE_VALUE,
    MISSING_ATTRIBUTE,
    MISSING_ATTRIBUTE_VALUE,
    NO_SUCH_INSTANCE,
    NOT_AUTHORIZED,
    PROCESSING_FAILURE,
    STEP_MAY_NO_LONGER_BE_UPDATED,
    SUCCESS,
    Answer,
    comment_of,
)
from archive.scheduling import performed
from archive.scheduling.orders import Source

STATUSES: Final[dict[type[performed.StepReportError], int]] = {
    performed.MissingAttribute: MISSING_ATTRIBUTE,
    performed.MissingAttributeValue: MISSING_ATTRIBUTE_VALUE,
    performed.InvalidAttributeValue: INVALID_ATTRIBUTE_VALUE,
    performed.DuplicateStep: DUPLICATE_INSTANCE,
    performed.NoSuchStep: NO_SUCH_INSTANCE,
    performed.StepIsFinal: PROCESSING_FAILURE,
}
"""PS3.7 10.1.5.1.6 and 10.1.3.1.9, PS3.4 F.7.2.1.4 and F.7.2.2.4."""


def answer_create(operation: Operation) -> None:
    """Answer an N-CREATE: the step is begun."""

    def create(source: Source) -> None:
        step = performed.create_step(operation.data_set(), sop_instance_uid=operation.sop_instance_uid, source=source)
        operation.send(Answer(SUCCESS), sop_instance_uid=step.sop_instance_uid)

    _answer(operation, create)


def answer_set(operation: Operation) -> None:
    """Answer an N-SET: the step is brought up to date, or to its end."""

    def change(source: Source) -> None:
        kept = performed.change_step(operation.data_set(), sop_instance_uid=operation.sop_instance_uid, source=source)
        operation.send(
            Answer(ATTRIBUTE_LIST_ERROR, comment_of(f"Not changed: {', '.join(sorted(kept))}"))
            if kept
            else Answer(SUCCESS)
        )

    _answer(operation, change)


def _answer(operation: Operation, act: Callable[[Source], None]) -> None:
    sender = operation.assoc.sender
    if not sender.may_report_steps:
        sender.refused("may not report performed steps")
        operation.send(Answer(NOT_AUTHORIZED, "This AE title may not report performed steps."))
        return
    try:
        act(Source(sender.calling_ae_title, address=sender.address))
    except UnreadableDataSet as error:
        operation.send(Answer(PROCESSING_FAILURE, str(error)))
    except performed.StepReportError as error:
        is_final = isinstance(error, performed.StepIsFinal)
        operation.send(
            Answer(STATUSES[type(error)], comment_of(str(error))),
            error_id=STEP_MAY_NO_LONGER_BE_UPDATED if is_final else None,
        )
