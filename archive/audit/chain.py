"""Seal audit rows into a hash chain, so that a changed or missing row is found."""

from __future__ import annotations

import hashlib
import json

from django.db import connection, transaction

from archive.models.audit_event import AuditEvent

BATCH = 1000


def digest_of(event: AuditEvent, previous: str) -> str:
    """SHA-256 over the previous digest and everything the row says."""
    values = [
        previous,
        str(event.event_id),
        event.happened_at.isoformat(),
        event.event,
        event.outcome,
        event.user_id,
        event.actor,
        event.address,
        event.study_instance_uid,
        event.subject,
        event.details,
    ]
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()


@transaction.atomic
def seal() -> int:
    """Chain the rows that are not sealed yet; returns how many.

    The one place that writes to existing rows, and only to the three empty fields of
    the seal; ``AuditEvent`` itself refuses every change. Transactions end out of order,
    so the chain has an order of its own.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(7310420)")
    last = AuditEvent.objects.filter(sealed_as__isnull=False).order_by("-sealed_as").first()
    previous, place = (last.digest, last.sealed_as or 0) if last else ("", 0)
    waiting = list(AuditEvent.objects.filter(sealed_as__isnull=True).order_by("pk")[:BATCH])
    seal_row = "UPDATE archive_auditevent SET sealed_as=%s, previous_digest=%s, digest=%s WHERE id=%s"
    with connection.cursor() as cursor:
        for place, event in enumerate(waiting, start=place + 1):  # noqa: B020
            digest = digest_of(event, previous)
            cursor.execute(seal_row, [place, previous, digest, event.pk])
            previous = digest
    return len(waiting)


def first_break() -> AuditEvent | None:
    """The first sealed row that does not follow from the one before; None where the chain is whole."""
    previous = ""
    sealed = AuditEvent.objects.filter(sealed_as__isnull=False).order_by("sealed_as")
    for place, event in enumerate(sealed.iterator(), start=1):
        if (event.sealed_as, event.previous_digest) != (place, previous) or event.digest != digest_of(event, previous):
            return event
        previous = event.digest
    return None
