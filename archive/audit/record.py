"""``record_event``: one row, or one line of a local journal while the database is away."""

from __future__ import annotations

import json
import logging
import os
import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from archive.audit.events import Event
from archive.models.audit_event import AuditEvent

if TYPE_CHECKING:
    from archive.models import User

logger = logging.getLogger(__name__)


def journal_folder() -> Path:
    return Path(settings.PORTAL_DATA) / "journal"


def record_event(
    event: Event,
    *,
    outcome: str = "success",
    user: User | None = None,
    actor: str = "",
    address: str = "",
    study_instance_uid: str = "",
    subject: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add an event to the trail. Inside a transaction it stands or falls with it; otherwise it is never lost.

    Details carry UIDs, counts and reasons; never a patient's name or birth date.
    """
    values: dict[str, Any] = {
        "event_id": str(uuid.uuid4()),
        "happened_at": timezone.now(),
        "event": event.value,
        "outcome": outcome,
        "user_id": user.pk if user is not None else None,
        "actor": actor or (user.get_username() if user is not None else ""),
        "address": address[:64],
        "study_instance_uid": study_instance_uid[:64],
        "subject": subject[:200],
        "details": dict(details or {}),
    }
    try:
        AuditEvent.objects.create(**values)
    except (DatabaseError, InterfaceError):
        if connection.in_atomic_block:
            raise
        _write_to_journal(values)


def _write_to_journal(values: dict[str, Any]) -> None:
    line = json.dumps(values | {"happened_at": values["happened_at"].isoformat()}) + "\n"
    folder = journal_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"audit-{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        logger.error("an audit event could be written neither to the database nor to the journal")


def read_journals() -> int:
    """Bring journal lines into the trail once the database is back; returns how many rows were added."""
    added = 0
    for path in sorted(journal_folder().glob("audit-*.jsonl")):
        taken = path.with_suffix(".reading")
        path.rename(taken)
    for path in sorted(journal_folder().glob("audit-*.reading")):
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                values = json.loads(line)
                values["happened_at"] = datetime.fromisoformat(values["happened_at"])
            except ValueError:
                logger.error("a line of the audit journal was cut and could not be read")
                continue
            _, created = AuditEvent.objects.get_or_create(event_id=values.pop("event_id"), defaults=values)
            added += created
        path.unlink()
    return added
