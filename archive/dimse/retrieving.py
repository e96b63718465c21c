"""C-MOVE and C-GET in Patient Root and Study Root (PS3.4 C.4.2, C.4.3): stored files sent as sub-operations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from archive.access.entities import ApplicationEntity
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dimse.carriers import Carrier, Lanes, Result, SameAssociation, lanes_for
from archive.dimse.channel import channel_back
from archive.dimse.client import PeerUnreachable
from archive.dimse.destinations import pool
from archive.dimse.encoding import encode_answer
from archive.dimse.identifiers import MODELS, BadIdentifier, check_retrieval, read_identifier
from archive.dimse.messages import COMPLETED, FAILED, REMAINING, WARNING
from archive.dimse.negotiation import Agreed
from archive.dimse.outgoing import PAGE, kinds_of, outgoing_instances
from archive.dimse.responding import Exchange
from archive.dimse.statuses import (
    CANCELLED,
    DATA_SET_DOES_NOT_MATCH,
    MOVE_DESTINATION_UNKNOWN,
    NOT_AUTHORIZED,
    PENDING,
    SOME_SUBOPERATIONS_FAILED,
    SUCCESS,
    UNABLE_TO_PERFORM_SUBOPERATIONS,
    Answer,
    comment_of,
)
from archive.models import Instance
from archive.querying.keys import Level
from archive.querying.matching import BadKey
from archive.querying.search import Query, narrowed, plan

LONGEST_UID_LIST: Final = 60_000
"""Bytes of the Failed SOP Instance UID List; a UI element has a length of 16 bits in explicit VR (PS3.5 7.1.2)."""
STUDIES_AUDITED: Final = 50


@dataclass(slots=True)
class Counts:
    """Sub-operations of one retrieval."""

    remaining: int
    completed: int = 0
    failed: int = 0
    warning: int = 0
    failed_uids: list[str] = field(default_factory=list)

    def note(self, uid: str, status: int | None) -> None:
        """Count one sub-operation by its C-STORE status, None where it was not sent (PS3.4 B.2.3)."""
        self.remaining -= 1
        if status == SUCCESS:
            self.completed += 1
        elif status is not None and status & 0xF000 == 0xB000:
            self.warning += 1
        else:
            self.failed += 1
            self.failed_uids.append(uid)

    def numbers(self, *, with_remaining: bool) -> dict[int, int]:
        """As a response holds them; the remaining ones only while pending or cancelled (PS3.7 9.1.4.1)."""
        numbers = {COMPLETED: self.completed, FAILED: self.failed, WARNING: self.warning}
        return numbers | ({REMAINING: self.remaining} if with_remaining else {})

    def final(self) -> Answer:
        """The final status where everything was tried."""
        if self.failed and not self.completed and not self.warning:
            return Answer(UNABLE_TO_PERFORM_SUBOPERATIONS, "No image could be sent.")
        return Answer(SOME_SUBOPERATIONS_FAILED if self.failed or self.warning else SUCCESS)


def answer_move(exchange: Exchange, agreed: Agreed) -> None:
    """Answer a C-MOVE: send to a configured peer over an association of our own."""
    ids = _wanted(exchange, agreed)
    if ids is None:
        return
    title = str(exchange.request.MoveDestination or "").strip()
    rule = exchange.assoc.sender.find_destination(title)
    if rule is None:
        exchange.assoc.sender.refused("move destination unknown")
        exchange.send(Answer(MOVE_DESTINATION_UNKNOWN, comment_of(f"'{title}' is no move destination here.")))
        return
    kinds, calling = kinds_of(ids), exchange.assoc.acceptor.ae_title
    carrier = Lanes(
        lend=lambda: pool.lend(rule, kinds, calling),
        give_back=lambda channel: pool.give_back(rule, kinds, calling, channel),
        most=lanes_for(len(ids)) if pool.takes_several(rule) else 1,
        crowded=lambda: pool.note_crowded(rule),
        originator=_originator(exchange),
    )
    Retrieval(exchange, ids, carrier, service="C-MOVE", destination=rule.ae_title).run()


def answer_get(exchange: Exchange, agreed: Agreed) -> None:
    """Answer a C-GET: send over the association that it came on."""
    ids = _wanted(exchange, agreed)
    if ids is not None:
        carrier = SameAssociation(channel_back(exchange.assoc))
        Retrieval(exchange, ids, carrier, service="C-GET", destination=exchange.assoc.sender.calling_ae_title).run()


def _originator(exchange: Exchange) -> tuple[str, int]:
    """Who invoked the C-MOVE, and its message ID (PS3.7 9.1.1.1)."""
    return exchange.assoc.sender.calling_ae_title, int(exchange.request.MessageID or 0)


def _wanted(exchange: Exchange, agreed: Agreed) -> list[int] | None:
    """Ids of the instances that are asked for, in the order of series and instances; None where it was refused."""
    sender = exchange.assoc.sender
    if not sender.may_retrieve:
        sender.refused("may not retrieve")
        exchange.send(Answer(NOT_AUTHORIZED, "This AE title may not retrieve here."))
        return None
    try:
        identifier = read_identifier(exchange.identifier(), exchange.sop_class_uid)
        keys = check_retrieval(identifier, MODELS[exchange.sop_class_uid][1], relational=agreed.relational)
        read = plan(Query(Level.IMAGE, keys))
    except (BadIdentifier, BadKey) as error:
        exchange.send(Answer(DATA_SET_DOES_NOT_MATCH, comment_of(str(error))))
        return None
    who = ApplicationEntity(sender.calling_ae_title, may_query=sender.may_query, may_retrieve=sender.may_retrieve)
    rows = narrowed(read, who).order_by("series__study", "series__series_number", "series", "instance_number", "pk")
    return list(rows.values_list("pk", flat=True))


class Retrieval:
    """One C-MOVE or C-GET on its way.

    Parameters
    ----------
    carrier
        Sends the instances.
    service, destination
        Its name, and the AE title of who receives.
    """

    def __init__(self, exchange: Exchange, ids: list[int], carrier: Carrier, *, service: str, destination: str) -> None:
        self._exchange = exchange
        self._ids = ids
        self._carrier = carrier
        self._service = service
        self._destination = destination
        self._counts = Counts(remaining=len(ids))

    def run(self) -> None:
        """Send everything, with a pending response after each sub-operation, then the final response."""
        self._audit_begin()
        try:
            final = self._begin() if self._ids else self._counts.final()
            if final is None:
                final = self._send_all()
        finally:
            self._carrier.end()
        if not self._exchange.is_over:
            self._answer(final)
        self._audit_end(final)

    def _begin(self) -> Answer | None:
        try:
            self._carrier.begin()
        except PeerUnreachable as error:
            for instance in outgoing_instances(self._ids):
                self._note(Result(instance.sop_instance_uid, None))
            return Answer(UNABLE_TO_PERFORM_SUBOPERATIONS, comment_of(str(error)))
        return None

    def _send_all(self) -> Answer:
        is_stopped = False
        for result in self._carrier.carry(outgoing_instances(self._ids)):
            self._note(result)
            if not self._counts.remaining:
                break
            if self._exchange.is_cancelled or self._exchange.is_over:
                self._carrier.stop()
                is_stopped = True
            elif not is_stopped:
                self._exchange.send(Answer(PENDING), counts=self._counts.numbers(with_remaining=True))
        return Answer(CANCELLED) if is_stopped and self._counts.remaining else self._counts.final()

    def _note(self, result: Result) -> None:
        failed = self._counts.failed
        self._counts.note(result.sop_instance_uid, result.status)
        self._exchange.assoc.sent.note_image(result.size, failed=self._counts.failed > failed)

    def _answer(self, final: Answer) -> None:
        is_cancelled = final.status == CANCELLED
        data = b""
        if final.status != SUCCESS:
            failed = {"FailedSOPInstanceUIDList": _as_many_as_fit(self._counts.failed_uids)}
            data = encode_answer(failed, is_implicit=self._exchange.is_implicit, character_set=())
        self._exchange.send(final, data, self._counts.numbers(with_remaining=is_cancelled))

    def _audit_begin(self) -> None:
        """Begin Transferring DICOM Instances (PS3.15 A.5.3.3), for each study."""
        studies: dict[str, int] = {}
        for start in range(0, len(self._ids), PAGE):
            rows = Instance.objects.filter(pk__in=self._ids[start : start + PAGE])
            for uid in rows.values_list("series__study__study_instance_uid", flat=True):
                studies[uid] = studies.get(uid, 0) + 1
        for uid, count in list(studies.items())[:STUDIES_AUDITED]:
            self._audit(Event.TRANSFER_BEGUN, "success", {"instances": count, "studies": len(studies)}, uid)

    def _audit_end(self, final: Answer) -> None:
        counts = self._counts
        details = {"sent": counts.completed + counts.warning, "failed": counts.failed, "left": counts.remaining}
        outcome = {SUCCESS: "success", CANCELLED: "cancelled"}.get(final.status, "failed")
        self._audit(Event.INSTANCES_SENT, outcome, details)

    def _audit(self, event: Event, outcome: str, details: dict[str, Any], study_instance_uid: str = "") -> None:
        sender = self._exchange.assoc.sender
        record_event(
            event,
            outcome=outcome,
            actor=sender.calling_ae_title,
            address=sender.address,
            study_instance_uid=study_instance_uid,
            details={"service": self._service, "destination": self._destination, **details},
        )


def _as_many_as_fit(uids: list[str]) -> list[str]:
    """Of the Failed SOP Instance UID List (0008,0058), what one element holds."""
    room = LONGEST_UID_LIST
    kept = []
    for uid in uids:
        room -= len(uid) + 1
        if room < 0:
            break
        kept.append(uid)
    return kept
