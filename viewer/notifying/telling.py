"""Tell people: a row each, and a row of the outbox for each way that they want it sent.

Called inside the transaction of what is told, so that both stand or fall together. Told
twice of the same occasion, a person has one row.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError

from archive.models import Delegation, Study, User
from viewer.models import Delivery, Notification
from viewer.notifying.choices import Channel, channels_for, choices_of, is_put_together, next_digest

logger = logging.getLogger(__name__)
SENT_BY = {Channel.MAIL: Delivery.Channel.MAIL, Channel.WEBHOOK: Delivery.Channel.WEBHOOK}


@transaction.atomic
def tell(users: Iterable[User], kind: Notification.Kind, *, occasion: str, study: Study | None = None) -> int:
    """Tell each active person once; returns how many were not told of it before."""
    told = 0
    now = timezone.now()
    for user in {user.pk: user for user in users if user.is_active}.values():
        choices = choices_of(user)
        channels = channels_for(choices, kind)
        notification, is_new = Notification.objects.get_or_create(
            user=user,
            kind=kind,
            occasion=occasion,
            defaults={"study": study, "created_at": now, "is_in_page": Channel.PAGE in channels},
        )
        if not is_new:
            continue
        told += 1
        can_have = {Channel.MAIL: bool(user.email), Channel.WEBHOOK: bool(choices.webhook_url)}
        mail_due = next_digest(now) if is_put_together(choices, kind) else now
        due = {Channel.MAIL: mail_due, Channel.WEBHOOK: now}
        Delivery.objects.bulk_create(
            Delivery(notification=notification, channel=SENT_BY[channel], created_at=now, due_at=due[channel])
            for channel in sorted(channels)
            if can_have.get(channel, False)
        )
    if told:
        transaction.on_commit(wake_sender, robust=True)
    return told


def wake_sender() -> None:
    """A hint that may be lost; the schedule makes up for it."""
    from viewer.tasks import send_notifications

    try:
        send_notifications.apply_async(expires=60)
    except (OperationalError, OSError) as error:
        logger.warning("no wake-up could be sent: %s", type(error).__name__)


def with_stand_ins(user: User) -> list[User]:
    """A person, and whoever stands in for them now."""
    now = timezone.now()
    running = Delegation.objects.filter(clinician=user, begins_at__lte=now, ends_at__gt=now, ended_at__isnull=True)
    return [user, *(one.delegate for one in running.select_related("delegate"))]


def unread_of(user: User) -> int:
    """How many rows the bell counts: one look into an index of unread rows."""
    return Notification.objects.filter(user=user, read_at__isnull=True, is_in_page=True).count()


def mark_seen(user: User, pk: int | None = None) -> int:
    """Mark one row, or all of a person's, as read."""
    which = Q() if pk is None else Q(pk=pk)
    return Notification.objects.filter(which, user=user, read_at__isnull=True).update(read_at=timezone.now())


def mark_seen_of(occasion: str) -> None:
    """What these rows told of is done: everybody's are read."""
    _of(occasion).filter(read_at__isnull=True).update(read_at=timezone.now())


def no_longer_needed(occasion: str) -> None:
    """What waited for this is done: rows are read, and what was not sent yet is not sent."""
    Delivery.objects.filter(notification__in=_of(occasion).values("pk"), state=Delivery.State.WAITING).update(
        state=Delivery.State.DROPPED
    )
    mark_seen_of(occasion)


def _of(occasion: str) -> QuerySet[Notification]:
    return Notification.objects.filter(Q(occasion=occasion) | Q(occasion__startswith=f"{occasion} "))
