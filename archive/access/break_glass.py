"""Emergency access: asks a reason, lasts an hour, tells the administrators."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from archive.access.rules import may_break_glass
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import BreakGlass, Study, User

LASTS = timedelta(hours=1)
SHORTEST_REASON = 10


class ReasonTooShort(ValueError):
    """An emergency needs a reason that another person can judge."""


class NotAllowed(ValueError):
    """This role has no emergency access."""


@transaction.atomic
def open_in_emergency(*, user: User, study: Study, reason: str, address: str = "") -> BreakGlass:
    """Open one study for an hour; the row is what administrators are shown until one has seen it."""
    if not may_break_glass(user):
        raise NotAllowed("Your role has no emergency access.")
    reason = " ".join(reason.split())
    if len(reason) < SHORTEST_REASON:
        raise ReasonTooShort(
            f"Please give a reason of at least {SHORTEST_REASON} characters; an administrator will read it."
        )
    opened = BreakGlass.objects.create(user=user, study=study, reason=reason[:500], expires_at=timezone.now() + LASTS)
    record_event(
        Event.EMERGENCY_ACCESS,
        user=user,
        address=address,
        study_instance_uid=study.study_instance_uid,
        details={"reason": opened.reason, "until": opened.expires_at.isoformat()},
    )
    return opened
