"""How a person wants to be told of each kind of news: on the page, by mail, by webhook."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime, time, timedelta
from enum import StrEnum

from django.db import transaction
from django.utils import timezone

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import User
from viewer.models import Notification, NotificationChoices
from viewer.notifying.webhook import clean_url

Kind = Notification.Kind
Pace = NotificationChoices.MailPace
DIGEST_AT = time(7)
"""When a day's mail is sent, in the site's zone."""


class Channel(StrEnum):
    """Where news reaches a person."""

    PAGE = "page"
    MAIL = "mail"
    WEBHOOK = "webhook"


NAMES = frozenset(channel.value for channel in Channel)
URGENT = frozenset({Kind.CRITICAL, Kind.CRITICAL_REMINDER, Kind.CRITICAL_ESCALATED})
"""Always on the page: what waits for a person's acknowledgement cannot be switched off there."""
MAILED_AT_FIRST = URGENT | {Kind.QUESTION, Kind.ANSWER, Kind.DELEGATED}


def begins_with(kind: Notification.Kind) -> frozenset[Channel]:
    """Channels of a kind until the person has chosen."""
    if kind in MAILED_AT_FIRST:
        return frozenset(Channel)
    return frozenset({Channel.PAGE, Channel.WEBHOOK})


def choices_of(user: User) -> NotificationChoices:
    """The person's row, or one that was never saved."""
    return NotificationChoices.objects.filter(user=user).first() or NotificationChoices(user=user)


def channels_for(choices: NotificationChoices, kind: Notification.Kind) -> frozenset[Channel]:
    """Channels that a person has on for a kind."""
    kept = choices.channels.get(kind.value)
    chosen = begins_with(kind) if kept is None else frozenset(Channel(one) for one in kept if one in NAMES)
    if kind in URGENT:
        return chosen | {Channel.PAGE}
    return chosen - {Channel.MAIL} if choices.mail_pace == Pace.OFF else chosen


def is_put_together(choices: NotificationChoices, kind: Notification.Kind) -> bool:
    """Whether mail of a kind waits for the day's one mail."""
    return choices.mail_pace == Pace.DAILY and kind not in URGENT


def next_digest(now: datetime) -> datetime:
    """The next moment at which a day's mail is sent."""
    today = timezone.make_aware(datetime.combine(timezone.localdate(now), DIGEST_AT))
    if today > now:
        return today
    return timezone.make_aware(datetime.combine(timezone.localdate(now) + timedelta(days=1), DIGEST_AT))


@transaction.atomic
def choose(
    user: User,
    channels: Mapping[str, Collection[str]],
    webhook_url: str,
    *,
    mail_pace: str = Pace.AT_ONCE,
    address: str = "",
) -> str:
    """Keep a person's choices; returns the secret of a webhook whose address is new, shown this once.

    Raises
    ------
    WebhookRefused
        The address is no https address of another machine.
    """
    url = clean_url(webhook_url) if webhook_url.strip() else ""
    kept = choices_of(user)
    kept.channels = {kind.value: sorted(one for one in channels.get(kind.value, ()) if one in NAMES) for kind in Kind}
    kept.mail_pace = Pace(mail_pace) if mail_pace in Pace.values else Pace.AT_ONCE
    secret = ""
    if url != kept.webhook_url:
        secret = secrets.token_urlsafe(32) if url else ""
        kept.webhook_url, kept.webhook_secret = url, secret
    kept.save()
    record_event(
        Event.NOTIFICATIONS_CHANGED,
        user=user,
        address=address,
        details={
            "channels": kept.channels,
            "mail_pace": kept.mail_pace,
            "has_webhook": bool(url),
            "new_webhook": bool(secret),
        },
    )
    return secret
