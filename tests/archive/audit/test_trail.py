"""The audit trail: only added to, chained, and kept while the database is away."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import DatabaseError, connection, connections

from archive.audit import chain, record
from archive.audit.events import Event
from archive.models import AuditEvent

pytestmark = pytest.mark.django_db


def three_events() -> None:
    for number in range(3):
        record.record_event(Event.STUDY_VIEWED, subject=f"subject {number}", details={"number": number})


def test_an_event_cannot_be_changed_or_deleted() -> None:
    three_events()
    event = AuditEvent.objects.first()
    assert event is not None
    for attempt in (
        event.save,
        event.delete,
        AuditEvent.objects.all().delete,
        lambda: AuditEvent.objects.update(actor="x"),
    ):
        with pytest.raises(TypeError, match="only ever added"):
            attempt()


def test_a_whole_chain_has_no_break() -> None:
    three_events()
    assert chain.seal() == 3
    three_events()
    assert chain.seal() == 3
    assert chain.seal() == 0
    assert chain.first_break() is None


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("UPDATE archive_auditevent SET actor = 'somebody else' WHERE sealed_as = 2", 2),
        ("UPDATE archive_auditevent SET details = '{}' WHERE sealed_as = 3", 3),
        ("DELETE FROM archive_auditevent WHERE sealed_as = 1", 2),
    ],
)
def test_a_changed_or_missing_event_breaks_the_chain(tampering: str, found: int) -> None:
    three_events()
    chain.seal()
    with connection.cursor() as cursor:
        cursor.execute(tampering)
    broken = chain.first_break()
    assert broken is not None and broken.sealed_as == found


def test_events_of_a_time_without_database_come_from_the_journal(
    portal_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_values: object) -> None:
        raise DatabaseError("away")

    with monkeypatch.context() as patch:
        patch.setattr(connections["default"], "in_atomic_block", False)
        patch.setattr(AuditEvent.objects, "create", away)
        record.record_event(Event.ASSOCIATION_REFUSED, actor="SCANNER", outcome="failure")
    assert AuditEvent.objects.count() == 0
    assert record.read_journals() == 1
    event = AuditEvent.objects.get()
    assert (event.event, event.actor, event.outcome) == ("association-refused", "SCANNER", "failure")
    assert record.read_journals() == 0
