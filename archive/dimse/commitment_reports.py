"""An N-EVENT-REPORT on storage commitment that a peer brings to our receiver: on this association we are the SCU."""

from __future__ import annotations

from archive.dimse.commitment_asking import read_report
from archive.dimse.operations import COMMITMENT_INSTANCE, Operation, UnreadableDataSet
from archive.dimse.statuses import INVALID_ARGUMENT_VALUE, NO_SUCH_INSTANCE, SUCCESS, Answer
from archive.exchange.committing import UnknownTransaction, take_report


def answer_report(operation: Operation) -> None:
    """Keep what a peer reports on a transaction of ours, and say so (PS3.4 J.3.3.1.2)."""
    if operation.sop_instance_uid != COMMITMENT_INSTANCE:
        operation.send(Answer(NO_SUCH_INSTANCE, "The Push Model has one well-known instance."))
        return
    sender = operation.assoc.sender
    try:
        take_report(read_report(operation.data_set()), peer=sender.calling_ae_title, address=sender.address)
    except (UnreadableDataSet, UnknownTransaction) as error:
        sender.refused("reported on a storage commitment that was not asked for")
        operation.send(Answer(INVALID_ARGUMENT_VALUE, str(error)))
        return
    operation.send(Answer(SUCCESS))
