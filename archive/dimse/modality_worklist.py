"""C-FIND of the modality worklist (PS3.4 annex K): a door to ``archive.scheduling``."""

from __future__ import annotations

from django.conf import settings
from pydicom import Dataset

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.values import texts
from archive.dimse.identifiers import BadIdentifier, character_set_for, texts_of
from archive.dimse.responding import Exchange
from archive.dimse.statuses import (
    CANCELLED,
    DATA_SET_DOES_NOT_MATCH,
    NOT_AUTHORIZED,
    OUT_OF_RESOURCES,
    PENDING,
    PENDING_UNSUPPORTED_KEYS,
    SUCCESS,
    Answer,
    comment_of,
)
from archive.querying.matching import BadKey
from archive.scheduling.attributes import data_set_of
from archive.scheduling.matching import WorklistQuery, find_steps, read_query, select


def answer_worklist(exchange: Exchange) -> None:
    """Answer a query: pending responses, then the final one."""
    sender = exchange.assoc.sender
    if not sender.may_query_worklist:
        sender.refused("may not query the modality worklist")
        exchange.send(Answer(NOT_AUTHORIZED, "This AE title may not query the modality worklist."))
        return
    try:
        asked = exchange.identifier()
        query = read_query(asked)
    except (BadIdentifier, BadKey) as error:
        exchange.send(Answer(DATA_SET_DOES_NOT_MATCH, comment_of(str(error))))
        return
    final, count = _send_all(exchange, asked, query)
    if not exchange.is_over:
        exchange.send(final)
    _audit(exchange, query, final, count)


def _send_all(exchange: Exchange, asked: Dataset, query: WorklistQuery) -> tuple[Answer, int]:
    """Send the matches one by one; return the final answer and how many there were."""
    pending = Answer(PENDING_UNSUPPORTED_KEYS if query.ignored else PENDING)
    count = 0
    for step in find_steps(query):
        if exchange.is_cancelled or exchange.is_over:
            return Answer(CANCELLED), count
        if count == settings.PORTAL_QUERY_RESULTS:
            return Answer(OUT_OF_RESOURCES, f"More than {count} matches; ask for less."), count
        exchange.send(pending, exchange.encode(_with_character_set(select(data_set_of(step), asked), asked)))
        exchange.assoc.sent.answers += 1
        count += 1
    return Answer(CANCELLED if exchange.is_cancelled else SUCCESS), count


def _with_character_set(ds: Dataset, asked: Dataset) -> Dataset:
    """Say what the text is in: the set that was asked in where it all fits, else UTF-8."""
    character_set = character_set_for(list(texts_of(ds)), texts(asked, "SpecificCharacterSet"))
    if character_set:
        ds.SpecificCharacterSet = list(character_set)
    return ds


def _audit(exchange: Exchange, query: WorklistQuery, final: Answer, count: int) -> None:
    """Query (PS3.15 A.5.3.10), with the keys that were asked for and never their values, which may be names."""
    record_event(
        Event.QUERIED,
        outcome={SUCCESS: "success", CANCELLED: "cancelled"}.get(final.status, "cut"),
        actor=exchange.assoc.sender.calling_ae_title,
        address=exchange.assoc.sender.address,
        details={"service": "modality worklist", "keys": query.asked, "matches": count},
    )
