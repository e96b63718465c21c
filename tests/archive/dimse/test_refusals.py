"""Refusals reach the audit trail, and a flood of them does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from archive.dimse.refusals import MOST_KINDS, Refusal, RefusalLog, write_to_audit_trail

REFUSAL = Refusal("calling AE title unknown", "STRANGER", "PORTAL", "192.0.2.1")


def test_the_same_refusal_is_written_once_and_then_counted() -> None:
    written: list[tuple[Refusal, int]] = []
    log = RefusalLog(lambda refusal, count: written.append((refusal, count)))

    log.add(REFUSAL)
    log.flush()
    for _ in range(5):
        log.add(REFUSAL)
    log.flush()
    assert written == [(REFUSAL, 1)]

    log.flush(everything=True)
    assert written == [(REFUSAL, 1), (REFUSAL, 5)]


def test_made_up_titles_become_one_kind() -> None:
    written: list[tuple[Refusal, int]] = []
    log = RefusalLog(lambda refusal, count: written.append((refusal, count)))

    for number in range(MOST_KINDS + 50):
        log.add(replace(REFUSAL, calling_ae_title=f"AE{number}"))
    log.flush()

    assert len(written) == MOST_KINDS + 1
    assert sum(count for _, count in written) == MOST_KINDS + 50


def test_what_is_left_is_written_at_the_end() -> None:
    written: list[Refusal] = []
    log = RefusalLog(lambda refusal, _count: written.append(refusal))

    log.start()
    log.add(REFUSAL)
    log.stop()

    assert written == [REFUSAL]


@pytest.mark.django_db
def test_a_refusal_is_an_event_of_the_trail() -> None:
    from archive.models.audit_event import AuditEvent

    write_to_audit_trail(REFUSAL, 3)

    event = AuditEvent.objects.get()
    assert (event.event, event.outcome, event.actor, event.address) == (
        "association-refused",
        "refused",
        "STRANGER",
        "192.0.2.1",
    )
    assert event.details == {"reason": "calling AE title unknown", "called_ae_title": "PORTAL", "count": 3}
