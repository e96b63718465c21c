"""C-FIND in Patient Root and Study Root (PS3.4 C.4.1): a door to ``archive.querying``."""

from __future__ import annotations

import logging
from typing import Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from archive.access.entities import ApplicationEntity
from archive.audit.events import Event
from archive.dimse.encoding import encode_answer
from archive.dimse.identifiers import (
    MODELS,
    BadIdentifier,
    Identifier,
    check_hierarchy,
    finish_answer,
    read_identifier,
    split_keys,
)
from archive.dimse.negotiation import Agreed
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
from archive.dimse.trail import trail
from archive.querying.answers import Answers
from archive.querying.matching import BadKey
from archive.querying.search import Query

logger = logging.getLogger(__name__)

LONGEST_AUDITED: Final = 20
AT_ONCE: Final = 20
"""Answers of one write; rows are read in multiples of it, so that none that is ready waits for the database."""


def answer_find(exchange: Exchange, agreed: Agreed) -> None:
    """Answer a C-FIND: pending responses, then the final one."""
    sender = exchange.assoc.sender
    if not sender.may_query:
        sender.refused("may not query")
        exchange.send(Answer(NOT_AUTHORIZED, "This AE title may not query here."))
        return
    try:
        identifier, answers = _read(exchange, agreed)
    except (BadIdentifier, BadKey) as error:
        exchange.send(Answer(DATA_SET_DOES_NOT_MATCH, comment_of(str(error))))
        return
    try:
        final, count = _send_all(exchange, identifier, answers)
    except (DatabaseError, InterfaceError) as error:
        exchange.fail(error, "The archive's database does not answer; ask again.")
        return
    if not exchange.is_over:
        exchange.send(final)
    _audit(exchange, identifier, final, count)


def _read(exchange: Exchange, agreed: Agreed) -> tuple[Identifier, Answers]:
    identifier = read_identifier(exchange.identifier(), exchange.sop_class_uid)
    if not agreed.relational:
        check_hierarchy(identifier, MODELS[exchange.sop_class_uid][1])
    keys, beyond = split_keys(identifier, relational=agreed.relational)
    sender = exchange.assoc.sender
    answers = Answers(
        Query(identifier.level, keys, fuzzy=agreed.fuzzy, combined_date_time=agreed.combined_date_time),
        ApplicationEntity(sender.calling_ae_title, may_query=sender.may_query, may_retrieve=sender.may_retrieve),
        identifier.returning,
        retrieve_ae_title=exchange.assoc.acceptor.ae_title,
    )
    answers.unsupported |= beyond | identifier.unknown
    return identifier, answers


def _send_all(exchange: Exchange, identifier: Identifier, answers: Answers) -> tuple[Answer, int]:
    """Send the matches, the first at once; return the final answer and how many there were."""
    pending = Answer(PENDING_UNSUPPORTED_KEYS if answers.unsupported else PENDING)
    count = 0
    for values in answers:
        if exchange.is_cancelled or exchange.is_over:
            return Answer(CANCELLED), count
        if count == settings.PORTAL_QUERY_RESULTS:
            return Answer(OUT_OF_RESOURCES, f"More than {count} matches; ask for less."), count
        character_set = finish_answer(values, identifier)
        data = encode_answer(values, is_implicit=exchange.is_implicit, character_set=character_set)
        exchange.add(pending, data)
        exchange.assoc.sent.answers += 1
        count += 1
        if count == 1 or count % AT_ONCE == 0:
            exchange.flush()
    return Answer(CANCELLED if exchange.is_cancelled else SUCCESS), count


def _audit(exchange: Exchange, identifier: Identifier, final: Answer, count: int) -> None:
    """Query (PS3.15 A.5.3.10), with the keys that were asked for and never their values, which may be names."""
    sender = exchange.assoc.sender
    asked = [keyword for keyword, value in identifier.keys.items() if value]
    study = str(identifier.keys.get("StudyInstanceUID", ""))
    trail.add(
        Event.QUERIED,
        outcome={SUCCESS: "success", CANCELLED: "cancelled"}.get(final.status, "cut"),
        actor=sender.calling_ae_title,
        address=sender.address,
        study_instance_uid=study if "\\" not in study else "",
        details={
            "service": "C-FIND",
            "sop_class_uid": exchange.sop_class_uid,
            "level": identifier.level.name,
            "keys": asked[:LONGEST_AUDITED],
            "matches": count,
        },
    )
