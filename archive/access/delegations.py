"""A clinician who is away names a colleague: from when until when, by themselves, on record, ended at any time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from archive.access.roles import Role, has_role
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.errors import ArchiveError
from archive.models import Delegation, User

LONGEST = timedelta(days=92)
"""A quarter of a year: whoever is away for longer is followed by somebody, not stood in for."""


class DelegationRefused(ArchiveError):
    """Somebody cannot stand in, or not for that long; the message says why."""


def possible_delegates(clinician: User) -> QuerySet[User]:
    """Active referring clinicians but oneself: only they have a page that shows referrals."""
    others = User.objects.filter(is_active=True, groups__name=Role.CLINICIAN.value).exclude(pk=clinician.pk)
    return others.order_by("last_name", "first_name", "username").distinct()


def delegations_of(clinician: User) -> QuerySet[Delegation]:
    """What was arranged and is not over, the earliest first."""
    running = Delegation.objects.filter(clinician=clinician, ended_at__isnull=True, ends_at__gt=timezone.now())
    return running.select_related("delegate").order_by("begins_at", "pk")


@transaction.atomic
def delegate(*, clinician: User, to: User, begins_at: datetime, ends_at: datetime, address: str = "") -> Delegation:
    """Let a colleague see one's referrals for a time.

    Raises
    ------
    DelegationRefused
    """
    if not has_role(clinician, Role.CLINICIAN):
        raise DelegationRefused("Only referring clinicians have referrals that somebody could see for them.")
    if not possible_delegates(clinician).filter(pk=to.pk).exists():
        raise DelegationRefused("Only another referring clinician with an active account can stand in.")
    if ends_at <= begins_at or ends_at <= timezone.now():
        raise DelegationRefused("The last day must not be before the first, nor in the past.")
    if ends_at - begins_at > LONGEST:
        raise DelegationRefused(f"At most {LONGEST.days} days can be arranged at once.")
    made = Delegation.objects.create(clinician=clinician, delegate=to, begins_at=begins_at, ends_at=ends_at)
    details = {"to": to.get_username(), "from": begins_at.isoformat(), "until": ends_at.isoformat()}
    _record(made, clinician, address, details)
    return made


@transaction.atomic
def end_delegation(delegation: Delegation, *, by: User, address: str = "") -> bool:
    """End it now; False where it was over."""
    ended = Delegation.objects.filter(pk=delegation.pk, ended_at__isnull=True).update(ended_at=timezone.now())
    if ended:
        _record(delegation, by, address, {"ended": True})
    return bool(ended)


def _record(delegation: Delegation, by: User, address: str, details: Mapping[str, object]) -> None:
    record_event(Event.RIGHTS_CHANGED, user=by, address=address, subject=f"delegation {delegation.pk}", details=details)
